//! Connection tracking: the table of connections. What `conntrack` does, as a library.
//! Kernel side: `uapi/linux/netfilter/nfnetlink_conntrack.h`, `net/netfilter/nf_conntrack_netlink.c`.
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
//! The kernel tracks connections of a network namespace while a rule there asks for it (`ct state` in nftables,
//! `-m conntrack` in iptables); entries made here are kept without one.

use core::fmt;

use netlink_core::error::net_admin;
use netlink_core::{
    Be, Dump, Errno, KernelError, MessageFlags, MessageInfo, Messages, attrs, flags, message, narrow, values,
};

use crate::{Family, Header};

mod filter;
mod nat;
mod parts;
mod proto;
mod stats;
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio;
mod tuple;
#[cfg(all(feature = "std", target_os = "linux"))]
mod watch;

pub use filter::{Filter, FilterAttrs, FilterFlags, FilterRequest};
pub use nat::{Nat, NatAttrs, NatPorts, NatPortsAttrs};
pub use netlink_core::net::IpProtocol;
pub use parts::{
    Counters, CountersAttrs, Helper, HelperAttrs, Labels, Secctx, SecctxAttrs, SeqAdj, SeqAdjAttrs, Synproxy,
    SynproxyAttrs, Timestamp, TimestampAttrs,
};
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
    /// `IPS_*`: what is known of a connection.
    ///
    /// In a request, [`EXPECTED`](Self::EXPECTED), [`CONFIRMED`](Self::CONFIRMED) and [`DYING`](Self::DYING) must be as the
    /// entry has them, else the answer is `EBUSY`; a new entry has `CONFIRMED`.
    pub struct Status: Be<u32> {
        /// A helper expected it. Never changes.
        0x0001 IPS_EXPECTED EXPECTED,
        /// Packets went both ways. Can be set, not unset.
        0x0002 IPS_SEEN_REPLY SEEN_REPLY,
        /// Not to be dropped early. Can be set, not unset.
        0x0004 IPS_ASSURED ASSURED,
        /// In the table: its first packet has left.
        0x0008 IPS_CONFIRMED CONFIRMED,
        /// Sources of original packets are translated.
        0x0010 IPS_SRC_NAT SRC_NAT,
        /// Destinations of original packets are translated.
        0x0020 IPS_DST_NAT DST_NAT,
        /// TCP sequence numbers are moved.
        0x0040 IPS_SEQ_ADJUST SEQ_ADJUST,
        /// Source translation was set up, if only to none.
        0x0080 IPS_SRC_NAT_DONE SRC_NAT_DONE,
        /// Destination translation was set up, if only to none.
        0x0100 IPS_DST_NAT_DONE DST_NAT_DONE,
        /// Taken off the table.
        0x0200 IPS_DYING DYING,
        /// Packets don't renew its timeout.
        0x0400 IPS_FIXED_TIMEOUT FIXED_TIMEOUT,
        /// A template for others.
        0x0800 IPS_TEMPLATE TEMPLATE,
        /// Not tracked. Up to Linux 4.11.
        0x1000 IPS_UNTRACKED UNTRACKED,
        /// Its helper was set by a rule or through netlink.
        0x2000 IPS_HELPER HELPER,
        /// A flow table forwards it.
        0x4000 IPS_OFFLOAD OFFLOAD,
        /// Hardware forwards it. Linux 5.8.
        0x8000 IPS_HW_OFFLOAD HW_OFFLOAD,
    }
}

values! {
    /// `IP_CT_*`: what a packet is to its connection, as queues and logs tell it beside the entry.
    pub struct PacketState: Be<u32> {
        /// Of a connection that was answered, in the original direction.
        0 IP_CT_ESTABLISHED ESTABLISHED "ESTABLISHED",
        /// Begins an expected connection, or an ICMP error about one, in the original direction.
        1 IP_CT_RELATED RELATED "RELATED",
        /// Begins a connection, or belongs to one without an answer.
        2 IP_CT_NEW NEW "NEW",
        /// Of a connection that was answered, in the reply direction.
        3 IP_CT_ESTABLISHED_REPLY ESTABLISHED_REPLY "ESTABLISHED_REPLY",
        /// An ICMP error, in the reply direction.
        4 IP_CT_RELATED_REPLY RELATED_REPLY "RELATED_REPLY",
        /// Not tracked, or not to be tracked.
        5 IP_CT_NEW_REPLY NEW_REPLY "NEW_REPLY",
    }
}

attrs! {
    /// `CTA_*`: a connection.
    pub struct ConntrackAttrs<'a> for ConntrackRequest<R>, ConntrackSet {
        /// The ends, as packets of the side that began have them.
        1 CTA_TUPLE_ORIG tuple_orig: TupleAttrs<'a>,
        /// The ends, as packets of the side that answers have them. Where addresses are translated, not the
        /// reverse of the original one.
        2 CTA_TUPLE_REPLY tuple_reply: TupleAttrs<'a>,
        /// What is known of it. In a list or a deletion by filter: the bits that must be set. Linux 5.15 there.
        3 CTA_STATUS status: Status,
        /// State of the protocol.
        4 CTA_PROTOINFO protoinfo: ProtoInfoAttrs<'a>,
        /// The helper that looks into its data.
        5 CTA_HELP help: HelperAttrs<'a>,
        /// What sources become. Only to create.
        6 CTA_NAT_SRC nat_src: NatAttrs<'a>,
        /// Seconds until it goes, unless packets come. Needed to create. Absent where a flow table keeps it.
        7 CTA_TIMEOUT timeout: Be<u32> as u32,
        /// A number of the rules' own; 0 at first. Absent in events while it is 0 and did not change.
        8 CTA_MARK mark: Be<u32> as u32,
        /// Packets and bytes of the original direction.
        9 CTA_COUNTERS_ORIG counters_orig: CountersAttrs<'a>,
        /// Packets and bytes of the reply direction.
        10 CTA_COUNTERS_REPLY counters_reply: CountersAttrs<'a>,
        /// References the kernel holds.
        11 CTA_USE use_count: Be<u32> as u32,
        /// Id of the entry, so that its successor with the same tuple is another. In a deletion: only that one.
        12 CTA_ID id: Be<u32> as u32,
        /// What destinations become. Only to create.
        13 CTA_NAT_DST nat_dst: NatAttrs<'a>,
        /// Original tuple of the connection whose helper expected this one.
        14 CTA_TUPLE_MASTER tuple_master: TupleAttrs<'a>,
        /// Moved sequence numbers of the original direction.
        15 CTA_SEQ_ADJ_ORIG seq_adj_orig: SeqAdjAttrs<'a>,
        /// Moved sequence numbers of the reply direction.
        16 CTA_SEQ_ADJ_REPLY seq_adj_reply: SeqAdjAttrs<'a>,
        /// Number of the security context. Up to Linux 2.6.36.
        17 CTA_SECMARK secmark: Be<u32> as u32,
        /// Zone of both directions; absent is zone 0. Equal tuples in different zones are different connections.
        18 CTA_ZONE zone: Be<u16> as u16,
        /// The security context.
        19 CTA_SECCTX secctx: SecctxAttrs<'a>,
        /// When it began and ended.
        20 CTA_TIMESTAMP timestamp: TimestampAttrs<'a>,
        /// In a list or a deletion: the bits of the mark that count, all if absent. In an update: the bits that
        /// change, all if absent.
        21 CTA_MARK_MASK mark_mask: Be<u32> as u32,
        /// The labels.
        22 CTA_LABELS labels: Labels,
        /// The labels that change, all if absent. Only in requests.
        23 CTA_LABELS_MASK labels_mask: Labels,
        /// What the SYN proxy keeps.
        24 CTA_SYNPROXY synproxy: SynproxyAttrs<'a>,
        /// Which fields of the tuples select; see [`FilterRequest::matching`]. Linux 5.8.
        25 CTA_FILTER filter: FilterAttrs<'a>,
        /// In a list or a deletion: the bits of the status that count; the bits given, if absent. Linux 5.15.
        26 CTA_STATUS_MASK status_mask: Status,
        /// When the event came about, in nanoseconds since 1970; only with
        /// `net.netfilter.nf_conntrack_timestamp`. Linux 6.14.
        27 CTA_TIMESTAMP_EVENT timestamp_event: Be<u64> as u64,
    }
}

message! {
    /// A connection.
    pub struct Conntrack<'a>(Header, ConntrackAttrs<'a>), ConntrackRequest {
        /// Made, changed, or answered.
        256 IPCTNL_MSG_CT_NEW NEW,
        /// Asked.
        257 IPCTNL_MSG_CT_GET GET,
        /// Deleted.
        258 IPCTNL_MSG_CT_DELETE DELETE,
        /// Asked, and its counters set to zero.
        259 IPCTNL_MSG_CT_GET_CTRZERO GET_CTRZERO,
        /// Asked: those that are taken off the table and whose last event did not go out.
        262 IPCTNL_MSG_CT_GET_DYING GET_DYING,
        /// Asked: those whose first packet has not left.
        263 IPCTNL_MSG_CT_GET_UNCONFIRMED GET_UNCONFIRMED,
    }
    about subject
    hint why
    on crate::PROTOCOL
}

narrow! {
    /// A question about one entry.
    pub struct KeyRequest<R>(ConntrackRequest<R>) {
        /// The entry in this zone; without, the one in zone 0.
        zone: Be<u16>,
    }
}

narrow! {
    /// The deletion of one entry. The kernel looks at nothing but what can be set here.
    pub struct DeleteRequest<R>(ConntrackRequest<R>) {
        /// The entry in this zone; without, the one in zone 0.
        zone: Be<u16>,
        /// Only if it has this id, else `ENOENT`.
        id: Be<u32>,
    }
}

narrow! {
    /// A list that the kernel selects from by nothing but the family.
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

/// Makes an entry; `EEXIST` if there is one of this tuple. A [`timeout`](ConntrackRequest::timeout) is needed
/// beside the tuples.
///
/// Without translation the reply is `&tuple.reversed()`. For TCP give the state as well: an entry without has
/// `NONE`, and the next packet out of window is invalid.
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

/// Makes an entry, or changes the one of this tuple.
///
/// What can't be changed, the translation for example, is refused with `EOPNOTSUPP` if there is one.
pub fn create_or_update(orig: &Tuple, reply: &Tuple) -> ConntrackRequest<()> {
    request(&Conntrack::NEW, MessageFlags::CREATE, orig, Some(reply))
}

/// Changes what is given of an entry, and nothing else; `ENOENT` if there is none.
///
/// A tuple of either direction finds the entry. For a [`Status`], send what was read with more bits set.
pub fn update(tuple: &Tuple) -> ConntrackRequest<()> {
    request(&Conntrack::NEW, MessageFlags::empty(), tuple, None)
}

/// Asks for the entry with this tuple, in either direction.
pub fn get(tuple: &Tuple) -> KeyRequest<Conntrack<'static>> {
    request(&Conntrack::GET, MessageFlags::empty(), tuple, None).into()
}

/// Asks for the entry with this tuple, and sets its counters to zero.
pub fn get_and_zero(tuple: &Tuple) -> KeyRequest<Conntrack<'static>> {
    request(&Conntrack::GET_CTRZERO, MessageFlags::empty(), tuple, None).into()
}

/// Deletes the entry with this tuple, in either direction. With an [`id`](DeleteRequest::id), only if it has that.
pub fn delete(tuple: &Tuple) -> DeleteRequest<()> {
    request(&Conntrack::DELETE, MessageFlags::empty(), tuple, None).into()
}

/// Deletes an entry that was listed, and no other: by its original tuple, its zone and its id.
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

/// What an errno means where the kernel gives no reason.
fn why(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    net_admin(error, f)?;
    let refused = error.ext_ack();
    let message = Messages::new(refused.request()).next().and_then(Result::ok);
    let Some(asked) = message.and_then(|message| Conntrack::read(&message).ok()) else { return Ok(()) };
    let deletion = asked.message_type().0 == Conntrack::DELETE.number && asked.filter().is_some();
    let overlooked = [Errno::EINVAL, Errno::EOPNOTSUPP].contains(&error.errno());
    if deletion && refused.message().is_none() && overlooked {
        f.write_str("; before Linux 6.10 nothing is deleted by status, zone or tuples: list the entries, and delete each")
    } else {
        Ok(())
    }
}

fn dump(info: &'static MessageInfo) -> ConntrackRequest<Dump<Conntrack<'static>>> {
    ConntrackRequest::new(info, MessageFlags::DUMP, Header::default())
}

/// Lists entries: those that meet all that is set, without a filter all of the namespace.
///
/// Where a kernel doesn't know a filter yet, the list is looked through again here.
pub fn list() -> FilterRequest<Dump<Conntrack<'static>>> {
    const LIST: MessageInfo = Conntrack::GET.filtered(filter::overlooked);
    dump(&LIST).into()
}

/// Lists entries, with the same filters, and sets their counters to zero.
pub fn list_and_zero() -> FilterRequest<Dump<Conntrack<'static>>> {
    const LIST: MessageInfo = Conntrack::GET_CTRZERO.filtered(filter::overlooked);
    dump(&LIST).into()
}

/// Lists entries that are taken off the table, but whose event did not go out yet for want of room.
pub fn dying() -> ListRequest<Dump<Conntrack<'static>>> {
    const LIST: MessageInfo = Conntrack::GET_DYING.filtered(filter::overlooked);
    dump(&LIST).into()
}

/// Lists entries whose first packet has not left. Since Linux 5.19 the kernel keeps no such list, and the answer is
/// empty.
pub fn unconfirmed() -> ListRequest<Dump<Conntrack<'static>>> {
    const LIST: MessageInfo = Conntrack::GET_UNCONFIRMED.filtered(filter::overlooked);
    dump(&LIST).into()
}

/// Deletes all entries that meet all that is set; **without a filter, all entries of the namespace**.
///
/// The kernel goes through its table itself, and nothing is listed. It would overlook a filter that it does not know,
/// and delete more. So by status, zone and tuples only Linux 6.10 and later delete; earlier ones refuse (`EINVAL`, `EOPNOTSUPP`) and
/// delete nothing: there, list the entries and delete each with [`delete_listed`]. The mark counts in every kernel
/// that has marks (`CONFIG_NF_CONNTRACK_MARK`), the family **since Linux 5.3: earlier ones delete those of all
/// families**.
///
/// ```
/// use netlink_netfilter::conntrack;
///
/// let request = conntrack::flush().mark(7);
/// ```
///
/// What no kernel looks at does not compile:
///
/// ```compile_fail
/// use netlink_netfilter::conntrack::{self, Labels};
///
/// let request = conntrack::flush().labels(Labels::of(&[7]));
/// ```
pub fn flush() -> FilterRequest<()> {
    ConntrackRequest::new(&Conntrack::DELETE, MessageFlags::empty(), Header::default().version(1)).into()
}

/// `src=192.0.2.1 dst=192.0.2.2 sport=1000 dport=80`: what errors call a connection.
fn subject(conntrack: &Conntrack<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (conntrack.tuple_orig().or_else(|| conntrack.tuple_reply()), conntrack.id()) {
        (Some(tuple), _) => write!(f, "{tuple}")?,
        (None, Some(id)) => write!(f, "id {id}")?,
        (None, None) => return Ok(()),
    }
    conntrack.zone().map_or(Ok(()), |zone| write!(f, " zone={zone}"))
}

impl Conntrack<'_> {
    /// The family of its addresses.
    pub fn family(&self) -> Family {
        self.header().family
    }

    /// By what the kernel knows it: its original tuple, and its zone. A connection that comes after it may have the same;
    /// [`id`](ConntrackAttrs::id) tells them apart.
    pub fn key(&self) -> TupleKey {
        self.tuple_orig().unwrap_or_default().key(self.zone().unwrap_or_default())
    }
}

/// What `conntrack -L` prints, with one blank between words.
impl fmt::Display for Conntrack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.attrs(), f)
    }
}

/// What `conntrack -L` prints, with one blank between words.
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
