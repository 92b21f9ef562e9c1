//! The content of `tests/golden` in both byte orders, as this kernel sends it.

use netlink_testing::golden::Monitor;
use netlink_testing::{Result, ipv6, kind, module, program, seconds, suite};

use crate::golden::read;
use crate::routes::run_ip;

suite! {
    links: kind("bridge"), kind("veth"), kind("vxlan"), kind("macvlan"), kind("macvtap"), kind("ifb"), program("ip");
    addresses: kind("veth"), ipv6(), program("ip");
    routes: kind("veth"), ipv6(), program("ip"), seconds(60);
    labels: kind("veth"), ipv6(), program("ip"), module("mpls_router");
}

/// `NETLINK_ROUTE`, and its groups.
const PROTOCOL: i32 = 0;
const LINK: u32 = 1;
const IPV4_ADDRESS: u32 = 5;
const IPV4_ROUTE: u32 = 7;
const IPV6_ADDRESS: u32 = 9;
const IPV6_ROUTE: u32 = 11;
const MPLS_ROUTE: u32 = 27;

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;

/// Each command, and the file for the messages that it causes.
fn keep(groups: &[u32], kind: u16, commands: &[(&str, &str)]) -> Result {
    let monitor = Monitor::new(PROTOCOL, groups)?;
    for (name, command) in commands {
        monitor.keep(name, kind, command, read)?;
    }
    Ok(())
}

/// Outgoing links of the routes.
fn pair() -> Result {
    run_ip(
        "link add b0 index 10 address 02:00:00:00:00:01 type veth peer name b1 index 11 address 02:00:00:00:00:02",
    )?;
    for link in ["b0", "b1"] {
        run_ip(&format!("link set {link} addrgenmode none up"))?;
    }
    run_ip("link set lo up")
}

fn links() -> Result {
    keep(
        &[LINK],
        RTM_NEWLINK,
        &[
            (
                "link_made_bridge",
                "ip link add br0 index 10 address 02:00:00:00:00:01 type bridge forward_delay 400 priority 4096 stp_state 1 \
             mcast_querier 1",
            ),
            (
                "link_made_veth",
                "ip link add name veth0 index 11 address 02:00:00:00:00:02 type veth \
             peer name veth1 index 12 address 02:00:00:00:00:03",
            ),
            ("link_made_bridge_port", "ip link set veth0 master br0"),
            (
                "link_made_names",
                "ip link property add dev veth1 altname another-name altname a-name-of-more-than-fifteen-bytes && \
             ip link set veth1 group 7 && ip link set veth1 up",
            ),
            (
                "link_made_vxlan",
                "ip link add name vx0 index 13 address 02:00:00:00:00:04 type vxlan id 42 group 239.1.1.1 dev veth1 \
             dstport 4789 srcport 1000 2000 ttl inherit gbp udp6zerocsumrx",
            ),
            (
                "link_made_vxlan6",
                "ip link add name vx6 index 14 address 02:00:00:00:00:05 type vxlan id 43 remote fe80::1 local fe80::2 \
             dev veth1 dstport 4789 ttl 5 nolearning",
            ),
            (
                "link_made_macvlan",
                "ip link add link veth1 name mv0 index 15 address 02:00:00:00:00:06 type macvlan mode source \
             macaddr set 02:00:00:00:00:aa 02:00:00:00:00:bb",
            ),
            (
                "link_made_macvtap",
                "ip link add link veth1 name mt0 index 16 address 02:00:00:00:00:07 type macvtap mode bridge",
            ),
            ("link_made_ifb", "ip link add name ifb0 index 17 address 02:00:00:00:00:08 type ifb"),
        ],
    )
}

fn addresses() -> Result {
    pair()?;
    keep(
        &[IPV4_ADDRESS, IPV6_ADDRESS],
        RTM_NEWADDR,
        &[
            ("addr_v4", "ip addr add 10.0.0.1/24 dev b0"),
            ("addr_v4_broadcast_label", "ip addr add 10.1.0.1/16 brd + label b0:one dev b0"),
            (
                "addr_v4_lifetime",
                "ip addr add 10.3.0.1/24 dev b0 metric 77 noprefixroute valid_lft 3600 preferred_lft 600",
            ),
            ("addr_v4_peer", "ip addr add 10.2.0.1 peer 10.2.0.2/32 dev b1"),
            ("addr_v4_secondary", "ip addr add 10.0.0.9/24 dev b0"),
            ("addr_v6", "ip -6 addr add 2001:db8::1/64 dev b0 nodad"),
            (
                "addr_v6_flags",
                "ip -6 addr add 2001:db8:2::1/64 dev b0 nodad home mngtmpaddr noprefixroute valid_lft 3600 preferred_lft 0",
            ),
            ("addr_v6_peer", "ip -6 addr add 2001:db8:1::1 peer 2001:db8:1::2/128 dev b0 nodad"),
        ],
    )
}

fn routes() -> Result {
    pair()?;
    run_ip("addr add 10.0.0.1/24 dev b0")?;
    run_ip("addr add 10.0.0.9/24 dev b0")?;
    run_ip("-6 addr add 2001:db8::1/64 dev b0 nodad")?;
    run_ip("-6 addr add 2001:db8:2::1/64 dev b0 nodad")?;
    run_ip("nexthop add id 5 via 10.0.0.2 dev b0")?;
    run_ip("nexthop add id 6 via 2001:db8::2 dev b0")?;
    keep(
        &[IPV4_ROUTE],
        RTM_NEWROUTE,
        &[
            ("route_v4_default", "ip route add default via 10.0.0.2 dev b0 src 10.0.0.9 onlink"),
            ("route_v4_gateway", "ip route add 192.0.2.0/24 via 10.0.0.2 dev b0 proto static metric 100"),
            ("route_v4_link", "ip route add 198.51.100.0/24 dev b0 tos 0x10"),
            (
                "route_v4_metrics",
                "ip route add 192.0.3.0/24 dev b0 mtu lock 1400 advmss 1300 rtt 100ms rttvar 50ms rto_min 300ms window 65535 \
             ssthresh 20 cwnd 20 initcwnd 12 initrwnd 14 reordering 5 hoplimit 33 quickack 1 features ecn congctl cubic \
             fastopen_no_cookie 1",
            ),
            (
                "route_v4_multipath",
                "ip route add 192.0.9.0/24 nexthop via 10.0.0.2 dev b0 weight 2 nexthop via inet6 2001:db8::2 dev b0 \
             nexthop dev b1 weight 256",
            ),
            ("route_v4_nexthop", "ip route add 192.0.10.0/24 nhid 5"),
            ("route_v4_blackhole", "ip route add blackhole 192.0.4.0/24"),
            ("route_v4_unreachable", "ip route add unreachable 192.0.5.0/24 metric 9"),
            ("route_v4_prohibit", "ip route add prohibit 192.0.6.1"),
            ("route_v4_throw", "ip route add throw 192.0.7.0/24"),
            ("route_v4_table", "ip route add 203.0.113.0/24 dev b1 table 1000 realm 3/7"),
            ("route_v4_via_inet6", "ip route add 192.0.8.0/24 via inet6 2001:db8::2 dev b0"),
            (
                "route_encap_ip",
                "ip route add 192.0.21.0/24 encap ip id 42 src 10.0.0.1 dst 10.0.0.2 ttl 64 tos 4 key csum seq dev b0",
            ),
            (
                "route_encap_seg6_v4_full",
                "ip route add 192.0.20.0/24 encap seg6 mode encap segs fc00::1,fc00::2,fc00::3 dev b0",
            ),
        ],
    )?;
    keep(
        &[IPV6_ROUTE],
        RTM_NEWROUTE,
        &[
            (
                "route_v6_gateway",
                "ip -6 route add 2001:db8:10::/48 via 2001:db8::2 dev b0 proto bgp metric 20",
            ),
            ("route_v6_blackhole", "ip -6 route add blackhole 2001:db8:13::/48"),
            ("route_v6_default", "ip -6 route add default via fe80::2 dev b0 pref high"),
            ("route_v6_expires", "ip -6 route add 2001:db8:11::/48 dev b0 expires 3600"),
            ("route_v6_metrics", "ip -6 route add 2001:db8:15::/48 dev b0 mtu 1280 hoplimit 3 pref low"),
            (
                "route_v6_multipath",
                "ip -6 route add 2001:db8:12::/48 nexthop via 2001:db8::2 dev b0 weight 3 nexthop via 2001:db8::3 dev b0",
            ),
            ("route_v6_nexthop", "ip -6 route add 2001:db8:16::/48 nhid 6"),
            (
                "route_encap_ip6",
                "ip -6 route add 2001:db8:30::/48 encap ip6 id 42 src 2001:db8::1 dst 2001:db8::2 hoplimit 64 tc 4 key dev b0",
            ),
            (
                "route_encap_seg6",
                "ip -6 route add 2001:db8:20::/48 encap seg6 mode encap segs fc00::1,fc00::2 dev b0",
            ),
            (
                "route_encap_seg6local_end_x",
                "ip -6 route add fc01::2/128 encap seg6local action End.X nh6 2001:db8::2 dev b0",
            ),
            (
                "route_encap_seg6local_end_b6",
                "ip -6 route add fc01::8/128 encap seg6local action End.B6 srh segs fc00::1,fc00::2 dev b0",
            ),
        ],
    )?;
    keep(&[IPV6_ROUTE], RTM_DELROUTE, &[("route_v6_deleted", "ip -6 route del 2001:db8:13::/48")])
}

fn labels() -> Result {
    pair()?;
    run_ip("addr add 10.0.0.1/24 dev b0")?;
    run_ip("-6 addr add 2001:db8::1/64 dev b0 nodad")?;
    std::fs::write("/proc/sys/net/mpls/platform_labels", "1000")?;
    keep(
        &[MPLS_ROUTE],
        RTM_NEWROUTE,
        &[
            (
                "route_mpls",
                "ip -f mpls route add 100 as to 200/300 via inet 10.0.0.2 dev b0 ttl-propagate enabled",
            ),
            ("route_mpls_pop", "ip -f mpls route add 101 via inet6 2001:db8::2 dev b0"),
            (
                "route_mpls_multipath",
                "ip -f mpls route add 102 nexthop as to 200 via inet 10.0.0.2 dev b0 nexthop as to 300/400 via inet6 \
             2001:db8::2 dev b1",
            ),
        ],
    )
}
