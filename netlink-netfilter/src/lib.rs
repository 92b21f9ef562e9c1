//! Netfilter: conntrack, queues, logs and their relatives.

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

/// Opens a connection in the namespace of the calling thread.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect() -> Result<Connection, Error> {
    Connection::open(Protocol::NETFILTER)
}

/// Opens a connection with a port or in a namespace of choice.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    Connection::open_with(Protocol::NETFILTER, options)
}

/// Opens a stream of events in the namespace of the calling thread.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn subscribe(groups: &[event::Group]) -> Result<Events<event::Event<'static>>, Error> {
    subscribe_with(groups, &OpenOptions::new())
}

/// Opens a stream of events with a port or in a namespace of choice.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn subscribe_with(
    groups: &[event::Group],
    options: &OpenOptions<'_>,
) -> Result<Events<event::Event<'static>>, Error> {
    Events::open_with(Protocol::NETFILTER, &event::Group::numbers(groups), options)
}

/// The same on a tokio reactor.
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio {
    pub use netlink_core::tokio::{Connection, Events, Listing};

    use crate::event::{Event, Group};
    use crate::{Error, OpenOptions, Protocol};

    /// Opens a connection in the namespace of the calling thread. Must be called inside a runtime.
    pub fn connect() -> Result<Connection, Error> {
        Connection::open(Protocol::NETFILTER)
    }

    /// Opens a connection with a port or in a namespace of choice.
    pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection, Error> {
        Connection::open_with(Protocol::NETFILTER, options)
    }

    /// Opens a stream of events in the namespace of the calling thread. Must be called inside a runtime.
    pub fn subscribe(groups: &[Group]) -> Result<Events<Event<'static>>, Error> {
        subscribe_with(groups, &OpenOptions::new())
    }

    /// Opens a stream of events with a port or in a namespace of choice.
    pub fn subscribe_with(
        groups: &[Group],
        options: &OpenOptions<'_>,
    ) -> Result<Events<Event<'static>>, Error> {
        Events::open_with(Protocol::NETFILTER, &Group::numbers(groups), options)
    }
}
