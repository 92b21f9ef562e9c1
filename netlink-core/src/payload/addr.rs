//! Addresses: of IP, and of links.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use crate::attr::{IntoAttr, Malformed, Payload, Rule, Shape, Writer};
use crate::error::Quoted;
use crate::layout::Field;

/// Four or sixteen bytes.
impl<'a> Payload<'a> for IpAddr {
    type Value = Self;
    const RULE: Rule = Rule::IP;
    const SHAPE: Shape = crate::Shape::value::<Self>();

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        match payload.len() {
            4 => Ipv4Addr::decode(payload).map(Self::V4),
            16 => Ipv6Addr::decode(payload).map(Self::V6),
            got => Err(Malformed::Length { want: 16, got }),
        }
    }

    fn encode(&self, out: &mut Writer) {
        match self {
            Self::V4(addr) => addr.encode(out),
            Self::V6(addr) => addr.encode(out),
        }
    }

    #[inline]
    fn put(&self, number: u16, out: &mut Writer) {
        match self {
            Self::V4(addr) => out.put_array(number, addr.octets()),
            Self::V6(addr) => out.put_array(number, addr.octets()),
        }
    }
}

macro_rules! addresses {
    ($($addr:ty, $bytes:literal;)*) => { $(
        impl Field for $addr {
            const SIZE: usize = $bytes;

            #[inline]
            fn take(cursor: &mut &[u8]) -> Option<Self> {
                <[u8; $bytes]>::take(cursor).map(Self::from)
            }

            fn store(self, bytes: &mut [u8], at: usize) {
                self.octets().store(bytes, at);
            }
        }

        impl<'a> Payload<'a> for $addr {
            type Value = Self;
            const RULE: Rule = Rule::at_least($bytes);
            const SHAPE: Shape = crate::Shape::value::<Self>();

            #[inline]
            fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
                Self::read(&mut { payload })
            }

            fn encode(&self, out: &mut Writer) {
                out.push(&self.octets());
            }
        }

        impl IntoAttr<IpAddr> for $addr {
            #[inline]
            fn into_attr(self) -> IpAddr {
                self.into()
            }
        }
    )* };
}

addresses! { Ipv4Addr, 4; Ipv6Addr, 16; }

/// A link-layer address: six bytes on Ethernet, twenty on InfiniBand, four on an IPv4 tunnel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HwAddr {
    length: u8,
    bytes: [u8; Self::MAX],
}

impl HwAddr {
    /// The kernel's `MAX_ADDR_LEN`.
    pub const MAX: usize = 32;

    /// From up to 32 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut addr = Self { length: u8::try_from(bytes.len()).ok()?, bytes: [0; Self::MAX] };
        addr.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(addr)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl<'a> Payload<'a> for HwAddr {
    type Value = Self;
    const RULE: Rule = Rule::at_most(Self::MAX);
    const SHAPE: Shape = crate::Shape::value::<Self>();

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        if let Ok(mac) = <[u8; 6]>::try_from(payload) {
            return Ok(mac.into());
        }
        Self::new(payload).ok_or(Malformed::Length { want: Self::MAX, got: payload.len() })
    }

    fn encode(&self, out: &mut Writer) {
        out.push(self.as_bytes());
    }
}

impl From<[u8; 6]> for HwAddr {
    #[inline]
    fn from([a, b, c, d, e, f]: [u8; 6]) -> Self {
        let mut bytes = [0; Self::MAX];
        if let Some(mac) = bytes.first_chunk_mut() {
            *mac = [a, b, c, d, e, f];
        }
        Self { length: 6, bytes }
    }
}

impl IntoAttr<HwAddr> for [u8; 6] {
    fn into_attr(self) -> HwAddr {
        self.into()
    }
}

impl fmt::Display for HwAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.as_bytes().iter().enumerate() {
            write!(f, "{}{byte:02x}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for HwAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not a link-layer address: pairs of hexadecimal digits between colons, at most 32.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}not a link-layer address: at most 32 pairs of hexadecimal digits between colons")]
pub struct HwAddrError(Quoted);

impl FromStr for HwAddr {
    type Err = HwAddrError;

    fn from_str(text: &str) -> Result<Self, HwAddrError> {
        let parse = || {
            let mut bytes = [0; Self::MAX];
            let mut length = 0;
            for pair in text.split(':') {
                let valid = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
                let byte = u8::from_str_radix(pair, 16).ok().filter(|_| valid)?;
                *bytes.get_mut(length)? = byte;
                length += 1;
            }
            Self::new(bytes.get(..length)?)
        };
        parse().ok_or_else(|| HwAddrError(Quoted::new(text)))
    }
}

crate::serialize! { @parsed HwAddr, |text| text.parse() }

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn addresses_have_four_or_sixteen_bytes() {
        assert_eq!(IpAddr::decode(&[127, 0, 0, 1]).unwrap().to_string(), "127.0.0.1");
        for length in [0, 1, 3, 5, 15, 17] {
            assert!(IpAddr::decode(&[0; 20][..length]).is_err());
        }
    }

    #[test]
    fn hardware_addresses_parse_and_print() {
        let mac: HwAddr = "02:00:5e:10:00:ff".parse().unwrap();
        assert_eq!(mac.to_string(), "02:00:5e:10:00:ff");
        assert_eq!(mac, HwAddr::from([2, 0, 0x5e, 0x10, 0, 0xff]));
        for wrong in ["", "2:0:5e:10:0:f", "02:00:5e:10:00:+f", "0200", "zz"] {
            assert!(wrong.parse::<HwAddr>().is_err(), "{wrong}");
        }
        assert!(HwAddr::new(&[0; 33]).is_none());
    }
}
