//! Generic netlink: families by name, the controller that lists them, and a module for each family.
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
//! Each family is a feature of the same name; none is on by default. The families of this crate and a family in
//! another crate are declared in the same way: [`attrs!`] for the attributes, [`message!`] for the messages,
//! [`family!`] for the name. [The guide](guide) explains one from the kernel's header to a passing test.
//!
//! The kernel assigns the number of a family at run time, and the controller reports it. A [`Client`] is a
//! connection with a resolved family, and adds the number to each request that it sends. To use several
//! families on one connection, resolve them with [`ctrl::resolve`] and bind each request:
//!
//! ```no_run
//! use netlink_generic::ctrl::{self, Ctrl, FamilyRequest};
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netlink_generic::connect()?;
//! let family = nl.call(ctrl::resolve::<Ctrl>())?;
//! // The resolved family is a plain value for all connections and namespaces that have the family.
//! # let request = FamilyRequest::<ctrl::Family>::new(&ctrl::Family::GETFAMILY, netlink_generic::MessageFlags::empty());
//! let answer = nl.call(family.bind(request))?;
//! # Ok(())
//! # }
//! ```
//!
//! Features: `std` (default): without it, only requests and decoding are available, on any system with
//! `alloc`. `tokio`: async connections. `serde`: JSON. And one feature per family.

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
pub use netlink_core::{attrs, checked, flags, layout, leaf, serialize, serialize_display, values};

#[cfg(all(feature = "std", target_os = "linux"))]
pub use client::Client;

/// Opens a connection in the namespace of the calling thread. It knows the controller and the families that
/// are resolved on it.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect() -> Result<Connection, Error> {
    Connection::open(Protocol::GENERIC)
}

/// Opens a connection with a given port or in a given namespace.
#[cfg(all(feature = "std", target_os = "linux"))]
pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    Connection::open_with(Protocol::GENERIC, options)
}

/// Without connections there are no functions that open them.
#[cfg(not(all(feature = "std", target_os = "linux")))]
#[macro_export]
#[doc(hidden)]
macro_rules! __connect {
    ($($ignored:tt)*) => {};
}

/// Empty without the feature `tokio`.
#[cfg(not(all(feature = "tokio", target_os = "linux")))]
#[macro_export]
#[doc(hidden)]
macro_rules! __connect_tokio {
    ($($ignored:tt)*) => {};
}

pub mod guide {
    #![doc = include_str!("../guide.md")]
}
