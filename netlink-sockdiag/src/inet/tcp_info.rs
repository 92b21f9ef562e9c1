//! `struct tcp_info`.

use netlink_core::{flags, layout, values};

use crate::State;

values! {
    /// `TCP_CA_*`: state of the congestion control.
    pub struct CongestionState: u8 {
        /// No problem.
        0 TCP_CA_Open OPEN "open",
        /// Acknowledgements are duplicated or out of order.
        1 TCP_CA_Disorder DISORDER "disorder",
        /// The window is reduced because of a congestion mark or a local drop.
        2 TCP_CA_CWR CWR "cwr",
        /// Lost segments are retransmitted.
        3 TCP_CA_Recovery RECOVERY "recovery",
        /// The retransmission timer expired.
        4 TCP_CA_Loss LOSS "loss",
    }
}

flags! {
    /// `TCPI_OPT_*`: options that both sides use.
    pub struct TcpOptions: u8 {
        /// Timestamps.
        0x1 TCPI_OPT_TIMESTAMPS TIMESTAMPS,
        /// Selective acknowledgements.
        0x2 TCPI_OPT_SACK SACK,
        /// Scaled windows.
        0x4 TCPI_OPT_WSCALE WSCALE,
        /// Explicit congestion notification.
        0x8 TCPI_OPT_ECN ECN,
        /// A packet with an ECN codepoint was received.
        0x10 TCPI_OPT_ECN_SEEN ECN_SEEN,
        /// Data in the SYN was acknowledged.
        0x20 TCPI_OPT_SYN_DATA SYN_DATA,
        /// Timestamps count microseconds. Linux 6.7.
        0x40 TCPI_OPT_USEC_TS USEC_TS,
        /// Created by a Fast Open SYN. Linux 6.16.
        0x80 TCPI_OPT_TFO_CHILD TFO_CHILD,
    }
}

values! {
    /// `TCPI_ECN_MODE_*`: the mode of ECN.
    pub struct EcnMode: u8 {
        /// None.
        0 TCPI_ECN_MODE_DISABLED DISABLED "disabled",
        /// Classic ECN (RFC 3168).
        1 TCPI_ECN_MODE_RFC3168 RFC3168 "rfc3168",
        /// Accurate ECN.
        2 TCPI_ECN_MODE_ACCECN ACCECN "accecn",
        /// Not decided yet.
        3 TCPI_ECN_MODE_PENDING PENDING "pending",
    }
}

layout! {
    /// `struct tcp_info`: 232 bytes since Linux 5.4, 240 since 6.2, 248 since 6.7, 280 since 6.18.
    pub struct TcpInfo: tcp_info = 280 {
        /// Its state.
        state: State,
        /// State of the congestion control.
        ca_state: CongestionState,
        /// Number of consecutive expirations of the retransmission timer.
        retransmits: u8,
        /// Number of consecutive unanswered probes: for a zero window, or keepalives.
        probes: u8,
        /// How often the retransmission timeout was doubled.
        backoff: u8,
        /// Options that both sides use.
        options: TcpOptions,
        /// Scales of both windows; see [`snd_wscale`](Self::snd_wscale) and [`rcv_wscale`](Self::rcv_wscale).
        wscale: u8,
        /// Bit fields; see [`is_app_limited`](Self::is_app_limited) and [`fastopen_failure`](Self::fastopen_failure).
        bits: u8,
        /// Retransmission timeout, in microseconds.
        rto: u32,
        /// Delay of acknowledgements, in microseconds.
        ato: u32,
        /// Largest size of sent segments, in bytes.
        snd_mss: u32,
        /// Estimated size of received segments, in bytes.
        rcv_mss: u32,
        /// Number of unacknowledged segments. For a listener: connections that wait to be accepted.
        unacked: u32,
        /// Number of selectively acknowledged segments. For a listener: largest number of connections that can wait.
        sacked: u32,
        /// Number of segments considered lost.
        lost: u32,
        /// Number of retransmitted segments that are not acknowledged.
        retrans: u32,
        /// Always 0 since Linux 4.15.
        fackets: u32,
        /// Milliseconds since data was last sent.
        last_data_sent: u32,
        /// Always 0.
        last_ack_sent: u32,
        /// Milliseconds since data was last received.
        last_data_recv: u32,
        /// Milliseconds since an acknowledgement was last received.
        last_ack_recv: u32,
        /// Path MTU, in bytes.
        pmtu: u32,
        /// Slow start threshold of the receive window, in bytes.
        rcv_ssthresh: u32,
        /// Smoothed round trip time, in microseconds.
        rtt: u32,
        /// Mean deviation of the round trip time, in microseconds.
        rttvar: u32,
        /// Slow start threshold, in segments; 0x7fffffff is no limit.
        snd_ssthresh: u32,
        /// Congestion window, in segments.
        snd_cwnd: u32,
        /// Segment size announced to the peer, in bytes.
        advmss: u32,
        /// Number of segments that may be out of order before one is considered lost.
        reordering: u32,
        /// Round trip time that the receiver estimates, in microseconds.
        rcv_rtt: u32,
        /// Bytes that the receiver reads per round trip; used to tune its buffer.
        rcv_space: u32,
        /// Total number of retransmitted segments.
        total_retrans: u32,
        /// Pacing rate in bytes per second; all ones is no limit. Linux 3.15.
        pacing_rate: Option<u64>,
        /// Largest pacing rate (`SO_MAX_PACING_RATE`) in bytes per second; all ones is no limit. Linux 3.15.
        max_pacing_rate: Option<u64>,
        /// Bytes acknowledged by the peer. Linux 4.1.
        bytes_acked: Option<u64>,
        /// Bytes received in order. Linux 4.1.
        bytes_received: Option<u64>,
        /// Number of segments sent. Linux 4.2.
        segs_out: Option<u32>,
        /// Number of segments received. Linux 4.2.
        segs_in: Option<u32>,
        /// Bytes written and not yet sent. Linux 4.6.
        notsent_bytes: Option<u32>,
        /// Recent shortest round trip time, in microseconds. Linux 4.6.
        min_rtt: Option<u32>,
        /// Number of segments with data received. Linux 4.6.
        data_segs_in: Option<u32>,
        /// Number of segments with data sent. Linux 4.6.
        data_segs_out: Option<u32>,
        /// Recent delivery rate, in bytes per second. Linux 4.9.
        delivery_rate: Option<u64>,
        /// Time with data to send, in microseconds. Linux 4.10.
        busy_time: Option<u64>,
        /// Part of the busy time in which the peer's window was too small, in microseconds. Linux 4.10.
        rwnd_limited: Option<u64>,
        /// Part of the busy time in which the send buffer was too small, in microseconds. Linux 4.10.
        sndbuf_limited: Option<u64>,
        /// Number of delivered segments, including retransmitted ones. Linux 4.18.
        delivered: Option<u32>,
        /// Number of delivered segments with a congestion mark. Linux 4.18.
        delivered_ce: Option<u32>,
        /// Bytes sent, including retransmitted ones. Linux 4.19.
        bytes_sent: Option<u64>,
        /// Bytes retransmitted. Linux 4.19.
        bytes_retrans: Option<u64>,
        /// Number of segments that the peer received twice. Linux 4.19.
        dsack_dups: Option<u32>,
        /// How often reordering was seen. Linux 4.19.
        reord_seen: Option<u32>,
        /// Number of segments received out of order. Linux 5.4.
        rcv_ooopack: Option<u32>,
        /// The peer's receive window, in bytes. Linux 5.4.
        snd_wnd: Option<u32>,
        /// The local receive window, in bytes. Linux 6.2.
        rcv_wnd: Option<u32>,
        /// How often the hash was changed to try another path. Linux 6.2.
        rehash: Option<u32>,
        /// How often the retransmission timer expired. Linux 6.7.
        total_rto: Option<u16>,
        /// Number of recoveries, each with one or more expirations in a row. Linux 6.7.
        total_rto_recoveries: Option<u16>,
        /// Time in these recoveries, in milliseconds. Linux 6.7.
        total_rto_time: Option<u32>,
        /// Number of packets received with a congestion mark. Linux 6.18; the same for all fields below.
        received_ce: Option<u32>,
        /// Bytes that arrived at the peer as ECT(1), as the peer reports.
        delivered_e1_bytes: Option<u32>,
        /// Bytes that arrived at the peer as ECT(0), as the peer reports.
        delivered_e0_bytes: Option<u32>,
        /// Bytes that arrived at the peer with a congestion mark, as the peer reports.
        delivered_ce_bytes: Option<u32>,
        /// Bytes received as ECT(1).
        received_e1_bytes: Option<u32>,
        /// Bytes received as ECT(0).
        received_e0_bytes: Option<u32>,
        /// Bytes received with a congestion mark.
        received_ce_bytes: Option<u32>,
        /// Bit fields of accurate ECN. Their positions differ between Linux 6.18 and 7.0.
        accecn: Option<u32>,
    }
}

/// The C bit field of `width` bits that begins at bit `at` in a unit of `unit` bits.
pub(super) const fn bits(value: u32, unit: u32, at: u32, width: u32) -> u32 {
    let shift = if cfg!(target_endian = "little") { at } else { unit - at - width };
    value >> shift & ((1 << width) - 1)
}

#[allow(clippy::cast_possible_truncation)]
impl TcpInfo {
    /// Scale of the peer's window, as a shift.
    pub const fn snd_wscale(&self) -> u8 {
        bits(self.wscale as u32, 8, 0, 4) as u8
    }

    /// Scale of the local window, as a shift.
    pub const fn rcv_wscale(&self) -> u8 {
        bits(self.wscale as u32, 8, 4, 4) as u8
    }

    /// Whether the application sent too little data for a measurement of the full delivery rate.
    pub const fn is_app_limited(&self) -> bool {
        bits(self.bits as u32, 8, 0, 1) != 0
    }

    /// Why Fast Open failed; 0 if it did not fail or was not used (`enum tcp_fastopen_client_fail`). Linux 5.5.
    pub const fn fastopen_failure(&self) -> u8 {
        bits(self.bits as u32, 8, 1, 2) as u8
    }

    /// The mode of ECN. Linux 7.0; in 6.18 the bits have another meaning.
    pub fn ecn_mode(&self) -> Option<EcnMode> {
        self.accecn.map(|word| EcnMode(bits(word, 32, 0, 2) as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_fields() {
        // A big-endian compiler puts the first bit field into the highest bits.
        let (wscale, bits, accecn) = match cfg!(target_endian = "big") {
            true => (0xa7, 0b1100_0000, 0xbf00_0000),
            false => (0x7a, 0b101, 0xfe),
        };
        let info = TcpInfo::default().wscale(wscale).bits(bits).accecn(Some(accecn));
        assert_eq!((info.snd_wscale(), info.rcv_wscale()), (10, 7));
        assert_eq!((info.is_app_limited(), info.fastopen_failure()), (true, 2));
        assert_eq!(info.ecn_mode(), Some(EcnMode::ACCECN));
    }
}
