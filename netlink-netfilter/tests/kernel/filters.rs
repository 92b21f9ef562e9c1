//! What the kernel selects by, in lists and in deletions.

use std::collections::BTreeSet;

use netlink_core::{Connection, Dump};
use netlink_netfilter::conntrack::{
    self, Conntrack, ConntrackRequest, Filter, FilterFlags, IpProtocol, Status, Tuple, TupleIp, TupleProto,
};
use netlink_netfilter::{Family, connect};
use netlink_testing::{Result, kernel, suite};

use crate::{flow, host, make};

suite! {
    lists_by_family_and_mark;
    lists_by_status: kernel(5, 15);
    lists_by_zone: kernel(6, 8);
    lists_by_fields_of_the_tuples: kernel(5, 9);
    five_of_ten_are_deleted_by_mark;
    deletes_by_family;
    deletes_by_status: kernel(5, 15);
    deletes_by_zone: kernel(6, 8);
    deletes_by_fields_of_the_tuples_or_not_at_all;
    ipv6_addresses_are_no_filter: kernel(5, 9);
    a_filter_that_makes_no_sense_is_refused: kernel(5, 15);
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

fn marks(nl: &mut Connection, request: ConntrackRequest<Dump<Conntrack<'static>>>) -> Result<BTreeSet<u32>> {
    let mut marks = BTreeSet::new();
    let mut listing = nl.dump(request)?;
    while let Some(entry) = listing.next()? {
        assert!(marks.insert(entry.mark().unwrap().0));
    }
    Ok(marks)
}

fn lists_by_family_and_mark() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    assert_eq!(marks(&mut nl, conntrack::list().family(Family::IPV6))?, [5, 6, 7].into());
    assert_eq!(marks(&mut nl, conntrack::list().mark(0x12))?, [0x12].into());
    let masked = conntrack::list().mark(0x10).mark_mask(0xfe);
    assert_eq!(marks(&mut nl, masked)?, [0x10, 0x11].into());
    assert_eq!(marks(&mut nl, conntrack::list().mark(99))?, BTreeSet::new());
    Ok(())
}

fn lists_by_status() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    assert_eq!(marks(&mut nl, conntrack::list().status(Status::ASSURED))?, [8, 9].into());
    let unassured = conntrack::list().status(Status::empty()).status_mask(Status::ASSURED);
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
    nl.call(conntrack::flush().mark(0x10).mark_mask(0xf0))?;
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

fn deletes_by_status() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    nl.call(conntrack::flush().status(Status::ASSURED))?;
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 8);
    nl.call(conntrack::flush().status(Status::empty()).status_mask(Status::ASSURED))?;
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 0);
    Ok(())
}

fn deletes_by_zone() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    nl.call(conntrack::flush().zone(3))?;
    assert_eq!(marks(&mut nl, conntrack::list())?, [5, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14].into());
    Ok(())
}

fn deletes_by_fields_of_the_tuples_or_not_at_all() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    if let Err(refused) = nl.call(conntrack::flush().matching(&from(2), &Tuple::new())) {
        // Before Linux 6.10.
        assert_eq!(refused.errno(), Some(netlink_core::Errno::EINVAL));
        assert_eq!(marks(&mut nl, conntrack::list())?.len(), 10);
        return Ok(());
    }
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 9);
    let udp = Tuple::new().proto(TupleProto::new().num(IpProtocol::UDP));
    nl.call(conntrack::flush().family(Family::IPV6).matching(&udp, &Tuple::new()))?;
    assert_eq!(marks(&mut nl, conntrack::list())?, [8, 9, 0x10, 0x11, 0x13, 0x14].into());
    Ok(())
}

fn a_filter_that_makes_no_sense_is_refused() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let nothing = conntrack::list().status(Status::empty()).status_mask(Status::empty());
    let refused = nl.dump(nothing)?.collect().unwrap_err();
    assert_eq!(refused.error.errno(), Some(netlink_core::Errno::EINVAL));
    let port = Tuple::new().proto(TupleProto::new().dst_port(80));
    let no_protocol = conntrack::list().family(Family::IPV4).matching(&port, &Tuple::new());
    let refused = nl.dump(no_protocol)?.collect().unwrap_err();
    assert_eq!(refused.error.errno(), Some(netlink_core::Errno::EINVAL));
    let no_family = conntrack::list()
        .matching(&Tuple::new().proto(TupleProto::new().num(IpProtocol::TCP)), &Tuple::new());
    assert!(nl.dump(no_family)?.collect().unwrap_err().error.is_unsupported());
    assert_eq!(marks(&mut nl, conntrack::list())?.len(), 10);
    Ok(())
}

/// Kernels compare them the wrong way round: a deletion would take all the others.
fn ipv6_addresses_are_no_filter() -> Result {
    let mut nl = connect()?;
    fill(&mut nl)?;
    let from = Tuple::new().ip(TupleIp::new().src("2001:db8::6".parse()?));
    let refused = nl.call(conntrack::flush().matching(&from, &Tuple::new())).unwrap_err();
    assert!(matches!(refused, netlink_netfilter::Error::Request(_)), "{refused}");
    let refused = nl.call(conntrack::flush().matching(&Tuple::new(), &from)).unwrap_err();
    assert!(matches!(refused, netlink_netfilter::Error::Request(_)), "{refused}");
    let asked = conntrack::list().family(Family::IPV6).tuple_orig(from);
    let marks = marks(&mut nl, asked.filter(Filter::new().orig_flags(FilterFlags::SRC)))?;
    assert!(marks == [5, 7].into() || marks == [6].into(), "{marks:?}");
    Ok(())
}
