//! rtnetlink
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

mod ip;
pub mod route;
mod spec;

pub use ip::{Addr, AddrError, Family};
pub use spec::SPEC;
