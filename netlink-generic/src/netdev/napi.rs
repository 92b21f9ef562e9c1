//! NAPI instances: what polls the queues of a device. Kernel side: `NETDEV_A_NAPI_*` of `uapi/linux/netdev.h`,
//! `net/core/netdev-genl.c`.
//!
//! ```no_run
//! use netlink_generic::netdev::{self, NapiThreaded, napi};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netdev::connect()?;
//! // Without `ifindex`, those of all links that are up.
//! let mut instances = nl.dump(napi::list_of(2))?;
//! while let Some(napi) = instances.next()? {
//!     println!("{:?}: interrupt {:?}", napi.id(), napi.irq());
//! }
//!
//! // Polled by a thread, and interrupts rest for a while.
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
        /// Asks for one or all, and is the answer.
        11 NETDEV_CMD_NAPI_GET NAPI_GET,
        /// Changes one. Linux 6.13.
        14 NETDEV_CMD_NAPI_SET NAPI_SET,
    }
}

attrs! {
    /// `NETDEV_A_NAPI_*`. What is absent in a request stays as it is.
    pub struct NapiAttrs<'a> for NapiRequest<R> {
        /// Index of the link. Told, and narrows a list.
        1 NETDEV_A_NAPI_IFINDEX ifindex: u32,
        /// Its number, unique in the kernel: what `SO_INCOMING_NAPI_ID` tells.
        2 NETDEV_A_NAPI_ID id: u32,
        /// Number of its interrupt. Absent if the driver doesn't say. Told only.
        3 NETDEV_A_NAPI_IRQ irq: u32,
        /// The thread that polls. Absent if none does. Told only.
        4 NETDEV_A_NAPI_PID pid: u32,
        /// Polls in a row that find nothing before the interrupt is let through again; 0, the default, is at once. Up
        /// to `i32::MAX`. Linux 6.13.
        5 NETDEV_A_NAPI_DEFER_HARD_IRQS defer_hard_irqs: u32,
        /// Nanoseconds to the next poll while the interrupt is deferred; 0, the default, is none. Unless it is 0, GRO
        /// keeps recent packets from one poll to the next. Linux 6.13.
        6 NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT gro_flush_timeout: Uint as u64,
        /// Nanoseconds for which a busy polling program that finds packets keeps the interrupt off; 0, the default, is
        /// none. Linux 6.13.
        7 NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT irq_suspend_timeout: Uint as u64,
        /// Whether a thread polls, and how. Linux 6.17.
        8 NETDEV_A_NAPI_THREADED threaded: NapiThreaded,
    }
}

values! {
    /// `enum netdev_napi_threaded`: who polls.
    pub struct NapiThreaded: u32 {
        /// The software interrupt.
        0 NETDEV_NAPI_THREADED_DISABLED DISABLED "disabled",
        /// A thread.
        1 NETDEV_NAPI_THREADED_ENABLED ENABLED "enabled",
        /// A thread that never rests. Linux 6.19.
        2 NETDEV_NAPI_THREADED_BUSY_POLL BUSY_POLL "busy-poll",
    }
}

/// Asks for one instance. `ENOENT` if there is no such instance in the namespace, or its link is down.
pub fn get(id: u32) -> Unbound<Netdev, Napi<'static>> {
    NapiRequest::new(&Napi::NAPI_GET, MessageFlags::empty()).id(id).into_unbound()
}

/// Lists the instances of all links of the namespace that are up.
pub fn list() -> Unbound<Netdev, Dump<Napi<'static>>> {
    NapiRequest::new(&Napi::NAPI_GET, MessageFlags::DUMP).into_unbound()
}

/// Lists those of one link.
pub fn list_of(ifindex: u32) -> Unbound<Netdev, Dump<Napi<'static>>> {
    NapiRequest::new(&Napi::NAPI_GET, MessageFlags::DUMP).ifindex(ifindex).into_unbound()
}

/// Changes one instance, with what the setters add. The files `napi_defer_hard_irqs`, `gro_flush_timeout` and
/// `threaded` of the link in `/sys/class/net` change all of its instances. Linux 6.13.
pub fn set(id: u32) -> NapiRequest<()> {
    NapiRequest::new(&Napi::NAPI_SET, MessageFlags::ACK).id(id)
}
