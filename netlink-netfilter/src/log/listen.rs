//! A socket that packets are logged to.

use std::time::Duration;

use super::{ConfigRequest, Packet};
use crate::packet::{self, Gaps};
use crate::{Connection, Error, Notice, OpenOptions};

/// What comes from a group.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)]
pub enum Arrival<'a> {
    /// A logged packet.
    Packet {
        /// The packet; its payload stands in the receive buffer.
        packet: Packet<'a>,
        /// How many packets of its group were lost before it, because the receive buffer was full. `None` if the group
        /// doesn't number them ([`LogFlags::SEQ`](super::LogFlags::SEQ)): then nothing tells.
        missed: Option<u32>,
    },
    /// Something was lost here. Only where the socket reports `ENOBUFS`, see [`Log`].
    Overrun,
}

/// The numbers seen, of each group.
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

/// A socket that packets are logged to, from one group or from several.
///
/// Its receive buffer is 64 MiB where the process may, else as large as the system allows. What overflows all the same
/// is counted by the packets' numbers and told with the next packet: `NETLINK_NO_ENOBUFS` is on, as the kernel would
/// otherwise drop everything until the buffer has been read empty. Turn it off with
/// `log.connection().socket_mut().set(Switch::NO_ENOBUFS, false)` to be told of an overflow at once.
#[derive(Debug)]
pub struct Log {
    nl: Connection,
    state: State,
    timeout: Option<Duration>,
}

impl Log {
    /// Opens a socket in the namespace of the calling thread and sends what [`bind`](super::bind) made.
    pub fn open(config: &ConfigRequest<()>) -> Result<Self, Error> {
        Self::open_with(config, &OpenOptions::new())
    }

    /// Opens a socket with a port or in a namespace of choice.
    pub fn open_with(config: &ConfigRequest<()>, options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut log = Self { nl: packet::listening(options)?, state: State::default(), timeout: None };
        log.configure(config)?;
        Ok(log)
    }

    /// Binds another group, unbinds one, or changes one. Packets that come meanwhile are kept.
    pub fn configure(&mut self, config: &ConfigRequest<()>) -> Result<(), Error> {
        packet::configure(&mut self.nl, config, self.timeout)
    }

    /// Waits for the next packet. One that can't be read is an [`Error::Decode`] with its bytes, and the next call goes
    /// on behind it.
    #[inline]
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Arrival<'_>, Error> {
        self.nl.next_event::<Packet<'static>>().map(|event| self.state.arrival(event))
    }

    /// How long [`next`](Self::next) waits before it fails with [`Error::Timeout`]; `None`, the default, is for ever.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        self.timeout = timeout;
        self.nl.set_timeout(timeout)
    }

    /// The connection beneath, for its [`stop_handle`](Connection::stop_handle), its tracer, and its socket.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.nl
    }
}
