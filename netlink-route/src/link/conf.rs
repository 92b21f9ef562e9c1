//! Names of the settings and counters that `IFLA_AF_SPEC` has as numbered lists.

use netlink_core::values;

#[cfg(doc)]
use super::af_spec::AddrGenMode;

values! {
    /// `IPV4_DEVCONF_*`: settings of IPv4 on a link; the texts are the names below `/proc/sys/net/ipv4/conf`.
    pub struct Inet4Setting: u16 {
        /// Whether packets are forwarded.
        1 IPV4_DEVCONF_FORWARDING FORWARDING "forwarding",
        /// Whether multicast is forwarded; set by a routing daemon. Read-only.
        2 IPV4_DEVCONF_MC_FORWARDING MC_FORWARDING "mc_forwarding",
        /// Whether ARP is answered for addresses reached through another link.
        3 IPV4_DEVCONF_PROXY_ARP PROXY_ARP "proxy_arp",
        /// Whether ICMP redirects are obeyed.
        4 IPV4_DEVCONF_ACCEPT_REDIRECTS ACCEPT_REDIRECTS "accept_redirects",
        /// Whether redirects are obeyed only if they name a known gateway.
        5 IPV4_DEVCONF_SECURE_REDIRECTS SECURE_REDIRECTS "secure_redirects",
        /// Whether redirects are sent.
        6 IPV4_DEVCONF_SEND_REDIRECTS SEND_REDIRECTS "send_redirects",
        /// Whether all networks on the link share one medium.
        7 IPV4_DEVCONF_SHARED_MEDIA SHARED_MEDIA "shared_media",
        /// Check of source addresses: 0 none, 1 by the way back, 2 that there is a way back.
        8 IPV4_DEVCONF_RP_FILTER RP_FILTER "rp_filter",
        /// Whether source routed packets are taken.
        9 IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE ACCEPT_SOURCE_ROUTE "accept_source_route",
        /// Not in use.
        10 IPV4_DEVCONF_BOOTP_RELAY BOOTP_RELAY "bootp_relay",
        /// Whether impossible addresses are logged.
        11 IPV4_DEVCONF_LOG_MARTIANS LOG_MARTIANS "log_martians",
        /// A number for user space.
        12 IPV4_DEVCONF_TAG TAG "tag",
        /// Whether ARP is answered only by the link that leads to the asker.
        13 IPV4_DEVCONF_ARPFILTER ARPFILTER "arp_filter",
        /// Number of the medium, for proxy ARP; -1 is none.
        14 IPV4_DEVCONF_MEDIUM_ID MEDIUM_ID "medium_id",
        /// Whether IPsec is off.
        15 IPV4_DEVCONF_NOXFRM NOXFRM "disable_xfrm",
        /// Whether IPsec policies are off.
        16 IPV4_DEVCONF_NOPOLICY NOPOLICY "disable_policy",
        /// Version of IGMP; 0 follows the network.
        17 IPV4_DEVCONF_FORCE_IGMP_VERSION FORCE_IGMP_VERSION "force_igmp_version",
        /// Which own address ARP requests name: 0 any, 1 one of the same network, 2 the best.
        18 IPV4_DEVCONF_ARP_ANNOUNCE ARP_ANNOUNCE "arp_announce",
        /// Which ARP requests are ignored: 0 none, to 8 all.
        19 IPV4_DEVCONF_ARP_IGNORE ARP_IGNORE "arp_ignore",
        /// Whether a secondary address takes over when the primary one goes.
        20 IPV4_DEVCONF_PROMOTE_SECONDARIES PROMOTE_SECONDARIES "promote_secondaries",
        /// Whether gratuitous ARP makes new neighbours.
        21 IPV4_DEVCONF_ARP_ACCEPT ARP_ACCEPT "arp_accept",
        /// Whether gratuitous ARP is sent when the link comes up.
        22 IPV4_DEVCONF_ARP_NOTIFY ARP_NOTIFY "arp_notify",
        /// Whether packets with an own source address are taken.
        23 IPV4_DEVCONF_ACCEPT_LOCAL ACCEPT_LOCAL "accept_local",
        /// Whether the check of source addresses goes by mark.
        24 IPV4_DEVCONF_SRC_VMARK SRC_VMARK "src_valid_mark",
        /// Whether proxy ARP answers on the link the request came from.
        25 IPV4_DEVCONF_PROXY_ARP_PVLAN PROXY_ARP_PVLAN "proxy_arp_pvlan",
        /// Whether 127.0.0.0/8 is routed.
        26 IPV4_DEVCONF_ROUTE_LOCALNET ROUTE_LOCALNET "route_localnet",
        /// Time between IGMPv1 and v2 reports, in milliseconds.
        27 IPV4_DEVCONF_IGMPV2_UNSOLICITED_REPORT_INTERVAL IGMPV2_UNSOLICITED_REPORT_INTERVAL "igmpv2_unsolicited_report_interval",
        /// Time between IGMPv3 reports, in milliseconds.
        28 IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL IGMPV3_UNSOLICITED_REPORT_INTERVAL "igmpv3_unsolicited_report_interval",
        /// Whether routes without carrier are passed over.
        29 IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN IGNORE_ROUTES_WITH_LINKDOWN "ignore_routes_with_linkdown",
        /// Whether unicast packets in multicast frames are dropped.
        30 IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST DROP_UNICAST_IN_L2_MULTICAST "drop_unicast_in_l2_multicast",
        /// Whether gratuitous ARP is dropped.
        31 IPV4_DEVCONF_DROP_GRATUITOUS_ARP DROP_GRATUITOUS_ARP "drop_gratuitous_arp",
        /// Whether broadcast to another network is forwarded. Linux 4.19.
        32 IPV4_DEVCONF_BC_FORWARDING BC_FORWARDING "bc_forwarding",
        /// Whether neighbours are forgotten when the carrier goes. Linux 5.16.
        33 IPV4_DEVCONF_ARP_EVICT_NOCARRIER ARP_EVICT_NOCARRIER "arp_evict_nocarrier",
    }
}

values! {
    /// `DEVCONF_*`: settings of IPv6 on a link; the texts are the names below `/proc/sys/net/ipv6/conf`.
    pub struct Inet6Setting: u16 {
        /// Whether packets are forwarded, and the host is a router.
        0 DEVCONF_FORWARDING FORWARDING "forwarding",
        /// Hop limit of own packets.
        1 DEVCONF_HOPLIMIT HOPLIMIT "hop_limit",
        /// Largest packet, in bytes.
        2 DEVCONF_MTU6 MTU6 "mtu",
        /// Router advertisements: 0 ignored, 1 taken unless forwarding, 2 taken.
        3 DEVCONF_ACCEPT_RA ACCEPT_RA "accept_ra",
        /// Whether ICMP redirects are obeyed.
        4 DEVCONF_ACCEPT_REDIRECTS ACCEPT_REDIRECTS "accept_redirects",
        /// Whether advertised prefixes make addresses.
        5 DEVCONF_AUTOCONF AUTOCONF "autoconf",
        /// Probes for duplicate addresses.
        6 DEVCONF_DAD_TRANSMITS DAD_TRANSMITS "dad_transmits",
        /// Router solicitations to send; -1 is no limit.
        7 DEVCONF_RTR_SOLICITS RTR_SOLICITS "router_solicitations",
        /// Time between them, in milliseconds.
        8 DEVCONF_RTR_SOLICIT_INTERVAL RTR_SOLICIT_INTERVAL "router_solicitation_interval",
        /// Time before the first, in milliseconds.
        9 DEVCONF_RTR_SOLICIT_DELAY RTR_SOLICIT_DELAY "router_solicitation_delay",
        /// Temporary addresses: 0 off, 1 made, 2 preferred.
        10 DEVCONF_USE_TEMPADDR USE_TEMPADDR "use_tempaddr",
        /// How long they are valid, in seconds.
        11 DEVCONF_TEMP_VALID_LFT TEMP_VALID_LFT "temp_valid_lft",
        /// How long they are preferred, in seconds.
        12 DEVCONF_TEMP_PREFERED_LFT TEMP_PREFERED_LFT "temp_prefered_lft",
        /// Attempts to make one.
        13 DEVCONF_REGEN_MAX_RETRY REGEN_MAX_RETRY "regen_max_retry",
        /// Largest random part of their life time, in seconds.
        14 DEVCONF_MAX_DESYNC_FACTOR MAX_DESYNC_FACTOR "max_desync_factor",
        /// Most addresses made from prefixes.
        15 DEVCONF_MAX_ADDRESSES MAX_ADDRESSES "max_addresses",
        /// Version of MLD; 0 follows the network.
        16 DEVCONF_FORCE_MLD_VERSION FORCE_MLD_VERSION "force_mld_version",
        /// Whether advertisements make default routes.
        17 DEVCONF_ACCEPT_RA_DEFRTR ACCEPT_RA_DEFRTR "accept_ra_defrtr",
        /// Whether advertised prefixes are taken.
        18 DEVCONF_ACCEPT_RA_PINFO ACCEPT_RA_PINFO "accept_ra_pinfo",
        /// Whether the preference of routers is taken.
        19 DEVCONF_ACCEPT_RA_RTR_PREF ACCEPT_RA_RTR_PREF "accept_ra_rtr_pref",
        /// Time between probes of a router, in milliseconds.
        20 DEVCONF_RTR_PROBE_INTERVAL RTR_PROBE_INTERVAL "router_probe_interval",
        /// Longest prefix of an advertised route that is taken.
        21 DEVCONF_ACCEPT_RA_RT_INFO_MAX_PLEN ACCEPT_RA_RT_INFO_MAX_PLEN "accept_ra_rt_info_max_plen",
        /// Whether neighbours are answered for by proxy.
        22 DEVCONF_PROXY_NDP PROXY_NDP "proxy_ndp",
        /// Whether addresses are used while still being probed.
        23 DEVCONF_OPTIMISTIC_DAD OPTIMISTIC_DAD "optimistic_dad",
        /// Source routing: 0 only type 2, more than 0 all, less none.
        24 DEVCONF_ACCEPT_SOURCE_ROUTE ACCEPT_SOURCE_ROUTE "accept_source_route",
        /// Whether multicast is forwarded; set by a routing daemon. Read-only.
        25 DEVCONF_MC_FORWARDING MC_FORWARDING "mc_forwarding",
        /// Whether IPv6 is off.
        26 DEVCONF_DISABLE_IPV6 DISABLE_IPV6 "disable_ipv6",
        /// Duplicate addresses: 0 not probed, 1 probed, 2 also shuts IPv6 off.
        27 DEVCONF_ACCEPT_DAD ACCEPT_DAD "accept_dad",
        /// Whether answers always name the link-layer address.
        28 DEVCONF_FORCE_TLLAO FORCE_TLLAO "force_tllao",
        /// Whether neighbours are told when the link comes up or changes address.
        29 DEVCONF_NDISC_NOTIFY NDISC_NOTIFY "ndisc_notify",
        /// Time between MLDv1 reports, in milliseconds.
        30 DEVCONF_MLDV1_UNSOLICITED_REPORT_INTERVAL MLDV1_UNSOLICITED_REPORT_INTERVAL "mldv1_unsolicited_report_interval",
        /// Time between MLDv2 reports, in milliseconds.
        31 DEVCONF_MLDV2_UNSOLICITED_REPORT_INTERVAL MLDV2_UNSOLICITED_REPORT_INTERVAL "mldv2_unsolicited_report_interval",
        /// Whether fragmented neighbour messages are dropped.
        32 DEVCONF_SUPPRESS_FRAG_NDISC SUPPRESS_FRAG_NDISC "suppress_frag_ndisc",
        /// Whether own advertisements are taken.
        33 DEVCONF_ACCEPT_RA_FROM_LOCAL ACCEPT_RA_FROM_LOCAL "accept_ra_from_local",
        /// Whether optimistic addresses may be chosen as source.
        34 DEVCONF_USE_OPTIMISTIC USE_OPTIMISTIC "use_optimistic",
        /// Whether the advertised MTU is taken.
        35 DEVCONF_ACCEPT_RA_MTU ACCEPT_RA_MTU "accept_ra_mtu",
        /// Always 0: the secret is not shown.
        36 DEVCONF_STABLE_SECRET STABLE_SECRET "stable_secret",
        /// Whether sources come only from the link that sends.
        37 DEVCONF_USE_OIF_ADDRS_ONLY USE_OIF_ADDRS_ONLY "use_oif_addrs_only",
        /// Smallest advertised hop limit that is taken.
        38 DEVCONF_ACCEPT_RA_MIN_HOP_LIMIT ACCEPT_RA_MIN_HOP_LIMIT "accept_ra_min_hop_limit",
        /// Whether routes without carrier are passed over.
        39 DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN IGNORE_ROUTES_WITH_LINKDOWN "ignore_routes_with_linkdown",
        /// Whether unicast packets in multicast frames are dropped.
        40 DEVCONF_DROP_UNICAST_IN_L2_MULTICAST DROP_UNICAST_IN_L2_MULTICAST "drop_unicast_in_l2_multicast",
        /// Whether unsolicited advertisements are dropped.
        41 DEVCONF_DROP_UNSOLICITED_NA DROP_UNSOLICITED_NA "drop_unsolicited_na",
        /// Whether addresses stay when the link goes down.
        42 DEVCONF_KEEP_ADDR_ON_DOWN KEEP_ADDR_ON_DOWN "keep_addr_on_down",
        /// Longest time between router solicitations, in milliseconds.
        43 DEVCONF_RTR_SOLICIT_MAX_INTERVAL RTR_SOLICIT_MAX_INTERVAL "router_solicitation_max_interval",
        /// Whether segment routed packets are taken.
        44 DEVCONF_SEG6_ENABLED SEG6_ENABLED "seg6_enabled",
        /// Their signature: -1 ignored, 0 checked if there, 1 wanted.
        45 DEVCONF_SEG6_REQUIRE_HMAC SEG6_REQUIRE_HMAC "seg6_require_hmac",
        /// Whether probes carry a nonce against loops.
        46 DEVCONF_ENHANCED_DAD ENHANCED_DAD "enhanced_dad",
        /// How link-local addresses are made: an [`AddrGenMode`].
        47 DEVCONF_ADDR_GEN_MODE ADDR_GEN_MODE "addr_gen_mode",
        /// Whether IPsec policies are off.
        48 DEVCONF_DISABLE_POLICY DISABLE_POLICY "disable_policy",
        /// Shortest prefix of an advertised route that is taken.
        49 DEVCONF_ACCEPT_RA_RT_INFO_MIN_PLEN ACCEPT_RA_RT_INFO_MIN_PLEN "accept_ra_rt_info_min_plen",
        /// Traffic class of neighbour messages.
        50 DEVCONF_NDISC_TCLASS NDISC_TCLASS "ndisc_tclass",
        /// Whether packets with an RPL source route are taken.
        51 DEVCONF_RPL_SEG_ENABLED RPL_SEG_ENABLED "rpl_seg_enabled",
        /// Metric of default routes from advertisements.
        52 DEVCONF_RA_DEFRTR_METRIC RA_DEFRTR_METRIC "ra_defrtr_metric",
        /// Whether in-situ measurements are taken.
        53 DEVCONF_IOAM6_ENABLED IOAM6_ENABLED "ioam6_enabled",
        /// Number of the link in them.
        54 DEVCONF_IOAM6_ID IOAM6_ID "ioam6_id",
        /// The same, wide.
        55 DEVCONF_IOAM6_ID_WIDE IOAM6_ID_WIDE "ioam6_id_wide",
        /// Whether neighbours are forgotten when the carrier goes.
        56 DEVCONF_NDISC_EVICT_NOCARRIER NDISC_EVICT_NOCARRIER "ndisc_evict_nocarrier",
        /// Whether unknown neighbours that announce themselves are remembered: 0 no, 1 yes, 2 if of the same network.
        57 DEVCONF_ACCEPT_UNTRACKED_NA ACCEPT_UNTRACKED_NA "accept_untracked_na",
        /// Shortest advertised life time that is taken, in seconds.
        58 DEVCONF_ACCEPT_RA_MIN_LFT ACCEPT_RA_MIN_LFT "accept_ra_min_lft",
        /// Whether packets are forwarded whatever `forwarding` of all links says. Linux 6.17.
        59 DEVCONF_FORCE_FORWARDING FORCE_FORWARDING "force_forwarding",
    }
}

values! {
    /// `IPSTATS_MIB_*`: counters of IPv6 on a link. Number 0 is how many there are.
    pub struct IpCounter: u16 {
        /// Packets received.
        1 IPSTATS_MIB_INPKTS INPKTS "inpkts",
        /// Bytes of them.
        2 IPSTATS_MIB_INOCTETS INOCTETS "inoctets",
        /// Packets handed up.
        3 IPSTATS_MIB_INDELIVERS INDELIVERS "indelivers",
        /// Packets received without ECN.
        4 IPSTATS_MIB_NOECTPKTS NOECTPKTS "noectpkts",
        /// With ECT(1).
        5 IPSTATS_MIB_ECT1PKTS ECT1PKTS "ect1pkts",
        /// With ECT(0).
        6 IPSTATS_MIB_ECT0PKTS ECT0PKTS "ect0pkts",
        /// That met congestion.
        7 IPSTATS_MIB_CEPKTS CEPKTS "cepkts",
        /// Packets that own programs sent. Linux 6.7.
        8 IPSTATS_MIB_OUTREQUESTS OUTREQUESTS "outrequests",
        /// Packets sent.
        9 IPSTATS_MIB_OUTPKTS OUTPKTS "outpkts",
        /// Bytes of them.
        10 IPSTATS_MIB_OUTOCTETS OUTOCTETS "outoctets",
        /// Packets forwarded.
        11 IPSTATS_MIB_OUTFORWDATAGRAMS OUTFORWDATAGRAMS "outforwdatagrams",
        /// With a bad header.
        12 IPSTATS_MIB_INHDRERRORS INHDRERRORS "inhdrerrors",
        /// Too big to forward.
        13 IPSTATS_MIB_INTOOBIGERRORS INTOOBIGERRORS "intoobigerrors",
        /// Without a route.
        14 IPSTATS_MIB_INNOROUTES INNOROUTES "innoroutes",
        /// To a bad address.
        15 IPSTATS_MIB_INADDRERRORS INADDRERRORS "inaddrerrors",
        /// Of an unknown protocol.
        16 IPSTATS_MIB_INUNKNOWNPROTOS INUNKNOWNPROTOS "inunknownprotos",
        /// Shorter than their header says.
        17 IPSTATS_MIB_INTRUNCATEDPKTS INTRUNCATEDPKTS "intruncatedpkts",
        /// Received and dropped for another reason.
        18 IPSTATS_MIB_INDISCARDS INDISCARDS "indiscards",
        /// Dropped when sending.
        19 IPSTATS_MIB_OUTDISCARDS OUTDISCARDS "outdiscards",
        /// Own packets without a route.
        20 IPSTATS_MIB_OUTNOROUTES OUTNOROUTES "outnoroutes",
        /// Fragments that waited too long.
        21 IPSTATS_MIB_REASMTIMEOUT REASMTIMEOUT "reasmtimeout",
        /// Fragments received.
        22 IPSTATS_MIB_REASMREQDS REASMREQDS "reasmreqds",
        /// Packets put together.
        23 IPSTATS_MIB_REASMOKS REASMOKS "reasmoks",
        /// Packets that could not be put together.
        24 IPSTATS_MIB_REASMFAILS REASMFAILS "reasmfails",
        /// Packets taken apart.
        25 IPSTATS_MIB_FRAGOKS FRAGOKS "fragoks",
        /// Packets that could not be taken apart.
        26 IPSTATS_MIB_FRAGFAILS FRAGFAILS "fragfails",
        /// Fragments made.
        27 IPSTATS_MIB_FRAGCREATES FRAGCREATES "fragcreates",
        /// Multicast packets received.
        28 IPSTATS_MIB_INMCASTPKTS INMCASTPKTS "inmcastpkts",
        /// Multicast packets sent.
        29 IPSTATS_MIB_OUTMCASTPKTS OUTMCASTPKTS "outmcastpkts",
        /// Broadcast packets received.
        30 IPSTATS_MIB_INBCASTPKTS INBCASTPKTS "inbcastpkts",
        /// Broadcast packets sent.
        31 IPSTATS_MIB_OUTBCASTPKTS OUTBCASTPKTS "outbcastpkts",
        /// Bytes of multicast received.
        32 IPSTATS_MIB_INMCASTOCTETS INMCASTOCTETS "inmcastoctets",
        /// Bytes of multicast sent.
        33 IPSTATS_MIB_OUTMCASTOCTETS OUTMCASTOCTETS "outmcastoctets",
        /// Bytes of broadcast received.
        34 IPSTATS_MIB_INBCASTOCTETS INBCASTOCTETS "inbcastoctets",
        /// Bytes of broadcast sent.
        35 IPSTATS_MIB_OUTBCASTOCTETS OUTBCASTOCTETS "outbcastoctets",
        /// With a bad checksum.
        36 IPSTATS_MIB_CSUMERRORS CSUMERRORS "csumerrors",
        /// Fragments that overlapped.
        37 IPSTATS_MIB_REASM_OVERLAPS REASM_OVERLAPS "reasm_overlaps",
    }
}

values! {
    /// `ICMP6_MIB_*`: counters of ICMPv6 on a link. Number 0 is how many there are.
    pub struct Icmp6Counter: u16 {
        /// Messages received.
        1 ICMP6_MIB_INMSGS INMSGS "inmsgs",
        /// Bad ones.
        2 ICMP6_MIB_INERRORS INERRORS "inerrors",
        /// Messages sent.
        3 ICMP6_MIB_OUTMSGS OUTMSGS "outmsgs",
        /// That could not be sent.
        4 ICMP6_MIB_OUTERRORS OUTERRORS "outerrors",
        /// Received with a bad checksum.
        5 ICMP6_MIB_CSUMERRORS CSUMERRORS "csumerrors",
        /// Held back by the limit of the host.
        6 ICMP6_MIB_RATELIMITHOST RATELIMITHOST "ratelimithost",
    }
}
