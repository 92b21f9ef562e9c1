//! Virtual functions: links for guests that the hardware of one link provides. `IFLA_VFINFO_LIST`, `IFLA_VF_PORTS`.

use netlink_core::layout::Pad;
use netlink_core::{Bytes, HwAddr, IntoAttr, Many, Str, attrs, layout, values};

use super::kind::vlan::VlanProtocol;

values! {
    /// `IFLA_VF_LINK_STATE_*`: the carrier that a virtual function sees.
    pub struct VfLinkState: u32 {
        /// The carrier of the hardware.
        0 IFLA_VF_LINK_STATE_AUTO AUTO "auto",
        /// Always a carrier, so that virtual functions can reach each other.
        1 IFLA_VF_LINK_STATE_ENABLE ENABLE "enable",
        /// Never a carrier.
        2 IFLA_VF_LINK_STATE_DISABLE DISABLE "disable",
    }
}

layout! {
    /// `struct ifla_vf_mac`.
    pub struct VfMac: ifla_vf_mac = 36 {
        /// Number of the function.
        vf: u32,
        /// Hardware address, followed by zeros.
        mac: [u8; 32],
    }
    shows |mac| { mac: mac.address() }
}

impl VfMac {
    /// Its address: six bytes, or the twenty of InfiniBand where one behind the sixth is not 0.
    pub fn address(&self) -> Option<HwAddr> {
        hw_addr(&self.mac)
    }
}

fn hw_addr(padded: &[u8; 32]) -> Option<HwAddr> {
    let (short, long) = (padded.get(..6)?, padded.get(..20)?);
    HwAddr::new(if padded.iter().skip(6).all(|byte| *byte == 0) { short } else { long })
}

layout! {
    /// `struct ifla_vf_broadcast`.
    pub struct VfBroadcast: ifla_vf_broadcast = 32 {
        /// Broadcast address, followed by zeros.
        broadcast: [u8; 32],
    }
    shows |broadcast| { broadcast: broadcast.address() }
}

impl VfBroadcast {
    /// The address, as long as that of [`VfMac::address`].
    pub fn address(&self) -> Option<HwAddr> {
        hw_addr(&self.broadcast)
    }
}

layout! {
    /// `struct ifla_vf_vlan`.
    pub struct VfVlan: ifla_vf_vlan = 12 {
        /// Number of the function.
        vf: u32,
        /// The VLAN of its frames: 0 to 4095; 0 is none.
        vlan: u32,
        /// Priority of its frames: 0 to 7.
        qos: u32,
    }
}

layout! {
    /// `struct ifla_vf_vlan_info`.
    pub struct VfVlanInfo: ifla_vf_vlan_info = 16 {
        /// Number of the function.
        vf: u32,
        /// The VLAN of its frames: 0 to 4095; 0 is none.
        vlan: u32,
        /// Priority of its frames: 0 to 7.
        qos: u32,
        /// Type of the tag.
        protocol: VlanProtocol,
        /// Padding.
        pad: Pad<2>,
    }
}

layout! {
    /// `struct ifla_vf_tx_rate`.
    pub struct VfTxRate: ifla_vf_tx_rate = 8 {
        /// Number of the function.
        vf: u32,
        /// Largest send rate, in Mbit/s; 0 is no limit.
        rate: u32,
    }
}

layout! {
    /// `struct ifla_vf_rate`.
    pub struct VfRate: ifla_vf_rate = 12 {
        /// Number of the function.
        vf: u32,
        /// Guaranteed send rate, in Mbit/s; 0 is none.
        min_tx_rate: u32,
        /// Largest send rate, in Mbit/s; 0 is no limit.
        max_tx_rate: u32,
    }
}

layout! {
    /// `struct ifla_vf_spoofchk`, `struct ifla_vf_rss_query_en` and `struct ifla_vf_trust`, which have the
    /// same layout.
    pub struct VfSwitch: ifla_vf_spoofchk = 8 {
        /// Number of the function.
        vf: u32,
        /// 0 off, 1 on; `u32::MAX` if the driver does not report it.
        setting: u32,
    }
}

impl VfSwitch {
    /// Whether the switch is on; `None` if the driver does not report it.
    pub fn is_on(&self) -> Option<bool> {
        (self.setting != u32::MAX).then_some(self.setting != 0)
    }
}

layout! {
    /// `struct ifla_vf_link_state`.
    pub struct VfLink: ifla_vf_link_state = 8 {
        /// Number of the function.
        vf: u32,
        /// The carrier that it sees.
        state: VfLinkState,
    }
}

layout! {
    /// `struct ifla_vf_guid`.
    pub struct VfGuid: ifla_vf_guid = 16 | 12 {
        /// Number of the function.
        vf: u32,
        /// Padding.
        pad: Pad<4, 0>,
        /// InfiniBand identifier.
        guid: u64,
    }
}

attrs! {
    /// `IFLA_VF_STATS_*`: counters of a virtual function. Read-only.
    pub struct VfStatsAttrs<'a> for VfStats {
        /// Packets received.
        0 IFLA_VF_STATS_RX_PACKETS rx_packets: u64,
        /// Packets sent.
        1 IFLA_VF_STATS_TX_PACKETS tx_packets: u64,
        /// Bytes received.
        2 IFLA_VF_STATS_RX_BYTES rx_bytes: u64,
        /// Bytes sent.
        3 IFLA_VF_STATS_TX_BYTES tx_bytes: u64,
        /// Broadcast packets received.
        4 IFLA_VF_STATS_BROADCAST broadcast: u64,
        /// Multicast packets received.
        5 IFLA_VF_STATS_MULTICAST multicast: u64,
        /// Packets dropped when receiving. Linux 4.16.
        7 IFLA_VF_STATS_RX_DROPPED rx_dropped: u64,
        /// Packets dropped when sending. Linux 4.16.
        8 IFLA_VF_STATS_TX_DROPPED tx_dropped: u64,
    }
}

attrs! {
    /// The VLANs of a virtual function. Kernels accept only one.
    pub struct VfVlanListAttrs<'a> for VfVlanList {
        /// The VLANs.
        1 IFLA_VF_VLAN_INFO vlans: Many<'a, VfVlanInfo>,
    }
}

attrs! {
    /// `IFLA_VF_*`: a virtual function. [`Vf`] is a more convenient builder.
    pub struct VfInfoAttrs<'a> for VfInfo {
        /// Hardware address.
        1 IFLA_VF_MAC mac: VfMac,
        /// VLAN, with an 802.1Q tag.
        2 IFLA_VF_VLAN vlan: VfVlan,
        /// Largest send rate.
        3 IFLA_VF_TX_RATE tx_rate: VfTxRate,
        /// Whether frames with a wrong source address are dropped.
        4 IFLA_VF_SPOOFCHK spoof_check: VfSwitch,
        /// The carrier that it sees.
        5 IFLA_VF_LINK_STATE link_state: VfLink,
        /// Limits of the send rate.
        6 IFLA_VF_RATE rate: VfRate,
        /// Whether it may read the table that distributes received packets over queues.
        7 IFLA_VF_RSS_QUERY_EN rss_query: VfSwitch,
        /// Counters. Read-only; absent with [`ExtMask::SKIP_STATS`](super::ExtMask::SKIP_STATS).
        8 IFLA_VF_STATS stats -> VfStatsAttrs<'a>,
        /// Whether the function is trusted, for example to change its address or to use promiscuous mode.
        9 IFLA_VF_TRUST trust: VfSwitch,
        /// Identifier of its InfiniBand node. Write it in its own set: the kernel ignores what follows it in the set.
        10 IFLA_VF_IB_NODE_GUID ib_node_guid: VfGuid,
        /// Identifier of its InfiniBand port. Write it in its own set, too.
        11 IFLA_VF_IB_PORT_GUID ib_port_guid: VfGuid,
        /// VLANs with the type of their tag.
        12 IFLA_VF_VLAN_LIST vlan_list: VfVlanListAttrs<'a>,
        /// Broadcast address. Read-only. Linux 5.3.
        13 IFLA_VF_BROADCAST broadcast -> VfBroadcast,
    }
}

attrs! {
    /// The virtual functions of a link.
    pub struct VfListAttrs<'a> for VfList {
        /// The functions. Each of their structs has the number of the function.
        1 IFLA_VF_INFO vfs: Many<'a, VfInfoAttrs<'a>>,
    }
}

/// Changes to one virtual function, for [`LinkRequest::vf`](super::LinkRequest::vf).
///
/// ```
/// use netlink_route::link::{self, vf::VfLinkState, Vf};
///
/// let vf = Vf::new(0).mac([2, 0, 0, 0, 0, 1]).vlan(100, 0).link_state(VfLinkState::AUTO).trust(true);
/// let request = link::set("eth0").vf(vf);
/// # assert!(request.to_bytes().is_ok());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Vf {
    vf: u32,
    set: VfInfo,
}

impl Vf {
    /// Begins without changes. `vf` is the number of the function, from 0.
    pub const fn new(vf: u32) -> Self {
        Self { vf, set: VfInfo::new() }
    }

    fn with(self, change: impl FnOnce(VfInfo, u32) -> VfInfo) -> Self {
        Self { set: change(self.set, self.vf), vf: self.vf }
    }

    /// Hardware address.
    pub fn mac(self, mac: [u8; 6]) -> Self {
        let mut bytes = [0; 32];
        if let Some(there) = bytes.first_chunk_mut() {
            *there = mac;
        }
        self.with(|set, vf| set.mac(VfMac { vf, mac: bytes }))
    }

    /// VLAN and priority of its frames, with an 802.1Q tag; VLAN 0 is none.
    pub fn vlan(self, vlan: u16, qos: u8) -> Self {
        self.with(|set, vf| set.vlan(VfVlan { vf, vlan: vlan.into(), qos: qos.into() }))
    }

    /// VLAN and priority of its frames, with the type of the tag.
    pub fn tagged(self, vlan: u16, qos: u8, protocol: VlanProtocol) -> Self {
        self.with(|set, vf| {
            let info = VfVlanInfo { vf, vlan: vlan.into(), qos: qos.into(), protocol, pad: Pad };
            set.vlan_list(VfVlanList::new().vlans(&[info]))
        })
    }

    /// Guaranteed and largest send rate, in Mbit/s; 0 is no limit.
    pub fn rate(self, min_tx_rate: u32, max_tx_rate: u32) -> Self {
        self.with(|set, vf| set.rate(VfRate { vf, min_tx_rate, max_tx_rate }))
    }

    /// Whether frames with a wrong source address are dropped.
    pub fn spoof_check(self, on: bool) -> Self {
        self.with(|set, vf| set.spoof_check(VfSwitch { vf, setting: on.into() }))
    }

    /// The carrier that it sees.
    pub fn link_state(self, state: VfLinkState) -> Self {
        self.with(|set, vf| set.link_state(VfLink { vf, state }))
    }

    /// Whether it may read the table that distributes received packets over queues.
    pub fn rss_query(self, on: bool) -> Self {
        self.with(|set, vf| set.rss_query(VfSwitch { vf, setting: on.into() }))
    }

    /// Whether it is trusted.
    pub fn trust(self, on: bool) -> Self {
        self.with(|set, vf| set.trust(VfSwitch { vf, setting: on.into() }))
    }

    /// Identifier of its InfiniBand node. The kernel ignores [`port_guid`](Self::port_guid) in the same request.
    pub fn node_guid(self, guid: u64) -> Self {
        self.with(|set, vf| set.ib_node_guid(VfGuid { vf, pad: Pad, guid }))
    }

    /// Identifier of its InfiniBand port.
    pub fn port_guid(self, guid: u64) -> Self {
        self.with(|set, vf| set.ib_port_guid(VfGuid { vf, pad: Pad, guid }))
    }
}

impl<'x> IntoAttr<VfInfoAttrs<'x>> for Vf {
    fn into_attr(self) -> VfInfoAttrs<'x> {
        self.set.attrs()
    }
}

impl<'x> IntoAttr<VfListAttrs<'x>> for Vf {
    fn into_attr(self) -> VfListAttrs<'x> {
        VfList::new().vfs(&[self.set.attrs()]).attrs()
    }
}

values! {
    /// `PORT_REQUEST_*`: requests to the external switch.
    pub struct PortRequest: u8 {
        /// Preassociate.
        0 PORT_REQUEST_PREASSOCIATE PREASSOCIATE "preassociate",
        /// Preassociate and reserve resources.
        1 PORT_REQUEST_PREASSOCIATE_RR PREASSOCIATE_RR "preassociate-rr",
        /// Associate.
        2 PORT_REQUEST_ASSOCIATE ASSOCIATE "associate",
        /// Disassociate.
        3 PORT_REQUEST_DISASSOCIATE DISASSOCIATE "disassociate",
    }
}

values! {
    /// `PORT_VDP_RESPONSE_*` and `PORT_PROFILE_RESPONSE_*`: answers of the external switch.
    pub struct PortResponse: u16 {
        /// Done.
        0 PORT_VDP_RESPONSE_SUCCESS VDP_SUCCESS "success",
        /// Invalid format.
        1 PORT_VDP_RESPONSE_INVALID_FORMAT VDP_INVALID_FORMAT "invalid format",
        /// Insufficient resources.
        2 PORT_VDP_RESPONSE_INSUFFICIENT_RESOURCES VDP_INSUFFICIENT_RESOURCES "insufficient resources",
        /// The type is not in use.
        3 PORT_VDP_RESPONSE_UNUSED_VTID VDP_UNUSED_VTID "unused VTID",
        /// The type does not allow the request.
        4 PORT_VDP_RESPONSE_VTID_VIOLATION VDP_VTID_VIOLATION "VTID violation",
        /// The version of the type is wrong.
        5 PORT_VDP_RESPONSE_VTID_VERSION_VIOALTION VDP_VTID_VERSION_VIOLATION "VTID version violation",
        /// Out of synchronization.
        6 PORT_VDP_RESPONSE_OUT_OF_SYNC VDP_OUT_OF_SYNC "out of sync",
        /// Done.
        256 PORT_PROFILE_RESPONSE_SUCCESS SUCCESS "profile success",
        /// In progress.
        257 PORT_PROFILE_RESPONSE_INPROGRESS IN_PROGRESS "in progress",
        /// Invalid request.
        258 PORT_PROFILE_RESPONSE_INVALID INVALID "invalid",
        /// Not possible in this state.
        259 PORT_PROFILE_RESPONSE_BADSTATE BAD_STATE "bad state",
        /// Insufficient resources.
        260 PORT_PROFILE_RESPONSE_INSUFFICIENT_RESOURCES INSUFFICIENT_RESOURCES "profile insufficient resources",
        /// It failed.
        261 PORT_PROFILE_RESPONSE_ERROR ERROR "error",
    }
}

layout! {
    /// `struct ifla_port_vsi`: a virtual station of the draft before 802.1Qbg.
    pub struct PortVsi: ifla_port_vsi = 8 {
        /// Manager of the types.
        vsi_mgr_id: u8,
        /// The type.
        vsi_type_id: [u8; 3],
        /// Its version.
        vsi_type_version: u8,
        /// Padding.
        pad: Pad<3>,
    }
}

attrs! {
    /// `IFLA_PORT_*`: registration of a link, or of its virtual function, with the external switch.
    pub struct VfPortAttrs<'a> for VfPort {
        /// Number of the function.
        1 IFLA_PORT_VF vf: u32,
        /// Name of the profile.
        2 IFLA_PORT_PROFILE profile: Str<'a, 39>,
        /// The virtual station. Kernels do not read it.
        3 IFLA_PORT_VSI_TYPE vsi_type: PortVsi,
        /// Identifier of the instance: 16 bytes.
        4 IFLA_PORT_INSTANCE_UUID instance_uuid: Bytes<'a>,
        /// Identifier of the host: 16 bytes.
        5 IFLA_PORT_HOST_UUID host_uuid: Bytes<'a>,
        /// The request.
        6 IFLA_PORT_REQUEST request: PortRequest,
        /// The answer. Read-only.
        7 IFLA_PORT_RESPONSE response -> PortResponse,
    }
}

attrs! {
    /// The virtual functions that register with the external switch.
    pub struct VfPortsAttrs<'a> for VfPorts {
        /// One per function.
        1 IFLA_VF_PORT ports: Many<'a, VfPortAttrs<'a>>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link;
    use netlink_core::Payload;
    use netlink_testing::native;

    #[test]
    fn a_function_is_changed() {
        let vf = Vf::new(2).vlan(100, 3).spoof_check(true).rate(0, 1000);
        let bytes = link::set(3).vf(vf).to_bytes().unwrap();
        let list = native(
            [
                52, 0, 22, 0x80, 48, 0, 1, 0x80, // IFLA_VFINFO_LIST, IFLA_VF_INFO
                16, 0, 2, 0, 2, 0, 0, 0, 100, 0, 0, 0, 3, 0, 0, 0, // IFLA_VF_VLAN
                12, 0, 4, 0, 2, 0, 0, 0, 1, 0, 0, 0, // IFLA_VF_SPOOFCHK
                16, 0, 6, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0xe8, 3, 0, 0, // IFLA_VF_RATE
            ],
            &[2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 4, 4, 2, 2, 4],
        );
        assert_eq!(bytes[32..], list);
    }

    #[test]
    fn what_a_driver_sends_is_read() {
        let stats = VfStats::new().rx_packets(7).tx_dropped(8);
        let vlan = VfVlanInfo::default().vf(1u32).vlan(5u32).protocol(VlanProtocol::AD);
        let vf = VfInfo::new()
            .attr(8, &stats.attrs())
            .trust(VfSwitch { vf: 1, setting: u32::MAX })
            .vlan_list(VfVlanList::new().vlans(&[vlan]))
            .ib_node_guid(VfGuid { vf: 1, pad: Pad, guid: 9 })
            .attrs();
        let built = VfList::new().vfs(&[vf]).attrs();
        let mut out = netlink_core::Writer::new();
        built.encode(&mut out);
        let read = VfListAttrs::decode(out.as_slice()).unwrap();
        let vf = read.vfs().unwrap().iter().next().unwrap();
        assert_eq!(vf.stats().unwrap().rx_packets(), Some(7));
        assert_eq!(vf.stats().unwrap().tx_dropped(), Some(8));
        assert_eq!(vf.trust().unwrap().is_on(), None);
        assert_eq!(vf.ib_node_guid().unwrap().guid, 9);
        assert!(vf.vlan_list().unwrap().vlans().unwrap().iter().eq([vlan]));
        assert_eq!(vlan.to_bytes()[12..], [0x88, 0xa8, 0, 0]);
        assert_eq!(read, built);
    }

    #[test]
    fn ports_are_read() {
        let port = VfPort::new().vf(3).profile("web").request(PortRequest::ASSOCIATE).attrs();
        let ports = VfPorts::new().ports(&[port]).attrs();
        let port = ports.ports().unwrap().iter().next().unwrap();
        assert_eq!((port.vf(), port.request()), (Some(3), Some(PortRequest::ASSOCIATE)));
        assert_eq!(port.profile().unwrap(), "web");
    }
}
