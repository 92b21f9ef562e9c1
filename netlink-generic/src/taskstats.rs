//! Resources that tasks and processes used, and delays that they had, while they run and when they end.
//! `getdelays` and `iotop` use it. Kernel side: `uapi/linux/taskstats.h`, `kernel/taskstats.c`,
//! `kernel/tsacct.c`, `kernel/delayacct.c`, `Documentation/accounting/`.
//!
//! A task is a thread, identified by its own number. A process is a thread group, identified by the number of
//! its first thread.
//!
//! ```no_run
//! use netlink_generic::taskstats;
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = taskstats::connect()?;
//! let record = nl.call(taskstats::task(std::process::id()))?;
//! if let Some(stats) = record.stats() {
//!     println!("{}: {:?} of user time, {} bytes read", stats.comm, stats.user_time(), stats.read_bytes);
//!     println!("waited for a CPU {:?} at a time", stats.cpu().average());
//! }
//! // All its threads, including those that ended.
//! let whole = nl.call(taskstats::process(std::process::id()))?;
//! println!("{:?}", whole.stats().map(|stats| stats.blkio().total));
//! match nl.call(taskstats::task(4_000_000)) {
//!     Err(error) if error.is_not_found() => println!("no such task"),
//!     other => println!("{other:?}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! With tokio it is the same, with `.await`:
//!
//! ```no_run
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), netlink_generic::Error> {
//! use netlink_generic::taskstats;
//!
//! let mut nl = taskstats::tokio::connect().await?;
//! let record = nl.call(taskstats::task(1)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! An [`exit::Listener`] receives a record when a task ends.
//!
//! # What the kernel reports
//!
//! - Requests need `CAP_NET_ADMIN` in the initial user namespace. Numbers are in the PID namespace of the
//!   requester.
//! - Linux 5.10 has the family in the initial network namespace only: connect there. Linux 6.1 has it in all.
//! - For a process, the kernel sums up delays, context switches and times; all else is 0. For a process that
//!   ended, some releases, such as 6.18.15, sum up only the delays and leave the version 0. 5.10 and 6.1.176
//!   do the same, but set the version.
//! - Only the delay for a CPU is always measured. The other delays need `kernel.task_delayacct` (or
//!   `delayacct` on the kernel's command line) to be on when the task is created.
//! - [`TaskStats::version`] says which fields a kernel has: 13 in Linux 6.1, 14 in 6.12, 16 in 6.18, 17 in
//!   7.3. Fields that the kernel does not have are `None`.

mod cgroup;
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod exit;
mod stats;

use netlink_core::{Flag, MessageFlags, Str, attrs};

pub use cgroup::{
    Cgroup, CgroupAttrs, CgroupQuery, CgroupQueryAttrs, CgroupReply, CgroupRequest, CgroupStats, cgroup,
};
pub use stats::{AccountFlags, Comm, Delay, Policy, TaskStats};

use crate::{Header, family, message};
pub use netlink_core::net::Timespec;

family! {
    /// Statistics of tasks.
    pub struct Taskstats(Header): "TASKSTATS" = 1 { Query, Record, CgroupQuery, Cgroup }
}

message! {
    /// A request.
    pub struct Query<'a>(Taskstats, QueryAttrs<'a>), QueryRequest {
        /// Asks for one task or process, or to receive a record when tasks end.
        1 TASKSTATS_CMD_GET GET,
    }
}

attrs! {
    /// `TASKSTATS_CMD_ATTR_*`. The kernel uses only one: a mask, else a task, else a process.
    pub struct QueryAttrs<'a> for QueryRequest<R> {
        /// Number of the task.
        1 TASKSTATS_CMD_ATTR_PID pid: u32,
        /// Number of the process.
        2 TASKSTATS_CMD_ATTR_TGID tgid: u32,
        /// Register for tasks that end on these CPUs, a list such as `0-3,8`.
        3 TASKSTATS_CMD_ATTR_REGISTER_CPUMASK register_cpumask: Str<'a>,
        /// Deregister for these CPUs.
        4 TASKSTATS_CMD_ATTR_DEREGISTER_CPUMASK deregister_cpumask: Str<'a>,
    }
}

message! {
    /// Statistics of a task or process, or of a task that ended.
    pub struct Record<'a>(Taskstats, RecordAttrs<'a>), RecordReply {
        /// The answer. Sent without a request when a task ends.
        2 TASKSTATS_CMD_NEW NEW [received],
    }
}

attrs! {
    /// `TASKSTATS_TYPE_AGGR_*`.
    pub struct RecordAttrs<'a> for RecordReply<R> {
        /// The task.
        4 TASKSTATS_TYPE_AGGR_PID task: SubjectAttrs<'a>,
        /// The process. For a task that ended: only if it was the last of several.
        5 TASKSTATS_TYPE_AGGR_TGID process: SubjectAttrs<'a>,
        /// Empty: aligns the next attribute on architectures that need it.
        6 TASKSTATS_TYPE_NULL null: Flag,
    }
}

attrs! {
    /// `TASKSTATS_TYPE_*`: a task or a process, and its statistics.
    pub struct SubjectAttrs<'a> for Subject {
        /// Number of the task.
        1 TASKSTATS_TYPE_PID pid: u32,
        /// Number of the process.
        2 TASKSTATS_TYPE_TGID tgid: u32,
        /// The statistics.
        3 TASKSTATS_TYPE_STATS stats: TaskStats,
    }
}

impl Record<'_> {
    /// The statistics of the task, or else of the process.
    pub fn stats(&self) -> Option<TaskStats> {
        self.task().or_else(|| self.process())?.stats()
    }
}

/// Asks for a task. `ESRCH` if there is none.
pub fn task(pid: u32) -> QueryRequest<Record<'static>> {
    QueryRequest::new(&Query::GET, MessageFlags::empty()).pid(pid)
}

/// Asks for a process. `ESRCH` if there is none.
pub fn process(tgid: u32) -> QueryRequest<Record<'static>> {
    QueryRequest::new(&Query::GET, MessageFlags::empty()).tgid(tgid)
}

/// Registers for tasks that end on these CPUs, a list such as `0-3,8`. A [`Listener`](exit::Listener) does
/// this, and receives the records.
///
/// `EINVAL` outside of the initial user and PID namespaces, and for a text that is not a list; that or
/// `ERANGE` for a CPU that the machine cannot have; `E2BIG` if the text is longer than any list can be.
pub fn register(cpus: &str) -> QueryRequest<()> {
    QueryRequest::new(&Query::GET, MessageFlags::ACK).register_cpumask(cpus)
}

/// Deregisters for these CPUs. CPUs that were never registered are not an error.
pub fn deregister(cpus: &str) -> QueryRequest<()> {
    QueryRequest::new(&Query::GET, MessageFlags::ACK).deregister_cpumask(cpus)
}
