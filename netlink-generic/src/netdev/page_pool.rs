//! Page pools: drivers allocate the memory for received packets from them. Kernel side:
//! `NETDEV_A_PAGE_POOL_*` of `uapi/linux/netdev.h`, `net/core/page_pool_user.c`.
//!
//! Only pools that their driver attached to a device are listed. A pool that its driver released stays until
//! all its pages were returned. It then has a [`detach_time`](PagePoolAttrs::detach_time), and belongs to the
//! loopback link if its device was removed.
//!
//! ```no_run
//! use netlink_generic::netdev::{self, page_pool};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = netdev::connect()?;
//! let mut pools = nl.dump(page_pool::list())?;
//! while let Some(pool) = pools.next()? {
//!     println!("{:?}: {:?} bytes in use", pool.id(), pool.inflight_mem());
//! }
//! println!("{:?}", nl.call(page_pool::get(7))?.detach_time());
//!
//! // Statistics of one pool, and of all pools of a link.
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
        /// Asks for one pool or all. The answers have the same type.
        5 NETDEV_CMD_PAGE_POOL_GET PAGE_POOL_GET,
        /// A pool was added.
        6 NETDEV_CMD_PAGE_POOL_ADD_NTF PAGE_POOL_ADD_NTF [received],
        /// A pool was removed.
        7 NETDEV_CMD_PAGE_POOL_DEL_NTF PAGE_POOL_DEL_NTF [received],
        /// A pool was detached, or has another link or NAPI instance.
        8 NETDEV_CMD_PAGE_POOL_CHANGE_NTF PAGE_POOL_CHANGE_NTF [received],
    }
}

message! {
    /// Statistics of a page pool. Linux 6.8, if built with `CONFIG_PAGE_POOL_STATS`.
    pub struct PagePoolStats<'a>(Netdev, PagePoolStatsAttrs<'a>), PagePoolStatsRequest {
        /// Asks for one pool or all. The answers have the same type.
        9 NETDEV_CMD_PAGE_POOL_STATS_GET PAGE_POOL_STATS_GET,
    }
}

attrs! {
    /// `NETDEV_A_PAGE_POOL_*`.
    pub struct PagePoolAttrs<'a> for PagePoolRequest<R> {
        /// Its number, unique in the kernel. It is not reused soon.
        1 NETDEV_A_PAGE_POOL_ID id: Uint as u64,
        /// Index of the link. Index of the loopback link once the pool's link was removed.
        2 NETDEV_A_PAGE_POOL_IFINDEX ifindex: u32,
        /// The NAPI instance that allocates from it. Absent if there is none.
        3 NETDEV_A_PAGE_POOL_NAPI_ID napi_id: Uint as u64,
        /// Number of pages that were allocated and not yet returned.
        4 NETDEV_A_PAGE_POOL_INFLIGHT inflight: Uint as u64,
        /// Bytes of these pages.
        5 NETDEV_A_PAGE_POOL_INFLIGHT_MEM inflight_mem: Uint as u64,
        /// When the driver released the pool, in seconds of `CLOCK_BOOTTIME`. Absent while the pool is in use.
        6 NETDEV_A_PAGE_POOL_DETACH_TIME detach_time: Uint as u64,
        /// Number of the binding that provides its memory, see [`dmabuf`](super::dmabuf). Linux 6.12.
        7 NETDEV_A_PAGE_POOL_DMABUF dmabuf: u32,
        /// Present if an `io_uring` provides its memory. Linux 6.15.
        8 NETDEV_A_PAGE_POOL_IO_URING io_uring: IoUringAttrs<'a>,
    }
}

attrs! {
    /// `NETDEV_A_IO_URING_PROVIDER_INFO_*`: memory of an `io_uring` that receives without copying.
    pub struct IoUringAttrs<'a> for IoUring {
        /// Size of a buffer, in bytes. After Linux 6.18.
        1 NETDEV_A_IO_URING_PROVIDER_INFO_RX_BUF_LEN rx_buf_len: Uint as u64,
    }
}

attrs! {
    /// `NETDEV_A_PAGE_POOL_*`: the pool that statistics belong to.
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
        /// The pool.
        1 NETDEV_A_PAGE_POOL_STATS_INFO info: PagePoolInfoAttrs<'a>,
        /// Allocations from the cache.
        8 NETDEV_A_PAGE_POOL_STATS_ALLOC_FAST alloc_fast: Uint as u64,
        /// Allocations of a single page from the kernel's allocator.
        9 NETDEV_A_PAGE_POOL_STATS_ALLOC_SLOW alloc_slow: Uint as u64,
        /// Allocations of several pages at once from the kernel's allocator.
        10 NETDEV_A_PAGE_POOL_STATS_ALLOC_SLOW_HIGH_ORDER alloc_slow_high_order: Uint as u64,
        /// The ring was empty, and the kernel's allocator was used.
        11 NETDEV_A_PAGE_POOL_STATS_ALLOC_EMPTY alloc_empty: Uint as u64,
        /// The cache was refilled from the ring.
        12 NETDEV_A_PAGE_POOL_STATS_ALLOC_REFILL alloc_refill: Uint as u64,
        /// Pages in the ring of another NUMA node, which were freed.
        13 NETDEV_A_PAGE_POOL_STATS_ALLOC_WAIVE alloc_waive: Uint as u64,
        /// Pages that were returned to the cache.
        14 NETDEV_A_PAGE_POOL_STATS_RECYCLE_CACHED recycle_cached: Uint as u64,
        /// Pages that were returned while the cache was full.
        15 NETDEV_A_PAGE_POOL_STATS_RECYCLE_CACHE_FULL recycle_cache_full: Uint as u64,
        /// Pages that were returned to the ring.
        16 NETDEV_A_PAGE_POOL_STATS_RECYCLE_RING recycle_ring: Uint as u64,
        /// Pages that were freed because the ring was full.
        17 NETDEV_A_PAGE_POOL_STATS_RECYCLE_RING_FULL recycle_ring_full: Uint as u64,
        /// Pages that were freed because another user still held them.
        18 NETDEV_A_PAGE_POOL_STATS_RECYCLE_RELEASED_REFCNT recycle_released_refcnt: Uint as u64,
    }
}

/// Asks for one pool. `ENOENT` if the namespace has no such pool.
pub fn get(id: u32) -> Unbound<Netdev, PagePool<'static>> {
    PagePoolRequest::new(&PagePool::PAGE_POOL_GET, MessageFlags::empty()).id(u64::from(id)).into_unbound()
}

/// Lists the pools of the namespace.
pub fn list() -> Unbound<Netdev, Dump<PagePool<'static>>> {
    PagePoolRequest::new(&PagePool::PAGE_POOL_GET, MessageFlags::DUMP).into_unbound()
}

/// Lists the pools of one link. Kernels without such a filter, for example Linux 6.18, list all pools; this
/// crate skips the others.
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

/// Asks for the statistics of one pool.
pub fn get_stats(id: u32) -> Unbound<Netdev, PagePoolStats<'static>> {
    let info = PagePoolInfo::new().id(u64::from(id)).attrs();
    PagePoolStatsRequest::new(&PagePoolStats::PAGE_POOL_STATS_GET, MessageFlags::empty())
        .info(info)
        .into_unbound()
}

/// Lists the statistics of the pools of the namespace.
pub fn list_stats() -> Unbound<Netdev, Dump<PagePoolStats<'static>>> {
    PagePoolStatsRequest::new(&PagePoolStats::PAGE_POOL_STATS_GET, MessageFlags::DUMP).into_unbound()
}

/// Lists the statistics of the pools of one link.
pub fn list_stats_of(ifindex: u32) -> Unbound<Netdev, Dump<PagePoolStats<'static>>> {
    let request = PagePoolStatsRequest::new(&PagePoolStats::PAGE_POOL_STATS_GET, MessageFlags::DUMP);
    request.info(PagePoolInfo::new().ifindex(ifindex).attrs()).into_unbound()
}
