//! NAPI instances, which poll the queues of a device. Kernel side: `NETDEV_A_NAPI_*` of
//! `uapi/linux/netdev.h`, `net/core/netdev-genl.c`.
//!
//! ```no_run
//! use netlink_generic::netdev::{self, NapiThreaded, napi};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netdev::connect()?;
//! // `list` lists those of all links that are up.
//! let mut instances = nl.dump(napi::list_of(2))?;
//! while let Some(napi) = instances.next()? {
//!     println!("{:?}: interrupt {:?}", napi.id(), napi.irq());
//! }
//!
//! // A thread polls, and interrupts are deferred.
//! let request = napi::set(513).threaded(NapiThreaded::ENABLED);
//! nl.call(request.defer_hard_irqs(100u32).gro_flush_timeout(20_000u64))?;
//! println!("{:?}", nl.call(napi::get(513))?.pid());
//! # Ok(())
//! # }
//! ```

use netlink_core::{Dump, MessageFlags, Uint, attrs, values};

use super::Netdev;
use crate::{IntoUnbound as _, Unbound, message};

message! {
    /// A NAPI instance. Linux 6.8.
    pub struct Napi<'a>(Netdev, NapiAttrs<'a>), NapiRequest {
        /// Asks for one instance or all. The answers have the same type.
        11 NETDEV_CMD_NAPI_GET NAPI_GET,
        /// Changes an instance. Linux 6.13.
        14 NETDEV_CMD_NAPI_SET NAPI_SET,
    }
}

attrs! {
    /// `NETDEV_A_NAPI_*`. Settings that a request does not have do not change.
    pub struct NapiAttrs<'a> for NapiRequest<R> {
        /// Index of the link. In a list: only instances of this link.
        1 NETDEV_A_NAPI_IFINDEX ifindex: u32,
        /// Its number, unique in the kernel: the value of `SO_INCOMING_NAPI_ID`.
        2 NETDEV_A_NAPI_ID id: u32,
        /// Number of its interrupt. Absent if the driver does not report it. Read-only.
        3 NETDEV_A_NAPI_IRQ irq: u32,
        /// The thread that polls. Absent without such a thread. Read-only.
        4 NETDEV_A_NAPI_PID pid: u32,
        /// Number of successive polls without a packet before the interrupt is enabled again, up to
        /// `i32::MAX`. 0, the default, enables it at once. Linux 6.13.
        5 NETDEV_A_NAPI_DEFER_HARD_IRQS defer_hard_irqs: u32,
        /// Nanoseconds until the next poll while the interrupt is deferred; 0, the default, is no such poll.
        /// If it is not 0, GRO keeps recent packets from one poll to the next. Linux 6.13.
        6 NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT gro_flush_timeout: Uint as u64,
        /// Nanoseconds for which a busy polling program that finds packets keeps the interrupt disabled; 0,
        /// the default, is none. Linux 6.13.
        7 NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT irq_suspend_timeout: Uint as u64,
        /// Whether a thread polls, and in which mode. Linux 6.17.
        8 NETDEV_A_NAPI_THREADED threaded: NapiThreaded,
    }
}

values! {
    /// `enum netdev_napi_threaded`: who polls.
    pub struct NapiThreaded: u32 {
        /// The software interrupt polls.
        0 NETDEV_NAPI_THREADED_DISABLED DISABLED "disabled",
        /// A thread polls.
        1 NETDEV_NAPI_THREADED_ENABLED ENABLED "enabled",
        /// A thread polls without pause. Linux 6.19.
        2 NETDEV_NAPI_THREADED_BUSY_POLL BUSY_POLL "busy-poll",
    }
}

/// Asks for one instance. `ENOENT` if the namespace has no such instance, or if its link is down.
pub fn get(id: u32) -> Unbound<Netdev, Napi<'static>> {
    NapiRequest::new(&Napi::NAPI_GET, MessageFlags::empty()).id(id).into_unbound()
}

/// Lists the instances of all links that are up, in the namespace.
pub fn list() -> Unbound<Netdev, Dump<Napi<'static>>> {
    NapiRequest::new(&Napi::NAPI_GET, MessageFlags::DUMP).into_unbound()
}

/// Lists the instances of one link.
pub fn list_of(ifindex: u32) -> Unbound<Netdev, Dump<Napi<'static>>> {
    NapiRequest::new(&Napi::NAPI_GET, MessageFlags::DUMP).ifindex(ifindex).into_unbound()
}

/// Changes the settings of one instance that its setters add. To change all instances of a link, use the files
/// `napi_defer_hard_irqs`, `gro_flush_timeout` and `threaded` of the link in `/sys/class/net`. Linux 6.13.
pub fn set(id: u32) -> NapiRequest<()> {
    NapiRequest::new(&Napi::NAPI_SET, MessageFlags::ACK).id(id)
}
