//! The stateless core of a netlink stack: frames, attributes, requests, exchanges, and the connections that drive
//! them. It knows no family; `netlink-route` and its siblings are built on it, and so is a family of your own.
//!
//! A family is tables. This one asks for the id of a network namespace, whole:
//!
//! ```
//! use netlink_core::{Connection, MessageFlags, Protocol, attrs, layout, message};
//!
//! layout! {
//!     /// `struct rtgenmsg`.
//!     pub struct Header: rtgenmsg = 1 {
//!         /// Address family; nothing here has one.
//!         family: u8,
//!     }
//! }
//!
//! attrs! {
//!     /// `NETNSA_*`, two of them.
//!     pub struct NsidAttrs<'a> for NsidRequest<R> {
//!         /// The id; -1 is none.
//!         1 NETNSA_NSID nsid: i32,
//!         /// A process in the namespace.
//!         2 NETNSA_PID pid: u32,
//!     }
//! }
//!
//! message! {
//!     /// The id that one namespace has in another.
//!     pub struct Nsid<'a>(Header, NsidAttrs<'a>), NsidRequest {
//!         /// Made, or answered.
//!         88 RTM_NEWNSID NEW,
//!         /// Asked.
//!         90 RTM_GETNSID GET,
//!     }
//! }
//!
//! /// Asks for the id of the namespace that a process is in.
//! pub fn of_process(pid: u32) -> NsidRequest<Nsid<'static>> {
//!     NsidRequest::new(&Nsid::GET, MessageFlags::empty(), Header::default()).pid(pid)
//! }
//!
//! # #[cfg(all(feature = "std", target_os = "linux"))]
//! # fn main() -> Result<(), netlink_core::Error> {
//! let mut nl = Connection::open(Protocol::ROUTE)?;
//! let own = nl.call(of_process(std::process::id()))?;
//! println!("{:?}", own.nsid());
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "std", target_os = "linux")))]
//! # fn main() {}
//! ```
//!
//! | layer | here |
//! | --- | --- |
//! | payloads and tables | [`attr`], [`layout`](mod@layout), [`payload`], `secret`; [`attrs!`], [`layout!`], [`values!`], [`flags!`], [`bits!`] |
//! | what a neighbour chooses | [`choice`](mod@choice); [`choice!`] |
//! | what families share | [`net`] |
//! | messages and requests | [`message`](mod@message), [`request`]; [`message!`] |
//! | protocols and events | [`protocol`](mod@protocol); [`protocol!`], [`events!`] |
//! | exchanges, without I/O | [`exchange`] |
//! | connections | `Connection`, `Events`, and the same in `tokio` |
//! | sockets and namespaces | `socket`, `netns` |
//! | for tools and tests | [`trace`], [`spec`], `testkit` |
//! | what every family offers as well | [`family`] |
//!
//! Features: `std` (default) brings sockets and connections on Linux; without it the codecs need only `alloc`. `tokio`
//! adds the connection on its reactor, `serde` adds `Serialize` to what was read (see [`ser`]), `testkit` adds canned replies and
//! recorded exchanges for tests, `ipnet` turns [`Prefix`] into the type of that crate and back. Each adds; none changes what another does.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod attr;
mod bits;
pub mod choice;
pub mod error;
pub mod exchange;
pub mod family;
pub mod layout;
pub mod message;
mod narrow;
pub mod net;
pub mod payload;
pub mod protocol;
pub mod request;
#[cfg(feature = "secret")]
pub mod secret;
#[doc(hidden)]
pub mod ser;
pub mod spec;
#[cfg(feature = "testkit")]
pub mod testkit;
#[cfg(not(feature = "testkit"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __rewrite {
    ($($set:tt)*) => {};
}
pub mod trace;

#[cfg(all(feature = "std", target_os = "linux"))]
mod blocking;
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod connection;
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod netns;
#[cfg(all(feature = "std", target_os = "linux"))]
mod notice;
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod socket;

#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio;

pub use family::*;

#[doc(hidden)]
pub use bitflags;
#[cfg(feature = "serde")]
#[doc(hidden)]
pub use serde;
