//! Every future of the tokio connection goes into a spawned task: it is `Send`, and whatever lifetimes it has inside.
//! That this compiles is the test; `cargo xtask lint` says which `async fn` of the crate is missing here.
#![cfg(all(feature = "tokio", target_os = "linux"))]

use netlink_core::tokio::{Connection, Events};
use netlink_core::{Dump, Error, MessageFlags, Owned, Protocol, attrs, layout, message};

layout! {
    /// `struct rtgenmsg`.
    pub struct Header: rtgenmsg = 1 {
        /// Address family.
        family: u8,
    }
}

attrs! {
    /// `NETNSA_*`, one of them.
    pub struct NsidAttrs<'a> for NsidRequest<R> {
        /// The id.
        1 NETNSA_NSID nsid: i32,
    }
}

message! {
    /// The id of a namespace.
    pub struct Nsid<'a>(Header, NsidAttrs<'a>), NsidRequest {
        /// Made, or answered.
        88 RTM_NEWNSID NEW,
        /// Asked.
        90 RTM_GETNSID GET,
    }
}

fn request<R>(flags: MessageFlags) -> NsidRequest<R> {
    NsidRequest::new(&Nsid::GET, flags, Header::default())
}

/// What `tokio::spawn` asks of a future, which is never run here.
fn goes_into_a_task<T: Send + 'static>(_: impl Future<Output = Result<T, Error>> + Send + 'static) {}

// F1, S-H4, U1, U2.
#[test]
fn every_future_goes_into_a_task() {
    goes_into_a_task(async {
        let mut taken = Connection::from_socket(netlink_core::Socket::open(Protocol::ROUTE)?).await?;
        Connection::call(&mut taken, request::<()>(MessageFlags::empty())).await
    });
    goes_into_a_task(async {
        let mut nl = Connection::open(Protocol::ROUTE)?;
        let kept: Nsid<'static> = Connection::call(&mut nl, request(MessageFlags::empty())).await?;
        Connection::call(&mut nl, request::<()>(MessageFlags::empty())).await?;
        Ok(kept)
    });
    goes_into_a_task(async {
        let mut nl = Connection::open(Protocol::ROUTE)?;
        let mut listing = Connection::dump(&mut nl, request::<Dump<Nsid<'_>>>(MessageFlags::DUMP)).await?;
        while let Some(nsid) = netlink_core::tokio::Listing::next(&mut listing).await? {
            // Held across an await, too.
            tokio::task::yield_now().await;
            drop(nsid);
        }
        let listing = nl.dump(request::<Dump<Nsid<'_>>>(MessageFlags::DUMP)).await?;
        let kept: Vec<Owned<Nsid<'_>>> = netlink_core::tokio::Listing::collect(listing).await?;
        let listing = nl.dump(request::<Dump<Nsid<'_>>>(MessageFlags::DUMP)).await?;
        let owned: Vec<Nsid<'static>> = netlink_core::tokio::Listing::to_vec(listing).await?;
        Ok(kept.len() + owned.len())
    });
    goes_into_a_task(async {
        let mut nl = Connection::open(Protocol::ROUTE)?;
        let requests = (0..3).map(|_| request::<Nsid<'_>>(MessageFlags::empty()));
        let found = Connection::batch(&mut nl, requests).await;
        let done = nl.batch(vec![request::<()>(MessageFlags::empty())]).await;
        let refused = Connection::envelope(&mut nl, &[request::<()>(MessageFlags::empty())]).await?;
        Ok(found.len() + done.len() + refused.len())
    });
    goes_into_a_task(async {
        let mut nl = Connection::open(Protocol::ROUTE)?;
        nl.subscribe(&[28])?;
        let notice = Connection::next_event::<Nsid<'_>>(&mut nl).await?;
        tokio::task::yield_now().await;
        Ok(notice.into_owned())
    });
    goes_into_a_task(async {
        let mut events = Events::<Nsid<'_>>::open(Protocol::ROUTE, &[28])?;
        let mut nl = Connection::open(Protocol::ROUTE)?;
        loop {
            let notice = Events::next(&mut events).await?;
            // Asked about while the event is looked at.
            nl.call(request::<Nsid<'_>>(MessageFlags::empty())).await?;
            drop(notice);
            tokio::select! {
                notice = events.next() => drop(notice?),
                () = tokio::task::yield_now() => return Ok(()),
            }
        }
    });
}
