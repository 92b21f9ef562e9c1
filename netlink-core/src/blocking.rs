//! The connection that waits in system calls. No thread, no runtime.

use std::time::Duration;

use crate::connection::{self, Block, Buffered, Channel, open, open_events, owned, prepare, ready};
use crate::error::Error;
use crate::message::Protocol;
use crate::request::{Dump, Owned, Reply, ToRequest};
use crate::socket::{OpenOptions, Socket, Stop};
use crate::{Notice, Partial};

type Result<T> = std::result::Result<T, Error>;

/// A connection that waits in system calls.
pub type Connection = connection::Connection<Socket>;

/// A listing of a connection that waits in system calls.
pub type Listing<'c, R> = connection::Listing<'c, R, Socket>;

/// A stream of events that waits in system calls.
pub type Events<E> = connection::Events<E, Socket>;

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

    /// Takes over a socket, with the switches a connection wants. What waits in it for its former owner is read away.
    pub fn from_socket(socket: Socket) -> Result<Self> {
        prepare(&socket);
        let mut connection = Self::of(socket)?;
        ready(connection.channel.inherit());
        Ok(connection)
    }

    fn of(socket: Socket) -> Result<Self> {
        let mut connection = Self { channel: Channel::new(socket)? };
        connection.set_timeout(Some(Duration::from_secs(60)))?;
        Ok(connection)
    }

    /// How long to wait for the next message of the answer; `None` is for ever. It is about silence: a dump may take as
    /// long as it likes while it keeps coming. Events, signals and what others send don't count as an answer.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.channel.socket.set_send_timeout(timeout)?;
        self.channel.socket.set_receive_timeout(timeout)?;
        self.channel.set_timeout(timeout);
        Ok(())
    }

    /// The socket, for its options.
    pub fn socket_mut(&mut self) -> &mut Socket {
        &mut self.channel.socket
    }

    /// A handle that ends the waiting of this connection from another thread, with [`Error::Stopped`].
    pub fn stop_handle(&mut self) -> Result<Stop> {
        self.channel.socket.stop_handle()
    }
}

impl<S: Block> connection::Connection<S> {
    /// Sends a request and waits for its answer: an acknowledgement or one reply.
    #[inline]
    pub fn call<Q>(&mut self, request: Q) -> Result<Q::Answer>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        ready(self.exchange(request))
    }

    /// Sends a request that lists, and gives its replies one by one, each looked at in the receive buffer.
    ///
    /// A listing may be dropped at any point; the rest of it is read away before the next one.
    pub fn dump<Q, R>(&mut self, request: Q) -> Result<connection::Listing<'_, R, S>>
    where
        Q: ToRequest<Answer = Dump<R>>,
        R: Reply,
    {
        ready(self.list(request))
    }

    /// Sends requests without waiting for each, and gives one result per request, in order.
    ///
    /// They travel in datagrams of up to 64 KiB, as many at a time as the buffers have room for, with their answers; on
    /// a connection that takes events, with those that the requests themselves cause. A request that fails doesn't keep
    /// the later ones from being done, nor does one that is too large to be sent. Should the receive buffer overflow all
    /// the same, because of others' events or a request that alone causes more of them than it holds, the first request
    /// without an answer is an [`Error::Overrun`], others in the same datagram are [`Error::Unanswered`], and the rest
    /// goes on.
    pub fn batch<Q>(&mut self, requests: impl IntoIterator<Item = Q>) -> Vec<Result<Q::Answer>>
    where
        Q: ToRequest,
        Q::Answer: Reply,
    {
        ready(self.exchange_all(requests))
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
        ready(self.exchange_enveloped(requests))
    }

    /// Waits for the next event of the groups this connection joined.
    #[inline]
    pub fn next_event<E: Reply>(&mut self) -> Result<Notice<E::View<'_>>> {
        ready(self.channel.await_event(E::INFO))?;
        self.channel.take_event::<E>()
    }

    /// Sends a request and waits for nothing.
    ///
    /// If the kernel refuses it and this connection [listens](Self::listen), a later [`next_event`](Self::next_event)
    /// fails with [`Error::Kernel`], which holds the request ([`ExtAck::request`](crate::ExtAck::request)).
    #[inline]
    pub fn post(&mut self, request: impl ToRequest) -> Result<()> {
        self.channel.post(&request)
    }
}

impl<R: Reply, S: Block> connection::Listing<'_, R, S> {
    /// The next reply; `None` at the end.
    ///
    /// [`Error::Decode`] is about one message, and the next call goes on behind it. [`Error::Interrupted`] comes
    /// at the end, after every reply was given: the kernel's tables changed meanwhile.
    #[inline]
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Option<R::View<'_>>> {
        let found = loop {
            match self.buffered()? {
                Buffered::Reply(found) => break found,
                Buffered::Nothing => ready(self.refill())?,
                Buffered::End => return Ok(None),
            }
        };
        self.view(found).map(Some)
    }

    /// All replies, kept. Asks again, up to [`Connection::set_dump_retries`] times, when the kernel's tables
    /// changed during the dump; an error carries what came until then.
    pub fn collect(self) -> std::result::Result<Vec<Owned<R>>, Partial<R>> {
        ready(self.gather())
    }

    /// All replies as values of their own, asked for again as by [`collect`](Self::collect), which keeps them in less
    /// room. One that can't be read is an [`Error::Decode`] in place of all.
    pub fn to_vec(self) -> Result<Vec<R>> {
        owned(&self.collect()?)
    }
}

impl<E: Reply> Events<E> {
    /// Joins these groups in the namespace of the calling thread.
    pub fn open(protocol: Protocol, groups: &[u32]) -> Result<Self> {
        Self::open_with(protocol, groups, &OpenOptions::new())
    }

    /// Joins these groups, in a namespace of choice.
    pub fn open_with(protocol: Protocol, groups: &[u32], options: &OpenOptions<'_>) -> Result<Self> {
        Self::on(open_events(protocol, options)?, groups)
    }

    /// Waits for the next event. An event that can't be read is an [`Error::Decode`] with its bytes; the next
    /// call goes on behind it.
    #[inline]
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Notice<E::View<'_>>> {
        ready(self.channel.await_event(E::INFO))?;
        self.channel.take_event::<E>()
    }

    /// How long [`next`](Self::next) waits before it fails with [`Error::Timeout`]; `None`, the default, is
    /// for ever. The stream goes on afterwards.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.channel.socket.set_receive_timeout(timeout)?;
        self.channel.set_timeout(timeout);
        Ok(())
    }

    /// A handle that ends the waiting from another thread, with [`Error::Stopped`].
    pub fn stop_handle(&mut self) -> Result<Stop> {
        self.channel.socket.stop_handle()
    }

    /// The socket, for its switches.
    pub fn socket_mut(&mut self) -> &mut Socket {
        &mut self.channel.socket
    }
}
