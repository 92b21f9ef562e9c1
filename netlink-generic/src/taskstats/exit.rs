//! Who is told when tasks end.
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
//!                 println!("and with it its process: {:?} waited for CPUs", whole.cpu().total);
//!             }
//!         }
//!         Notice::Overrun => println!("more ended than there was room for"),
//!     }
//! }
//! # }
//! ```
//!
//! What the kernel does, where one might wonder:
//!
//! - There is a record for each task that ends, also for the threads of a process that lives on. The last task of a
//!   process that had several brings the sums of the process with it.
//! - It tells by the CPU that a task ends on. A CPU that is registered twice tells once.
//! - It tells sockets of the initial network namespace only. From another one, open the listener in there; to register
//!   is no error, but nothing comes:
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
//! - It takes `CAP_NET_ADMIN` in the initial user namespace, and a process in the initial PID namespace. Numbers of tasks
//!   and users are those of the initial namespaces.
//! - Records are not numbered by anything that tells how many were lost: only that some were, as
//!   [`Notice::Overrun`].

#[cfg(feature = "tokio")]
pub mod tokio;

use std::fs;
use std::string::String;

use netlink_core::{Hint, Request, ToRequest};

use super::{QueryRequest, Record, Taskstats, deregister, register};
use crate::resolved::{Bound, admin};
use crate::{Client, Connection, Errno, Error, Notice, OpenOptions, Resolved};

/// The receive buffer it asks for.
const BUFFER: usize = 8 << 20;

/// The CPUs that can be there, as a list.
fn possible_cpus() -> Result<String, Error> {
    const FILE: &str = "/sys/devices/system/cpu/possible";
    let list = fs::read_to_string(FILE).map_err(|error| Error::io("read", &error).at(FILE))?;
    Ok(list.trim().into())
}

/// A request about CPUs, whose refusals are explained.
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

/// A socket that is told when tasks end.
///
/// Its receive buffer is 8 MiB where the process may, else as large as the system allows. What overflows all the same
/// is told once, as [`Notice::Overrun`]; what ends while the buffer is full is lost.
///
/// Dropped, it takes back what it registered. The kernel would otherwise go on telling whichever socket has the same
/// port next.
#[derive(Debug)]
pub struct Listener {
    nl: Client<Taskstats>,
    /// All that may be registered.
    possible: String,
}

impl Listener {
    /// Opens a socket in the namespace of the calling thread and registers it for all CPUs.
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&OpenOptions::new())
    }

    /// Opens a socket with a port or in a namespace of choice and registers it for all CPUs.
    pub fn open_with(options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut listener = Self::idle(options)?;
        let all = register(&listener.possible);
        listener.ask(all)?;
        Ok(listener)
    }

    /// Opens a socket that is registered for no CPU yet.
    pub fn idle(options: &OpenOptions<'_>) -> Result<Self, Error> {
        let mut nl = Client::connect_with(options)?;
        nl.connection().listen();
        // A smaller buffer loses more, and says so.
        let _ = nl.connection().socket().set_receive_buffer(BUFFER);
        Ok(Self { nl, possible: possible_cpus()? })
    }

    /// Registers it for CPUs: a list such as `0-3,8`. See [`register`] for what is refused.
    pub fn register(&mut self, cpus: &str) -> Result<(), Error> {
        self.ask(register(cpus))
    }

    /// Takes CPUs back. Records that came until then are still given out.
    pub fn deregister(&mut self, cpus: &str) -> Result<(), Error> {
        self.ask(deregister(cpus))
    }

    fn ask(&mut self, request: QueryRequest<()>) -> Result<(), Error> {
        let mask = Mask::new(self.nl.family(), request);
        self.nl.connection().call(mask)
    }

    /// Waits for the next task to end. A record that can't be read is an [`Error::Decode`] with its bytes, and the next
    /// call goes on behind it.
    #[allow(clippy::should_implement_trait)] // what it gives borrows from it
    pub fn next(&mut self) -> Result<Notice<Record<'_>>, Error> {
        self.nl.connection().next_event::<Record<'static>>()
    }

    /// The connection beneath, for its time limit, its [`stop_handle`](Connection::stop_handle), its tracer and its
    /// socket.
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
