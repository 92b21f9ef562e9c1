//! Data of SCTP sockets.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use netlink_core::layout::{Field, Pad};
use netlink_core::{Be, Malformed, layout};

/// A `struct sockaddr_storage` with an IP address and a port.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SockAddr(
    /// The whole struct.
    pub [u8; 128],
);

impl SockAddr {
    /// The address; `None` for other families.
    pub fn addr(&self) -> Option<SocketAddr> {
        let mut rest = self.0.as_slice();
        let family = u16::take(&mut rest).ok()?;
        let Be(port) = Be::<u16>::take(&mut rest).ok()?;
        match family {
            2 => Some(SocketAddr::new(Ipv4Addr::take(&mut rest).ok()?.into(), port)),
            10 => {
                let Be(flow) = Be::<u32>::take(&mut rest).ok()?;
                let ip = Ipv6Addr::take(&mut rest).ok()?;
                Some(SocketAddrV6::new(ip, port, flow, u32::take(&mut rest).ok()?).into())
            }
            _ => None,
        }
    }
}

impl Default for SockAddr {
    fn default() -> Self {
        Self([0; 128])
    }
}

impl Field for SockAddr {
    const SIZE: usize = 128;

    fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
        <[u8; 128]>::take(cursor).map(Self)
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.0.store(bytes, at);
    }
}

impl fmt::Debug for SockAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The address, or a star for other families.
impl fmt::Display for SockAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr() {
            Some(addr) => addr.fmt(f),
            None => f.write_str("*"),
        }
    }
}

netlink_core::serialize_display! { SockAddr }

layout! {
    /// `struct sctp_info`. Without an association, all except the settings of the socket is 0.
    pub struct SctpInfo: sctp_info = 368 {
        /// Local verification tag.
        tag: u32,
        /// State of the association.
        state: u32,
        /// Local receive window, in bytes.
        rwnd: u32,
        /// Number of chunks sent and not acknowledged.
        unacked_data: u16,
        /// Number of chunks received and not read.
        pending_data: u16,
        /// Number of streams from the peer.
        in_streams: u16,
        /// Number of streams to the peer.
        out_streams: u16,
        /// Size in bytes above which messages are fragmented.
        fragmentation_point: u32,
        /// Number of received chunks that wait to be processed.
        in_queue: u32,
        /// Number of chunks that wait to be sent.
        out_queue: u32,
        /// Number of consecutive errors on all paths.
        overall_error: u32,
        /// Largest number of packets sent in a burst.
        max_burst: u32,
        /// Largest size of a chunk, in bytes.
        max_segment: u32,
        /// Receive window of the peer, in bytes.
        peer_rwnd: u32,
        /// Verification tag of the peer.
        peer_tag: u32,
        /// Capabilities of the peer, one bit each: 0x01 ECN, 0x02 IPv4, 0x04 IPv6, 0x08 host names, 0x10
        /// dynamic addresses, 0x20 partial reliability, 0x40 authentication, 0x80 stream reset.
        peer_capable: u8,
        /// Whether an acknowledgement must be sent to the peer.
        peer_sack: u8,
        /// Padding.
        pad: Pad<2>,
        /// Number of acknowledgements received.
        in_sacks: u64,
        /// Number of acknowledgements sent.
        out_sacks: u64,
        /// Number of packets sent.
        out_packets: u64,
        /// Number of packets received.
        in_packets: u64,
        /// Number of chunks retransmitted.
        rtx_chunks: u64,
        /// Number of chunks received outside of the window.
        out_of_seq_tsns: u64,
        /// Number of chunks received twice.
        in_dup_chunks: u64,
        /// Number of gaps that the peer reported.
        gap_count: u64,
        /// Number of unordered data chunks sent.
        out_unordered_chunks: u64,
        /// Number of unordered data chunks received.
        in_unordered_chunks: u64,
        /// Number of ordered data chunks sent.
        out_ordered_chunks: u64,
        /// Number of ordered data chunks received.
        in_ordered_chunks: u64,
        /// Number of control chunks sent.
        out_control_chunks: u64,
        /// Number of control chunks received.
        in_control_chunks: u64,
        /// Primary address of the peer.
        primary_address: SockAddr,
        /// State of the primary path.
        primary_state: i32,
        /// Congestion window of the primary path, in bytes.
        primary_cwnd: u32,
        /// Smoothed round trip time of the primary path, in milliseconds.
        primary_srtt: u32,
        /// Retransmission timeout of the primary path, in milliseconds.
        primary_rto: u32,
        /// Time between heartbeats on the primary path, in milliseconds.
        primary_heartbeat_interval: u32,
        /// Number of consecutive errors after which the primary path is down.
        primary_max_retrans: u32,
        /// Largest delay of an acknowledgement, in milliseconds.
        primary_sack_delay: u32,
        /// Number of packets per acknowledgement.
        primary_sack_frequency: u32,
        /// Slow start threshold of the primary path, in bytes.
        primary_ssthresh: u32,
        /// Bytes acknowledged since the congestion window last grew.
        primary_partial_bytes_acked: u32,
        /// Bytes in flight on the primary path.
        primary_flight_size: u32,
        /// Number of consecutive errors on the primary path.
        primary_error: u16,
        /// Padding.
        pad2: Pad<2>,
        /// Seconds of silence after which the association is closed; 0 is never.
        autoclose: u32,
        /// `SCTP_ADAPTATION_LAYER`.
        adaptation_ind: u32,
        /// Size in bytes above which a message is delivered in parts.
        pd_point: u32,
        /// `SCTP_NODELAY`.
        nodelay: u8,
        /// `SCTP_DISABLE_FRAGMENTS`.
        disable_fragments: u8,
        /// `SCTP_I_WANT_MAPPED_V4_ADDR`.
        v4mapped: u8,
        /// `SCTP_FRAGMENT_INTERLEAVE`.
        frag_interleave: u8,
        /// 0 for one-to-many sockets, 1 for one-to-many sockets with many streams, 2 for one-to-one sockets.
        kind: u32,
        /// Padding.
        pad3: Pad<4>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_two_families() {
        let mut bytes = [0; 128];
        bytes[..2].copy_from_slice(&2u16.to_ne_bytes());
        bytes[2..8].copy_from_slice(&[0, 80, 10, 0, 0, 1]);
        assert_eq!(SockAddr(bytes).addr(), Some("10.0.0.1:80".parse().unwrap()));
        bytes[..2].copy_from_slice(&10u16.to_ne_bytes());
        bytes[23] = 1;
        bytes[4..8].fill(0);
        assert_eq!(SockAddr(bytes).addr(), Some("[::1]:80".parse().unwrap()));
        assert_eq!(SockAddr::default().addr(), None);
    }
}
