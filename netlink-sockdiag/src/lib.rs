//! Socket diagnostics: the functions of `ss` and `ss -K` as a library.
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
//! | module | content | kernel's header | command |
//! | --- | --- | --- | --- |
//! | [`inet`] | TCP, UDP, UDP-Lite, raw, SCTP and MPTCP sockets | `inet_diag.h` | `ss -tuwSM`, `ss -K` |
//! | [`unix`] | local sockets | `unix_diag.h` | `ss -x` |
//! | [`packet`] | frames of links | `packet_diag.h` | `ss -0` |
//! | [`netlink`] | netlink sockets | `netlink_diag.h` | `ss --netlink` |
//! | [`vsock`] | sockets between virtual machines and their host | `vm_sockets_diag.h` | `ss --vsock` |
//! | [`xdp`] | sockets with rings in user memory | `xdp_diag.h` | `ss --xdp` |
//! | [`smc`] | TCP over shared memory | `smc_diag.h` | `smcss` |
//! | [`tipc`] | sockets of clusters | `tipc_sockets_diag.h` | `ss --tipc` |
//! | [`event`] | destroyed sockets | `sock_diag.h` | `ss -E` |
//!
//! Functions make requests. Requests are plain values: you can print them, store them, and test their bytes. A
//! [`Connection`] sends them: `call` waits for an acknowledgement or one reply, `dump` for a list. Replies have
//! getters. The getter of an absent attribute returns `None`. Attributes that this crate does not know are kept. If
//! the message of a socket can't be read, that is one error, and the list continues with the next socket.
//!
//! `ENOENT` means that the family's module is not loaded. Either the kernel can't load it, or it does not
//! because no program uses the protocol (SCTP, vsock, SMC, TIPC); then there is no such socket. Most data
//! needs no permission; marks, MD5 keys and most of [`ulp`](inet::InetAttrs::ulp) need `CAP_NET_ADMIN`.
//!
//! Features: `std` (default): without it, only requests and decoding are available, on any system with
//! `alloc`. `tokio`: async connections. `serde`: JSON. `testkit`: canned replies for tests.

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
    /// The protocol `NETLINK_SOCK_DIAG`.
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
