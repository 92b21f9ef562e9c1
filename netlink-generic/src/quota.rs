//! Disk quotas: who exceeded a limit, and whose usage fell below it. Kernel side: `uapi/linux/quota.h`,
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
//! With tokio it is the same, with `.await`:
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
//! This family has only events, and no permission is needed to receive them. quotactl(2) reads and sets limits.
//!
//! The family exists only in the initial network namespace. In another one, open the stream in the initial one:
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
//! The kernel warns once about an exceeded limit, until usage falls below it. XFS counts quotas itself and
//! sends the same warnings, except for usage that falls; btrfs sends none. The kernel treats a missing soft
//! limit as 0: when a user's last file or block is removed, it reports that usage fell below the limit.

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

    /// Events of limits.
    pub enum Event<'a> {
        /// A limit was exceeded, or usage fell below it again.
        Warning(Warning) = WARNING,
    }
}

message! {
    /// A limit that was exceeded, or usage that fell below it again.
    pub struct Warning<'a>(Quota, WarningAttrs<'a>), WarningRequest {
        /// A warning; only the kernel sends it.
        1 QUOTA_NL_C_WARNING WARNING [received],
    }
}

attrs! {
    /// `QUOTA_NL_A_*`. Ids are in the initial user namespace.
    pub struct WarningAttrs<'a> for WarningRequest<R> {
        /// Type of the limit's owner.
        1 QUOTA_NL_A_QTYPE quota_type: QuotaType,
        /// Id of the limit's owner: a user, a group or a project.
        2 QUOTA_NL_A_EXCESS_ID excess_id: u64,
        /// What happened.
        3 QUOTA_NL_A_WARNING kind: Kind,
        /// Device of the file system: the major number.
        4 QUOTA_NL_A_DEV_MAJOR dev_major: u32,
        /// Device of the file system: the minor number.
        5 QUOTA_NL_A_DEV_MINOR dev_minor: u32,
        /// The user who caused it.
        6 QUOTA_NL_A_CAUSED_ID caused_id: u64,
    }
}

values! {
    /// `USRQUOTA`, `GRPQUOTA` and `PRJQUOTA`: the type of a limit's owner.
    pub struct QuotaType: u32 {
        /// A user.
        0 USRQUOTA USER "user",
        /// A group.
        1 GRPQUOTA GROUP "group",
        /// A project. Linux 4.5.
        2 PRJQUOTA PROJECT "project",
    }
}

values! {
    /// `QUOTA_NL_*`: what happened. Blocks are space, inodes are files.
    pub struct Kind: u32 {
        /// Nothing; the kernel never sends it.
        0 QUOTA_NL_NOWARN NONE "no warning",
        /// One more file was refused, or allowed because the process has `CAP_SYS_RESOURCE`.
        1 QUOTA_NL_IHARDWARN INODE_HARD "inode hard limit reached",
        /// The grace time for too many files ended, and one more file was refused.
        2 QUOTA_NL_ISOFTLONGWARN INODE_SOFT_EXPIRED "inode grace time expired",
        /// There are too many files. The grace time begins.
        3 QUOTA_NL_ISOFTWARN INODE_SOFT "inode soft limit exceeded",
        /// More space was refused, or allowed because the process has `CAP_SYS_RESOURCE`.
        4 QUOTA_NL_BHARDWARN BLOCK_HARD "block hard limit reached",
        /// The grace time for too much space ended, and more space was refused.
        5 QUOTA_NL_BSOFTLONGWARN BLOCK_SOFT_EXPIRED "block grace time expired",
        /// Too much space is used. The grace time begins.
        6 QUOTA_NL_BSOFTWARN BLOCK_SOFT "block soft limit exceeded",
        /// The number of files fell below the hard limit, but not below the soft limit.
        7 QUOTA_NL_IHARDBELOW INODE_HARD_BELOW "below inode hard limit",
        /// The number of files fell to the soft limit or below.
        8 QUOTA_NL_ISOFTBELOW INODE_SOFT_BELOW "below inode soft limit",
        /// The used space fell below the hard limit, but not below the soft limit.
        9 QUOTA_NL_BHARDBELOW BLOCK_HARD_BELOW "below block hard limit",
        /// The used space fell to the soft limit or below.
        10 QUOTA_NL_BSOFTBELOW BLOCK_SOFT_BELOW "below block soft limit",
    }
}

impl Kind {
    /// Whether usage fell below a limit. `false` if a limit was exceeded.
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
