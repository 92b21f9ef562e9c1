//! Expectations: connections that a helper foresees, as FTP's data connections are.
//! Kernel side: `uapi/linux/netfilter/nfnetlink_conntrack.h`, `net/netfilter/nf_conntrack_netlink.c`.

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
//! // Data from port 20 or any other of the server.
//! let data = Tuple::tcp("192.0.2.2:0".parse()?, "192.0.2.1:2000".parse()?);
//! let mask = Tuple::tcp("255.255.255.255:0".parse()?, "255.255.255.255:65535".parse()?);
//! nl.call(expect::create(&control, &data, &mask))?;
//! // The helper's 300 seconds are too long here.
//! nl.call(expect::update(&data).timeout(30))?;
//! # Ok(())
//! # }
//! ```

use core::fmt;

use netlink_core::{Be, Dump, MessageFlags, MessageInfo, Str, attrs, flags, message, narrow, values};

use crate::conntrack::{Tuple, TupleAttrs};
use crate::{Family, Header};

flags! {
    /// `NF_CT_EXPECT_*`: how an expectation behaves.
    pub struct ExpectFlags: Be<u32> {
        /// Stays when a connection has met it.
        1 NF_CT_EXPECT_PERMANENT PERMANENT,
        /// Meets no connection.
        2 NF_CT_EXPECT_INACTIVE INACTIVE,
        /// Made by a helper in user space. The kernel sets it; since Linux 6.18 a request can't.
        4 NF_CT_EXPECT_USERSPACE USERSPACE,
    }
}

values! {
    /// `IP_CT_DIR_*`: a direction of a connection.
    pub struct Direction: Be<u32> {
        /// That of the side that began.
        0 IP_CT_DIR_ORIGINAL ORIGINAL "original",
        /// That of the side that answers.
        1 IP_CT_DIR_REPLY REPLY "reply",
    }
}

attrs! {
    /// `CTA_EXPECT_NAT_*`: how the expected connection is translated. Both are needed to set it.
    pub struct ExpectNatAttrs<'a> for ExpectNat {
        /// The direction of the master that the expected connection goes in.
        1 CTA_EXPECT_NAT_DIR dir: Direction,
        /// Source address and port before translation.
        2 CTA_EXPECT_NAT_TUPLE tuple: TupleAttrs<'a>,
    }
}

attrs! {
    /// `CTA_EXPECT_*`: an expectation.
    pub struct ExpectAttrs<'a> for ExpectRequest<R>, ExpectSet {
        /// Original tuple of the connection that it comes from.
        1 CTA_EXPECT_MASTER master: TupleAttrs<'a>,
        /// Original tuple of the connection that is expected.
        2 CTA_EXPECT_TUPLE tuple: TupleAttrs<'a>,
        /// The bits of the tuple's source that must be equal: all of the destination must.
        3 CTA_EXPECT_MASK mask: TupleAttrs<'a>,
        /// Seconds until it goes. See [`create`] and [`update`].
        4 CTA_EXPECT_TIMEOUT timeout: Be<u32> as u32,
        /// Id of the expectation. In a deletion: only that one.
        5 CTA_EXPECT_ID id: Be<u32> as u32,
        /// The helper: that of the master when listed, that of the expected connection in a request. Later kernels,
        /// Linux 7.3 among them, overlook it in a request.
        6 CTA_EXPECT_HELP_NAME help_name: Str<'a, 15>,
        /// Zone of the master; absent is zone 0. Only in requests: up to Linux 6.18 the kernel does not tell it.
        7 CTA_EXPECT_ZONE zone: Be<u16> as u16,
        /// How it behaves.
        8 CTA_EXPECT_FLAGS expect_flags: ExpectFlags,
        /// Which of the helper's classes it counts for. Kernels that heed `help_name` in a request, such as Linux
        /// 6.18.15, take the class only beside it, else the first.
        9 CTA_EXPECT_CLASS class: Be<u32> as u32,
        /// How the expected connection is translated.
        10 CTA_EXPECT_NAT nat: ExpectNatAttrs<'a>,
        /// The kernel's function that sets up the expected connection, `nat-follow-master` for example.
        11 CTA_EXPECT_FN function: Str<'a>,
    }
}

/// `src=192.0.2.1 dst=192.0.2.2 dport=80`: what errors call an expectation.
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
        /// Made, changed, or answered.
        512 IPCTNL_MSG_EXP_NEW NEW,
        /// Asked.
        513 IPCTNL_MSG_EXP_GET GET,
        /// Deleted.
        514 IPCTNL_MSG_EXP_DELETE DELETE,
    }
    about subject
    on crate::PROTOCOL
}

attrs! {
    /// `CTA_STATS_EXP_*`: what one processor has counted of expectations in this namespace.
    pub struct ExpectStatsAttrs<'a> for ExpectStatsRequest<R> {
        /// Expected connections that came.
        1 CTA_STATS_EXP_NEW new_connections: Be<u32> as u32,
        /// Expectations made.
        2 CTA_STATS_EXP_CREATE create: Be<u32> as u32,
        /// Expectations gone.
        3 CTA_STATS_EXP_DELETE delete: Be<u32> as u32,
    }
}

message! {
    /// What one processor has counted of expectations.
    pub struct ExpectStats<'a>(Header, ExpectStatsAttrs<'a>), ExpectStatsRequest {
        /// Asked. The kernel answers with this number in the subsystem of connections.
        515 IPCTNL_MSG_EXP_GET_STATS_CPU GET,
    }
    on crate::PROTOCOL
}

impl ExpectStats<'_> {
    /// The processor's number.
    pub fn cpu(&self) -> u16 {
        self.header().resource.0
    }
}

narrow! {
    /// A question about one expectation, or the deletion of one. The kernel looks at nothing but what can be set here.
    pub struct KeyRequest<R>(ExpectRequest<R>) {
        /// The expectation in this zone; without, the one in zone 0.
        zone: Be<u16>,
        /// Only if it has this id, else `ENOENT`.
        id: Be<u32>,
    }
}

narrow! {
    /// A change of one expectation.
    pub struct UpdateRequest<R>(ExpectRequest<R>) {
        /// The expectation in this zone; without, the one in zone 0.
        zone: Be<u16>,
        /// Seconds from now until it goes.
        timeout: Be<u32>,
    }
}

narrow! {
    /// A list of expectations.
    pub struct ListRequest<R>(ExpectRequest<R>) {}
}

narrow! {
    /// A list of the expectations of one connection.
    pub struct ListOfRequest<R>(ExpectRequest<R>) {
        /// Zone of the connection; without, zone 0.
        zone: Be<u16>,
    }
}

narrow! {
    /// The deletion of many expectations.
    pub struct FlushRequest<R>(ExpectRequest<R>) {
        /// Only those whose master has this helper.
        help_name: Str<'a, 15>,
    }
}

fn request<R>(info: &'static MessageInfo, flags: MessageFlags, tuple: &Tuple) -> ExpectRequest<R> {
    let tuple = tuple.clone().attrs();
    ExpectRequest::new(info, flags, Header::of(tuple.family())).tuple(tuple)
}

/// Makes an expectation: `EEXIST` if there is one of this tuple, `ENOENT` if the master is not there, `EOPNOTSUPP` if it
/// has no helper.
///
/// A connection meets it whose source is the tuple's where the mask has bits, and whose destination is the tuple's.
/// How long it stays the master's helper says, whatever [`timeout`](ExpectRequest::timeout) is given here: 300 seconds
/// with `ftp`. [`update`] changes that.
pub fn create(master: &Tuple, tuple: &Tuple, mask: &Tuple) -> ExpectRequest<()> {
    let request = request(&Expect::NEW, MessageFlags::CREATE | MessageFlags::EXCL, tuple);
    request.mask(mask.clone()).master(master.clone())
}

/// Changes the [`timeout`](UpdateRequest::timeout) of the expectation of this tuple; `ENOENT` if there is none.
pub fn update(tuple: &Tuple) -> UpdateRequest<()> {
    // The kernel wants mask and master to be there, and looks at neither.
    request(&Expect::NEW, MessageFlags::empty(), tuple).mask(Tuple::new()).master(Tuple::new()).into()
}

/// Asks for the expectation of this tuple. With an [`id`](KeyRequest::id), only if it has that.
pub fn get(tuple: &Tuple) -> KeyRequest<Expect<'static>> {
    request(&Expect::GET, MessageFlags::empty(), tuple).into()
}

/// Deletes the expectation of this tuple. With an [`id`](KeyRequest::id), only if it has that.
pub fn delete(tuple: &Tuple) -> KeyRequest<()> {
    request(&Expect::DELETE, MessageFlags::empty(), tuple).into()
}

/// Deletes all expectations of the namespace, of all families; with a [`help_name`](FlushRequest::help_name), those
/// whose master has that helper.
pub fn flush() -> FlushRequest<()> {
    ExpectRequest::new(&Expect::DELETE, MessageFlags::empty(), Header::default()).into()
}

/// Lists expectations.
pub fn list() -> ListRequest<Dump<Expect<'static>>> {
    ExpectRequest::new(&Expect::GET, MessageFlags::DUMP, Header::default()).into()
}

/// Lists the expectations of one connection, by its original tuple; `ENOENT` if it is not there.
pub fn list_of(master: &Tuple) -> ListOfRequest<Dump<Expect<'static>>> {
    // Of a connection without a helper the kernel lists nothing at all, not even an end, and only acknowledges.
    let flags = MessageFlags::DUMP | MessageFlags::ACK;
    let master = master.clone().attrs();
    ExpectRequest::new(&Expect::GET, flags, Header::of(master.family())).master(master).into()
}

/// Lists what each processor has counted of expectations.
pub fn stats() -> ExpectStatsRequest<Dump<ExpectStats<'static>>> {
    ExpectStatsRequest::new(&ExpectStats::GET, MessageFlags::DUMP, Header::default())
}

impl<R> ListRequest<R> {
    /// Only expectations of this family.
    pub fn family(self, family: Family) -> Self {
        Self(self.0.header(|header| header.family = family))
    }
}
