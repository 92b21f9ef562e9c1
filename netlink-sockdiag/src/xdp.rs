//! Sockets that exchange frames through rings in user memory. Kernel side: `uapi/linux/xdp_diag.h`,
//! `net/xdp/xsk_diag.c`. Linux 5.1.
//!
//! ```
//! use netlink_sockdiag::xdp::{self, XdpShow};
//!
//! let drops = xdp::list().show(XdpShow::INFO | XdpShow::STATS);
//! ```

use netlink_core::layout::Pad;
use netlink_core::{Dump, MessageFlags, MessageInfo, attrs, flags, layout, message};

use crate::{Cookie, Family, Memory, NoAttrs, SocketType};

flags! {
    /// `XDP_SHOW_*`: attributes to send.
    pub struct XdpShow: u32 {
        /// [`info`](XdpAttrs::info) and [`uid`](XdpAttrs::uid).
        0x1 XDP_SHOW_INFO INFO,
        /// [`rx_ring`](XdpAttrs::rx_ring) and [`tx_ring`](XdpAttrs::tx_ring).
        0x2 XDP_SHOW_RING_CFG RING_CFG,
        /// [`umem`](XdpAttrs::umem) and its rings.
        0x4 XDP_SHOW_UMEM UMEM,
        /// [`memory`](XdpAttrs::memory).
        0x8 XDP_SHOW_MEMINFO MEMINFO,
        /// [`stats`](XdpAttrs::stats). Linux 5.9.
        0x10 XDP_SHOW_STATS STATS,
    }
}

flags! {
    /// `XDP_DU_F_*`: flags of the memory.
    pub struct UmemFlags: u32 {
        /// The device uses the memory without copying.
        0x1 XDP_DU_F_ZEROCOPY ZEROCOPY,
    }
}

layout! {
    /// `struct xdp_diag_req`.
    pub struct XdpQueryHeader: xdp_diag_req = 20 {
        /// [`Family::XDP`].
        family: Family,
        /// Always 0.
        protocol: u8,
        /// Padding.
        pad: Pad<2>,
        /// Not used.
        inode: u32,
        /// Attributes to send.
        show: XdpShow,
        /// Not used.
        cookie: Cookie,
    }
}

layout! {
    /// `struct xdp_diag_msg`.
    pub struct XdpHeader: xdp_diag_msg = 16 {
        /// [`Family::XDP`].
        family: Family,
        /// Always raw.
        socket_type: SocketType,
        /// Padding.
        pad: Pad<2>,
        /// Inode of the socket.
        inode: u32,
        /// Cookie.
        cookie: Cookie,
    }
}

layout! {
    /// `struct xdp_diag_info`.
    pub struct XdpInfo: xdp_diag_info = 8 {
        /// The link that it is bound to; 0 is none.
        interface: u32,
        /// The queue of the link.
        queue: u32,
    }
}

layout! {
    /// `struct xdp_diag_ring`.
    pub struct XdpRing: xdp_diag_ring = 4 {
        /// Number of descriptors.
        entries: u32,
    }
}

layout! {
    /// `struct xdp_diag_umem`: the memory of frames.
    pub struct Umem: xdp_diag_umem = 40 {
        /// Size, in bytes.
        size: u64,
        /// Its id; several sockets can share the memory.
        id: u32,
        /// Number of pages.
        pages: u32,
        /// Size in bytes of a chunk, which holds one frame.
        chunk_size: u32,
        /// Bytes kept free before each frame.
        headroom: u32,
        /// The link that it is bound to.
        interface: u32,
        /// The queue of the link.
        queue: u32,
        /// Flags.
        flags: UmemFlags,
        /// Number of users.
        users: u32,
    }
}

layout! {
    /// `struct xdp_diag_stats`: dropped frames and invalid descriptors.
    pub struct XdpStats: xdp_diag_stats = 48 {
        /// Received frames that were dropped for reasons without a counter of their own.
        rx_dropped: u64,
        /// Invalid descriptors in the fill ring.
        rx_invalid: u64,
        /// Received frames that were dropped because the receive ring was full.
        rx_full: u64,
        /// How often the fill ring was empty.
        fill_ring_empty: u64,
        /// Invalid descriptors in the send ring.
        tx_invalid: u64,
        /// How often the send ring was empty.
        tx_ring_empty: u64,
    }
}

message! {
    /// A query for XDP sockets.
    pub struct XdpQuery<'a>(XdpQueryHeader, NoAttrs<'a>), XdpRequest {
        /// Asks for all sockets.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    about (crate::common::inode!(XdpQuery))
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[XdpSocket::MESSAGES], ..XdpQuery::BY_FAMILY };

attrs! {
    /// `XDP_DIAG_*`.
    pub struct XdpAttrs<'a> for XdpReply<R> {
        /// The link and queue that it is bound to.
        1 XDP_DIAG_INFO info: XdpInfo,
        /// Owner.
        2 XDP_DIAG_UID uid: u32,
        /// The ring of received frames.
        3 XDP_DIAG_RX_RING rx_ring: XdpRing,
        /// The ring of frames to send.
        4 XDP_DIAG_TX_RING tx_ring: XdpRing,
        /// The memory of frames.
        5 XDP_DIAG_UMEM umem: Umem,
        /// The ring of chunks to receive into.
        6 XDP_DIAG_UMEM_FILL_RING fill_ring: XdpRing,
        /// The ring of chunks that were sent.
        7 XDP_DIAG_UMEM_COMPLETION_RING completion_ring: XdpRing,
        /// Memory in the kernel.
        8 XDP_DIAG_MEMINFO memory: Memory<'a>,
        /// Statistics of drops. Linux 5.9.
        9 XDP_DIAG_STATS stats: XdpStats,
    }
}

message! {
    /// An XDP socket.
    pub struct XdpSocket<'a>(XdpHeader, XdpAttrs<'a>), XdpReply {
        /// A requested socket.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

/// Lists all sockets with all attributes. The kernel has no query for one socket.
pub fn list() -> XdpRequest<Dump<XdpSocket<'static>>> {
    let header = XdpQueryHeader::default().family(Family::XDP).show(XdpShow::all());
    XdpRequest::new(&ASK, MessageFlags::DUMP, header)
}

impl<R> XdpRequest<R> {
    /// Send only these attributes of each socket.
    pub fn show(self, show: XdpShow) -> Self {
        self.header(|header| header.show = show)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let bytes = list().show(XdpShow::UMEM).to_bytes().unwrap();
        assert_eq!(bytes[16..20], [44, 0, 0, 0]);
        assert_eq!(bytes[24..28], 4u32.to_ne_bytes());
    }
}
