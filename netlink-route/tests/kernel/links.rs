//! Links: made, changed, read back, listed, deleted.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;

use netlink_core::{
    Bytes, Connection, Errno, Error, Events, Flag, HwAddr, MessageFlags, Namespace, Notice, OpenOptions,
    Protocol, Str, Writer,
};
use netlink_route::event::{Change, Event, Group};
use netlink_route::link::{
    self, AddrGenMode, Bridge, BridgeOption, BridgeOptions, BridgePort, ExtMask, Families, Inet6, Kind, Link,
    LinkFlags, LinkHeader, LinkRequest, Macvlan, MacvlanFlags, MacvlanMode, McastRouter, TunType, Veth, Vlan,
    VlanFlagChange, VlanFlags, VlanProtocol, Vxlan, VxlanDf, VxlanLabelPolicy, VxlanPortRange, Xdp,
    XdpAttached, XdpFlags,
};
use netlink_route::{Family, addr};
use netlink_testing::{Result, file, init_namespace, ipv6, kernel, kind, program, suite};
use serde_json::Value;

use crate::{BRIDGE_VLANS, connect};

suite! {
    a_requested_index_is_honoured: kind("dummy");
    a_link_is_modified: kind("dummy");
    flags_are_set_one_by_one: kind("dummy");
    offload_limits_are_set: kind("dummy"), kernel(6, 3);
    vxlan_over_ipv4_is_read_as_it_was_made: kind("vxlan");
    vxlan_over_ipv6_is_read_as_it_was_made: kind("vxlan"), ipv6();
    vxlan_with_policies_and_with_metadata: kind("vxlan");
    vxlan_with_a_list_of_identifiers: kind("vxlan"), kernel(5, 18);
    vxlan_is_changed: kind("vxlan");
    vlan_with_maps: kind("vlan"), kind("dummy");
    vlan_with_each_flag: kind("vlan"), kind("bridge"), kernel(5, 2);
    vlan_flags_are_modified: kind("vlan"), kind("dummy");
    vlan_of_a_provider: kind("vlan"), kind("dummy");
    veth_with_attributes_of_its_peer: kind("veth");
    veth_without_attributes_of_its_peer: kind("veth");
    veth_with_and_without_a_queue_length: kind("veth");
    veth_between_two_other_namespaces: kind("veth");
    alternative_names: kind("dummy"), kernel(5, 5);
    what_is_not_there_is_not_found;
    counters_of_a_pair_mirror: kind("veth");
    a_program_that_is_none_is_refused: kind("veth");
    events_of_another_namespace: kind("veth");
    a_hairpin_is_an_event_of_the_bridge: kind("bridge"), kind("dummy");
    one_flag_of_a_port_leaves_the_others: kind("bridge"), kind("dummy"), kernel(6, 1);
    numbers_of_a_port: kind("bridge"), kind("dummy");
    a_bridge_is_read_as_it_was_made: kind("bridge"), BRIDGE_VLANS;
    every_option_of_a_bridge_changes: kind("bridge"), BRIDGE_VLANS;
    the_switches_of_a_bridge: kind("bridge"), BRIDGE_VLANS, kernel(5, 18);
    a_port_has_vlans: kind("bridge"), kind("dummy");
    macvlan_in_each_mode: kind("macvlan"), kind("dummy");
    macvlan_with_a_list_of_sources: kind("macvlan"), kind("dummy"), kernel(5, 13);
    macvlan_with_a_queue: kind("macvlan"), kind("dummy"), kernel(6, 4);
    macvtap_has_a_device: kind("macvtap"), kind("dummy");
    plain_kinds_have_no_parameters: kind("dummy"), kind("ifb");
    // The device is root's in some places, and other users have no numbers in a user namespace.
    tun_is_read: file("/dev/net/tun"), program("ip"), kernel(4, 17), init_namespace();
    tun_is_not_made_here: file("/dev/net/tun");
    a_master_and_none: kind("bridge"), kind("dummy");
    ipv6_addresses_are_made_as_asked: kind("dummy"), ipv6();
    kinds_without_a_table_and_parameters: kind("vcan"), kind("nlmon");
    kinds_without_a_table_are_made_as_read: kind("vrf"), kind("bond");
    lists_are_filtered_by_the_kernel: kind("bridge"), kind("dummy"), kind("ifb");
    two_hundred_links_go_at_once: kind("dummy");
    what_means_all_links_is_refused;
    a_list_with_virtual_functions: kind("dummy");
}

const MAC: [u8; 6] = [2, 0, 0, 0, 0x5e, 1];

/// A kind or a set as data; through every getter.
pub(crate) fn data(of: &impl netlink_core::serde::Serialize) -> BTreeMap<String, Value> {
    let Ok(Value::Object(map)) = serde_json::to_value(of) else { panic!("not a map") };
    map.into_iter().collect()
}

/// The parameters of a kind, without its name.
pub(crate) fn parameters(kind: &Kind<'_>) -> BTreeMap<String, Value> {
    let named = data(kind).into_iter().next();
    let Some((_, Value::Object(map))) = named else { panic!("{kind:?}") };
    map.into_iter().collect()
}

/// Whether what is read has all that was asked for. Kernels older than a parameter pass over it: `newer` may be
/// absent.
fn check(read: &BTreeMap<String, Value>, asked: &BTreeMap<String, Value>, newer: &[&str]) {
    let wrong: Vec<_> = asked
        .iter()
        .filter(|(name, value)| match read.get(*name) {
            None => !newer.contains(&name.as_str()),
            Some(is) => is != *value,
        })
        .map(|(name, value)| format!("{name}: {value} asked for, {:?} read", read.get(name)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Makes a link and checks that its kind is read as it was asked for.
fn makes(
    nl: &mut Connection,
    name: &str,
    request: impl Fn(LinkRequest<()>) -> LinkRequest<()>,
    kind: impl Into<Kind<'static>>,
    newer: &[&str],
) -> Result<Link<'static>> {
    let kind = kind.into();
    nl.call(request(link::create(name)).kind(kind.clone()))?;
    let link = nl.call(link::get(name))?;
    check(&parameters(&link.kind().ok_or("no kind")?), &parameters(&kind), newer);
    Ok(link)
}

fn dummy(nl: &mut Connection, name: &str) -> Result<u32> {
    nl.call(link::create(name).kind("dummy"))?;
    Ok(nl.call(link::get(name))?.index())
}

fn name(link: &Link<'_>) -> String {
    link.name().unwrap_or_default().to_string()
}

/// vishvananda 1
fn a_requested_index_is_honoured() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("d0").index(1000).kind("dummy"))?;
    assert_eq!(nl.call(link::get("d0"))?.index(), 1000);
    assert_eq!(name(&nl.call(link::get(1000))?), "d0");
    assert!(nl.call(link::create("d1").index(1000).kind("dummy")).unwrap_err().is_exists());
    nl.call(link::create("d%d").kind("dummy"))?;
    assert!(nl.call(link::get("d1")).is_ok());
    assert!(nl.call(link::create("d0").kind("dummy")).unwrap_err().is_exists());
    Ok(())
}

/// vishvananda 2
fn a_link_is_modified() -> Result {
    let mut nl = connect()?;
    let index = dummy(&mut nl, "d0")?;
    nl.call(link::set("d0").mtu(1400))?;
    assert_eq!(nl.call(link::get(index))?.mtu(), Some(1400));
    nl.call(link::set(index).rename("other").alias("what it is for").address(MAC).tx_queue_len(0).group(7))?;
    let read = nl.call(link::get("other"))?;
    assert_eq!(read.index(), index);
    assert_eq!(read.alias().map(|alias| alias.to_string()).as_deref(), Some("what it is for"));
    assert_eq!((read.address(), read.perm_address()), (Some(MAC.into()), None));
    assert_eq!((read.tx_queue_len(), read.group(), read.mtu()), (Some(0), Some(7), Some(1400)));
    assert!(nl.call(link::get("d0")).unwrap_err().is_not_found());
    nl.call(link::set("other").alias("").tx_queue_len(77).broadcast([0xff; 6]))?;
    let read = nl.call(link::get("other"))?;
    assert_eq!((read.alias(), read.tx_queue_len()), (None, Some(77)));
    let long = "é".repeat(127);
    nl.call(link::set("other").alias(long.as_str()))?;
    assert_eq!(nl.call(link::get("other"))?.alias().map(|alias| alias.to_string()), Some(long));
    // Of a group, all at once.
    let second = dummy(&mut nl, "d1")?;
    nl.call(link::set(second).group(7))?;
    nl.call(link::set_group(7).mtu(1300).up())?;
    for index in [index, second] {
        let link = nl.call(link::get(index))?;
        assert_eq!((link.mtu(), link.is_up()), (Some(1300), true));
    }
    Ok(())
}

/// vishvananda 2
fn flags_are_set_one_by_one() -> Result {
    type Change = fn(LinkRequest<()>, bool) -> LinkRequest<()>;
    let changes: [(LinkFlags, Change); 7] = [
        (LinkFlags::UP, |request, on| if on { request.up() } else { request.down() }),
        (LinkFlags::PROMISC, LinkRequest::promisc),
        (LinkFlags::ALLMULTI, LinkRequest::allmulti),
        (LinkFlags::NOARP, |request, on| request.arp(!on)),
        (LinkFlags::MULTICAST, LinkRequest::multicast),
        (LinkFlags::DYNAMIC, LinkRequest::dynamic),
        (LinkFlags::DEBUG, LinkRequest::debug),
    ];
    // These follow from UP.
    let driven = LinkFlags::RUNNING | LinkFlags::LOWER_UP;
    let mut nl = connect()?;
    let index = dummy(&mut nl, "d0")?;
    for (flag, change) in changes {
        for on in [true, false, true] {
            let before = nl.call(link::get(index))?.flags() - driven;
            nl.call(change(link::set(index), on))?;
            let after = nl.call(link::get(index))?.flags() - driven;
            assert_eq!(after.contains(flag), on, "{flag}");
            assert_eq!(after - flag, before - flag, "{flag}");
        }
    }
    let link = nl.call(link::get(index))?;
    assert_eq!(link.promiscuity(), Some(1));
    Ok(())
}

/// vishvananda 17
fn offload_limits_are_set() -> Result {
    let mut nl = connect()?;
    let index = dummy(&mut nl, "d0")?;
    let before = nl.call(link::get(index))?;
    assert!(before.tso_max_size() >= Some(65536), "{before:?}");
    assert!(before.tso_max_segs() >= Some(65535), "{before:?}");
    let request = link::set(index).gso_max_size(32768).gso_max_segs(1000).gro_max_size(40000);
    nl.call(request.gso_ipv4_max_size(30000).gro_ipv4_max_size(31000))?;
    let link = nl.call(link::get(index))?;
    assert_eq!((link.gso_max_size(), link.gso_max_segs()), (Some(32768), Some(1000)));
    assert_eq!(link.gro_max_size(), Some(40000));
    assert_eq!((link.gso_ipv4_max_size(), link.gro_ipv4_max_size()), (Some(30000), Some(31000)));
    let error = nl.call(link::set(index).gso_max_segs(u32::MAX)).unwrap_err();
    assert!(matches!(error.errno(), Some(Errno::EINVAL | Errno::ERANGE)), "{error}");
    Ok(())
}

/// vishvananda 3
fn vxlan_over_ipv4_is_read_as_it_was_made() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("d0").kind(Bridge::new()))?;
    let lower = nl.call(link::get("d0"))?.index();
    let vxlan = Vxlan::new()
        .id(0xab_cdef)
        .group(Ipv4Addr::new(239, 1, 2, 3))
        .link(lower)
        .local(Ipv4Addr::new(10, 0, 0, 1))
        .ttl(17)
        .tos(0x28)
        .learning(false)
        .ageing(120)
        .limit(99)
        .port_range(VxlanPortRange::default().low(10000).high(20000))
        .proxy(true)
        .rsc(true)
        .l2miss(true)
        .l3miss(true)
        .port(4789)
        .udp_csum(false)
        .remcsum_tx(true)
        .remcsum_rx(true)
        .remcsum_nopartial(Flag)
        .df(VxlanDf::INHERIT)
        .localbypass(false);
    let read = makes(&mut nl, "vx0", |new| new, vxlan, &["df", "localbypass"])?;
    let Some(Kind::Vxlan(vxlan)) = read.kind() else { panic!("{read:?}") };
    assert_eq!(vxlan.remote_ip(), Some(Ipv4Addr::new(239, 1, 2, 3).into()));
    assert_eq!((vxlan.gbp(), vxlan.gpe(), vxlan.collect_metadata()), (None, None, Some(false)));
    let csum = Vxlan::new().id(2).port(5555).udp_csum(true).ttl_inherit(true);
    makes(&mut nl, "vx1", |new| new, csum, &["ttl_inherit"])?;
    Ok(())
}

/// vishvananda 3
fn vxlan_over_ipv6_is_read_as_it_was_made() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("d0").kind(Bridge::new()).up())?;
    let lower = nl.call(link::get("d0"))?.index();
    let vxlan = Vxlan::new()
        .id(1)
        .link(lower)
        .group6("ff05::100".parse::<std::net::Ipv6Addr>()?)
        .local6("fd00::1".parse::<std::net::Ipv6Addr>()?)
        .label(0xf_1234)
        .udp_zero_csum6_tx(true)
        .udp_zero_csum6_rx(true)
        .port(4789);
    makes(&mut nl, "vx0", |new| new, vxlan, &[])?;
    let switches = [(true, false), (false, true), (false, false)];
    for (n, (tx, rx)) in (0u16..).zip(switches) {
        let vxlan = Vxlan::new()
            .id(2)
            .port(6000 + n)
            .remote_ip("fd00::2".parse::<std::net::Ipv6Addr>()?)
            .udp_zero_csum6_tx(tx)
            .udp_zero_csum6_rx(rx);
        makes(&mut nl, &format!("six{n}"), |new| new, vxlan, &[])?;
    }
    let vxlan = Vxlan::new()
        .id(3)
        .port(7000)
        .remote_ip("fd00::2".parse::<std::net::Ipv6Addr>()?)
        .label_policy(VxlanLabelPolicy::INHERIT);
    makes(&mut nl, "policy", |new| new, vxlan, &["label_policy"])?;
    Ok(())
}

/// vishvananda 3
fn vxlan_with_policies_and_with_metadata() -> Result {
    let mut nl = connect()?;
    makes(&mut nl, "gbp", |new| new, Vxlan::new().id(10).port(4001).gbp(Flag), &[])?;
    let metadata = Vxlan::new().collect_metadata(true).port(4002);
    makes(&mut nl, "meta", |new| new, metadata.clone(), &[])?;
    makes(&mut nl, "gpe", |new| new, metadata.port(4003).learning(false).gpe(Flag), &[])?;
    // What is not there is no attribute either.
    let Some(Kind::Vxlan(read)) = nl.call(link::get("meta"))?.kind().map(|kind| match kind {
        Kind::Vxlan(vxlan) => Kind::Vxlan(vxlan.into_owned()),
        other => panic!("{other:?}"),
    }) else {
        panic!("no vxlan")
    };
    assert_eq!((read.gbp(), read.gpe()), (None, None));
    Ok(())
}

/// vishvananda 3
fn vxlan_with_a_list_of_identifiers() -> Result {
    let mut nl = connect()?;
    let vxlan = Vxlan::new().collect_metadata(true).vnifilter(true).port(4789);
    makes(&mut nl, "vx0", |new| new, vxlan, &[])?;
    let error = nl.call(link::create("vx1").kind(Vxlan::new().id(5).vnifilter(true))).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    Ok(())
}

/// vishvananda 3
fn vxlan_is_changed() -> Result {
    let mut nl = connect()?;
    let made = Vxlan::new().id(7).port(4789).group(Ipv4Addr::new(10, 0, 0, 2));
    makes(&mut nl, "vx0", |new| new, made, &[])?;
    let changed = Vxlan::new().group(Ipv4Addr::new(10, 0, 0, 3)).ttl(9).ageing(60).learning(false);
    nl.call(link::set("vx0").kind(changed.clone()))?;
    let read = nl.call(link::get("vx0"))?;
    let read = parameters(&read.kind().ok_or("no kind")?);
    check(&read, &data(&changed.attrs()), &[]);
    check(&read, &data(&Vxlan::new().id(7).port(4789).attrs()), &[]);
    let error = nl.call(link::set("vx0").kind(Vxlan::new().id(8))).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    Ok(())
}

/// vishvananda 4
fn vlan_with_maps() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    let vlan = Vlan::new().id(20).ingress_qos([(1, 7), (2, 6), (5, 3)]).egress_qos([(1, 2), (3, 4)]);
    let read = makes(&mut nl, "v0", |new| new.link(lower), vlan, &[])?;
    assert_eq!(read.link(), Some(lower));
    let Some(Kind::Vlan(vlan)) = read.kind() else { panic!("{read:?}") };
    let maps = vlan.ingress_qos().unwrap();
    let pairs: Vec<_> = maps.mappings().unwrap().iter().map(|map| (map.from, map.to)).collect();
    assert_eq!(pairs, [(1, 7), (2, 6), (5, 3)]);
    // A change adds pairs and replaces those from the same priority.
    nl.call(link::set("v0").kind(Vlan::new().ingress_qos([(2, 1), (7, 7)])))?;
    let read = nl.call(link::get("v0"))?;
    let whole = Vlan::new().ingress_qos([(1, 7), (2, 1), (5, 3), (7, 7)]).egress_qos([(1, 2), (3, 4)]);
    check(&parameters(&read.kind().unwrap()), &data(&whole.attrs()), &[]);
    Ok(())
}

fn vlan_flags(nl: &mut Connection, name: &str) -> Result<VlanFlags> {
    let link = nl.call(link::get(name))?;
    let Some(Kind::Vlan(vlan)) = link.kind() else { panic!("{link:?}") };
    // Without flags there is no attribute.
    let Some(change) = vlan.flags() else { return Ok(VlanFlags::empty()) };
    assert_eq!(change.mask.bits(), u32::MAX);
    Ok(change.flags)
}

/// vishvananda 4
fn vlan_with_each_flag() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new()))?;
    let lower = nl.call(link::get("br0"))?.index();
    let flags = [
        VlanFlags::GVRP,
        VlanFlags::LOOSE_BINDING,
        VlanFlags::MVRP,
        // Only on a bridge.
        VlanFlags::BRIDGE_BINDING,
        VlanFlags::GVRP | VlanFlags::MVRP | VlanFlags::LOOSE_BINDING,
        VlanFlags::empty(),
    ];
    for (id, flag) in (100u16..).zip(flags) {
        let name = format!("v{id}");
        nl.call(link::create(&name).link(lower).kind(Vlan::new().id(id).flags(flag)))?;
        assert_eq!(vlan_flags(&mut nl, &name)?, flag | VlanFlags::REORDER_HDR, "{flag}");
    }
    let none = VlanFlagChange::new(VlanFlags::empty(), VlanFlags::REORDER_HDR);
    nl.call(link::create("none").link(lower).kind(Vlan::new().id(99).flags(none)))?;
    assert_eq!(vlan_flags(&mut nl, "none")?, VlanFlags::empty());
    Ok(())
}

/// vishvananda 4
fn vlan_flags_are_modified() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    let vlan = Vlan::new().id(5).flags(VlanFlags::GVRP | VlanFlags::LOOSE_BINDING);
    nl.call(link::create("v0").link(lower).kind(vlan))?;
    let change = |set, clear| link::set("v0").kind(Vlan::new().flags(VlanFlagChange::new(set, clear)));
    nl.call(change(VlanFlags::MVRP, VlanFlags::GVRP))?;
    let rest = VlanFlags::REORDER_HDR | VlanFlags::LOOSE_BINDING;
    assert_eq!(vlan_flags(&mut nl, "v0")?, rest | VlanFlags::MVRP);
    nl.call(change(VlanFlags::empty(), VlanFlags::MVRP))?;
    assert_eq!(vlan_flags(&mut nl, "v0")?, rest);
    nl.call(link::set("v0").kind(Vlan::new().flags(VlanFlags::GVRP)))?;
    assert_eq!(vlan_flags(&mut nl, "v0")?, rest | VlanFlags::GVRP);
    Ok(())
}

/// vishvananda 4
fn vlan_of_a_provider() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    let outer = Vlan::new().id(4094).protocol(VlanProtocol::AD);
    let outer = makes(&mut nl, "outer", |new| new.link(lower), outer, &[])?;
    let inner = Vlan::new().id(0).protocol(VlanProtocol::Q);
    makes(&mut nl, "inner", |new| new.link(outer.index()), inner, &[])?;
    // Of the same identifier with another tag.
    let other = Vlan::new().id(4094);
    makes(&mut nl, "other", |new| new.link(lower), other, &[])?;
    let error = nl.call(link::create("bad").link(lower).kind(Vlan::new().id(4096))).unwrap_err();
    assert!(error.errno() == Some(Errno::ERANGE), "{error}");
    Ok(())
}

/// vishvananda 5
fn veth_with_attributes_of_its_peer() -> Result {
    let mut nl = connect()?;
    let peer = link::peer("b").mtu(1400).tx_queue_len(200).num_tx_queues(4).num_rx_queues(8).index(71);
    let kind = Veth::new().peer(peer.address(MAC).group(3));
    let request = link::create("a").index(70).mtu(1300).tx_queue_len(100).num_tx_queues(2).num_rx_queues(3);
    nl.call(request.kind(kind))?;
    let (a, b) = (nl.call(link::get("a"))?, nl.call(link::get("b"))?);
    assert_eq!((a.index(), b.index()), (70, 71));
    assert_eq!((a.link(), b.link()), (Some(71), Some(70)));
    assert_eq!((a.mtu(), b.mtu()), (Some(1300), Some(1400)));
    assert_eq!((a.tx_queue_len(), b.tx_queue_len()), (Some(100), Some(200)));
    assert_eq!((a.num_tx_queues(), b.num_tx_queues()), (Some(2), Some(4)));
    assert_eq!((a.num_rx_queues(), b.num_rx_queues()), (Some(3), Some(8)));
    assert_eq!((b.address(), b.group()), (Some(MAC.into()), Some(3)));
    assert!(matches!(a.kind(), Some(Kind::Veth(veth)) if veth.peer().is_none()));
    // The kernel switches the peer on before it knows its other end.
    let up = Veth::new().peer(link::peer("d").up());
    assert_eq!(nl.call(link::create("c").kind(up)).unwrap_err().errno(), Some(Errno::ENOTCONN));
    let taken = Veth::new().peer(link::peer("d").index(71));
    let error = nl.call(link::create("c").index(72).kind(taken)).unwrap_err();
    assert!(error.is_busy(), "{error}");
    Ok(())
}

/// vishvananda 5
fn veth_without_attributes_of_its_peer() -> Result {
    let mut nl = connect()?;
    let request = link::create("a").mtu(1300).tx_queue_len(100).num_tx_queues(2).num_rx_queues(3);
    nl.call(request.kind("veth"))?;
    let a = nl.call(link::get("a"))?;
    // It gives the peer a name, and what the first end got.
    let b = nl.call(link::get(a.link().ok_or("no peer")?))?;
    assert!(name(&b).starts_with("veth"), "{b}");
    assert_eq!((b.mtu(), b.tx_queue_len()), (Some(1300), Some(100)));
    assert_eq!((b.num_tx_queues(), b.num_rx_queues()), (Some(2), Some(3)));
    // Named, it is a link of its own.
    nl.call(link::create("c").mtu(1300).kind(Veth::new().peer(link::peer("d"))))?;
    assert_eq!(nl.call(link::get("d"))?.mtu(), Some(1500));
    nl.call(link::delete("c"))?;
    assert!(nl.call(link::get("d")).unwrap_err().is_not_found());
    Ok(())
}

/// vishvananda 5
fn veth_with_and_without_a_queue_length() -> Result {
    let mut nl = connect()?;
    let zero = Veth::new().peer(link::peer("b").tx_queue_len(0));
    nl.call(link::create("a").tx_queue_len(0).kind(zero))?;
    nl.call(link::create("c").kind(Veth::new().peer(link::peer("d"))))?;
    for (name, length) in [("a", 0), ("b", 0), ("c", 1000), ("d", 1000)] {
        assert_eq!(nl.call(link::get(name))?.tx_queue_len(), Some(length), "{name}");
    }
    Ok(())
}

fn inside(namespace: &Namespace) -> Result<Connection> {
    Ok(Connection::open_with(Protocol::ROUTE, &OpenOptions::new().namespace(namespace))?)
}

/// vishvananda 6
fn veth_between_two_other_namespaces() -> Result {
    let mut nl = connect()?;
    let (one, two) = (Namespace::anonymous()?, Namespace::anonymous()?);
    let peer = link::peer("two").net_ns_fd(two.as_raw_fd()).index(22);
    nl.call(link::create("one").index(11).net_ns_fd(one.as_raw_fd()).kind(Veth::new().peer(peer)))?;
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 1);
    let first = inside(&one)?.call(link::get("one"))?;
    let second = inside(&two)?.call(link::get("two"))?;
    assert_eq!((first.index(), second.index()), (11, 22));
    assert_eq!((first.link(), second.link()), (Some(22), Some(11)));
    assert!(first.link_netnsid().is_some_and(|id| id >= 0), "{first:?}");
    assert!(second.link_netnsid().is_some_and(|id| id >= 0), "{second:?}");
    // Back again, under another name and number.
    let home = Namespace::current()?;
    let mut there = inside(&one)?;
    there.call(link::set(11).net_ns_fd(home.as_raw_fd()).rename("home"))?;
    assert!(there.call(link::get(11)).unwrap_err().is_not_found());
    assert_eq!(nl.call(link::get("home"))?.index(), 11);
    Ok(())
}

fn alt_names(nl: &mut Connection, by: &str) -> Result<Vec<String>> {
    Ok(nl.call(link::get(by))?.alt_names().map(|name| name.to_string()).collect())
}

/// vishvananda 11
fn alternative_names() -> Result {
    let mut nl = connect()?;
    let index = dummy(&mut nl, "d0")?;
    let longest = "l".repeat(127);
    let names =
        ["short", "a-name-of-more-than-fifteen-bytes", "fifteen--bytes-", "sixteen--bytes--", &longest];
    nl.call(link::add_alt_names(index, &names[..3]))?;
    nl.call(link::add_alt_names("d0", &names[3..]))?;
    assert_eq!(alt_names(&mut nl, "d0")?, names);
    for name in names {
        let link = nl.call(link::get(name))?;
        assert_eq!((link.index(), self::name(&link).as_str()), (index, "d0"), "{name}");
        nl.call(link::set(name).mtu(1400 + u32::try_from(name.len())?))?;
        assert_eq!(nl.call(link::get("d0"))?.mtu(), Some(1400 + u32::try_from(name.len())?));
    }
    let taken = nl.call(link::create("short").kind("dummy")).unwrap_err();
    assert!(taken.is_exists(), "{taken}");
    assert!(nl.call(link::add_alt_names(1, &["short"])).unwrap_err().is_exists());
    let mut left = names.to_vec();
    // The list keeps its order.
    for gone in [1, 0, 2, 0] {
        let name = left.remove(gone);
        nl.call(link::delete_alt_names("d0", &[name]))?;
        assert_eq!(alt_names(&mut nl, "d0")?, left);
        assert!(nl.call(link::get(name)).unwrap_err().is_not_found(), "{name}");
    }
    assert!(nl.call(link::delete_alt_names(index, &["short"])).is_err());
    nl.call(link::delete_alt_names(left[0], &left))?;
    assert!(alt_names(&mut nl, "d0")?.is_empty());
    let long = "x".repeat(128);
    assert!(matches!(nl.call(link::add_alt_names(index, &[&long])), Err(Error::Request(_))));
    Ok(())
}

/// vishvananda 12
fn what_is_not_there_is_not_found() -> Result {
    let mut nl = connect()?;
    for error in [
        nl.call(link::get("nothing")).unwrap_err(),
        nl.call(link::get("nothing-with-a-long-name")).unwrap_err(),
        nl.call(link::get(4711)).unwrap_err(),
        nl.call(link::set("nothing").up()).unwrap_err(),
        nl.call(link::set(4711).up()).unwrap_err(),
        nl.call(link::delete("nothing")).unwrap_err(),
        nl.call(link::delete(4711)).unwrap_err(),
        nl.call(link::add_alt_names(4711, &["name"])).unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error}");
    }
    // A link beside the one that is meant is another matter.
    let error = nl.call(link::set("lo").master(4711)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    let error = nl.call(link::create("x").kind("nosuchkind")).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    Ok(())
}

/// vishvananda 13
fn counters_of_a_pair_mirror() -> Result {
    let mut nl = connect()?;
    let other = Namespace::anonymous()?;
    // Nothing but what is sent here: no ARP, no IPv6. Without ARP a frame has its sender's address as its
    // destination, so the receiver gets the same one.
    let peer = link::peer("b").net_ns_fd(other.as_raw_fd()).address(MAC).arp(false);
    let no_six = || Families::new().inet6(Inet6::new().addr_gen_mode(AddrGenMode::NONE));
    nl.call(link::create("a").address(MAC).arp(false).kind(Veth::new().peer(peer)))?;
    let mut there = inside(&other)?;
    // A kernel without IPv6 has nothing to switch off.
    let _ = nl.call(link::set("a").af_spec(no_six()));
    let _ = there.call(link::set("b").af_spec(no_six()));
    nl.call(link::set("a").up())?;
    there.call(link::set("b").up())?;
    let (a, b) = (nl.call(link::get("a"))?.index(), there.call(link::get("b"))?.index());
    nl.call(addr::add(a, "10.77.0.1/24".parse()?))?;
    there.call(addr::add(b, "10.77.0.2/24".parse()?))?;
    let receiver = other.run(|| UdpSocket::bind("10.77.0.2:7777"))??;
    receiver.set_read_timeout(Some(Duration::from_secs(5)))?;
    let sender = UdpSocket::bind("10.77.0.1:0")?;
    let before = nl.call(link::get("a"))?.stats64().ok_or("no counters")?;
    for _ in 0..20 {
        sender.send_to(&[7; 100], "10.77.0.2:7777")?;
    }
    for _ in 0..20 {
        assert_eq!(receiver.recv(&mut [0; 200])?, 100);
    }
    let a = nl.call(link::get("a"))?;
    let b = there.call(link::get("b"))?;
    let (a64, b64) = (a.stats64().ok_or("no counters")?, b.stats64().ok_or("no counters")?);
    assert!(a64.tx_packets >= before.tx_packets + 20, "{a64:?}");
    assert!(a64.tx_bytes >= before.tx_bytes + 20 * 142, "{a64:?}");
    assert_eq!((a64.tx_packets, a64.tx_bytes), (b64.rx_packets, b64.rx_bytes));
    assert_eq!((a64.rx_packets, a64.rx_bytes), (b64.tx_packets, b64.tx_bytes));
    let narrow = a.stats().ok_or("no counters")?;
    assert_eq!(u64::from(narrow.tx_packets), a64.tx_packets);
    assert_eq!(u64::from(narrow.tx_bytes), a64.tx_bytes);
    Ok(())
}

/// vishvananda 14, as far as it goes without loading a program.
fn a_program_that_is_none_is_refused() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("a").kind(Veth::new().peer(link::peer("b"))))?;
    let attached = |nl: &mut Connection| -> Result<_> {
        let link = nl.call(link::get("a"))?;
        Ok(link.xdp().and_then(|xdp| xdp.attached()))
    };
    assert_eq!(attached(&mut nl)?, Some(XdpAttached::NONE));
    nl.call(link::set("a").xdp(Xdp::detach()))?;
    let file = std::fs::File::open("/dev/null")?;
    for mode in [XdpFlags::empty(), XdpFlags::SKB_MODE, XdpFlags::UPDATE_IF_NOEXIST] {
        let error = nl.call(link::set("a").xdp(Xdp::attach(file.as_raw_fd()).flags(mode))).unwrap_err();
        assert!(matches!(error.errno(), Some(Errno::EINVAL | Errno::EBADF)), "{error}");
    }
    assert_eq!(attached(&mut nl)?, Some(XdpAttached::NONE));
    Ok(())
}

/// vishvananda 18
fn events_of_another_namespace() -> Result {
    let mut nl = connect()?;
    let other = Namespace::anonymous()?;
    let peer = link::peer("far").net_ns_fd(other.as_raw_fd());
    nl.call(link::create("near").kind(Veth::new().peer(peer)))?;
    let options = OpenOptions::new().namespace(&other);
    let mut events = Events::<Event<'static>>::open_with(Protocol::ROUTE, &[Group::LINK.0], &options)?;
    events.set_timeout(Some(Duration::from_secs(5)))?;
    // Existing ones are a list away.
    let mut there = inside(&other)?;
    let far = there.call(link::get("far"))?;
    there.call(link::set("far").up())?;
    let next = |events: &mut Events<Event<'static>>| -> Result<(Change, u32, bool)> {
        match events.next()? {
            Notice::Event { event: Event::Link(change, link), nsid: None, .. } => {
                Ok((change, link.index(), link.is_up()))
            }
            other => Err(format!("{other:?}").into()),
        }
    };
    assert_eq!(next(&mut events)?, (Change::Changed, far.index(), true));
    nl.call(link::delete("near"))?;
    loop {
        let (change, index, _) = next(&mut events)?;
        assert_eq!(index, far.index());
        if change == Change::Deleted {
            return Ok(());
        }
    }
}

/// A bridge with a port, both up.
fn bridge_and_port(nl: &mut Connection) -> Result<u32> {
    nl.call(link::create("br0").kind(Bridge::new()).up())?;
    let bridge = nl.call(link::get("br0"))?.index();
    let port = dummy(nl, "p0")?;
    nl.call(link::set(port).master(bridge).up())?;
    Ok(port)
}

/// vishvananda 19
fn a_hairpin_is_an_event_of_the_bridge() -> Result {
    let mut nl = connect()?;
    let port = bridge_and_port(&mut nl)?;
    let mut events = Events::<Event<'static>>::open(Protocol::ROUTE, &[Group::LINK.0])?;
    events.set_timeout(Some(Duration::from_secs(5)))?;
    let as_port = LinkHeader::default().family(Family::BRIDGE).index(port);
    let hairpin = |on| BridgePort::new().hairpin(on);
    // Through the link, then as a message about a port.
    let requests: [(bool, LinkRequest<()>); 2] = [
        (true, link::set(port).slave(hairpin(true))),
        (false, LinkRequest::new(&Link::SET, MessageFlags::ACK, as_port).protinfo(hairpin(false))),
    ];
    for (on, request) in requests {
        nl.call(request)?;
        loop {
            let Notice::Event { event: Event::Link(_, link), .. } = events.next()? else { panic!("no link") };
            let Some(port_of) = link.bridge_port() else { continue };
            if link.header().family == Family::BRIDGE && port_of.hairpin() == Some(on) {
                assert_eq!((link.index(), link.master().is_some()), (port, true));
                break;
            }
        }
        let link = nl.call(link::get(port))?;
        assert_eq!(link.bridge_port().and_then(|port| port.hairpin()), Some(on));
    }
    Ok(())
}

/// Parameters of a port, without those that change by themselves.
fn port_data(nl: &mut Connection, port: u32) -> Result<BTreeMap<String, Value>> {
    let link = nl.call(link::get(port))?;
    let mut all = data(&link.bridge_port().ok_or("no port")?);
    all.retain(|name, _| !name.ends_with("timer"));
    Ok(all)
}

/// vishvananda 25
fn one_flag_of_a_port_leaves_the_others() -> Result {
    type Set = fn(BridgePort, bool) -> BridgePort;
    let flags: [(&str, Set); 16] = [
        ("hairpin", BridgePort::hairpin),
        ("guard", BridgePort::guard),
        ("root_block", BridgePort::root_block),
        ("fast_leave", BridgePort::fast_leave),
        ("learning", BridgePort::learning),
        ("flood", BridgePort::flood),
        ("proxy_arp", BridgePort::proxy_arp),
        ("proxy_arp_wifi", BridgePort::proxy_arp_wifi),
        ("mcast_flood", BridgePort::mcast_flood),
        ("mcast_to_unicast", BridgePort::mcast_to_unicast),
        ("vlan_tunnel", BridgePort::vlan_tunnel),
        ("bcast_flood", BridgePort::bcast_flood),
        ("neigh_suppress", BridgePort::neigh_suppress),
        ("isolated", BridgePort::isolated),
        ("locked", BridgePort::locked),
        ("neigh_vlan_suppress", BridgePort::neigh_vlan_suppress),
    ];
    let mut nl = connect()?;
    let port = bridge_and_port(&mut nl)?;
    for (name, set) in flags {
        let before = port_data(&mut nl, port)?;
        let Some(was) = before.get(name).and_then(Value::as_bool) else {
            // Kernels before 6.4 do not have it.
            assert_eq!(name, "neigh_vlan_suppress");
            continue;
        };
        let mut expected = before.clone();
        expected.insert(name.to_owned(), (!was).into());
        nl.call(link::set(port).slave(set(BridgePort::new(), !was)))?;
        assert_eq!(port_data(&mut nl, port)?, expected, "{name}");
    }
    Ok(())
}

/// vishvananda 25
fn numbers_of_a_port() -> Result {
    let mut nl = connect()?;
    let port = bridge_and_port(&mut nl)?;
    let backup = dummy(&mut nl, "p1")?;
    let bridge = nl.call(link::get("br0"))?.index();
    nl.call(link::set(backup).master(bridge))?;
    let set = BridgePort::new()
        .priority(13)
        .cost(4321)
        .group_fwd_mask(0x10)
        .multicast_router(McastRouter::PERM)
        .backup_port(backup)
        .mcast_eht_hosts_limit(300)
        .mcast_max_groups(44);
    nl.call(link::set(port).slave(set.clone()))?;
    let newer = ["backup_port", "mcast_eht_hosts_limit", "mcast_max_groups"];
    check(&port_data(&mut nl, port)?, &data(&set.attrs()), &newer);
    let link = nl.call(link::get(port))?;
    let read = link.bridge_port().ok_or("no port")?;
    assert_eq!(read.number(), Some(1));
    assert_eq!(read.bridge_id().map(|id| id.priority.0), Some(0x8000));
    let error = nl.call(link::set(port).slave(BridgePort::new().cost(0))).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ERANGE), "{error}");
    Ok(())
}

/// A bridge with parameters that are not its defaults.
pub(crate) fn odd_bridge() -> Bridge {
    Bridge::new()
        .forward_delay(400)
        .hello_time(300)
        .max_age(1000)
        .ageing_time(6000)
        .stp_state(1)
        .priority(4096)
        .vlan_filtering(true)
        .vlan_protocol(VlanProtocol::AD)
        .group_fwd_mask(0xfff8)
        .group_addr([1, 0x80, 0xc2, 0, 0, 0xe])
        .mcast_router(McastRouter::PERM)
        .mcast_query_use_ifaddr(true)
        .mcast_querier(true)
        .mcast_hash_max(512)
        .mcast_last_member_count(3)
        .mcast_startup_query_count(4)
        .mcast_last_member_interval(200)
        .mcast_membership_interval(30000)
        .mcast_querier_interval(20000)
        .mcast_query_interval(13000)
        .mcast_query_response_interval(1200)
        .mcast_startup_query_interval(3000)
        .nf_call_iptables(true)
        .nf_call_ip6tables(true)
        .nf_call_arptables(true)
        .vlan_default_pvid(5)
        .vlan_stats_enabled(true)
        .mcast_stats_enabled(true)
        .mcast_igmp_version(3)
        .mcast_mld_version(2)
        .vlan_stats_per_port(true)
}

/// No parameter has its default. What older kernels lack is in [`BRIDGE_NEWER`].
fn bridge() -> Bridge {
    odd_bridge().mcast_snooping(false).fdb_max_learned(77)
}

const BRIDGE_NEWER: &[&str] = &["vlan_stats_per_port", "fdb_max_learned"];

/// vishvananda 26
fn a_bridge_is_read_as_it_was_made() -> Result {
    let mut nl = connect()?;
    let read = makes(&mut nl, "br0", |new| new.address(MAC), bridge(), BRIDGE_NEWER)?;
    let Some(Kind::Bridge(read)) = read.kind() else { panic!("{read:?}") };
    let id = read.bridge_id().ok_or("no id")?;
    assert_eq!((id.priority.0, id.address), (4096, MAC));
    assert_eq!(read.root_id(), read.bridge_id());
    // Not from what was read: since Linux 6.7 that holds a counter which a request must not have.
    let same = makes(&mut nl, "br1", |new| new.address(MAC), bridge(), BRIDGE_NEWER)?;
    let settled = |kind: Option<Kind<'_>>| {
        let mut all = kind.as_ref().map(parameters).unwrap_or_default();
        all.retain(|name, _| !name.ends_with("timer"));
        all
    };
    assert_eq!(settled(same.kind()), settled(Some(Kind::Bridge(read))));
    Ok(())
}

/// vishvananda 26
fn every_option_of_a_bridge_changes() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new()))?;
    let before = nl.call(link::get("br0"))?;
    let before = parameters(&before.kind().ok_or("no kind")?);
    nl.call(link::set("br0").kind(bridge()))?;
    let after = nl.call(link::get("br0"))?;
    let after = parameters(&after.kind().ok_or("no kind")?);
    check(&after, &data(&bridge().attrs()), BRIDGE_NEWER);
    for name in data(&bridge().attrs()).keys().filter(|name| after.contains_key(*name)) {
        assert_ne!(before.get(name), after.get(name), "{name}");
    }
    for bad in [
        Bridge::new().group_fwd_mask(1),
        Bridge::new().vlan_protocol(VlanProtocol(0x1234)),
        Bridge::new().mcast_igmp_version(9),
        Bridge::new().group_addr([1, 0x80, 0xc2, 0, 0, 1]),
    ] {
        let error = nl.call(link::set("br0").kind(bad)).unwrap_err();
        assert!(matches!(error, Error::Kernel(_)), "{error}");
    }
    Ok(())
}

/// vishvananda 26
fn the_switches_of_a_bridge() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new().vlan_filtering(true)))?;
    let read = |nl: &mut Connection| -> Result<_> {
        let link = nl.call(link::get("br0"))?;
        let Some(Kind::Bridge(bridge)) = link.kind() else { panic!("{link:?}") };
        Ok(bridge.options().ok_or("no options")?)
    };
    let all = [BridgeOption::NO_LL_LEARN, BridgeOption::MCAST_VLAN_SNOOPING, BridgeOption::MST_ENABLE];
    assert_eq!(all.map(|option| read(&mut nl).unwrap().get(option)), [Some(false); 3]);
    for option in all {
        let before = read(&mut nl)?;
        nl.call(link::set("br0").kind(Bridge::new().options(BridgeOptions::default().with(option, true))))?;
        assert_eq!(read(&mut nl)?, before.with(option, true), "{option}");
    }
    let off = BridgeOptions::default().with(all[0], false).with(all[2], false);
    nl.call(link::set("br0").kind(Bridge::new().options(off)))?;
    assert_eq!(all.map(|option| read(&mut nl).unwrap().get(option)), [Some(false), Some(true), Some(false)]);
    Ok(())
}

/// vishvananda 26, as far as the messages about links go.
fn a_port_has_vlans() -> Result {
    let mut nl = connect()?;
    let port = bridge_and_port(&mut nl)?;
    let list = LinkHeader::default().family(Family::BRIDGE);
    let request = link::list().header(|header| *header = list).ext_mask(ExtMask::BRVLAN);
    let links = nl.dump(request)?.collect()?;
    let views: Result<Vec<_>, _> = links.iter().map(|link| link.view()).collect();
    let views = views?;
    let link = views.iter().find(|link| link.index() == port).ok_or("the port is not listed")?;
    let vlans: Vec<_> = link.port_vlans().map(|vlan| vlan.vid).collect();
    assert_eq!(vlans, [1]);
    assert!(link.bridge_port().is_some_and(|port| port.learning() == Some(true)), "{link:?}");
    Ok(())
}

fn macvlan_in_each_mode() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    let modes = [MacvlanMode::PRIVATE, MacvlanMode::VEPA, MacvlanMode::BRIDGE, MacvlanMode::SOURCE];
    for (n, mode) in modes.into_iter().enumerate() {
        let name = format!("m{n}");
        let link = makes(&mut nl, &name, |new| new.link(lower), Macvlan::new().mode(mode), &[])?;
        assert_eq!(link.link(), Some(lower));
    }
    nl.call(link::set("m0").kind(Macvlan::new().mode(MacvlanMode::BRIDGE)))?;
    let link = nl.call(link::get("m0"))?;
    assert!(matches!(link.kind(), Some(Kind::Macvlan(kind)) if kind.mode() == Some(MacvlanMode::BRIDGE)));
    let passthru = Macvlan::new().mode(MacvlanMode::PASSTHRU).flags(MacvlanFlags::NOPROMISC);
    assert!(nl.call(link::create("p").link(lower).kind(passthru.clone())).is_err(), "it wants to be alone");
    let other = dummy(&mut nl, "d1")?;
    makes(&mut nl, "p", |new| new.link(other), passthru, &[])?;
    Ok(())
}

fn macvlan_with_a_list_of_sources() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    let macs = [1u8, 2, 3].map(|last| HwAddr::from([2, 0, 0, 0, 1, last]));
    let made = Macvlan::new().mode(MacvlanMode::SOURCE).flags(MacvlanFlags::NODST);
    nl.call(link::create("m0").link(lower).kind(made.set_addrs(&macs[..2])))?;
    let read = |nl: &mut Connection| -> Result<Vec<String>> {
        let link = nl.call(link::get("m0"))?;
        let Some(Kind::Macvlan(kind)) = link.kind() else { panic!("{link:?}") };
        assert_eq!((kind.mode(), kind.flags()), (Some(MacvlanMode::SOURCE), Some(MacvlanFlags::NODST)));
        let list = kind.addrs();
        let addrs = list.as_ref().and_then(|list| list.addresses());
        let mut addrs: Vec<_> =
            addrs.into_iter().flat_map(|addrs| addrs.iter()).map(|mac| mac.to_string()).collect();
        addrs.sort();
        assert_eq!(kind.addr_count().map(usize::try_from).transpose()?, Some(addrs.len()));
        Ok(addrs)
    };
    let texts = macs.map(|mac| mac.to_string());
    assert_eq!(read(&mut nl)?, texts[..2]);
    nl.call(link::set("m0").kind(Macvlan::new().add_addr(macs[2])))?;
    assert_eq!(read(&mut nl)?, texts);
    nl.call(link::set("m0").kind(Macvlan::new().delete_addr(macs[0])))?;
    assert_eq!(read(&mut nl)?, texts[1..]);
    nl.call(link::set("m0").kind(Macvlan::new().set_addrs(&macs[..1])))?;
    assert_eq!(read(&mut nl)?, texts[..1]);
    nl.call(link::set("m0").kind(Macvlan::new().flush_addrs()))?;
    assert!(read(&mut nl)?.is_empty());
    Ok(())
}

fn macvlan_with_a_queue() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    let kind = Macvlan::new().mode(MacvlanMode::BRIDGE).bc_queue_len(2000).bc_cutoff(5);
    makes(&mut nl, "m0", |new| new.link(lower), kind, &[])?;
    let less = Macvlan::new().mode(MacvlanMode::BRIDGE).bc_queue_len(1500).bc_cutoff(-1);
    let link = makes(&mut nl, "m1", |new| new.link(lower), less, &[])?;
    // The lower link has the longest queue that was asked for.
    let Some(Kind::Macvlan(kind)) = link.kind() else { panic!("{link:?}") };
    assert_eq!(kind.bc_queue_len_used(), Some(2000));
    nl.call(link::set("m0").kind(Macvlan::new().bc_queue_len(100)))?;
    let link = nl.call(link::get("m0"))?;
    let Some(Kind::Macvlan(kind)) = link.kind() else { panic!("{link:?}") };
    assert_eq!((kind.bc_queue_len(), kind.bc_queue_len_used()), (Some(100), Some(1500)));
    Ok(())
}

fn macvtap_has_a_device() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    let kind = Macvlan::new().mode(MacvlanMode::VEPA).tap();
    let link = makes(&mut nl, "t0", |new| new.link(lower), kind, &[])?;
    assert!(matches!(link.kind(), Some(Kind::Macvtap(_))), "{link:?}");
    assert_eq!(link.kind().map(|kind| kind.name().to_string()).as_deref(), Some("macvtap"));
    assert_eq!(link.link(), Some(lower));
    nl.call(link::delete("t0"))?;
    Ok(())
}

fn plain_kinds_have_no_parameters() -> Result {
    let mut nl = connect()?;
    for name in ["dummy", "ifb"] {
        nl.call(link::create("x").kind(name).mtu(1400).up())?;
        let link = nl.call(link::get("x"))?;
        assert_eq!(link.kind().map(|kind| kind.name().to_string()).as_deref(), Some(name));
        assert!(matches!(link.kind(), Some(Kind::Dummy(_) | Kind::Ifb(_))));
        assert!(parameters(&link.kind().unwrap()).is_empty());
        assert_eq!((link.mtu(), link.is_up()), (Some(1400), true));
        nl.call(link::delete(link.index()))?;
    }
    nl.call(link::create("i").kind("ifb").num_tx_queues(3).num_rx_queues(2))?;
    let link = nl.call(link::get("i"))?;
    assert_eq!((link.num_tx_queues(), link.num_rx_queues()), (Some(3), Some(2)));
    // Hardware, or as good as: no kind.
    assert_eq!(nl.call(link::get("lo"))?.kind(), None);
    assert!(nl.call(link::delete("lo")).unwrap_err().is_unsupported());
    Ok(())
}

/// Runs `ip` in the namespace of the thread.
pub(crate) fn ip(arguments: &str) -> Result<String> {
    let out = Command::new("ip").args(arguments.split_whitespace()).output()?;
    if !out.status.success() {
        return Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&out.stderr)).into());
    }
    Ok(String::from_utf8(out.stdout)?)
}

/// vishvananda 10, links that persist: what holds descriptors takes an ioctl, which is not for `std`.
fn tun_is_read() -> Result {
    let mut nl = connect()?;
    ip("tuntap add dev t0 mode tap user 1234 group 5678 multi_queue vnet_hdr")?;
    ip("tuntap add dev t1 mode tun pi")?;
    let link = nl.call(link::get("t0"))?;
    let Some(Kind::Tun(tap)) = link.kind() else { panic!("{link:?}") };
    assert_eq!(tap.kind(), Some(TunType::TAP));
    assert_eq!((tap.owner(), tap.group()), (Some(1234), Some(5678)));
    assert_eq!((tap.pi(), tap.vnet_hdr()), (Some(false), Some(true)));
    assert_eq!((tap.persist(), tap.multi_queue()), (Some(true), Some(true)));
    assert_eq!((tap.num_queues(), tap.num_disabled_queues()), (Some(0), Some(0)));
    let link = nl.call(link::get("t1"))?;
    let Some(Kind::Tun(tun)) = link.kind() else { panic!("{link:?}") };
    assert_eq!(tun.kind(), Some(TunType::TUN));
    assert_eq!((tun.owner(), tun.group()), (None, None));
    assert_eq!((tun.pi(), tun.vnet_hdr()), (Some(true), Some(false)));
    assert_eq!((tun.persist(), tun.multi_queue()), (Some(true), Some(false)));
    assert_eq!((tun.num_queues(), tun.num_disabled_queues()), (None, None));
    nl.call(link::delete("t0"))?;
    assert!(nl.call(link::get("t0")).unwrap_err().is_not_found());
    Ok(())
}

fn tun_is_not_made_here() -> Result {
    let mut nl = connect()?;
    let error = nl.call(link::create("t0").kind("tun")).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    Ok(())
}

fn a_master_and_none() -> Result {
    let mut nl = connect()?;
    let port = bridge_and_port(&mut nl)?;
    let bridge = nl.call(link::get("br0"))?.index();
    let link = nl.call(link::get(port))?;
    assert_eq!(link.master(), Some(bridge));
    assert!(link.slave().is_some() && link.bridge_port().is_some());
    nl.call(link::set(port).no_master())?;
    let link = nl.call(link::get(port))?;
    assert_eq!((link.master(), link.slave(), link.bridge_port()), (None, None, None));
    // At once, when it is made.
    nl.call(link::create("p1").kind("dummy").master(bridge))?;
    assert_eq!(nl.call(link::get("p1"))?.master(), Some(bridge));
    assert!(nl.call(link::set("br0").master(port)).is_err());
    Ok(())
}

fn ipv6_addresses_are_made_as_asked() -> Result {
    let mut nl = connect()?;
    dummy(&mut nl, "d0")?;
    let mode = |nl: &mut Connection| -> Result<_> {
        let link = nl.call(link::get("d0"))?;
        Ok(link.inet6().and_then(|inet6| inet6.addr_gen_mode()))
    };
    assert_eq!(mode(&mut nl)?, Some(AddrGenMode::EUI64));
    for wanted in [AddrGenMode::NONE, AddrGenMode::RANDOM, AddrGenMode::EUI64] {
        let families = Families::new().inet6(Inet6::new().addr_gen_mode(wanted));
        nl.call(link::set("d0").af_spec(families))?;
        assert_eq!(mode(&mut nl)?, Some(wanted));
    }
    let link = nl.call(link::get("d0"))?;
    assert!(link.inet_conf().is_some_and(|conf| conf.iter().count() > 20), "{link:?}");
    Ok(())
}

fn kinds_without_a_table_and_parameters() -> Result {
    let mut nl = connect()?;
    for kind in ["vcan", "nlmon"] {
        nl.call(link::create("x").kind(kind).mtu(4000))?;
        let link = nl.call(link::get("x"))?;
        nl.call(link::delete("x"))?;
        let Some(Kind::Other { name, data }) = link.kind() else { panic!("{link:?}") };
        assert_eq!((name, data), (kind.into(), Bytes(&[])));
        let again = link::create("x").index(link.index()).kind(link.kind().unwrap()).mtu(4000);
        nl.call(again)?;
        let again = nl.call(link::get("x"))?;
        assert_eq!(again.kind(), link.kind());
        assert_eq!((again.index(), again.mtu()), (link.index(), link.mtu()));
        nl.call(link::delete("x"))?;
    }
    Ok(())
}

fn kinds_without_a_table_are_made_as_read() -> Result {
    let mut nl = connect()?;
    // IFLA_VRF_TABLE
    let mut table = Writer::new();
    table.put_array(1, 100u32.to_ne_bytes());
    let vrf = Kind::Other { name: Str::from("vrf"), data: Bytes(table.as_slice()) };
    nl.call(link::create("vrf0").kind(vrf.clone()))?;
    let first = nl.call(link::get("vrf0"))?;
    assert_eq!(first.kind(), Some(vrf));
    nl.call(link::delete("vrf0"))?;
    nl.call(link::create("vrf0").kind(first.kind().unwrap()))?;
    assert_eq!(nl.call(link::get("vrf0"))?.kind(), first.kind());
    // A bond reports more than a mode lets set, so what was asked for is compared.
    let mut data = Writer::new();
    data.put_array(1, [1]); // IFLA_BOND_MODE, active-backup
    data.put_array(3, 100u32.to_ne_bytes()); // IFLA_BOND_MIIMON
    data.put_array(4, 200u32.to_ne_bytes()); // IFLA_BOND_UPDELAY
    let bond = Kind::Other { name: Str::from("bond"), data: Bytes(data.as_slice()) };
    nl.call(link::create("bond0").kind(bond.clone()))?;
    nl.call(link::create("bond1").kind(bond))?;
    let (one, two) = (nl.call(link::get("bond0"))?, nl.call(link::get("bond1"))?);
    assert_eq!(one.kind(), two.kind());
    let Some(Kind::Other { data: read, .. }) = one.kind() else { panic!("{one:?}") };
    for asked in netlink_core::Attrs::new(data.as_slice()).flatten() {
        assert_eq!(netlink_core::Attrs::new(read.0).find(asked.number), Some(asked.payload));
    }
    Ok(())
}

fn names(
    nl: &mut Connection,
    request: LinkRequest<netlink_core::Dump<Link<'static>>>,
) -> Result<Vec<String>> {
    let links = nl.dump(request)?.collect()?;
    let mut names = Vec::new();
    for link in &links {
        let filtered = link.message().header.flags.contains(MessageFlags::DUMP_FILTERED);
        assert!(filtered, "the kernel did not filter {link:?}");
        names.push(name(&link.view()?));
    }
    names.sort();
    Ok(names)
}

fn lists_are_filtered_by_the_kernel() -> Result {
    let mut nl = connect()?;
    bridge_and_port(&mut nl)?;
    let bridge = nl.call(link::get("br0"))?.index();
    nl.call(link::create("i0").kind("ifb").master(bridge))?;
    nl.call(link::create("i1").kind("ifb"))?;
    nl.call(link::create("br1").kind(Bridge::new()))?;
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 6);
    assert_eq!(names(&mut nl, link::list().master(bridge))?, ["i0", "p0"]);
    assert_eq!(names(&mut nl, link::list().of_kind("bridge"))?, ["br0", "br1"]);
    assert_eq!(names(&mut nl, link::list().of_kind("ifb"))?, ["i0", "i1"]);
    assert_eq!(names(&mut nl, link::list().of_kind("ifb").master(bridge))?, ["i0"]);
    assert!(names(&mut nl, link::list().of_kind("ifb").master(4711))?.is_empty());
    Ok(())
}

fn two_hundred_links_go_at_once() -> Result {
    let mut nl = connect()?;
    let made = nl.batch((0..200).map(|n| link::create(&format!("d{n}")).group(9).kind("dummy")));
    assert!(made.iter().all(std::result::Result::is_ok));
    nl.call(link::create("stays").kind("dummy"))?;
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 202);
    nl.call(link::delete_group(9))?;
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 2);
    assert!(nl.call(link::delete_group(9)).unwrap_err().is_not_found());
    Ok(())
}

fn what_means_all_links_is_refused() -> Result {
    let mut nl = connect()?;
    for request in [link::delete(0), link::delete_group(0), link::set(0).up(), link::add_alt_names(0, &["x"])]
    {
        assert!(matches!(nl.call(request), Err(Error::Request(_))));
    }
    assert!(matches!(nl.call(link::get(0)), Err(Error::Request(_))));
    Ok(())
}

fn a_list_with_virtual_functions() -> Result {
    let mut nl = connect()?;
    dummy(&mut nl, "d0")?;
    let links = nl.dump(link::list().ext_mask(ExtMask::VF | ExtMask::SKIP_STATS))?.collect()?;
    assert_eq!(links.len(), 2);
    for link in &links {
        let link = link.view()?;
        // There is no hardware here that has them.
        assert_eq!((link.num_vf(), link.vfs().count()), (None, 0));
        assert!(link.inet6().is_none_or(|inet6| inet6.stats().is_none()));
    }
    assert!(nl.call(link::get("d0").ext_mask(ExtMask::VF)).is_ok());
    Ok(())
}
