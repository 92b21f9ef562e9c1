//! Routes. Kernel side: `uapi/linux/rtnetlink.h`, `net/ipv4/fib_frontend.c`, `net/ipv6/route.c`.

use core::net::IpAddr;

use netlink_core::{Bytes, Dump, MessageFlags, Str, attrs, flags, layout, message, values};

use crate::{Addr, Family};

values! {
    /// `RTN_*`: what a route does with a packet.
    pub struct RouteType: u8 {
        /// Sends it on, through a gateway or straight.
        1 RTN_UNICAST UNICAST "unicast",
        /// Takes it in.
        2 RTN_LOCAL LOCAL "local",
        /// Takes it in as broadcast, sends it as broadcast.
        3 RTN_BROADCAST BROADCAST "broadcast",
        /// Takes it in, sends it as unicast.
        4 RTN_ANYCAST ANYCAST "anycast",
        /// A multicast destination.
        5 RTN_MULTICAST MULTICAST "multicast",
        /// Drops it without a word.
        6 RTN_BLACKHOLE BLACKHOLE "blackhole",
        /// Drops it and answers "host unreachable".
        7 RTN_UNREACHABLE UNREACHABLE "unreachable",
        /// Drops it and answers "administratively prohibited".
        8 RTN_PROHIBIT PROHIBIT "prohibit",
        /// Goes on with the next rule.
        9 RTN_THROW THROW "throw",
        /// Not in use.
        10 RTN_NAT NAT "nat",
        /// Not in use.
        11 RTN_XRESOLVE XRESOLVE "xresolve",
    }
}

values! {
    /// `RTPROT_*`: who made a route.
    pub struct Protocol: u8 {
        /// Unknown.
        0 RTPROT_UNSPEC UNSPEC "unspec",
        /// The kernel.
        2 RTPROT_KERNEL KERNEL "kernel",
        /// Somebody at boot time.
        3 RTPROT_BOOT BOOT "boot",
        /// The administrator.
        4 RTPROT_STATIC STATIC "static",
    }
}

values! {
    /// `RT_SCOPE_*`: how far away the destination is.
    pub struct Scope: u8 {
        /// Anywhere.
        0 RT_SCOPE_UNIVERSE UNIVERSE "global",
        /// Inside this site.
        200 RT_SCOPE_SITE SITE "site",
        /// On an attached link.
        253 RT_SCOPE_LINK LINK "link",
        /// On this host.
        254 RT_SCOPE_HOST HOST "host",
        /// Nowhere.
        255 RT_SCOPE_NOWHERE NOWHERE "nowhere",
    }
}

flags! {
    /// `RTM_F_*` and `RTNH_F_*`: state of a route, and options of a query.
    pub struct RouteFlags: u32 {
        /// The gateway is on the link although no route says so.
        0x4 RTNH_F_ONLINK ONLINK,
    }
}

layout! {
    /// `struct rtmsg`.
    pub struct RouteHeader: rtmsg = 12 {
        /// Address family.
        family: Family,
        /// Bits of the destination's prefix.
        dst_len: u8,
        /// Bits of the source's prefix.
        src_len: u8,
        /// Type of service.
        tos: u8,
        /// Routing table, where the number fits.
        table: u8,
        /// Who made it.
        protocol: Protocol,
        /// How far it leads.
        scope: Scope,
        /// What it does.
        kind: RouteType,
        /// State and options.
        flags: RouteFlags,
    }
}

layout! {
    /// `struct rta_cacheinfo`.
    pub struct CacheInfo: rta_cacheinfo = 32 {
        /// References.
        references: u32,
        /// Since the last use, in hundredths of a second.
        last_use: u32,
        /// Left, in hundredths of a second; 0 is forever.
        expires: i32,
        /// Errno that packets get.
        error: u32,
        /// Uses.
        used: u32,
        /// Not in use.
        id: u32,
        /// Not in use.
        ts: u32,
        /// Not in use.
        ts_age: u32,
    }
}

attrs! {
    /// `RTAX_*`.
    pub struct MetricsAttrs<'a> for Metrics {
        1 RTAX_LOCK lock: u32,
        2 RTAX_MTU mtu: u32,
        3 RTAX_WINDOW window: u32,
        4 RTAX_RTT rtt: u32,
        5 RTAX_RTTVAR rtt_var: u32,
        6 RTAX_SSTHRESH ssthresh: u32,
        7 RTAX_CWND cwnd: u32,
        8 RTAX_ADVMSS adv_mss: u32,
        9 RTAX_REORDERING reordering: u32,
        10 RTAX_HOPLIMIT hop_limit: u32,
        11 RTAX_INITCWND init_cwnd: u32,
        12 RTAX_FEATURES features: u32,
        13 RTAX_RTO_MIN rto_min: u32,
        14 RTAX_INITRWND init_rwnd: u32,
        15 RTAX_QUICKACK quick_ack: u32,
        16 RTAX_CC_ALGO cc_algo: Str<'a, 15>,
        17 RTAX_FASTOPEN_NO_COOKIE fastopen_no_cookie: u32,
    }
}

attrs! {
    /// `RTA_*`.
    pub struct RouteAttrs<'a> for RouteRequest<R> {
        /// Destination.
        1 RTA_DST dst: IpAddr,
        /// Source, of routes that match it.
        2 RTA_SRC src: IpAddr,
        /// Incoming link.
        3 RTA_IIF iif: u32,
        /// Outgoing link.
        4 RTA_OIF oif: u32,
        /// Gateway.
        5 RTA_GATEWAY gateway: IpAddr,
        /// Metric.
        6 RTA_PRIORITY priority: u32,
        /// Preferred source.
        7 RTA_PREFSRC prefsrc: IpAddr,
        /// Metrics.
        8 RTA_METRICS metrics: MetricsAttrs<'a>,
        /// Next hops.
        9 RTA_MULTIPATH multipath: Bytes<'a>,
        /// Not in use.
        10 RTA_PROTOINFO protoinfo: u32,
        /// Realms.
        11 RTA_FLOW flow: u32,
        /// Cache.
        12 RTA_CACHEINFO cacheinfo: CacheInfo,
        /// Not in use.
        13 RTA_SESSION session: Bytes<'a>,
        /// Not in use.
        14 RTA_MP_ALGO mp_algo: Bytes<'a>,
        /// Table.
        15 RTA_TABLE table: u32,
        /// Mark.
        16 RTA_MARK mark: u32,
        /// Stats.
        17 RTA_MFC_STATS mfc_stats: Bytes<'a>,
        /// Via.
        18 RTA_VIA via: Bytes<'a>,
        /// Labels.
        19 RTA_NEWDST newdst: Bytes<'a>,
        /// Pref.
        20 RTA_PREF pref: u8,
        /// Encap.
        21 RTA_ENCAP_TYPE encap_type: u16,
        /// Encap.
        22 RTA_ENCAP encap: Bytes<'a>,
        /// Expiry.
        23 RTA_EXPIRES expires: u32,
        /// uid
        25 RTA_UID uid: u32,
        /// ttl
        26 RTA_TTL_PROPAGATE ttl_propagate: u8,
        /// proto
        27 RTA_IP_PROTO ip_proto: u8,
        /// sport
        28 RTA_SPORT sport: netlink_core::Be<u16>,
        /// dport
        29 RTA_DPORT dport: netlink_core::Be<u16>,
        /// nh
        30 RTA_NH_ID nh_id: u32,
        /// flow label
        31 RTA_FLOWLABEL flowlabel: netlink_core::Be<u32>,
    }
}

message! {
    /// A route.
    pub struct Route<'a>(RouteHeader, RouteAttrs<'a>), RouteRequest {
        /// Makes or changes one.
        24 RTM_NEWROUTE NEW,
        /// Deletes one.
        25 RTM_DELROUTE DEL,
        /// Asks for one or all.
        26 RTM_GETROUTE GET,
    }
}

/// Adds a route; `EEXIST` if there is one to this destination with the same metric and type of service.
#[inline]
pub fn add(to: Addr) -> RouteRequest<()> {
    new_route(to, MessageFlags::CREATE | MessageFlags::EXCL)
}

#[inline]
fn new_route(to: Addr, flags: MessageFlags) -> RouteRequest<()> {
    let header = RouteHeader::default()
        .family(to.family())
        .dst_len(to.prefix_len())
        .table(254)
        .protocol(Protocol::BOOT)
        .kind(RouteType::UNICAST);
    RouteRequest::new(&Route::NEW, flags | MessageFlags::ACK, header).dst(to.ip())
}

/// Lists.
pub fn list() -> RouteRequest<Dump<Route<'static>>> {
    RouteRequest::new(&Route::GET, MessageFlags::DUMP, RouteHeader::default())
}
