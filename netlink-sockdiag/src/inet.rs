//! TCP, UDP, UDP-Lite, raw, SCTP and MPTCP sockets. Kernel side: `uapi/linux/inet_diag.h`, `net/ipv4/inet_diag.c`, and
//! `tcp_diag.c`, `udp_diag.c`, `raw_diag.c`, `net/sctp/diag.c`, `net/mptcp/mptcp_diag.c`.
//!
//! ```
//! use netlink_sockdiag::inet::{self, Extension, Filter, IpProtocol};
//! use netlink_sockdiag::{Family, State};
//!
//! // What `ss -ti state established dport = :443` asks.
//! let to_servers = inet::list(Family::INET, IpProtocol::TCP)
//!     .states(State::ESTABLISHED)
//!     .extensions(Extension::INFO | Extension::CONG)
//!     .filter(&Filter::dest_port(443));
//! let one = inet::get(IpProtocol::TCP, "10.0.0.1:4242".parse()?, "192.0.2.1:443".parse()?);
//! let closed_by_us = inet::destroy(IpProtocol::TCP, "10.0.0.1:4242".parse()?, "192.0.2.1:443".parse()?);
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! The kernel says nothing of a socket's protocol but for raw sockets and in events: it is that of the query.

mod congestion;
mod filter;
mod info;
mod options;
mod sctp;
mod storage;
mod tcp_info;
mod ulp;

use core::fmt;
use core::net::SocketAddr;

use netlink_core::{
    Array, Be, Dump, MessageFlags, MessageInfo, Str, Unsendable, attrs, layout, message, values,
};

pub use congestion::{BbrInfo, DctcpInfo, VegasInfo};
pub use filter::{Bytecode, Filter, Instruction, Prefix, PrefixError, Step};
pub use info::{Info, MptcpInfo, MptcpInfoFlags};
pub use options::{Md5Key, SocketOptions};
pub use sctp::{SctpInfo, SockAddr};
pub use storage::{BpfStorage, BpfStorages};
pub use storage::{BpfStorageAttrs, BpfStorageQuery, BpfStorageQueryAttrs, BpfStoragesAttrs};
pub use tcp_info::{CongestionState, EcnMode, TcpInfo, TcpOptions};
pub use ulp::{Subflow, SubflowAttrs, SubflowFlags, Tls, TlsAttrs, TlsCipher, TlsConf, TlsVersion};
pub use ulp::{Ulp, UlpAttrs};

use crate::common::set_of;
use crate::{Cookie, Family, Memory, Shutdown, State, States, WireIp};

values! {
    /// `IPPROTO_*`: protocols over IP.
    pub struct IpProtocol: u32 {
        /// ICMP.
        1 IPPROTO_ICMP ICMP "icmp",
        /// TCP.
        6 IPPROTO_TCP TCP "tcp",
        /// UDP.
        17 IPPROTO_UDP UDP "udp",
        /// DCCP. Until Linux 6.15.
        33 IPPROTO_DCCP DCCP "dccp",
        /// ICMPv6.
        58 IPPROTO_ICMPV6 ICMPV6 "icmp6",
        /// SCTP.
        132 IPPROTO_SCTP SCTP "sctp",
        /// UDP-Lite.
        136 IPPROTO_UDPLITE UDPLITE "udplite",
        /// In queries: raw sockets, of whatever protocol.
        255 IPPROTO_RAW RAW "raw",
        /// Multipath TCP. Linux 5.9.
        262 IPPROTO_MPTCP MPTCP "mptcp",
    }
}

values! {
    /// `IDIAG_TIMER_*`: the timer that runs for a TCP socket.
    pub struct Timer: u8 {
        /// None.
        0 IDIAG_TIMER_OFF OFF "off",
        /// Retransmission, or a probe for the tail of what was lost.
        1 IDIAG_TIMER_ON ON "on",
        /// Keepalive.
        2 IDIAG_TIMER_KEEPALIVE KEEPALIVE "keepalive",
        /// The end of `TIME-WAIT`.
        3 IDIAG_TIMER_TIMEWAIT TIMEWAIT "timewait",
        /// A probe of a closed window.
        4 IDIAG_TIMER_PROBE0 PROBE0 "persist",
        /// A delayed acknowledgement.
        5 IDIAG_TIMER_DELACK DELACK "delack",
    }
}

values! {
    /// `INET_DIAG_*`: what can be asked of a socket besides its fixed header.
    pub struct Extension: u16 {
        /// [`meminfo`](InetAttrs::meminfo).
        1 INET_DIAG_MEMINFO MEMINFO "meminfo",
        /// [`info`](InetAttrs::info), and for administrators [`md5_keys`](InetAttrs::md5_keys) and
        /// [`ulp`](InetAttrs::ulp).
        2 INET_DIAG_INFO INFO "info",
        /// What the congestion control tells: [`vegas`](InetAttrs::vegas), [`dctcp`](InetAttrs::dctcp) or
        /// [`bbr`](InetAttrs::bbr).
        3 INET_DIAG_VEGASINFO CONGESTION_INFO "vegasinfo",
        /// [`congestion`](InetAttrs::congestion).
        4 INET_DIAG_CONG CONG "cong",
        /// [`tos`](InetAttrs::tos).
        5 INET_DIAG_TOS TOS "tos",
        /// [`tclass`](InetAttrs::tclass), and [`class_id`](InetAttrs::class_id).
        6 INET_DIAG_TCLASS TCLASS "tclass",
        /// [`memory`](InetAttrs::memory).
        7 INET_DIAG_SKMEMINFO MEMORY "skmeminfo",
        /// [`shutdown`](InetAttrs::shutdown), which comes unasked too.
        8 INET_DIAG_SHUTDOWN SHUTDOWN "shutdown",
    }
}

set_of! {
    /// A set of extensions: what a query asks of each socket.
    Extensions: u8 of Extension from 1
}

layout! {
    /// `struct inet_diag_sockid`: what tells a socket from others.
    pub struct SocketId: inet_diag_sockid = 48 {
        /// Our port; the protocol of raw sockets.
        source_port: Be<u16>,
        /// The peer's port.
        dest_port: Be<u16>,
        /// Our address: the first four bytes in IPv4.
        source: WireIp,
        /// The peer's address, likewise.
        dest: WireIp,
        /// The link it is bound to; 0 is none.
        interface: u32,
        /// Its cookie.
        cookie: Cookie,
    }
}

impl SocketId {
    /// From our address and the peer's; the rest is open.
    fn between(local: SocketAddr, remote: SocketAddr) -> Self {
        Self::default()
            .source_port(local.port())
            .dest_port(remote.port())
            .source(local.ip())
            .dest(remote.ip())
    }
}

layout! {
    /// `struct inet_diag_req_v2`: a query.
    pub struct InetQueryHeader: inet_diag_req_v2 = 56 {
        /// IPv4 or IPv6.
        family: Family,
        /// The protocol, below 256.
        protocol: u8,
        /// What is asked of each socket.
        extensions: Extensions,
        /// Of a single raw socket: its protocol.
        raw_protocol: u8,
        /// Sockets in these states.
        states: States,
        /// In a list only the ports count, and only those that are not 0.
        id: SocketId,
    }
}

layout! {
    /// `struct inet_diag_msg`: what is known of every socket.
    pub struct InetHeader: inet_diag_msg = 72 {
        /// IPv4 or IPv6.
        family: Family,
        /// Its state. Of an SCTP association it is a number of SCTP's own: 3 is established.
        state: State,
        /// The timer that runs. SCTP has a number of its own for retransmission: 3.
        timer: Timer,
        /// How often the timer ran out: retransmissions, or probes without an answer.
        retransmits: u8,
        /// What tells it from others.
        id: SocketId,
        /// Milliseconds until the timer runs out.
        expires: u32,
        /// Bytes received and not read; of a TCP listener, connections that wait to be accepted.
        receive_queue: u32,
        /// Bytes sent and not acknowledged; of a TCP listener, connections that may wait.
        send_queue: u32,
        /// Who made it. 0 where there is no file any more.
        uid: u32,
        /// Inode of its file; 0 where there is none any more.
        inode: u32,
    }
}

layout! {
    /// `struct inet_diag_meminfo`.
    pub struct MemoryInfo: inet_diag_meminfo = 16 {
        /// Bytes of packets received and not yet read, with their overhead.
        receive: u32,
        /// Bytes written and not yet acknowledged, with their overhead.
        queued: u32,
        /// Bytes charged to the protocol in advance and not used yet.
        forward: u32,
        /// Bytes of packets given to the link layer and not yet sent, with their overhead.
        transmit: u32,
    }
}

attrs! {
    /// `INET_DIAG_REQ_*`.
    pub struct InetQueryAttrs<'a> for InetRequest<R> {
        /// Which sockets, as bytecode; see [`InetRequest::filter`].
        1 INET_DIAG_REQ_BYTECODE bytecode: Bytecode<'a>,
        /// Tell what BPF programs keep in socket storage: of these maps, of all if none is named. Needs `CAP_BPF`.
        /// Linux 5.7.
        2 INET_DIAG_REQ_SK_BPF_STORAGES bpf_storages: BpfStorageQueryAttrs<'a>,
        /// The protocol, in place of the fixed header's byte. Linux 5.9.
        3 INET_DIAG_REQ_PROTOCOL protocol: IpProtocol,
    }
}

message! {
    /// A query of sockets.
    pub struct InetQuery<'a>(InetQueryHeader, InetQueryAttrs<'a>), InetRequest {
        /// Asks for one or all.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY,
        /// Closes one. Linux 4.5.
        21 SOCK_DESTROY DESTROY,
    }
    about subject
}

/// `tcp 10.0.0.1:4242 192.0.2.1:443`: what errors call a socket.
fn subject(query: &InetQuery<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let InetQueryHeader { family, protocol, id, .. } = query.header();
    let address = |address: WireIp, port: Be<u16>| SocketAddr::new(address.ip(family), port.0);
    write!(f, "{}", query.protocol().unwrap_or_else(|| IpProtocol(protocol.into())))?;
    write!(f, " {} {}", address(id.source, id.source_port), address(id.dest, id.dest_port))
}

const ASK: MessageInfo = MessageInfo { siblings: || &[InetSocket::MESSAGES], ..InetQuery::BY_FAMILY };

attrs! {
    /// `INET_DIAG_*`.
    pub struct InetAttrs<'a> for InetReply<R> {
        /// Memory, the short form.
        1 INET_DIAG_MEMINFO meminfo: MemoryInfo,
        /// What the protocol knows of its connection.
        2 INET_DIAG_INFO info: Info<'a>,
        /// State of the congestion controls vegas, illinois, westwood and others with like numbers.
        3 INET_DIAG_VEGASINFO vegas: VegasInfo,
        /// Name of the congestion control.
        4 INET_DIAG_CONG congestion: Str<'a, 15>,
        /// `IP_TOS`.
        5 INET_DIAG_TOS tos: u8,
        /// `IPV6_TCLASS`.
        6 INET_DIAG_TCLASS tclass: u8,
        /// Memory.
        7 INET_DIAG_SKMEMINFO memory: Memory<'a>,
        /// Which directions are shut down.
        8 INET_DIAG_SHUTDOWN shutdown: Shutdown,
        /// State of the congestion control dctcp.
        9 INET_DIAG_DCTCPINFO dctcp: DctcpInfo,
        /// The protocol, of raw sockets and in events.
        10 INET_DIAG_PROTOCOL protocol: u8,
        /// `IPV6_V6ONLY`, of sockets that listen or are not connected.
        11 INET_DIAG_SKV6ONLY v6_only: bool,
        /// Our addresses. SCTP.
        12 INET_DIAG_LOCALS locals: Array<'a, SockAddr>,
        /// The peer's addresses. SCTP.
        13 INET_DIAG_PEERS peers: Array<'a, SockAddr>,
        /// `SO_MARK`. Needs `CAP_NET_ADMIN`.
        15 INET_DIAG_MARK mark: u32,
        /// State of the congestion control bbr.
        16 INET_DIAG_BBRINFO bbr: BbrInfo,
        /// Class of the cgroup v1 controller `net_cls`, else the priority `SO_PRIORITY`.
        17 INET_DIAG_CLASS_ID class_id: u32,
        /// Keys of TCP MD5 signatures. Needs `CAP_NET_ADMIN`, and [`Extension::INFO`].
        18 INET_DIAG_MD5SIG md5_keys: Array<'a, Md5Key>,
        /// The protocol that sits on top of TCP in the kernel. Needs [`Extension::INFO`]; all but its name needs
        /// `CAP_NET_ADMIN`. Linux 5.4.
        19 INET_DIAG_ULP_INFO ulp: UlpAttrs<'a>,
        /// What BPF programs keep in socket storage; see [`InetRequest::bpf_storages`]. Linux 5.7.
        20 INET_DIAG_SK_BPF_STORAGES bpf_storages: BpfStoragesAttrs<'a>,
        /// Id of its cgroup: the inode of the directory in cgroup v2. Linux 5.8.
        21 INET_DIAG_CGROUP_ID cgroup_id: u64,
        /// Socket options that are on or off. Linux 5.10.
        22 INET_DIAG_SOCKOPT options: SocketOptions,
    }
}

message! {
    /// A socket.
    pub struct InetSocket<'a>(InetHeader, InetAttrs<'a>), InetReply {
        /// A socket that was asked for, or that was destroyed.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY,
    }
}

impl InetSocket<'_> {
    /// IPv4 or IPv6.
    #[inline]
    pub fn family(&self) -> Family {
        self.header().family
    }

    /// Its state.
    #[inline]
    pub fn state(&self) -> State {
        self.header().state
    }

    /// Our address and port; unspecified while it is not bound.
    #[inline]
    pub fn source(&self) -> SocketAddr {
        let header = self.header();
        SocketAddr::new(header.id.source.ip(header.family), header.id.source_port.0)
    }

    /// The peer's address and port; unspecified while it is not connected.
    #[inline]
    pub fn dest(&self) -> SocketAddr {
        let header = self.header();
        SocketAddr::new(header.id.dest.ip(header.family), header.id.dest_port.0)
    }

    /// Its cookie.
    #[inline]
    pub fn cookie(&self) -> Cookie {
        self.header().id.cookie
    }
}

/// Close to what `ss` prints: `ESTAB 0 0 10.0.0.1:4242 192.0.2.1:443`.
impl fmt::Display for InetSocket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header();
        write!(f, "{} {} {}", header.state, header.receive_queue, header.send_queue)?;
        write!(f, " {} {}", self.source(), self.dest())
    }
}

fn query<R>(info: &'static MessageInfo, flags: MessageFlags, protocol: IpProtocol) -> InetRequest<R> {
    // 0 where the protocol is longer than a byte: kernels that don't know the attribute then know no protocol
    // either, where its lower byte would be another one.
    let header =
        InetQueryHeader::default().protocol(u8::try_from(protocol.0).unwrap_or_default()).states(States::ALL);
    let request = InetRequest::new(info, flags, header);
    if protocol.0 > 255 { request.protocol(protocol) } else { request }
}

/// Lists sockets of a protocol in all states. An SCTP socket comes without a peer first, then once per association.
///
/// The kernel answers `ENOENT` if it has no module for the protocol (`tcp_diag`, `udp_diag`, ...) and can't load it.
pub fn list(family: Family, protocol: IpProtocol) -> InetRequest<Dump<InetSocket<'static>>> {
    query(&ASK, MessageFlags::DUMP, protocol).header(|header| header.family = family)
}

/// Asks for the socket between two addresses; `ENOENT` if there is none.
///
/// The kernel looks as it would for a packet from the peer: a listener answers for its address, and one of the
/// unspecified address for all, whatever the peer. One that is bound to a link is found with
/// [`interface`](InetRequest::interface) only, raw ones with [`raw_protocol`](InetRequest::raw_protocol), MPTCP ones
/// only with [`get_mptcp`].
pub fn get(protocol: IpProtocol, local: SocketAddr, remote: SocketAddr) -> InetRequest<InetSocket<'static>> {
    // The kernel takes the two of UDP the other way round.
    let is_udp = matches!(protocol, IpProtocol::UDP | IpProtocol::UDPLITE);
    let (source, dest) = if is_udp { (remote, local) } else { (local, remote) };
    query(&ASK, MessageFlags::empty(), protocol).between(source, dest)
}

/// Asks for the MPTCP socket with this token, see [`MptcpInfo::token`]; `ENOENT` if there is none.
pub fn get_mptcp(family: Family, token: u32) -> InetRequest<InetSocket<'static>> {
    query(&ASK, MessageFlags::empty(), IpProtocol::MPTCP).header(|header| {
        header.family = family;
        header.id.cookie = Cookie(token.into());
    })
}

/// Closes the socket between two addresses, whoever has it: calls on it fail with `ECONNABORTED`, and a TCP peer gets a
/// reset. Found as with [`get`]; `ENOENT` if there is none.
///
/// Needs `CAP_NET_ADMIN`, and a kernel built with `CONFIG_INET_DIAG_DESTROY`, else `EOPNOTSUPP`. TCP, UDP, UDP-Lite and
/// raw sockets. To be sure which one it is, give the [`cookie`](InetRequest::cookie).
pub fn destroy(protocol: IpProtocol, local: SocketAddr, remote: SocketAddr) -> InetRequest<()> {
    query(&InetQuery::DESTROY, MessageFlags::ACK, protocol).between(local, remote)
}

/// Closes a socket that was listed, and no other.
pub fn destroy_listed(protocol: IpProtocol, socket: &InetSocket<'_>) -> InetRequest<()> {
    let found = socket.header();
    query(&InetQuery::DESTROY, MessageFlags::ACK, protocol).header(|header| {
        header.family = found.family;
        header.id = found.id;
    })
}

impl<R> InetRequest<R> {
    fn between(mut self, source: SocketAddr, dest: SocketAddr) -> Self {
        if source.is_ipv4() != dest.is_ipv4() {
            self.0.writer().fail(Unsendable::Value("a socket between IPv4 and IPv6"));
        }
        self.header(|header| {
            header.family = if source.is_ipv4() { Family::INET } else { Family::INET6 };
            header.id = SocketId::between(source, dest);
        })
    }

    /// List sockets in these states only.
    pub fn states(self, states: impl Into<States>) -> Self {
        self.header(|header| header.states = states.into())
    }

    /// Tell these extensions of each socket.
    pub fn extensions(self, extensions: impl Into<Extensions>) -> Self {
        self.header(|header| header.extensions = extensions.into())
    }

    /// List the sockets only for which the filter holds. The kernel evaluates it.
    pub fn filter(mut self, filter: &Filter) -> Self {
        filter.put(self.0.writer());
        self
    }

    /// The link that the socket is bound to.
    pub fn interface(self, index: u32) -> Self {
        self.header(|header| header.id.interface = index)
    }

    /// This very socket.
    pub fn cookie(self, cookie: Cookie) -> Self {
        self.header(|header| header.id.cookie = cookie)
    }

    /// The protocol of a single raw socket. Linux 4.9.
    pub fn raw_protocol(self, protocol: u8) -> Self {
        self.header(|header| header.raw_protocol = protocol)
    }
}
