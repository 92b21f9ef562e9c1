//! Sockets over sock_diag: what `ss` shows and `ss -K` closes, as a library.
//!
//! ```no_run
//! use netlink_sockdiag::inet::{self, Extension, Filter, IpProtocol};
//! use netlink_sockdiag::{Family, State};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = netlink_sockdiag::connect()?;
//! let inside = Filter::dest_port(443) & Filter::source("10.0.0.0/8".parse()?);
//! let request = inet::list(Family::INET, IpProtocol::TCP).states(State::ESTABLISHED);
//! let mut sockets = nl.dump(request.extensions(Extension::INFO).filter(&inside))?;
//! while let Some(socket) = sockets.next()? {
//!     let rtt = socket.info().and_then(|info| info.tcp()).map(|tcp| tcp.rtt);
//!     println!("{} {} {rtt:?} us", socket.source(), socket.dest());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what | kernel's header | command |
//! | --- | --- | --- | --- |
//! | [`inet`] | TCP, UDP, UDP-Lite, raw, SCTP and MPTCP sockets | `inet_diag.h` | `ss -tuwSM`, `ss -K` |
//! | [`unix`] | local sockets | `unix_diag.h` | `ss -x` |
//! | [`packet`] | frames of links | `packet_diag.h` | `ss -0` |
//! | [`netlink`] | netlink sockets | `netlink_diag.h` | `ss --netlink` |
//! | [`vsock`] | between virtual machines and their host | `vm_sockets_diag.h` | `ss --vsock` |
//! | [`xdp`] | frames through rings in user memory | `xdp_diag.h` | `ss --xdp` |
//! | [`smc`] | TCP over shared memory | `smc_diag.h` | `smcss` |
//! | [`tipc`] | clusters | `tipc_sockets_diag.h` | `ss --tipc` |
//! | [`event`] | sockets that are destroyed | `sock_diag.h` | `ss -E` |
//!
//! Functions make requests, which are plain values: print them, store them, test their bytes. A [`Connection`] sends them:
//! `call` for an acknowledgement or one reply, `dump` for a list. What comes back is looked at with getters; an attribute
//! that is absent is `None`, and one that this crate does not know is still in there. A socket whose message can't be read
//! is an error of its own and costs the list nothing else.
//!
//! A family whose module is not there is `ENOENT`: the kernel can't load it, or does not, as nobody uses the protocol (SCTP,
//! vsock, SMC, TIPC) and there is no such socket. What the kernel tells of a socket it tells everybody;
//! marks, MD5 keys and most of [`ulp`](inet::InetAttrs::ulp) need `CAP_NET_ADMIN`.
//!
//! Features: `std` (default), without which only requests and decoding are left, on any system with `alloc`; `tokio`;
//! `serde`; `testkit`, canned replies for tests.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod common;
pub mod event;
pub mod inet;
mod memory;
pub mod netlink;
pub mod packet;
pub mod smc;
mod spec;
pub mod tipc;
pub mod unix;
pub mod vsock;
pub mod xdp;

pub use common::{Cookie, NoAttrs, Octets, Shutdown, SocketType, State, States, WireIp};
pub use memory::{Memory, MemoryCounter};
pub use netlink_core;
pub use netlink_core::family::*;
pub use netlink_core::net::Family;
#[cfg(feature = "testkit")]
pub use netlink_core::testkit;
pub use spec::SPEC;

netlink_core::protocol! {
    /// sock_diag.
    pub static PROTOCOL: SOCK_DIAG "sock_diag" {
        inet::InetQuery,
        inet::InetSocket,
        unix::UnixQuery,
        unix::UnixSocket,
        packet::PacketQuery,
        packet::PacketSocket,
        netlink::NetlinkQuery,
        netlink::NetlinkSocket,
        vsock::VsockQuery,
        vsock::VsockSocket,
        xdp::XdpQuery,
        xdp::XdpSocket,
        smc::SmcQuery,
        smc::SmcSocket,
        tipc::TipcQuery,
        tipc::TipcSocket,
    }
    events crate::event::Group => crate::inet::InetSocket<'static>
}
