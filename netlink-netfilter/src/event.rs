//! Notifications: what changes, as the kernel tells it to the multicast groups of `NETLINK_NETFILTER`.
//!
//! ```no_run
//! use netlink_netfilter::event::{Event, Group};
//! use netlink_netfilter::{Notice, conntrack};
//!
//! # fn main() -> Result<(), netlink_netfilter::Error> {
//! let mut events = netlink_netfilter::subscribe(&[Group::CONNTRACK_NEW, Group::CONNTRACK_DESTROY])?;
//! loop {
//!     match events.next()? {
//!         Notice::Event { event: Event::Conntrack(change, entry), .. } => println!("{change:?} {entry}"),
//!         Notice::Event { .. } => {}
//!         Notice::Overrun => println!("some were lost"),
//!     }
//! }
//! # }
//! ```
//!
//! An event of a connection leaves out what did not change: it is no full entry.
//!
//! `net.netfilter.nf_conntrack_events` says which entries tell: at 0 none, at 1 all, and at 2, which it is unless set
//! since Linux 5.19, those that were made while somebody listened, in any namespace. An entry made before stays silent
//! until its end. [`conntrack::Watch`](crate::conntrack::Watch) makes up for lost events.

use alloc::borrow::Cow;

use netlink_core::{DecodeError, Message, MessageFlags, MessageType, Reply, values};

use crate::acct::Account;
use crate::conntrack::Conntrack;
use crate::expect::Expect;

values! {
    /// `NFNLGRP_*`: the multicast groups.
    pub struct Group: u32 {
        /// New connections.
        1 NFNLGRP_CONNTRACK_NEW CONNTRACK_NEW "conntrack-new",
        /// Connections that changed.
        2 NFNLGRP_CONNTRACK_UPDATE CONNTRACK_UPDATE "conntrack-update",
        /// Connections that are gone.
        3 NFNLGRP_CONNTRACK_DESTROY CONNTRACK_DESTROY "conntrack-destroy",
        /// New expectations.
        4 NFNLGRP_CONNTRACK_EXP_NEW EXPECT_NEW "expect-new",
        /// Expectations that changed; no kernel tells.
        5 NFNLGRP_CONNTRACK_EXP_UPDATE EXPECT_UPDATE "expect-update",
        /// Expectations that are gone.
        6 NFNLGRP_CONNTRACK_EXP_DESTROY EXPECT_DESTROY "expect-destroy",
        /// Rules of nftables.
        7 NFNLGRP_NFTABLES NFTABLES "nftables",
        /// Counters that reached their quota.
        8 NFNLGRP_ACCT_QUOTA ACCT_QUOTA "acct-quota",
        /// Packets that nftables traces.
        9 NFNLGRP_NFTRACE NFTRACE "nftrace",
    }
}

impl Group {
    /// All of connections.
    pub const CONNTRACK: [Self; 3] = [Self::CONNTRACK_NEW, Self::CONNTRACK_UPDATE, Self::CONNTRACK_DESTROY];
    /// All of expectations that there are.
    pub const EXPECT: [Self; 2] = [Self::EXPECT_NEW, Self::EXPECT_DESTROY];

    /// The plain numbers, as a socket takes them.
    #[cfg(all(feature = "std", target_os = "linux"))]
    pub(crate) fn numbers(groups: &[Self]) -> alloc::vec::Vec<u32> {
        groups.iter().map(|group| group.0).collect()
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is there now and was not before.
    New,
    /// It was there and is another now.
    Changed,
    /// It is gone.
    Deleted,
}

/// A notification.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // It borrows, lives shortly and must not allocate.
pub enum Event<'a> {
    /// A connection.
    Conntrack(Change, Conntrack<'a>),
    /// An expectation.
    Expect(Change, Expect<'a>),
    /// A counter that reached its quota. The kernel names no group, so that of the notice is 0.
    Quota(Account<'a>),
    /// A message of another type, as it came.
    Other {
        /// Its type.
        kind: MessageType,
        /// What followed the frame's header.
        body: Cow<'a, [u8]>,
    },
}

impl Change {
    fn of(message: &Message<'_>, deleted: u16) -> Self {
        match message.header {
            header if header.kind.0 == deleted => Self::Deleted,
            header if header.flags.contains(MessageFlags::CREATE) => Self::New,
            _ => Self::Changed,
        }
    }
}

impl<'own> Reply for Event<'own> {
    const EXPECT: netlink_core::Expect = netlink_core::Expect::Reply;
    type View<'a> = Event<'a>;

    #[inline]
    fn view<'a>(message: &Message<'a>) -> Result<Event<'a>, DecodeError> {
        let kind = message.header.kind;
        Ok(match kind.0 {
            number if number == Conntrack::NEW.number || number == Conntrack::DELETE.number => {
                Event::Conntrack(Change::of(message, Conntrack::DELETE.number), Conntrack::read(message)?)
            }
            number if number == Expect::NEW.number || number == Expect::DELETE.number => {
                Event::Expect(Change::of(message, Expect::DELETE.number), Expect::read(message)?)
            }
            number if number == Account::NEW.number => Event::Quota(Account::read(message)?),
            _ => Event::Other { kind, body: Cow::Borrowed(message.body) },
        })
    }

    fn own(view: Event<'_>) -> Self {
        view.into_owned()
    }
}

impl Event<'_> {
    /// The event without a borrow.
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Event::Conntrack(change, entry) => Event::Conntrack(change, entry.into_owned()),
            Event::Expect(change, expect) => Event::Expect(change, expect.into_owned()),
            Event::Quota(account) => Event::Quota(account.into_owned()),
            Event::Other { kind, body } => Event::Other { kind, body: Cow::Owned(body.into_owned()) },
        }
    }
}

netlink_core::__into_owned!(Event);
