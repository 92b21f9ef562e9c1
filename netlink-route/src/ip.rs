//! Address families, and addresses with a prefix length.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use netlink_core::attr::Hex;
use netlink_core::error::Quoted;
use netlink_core::{
    Attr, IntoAttr, Malformed, Payload, Rule, Scope, Shape, Unsendable, Writer, leaf, serialize_display,
    values,
};

values! {
    /// `AF_*`: the address families that rtnetlink messages come in.
    pub struct Family: u8 {
        /// Any.
        0 AF_UNSPEC UNSPEC "any",
        /// IPv4.
        2 AF_INET INET "inet",
        /// Bridge ports and forwarding entries.
        7 AF_BRIDGE BRIDGE "bridge",
        /// IPv6.
        10 AF_INET6 INET6 "inet6",
        /// MPLS.
        28 AF_MPLS MPLS "mpls",
        /// Management Component Transport Protocol.
        45 AF_MCTP MCTP "mctp",
        /// IPv4 multicast routes.
        128 RTNL_FAMILY_IPMR IPMR "ipmr",
        /// IPv6 multicast routes.
        129 RTNL_FAMILY_IP6MR IP6MR "ip6mr",
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

/// An IP address with a prefix length: what is assigned to a link, or where a route leads.
///
/// ```
/// use netlink_route::Addr;
///
/// let addr: Addr = "169.254.169.254/32".parse()?;
/// assert_eq!(addr.to_string(), "169.254.169.254/32");
/// assert_eq!("fe80::1".parse::<Addr>()?.prefix_len(), 128);
/// assert!("10.0.0.0/33".parse::<Addr>().is_err());
/// # Ok::<(), netlink_route::AddrError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr {
    ip: IpAddr,
    prefix_len: u8,
}

impl Addr {
    /// Everything in IPv4: `0.0.0.0/0`.
    pub const DEFAULT_V4: Self = Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix_len: 0 };
    /// Everything in IPv6: `::/0`.
    pub const DEFAULT_V6: Self = Self { ip: IpAddr::V6(Ipv6Addr::UNSPECIFIED), prefix_len: 0 };

    /// An address and the length of its prefix: at most 32 bits in IPv4, 128 in IPv6.
    pub const fn new(ip: IpAddr, prefix_len: u8) -> Result<Self, AddrError> {
        let max = if ip.is_ipv4() { 32 } else { 128 };
        if prefix_len > max {
            return Err(AddrError::Prefix { max, text: Quoted::NONE });
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

    /// Whether it covers the one address only.
    pub const fn is_host(&self) -> bool {
        self.prefix_len == if self.ip.is_ipv4() { 32 } else { 128 }
    }

    /// Whether `ip` lies within the prefix.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.ip, ip) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => {
                let shift = 32 - u32::from(self.prefix_len);
                (own.to_bits() ^ ip.to_bits()).checked_shr(shift).unwrap_or_default() == 0
            }
            (IpAddr::V6(own), IpAddr::V6(ip)) => {
                let shift = 128 - u32::from(self.prefix_len);
                (own.to_bits() ^ ip.to_bits()).checked_shr(shift).unwrap_or_default() == 0
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Addr {
    fn from(ip: IpAddr) -> Self {
        Self { ip, prefix_len: if ip.is_ipv4() { 32 } else { 128 } }
    }
}

impl From<Ipv4Addr> for Addr {
    fn from(ip: Ipv4Addr) -> Self {
        IpAddr::V4(ip).into()
    }
}

impl From<Ipv6Addr> for Addr {
    fn from(ip: Ipv6Addr) -> Self {
        IpAddr::V6(ip).into()
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix_len)
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serialize_display! { Addr }

/// An address of whatever family the message has: an IP address in nearly all of them.
///
/// MCTP and Phonet addresses have one byte, MPLS has labels.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnyAddr<'a> {
    /// Four bytes or sixteen.
    Ip(IpAddr),
    /// A label, 20 bits: four bytes in an MPLS message.
    Label(u32),
    /// Any other length.
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
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = leaf!(AnyAddr<'_>);

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        // Not by way of `IpAddr::decode`, whose result would be put together in memory and loaded at once.
        if let Ok(bytes) = <[u8; 4]>::try_from(payload) {
            return Ok(Self::Ip(IpAddr::V4(bytes.into())));
        }
        if let Ok(bytes) = <[u8; 16]>::try_from(payload) {
            return Ok(Self::Ip(IpAddr::V6(bytes.into())));
        }
        Ok(Self::Other(payload))
    }

    /// The family tells a label from an IPv4 address.
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
            // The only entry of a stack is its last.
            Self::Label(label) => out.push(&(label << 12 | 1 << 8).to_be_bytes()),
            Self::Other(bytes) if matches!(bytes.len(), 4 | 16) => {
                out.fail(Unsendable::Value("an IP address given as bytes"));
            }
            Self::Other(bytes) => out.push(bytes),
        }
    }

    // Always: where the kind of address is known, what is left is a store of known length.
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

/// Why a text or a pair is not an [`Addr`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddrError {
    /// The part before the slash is no IP address.
    Ip {
        /// That part.
        text: Quoted,
    },
    /// The part behind the slash is no number, or more than the address has bits.
    Prefix {
        /// Bits of the address.
        max: u8,
        /// That part.
        text: Quoted,
    },
}

impl fmt::Display for AddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip { text } => write!(f, "{text}not an IP address"),
            Self::Prefix { max, text } => write!(f, "{text}not a prefix length between 0 and {max}"),
        }
    }
}

impl core::error::Error for AddrError {}

impl FromStr for Addr {
    type Err = AddrError;

    fn from_str(text: &str) -> Result<Self, AddrError> {
        let (ip, prefix_len) = match text.split_once('/') {
            Some((ip, length)) => (ip, Some(length)),
            None => (text, None),
        };
        let host = Self::from(ip.parse::<IpAddr>().map_err(|_| AddrError::Ip { text: Quoted::new(ip) })?);
        let Some(length) = prefix_len else {
            return Ok(host);
        };
        let max = host.prefix_len;
        // `u8::from_str` takes a plus sign; a prefix length has digits only.
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let wrong = || AddrError::Prefix { max, text: Quoted::new(length) };
        let bits = length.parse().ok().filter(|bits| digits && *bits <= max).ok_or_else(wrong)?;
        Self::new(host.ip, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn parses_what_it_prints_and_nothing_else() {
        for text in ["169.254.169.254/32", "0.0.0.0/0", "fe80::1/64", "::/0", "2001:db8::/128"] {
            assert_eq!(text.parse::<Addr>().unwrap().to_string(), text);
        }
        for wrong in ["", "/8", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/33", "10.0.0/8", "::1/129", "::1/-1"] {
            assert!(wrong.parse::<Addr>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn contains_what_shares_the_prefix() {
        let net: Addr = "10.1.0.0/16".parse().unwrap();
        assert!(net.contains("10.1.255.1".parse().unwrap()));
        assert!(!net.contains("10.2.0.0".parse().unwrap()));
        assert!(!net.contains("::1".parse().unwrap()));
        assert!(Addr::DEFAULT_V6.contains("ff02::1".parse().unwrap()));
        assert!(Addr::DEFAULT_V4.contains("1.2.3.4".parse().unwrap()));
    }
}
