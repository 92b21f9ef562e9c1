//! Generic netlink: families by name, the controller that knows them, and a table for each.
//!
//! ```no_run
//! use netlink_generic::ctrl::{self, Event};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = netlink_generic::connect()?;
//! let mut families = nl.dump(ctrl::list())?;
//! while let Some(family) = families.next()? {
//!     println!("{family}");
//! }
//! let ethtool = nl.call(ctrl::get("ethtool"))?;
//! println!("{:?} {:?}", ethtool.id(), ethtool.groups());
//! # Ok(())
//! # }
//! ```
//!
//! | module | family | kernel's header | command |
//! | --- | --- | --- | --- |
//! | [`ctrl`] | `nlctrl` | `genetlink.h` | `genl ctrl` |
//! | `mptcp_pm` | `mptcp_pm` | `mptcp.h`, `mptcp_pm.h` | `ip mptcp` |
//! | `netdev` | `netdev` | `netdev.h` | the kernel's `ynl` |
//! | `quota` | `VFS_DQUOT` | `quota.h` | `quota_nld` |
//! | `taskstats` | `TASKSTATS` | `taskstats.h`, `cgroupstats.h` | `getdelays` |
//! | `wireguard` | `wireguard` | `wireguard.h` | `wg` |
//!
//! Each family is a feature of the same name; none is on by default. What a family needs is the same for those in
//! here and for one in a crate of yours: [`attrs!`] for its attributes, [`message!`] for what it says, [`family!`]
//! for its name. [The guide](guide) walks through one from the kernel's header to a passing test.
//!
//! The number of a family is known only once the controller was asked for it, so its requests can't be sent as they
//! are. A [`Client`] is a connection and a family that was resolved on it, and binds each request as it sends it. To
//! talk to several families over one connection, resolve them with [`ctrl::resolve`] and bind by hand:
//!
//! ```no_run
//! use netlink_generic::ctrl::{self, Ctrl, FamilyRequest};
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netlink_generic::connect()?;
//! let family = nl.call(ctrl::resolve::<Ctrl>())?;
//! // What was resolved is a value: it works on every connection, in every namespace that has the family.
//! # let request = FamilyRequest::<ctrl::Family>::new(&ctrl::Family::GETFAMILY, netlink_generic::MessageFlags::empty());
//! let answer = nl.call(family.bind(request))?;
//! # Ok(())
//! # }
//! ```
//!
//! Features: `std` (default), without which only requests and decoding are left, on any system with `alloc`; `tokio`;
//! `serde`; and one per family.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(all(feature = "std", target_os = "linux"))]
mod client;
pub mod ctrl;
mod declare;
#[cfg(feature = "mptcp_pm")]
pub mod mptcp_pm;
#[cfg(feature = "netdev")]
pub mod netdev;
#[cfg(feature = "quota")]
pub mod quota;
mod resolved;
mod spec;
#[cfg(feature = "taskstats")]
pub mod taskstats;
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio;
#[cfg(feature = "wireguard")]
pub mod wireguard;

pub use declare::{Declared, Group, Header, IntoUnbound, Notifies, Unbound};
pub use resolved::{Bound, Resolved};
pub use spec::SPEC;

#[doc(hidden)]
pub use alloc::borrow::Cow as __Cow;
#[doc(hidden)]
#[cfg(all(feature = "std", target_os = "linux"))]
pub use client::subscribe as __subscribe;
pub use netlink_core;
pub use netlink_core::family::*;
#[cfg(feature = "testkit")]
pub use netlink_core::testkit;
pub use netlink_core::{attrs, flags, layout, serialize, serialize_display, values};

#[cfg(all(feature = "std", target_os = "linux"))]
pub use client::Client;

/// Opens a connection in the namespace of the calling thread. It knows the controller and whatever is resolved
/// with it.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect() -> Result<Connection, Error> {
    Connection::open(Protocol::GENERIC)
}

/// Opens a connection with a port or in a namespace of choice.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    Connection::open_with(Protocol::GENERIC, options)
}

/// No connections here, so no functions that open them.
#[cfg(not(all(feature = "std", target_os = "linux")))]
#[macro_export]
#[doc(hidden)]
macro_rules! __connect {
    ($($ignored:tt)*) => {};
}

/// See the version with the feature `tokio`.
#[cfg(not(all(feature = "tokio", target_os = "linux")))]
#[macro_export]
#[doc(hidden)]
macro_rules! __connect_tokio {
    ($($ignored:tt)*) => {};
}

pub mod guide {
    #![doc = include_str!("../guide.md")]
}
