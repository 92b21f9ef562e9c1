//! Netlink without a library: bytes over a libc socket. It prepares the work of the contenders, checks their
//! results, and is used for the floor.

use std::io::{Error, Result};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::time::Duration;

pub const RTM_NEWLINK: u16 = 16;
pub const RTM_DELLINK: u16 = 17;
pub const RTM_GETLINK: u16 = 18;
pub const RTM_NEWADDR: u16 = 20;
pub const RTM_NEWROUTE: u16 = 24;
pub const RTM_GETROUTE: u16 = 26;
pub const SOCK_DIAG_BY_FAMILY: u16 = 20;
pub const TCPF_ESTABLISHED: u32 = 1 << 1;

pub const NLM_F_REQUEST: u16 = 0x1;
pub const NLM_F_ACK: u16 = 0x4;
pub const NLM_F_EXCL: u16 = 0x200;
pub const NLM_F_CREATE: u16 = 0x400;
pub const NLM_F_DUMP: u16 = 0x300;

pub const NLMSG_ERROR: u16 = 2;
pub const NLMSG_DONE: u16 = 3;

pub const RTNLGRP_IPV4_ROUTE: u32 = 7;

pub const RTA_DST: u16 = 1;
pub const RTA_OIF: u16 = 4;
pub const RTA_GATEWAY: u16 = 5;
pub const RTA_TABLE: u16 = 15;

pub const IPCTNL_MSG_CT_NEW: u16 = 1 << 8;
pub const IPCTNL_MSG_CT_GET: u16 = 1 << 8 | 1;

pub const IFLA_IFNAME: u16 = 3;
pub const IFLA_LINKINFO: u16 = 18;
pub const IFLA_GROUP: u16 = 27;
pub const IFLA_EXT_MASK: u16 = 29;
pub const IFLA_INFO_KIND: u16 = 1;
pub const IFLA_INFO_DATA: u16 = 2;
pub const VETH_INFO_PEER: u16 = 1;

/// Larger than any datagram of a dump.
pub const BUFFER: usize = 32 * 1024;
/// Number of messages per send, far below the default send buffer.
pub const BATCH: usize = 1000;

pub const fn align(len: usize) -> usize {
    (len + 3) & !3
}

pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// One or more messages to send.
#[derive(Default)]
pub struct Message {
    pub bytes: Vec<u8>,
    start: usize,
}

impl Message {
    pub fn new(kind: u16, flags: u16, seq: u32, fixed: &[u8]) -> Message {
        let mut message = Message::default();
        message.begin(kind, flags, seq, fixed);
        message
    }

    /// Begins a message after the existing content.
    pub fn begin(&mut self, kind: u16, flags: u16, seq: u32, fixed: &[u8]) {
        self.start = self.bytes.len();
        self.bytes.extend_from_slice(&0u32.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        self.bytes.extend_from_slice(&seq.to_ne_bytes());
        self.bytes.extend_from_slice(&0u32.to_ne_bytes());
        self.bytes.extend_from_slice(fixed);
        self.close();
    }

    pub fn put(&mut self, kind: u16, value: &[u8]) -> &mut Message {
        let len = 4 + value.len() as u16;
        self.bytes.extend_from_slice(&len.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.close();
        self
    }

    pub fn nest(&mut self, kind: u16, inside: impl FnOnce(&mut Message)) -> &mut Message {
        let at = self.bytes.len();
        self.put(kind, &[]);
        inside(self);
        let len = (self.bytes.len() - at) as u16;
        self.bytes[at..at + 2].copy_from_slice(&len.to_ne_bytes());
        self
    }

    /// Pads the last message and sets its length.
    fn close(&mut self) {
        self.bytes.resize(align(self.bytes.len()), 0);
        let len = (self.bytes.len() - self.start) as u32;
        self.bytes[self.start..self.start + 4].copy_from_slice(&len.to_ne_bytes());
    }
}

/// Walks the messages of a datagram: type, sequence number, payload.
pub fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, u32, &[u8])> {
    std::iter::from_fn(move || {
        if bytes.len() < 16 {
            return None;
        }
        let len = u32_at(bytes, 0) as usize;
        if len < 16 || len > bytes.len() {
            return None;
        }
        let whole = &bytes[..len];
        bytes = &bytes[align(len).min(bytes.len())..];
        Some((u16_at(whole, 4), u32_at(whole, 8), &whole[16..]))
    })
}

/// Walks attributes: type without its flags, value.
pub fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        if bytes.len() < 4 {
            return None;
        }
        let len = u16_at(bytes, 0) as usize;
        if len < 4 || len > bytes.len() {
            return None;
        }
        let kind = u16_at(bytes, 2) & 0x3fff;
        let value = &bytes[4..len];
        bytes = &bytes[align(len).min(bytes.len())..];
        Some((kind, value))
    })
}

/// A blocking netlink socket.
pub struct Socket {
    fd: i32,
}

impl Socket {
    /// A socket for routes and links.
    pub fn open() -> Result<Socket> {
        Socket::of(libc::NETLINK_ROUTE)
    }

    pub fn of(protocol: i32) -> Result<Socket> {
        // SAFETY: no pointers involved.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol) };
        if fd < 0 {
            return Err(Error::last_os_error());
        }
        let socket = Socket { fd };
        // SAFETY: `address` is a valid sockaddr_nl, its size is passed along.
        let bound = unsafe {
            let mut address: libc::sockaddr_nl = std::mem::zeroed();
            address.nl_family = libc::AF_NETLINK as u16;
            libc::bind(fd, (&raw const address).cast(), size_of::<libc::sockaddr_nl>() as u32)
        };
        if bound < 0 {
            return Err(Error::last_os_error());
        }
        Ok(socket)
    }

    pub fn option<T>(&self, level: i32, name: i32, value: &T) -> Result<()> {
        set_option(self.fd, level, name, value)
    }

    /// Makes [`Socket::receive`] fail with EAGAIN after this time.
    pub fn timeout(&self, after: Duration) -> Result<()> {
        receive_timeout(self.fd, after)
    }

    pub fn join(&self, group: u32) -> Result<()> {
        self.option(libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, &group)
    }

    pub fn send(&self, bytes: &[u8]) -> Result<()> {
        // SAFETY: the pointer and the length are those of `bytes`.
        let sent = unsafe { libc::send(self.fd, bytes.as_ptr().cast(), bytes.len(), 0) };
        match sent {
            sent if sent < 0 => Err(Error::last_os_error()),
            sent if sent as usize != bytes.len() => Err(Error::other("short send")),
            _ => Ok(()),
        }
    }

    /// One datagram.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
        // SAFETY: the pointer and the length are those of `buffer`.
        let got = unsafe { libc::recv(self.fd, buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_TRUNC) };
        match got {
            got if got < 0 => Err(Error::last_os_error()),
            got if got as usize > buffer.len() => Err(Error::other("datagram cut short")),
            got => Ok(got as usize),
        }
    }

    /// Sends messages of which only the one with the number `last` asks for an acknowledgement, and reads
    /// until it arrives. An error reply is an error.
    pub fn exchange(&self, bytes: &[u8], last: u32, buffer: &mut [u8]) -> Result<()> {
        self.send(bytes)?;
        let mut outcome = Ok(());
        loop {
            let got = self.receive(buffer)?;
            for (kind, seq, payload) in messages(&buffer[..got]) {
                if kind != NLMSG_ERROR {
                    continue;
                }
                let code = u32_at(payload, 0) as i32;
                if code != 0 && outcome.is_ok() {
                    outcome = Err(Error::from_raw_os_error(-code));
                }
                if seq == last {
                    return outcome;
                }
            }
        }
    }

    /// A whole dump; each message is passed to `each`.
    pub fn dump(&self, request: &[u8], buffer: &mut [u8], mut each: impl FnMut(&[u8])) -> Result<()> {
        self.send(request)?;
        loop {
            let got = self.receive(buffer)?;
            for (kind, _, payload) in messages(&buffer[..got]) {
                match kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => {
                        return Err(Error::from_raw_os_error(-(u32_at(payload, 0) as i32)));
                    }
                    _ => each(payload),
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours.
        unsafe { libc::close(self.fd) };
    }
}

pub fn set_option<T>(fd: i32, level: i32, name: i32, value: &T) -> Result<()> {
    // SAFETY: the pointer and the length are those of `value`.
    let set =
        unsafe { libc::setsockopt(fd, level, name, std::ptr::from_ref(value).cast(), size_of::<T>() as u32) };
    if set < 0 {
        return Err(Error::last_os_error());
    }
    Ok(())
}

/// Makes blocking receives on any descriptor fail with EAGAIN after this time.
pub fn receive_timeout(fd: i32, after: Duration) -> Result<()> {
    let time = libc::timeval {
        tv_sec: after.as_secs() as libc::time_t,
        tv_usec: after.subsec_micros() as libc::suseconds_t,
    };
    set_option(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &time)
}

/// The number of the next descriptor that is opened.
pub fn next_descriptor() -> Result<i32> {
    Ok(std::fs::File::open("/dev/null")?.as_raw_fd())
}

/// `struct rtmsg` of an IPv4 route: main table, static, link scope, unicast.
pub const fn rtmsg(prefix: u8) -> [u8; 12] {
    [libc::AF_INET as u8, prefix, 0, 0, 254, 4, 253, 1, 0, 0, 0, 0]
}

/// `struct ifinfomsg`
pub fn ifinfomsg(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut fixed = [0; 16];
    fixed[4..8].copy_from_slice(&index.to_ne_bytes());
    fixed[8..12].copy_from_slice(&flags.to_ne_bytes());
    fixed[12..16].copy_from_slice(&change.to_ne_bytes());
    fixed
}

/// The request for all IPv4 routes.
pub fn get_routes(seq: u32) -> Vec<u8> {
    let mut fixed = [0; 12];
    fixed[0] = libc::AF_INET as u8;
    Message::new(RTM_GETROUTE, NLM_F_DUMP, seq, &fixed).bytes
}

/// The request for all links.
///
/// With a mask, like that of `ip`: without it the kernel does not compute the size of links, and a list can
/// end early.
pub fn get_links(seq: u32) -> Vec<u8> {
    const RTEXT_FILTER_MRP: u32 = 16;
    let mut message = Message::new(RTM_GETLINK, NLM_F_DUMP, seq, &ifinfomsg(0, 0, 0));
    message.put(IFLA_EXT_MASK, &RTEXT_FILTER_MRP.to_ne_bytes());
    message.bytes
}

/// The request for all connected TCP sockets of IPv4, without extensions.
pub fn get_sockets(seq: u32) -> Vec<u8> {
    let mut fixed = [0; 56];
    fixed[0] = libc::AF_INET as u8;
    fixed[1] = libc::IPPROTO_TCP as u8;
    fixed[4..8].copy_from_slice(&TCPF_ESTABLISHED.to_ne_bytes());
    fixed[48..].fill(0xff);
    Message::new(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, seq, &fixed).bytes
}

/// The address of route number `n`: 11.0.0.0 and up.
pub const fn destination(n: u64) -> u32 {
    (11 << 24) + n as u32
}

/// Adds `count` routes, a thousand per send.
pub fn add_routes(count: u64, oif: u32) -> Result<()> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let mut batch = Message::default();
    let mut n = 0;
    while n < count {
        let end = (n + BATCH as u64).min(count);
        batch.bytes.clear();
        while n < end {
            n += 1;
            let ack = if n == end { NLM_F_ACK } else { 0 };
            let flags = NLM_F_CREATE | NLM_F_EXCL | ack;
            batch.begin(RTM_NEWROUTE, flags, n as u32, &rtmsg(32));
            batch.put(RTA_DST, &destination(n - 1).to_be_bytes());
            batch.put(RTA_OIF, &oif.to_ne_bytes());
        }
        socket.exchange(&batch.bytes, n as u32, &mut buffer)?;
    }
    Ok(())
}

/// Adds the routes with these numbers, one acknowledged request at a time.
pub fn add_routes_singly(numbers: Range<u64>, oif: u32) -> Result<()> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; 4096];
    let flags = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    let mut request = Message::new(RTM_NEWROUTE, flags, 0, &rtmsg(32));
    request.put(RTA_DST, &[0; 4]);
    request.put(RTA_OIF, &oif.to_ne_bytes());
    for n in numbers {
        let seq = n as u32 + 1;
        request.bytes[8..12].copy_from_slice(&seq.to_ne_bytes());
        request.bytes[32..36].copy_from_slice(&destination(n).to_be_bytes());
        socket.exchange(&request.bytes, seq, &mut buffer)?;
    }
    Ok(())
}

/// Creates the ifb links i0, i1, ...
pub fn add_ifbs(count: u64, group: u32) -> Result<()> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let mut batch = Message::default();
    let mut n = 0;
    while n < count {
        let end = (n + 200).min(count);
        batch.bytes.clear();
        while n < end {
            let name = format!("i{n}\0");
            n += 1;
            let ack = if n == end { NLM_F_ACK } else { 0 };
            let flags = NLM_F_CREATE | NLM_F_EXCL | ack;
            batch.begin(RTM_NEWLINK, flags, n as u32, &ifinfomsg(0, 0, 0));
            batch.put(IFLA_IFNAME, name.as_bytes());
            batch.put(IFLA_GROUP, &group.to_ne_bytes());
            batch.nest(IFLA_LINKINFO, |info| {
                info.put(IFLA_INFO_KIND, b"ifb");
            });
        }
        socket.exchange(&batch.bytes, n as u32, &mut buffer)?;
    }
    Ok(())
}

/// `struct nfgenmsg` of IPv4.
pub const NFGENMSG: [u8; 4] = [libc::AF_INET as u8, 0, 0, 0];

/// The request for all IPv4 connections.
pub fn get_connections(seq: u32) -> Vec<u8> {
    Message::new(IPCTNL_MSG_CT_GET, NLM_F_DUMP, seq, &NFGENMSG).bytes
}

/// Makes `count` established TCP connections, from [`destination`] to 12.0.0.1.
pub fn add_connections(count: u64) -> Result<()> {
    const NESTED: u16 = 1 << 15;
    const FLAGS: u16 = NLM_F_CREATE | NLM_F_EXCL;
    let socket = Socket::of(libc::NETLINK_NETFILTER)?;
    let mut buffer = vec![0; BUFFER];
    let mut batch = Message::default();
    let mut n = 0;
    while n < count {
        let end = (n + 500).min(count);
        batch.bytes.clear();
        while n < end {
            let (client, server) = (destination(n), 12 << 24 | 1);
            n += 1;
            let ack = if n == end { NLM_F_ACK } else { 0 };
            batch.begin(IPCTNL_MSG_CT_NEW, FLAGS | ack, n as u32, &NFGENMSG);
            let ends = [(client, server, 1000u16, 80u16), (server, client, 80, 1000)];
            for (kind, (src, dst, sport, dport)) in (1..).zip(ends) {
                batch.nest(kind | NESTED, |tuple| {
                    tuple.nest(1 | NESTED, |ip| {
                        ip.put(1, &u32::to_be_bytes(src)).put(2, &u32::to_be_bytes(dst));
                    });
                    tuple.nest(2 | NESTED, |proto| {
                        proto.put(1, &[6]).put(2, &sport.to_be_bytes()).put(3, &dport.to_be_bytes());
                    });
                });
            }
            // Confirmed, answered, assured; an hour; established.
            batch
                .put(3, &14u32.to_be_bytes())
                .put(7, &3600u32.to_be_bytes())
                .put(8, &(n as u32).to_be_bytes());
            batch.nest(4 | NESTED, |info| {
                info.nest(1 | NESTED, |tcp| {
                    tcp.put(1, &[3]);
                });
            });
        }
        socket.exchange(&batch.bytes, n as u32, &mut buffer)?;
    }
    Ok(())
}

/// The sum of each contender for a connection: the client's address and the mark.
pub const fn connection_sum(client: u32, mark: u32) -> u64 {
    (client as u64).wrapping_add(mark as u64)
}

/// The sum of each contender for a route.
pub const fn route_sum(destination: u32, oif: u32, table: u32) -> u64 {
    (destination as u64).wrapping_add(oif as u64).wrapping_add(table as u64)
}

/// The checksum of all IPv4 routes.
pub fn routes_checksum() -> Result<u64> {
    let mut sum = 0u64;
    let mut buffer = vec![0; BUFFER];
    Socket::open()?.dump(&get_routes(1), &mut buffer, |payload| {
        let (mut destination, mut oif, mut table) = (0, 0, u32::from(payload[4]));
        for (kind, value) in attributes(&payload[12..]) {
            match kind {
                RTA_DST => destination = u32_at(value, 0).to_be(),
                RTA_OIF => oif = u32_at(value, 0),
                RTA_TABLE => table = u32_at(value, 0),
                _ => {}
            }
        }
        sum = sum.wrapping_add(route_sum(destination, oif, table));
    })?;
    Ok(sum)
}

/// The sum of the indexes of all links.
pub fn links_checksum() -> Result<u64> {
    let mut sum = 0;
    let mut buffer = vec![0; BUFFER];
    Socket::open()?.dump(&get_links(1), &mut buffer, |payload| {
        sum += u64::from(u32_at(payload, 4));
    })?;
    Ok(sum)
}

/// The index of a link, by its name.
pub fn link_index(name: &str) -> Result<u32> {
    let mut index = None;
    let mut buffer = vec![0; BUFFER];
    Socket::open()?.dump(&get_links(1), &mut buffer, |payload| {
        for (kind, value) in attributes(&payload[16..]) {
            if kind == IFLA_IFNAME && value.strip_suffix(b"\0") == Some(name.as_bytes()) {
                index = Some(u32_at(payload, 4));
            }
        }
    })?;
    index.ok_or_else(|| Error::other(format!("no link called {name}")))
}
