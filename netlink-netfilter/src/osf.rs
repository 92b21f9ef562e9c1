//! Fingerprints of operating systems: the form of a TCP connection's first packet reveals the sender's system.
//! `nfnl_osf` as a library. Kernel side: `uapi/linux/netfilter/nfnetlink_osf.h`, `net/netfilter/nfnetlink_osf.c`.
//!
//! ```no_run
//! use netlink_netfilter::osf::{self, Fingerprint};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = netlink_netfilter::connect()?;
//! for line in std::fs::read_to_string("/etc/pf.os")?.lines() {
//!     if let Ok(fingerprint) = line.parse::<Fingerprint>() {
//!         nl.call(osf::add_unless_there(&fingerprint))?;
//!     }
//! }
//! // nft add rule inet filter input osf name Linux counter
//!
//! let own: Fingerprint = "*:64:1:60:M*,S,T,N,W*:Intranet:1::what our machines send".parse()?;
//! nl.call(osf::add(&own))?;
//! nl.call(osf::remove(&own))?;
//! # Ok(())
//! # }
//! ```
//!
//! Fingerprints belong to the machine, not to a namespace. They need `CAP_NET_ADMIN` in the initial user
//! namespace. The kernel compares them in the order in which they were added. They can't be listed.

use netlink_core::{MessageFlags, MessageInfo, Request, attrs, message};

use crate::Header;

mod fingerprint;
mod line;

pub use fingerprint::{
    Fingerprint, FingerprintError, Label, OptionKind, TcpOption, TcpOptions, Wildcard, WindowKind,
};

attrs! {
    /// `OSF_ATTR_*`: a fingerprint.
    pub struct OsfAttrs<'a> for OsfRequest<R> {
        /// The fingerprint.
        1 OSF_ATTR_FINGER finger: Fingerprint,
    }
}

message! {
    /// A fingerprint.
    pub struct Osf<'a>(Header, OsfAttrs<'a>), OsfRequest {
        /// Adds a fingerprint.
        0x500 OSF_MSG_ADD ADD,
        /// Removes a fingerprint.
        0x501 OSF_MSG_REMOVE REMOVE,
    }
    on crate::PROTOCOL
}

fn request(info: &'static MessageInfo, flags: MessageFlags, fingerprint: &Fingerprint) -> Request<()> {
    OsfRequest::new(info, flags, Header::default()).finger(*fingerprint).into_request()
}

/// Adds a fingerprint; `EEXIST` if one with the same bytes exists.
pub fn add(fingerprint: &Fingerprint) -> Request<()> {
    request(&Osf::ADD, MessageFlags::CREATE | MessageFlags::EXCL, fingerprint)
}

/// Adds a fingerprint unless one with the same bytes exists.
pub fn add_unless_there(fingerprint: &Fingerprint) -> Request<()> {
    request(&Osf::ADD, MessageFlags::CREATE, fingerprint)
}

/// Removes a fingerprint; `ENOENT` if none has the same bytes.
pub fn remove(fingerprint: &Fingerprint) -> Request<()> {
    request(&Osf::REMOVE, MessageFlags::empty(), fingerprint)
}
