//! Statistics of connection tracking: `CTA_STATS_*`, `CTA_STATS_GLOBAL_*`.

use netlink_core::{Be, Dump, MessageFlags, attrs, message};

use crate::Header;

attrs! {
    /// `CTA_STATS_*`: statistics of one processor in this namespace.
    pub struct CpuStatsAttrs<'a> for CpuStatsRequest<R> {
        /// Lookups. Up to Linux 4.8.
        1 CTA_STATS_SEARCHED searched: Be<u32> as u32,
        /// Lookups that found an entry while another one was inserted.
        2 CTA_STATS_FOUND found: Be<u32> as u32,
        /// New entries. Up to Linux 4.8.
        3 CTA_STATS_NEW new_entries: Be<u32> as u32,
        /// Packets that could not be tracked.
        4 CTA_STATS_INVALID invalid: Be<u32> as u32,
        /// Packets whose entry existed already. Up to Linux 5.9.
        5 CTA_STATS_IGNORE ignore: Be<u32> as u32,
        /// Removed entries. Up to Linux 4.8.
        6 CTA_STATS_DELETE delete: Be<u32> as u32,
        /// Entries put on the list of dying entries. Up to Linux 4.8.
        7 CTA_STATS_DELETE_LIST delete_list: Be<u32> as u32,
        /// Entries inserted into the table; only older code paths of the kernel count them.
        8 CTA_STATS_INSERT insert: Be<u32> as u32,
        /// Entries that could not be inserted.
        9 CTA_STATS_INSERT_FAILED insert_failed: Be<u32> as u32,
        /// Packets dropped because the table was full, or for another reason.
        10 CTA_STATS_DROP drop: Be<u32> as u32,
        /// Entries removed early to free space.
        11 CTA_STATS_EARLY_DROP early_drop: Be<u32> as u32,
        /// Packets with an error, for example in ICMP.
        12 CTA_STATS_ERROR error: Be<u32> as u32,
        /// Lookups restarted because the table was resized.
        13 CTA_STATS_SEARCH_RESTART search_restart: Be<u32> as u32,
        /// Entries dropped because an equal entry was inserted at the same time. Linux 5.10.
        14 CTA_STATS_CLASH_RESOLVE clash_resolve: Be<u32> as u32,
        /// Entries not inserted because their chain was too long. Linux 5.15.
        15 CTA_STATS_CHAIN_TOOLONG chain_toolong: Be<u32> as u32,
    }
}

message! {
    /// Statistics of one processor.
    pub struct CpuStats<'a>(Header, CpuStatsAttrs<'a>), CpuStatsRequest {
        /// Asks for the statistics. The answers have the same type.
        260 IPCTNL_MSG_CT_GET_STATS_CPU GET,
    }
    on crate::PROTOCOL
}

impl CpuStats<'_> {
    /// Number of the processor.
    pub fn cpu(&self) -> u16 {
        self.header().resource.0
    }
}

attrs! {
    /// `CTA_STATS_GLOBAL_*`: size of the table.
    pub struct StatsAttrs<'a> for StatsRequest<R> {
        /// Number of entries in this namespace.
        1 CTA_STATS_GLOBAL_ENTRIES entries: Be<u32> as u32,
        /// Largest number of entries, `net.netfilter.nf_conntrack_max`. Linux 5.9.
        2 CTA_STATS_GLOBAL_MAX_ENTRIES max_entries: Be<u32> as u32,
    }
}

message! {
    /// Size of the table.
    pub struct Stats<'a>(Header, StatsAttrs<'a>), StatsRequest {
        /// Asks for the size. The answer has the same type.
        261 IPCTNL_MSG_CT_GET_STATS GET,
    }
    on crate::PROTOCOL
}

/// Asks for the number of entries and its maximum.
///
/// ```no_run
/// # fn main() -> Result<(), netlink_netfilter::Error> {
/// let stats = netlink_netfilter::connect()?.call(netlink_netfilter::conntrack::stats())?;
/// println!("{:?} of {:?}", stats.entries(), stats.max_entries());
/// # Ok(())
/// # }
/// ```
pub fn stats() -> StatsRequest<Stats<'static>> {
    StatsRequest::new(&Stats::GET, MessageFlags::empty(), Header::default())
}

/// Lists the statistics of each processor.
pub fn cpu_stats() -> CpuStatsRequest<Dump<CpuStats<'static>>> {
    CpuStatsRequest::new(&CpuStats::GET, MessageFlags::DUMP, Header::default())
}
