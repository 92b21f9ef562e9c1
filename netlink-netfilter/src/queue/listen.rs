//! A socket that receives queued packets.

use core::fmt;
use std::os::fd::AsFd as _;
use std::time::Duration;

use netlink_core::Messages;

use super::{ConfigRequest, Packet, Ticket, Verdict, VerdictRequest};
use crate::packet::{self, Gaps};
use crate::{Connection, Error, Notice, OpenOptions, Socket, ToRequest as _};

/// What a queue delivers.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)]
pub enum Arrival<'a> {
    /// A packet that waits for a verdict.
    Packet {
        /// The packet; its payload is in the receive buffer.
        packet: Packet<'a>,
        /// Number of packets of its queue that were lost before it because the receive buffer was full. They
        /// were dropped, or accepted with [`QueueFlags::FAIL_OPEN`](super::QueueFlags::FAIL_OPEN).
        missed: u32,
    },
    /// The kernel refused a verdict.
    Refused(Refused),
    /// Packets or refusals were lost. Only if the socket reports `ENOBUFS`, see [`Queue`].
    Overrun,
}

/// A verdict that the kernel refused.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused {
    /// The packet of the verdict.
    pub ticket: Ticket,
    /// The reason. `ENOENT`: no such packet waits.
    pub error: Error,
}

impl Refused {
    /// The packet of a refused verdict; returns any other error unchanged.
    fn of(error: Error) -> Result<Self, Error> {
        let ticket = match &error {
            Error::Kernel(refusal) => ticket(refusal.ext_ack().request()),
            _ => None,
        };
        match ticket {
            Some(ticket) => Ok(Self { ticket, error }),
            None => Err(error),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet {} of queue {}: {}", self.ticket.id, self.ticket.queue, self.error)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

fn ticket(verdict: &[u8]) -> Option<Ticket> {
    let message = Messages::new(verdict).next()?.ok()?;
    let kind = message.header.kind.0;
    if kind != Packet::VERDICT.number && kind != Packet::VERDICT_BATCH.number {
        return None;
    }
    let packet = Packet::read(&message).ok()?;
    Some(Ticket { queue: packet.header().resource.0, id: packet.verdict_header()?.id.0 })
}

/// State between packets.
#[derive(Debug, Default)]
pub(super) struct State {
    gaps: Gaps,
    /// A sent verdict whose memory the next one reuses.
    spare: Option<VerdictRequest<()>>,
}

impl State {
    #[inline]
    pub(super) fn arrival<'a>(
        &mut self,
        event: Result<Notice<Packet<'a>>, Error>,
    ) -> Result<Arrival<'a>, Error> {
        match event {
            Ok(Notice::Event { event: packet, .. }) => {
                let Ticket { queue, id } = packet.ticket();
                let missed = self.gaps.missed(queue, id, 1);
                Ok(Arrival::Packet { packet, missed })
            }
            Ok(Notice::Overrun) => Ok(Arrival::Overrun),
            Err(error) => Refused::of(error).map(Arrival::Refused),
        }
    }

    /// Writes a verdict and passes it to `send`.
    #[inline]
    pub(super) fn verdict(
        &mut self,
        (ticket, verdict): (Ticket, Verdict),
        change: impl FnOnce(VerdictRequest<()>) -> VerdictRequest<()>,
        send: impl FnOnce(&VerdictRequest<()>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let request = match self.spare.take() {
            Some(spare) => spare.about(ticket, verdict),
            None => super::verdict(ticket, verdict),
        };
        let request = change(request);
        let sent = send(&request);
        // The caller may have replaced it by another request.
        self.spare =
            Some(request).filter(|request| request.to_request().info().number == Packet::VERDICT.number);
        sent
    }
}

/// A socket that receives queued packets of one or more queues.
///
/// Its receive buffer is 64 MiB if the process may set that, else the largest that the system allows. If the buffer
/// overflows, the numbers of the packets show how many were lost, and the next packet reports it. For this,
/// `NETLINK_NO_ENOBUFS` is on; otherwise the kernel would drop all packets until the buffer is read empty. To receive
/// an overflow at once, turn it off with `queue.connection().socket_mut().set(Switch::NO_ENOBUFS, false)`.
#[derive(Debug)]
pub struct Queue {
    nl: Connection,
    state: State,
    timeout: Option<Duration>,
}

impl Queue {
    /// Opens a socket in the namespace of the calling thread, and sends a request of [`bind`](super::bind).
    pub fn open(config: &ConfigRequest<()>) -> Result<Self, Error> {
        Self::open_with(config, &OpenOptions::new())
    }

    /// Opens a socket with a given port or in a given namespace.
    pub fn open_with(config: &ConfigRequest<()>, options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut queue = Self { nl: packet::listening(options)?, state: State::default(), timeout: None };
        queue.configure(config)?;
        Ok(queue)
    }

    /// Binds, unbinds or changes a further queue. Packets that arrive meanwhile are kept.
    pub fn configure(&mut self, config: &ConfigRequest<()>) -> Result<(), Error> {
        packet::configure(&mut self.nl, config, self.timeout)
    }

    /// Waits for the next packet. A packet that can't be read is an [`Error::Decode`] with its bytes; the
    /// next call continues after it.
    #[inline]
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Arrival<'_>, Error> {
        self.state.arrival(self.nl.next_event::<Packet<'static>>())
    }

    /// Sends a verdict without waiting. A refused verdict is returned later as [`Arrival::Refused`].
    #[inline]
    pub fn verdict(&mut self, ticket: Ticket, verdict: Verdict) -> Result<(), Error> {
        self.verdict_with(ticket, verdict, |request| request)
    }

    /// Sends a verdict that changes the packet, for example its mark or its payload.
    ///
    /// ```no_run
    /// # use netlink_netfilter::queue::{Queue, Ticket, Verdict};
    /// # fn marked(queue: &mut Queue, ticket: Ticket) -> Result<(), netlink_netfilter::Error> {
    /// queue.verdict_with(ticket, Verdict::REPEAT, |packet| packet.mark(7))
    /// # }
    /// ```
    #[inline]
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

    /// A handle that sends verdicts from other threads while this thread waits for packets.
    pub fn verdicts(&self) -> Result<Verdicts, Error> {
        Verdicts::of(self.nl.socket())
    }

    /// How long [`next`](Self::next) waits before it fails with [`Error::Timeout`]; `None`, the default,
    /// waits without limit.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        self.timeout = timeout;
        self.nl.set_timeout(timeout)
    }

    /// The underlying connection, for its [`stop_handle`](Connection::stop_handle), its tracer, and its socket.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.nl
    }
}

/// Sends verdicts over the socket of a [`Queue`], from any thread.
///
/// The queue returns refused verdicts as [`Arrival::Refused`]. The queue stays bound, and its packets wait,
/// until the last handle is dropped.
#[derive(Debug)]
pub struct Verdicts(Socket);

impl Verdicts {
    pub(super) fn of(socket: &Socket) -> Result<Self, Error> {
        let copy = socket
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| Error::io("fcntl(F_DUPFD_CLOEXEC)", &error))?;
        Socket::try_from(copy).map(Self)
    }

    /// Sends a verdict of [`verdict`](super::verdict) or [`verdict_up_to`](super::verdict_up_to).
    pub fn send(&self, verdict: &VerdictRequest<()>) -> Result<(), Error> {
        self.0.send(&verdict.to_request().to_bytes()?)
    }
}
