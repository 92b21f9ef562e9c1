//! The connection that waits in system calls. No thread, no runtime.

use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::connection::{Channel, Found, Notice, Step, Tracer, open, prepare, refusals};
use crate::error::{Errno, Error, Warning};
use crate::exchange::{Exchange, Expect};
use crate::message::Protocol;
use crate::request::{Dump, MessageInfo, Owned, Reply, ToRequest};
use crate::socket::{OpenOptions, Socket, Stop};

type Result<T> = std::result::Result<T, Error>;

impl AsRef<Self> for Socket {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// A socket that asks and waits for the answers.
///
/// A connection does one thing at a time, so its calls take `&mut self`. Threads have one each, which costs a
/// socket, or share one in a `Mutex`, which costs waiting for each other. It can be moved between threads, and
/// stays in the network namespace it was opened in whoever uses it.
///
/// Set the environment variable `NETLINK_TRACE=1` to see every message on standard error.
pub struct Connection {
    channel: Channel<Socket>,
}

impl Connection {
    /// Opens one in the namespace of the calling thread, with strict checking and explained errors where the
    /// kernel has them. An answer that stays out for a minute is a [`Error::Timeout`].
    pub fn open(protocol: Protocol) -> Result<Self> {
        Self::open_with(protocol, &OpenOptions::new())
    }

    /// Opens one with a port or in a namespace of choice.
    pub fn open_with(protocol: Protocol, options: &OpenOptions<'_>) -> Result<Self> {
        Self::of(open(protocol, options)?)
    }

    /// Takes over a socket, with the switches a connection wants.
    pub fn from_socket(socket: Socket) -> Result<Self> {
        prepare(&socket);
        Self::of(socket)
    }

    fn of(socket: Socket) -> Result<Self> {
        let mut connection = Self { channel: Channel::new(socket)? };
        connection.set_timeout(Some(Duration::from_secs(60)))?;
        Ok(connection)
    }

    /// How long to wait for the next message; `None` is for ever. It is about silence: a dump may take as long
    /// as it likes while it keeps coming.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.channel.socket.set_receive_timeout(timeout)?;
        self.channel.socket.set_send_timeout(timeout)?;
        self.channel.timeout = timeout;
        Ok(())
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
        &self.channel.socket
    }

    /// The socket, for its options.
    pub fn socket_mut(&mut self) -> &mut Socket {
        &mut self.channel.socket
    }

    /// What the kernel warned of in the last call, dump or batch, although it did as asked.
    pub fn warnings(&self) -> &[Warning] {
        &self.channel.warnings
    }

    /// A handle that ends the waiting of this connection from another thread, with [`Error::Stopped`].
    pub fn stop_handle(&mut self) -> Result<Stop> {
        self.channel.socket.stop_handle()
    }

    /// Sends a request and waits for its answer: an acknowledgement or one reply.
    #[inline]
    pub fn call<Q>(&mut self, request: Q) -> Result<Q::Answer>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        let info = request.to_request().info();
        let mut exchange = self.channel.prepare(&request, Q::Answer::EXPECT)?;
        self.channel.socket.send(self.channel.send.as_slice())?;
        let mut reply = Q::Answer::acknowledged().map(Ok);
        loop {
            match self.channel.step(&mut exchange, info)? {
                Step::Hungry => self.receive(info)?,
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
    ///
    /// A listing may be dropped at any point; the rest of it is read away before the next one.
    pub fn dump<Q, R>(&mut self, request: Q) -> Result<Listing<'_, R>>
    where
        Q: ToRequest<Answer = Dump<R>>,
        R: Reply,
    {
        self.finish_abandoned()?;
        let info = request.to_request().info();
        let exchange = self.channel.prepare(&request, Expect::Dump)?;
        self.channel.socket.send(self.channel.send.as_slice())?;
        self.channel.dump_started(&exchange);
        Ok(Listing { connection: self, exchange, info, reply: PhantomData })
    }

    /// Sends requests without waiting for each, and gives one result per request, in order.
    ///
    /// They travel in datagrams of up to 64 KiB, as many at a time as the receive buffer has room for the
    /// answers of, so it never overflows. A request that fails doesn't keep the later ones from being done.
    pub fn batch<Q>(&mut self, requests: impl IntoIterator<Item = Q>) -> Vec<Result<Q::Answer>>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        self.channel.warnings.clear();
        let mut requests = requests.into_iter().peekable();
        let mut results = Vec::new();
        // What is left of a dump would take the room of the answers.
        if let Err(error) = self.finish_abandoned() {
            results.extend(requests.next().map(|_| Some(Err(error))));
            results.extend(requests.by_ref().map(|_| Some(Err(Error::NotSent))));
        }
        while requests.peek().is_some() {
            let Some(mut chunk) = self.channel.prepare_run(&mut requests, &mut results) else {
                continue;
            };
            if let Err(error) = self.run(&mut chunk, &mut results) {
                chunk.fail(error, &mut results);
                results.extend(requests.by_ref().map(|_| Some(Err(Error::NotSent))));
                break;
            }
            chunk.finish(&mut results);
        }
        results.into_iter().map(|result| result.unwrap_or(Err(Error::Unanswered))).collect()
    }

    /// Sends requests in one datagram, of which the first opens an envelope and the last closes it, so that the kernel
    /// does all that is between, or nothing: nfnetlink's transactions. Gives what each of the requests was refused
    /// with; where all are `None`, all was done.
    ///
    /// An error is about the connection: whether anything was done is not known.
    pub fn envelope<Q>(&mut self, requests: &[Q]) -> Result<Vec<Option<Error>>>
    where
        Q: ToRequest<Answer = ()>,
    {
        self.finish_abandoned()?;
        let mut results = Vec::new();
        let run = match self.channel.prepare_envelope(requests, &mut results)? {
            Some(mut chunk) => self.run(&mut chunk, &mut results),
            None => Ok(()),
        };
        refusals(results, run)
    }

    fn run<R: Reply>(
        &mut self,
        chunk: &mut crate::connection::Chunk,
        results: &mut [Option<Result<R>>],
    ) -> Result<()> {
        self.channel.socket.send(self.channel.send.as_slice())?;
        while !self.channel.step_run(chunk, results)? {
            self.receive_for(chunk.info())?;
        }
        Ok(())
    }

    /// Joins multicast groups on this connection. Their events are kept while a call waits for its answer, and
    /// never taken for one; [`next_event`](Self::next_event) gives them out.
    ///
    /// A stream of its own, [`Events`], has a larger buffer and doesn't make calls wait.
    pub fn subscribe(&mut self, groups: &[u32]) -> Result<()> {
        self.channel.subscribe(groups)
    }

    /// Waits for the next event of the groups this connection joined.
    pub fn next_event<E: Reply>(&mut self) -> Result<Notice<E::View<'_>>> {
        next_event::<E>(&mut self.channel)
    }

    /// From now on takes what the kernel sends to this socket without being asked, such as the packets of a queue,
    /// and refusals of what was [posted](Self::post). It is kept while a call waits for its answer, and never taken
    /// for one; [`next_event`](Self::next_event) gives it out.
    ///
    /// The few answers that name no port, such as those of `XFRM_MSG_GETAE` and lists of hooks, can't be told from what
    /// comes unasked: ask for them on another connection.
    pub fn listen(&mut self) {
        self.channel.listen();
    }

    /// Sends a request and waits for nothing.
    ///
    /// If the kernel refuses it and this connection [listens](Self::listen), a later [`next_event`](Self::next_event)
    /// fails with [`Error::Kernel`], which holds the request ([`ExtAck::request`](crate::ExtAck::request)).
    #[inline]
    pub fn post(&mut self, request: impl ToRequest) -> Result<()> {
        self.channel.prepare_post(&request)?;
        self.channel.socket.send(self.channel.send.as_slice())
    }

    fn receive(&mut self, info: &'static MessageInfo) -> Result<()> {
        self.receive_for(Some(info))
    }

    #[inline]
    fn receive_for(&mut self, info: Option<&'static MessageInfo>) -> Result<()> {
        match self.channel.receive(true, info) {
            Ok(()) => Ok(()),
            Err(error) if self.channel.survives(&error) => Ok(()),
            Err(error) => Err(timed_out(error, self.channel.timeout)),
        }
    }

    /// Reads a dump that was given up to its end: the kernel runs one at a time per socket.
    fn finish_abandoned(&mut self) -> Result<()> {
        while self.channel.has_unfinished_dump() {
            self.channel.discard()?;
            if self.channel.has_unfinished_dump() {
                self.receive_for(None).inspect_err(|_| self.channel.forget_dump())?;
            }
        }
        Ok(())
    }
}

fn timed_out(error: Error, timeout: Option<Duration>) -> Error {
    match error {
        Error::System { errno: Errno::EAGAIN, .. } => Error::Timeout(timeout.unwrap_or_default()),
        error => error,
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.socket.as_fd()
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("port", &self.channel.socket.port()).finish_non_exhaustive()
    }
}

/// A dump under way: replies come as the kernel fills them in.
///
/// It can't be an `Iterator`: each view borrows the receive buffer, which the next one overwrites.
#[must_use]
pub struct Listing<'c, R> {
    connection: &'c mut Connection,
    exchange: Exchange,
    info: &'static MessageInfo,
    reply: PhantomData<fn() -> R>,
}

impl<R: Reply> Listing<'_, R> {
    /// The next reply; `None` at the end.
    ///
    /// [`Error::Decode`] is about one message, and the next call goes on behind it. [`Error::Interrupted`] comes
    /// at the end, after every reply was given: the kernel's tables changed meanwhile.
    #[inline]
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Option<R::View<'_>>> {
        match self.advance()? {
            Some(found) => self.connection.channel.view::<R>(found, self.info).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn advance(&mut self) -> Result<Option<Found>> {
        while !self.exchange.is_over() {
            match self.connection.channel.step(&mut self.exchange, self.info)? {
                Step::Hungry => self.connection.receive(self.info)?,
                Step::Reply(found) => return Ok(Some(found)),
                Step::Done => break,
            }
        }
        if self.exchange.take_interruption() { Err(Error::Interrupted) } else { Ok(None) }
    }

    /// All replies, kept. Asks again, up to [`Connection::set_dump_retries`] times, when the kernel's tables
    /// changed during the dump; an error carries what came until then.
    pub fn collect(mut self) -> std::result::Result<Vec<Owned<R>>, Partial<R>> {
        let mut items = Vec::new();
        let mut retries = self.connection.channel.retries;
        loop {
            let error = loop {
                match self.advance() {
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
            let exchange = self.connection.channel.again(&self.exchange);
            if let Err(error) = self.connection.channel.socket.send(self.connection.channel.send.as_slice()) {
                return Err(Partial { items, error });
            }
            self.exchange = exchange;
            self.connection.channel.dump_started(&exchange);
        }
    }
}

impl<R> std::fmt::Debug for Listing<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listing").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}

/// A dump that failed, with what came until then.
#[non_exhaustive]
pub struct Partial<R> {
    /// The replies that came. After [`Error::Interrupted`] all of them, of a table that was changing.
    pub items: Vec<Owned<R>>,
    /// Why there are no more.
    pub error: Error,
}

impl<R> std::fmt::Debug for Partial<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partial").field("items", &self.items.len()).field("error", &self.error).finish()
    }
}

impl<R> std::fmt::Display for Partial<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (after {} replies)", self.error, self.items.len())
    }
}

impl<R> std::error::Error for Partial<R> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<R> From<Partial<R>> for Error {
    fn from(partial: Partial<R>) -> Self {
        partial.error
    }
}

/// A stream of events on a socket of its own.
///
/// Its receive buffer is 64 MiB where the process may (`CAP_NET_ADMIN`), else as large as the system allows:
/// room for 160,000 events, taken only as they wait. What overflows all the same is told as
/// [`Notice::Overrun`], and the stream goes on.
pub struct Events<E> {
    channel: Channel<Socket>,
    event: PhantomData<fn() -> E>,
}

/// The receive buffer an event socket asks for; the kernel doubles it for its overhead.
pub(crate) const EVENT_BUFFER: usize = 64 << 20;

impl<E: Reply> Events<E> {
    /// Joins these groups in the namespace of the calling thread.
    pub fn open(protocol: Protocol, groups: &[u32]) -> Result<Self> {
        Self::open_with(protocol, groups, &OpenOptions::new())
    }

    /// Joins these groups, in a namespace of choice.
    pub fn open_with(protocol: Protocol, groups: &[u32], options: &OpenOptions<'_>) -> Result<Self> {
        let socket = options.open(protocol)?;
        // A smaller buffer loses more, and says so.
        let _ = socket.set_receive_buffer(EVENT_BUFFER);
        prepare_events(&socket);
        let mut channel = Channel::new(socket)?;
        channel.subscribe(groups)?;
        Ok(Self { channel, event: PhantomData })
    }

    /// Waits for the next event. An event that can't be read is an [`Error::Decode`] with its bytes; the next
    /// call goes on behind it.
    #[inline]
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Notice<E::View<'_>>> {
        next_event::<E>(&mut self.channel)
    }

    /// How long [`next`](Self::next) waits before it fails with [`Error::Timeout`]; `None`, the default, is
    /// for ever. The stream goes on afterwards.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.channel.timeout = timeout;
        self.channel.socket.set_receive_timeout(timeout)
    }

    /// A handle that ends the waiting from another thread, with [`Error::Stopped`].
    pub fn stop_handle(&mut self) -> Result<Stop> {
        self.channel.socket.stop_handle()
    }

    /// The socket: to join and leave groups, to size its buffer, to attach a filter.
    pub fn socket(&self) -> &Socket {
        &self.channel.socket
    }

    /// The socket, for its switches.
    pub fn socket_mut(&mut self) -> &mut Socket {
        &mut self.channel.socket
    }

    /// Calls a function with every datagram; `None` ends it.
    pub fn set_tracer(&mut self, tracer: Option<Tracer>) {
        self.channel.set_tracer(tracer);
    }
}

pub(crate) fn prepare_events(socket: &Socket) {
    // Only old kernels lack it, and work without.
    let _ = socket.set(crate::socket::Switch::EXT_ACK, true);
}

impl<E> AsFd for Events<E> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.socket.as_fd()
    }
}

impl<E> std::fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("port", &self.channel.socket.port()).finish_non_exhaustive()
    }
}

#[inline]
fn next_event<E: Reply>(channel: &mut Channel<Socket>) -> Result<Notice<E::View<'_>>> {
    while !channel.has_event() {
        match channel.receive(true, E::INFO) {
            Ok(()) => {}
            // The loss is noted among the events.
            Err(error) if channel.survives(&error) => {}
            Err(error) => return Err(timed_out(error, channel.timeout)),
        }
    }
    channel.take_event::<E>()
}
