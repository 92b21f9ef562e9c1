//! JSON of links, addresses and routes beside that of `ip`: what both have is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use netlink_core::{Connection, Dump, Reply, ToRequest};
use netlink_route::link::OperState;
use netlink_route::{addr, link, route};
use netlink_testing::{Result, ipv6, kind, program, suite};
use serde_json::{Value, json};

use crate::connect;
use crate::links::ip;
use crate::routes::run_ip;

suite! {
    json_of_links_is_that_of_ip: kind("bridge"), kind("veth"), program("ip");
    json_of_addresses_is_that_of_ip: kind("bridge"), ipv6(), program("ip");
    json_of_routes_is_that_of_ip: kind("bridge"), ipv6(), program("ip");
}

/// What `ip` prints.
fn theirs(words: &str) -> Result<Vec<Value>> {
    Ok(serde_json::from_str(&ip(&format!("-d -j {words}"))?)?)
}

fn ours<R>(nl: &mut Connection, list: impl ToRequest<Answer = Dump<R>>) -> Result<Vec<Value>>
where
    R: Reply + netlink_core::serde::Serialize,
{
    let all = nl.dump(list)?.to_vec()?;
    Ok(all.iter().map(serde_json::to_value).collect::<Result<_, _>>()?)
}

/// Both, where the names differ: theirs and the path of ours.
fn same(theirs: &Value, ours: &Value, names: &[(&str, &str)]) {
    for (their, our) in names {
        let (their, our) =
            (theirs.get(their).unwrap_or(&Value::Null), ours.pointer(our).unwrap_or(&Value::Null));
        assert_eq!(our, their, "{names:?}: {ours} {theirs}");
    }
}

fn set(list: &Value, without: &[&str]) -> BTreeSet<String> {
    let names = list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    names.filter(|name| !without.contains(&name.as_str())).collect()
}

fn a_bridge_with_a_port() -> Result<Connection> {
    let mut nl = connect()?;
    for words in [
        "link add br0 type bridge",
        "link add v0 type veth peer name v1",
        "link set v0 master br0 up",
        "link set v1 up",
        "link set br0 address 12:34:56:78:9a:bc up alias of_all",
    ] {
        run_ip(words)?;
    }
    // The kernel finds carriers by and by.
    for _ in 0..500 {
        let links = nl.dump(link::list())?.to_vec()?;
        if links.iter().filter(|link| link.oper_state() == Some(OperState::UP)).count() == 3 {
            return Ok(nl);
        }
        sleep(Duration::from_millis(10));
    }
    Err("no carrier".into())
}

fn json_of_links_is_that_of_ip() -> Result {
    let mut nl = a_bridge_with_a_port()?;
    let all = ours(&mut nl, link::list())?;
    let by_ip = theirs("link show")?;
    assert_eq!(all.len(), by_ip.len());
    let mut parameters = 0;
    for theirs in &by_ip {
        let ours = all.iter().find(|ours| ours["index"] == theirs["ifindex"]).unwrap();
        let names = [
            ("ifname", "/name"),
            ("ifalias", "/alias"),
            ("mtu", "/mtu"),
            ("qdisc", "/qdisc"),
            ("operstate", "/oper_state"),
            ("txqlen", "/tx_queue_len"),
            ("link_type", "/link_type"),
            ("address", "/address"),
            ("broadcast", "/broadcast"),
            ("promiscuity", "/promiscuity"),
            ("min_mtu", "/min_mtu"),
            ("max_mtu", "/max_mtu"),
            ("num_tx_queues", "/num_tx_queues"),
            ("gso_max_size", "/gso_max_size"),
        ];
        same(theirs, ours, &names);
        same(
            &theirs["linkinfo"],
            ours,
            &[("info_kind", "/info/kind_name"), ("info_slave_kind", "/info/slave_kind_name")],
        );
        // iproute2 leaves out one flag, and writes its absence and what it knows of the link below.
        let flags = set(&theirs["flags"], &["NO-CARRIER", "M-DOWN"]);
        assert_eq!(set(&ours["flags"], &["RUNNING"]), flags);
        for (info, data) in
            [("info_data", "/info/data/bridge"), ("info_slave_data", "/info/slave_data/bridge")]
        {
            let Some(theirs) = theirs["linkinfo"][info].as_object() else { continue };
            let ours = ours.pointer(data).unwrap();
            let counts = theirs.iter().filter(|(name, value)| {
                let both = value.is_u64() && ours.get(name.as_str()).is_some_and(Value::is_u64);
                // These change by themselves: a bridge learns between the two lists.
                both && !name.ends_with("timer") && *name != "fdb_n_learned"
            });
            for (name, value) in counts {
                assert_eq!(&ours[name], value, "{name}");
                parameters += 1;
            }
            let id = ours["bridge_id"]["priority"].as_u64().zip(ours["bridge_id"]["address"].as_str());
            assert_eq!(
                id.map(|(priority, mac)| format!("{priority:04x}.{mac}")).as_deref(),
                theirs["bridge_id"].as_str()
            );
        }
        let text = ours.to_string();
        assert!(!text.contains("\"pad\"") && !text.contains("\"header\""), "{text}");
        assert!(ours["af_spec"]["inet"]["conf"]["rp_filter"].is_u64(), "{text}");
    }
    assert!(parameters > 10, "{parameters}");
    Ok(())
}

fn json_of_addresses_is_that_of_ip() -> Result {
    let mut nl = a_bridge_with_a_port()?;
    for words in [
        "addr add 10.0.0.1/24 brd + dev br0",
        "addr add 10.0.0.2/24 dev br0 label br0:two",
        "addr add 10.7.0.1 peer 10.8.0.2/24 dev v1",
        "addr add 2001:db8::1/64 dev br0 nodad valid_lft 600 preferred_lft 60",
    ] {
        run_ip(words)?;
    }
    let all = ours(&mut nl, addr::list())?;
    let mut seen = 0;
    for link in theirs("addr show")? {
        for theirs in link["addr_info"].as_array().unwrap() {
            let text = |name: &str| theirs[name].as_str();
            let plain = |name: &str| Some(format!("{}/{}", text(name)?, theirs["prefixlen"]));
            let of = |ours: &&Value| {
                ours["index"] == link["ifindex"] && ours["addr"].as_str() == plain("local").as_deref()
            };
            let ours = all.iter().find(of).unwrap_or_else(|| panic!("{theirs}: {all:?}"));
            same(
                theirs,
                ours,
                &[
                    ("family", "/family"),
                    ("scope", "/scope"),
                    ("broadcast", "/broadcast"),
                    ("label", "/label"),
                ],
            );
            assert_eq!(ours["peer"].as_str(), plain("address").as_deref());
            let flags = set(&ours["flags"], &[]);
            assert_eq!(flags.contains("NODAD"), theirs["nodad"] == true);
            assert_eq!(flags.contains("SECONDARY"), theirs["secondary"] == true);
            assert_eq!(flags.contains("PERMANENT"), theirs["dynamic"] != true);
            for name in ["header", "prefix_len", "local", "address"] {
                assert_eq!(ours.get(name), None, "{ours}");
            }
            seen += 1;
        }
    }
    assert_eq!((seen, all.len()), (all.len(), all.len()));
    Ok(())
}

fn json_of_routes_is_that_of_ip() -> Result {
    let mut nl = a_bridge_with_a_port()?;
    for words in [
        "addr add 10.0.0.1/24 brd + dev br0",
        "addr add 2001:db8::1/64 dev br0 nodad",
        "route add default via 10.0.0.2",
        "route add 192.0.2.0/24 table 300 dev br0 metric 7",
        "route add 192.0.2.7 via 10.9.9.9 dev br0 onlink src 10.0.0.1",
        "route add blackhole 203.0.113.0/24",
        "route add 198.51.100.0/24 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3",
        "route add default via 2001:db8::2",
    ] {
        run_ip(words)?;
    }
    let names: BTreeMap<_, _> = nl
        .dump(link::list())?
        .to_vec()?
        .iter()
        .map(|link| (link.index(), link.name().unwrap().to_string()))
        .collect();
    let dev = |index: &Value| match index.as_u64() {
        Some(index) => json!(names[&u32::try_from(index).unwrap()]),
        None => Value::Null,
    };
    let words = ["-4 route show table all", "-6 route show table all"];
    let by_ip = words.map(theirs).into_iter().collect::<Result<Vec<_>>>()?.concat();
    let all = ours(&mut nl, route::list())?;
    assert_eq!(all.len(), by_ip.len());
    let mut left = all.clone();
    for theirs in &by_ip {
        let is_it = |ours: &Value| {
            let pairs = [("type", "route_type"), ("dst", "dst"), ("table", "table"), ("metric", "priority")];
            let null = &Value::Null;
            let dev_too = theirs.get("dev").unwrap_or(null) == &dev(&ours["oif"]);
            dev_too
                && pairs
                    .iter()
                    .all(|(their, our)| theirs.get(their).unwrap_or(null) == ours.get(our).unwrap_or(null))
        };
        let at = left.iter().position(is_it).unwrap_or_else(|| panic!("{theirs}: {left:?}"));
        let ours = left.swap_remove(at);
        same(
            theirs,
            &ours,
            &[
                ("gateway", "/gateway"),
                ("protocol", "/protocol"),
                ("scope", "/scope"),
                ("prefsrc", "/prefsrc"),
                ("pref", "/pref"),
            ],
        );
        let flags =
            |value: &Value| set(value, &[]).iter().map(|flag| flag.to_lowercase()).collect::<Vec<_>>();
        assert_eq!(flags(&ours["flags"]), flags(&theirs["flags"]));
        for (at, hop) in theirs["nexthops"].as_array().into_iter().flatten().enumerate() {
            let ours = &ours["next_hops"][at];
            same(hop, ours, &[("gateway", "/gateway"), ("weight", "/weight"), ("flags", "/flags")]);
            assert_eq!(hop["dev"], dev(&ours["oif"]));
        }
        for name in ["header", "dst_len", "src_len", "kind", "own_gateway"] {
            assert_eq!(ours.get(name), None, "{ours}");
        }
    }
    Ok(())
}
