//! Every future of the crate can be spawned. The test is that this compiles; `cargo xtask lint` reports each
//! `async fn` of the crate that is missing here.
#![cfg(all(feature = "tokio", target_os = "linux"))]

use netlink_netfilter::batch::{self, Transaction};
use netlink_netfilter::conntrack::tokio::Watch;
use netlink_netfilter::event::{Event, Group};
use netlink_netfilter::log::tokio::Log;
use netlink_netfilter::queue::tokio::Queue;
use netlink_netfilter::tokio::{connect, subscribe};
use netlink_netfilter::{Error, Notice, OpenOptions, Subsystem, acct, conntrack, expect, log, queue};

/// The requirements of `tokio::spawn` for a future, which is never run here.
fn can_be_spawned<T: Send + 'static>(_: impl Future<Output = Result<T, Error>> + Send + 'static) {}

// F1, S-H4, U1, U2.
#[test]
fn every_future_can_be_spawned() {
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(conntrack::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(expect::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let account = nl.call(acct::get("web")).await?;
        nl.call(acct::delete("web")).await?;
        Ok(account)
    });
    can_be_spawned(async {
        let mut events = subscribe(&Group::CONNTRACK)?;
        let mut nl = connect()?;
        nl.subscribe(&[Group::EXPECT_NEW.0])?;
        loop {
            let kept: Notice<Event<'static>> = events.next().await?.into_owned();
            if nl.next_event::<Event<'_>>().await.is_err() {
                return Ok(kept);
            }
        }
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let transaction = Transaction::new(Subsystem::NFTABLES);
        Ok(batch::tokio::commit(&transaction, &mut nl).await.is_ok())
    });
    can_be_spawned(async {
        let mut queue = Queue::open(&queue::bind(0, queue::Params::meta())).await?;
        Queue::configure(&mut queue, &queue::bind(1, queue::Params::meta())).await?;
        drop(Queue::next(&mut queue).await?);
        Queue::open_with(&queue::bind(2, queue::Params::meta()), &OpenOptions::new()).await
    });
    can_be_spawned(async {
        let mut log = Log::open(&log::bind(0, log::Mode::meta())).await?;
        Log::configure(&mut log, &log::bind(1, log::Mode::meta())).await?;
        drop(Log::next(&mut log).await?);
        Log::open_with(&log::bind(2, log::Mode::meta()), &OpenOptions::new()).await
    });
    can_be_spawned(async {
        let mut watch = Watch::open().await?;
        drop(Watch::next(&mut watch).await?);
        Watch::open_with(&OpenOptions::new()).await
    });
}
