//! Links of each kind: the requested parameters are read back.

use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;

use netlink_core::{Connection, Errno, Flag, HwAddr, Namespace, Raw, Writer, attrs, choice};
use netlink_route::link::{
    self, Bridge, Kind, Macvlan, Veth, Vlan, Vxlan,
    kind::macvlan::{MacvlanFlags, MacvlanMode},
    kind::tun::TunType,
    kind::vlan::{VlanFlagChange, VlanFlags, VlanProtocol},
    kind::vxlan::{VxlanDf, VxlanLabelPolicy, VxlanPortRange},
};
use netlink_testing::{Result, file, init_namespace, ipv6, kernel, kind, program, suite};

use crate::connect;
use crate::links::{MAC, check, data, dummy, inside, ip, makes, name, parameters};

suite! {
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
    macvlan_in_each_mode: kind("macvlan"), kind("dummy");
    macvlan_with_a_list_of_sources: kind("macvlan"), kind("dummy"), kernel(5, 13);
    macvlan_with_a_queue: kind("macvlan"), kind("dummy"), kernel(6, 4);
    macvtap_has_a_device: kind("macvtap"), kind("dummy");
    plain_kinds_have_no_parameters: kind("dummy"), kind("ifb");
    // Root owns the device in some places, and other users have no numbers in a user namespace.
    tun_is_read: file("/dev/net/tun"), program("ip"), kernel(4, 17), init_namespace();
    tun_is_not_made_here: file("/dev/net/tun");
    kinds_without_a_table_and_parameters: kind("vcan"), kind("nlmon");
    kinds_without_a_table_are_made_as_read: kind("vrf"), kind("bond");
    a_kind_that_is_declared_here_is_made_and_read: kind("vrf");
    a_kind_is_read_as_it_is_declared_here: kind("bridge");
}

attrs! {
    /// A VRF, for which the crate has no row.
    struct VrfAttrs<'a> for Vrf { 1 IFLA_VRF_TABLE table: u32, }
}

attrs! {
    /// A bridge declared with other names than the crate's.
    struct SwitchAttrs<'a> for Switch {
        4 IFLA_BR_AGEING_TIME forgets_after: u32,
        6 IFLA_BR_PRIORITY rank: u16,
    }
}

choice! {
    for Kind<'a> {
        b"vrf" => Other(VrfAttrs<'a>, Vrf),
        b"bridge" => Other(SwitchAttrs<'a>, Switch),
    }
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
    // Parameters that do not exist are not in a request either.
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
    // A change adds pairs and replaces those with the same first priority.
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
    // The kernel switches the peer on before it connects the ends.
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
    // The kernel names the peer and gives it the attributes of the first end.
    let b = nl.call(link::get(a.link().ok_or("no peer")?))?;
    assert!(name(&b).starts_with("veth"), "{b}");
    assert_eq!((b.mtu(), b.tx_queue_len()), (Some(1300), Some(100)));
    assert_eq!((b.num_tx_queues(), b.num_rx_queues()), (Some(2), Some(3)));
    // With a name, it is a separate link.
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
    // Moved back, with another name and number.
    let home = Namespace::current()?;
    let mut there = inside(&one)?;
    there.call(link::set(11).net_ns_fd(home.as_raw_fd()).rename("home"))?;
    assert!(there.call(link::get(11)).unwrap_err().is_not_found());
    assert_eq!(nl.call(link::get("home"))?.index(), 11);
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
    // The lower link has the longest requested queue.
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
    // Hardware, or similar: no kind.
    assert_eq!(nl.call(link::get("lo"))?.kind(), None);
    assert!(nl.call(link::delete("lo")).unwrap_err().is_unsupported());
    Ok(())
}

/// vishvananda 10, for links that persist: keeping descriptors needs an ioctl, which `std` does not have.
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

fn kinds_without_a_table_and_parameters() -> Result {
    let mut nl = connect()?;
    for kind in ["vcan", "nlmon"] {
        nl.call(link::create("x").kind(kind).mtu(4000))?;
        let link = nl.call(link::get("x"))?;
        nl.call(link::delete("x"))?;
        let Some(Kind::Other(name, data)) = link.kind() else { panic!("{link:?}") };
        assert_eq!((name, data), (kind.into(), Raw::default()));
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
    let vrf = Kind::Other("vrf".into(), table.into());
    nl.call(link::create("vrf0").kind(vrf.clone()))?;
    let first = nl.call(link::get("vrf0"))?;
    assert_eq!(first.kind(), Some(vrf));
    nl.call(link::delete("vrf0"))?;
    nl.call(link::create("vrf0").kind(first.kind().unwrap()))?;
    assert_eq!(nl.call(link::get("vrf0"))?.kind(), first.kind());
    // A bond reports more than its mode allows to set, so only the requested values are compared.
    let mut data = Writer::new();
    data.put_array(1, [1]); // IFLA_BOND_MODE, active-backup
    data.put_array(3, 100u32.to_ne_bytes()); // IFLA_BOND_MIIMON
    data.put_array(4, 200u32.to_ne_bytes()); // IFLA_BOND_UPDELAY
    let bond = Kind::Other("bond".into(), data.as_slice().into());
    nl.call(link::create("bond0").kind(bond.clone()))?;
    nl.call(link::create("bond1").kind(bond))?;
    let (one, two) = (nl.call(link::get("bond0"))?, nl.call(link::get("bond1"))?);
    assert_eq!(one.kind(), two.kind());
    let Some(Kind::Other(_, read)) = one.kind() else { panic!("{one:?}") };
    for asked in netlink_core::Attrs::new(data.as_slice()).flatten() {
        assert_eq!(netlink_core::Attrs::new(read.as_bytes()).find(asked.number), Some(asked.payload));
    }
    Ok(())
}

fn a_kind_that_is_declared_here_is_made_and_read() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("red").kind(Vrf::new().table(100)))?;
    let link = nl.call(link::get("red"))?;
    assert_eq!(link.kind_as::<Vrf>()?.unwrap().table(), Some(100));
    assert!(link.kind_as::<Switch>()?.is_none() && link.kind_as::<Bridge>()?.is_none());
    Ok(())
}

fn a_kind_is_read_as_it_is_declared_here() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br").kind(Switch::new().forgets_after(4000).rank(7)))?;
    let link = nl.call(link::get("br"))?;
    let switch = link.kind_as::<Switch>()?.unwrap();
    assert_eq!((switch.forgets_after(), switch.rank()), (Some(4000), Some(7)));
    assert!(switch.unknown().count() > 20);
    let bridge = link.kind_as::<Bridge>()?.unwrap();
    assert_eq!((bridge.ageing_time(), bridge.priority()), (Some(4000), Some(7)));
    nl.call(link::set("br").kind(Switch::new().rank(8)))?;
    assert_eq!(nl.call(link::get("br"))?.kind_as::<Bridge>()?.unwrap().priority(), Some(8));
    Ok(())
}
