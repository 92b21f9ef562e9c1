//! Data of congestion controls.

use netlink_core::layout;

layout! {
    /// `struct tcpvegas_info`.
    pub struct VegasInfo: tcpvegas_info = 16 {
        /// Whether it is active; not while losses are repaired.
        enabled: u32,
        /// Number of round trips measured since the last decision.
        rtt_count: u32,
        /// Round trip time in microseconds: the last or the average, depending on the algorithm.
        rtt: u32,
        /// Shortest round trip time, in microseconds.
        min_rtt: u32,
    }
}

layout! {
    /// `struct tcp_dctcp_info`.
    pub struct DctcpInfo: tcp_dctcp_info = 16 {
        /// Whether it is active; not if the peer does not use ECN.
        enabled: u16,
        /// Whether the last segment had a congestion mark.
        ce_state: u16,
        /// Estimated fraction of marked bytes, in units of 1/1024.
        alpha: u32,
        /// Bytes acknowledged with a mark in the current round trip.
        acked_marked: u32,
        /// Bytes acknowledged in the current round trip.
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
        /// Recent shortest round trip time, in microseconds.
        min_rtt: u32,
        /// Ratio of the sending rate to the bandwidth, in units of 1/256.
        pacing_gain: u32,
        /// Ratio of the congestion window to the bandwidth-delay product, in units of 1/256.
        cwnd_gain: u32,
    }
}

impl BbrInfo {
    /// The estimated bandwidth, in bytes per second.
    pub const fn bandwidth(&self) -> u64 {
        self.bandwidth_low as u64 | (self.bandwidth_high as u64) << 32
    }
}
