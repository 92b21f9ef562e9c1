//! IPsec states and policies: the functions of `ip xfrm` as a library.
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
//! | module | content | command |
//! | --- | --- | --- |
//! | [`state`] | states, their SPIs, counters and limits | `ip xfrm state` |
//! | [`policy`] | policies, their templates, defaults, migration | `ip xfrm policy` |
//! | [`algo`] | algorithms and keys | |
//! | [`event`] | changed, expired and missing objects | `ip xfrm monitor` |
//!
//! The kernel's header is `uapi/linux/xfrm.h`. Functions make requests, which are plain values. A
//! [`Connection`] sends them: `call` waits for an acknowledgement or one reply, `dump` for a list, `batch`
//! sends many at once. Replies have getters. The getter of an absent attribute returns `None`. Attributes
//! that this crate does not know are kept. Reading and changing both need `CAP_NET_ADMIN` in the namespace.
//!
//! Addresses have their family: an IPv6 address that ends in zeros is not an IPv4 address. Keys do not print,
//! and requests wipe them.
//!
//! Features: `std` (default): without it, only requests and decoding are available, on any system with
//! `alloc`. `tokio`: async connections. `serde`: JSON. `testkit`: canned replies for tests.

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

pub use ip::Address;
pub use netlink_core;
pub use netlink_core::family::*;
pub use netlink_core::net::WideFamily as Family;
#[cfg(feature = "testkit")]
pub use netlink_core::testkit;
pub use spec::SPEC;

netlink_core::protocol! {
    /// The protocol `NETLINK_XFRM`.
    pub static PROTOCOL: XFRM "xfrm" {
        state::State,
        state::DeletedState,
        state::List,
        state::Spi,
        state::Expire,
        state::Flush,
        state::AsyncEvent,
        state::Mapping,
        state::Report,
        state::MigrateState,
        state::Sad,
        policy::Policy,
        policy::DeletedPolicy,
        policy::Expire,
        policy::Flush,
        policy::Acquire,
        policy::Migrate,
        policy::DefaultPolicy,
        policy::Spd,
    }
    events crate::event::Group => crate::event::Event<'static>
}
