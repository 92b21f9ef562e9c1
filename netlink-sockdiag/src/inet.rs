//! TCP, UDP, UDP-Lite, raw, SCTP and MPTCP sockets. Kernel side: `uapi/linux/inet_diag.h`, `net/ipv4/inet_diag.c`, and
//! `tcp_diag.c`, `udp_diag.c`, `raw_diag.c`, `net/sctp/diag.c`, `net/mptcp/mptcp_diag.c`.
//!
//! ```
//! use netlink_sockdiag::inet::{self, Extension, Filter, IpProtocol};
//! use netlink_sockdiag::{Family, State};
//!
//! // The query of `ss -ti state established dport = :443`.
//! let to_servers = inet::list(Family::INET, IpProtocol::TCP)
//!     .states(State::ESTABLISHED)
//!     .extensions(Extension::INFO | Extension::CONG)
//!     .filter(&Filter::dest_port(443));
//! let one = inet::get(IpProtocol::TCP, "10.0.0.1:4242".parse()?, "192.0.2.1:443".parse()?);
//! let closed_by_us = inet::destroy(IpProtocol::TCP, "10.0.0.1:4242".parse()?, "192.0.2.1:443".parse()?);
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! The kernel sends the protocol of a socket only for raw sockets and in events. Otherwise it is the protocol
//! of the query.

mod congestion;
mod filter;
mod info;
mod options;
mod sctp;
mod storage;
mod tcp_info;
mod ulp;

use core::fmt;
use core::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use netlink_core::{
    Array, Be, Check, Dump, Message, MessageFlags, MessageInfo, Request, Str, Unsendable, attrs, bits,
    layout, message, narrow, values,
};

pub use congestion::{BbrInfo, DctcpInfo, VegasInfo};
pub use filter::{Bytecode, Filter, Instruction, Step};
pub use info::{Info, MptcpInfo, MptcpInfoFlags};
pub use netlink_core::net::WideIpProtocol as IpProtocol;
pub use options::{Md5Key, SocketOptions};
pub use sctp::{SctpInfo, SockAddr};
pub use storage::{BpfStorage, BpfStorages};
pub use storage::{BpfStorageAttrs, BpfStorageQuery, BpfStorageQueryAttrs, BpfStoragesAttrs};
pub use tcp_info::{CongestionState, EcnMode, TcpInfo, TcpOptions};
pub use ulp::{Subflow, SubflowAttrs, SubflowFlags, Tls, TlsAttrs, TlsCipher, TlsConf, TlsVersion};
pub use ulp::{Ulp, UlpAttrs};

use crate::{Cookie, Family, Memory, Shutdown, State, States, WireIp};

values! {
    /// `IDIAG_TIMER_*`: the active timer of a TCP socket.
    pub struct Timer: u8 {
        /// None.
        0 IDIAG_TIMER_OFF OFF "off",
        /// Retransmission, or a tail loss probe.
        1 IDIAG_TIMER_ON ON "on",
        /// Keepalive.
        2 IDIAG_TIMER_KEEPALIVE KEEPALIVE "keepalive",
        /// The end of `TIME-WAIT`.
        3 IDIAG_TIMER_TIMEWAIT TIMEWAIT "timewait",
        /// Probe of a zero window.
        4 IDIAG_TIMER_PROBE0 PROBE0 "persist",
        /// A delayed acknowledgement.
        5 IDIAG_TIMER_DELACK DELACK "delack",
    }
}

values! {
    /// `INET_DIAG_*`: optional attributes of a socket.
    pub struct Extension: u16 {
        /// [`meminfo`](InetAttrs::meminfo).
        1 INET_DIAG_MEMINFO MEMINFO "meminfo",
        /// [`info`](InetAttrs::info); for administrators also [`md5_keys`](InetAttrs::md5_keys) and
        /// [`ulp`](InetAttrs::ulp).
        2 INET_DIAG_INFO INFO "info",
        /// Data of the congestion control: [`vegas`](InetAttrs::vegas), [`dctcp`](InetAttrs::dctcp) or
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
        /// [`shutdown`](InetAttrs::shutdown), which is always sent.
        8 INET_DIAG_SHUTDOWN SHUTDOWN "shutdown",
    }
}

bits! {
    /// A set of extensions, for queries.
    pub struct Extensions: u8 of Extension from 1, " | ";
}

layout! {
    /// `struct inet_diag_sockid`: identifies a socket.
    pub struct SocketId: inet_diag_sockid = 48 {
        /// Local port. For raw sockets: the protocol.
        source_port: Be<u16>,
        /// Remote port.
        dest_port: Be<u16>,
        /// Local address. An IPv4 address uses the first four bytes.
        source: WireIp,
        /// Remote address. An IPv4 address uses the first four bytes.
        dest: WireIp,
        /// The link that the socket is bound to; 0 is none.
        interface: u32,
        /// Cookie.
        cookie: Cookie,
    }
}

impl SocketId {
    /// With these addresses and ports; all else is open. A link-local address sets the link.
    fn between(local: SocketAddr, remote: SocketAddr) -> Result<Self, Unsendable> {
        let interface = match [local, remote].map(scope) {
            [ours, theirs] if ours != theirs && ours != 0 && theirs != 0 => {
                return Err(Unsendable::Value("addresses of two different links"));
            }
            [0, theirs] => theirs,
            [ours, _] => ours,
        };
        let ports = Self::default().source_port(local.port()).dest_port(remote.port());
        Ok(ports.source(local.ip()).dest(remote.ip()).interface(interface))
    }

    fn addr(&self, family: Family, ip: WireIp, port: Be<u16>) -> SocketAddr {
        match ip.ip(family) {
            IpAddr::V6(ip) if is_link_local(&ip) => SocketAddrV6::new(ip, port.0, 0, self.interface).into(),
            ip => SocketAddr::new(ip, port.0),
        }
    }
}

/// The link of a link-local address; 0 is none.
fn scope(addr: SocketAddr) -> u32 {
    match addr {
        SocketAddr::V6(addr) if is_link_local(addr.ip()) => addr.scope_id(),
        _ => 0,
    }
}

/// Whether an address is valid on one link only: `fe80::/10`, and multicast that does not leave the link.
fn is_link_local(ip: &Ipv6Addr) -> bool {
    let [first, ..] = ip.segments();
    first & 0xffc0 == 0xfe80 || first & 0xff0f == 0xff02
}

layout! {
    /// `struct inet_diag_req_v2`: a query.
    pub struct InetQueryHeader: inet_diag_req_v2 = 56 {
        /// IPv4 or IPv6.
        family: Family,
        /// The protocol, below 256.
        protocol: u8,
        /// Optional attributes to send.
        extensions: Extensions,
        /// To find a raw socket: its protocol.
        raw_protocol: u8,
        /// Sockets in these states.
        states: States,
        /// Identity of the socket. In a list only ports that are not 0 are used.
        id: SocketId,
    }
}

layout! {
    /// `struct inet_diag_msg`: the fixed part of all sockets.
    pub struct InetHeader: inet_diag_msg = 72 {
        /// IPv4 or IPv6.
        family: Family,
        /// State. An SCTP association has numbers of SCTP: 3 is established.
        state: State,
        /// The active timer. SCTP has its own number for retransmission: 3.
        timer: Timer,
        /// How often the timer expired: number of retransmissions or of unanswered probes.
        retransmits: u8,
        /// Identity.
        id: SocketId,
        /// Milliseconds until the timer expires.
        expires: u32,
        /// Bytes received and not read. For a TCP listener: connections that wait to be accepted.
        receive_queue: u32,
        /// Bytes sent and not acknowledged. For a TCP listener: largest number of connections that can wait.
        send_queue: u32,
        /// Owner. 0 if the socket has no file.
        uid: u32,
        /// Inode of its file; 0 if it has none.
        inode: u32,
    }
}

layout! {
    /// `struct inet_diag_meminfo`.
    pub struct MemoryInfo: inet_diag_meminfo = 16 {
        /// Bytes of packets that were received and not yet read, with overhead.
        receive: u32,
        /// Bytes that were written and not yet acknowledged, with overhead.
        queued: u32,
        /// Bytes that were charged to the protocol in advance and not yet used.
        forward: u32,
        /// Bytes of packets that were given to the link layer and not yet sent, with overhead.
        transmit: u32,
    }
}

attrs! {
    /// `INET_DIAG_REQ_*`.
    pub struct InetQueryAttrs<'a> for InetRequest<R> {
        /// A filter as bytecode; see [`ListRequest::filter`].
        1 INET_DIAG_REQ_BYTECODE bytecode: Bytecode<'a>,
        /// Send the socket storage of BPF programs: of these maps, or of all maps if none is named. Needs
        /// `CAP_BPF`. Linux 5.7.
        2 INET_DIAG_REQ_SK_BPF_STORAGES bpf_storages: BpfStorageQueryAttrs<'a>,
        /// The protocol; replaces the byte in the fixed header. Linux 5.9.
        3 INET_DIAG_REQ_PROTOCOL protocol: IpProtocol,
    }
}

message! {
    /// A query of sockets.
    pub struct InetQuery<'a>(InetQueryHeader, InetQueryAttrs<'a>), InetRequest {
        /// Asks for one socket or all.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
        /// Closes a socket. Linux 4.5.
        21 SOCK_DESTROY DESTROY,
    }
    about subject
    on crate::PROTOCOL
}

/// `tcp 10.0.0.1:4242 192.0.2.1:443`: the socket, as errors show it.
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
        /// Memory in short form.
        1 INET_DIAG_MEMINFO meminfo: MemoryInfo,
        /// Connection data of the protocol.
        2 INET_DIAG_INFO info: Info<'a>,
        /// State of the congestion controls vegas, illinois, westwood and others with similar numbers.
        3 INET_DIAG_VEGASINFO vegas: VegasInfo,
        /// Name of the congestion control.
        4 INET_DIAG_CONG congestion: Str<'a, 15>,
        /// `IP_TOS`.
        5 INET_DIAG_TOS tos: u8,
        /// `IPV6_TCLASS`.
        6 INET_DIAG_TCLASS tclass: u8,
        /// Memory.
        7 INET_DIAG_SKMEMINFO memory: Memory<'a>,
        /// Directions that are shut down.
        8 INET_DIAG_SHUTDOWN shutdown: Shutdown,
        /// State of the congestion control dctcp.
        9 INET_DIAG_DCTCPINFO dctcp: DctcpInfo,
        /// The protocol; for raw sockets and in events.
        10 INET_DIAG_PROTOCOL protocol: u8,
        /// `IPV6_V6ONLY`; for sockets that listen or are not connected.
        11 INET_DIAG_SKV6ONLY v6_only: bool,
        /// Local addresses. SCTP.
        12 INET_DIAG_LOCALS locals: Array<'a, SockAddr>,
        /// Remote addresses. SCTP.
        13 INET_DIAG_PEERS peers: Array<'a, SockAddr>,
        /// `SO_MARK`. Needs `CAP_NET_ADMIN`.
        15 INET_DIAG_MARK mark: u32,
        /// State of the congestion control bbr.
        16 INET_DIAG_BBRINFO bbr: BbrInfo,
        /// Class of the cgroup v1 controller `net_cls`, or else the priority `SO_PRIORITY`.
        17 INET_DIAG_CLASS_ID class_id: u32,
        /// Keys of TCP MD5 signatures. Needs `CAP_NET_ADMIN`, and [`Extension::INFO`].
        18 INET_DIAG_MD5SIG md5_keys: Array<'a, Md5Key>,
        /// The protocol on top of TCP in the kernel. Needs [`Extension::INFO`]; all except its name needs
        /// `CAP_NET_ADMIN`. Linux 5.4.
        19 INET_DIAG_ULP_INFO ulp: UlpAttrs<'a>,
        /// Socket storage of BPF programs; see [`ListRequest::bpf_storages`]. Linux 5.7.
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
        /// A requested socket, or a destroyed socket in an event.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    shows |socket| {
        source: Some(socket.source()),
        dest: Some(socket.dest()),
        interface: Some(socket.header().id.interface).filter(|index| *index != 0),
        cookie: Some(socket.cookie());
        id
    }
    on crate::PROTOCOL
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

    /// Local address and port; unspecified while the socket is not bound. The scope of a link-local address
    /// is its link.
    #[inline]
    pub fn source(&self) -> SocketAddr {
        let header = self.header();
        header.id.addr(header.family, header.id.source, header.id.source_port)
    }

    /// Remote address and port; unspecified while the socket is not connected. The scope of a link-local
    /// address is its link.
    #[inline]
    pub fn dest(&self) -> SocketAddr {
        let header = self.header();
        header.id.addr(header.family, header.id.dest, header.id.dest_port)
    }

    /// Cookie.
    #[inline]
    pub fn cookie(&self) -> Cookie {
        self.header().id.cookie
    }
}

/// Close to the output of `ss`: `ESTAB 0 0 10.0.0.1:4242 192.0.2.1:443`.
impl fmt::Display for InetSocket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header();
        write!(f, "{} {} {}", header.state, header.receive_queue, header.send_queue)?;
        write!(f, " {} {}", self.source(), self.dest())
    }
}

narrow! {
    /// A request for a list of sockets.
    pub struct ListRequest<R>(InetRequest<R>) {
        /// Send the socket storage of BPF programs: of these maps, or of all maps if none is named. Needs
        /// `CAP_BPF`. Linux 5.7.
        bpf_storages: BpfStorageQueryAttrs<'a>,
    }
}

narrow! {
    /// A request for one socket.
    pub struct GetRequest<R>(InetRequest<R>) {}
}

narrow! {
    /// A request for the MPTCP socket with a token.
    pub struct TokenRequest<R>(InetRequest<R>) {}
}

narrow! {
    /// A request to close one socket. It has only the setters that the kernel uses.
    pub struct DestroyRequest<R>(InetRequest<R>) {}
}

fn query<R>(info: &'static MessageInfo, flags: MessageFlags, protocol: IpProtocol) -> InetRequest<R> {
    // 0 if the protocol needs more than a byte. Kernels without the attribute then find no protocol; the
    // lower byte would be another protocol.
    let header =
        InetQueryHeader::default().protocol(u8::try_from(protocol.0).unwrap_or_default()).states(States::ALL);
    let request = InetRequest::new(info, flags, header);
    if protocol.0 > 255 { request.protocol(protocol) } else { request }
}

/// Lists sockets of a protocol in all states. An SCTP socket is sent once without a peer, then once per association.
///
/// `ENOENT` if the kernel has no module for the protocol (`tcp_diag`, `udp_diag`, ...) and can't load it. It
/// also does not load the module while no program uses the protocol: then there are no such sockets.
pub fn list(family: Family, protocol: IpProtocol) -> ListRequest<Dump<InetSocket<'static>>> {
    const LIST: MessageInfo = ASK.filtered(refilter);
    query(&LIST, MessageFlags::DUMP, protocol).header(|header| header.family = family).into()
}

/// The kernel lists raw sockets in all states, regardless of the requested states.
fn refilter(asked: &Message<'_>) -> Option<Check> {
    let header = InetQuery::read(asked).ok()?.header();
    let overlooks = u32::from(header.protocol) == IpProtocol::RAW.0 && header.states != States::ALL;
    overlooks.then_some(|asked, reply| match (InetQuery::read(asked), InetSocket::read(reply)) {
        (Ok(asked), Ok(socket)) => asked.header().states.contains(socket.header().state),
        _ => true,
    })
}

/// Asks for the socket between two addresses; `ENOENT` if there is none.
///
/// The kernel searches as for a packet from the peer. So a listener is found for its address with any peer,
/// and a listener on the unspecified address for all addresses. Of several sockets with one address and port
/// (`SO_REUSEPORT`) it finds one. A socket that is bound to a link is found only with
/// [`interface`](GetRequest::interface); the scope of a link-local address sets it. Raw sockets need
/// [`raw_protocol`](GetRequest::raw_protocol). MPTCP sockets are found only by [`get_mptcp`].
pub fn get(protocol: IpProtocol, local: SocketAddr, remote: SocketAddr) -> GetRequest<InetSocket<'static>> {
    // For UDP the kernel expects local and remote address in reverse.
    let is_udp = matches!(protocol, IpProtocol::UDP | IpProtocol::UDPLITE);
    let (source, dest) = if is_udp { (remote, local) } else { (local, remote) };
    query(&ASK, MessageFlags::empty(), protocol).between(source, dest).into()
}

/// Asks for the MPTCP socket with this token (see [`MptcpInfo::token`]); `ENOENT` if there is none.
pub fn get_mptcp(family: Family, token: u32) -> TokenRequest<InetSocket<'static>> {
    let request = query(&ASK, MessageFlags::empty(), IpProtocol::MPTCP).header(|header| {
        header.family = family;
        header.id.cookie = Cookie(token.into());
    });
    request.into()
}

/// Closes the socket between two addresses, regardless of its owner: calls on it fail with `ECONNABORTED`,
/// and a TCP peer gets a reset. It is found as with [`get`]; `ENOENT` if there is none.
///
/// For TCP, UDP, UDP-Lite and raw sockets. Needs `CAP_NET_ADMIN`, and a kernel with `CONFIG_INET_DIAG_DESTROY`,
/// otherwise `EOPNOTSUPP`. To close exactly the intended socket, set the [`cookie`](DestroyRequest::cookie). **For
/// raw sockets the kernel ignores the cookie, and closes the first socket that it finds**.
pub fn destroy(protocol: IpProtocol, local: SocketAddr, remote: SocketAddr) -> DestroyRequest<()> {
    query(&InetQuery::DESTROY, MessageFlags::ACK, protocol).between(local, remote).into()
}

/// Closes exactly the listed socket.
///
/// Of several sockets with one address and port (`SO_REUSEPORT`) the kernel finds only one. For the others
/// the answer is `ENOENT`, for UDP `ESTALE`, and no socket is closed. **Of raw sockets it closes the first
/// one with the same protocol, address and link**: they cannot be identified.
pub fn destroy_listed(protocol: IpProtocol, socket: &InetSocket<'_>) -> Request<()> {
    let found = socket.header();
    let raw_protocol = match protocol {
        // The port of a raw socket is its protocol.
        IpProtocol::RAW => socket.protocol().unwrap_or_else(|| found.id.source_port.0.to_be_bytes()[1]),
        _ => 0,
    };
    let request = query(&InetQuery::DESTROY, MessageFlags::ACK, protocol).header(|header| {
        (header.family, header.raw_protocol) = (found.family, raw_protocol);
        header.id = found.id;
    });
    request.into_request()
}

impl<R> InetRequest<R> {
    fn between(mut self, source: SocketAddr, dest: SocketAddr) -> Self {
        if source.is_ipv4() != dest.is_ipv4() {
            self.0.writer().fail(Unsendable::Value("a socket between IPv4 and IPv6"));
        }
        let id = SocketId::between(source, dest).unwrap_or_else(|why| {
            self.0.writer().fail(why);
            SocketId::default()
        });
        self.header(|header| {
            header.family = if source.is_ipv4() { Family::INET } else { Family::INET6 };
            header.id = id;
        })
    }
}

macro_rules! setters {
    ($($request:ident { $( $(#[$meta:meta])* $setter:ident($value:ident: $type:ty) |$header:ident| $set:expr; )* })*) => { $(
        impl<R> $request<R> {
            $(
                $(#[$meta])*
                pub fn $setter(self, $value: $type) -> Self {
                    Self(self.0.header(|$header| $set))
                }
            )*
        }
    )* };
}

setters! {
    ListRequest {
        /// List only sockets in these states. SCTP uses only [`State::LISTEN`].
        states(states: impl Into<States>) |header| header.states = states.into();
        /// Send these optional attributes of each socket.
        extensions(extensions: impl Into<Extensions>) |header| header.extensions = extensions.into();
    }
    GetRequest {
        /// Send these optional attributes.
        extensions(extensions: impl Into<Extensions>) |header| header.extensions = extensions.into();
        /// The link that the socket is bound to.
        interface(index: u32) |header| header.id.interface = index;
        /// The cookie of the socket. The kernel ignores it for raw sockets.
        cookie(cookie: Cookie) |header| header.id.cookie = cookie;
        /// The protocol of a raw socket. Linux 4.9.
        raw_protocol(protocol: u8) |header| header.raw_protocol = protocol;
    }
    TokenRequest {
        /// Send these optional attributes.
        extensions(extensions: impl Into<Extensions>) |header| header.extensions = extensions.into();
    }
    DestroyRequest {
        /// The link that the socket is bound to.
        interface(index: u32) |header| header.id.interface = index;
        /// The cookie of the socket. The kernel ignores it for raw sockets.
        cookie(cookie: Cookie) |header| header.id.cookie = cookie;
        /// The protocol of a raw socket. Linux 4.9.
        raw_protocol(protocol: u8) |header| header.raw_protocol = protocol;
    }
}

impl<R> ListRequest<R> {
    /// List only sockets that match the filter. The kernel evaluates it, except for SCTP, where the request
    /// is refused before it is sent.
    pub fn filter(mut self, filter: &Filter) -> Self {
        let mut protocol = 0;
        self.0.0.edit(|header: &mut InetQueryHeader| protocol = header.protocol);
        if u32::from(protocol) == IpProtocol::SCTP.0 {
            self.0.0.writer().fail(Unsendable::Value("a filter, which the kernel ignores for SCTP"));
        }
        filter.put(self.0.0.writer());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::Messages;

    fn asked<R>(request: &Request<R>) -> InetQueryHeader {
        let bytes = request.to_bytes().unwrap();
        InetQuery::read(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().header()
    }

    fn socket(bytes: &[u8]) -> InetSocket<'_> {
        InetSocket::read(&Messages::new(bytes).next().unwrap().unwrap()).unwrap()
    }

    fn told(header: InetHeader) -> InetReply<()> {
        InetReply::new(&InetSocket::BY_FAMILY, MessageFlags::empty(), header)
    }

    /// N5
    #[test]
    fn a_link_local_address_has_its_link_in_both_directions() {
        let [here, there]: [SocketAddr; 2] =
            ["[fe80::77%3]:8080", "[fe80::1%3]:1"].map(|addr| addr.parse().unwrap());
        let [global, anywhere]: [SocketAddr; 2] =
            ["[2001:db8::1%3]:1", "[::]:0"].map(|addr| addr.parse().unwrap());
        let on = |local, remote| asked(&get(IpProtocol::TCP, local, remote)).id.interface;
        assert_eq!((on(here, there), on(here, anywhere), on(global, there)), (3, 3, 3));
        assert_eq!((on(global, anywhere), on(global, global)), (0, 0));
        assert_eq!(asked(&destroy(IpProtocol::UDP, here, there)).id.interface, 3);
        assert_eq!(asked(&get(IpProtocol::TCP, here, there).interface(4)).id.interface, 4);
        let other = "[fe80::1%4]:1".parse().unwrap();
        assert!(get(IpProtocol::TCP, here, other).to_bytes().is_err());

        let id = SocketId::between(here, "[ff02::1%3]:5".parse().unwrap()).unwrap();
        let bytes = told(InetHeader::default().family(Family::INET6).id(id)).to_bytes().unwrap();
        let read = socket(&bytes);
        assert_eq!((read.source(), read.dest()), (here, "[ff02::1%3]:5".parse().unwrap()));
        let id = SocketId::between(global, anywhere).unwrap().interface(3);
        let bytes = told(InetHeader::default().family(Family::INET6).id(id)).to_bytes().unwrap();
        assert_eq!(socket(&bytes).source(), "[2001:db8::1]:1".parse().unwrap());
    }

    /// N4
    #[test]
    fn a_listed_raw_socket_is_closed_by_its_protocol() {
        let header = InetHeader::default().family(Family::INET).id(SocketId::default().source_port(89));
        let with = told(header).protocol(1u8).to_bytes().unwrap();
        assert_eq!(asked(&destroy_listed(IpProtocol::RAW, &socket(&with))).raw_protocol, 1);
        let without = told(header).to_bytes().unwrap();
        assert_eq!(asked(&destroy_listed(IpProtocol::RAW, &socket(&without))).raw_protocol, 89);
        assert_eq!(asked(&destroy_listed(IpProtocol::TCP, &socket(&with))).raw_protocol, 0);
    }

    /// F4
    #[test]
    fn raw_sockets_in_other_states_are_skipped() {
        let passes = |protocol, state| {
            let bytes = told(InetHeader::default().family(Family::INET).state(state)).to_bytes().unwrap();
            let reply = netlink_core::Messages::new(&bytes).next().unwrap().unwrap();
            let request = list(Family::INET, protocol).states(State::ESTABLISHED);
            netlink_core::ToRequest::to_request(&request).passes(&reply)
        };
        assert!(passes(IpProtocol::RAW, State::ESTABLISHED) && !passes(IpProtocol::RAW, State::CLOSE));
        assert!(passes(IpProtocol::TCP, State::CLOSE), "the kernel looks");
    }

    /// N3
    #[test]
    fn a_filter_that_the_kernel_ignores_cannot_be_sent() {
        let of = |protocol| list(Family::INET, protocol).filter(&Filter::dest_port(80)).to_bytes();
        assert!(of(IpProtocol::TCP).is_ok() && of(IpProtocol::MPTCP).is_ok());
        assert!(of(IpProtocol::SCTP).is_err());
    }
}
