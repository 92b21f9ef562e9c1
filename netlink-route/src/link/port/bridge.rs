//! Ports of a bridge. Kernel side: `net/bridge/br_netlink.c`.

use netlink_core::{Flag, attrs, values};

use crate::link::kind::bridge::{BridgeId, McastRouter};

values! {
    /// `BR_STATE_*`: the state of a port in spanning tree.
    pub struct BridgePortState: u8 {
        /// The port does nothing.
        0 BR_STATE_DISABLED DISABLED "disabled",
        /// Takes part in spanning tree.
        1 BR_STATE_LISTENING LISTENING "listening",
        /// Learns addresses too.
        2 BR_STATE_LEARNING LEARNING "learning",
        /// Forwards too.
        3 BR_STATE_FORWARDING FORWARDING "forwarding",
        /// Only receives spanning tree messages.
        4 BR_STATE_BLOCKING BLOCKING "blocking",
    }
}

attrs! {
    /// `IFLA_BRPORT_*`: a port of a bridge. Times are in hundredths of a second.
    pub struct BridgePortAttrs<'a> for BridgePort {
        /// State in spanning tree. Can be set only if user space runs spanning tree.
        1 IFLA_BRPORT_STATE state: BridgePortState,
        /// Spanning tree priority: 0 to 63. Default 32.
        2 IFLA_BRPORT_PRIORITY priority: u16,
        /// Spanning tree cost: 1 to 65535. Default: from the speed of the link.
        3 IFLA_BRPORT_COST cost: u32,
        /// Whether frames may leave through the port that they came from. Off by default.
        4 IFLA_BRPORT_MODE hairpin: bool,
        /// Whether a received spanning tree message disables the port. Off by default.
        5 IFLA_BRPORT_GUARD guard: bool,
        /// Whether the port must not become the root port. Off by default.
        6 IFLA_BRPORT_PROTECT root_block: bool,
        /// Whether one leave message removes a multicast group from the port. Off by default.
        7 IFLA_BRPORT_FAST_LEAVE fast_leave: bool,
        /// Whether addresses are learned. On by default.
        8 IFLA_BRPORT_LEARNING learning: bool,
        /// Whether unicast frames with an unknown destination are sent through the port. On by default.
        9 IFLA_BRPORT_UNICAST_FLOOD flood: bool,
        /// Whether ARP requests for known neighbours on other ports are answered. Off by default.
        10 IFLA_BRPORT_PROXYARP proxy_arp: bool,
        /// Whether addresses that the hardware learned are used.
        11 IFLA_BRPORT_LEARNING_SYNC learning_sync: bool,
        /// Proxy ARP with the rules of wireless access points. Off by default.
        12 IFLA_BRPORT_PROXYARP_WIFI proxy_arp_wifi: bool,
        /// The root bridge that this port knows. Read-only.
        13 IFLA_BRPORT_ROOT_ID root_id -> BridgeId,
        /// The designated bridge of this segment. Read-only.
        14 IFLA_BRPORT_BRIDGE_ID bridge_id -> BridgeId,
        /// The designated port of this segment. Read-only.
        15 IFLA_BRPORT_DESIGNATED_PORT designated_port -> u16,
        /// Cost from the designated bridge to the root. Read-only.
        16 IFLA_BRPORT_DESIGNATED_COST designated_cost -> u16,
        /// Identity of the port in spanning tree: priority and number. Read-only.
        17 IFLA_BRPORT_ID id -> u16,
        /// Number of the port, from 1. Read-only.
        18 IFLA_BRPORT_NO number -> u16,
        /// Whether a topology change must be acknowledged. Read-only.
        19 IFLA_BRPORT_TOPOLOGY_CHANGE_ACK topology_change_ack -> bool,
        /// Whether a spanning tree message waits to be sent. Read-only.
        20 IFLA_BRPORT_CONFIG_PENDING config_pending -> bool,
        /// Time until the information about the root expires. Read-only.
        21 IFLA_BRPORT_MESSAGE_AGE_TIMER message_age_timer -> u64,
        /// Time until the next state change. Read-only.
        22 IFLA_BRPORT_FORWARD_DELAY_TIMER forward_delay_timer -> u64,
        /// Time until another message may be sent. Read-only.
        23 IFLA_BRPORT_HOLD_TIMER hold_timer -> u64,
        /// Forget the addresses learned here. Never in a reply.
        24 IFLA_BRPORT_FLUSH flush: Flag,
        /// Whether the port is treated as a way to a multicast router.
        25 IFLA_BRPORT_MULTICAST_ROUTER multicast_router: McastRouter,
        /// Whether multicast without listeners is sent through the port. On by default.
        27 IFLA_BRPORT_MCAST_FLOOD mcast_flood: bool,
        /// Whether multicast is sent to each listener as unicast. Off by default.
        28 IFLA_BRPORT_MCAST_TO_UCAST mcast_to_unicast: bool,
        /// Whether VLANs are mapped to tunnel ids. Off by default.
        29 IFLA_BRPORT_VLAN_TUNNEL vlan_tunnel: bool,
        /// Whether broadcasts are sent through the port. On by default.
        30 IFLA_BRPORT_BCAST_FLOOD bcast_flood: bool,
        /// Link-local groups 01:80:c2:00:00:0X to forward, as bits X. The kernel refuses bits 0, 1 and 2.
        31 IFLA_BRPORT_GROUP_FWD_MASK group_fwd_mask: u16,
        /// Whether neighbour requests are answered here and not forwarded. Off by default.
        32 IFLA_BRPORT_NEIGH_SUPPRESS neigh_suppress: bool,
        /// Whether the port exchanges no frames with other isolated ports. Off by default. Linux 4.18.
        33 IFLA_BRPORT_ISOLATED isolated: bool,
        /// Index of the port that is used while this one has no carrier; 0 is none. Linux 4.19.
        34 IFLA_BRPORT_BACKUP_PORT backup_port: u32,
        /// Whether the media redundancy ring is open here. Read-only. Linux 5.8.
        35 IFLA_BRPORT_MRP_RING_OPEN mrp_ring_open -> bool,
        /// Whether the interconnection of media redundancy rings is open here. Read-only. Linux 5.9.
        36 IFLA_BRPORT_MRP_IN_OPEN mrp_in_open -> bool,
        /// Largest number of listeners that are tracked individually. Default 512. Linux 5.12.
        37 IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT mcast_eht_hosts_limit: u32,
        /// Number of listeners that are tracked individually. Read-only. Linux 5.12.
        38 IFLA_BRPORT_MCAST_EHT_HOSTS_CNT mcast_eht_hosts_count -> u32,
        /// Whether only known addresses may send through it. Off by default. Linux 5.18.
        39 IFLA_BRPORT_LOCKED locked: bool,
        /// Whether a locked port records the addresses that try to send. Off by default. Linux 6.2.
        40 IFLA_BRPORT_MAB mab: bool,
        /// Number of multicast groups joined through the port. Read-only. Linux 6.3.
        41 IFLA_BRPORT_MCAST_N_GROUPS mcast_n_groups -> u32,
        /// Largest number of multicast groups; 0 is no limit. Linux 6.3.
        42 IFLA_BRPORT_MCAST_MAX_GROUPS mcast_max_groups: u32,
        /// Whether neighbour suppression is set per VLAN. Off by default. Linux 6.4.
        43 IFLA_BRPORT_NEIGH_VLAN_SUPPRESS neigh_vlan_suppress: bool,
        /// Next hop object for the backup port; 0 is none. Linux 6.6.
        44 IFLA_BRPORT_BACKUP_NHID backup_nhid: u32,
        /// Whether gratuitous ARP and unsolicited advertisements are forwarded in spite of neighbour
        /// suppression. After Linux 7.1.
        45 IFLA_BRPORT_NEIGH_FORWARD_GRAT neigh_forward_grat: bool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link;
    use netlink_testing::native;

    #[test]
    fn a_port_is_set_through_its_link() {
        let bytes = link::set(3).slave(BridgePort::new().isolated(true)).to_bytes().unwrap();
        let info = native(
            [
                28, 0, 18, 0x80, // IFLA_LINKINFO
                11, 0, 4, 0, b'b', b'r', b'i', b'd', b'g', b'e', 0, 0, // IFLA_INFO_SLAVE_KIND
                12, 0, 5, 0x80, 5, 0, 33, 0, 1, 0, 0, 0, // IFLA_INFO_SLAVE_DATA, IFLA_BRPORT_ISOLATED
            ],
            &[2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1],
        );
        assert_eq!(bytes[32..], info);
    }
}
