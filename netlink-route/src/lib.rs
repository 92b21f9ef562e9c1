//! rtnetlink
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

mod ip;
pub mod route;

pub use ip::{Addr, AddrError, Family};
