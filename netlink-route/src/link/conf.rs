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
        /// Whether ARP requests are answered for addresses that are reached through another link.
        3 IPV4_DEVCONF_PROXY_ARP PROXY_ARP "proxy_arp",
        /// Whether ICMP redirects are accepted.
        4 IPV4_DEVCONF_ACCEPT_REDIRECTS ACCEPT_REDIRECTS "accept_redirects",
        /// Whether only redirects to a known gateway are accepted.
        5 IPV4_DEVCONF_SECURE_REDIRECTS SECURE_REDIRECTS "secure_redirects",
        /// Whether redirects are sent.
        6 IPV4_DEVCONF_SEND_REDIRECTS SEND_REDIRECTS "send_redirects",
        /// Whether all networks on the link share one medium.
        7 IPV4_DEVCONF_SHARED_MEDIA SHARED_MEDIA "shared_media",
        /// Check of source addresses: 0 none, 1 the packet must come from the link that leads back, 2 any
        /// route back suffices.
        8 IPV4_DEVCONF_RP_FILTER RP_FILTER "rp_filter",
        /// Whether source routed packets are accepted.
        9 IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE ACCEPT_SOURCE_ROUTE "accept_source_route",
        /// Not used.
        10 IPV4_DEVCONF_BOOTP_RELAY BOOTP_RELAY "bootp_relay",
        /// Whether packets with impossible addresses are logged.
        11 IPV4_DEVCONF_LOG_MARTIANS LOG_MARTIANS "log_martians",
        /// A number for user space.
        12 IPV4_DEVCONF_TAG TAG "tag",
        /// Whether ARP is answered only on the link that leads to the sender.
        13 IPV4_DEVCONF_ARPFILTER ARPFILTER "arp_filter",
        /// Number of the medium, for proxy ARP; -1 is none.
        14 IPV4_DEVCONF_MEDIUM_ID MEDIUM_ID "medium_id",
        /// Whether IPsec is off.
        15 IPV4_DEVCONF_NOXFRM NOXFRM "disable_xfrm",
        /// Whether IPsec policies are off.
        16 IPV4_DEVCONF_NOPOLICY NOPOLICY "disable_policy",
        /// Version of IGMP; 0 adapts to the network.
        17 IPV4_DEVCONF_FORCE_IGMP_VERSION FORCE_IGMP_VERSION "force_igmp_version",
        /// Source address in ARP requests: 0 any, 1 one of the same network, 2 the best.
        18 IPV4_DEVCONF_ARP_ANNOUNCE ARP_ANNOUNCE "arp_announce",
        /// Which ARP requests are ignored: from 0, none, to 8, all.
        19 IPV4_DEVCONF_ARP_IGNORE ARP_IGNORE "arp_ignore",
        /// Whether a secondary address becomes primary when the primary one is removed.
        20 IPV4_DEVCONF_PROMOTE_SECONDARIES PROMOTE_SECONDARIES "promote_secondaries",
        /// Whether gratuitous ARP creates neighbour entries.
        21 IPV4_DEVCONF_ARP_ACCEPT ARP_ACCEPT "arp_accept",
        /// Whether gratuitous ARP is sent when the link comes up.
        22 IPV4_DEVCONF_ARP_NOTIFY ARP_NOTIFY "arp_notify",
        /// Whether packets with a source address of this host are accepted.
        23 IPV4_DEVCONF_ACCEPT_LOCAL ACCEPT_LOCAL "accept_local",
        /// Whether the check of source addresses uses the firewall mark.
        24 IPV4_DEVCONF_SRC_VMARK SRC_VMARK "src_valid_mark",
        /// Whether proxy ARP answers on the link that the request came from.
        25 IPV4_DEVCONF_PROXY_ARP_PVLAN PROXY_ARP_PVLAN "proxy_arp_pvlan",
        /// Whether 127.0.0.0/8 is routed.
        26 IPV4_DEVCONF_ROUTE_LOCALNET ROUTE_LOCALNET "route_localnet",
        /// Time between IGMPv1 and v2 reports, in milliseconds.
        27 IPV4_DEVCONF_IGMPV2_UNSOLICITED_REPORT_INTERVAL IGMPV2_UNSOLICITED_REPORT_INTERVAL "igmpv2_unsolicited_report_interval",
        /// Time between IGMPv3 reports, in milliseconds.
        28 IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL IGMPV3_UNSOLICITED_REPORT_INTERVAL "igmpv3_unsolicited_report_interval",
        /// Whether routes without carrier are ignored.
        29 IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN IGNORE_ROUTES_WITH_LINKDOWN "ignore_routes_with_linkdown",
        /// Whether unicast packets in multicast frames are dropped.
        30 IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST DROP_UNICAST_IN_L2_MULTICAST "drop_unicast_in_l2_multicast",
        /// Whether gratuitous ARP is dropped.
        31 IPV4_DEVCONF_DROP_GRATUITOUS_ARP DROP_GRATUITOUS_ARP "drop_gratuitous_arp",
        /// Whether broadcasts to other networks are forwarded. Linux 4.19.
        32 IPV4_DEVCONF_BC_FORWARDING BC_FORWARDING "bc_forwarding",
        /// Whether neighbour entries are removed when the carrier is lost. Linux 5.16.
        33 IPV4_DEVCONF_ARP_EVICT_NOCARRIER ARP_EVICT_NOCARRIER "arp_evict_nocarrier",
    }
}

values! {
    /// `DEVCONF_*`: settings of IPv6 on a link; the texts are the names below `/proc/sys/net/ipv6/conf`.
    pub struct Inet6Setting: u16 {
        /// Whether packets are forwarded and the host acts as a router.
        0 DEVCONF_FORWARDING FORWARDING "forwarding",
        /// Hop limit of packets that this host sends.
        1 DEVCONF_HOPLIMIT HOPLIMIT "hop_limit",
        /// Largest packet, in bytes.
        2 DEVCONF_MTU6 MTU6 "mtu",
        /// Router advertisements: 0 ignored, 1 accepted unless forwarding is on, 2 accepted.
        3 DEVCONF_ACCEPT_RA ACCEPT_RA "accept_ra",
        /// Whether ICMP redirects are accepted.
        4 DEVCONF_ACCEPT_REDIRECTS ACCEPT_REDIRECTS "accept_redirects",
        /// Whether addresses are made from advertised prefixes.
        5 DEVCONF_AUTOCONF AUTOCONF "autoconf",
        /// Number of probes for duplicate addresses.
        6 DEVCONF_DAD_TRANSMITS DAD_TRANSMITS "dad_transmits",
        /// Number of router solicitations to send; -1 is no limit.
        7 DEVCONF_RTR_SOLICITS RTR_SOLICITS "router_solicitations",
        /// Time between router solicitations, in milliseconds.
        8 DEVCONF_RTR_SOLICIT_INTERVAL RTR_SOLICIT_INTERVAL "router_solicitation_interval",
        /// Time before the first router solicitation, in milliseconds.
        9 DEVCONF_RTR_SOLICIT_DELAY RTR_SOLICIT_DELAY "router_solicitation_delay",
        /// Temporary addresses: 0 off, 1 made, 2 made and preferred.
        10 DEVCONF_USE_TEMPADDR USE_TEMPADDR "use_tempaddr",
        /// How long temporary addresses are valid, in seconds.
        11 DEVCONF_TEMP_VALID_LFT TEMP_VALID_LFT "temp_valid_lft",
        /// How long temporary addresses are preferred, in seconds.
        12 DEVCONF_TEMP_PREFERED_LFT TEMP_PREFERED_LFT "temp_prefered_lft",
        /// Number of attempts to make a temporary address.
        13 DEVCONF_REGEN_MAX_RETRY REGEN_MAX_RETRY "regen_max_retry",
        /// Largest random part of the lifetime of temporary addresses, in seconds.
        14 DEVCONF_MAX_DESYNC_FACTOR MAX_DESYNC_FACTOR "max_desync_factor",
        /// Largest number of addresses made from prefixes.
        15 DEVCONF_MAX_ADDRESSES MAX_ADDRESSES "max_addresses",
        /// Version of MLD; 0 adapts to the network.
        16 DEVCONF_FORCE_MLD_VERSION FORCE_MLD_VERSION "force_mld_version",
        /// Whether advertisements make default routes.
        17 DEVCONF_ACCEPT_RA_DEFRTR ACCEPT_RA_DEFRTR "accept_ra_defrtr",
        /// Whether advertised prefixes are accepted.
        18 DEVCONF_ACCEPT_RA_PINFO ACCEPT_RA_PINFO "accept_ra_pinfo",
        /// Whether the advertised preference of routers is used.
        19 DEVCONF_ACCEPT_RA_RTR_PREF ACCEPT_RA_RTR_PREF "accept_ra_rtr_pref",
        /// Time between probes of a router, in milliseconds.
        20 DEVCONF_RTR_PROBE_INTERVAL RTR_PROBE_INTERVAL "router_probe_interval",
        /// Longest accepted prefix of an advertised route.
        21 DEVCONF_ACCEPT_RA_RT_INFO_MAX_PLEN ACCEPT_RA_RT_INFO_MAX_PLEN "accept_ra_rt_info_max_plen",
        /// Whether neighbour solicitations are answered for other hosts.
        22 DEVCONF_PROXY_NDP PROXY_NDP "proxy_ndp",
        /// Whether addresses are usable while they are probed.
        23 DEVCONF_OPTIMISTIC_DAD OPTIMISTIC_DAD "optimistic_dad",
        /// Source routing: 0 only type 2, above 0 all types, below 0 none.
        24 DEVCONF_ACCEPT_SOURCE_ROUTE ACCEPT_SOURCE_ROUTE "accept_source_route",
        /// Whether multicast is forwarded; set by a routing daemon. Read-only.
        25 DEVCONF_MC_FORWARDING MC_FORWARDING "mc_forwarding",
        /// Whether IPv6 is off.
        26 DEVCONF_DISABLE_IPV6 DISABLE_IPV6 "disable_ipv6",
        /// Duplicate address detection: 0 off, 1 on, 2 on, and a duplicate disables IPv6.
        27 DEVCONF_ACCEPT_DAD ACCEPT_DAD "accept_dad",
        /// Whether neighbour advertisements always have the link-layer address.
        28 DEVCONF_FORCE_TLLAO FORCE_TLLAO "force_tllao",
        /// Whether neighbours are notified when the link comes up or its address changes.
        29 DEVCONF_NDISC_NOTIFY NDISC_NOTIFY "ndisc_notify",
        /// Time between MLDv1 reports, in milliseconds.
        30 DEVCONF_MLDV1_UNSOLICITED_REPORT_INTERVAL MLDV1_UNSOLICITED_REPORT_INTERVAL "mldv1_unsolicited_report_interval",
        /// Time between MLDv2 reports, in milliseconds.
        31 DEVCONF_MLDV2_UNSOLICITED_REPORT_INTERVAL MLDV2_UNSOLICITED_REPORT_INTERVAL "mldv2_unsolicited_report_interval",
        /// Whether fragmented neighbour messages are dropped.
        32 DEVCONF_SUPPRESS_FRAG_NDISC SUPPRESS_FRAG_NDISC "suppress_frag_ndisc",
        /// Whether advertisements that this host sent are accepted.
        33 DEVCONF_ACCEPT_RA_FROM_LOCAL ACCEPT_RA_FROM_LOCAL "accept_ra_from_local",
        /// Whether optimistic addresses may be chosen as source.
        34 DEVCONF_USE_OPTIMISTIC USE_OPTIMISTIC "use_optimistic",
        /// Whether the advertised MTU is used.
        35 DEVCONF_ACCEPT_RA_MTU ACCEPT_RA_MTU "accept_ra_mtu",
        /// Always 0: the kernel does not show the secret.
        36 DEVCONF_STABLE_SECRET STABLE_SECRET "stable_secret",
        /// Whether only addresses of the outgoing link are used as source.
        37 DEVCONF_USE_OIF_ADDRS_ONLY USE_OIF_ADDRS_ONLY "use_oif_addrs_only",
        /// Smallest accepted hop limit of an advertisement.
        38 DEVCONF_ACCEPT_RA_MIN_HOP_LIMIT ACCEPT_RA_MIN_HOP_LIMIT "accept_ra_min_hop_limit",
        /// Whether routes without carrier are ignored.
        39 DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN IGNORE_ROUTES_WITH_LINKDOWN "ignore_routes_with_linkdown",
        /// Whether unicast packets in multicast frames are dropped.
        40 DEVCONF_DROP_UNICAST_IN_L2_MULTICAST DROP_UNICAST_IN_L2_MULTICAST "drop_unicast_in_l2_multicast",
        /// Whether unsolicited advertisements are dropped.
        41 DEVCONF_DROP_UNSOLICITED_NA DROP_UNSOLICITED_NA "drop_unsolicited_na",
        /// Whether addresses are kept when the link goes down.
        42 DEVCONF_KEEP_ADDR_ON_DOWN KEEP_ADDR_ON_DOWN "keep_addr_on_down",
        /// Longest time between router solicitations, in milliseconds.
        43 DEVCONF_RTR_SOLICIT_MAX_INTERVAL RTR_SOLICIT_MAX_INTERVAL "router_solicitation_max_interval",
        /// Whether segment routed packets are accepted.
        44 DEVCONF_SEG6_ENABLED SEG6_ENABLED "seg6_enabled",
        /// HMAC of segment routed packets: -1 ignored, 0 checked if present, 1 required.
        45 DEVCONF_SEG6_REQUIRE_HMAC SEG6_REQUIRE_HMAC "seg6_require_hmac",
        /// Whether probes have a nonce, to detect loops.
        46 DEVCONF_ENHANCED_DAD ENHANCED_DAD "enhanced_dad",
        /// How the kernel makes link-local addresses: an [`AddrGenMode`].
        47 DEVCONF_ADDR_GEN_MODE ADDR_GEN_MODE "addr_gen_mode",
        /// Whether IPsec policies are off.
        48 DEVCONF_DISABLE_POLICY DISABLE_POLICY "disable_policy",
        /// Shortest accepted prefix of an advertised route.
        49 DEVCONF_ACCEPT_RA_RT_INFO_MIN_PLEN ACCEPT_RA_RT_INFO_MIN_PLEN "accept_ra_rt_info_min_plen",
        /// Traffic class of neighbour messages.
        50 DEVCONF_NDISC_TCLASS NDISC_TCLASS "ndisc_tclass",
        /// Whether packets with an RPL source route are accepted.
        51 DEVCONF_RPL_SEG_ENABLED RPL_SEG_ENABLED "rpl_seg_enabled",
        /// Metric of default routes from advertisements.
        52 DEVCONF_RA_DEFRTR_METRIC RA_DEFRTR_METRIC "ra_defrtr_metric",
        /// Whether in-situ measurements (IOAM) are accepted.
        53 DEVCONF_IOAM6_ENABLED IOAM6_ENABLED "ioam6_enabled",
        /// IOAM id of the link.
        54 DEVCONF_IOAM6_ID IOAM6_ID "ioam6_id",
        /// Wide IOAM id of the link.
        55 DEVCONF_IOAM6_ID_WIDE IOAM6_ID_WIDE "ioam6_id_wide",
        /// Whether neighbour entries are removed when the carrier is lost.
        56 DEVCONF_NDISC_EVICT_NOCARRIER NDISC_EVICT_NOCARRIER "ndisc_evict_nocarrier",
        /// Whether unsolicited advertisements create neighbour entries: 0 no, 1 yes, 2 only from the same network.
        57 DEVCONF_ACCEPT_UNTRACKED_NA ACCEPT_UNTRACKED_NA "accept_untracked_na",
        /// Shortest accepted lifetime in an advertisement, in seconds.
        58 DEVCONF_ACCEPT_RA_MIN_LFT ACCEPT_RA_MIN_LFT "accept_ra_min_lft",
        /// Whether packets are forwarded even if `forwarding` is off for all links. Linux 6.17.
        59 DEVCONF_FORCE_FORWARDING FORCE_FORWARDING "force_forwarding",
    }
}

values! {
    /// `IPSTATS_MIB_*`: IPv6 counters of a link. Number 0 is the number of counters.
    pub struct IpCounter: u16 {
        /// Packets received.
        1 IPSTATS_MIB_INPKTS INPKTS "inpkts",
        /// Bytes received.
        2 IPSTATS_MIB_INOCTETS INOCTETS "inoctets",
        /// Packets delivered to upper layers.
        3 IPSTATS_MIB_INDELIVERS INDELIVERS "indelivers",
        /// Packets received without ECN.
        4 IPSTATS_MIB_NOECTPKTS NOECTPKTS "noectpkts",
        /// Packets received with ECT(1).
        5 IPSTATS_MIB_ECT1PKTS ECT1PKTS "ect1pkts",
        /// Packets received with ECT(0).
        6 IPSTATS_MIB_ECT0PKTS ECT0PKTS "ect0pkts",
        /// Packets received with the mark "congestion experienced".
        7 IPSTATS_MIB_CEPKTS CEPKTS "cepkts",
        /// Packets that this host's programs sent. Linux 6.7.
        8 IPSTATS_MIB_OUTREQUESTS OUTREQUESTS "outrequests",
        /// Packets sent.
        9 IPSTATS_MIB_OUTPKTS OUTPKTS "outpkts",
        /// Bytes sent.
        10 IPSTATS_MIB_OUTOCTETS OUTOCTETS "outoctets",
        /// Packets forwarded.
        11 IPSTATS_MIB_OUTFORWDATAGRAMS OUTFORWDATAGRAMS "outforwdatagrams",
        /// Packets received with a bad header.
        12 IPSTATS_MIB_INHDRERRORS INHDRERRORS "inhdrerrors",
        /// Packets too big to forward.
        13 IPSTATS_MIB_INTOOBIGERRORS INTOOBIGERRORS "intoobigerrors",
        /// Packets received without a route.
        14 IPSTATS_MIB_INNOROUTES INNOROUTES "innoroutes",
        /// Packets to a bad address.
        15 IPSTATS_MIB_INADDRERRORS INADDRERRORS "inaddrerrors",
        /// Packets of an unknown protocol.
        16 IPSTATS_MIB_INUNKNOWNPROTOS INUNKNOWNPROTOS "inunknownprotos",
        /// Packets shorter than their header says.
        17 IPSTATS_MIB_INTRUNCATEDPKTS INTRUNCATEDPKTS "intruncatedpkts",
        /// Packets received and dropped for another reason.
        18 IPSTATS_MIB_INDISCARDS INDISCARDS "indiscards",
        /// Packets dropped when sending.
        19 IPSTATS_MIB_OUTDISCARDS OUTDISCARDS "outdiscards",
        /// Packets of this host without a route.
        20 IPSTATS_MIB_OUTNOROUTES OUTNOROUTES "outnoroutes",
        /// Reassemblies that timed out.
        21 IPSTATS_MIB_REASMTIMEOUT REASMTIMEOUT "reasmtimeout",
        /// Fragments received.
        22 IPSTATS_MIB_REASMREQDS REASMREQDS "reasmreqds",
        /// Packets reassembled.
        23 IPSTATS_MIB_REASMOKS REASMOKS "reasmoks",
        /// Packets that could not be reassembled.
        24 IPSTATS_MIB_REASMFAILS REASMFAILS "reasmfails",
        /// Packets fragmented.
        25 IPSTATS_MIB_FRAGOKS FRAGOKS "fragoks",
        /// Packets that could not be fragmented.
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
        /// Packets received with a bad checksum.
        36 IPSTATS_MIB_CSUMERRORS CSUMERRORS "csumerrors",
        /// Fragments that overlapped.
        37 IPSTATS_MIB_REASM_OVERLAPS REASM_OVERLAPS "reasm_overlaps",
    }
}

values! {
    /// `ICMP6_MIB_*`: ICMPv6 counters of a link. Number 0 is the number of counters.
    pub struct Icmp6Counter: u16 {
        /// Messages received.
        1 ICMP6_MIB_INMSGS INMSGS "inmsgs",
        /// Bad messages received.
        2 ICMP6_MIB_INERRORS INERRORS "inerrors",
        /// Messages sent.
        3 ICMP6_MIB_OUTMSGS OUTMSGS "outmsgs",
        /// Messages that could not be sent.
        4 ICMP6_MIB_OUTERRORS OUTERRORS "outerrors",
        /// Messages received with a bad checksum.
        5 ICMP6_MIB_CSUMERRORS CSUMERRORS "csumerrors",
        /// Messages not sent because of the host's rate limit.
        6 ICMP6_MIB_RATELIMITHOST RATELIMITHOST "ratelimithost",
    }
}
