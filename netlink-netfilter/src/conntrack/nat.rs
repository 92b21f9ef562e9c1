//! Address translation of a new entry: `CTA_NAT_*`, `CTA_PROTONAT_*`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::RangeInclusive;

use netlink_core::{Be, attrs};

attrs! {
    /// `CTA_PROTONAT_*`: a range of ports.
    pub struct NatPortsAttrs<'a> for NatPorts {
        /// The lowest port. Required with the highest.
        1 CTA_PROTONAT_PORT_MIN min: Be<u16> as u16,
        /// The highest port. Default: the lowest.
        2 CTA_PROTONAT_PORT_MAX max: Be<u16> as u16,
    }
}

attrs! {
    /// `CTA_NAT_*`: the new source or destination. Only in requests that create an entry: the tuples of an
    /// existing entry show its translation.
    pub struct NatAttrs<'a> for Nat {
        /// The lowest IPv4 address.
        1 CTA_NAT_V4_MINIP v4_min: Ipv4Addr,
        /// The highest IPv4 address. Default: the lowest.
        2 CTA_NAT_V4_MAXIP v4_max: Ipv4Addr,
        /// Ports.
        3 CTA_NAT_PROTO ports_set: NatPortsAttrs<'a>,
        /// The lowest IPv6 address.
        4 CTA_NAT_V6_MINIP v6_min: Ipv6Addr,
        /// The highest IPv6 address. Default: the lowest.
        5 CTA_NAT_V6_MAXIP v6_max: Ipv6Addr,
    }
}

impl Nat {
    /// Translates to this address.
    pub fn to(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Self::new().v4_min(addr),
            IpAddr::V6(addr) => Self::new().v6_min(addr),
        }
    }

    /// Translates to one of these IPv4 addresses.
    pub fn to_v4(range: RangeInclusive<Ipv4Addr>) -> Self {
        Self::new().v4_min(*range.start()).v4_max(*range.end())
    }

    /// Translates to one of these IPv6 addresses.
    pub fn to_v6(range: RangeInclusive<Ipv6Addr>) -> Self {
        Self::new().v6_min(*range.start()).v6_max(*range.end())
    }

    /// Translates to one of these ports too.
    pub fn ports(self, range: RangeInclusive<u16>) -> Self {
        self.ports_set(NatPorts::new().min(*range.start()).max(*range.end()))
    }
}
