//! Names and numbers of routes: types, protocols, scopes, tables, flags.

use netlink_core::{IntoAttr, flags, values};

values! {
    /// `RTN_*`: what a route does with a packet.
    pub struct RouteType: u8 {
        /// Not given. In a deletion it matches every type; in an IPv4 route it means unicast.
        0 RTN_UNSPEC UNSPEC "none",
        /// Forwards the packet, through a gateway or directly to a link.
        1 RTN_UNICAST UNICAST "unicast",
        /// Delivers the packet: the destination is an address of this host.
        2 RTN_LOCAL LOCAL "local",
        /// Delivers and sends the packet as broadcast. IPv4 only.
        3 RTN_BROADCAST BROADCAST "broadcast",
        /// Delivers the packet. Other hosts can have the same address. IPv6.
        4 RTN_ANYCAST ANYCAST "anycast",
        /// A multicast destination.
        5 RTN_MULTICAST MULTICAST "multicast",
        /// Drops the packet silently; local senders get `EINVAL`.
        6 RTN_BLACKHOLE BLACKHOLE "blackhole",
        /// Drops the packet and answers "host unreachable"; local senders get `EHOSTUNREACH`.
        7 RTN_UNREACHABLE UNREACHABLE "unreachable",
        /// Drops the packet and answers "administratively prohibited"; local senders get `EACCES`.
        8 RTN_PROHIBIT PROHIBIT "prohibit",
        /// Ends the lookup in this table; the next rule decides.
        9 RTN_THROW THROW "throw",
        /// Address translation of Linux 2.4; kernels refuse it.
        10 RTN_NAT NAT "nat",
        /// External resolver; never implemented.
        11 RTN_XRESOLVE XRESOLVE "xresolve",
    }
}

values! {
    /// `RTPROT_*`: who made a route. The kernel gives numbers from 5 on no meaning.
    pub struct Protocol: u8 {
        /// Unknown. In a deletion or a filter it matches all.
        0 RTPROT_UNSPEC UNSPEC "unspec",
        /// An ICMP redirect.
        1 RTPROT_REDIRECT REDIRECT "redirect",
        /// The kernel, for an address or a link.
        2 RTPROT_KERNEL KERNEL "kernel",
        /// At boot time. The default of `ip route add` and of this crate.
        3 RTPROT_BOOT BOOT "boot",
        /// The administrator.
        4 RTPROT_STATIC STATIC "static",
        /// GateD.
        8 RTPROT_GATED GATED "gated",
        /// An IPv6 router advertisement.
        9 RTPROT_RA RA "ra",
        /// Merit MRT.
        10 RTPROT_MRT MRT "mrt",
        /// Zebra, and routes of FRRouting itself.
        11 RTPROT_ZEBRA ZEBRA "zebra",
        /// BIRD.
        12 RTPROT_BIRD BIRD "bird",
        /// DECnet routing daemon.
        13 RTPROT_DNROUTED DNROUTED "dnrouted",
        /// XORP.
        14 RTPROT_XORP XORP "xorp",
        /// Netsukuku.
        15 RTPROT_NTK NTK "ntk",
        /// A DHCP client.
        16 RTPROT_DHCP DHCP "dhcp",
        /// A multicast daemon.
        17 RTPROT_MROUTED MROUTED "mrouted",
        /// Keepalived. Named since Linux 5.9.
        18 RTPROT_KEEPALIVED KEEPALIVED "keepalived",
        /// Babel.
        42 RTPROT_BABEL BABEL "babel",
        /// Open Virtual Network. Named since Linux 6.15.
        84 RTPROT_OVN OVN "ovn",
        /// Open/R. Named since Linux 5.13.
        99 RTPROT_OPENR OPENR "openr",
        /// BGP.
        186 RTPROT_BGP BGP "bgp",
        /// IS-IS.
        187 RTPROT_ISIS ISIS "isis",
        /// OSPF.
        188 RTPROT_OSPF OSPF "ospf",
        /// RIP.
        189 RTPROT_RIP RIP "rip",
        /// EIGRP.
        192 RTPROT_EIGRP EIGRP "eigrp",
    }
}

values! {
    /// `RT_SCOPE_*`: the distance of a destination, or the range in which an address is valid. A greater
    /// number is nearer; numbers in between are free to use. IPv6 routes always have universe.
    pub struct Scope: u8 {
        /// Anywhere: routes with a gateway.
        0 RT_SCOPE_UNIVERSE UNIVERSE "global",
        /// Inside this site.
        200 RT_SCOPE_SITE SITE "site",
        /// On an attached link: routes without a gateway.
        253 RT_SCOPE_LINK LINK "link",
        /// On this host.
        254 RT_SCOPE_HOST HOST "host",
        /// Nowhere. In a deletion it matches every scope.
        255 RT_SCOPE_NOWHERE NOWHERE "nowhere",
    }
}

values! {
    /// `RT_TABLE_*`: routing tables with a name. A table is any `u32` except 0.
    pub struct RouteTable: u32 {
        /// Not given: main for a new route, all tables for a list.
        0 RT_TABLE_UNSPEC UNSPEC "unspec",
        /// In the fixed header: the number does not fit; see `RTA_TABLE`.
        252 RT_TABLE_COMPAT COMPAT "compat",
        /// The last table to be searched; normally empty.
        253 RT_TABLE_DEFAULT DEFAULT "default",
        /// The table of routes that name no table.
        254 RT_TABLE_MAIN MAIN "main",
        /// Addresses of this host; the kernel maintains it.
        255 RT_TABLE_LOCAL LOCAL "local",
    }
}

/// A table by its name, in place of a number.
impl IntoAttr<u32> for RouteTable {
    fn into_attr(self) -> u32 {
        self.0
    }
}

flags! {
    /// `RTM_F_*` and `RTNH_F_*`: state of a route, and options of a query. The lower byte is about the next hop.
    pub struct RouteFlags: u32 {
        /// The next hop can't be used because its link is down.
        0x1 RTNH_F_DEAD DEAD,
        /// Recursive lookup of the gateway; never implemented.
        0x2 RTNH_F_PERVASIVE PERVASIVE,
        /// The gateway is on the link even if no route says so. In a request, set the outgoing link too.
        0x4 RTNH_F_ONLINK ONLINK,
        /// Hardware forwards through this next hop.
        0x8 RTNH_F_OFFLOAD NEXT_HOP_OFFLOAD,
        /// The link has no carrier.
        0x10 RTNH_F_LINKDOWN LINKDOWN,
        /// A multicast forwarding entry that waits for its route.
        0x20 RTNH_F_UNRESOLVED UNRESOLVED,
        /// Hardware hands packets of this next hop to the host. Linux 5.11.
        0x40 RTNH_F_TRAP NEXT_HOP_TRAP,
        /// In a query: notify the requester when the route changes. Never implemented.
        0x100 RTM_F_NOTIFY NOTIFY,
        /// A cached exception with a path MTU or a redirect. In a list: only these.
        0x200 RTM_F_CLONED CLONED,
        /// Multipath equalizer, not used.
        0x400 RTM_F_EQUALIZE EQUALIZE,
        /// IPv6 prefix of a router advertisement. In a list of IPv6 routes: only these.
        0x800 RTM_F_PREFIX PREFIX,
        /// In a query: answer with the table of the route, instead of main.
        0x1000 RTM_F_LOOKUP_TABLE LOOKUP_TABLE,
        /// In a query: answer with the table entry that matched, instead of the route made from it. IPv6
        /// since Linux 4.20.
        0x2000 RTM_F_FIB_MATCH FIB_MATCH,
        /// The route is in hardware. Linux 5.6.
        0x4000 RTM_F_OFFLOAD OFFLOAD,
        /// Hardware hands its packets to the host. Linux 5.6.
        0x8000 RTM_F_TRAP TRAP,
        /// Hardware refused the route. Linux 5.12.
        0x2000_0000 RTM_F_OFFLOAD_FAILED OFFLOAD_FAILED,
    }
}

values! {
    /// `ICMPV6_ROUTER_PREF_*`: preference among equal IPv6 routers (RFC 4191).
    pub struct RouterPreference: u8 {
        /// The default.
        0 ICMPV6_ROUTER_PREF_MEDIUM MEDIUM "medium",
        /// Preferred to others.
        1 ICMPV6_ROUTER_PREF_HIGH HIGH "high",
        /// Reserved on the wire; the kernel treats it as medium.
        2 ICMPV6_ROUTER_PREF_INVALID INVALID "invalid",
        /// Used only if there is no other.
        3 ICMPV6_ROUTER_PREF_LOW LOW "low",
    }
}

values! {
    /// `RT_DEL_REASON_*`: why the kernel removed a route by itself. After Linux 7.1.
    pub struct DelReason: u32 {
        /// Its lifetime ended.
        1 RT_DEL_REASON_EXPIRED EXPIRED "expired",
        /// The router withdrew it.
        2 RT_DEL_REASON_RA_WITHDRAWN RA_WITHDRAWN "ra-withdrawn",
    }
}
