//! `RTA_METRICS`: values for TCP and IP on a path. Kernel side: `net/ipv4/metrics.c`.

use core::fmt;

use netlink_core::{Str, attrs, bits, flags, values};

flags! {
    /// `RTAX_FEATURE_*`: features to use on this path.
    pub struct Features: u32 {
        /// Explicit congestion notification.
        0x1 RTAX_FEATURE_ECN ECN,
        /// Not used.
        0x2 RTAX_FEATURE_SACK SACK,
        /// Not used.
        0x4 RTAX_FEATURE_TIMESTAMP TIMESTAMP,
        /// IPv6 fragment header on all packets; not used.
        0x8 RTAX_FEATURE_ALLFRAG ALLFRAG,
        /// TCP timestamps in microseconds. Linux 6.7.
        0x10 RTAX_FEATURE_TCP_USEC_TS TCP_USEC_TS,
    }
}

values! {
    /// The metrics that can be locked: numbers of `RTAX_*`.
    pub struct Metric: u32 {
        /// Path MTU.
        2 RTAX_MTU MTU "mtu",
        /// Largest window.
        3 RTAX_WINDOW WINDOW "window",
        /// Round trip time.
        4 RTAX_RTT RTT "rtt",
        /// Round trip time variance.
        5 RTAX_RTTVAR RTT_VAR "rttvar",
        /// Slow start threshold.
        6 RTAX_SSTHRESH SSTHRESH "ssthresh",
        /// Congestion window.
        7 RTAX_CWND CWND "cwnd",
        /// Maximum segment size.
        8 RTAX_ADVMSS ADV_MSS "advmss",
        /// Reordering.
        9 RTAX_REORDERING REORDERING "reordering",
        /// Hop limit.
        10 RTAX_HOPLIMIT HOP_LIMIT "hoplimit",
        /// Initial congestion window.
        11 RTAX_INITCWND INIT_CWND "initcwnd",
        /// Features.
        12 RTAX_FEATURES FEATURES "features",
        /// Smallest retransmission timeout.
        13 RTAX_RTO_MIN RTO_MIN "rto_min",
        /// Initial receive window.
        14 RTAX_INITRWND INIT_RWND "initrwnd",
        /// Quick acknowledgements.
        15 RTAX_QUICKACK QUICK_ACK "quickack",
        /// Congestion control.
        16 RTAX_CC_ALGO CC_ALGO "congctl",
        /// Fast open without cookie.
        17 RTAX_FASTOPEN_NO_COOKIE FASTOPEN_NO_COOKIE "fastopen_no_cookie",
    }
}

bits! {
    /// Metrics that the kernel must not change, such as an MTU that path discovery would lower. The kernel
    /// checks the lock only for MTU, CWND, RTO_MIN and the two RTT metrics.
    pub struct Locks: u32 of Metric from 0, ",";
}

attrs! {
    /// `RTAX_*`: metrics of a route. An absent metric or 0 means the kernel's default.
    pub struct MetricsAttrs<'a> for Metrics {
        /// The locked metrics.
        1 RTAX_LOCK lock: Locks,
        /// Path MTU in bytes, at most 65520 in IPv4. Default: the MTU of the link.
        2 RTAX_MTU mtu: u32,
        /// Largest advertised window, in bytes.
        3 RTAX_WINDOW window: u32,
        /// Initial round trip time, in eighths of a millisecond; `ip` shows milliseconds.
        4 RTAX_RTT rtt: u32,
        /// Initial round trip time variance, in quarters of a millisecond; `ip` shows milliseconds.
        5 RTAX_RTTVAR rtt_var: u32,
        /// Slow start threshold, in segments.
        6 RTAX_SSTHRESH ssthresh: u32,
        /// Largest congestion window, in segments. Used only if locked.
        7 RTAX_CWND cwnd: u32,
        /// Advertised maximum segment size, in bytes, at most 65495. Default: from the link's MTU.
        8 RTAX_ADVMSS adv_mss: u32,
        /// How many segments may overtake a segment before it counts as lost.
        9 RTAX_REORDERING reordering: u32,
        /// Hop limit or TTL of sent packets, 1 to 255; the kernel reduces larger values to 255. Default: the sysctl.
        10 RTAX_HOPLIMIT hop_limit: u32,
        /// Congestion window of a new connection, in segments. Default: 10.
        11 RTAX_INITCWND init_cwnd: u32,
        /// Features to use on the path.
        12 RTAX_FEATURES features: Features,
        /// Smallest retransmission timeout, in milliseconds. Default: 200.
        13 RTAX_RTO_MIN rto_min: u32,
        /// Receive window of a new connection, in segments.
        14 RTAX_INITRWND init_rwnd: u32,
        /// 1: send acknowledgements at once.
        15 RTAX_QUICKACK quick_ack: u32,
        /// Congestion control algorithm, such as "bbr".
        16 RTAX_CC_ALGO cc_algo: Str<'a, 15>,
        /// 1: TCP fast open without a cookie.
        17 RTAX_FASTOPEN_NO_COOKIE fastopen_no_cookie: u32,
    }
}

/// As `ip route` prints them: `mtu lock 1400 hoplimit 64`.
impl fmt::Display for MetricsAttrs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locks = self.lock().unwrap_or_default();
        let mut space = "";
        let numbers = [
            (Metric::MTU, self.mtu()),
            (Metric::WINDOW, self.window()),
            (Metric::RTT, self.rtt().map(|rtt| rtt / 8)),
            (Metric::RTT_VAR, self.rtt_var().map(|variance| variance / 4)),
            (Metric::SSTHRESH, self.ssthresh()),
            (Metric::CWND, self.cwnd()),
            (Metric::ADV_MSS, self.adv_mss()),
            (Metric::REORDERING, self.reordering()),
            (Metric::HOP_LIMIT, self.hop_limit()),
            (Metric::INIT_CWND, self.init_cwnd()),
            (Metric::FEATURES, self.features().map(|features| features.bits())),
            (Metric::RTO_MIN, self.rto_min()),
            (Metric::INIT_RWND, self.init_rwnd()),
            (Metric::QUICK_ACK, self.quick_ack()),
            (Metric::FASTOPEN_NO_COOKIE, self.fastopen_no_cookie()),
        ];
        for (metric, value) in numbers {
            let Some(value) = value else { continue };
            let lock = if locks.contains(metric) { "lock " } else { "" };
            write!(f, "{space}{metric} {lock}{value}")?;
            if [Metric::RTT, Metric::RTT_VAR, Metric::RTO_MIN].contains(&metric) {
                f.write_str("ms")?;
            }
            space = " ";
        }
        match self.cc_algo() {
            Some(name) => write!(f, "{space}congctl {name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn locks_are_bits_of_metric_numbers() {
        let metrics = Metrics::new()
            .lock(&[Metric::MTU, Metric::RTO_MIN])
            .mtu(1400)
            .rto_min(300)
            .rtt(80)
            .cc_algo("bbr")
            .attrs();
        assert_eq!(metrics.lock(), Some(Locks(1 << 2 | 1 << 13)));
        assert_eq!(metrics.lock().unwrap_or_default().to_string(), "mtu,rto_min");
        assert_eq!(metrics.to_string(), "mtu lock 1400 rtt 10ms rto_min lock 300ms congctl bbr");
        assert!(!Locks(!0).contains(Metric(32)));
    }
}
