//! Error texts where the kernel gives little information.

#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;

use netlink_core::ToRequest;
use netlink_core::testkit::{Replies, answer};
use netlink_route::link::{self, Bridge, Veth};
use netlink_route::nsid::{self, Peer};
use netlink_route::{Addr, HwAddr, addr, route};

fn refused<Q: ToRequest>(request: Q, errno: i32) -> String
where
    Q::Answer: netlink_core::Reply,
{
    match answer(request, &[&Replies::new().error(errno, &[])]) {
        Err(error) => error.to_string(),
        Ok(_) => "done".into(),
    }
}

// U4.
#[test]
fn a_refusal_names_its_object() {
    let missing = "No such device (ENODEV)";
    assert_eq!(refused(link::get("eth9"), 19), format!("RTM_GETLINK \"eth9\": {missing}"));
    assert_eq!(refused(link::get(9), 19), format!("RTM_GETLINK index 9: {missing}"));
    assert_eq!(refused(link::set(9).name("new"), 19), format!("RTM_NEWLINK index 9, \"new\": {missing}"));
    let pair = link::create("c").kind(Veth::new().peer(link::peer("b")));
    assert_eq!(refused(pair, 17), "RTM_NEWLINK \"c\", veth, peer \"b\": File exists (EEXIST)");
    assert_eq!(
        refused(addr::add(3, "10.0.0.1/24".parse().unwrap()), 17),
        "RTM_NEWADDR 10.0.0.1/24 dev #3: File exists (EEXIST)"
    );
    let routed = route::add("10.5.0.0/16".parse().unwrap()).gateway(Ipv4Addr::new(9, 9, 9, 9));
    assert_eq!(
        refused(routed, 101),
        "RTM_NEWROUTE 10.5.0.0/16 via 9.9.9.9: Network is unreachable (ENETUNREACH)"
    );
    assert_eq!(
        refused(route::delete("10.5.0.0/16".parse().unwrap()), 3),
        "RTM_DELROUTE 10.5.0.0/16: No such process (ESRCH)"
    );
    assert_eq!(refused(nsid::set(Peer::Pid(4711), 7), 17), "RTM_NEWNSID pid 4711: File exists (EEXIST)");
}

// U4.
#[test]
fn a_refusal_without_a_reason_lists_what_was_sent() {
    let bridge = link::create("cni0").kind(Bridge::new().vlan_filtering(false));
    assert_eq!(
        refused(bridge, 95),
        "RTM_NEWLINK \"cni0\", bridge: Operation not supported (EOPNOTSUPP); sent: IFLA_IFNAME \"cni0\", \
         IFLA_LINKINFO { IFLA_INFO_KIND \"bridge\", IFLA_INFO_DATA { IFLA_BR_VLAN_FILTERING false } }"
    );
    let pair = link::create("c").kind(Veth::new().peer(link::peer("b").mtu(1400)));
    assert_eq!(
        refused(pair, 22),
        "RTM_NEWLINK \"c\", veth, peer \"b\": Invalid argument (EINVAL); sent: IFLA_IFNAME \"c\", IFLA_LINKINFO { \
         IFLA_INFO_KIND \"veth\", IFLA_INFO_DATA { VETH_INFO_PEER { { IFLA_IFNAME \"b\", IFLA_MTU 1400 } } } }"
    );
}

// U4, P28.
#[test]
fn a_missing_capability_is_named() {
    assert_eq!(
        refused(link::delete("eth9"), 1),
        "RTM_DELLINK \"eth9\": Operation not permitted (EPERM); it takes CAP_NET_ADMIN in the user namespace that owns \
         the socket's network namespace"
    );
    // A prohibit route answers so.
    assert_eq!(
        refused(route::get(Ipv4Addr::new(10, 0, 0, 1)), 13),
        "RTM_GETROUTE 10.0.0.1: Permission denied (EACCES)"
    );
}

// F17.
#[test]
fn an_invalid_address_is_quoted() {
    let wrong = |text: &str| text.parse::<Addr>().unwrap_err().to_string();
    assert_eq!(wrong("10.0.0"), "\"10.0.0\" is not an IP address");
    assert_eq!(wrong("10.0.0/8"), "\"10.0.0\" is not an IP address");
    assert_eq!(wrong("10.0.0.0/33"), "\"33\" is not a prefix length between 0 and 32");
    assert_eq!(wrong("::1/+8\n"), "\"+8\\n\" is not a prefix length between 0 and 128");
    assert_eq!(
        Addr::new([10, 0, 0, 0].into(), 33).unwrap_err().to_string(),
        "not a prefix length between 0 and 32"
    );
    let wrong = |text: &str| text.parse::<HwAddr>().unwrap_err().to_string();
    assert_eq!(
        wrong("02:0g"),
        "\"02:0g\" is not a link-layer address: at most 32 pairs of hexadecimal digits between colons"
    );
}
