//! Every future of the crate can be spawned. The test is that this compiles; `cargo xtask lint` reports each
//! `async fn` of the crate that is missing here.
#![cfg(all(feature = "tokio", target_os = "linux"))]

use netlink_generic::ctrl::{self, Ctrl, Family};
use netlink_generic::tokio::{Client, connect};
use netlink_generic::{AnyEvent, Dump, Error, MessageFlags, Notice, OpenOptions};

fn request<R>(flags: MessageFlags) -> ctrl::FamilyRequest<R> {
    ctrl::FamilyRequest::new(&Family::GETFAMILY, flags)
}

/// The requirements of `tokio::spawn` for a future, which is never run here.
fn can_be_spawned<T: Send + 'static>(_: impl Future<Output = Result<T, Error>> + Send + 'static) {}

// F1, S-H4, U1, U2.
#[test]
fn every_future_can_be_spawned() {
    can_be_spawned(async {
        let mut nl = connect()?;
        let mut listing = nl.dump(ctrl::list()).await?;
        while let Some(found) = listing.next().await? {
            drop(found);
        }
        Ok(listing.collect().await?)
    });
    can_be_spawned(async {
        let client: Client<Ctrl> = Client::connect().await?;
        drop(client);
        let client: Client<Ctrl> = Client::connect_with(&OpenOptions::new()).await?;
        drop(client);
        let mut client: Client<Ctrl> = Client::on(connect()?).await?;
        Ok(Client::resolve(&mut client).await?.clone())
    });
    can_be_spawned(async {
        let mut nl = ctrl::tokio::connect().await?;
        let found = Client::call(&mut nl, request::<Family<'_>>(MessageFlags::empty())).await?;
        let mut listing = Client::dump(&mut nl, request::<Dump<Family<'_>>>(MessageFlags::DUMP)).await?;
        while let Some(family) = listing.next().await? {
            drop(family);
        }
        let results = Client::batch(&mut nl, [request::<Family<'_>>(MessageFlags::empty())]).await;
        Ok((found, results))
    });
    can_be_spawned(async {
        let mut nl = ctrl::tokio::connect_with(&OpenOptions::new()).await?;
        nl.subscribe(&[Ctrl::NOTIFY])?;
        let kept: Notice<ctrl::Event<'static>> = Client::next_event(&mut nl).await?.into_owned();
        let any: Notice<AnyEvent<'static>> = nl.connection().next_event::<AnyEvent<'_>>().await?.into_owned();
        Ok((kept, any))
    });
    can_be_spawned(async {
        let options = OpenOptions::new();
        let mut events = ctrl::tokio::subscribe(&[Ctrl::NOTIFY]).await?;
        drop(events.next().await?);
        drop(ctrl::tokio::subscribe_with(&[Ctrl::NOTIFY], &options).await?);
        netlink_generic::tokio::subscribe(&[Ctrl::NOTIFY], &options).await
    });
}

#[cfg(feature = "taskstats")]
#[test]
fn every_future_of_taskstats_can_be_spawned() {
    use netlink_generic::taskstats::Record;
    use netlink_generic::taskstats::exit::tokio::Listener;

    can_be_spawned(async {
        let mut listener = Listener::open().await?;
        let kept: Notice<Record<'static>> = Listener::next(&mut listener).await?.into_owned();
        drop(Listener::open_with(&OpenOptions::new()).await?);
        let mut listener = Listener::idle(&OpenOptions::new()).await?;
        Listener::register(&mut listener, "0").await?;
        Listener::deregister(&mut listener, "0").await?;
        Ok(kept)
    });
}
