//! What the blocking and the tokio connection share: everything but waiting.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::error::{Asked, Errno, Error, ExtAck, Warning};
use crate::exchange::{Answer, Exchange, Expect, Meaning, Run};
use crate::message::{HEADER_LEN, Message, MessageFlags, MessageType, Messages, Protocol, Sender};
use crate::request::{MessageInfo, Reply, Request};
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
    c_name: "nothing",
    header: &crate::layout::Layout { c_name: "", size: 0, members: &[] },
    table: &crate::Table { name: "", rows: &[] },
    siblings: || &[],
};

/// A view of traffic, called with every datagram.
pub type Tracer = Box<dyn FnMut(&Traffic<'_>) + Send>;

/// A socket, its buffers and the state between exchanges.
pub(crate) struct Channel<S> {
    pub(crate) socket: S,
    inbox: Inbox,
    pub(crate) send: Vec<u8>,
    sequence: u32,
    subscribed: bool,
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
    /// The next message, and the part of the buffer it takes.
    #[inline]
    fn next(&mut self) -> Option<Result<(Message<'_>, Range<usize>)>> {
        let start = self.unread.start;
        let bytes = self.buffer.get(self.unread.clone())?;
        let mut messages = Messages::new(bytes);
        let next = messages.next()?;
        self.unread.start = self.unread.end - messages.rest().len();
        Some(match next {
            Ok(message) => {
                let header = message.header;
                if self.dumping == Some(header.sequence)
                    && matches!(header.kind, MessageType::DONE | MessageType::ERROR)
                    && self.sender == Sender::KERNEL
                {
                    self.dumping = None;
                }
                let end = start + HEADER_LEN + message.body.len();
                Ok((message, start..end))
            }
            Err(why) => Err(Error::decode(why.into(), "datagram", bytes)),
        })
    }
}

/// An event found, and not given out yet.
enum Pending {
    Overrun,
    /// In `current`.
    Kept(Sender),
    /// In this part of the buffer.
    Received(Range<usize>),
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
    /// A reply, in this part of the buffer.
    Reply(Range<usize>),
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
pub(crate) fn prepare(socket: &mut Socket) {
    for switch in [Switch::EXT_ACK, Switch::CAP_ACK, Switch::STRICT_CHECK] {
        // An older kernel answers ENOPROTOOPT, and works without.
        let _ = socket.set(switch, true);
    }
    // More waiting answers mean longer batches. Not being allowed to is no failure.
    let _ = socket.set_receive_buffer(BUFFER);
}

pub(crate) fn open(protocol: Protocol, options: &OpenOptions<'_>) -> Result<Socket> {
    let mut socket = options.open(protocol)?;
    prepare(&mut socket);
    Ok(socket)
}

impl<S: AsRef<Socket>> Channel<S> {
    pub(crate) fn new(socket: S) -> Result<Self> {
        let room = socket.as_ref().receive_buffer()?;
        let traced = std::env::var_os("NETLINK_TRACE").is_some_and(|value| !value.is_empty() && value != "0");
        Ok(Self {
            socket,
            inbox: Inbox { buffer: vec![0; BUFFER], unread: 0..0, sender: Sender::KERNEL, dumping: None },
            send: Vec::new(),
            sequence: 0,
            subscribed: false,
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
            let from = if direction == Direction::Sent { &self.send } else { &self.inbox.buffer };
            let datagram = from.get(bytes).unwrap_or_default();
            tracer(&Traffic { direction, datagram, info });
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
        let mut nothing = Exchange::new(Expect::Ack, MessageFlags::empty(), 0, 0);
        while !matches!(self.step(&mut nothing, &NOTHING)?, Step::Hungry) {}
        Ok(())
    }

    /// Puts a request into the send buffer.
    #[inline]
    pub(crate) fn prepare<R>(&mut self, request: &Request<R>, expect: Expect) -> Result<Exchange> {
        if self.congested {
            self.decongest();
        }
        self.warnings.clear();
        self.send.clear();
        let mut flags = request.flags();
        if expect == Expect::Ack {
            flags |= MessageFlags::ACK;
        }
        let sequence = self.next_sequence();
        request.append_to(&mut self.send, sequence, flags)?;
        self.trace(Direction::Sent, 0..self.send.len(), Some(request.info()));
        Ok(Exchange::new(expect, flags, sequence, self.port()))
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
        if let Some(there) = self.send.get_mut(8..).and_then(|rest| rest.first_chunk_mut()) {
            *there = sequence.to_ne_bytes();
        }
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
            let (message, range) = next?;
            match exchange.feed(sender, &message) {
                Meaning::Reply(_) => return Ok(Step::Reply(range)),
                Meaning::Stale => {}
                Meaning::Event => self.keep_event(Some(range)),
                Meaning::Done(attrs) => {
                    let attrs: Option<Box<[u8]>> = (!attrs.is_empty()).then(|| attrs.into());
                    if let Some(attrs) = attrs {
                        let bytes = self.send.as_slice().into();
                        self.warnings.push(Warning(ExtAck::new(Asked { info, bytes }, &attrs)));
                    }
                    return Ok(Step::Done);
                }
                Meaning::Failed(errno, attrs) => {
                    let error = Error::kernel(errno, attrs, info, &self.send);
                    return Err(error);
                }
                Meaning::Overrun => {
                    return Err(Error::Overrun);
                }
            }
        }
    }

    /// A message in this part of the buffer.
    #[inline]
    pub(crate) fn message(&self, range: Range<usize>) -> Result<Message<'_>> {
        message_of(self.inbox.buffer.get(range).unwrap_or_default())
    }

    /// The view of a reply.
    #[inline]
    pub(crate) fn view<R: Reply>(
        &self,
        range: Range<usize>,
        info: &'static MessageInfo,
    ) -> Result<R::View<'_>> {
        let message = self.message(range)?;
        match R::view(&message) {
            Ok(view) => Ok(view),
            Err(error) => Err(Error::undecoded(error, &message, info)),
        }
    }

    pub(crate) fn subscribe(&mut self, groups: &[u32]) -> Result<()>
    where
        S: AsMut<Socket>,
    {
        // Groups above 32 are told from replies by nothing else.
        self.socket.as_mut().set(Switch::PACKET_INFO, true)?;
        self.subscribed = true;
        groups.iter().try_for_each(|group| self.socket.as_ref().join(*group))
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
            let (message, range) = match self.inbox.next()? {
                Ok(next) => next,
                Err(error) => return Some(Pending::Broken(error)),
            };
            match message.header.kind {
                MessageType::OVERRUN if sender.port == 0 => return Some(Pending::Overrun),
                // What is unicast is a late answer, what a process sends is no event of the kernel.
                kind if kind.0 >= 16 && sender.port == 0 && (sender.group != 0 || is_unasked(&message)) => {
                    return Some(Pending::Received(range));
                }
                _ => {}
            }
        }
    }

    /// Takes the event there is.
    #[inline]
    pub(crate) fn take_event<E: Reply>(&mut self) -> Result<Notice<E::View<'_>>> {
        match self.pending.take() {
            Some(Pending::Received(range)) => {
                let message = self.message(range)?;
                event::<E>(self.inbox.sender, &message)
            }
            Some(Pending::Kept(sender)) => event::<E>(sender, &message_of(&self.current)?),
            Some(Pending::Broken(error)) => Err(error),
            Some(Pending::Overrun) | None => Ok(Notice::Overrun),
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
        Q: crate::request::ToRequest<Answer = R>,
        R: Reply,
    {
        if self.congested {
            self.decongest();
        }
        self.send.clear();
        let limit = if R::EXPECT == Expect::Ack { self.answer_limit } else { self.reply_limit };
        let mut chunk = Chunk { run: Run::new(1, 0, 0), sent: Vec::new() };
        let mut last = (0, MessageFlags::empty());
        let first = self.sequence.checked_add(1).unwrap_or(1);
        let limit = limit.min((u32::MAX - first) as usize).max(1);
        while chunk.sent.len() < limit && self.send.len() < BATCH_BYTES {
            let Some(next) = requests.peek() else { break };
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
                    chunk.sent.push(Sent { index: results.len(), info: request.info(), bytes: start..end });
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
            crate::layout::Field::store(flags, self.send.get_mut(last.0..).unwrap_or_default(), 6);
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
        Q: crate::request::ToRequest<Answer = ()>,
    {
        if self.congested {
            self.decongest();
        }
        self.warnings.clear();
        self.send.clear();
        results.resize_with(requests.len(), || None);
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        if self.sequence.checked_add(count).is_none() {
            self.sequence = 0;
        }
        let mut chunk =
            Chunk { run: Run::enveloped(self.sequence + 1, requests.len(), self.port()), sent: Vec::new() };
        for (index, (request, result)) in requests.iter().zip(results).enumerate() {
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
            chunk.sent.push(Sent { index, info: request.info(), bytes: start..end });
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
            let (message, range) = next?;
            let (index, meaning) = chunk.run.feed(sender, &message);
            let result = match (meaning, index.and_then(|index| chunk.sent.get(index))) {
                (Meaning::Reply(message), Some(sent)) => {
                    let view = R::view(&message);
                    Some((
                        sent,
                        view.map(R::own).map_err(|error| Error::undecoded(error, &message, sent.info)),
                    ))
                }
                (Meaning::Failed(errno, attrs), Some(sent)) => {
                    let asked = self.send.get(sent.bytes.clone()).unwrap_or_default();
                    Some((sent, Err(Error::kernel(errno, attrs, sent.info, asked))))
                }
                (Meaning::Done(attrs), Some(sent)) if !attrs.is_empty() => {
                    let bytes = self.send.get(sent.bytes.clone()).unwrap_or_default().into();
                    let ext = ExtAck::new(Asked { info: sent.info, bytes }, attrs);
                    self.warnings.push(Warning(ext));
                    None
                }
                (Meaning::Event, _) => {
                    self.keep_event(Some(range));
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

/// Whether a message answers nobody, although it names no group: nfacct's events are such.
fn is_unasked(message: &Message<'_>) -> bool {
    message.header.port == 0 && message.header.sequence == 0
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

fn event<'a, E: Reply>(sender: Sender, message: &Message<'a>) -> Result<Notice<E::View<'a>>> {
    match E::view(message) {
        Ok(event) => Ok(Notice::Event { event, group: sender.group, nsid: sender.nsid }),
        Err(error) => Err(Error::decode(error, "event", message.body)),
    }
}
