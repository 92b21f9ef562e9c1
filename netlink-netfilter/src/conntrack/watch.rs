//! A listener that recovers from lost events.

use alloc::collections::VecDeque;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use netlink_core::{Connection, Events, Notice, OpenOptions, Owned};

use super::{Conntrack, TupleKey, list};
use crate::Error;
use crate::event::{Change, Event, Group};

/// Follows the table of connections: it returns first all existing entries as new, then the changes.
///
/// If events were lost because they arrived too fast, it lists the table again. It then returns existing
/// entries as [`Change::Changed`] or [`Change::New`], and missing entries as [`Change::Deleted`]. For this it
/// keeps a copy of each entry.
///
/// For entries that existed before any listener, the kernel sends no events, not even about their end, unless
/// `net.netfilter.nf_conntrack_events` is 1; see [`event`](crate::event).
///
/// ```no_run
/// use netlink_netfilter::conntrack::Watch;
///
/// # fn main() -> Result<(), netlink_netfilter::Error> {
/// let mut watch = Watch::open()?;
/// loop {
///     let (change, entry) = watch.next()?;
///     println!("{change:?} {entry}");
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Watch {
    events: Events<Event<'static>>,
    connection: Connection,
    mirror: Mirror,
}

impl Watch {
    /// Follows the namespace of the calling thread.
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&OpenOptions::new())
    }

    /// Follows the given namespace.
    pub fn open_with(options: &OpenOptions<'_>) -> Result<Self, Error> {
        // Subscribing before listing, so that no change is missed.
        let events = crate::subscribe_with(&Group::CONNTRACK, options)?;
        let connection = crate::connect_with(options)?;
        let mut watch = Self { events, connection, mirror: Mirror::default() };
        watch.resync()?;
        Ok(watch)
    }

    /// The stream of events; its socket has a buffer whose size can be set.
    pub fn events(&self) -> &Events<Event<'static>> {
        &self.events
    }

    /// How long [`next`](Self::next) waits before it fails with [`Error::Timeout`]; `None`, the default,
    /// waits without limit.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        self.events.set_timeout(timeout)
    }

    /// How often events were lost and the table was listed again.
    pub fn resyncs(&self) -> usize {
        self.mirror.resyncs
    }

    /// Waits for the next change. After an error the next call continues.
    #[allow(clippy::should_implement_trait)] // it has no end
    pub fn next(&mut self) -> Result<(Change, Conntrack<'static>), Error> {
        loop {
            if let Some(change) = self.mirror.pending.pop_front() {
                return change;
            }
            if self.mirror.torn {
                self.resync()?;
                continue;
            }
            let notice = self.events.next()?;
            self.mirror.take(notice);
        }
    }

    fn resync(&mut self) -> Result<(), Error> {
        let listed = self.connection.dump(list())?.collect()?;
        self.mirror.resync(&listed);
        Ok(())
    }
}

/// The last known state of the table, without I/O.
///
/// A stream of events reports a loss after all events that arrived before it, so no event is older than the
/// following list. Events that arrive during the listing can be in the list already; the last event of an
/// entry is correct in both cases.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    known: HashMap<Key, Conntrack<'static>>,
    pub(super) pending: VecDeque<Result<(Change, Conntrack<'static>), Error>>,
    /// Events were lost, and the table was not listed since.
    pub(super) torn: bool,
    pub(super) resyncs: usize,
}

/// Id and original tuple. The id is a hash of 32 bits, so two of 100,000 entries can have the same id.
type Key = (u32, TupleKey);

fn key(entry: &Conntrack<'_>) -> Key {
    (entry.id().unwrap_or_default(), entry.key())
}

impl Mirror {
    pub(super) fn take(&mut self, notice: Notice<Event<'_>>) {
        match notice {
            Notice::Event { event: Event::Conntrack(change, entry), .. } => {
                self.apply(change, entry.into_owned());
            }
            Notice::Event { .. } => {}
            Notice::Overrun => self.torn = true,
        }
    }

    fn apply(&mut self, change: Change, entry: Conntrack<'static>) {
        let key = key(&entry);
        let change = match change {
            Change::Deleted => {
                // An unknown entry was never returned, or the list showed already that it is missing.
                if self.known.remove(&key).is_none() {
                    return;
                }
                Change::Deleted
            }
            _ => match self.known.entry(key) {
                Entry::Occupied(mut there) => {
                    there.insert(entry.clone());
                    Change::Changed
                }
                Entry::Vacant(place) => {
                    place.insert(entry.clone());
                    Change::New
                }
            },
        };
        self.pending.push_back(Ok((change, entry)));
    }

    pub(super) fn resync(&mut self, listed: &[Owned<Conntrack<'static>>]) {
        self.resyncs += usize::from(self.torn);
        self.torn = false;
        let mut before = core::mem::take(&mut self.known);
        for entry in listed {
            let entry = match entry.view() {
                Ok(entry) => entry.into_owned(),
                Err(error) => {
                    self.pending.push_back(Err(error));
                    continue;
                }
            };
            let key = key(&entry);
            let change = match before.remove(&key) {
                Some(_) => Change::Changed,
                None => Change::New,
            };
            // A list can have an entry twice.
            if self.known.insert(key, entry.clone()).is_none() {
                self.pending.push_back(Ok((change, entry)));
            }
        }
        self.pending.extend(before.into_values().map(|entry| Ok((Change::Deleted, entry))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::{self, Tuple};
    use netlink_core::Messages;

    fn listed(port: u16, mark: u32) -> Owned<Conntrack<'static>> {
        let flow = Tuple::udp(([192, 0, 2, 1], port).into(), ([192, 0, 2, 2], 53).into());
        let request = conntrack::create(&flow, &flow.reversed()).id(u32::from(port)).mark(mark);
        let bytes = request.to_bytes().unwrap();
        Owned::new(&Messages::new(&bytes).next().unwrap().unwrap())
    }

    fn entry(port: u16, mark: u32) -> Conntrack<'static> {
        listed(port, mark).view().unwrap().into_owned()
    }

    fn drain(mirror: &mut Mirror) -> Vec<(Change, u32, u32)> {
        let mut changes: Vec<_> = mirror.pending.drain(..).map(Result::unwrap).collect();
        changes.sort_by_key(|(_, entry)| entry.id());
        changes.into_iter().map(|(change, e)| (change, e.id().unwrap(), e.mark().unwrap())).collect()
    }

    #[test]
    fn a_list_shows_new_changed_and_missing_entries() {
        let mut mirror = Mirror::default();
        mirror.resync(&[listed(1, 0), listed(2, 0), listed(3, 0), listed(3, 0)]);
        assert_eq!(drain(&mut mirror), [(Change::New, 1, 0), (Change::New, 2, 0), (Change::New, 3, 0)]);
        mirror.take(Notice::Overrun);
        assert!(mirror.torn);
        mirror.resync(&[listed(1, 0), listed(2, 9), listed(4, 0)]);
        assert!(!mirror.torn);
        let expected =
            [(Change::Changed, 1, 0), (Change::Changed, 2, 9), (Change::Deleted, 3, 0), (Change::New, 4, 0)];
        assert_eq!(drain(&mut mirror), expected);
        assert_eq!(mirror.resyncs, 1);
    }

    #[test]
    fn an_unreadable_entry_is_an_error_and_loses_no_other() {
        let mut bytes = conntrack::list().into_request().attr(12, &1u32).to_bytes().unwrap();
        let claims = bytes.len() - 8;
        bytes[claims] = 0xff;
        let broken = Owned::new(&Messages::new(&bytes).next().unwrap().unwrap());
        let mut mirror = Mirror::default();
        mirror.resync(&[broken, listed(2, 7)]);
        let Some(Err(Error::Decode { .. })) = mirror.pending.pop_front() else { panic!("{mirror:?}") };
        assert_eq!(drain(&mut mirror), [(Change::New, 2, 7)]);
    }

    #[test]
    fn events_that_the_list_contains_do_no_harm() {
        let mut mirror = Mirror::default();
        mirror.resync(&[listed(1, 5)]);
        drain(&mut mirror);
        mirror.apply(Change::New, entry(1, 5));
        mirror.apply(Change::Deleted, entry(2, 0));
        mirror.apply(Change::Changed, entry(3, 1));
        mirror.apply(Change::Deleted, entry(3, 1));
        let expected = [(Change::Changed, 1, 5), (Change::New, 3, 1), (Change::Deleted, 3, 1)];
        assert_eq!(drain(&mut mirror), expected);
        assert_eq!(mirror.known.len(), 1);
    }
}
