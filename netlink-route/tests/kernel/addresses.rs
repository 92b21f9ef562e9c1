//! Addresses of links: each option is read back, the kernel filters lists, and events report the changes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;
use std::time::Duration;

use netlink_core::{Connection, Dump, Errno, Error, MessageFlags, Namespace, Notice, OpenOptions, Protocol};
use netlink_route::addr::{self, Address, AddressFlags, AddressProtocol, AddressRequest};
use netlink_route::event::{Change, Event, Group};
use netlink_route::route::{self, Scope};
use netlink_route::{Addr, Family, link, nsid};
use netlink_testing::{Result, ipv6, kernel, kind, suite};

use crate::{LO, connect};

suite! {
    an_address_is_added_once_changed_and_deleted: kind("dummy"), ipv6();
    a_host_address_on_lo_reads_back;
    label_broadcast_scope_and_peer_read_back: kind("dummy"), ipv6();
    a_label_selects_the_address_to_delete: kind("dummy");
    every_flag_that_can_be_set_reads_back: kind("dummy"), ipv6();
    a_prefix_route_can_be_omitted: kind("dummy"), ipv6();
    lifetimes_expire_and_can_be_removed: kind("dummy"), ipv6();
    impossible_lifetimes_are_refused: kind("dummy"), ipv6();
    the_metric_is_that_of_the_prefix_route: kind("dummy"), ipv6(), kernel(4, 18);
    who_made_it_reads_back: kind("dummy"), ipv6(), kernel(5, 18);
    a_replacement_has_its_protocol: kind("dummy"), ipv6(), kernel(6, 12);
    second_addresses_of_a_subnet_go_with_the_first: kind("dummy");
    lists_are_filtered_by_the_kernel: kind("dummy"), ipv6();
    a_list_of_another_namespace: kind("dummy"), kernel(4, 20);
    an_ipv6_address_can_be_queried: kind("dummy"), ipv6();
    groups_and_anycast_addresses_are_listed: kind("dummy"), ipv6();
    errors_are_refused_and_named: kind("dummy"), ipv6();
    events_distinguish_new_and_changed: kind("dummy"), ipv6();
    an_address_with_a_peer_is_deleted_by_its_peer: ipv6();
}

/// The links of these tests.
pub(crate) const D0: u32 = 10;
pub(crate) const D1: u32 = 11;

/// Makes a dummy link. It has no ARP, so that there is no duplicate address detection.
pub(crate) fn dummy(nl: &mut Connection, name: &str, index: u32) -> Result<(), Error> {
    nl.call(link::create(name).index(index).kind("dummy").up())
}

fn connect_with_dummy() -> Result<Connection, Error> {
    let mut nl = connect()?;
    dummy(&mut nl, "d0", D0)?;
    Ok(nl)
}

pub(crate) fn a(text: &str) -> Addr {
    text.parse().unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Lists addresses when all of them are ready for use.
pub(crate) fn list(
    nl: &mut Connection,
    request: AddressRequest<Dump<Address<'static>>>,
) -> Result<Vec<Address<'static>>> {
    for _ in 0..500 {
        let all = nl.dump(request.clone())?.collect()?;
        let all = all.iter().map(|one| Ok(one.view()?.into_owned())).collect::<Result<Vec<_>>>()?;
        if !all.iter().any(|one| one.flags().contains(AddressFlags::TENTATIVE)) {
            return Ok(all);
        }
        // Duplicate address detection starts, or is skipped, a moment after the request.
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("an address stays tentative");
}

/// The only address of all links that is `wanted`.
pub(crate) fn find(nl: &mut Connection, wanted: &str) -> Result<Address<'static>> {
    let mut all = list(nl, addr::list())?;
    all.retain(|address| address.addr().is_some_and(|addr| addr.ip() == a(wanted).ip()));
    assert_eq!(all.len(), 1, "{wanted}: {all:?}");
    Ok(all.remove(0))
}

/// vishvananda 21
fn an_address_is_added_once_changed_and_deleted() -> Result {
    let mut nl = connect_with_dummy()?;
    for text in ["10.0.0.1/24", "2001:db8::1/64"] {
        nl.call(addr::add(D0, a(text)))?;
        assert!(nl.call(addr::add(D0, a(text))).unwrap_err().is_exists());
        let made = find(&mut nl, text)?;
        assert_eq!((made.addr(), made.link(), made.scope()), (Some(a(text)), D0, Scope::UNIVERSE));
        assert_eq!((made.peer(), made.flags()), (None, AddressFlags::PERMANENT));
        nl.call(addr::replace(D0, a(text)).lifetime(600, 3600))?;
        assert!(!find(&mut nl, text)?.flags().contains(AddressFlags::PERMANENT));
        nl.call(addr::delete(D0, a(text)))?;
        let again = nl.call(addr::delete(D0, a(text))).unwrap_err();
        assert_eq!(again.errno(), Some(Errno::EADDRNOTAVAIL), "{again}");
        assert!(again.is_not_found());
        nl.call(addr::replace(D0, a(text)))?;
        assert_eq!(find(&mut nl, text)?.addr(), Some(a(text)));
    }
    // The prefix is part of an IPv4 address's identity.
    nl.call(addr::add(D0, a("10.0.0.1/25")))?;
    nl.call(addr::delete(D0, a("10.0.0.1/24")))?;
    assert_eq!(find(&mut nl, "10.0.0.1")?.addr(), Some(a("10.0.0.1/25")));
    assert_eq!(nl.call(addr::add(4711, a("10.0.0.1/24"))).unwrap_err().errno(), Some(Errno::ENODEV));
    Ok(())
}

/// The metadata service that a cloud host runs for itself.
fn a_host_address_on_lo_reads_back() -> Result {
    let mut nl = connect()?;
    nl.call(addr::add(LO, a("169.254.169.254/32")))?;
    let made = find(&mut nl, "169.254.169.254")?;
    assert_eq!((made.addr(), made.link()), (Some(a("169.254.169.254/32")), LO));
    assert_eq!((made.family(), made.scope()), (Family::INET, Scope::UNIVERSE));
    assert_eq!((made.broadcast(), made.peer(), made.label()), (None, None, Some("lo".into())));
    assert_eq!(made.to_string(), "inet 169.254.169.254/32 scope global lo");
    // The scope of loopback addresses is host by default.
    nl.call(addr::add(LO, a("127.0.0.2/8")))?;
    assert_eq!(find(&mut nl, "127.0.0.2")?.scope(), Scope::HOST);
    Ok(())
}

fn label_broadcast_scope_and_peer_read_back() -> Result {
    let mut nl = connect_with_dummy()?;
    nl.call(addr::add(D0, a("10.1.2.3/16")).broadcast_auto().label("d0:one").scope(Scope::SITE))?;
    let made = find(&mut nl, "10.1.2.3")?;
    assert_eq!((made.label(), made.scope()), (Some("d0:one".into()), Scope::SITE));
    assert_eq!(made.broadcast(), Some(ip("10.1.255.255")));
    nl.call(addr::add(D0, a("10.2.0.1/24")).broadcast(Ipv4Addr::new(10, 2, 0, 99)).scope(Scope::LINK))?;
    let made = find(&mut nl, "10.2.0.1")?;
    assert_eq!((made.broadcast(), made.scope()), (Some(ip("10.2.0.99")), Scope::LINK));
    assert_eq!(made.label(), Some("d0".into()));
    // Fifteen bytes are the longest label.
    nl.call(addr::add(D0, a("10.3.0.1/31")).broadcast_auto().label("d0:9abcdefghijk"))?;
    let made = find(&mut nl, "10.3.0.1")?;
    assert_eq!((made.label(), made.broadcast()), (Some("d0:9abcdefghijk".into()), None));
    let long = nl.call(addr::add(D0, a("10.4.0.1/31")).label("d0:9abcdefghijkl")).unwrap_err();
    assert!(matches!(long, Error::Request(_)), "{long}");

    for (own, peer) in [
        ("10.5.0.1/32", "10.5.0.2/32"),
        ("10.6.0.1/32", "10.7.0.0/24"),
        ("2001:db8:5::1/128", "2001:db8:5::2/128"),
        ("2001:db8:6::1/128", "2001:db8:7::/64"),
    ] {
        nl.call(addr::add(D0, a(own)).peer(a(peer)))?;
        let made = find(&mut nl, own)?;
        assert_eq!(made.peer(), Some(a(peer)));
        assert_eq!(made.addr(), Some(Addr::new(a(own).ip(), a(peer).prefix_len())?));
        nl.call(addr::delete(D0, a(own)).peer(a(peer)))?;
        assert!(list(&mut nl, addr::list())?.iter().all(|one| one.peer() != Some(a(peer))));
    }
    // The kernel derives the scope of an IPv6 address from the address.
    nl.call(addr::add(D0, a("fe80::77/64")))?;
    assert_eq!(find(&mut nl, "fe80::77")?.scope(), Scope::LINK);
    Ok(())
}

fn a_label_selects_the_address_to_delete() -> Result {
    let mut nl = connect_with_dummy()?;
    nl.call(addr::add(D0, a("10.0.0.1/24")).label("d0:a"))?;
    let wrong = nl.call(addr::delete(D0, a("10.0.0.1/24")).label("d0:b")).unwrap_err();
    assert_eq!(wrong.errno(), Some(Errno::EADDRNOTAVAIL));
    nl.call(addr::delete(D0, a("10.0.0.1/24")).label("d0:a"))?;
    Ok(())
}

/// vishvananda 21
fn every_flag_that_can_be_set_reads_back() -> Result {
    let mut nl = connect_with_dummy()?;
    let four = [
        AddressFlags::empty(),
        AddressFlags::NODAD,
        AddressFlags::HOMEADDRESS,
        AddressFlags::NOPREFIXROUTE,
        AddressFlags::NOPREFIXROUTE | AddressFlags::NODAD | AddressFlags::HOMEADDRESS,
    ];
    let six = four.into_iter().chain([
        AddressFlags::MANAGETEMPADDR,
        AddressFlags::MANAGETEMPADDR | AddressFlags::NOPREFIXROUTE | AddressFlags::HOMEADDRESS,
    ]);
    let four = four.into_iter().zip((0u8..).map(|n| IpAddr::from([10, n, 0, 1])));
    let six = six.zip((0u16..).map(|n| IpAddr::from([0x2001, 0xdb8, n, 0, 0, 0, 0, 1])));
    for (flags, own) in four.chain(six) {
        let own = Addr::new(own, if own.is_ipv4() { 24 } else { 64 })?;
        nl.call(addr::add(D0, own).flags(flags))?;
        let made = find(&mut nl, &own.ip().to_string())?;
        // IPv4 drops flags that have no meaning in IPv4.
        let kept = if own.ip().is_ipv4() { flags & AddressFlags::NOPREFIXROUTE } else { flags };
        assert_eq!(made.flags(), kept | AddressFlags::PERMANENT, "{own}");
        // The lower byte is in the fixed header too, for old programs.
        assert_eq!(u32::from(made.header().flags), made.flags().bits() & 0xff);
        nl.call(addr::replace(D0, own).flags(AddressFlags::NOPREFIXROUTE))?;
        let changed = find(&mut nl, &own.ip().to_string())?.flags();
        // IPv4 keeps the flags of the first request.
        let kept = own.ip().is_ipv4() && changed == made.flags();
        assert!(kept || changed.contains(AddressFlags::NOPREFIXROUTE), "{own} {changed:?}");
    }
    // The address is itself a group: the link joins it.
    nl.call(addr::add(D0, a("239.1.2.3/32")).flags(AddressFlags::MCAUTOJOIN))?;
    assert!(find(&mut nl, "239.1.2.3")?.flags().contains(AddressFlags::MCAUTOJOIN));
    let joined = std::fs::read_to_string("/proc/thread-self/net/igmp")?;
    let group = format!("{:08X}", u32::from_ne_bytes([239, 1, 2, 3]));
    assert!(joined.contains(&group), "{group} in {joined}");
    Ok(())
}

fn a_prefix_route_can_be_omitted() -> Result {
    let mut nl = connect_with_dummy()?;
    for (own, flags, expected) in [
        ("10.0.0.1/24", AddressFlags::empty(), true),
        ("10.1.0.1/24", AddressFlags::NOPREFIXROUTE, false),
        ("2001:db8::1/64", AddressFlags::empty(), true),
        ("2001:db8:1::1/64", AddressFlags::NOPREFIXROUTE, false),
    ] {
        nl.call(addr::add(D0, a(own)).flags(flags))?;
        let main = nl.dump(route::list().table(254).family(a(own).family()))?.collect()?;
        let mut found = false;
        for one in &main {
            let to = one.view()?.destination().unwrap();
            found |= to.prefix_len() == a(own).prefix_len() && to.contains(a(own).ip());
        }
        assert_eq!(found, expected, "{own}");
    }
    Ok(())
}

fn lifetimes_expire_and_can_be_removed() -> Result {
    let mut nl = connect_with_dummy()?;
    for own in ["10.0.0.1/24", "2001:db8::1/64"] {
        nl.call(addr::add(D0, a(own)).lifetime(600, 3600))?;
        let info = find(&mut nl, own)?.cacheinfo().unwrap();
        assert!((540..=600).contains(&info.preferred), "{info:?}");
        assert!((3540..=3600).contains(&info.valid), "{info:?}");
        assert!(info.created > 0 && info.created <= info.updated, "{info:?}");

        nl.call(addr::replace(D0, a(own)).lifetime(0, 1000))?;
        let made = find(&mut nl, own)?;
        assert!(made.flags().contains(AddressFlags::DEPRECATED), "{made}");
        assert_eq!(made.cacheinfo().unwrap().preferred, 0);

        nl.call(addr::replace(D0, a(own)))?;
        let made = find(&mut nl, own)?;
        assert_eq!(made.flags(), AddressFlags::PERMANENT, "{made}");
        let info = made.cacheinfo().unwrap();
        assert_eq!((info.preferred, info.valid), (u32::MAX, u32::MAX));

        nl.call(addr::replace(D0, a(own)).lifetime(10, u32::MAX))?;
        let info = find(&mut nl, own)?.cacheinfo().unwrap();
        // IPv4 keeps the preferred lifetime of an address that stays, and does not report it.
        let limit = if a(own).ip().is_ipv4() { u32::MAX } else { 10 };
        assert_eq!((info.preferred <= limit, info.valid), (true, u32::MAX));
    }
    Ok(())
}

fn impossible_lifetimes_are_refused() -> Result {
    let mut nl = connect_with_dummy()?;
    for own in ["10.0.0.1/24", "2001:db8::1/64"] {
        for (preferred, valid) in [(0, 0), (2, 1), (u32::MAX, 600)] {
            let error = nl.call(addr::add(D0, a(own)).lifetime(preferred, valid)).unwrap_err();
            assert_eq!(error.errno(), Some(Errno::EINVAL), "{preferred} {valid}: {error}");
        }
    }
    Ok(())
}

fn the_metric_is_that_of_the_prefix_route() -> Result {
    let mut nl = connect_with_dummy()?;
    for (own, net) in [("10.0.0.1/24", "10.0.0.0/24"), ("2001:db8::1/64", "2001:db8::/64")] {
        for metric in [77, 78] {
            nl.call(addr::replace(D0, a(own)).rt_priority(metric))?;
            assert_eq!(find(&mut nl, own)?.rt_priority(), Some(metric));
            let routes = nl.dump(route::list().table(254).family(a(own).family()))?.collect()?;
            let mut metrics = Vec::new();
            for one in &routes {
                let one = one.view()?;
                if one.destination() == Some(a(net)) {
                    metrics.push(one.priority());
                }
            }
            assert_eq!(metrics, [Some(metric)], "{own}");
        }
    }
    Ok(())
}

/// vishvananda 22
fn who_made_it_reads_back() -> Result {
    let mut nl = connect_with_dummy()?;
    for own in ["10.0.0.1/24", "2001:db8::1/64"] {
        nl.call(addr::add(D0, a(own)).protocol(AddressProtocol(50)))?;
        assert_eq!(find(&mut nl, own)?.protocol(), Some(AddressProtocol(50)));
    }
    nl.call(addr::add(D0, a("10.1.0.1/24")))?;
    assert_eq!(find(&mut nl, "10.1.0.1")?.protocol(), None);
    assert_eq!(find(&mut nl, "::1")?.protocol(), Some(AddressProtocol::KERNEL_LO));
    let all = list(&mut nl, addr::list().link(D0).family(Family::INET6))?;
    assert!(all.iter().any(|one| one.protocol() == Some(AddressProtocol::KERNEL_LL)), "{all:?}");
    Ok(())
}

/// Linux 6.1 keeps the first one, 6.12 takes the new one.
fn a_replacement_has_its_protocol() -> Result {
    let mut nl = connect_with_dummy()?;
    for own in ["10.0.0.1/24", "2001:db8::1/64"] {
        nl.call(addr::add(D0, a(own)).protocol(AddressProtocol(50)))?;
        nl.call(addr::replace(D0, a(own)).protocol(AddressProtocol::KERNEL_RA))?;
        assert_eq!(find(&mut nl, own)?.protocol(), Some(AddressProtocol::KERNEL_RA));
    }
    Ok(())
}

fn second_addresses_of_a_subnet_go_with_the_first() -> Result {
    let mut nl = connect_with_dummy()?;
    for promote in ["0", "1"] {
        std::fs::write("/proc/sys/net/ipv4/conf/d0/promote_secondaries", promote)?;
        std::fs::write("/proc/sys/net/ipv4/conf/all/promote_secondaries", promote)?;
        nl.call(addr::add(D0, a("10.0.0.1/24")))?;
        nl.call(addr::add(D0, a("10.0.0.2/24")))?;
        let second = find(&mut nl, "10.0.0.2")?;
        assert_eq!(second.flags(), AddressFlags::SECONDARY | AddressFlags::PERMANENT);
        nl.call(addr::delete(D0, a("10.0.0.1/24")))?;
        let left = list(&mut nl, addr::list().link(D0).family(Family::INET))?;
        let left: Vec<_> = left.iter().map(|one| (one.addr(), one.flags())).collect();
        match promote {
            "0" => assert_eq!(left, []),
            _ => assert_eq!(left, [(Some(a("10.0.0.2/24")), AddressFlags::PERMANENT)]),
        }
    }
    Ok(())
}

/// vishvananda 21
fn lists_are_filtered_by_the_kernel() -> Result {
    let mut nl = connect_with_dummy()?;
    dummy(&mut nl, "d1", D1)?;
    nl.call(addr::add(D0, a("10.0.0.1/24")))?;
    nl.call(addr::add(D1, a("10.1.0.1/24")))?;
    nl.call(addr::add(D1, a("2001:db8::1/64")))?;

    let texts = |all: &[Address<'_>]| -> Vec<String> {
        let own = all.iter().filter(|one| one.scope() == Scope::UNIVERSE);
        own.map(|one| one.addr().unwrap().to_string()).collect()
    };
    let all = list(&mut nl, addr::list())?;
    assert_eq!(texts(&all), ["10.0.0.1/24", "10.1.0.1/24", "2001:db8::1/64"]);
    assert!(all.iter().any(|one| one.link() == LO));
    let four = list(&mut nl, addr::list().family(Family::INET))?;
    assert_eq!(texts(&four), ["10.0.0.1/24", "10.1.0.1/24"]);
    assert!(four.iter().all(|one| one.family() == Family::INET));
    let first = list(&mut nl, addr::list().link(D0))?;
    assert_eq!(texts(&first), ["10.0.0.1/24"]);
    // This crate does not filter here: the answers are the kernel's choice.
    assert!(first.iter().all(|one| one.link() == D0));
    let second = list(&mut nl, addr::list().link(D1).family(Family::INET6))?;
    assert_eq!(texts(&second), ["2001:db8::1/64"]);
    assert!(second.iter().all(|one| one.link() == D1 && one.family() == Family::INET6));
    assert!(second.iter().all(|one| one.message_flags().contains(MessageFlags::DUMP_FILTERED)));
    assert_eq!(texts(&list(&mut nl, addr::list().link(D0).family(Family::INET6))?), Vec::<String>::new());
    // A missing link is an error, not an empty list.
    let error = nl.dump(addr::list().link(4711))?.collect().unwrap_err();
    assert_eq!(netlink_core::Error::from(error).errno(), Some(Errno::ENODEV));
    Ok(())
}

fn a_list_of_another_namespace() -> Result {
    let mut nl = connect()?;
    let other = Namespace::anonymous()?;
    let mut there = Connection::open_with(Protocol::ROUTE, &OpenOptions::new().namespace(&other))?;
    dummy(&mut there, "d0", D0)?;
    there.call(addr::add(D0, a("10.0.0.1/24")))?;
    nl.call(nsid::set(nsid::Peer::Fd(other.as_raw_fd()), 5))?;
    let all = list(&mut nl, addr::list().family(Family::INET).target_netnsid(5))?;
    assert_eq!(all.iter().filter_map(Address::addr).collect::<Vec<_>>(), [a("10.0.0.1/24")]);
    assert_eq!(all[0].target_netnsid(), Some(5));
    Ok(())
}

fn an_ipv6_address_can_be_queried() -> Result {
    let mut nl = connect_with_dummy()?;
    nl.call(addr::add(D0, a("2001:db8::1/64")).lifetime(600, 3600))?;
    let own: Ipv6Addr = "2001:db8::1".parse()?;
    for request in [addr::get(own), addr::get(own).link(D0)] {
        let found = nl.call(request)?;
        assert_eq!((found.addr(), found.link()), (Some(a("2001:db8::1/64")), D0));
        assert!(found.cacheinfo().unwrap().valid <= 3600);
    }
    for request in [addr::get("2001:db8::2".parse()?), addr::get(own).link(LO)] {
        let error = nl.call(request).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EADDRNOTAVAIL), "{error}");
    }
    Ok(())
}

fn groups_and_anycast_addresses_are_listed() -> Result {
    let mut nl = connect_with_dummy()?;
    nl.call(addr::add(D0, a("2001:db8::1/64")))?;
    let groups = list(&mut nl, addr::list_multicast().family(Family::INET6).link(D0))?;
    assert!(groups.iter().any(|one| one.addr().unwrap().ip() == ip("ff02::1")), "{groups:?}");
    assert!(groups.iter().all(|one| one.link() == D0 && one.multicast().is_some()));
    // A router answers for the first address of its subnets.
    std::fs::write("/proc/sys/net/ipv6/conf/d0/forwarding", "1")?;
    // It does so after duplicate address detection.
    let mut anycast = Vec::new();
    for _ in 0..100 {
        anycast = list(&mut nl, addr::list_anycast())?;
        if anycast.iter().any(|one| one.anycast() == Some(ip("2001:db8::"))) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{anycast:?}")
}

fn errors_are_refused_and_named() -> Result {
    let mut nl = connect_with_dummy()?;
    // Refused before it is sent.
    let mixed = nl.call(addr::add(D0, a("10.0.0.1/32")).peer(a("2001:db8::1/128"))).unwrap_err();
    assert!(matches!(mixed, Error::Request(_)), "{mixed}");
    // Privacy addresses need a prefix of 64 bits.
    let error = nl.call(addr::add(D0, a("2001:db8::1/80")).flags(AddressFlags::MANAGETEMPADDR)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    let group = nl.call(addr::add(D0, a("ff02::77/64"))).unwrap_err();
    assert_eq!(group.errno(), Some(Errno::EADDRNOTAVAIL), "{group}");
    Ok(())
}

fn is_link_local(address: &Address<'_>) -> bool {
    matches!(address.addr().map(|addr| addr.ip()), Some(IpAddr::V6(ip)) if ip.is_unicast_link_local())
}

fn events_distinguish_new_and_changed() -> Result {
    let mut nl = connect_with_dummy()?;
    let mut events = netlink_route::subscribe(&[Group::IPV4_ADDR, Group::IPV6_ADDR])?;
    events.set_timeout(Some(Duration::from_secs(10)))?;
    for own in ["10.0.0.1/24", "2001:db8::1/64"] {
        nl.call(addr::add(D0, a(own)))?;
        // The kernel reports the time of a change in hundredths of a second.
        std::thread::sleep(Duration::from_millis(50));
        nl.call(addr::replace(D0, a(own)).lifetime(600, 3600))?;
        nl.call(addr::delete(D0, a(own)))?;
        let mut seen = Vec::new();
        while seen.last() != Some(&Change::Deleted) {
            match events.next()? {
                // The link's own address is reported when it is known to be unique, which can be late.
                Notice::Event { event: Event::Address(_, address), .. } if is_link_local(&address) => {}
                Notice::Event { event: Event::Address(change, address), group, nsid } => {
                    assert_eq!((address.addr(), address.link(), nsid), (Some(a(own)), D0, None));
                    let expected = if a(own).ip().is_ipv4() { Group::IPV4_ADDR } else { Group::IPV6_ADDR };
                    assert_eq!(group, expected.0);
                    // IPv6 reports a new address twice: when it is made, and when it is known to be unique.
                    if seen.last() != Some(&change) {
                        seen.push(change);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(seen, [Change::New, Change::Changed, Change::Deleted], "{own}");
    }
    Ok(())
}

/// F11, F16: the prefix is the peer's, and so is the subnet.
fn an_address_with_a_peer_is_deleted_by_its_peer() -> Result {
    let mut nl = connect()?;
    let (four, six) = ((a("10.0.0.1/32"), a("10.9.0.2/24")), (a("2001:db8::1/128"), a("2001:db8:9::2/64")));
    let with_peer = |(own, peer)| addr::add(LO, own).peer(peer);
    nl.call(with_peer(four).broadcast_auto())?;
    let made = list(&mut nl, addr::list().family(Family::INET))?;
    let made = made.iter().find(|one| one.peer() == Some(four.1)).ok_or("no address with a peer")?;
    assert_eq!(made.broadcast(), Some(ip("10.9.0.255")));
    let wrong = nl.call(addr::delete(LO, made.addr().ok_or("no address")?)).unwrap_err();
    assert_eq!(wrong.errno(), Some(Errno::EADDRNOTAVAIL));
    nl.call(addr::delete(LO, four.0).peer(four.1))?;
    for pair in [four, six] {
        nl.call(with_peer(pair))?;
        let made = list(&mut nl, addr::list().link(LO).family(pair.0.family()))?;
        let made = made.iter().find(|one| one.peer() == Some(pair.1)).ok_or("no address with a peer")?;
        nl.call(addr::delete_listed(made))?;
        assert!(nl.call(addr::delete_listed(made)).unwrap_err().is_not_found());
    }
    Ok(())
}
