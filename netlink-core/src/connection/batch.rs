//! Many requests at once: runs of a batch, and envelopes.

use std::iter::Peekable;
use std::ops::Range;

use super::channel::{Channel, is_too_long};
use super::events::is_event;
use super::wait::Wait;
use super::{Connection, Result};
use crate::error::{Asked, Error, ExtAck, Hint, Warning};
use crate::exchange::{Answer, Expect, Meaning, Run};
use crate::message::MessageFlags;
use crate::request::{MessageInfo, Reply, ToRequest};
use crate::socket::Socket;
use crate::trace::Direction;

/// Most bytes of a batch in one send: the gain of larger ones is lost in the noise. A single request may be larger.
const BATCH_BYTES: usize = 64 << 10;

/// What the kernel wants of the send buffer beside the bytes of a datagram.
pub(super) const SEND_OVERHEAD: usize = 32;

/// What one waiting acknowledgement or error takes of the receive buffer, with a text in it.
const ANSWER_ROOM: usize = 1280;

/// What one request may take of the receive buffer with its reply and its events, before it is known.
const FIRST_ROOM: usize = 64 << 10;

/// How many requests a run begins with whose replies and events have an unknown size.
const FIRST_RUN: usize = 8;

/// How many requests go into a run.
///
/// Acknowledgements have a size that is known: as many as the receive buffer has room for if every request fails.
/// Replies, and the events of a change on a connection that takes events, don't: the first run is short, and what it
/// took says how long the next may be.
struct Pace {
    /// What one request took, and how long the last run was.
    measured: Option<(usize, usize)>,
}

impl Pace {
    fn limit(&self, room: usize) -> usize {
        let limit = match self.measured {
            None => (room / FIRST_ROOM).min(FIRST_RUN),
            // Others may take more than those that were measured, and waiting takes more than bytes.
            Some((each, last)) => (room / 4 / each.max(1)).min(2 * last),
        };
        limit.max(1)
    }

    fn measure(&mut self, taken: usize, requests: usize) {
        self.measured = Some((taken.div_ceil(requests.max(1)), requests));
    }
}

/// Requests of a batch in one datagram.
struct Chunk {
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
    fn info(&self) -> Option<&'static MessageInfo> {
        self.sent.first().map(|sent| sent.info)
    }

    /// The run is over: what no error came for was done.
    fn finish<R: Reply>(self, results: &mut [Option<Result<R>>]) {
        for (sent, answer) in self.sent.iter().zip(self.run.into_answers()) {
            let Some(slot @ None) = results.get_mut(sent.index) else { continue };
            let acknowledged = match answer {
                Answer::Pending | Answer::Done => R::acknowledged(),
                Answer::Failed(..) => None,
            };
            *slot = Some(acknowledged.ok_or(Error::NoReply(sent.info.c_name)));
        }
    }

    /// The first request without an answer gets the error, the others what that means for them.
    fn fail<R>(&self, error: Error, others: fn() -> Error, results: &mut [Option<Result<R>>]) {
        let mut error = Some(error);
        for sent in &self.sent {
            if let Some(slot @ None) = results.get_mut(sent.index) {
                *slot = Some(Err(error.take().unwrap_or_else(others)));
            }
        }
    }
}

impl<S: AsRef<Socket>> Channel<S> {
    /// Fills the send buffer with the next requests of a batch. Without a chunk none of them can be sent.
    fn prepare_run<Q, R>(
        &mut self,
        requests: &mut Peekable<impl Iterator<Item = Q>>,
        results: &mut Vec<Option<Result<R>>>,
        pace: &Pace,
    ) -> Result<Option<Chunk>>
    where
        Q: ToRequest<Answer = R>,
        R: Reply,
    {
        self.send.truncate(0);
        let socket = self.socket.as_ref();
        let acknowledged = R::EXPECT == Expect::Ack;
        let mut room = socket.receive_buffer()?;
        let datagram = socket.send_buffer()?.saturating_sub(SEND_OVERHEAD).min(2 * BATCH_BYTES);
        let paced = !acknowledged || self.takes_events();
        let limit = if paced { pace.limit(room) } else { usize::MAX };
        let mut chunk = Chunk { run: Run::new(R::EXPECT, 1, 0, 0), sent: Vec::new() };
        let mut last = (0, MessageFlags::empty());
        let first = self.sequence.checked_add(1).unwrap_or(1);
        let limit = limit.min((u32::MAX - first) as usize).max(1);
        while chunk.sent.len() < limit && self.send.len() < BATCH_BYTES {
            let Some(next) = requests.peek() else { break };
            let hint = next.hint();
            let request = next.to_request();
            // A refusal of a listening connection echoes the request.
            let answer = ANSWER_ROOM + if self.listens() { request.len() } else { 0 };
            // What has no room in this datagram opens the next one.
            let fits = self.send.len() + request.len() <= datagram && answer <= room;
            if !chunk.sent.is_empty() && !fits {
                break;
            }
            room = room.saturating_sub(answer);
            let start = self.send.len();
            let flags = request.flags();
            let quiet = if acknowledged { flags - MessageFlags::ACK } else { flags };
            let sequence = self.next_sequence();
            match self.append(request, sequence, quiet) {
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
            return Ok(None);
        }
        if acknowledged {
            let flags = last.1 | MessageFlags::ACK;
            self.send.patch(last.0 + 6, flags.bits().to_ne_bytes());
        }
        chunk.run = Run::new(R::EXPECT, first, chunk.sent.len(), self.port()).listening(self.listens());
        self.trace(Direction::Sent, 0..self.send.len(), chunk.info());
        Ok(Some(chunk))
    }

    /// Fills the send buffer with an envelope and its content, which travel in one datagram. Without a chunk one of
    /// them can't be sent.
    fn prepare_envelope<Q>(&mut self, requests: &[Q], results: &mut Vec<Option<Result<()>>>) -> Option<Chunk>
    where
        Q: ToRequest<Answer = ()>,
    {
        self.warnings.clear();
        self.send.truncate(0);
        results.resize_with(requests.len(), || None);
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        if self.sequence.checked_add(count).is_none() {
            self.sequence = 0;
        }
        let run = Run::enveloped(self.sequence + 1, requests.len(), self.port());
        let mut chunk = Chunk { run: run.listening(self.listens()), sent: Vec::new() };
        for (index, (request, result)) in requests.iter().zip(results).enumerate() {
            let hint = request.hint();
            let request = request.to_request();
            let (start, sequence) = (self.send.len(), self.next_sequence());
            let last = index + 2 == requests.len();
            let mut flags = request.flags();
            flags.set(MessageFlags::ACK, last);
            if let Err(error) = self.append(request, sequence, flags) {
                *result = Some(Err(error));
                return None;
            }
            let end = self.send.len();
            chunk.sent.push(Sent { index, info: request.info(), hint, bytes: start..end });
        }
        self.trace(Direction::Sent, 0..self.send.len(), chunk.info());
        Some(chunk)
    }

    /// Looks at the messages in the buffer; `false`: receive.
    fn step_run<R: Reply>(&mut self, chunk: &mut Chunk, results: &mut [Option<Result<R>>]) -> Result<bool> {
        loop {
            let sender = self.inbox.sender;
            let Some(next) = self.inbox.next() else {
                return Ok(chunk.run.is_over());
            };
            let (message, found) = next?;
            let (index, meaning) = chunk.run.feed(sender, &message);
            let progress = index.is_some() && meaning != Meaning::Event;
            let result = match (meaning, index.and_then(|index| chunk.sent.get(index))) {
                // Data behind which an acknowledgement is to come, or a refusal.
                (Meaning::Reply(_), _) if R::EXPECT == Expect::Ack => None,
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
                (Meaning::Event, _) if is_event(sender, &message.header, self.unsolicited) => {
                    self.keep_event(Some(found.bytes));
                    None
                }
                (Meaning::Overrun, _) => return Err(self.overrun()),
                _ => None,
            };
            if progress {
                self.deadline.renew();
            }
            let slot = result.and_then(|(sent, result)| Some((results.get_mut(sent.index)?, result)));
            if let Some((slot, result)) = slot
                && (slot.is_none() || result.is_err() && matches!(slot, Some(Ok(_))))
            {
                *slot = Some(result);
            }
            if chunk.run.is_over() {
                return Ok(true);
            }
        }
    }
}

impl<S: Wait> Channel<S> {
    async fn run<R: Reply>(&mut self, chunk: &mut Chunk, results: &mut [Option<Result<R>>]) -> Result<()> {
        while !self.step_run(chunk, results)? {
            self.receive(Expect::Ack, chunk.info()).await?;
        }
        Ok(())
    }
}

impl<S: Wait> Connection<S> {
    /// See [`batch`](Connection::batch).
    pub(crate) async fn exchange_all<Q>(
        &mut self,
        requests: impl IntoIterator<Item = Q>,
    ) -> Vec<Result<Q::Answer>>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        let mut requests = requests.into_iter().peekable();
        let mut results = Vec::new();
        if let Err(error) = self.exchange_runs(&mut requests, &mut results).await {
            results.extend(requests.next().map(|_| Some(Err(error))));
            results.extend(requests.map(|_| Some(Err(Error::NotSent))));
        }
        results.into_iter().map(|result| result.unwrap_or(Err(Error::Unanswered))).collect()
    }

    /// An error is that of the next request, which was not sent.
    async fn exchange_runs<Q>(
        &mut self,
        requests: &mut Peekable<impl Iterator<Item = Q>>,
        results: &mut Vec<Option<Result<Q::Answer>>>,
    ) -> Result<()>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        let channel = &mut self.channel;
        channel.warnings.clear();
        // What is left of a dump would take the room of the answers.
        if channel.inbox.dumping.is_some() {
            channel.read_away().await?;
        }
        let mut pace = Pace { measured: None };
        while requests.peek().is_some() {
            if channel.needs_room() {
                channel.make_room().await?;
            }
            let Some(mut chunk) = channel.prepare_run(requests, results, &pace)? else {
                continue;
            };
            channel.taken = 0;
            let alone = chunk.sent.len() == 1;
            let sent = match channel.try_send() {
                Ok(false) => channel.send_with_care().await,
                sent => sent.map(drop),
            };
            let goes_on = match sent {
                // Nothing of it has reached the kernel.
                Err(error) => {
                    let too_long = alone && is_too_long(&error);
                    chunk.fail(error, || Error::NotSent, results);
                    too_long
                }
                Ok(()) => {
                    let run = channel.run(&mut chunk, results).await;
                    pace.measure(channel.taken, chunk.sent.len());
                    match run {
                        Ok(()) => {
                            chunk.finish(results);
                            true
                        }
                        Err(error) => {
                            let overrun = matches!(error, Error::Overrun);
                            chunk.fail(error, || Error::Unanswered, results);
                            overrun
                        }
                    }
                }
            };
            if !goes_on {
                results.extend(requests.map(|_| Some(Err(Error::NotSent))));
                break;
            }
        }
        Ok(())
    }

    /// See [`envelope`](Connection::envelope).
    pub(crate) async fn exchange_enveloped<Q>(&mut self, requests: &[Q]) -> Result<Vec<Option<Error>>>
    where
        Q: ToRequest<Answer = ()>,
    {
        let channel = &mut self.channel;
        if channel.inbox.dumping.is_some() {
            channel.read_away().await?;
        }
        if channel.needs_room() {
            channel.make_room().await?;
        }
        let mut results = Vec::new();
        let run = match channel.prepare_envelope(requests, &mut results) {
            Some(mut chunk) => {
                if !channel.try_send()? {
                    channel.send_with_care().await?;
                }
                channel.run(&mut chunk, &mut results).await
            }
            None => Ok(()),
        };
        // A lost connection counts only where no refusal says that all was undone.
        let refusals: Vec<_> = results.into_iter().map(|result| result.and_then(Result::err)).collect();
        match run {
            Err(error) if refusals.iter().all(Option::is_none) => Err(error),
            _ => Ok(refusals),
        }
    }
}
