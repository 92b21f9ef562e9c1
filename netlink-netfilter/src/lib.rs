//! Netfilter: conntrack, queues, logs and their relatives.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod header;
pub mod log;
mod packet;
pub mod queue;
mod spec;

pub use header::{Family, Header, Subsystem};
pub use netlink_core::{Errno, Error, MessageFlags, Owned, Protocol, Request, ToRequest};
pub use spec::SPEC;

#[cfg(all(feature = "std", target_os = "linux"))]
pub use netlink_core::{Connection, Events, Listing, Namespace, Notice, OpenOptions, Partial, Socket};

/// Opens a connection in the namespace of the calling thread.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect() -> Result<Connection, Error> {
    Connection::open(Protocol::NETFILTER)
}
