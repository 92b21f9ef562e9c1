//! Addresses that know their family, and prefixes.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use netlink_core::attr::Hex;
use netlink_core::error::Quoted;
use netlink_core::layout::Field;
use netlink_core::{IntoAttr, Malformed, Payload, Rule, Shape, Writer, leaf, serialize_display, values};

values! {
    /// `AF_*`: the families of addresses.
    pub struct Family: u16 {
        /// None, or any.
        0 AF_UNSPEC UNSPEC "any",
        /// IPv4.
        2 AF_INET INET "inet",
        /// IPv6.
        10 AF_INET6 INET6 "inet6",
    }
}

impl From<IpAddr> for Family {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::INET,
            IpAddr::V6(_) => Self::INET6,
        }
    }
}

/// `xfrm_address_t`: 16 bytes on the wire, and the family that the struct around them tells.
///
/// In an attribute of its own nothing tells the family; the messages' methods add it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Address {
    family: Family,
    bytes: [u8; 16],
}

impl Address {
    /// The address; `None` where no family is known, as in a selector for all of them.
    pub fn ip(&self) -> Option<IpAddr> {
        let [a, b, c, d, ..] = self.bytes;
        match self.family {
            Family::INET => Some(Ipv4Addr::new(a, b, c, d).into()),
            Family::INET6 => Some(Ipv6Addr::from(self.bytes).into()),
            _ => None,
        }
    }

    /// Its family; [`Family::UNSPEC`] where nothing tells.
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

    fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
        <[u8; 16]>::take(cursor).map(|bytes| Self { family: Family::UNSPEC, bytes })
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.bytes.store(bytes, at);
    }
}

impl<'a> Payload<'a> for Address {
    const RULE: Rule = Rule::at_least(16);
    const SHAPE: Shape = leaf!(Self);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Self::take(&mut { payload })
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

/// An address and how many of its bits count.
///
/// ```
/// use netlink_xfrm::Prefix;
///
/// let net: Prefix = "2001:db8::/32".parse()?;
/// assert_eq!((net.to_string().as_str(), net.length()), ("2001:db8::/32", 32));
/// assert_eq!("192.0.2.1".parse::<Prefix>()?.length(), 32);
/// assert!("192.0.2.0/33".parse::<Prefix>().is_err());
/// # Ok::<(), netlink_xfrm::PrefixError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    ip: IpAddr,
    length: u8,
}

impl Prefix {
    /// Every IPv4 address.
    pub const ANY_V4: Self = Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), length: 0 };
    /// Every IPv6 address.
    pub const ANY_V6: Self = Self { ip: IpAddr::V6(Ipv6Addr::UNSPECIFIED), length: 0 };

    /// An address and the length of its prefix: at most 32 bits in IPv4, 128 in IPv6.
    pub const fn new(ip: IpAddr, length: u8) -> Result<Self, PrefixError> {
        let max = if ip.is_ipv4() { 32 } else { 128 };
        if length > max { Err(PrefixError(Quoted::NONE)) } else { Ok(Self { ip, length }) }
    }

    /// The address.
    pub const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Bits of the prefix.
    pub const fn length(&self) -> u8 {
        self.length
    }
}

impl<T: Into<IpAddr>> From<T> for Prefix {
    fn from(ip: T) -> Self {
        let ip = ip.into();
        Self { ip, length: if ip.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let prefix = netlink_core::parse_prefix(text).map(|(ip, length)| Self { ip, length });
        prefix.ok_or_else(|| PrefixError(Quoted::new(text)))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.length)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not an address with a prefix length of at most its bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixError(Quoted);

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}not an IP address with a prefix length of at most its 32 or 128 bits", self.0)
    }
}

impl core::error::Error for PrefixError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_address_is_of_the_family_it_is_told() {
        let zeros = Address::from("2001:db8::".parse::<IpAddr>().unwrap());
        assert_eq!(zeros.to_string(), "2001:db8::");
        let read = Address::decode(&zeros.bytes).unwrap();
        assert_eq!((read.ip(), read.to_string().as_str()), (None, "20010db8000000000000000000000000"));
        assert_eq!(read.of(Family::INET6), zeros);
        assert_eq!(read.of(Family::INET).to_string(), "32.1.13.184");
        assert_eq!(Address::default().to_string(), "any");
    }

    #[test]
    fn prefixes_parse_what_they_print_and_nothing_else() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "fe80::/64", "::/0"] {
            assert_eq!(text.parse::<Prefix>().unwrap().to_string(), text);
        }
        for wrong in ["", "/8", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/33", "::1/129", "::1/-1"] {
            assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
        }
    }
}
