//! Devices: what their drivers can do for XDP and its sockets. Kernel side: `NETDEV_A_DEV_*` of
//! `uapi/linux/netdev.h`, `net/core/netdev-genl.c`.
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
        /// Asks for one or all, and is the answer.
        1 NETDEV_CMD_DEV_GET DEV_GET,
        /// One came.
        2 NETDEV_CMD_DEV_ADD_NTF DEV_ADD_NTF [received],
        /// One is gone.
        3 NETDEV_CMD_DEV_DEL_NTF DEV_DEL_NTF [received],
        /// One can do more or less than before.
        4 NETDEV_CMD_DEV_CHANGE_NTF DEV_CHANGE_NTF [received],
    }
}

attrs! {
    /// `NETDEV_A_DEV_*`.
    pub struct DeviceAttrs<'a> for DeviceRequest<R> {
        /// Index of the link.
        1 NETDEV_A_DEV_IFINDEX ifindex: u32,
        /// What it does for XDP programs as it is configured now.
        3 NETDEV_A_DEV_XDP_FEATURES xdp_features: XdpAct,
        /// Most fragments of a packet that it sends from a socket without copying; only with
        /// [`XdpAct::XSK_ZEROCOPY`]. Linux 6.6.
        4 NETDEV_A_DEV_XDP_ZC_MAX_SEGS xdp_zc_max_segs: u32,
        /// What XDP programs can learn of a received packet. Linux 6.7.
        5 NETDEV_A_DEV_XDP_RX_METADATA_FEATURES xdp_rx_metadata_features: XdpRxMetadata,
        /// What XDP sockets can ask for as they send. Linux 6.8.
        6 NETDEV_A_DEV_XSK_FEATURES xsk_features: XskFlags,
    }
}

flags! {
    /// `NETDEV_XDP_ACT_*`: what a device does for XDP programs.
    pub struct XdpAct: u64 {
        /// It runs them, and does `XDP_ABORTED`, `XDP_DROP`, `XDP_PASS` and `XDP_TX`.
        0x1 NETDEV_XDP_ACT_BASIC BASIC,
        /// And `XDP_REDIRECT`.
        0x2 NETDEV_XDP_ACT_REDIRECT REDIRECT,
        /// Packets can be redirected to it.
        0x4 NETDEV_XDP_ACT_NDO_XMIT NDO_XMIT,
        /// XDP sockets share memory with it.
        0x8 NETDEV_XDP_ACT_XSK_ZEROCOPY XSK_ZEROCOPY,
        /// Its hardware runs programs.
        0x10 NETDEV_XDP_ACT_HW_OFFLOAD HW_OFFLOAD,
        /// Programs see packets of several fragments.
        0x20 NETDEV_XDP_ACT_RX_SG RX_SG,
        /// Packets of several fragments can be redirected to it.
        0x40 NETDEV_XDP_ACT_NDO_XMIT_SG NDO_XMIT_SG,
    }
}

flags! {
    /// `NETDEV_XDP_RX_METADATA_*`: what XDP programs can learn of a received packet.
    pub struct XdpRxMetadata: u64 {
        /// When the hardware received it.
        0x1 NETDEV_XDP_RX_METADATA_TIMESTAMP TIMESTAMP,
        /// Its hash.
        0x2 NETDEV_XDP_RX_METADATA_HASH HASH,
        /// Its VLAN tag, where the hardware took it off. Linux 6.8.
        0x4 NETDEV_XDP_RX_METADATA_VLAN_TAG VLAN_TAG,
    }
}

flags! {
    /// `NETDEV_XSK_FLAGS_*`: what XDP sockets can ask for as they send.
    pub struct XskFlags: u64 {
        /// When the hardware sent a packet.
        0x1 NETDEV_XSK_FLAGS_TX_TIMESTAMP TX_TIMESTAMP,
        /// That the hardware fills in a checksum.
        0x2 NETDEV_XSK_FLAGS_TX_CHECKSUM TX_CHECKSUM,
        /// That the hardware sends a packet at a given time, in order. Linux 6.15.
        0x4 NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO TX_LAUNCH_TIME_FIFO,
    }
}

/// Asks for the device of a link. `ENODEV` if there is no such link.
pub fn get(ifindex: u32) -> Unbound<Netdev, Device<'static>> {
    DeviceRequest::new(&Device::DEV_GET, MessageFlags::empty()).ifindex(ifindex).into_unbound()
}

/// Lists the devices of the namespace. The kernel has no filter for it.
pub fn list() -> Unbound<Netdev, Dump<Device<'static>>> {
    DeviceRequest::new(&Device::DEV_GET, MessageFlags::DUMP).into_unbound()
}
