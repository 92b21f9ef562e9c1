//! Notifications: changes that the kernel reports to the multicast groups of `NETLINK_NETFILTER`.
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
//! The event of a connection has only the attributes that changed: it is not a complete entry.
//!
//! `net.netfilter.nf_conntrack_events` selects the entries with events: 0 none, 1 all, 2 (the default since
//! Linux 5.19) those that were made while a program listened, in any namespace. An older entry has no events
//! at all. [`conntrack::Watch`](crate::conntrack::Watch) recovers from lost events.

pub use netlink_core::Change;
use netlink_core::{MessageFlags, events, values};

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
        /// Connections that ended.
        3 NFNLGRP_CONNTRACK_DESTROY CONNTRACK_DESTROY "conntrack-destroy",
        /// New expectations.
        4 NFNLGRP_CONNTRACK_EXP_NEW EXPECT_NEW "expect-new",
        /// Expectations that changed; no kernel sends these events.
        5 NFNLGRP_CONNTRACK_EXP_UPDATE EXPECT_UPDATE "expect-update",
        /// Expectations that ended.
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
    /// All groups of connections.
    pub const CONNTRACK: [Self; 3] = [Self::CONNTRACK_NEW, Self::CONNTRACK_UPDATE, Self::CONNTRACK_DESTROY];
    /// All groups of expectations that kernels use.
    pub const EXPECT: [Self; 2] = [Self::EXPECT_NEW, Self::EXPECT_DESTROY];
}

events! {
    /// A notification.
    pub enum Event<'a> {
        /// A connection.
        Conntrack(Conntrack: Change) = NEW | DELETE,
        /// An expectation.
        Expect(Expect: Change) = NEW | DELETE,
        /// A counter that reached its quota. The kernel names no group; the group of the notice is 0.
        Quota(Account) = NEW,
    }
}

impl Conntrack<'_> {
    /// What happened to the entry, in an event.
    pub fn change(&self) -> Change {
        let new = self.message_flags().contains(MessageFlags::CREATE);
        Change::of(self.message_type().0 == Conntrack::DELETE.number, new)
    }
}

impl Expect<'_> {
    /// What happened to the expectation, in an event.
    pub fn change(&self) -> Change {
        let new = self.message_flags().contains(MessageFlags::CREATE);
        Change::of(self.message_type().0 == Expect::DELETE.number, new)
    }
}
