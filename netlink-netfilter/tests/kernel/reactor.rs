//! The same calls with tokio.

use std::time::Duration;

use netlink_core::Notice;
use netlink_netfilter::conntrack::{self, tokio::Watch};
use netlink_netfilter::event::{Change, Event, Group};
use netlink_netfilter::tokio::{connect, subscribe};
use netlink_testing::{Result, patience, seconds, suite};
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::{flow, make, sysctl};

suite! {
    everything_on_a_current_thread_runtime;
    everything_on_a_multi_thread_runtime;
    the_watch_is_right_again_after_a_loss: seconds(180);
}

fn everything_on_a_current_thread_runtime() -> Result {
    Builder::new_current_thread().enable_all().build()?.block_on(everything())
}

fn everything_on_a_multi_thread_runtime() -> Result {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(everything())
}

async fn everything() -> Result {
    let mut nl = connect()?;
    let mut events = subscribe(&[Group::CONNTRACK_DESTROY])?;
    let results = nl.batch((0..500).map(|n| make(&flow(n)).mark(n))).await;
    assert!(results.len() == 500 && results.iter().all(std::result::Result::is_ok));
    let entry = nl.call(conntrack::get(&flow(7))).await?;
    assert_eq!(entry.mark(), Some(7));
    assert!(nl.call(conntrack::get(&flow(501))).await.unwrap_err().is_not_found());
    let mut listing = nl.dump(conntrack::list().mark_masked(0x100, 0x100)).await?;
    let mut count = 0;
    while let Some(entry) = listing.next().await? {
        assert!(entry.mark().unwrap() >= 256);
        count += 1;
    }
    assert_eq!(count, 244);
    nl.call(conntrack::flush().mark_masked(0, 0x100)).await?;
    assert_eq!(nl.dump(conntrack::list()).await?.collect().await?.len(), 244);
    for _ in 0..256 {
        match timeout(Duration::from_secs(10), events.next()).await?? {
            Notice::Event { event: Event::Conntrack(Change::Deleted, entry), .. } => {
                assert!(entry.tuple_orig().is_some());
            }
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

fn the_watch_is_right_again_after_a_loss() -> Result {
    sysctl("events", "1")?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = connect()?;
        nl.call(make(&flow(0))).await?;
        let mut watch = Watch::open().await?;
        watch.events().socket().set_receive_buffer(4096)?;
        let all = 2000 / patience();
        let results = nl.batch((1..all).map(|n| make(&flow(n)))).await;
        assert!(results.iter().all(std::result::Result::is_ok));
        let mut new = 0;
        while new < all {
            let (change, _) = timeout(Duration::from_secs(10), watch.next()).await??;
            assert_ne!(change, Change::Deleted);
            new += u32::from(change == Change::New);
        }
        assert!(watch.resyncs() > 0);
        nl.call(conntrack::flush()).await?;
        let mut deleted = 0;
        while deleted < all {
            let (change, _) = timeout(Duration::from_secs(10), watch.next()).await??;
            assert_ne!(change, Change::New);
            deleted += u32::from(change == Change::Deleted);
        }
        Ok(())
    })
}
