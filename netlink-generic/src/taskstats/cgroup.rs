//! Tasks of a cgroup, counted by state. Kernel side: `uapi/linux/cgroupstats.h`, `kernel/cgroup/cgroup-v1.c`.

use netlink_core::{MessageFlags, attrs, layout};

use super::Taskstats;
use crate::message;

message! {
    /// A request about a cgroup.
    pub struct CgroupQuery<'a>(Taskstats, CgroupQueryAttrs<'a>), CgroupRequest {
        /// Asks for one cgroup.
        4 CGROUPSTATS_CMD_GET GET,
    }
}

attrs! {
    /// `CGROUPSTATS_CMD_ATTR_*`.
    pub struct CgroupQueryAttrs<'a> for CgroupRequest<R> {
        /// Descriptor of the cgroup's directory, open in the requester.
        1 CGROUPSTATS_CMD_ATTR_FD fd: u32,
    }
}

message! {
    /// Numbers of tasks of a cgroup.
    pub struct Cgroup<'a>(Taskstats, CgroupAttrs<'a>), CgroupReply {
        /// The answer.
        5 CGROUPSTATS_CMD_NEW NEW [received],
    }
}

attrs! {
    /// `CGROUPSTATS_TYPE_*`.
    pub struct CgroupAttrs<'a> for CgroupReply<R> {
        /// The numbers.
        1 CGROUPSTATS_TYPE_CGROUP_STATS stats: CgroupStats,
    }
}

layout! {
    /// `struct cgroupstats`: number of tasks of a cgroup in each state.
    pub struct CgroupStats: cgroupstats = 40 {
        /// Sleeping. Since Linux 6.1, without those that can be frozen while they sleep, as in nanosleep(2).
        sleeping: u64,
        /// Running or ready to run.
        running: u64,
        /// Stopped.
        stopped: u64,
        /// Sleeping in a state that no signal interrupts.
        uninterruptible: u64,
        /// Waiting for a block device.
        io_wait: u64,
    }
}

/// Asks for a cgroup by its directory, in a hierarchy of version 1. `EINVAL` for any other directory. For a
/// number that is not a descriptor, `EBADF`, or [`Error::NoReply`](crate::Error::NoReply) from kernels that
/// do not answer, for example 6.18. No permission is needed.
///
/// ```no_run
/// use std::os::fd::AsRawFd as _;
///
/// use netlink_generic::taskstats;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut nl = taskstats::connect()?;
/// let folder = std::fs::File::open("/sys/fs/cgroup/cpu/batch")?;
/// let cgroup = nl.call(taskstats::cgroup(folder.as_raw_fd().try_into()?))?;
/// println!("{:?}", cgroup.stats().map(|stats| stats.running));
/// # Ok(())
/// # }
/// ```
pub fn cgroup(fd: u32) -> CgroupRequest<Cgroup<'static>> {
    // If `fd` is not a descriptor, some kernels answer with an acknowledgement only.
    CgroupRequest::new(&CgroupQuery::GET, MessageFlags::ACK).fd(fd)
}
