//! The connection on a tokio reactor: the same calls as the blocking one, with `.await`.
//!
//! Nothing is spawned: a call sends and receives in the task that makes it, and tries the system call before it
//! waits for the reactor. Every future here may be dropped at any point. What was sent is done by the kernel all
//! the same; its answer is skipped when it comes, and the connection works on.
//!
//! There is no timeout of its own: wrap a call in `tokio::time::timeout`.
//!
//! A reactor needs a runtime. What opens a socket fails outside of one, and panics, in tokio's words, in one that was
//! built without `enable_io`.

use std::future::poll_fn;

use tokio::io::unix::AsyncFd;

use crate::connection::{self, Channel, Wait, open, open_events, owned, prepare};
use crate::error::{Errno, Error};
use crate::message::Protocol;
use crate::request::{Dump, Owned, Reply, ToRequest};
use crate::socket::{Deadline, OpenOptions, Received, Socket, register};
use crate::{Notice, Partial};

type Result<T> = std::result::Result<T, Error>;

/// A socket that is registered with a tokio reactor.
#[derive(Debug)]
pub struct Registered(AsyncFd<Socket>);

impl AsRef<Socket> for Registered {
    fn as_ref(&self) -> &Socket {
        self.0.get_ref()
    }
}

impl Wait for Registered {
    fn over(socket: Socket) -> Result<Self> {
        // Registering panics outside a runtime.
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::system("no tokio runtime here", Errno::ENOTCONN));
        }
        register(socket).map(Self).map_err(reactor)
    }

    fn receive_in_call(&self, _: &mut [u8], _: &mut Deadline) -> Option<Result<Received>> {
        None
    }

    async fn receive(&self, buffer: &mut [u8], _: &mut Deadline) -> Result<Received> {
        // What is there already is taken without a wait; now and then other tasks of the thread have to have a turn.
        Self::turn().await;
        #[cfg(any(test, feature = "testkit"))]
        if let Some(script) = self.as_ref().script() {
            return script.receive(buffer);
        }
        loop {
            match self.as_ref().try_receive(buffer) {
                // Readiness is cleared before the next try, so what comes in between wakes us again.
                Err(error) if would_wait(&error) => {
                    poll_fn(|context| self.0.poll_read_ready(context)).await.map_err(reactor)?.clear_ready();
                }
                received => return received,
            }
        }
    }

    async fn writable(&self) -> Result<()> {
        self.0.writable().await.map_err(reactor)?.clear_ready();
        Ok(())
    }

    async fn turn() {
        tokio::task::consume_budget().await;
    }
}

fn reactor(error: std::io::Error) -> Error {
    Error::io("tokio reactor", &error)
}

const fn would_wait(error: &Error) -> bool {
    matches!(error, Error::System { errno: Errno::EAGAIN | Errno::EINTR, .. })
}

/// A connection on a tokio reactor. Every call behaves like that of the blocking [`Connection`](crate::Connection).
pub type Connection = connection::Connection<Registered>;

/// A listing on a tokio reactor.
pub type Listing<'c, R> = connection::Listing<'c, R, Registered>;

/// A stream of events on a tokio reactor.
pub type Events<E> = connection::Events<E, Registered>;

impl Connection {
    /// Opens one in the namespace of the calling thread. Must be called inside a runtime.
    pub fn open(protocol: Protocol) -> Result<Self> {
        Self::open_with(protocol, &OpenOptions::new())
    }

    /// Opens one with a port or in a namespace of choice.
    pub fn open_with(protocol: Protocol, options: &OpenOptions<'_>) -> Result<Self> {
        let socket = open(protocol, &options.nonblocking())?;
        Ok(Self { channel: Channel::new(Registered::over(socket)?)? })
    }

    /// Takes over a socket, with the switches a connection wants. What waits in it for its former owner is read away.
    pub async fn from_socket(socket: Socket) -> Result<Self> {
        prepare(&socket);
        let mut connection = Self { channel: Channel::new(Registered::over(socket)?)? };
        connection.channel.inherit().await;
        Ok(connection)
    }

    /// Sends a request and waits for its answer: an acknowledgement or one reply.
    pub async fn call<Q>(&mut self, request: Q) -> Result<Q::Answer>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        self.exchange(request).await
    }

    /// Sends a request that lists, and gives its replies one by one, each looked at in the receive buffer.
    pub async fn dump<Q, R>(&mut self, request: Q) -> Result<Listing<'_, R>>
    where
        Q: ToRequest<Answer = Dump<R>>,
        R: Reply,
    {
        self.list(request).await
    }

    /// Sends requests without waiting for each, and gives one result per request, in order.
    pub async fn batch<Q>(&mut self, requests: impl IntoIterator<Item = Q>) -> Vec<Result<Q::Answer>>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        self.exchange_all(requests).await
    }

    /// Sends requests in one datagram, of which the first opens an envelope and the last closes it. Gives what each of
    /// the requests was refused with; where all are `None`, all was done.
    pub async fn envelope<Q>(&mut self, requests: &[Q]) -> Result<Vec<Option<Error>>>
    where
        Q: ToRequest<Answer = ()>,
    {
        self.exchange_enveloped(requests).await
    }

    /// Waits for the next event of the groups this connection joined.
    pub async fn next_event<E: Reply>(&mut self) -> Result<Notice<E::View<'_>>> {
        self.channel.await_event(E::INFO).await?;
        self.channel.take_event::<E>()
    }

    /// Sends a request and waits for nothing; see the blocking [`Connection::post`](crate::Connection::post). The
    /// kernel takes a request at once, so there is nothing to await.
    pub fn post(&mut self, request: impl ToRequest) -> Result<()> {
        self.channel.post(&request)
    }
}

impl<R: Reply> Listing<'_, R> {
    /// The next reply; `None` at the end. [`Error::Decode`] is about one message, and the next call goes on
    /// behind it; [`Error::Interrupted`] comes at the end.
    pub async fn next(&mut self) -> Result<Option<R::View<'_>>> {
        match self.advance().await? {
            Some(found) => self.view(found).map(Some),
            None => Ok(None),
        }
    }

    /// All replies, kept. Asks again when the kernel's tables changed during the dump; an error carries what
    /// came until then.
    pub async fn collect(self) -> std::result::Result<Vec<Owned<R>>, Partial<R>> {
        self.gather().await
    }

    /// All replies as values of their own, asked for again as by [`collect`](Self::collect), which keeps them in less
    /// room.
    pub async fn to_vec(self) -> Result<Vec<R>> {
        owned(&self.collect().await?)
    }
}

impl<E: Reply> Events<E> {
    /// Joins these groups in the namespace of the calling thread. Must be called inside a runtime.
    pub fn open(protocol: Protocol, groups: &[u32]) -> Result<Self> {
        Self::open_with(protocol, groups, &OpenOptions::new())
    }

    /// Joins these groups, in a namespace of choice.
    pub fn open_with(protocol: Protocol, groups: &[u32], options: &OpenOptions<'_>) -> Result<Self> {
        Self::on(Registered::over(open_events(protocol, &options.nonblocking())?)?, groups)
    }

    /// Waits for the next event.
    pub async fn next(&mut self) -> Result<Notice<E::View<'_>>> {
        self.channel.await_event(E::INFO).await?;
        self.channel.take_event::<E>()
    }
}
