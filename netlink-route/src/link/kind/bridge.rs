//! Bridges. Kernel side: `net/bridge/br_netlink.c`.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use netlink_core::{Be, Flag, HwAddr, attrs, layout, values};

use super::vlan::VlanProtocol;

layout! {
    /// `struct ifla_bridge_id`: the identity of a bridge in spanning tree. It prints as `8000.2:0:5e:10:0:1`.
    pub struct BridgeId: ifla_bridge_id = 8 {
        /// Priority; the lowest bridge becomes the root.
        priority: Be<u16>,
        /// Hardware address.
        address: [u8; 6],
    }
    shows |id| { address: Some(HwAddr::from(id.address)) }
}

impl fmt::Display for BridgeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.address;
        write!(f, "{:04x}.{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{g:x}", self.priority.0)
    }
}

values! {
    /// `MDB_RTR_TYPE_*`: whether a bridge or a port is treated as a way to a multicast router.
    pub struct McastRouter: u8 {
        /// Never.
        0 MDB_RTR_TYPE_DISABLED DISABLED "disabled",
        /// While queries arrive. The default.
        1 MDB_RTR_TYPE_TEMP_QUERY TEMP_QUERY "temp_query",
        /// Always.
        2 MDB_RTR_TYPE_PERM PERM "perm",
        /// For some time; user space must renew it. Only on ports.
        3 MDB_RTR_TYPE_TEMP TEMP "temp",
    }
}

values! {
    /// `BR_STP_MODE_*`: who runs spanning tree for a bridge. Linux 7.1.
    pub struct StpMode: u32 {
        /// The helper program if there is one, else the kernel.
        0 BR_STP_MODE_AUTO AUTO "auto",
        /// User space, without a helper program.
        1 BR_STP_MODE_USER USER "user",
        /// The kernel.
        2 BR_STP_MODE_KERNEL KERNEL "kernel",
    }
}

values! {
    /// `BR_BOOLOPT_*`: bridge options that have no attribute of their own. Each is a bit number.
    pub struct BridgeOption: u32 {
        /// Do not learn from link-local frames.
        0 BR_BOOLOPT_NO_LL_LEARN NO_LL_LEARN "no_linklocal_learn",
        /// Snoop multicast per VLAN. Linux 5.15.
        1 BR_BOOLOPT_MCAST_VLAN_SNOOPING MCAST_VLAN_SNOOPING "mcast_vlan_snooping",
        /// Multiple spanning trees. Linux 5.18.
        2 BR_BOOLOPT_MST_ENABLE MST_ENABLE "mst_enabled",
        /// Report multicast entries that the hardware did not accept. Linux 6.16.
        3 BR_BOOLOPT_MDB_OFFLOAD_FAIL_NOTIFICATION MDB_OFFLOAD_FAIL_NOTIFICATION "mdb_offload_fail_notification",
        /// Keep local entries of the forwarding table in VLAN 0 only. Linux 6.18.
        4 BR_BOOLOPT_FDB_LOCAL_VLAN_0 FDB_LOCAL_VLAN_0 "fdb_local_vlan_0",
    }
}

layout! {
    /// `struct br_boolopt_multi`: several [`BridgeOption`]s, one bit each.
    pub struct BridgeOptions: br_boolopt_multi = 8 {
        /// The options that are on.
        values: u32,
        /// Request: the options to change. Reply: the options that the kernel has.
        mask: u32,
    }
    shows |options| { options: Some(netlink_core::ser::Map::from_iter(options.iter())); values mask }
}

impl BridgeOptions {
    /// Sets this option too, and leaves the others unchanged.
    #[must_use]
    pub fn with(self, option: BridgeOption, on: bool) -> Self {
        let bit = 1u32.checked_shl(option.0).unwrap_or_default();
        let values = if on { self.values | bit } else { self.values & !bit };
        self.values(values).mask(self.mask | bit)
    }

    /// Whether this option is on; `None` if the kernel does not have it.
    pub fn get(&self, option: BridgeOption) -> Option<bool> {
        let bit = 1u32.checked_shl(option.0)?;
        (self.mask & bit != 0).then_some(self.values & bit != 0)
    }

    /// Every option that is meant, and whether it is on.
    pub fn iter(&self) -> impl Iterator<Item = (BridgeOption, bool)> {
        (0..u32::BITS).map(BridgeOption).filter_map(|option| Some((option, self.get(option)?)))
    }
}

attrs! {
    /// `BRIDGE_QUERIER_*`: the multicast queriers that a bridge knows. Linux 5.15.
    pub struct QuerierAttrs<'a> for Querier {
        /// Address of the IPv4 querier.
        1 BRIDGE_QUERIER_IP_ADDRESS ip: Ipv4Addr,
        /// Index of the port that leads to the querier. Absent if the bridge is the querier.
        2 BRIDGE_QUERIER_IP_PORT ip_port: u32,
        /// Time until the other querier is considered gone, in hundredths of a second.
        3 BRIDGE_QUERIER_IP_OTHER_TIMER ip_other_timer: u64,
        /// Address of the IPv6 querier.
        5 BRIDGE_QUERIER_IPV6_ADDRESS ipv6: Ipv6Addr,
        /// Index of the port that leads to the querier. Absent if the bridge is the querier.
        6 BRIDGE_QUERIER_IPV6_PORT ipv6_port: u32,
        /// Time until the other querier is considered gone, in hundredths of a second.
        7 BRIDGE_QUERIER_IPV6_OTHER_TIMER ipv6_other_timer: u64,
    }
}

attrs! {
    /// `IFLA_BR_*`: a bridge. Times are in hundredths of a second.
    pub struct BridgeAttrs<'a> for Bridge {
        /// Time that a port is in each of the states listening and learning: 200 to 3000 with spanning tree.
        /// Default 1500.
        1 IFLA_BR_FORWARD_DELAY forward_delay: u32,
        /// Time between hello messages of the root: 100 to 1000. Default 200.
        2 IFLA_BR_HELLO_TIME hello_time: u32,
        /// Age at which a spanning tree message becomes invalid: 600 to 4000. Default 2000.
        3 IFLA_BR_MAX_AGE max_age: u32,
        /// Time until a learned address is forgotten; 0 forgets it at once. Default 30000.
        4 IFLA_BR_AGEING_TIME ageing_time: u32,
        /// Spanning tree: 0 off, 1 in the kernel, 2 in user space. Requests use 0 or 1.
        5 IFLA_BR_STP_STATE stp_state: u32,
        /// Spanning tree priority of the bridge; the lowest becomes the root. Default 32768.
        6 IFLA_BR_PRIORITY priority: u16,
        /// Whether frames are filtered by VLAN. Off by default.
        7 IFLA_BR_VLAN_FILTERING vlan_filtering: bool,
        /// Type of the VLAN tag. Default: 802.1Q.
        8 IFLA_BR_VLAN_PROTOCOL vlan_protocol: VlanProtocol,
        /// Link-local groups 01:80:c2:00:00:0X to forward, as bits X. The kernel refuses bits 0, 1 and 2.
        9 IFLA_BR_GROUP_FWD_MASK group_fwd_mask: u16,
        /// The bridge that is the root of the tree. Read-only.
        10 IFLA_BR_ROOT_ID root_id -> BridgeId,
        /// This bridge. Read-only.
        11 IFLA_BR_BRIDGE_ID bridge_id -> BridgeId,
        /// Number of the port towards the root; 0 on the root. Read-only.
        12 IFLA_BR_ROOT_PORT root_port -> u16,
        /// Cost of the path to the root. Read-only.
        13 IFLA_BR_ROOT_PATH_COST root_path_cost -> u32,
        /// Whether the topology is changing. Read-only.
        14 IFLA_BR_TOPOLOGY_CHANGE topology_change -> bool,
        /// Whether this bridge detected a topology change. Read-only.
        15 IFLA_BR_TOPOLOGY_CHANGE_DETECTED topology_change_detected -> bool,
        /// Time until the next hello. Read-only.
        16 IFLA_BR_HELLO_TIMER hello_timer -> u64,
        /// Time until the next topology change notification. Read-only.
        17 IFLA_BR_TCN_TIMER tcn_timer -> u64,
        /// Time until the topology change is over. Read-only.
        18 IFLA_BR_TOPOLOGY_CHANGE_TIMER topology_change_timer -> u64,
        /// Time until old addresses are removed. Read-only.
        19 IFLA_BR_GC_TIMER gc_timer -> u64,
        /// Destination of spanning tree messages. Default 01:80:c2:00:00:00; only the last digit can change.
        20 IFLA_BR_GROUP_ADDR group_addr: HwAddr,
        /// Forget all learned addresses. Never in a reply.
        21 IFLA_BR_FDB_FLUSH fdb_flush: Flag,
        /// Whether the bridge itself is treated as a multicast router.
        22 IFLA_BR_MCAST_ROUTER mcast_router: McastRouter,
        /// Whether multicast is sent only to ports with listeners. On by default if the kernel supports it.
        23 IFLA_BR_MCAST_SNOOPING mcast_snooping: bool,
        /// Whether queries come from the bridge's own address instead of 0.0.0.0. Off by default.
        24 IFLA_BR_MCAST_QUERY_USE_IFADDR mcast_query_use_ifaddr: bool,
        /// Whether the bridge sends queries. Off by default.
        25 IFLA_BR_MCAST_QUERIER mcast_querier: bool,
        /// Not used since Linux 4.20: always 16.
        26 IFLA_BR_MCAST_HASH_ELASTICITY mcast_hash_elasticity: u32,
        /// Largest number of multicast entries. Default 4096.
        27 IFLA_BR_MCAST_HASH_MAX mcast_hash_max: u32,
        /// Number of queries before a group without listeners is removed. Default 2.
        28 IFLA_BR_MCAST_LAST_MEMBER_CNT mcast_last_member_count: u32,
        /// Number of queries at the start. Default 2.
        29 IFLA_BR_MCAST_STARTUP_QUERY_CNT mcast_startup_query_count: u32,
        /// Time between the last queries to a group. Default 100.
        30 IFLA_BR_MCAST_LAST_MEMBER_INTVL mcast_last_member_interval: u64,
        /// Time until a silent listener is removed. Default 26000.
        31 IFLA_BR_MCAST_MEMBERSHIP_INTVL mcast_membership_interval: u64,
        /// Time until another querier that is silent is considered gone. Default 25500.
        32 IFLA_BR_MCAST_QUERIER_INTVL mcast_querier_interval: u64,
        /// Time between queries. Default 12500.
        33 IFLA_BR_MCAST_QUERY_INTVL mcast_query_interval: u64,
        /// Time in which listeners must answer. Default 1000.
        34 IFLA_BR_MCAST_QUERY_RESPONSE_INTVL mcast_query_response_interval: u64,
        /// Time between the queries at the start. Default 3125.
        35 IFLA_BR_MCAST_STARTUP_QUERY_INTVL mcast_startup_query_interval: u64,
        /// Whether bridged IPv4 packets pass iptables. Off by default.
        36 IFLA_BR_NF_CALL_IPTABLES nf_call_iptables: bool,
        /// Whether bridged IPv6 packets pass ip6tables. Off by default.
        37 IFLA_BR_NF_CALL_IP6TABLES nf_call_ip6tables: bool,
        /// Whether bridged ARP packets pass arptables. Off by default.
        38 IFLA_BR_NF_CALL_ARPTABLES nf_call_arptables: bool,
        /// VLAN of untagged frames on new ports; 0 is none. Default 1.
        39 IFLA_BR_VLAN_DEFAULT_PVID vlan_default_pvid: u16,
        /// Whether VLANs have counters. Off by default.
        41 IFLA_BR_VLAN_STATS_ENABLED vlan_stats_enabled: bool,
        /// Whether multicast queries and reports are counted. Off by default.
        42 IFLA_BR_MCAST_STATS_ENABLED mcast_stats_enabled: bool,
        /// Version of IGMP: 2 or 3. Default 2.
        43 IFLA_BR_MCAST_IGMP_VERSION mcast_igmp_version: u8,
        /// Version of MLD: 1 or 2. Default 1.
        44 IFLA_BR_MCAST_MLD_VERSION mcast_mld_version: u8,
        /// Whether each port has its own VLAN counters. Can change only while no port has VLANs. Linux 4.20.
        45 IFLA_BR_VLAN_STATS_PER_PORT vlan_stats_per_port: bool,
        /// More options. Linux 5.0.
        46 IFLA_BR_MULTI_BOOLOPT options: BridgeOptions,
        /// Known multicast queriers. Read-only. Linux 5.15.
        47 IFLA_BR_MCAST_QUERIER_STATE mcast_querier_state -> QuerierAttrs<'a>,
        /// Number of learned addresses. Read-only; the kernel refuses a request with it. Linux 6.7.
        48 IFLA_BR_FDB_N_LEARNED fdb_n_learned -> u32,
        /// Largest number of learned addresses; 0 is no limit. Linux 6.7.
        49 IFLA_BR_FDB_MAX_LEARNED fdb_max_learned: u32,
        /// Who runs spanning tree. Linux 7.1.
        50 IFLA_BR_STP_MODE stp_mode: StpMode,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link;
    use netlink_testing::native;

    #[test]
    fn a_bridge_is_made_with_its_parameters() {
        let request = link::create("br0").kind(
            Bridge::new()
                .vlan_filtering(true)
                .vlan_protocol(VlanProtocol::AD)
                .options(BridgeOptions::default().with(BridgeOption::MCAST_VLAN_SNOOPING, true)),
        );
        let bytes = request.to_bytes().unwrap();
        let info = native(
            [
                48, 0, 18, 0x80, // IFLA_LINKINFO
                11, 0, 1, 0, b'b', b'r', b'i', b'd', b'g', b'e', 0, 0, // IFLA_INFO_KIND
                32, 0, 2, 0x80, // IFLA_INFO_DATA
                5, 0, 7, 0, 1, 0, 0, 0, // IFLA_BR_VLAN_FILTERING
                6, 0, 8, 0, 0x88, 0xa8, 0, 0, // IFLA_BR_VLAN_PROTOCOL
                12, 0, 46, 0, 2, 0, 0, 0, 2, 0, 0, 0, // IFLA_BR_MULTI_BOOLOPT
            ],
            &[2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 4],
        );
        assert_eq!(bytes[32..40], native([8, 0, 3, 0, b'b', b'r', b'0', 0], &[2, 2, 1]));
        assert_eq!(bytes[40..], info);
    }

    #[test]
    fn options_know_on_off_and_absent() {
        let options = BridgeOptions::default()
            .with(BridgeOption::NO_LL_LEARN, true)
            .with(BridgeOption::MST_ENABLE, false);
        assert_eq!(options.to_bytes(), native([1, 0, 0, 0, 5, 0, 0, 0], &[4]));
        assert_eq!(options.get(BridgeOption::NO_LL_LEARN), Some(true));
        assert_eq!(options.get(BridgeOption::MST_ENABLE), Some(false));
        assert_eq!(options.get(BridgeOption::MCAST_VLAN_SNOOPING), None);
        assert_eq!(options.get(BridgeOption(32)), None);
    }
}
