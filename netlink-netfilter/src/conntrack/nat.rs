//! How a new entry's addresses are translated: `CTA_NAT_*`, `CTA_PROTONAT_*`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::RangeInclusive;

use netlink_core::{Be, attrs};

attrs! {
    /// `CTA_PROTONAT_*`: ports to choose from.
    pub struct NatPortsAttrs<'a> for NatPorts {
        /// The lowest. Needed beside the highest.
        1 CTA_PROTONAT_PORT_MIN min: Be<u16> as u16,
        /// The highest; the lowest, if it is absent.
        2 CTA_PROTONAT_PORT_MAX max: Be<u16> as u16,
    }
}

attrs! {
    /// `CTA_NAT_*`: what a source or a destination becomes. Only in requests that create: an entry shows its
    /// translation in its tuples.
    pub struct NatAttrs<'a> for Nat {
        /// The lowest IPv4 address.
        1 CTA_NAT_V4_MINIP v4_min: Ipv4Addr,
        /// The highest IPv4 address; the lowest, if it is absent.
        2 CTA_NAT_V4_MAXIP v4_max: Ipv4Addr,
        /// Ports.
        3 CTA_NAT_PROTO ports_set: NatPortsAttrs<'a>,
        /// The lowest IPv6 address.
        4 CTA_NAT_V6_MINIP v6_min: Ipv6Addr,
        /// The highest IPv6 address; the lowest, if it is absent.
        5 CTA_NAT_V6_MAXIP v6_max: Ipv6Addr,
    }
}

impl Nat {
    /// This address.
    pub fn to(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Self::new().v4_min(addr),
            IpAddr::V6(addr) => Self::new().v6_min(addr),
        }
    }

    /// One of these IPv4 addresses.
    pub fn to_v4(range: RangeInclusive<Ipv4Addr>) -> Self {
        Self::new().v4_min(*range.start()).v4_max(*range.end())
    }

    /// One of these IPv6 addresses.
    pub fn to_v6(range: RangeInclusive<Ipv6Addr>) -> Self {
        Self::new().v6_min(*range.start()).v6_max(*range.end())
    }

    /// And one of these ports.
    pub fn ports(self, range: RangeInclusive<u16>) -> Self {
        self.ports_set(NatPorts::new().min(*range.start()).max(*range.end()))
    }
}
