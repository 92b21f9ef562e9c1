//! The path manager of Multipath TCP: sets the addresses that connections may use, and reports events of
//! their paths. Kernel side: `uapi/linux/mptcp.h`, `uapi/linux/mptcp_pm.h`, `net/mptcp/pm*.c`. Linux 5.7.
//!
//! ```no_run
//! use netlink_generic::mptcp_pm::{self, Address, AddressFlags};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = mptcp_pm::connect()?;
//! nl.call(mptcp_pm::add(Address::of("192.0.2.1".parse()?).flags(AddressFlags::SIGNAL)))?;
//! nl.call(mptcp_pm::set_limits().subflows(4).rcv_add_addrs(2))?;
//! let mut endpoints = nl.dump(mptcp_pm::list())?;
//! while let Some(endpoint) = endpoints.next()? {
//!     println!("{endpoint}");
//! }
//! let limits = nl.call(mptcp_pm::limits())?;
//! println!("{:?} subflows at most", limits.subflows());
//! println!("{}", nl.call(mptcp_pm::get(1))?);
//! nl.call(mptcp_pm::set_flags(Address::new().id(1).flags(AddressFlags::BACKUP)))?;
//! nl.call(mptcp_pm::delete(1))?;
//! nl.call(mptcp_pm::flush())?;
//! # Ok(())
//! # }
//! ```
//!
//! # Events, and a path manager in user space
//!
//! The sysctl `net.mptcp.pm_type` (since Linux 6.15 `net.mptcp.path_manager`) can leave the paths of new
//! connections to user space. A program that receives [`MptcpPm::EVENTS`] then makes the paths, by the token
//! of each connection. Linux 5.19.
//!
//! ```no_run
//! use netlink_generic::Notice;
//! use netlink_generic::mptcp_pm::{self, Address, AddressFlags, Event, MptcpPm};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = mptcp_pm::connect()?;
//! let mut events = mptcp_pm::subscribe(&[MptcpPm::EVENTS])?;
//! while let Notice::Event { event, .. } = events.next()? {
//!     match event {
//!         Event::Established(path) => {
//!             let Some(token) = path.token() else { continue };
//!             let ours = Address::of("198.51.100.1".parse()?).id(7);
//!             nl.call(mptcp_pm::announce(token, ours.clone().flags(AddressFlags::SIGNAL)))?;
//!             let theirs = Address::of("198.51.100.2".parse()?).port(443);
//!             nl.call(mptcp_pm::create_subflow(token, ours.clone(), theirs.clone()))?;
//!             nl.call(mptcp_pm::destroy_subflow(token, ours.port(40_000), theirs))?;
//!             nl.call(mptcp_pm::remove(token, 7))?;
//!             let mut announced = nl.dump(mptcp_pm::list_of(token))?;
//!             while let Some(endpoint) = announced.next()? {
//!                 println!("{endpoint}");
//!             }
//!         }
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! With tokio it is the same, with `.await`:
//!
//! ```no_run
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), netlink_generic::Error> {
//! use netlink_generic::mptcp_pm::{self, MptcpPm};
//!
//! let mut nl = mptcp_pm::tokio::connect().await?;
//! println!("{:?}", nl.call(mptcp_pm::limits()).await?);
//! let mut events = mptcp_pm::tokio::subscribe(&[MptcpPm::EVENTS]).await?;
//! println!("{:?}", events.next().await?);
//! # Ok(())
//! # }
//! ```
//!
//! Endpoints and limits belong to the network namespace. To change them and to receive events, a program
//! needs `CAP_NET_ADMIN` in the user namespace that owns it.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_core::net::WideFamily;
use netlink_core::{Be, Dump, MessageFlags, Unsendable, attrs, flags, values};

use crate::{Header, IntoUnbound as _, Unbound, family, message};

family! {
    /// The path manager.
    pub struct MptcpPm(Header): "mptcp_pm" = 1 { Endpoint, Limits, Path, PathEvent }

    groups {
        /// No kernel sends anything there.
        "mptcp_pm_cmds" CMDS,
        /// Connections and their paths. Linux 5.12.
        "mptcp_pm_events" EVENTS,
    }

    /// Events of connections and their paths.
    pub enum Event<'a> {
        /// The first handshake is complete. The connection may still fall back to plain TCP, and no path may
        /// be made yet.
        Created(PathEvent) = CREATED,
        /// The peer has the keys. Paths may be made.
        Established(PathEvent) = ESTABLISHED,
        /// A connection was closed. The event has only its token.
        Closed(PathEvent) = CLOSED,
        /// The peer announced an address.
        Announced(PathEvent) = ANNOUNCED,
        /// The peer withdrew an address.
        Removed(PathEvent) = REMOVED,
        /// A path was added.
        SubEstablished(PathEvent) = SUB_ESTABLISHED,
        /// A path ended, or could not be made.
        SubClosed(PathEvent) = SUB_CLOSED,
        /// The peer made a path a backup path or a normal path.
        SubPriority(PathEvent) = SUB_PRIORITY,
        /// A socket started to listen. Linux 6.2.
        ListenerCreated(PathEvent) = LISTENER_CREATED,
        /// A socket stopped listening. Linux 6.2.
        ListenerClosed(PathEvent) = LISTENER_CLOSED,
    }
}

message! {
    /// An address that connections may use.
    pub struct Endpoint<'a>(MptcpPm, EndpointAttrs<'a>), EndpointRequest {
        /// Adds an address.
        1 MPTCP_PM_CMD_ADD_ADDR ADD_ADDR,
        /// Deletes an address.
        2 MPTCP_PM_CMD_DEL_ADDR DEL_ADDR,
        /// Asks for one address or all. The answers have the same type.
        3 MPTCP_PM_CMD_GET_ADDR GET_ADDR,
        /// Deletes all addresses.
        4 MPTCP_PM_CMD_FLUSH_ADDRS FLUSH_ADDRS,
    }
}

attrs! {
    /// `MPTCP_PM_ENDPOINT_*`.
    pub struct EndpointAttrs<'a> for EndpointRequest<R> {
        /// The address.
        1 MPTCP_PM_ENDPOINT_ADDR addr: AddressAttrs<'a>,
        /// In a request: list the addresses that user space announced on this connection. Linux 6.9.
        4 MPTCP_PM_ATTR_TOKEN token: u32,
    }
}

attrs! {
    /// `MPTCP_PM_ADDR_ATTR_*`: an address and its use.
    pub struct AddressAttrs<'a> for Address {
        /// [`INET`](WideFamily::INET) or [`INET6`](WideFamily::INET6): selects one of the two address
        /// attributes. [`Address::of`] sets both.
        1 MPTCP_PM_ADDR_ATTR_FAMILY family: WideFamily,
        /// Its number, unique in the namespace or connection: 1 to 255. 0 is the first address of a connection.
        2 MPTCP_PM_ADDR_ATTR_ID id: u8,
        /// IPv4 address.
        3 MPTCP_PM_ADDR_ATTR_ADDR4 addr4: Ipv4Addr,
        /// IPv6 address.
        4 MPTCP_PM_ADDR_ATTR_ADDR6 addr6: Ipv6Addr,
        /// Port that is announced with the address; the kernel listens on it. Only for announced addresses.
        /// Absent or 0: the port of the connection.
        5 MPTCP_PM_ADDR_ATTR_PORT port: u16,
        /// Use of the address.
        6 MPTCP_PM_ADDR_ATTR_FLAGS flags: AddressFlags,
        /// Index of the link that its paths leave through.
        7 MPTCP_PM_ADDR_ATTR_IF_IDX if_idx: i32,
    }
}

flags! {
    /// `MPTCP_PM_ADDR_FLAG_*`: the use of an address.
    pub struct AddressFlags: u32 {
        /// The kernel announces it to peers.
        0x1 MPTCP_PM_ADDR_FLAG_SIGNAL SIGNAL,
        /// Clients make a path from it.
        0x2 MPTCP_PM_ADDR_FLAG_SUBFLOW SUBFLOW,
        /// Its paths are used only if no other path works.
        0x4 MPTCP_PM_ADDR_FLAG_BACKUP BACKUP,
        /// A path is made from it to each address of the peer. Not together with `SIGNAL`. Linux 5.15.
        0x8 MPTCP_PM_ADDR_FLAG_FULLMESH FULLMESH,
        /// The kernel made the endpoint for a path whose address had none. Never set in requests. Linux 5.18.
        0x10 MPTCP_PM_ADDR_FLAG_IMPLICIT IMPLICIT,
        /// When a peer announces an address, the path to it starts from this address. Linux 6.18.
        0x20 MPTCP_PM_ADDR_FLAG_LAMINAR LAMINAR,
    }
}

message! {
    /// Limits for connections.
    pub struct Limits<'a>(MptcpPm, LimitsAttrs<'a>), LimitsRequest {
        /// Changes the limits.
        5 MPTCP_PM_CMD_SET_LIMITS SET_LIMITS,
        /// Asks for the limits. The answer has the same type.
        6 MPTCP_PM_CMD_GET_LIMITS GET_LIMITS,
    }
}

attrs! {
    /// `MPTCP_PM_ATTR_*`: the limits.
    pub struct LimitsAttrs<'a> for LimitsRequest<R> {
        /// Largest number of announced addresses that a connection accepts: 0, the default, to 8; more in Linux 7.3.
        2 MPTCP_PM_ATTR_RCV_ADD_ADDRS rcv_add_addrs: u32,
        /// Largest number of paths of a connection, without the first: 0 to 8, more in Linux 7.3. Default: 2.
        3 MPTCP_PM_ATTR_SUBFLOWS subflows: u32,
    }
}

message! {
    /// A request about connections and their paths.
    pub struct Path<'a>(MptcpPm, PathAttrs<'a>), PathRequest {
        /// Changes flags of an endpoint or path. Linux 5.12.
        7 MPTCP_PM_CMD_SET_FLAGS SET_FLAGS,
        /// Announces an address. Linux 5.19.
        8 MPTCP_PM_CMD_ANNOUNCE ANNOUNCE,
        /// Withdraws an address. Linux 5.19.
        9 MPTCP_PM_CMD_REMOVE REMOVE,
        /// Makes a path. Linux 5.19.
        10 MPTCP_PM_CMD_SUBFLOW_CREATE SUBFLOW_CREATE,
        /// Ends a path. Linux 5.19.
        11 MPTCP_PM_CMD_SUBFLOW_DESTROY SUBFLOW_DESTROY,
    }
}

attrs! {
    /// `MPTCP_PM_ATTR_*`: attributes of connections.
    pub struct PathAttrs<'a> for PathRequest<R> {
        /// The local address.
        1 MPTCP_PM_ATTR_ADDR addr: AddressAttrs<'a>,
        /// The connection: the token of its local key.
        4 MPTCP_PM_ATTR_TOKEN token: u32,
        /// Number of a local address.
        5 MPTCP_PM_ATTR_LOC_ID loc_id: u8,
        /// The remote address.
        6 MPTCP_PM_ATTR_ADDR_REMOTE addr_remote: AddressAttrs<'a>,
    }
}

message! {
    /// An event of a connection or a path.
    pub struct PathEvent<'a>(MptcpPm, PathEventAttrs<'a>), PathEventRequest {
        /// The first handshake is complete.
        1 MPTCP_EVENT_CREATED CREATED [received],
        /// Paths may be made.
        2 MPTCP_EVENT_ESTABLISHED ESTABLISHED [received],
        /// A connection was closed.
        3 MPTCP_EVENT_CLOSED CLOSED [received],
        /// The peer announced an address.
        6 MPTCP_EVENT_ANNOUNCED ANNOUNCED [received],
        /// The peer withdrew an address.
        7 MPTCP_EVENT_REMOVED REMOVED [received],
        /// A path was added.
        10 MPTCP_EVENT_SUB_ESTABLISHED SUB_ESTABLISHED [received],
        /// A path ended.
        11 MPTCP_EVENT_SUB_CLOSED SUB_CLOSED [received],
        /// The peer changed a path's priority.
        13 MPTCP_EVENT_SUB_PRIORITY SUB_PRIORITY [received],
        /// A socket started to listen.
        15 MPTCP_EVENT_LISTENER_CREATED LISTENER_CREATED [received],
        /// A socket stopped listening.
        16 MPTCP_EVENT_LISTENER_CLOSED LISTENER_CLOSED [received],
    }
}

attrs! {
    /// `MPTCP_ATTR_*`. Each event has some of them.
    pub struct PathEventAttrs<'a> for PathEventRequest<R> {
        /// The connection: the token of its local key.
        1 MPTCP_ATTR_TOKEN token: u32,
        /// [`INET`](WideFamily::INET) or [`INET6`](WideFamily::INET6): the family of the addresses.
        2 MPTCP_ATTR_FAMILY family: WideFamily,
        /// Number of the local address.
        3 MPTCP_ATTR_LOC_ID loc_id: u8,
        /// Number of the remote address.
        4 MPTCP_ATTR_REM_ID rem_id: u8,
        /// Local IPv4 address.
        5 MPTCP_ATTR_SADDR4 saddr4: Ipv4Addr,
        /// Local IPv6 address.
        6 MPTCP_ATTR_SADDR6 saddr6: Ipv6Addr,
        /// Remote IPv4 address. In an announcement: the announced address.
        7 MPTCP_ATTR_DADDR4 daddr4: Ipv4Addr,
        /// Remote IPv6 address. In an announcement: the announced address.
        8 MPTCP_ATTR_DADDR6 daddr6: Ipv6Addr,
        /// Local port.
        9 MPTCP_ATTR_SPORT sport: Be<u16> as u16,
        /// Remote port.
        10 MPTCP_ATTR_DPORT dport: Be<u16> as u16,
        /// Whether the path is used only if no other path works.
        11 MPTCP_ATTR_BACKUP backup: bool,
        /// Why a path ended: a positive errno.
        12 MPTCP_ATTR_ERROR error: u8,
        /// Flags of the connection.
        13 MPTCP_ATTR_FLAGS flags: EventFlags,
        /// Milliseconds; no kernel sends it.
        14 MPTCP_ATTR_TIMEOUT timeout: u32,
        /// Index of the link that the path leaves through.
        15 MPTCP_ATTR_IF_IDX if_idx: i32,
        /// Why the peer reset a path. Linux 5.13.
        16 MPTCP_ATTR_RESET_REASON reset_reason: ResetReason,
        /// 1 if a path may be tried again later. Linux 5.13.
        17 MPTCP_ATTR_RESET_FLAGS reset_flags: u32,
        /// Whether the peer opened the connection. Linux 5.19.
        18 MPTCP_ATTR_SERVER_SIDE server_side: bool,
    }
}

flags! {
    /// `MPTCP_PM_EV_FLAG_*`: flags of a connection.
    pub struct EventFlags: u16 {
        /// The peer accepts no path to the first address of the connection.
        0x1 MPTCP_PM_EV_FLAG_DENY_JOIN_ID0 DENY_JOIN_ID0,
        /// The peer opened the connection. Linux 6.18.
        0x2 MPTCP_PM_EV_FLAG_SERVER_SIDE SERVER_SIDE,
    }
}

values! {
    /// `MPTCP_RST_*`: why a path was reset (RFC 8684, section 3.6).
    pub struct ResetReason: u32 {
        /// No reason given.
        0 MPTCP_RST_EUNSPEC UNSPECIFIED "unspecified",
        /// Error in Multipath TCP.
        1 MPTCP_RST_EMPTCP PROTOCOL "protocol",
        /// Not enough memory or other resources.
        2 MPTCP_RST_ERESOURCE RESOURCES "resources",
        /// No further path is allowed.
        3 MPTCP_RST_EPROHIBIT PROHIBITED "prohibited",
        /// Too much data is unacknowledged.
        4 MPTCP_RST_EWQ2BIG TOO_MUCH_DATA "too-much-data",
        /// The path is too slow, or loses too many packets.
        5 MPTCP_RST_EBADPERF PERFORMANCE "performance",
        /// A device on the path breaks Multipath TCP.
        6 MPTCP_RST_EMIDDLEBOX MIDDLEBOX "middlebox",
    }
}

/// Adds an endpoint. The kernel chooses its number unless it has an [`id`](Address::id). `EBUSY` if the
/// number is taken, `EEXIST` if the address is. Linux 6.1: `EINVAL` for both.
pub fn add(address: Address) -> EndpointRequest<()> {
    EndpointRequest::new(&Endpoint::ADD_ADDR, MessageFlags::ACK).addr(address)
}

/// Deletes an endpoint by its number, 1 to 255, and ends its paths. `EINVAL` if there is none.
pub fn delete(id: u8) -> Unbound<MptcpPm, ()> {
    let mut request =
        EndpointRequest::new(&Endpoint::DEL_ADDR, MessageFlags::ACK).addr(Address::new().id(id));
    if id == 0 {
        request.0.writer().fail(Unsendable::Value("number 0, which many addresses have; see delete_initial"));
    }
    request.into_unbound()
}

/// Ends the paths from this address, in all connections that began with it and so have it as number 0. The
/// address need not be an endpoint.
pub fn delete_initial(addr: IpAddr) -> Unbound<MptcpPm, ()> {
    EndpointRequest::new(&Endpoint::DEL_ADDR, MessageFlags::ACK).addr(Address::of(addr).id(0)).into_unbound()
}

/// Deletes all endpoints, and ends their paths.
pub fn flush() -> Unbound<MptcpPm, ()> {
    EndpointRequest::new(&Endpoint::FLUSH_ADDRS, MessageFlags::ACK).into_unbound()
}

/// Asks for an endpoint by its number. `EINVAL` if there is none.
pub fn get(id: u8) -> Unbound<MptcpPm, Endpoint<'static>> {
    let request = EndpointRequest::new(&Endpoint::GET_ADDR, MessageFlags::empty());
    request.addr(Address::new().id(id)).into_unbound()
}

/// Lists all endpoints.
pub fn list() -> Unbound<MptcpPm, Dump<Endpoint<'static>>> {
    EndpointRequest::new(&Endpoint::GET_ADDR, MessageFlags::DUMP).into_unbound()
}

/// Lists the addresses that user space announced on a connection. Linux 6.9; earlier kernels ignore the
/// connection and list the endpoints.
pub fn list_of(token: u32) -> Unbound<MptcpPm, Dump<Endpoint<'static>>> {
    EndpointRequest::new(&Endpoint::GET_ADDR, MessageFlags::DUMP).token(token).into_unbound()
}

/// Asks for the limits.
pub fn limits() -> LimitsRequest<Limits<'static>> {
    LimitsRequest::new(&Limits::GET_LIMITS, MessageFlags::empty())
}

/// Changes the limits that its setters add. `EINVAL` above what the kernel allows.
pub fn set_limits() -> LimitsRequest<()> {
    LimitsRequest::new(&Limits::SET_LIMITS, MessageFlags::ACK)
}

/// Changes the flags `BACKUP` and `FULLMESH` of an endpoint, by address or number, and of its paths. With a
/// [`token`](PathRequest::token) and both addresses it changes one path of a connection that user space
/// manages. Linux 5.12.
pub fn set_flags(address: Address) -> PathRequest<()> {
    PathRequest::new(&Path::SET_FLAGS, MessageFlags::ACK).addr(address)
}

/// Announces an address on a connection that user space manages. The address needs a number and the flag
/// `SIGNAL`. `EINVAL` if the kernel manages the connection, or if there is none. Linux 5.19.
pub fn announce(token: u32, address: Address) -> PathRequest<()> {
    PathRequest::new(&Path::ANNOUNCE, MessageFlags::ACK).token(token).addr(address)
}

/// Withdraws an announced address. Linux 5.19.
pub fn remove(token: u32, id: u8) -> Unbound<MptcpPm, ()> {
    PathRequest::new(&Path::REMOVE, MessageFlags::ACK).token(token).loc_id(id).into_unbound()
}

/// Makes a path. The remote address needs a port. Linux 5.19.
pub fn create_subflow(token: u32, local: Address, remote: Address) -> Unbound<MptcpPm, ()> {
    PathRequest::new(&Path::SUBFLOW_CREATE, MessageFlags::ACK)
        .token(token)
        .addr(local)
        .addr_remote(remote)
        .into_unbound()
}

/// Ends a path. Both addresses need ports. `ESRCH` if there is none. Linux 5.19.
pub fn destroy_subflow(token: u32, local: Address, remote: Address) -> Unbound<MptcpPm, ()> {
    PathRequest::new(&Path::SUBFLOW_DESTROY, MessageFlags::ACK)
        .token(token)
        .addr(local)
        .addr_remote(remote)
        .into_unbound()
}

impl Address {
    /// An address of either family.
    pub fn of(addr: IpAddr) -> Self {
        let new = Self::new().family(WideFamily::from(addr));
        match addr {
            IpAddr::V4(addr) => new.addr4(addr),
            IpAddr::V6(addr) => new.addr6(addr),
        }
    }
}

impl AddressAttrs<'_> {
    /// The address, IPv4 or IPv6.
    pub fn addr(&self) -> Option<IpAddr> {
        self.addr4().map(IpAddr::V4).or_else(|| self.addr6().map(IpAddr::V6))
    }
}

impl PathEvent<'_> {
    /// The local address.
    pub fn saddr(&self) -> Option<IpAddr> {
        self.saddr4().map(IpAddr::V4).or_else(|| self.saddr6().map(IpAddr::V6))
    }

    /// The remote address.
    pub fn daddr(&self) -> Option<IpAddr> {
        self.daddr4().map(IpAddr::V4).or_else(|| self.daddr6().map(IpAddr::V6))
    }
}

/// As `10.0.0.1 id 1 signal`: like the output of `ip mptcp endpoint`, but without the name of the link.
impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.addr().unwrap_or_default();
        match address.addr() {
            Some(addr) => write!(f, "{addr}")?,
            None => f.write_str("no address")?,
        }
        if let Some(port) = address.port().filter(|port| *port != 0) {
            write!(f, " port {port}")?;
        }
        if let Some(id) = address.id() {
            write!(f, " id {id}")?;
        }
        for (name, _) in address.flags().unwrap_or_default().iter_names() {
            write!(f, " {}", name.to_ascii_lowercase())?;
        }
        match address.if_idx() {
            None | Some(0) => Ok(()),
            Some(index) => write!(f, " dev {index}"),
        }
    }
}
