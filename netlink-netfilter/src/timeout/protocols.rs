//! The times of each protocol.

use netlink_core::{Be, attrs, choice};

use crate::conntrack::IpProtocol;

/// Stands for all protocols that connection tracking does not inspect.
pub const GENERIC: IpProtocol = IpProtocol(255);

attrs! {
    /// `CTA_TIMEOUT_TCP_*`: times of TCP, by state of the connection.
    pub struct TcpTimeoutsAttrs<'a> for TcpTimeouts {
        /// After a SYN.
        1 CTA_TIMEOUT_TCP_SYN_SENT syn_sent: Be<u32> as u32,
        /// After the answer to the SYN.
        2 CTA_TIMEOUT_TCP_SYN_RECV syn_recv: Be<u32> as u32,
        /// Open, without packets. Default: five days.
        3 CTA_TIMEOUT_TCP_ESTABLISHED established: Be<u32> as u32,
        /// After the first FIN.
        4 CTA_TIMEOUT_TCP_FIN_WAIT fin_wait: Be<u32> as u32,
        /// After the acknowledgement of the first FIN.
        5 CTA_TIMEOUT_TCP_CLOSE_WAIT close_wait: Be<u32> as u32,
        /// After the second FIN.
        6 CTA_TIMEOUT_TCP_LAST_ACK last_ack: Be<u32> as u32,
        /// After the acknowledgement of the second FIN.
        7 CTA_TIMEOUT_TCP_TIME_WAIT time_wait: Be<u32> as u32,
        /// After a reset.
        8 CTA_TIMEOUT_TCP_CLOSE close: Be<u32> as u32,
        /// During a simultaneous open.
        9 CTA_TIMEOUT_TCP_SYN_SENT2 syn_sent2: Be<u32> as u32,
        /// Upper limit while packets are retransmitted.
        10 CTA_TIMEOUT_TCP_RETRANS retrans: Be<u32> as u32,
        /// Upper limit while data is unacknowledged.
        11 CTA_TIMEOUT_TCP_UNACK unack: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_UDP_*`: times of UDP.
    pub struct UdpTimeoutsAttrs<'a> for UdpTimeouts {
        /// Packets in one direction only.
        1 CTA_TIMEOUT_UDP_UNREPLIED unreplied: Be<u32> as u32,
        /// Packets in both directions for two seconds.
        2 CTA_TIMEOUT_UDP_REPLIED replied: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_UDPLITE_*`: times of UDP-Lite.
    pub struct UdpliteTimeoutsAttrs<'a> for UdpliteTimeouts {
        /// Packets in one direction only.
        1 CTA_TIMEOUT_UDPLITE_UNREPLIED unreplied: Be<u32> as u32,
        /// Packets in both directions.
        2 CTA_TIMEOUT_UDPLITE_REPLIED replied: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_ICMP_*`: time of an ICMP query.
    pub struct IcmpTimeoutsAttrs<'a> for IcmpTimeouts {
        /// After its last packet.
        1 CTA_TIMEOUT_ICMP_TIMEOUT timeout: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_ICMPV6_*`: time of an ICMPv6 query.
    pub struct Icmpv6TimeoutsAttrs<'a> for Icmpv6Timeouts {
        /// After its last packet.
        1 CTA_TIMEOUT_ICMPV6_TIMEOUT timeout: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_DCCP_*`: times of DCCP, by state of the connection. Before Linux 6.17.
    pub struct DccpTimeoutsAttrs<'a> for DccpTimeouts {
        /// After a request.
        1 CTA_TIMEOUT_DCCP_REQUEST request: Be<u32> as u32,
        /// After the response.
        2 CTA_TIMEOUT_DCCP_RESPOND respond: Be<u32> as u32,
        /// After the first acknowledgement.
        3 CTA_TIMEOUT_DCCP_PARTOPEN partopen: Be<u32> as u32,
        /// Open, without packets.
        4 CTA_TIMEOUT_DCCP_OPEN open: Be<u32> as u32,
        /// After the server asked to close.
        5 CTA_TIMEOUT_DCCP_CLOSEREQ closereq: Be<u32> as u32,
        /// After a close.
        6 CTA_TIMEOUT_DCCP_CLOSING closing: Be<u32> as u32,
        /// After a reset.
        7 CTA_TIMEOUT_DCCP_TIMEWAIT timewait: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_SCTP_*`: times of SCTP, by state of the association.
    pub struct SctpTimeoutsAttrs<'a> for SctpTimeouts {
        /// After an abort or a complete shutdown.
        1 CTA_TIMEOUT_SCTP_CLOSED closed: Be<u32> as u32,
        /// After INIT.
        2 CTA_TIMEOUT_SCTP_COOKIE_WAIT cookie_wait: Be<u32> as u32,
        /// After the cookie was echoed.
        3 CTA_TIMEOUT_SCTP_COOKIE_ECHOED cookie_echoed: Be<u32> as u32,
        /// Open, without packets.
        4 CTA_TIMEOUT_SCTP_ESTABLISHED established: Be<u32> as u32,
        /// After a shutdown in the original direction.
        5 CTA_TIMEOUT_SCTP_SHUTDOWN_SENT shutdown_sent: Be<u32> as u32,
        /// After a shutdown in the reply direction.
        6 CTA_TIMEOUT_SCTP_SHUTDOWN_RECD shutdown_recd: Be<u32> as u32,
        /// After the acknowledgement of the shutdown.
        7 CTA_TIMEOUT_SCTP_SHUTDOWN_ACK_SENT shutdown_ack_sent: Be<u32> as u32,
        /// On a second path, after its first heartbeat.
        8 CTA_TIMEOUT_SCTP_HEARTBEAT_SENT heartbeat_sent: Be<u32> as u32,
        /// On a second path, after a heartbeat was answered. Newer kernels do not have this state.
        9 CTA_TIMEOUT_SCTP_HEARTBEAT_ACKED heartbeat_acked: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_GRE_*`: times of GRE.
    pub struct GreTimeoutsAttrs<'a> for GreTimeouts {
        /// Packets in one direction only.
        1 CTA_TIMEOUT_GRE_UNREPLIED unreplied: Be<u32> as u32,
        /// Packets in both directions.
        2 CTA_TIMEOUT_GRE_REPLIED replied: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_GENERIC_*`: time of all other protocols.
    pub struct GenericTimeoutsAttrs<'a> for GenericTimeouts {
        /// After its last packet.
        1 CTA_TIMEOUT_GENERIC_TIMEOUT timeout: Be<u32> as u32,
    }
}

choice! {
    /// The times of one protocol. To set them, give a builder such as [`TcpTimeouts`].
    pub enum Timeouts<'a> by 3 protocol: IpProtocol {
        /// TCP.
        IpProtocol::TCP => Tcp(TcpTimeoutsAttrs<'a>, TcpTimeouts),
        /// UDP.
        IpProtocol::UDP => Udp(UdpTimeoutsAttrs<'a>, UdpTimeouts),
        /// UDP-Lite.
        IpProtocol::UDPLITE => Udplite(UdpliteTimeoutsAttrs<'a>, UdpliteTimeouts),
        /// ICMP.
        IpProtocol::ICMP => Icmp(IcmpTimeoutsAttrs<'a>, IcmpTimeouts),
        /// ICMPv6.
        IpProtocol::ICMPV6 => Icmpv6(Icmpv6TimeoutsAttrs<'a>, Icmpv6Timeouts),
        /// DCCP.
        IpProtocol::DCCP => Dccp(DccpTimeoutsAttrs<'a>, DccpTimeouts),
        /// SCTP.
        IpProtocol::SCTP => Sctp(SctpTimeoutsAttrs<'a>, SctpTimeouts),
        /// GRE.
        IpProtocol::GRE => Gre(GreTimeoutsAttrs<'a>, GreTimeouts),
        /// All other protocols.
        GENERIC => Generic(GenericTimeoutsAttrs<'a>, GenericTimeouts),
    }
}
