#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_op_in_unsafe_fn)]
//! core
extern crate alloc;

pub mod attr;
pub mod error;
pub mod exchange;
pub mod layout;
pub mod message;
pub mod payload;
pub mod request;
#[doc(hidden)]
pub mod ser;
pub mod spec;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod trace;

#[cfg(all(feature = "std", target_os = "linux"))]
mod blocking;
#[cfg(all(feature = "std", target_os = "linux"))]
mod connection;
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod netns;
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod socket;

#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio;

#[cfg(all(feature = "std", target_os = "linux"))]
pub use blocking::{Connection, Events, Listing, Partial};
#[cfg(all(feature = "std", target_os = "linux"))]
pub use connection::{Notice, Tracer};
#[cfg(all(feature = "std", target_os = "linux"))]
pub use netns::Namespace;
#[cfg(all(feature = "std", target_os = "linux"))]
pub use socket::{OpenOptions, Socket, Stop};

pub use attr::{
    Attr, Attrs, DecodeError, IntoAttr, Malformed, Payload, Row, Rule, Scope, Shape, Table, Unsendable,
    Writer,
};
pub use error::{Errno, Error, ExtAck, KernelError, Place, Warning};
pub use exchange::{Exchange, Expect};
pub use message::{Message, MessageFlags, MessageHeader, MessageType, Messages, Protocol, Sender};
pub use payload::{Array, Be, Bytes, Flag, HwAddr, HwAddrError, Many, Str};
pub use request::{Dump, MessageInfo, Owned, Reply, Request, ToRequest};

#[doc(hidden)]
pub use bitflags;
#[cfg(feature = "serde")]
#[doc(hidden)]
pub use serde;
