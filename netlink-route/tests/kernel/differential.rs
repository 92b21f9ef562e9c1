//! Links compared with iproute2: as it shows them, and as it makes them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_core::{Connection, Flag, HwAddr};
use netlink_route::link::{
    self, Bridge, BridgePort, Kind, Link, LinkRequest, Macvlan, Veth, Vlan, Vxlan,
    kind::bridge::{BridgeOption, BridgeOptions, McastRouter},
    kind::macvlan::{MacvlanFlags, MacvlanMode},
    kind::vlan::{VlanFlagChange, VlanFlags, VlanProtocol},
    kind::vxlan::{VxlanDf, VxlanPortRange, VxlanReserved},
};
use netlink_testing::{Result, file, init_namespace, kind, program, suite};
use serde_json::{Value, json};

use crate::links::{data, ip, parameters};
use crate::{BRIDGE_VLANS, connect};

suite! {
    plain_links_are_shown_as_by_ip: program("ip"), kind("dummy"), kind("ifb"), kind("veth");
    bridges_are_shown_as_by_ip: program("ip"), kind("bridge"), BRIDGE_VLANS;
    ports_are_shown_as_by_ip: program("ip"), kind("bridge"), kind("dummy");
    vlans_are_shown_as_by_ip: program("ip"), kind("vlan"), kind("dummy");
    macvlans_are_shown_as_by_ip: program("ip"), kind("macvlan"), kind("macvtap"), kind("dummy");
    vxlans_are_shown_as_by_ip: program("ip"), kind("vxlan"), kind("dummy");
    tuns_are_shown_as_by_ip: program("ip"), file("/dev/net/tun"), init_namespace();
    bridges_are_made_as_by_ip: program("ip"), kind("bridge"), BRIDGE_VLANS;
    ports_are_set_as_by_ip: program("ip"), kind("bridge"), kind("dummy");
    vlans_are_made_as_by_ip: program("ip"), kind("vlan"), kind("dummy");
    macvlans_are_made_as_by_ip: program("ip"), kind("macvlan"), kind("macvtap"), kind("dummy");
    vxlans_are_made_as_by_ip: program("ip"), kind("vxlan"), kind("dummy");
    pairs_are_made_as_by_ip: program("ip"), kind("veth");
}

const MAC: [u8; 6] = [2, 0, 0, 0, 0x5e, 1];

type Map = BTreeMap<String, Value>;

fn text(value: Option<impl ToString>) -> Value {
    value.map_or(Value::Null, |value| value.to_string().into())
}

fn number(value: Option<impl Into<u64>>) -> Value {
    value.map_or(Value::Null, |value| value.into().into())
}

/// As hexadecimal digits, the format of masks in iproute2's JSON.
fn hex(value: Option<impl Into<u64>>) -> Value {
    let digits = |value| if value == 0 { "0".to_owned() } else { format!("{value:#x}") };
    value.map_or(Value::Null, |value| digits(value.into()).into())
}

fn same(theirs: &Value, ours: &Value) -> bool {
    // A number on one side can be a boolean on the other. Newer versions write present or missing values as null.
    let number = |value: &Value| match value {
        Value::Null => Some(1.0),
        Value::Bool(on) => Some(if *on { 1.0 } else { 0.0 }),
        other => other.as_f64(),
    };
    match (number(theirs), number(ours)) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => theirs == ours,
    }
}

/// Every key that iproute2 prints equals ours, except those in `unlike`.
fn compare(what: &str, theirs: &Value, ours: &Map, unlike: &[&str]) -> Vec<String> {
    let Value::Object(theirs) = theirs else { return vec![format!("{what}: {theirs} is no object")] };
    let wrong = theirs.iter().filter(|(key, theirs)| {
        !unlike.contains(&key.as_str()) && !ours.get(*key).is_some_and(|ours| same(theirs, ours))
    });
    wrong.map(|(key, theirs)| format!("{what}.{key}: ip {theirs}, we {:?}", ours.get(key))).collect()
}

/// Pairs with different keys: iproute2's, ours.
fn renamed(mut ours: Map, names: &[(&str, &str)]) -> Map {
    for (theirs, name) in names {
        if let Some(value) = ours.remove(*name) {
            ours.insert((*theirs).to_owned(), value);
        }
    }
    ours
}

fn put(map: &mut Map, pairs: impl IntoIterator<Item = (&'static str, Value)>) {
    map.extend(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)));
}

/// In the order of iproute2.
const VLAN_FLAGS: [VlanFlags; 5] = [
    VlanFlags::REORDER_HDR,
    VlanFlags::GVRP,
    VlanFlags::MVRP,
    VlanFlags::LOOSE_BINDING,
    VlanFlags::BRIDGE_BINDING,
];

/// Both words as one number.
fn reserved(bits: VxlanReserved) -> u64 {
    u64::from(bits.flags.0) << 32 | u64::from(bits.vni.0)
}

/// `info_data` of a kind.
fn info_data(nl: &mut Connection, kind: &Kind<'_>) -> Result<Map> {
    let ours = parameters(kind);
    Ok(match kind {
        Kind::Bridge(bridge) => {
            let names = [
                ("mcast_last_member_cnt", "mcast_last_member_count"),
                ("mcast_startup_query_cnt", "mcast_startup_query_count"),
                ("mcast_last_member_intvl", "mcast_last_member_interval"),
                ("mcast_membership_intvl", "mcast_membership_interval"),
                ("mcast_querier_intvl", "mcast_querier_interval"),
                ("mcast_query_intvl", "mcast_query_interval"),
                ("mcast_query_response_intvl", "mcast_query_response_interval"),
                ("mcast_startup_query_intvl", "mcast_startup_query_interval"),
            ];
            let mut ours = renamed(ours, &names);
            // For a bridge that is its own querier; port and timer of another one are not tested here.
            let state = bridge.mcast_querier_state().unwrap_or_default();
            let querier = |key: &str, addr: Option<IpAddr>| addr.map(|addr| json!({key: addr.to_string()}));
            let querier4 = querier("mcast_querier_ipv4_addr", state.ip().map(IpAddr::V4));
            let querier6 = querier("mcast_querier_ipv6_addr", state.ipv6().map(IpAddr::V6));
            let option = |option| bridge.options().and_then(|options| options.get(option));
            put(
                &mut ours,
                [
                    ("bridge_id", text(bridge.bridge_id())),
                    ("root_id", text(bridge.root_id())),
                    ("group_fwd_mask", hex(bridge.group_fwd_mask())),
                    ("mcast_router", number(bridge.mcast_router().map(|router| router.0))),
                    ("no_linklocal_learn", option(BridgeOption::NO_LL_LEARN).into()),
                    ("mcast_vlan_snooping", option(BridgeOption::MCAST_VLAN_SNOOPING).into()),
                    ("mcast_querier_state_ipv4", querier4.into()),
                    ("mcast_querier_state_ipv6", querier6.into()),
                    ("mst_enabled", option(BridgeOption::MST_ENABLE).into()),
                ],
            );
            ours
        }
        Kind::Vlan(vlan) => {
            let mut ours = ours;
            let flags = vlan.flags().map(|change| change.flags).unwrap_or_default();
            let flags = VLAN_FLAGS.into_iter().filter(|flag| flags.contains(*flag));
            put(&mut ours, [("flags", flags.map(|flag| flag.to_string()).collect())]);
            for key in ["ingress_qos", "egress_qos"] {
                if let Some(pairs) = ours.get(key).and_then(|map| map.get("mappings")).cloned() {
                    ours.insert(key.to_owned(), pairs);
                }
            }
            ours
        }
        Kind::Macvlan(macvlan) | Kind::Macvtap(macvlan) => {
            let names = [
                ("macaddr_count", "addr_count"),
                ("bcqueuelen", "bc_queue_len"),
                ("usedbcqueuelen", "bc_queue_len_used"),
            ];
            let mut ours = renamed(ours, &names);
            let list = macvlan.addrs();
            let addrs = list.as_ref().and_then(|list| list.addresses());
            let addrs = addrs.into_iter().flat_map(|addrs| addrs.iter()).map(|addr| addr.to_string());
            let flags = macvlan.flags().unwrap_or_default();
            put(
                &mut ours,
                [
                    ("macaddr_data", addrs.collect()),
                    ("nopromisc", flags.contains(MacvlanFlags::NOPROMISC).into()),
                    ("nodst", flags.contains(MacvlanFlags::NODST).into()),
                ],
            );
            ours
        }
        Kind::Vxlan(vxlan) => {
            let names = [("external", "collect_metadata")];
            let mut ours = renamed(ours, &names);
            let lower = vxlan.link().map(|index| nl.call(link::get(index))).transpose()?;
            put(
                &mut ours,
                [
                    ("remote", text(vxlan.group())),
                    ("remote6", text(vxlan.group6())),
                    ("link", text(lower.and_then(|lower| lower.name().map(|name| name.to_string())))),
                    ("tos", hex(vxlan.tos())),
                    ("label", hex(vxlan.label())),
                    ("reserved_bits", hex(vxlan.reserved_bits().map(reserved))),
                ],
            );
            ours
        }
        Kind::Tun(_) => {
            // Neither has a name here, so iproute2 prints their numbers.
            let names = [
                ("type", "kind"),
                ("user", "owner"),
                ("numqueues", "num_queues"),
                ("numdisabled", "num_disabled_queues"),
            ];
            renamed(ours, &names)
        }
        _ => ours,
    })
}

/// `info_slave_data` of a port.
fn port_data(link: &Link<'_>) -> Map {
    let Some(port) = link.bridge_port() else { return Map::new() };
    let names = [("fastleave", "fast_leave"), ("mcast_router", "multicast_router")];
    let mut ours = renamed(data(&port), &names);
    put(
        &mut ours,
        [
            ("bridge_id", text(port.bridge_id())),
            ("root_id", text(port.root_id())),
            ("id", hex(port.id())),
            ("no", hex(port.number())),
            ("group_fwd_mask", hex(port.group_fwd_mask())),
            ("group_fwd_mask_str", port.group_fwd_mask().map(|mask| format!("{mask:#x}")).into()),
            ("multicast_router", number(port.multicast_router().map(|router| router.0))),
        ],
    );
    ours
}

/// Compares the output of `ip -d` for a link with our values.
fn shown(nl: &mut Connection, name: &str) -> Result {
    let theirs: Value = serde_json::from_str(&ip(&format!("-d -j link show dev {name}"))?)?;
    let theirs = &theirs[0];
    let link = nl.call(link::get(name))?;
    let mut ours = Map::new();
    let flags = link.flags();
    // iproute2 prints the absence of RUNNING, and adds information about the link below.
    let carrier = !flags.contains(link::LinkFlags::UP) || flags.contains(link::LinkFlags::RUNNING);
    let mut names: Vec<_> =
        flags.iter_names().map(|(name, _)| name).filter(|name| *name != "RUNNING").collect();
    if !carrier {
        names.push("NO-CARRIER");
    }
    if let Some(below) = link.link()
        && !nl.call(link::get(below))?.is_up()
    {
        names.push("M-DOWN");
    }
    names.sort_unstable();
    let mut theirs_flags: Vec<_> =
        theirs["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    theirs_flags.sort_unstable();
    assert_eq!(theirs_flags, names);
    let inet6 = link.inet6();
    put(
        &mut ours,
        [
            ("ifindex", link.index().into()),
            ("ifname", text(link.name())),
            ("ifalias", text(link.alias())),
            ("mtu", number(link.mtu())),
            ("qdisc", text(link.qdisc())),
            ("operstate", text(link.oper_state())),
            ("linkmode", text(link.link_mode())),
            ("link_type", link.link_type().to_string().into()),
            ("address", text(link.address())),
            ("broadcast", text(link.broadcast())),
            ("txqlen", number(link.tx_queue_len())),
            ("promiscuity", number(link.promiscuity())),
            ("allmulti", number(link.allmulti_count())),
            ("min_mtu", number(link.min_mtu())),
            ("max_mtu", number(link.max_mtu())),
            ("num_tx_queues", number(link.num_tx_queues())),
            ("num_rx_queues", number(link.num_rx_queues())),
            ("gso_max_size", number(link.gso_max_size())),
            ("gso_max_segs", number(link.gso_max_segs())),
            ("tso_max_size", number(link.tso_max_size())),
            ("tso_max_segs", number(link.tso_max_segs())),
            ("gro_max_size", number(link.gro_max_size())),
            ("gso_ipv4_max_size", number(link.gso_ipv4_max_size())),
            ("gro_ipv4_max_size", number(link.gro_ipv4_max_size())),
            ("inet6_addr_gen_mode", text(inet6.and_then(|inet6| inet6.addr_gen_mode()))),
            ("altnames", link.alt_names().map(|name| name.to_string()).collect()),
        ],
    );
    for (key, index) in [("link", link.link()), ("master", link.master())] {
        if let Some(index) = index {
            let other = nl.call(link::get(index))?;
            put(&mut ours, [(key, text(other.name()))]);
        }
    }
    let group = match link.group() {
        Some(0) => "default".to_owned(),
        group => group.unwrap_or_default().to_string(),
    };
    put(&mut ours, [("group", group.into())]);
    let mut wrong = compare(name, theirs, &ours, &["flags", "linkinfo"]);
    let info = &theirs["linkinfo"];
    let info_of = |key: &str| info.get(key).cloned().unwrap_or(Value::Null);
    let kind = link.kind();
    assert_eq!(info_of("info_kind"), text(kind.as_ref().map(Kind::name)));
    assert_eq!(info_of("info_slave_kind"), text(link.slave().map(|slave| slave.name().to_string())));
    let has_data = kind.as_ref().is_some_and(|kind| !parameters(kind).is_empty());
    assert_eq!(info.get("info_data").is_some(), has_data, "{theirs:#}");
    assert_eq!(info.get("info_slave_data").is_some(), link.bridge_port().is_some(), "{theirs:#}");
    if let Some(kind) = kind.filter(|_| has_data) {
        let ours = info_data(nl, &kind)?;
        wrong.extend(compare("info_data", &info["info_data"], &ours, TIMERS));
    }
    if info.get("info_slave_data").is_some() {
        wrong.extend(compare("info_slave_data", &info["info_slave_data"], &port_data(&link), TIMERS));
    }
    assert!(wrong.is_empty(), "{wrong:#?}\n{theirs:#}");
    Ok(())
}

/// Timers change between two reads.
const TIMERS: &[&str] = &[
    "hello_timer",
    "tcn_timer",
    "topology_change_timer",
    "gc_timer",
    "message_age_timer",
    "forward_delay_timer",
    "hold_timer",
];

fn dummy(nl: &mut Connection, name: &str) -> Result<u32> {
    nl.call(link::create(name).kind("dummy"))?;
    Ok(nl.call(link::get(name))?.index())
}

fn plain_links_are_shown_as_by_ip() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("d0").kind("dummy").mtu(1400).address(MAC).group(5).alias("one two").up())?;
    nl.call(link::create("d1").kind("dummy").tx_queue_len(0).arp(false).promisc(true).allmulti(true))?;
    nl.call(link::create("i0").kind("ifb").num_tx_queues(2).num_rx_queues(3).up())?;
    nl.call(link::create("a").kind(Veth::new().peer(link::peer("b").mtu(1280))).up())?;
    nl.call(link::set("a").gso_max_size(30000).gso_max_segs(100))?;
    nl.call(link::add_alt_names("a", &["another", "a-name-of-more-than-fifteen-bytes"]))?;
    ["lo", "d0", "d1", "i0", "a", "b"].into_iter().try_for_each(|name| shown(&mut nl, name))
}

fn bridge() -> Bridge {
    crate::bridges::odd_bridge().options(
        BridgeOptions::default()
            .with(BridgeOption::NO_LL_LEARN, true)
            .with(BridgeOption::MCAST_VLAN_SNOOPING, true),
    )
}

/// The same for `ip link add`.
const BRIDGE: &str = "forward_delay 400 hello_time 300 max_age 1000 ageing_time 6000 stp_state 1 priority 4096 \
    vlan_filtering 1 vlan_protocol 802.1ad group_fwd_mask 0xfff8 group_address 01:80:c2:00:00:0e mcast_router 2 \
    mcast_query_use_ifaddr 1 mcast_querier 1 mcast_hash_max 512 mcast_last_member_count 3 \
    mcast_startup_query_count 4 mcast_last_member_interval 200 mcast_membership_interval 30000 \
    mcast_querier_interval 20000 mcast_query_interval 13000 mcast_query_response_interval 1200 \
    mcast_startup_query_interval 3000 nf_call_iptables 1 nf_call_ip6tables 1 nf_call_arptables 1 \
    vlan_default_pvid 5 vlan_stats_enabled 1 mcast_stats_enabled 1 mcast_igmp_version 3 mcast_mld_version 2 \
    vlan_stats_per_port 1 no_linklocal_learn 1 mcast_vlan_snooping 1";

fn bridges_are_shown_as_by_ip() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new()))?;
    nl.call(link::create("br1").kind(bridge()))?;
    nl.call(link::create("br2").kind(Bridge::new().mcast_snooping(false)).up())?;
    ["br0", "br1", "br2"].into_iter().try_for_each(|name| shown(&mut nl, name))
}

fn port() -> BridgePort {
    BridgePort::new()
        .priority(13)
        .cost(4321)
        .hairpin(true)
        .guard(true)
        .root_block(true)
        .fast_leave(true)
        .learning(false)
        .flood(false)
        .proxy_arp(true)
        .proxy_arp_wifi(true)
        .multicast_router(McastRouter::PERM)
        .mcast_flood(false)
        .bcast_flood(false)
        .mcast_to_unicast(true)
        .group_fwd_mask(0x10)
        .neigh_suppress(true)
        .vlan_tunnel(true)
        .isolated(true)
}

const PORT: &str = "priority 13 cost 4321 hairpin on guard on root_block on fastleave on learning off flood off \
    proxy_arp on proxy_arp_wifi on mcast_router 2 mcast_flood off bcast_flood off mcast_to_unicast on \
    group_fwd_mask 0x10 neigh_suppress on vlan_tunnel on isolated on";

fn ports_are_shown_as_by_ip() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new()).up())?;
    let bridge = nl.call(link::get("br0"))?.index();
    for name in ["p0", "p1"] {
        nl.call(link::create(name).kind("dummy").master(bridge).up())?;
    }
    nl.call(link::set("p1").slave(port()))?;
    ["p0", "p1"].into_iter().try_for_each(|name| shown(&mut nl, name))
}

fn vlans() -> [(&'static str, Vlan); 4] {
    let flags = VlanFlagChange::new(
        VlanFlags::GVRP | VlanFlags::MVRP | VlanFlags::LOOSE_BINDING,
        VlanFlags::REORDER_HDR,
    );
    [
        ("id 1", Vlan::new().id(1)),
        ("proto 802.1ad id 4094", Vlan::new().id(4094).protocol(VlanProtocol::AD)),
        ("id 7 reorder_hdr off gvrp on mvrp on loose_binding on", Vlan::new().id(7).flags(flags)),
        (
            "id 8 ingress-qos-map 1:7 2:6 egress-qos-map 1:2 3:4",
            Vlan::new().id(8).ingress_qos([(1, 7), (2, 6)]).egress_qos([(1, 2), (3, 4)]),
        ),
    ]
}

fn vlans_are_shown_as_by_ip() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    for (n, (_, vlan)) in vlans().into_iter().enumerate() {
        let name = format!("v{n}");
        nl.call(link::create(&name).link(lower).kind(vlan))?;
        shown(&mut nl, &name)?;
    }
    Ok(())
}

/// Those with passthru use a lower link alone.
fn macvlans() -> [(&'static str, Kind<'static>); 6] {
    let macs = [HwAddr::from([2, 0, 0, 0, 1, 1]), HwAddr::from([2, 0, 0, 0, 1, 2])];
    let mode = |mode| Macvlan::new().mode(mode);
    let source = mode(MacvlanMode::SOURCE);
    [
        ("type macvlan mode private", mode(MacvlanMode::PRIVATE).into()),
        ("type macvlan mode vepa", mode(MacvlanMode::VEPA).into()),
        ("type macvlan mode bridge bcqueuelen 500", mode(MacvlanMode::BRIDGE).bc_queue_len(500).into()),
        (
            "type macvlan mode passthru nopromisc",
            mode(MacvlanMode::PASSTHRU).flags(MacvlanFlags::NOPROMISC).into(),
        ),
        (
            "type macvlan mode source macaddr set 02:00:00:00:01:01 02:00:00:00:01:02",
            source.set_addrs(&macs).into(),
        ),
        ("type macvtap mode bridge", mode(MacvlanMode::BRIDGE).tap()),
    ]
}

fn macvlans_are_shown_as_by_ip() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    for (_, kind) in macvlans() {
        nl.call(link::create("m0").link(lower).kind(kind))?;
        shown(&mut nl, "m0")?;
        nl.call(link::delete("m0"))?;
    }
    Ok(())
}

fn vxlans(lower: u32) -> Result<[(&'static str, Vxlan); 6]> {
    let ports = |low: u16, high: u16| VxlanPortRange::default().low(low).high(high);
    Ok([
        ("id 1 dstport 4789", Vxlan::new().id(1).port(4789)),
        (
            "id 2 dstport 4001 remote 10.0.0.2 local 10.0.0.1 ttl 17 tos 0x28 df inherit ageing 120 maxaddress 99 \
             srcport 10000 20000 nolearning proxy rsc l2miss l3miss noudpcsum remcsumtx remcsumrx",
            Vxlan::new()
                .id(2)
                .port(4001)
                .group(Ipv4Addr::new(10, 0, 0, 2))
                .local(Ipv4Addr::new(10, 0, 0, 1))
                .ttl(17)
                .tos(0x28)
                .df(VxlanDf::INHERIT)
                .ageing(120)
                .limit(99)
                .port_range(ports(10000, 20000))
                .learning(false)
                .proxy(true)
                .rsc(true)
                .l2miss(true)
                .l3miss(true)
                .udp_csum(false)
                .remcsum_tx(true)
                .remcsum_rx(true),
        ),
        (
            "id 3 dstport 4002 group 239.1.2.3 dev d0 ttl inherit gbp",
            Vxlan::new()
                .id(3)
                .port(4002)
                .group(Ipv4Addr::new(239, 1, 2, 3))
                .link(lower)
                .ttl_inherit(true)
                .gbp(Flag),
        ),
        (
            "id 4 dstport 4003 remote fd00::2 local fd00::1 flowlabel 0xf1234 udp6zerocsumtx udp6zerocsumrx",
            Vxlan::new()
                .id(4)
                .port(4003)
                .group6("fd00::2".parse::<Ipv6Addr>()?)
                .local6("fd00::1".parse::<Ipv6Addr>()?)
                .label(0xf_1234)
                .udp_zero_csum6_tx(true)
                .udp_zero_csum6_rx(true),
        ),
        // iproute2 switches learning off too.
        ("dstport 4004 external", Vxlan::new().port(4004).collect_metadata(true).learning(false)),
        (
            "dstport 4005 external nolearning gpe",
            Vxlan::new().port(4005).collect_metadata(true).learning(false).gpe(Flag),
        ),
    ])
}

fn vxlans_are_shown_as_by_ip() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    for (n, (_, vxlan)) in vxlans(lower)?.into_iter().enumerate() {
        let name = format!("vx{n}");
        nl.call(link::create(&name).kind(vxlan))?;
        shown(&mut nl, &name)?;
    }
    Ok(())
}

fn tuns_are_shown_as_by_ip() -> Result {
    let mut nl = connect()?;
    ip("tuntap add dev t0 mode tap user 1234 group 5678 multi_queue vnet_hdr")?;
    ip("tuntap add dev t1 mode tun pi")?;
    shown(&mut nl, "t0")?;
    shown(&mut nl, "t1")
}

/// The kind and its parameters; for a bridge, without the timers.
fn settled<'a>(link: &'a Link<'_>) -> (Option<Kind<'a>>, Map) {
    let kind = link.kind();
    let mut all = kind.as_ref().map(parameters).unwrap_or_default();
    all.retain(|key, _| !TIMERS.contains(&key.as_str()));
    (kind.filter(|kind| !matches!(kind, Kind::Bridge(_))), all)
}

/// Makes a link in both ways, one after the other, and compares the results.
fn made(nl: &mut Connection, by_ip: &str, request: LinkRequest<()>) -> Result {
    ip(&format!("link add x {by_ip}"))?;
    let theirs = nl.call(link::get("x"))?;
    nl.call(link::delete("x"))?;
    nl.call(request)?;
    let ours = nl.call(link::get("x"))?;
    nl.call(link::delete("x"))?;
    assert_eq!(settled(&theirs), settled(&ours), "{by_ip}");
    assert_eq!((theirs.mtu(), theirs.flags(), theirs.group()), (ours.mtu(), ours.flags(), ours.group()));
    assert_eq!((theirs.link(), theirs.tx_queue_len()), (ours.link(), ours.tx_queue_len()));
    Ok(())
}

fn bridges_are_made_as_by_ip() -> Result {
    let mut nl = connect()?;
    let request = || link::create("x").address(MAC);
    let by_ip = "address 02:00:00:00:5e:01 type bridge";
    made(&mut nl, by_ip, request().kind(Bridge::new()))?;
    made(&mut nl, &format!("{by_ip} {BRIDGE}"), request().kind(bridge()))
}

fn ports_are_set_as_by_ip() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new()).address(MAC))?;
    let bridge = nl.call(link::get("br0"))?.index();
    for name in ["p0", "p1"] {
        nl.call(link::create(name).kind("dummy").master(bridge))?;
    }
    ip(&format!("link set p0 type bridge_slave {PORT}"))?;
    nl.call(link::set("p1").slave(port()))?;
    let (p0, p1) = (nl.call(link::get("p0"))?, nl.call(link::get("p1"))?);
    let [mut theirs, mut ours] =
        [&p0, &p1].map(|link| link.bridge_port().map(|port| data(&port)).unwrap_or_default());
    for port in [&mut theirs, &mut ours] {
        // Values that contain the number of the port.
        port.retain(|key, _| !["id", "number", "designated_port"].contains(&key.as_str()));
        assert!(port.len() > 20);
    }
    assert_eq!(theirs, ours);
    Ok(())
}

fn vlans_are_made_as_by_ip() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    vlans().into_iter().try_for_each(|(by_ip, vlan)| {
        made(&mut nl, &format!("link d0 type vlan {by_ip}"), link::create("x").link(lower).kind(vlan))
    })
}

fn macvlans_are_made_as_by_ip() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    macvlans().into_iter().try_for_each(|(by_ip, kind)| {
        made(&mut nl, &format!("link d0 {by_ip}"), link::create("x").link(lower).kind(kind))
    })
}

fn vxlans_are_made_as_by_ip() -> Result {
    let mut nl = connect()?;
    let lower = dummy(&mut nl, "d0")?;
    vxlans(lower)?.into_iter().try_for_each(|(by_ip, vxlan)| {
        made(&mut nl, &format!("type vxlan {by_ip}"), link::create("x").kind(vxlan))
    })
}

fn pairs_are_made_as_by_ip() -> Result {
    let mut nl = connect()?;
    let read = |nl: &mut Connection| -> Result<Vec<_>> {
        let mut ends = Vec::new();
        for name in ["a", "b"] {
            let link = nl.call(link::get(name))?;
            ends.push((
                (link.mtu(), link.tx_queue_len(), link.num_tx_queues(), link.num_rx_queues()),
                (link.address(), link.group(), link.flags(), link.kind() == Some("veth".into())),
            ));
        }
        nl.call(link::delete("a"))?;
        Ok(ends)
    };
    ip("link add name a mtu 1300 address 02:00:00:00:00:01 numtxqueues 2 type veth \
        peer name b mtu 1400 address 02:00:00:00:5e:01 numtxqueues 3 numrxqueues 4 txqueuelen 50")?;
    let theirs = read(&mut nl)?;
    let peer = link::peer("b").mtu(1400).address(MAC).num_tx_queues(3).num_rx_queues(4).tx_queue_len(50);
    let request = link::create("a").mtu(1300).address([2, 0, 0, 0, 0, 1]).num_tx_queues(2);
    nl.call(request.kind(Veth::new().peer(peer)))?;
    assert_eq!(theirs, read(&mut nl)?);
    Ok(())
}
