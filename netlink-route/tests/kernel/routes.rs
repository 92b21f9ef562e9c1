//! Routes: each option is read back, and queries use each of their conditions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;

use netlink_core::{Connection, Dump, Errno, Error, MessageFlags};
use netlink_route::route::{
    self, AnyAddr, Features, Locks, Metric, Metrics, NextHop, Protocol, Route, RouteFlags, RouteRequest,
    RouteTable, RouteType, RouterPreference, Scope,
};
use netlink_route::{Addr, Family, addr, link};
use netlink_testing::{Result, init_namespace, ipv6, kernel, kind, program, suite};

use crate::addresses::{self, D0, D1, a, dummy, ip};
use crate::{connect, host};

suite! {
    a_route_that_leads_nowhere_is_refused: kind("dummy"), ipv6();
    a_route_is_added_appended_replaced_changed_and_deleted: kind("dummy");
    an_appended_ipv6_route_is_one_more_next_hop: kind("dummy"), ipv6();
    a_deletion_deletes_the_matches: kind("dummy"), ipv6();
    ipv4_default_routes_that_drop_have_an_errno: kind("dummy");
    ipv6_default_routes_that_drop_have_an_errno: kind("dummy"), ipv6();
    every_part_of_a_route_reads_back: kind("dummy"), ipv6();
    lists_are_filtered_by_the_kernel: kind("dummy"), ipv6();
    a_family_without_routes_in_the_kernel: kind("dummy");
    a_filtered_list_may_be_left_early: kind("dummy"), ipv6();
    a_query_can_be_for_a_received_packet: kind("dummy"), ipv6(), program("ip");
    a_query_asks_for_an_outgoing_link: kind("dummy"), ipv6(), program("ip");
    a_query_asks_for_a_source: kind("dummy"), ipv6(), program("ip");
    a_query_asks_for_a_mark: kind("dummy"), ipv6(), program("ip");
    a_query_asks_for_a_user: kind("dummy"), ipv6(), program("ip"), init_namespace();
    a_query_asks_for_a_type_of_service: kind("dummy"), program("ip");
    a_query_asks_for_ports: kind("dummy"), ipv6(), program("ip"), kernel(4, 18);
    a_query_may_answer_with_the_entry_that_matched: kind("dummy"), ipv6(), kernel(4, 20);
    several_next_hops_keep_their_weights: kind("dummy"), ipv6();
    an_ipv4_route_takes_an_ipv6_gateway: kind("dummy"), ipv6(), kernel(5, 2);
    an_ipv4_gateway_in_ipv6_clothes_is_the_plain_one: kind("dummy"), ipv6();
    a_next_hop_object_gives_the_gateway: kind("dummy"), ipv6(), program("ip"), kernel(5, 3);
    metrics_and_their_locks_read_back: kind("dummy"), ipv6();
    an_ipv6_route_expires: kind("dummy"), ipv6();
    an_echo_returns_the_new_link: kind("dummy"), ipv6();
}

/// A host with two links: 10.0.0.0/24 and 2001:db8::/64 on the first, 10.0.1.0/24 and 2001:db8:1::/64 on the second.
pub(crate) fn connect_with_nets() -> Result<Connection> {
    let mut nl = connect()?;
    for (index, name, net) in [(D0, "d0", 0u8), (D1, "d1", 1)] {
        dummy(&mut nl, name, index)?;
        let four = IpAddr::from([10, 0, net, 1]);
        nl.call(addr::add(index, Addr::new(four, 24).unwrap()))?;
        let six = IpAddr::from([0x2001, 0xdb8, u16::from(net), 0, 0, 0, 0, 1]);
        match nl.call(addr::add(index, Addr::new(six, 64).unwrap())) {
            // Tests that need IPv6 have it in their needs.
            Err(error) if error.is_unsupported() => {}
            result => result?,
        }
    }
    // Until the addresses are ready, their routes are missing and no route may use them as source.
    addresses::list(&mut nl, addr::list())?;
    Ok(nl)
}

pub(crate) fn list(
    nl: &mut Connection,
    request: RouteRequest<Dump<Route<'static>>>,
) -> Result<Vec<Route<'static>>> {
    let all = nl.dump(request)?.collect()?;
    all.iter().map(|one| Ok(one.view()?.into_owned())).collect()
}

/// The routes of the main table to this destination.
fn all_to(nl: &mut Connection, to: &str) -> Result<Vec<Route<'static>>> {
    let mut all = list(nl, route::list().table(254).family(a(to).family()))?;
    all.retain(|route| route.destination() == Some(a(to)));
    Ok(all)
}

pub(crate) fn find(nl: &mut Connection, to: &str) -> Result<Route<'static>> {
    let mut all = all_to(nl, to)?;
    assert_eq!(all.len(), 1, "{to}: {all:?}");
    Ok(all.remove(0))
}

/// Runs `ip` with these words.
pub(crate) fn run_ip(words: &str) -> Result {
    let output = Command::new("ip").args(words.split_whitespace()).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {words}: {text}");
    Ok(())
}

pub(crate) const FOUR: &str = "192.0.2.0/24";
pub(crate) const SIX: &str = "2001:db8:99::/48";

/// vishvananda 27
fn a_route_that_leads_nowhere_is_refused() -> Result {
    let mut nl = connect_with_nets()?;
    for (to, gateway) in [(FOUR, "203.0.113.1"), (SIX, "2001:db8:ffff::1")] {
        let nothing = nl.call(route::add(a(to))).unwrap_err();
        assert!(matches!(nothing.errno(), Some(Errno::ENODEV | Errno::EINVAL)), "{nothing}");
        let text = nothing.to_string();
        assert!(text.contains("RTM_NEWROUTE"), "{text}");
        let link = nl.call(route::add(a(to)).oif(4711)).unwrap_err();
        assert_eq!(link.errno(), Some(Errno::ENODEV), "{link}");
        let far = nl.call(route::add(a(to)).gateway(ip(gateway))).unwrap_err();
        assert!(matches!(far.errno(), Some(Errno::ENETUNREACH | Errno::EHOSTUNREACH)), "{far}");
        let object = nl.call(route::add(a(to)).nexthop(4711)).unwrap_err();
        assert_eq!(object.errno(), Some(Errno::EINVAL), "{object}");
        let bits = nl.call(route::add(Addr::new(ip(gateway), 8)?).oif(D0));
        match bits {
            // IPv4 refuses host bits, IPv6 clears them.
            Err(error) => assert!(a(to).ip().is_ipv4() && error.errno() == Some(Errno::EINVAL), "{error}"),
            Ok(()) => assert!(a(to).ip().is_ipv6()),
        }
        assert_eq!(all_to(&mut nl, to)?, []);
    }
    // The kernel explains the error in a text.
    let error = nl.call(route::add(a(FOUR)).gateway(Ipv4Addr::new(203, 0, 113, 1))).unwrap_err();
    assert!(error.to_string().contains("Nexthop has invalid gateway"), "{error}");
    Ok(())
}

fn a_route_is_added_appended_replaced_changed_and_deleted() -> Result {
    let mut nl = connect_with_nets()?;
    let via = |n: u8| IpAddr::from([10, 0, 0, n]);
    let gateways = |nl: &mut Connection| -> Result<Vec<IpAddr>> {
        Ok(all_to(nl, FOUR)?.iter().filter_map(Route::gateway).collect())
    };
    let error = nl.call(route::change(a(FOUR)).gateway(via(2))).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOENT), "{error}");
    nl.call(route::add(a(FOUR)).gateway(via(2)))?;
    assert!(nl.call(route::add(a(FOUR)).gateway(via(3))).unwrap_err().is_exists());
    nl.call(route::append(a(FOUR)).gateway(via(3)))?;
    assert_eq!(gateways(&mut nl)?, [via(2), via(3)]);
    nl.call(route::replace(a(FOUR)).gateway(via(4)))?;
    assert_eq!(gateways(&mut nl)?, [via(4), via(3)]);
    nl.call(route::change(a(FOUR)).gateway(via(5)))?;
    assert_eq!(gateways(&mut nl)?, [via(5), via(3)]);
    nl.call(route::add(a(FOUR)).gateway(via(6)).priority(10))?;
    nl.call(route::add(a(FOUR)).gateway(via(7)).tos(0x10))?;
    assert_eq!(all_to(&mut nl, FOUR)?.len(), 4);
    for left in [3, 2, 1, 0] {
        nl.call(route::delete(a(FOUR)))?;
        assert_eq!(all_to(&mut nl, FOUR)?.len(), left);
        if left == 3 {
            // A deletion has a type of service; by default it is 0.
            nl.call(route::delete(a(FOUR)).tos(0x10))?;
            nl.call(route::add(a(FOUR)).gateway(via(7)).priority(11))?;
        }
    }
    let error = nl.call(route::delete(a(FOUR))).unwrap_err();
    assert!(error.errno() == Some(Errno::ESRCH) && error.is_not_found(), "{error}");
    Ok(())
}

fn an_appended_ipv6_route_is_one_more_next_hop() -> Result {
    let mut nl = connect_with_nets()?;
    let hops = |nl: &mut Connection| -> Result<Vec<IpAddr>> {
        let route = find(nl, SIX)?;
        let hops = route.next_hops().map(|hops| hops.iter().filter_map(|hop| hop.gateway()).collect());
        Ok(hops.unwrap_or_else(|| Vec::from_iter(route.gateway())))
    };
    nl.call(route::add(a(SIX)).gateway(ip("2001:db8::2")))?;
    nl.call(route::append(a(SIX)).gateway(ip("2001:db8:1::2")))?;
    assert_eq!(hops(&mut nl)?, [ip("2001:db8::2"), ip("2001:db8:1::2")]);
    nl.call(route::change(a(SIX)).gateway(ip("2001:db8::3")))?;
    assert_eq!(hops(&mut nl)?, [ip("2001:db8::3")]);
    nl.call(route::replace(a(SIX)).gateway(ip("2001:db8::4")))?;
    assert_eq!(hops(&mut nl)?, [ip("2001:db8::4")]);
    nl.call(route::delete(a(SIX)))?;
    assert_eq!(nl.call(route::delete(a(SIX))).unwrap_err().errno(), Some(Errno::ESRCH));
    assert_eq!(nl.call(route::change(a(SIX)).oif(D0)).unwrap_err().errno(), Some(Errno::ENOENT));
    Ok(())
}

fn a_deletion_deletes_the_matches() -> Result {
    let mut nl = connect_with_nets()?;
    for (to, gateway, other) in [(FOUR, "10.0.0.2", "10.0.0.3"), (SIX, "2001:db8::2", "2001:db8::3")] {
        let made = || route::add(a(to)).gateway(ip(gateway)).priority(5).protocol(Protocol::BGP);
        let wrong = [
            route::delete(a(to)).gateway(ip(other)),
            route::delete(a(to)).priority(6),
            route::delete(a(to)).oif(D1),
            route::delete(a(to)).protocol(Protocol::OSPF),
            route::delete(a(to)).table(100),
        ];
        nl.call(made())?;
        for request in wrong {
            assert_eq!(nl.call(request).unwrap_err().errno(), Some(Errno::ESRCH), "{to}");
        }
        let right = [
            route::delete(a(to)).gateway(ip(gateway)),
            route::delete(a(to)).priority(5),
            route::delete(a(to)).oif(D0),
            route::delete(a(to)).protocol(Protocol::BGP),
            route::delete(a(to)).table(254).gateway(ip(gateway)).oif(D0).priority(5).protocol(Protocol::BGP),
        ];
        for request in right {
            nl.call(request)?;
            nl.call(made())?;
        }
    }
    Ok(())
}

const DROPPING: [(RouteType, Errno); 4] = [
    (RouteType::BLACKHOLE, Errno::EINVAL),
    (RouteType::UNREACHABLE, Errno::EHOSTUNREACH),
    (RouteType::PROHIBIT, Errno::EACCES),
    (RouteType::THROW, Errno::ENETUNREACH),
];

/// vishvananda 28
fn ipv4_default_routes_that_drop_have_an_errno() -> Result {
    let mut nl = connect_with_nets()?;
    for (kind, errno) in DROPPING {
        nl.call(route::add(Addr::DEFAULT_V4).kind(kind))?;
        let made = find(&mut nl, "0.0.0.0/0")?;
        assert_eq!((made.route_type(), made.oif(), made.dst()), (kind, None, None));
        assert_eq!(made.to_string(), format!("{kind} default proto boot"));
        let error = nl.call(route::get(Ipv4Addr::new(198, 51, 100, 1))).unwrap_err();
        assert_eq!(error.errno(), Some(errno), "{kind}: {error}");
        nl.call(route::delete(Addr::DEFAULT_V4).kind(kind))?;
    }
    Ok(())
}

/// vishvananda 28
fn ipv6_default_routes_that_drop_have_an_errno() -> Result {
    let mut nl = connect_with_nets()?;
    for (kind, errno) in DROPPING {
        nl.call(route::add(Addr::DEFAULT_V6).kind(kind))?;
        let made = find(&mut nl, "::/0")?;
        assert_eq!((made.route_type(), made.dst()), (kind, None));
        let error = i32::try_from(made.cacheinfo().unwrap().error)?;
        let answer = nl.call(route::get(ip("2001:db8:ffff::1")));
        match answer {
            // The answer is the route that drops the packet.
            Ok(found) if kind != RouteType::THROW => {
                assert_eq!(found.route_type(), kind);
                assert_eq!(found.cacheinfo().unwrap().error, u32::try_from(errno.0)?);
                assert_eq!(error, errno.0);
            }
            Ok(found) => panic!("{found}"),
            Err(error) => assert_eq!(error.errno(), Some(errno), "{kind}: {error}"),
        }
        nl.call(route::delete(Addr::DEFAULT_V6))?;
    }
    Ok(())
}

fn every_part_of_a_route_reads_back() -> Result {
    let mut nl = connect_with_nets()?;
    nl.call(
        route::add(a(FOUR))
            .gateway(Ipv4Addr::new(10, 0, 0, 2))
            .prefsrc(Ipv4Addr::new(10, 0, 1, 1))
            .protocol(Protocol::STATIC)
            .priority(100)
            .tos(0x10),
    )?;
    let made = find(&mut nl, FOUR)?;
    assert_eq!((made.gateway(), made.oif()), (Some(ip("10.0.0.2")), Some(D0)));
    assert_eq!((made.prefsrc(), made.priority()), (Some(ip("10.0.1.1")), Some(100)));
    assert_eq!((made.protocol(), made.tos(), made.table()), (Protocol::STATIC, 0x10, 254));
    assert_eq!((made.scope(), made.route_type()), (Scope::UNIVERSE, RouteType::UNICAST));
    assert_eq!(made.own_gateway(), Some(AnyAddr::Ip(ip("10.0.0.2"))));
    let text = "192.0.2.0/24 tos 0x10 via 10.0.0.2 dev #10 proto static src 10.0.1.1 metric 100";
    assert_eq!(made.to_string(), text);

    nl.call(route::add(a("198.51.100.1/32")).gateway(ip("172.16.0.1")).oif(D1).onlink())?;
    let made = find(&mut nl, "198.51.100.1/32")?;
    assert_eq!((made.flags(), made.oif()), (RouteFlags::ONLINK, Some(D1)));
    nl.call(route::add(a("198.51.100.0/24")).oif(D1).table(100_000))?;
    let made = &list(&mut nl, route::list().table(100_000).family(Family::INET))?[0];
    assert_eq!((made.table(), made.scope()), (100_000, Scope::LINK));
    assert_eq!(u32::from(made.header().table), RouteTable::COMPAT.0);
    nl.call(route::add(a("10.77.0.1/32")).oif(D0).kind(RouteType::LOCAL))?;
    let local = list(&mut nl, route::list().table(RouteTable::LOCAL).kind(RouteType::LOCAL))?;
    let made = local.iter().find(|one| one.destination() == Some(a("10.77.0.1/32"))).unwrap();
    assert_eq!((made.scope(), made.route_type()), (Scope::HOST, RouteType::LOCAL));

    nl.call(
        route::add(a(SIX))
            .gateway("2001:db8::2".parse::<Ipv6Addr>()?)
            .oif(D0)
            .protocol(Protocol::BGP)
            .pref(RouterPreference::HIGH),
    )?;
    let made = find(&mut nl, SIX)?;
    assert_eq!((made.gateway(), made.pref()), (Some(ip("2001:db8::2")), Some(RouterPreference::HIGH)));
    // The default metric of IPv6 routes.
    assert_eq!((made.priority(), made.protocol()), (Some(1024), Protocol::BGP));
    match nl.call(route::add(a("2001:db8:77::/48")).from(a("2001:db8:1::/64")).oif(D0)) {
        Ok(()) => assert_eq!(find(&mut nl, "2001:db8:77::/48")?.source(), Some(a("2001:db8:1::/64"))),
        // Without CONFIG_IPV6_SUBTREES.
        Err(error) => assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}"),
    }
    match nl.call(route::add(a("203.0.113.0/24")).oif(D0).flow(3 << 16 | 7)) {
        Ok(()) => assert_eq!(find(&mut nl, "203.0.113.0/24")?.flow(), Some(3 << 16 | 7)),
        // Without CONFIG_IP_ROUTE_CLASSID.
        Err(error) => assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}"),
    }
    Ok(())
}

/// vishvananda 29
fn lists_are_filtered_by_the_kernel() -> Result {
    let mut nl = connect_with_nets()?;
    nl.call(route::add(a(FOUR)).oif(D0).protocol(Protocol::BGP))?;
    nl.call(route::add(a(FOUR)).oif(D1).table(100).protocol(Protocol::OSPF))?;
    nl.call(route::add(a("198.51.100.0/24")).kind(RouteType::BLACKHOLE).table(100))?;
    nl.call(route::add(a(SIX)).oif(D1).protocol(Protocol::BGP))?;
    nl.call(route::add(a(SIX)).oif(D0).table(100).protocol(Protocol::OSPF))?;
    nl.call(route::add(a("2001:db8:98::/48")).kind(RouteType::PROHIBIT).table(100))?;
    nl.call(route::add(Addr::DEFAULT_V4).gateway(ip("10.0.0.2")))?;

    let everything = list(&mut nl, route::list())?;
    for table in [100, 254, 255] {
        for family in [Family::INET, Family::INET6] {
            assert!(everything.iter().any(|one| (one.table(), one.family()) == (table, family)));
        }
    }
    type Ask = RouteRequest<Dump<Route<'static>>>;
    let check = |nl: &mut Connection, request: Ask, matches: &dyn Fn(&Route<'_>) -> bool| -> Result {
        let found = list(nl, request)?;
        let expected: Vec<_> = everything.iter().filter(|one| matches(one)).collect();
        assert!(!expected.is_empty());
        // This crate does not filter here: the answers are the kernel's choice.
        assert_eq!(found.iter().map(Route::to_string).collect::<Vec<_>>(), {
            expected.iter().map(|one| one.to_string()).collect::<Vec<_>>()
        });
        Ok(())
    };
    for family in [Family::INET, Family::INET6] {
        let of = || route::list().family(family);
        check(&mut nl, of(), &|one| one.family() == family)?;
        check(&mut nl, of().table(100), &|one| (one.family(), one.table()) == (family, 100))?;
        check(&mut nl, of().protocol(Protocol::BGP), &|one| {
            (one.family(), one.protocol()) == (family, Protocol::BGP)
        })?;
        check(&mut nl, of().oif(D1), &|one| (one.family(), one.oif()) == (family, Some(D1)))?;
        let kind = if family == Family::INET { RouteType::BLACKHOLE } else { RouteType::PROHIBIT };
        check(&mut nl, of().kind(kind), &|one| (one.family(), one.route_type()) == (family, kind))?;
        check(&mut nl, of().table(100).protocol(Protocol::OSPF).kind(RouteType::UNICAST), &|one| {
            (one.family(), one.table(), one.protocol()) == (family, 100, Protocol::OSPF)
        })?;
        let flagged = nl.dump(of().table(100))?.collect()?;
        assert!(
            flagged.iter().all(|one| one
                .view()
                .unwrap()
                .message_flags()
                .contains(MessageFlags::DUMP_FILTERED))
        );
    }
    check(&mut nl, route::list().table(100), &|one| one.table() == 100)?;
    check(&mut nl, route::list().protocol(Protocol::KERNEL), &|one| one.protocol() == Protocol::KERNEL)?;
    // The default route is handled like all others.
    check(&mut nl, route::list().family(Family::INET).table(254).oif(D0), &|one| {
        (one.family(), one.table(), one.oif()) == (Family::INET, 254, Some(D0))
    })?;
    assert_eq!(find(&mut nl, "0.0.0.0/0")?.gateway(), Some(ip("10.0.0.2")));
    // There were no lookups, so there are no exceptions.
    assert_eq!(list(&mut nl, route::list().family(Family::INET).cached())?, []);
    // Conditions that are not filters are refused, not ignored.
    let error = nl.dump(route::list().family(Family::INET).tos(8))?.collect().unwrap_err();
    assert_eq!(Error::from(error).errno(), Some(Errno::EINVAL));
    Ok(())
}

/// vishvananda 29
fn a_family_without_routes_in_the_kernel() -> Result {
    let mut nl = connect_with_nets()?;
    // MCTP has routes and can be missing; no family has the number 99.
    for family in [Family::MCTP, Family(99)] {
        let found = list(&mut nl, route::list().family(family))?;
        // The kernel treats a family without routes as any family, so the family of each answer is checked.
        assert!(found.iter().all(|one| one.family() != family), "{found:?}");
    }
    Ok(())
}

/// vishvananda 30
fn a_filtered_list_may_be_left_early() -> Result {
    let mut nl = connect_with_nets()?;
    let added = nl.batch((0..1000).map(|n| route::add(host(n)).oif(D0).table(100)));
    assert!(added.iter().all(std::result::Result::is_ok));
    for taken in [0, 1, 500] {
        let mut listing = nl.dump(route::list().table(100).family(Family::INET))?;
        for _ in 0..taken {
            assert_eq!(listing.next()?.unwrap().table(), 100);
        }
        drop(listing);
        assert_eq!(nl.call(route::get(ip("10.0.1.9")))?.oif(), Some(D1));
        assert_eq!(list(&mut nl, route::list().table(100).oif(D0))?.len(), 1000);
    }
    Ok(())
}

/// Checks in both families that packets to a net use the second link if `ask` describes what the rule
/// requires, and otherwise the first.
fn steered(
    family: Family,
    rule: &str,
    ask: impl Fn(RouteRequest<Route<'static>>) -> RouteRequest<Route<'static>>,
) -> Result {
    let mut nl = connect_with_nets()?;
    let (net, to, option) = match family {
        Family::INET => (FOUR, ip("192.0.2.1"), "-4"),
        _ => (SIX, ip("2001:db8:99::1"), "-6"),
    };
    nl.call(route::add(a(net)).oif(D0))?;
    nl.call(route::add(a(net)).oif(D1).table(100))?;
    run_ip(&format!("{option} rule add {rule} lookup 100"))?;
    let plain = nl.call(route::get(to))?;
    assert_eq!((plain.oif(), plain.table()), (Some(D0), 254));
    let steered = nl.call(ask(route::get(to)).lookup_table())?;
    assert_eq!((steered.oif(), steered.table()), (Some(D1), 100), "{steered}");
    // A query is answered with one route, without an acknowledgement that could confuse the next query.
    assert_eq!(nl.call(route::get(to))?.oif(), Some(D0));
    nl.call(link::delete(D0))?;
    nl.call(link::delete(D1))?;
    run_ip(&format!("{option} rule del {rule} lookup 100"))
}

/// vishvananda 31
fn a_query_can_be_for_a_received_packet() -> Result {
    for version in ["ipv4", "ipv6"] {
        std::fs::write(format!("/proc/sys/net/{version}/conf/all/forwarding"), "1")?;
    }
    steered(Family::INET, "iif d0", |get| get.iif(D0).from(a("10.0.0.9")))?;
    steered(Family::INET6, "iif d0", |get| get.iif(D0).from(a("2001:db8::9")))
}

/// vishvananda 31
fn a_query_asks_for_an_outgoing_link() -> Result {
    steered(Family::INET, "oif d1", |get| get.oif(D1))?;
    steered(Family::INET6, "oif d1", |get| get.oif(D1))
}

fn a_query_asks_for_a_source() -> Result {
    steered(Family::INET, "from 10.0.1.1", |get| get.from(a("10.0.1.1")))?;
    steered(Family::INET6, "from 2001:db8:1::1", |get| get.from(a("2001:db8:1::1")))
}

/// vishvananda 31
fn a_query_asks_for_a_mark() -> Result {
    steered(Family::INET, "fwmark 0x70/0xf0", |get| get.mark(0x1234_5670))?;
    steered(Family::INET6, "fwmark 0x70/0xf0", |get| get.mark(0x1234_5670))
}

/// vishvananda 31
fn a_query_asks_for_a_user() -> Result {
    steered(Family::INET, "uidrange 1000-1001", |get| get.uid(1001))?;
    steered(Family::INET6, "uidrange 1000-1001", |get| get.uid(1001))
}

fn a_query_asks_for_a_type_of_service() -> Result {
    steered(Family::INET, "tos 0x10", |get| get.tos(0x10))
}

fn a_query_asks_for_ports() -> Result {
    for family in [Family::INET, Family::INET6] {
        steered(family, "ipproto tcp dport 443", |get| get.ip_proto(6).dport(443))?;
        steered(family, "ipproto udp sport 1000-1010", |get| get.ip_proto(17).sport(1005))?;
    }
    Ok(())
}

/// vishvananda 31
fn a_query_may_answer_with_the_entry_that_matched() -> Result {
    let mut nl = connect_with_nets()?;
    for (net, to, gateway) in [(FOUR, "192.0.2.1", "10.0.0.2"), (SIX, "2001:db8:99::1", "2001:db8::2")] {
        nl.call(route::add(a(net)).gateway(ip(gateway)).protocol(Protocol::BGP).priority(7))?;
        let plain = nl.call(route::get(ip(to)))?;
        assert_eq!(plain.destination(), Some(a(to)));
        let entry = nl.call(route::get(ip(to)).fib_match())?;
        assert_eq!((entry.destination(), entry.protocol()), (Some(a(net)), Protocol::BGP));
        assert_eq!((entry.priority(), entry.gateway()), (Some(7), Some(ip(gateway))));
        let missing =
            nl.call(route::get(ip(if a(net).ip().is_ipv4() { "203.0.113.1" } else { "2001:db9::" })));
        assert_eq!(missing.unwrap_err().errno(), Some(Errno::ENETUNREACH));
    }
    Ok(())
}

fn several_next_hops_keep_their_weights() -> Result {
    let mut nl = connect_with_nets()?;
    for (to, first, second) in [(FOUR, "10.0.0.2", "10.0.1.2"), (SIX, "2001:db8::2", "2001:db8:1::2")] {
        let hops = [NextHop::via(ip(first)).weight(3), NextHop::via(ip(second)).oif(D1).weight(256)];
        nl.call(route::add(a(to)).multipath(&hops))?;
        let made = find(&mut nl, to)?;
        assert_eq!((made.gateway(), made.oif()), (None, None));
        let hops = made.next_hops().unwrap();
        let hops: Vec<_> = hops.iter().map(|hop| (hop.gateway(), hop.oif(), hop.weight())).collect();
        assert_eq!(hops, [(Some(ip(first)), D0, 3), (Some(ip(second)), D1, 256)]);
    }
    // Directly to a link, and through a gateway that no route leads to.
    let hops = [NextHop::dev(D0), NextHop::via(ip("172.16.0.1")).oif(D1).onlink()];
    nl.call(route::replace(a(FOUR)).multipath(&hops))?;
    let made = find(&mut nl, FOUR)?;
    let hops: Vec<_> = made.next_hops().unwrap().iter().collect();
    assert_eq!((hops[0].gateway(), hops[0].weight(), hops[0].flags()), (None, 1, RouteFlags::empty()));
    assert_eq!((hops[1].gateway(), hops[1].flags()), (Some(ip("172.16.0.1")), RouteFlags::ONLINK));
    Ok(())
}

/// vishvananda 32
fn an_ipv4_route_takes_an_ipv6_gateway() -> Result {
    let mut nl = connect_with_nets()?;
    for gateway in ["2001:db8::2", "fe80::2"] {
        nl.call(route::replace(a(FOUR)).gateway(ip(gateway)).oif(D0))?;
        let made = find(&mut nl, FOUR)?;
        assert_eq!((made.gateway(), made.own_gateway(), made.oif()), (Some(ip(gateway)), None, Some(D0)));
    }
    let hops = [NextHop::via(ip("10.0.0.2")), NextHop::via(ip("fe80::2")).oif(D1)];
    nl.call(route::replace(a(FOUR)).multipath(&hops))?;
    let made = find(&mut nl, FOUR)?;
    let gateways: Vec<_> = made.next_hops().unwrap().iter().map(|hop| hop.gateway().unwrap()).collect();
    assert_eq!(gateways, [ip("10.0.0.2"), ip("fe80::2")]);
    nl.call(route::delete(a(FOUR)).multipath(&hops))?;
    // The other direction does not exist.
    let error = nl.call(route::add(a(SIX)).gateway(ip("10.0.0.2")).oif(D0)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    Ok(())
}

/// vishvananda 32
fn an_ipv4_gateway_in_ipv6_clothes_is_the_plain_one() -> Result {
    let mut nl = connect_with_nets()?;
    let clothed = "::ffff:10.0.0.2".parse::<Ipv6Addr>()?;
    nl.call(route::add(a(FOUR)).gateway(clothed))?;
    let made = find(&mut nl, FOUR)?;
    assert_eq!((made.gateway(), made.other_gateway()), (Some(ip("10.0.0.2")), None));
    let hops = [NextHop::via(clothed).oif(D0), NextHop::via(ip("10.0.1.2"))];
    nl.call(route::replace(a(FOUR)).multipath(&hops))?;
    let made = find(&mut nl, FOUR)?;
    let gateways: Vec<_> = made.next_hops().unwrap().iter().map(|hop| hop.gateway().unwrap()).collect();
    assert_eq!(gateways, [ip("10.0.0.2"), ip("10.0.1.2")]);
    Ok(())
}

/// vishvananda 33
fn a_next_hop_object_gives_the_gateway() -> Result {
    let mut nl = connect_with_nets()?;
    run_ip("nexthop add id 5 via 10.0.0.2 dev d0")?;
    run_ip("-6 nexthop add id 6 via fe80::2 dev d1")?;
    run_ip("nexthop add id 7 blackhole")?;
    for (to, id, gateway, link) in
        [(FOUR, 5, "10.0.0.2", D0), ("198.51.100.0/24", 6, "fe80::2", D1), (SIX, 6, "fe80::2", D1)]
    {
        nl.call(route::add(a(to)).nexthop(id))?;
        let made = find(&mut nl, to)?;
        assert_eq!((made.nh_id(), made.gateway(), made.oif()), (Some(id), Some(ip(gateway)), Some(link)));
    }
    nl.call(route::replace(a(FOUR)).nexthop(7))?;
    assert_eq!(find(&mut nl, FOUR)?.route_type(), RouteType::BLACKHOLE);
    nl.call(route::delete(a("198.51.100.0/24")).nexthop(6))?;
    Ok(())
}

/// vishvananda 35
fn metrics_and_their_locks_read_back() -> Result {
    let mut nl = connect_with_nets()?;
    for (to, locks) in [
        (FOUR, &[Metric::MTU][..]),
        ("198.51.100.0/24", &[Metric::RTO_MIN]),
        ("203.0.113.0/24", &[Metric::MTU, Metric::RTO_MIN]),
        (SIX, &[Metric::MTU]),
        ("2001:db8:98::/48", &[Metric::RTO_MIN]),
    ] {
        let metrics = Metrics::new().lock(locks).mtu(1400).rto_min(300).attrs();
        nl.call(route::add(a(to)).oif(D0).metrics(metrics.clone()))?;
        let made = find(&mut nl, to)?;
        assert_eq!(made.metrics().unwrap(), metrics, "{to}");
        assert_eq!(made.metrics().unwrap().lock(), Some(Locks::of(locks)));
        nl.call(route::delete(a(to)))?;
    }
    let all = Metrics::new()
        .mtu(1400)
        .window(65_535)
        .rtt(80)
        .rtt_var(40)
        .ssthresh(20)
        .cwnd(21)
        .adv_mss(1300)
        .reordering(5)
        .hop_limit(33)
        .init_cwnd(12)
        .features(Features::ECN)
        .rto_min(300)
        .init_rwnd(14)
        .quick_ack(1)
        .cc_algo("cubic")
        .fastopen_no_cookie(1);
    for to in [FOUR, SIX] {
        nl.call(route::add(a(to)).oif(D0).metrics(all.clone()))?;
        let made = find(&mut nl, to)?;
        let metrics = made.metrics().unwrap();
        assert_eq!(metrics.lock(), None);
        let mut expected = all.clone();
        if metrics.features() != Some(Features::ECN) {
            // The kernel adds its own bit if the congestion control uses ECN.
            expected = expected.features(metrics.features().unwrap());
        }
        assert_eq!(metrics.to_string(), expected.attrs().to_string());
    }
    nl.call(route::replace(a(FOUR)).oif(D0).metrics(Metrics::new().hop_limit(256)))?;
    assert_eq!(find(&mut nl, FOUR)?.metrics().unwrap().hop_limit(), Some(255));
    let features = Features::from_bits_retain(1 << 30);
    for wrong in [Metrics::new().features(features), Metrics::new().cc_algo("nosuch")] {
        let error = nl.call(route::replace(a(FOUR)).oif(D0).metrics(wrong)).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    }
    Ok(())
}

fn an_ipv6_route_expires() -> Result {
    let mut nl = connect_with_nets()?;
    nl.call(route::add(a(SIX)).oif(D0).expires(3600))?;
    let left = find(&mut nl, SIX)?.cacheinfo().unwrap().expires;
    assert!((354_000..=360_000).contains(&left), "{left}");
    nl.call(route::replace(a(SIX)).oif(D0))?;
    assert_eq!(find(&mut nl, SIX)?.cacheinfo().unwrap().expires, 0);
    // IPv4 routes remain.
    nl.call(route::add(a(FOUR)).oif(D0).expires(3600))?;
    assert_eq!(find(&mut nl, FOUR)?.cacheinfo().map_or(0, |info| info.expires), 0);
    Ok(())
}

fn an_echo_returns_the_new_link() -> Result {
    let mut nl = connect_with_nets()?;
    for to in [FOUR, SIX] {
        let request = route::add(a(to)).oif(D1).into_request().with_flags(MessageFlags::ECHO);
        let echoed = nl.call(request.expecting::<Route<'static>>())?;
        assert_eq!((echoed.destination(), echoed.oif()), (Some(a(to)), Some(D1)));
        assert_eq!(echoed.to_string(), find(&mut nl, to)?.to_string());
    }
    Ok(())
}
