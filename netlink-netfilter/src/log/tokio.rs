//! A log for tokio: the same calls as the blocking [`Log`](super::Log), with `.await`.

use netlink_core::tokio::Connection;

use super::listen::State;
use super::{Arrival, ConfigRequest, Packet};
use crate::{Error, OpenOptions, packet};

/// A socket that receives logged packets, for tokio.
///
/// ```no_run
/// use netlink_netfilter::log::{self, Arrival, Mode, tokio::Log};
///
/// # async fn print() -> Result<(), netlink_netfilter::Error> {
/// let mut log = Log::open(&log::bind(5, Mode::meta())).await?;
/// while let Arrival::Packet { packet, .. } = log.next().await? {
///     println!("{packet:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Log {
    nl: Connection,
    state: State,
}

impl Log {
    /// Opens a socket in the namespace of the calling thread, and sends a request of [`bind`](super::bind).
    /// Must be called inside a runtime.
    pub async fn open(config: &ConfigRequest<()>) -> Result<Self, Error> {
        Self::open_with(config, &OpenOptions::new()).await
    }

    /// Opens a socket with a given port or in a given namespace.
    pub async fn open_with(config: &ConfigRequest<()>, options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut log = Self { nl: packet::tokio::listening(options)?, state: State::default() };
        log.configure(config).await?;
        Ok(log)
    }

    /// Binds, unbinds or changes a further group. Packets that arrive meanwhile are kept.
    pub async fn configure(&mut self, config: &ConfigRequest<()>) -> Result<(), Error> {
        self.nl.call(config).await
    }

    /// Waits for the next packet.
    pub async fn next(&mut self) -> Result<Arrival<'_>, Error> {
        self.nl.next_event::<Packet<'static>>().await.map(|event| self.state.arrival(event))
    }

    /// The underlying connection, for its tracer and its socket.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.nl
    }
}
