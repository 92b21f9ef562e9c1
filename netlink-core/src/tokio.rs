//! The connection on a tokio reactor: the same calls as the blocking one, with `.await`.
//!
//! Nothing is spawned: a call sends and receives in the task that makes it, and tries the system call before it
//! waits for the reactor. Every future here may be dropped at any point. What was sent is done by the kernel all
//! the same; its answer is skipped when it comes, and the connection works on.
//!
//! There is no timeout of its own: wrap a call in `tokio::time::timeout`.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};

use tokio::io::unix::AsyncFd;

use crate::blocking::{EVENT_BUFFER, Partial, prepare_events};
use crate::connection::{Channel, Chunk, Found, Notice, Step, Tracer, open, prepare, refusals};
use crate::error::{Errno, Error, Warning};
use crate::exchange::{Exchange, Expect};
use crate::message::Protocol;
use crate::request::{Dump, MessageInfo, Owned, Reply, ToRequest};
use crate::socket::{OpenOptions, Socket, register};

type Result<T> = std::result::Result<T, Error>;

/// A socket and its registration.
struct Reactor(AsyncFd<Socket>);

impl Reactor {
    fn new(socket: Socket) -> Result<Self> {
        register(socket).map(Self).map_err(reactor)
    }
}

impl AsRef<Socket> for Reactor {
    fn as_ref(&self) -> &Socket {
        self.0.get_ref()
    }
}

fn reactor(error: std::io::Error) -> Error {
    Error::io("tokio reactor", &error)
}

const fn would_wait(error: &Error) -> bool {
    matches!(error, Error::System { errno: Errno::EAGAIN, .. })
}

/// Sends what the channel has prepared.
async fn send(channel: &mut Channel<Reactor>) -> Result<()> {
    loop {
        match channel.socket.as_ref().send(channel.send.as_slice()) {
            Err(error) if would_wait(&error) => {
                channel.socket.0.writable().await.map_err(reactor)?.clear_ready();
            }
            sent => return sent,
        }
    }
}

/// Receives one datagram.
async fn receive(channel: &mut Channel<Reactor>, info: Option<&'static MessageInfo>) -> Result<()> {
    // What is there already is taken without a wait; now and then other tasks of the thread have to have a turn.
    tokio::task::consume_budget().await;
    loop {
        match channel.receive(false, info) {
            // Readiness is cleared before the next try, so what comes in between wakes us again.
            Err(error) if would_wait(&error) => {
                poll_fn(|context| channel.socket.0.poll_read_ready(context))
                    .await
                    .map_err(reactor)?
                    .clear_ready();
            }
            Err(error) if channel.survives(&error) => return Ok(()),
            received => return received,
        }
    }
}

/// A connection on a tokio reactor. See the blocking [`Connection`](crate::Connection); every call behaves
/// alike.
pub struct Connection {
    channel: Channel<Reactor>,
}

impl Connection {
    /// Opens one in the namespace of the calling thread. Must be called inside a runtime.
    pub fn open(protocol: Protocol) -> Result<Self> {
        Self::open_with(protocol, &OpenOptions::new())
    }

    /// Opens one with a port or in a namespace of choice.
    pub fn open_with(protocol: Protocol, options: &OpenOptions<'_>) -> Result<Self> {
        let socket = open(protocol, &options.nonblocking())?;
        Ok(Self { channel: Channel::new(Reactor::new(socket)?)? })
    }

    /// Takes over a socket that was opened [`nonblocking`](OpenOptions::nonblocking).
    pub fn from_socket(socket: Socket) -> Result<Self> {
        prepare(&socket);
        Ok(Self { channel: Channel::new(Reactor::new(socket)?)? })
    }

    /// How often [`Listing::collect`] asks again when the kernel's tables changed under it; 10 at first.
    pub fn set_dump_retries(&mut self, retries: usize) {
        self.channel.retries = retries;
    }

    /// Calls a function with every datagram sent and received; `None` ends it.
    pub fn set_tracer(&mut self, tracer: Option<Tracer>) {
        self.channel.set_tracer(tracer);
    }

    /// The socket, for its options.
    pub fn socket(&self) -> &Socket {
        self.channel.socket.as_ref()
    }

    /// What the kernel warned of in the last call, dump or batch, although it did as asked.
    pub fn warnings(&self) -> &[Warning] {
        &self.channel.warnings
    }

    /// Sends a request and waits for its answer: an acknowledgement or one reply.
    pub async fn call<Q>(&mut self, request: Q) -> Result<Q::Answer>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        let info = request.to_request().info();
        let mut exchange = self.channel.prepare(&request, Q::Answer::EXPECT)?;
        send(&mut self.channel).await?;
        let mut reply = Q::Answer::acknowledged().map(Ok);
        loop {
            match self.channel.step(&mut exchange, info)? {
                Step::Hungry => receive(&mut self.channel, Some(info)).await?,
                Step::Reply(found) => {
                    reply = Some(self.channel.view::<Q::Answer>(found, info).map(Q::Answer::own));
                }
                Step::Done => {}
            }
            if exchange.is_over() {
                return reply.unwrap_or(Err(Error::NoReply(info.c_name)));
            }
        }
    }

    /// Sends a request that lists, and gives its replies one by one, each looked at in the receive buffer.
    pub async fn dump<Q, R>(&mut self, request: Q) -> Result<Listing<'_, R>>
    where
        Q: ToRequest<Answer = Dump<R>>,
        R: Reply,
    {
        self.finish_abandoned().await?;
        let info = request.to_request().info();
        let exchange = self.channel.prepare(&request, Expect::Dump)?;
        // A future dropped while it waits to send has sent nothing, so no end of a dump is awaited yet.
        send(&mut self.channel).await?;
        self.channel.dump_started(&exchange);
        Ok(Listing { connection: self, exchange, info, reply: PhantomData })
    }

    /// Sends requests without waiting for each, and gives one result per request, in order.
    pub async fn batch<Q>(&mut self, requests: impl IntoIterator<Item = Q>) -> Vec<Result<Q::Answer>>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        self.channel.warnings.clear();
        let mut requests = requests.into_iter().peekable();
        let mut results = Vec::new();
        // What is left of a dump would take the room of the answers.
        if let Err(error) = self.finish_abandoned().await {
            results.extend(requests.next().map(|_| Some(Err(error))));
            results.extend(requests.by_ref().map(|_| Some(Err(Error::NotSent))));
        }
        while requests.peek().is_some() {
            let Some(mut chunk) = self.channel.prepare_run(&mut requests, &mut results) else {
                continue;
            };
            if let Err(error) = self.run(&mut chunk, &mut results).await {
                chunk.fail(error, &mut results);
                results.extend(requests.by_ref().map(|_| Some(Err(Error::NotSent))));
                break;
            }
            chunk.finish(&mut results);
        }
        results.into_iter().map(|result| result.unwrap_or(Err(Error::Unanswered))).collect()
    }

    /// Sends requests in one datagram, of which the first opens an envelope and the last closes it. Gives what each of
    /// the requests was refused with; where all are `None`, all was done.
    pub async fn envelope<Q>(&mut self, requests: &[Q]) -> Result<Vec<Option<Error>>>
    where
        Q: ToRequest<Answer = ()>,
    {
        self.finish_abandoned().await?;
        let mut results = Vec::new();
        let run = match self.channel.prepare_envelope(requests, &mut results)? {
            Some(mut chunk) => self.run(&mut chunk, &mut results).await,
            None => Ok(()),
        };
        refusals(results, run)
    }

    async fn run<R: Reply>(&mut self, chunk: &mut Chunk, results: &mut [Option<Result<R>>]) -> Result<()> {
        send(&mut self.channel).await?;
        while !self.channel.step_run(chunk, results)? {
            receive(&mut self.channel, chunk.info()).await?;
        }
        Ok(())
    }

    /// Joins multicast groups on this connection. Their events are kept while a call waits for its answer, and
    /// never taken for one.
    pub fn subscribe(&mut self, groups: &[u32]) -> Result<()> {
        self.channel.subscribe(groups)
    }

    /// Waits for the next event of the groups this connection joined.
    pub async fn next_event<E: Reply>(&mut self) -> Result<Notice<E::View<'_>>> {
        next_event::<E>(&mut self.channel).await
    }

    /// From now on takes what the kernel sends to this socket without being asked, and refusals of what was
    /// [posted](Self::post). [`next_event`](Self::next_event) gives it out.
    pub fn listen(&mut self) {
        self.channel.listen();
    }

    /// Sends a request and waits for nothing; see the blocking [`Connection::post`](crate::Connection::post). The
    /// kernel takes a request at once, so there is nothing to await.
    pub fn post(&mut self, request: impl ToRequest) -> Result<()> {
        self.channel.prepare_post(&request)?;
        self.channel.socket.as_ref().send(self.channel.send.as_slice())
    }

    /// Reads a dump that was given up to its end: the kernel runs one at a time per socket.
    async fn finish_abandoned(&mut self) -> Result<()> {
        while self.channel.has_unfinished_dump() {
            self.channel.discard()?;
            if self.channel.has_unfinished_dump() {
                receive(&mut self.channel, None).await.inspect_err(|_| self.channel.forget_dump())?;
            }
        }
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("port", &self.socket().port()).finish_non_exhaustive()
    }
}

/// A dump under way. See the blocking [`Listing`](crate::Listing).
#[must_use]
pub struct Listing<'c, R> {
    connection: &'c mut Connection,
    exchange: Exchange,
    info: &'static MessageInfo,
    reply: PhantomData<fn() -> R>,
}

impl<R: Reply> Listing<'_, R> {
    /// The next reply; `None` at the end. [`Error::Decode`] is about one message, and the next call goes on
    /// behind it; [`Error::Interrupted`] comes at the end.
    pub async fn next(&mut self) -> Result<Option<R::View<'_>>> {
        match self.advance().await? {
            Some(found) => self.connection.channel.view::<R>(found, self.info).map(Some),
            None => Ok(None),
        }
    }

    async fn advance(&mut self) -> Result<Option<Found>> {
        while !self.exchange.is_over() {
            match self.connection.channel.step(&mut self.exchange, self.info)? {
                Step::Hungry => receive(&mut self.connection.channel, Some(self.info)).await?,
                Step::Reply(found) => return Ok(Some(found)),
                Step::Done => break,
            }
        }
        if self.exchange.take_interruption() { Err(Error::Interrupted) } else { Ok(None) }
    }

    /// All replies, kept. Asks again when the kernel's tables changed during the dump; an error carries what
    /// came until then.
    pub async fn collect(mut self) -> std::result::Result<Vec<Owned<R>>, Partial<R>> {
        let mut items = Vec::new();
        let mut retries = self.connection.channel.retries;
        loop {
            let error = loop {
                match self.advance().await {
                    Ok(Some(found)) => items.push(Owned::new(&self.connection.channel.message(found))),
                    Ok(None) => return Ok(items),
                    Err(error) => break error,
                }
            };
            if !matches!(error, Error::Interrupted) || retries == 0 {
                return Err(Partial { items, error });
            }
            retries -= 1;
            items.clear();
            self.exchange = self.connection.channel.again(&self.exchange);
            if let Err(error) = send(&mut self.connection.channel).await {
                return Err(Partial { items, error });
            }
            self.connection.channel.dump_started(&self.exchange);
        }
    }
}

impl<R> std::fmt::Debug for Listing<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listing").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}

/// A stream of events on a socket of its own. See the blocking [`Events`](crate::Events).
pub struct Events<E> {
    channel: Channel<Reactor>,
    event: PhantomData<fn() -> E>,
}

impl<E: Reply> Events<E> {
    /// Joins these groups in the namespace of the calling thread. Must be called inside a runtime.
    pub fn open(protocol: Protocol, groups: &[u32]) -> Result<Self> {
        Self::open_with(protocol, groups, &OpenOptions::new())
    }

    /// Joins these groups, in a namespace of choice.
    pub fn open_with(protocol: Protocol, groups: &[u32], options: &OpenOptions<'_>) -> Result<Self> {
        let socket = options.nonblocking().open(protocol)?;
        // A smaller buffer loses more, and says so.
        let _ = socket.set_receive_buffer(EVENT_BUFFER);
        prepare_events(&socket);
        let mut channel = Channel::new(Reactor::new(socket)?)?;
        channel.subscribe(groups)?;
        Ok(Self { channel, event: PhantomData })
    }

    /// Waits for the next event.
    pub async fn next(&mut self) -> Result<Notice<E::View<'_>>> {
        next_event::<E>(&mut self.channel).await
    }

    /// The socket: to join and leave groups, to size its buffer, to attach a filter.
    pub fn socket(&self) -> &Socket {
        self.channel.socket.as_ref()
    }
}

impl<E> std::fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

async fn next_event<E: Reply>(channel: &mut Channel<Reactor>) -> Result<Notice<E::View<'_>>> {
    while !channel.has_event() {
        // A loss was noted among the events by `survives`.
        receive(channel, E::INFO).await?;
    }
    channel.take_event::<E>()
}
