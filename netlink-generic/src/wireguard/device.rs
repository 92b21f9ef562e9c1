//! A device, combined from one or more messages.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use netlink_core::net::WideFamily;
use netlink_core::{DecodeError, Indexed, Malformed, Owned, Prefix, serialize};

use super::{
    AllowedIpAttrs, AllowedIpBuilder, AllowedIpFlags, DeviceMessage, Endpoint, PeerAttrs, PresharedKey,
    PrivateKey, PublicKey, SecretKey, Timespec,
};

/// A device with all its peers.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Device {
    /// Index of the link.
    pub ifindex: Option<u32>,
    /// Name of the link.
    pub ifname: Option<String>,
    /// The private key, if it has one.
    pub private_key: Option<PrivateKey>,
    /// The public key of the private key.
    pub public_key: Option<PublicKey>,
    /// UDP port that it listens on; 0 while the device is down and no port was set.
    pub listen_port: Option<u16>,
    /// Mark of the packets it sends; 0 is none.
    pub fwmark: Option<u32>,
    /// Peers in the order in which they were added.
    pub peers: Vec<Peer>,
}

serialize! { impl [] for Device, |device, fields| {
    fields.entry("ifindex", &device.ifindex)?;
    fields.entry("ifname", &device.ifname)?;
    fields.entry("private_key", &device.private_key)?;
    fields.entry("public_key", &device.public_key)?;
    fields.entry("listen_port", &device.listen_port)?;
    fields.entry("fwmark", &device.fwmark)?;
    fields.entry("peers", &device.peers)?;
} }

impl Device {
    /// Combines the messages of a dump of [`get`](super::get).
    pub fn new(parts: &[Owned<DeviceMessage<'static>>]) -> Result<Self, DecodeError> {
        let mut device = Self::default();
        for part in parts {
            device.push(&DeviceMessage::read(&part.message())?)?;
        }
        Ok(device)
    }

    /// Adds the next message of a dump. Call it for each message if the dump is read one by one. A peer whose
    /// allowed IPs need several messages comes again with the rest of them.
    pub fn push(&mut self, part: &DeviceMessage<'_>) -> Result<(), DecodeError> {
        self.ifindex = part.ifindex().or(self.ifindex);
        self.ifname = part.ifname().map(|name| name.to_string()).or_else(|| self.ifname.take());
        self.private_key = part.private_key().map(PrivateKey::from).or_else(|| self.private_key.take());
        self.public_key = part.public_key().or(self.public_key);
        self.listen_port = part.listen_port().or(self.listen_port);
        self.fwmark = part.fwmark().or(self.fwmark);
        for (_, attrs) in part.peers().iter().flat_map(Indexed::iter) {
            let key = attrs.public_key().ok_or(absent("WGPEER_A_PUBLIC_KEY"))?;
            let allowed_ips = attrs.allowedips();
            let allowed_ips = allowed_ips.iter().flat_map(Indexed::iter).map(|(_, ip)| read(&ip));
            match self.peers.last_mut() {
                Some(peer) if peer.public_key == key => {
                    for ip in allowed_ips {
                        peer.allowed_ips.push(ip?);
                    }
                }
                _ => self.peers.push(Peer::read(key, &attrs, allowed_ips.collect::<Result<_, _>>()?)),
            }
        }
        Ok(())
    }
}

const fn absent(at: &'static str) -> DecodeError {
    DecodeError { at, why: Malformed::Value("is absent") }
}

/// A peer of a device.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Peer {
    /// The key that identifies the peer.
    pub public_key: PublicKey,
    /// The preshared key, if there is one.
    pub preshared_key: Option<PresharedKey>,
    /// The last known or the configured address of the peer.
    pub endpoint: Option<SocketAddr>,
    /// Seconds of silence before a keepalive packet is sent; 0 sends none.
    pub persistent_keepalive: u16,
    /// Time of the last handshake, since 1970; `None` if there was none.
    pub last_handshake: Option<Duration>,
    /// Bytes received, with the overhead of the tunnel.
    pub rx_bytes: u64,
    /// Bytes sent, with the overhead of the tunnel.
    pub tx_bytes: u64,
    /// The prefixes that the peer may use.
    pub allowed_ips: Vec<Prefix>,
    /// Version of the protocol.
    pub protocol_version: Option<u32>,
}

serialize! { impl [] for Peer, |peer, fields| {
    fields.entry("public_key", &peer.public_key)?;
    fields.entry("preshared_key", &peer.preshared_key)?;
    fields.entry("endpoint", &peer.endpoint.map(|endpoint| endpoint.to_string()))?;
    fields.entry("persistent_keepalive", &peer.persistent_keepalive)?;
    fields.entry("last_handshake", &peer.last_handshake.map(|time| time.as_secs_f64()))?;
    fields.entry("rx_bytes", &peer.rx_bytes)?;
    fields.entry("tx_bytes", &peer.tx_bytes)?;
    fields.entry("allowed_ips", &peer.allowed_ips)?;
    fields.entry("protocol_version", &peer.protocol_version)?;
} }

impl Peer {
    fn read(public_key: PublicKey, attrs: &PeerAttrs<'_>, allowed_ips: Vec<Prefix>) -> Self {
        Self {
            public_key,
            preshared_key: attrs
                .preshared_key()
                .filter(|key| !SecretKey::is_none(key))
                .map(PresharedKey::from),
            endpoint: match attrs.endpoint() {
                Some(Endpoint::Ip(addr)) => Some(addr),
                _ => None,
            },
            persistent_keepalive: attrs.persistent_keepalive_interval().unwrap_or_default(),
            last_handshake: attrs.last_handshake_time().and_then(Timespec::since_1970),
            rx_bytes: attrs.rx_bytes().unwrap_or_default(),
            tx_bytes: attrs.tx_bytes().unwrap_or_default(),
            allowed_ips,
            protocol_version: attrs.protocol_version(),
        }
    }
}

pub(super) fn read(attrs: &AllowedIpAttrs<'_>) -> Result<Prefix, DecodeError> {
    let addr = attrs.ipaddr().ok_or(absent("WGALLOWEDIP_A_IPADDR"))?;
    let prefix = attrs.cidr_mask().ok_or(absent("WGALLOWEDIP_A_CIDR_MASK"))?;
    let why = Malformed::Value("a prefix longer than the address");
    Prefix::new(addr, prefix).map_err(|_| DecodeError { at: "WGALLOWEDIP_A_CIDR_MASK", why })
}

pub(super) fn attrs(ip: Prefix, flags: AllowedIpFlags) -> AllowedIpAttrs<'static> {
    let family = WideFamily::from(ip.ip());
    let attrs = AllowedIpBuilder::new().family(family).ipaddr(ip.ip()).cidr_mask(ip.prefix_len());
    // Older kernels refuse the attribute, even if it is 0.
    if flags.is_empty() { attrs.attrs() } else { attrs.flags(flags).attrs() }
}
