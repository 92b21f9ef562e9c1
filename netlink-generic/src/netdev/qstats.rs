//! What devices and their queues counted. Kernel side: `NETDEV_A_QSTATS_*` of `uapi/linux/netdev.h`,
//! `include/net/netdev_queues.h`.
//!
//! A device's are the sum since it was made. Those of its queues may count from when they were last set up, so that
//! they need not add up to it. A counter that the driver doesn't have is absent.
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
    /// What a device or a queue counted. Linux 6.9.
    pub struct Qstats<'a>(Netdev, QstatsAttrs<'a>), QstatsRequest {
        /// Asks for all, and is the answer.
        12 NETDEV_CMD_QSTATS_GET QSTATS_GET,
    }
}

attrs! {
    /// `NETDEV_A_QSTATS_*`.
    pub struct QstatsAttrs<'a> for QstatsRequest<R> {
        /// Index of the link. Told, and narrows a list; the latter Linux 6.10.
        1 NETDEV_A_QSTATS_IFINDEX ifindex: u32,
        /// Direction of the queue. Absent in a device's.
        2 NETDEV_A_QSTATS_QUEUE_TYPE queue_type: QueueType,
        /// Number of the queue. Absent in a device's.
        3 NETDEV_A_QSTATS_QUEUE_ID queue_id: u32,
        /// Whose are asked for; absent, those of devices. Never told.
        4 NETDEV_A_QSTATS_SCOPE scope: QstatsScope,
        /// Packets received, those that an XDP program took included.
        8 NETDEV_A_QSTATS_RX_PACKETS rx_packets: Uint as u64,
        /// Their bytes.
        9 NETDEV_A_QSTATS_RX_BYTES rx_bytes: Uint as u64,
        /// Packets sent, as far as the device has taken them over.
        10 NETDEV_A_QSTATS_TX_PACKETS tx_packets: Uint as u64,
        /// Their bytes.
        11 NETDEV_A_QSTATS_TX_BYTES tx_bytes: Uint as u64,
        /// Buffers that could not be allocated to receive. Packets need not be lost by that.
        12 NETDEV_A_QSTATS_RX_ALLOC_FAIL rx_alloc_fail: Uint as u64,
        /// Packets that came to the device and went no further, for whatever reason. Linux 6.10.
        13 NETDEV_A_QSTATS_RX_HW_DROPS rx_hw_drops: Uint as u64,
        /// Those of them for which there was no room just then. Linux 6.10.
        14 NETDEV_A_QSTATS_RX_HW_DROP_OVERRUNS rx_hw_drop_overruns: Uint as u64,
        /// Packets of which the device told a sum, `CHECKSUM_COMPLETE`. Linux 6.11.
        15 NETDEV_A_QSTATS_RX_CSUM_COMPLETE rx_csum_complete: Uint as u64,
        /// Packets whose checksum the device found right. Linux 6.10.
        16 NETDEV_A_QSTATS_RX_CSUM_UNNECESSARY rx_csum_unnecessary: Uint as u64,
        /// Packets whose checksum the device didn't look at. Linux 6.10.
        17 NETDEV_A_QSTATS_RX_CSUM_NONE rx_csum_none: Uint as u64,
        /// Packets whose checksum is wrong; they are received all the same. Linux 6.10.
        18 NETDEV_A_QSTATS_RX_CSUM_BAD rx_csum_bad: Uint as u64,
        /// Packets that the device put together from smaller ones. Linux 6.10.
        19 NETDEV_A_QSTATS_RX_HW_GRO_PACKETS rx_hw_gro_packets: Uint as u64,
        /// Their bytes. Linux 6.10.
        20 NETDEV_A_QSTATS_RX_HW_GRO_BYTES rx_hw_gro_bytes: Uint as u64,
        /// The smaller packets that they were. Linux 6.10.
        21 NETDEV_A_QSTATS_RX_HW_GRO_WIRE_PACKETS rx_hw_gro_wire_packets: Uint as u64,
        /// And bytes. Linux 6.10.
        22 NETDEV_A_QSTATS_RX_HW_GRO_WIRE_BYTES rx_hw_gro_wire_bytes: Uint as u64,
        /// Packets received beyond a rate that the device allows. Linux 6.10.
        23 NETDEV_A_QSTATS_RX_HW_DROP_RATELIMITS rx_hw_drop_ratelimits: Uint as u64,
        /// Packets that came to the device to be sent and never were, for whatever reason. Linux 6.10.
        24 NETDEV_A_QSTATS_TX_HW_DROPS tx_hw_drops: Uint as u64,
        /// Those of them that made no sense. Linux 6.10.
        25 NETDEV_A_QSTATS_TX_HW_DROP_ERRORS tx_hw_drop_errors: Uint as u64,
        /// Packets sent whose checksum was there. Linux 6.10.
        26 NETDEV_A_QSTATS_TX_CSUM_NONE tx_csum_none: Uint as u64,
        /// Packets sent whose checksum the device made. Linux 6.10.
        27 NETDEV_A_QSTATS_TX_NEEDS_CSUM tx_needs_csum: Uint as u64,
        /// Packets that the device cut into smaller ones. Linux 6.10.
        28 NETDEV_A_QSTATS_TX_HW_GSO_PACKETS tx_hw_gso_packets: Uint as u64,
        /// Their bytes. Linux 6.10.
        29 NETDEV_A_QSTATS_TX_HW_GSO_BYTES tx_hw_gso_bytes: Uint as u64,
        /// The smaller packets that they became. Linux 6.10.
        30 NETDEV_A_QSTATS_TX_HW_GSO_WIRE_PACKETS tx_hw_gso_wire_packets: Uint as u64,
        /// And bytes. Linux 6.10.
        31 NETDEV_A_QSTATS_TX_HW_GSO_WIRE_BYTES tx_hw_gso_wire_bytes: Uint as u64,
        /// Packets not sent, as they were beyond a rate that the device allows. Linux 6.10.
        32 NETDEV_A_QSTATS_TX_HW_DROP_RATELIMITS tx_hw_drop_ratelimits: Uint as u64,
        /// How often the driver took no more packets, as its queue was full. Linux 6.11.
        33 NETDEV_A_QSTATS_TX_STOP tx_stop: Uint as u64,
        /// And took them again. Linux 6.11.
        34 NETDEV_A_QSTATS_TX_WAKE tx_wake: Uint as u64,
    }
}

flags! {
    /// `NETDEV_QSTATS_SCOPE_*`: whose statistics are asked for. None is those of devices.
    pub struct QstatsScope: u32 {
        /// Those of queues.
        0x1 NETDEV_QSTATS_SCOPE_QUEUE QUEUE,
    }
}

/// Lists what the devices of the namespace counted, as far as their drivers keep such counters. A
/// [`scope`](QstatsRequest::scope) of [`QstatsScope::QUEUE`] lists the queues of those that are up instead;
/// [`ifindex`](QstatsRequest::ifindex), Linux 6.10, narrows it to one link: `EOPNOTSUPP` if its driver keeps none.
pub fn list() -> QstatsRequest<Dump<Qstats<'static>>> {
    QstatsRequest::new(&Qstats::QSTATS_GET, MessageFlags::DUMP)
}
