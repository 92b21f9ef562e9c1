//! A connection whose receive buffer is filled by events, by forgeries, or by its own large answers.

use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use netlink_core::{Connection, Errno, Error, Notice, Protocol, Socket};
use netlink_route::event::{Event, Group};
use netlink_route::link::{Bridge, Link};
use netlink_route::{addr, link, route};
use netlink_testing::{Result, netlink_socket, patience, skip, suite};

use crate::{LO, connect, host};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count) * patience()
}

suite! {
    only_the_kernel_can_send_to_a_connection;
    forgeries_to_a_socket_that_was_taken_over_are_ignored;
    a_flood_of_garbage_loses_no_answer;
    a_call_after_an_unread_overflow_is_answered;
    a_call_under_a_flood_of_events_ends;
    a_batch_survives_its_own_events;
    a_batch_of_large_replies;
    a_small_send_buffer_does_not_limit_batches;
    answers_to_a_former_owner_are_ignored;
    a_dump_requested_as_one_reply_blocks_no_other;
    a_loop_of_its_own_reads_without_a_wait;
    tokio_answers_after_an_unread_overflow;
    tokio_lets_others_go_on_under_a_flood;
    outside_a_runtime_is_an_error;
}

/// A connection over a socket that accepts messages of processes.
fn unconnected() -> Result<Connection> {
    let mut nl = Connection::from_socket(Socket::try_from(netlink_socket(Protocol::ROUTE.0)?)?)?;
    nl.set_timeout(Some(seconds(5)))?;
    Ok(nl)
}

fn forger() -> Result<Socket> {
    let forger = Socket::try_from(netlink_socket(Protocol::ROUTE.0)?)?;
    // A full socket that is no longer read would block the sender.
    forger.set_send_timeout(Some(Duration::from_millis(10)))?;
    Ok(forger)
}

/// Acknowledgements with every sequence number that can come next.
fn forged_acks(port: u32) -> impl Iterator<Item = Vec<u8>> {
    (0u32..20).map(move |sequence| {
        let mut ack = [36u32.to_ne_bytes(), [0; 4]].concat();
        ack[4..6].copy_from_slice(&2u16.to_ne_bytes());
        ack.extend(sequence.to_ne_bytes());
        ack.extend(port.to_ne_bytes());
        ack.extend([0; 20]);
        ack
    })
}

/// S-H3
fn only_the_kernel_can_send_to_a_connection() -> Result {
    let mut nl = connect()?;
    let (forger, port) = (forger()?, nl.socket().port());
    let refused = forger.send_to(&[0; 16], port, 0).unwrap_err();
    assert_eq!(refused.errno(), Some(Errno::ECONNREFUSED), "{refused}");
    let events = netlink_route::subscribe(&[Group::LINK])?;
    let refused = forger.send_to(&[0; 16], events.socket().port(), 0).unwrap_err();
    assert_eq!(refused.errno(), Some(Errno::ECONNREFUSED), "{refused}");
    assert_eq!(nl.call(link::get(LO))?.index(), LO);
    Ok(())
}

/// S-H3
fn forgeries_to_a_socket_that_was_taken_over_are_ignored() -> Result {
    let mut nl = unconnected()?;
    nl.call(link::set(LO).up())?;
    let (forger, port) = (forger()?, nl.socket().port());
    let forge = || -> Result {
        for ack in forged_acks(port) {
            forger.send_to(&ack, port, 0)?;
        }
        forger.send_to(&[0; 16], port, 0)?;
        Ok(())
    };
    forge()?;
    assert!(nl.call(link::get("nosuchlink")).unwrap_err().is_not_found());
    forge()?;
    assert!(nl.call(link::set("nosuchlink").up()).unwrap_err().is_not_found());
    forge()?;
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 1);
    forge()?;
    let added = nl.batch((0..2000).map(|n| route::add(host(n)).oif(LO)));
    assert!(added.iter().all(std::result::Result::is_ok));
    Ok(())
}

/// Repeats work in its own thread while `done` is not set.
fn meanwhile<R>(work: impl Fn() + Send + Sync, body: impl FnOnce() -> R) -> R {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                work();
            }
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        done.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// S-H2, S-H3: garbage is no answer and does not restart a time limit.
fn a_flood_of_garbage_loses_no_answer() -> Result {
    let mut nl = unconnected()?;
    nl.socket().set_receive_buffer(1 << 20)?;
    let (forger, port) = (forger()?, nl.socket().port());
    nl.set_timeout(Some(seconds(2)))?;
    let flood = || {
        let _ = forger.send_to(&[0; 16], port, 0);
    };
    let begun = Instant::now();
    let mut answered = 0;
    meanwhile(flood, || {
        for _ in 0..500 {
            let begun = Instant::now();
            match nl.call(link::get(LO)) {
                Ok(link) => {
                    assert_eq!(link.index(), LO);
                    answered += 1;
                }
                // The answer did not fit because of the flood: this is reported, without waiting.
                Err(Error::Overrun) => {}
                Err(error) => panic!("{error}"),
            }
            assert!(begun.elapsed() < seconds(4), "{:?}", begun.elapsed());
        }
    });
    assert!(answered > 0 && begun.elapsed() < seconds(60));
    Ok(())
}

/// F2: an overflow that was not reported is still congestion.
fn a_call_after_an_unread_overflow_is_answered() -> Result {
    let (mut nl, mut other) = (connect()?, connect()?);
    nl.set_timeout(Some(seconds(5)))?;
    nl.subscribe(&[Group::IPV4_ADDR.0, Group::IPV4_ROUTE.0])?;
    nl.socket().set_receive_buffer(64 << 10)?;
    let address = "10.7.0.1/24".parse()?;
    for _ in 0..200 {
        other.call(addr::add(LO, address))?;
        other.call(addr::delete(LO, address))?;
    }
    let begun = Instant::now();
    nl.call(link::set("lo").mtu(65000))?;
    assert_eq!(nl.call(link::get(LO))?.mtu(), Some(65000));
    assert!(begun.elapsed() < seconds(2));
    let mut lost = 0;
    while let Some(notice) = nl.try_next_event::<Event<'static>>()? {
        lost += usize::from(matches!(notice, Notice::Overrun));
    }
    assert_eq!(lost, 1);
    Ok(())
}

/// S-H1, S-H2
fn a_call_under_a_flood_of_events_ends() -> Result {
    let mut nl = connect()?;
    nl.set_timeout(Some(seconds(1)))?;
    nl.subscribe(&[Group::LINK.0])?;
    nl.socket().set_receive_buffer(4096)?;
    let flood = std::sync::Mutex::new((connect()?, 60_000));
    let change = || {
        let (other, mtu) = &mut *flood.lock().expect("not poisoned");
        *mtu = if *mtu == 60_000 { 60_001 } else { 60_000 };
        other.call(link::set(LO).mtu(*mtu)).expect("changed");
    };
    let mut answered = 0;
    meanwhile(change, || -> Result {
        for _ in 0..100 {
            let begun = Instant::now();
            match nl.call(link::get(LO)) {
                Ok(_) => answered += 1,
                Err(Error::Overrun | Error::Timeout(_)) => {}
                Err(error) => return Err(error.into()),
            }
            assert!(begun.elapsed() < seconds(3), "{:?}", begun.elapsed());
            let results = nl.batch([link::get(LO), link::get(LO), link::get(LO)]);
            assert_eq!(results.len(), 3);
            assert!(begun.elapsed() < seconds(6), "{:?}", begun.elapsed());
        }
        Ok(())
    })?;
    assert!(answered > 0);
    Ok(())
}

/// F2: four events for each.
fn a_batch_survives_its_own_events() -> Result {
    let mut nl = connect()?;
    nl.set_timeout(Some(seconds(10)))?;
    nl.subscribe(&[Group::IPV4_ADDR.0, Group::IPV4_ROUTE.0, Group::LINK.0])?;
    let added = nl.batch((0..1600).map(|n| addr::add(LO, host(n))));
    let failed: Vec<_> = added.iter().filter(|result| result.is_err()).collect();
    assert!(failed.is_empty(), "{} failed, first {:?}", failed.len(), failed[0]);
    let mut addresses = 0;
    while let Some(notice) = nl.try_next_event::<Event<'static>>()? {
        match notice {
            Notice::Event { event: Event::Address(..), .. } => addresses += 1,
            Notice::Event { .. } => {}
            Notice::Overrun => panic!("events were lost"),
        }
    }
    assert_eq!(addresses, 1600);
    Ok(())
}

/// F9: 31 KB each.
fn a_batch_of_large_replies() -> Result {
    let mut nl = connect()?;
    nl.set_timeout(Some(seconds(10)))?;
    nl.call(link::create("br0").kind(Bridge::new()))?;
    for k in 0..13 {
        let names: Vec<String> = (0..20).map(|n| format!("{:x<120}", format!("{k}-{n}-"))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match nl.call(link::add_alt_names("br0", &names)) {
            Err(error) if error.is_unsupported() || error.is_not_found() => {
                skip(format!("alternative names: {error}"));
            }
            added => added?,
        }
    }
    for room in [1 << 20, 4096] {
        nl.socket().set_receive_buffer(room)?;
        let results = nl.batch((0..128).map(|_| link::get("br0")));
        let failed: Vec<_> = results.iter().filter(|result| result.is_err()).collect();
        assert!(failed.is_empty(), "{} failed, first {:?}", failed.len(), failed[0]);
    }
    Ok(())
}

/// F8, S-M4
fn a_small_send_buffer_does_not_limit_batches() -> Result {
    let mut nl = connect()?;
    nl.socket().set_send_buffer(16 << 10)?;
    let added = nl.batch((0..3000).map(|n| route::add(host(n)).oif(LO)));
    let failed: Vec<_> = added.iter().filter(|result| result.is_err()).collect();
    assert!(failed.is_empty(), "{} failed, first {:?}", failed.len(), failed[0]);
    nl.socket().set_send_buffer(0)?;
    let room = nl.socket().send_buffer()?;
    let names: Vec<String> = (0..40).map(|n| format!("{:x<120}", format!("{n}-"))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let large = link::add_alt_names(LO, &names);
    assert!(large.to_bytes()?.len() > room, "{room}");
    match nl.call(&large) {
        Err(error) if error.errno() == Some(Errno::EMSGSIZE) => panic!("{error}"),
        _ => Ok(()),
    }
}

/// F6, S-L1
fn answers_to_a_former_owner_are_ignored() -> Result {
    let mut nl = connect()?;
    for n in 0..40 {
        nl.call(link::create(&format!("br{n}")).kind(Bridge::new()))?;
    }
    let mut former = unconnected()?;
    let first = former.dump(link::list())?.next()?.map(|link| link.index());
    assert!(first.is_some());
    let socket = Socket::try_from(former.as_fd().try_clone_to_owned()?)?;
    let mut nl = Connection::from_socket(socket)?;
    nl.set_timeout(Some(seconds(5)))?;
    assert_eq!(nl.call(link::get("br20"))?.name().map(|name| name.to_string()), Some("br20".into()));
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 41);
    Ok(())
}

/// S-M5
fn a_dump_requested_as_one_reply_blocks_no_other() -> Result {
    let mut nl = connect()?;
    let added = nl.batch((0..3000).map(|n| route::add(host(n)).oif(LO)));
    assert!(added.iter().all(std::result::Result::is_ok));
    for _ in 0..3 {
        nl.call(route::list().table(254).into_request().expecting::<route::Route<'static>>())?;
        assert_eq!(nl.call(link::get(LO))?.index(), LO);
    }
    assert_eq!(nl.dump(route::list().table(254))?.collect()?.len(), 3000);
    Ok(())
}

/// F12: for `epoll`, also on a non-blocking socket.
fn a_loop_of_its_own_reads_without_a_wait() -> Result {
    let options = netlink_route::OpenOptions::new().nonblocking();
    let mut events = netlink_route::subscribe_with(&[Group::LINK], &options)?;
    assert!(events.try_next()?.is_none());
    let mut nl = netlink_route::connect_with(&options)?;
    nl.call(link::set(LO).up())?;
    let _ = events.as_fd();
    assert!(matches!(events.try_next()?, Some(Notice::Event { event: Event::Link(..), .. })));
    while events.try_next()?.is_some() {}
    events.set_timeout(Some(Duration::from_millis(30)))?;
    let begun = Instant::now();
    assert!(matches!(events.next(), Err(Error::Timeout(limit)) if limit == Duration::from_millis(30)));
    assert!(begun.elapsed() >= Duration::from_millis(29));
    assert!(nl.try_next_event::<Link<'static>>()?.is_none());
    Ok(())
}

fn current_thread() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// F2, S-H1
fn tokio_answers_after_an_unread_overflow() -> Result {
    current_thread()?.block_on(async {
        let mut other = connect()?;
        let mut nl = netlink_route::tokio::connect()?;
        nl.subscribe(&[Group::LINK.0])?;
        nl.socket().set_receive_buffer(4096)?;
        for n in 0..300u32 {
            other.call(link::set(LO).mtu(60_000 + n))?;
        }
        tokio::time::timeout(seconds(5), nl.call(link::get(LO))).await??;
        let batch = nl.batch([link::get(LO), link::get(LO)]);
        let results = tokio::time::timeout(seconds(5), batch).await?;
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(Error::Overrun))), "{results:?}");
        Ok(())
    })
}

/// S-M7, N2
fn tokio_lets_others_go_on_under_a_flood() -> Result {
    let flood = std::sync::Mutex::new(connect()?);
    let change = || {
        let other = &mut *flood.lock().expect("not poisoned");
        for mtu in [60_000, 60_001] {
            other.call(link::set(LO).mtu(mtu)).expect("changed");
        }
    };
    meanwhile(change, || {
        current_thread()?.block_on(async {
            let ticks = tokio::spawn(async {
                let mut ticks = 0;
                for _ in 0..20 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    ticks += 1;
                }
                ticks
            });
            let mut nl = netlink_route::tokio::connect()?;
            nl.subscribe(&[Group::LINK.0])?;
            let begun = Instant::now();
            while !ticks.is_finished() && begun.elapsed() < seconds(10) {
                match tokio::time::timeout(seconds(5), nl.call(link::get(LO))).await? {
                    Ok(_) | Err(Error::Overrun) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            assert_eq!(ticks.await?, 20);
            Ok(())
        })
    })
}

/// F16, S-L9
fn outside_a_runtime_is_an_error() -> Result {
    let error = netlink_route::tokio::connect().unwrap_err();
    assert!(error.to_string().contains("runtime"), "{error}");
    assert!(netlink_route::tokio::subscribe(&[Group::LINK]).is_err());
    Ok(())
}
