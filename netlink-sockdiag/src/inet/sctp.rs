//! What SCTP tells of its sockets.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use netlink_core::layout::{Field, Pad};
use netlink_core::{Be, layout};

/// A `struct sockaddr_storage` with an IP address and a port.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SockAddr(
    /// The whole struct.
    pub [u8; 128],
);

impl SockAddr {
    /// The address; `None` in other families.
    pub fn addr(&self) -> Option<SocketAddr> {
        let mut rest = self.0.as_slice();
        let family = u16::take(&mut rest)?;
        let Be(port) = Be::<u16>::take(&mut rest)?;
        match family {
            2 => Some(SocketAddr::new(Ipv4Addr::take(&mut rest)?.into(), port)),
            10 => {
                let Be(flow) = Be::<u32>::take(&mut rest)?;
                let ip = Ipv6Addr::take(&mut rest)?;
                Some(SocketAddrV6::new(ip, port, flow, u32::take(&mut rest)?).into())
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

    fn take(cursor: &mut &[u8]) -> Option<Self> {
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

/// The address, or a star in other families.
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
    /// `struct sctp_info`. All but the settings of the socket is 0 without an association.
    pub struct SctpInfo: sctp_info = 368 {
        /// Our verification tag.
        tag: u32,
        /// State of the association.
        state: u32,
        /// Bytes of our receive window.
        rwnd: u32,
        /// Chunks sent and not acknowledged.
        unacked_data: u16,
        /// Chunks received and not read.
        pending_data: u16,
        /// Streams from the peer.
        in_streams: u16,
        /// Streams to the peer.
        out_streams: u16,
        /// Bytes from which messages are split.
        fragmentation_point: u32,
        /// Chunks received that wait to be handled.
        in_queue: u32,
        /// Chunks that wait to be sent.
        out_queue: u32,
        /// Errors in a row, on all paths.
        overall_error: u32,
        /// Packets sent at once, at most.
        max_burst: u32,
        /// Bytes of a chunk, at most.
        max_segment: u32,
        /// Bytes of the peer's receive window.
        peer_rwnd: u32,
        /// The peer's verification tag.
        peer_tag: u32,
        /// What the peer can, a bit each: 0x01 ECN, 0x02 IPv4, 0x04 IPv6, 0x08 host names, 0x10 changing addresses,
        /// 0x20 partial reliability, 0x40 authentication, 0x80 resetting streams.
        peer_capable: u8,
        /// Whether the peer is owed an acknowledgement.
        peer_sack: u8,
        /// Padding.
        pad: Pad<2>,
        /// Acknowledgements received.
        in_sacks: u64,
        /// Acknowledgements sent.
        out_sacks: u64,
        /// Packets sent.
        out_packets: u64,
        /// Packets received.
        in_packets: u64,
        /// Chunks sent again.
        rtx_chunks: u64,
        /// Chunks received beyond the window.
        out_of_seq_tsns: u64,
        /// Chunks received twice.
        in_dup_chunks: u64,
        /// Gaps that the peer reported.
        gap_count: u64,
        /// Chunks of data sent out of order.
        out_unordered_chunks: u64,
        /// Chunks of data received out of order.
        in_unordered_chunks: u64,
        /// Chunks of data sent in order.
        out_ordered_chunks: u64,
        /// Chunks of data received in order.
        in_ordered_chunks: u64,
        /// Chunks of control sent.
        out_control_chunks: u64,
        /// Chunks of control received.
        in_control_chunks: u64,
        /// The peer's primary address.
        primary_address: SockAddr,
        /// State of the path to it.
        primary_state: i32,
        /// Bytes that may be in flight there.
        primary_cwnd: u32,
        /// Milliseconds of a round trip, smoothed.
        primary_srtt: u32,
        /// Milliseconds until a chunk is sent again.
        primary_rto: u32,
        /// Milliseconds between heartbeats.
        primary_heartbeat_interval: u32,
        /// Errors in a row until the path is down.
        primary_max_retrans: u32,
        /// Milliseconds an acknowledgement may be delayed.
        primary_sack_delay: u32,
        /// Packets until an acknowledgement is sent.
        primary_sack_frequency: u32,
        /// Bytes of the window up to which it grows quickly.
        primary_ssthresh: u32,
        /// Bytes acknowledged since the window last grew.
        primary_partial_bytes_acked: u32,
        /// Bytes in flight.
        primary_flight_size: u32,
        /// Errors in a row.
        primary_error: u16,
        /// Padding.
        pad2: Pad<2>,
        /// Seconds of silence until the association is closed; 0 is never.
        autoclose: u32,
        /// `SCTP_ADAPTATION_LAYER`.
        adaptation_ind: u32,
        /// Bytes of a message from which it is delivered in parts.
        pd_point: u32,
        /// `SCTP_NODELAY`.
        nodelay: u8,
        /// `SCTP_DISABLE_FRAGMENTS`.
        disable_fragments: u8,
        /// `SCTP_I_WANT_MAPPED_V4_ADDR`.
        v4mapped: u8,
        /// `SCTP_FRAGMENT_INTERLEAVE`.
        frag_interleave: u8,
        /// 0 for one-to-many, 2 for one-to-one sockets, 1 for one-to-many ones with many streams.
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
