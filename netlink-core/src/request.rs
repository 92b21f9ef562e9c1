//! Requests: encoded bytes, and the type of their answer.

mod declare;
mod info;
mod owned;
mod reply;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

pub use info::{Check, Filter, Guard, MessageInfo, Numbered, told_apart};
pub use owned::Owned;
pub use reply::{Dump, IntoOwned, Reply};

use crate::attr::{Payload, Unsendable, Writer};
use crate::error::{Asked, Error, Hint, RequestError};
use crate::layout::{Field, Fixed};
use crate::message::{HEADER_LEN, Message, MessageFlags, MessageHeader, MessageType};

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
        // Zeros first, then the fields in place: a header put together elsewhere would have to be loaded again
        // before its narrow stores have retired.
        let mut out = Writer::zeroed(HEADER_LEN + H::SIZE.next_multiple_of(4));
        let flags = flags.union(MessageFlags::REQUEST);
        let bytes = out.tail_mut(0);
        MessageHeader { kind, flags, ..MessageHeader::default() }.store(bytes, 0);
        header.store(bytes, HEADER_LEN);
        Self { out, info, reply: PhantomData }
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
        if let Some(mut header) = H::take(&mut cursor) {
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
        self.out.as_slice().get(6..).and_then(|mut rest| MessageFlags::take(&mut rest)).unwrap_or_default()
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
        let kind = self.out.as_slice().get(4..).and_then(|mut rest| MessageType::take(&mut rest));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Messages;
    use crate::{Str, attrs, layout, message};

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
