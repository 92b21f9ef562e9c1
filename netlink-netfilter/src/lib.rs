//! Netfilter: conntrack, queues, logs and related subsystems.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod acct;
pub mod batch;
pub mod conntrack;
pub mod event;
pub mod expect;
mod header;
pub mod helper;
pub mod hook;
pub mod log;
pub mod osf;
mod packet;
pub mod queue;
mod spec;
pub mod timeout;

pub use header::{Family, Header, Subsystem};
pub use netlink_core;
pub use netlink_core::family::*;
#[cfg(feature = "testkit")]
pub use netlink_core::testkit;
pub use spec::SPEC;

netlink_core::protocol! {
    /// The protocol `NETLINK_NETFILTER`.
    pub static PROTOCOL: NETFILTER "netfilter" {
        batch::Batch,
        conntrack::Conntrack,
        conntrack::CpuStats,
        conntrack::Stats,
        expect::Expect,
        expect::ExpectStats,
        queue::Packet,
        queue::Config,
        log::Packet,
        log::Config,
        acct::Account,
        helper::Helper,
        hook::Hook,
        osf::Osf,
        timeout::Timeout,
    }
    events crate::event::Group => crate::event::Event<'static>
}
