//! TCP connections over the loopback link, the same in each run.
//!
//! Separate processes hold them, each as many as it can have descriptors.

use std::io::{BufRead, BufReader, Error, Read, Result};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};

/// Connections of one process and one source address.
const EACH: u64 = 5000;
const FIRST_PORT: u16 = 20_000;

/// The processes, which end with this one.
pub struct Holders(Vec<Child>);

impl Holders {
    pub const NONE: Self = Self(Vec::new());

    /// Makes `count` connected sockets, two of each connection.
    pub fn connect(count: u64) -> Result<Self> {
        let mut holders = Self::NONE;
        let connections = count / 2;
        for group in 0..connections.div_ceil(EACH) {
            let own = EACH.min(connections - group * EACH);
            let mut child = Command::new(std::env::current_exe()?)
                .args([crate::CONNECT.to_owned(), group.to_string(), own.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let output = child.stdout.take();
            holders.0.push(child);
            let mut ready = String::new();
            output.map(BufReader::new).ok_or(Error::other("no output"))?.read_line(&mut ready)?;
            if ready.is_empty() {
                return Err(Error::other("the connections were not made"));
            }
        }
        Ok(holders)
    }
}

impl Drop for Holders {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// The task of such a process: it connects, reports that, and waits until its input ends.
pub fn hold(group: u8, count: u64) -> Result<()> {
    raise_limit()?;
    let port = 1000 + u16::from(group);
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let target = address([127, 0, 0, 1], port);
    let mut sockets = Vec::new();
    for n in 0..count {
        // SAFETY: no pointers involved.
        let fd = checked(unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: just opened, and not owned by anything else.
        sockets.push(unsafe { OwnedFd::from_raw_fd(fd) });
        let own = address([127, 0, 1, group], FIRST_PORT + n as u16);
        let length = size_of_val(&own) as u32;
        // SAFETY: both addresses are valid and of this length.
        unsafe {
            checked(libc::bind(fd, (&raw const own).cast(), length))?;
            checked(libc::connect(fd, (&raw const target).cast(), length))?;
        }
        // SAFETY: no address is asked for.
        let fd = unsafe { libc::accept(listener.as_raw_fd(), std::ptr::null_mut(), std::ptr::null_mut()) };
        // SAFETY: just opened, and not owned by anything else.
        sockets.push(unsafe { OwnedFd::from_raw_fd(checked(fd)?) });
    }
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn address(ip: [u8; 4], port: u16) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(ip) },
        sin_zero: [0; 8],
    }
}

/// Raises the limit of descriptors as far as allowed.
fn raise_limit() -> Result<()> {
    // SAFETY: `limit` is valid for both calls.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        checked(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit))?;
        limit.rlim_cur = limit.rlim_max;
        checked(libc::setrlimit(libc::RLIMIT_NOFILE, &limit))?;
    }
    Ok(())
}

fn checked(result: i32) -> Result<i32> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}
