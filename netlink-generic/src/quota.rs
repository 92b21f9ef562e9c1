//! Disk quotas: who came over a limit, and who is below it again. Kernel side: `uapi/linux/quota.h`,
//! `fs/quota/netlink.c`, `fs/quota/dquot.c`.
//!
//! ```no_run
//! use netlink_generic::Notice;
//! use netlink_generic::quota::{self, Event, Quota};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut events = quota::subscribe(&[Quota::EVENTS])?;
//! loop {
//!     match events.next()? {
//!         Notice::Event { event: Event::Warning(warning), .. } => println!("{warning}"),
//!         Notice::Event { .. } => {}
//!         Notice::Overrun => println!("warnings were lost"),
//!     }
//! }
//! # }
//! ```
//!
//! On a reactor it is the same, with `.await`:
//!
//! ```no_run
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), netlink_generic::Error> {
//! use netlink_generic::quota::{self, Quota};
//!
//! let mut events = quota::tokio::subscribe(&[Quota::EVENTS]).await?;
//! println!("{:?}", events.next().await?);
//! # Ok(())
//! # }
//! ```
//!
//! The kernel only tells; there is nothing to ask, and anybody may listen. Limits are read and set with quotactl(2).
//!
//! The family is in the initial network namespace only. From another one, open the stream in there:
//!
//! ```no_run
//! use netlink_generic::quota::{self, Quota};
//! use netlink_generic::{Namespace, OpenOptions};
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let initial = Namespace::of_process(1)?;
//! let events = quota::subscribe_with(&[Quota::EVENTS], &OpenOptions::new().namespace(&initial))?;
//! # Ok(())
//! # }
//! ```
//!
//! A limit that is reached is told once, until the usage is below it again. Of file systems that count on their own,
//! XFS tells the same warnings, but for those of usage that fell, and btrfs none. Where there is no limit, the soft one is
//! 0 to the kernel: who gives up the last file or block is told to be below it.

use core::fmt;

use netlink_core::{attrs, values};

use crate::{Header, family, message};

family! {
    /// Disk quotas.
    pub struct Quota(Header): "VFS_DQUOT" = 1 { Warning }

    groups {
        /// Warnings.
        "events" EVENTS,
    }

    /// What happens to limits.
    pub enum Event<'a> {
        /// A limit was reached, or is so no more.
        Warning(Warning) = WARNING,
    }
}

message! {
    /// A limit that was reached, or is so no more.
    pub struct Warning<'a>(Quota, WarningAttrs<'a>), WarningRequest {
        /// A warning; only the kernel sends it.
        1 QUOTA_NL_C_WARNING WARNING [received],
    }
}

attrs! {
    /// `QUOTA_NL_A_*`. Ids are those of the initial user namespace.
    pub struct WarningAttrs<'a> for WarningRequest<R> {
        /// Whose limit it is.
        1 QUOTA_NL_A_QTYPE quota_type: QuotaType,
        /// The user, group or project with the limit.
        2 QUOTA_NL_A_EXCESS_ID excess_id: u64,
        /// What happened.
        3 QUOTA_NL_A_WARNING kind: Kind,
        /// Device of the file system: the major number.
        4 QUOTA_NL_A_DEV_MAJOR dev_major: u32,
        /// And the minor one.
        5 QUOTA_NL_A_DEV_MINOR dev_minor: u32,
        /// The user who did it.
        6 QUOTA_NL_A_CAUSED_ID caused_id: u64,
    }
}

values! {
    /// `USRQUOTA` and its like: whose limit it is.
    pub struct QuotaType: u32 {
        /// A user's.
        0 USRQUOTA USER "user",
        /// A group's.
        1 GRPQUOTA GROUP "group",
        /// A project's. Linux 4.5.
        2 PRJQUOTA PROJECT "project",
    }
}

values! {
    /// `QUOTA_NL_*`: what happened. Blocks are room, inodes are files.
    pub struct Kind: u32 {
        /// Nothing; never told.
        0 QUOTA_NL_NOWARN NONE "no warning",
        /// A file more was refused, or let through because the process has `CAP_SYS_RESOURCE`.
        1 QUOTA_NL_IHARDWARN INODE_HARD "inode hard limit reached",
        /// There were too many files for too long, and one more was refused.
        2 QUOTA_NL_ISOFTLONGWARN INODE_SOFT_EXPIRED "inode grace time expired",
        /// There are too many files, which is granted for a while.
        3 QUOTA_NL_ISOFTWARN INODE_SOFT "inode soft limit exceeded",
        /// More room was refused, or likewise let through.
        4 QUOTA_NL_BHARDWARN BLOCK_HARD "block hard limit reached",
        /// There was too much for too long, and more was refused.
        5 QUOTA_NL_BSOFTLONGWARN BLOCK_SOFT_EXPIRED "block grace time expired",
        /// There is too much, which is granted for a while.
        6 QUOTA_NL_BSOFTWARN BLOCK_SOFT "block soft limit exceeded",
        /// Fewer files than the hard limit, and still more than the soft one.
        7 QUOTA_NL_IHARDBELOW INODE_HARD_BELOW "below inode hard limit",
        /// No more files than the soft limit.
        8 QUOTA_NL_ISOFTBELOW INODE_SOFT_BELOW "below inode soft limit",
        /// Less than the hard limit, and still more than the soft one.
        9 QUOTA_NL_BHARDBELOW BLOCK_HARD_BELOW "below block hard limit",
        /// No more than the soft limit.
        10 QUOTA_NL_BSOFTBELOW BLOCK_SOFT_BELOW "below block soft limit",
    }
}

impl Kind {
    /// Whether the usage fell below a limit, rather than reached it.
    pub const fn is_below(self) -> bool {
        matches!(
            self,
            Self::INODE_HARD_BELOW | Self::INODE_SOFT_BELOW | Self::BLOCK_HARD_BELOW | Self::BLOCK_SOFT_BELOW
        )
    }
}

/// As `user 1000 on 7:0: block soft limit exceeded`.
impl fmt::Display for Warning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [id, major, minor] =
            [self.excess_id(), self.dev_major().map(u64::from), self.dev_minor().map(u64::from)]
                .map(Option::unwrap_or_default);
        let (quota, kind) = (self.quota_type().unwrap_or_default(), self.kind().unwrap_or_default());
        write!(f, "{quota} {id} on {major}:{minor}: {kind}")
    }
}
