//! The kernel's measurements of TCP peers, with `netlink-generic` only: `ip tcp_metrics` as a library. Kernel
//! side: `uapi/linux/tcp_metrics.h`, `net/ipv4/tcp_metrics.c`.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = tcp_metrics::connect()?;
//! let mut peers = nl.dump(tcp_metrics::list())?;
//! while let Some(peer) = peers.next()? {
//!     println!("{:?}: rtt {:?} µs", peer.addr(), peer.vals().and_then(|vals| Some(vals.rtt_us()? / 8)));
//! }
//! let peer = "192.0.2.1".parse()?;
//! let one = nl.call(tcp_metrics::get(peer))?;
//! println!("{:?} ms ago", one.age());
//! nl.call(tcp_metrics::delete(peer))?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_generic::{Bytes, Dump, Header, MessageFlags, attrs, family, message};

family! {
    /// Measurements of TCP connections.
    pub struct TcpMetrics(Header): "tcp_metrics" = 1 { Metrics }
}

message! {
    /// The measurements of one peer.
    pub struct Metrics<'a>(TcpMetrics, MetricsAttrs<'a>), MetricsRequest {
        /// Asks for one peer or all. The answers have the same type.
        1 TCP_METRICS_CMD_GET GET,
        /// Deletes one peer or all.
        2 TCP_METRICS_CMD_DEL DEL,
    }
}

attrs! {
    /// `TCP_METRICS_ATTR_*`.
    pub struct MetricsAttrs<'a> for MetricsRequest<R> {
        /// The peer.
        1 TCP_METRICS_ATTR_ADDR_IPV4 addr_ipv4: Ipv4Addr,
        /// The peer.
        2 TCP_METRICS_ATTR_ADDR_IPV6 addr_ipv6: Ipv6Addr,
        /// Milliseconds since the last connection.
        3 TCP_METRICS_ATTR_AGE age: u64,
        /// Round trips, windows.
        6 TCP_METRICS_ATTR_VALS vals: ValsAttrs<'a>,
        /// Maximum segment size that the peer sent with its Fast Open cookie, in bytes.
        7 TCP_METRICS_ATTR_FOPEN_MSS fopen_mss: u16,
        /// Number of successive Fast Open connections that lost their SYN.
        8 TCP_METRICS_ATTR_FOPEN_SYN_DROPS fopen_syn_drops: u16,
        /// Milliseconds since the last lost SYN.
        9 TCP_METRICS_ATTR_FOPEN_SYN_DROP_TS fopen_syn_drop_age: u64,
        /// The peer's Fast Open cookie.
        10 TCP_METRICS_ATTR_FOPEN_COOKIE fopen_cookie: Bytes<'a>,
        /// Local address.
        11 TCP_METRICS_ATTR_SADDR_IPV4 saddr_ipv4: Ipv4Addr,
        /// Local address.
        12 TCP_METRICS_ATTR_SADDR_IPV6 saddr_ipv6: Ipv6Addr,
    }
}

attrs! {
    /// `enum tcp_metric_index`, each number plus one. A value that was never measured is absent.
    pub struct ValsAttrs<'a> for Vals {
        /// Round trip time in eighths of a millisecond.
        1 TCP_METRIC_RTT rtt: u32,
        /// Variance of the round trip time, in quarters of a millisecond.
        2 TCP_METRIC_RTTVAR rttvar: u32,
        /// Slow start threshold, in segments.
        3 TCP_METRIC_SSTHRESH ssthresh: u32,
        /// Congestion window, in segments.
        4 TCP_METRIC_CWND cwnd: u32,
        /// Number of segments that can overtake each other.
        5 TCP_METRIC_REORDERING reordering: u32,
        /// Round trip time in eighths of a microsecond.
        6 TCP_METRIC_RTT_US rtt_us: u32,
        /// Variance of the round trip time, in quarters of a microsecond.
        7 TCP_METRIC_RTTVAR_US rttvar_us: u32,
    }
}

/// Lists all peers.
pub fn list() -> MetricsRequest<Dump<Metrics<'static>>> {
    MetricsRequest::new(&Metrics::GET, MessageFlags::DUMP)
}

/// Asks for one peer. `ESRCH` if there are no measurements.
pub fn get(peer: IpAddr) -> MetricsRequest<Metrics<'static>> {
    MetricsRequest::new(&Metrics::GET, MessageFlags::empty()).addr(peer)
}

/// Deletes one peer. `ESRCH` if there are no measurements.
pub fn delete(peer: IpAddr) -> MetricsRequest<()> {
    MetricsRequest::new(&Metrics::DEL, MessageFlags::ACK).addr(peer)
}

impl<R> MetricsRequest<R> {
    fn addr(self, peer: IpAddr) -> Self {
        match peer {
            IpAddr::V4(addr) => self.addr_ipv4(addr),
            IpAddr::V6(addr) => self.addr_ipv6(addr),
        }
    }
}

impl Metrics<'_> {
    /// The peer, IPv4 or IPv6.
    pub fn addr(&self) -> Option<IpAddr> {
        self.addr_ipv4().map(IpAddr::V4).or_else(|| self.addr_ipv6().map(IpAddr::V6))
    }
}
