//! Events of changes, reports of losses, and the watch that recovers from them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use netlink_core::socket::Switch;
use netlink_core::{Connection, Events, Notice};
use netlink_netfilter::conntrack::{self, Conntrack, Status, Watch};
use netlink_netfilter::event::{Change, Event, Group};
use netlink_netfilter::{Error, connect, subscribe};
use netlink_testing::{Result, patience, program, seconds, suite};

use crate::{flow, host, make, sysctl};

suite! {
    new_changed_and_deleted_are_reported;
    groups_are_distinguished;
    packets_make_events: program("nft"), program("ip");
    an_entry_whose_event_did_not_fit_is_dying: seconds(120);
    a_small_buffer_reports_its_loss: seconds(120);
    the_watch_lists_entries_and_follows_changes;
    the_watch_is_right_again_after_a_loss: seconds(180);
    a_watch_that_was_lost_once_follows_on: seconds(180);
}

fn next(events: &mut Events<Event<'static>>) -> Result<(Change, Conntrack<'static>, u32)> {
    match events.next()? {
        Notice::Event { event: Event::Conntrack(change, entry), group, .. } => {
            Ok((change, entry.into_owned(), group))
        }
        other => Err(format!("{other:?}").into()),
    }
}

fn listen(groups: &[Group]) -> Result<Events<Event<'static>>, Error> {
    let mut events = subscribe(groups)?;
    events.set_timeout(Some(Duration::from_secs(10)))?;
    Ok(events)
}

fn make_all(nl: &mut Connection, flows: Range<u32>) -> Result {
    Ok(nl.batch(flows.map(|n| make(&flow(n)).mark(n))).into_iter().collect::<Result<_, _>>()?)
}

fn new_changed_and_deleted_are_reported() -> Result {
    let mut nl = connect()?;
    let mut events = listen(&Group::CONNTRACK)?;
    nl.call(make(&flow(1)).mark(7))?;
    let (change, made, group) = next(&mut events)?;
    assert_eq!((change, group), (Change::New, Group::CONNTRACK_NEW.0));
    assert_eq!((made.tuple_orig(), made.mark()), (Some(flow(1).attrs()), Some(7)));
    nl.call(conntrack::update(&flow(1)).mark(8))?;
    let (change, changed, group) = next(&mut events)?;
    assert_eq!((change, group), (Change::Changed, Group::CONNTRACK_UPDATE.0));
    assert_eq!((changed.id(), changed.mark()), (made.id(), Some(8)));
    nl.call(conntrack::delete(&flow(1)))?;
    let (change, deleted, group) = next(&mut events)?;
    assert_eq!((change, group), (Change::Deleted, Group::CONNTRACK_DESTROY.0));
    assert_eq!((deleted.id(), deleted.tuple_orig()), (made.id(), Some(flow(1).attrs())));
    Ok(())
}

fn groups_are_distinguished() -> Result {
    let mut nl = connect()?;
    let mut events = listen(&[Group::CONNTRACK_DESTROY])?;
    nl.call(make(&flow(1)))?;
    nl.call(conntrack::update(&flow(1)).mark(8))?;
    nl.call(conntrack::delete(&flow(1)))?;
    assert_eq!(next(&mut events)?.0, Change::Deleted);
    Ok(())
}

fn packets_make_events() -> Result {
    let mut nl = connect()?;
    crate::packets::track(&mut nl)?;
    let mut events = listen(&[Group::CONNTRACK_NEW])?;
    let tuple = crate::packets::exchange_udp(2)?;
    let (change, entry, _) = next(&mut events)?;
    assert_eq!((change, entry.tuple_orig()), (Change::New, Some(tuple.attrs())));
    Ok(())
}

/// With `NETLINK_BROADCAST_ERROR` the kernel repeats the event about the end of an entry, and keeps the entry
/// until then.
fn an_entry_whose_event_did_not_fit_is_dying() -> Result {
    let mut nl = connect()?;
    let mut events = listen(&[Group::CONNTRACK_DESTROY])?;
    events.socket_mut().set_receive_buffer(4096)?;
    events.socket_mut().set(Switch::BROADCAST_ERROR, true)?;
    make_all(&mut nl, 0..200)?;
    nl.call(conntrack::flush())?;
    assert!(nl.dump(conntrack::list())?.collect()?.is_empty());
    let dying = nl.dump(conntrack::dying())?.collect()?;
    assert!(!dying.is_empty() && dying.len() < 200, "{}", dying.len());
    assert!(dying[0].view()?.status().unwrap().contains(Status::DYING));
    let mut told = BTreeSet::new();
    while told.len() < 200 {
        if let Notice::Event { event: Event::Conntrack(Change::Deleted, entry), .. } = events.next()? {
            assert!(told.insert(entry.tuple_orig().unwrap().src()));
        }
    }
    assert!(nl.dump(conntrack::dying())?.collect()?.is_empty());
    Ok(())
}

fn a_small_buffer_reports_its_loss() -> Result {
    let mut nl = connect()?;
    let mut events = listen(&Group::CONNTRACK)?;
    events.socket_mut().set_receive_buffer(4096)?;
    let made = 2000 / patience();
    make_all(&mut nl, 0..made)?;
    events.set_timeout(Some(Duration::from_secs(1)))?;
    // The loss is reported where it happened: after the first events, which fit.
    let mut told = 0;
    while let Notice::Event { event: Event::Conntrack(Change::New, entry), .. } = events.next()? {
        assert_eq!(entry.tuple_orig(), Some(flow(told).attrs()));
        told += 1;
    }
    assert!(told > 0 && told < made, "{told}");
    assert!(matches!(events.next(), Err(Error::Timeout(_))));
    nl.call(make(&flow(5000)))?;
    assert_eq!(next(&mut events)?.1.tuple_orig(), Some(flow(5000).attrs()));
    Ok(())
}

/// The changes of a watch, applied: sources and marks of the entries.
#[derive(Default)]
struct Told(BTreeMap<std::net::IpAddr, u32>);

impl Told {
    fn take(&mut self, (change, entry): (Change, Conntrack<'static>)) {
        let source = entry.tuple_orig().unwrap().src().unwrap();
        let before = match change {
            Change::Deleted => self.0.remove(&source),
            // An event omits a mark of 0.
            _ => self.0.insert(source, entry.mark().unwrap_or_default()),
        };
        assert_eq!(before.is_some(), change != Change::New, "{change:?} {entry}");
    }
}

fn watch() -> Result<Watch> {
    let mut watch = Watch::open()?;
    watch.set_timeout(Some(Duration::from_secs(10)))?;
    Ok(watch)
}

fn the_watch_lists_entries_and_follows_changes() -> Result {
    sysctl("events", "1")?;
    let mut nl = connect()?;
    make_all(&mut nl, 0..10)?;
    let mut watch = watch()?;
    let mut told = Told::default();
    for _ in 0..10 {
        told.take(watch.next()?);
    }
    assert_eq!(told.0, (0..10).map(|n| (host(n + 1), n)).collect());
    nl.call(conntrack::update(&flow(3)).mark(30))?;
    nl.call(conntrack::delete(&flow(4)))?;
    nl.call(make(&flow(10)).mark(10))?;
    for expected in [Change::Changed, Change::Deleted, Change::New] {
        let (change, entry) = watch.next()?;
        assert_eq!(change, expected);
        told.take((change, entry));
    }
    assert_eq!((told.0.len(), told.0[&host(4)]), (10, 30));
    assert_eq!(watch.resyncs(), 0);
    watch.set_timeout(Some(Duration::from_millis(1)))?;
    assert!(matches!(watch.next(), Err(Error::Timeout(_))));
    Ok(())
}

/// A burst that does not fit into a tiny buffer: makes, changes and deletes.
fn burst(nl: &mut Connection, flows: Range<u32>) -> Result {
    let mut requests: Vec<_> = flows.clone().map(|n| make(&flow(n)).mark(1).into_request()).collect();
    requests.extend(flows.clone().map(|n| conntrack::update(&flow(n)).mark(n).into_request()));
    requests.extend(flows.filter(|n| n % 3 == 0).map(|n| conntrack::delete(&flow(n)).into_request()));
    Ok(nl.batch(requests).into_iter().collect::<Result<_, _>>()?)
}

/// Takes changes until the result equals the table.
fn follow(watch: &mut Watch, nl: &mut Connection, told: &mut Told) -> Result {
    let mut there = BTreeMap::new();
    let mut listing = nl.dump(conntrack::list())?;
    while let Some(entry) = listing.next()? {
        there.insert(entry.tuple_orig().unwrap().src().unwrap(), entry.mark().unwrap());
    }
    while told.0 != there {
        told.take(watch.next()?);
    }
    Ok(())
}

fn the_watch_is_right_again_after_a_loss() -> Result {
    let mut nl = connect()?;
    let mut watch = watch()?;
    watch.events().socket().set_receive_buffer(4096)?;
    let mut told = Told::default();
    let third = 1000 / patience();
    burst(&mut nl, 0..3 * third)?;
    follow(&mut watch, &mut nl, &mut told)?;
    assert_eq!(told.0.len(), 2 * third as usize);
    assert!(watch.resyncs() > 0);
    nl.call(conntrack::flush())?;
    follow(&mut watch, &mut nl, &mut told)?;
    assert!(told.0.is_empty());
    Ok(())
}

fn a_watch_that_was_lost_once_follows_on() -> Result {
    let mut nl = connect()?;
    let mut watch = watch()?;
    watch.events().socket().set_receive_buffer(4096)?;
    let mut told = Told::default();
    for round in 0..5 {
        burst(&mut nl, round * 1000..round * 1000 + 700 / patience())?;
        follow(&mut watch, &mut nl, &mut told)?;
        nl.call(make(&flow(30_000 + round)).mark(1))?;
        follow(&mut watch, &mut nl, &mut told)?;
    }
    assert!(watch.resyncs() > 0);
    Ok(())
}
