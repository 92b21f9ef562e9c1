//! Names and numbers of routes: types, protocols, scopes, tables, flags.

use netlink_core::{IntoAttr, flags, values};

values! {
    /// `RTN_*`: what a route does with a packet.
    pub struct RouteType: u8 {
        /// Not given: in a deletion it matches every type, in an IPv4 route it means unicast.
        0 RTN_UNSPEC UNSPEC "none",
        /// Sends it on, through a gateway or straight to a link.
        1 RTN_UNICAST UNICAST "unicast",
        /// Takes it in: the destination is an address of this host.
        2 RTN_LOCAL LOCAL "local",
        /// Takes it in as broadcast, sends it as broadcast. IPv4 only.
        3 RTN_BROADCAST BROADCAST "broadcast",
        /// Takes it in, although the address may exist elsewhere too. IPv6.
        4 RTN_ANYCAST ANYCAST "anycast",
        /// A multicast destination.
        5 RTN_MULTICAST MULTICAST "multicast",
        /// Drops it without a word; local senders get `EINVAL`.
        6 RTN_BLACKHOLE BLACKHOLE "blackhole",
        /// Drops it and answers "host unreachable"; local senders get `EHOSTUNREACH`.
        7 RTN_UNREACHABLE UNREACHABLE "unreachable",
        /// Drops it and answers "administratively prohibited"; local senders get `EACCES`.
        8 RTN_PROHIBIT PROHIBIT "prohibit",
        /// Ends the lookup in this table; the next rule decides.
        9 RTN_THROW THROW "throw",
        /// Address translation of Linux 2.4; kernels of today refuse it.
        10 RTN_NAT NAT "nat",
        /// Asks an external resolver; never implemented.
        11 RTN_XRESOLVE XRESOLVE "xresolve",
    }
}

values! {
    /// `RTPROT_*`: who made a route. Numbers from 5 on mean nothing to the kernel.
    pub struct Protocol: u8 {
        /// Unknown; in a deletion or a filter it matches all.
        0 RTPROT_UNSPEC UNSPEC "unspec",
        /// An ICMP redirect.
        1 RTPROT_REDIRECT REDIRECT "redirect",
        /// The kernel, for an address or a link.
        2 RTPROT_KERNEL KERNEL "kernel",
        /// Somebody at boot time; what `ip route add` sets unless told otherwise, and what this crate sets.
        3 RTPROT_BOOT BOOT "boot",
        /// The administrator.
        4 RTPROT_STATIC STATIC "static",
        /// GateD.
        8 RTPROT_GATED GATED "gated",
        /// An IPv6 router advertisement.
        9 RTPROT_RA RA "ra",
        /// Merit MRT.
        10 RTPROT_MRT MRT "mrt",
        /// Zebra and FRRouting's own routes.
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
    /// `RT_SCOPE_*`: how far away a destination is, or how far an address is valid. Greater is nearer; numbers
    /// in between are free to use. IPv6 routes are all universe.
    pub struct Scope: u8 {
        /// Anywhere; routes through a gateway.
        0 RT_SCOPE_UNIVERSE UNIVERSE "global",
        /// Inside this site.
        200 RT_SCOPE_SITE SITE "site",
        /// On an attached link; routes without a gateway.
        253 RT_SCOPE_LINK LINK "link",
        /// On this host.
        254 RT_SCOPE_HOST HOST "host",
        /// Nowhere; in a deletion it matches every scope.
        255 RT_SCOPE_NOWHERE NOWHERE "nowhere",
    }
}

values! {
    /// `RT_TABLE_*`: routing tables with a name. Any `u32` but 0 is a table.
    pub struct RouteTable: u32 {
        /// None given: main for a new route, all of them for a list.
        0 RT_TABLE_UNSPEC UNSPEC "unspec",
        /// In the fixed header: the number doesn't fit there, see `RTA_TABLE`.
        252 RT_TABLE_COMPAT COMPAT "compat",
        /// Asked last; empty unless somebody fills it.
        253 RT_TABLE_DEFAULT DEFAULT "default",
        /// Where routes go that name no table.
        254 RT_TABLE_MAIN MAIN "main",
        /// Addresses of this host, kept by the kernel.
        255 RT_TABLE_LOCAL LOCAL "local",
    }
}

/// A table by its name, where a number is asked for.
impl IntoAttr<u32> for RouteTable {
    fn into_attr(self) -> u32 {
        self.0
    }
}

flags! {
    /// `RTM_F_*` and `RTNH_F_*`: state of a route, and options of a query. The lower byte tells about the next
    /// hop.
    pub struct RouteFlags: u32 {
        /// The next hop can't be used: its link is down.
        0x1 RTNH_F_DEAD DEAD,
        /// Recursive lookup of the gateway; never implemented.
        0x2 RTNH_F_PERVASIVE PERVASIVE,
        /// The gateway is on the link although no route says so. To set, name the outgoing link too.
        0x4 RTNH_F_ONLINK ONLINK,
        /// Hardware forwards through this next hop.
        0x8 RTNH_F_OFFLOAD NEXT_HOP_OFFLOAD,
        /// The link has no carrier.
        0x10 RTNH_F_LINKDOWN LINKDOWN,
        /// A multicast forwarding entry that waits for its route.
        0x20 RTNH_F_UNRESOLVED UNRESOLVED,
        /// Hardware hands packets of this next hop to the host. Linux 5.11.
        0x40 RTNH_F_TRAP NEXT_HOP_TRAP,
        /// Tell the requester when the route changes; asked for in a query, never implemented.
        0x100 RTM_F_NOTIFY NOTIFY,
        /// A cached copy: an exception with a path MTU or a redirect. In a list: these and nothing else.
        0x200 RTM_F_CLONED CLONED,
        /// Multipath equalizer, not in use.
        0x400 RTM_F_EQUALIZE EQUALIZE,
        /// IPv6 prefix of a router advertisement. In a list of IPv6 routes: these and nothing else.
        0x800 RTM_F_PREFIX PREFIX,
        /// In a query: answer with the table the route was found in, rather than main.
        0x1000 RTM_F_LOOKUP_TABLE LOOKUP_TABLE,
        /// In a query: answer with the entry of the table that matched, rather than the route made from it.
        /// IPv6 since Linux 4.20.
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
    /// `ICMPV6_ROUTER_PREF_*`: which of several equal IPv6 routers to use (RFC 4191).
    pub struct RouterPreference: u8 {
        /// The default.
        0 ICMPV6_ROUTER_PREF_MEDIUM MEDIUM "medium",
        /// Before others.
        1 ICMPV6_ROUTER_PREF_HIGH HIGH "high",
        /// Reserved on the wire; the kernel treats it as medium.
        2 ICMPV6_ROUTER_PREF_INVALID INVALID "invalid",
        /// After others.
        3 ICMPV6_ROUTER_PREF_LOW LOW "low",
    }
}

values! {
    /// `RT_DEL_REASON_*`: why the kernel removed a route by itself. After Linux 7.1.
    pub struct DelReason: u32 {
        /// Its lifetime ended.
        1 RT_DEL_REASON_EXPIRED EXPIRED "expired",
        /// The router took it back.
        2 RT_DEL_REASON_RA_WITHDRAWN RA_WITHDRAWN "ra-withdrawn",
    }
}
