//! Network devices and their drivers: XDP, queues, NAPI, page pools, bound memory. Kernel side:
//! `uapi/linux/netdev.h`, `net/core/netdev-genl.c`. Linux 6.3.
//!
//! | module | content | since |
//! | --- | --- | --- |
//! | [`device`] | XDP features | Linux 6.3 |
//! | [`page_pool`] | page pools and their statistics | Linux 6.8 |
//! | [`queue`] | queues, and leases of them | Linux 6.8, 7.1 |
//! | [`napi`] | NAPI instances and their settings | Linux 6.8, 6.13 |
//! | [`qstats`] | statistics of devices and queues | Linux 6.9 |
//! | [`dmabuf`] | memory bound to a device, for receiving and sending | Linux 6.12, 6.16 |
//!
//! A command that the kernel doesn't have is an error before it is sent; the error
//! [`is_unsupported`](crate::Error::is_unsupported).
//!
//! # Notifications
//!
//! ```no_run
//! use netlink_generic::Notice;
//! use netlink_generic::netdev::{self, Event, Netdev};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut events = netdev::subscribe(&[Netdev::MGMT, Netdev::PAGE_POOL])?;
//! while let Notice::Event { event, .. } = events.next()? {
//!     match event {
//!         Event::DeviceAdded(device) => println!("{:?} came: {:?}", device.ifindex(), device.xdp_features()),
//!         Event::PagePoolRemoved(pool) => println!("page pool {:?} is gone", pool.id()),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! With tokio it is the same, with `.await`:
//!
//! ```no_run
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), netlink_generic::Error> {
//! use netlink_generic::netdev::{self, Netdev, device};
//!
//! let mut nl = netdev::tokio::connect().await?;
//! println!("{:?}", nl.call(device::get(1)).await?);
//! let mut events = netdev::tokio::subscribe(&[Netdev::MGMT]).await?;
//! println!("{:?}", events.next().await?);
//! # Ok(())
//! # }
//! ```

pub mod device;
pub mod dmabuf;
pub mod napi;
pub mod page_pool;
pub mod qstats;
pub mod queue;

pub use device::{Device, DeviceAttrs, DeviceRequest, XdpAct, XdpRxMetadata, XskFlags};
pub use dmabuf::{Dmabuf, DmabufAttrs, DmabufRequest};
pub use napi::{Napi, NapiAttrs, NapiRequest, NapiThreaded};
pub use page_pool::{
    IoUring, IoUringAttrs, PagePool, PagePoolAttrs, PagePoolInfo, PagePoolInfoAttrs, PagePoolRequest,
    PagePoolStats, PagePoolStatsAttrs, PagePoolStatsRequest,
};
pub use qstats::{Qstats, QstatsAttrs, QstatsRequest, QstatsScope};
pub use queue::{
    Lease, LeaseAttrs, Queue, QueueAttrs, QueueId, QueueIdAttrs, QueueRequest, QueueType, Xsk, XskAttrs,
};

use crate::{Header, family};

family! {
    /// Network devices and their drivers.
    pub struct Netdev(Header): "netdev" = 1 { Device, PagePool, PagePoolStats, Queue, Napi, Qstats, Dmabuf }

    groups {
        /// Devices.
        "mgmt" MGMT,
        /// Page pools. Linux 6.8.
        "page-pool" PAGE_POOL,
    }

    /// Events of devices and page pools.
    pub enum Event<'a> {
        /// A device was added.
        DeviceAdded(Device) = DEV_ADD_NTF,
        /// A device was removed.
        DeviceRemoved(Device) = DEV_DEL_NTF,
        /// The features of a device changed.
        DeviceChanged(Device) = DEV_CHANGE_NTF,
        /// A page pool was added. Linux 6.8.
        PagePoolAdded(PagePool) = PAGE_POOL_ADD_NTF,
        /// A page pool was removed. Linux 6.8.
        PagePoolRemoved(PagePool) = PAGE_POOL_DEL_NTF,
        /// A page pool was detached, or has another link or NAPI instance. Linux 6.8.
        PagePoolChanged(PagePool) = PAGE_POOL_CHANGE_NTF,
    }
}
