//! What a message is, as data.

use core::fmt;

use crate::attr::Table;
use crate::error::Hint;
use crate::exchange::Quirks;
use crate::layout::Layout;
use crate::message::Message;
use crate::protocol::ProtocolInfo;

/// One message type of a protocol, as data.
#[derive(Debug)]
pub struct MessageInfo {
    /// Who speaks it. Unless that is known, a connection sends it over any protocol.
    pub protocol: fn() -> Option<&'static ProtocolInfo>,
    /// What it is known by among its siblings.
    pub number: u16,
    /// Where that number stands.
    pub numbered: Numbered,
    /// The kernel's name of it.
    pub c_name: &'static str,
    /// The fixed header behind `nlmsghdr`.
    pub header: &'static Layout,
    /// The attributes behind that.
    pub table: &'static Table,
    /// All that can answer it, by message: a GET is answered with a NEW. What a request is answered with stands here
    /// even under the request's own number, where the two have different headers, as in socket diagnosis.
    pub siblings: fn() -> &'static [&'static [Self]],
    /// Writes which object a message is about: its name, address, index or prefix. Errors print it where the kernel
    /// points at nothing.
    pub subject: Option<fn(&Message<'_>, &mut fmt::Formatter<'_>) -> fmt::Result>,
    /// What to say of a refusal beside what the kernel says.
    pub hint: Hint,
    /// Where it or its answers depart from the usual, and whether it is only sent or only received.
    pub quirks: Quirks,
    /// See [`MessageInfo::filtered`].
    pub filter: Option<Filter>,
    /// See [`MessageInfo::guarded`].
    pub guard: Option<Guard>,
}

/// Where a message says what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)]
pub enum Numbered {
    /// In `nlmsg_type`.
    ByType,
    /// In the first byte of the fixed header, as in generic netlink, where `nlmsg_type` is the family's and known
    /// at run time only.
    ByCommand,
}

impl MessageInfo {
    /// Has the requests of a kind looked at when they are sent, and refused with what the function says. For what the
    /// kernel passes over: a deletion with a condition that it doesn't look at deletes what was not meant.
    #[must_use]
    pub const fn guarded(self, guard: Guard) -> Self {
        Self { guard: Some(guard), ..self }
    }

    /// Has a list looked through again. Kernels pass over filters that they don't know, without strict checking even
    /// whole sets of them, and list what was not asked for; and then a loop over the list deletes it.
    ///
    /// The function gets the request when it is sent, and names the check for its replies, if it filters at all. The
    /// check sees [`MessageFlags::DUMP_FILTERED`](crate::MessageFlags::DUMP_FILTERED) on a reply where the kernel says that it filtered, and decides what
    /// that is worth. A reply that it can't read passes, so that it is reported and not lost.
    #[must_use]
    pub const fn filtered(self, filter: Filter) -> Self {
        Self { filter: Some(filter), ..self }
    }

    /// What a message is: this one, or the sibling that has its number.
    pub fn of(&'static self, message: &Message<'_>) -> Option<&'static Self> {
        if self.number == self.number_in(message)? { Some(self) } else { self.sibling(message) }
    }

    /// Whether a message is this one, by its number.
    #[doc(hidden)]
    #[inline(always)]
    pub fn is(&self, message: &Message<'_>) -> bool {
        self.number_in(message) == Some(self.number)
    }

    /// What a message is that answers this one.
    pub fn answer_of(&'static self, message: &Message<'_>) -> Option<&'static Self> {
        self.sibling(message).or_else(|| self.of(message))
    }

    fn sibling(&self, message: &Message<'_>) -> Option<&'static Self> {
        let number = self.number_in(message)?;
        let siblings = (self.siblings)();
        let is_own =
            |info: &Self| core::ptr::eq(info.table, self.table) && info.header.c_name == self.header.c_name;
        // Of several under one number, what answers a message is listed behind it.
        let own = siblings.iter().position(|message| message.iter().any(is_own)).unwrap_or_default();
        let (before, behind) = siblings.split_at_checked(own).unwrap_or_default();
        let named = || {
            let received = behind.iter().chain(before).copied().flatten();
            received.filter(move |info| info.number == number && !info.quirks.sent)
        };
        // Events may have numbers of their own, as those of mptcp_pm.
        named().find(|info| core::ptr::eq(info.table, self.table)).or_else(|| named().next())
    }

    /// Whether each of these has another number, or one of two with the same says that it is only sent, or only received.
    const fn differs(&self, mut others: &[Self]) {
        let one_way = self.quirks.sent || self.quirks.received;
        while let [other, rest @ ..] = others {
            assert!(
                self.number != other.number || one_way || other.quirks.sent || other.quirks.received,
                "two messages with one number: say [sent] or [received] behind their rows",
            );
            others = rest;
        }
    }

    #[inline(always)]
    fn number_in(&self, message: &Message<'_>) -> Option<u16> {
        match self.numbered {
            Numbered::ByType => Some(message.header.kind.0),
            Numbered::ByCommand => message.body.first().copied().map(u16::from),
        }
    }
}

/// Fails to compile if two messages of a protocol can't be told apart.
#[doc(hidden)]
pub const fn told_apart(mut messages: &[&[MessageInfo]]) {
    while let [message, others @ ..] = messages {
        let mut rows = *message;
        while let [row, rest @ ..] = rows {
            row.differs(rest);
            let mut left = others;
            while let [other, more @ ..] = left {
                row.differs(other);
                left = more;
            }
            rows = rest;
        }
        messages = others;
    }
}

/// Whether a reply is one of those that a request asks for: the request first, then the reply.
pub type Check = fn(&Message<'_>, &Message<'_>) -> bool;

/// Which check the replies to a request need: none if it asks for everything. See [`MessageInfo::filtered`].
pub type Filter = fn(&Message<'_>) -> Option<Check>;

/// Why a request may not be sent as it is. See [`MessageInfo::guarded`].
pub type Guard = fn(&Message<'_>) -> Result<(), &'static str>;
