//! Addresses of any family.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_core::attr::Hex;
use netlink_core::net::Family;
use netlink_core::{Attr, IntoAttr, Malformed, Payload, Rule, Scope, Shape, Unsendable, Writer, leaf};

/// An address of the message's family: nearly always an IP address.
///
/// MCTP and Phonet addresses have one byte, MPLS has labels.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnyAddr<'a> {
    /// Four or sixteen bytes.
    Ip(IpAddr),
    /// A label, 20 bits: four bytes in an MPLS message.
    Label(u32),
    /// An address of any other length.
    Other(&'a [u8]),
}

impl AnyAddr<'_> {
    /// The address, if it is an IP address.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Label(_) | Self::Other(_) => None,
        }
    }
}

impl<'a> Payload<'a> for AnyAddr<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = leaf!(AnyAddr<'_>);

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        // `IpAddr::decode` would build the result in memory and load it again.
        if let Ok(bytes) = <[u8; 4]>::try_from(payload) {
            return Ok(Self::Ip(IpAddr::V4(bytes.into())));
        }
        if let Ok(bytes) = <[u8; 16]>::try_from(payload) {
            return Ok(Self::Ip(IpAddr::V6(bytes.into())));
        }
        Ok(Self::Other(payload))
    }

    /// The family distinguishes a label from an IPv4 address.
    #[inline]
    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
        if scope.family() == Family::MPLS.0
            && let Ok(entry) = <[u8; 4]>::try_from(attr.payload)
        {
            return Ok(Self::Label(u32::from_be_bytes(entry) >> 12));
        }
        Self::decode(attr.payload)
    }

    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Ip(ip) => ip.encode(out),
            Self::Label(label) if label >> 20 != 0 => {
                out.fail(Unsendable::Value("an MPLS label of more than 20 bits"));
            }
            // The entry is the whole stack, so it has the bottom bit.
            Self::Label(label) => out.push(&(label << 12 | 1 << 8).to_be_bytes()),
            Self::Other(bytes) if matches!(bytes.len(), 4 | 16) => {
                out.fail(Unsendable::Value("an IP address given as bytes"));
            }
            Self::Other(bytes) => out.push(bytes),
        }
    }

    // Where the kind of address is known, only a store of known length remains.
    #[inline(always)]
    fn put(&self, number: u16, out: &mut Writer) {
        match self {
            Self::Ip(ip) => ip.put(number, out),
            _ => {
                let start = out.open(number);
                self.encode(out);
                out.close(start);
            }
        }
    }
}

impl IntoAttr<AnyAddr<'_>> for IpAddr {
    #[inline]
    fn into_attr(self) -> AnyAddr<'static> {
        AnyAddr::Ip(self)
    }
}

impl IntoAttr<AnyAddr<'_>> for Ipv4Addr {
    #[inline]
    fn into_attr(self) -> AnyAddr<'static> {
        AnyAddr::Ip(self.into())
    }
}

impl IntoAttr<AnyAddr<'_>> for Ipv6Addr {
    #[inline]
    fn into_attr(self) -> AnyAddr<'static> {
        AnyAddr::Ip(self.into())
    }
}

impl fmt::Display for AnyAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => fmt::Display::fmt(ip, f),
            Self::Label(label) => fmt::Display::fmt(label, f),
            Self::Other(bytes) => fmt::Display::fmt(&Hex(bytes), f),
        }
    }
}

impl fmt::Debug for AnyAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

netlink_core::serialize! { @text ['a] AnyAddr<'a> }
