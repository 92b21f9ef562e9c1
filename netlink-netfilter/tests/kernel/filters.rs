//! Conditions of lists and deletions in the kernel.

use std::collections::BTreeSet;

use netlink_core::{Connection, Dump, Errno, MessageFlags, ToRequest};
use netlink_netfilter::conntrack::{
    self, Conntrack, ConntrackRequest, Filter, FilterFlags, FilterRequest, IpProtocol, Status, Tuple,
    TupleIp, TupleProto,
};
use netlink_netfilter::{Error, Family, Header, connect};
use netlink_testing::{Result, is_since, kernel, suite};

use crate::{flow, host, make};

suite! {
    lists_by_family_and_mark;
    lists_by_status: kernel(5, 15);
    lists_by_zone: kernel(6, 8);
    lists_by_fields_of_the_tuples: kernel(5, 9);
    five_of_ten_are_deleted_by_mark;
    deletes_by_family;
    deletes_by_status_or_not_at_all;
    deletes_by_zone_or_not_at_all;
    deletes_by_fields_of_the_tuples_or_not_at_all;
    conditions_that_kernels_ignore_cannot_be_sent;
    a_complete_tuple_with_another_condition_cannot_be_sent;
    filters_here_equal_filters_in_the_kernel: kernel(6, 8);
    ipv6_addresses_are_refused_as_a_filter: kernel(5, 9);
    an_invalid_filter_is_refused: kernel(5, 15);
}

fn v6(n: u16) -> Tuple {
    Tuple::udp(format!("[2001:db8::{n}]:1000").parse().unwrap(), "[2001:db8::ffff]:53".parse().unwrap())
}

/// Ten flows: 0 to 4 of TCP with marks 0x10 to 0x14, 5 to 7 of UDP over IPv6, 8 and 9 assured and in zone 3.
fn fill(nl: &mut Connection) -> Result {
    let mut requests: Vec<_> = (0..5).map(|n| make(&flow(n)).mark(0x10 + n)).collect();
    requests.extend((5..8).map(|n| make(&v6(n)).mark(u32::from(n))));
    let assured = Status::CONFIRMED | Status::SEEN_REPLY | Status::ASSURED;
    requests.extend((8..10).map(|n| make(&flow(n)).mark(n).zone(3).status(assured)));
    for result in nl.batch(requests) {
        result?;
    }
    assert_eq!(marks(nl, conntrack::list())?.len(), 10);
    Ok(())
}

type List = FilterRequest<Dump<Conntrack<'static>>>;

fn marks(
    nl: &mut Connection,
    request: impl ToRequest<Answer = Dump<Conntrack<'static>>>,
) -> Result<BTreeSet<u32>> {
    let mut marks = BTreeSet::new();
    let mut listing = nl.dump(request)?;
    while let Some(entry) = listing.next()? {
        assert!(marks.insert(entry.mark().unwrap()));
    }
    Ok(marks)
}

fn lists_by_family_and_mark() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    assert_eq!(marks(&mut nl, conntrack::list().family(Family::IPV6))?, [5, 6, 7].into());
    assert_eq!(marks(&mut nl, conntrack::list().mark(0x12))?, [0x12].into());
    let masked = conntrack::list().mark_masked(0x10, 0xfe);
    assert_eq!(marks(&mut nl, masked)?, [0x10, 0x11].into());
    assert_eq!(marks(&mut nl, conntrack::list().mark(99))?, BTreeSet::new());
    Ok(())
}

fn lists_by_status() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    assert_eq!(marks(&mut nl, conntrack::list().status(Status::ASSURED))?, [8, 9].into());
    let unassured = conntrack::list().status_masked(Status::empty(), Status::ASSURED);
    assert_eq!(marks(&mut nl, unassured)?.len(), 8);
    Ok(())
}

fn lists_by_zone() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    assert_eq!(marks(&mut nl, conntrack::list().zone(3))?, [8, 9].into());
    assert_eq!(marks(&mut nl, conntrack::list().zone(0))?.len(), 8);
    Ok(())
}

fn from(n: u32) -> Tuple {
    Tuple::new().ip(TupleIp::new().src(host(n + 1)))
}

fn lists_by_fields_of_the_tuples() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let any = Tuple::new();
    assert_eq!(marks(&mut nl, conntrack::list().matching(&from(2), &any))?, [0x12].into());
    let to = Tuple::new().ip(TupleIp::new().dst(host(4)));
    assert_eq!(marks(&mut nl, conntrack::list().matching(&any, &to))?, [0x13].into());
    let port = |protocol, port: u16| Tuple::new().proto(TupleProto::new().num(protocol).dst_port(port));
    let web = conntrack::list().family(Family::IPV4).matching(&port(IpProtocol::TCP, 80), &any);
    assert_eq!(marks(&mut nl, web)?.len(), 7);
    let dns = conntrack::list().family(Family::IPV6).matching(&port(IpProtocol::UDP, 53), &any);
    assert_eq!(marks(&mut nl, dns)?, [5, 6, 7].into());
    let both = conntrack::list().matching(&from(2), &from(2));
    assert_eq!(marks(&mut nl, both)?, BTreeSet::new());
    let with_mark = conntrack::list().mark(0x11).matching(&from(2), &any);
    assert_eq!(marks(&mut nl, with_mark)?, BTreeSet::new());
    Ok(())
}

/// Case 40 of vishvananda's: TestConntrackTableDelete.
fn five_of_ten_are_deleted_by_mark() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    nl.call(conntrack::flush().mark_masked(0x10, 0xf0))?;
    assert_eq!(marks(&mut nl, conntrack::list())?, [5, 6, 7, 8, 9].into());
    nl.call(conntrack::flush().mark(99))?;
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 5);
    Ok(())
}

fn deletes_by_family() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    nl.call(conntrack::flush().family(Family::IPV4))?;
    assert_eq!(marks(&mut nl, conntrack::list())?, [5, 6, 7].into());
    Ok(())
}

/// Deletes, and returns whether the kernel did. A kernel that does not support it refuses, and deletes nothing.
fn flushed(nl: &mut Connection, flush: FilterRequest<()>) -> Result<bool> {
    let before = marks(nl, conntrack::list())?;
    match nl.call(flush) {
        Ok(()) => Ok(true),
        Err(refused) => {
            let why = [Errno::EINVAL, Errno::EOPNOTSUPP].map(Some);
            assert!(why.contains(&refused.errno()) && !is_since(6, 10), "{refused}");
            assert_eq!(marks(nl, conntrack::list())?, before);
            Ok(false)
        }
    }
}

/// N3: kernels before 5.15 have no filter by status.
fn deletes_by_status_or_not_at_all() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    if flushed(&mut nl, conntrack::flush().status(Status::ASSURED))? {
        assert_eq!(marks(&mut nl, conntrack::list())?.len(), 8);
    }
    if flushed(&mut nl, conntrack::flush().status_masked(Status::empty(), Status::ASSURED))? {
        assert_eq!(marks(&mut nl, conntrack::list())?.len(), 0);
    }
    Ok(())
}

/// N3: kernels before 6.8 have no filter by zone.
fn deletes_by_zone_or_not_at_all() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let all = [5, 6, 7, 8, 9, 0x10, 0x11, 0x12, 0x13, 0x14];
    if flushed(&mut nl, conntrack::flush().zone(99))? {
        assert_eq!(marks(&mut nl, conntrack::list())?, all.into());
    }
    if flushed(&mut nl, conntrack::flush().mark(8).zone(3))? {
        assert!(!marks(&mut nl, conntrack::list())?.contains(&8));
    }
    if flushed(&mut nl, conntrack::flush().zone(3))? {
        assert_eq!(marks(&mut nl, conntrack::list())?, [5, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14].into());
    }
    nl.call(conntrack::flush())?;
    fill(&mut nl)?;
    if flushed(&mut nl, conntrack::flush().zone(0))? {
        assert_eq!(marks(&mut nl, conntrack::list())?, [8, 9].into());
    }
    Ok(())
}

fn deletes_by_fields_of_the_tuples_or_not_at_all() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    if !flushed(&mut nl, conntrack::flush().matching(&from(2), &Tuple::new()))? {
        return Ok(());
    }
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 9);
    let udp = Tuple::new().proto(TupleProto::new().num(IpProtocol::UDP));
    nl.call(conntrack::flush().family(Family::IPV6).matching(&udp, &Tuple::new()))?;
    assert_eq!(marks(&mut nl, conntrack::list())?, [8, 9, 0x10, 0x11, 0x13, 0x14].into());
    nl.call(conntrack::flush().matching(&from(0), &Tuple::new()).zone(3))?;
    assert_eq!(marks(&mut nl, conntrack::list())?, [8, 9, 0x10, 0x11, 0x13, 0x14].into());
    nl.call(conntrack::flush().zone(3).matching(&from(8), &Tuple::new()))?;
    assert_eq!(marks(&mut nl, conntrack::list())?, [9, 0x10, 0x11, 0x13, 0x14].into());
    Ok(())
}

/// N3, NA1: a deletion would delete all other entries too.
fn conditions_that_kernels_ignore_cannot_be_sent() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let proto = |num| TupleProto::new().num(num);
    let of = |proto: TupleProto| Tuple::new().proto(proto);
    let overlooked = [
        Tuple::new(),
        Tuple::new().zone(99),
        from(2).zone(99),
        of(proto(IpProtocol::UDP).dst_port(80)).zone(99),
        of(proto(IpProtocol::SCTP).dst_port(9)),
        of(proto(IpProtocol::UDPLITE).src_port(9)),
        of(proto(IpProtocol::GRE).dst_port(9)),
        of(proto(IpProtocol::ICMP).dst_port(9)),
        of(TupleProto::new().dst_port(9)),
        of(proto(IpProtocol::TCP).icmp_id(9)),
        of(proto(IpProtocol::ICMPV6).icmp_id(9)),
        of(proto(IpProtocol::ICMPV6).icmp_type(8)),
        of(proto(IpProtocol::ICMP).icmpv6_code(9)),
        of(TupleProto::new().icmp_code(9)),
    ];
    for tuple in overlooked {
        for (orig, reply) in [(tuple.clone(), Tuple::new()), (Tuple::new(), tuple.clone())] {
            let flush = conntrack::flush().family(Family::IPV4).matching(&orig, &reply);
            let refused = nl.call(flush).unwrap_err();
            assert!(matches!(refused, Error::Request(_)), "{tuple:?}: {refused}");
            let list = conntrack::list().family(Family::IPV4).matching(&orig, &reply);
            assert!(list.to_bytes().is_err(), "{tuple:?}");
        }
    }
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 10);
    Ok(())
}

/// N3: kernels before 6.10 delete the entry of the tuple, regardless of its mark.
fn a_complete_tuple_with_another_condition_cannot_be_sent() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let any = Tuple::new();
    let esp = Tuple::generic(IpProtocol::ESP, host(1), host(2));
    let ping = Tuple::icmp("10.0.0.1".parse()?, "10.0.0.2".parse()?, 8, 0, 7);
    let refused = [
        conntrack::flush().mark(99).matching(&flow(2), &any),
        conntrack::flush().matching(&flow(2), &any).mark_masked(0, 0x10),
        conntrack::flush().matching(&flow(2), &any).zone(3),
        conntrack::flush().status(Status::ASSURED).matching(&esp, &any),
        conntrack::flush().matching(&flow(2), &from(9)),
        conntrack::flush().matching(&ping, &any).mark(1),
    ];
    for flush in refused {
        let refused = nl.call(&flush).unwrap_err();
        assert!(matches!(refused, Error::Request(_)), "{flush:?}: {refused}");
    }
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 10);
    // Lists use all conditions, and so do deletions with fewer.
    assert_eq!(marks(&mut nl, conntrack::list().mark(0x12).matching(&flow(2), &any))?, [0x12].into());
    assert_eq!(marks(&mut nl, conntrack::list().mark(0x13).matching(&flow(2), &any))?, [].into());
    if flushed(&mut nl, conntrack::flush().mark(0x13).matching(&from(2), &any))? {
        assert_eq!(marks(&mut nl, conntrack::list())?.len(), 10);
    }
    nl.call(conntrack::flush().matching(&flow(2), &any))?;
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 9);
    Ok(())
}

/// Filtering here gives the kernel's result.
fn filters_here_equal_filters_in_the_kernel() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let ping = Tuple::icmp("10.0.0.1".parse()?, "10.0.0.2".parse()?, 8, 0, 7);
    nl.call(make(&ping).mark(0x20))?;
    nl.call(make(&flow(20).zone(7)).mark(0x21))?;
    let entries = nl.dump(conntrack::list())?.collect()?;
    let any = Tuple::new();
    let port = |protocol, port: u16| Tuple::new().proto(TupleProto::new().num(protocol).dst_port(port));
    let id = |id: u16| Tuple::new().proto(TupleProto::new().num(IpProtocol::ICMP).icmp_id(id));
    let four = || conntrack::list().family(Family::IPV4);
    let filters: [(List, usize); 18] = [
        (conntrack::list(), 12),
        (four(), 9),
        (conntrack::list().mark(0x12), 1),
        (conntrack::list().mark_masked(0x10, 0xfe), 2),
        (conntrack::list().mark_masked(0x11, 0xf0), 0),
        (conntrack::list().status(Status::ASSURED), 2),
        (conntrack::list().status_masked(Status::empty(), Status::ASSURED), 10),
        (conntrack::list().zone(3), 2),
        (conntrack::list().zone(0), 9),
        (conntrack::list().zone(7), 1),
        (conntrack::list().matching(&from(2), &any), 1),
        (conntrack::list().matching(&any, &from(2)), 0),
        (four().matching(&any, &flow(2).reversed()), 1),
        (four().matching(&port(IpProtocol::TCP, 80), &any), 8),
        (four().matching(&port(IpProtocol::TCP, 81), &any), 0),
        (four().matching(&id(7), &any), 1),
        (four().matching(&id(8), &any), 0),
        (four().matching(&port(IpProtocol::TCP, 80), &any).zone(3).mark(9), 1),
    ];
    for (filter, count) in filters {
        let views = entries.iter().map(|entry| entry.view().unwrap()).filter(|entry| filter.selects(entry));
        let selected: BTreeSet<_> = views.map(|entry| entry.mark().unwrap()).collect();
        assert_eq!(selected.len(), count, "{filter:?}");
        assert_eq!(marks(&mut nl, &filter)?, selected, "{filter:?}");
    }
    Ok(())
}

fn an_invalid_filter_is_refused() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let nothing = conntrack::list().status_masked(Status::empty(), Status::empty());
    let refused = nl.dump(nothing)?.collect().unwrap_err();
    assert_eq!(refused.error.errno(), Some(Errno::EINVAL));
    let no_family = conntrack::list()
        .matching(&Tuple::new().proto(TupleProto::new().num(IpProtocol::TCP)), &Tuple::new());
    assert!(nl.dump(no_family)?.collect().unwrap_err().error.is_unsupported());
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 10);
    Ok(())
}

/// Kernels compare them with the opposite result: a deletion would delete all other entries.
fn ipv6_addresses_are_refused_as_a_filter() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let from = Tuple::new().ip(TupleIp::new().src("2001:db8::6".parse()?));
    let refused = nl.call(conntrack::flush().matching(&from, &Tuple::new())).unwrap_err();
    assert!(matches!(refused, Error::Request(_)), "{refused}");
    let refused = nl.call(conntrack::flush().matching(&Tuple::new(), &from)).unwrap_err();
    assert!(matches!(refused, Error::Request(_)), "{refused}");
    let asked = ConntrackRequest::new(&Conntrack::GET, MessageFlags::DUMP, Header::of(Family::IPV6));
    let asked = asked.tuple_orig(from).filter(Filter::new().orig_flags(FilterFlags::SRC));
    let marks = marks(&mut nl, asked)?;
    assert!(marks == [5, 7].into() || marks == [6].into(), "{marks:?}");
    Ok(())
}
