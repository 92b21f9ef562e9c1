//! What connection tracking counts: `CTA_STATS_*`, `CTA_STATS_GLOBAL_*`.

use netlink_core::{Be, Dump, MessageFlags, attrs, message};

use crate::Header;

attrs! {
    /// `CTA_STATS_*`: what one processor has counted in this namespace.
    pub struct CpuStatsAttrs<'a> for CpuStatsRequest<R> {
        /// Lookups. Up to Linux 4.8.
        1 CTA_STATS_SEARCHED searched: Be<u32> as u32,
        /// Lookups that found an entry, while another was being inserted.
        2 CTA_STATS_FOUND found: Be<u32> as u32,
        /// Entries that were new. Up to Linux 4.8.
        3 CTA_STATS_NEW new_entries: Be<u32> as u32,
        /// Packets that could not be tracked.
        4 CTA_STATS_INVALID invalid: Be<u32> as u32,
        /// Packets of entries that exist already. Up to Linux 5.9.
        5 CTA_STATS_IGNORE ignore: Be<u32> as u32,
        /// Entries that were removed. Up to Linux 4.8.
        6 CTA_STATS_DELETE delete: Be<u32> as u32,
        /// Entries put on the list of the dying. Up to Linux 4.8.
        7 CTA_STATS_DELETE_LIST delete_list: Be<u32> as u32,
        /// Entries put into the table; only by the kernel's older ways.
        8 CTA_STATS_INSERT insert: Be<u32> as u32,
        /// Entries that could not be put into the table.
        9 CTA_STATS_INSERT_FAILED insert_failed: Be<u32> as u32,
        /// Packets dropped, for want of room in the table or otherwise.
        10 CTA_STATS_DROP drop: Be<u32> as u32,
        /// Entries removed early to make room.
        11 CTA_STATS_EARLY_DROP early_drop: Be<u32> as u32,
        /// Packets with an error, ICMP ones for example.
        12 CTA_STATS_ERROR error: Be<u32> as u32,
        /// Lookups begun anew because the table was resized.
        13 CTA_STATS_SEARCH_RESTART search_restart: Be<u32> as u32,
        /// Entries that met an equal one on insertion and gave way. Linux 5.10.
        14 CTA_STATS_CLASH_RESOLVE clash_resolve: Be<u32> as u32,
        /// Entries not inserted because their chain was too long. Linux 5.15.
        15 CTA_STATS_CHAIN_TOOLONG chain_toolong: Be<u32> as u32,
    }
}

message! {
    /// What one processor has counted.
    pub struct CpuStats<'a>(Header, CpuStatsAttrs<'a>), CpuStatsRequest {
        /// Asked and answered.
        260 IPCTNL_MSG_CT_GET_STATS_CPU GET,
    }
    on crate::PROTOCOL
}

impl CpuStats<'_> {
    /// The processor's number.
    pub fn cpu(&self) -> u16 {
        self.header().resource.0
    }
}

attrs! {
    /// `CTA_STATS_GLOBAL_*`: how full the table is.
    pub struct StatsAttrs<'a> for StatsRequest<R> {
        /// Entries of this namespace.
        1 CTA_STATS_GLOBAL_ENTRIES entries: Be<u32> as u32,
        /// Most entries there may be, `net.netfilter.nf_conntrack_max`. Linux 5.9.
        2 CTA_STATS_GLOBAL_MAX_ENTRIES max_entries: Be<u32> as u32,
    }
}

message! {
    /// How full the table is.
    pub struct Stats<'a>(Header, StatsAttrs<'a>), StatsRequest {
        /// Asked and answered.
        261 IPCTNL_MSG_CT_GET_STATS GET,
    }
    on crate::PROTOCOL
}

/// Asks how many entries there are and may be.
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

/// Lists what each processor has counted.
pub fn cpu_stats() -> CpuStatsRequest<Dump<CpuStats<'static>>> {
    CpuStatsRequest::new(&CpuStats::GET, MessageFlags::DUMP, Header::default())
}
