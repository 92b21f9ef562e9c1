//! Routes. Kernel side: `uapi/linux/rtnetlink.h`, `net/ipv4/fib_frontend.c`, `net/ipv4/fib_semantics.c`,
//! `net/ipv6/route.c`, `net/mpls/af_mpls.c`.
//!
//! ```
//! use std::net::Ipv4Addr;
//!
//! use netlink_route::route::{self, Metrics, Protocol, RouteType};
//! use netlink_route::Addr;
//!
//! let default = route::add(Addr::DEFAULT_V4).gateway(Ipv4Addr::new(10, 0, 0, 1)).protocol(Protocol::STATIC);
//! let small = route::replace("192.0.2.0/24".parse()?).oif(3).metrics(Metrics::new().mtu(1400));
//! let dropped = route::add("2001:db8::/32".parse()?).kind(RouteType::BLACKHOLE);
//! let main = route::list().table(254); // the kernel filters
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! A route needs a link, a gateway, a next hop object, several next hops, or a type that drops packets. The
//! kernel refuses a route without any of them with `ENODEV` or `EINVAL`.

use core::net::IpAddr;

use netlink_core::{Be, Bytes, attrs, layout, message};

use crate::{Addr, Family};

mod display;
pub mod encap;
mod hop;
mod ila;
mod ioam6;
mod ip_tunnel;
mod lwt_bpf;
mod metrics;
mod mpls;
mod request;
mod rpl;
mod seg6;
mod seg6_local;
mod values;
mod xfrm;

pub use self::hop::{Hop, HopAttrs, HopBuilder, HopHeader, NextHop, NextHops, Via};
pub use self::metrics::{Features, Locks, Metric, Metrics, MetricsAttrs};
pub use self::mpls::Labels;
pub use self::request::{
    add, add_label, append, change, delete, delete_label, get, get_label, list, replace, replace_label,
};
pub use self::values::{DelReason, Protocol, RouteFlags, RouteTable, RouteType, RouterPreference, Scope};
pub use crate::ip::AnyAddr;
use encap::{Encap, EncapType};

layout! {
    /// `struct rtmsg`.
    pub struct RouteHeader: rtmsg = 12 {
        /// Address family.
        family: Family,
        /// Bits of the destination's prefix; 20 for an MPLS label.
        dst_len: u8,
        /// Bits of the source's prefix.
        src_len: u8,
        /// Type of service the packets must have, 0 for any. IPv4 only.
        tos: u8,
        /// Routing table, if the number fits; `RTA_TABLE` has it always.
        table: u8,
        /// Who made it.
        protocol: Protocol,
        /// Distance of the destination. IPv4 only.
        scope: Scope,
        /// Type: what happens to packets.
        kind: RouteType,
        /// State and options.
        flags: RouteFlags,
    }
}

layout! {
    /// `struct rta_cacheinfo`.
    pub struct CacheInfo: rta_cacheinfo = 32 {
        /// Number of references.
        references: u32,
        /// Time since the last use, in hundredths of a second.
        last_use: u32,
        /// Time until the route expires, in hundredths of a second; 0 is never, negative is past.
        expires: i32,
        /// Positive errno that packets get; 0 for none.
        error: u32,
        /// Number of uses.
        used: u32,
        /// Not used.
        id: u32,
        /// Not used.
        ts: u32,
        /// Not used.
        ts_age: u32,
    }
    shows |cache| { ; id ts ts_age }
}

layout! {
    /// `struct rta_mfc_stats`: traffic that a multicast route forwarded.
    pub struct MulticastStats: rta_mfc_stats = 24 {
        /// Packets.
        packets: u64,
        /// Bytes.
        bytes: u64,
        /// Packets that came from the wrong link.
        wrong_if: u64,
    }
}

attrs! {
    /// `RTA_*`.
    pub struct RouteAttrs<'a> for RouteRequest<R> {
        /// Destination. Absent for the default route. Its prefix length is in the fixed header. See
        /// [`Route::destination`] and [`Route::label`].
        1 RTA_DST dst: AnyAddr<'a>,
        /// Source prefix that packets must have; IPv6 with `CONFIG_IPV6_SUBTREES`. In a query: the source
        /// address; see [`RouteRequest::from`].
        2 RTA_SRC src: AnyAddr<'a>,
        /// Link that packets come from: in queries about forwarding, and in multicast routes.
        3 RTA_IIF iif: u32,
        /// Outgoing link. In a list: only routes with this link.
        4 RTA_OIF oif: u32,
        /// Gateway of the route's own family. To send one, use [`RouteRequest::gateway`].
        5 RTA_GATEWAY own_gateway: AnyAddr<'a>,
        /// Metric: the kernel uses the route with the lowest metric. Default: 0 in IPv4, 1024 in IPv6.
        6 RTA_PRIORITY priority: u32,
        /// Source address of packets that this host sends on this route.
        7 RTA_PREFSRC prefsrc: IpAddr,
        /// Values for TCP and IP on this path.
        8 RTA_METRICS metrics: MetricsAttrs<'a>,
        /// Several next hops. To send them, use [`RouteRequest::multipath`].
        9 RTA_MULTIPATH next_hops: NextHops<'a>,
        /// Not used.
        10 RTA_PROTOINFO protoinfo -> Bytes<'a>,
        /// Realms for traffic classes: source realm in the upper 16 bits, destination realm in the lower.
        /// IPv4, with `CONFIG_IP_ROUTE_CLASSID`.
        11 RTA_FLOW flow: u32,
        /// Lifetime, use and error.
        12 RTA_CACHEINFO cacheinfo: CacheInfo,
        /// Not used.
        13 RTA_SESSION session -> Bytes<'a>,
        /// Not used.
        14 RTA_MP_ALGO mp_algo -> Bytes<'a>,
        /// Routing table; replaces that of the fixed header. In a list: only routes of this table.
        15 RTA_TABLE table: u32,
        /// In a query: firewall mark of the packet.
        16 RTA_MARK mark: u32,
        /// Traffic that a multicast route forwarded.
        17 RTA_MFC_STATS mfc_stats: MulticastStats,
        /// Gateway of another family: IPv6 gateways of IPv4 routes (Linux 5.2), and all gateways of MPLS
        /// routes. To send one, use [`RouteRequest::gateway`].
        18 RTA_VIA other_gateway: Via<'a>,
        /// MPLS labels to put in place of the removed label. MPLS routes only.
        19 RTA_NEWDST newdst: Labels<'a>,
        /// Preference of the router among several. IPv6 only. Default: medium.
        20 RTA_PREF pref: RouterPreference,
        /// Type of the encapsulation; [`encap`](RouteRequest::encap) sets it.
        21 RTA_ENCAP_TYPE encap_type: EncapType,
        /// Encapsulation: give a builder of [`encap`]. It sets the type too.
        22 RTA_ENCAP encap: Encap<'a>,
        /// Seconds until the route expires. Only IPv6 routes can set it; IPv4 ignores it. For reading, see
        /// [`CacheInfo::expires`]. Multicast routes have hundredths of a second as 64 bits here.
        23 RTA_EXPIRES expires: u32,
        /// In a query: user id of the sender.
        25 RTA_UID uid: u32,
        /// MPLS: whether the IP TTL is copied at the ends of the path. Default: the sysctl.
        26 RTA_TTL_PROPAGATE ttl_propagate: bool,
        /// In a query: TCP (6), UDP (17), ICMP (1) or ICMPv6 (58). Linux 4.18.
        27 RTA_IP_PROTO ip_proto: u8,
        /// In a query: source port. Linux 4.18.
        28 RTA_SPORT sport: Be<u16> as u16,
        /// In a query: destination port. Linux 4.18.
        29 RTA_DPORT dport: Be<u16> as u16,
        /// Next hop object. To send one, use [`RouteRequest::nexthop`]. Linux 5.3.
        30 RTA_NH_ID nh_id: u32,
        /// In a query: IPv6 flow label, 20 bits. Linux 6.14.
        31 RTA_FLOWLABEL flowlabel: Be<u32> as u32,
        /// In the event of a removed route: the reason. After Linux 7.1.
        32 RTA_DEL_REASON del_reason: DelReason,
    }
}

message! {
    /// A route.
    pub struct Route<'a>(RouteHeader, RouteAttrs<'a>), RouteRequest {
        /// Answer and event: a route exists or was added. Request: make or change one.
        24 RTM_NEWROUTE NEW,
        /// Event: a route was removed. Request: delete one.
        25 RTM_DELROUTE DEL,
        /// Asks for one or all.
        26 RTM_GETROUTE GET,
    }
    about (display::subject)
    shows |route| {
        dst: Some(alloc::format!("{}", display::Destination(route))),
        src: route.source(),
        gateway: route.gateway(),
        own_gateway: route.own_gateway().filter(|addr| addr.ip().is_none()),
        other_gateway: route.other_gateway().filter(|via| via.ip().is_none()),
        table: Some(RouteTable(route.table())),
        route_type: Some(route.route_type()),
        tos: Some(route.tos()).filter(|tos| *tos != 0);
        dst_len src_len kind
    }
    on crate::PROTOCOL
}

/// What tells a route from others, as a deletion would name it: the key for a map.
///
/// Several next hops are not in it. A route that takes the place of another, or gets a second next hop, has another key if
/// its link or gateway becomes another; the event says [`Change::Changed`](crate::event::Change::Changed), and of the
/// former one there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct RouteKey {
    /// Address family.
    pub family: Family,
    /// Routing table.
    pub table: u32,
    /// Where it leads; `None` in families without IP addresses.
    pub destination: Option<Addr>,
    /// The label an MPLS route is for.
    pub label: Option<u32>,
    /// Source prefix that packets must have. IPv6.
    pub source: Option<Addr>,
    /// Type of service the packets must have.
    pub tos: u8,
    /// Metric.
    pub priority: u32,
    /// What it does.
    pub route_type: RouteType,
    /// How far it leads.
    pub scope: Scope,
    /// Who made it.
    pub protocol: Protocol,
    /// Outgoing link.
    pub oif: Option<u32>,
    /// Gateway.
    pub gateway: Option<IpAddr>,
    /// Source address of packets this host sends by it.
    pub prefsrc: Option<IpAddr>,
    /// Next hop object.
    pub nh_id: Option<u32>,
}

impl Route<'_> {
    /// What tells it from others.
    pub fn key(&self) -> RouteKey {
        let RouteHeader { family, tos, kind: route_type, scope, protocol, .. } = self.header();
        RouteKey {
            family,
            table: self.table(),
            destination: self.destination(),
            label: self.label(),
            source: self.source(),
            tos,
            priority: self.priority().unwrap_or_default(),
            route_type,
            scope,
            protocol,
            oif: self.oif(),
            gateway: self.gateway(),
            prefsrc: self.prefsrc(),
            nh_id: self.nh_id(),
        }
    }

    /// Address family.
    pub fn family(&self) -> Family {
        self.header().family
    }

    /// Destination. The default route is a prefix of length 0. `None` in families without IP addresses.
    pub fn destination(&self) -> Option<Addr> {
        let header = self.header();
        let ip = match (header.family, self.dst()) {
            (_, Some(addr)) => addr.ip(),
            (Family::INET | Family::IPMR, None) => Some(Addr::DEFAULT_V4.ip()),
            (Family::INET6 | Family::IP6MR, None) => Some(Addr::DEFAULT_V6.ip()),
            _ => None,
        };
        Addr::new(ip?, header.dst_len).ok()
    }

    /// Source prefix that packets must have. In an answer to a query: the source of the query.
    pub fn source(&self) -> Option<Addr> {
        Addr::new(self.src()?.ip()?, self.header().src_len).ok()
    }

    /// The label of an MPLS route.
    pub fn label(&self) -> Option<u32> {
        match self.dst()? {
            AnyAddr::Label(label) => Some(label),
            _ => None,
        }
    }

    /// The gateway, of the route's family or of another. Routes with several next hops have gateways in
    /// [`next_hops`](RouteAttrs::next_hops).
    pub fn gateway(&self) -> Option<IpAddr> {
        let own = self.own_gateway().and_then(|addr| addr.ip());
        own.or_else(|| self.other_gateway().and_then(|via| via.ip()))
    }

    /// Table: from the attribute, or from the fixed header where the attribute is absent.
    pub fn table(&self) -> u32 {
        self.attrs.table().unwrap_or_else(|| self.header().table.into())
    }

    /// Who made it.
    pub fn protocol(&self) -> Protocol {
        self.header().protocol
    }

    /// Distance of the destination.
    pub fn scope(&self) -> Scope {
        self.header().scope
    }

    /// What happens to packets.
    pub fn route_type(&self) -> RouteType {
        self.header().kind
    }

    /// Type of service the packets must have; 0 for any.
    pub fn tos(&self) -> u8 {
        self.header().tos
    }

    /// State of the route, and of its next hop if there is one.
    pub fn flags(&self) -> RouteFlags {
        self.header().flags
    }
}
