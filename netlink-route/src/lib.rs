//! Links, addresses, routes and network namespaces over rtnetlink: the functions of `ip link`, `ip addr`, `ip
//! route` and `ip netns` as a library.
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
//! | module | content | kernel's header | command |
//! | --- | --- | --- | --- |
//! | [`link`] | links, their kinds, bridge ports, VFs, XDP | `if_link.h`, `if_bridge.h` | `ip link`, `bridge link` |
//! | [`addr`] | addresses | `if_addr.h` | `ip addr` |
//! | [`route`] | routes, next hops, encapsulations | `rtnetlink.h`, `lwtunnel.h` | `ip route` |
//! | [`nsid`] | ids of other namespaces | `net_namespace.h` | `ip netns list-id` |
//! | [`event`] | notifications of changes | | `ip monitor` |
//!
//! Functions make requests. Requests are plain values: you can print them, store them, and test their bytes.
//! A [`Connection`] sends them: `call` waits for an acknowledgement or one reply, `dump` for a list, `batch`
//! sends many at once. Replies have getters. The getter of an absent attribute returns `None`. Attributes
//! that this crate does not know are kept. [`Namespace`] opens, makes and enters network namespaces.
//!
//! Features: `std` (default): without it, only requests and decoding are available, on any system with
//! `alloc`. `tokio`: async connections. `serde`: JSON. `testkit`: canned replies for tests.

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

pub use netlink_core;
pub use netlink_core::family::*;
pub use netlink_core::net::Family;
#[cfg(feature = "testkit")]
pub use netlink_core::testkit;
pub use netlink_core::{Prefix as Addr, PrefixError as AddrError};
pub use spec::SPEC;

netlink_core::protocol! {
    /// The protocol `NETLINK_ROUTE`.
    pub static PROTOCOL: ROUTE "route" { link::Link, addr::Address, route::Route, nsid::Nsid }
    events crate::event::Group => crate::event::Event<'static>
}

/// Tests the examples of the README.
#[cfg(all(doctest, feature = "tokio", target_os = "linux"))]
#[doc = include_str!("../../README.md")]
pub struct Readme;
