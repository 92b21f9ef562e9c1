//! Socket options that are on or off, and MD5 keys.

use core::fmt;
use core::net::IpAddr;

use netlink_core::layout::Field;
use netlink_core::{Malformed, Payload, Rule, Shape, Writer, layout};

use super::tcp_info::bits;
use crate::{Family, Octets, WireIp};

/// `struct inet_diag_sockopt`: options that are on or off, one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SocketOptions(
    /// The bits, in the order of the kernel's compiler.
    pub [u8; 2],
);

macro_rules! options {
    ($( $(#[$meta:meta])* $byte:literal $bit:literal $name:ident, )*) => {
        impl SocketOptions {
            $(
                $(#[$meta])*
                pub const fn $name(self) -> bool {
                    bits(self.0[$byte] as u32, 8, $bit, 1) != 0
                }
            )*

            fn named(self) -> impl Iterator<Item = (&'static str, bool)> {
                [$( (stringify!($name), self.$name()), )*].into_iter()
            }
        }
    };
}

options! {
    /// `IP_RECVERR`.
    0 0 recverr,
    /// The socket's type has connections, for example TCP.
    0 1 is_icsk,
    /// `IP_FREEBIND`.
    0 2 freebind,
    /// `IP_HDRINCL`.
    0 3 hdrincl,
    /// `IP_MULTICAST_LOOP`.
    0 4 mc_loop,
    /// `IP_TRANSPARENT`.
    0 5 transparent,
    /// `IP_MULTICAST_ALL`.
    0 6 mc_all,
    /// `IP_NODEFRAG`.
    0 7 nodefrag,
    /// `IP_BIND_ADDRESS_NO_PORT`.
    1 0 bind_address_no_port,
    /// `IP_RECVERR_RFC4884`.
    1 1 recverr_rfc4884,
    /// A Fast Open connection that waits for its first write.
    1 2 defer_connect,
}

impl<'a> Payload<'a> for SocketOptions {
    type Value = Self;
    const RULE: Rule = Rule::at_least(2);
    const SHAPE: Shape = Shape::value::<Self>();

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        <[u8; 2]>::read(&mut { payload }).map(Self)
    }

    fn encode(&self, out: &mut Writer) {
        out.push(&self.0);
    }
}

impl fmt::Debug for SocketOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = self.named().filter(|(_, on)| *on).map(|(name, _)| name);
        f.debug_set().entries(on).finish()
    }
}

netlink_core::serialize! { @with [] SocketOptions, |options, serializer| {
    serializer.collect_map(options.named())
} }

layout! {
    /// `struct tcp_diag_md5sig`: the key of a peer's TCP MD5 signatures.
    pub struct Md5Key: tcp_diag_md5sig = 100 {
        /// Family of the peer's address.
        family: Family,
        /// Prefix length of the address.
        prefix_len: u8,
        /// Length of the key, in bytes.
        key_len: u16,
        /// The peer's address; see [`address`](Self::address).
        addr: WireIp,
        /// The key, padded; see [`key`](Self::key).
        padded_key: Octets<80>,
    }
    shows |key| { addr: Some(key.address()); padded_key }
}

impl Md5Key {
    /// The address of the peers.
    pub fn address(&self) -> IpAddr {
        self.addr.ip(self.family)
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        self.padded_key.0.get(..usize::from(self.key_len)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn options_that_are_on() {
        // A big-endian compiler puts the first bit field into the highest bits.
        let placed = |bits: u8| if cfg!(target_endian = "big") { bits.reverse_bits() } else { bits };
        let options = SocketOptions::decode(&[placed(0b10), placed(0b101), 9]).unwrap();
        assert_eq!(format!("{options:?}"), r#"{"is_icsk", "bind_address_no_port", "defer_connect"}"#);
    }

    #[test]
    fn md5_keys() {
        let mut bytes = [0; 100];
        bytes[..8].copy_from_slice(&[2, 24, 0, 0, 10, 0, 0, 0]);
        bytes[2..4].copy_from_slice(&3u16.to_ne_bytes());
        bytes[20..23].copy_from_slice(b"key");
        let key = Md5Key::decode(&bytes).unwrap();
        assert_eq!((key.address(), key.key()), ("10.0.0.0".parse().unwrap(), b"key".as_slice()));
    }
}
