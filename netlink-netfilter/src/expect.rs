//! Expectations: connections that a helper expects, such as FTP's data connections. Kernel side:
//! `uapi/linux/netfilter/nfnetlink_conntrack.h`, `net/netfilter/nf_conntrack_netlink.c`.

//!
//! ```no_run
//! use netlink_netfilter::conntrack::{Helper, Tuple};
//! use netlink_netfilter::{conntrack, expect};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = netlink_netfilter::connect()?;
//! let control = Tuple::tcp("192.0.2.1:1000".parse()?, "192.0.2.2:21".parse()?);
//! let reply = control.reversed();
//! nl.call(conntrack::create(&control, &reply).timeout(600).help(Helper::named("ftp")))?;
//!
//! // Data from any port of the server.
//! let data = Tuple::tcp("192.0.2.2:0".parse()?, "192.0.2.1:2000".parse()?);
//! let mask = Tuple::tcp("255.255.255.255:0".parse()?, "255.255.255.255:65535".parse()?);
//! nl.call(expect::create(&control, &data, &mask))?;
//! // Shorter than the 300 seconds of the helper.
//! nl.call(expect::update(&data).timeout(30))?;
//! # Ok(())
//! # }
//! ```

use core::fmt;

use netlink_core::{Be, Dump, MessageFlags, MessageInfo, Str, attrs, flags, message, narrow, values};

use crate::conntrack::{Tuple, TupleAttrs};
use crate::{Family, Header};

flags! {
    /// `NF_CT_EXPECT_*`: options of an expectation.
    pub struct ExpectFlags: Be<u32> {
        /// It stays after a connection matched it.
        1 NF_CT_EXPECT_PERMANENT PERMANENT,
        /// It matches no connection.
        2 NF_CT_EXPECT_INACTIVE INACTIVE,
        /// A helper in user space made it. The kernel sets this flag; since Linux 6.18 a request can't.
        4 NF_CT_EXPECT_USERSPACE USERSPACE,
    }
}

values! {
    /// `IP_CT_DIR_*`: a direction of a connection.
    pub struct Direction: Be<u32> {
        /// From the end that opened the connection.
        0 IP_CT_DIR_ORIGINAL ORIGINAL "original",
        /// To the end that opened the connection.
        1 IP_CT_DIR_REPLY REPLY "reply",
    }
}

attrs! {
    /// `CTA_EXPECT_NAT_*`: translation of the expected connection. To set it, give both.
    pub struct ExpectNatAttrs<'a> for ExpectNat {
        /// The direction of the master connection that the expected connection has.
        1 CTA_EXPECT_NAT_DIR dir: Direction,
        /// Source address and port before translation.
        2 CTA_EXPECT_NAT_TUPLE tuple: TupleAttrs<'a>,
    }
}

attrs! {
    /// `CTA_EXPECT_*`: an expectation.
    pub struct ExpectAttrs<'a> for ExpectRequest<R>, ExpectSet {
        /// Original tuple of the master connection.
        1 CTA_EXPECT_MASTER master: TupleAttrs<'a>,
        /// Original tuple of the expected connection.
        2 CTA_EXPECT_TUPLE tuple: TupleAttrs<'a>,
        /// The bits of the tuple's source that must match. The destination must match completely.
        3 CTA_EXPECT_MASK mask: TupleAttrs<'a>,
        /// Seconds until it is removed. See [`create`] and [`update`].
        4 CTA_EXPECT_TIMEOUT timeout: Be<u32> as u32,
        /// Id of the expectation. In a deletion: only the one with this id.
        5 CTA_EXPECT_ID id: Be<u32> as u32,
        /// The helper: in a list that of the master, in a request that of the expected connection. Later
        /// kernels, such as Linux 7.3, ignore it in requests.
        6 CTA_EXPECT_HELP_NAME help_name: Str<'a, 15>,
        /// Zone of the master; absent is zone 0. Only in requests: up to Linux 6.18 the kernel does not send it.
        7 CTA_EXPECT_ZONE zone: Be<u16> as u16,
        /// Options.
        8 CTA_EXPECT_FLAGS expect_flags: ExpectFlags,
        /// Class of the helper that the expectation belongs to. Kernels that use `help_name` in requests,
        /// such as Linux 6.18.15, use the class only together with it, else the first class.
        9 CTA_EXPECT_CLASS class: Be<u32> as u32,
        /// Translation of the expected connection.
        10 CTA_EXPECT_NAT nat: ExpectNatAttrs<'a>,
        /// The kernel function that sets up the expected connection, for example `nat-follow-master`.
        11 CTA_EXPECT_FN function: Str<'a>,
    }
}

/// `src=192.0.2.1 dst=192.0.2.2 dport=80`: the expectation, as errors show it.
fn subject(expect: &Expect<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (expect.tuple().or_else(|| expect.master()), expect.id()) {
        (Some(tuple), _) => write!(f, "{tuple}"),
        (None, Some(id)) => write!(f, "id {id}"),
        (None, None) => Ok(()),
    }
}

message! {
    /// An expectation.
    pub struct Expect<'a>(Header, ExpectAttrs<'a>), ExpectRequest {
        /// Request: makes or changes an expectation. Answer and event: an expectation.
        512 IPCTNL_MSG_EXP_NEW NEW,
        /// Asks for one expectation or all.
        513 IPCTNL_MSG_EXP_GET GET,
        /// Request: deletes expectations. Event: an expectation ended.
        514 IPCTNL_MSG_EXP_DELETE DELETE,
    }
    about subject
    on crate::PROTOCOL
}

attrs! {
    /// `CTA_STATS_EXP_*`: statistics of expectations, of one processor in this namespace.
    pub struct ExpectStatsAttrs<'a> for ExpectStatsRequest<R> {
        /// Expected connections that were opened.
        1 CTA_STATS_EXP_NEW new_connections: Be<u32> as u32,
        /// Expectations made.
        2 CTA_STATS_EXP_CREATE create: Be<u32> as u32,
        /// Expectations removed.
        3 CTA_STATS_EXP_DELETE delete: Be<u32> as u32,
    }
}

message! {
    /// Statistics of expectations, of one processor.
    pub struct ExpectStats<'a>(Header, ExpectStatsAttrs<'a>), ExpectStatsRequest {
        /// Asks for the statistics. The kernel answers with this number in the subsystem of connections.
        515 IPCTNL_MSG_EXP_GET_STATS_CPU GET,
    }
    on crate::PROTOCOL
}

impl ExpectStats<'_> {
    /// Number of the processor.
    pub fn cpu(&self) -> u16 {
        self.header().resource.0
    }
}

narrow! {
    /// A request for one expectation, or to delete one. It has only the setters that the kernel uses.
    pub struct KeyRequest<R>(ExpectRequest<R>) {
        /// The zone of the expectation. Default: zone 0.
        zone: Be<u16>,
        /// Only if the expectation has this id; otherwise `ENOENT`.
        id: Be<u32>,
    }
}

narrow! {
    /// A request to change one expectation.
    pub struct UpdateRequest<R>(ExpectRequest<R>) {
        /// The zone of the expectation. Default: zone 0.
        zone: Be<u16>,
        /// Seconds from now until it is removed.
        timeout: Be<u32>,
    }
}

narrow! {
    /// A request for a list of expectations.
    pub struct ListRequest<R>(ExpectRequest<R>) {}
}

narrow! {
    /// A request for a list of one connection's expectations.
    pub struct ListOfRequest<R>(ExpectRequest<R>) {
        /// The zone of the connection. Default: zone 0.
        zone: Be<u16>,
    }
}

narrow! {
    /// A request to delete many expectations.
    pub struct FlushRequest<R>(ExpectRequest<R>) {
        /// Only expectations whose master has this helper.
        help_name: Str<'a, 15>,
    }
}

fn request<R>(info: &'static MessageInfo, flags: MessageFlags, tuple: &Tuple) -> ExpectRequest<R> {
    let tuple = tuple.clone().attrs();
    ExpectRequest::new(info, flags, Header::of(tuple.family())).tuple(tuple)
}

/// Makes an expectation: `EEXIST` if there is one with this tuple, `ENOENT` if the master does not exist,
/// `EOPNOTSUPP` if it has no helper.
///
/// A connection matches if its destination equals the tuple's, and its source equals the tuple's in the bits
/// of the mask. The helper of the master sets the timeout, for example 300 seconds for `ftp`; the kernel
/// ignores a [`timeout`](ExpectRequest::timeout) in this request. [`update`] changes it.
pub fn create(master: &Tuple, tuple: &Tuple, mask: &Tuple) -> ExpectRequest<()> {
    let request = request(&Expect::NEW, MessageFlags::CREATE | MessageFlags::EXCL, tuple);
    request.mask(mask.clone()).master(master.clone())
}

/// Changes the [`timeout`](UpdateRequest::timeout) of the expectation with this tuple; `ENOENT` if there is none.
pub fn update(tuple: &Tuple) -> UpdateRequest<()> {
    // The kernel requires mask and master, but ignores both.
    request(&Expect::NEW, MessageFlags::empty(), tuple).mask(Tuple::new()).master(Tuple::new()).into()
}

/// Asks for the expectation with this tuple. With an [`id`](KeyRequest::id), only if it has this id.
pub fn get(tuple: &Tuple) -> KeyRequest<Expect<'static>> {
    request(&Expect::GET, MessageFlags::empty(), tuple).into()
}

/// Deletes the expectation with this tuple. With an [`id`](KeyRequest::id), only if it has this id.
pub fn delete(tuple: &Tuple) -> KeyRequest<()> {
    request(&Expect::DELETE, MessageFlags::empty(), tuple).into()
}

/// Deletes all expectations of the namespace, in all families. With a [`help_name`](FlushRequest::help_name),
/// only those whose master has this helper.
pub fn flush() -> FlushRequest<()> {
    ExpectRequest::new(&Expect::DELETE, MessageFlags::empty(), Header::default()).into()
}

/// Lists expectations.
pub fn list() -> ListRequest<Dump<Expect<'static>>> {
    ExpectRequest::new(&Expect::GET, MessageFlags::DUMP, Header::default()).into()
}

/// Lists the expectations of one connection, given its original tuple; `ENOENT` if there is no such connection.
pub fn list_of(master: &Tuple) -> ListOfRequest<Dump<Expect<'static>>> {
    // For a connection without a helper the kernel sends only an acknowledgement, without a list or its end.
    let flags = MessageFlags::DUMP | MessageFlags::ACK;
    let master = master.clone().attrs();
    ExpectRequest::new(&Expect::GET, flags, Header::of(master.family())).master(master).into()
}

/// Lists the statistics of expectations, of each processor.
pub fn stats() -> ExpectStatsRequest<Dump<ExpectStats<'static>>> {
    ExpectStatsRequest::new(&ExpectStats::GET, MessageFlags::DUMP, Header::default())
}

impl<R> ListRequest<R> {
    /// Only expectations of this family.
    pub fn family(self, family: Family) -> Self {
        Self(self.0.header(|header| header.family = family))
    }
}
