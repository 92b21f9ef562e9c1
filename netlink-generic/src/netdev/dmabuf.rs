//! Memory of other devices, such as GPUs, for receiving and sending: a `dma-buf` bound to a network device.
//! Kernel side: `NETDEV_A_DMABUF_*` of `uapi/linux/netdev.h`, `net/core/netdev-genl.c`, `net/core/devmem.c`.
//!
//! A binding ends when the connection that made it is closed.
//!
//! ```no_run
//! use netlink_generic::netdev::{self, dmabuf};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! # let fd = 3;
//! let mut nl = netdev::connect()?;
//! let received = nl.call(dmabuf::bind_rx(2, fd, &[14, 15]))?;
//! let sent = nl.call(dmabuf::bind_tx(2, fd))?;
//! // The ids in `SCM_DEVMEM_DMABUF` of received packets and of packets to send.
//! println!("{:?} {:?}", received.id(), sent.id());
//! # Ok(())
//! # }
//! ```

use alloc::vec::Vec;

use netlink_core::{Many, MessageFlags, attrs};

use super::Netdev;
use super::queue::{QueueId, QueueIdAttrs, QueueType};
use crate::message;

message! {
    /// Memory that is bound to a device. Linux 6.12.
    pub struct Dmabuf<'a>(Netdev, DmabufAttrs<'a>), DmabufRequest {
        /// Binds memory to receive queues. The answer has the same type.
        13 NETDEV_CMD_BIND_RX BIND_RX,
        /// Binds memory for sending. The answer has the same type. Linux 6.16.
        15 NETDEV_CMD_BIND_TX BIND_TX,
    }
}

attrs! {
    /// `NETDEV_A_DMABUF_*`.
    pub struct DmabufAttrs<'a> for DmabufRequest<R> {
        /// Index of the link.
        1 NETDEV_A_DMABUF_IFINDEX ifindex: u32,
        /// The queues that receive into the memory.
        2 NETDEV_A_DMABUF_QUEUES queues: Many<'a, QueueIdAttrs<'a>>,
        /// Descriptor of the memory in the calling process.
        3 NETDEV_A_DMABUF_FD fd: u32,
        /// Number of the binding. Read-only.
        4 NETDEV_A_DMABUF_ID id: u32,
        /// Size of the contiguous buffers that the device writes to, in bytes: a power of two, at least the
        /// page size, which is the default. After Linux 6.18.
        5 NETDEV_A_DMABUF_RX_PAGE_SIZE rx_page_size: u32,
    }
}

/// Binds memory to receive queues of a device that splits headers from payloads. The answer has the
/// [`id`](DmabufAttrs::id). Requires `CAP_NET_ADMIN`.
pub fn bind_rx(ifindex: u32, fd: u32, queues: &[u32]) -> DmabufRequest<Dmabuf<'static>> {
    let queues: Vec<_> = queues.iter().map(|id| QueueId::new().id(*id).kind(QueueType::RX).attrs()).collect();
    let request = DmabufRequest::new(&Dmabuf::BIND_RX, MessageFlags::empty());
    request.ifindex(ifindex).fd(fd).queues(&queues[..])
}

/// Binds memory for sending. The answer has the [`id`](DmabufAttrs::id). Linux 6.16.
pub fn bind_tx(ifindex: u32, fd: u32) -> DmabufRequest<Dmabuf<'static>> {
    DmabufRequest::new(&Dmabuf::BIND_TX, MessageFlags::empty()).ifindex(ifindex).fd(fd)
}
