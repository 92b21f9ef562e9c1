//! Connections and streams of states and policies can be used in spawned tasks. The test is that this compiles.
#![cfg(all(feature = "tokio", target_os = "linux"))]

use netlink_xfrm::event::{Event, Group};
use netlink_xfrm::tokio::{connect, subscribe};
use netlink_xfrm::{Error, Notice, policy, state};

/// The requirements of `tokio::spawn` for a future, which is never run here.
fn can_be_spawned<T: Send + 'static>(_: impl Future<Output = Result<T, Error>> + Send + 'static) {}

// F1, S-H4, U1, U2.
#[test]
fn every_answer_can_be_spawned() {
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(state::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(policy::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        nl.call(state::flush(state::Proto::ESP)).await?;
        Ok((nl.call(state::info()).await?, nl.call(policy::info()).await?))
    });
    can_be_spawned(async {
        let mut events = subscribe(Group::ALL)?;
        let mut nl = connect()?;
        nl.subscribe(&[Group::STATE.0])?;
        loop {
            let kept: Notice<Event<'static>> = events.next().await?.into_owned();
            if nl.next_event::<Event<'_>>().await.is_err() {
                return Ok(kept);
            }
        }
    });
}
