//! Functions hooked into the path of packets.

use netlink_core::{Connection, Dump, Errno};
use netlink_netfilter::hook::{self, ArpHook, BridgeHook, Hook, InetHook, NetdevHook, Owner, OwnerKind};
use netlink_netfilter::{Family, Request, connect};
use netlink_testing::{Result, module, program, suite};
use tokio::runtime::Builder;

use crate::{nft, run};

suite! {
    chains_are_listed_in_their_order: module("nfnetlink_hook"), program("nft");
    every_place_of_every_family: module("nfnetlink_hook"), program("nft"), program("ip");
    nft_prints_the_same: module("nfnetlink_hook"), program("nft"), program("ip");
    functions_of_the_kernel_have_a_module: module("nfnetlink_hook"), program("nft");
    hooks_on_a_reactor: module("nfnetlink_hook"), program("nft");
    refusals: module("nfnetlink_hook");
}

fn listed(nl: &mut Connection, request: Request<Dump<Hook<'static>>>) -> Result<Vec<Hook<'static>>> {
    let mut hooks = Vec::new();
    let mut listing = nl.dump(request)?;
    while let Some(hook) = listing.next()? {
        hooks.push(hook.into_owned());
    }
    Ok(hooks)
}

/// Family, table and name of a hook's chain.
fn chain(hook: &Hook<'_>) -> Option<(Family, String, String)> {
    let info = hook.chain_info()?;
    assert_eq!(info.kind(), Some(OwnerKind::CHAIN));
    let Some(Owner::Chain(chain)) = info.owner() else { panic!("{hook:?}") };
    Some((chain.family()?, chain.table()?.to_string(), chain.name()?.to_string()))
}

const THREE: &str = "
    table ip t { chain late { type filter hook input priority 10; }; chain early { type filter hook input priority -7; }; }
    table inet both { chain c { type filter hook input priority 0; }; }";

fn assert_three(hooks: &[Hook<'_>]) {
    let named = |family, table: &str, name: &str| Some((family, table.to_owned(), name.to_owned()));
    let chains: Vec<_> = hooks.iter().filter_map(|hook| Some((hook.priority()?, chain(hook)?))).collect();
    let expected = [
        (-7, named(Family::IPV4, "t", "early").unwrap()),
        (0, named(Family::INET, "both", "c").unwrap()),
        (10, named(Family::IPV4, "t", "late").unwrap()),
    ];
    assert_eq!(chains, expected);
}

fn chains_are_listed_in_their_order() -> Result {
    let mut nl = connect()?;
    assert_eq!(listed(&mut nl, hook::ip(Family::IPV4, InetHook::LOCAL_IN))?, []);
    nft(THREE)?;
    let hooks = listed(&mut nl, hook::ip(Family::IPV4, InetHook::LOCAL_IN))?;
    assert_three(&hooks);
    for hook in &hooks {
        assert_eq!((hook.family(), hook.hooknum().map(InetHook)), (Family::IPV4, Some(InetHook::LOCAL_IN)));
        assert!(hook.function_name().unwrap().to_string().starts_with("nft_do_chain"), "{hook:?}");
        assert_eq!(hook.unknown().count(), 0);
    }
    assert_eq!(listed(&mut nl, hook::ip(Family::IPV6, InetHook::LOCAL_IN))?.len(), 1);
    assert_eq!(listed(&mut nl, hook::ip(Family::IPV4, InetHook::FORWARD))?.len(), 0);
    Ok(())
}

/// A chain in every hook.
fn everywhere() -> Result {
    run("ip link add v0 type veth peer name v1")?;
    let chains = |family: &str, hooks: &[&str]| {
        let chain = |hook: &&str| {
            let on = if family == "netdev" { "device v0" } else { "" };
            format!("chain {hook} {{ type filter hook {hook} {on} priority 5; }}\n")
        };
        format!("table {family} t {{\n{}}}\n", hooks.iter().map(chain).collect::<String>())
    };
    let inet = ["prerouting", "input", "forward", "output", "postrouting"];
    nft(&chains("ip", &inet))?;
    nft(&chains("ip6", &inet))?;
    nft(&chains("bridge", &inet))?;
    nft(&chains("arp", &["input", "output"]))?;
    nft(&chains("netdev", &["ingress", "egress"]))
}

const INET: [InetHook; 5] = [
    InetHook::PRE_ROUTING,
    InetHook::LOCAL_IN,
    InetHook::FORWARD,
    InetHook::LOCAL_OUT,
    InetHook::POST_ROUTING,
];
const BRIDGE: [BridgeHook; 5] = [
    BridgeHook::PRE_ROUTING,
    BridgeHook::LOCAL_IN,
    BridgeHook::FORWARD,
    BridgeHook::LOCAL_OUT,
    BridgeHook::POST_ROUTING,
];

type Place = (Family, &'static str, Request<Dump<Hook<'static>>>);

fn places() -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for family in [Family::IPV4, Family::IPV6] {
        places.extend(INET.map(|place| (family, place.name().unwrap(), hook::ip(family, place))));
    }
    places.extend(BRIDGE.map(|place| (Family::BRIDGE, place.name().unwrap(), hook::bridge(place))));
    let arp = [ArpHook::IN, ArpHook::OUT];
    places.extend(arp.map(|place| (Family::ARP, place.name().unwrap(), hook::arp(place))));
    let netdev = [NetdevHook::INGRESS, NetdevHook::EGRESS];
    places.extend(netdev.map(|place| (Family::NETDEV, place.name().unwrap(), hook::netdev("v0", place))));
    places
}

fn every_place_of_every_family() -> Result {
    let mut nl = connect()?;
    everywhere()?;
    for (family, name, request) in places() {
        let hooks = listed(&mut nl, request)?;
        assert!(hooks.iter().all(|hook| hook.family() == family));
        let chains: Vec<_> = hooks.iter().filter_map(chain).collect();
        assert_eq!(chains, [(family, "t".to_owned(), name.to_owned())]);
    }
    assert_eq!(listed(&mut nl, hook::arp(ArpHook::FORWARD))?, []);
    assert_eq!(listed(&mut nl, hook::netdev("v1", NetdevHook::INGRESS))?, []);
    Ok(())
}

fn nft_prints_the_same() -> Result {
    let mut nl = connect()?;
    everywhere()?;
    nft(THREE)?;
    nft("table ip t { chain n { type nat hook postrouting priority 100; ct state new masquerade; }; }")?;
    let mut theirs = String::new();
    for family in ["ip", "ip6", "bridge", "arp", "netdev device v0"] {
        theirs += &run(&format!("nft list hooks {family}"))?;
    }
    let (mut ours, mut count) = (String::new(), 0);
    let mut last = None;
    for (family, name, request) in places() {
        let hooks = listed(&mut nl, request)?;
        // nft 1.0.6 does not ask for it.
        let left_out = name == "egress" && !theirs.contains("hook egress");
        if hooks.is_empty() || left_out {
            continue;
        }
        if last != Some(family) {
            ours += if last.is_some() { "}\n" } else { "" };
            let shown = match family {
                Family::IPV4 => "ip",
                Family::IPV6 => "ip6",
                other => other.name().unwrap(),
            };
            ours += &format!("family {shown} {{\n");
            last = Some(family);
        }
        ours += &format!("\thook {name} {{\n");
        for hook in hooks {
            ours += &format!("\t\t{hook}\n");
            count += 1;
        }
        ours += "\t}\n";
    }
    ours += "}\n";
    assert!(count > 15);
    // Later versions name the link.
    assert_eq!(ours, theirs.replace(" device v0 {", " {"));
    Ok(())
}

fn functions_of_the_kernel_have_a_module() -> Result {
    let mut nl = connect()?;
    nft("table ip t { chain c { type filter hook input priority 0; ct state new; }; }")?;
    let hooks = listed(&mut nl, hook::ip(Family::IPV4, InetHook::PRE_ROUTING))?;
    let name = |hook: &Hook<'_>| hook.function_name().unwrap().to_string();
    let tracking = hooks.iter().find(|hook| name(hook) == "ipv4_conntrack_in").unwrap();
    assert_eq!(tracking.module_name().unwrap(), "nf_conntrack");
    assert_eq!((tracking.priority().unwrap(), tracking.chain_info()), (-200, None));
    assert_eq!(tracking.to_string(), "-0000000200 ipv4_conntrack_in [nf_conntrack]");
    Ok(())
}

fn hooks_on_a_reactor() -> Result {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = netlink_netfilter::tokio::connect()?;
        nft(THREE)?;
        let mut listing = nl.dump(hook::ip(Family::IPV4, InetHook::LOCAL_IN)).await?;
        let mut hooks = Vec::new();
        while let Some(hook) = listing.next().await? {
            hooks.push(hook.into_owned());
        }
        assert_three(&hooks);
        Ok(())
    })
}

fn refusals() -> Result {
    let mut nl = connect()?;
    let mut errno = |request| {
        let first = nl.dump(request).and_then(|mut listing| listing.next().map(|_| ()));
        first.unwrap_err().errno().unwrap()
    };
    assert_eq!(errno(hook::netdev("none", NetdevHook::INGRESS)), Errno::ENODEV);
    assert_eq!(errno(hook::ip(Family::INET, InetHook::LOCAL_IN)).0, 93); // EPROTONOSUPPORT
    assert_eq!(errno(hook::ip(Family::IPV4, InetHook(77))), Errno::EINVAL);
    assert!(nl.dump(hook::netdev("a-name-of-more-than-fifteen", NetdevHook::INGRESS)).is_err());
    Ok(())
}
