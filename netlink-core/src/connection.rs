//! A connection, its listings and its streams of events, whichever way they wait.
//!
//! Everything is written once, over a socket that [waits](Wait). The faces, `blocking.rs` and `tokio.rs`, say only
//! how: they forward, with and without `.await`.

mod batch;
mod channel;
mod events;
mod inbox;
#[cfg(any(test, feature = "testkit"))]
mod script;
#[cfg(test)]
mod tests;
mod wait;

use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};

pub use channel::Tracer;
pub use events::Notice;

#[cfg(any(test, feature = "testkit"))]
pub use script::{Scene, Script};
pub use wait::{Block, Wait};

pub(crate) use wait::ready;

use crate::error::{Error, Warning};
use crate::exchange::{Exchange, Expect};
use crate::message::{MessageHeader, Protocol};
use crate::request::{Check, Dump, MessageInfo, Owned, Reply, ToRequest};
pub use crate::socket::Deadline;
use crate::socket::{OpenOptions, Socket, Switch};
pub(crate) use channel::Channel;
use channel::{InBuffer, Step};

type Result<T> = std::result::Result<T, Error>;

/// A socket that asks and waits for the answers.
///
/// A connection does one thing at a time, so its calls take `&mut self`. Threads have one each, which costs a
/// socket, or share one in a `Mutex`, which costs waiting for each other. It can be moved between threads, and
/// stays in the network namespace it was opened in whoever uses it.
///
/// Set the environment variable `NETLINK_TRACE=1` to see every message on standard error; programs that run with
/// more rights than who started them ignore it.
///
/// `S` is how it waits: in system calls, or on a tokio reactor ([`netlink_core::tokio`](crate::tokio)).
pub struct Connection<S = Socket> {
    pub(crate) channel: Channel<S>,
}

/// Makes a socket ready for a connection: explained errors, bare acknowledgements, strict checking, each where
/// the kernel has it.
pub(crate) fn prepare(socket: &Socket) {
    for switch in [Switch::EXT_ACK, Switch::CAP_ACK, Switch::STRICT_CHECK] {
        // An older kernel answers ENOPROTOOPT, and works without.
        let _ = socket.set(switch, true);
    }
    // More waiting answers mean longer batches. Not being allowed to is no failure.
    let _ = socket.set_receive_buffer(inbox::BUFFER);
}

pub(crate) fn open(protocol: Protocol, options: &OpenOptions<'_>) -> Result<Socket> {
    let socket = options.open(protocol)?;
    prepare(&socket);
    Ok(socket)
}

/// The receive buffer an event socket asks for; the kernel doubles it for its overhead.
const EVENT_BUFFER: usize = 64 << 20;

pub(crate) fn open_events(protocol: Protocol, options: &OpenOptions<'_>) -> Result<Socket> {
    let socket = options.open(protocol)?;
    // A smaller buffer loses more, and says so.
    let _ = socket.set_receive_buffer(EVENT_BUFFER);
    // Only old kernels lack it, and work without.
    let _ = socket.set(Switch::EXT_ACK, true);
    Ok(socket)
}

impl<S: AsRef<Socket>> Connection<S> {
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

    /// The number that the last call was acknowledged with: 0, but for the few messages that answer with one, such as
    /// the id of a new radio of mac80211_hwsim.
    pub fn acknowledgement(&self) -> i32 {
        self.channel.acknowledgement
    }

    /// Joins multicast groups on this connection. Their events are kept while a call waits for its answer, and
    /// never taken for one; `next_event` gives them out.
    ///
    /// Events fill the same receive buffer as answers. So before a request what waits is read, and an answer that
    /// found no room is an [`Error::Overrun`] at once: what was asked may be done. Groups that are busier than this
    /// connection reads belong to a stream of their own, [`Events`], which also has a larger buffer.
    pub fn subscribe(&mut self, groups: &[u32]) -> Result<()> {
        self.channel.subscribe(groups)
    }

    /// From now on takes what the kernel sends to this socket without being asked, such as the packets of a queue,
    /// and refusals of what was posted. It is kept while a call waits for its answer, and never taken for one;
    /// `next_event` gives it out.
    ///
    /// The few answers that name no port, such as those of `XFRM_MSG_GETAE` and lists of hooks, can't be told from what
    /// comes unasked: ask for them on another connection.
    pub fn listen(&mut self) {
        self.channel.listen();
    }
}

impl<S: Wait> Connection<S> {
    /// The next event if one is there, for loops that wait by themselves, with `epoll` on this connection's
    /// descriptor; `None`: nothing more, wait.
    pub fn try_next_event<E: Reply>(&mut self) -> Result<Option<Notice<E::View<'_>>>> {
        self.channel.try_next_event::<E>()
    }

    /// See [`call`](Connection::call).
    #[inline]
    pub(crate) async fn exchange<Q>(&mut self, request: Q) -> Result<Q::Answer>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        let info = request.to_request().info();
        let expect = Q::Answer::EXPECT;
        // A list that is asked for as one reply.
        let check = request.to_request().check();
        let mut exchange = self.channel.begin(&request, expect).await?;
        let mut reply = Q::Answer::acknowledged().map(Ok);
        loop {
            match self.channel.step(&mut exchange, info)? {
                Step::Hungry => self.channel.receive(expect, Some(info)).await?,
                Step::Reply(found) if check.is_some_and(|check| !self.channel.passes(check, &found)) => {}
                Step::Reply(found) => {
                    reply = Some(self.channel.view::<Q::Answer>(found, info).map(Q::Answer::own));
                }
                Step::Done => {}
            }
            if exchange.is_over() {
                self.channel.acknowledgement = exchange.acknowledgement();
                return reply.unwrap_or(Err(Error::NoReply(info.c_name)));
            }
        }
    }

    /// See [`dump`](Connection::dump).
    pub(crate) async fn list<Q, R>(&mut self, request: Q) -> Result<Listing<'_, R, S>>
    where
        Q: ToRequest<Answer = Dump<R>>,
        R: Reply,
    {
        let info = request.to_request().info();
        let check = request.to_request().check();
        let exchange = self.channel.begin(&request, Expect::Dump).await?;
        Ok(Listing { connection: self, exchange, info, check, reply: PhantomData })
    }
}

impl<S: AsRef<Socket>> AsFd for Connection<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl<S: AsRef<Socket>> std::fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("port", &self.socket().port()).finish_non_exhaustive()
    }
}

/// A dump under way: replies come as the kernel fills them in.
///
/// It can't be an `Iterator`: each view borrows the receive buffer, which the next one overwrites. It may be dropped at
/// any point; the rest of it is read away before the next one.
#[must_use]
pub struct Listing<'c, R, S = Socket> {
    connection: &'c mut Connection<S>,
    exchange: Exchange,
    info: &'static MessageInfo,
    /// Where the kernel may pass over the filter of the request.
    check: Option<(Check, MessageHeader)>,
    reply: PhantomData<fn() -> R>,
}

impl<R: Reply, S: Wait> Listing<'_, R, S> {
    /// See [`next`](Listing::next). What is in the buffer already is given without a wait.
    #[inline]
    pub(crate) fn buffered(&mut self) -> Result<Buffered> {
        if self.exchange.is_over() {
            return self.end();
        }
        loop {
            match self.connection.channel.step(&mut self.exchange, self.info)? {
                Step::Hungry => return Ok(Buffered::Nothing),
                Step::Reply(found) if self.passes(&found) => return Ok(Buffered::Reply(found)),
                Step::Reply(_) => {}
                Step::Done => return self.end(),
            }
        }
    }

    #[inline]
    fn passes(&self, found: &InBuffer) -> bool {
        self.check.is_none_or(|check| self.connection.channel.passes(check, found))
    }

    fn end(&mut self) -> Result<Buffered> {
        if self.exchange.take_interruption() { Err(Error::Interrupted) } else { Ok(Buffered::End) }
    }

    /// Receives what comes next into the buffer.
    pub(crate) async fn refill(&mut self) -> Result<()> {
        let received = self.connection.channel.receive(Expect::Dump, Some(self.info)).await;
        if matches!(received, Err(Error::Overrun)) {
            // Nothing of it is left in the kernel.
            self.exchange.give_up();
            self.connection.channel.forget_dump();
        }
        received
    }

    #[inline]
    pub(crate) fn view(&self, found: InBuffer) -> Result<R::View<'_>> {
        self.connection.channel.view::<R>(found, self.info)
    }

    pub(crate) async fn advance(&mut self) -> Result<Option<InBuffer>> {
        loop {
            match self.buffered()? {
                Buffered::Nothing => self.refill().await?,
                Buffered::Reply(found) => return Ok(Some(found)),
                Buffered::End => return Ok(None),
            }
        }
    }

    /// See [`collect`](Listing::collect).
    pub(crate) async fn gather(mut self) -> std::result::Result<Vec<Owned<R>>, Partial<R>> {
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
            match self.connection.channel.again(&self.exchange).await {
                Ok(exchange) => self.exchange = exchange,
                Err(error) => return Err(Partial { items, error }),
            }
        }
    }
}

/// Replies as their own values.
pub(crate) fn owned<R: Reply>(items: &[Owned<R>]) -> Result<Vec<R>> {
    items.iter().map(|item| item.view().map(R::own)).collect()
}

/// What a listing has without a wait.
pub(crate) enum Buffered {
    Reply(InBuffer),
    /// Receive.
    Nothing,
    End,
}

impl<R, S> std::fmt::Debug for Listing<'_, R, S> {
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
/// room for 160,000 events, taken only as they wait. What overflows all the same is reported as
/// [`Notice::Overrun`], and the stream goes on.
pub struct Events<E, S = Socket> {
    pub(crate) channel: Channel<S>,
    event: PhantomData<fn() -> E>,
}

impl<E, S: AsRef<Socket>> Events<E, S> {
    pub(crate) fn on(socket: S, groups: &[u32]) -> Result<Self> {
        let mut channel = Channel::new(socket)?;
        channel.subscribe(groups)?;
        Ok(Self { channel, event: PhantomData })
    }

    /// The socket: to join and leave groups, to size its buffer, to attach a filter.
    pub fn socket(&self) -> &Socket {
        self.channel.socket.as_ref()
    }

    /// Calls a function with every datagram; `None` ends it.
    pub fn set_tracer(&mut self, tracer: Option<Tracer>) {
        self.channel.set_tracer(tracer);
    }
}

impl<E: Reply, S: Wait> Events<E, S> {
    /// The next event if one is there, for loops that wait by themselves, with `epoll` on this stream's descriptor;
    /// `None`: nothing more, wait.
    pub fn try_next(&mut self) -> Result<Option<Notice<E::View<'_>>>> {
        self.channel.try_next_event::<E>()
    }
}

impl<E, S: AsRef<Socket>> AsFd for Events<E, S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl<E, S: AsRef<Socket>> std::fmt::Debug for Events<E, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("port", &self.socket().port()).finish_non_exhaustive()
    }
}
