//! Connections, lists of all kinds of sockets, and the stream of destroyed sockets can be used in spawned
//! tasks. The test is that this compiles.
#![cfg(all(feature = "tokio", target_os = "linux"))]

use netlink_sockdiag::event::Group;
use netlink_sockdiag::inet::{self, InetSocket, IpProtocol};
use netlink_sockdiag::tokio::{connect, subscribe};
use netlink_sockdiag::{Error, Family, Notice, netlink, packet, smc, tipc, unix, vsock, xdp};

/// The requirements of `tokio::spawn` for a future, which is never run here.
fn can_be_spawned<T: Send + 'static>(_: impl Future<Output = Result<T, Error>> + Send + 'static) {}

// F1, S-H4, U1, U2.
#[test]
fn every_answer_can_be_spawned() {
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(inet::list(Family::INET, IpProtocol::TCP)).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(unix::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(packet::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(netlink::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(vsock::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(xdp::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(smc::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(tipc::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let mut nl = connect()?;
        let socket = nl.call(unix::get(1)).await?;
        let mut gone = subscribe(&[Group::INET_TCP_DESTROY])?;
        let kept: Notice<InetSocket<'static>> = gone.next().await?.into_owned();
        Ok((socket, kept))
    });
}
