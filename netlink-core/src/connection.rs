//! What the blocking and the tokio connection share: everything but waiting.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::attr::Writer;
use crate::error::{Asked, Errno, Error, ExtAck, Hint, Warning};
use crate::exchange::{Answer, Exchange, Expect, Meaning, Refusal, Run};
use crate::message::{
    HEADER_LEN, Message, MessageFlags, MessageHeader, MessageType, Messages, Protocol, Sender,
};
use crate::request::{MessageInfo, Numbered, Reply, ToRequest};
use crate::socket::{OpenOptions, Socket, Switch};
use crate::trace::{Direction, Traffic};

type Result<T> = std::result::Result<T, Error>;

/// Room for one datagram. The kernel fills at most 32 KiB of a dump, more only for a single object that needs
/// more; what is not filled is never touched, and costs addresses instead of memory.
const BUFFER: usize = 1 << 20;

/// Most bytes of a batch in one send: the gain of larger ones is lost in the noise.
const BATCH_BYTES: usize = 64 << 10;

/// What one waiting acknowledgement or error takes of the receive buffer, with a text in it.
const ANSWER_ROOM: usize = 1280;

/// What one waiting reply may take of the receive buffer.
const REPLY_ROOM: usize = 16 << 10;

/// Events that come while a request waits for its answer are kept up to this much.
const EVENT_ROOM: usize = 64 << 20;

/// What stands in for a request where none is waiting.
const NOTHING: MessageInfo = MessageInfo {
    number: 0,
    numbered: Numbered::ByType,
    c_name: "nothing",
    header: &crate::layout::Layout { c_name: "", size: 0, members: &[] },
    table: &crate::Table { name: "", rows: &[], rules: &[] },
    siblings: || &[],
    subject: None,
    hint: |_, _| Ok(()),
};

/// A view of traffic, called with every datagram.
pub type Tracer = Box<dyn FnMut(&Traffic<'_>) + Send>;

/// A socket, its buffers and the state between exchanges.
pub(crate) struct Channel<S> {
    pub(crate) socket: S,
    inbox: Inbox,
    pub(crate) send: Writer,
    /// Of the request in the send buffer.
    hint: Hint,
    sequence: u32,
    subscribed: bool,
    /// Which of what comes to no group is an event, too.
    unasked: Unasked,
    /// What was posted last: refusals come as events.
    posted: (&'static MessageInfo, Hint),
    /// The receive buffer overflowed. From then on the kernel drops whatever it would send here, without
    /// another word, until the queue has been read empty.
    congested: bool,
    /// Events were lost behind those that still wait in the queue.
    lost: bool,
    events: VecDeque<Kept>,
    kept: usize,
    current: Box<[u8]>,
    pending: Option<Pending>,
    pub(crate) warnings: Vec<Warning>,
    tracer: Option<Tracer>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: usize,
    answer_limit: usize,
    reply_limit: usize,
}

/// The last datagram.
struct Inbox {
    buffer: Vec<u8>,
    /// The part of the buffer with messages not looked at yet.
    unread: Range<usize>,
    sender: Sender,
    /// A dump whose end was not seen yet. The kernel refuses a second one meanwhile.
    dumping: Option<u32>,
}

impl Inbox {
    /// The next message, and where it is.
    #[inline(always)]
    fn next(&mut self) -> Option<Result<(Message<'_>, Found)>> {
        let start = self.unread.start;
        let bytes = self.buffer.get(self.unread.clone())?;
        let mut messages = Messages::new(bytes);
        let next = messages.next()?;
        self.unread.start = self.unread.end - messages.rest().len();
        Some(match next {
            Ok(message) => {
                let header = message.header;
                if matches!(header.kind, MessageType::DONE | MessageType::ERROR) {
                    ended(&mut self.dumping, self.sender, header.sequence);
                }
                let end = start + HEADER_LEN + message.body.len();
                Ok((message, Found { header, bytes: start..end }))
            }
            Err(why) => Err(Error::decode(why.into(), "datagram", bytes)),
        })
    }
}

/// A message ended an exchange: perhaps the dump.
#[cold]
fn ended(dumping: &mut Option<u32>, sender: Sender, sequence: u32) {
    if *dumping == Some(sequence) && sender == Sender::KERNEL {
        *dumping = None;
    }
}

/// A message that was found in the buffer: its header, and the bytes of all of it.
pub(crate) struct Found {
    header: MessageHeader,
    bytes: Range<usize>,
}

/// An event found, and not given out yet.
enum Pending {
    Overrun,
    /// In `current`.
    Kept(Sender),
    /// In the buffer.
    Received(Found),
    Broken(Error),
}

/// An event that came while something else was asked; without bytes, the place where some were lost.
struct Kept {
    sender: Sender,
    message: Option<Box<[u8]>>,
}

/// What a step brought.
pub(crate) enum Step {
    /// Nothing more in the buffer: receive.
    Hungry,
    /// A reply.
    Reply(Found),
    /// The end of the exchange.
    Done,
}

/// One notification of a stream of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)]
pub enum Notice<V> {
    /// An event.
    Event {
        /// What happened.
        event: V,
        /// The multicast group it was sent to.
        group: u32,
        /// The namespace it comes from, if the socket listens to several and it is not the socket's own.
        nsid: Option<i32>,
    },
    /// Events were lost here: the receive buffer was full. List anew what you keep, and go on.
    Overrun,
}

/// Makes a socket ready for a connection: explained errors, bare acknowledgements, strict checking, each where
/// the kernel has it.
pub(crate) fn prepare(socket: &Socket) {
    for switch in [Switch::EXT_ACK, Switch::CAP_ACK, Switch::STRICT_CHECK] {
        // An older kernel answers ENOPROTOOPT, and works without.
        let _ = socket.set(switch, true);
    }
    // More waiting answers mean longer batches. Not being allowed to is no failure.
    let _ = socket.set_receive_buffer(BUFFER);
}

pub(crate) fn open(protocol: Protocol, options: &OpenOptions<'_>) -> Result<Socket> {
    let socket = options.open(protocol)?;
    prepare(&socket);
    Ok(socket)
}

impl<S: AsRef<Socket>> Channel<S> {
    pub(crate) fn new(socket: S) -> Result<Self> {
        let room = socket.as_ref().receive_buffer()?;
        let traced = std::env::var_os("NETLINK_TRACE").is_some_and(|value| !value.is_empty() && value != "0");
        Ok(Self {
            socket,
            inbox: Inbox { buffer: vec![0; BUFFER], unread: 0..0, sender: Sender::KERNEL, dumping: None },
            send: Writer::new(),
            hint: |_, _| Ok(()),
            sequence: 0,
            subscribed: false,
            unasked: Unasked::Nothing,
            posted: (&NOTHING, |_, _| Ok(())),
            congested: false,
            lost: false,
            events: VecDeque::new(),
            kept: 0,
            current: Box::default(),
            pending: None,
            warnings: Vec::new(),
            tracer: traced.then(|| Box::new(|traffic: &Traffic<'_>| eprint!("{traffic}")) as Tracer),
            timeout: None,
            retries: 10,
            answer_limit: (room / ANSWER_ROOM).max(1),
            reply_limit: (room / REPLY_ROOM).max(1),
        })
    }

    pub(crate) fn set_tracer(&mut self, tracer: Option<Tracer>) {
        self.tracer = tracer;
    }

    fn port(&self) -> u32 {
        self.socket.as_ref().port()
    }

    fn next_sequence(&mut self) -> u32 {
        // Zero is what notifications have.
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        self.sequence
    }

    #[inline]
    fn trace(&mut self, direction: Direction, bytes: Range<usize>, info: Option<&'static MessageInfo>) {
        if let Some(tracer) = &mut self.tracer {
            let from = if direction == Direction::Sent { self.send.as_slice() } else { &self.inbox.buffer };
            let datagram = from.get(bytes).unwrap_or_default();
            let asked = Messages::new(self.send.as_slice()).flatten().next();
            tracer(&Traffic { direction, datagram, info, kind: asked.map(|message| message.header.kind) });
        }
    }

    /// Reads a congested queue empty, so that the next answer finds room. Only events are kept.
    #[cold]
    fn decongest(&mut self) {
        loop {
            while self.discard().is_err() {}
            match self.receive(false, None) {
                // Empty; whatever else is wrong with the socket, the send that follows will say.
                Err(Error::System { .. }) => break,
                Err(error) => {
                    self.survives(&error);
                }
                Ok(()) => {}
            }
        }
        self.congested = false;
    }

    /// Looks at what is left in the buffer while nothing is asked: events are kept, the end of a dump is noted.
    pub(crate) fn discard(&mut self) -> Result<()> {
        while !matches!(self.step(&mut Exchange::none(), &NOTHING)?, Step::Hungry) {}
        Ok(())
    }

    /// Puts a request into the send buffer.
    #[inline]
    pub(crate) fn prepare(&mut self, request: &impl ToRequest, expect: Expect) -> Result<Exchange> {
        self.hint = request.hint();
        let request = request.to_request();
        // What is listened to may fill the buffer up and leave no room for the answer.
        if self.congested || self.unasked == Unasked::Everything {
            self.decongest();
        }
        self.warnings.clear();
        self.send.truncate(0);
        let mut flags = request.flags();
        if expect == Expect::Ack {
            flags |= MessageFlags::ACK;
        }
        let sequence = self.next_sequence();
        request.append_to(&mut self.send, sequence, flags)?;
        self.trace(Direction::Sent, 0..self.send.len(), Some(request.info()));
        Ok(Exchange::new(expect, flags, sequence, self.port()))
    }

    /// Puts a request into the send buffer whose answer nobody waits for.
    #[inline]
    pub(crate) fn prepare_post(&mut self, request: &impl ToRequest) -> Result<()> {
        let hint = request.hint();
        let request = request.to_request();
        self.send.truncate(0);
        request.append_to(&mut self.send, 0, request.flags() - MessageFlags::ACK)?;
        self.posted = (request.info(), hint);
        self.trace(Direction::Sent, 0..self.send.len(), Some(request.info()));
        Ok(())
    }

    /// Marks a dump as under way; from now on its end must be seen before the next one.
    pub(crate) fn dump_started(&mut self, exchange: &Exchange) {
        self.inbox.dumping = Some(exchange.sequence());
    }

    /// Gives up waiting for the end of a dump; if it still runs, the kernel answers the next one with `EBUSY`.
    pub(crate) fn forget_dump(&mut self) {
        self.inbox.dumping = None;
    }

    /// Whether a dump that was given up still has to be read to its end.
    pub(crate) fn has_unfinished_dump(&self) -> bool {
        self.inbox.dumping.is_some()
    }

    /// The request in the send buffer once more, with a new sequence.
    pub(crate) fn again(&mut self, exchange: &Exchange) -> Exchange {
        if self.congested {
            self.decongest();
        }
        let sequence = self.next_sequence();
        self.send.patch(8, sequence.to_ne_bytes());
        exchange.restarted(sequence)
    }

    /// Receives one datagram into the buffer. `EAGAIN` is for the caller; what overflowed is `Overrun`.
    #[inline]
    pub(crate) fn receive(&mut self, wait: bool, info: Option<&'static MessageInfo>) -> Result<()> {
        let inbox = &mut self.inbox;
        inbox.unread = 0..0;
        let socket = self.socket.as_ref();
        let wait = wait && !self.lost;
        let got =
            if wait { socket.receive(&mut inbox.buffer) } else { socket.try_receive(&mut inbox.buffer) };
        let received = match got {
            Ok(received) => received,
            Err(Error::System { errno: Errno::EAGAIN, .. }) if self.lost => {
                self.lost = false;
                self.keep_event(None);
                return Ok(());
            }
            Err(Error::System { errno: Errno::ENOBUFS, .. }) => {
                self.congested = true;
                return Err(Error::Overrun);
            }
            Err(error) => return Err(error),
        };
        let room = inbox.buffer.len();
        if received.length > room {
            inbox.buffer.resize(received.length.next_power_of_two(), 0);
            return Err(Error::Truncated { length: received.length, room });
        }
        inbox.sender = received.sender;
        inbox.unread = 0..received.length;
        self.trace(Direction::Received, 0..received.length, info);
        Ok(())
    }

    /// After a failed receive: whether the exchange can go on. Events that were lost are noted and the answer
    /// is awaited further; without a subscription, what was lost is the answer.
    ///
    /// The kernel tells of the loss before it gives out what it had queued until then, and drops everything until that
    /// was taken. So the place of the loss is where the queue is empty: who lists anew there misses nothing, and
    /// no event that comes later is older than the list.
    pub(crate) fn survives(&mut self, error: &Error) -> bool {
        let lost_events = self.subscribed && matches!(error, Error::Overrun);
        self.lost |= lost_events;
        lost_events
    }

    /// Looks at the messages in the buffer up to the next one that concerns the exchange.
    #[inline]
    pub(crate) fn step(&mut self, exchange: &mut Exchange, info: &'static MessageInfo) -> Result<Step> {
        loop {
            let sender = self.inbox.sender;
            let Some(next) = self.inbox.next() else {
                return Ok(Step::Hungry);
            };
            let (message, found) = next?;
            let meaning = match self.unasked {
                Unasked::Everything if names_no_port(sender, &message.header) => Meaning::Event,
                _ => exchange.feed(sender, &message),
            };
            match meaning {
                Meaning::Reply(_) => return Ok(Step::Reply(found)),
                Meaning::Stale => {}
                Meaning::Event if is_event(sender, &message.header, self.unasked) => {
                    self.keep_event(Some(found.bytes));
                }
                Meaning::Event => {}
                Meaning::Done(attrs) => {
                    let attrs: Option<Box<[u8]>> = (!attrs.is_empty()).then(|| attrs.into());
                    if let Some(attrs) = attrs {
                        let asked = Asked::new(info, self.send.as_slice());
                        self.warnings.push(Warning(ExtAck::new(asked, &attrs)));
                    }
                    return Ok(Step::Done);
                }
                Meaning::Failed(errno, attrs) => {
                    return Err(Error::kernel(errno, attrs, (info, self.hint), self.send.as_slice()));
                }
                Meaning::Overrun => {
                    return Err(Error::Overrun);
                }
            }
        }
    }

    /// A message in the buffer.
    #[inline]
    pub(crate) fn message(&self, found: Found) -> Message<'_> {
        let bytes = self.inbox.buffer.get(found.bytes).and_then(|bytes| bytes.get(HEADER_LEN..));
        Message { header: found.header, body: bytes.unwrap_or_default() }
    }

    /// The view of a reply.
    #[inline]
    pub(crate) fn view<R: Reply>(&self, found: Found, info: &'static MessageInfo) -> Result<R::View<'_>> {
        let message = self.message(found);
        match R::view(&message) {
            Ok(view) => Ok(view),
            Err(error) => Err(Error::undecoded(error, &message, info)),
        }
    }

    pub(crate) fn subscribe(&mut self, groups: &[u32]) -> Result<()> {
        self.socket.as_ref().tell_groups()?;
        self.subscribed = true;
        if self.unasked == Unasked::Nothing {
            self.unasked = Unasked::WithoutPort;
        }
        groups.iter().try_for_each(|group| self.socket.as_ref().join(*group))
    }

    /// Takes in what the kernel sends to this socket without being asked.
    pub(crate) fn listen(&mut self) {
        // A refusal is told by the request it echoes. A kernel that doesn't have the switch always echoes all.
        let _ = self.socket.as_ref().set(Switch::CAP_ACK, false);
        self.subscribed = true;
        self.unasked = Unasked::Everything;
    }

    #[cold]
    fn keep_event(&mut self, range: Option<Range<usize>>) {
        let message: Option<Box<[u8]>> = range.and_then(|range| self.inbox.buffer.get(range)).map(Into::into);
        let length = message.as_ref().map_or(0, |message| message.len());
        let full = self.kept + length > EVENT_ROOM;
        let message = message.filter(|_| !full);
        let lost_before = self.events.back().is_some_and(|last| last.message.is_none());
        if message.is_some() || !lost_before {
            self.kept += message.as_ref().map_or(0, |message| message.len());
            self.events.push_back(Kept { sender: self.inbox.sender, message });
        }
    }

    /// Whether there is an event to take: kept from an exchange, or in the buffer. `false`: receive.
    #[inline]
    pub(crate) fn has_event(&mut self) -> bool {
        if self.pending.is_none() {
            self.pending = self.kept_event().or_else(|| self.received_event());
            // What comes next answers nothing that was asked.
            self.send.truncate(0);
        }
        self.pending.is_some()
    }

    fn kept_event(&mut self) -> Option<Pending> {
        let kept = self.events.pop_front()?;
        let Some(message) = kept.message else {
            return Some(Pending::Overrun);
        };
        self.kept -= message.len();
        self.current = message;
        Some(Pending::Kept(kept.sender))
    }

    #[inline]
    fn received_event(&mut self) -> Option<Pending> {
        let sender = self.inbox.sender;
        loop {
            let (message, found) = match self.inbox.next()? {
                Ok(next) => next,
                Err(error) => return Some(Pending::Broken(error)),
            };
            if message.header.kind == MessageType::OVERRUN && sender.port == 0 {
                return Some(Pending::Overrun);
            }
            if is_event(sender, &message.header, self.unasked) {
                return Some(Pending::Received(found));
            }
        }
    }

    /// Takes the event there is.
    #[inline]
    pub(crate) fn take_event<E: Reply>(&mut self) -> Result<Notice<E::View<'_>>> {
        let (sender, message) = match self.pending.take() {
            Some(Pending::Received(found)) => (self.inbox.sender, self.message(found)),
            Some(Pending::Kept(sender)) => (sender, message_of(&self.current)?),
            Some(Pending::Broken(error)) => return Err(error),
            Some(Pending::Overrun) | None => return Ok(Notice::Overrun),
        };
        if message.header.kind == MessageType::ERROR {
            return Err(refused(self.posted, &message));
        }
        match E::view(&message) {
            Ok(event) => Ok(Notice::Event { event, group: sender.group, nsid: sender.nsid }),
            Err(error) => {
                let name = E::INFO.and_then(|info| info.of(&message)).map_or("event", |info| info.c_name);
                Err(Error::decode(error, name, message.body))
            }
        }
    }

    /// Fills the send buffer with the next requests of a batch, as many as the receive buffer has room for
    /// the answers of.
    pub(crate) fn prepare_run<Q, R>(
        &mut self,
        requests: &mut std::iter::Peekable<impl Iterator<Item = Q>>,
        results: &mut Vec<Option<Result<R>>>,
    ) -> Option<Chunk>
    where
        Q: ToRequest<Answer = R>,
        R: Reply,
    {
        if self.congested {
            self.decongest();
        }
        self.send.truncate(0);
        let limit = if R::EXPECT == Expect::Ack { self.answer_limit } else { self.reply_limit };
        let mut chunk = Chunk { run: Run::new(1, 0, 0), sent: Vec::new() };
        let mut last = (0, MessageFlags::empty());
        let first = self.sequence.checked_add(1).unwrap_or(1);
        let limit = limit.min((u32::MAX - first) as usize).max(1);
        while chunk.sent.len() < limit && self.send.len() < BATCH_BYTES {
            let Some(next) = requests.peek() else { break };
            let hint = next.hint();
            let request = next.to_request();
            // A request larger than the rest of the datagram opens the next one.
            if !chunk.sent.is_empty() && self.send.len() + request.len() > 2 * BATCH_BYTES {
                break;
            }
            let start = self.send.len();
            let flags = request.flags();
            let quiet = if R::EXPECT == Expect::Ack { flags - MessageFlags::ACK } else { flags };
            let sequence = self.next_sequence();
            match request.append_to(&mut self.send, sequence, quiet) {
                Ok(()) => {
                    last = (start, flags);
                    let end = self.send.len();
                    chunk.sent.push(Sent {
                        index: results.len(),
                        info: request.info(),
                        hint,
                        bytes: start..end,
                    });
                    results.push(None);
                }
                Err(error) => {
                    self.sequence -= 1;
                    results.push(Some(Err(error)));
                }
            }
            requests.next();
        }
        if chunk.sent.is_empty() {
            return None;
        }
        if R::EXPECT == Expect::Ack {
            let flags = last.1 | MessageFlags::ACK;
            self.send.patch(last.0 + 6, flags.bits().to_ne_bytes());
        }
        chunk.run = Run::new(first, chunk.sent.len(), self.port());
        self.trace(Direction::Sent, 0..self.send.len(), chunk.sent.first().map(|sent| sent.info));
        Some(chunk)
    }

    /// Fills the send buffer with an envelope and its content, which travel in one datagram. Without a chunk one of
    /// them can't be sent.
    pub(crate) fn prepare_envelope<Q>(
        &mut self,
        requests: &[Q],
        results: &mut Vec<Option<Result<()>>>,
    ) -> Result<Option<Chunk>>
    where
        Q: ToRequest<Answer = ()>,
    {
        if self.congested {
            self.decongest();
        }
        self.warnings.clear();
        self.send.truncate(0);
        results.resize_with(requests.len(), || None);
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        if self.sequence.checked_add(count).is_none() {
            self.sequence = 0;
        }
        let mut chunk =
            Chunk { run: Run::enveloped(self.sequence + 1, requests.len(), self.port()), sent: Vec::new() };
        for (index, (request, result)) in requests.iter().zip(results).enumerate() {
            let hint = request.hint();
            let request = request.to_request();
            let (start, sequence) = (self.send.len(), self.next_sequence());
            let last = index + 2 == requests.len();
            let mut flags = request.flags();
            flags.set(MessageFlags::ACK, last);
            if let Err(error) = request.append_to(&mut self.send, sequence, flags) {
                *result = Some(Err(error));
                return Ok(None);
            }
            let end = self.send.len();
            chunk.sent.push(Sent { index, info: request.info(), hint, bytes: start..end });
        }
        // The kernel takes a datagram that its send buffer has room for; it doubles what is set.
        const OVERHEAD: usize = 32;
        let socket = self.socket.as_ref();
        if self.send.len() + OVERHEAD > socket.send_buffer()? {
            socket.set_send_buffer(self.send.len() + OVERHEAD)?;
        }
        self.trace(Direction::Sent, 0..self.send.len(), chunk.info());
        Ok(Some(chunk))
    }

    /// Looks at the messages in the buffer; `false`: receive.
    pub(crate) fn step_run<R: Reply>(
        &mut self,
        chunk: &mut Chunk,
        results: &mut [Option<Result<R>>],
    ) -> Result<bool> {
        loop {
            let sender = self.inbox.sender;
            let Some(next) = self.inbox.next() else {
                return Ok(chunk.run.is_over());
            };
            let (message, found) = next?;
            let (index, meaning) = match self.unasked {
                Unasked::Everything if names_no_port(sender, &message.header) => (None, Meaning::Event),
                _ => chunk.run.feed(sender, &message),
            };
            let result = match (meaning, index.and_then(|index| chunk.sent.get(index))) {
                (Meaning::Reply(message), Some(sent)) => {
                    let view = R::view(&message);
                    Some((
                        sent,
                        view.map(R::own).map_err(|error| Error::undecoded(error, &message, sent.info)),
                    ))
                }
                (Meaning::Failed(errno, attrs), Some(sent)) => {
                    let asked = self.send.as_slice().get(sent.bytes.clone()).unwrap_or_default();
                    Some((sent, Err(Error::kernel(errno, attrs, (sent.info, sent.hint), asked))))
                }
                (Meaning::Done(attrs), Some(sent)) if !attrs.is_empty() => {
                    let asked = self.send.as_slice().get(sent.bytes.clone()).unwrap_or_default();
                    self.warnings.push(Warning(ExtAck::new(Asked::new(sent.info, asked), attrs)));
                    None
                }
                (Meaning::Event, _) if is_event(sender, &message.header, self.unasked) => {
                    self.keep_event(Some(found.bytes));
                    None
                }
                (Meaning::Overrun, _) => return Err(Error::Overrun),
                _ => None,
            };
            let slot = result.and_then(|(sent, result)| Some((results.get_mut(sent.index)?, result)));
            if let Some((slot, result)) = slot {
                slot.get_or_insert(result);
            }
            if chunk.run.is_over() {
                return Ok(true);
            }
        }
    }
}

/// Requests of a batch in one datagram.
pub(crate) struct Chunk {
    run: Run,
    sent: Vec<Sent>,
}

struct Sent {
    index: usize,
    info: &'static MessageInfo,
    hint: Hint,
    bytes: Range<usize>,
}

impl Chunk {
    pub(crate) fn info(&self) -> Option<&'static MessageInfo> {
        self.sent.first().map(|sent| sent.info)
    }

    /// The run is over: what no error came for was done.
    pub(crate) fn finish<R: Reply>(self, results: &mut [Option<Result<R>>]) {
        for (sent, answer) in self.sent.iter().zip(self.run.into_answers()) {
            let Some(slot @ None) = results.get_mut(sent.index) else { continue };
            let acknowledged = match answer {
                Answer::Pending | Answer::Done => R::acknowledged(),
                Answer::Failed(..) => None,
            };
            *slot = Some(acknowledged.ok_or(Error::NoReply(sent.info.c_name)));
        }
    }

    /// The connection failed: the first request without an answer gets the error, the others are unknown.
    pub(crate) fn fail<R>(self, error: Error, results: &mut [Option<Result<R>>]) {
        let mut error = Some(error);
        for sent in &self.sent {
            if let Some(slot @ None) = results.get_mut(sent.index) {
                *slot = Some(Err(error.take().unwrap_or(Error::Unanswered)));
            }
        }
    }
}

/// What the requests of an envelope were refused with. A lost connection counts only where no refusal tells that all
/// was undone.
pub(crate) fn refusals(results: Vec<Option<Result<()>>>, run: Result<()>) -> Result<Vec<Option<Error>>> {
    let refusals: Vec<_> = results.into_iter().map(|result| result.and_then(Result::err)).collect();
    match run {
        Err(error) if refusals.iter().all(Option::is_none) => Err(error),
        _ => Ok(refusals),
    }
}

#[inline]
fn message_of(bytes: &[u8]) -> Result<Message<'_>> {
    match Messages::new(bytes).next() {
        Some(Ok(message)) => Ok(message),
        Some(Err(why)) => Err(Error::decode(why.into(), "message", bytes)),
        None => Err(Error::decode(crate::Malformed::Value("no message").into(), "message", bytes)),
    }
}

/// What is an event although it was sent to no group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unasked {
    Nothing,
    /// What has neither port nor sequence: events of groups that don't name their group, as those of nfacct.
    WithoutPort,
    /// Whatever has no port or no sequence, refusals of what was posted as well.
    Everything,
}

/// Whether a message that answers nobody is for whoever takes events.
#[inline]
fn is_event(sender: Sender, header: &MessageHeader, unasked: Unasked) -> bool {
    // What a process sends is no event of the kernel; what is unicast is a late answer, but for sequence 0.
    let unasked = match unasked {
        Unasked::Nothing => false,
        Unasked::WithoutPort => header.sequence == 0 && names_no_port(sender, header),
        Unasked::Everything => {
            names_no_port(sender, header)
                || header.sequence == 0 && (header.kind.0 >= 16 || header.kind == MessageType::ERROR)
        }
    };
    sender.port == 0 && if sender.group == 0 { unasked } else { header.kind.0 >= 16 }
}

/// Whether the kernel sent it to this socket alone and says not whom it answers. The sequence proves nothing: taskstats
/// counts there what it tells of each CPU.
#[inline]
fn names_no_port(sender: Sender, header: &MessageHeader) -> bool {
    sender.port == 0 && sender.group == 0 && header.port == 0 && header.kind.0 >= 16
}

/// The refusal of what was posted.
#[cold]
fn refused((posted, hint): (&'static MessageInfo, Hint), message: &Message<'_>) -> Error {
    let Refusal { errno, request, attrs } = Refusal::of(message);
    let asked = Messages::new(request).next().and_then(|asked| asked.ok());
    let info = asked.and_then(|asked| posted.of(&asked)).unwrap_or(posted);
    Error::kernel(errno, attrs, (info, hint), request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Request, attrs, layout, message};

    layout! {
        /// A header.
        struct Header: sample = 4 {
            /// A number.
            number: u32,
        }
    }
    attrs! {
        /// No attributes.
        struct SampleAttrs<'a> for SampleRequest<R> {
            /// A number.
            1 S_NUMBER number: u32,
        }
    }
    message! {
        /// A packet and its verdict.
        struct Sample<'a>(Header, SampleAttrs<'a>), SampleRequest {
            /// A packet.
            768 S_PACKET PACKET,
            /// A verdict.
            769 S_VERDICT VERDICT,
        }
    }

    fn channel() -> Channel<Socket> {
        Channel::new(Socket::open(Protocol::ROUTE).unwrap()).unwrap()
    }

    fn sample(info: &'static MessageInfo, number: u32) -> Request<()> {
        SampleRequest::new(info, MessageFlags::ACK, Header::default().number(number)).into_request()
    }

    fn error(channel: &Channel<Socket>, sequence: u32, errno: i32, request: &[u8]) -> Vec<u8> {
        let header = MessageHeader::default().kind(MessageType::ERROR).sequence(sequence);
        let mut out = crate::Writer::new();
        crate::message::write(&mut out, header.port(channel.port()), |out| {
            out.push(&errno.wrapping_neg().to_ne_bytes());
            out.push(request);
        });
        out.into_bytes()
    }

    /// As if this had been received from the kernel.
    fn deliver(channel: &mut Channel<Socket>, datagrams: &[&[u8]]) {
        let bytes = datagrams.concat();
        channel.inbox.sender = Sender::KERNEL;
        channel.inbox.unread = 0..bytes.len();
        channel.inbox.buffer[..bytes.len()].copy_from_slice(&bytes);
    }

    fn number(channel: &mut Channel<Socket>) -> Option<u32> {
        assert!(channel.has_event());
        match channel.take_event::<Sample<'static>>().unwrap() {
            Notice::Event { event, group: 0, .. } => Some(event.header().number),
            _ => None,
        }
    }

    #[test]
    fn what_comes_unasked_is_kept_while_an_answer_is_awaited() {
        let mut channel = channel();
        channel.listen();
        let config = sample(&Sample::PACKET, 0);
        let mut exchange = channel.prepare(&config, Expect::Ack).unwrap();
        let sent = channel.send.as_slice().to_vec();
        let packets: Vec<Vec<u8>> =
            (1..=3).map(|number| sample(&Sample::PACKET, number).to_bytes().unwrap()).collect();
        let ack = error(&channel, exchange.sequence(), 0, &sent);
        deliver(&mut channel, &[&packets[0], &packets[1], &ack, &packets[2]]);
        assert!(matches!(channel.step(&mut exchange, config.info()), Ok(Step::Done)));
        assert!(exchange.is_over());
        assert_eq!([number(&mut channel), number(&mut channel), number(&mut channel)], [1, 2, 3].map(Some));
        assert!(!channel.has_event());
    }

    #[test]
    fn a_refusal_of_what_was_posted_ends_no_exchange_and_holds_its_request() {
        let mut channel = channel();
        channel.listen();
        channel.prepare_post(&sample(&Sample::VERDICT, 7)).unwrap();
        let posted = channel.send.as_slice().to_vec();
        assert_eq!(posted[6..8], MessageFlags::REQUEST.bits().to_ne_bytes());
        let config = sample(&Sample::PACKET, 0);
        let mut exchange = channel.prepare(&config, Expect::Ack).unwrap();
        let refusal = error(&channel, 0, 2, &posted);
        deliver(&mut channel, &[&refusal]);
        assert!(matches!(channel.step(&mut exchange, config.info()), Ok(Step::Hungry)));
        assert!(!exchange.is_over() && channel.has_event());
        let Err(Error::Kernel(error)) = channel.take_event::<Sample<'static>>() else { panic!() };
        assert_eq!((error.errno(), error.ext_ack().request_name()), (Errno::ENOENT, "S_VERDICT"));
        assert_eq!(error.ext_ack().request(), posted);
    }

    #[test]
    fn what_names_no_port_is_unasked_whatever_its_sequence() {
        let numbered = |number, sequence| {
            let mut out = crate::Writer::new();
            let header = MessageHeader::default().kind(MessageType(Sample::PACKET.number)).sequence(sequence);
            crate::message::write(&mut out, header, |out| out.push(&u32::to_ne_bytes(number)));
            out.into_bytes()
        };
        let mut channel = channel();
        channel.listen();
        let config = sample(&Sample::PACKET, 0);
        let mut exchange = channel.prepare(&config, Expect::Reply).unwrap();
        let sequence = exchange.sequence();
        deliver(&mut channel, &[&numbered(1, 9), &numbered(2, sequence)]);
        assert!(matches!(channel.step(&mut exchange, config.info()), Ok(Step::Hungry)));
        assert!(!exchange.is_over() && !exchange.has_reply());
        deliver(&mut channel, &[&numbered(3, sequence)]);
        assert_eq!([number(&mut channel), number(&mut channel), number(&mut channel)], [1, 2, 3].map(Some));

        let mut results: Vec<Option<Result<()>>> = Vec::new();
        let requests = [config.clone().expecting::<()>(), config.expecting()];
        let mut chunk = channel.prepare_run(&mut requests.iter().peekable(), &mut results).unwrap();
        deliver(&mut channel, &[&numbered(4, sequence + 1), &numbered(5, sequence + 2)]);
        assert!(!channel.step_run(&mut chunk, &mut results).unwrap());
        assert_eq!([number(&mut channel), number(&mut channel)], [4, 5].map(Some));
    }

    #[test]
    fn without_listening_what_comes_unasked_is_skipped() {
        let mut channel = channel();
        let packet = sample(&Sample::PACKET, 1).to_bytes().unwrap();
        deliver(&mut channel, &[&packet]);
        assert!(!channel.has_event());
        deliver(&mut channel, &[&packet]);
        channel.discard().unwrap();
        assert!(channel.events.is_empty());
    }

    #[test]
    fn a_late_answer_and_the_end_of_a_run_are_no_events() {
        let mut channel = channel();
        channel.listen();
        let late = error(&channel, 1, 2, &[0; 16]);
        let mut done = sample(&Sample::PACKET, 0).to_bytes().unwrap();
        done[4..6].copy_from_slice(&MessageType::DONE.0.to_ne_bytes());
        let packet = sample(&Sample::PACKET, 4).to_bytes().unwrap();
        deliver(&mut channel, &[&late, &done, &packet]);
        assert_eq!(number(&mut channel), Some(4));
        assert!(!channel.has_event());
    }
}
