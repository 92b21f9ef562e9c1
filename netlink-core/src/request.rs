//! Requests: encoded bytes, and the type of their answer.

mod owned;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

pub use owned::Owned;

use crate::attr::{DecodeError, Payload, Table, Unsendable, Writer};
use crate::error::{Asked, Error, Hint, RequestError};
use crate::exchange::{Expect, Quirks};
use crate::layout::{Field, Fixed, Layout};
use crate::message::{HEADER_LEN, Message, MessageFlags, MessageHeader, MessageType};
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
    /// check sees [`MessageFlags::DUMP_FILTERED`] on a reply where the kernel says that it filtered, and decides what
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

/// The answer to a request, or an event: how to look at a message, and how to keep it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a single reply",
    note = "what is answered with a `Dump` is a list: use `dump` instead of `call`"
)]
pub trait Reply: Sized {
    /// What the request waits for.
    const EXPECT: Expect;
    /// One of the messages it is read from; through it, traces of events know all of them. What no table is known of
    /// shows as a number of bytes.
    const INFO: Option<&'static MessageInfo> = None;
    /// Whether there may be a key in it: [`Owned`] wipes its copy then.
    const SECRET: bool = false;
    /// The message, looked at where it was received.
    type View<'a>;

    /// Reads a message.
    fn view<'a>(message: &Message<'a>) -> Result<Self::View<'a>, DecodeError>;

    /// Keeps it.
    fn own(view: Self::View<'_>) -> Self;

    /// What an acknowledgement without a reply stands for; `None` if a reply is needed.
    fn acknowledged() -> Option<Self> {
        None
    }
}

/// What borrows from a receive buffer, and can be kept.
///
/// Messages and events have a function of this name themselves; the trait is for what holds any of them.
pub trait IntoOwned {
    /// The same without a borrow.
    type Owned: 'static;

    /// Copies what is borrowed.
    fn into_owned(self) -> Self::Owned;
}

/// Only an acknowledgement.
impl Reply for () {
    const EXPECT: Expect = Expect::Ack;
    type View<'a> = ();

    fn view(_: &Message<'_>) -> Result<(), DecodeError> {
        Ok(())
    }

    fn own((): ()) {}

    fn acknowledged() -> Option<()> {
        Some(())
    }
}

/// Whether a reply is one of those that a request asks for: the request first, then the reply.
pub type Check = fn(&Message<'_>, &Message<'_>) -> bool;

/// Which check the replies to a request need: none if it asks for everything. See [`MessageInfo::filtered`].
pub type Filter = fn(&Message<'_>) -> Option<Check>;

/// Why a request may not be sent as it is. See [`MessageInfo::guarded`].
pub type Guard = fn(&Message<'_>) -> Result<(), &'static str>;

/// The answer of a request that lists: any number of `R`.
#[derive(Debug)]
pub struct Dump<R>(PhantomData<R>);

/// A request: its encoded message, and in `R` what it is answered with.
///
/// `()` is an acknowledgement, a message type is one reply, [`Dump`] of it any number. Families make requests
/// and never send them; a connection sends them and knows no family.
pub struct Request<R> {
    out: Writer,
    info: &'static MessageInfo,
    reply: PhantomData<fn() -> R>,
}

impl<R> Request<R> {
    /// Starts a message: its type, flags and fixed header.
    #[inline]
    pub fn new<H: Fixed>(info: &'static MessageInfo, flags: MessageFlags, header: H) -> Self {
        Self::of_type(info, MessageType(info.number), flags, header)
    }

    /// Starts a message whose `nlmsg_type` is only known at run time, as in generic netlink.
    #[inline]
    pub fn of_type<H: Fixed>(
        info: &'static MessageInfo,
        kind: MessageType,
        flags: MessageFlags,
        header: H,
    ) -> Self {
        let mut request = Self { out: Writer::new(), info, reply: PhantomData };
        request.start(kind, flags.union(MessageFlags::REQUEST), header);
        request
    }

    #[inline]
    fn start<H: Fixed>(&mut self, kind: MessageType, flags: MessageFlags, header: H) {
        const ROOM: usize = 64;
        const MOST: usize = 320;
        const { assert!(HEADER_LEN + H::SIZE <= MOST) }
        let zeros: &[u8] = if HEADER_LEN + H::SIZE <= ROOM { &[0; ROOM] } else { &[0; MOST] };
        let frame = MessageHeader { kind, flags, ..MessageHeader::default() };
        // Zeros first, then the fields in place: a header put together elsewhere would have to be loaded
        // again before its narrow stores have retired.
        self.out.push(zeros.get(..HEADER_LEN + H::SIZE.next_multiple_of(4)).unwrap_or_default());
        let bytes = self.out.tail_mut(0);
        frame.store(bytes, 0);
        header.store(bytes, HEADER_LEN);
    }

    /// Drops every attribute and gives the message a new fixed header, keeping type, flags and memory: the
    /// cheap way to make many requests alike.
    #[must_use]
    #[inline]
    pub fn restart<H: Fixed>(mut self, header: H) -> Self {
        self.out.truncate(HEADER_LEN + H::SIZE.next_multiple_of(4));
        header.store(self.out.tail_mut(HEADER_LEN), 0);
        self
    }

    /// Where attributes are written.
    #[inline]
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.out
    }

    /// Appends any attribute; for those that a family has no row for.
    #[must_use]
    pub fn attr<'a>(mut self, number: u16, payload: &impl Payload<'a>) -> Self {
        payload.put(number, &mut self.out);
        self
    }

    /// Changes the fixed header.
    #[inline]
    pub fn edit<H: Fixed>(&mut self, change: impl FnOnce(&mut H)) {
        let mut cursor: &[u8] = self.out.tail_mut(HEADER_LEN);
        if let Ok(mut header) = H::take(&mut cursor) {
            change(&mut header);
            header.store(self.out.tail_mut(HEADER_LEN), 0);
        }
    }

    /// Adds flags to the message.
    #[must_use]
    pub fn with_flags(mut self, flags: MessageFlags) -> Self {
        let all = self.flags().union(flags);
        self.out.patch(6, all.bits().to_ne_bytes());
        self
    }

    /// The flags of the message.
    pub fn flags(&self) -> MessageFlags {
        self.out
            .as_slice()
            .get(6..)
            .and_then(|mut rest| MessageFlags::take(&mut rest).ok())
            .unwrap_or_default()
    }

    /// Gives the message another `nlmsg_type`.
    #[must_use]
    #[inline]
    pub fn with_type(mut self, kind: MessageType) -> Self {
        self.out.patch(4, kind.0.to_ne_bytes());
        self
    }

    /// What the message is.
    pub fn info(&self) -> &'static MessageInfo {
        self.info
    }

    /// Length of the message in bytes.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Never: there is at least a header.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The message as it is sent, but for sequence and port, which are 0. An error if a value in it can't be
    /// sent.
    ///
    /// Of a request with a key these are bytes that nothing wipes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut out = Writer::new();
        self.append_to(&mut out, 0, self.flags())?;
        Ok(out.into_bytes())
    }

    /// Appends the message to a datagram, with this sequence and these flags.
    #[inline]
    pub(crate) fn append_to(
        &self,
        datagram: &mut Writer,
        sequence: u32,
        flags: MessageFlags,
    ) -> Result<(), Error> {
        if let Some((offset, why)) = self.out.error() {
            return Err(self.refusal(offset, why));
        }
        if let Some(Err(why)) = self.info.guard.map(|guard| guard(&self.message())) {
            return Err(self.refusal(0, Unsendable::Value(why)));
        }
        let Ok(length) = u32::try_from(self.out.len()) else {
            return Err(self.refusal(0, Unsendable::Value("a message of 4 GiB")));
        };
        let start = datagram.len();
        datagram.append(&self.out);
        let head = datagram.tail_mut(start);
        length.store(head, 0);
        flags.store(head, 6);
        sequence.store(head, 8);
        Ok(())
    }

    #[cold]
    pub(crate) fn refusal(&self, offset: usize, why: Unsendable) -> Error {
        let asked = Asked::new(self.info, self.out.as_slice());
        Error::Request(Box::new(RequestError { asked, offset, why }))
    }

    /// Its message type.
    #[cfg(all(feature = "std", target_os = "linux"))]
    pub(crate) fn kind(&self) -> MessageType {
        let kind = self.out.as_slice().get(4..).and_then(|mut rest| MessageType::take(&mut rest).ok());
        kind.unwrap_or_default()
    }

    /// The same bytes, answered with something else: a dump asked for as one reply, an echo as a message.
    pub fn expecting<S>(self) -> Request<S> {
        Request { out: self.out, info: self.info, reply: PhantomData }
    }

    /// The check that replies need, for the whole of a list, and the header of the request to show it.
    #[inline]
    pub fn check(&self) -> Option<(Check, MessageHeader)> {
        let filter = self.info.filter?;
        let message = self.message();
        filter(&message).map(|check| (check, message.header))
    }

    /// Whether this is one of the replies that the request asks for.
    pub fn passes(&self, reply: &Message<'_>) -> bool {
        self.check().is_none_or(|(check, _)| check(&self.message(), reply))
    }

    /// The message as far as it was written.
    fn message(&self) -> Message<'_> {
        let header = MessageHeader {
            kind: MessageType(self.info.number),
            flags: self.flags(),
            ..MessageHeader::default()
        };
        Message { header, body: self.out.as_slice().get(HEADER_LEN..).unwrap_or_default() }
    }
}

impl<R> Clone for Request<R> {
    fn clone(&self) -> Self {
        Self { out: self.out.clone(), info: self.info, reply: PhantomData }
    }
}

impl<R> fmt::Debug for Request<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Writer::new();
        match self.append_to(&mut out, 0, self.flags()) {
            Ok(()) => crate::trace::Tree::new(out.as_slice(), Some(self.info)).fmt(f),
            Err(error) => write!(f, "{error}"),
        }
    }
}

/// What a connection takes: a [`Request`], or a family's builder of one, by value or by reference.
#[diagnostic::on_unimplemented(
    note = "a request whose message type is known at run time only has to be bound to its family first"
)]
pub trait ToRequest {
    /// What it is answered with.
    type Answer;

    /// The request.
    fn to_request(&self) -> &Request<Self::Answer>;

    /// What it knows to say when the kernel refuses it: that of the message, unless the request knows more.
    fn hint(&self) -> Hint {
        self.to_request().info.hint
    }
}

impl<R> ToRequest for Request<R> {
    type Answer = R;

    fn to_request(&self) -> &Self {
        self
    }
}

impl<Q: ToRequest> ToRequest for &Q {
    type Answer = Q::Answer;

    fn to_request(&self) -> &Request<Q::Answer> {
        (*self).to_request()
    }

    fn hint(&self) -> Hint {
        (*self).hint()
    }
}

/// The trait for a type whose own function of this name does it.
#[macro_export]
#[doc(hidden)]
macro_rules! __into_owned {
    ($name:ident) => {
        impl $crate::IntoOwned for $name<'_> {
            type Owned = $name<'static>;

            fn into_owned(self) -> $name<'static> {
                $name::into_owned(self)
            }
        }
    };
}

/// Who speaks a message, and what can answer it: the protocol, or else the message alone.
#[macro_export]
#[doc(hidden)]
macro_rules! __protocol {
    (info) => {
        ::core::option::Option::None
    };
    (info $protocol:path) => {
        ::core::option::Option::Some(&$protocol)
    };
    (siblings $name:ident) => {
        &[$name::MESSAGES]
    };
    (siblings $name:ident $protocol:path) => {
        $protocol.messages
    };
}

/// What writes the subject of a message, if something was declared.
#[macro_export]
#[doc(hidden)]
macro_rules! __subject {
    ($name:ident) => {
        ::core::option::Option::None
    };
    ($name:ident $subject:tt) => {
        ::core::option::Option::Some(|message, f| match $name::read(message) {
            ::core::result::Result::Ok(message) => $subject(&message, f),
            ::core::result::Result::Err(_) => ::core::result::Result::Ok(()),
        })
    };
}

/// The hint that was declared, or that of most messages.
#[macro_export]
#[doc(hidden)]
macro_rules! __hint {
    () => {
        $crate::error::net_admin
    };
    ($hint:tt) => {
        $hint
    };
}

/// Declares a message: a fixed header, a set of attributes, the types it comes in, and the builder of requests.
///
/// ```
/// use netlink_core::{MessageFlags, Str, attrs, layout, message};
///
/// layout! {
///     /// `struct rtgenmsg`, padded.
///     pub struct Header: rtgenmsg = 1 {
///         /// Address family.
///         family: u8,
///     }
/// }
/// attrs! {
///     /// `NETNSA_*`, one of them.
///     pub struct NsidAttrs<'a> for NsidRequest<R> {
///         /// The id.
///         1 NETNSA_NSID nsid: i32,
///     }
/// }
/// message! {
///     /// The id of a namespace.
///     pub struct Nsid<'a>(Header, NsidAttrs<'a>), NsidRequest {
///         /// Made, or answered.
///         88 RTM_NEWNSID NEW,
///         /// Asked.
///         90 RTM_GETNSID GET,
///     }
/// }
///
/// let request = NsidRequest::<Nsid>::new(&Nsid::GET, MessageFlags::empty(), Header::default()).nsid(7);
/// assert_eq!(request.to_bytes()?[..4], [28, 0, 0, 0]);
/// # Ok::<(), netlink_core::Error>(())
/// ```
///
/// A row ends with its [`Quirks`](crate::Quirks), if it has some: `3 THERMAL_GENL_CMD_CDEV_GET GET [unnumbered],`. What is
/// sent and never comes is `[sent]`, what only the kernel sends is `[received]`, which a connection refuses to send; of two
/// messages with one number, one must say so.
///
/// Behind the braces may stand, in this order:
///
/// - `about` and the function that writes which object a message is about, from a `&Self` to a formatter;
///   `(fmt::Display::fmt)` will do where the message prints as little;
/// - `hint` and the [`Hint`](crate::Hint) of its errors;
/// - `shows |message| { name: Some(value), …; other names }`: what `Serialize` shows of it. Members of the fixed header and
///   attributes stand side by side under the names of their getters, but for those that are named here: the first with
///   another value, which may be `None`, and those behind the semicolon not at all. Where an attribute has the name of a
///   member of the header, the attribute counts. [`layout!`](crate::layout!) and [`attrs!`](crate::attrs!) have the same;
/// - `on crate::PROTOCOL`: who speaks it, see [`protocol!`](crate::protocol!). A message of that protocol may answer it.
///
/// It makes the decoded message, which has the getters of the attribute set by `Deref` and implements
/// [`Reply`](crate::Reply); a [`MessageInfo`](crate::MessageInfo) per type; and a newtype over
/// [`Request`](crate::Request) for the setters that `attrs!` makes.
#[macro_export]
macro_rules! message {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime>($header:ty, $attrs:ident<$b:lifetime>), $request:ident {
            $( $(#[$tmeta:meta])* $number:literal $c_name:ident $const:ident $([$($quirk:ident)+])?, )*
        }
        $(about $subject:tt)?
        $(hint $hint:tt)?
        $(shows |$this:ident| $shows:tt)?
        $(on $protocol:path)?
    ) => {
        $crate::__message_view! {
            [$(#[$meta])*] [$($this $shows)?] $vis $name $a [$header] $attrs [ByType]
            [$crate::__protocol!(info $($protocol)?)] [$crate::__protocol!(siblings $name $($protocol)?)] [$crate::__subject!($name $($subject)?)]
            [$crate::__hint!($($hint)?)]
            $( $(#[$tmeta])* $number $c_name $const $([$($quirk)+])?, )*
        }

        #[allow(unreachable_pub, dead_code)]
        impl $name<'_> {
            /// A request with the same fixed header and attributes, those without a row included.
            pub fn to_request<R>(
                &self,
                info: &'static $crate::MessageInfo,
                flags: $crate::MessageFlags,
            ) -> $request<R> {
                let mut request = $request::new(info, flags, self.header());
                $crate::Payload::encode(&self.attrs, request.0.writer());
                request
            }
        }

        $(#[$meta])*
        ///
        /// As a request: each setter appends its attribute to the message at once.
        #[derive(Debug)]
        #[must_use = "a request does nothing until a connection sends it"]
        $vis struct $request<R>($crate::Request<R>);

        impl<R> Clone for $request<R> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        #[allow(unreachable_pub, dead_code)]
        impl<R> $request<R> {
            /// Starts a request of any type and flags, for what the functions of this module don't offer.
            #[inline]
            pub fn new(
                info: &'static $crate::MessageInfo,
                flags: $crate::MessageFlags,
                header: $header,
            ) -> Self {
                Self($crate::Request::new(info, flags, header))
            }

            /// Changes the fixed header.
            #[inline]
            pub fn header(mut self, change: impl FnOnce(&mut $header)) -> Self {
                self.0.edit(change);
                self
            }

            /// Drops every attribute and gives the message a new fixed header, keeping type, flags and
            /// memory.
            #[inline]
            pub fn restart(self, header: $header) -> Self {
                Self(self.0.restart(header))
            }

            /// Appends any attribute; for those without a setter.
            pub fn attr<'x>(self, number: u16, payload: &impl $crate::Payload<'x>) -> Self {
                Self(self.0.attr(number, payload))
            }

            /// The plain request.
            pub fn into_request(self) -> $crate::Request<R> {
                self.0
            }
        }

        impl<R> ::core::ops::Deref for $request<R> {
            type Target = $crate::Request<R>;

            fn deref(&self) -> &$crate::Request<R> {
                &self.0
            }
        }

        impl<R> $crate::ToRequest for $request<R> {
            type Answer = R;

            #[inline]
            fn to_request(&self) -> &$crate::Request<R> {
                &self.0
            }
        }
    };
}

/// The reading side of [`message!`](crate::message).
#[macro_export]
#[doc(hidden)]
macro_rules! __message_view {
    (
        [$(#[$meta:meta])*] [$($shows:tt)*] $vis:vis $name:ident $a:lifetime [$header:ty] $attrs:ident
        [$numbered:ident] [$protocol:expr] [$siblings:expr] [$subject:expr] [$hint:expr]
        $( $(#[$tmeta:meta])* $number:literal $c_name:ident $const:ident $([$($quirk:ident)+])?, )*
    ) => {
        $(#[$meta])*
        #[derive(Clone)]
        $vis struct $name<$a> {
            kind: $crate::MessageType,
            flags: $crate::MessageFlags,
            header: [u8; <$header as $crate::layout::Field>::SIZE],
            attrs: $attrs<$a>,
        }

        #[allow(unreachable_pub, dead_code)]
        impl<$a> $name<$a> {
            $(
                $(#[$tmeta])*
                #[doc = concat!("\n\n`", stringify!($c_name), "`")]
                pub const $const: $crate::MessageInfo = $crate::MessageInfo {
                    protocol: || $protocol,
                    number: $number,
                    numbered: $crate::request::Numbered::$numbered,
                    c_name: stringify!($c_name),
                    header: <$header as $crate::layout::Fixed>::LAYOUT,
                    table: $attrs::TABLE,
                    siblings: || $siblings,
                    subject: $subject,
                    hint: $hint,
                    quirks: {
                        #[allow(unused_mut)]
                        let mut quirks = $crate::Quirks::NONE;
                        $( $( quirks.$quirk = true; )+ )?
                        quirks
                    },
                    filter: ::core::option::Option::None,
                    guard: ::core::option::Option::None,
                };
            )*

            /// Every type it comes in.
            pub const MESSAGES: &'static [$crate::MessageInfo] = &[$( Self::$const, )*];

            /// Reads a message: finds and checks its attributes.
            #[inline(always)]
            pub fn read(message: &$crate::Message<$a>) -> ::core::result::Result<Self, $crate::DecodeError> {
                // What follows the fixed header is aligned to four bytes.
                const PADDED: usize = <$header as $crate::layout::Field>::SIZE.next_multiple_of(4);
                let Some(header) = message.body.first_chunk() else {
                    return Err($crate::DecodeError {
                        at: <$header as $crate::layout::Fixed>::LAYOUT.c_name,
                        why: $crate::Malformed::Length {
                            want: <$header as $crate::layout::Field>::SIZE,
                            got: message.body.len(),
                        },
                    });
                };
                let set = message.body.get(PADDED..).unwrap_or_default();
                let mut attrs = $attrs::unread(set);
                attrs.fill(&$crate::Scope::new(message.body, $crate::Attrs::new(set)))?;
                Ok(Self { kind: message.header.kind, flags: message.header.flags, header: *header, attrs })
            }

            /// The fixed header.
            #[inline]
            pub fn header(&self) -> $header {
                <$header as $crate::layout::Field>::take(&mut self.header.as_slice()).unwrap_or_default()
            }

            /// The attributes; their getters are on the message too.
            pub fn attrs(&self) -> &$attrs<$a> {
                &self.attrs
            }

            /// Which of its types the message has.
            pub fn message_type(&self) -> $crate::MessageType {
                self.kind
            }

            /// The flags of the message.
            pub fn message_flags(&self) -> $crate::MessageFlags {
                self.flags
            }

            /// The message without a borrow.
            pub fn into_owned(self) -> $name<'static> {
                $name { kind: self.kind, flags: self.flags, header: self.header, attrs: self.attrs.into_owned() }
            }
        }

        impl<$a> ::core::ops::Deref for $name<$a> {
            type Target = $attrs<$a>;

            #[inline]
            fn deref(&self) -> &$attrs<$a> {
                &self.attrs
            }
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.kind == other.kind && self.header == other.header && self.attrs == other.attrs
            }
        }

        impl<'own> $crate::Reply for $name<'own> {
            const EXPECT: $crate::Expect = $crate::Expect::Reply;
            const INFO: ::core::option::Option<&'static $crate::MessageInfo> = Self::MESSAGES.first();
            const SECRET: bool = <$attrs<'_> as $crate::Payload<'_>>::SECRET;
            type View<'x> = $name<'x>;

            #[inline(always)]
            fn view<'x>(message: &$crate::Message<'x>) -> ::core::result::Result<$name<'x>, $crate::DecodeError> {
                $name::read(message)
            }

            fn own(view: $name<'_>) -> Self {
                view.into_owned()
            }
        }

        $crate::__into_owned!($name);

        impl ::core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("header", &self.header())
                    .field("attrs", &self.attrs)
                    .finish()
            }
        }

        $crate::serialize! { impl [$a] for $name<$a>, |view, fields| {
            let hidden = $crate::__shown!(view fields $($shows)*);
            let repeats = |name: &str| $crate::ser::repeats($attrs::TABLE, view.attrs.iter(), name);
            fields.without(|name| hidden.contains(&name), |fields| {
                fields.without(repeats, |fields| $crate::ser::Members::members(&view.header(), fields))?;
                $crate::ser::Members::members(&view.attrs, fields)
            })?;
        } }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Messages;
    use crate::{Str, attrs, layout};

    layout! {
        /// A header that is padded.
        struct Header: sample = 5 {
            /// A number.
            number: u32,
            /// A letter.
            letter: u8,
        }
    }
    attrs! {
        /// Attributes.
        struct SampleAttrs<'a> for SampleRequest<R> {
            /// A number.
            1 S_NUMBER number: u32,
            /// A name.
            2 S_NAME name: Str<'a, 3>,
        }
    }
    message! {
        /// A sample.
        struct Sample<'a>(Header, SampleAttrs<'a>), SampleRequest {
            /// Made.
            16 S_NEW NEW,
            /// Asked.
            18 S_GET GET,
        }
    }

    type Kept = Owned<Sample<'static>>;

    fn new(info: &'static MessageInfo, letter: u8, number: u32) -> Request<()> {
        let header = Header::default().number(7).letter(letter);
        SampleRequest::new(info, MessageFlags::ECHO, header).number(number).into_request()
    }

    fn kept(request: &Request<()>) -> Kept {
        let bytes = request.to_bytes().unwrap();
        Kept::new(&Messages::new(&bytes).next().unwrap().unwrap())
    }

    // S-X.
    #[test]
    fn a_request_that_starts_anew_is_like_a_new_one() {
        let long = SampleRequest::<()>::new(&Sample::NEW, MessageFlags::ECHO, Header::default().number(9));
        let long = long.number(1).name("abc").restart(Header::default().number(7).letter(b'x')).number(2);
        assert_eq!(long.to_bytes().unwrap(), new(&Sample::NEW, b'x', 2).to_bytes().unwrap());
        let empty = new(&Sample::NEW, b'x', 2).restart(Header::default());
        assert_eq!(empty.len(), HEADER_LEN + 8);
    }

    // S-X.
    #[test]
    fn what_is_kept_is_the_message() {
        let message = kept(&new(&Sample::NEW, b'x', 2));
        let header = message.message().header;
        assert_eq!((header.length, header.kind), (32, MessageType(16)));
        assert_eq!(header.flags, MessageFlags::REQUEST | MessageFlags::ECHO);
        assert_eq!(message, kept(&new(&Sample::NEW, b'x', 2)));
        assert_ne!(message, kept(&new(&Sample::GET, b'x', 2)));
        assert_ne!(message, kept(&new(&Sample::NEW, b'x', 3)));
        let view = message.view().unwrap();
        assert_eq!(view.message_flags(), header.flags);
        assert_eq!(view.clone().into_owned().message_flags(), header.flags);
        assert_eq!(view.into_owned().message_type(), MessageType(16));

        let short = Kept::new(&Message { header, body: &[1, 2] });
        let Err(Error::Decode(undecoded)) = short.view() else { panic!("{short:?}") };
        assert_eq!(undecoded.bytes(), [1, 2]);
    }

    // S-X.
    #[test]
    fn messages_differ_by_type_header_and_attributes() {
        let same = kept(&new(&Sample::NEW, b'x', 2));
        let same = same.view().unwrap();
        let is_same = |request: &Request<()>| kept(request).view().unwrap() == same;
        assert!(is_same(&new(&Sample::NEW, b'x', 2)));
        assert!(!is_same(&new(&Sample::GET, b'x', 2)));
        assert!(!is_same(&new(&Sample::NEW, b'y', 2)));
        assert!(!is_same(&new(&Sample::NEW, b'x', 3)));
    }

    // S-X.
    #[test]
    fn a_request_that_cannot_be_sent_shows_why() {
        let request = SampleRequest::<()>::new(&Sample::NEW, MessageFlags::empty(), Header::default());
        let request = request.name("abcd").into_request();
        let error = request.to_bytes().unwrap_err();
        assert_eq!(alloc::format!("{request:?}"), alloc::format!("{error}"));
    }

    message! {
        /// What is set under one number, and reported under the same.
        struct Setting<'a>(Header, SampleAttrs<'a>), SettingRequest {
            /// Changes it.
            3 S_SET SET [sent],
            /// It was changed.
            3 S_CHANGED CHANGED [received],
        }
    }

    #[test]
    fn one_number_is_another_message_each_way() {
        let request = SettingRequest::<()>::new(&Setting::SET, MessageFlags::empty(), Header::default());
        let bytes = request.to_bytes().unwrap();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let name = |info: Option<&'static MessageInfo>| info.map(|info| info.c_name);
        assert_eq!(name(Setting::SET.of(&message)), Some("S_SET"));
        assert_eq!(name(Setting::SET.answer_of(&message)), Some("S_CHANGED"));
        assert_eq!(name(Setting::CHANGED.answer_of(&message)), Some("S_CHANGED"));
        told_apart(&[Setting::MESSAGES, Sample::MESSAGES]);
    }

    #[test]
    #[should_panic = "say [sent] or [received]"]
    fn two_messages_with_one_number_say_which_way_they_go() {
        told_apart(&[Setting::MESSAGES, Sample::MESSAGES, Sample::MESSAGES]);
    }

    // S-X.
    #[test]
    fn an_answer_may_have_no_sibling() {
        static ALONE: MessageInfo = MessageInfo { siblings: || &[], ..Sample::GET };
        let bytes = new(&Sample::GET, b'x', 2).to_bytes().unwrap();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(ALONE.answer_of(&message).map(|info| info.c_name), Some("S_GET"));
        let bytes = new(&Sample::NEW, b'x', 2).to_bytes().unwrap();
        let other = Messages::new(&bytes).next().unwrap().unwrap();
        assert!(ALONE.answer_of(&other).is_none());
        assert_eq!(Sample::GET.answer_of(&other).map(|info| info.c_name), Some("S_NEW"));
    }
}
