//! State that a protocol's tracking keeps of a connection: `CTA_PROTOINFO_*`.

use netlink_core::{Be, Bytes, attrs, flags, layout, values};

values! {
    /// `TCP_CONNTRACK_*`: state of a TCP connection.
    pub struct TcpState: u8 {
        /// No packet seen.
        0 TCP_CONNTRACK_NONE NONE "NONE",
        /// A SYN was seen.
        1 TCP_CONNTRACK_SYN_SENT SYN_SENT "SYN_SENT",
        /// A SYN and its answer were seen.
        2 TCP_CONNTRACK_SYN_RECV SYN_RECV "SYN_RECV",
        /// The handshake is complete.
        3 TCP_CONNTRACK_ESTABLISHED ESTABLISHED "ESTABLISHED",
        /// One end sent a FIN.
        4 TCP_CONNTRACK_FIN_WAIT FIN_WAIT "FIN_WAIT",
        /// The other end acknowledged the FIN.
        5 TCP_CONNTRACK_CLOSE_WAIT CLOSE_WAIT "CLOSE_WAIT",
        /// The other end sent a FIN too.
        6 TCP_CONNTRACK_LAST_ACK LAST_ACK "LAST_ACK",
        /// Closed by both ends.
        7 TCP_CONNTRACK_TIME_WAIT TIME_WAIT "TIME_WAIT",
        /// Reset.
        8 TCP_CONNTRACK_CLOSE CLOSE "CLOSE",
        /// SYNs from both ends.
        9 TCP_CONNTRACK_SYN_SENT2 SYN_SENT2 "SYN_SENT2",
    }
}

flags! {
    /// `IP_CT_TCP_FLAG_*`: properties of one end of a TCP connection.
    pub struct TcpFlags: u8 {
        /// It offered window scaling.
        0x01 IP_CT_TCP_FLAG_WINDOW_SCALE WINDOW_SCALE,
        /// It allows selective acknowledgements.
        0x02 IP_CT_TCP_FLAG_SACK_PERM SACK_PERM,
        /// It was the first to send a FIN.
        0x04 IP_CT_TCP_FLAG_CLOSE_INIT CLOSE_INIT,
        /// Its packets are accepted even if they are out of window.
        0x08 IP_CT_TCP_FLAG_BE_LIBERAL BE_LIBERAL,
        /// Some of its data is not acknowledged.
        0x10 IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED DATA_UNACKNOWLEDGED,
        /// It has acknowledged something.
        0x20 IP_CT_TCP_FLAG_MAXACK_SET MAXACK_SET,
        /// A challenge ACK (RFC 5961) may follow.
        0x40 IP_CT_EXP_CHALLENGE_ACK CHALLENGE_ACK,
        /// Both ends opened at once. Linux 5.8.
        0x80 IP_CT_TCP_SIMULTANEOUS_OPEN SIMULTANEOUS_OPEN,
    }
}

layout! {
    /// `struct nf_ct_tcp_flags`: flags, and a mask of the flags to change.
    pub struct TcpFlagsMask: nf_ct_tcp_flags = 2 {
        /// The flags.
        flags: TcpFlags,
        /// Request: the flags to change. Reply: equal to the flags.
        mask: TcpFlags,
    }
}

attrs! {
    /// `CTA_PROTOINFO_TCP_*`: TCP.
    ///
    /// The destroy event has only the state.
    pub struct TcpInfoAttrs<'a> for TcpInfo {
        /// State.
        1 CTA_PROTOINFO_TCP_STATE state: TcpState,
        /// Window scale of the end that opened the connection: at most 14. A request must have both scales,
        /// and [`WINDOW_SCALE`](TcpFlags::WINDOW_SCALE) in both flags; otherwise the kernel ignores it.
        2 CTA_PROTOINFO_TCP_WSCALE_ORIGINAL wscale_original: u8,
        /// Window scale of the other end.
        3 CTA_PROTOINFO_TCP_WSCALE_REPLY wscale_reply: u8,
        /// Flags of the end that opened the connection.
        4 CTA_PROTOINFO_TCP_FLAGS_ORIGINAL flags_original: TcpFlagsMask,
        /// Flags of the other end.
        5 CTA_PROTOINFO_TCP_FLAGS_REPLY flags_reply: TcpFlagsMask,
    }
}

values! {
    /// `CT_DCCP_*`: state of a DCCP connection.
    pub struct DccpState: u8 {
        /// No packet seen.
        0 CT_DCCP_NONE NONE "NONE",
        /// A request was seen.
        1 CT_DCCP_REQUEST REQUEST "REQUEST",
        /// A response was seen.
        2 CT_DCCP_RESPOND RESPOND "RESPOND",
        /// The response was acknowledged.
        3 CT_DCCP_PARTOPEN PARTOPEN "PARTOPEN",
        /// The handshake is complete.
        4 CT_DCCP_OPEN OPEN "OPEN",
        /// The server asked to close.
        5 CT_DCCP_CLOSEREQ CLOSEREQ "CLOSEREQ",
        /// One end is closing.
        6 CT_DCCP_CLOSING CLOSING "CLOSING",
        /// Reset or closed.
        7 CT_DCCP_TIMEWAIT TIMEWAIT "TIMEWAIT",
    }
}

values! {
    /// `CT_DCCP_ROLE_*`: the DCCP role of the end that sends packets in the original direction.
    pub struct DccpRole: u8 {
        /// The client.
        0 CT_DCCP_ROLE_CLIENT CLIENT "client",
        /// The server.
        1 CT_DCCP_ROLE_SERVER SERVER "server",
    }
}

attrs! {
    /// `CTA_PROTOINFO_DCCP_*`: DCCP. Up to Linux 6.16.
    pub struct DccpInfoAttrs<'a> for DccpInfo {
        /// State.
        1 CTA_PROTOINFO_DCCP_STATE state: DccpState,
        /// Role of the end that opened the connection.
        2 CTA_PROTOINFO_DCCP_ROLE role: DccpRole,
        /// Sequence number of the packet that opened the connection.
        3 CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ handshake_seq: Be<u64> as u64,
        /// Aligns the sequence.
        4 CTA_PROTOINFO_DCCP_PAD pad: Bytes<'a>,
    }
}

values! {
    /// `SCTP_CONNTRACK_*`: state of an SCTP association.
    pub struct SctpState: u8 {
        /// No packet seen.
        0 SCTP_CONNTRACK_NONE NONE "NONE",
        /// Closed, or not yet open.
        1 SCTP_CONNTRACK_CLOSED CLOSED "CLOSED",
        /// An INIT was seen.
        2 SCTP_CONNTRACK_COOKIE_WAIT COOKIE_WAIT "COOKIE_WAIT",
        /// A COOKIE ECHO was seen.
        3 SCTP_CONNTRACK_COOKIE_ECHOED COOKIE_ECHOED "COOKIE_ECHOED",
        /// The handshake is complete.
        4 SCTP_CONNTRACK_ESTABLISHED ESTABLISHED "ESTABLISHED",
        /// The end that opened the association closes it.
        5 SCTP_CONNTRACK_SHUTDOWN_SENT SHUTDOWN_SENT "SHUTDOWN_SENT",
        /// The other end closes it.
        6 SCTP_CONNTRACK_SHUTDOWN_RECD SHUTDOWN_RECD "SHUTDOWN_RECD",
        /// The shutdown was acknowledged.
        7 SCTP_CONNTRACK_SHUTDOWN_ACK_SENT SHUTDOWN_ACK_SENT "SHUTDOWN_ACK_SENT",
        /// A heartbeat was seen on a second path.
        8 SCTP_CONNTRACK_HEARTBEAT_SENT HEARTBEAT_SENT "HEARTBEAT_SENT",
        /// A heartbeat was answered. Up to Linux 6.1.
        9 SCTP_CONNTRACK_HEARTBEAT_ACKED HEARTBEAT_ACKED "HEARTBEAT_ACKED",
    }
}

attrs! {
    /// `CTA_PROTOINFO_SCTP_*`: SCTP.
    pub struct SctpInfoAttrs<'a> for SctpInfo {
        /// State.
        1 CTA_PROTOINFO_SCTP_STATE state: SctpState,
        /// Verification tag of packets in the original direction.
        2 CTA_PROTOINFO_SCTP_VTAG_ORIGINAL vtag_original: Be<u32> as u32,
        /// Verification tag of packets in the reply direction.
        3 CTA_PROTOINFO_SCTP_VTAG_REPLY vtag_reply: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_PROTOINFO_*`: one attribute, for the protocol of the connection.
    pub struct ProtoInfoAttrs<'a> for ProtoInfo {
        /// TCP.
        1 CTA_PROTOINFO_TCP tcp: TcpInfoAttrs<'a>,
        /// DCCP.
        2 CTA_PROTOINFO_DCCP dccp: DccpInfoAttrs<'a>,
        /// SCTP.
        3 CTA_PROTOINFO_SCTP sctp: SctpInfoAttrs<'a>,
    }
}

impl ProtoInfoAttrs<'_> {
    /// The name of the state in the protocol of the connection.
    pub fn state_name(&self) -> Option<&'static str> {
        let tcp = || self.tcp()?.state()?.name();
        let dccp = || self.dccp()?.state()?.name();
        let sctp = || self.sctp()?.state()?.name();
        tcp().or_else(dccp).or_else(sctp)
    }
}
