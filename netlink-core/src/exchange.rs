//! One request and its answers, without I/O: feed it messages, it says what each one means.
//!
//! Every rule about how an exchange ends lives here. Kernel side: `netlink_rcv_skb`, `netlink_ack`,
//! `netlink_dump` in `net/netlink/af_netlink.c`.

use alloc::vec::Vec;

use crate::error::Errno;
use crate::layout::Field;
use crate::message::{HEADER_LEN, Message, MessageFlags, MessageHeader, MessageType, Sender};

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expect {
    /// An acknowledgement.
    Ack,
    /// One reply; and an acknowledgement behind it, if the request asks for one.
    Reply,
    /// Any number of replies up to `NLMSG_DONE`.
    Dump,
}

/// What a message means to an exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning<'a> {
    /// Nothing: an answer to an earlier request, or to somebody else.
    Stale,
    /// A notification: to a multicast group, also the copy of what this very request changed; or of sequence 0,
    /// which no request has that waits for an answer.
    Event,
    /// A reply; see [`Exchange::is_over`] whether more may come.
    Reply(Message<'a>),
    /// The end, without a failure. Attributes of an extended acknowledgement may warn.
    Done(&'a [u8]),
    /// The end: the kernel refused, and explains itself in the attributes of an extended acknowledgement.
    Failed(Errno, &'a [u8]),
    /// The end: messages before this one were lost.
    Overrun,
}

/// Where the answers to a message depart from the usual. A family declares it for the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// The acknowledgement comes first and the answer behind it, as a thread of the kernel or the hardware sends it:
    /// auditing, NCSI.
    pub answer_after_ack: bool,
    /// The data of the answer has neither port nor sequence; only its end has: lists of thermal zones and cooling
    /// devices.
    pub unnumbered: bool,
    /// Behind the acknowledgement come reports of progress with the sequences that follow the request's, until whoever
    /// asked has seen the last one: flashing a module over ethtool.
    pub progress: bool,
}

impl Quirks {
    /// None: all is as usual.
    pub const NONE: Self = Self { answer_after_ack: false, unnumbered: false, progress: false };

    /// With [`answer_after_ack`](Self::answer_after_ack).
    #[must_use]
    pub const fn answer_after_ack(self) -> Self {
        Self { answer_after_ack: true, ..self }
    }

    /// With [`unnumbered`](Self::unnumbered).
    #[must_use]
    pub const fn unnumbered(self) -> Self {
        Self { unnumbered: true, ..self }
    }

    /// With [`progress`](Self::progress).
    #[must_use]
    pub const fn progress(self) -> Self {
        Self { progress: true, ..self }
    }

    /// How many sequences behind its own a request with [`progress`](Self::progress) takes.
    pub(crate) const PROGRESS: u32 = 1 << 16;
}

/// The state of one request: what it waits for, and whether it got it.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    expect: Expect,
    acked: bool,
    echo: bool,
    dumps: bool,
    listens: bool,
    quirks: Quirks,
    kind: MessageType,
    sequence: u32,
    port: u32,
    over: bool,
    replied: bool,
    interrupted: bool,
    acknowledgement: i32,
}

impl Exchange {
    /// An exchange that begins when a request with this sequence and these flags is sent from this port.
    pub const fn new(expect: Expect, flags: MessageFlags, sequence: u32, port: u32) -> Self {
        Self {
            expect,
            acked: flags.contains(MessageFlags::ACK),
            echo: flags.contains(MessageFlags::ECHO),
            dumps: flags.contains(MessageFlags::DUMP),
            listens: false,
            quirks: Quirks::NONE,
            kind: MessageType(0),
            sequence,
            port,
            over: false,
            replied: false,
            interrupted: false,
            acknowledgement: 0,
        }
    }

    /// The answers depart from the usual; the request has this type.
    #[must_use]
    pub const fn with(self, quirks: Quirks, kind: MessageType) -> Self {
        Self { quirks, kind, ..self }
    }

    /// What names no port was not asked for: the socket takes what the kernel sends it unasked, and that may bear any
    /// sequence. taskstats counts there what it reports of each CPU.
    #[must_use]
    pub const fn listening(self, listens: bool) -> Self {
        Self { listens, ..self }
    }

    /// One that is over before it began: what it is fed is stale, or an event.
    #[cfg(any(test, all(feature = "std", target_os = "linux")))]
    pub(crate) const fn none() -> Self {
        Self { over: true, ..Self::new(Expect::Ack, MessageFlags::empty(), 0, 0) }
    }

    /// Its sequence.
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Whether nothing more belongs to it.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Whether a reply came.
    pub const fn has_reply(&self) -> bool {
        self.replied
    }

    /// Whether the kernel flagged a message with `NLM_F_DUMP_INTR`: what was listed may be inconsistent.
    pub const fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// The number of the acknowledgement: 0, but for the few messages that answer with one, such as the id of a new
    /// radio of mac80211_hwsim.
    pub const fn acknowledgement(&self) -> i32 {
        self.acknowledgement
    }

    /// Ends it without an answer.
    #[cfg(all(feature = "std", target_os = "linux"))]
    pub(crate) const fn give_up(&mut self) {
        self.over = true;
    }

    /// Whether the dump was interrupted; says so once.
    pub const fn take_interruption(&mut self) -> bool {
        core::mem::replace(&mut self.interrupted, false)
    }

    /// The same request sent once more, with this sequence.
    #[must_use]
    pub const fn restarted(&self, sequence: u32) -> Self {
        Self { sequence, over: false, replied: false, interrupted: false, ..*self }
    }

    /// Takes in one message.
    #[inline(always)]
    pub fn feed<'a>(&mut self, sender: Sender, message: &Message<'a>) -> Meaning<'a> {
        if sender.port != 0 {
            return Meaning::Stale;
        }
        let header = &message.header;
        // XFRM_MSG_GETAE and lists of hooks are answered with the port that stands in the request, which is 0.
        let unicast_without_port = header.port == 0 && sender.group == 0;
        let ours = header.sequence == self.sequence && (header.port == self.port || unicast_without_port);
        if unicast_without_port && self.listens && header.kind.is_data() && !self.is_unnumbered(header) {
            return Meaning::Event;
        }
        // An echo is the notification, sent to the requester alone: it names the group all the same, and the
        // requester gets no other copy.
        if sender.group != 0 && !(self.echo && ours) {
            return Meaning::Event;
        }
        if header.kind == MessageType::OVERRUN {
            self.over = true;
            return Meaning::Overrun;
        }
        if self.over || !ours && !self.is_departure(header) {
            return if header.sequence == 0 { Meaning::Event } else { Meaning::Stale };
        }
        if header.flags.contains(MessageFlags::DUMP_INTR) {
            self.interrupted = true;
        }
        match header.kind {
            // A copy, so that only here the message has to be in memory.
            MessageType::ERROR | MessageType::DONE => self.end(&{ *message }),
            MessageType::NOOP => Meaning::Stale,
            _ => {
                self.replied = true;
                // MULTI alone never means "wait": ctnetlink answers a GET with MULTI and no DONE.
                self.over = matches!(self.expect, Expect::Reply) && !self.acked;
                Meaning::Reply(*message)
            }
        }
    }

    /// Whether a message that has not our number belongs to the exchange all the same.
    #[cold]
    fn is_departure(&self, header: &MessageHeader) -> bool {
        let progress = self.quirks.progress
            && header.port == self.port
            && header.sequence.wrapping_sub(self.sequence) < Quirks::PROGRESS;
        progress || self.is_unnumbered(header)
    }

    const fn is_unnumbered(&self, header: &MessageHeader) -> bool {
        self.quirks.unnumbered
            && !self.over
            && header.port == 0
            && header.sequence == 0
            && header.kind.0 == self.kind.0
    }

    #[cold]
    fn end<'a>(&mut self, message: &Message<'a>) -> Meaning<'a> {
        let meaning = match message.header.kind {
            // A DONE without an errno is a success.
            MessageType::DONE => match i32::take(&mut { message.body }) {
                Ok(errno) => ended(errno, message.body.get(4..).unwrap_or_default()),
                Err(_) => Meaning::Done(&[]),
            },
            _ => {
                let Refusal { errno, attrs, .. } = Refusal::of(message);
                // Only what is negative is an errno.
                if errno.0 < 0 {
                    self.acknowledgement = errno.0.wrapping_neg();
                    Meaning::Done(attrs)
                } else {
                    ended(errno.0.wrapping_neg(), attrs)
                }
            }
        };
        let goes_on = matches!(meaning, Meaning::Done(_)) && self.goes_on_behind(message.header.kind);
        self.over = !goes_on;
        if goes_on { Meaning::Stale } else { meaning }
    }

    /// Whether more has to come behind a success.
    fn goes_on_behind(&mut self, kind: MessageType) -> bool {
        let answers_later = match self.expect {
            Expect::Ack => false,
            Expect::Reply => self.quirks.answer_after_ack && !self.replied,
            Expect::Dump => self.quirks.answer_after_ack || self.quirks.progress,
        };
        if kind == MessageType::ERROR {
            // From now on the answer alone ends it.
            self.acked = false;
            return answers_later;
        }
        // A request that lists without being a dump, as in devlink, is acknowledged behind its DONE.
        matches!(self.expect, Expect::Dump) && self.acked && !self.dumps && !answers_later
    }
}

const fn ended(errno: i32, attrs: &[u8]) -> Meaning<'_> {
    match errno {
        0 => Meaning::Done(attrs),
        _ => Meaning::Failed(Errno(errno.wrapping_neg()), attrs),
    }
}

/// What an `NLMSG_ERROR` says.
pub(crate) struct Refusal<'a> {
    /// Why; 0 is an acknowledgement.
    pub(crate) errno: Errno,
    /// The request, or only its header if the error is capped.
    #[cfg_attr(not(all(feature = "std", target_os = "linux")), allow(dead_code))]
    pub(crate) request: &'a [u8],
    /// The attributes of the extended acknowledgement.
    pub(crate) attrs: &'a [u8],
}

impl<'a> Refusal<'a> {
    pub(crate) fn of(message: &Message<'a>) -> Self {
        let Some((errno, echo)) = message.body.split_first_chunk() else {
            return Self { errno: Errno::EBADMSG, request: &[], attrs: &[] };
        };
        let flags = message.header.flags;
        let length = match u32::take(&mut { echo }) {
            Ok(length) if !flags.contains(MessageFlags::CAPPED) => (length as usize).max(HEADER_LEN),
            _ => HEADER_LEN,
        };
        let behind = echo.get(length.saturating_add(3) & !3..).unwrap_or_default();
        Self {
            errno: Errno(i32::from_ne_bytes(*errno).wrapping_neg()),
            request: echo.get(..length).unwrap_or(echo),
            attrs: if flags.contains(MessageFlags::ACK_TLVS) { behind } else { &[] },
        }
    }
}

/// The answer to one request of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// None yet.
    Pending,
    /// It was done.
    Done,
    /// It was refused; the bytes are the attributes of the extended acknowledgement.
    Failed(Errno, Vec<u8>),
}

/// The state of a run of pipelined requests with consecutive sequences.
///
/// Only the last of the run asks for an acknowledgement. Requests are worked off in order and errors come
/// unasked, so when the last one is answered, every earlier one without an error was done. The same rule
/// covers kernels before 6.10, which do not acknowledge every message of an nfnetlink batch, and the second
/// round of acknowledgements after a module was loaded.
#[derive(Clone, Debug)]
pub struct Run {
    first: u32,
    port: u32,
    /// What each request waits for. One that waits for an acknowledgement has not got it with a reply.
    expect: Expect,
    answers: Vec<Answer>,
    over: bool,
    listens: bool,
    /// The first and the last are an envelope of the others.
    enveloped: bool,
}

impl Run {
    /// A run of `count` requests from sequence `first` on.
    pub fn new(expect: Expect, first: u32, count: usize, port: u32) -> Self {
        Self {
            expect,
            first,
            port,
            answers: alloc::vec![Answer::Pending; count],
            over: count == 0,
            listens: false,
            enveloped: false,
        }
    }

    /// A run of which the first message opens an envelope and the last one closes it: nfnetlink's batches. The message
    /// before the last is the one that asks for an acknowledgement.
    ///
    /// The kernel answers when it is through with all of them, in order, and what opens and closes only if it can do
    /// nothing at all. Before Linux 6.10 it would not acknowledge them even if asked.
    pub fn enveloped(first: u32, count: usize, port: u32) -> Self {
        Self { enveloped: true, ..Self::new(Expect::Ack, first, count, port) }
    }

    /// See [`Exchange::listening`].
    #[must_use]
    pub fn listening(self, listens: bool) -> Self {
        Self { listens, ..self }
    }

    /// Whether the last request is answered.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// One answer per request, in order; all that are pending at the end of the run were done.
    pub fn into_answers(self) -> Vec<Answer> {
        self.answers
    }

    /// Takes in one message. A reply is not kept: the caller has it, with the index of its request.
    pub fn feed<'a>(&mut self, sender: Sender, message: &Message<'a>) -> (Option<usize>, Meaning<'a>) {
        let index = message.header.sequence.wrapping_sub(self.first) as usize;
        let Some(answer) = self.answers.get_mut(index) else {
            let nobody = Exchange::new(Expect::Ack, MessageFlags::ACK, self.first, self.port);
            return match nobody.listening(self.listens).feed(sender, message) {
                meaning @ (Meaning::Event | Meaning::Overrun) => (None, meaning),
                _ => (None, Meaning::Stale),
            };
        };
        let one = Exchange::new(self.expect, MessageFlags::empty(), message.header.sequence, self.port);
        let mut one = one.listening(self.listens);
        let meaning = one.feed(sender, message);
        match meaning {
            // The first refusal counts.
            Meaning::Failed(errno, attrs) if !matches!(answer, Answer::Failed(..)) => {
                *answer = Answer::Failed(errno, attrs.into());
            }
            Meaning::Done(_) | Meaning::Reply(_) if *answer == Answer::Pending && one.is_over() => {
                *answer = Answer::Done;
            }
            _ => {}
        }
        self.over |= one.is_over() && self.ends_with(index, meaning);
        (Some(index), meaning)
    }

    /// Whether this is the last answer.
    fn ends_with(&self, index: usize, meaning: Meaning<'_>) -> bool {
        if !self.enveloped {
            return index + 1 == self.answers.len();
        }
        match (index, meaning) {
            (0, meaning) => matches!(meaning, Meaning::Failed(..)),
            // Without memory, or when killed, it forgets all other answers, and says so at the first message.
            (1, Meaning::Failed(Errno::ENOMEM | Errno::EINTR, _)) => true,
            _ => index + 2 == self.answers.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::Writer;
    use crate::message::{self, MessageHeader, Messages};

    const PORT: u32 = 77;
    const ACK: MessageFlags = MessageFlags::ACK;
    const NONE: MessageFlags = MessageFlags::empty();

    struct Bytes(Writer);

    impl Bytes {
        fn new() -> Self {
            Self(Writer::new())
        }

        fn add(mut self, kind: u16, flags: MessageFlags, sequence: u32, body: &[u8]) -> Self {
            let header = MessageHeader::default().kind(MessageType(kind)).flags(flags).sequence(sequence);
            message::write(&mut self.0, header.port(PORT), |out| out.push(body));
            self
        }

        fn error(self, flags: MessageFlags, sequence: u32, errno: i32, rest: &[u8]) -> Self {
            let mut body = (-errno).to_ne_bytes().to_vec();
            body.extend(rest);
            self.add(2, flags, sequence, &body)
        }

        fn feed(&self, exchange: &mut Exchange) -> Vec<Meaning<'_>> {
            self.feed_from(Sender::KERNEL, exchange)
        }

        fn feed_from(&self, sender: Sender, exchange: &mut Exchange) -> Vec<Meaning<'_>> {
            Messages::new(self.0.as_slice()).map(|m| exchange.feed(sender, &m.unwrap())).collect()
        }
    }

    fn bare_header(length: u32) -> Vec<u8> {
        let mut header = length.to_ne_bytes().to_vec();
        header.extend([0; 12]);
        header
    }

    fn exchange(expect: Expect, flags: MessageFlags) -> Exchange {
        Exchange::new(expect, flags, 5, PORT)
    }

    #[test]
    fn an_ack_ends_it() {
        let bytes = Bytes::new().error(NONE, 5, 0, &bare_header(20));
        let mut ex = exchange(Expect::Ack, ACK);
        assert_eq!(bytes.feed(&mut ex), [Meaning::Done(&[])]);
        assert!(ex.is_over());
    }

    #[test]
    fn what_nobody_asked_for_is_an_event() {
        let packet = Bytes::new().add(0x300, NONE, 0, &[0; 4]).error(NONE, 0, 2, &bare_header(32));
        let mut ex = exchange(Expect::Ack, ACK);
        assert_eq!(packet.feed(&mut ex), [Meaning::Event, Meaning::Event]);
        assert!(!ex.is_over());
        let mut run = Run::new(Expect::Ack, 5, 2, PORT);
        for message in Messages::new(packet.0.as_slice()) {
            assert_eq!(run.feed(Sender::KERNEL, &message.unwrap()), (None, Meaning::Event));
        }
        assert_eq!(packet.feed_from(Sender::process(9), &mut ex), [Meaning::Stale, Meaning::Stale]);
        let mut none = Exchange::none();
        assert_eq!(packet.feed(&mut none), [Meaning::Event, Meaning::Event]);
    }

    #[test]
    fn an_error_ends_it() {
        for expect in [Expect::Ack, Expect::Reply, Expect::Dump] {
            let bytes = Bytes::new().error(NONE, 5, 17, &bare_header(20));
            let mut ex = exchange(expect, NONE);
            assert_eq!(bytes.feed(&mut ex), [Meaning::Failed(Errno::EEXIST, &[])]);
            assert!(ex.is_over());
        }
    }

    #[test]
    fn the_first_reply_ends_a_request_without_ack_even_when_flagged_multi() {
        let bytes = Bytes::new().add(16, MessageFlags::MULTI, 5, &[1; 4]);
        let mut ex = exchange(Expect::Reply, NONE);
        assert!(matches!(bytes.feed(&mut ex)[..], [Meaning::Reply(_)]));
        assert!(ex.is_over() && ex.has_reply());
    }

    #[test]
    fn a_reply_and_its_ack_both_belong_to_the_exchange() {
        // ctnetlink: MULTI on the reply, an ACK, and never a DONE.
        let reply = Bytes::new().add(256, MessageFlags::MULTI, 5, &[1; 4]);
        let ack = Bytes::new().error(NONE, 5, 0, &bare_header(20));
        let mut ex = exchange(Expect::Reply, ACK);
        assert!(matches!(reply.feed(&mut ex)[..], [Meaning::Reply(_)]));
        assert!(!ex.is_over());
        assert_eq!(ack.feed(&mut ex), [Meaning::Done(&[])]);
        assert!(ex.is_over());
    }

    #[test]
    fn done_ends_a_dump() {
        let multi = MessageFlags::MULTI;
        let bytes =
            Bytes::new().add(24, multi, 5, &[1; 4]).add(24, multi, 5, &[2; 4]).add(3, multi, 5, &[0; 4]);
        let mut ex = exchange(Expect::Dump, NONE);
        assert!(matches!(
            bytes.feed(&mut ex)[..],
            [Meaning::Reply(_), Meaning::Reply(_), Meaning::Done(&[])]
        ));
    }

    #[test]
    fn done_may_carry_an_errno_and_attributes_in_its_own_layout() {
        let mut body = (-22i32).to_ne_bytes().to_vec();
        body.extend([8, 0, 2, 0, 40, 0, 0, 0]);
        let bytes = Bytes::new().add(3, MessageFlags::MULTI | MessageFlags::ACK_TLVS, 5, &body);
        let mut ex = exchange(Expect::Dump, NONE);
        assert_eq!(bytes.feed(&mut ex), [Meaning::Failed(Errno::EINVAL, &[8, 0, 2, 0, 40, 0, 0, 0])]);
    }

    #[test]
    fn attributes_follow_the_echoed_request_or_its_bare_header() {
        let attrs = [8, 0, 2, 0, 36, 0, 0, 0];
        let mut echoed = bare_header(22);
        echoed.extend([9; 6]);
        echoed.extend([0, 0]);
        echoed.extend(attrs);
        let mut capped = bare_header(22);
        capped.extend(attrs);
        for (flags, rest) in [(NONE, echoed), (MessageFlags::CAPPED, capped)] {
            let bytes = Bytes::new().error(flags | MessageFlags::ACK_TLVS, 5, 22, &rest);
            assert_eq!(
                bytes.feed(&mut exchange(Expect::Ack, ACK)),
                [Meaning::Failed(Errno::EINVAL, &attrs[..])]
            );
        }
    }

    #[test]
    fn a_lying_echo_length_gives_no_attributes_and_no_panic() {
        for length in [0, 15, 4000, u32::MAX] {
            let bytes = Bytes::new().error(MessageFlags::ACK_TLVS, 5, 22, &bare_header(length));
            assert_eq!(bytes.feed(&mut exchange(Expect::Ack, ACK)), [Meaning::Failed(Errno::EINVAL, &[])]);
        }
    }

    #[test]
    fn an_error_too_short_for_an_errno_is_a_failure() {
        let bytes = Bytes::new().add(2, NONE, 5, &[0, 0]);
        assert_eq!(bytes.feed(&mut exchange(Expect::Ack, ACK)), [Meaning::Failed(Errno::EBADMSG, &[])]);
    }

    #[test]
    fn warnings_on_success_reach_the_caller() {
        let mut capped = bare_header(22);
        capped.extend([8, 0, 1, 0, b'h', b'm', 0, 0]);
        let flags = MessageFlags::ACK_TLVS | MessageFlags::CAPPED;
        let bytes = Bytes::new().error(flags, 5, 0, &capped);
        assert_eq!(
            bytes.feed(&mut exchange(Expect::Ack, ACK)),
            [Meaning::Done(&[8, 0, 1, 0, b'h', b'm', 0, 0])]
        );
    }

    #[test]
    fn an_early_duplicate_ack_is_stale_for_the_next_exchange() {
        let twice = Bytes::new().error(NONE, 5, 0, &bare_header(20)).error(NONE, 5, 0, &bare_header(20));
        let mut ex = exchange(Expect::Ack, ACK);
        assert_eq!(twice.feed(&mut ex), [Meaning::Done(&[]), Meaning::Stale]);
        let mut next = Exchange::new(Expect::Ack, ACK, 6, PORT);
        assert_eq!(twice.feed(&mut next), [Meaning::Stale, Meaning::Stale]);
        assert!(!next.is_over());
    }

    #[test]
    fn an_abandoned_dump_is_skipped() {
        let old =
            Bytes::new().add(24, MessageFlags::MULTI, 4, &[1; 4]).add(3, MessageFlags::MULTI, 4, &[0; 4]);
        let mut ex = exchange(Expect::Dump, NONE);
        assert_eq!(old.feed(&mut ex), [Meaning::Stale, Meaning::Stale]);
        assert!(!ex.is_over());
    }

    #[test]
    fn replies_to_others_and_forged_ones_are_skipped() {
        let bytes = Bytes::new().error(NONE, 5, 0, &bare_header(20));
        let mut other_port = Exchange::new(Expect::Ack, ACK, 5, PORT + 1);
        assert_eq!(bytes.feed(&mut other_port), [Meaning::Stale]);
        let mut ex = exchange(Expect::Ack, ACK);
        assert_eq!(bytes.feed_from(Sender::process(4242), &mut ex), [Meaning::Stale]);
        assert!(!ex.is_over());
    }

    #[test]
    fn a_reply_that_lacks_the_port_is_told_by_its_sequence() {
        let mut bytes = Bytes::new();
        for sequence in [5, 6, 0] {
            let header = MessageHeader::default().kind(MessageType(0xc00)).sequence(sequence);
            message::write(&mut bytes.0, header, |out| out.push(&[2; 4]));
        }
        let mut ex = exchange(Expect::Dump, NONE);
        let meanings = bytes.feed(&mut ex);
        assert!(matches!(meanings[..], [Meaning::Reply(_), Meaning::Stale, Meaning::Event]));
        let meanings = bytes.feed_from(Sender::kernel_group(1), &mut ex);
        assert_eq!(meanings, [Meaning::Event, Meaning::Event, Meaning::Event]);
    }

    #[test]
    fn the_multicast_copy_of_our_own_change_is_an_event() {
        // The kernel notifies with our port and our sequence; only the group tells it from the reply.
        let bytes = Bytes::new().add(16, NONE, 5, &[1; 4]);
        let mut ex = exchange(Expect::Reply, NONE);
        assert_eq!(bytes.feed_from(Sender::kernel_group(1), &mut ex), [Meaning::Event]);
        assert!(!ex.is_over() && !ex.has_reply());
    }

    #[test]
    fn an_echo_is_a_reply_although_it_names_a_group() {
        let echo = Bytes::new().add(24, NONE, 5, &[1; 4]);
        let others = Bytes::new().add(24, NONE, 0, &[1; 4]);
        let mut ex = exchange(Expect::Reply, ACK | MessageFlags::ECHO);
        assert_eq!(others.feed_from(Sender::kernel_group(7), &mut ex), [Meaning::Event]);
        assert!(matches!(echo.feed_from(Sender::kernel_group(7), &mut ex)[..], [Meaning::Reply(_)]));
        assert!(!ex.is_over());
    }

    const DUMP: MessageFlags = MessageFlags::DUMP;
    const MULTI: MessageFlags = MessageFlags::MULTI;

    /// What a sequence of messages means, in short.
    fn meanings(bytes: &Bytes, exchange: &mut Exchange) -> Vec<&'static str> {
        let names = bytes.feed(exchange).into_iter().map(|meaning| match meaning {
            Meaning::Stale => "stale",
            Meaning::Event => "event",
            Meaning::Reply(_) => "reply",
            Meaning::Done(_) => "done",
            Meaning::Failed(..) => "failed",
            Meaning::Overrun => "overrun",
        });
        names.collect()
    }

    #[test]
    fn a_dump_ends_at_its_done_whatever_its_flags() {
        // P1: ethtool's lists of RSS contexts and time stamping have no MULTI.
        let bytes =
            Bytes::new().add(24, NONE, 5, &[1; 4]).add(24, NONE, 5, &[2; 4]).add(3, MULTI, 5, &[0; 4]);
        let mut ex = exchange(Expect::Dump, DUMP);
        assert_eq!(meanings(&bytes, &mut ex), ["reply", "reply", "done"]);
        assert!(ex.is_over());
    }

    #[test]
    fn a_list_that_is_no_dump_ends_behind_its_done() {
        // P2: devlink and team answer a do with MULTI and a DONE of 16 bytes; the ACK comes behind it.
        let bytes = Bytes::new().add(24, MULTI, 5, &[1; 4]).add(24, MULTI, 5, &[2; 4]).add(3, MULTI, 5, &[]);
        let mut ex = exchange(Expect::Dump, NONE);
        assert_eq!(meanings(&bytes, &mut ex), ["reply", "reply", "done"]);
        let mut acked = exchange(Expect::Dump, ACK);
        assert_eq!(meanings(&bytes, &mut acked), ["reply", "reply", "stale"]);
        assert!(!acked.is_over());
        assert_eq!(meanings(&Bytes::new().error(NONE, 5, 0, &bare_header(20)), &mut acked), ["done"]);
        // A dump is not acknowledged, even if that was asked.
        let mut dump = exchange(Expect::Dump, DUMP | ACK);
        assert_eq!(meanings(&bytes, &mut dump), ["reply", "reply", "done"]);
    }

    #[test]
    fn a_list_without_an_end_ends_at_its_acknowledgement() {
        // P3: HSR's list of nodes has neither MULTI nor DONE.
        let bytes = Bytes::new().add(24, NONE, 5, &[1; 4]).add(24, NONE, 5, &[2; 4]);
        let mut ex = exchange(Expect::Dump, ACK);
        assert_eq!(meanings(&bytes, &mut ex), ["reply", "reply"]);
        assert!(!ex.is_over());
        assert_eq!(meanings(&Bytes::new().error(NONE, 5, 0, &bare_header(20)), &mut ex), ["done"]);
        assert!(ex.is_over());
    }

    #[test]
    fn data_without_port_and_sequence_is_that_of_the_list_that_says_so() {
        // P4: thermal zones and cooling devices; only the DONE is numbered.
        let mut data = Bytes::new();
        for (kind, sequence) in [(24, 0), (25, 0), (24, 9)] {
            let header = MessageHeader::default().kind(MessageType(kind)).sequence(sequence);
            message::write(&mut data.0, header, |out| out.push(&[1; 4]));
        }
        let data = data.add(3, MULTI, 5, &[0; 4]);
        for listens in [false, true] {
            let quirks = Quirks::NONE.unnumbered();
            let mut ex = exchange(Expect::Dump, DUMP).with(quirks, MessageType(24)).listening(listens);
            let other = if listens { "event" } else { "stale" };
            assert_eq!(meanings(&data, &mut ex), ["reply", "event", other, "done"]);
            // Behind the end it is an event again.
            assert_eq!(meanings(&data, &mut ex), ["event", "event", other, "stale"]);
        }
        assert_eq!(meanings(&data, &mut exchange(Expect::Dump, DUMP)), ["event", "event", "stale", "done"]);
    }

    #[test]
    fn an_answer_may_come_behind_the_acknowledgement() {
        // P6: auditing answers from a thread.
        let early = Bytes::new().error(NONE, 5, 0, &bare_header(20));
        let reply = Bytes::new().add(1000, NONE, 5, &[1; 4]);
        let late =
            |expect, flags| exchange(expect, flags).with(Quirks::NONE.answer_after_ack(), MessageType(1000));
        let mut ex = late(Expect::Reply, ACK);
        assert_eq!(meanings(&early, &mut ex), ["stale"]);
        assert!(!ex.is_over());
        assert_eq!(meanings(&reply, &mut ex), ["reply"]);
        assert!(ex.is_over());
        // In the usual order, too.
        let mut ex = late(Expect::Reply, ACK);
        assert_eq!(meanings(&reply, &mut ex), ["reply"]);
        assert_eq!(meanings(&early, &mut ex), ["done"]);
        let mut list = late(Expect::Dump, ACK);
        assert_eq!(meanings(&early, &mut list), ["stale"]);
        let rest = Bytes::new().add(1013, MULTI, 5, &[1; 4]).add(3, MULTI, 5, &[0; 4]);
        assert_eq!(meanings(&rest, &mut list), ["reply", "done"]);
        // A refusal ends it, and without the declaration so does the acknowledgement.
        let refused = Bytes::new().error(NONE, 5, 1, &bare_header(20));
        let mut ex = late(Expect::Reply, ACK);
        assert_eq!(meanings(&refused, &mut ex), ["failed"]);
        assert!(ex.is_over());
        let mut ex = exchange(Expect::Reply, ACK);
        assert_eq!(meanings(&early, &mut ex), ["done"]);
        assert!(ex.is_over() && !ex.has_reply());
    }

    #[test]
    fn what_is_positive_is_no_errno() {
        // P7: mac80211_hwsim answers with the id of a new radio, auditing with an old counter.
        let mut ex = exchange(Expect::Ack, ACK);
        assert_eq!(meanings(&Bytes::new().error(NONE, 5, -3, &bare_header(20)), &mut ex), ["done"]);
        assert_eq!((ex.is_over(), ex.acknowledgement()), (true, 3));
        let mut usual = exchange(Expect::Ack, ACK);
        assert_eq!(meanings(&Bytes::new().error(NONE, 5, 0, &bare_header(20)), &mut usual), ["done"]);
        assert_eq!(usual.acknowledgement(), 0);
    }

    #[test]
    fn of_two_answers_to_one_request_the_first_decides() {
        // P8: HSR refuses a wrong link, and acknowledges it then.
        let twice = Bytes::new().error(NONE, 5, 22, &bare_header(20)).error(NONE, 5, 0, &bare_header(20));
        let mut ex = exchange(Expect::Ack, ACK);
        assert_eq!(meanings(&twice, &mut ex), ["failed", "stale"]);
        let mut next = Exchange::new(Expect::Ack, ACK, 6, PORT);
        assert_eq!(meanings(&twice, &mut next), ["stale", "stale"]);
        let mut run = Run::new(Expect::Ack, 5, 2, PORT);
        let thrice = twice.error(NONE, 5, 17, &bare_header(20)).error(NONE, 6, 0, &bare_header(20));
        for message in Messages::new(thrice.0.as_slice()) {
            run.feed(Sender::KERNEL, &message.unwrap());
        }
        assert_eq!(run.into_answers(), [Answer::Failed(Errno::EINVAL, Vec::new()), Answer::Done]);
    }

    #[test]
    fn reports_of_progress_have_the_numbers_that_follow() {
        // P9: flashing a module over ethtool.
        let ack = Bytes::new().error(NONE, 5, 0, &bare_header(20));
        let reports =
            Bytes::new().add(24, NONE, 6, &[1; 4]).add(24, NONE, 7, &[2; 4]).add(24, NONE, 4, &[3; 4]);
        let mut ex = exchange(Expect::Dump, ACK).with(Quirks::NONE.progress(), MessageType(24));
        assert_eq!(meanings(&ack, &mut ex), ["stale"]);
        assert_eq!(meanings(&reports, &mut ex), ["reply", "reply", "stale"]);
        assert!(!ex.is_over());
        let beyond = Bytes::new().add(24, NONE, 5 + Quirks::PROGRESS, &[1; 4]);
        assert_eq!(meanings(&beyond, &mut ex), ["stale"]);
        let refused = Bytes::new().error(NONE, 5, 16, &bare_header(20));
        let mut ex = exchange(Expect::Dump, ACK).with(Quirks::NONE.progress(), MessageType(24));
        assert_eq!(meanings(&refused, &mut ex), ["failed"]);
        assert!(ex.is_over());
    }

    #[test]
    fn the_group_says_what_is_an_event_and_not_the_numbers() {
        // P12: l2tp notifies with the asker's port and sequence, ethtool with a counter of the whole machine.
        let bytes = Bytes::new().add(24, NONE, 5, &[1; 4]).add(24, NONE, 6, &[1; 4]);
        let mut ex = exchange(Expect::Reply, ACK);
        assert_eq!(bytes.feed_from(Sender::kernel_group(9), &mut ex), [Meaning::Event, Meaning::Event]);
        assert!(!ex.has_reply());
    }

    #[test]
    fn a_reply_is_known_by_its_number_and_not_by_its_type() {
        // P16: IPVS, HSR and GTP answer with another command than the one that was asked.
        let bytes = Bytes::new().add(99, NONE, 5, &[1; 4]);
        assert_eq!(meanings(&bytes, &mut exchange(Expect::Reply, NONE)), ["reply"]);
    }

    #[test]
    fn an_interrupted_dump_is_flagged_wherever_the_flag_stands() {
        let torn = MessageFlags::MULTI | MessageFlags::DUMP_INTR;
        for (first, last) in [(torn, MessageFlags::MULTI), (MessageFlags::MULTI, torn)] {
            let bytes = Bytes::new().add(24, first, 5, &[1; 4]).add(3, last, 5, &[0; 4]);
            let mut ex = exchange(Expect::Dump, NONE);
            assert!(matches!(bytes.feed(&mut ex)[..], [Meaning::Reply(_), Meaning::Done(_)]));
            assert!(ex.is_interrupted());
        }
    }

    #[test]
    fn overrun_ends_it_and_noop_is_nothing() {
        let bytes = Bytes::new().add(1, NONE, 5, &[]).add(4, NONE, 0, &[]);
        let mut ex = exchange(Expect::Ack, ACK);
        assert_eq!(bytes.feed(&mut ex), [Meaning::Stale, Meaning::Overrun]);
        assert!(ex.is_over());
    }

    #[test]
    fn a_run_is_known_from_its_errors_and_its_last_ack() {
        let bytes = Bytes::new()
            .error(NONE, 12, 17, &bare_header(20))
            .error(NONE, 11, 0, &bare_header(20)) // asked for by nobody: a second round after autoload
            .error(NONE, 13, 0, &bare_header(20));
        let mut run = Run::new(Expect::Ack, 10, 4, PORT);
        for message in Messages::new(bytes.0.as_slice()) {
            assert!(!run.is_over());
            run.feed(Sender::KERNEL, &message.unwrap());
        }
        assert!(run.is_over());
        let answers = run.into_answers();
        assert_eq!(answers[0], Answer::Pending);
        assert_eq!(answers[1], Answer::Done);
        assert_eq!(answers[2], Answer::Failed(Errno::EEXIST, Vec::new()));
        assert_eq!(answers[3], Answer::Done);
    }

    fn enveloped(bytes: &Bytes) -> (bool, Vec<Answer>) {
        let mut run = Run::enveloped(10, 5, PORT);
        for message in Messages::new(bytes.0.as_slice()) {
            run.feed(Sender::KERNEL, &message.unwrap());
        }
        (run.is_over(), run.into_answers())
    }

    #[test]
    fn an_envelope_ends_with_the_answer_to_its_last_content() {
        let done = Bytes::new().error(NONE, 13, 0, &bare_header(20));
        assert!(enveloped(&done).0);
        // Newer kernels acknowledge what opens and closes too, if asked; others acknowledge some twice.
        let noisy = Bytes::new()
            .error(NONE, 10, 0, &bare_header(20))
            .error(NONE, 11, 0, &bare_header(20))
            .error(NONE, 11, 0, &bare_header(20))
            .error(NONE, 12, 17, &bare_header(20));
        let (over, answers) = enveloped(&noisy);
        assert!(!over);
        assert_eq!(answers[2], Answer::Failed(Errno::EEXIST, Vec::new()));
        assert_eq!((&answers[1], &answers[3]), (&Answer::Done, &Answer::Pending));
        let closing = Bytes::new().error(NONE, 14, 0, &bare_header(20));
        assert!(!enveloped(&closing).0);
    }

    #[test]
    fn an_envelope_that_is_refused_ends_at_once() {
        let refused = Bytes::new().error(NONE, 10, 85, &bare_header(20));
        assert!(enveloped(&refused).0);
        let forgotten = Bytes::new().error(NONE, 11, 12, &bare_header(20));
        assert!(enveloped(&forgotten).0);
        let first = Bytes::new().error(NONE, 11, 17, &bare_header(20));
        assert!(!enveloped(&first).0);
    }

    #[test]
    fn a_reply_is_no_acknowledgement_in_a_run() {
        let bytes = Bytes::new().add(16, NONE, 6, &[1; 4]).error(NONE, 6, 17, &bare_header(20));
        for (expect, last) in
            [(Expect::Ack, Answer::Failed(Errno::EEXIST, Vec::new())), (Expect::Reply, Answer::Done)]
        {
            let mut run = Run::new(expect, 5, 2, PORT);
            let mut messages = Messages::new(bytes.0.as_slice());
            run.feed(Sender::KERNEL, &messages.next().unwrap().unwrap());
            assert_eq!(run.is_over(), expect == Expect::Reply);
            if expect == Expect::Ack {
                run.feed(Sender::KERNEL, &messages.next().unwrap().unwrap());
            }
            assert!(run.is_over());
            assert_eq!(run.into_answers(), [Answer::Pending, last]);
        }
    }

    #[test]
    fn a_run_wraps_and_ignores_strangers() {
        let mut run = Run::new(Expect::Ack, u32::MAX, 2, PORT);
        let bytes = Bytes::new().error(NONE, 7, 1, &bare_header(20)).error(NONE, 0, 1, &bare_header(20));
        let met: Vec<_> =
            Messages::new(bytes.0.as_slice()).map(|m| run.feed(Sender::KERNEL, &m.unwrap())).collect();
        assert_eq!(met[0], (None, Meaning::Stale));
        assert_eq!(met[1].0, Some(1));
        assert!(run.is_over());
    }
}
