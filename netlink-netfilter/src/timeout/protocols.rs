//! The times of each protocol.

use netlink_core::{Be, attrs, choice};

use crate::conntrack::IpProtocol;

/// Stands for every protocol that connection tracking does not look into, where times are set.
pub const GENERIC: IpProtocol = IpProtocol(255);

attrs! {
    /// `CTA_TIMEOUT_TCP_*`: times of TCP, by the state of the connection.
    pub struct TcpTimeoutsAttrs<'a> for TcpTimeouts {
        /// Until the answer to a SYN.
        1 CTA_TIMEOUT_TCP_SYN_SENT syn_sent: Be<u32> as u32,
        /// From that answer on, until it is acknowledged.
        2 CTA_TIMEOUT_TCP_SYN_RECV syn_recv: Be<u32> as u32,
        /// Open, without a packet. Five days by default.
        3 CTA_TIMEOUT_TCP_ESTABLISHED established: Be<u32> as u32,
        /// After the first FIN.
        4 CTA_TIMEOUT_TCP_FIN_WAIT fin_wait: Be<u32> as u32,
        /// After that is acknowledged.
        5 CTA_TIMEOUT_TCP_CLOSE_WAIT close_wait: Be<u32> as u32,
        /// After the second FIN.
        6 CTA_TIMEOUT_TCP_LAST_ACK last_ack: Be<u32> as u32,
        /// After that is acknowledged.
        7 CTA_TIMEOUT_TCP_TIME_WAIT time_wait: Be<u32> as u32,
        /// After a reset.
        8 CTA_TIMEOUT_TCP_CLOSE close: Be<u32> as u32,
        /// Until the end of a simultaneous open.
        9 CTA_TIMEOUT_TCP_SYN_SENT2 syn_sent2: Be<u32> as u32,
        /// At most, while packets are sent again and again.
        10 CTA_TIMEOUT_TCP_RETRANS retrans: Be<u32> as u32,
        /// At most, while data is not acknowledged.
        11 CTA_TIMEOUT_TCP_UNACK unack: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_UDP_*`: times of UDP.
    pub struct UdpTimeoutsAttrs<'a> for UdpTimeouts {
        /// While packets go one way.
        1 CTA_TIMEOUT_UDP_UNREPLIED unreplied: Be<u32> as u32,
        /// Once they went both ways for two seconds.
        2 CTA_TIMEOUT_UDP_REPLIED replied: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_UDPLITE_*`: times of UDP-Lite.
    pub struct UdpliteTimeoutsAttrs<'a> for UdpliteTimeouts {
        /// While packets go one way.
        1 CTA_TIMEOUT_UDPLITE_UNREPLIED unreplied: Be<u32> as u32,
        /// Once they went both ways.
        2 CTA_TIMEOUT_UDPLITE_REPLIED replied: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_ICMP_*`: time of an ICMP query.
    pub struct IcmpTimeoutsAttrs<'a> for IcmpTimeouts {
        /// Since its last packet.
        1 CTA_TIMEOUT_ICMP_TIMEOUT timeout: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_ICMPV6_*`: time of an ICMPv6 query.
    pub struct Icmpv6TimeoutsAttrs<'a> for Icmpv6Timeouts {
        /// Since its last packet.
        1 CTA_TIMEOUT_ICMPV6_TIMEOUT timeout: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_DCCP_*`: times of DCCP, by the state of the connection. Before Linux 6.17.
    pub struct DccpTimeoutsAttrs<'a> for DccpTimeouts {
        /// Until the answer to a request.
        1 CTA_TIMEOUT_DCCP_REQUEST request: Be<u32> as u32,
        /// From that answer on.
        2 CTA_TIMEOUT_DCCP_RESPOND respond: Be<u32> as u32,
        /// After the first acknowledgement.
        3 CTA_TIMEOUT_DCCP_PARTOPEN partopen: Be<u32> as u32,
        /// Open, without a packet.
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
    /// `CTA_TIMEOUT_SCTP_*`: times of SCTP, by the state of the association.
    pub struct SctpTimeoutsAttrs<'a> for SctpTimeouts {
        /// Aborted, or fully shut down.
        1 CTA_TIMEOUT_SCTP_CLOSED closed: Be<u32> as u32,
        /// After INIT.
        2 CTA_TIMEOUT_SCTP_COOKIE_WAIT cookie_wait: Be<u32> as u32,
        /// After the cookie was echoed.
        3 CTA_TIMEOUT_SCTP_COOKIE_ECHOED cookie_echoed: Be<u32> as u32,
        /// Open, without a packet.
        4 CTA_TIMEOUT_SCTP_ESTABLISHED established: Be<u32> as u32,
        /// After a shutdown in the original direction.
        5 CTA_TIMEOUT_SCTP_SHUTDOWN_SENT shutdown_sent: Be<u32> as u32,
        /// After a shutdown in the reply direction.
        6 CTA_TIMEOUT_SCTP_SHUTDOWN_RECD shutdown_recd: Be<u32> as u32,
        /// After that is acknowledged.
        7 CTA_TIMEOUT_SCTP_SHUTDOWN_ACK_SENT shutdown_ack_sent: Be<u32> as u32,
        /// On another path, after its first heartbeat.
        8 CTA_TIMEOUT_SCTP_HEARTBEAT_SENT heartbeat_sent: Be<u32> as u32,
        /// On another path, once a heartbeat is answered. Newer kernels have no such state.
        9 CTA_TIMEOUT_SCTP_HEARTBEAT_ACKED heartbeat_acked: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_GRE_*`: times of GRE.
    pub struct GreTimeoutsAttrs<'a> for GreTimeouts {
        /// While packets go one way.
        1 CTA_TIMEOUT_GRE_UNREPLIED unreplied: Be<u32> as u32,
        /// Once they went both ways.
        2 CTA_TIMEOUT_GRE_REPLIED replied: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_TIMEOUT_GENERIC_*`: time of every other protocol.
    pub struct GenericTimeoutsAttrs<'a> for GenericTimeouts {
        /// Since the last packet.
        1 CTA_TIMEOUT_GENERIC_TIMEOUT timeout: Be<u32> as u32,
    }
}

choice! {
    /// The times of one protocol. To set some, give a builder such as [`TcpTimeouts`].
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
        /// What the kernel has no times of its own for.
        GENERIC => Generic(GenericTimeoutsAttrs<'a>, GenericTimeouts),
    }
}
