//! Records of tasks that end.
//!
//! ```no_run
//! use netlink_generic::Notice;
//! use netlink_generic::taskstats::exit::Listener;
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut exits = Listener::open()?;
//! loop {
//!     match exits.next()? {
//!         Notice::Event { event: record, .. } => {
//!             if let Some(stats) = record.stats() {
//!                 println!("{} ({}) ended with {:?}", stats.comm, stats.pid, stats.exit_status());
//!             }
//!             if let Some(whole) = record.process().and_then(|process| process.stats()) {
//!                 println!("its process ended too, and waited {:?} for CPUs", whole.cpu().total);
//!             }
//!         }
//!         Notice::Overrun => println!("records were lost"),
//!     }
//! }
//! # }
//! ```
//!
//! Kernel behaviour worth knowing:
//!
//! - There is a record for each task that ends, also for a thread of a process that continues. The record of
//!   a process's last task, if the process had several, also has the sums of the process.
//! - A record is sent for the CPU that the task ends on. A CPU that is registered twice sends one record.
//! - Only sockets in the initial network namespace receive records. In another namespace, registering
//!   succeeds but no records arrive; open the listener in the initial one:
//!
//! ```no_run
//! use netlink_generic::taskstats::exit::Listener;
//! use netlink_generic::{Namespace, OpenOptions};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let initial = Namespace::of_process(1)?;
//! let exits = Listener::open_with(&OpenOptions::new().namespace(&initial))?;
//! # Ok(())
//! # }
//! ```
//!
//! - It needs `CAP_NET_ADMIN` in the initial user namespace, and a process in the initial PID namespace.
//!   Numbers of tasks and users are in the initial namespaces.
//! - The kernel does not report how many records were lost, only that some were: [`Notice::Overrun`].

#[cfg(feature = "tokio")]
pub mod tokio;

use std::fs;
use std::string::String;

use netlink_core::{Hint, Request, ToRequest};

use super::{QueryRequest, Record, Taskstats, deregister, register};
use crate::resolved::{Bound, admin};
use crate::{Client, Connection, Errno, Error, Notice, OpenOptions, Resolved};

const BUFFER: usize = 8 << 20;

/// The CPUs that the machine can have, as a list.
fn possible_cpus() -> Result<String, Error> {
    const FILE: &str = "/sys/devices/system/cpu/possible";
    let list = fs::read_to_string(FILE).map_err(|error| Error::io("read", &error).at(FILE))?;
    Ok(list.trim().into())
}

/// A request about CPUs, with an explanation of its errors.
struct Mask(Bound<()>);

impl Mask {
    fn new(family: &Resolved<Taskstats>, request: QueryRequest<()>) -> Self {
        Self(family.bind(request))
    }
}

impl ToRequest for Mask {
    type Answer = ();

    fn to_request(&self) -> &Request<()> {
        self.0.to_request()
    }

    fn hint(&self) -> Hint {
        |error, f| match error.errno() {
            Errno::EINVAL | Errno::ERANGE => f.write_str(
                "; it takes a process in the initial user and PID namespaces, and a list of CPUs that can be \
                 there",
            ),
            Errno::E2BIG => f.write_str("; the list of CPUs is too long"),
            _ => admin::<Taskstats>(error, f),
        }
    }
}

/// A socket that receives a record when a task ends.
///
/// Its receive buffer is 8 MiB if the process may set that, else the largest that the system allows. If the buffer
/// overflows, [`Notice::Overrun`] is returned once. Records of tasks that end while it is full are lost.
///
/// When the listener is dropped, it deregisters. Otherwise the kernel would send records to the next socket
/// with the same port.
#[derive(Debug)]
pub struct Listener {
    nl: Client<Taskstats>,
    /// All CPUs that can be registered.
    possible: String,
}

impl Listener {
    /// Opens a socket in the namespace of the calling thread and registers it for all CPUs.
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&OpenOptions::new())
    }

    /// Opens a socket with a given port or in a given namespace, and registers it for all CPUs.
    pub fn open_with(options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut listener = Self::idle(options)?;
        let all = register(&listener.possible);
        listener.ask(all)?;
        Ok(listener)
    }

    /// Opens a socket that is not registered for any CPU.
    pub fn idle(options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut nl = Client::connect_with(options)?;
        nl.connection().listen();
        // With a smaller buffer more records are lost, which is reported.
        let _ = nl.connection().socket().set_receive_buffer(BUFFER);
        Ok(Self { nl, possible: possible_cpus()? })
    }

    /// Registers for CPUs: a list such as `0-3,8`. See [`register`] for errors.
    pub fn register(&mut self, cpus: &str) -> Result<(), Error> {
        self.ask(register(cpus))
    }

    /// Deregisters CPUs. Records that have arrived are still returned.
    pub fn deregister(&mut self, cpus: &str) -> Result<(), Error> {
        self.ask(deregister(cpus))
    }

    fn ask(&mut self, request: QueryRequest<()>) -> Result<(), Error> {
        let mask = Mask::new(self.nl.family(), request);
        self.nl.connection().call(mask)
    }

    /// Waits for the next task to end. A record that can't be read is an [`Error::Decode`] with its bytes;
    /// the next call continues with the record after it.
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Notice<Record<'_>>, Error> {
        self.nl.connection().next_event::<Record<'static>>()
    }

    /// The underlying connection, for its time limit, [`stop_handle`](Connection::stop_handle), tracer and socket.
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
