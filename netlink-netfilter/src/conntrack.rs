//! Connection tracking: the functions of `conntrack` as a library. Kernel side:
//! `uapi/linux/netfilter/nfnetlink_conntrack.h`, `net/netfilter/nf_conntrack_netlink.c`.
//!
//! ```no_run
//! use netlink_netfilter::conntrack::{self, Status, Tuple};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = netlink_netfilter::connect()?;
//! let flow = Tuple::tcp("192.0.2.1:1000".parse()?, "192.0.2.2:80".parse()?);
//! nl.call(conntrack::create(&flow, &flow.reversed()).timeout(60).mark(7))?;
//! println!("{}", nl.call(conntrack::get(&flow))?);
//! nl.call(conntrack::update(&flow).timeout(600).status(Status::CONFIRMED | Status::ASSURED))?;
//! nl.call(conntrack::delete(&flow))?;
//!
//! let mut marked = nl.dump(conntrack::list().mark(7))?;
//! while let Some(entry) = marked.next()? {
//!     println!("{entry}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The kernel tracks the connections of a network namespace while a rule in it uses tracking (`ct state` in
//! nftables, `-m conntrack` in iptables). Entries that a program makes are kept without such a rule.

use core::fmt;

use netlink_core::error::net_admin;
use netlink_core::{
    Be, Dump, Errno, KernelError, MessageFlags, MessageInfo, Messages, attrs, flags, message, narrow, values,
};

use crate::{Family, Header};

mod entry;
mod filter;
mod labels;
mod nat;
mod proto;
mod stats;
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio;
mod tuple;
#[cfg(all(feature = "std", target_os = "linux"))]
mod watch;

pub use entry::{
    Counters, CountersAttrs, Helper, HelperAttrs, Secctx, SecctxAttrs, SeqAdj, SeqAdjAttrs, Synproxy,
    SynproxyAttrs, Timestamp, TimestampAttrs,
};
pub use filter::{Filter, FilterAttrs, FilterFlags, FilterRequest};
pub use labels::Labels;
pub use nat::{Nat, NatAttrs, NatPorts, NatPortsAttrs};
pub use netlink_core::net::IpProtocol;
pub use proto::{
    DccpInfo, DccpInfoAttrs, DccpRole, DccpState, ProtoInfo, ProtoInfoAttrs, SctpInfo, SctpInfoAttrs,
    SctpState, TcpFlags, TcpFlagsMask, TcpInfo, TcpInfoAttrs, TcpState,
};
pub use stats::{
    CpuStats, CpuStatsAttrs, CpuStatsRequest, Stats, StatsAttrs, StatsRequest, cpu_stats, stats,
};
pub use tuple::{Tuple, TupleAttrs, TupleIp, TupleIpAttrs, TupleKey, TupleProto, TupleProtoAttrs};

#[cfg(all(feature = "std", target_os = "linux"))]
pub use watch::Watch;

flags! {
    /// `IPS_*`: status of a connection.
    ///
    /// A request must not change [`EXPECTED`](Self::EXPECTED), [`CONFIRMED`](Self::CONFIRMED) or
    /// [`DYING`](Self::DYING) of an entry, or the answer is `EBUSY`. A new entry has `CONFIRMED`.
    pub struct Status: Be<u32> {
        /// A helper expected the connection. Never changes.
        0x0001 IPS_EXPECTED EXPECTED,
        /// Packets were seen in both directions. Can be set, not cleared.
        0x0002 IPS_SEEN_REPLY SEEN_REPLY,
        /// The entry is not removed early. Can be set, not cleared.
        0x0004 IPS_ASSURED ASSURED,
        /// The entry is in the table: its first packet has left.
        0x0008 IPS_CONFIRMED CONFIRMED,
        /// Sources of packets in the original direction are translated.
        0x0010 IPS_SRC_NAT SRC_NAT,
        /// Destinations of packets in the original direction are translated.
        0x0020 IPS_DST_NAT DST_NAT,
        /// TCP sequence numbers are adjusted.
        0x0040 IPS_SEQ_ADJUST SEQ_ADJUST,
        /// Source translation was decided, possibly to none.
        0x0080 IPS_SRC_NAT_DONE SRC_NAT_DONE,
        /// Destination translation was decided, possibly to none.
        0x0100 IPS_DST_NAT_DONE DST_NAT_DONE,
        /// The entry was removed from the table.
        0x0200 IPS_DYING DYING,
        /// Packets do not restart the timeout.
        0x0400 IPS_FIXED_TIMEOUT FIXED_TIMEOUT,
        /// A template for other entries.
        0x0800 IPS_TEMPLATE TEMPLATE,
        /// Not tracked. Up to Linux 4.11.
        0x1000 IPS_UNTRACKED UNTRACKED,
        /// A rule or a netlink request set its helper.
        0x2000 IPS_HELPER HELPER,
        /// A flow table forwards it.
        0x4000 IPS_OFFLOAD OFFLOAD,
        /// Hardware forwards it. Linux 5.8.
        0x8000 IPS_HW_OFFLOAD HW_OFFLOAD,
    }
}

values! {
    /// `IP_CT_*`: the relation of a packet to its connection, as queues and logs report it.
    pub struct PacketState: Be<u32> {
        /// A packet of an answered connection, in the original direction.
        0 IP_CT_ESTABLISHED ESTABLISHED "ESTABLISHED",
        /// The first packet of an expected connection, or an ICMP error about a connection, in the original
        /// direction.
        1 IP_CT_RELATED RELATED "RELATED",
        /// The first packet of a connection, or a packet of an unanswered connection.
        2 IP_CT_NEW NEW "NEW",
        /// A packet of an answered connection, in the reply direction.
        3 IP_CT_ESTABLISHED_REPLY ESTABLISHED_REPLY "ESTABLISHED_REPLY",
        /// An ICMP error, in the reply direction.
        4 IP_CT_RELATED_REPLY RELATED_REPLY "RELATED_REPLY",
        /// Not tracked.
        5 IP_CT_NEW_REPLY NEW_REPLY "NEW_REPLY",
    }
}

attrs! {
    /// `CTA_*`: a connection.
    pub struct ConntrackAttrs<'a> for ConntrackRequest<R>, ConntrackSet {
        /// Addresses and ports of packets in the original direction.
        1 CTA_TUPLE_ORIG tuple_orig: TupleAttrs<'a>,
        /// Addresses and ports of packets in the reply direction. With address translation, this is not the
        /// reverse of the original tuple.
        2 CTA_TUPLE_REPLY tuple_reply: TupleAttrs<'a>,
        /// Status. In a list or a deletion by filter: the bits that must be set, Linux 5.15.
        3 CTA_STATUS status: Status,
        /// State of the protocol.
        4 CTA_PROTOINFO protoinfo: ProtoInfoAttrs<'a>,
        /// The helper that inspects its data.
        5 CTA_HELP help: HelperAttrs<'a>,
        /// Translation of sources. Only to create an entry.
        6 CTA_NAT_SRC nat_src: NatAttrs<'a>,
        /// Seconds until the entry is removed, unless packets arrive. Required to create an entry. Absent
        /// while a flow table maintains it.
        7 CTA_TIMEOUT timeout: Be<u32> as u32,
        /// Mark, a number for rules; initially 0. In an event, absent if it is 0 and did not change.
        8 CTA_MARK mark: Be<u32> as u32,
        /// Packets and bytes in the original direction.
        9 CTA_COUNTERS_ORIG counters_orig: CountersAttrs<'a>,
        /// Packets and bytes in the reply direction.
        10 CTA_COUNTERS_REPLY counters_reply: CountersAttrs<'a>,
        /// Number of references in the kernel.
        11 CTA_USE use_count: Be<u32> as u32,
        /// Id of the entry; it distinguishes entries that have the same tuple one after another. In a
        /// deletion: only the entry with this id.
        12 CTA_ID id: Be<u32> as u32,
        /// Translation of destinations. Only to create an entry.
        13 CTA_NAT_DST nat_dst: NatAttrs<'a>,
        /// Original tuple of the connection whose helper expected this connection.
        14 CTA_TUPLE_MASTER tuple_master: TupleAttrs<'a>,
        /// Adjusted sequence numbers in the original direction.
        15 CTA_SEQ_ADJ_ORIG seq_adj_orig: SeqAdjAttrs<'a>,
        /// Adjusted sequence numbers in the reply direction.
        16 CTA_SEQ_ADJ_REPLY seq_adj_reply: SeqAdjAttrs<'a>,
        /// Number of the security context. Up to Linux 2.6.36.
        17 CTA_SECMARK secmark: Be<u32> as u32,
        /// Zone of both directions; absent is zone 0. Equal tuples in different zones are different connections.
        18 CTA_ZONE zone: Be<u16> as u16,
        /// The security context.
        19 CTA_SECCTX secctx: SecctxAttrs<'a>,
        /// When the connection began and ended.
        20 CTA_TIMESTAMP timestamp: TimestampAttrs<'a>,
        /// In a list or a deletion: the bits of the mark to compare. In an update: the bits to change.
        /// Absent: all bits.
        21 CTA_MARK_MASK mark_mask: Be<u32> as u32,
        /// The labels.
        22 CTA_LABELS labels: Labels,
        /// The labels to change; absent: all. Only in requests.
        23 CTA_LABELS_MASK labels_mask: Labels,
        /// State of the SYN proxy.
        24 CTA_SYNPROXY synproxy: SynproxyAttrs<'a>,
        /// The fields of the tuples to compare; see [`FilterRequest::matching`]. Linux 5.8.
        25 CTA_FILTER filter: FilterAttrs<'a>,
        /// In a list or a deletion: the bits of the status to compare; absent: the bits of the status itself.
        /// Linux 5.15.
        26 CTA_STATUS_MASK status_mask: Status,
        /// Time of the event, in nanoseconds since 1970; only with `net.netfilter.nf_conntrack_timestamp`.
        /// Linux 6.14.
        27 CTA_TIMESTAMP_EVENT timestamp_event: Be<u64> as u64,
    }
}

message! {
    /// A connection.
    pub struct Conntrack<'a>(Header, ConntrackAttrs<'a>), ConntrackRequest {
        /// Request: makes or changes an entry. Answer and event: an entry.
        256 IPCTNL_MSG_CT_NEW NEW,
        /// Asks for one entry or all.
        257 IPCTNL_MSG_CT_GET GET,
        /// Request: deletes entries. Event: an entry was deleted.
        258 IPCTNL_MSG_CT_DELETE DELETE,
        /// Asks for entries, and resets their counters to zero.
        259 IPCTNL_MSG_CT_GET_CTRZERO GET_CTRZERO,
        /// Asks for entries that were removed from the table, but whose last event was not sent.
        262 IPCTNL_MSG_CT_GET_DYING GET_DYING,
        /// Asks for entries whose first packet has not left.
        263 IPCTNL_MSG_CT_GET_UNCONFIRMED GET_UNCONFIRMED,
    }
    about subject
    hint why
    on crate::PROTOCOL
}

narrow! {
    /// A request for one entry.
    pub struct KeyRequest<R>(ConntrackRequest<R>) {
        /// The zone of the entry. Default: zone 0.
        zone: Be<u16>,
    }
}

narrow! {
    /// A request to delete one entry. It has only the setters that the kernel uses.
    pub struct DeleteRequest<R>(ConntrackRequest<R>) {
        /// The zone of the entry. Default: zone 0.
        zone: Be<u16>,
        /// Deletes the entry only if it has this id; otherwise `ENOENT`.
        id: Be<u32>,
    }
}

narrow! {
    /// A request for a list that the kernel can only filter by family.
    pub struct ListRequest<R>(ConntrackRequest<R>) {}
}

impl<R> ListRequest<R> {
    /// Only entries of this family.
    pub fn family(self, family: Family) -> Self {
        Self(self.0.header(|header| header.family = family))
    }
}

fn request<R>(
    info: &'static MessageInfo,
    flags: MessageFlags,
    tuple: &Tuple,
    reply: Option<&Tuple>,
) -> ConntrackRequest<R> {
    let orig = tuple.clone().attrs();
    let request = ConntrackRequest::new(info, flags, Header::of(orig.family())).tuple_orig(orig);
    match reply {
        Some(reply) => request.tuple_reply(reply.clone()),
        None => request,
    }
}

/// Makes an entry; `EEXIST` if there is one with this tuple. A [`timeout`](ConntrackRequest::timeout) is
/// required too.
///
/// Without translation the reply is `&tuple.reversed()`. For TCP set the state too: an entry without state
/// has `NONE`, and the next packet that is out of window becomes invalid.
///
/// ```
/// use netlink_netfilter::conntrack::{self, ProtoInfo, Status, TcpInfo, TcpState, Tuple};
///
/// let flow = Tuple::tcp("192.0.2.1:1000".parse()?, "192.0.2.2:80".parse()?);
/// let request = conntrack::create(&flow, &flow.reversed())
///     .timeout(600)
///     .status(Status::CONFIRMED | Status::SEEN_REPLY | Status::ASSURED)
///     .protoinfo(ProtoInfo::new().tcp(TcpInfo::new().state(TcpState::ESTABLISHED)));
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
pub fn create(orig: &Tuple, reply: &Tuple) -> ConntrackRequest<()> {
    request(&Conntrack::NEW, MessageFlags::CREATE | MessageFlags::EXCL, orig, Some(reply))
}

/// Makes an entry, or changes the entry with this tuple.
///
/// If there is an entry, settings that can't be changed, such as the translation, are refused with `EOPNOTSUPP`.
pub fn create_or_update(orig: &Tuple, reply: &Tuple) -> ConntrackRequest<()> {
    request(&Conntrack::NEW, MessageFlags::CREATE, orig, Some(reply))
}

/// Changes the given settings of an entry; `ENOENT` if there is none.
///
/// A tuple of either direction finds the entry. For a [`Status`], send the status that you read, with more bits set.
pub fn update(tuple: &Tuple) -> ConntrackRequest<()> {
    request(&Conntrack::NEW, MessageFlags::empty(), tuple, None)
}

/// Asks for the entry with this tuple, in either direction.
pub fn get(tuple: &Tuple) -> KeyRequest<Conntrack<'static>> {
    request(&Conntrack::GET, MessageFlags::empty(), tuple, None).into()
}

/// Asks for the entry with this tuple, and resets its counters to zero.
pub fn get_and_zero(tuple: &Tuple) -> KeyRequest<Conntrack<'static>> {
    request(&Conntrack::GET_CTRZERO, MessageFlags::empty(), tuple, None).into()
}

/// Deletes the entry with this tuple, in either direction. With an [`id`](DeleteRequest::id), only if the
/// entry has this id.
pub fn delete(tuple: &Tuple) -> DeleteRequest<()> {
    request(&Conntrack::DELETE, MessageFlags::empty(), tuple, None).into()
}

/// Deletes exactly the listed entry: by its original tuple, its zone and its id.
pub fn delete_listed(entry: &Conntrack<'_>) -> DeleteRequest<()> {
    let mut request = delete(&entry.tuple_orig().unwrap_or_default().into());
    if let Some(zone) = entry.zone() {
        request = request.zone(zone);
    }
    match entry.id() {
        Some(id) => request.id(id),
        None => request,
    }
}

/// Explains an errno if the kernel gives no reason.
fn why(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    net_admin(error, f)?;
    let refused = error.ext_ack();
    let message = Messages::new(refused.request()).next().and_then(Result::ok);
    let Some(asked) = message.and_then(|message| Conntrack::read(&message).ok()) else { return Ok(()) };
    let deletion = asked.message_type().0 == Conntrack::DELETE.number && asked.filter().is_some();
    let unsupported = [Errno::EINVAL, Errno::EOPNOTSUPP].contains(&error.errno());
    if deletion && refused.message().is_none() && unsupported {
        f.write_str("; before Linux 6.10 kernels can't delete by status, zone or tuples: list the entries, and delete each")
    } else {
        Ok(())
    }
}

fn dump(info: &'static MessageInfo) -> ConntrackRequest<Dump<Conntrack<'static>>> {
    ConntrackRequest::new(info, MessageFlags::DUMP, Header::default())
}

/// Lists the entries that match all set conditions; without conditions, all entries of the namespace.
///
/// If the kernel may not know a condition, this crate filters the list again.
pub fn list() -> FilterRequest<Dump<Conntrack<'static>>> {
    const LIST: MessageInfo = Conntrack::GET.filtered(filter::refilter);
    dump(&LIST).into()
}

/// Lists entries with the same conditions, and resets their counters to zero.
pub fn list_and_zero() -> FilterRequest<Dump<Conntrack<'static>>> {
    const LIST: MessageInfo = Conntrack::GET_CTRZERO.filtered(filter::refilter);
    dump(&LIST).into()
}

/// Lists entries that were removed from the table, but whose event was not sent because a buffer was full.
pub fn dying() -> ListRequest<Dump<Conntrack<'static>>> {
    const LIST: MessageInfo = Conntrack::GET_DYING.filtered(filter::refilter);
    dump(&LIST).into()
}

/// Lists entries whose first packet has not left. Since Linux 5.19 the list is always empty.
pub fn unconfirmed() -> ListRequest<Dump<Conntrack<'static>>> {
    const LIST: MessageInfo = Conntrack::GET_UNCONFIRMED.filtered(filter::refilter);
    dump(&LIST).into()
}

/// Deletes all entries that match all set conditions; **without conditions, all entries of the namespace**.
///
/// The kernel searches its table itself; nothing is listed. A kernel ignores conditions that it does not
/// know, and would delete more. So deletions by status, zone and tuples are sent in a way that kernels before
/// Linux 6.10 refuse (`EINVAL`, `EOPNOTSUPP`) without deleting. For these kernels, list the entries and
/// delete each with [`delete_listed`]. All kernels with marks (`CONFIG_NF_CONNTRACK_MARK`) compare the mark.
/// The family is compared **since Linux 5.3: older kernels delete entries of all families**.
///
/// ```
/// use netlink_netfilter::conntrack;
///
/// let request = conntrack::flush().mark(7);
/// ```
///
/// Conditions that no kernel compares do not compile:
///
/// ```compile_fail
/// use netlink_netfilter::conntrack::{self, Labels};
///
/// let request = conntrack::flush().labels(Labels::of(&[7]));
/// ```
pub fn flush() -> FilterRequest<()> {
    ConntrackRequest::new(&Conntrack::DELETE, MessageFlags::empty(), Header::default().version(1)).into()
}

/// `src=192.0.2.1 dst=192.0.2.2 sport=1000 dport=80`: the connection, as errors show it.
fn subject(conntrack: &Conntrack<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (conntrack.tuple_orig().or_else(|| conntrack.tuple_reply()), conntrack.id()) {
        (Some(tuple), _) => write!(f, "{tuple}")?,
        (None, Some(id)) => write!(f, "id {id}")?,
        (None, None) => return Ok(()),
    }
    conntrack.zone().map_or(Ok(()), |zone| write!(f, " zone={zone}"))
}

impl Conntrack<'_> {
    /// The family of the addresses.
    pub fn family(&self) -> Family {
        self.header().family
    }

    /// By what the kernel knows it: its original tuple, and its zone. A connection that comes after it may have the same;
    /// [`id`](ConntrackAttrs::id) tells them apart.
    pub fn key(&self) -> TupleKey {
        self.tuple_orig().unwrap_or_default().key(self.zone().unwrap_or_default())
    }
}

/// As `conntrack -L` prints it, with one space between words.
impl fmt::Display for Conntrack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.attrs(), f)
    }
}

/// As `conntrack -L` prints it, with one space between words.
impl fmt::Display for ConntrackAttrs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let orig = self.tuple_orig().unwrap_or_default();
        let reply = self.tuple_reply().unwrap_or_default();
        let protocol = orig.protocol().unwrap_or_default();
        write!(f, "{} {}", protocol.name().unwrap_or("unknown"), protocol.0)?;
        if let Some(timeout) = self.timeout() {
            write!(f, " {timeout}")?;
        }
        if let Some(state) = self.protoinfo().and_then(|info| info.state_name()) {
            write!(f, " {state}")?;
        }
        let status = self.status();
        let unset = |bit| status.is_some_and(|status| !status.contains(bit));
        let set = |bit| status.is_some_and(|status| status.contains(bit));
        f.write_str(" ")?;
        orig.show(f, "zone-orig")?;
        show_counters(f, self.counters_orig())?;
        if unset(Status::SEEN_REPLY) {
            f.write_str(" [UNREPLIED]")?;
        }
        f.write_str(" ")?;
        reply.show(f, "zone-reply")?;
        show_counters(f, self.counters_reply())?;
        let offloaded = [(Status::HW_OFFLOAD, " [HW_OFFLOAD]"), (Status::OFFLOAD, " [OFFLOAD]")];
        let shown = offloaded.into_iter().chain([(Status::ASSURED, " [ASSURED]")]).find(|(bit, _)| set(*bit));
        f.write_str(shown.map_or("", |(_, text)| text))?;
        if let Some(mark) = self.mark() {
            write!(f, " mark={mark}")?;
        }
        if let Some(name) = self.secctx().as_ref().and_then(|secctx| secctx.name()) {
            write!(f, " secctx={name}")?;
        }
        if let Some(zone) = self.zone() {
            write!(f, " zone={zone}")?;
        }
        if let Some(name) = self.help().as_ref().and_then(|help| help.name()) {
            write!(f, " helper={name}")?;
        }
        match self.use_count() {
            Some(count) => write!(f, " use={count}"),
            None => Ok(()),
        }
    }
}

fn show_counters(f: &mut fmt::Formatter<'_>, counters: Option<CountersAttrs<'_>>) -> fmt::Result {
    match counters.as_ref().map(|counters| (counters.packets(), counters.bytes())) {
        Some((Some(packets), Some(bytes))) => write!(f, " packets={packets} bytes={bytes}"),
        _ => Ok(()),
    }
}
