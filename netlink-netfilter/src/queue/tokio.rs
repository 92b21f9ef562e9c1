//! A queue for tokio: the same calls as the blocking [`Queue`](super::Queue), with `.await` where it waits.

use netlink_core::tokio::Connection;

use super::listen::State;
use super::{Arrival, ConfigRequest, Packet, Ticket, Verdict, VerdictRequest, Verdicts};
use crate::{Error, OpenOptions, packet};

/// A socket that receives queued packets, for tokio.
///
/// ```no_run
/// use netlink_netfilter::queue::{self, Arrival, Params, Verdict, tokio::Queue};
///
/// # async fn accept_all() -> Result<(), netlink_netfilter::Error> {
/// let mut queue = Queue::open(&queue::bind(0, Params::meta())).await?;
/// loop {
///     if let Arrival::Packet { packet, .. } = queue.next().await? {
///         let ticket = packet.ticket();
///         queue.verdict(ticket, Verdict::ACCEPT)?;
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Queue {
    nl: Connection,
    state: State,
}

impl Queue {
    /// Opens a socket in the namespace of the calling thread, and sends a request of [`bind`](super::bind).
    /// Must be called inside a runtime.
    pub async fn open(config: &ConfigRequest<()>) -> Result<Self, Error> {
        Self::open_with(config, &OpenOptions::new()).await
    }

    /// Opens a socket with a given port or in a given namespace.
    pub async fn open_with(config: &ConfigRequest<()>, options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut queue = Self { nl: packet::tokio::listening(options)?, state: State::default() };
        queue.configure(config).await?;
        Ok(queue)
    }

    /// Binds, unbinds or changes a further queue. Packets that arrive meanwhile are kept.
    pub async fn configure(&mut self, config: &ConfigRequest<()>) -> Result<(), Error> {
        self.nl.call(config).await
    }

    /// Waits for the next packet.
    pub async fn next(&mut self) -> Result<Arrival<'_>, Error> {
        self.state.arrival(self.nl.next_event::<Packet<'static>>().await)
    }

    /// Sends a verdict without waiting.
    pub fn verdict(&mut self, ticket: Ticket, verdict: Verdict) -> Result<(), Error> {
        self.verdict_with(ticket, verdict, |request| request)
    }

    /// Sends a verdict that changes the packet, without waiting.
    pub fn verdict_with(
        &mut self,
        ticket: Ticket,
        verdict: Verdict,
        change: impl FnOnce(VerdictRequest<()>) -> VerdictRequest<()>,
    ) -> Result<(), Error> {
        let nl = &mut self.nl;
        self.state.verdict((ticket, verdict), change, |request| nl.post(request))
    }

    /// Sends a verdict of [`verdict`](super::verdict) or [`verdict_up_to`](super::verdict_up_to) without waiting.
    pub fn send(&mut self, verdict: &VerdictRequest<()>) -> Result<(), Error> {
        self.nl.post(verdict)
    }

    /// A handle that sends verdicts from other tasks while this task waits for packets.
    pub fn verdicts(&self) -> Result<Verdicts, Error> {
        Verdicts::of(self.nl.socket())
    }

    /// The underlying connection, for its tracer and its socket.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.nl
    }
}
