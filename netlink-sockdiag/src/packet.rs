//! Sockets that send and receive frames. Kernel side: `uapi/linux/packet_diag.h`, `net/packet/diag.c`.
//!
//! ```
//! use netlink_sockdiag::packet::{self, PacketShow};
//!
//! let who_captures = packet::list().show(PacketShow::INFO | PacketShow::FANOUT);
//! ```

use core::fmt;

use netlink_core::layout::Pad;
use netlink_core::{
    Array, Dump, HwAddr, Malformed, MessageFlags, MessageInfo, Payload, Rule, Shape, Writer, attrs, flags,
    layout, message, values,
};

use crate::{Cookie, Family, Memory, NoAttrs, SocketType};

flags! {
    /// `PACKET_SHOW_*`: attributes to send.
    pub struct PacketShow: u32 {
        /// [`info`](PacketAttrs::info) and [`uid`](PacketAttrs::uid).
        0x1 PACKET_SHOW_INFO INFO,
        /// [`memberships`](PacketAttrs::memberships).
        0x2 PACKET_SHOW_MCLIST MCLIST,
        /// [`rx_ring`](PacketAttrs::rx_ring) and [`tx_ring`](PacketAttrs::tx_ring).
        0x4 PACKET_SHOW_RING_CFG RING_CFG,
        /// [`fanout`](PacketAttrs::fanout).
        0x8 PACKET_SHOW_FANOUT FANOUT,
        /// [`memory`](PacketAttrs::memory).
        0x10 PACKET_SHOW_MEMINFO MEMINFO,
        /// [`filter`](PacketAttrs::filter).
        0x20 PACKET_SHOW_FILTER FILTER,
    }
}

flags! {
    /// `PDI_*`: flags of a packet socket.
    pub struct PacketFlags: u32 {
        /// The socket receives.
        0x1 PDI_RUNNING RUNNING,
        /// `PACKET_AUXDATA`.
        0x2 PDI_AUXDATA AUXDATA,
        /// `PACKET_ORIGDEV`.
        0x4 PDI_ORIGDEV ORIGDEV,
        /// `PACKET_VNET_HDR`.
        0x8 PDI_VNETHDR VNETHDR,
        /// `PACKET_LOSS`.
        0x10 PDI_LOSS LOSS,
    }
}

values! {
    /// `PACKET_FANOUT_*`: how the sockets of a group share received packets.
    pub struct FanoutType: u8 {
        /// By a hash of the packet's addresses and ports.
        0 PACKET_FANOUT_HASH HASH "hash",
        /// Round robin.
        1 PACKET_FANOUT_LB LB "lb",
        /// By the processor.
        2 PACKET_FANOUT_CPU CPU "cpu",
        /// The next socket when one is full.
        3 PACKET_FANOUT_ROLLOVER ROLLOVER "rollover",
        /// At random.
        4 PACKET_FANOUT_RND RND "random",
        /// By the receive queue of the device.
        5 PACKET_FANOUT_QM QM "qm",
        /// By a classic BPF program.
        6 PACKET_FANOUT_CBPF CBPF "cbpf",
        /// By an eBPF program.
        7 PACKET_FANOUT_EBPF EBPF "ebpf",
    }
}

values! {
    /// `PACKET_MR_*`: frames that a socket requests from a link.
    pub struct MembershipType: u16 {
        /// Frames to a multicast address.
        0 PACKET_MR_MULTICAST MULTICAST "multicast",
        /// All frames.
        1 PACKET_MR_PROMISC PROMISC "promisc",
        /// All multicast frames.
        2 PACKET_MR_ALLMULTI ALLMULTI "allmulti",
        /// Frames to an additional address.
        3 PACKET_MR_UNICAST UNICAST "unicast",
    }
}

layout! {
    /// `struct packet_diag_req`.
    pub struct PacketQueryHeader: packet_diag_req = 20 {
        /// [`Family::PACKET`].
        family: Family,
        /// Always 0.
        protocol: u8,
        /// Padding.
        pad: Pad<2>,
        /// Not used.
        inode: u32,
        /// Attributes to send.
        show: PacketShow,
        /// Not used.
        cookie: Cookie,
    }
}

layout! {
    /// `struct packet_diag_msg`.
    pub struct PacketHeader: packet_diag_msg = 16 {
        /// [`Family::PACKET`].
        family: Family,
        /// Raw or datagram.
        socket_type: SocketType,
        /// The received protocol, as an Ethernet type; 3 is all.
        protocol: u16,
        /// Inode of the socket.
        inode: u32,
        /// Cookie.
        cookie: Cookie,
    }
}

layout! {
    /// `struct packet_diag_info`.
    pub struct PacketInfo: packet_diag_info = 24 {
        /// The link that it receives from; 0 is all.
        interface: u32,
        /// Version of the ring's headers, from 0: `TPACKET_V1` to `TPACKET_V3`.
        version: u32,
        /// Bytes kept free before each frame in the ring.
        reserve: u32,
        /// Size in bytes above which a frame that does not fit into the ring is also queued.
        copy_threshold: u32,
        /// `PACKET_TIMESTAMP`.
        timestamp: u32,
        /// Flags.
        flags: PacketFlags,
    }
}

layout! {
    /// `struct packet_diag_mclist`: frames that a socket requests from a link.
    pub struct Membership: packet_diag_mclist = 44 {
        /// The link.
        interface: u32,
        /// Number of requests of the socket.
        count: u32,
        /// The frames.
        kind: MembershipType,
        /// Length of the address, in bytes.
        address_len: u16,
        /// The address, padded; see [`address`](Self::address).
        padded_address: [u8; 32],
    }
    shows |membership| { address: membership.address(); padded_address address_len }
}

impl Membership {
    /// The address; `None` if its length is invalid.
    pub fn address(&self) -> Option<HwAddr> {
        self.padded_address.get(..self.address_len.into()).and_then(HwAddr::new)
    }
}

layout! {
    /// `struct packet_diag_ring`.
    pub struct PacketRing: packet_diag_ring = 28 {
        /// Size of a block, in bytes.
        block_size: u32,
        /// Number of blocks.
        blocks: u32,
        /// Size of a frame, in bytes.
        frame_size: u32,
        /// Number of frames.
        frames: u32,
        /// Milliseconds after which a partly filled block is delivered. `TPACKET_V3`.
        retire_timeout: u32,
        /// Bytes of a block that are reserved for the process. `TPACKET_V3`.
        private_size: u32,
        /// `TP_FT_REQ_*`. `TPACKET_V3`.
        features: u32,
    }
}

layout! {
    /// `struct sock_filter`: an instruction of classic BPF.
    pub struct FilterStep: sock_filter = 8 {
        /// Operation code.
        code: u16,
        /// Number of instructions to skip if the condition is true.
        jump_true: u8,
        /// Number of instructions to skip if the condition is false.
        jump_false: u8,
        /// Operand.
        operand: u32,
    }
}

/// The group of sockets that shares received packets.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Fanout(
    /// Id, type and flags.
    pub u32,
);

#[allow(clippy::cast_possible_truncation)]
impl Fanout {
    /// Id of the group.
    pub const fn id(self) -> u16 {
        self.0 as u16
    }

    /// How the sockets share packets.
    pub const fn fanout_type(self) -> FanoutType {
        FanoutType((self.0 >> 16) as u8)
    }

    /// The upper byte of `PACKET_FANOUT_FLAG_*`.
    pub const fn flags(self) -> u8 {
        (self.0 >> 24) as u8
    }
}

impl<'a> Payload<'a> for Fanout {
    type Value = Self;
    const RULE: Rule = Rule::at_least(4);
    const SHAPE: Shape = Shape::value::<Self>();

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        u32::decode(payload).map(Self)
    }

    fn encode(&self, out: &mut Writer) {
        self.0.encode(out);
    }
}

impl fmt::Debug for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:#x}", self.id(), self.fanout_type(), self.flags())
    }
}

netlink_core::serialize_display! { Fanout }

message! {
    /// A query for packet sockets.
    pub struct PacketQuery<'a>(PacketQueryHeader, NoAttrs<'a>), PacketRequest {
        /// Asks for all sockets.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    about (crate::common::inode!(PacketQuery))
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[PacketSocket::MESSAGES], ..PacketQuery::BY_FAMILY };

attrs! {
    /// `PACKET_DIAG_*`.
    pub struct PacketAttrs<'a> for PacketReply<R> {
        /// Settings.
        0 PACKET_DIAG_INFO info: PacketInfo,
        /// Frames that it requests from links.
        1 PACKET_DIAG_MCLIST memberships: Array<'a, Membership>,
        /// Its receive ring.
        2 PACKET_DIAG_RX_RING rx_ring: PacketRing,
        /// Its send ring.
        3 PACKET_DIAG_TX_RING tx_ring: PacketRing,
        /// The group that it shares received packets with.
        4 PACKET_DIAG_FANOUT fanout: Fanout,
        /// Owner.
        5 PACKET_DIAG_UID uid: u32,
        /// Memory.
        6 PACKET_DIAG_MEMINFO memory: Memory<'a>,
        /// Its filter, a program of classic BPF; empty without permission to read it.
        7 PACKET_DIAG_FILTER filter: Array<'a, FilterStep>,
    }
}

message! {
    /// A packet socket.
    pub struct PacketSocket<'a>(PacketHeader, PacketAttrs<'a>), PacketReply {
        /// A requested socket.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

/// Lists all sockets with all attributes. The kernel has no query for one socket.
pub fn list() -> PacketRequest<Dump<PacketSocket<'static>>> {
    let header = PacketQueryHeader::default().family(Family::PACKET).show(PacketShow::all());
    PacketRequest::new(&ASK, MessageFlags::DUMP, header)
}

impl<R> PacketRequest<R> {
    /// Send only these attributes of each socket.
    pub fn show(self, show: PacketShow) -> Self {
        self.header(|header| header.show = show)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let bytes = list().show(PacketShow::INFO).to_bytes().unwrap();
        let fixed: [u32; 5] = [u32::from_ne_bytes([17, 0, 0, 0]), 0, 1, u32::MAX, u32::MAX];
        assert_eq!(bytes[16..], fixed.map(u32::to_ne_bytes).concat());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_membership_has_its_address_as_text() {
        let mut membership = Membership::default().interface(3_u32).count(1_u32).address_len(6_u16);
        membership.padded_address[..6].copy_from_slice(&[1, 0, 0x5e, 0, 0, 1]);
        let json = serde_json::to_string(&membership).unwrap();
        assert_eq!(json, r#"{"address":"01:00:5e:00:00:01","interface":3,"count":1,"kind":"multicast"}"#);
    }

    #[test]
    fn groups_and_memberships() {
        let fanout = Fanout(0x1003_0102);
        assert_eq!((fanout.id(), fanout.fanout_type(), fanout.flags()), (258, FanoutType::ROLLOVER, 0x10));
        let mut member = Membership::default().address_len(6);
        member.padded_address[5] = 1;
        assert_eq!(member.address(), "00:00:00:00:00:01".parse().ok());
        assert_eq!(member.address_len(33).address(), None);
    }

    /// S-X: in the machine's byte order.
    #[test]
    fn a_user_other_than_root() {
        let attr = [8u16.to_ne_bytes(), 5u16.to_ne_bytes()].concat();
        let read = PacketAttrs::decode(&[attr, 1000u32.to_ne_bytes().to_vec()].concat()).map(|set| set.uid());
        assert_eq!(read, Ok(Some(1000)));
    }
}
