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
    /// `XDP_SHOW_*`: what is told of each socket.
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
    /// `XDP_DU_F_*`: switches of the memory.
    pub struct UmemFlags: u32 {
        /// The device reads and writes it without a copy.
        0x1 XDP_DU_F_ZEROCOPY ZEROCOPY,
    }
}

layout! {
    /// `struct xdp_diag_req`.
    pub struct XdpQueryHeader: xdp_diag_req = 20 {
        /// [`Family::XDP`].
        family: Family,
        /// 0.
        protocol: u8,
        /// Padding.
        pad: Pad<2>,
        /// Not looked at.
        inode: u32,
        /// What is told of each socket.
        show: XdpShow,
        /// Not looked at.
        cookie: Cookie,
    }
}

layout! {
    /// `struct xdp_diag_msg`.
    pub struct XdpHeader: xdp_diag_msg = 16 {
        /// [`Family::XDP`].
        family: Family,
        /// Raw.
        socket_type: SocketType,
        /// Padding.
        pad: Pad<2>,
        /// Inode of the socket.
        inode: u32,
        /// Its cookie.
        cookie: Cookie,
    }
}

layout! {
    /// `struct xdp_diag_info`.
    pub struct XdpInfo: xdp_diag_info = 8 {
        /// The link it is bound to; 0 is none.
        interface: u32,
        /// The queue of the link.
        queue: u32,
    }
}

layout! {
    /// `struct xdp_diag_ring`.
    pub struct XdpRing: xdp_diag_ring = 4 {
        /// How many descriptors it holds.
        entries: u32,
    }
}

layout! {
    /// `struct xdp_diag_umem`: the memory that frames are in.
    pub struct Umem: xdp_diag_umem = 40 {
        /// Bytes.
        size: u64,
        /// Its id: sockets may share it.
        id: u32,
        /// How many pages it takes.
        pages: u32,
        /// Bytes of a chunk, which holds a frame.
        chunk_size: u32,
        /// Bytes kept free before a frame.
        headroom: u32,
        /// The link it is bound to.
        interface: u32,
        /// The queue of the link.
        queue: u32,
        /// Its switches.
        flags: UmemFlags,
        /// How many use it.
        users: u32,
    }
}

layout! {
    /// `struct xdp_diag_stats`: frames and descriptors that came to nothing.
    pub struct XdpStats: xdp_diag_stats = 48 {
        /// Frames dropped that were received, for other reasons than those below.
        rx_dropped: u64,
        /// Descriptors of the fill ring that were not valid.
        rx_invalid: u64,
        /// Frames dropped because the receive ring was full.
        rx_full: u64,
        /// How often the fill ring was empty.
        fill_ring_empty: u64,
        /// Descriptors of the send ring that were not valid.
        tx_invalid: u64,
        /// How often the send ring was empty.
        tx_ring_empty: u64,
    }
}

message! {
    /// A query of XDP sockets.
    pub struct XdpQuery<'a>(XdpQueryHeader, NoAttrs<'a>), XdpRequest {
        /// Asks for all.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    about (crate::common::inode!(XdpQuery))
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[XdpSocket::MESSAGES], ..XdpQuery::BY_FAMILY };

attrs! {
    /// `XDP_DIAG_*`.
    pub struct XdpAttrs<'a> for XdpReply<R> {
        /// Where it is bound.
        1 XDP_DIAG_INFO info: XdpInfo,
        /// Who made it.
        2 XDP_DIAG_UID uid: u32,
        /// Frames received, for the process.
        3 XDP_DIAG_RX_RING rx_ring: XdpRing,
        /// Frames to send, from the process.
        4 XDP_DIAG_TX_RING tx_ring: XdpRing,
        /// The memory that frames are in.
        5 XDP_DIAG_UMEM umem: Umem,
        /// Chunks to receive into, from the process.
        6 XDP_DIAG_UMEM_FILL_RING fill_ring: XdpRing,
        /// Chunks that were sent, for the process.
        7 XDP_DIAG_UMEM_COMPLETION_RING completion_ring: XdpRing,
        /// Memory of the kernel.
        8 XDP_DIAG_MEMINFO memory: Memory<'a>,
        /// What came to nothing. Linux 5.9.
        9 XDP_DIAG_STATS stats: XdpStats,
    }
}

message! {
    /// An XDP socket.
    pub struct XdpSocket<'a>(XdpHeader, XdpAttrs<'a>), XdpReply {
        /// A socket that was asked for.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

/// Lists all sockets, and tells all of them. The kernel can't be asked for one.
pub fn list() -> XdpRequest<Dump<XdpSocket<'static>>> {
    let header = XdpQueryHeader::default().family(Family::XDP).show(XdpShow::all());
    XdpRequest::new(&ASK, MessageFlags::DUMP, header)
}

impl<R> XdpRequest<R> {
    /// Tell no more of each socket than this.
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
