//! The watch for tokio: the same calls, with `.await`.

use super::watch::Mirror;
use super::{Conntrack, list};
use crate::event::{Change, Event, Group};
use crate::tokio::{Connection, Events, connect_with, subscribe_with};
use crate::{Error, OpenOptions};

/// Follows the table of connections, for tokio. See the blocking [`Watch`](super::Watch).
#[derive(Debug)]
pub struct Watch {
    events: Events<Event<'static>>,
    connection: Connection,
    mirror: Mirror,
}

impl Watch {
    /// Follows the namespace of the calling thread. Must be called inside a runtime.
    pub async fn open() -> Result<Self, Error> {
        Self::open_with(&OpenOptions::new()).await
    }

    /// Follows the given namespace.
    pub async fn open_with(options: &OpenOptions<'_>) -> Result<Self, Error> {
        let events = subscribe_with(&Group::CONNTRACK, options)?;
        let connection = connect_with(options)?;
        let mut watch = Self { events, connection, mirror: Mirror::default() };
        watch.resync().await?;
        Ok(watch)
    }

    /// The stream of events; its socket has a buffer whose size can be set.
    pub fn events(&self) -> &Events<Event<'static>> {
        &self.events
    }

    /// How often events were lost and the table was listed again.
    pub fn resyncs(&self) -> usize {
        self.mirror.resyncs
    }

    /// Waits for the next change. If the future is dropped, nothing is lost.
    pub async fn next(&mut self) -> Result<(Change, Conntrack<'static>), Error> {
        loop {
            if let Some(change) = self.mirror.pending.pop_front() {
                return change;
            }
            if self.mirror.torn {
                self.resync().await?;
                continue;
            }
            let notice = self.events.next().await?;
            self.mirror.take(notice);
        }
    }

    async fn resync(&mut self) -> Result<(), Error> {
        let listed = self.connection.dump(list()).await?.collect().await?;
        self.mirror.resync(&listed);
        Ok(())
    }
}
