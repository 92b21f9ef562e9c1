//! Settings and state of a link per address family: `IFLA_AF_SPEC` and `IFLA_PROTINFO`.

use core::fmt;
use core::net::Ipv6Addr;

use netlink_core::attr::{NLA_F_NESTED, Rule};
use netlink_core::choice::Neighbour;
use netlink_core::{
    Array, Attrs, Bytes, IntoAttr, Malformed, Many, Payload, Scope, Shape, Writer, attrs, choice, flags,
    layout, serialize, values,
};

use super::conf::{Icmp6Counter, Inet4Setting, Inet6Setting, IpCounter};
use super::port::bridge::{BridgePort, BridgePortAttrs};
use crate::Family;

values! {
    /// `IN6_ADDR_GEN_MODE_*`: how the kernel makes the IPv6 addresses of a link.
    pub struct AddrGenMode: u8 {
        /// From the hardware address. The default.
        0 IN6_ADDR_GEN_MODE_EUI64 EUI64 "eui64",
        /// No link-local address; other addresses from the hardware address.
        1 IN6_ADDR_GEN_MODE_NONE NONE "none",
        /// From a secret and the network.
        2 IN6_ADDR_GEN_MODE_STABLE_PRIVACY STABLE_PRIVACY "stable_secret",
        /// From a random secret and the network.
        3 IN6_ADDR_GEN_MODE_RANDOM RANDOM "random",
    }
}

flags! {
    /// State of IPv6 on a link.
    pub struct Inet6Flags: u32 {
        /// A router solicitation was sent.
        0x10 IF_RS_SENT RS_SENT,
        /// A router advertisement was received.
        0x20 IF_RA_RCVD RA_RCVD,
        /// The advertisement said that addresses come from DHCP.
        0x40 IF_RA_MANAGED RA_MANAGED,
        /// The advertisement said that other settings come from DHCP.
        0x80 IF_RA_OTHERCONF RA_OTHERCONF,
        /// IPv6 is ready.
        0x8000_0000 IF_READY READY,
    }
}

layout! {
    /// `struct ifla_cacheinfo`: times of IPv6 on a link.
    pub struct Inet6CacheInfo: ifla_cacheinfo = 16 {
        /// Largest packet that can be reassembled, in bytes.
        max_reasm_len: u32,
        /// When the IPv6 state last changed, in hundredths of a second since boot.
        tstamp: u32,
        /// How long a neighbour is considered reachable, in milliseconds.
        reachable_time: u32,
        /// Time between neighbour solicitations, in milliseconds.
        retrans_time: u32,
    }
}

layout! {
    /// `struct bridge_vlan_info`: a VLAN of a bridge port, in messages of the family `AF_BRIDGE`.
    pub struct PortVlan: bridge_vlan_info = 4 {
        /// Options.
        flags: PortVlanFlags,
        /// The VLAN.
        vid: u16,
    }
}

flags! {
    /// `BRIDGE_VLAN_INFO_*`: a VLAN of a bridge port.
    pub struct PortVlanFlags: u16 {
        /// On the bridge too.
        0x1 BRIDGE_VLAN_INFO_MASTER MASTER,
        /// Untagged frames belong to it.
        0x2 BRIDGE_VLAN_INFO_PVID PVID,
        /// Frames leave without a tag.
        0x4 BRIDGE_VLAN_INFO_UNTAGGED UNTAGGED,
        /// The first of a range.
        0x8 BRIDGE_VLAN_INFO_RANGE_BEGIN RANGE_BEGIN,
        /// The last of a range.
        0x10 BRIDGE_VLAN_INFO_RANGE_END RANGE_END,
        /// On the bridge itself.
        0x20 BRIDGE_VLAN_INFO_BRENTRY BRENTRY,
        /// Change only options. Linux 5.6.
        0x40 BRIDGE_VLAN_INFO_ONLY_OPTS ONLY_OPTS,
    }
}

/// IPv4 settings. A reply has all of them, a request those to change.
///
/// To change some, give pairs: `Inet::new().conf(&[(Inet4Setting::FORWARDING, 1)])`.
#[derive(Clone, Copy)]
pub struct Inet4Conf<'a>(ConfFrom<'a>);

#[derive(Clone, Copy)]
enum ConfFrom<'a> {
    /// An array; its first element is setting 1.
    All(Array<'a, u32>),
    /// Attributes, numbered like the settings.
    Some(Attrs<'a>),
    Values(&'a [(Inet4Setting, u32)]),
}

impl<'a> Inet4Conf<'a> {
    /// The settings, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Inet4Setting, u32)> + use<'a> {
        let (all, some, values) = match self.0 {
            ConfFrom::All(all) => (Some(all), Attrs::default(), [].as_slice()),
            ConfFrom::Some(some) => (None, some, [].as_slice()),
            ConfFrom::Values(values) => (None, Attrs::default(), values),
        };
        let all = (1..).map(Inet4Setting).zip(all.into_iter().flat_map(|all| all.iter()));
        let some = some.flatten().filter_map(|attr| {
            u32::decode(attr.payload).ok().map(|value| (Inet4Setting(attr.number), value))
        });
        all.chain(some).chain(values.iter().copied())
    }

    /// One setting.
    pub fn get(&self, setting: Inet4Setting) -> Option<u32> {
        self.iter().find(|(number, _)| *number == setting).map(|(_, value)| value)
    }
}

impl<'a> Payload<'a> for Inet4Conf<'a> {
    type Value = Self;
    const RULE: Rule = Array::<'_, u32>::RULE;
    const SHAPE: Shape = Shape::Value(|bytes, f| match Inet4Conf::decode(bytes) {
        Ok(conf) => fmt::Debug::fmt(&conf, f),
        Err(why) => fmt::Display::fmt(&why, f),
    });

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        // As an attribute, the first element would be a length of at least 8. But it is `forwarding`: 0 or 1.
        let attrs = Attrs::new(payload);
        let pairs = attrs.filter(|attr| attr.is_ok_and(|attr| attr.payload.len() == 4)).count();
        if pairs > 0 && pairs * 8 == payload.len() {
            return Ok(Self(ConfFrom::Some(attrs)));
        }
        Array::decode(payload).map(|all| Self(ConfFrom::All(all)))
    }

    fn encode(&self, out: &mut Writer) {
        match self.0 {
            ConfFrom::All(all) => all.encode(out),
            ConfFrom::Some(attrs) => out.push(attrs.rest()),
            ConfFrom::Values(values) => values.iter().for_each(|(setting, value)| value.put(setting.0, out)),
        }
    }

    fn put(&self, number: u16, out: &mut Writer) {
        let nested = !matches!(self.0, ConfFrom::All(_));
        let start = out.open(if nested { number | NLA_F_NESTED } else { number });
        self.encode(out);
        out.close(start);
    }
}

impl<'a> IntoAttr<Inet4Conf<'a>> for &'a [(Inet4Setting, u32)] {
    fn into_attr(self) -> Inet4Conf<'a> {
        Inet4Conf(ConfFrom::Values(self))
    }
}

impl<'a, const N: usize> IntoAttr<Inet4Conf<'a>> for &'a [(Inet4Setting, u32); N] {
    fn into_attr(self) -> Inet4Conf<'a> {
        Inet4Conf(ConfFrom::Values(self))
    }
}

impl PartialEq for Inet4Conf<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Inet4Conf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

serialize! { @with ['a] Inet4Conf<'a>, |conf, serializer| serializer.collect_map(conf.iter()) }

attrs! {
    /// `IFLA_INET_*`: IPv4 on a link.
    pub struct InetAttrs<'a> for Inet {
        /// Settings.
        1 IFLA_INET_CONF conf: Inet4Conf<'a>,
    }
}

attrs! {
    /// `IFLA_INET6_*`: IPv6 on a link. Only the token and the address generation mode can be set.
    pub struct Inet6Attrs<'a> for Inet6 {
        /// State. Read-only.
        1 IFLA_INET6_FLAGS flags -> Inet6Flags,
        /// Settings, by the number of an [`Inet6Setting`]. Read-only.
        2 IFLA_INET6_CONF conf -> Array<'a, i32>,
        /// Counters, by the number of an [`IpCounter`]. Read-only.
        3 IFLA_INET6_STATS stats -> Array<'a, u64>,
        /// Not used.
        4 IFLA_INET6_MCAST mcast -> Bytes<'a>,
        /// Times. Read-only.
        5 IFLA_INET6_CACHEINFO cache_info -> Inet6CacheInfo,
        /// Counters, by the number of an [`Icmp6Counter`]. Read-only.
        6 IFLA_INET6_ICMP6STATS icmp6_stats -> Array<'a, u64>,
        /// Interface identifier for addresses from advertised prefixes; `::` is none.
        7 IFLA_INET6_TOKEN token: Ipv6Addr,
        /// How the kernel makes addresses.
        8 IFLA_INET6_ADDR_GEN_MODE addr_gen_mode: AddrGenMode,
        /// MTU that routers advertise, in bytes. Read-only. Linux 5.15.
        9 IFLA_INET6_RA_MTU ra_mtu -> u32,
    }
    shows |inet6| {
        conf: inet6.conf().map(|all| netlink_core::ser::Map::from_iter((0..).map(Inet6Setting).zip(all.iter()))),
        stats: inet6.stats().map(|all| netlink_core::ser::Map::from_iter((0..).map(IpCounter).zip(all.iter()))),
        icmp6_stats: inet6.icmp6_stats().map(|all| netlink_core::ser::Map::from_iter((0..).map(Icmp6Counter).zip(all.iter())))
    }
}

impl Inet6Attrs<'_> {
    /// One setting; `None` where the kernel does not send it.
    pub fn setting(&self, setting: Inet6Setting) -> Option<i32> {
        self.conf()?.get(setting.0.into())
    }

    /// One counter of IPv6.
    pub fn counter(&self, counter: IpCounter) -> Option<u64> {
        self.stats()?.get(counter.0.into())
    }

    /// One counter of ICMPv6.
    pub fn icmp6_counter(&self, counter: Icmp6Counter) -> Option<u64> {
        self.icmp6_stats()?.get(counter.0.into())
    }
}

attrs! {
    /// `IFLA_MCTP_*`: MCTP on a link. Linux 5.15.
    pub struct MctpAttrs<'a> for Mctp {
        /// Network id.
        1 IFLA_MCTP_NET net: u32,
        /// The physical binding, a DMTF number. Read-only. Linux 6.13.
        2 IFLA_MCTP_PHYS_BINDING phys_binding -> u8,
    }
}

attrs! {
    /// `IFLA_AF_SPEC` of a link: one set per address family, with the family's number.
    pub struct FamiliesAttrs<'a> for Families {
        /// IPv4.
        2 AF_INET inet: InetAttrs<'a>,
        /// IPv6.
        10 AF_INET6 inet6: Inet6Attrs<'a>,
        /// MCTP.
        45 AF_MCTP mctp: MctpAttrs<'a>,
    }
}

attrs! {
    /// `IFLA_AF_SPEC` of a bridge port, in messages of the family `AF_BRIDGE`.
    pub struct PortSpecAttrs<'a> for PortSpec {
        /// Target of the request: 1 the bridge, 2 the port's hardware.
        0 IFLA_BRIDGE_FLAGS flags: u16,
        /// Bridge mode of the hardware: 0 it switches by itself, 1 through the external switch.
        1 IFLA_BRIDGE_MODE mode: u16,
        /// The VLANs.
        2 IFLA_BRIDGE_VLAN_INFO vlans: Many<'a, PortVlan>,
        /// The map from VLANs to tunnel ids.
        3 IFLA_BRIDGE_VLAN_TUNNEL_INFO vlan_tunnels: Many<'a, Bytes<'a>>,
        /// Media Redundancy Protocol. Linux 5.8.
        4 IFLA_BRIDGE_MRP mrp: Bytes<'a>,
        /// Connectivity fault management. Linux 5.11.
        5 IFLA_BRIDGE_CFM cfm: Bytes<'a>,
        /// Multiple spanning trees. Linux 5.18.
        6 IFLA_BRIDGE_MST mst: Bytes<'a>,
    }
}

/// The family of the message decides: with `AF_BRIDGE` the content is about a bridge port, otherwise it is
/// one set per family.
///
/// Drivers and old kernels send other content about bridge ports.
struct OfMessage;

impl Neighbour<'_, Family> for OfMessage {
    const NAMED: bool = false;

    fn find(scope: &Scope<'_>) -> Option<Family> {
        let family = Family(scope.family());
        Some(if family == Family::BRIDGE { family } else { Family::UNSPEC })
    }

    fn put(_: Family, _: u16, _: &mut Writer) {}

    fn checked(family: &Family) -> bool {
        *family != Family::BRIDGE
    }
}

choice! {
    /// `IFLA_AF_SPEC`: the content depends on the family of the message.
    pub enum AfSpec<'a> by OfMessage family: Family {
        /// One set per address family.
        Family::UNSPEC => Families(FamiliesAttrs<'a>, Families),
        /// In a message of the family `AF_BRIDGE`: about a bridge port.
        Family::BRIDGE => Bridge(PortSpecAttrs<'a>, PortSpec),
    }
}

/// The family of the message decides. An old kernel sends the state of a bridge port as one byte.
struct OfProtocol;

impl Neighbour<'_, Family> for OfProtocol {
    const NAMED: bool = false;

    fn find(scope: &Scope<'_>) -> Option<Family> {
        Some(Family(scope.family()))
    }

    fn put(_: Family, _: u16, _: &mut Writer) {}

    fn checked(_: &Family) -> bool {
        false
    }
}

choice! {
    /// `IFLA_PROTINFO`: the content depends on the family of the message.
    pub enum ProtInfo<'a> by OfProtocol family: Family {
        /// In a message of the family `AF_BRIDGE`: about a bridge port.
        Family::BRIDGE => Bridge(BridgePortAttrs<'a>, BridgePort),
        /// In a message of the family `AF_INET6`: about IPv6.
        Family::INET6 => Inet6(Inet6Attrs<'a>, Inet6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{self, Link, LinkAttrs};
    use alloc::boxed::Box;
    use alloc::format;
    use alloc::vec;
    use netlink_core::{Message, MessageHeader};
    use netlink_testing::native;

    fn under(family: u8, set: &[u8]) -> LinkAttrs<'_> {
        LinkAttrs::read(&Scope::new(Box::leak(Box::new([family])), Attrs::new(set))).unwrap()
    }

    #[test]
    fn the_family_decides() {
        // IFLA_AF_SPEC with one attribute 2 of four bytes, IFLA_PROTINFO with attribute 1 of one byte.
        let set = native(
            [12, 0, 26, 0, 8, 0, 2, 0, 6, 0, 1, 0, 12, 0, 12, 0x80, 5, 0, 1, 0, 3, 0, 0, 0],
            &[2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1],
        );
        let bridge = under(7, &set);
        let Some(AfSpec::Bridge(spec)) = bridge.af_spec() else { panic!("{bridge:?}") };
        let vlan = PortVlan::default().flags(PortVlanFlags::PVID | PortVlanFlags::UNTAGGED).vid(1u16);
        assert!(spec.vlans().unwrap().iter().eq([vlan]));
        assert!(matches!(bridge.protinfo(), Some(ProtInfo::Bridge(port)) if port.state().unwrap().0 == 3));
        assert!(format!("{bridge:?}").contains("state: forwarding"), "{bridge:?}");
        assert!(matches!(under(0, &set[12..]).protinfo(), Some(ProtInfo::Other(Family::UNSPEC, _))));
        let header = MessageHeader::default();
        let mut body = vec![0; 16];
        body.extend(set);
        assert!(Link::read(&Message { header, body: &body }).is_err(), "attribute 2 is not a set of IPv4");
        body[0] = 7;
        assert_eq!(Link::read(&Message { header, body: &body }).unwrap().port_vlans().count(), 1);
    }

    #[test]
    fn a_strange_message_about_a_port_is_readable() {
        let set = native([8, 0, 26, 0, 1, 0, 2, 0, 5, 0, 12, 0, 3, 0, 0, 0], &[2, 2, 2, 2, 2, 2, 1]);
        let bridge = under(7, &set);
        assert_eq!(
            bridge.af_spec(),
            Some(AfSpec::Other(Family::BRIDGE, native([1, 0, 2, 0], &[2])[..].into()))
        );
        assert_eq!(bridge.protinfo(), Some(ProtInfo::Other(Family::BRIDGE, [3][..].into())));
    }

    #[test]
    fn settings_are_an_array_when_read_and_a_set_when_written() {
        let array = [1, 0, 1].map(u32::to_ne_bytes).concat();
        let conf = Inet4Conf::decode(&array).unwrap();
        assert_eq!(conf.get(Inet4Setting::PROXY_ARP), Some(1));
        assert_eq!(conf.get(Inet4Setting::ACCEPT_REDIRECTS), None);
        let families = Families::new()
            .inet(Inet::new().conf(&[(Inet4Setting::FORWARDING, 1), (Inet4Setting::RP_FILTER, 2)]))
            .inet6(Inet6::new().addr_gen_mode(AddrGenMode::NONE));
        let bytes = link::set(2).af_spec(families).to_bytes().unwrap();
        let spec = native(
            [
                40, 0, 26, 0x80, // IFLA_AF_SPEC
                24, 0, 2, 0x80, // AF_INET
                20, 0, 1, 0x80, // IFLA_INET_CONF
                8, 0, 1, 0, 1, 0, 0, 0, // IPV4_DEVCONF_FORWARDING
                8, 0, 8, 0, 2, 0, 0, 0, // IPV4_DEVCONF_RP_FILTER
                12, 0, 10, 0x80, 5, 0, 8, 0, 1, 0, 0, 0, // AF_INET6, IFLA_INET6_ADDR_GEN_MODE
            ],
            &[2, 2, 2, 2, 2, 2, 2, 2, 4, 2, 2, 4, 2, 2, 2, 2, 1],
        );
        assert_eq!(bytes[32..], spec);
        let read = Inet4Conf::decode(&spec[12..28]).unwrap();
        assert!(read.iter().eq([(Inet4Setting::FORWARDING, 1), (Inet4Setting::RP_FILTER, 2)]));
        assert_eq!(format!("{read:?}"), "{forwarding: 1, rp_filter: 2}");
    }
}
