//! An agent that follows links and addresses, on tokio. It writes a line of JSON for each existing object,
//! then one for each change. If events were lost, it lists all objects again: existing ones are written as
//! new or changed, missing ones as deleted.
//!
//! ```sh
//! cargo run -p netlink-route --example monitor --features tokio,serde | jq -c '.Link.change, .Address.change'
//! ```
//!
//! It ends when its output is closed, or with an error that it can't handle.

use std::collections::HashMap;
use std::io::Write as _;
use std::process::ExitCode;

use netlink_route::addr::AddressKey;
use netlink_route::event::{Change, Event, Group};
use netlink_route::tokio::{Connection, Events};
use netlink_route::{Error, Notice, addr, link};
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (sender, mut lines) = mpsc::channel(64);
    let agent = tokio::spawn(async {
        // Subscribing before listing, so that no change is missed.
        let events = netlink_route::tokio::subscribe(&GROUPS)?;
        agent(netlink_route::tokio::connect()?, events, sender).await
    });
    while let Some(line) = lines.recv().await {
        if writeln!(std::io::stdout(), "{line}").is_err() {
            return ExitCode::SUCCESS;
        }
    }
    match agent.await {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("monitor: {error}");
            ExitCode::FAILURE
        }
        Err(died) => {
            eprintln!("monitor: {died}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) const GROUPS: [Group; 3] = [Group::LINK, Group::IPV4_ADDR, Group::IPV6_ADDR];

/// Sends a line for each change, until the receiver is closed.
pub(crate) async fn agent(
    mut nl: Connection,
    mut events: Events<Event<'static>>,
    lines: Sender<String>,
) -> Result<(), Error> {
    // A separate task takes the events as they arrive, also during a listing. It ends with this function.
    let (sender, mut notices) = mpsc::channel(1024);
    let mut tasks = JoinSet::new();
    tasks.spawn(
        async move { while sender.send(events.next().await.map(Notice::into_owned)).await.is_ok() {} },
    );

    let mut known = Known::default();
    let mut changes = known.list(&mut nl).await?;
    loop {
        for event in changes.drain(..) {
            let Ok(line) = serde_json::to_string(&event) else { continue };
            if lines.send(line).await.is_err() {
                return Ok(());
            }
        }
        match notices.recv().await {
            Some(Ok(Notice::Event { event, .. })) => changes.extend(known.take(event)),
            Some(Ok(Notice::Overrun)) => changes = known.list(&mut nl).await?,
            // The event can't be read. It may be a deletion, so only a list shows the state.
            Some(Err(Error::Decode(error))) => {
                eprintln!("monitor: {error}");
                changes = known.list(&mut nl).await?;
            }
            Some(Err(error)) => return Err(error),
            None => return Ok(()),
        }
    }
}

/// The last known links and addresses.
#[derive(Default)]
struct Known(HashMap<Key, Event<'static>>);

/// The identity of a link or an address.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Link(u32),
    Address(Option<AddressKey>),
}

impl Known {
    /// The change that an event means, if it is about a link or an address.
    fn take(&mut self, event: Event<'static>) -> Option<Event<'static>> {
        let (key, change) = match &event {
            Event::Link(change, link) => (Key::Link(link.index()), *change),
            Event::Address(change, at) => (Key::Address(at.key()), *change),
            _ => return None,
        };
        if change == Change::Deleted {
            // A list already showed that the object is missing.
            return self.0.remove(&key).map(|_| event);
        }
        let known = self.0.insert(key, event.clone()).is_some();
        Some(changed(if known { Change::Changed } else { Change::New }, event))
    }

    /// Lists all objects, and returns the changes.
    async fn list(&mut self, nl: &mut Connection) -> Result<Vec<Event<'static>>, Error> {
        let links = nl.dump(link::list()).await?.to_vec().await?;
        let addresses = nl.dump(addr::list()).await?.to_vec().await?;
        let links = links.into_iter().map(|link| Event::Link(Change::New, link));
        let addresses = addresses.into_iter().map(|address| Event::Address(Change::New, address));
        let mut found = Self::default();
        links.chain(addresses).for_each(|event| drop(found.take(event)));
        std::mem::swap(self, &mut found);
        let before = found.0;
        let gone = before.iter().filter(|(key, _)| !self.0.contains_key(key));
        let gone = gone.map(|(_, event)| changed(Change::Deleted, event.clone()));
        let there = self.0.iter().map(|(key, event)| {
            changed(if before.contains_key(key) { Change::Changed } else { Change::New }, event.clone())
        });
        Ok(gone.chain(there).collect())
    }
}

fn changed(change: Change, event: Event<'static>) -> Event<'static> {
    match event {
        Event::Link(_, link) => Event::Link(change, link),
        Event::Address(_, address) => Event::Address(change, address),
        other => other,
    }
}
