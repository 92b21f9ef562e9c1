//! Queues of devices, and the NAPI instances that serve them. Kernel side: `NETDEV_A_QUEUE_*` of
//! `uapi/linux/netdev.h`, `net/core/netdev-genl.c`.
//!
//! ```no_run
//! use netlink_generic::netdev::{self, QueueType, queue};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netdev::connect()?;
//! println!("{:?}", nl.call(queue::get(2, QueueType::RX, 0))?.napi_id());
//! // `list` lists those of all links that are up.
//! let mut queues = nl.dump(queue::list_of(2))?;
//! while let Some(queue) = queues.next()? {
//!     println!("{:?} {:?}: {:?}", queue.kind(), queue.id(), queue.napi_id());
//! }
//!
//! // A queue of a netkit link that leases queue 15 of a network card.
//! let made = nl.call(queue::create(8, 4, 15))?;
//! println!("{:?}", made.id());
//! # Ok(())
//! # }
//! ```

use netlink_core::{Dump, MessageFlags, attrs, values};

use super::Netdev;
use super::page_pool::IoUringAttrs;
use crate::{IntoUnbound as _, Unbound, message};

message! {
    /// A queue of a device. Linux 6.8.
    pub struct Queue<'a>(Netdev, QueueAttrs<'a>), QueueRequest {
        /// Asks for one queue or all. The answers have the same type.
        10 NETDEV_CMD_QUEUE_GET QUEUE_GET,
        /// Creates a queue. The answer has the same type. Linux 7.1.
        16 NETDEV_CMD_QUEUE_CREATE QUEUE_CREATE,
    }
}

attrs! {
    /// `NETDEV_A_QUEUE_*`.
    pub struct QueueAttrs<'a> for QueueRequest<R> {
        /// Its number, from 0 for each link and direction.
        1 NETDEV_A_QUEUE_ID id: u32,
        /// Index of the link.
        2 NETDEV_A_QUEUE_IFINDEX ifindex: u32,
        /// Its direction.
        3 NETDEV_A_QUEUE_TYPE kind: QueueType,
        /// The NAPI instance that serves it. Absent if the driver does not report it.
        4 NETDEV_A_QUEUE_NAPI_ID napi_id: u32,
        /// Number of the binding that provides its memory, see [`dmabuf`](super::dmabuf). Linux 6.12.
        5 NETDEV_A_QUEUE_DMABUF dmabuf: u32,
        /// Present if it receives into memory of an `io_uring`. Linux 6.15.
        6 NETDEV_A_QUEUE_IO_URING io_uring: IoUringAttrs<'a>,
        /// Present if an XDP socket shares its memory. Linux 6.15.
        7 NETDEV_A_QUEUE_XSK xsk: XskAttrs<'a>,
        /// The queue at the other end of the lease. Linux 7.1.
        8 NETDEV_A_QUEUE_LEASE lease: LeaseAttrs<'a>,
    }
}

attrs! {
    /// `NETDEV_A_XSK_INFO_*`: an XDP socket. The kernel has no attributes for it.
    pub struct XskAttrs<'a> for Xsk {}
}

attrs! {
    /// `NETDEV_A_LEASE_*`: the other end of a lease. Linux 7.1.
    pub struct LeaseAttrs<'a> for Lease {
        /// Index of the link.
        1 NETDEV_A_LEASE_IFINDEX ifindex: u32,
        /// The queue.
        2 NETDEV_A_LEASE_QUEUE queue: QueueIdAttrs<'a>,
        /// The namespace of the link, if it is another one. Read-only.
        3 NETDEV_A_LEASE_NETNS_ID netns_id: i32,
    }
}

attrs! {
    /// `NETDEV_A_QUEUE_*`: the attributes that identify a queue of a link.
    pub struct QueueIdAttrs<'a> for QueueId {
        /// Its number.
        1 NETDEV_A_QUEUE_ID id: u32,
        /// Its direction.
        3 NETDEV_A_QUEUE_TYPE kind: QueueType,
    }
}

values! {
    /// `enum netdev_queue_type`: the direction of a queue.
    pub struct QueueType: u32 {
        /// Receive.
        0 NETDEV_QUEUE_TYPE_RX RX "rx",
        /// Send.
        1 NETDEV_QUEUE_TYPE_TX TX "tx",
    }
}

/// Asks for one queue. `ENODEV` if there is no such link, `EINVAL` if the link has no such queue, `ENOENT` if
/// it is down.
pub fn get(ifindex: u32, kind: QueueType, id: u32) -> Unbound<Netdev, Queue<'static>> {
    let request = QueueRequest::new(&Queue::QUEUE_GET, MessageFlags::empty());
    request.ifindex(ifindex).kind(kind).id(id).into_unbound()
}

/// Lists the queues of all links that are up, in the namespace.
pub fn list() -> Unbound<Netdev, Dump<Queue<'static>>> {
    QueueRequest::new(&Queue::QUEUE_GET, MessageFlags::DUMP).into_unbound()
}

/// Lists the queues of one link.
pub fn list_of(ifindex: u32) -> Unbound<Netdev, Dump<Queue<'static>>> {
    QueueRequest::new(&Queue::QUEUE_GET, MessageFlags::DUMP).ifindex(ifindex).into_unbound()
}

/// Creates a receive queue of a virtual device and leases a queue of a physical device to it: memory that is
/// bound to the new queue is used by the physical one. The virtual device can be the peer of a `netkit` pair
/// that was made with more than one receive queue. The answer has only the [`id`](QueueAttrs::id). The lease
/// ends when the virtual device is removed; `EBUSY` if the physical queue is leased. Linux 7.1.
pub fn create(ifindex: u32, physical: u32, queue: u32) -> QueueRequest<Queue<'static>> {
    let queue = QueueId::new().id(queue).kind(QueueType::RX).attrs();
    let lease = Lease::new().ifindex(physical).queue(queue).attrs();
    let request = QueueRequest::new(&Queue::QUEUE_CREATE, MessageFlags::empty());
    request.ifindex(ifindex).kind(QueueType::RX).lease(lease)
}
