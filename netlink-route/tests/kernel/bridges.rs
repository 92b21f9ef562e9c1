//! Bridges and their ports.

use std::collections::BTreeMap;
use std::time::Duration;

use netlink_core::{Connection, Errno, Error, Events, MessageFlags, Notice, Protocol};
use netlink_route::Family;
use netlink_route::event::{Change, Event, Group};
use netlink_route::link::{
    self, Bridge, BridgePort, ExtMask, Kind, Link, LinkHeader, LinkRequest, Veth,
    kind::bridge::{BridgeOption, BridgeOptions, McastRouter},
    kind::vlan::VlanProtocol,
};
use netlink_testing::{Result, kernel, kind, suite};
use serde_json::Value;

use crate::links::{MAC, check, data, dummy, makes, parameters};
use crate::{BRIDGE_VLANS, connect};

suite! {
    a_hairpin_is_an_event_of_the_bridge: kind("bridge"), kind("dummy");
    one_flag_of_a_port_leaves_the_others: kind("bridge"), kind("dummy"), kernel(6, 1);
    numbers_of_a_port: kind("bridge"), kind("dummy");
    a_bridge_is_read_as_it_was_made: kind("bridge"), BRIDGE_VLANS;
    every_option_of_a_bridge_changes: kind("bridge"), BRIDGE_VLANS;
    the_switches_of_a_bridge: kind("bridge"), BRIDGE_VLANS, kernel(5, 18);
    a_port_has_vlans: kind("bridge"), kind("dummy");
    a_port_that_leaves_is_not_a_removed_link: kind("bridge"), kind("veth");
}

/// A bridge with a port, both up.
pub(crate) fn bridge_and_port(nl: &mut Connection) -> Result<u32> {
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
    // Through the link, then with a message about a port.
    let requests: [(bool, LinkRequest<()>); 2] = [
        (true, link::set(port).slave(hairpin(true))),
        (false, LinkRequest::new(&Link::SET, MessageFlags::ACK, as_port).protinfo(hairpin(false))),
    ];
    for (on, request) in requests {
        nl.call(request)?;
        loop {
            let Notice::Event { event, .. } = events.next()? else { panic!("no event") };
            let Event::BridgePort(_, link) = event else { continue };
            let Some(port_of) = link.bridge_port() else { continue };
            if port_of.hairpin() == Some(on) {
                assert_eq!((link.index(), link.master().is_some()), (port, true));
                break;
            }
        }
        let link = nl.call(link::get(port))?;
        assert_eq!(link.bridge_port().and_then(|port| port.hairpin()), Some(on));
    }
    Ok(())
}

/// F5: the kernel reports changes of the port like changes of the link, also its removal.
fn a_port_that_leaves_is_not_a_removed_link() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new()).up())?;
    let bridge = nl.call(link::get("br0"))?.index();
    nl.call(link::create("v0").kind(Veth::new().peer(link::peer("v1"))).up())?;
    let port = nl.call(link::get("v0"))?.index();
    nl.call(link::set(port).master(bridge))?;
    let mut events = Events::<Event<'static>>::open(Protocol::ROUTE, &[Group::LINK.0])?;
    events.set_timeout(Some(Duration::from_secs(5)))?;
    nl.call(link::set(port).no_master())?;
    loop {
        let Notice::Event { event, .. } = events.next()? else { panic!("no event") };
        match event {
            Event::BridgePort(Change::Deleted, link) if link.index() == port => break,
            Event::Link(Change::Deleted, link) => panic!("{link} is there"),
            _ => {}
        }
    }
    assert_eq!(nl.call(link::get(port))?.master(), None);
    nl.call(link::delete(port))?;
    loop {
        let Notice::Event { event, .. } = events.next()? else { panic!("no event") };
        if let Event::Link(Change::Deleted, link) = event {
            // Both ends are deleted together.
            if link.index() == port {
                return Ok(());
            }
        }
    }
}

/// Parameters of a port, without those that change on their own.
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

/// No parameter has its default. [`BRIDGE_NEWER`] has those that older kernels lack.
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
    // Not a copy of the read value: since Linux 6.7 that has a counter which a request must not have.
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
