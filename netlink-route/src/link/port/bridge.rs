//! Ports of a bridge. Kernel side: `net/bridge/br_netlink.c`.

use netlink_core::{Flag, attrs, values};

use crate::link::kind::bridge::{BridgeId, McastRouter};

values! {
    /// `BR_STATE_*`: what spanning tree lets a port do.
    pub struct BridgePortState: u8 {
        /// Nothing.
        0 BR_STATE_DISABLED DISABLED "disabled",
        /// Take part in spanning tree.
        1 BR_STATE_LISTENING LISTENING "listening",
        /// Also learn addresses.
        2 BR_STATE_LEARNING LEARNING "learning",
        /// Also forward.
        3 BR_STATE_FORWARDING FORWARDING "forwarding",
        /// Only hear spanning tree.
        4 BR_STATE_BLOCKING BLOCKING "blocking",
    }
}

attrs! {
    /// `IFLA_BRPORT_*`: a port of a bridge. Times are in hundredths of a second.
    pub struct BridgePortAttrs<'a> for BridgePort {
        /// What spanning tree lets it do. Set only where user space runs spanning tree.
        1 IFLA_BRPORT_STATE state: BridgePortState,
        /// Spanning tree priority: 0 to 63. Default 32.
        2 IFLA_BRPORT_PRIORITY priority: u16,
        /// Spanning tree cost: 1 to 65535. By default from the speed of the link.
        3 IFLA_BRPORT_COST cost: u32,
        /// Whether frames may leave by the port they came in. Off by default.
        4 IFLA_BRPORT_MODE hairpin: bool,
        /// Whether a spanning tree message shuts the port. Off by default.
        5 IFLA_BRPORT_GUARD guard: bool,
        /// Whether the port may never lead to the root. Off by default.
        6 IFLA_BRPORT_PROTECT root_block: bool,
        /// Whether one leave message ends a multicast group here. Off by default.
        7 IFLA_BRPORT_FAST_LEAVE fast_leave: bool,
        /// Whether addresses are learned. On by default.
        8 IFLA_BRPORT_LEARNING learning: bool,
        /// Whether unicast with an unknown destination leaves here. On by default.
        9 IFLA_BRPORT_UNICAST_FLOOD flood: bool,
        /// Whether ARP is answered for neighbours known elsewhere. Off by default.
        10 IFLA_BRPORT_PROXYARP proxy_arp: bool,
        /// Whether addresses that hardware learned are taken over.
        11 IFLA_BRPORT_LEARNING_SYNC learning_sync: bool,
        /// Proxy ARP as access points do it. Off by default.
        12 IFLA_BRPORT_PROXYARP_WIFI proxy_arp_wifi: bool,
        /// The root as known here. Read-only.
        13 IFLA_BRPORT_ROOT_ID root_id -> BridgeId,
        /// The bridge in charge of this segment. Read-only.
        14 IFLA_BRPORT_BRIDGE_ID bridge_id -> BridgeId,
        /// Its port. Read-only.
        15 IFLA_BRPORT_DESIGNATED_PORT designated_port -> u16,
        /// Its cost to the root. Read-only.
        16 IFLA_BRPORT_DESIGNATED_COST designated_cost -> u16,
        /// The port as spanning tree names it: priority and number. Read-only.
        17 IFLA_BRPORT_ID id -> u16,
        /// Number of the port, from 1. Read-only.
        18 IFLA_BRPORT_NO number -> u16,
        /// Whether a topology change is to be acknowledged. Read-only.
        19 IFLA_BRPORT_TOPOLOGY_CHANGE_ACK topology_change_ack -> bool,
        /// Whether a spanning tree message waits to be sent. Read-only.
        20 IFLA_BRPORT_CONFIG_PENDING config_pending -> bool,
        /// Time until what is known of the root is void. Read-only.
        21 IFLA_BRPORT_MESSAGE_AGE_TIMER message_age_timer -> u64,
        /// Time until the next state. Read-only.
        22 IFLA_BRPORT_FORWARD_DELAY_TIMER forward_delay_timer -> u64,
        /// Time until another message may be sent. Read-only.
        23 IFLA_BRPORT_HOLD_TIMER hold_timer -> u64,
        /// Forget the addresses learned here. Never in a reply.
        24 IFLA_BRPORT_FLUSH flush: Flag,
        /// Whether the port counts as leading to a multicast router.
        25 IFLA_BRPORT_MULTICAST_ROUTER multicast_router: McastRouter,
        /// Whether multicast that nobody asked for leaves here. On by default.
        27 IFLA_BRPORT_MCAST_FLOOD mcast_flood: bool,
        /// Whether multicast is sent to each listener as unicast. Off by default.
        28 IFLA_BRPORT_MCAST_TO_UCAST mcast_to_unicast: bool,
        /// Whether VLANs are mapped to tunnel ids. Off by default.
        29 IFLA_BRPORT_VLAN_TUNNEL vlan_tunnel: bool,
        /// Whether broadcast leaves here. On by default.
        30 IFLA_BRPORT_BCAST_FLOOD bcast_flood: bool,
        /// Link-local groups 01:80:c2:00:00:0X that are forwarded: bit X. Bits 0, 1 and 2 are refused.
        31 IFLA_BRPORT_GROUP_FWD_MASK group_fwd_mask: u16,
        /// Whether neighbour requests are answered here instead of sent on. Off by default.
        32 IFLA_BRPORT_NEIGH_SUPPRESS neigh_suppress: bool,
        /// Whether it exchanges nothing with other isolated ports. Off by default. Linux 4.18.
        33 IFLA_BRPORT_ISOLATED isolated: bool,
        /// Index of the port that takes over when this one has no carrier; 0 is none. Linux 4.19.
        34 IFLA_BRPORT_BACKUP_PORT backup_port: u32,
        /// Whether the media redundancy ring is open here. Read-only. Linux 5.8.
        35 IFLA_BRPORT_MRP_RING_OPEN mrp_ring_open -> bool,
        /// Whether the ring between rings is open here. Read-only. Linux 5.9.
        36 IFLA_BRPORT_MRP_IN_OPEN mrp_in_open -> bool,
        /// Most listeners that are told apart. Default 512. Linux 5.12.
        37 IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT mcast_eht_hosts_limit: u32,
        /// Listeners told apart now. Read-only. Linux 5.12.
        38 IFLA_BRPORT_MCAST_EHT_HOSTS_CNT mcast_eht_hosts_count -> u32,
        /// Whether only known addresses may send through it. Off by default. Linux 5.18.
        39 IFLA_BRPORT_LOCKED locked: bool,
        /// Whether a locked port notes addresses that want in. Off by default. Linux 6.2.
        40 IFLA_BRPORT_MAB mab: bool,
        /// Multicast groups joined through it. Read-only. Linux 6.3.
        41 IFLA_BRPORT_MCAST_N_GROUPS mcast_n_groups -> u32,
        /// Most of them; 0 is no limit. Linux 6.3.
        42 IFLA_BRPORT_MCAST_MAX_GROUPS mcast_max_groups: u32,
        /// Whether neighbour suppression goes by VLAN. Off by default. Linux 6.4.
        43 IFLA_BRPORT_NEIGH_VLAN_SUPPRESS neigh_vlan_suppress: bool,
        /// Next hop object for the backup port; 0 is none. Linux 6.6.
        44 IFLA_BRPORT_BACKUP_NHID backup_nhid: u32,
        /// Whether gratuitous ARP and unsolicited advertisements pass neighbour suppression. Later than Linux
        /// 7.1.
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
