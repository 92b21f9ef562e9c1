//! The tokio connection: the same calls, on both runtimes, and with futures that are dropped.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use netlink_core::tokio::{Connection, Events};
use netlink_core::{Notice, Protocol};
use netlink_route::event::{Change, Event, Group};
use netlink_route::link::Bridge;
use netlink_route::{link, route};
use netlink_testing::{Result, patience, suite};

use crate::{LO, host};

suite! {
    everything_on_a_current_thread_runtime;
    everything_on_a_multi_thread_runtime;
    a_dropped_call_leaves_the_connection_usable;
    a_dropped_dump_and_batch_leave_the_connection_usable;
    connections_of_many_tasks;
    other_tasks_of_the_thread_get_their_turn;
    events_leave_a_task_through_a_channel;
    a_listing_runs_in_a_task;
}

fn current_thread() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

async fn connect() -> Result<Connection> {
    let mut nl = Connection::open(Protocol::ROUTE)?;
    nl.call(link::set(LO).up()).await?;
    Ok(nl)
}

async fn everything() -> Result {
    let mut nl = connect().await?;
    let mut events = Events::<Event<'static>>::open(Protocol::ROUTE, &[Group::LINK.0])?;
    nl.call(link::create("br0").kind(Bridge::new())).await?;
    assert!(nl.call(link::create("br0").kind(Bridge::new())).await.unwrap_err().is_exists());
    let index = nl.call(link::get("br0")).await?.index();
    let results = nl.batch((0..3000).map(|n| route::add(host(n)).oif(LO))).await;
    assert!(results.len() == 3000 && results.iter().all(std::result::Result::is_ok));
    let mut listing = nl.dump(route::list().table(254)).await?;
    let mut count = 0;
    while let Some(route) = listing.next().await? {
        assert_eq!(route.oif(), Some(LO));
        count += 1;
    }
    assert_eq!(count, 3000);
    assert_eq!(nl.dump(route::list().table(254)).await?.collect().await?.len(), 3000);
    match events.next().await? {
        Notice::Event { event: Event::Link(Change::New, link), .. } => assert_eq!(link.index(), index),
        other => panic!("{other:?}"),
    }
    Ok(())
}

fn everything_on_a_current_thread_runtime() -> Result {
    current_thread()?.block_on(everything())
}

fn everything_on_a_multi_thread_runtime() -> Result {
    // Its threads start in this thread's namespace.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(everything())
}

/// Polls a future once and drops it.
async fn poll_once<T>(future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

fn a_dropped_call_leaves_the_connection_usable() -> Result {
    current_thread()?.block_on(async {
        let mut nl = connect().await?;
        for n in 0..50 {
            let _ = poll_once(nl.call(route::add(host(n)).oif(LO))).await;
            let _ = tokio::time::timeout(Duration::ZERO, nl.call(link::get("lo"))).await;
            assert!(nl.call(link::get("nosuchlink")).await.unwrap_err().is_not_found());
            assert_eq!(nl.call(link::get("lo")).await?.index(), LO);
        }
        // The sent request was executed.
        assert_eq!(nl.dump(route::list().table(254)).await?.collect().await?.len(), 50);
        Ok(())
    })
}

fn a_dropped_dump_and_batch_leave_the_connection_usable() -> Result {
    current_thread()?.block_on(async {
        let mut nl = connect().await?;
        let count = 3000 / patience();
        let _ = nl.batch((0..count).map(|n| route::add(host(n)).oif(LO))).await;
        for _ in 0..5 {
            let _ = poll_once(nl.dump(route::list())).await;
            let mut listing = nl.dump(route::list()).await?;
            let _ = poll_once(listing.next()).await;
            assert!(listing.next().await?.is_some());
            drop(listing);
            let _ = poll_once(nl.batch((0..count).map(|n| route::add(host(n)).oif(LO)))).await;
            assert_eq!(nl.call(link::get("lo")).await?.index(), LO);
            assert_eq!(nl.dump(route::list().table(254)).await?.collect().await?.len(), count as usize);
        }
        Ok(())
    })
}

fn connections_of_many_tasks() -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(async {
        connect().await?;
        let tasks: Vec<_> = (0..16u32)
            .map(|task| {
                tokio::spawn(async move {
                    let mut nl = Connection::open(Protocol::ROUTE).map_err(|error| error.to_string())?;
                    for n in 0..200 {
                        let to = host(task * 1000 + n);
                        nl.call(route::add(to).oif(LO)).await.map_err(|error| error.to_string())?;
                    }
                    Ok::<_, String>(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        let mut nl = connect().await?;
        assert_eq!(nl.dump(route::list().table(254)).await?.collect().await?.len(), 3200);
        Ok(())
    })
}

/// The kernel answers at once, so a connection that is called repeatedly never waits.
fn other_tasks_of_the_thread_get_their_turn() -> Result {
    current_thread()?.block_on(async {
        let mut nl = connect().await?;
        let other = tokio::spawn(async {});
        for _ in 0..10_000 {
            nl.call(link::get("lo")).await?;
            if other.is_finished() {
                return Ok(());
            }
        }
        Err("10,000 calls, and the other task did not run".into())
    })
}

/// F1, S-H4, U1, U2.
fn events_leave_a_task_through_a_channel() -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut nl = connect().await?;
        let mut events = netlink_route::tokio::subscribe(&[Group::LINK])?;
        let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
        let task = tokio::spawn(async move {
            while let Ok(notice) = events.next().await {
                if sender.send(notice.into_owned()).await.is_err() {
                    break;
                }
            }
        });
        for (name, count) in [("br0", 1), ("br1", 2)] {
            nl.call(link::create(name).kind(Bridge::new())).await?;
            let notice: Option<Notice<Event<'static>>> = receiver.recv().await;
            let Some(Notice::Event { event: Event::Link(Change::New, link), group: 1, .. }) = notice else {
                panic!("{notice:?}")
            };
            assert_eq!(link.name().unwrap(), name);
            assert_eq!(nl.dump(link::list()).await?.collect().await?.len(), 1 + count);
        }
        task.abort();
        Ok(())
    })
}

/// F1, S-H4, U1.
fn a_listing_runs_in_a_task() -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut nl = connect().await?;
        nl.call(link::create("br0").kind(Bridge::new())).await?;
        let task = tokio::spawn(async move {
            let mut names = Vec::new();
            let mut links = nl.dump(link::list()).await?;
            while let Some(link) = links.next().await? {
                names.extend(link.name().map(|name| name.to_string()));
                tokio::task::yield_now().await;
            }
            Ok::<_, netlink_route::Error>(names)
        });
        assert_eq!(task.await??, ["lo", "br0"]);
        Ok(())
    })
}
