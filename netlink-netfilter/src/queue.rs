//! Packets that wait for a verdict: a rule such as `queue num 0` hands each packet to the process that has
//! bound the queue. The process inspects the packet, can change it, and decides about it. Kernel side:
//! `uapi/linux/netfilter/nfnetlink_queue.h`, `net/netfilter/nfnetlink_queue.c`, `net/netfilter/nf_queue.c`.
//!
//! ```no_run
//! # #[cfg(all(feature = "std", target_os = "linux"))]
//! # fn main() -> Result<(), netlink_netfilter::Error> {
//! use netlink_netfilter::queue::{self, Arrival, Params, Queue, Verdict};
//!
//! let mut queue = Queue::open(&queue::bind(0, Params::whole()).max_length(4096))?;
//! loop {
//!     match queue.next()? {
//!         Arrival::Packet { packet, missed } => {
//!             if missed > 0 {
//!                 eprintln!("{missed} packets were lost before this one");
//!             }
//!             let ticket = packet.ticket();
//!             let short = packet.payload().is_some_and(|packet| packet.0.len() < 100);
//!             queue.verdict(ticket, if short { Verdict::ACCEPT } else { Verdict::DROP })?;
//!         }
//!         Arrival::Refused(refused) => eprintln!("{refused}"),
//!         Arrival::Overrun => {}
//!     }
//! }
//! # }
//! # #[cfg(not(all(feature = "std", target_os = "linux")))]
//! # fn main() {}
//! ```
//!
//! Kernel behaviour worth knowing:
//!
//! - A queue belongs to one socket at a time. Binding a bound queue fails with `EPERM`, the same error as
//!   without `CAP_NET_ADMIN`, or with `EBUSY` if the same socket bound it.
//! - When a queue's socket is closed, the queue is unbound and its waiting packets are dropped. A waiting
//!   packet is also dropped if its link goes down. A packet without a verdict waits, and occupies one place
//!   of the queue.
//! - If a queue is full ([`max_length`](ConfigRequest::max_length)), further packets are dropped, or accepted
//!   with [`QueueFlags::FAIL_OPEN`]. If a queue is not bound, packets are dropped, or accepted with the
//!   rule's `bypass`. `/proc/net/netfilter/nfnetlink_queue` counts the dropped packets of each queue.
//! - A verdict is refused with `ENOENT` if the packet does not wait, with `EPERM` if the queue belongs to
//!   another socket, and with `ENODEV` if the queue is not bound.
//! - Packets larger than the link's MTU are segmented before they are queued, unless the queue has
//!   [`QueueFlags::GSO`].

#[cfg(all(feature = "std", target_os = "linux"))]
mod listen;
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio;

use core::fmt;

use netlink_core::layout::Pad;
use netlink_core::{
    Be, Bytes, Errno, KernelError, MessageFlags, Messages, Str, attrs, flags, layout, message, values,
};

#[cfg(all(feature = "std", target_os = "linux"))]
pub use listen::{Arrival, Queue, Refused, Verdicts};

use crate::conntrack::{ConntrackAttrs, PacketState};
use crate::expect::ExpectAttrs;
pub use crate::packet::{Hook, Source, Timestamp};
use crate::{Family, Header};

layout! {
    /// `struct nfqnl_msg_packet_hdr`.
    pub struct PacketHeader: nfqnl_msg_packet_hdr = 7 {
        /// The packet's number in its queue, from 1. A gap means that packets were lost on their way to the process.
        id: Be<u32>,
        /// The network protocol, as in an Ethernet header: 0x0800 is IPv4.
        protocol: Be<u16>,
        /// The hook that queued the packet.
        hook: Hook,
    }
}

values! {
    /// `NF_*`: the decision about a packet.
    pub struct Verdict: Be<u32> {
        /// Drop the packet.
        0 NF_DROP DROP "drop",
        /// Continue with the next rule set.
        1 NF_ACCEPT ACCEPT "accept",
        /// Reserved for code in the kernel; the kernel refuses it from a process.
        2 NF_STOLEN STOLEN "stolen",
        /// Continue in another queue. This value is queue 0; see [`queue`](Self::queue).
        3 NF_QUEUE QUEUE "queue",
        /// Repeat the rule set that queued the packet. Mark the packet, so that it is not queued again.
        4 NF_REPEAT REPEAT "repeat",
        /// Leave the hook without further rule sets. Since Linux 4.10 the same as `ACCEPT` in a verdict of a process.
        5 NF_STOP STOP "stop",
    }
}

impl Verdict {
    /// Continue in the queue with this number; drop the packet if that queue is not bound.
    pub const fn queue(number: u16) -> Self {
        Self((number as u32) << 16 | Self::QUEUE.0)
    }

    /// For a verdict of [`queue`](Self::queue): accept the packet if that queue is not bound.
    /// `NF_VERDICT_FLAG_QUEUE_BYPASS`.
    #[must_use]
    pub const fn bypass(self) -> Self {
        Self(self.0 | 0x8000)
    }
}

layout! {
    /// `struct nfqnl_msg_verdict_hdr`.
    pub struct VerdictHeader: nfqnl_msg_verdict_hdr = 8 {
        /// The decision about the packet.
        verdict: Verdict,
        /// Id of the packet; in a batch, the last id of all packets that are meant.
        id: Be<u32>,
    }
}

flags! {
    /// `NFQA_SKB_*`: state of a packet's checksum, and its size.
    pub struct PacketInfo: Be<u32> {
        /// The checksum is not filled in yet, because hardware would do that. The packet is valid.
        1 NFQA_SKB_CSUMNOTREADY CHECKSUM_NOT_READY,
        /// The packet exceeds the link's MTU; see [`QueueFlags::GSO`].
        2 NFQA_SKB_GSO GSO,
        /// The checksum has not been verified.
        4 NFQA_SKB_CSUM_NOTVERIFIED CHECKSUM_NOT_VERIFIED,
    }
}

attrs! {
    /// `NFQA_VLAN_*`.
    pub struct VlanAttrs<'a> for Vlan {
        /// The tag's protocol: 0x8100 is 802.1Q, 0x88a8 802.1ad.
        1 NFQA_VLAN_PROTO protocol: Be<u16> as u16,
        /// VLAN id, priority and drop eligibility.
        2 NFQA_VLAN_TCI tci: Be<u16> as u16,
    }
}

attrs! {
    /// `NFQA_*`: attributes of packets and of verdicts.
    pub struct PacketAttrs<'a> for VerdictRequest<R> {
        /// Number, protocol and hook. In every packet.
        1 NFQA_PACKET_HDR packet_header: PacketHeader,
        /// The verdict, and the id of its packet. In every verdict.
        2 NFQA_VERDICT_HDR verdict_header: VerdictHeader,
        /// The packet's mark; absent means 0. A verdict can change it, so that rules can match it.
        3 NFQA_MARK mark: Be<u32> as u32,
        /// When the packet arrived; absent for packets that did not arrive on a link.
        4 NFQA_TIMESTAMP timestamp: Timestamp,
        /// The link that it arrived on; the bridge, if it arrived on a port.
        5 NFQA_IFINDEX_INDEV indev: Be<u32> as u32,
        /// The link that it leaves through; the bridge, if it leaves through a port.
        6 NFQA_IFINDEX_OUTDEV outdev: Be<u32> as u32,
        /// The bridge port that it arrived on.
        7 NFQA_IFINDEX_PHYSINDEV physindev: Be<u32> as u32,
        /// The bridge port that it leaves through.
        8 NFQA_IFINDEX_PHYSOUTDEV physoutdev: Be<u32> as u32,
        /// Its link-layer source address.
        9 NFQA_HWADDR hwaddr: Source,
        /// The packet from its network header on, up to the length that the queue copies. In a verdict: the
        /// new content. The kernel does not correct checksums. It drops the packet if memory is lacking, or
        /// if the content is shorter than a network header.
        10 NFQA_PAYLOAD payload: Bytes<'a>,
        /// The packet's connection; with [`QueueFlags::CONNTRACK`]. A verdict can change its timeout, mark,
        /// status, helper, labels and sequence adjustment; the other attributes must be unchanged. Linux 3.6.
        11 NFQA_CT ct: ConntrackAttrs<'a>,
        /// The relation of the packet to its connection. Linux 3.6.
        12 NFQA_CT_INFO ct_info: PacketState,
        /// Full length of the packet, if the payload is shorter.
        13 NFQA_CAP_LEN cap_len: Be<u32> as u32,
        /// State of its checksum and its size; absent if normal.
        14 NFQA_SKB_INFO skb_info: PacketInfo,
        /// In a verdict together with [`ct`](Self::ct): a connection to expect. Linux 3.12.
        15 NFQA_EXP exp: ExpectAttrs<'a>,
        /// User of the socket that sent it, in the initial user namespace; with [`QueueFlags::UID_GID`], for
        /// packets that this machine sends.
        16 NFQA_UID uid: Be<u32> as u32,
        /// Group of the socket that sent it, in the initial user namespace; with [`QueueFlags::UID_GID`], for
        /// packets that this machine sends.
        17 NFQA_GID gid: Be<u32> as u32,
        /// Security context of a packet that this machine sends; with [`QueueFlags::SECCTX`]. Linux 4.3.
        18 NFQA_SECCTX secctx: Str<'a>,
        /// VLAN tag, in the family `bridge`. A verdict changes it; it needs both attributes. Linux 4.7.
        19 NFQA_VLAN vlan: VlanAttrs<'a>,
        /// Link-layer header, in the family `bridge`. A verdict replaces it by one of the same length. Another length
        /// is `EINVAL`; Linux 6.18.15 then forgets the packet and never releases its links. Linux 4.7.
        20 NFQA_L2HDR l2_header: Bytes<'a>,
        /// The packet's priority; absent means 0. Linux 5.18. A verdict changes it since Linux 6.1.
        21 NFQA_PRIORITY priority: Be<u32> as u32,
        /// `net_cls` class of the socket that sent it; absent means 0. Linux 6.4.
        22 NFQA_CGROUP_CLASSID cgroup_classid: Be<u32> as u32,
    }
}

message! {
    /// A queued packet, or a verdict about one.
    pub struct Packet<'a>(Header, PacketAttrs<'a>), VerdictRequest {
        /// A waiting packet, sent by the kernel.
        0x0300 NFQNL_MSG_PACKET PACKET [received],
        /// A verdict about one packet.
        0x0301 NFQNL_MSG_VERDICT VERDICT,
        /// A verdict about all packets up to this one.
        0x0303 NFQNL_MSG_VERDICT_BATCH VERDICT_BATCH,
    }
    on crate::PROTOCOL
}

/// The packet that a verdict is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs)]
pub struct Ticket {
    /// The queue's number.
    pub queue: u16,
    /// The packet's number in the queue.
    pub id: u32,
}

impl Packet<'_> {
    /// The ticket of this packet for a verdict. The id is 0 if the packet has no number; kernels always send one.
    #[inline]
    pub fn ticket(&self) -> Ticket {
        let id = self.packet_header().map(|header| header.id.0);
        Ticket { queue: self.header().resource.0, id: id.unwrap_or_default() }
    }

    /// The hook that queued it.
    pub fn hook(&self) -> Option<Hook> {
        self.packet_header().map(|header| header.hook)
    }
}

impl<R> VerdictRequest<R> {
    /// The same request for another packet, without its attributes.
    #[cfg(all(feature = "std", target_os = "linux"))]
    #[inline]
    fn about(self, ticket: Ticket, verdict: Verdict) -> Self {
        self.restart(verdict_of(ticket)).verdict_header(VerdictHeader { verdict, id: Be(ticket.id) })
    }
}

fn verdict_of(ticket: Ticket) -> Header {
    Header::default().resource(ticket.queue)
}

/// The verdict about a packet. Setters change the packet first: mark, payload, priority and others.
///
/// `call` waits for an acknowledgement. [`Queue::verdict`] does not wait, and is faster.
pub fn verdict(ticket: Ticket, verdict: Verdict) -> VerdictRequest<()> {
    VerdictRequest::new(&Packet::VERDICT, MessageFlags::empty(), verdict_of(ticket))
        .verdict_header(VerdictHeader { verdict, id: Be(ticket.id) })
}

/// The verdict about a packet and all waiting packets that were queued before it. It can only change
/// [`mark`](VerdictRequest::mark) and [`priority`](VerdictRequest::priority). `ENOENT` if no packet waits.
pub fn verdict_up_to(ticket: Ticket, verdict: Verdict) -> VerdictRequest<()> {
    VerdictRequest::new(&Packet::VERDICT_BATCH, MessageFlags::empty(), verdict_of(ticket))
        .verdict_header(VerdictHeader { verdict, id: Be(ticket.id) })
}

values! {
    /// `NFQNL_CFG_CMD_*`.
    pub struct Command: u8 {
        /// Nothing.
        0 NFQNL_CFG_CMD_NONE NONE "none",
        /// Bind the queue.
        1 NFQNL_CFG_CMD_BIND BIND "bind",
        /// Unbind the queue.
        2 NFQNL_CFG_CMD_UNBIND UNBIND "unbind",
        /// No effect since Linux 3.8.
        3 NFQNL_CFG_CMD_PF_BIND PF_BIND "pf-bind",
        /// No effect since Linux 3.8.
        4 NFQNL_CFG_CMD_PF_UNBIND PF_UNBIND "pf-unbind",
    }
}

layout! {
    /// `struct nfqnl_msg_config_cmd`.
    pub struct ConfigCommand: nfqnl_msg_config_cmd = 4 {
        /// The command.
        command: Command,
        /// Padding.
        pad: Pad<1>,
        /// The family for `PF_BIND`.
        family: Be<u16>,
    }
}

values! {
    /// `NFQNL_COPY_*`: the parts of a packet that the process receives.
    pub struct CopyMode: u8 {
        /// Nothing: packets are dropped instead of queued.
        0 NFQNL_COPY_NONE NONE "none",
        /// All but the payload.
        1 NFQNL_COPY_META META "meta",
        /// The payload too.
        2 NFQNL_COPY_PACKET PACKET "packet",
    }
}

layout! {
    /// `struct nfqnl_msg_config_params`.
    pub struct Params: nfqnl_msg_config_params = 5 {
        /// Largest length of the payload, in bytes. 0 and values above 65531 mean 65531.
        copy_range: Be<u32>,
        /// The parts to copy. The kernel ignores unknown modes.
        copy_mode: CopyMode,
    }
}

impl Params {
    /// All but the payload.
    pub const fn meta() -> Self {
        Self { copy_range: Be(0), copy_mode: CopyMode::META }
    }

    /// At most this many bytes of the payload, from the network header on.
    pub const fn first(bytes: u32) -> Self {
        Self { copy_range: Be(bytes), copy_mode: CopyMode::PACKET }
    }

    /// The whole payload, up to 65531 bytes.
    pub const fn whole() -> Self {
        Self::first(0)
    }
}

flags! {
    /// `NFQA_CFG_F_*`.
    pub struct QueueFlags: Be<u32> {
        /// If the queue is full, accept packets instead of dropping them. Linux 3.6.
        1 NFQA_CFG_F_FAIL_OPEN FAIL_OPEN,
        /// Send the packets' connections. Linux 3.6.
        2 NFQA_CFG_F_CONNTRACK CONNTRACK,
        /// Queue packets larger than the MTU without segmenting them. Linux 3.10.
        4 NFQA_CFG_F_GSO GSO,
        /// Send user and group. Linux 3.12.
        8 NFQA_CFG_F_UID_GID UID_GID,
        /// Send the security context. `EOPNOTSUPP` if the kernel lacks it. Linux 4.3.
        16 NFQA_CFG_F_SECCTX SECCTX,
    }
}

attrs! {
    /// `NFQA_CFG_*`.
    pub struct ConfigAttrs<'a> for ConfigRequest<R> {
        /// The command.
        1 NFQA_CFG_CMD command: ConfigCommand,
        /// The parts of each packet to copy.
        2 NFQA_CFG_PARAMS params: Params,
        /// Largest number of packets that wait for a verdict. Default: 1024. Newer kernels, such as Linux
        /// 6.18.44, reduce values above 65536 to 65536.
        3 NFQA_CFG_QUEUE_MAXLEN max_length: Be<u32> as u32,
        /// The flags to change. Set them with [`on`](Self::on) and [`off`](Self::off). Linux 3.6.
        4 NFQA_CFG_MASK flag_mask: QueueFlags,
        /// The new values of these flags. Default: all off. Set them with [`on`](Self::on) and
        /// [`off`](Self::off): without the mask they are `EINVAL`. A flag that the kernel lacks is
        /// `EOPNOTSUPP`, since Linux 7.0 `EINVAL`. Linux 3.6.
        5 NFQA_CFG_FLAGS flag_values: QueueFlags,
    }
}

message! {
    /// Configuration of a queue.
    pub struct Config<'a>(Header, ConfigAttrs<'a>), ConfigRequest {
        /// Binds, unbinds or configures a queue.
        0x0302 NFQNL_MSG_CONFIG CONFIG,
    }
    about subject
    hint why
    on crate::PROTOCOL
}

/// `queue 5`: the queue, as errors show it.
fn subject(config: &Config<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "queue {}", config.header().resource)
}

impl<R> ConfigRequest<R> {
    /// Turns flags on. The other flags do not change.
    pub fn on(self, flags: QueueFlags) -> Self {
        self.change(flags, flags)
    }

    /// Turns flags off. The other flags do not change.
    pub fn off(self, flags: QueueFlags) -> Self {
        self.change(flags, QueueFlags::empty())
    }

    /// The kernel uses the last of several masks, so the last one must have all flags.
    fn change(self, flags: QueueFlags, values: QueueFlags) -> Self {
        let (mask, old) = with_asked(&self.to_bytes().unwrap_or_default(), |asked| {
            (asked.flag_mask().unwrap_or_default(), asked.flag_values().unwrap_or_default())
        })
        .unwrap_or_default();
        self.flag_mask(mask | flags).flag_values((old - flags) | values)
    }
}

fn with_asked<T>(request: &[u8], look: impl FnOnce(&Config<'_>) -> T) -> Option<T> {
    let message = Messages::new(request).next()?.ok()?;
    Some(look(&Config::read(&message).ok()?))
}

fn why(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let flags = with_asked(error.ext_ack().request(), |asked| asked.flag_values().unwrap_or_default());
    match (error.errno(), flags) {
        (Errno::EPERM, _) => f.write_str(
            "; either CAP_NET_ADMIN is missing, or another socket has the queue: \
             /proc/net/netfilter/nfnetlink_queue has its port",
        ),
        (Errno::EOPNOTSUPP | Errno::EINVAL, Some(flags)) if !flags.is_empty() => {
            write!(f, "; the kernel may lack one of these flags: {flags}")
        }
        _ => Ok(()),
    }
}

/// Binds a queue to the requesting socket. If the kernel lacks a flag, the queue is not bound.
///
/// ```
/// use netlink_netfilter::queue::{self, Params, QueueFlags};
///
/// let request = queue::bind(3, Params::first(128)).on(QueueFlags::FAIL_OPEN | QueueFlags::UID_GID);
/// ```
pub fn bind(number: u16, params: Params) -> ConfigRequest<()> {
    configure(number).command(ConfigCommand::default().command(Command::BIND)).params(params)
}

/// Unbinds a queue of this socket. Its waiting packets are dropped.
pub fn unbind(number: u16) -> ConfigRequest<()> {
    configure(number).command(ConfigCommand::default().command(Command::UNBIND))
}

/// Changes a queue of this socket, with what the setters add. `ENODEV` if the queue is not bound, `EPERM` if
/// another socket has bound it.
pub fn configure(number: u16) -> ConfigRequest<()> {
    let header = Header::of(Family::UNSPEC).resource(number);
    ConfigRequest::new(&Config::CONFIG, MessageFlags::ACK, header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use netlink_core::Error;
    use netlink_core::testkit::{Replies, answer};
    use netlink_testing::native;

    #[test]
    fn verdicts() {
        let ticket = Ticket { queue: 258, id: 7 };
        let sent = verdict(ticket, Verdict::queue(9).bypass()).mark(5).payload(b"abc").to_bytes().unwrap();
        assert_eq!(sent[4..8], native([1, 3, 1, 0], &[2]));
        assert_eq!(sent[16..20], [0, 0, 1, 2]);
        assert_eq!(sent[20..32], native([12, 0, 2, 0, 0, 9, 0x80, 3, 0, 0, 0, 7], &[2, 2, 1]));
        assert_eq!(
            sent[32..],
            native([8, 0, 3, 0, 0, 0, 0, 5, 7, 0, 10, 0, b'a', b'b', b'c', 0], &[2, 2, 1, 1, 1, 1, 2, 2, 1])
        );
        let batch = verdict_up_to(ticket, Verdict::DROP).to_bytes().unwrap();
        assert_eq!(
            (&batch[4..8], &batch[24..]),
            (&native([3, 3, 1, 0], &[2])[..], &[0, 0, 0, 0, 0, 0, 0, 7][..])
        );
        let nested =
            verdict(ticket, Verdict::ACCEPT).vlan(Vlan::new().protocol(0x8100).tci(5)).to_bytes().unwrap();
        assert_eq!(
            nested[32..],
            native(
                [20, 0, 19, 0x80, 6, 0, 1, 0, 0x81, 0, 0, 0, 6, 0, 2, 0, 0, 5, 0, 0],
                &[2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1]
            )
        );
        let huge = verdict(ticket, Verdict::ACCEPT).payload([0; 65_532].as_slice()).to_bytes();
        assert!(matches!(huge, Err(Error::Request(_))));
    }

    /// U4, NA5
    #[test]
    fn a_refusal_says_what_it_may_mean() {
        let refused = |request: &ConfigRequest<()>, errno| {
            answer(request, &[&Replies::new().error(errno, &[])]).unwrap_err().to_string()
        };
        let plain = bind(3, Params::meta());
        let flagged = plain.clone().on(QueueFlags::GSO | QueueFlags::SECCTX).off(QueueFlags::FAIL_OPEN);
        assert!(refused(&plain, 1).contains("CAP_NET_ADMIN is missing, or another socket has the queue"));
        assert!(refused(&flagged, 95).contains("lack one of these flags: GSO | SECCTX"));
        assert!(!refused(&plain, 95).contains("may lack"));
        assert!(!refused(&flagged, 16).contains("may lack"));
    }

    #[test]
    fn flags_add_up() {
        let sent = configure(3).on(QueueFlags::FAIL_OPEN).off(QueueFlags::GSO).on(QueueFlags::UID_GID);
        let sent = sent.to_bytes().unwrap();
        assert_eq!(
            sent[sent.len() - 16..],
            native([8, 0, 4, 0, 0, 0, 0, 13, 8, 0, 5, 0, 0, 0, 0, 9], &[2, 2, 1, 1, 1, 1, 2, 2, 1])
        );
        let sent = configure(3).on(QueueFlags::GSO).off(QueueFlags::GSO).to_bytes().unwrap();
        assert_eq!(
            sent[sent.len() - 16..],
            native([8, 0, 4, 0, 0, 0, 0, 4, 8, 0, 5, 0, 0, 0, 0, 0], &[2, 2, 1, 1, 1, 1, 2, 2, 1])
        );
    }

    #[test]
    fn configurations() {
        let sent = bind(3, Params::first(128)).on(QueueFlags::GSO).max_length(9).to_bytes().unwrap();
        assert_eq!(sent[4..8], native([2, 3, 5, 0], &[2]));
        assert_eq!(sent[16..20], [0, 0, 0, 3]);
        assert_eq!(
            sent[20..40],
            native(
                [8, 0, 1, 0, 1, 0, 0, 0, 9, 0, 2, 0, 0, 0, 0, 128, 2, 0, 0, 0],
                &[2, 2, 1, 1, 1, 1, 2, 2, 1]
            )
        );
        assert_eq!(
            sent[40..56],
            native([8, 0, 4, 0, 0, 0, 0, 4, 8, 0, 5, 0, 0, 0, 0, 4], &[2, 2, 1, 1, 1, 1, 2, 2, 1])
        );
        assert_eq!(sent[56..], native([8, 0, 3, 0, 0, 0, 0, 9], &[2, 2, 1]));
        let sent = configure(3).off(QueueFlags::FAIL_OPEN).to_bytes().unwrap();
        assert_eq!(
            sent[20..],
            native([8, 0, 4, 0, 0, 0, 0, 1, 8, 0, 5, 0, 0, 0, 0, 0], &[2, 2, 1, 1, 1, 1, 2, 2, 1])
        );
        assert_eq!(unbind(3).to_bytes().unwrap()[20..], native([8, 0, 1, 0, 2, 0, 0, 0], &[2, 2, 1]));
        assert_eq!(
            (Params::meta().to_bytes(), Params::whole().to_bytes()),
            ([0, 0, 0, 0, 1], [0, 0, 0, 0, 2])
        );
    }
}
