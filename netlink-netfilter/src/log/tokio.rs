//! A log on a tokio reactor: the same calls as the blocking [`Log`](super::Log), with `.await`.

use netlink_core::tokio::Connection;

use super::listen::State;
use super::{Arrival, ConfigRequest, Packet};
use crate::{Error, OpenOptions, packet};

/// A socket that packets are logged to, on a tokio reactor.
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
    /// Opens a socket in the namespace of the calling thread and sends what [`bind`](super::bind) made. Must be called
    /// inside a runtime.
    pub async fn open(config: &ConfigRequest<()>) -> Result<Self, Error> {
        Self::open_with(config, &OpenOptions::new()).await
    }

    /// Opens a socket with a port or in a namespace of choice.
    pub async fn open_with(config: &ConfigRequest<()>, options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut log = Self { nl: packet::tokio::listening(options)?, state: State::default() };
        log.configure(config).await?;
        Ok(log)
    }

    /// Binds another group, unbinds one, or changes one. Packets that come meanwhile are kept.
    pub async fn configure(&mut self, config: &ConfigRequest<()>) -> Result<(), Error> {
        self.nl.call(config).await
    }

    /// Waits for the next packet.
    pub async fn next(&mut self) -> Result<Arrival<'_>, Error> {
        self.nl.next_event::<Packet<'static>>().await.map(|event| self.state.arrival(event))
    }

    /// The connection beneath, for its tracer and its socket.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.nl
    }
}
