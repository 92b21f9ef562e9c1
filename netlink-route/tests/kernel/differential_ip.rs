//! Addresses and routes compared with `ip`: those made here equal the output of `ip -json`, field by field;
//! and those made by `ip` equal those made by the requests of this crate.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;

use netlink_core::{Connection, IntoAttr};
use netlink_route::addr::{self, Address, AddressFlags, AddressRequest};
use netlink_route::route::encap::{
    Encap, Ila, IlaChecksum, IlaHook, IlaIdentifier, Ip, Ip6, LocalAction, Mpls, Seg6, Seg6Local, Seg6Tunnel,
    Srh, TunnelFlags,
};
use netlink_route::route::{
    self, AnyAddr, Hop, Metric, Metrics, MetricsAttrs, NextHop, Protocol, Route, RouteFlags, RouteRequest,
    RouteTable, RouteType, RouterPreference, Scope,
};
use netlink_route::{Addr, Family, link};
use netlink_testing::{Result, ipv6, kernel, kind, module, program, seconds, suite};
use serde_json::{Map, Value, json};

use crate::addresses::{self, D0, D1, a, dummy, ip};
use crate::connect;
use crate::routes::{self, connect_with_nets, run_ip};

suite! {
    ip_prints_the_addresses_made_here: kind("dummy"), ipv6(), program("ip");
    addresses_made_by_ip_are_those_made_here: kind("dummy"), ipv6(), program("ip"), seconds(180);
    ip_prints_the_routes_made_here: kind("dummy"), ipv6(), program("ip"), kernel(5, 3);
    ip_prints_the_encapsulations_made_here: kind("dummy"), ipv6(), program("ip");
    ip_prints_the_translation_made_here: kind("dummy"), ipv6(), program("ip"), module("ila");
    ip_prints_the_labels_pushed_here: kind("dummy"), program("ip"), module("mpls_router");
    routes_made_by_ip_are_those_made_here: kind("dummy"), ipv6(), program("ip"), kernel(5, 3), seconds(180);
    encapsulations_made_by_ip_are_those_made_here: kind("dummy"), ipv6(), program("ip"), seconds(180);
    a_translation_made_by_ip_is_the_one_made_here: kind("dummy"), ipv6(), program("ip"), module("ila");
    labels_pushed_by_ip_are_those_pushed_here: kind("dummy"), program("ip"), module("mpls_router");
}

/// The output of `ip -json`.
fn ask_ip(words: &str) -> Result<Vec<Value>> {
    let output = Command::new("ip").args(["-d", "-j"]).args(words.split_whitespace()).output()?;
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    // `ip` prints nothing for an empty list.
    if output.stdout.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Removes a time from both, because it can change between two reads.
fn near(ours: &mut Value, theirs: &mut Value, field: &str) {
    let number = |value: &mut Value| value.as_object_mut()?.remove(field)?.as_u64();
    match (number(ours), number(theirs)) {
        (Some(ours), Some(theirs)) => assert!(ours.abs_diff(theirs) <= 5, "{field}: {ours}, {theirs}"),
        (ours, theirs) => assert_eq!(ours, theirs, "{field}"),
    }
}

/// An address in the words of `ip`.
fn address_json(address: &Address<'_>) -> Value {
    let mut json = Map::new();
    let own = address.addr().unwrap();
    json.insert("family".into(), address.family().to_string().into());
    json.insert("local".into(), own.ip().to_string().into());
    if let Some(peer) = address.peer() {
        json.insert("address".into(), peer.ip().to_string().into());
    }
    json.insert("prefixlen".into(), own.prefix_len().into());
    if let Some(metric) = address.rt_priority() {
        json.insert("metric".into(), metric.into());
    }
    if let Some(broadcast) = address.broadcast() {
        json.insert("broadcast".into(), broadcast.to_string().into());
    }
    json.insert("scope".into(), address.scope().to_string().into());
    let flags = address.flags();
    let first = if own.ip().is_ipv4() { "secondary" } else { "temporary" };
    for (flag, name) in [
        (AddressFlags::SECONDARY, first),
        (AddressFlags::NODAD, "nodad"),
        (AddressFlags::HOMEADDRESS, "home"),
        (AddressFlags::DEPRECATED, "deprecated"),
        (AddressFlags::TENTATIVE, "tentative"),
        (AddressFlags::MANAGETEMPADDR, "mngtmpaddr"),
        (AddressFlags::NOPREFIXROUTE, "noprefixroute"),
        (AddressFlags::MCAUTOJOIN, "autojoin"),
    ] {
        if flags.contains(flag) {
            json.insert(name.into(), true.into());
        }
    }
    if !flags.contains(AddressFlags::PERMANENT) {
        json.insert("dynamic".into(), true.into());
    }
    if let Some(label) = address.label() {
        json.insert("label".into(), label.to_string().into());
    }
    let info = address.cacheinfo().unwrap();
    json.insert("valid_life_time".into(), info.valid.into());
    json.insert("preferred_life_time".into(), info.preferred.into());
    Value::Object(json)
}

/// Words of `ip address add`, and the request with the same meaning.
fn same_addresses() -> Vec<(&'static str, AddressRequest<()>)> {
    let add = |text: &str| addr::add(D0, a(text));
    vec![
        ("10.0.0.1/24", add("10.0.0.1/24")),
        ("10.0.0.9/24", add("10.0.0.9/24")),
        ("10.1.0.1/16 brd + label d0:one", add("10.1.0.1/16").broadcast_auto().label("d0:one")),
        ("10.2.0.1/24 brd 10.2.0.99 scope link", {
            add("10.2.0.1/24").broadcast(Ipv4Addr::new(10, 2, 0, 99)).scope(Scope::LINK)
        }),
        ("10.3.0.1 peer 10.3.0.2/30", add("10.3.0.1/32").peer(a("10.3.0.2/30"))),
        ("10.4.0.1/24 metric 77 noprefixroute valid_lft 3600 preferred_lft 600", {
            add("10.4.0.1/24").rt_priority(77).flags(AddressFlags::NOPREFIXROUTE).lifetime(600, 3600)
        }),
        ("10.5.0.1/24 scope 17 valid_lft 3600 preferred_lft 0", {
            add("10.5.0.1/24").scope(Scope(17)).lifetime(0, 3600)
        }),
        ("127.0.0.9/8", add("127.0.0.9/8")),
        ("239.1.2.3/32 autojoin", add("239.1.2.3/32").flags(AddressFlags::MCAUTOJOIN)),
        ("2001:db8::1/64", add("2001:db8::1/64")),
        ("2001:db8:1::1 peer 2001:db8:1::2/128", add("2001:db8:1::1/128").peer(a("2001:db8:1::2/128"))),
        ("2001:db8:2::1/64 nodad home mngtmpaddr noprefixroute valid_lft 3600 preferred_lft 0", {
            let flags = [
                AddressFlags::NODAD,
                AddressFlags::HOMEADDRESS,
                AddressFlags::MANAGETEMPADDR,
                AddressFlags::NOPREFIXROUTE,
            ];
            add("2001:db8:2::1/64").flags(flags.into_iter().collect::<AddressFlags>()).lifetime(0, 3600)
        }),
        ("2001:db8:3::1/64 metric 99", add("2001:db8:3::1/64").rt_priority(99)),
        ("fe80::99/64", add("fe80::99/64")),
    ]
}

fn ip_prints_the_addresses_made_here() -> Result {
    let mut nl = connect()?;
    dummy(&mut nl, "d0", D0)?;
    for (_, request) in same_addresses() {
        nl.call(request)?;
    }
    let ours = addresses::list(&mut nl, addr::list().link(D0))?;
    let links = ask_ip("address show dev d0")?;
    let theirs = links.iter().find_map(|link| link["addr_info"].as_array()).unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        let (mut ours, mut theirs) = (address_json(ours), theirs.clone());
        // Only later versions of `ip` print it.
        theirs.as_object_mut().unwrap().remove("protocol");
        near(&mut ours, &mut theirs, "valid_life_time");
        near(&mut ours, &mut theirs, "preferred_life_time");
        assert_eq!(ours, theirs);
    }
    Ok(())
}

fn addresses_made_by_ip_are_those_made_here() -> Result {
    let mut nl = connect()?;
    dummy(&mut nl, "d0", D0)?;
    // The kernel makes the link-local address, possibly a moment later. It reports that since Linux 5.18.
    let is_ours = |one: &Address<'_>| {
        let ip = one.address().and_then(|addr| addr.ip());
        let is_local = matches!(ip, Some(IpAddr::V6(ip)) if ip.is_unicast_link_local() && ip != Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x99));
        one.protocol().is_none() && !is_local
    };
    let read = |nl: &mut Connection| -> Result<String> {
        let mut all = addresses::list(nl, addr::list().link(D0))?;
        all.retain(is_ours);
        assert_eq!(all.len(), 1, "{all:?}");
        let one = &all[0];
        let info = one.cacheinfo().unwrap();
        // Times of change differ, and lifetimes can have changed.
        let rounded = [info.valid, info.preferred].map(|left| left.div_ceil(60));
        let attrs = [one.address(), one.local()].map(|addr| addr.as_ref().and_then(AnyAddr::ip));
        let rest = (one.label(), one.broadcast(), one.flags(), one.rt_priority());
        Ok(format!("{:?} {attrs:?} {rest:?} {rounded:?}", one.header()))
    };
    for (words, request) in same_addresses() {
        run_ip(&format!("address add {words} dev d0"))?;
        let theirs = read(&mut nl)?;
        let made = addresses::list(&mut nl, addr::list().link(D0))?;
        let made = made.iter().find(|one| is_ours(one)).unwrap();
        let mut gone = addr::delete(D0, made.addr().unwrap());
        if let Some(peer) = made.peer() {
            gone = gone.peer(peer);
        }
        nl.call(gone.clone())?;
        nl.call(request)?;
        assert_eq!(read(&mut nl)?, theirs, "{words}");
        nl.call(gone)?;
    }
    Ok(())
}

type Names = BTreeMap<u32, String>;

fn names(nl: &mut Connection) -> Result<Names> {
    let all = nl.dump(link::list())?.collect()?;
    all.iter()
        .map(|one| one.view().map(|one| (one.index(), one.name().unwrap().to_string())))
        .map(|one| Ok(one?))
        .collect()
}

/// A destination in the words of `ip`, which omits the prefix of a single address.
fn text(addr: Addr) -> String {
    match addr {
        _ if addr.prefix_len() == 0 => "default".into(),
        _ if addr.is_host() => addr.ip().to_string(),
        _ => addr.to_string(),
    }
}

fn flag_names(flags: RouteFlags) -> Value {
    let known =
        [(RouteFlags::ONLINK, "onlink"), (RouteFlags::DEAD, "dead"), (RouteFlags::LINKDOWN, "linkdown")];
    known.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| name).collect()
}

fn put_gateway(json: &mut Map<String, Value>, own: Option<IpAddr>, other: Option<IpAddr>) {
    if let Some(gateway) = own {
        json.insert("gateway".into(), gateway.to_string().into());
    }
    if let Some(gateway) = other {
        let via = json!({"family": Family::from(gateway).to_string(), "host": gateway.to_string()});
        json.insert("via".into(), via);
    }
}

fn put_tunnel_flags(json: &mut Map<String, Value>, flags: TunnelFlags) {
    for (flag, name) in [(TunnelFlags::KEY, "key"), (TunnelFlags::CSUM, "csum"), (TunnelFlags::SEQ, "seq")] {
        if flags.contains(flag) {
            json.insert(name.into(), true.into());
        }
    }
}

fn segment_names(srh: &Srh<'_>) -> Value {
    srh.segments().map(|segment| segment.to_string()).collect()
}

fn encap_json(encap: &Encap<'_>, names: &Names) -> Value {
    let mut json = Map::new();
    let mut put = |name: &str, value: Value| json.insert(name.into(), value);
    put("encap_type", encap.kind().to_string().into());
    match encap {
        Encap::Mpls(mpls) => {
            put("dst", mpls.dst().unwrap().to_string().into());
            if let Some(ttl) = mpls.ttl() {
                put("ttl", ttl.into());
            }
        }
        Encap::Seg6(seg6) => {
            let Seg6Tunnel { mode, srh, .. } = seg6.tunnel().unwrap();
            put("mode", mode.to_string().into());
            put("segs", segment_names(&srh));
        }
        Encap::Seg6Local(local) => {
            put("action", local.action().unwrap().to_string().into());
            if let Some(table) = local.table() {
                put("table", RouteTable(table).to_string().into());
            }
            if let Some(nh4) = local.nh4() {
                put("nh4", nh4.to_string().into());
            }
            if let Some(nh6) = local.nh6() {
                put("nh6", nh6.to_string().into());
            }
            if let Some(oif) = local.oif() {
                put("oif", names[&oif].clone().into());
            }
            if let Some(srh) = local.srh() {
                put("srh", json!({"segs": segment_names(&srh)}));
            }
        }
        Encap::Ip(tunnel) => {
            put("id", tunnel.id().unwrap().into());
            put("src", tunnel.src().unwrap().to_string().into());
            put("dst", tunnel.dst().unwrap().to_string().into());
            put("ttl", tunnel.ttl().unwrap().into());
            put("tos", tunnel.tos().unwrap().into());
            put_tunnel_flags(&mut json, tunnel.flags().unwrap());
        }
        Encap::Ip6(tunnel) => {
            put("id", tunnel.id().unwrap().into());
            put("src", tunnel.src().unwrap().to_string().into());
            put("dst", tunnel.dst().unwrap().to_string().into());
            put("hoplimit", tunnel.hop_limit().unwrap().into());
            put("tc", tunnel.traffic_class().unwrap().into());
            put_tunnel_flags(&mut json, tunnel.flags().unwrap());
        }
        Encap::Ila(ila) => {
            let groups =
                [48, 32, 16, 0].map(|shift| format!("{:x}", ila.locator().unwrap() >> shift & 0xffff));
            put("locator", groups.join(":").into());
            put("csum_mode", ila.csum_mode().unwrap().to_string().into());
            put("ident_type", ila.ident_type().unwrap().to_string().into());
            put("hook_type", ila.hook_type().unwrap().to_string().into());
        }
        other => panic!("{other:?}"),
    }
    Value::Object(json)
}

/// Before about iproute2 6.12, the fields of an encapsulation are among those of the route or next hop. Of
/// two with the same name the last is used: the destination of the encapsulation, and the table of the route.
fn as_old_as(theirs: &Value, ours: &mut Value) {
    if theirs["encap"].is_string()
        && let Value::Object(json) = ours
    {
        let encap = json.remove("encap").unwrap_or_default();
        for (name, value) in encap.as_object().into_iter().flatten() {
            match name.as_str() {
                "encap_type" => json.insert("encap".into(), value.clone()),
                "table" => None,
                name => json.insert(name.into(), value.clone()),
            };
        }
    }
    let hops = ours.get_mut("nexthops").and_then(Value::as_array_mut).into_iter().flatten();
    for (ours, theirs) in hops.zip(theirs["nexthops"].as_array().into_iter().flatten()) {
        as_old_as(theirs, ours);
    }
}

fn hop_json(hop: &Hop<'_>, names: &Names) -> Value {
    let mut json = Map::new();
    if let Some(encap) = hop.encap() {
        json.insert("encap".into(), encap_json(&encap, names));
    }
    put_gateway(
        &mut json,
        hop.own_gateway().and_then(|addr| addr.ip()),
        hop.other_gateway().and_then(|via| via.ip()),
    );
    json.insert("dev".into(), names[&hop.oif()].clone().into());
    json.insert("weight".into(), hop.weight().into());
    json.insert("flags".into(), flag_names(hop.flags()));
    Value::Object(json)
}

fn metrics_json(metrics: &MetricsAttrs<'_>) -> Value {
    let mut json = Map::new();
    for (name, value) in [
        ("mtu", metrics.mtu()),
        ("window", metrics.window()),
        // `ip` prints these two in milliseconds; the kernel has eighths and quarters.
        ("rtt", metrics.rtt().map(|rtt| rtt / 8)),
        ("rttvar", metrics.rtt_var().map(|variance| variance / 4)),
        ("ssthresh", metrics.ssthresh()),
        ("cwnd", metrics.cwnd()),
        ("advmss", metrics.adv_mss()),
        ("reordering", metrics.reordering()),
        ("hoplimit", metrics.hop_limit()),
        ("initcwnd", metrics.init_cwnd()),
        ("rto_min", metrics.rto_min()),
        ("initrwnd", metrics.init_rwnd()),
        ("quickack", metrics.quick_ack()),
        ("fastopen_no_cookie", metrics.fastopen_no_cookie()),
    ] {
        if let Some(value) = value {
            json.insert(name.into(), value.into());
        }
    }
    if let Some(name) = metrics.cc_algo() {
        json.insert("congestion".into(), name.to_string().into());
    }
    Value::Object(json)
}

/// A route in the words of `ip`.
fn route_json(route: &Route<'_>, names: &Names) -> Value {
    let mut json = Map::new();
    let mut put = |name: &str, value: Value| json.insert(name.into(), value);
    put("type", route.route_type().to_string().into());
    put("table", RouteTable(route.table()).to_string().into());
    put("dst", text(route.destination().unwrap()).into());
    if let Some(source) = route.source() {
        put("from", text(source).into());
    }
    put("protocol", route.protocol().to_string().into());
    put("scope", route.scope().to_string().into());
    put("flags", flag_names(route.flags()));
    if route.tos() != 0 {
        put("tos", format!("{:#04x}", route.tos()).into());
    }
    if let Some(link) = route.oif() {
        put("dev", names[&link].clone().into());
    }
    if let Some(source) = route.prefsrc() {
        put("prefsrc", source.to_string().into());
    }
    if let Some(metric) = route.priority() {
        put("metric", metric.into());
    }
    if let Some(id) = route.nh_id() {
        put("nhid", id.into());
    }
    if let Some(flow) = route.flow() {
        put("flow", json!({"from": (flow >> 16).to_string(), "to": (flow & 0xffff).to_string()}));
    }
    if let Some(pref) = route.pref() {
        put("pref", pref.to_string().into());
    }
    if let Some(info) = route.cacheinfo().filter(|info| info.expires != 0) {
        put("expires", (info.expires / 100).into());
    }
    if let Some(metrics) = route.metrics() {
        put("metrics", json!([metrics_json(&metrics)]));
    }
    if let Some(hops) = route.next_hops() {
        put("nexthops", hops.iter().map(|hop| hop_json(&hop, names)).collect());
    }
    put_gateway(
        &mut json,
        route.own_gateway().and_then(|addr| addr.ip()),
        route.other_gateway().and_then(|via| via.ip()),
    );
    if let Some(encap) = route.encap() {
        json.insert("encap".into(), encap_json(&encap, names));
    }
    Value::Object(json)
}

/// Whether `ip` prints the routes of these families in the same way and order as this crate.
fn compare_routes(nl: &mut Connection) -> Result<usize> {
    let names = names(nl)?;
    let mut count = 0;
    for (option, family) in [("-4", Family::INET), ("-6", Family::INET6)] {
        let ours = routes::list(nl, route::list().family(family))?;
        let theirs = ask_ip(&format!("{option} route show table all"))?;
        let to = |all: &[Value]| all.iter().map(|one| one["dst"].to_string()).collect::<Vec<_>>();
        let mut ours: Vec<_> = ours.iter().map(|one| route_json(one, &names)).collect();
        for (ours, theirs) in ours.iter_mut().zip(&theirs) {
            as_old_as(theirs, ours);
        }
        assert_eq!(to(&ours), to(&theirs));
        for (mut ours, mut theirs) in ours.into_iter().zip(theirs) {
            // The next hop object, which `ip` queries in addition to the route.
            theirs.as_object_mut().unwrap().remove("nh_info");
            near(&mut ours, &mut theirs, "expires");
            assert_eq!(ours, theirs);
            count += 1;
        }
    }
    Ok(count)
}

/// Words of `ip route add`, and the request with the same meaning.
fn same_routes() -> Vec<(&'static str, RouteRequest<()>)> {
    let add = |text: &str| route::add(a(text));
    let all = Metrics::new()
        .lock(Metric::MTU)
        .mtu(1400)
        .adv_mss(1300)
        .rtt(800)
        .rtt_var(200)
        .window(65_535)
        .ssthresh(20)
        .cwnd(21)
        .init_cwnd(12)
        .init_rwnd(14)
        .reordering(5)
        .hop_limit(33)
        .quick_ack(1)
        .fastopen_no_cookie(1)
        .cc_algo("cubic");
    vec![
        ("192.0.2.0/24 via 10.0.0.2 proto static metric 100", {
            add("192.0.2.0/24").gateway(ip("10.0.0.2")).protocol(Protocol::STATIC).priority(100)
        }),
        ("192.0.2.0/24 dev d1 tos 0x10 src 10.0.0.1", {
            add("192.0.2.0/24").oif(D1).tos(0x10).prefsrc(Ipv4Addr::new(10, 0, 0, 1))
        }),
        ("default via 10.0.0.2 dev d0", route::add(Addr::DEFAULT_V4).gateway(ip("10.0.0.2")).oif(D0)),
        ("192.0.3.1 via 172.16.0.1 dev d1 onlink", {
            add("192.0.3.1/32").gateway(ip("172.16.0.1")).oif(D1).onlink()
        }),
        ("192.0.4.0/24 dev d0 table 1000 proto 200 scope site", {
            add("192.0.4.0/24").oif(D0).table(1000).protocol(Protocol(200)).scope(Scope::SITE)
        }),
        (
            "192.0.5.0/24 dev d0 mtu lock 1400 advmss 1300 rtt 100ms rttvar 50ms window 65535 ssthresh 20 cwnd 21 \
             initcwnd 12 initrwnd 14 reordering 5 hoplimit 33 quickack 1 fastopen_no_cookie 1 congctl cubic",
            add("192.0.5.0/24").oif(D0).metrics(all),
        ),
        ("192.0.5.128/25 dev d0 rto_min 300ms", {
            // `ip` always locks this metric.
            add("192.0.5.128/25").oif(D0).metrics(Metrics::new().lock(Metric::RTO_MIN).rto_min(300))
        }),
        ("blackhole 192.0.6.0/24", add("192.0.6.0/24").kind(RouteType::BLACKHOLE)),
        ("unreachable 192.0.6.0/25 metric 9", add("192.0.6.0/25").kind(RouteType::UNREACHABLE).priority(9)),
        ("prohibit 192.0.6.1", add("192.0.6.1/32").kind(RouteType::PROHIBIT)),
        ("throw 192.0.6.2", add("192.0.6.2/32").kind(RouteType::THROW)),
        ("local 192.0.6.3 dev d0", add("192.0.6.3/32").kind(RouteType::LOCAL).oif(D0)),
        ("broadcast 192.0.6.4 dev d0", add("192.0.6.4/32").kind(RouteType::BROADCAST).oif(D0)),
        ("192.0.7.0/24 via inet6 2001:db8::2 dev d0", add("192.0.7.0/24").gateway(ip("2001:db8::2")).oif(D0)),
        (
            "192.0.8.0/24 nexthop via 10.0.0.2 dev d0 weight 2 nexthop via inet6 2001:db8:1::2 dev d1 weight 256 \
             nexthop dev d1",
            add("192.0.8.0/24").multipath(&[
                NextHop::via(ip("10.0.0.2")).oif(D0).weight(2),
                NextHop::via(ip("2001:db8:1::2")).oif(D1).weight(256),
                NextHop::dev(D1),
            ]),
        ),
        ("192.0.9.0/24 nhid 5", add("192.0.9.0/24").nexthop(5)),
        ("2001:db8:10::/48 via 2001:db8::2 dev d0 proto bgp metric 20 pref high", {
            let route = add("2001:db8:10::/48").gateway(ip("2001:db8::2")).oif(D0).protocol(Protocol::BGP);
            route.priority(20).pref(RouterPreference::HIGH)
        }),
        ("default via fe80::2 dev d0", route::add(Addr::DEFAULT_V6).gateway(ip("fe80::2")).oif(D0)),
        ("2001:db8:11::/48 dev d0 expires 3600", add("2001:db8:11::/48").oif(D0).expires(3600)),
        (
            "2001:db8:12::/48 nexthop via 2001:db8::2 dev d0 weight 3 nexthop via 2001:db8:1::2 dev d1",
            add("2001:db8:12::/48").multipath(&[
                NextHop::via(ip("2001:db8::2")).oif(D0).weight(3),
                NextHop::via(ip("2001:db8:1::2")).oif(D1),
            ]),
        ),
        ("blackhole 2001:db8:13::/48", add("2001:db8:13::/48").kind(RouteType::BLACKHOLE)),
        (
            "prohibit 2001:db8:14::/48 table 1000",
            add("2001:db8:14::/48").kind(RouteType::PROHIBIT).table(1000),
        ),
        ("2001:db8:15::1 dev d1 mtu 1280 hoplimit 3", {
            add("2001:db8:15::1/128").oif(D1).metrics(Metrics::new().mtu(1280).hop_limit(3))
        }),
        ("2001:db8:16::/48 nhid 6", add("2001:db8:16::/48").nexthop(6)),
        ("2001:db8:17::/48 dev d0 src 2001:db8:1::1", {
            add("2001:db8:17::/48").oif(D0).prefsrc("2001:db8:1::1".parse::<Ipv6Addr>().unwrap())
        }),
    ]
}

fn same_encapsulations() -> Vec<(&'static str, RouteRequest<()>)> {
    let to = |net: &str, encap: Encap<'static>| route::add(a(net)).oif(D0).encap(encap);
    let way: [Ipv6Addr; 2] = ["fc00::1".parse().unwrap(), "fc00::2".parse().unwrap()];
    let six: [Ipv6Addr; 2] = ["2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()];
    let four = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
    let ip4 =
        Ip::new().id(42).src(four[0]).dst(four[1]).ttl(64).tos(4).flags(TunnelFlags::KEY | TunnelFlags::SEQ);
    let ip6 =
        Ip6::new().id(42).src(six[0]).dst(six[1]).hop_limit(64).traffic_class(4).flags(TunnelFlags::CSUM);
    let local = |net: &str, local: Seg6Local| to(net, local.into_attr());
    vec![
        ("192.0.20.0/24 encap seg6 mode encap segs fc00::1,fc00::2 dev d0", {
            to("192.0.20.0/24", Seg6::encap(&way).into_attr())
        }),
        ("2001:db8:20::/48 encap seg6 mode inline segs fc00::1,fc00::2 dev d0", {
            to("2001:db8:20::/48", Seg6::inline(&way).into_attr())
        }),
        ("fc01::1 encap seg6local action End dev d0", local("fc01::1/128", Seg6Local::of(LocalAction::END))),
        ("fc01::2 encap seg6local action End.X nh6 2001:db8::2 dev d0", {
            local("fc01::2/128", Seg6Local::of(LocalAction::END_X).nh6(six[1]))
        }),
        ("fc01::3 encap seg6local action End.DX2 oif d1 dev d0", {
            local("fc01::3/128", Seg6Local::of(LocalAction::END_DX2).oif(D1))
        }),
        ("fc01::4 encap seg6local action End.DX4 nh4 10.0.0.2 dev d0", {
            local("fc01::4/128", Seg6Local::of(LocalAction::END_DX4).nh4(four[1]))
        }),
        ("fc01::5 encap seg6local action End.DT6 table 254 dev d0", {
            local("fc01::5/128", Seg6Local::of(LocalAction::END_DT6).table(254))
        }),
        ("fc01::6 encap seg6local action End.B6.Encaps srh segs fc00::1,fc00::2 dev d0", {
            local("fc01::6/128", Seg6Local::of(LocalAction::END_B6_ENCAP).srh(&way))
        }),
        ("192.0.21.0/24 encap ip id 42 src 10.0.0.1 dst 10.0.0.2 ttl 64 tos 4 key seq dev d0", {
            to("192.0.21.0/24", ip4.into_attr())
        }),
        ("2001:db8:21::/48 encap ip6 id 42 src 2001:db8::1 dst 2001:db8::2 hoplimit 64 tc 4 csum dev d0", {
            to("2001:db8:21::/48", ip6.into_attr())
        }),
        (
            "2001:db8:22::/48 nexthop encap seg6 mode encap segs fc00::1,fc00::2 via 2001:db8::2 dev d0 weight 2 \
             nexthop via 2001:db8:1::2 dev d1",
            route::add(a("2001:db8:22::/48")).multipath(&[
                NextHop::via(ip("2001:db8::2")).oif(D0).weight(2).encap(Seg6::encap(&way)),
                NextHop::via(ip("2001:db8:1::2")).oif(D1),
            ]),
        ),
    ]
}

/// For kernels with the module of this name.
fn same_ila() -> (&'static str, RouteRequest<()>) {
    let ila = Ila::new()
        .locator(0x2001_0db8_0000_0001)
        .csum_mode(IlaChecksum::NO_ACTION)
        .ident_type(IlaIdentifier::LUID)
        .hook_type(IlaHook::OUTPUT);
    let words = "3333:0:0:1:2000::/100 encap ila 2001:db8:0:1 csum-mode no-action ident-type luid hook-type output \
                 via 2001:db8::2 dev d0";
    let request = route::add(a("3333:0:0:1:2000::/100")).gateway(ip("2001:db8::2")).oif(D0);
    (words, request.encap(ila))
}

fn same_labels() -> Vec<(&'static str, RouteRequest<()>)> {
    let add = |text: &str, labels: &[u32]| route::add(a(text)).encap(Mpls::push(labels));
    vec![
        ("192.0.22.0/24 encap mpls 100 via 10.0.0.2 dev d0", {
            add("192.0.22.0/24", &[100]).gateway(ip("10.0.0.2")).oif(D0)
        }),
        ("192.0.23.0/24 encap mpls 100/200 ttl 5 dev d0", {
            route::add(a("192.0.23.0/24")).encap(Mpls::push(&[100, 200]).ttl(5)).oif(D0)
        }),
    ]
}

fn objects() -> Result {
    run_ip("nexthop add id 5 via 10.0.0.2 dev d0")?;
    run_ip("-6 nexthop add id 6 via 2001:db8::2 dev d0")
}

fn printed(cases: Vec<(&'static str, RouteRequest<()>)>) -> Result {
    let mut nl = connect_with_nets()?;
    objects()?;
    let count = cases.len();
    for (words, request) in cases {
        nl.call(request).map_err(|error| format!("{words}: {error}"))?;
    }
    assert!(compare_routes(&mut nl)? > count);
    Ok(())
}

/// Makes each with `ip` and with this crate, and compares all that the kernel reports. `ip` is started three
/// times for each, which takes time in a virtual machine.
fn made(cases: Vec<(&'static str, RouteRequest<()>)>) -> Result {
    let mut nl = connect_with_nets()?;
    objects()?;
    // The kernel makes routes for the links itself.
    let own = |nl: &mut Connection| -> Result<Vec<Route<'static>>> {
        let mut all = routes::list(nl, route::list())?;
        all.retain(|one| one.protocol() != Protocol::KERNEL);
        Ok(all)
    };
    for (words, request) in cases {
        let first = words.split(' ').find_map(|word| word.split('/').next()?.parse::<IpAddr>().ok()).unwrap();
        let option = if first.is_ipv6() { "-6" } else { "-4" };
        run_ip(&format!("{option} route add {words}"))?;
        let theirs = own(&mut nl)?;
        assert_eq!(theirs.len(), 1, "{words}");
        run_ip(&format!("{option} route del {words}"))?;
        assert_eq!(own(&mut nl)?, [], "{words}");
        nl.call(request).map_err(|error| format!("{words}: {error}"))?;
        let ours = own(&mut nl)?;
        assert_eq!(ours.len(), 1, "{words}");
        let (ours, theirs) = (&ours[0], &theirs[0]);
        if theirs.cacheinfo().is_some_and(|info| info.expires != 0) {
            // Time has passed.
            assert_eq!(ours.header(), theirs.header(), "{words}");
            assert!(ours.cacheinfo().is_some_and(|info| info.expires > 0));
        } else {
            assert_eq!((ours.header(), ours.attrs()), (theirs.header(), theirs.attrs()), "{words}");
        }
        run_ip(&format!("{option} route del {words}"))?;
    }
    Ok(())
}

fn ip_prints_the_routes_made_here() -> Result {
    printed(same_routes())
}

fn ip_prints_the_encapsulations_made_here() -> Result {
    printed(same_encapsulations())
}

fn ip_prints_the_translation_made_here() -> Result {
    printed(vec![same_ila()])
}

fn ip_prints_the_labels_pushed_here() -> Result {
    printed(same_labels())
}

fn routes_made_by_ip_are_those_made_here() -> Result {
    made(same_routes())
}

fn encapsulations_made_by_ip_are_those_made_here() -> Result {
    made(same_encapsulations())
}

fn a_translation_made_by_ip_is_the_one_made_here() -> Result {
    made(vec![same_ila()])
}

fn labels_pushed_by_ip_are_those_pushed_here() -> Result {
    made(same_labels())
}
