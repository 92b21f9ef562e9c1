//! The lists and queries of a family outside of these crates can be used in spawned tasks. The test is that
//! this compiles.

use netlink_generic::Error;
use tcp_metrics::tokio::connect;

/// The requirements of `tokio::spawn` for a future, which is never run here.
fn can_be_spawned<T: Send>(_: impl Future<Output = Result<T, Error>> + Send + 'static) {}

// F1, S-H4, U1.
#[test]
fn every_answer_can_be_spawned() {
    can_be_spawned(async {
        let mut nl = connect().await?;
        let mut peers = nl.dump(tcp_metrics::list()).await?;
        while let Some(peer) = peers.next().await? {
            drop(peer);
        }
        nl.call(tcp_metrics::get(std::net::Ipv4Addr::LOCALHOST.into())).await
    });
}
