//! `struct tcp_info`.

use netlink_core::{flags, layout, values};

use crate::State;

values! {
    /// `TCP_CA_*`: what the sender thinks of the path.
    pub struct CongestionState: u8 {
        /// All is well.
        0 TCP_CA_Open OPEN "open",
        /// Acknowledgements come out of order or twice.
        1 TCP_CA_Disorder DISORDER "disorder",
        /// The window shrinks after a congestion mark or a local drop.
        2 TCP_CA_CWR CWR "cwr",
        /// Lost segments are sent again.
        3 TCP_CA_Recovery RECOVERY "recovery",
        /// The retransmission timer ran out.
        4 TCP_CA_Loss LOSS "loss",
    }
}

flags! {
    /// `TCPI_OPT_*`: what both sides agreed on.
    pub struct TcpOptions: u8 {
        /// Timestamps.
        0x1 TCPI_OPT_TIMESTAMPS TIMESTAMPS,
        /// Selective acknowledgements.
        0x2 TCPI_OPT_SACK SACK,
        /// Scaled windows.
        0x4 TCPI_OPT_WSCALE WSCALE,
        /// Explicit congestion notification.
        0x8 TCPI_OPT_ECN ECN,
        /// A packet with an ECN codepoint came.
        0x10 TCPI_OPT_ECN_SEEN ECN_SEEN,
        /// Data in the SYN was acknowledged.
        0x20 TCPI_OPT_SYN_DATA SYN_DATA,
        /// Timestamps count microseconds. Linux 6.7.
        0x40 TCPI_OPT_USEC_TS USEC_TS,
        /// Made by a Fast Open SYN. Linux 6.16.
        0x80 TCPI_OPT_TFO_CHILD TFO_CHILD,
    }
}

values! {
    /// `TCPI_ECN_MODE_*`: which form of ECN is in use.
    pub struct EcnMode: u8 {
        /// None.
        0 TCPI_ECN_MODE_DISABLED DISABLED "disabled",
        /// The classic one.
        1 TCPI_ECN_MODE_RFC3168 RFC3168 "rfc3168",
        /// Accurate ECN.
        2 TCPI_ECN_MODE_ACCECN ACCECN "accecn",
        /// Not yet decided.
        3 TCPI_ECN_MODE_PENDING PENDING "pending",
    }
}

layout! {
    /// `struct tcp_info`: 232 bytes since Linux 5.4, 240 since 6.2, 248 since 6.7, 280 since 6.18.
    pub struct TcpInfo: tcp_info = 280 {
        /// Its state.
        state: State,
        /// What the sender thinks of the path.
        ca_state: CongestionState,
        /// How often in a row the retransmission timer ran out.
        retransmits: u8,
        /// Probes in a row without an answer: of a closed window, or keepalives.
        probes: u8,
        /// How often the retransmission timeout was doubled.
        backoff: u8,
        /// What both sides agreed on.
        options: TcpOptions,
        /// Shifts of both windows; see [`snd_wscale`](Self::snd_wscale) and [`rcv_wscale`](Self::rcv_wscale).
        wscale: u8,
        /// Bits; see [`is_app_limited`](Self::is_app_limited) and [`fastopen_failure`](Self::fastopen_failure).
        bits: u8,
        /// Microseconds until a segment is sent again.
        rto: u32,
        /// Microseconds an acknowledgement may be delayed.
        ato: u32,
        /// Bytes of a segment sent, at most.
        snd_mss: u32,
        /// Bytes of a segment received, as estimated.
        rcv_mss: u32,
        /// Segments not acknowledged; of a listener, connections that wait to be accepted.
        unacked: u32,
        /// Segments acknowledged selectively; of a listener, connections that may wait.
        sacked: u32,
        /// Segments taken for lost.
        lost: u32,
        /// Segments sent again and not acknowledged.
        retrans: u32,
        /// Always 0 since Linux 4.15.
        fackets: u32,
        /// Milliseconds since data was sent.
        last_data_sent: u32,
        /// Always 0: not kept.
        last_ack_sent: u32,
        /// Milliseconds since data was received.
        last_data_recv: u32,
        /// Milliseconds since an acknowledgement was received.
        last_ack_recv: u32,
        /// Bytes of a packet on the path, at most.
        pmtu: u32,
        /// Bytes of the receive window up to which it grows quickly.
        rcv_ssthresh: u32,
        /// Microseconds of a round trip, smoothed.
        rtt: u32,
        /// Microseconds that round trips differ by, in the mean.
        rttvar: u32,
        /// Segments of the window up to which it grows quickly; 0x7fffffff is without a limit.
        snd_ssthresh: u32,
        /// Segments that may be in flight.
        snd_cwnd: u32,
        /// Bytes of a segment announced to the peer.
        advmss: u32,
        /// Segments that may come out of order before one is taken for lost.
        reordering: u32,
        /// Microseconds of a round trip, as the receiver estimates it.
        rcv_rtt: u32,
        /// Bytes the receiver reads in a round trip, for the growth of its buffer.
        rcv_space: u32,
        /// Segments sent again, ever.
        total_retrans: u32,
        /// Bytes a second it sends at most; all ones is without a limit. Linux 3.15.
        pacing_rate: Option<u64>,
        /// Bytes a second at most that `SO_MAX_PACING_RATE` allows; all ones is without a limit. Linux 3.15.
        max_pacing_rate: Option<u64>,
        /// Bytes acknowledged by the peer. Linux 4.1.
        bytes_acked: Option<u64>,
        /// Bytes received in order. Linux 4.1.
        bytes_received: Option<u64>,
        /// Segments sent. Linux 4.2.
        segs_out: Option<u32>,
        /// Segments received. Linux 4.2.
        segs_in: Option<u32>,
        /// Bytes written and not yet sent. Linux 4.6.
        notsent_bytes: Option<u32>,
        /// Microseconds of the shortest round trip of late. Linux 4.6.
        min_rtt: Option<u32>,
        /// Segments with data received. Linux 4.6.
        data_segs_in: Option<u32>,
        /// Segments with data sent. Linux 4.6.
        data_segs_out: Option<u32>,
        /// Bytes a second that arrived of late. Linux 4.9.
        delivery_rate: Option<u64>,
        /// Microseconds with data to send. Linux 4.10.
        busy_time: Option<u64>,
        /// Microseconds of those in which the peer's window was too small. Linux 4.10.
        rwnd_limited: Option<u64>,
        /// Microseconds of those in which the send buffer was too small. Linux 4.10.
        sndbuf_limited: Option<u64>,
        /// Segments that arrived, those sent again included. Linux 4.18.
        delivered: Option<u32>,
        /// Segments of those that arrived with a congestion mark. Linux 4.18.
        delivered_ce: Option<u32>,
        /// Bytes sent, with those sent again. Linux 4.19.
        bytes_sent: Option<u64>,
        /// Bytes sent again. Linux 4.19.
        bytes_retrans: Option<u64>,
        /// Segments that the peer got twice. Linux 4.19.
        dsack_dups: Option<u32>,
        /// How often segments were seen to come out of order. Linux 4.19.
        reord_seen: Option<u32>,
        /// Segments received out of order. Linux 5.4.
        rcv_ooopack: Option<u32>,
        /// Bytes of the peer's window. Linux 5.4.
        snd_wnd: Option<u32>,
        /// Bytes of our window. Linux 6.2.
        rcv_wnd: Option<u32>,
        /// How often another path was tried by another hash. Linux 6.2.
        rehash: Option<u32>,
        /// How often the retransmission timer ran out. Linux 6.7.
        total_rto: Option<u16>,
        /// How often it did for the first time in a row. Linux 6.7.
        total_rto_recoveries: Option<u16>,
        /// Milliseconds spent in such rows. Linux 6.7.
        total_rto_time: Option<u32>,
        /// Packets received with a congestion mark. Linux 6.18, as all that follows.
        received_ce: Option<u32>,
        /// Bytes that arrived as ECT(1), as the peer says.
        delivered_e1_bytes: Option<u32>,
        /// Bytes that arrived as ECT(0), as the peer says.
        delivered_e0_bytes: Option<u32>,
        /// Bytes that arrived with a congestion mark, as the peer says.
        delivered_ce_bytes: Option<u32>,
        /// Bytes received as ECT(1).
        received_e1_bytes: Option<u32>,
        /// Bytes received as ECT(0).
        received_e0_bytes: Option<u32>,
        /// Bytes received with a congestion mark.
        received_ce_bytes: Option<u32>,
        /// Bits about accurate ECN; their places differ between Linux 6.18 and 7.0.
        accecn: Option<u32>,
    }
}

/// The `width` bits of a C bit field that begins at bit `at` of a unit of `unit` bits.
pub(super) const fn bits(value: u32, unit: u32, at: u32, width: u32) -> u32 {
    let shift = if cfg!(target_endian = "little") { at } else { unit - at - width };
    value >> shift & ((1 << width) - 1)
}

#[allow(clippy::cast_possible_truncation)]
impl TcpInfo {
    /// How far the peer's window is shifted.
    pub const fn snd_wscale(&self) -> u8 {
        bits(self.wscale as u32, 8, 0, 4) as u8
    }

    /// How far our window is shifted.
    pub const fn rcv_wscale(&self) -> u8 {
        bits(self.wscale as u32, 8, 4, 4) as u8
    }

    /// Whether the delivery rate was limited by what there was to send.
    pub const fn is_app_limited(&self) -> bool {
        bits(self.bits as u32, 8, 0, 1) != 0
    }

    /// Why Fast Open failed; 0 if it didn't, or nobody tried (`enum tcp_fastopen_client_fail`). Linux 5.5.
    pub const fn fastopen_failure(&self) -> u8 {
        bits(self.bits as u32, 8, 1, 2) as u8
    }

    /// Which form of ECN is in use. Linux 7.0; in 6.18 the bits mean something else.
    pub fn ecn_mode(&self) -> Option<EcnMode> {
        self.accecn.map(|word| EcnMode(bits(word, 32, 0, 2) as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_fields() {
        // A big-endian compiler places the first of them highest.
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
