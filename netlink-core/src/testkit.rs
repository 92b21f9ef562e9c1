//! For tests without a kernel, of families and of what is built on them: canned replies, captured bytes, and connections
//! and streams of events that go as was recorded.
//!
//! A request and what it makes of replies:
//!
//! ```
//! # use netlink_core::{MessageFlags, attrs, layout, message};
//! # layout! { /// H.
//! #     pub struct Header: rtgenmsg = 1 { /// F.
//! #         family: u8, } }
//! # attrs! { /// A.
//! #     pub struct NsidAttrs<'a> for NsidRequest<R> { /// I.
//! #         1 NETNSA_NSID nsid: i32, } }
//! # message! { /// M.
//! #     pub struct Nsid<'a>(Header, NsidAttrs<'a>), NsidRequest { /// N.
//! #         88 RTM_NEWNSID NEW, /// G.
//! #         90 RTM_GETNSID GET, } }
//! use netlink_core::testkit::{Replies, answer};
//!
//! let request = NsidRequest::<Nsid>::new(&Nsid::GET, MessageFlags::empty(), Header::default());
//! let reply = NsidRequest::<()>::new(&Nsid::NEW, MessageFlags::empty(), Header::default()).nsid(7);
//! let nsid = answer(&request, &[&Replies::new().message(&reply)])?;
//! assert_eq!(nsid.nsid(), Some(7));
//!
//! let refused = Replies::new().error(1, &[]);
//! assert!(answer(&request, &[&refused]).unwrap_err().is_permission());
//! # Ok::<(), netlink_core::Error>(())
//! ```
//!
//! Code that takes a connection gets one from a [`Recording`], which is text: of a real connection (`Recorder`), or made
//! here.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::attr::{Hex, Writer};
use crate::error::Error;
use crate::exchange::{Exchange, Expect, Meaning};
use crate::message::{self, HEADER_LEN, MessageFlags, MessageHeader, MessageType, Messages, Sender};
use crate::request::{Dump, Owned, Reply, Request, ToRequest};
use crate::trace::{Direction, Traffic};

#[cfg(all(feature = "std", target_os = "linux"))]
mod play;

#[cfg(all(feature = "std", target_os = "linux"))]
pub use crate::connection::{Scene, Script};
#[cfg(all(feature = "std", target_os = "linux"))]
pub use play::Recorder;

/// The sequence of every exchange here.
pub const SEQUENCE: u32 = 1;
/// The port of every exchange here.
pub const PORT: u32 = 1;

/// A datagram as the kernel would send it, message by message.
#[derive(Clone, Debug, Default)]
pub struct Replies(Writer);

impl Replies {
    /// An empty one.
    pub const fn new() -> Self {
        Self(Writer::new())
    }

    /// A message with this type, flags and body.
    #[must_use]
    pub fn raw(mut self, kind: u16, flags: MessageFlags, body: &[u8]) -> Self {
        let header = MessageHeader::default().kind(MessageType(kind)).flags(flags);
        message::write(&mut self.0, header.sequence(SEQUENCE).port(PORT), |out| out.push(body));
        self
    }

    /// What a builder of requests made, as a reply.
    #[must_use]
    pub fn message(self, reply: &impl ToRequest) -> Self {
        self.with_flags(reply, MessageFlags::empty())
    }

    /// The same, as part of a dump.
    #[must_use]
    pub fn part(self, reply: &impl ToRequest) -> Self {
        self.with_flags(reply, MessageFlags::MULTI)
    }

    fn with_flags(self, reply: &impl ToRequest, flags: MessageFlags) -> Self {
        let request = reply.to_request();
        let bytes = request.to_bytes().unwrap_or_default();
        let kind = Messages::new(&bytes).flatten().next().map_or(0, |message| message.header.kind.0);
        self.raw(kind, flags, bytes.get(HEADER_LEN..).unwrap_or_default())
    }

    /// The end of a dump, with an errno or 0.
    #[must_use]
    pub fn done(self, errno: i32) -> Self {
        self.raw(MessageType::DONE.0, MessageFlags::MULTI, &errno.wrapping_neg().to_ne_bytes())
    }

    /// An acknowledgement.
    #[must_use]
    pub fn ack(self) -> Self {
        self.error(0, &[])
    }

    /// An error, positive, with the attributes of an extended acknowledgement.
    #[must_use]
    pub fn error(self, errno: i32, ext_ack: &[u8]) -> Self {
        let mut body: Vec<u8> = errno.wrapping_neg().to_ne_bytes().into();
        // The bare header of the request, as with NETLINK_CAP_ACK.
        body.extend_from_slice(&[0; HEADER_LEN]);
        body.extend_from_slice(ext_ack);
        let mut flags = MessageFlags::CAPPED;
        flags.set(MessageFlags::ACK_TLVS, !ext_ack.is_empty());
        self.raw(MessageType::ERROR.0, flags, &body)
    }

    /// The datagram.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl AsRef<[u8]> for Replies {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Gives a request these datagrams, and what it makes of them: its answer.
pub fn answer<Q>(request: Q, datagrams: &[&dyn AsRef<[u8]>]) -> Result<Q::Answer, Error>
where
    Q: ToRequest,
    Q::Answer: Reply,
{
    let mut answer = Q::Answer::acknowledged().map(Ok);
    feed(&request, Q::Answer::EXPECT, datagrams, |message| {
        let info = request.to_request().info();
        let read = Q::Answer::view(message).map(Q::Answer::own);
        answer = Some(read.map_err(|error| Error::undecoded(error, message, info)));
    })?;
    answer.unwrap_or(Err(Error::NoReply(request.to_request().info().c_name)))
}

/// Gives a request that lists these datagrams, and what it makes of them: those that its
/// [filter](crate::MessageInfo::filtered) lets pass.
pub fn listing<Q, R>(request: Q, datagrams: &[&dyn AsRef<[u8]>]) -> Result<Vec<Owned<R>>, Error>
where
    Q: ToRequest<Answer = Dump<R>>,
    R: Reply,
{
    let mut items = Vec::new();
    let asked = request.to_request();
    feed(&request, Expect::Dump, datagrams, |message| {
        if asked.passes(message) {
            items.push(Owned::new(message));
        }
    })?;
    Ok(items)
}

/// An exchange from its first datagram to its end. The sequence and port of the datagrams are not looked at:
/// those of a capture are those of its day.
fn feed(
    request: &impl ToRequest,
    expect: Expect,
    datagrams: &[&dyn AsRef<[u8]>],
    mut reply: impl FnMut(&message::Message<'_>),
) -> Result<(), Error> {
    let hint = request.hint();
    let request = request.to_request();
    let asked = request.to_bytes()?;
    let info = request.info();
    let mut flags = request.flags();
    flags.set(MessageFlags::ACK, flags.contains(MessageFlags::ACK) || expect == Expect::Ack);
    let mut exchange = Exchange::new(expect, flags, SEQUENCE, PORT);
    for datagram in datagrams {
        let bytes = (*datagram).as_ref();
        for message in Messages::new(bytes) {
            let mut message = message.map_err(|why| Error::decode(why.into(), "datagram", bytes))?;
            message.header.sequence = SEQUENCE;
            message.header.port = PORT;
            match exchange.feed(Sender::KERNEL, &message) {
                Meaning::Reply(message) => reply(&message),
                Meaning::Failed(errno, attrs) => {
                    return Err(Error::kernel(errno, attrs, (info, hint), &asked));
                }
                Meaning::Overrun => return Err(Error::Overrun),
                Meaning::Done(_) | Meaning::Stale | Meaning::Event => {}
            }
            if exchange.is_over() {
                return if exchange.is_interrupted() { Err(Error::Interrupted) } else { Ok(()) };
            }
        }
    }
    Err(Error::NoReply(info.c_name))
}

/// What a socket sent and received, as text: a line for each datagram, hexadecimal digits behind
///
/// - `>` if it was sent,
/// - `<` if it was received,
/// - `*7` if it was received by multicast group 7.
///
/// A line `!` is a place where the receive buffer was full and messages were lost. Lines that begin with `#` are comments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    lines: Vec<Line>,
    at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Sent(Vec<u8>),
    /// By a group; 0 is none.
    Received(u32, Vec<u8>),
    Overrun,
}

impl Recording {
    /// An empty one.
    pub const fn new() -> Self {
        Self { lines: Vec::new(), at: 0 }
    }

    /// Reads the text; `None` if a line is not of the form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            lines.push(match line.split_at_checked(1)? {
                (">", digits) => Line::Sent(from_hex(digits)?),
                ("<", digits) => Line::Received(0, from_hex(digits)?),
                ("*", rest) => {
                    let (group, digits) = rest.split_once(' ')?;
                    Line::Received(group.parse().ok()?, from_hex(digits)?)
                }
                ("!", "") => Line::Overrun,
                _ => return None,
            });
        }
        Some(Self { lines, at: 0 })
    }

    /// Adds a datagram; `Recorder` does it for a connection.
    pub fn record(&mut self, traffic: &Traffic<'_>) {
        let datagram = traffic.datagram.into();
        self.lines.push(match traffic.direction {
            Direction::Sent => Line::Sent(datagram),
            Direction::Received => Line::Received(traffic.group, datagram),
        });
    }

    /// Adds a request, and the datagram that answers it.
    #[must_use]
    pub fn exchange(mut self, request: &impl ToRequest, answer: &Replies) -> Self {
        let mut sent = request.to_request().to_bytes().unwrap_or_default();
        crate::layout::Field::store(SEQUENCE, &mut sent, 8);
        self.lines.extend([Line::Sent(sent), Line::Received(0, answer.as_bytes().into())]);
        self
    }

    /// Adds events of a group.
    #[must_use]
    pub fn events_of(mut self, group: u32, events: &Replies) -> Self {
        self.lines.push(Line::Received(group, events.as_bytes().into()));
        self
    }

    /// Adds a place where the receive buffer was full and messages were lost.
    #[must_use]
    pub fn overrun(mut self) -> Self {
        self.lines.push(Line::Overrun);
        self
    }

    /// The text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            // Writing to a String does not fail.
            let _ = match line {
                Line::Sent(datagram) => writeln!(text, "> {}", Hex(datagram)),
                Line::Received(0, datagram) => writeln!(text, "< {}", Hex(datagram)),
                Line::Received(group, datagram) => writeln!(text, "*{group} {}", Hex(datagram)),
                Line::Overrun => writeln!(text, "!"),
            };
        }
        text
    }

    /// Plays the next exchange: the request must be the one recorded, but for its sequence, and is given the
    /// answers that were recorded. `None` if it is another one.
    pub fn call<Q>(&mut self, request: Q) -> Option<Result<Q::Answer, Error>>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        let datagrams = self.next(request.to_request(), Q::Answer::EXPECT)?;
        let datagrams: Vec<&dyn AsRef<[u8]>> = datagrams.iter().map(|bytes| bytes as _).collect();
        Some(answer(request, &datagrams))
    }

    /// The same for a request that lists.
    pub fn dump<Q, R>(&mut self, request: Q) -> Option<Result<Vec<Owned<R>>, Error>>
    where
        Q: ToRequest<Answer = Dump<R>>,
        R: Reply,
    {
        let datagrams = self.next(request.to_request(), Expect::Dump)?;
        let datagrams: Vec<&dyn AsRef<[u8]>> = datagrams.iter().map(|bytes| bytes as _).collect();
        Some(listing(request, &datagrams))
    }

    fn next<R>(&mut self, request: &Request<R>, expect: Expect) -> Option<Vec<Vec<u8>>> {
        let mut asked = request.to_bytes().ok()?;
        if expect == Expect::Ack {
            let flags = request.flags() | MessageFlags::ACK;
            crate::layout::Field::store(flags, &mut asked, 6);
        }
        let Line::Sent(sent) = self.lines.get(self.at)? else { return None };
        let mut sent = sent.clone();
        // Sequence and port.
        sent.get_mut(8..HEADER_LEN)?.fill(0);
        if sent != asked {
            return None;
        }
        let rest = self.lines.get(self.at + 1..)?.iter();
        let received: Vec<Vec<u8>> = rest
            .map_while(|line| match line {
                Line::Received(0, bytes) => Some(bytes.clone()),
                _ => None,
            })
            .collect();
        self.at += 1 + received.len();
        Some(received)
    }
}

/// A set of attributes that goes through its getters and their types into bytes again: what `attrs!` declares reads and
/// writes alike.
///
/// Its own [`encode`](crate::Payload::encode) copies the bytes it was read from, which says nothing about the types.
pub trait Rewrite {
    /// Writes every attribute that has a row: what the getter gives, as the setter would.
    fn rewrite(&self, out: &mut Writer);

    /// The first row of which the getters don't give the same, by their `Debug` texts.
    fn difference(&self, other: &Self) -> Option<&'static str>;
}

/// How one value is written: a set by its rows, anything else as it is.
#[doc(hidden)]
pub mod rewrite {
    use alloc::format;
    use core::fmt::Debug;

    use crate::{Payload, Writer};

    /// A value of any type. The more special trait is found first, as it takes a reference less.
    #[derive(Debug)]
    #[allow(clippy::exhaustive_structs)]
    pub struct Value<'v, T>(pub &'v T);

    pub trait RewriteSet {
        fn write(&self, number: u16, out: &mut Writer);
        fn differs(&self, other: &Self) -> bool;
    }

    impl<'a, T: super::Rewrite + Payload<'a>> RewriteSet for Value<'_, T> {
        fn write(&self, number: u16, out: &mut Writer) {
            out.nest(number | T::FLAGS, |out| self.0.rewrite(out));
        }

        fn differs(&self, other: &Self) -> bool {
            self.0.difference(other.0).is_some()
        }
    }

    pub trait RewriteValue {
        fn write(&self, number: u16, out: &mut Writer);
        fn differs(&self, other: &Self) -> bool;
    }

    impl<'a, T: Payload<'a> + Debug> RewriteValue for &Value<'_, T> {
        fn write(&self, number: u16, out: &mut Writer) {
            self.0.put(number, out);
        }

        fn differs(&self, other: &Self) -> bool {
            // What the struct of an older kernel lacks is absent when it is read, and 0 when it is written.
            let written = |value: &T| {
                let mut out = Writer::new();
                value.put(0, &mut out);
                out.into_bytes()
            };
            format!("{:?}", self.0) != format!("{:?}", other.0) && written(self.0) != written(other.0)
        }
    }
}

/// Implements [`Rewrite`](crate::testkit::Rewrite).
#[macro_export]
#[doc(hidden)]
macro_rules! __rewrite {
    ($name:ident $a:lifetime $( $number:literal $field:ident $type:ty $(as $value:ty)?, )*) => {
        impl $crate::testkit::Rewrite for $name<'_> {
            fn rewrite(&self, _out: &mut $crate::Writer) {
                #[allow(unused_imports)]
                use $crate::testkit::rewrite::{RewriteSet as _, RewriteValue as _, Value};
                $( if let Some(value) = self.$field() {
                    // As it is written, which the getter's type does not say.
                    #[allow(clippy::extra_unused_lifetimes, single_use_lifetimes, unused_lifetimes)]
                    fn written<$a>(value: $crate::__value!($type $(, $value)?)) -> $type {
                        $crate::IntoAttr::into_attr(value)
                    }
                    (&Value(&written(value))).write($number, _out);
                } )*
            }

            fn difference(&self, _other: &Self) -> ::core::option::Option<&'static str> {
                #[allow(unused_imports)]
                use $crate::testkit::rewrite::{RewriteSet as _, RewriteValue as _, Value};
                $( match (self.$field(), _other.$field()) {
                    // A setter may write what goes with it, as that of an encapsulation does its type.
                    (None, _) => {}
                    (Some(own), Some(other)) if !(&Value(&own)).differs(&&Value(&other)) => {}
                    _ => return Some(stringify!($field)),
                } )*
                None
            }
        }
    };
}

/// Bytes from hexadecimal digits; blanks between them don't count.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let mut digits = text.chars().filter(|digit| !digit.is_whitespace());
    let mut bytes = Vec::new();
    while let Some(high) = digits.next() {
        let value = high.to_digit(16)? << 4 | digits.next()?.to_digit(16)?;
        bytes.push(u8::try_from(value).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{attrs, layout, message};

    layout! {
        /// Header.
        pub(crate) struct Header: sample = 4 {
            /// A number.
            number: u32,
        }
    }
    attrs! {
        /// Attributes.
        pub(crate) struct SampleAttrs<'a> for SampleRequest<R> {
            /// A number.
            1 S_NUMBER number: u32,
        }
    }
    message! {
        /// A sample.
        pub(crate) struct Sample<'a>(Header, SampleAttrs<'a>), SampleRequest {
            /// Made.
            16 S_NEW NEW,
            /// Asked.
            18 S_GET GET,
        }
    }

    pub(crate) fn new(number: u32) -> SampleRequest<()> {
        SampleRequest::new(&Sample::NEW, MessageFlags::empty(), Header::default()).number(number)
    }

    pub(crate) fn list() -> SampleRequest<Dump<Sample<'static>>> {
        SampleRequest::new(&Sample::GET, MessageFlags::DUMP, Header::default())
    }

    #[test]
    fn a_dump_of_canned_replies() {
        let first = Replies::new().part(&new(1)).part(&new(2));
        let last = Replies::new().done(0);
        let items = listing(list(), &[&first, &last]).unwrap();
        let numbers: Vec<_> = items.iter().map(|item| item.view().unwrap().number()).collect();
        assert_eq!(numbers, [Some(1), Some(2)]);
        let cut = listing(list(), &[&first]);
        assert!(matches!(cut, Err(Error::NoReply("S_GET"))));
        assert_eq!(
            listing(list(), &[&Replies::new().done(13)]).unwrap_err().errno(),
            Some(crate::Errno::EACCES)
        );
    }

    #[test]
    fn an_error_names_the_attribute_it_points_at() {
        // NLMSGERR_ATTR_OFFS 20: behind nlmsghdr and the fixed header.
        let ext = crate::error::tests::at_first();
        let error = answer(new(7), &[&Replies::new().error(34, &ext)]).unwrap_err();
        assert_eq!(
            alloc::format!("{error}"),
            "S_NEW: Numerical result out of range (ERANGE); at S_NUMBER = 7"
        );
    }

    attrs! {
        /// Attributes with a name.
        struct KindAttrs<'a> for KindRequest<R>, OtherKindRequest<R> {
            /// A kind.
            1 K_KIND kind: Kind,
            /// A number.
            2 K_NUMBER number: u32,
        }
    }
    message! {
        /// By a name.
        struct ByName<'a>(Header, KindAttrs<'a>), KindRequest {
            /// Made.
            16 K_NEW NEW,
        }
    }
    message! {
        /// By a name too.
        struct ByOther<'a>(Header, KindAttrs<'a>), OtherKindRequest {
            /// Asked.
            18 K_GET GET,
        }
    }

    #[derive(Clone, Copy, Debug)]
    struct Kind;

    crate::serialize! { @value Kind, |_kind| () }

    impl<'a> crate::Payload<'a> for Kind {
        type Value = Self;
        const RULE: crate::Rule = crate::Rule::at_least(0);
        const SHAPE: crate::Shape = crate::Shape::Named(|_, f| f.write_str("kind"));

        fn decode(_: &'a [u8]) -> Result<Self, crate::Malformed> {
            Ok(Self)
        }

        fn encode(&self, _: &mut Writer) {}
    }

    #[test]
    fn a_refusal_that_points_at_nothing_tells_the_names() {
        let request = KindRequest::<()>::new(&ByName::NEW, MessageFlags::empty(), Header::default());
        let request = request.number(1).kind(Kind);
        let error = |ext: &[u8]| answer(&request, &[&Replies::new().error(38, ext)]).unwrap_err();
        let text = alloc::format!("{}", error(&[]));
        assert_eq!(text, "K_NEW: Function not implemented (ENOSYS); with K_KIND = kind");
        let text = alloc::format!("{}", error(&crate::error::tests::at_first()));
        assert_eq!(text, "K_NEW: Function not implemented (ENOSYS); at K_NUMBER = 1");
        let other = OtherKindRequest::<()>::new(&ByOther::GET, MessageFlags::empty(), Header::default());
        assert_eq!(other.number(1).to_bytes().unwrap()[16..], request.to_bytes().unwrap()[16..28]);
    }

    struct Hinted(SampleRequest<()>);

    impl ToRequest for Hinted {
        type Answer = ();

        fn to_request(&self) -> &Request<()> {
            &self.0
        }

        fn hint(&self) -> crate::Hint {
            |error, f| write!(f, "; {} takes a permission", error.ext_ack().request_name())
        }
    }

    #[test]
    fn a_request_says_more_about_its_refusal() {
        let error = answer(Hinted(new(7)), &[&Replies::new().error(1, &[])]).unwrap_err();
        assert_eq!(
            alloc::format!("{error}"),
            "S_NEW: Operation not permitted (EPERM); S_NEW takes a permission"
        );
    }

    #[test]
    fn a_message_may_be_numbered_by_its_first_byte() {
        static BY_COMMAND: crate::MessageInfo = crate::MessageInfo {
            number: 3,
            numbered: crate::Numbered::ByCommand,
            c_name: "BY_COMMAND",
            header: Sample::NEW.header,
            table: Sample::NEW.table,
            siblings: || &[Sample::MESSAGES],
            ..Sample::NEW
        };
        let message = |first: u8| Replies::new().raw(40, MessageFlags::empty(), &[first, 0, 0, 0]);
        let name = |replies: &Replies| {
            let message = Messages::new(replies.as_bytes()).next().unwrap().unwrap();
            BY_COMMAND.of(&message).map(|info| info.c_name)
        };
        assert_eq!(name(&message(3)), Some("BY_COMMAND"));
        assert_eq!(name(&message(18)), Some("S_GET"));
        assert_eq!(name(&message(40)), None);
        assert_eq!(name(&Replies::new().raw(3, MessageFlags::empty(), &[])), None);
    }

    #[test]
    fn a_recording_plays_the_same_exchange_only() {
        let mut asked = list().to_bytes().unwrap();
        asked[8] = 42;
        let replies = Replies::new().part(&new(3)).done(0);
        let text = alloc::format!("# by hand\n> {}\n< {}\n", Hex(&asked), Hex(replies.as_bytes()));
        let mut recording = Recording::parse(&text).unwrap();
        assert_eq!(Recording::parse(&recording.to_text()), Some(recording.clone()));
        assert!(recording.call(new(3)).is_none());
        assert_eq!(recording.dump(list()).unwrap().unwrap().len(), 1);
        assert!(recording.dump(list()).is_none());
        assert!(Recording::parse("? 00").is_none());
        assert!(Recording::parse("> 0").is_none());
    }
}
