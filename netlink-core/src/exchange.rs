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

/// Where a message, or what answers it, departs from the usual. A family declares it for the message.
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
    /// It is only sent. What comes under its number is another message.
    pub sent: bool,
    /// Only the kernel sends it, and a connection refuses to. What is sent under its number is another message.
    pub received: bool,
}

impl Quirks {
    /// None: all is as usual.
    pub const NONE: Self =
        Self { answer_after_ack: false, unnumbered: false, progress: false, sent: false, received: false };

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
            MessageType::DONE => match i32::read(&mut { message.body }) {
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
        let length = match u32::read(&mut { echo }) {
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
mod tests;
