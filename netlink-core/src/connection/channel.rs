//! One exchange over a socket: what is sent, what comes, and what of it was asked for.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::ops::Range;
use std::time::{Duration, Instant};

pub(crate) use super::inbox::InBuffer;

use super::Result;
use super::events::{NextEvent, QueuedEvent, Unsolicited, is_event};
use super::inbox::Inbox;
use super::wait::Wait;
use crate::attr::{Unsendable, Writer};
use crate::error::{Asked, Errno, Error, ExtAck, Hint, Warning};
use crate::exchange::{Exchange, Expect, Meaning, Quirks};
use crate::message::{
    Framing, HEADER_LEN, Message, MessageFlags, MessageHeader, MessageType, Messages, Protocol,
};
use crate::request::{Check, MessageInfo, Numbered, Reply, Request, ToRequest};
use crate::socket::{Deadline, Socket, Switch, has_raised_privileges};
use crate::trace::{Direction, Traffic};

/// A view of traffic, called with every datagram.
pub type Tracer = Box<dyn FnMut(&Traffic<'_>) + Send>;

/// What stands in for a request where none is waiting.
pub(super) const NOTHING: MessageInfo = MessageInfo {
    protocol: || None,
    number: 0,
    numbered: Numbered::ByType,
    c_name: "nothing",
    header: <() as crate::layout::Fixed>::LAYOUT,
    table: crate::Table::UNKNOWN,
    siblings: || &[],
    subject: None,
    hint: |_, _| Ok(()),
    quirks: Quirks::NONE,
    filter: None,
    guard: None,
};

/// What a waiting datagram takes of the receive buffer beside its bytes, at least.
const OVERHEAD: usize = 512;

/// Room that an answer finds beside the packets of a flood.
const ANSWER_ROOM: usize = 1 << 18;

/// How long a dump that was given up may take to end among events, where no limit is set.
const PATIENCE: Duration = Duration::from_secs(60);

/// A socket, its buffers and the state between exchanges.
pub(crate) struct Channel<S> {
    pub(crate) socket: S,
    /// The socket's; `None`: any will do, as nobody reads it.
    pub(super) protocol: Option<Protocol>,
    pub(super) inbox: Inbox,
    pub(super) send: Writer,
    /// Of the request in the send buffer.
    hint: Hint,
    pub(super) sequence: u32,
    subscribed: bool,
    /// Which of what comes to no group is an event, too.
    pub(super) unsolicited: Unsolicited,
    /// What was posted last: refusals come as events.
    pub(super) posted: (&'static MessageInfo, Hint),
    /// Messages were lost behind those that still wait in the queue.
    loss: Option<Loss>,
    pub(super) events: VecDeque<QueuedEvent>,
    /// Memory that the queued events take.
    pub(super) queued: usize,
    /// The event given out last, if it was queued.
    pub(super) current: Box<[u8]>,
    pub(super) pending: Option<NextEvent>,
    /// What the datagrams received since a run began took of the receive buffer, about.
    pub(super) taken: usize,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) acknowledgement: i32,
    tracer: Option<Tracer>,
    pub(crate) deadline: Deadline,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: usize,
}

/// The receive buffer was full. The kernel drops whatever it would send here until all that waits has been read, answers
/// too (`netlink_attachskb`).
struct Loss {
    /// How much may still wait of what came before.
    left: usize,
}

/// What a receive brought.
pub(super) enum Incoming {
    /// A datagram of the kernel, in the buffer.
    Datagram,
    /// A datagram of a process, which is dropped unread.
    Foreign,
    /// Nothing, but all that came before a loss has been read now. Whether the queue is empty.
    Cleared { empty: bool },
}

/// What a step brought.
pub(crate) enum Step {
    /// Nothing more in the buffer: receive.
    Hungry,
    /// A reply.
    Reply(InBuffer),
    /// The end of the exchange.
    Done,
}

impl<S: AsRef<Socket>> Channel<S> {
    pub(crate) fn new(socket: S) -> Result<Self> {
        let protocol = socket.as_ref().protocol().ok();
        Ok(Self {
            protocol,
            socket,
            inbox: Inbox::new(protocol.map_or(Framing::Usual, Protocol::framing)),
            send: Writer::new(),
            hint: |_, _| Ok(()),
            sequence: random(),
            subscribed: false,
            unsolicited: Unsolicited::Nothing,
            posted: (&NOTHING, |_, _| Ok(())),
            loss: None,
            events: VecDeque::new(),
            queued: 0,
            current: Box::default(),
            pending: None,
            taken: 0,
            warnings: Vec::new(),
            acknowledgement: 0,
            tracer: asked_for_trace().then(|| Box::new(print) as Tracer),
            deadline: Deadline::new(None),
            timeout: None,
            retries: 10,
        })
    }

    /// Limits every wait from now on.
    pub(crate) fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
        self.deadline = Deadline::new(timeout);
    }

    pub(crate) fn set_tracer(&mut self, tracer: Option<Tracer>) {
        self.tracer = tracer;
    }

    pub(super) fn port(&self) -> u32 {
        self.socket.as_ref().port()
    }

    pub(super) fn next_sequence(&mut self) -> u32 {
        // Zero is what notifications have.
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        self.sequence
    }

    #[inline]
    pub(super) fn trace(
        &mut self,
        direction: Direction,
        bytes: Range<usize>,
        info: Option<&'static MessageInfo>,
    ) {
        if let Some(tracer) = &mut self.tracer {
            let (from, group) = match direction {
                Direction::Sent => (self.send.as_slice(), 0),
                Direction::Received => (&*self.inbox.buffer, self.inbox.sender.group),
            };
            let datagram = from.get(bytes).unwrap_or_default();
            let asked = Messages::new(self.send.as_slice()).flatten().next();
            let kind = asked.map(|message| message.header.kind);
            tracer(&Traffic { direction, group, datagram, info, kind });
        }
    }

    pub(crate) fn subscribe(&mut self, groups: &[u32]) -> Result<()> {
        self.socket.as_ref().tell_groups()?;
        self.subscribed = true;
        if self.unsolicited == Unsolicited::Nothing {
            self.unsolicited = Unsolicited::WithoutPort;
        }
        groups.iter().try_for_each(|group| self.socket.as_ref().join(*group))
    }

    /// Takes in what the kernel sends to this socket without being asked.
    pub(crate) fn listen(&mut self) {
        // A refusal is reported by the request it echoes. A kernel that doesn't have the switch always echoes all.
        let _ = self.socket.as_ref().set(Switch::CAP_ACK, false);
        self.subscribed = true;
        self.unsolicited = Unsolicited::Everything;
    }

    pub(super) fn takes_events(&self) -> bool {
        self.subscribed
    }

    pub(super) fn listens(&self) -> bool {
        self.unsolicited == Unsolicited::Everything
    }

    /// Puts a request into the send buffer whose answer nobody waits for.
    #[inline]
    pub(super) fn prepare_post(&mut self, request: &impl ToRequest) -> Result<()> {
        let hint = request.hint();
        let request = request.to_request();
        self.send.truncate(0);
        self.append(request, 0, request.flags() - MessageFlags::ACK)?;
        self.posted = (request.info(), hint);
        self.trace(Direction::Sent, 0..self.send.len(), Some(request.info()));
        Ok(())
    }

    /// Appends a request to the send buffer. One of another protocol is refused, where its number means something else.
    #[inline]
    pub(super) fn append<R>(
        &mut self,
        request: &Request<R>,
        sequence: u32,
        flags: MessageFlags,
    ) -> Result<()> {
        match ((request.info().protocol)(), self.protocol) {
            (Some(spoken), Some(connected)) if spoken.protocol != connected => {
                Err(request.refusal(0, Unsendable::Protocol { spoken: spoken.name, connected }))
            }
            _ if request.info().quirks.received => {
                Err(request.refusal(0, Unsendable::Value("a message that only the kernel sends")))
            }
            _ => request.append_to(&mut self.send, sequence, flags),
        }
    }

    /// Gives up waiting for the end of a dump; if it still runs, the kernel answers the next one with `EBUSY`.
    pub(crate) fn forget_dump(&mut self) {
        self.inbox.dumping = None;
    }

    /// Looks at what is left in the buffer while nothing is asked: events are kept, the end of a dump is noted.
    pub(super) fn discard(&mut self) -> Result<()> {
        while !matches!(self.step(&mut self.nothing(), &NOTHING)?, Step::Hungry) {}
        Ok(())
    }

    fn nothing(&self) -> Exchange {
        Exchange::none().listening(self.listens())
    }

    #[cold]
    fn widen_send_buffer(&self) -> Result<()> {
        // The kernel takes a datagram that its send buffer has this much more room than.
        self.socket.as_ref().set_send_buffer(self.send.len() + super::batch::SEND_OVERHEAD).map(drop)
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
            match exchange.feed(sender, &message) {
                Meaning::Reply(_) => {
                    self.deadline.renew();
                    return Ok(Step::Reply(found));
                }
                Meaning::Stale => {}
                Meaning::Event if is_event(sender, &message.header, self.unsolicited) => {
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
                Meaning::Overrun => return Err(self.overrun()),
            }
        }
    }

    /// Whether a reply in the buffer is one of those that the request in the send buffer asks for.
    #[inline]
    pub(super) fn passes(&self, (check, header): (Check, MessageHeader), found: &InBuffer) -> bool {
        let asked = Message { header, body: self.send.as_slice().get(HEADER_LEN..).unwrap_or_default() };
        check(&asked, &self.inbox.message(found))
    }

    fn note_lost_events(&mut self) {
        // Where a full buffer goes unreported, whoever reads the events tells what is missing.
        if self.subscribed && !self.socket.as_ref().is_silent() {
            self.keep_event(None);
        }
    }

    /// The kernel says in a message that others were lost before it.
    #[cold]
    pub(super) fn overrun(&mut self) -> Error {
        self.note_lost_events();
        Error::Overrun
    }

    /// A message in the buffer.
    #[inline]
    pub(crate) fn message(&self, found: InBuffer) -> Message<'_> {
        self.inbox.message(&found)
    }

    /// The view of a reply.
    #[inline]
    pub(crate) fn view<R: Reply>(&self, found: InBuffer, info: &'static MessageInfo) -> Result<R::View<'_>> {
        let message = self.message(found);
        match R::view(&message) {
            Ok(view) => Ok(view),
            Err(error) => Err(Error::undecoded(error, &message, info)),
        }
    }
}

impl<S: Wait> Channel<S> {
    /// Takes what is there already, without a wait; `EAGAIN` if nothing is.
    #[inline]
    pub(super) fn take(&mut self, info: Option<&'static MessageInfo>) -> Result<Incoming> {
        self.inbox.clear();
        match self.loss {
            Some(Loss { left: 0 }) => self.cleared(false),
            _ => {
                let got = self.socket.as_ref().try_receive(&mut self.inbox.buffer);
                self.incoming(got, info)
            }
        }
    }

    /// What a receive means.
    #[inline]
    fn incoming(
        &mut self,
        got: Result<crate::socket::Received>,
        info: Option<&'static MessageInfo>,
    ) -> Result<Incoming> {
        let received = match got {
            Ok(received) => received,
            Err(error) => return self.failed(error, info),
        };
        let room = cost(received.length);
        self.taken = self.taken.saturating_add(room);
        if let Some(loss) = &mut self.loss {
            loss.left = loss.left.saturating_sub(room);
        }
        if received.sender.port != 0 {
            return Ok(Incoming::Foreign);
        }
        self.inbox.accept(received)?;
        self.trace(Direction::Received, 0..received.length, info);
        Ok(Incoming::Datagram)
    }

    #[cold]
    fn failed(&mut self, error: Error, info: Option<&'static MessageInfo>) -> Result<Incoming> {
        match error {
            Error::System { errno: Errno::EAGAIN, .. } if self.loss.is_some() => self.cleared(true),
            Error::System { errno: Errno::ENOBUFS, .. } => {
                // The kernel reports this once until the queue has been empty. So if it does so again, all that waited at
                // the first time has been read.
                let again = self.loss.is_some();
                self.lose()?;
                if !again {
                    return self.take(info);
                }
                self.note_lost_events();
                Ok(Incoming::Cleared { empty: false })
            }
            error => Err(error),
        }
    }

    /// From now on the queue holds what came before a loss.
    fn lose(&mut self) -> Result<()> {
        // One datagram more than the buffer allows may wait.
        let left = self.socket.as_ref().receive_buffer()? + super::inbox::BUFFER;
        self.loss = Some(Loss { left });
        Ok(())
    }

    /// All that came before a loss has been read. Who lists anew here misses nothing, and no event that comes later is
    /// older than the list: the kernel reports the loss before it gives out what it had queued until then.
    fn cleared(&mut self, empty: bool) -> Result<Incoming> {
        self.loss = None;
        self.note_lost_events();
        Ok(Incoming::Cleared { empty })
    }

    /// Sends a request whose answer nobody waits for.
    #[inline]
    pub(crate) fn post(&mut self, request: &impl ToRequest) -> Result<()> {
        self.prepare_post(request)?;
        self.send_wide()
    }

    /// Sends what the send buffer holds, with a wider one of the socket's if it is too long.
    #[inline]
    fn send_wide(&self) -> Result<()> {
        match self.socket.as_ref().send(self.send.as_slice()) {
            Err(error) if is_too_long(&error) => {
                self.widen_send_buffer()?;
                self.socket.as_ref().send(self.send.as_slice())
            }
            sent => sent,
        }
    }

    /// Sends a request; from here on the exchange takes in what comes.
    #[inline]
    pub(crate) async fn begin(&mut self, request: &impl ToRequest, expect: Expect) -> Result<Exchange> {
        // A dump that is asked for as one reply goes on behind that.
        let dumps = expect == Expect::Dump
            || expect == Expect::Reply && request.to_request().flags().contains(MessageFlags::DUMP);
        if dumps && self.inbox.dumping.is_some() {
            self.read_away().await?;
        }
        if self.needs_room() {
            self.make_room().await?;
        }
        let exchange = self.prepare(request, expect)?;
        if !self.try_send()? {
            self.send_with_care().await?;
        }
        if dumps {
            self.inbox.dumping = Some(exchange.sequence());
        }
        Ok(exchange)
    }

    /// Puts a request into the send buffer.
    #[inline]
    fn prepare(&mut self, request: &impl ToRequest, expect: Expect) -> Result<Exchange> {
        self.hint = request.hint();
        let request = request.to_request();
        self.warnings.clear();
        self.send.truncate(0);
        let mut flags = request.flags();
        if expect == Expect::Ack {
            flags |= MessageFlags::ACK;
        }
        let sequence = self.next_sequence();
        self.append(request, sequence, flags)?;
        let info = request.info();
        if info.quirks.progress {
            self.sequence = self.sequence.saturating_add(Quirks::PROGRESS);
        }
        self.trace(Direction::Sent, 0..self.send.len(), Some(info));
        Ok(Exchange::new(expect, flags, sequence, self.port())
            .with(info.quirks, request.kind())
            .listening(self.listens()))
    }

    /// Sends the request in the send buffer once more, with a new sequence.
    pub(crate) async fn again(&mut self, exchange: &Exchange) -> Result<Exchange> {
        if self.needs_room() {
            self.make_room().await?;
        }
        let sequence = self.next_sequence();
        self.send.patch(8, sequence.to_ne_bytes());
        if !self.try_send()? {
            self.send_with_care().await?;
        }
        self.inbox.dumping = Some(sequence);
        Ok(exchange.restarted(sequence))
    }

    /// Sends what the send buffer holds; `false`: that takes [care](Self::send_with_care).
    #[inline]
    pub(super) fn try_send(&mut self) -> Result<bool> {
        if self.listens() && self.socket.as_ref().is_silent() {
            return Ok(false);
        }
        match self.socket.as_ref().send(self.send.as_slice()) {
            Ok(()) => Ok(true),
            Err(Error::System { errno: Errno::EAGAIN | Errno::EMSGSIZE, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends what the send buffer holds, where that has to wait, is too long, or where packets come meanwhile that may
    /// take the room of the answer, and nobody reports when they do.
    #[cold]
    pub(super) async fn send_with_care(&mut self) -> Result<()> {
        let socket = self.socket.as_ref();
        let beside_packets = self.listens() && socket.is_silent();
        let room = if beside_packets { socket.receive_buffer()? } else { 0 };
        let drops = if beside_packets { socket.drops().ok() } else { None };
        let widened = beside_packets && socket.widen_receive_buffer(room, ANSWER_ROOM);
        let sent = loop {
            match self.send_wide() {
                Err(Error::System { errno: Errno::EAGAIN, .. }) => self.socket.writable().await?,
                sent => break sent,
            }
        };
        let socket = self.socket.as_ref();
        if widened {
            socket.widen_receive_buffer(room, 0);
        }
        // What was dropped meanwhile may be the answer: it is there when all that waits has been read, or lost.
        if drops.is_some() && drops != socket.drops().ok() {
            self.lose()?;
        }
        sent
    }

    /// Whether others than the one who answers fill the receive buffer. The limit of time of a request begins here.
    #[inline]
    pub(super) fn needs_room(&mut self) -> bool {
        self.deadline.renew();
        self.loss.is_some() || self.subscribed
    }

    /// Reads what waits, so that an answer finds room. Not more than waits when this begins, as a flood does not end, and not
    /// longer than the limit of time.
    #[cold]
    pub(super) async fn make_room(&mut self) -> Result<()> {
        // After a loss once at least: that the queue is empty ends it.
        let socket = self.socket.as_ref();
        let mut left = socket.waiting().or_else(|_| socket.receive_buffer())?.max(self.loss.is_some().into());
        loop {
            self.deadline.check()?;
            // What can't be read is no event.
            while self.discard().is_err() {}
            if left == 0 {
                return Ok(());
            }
            S::turn().await;
            self.taken = 0;
            match self.take(None) {
                Ok(_) | Err(Error::Truncated { .. }) => left = left.saturating_sub(self.taken.max(OVERHEAD)),
                // Empty; whatever else is wrong with the socket, the send that follows will say.
                Err(_) => return Ok(()),
            }
        }
    }

    /// Receives the next datagram for an exchange.
    #[inline]
    pub(crate) async fn receive(&mut self, expect: Expect, info: Option<&'static MessageInfo>) -> Result<()> {
        loop {
            let incoming = match self.receive_in_call(info) {
                Some(incoming) => incoming?,
                None => self.receive_any(info).await?,
            };
            match incoming {
                Incoming::Datagram => return Ok(()),
                Incoming::Foreign => {}
                // What a dump has to say waits for room, and does not get lost: the kernel fills it in as the queue is
                // read. So while it runs, the queue is never empty.
                Incoming::Cleared { empty: false } if expect == Expect::Dump => {}
                Incoming::Cleared { .. } => return Err(Error::Overrun),
            }
        }
    }

    /// Receives what comes next in the system call, whoever it is for; `None`: a future has to.
    #[inline]
    pub(super) fn receive_in_call(&mut self, info: Option<&'static MessageInfo>) -> Option<Result<Incoming>> {
        if self.loss.is_some() {
            return None;
        }
        self.inbox.clear();
        let got = self.socket.receive_in_call(&mut self.inbox.buffer, &mut self.deadline)?;
        Some(self.incoming(got, info))
    }

    /// Receives what comes next, whoever it is for.
    pub(super) async fn receive_any(&mut self, info: Option<&'static MessageInfo>) -> Result<Incoming> {
        if self.loss.is_some() {
            S::turn().await;
            self.deadline.check()?;
            return self.take(info);
        }
        self.inbox.clear();
        let got = self.socket.receive(&mut self.inbox.buffer, &mut self.deadline).await;
        self.incoming(got, info)
    }

    /// Reads a dump that was given up to its end: the kernel runs one at a time per socket. The queue is never empty
    /// before.
    #[cold]
    pub(super) async fn read_away(&mut self) -> Result<()> {
        let limit = self.timeout.unwrap_or(PATIENCE);
        let begun = Instant::now();
        loop {
            self.discard()?;
            if self.inbox.dumping.is_none() {
                return Ok(());
            }
            S::turn().await;
            match self.take(None) {
                Ok(Incoming::Cleared { empty: true }) | Err(Error::System { errno: Errno::EAGAIN, .. }) => {
                    self.forget_dump();
                }
                Ok(_) if begun.elapsed() < limit => {}
                Ok(_) => {
                    self.forget_dump();
                    return Err(Error::Timeout(limit));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads away what waits for the former owner of the socket, the rest of a dump included.
    pub(crate) async fn inherit(&mut self) {
        let mut left = self.socket.as_ref().receive_buffer().unwrap_or_default();
        let begun = Instant::now();
        while left > 0 && begun.elapsed() < PATIENCE {
            S::turn().await;
            self.taken = 0;
            match self.take(None) {
                Ok(Incoming::Datagram) if self.is_part_of_a_dump() => {}
                Ok(_) | Err(Error::Truncated { .. }) => left = left.saturating_sub(self.taken.max(OVERHEAD)),
                Err(_) => break,
            }
        }
        self.inbox.clear();
    }

    /// Whether more of a dump follows the datagram in the buffer.
    fn is_part_of_a_dump(&mut self) -> bool {
        let unicast = self.inbox.sender.group == 0;
        let mut goes_on = false;
        while let Some(Ok((message, _))) = self.inbox.next() {
            goes_on = message.header.flags.contains(MessageFlags::MULTI)
                && message.header.kind != MessageType::DONE;
        }
        unicast && goes_on
    }
}

/// What a waiting datagram takes of the receive buffer, about.
const fn cost(length: usize) -> usize {
    length + OVERHEAD
}

pub(super) const fn is_too_long(error: &Error) -> bool {
    matches!(error, Error::System { errno: Errno::EMSGSIZE, .. })
}

/// A sequence that answers to a former owner of the socket don't have.
fn random() -> u32 {
    // What is cut off is as random as the rest.
    #[allow(clippy::cast_possible_truncation)]
    let number = RandomState::new().hash_one(()) as u32;
    number
}

fn asked_for_trace() -> bool {
    let wanted = std::env::var_os("NETLINK_TRACE").is_some_and(|value| !value.is_empty() && value != "0");
    // Whoever starts a program with more rights than his own must not read what it says.
    wanted && !has_raised_privileges()
}

/// What can't be printed is not: nobody may be there to read it.
fn print(traffic: &Traffic<'_>) {
    let _ = write!(std::io::stderr(), "{traffic}");
}
