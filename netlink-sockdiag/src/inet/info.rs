//! `INET_DIAG_INFO`: a struct of the protocol's own.

use core::fmt;

use netlink_core::layout::Pad;
use netlink_core::{Bytes, Malformed, Payload, Rule, Shape, Writer, flags, layout};

use super::{SctpInfo, TcpInfo};

/// What a protocol knows of its connection. The kernel doesn't say which protocol it is: ask for the one that was
/// queried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Info<'a>(
    /// The struct, as long as the kernel has it.
    pub &'a [u8],
);

impl Info<'_> {
    /// Of a TCP socket. What a kernel doesn't have yet is absent; `None` if it is shorter than that of Linux 2.6.
    pub fn tcp(&self) -> Option<TcpInfo> {
        TcpInfo::decode(self.0).ok()
    }

    /// Of an MPTCP socket.
    pub fn mptcp(&self) -> Option<MptcpInfo> {
        MptcpInfo::decode(self.0).ok()
    }

    /// Of an SCTP socket.
    pub fn sctp(&self) -> Option<SctpInfo> {
        SctpInfo::decode(self.0).ok()
    }

    /// What it most likely is, by its length.
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
    const SHAPE: Shape = Shape::Value(|bytes, f| Shape::show(f, bytes, Info::decode(bytes)));

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
        /// It fell back to plain TCP.
        0x1 MPTCP_INFO_FLAG_FALLBACK FALLBACK,
        /// The peer's key is known.
        0x2 MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED REMOTE_KEY_RECEIVED,
    }
}

layout! {
    /// `struct mptcp_info`.
    pub struct MptcpInfo: mptcp_info = 96 {
        /// Subflows besides the first.
        subflows: u8,
        /// Addresses announced to the peer.
        add_addr_signal: u8,
        /// Addresses accepted from the peer.
        add_addr_accepted: u8,
        /// Subflows at most besides the first.
        subflows_max: u8,
        /// Addresses to announce at most.
        add_addr_signal_max: u8,
        /// Addresses to accept at most.
        add_addr_accepted_max: u8,
        /// Padding.
        pad: Pad<2>,
        /// Its state.
        flags: MptcpInfoFlags,
        /// Our token: what tells the connection from others of this host.
        token: u32,
        /// The next sequence number to send. A number without unit for the user: it starts at random.
        write_seq: u64,
        /// The first sequence number not yet acknowledged.
        snd_una: u64,
        /// The next sequence number to receive.
        rcv_nxt: u64,
        /// Addresses of this host in use for subflows. Linux 5.12.
        local_addr_used: Option<u8>,
        /// Addresses of this host that may be. Linux 5.12.
        local_addr_max: Option<u8>,
        /// Whether checksums are sent. Linux 5.14.
        csum_enabled: Option<u8>,
        /// Padding.
        pad2: Option<u8>,
        /// Retransmissions, in all subflows. Linux 6.5, as all that follows until said otherwise.
        retransmits: Option<u32>,
        /// Bytes retransmitted.
        bytes_retrans: Option<u64>,
        /// Bytes sent.
        bytes_sent: Option<u64>,
        /// Bytes received.
        bytes_received: Option<u64>,
        /// Bytes acknowledged by the peer.
        bytes_acked: Option<u64>,
        /// Subflows, the first included.
        subflows_total: Option<u8>,
        /// Endpoints with the flag `laminar` at most. Linux 6.18.
        endp_laminar_max: Option<u8>,
        /// Endpoints with the flag `fullmesh` at most. Linux 6.18.
        endp_fullmesh_max: Option<u8>,
        /// Padding.
        pad3: Option<u8>,
        /// Milliseconds since data was sent. Linux 6.10.
        last_data_sent: Option<u32>,
        /// Milliseconds since data was received. Linux 6.10.
        last_data_recv: Option<u32>,
        /// Milliseconds since an acknowledgement was received. Linux 6.10.
        last_ack_recv: Option<u32>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn the_length_tells_what_a_struct_most_likely_is() {
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
    fn a_struct_of_an_older_kernel_reads_as_absent_from_there_on() {
        let mptcp = Info(&[1; 44]).mptcp().unwrap();
        assert_eq!((mptcp.csum_enabled, mptcp.retransmits), (Some(1), None));
        for (length, last) in [(232, (None, None, None)), (240, (Some(0x0101_0101), None, None))] {
            let tcp = Info(&[1; 280][..length]).tcp().unwrap();
            assert_eq!((tcp.rehash, tcp.total_rto, tcp.received_ce), last);
        }
        let tcp = Info(&[1; 248]).tcp().unwrap();
        assert_eq!((tcp.total_rto, tcp.received_ce), (Some(0x0101), None));
        assert_eq!(Info(&[1; 280]).tcp().unwrap().received_ce, Some(0x0101_0101));
        // N6: Linux 4.19 and 4.18, and 2.6.
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
