//! The blocking connection: calls, dumps, batches, events, and messages that must not confuse it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use netlink_core::{
    Connection, Errno, Error, Events, MessageFlags, MessageInfo, Notice, OpenOptions, Protocol,
};
use netlink_route::event::{Change, Event, Group};
use netlink_route::link::Vxlan;
use netlink_route::link::{Bridge, LinkHeader};
use netlink_route::{Addr, addr, link, route};
use netlink_testing::{Result, kind, patience, suite};

use crate::{LO, connect, host};

suite! {
    a_reply_an_ack_and_an_error;
    an_abandoned_dump_does_not_disturb_the_next_calls;
    a_dump_of_an_unknown_table_fails_at_its_end;
    a_batch_has_one_result_per_request;
    a_batch_in_which_everything_fails_does_not_deadlock;
    a_batch_heeds_the_buffer_as_it_is;
    a_batch_of_replies;
    a_value_that_cannot_be_sent_is_refused_before;
    an_error_names_the_nested_attribute: kind("vxlan");
    silence_is_a_timeout_and_the_connection_works_on;
    own_changes_are_events_and_never_replies;
    an_echo_is_a_reply_with_an_ack;
    a_tiny_buffer_overruns_and_continues;
    a_default_event_buffer_loses_nothing;
    a_stopped_stream_ends;
    traffic_can_be_watched;
}

fn a_reply_an_ack_and_an_error() -> Result {
    let mut nl = connect()?;
    let lo = nl.call(link::get("lo"))?;
    assert_eq!(lo.index(), LO);
    nl.call(addr::add(LO, "10.9.8.7/24".parse()?))?;
    let again = nl.call(addr::add(LO, "10.9.8.7/24".parse()?)).unwrap_err();
    assert!(again.is_exists(), "{again}");
    assert!(nl.call(link::get("nosuchlink")).unwrap_err().is_not_found());
    assert_eq!(nl.call(link::get(LO))?.index(), LO);
    Ok(())
}

/// vishvananda 30
fn an_abandoned_dump_does_not_disturb_the_next_calls() -> Result {
    let mut nl = connect()?;
    let added = nl.batch((0..3000).map(|n| route::add(host(n)).oif(LO)));
    assert!(added.iter().all(std::result::Result::is_ok));
    for taken in [0, 1, 700] {
        let mut listing = nl.dump(route::list())?;
        for _ in 0..taken {
            assert!(listing.next()?.is_some());
        }
        assert_eq!(nl.call(link::get("lo"))?.index(), LO);
        let all = nl.dump(route::list().table(254))?.collect()?;
        assert_eq!(all.len(), 3000);
    }
    Ok(())
}

fn a_dump_of_an_unknown_table_fails_at_its_end() -> Result {
    let mut nl = connect()?;
    let mut listing = nl.dump(route::list().family(netlink_route::Family::INET).table(4711))?;
    let error = listing.next().unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(error.to_string().contains("FIB table does not exist"), "{error}");
    assert!(matches!(listing.next(), Ok(None)));
    Ok(())
}

fn a_batch_has_one_result_per_request() -> Result {
    let mut nl = connect()?;
    let requests = (0..5000).map(|n| {
        let oif = if n % 1000 == 999 { 7777 } else { LO };
        route::add(host(n)).oif(oif)
    });
    let results = nl.batch(requests);
    assert_eq!(results.len(), 5000);
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), n % 1000 == 999, "{n}: {result:?}");
    }
    assert_eq!(results[999].as_ref().unwrap_err().errno(), Some(Errno::ENODEV));
    assert_eq!(nl.dump(route::list().table(254))?.collect()?.len(), 4995);
    assert!(nl.batch(Vec::<route::RouteRequest<()>>::new()).is_empty());
    Ok(())
}

fn a_batch_in_which_everything_fails_does_not_deadlock() -> Result {
    let mut nl = connect()?;
    let add = || (0..4000).map(|n| route::add(host(n)).oif(LO));
    assert!(nl.batch(add()).iter().all(std::result::Result::is_ok));
    let again = nl.batch(add());
    assert_eq!(again.len(), 4000);
    assert!(again.iter().all(|result| result.as_ref().is_err_and(Error::is_exists)));
    assert_eq!(nl.call(link::get(LO))?.index(), LO);
    Ok(())
}

/// After an overflow, the kernel sends a socket nothing until it is read empty. F9
fn a_batch_heeds_the_buffer_as_it_is() -> Result {
    let mut nl = connect()?;
    let add = || (0..600).map(|n| route::add(host(n)).oif(LO));
    assert!(nl.batch(add()).iter().all(std::result::Result::is_ok));
    nl.socket().set_receive_buffer(4096)?;
    nl.set_timeout(Some(Duration::from_secs(5)))?;
    for _ in 0..3 {
        let again = nl.batch(add());
        assert_eq!(again.len(), 600);
        assert!(again.iter().all(|result| result.as_ref().is_err_and(Error::is_exists)));
        assert_eq!(nl.call(link::get(LO))?.index(), LO);
        assert_eq!(nl.dump(route::list().table(254))?.collect()?.len(), 600);
    }
    Ok(())
}

fn a_batch_of_replies() -> Result {
    let mut nl = connect()?;
    let names = ["lo", "nosuch", "lo", "a-name-that-is-too-long\0", "lo"];
    let results = nl.batch(names.map(link::get));
    let indexes: Vec<_> = results.iter().map(|result| result.as_ref().ok().map(link::Link::index)).collect();
    assert_eq!(indexes, [Some(LO), None, Some(LO), None, Some(LO)]);
    assert!(results[1].as_ref().unwrap_err().is_not_found());
    assert!(matches!(results[3], Err(Error::Request(_))));
    Ok(())
}

fn a_value_that_cannot_be_sent_is_refused_before() -> Result {
    let mut nl = connect()?;
    let watched = Arc::new(Mutex::new(0));
    let count = Arc::clone(&watched);
    nl.set_tracer(Some(Box::new(move |_| *count.lock().expect("not poisoned") += 1)));
    for name in ["sixteen-bytes-xx", "nul\0inside"] {
        let error = nl.call(link::create(name).kind(Bridge::new())).unwrap_err();
        assert!(matches!(error, Error::Request(_)), "{error}");
        assert!(error.to_string().contains("IFLA_IFNAME"), "{error}");
    }
    assert_eq!(*watched.lock().expect("not poisoned"), 0);
    assert!(Addr::new([10, 0, 0, 0].into(), 33).is_err());
    Ok(())
}

fn an_error_names_the_nested_attribute() -> Result {
    let mut nl = connect()?;
    let error = nl.call(link::create("vx0").kind(Vxlan::new().id(1 << 24))).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID"), "{text}");
    let Error::Kernel(error) = error else { panic!("{text}") };
    assert!(error.ext_ack().attribute().is_some_and(|place| place.is("IFLA_VXLAN_ID")));
    assert!(error.ext_ack().message().is_some());
    Ok(())
}

/// vishvananda 43
fn silence_is_a_timeout_and_the_connection_works_on() -> Result {
    // No process answers on NETLINK_USERSOCK.
    const ASK: MessageInfo = MessageInfo { protocol: || None, ..link::Link::GET };
    let request =
        link::LinkRequest::<link::Link<'static>>::new(&ASK, MessageFlags::empty(), LinkHeader::default());
    let mut nl = Connection::open(Protocol::USERSOCK)?;
    nl.set_timeout(Some(Duration::from_millis(30)))?;
    for _ in 0..2 {
        let start = Instant::now();
        let error = nl.call(&request).unwrap_err();
        // Without a kernel side, the send itself can be refused.
        if matches!(error, Error::System { .. }) {
            return Ok(());
        }
        assert!(matches!(error, Error::Timeout(_)), "{error}");
        assert!(error.is_retryable());
        assert!(start.elapsed() >= Duration::from_millis(30));
    }
    Ok(())
}

fn own_changes_are_events_and_never_replies() -> Result {
    let mut nl = connect()?;
    nl.subscribe(&[Group::LINK.0, Group::IPV4_ADDR.0, Group::IPV4_ROUTE.0, Group::NEXTHOP.0])?;
    nl.call(link::create("br0").kind(Bridge::new()))?;
    let index = nl.call(link::get("br0"))?.index();
    nl.call(link::set(index).mtu(1400))?;
    nl.call(addr::add(index, "10.0.0.1/24".parse()?))?;
    assert_eq!(nl.call(link::get(index))?.mtu(), Some(1400));
    nl.call(link::delete(index))?;
    let mut seen = Vec::new();
    loop {
        match nl.next_event::<Event<'static>>()? {
            Notice::Event { event: Event::Link(change, link), group, nsid } if link.index() == index => {
                assert_eq!((group, nsid), (Group::LINK.0, None));
                seen.push(format!("link {change:?}"));
                if change == Change::Deleted {
                    break;
                }
            }
            Notice::Event { event: Event::Address(change, address), group, .. } => {
                assert_eq!(group, Group::IPV4_ADDR.0);
                assert_eq!(address.addr(), Some("10.0.0.1/24".parse()?));
                seen.push(format!("addr {change:?}"));
            }
            Notice::Event { .. } => {}
            Notice::Overrun => panic!("nothing was lost"),
        }
    }
    assert_eq!(seen.first().map(String::as_str), Some("link New"));
    assert!(seen.iter().any(|what| what == "link Changed"), "{seen:?}");
    assert!(seen.iter().any(|what| what == "addr New"), "{seen:?}");
    assert!(seen.iter().any(|what| what == "addr Deleted"), "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some("link Deleted"));
    Ok(())
}

fn an_echo_is_a_reply_with_an_ack() -> Result {
    let mut nl = connect()?;
    let request = route::add(host(1)).oif(LO).into_request().with_flags(MessageFlags::ECHO);
    let echoed = nl.call(request.expecting::<route::Route<'static>>())?;
    assert_eq!(echoed.destination(), Some(host(1)));
    // The following acknowledgement was read too: nothing stale remains for the next call.
    assert!(nl.call(route::add(host(1)).oif(LO)).unwrap_err().is_exists());
    Ok(())
}

fn a_tiny_buffer_overruns_and_continues() -> Result {
    let mut nl = connect()?;
    let mut events = Events::<Event<'static>>::open(Protocol::ROUTE, &[Group::IPV4_ROUTE.0])?;
    events.socket().set_receive_buffer(4096)?;
    events.set_timeout(Some(Duration::from_secs(5)))?;
    assert!(nl.batch((0..2000).map(|n| route::add(host(n)).oif(LO))).iter().all(std::result::Result::is_ok));
    let (mut overruns, mut routes) = (0, 0);
    events.set_timeout(Some(Duration::from_millis(200)))?;
    loop {
        match events.next() {
            Ok(Notice::Overrun) => overruns += 1,
            Ok(Notice::Event { .. }) => routes += 1,
            Err(Error::Timeout(_)) => break,
            Err(error) => return Err(error.into()),
        }
    }
    assert!(overruns >= 1, "{overruns} overruns, {routes} routes");
    nl.call(route::delete(host(7)))?;
    let Notice::Event { event: Event::Route(change, route), .. } = events.next()? else {
        panic!("a route event")
    };
    assert_eq!((change, route.destination()), (Change::Deleted, Some(host(7))));
    Ok(())
}

fn a_default_event_buffer_loses_nothing() -> Result {
    let mut nl = connect()?;
    let mut events = Events::<Event<'static>>::open(Protocol::ROUTE, &[Group::IPV4_ROUTE.0])?;
    // An event needs 832 bytes; if the buffer can't be forced, fewer fit.
    let count = u32::try_from(events.socket().receive_buffer()? / 1024)?.min(20_000 / patience());
    assert!(nl.batch((0..count).map(|n| route::add(host(n)).oif(LO))).iter().all(std::result::Result::is_ok));
    for n in 0..count {
        match events.next()? {
            Notice::Event { event: Event::Route(Change::New, route), .. } => {
                assert_eq!(route.destination(), Some(host(n)));
            }
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

fn a_stopped_stream_ends() -> Result {
    let mut events = Events::<Event<'static>>::open(Protocol::ROUTE, &[Group::LINK.0])?;
    let stop = events.stop_handle()?;
    let reader = std::thread::spawn(move || matches!(events.next(), Err(Error::Stopped)));
    std::thread::sleep(Duration::from_millis(30));
    stop.stop();
    assert!(reader.join().expect("the reader does not panic"));
    Ok(())
}

fn traffic_can_be_watched() -> Result {
    let mut nl = Connection::open_with(Protocol::ROUTE, &OpenOptions::new().port(99))?;
    let seen = Arc::new(Mutex::new(String::new()));
    let text = Arc::clone(&seen);
    nl.set_tracer(Some(Box::new(move |traffic| {
        text.lock().expect("not poisoned").push_str(&traffic.to_string());
    })));
    nl.call(link::get("lo"))?;
    let text = seen.lock().expect("not poisoned").clone();
    for expected in ["> RTM_GETLINK", "IFLA_IFNAME \"lo\"", "< RTM_NEWLINK", "IFLA_MTU 65536", "port 99"] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    Ok(())
}
