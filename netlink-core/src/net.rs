//! The vocabulary of networks that several families share: address families, protocols, prefixes, times.
//!
//! The kernel's structs have some of these numbers in two widths. Each is a type here, from the same rows: `Family` and
//! `WideFamily`, `IpProtocol` and `WideIpProtocol`. The wider one is made from the other by `From`, and can be set to it.

mod prefix;
mod time;

use core::net::IpAddr;

use crate::values;

pub use prefix::{Prefix, PrefixError};
pub use time::Timespec;

/// An enumeration in two widths, of which the wider may have rows of its own.
macro_rules! in_two_widths {
    (
        $(#[$meta:meta])* $name:ident: $int:ident,
        $(#[$wide_meta:meta])* $wide:ident: $wide_int:ident { $($more:tt)* }
        $($rows:tt)*
    ) => {
        values! {
            $(#[$meta])*
            pub struct $name: $int { $($rows)* }
        }

        values! {
            $(#[$wide_meta])*
            pub struct $wide: $wide_int { $($rows)* $($more)* }
        }

        impl From<$name> for $wide {
            fn from(narrow: $name) -> Self {
                Self(narrow.0.into())
            }
        }

        impl crate::IntoAttr<$wide> for $name {
            fn into_attr(self) -> $wide {
                self.into()
            }
        }

        /// Fails if the number is too large.
        impl TryFrom<$wide> for $name {
            type Error = core::num::TryFromIntError;

            fn try_from(wide: $wide) -> Result<Self, Self::Error> {
                wide.0.try_into().map(Self)
            }
        }
    };
}

in_two_widths! {
    /// `AF_*`: families of addresses and of sockets, as most headers have them.
    Family: u8,
    /// `AF_*` as `sa_family_t`: in 16 bits.
    WideFamily: u16 {}
    /// Any, or none.
    0 AF_UNSPEC UNSPEC "any",
    /// Local sockets.
    1 AF_UNIX UNIX "unix",
    /// IPv4.
    2 AF_INET INET "inet",
    /// Bridge ports and forwarding entries.
    7 AF_BRIDGE BRIDGE "bridge",
    /// IPv6.
    10 AF_INET6 INET6 "inet6",
    /// Netlink sockets.
    16 AF_NETLINK NETLINK "netlink",
    /// Frames of links.
    17 AF_PACKET PACKET "packet",
    /// MPLS.
    28 AF_MPLS MPLS "mpls",
    /// Clusters.
    30 AF_TIPC TIPC "tipc",
    /// Between virtual machines and their host.
    40 AF_VSOCK VSOCK "vsock",
    /// TCP sockets over shared memory.
    43 AF_SMC SMC "smc",
    /// Frames of links through rings in user memory.
    44 AF_XDP XDP "xdp",
    /// Management Component Transport Protocol.
    45 AF_MCTP MCTP "mctp",
    /// In rtnetlink: IPv4 multicast routes.
    128 RTNL_FAMILY_IPMR IPMR "ipmr",
    /// In rtnetlink: IPv6 multicast routes.
    129 RTNL_FAMILY_IP6MR IP6MR "ip6mr",
}

impl From<IpAddr> for Family {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::INET,
            IpAddr::V6(_) => Self::INET6,
        }
    }
}

impl From<IpAddr> for WideFamily {
    fn from(ip: IpAddr) -> Self {
        Family::from(ip).into()
    }
}

in_two_widths! {
    /// `IPPROTO_*`: protocols above IP, as packets have them.
    IpProtocol: u8,
    /// `IPPROTO_*` as `socket(2)` takes them: in 32 bits.
    WideIpProtocol: u32 {
        /// In queries: raw sockets of any protocol.
        255 IPPROTO_RAW RAW "raw",
        /// Multipath TCP. Linux 5.6.
        262 IPPROTO_MPTCP MPTCP "mptcp",
    }
    /// ICMP.
    1 IPPROTO_ICMP ICMP "icmp",
    /// IGMP.
    2 IPPROTO_IGMP IGMP "igmp",
    /// TCP.
    6 IPPROTO_TCP TCP "tcp",
    /// UDP.
    17 IPPROTO_UDP UDP "udp",
    /// DCCP. Sockets until Linux 6.15, connection tracking until Linux 6.16.
    33 IPPROTO_DCCP DCCP "dccp",
    /// GRE.
    47 IPPROTO_GRE GRE "gre",
    /// IPsec, encrypted.
    50 IPPROTO_ESP ESP "esp",
    /// IPsec, signed.
    51 IPPROTO_AH AH "ah",
    /// ICMPv6.
    58 IPPROTO_ICMPV6 ICMPV6 "icmpv6",
    /// SCTP.
    132 IPPROTO_SCTP SCTP "sctp",
    /// UDP-Lite. Connection tracking of Linux 7.3 does not look into it.
    136 IPPROTO_UDPLITE UDPLITE "udplite",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_fits_the_wider_type_and_not_always_the_other() {
        assert_eq!(WideFamily::from(Family(200)), WideFamily(200));
        assert_eq!(Family::try_from(WideFamily::INET6), Ok(Family::INET6));
        assert!(Family::try_from(WideFamily(0x1_02)).is_err());
        assert!(IpProtocol::try_from(WideIpProtocol::MPTCP).is_err());
        assert_eq!(WideIpProtocol::from(IpProtocol::UDP).name(), IpProtocol::UDP.name());
    }
}
