//! The system calls of the harness; the only module with `unsafe`.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

pub(crate) const NEW_USER: libc::c_int = libc::CLONE_NEWUSER;
pub(crate) const NEW_NET_AND_MOUNTS: libc::c_int = libc::CLONE_NEWNET | libc::CLONE_NEWNS;

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Moves the calling thread into new namespaces.
pub(crate) fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: takes no pointers; of the flags used here, none shares memory differently.
    checked(unsafe { libc::unshare(flags) }).map(drop)
}

pub(crate) fn effective_ids() -> (u32, u32) {
    // SAFETY: neither call takes arguments or can fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// Stops mounts of this mount namespace from propagating to others.
pub(crate) fn make_mounts_private() -> io::Result<()> {
    mount(None, "/", libc::MS_REC | libc::MS_PRIVATE)
}

/// Mounts an empty file system at `target`.
pub(crate) fn mount_tmpfs(target: &str) -> io::Result<()> {
    mount(Some("tmpfs"), target, 0)
}

fn mount(kind: Option<&str>, target: &str, flags: libc::c_ulong) -> io::Result<()> {
    let kind = CString::new(kind.unwrap_or("none"))?;
    let target = CString::new(target)?;
    // SAFETY: the strings live beyond the call and end with a NUL; no data pointer is given.
    checked(unsafe { libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, std::ptr::null()) })
        .map(drop)
}

/// Sets an environment variable. Only for `main` before it starts threads.
pub(crate) fn set_variable(name: &str, value: &std::ffi::OsStr) {
    // SAFETY: called from `main` while the process has one thread, so nobody reads the environment meanwhile.
    unsafe { std::env::set_var(name, value) }
}

/// A netlink socket of the calling thread's namespace, like in a C program: without a port, and it accepts
/// messages of other processes.
pub fn netlink_socket(protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let fd =
        checked(unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Gives a netlink socket a port and joins the multicast groups of these bits.
#[allow(clippy::cast_possible_truncation)] // the family is 16, the length 12
pub(crate) fn bind(socket: &OwnedFd, groups: u32) -> io::Result<()> {
    // SAFETY: zeros are such an address.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_groups = groups;
    let length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
    // SAFETY: pointer and length are those of `address`.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) })?;
    Ok(())
}

/// The next datagram; `None` if there is none within this time.
pub(crate) fn receive(socket: &OwnedFd, limit: Duration) -> io::Result<Option<Vec<u8>>> {
    let mut ready = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the pointer is to one `pollfd`.
    if checked(unsafe { libc::poll(&raw mut ready, 1, limit) })? == 0 {
        return Ok(None);
    }
    let mut datagram = vec![0u8; 1 << 16];
    // SAFETY: pointer and length are those of `datagram`.
    let got = unsafe { libc::recv(socket.as_raw_fd(), datagram.as_mut_ptr().cast(), datagram.len(), 0) };
    datagram.truncate(usize::try_from(got).map_err(|_| io::Error::last_os_error())?);
    Ok(Some(datagram))
}

/// Sends one request from the calling thread's namespace. Returns the errno of the answer; 0 for any other answer.
pub(crate) fn netlink_errno(protocol: i32, request: &[u8]) -> io::Result<i32> {
    let socket = netlink_socket(protocol)?;
    // SAFETY: pointer and length are those of `request`.
    let sent = unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut reply = [0u8; 4096];
    // SAFETY: pointer and length are those of `reply`.
    let got = unsafe { libc::recv(socket.as_raw_fd(), reply.as_mut_ptr().cast(), reply.len(), 0) };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    const NLMSG_ERROR: [u8; 2] = 2u16.to_ne_bytes();
    let reply = reply.get(..got).unwrap_or_default();
    if reply.get(4..6) != Some(&NLMSG_ERROR) {
        return Ok(0);
    }
    let errno = reply.get(16..20).and_then(<[u8]>::first_chunk);
    errno
        .map(|bytes| -i32::from_ne_bytes(*bytes))
        .ok_or_else(|| io::Error::other("a netlink answer without an errno"))
}

/// Loads a BPF program: `BPF_PROG_TYPE_*`, and its instructions in the kernel's format.
///
/// `EPERM` without `CAP_BPF` in the initial user namespace.
pub fn bpf_program(kind: u32, instructions: &[[u8; 8]]) -> io::Result<OwnedFd> {
    /// The first part of `union bpf_attr`, for `BPF_PROG_LOAD`.
    #[repr(C)]
    #[derive(Default)]
    struct Load {
        kind: u32,
        count: u32,
        instructions: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log: u64,
        kernel_version: u32,
        flags: u32,
    }
    const BPF_PROG_LOAD: libc::c_long = 5;
    let load = Load {
        kind,
        count: u32::try_from(instructions.len()).map_err(io::Error::other)?,
        instructions: instructions.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        ..Load::default()
    };
    // SAFETY: pointer and size are those of `load`, and what it points to lives beyond the call.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const load, size_of::<Load>()) };
    let fd = checked(fd.try_into().map_err(io::Error::other)?)?;
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A socket of Multipath TCP, to listen at an address or to connect to it.
#[derive(Debug)]
pub struct Mptcp {
    socket: OwnedFd,
    /// `sockaddr_in` or `sockaddr_in6`.
    name: Vec<u8>,
}

impl Mptcp {
    /// Makes the socket; nothing is sent.
    #[allow(clippy::cast_possible_truncation)] // the families are 2 and 10
    pub fn new(address: SocketAddr) -> io::Result<Self> {
        let (family, rest) = match address {
            SocketAddr::V4(address) => (libc::AF_INET, [&address.ip().octets()[..], &[0; 8]].concat()),
            SocketAddr::V6(address) => {
                (libc::AF_INET6, [&[0; 4], &address.ip().octets()[..], &[0; 4]].concat())
            }
        };
        let name = [&(family as libc::sa_family_t).to_ne_bytes()[..], &address.port().to_be_bytes(), &rest];
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
        // SAFETY: takes no pointers.
        let fd = checked(unsafe { libc::socket(family, kind, libc::IPPROTO_MPTCP) })?;
        // SAFETY: the descriptor was just made and belongs to nobody else.
        Ok(Self { socket: unsafe { OwnedFd::from_raw_fd(fd) }, name: name.concat() })
    }

    /// Listens at the address.
    pub fn listen(self) -> io::Result<TcpListener> {
        // SAFETY: pointer and length are those of `name`.
        checked(unsafe { libc::bind(self.socket.as_raw_fd(), self.name.as_ptr().cast(), self.length()) })?;
        // SAFETY: takes no pointers.
        checked(unsafe { libc::listen(self.socket.as_raw_fd(), 8) })?;
        Ok(self.socket.into())
    }

    /// Connects to the address.
    pub fn connect(self) -> io::Result<TcpStream> {
        // SAFETY: pointer and length are those of `name`.
        checked(unsafe { libc::connect(self.socket.as_raw_fd(), self.name.as_ptr().cast(), self.length()) })?;
        Ok(self.socket.into())
    }

    #[allow(clippy::cast_possible_truncation)] // 16 or 28
    fn length(&self) -> libc::socklen_t {
        self.name.len() as libc::socklen_t
    }
}
