//! A socket that receives logged packets.

use std::time::Duration;

use super::{ConfigRequest, Packet};
use crate::packet::{self, Gaps};
use crate::{Connection, Error, Notice, OpenOptions};

/// What a group delivers.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)]
pub enum Arrival<'a> {
    /// A logged packet.
    Packet {
        /// The packet; its payload is in the receive buffer.
        packet: Packet<'a>,
        /// Number of packets of its group that were lost before it because the receive buffer was full. `None` if the
        /// group does not number its packets ([`LogFlags::SEQ`](super::LogFlags::SEQ)): then losses are unknown.
        missed: Option<u32>,
    },
    /// Packets were lost. Only if the socket reports `ENOBUFS`, see [`Log`].
    Overrun,
}

/// The last number of each group.
#[derive(Debug, Default)]
pub(super) struct State(Gaps);

impl State {
    #[inline]
    pub(super) fn arrival<'a>(&mut self, event: Notice<Packet<'a>>) -> Arrival<'a> {
        match event {
            Notice::Event { event: packet, .. } => {
                let missed = packet.seq().map(|seq| self.0.missed(packet.group(), seq, 0));
                Arrival::Packet { packet, missed }
            }
            Notice::Overrun => Arrival::Overrun,
        }
    }
}

/// A socket that receives logged packets of one or more groups.
///
/// Its receive buffer is 64 MiB if the process may set that, else the largest that the system allows. If the buffer
/// overflows, the numbers of the packets show how many were lost, and the next packet reports it. For this,
/// `NETLINK_NO_ENOBUFS` is on; otherwise the kernel would drop all packets until the buffer is read empty. To receive
/// an overflow at once, turn it off with `log.connection().socket_mut().set(Switch::NO_ENOBUFS, false)`.
#[derive(Debug)]
pub struct Log {
    nl: Connection,
    state: State,
    timeout: Option<Duration>,
}

impl Log {
    /// Opens a socket in the namespace of the calling thread, and sends a request of [`bind`](super::bind).
    pub fn open(config: &ConfigRequest<()>) -> Result<Self, Error> {
        Self::open_with(config, &OpenOptions::new())
    }

    /// Opens a socket with a given port or in a given namespace.
    pub fn open_with(config: &ConfigRequest<()>, options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut log = Self { nl: packet::listening(options)?, state: State::default(), timeout: None };
        log.configure(config)?;
        Ok(log)
    }

    /// Binds, unbinds or changes a further group. Packets that arrive meanwhile are kept.
    pub fn configure(&mut self, config: &ConfigRequest<()>) -> Result<(), Error> {
        packet::configure(&mut self.nl, config, self.timeout)
    }

    /// Waits for the next packet. A packet that can't be read is an [`Error::Decode`] with its bytes; the
    /// next call continues after it.
    #[inline]
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Arrival<'_>, Error> {
        self.nl.next_event::<Packet<'static>>().map(|event| self.state.arrival(event))
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
