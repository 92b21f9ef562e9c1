//! WireGuard: tunnels, their keys and their peers. Kernel side: `uapi/linux/wireguard.h`,
//! `drivers/net/wireguard/netlink.c`.
//!
//! Rtnetlink makes and removes the link of kind `wireguard`, its addresses and its routes. This family
//! configures the link. There are no multicast groups: the kernel sends no events about peers.
//!
//! # Configuring
//!
//! A [`DeviceConfig`] can have any size; [`split`](DeviceConfig::split) makes the requests for it.
//!
//! ```no_run
//! use netlink_generic::Prefix;
//! use netlink_generic::wireguard::{self, DeviceConfig, PeerConfig, PrivateKey, PublicKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = wireguard::connect()?;
//! let key: PrivateKey = std::fs::read_to_string("/etc/wireguard/key")?.trim().parse()?;
//! let peer: PublicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=".parse()?;
//! let config = DeviceConfig::new("wg0").private_key(key).listen_port(51820).fwmark(0xca6c).replace_peers().peer(
//!     PeerConfig::new(peer)
//!         .endpoint("192.0.2.1:51820".parse()?)
//!         .persistent_keepalive(25)
//!         .replace_allowed_ips()
//!         .allowed_ip("10.0.0.0/24".parse()?)
//!         .allowed_ip("fd00::/64".parse()?),
//! );
//! for request in config.split() {
//!     nl.call(request)?;
//! }
//!
//! // Changes a peer only if it exists.
//! let moved = PeerConfig::new(peer).update_only().endpoint("[2001:db8::1]:51820".parse()?);
//! let moved = moved.remove_preshared_key().persistent_keepalive(0);
//! // Removes one of its prefixes, Linux 6.16.
//! let narrowed = PeerConfig::new(peer).update_only().remove_allowed_ip("fd00::/64".parse::<Prefix>()?);
//! let gone = PeerConfig::remove(peer);
//! for change in [moved, narrowed, gone] {
//!     for request in DeviceConfig::new("wg0").peer(change).split() {
//!         nl.call(request)?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! If the kernel refuses a request, the changes before the refused part stay in effect. The configuration
//! stays when the connection is closed, until it is changed or the link is removed.
//!
//! # Reading
//!
//! The kernel lists a device in one or more messages; [`Device`] combines them.
//!
//! ```no_run
//! use netlink_generic::wireguard::{self, Device};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = wireguard::connect()?;
//! let device = Device::new(&nl.dump(wireguard::get("wg0"))?.collect()?)?;
//! println!("port {:?}", device.listen_port);
//! for peer in &device.peers {
//!     println!("{} {:?} {} bytes received", peer.public_key, peer.endpoint, peer.rx_bytes);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The messages can also be read in place, including attributes that this crate does not know:
//!
//! ```no_run
//! use netlink_generic::Indexed;
//! use netlink_generic::wireguard;
//!
//! # fn main() -> Result<(), netlink_generic::Error> {
//! let mut nl = wireguard::connect()?;
//! let mut parts = nl.dump(wireguard::get_index(7))?;
//! while let Some(part) = parts.next()? {
//!     for (_, peer) in part.peers().iter().flat_map(Indexed::iter) {
//!         println!("{:?} {:?}", peer.public_key(), peer.tx_bytes());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! With tokio it is the same, with `.await`:
//!
//! ```no_run
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use netlink_generic::wireguard::{self, Device};
//!
//! let mut nl = wireguard::tokio::connect().await?;
//! let device = Device::new(&nl.dump(wireguard::get("wg0")).await?.collect().await?)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Keys
//!
//! A [`PrivateKey`] and a [`PresharedKey`] do not print, not even in errors and traces, and their memory is
//! wiped. The feature `wireguard-keys` generates keys and derives public keys.

mod config;
mod device;
mod key;

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use netlink_core::layout::Field as _;
use netlink_core::net::WideFamily;
use netlink_core::{
    Bytes, Dump, Indexed, IntoAttr, Malformed, MessageFlags, Payload, Rule, Shape, Str, Writer, attrs, flags,
    serialize,
};

pub use config::{DeviceConfig, PeerConfig};
pub use device::{Device, Peer};
pub use key::{KeyError, PresharedKey, PrivateKey, PublicKey, SecretKey};

use crate::{Header, family, message};
pub use netlink_core::net::Timespec;

family! {
    /// WireGuard.
    pub struct Wireguard(Header): "wireguard" = 1 { DeviceMessage }
}

message! {
    /// A device, or the part of it in one message: [`Device`] combines the messages.
    pub struct DeviceMessage<'a>(Wireguard, DeviceAttrs<'a>), DeviceRequest {
        /// Asks for one device. The answers have the same type.
        0 WG_CMD_GET_DEVICE GET_DEVICE,
        /// Changes one device.
        1 WG_CMD_SET_DEVICE SET_DEVICE,
    }
    about subject
}

/// `"wg0" peer jRKr…=`: the device, or the first peer of a request, as errors show it.
fn subject(device: &DeviceMessage<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (device.ifname(), device.ifindex()) {
        (Some(name), _) => write!(f, "{name:?}")?,
        (None, Some(index)) => write!(f, "index {index}")?,
        (None, None) => {}
    }
    let peer = device.peers().into_iter().flat_map(|peers| peers.iter()).next();
    match peer.and_then(|(_, peer)| peer.public_key()) {
        Some(key) => write!(f, " peer {key}"),
        None => Ok(()),
    }
}

attrs! {
    /// `WGDEVICE_A_*`. Settings that a request does not have do not change.
    pub struct DeviceAttrs<'a> for DeviceRequest<R> {
        /// Index of the link. A request has this or the name.
        1 WGDEVICE_A_IFINDEX ifindex: u32,
        /// Name of the link: at most 15 bytes.
        2 WGDEVICE_A_IFNAME ifname: Str<'a, 15>,
        /// The private key; all zeros remove it. The kernel clamps it.
        3 WGDEVICE_A_PRIVATE_KEY private_key: SecretKey<'a>,
        /// The public key of the private key. Read-only.
        4 WGDEVICE_A_PUBLIC_KEY public_key: PublicKey,
        /// Flags of the request. Never in a reply.
        5 WGDEVICE_A_FLAGS flags: DeviceFlags,
        /// UDP port to listen on; with 0 the kernel chooses one.
        6 WGDEVICE_A_LISTEN_PORT listen_port: u16,
        /// Mark of the packets it sends; 0 is none.
        7 WGDEVICE_A_FWMARK fwmark: u32,
        /// Peers. The index has no meaning: the kernel always sends 0.
        8 WGDEVICE_A_PEERS peers: Indexed<'a, PeerAttrs<'a>>,
    }
}

flags! {
    /// `WGDEVICE_F_*`: flags of a request for a device.
    pub struct DeviceFlags: u32 {
        /// All peers are removed first.
        0x1 WGDEVICE_F_REPLACE_PEERS REPLACE_PEERS,
    }
}

attrs! {
    /// `WGPEER_A_*`: a peer. A setting that a request does not have does not change; in a new peer it has its
    /// default.
    pub struct PeerAttrs<'a> for PeerBuilder {
        /// The key that identifies the peer. Required in requests.
        1 WGPEER_A_PUBLIC_KEY public_key: PublicKey,
        /// A key that both peers share, in addition to the others; all zeros is none.
        2 WGPEER_A_PRESHARED_KEY preshared_key: SecretKey<'a>,
        /// Flags of the request. Never in a reply.
        3 WGPEER_A_FLAGS flags: PeerFlags,
        /// The last known or the configured address of the peer.
        4 WGPEER_A_ENDPOINT endpoint: Endpoint<'a>,
        /// Seconds of silence before a keepalive packet is sent; 0, the default, sends none.
        5 WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL persistent_keepalive_interval: u16,
        /// Time of the last handshake, since 1970; 0 is never. Read-only.
        6 WGPEER_A_LAST_HANDSHAKE_TIME last_handshake_time: Timespec,
        /// Bytes received, with the overhead of the tunnel. Read-only.
        7 WGPEER_A_RX_BYTES rx_bytes: u64,
        /// Bytes sent, with the overhead of the tunnel. Read-only.
        8 WGPEER_A_TX_BYTES tx_bytes: u64,
        /// The prefixes that the peer may use. The index has no meaning: the kernel always sends 0.
        9 WGPEER_A_ALLOWEDIPS allowedips: Indexed<'a, AllowedIpAttrs<'a>>,
        /// Version of the protocol: 1, the default, is the only one.
        10 WGPEER_A_PROTOCOL_VERSION protocol_version: u32,
    }
}

flags! {
    /// `WGPEER_F_*`: flags of a request for a peer.
    pub struct PeerFlags: u32 {
        /// The peer is removed.
        0x1 WGPEER_F_REMOVE_ME REMOVE_ME,
        /// All its allowed IPs are removed first.
        0x2 WGPEER_F_REPLACE_ALLOWEDIPS REPLACE_ALLOWEDIPS,
        /// If the peer does not exist, nothing happens.
        0x4 WGPEER_F_UPDATE_ONLY UPDATE_ONLY,
    }
}

attrs! {
    /// `WGALLOWEDIP_A_*`: a prefix. In a request it moves from the peer that has it to this peer.
    pub struct AllowedIpAttrs<'a> for AllowedIpBuilder {
        /// [`INET`](WideFamily::INET) or [`INET6`](WideFamily::INET6).
        1 WGALLOWEDIP_A_FAMILY family: WideFamily,
        /// The address.
        2 WGALLOWEDIP_A_IPADDR ipaddr: IpAddr,
        /// Prefix length, in bits.
        3 WGALLOWEDIP_A_CIDR_MASK cidr_mask: u8,
        /// Flags of the request. Never in a reply. Linux 6.16; older kernels refuse the request with `EINVAL`.
        4 WGALLOWEDIP_A_FLAGS flags: AllowedIpFlags,
    }
    shows |ip| { prefix: device::read(ip).ok(); family ipaddr cidr_mask }
}

flags! {
    /// `WGALLOWEDIP_F_*`: flags of a request for an allowed IP.
    pub struct AllowedIpFlags: u32 {
        /// The allowed IP is removed if this peer has it. Linux 6.16.
        0x1 WGALLOWEDIP_F_REMOVE_ME REMOVE_ME,
    }
}

/// `struct sockaddr_in` or `sockaddr_in6`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint<'a> {
    /// An address and a port; a link-local IPv6 address has a scope.
    Ip(SocketAddr),
    /// Another address family, as bytes.
    Other(Bytes<'a>),
}

impl<'a> Payload<'a> for Endpoint<'a> {
    type Value = Self;
    const RULE: Rule = Rule::check(|payload, _| Ok(Endpoint::decode(payload).map(drop)?));
    const SHAPE: Shape = Shape::Value(|bytes, f| Shape::show(f, bytes, Endpoint::decode(bytes)));

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = payload;
        match WideFamily::read(&mut rest)? {
            WideFamily::INET => {
                let port = take(&mut rest).map(u16::from_be_bytes)?;
                let addr: Ipv4Addr = take::<4>(&mut rest)?.into();
                take::<8>(&mut rest)?;
                Ok(Self::Ip(SocketAddrV4::new(addr, port).into()))
            }
            WideFamily::INET6 => {
                let port = take(&mut rest).map(u16::from_be_bytes)?;
                let flow = take(&mut rest).map(u32::from_ne_bytes)?;
                let addr: Ipv6Addr = take::<16>(&mut rest)?.into();
                let scope = take(&mut rest).map(u32::from_ne_bytes)?;
                Ok(Self::Ip(SocketAddrV6::new(addr, port, flow, scope).into()))
            }
            _ => Ok(Self::Other(Bytes(payload))),
        }
    }

    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Ip(SocketAddr::V4(addr)) => {
                WideFamily::INET.encode(out);
                out.push(&addr.port().to_be_bytes());
                out.push(&addr.ip().octets());
                out.push(&[0; 8]);
            }
            Self::Ip(SocketAddr::V6(addr)) => {
                WideFamily::INET6.encode(out);
                out.push(&addr.port().to_be_bytes());
                out.push(&addr.flowinfo().to_ne_bytes());
                out.push(&addr.ip().octets());
                out.push(&addr.scope_id().to_ne_bytes());
            }
            Self::Other(bytes) => bytes.encode(out),
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let short = Malformed::Length { want: N, got: rest.len() };
    let (first, tail) = rest.split_first_chunk().ok_or(short)?;
    *rest = tail;
    Ok(*first)
}

impl IntoAttr<Endpoint<'static>> for SocketAddr {
    fn into_attr(self) -> Endpoint<'static> {
        Endpoint::Ip(self)
    }
}

impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(addr) => addr.fmt(f),
            Self::Other(bytes) => bytes.fmt(f),
        }
    }
}

impl fmt::Debug for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serialize! { @text ['a] Endpoint<'a> }

/// Asks for a device by its name. `ENODEV` if there is no such link, `EOPNOTSUPP` if it is of another kind.
/// Requires `CAP_NET_ADMIN`, because the answer has the private key.
pub fn get(ifname: &str) -> DeviceRequest<Dump<DeviceMessage<'static>>> {
    DeviceRequest::new(&DeviceMessage::GET_DEVICE, MessageFlags::DUMP).ifname(ifname)
}

/// Asks for a device by its index.
pub fn get_index(ifindex: u32) -> DeviceRequest<Dump<DeviceMessage<'static>>> {
    DeviceRequest::new(&DeviceMessage::GET_DEVICE, MessageFlags::DUMP).ifindex(ifindex)
}

/// Changes a device by its name, with what the setters add: for a single message that you make yourself.
/// [`DeviceConfig`] makes as many messages as needed.
///
/// ```no_run
/// use netlink_generic::wireguard::{self, PeerBuilder, PeerFlags, PublicKey};
///
/// # fn main() -> Result<(), netlink_generic::Error> {
/// let mut nl = wireguard::connect()?;
/// let gone = PeerBuilder::new().public_key([1u8; 32]).flags(PeerFlags::REMOVE_ME).attrs();
/// nl.call(wireguard::set("wg0").listen_port(51821u16).peers(&[(0, gone)]))?;
/// # Ok(())
/// # }
/// ```
pub fn set(ifname: &str) -> DeviceRequest<()> {
    DeviceRequest::new(&DeviceMessage::SET_DEVICE, MessageFlags::ACK).ifname(ifname)
}

/// Changes a device by its index, with what the setters add.
pub fn set_index(ifindex: u32) -> DeviceRequest<()> {
    DeviceRequest::new(&DeviceMessage::SET_DEVICE, MessageFlags::ACK).ifindex(ifindex)
}
