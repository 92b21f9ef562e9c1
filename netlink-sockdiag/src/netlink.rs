//! Netlink sockets. Kernel side: `uapi/linux/netlink_diag.h`, `net/netlink/diag.c`.
//!
//! ```no_run
//! use netlink_sockdiag::{Protocol, netlink};
//!
//! # fn main() -> Result<(), netlink_sockdiag::Error> {
//! let mut nl = netlink_sockdiag::connect()?;
//! let mut sockets = nl.dump(netlink::list().protocol(Protocol::ROUTE))?;
//! while let Some(socket) = sockets.next()? {
//!     if socket.groups().is_some_and(|groups| groups.contains(1)) {
//!         println!("port {} receives events of links", socket.header().port);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use core::fmt;

use netlink_core::layout::Pad;
use netlink_core::{
    Dump, Malformed, MessageFlags, MessageInfo, Payload, Rule, Shape, Writer, attrs, flags, layout, leaf,
    message, values,
};

use crate::{Cookie, Family, Memory, NoAttrs, Protocol, SocketType};

values! {
    /// The protocol whose sockets are listed: one, by its number, or all.
    pub struct NetlinkProtocol: u8 {
        /// All protocols.
        255 NDIAG_PROTO_ALL ALL "all",
    }
}

flags! {
    /// `NDIAG_SHOW_*`: attributes to send.
    pub struct NetlinkShow: u32 {
        /// [`memory`](NetlinkAttrs::memory).
        0x1 NDIAG_SHOW_MEMINFO MEMINFO,
        /// [`groups`](NetlinkAttrs::groups).
        0x2 NDIAG_SHOW_GROUPS GROUPS,
        /// [`rx_ring`](NetlinkAttrs::rx_ring) and [`tx_ring`](NetlinkAttrs::tx_ring). Until Linux 4.5.
        0x4 NDIAG_SHOW_RING_CFG RING_CFG,
        /// [`flags`](NetlinkAttrs::flags).
        0x8 NDIAG_SHOW_FLAGS FLAGS,
    }
}

flags! {
    /// `NDIAG_FLAG_*`: flags of a netlink socket.
    pub struct NetlinkFlags: u32 {
        /// A dump is in progress.
        0x1 NDIAG_FLAG_CB_RUNNING CB_RUNNING,
        /// `NETLINK_PKTINFO`.
        0x2 NDIAG_FLAG_PKTINFO PKTINFO,
        /// `NETLINK_BROADCAST_ERROR`.
        0x4 NDIAG_FLAG_BROADCAST_ERROR BROADCAST_ERROR,
        /// `NETLINK_NO_ENOBUFS`.
        0x8 NDIAG_FLAG_NO_ENOBUFS NO_ENOBUFS,
        /// `NETLINK_LISTEN_ALL_NSID`.
        0x10 NDIAG_FLAG_LISTEN_ALL_NSID LISTEN_ALL_NSID,
        /// `NETLINK_CAP_ACK`.
        0x20 NDIAG_FLAG_CAP_ACK CAP_ACK,
    }
}

layout! {
    /// `struct netlink_diag_req`.
    pub struct NetlinkQueryHeader: netlink_diag_req = 20 {
        /// [`Family::NETLINK`].
        family: Family,
        /// Protocol of the sockets.
        protocol: NetlinkProtocol,
        /// Padding.
        pad: Pad<2>,
        /// Not used.
        inode: u32,
        /// Attributes to send.
        show: NetlinkShow,
        /// Not used.
        cookie: Cookie,
    }
}

layout! {
    /// `struct netlink_diag_msg`.
    pub struct NetlinkHeader: netlink_diag_msg = 28 {
        /// [`Family::NETLINK`].
        family: Family,
        /// Raw or datagram; there is no difference.
        socket_type: SocketType,
        /// The protocol; see [`NetlinkSocket::protocol`].
        protocol: u8,
        /// 1 with a fixed peer, 0 after the peer was removed, 7 without a peer.
        state: u8,
        /// Port; 0 is the kernel.
        port: u32,
        /// Default destination port; 0 is the kernel.
        dest_port: u32,
        /// Default destination group, as a bit.
        dest_group: u32,
        /// Inode of the socket; 0 for sockets of the kernel.
        inode: u32,
        /// Cookie.
        cookie: Cookie,
    }
}

layout! {
    /// `struct netlink_diag_ring`.
    pub struct NetlinkRing: netlink_diag_ring = 16 {
        /// Size of a block, in bytes.
        block_size: u32,
        /// Number of blocks.
        blocks: u32,
        /// Size of a frame, in bytes.
        frame_size: u32,
        /// Number of frames.
        frames: u32,
    }
}

/// A set of multicast groups, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetlinkGroups<'a>(
    /// The words of the kernel, of the type `unsigned long`.
    pub &'a [u8],
);

impl<'a> NetlinkGroups<'a> {
    /// Whether the socket is a member of this group. The first group is 1.
    pub fn contains(&self, group: u32) -> bool {
        let Some(bit) = group.checked_sub(1) else { return false };
        // The bitmap consists of machine words. On big-endian machines the lowest byte of a word is the last.
        let turn = if cfg!(target_endian = "big") { size_of::<usize>() - 1 } else { 0 };
        self.0.get((bit as usize / 8) ^ turn).is_some_and(|byte| byte >> (bit % 8) & 1 != 0)
    }

    /// The groups that the socket is a member of.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        let groups = *self;
        let bits = u32::try_from(self.0.len() * 8).unwrap_or(u32::MAX);
        (1..=bits).filter(move |group| groups.contains(*group))
    }
}

impl<'a> Payload<'a> for NetlinkGroups<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = leaf!(NetlinkGroups<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self(payload))
    }

    fn encode(&self, out: &mut Writer) {
        out.push(self.0);
    }
}

impl fmt::Debug for NetlinkGroups<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

netlink_core::serialize! { @with ['a] NetlinkGroups<'a>, |groups, serializer| {
    serializer.collect_seq(groups.iter())
} }

message! {
    /// A query for netlink sockets.
    pub struct NetlinkQuery<'a>(NetlinkQueryHeader, NoAttrs<'a>), NetlinkRequest {
        /// Asks for all sockets.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    about (crate::common::inode!(NetlinkQuery))
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[NetlinkSocket::MESSAGES], ..NetlinkQuery::BY_FAMILY };

attrs! {
    /// `NETLINK_DIAG_*`.
    pub struct NetlinkAttrs<'a> for NetlinkReply<R> {
        /// Memory.
        0 NETLINK_DIAG_MEMINFO memory: Memory<'a>,
        /// Its multicast groups. Absent if it is a member of none.
        1 NETLINK_DIAG_GROUPS groups: NetlinkGroups<'a>,
        /// Its receive ring. Until Linux 4.5.
        2 NETLINK_DIAG_RX_RING rx_ring: NetlinkRing,
        /// Its send ring. Until Linux 4.5.
        3 NETLINK_DIAG_TX_RING tx_ring: NetlinkRing,
        /// Flags.
        4 NETLINK_DIAG_FLAGS flags: NetlinkFlags,
    }
}

message! {
    /// A netlink socket.
    pub struct NetlinkSocket<'a>(NetlinkHeader, NetlinkAttrs<'a>), NetlinkReply {
        /// A requested socket.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

impl NetlinkSocket<'_> {
    /// The protocol.
    pub fn protocol(&self) -> Protocol {
        Protocol(self.header().protocol.into())
    }
}

/// Lists the sockets of all protocols with all attributes. The kernel has no query for one socket.
///
/// A socket with groups is listed twice: the kernel first lists the sockets of a protocol, then the members
/// of groups.
pub fn list() -> NetlinkRequest<Dump<NetlinkSocket<'static>>> {
    let header = NetlinkQueryHeader::default()
        .family(Family::NETLINK)
        .protocol(NetlinkProtocol::ALL)
        .show(NetlinkShow::all().difference(NetlinkShow::RING_CFG));
    NetlinkRequest::new(&ASK, MessageFlags::DUMP, header)
}

impl<R> NetlinkRequest<R> {
    /// List only sockets of this protocol; `ENOENT` if the kernel does not have it.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        match u8::try_from(protocol.0) {
            Ok(number) => self.header(|header| header.protocol = NetlinkProtocol(number)),
            Err(_) => {
                self.0.writer().fail(netlink_core::Unsendable::Value("a protocol above 255"));
                self
            }
        }
    }

    /// Send only these attributes of each socket.
    pub fn show(self, show: NetlinkShow) -> Self {
        self.header(|header| header.show = show)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn requests() {
        let bytes = list().protocol(Protocol::XFRM).show(NetlinkShow::GROUPS).to_bytes().unwrap();
        assert_eq!(bytes[16..20], [16, 6, 0, 0]);
        assert_eq!(bytes[24..28], 2u32.to_ne_bytes());
        assert!(list().protocol(Protocol(256)).to_bytes().is_err());
        assert!(list().protocol(Protocol(-1)).to_bytes().is_err());
    }

    #[test]
    fn groups_count_from_one() {
        let words = [1usize << 2, 1];
        let bytes = words.map(usize::to_ne_bytes).concat();
        let groups = NetlinkGroups::decode(&bytes).unwrap();
        assert_eq!(format!("{groups:?}"), format!("[3, {}]", usize::BITS + 1));
        assert!(!groups.contains(0) && !groups.contains(u32::MAX));
    }
}
