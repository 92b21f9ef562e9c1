//! Page pools: where drivers get the memory for what they receive. Kernel side: `NETDEV_A_PAGE_POOL_*` of
//! `uapi/linux/netdev.h`, `net/core/page_pool_user.c`.
//!
//! Only pools that their driver tied to a device are listed. One that its driver let go of stays until all its pages
//! are back; it is then [`detached`](PagePoolAttrs::detach_time), and on the loopback link if its device is gone.
//!
//! ```no_run
//! use netlink_generic::netdev::{self, page_pool};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netdev::connect()?;
//! let mut pools = nl.dump(page_pool::list())?;
//! while let Some(pool) = pools.next()? {
//!     println!("{:?}: {:?} bytes are out", pool.id(), pool.inflight_mem());
//! }
//! println!("{:?}", nl.call(page_pool::get(7))?.detach_time());
//!
//! // Of one, and of all that a link has.
//! println!("{:?}", nl.call(page_pool::get_stats(7))?.alloc_slow());
//! let mut stats = nl.dump(page_pool::list_stats_of(2))?;
//! while let Some(stats) = stats.next()? {
//!     println!("{:?}: {:?}", stats.info().and_then(|pool| pool.id()), stats.recycle_ring());
//! }
//! # Ok(())
//! # }
//! ```

use netlink_core::{Dump, Message, MessageFlags, MessageInfo, Uint, attrs};

use super::Netdev;
use crate::{IntoUnbound as _, Unbound, message};

message! {
    /// A page pool. Linux 6.8.
    pub struct PagePool<'a>(Netdev, PagePoolAttrs<'a>), PagePoolRequest {
        /// Asks for one or all, and is the answer.
        5 NETDEV_CMD_PAGE_POOL_GET PAGE_POOL_GET,
        /// One came.
        6 NETDEV_CMD_PAGE_POOL_ADD_NTF PAGE_POOL_ADD_NTF [received],
        /// One is gone.
        7 NETDEV_CMD_PAGE_POOL_DEL_NTF PAGE_POOL_DEL_NTF [received],
        /// One was detached, or has another link or NAPI instance.
        8 NETDEV_CMD_PAGE_POOL_CHANGE_NTF PAGE_POOL_CHANGE_NTF [received],
    }
}

message! {
    /// What a page pool counted. Linux 6.8, if it was built with `CONFIG_PAGE_POOL_STATS`.
    pub struct PagePoolStats<'a>(Netdev, PagePoolStatsAttrs<'a>), PagePoolStatsRequest {
        /// Asks for one or all, and is the answer.
        9 NETDEV_CMD_PAGE_POOL_STATS_GET PAGE_POOL_STATS_GET,
    }
}

attrs! {
    /// `NETDEV_A_PAGE_POOL_*`.
    pub struct PagePoolAttrs<'a> for PagePoolRequest<R> {
        /// Its number, unique in the kernel and not used again soon.
        1 NETDEV_A_PAGE_POOL_ID id: Uint as u64,
        /// Index of the link. That of the loopback link once its own is gone.
        2 NETDEV_A_PAGE_POOL_IFINDEX ifindex: u32,
        /// The NAPI instance that allocates from it, while there is one.
        3 NETDEV_A_PAGE_POOL_NAPI_ID napi_id: Uint as u64,
        /// Pages that were allocated and are not yet back.
        4 NETDEV_A_PAGE_POOL_INFLIGHT inflight: Uint as u64,
        /// Their bytes.
        5 NETDEV_A_PAGE_POOL_INFLIGHT_MEM inflight_mem: Uint as u64,
        /// When the driver let go of it, in seconds of `CLOCK_BOOTTIME`. Absent while it is in use.
        6 NETDEV_A_PAGE_POOL_DETACH_TIME detach_time: Uint as u64,
        /// Number of the binding whose memory it gives out, see [`dmabuf`](super::dmabuf). Linux 6.12.
        7 NETDEV_A_PAGE_POOL_DMABUF dmabuf: u32,
        /// There if it gives out memory of an `io_uring`. Linux 6.15.
        8 NETDEV_A_PAGE_POOL_IO_URING io_uring: IoUringAttrs<'a>,
    }
}

attrs! {
    /// `NETDEV_A_IO_URING_PROVIDER_INFO_*`: memory of an `io_uring`, which receives into it without copying.
    pub struct IoUringAttrs<'a> for IoUring {
        /// Bytes of a buffer. Newer than Linux 6.18.
        1 NETDEV_A_IO_URING_PROVIDER_INFO_RX_BUF_LEN rx_buf_len: Uint as u64,
    }
}

attrs! {
    /// `NETDEV_A_PAGE_POOL_*`, as far as statistics say which pool they are of.
    pub struct PagePoolInfoAttrs<'a> for PagePoolInfo {
        /// Its number.
        1 NETDEV_A_PAGE_POOL_ID id: Uint as u64,
        /// Index of the link.
        2 NETDEV_A_PAGE_POOL_IFINDEX ifindex: u32,
    }
}

attrs! {
    /// `NETDEV_A_PAGE_POOL_STATS_*`: events since the pool was made.
    pub struct PagePoolStatsAttrs<'a> for PagePoolStatsRequest<R> {
        /// Which pool.
        1 NETDEV_A_PAGE_POOL_STATS_INFO info: PagePoolInfoAttrs<'a>,
        /// Allocations from the cache.
        8 NETDEV_A_PAGE_POOL_STATS_ALLOC_FAST alloc_fast: Uint as u64,
        /// Allocations of a single page from the kernel's allocator.
        9 NETDEV_A_PAGE_POOL_STATS_ALLOC_SLOW alloc_slow: Uint as u64,
        /// Allocations of several pages at once from there.
        10 NETDEV_A_PAGE_POOL_STATS_ALLOC_SLOW_HIGH_ORDER alloc_slow_high_order: Uint as u64,
        /// The ring was empty, so that the kernel's allocator was asked.
        11 NETDEV_A_PAGE_POOL_STATS_ALLOC_EMPTY alloc_empty: Uint as u64,
        /// The cache was refilled from the ring.
        12 NETDEV_A_PAGE_POOL_STATS_ALLOC_REFILL alloc_refill: Uint as u64,
        /// Pages of the ring that were of another NUMA node, and given back.
        13 NETDEV_A_PAGE_POOL_STATS_ALLOC_WAIVE alloc_waive: Uint as u64,
        /// Pages that came back to the cache.
        14 NETDEV_A_PAGE_POOL_STATS_RECYCLE_CACHED recycle_cached: Uint as u64,
        /// The cache was full as a page came back.
        15 NETDEV_A_PAGE_POOL_STATS_RECYCLE_CACHE_FULL recycle_cache_full: Uint as u64,
        /// Pages that came back to the ring.
        16 NETDEV_A_PAGE_POOL_STATS_RECYCLE_RING recycle_ring: Uint as u64,
        /// Pages that were freed, as the ring was full.
        17 NETDEV_A_PAGE_POOL_STATS_RECYCLE_RING_FULL recycle_ring_full: Uint as u64,
        /// Pages that were freed, as somebody else still held them.
        18 NETDEV_A_PAGE_POOL_STATS_RECYCLE_RELEASED_REFCNT recycle_released_refcnt: Uint as u64,
    }
}

/// Asks for one pool. `ENOENT` if there is no such pool in the namespace.
pub fn get(id: u32) -> Unbound<Netdev, PagePool<'static>> {
    PagePoolRequest::new(&PagePool::PAGE_POOL_GET, MessageFlags::empty()).id(u64::from(id)).into_unbound()
}

/// Lists the pools of the namespace.
pub fn list() -> Unbound<Netdev, Dump<PagePool<'static>>> {
    PagePoolRequest::new(&PagePool::PAGE_POOL_GET, MessageFlags::DUMP).into_unbound()
}

/// Lists those of one link. Kernels that have no such filter, Linux 6.18 among them, list all: the others are passed
/// over.
pub fn list_of(ifindex: u32) -> Unbound<Netdev, Dump<PagePool<'static>>> {
    const LIST: MessageInfo = PagePool::PAGE_POOL_GET.filtered(|_| Some(is_of_link));
    PagePoolRequest::new(&LIST, MessageFlags::DUMP).ifindex(ifindex).into_unbound()
}

fn is_of_link(asked: &Message<'_>, reply: &Message<'_>) -> bool {
    match (PagePool::read(asked), PagePool::read(reply)) {
        (Ok(asked), Ok(pool)) => asked.ifindex() == pool.ifindex(),
        _ => true,
    }
}

/// Asks for what one pool counted.
pub fn get_stats(id: u32) -> Unbound<Netdev, PagePoolStats<'static>> {
    let info = PagePoolInfo::new().id(u64::from(id)).attrs();
    PagePoolStatsRequest::new(&PagePoolStats::PAGE_POOL_STATS_GET, MessageFlags::empty())
        .info(info)
        .into_unbound()
}

/// Lists what the pools of the namespace counted.
pub fn list_stats() -> Unbound<Netdev, Dump<PagePoolStats<'static>>> {
    PagePoolStatsRequest::new(&PagePoolStats::PAGE_POOL_STATS_GET, MessageFlags::DUMP).into_unbound()
}

/// Lists what the pools of one link counted.
pub fn list_stats_of(ifindex: u32) -> Unbound<Netdev, Dump<PagePoolStats<'static>>> {
    let request = PagePoolStatsRequest::new(&PagePoolStats::PAGE_POOL_STATS_GET, MessageFlags::DUMP);
    request.info(PagePoolInfo::new().ifindex(ifindex).attrs()).into_unbound()
}
