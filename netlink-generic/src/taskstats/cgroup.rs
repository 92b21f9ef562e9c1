//! Tasks of a cgroup, counted by what they are doing. Kernel side: `uapi/linux/cgroupstats.h`,
//! `kernel/cgroup/cgroup-v1.c`.

use netlink_core::{MessageFlags, attrs, layout};

use super::Taskstats;
use crate::message;

message! {
    /// A question about a cgroup.
    pub struct CgroupQuery<'a>(Taskstats, CgroupQueryAttrs<'a>), CgroupRequest {
        /// Asks for one.
        4 CGROUPSTATS_CMD_GET GET,
    }
}

attrs! {
    /// `CGROUPSTATS_CMD_ATTR_*`.
    pub struct CgroupQueryAttrs<'a> for CgroupRequest<R> {
        /// Descriptor of the cgroup's directory, open in the process that asks.
        1 CGROUPSTATS_CMD_ATTR_FD fd: u32,
    }
}

message! {
    /// Tasks of a cgroup, counted.
    pub struct Cgroup<'a>(Taskstats, CgroupAttrs<'a>), CgroupReply {
        /// The answer.
        5 CGROUPSTATS_CMD_NEW NEW [received],
    }
}

attrs! {
    /// `CGROUPSTATS_TYPE_*`.
    pub struct CgroupAttrs<'a> for CgroupReply<R> {
        /// The counts.
        1 CGROUPSTATS_TYPE_CGROUP_STATS stats: CgroupStats,
    }
}

layout! {
    /// `struct cgroupstats`: how many tasks of a cgroup are in each state.
    pub struct CgroupStats: cgroupstats = 40 {
        /// Sleeping; Linux 6.1 and later leave out those that may be frozen meanwhile, as in nanosleep(2).
        sleeping: u64,
        /// Running, or ready to.
        running: u64,
        /// Stopped.
        stopped: u64,
        /// Sleeping so that no signal wakes them.
        uninterruptible: u64,
        /// Waiting for a block device.
        io_wait: u64,
    }
}

/// Asks for a cgroup by its directory, in a hierarchy of version 1: `EINVAL` for any other directory, and
/// `EBADF` for a number that is no descriptor, or [`Error::NoReply`](crate::Error::NoReply) from kernels that say nothing to
/// that, 6.18 for one. Anybody may ask.
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
    // To what is no descriptor the kernel says nothing, but for an acknowledgement.
    CgroupRequest::new(&CgroupQuery::GET, MessageFlags::ACK).fd(fd)
}
