//! Statistics of devices and their queues. Kernel side: `NETDEV_A_QSTATS_*` of `uapi/linux/netdev.h`,
//! `include/net/netdev_queues.h`.
//!
//! The counters of a device are sums since it was created. The counters of a queue may start when the queue
//! is set up again, so their sum can be smaller. A counter that the driver does not have is absent.
//!
//! ```no_run
//! use netlink_generic::netdev::{self, QstatsScope, qstats};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netdev::connect()?;
//! let mut devices = nl.dump(qstats::list())?;
//! while let Some(device) = devices.next()? {
//!     println!("{:?}: {:?}", device.ifindex(), device.rx_packets());
//! }
//! let mut queues = nl.dump(qstats::list().scope(QstatsScope::QUEUE).ifindex(2))?;
//! while let Some(queue) = queues.next()? {
//!     println!("{:?} {:?}: {:?}", queue.queue_type(), queue.queue_id(), queue.rx_alloc_fail());
//! }
//! # Ok(())
//! # }
//! ```

use netlink_core::{Dump, MessageFlags, Uint, attrs, flags};

use super::Netdev;
use super::queue::QueueType;
use crate::message;

message! {
    /// Statistics of a device or a queue. Linux 6.9.
    pub struct Qstats<'a>(Netdev, QstatsAttrs<'a>), QstatsRequest {
        /// Asks for all. The answers have the same type.
        12 NETDEV_CMD_QSTATS_GET QSTATS_GET,
    }
}

attrs! {
    /// `NETDEV_A_QSTATS_*`.
    pub struct QstatsAttrs<'a> for QstatsRequest<R> {
        /// Index of the link. In a list: only statistics of this link, Linux 6.10.
        1 NETDEV_A_QSTATS_IFINDEX ifindex: u32,
        /// Direction of the queue. Absent in statistics of a device.
        2 NETDEV_A_QSTATS_QUEUE_TYPE queue_type: QueueType,
        /// Number of the queue. Absent in statistics of a device.
        3 NETDEV_A_QSTATS_QUEUE_ID queue_id: u32,
        /// Scope of the list. Absent: devices. Never in a reply.
        4 NETDEV_A_QSTATS_SCOPE scope: QstatsScope,
        /// Packets received, including those that an XDP program handled.
        8 NETDEV_A_QSTATS_RX_PACKETS rx_packets: Uint as u64,
        /// Bytes received.
        9 NETDEV_A_QSTATS_RX_BYTES rx_bytes: Uint as u64,
        /// Packets sent, after the device completed them.
        10 NETDEV_A_QSTATS_TX_PACKETS tx_packets: Uint as u64,
        /// Bytes sent.
        11 NETDEV_A_QSTATS_TX_BYTES tx_bytes: Uint as u64,
        /// Failed allocations of receive buffers. They do not always lose packets.
        12 NETDEV_A_QSTATS_RX_ALLOC_FAIL rx_alloc_fail: Uint as u64,
        /// Packets that arrived at the device and were dropped for any reason. Linux 6.10.
        13 NETDEV_A_QSTATS_RX_HW_DROPS rx_hw_drops: Uint as u64,
        /// Packets that were dropped for lack of space. Linux 6.10.
        14 NETDEV_A_QSTATS_RX_HW_DROP_OVERRUNS rx_hw_drop_overruns: Uint as u64,
        /// Packets for which the device reported a checksum, `CHECKSUM_COMPLETE`. Linux 6.11.
        15 NETDEV_A_QSTATS_RX_CSUM_COMPLETE rx_csum_complete: Uint as u64,
        /// Packets whose checksum the device verified as correct. Linux 6.10.
        16 NETDEV_A_QSTATS_RX_CSUM_UNNECESSARY rx_csum_unnecessary: Uint as u64,
        /// Packets whose checksum the device did not check. Linux 6.10.
        17 NETDEV_A_QSTATS_RX_CSUM_NONE rx_csum_none: Uint as u64,
        /// Packets with a wrong checksum; they are delivered too. Linux 6.10.
        18 NETDEV_A_QSTATS_RX_CSUM_BAD rx_csum_bad: Uint as u64,
        /// Packets that the device merged from smaller ones. Linux 6.10.
        19 NETDEV_A_QSTATS_RX_HW_GRO_PACKETS rx_hw_gro_packets: Uint as u64,
        /// Bytes of the merged packets. Linux 6.10.
        20 NETDEV_A_QSTATS_RX_HW_GRO_BYTES rx_hw_gro_bytes: Uint as u64,
        /// Smaller packets that were merged. Linux 6.10.
        21 NETDEV_A_QSTATS_RX_HW_GRO_WIRE_PACKETS rx_hw_gro_wire_packets: Uint as u64,
        /// Bytes of the smaller packets that were merged. Linux 6.10.
        22 NETDEV_A_QSTATS_RX_HW_GRO_WIRE_BYTES rx_hw_gro_wire_bytes: Uint as u64,
        /// Packets dropped on reception because of the device's rate limit. Linux 6.10.
        23 NETDEV_A_QSTATS_RX_HW_DROP_RATELIMITS rx_hw_drop_ratelimits: Uint as u64,
        /// Packets that the device dropped when sending, for any reason. Linux 6.10.
        24 NETDEV_A_QSTATS_TX_HW_DROPS tx_hw_drops: Uint as u64,
        /// Packets that the device dropped when sending because they were invalid. Linux 6.10.
        25 NETDEV_A_QSTATS_TX_HW_DROP_ERRORS tx_hw_drop_errors: Uint as u64,
        /// Packets sent that needed no checksum of the device. Linux 6.10.
        26 NETDEV_A_QSTATS_TX_CSUM_NONE tx_csum_none: Uint as u64,
        /// Packets sent whose checksum the device computed. Linux 6.10.
        27 NETDEV_A_QSTATS_TX_NEEDS_CSUM tx_needs_csum: Uint as u64,
        /// Packets that the device split into smaller ones. Linux 6.10.
        28 NETDEV_A_QSTATS_TX_HW_GSO_PACKETS tx_hw_gso_packets: Uint as u64,
        /// Bytes of the split packets. Linux 6.10.
        29 NETDEV_A_QSTATS_TX_HW_GSO_BYTES tx_hw_gso_bytes: Uint as u64,
        /// Smaller packets that resulted. Linux 6.10.
        30 NETDEV_A_QSTATS_TX_HW_GSO_WIRE_PACKETS tx_hw_gso_wire_packets: Uint as u64,
        /// Bytes of the smaller packets that resulted. Linux 6.10.
        31 NETDEV_A_QSTATS_TX_HW_GSO_WIRE_BYTES tx_hw_gso_wire_bytes: Uint as u64,
        /// Packets not sent because of the device's rate limit. Linux 6.10.
        32 NETDEV_A_QSTATS_TX_HW_DROP_RATELIMITS tx_hw_drop_ratelimits: Uint as u64,
        /// How often the driver stopped a queue because it was full. Linux 6.11.
        33 NETDEV_A_QSTATS_TX_STOP tx_stop: Uint as u64,
        /// How often the driver started a queue again. Linux 6.11.
        34 NETDEV_A_QSTATS_TX_WAKE tx_wake: Uint as u64,
    }
}

flags! {
    /// `NETDEV_QSTATS_SCOPE_*`: scope of the statistics. An empty scope means devices.
    pub struct QstatsScope: u32 {
        /// Statistics of queues.
        0x1 NETDEV_QSTATS_SCOPE_QUEUE QUEUE,
    }
}

/// Lists the statistics of the namespace's devices whose drivers have them. With the [`scope`](QstatsRequest::scope)
/// [`QstatsScope::QUEUE`] it lists the queues of devices that are up. [`ifindex`](QstatsRequest::ifindex), Linux
/// 6.10, selects one link: `EOPNOTSUPP` if its driver has no statistics.
pub fn list() -> QstatsRequest<Dump<Qstats<'static>>> {
    QstatsRequest::new(&Qstats::QSTATS_GET, MessageFlags::DUMP)
}
