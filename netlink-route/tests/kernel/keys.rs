//! Keys: two objects are one to the kernel if their keys are equal, and an event has the key of what was listed.

use std::collections::HashSet;
use std::time::Duration;

use netlink_core::message::Messages;
use netlink_core::{Connection, Errno, Notice};
use netlink_route::addr::{self, Address, AddressKey, AddressRequest};
use netlink_route::event::{Change, Event, Group};
use netlink_route::link::{self, Veth};
use netlink_route::route::{self, RouteKey};
use netlink_testing::{Result, ipv6, kind, program, suite};

use crate::connect;
use crate::routes::run_ip;

suite! {
    what_has_one_key_is_one_address: kind("veth"), ipv6();
    routes_have_keys_of_their_own: kind("veth"), ipv6(), program("ip");
}

fn connect_with_links() -> Result<(Connection, [u32; 2])> {
    let mut nl = connect()?;
    nl.call(link::create("a").kind(Veth::new().peer(link::peer("b"))))?;
    let links = [nl.call(link::get("a"))?.index(), nl.call(link::get("b"))?.index()];
    for link in links {
        nl.call(link::set(link).up())?;
    }
    Ok((nl, links))
}

fn key(request: &AddressRequest<()>) -> Result<AddressKey> {
    let bytes = request.to_bytes()?;
    let message = Messages::new(&bytes).next().ok_or("no message")??;
    Ok(Address::read(&message)?.key().ok_or("no key")?)
}

fn what_has_one_key_is_one_address() -> Result {
    let (mut nl, [a, b]) = connect_with_links()?;
    let add = |link, own: &str| addr::add(link, own.parse().unwrap());
    let peer = |own: &str, peer: &str| add(a, own).peer(peer.parse().unwrap());
    let all = [
        add(a, "10.0.0.1/24"),
        add(b, "10.0.0.1/24"),
        add(a, "10.0.0.1/16"),
        add(a, "10.0.0.2/24"),
        peer("10.0.0.1/32", "10.0.0.9/24"),
        peer("10.0.0.1/32", "10.0.1.9/24"),
        peer("10.0.0.1/32", "10.0.1.8/24"),
        add(a, "2001:db8::1/64"),
        add(a, "2001:db8::1/128"),
        add(b, "2001:db8::1/64"),
        add(a, "2001:db8::2/64"),
    ];
    let mut same = 0;
    for first in &all {
        for second in &all {
            nl.call(first)?;
            let is_same = key(first)? == key(second)?;
            match nl.call(second) {
                Ok(()) => assert!(!is_same, "{first:?} {second:?}"),
                Err(error) => {
                    assert!(is_same && error.errno() == Some(Errno::EEXIST), "{first:?} {second:?}: {error}")
                }
            }
            same += usize::from(is_same);
            let mut keys = HashSet::new();
            for address in nl.dump(addr::list())?.to_vec()? {
                assert!(keys.insert(address.key()), "{address}");
                let is_ours = [key(first)?, key(second)?].map(Some).contains(&address.key());
                if is_ours {
                    // What comes first takes others of its subnet along.
                    match nl.call(addr::delete_listed(&address)) {
                        Err(error) if error.errno() != Some(Errno::EADDRNOTAVAIL) => return Err(error.into()),
                        _ => {}
                    }
                }
            }
            assert!(keys.contains(&Some(key(first)?)) && keys.contains(&Some(key(second)?)));
        }
    }
    assert_eq!(same, all.len() + 2 * 3);
    Ok(())
}

fn routes_have_keys_of_their_own() -> Result {
    let (mut nl, [a, _]) = connect_with_links()?;
    nl.call(addr::add(a, "10.0.0.1/24".parse()?))?;
    nl.call(addr::add(a, "10.0.0.2/24".parse()?))?;
    let mut events = netlink_route::subscribe(&[Group::IPV4_ROUTE, Group::IPV6_ROUTE])?;
    events.set_timeout(Some(Duration::from_secs(10)))?;
    let words = [
        "192.0.2.0/24 dev a",
        "192.0.2.0/25 dev a",
        "192.0.2.0/24 dev b",
        "192.0.2.0/24 dev a table 300",
        "192.0.2.0/24 dev a metric 7",
        "192.0.2.0/24 dev a tos 0x10",
        "192.0.2.0/24 dev a proto static",
        "192.0.2.0/24 dev a scope global",
        "192.0.2.0/24 dev a src 10.0.0.1",
        "192.0.2.0/24 dev a src 10.0.0.2",
        "192.0.2.0/24 via 10.0.0.7",
        "192.0.2.0/24 via 10.0.0.8",
        "blackhole 192.0.2.0/24",
        "unreachable 192.0.2.0/24",
        "2001:db8:9::/48 dev a metric 6",
        "2001:db8:9::/48 dev a metric 7",
        "2001:db8:9::/48 dev a metric 6 table 300",
        "2001:db8:9::/64 dev a metric 6",
    ];
    for words in words {
        run_ip(&format!("route append {words}"))?;
    }
    let keys = |nl: &mut Connection| -> Result<HashSet<RouteKey>> {
        let routes = nl.dump(route::list())?.to_vec()?;
        let keys: HashSet<_> = routes.iter().map(|route| route.key()).collect();
        assert_eq!(keys.len(), routes.len(), "{routes:#?}");
        Ok(keys)
    };
    let mut known = keys(&mut nl)?;
    for words in words {
        run_ip(&format!("route del {words}"))?;
    }
    let mut gone = 0;
    while gone < words.len() {
        if let Notice::Event { event: Event::Route(Change::Deleted, route), .. } = events.next()? {
            assert!(known.remove(&route.key()), "{route}");
            gone += 1;
        }
    }
    assert_eq!(keys(&mut nl)?, known);
    Ok(())
}
