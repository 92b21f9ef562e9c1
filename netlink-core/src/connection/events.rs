//! What comes unasked.

use std::ops::Range;

use super::Result;
use super::channel::Channel;
use super::inbox::InBuffer;
use super::wait::Wait;
use crate::error::{Errno, Error, Hint};
use crate::exchange::Refusal;
use crate::message::{Framing, Message, MessageHeader, MessageType, Messages, Sender};
use crate::request::{MessageInfo, Reply};
use crate::socket::Socket;

/// Events that come while a request waits for its answer are kept up to this much memory. What the kernel sends to
/// this socket alone, such as packets that wait for a verdict, is never dropped.
const EVENT_ROOM: usize = 64 << 20;

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

/// An event found, and not given out yet.
pub(crate) enum NextEvent {
    Overrun,
    /// In `current`.
    Queued(Sender),
    /// In the buffer.
    Received(InBuffer),
}

/// An event that came while something else was asked; without bytes, the place where some were lost.
pub(crate) struct QueuedEvent {
    sender: Sender,
    message: Option<Box<[u8]>>,
}

impl QueuedEvent {
    /// The memory it takes: its bytes, itself, and what an allocator adds.
    fn room(&self) -> usize {
        const ALLOCATION: usize = 16;
        size_of::<Self>() + ALLOCATION + self.message.as_ref().map_or(0, |message| message.len())
    }
}

/// What is an event although it was sent to no group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsolicited {
    Nothing,
    /// What has neither port nor sequence: events of groups that don't name their group, as those of nfacct.
    WithoutPort,
    /// Whatever has no port or no sequence, refusals of what was posted as well.
    Everything,
}

/// Whether a message that answers nobody is for whoever takes events.
#[inline]
pub(super) fn is_event(sender: Sender, header: &MessageHeader, unsolicited: Unsolicited) -> bool {
    if sender.group != 0 {
        return header.kind.is_data();
    }
    // What names our port and a sequence is a late answer.
    let without_port = header.port == 0 && header.kind.is_data();
    match unsolicited {
        Unsolicited::Nothing => false,
        Unsolicited::WithoutPort => header.sequence == 0 && without_port,
        Unsolicited::Everything => {
            without_port
                || header.sequence == 0 && (header.kind.is_data() || header.kind == MessageType::ERROR)
        }
    }
}

impl<S: AsRef<Socket>> Channel<S> {
    /// Keeps an event of the buffer; without one, the place where events were lost.
    #[cold]
    pub(super) fn keep_event(&mut self, range: Option<Range<usize>>) {
        let sender = self.inbox.sender;
        let message = range.and_then(|range| self.inbox.buffer.get(range)).map(Into::into);
        let mut event = QueuedEvent { sender, message };
        if sender.group != 0 && self.queued + event.room() > EVENT_ROOM {
            event.message = None;
        }
        let lost_before = self.events.back().is_some_and(|last| last.message.is_none());
        if event.message.is_some() || !lost_before {
            self.queued += event.room();
            self.events.push_back(event);
        }
    }

    /// Whether there is an event to take: kept from an exchange, or in the buffer. `false`: receive.
    #[inline]
    pub(super) fn has_event(&mut self) -> Result<bool> {
        if self.pending.is_none() {
            self.pending = match self.queued_event() {
                None => self.received_event()?,
                queued => queued,
            };
        }
        Ok(self.pending.is_some())
    }

    #[inline]
    fn queued_event(&mut self) -> Option<NextEvent> {
        let event = self.events.pop_front()?;
        self.queued -= event.room();
        let Some(message) = event.message else {
            return Some(NextEvent::Overrun);
        };
        self.current = message;
        Some(NextEvent::Queued(event.sender))
    }

    #[inline]
    fn received_event(&mut self) -> Result<Option<NextEvent>> {
        let sender = self.inbox.sender;
        while let Some(next) = self.inbox.next() {
            let (message, found) = next?;
            if message.header.kind == MessageType::OVERRUN {
                return Ok(Some(NextEvent::Overrun));
            }
            if is_event(sender, &message.header, self.unsolicited) {
                return Ok(Some(NextEvent::Received(found)));
            }
        }
        Ok(None)
    }

    /// What comes next answers nothing that was asked.
    #[inline]
    fn forget_request(&mut self) {
        self.send.truncate(0);
    }

    /// Takes the event there is.
    #[inline]
    pub(crate) fn take_event<E: Reply>(&mut self) -> Result<Notice<E::View<'_>>> {
        let (sender, message) = match self.pending.take() {
            Some(NextEvent::Received(found)) => (self.inbox.sender, self.message(found)),
            Some(NextEvent::Queued(sender)) => (sender, message_of(&self.current, self.inbox.framing)?),
            Some(NextEvent::Overrun) | None => return Ok(Notice::Overrun),
        };
        if message.header.kind == MessageType::ERROR {
            return Err(refused(self.posted, &message));
        }
        match E::view(&message) {
            Ok(event) => Ok(Notice::Event { event, group: sender.group, nsid: sender.nsid }),
            Err(error) => {
                let name =
                    E::INFO.and_then(|info| info.answer_of(&message)).map_or("event", |info| info.c_name);
                Err(Error::decode(error, name, message.body))
            }
        }
    }
}

impl<S: Wait> Channel<S> {
    /// The event that is there, without a wait.
    pub(crate) fn try_next_event<E: Reply>(&mut self) -> Result<Option<Notice<E::View<'_>>>> {
        self.forget_request();
        while !self.has_event()? {
            match self.take(E::INFO) {
                Ok(_) => {}
                Err(Error::System { errno: Errno::EAGAIN | Errno::EINTR, .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        self.take_event::<E>().map(Some)
    }

    /// Waits for the next event. Whoever waited takes it: on its way out of a future it would be copied.
    #[inline]
    pub(crate) async fn await_event(&mut self, info: Option<&'static MessageInfo>) -> Result<()> {
        self.deadline.renew();
        self.forget_request();
        while !self.has_event()? {
            // The place of a loss is kept among the events.
            match self.receive_in_call(info) {
                Some(incoming) => incoming?,
                None => self.receive_any(info).await?,
            };
        }
        Ok(())
    }
}

#[inline]
fn message_of(bytes: &[u8], framing: Framing) -> Result<Message<'_>> {
    match Messages::framed(bytes, framing).next() {
        Some(Ok(message)) => Ok(message),
        Some(Err(why)) => Err(Error::decode(why.into(), "message", bytes)),
        None => Err(Error::decode(crate::Malformed::Value("no message").into(), "message", bytes)),
    }
}

/// The refusal of what was posted.
#[cold]
fn refused((posted, hint): (&'static MessageInfo, Hint), message: &Message<'_>) -> Error {
    let Refusal { errno, request, attrs } = Refusal::of(message);
    let asked = Messages::new(request).next().and_then(|asked| asked.ok());
    let info = asked.and_then(|asked| posted.of(&asked)).unwrap_or(posted);
    Error::kernel(errno, attrs, (info, hint), request)
}
