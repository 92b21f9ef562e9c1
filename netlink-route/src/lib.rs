//! Links, addresses, routes and network namespaces over rtnetlink: what `ip link`, `ip addr`, `ip route` and `ip netns`
//! do, as a library.
//!
//! ```no_run
//! use netlink_route::link::{self, Bridge};
//! use netlink_route::{addr, route};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = netlink_route::connect()?;
//! nl.call(link::create("br0").kind(Bridge::new().vlan_filtering(true)).up())?;
//! let br0 = nl.call(link::get("br0"))?.index();
//! nl.call(link::set("eth1").master(br0).up())?;
//! nl.call(addr::add(br0, "192.0.2.1/24".parse()?))?;
//! let mut routes = nl.dump(route::list().table(254).oif(br0))?;
//! while let Some(route) = routes.next()? {
//!     println!("{route}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what | kernel's header | command |
//! | --- | --- | --- | --- |
//! | [`link`] | links, their kinds, bridge ports, VFs, XDP | `if_link.h`, `if_bridge.h` | `ip link`, `bridge link` |
//! | [`addr`] | addresses | `if_addr.h` | `ip addr` |
//! | [`route`] | routes, next hops, encapsulations | `rtnetlink.h`, `lwtunnel.h` | `ip route` |
//! | [`nsid`] | ids that namespaces have in each other | `net_namespace.h` | `ip netns list-id` |
//! | [`event`] | what changes | | `ip monitor` |
//!
//! Functions make requests, which are plain values: print them, store them, test their bytes. A [`Connection`] sends them:
//! `call` for an acknowledgement or one reply, `dump` for a list, `batch` for many at once. What comes back is looked at
//! with getters; an attribute that is absent is `None`, and one that this crate does not know is still in there. Network
//! namespaces are opened, made and entered with [`Namespace`].
//!
//! Features: `std` (default), without which only requests and decoding are left, on any system with `alloc`; `tokio`;
//! `serde`; `testkit`, canned replies for tests.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod addr;
pub mod event;
mod ip;
pub mod link;
pub mod nsid;
pub mod route;
mod spec;

pub use ip::{Addr, AddrError, Family};
pub use netlink_core;
pub use netlink_core::family::*;
#[cfg(feature = "testkit")]
pub use netlink_core::testkit;
pub use spec::SPEC;

/// Opens a connection in the namespace of the calling thread.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect() -> Result<Connection, Error> {
    Connection::open(Protocol::ROUTE)
}

/// Opens a connection with a port or in a namespace of choice.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    Connection::open_with(Protocol::ROUTE, options)
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
    Events::open_with(Protocol::ROUTE, &event::Group::numbers(groups), options)
}

/// The same on a tokio reactor.
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio {
    pub use netlink_core::tokio::{Connection, Events, Listing};

    use crate::event::{Event, Group};
    use crate::{Error, OpenOptions, Protocol};

    /// Opens a connection in the namespace of the calling thread. Must be called inside a runtime.
    pub fn connect() -> Result<Connection, Error> {
        Connection::open(Protocol::ROUTE)
    }

    /// Opens a connection with a port or in a namespace of choice.
    pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection, Error> {
        Connection::open_with(Protocol::ROUTE, options)
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
        Events::open_with(Protocol::ROUTE, &Group::numbers(groups), options)
    }
}

/// The examples of the README, as tests.
#[cfg(all(doctest, feature = "tokio", target_os = "linux"))]
#[doc = include_str!("../../README.md")]
pub struct Readme;
