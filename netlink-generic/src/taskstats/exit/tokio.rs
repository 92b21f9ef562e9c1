//! A listener for tokio: the same calls as the blocking [`Listener`](super::Listener), with `.await`.

use std::string::String;

use super::{BUFFER, Mask, possible_cpus};
use crate::taskstats::{QueryRequest, Record, Taskstats, deregister, register};
use crate::tokio::{Client, Connection};
use crate::{Error, Notice, OpenOptions};

/// A socket that receives a record when a task ends, for tokio.
///
/// ```no_run
/// use netlink_generic::Notice;
/// use netlink_generic::taskstats::exit::tokio::Listener;
///
/// # async fn print() -> Result<(), netlink_generic::Error> {
/// let mut exits = Listener::open().await?;
/// while let Notice::Event { event: record, .. } = exits.next().await? {
///     println!("{record:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    nl: Client<Taskstats>,
    /// All CPUs that can be registered.
    possible: String,
}

impl Listener {
    /// Opens a socket in the namespace of the calling thread and registers it for all CPUs. Must be called inside a
    /// runtime.
    pub async fn open() -> Result<Self, Error> {
        Self::open_with(&OpenOptions::new()).await
    }

    /// Opens a socket with a given port or in a given namespace, and registers it for all CPUs.
    pub async fn open_with(options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut listener = Self::idle(options).await?;
        let all = register(&listener.possible);
        listener.ask(all).await?;
        Ok(listener)
    }

    /// Opens a socket that is not registered for any CPU.
    pub async fn idle(options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut nl = Client::connect_with(options).await?;
        nl.connection().listen();
        // With a smaller buffer more records are lost, which is reported.
        let _ = nl.connection().socket().set_receive_buffer(BUFFER);
        Ok(Self { nl, possible: possible_cpus()? })
    }

    /// Registers for CPUs: a list such as `0-3,8`.
    pub async fn register(&mut self, cpus: &str) -> Result<(), Error> {
        self.ask(register(cpus)).await
    }

    /// Deregisters CPUs.
    pub async fn deregister(&mut self, cpus: &str) -> Result<(), Error> {
        self.ask(deregister(cpus)).await
    }

    async fn ask(&mut self, request: QueryRequest<()>) -> Result<(), Error> {
        let mask = Mask::new(self.nl.family(), request);
        self.nl.connection().call(mask).await
    }

    /// Waits for the next task to end.
    pub async fn next(&mut self) -> Result<Notice<Record<'_>>, Error> {
        self.nl.connection().next_event::<Record<'static>>().await
    }

    /// The underlying connection, for its tracer and socket.
    pub fn connection(&mut self) -> &mut Connection {
        self.nl.connection()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let end = Mask::new(self.nl.family(), deregister(&self.possible));
        let _ = self.nl.connection().post(end);
    }
}
