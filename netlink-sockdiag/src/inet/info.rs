//! `INET_DIAG_INFO`: a struct of the socket's protocol.

use core::fmt;

use netlink_core::layout::Pad;
use netlink_core::{Bytes, Malformed, Payload, Rule, Shape, Writer, flags, layout, leaf};

use super::{SctpInfo, TcpInfo};

/// Connection data of the protocol. The kernel does not send which protocol it is: call the method for the
/// protocol of the query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Info<'a>(
    /// The struct, in the length of the kernel's version.
    pub &'a [u8],
);

impl Info<'_> {
    /// As data of a TCP socket. Fields that the kernel does not have are absent. `None` if it is shorter than
    /// the struct of Linux 2.6.
    pub fn tcp(&self) -> Option<TcpInfo> {
        TcpInfo::decode(self.0).ok()
    }

    /// As data of an MPTCP socket.
    pub fn mptcp(&self) -> Option<MptcpInfo> {
        MptcpInfo::decode(self.0).ok()
    }

    /// As data of an SCTP socket.
    pub fn sctp(&self) -> Option<SctpInfo> {
        SctpInfo::decode(self.0).ok()
    }

    /// The most likely protocol for the length of the struct.
    fn likely(&self) -> Likely<'_> {
        let tcp = || self.tcp().map(Likely::Tcp);
        let (sctp, mptcp) = (self.sctp().map(Likely::Sctp), self.mptcp().map(Likely::Mptcp));
        sctp.or_else(tcp).or(mptcp).unwrap_or(Likely::Unknown(Bytes(self.0)))
    }
}

enum Likely<'a> {
    Tcp(TcpInfo),
    Mptcp(MptcpInfo),
    Sctp(SctpInfo),
    Unknown(Bytes<'a>),
}

impl<'a> Payload<'a> for Info<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = leaf!(Info<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self(payload))
    }

    fn encode(&self, out: &mut Writer) {
        out.push(self.0);
    }
}

impl fmt::Debug for Info<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.likely() {
            Likely::Tcp(info) => info.fmt(f),
            Likely::Mptcp(info) => info.fmt(f),
            Likely::Sctp(info) => info.fmt(f),
            Likely::Unknown(bytes) => bytes.fmt(f),
        }
    }
}

netlink_core::serialize! { @with ['a] Info<'a>, |info, serializer| {
    match info.likely() {
        Likely::Tcp(info) => info.serialize(serializer),
        Likely::Mptcp(info) => info.serialize(serializer),
        Likely::Sctp(info) => info.serialize(serializer),
        Likely::Unknown(bytes) => bytes.serialize(serializer),
    }
} }

flags! {
    /// `MPTCP_INFO_FLAG_*`.
    pub struct MptcpInfoFlags: u32 {
        /// The connection fell back to plain TCP.
        0x1 MPTCP_INFO_FLAG_FALLBACK FALLBACK,
        /// The peer's key is known.
        0x2 MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED REMOTE_KEY_RECEIVED,
    }
}

layout! {
    /// `struct mptcp_info`.
    pub struct MptcpInfo: mptcp_info = 96 {
        /// Number of subflows, without the first.
        subflows: u8,
        /// Number of addresses announced to the peer.
        add_addr_signal: u8,
        /// Number of addresses accepted from the peer.
        add_addr_accepted: u8,
        /// Largest number of subflows, without the first.
        subflows_max: u8,
        /// Largest number of addresses to announce.
        add_addr_signal_max: u8,
        /// Largest number of addresses to accept.
        add_addr_accepted_max: u8,
        /// Padding.
        pad: Pad<2>,
        /// Flags.
        flags: MptcpInfoFlags,
        /// Local token, which identifies the connection on this host.
        token: u32,
        /// The next sequence number to send. Sequence numbers start at random.
        write_seq: u64,
        /// The first sequence number not yet acknowledged.
        snd_una: u64,
        /// The next sequence number to receive.
        rcv_nxt: u64,
        /// Number of local addresses used for subflows. Linux 5.12.
        local_addr_used: Option<u8>,
        /// Largest number of local addresses for subflows. Linux 5.12.
        local_addr_max: Option<u8>,
        /// Whether checksums are sent. Linux 5.14.
        csum_enabled: Option<u8>,
        /// Padding.
        pad2: Option<u8>,
        /// Retransmissions in all subflows. Linux 6.5; the same for all fields below without a version.
        retransmits: Option<u32>,
        /// Bytes retransmitted.
        bytes_retrans: Option<u64>,
        /// Bytes sent.
        bytes_sent: Option<u64>,
        /// Bytes received.
        bytes_received: Option<u64>,
        /// Bytes acknowledged by the peer.
        bytes_acked: Option<u64>,
        /// Number of subflows, with the first.
        subflows_total: Option<u8>,
        /// Largest number of endpoints with the flag `laminar`. Linux 6.18.
        endp_laminar_max: Option<u8>,
        /// Largest number of endpoints with the flag `fullmesh`. Linux 6.18.
        endp_fullmesh_max: Option<u8>,
        /// Padding.
        pad3: Option<u8>,
        /// Milliseconds since data was last sent. Linux 6.10.
        last_data_sent: Option<u32>,
        /// Milliseconds since data was last received. Linux 6.10.
        last_data_recv: Option<u32>,
        /// Milliseconds since an acknowledgement was last received. Linux 6.10.
        last_ack_recv: Option<u32>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn the_length_shows_the_most_likely_protocol() {
        let name = |length: usize| {
            let text = format!("{:?}", Info(&[0; 400][..length]));
            text.split(' ').next().unwrap_or_default().to_owned()
        };
        use alloc::borrow::ToOwned as _;
        for (length, wanted) in
            [(40, "MptcpInfo"), (96, "MptcpInfo"), (104, "TcpInfo"), (224, "TcpInfo"), (280, "TcpInfo")]
        {
            assert_eq!(name(length), wanted);
        }
        assert_eq!(name(368), "SctpInfo");
        assert_eq!(format!("{:?}", Info(&[1, 2])), "0102");
    }

    #[test]
    fn fields_that_an_older_kernel_lacks_are_absent() {
        let mptcp = Info(&[1; 44]).mptcp().unwrap();
        assert_eq!((mptcp.csum_enabled, mptcp.retransmits), (Some(1), None));
        for (length, last) in [(232, (None, None, None)), (240, (Some(0x0101_0101), None, None))] {
            let tcp = Info(&[1; 280][..length]).tcp().unwrap();
            assert_eq!((tcp.rehash, tcp.total_rto, tcp.received_ce), last);
        }
        let tcp = Info(&[1; 248]).tcp().unwrap();
        assert_eq!((tcp.total_rto, tcp.received_ce), (Some(0x0101), None));
        assert_eq!(Info(&[1; 280]).tcp().unwrap().received_ce, Some(0x0101_0101));
        // N6: the lengths in Linux 4.19, 4.18 and 2.6.
        let tcp = Info(&[1; 224]).tcp().unwrap();
        assert_eq!((tcp.reord_seen, tcp.rcv_ooopack, tcp.snd_wnd), (Some(0x0101_0101), None, None));
        let tcp = Info(&[1; 200]).tcp().unwrap();
        assert_eq!((tcp.rtt, tcp.delivered), (0x0101_0101, Some(0x0101_0101)));
        assert_eq!((tcp.delivered_ce, tcp.bytes_sent), (Some(0x0101_0101), None));
        let tcp = Info(&[1; 104]).tcp().unwrap();
        assert_eq!((tcp.total_retrans, tcp.pacing_rate), (0x0101_0101, None));
        assert_eq!(Info(&[1; 103]).tcp(), None);
    }
}
