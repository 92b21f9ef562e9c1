//! VXLAN tunnels: Ethernet in UDP. Kernel side: `drivers/net/vxlan/vxlan_core.c`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_core::{Be, Flag, attrs, layout, values};

use super::Switch;

values! {
    /// `VXLAN_DF_*`: the "do not fragment" bit of outer IPv4 packets.
    pub struct VxlanDf: u8 {
        /// Clear. The default.
        0 VXLAN_DF_UNSET UNSET "unset",
        /// Set.
        1 VXLAN_DF_SET SET "set",
        /// Copied from the inner packet.
        2 VXLAN_DF_INHERIT INHERIT "inherit",
    }
}

values! {
    /// `VXLAN_LABEL_*`: where the flow label of outer IPv6 packets comes from. Linux 6.8.
    pub struct VxlanLabelPolicy: u32 {
        /// From the tunnel. The default.
        0 VXLAN_LABEL_FIXED FIXED "fixed",
        /// From the inner packet.
        1 VXLAN_LABEL_INHERIT INHERIT "inherit",
    }
}

layout! {
    /// `struct ifla_vxlan_port_range`: UDP source ports.
    pub struct VxlanPortRange: ifla_vxlan_port_range = 4 {
        /// The first.
        low: Be<u16>,
        /// The last.
        high: Be<u16>,
    }
}

layout! {
    /// `struct vxlanhdr`: bits of the header in front of the inner frame.
    pub struct VxlanReserved: vxlanhdr = 8 {
        /// Bits of the first word.
        flags: Be<u32>,
        /// Bits of the second word. The upper 24 bits are the network identifier.
        vni: Be<u32>,
    }
}

attrs! {
    /// `IFLA_VXLAN_*`: a VXLAN tunnel. An existing tunnel accepts changes of addresses, lower link, TTL, TOS,
    /// ageing, learning and a few switches. All else is set only when the tunnel is made.
    pub struct VxlanAttrs<'a> for Vxlan {
        /// Network identifier, of 24 bits.
        1 IFLA_VXLAN_ID id: u32,
        /// Destination of frames with an unknown address: a multicast group or one host.
        2 IFLA_VXLAN_GROUP group: Ipv4Addr,
        /// Index of the lower link. With 0 the routing table decides.
        3 IFLA_VXLAN_LINK link: u32,
        /// Source address of outer packets.
        4 IFLA_VXLAN_LOCAL local: Ipv4Addr,
        /// TTL of outer packets. 0 is the host's default, and 1 for multicast.
        5 IFLA_VXLAN_TTL ttl: u8,
        /// TOS of outer packets. 1 copies the inner packet's.
        6 IFLA_VXLAN_TOS tos: u8,
        /// Whether addresses are learned from received packets. On by default.
        7 IFLA_VXLAN_LEARNING learning: bool,
        /// Time until a learned address is forgotten, in seconds. Default 300.
        8 IFLA_VXLAN_AGEING ageing: u32,
        /// Largest number of learned addresses; 0 is no limit.
        9 IFLA_VXLAN_LIMIT limit: u32,
        /// UDP source ports. Default: the host's local ports.
        10 IFLA_VXLAN_PORT_RANGE port_range: VxlanPortRange,
        /// Whether ARP requests for known neighbours are answered. Off by default.
        11 IFLA_VXLAN_PROXY proxy: bool,
        /// Whether packets to a known router bypass it. Off by default.
        12 IFLA_VXLAN_RSC rsc: bool,
        /// Whether unknown hardware addresses are reported to user space. Off by default.
        13 IFLA_VXLAN_L2MISS l2miss: bool,
        /// Whether unknown neighbours are reported to user space. Off by default.
        14 IFLA_VXLAN_L3MISS l3miss: bool,
        /// UDP destination port. The kernel's default is 8472, not the registered 4789.
        15 IFLA_VXLAN_PORT port: Be<u16> as u16,
        /// Like `IFLA_VXLAN_GROUP`, over IPv6.
        16 IFLA_VXLAN_GROUP6 group6: Ipv6Addr,
        /// Source address of outer packets, over IPv6.
        17 IFLA_VXLAN_LOCAL6 local6: Ipv6Addr,
        /// Whether outer UDP over IPv4 has a checksum. On by default; off before Linux 5.7.
        18 IFLA_VXLAN_UDP_CSUM udp_csum: bool,
        /// Whether outer UDP over IPv6 is sent without a checksum. Off by default.
        19 IFLA_VXLAN_UDP_ZERO_CSUM6_TX udp_zero_csum6_tx: bool,
        /// Whether outer UDP over IPv6 without a checksum is accepted. Off by default.
        20 IFLA_VXLAN_UDP_ZERO_CSUM6_RX udp_zero_csum6_rx: bool,
        /// Whether the receiver must compute the inner checksums (remote checksum offload). Off by default.
        21 IFLA_VXLAN_REMCSUM_TX remcsum_tx: bool,
        /// Whether inner checksums are computed on reception (remote checksum offload). Off by default.
        22 IFLA_VXLAN_REMCSUM_RX remcsum_rx: bool,
        /// Use the group policy extension.
        23 IFLA_VXLAN_GBP gbp: Flag,
        /// Compute the whole inner checksum instead of completing it.
        24 IFLA_VXLAN_REMCSUM_NOPARTIAL remcsum_nopartial: Flag,
        /// Whether a route or a filter sets identifier and addresses for each packet. Off by default.
        25 IFLA_VXLAN_COLLECT_METADATA collect_metadata: bool,
        /// Flow label of outer IPv6 packets, of 20 bits.
        26 IFLA_VXLAN_LABEL label: Be<u32> as u32,
        /// Transport other protocols than Ethernet too; only with `IFLA_VXLAN_COLLECT_METADATA`, and without
        /// learning.
        27 IFLA_VXLAN_GPE gpe: Flag,
        /// Copy the TTL of the inner packet. Linux 4.18.
        28 IFLA_VXLAN_TTL_INHERIT ttl_inherit: Switch,
        /// The "do not fragment" bit. Linux 5.0.
        29 IFLA_VXLAN_DF df: VxlanDf,
        /// Whether only identifiers from a list are accepted; only with `IFLA_VXLAN_COLLECT_METADATA`. Linux 5.18.
        30 IFLA_VXLAN_VNIFILTER vnifilter: bool,
        /// Whether packets to a tunnel on this host bypass the network stack. On by default. Linux 6.5.
        31 IFLA_VXLAN_LOCALBYPASS localbypass: bool,
        /// Source of the flow label. Linux 6.8.
        32 IFLA_VXLAN_LABEL_POLICY label_policy: VxlanLabelPolicy,
        /// Reserved header bits that received packets may set. Linux 6.14.
        33 IFLA_VXLAN_RESERVED_BITS reserved_bits: VxlanReserved,
        /// Whether outer multicast uses the host's multicast routes. Off by default. Linux 6.17.
        34 IFLA_VXLAN_MC_ROUTE mc_route: bool,
    }
}

impl Vxlan {
    /// Destination of frames with an unknown address, IPv4 or IPv6.
    pub fn remote_ip(self, ip: impl Into<IpAddr>) -> Self {
        match ip.into() {
            IpAddr::V4(ip) => self.group(ip),
            IpAddr::V6(ip) => self.group6(ip),
        }
    }

    /// Source address of outer packets, IPv4 or IPv6.
    pub fn local_ip(self, ip: impl Into<IpAddr>) -> Self {
        match ip.into() {
            IpAddr::V4(ip) => self.local(ip),
            IpAddr::V6(ip) => self.local6(ip),
        }
    }
}

impl VxlanAttrs<'_> {
    /// Destination of frames with an unknown address, IPv4 or IPv6.
    pub fn remote_ip(&self) -> Option<IpAddr> {
        self.group().map(IpAddr::V4).or_else(|| self.group6().map(IpAddr::V6))
    }

    /// Source address of outer packets, IPv4 or IPv6.
    pub fn local_ip(&self) -> Option<IpAddr> {
        self.local().map(IpAddr::V4).or_else(|| self.local6().map(IpAddr::V6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link;
    use netlink_testing::native;

    #[test]
    fn a_tunnel_is_made() {
        let vxlan = Vxlan::new()
            .id(42)
            .remote_ip(Ipv4Addr::new(239, 1, 1, 1))
            .link(2)
            .port(4789)
            .port_range(VxlanPortRange::default().low(1000).high(2000))
            .gbp(Flag)
            .ttl_inherit(true)
            .udp_csum(false);
        let bytes = link::create("vx").kind(vxlan).to_bytes().unwrap();
        let data = native(
            [
                60, 0, 2, 0x80, // IFLA_INFO_DATA
                8, 0, 1, 0, 42, 0, 0, 0, // IFLA_VXLAN_ID
                8, 0, 2, 0, 239, 1, 1, 1, // IFLA_VXLAN_GROUP
                8, 0, 3, 0, 2, 0, 0, 0, // IFLA_VXLAN_LINK
                6, 0, 15, 0, 0x12, 0xb5, 0, 0, // IFLA_VXLAN_PORT
                8, 0, 10, 0, 0x03, 0xe8, 0x07, 0xd0, // IFLA_VXLAN_PORT_RANGE
                4, 0, 23, 0, 4, 0, 28, 0, // IFLA_VXLAN_GBP, IFLA_VXLAN_TTL_INHERIT
                5, 0, 18, 0, 0, 0, 0, 0, // IFLA_VXLAN_UDP_CSUM
            ],
            &[
                2, 2, 2, 2, 4, 2, 2, 1, 1, 1, 1, 2, 2, 4, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 2,
                2, 1,
            ],
        );
        assert_eq!(bytes[bytes.len() - data.len()..], data);
    }

    #[test]
    fn addresses_come_in_both_families() {
        let six: Ipv6Addr = "fe80::1".parse().unwrap();
        let set = Vxlan::new().remote_ip(six).local_ip(Ipv4Addr::LOCALHOST).attrs();
        assert_eq!((set.group(), set.group6()), (None, Some(six)));
        assert_eq!(set.remote_ip(), Some(six.into()));
        assert_eq!(set.local_ip(), Some(Ipv4Addr::LOCALHOST.into()));
    }
}
