//! IP addresses with the length of a prefix.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use super::Family;
use crate::error::Quoted;

/// An IP address and how many of its bits count: a network, where a route leads, what a link has.
///
/// The other bits are kept: `192.0.2.1/24` is an address within its network.
///
/// ```
/// use netlink_core::Prefix;
///
/// let prefix: Prefix = "169.254.169.254/32".parse()?;
/// assert_eq!(prefix.to_string(), "169.254.169.254/32");
/// assert_eq!("fe80::1".parse::<Prefix>()?.prefix_len(), 128);
/// assert!("10.0.0.0/33".parse::<Prefix>().is_err());
/// # Ok::<(), netlink_core::PrefixError>(())
/// ```
///
/// With the feature `ipnet` it is made from an `ipnet::IpNet` and the other way round, by `From`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    ip: IpAddr,
    prefix_len: u8,
}

impl Prefix {
    /// Everything in IPv4: `0.0.0.0/0`.
    pub const DEFAULT_V4: Self = Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix_len: 0 };
    /// Everything in IPv6: `::/0`.
    pub const DEFAULT_V6: Self = Self { ip: IpAddr::V6(Ipv6Addr::UNSPECIFIED), prefix_len: 0 };

    /// An address and the length of its prefix: at most 32 bits in IPv4, 128 in IPv6.
    pub const fn new(ip: IpAddr, prefix_len: u8) -> Result<Self, PrefixError> {
        let max = bits(ip);
        if prefix_len > max {
            return Err(PrefixError::Length { max, text: Quoted::NONE });
        }
        Ok(Self { ip, prefix_len })
    }

    /// The address.
    pub const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Bits of the prefix.
    pub const fn prefix_len(&self) -> u8 {
        self.prefix_len
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.ip.into()
    }

    /// The network: the same with all other bits 0.
    #[must_use]
    pub fn network(self) -> Self {
        let ip = match self.ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix_len)).unwrap_or_default();
                Ipv4Addr::from_bits(ip.to_bits() & mask).into()
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix_len)).unwrap_or_default();
                Ipv6Addr::from_bits(ip.to_bits() & mask).into()
            }
        };
        Self { ip, ..self }
    }

    /// Whether it covers the one address only.
    pub const fn is_host(&self) -> bool {
        self.prefix_len == bits(self.ip)
    }

    /// Whether `ip` lies within the prefix.
    pub fn contains(&self, ip: IpAddr) -> bool {
        bits(ip) == bits(self.ip) && Self { ip, ..*self }.network() == self.network()
    }
}

const fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The address alone: all of its bits count.
impl From<IpAddr> for Prefix {
    fn from(ip: IpAddr) -> Self {
        Self { ip, prefix_len: bits(ip) }
    }
}

impl From<Ipv4Addr> for Prefix {
    fn from(ip: Ipv4Addr) -> Self {
        IpAddr::V4(ip).into()
    }
}

impl From<Ipv6Addr> for Prefix {
    fn from(ip: Ipv6Addr) -> Self {
        IpAddr::V6(ip).into()
    }
}

#[cfg(feature = "ipnet")]
impl From<ipnet::IpNet> for Prefix {
    fn from(net: ipnet::IpNet) -> Self {
        Self { ip: net.addr(), prefix_len: net.prefix_len() }
    }
}

#[cfg(feature = "ipnet")]
impl From<Prefix> for ipnet::IpNet {
    fn from(prefix: Prefix) -> Self {
        Self::new_assert(prefix.ip, prefix.prefix_len)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix_len)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::serialize! { @parsed Prefix, |text| text.parse() }

/// Why a text or a pair is not a [`Prefix`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrefixError {
    /// The part before the slash is no IP address.
    Ip {
        /// That part.
        text: Quoted,
    },
    /// The part behind the slash is no number, or more than the address has bits.
    Length {
        /// Bits of the address.
        max: u8,
        /// That part.
        text: Quoted,
    },
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip { text } => write!(f, "{text}not an IP address"),
            Self::Length { max, text } => write!(f, "{text}not a prefix length between 0 and {max}"),
        }
    }
}

impl core::error::Error for PrefixError {}

/// `192.0.2.0/24`, or an address alone, all of whose bits count.
impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (ip, length) = text.split_once('/').map_or((text, None), |(ip, length)| (ip, Some(length)));
        let host = Self::from(ip.parse::<IpAddr>().map_err(|_| PrefixError::Ip { text: Quoted::new(ip) })?);
        let Some(length) = length else {
            return Ok(host);
        };
        let max = host.prefix_len;
        // `u8::from_str` takes a plus sign; a prefix length has digits only.
        let parsed = length.parse().ok().filter(|bits| !length.starts_with('+') && *bits <= max);
        let prefix_len = parsed.ok_or_else(|| PrefixError::Length { max, text: Quoted::new(length) })?;
        Ok(Self { prefix_len, ..host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    // N7.
    #[test]
    fn parses_what_it_prints_and_nothing_else() {
        for text in ["169.254.169.254/32", "0.0.0.0/0", "fe80::1/64", "::/0", "2001:db8::/128"] {
            assert_eq!(text.parse::<Prefix>().unwrap().to_string(), text);
        }
        assert_eq!("192.0.2.1".parse::<Prefix>().unwrap().to_string(), "192.0.2.1/32");
        assert_eq!("::1".parse::<Prefix>().unwrap().to_string(), "::1/128");
        let lengths = ["10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-8", "10.0.0.0/ 8", "10.0.0.0/x", "10.0.0.0/33"];
        for wrong in lengths.into_iter().chain(["::/129", "::/256", "::1/-1", "::/0/0"]) {
            let (ip, length) = wrong.split_once('/').unwrap();
            let max = if ip.contains(':') { 128 } else { 32 };
            let error = PrefixError::Length { max, text: Quoted::new(length) };
            assert_eq!(wrong.parse::<Prefix>(), Err(error), "{wrong}");
        }
        for wrong in ["", "/", "/8", "10/8", "10.0.0/8", "::1%1/64", "host/8"] {
            let ip = wrong.split('/').next().unwrap();
            assert_eq!(wrong.parse::<Prefix>(), Err(PrefixError::Ip { text: Quoted::new(ip) }), "{wrong}");
        }
    }

    #[test]
    fn contains_what_shares_the_prefix() {
        let net: Prefix = "10.1.0.0/16".parse().unwrap();
        assert!(net.contains("10.1.255.1".parse().unwrap()));
        assert!(!net.contains("10.2.0.0".parse().unwrap()));
        assert!(!net.contains("::1".parse().unwrap()));
        assert!(Prefix::DEFAULT_V6.contains("ff02::1".parse().unwrap()));
        assert!(Prefix::DEFAULT_V4.contains("1.2.3.4".parse().unwrap()));
    }

    #[test]
    fn a_network_has_no_other_bits() {
        let network = |text: &str| text.parse::<Prefix>().unwrap().network().to_string();
        assert_eq!(
            ["10.1.2.3/0", "10.1.2.3/12", "10.1.2.3"].map(network),
            ["0.0.0.0/0", "10.0.0.0/12", "10.1.2.3/32"]
        );
        assert_eq!(["fe80::1/0", "2001:db8::1/31", "::1"].map(network), ["::/0", "2001:db8::/31", "::1/128"]);
    }

    #[cfg(feature = "ipnet")]
    #[test]
    fn an_ip_net_is_the_same_address_and_length() {
        for text in ["192.0.2.1/24", "::/0", "2001:db8::1/128"] {
            let prefix: Prefix = text.parse().unwrap();
            let net = ipnet::IpNet::from(prefix);
            assert_eq!(net.to_string(), text);
            assert_eq!(Prefix::from(net), prefix);
        }
    }
}
