//! IPsec states and policies: what `ip xfrm` does, as a library.
//!
//! ```no_run
//! use netlink_xfrm::algo::Aead;
//! use netlink_xfrm::policy::{self, Selector, Template};
//! use netlink_xfrm::state::{self, Mode, Proto};
//! use netlink_xfrm::{Key, Prefix};
//! use std::net::Ipv4Addr;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = netlink_xfrm::connect()?;
//! let (here, there) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
//! let key = Key::from(std::fs::read("key")?); // 16 bytes of AES-128 and 4 of salt
//! let aead = Aead::rfc4106_gcm_aes(&key, 128);
//! nl.call(state::add(here, there, Proto::ESP, 0x100).mode(Mode::TUNNEL).reqid(1).alg_aead(aead).esn(64))?;
//! let traffic = Selector::new("10.1.0.0/16".parse::<Prefix>()?, "10.2.0.0/16".parse::<Prefix>()?);
//! let tunnel = Template::tunnel(here, there, Proto::ESP).reqid(1);
//! nl.call(policy::add(traffic, policy::Direction::OUT).templates(&[tunnel]))?;
//! let mut states = nl.dump(state::list().proto(Proto::ESP))?;
//! while let Some(state) = states.next()? {
//!     println!("{state}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what | command |
//! | --- | --- | --- |
//! | [`state`] | states, their SPIs, counters and limits | `ip xfrm state` |
//! | [`policy`] | policies, their templates, defaults, migration | `ip xfrm policy` |
//! | [`algo`] | algorithms and keys | |
//! | [`event`] | what changes, expires or is wanted | `ip xfrm monitor` |
//!
//! All but `uapi/linux/xfrm.h` is said there. Functions make requests, which are plain values: a [`Connection`] sends
//! them, `call` for an acknowledgement or one reply, `dump` for a list, `batch` for many at once. What comes back is
//! looked at with getters; an attribute that is absent is `None`, and one that this crate does not know is still in
//! there. All of it wants `CAP_NET_ADMIN` in the namespace, to look as well as to change.
//!
//! Addresses know their family: an IPv6 address that ends in zeros is no IPv4 address. Keys don't print, and requests
//! wipe them.
//!
//! Features: `std` (default), without which only requests and decoding are left, on any system with `alloc`; `tokio`;
//! `serde`; `testkit`, canned replies for tests.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod algo;
mod common;
pub mod event;
mod ip;
pub mod policy;
mod replay;
mod spec;
pub mod state;

pub use ip::{Address, Family, Prefix, PrefixError};
pub use netlink_core;
pub use netlink_core::family::*;
#[cfg(feature = "testkit")]
pub use netlink_core::testkit;
pub use spec::SPEC;

/// Opens a connection in the namespace of the calling thread.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect() -> Result<Connection, Error> {
    Connection::open(Protocol::XFRM)
}

/// Opens a connection with a port or in a namespace of choice.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    Connection::open_with(Protocol::XFRM, options)
}

/// Opens a stream of events in the namespace of the calling thread.
///
/// ```no_run
/// use netlink_xfrm::event::{Event, Group};
/// use netlink_xfrm::Notice;
///
/// let mut events = netlink_xfrm::subscribe(&[Group::ACQUIRE, Group::EXPIRE])?;
/// loop {
///     match events.next()? {
///         Notice::Event { event: Event::Acquire(wanted), .. } => println!("{:?}", wanted.destination()),
///         Notice::Event { event: Event::StateExpired(state), .. } => println!("{}", state.header().hard),
///         _ => {}
///     }
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), netlink_xfrm::Error>(())
/// ```
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
    Events::open_with(Protocol::XFRM, &event::Group::numbers(groups), options)
}

/// The same on a tokio reactor.
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio {
    pub use netlink_core::tokio::{Connection, Events, Listing};

    use crate::event::{Event, Group};
    use crate::{Error, OpenOptions, Protocol};

    /// Opens a connection in the namespace of the calling thread. Must be called inside a runtime.
    pub fn connect() -> Result<Connection, Error> {
        Connection::open(Protocol::XFRM)
    }

    /// Opens a connection with a port or in a namespace of choice.
    pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection, Error> {
        Connection::open_with(Protocol::XFRM, options)
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
        Events::open_with(Protocol::XFRM, &Group::numbers(groups), options)
    }
}
