//! Devices: the XDP features of their drivers. Kernel side: `NETDEV_A_DEV_*` of `uapi/linux/netdev.h`,
//! `net/core/netdev-genl.c`.
//!
//! ```no_run
//! use netlink_generic::netdev::{self, XdpAct, device};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netdev::connect()?;
//! let able = nl.call(device::get(2))?.xdp_features().unwrap_or_default();
//! println!("redirects: {}", able.contains(XdpAct::REDIRECT));
//! let mut devices = nl.dump(device::list())?;
//! while let Some(device) = devices.next()? {
//!     println!("{:?}: {:?}", device.ifindex(), device.xdp_features());
//! }
//! # Ok(())
//! # }
//! ```

use netlink_core::{Dump, MessageFlags, attrs, flags};

use super::Netdev;
use crate::{IntoUnbound as _, Unbound, message};

message! {
    /// A device. Linux 6.3.
    pub struct Device<'a>(Netdev, DeviceAttrs<'a>), DeviceRequest {
        /// Asks for one device or all. The answers have the same type.
        1 NETDEV_CMD_DEV_GET DEV_GET,
        /// A device was added.
        2 NETDEV_CMD_DEV_ADD_NTF DEV_ADD_NTF [received],
        /// A device was removed.
        3 NETDEV_CMD_DEV_DEL_NTF DEV_DEL_NTF [received],
        /// The features of a device changed.
        4 NETDEV_CMD_DEV_CHANGE_NTF DEV_CHANGE_NTF [received],
    }
}

attrs! {
    /// `NETDEV_A_DEV_*`.
    pub struct DeviceAttrs<'a> for DeviceRequest<R> {
        /// Index of the link.
        1 NETDEV_A_DEV_IFINDEX ifindex: u32,
        /// Features for XDP programs in its current configuration.
        3 NETDEV_A_DEV_XDP_FEATURES xdp_features: XdpAct,
        /// Largest number of fragments of a packet that an XDP socket can send without copying; only with
        /// [`XdpAct::XSK_ZEROCOPY`]. Linux 6.6.
        4 NETDEV_A_DEV_XDP_ZC_MAX_SEGS xdp_zc_max_segs: u32,
        /// Metadata of received packets that XDP programs can read. Linux 6.7.
        5 NETDEV_A_DEV_XDP_RX_METADATA_FEATURES xdp_rx_metadata_features: XdpRxMetadata,
        /// Features that XDP sockets can request when sending. Linux 6.8.
        6 NETDEV_A_DEV_XSK_FEATURES xsk_features: XskFlags,
    }
}

flags! {
    /// `NETDEV_XDP_ACT_*`: features of a device for XDP programs.
    pub struct XdpAct: u64 {
        /// It runs programs, and supports `XDP_ABORTED`, `XDP_DROP`, `XDP_PASS` and `XDP_TX`.
        0x1 NETDEV_XDP_ACT_BASIC BASIC,
        /// It supports `XDP_REDIRECT`.
        0x2 NETDEV_XDP_ACT_REDIRECT REDIRECT,
        /// Packets can be redirected to it.
        0x4 NETDEV_XDP_ACT_NDO_XMIT NDO_XMIT,
        /// XDP sockets can send and receive without copying.
        0x8 NETDEV_XDP_ACT_XSK_ZEROCOPY XSK_ZEROCOPY,
        /// Its hardware can run programs.
        0x10 NETDEV_XDP_ACT_HW_OFFLOAD HW_OFFLOAD,
        /// Programs can receive packets of several fragments.
        0x20 NETDEV_XDP_ACT_RX_SG RX_SG,
        /// Packets of several fragments can be redirected to it.
        0x40 NETDEV_XDP_ACT_NDO_XMIT_SG NDO_XMIT_SG,
    }
}

flags! {
    /// `NETDEV_XDP_RX_METADATA_*`: metadata of received packets that XDP programs can read.
    pub struct XdpRxMetadata: u64 {
        /// The time when the hardware received the packet.
        0x1 NETDEV_XDP_RX_METADATA_TIMESTAMP TIMESTAMP,
        /// The hash of the packet.
        0x2 NETDEV_XDP_RX_METADATA_HASH HASH,
        /// The VLAN tag that the hardware removed. Linux 6.8.
        0x4 NETDEV_XDP_RX_METADATA_VLAN_TAG VLAN_TAG,
    }
}

flags! {
    /// `NETDEV_XSK_FLAGS_*`: features that XDP sockets can request when sending.
    pub struct XskFlags: u64 {
        /// The time when the hardware sent the packet.
        0x1 NETDEV_XSK_FLAGS_TX_TIMESTAMP TX_TIMESTAMP,
        /// The hardware computes the checksum.
        0x2 NETDEV_XSK_FLAGS_TX_CHECKSUM TX_CHECKSUM,
        /// The hardware sends packets at given times, in order. Linux 6.15.
        0x4 NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO TX_LAUNCH_TIME_FIFO,
    }
}

/// Asks for the device of a link. `ENODEV` if there is no such link.
pub fn get(ifindex: u32) -> Unbound<Netdev, Device<'static>> {
    DeviceRequest::new(&Device::DEV_GET, MessageFlags::empty()).ifindex(ifindex).into_unbound()
}

/// Lists the devices of the namespace. The kernel has no filter for this list.
pub fn list() -> Unbound<Netdev, Dump<Device<'static>>> {
    DeviceRequest::new(&Device::DEV_GET, MessageFlags::DUMP).into_unbound()
}
