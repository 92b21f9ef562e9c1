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
}

events! {
    /// A notification.
    pub enum Event<'a> {
        /// A connection.
        Conntrack(Conntrack: Change) = NEW | DELETE,
        /// An expectation.
        Expect(Expect: Change) = NEW | DELETE,
        /// A counter that reached its quota. The kernel names no group, so that of the notice is 0.
        Quota(Account) = NEW,
    }
}

impl Conntrack<'_> {
    /// What happened, of an entry that came as an event.
    pub fn change(&self) -> Change {
        let new = self.message_flags().contains(MessageFlags::CREATE);
        Change::of(self.message_type().0 == Conntrack::DELETE.number, new)
    }
}

impl Expect<'_> {
    /// What happened, of an expectation that came as an event.
    pub fn change(&self) -> Change {
        let new = self.message_flags().contains(MessageFlags::CREATE);
        Change::of(self.message_type().0 == Expect::DELETE.number, new)
    }
}
