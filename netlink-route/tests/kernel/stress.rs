//! Many threads, many links, and tables that change while they are listed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use netlink_core::{Connection, Error, Protocol};
use netlink_route::link::Bridge;
use netlink_route::{link, route};
use netlink_testing::{Result, kind, patience, seconds, suite};

use crate::{LO, connect, host};

suite! {
    sixteen_threads_on_one_connection: seconds(120);
    sixteen_threads_on_many_connections: seconds(120);
    a_dump_during_changes_is_consistent_or_an_error: kind("ifb"), seconds(180);
    an_interrupted_dump_carries_its_data: kind("ifb"), seconds(180);
}

const THREADS: u32 = 16;
const CALLS: u32 = 10_000;

/// Fewer repetitions on slow machines: an emulated processor is slower than the tests' extra time.
fn calls() -> u32 {
    CALLS / patience().pow(2)
}

/// Enough for a dump of many parts.
fn links() -> u32 {
    1000 / patience()
}

/// Each thread asks for a different object, so that a wrong answer is detected.
fn ask(nl: &mut Connection, thread: u32, call: u32) -> Result<(), Error> {
    let to = host(thread * CALLS + call);
    match call % 4 {
        0 => nl.call(route::add(to).oif(LO)),
        1 => match nl.call(route::get(to.ip())) {
            Ok(route) => {
                assert_eq!(route.destination().map(|dst| dst.ip()), Some(to.ip()));
                Ok(())
            }
            // There is no route to it yet.
            Err(error) => {
                assert!(error.errno() == Some(netlink_core::Errno::ENETUNREACH), "{error}");
                Ok(())
            }
        },
        2 => {
            let error = nl.call(link::get(1_000_000 + thread)).expect_err("no such link");
            assert!(error.is_not_found(), "{error}");
            Ok(())
        }
        _ => nl.call(route::delete(host(thread * CALLS + call - 3))),
    }
}

/// vishvananda 41
fn sixteen_threads_on_one_connection() -> Result {
    let nl = Arc::new(Mutex::new(connect()?));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let nl = Arc::clone(&nl);
            thread::spawn(move || {
                for call in 0..calls() {
                    ask(&mut nl.lock().expect("not poisoned"), thread, call)?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no mismatch")?;
    }
    Ok(())
}

/// vishvananda 41
fn sixteen_threads_on_many_connections() -> Result {
    connect()?;
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            thread::spawn(move || {
                let mut nl = Connection::open(Protocol::ROUTE)?;
                (0..calls()).try_for_each(|call| ask(&mut nl, thread, call))
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no mismatch")?;
    }
    Ok(())
}

/// Makes `count` links, then runs `work` while another thread makes and deletes more links.
fn with_churn(count: u32, work: impl FnOnce(&mut Connection) -> Result) -> Result {
    let mut nl = connect()?;
    let made = nl.batch((0..count).map(|n| link::create(&format!("stay{n}")).kind("ifb")));
    if let Some(Err(error)) = made.into_iter().find(std::result::Result::is_err) {
        return Err(error.into());
    }
    let stop = Arc::new(AtomicBool::new(false));
    let churn = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            let mut nl = Connection::open(Protocol::ROUTE)?;
            while !stop.load(Ordering::Relaxed) {
                nl.call(link::create("churn").kind(Bridge::new()))?;
                nl.call(link::delete("churn"))?;
            }
            Ok::<_, Error>(())
        })
    };
    let worked = work(&mut nl);
    stop.store(true, Ordering::Relaxed);
    churn.join().expect("the churn does not panic")?;
    worked
}

/// vishvananda 42
fn a_dump_during_changes_is_consistent_or_an_error() -> Result {
    let count = links();
    with_churn(count, |nl| {
        nl.set_dump_retries(3);
        for _ in 0..30_u32.div_ceil(patience()) {
            let links = match nl.dump(link::list())?.collect() {
                Ok(links) => links,
                Err(partial) => {
                    assert!(matches!(partial.error, Error::Interrupted), "{}", partial.error);
                    continue;
                }
            };
            let mut indexes = Vec::new();
            for link in &links {
                let link = link.view()?;
                if link.name().is_some_and(|name| name.as_bytes().starts_with(b"stay")) {
                    indexes.push(link.index());
                }
            }
            indexes.sort_unstable();
            indexes.dedup();
            assert_eq!(u32::try_from(indexes.len())?, count);
        }
        Ok(())
    })
}

fn an_interrupted_dump_carries_its_data() -> Result {
    let count = links();
    with_churn(count, |nl| {
        nl.set_dump_retries(0);
        for _ in 0..300 {
            if let Err(partial) = nl.dump(link::list())?.collect() {
                assert!(matches!(partial.error, Error::Interrupted), "{}", partial.error);
                assert!(u32::try_from(partial.items.len())? >= count, "{}", partial.items.len());
                // The same as a stream: all items, then the error, then the end.
                return Ok(());
            }
        }
        // The other thread made no change between two parts of a dump.
        netlink_testing::skip("no dump was interrupted in 300 tries")
    })
}
