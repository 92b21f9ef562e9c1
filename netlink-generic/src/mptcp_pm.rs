//! Multipath TCP's path manager: which addresses connections may use, and what becomes of their paths. Kernel side:
//! `uapi/linux/mptcp.h`, `uapi/linux/mptcp_pm.h`, `net/mptcp/pm*.c`. Linux 5.7.
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
//! # Events, and a path manager of one's own
//!
//! Where `net.mptcp.pm_type` (since Linux 6.15 `net.mptcp.path_manager`) says so, the kernel makes no paths of new
//! connections by itself; whoever listens to [`MptcpPm::EVENTS`] does, by the token of each connection. Linux 5.19.
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
//! On a reactor it is the same, with `.await`:
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
//! Endpoints and limits are the network namespace's. To change them and to hear events takes `CAP_NET_ADMIN` in the
//! user namespace that owns it.

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

    /// What happens to connections and their paths.
    pub enum Event<'a> {
        /// The first handshake is done; it may still turn out to be plain TCP. No path may be made yet.
        Created(PathEvent) = CREATED,
        /// The peer has the keys: paths may be made.
        Established(PathEvent) = ESTABLISHED,
        /// A connection is closed; only its token is told.
        Closed(PathEvent) = CLOSED,
        /// The peer announced an address.
        Announced(PathEvent) = ANNOUNCED,
        /// The peer takes an address back.
        Removed(PathEvent) = REMOVED,
        /// A path more is there.
        SubEstablished(PathEvent) = SUB_ESTABLISHED,
        /// A path is gone, or could not be made.
        SubClosed(PathEvent) = SUB_CLOSED,
        /// The peer made a path a backup, or an ordinary one again.
        SubPriority(PathEvent) = SUB_PRIORITY,
        /// A socket listens. Linux 6.2.
        ListenerCreated(PathEvent) = LISTENER_CREATED,
        /// A socket listens no more. Linux 6.2.
        ListenerClosed(PathEvent) = LISTENER_CLOSED,
    }
}

message! {
    /// An address that connections may use.
    pub struct Endpoint<'a>(MptcpPm, EndpointAttrs<'a>), EndpointRequest {
        /// Adds one.
        1 MPTCP_PM_CMD_ADD_ADDR ADD_ADDR,
        /// Deletes one.
        2 MPTCP_PM_CMD_DEL_ADDR DEL_ADDR,
        /// Asks for one or all, and is the answer.
        3 MPTCP_PM_CMD_GET_ADDR GET_ADDR,
        /// Deletes all.
        4 MPTCP_PM_CMD_FLUSH_ADDRS FLUSH_ADDRS,
    }
}

attrs! {
    /// `MPTCP_PM_ENDPOINT_*`.
    pub struct EndpointAttrs<'a> for EndpointRequest<R> {
        /// The address.
        1 MPTCP_PM_ENDPOINT_ADDR addr: AddressAttrs<'a>,
        /// In a question: about the addresses of this connection, which user space announced. Linux 6.9.
        4 MPTCP_PM_ATTR_TOKEN token: u32,
    }
}

attrs! {
    /// `MPTCP_PM_ADDR_ATTR_*`: an address, and what it is for.
    pub struct AddressAttrs<'a> for Address {
        /// [`INET`](WideFamily::INET) or [`INET6`](WideFamily::INET6): which of the two addresses it is. [`Address::of`] sets both.
        1 MPTCP_PM_ADDR_ATTR_FAMILY family: WideFamily,
        /// Its number, unique in the namespace or connection: 1 to 255. 0 is the address that a connection began with.
        2 MPTCP_PM_ADDR_ATTR_ID id: u8,
        /// In IPv4.
        3 MPTCP_PM_ADDR_ATTR_ADDR4 addr4: Ipv4Addr,
        /// In IPv6.
        4 MPTCP_PM_ADDR_ATTR_ADDR6 addr6: Ipv6Addr,
        /// Port that is announced with it, where the kernel then listens; only of a signalled one. Absent or 0: that
        /// of the connection.
        5 MPTCP_PM_ADDR_ATTR_PORT port: u16,
        /// What it is for.
        6 MPTCP_PM_ADDR_ATTR_FLAGS flags: AddressFlags,
        /// Index of the link that its paths leave by.
        7 MPTCP_PM_ADDR_ATTR_IF_IDX if_idx: i32,
    }
}

flags! {
    /// `MPTCP_PM_ADDR_FLAG_*`: what an address is for.
    pub struct AddressFlags: u32 {
        /// It is announced to peers.
        0x1 MPTCP_PM_ADDR_FLAG_SIGNAL SIGNAL,
        /// Clients make a path from it.
        0x2 MPTCP_PM_ADDR_FLAG_SUBFLOW SUBFLOW,
        /// Its paths are used when no other one works.
        0x4 MPTCP_PM_ADDR_FLAG_BACKUP BACKUP,
        /// A path is made from it to each address of the peer. Not beside `SIGNAL`. Linux 5.15.
        0x8 MPTCP_PM_ADDR_FLAG_FULLMESH FULLMESH,
        /// The kernel made it up, for a path whose address has no endpoint. Never set. Linux 5.18.
        0x10 MPTCP_PM_ADDR_FLAG_IMPLICIT IMPLICIT,
        /// Where a peer announces an address, the path to it is made from here. Linux 6.18.
        0x20 MPTCP_PM_ADDR_FLAG_LAMINAR LAMINAR,
    }
}

message! {
    /// How much connections may do.
    pub struct Limits<'a>(MptcpPm, LimitsAttrs<'a>), LimitsRequest {
        /// Changes them.
        5 MPTCP_PM_CMD_SET_LIMITS SET_LIMITS,
        /// Asks for them, and is the answer.
        6 MPTCP_PM_CMD_GET_LIMITS GET_LIMITS,
    }
}

attrs! {
    /// `MPTCP_PM_ATTR_*`, two of them.
    pub struct LimitsAttrs<'a> for LimitsRequest<R> {
        /// Announced addresses that a connection takes from its peer: 0, the default, to 8, more in Linux 7.3.
        2 MPTCP_PM_ATTR_RCV_ADD_ADDRS rcv_add_addrs: u32,
        /// Paths that a connection may have besides its first: 0 to 8, more in Linux 7.3; 2 by default.
        3 MPTCP_PM_ATTR_SUBFLOWS subflows: u32,
    }
}

message! {
    /// What is asked of connections and their paths.
    pub struct Path<'a>(MptcpPm, PathAttrs<'a>), PathRequest {
        /// Changes flags of an endpoint or path. Linux 5.12.
        7 MPTCP_PM_CMD_SET_FLAGS SET_FLAGS,
        /// Announces an address. Linux 5.19.
        8 MPTCP_PM_CMD_ANNOUNCE ANNOUNCE,
        /// Takes one back. Linux 5.19.
        9 MPTCP_PM_CMD_REMOVE REMOVE,
        /// Makes a path. Linux 5.19.
        10 MPTCP_PM_CMD_SUBFLOW_CREATE SUBFLOW_CREATE,
        /// Ends one. Linux 5.19.
        11 MPTCP_PM_CMD_SUBFLOW_DESTROY SUBFLOW_DESTROY,
    }
}

attrs! {
    /// `MPTCP_PM_ATTR_*`, those about connections.
    pub struct PathAttrs<'a> for PathRequest<R> {
        /// The address on this side.
        1 MPTCP_PM_ATTR_ADDR addr: AddressAttrs<'a>,
        /// The connection, by the token of its local key.
        4 MPTCP_PM_ATTR_TOKEN token: u32,
        /// Number of an address on this side.
        5 MPTCP_PM_ATTR_LOC_ID loc_id: u8,
        /// The address on the other side.
        6 MPTCP_PM_ATTR_ADDR_REMOTE addr_remote: AddressAttrs<'a>,
    }
}

message! {
    /// Something that happened to a connection or a path.
    pub struct PathEvent<'a>(MptcpPm, PathEventAttrs<'a>), PathEventRequest {
        /// The first handshake is done.
        1 MPTCP_EVENT_CREATED CREATED [received],
        /// Paths may be made.
        2 MPTCP_EVENT_ESTABLISHED ESTABLISHED [received],
        /// A connection is closed.
        3 MPTCP_EVENT_CLOSED CLOSED [received],
        /// The peer announced an address.
        6 MPTCP_EVENT_ANNOUNCED ANNOUNCED [received],
        /// The peer takes an address back.
        7 MPTCP_EVENT_REMOVED REMOVED [received],
        /// A path more is there.
        10 MPTCP_EVENT_SUB_ESTABLISHED SUB_ESTABLISHED [received],
        /// A path is gone.
        11 MPTCP_EVENT_SUB_CLOSED SUB_CLOSED [received],
        /// The peer changed a path's priority.
        13 MPTCP_EVENT_SUB_PRIORITY SUB_PRIORITY [received],
        /// A socket listens.
        15 MPTCP_EVENT_LISTENER_CREATED LISTENER_CREATED [received],
        /// A socket listens no more.
        16 MPTCP_EVENT_LISTENER_CLOSED LISTENER_CLOSED [received],
    }
}

attrs! {
    /// `MPTCP_ATTR_*`. Each event tells some.
    pub struct PathEventAttrs<'a> for PathEventRequest<R> {
        /// The connection, by the token of its local key.
        1 MPTCP_ATTR_TOKEN token: u32,
        /// [`INET`](WideFamily::INET) or [`INET6`](WideFamily::INET6): which addresses there are.
        2 MPTCP_ATTR_FAMILY family: WideFamily,
        /// Number of the address on this side.
        3 MPTCP_ATTR_LOC_ID loc_id: u8,
        /// Number of the address on the other side.
        4 MPTCP_ATTR_REM_ID rem_id: u8,
        /// This side, in IPv4.
        5 MPTCP_ATTR_SADDR4 saddr4: Ipv4Addr,
        /// This side, in IPv6.
        6 MPTCP_ATTR_SADDR6 saddr6: Ipv6Addr,
        /// The other side, in IPv4; of an announcement, what was announced.
        7 MPTCP_ATTR_DADDR4 daddr4: Ipv4Addr,
        /// The other side, in IPv6; of an announcement, what was announced.
        8 MPTCP_ATTR_DADDR6 daddr6: Ipv6Addr,
        /// Port of this side.
        9 MPTCP_ATTR_SPORT sport: Be<u16> as u16,
        /// Port of the other side.
        10 MPTCP_ATTR_DPORT dport: Be<u16> as u16,
        /// Whether the path is used only when no other one works.
        11 MPTCP_ATTR_BACKUP backup: bool,
        /// Why a path is gone: an errno, without its sign.
        12 MPTCP_ATTR_ERROR error: u8,
        /// More about the connection.
        13 MPTCP_ATTR_FLAGS flags: EventFlags,
        /// Milliseconds; no kernel tells it.
        14 MPTCP_ATTR_TIMEOUT timeout: u32,
        /// Index of the link that the path leaves by.
        15 MPTCP_ATTR_IF_IDX if_idx: i32,
        /// Why the peer reset a path. Linux 5.13.
        16 MPTCP_ATTR_RESET_REASON reset_reason: ResetReason,
        /// 1 if a path may be tried again later. Linux 5.13.
        17 MPTCP_ATTR_RESET_FLAGS reset_flags: u32,
        /// Whether the peer connected to us. Linux 5.19.
        18 MPTCP_ATTR_SERVER_SIDE server_side: bool,
    }
}

flags! {
    /// `MPTCP_PM_EV_FLAG_*`: more about a connection.
    pub struct EventFlags: u16 {
        /// The peer takes no path to the address that the connection began with.
        0x1 MPTCP_PM_EV_FLAG_DENY_JOIN_ID0 DENY_JOIN_ID0,
        /// The peer connected to us. Linux 6.18.
        0x2 MPTCP_PM_EV_FLAG_SERVER_SIDE SERVER_SIDE,
    }
}

values! {
    /// `MPTCP_RST_*`: why a path was reset, as RFC 8684 has it in its section 3.6.
    pub struct ResetReason: u32 {
        /// For no reason that is told.
        0 MPTCP_RST_EUNSPEC UNSPECIFIED "unspecified",
        /// Multipath TCP went wrong.
        1 MPTCP_RST_EMPTCP PROTOCOL "protocol",
        /// There is no memory, or whatever else it takes.
        2 MPTCP_RST_ERESOURCE RESOURCES "resources",
        /// No path more is wanted.
        3 MPTCP_RST_EPROHIBIT PROHIBITED "prohibited",
        /// Too much data waits for an acknowledgement.
        4 MPTCP_RST_EWQ2BIG TOO_MUCH_DATA "too-much-data",
        /// The path is too slow, or loses too much.
        5 MPTCP_RST_EBADPERF PERFORMANCE "performance",
        /// Something on the way spoils Multipath TCP.
        6 MPTCP_RST_EMIDDLEBOX MIDDLEBOX "middlebox",
    }
}

/// Adds an endpoint. The kernel numbers it, unless it has an [`id`](Address::id). `EBUSY` if the number is taken, else
/// `EEXIST` if the address is; in Linux 6.1 `EINVAL` for both.
pub fn add(address: Address) -> EndpointRequest<()> {
    EndpointRequest::new(&Endpoint::ADD_ADDR, MessageFlags::ACK).addr(address)
}

/// Deletes an endpoint by its number, 1 to 255. Its paths end. `EINVAL` if there is none.
pub fn delete(id: u8) -> Unbound<MptcpPm, ()> {
    let mut request =
        EndpointRequest::new(&Endpoint::DEL_ADDR, MessageFlags::ACK).addr(Address::new().id(id));
    if id == 0 {
        request
            .0
            .writer()
            .fail(Unsendable::Value("number 0, which is that of many addresses; see delete_initial"));
    }
    request.into_unbound()
}

/// Ends the paths from an address, in all connections that began with it: its number there is 0. It need not be an
/// endpoint.
pub fn delete_initial(addr: IpAddr) -> Unbound<MptcpPm, ()> {
    EndpointRequest::new(&Endpoint::DEL_ADDR, MessageFlags::ACK).addr(Address::of(addr).id(0)).into_unbound()
}

/// Deletes all endpoints. Their paths end.
pub fn flush() -> Unbound<MptcpPm, ()> {
    EndpointRequest::new(&Endpoint::FLUSH_ADDRS, MessageFlags::ACK).into_unbound()
}

/// Asks for an endpoint. `EINVAL` if there is none of this number.
pub fn get(id: u8) -> Unbound<MptcpPm, Endpoint<'static>> {
    let request = EndpointRequest::new(&Endpoint::GET_ADDR, MessageFlags::empty());
    request.addr(Address::new().id(id)).into_unbound()
}

/// Lists all endpoints.
pub fn list() -> Unbound<MptcpPm, Dump<Endpoint<'static>>> {
    EndpointRequest::new(&Endpoint::GET_ADDR, MessageFlags::DUMP).into_unbound()
}

/// Lists the addresses that user space announced on a connection. Linux 6.9; earlier kernels do not look at the
/// connection, and list the endpoints.
pub fn list_of(token: u32) -> Unbound<MptcpPm, Dump<Endpoint<'static>>> {
    EndpointRequest::new(&Endpoint::GET_ADDR, MessageFlags::DUMP).token(token).into_unbound()
}

/// Asks for the limits.
pub fn limits() -> LimitsRequest<Limits<'static>> {
    LimitsRequest::new(&Limits::GET_LIMITS, MessageFlags::empty())
}

/// Changes the limits that are set on it. `EINVAL` above what the kernel allows.
pub fn set_limits() -> LimitsRequest<()> {
    LimitsRequest::new(&Limits::SET_LIMITS, MessageFlags::ACK)
}

/// Changes the flags `BACKUP` and `FULLMESH` of an endpoint, by address or number, and of its paths. Of one path of a
/// connection that user space manages: with a [`token`](PathRequest::token) and both addresses. Linux 5.12.
pub fn set_flags(address: Address) -> PathRequest<()> {
    PathRequest::new(&Path::SET_FLAGS, MessageFlags::ACK).addr(address)
}

/// Announces an address, which has a number and the flag `SIGNAL`, on a connection that user space manages. `EINVAL` if the
/// kernel manages it, or if there is no such connection. Linux 5.19.
pub fn announce(token: u32, address: Address) -> PathRequest<()> {
    PathRequest::new(&Path::ANNOUNCE, MessageFlags::ACK).token(token).addr(address)
}

/// Takes back what was announced. Linux 5.19.
pub fn remove(token: u32, id: u8) -> Unbound<MptcpPm, ()> {
    PathRequest::new(&Path::REMOVE, MessageFlags::ACK).token(token).loc_id(id).into_unbound()
}

/// Makes a path; the address on the other side has a port. Linux 5.19.
pub fn create_subflow(token: u32, local: Address, remote: Address) -> Unbound<MptcpPm, ()> {
    PathRequest::new(&Path::SUBFLOW_CREATE, MessageFlags::ACK)
        .token(token)
        .addr(local)
        .addr_remote(remote)
        .into_unbound()
}

/// Ends a path; both addresses have ports. `ESRCH` if there is none. Linux 5.19.
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
    /// The address, of whatever family.
    pub fn addr(&self) -> Option<IpAddr> {
        self.addr4().map(IpAddr::V4).or_else(|| self.addr6().map(IpAddr::V6))
    }
}

impl PathEvent<'_> {
    /// The address on this side.
    pub fn saddr(&self) -> Option<IpAddr> {
        self.saddr4().map(IpAddr::V4).or_else(|| self.saddr6().map(IpAddr::V6))
    }

    /// The address on the other side.
    pub fn daddr(&self) -> Option<IpAddr> {
        self.daddr4().map(IpAddr::V4).or_else(|| self.daddr6().map(IpAddr::V6))
    }
}

/// As `10.0.0.1 id 1 signal`: what `ip mptcp endpoint` prints, but for the name of the link.
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
