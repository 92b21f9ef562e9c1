//! Addresses with their family.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_core::attr::Hex;
use netlink_core::layout::Field;
use netlink_core::net::WideFamily as Family;
use netlink_core::{IntoAttr, Malformed, Payload, Rule, Shape, Writer, serialize_display};

/// `xfrm_address_t`: 16 bytes on the wire. The struct around the address has its family.
///
/// In an attribute of its own, an address has no family; the methods of the messages add it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    family: Family,
    bytes: [u8; 16],
}

impl Address {
    /// The address; `None` without a family, for example in a selector for all families.
    pub fn ip(&self) -> Option<IpAddr> {
        let [a, b, c, d, ..] = self.bytes;
        match self.family {
            Family::INET => Some(Ipv4Addr::new(a, b, c, d).into()),
            Family::INET6 => Some(Ipv6Addr::from(self.bytes).into()),
            _ => None,
        }
    }

    /// The family; [`Family::UNSPEC`] if it is unknown.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The same bytes in this family.
    pub(crate) fn of(self, family: Family) -> Self {
        Self { family, ..self }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        let mut bytes = [0; 16];
        match ip {
            IpAddr::V4(ip) => ip.octets().store(&mut bytes, 0),
            IpAddr::V6(ip) => bytes = ip.octets(),
        }
        Self { family: ip.into(), bytes }
    }
}

macro_rules! into_address {
    ($($ip:ty),*) => { $(
        impl IntoAttr<Address> for $ip {
            fn into_attr(self) -> Address {
                IpAddr::from(self).into()
            }
        }
    )* };
}

into_address! { IpAddr, Ipv4Addr, Ipv6Addr }

impl Field for Address {
    const SIZE: usize = 16;

    fn take(cursor: &mut &[u8]) -> Option<Self> {
        <[u8; 16]>::take(cursor).map(|bytes| Self { family: Family::UNSPEC, bytes })
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.bytes.store(bytes, at);
    }
}

impl<'a> Payload<'a> for Address {
    type Value = Self;
    const RULE: Rule = Rule::at_least(16);
    const SHAPE: Shape = Shape::value::<Self>();

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Self::read(&mut { payload })
    }

    fn encode(&self, out: &mut Writer) {
        out.push(&self.bytes);
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip() {
            Some(ip) => fmt::Display::fmt(&ip, f),
            None if self.bytes == [0; 16] => f.write_str("any"),
            None => fmt::Display::fmt(&Hex(&self.bytes), f),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serialize_display! { Address }

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_address_has_the_family_of_its_struct() {
        let zeros = Address::from("2001:db8::".parse::<IpAddr>().unwrap());
        assert_eq!(zeros.to_string(), "2001:db8::");
        let read = Address::decode(&zeros.bytes).unwrap();
        assert_eq!((read.ip(), read.to_string().as_str()), (None, "20010db8000000000000000000000000"));
        assert_eq!(read.of(Family::INET6), zeros);
        assert_eq!(read.of(Family::INET).to_string(), "32.1.13.184");
        assert_eq!(Address::default().to_string(), "any");
    }
}
