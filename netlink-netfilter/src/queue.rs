//! Packets that wait for a verdict: a rule such as `queue num 0` hands them to the process that has bound the queue,
//! which looks at them, may change them, and says what becomes of them.
//! Kernel side: `uapi/linux/netfilter/nfnetlink_queue.h`, `net/netfilter/nfnetlink_queue.c`, `net/netfilter/nf_queue.c`.
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
//! What the kernel does, where one might wonder:
//!
//! - A queue belongs to one socket at a time. To bind one that is bound fails with `EPERM`, as without `CAP_NET_ADMIN`,
//!   and with `EBUSY` if it was this socket that bound it.
//! - A queue is gone when its socket is closed; packets that still wait are dropped. So is a packet whose link goes
//!   down. A packet that never gets a verdict waits until then, and takes one of the queue's places.
//! - While a queue has no place left ([`max_length`](ConfigRequest::max_length)), further packets are dropped, or with
//!   [`QueueFlags::FAIL_OPEN`] accepted. While nobody has bound it, its packets are dropped, or with the rule's
//!   `bypass` accepted. `/proc/net/netfilter/nfnetlink_queue` counts what a queue dropped.
//! - A verdict about a packet that doesn't wait (any more) is refused with `ENOENT`; about a queue of another socket
//!   with `EPERM`, about one that nobody has bound with `ENODEV`.
//! - Packets larger than the link's MTU are cut into pieces before they are queued, unless the queue takes
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
        /// The packet's number in its queue: the first one is 1. A gap is packets that were lost on their way to the
        /// process.
        id: Be<u32>,
        /// The network protocol, as in an Ethernet header: 0x0800 is IPv4.
        protocol: Be<u16>,
        /// Where the packet was caught.
        hook: Hook,
    }
}

values! {
    /// `NF_*`: what becomes of a packet.
    pub struct Verdict: Be<u32> {
        /// It is dropped.
        0 NF_DROP DROP "drop",
        /// It goes on to the next rule set.
        1 NF_ACCEPT ACCEPT "accept",
        /// It belongs to the program that says so; the kernel refuses it from a process.
        2 NF_STOLEN STOLEN "stolen",
        /// It goes to another queue; see [`queue`](Self::queue), this is number 0.
        3 NF_QUEUE QUEUE "queue",
        /// It goes through the rule set that queued it once more. Mark it, so that it isn't queued again.
        4 NF_REPEAT REPEAT "repeat",
        /// It leaves the hook without passing further rule sets. Since Linux 4.10 the same as `ACCEPT` where a
        /// process says it.
        5 NF_STOP STOP "stop",
    }
}

impl Verdict {
    /// It goes to the queue of this number, and is dropped if nobody has bound that.
    pub const fn queue(number: u16) -> Self {
        Self((number as u32) << 16 | Self::QUEUE.0)
    }

    /// A verdict of [`queue`](Self::queue), but the packet is accepted if nobody has bound that.
    /// `NF_VERDICT_FLAG_QUEUE_BYPASS`.
    #[must_use]
    pub const fn bypass(self) -> Self {
        Self(self.0 | 0x8000)
    }
}

layout! {
    /// `struct nfqnl_msg_verdict_hdr`.
    pub struct VerdictHeader: nfqnl_msg_verdict_hdr = 8 {
        /// What becomes of the packet.
        verdict: Verdict,
        /// Its id; in a batch the last of all that are meant.
        id: Be<u32>,
    }
}

flags! {
    /// `NFQA_SKB_*`: the state of a packet's checksum, and its size.
    pub struct PacketInfo: Be<u32> {
        /// Its checksum looks wrong: hardware would have filled it in, and the packet is fine.
        1 NFQA_SKB_CSUMNOTREADY CHECKSUM_NOT_READY,
        /// It exceeds the link's MTU; see [`QueueFlags::GSO`].
        2 NFQA_SKB_GSO GSO,
        /// Nobody has checked its checksum yet.
        4 NFQA_SKB_CSUM_NOTVERIFIED CHECKSUM_NOT_VERIFIED,
    }
}

attrs! {
    /// `NFQA_VLAN_*`.
    pub struct VlanAttrs<'a> for Vlan {
        /// The tag's protocol: 0x8100 is 802.1Q, 0x88a8 802.1ad.
        1 NFQA_VLAN_PROTO protocol: Be<u16> as u16,
        /// Id, priority and drop eligibility.
        2 NFQA_VLAN_TCI tci: Be<u16> as u16,
    }
}

attrs! {
    /// `NFQA_*`: of packets, and of verdicts.
    pub struct PacketAttrs<'a> for VerdictRequest<R> {
        /// Number, protocol and hook. In every packet.
        1 NFQA_PACKET_HDR packet_header: PacketHeader,
        /// What is said about which packet. In every verdict.
        2 NFQA_VERDICT_HDR verdict_header: VerdictHeader,
        /// The packet's mark; absent is 0. A verdict changes it, so that rules can tell.
        3 NFQA_MARK mark: Be<u32> as u32,
        /// When it came in; absent if it has not come in through a link.
        4 NFQA_TIMESTAMP timestamp: Timestamp,
        /// The link it came in through: a bridge, where it came in through a port.
        5 NFQA_IFINDEX_INDEV indev: Be<u32> as u32,
        /// The link it will go out through, likewise.
        6 NFQA_IFINDEX_OUTDEV outdev: Be<u32> as u32,
        /// The bridge port it came in through.
        7 NFQA_IFINDEX_PHYSINDEV physindev: Be<u32> as u32,
        /// The bridge port it will go out through.
        8 NFQA_IFINDEX_PHYSOUTDEV physoutdev: Be<u32> as u32,
        /// The link-layer address it came from.
        9 NFQA_HWADDR hwaddr: Source,
        /// The packet from its network header on, as far as the queue copies it. In a verdict: what it is replaced
        /// with; the kernel corrects no checksums, and drops it for want of memory, or if that is shorter than a network
        /// header.
        10 NFQA_PAYLOAD payload: Bytes<'a>,
        /// The packet's connection; with [`QueueFlags::CONNTRACK`]. A verdict changes its timeout, mark, status, helper,
        /// labels and positions of sequence numbers; what else stands there must be as it is. Linux 3.6.
        11 NFQA_CT ct: ConntrackAttrs<'a>,
        /// What the packet is to its connection. Linux 3.6.
        12 NFQA_CT_INFO ct_info: PacketState,
        /// Length of the packet, if the payload holds less of it.
        13 NFQA_CAP_LEN cap_len: Be<u32> as u32,
        /// Its checksum and size; absent is nothing special.
        14 NFQA_SKB_INFO skb_info: PacketInfo,
        /// In a verdict beside [`ct`](Self::ct): a connection that is to be expected. Linux 3.12.
        15 NFQA_EXP exp: ExpectAttrs<'a>,
        /// User of the socket that sent it, as the initial user namespace numbers it; with
        /// [`QueueFlags::UID_GID`], for packets of this machine.
        16 NFQA_UID uid: Be<u32> as u32,
        /// Group of the socket that sent it, likewise.
        17 NFQA_GID gid: Be<u32> as u32,
        /// Security context of a packet of this machine; with [`QueueFlags::SECCTX`]. Linux 4.3.
        18 NFQA_SECCTX secctx: Str<'a>,
        /// VLAN tag, in the family `bridge`. A verdict changes it, both attributes at once. Linux 4.7.
        19 NFQA_VLAN vlan: VlanAttrs<'a>,
        /// Link-layer header, in the family `bridge`. A verdict overwrites it, with the same length: another one is
        /// `EINVAL`, after which Linux 6.18.15 forgets the packet and holds its links for ever. Linux 4.7.
        20 NFQA_L2HDR l2_header: Bytes<'a>,
        /// The packet's priority; absent is 0. Linux 5.18. A verdict changes it since Linux 6.1.
        21 NFQA_PRIORITY priority: Be<u32> as u32,
        /// `net_cls` class of the socket that sent it; absent is 0. Linux 6.4.
        22 NFQA_CGROUP_CLASSID cgroup_classid: Be<u32> as u32,
    }
}

message! {
    /// A queued packet, or a verdict about one.
    pub struct Packet<'a>(Header, PacketAttrs<'a>), VerdictRequest {
        /// A packet that waits; the kernel sends it.
        0x0300 NFQNL_MSG_PACKET PACKET [received],
        /// A verdict about one packet.
        0x0301 NFQNL_MSG_VERDICT VERDICT,
        /// A verdict about all packets up to one.
        0x0303 NFQNL_MSG_VERDICT_BATCH VERDICT_BATCH,
    }
    on crate::PROTOCOL
}

/// What a verdict names: a packet of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs)]
pub struct Ticket {
    /// The queue's number.
    pub queue: u16,
    /// The packet's.
    pub id: u32,
}

impl Packet<'_> {
    /// By what a verdict names this packet. The id of a packet without a number, which no kernel sends, is 0.
    #[inline]
    pub fn ticket(&self) -> Ticket {
        let id = self.packet_header().map(|header| header.id.0);
        Ticket { queue: self.header().resource.0, id: id.unwrap_or_default() }
    }

    /// Where it was caught.
    pub fn hook(&self) -> Option<Hook> {
        self.packet_header().map(|header| header.hook)
    }
}

impl<R> VerdictRequest<R> {
    /// The same request about another packet, without its attributes.
    #[cfg(all(feature = "std", target_os = "linux"))]
    #[inline]
    fn about(self, ticket: Ticket, verdict: Verdict) -> Self {
        self.restart(verdict_of(ticket)).verdict_header(VerdictHeader { verdict, id: Be(ticket.id) })
    }
}

fn verdict_of(ticket: Ticket) -> Header {
    Header::default().resource(ticket.queue)
}

/// Says what becomes of a packet. Further setters change the packet first: mark, payload, priority and so on.
///
/// As a call it waits for an acknowledgement. [`Queue::verdict`] doesn't, and is the quicker way.
pub fn verdict(ticket: Ticket, verdict: Verdict) -> VerdictRequest<()> {
    VerdictRequest::new(&Packet::VERDICT, MessageFlags::empty(), verdict_of(ticket))
        .verdict_header(VerdictHeader { verdict, id: Be(ticket.id) })
}

/// Says what becomes of a packet and of all that were queued before it and still wait. Only
/// [`mark`](VerdictRequest::mark) and [`priority`](VerdictRequest::priority) can be changed. `ENOENT` if none waits.
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
        /// Unbind it.
        2 NFQNL_CFG_CMD_UNBIND UNBIND "unbind",
        /// Since Linux 3.8 nothing.
        3 NFQNL_CFG_CMD_PF_BIND PF_BIND "pf-bind",
        /// Since Linux 3.8 nothing.
        4 NFQNL_CFG_CMD_PF_UNBIND PF_UNBIND "pf-unbind",
    }
}

layout! {
    /// `struct nfqnl_msg_config_cmd`.
    pub struct ConfigCommand: nfqnl_msg_config_cmd = 4 {
        /// The command.
        command: Command,
        /// Nothing.
        pad: Pad<1>,
        /// The family that `PF_BIND` was about.
        family: Be<u16>,
    }
}

values! {
    /// `NFQNL_COPY_*`: what a process sees of a packet.
    pub struct CopyMode: u8 {
        /// Nothing: packets are not even queued, but dropped.
        0 NFQNL_COPY_NONE NONE "none",
        /// All but the payload.
        1 NFQNL_COPY_META META "meta",
        /// The payload as well.
        2 NFQNL_COPY_PACKET PACKET "packet",
    }
}

layout! {
    /// `struct nfqnl_msg_config_params`.
    pub struct Params: nfqnl_msg_config_params = 5 {
        /// Most bytes of the payload; 0, and whatever is more than 65531, is 65531.
        copy_range: Be<u32>,
        /// What is copied. The kernel ignores a mode it doesn't know.
        copy_mode: CopyMode,
    }
}

impl Params {
    /// All but the payload.
    pub const fn meta() -> Self {
        Self { copy_range: Be(0), copy_mode: CopyMode::META }
    }

    /// So many bytes of the payload, from the network header on.
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
        /// When the queue is full, accept packets instead of dropping them. Linux 3.6.
        1 NFQA_CFG_F_FAIL_OPEN FAIL_OPEN,
        /// Tell the packets' connections. Linux 3.6.
        2 NFQA_CFG_F_CONNTRACK CONNTRACK,
        /// Take packets larger than the MTU whole. Linux 3.10.
        4 NFQA_CFG_F_GSO GSO,
        /// Tell user and group. Linux 3.12.
        8 NFQA_CFG_F_UID_GID UID_GID,
        /// Tell the security context. `EOPNOTSUPP` from a kernel without. Linux 4.3.
        16 NFQA_CFG_F_SECCTX SECCTX,
    }
}

attrs! {
    /// `NFQA_CFG_*`.
    pub struct ConfigAttrs<'a> for ConfigRequest<R> {
        /// What is done.
        1 NFQA_CFG_CMD command: ConfigCommand,
        /// What is copied of each packet.
        2 NFQA_CFG_PARAMS params: Params,
        /// How many packets may wait for a verdict: 1024 at first. Newer kernels, Linux 6.18.44 among them, take more than
        /// 65536 for that.
        3 NFQA_CFG_QUEUE_MAXLEN max_length: Be<u32> as u32,
        /// Which flags are changed. Set it with [`on`](Self::on) and [`off`](Self::off). Linux 3.6.
        4 NFQA_CFG_MASK flag_mask: QueueFlags,
        /// The value of those flags: all are off at first. Set it likewise: without the mask it is `EINVAL`. `EOPNOTSUPP`,
        /// since Linux 7.0 `EINVAL`, for one that the kernel doesn't have. Linux 3.6.
        5 NFQA_CFG_FLAGS flag_values: QueueFlags,
    }
}

message! {
    /// How a queue works.
    pub struct Config<'a>(Header, ConfigAttrs<'a>), ConfigRequest {
        /// Binds, unbinds or configures one.
        0x0302 NFQNL_MSG_CONFIG CONFIG,
    }
    about subject
    hint why
    on crate::PROTOCOL
}

/// `queue 5`: what errors call a queue.
fn subject(config: &Config<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "queue {}", config.header().resource)
}

impl<R> ConfigRequest<R> {
    /// Turns flags on, and leaves the others as they are.
    pub fn on(self, flags: QueueFlags) -> Self {
        self.change(flags, flags)
    }

    /// Turns flags off, and leaves the others as they are.
    pub fn off(self, flags: QueueFlags) -> Self {
        self.change(flags, QueueFlags::empty())
    }

    /// The kernel takes the last of several masks, which has to have what the others have.
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

/// What an errno may mean here.
fn why(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let flags = with_asked(error.ext_ack().request(), |asked| asked.flag_values().unwrap_or_default());
    match (error.errno(), flags) {
        (Errno::EPERM, _) => f.write_str(
            "; either CAP_NET_ADMIN is missing, or another socket has the queue: \
             /proc/net/netfilter/nfnetlink_queue tells its port",
        ),
        (Errno::EOPNOTSUPP | Errno::EINVAL, Some(flags)) if !flags.is_empty() => {
            write!(f, "; the kernel may lack one of these flags: {flags}")
        }
        _ => Ok(()),
    }
}

/// Binds a queue to the socket that asks, all at once: if the kernel lacks a flag, the queue isn't bound.
///
/// ```
/// use netlink_netfilter::queue::{self, Params, QueueFlags};
///
/// let request = queue::bind(3, Params::first(128)).on(QueueFlags::FAIL_OPEN | QueueFlags::UID_GID);
/// ```
pub fn bind(number: u16, params: Params) -> ConfigRequest<()> {
    configure(number).command(ConfigCommand::default().command(Command::BIND)).params(params)
}

/// Unbinds a queue of this socket; packets that wait in it are dropped.
pub fn unbind(number: u16) -> ConfigRequest<()> {
    configure(number).command(ConfigCommand::default().command(Command::UNBIND))
}

/// Changes a queue of this socket; setters say what. `ENODEV` if nobody has bound it, `EPERM` if another socket has.
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
