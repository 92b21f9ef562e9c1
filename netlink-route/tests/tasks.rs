//! Connections and streams of links, addresses, routes and namespace ids can be used in spawned tasks. The
//! test is that this compiles.
#![cfg(all(feature = "tokio", target_os = "linux"))]

use netlink_route::event::{Event, Group};
use netlink_route::tokio::{connect, subscribe};
use netlink_route::{Error, Notice, addr, link, nsid, route};

/// The requirements of `tokio::spawn` for a future, which is never run here.
fn can_be_spawned<T: Send + 'static>(_: impl Future<Output = Result<T, Error>> + Send + 'static) {}

// F1, S-H4, U1, U2.
#[test]
fn every_answer_can_be_spawned() {
    can_be_spawned(async {
        let mut nl = connect()?;
        let index = nl.call(link::get("lo")).await?.index();
        let id = nl.call(nsid::get(nsid::Peer::Pid(1))).await?;
        let route = nl.call(route::get(std::net::Ipv4Addr::LOCALHOST)).await?;
        let results = nl.batch([link::set(index).up(), link::set(index).down()]).await;
        Ok((id, route, results))
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut links = nl.dump(link::list()).await?;
        while let Some(link) = links.next().await? {
            drop(link);
        }
        let mut addresses = nl.dump(addr::list()).await?;
        while let Some(address) = addresses.next().await? {
            drop(address);
        }
        let mut ids = nl.dump(nsid::list()).await?;
        while let Some(id) = ids.next().await? {
            drop(id);
        }
        Ok(nl.dump(route::list()).await?.collect().await?)
    });
    can_be_spawned(async {
        let mut events = subscribe(&[Group::LINK])?;
        let mut nl = connect()?;
        nl.subscribe(&[Group::NSID.0])?;
        loop {
            let kept: Notice<Event<'static>> = events.next().await?.into_owned();
            if nl.next_event::<Event<'_>>().await.is_err() {
                return Ok(kept);
            }
        }
    });
}
