//! The netlink socket: its system calls and options. Man page netlink(7); kernel side
//! `net/netlink/af_netlink.c`.

#![allow(unsafe_code)]

use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[cfg(any(test, feature = "testkit"))]
use crate::connection::Script;
use crate::error::{Errno, Error};
use crate::message::{Protocol, Sender};
use crate::netns::Namespace;
use crate::values;

type Result<T> = std::result::Result<T, Error>;

values! {
    /// Switches of a netlink socket, at the level `SOL_NETLINK`.
    pub struct Switch: i32 {
        /// Tell the multicast group of each datagram. Without it, groups above 32 can't be told.
        3 NETLINK_PKTINFO PACKET_INFO "pktinfo",
        /// Multicast sends fail when a receiver's buffer is full.
        4 NETLINK_BROADCAST_ERROR BROADCAST_ERROR "broadcast_error",
        /// Drop events silently instead of reporting `ENOBUFS`.
        5 NETLINK_NO_ENOBUFS NO_ENOBUFS "no_enobufs",
        /// Take events of every namespace that has an id in this one. Needs `CAP_NET_BROADCAST`. Linux 4.2;
        /// its value can be read since 6.3.
        8 NETLINK_LISTEN_ALL_NSID LISTEN_ALL_NSID "listen_all_nsid",
        /// Don't echo the request in an error. Linux 4.3.
        10 NETLINK_CAP_ACK CAP_ACK "cap_ack",
        /// Explain errors: text, attribute, policy. Linux 4.12.
        11 NETLINK_EXT_ACK EXT_ACK "ext_ack",
        /// Check GET requests strictly, and filter dumps in the kernel. Linux 4.20.
        12 NETLINK_GET_STRICT_CHK STRICT_CHECK "strict_check",
    }
}

/// One instruction of a classic BPF program: `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
#[allow(clippy::exhaustive_structs)]
pub struct BpfInstruction {
    /// Operation.
    pub code: u16,
    /// Jump when true.
    pub jump_true: u8,
    /// Jump when false.
    pub jump_false: u8,
    /// Operand.
    pub operand: u32,
}

const _: () = assert!(size_of::<BpfInstruction>() == size_of::<libc::sock_filter>());

/// How to open a socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions<'a> {
    port: u32,
    namespace: Option<&'a Namespace>,
    nonblocking: bool,
}

impl<'a> OpenOptions<'a> {
    /// A port of the kernel's choice, in the namespace of the calling thread.
    pub const fn new() -> Self {
        Self { port: 0, namespace: None, nonblocking: false }
    }

    /// This port id; `EADDRINUSE` if it is taken.
    #[must_use]
    pub const fn port(mut self, port: u32) -> Self {
        self.port = port;
        self
    }

    /// In this namespace. The calling thread stays where it is.
    #[must_use]
    pub const fn namespace(mut self, namespace: &'a Namespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// [`Socket::receive`] fails with `EAGAIN` where it would wait. Connections and streams of events wait all the
    /// same; for a loop of one's own they have `try_next_event` and `try_next`.
    #[must_use]
    pub const fn nonblocking(mut self) -> Self {
        self.nonblocking = true;
        self
    }

    /// Opens and binds it.
    pub fn open(&self, protocol: Protocol) -> Result<Socket> {
        match self.namespace {
            // A socket belongs for good to the namespace of the thread that made it.
            Some(namespace) => namespace.run(|| self.open_here(protocol))?,
            None => self.open_here(protocol),
        }
    }

    fn open_here(&self, protocol: Protocol) -> Result<Socket> {
        let nonblocking = if self.nonblocking { libc::SOCK_NONBLOCK } else { 0 };
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | nonblocking;
        // SAFETY: no pointers.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, protocol.0) };
        if fd < 0 {
            return Err(Error::last("socket(AF_NETLINK)"));
        }
        // SAFETY: `socket` just returned it, so it is open and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        bind(&fd, self.port)?;
        if protocol != Protocol::USERSOCK {
            connect_to_kernel(&fd)?;
        }
        Socket::try_from(fd)
    }
}

/// Gives a socket its port; 0 lets the kernel choose.
fn bind(fd: &OwnedFd, port: u32) -> Result<()> {
    let address = address(port, 0);
    // SAFETY: the pointer and the length are those of `address`.
    let bound = unsafe {
        libc::bind(fd.as_raw_fd(), (&raw const address).cast(), size_of_u32::<libc::sockaddr_nl>())
    };
    if bound < 0 { Err(Error::last("bind(AF_NETLINK)")) } else { Ok(()) }
}

/// From then on the kernel refuses with `ECONNREFUSED` what any process sends to the socket's port
/// (`netlink_getsockbyportid`). Its own answers and all multicast still come.
fn connect_to_kernel(fd: &OwnedFd) -> Result<()> {
    let kernel = address(0, 0);
    // SAFETY: the pointer and the length are those of `kernel`.
    let connected = unsafe {
        libc::connect(fd.as_raw_fd(), (&raw const kernel).cast(), size_of_u32::<libc::sockaddr_nl>())
    };
    if connected < 0 { Err(Error::last("connect(AF_NETLINK)")) } else { Ok(()) }
}

fn address(port: u32, group: u32) -> libc::sockaddr_nl {
    // SAFETY: all zeros is a valid sockaddr_nl.
    let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
    // The constant is 16.
    #[allow(clippy::cast_possible_truncation)]
    {
        address.nl_family = libc::AF_NETLINK as u16;
    }
    address.nl_pid = port;
    address.nl_groups = group;
    address
}

/// The size of a C type, as the kernel counts it.
#[allow(clippy::cast_possible_truncation)]
const fn size_of_u32<T>() -> u32 {
    size_of::<T>() as u32
}

/// An open netlink socket.
///
/// One that was opened here takes datagrams of the kernel only (but for `NETLINK_USERSOCK`). A fork shares port and queue
/// with its parent, so that each takes the other's answers: open a socket of its own there.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    port: u32,
    nonblocking: bool,
    /// Whether datagrams come with ancillary data.
    ancillary: AtomicBool,
    /// Whether a full buffer goes unreported: [`Switch::NO_ENOBUFS`].
    silent: AtomicBool,
    stop: Option<Arc<OwnedFd>>,
    /// What is received and answered in place of the kernel's.
    #[cfg(any(test, feature = "testkit"))]
    script: Option<Box<Script>>,
}

/// When a wait ends. The time is taken when the wait begins, and holds through signals, foreign datagrams and whatever
/// else comes that is not waited for. It is exact to a tick of the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    limit: Option<Duration>,
    /// As [`uptime`] counts.
    at: Option<Duration>,
}

impl Deadline {
    /// A wait that may last this long; `None` is for ever.
    pub const fn new(limit: Option<Duration>) -> Self {
        Self { limit, at: None }
    }

    /// What was waited for has come: the next wait is a new one.
    #[inline]
    pub const fn renew(&mut self) {
        self.at = None;
    }

    /// Starts the wait; whether all of it is still to come.
    fn start(&mut self) -> bool {
        let Some(limit) = self.limit else { return true };
        let fresh = self.at.is_none();
        if fresh {
            self.at = Some(uptime().saturating_add(limit));
        }
        fresh
    }

    /// Fails with [`Error::Timeout`] when the time is over, where nothing has to be waited for.
    pub fn check(&mut self) -> Result<()> {
        self.start();
        self.left().map(drop)
    }

    /// What is left of the wait; `None` is for ever.
    fn left(&self) -> Result<Option<Duration>> {
        let Some(at) = self.at else { return Ok(None) };
        let left = at.saturating_sub(uptime());
        if left.is_zero() { Err(Error::Timeout(self.limit.unwrap_or_default())) } else { Ok(Some(left)) }
    }
}

/// How long the machine is up, to a tick of the kernel. An exact time costs several times as much, once a datagram.
fn uptime() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer is to a timespec, which the kernel fills. Zeros are a valid one.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, time.as_mut_ptr());
        time.assume_init()
    };
    // Neither is negative, and the second is below 1,000,000,000.
    #[allow(clippy::unnecessary_fallible_conversions)]
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// What a receive brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// Bytes of the datagram, also those that the buffer had no room for.
    pub length: usize,
    /// Who sent it.
    pub sender: Sender,
}

/// Ends the waiting of a socket from another thread.
#[derive(Clone, Debug)]
pub struct Stop(Arc<OwnedFd>);

impl Stop {
    /// From now on every wait of the socket ends with [`Error::Stopped`].
    pub fn stop(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: the pointer and the length are those of `one`. An eventfd takes eight bytes; it can only
        // refuse them when its counter is full, and then it is readable already.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

impl Socket {
    /// Opens one in the namespace of the calling thread. [`OpenOptions`] has more choice.
    pub fn open(protocol: Protocol) -> Result<Self> {
        OpenOptions::new().open(protocol)
    }

    /// One that gives out what a script says, and sends nothing. Its options and its port are real.
    #[cfg(any(test, feature = "testkit"))]
    pub(crate) fn scripted(script: Script) -> Result<Self> {
        let mut socket = Self::open(Protocol::ROUTE)?;
        socket.script = Some(Box::new(script));
        Ok(socket)
    }

    /// The script, of a socket that has one.
    #[cfg(any(test, feature = "testkit"))]
    pub fn script(&self) -> Option<&Script> {
        self.script.as_deref()
    }

    /// Its port: the address the kernel answers to.
    pub const fn port(&self) -> u32 {
        self.port
    }

    /// Its protocol.
    pub fn protocol(&self) -> Result<Protocol> {
        // What is written down may be of any protocol.
        #[cfg(any(test, feature = "testkit"))]
        if self.script.is_some() {
            return Err(Error::system("script", Errno::ENOPROTOOPT));
        }
        self.get_int(libc::SOL_SOCKET, libc::SO_PROTOCOL, "getsockopt(SO_PROTOCOL)").map(Protocol)
    }

    /// Turns a switch on or off.
    pub fn set(&self, switch: Switch, on: bool) -> Result<()> {
        self.set_option(libc::SOL_NETLINK, switch.0, &i32::from(on), "setsockopt(SOL_NETLINK)")?;
        if on && (switch == Switch::PACKET_INFO || switch == Switch::LISTEN_ALL_NSID) {
            self.ancillary.store(true, Ordering::Relaxed);
        }
        if switch == Switch::NO_ENOBUFS {
            self.silent.store(on, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether a full buffer goes unreported.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// How many messages found no room in the receive buffer since the socket was opened (`SK_MEMINFO_DROPS`). Linux
    /// 4.12.
    pub fn drops(&self) -> Result<u32> {
        self.memory().map(|[.., drops]| drops)
    }

    /// How much of the receive buffer is taken by messages that wait (`SK_MEMINFO_RMEM_ALLOC`), with what the kernel adds
    /// to each. Linux 4.6.
    pub fn waiting(&self) -> Result<usize> {
        #[cfg(any(test, feature = "testkit"))]
        if self.script.is_some() {
            return self.receive_buffer();
        }
        self.memory().map(|[taken, ..]| taken as usize)
    }

    /// `SK_MEMINFO_*`; what the kernel doesn't count is 0.
    fn memory(&self) -> Result<[u32; 9]> {
        let mut info = [0; 9];
        let mut length = size_of_u32::<[u32; 9]>();
        // SAFETY: the pointers are those of `info` and its length; the kernel writes no more than that.
        let done = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MEMINFO,
                info.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        if done < 0 { Err(Error::last("getsockopt(SO_MEMINFO)")) } else { Ok(info) }
    }

    /// Whether a switch is on.
    pub fn get(&self, switch: Switch) -> Result<bool> {
        self.get_int(libc::SOL_NETLINK, switch.0, "getsockopt(SOL_NETLINK)").map(|value| value != 0)
    }

    /// Joins a multicast group of any number; needs what the group demands, often `CAP_NET_ADMIN`. For one above 32
    /// [`Switch::PACKET_INFO`] is turned on, without which nobody could tell what was sent to it from a reply. A group that
    /// the kernel does not have yet is `EINVAL`: Linux 5.10 has those of routing up to 33.
    pub fn join(&self, group: u32) -> Result<()> {
        if group > MASKED {
            self.set(Switch::PACKET_INFO, true)?;
        }
        self.set_option(
            libc::SOL_NETLINK,
            libc::NETLINK_ADD_MEMBERSHIP,
            &group,
            "setsockopt(NETLINK_ADD_MEMBERSHIP)",
        )
    }

    /// Leaves a multicast group.
    pub fn leave(&self, group: u32) -> Result<()> {
        self.set_option(
            libc::SOL_NETLINK,
            libc::NETLINK_DROP_MEMBERSHIP,
            &group,
            "setsockopt(NETLINK_DROP_MEMBERSHIP)",
        )
    }

    /// Makes sure that the group of each datagram is told, whoever joined it. A receive with ancillary data takes a
    /// tenth more of the kernel's time than one without, which tells groups up to 32.
    pub(crate) fn tell_groups(&self) -> Result<()> {
        // Linux before 4.2 doesn't list them.
        let all_told = self.memberships().is_ok_and(|groups| groups.iter().all(|group| *group <= MASKED));
        if all_told { Ok(()) } else { self.set(Switch::PACKET_INFO, true) }
    }

    /// The groups it has joined.
    pub fn memberships(&self) -> Result<Vec<u32>> {
        let mut words = vec![0u32; 8];
        loop {
            let room = words.len() * 4;
            let mut length = libc::socklen_t::try_from(room).unwrap_or(libc::socklen_t::MAX);
            // SAFETY: `words` has `room` bytes, and `length` says so.
            let done = unsafe {
                libc::getsockopt(
                    self.fd.as_raw_fd(),
                    libc::SOL_NETLINK,
                    libc::NETLINK_LIST_MEMBERSHIPS,
                    words.as_mut_ptr().cast(),
                    &raw mut length,
                )
            };
            if done < 0 {
                return Err(Error::last("getsockopt(NETLINK_LIST_MEMBERSHIPS)"));
            }
            let needed = length as usize;
            if needed <= room {
                words.truncate(needed / 4);
                break;
            }
            // The kernel tells how much it has and writes only what fits.
            words.resize(needed.div_ceil(4), 0);
        }
        let bits = words.iter().zip(0u32..).flat_map(|(word, at)| {
            (0..32).filter(move |bit| word & (1 << bit) != 0).map(move |bit| at * 32 + bit + 1)
        });
        Ok(bits.collect())
    }

    /// Makes the receive buffer this large and tells how large it is now; the kernel doubles the figure for
    /// its own overhead. Beyond `net.core.rmem_max` it takes `CAP_NET_ADMIN`, which is tried first.
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize> {
        self.set_buffer(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, bytes, "setsockopt(SO_RCVBUF)")?;
        self.receive_buffer()
    }

    /// Makes the receive buffer larger by this much, where the process may; whether it did. The kernel doubles the
    /// figure that it is given.
    pub(crate) fn widen_receive_buffer(&self, room: usize, more: usize) -> bool {
        let half = i32::try_from((room + more) / 2).unwrap_or(i32::MAX);
        self.set_option(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &half, "setsockopt(SO_RCVBUFFORCE)").is_ok()
    }

    /// Size of the receive buffer. Each waiting message takes 832 bytes of it, or more.
    pub fn receive_buffer(&self) -> Result<usize> {
        let size = self.get_int(libc::SOL_SOCKET, libc::SO_RCVBUF, "getsockopt(SO_RCVBUF)")?;
        Ok(usize::try_from(size).unwrap_or_default())
    }

    /// Makes the send buffer this large and tells how large it is now: the limit of one datagram.
    pub fn set_send_buffer(&self, bytes: usize) -> Result<usize> {
        self.set_buffer(libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, bytes, "setsockopt(SO_SNDBUF)")?;
        self.send_buffer()
    }

    /// Size of the send buffer.
    pub fn send_buffer(&self) -> Result<usize> {
        let size = self.get_int(libc::SOL_SOCKET, libc::SO_SNDBUF, "getsockopt(SO_SNDBUF)")?;
        Ok(usize::try_from(size).unwrap_or_default())
    }

    fn set_buffer(&self, force: i32, plain: i32, bytes: usize, call: &'static str) -> Result<()> {
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        match self.set_option(libc::SOL_SOCKET, force, &bytes, call) {
            Err(error) if error.is_permission() => self.set_option(libc::SOL_SOCKET, plain, &bytes, call),
            result => result,
        }
    }

    /// How long a receive waits; `None` is for ever. A receive that got nothing fails with `EAGAIN`. A connection has
    /// a limit of its own, `set_timeout`.
    pub fn set_receive_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.set_timeout(libc::SO_RCVTIMEO, timeout, "setsockopt(SO_RCVTIMEO)")
    }

    /// How long a send waits for room in another process's socket; `None` is for ever.
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.set_timeout(libc::SO_SNDTIMEO, timeout, "setsockopt(SO_SNDTIMEO)")
    }

    fn set_timeout(&self, option: i32, timeout: Option<Duration>, call: &'static str) -> Result<()> {
        // SAFETY: all zeros is a valid timeval, and means for ever.
        let mut time: libc::timeval = unsafe { mem::zeroed() };
        if let Some(timeout) = timeout {
            // Zero would mean for ever.
            let timeout = timeout.max(Duration::from_micros(1));
            time.tv_sec = timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX);
            // Below 1,000,000, and 32 bits wide on some targets.
            #[allow(clippy::unnecessary_fallible_conversions)]
            {
                time.tv_usec = timeout.subsec_micros().try_into().unwrap_or_default();
            }
        }
        self.set_option(libc::SOL_SOCKET, option, &time, call)
    }

    /// Lets only those datagrams in that the program accepts. It sees the datagram from its first byte.
    pub fn attach_filter(&self, program: &[BpfInstruction]) -> Result<()> {
        let Ok(len) = u16::try_from(program.len()) else {
            return Err(Error::system("setsockopt(SO_ATTACH_FILTER)", Errno::EINVAL));
        };
        let program =
            libc::sock_fprog { len, filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut() };
        self.set_option(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program, "setsockopt(SO_ATTACH_FILTER)")
    }

    /// Removes the filter; `ENOENT` if there is none.
    pub fn detach_filter(&self) -> Result<()> {
        self.set_option(libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &0i32, "setsockopt(SO_DETACH_FILTER)")
    }

    /// Forbids every later change of the filter, for good.
    pub fn lock_filter(&self) -> Result<()> {
        self.set_option(libc::SOL_SOCKET, libc::SO_LOCK_FILTER, &1i32, "setsockopt(SO_LOCK_FILTER)")
    }

    fn set_option<T>(&self, level: i32, option: i32, value: &T, call: &'static str) -> Result<()> {
        // SAFETY: the pointer and the length are those of `value`, which is a C integer or struct. A filter
        // program's pointer is valid during the call, and the kernel copies the program.
        let done = unsafe {
            libc::setsockopt(
                self.fd.as_raw_fd(),
                level,
                option,
                std::ptr::from_ref(value).cast(),
                size_of_u32::<T>(),
            )
        };
        if done < 0 { Err(Error::last(call)) } else { Ok(()) }
    }

    fn get_int(&self, level: i32, option: i32, call: &'static str) -> Result<i32> {
        let mut value = 0i32;
        let mut length = size_of_u32::<i32>();
        // SAFETY: the pointers are those of `value` and its length.
        let done = unsafe {
            libc::getsockopt(self.fd.as_raw_fd(), level, option, (&raw mut value).cast(), &raw mut length)
        };
        if done < 0 { Err(Error::last(call)) } else { Ok(value) }
    }

    /// Sends a datagram to the kernel.
    #[inline]
    pub fn send(&self, datagram: &[u8]) -> Result<()> {
        #[cfg(any(test, feature = "testkit"))]
        if let Some(script) = &self.script {
            return script.send(datagram, self.port);
        }
        loop {
            // SAFETY: the pointer and the length are those of `datagram`. A netlink socket without a
            // destination sends to the kernel.
            let sent =
                unsafe { libc::send(self.fd.as_raw_fd(), datagram.as_ptr().cast(), datagram.len(), 0) };
            if sent >= 0 {
                return Ok(());
            }
            match Error::last("send") {
                Error::System { errno: Errno::EINTR, .. } => {}
                error => return Err(error),
            }
        }
    }

    /// Sends a datagram to a port, and to a multicast group if that is not 0. Other processes and groups take
    /// `CAP_NET_ADMIN`, but for `NETLINK_USERSOCK`. Groups above 32 can't be addressed.
    pub fn send_to(&self, datagram: &[u8], port: u32, group: u32) -> Result<()> {
        let mask = match group {
            0 => 0,
            1..=32 => 1 << (group - 1),
            _ => return Err(Error::system("sendto", Errno::EINVAL)),
        };
        let address = address(port, mask);
        loop {
            // SAFETY: the pointers and lengths are those of `datagram` and `address`.
            let sent = unsafe {
                libc::sendto(
                    self.fd.as_raw_fd(),
                    datagram.as_ptr().cast(),
                    datagram.len(),
                    0,
                    (&raw const address).cast(),
                    size_of_u32::<libc::sockaddr_nl>(),
                )
            };
            if sent >= 0 {
                return Ok(());
            }
            match Error::last("sendto") {
                Error::System { errno: Errno::EINTR, .. } => {}
                error => return Err(error),
            }
        }
    }

    /// Receives a datagram. Compare the length with the buffer's: what did not fit is lost.
    ///
    /// `EAGAIN` when nothing came in time, or at once on a socket that doesn't wait.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Received> {
        if self.nonblocking {
            return self.try_receive(buffer);
        }
        match self.receive_before(buffer, &mut Deadline::new(self.receive_timeout()?)) {
            Err(Error::Timeout(_)) => Err(Error::system("recvfrom", Errno::EAGAIN)),
            received => received,
        }
    }

    /// Receives a datagram before a deadline, which a signal does not put off.
    ///
    /// The first wait is the system call's own, whose limit has to be the deadline's: one call a datagram.
    #[inline]
    pub(crate) fn receive_before(&self, buffer: &mut [u8], deadline: &mut Deadline) -> Result<Received> {
        #[cfg(any(test, feature = "testkit"))]
        if let Some(script) = &self.script {
            return script.receive(buffer);
        }
        if deadline.start() && self.stop.is_none() {
            match self.receive_once(buffer, 0) {
                Err(Error::System { errno: Errno::EINTR | Errno::EAGAIN, .. }) => {}
                received => return received,
            }
        }
        self.receive_late(buffer, deadline)
    }

    #[cold]
    fn receive_late(&self, buffer: &mut [u8], deadline: &Deadline) -> Result<Received> {
        loop {
            self.wait(deadline.left()?)?;
            match self.receive_once(buffer, libc::MSG_DONTWAIT) {
                // A signal, or another thread was quicker.
                Err(Error::System { errno: Errno::EINTR | Errno::EAGAIN, .. }) => {}
                received => return received,
            }
        }
    }

    /// Waits until there is something to receive, the time is over, a signal came, or the socket is stopped.
    fn wait(&self, left: Option<Duration>) -> Result<()> {
        let readable = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // What is negative is passed over.
        let stop = self.stop.as_ref().map_or(-1, |stop| stop.as_raw_fd());
        let mut ready = [readable(self.fd.as_raw_fd()), readable(stop)];
        #[allow(clippy::unnecessary_fallible_conversions)]
        let left = left.map(|left| libc::timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            // Below 1,000,000,000, whatever its width.
            tv_nsec: left.subsec_nanos().try_into().unwrap_or_default(),
        });
        let limit = left.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the pointers are to two pollfds, as the count says, and to a timespec or null; no mask is given.
        let count = unsafe { libc::ppoll(ready.as_mut_ptr(), 2, limit, std::ptr::null()) };
        match (count, ready) {
            (count, _) if count < 0 => match Error::last("ppoll") {
                Error::System { errno: Errno::EINTR, .. } => Ok(()),
                error => Err(error),
            },
            (_, [_, stopped]) if stopped.revents != 0 => Err(Error::Stopped),
            _ => Ok(()),
        }
    }

    /// Receives a datagram that is there already; `EAGAIN` if there is none.
    pub fn try_receive(&self, buffer: &mut [u8]) -> Result<Received> {
        #[cfg(any(test, feature = "testkit"))]
        if let Some(script) = &self.script {
            return script.try_receive(buffer);
        }
        self.receive_once(buffer, libc::MSG_DONTWAIT)
    }

    #[inline]
    fn receive_once(&self, buffer: &mut [u8], flags: i32) -> Result<Received> {
        if self.ancillary.load(Ordering::Relaxed) {
            return self.receive_message(buffer, flags);
        }
        let mut from = MaybeUninit::<libc::sockaddr_nl>::zeroed();
        let mut length = size_of_u32::<libc::sockaddr_nl>();
        // SAFETY: the pointers and lengths are those of `buffer` and `from`; the kernel writes no more than
        // they allow.
        let got = unsafe {
            libc::recvfrom(
                self.fd.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                flags | libc::MSG_TRUNC,
                from.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let Ok(length) = usize::try_from(got) else {
            return Err(Error::last("recvfrom"));
        };
        // SAFETY: it was zeroed, and every bit pattern is a valid sockaddr_nl.
        let from = unsafe { from.assume_init() };
        let sender = Sender { port: from.nl_pid, group: first_bit(from.nl_groups), nsid: None };
        Ok(Received { length, sender })
    }

    fn receive_message(&self, buffer: &mut [u8], flags: i32) -> Result<Received> {
        let mut from = address(0, 0);
        // Room for a group (4 bytes) and a namespace id (4 bytes), each behind a header; u64 for alignment.
        let mut control = [0u64; 16];
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // SAFETY: all zeros is a valid msghdr without anything in it.
        let mut message: libc::msghdr = unsafe { mem::zeroed() };
        message.msg_name = (&raw mut from).cast();
        message.msg_namelen = size_of_u32::<libc::sockaddr_nl>();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control) as _;
        // SAFETY: every pointer in `message` is to a local that outlives the call, with its own length.
        let got = unsafe { libc::recvmsg(self.fd.as_raw_fd(), &raw mut message, flags | libc::MSG_TRUNC) };
        let Ok(length) = usize::try_from(got) else {
            return Err(Error::last("recvmsg"));
        };
        let mut sender = Sender { port: from.nl_pid, group: first_bit(from.nl_groups), nsid: None };
        // SAFETY: the kernel filled `control` and set `msg_controllen` to what it wrote, so the CMSG macros
        // stay inside; both kinds carry four bytes, read without an assumption about alignment.
        unsafe {
            let mut header = libc::CMSG_FIRSTHDR(&raw const message);
            while !header.is_null() {
                let data = libc::CMSG_DATA(header);
                match ((*header).cmsg_level, (*header).cmsg_type) {
                    (libc::SOL_NETLINK, libc::NETLINK_PKTINFO) => {
                        sender.group = data.cast::<u32>().read_unaligned();
                    }
                    (libc::SOL_NETLINK, libc::NETLINK_LISTEN_ALL_NSID) => {
                        sender.nsid = Some(data.cast::<i32>().read_unaligned());
                    }
                    _ => {}
                }
                header = libc::CMSG_NXTHDR(&raw const message, header);
            }
        }
        Ok(Received { length, sender })
    }

    /// A handle that ends the waiting of this socket from another thread.
    ///
    /// A socket with such a handle waits in `poll`, which costs a second system call whenever it waits.
    pub fn stop_handle(&mut self) -> Result<Stop> {
        if let Some(stop) = &self.stop {
            return Ok(Stop(stop.clone()));
        }
        // SAFETY: no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(Error::last("eventfd"));
        }
        // SAFETY: `eventfd` just returned it, so it is open and nobody else's.
        let stop = Arc::new(unsafe { OwnedFd::from_raw_fd(fd) });
        self.stop = Some(stop.clone());
        Ok(Stop(stop))
    }

    /// How long a receive waits; `None` is for ever.
    fn receive_timeout(&self) -> Result<Option<Duration>> {
        // SAFETY: all zeros is a valid timeval.
        let mut time: libc::timeval = unsafe { mem::zeroed() };
        let mut length = size_of_u32::<libc::timeval>();
        // SAFETY: the pointers are those of `time` and its length.
        let done = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVTIMEO,
                (&raw mut time).cast(),
                &raw mut length,
            )
        };
        if done < 0 {
            return Err(Error::last("getsockopt(SO_RCVTIMEO)"));
        }
        let seconds = Duration::from_secs(time.tv_sec.try_into().unwrap_or_default());
        let time = seconds + Duration::from_micros(time.tv_usec.try_into().unwrap_or_default());
        Ok((!time.is_zero()).then_some(time))
    }
}

/// Whether the program runs with more rights than whoever started it, as a set-uid one.
pub(crate) fn has_raised_privileges() -> bool {
    // SAFETY: no pointers.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Registers a socket with the reactor of the running tokio.
#[cfg(feature = "tokio")]
pub(crate) fn register(socket: Socket) -> std::io::Result<tokio::io::unix::AsyncFd<Socket>> {
    // SAFETY: a `Socket` owns its descriptor, gives out the same one as long as it lives, and closes it only
    // when it is dropped, which `AsyncFd` does after deregistering it. Nothing takes it out of the `AsyncFd`.
    let registered = unsafe { tokio::io::unix::AsyncFd::register(socket) };
    registered.map_err(|error| error.into_parts().1)
}

/// The last group that the sender's address tells, as a bit of a mask.
const MASKED: u32 = 32;

/// The group of a mask with one bit.
const fn first_bit(mask: u32) -> u32 {
    if mask == 0 { 0 } else { mask.trailing_zeros() + 1 }
}

impl TryFrom<OwnedFd> for Socket {
    type Error = Error;

    /// Takes over a netlink socket, from a parent process or another library, and binds one that has no port yet.
    /// Whoever else uses it takes answers away.
    fn try_from(fd: OwnedFd) -> Result<Self> {
        let mut own = local_address(&fd)?;
        if i32::from(own.nl_family) != libc::AF_NETLINK {
            return Err(Error::system("not a netlink socket", Errno::EAFNOSUPPORT));
        }
        if own.nl_pid == 0 {
            bind(&fd, 0)?;
            own = local_address(&fd)?;
        }
        // SAFETY: no pointers.
        let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
        let socket = Self {
            fd,
            port: own.nl_pid,
            nonblocking: flags >= 0 && flags & libc::O_NONBLOCK != 0,
            ancillary: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            stop: None,
            #[cfg(any(test, feature = "testkit"))]
            script: None,
        };
        let on = |switch| socket.get(switch).unwrap_or(false);
        let ancillary = on(Switch::PACKET_INFO) || on(Switch::LISTEN_ALL_NSID);
        let silent = on(Switch::NO_ENOBUFS);
        socket.ancillary.store(ancillary, Ordering::Relaxed);
        socket.silent.store(silent, Ordering::Relaxed);
        Ok(socket)
    }
}

fn local_address(fd: &OwnedFd) -> Result<libc::sockaddr_nl> {
    let mut address = address(0, 0);
    let mut length = size_of_u32::<libc::sockaddr_nl>();
    // SAFETY: the pointers are those of `address` and its length.
    let done = unsafe { libc::getsockname(fd.as_raw_fd(), (&raw mut address).cast(), &raw mut length) };
    if done < 0 { Err(Error::last("getsockname")) } else { Ok(address) }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> Self {
        socket.fd
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

#[cfg(test)]
mod tests;
