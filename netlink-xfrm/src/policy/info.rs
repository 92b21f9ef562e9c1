//! What becomes of packets without a policy, and how many policies there are.

use netlink_core::{attrs, layout, message, values};

use super::PolicyAttrs;
use crate::state::InfoHeader;

values! {
    /// `XFRM_USERPOLICY_*`: what becomes of packets that no policy is for.
    pub struct DefaultAction: u8 {
        /// In a request: as it was.
        0 XFRM_USERPOLICY_UNSPEC UNSPEC "unspec",
        /// They are dropped.
        1 XFRM_USERPOLICY_BLOCK BLOCK "block",
        /// They pass.
        2 XFRM_USERPOLICY_ACCEPT ACCEPT "accept",
    }
}

layout! {
    /// `struct xfrm_userpolicy_default`.
    pub struct DefaultInfo: xfrm_userpolicy_default = 3 {
        /// Of packets to this host.
        input: DefaultAction,
        /// Of packets through it.
        forward: DefaultAction,
        /// Of packets from it.
        output: DefaultAction,
    }
}

message! {
    /// What becomes of packets that no policy is for. Linux 5.15.
    pub struct DefaultPolicy<'a>(DefaultInfo, PolicyAttrs<'a>), DefaultRequest {
        /// To set it.
        39 XFRM_MSG_SETDEFAULT SET,
        /// Asks, is the answer, and tells of a change.
        40 XFRM_MSG_GETDEFAULT GET,
    }
    on crate::PROTOCOL
}

layout! {
    /// `struct xfrmu_spdinfo`: how many policies there are.
    pub struct SpdCounts: xfrmu_spdinfo = 24 {
        /// For packets in.
        incnt: u32,
        /// Out.
        outcnt: u32,
        /// Through.
        fwdcnt: u32,
        /// The same of sockets.
        inscnt: u32,
        /// The same of sockets.
        outscnt: u32,
        /// The same of sockets.
        fwdscnt: u32,
    }
}

layout! {
    /// `struct xfrmu_spdhinfo`.
    pub struct SpdTable: xfrmu_spdhinfo = 8 {
        /// Buckets of the hash table, less one.
        spdhcnt: u32,
        /// Most it may get.
        spdhmcnt: u32,
    }
}

layout! {
    /// `struct xfrmu_spdhthresh`: policies with prefixes at least that long are found by a hash table.
    pub struct HashThresholds: xfrmu_spdhthresh = 2 {
        /// Of the local address: at most 32, in IPv6 128.
        lbits: u8,
        /// Of the remote one.
        rbits: u8,
    }
}

attrs! {
    /// `XFRMA_SPD_*`.
    pub struct SpdAttrs<'a> for SpdRequest<R> {
        /// Policies there are. Read-only.
        1 XFRMA_SPD_INFO counts -> SpdCounts,
        /// Their hash table. Read-only.
        2 XFRMA_SPD_HINFO table -> SpdTable,
        /// Which IPv4 policies are in it.
        3 XFRMA_SPD_IPV4_HTHRESH ipv4_thresholds: HashThresholds,
        /// Which IPv6 policies are in it.
        4 XFRMA_SPD_IPV6_HTHRESH ipv6_thresholds: HashThresholds,
    }
}

message! {
    /// How many policies there are, and how they are found.
    pub struct Spd<'a>(InfoHeader, SpdAttrs<'a>), SpdRequest {
        /// The answer; to set thresholds.
        36 XFRM_MSG_NEWSPDINFO NEW,
        /// Asks.
        37 XFRM_MSG_GETSPDINFO GET,
    }
    on crate::PROTOCOL
}
