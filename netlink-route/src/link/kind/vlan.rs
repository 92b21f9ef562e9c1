//! VLANs on a link. Kernel side: `net/8021q/vlan_netlink.c`.

use netlink_core::{Be, IntoAttr, Many, attrs, flags, layout, values};

values! {
    /// The Ethernet type of a VLAN tag. In network byte order.
    pub struct VlanProtocol: Be<u16> {
        /// A customer tag.
        0x8100 ETH_P_8021Q Q "802.1Q",
        /// A provider tag, in front of a customer tag.
        0x88a8 ETH_P_8021AD AD "802.1ad",
    }
}

flags! {
    /// `VLAN_FLAG_*`: behaviour of a VLAN link.
    pub struct VlanFlags: u32 {
        /// Deliver received frames without their tag. On by default.
        0x1 VLAN_FLAG_REORDER_HDR REORDER_HDR,
        /// Announce the VLAN with GVRP.
        0x2 VLAN_FLAG_GVRP GVRP,
        /// Do not follow the lower link when it goes down.
        0x4 VLAN_FLAG_LOOSE_BINDING LOOSE_BINDING,
        /// Announce the VLAN with MVRP.
        0x8 VLAN_FLAG_MVRP MVRP,
        /// Follow the carrier of the bridge ports in this VLAN. Linux 5.2.
        0x10 VLAN_FLAG_BRIDGE_BINDING BRIDGE_BINDING,
    }
}

layout! {
    /// `struct ifla_vlan_flags`: flags, and a mask of the flags to change.
    pub struct VlanFlagChange: ifla_vlan_flags = 8 {
        /// The flags.
        flags: VlanFlags,
        /// The flags to change. A reply has all bits.
        mask: VlanFlags,
    }
}

impl VlanFlagChange {
    /// Sets some flags and clears others. The remaining flags do not change.
    pub fn new(set: VlanFlags, clear: VlanFlags) -> Self {
        Self { flags: set, mask: set | clear }
    }
}

/// Sets these flags. The others do not change.
impl IntoAttr<VlanFlagChange> for VlanFlags {
    fn into_attr(self) -> VlanFlagChange {
        VlanFlagChange::new(self, Self::empty())
    }
}

layout! {
    /// `struct ifla_vlan_qos_mapping`: maps one priority to another.
    pub struct QosMapping: ifla_vlan_qos_mapping = 8 {
        /// Receiving: the priority in the tag. Sending: the packet's priority.
        from: u32,
        /// Receiving: the packet's priority. Sending: the priority in the tag.
        to: u32,
    }
}

attrs! {
    /// `IFLA_VLAN_QOS_*`: a map of priorities.
    pub struct QosMapAttrs<'a> for QosMap {
        /// The pairs. The kernel does not send pairs that map to 0.
        1 IFLA_VLAN_QOS_MAPPING mappings: Many<'a, QosMapping>,
    }
}

/// Pairs of from and to.
impl<'x, const N: usize> IntoAttr<QosMapAttrs<'x>> for [(u32, u32); N] {
    fn into_attr(self) -> QosMapAttrs<'x> {
        let mappings = self.map(|(from, to)| QosMapping { from, to });
        QosMap::new().mappings(&mappings).attrs()
    }
}

attrs! {
    /// `IFLA_VLAN_*`: a VLAN on the link that `IFLA_LINK` names.
    pub struct VlanAttrs<'a> for Vlan {
        /// VLAN id: 0 to 4095. Set only when the link is made.
        1 IFLA_VLAN_ID id: u16,
        /// Options. Absent in a reply if all flags are off.
        2 IFLA_VLAN_FLAGS flags: VlanFlagChange,
        /// From the packet's priority to the priority in the tag.
        3 IFLA_VLAN_EGRESS_QOS egress_qos: QosMapAttrs<'a>,
        /// From the priority in the tag to the packet's priority.
        4 IFLA_VLAN_INGRESS_QOS ingress_qos: QosMapAttrs<'a>,
        /// Type of the tag. Default: 802.1Q. Set only when the link is made.
        5 IFLA_VLAN_PROTOCOL protocol: VlanProtocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{self, Kind, LinkInfoAttrs};
    use alloc::format;
    use netlink_core::Payload;
    use netlink_testing::native;

    /// The kernel's reply for `ip link add link eth0 name v type vlan proto 802.1ad id 7 gvrp on
    /// ingress-qos-map 1:2 egress-qos-map 3:4 5:6`, written by hand from `vlan_fill_info`.
    const REPLY: [u8; 76] = [
        9, 0, 1, 0, b'v', b'l', b'a', b'n', 0, 0, 0, 0, // IFLA_INFO_KIND
        64, 0, 2, 0, // IFLA_INFO_DATA
        6, 0, 5, 0, 0x88, 0xa8, 0, 0, // IFLA_VLAN_PROTOCOL
        6, 0, 1, 0, 7, 0, 0, 0, // IFLA_VLAN_ID
        12, 0, 2, 0, 3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, // IFLA_VLAN_FLAGS
        16, 0, 4, 0, // IFLA_VLAN_INGRESS_QOS
        12, 0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, //
        16, 0, 3, 0, // IFLA_VLAN_EGRESS_QOS
        12, 0, 1, 0, 3, 0, 0, 0, 4, 0, 0, 0, //
    ];

    #[test]
    fn what_a_kernel_sends_is_read() {
        let reply = native(
            REPLY,
            &[
                2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 4, 4, 2, 2, 2, 2, 4,
                4, 2, 2, 2, 2, 4,
            ],
        );
        let info = LinkInfoAttrs::decode(&reply).unwrap();
        let Some(Kind::Vlan(vlan)) = info.kind() else { panic!("{info:?}") };
        assert_eq!((vlan.id(), vlan.protocol()), (Some(7), Some(VlanProtocol::AD)));
        let flags = vlan.flags().unwrap();
        assert_eq!(flags.flags, VlanFlags::REORDER_HDR | VlanFlags::GVRP);
        assert_eq!(flags.mask.bits(), u32::MAX);
        let ingress = vlan.ingress_qos().unwrap();
        assert!(ingress.mappings().unwrap().iter().eq([QosMapping { from: 1, to: 2 }]));
        let egress = vlan.egress_qos().unwrap();
        assert!(egress.mappings().unwrap().iter().eq([QosMapping { from: 3, to: 4 }]));
        assert_eq!(
            format!("{vlan:?}"),
            "VlanAttrs { protocol: 802.1ad, id: 7, flags: VlanFlagChange { flags: VlanFlags(REORDER_HDR | GVRP), \
             mask: VlanFlags(REORDER_HDR | GVRP | LOOSE_BINDING | MVRP | BRIDGE_BINDING | 0xffffffe0) }, \
             ingress_qos: QosMapAttrs { mappings: QosMapping { from: 1, to: 2 } }, \
             egress_qos: QosMapAttrs { mappings: QosMapping { from: 3, to: 4 } } }"
        );
    }

    #[test]
    fn a_vlan_is_made_and_changed() {
        let bytes = link::create("v")
            .link(2)
            .kind(
                Vlan::new()
                    .id(100)
                    .flags(VlanFlagChange::new(VlanFlags::GVRP, VlanFlags::REORDER_HDR))
                    .egress_qos([(3, 4), (5, 6)]),
            )
            .to_bytes()
            .unwrap();
        let tail = native(
            [
                8, 0, 5, 0, 2, 0, 0, 0, // IFLA_LINK
                68, 0, 18, 0x80, // IFLA_LINKINFO
                9, 0, 1, 0, b'v', b'l', b'a', b'n', 0, 0, 0, 0, // IFLA_INFO_KIND
                52, 0, 2, 0x80, // IFLA_INFO_DATA
                6, 0, 1, 0, 100, 0, 0, 0, // IFLA_VLAN_ID
                12, 0, 2, 0, 2, 0, 0, 0, 3, 0, 0, 0, // IFLA_VLAN_FLAGS
                28, 0, 3, 0x80, // IFLA_VLAN_EGRESS_QOS
                12, 0, 1, 0, 3, 0, 0, 0, 4, 0, 0, 0, //
                12, 0, 1, 0, 5, 0, 0, 0, 6, 0, 0, 0, //
            ],
            &[
                2, 2, 4, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 4, 4, 2, 2, 2, 2, 4, 4,
                2, 2, 4,
            ],
        );
        assert_eq!(bytes[40..], tail);
    }
}
