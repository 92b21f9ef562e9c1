//! What congestion controls tell.

use netlink_core::layout;

layout! {
    /// `struct tcpvegas_info`.
    pub struct VegasInfo: tcpvegas_info = 16 {
        /// Whether it is in control; not while losses are repaired.
        enabled: u32,
        /// Round trips measured since the last decision.
        rtt_count: u32,
        /// Microseconds of a round trip: the last or the mean, as the algorithm has it.
        rtt: u32,
        /// Microseconds of the shortest round trip.
        min_rtt: u32,
    }
}

layout! {
    /// `struct tcp_dctcp_info`.
    pub struct DctcpInfo: tcp_dctcp_info = 16 {
        /// Whether it is in control; not if the peer doesn't do ECN.
        enabled: u16,
        /// Whether the last segment came with a congestion mark.
        ce_state: u16,
        /// The estimated part of marked bytes, in 1024ths.
        alpha: u32,
        /// Bytes acknowledged with a mark in this round trip.
        acked_marked: u32,
        /// Bytes acknowledged in this round trip.
        acked: u32,
    }
}

layout! {
    /// `struct tcp_bbr_info`.
    pub struct BbrInfo: tcp_bbr_info = 20 {
        /// Lower half of the estimated bandwidth; see [`bandwidth`](Self::bandwidth).
        bandwidth_low: u32,
        /// Upper half of the estimated bandwidth.
        bandwidth_high: u32,
        /// Microseconds of the shortest round trip of late.
        min_rtt: u32,
        /// How much faster than the bandwidth it sends, in 256ths.
        pacing_gain: u32,
        /// How much more than the product of bandwidth and round trip it has in flight, in 256ths.
        cwnd_gain: u32,
    }
}

impl BbrInfo {
    /// The estimated bandwidth, in bytes a second.
    pub const fn bandwidth(&self) -> u64 {
        self.bandwidth_low as u64 | (self.bandwidth_high as u64) << 32
    }
}
