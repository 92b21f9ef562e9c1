//! Links: network interfaces. Kernel side: `uapi/linux/if_link.h`, `net/core/rtnetlink.c`.
//!
//! ```
//! use netlink_route::link::{self, Bridge, BridgePort, Veth};
//!
//! let requests = [
//!     link::create("br0").kind(Bridge::new().vlan_filtering(true)).up(),
//!     link::create("a").kind(Veth::new().peer(link::peer("b").net_ns_pid(4711))),
//!     link::set("a").master(3).mtu(1400).up(),
//!     link::set("a").slave(BridgePort::new().isolated(true)),
//!     link::delete("br0"),
//! ];
//! # assert!(requests.iter().all(|request| request.to_bytes().is_ok()));
//! let ports = link::list().master(3);
//! # assert!(ports.to_bytes().is_ok());
//! ```
//!
//! | function | request |
//! | --- | --- |
//! | [`create`] | makes a link of the given [`kind`](LinkRequest::kind) |
//! | [`set`], [`set_group`] | change one link, or all links of a group |
//! | [`get`], [`list`] | ask for one link, or for all |
//! | [`delete`], [`delete_group`] | delete one link, or all links of a group |
//! | [`add_alt_names`], [`delete_alt_names`] | add and delete alternative names |
//! | [`peer`] | the other end of a [`Veth`] |
//!
//! Answers are [`Link`]s. Each kind has a module below [`kind`], with its reader and values. The kinds of
//! masters have modules below [`port`]. The builders for requests are in this module too. The parameters of a
//! kind without a module are kept as bytes; [`kind`] says how to declare one.

pub mod af_spec;
pub mod conf;
mod display;
pub mod kind;
mod payload;
pub mod port;
mod request;
pub mod stats;
mod values;
pub mod vf;
pub mod xdp;

use netlink_core::layout::Pad;
use netlink_core::{Bytes, HwAddr, Many, Str, Uint, attrs, layout, message};

use crate::Family;

use af_spec::{AfSpec, ProtInfo};
use stats::{LinkMap, LinkStats, LinkStats64};
use vf::{VfListAttrs, VfPortAttrs, VfPortsAttrs};
use xdp::XdpAttrs;

pub use kind::bridge::Bridge;
pub use kind::macvlan::Macvlan;
pub use kind::tun::Tun;
pub use kind::veth::{Veth, peer};
pub use kind::vlan::Vlan;
pub use kind::vxlan::Vxlan;
pub use kind::{Kind, LinkInfo, LinkInfoAttrs};
pub use payload::{Alias, Wanted};
pub use port::SlaveKind;
pub use port::bridge::BridgePort;
pub use request::{
    LinkRef, add_alt_names, create, delete, delete_alt_names, delete_group, get, list, set, set_group,
};
pub use values::{ExtMask, LinkEvent, LinkFlags, LinkMode, LinkType, OperState};
pub use vf::Vf;
pub use xdp::Xdp;

layout! {
    /// `struct ifinfomsg`.
    pub struct LinkHeader: ifinfomsg = 16 {
        /// `AF_UNSPEC`. Messages about bridge ports and about IPv6 have their own family.
        family: Family,
        /// Padding.
        pad: Pad<1>,
        /// Type of the hardware address.
        kind: LinkType,
        /// Index. 0 where the link is given by name, or is new.
        index: u32,
        /// State.
        flags: LinkFlags,
        /// Request: the flags to change. Event: the flags that changed.
        change: LinkFlags,
    }
    shows |header| {
        family: Some(header.family).filter(|family| *family != Family::UNSPEC),
        link_type: Some(header.kind);
        kind change
    }
}

attrs! {
    /// `IFLA_PROP_LIST`: properties that a link can have several of. Linux 5.5.
    pub struct PropListAttrs<'a> for PropList {
        /// Alternative names.
        53 IFLA_ALT_IFNAME alt_names: Many<'a, Str<'a, 127>>,
    }
}

attrs! {
    /// `IFLA_PROTO_DOWN_REASON_*`: why a protocol keeps a link down, one bit per reason. Linux 5.9.
    pub struct ProtoDownReasonAttrs<'a> for ProtoDownReason {
        /// The bits to change. Absent: all. Never in a reply.
        1 IFLA_PROTO_DOWN_REASON_MASK mask: u32,
        /// The bits. `protodown_reasons.d` of iproute2 has names for them.
        2 IFLA_PROTO_DOWN_REASON_VALUE value: u32,
    }
}

attrs! {
    /// `IFLA_DEVLINK_PORT`: the link's devlink port. Linux 6.2.
    pub struct DevlinkPortAttrs<'a> for DevlinkPort {
        /// Name of the device's bus.
        1 DEVLINK_ATTR_BUS_NAME bus_name: Str<'a>,
        /// Name of the device.
        2 DEVLINK_ATTR_DEV_NAME dev_name: Str<'a>,
        /// Number of the port.
        3 DEVLINK_ATTR_PORT_INDEX port_index: u32,
    }
}

attrs! {
    /// `IFLA_DPLL_PIN`: the clock source of a link. Linux 6.7.
    pub struct DpllPinAttrs<'a> for DpllPin {
        /// Number of the pin.
        1 DPLL_A_PIN_ID id: u32,
    }
}

attrs! {
    /// `IFLA_*`: a link.
    pub struct LinkAttrs<'a> for LinkRequest<R> {
        /// Hardware address: six bytes on Ethernet, four on an IPv4 tunnel.
        1 IFLA_ADDRESS address: HwAddr,
        /// Broadcast address; on a tunnel the peer's address.
        2 IFLA_BROADCAST broadcast: HwAddr,
        /// Name: at most 15 bytes. In a new link's name, `%d` becomes the first free number.
        3 IFLA_IFNAME name: Str<'a, 15>,
        /// Largest packet, in bytes.
        4 IFLA_MTU mtu: u32,
        /// Index of the link below this one, or of the other end of a pair. With `IFLA_LINK_NETNSID`, the
        /// index in that namespace.
        5 IFLA_LINK link: u32,
        /// Kind of its queueing discipline. Read-only.
        6 IFLA_QDISC qdisc -> Str<'a>,
        /// Counters of 32 bits. Read-only.
        7 IFLA_STATS stats -> LinkStats,
        /// Not used.
        8 IFLA_COST cost -> Bytes<'a>,
        /// Not used.
        9 IFLA_PRIORITY priority -> Bytes<'a>,
        /// Index of the bridge, bond or VRF that the link belongs to. 0 removes the link from it.
        10 IFLA_MASTER master: u32,
        /// An event of the old wireless extensions. Read-only.
        11 IFLA_WIRELESS wireless -> Bytes<'a>,
        /// State of the message's family; only in messages about bridge ports and about IPv6.
        12 IFLA_PROTINFO protinfo: ProtInfo<'a>,
        /// Length of the send queue, in packets.
        13 IFLA_TXQLEN tx_queue_len: u32,
        /// Addresses of the hardware.
        14 IFLA_MAP map: LinkMap,
        /// Not used.
        15 IFLA_WEIGHT weight -> u32,
        /// State. User space can only switch between up and dormant, with [`LinkMode::DORMANT`].
        16 IFLA_OPERSTATE oper_state: OperState,
        /// The state that the link gets when there is a carrier.
        17 IFLA_LINKMODE link_mode: LinkMode,
        /// Its kind and the kind of its master. [`kind`](Self::kind) and [`slave`](Self::slave) are shorter.
        18 IFLA_LINKINFO info: LinkInfoAttrs<'a>,
        /// Moves the link into the namespace of this process. Never in a reply.
        19 IFLA_NET_NS_PID net_ns_pid: u32,
        /// Alias: free text of at most 255 bytes. The empty text removes it.
        20 IFLA_IFALIAS alias: Alias<'a>,
        /// Number of virtual functions; only with [`ExtMask::VF`]. Read-only.
        21 IFLA_NUM_VF num_vf -> u32,
        /// Its virtual functions; only with [`ExtMask::VF`].
        22 IFLA_VFINFO_LIST vf_list: VfListAttrs<'a>,
        /// Counters. Read-only.
        23 IFLA_STATS64 stats64 -> LinkStats64,
        /// Registration of its virtual functions with the external switch.
        24 IFLA_VF_PORTS vf_ports: VfPortsAttrs<'a>,
        /// Registration of the link with the external switch.
        25 IFLA_PORT_SELF port_self: VfPortAttrs<'a>,
        /// State and settings per address family.
        26 IFLA_AF_SPEC af_spec: AfSpec<'a>,
        /// Group of the link, a number for user space. Default 0.
        27 IFLA_GROUP group: u32,
        /// Moves the link into the namespace of this file descriptor. Never in a reply.
        28 IFLA_NET_NS_FD net_ns_fd: i32,
        /// Parts that the reply includes or omits. Never in a reply.
        29 IFLA_EXT_MASK ext_mask: Wanted,
        /// Number of users that requested promiscuous mode. Read-only.
        30 IFLA_PROMISCUITY promiscuity -> u32,
        /// Number of send queues. Set only when the link is made.
        31 IFLA_NUM_TX_QUEUES num_tx_queues: u32,
        /// Number of receive queues. Set only when the link is made.
        32 IFLA_NUM_RX_QUEUES num_rx_queues: u32,
        /// Whether there is a carrier. Only a few kinds allow a request to set it.
        33 IFLA_CARRIER carrier: bool,
        /// Identifier of the physical port. Read-only.
        34 IFLA_PHYS_PORT_ID phys_port_id -> Bytes<'a>,
        /// How often the carrier appeared or disappeared. Read-only.
        35 IFLA_CARRIER_CHANGES carrier_changes -> u32,
        /// Identifier of the hardware switch that the link is a port of. Read-only.
        36 IFLA_PHYS_SWITCH_ID phys_switch_id -> Bytes<'a>,
        /// Id of the namespace that `IFLA_LINK` refers to. In a request for a new link: the namespace where
        /// the link is first made.
        37 IFLA_LINK_NETNSID link_netnsid: i32,
        /// Name of the port on its switch. Read-only.
        38 IFLA_PHYS_PORT_NAME phys_port_name -> Str<'a>,
        /// Whether a protocol keeps the link down.
        39 IFLA_PROTO_DOWN proto_down: bool,
        /// Most segments that the device makes of one packet.
        40 IFLA_GSO_MAX_SEGS gso_max_segs: u32,
        /// Longest packet that is handed to the device for segmentation, in bytes.
        41 IFLA_GSO_MAX_SIZE gso_max_size: u32,
        /// The program on its receive path.
        43 IFLA_XDP xdp: XdpAttrs<'a>,
        /// Cause of an event. Read-only.
        44 IFLA_EVENT event -> LinkEvent,
        /// In the event of a link that leaves: id of its new namespace. Read-only.
        45 IFLA_NEW_NETNSID new_netnsid -> i32,
        /// Id of the namespace where a query or a deletion looks, where a new link is made, or that a link
        /// moves to. Before Linux 4.20 only in queries.
        46 IFLA_TARGET_NETNSID target_netnsid: i32,
        /// How often the carrier appeared. Read-only. Linux 4.16.
        47 IFLA_CARRIER_UP_COUNT carrier_up_count -> u32,
        /// How often the carrier disappeared. Read-only. Linux 4.16.
        48 IFLA_CARRIER_DOWN_COUNT carrier_down_count -> u32,
        /// In an event: the index in the new namespace, Linux 4.16. In a request: the index to use there, Linux 5.13.
        49 IFLA_NEW_IFINDEX new_index: u32,
        /// Smallest allowed MTU. Read-only. Linux 4.19.
        50 IFLA_MIN_MTU min_mtu -> u32,
        /// Largest allowed MTU; 0 is no limit. Read-only. Linux 4.19.
        51 IFLA_MAX_MTU max_mtu -> u32,
        /// Alternative names. Linux 5.5.
        52 IFLA_PROP_LIST prop_list: PropListAttrs<'a>,
        /// An alternative name that identifies the link: at most 127 bytes. Never in a reply. Linux 5.5.
        53 IFLA_ALT_IFNAME alt_name: Str<'a, 127>,
        /// The device's factory hardware address. Read-only. Linux 5.6.
        54 IFLA_PERM_ADDRESS perm_address -> HwAddr,
        /// Why a protocol keeps the link down. Linux 5.9.
        55 IFLA_PROTO_DOWN_REASON proto_down_reason: ProtoDownReasonAttrs<'a>,
        /// Name of the parent device. In a request, for kinds whose links need a parent device. Linux 5.14.
        56 IFLA_PARENT_DEV_NAME parent_dev_name: Str<'a>,
        /// Name of the parent device's bus. Read-only. Linux 5.14.
        57 IFLA_PARENT_DEV_BUS_NAME parent_dev_bus_name -> Str<'a>,
        /// Longest packet that received packets are merged into, in bytes. Linux 5.17.
        58 IFLA_GRO_MAX_SIZE gro_max_size: u32,
        /// Longest packet that the device can segment, in bytes. Read-only. Linux 5.19.
        59 IFLA_TSO_MAX_SIZE tso_max_size -> u32,
        /// Most segments that the device can make of one packet. Read-only. Linux 5.19.
        60 IFLA_TSO_MAX_SEGS tso_max_segs -> u32,
        /// Number of users that requested all multicast. Read-only. Linux 6.1.
        61 IFLA_ALLMULTI allmulti_count -> u32,
        /// Its devlink port. Read-only. Linux 6.2.
        62 IFLA_DEVLINK_PORT devlink_port -> DevlinkPortAttrs<'a>,
        /// As `IFLA_GSO_MAX_SIZE`, for IPv4. Linux 6.3.
        63 IFLA_GSO_IPV4_MAX_SIZE gso_ipv4_max_size: u32,
        /// As `IFLA_GRO_MAX_SIZE`, for IPv4. Linux 6.3.
        64 IFLA_GRO_IPV4_MAX_SIZE gro_ipv4_max_size: u32,
        /// Clock source. Read-only. Linux 6.7.
        65 IFLA_DPLL_PIN dpll_pin -> DpllPinAttrs<'a>,
        /// How early the device accepts packets with a send time, in nanoseconds. Read-only. Linux 6.13.
        66 IFLA_MAX_PACING_OFFLOAD_HORIZON max_pacing_offload_horizon -> Uint as u64,
        /// Whether the link cannot leave its namespace. Read-only. Linux 6.15.
        67 IFLA_NETNS_IMMUTABLE netns_immutable -> bool,
        /// Bytes that the link needs in front of a packet. Read-only. Linux 6.18.
        68 IFLA_HEADROOM headroom -> u16,
        /// Bytes that the link needs after a packet. Read-only. Linux 6.18.
        69 IFLA_TAILROOM tailroom -> u16,
    }
}

message! {
    /// A link.
    pub struct Link<'a>(LinkHeader, LinkAttrs<'a>), LinkRequest {
        /// Request: makes or changes a link. Answer and event: a link.
        16 RTM_NEWLINK NEW,
        /// Request: deletes a link. Event: a link was removed.
        17 RTM_DELLINK DEL,
        /// Asks for one or all.
        18 RTM_GETLINK GET,
        /// Changes a link, but not the parameters of its kind or of its master's kind.
        19 RTM_SETLINK SET,
        /// Adds alternative names. Linux 5.5.
        108 RTM_NEWLINKPROP NEWPROP,
        /// Removes alternative names. Linux 5.5.
        109 RTM_DELLINKPROP DELPROP,
        /// The number is reserved; no kernel answers it.
        110 RTM_GETLINKPROP GETPROP,
    }
    about (display::subject)
    on crate::PROTOCOL
}
