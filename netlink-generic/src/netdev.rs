//! Devices as their drivers run them: XDP, queues, NAPI, page pools, bound memory. Kernel side:
//! `uapi/linux/netdev.h`, `net/core/netdev-genl.c`. Linux 6.3.
//!
//! | module | what | since |
//! | --- | --- | --- |
//! | [`device`] | XDP features | Linux 6.3 |
//! | [`page_pool`] | page pools and what they counted | Linux 6.8 |
//! | [`queue`] | queues, and such that stand for others | Linux 6.8, 7.1 |
//! | [`napi`] | NAPI instances and their settings | Linux 6.8, 6.13 |
//! | [`qstats`] | what devices and queues counted | Linux 6.9 |
//! | [`dmabuf`] | memory bound to a device, to receive and to send | Linux 6.12, 6.16 |
//!
//! A command that the kernel doesn't have is an error before it is sent,
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
//! On a reactor it is the same, with `.await`:
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
    /// Devices as their drivers run them.
    pub struct Netdev(Header): "netdev" = 1 { Device, PagePool, PagePoolStats, Queue, Napi, Qstats, Dmabuf }

    groups {
        /// Devices.
        "mgmt" MGMT,
        /// Page pools. Linux 6.8.
        "page-pool" PAGE_POOL,
    }

    /// What happens to devices and page pools.
    pub enum Event<'a> {
        /// A device came.
        DeviceAdded(Device) = DEV_ADD_NTF,
        /// A device is gone.
        DeviceRemoved(Device) = DEV_DEL_NTF,
        /// A device can do more or less than before.
        DeviceChanged(Device) = DEV_CHANGE_NTF,
        /// A page pool came. Linux 6.8.
        PagePoolAdded(PagePool) = PAGE_POOL_ADD_NTF,
        /// A page pool is gone. Linux 6.8.
        PagePoolRemoved(PagePool) = PAGE_POOL_DEL_NTF,
        /// A page pool was detached, or has another link or NAPI instance. Linux 6.8.
        PagePoolChanged(PagePool) = PAGE_POOL_CHANGE_NTF,
    }
}
