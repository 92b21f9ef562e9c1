//! The default action for packets without a policy, and the number of policies.

use netlink_core::{attrs, layout, message, values};

use super::PolicyAttrs;
use crate::state::InfoHeader;

values! {
    /// `XFRM_USERPOLICY_*`: the default action for packets without a policy.
    pub struct DefaultAction: u8 {
        /// In a request: do not change.
        0 XFRM_USERPOLICY_UNSPEC UNSPEC "unspec",
        /// Drop the packet.
        1 XFRM_USERPOLICY_BLOCK BLOCK "block",
        /// Let the packet pass.
        2 XFRM_USERPOLICY_ACCEPT ACCEPT "accept",
    }
}

layout! {
    /// `struct xfrm_userpolicy_default`.
    pub struct DefaultInfo: xfrm_userpolicy_default = 3 {
        /// Packets to this host.
        input: DefaultAction,
        /// Forwarded packets.
        forward: DefaultAction,
        /// Packets from this host.
        output: DefaultAction,
    }
}

message! {
    /// The default actions for packets without a policy. Linux 5.15.
    pub struct DefaultPolicy<'a>(DefaultInfo, PolicyAttrs<'a>), DefaultRequest {
        /// Sets them.
        39 XFRM_MSG_SETDEFAULT SET,
        /// Asks for them. Answer and event have the same type.
        40 XFRM_MSG_GETDEFAULT GET,
    }
    on crate::PROTOCOL
}

layout! {
    /// `struct xfrmu_spdinfo`: number of policies.
    pub struct SpdCounts: xfrmu_spdinfo = 24 {
        /// Policies for packets to this host.
        incnt: u32,
        /// Policies for packets from this host.
        outcnt: u32,
        /// Policies for forwarded packets.
        fwdcnt: u32,
        /// Socket policies for packets to this host.
        inscnt: u32,
        /// Socket policies for packets from this host.
        outscnt: u32,
        /// Socket policies for forwarded packets.
        fwdscnt: u32,
    }
}

layout! {
    /// `struct xfrmu_spdhinfo`.
    pub struct SpdTable: xfrmu_spdhinfo = 8 {
        /// Number of buckets in the hash table, minus one.
        spdhcnt: u32,
        /// Largest number of buckets.
        spdhmcnt: u32,
    }
}

layout! {
    /// `struct xfrmu_spdhthresh`: policies with prefixes of at least this length are in a hash table.
    pub struct HashThresholds: xfrmu_spdhthresh = 2 {
        /// Of the local address: at most 32, for IPv6 128.
        lbits: u8,
        /// Of the remote address: at most 32, for IPv6 128.
        rbits: u8,
    }
}

attrs! {
    /// `XFRMA_SPD_*`.
    pub struct SpdAttrs<'a> for SpdRequest<R> {
        /// Number of policies. Read-only.
        1 XFRMA_SPD_INFO counts -> SpdCounts,
        /// Hash table of policies. Read-only.
        2 XFRMA_SPD_HINFO table -> SpdTable,
        /// Thresholds for IPv4 policies.
        3 XFRMA_SPD_IPV4_HTHRESH ipv4_thresholds: HashThresholds,
        /// Thresholds for IPv6 policies.
        4 XFRMA_SPD_IPV6_HTHRESH ipv6_thresholds: HashThresholds,
    }
}

message! {
    /// Number of policies, and their hash table.
    pub struct Spd<'a>(InfoHeader, SpdAttrs<'a>), SpdRequest {
        /// The answer. Request: sets thresholds.
        36 XFRM_MSG_NEWSPDINFO NEW,
        /// Asks for it.
        37 XFRM_MSG_GETSPDINFO GET,
    }
    on crate::PROTOCOL
}
