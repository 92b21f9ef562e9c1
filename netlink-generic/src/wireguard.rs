//! WireGuard: tunnels, their keys and their peers. Kernel side: `uapi/linux/wireguard.h`,
//! `drivers/net/wireguard/netlink.c`.
//!
//! The link itself, of kind `wireguard`, is made and removed by rtnetlink, and so are its addresses and routes. This
//! family configures it. There are no multicast groups: the kernel doesn't tell what happens to peers.
//!
//! # Setting
//!
//! A [`DeviceConfig`] is a value of any size; [`split`](DeviceConfig::split) makes the requests that set it.
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
//! // A peer that is there is changed, one that isn't is not made.
//! let moved = PeerConfig::new(peer).update_only().endpoint("[2001:db8::1]:51820".parse()?);
//! let moved = moved.remove_preshared_key().persistent_keepalive(0);
//! // One of its prefixes goes, Linux 6.16.
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
//! Each request does all it says or a part of it, up to what the kernel refused; nothing is taken back. What was set stays
//! when the connection is closed, until it is set anew or the link goes.
//!
//! # Reading
//!
//! The kernel lists a device in as many messages as it takes; [`Device`] puts them together.
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
//! The messages themselves can be looked at where they are, with whatever they have that this crate doesn't know:
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
//! On a reactor it is the same, with `.await`:
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
//! A [`PrivateKey`] and a [`PresharedKey`] don't print, in errors and traces neither, and their memory is wiped. The
//! feature `wireguard-keys` makes new ones and derives public keys.

mod config;
mod device;
mod key;

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use netlink_core::layout::Field as _;
use netlink_core::net::WideFamily;
use netlink_core::{
    Bytes, Dump, Indexed, IntoAttr, Malformed, MessageFlags, Payload, Rule, Shape, Str, Writer, attrs,
    checked, flags, leaf, serialize,
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
    /// A device, or as much of it as one message holds: [`Device`] puts them together.
    pub struct DeviceMessage<'a>(Wireguard, DeviceAttrs<'a>), DeviceRequest {
        /// Asks for one device, and is the answer.
        0 WG_CMD_GET_DEVICE GET_DEVICE,
        /// Changes one device.
        1 WG_CMD_SET_DEVICE SET_DEVICE,
    }
    about subject
}

/// `"wg0" peer jRKr…=`: what errors call a device, or the first peer of a request.
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
    /// `WGDEVICE_A_*`. What is absent in a request stays as it is.
    pub struct DeviceAttrs<'a> for DeviceRequest<R> {
        /// Index of the link. A request has this or the name.
        1 WGDEVICE_A_IFINDEX ifindex: u32,
        /// Name of the link: at most 15 bytes.
        2 WGDEVICE_A_IFNAME ifname: Str<'a, 15>,
        /// The private key; all zeros remove it. The kernel clamps it.
        3 WGDEVICE_A_PRIVATE_KEY private_key: SecretKey<'a>,
        /// The public key that belongs to it. Told only.
        4 WGDEVICE_A_PUBLIC_KEY public_key: PublicKey,
        /// How the request is meant. Never told.
        5 WGDEVICE_A_FLAGS flags: DeviceFlags,
        /// UDP port that it listens at; 0 lets the kernel choose one.
        6 WGDEVICE_A_LISTEN_PORT listen_port: u16,
        /// Mark of the packets it sends; 0 is none.
        7 WGDEVICE_A_FWMARK fwmark: u32,
        /// Peers. The index means nothing: the kernel tells 0 always.
        8 WGDEVICE_A_PEERS peers: Indexed<'a, PeerAttrs<'a>>,
    }
}

flags! {
    /// `WGDEVICE_F_*`: how a request for a device is meant.
    pub struct DeviceFlags: u32 {
        /// All peers are removed first.
        0x1 WGDEVICE_F_REPLACE_PEERS REPLACE_PEERS,
    }
}

attrs! {
    /// `WGPEER_A_*`: a peer. What is absent in a request stays as it is, or has its default in a new peer.
    pub struct PeerAttrs<'a> for PeerBuilder {
        /// The key by which it is known. A request must have it.
        1 WGPEER_A_PUBLIC_KEY public_key: PublicKey,
        /// A key that both share beside the others; all zeros is none.
        2 WGPEER_A_PRESHARED_KEY preshared_key: SecretKey<'a>,
        /// How the request is meant. Never told.
        3 WGPEER_A_FLAGS flags: PeerFlags,
        /// Where it was last heard of, or is expected.
        4 WGPEER_A_ENDPOINT endpoint: Endpoint<'a>,
        /// Seconds of silence after which a packet is sent; 0, the default, sends none.
        5 WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL persistent_keepalive_interval: u16,
        /// When the last handshake was, since 1970; 0 is never. Told only.
        6 WGPEER_A_LAST_HANDSHAKE_TIME last_handshake_time: Timespec,
        /// Bytes received, those of the tunnel included. Told only.
        7 WGPEER_A_RX_BYTES rx_bytes: u64,
        /// Bytes sent, likewise. Told only.
        8 WGPEER_A_TX_BYTES tx_bytes: u64,
        /// The prefixes it may send from and is sent to. The index means nothing: the kernel tells 0 always.
        9 WGPEER_A_ALLOWEDIPS allowedips: Indexed<'a, AllowedIpAttrs<'a>>,
        /// Version of the protocol: 1, the default, is the only one.
        10 WGPEER_A_PROTOCOL_VERSION protocol_version: u32,
    }
}

flags! {
    /// `WGPEER_F_*`: how a request for a peer is meant.
    pub struct PeerFlags: u32 {
        /// It is removed.
        0x1 WGPEER_F_REMOVE_ME REMOVE_ME,
        /// All its allowed IPs are removed first.
        0x2 WGPEER_F_REPLACE_ALLOWEDIPS REPLACE_ALLOWEDIPS,
        /// If it is not there, nothing happens.
        0x4 WGPEER_F_UPDATE_ONLY UPDATE_ONLY,
    }
}

attrs! {
    /// `WGALLOWEDIP_A_*`: a prefix. In a request it moves to this peer from whichever had it.
    pub struct AllowedIpAttrs<'a> for AllowedIpBuilder {
        /// [`INET`](WideFamily::INET) or [`INET6`](WideFamily::INET6).
        1 WGALLOWEDIP_A_FAMILY family: WideFamily,
        /// The address.
        2 WGALLOWEDIP_A_IPADDR ipaddr: IpAddr,
        /// Bits of the address that count.
        3 WGALLOWEDIP_A_CIDR_MASK cidr_mask: u8,
        /// How the request is meant. Never told. Linux 6.16; older kernels refuse the request with `EINVAL`.
        4 WGALLOWEDIP_A_FLAGS flags: AllowedIpFlags,
    }
    shows |ip| { prefix: device::read(ip).ok(); family ipaddr cidr_mask }
}

flags! {
    /// `WGALLOWEDIP_F_*`: how a request for an allowed IP is meant.
    pub struct AllowedIpFlags: u32 {
        /// It is removed, if this peer has it. Linux 6.16.
        0x1 WGALLOWEDIP_F_REMOVE_ME REMOVE_ME,
    }
}

/// `struct sockaddr_in` or `sockaddr_in6`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint<'a> {
    /// An address and a port; a link-local IPv6 address has a scope.
    Ip(SocketAddr),
    /// Of another address family, as it came.
    Other(Bytes<'a>),
}

impl<'a> Payload<'a> for Endpoint<'a> {
    type Value = Self;
    const RULE: Rule = checked!(Endpoint<'_>);
    const SHAPE: Shape = leaf!(Endpoint<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = payload;
        match WideFamily::take(&mut rest)? {
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

/// Asks for a device by its name. `ENODEV` if there is no such link, `EOPNOTSUPP` if it is of another kind. It takes
/// `CAP_NET_ADMIN`, as the answer has the private key.
pub fn get(ifname: &str) -> DeviceRequest<Dump<DeviceMessage<'static>>> {
    DeviceRequest::new(&DeviceMessage::GET_DEVICE, MessageFlags::DUMP).ifname(ifname)
}

/// Asks for a device by its index.
pub fn get_index(ifindex: u32) -> DeviceRequest<Dump<DeviceMessage<'static>>> {
    DeviceRequest::new(&DeviceMessage::GET_DEVICE, MessageFlags::DUMP).ifindex(ifindex)
}

/// Changes a device by its name, with what the setters add: for one message made by hand. [`DeviceConfig`] makes as
/// many as it takes.
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

/// Changes a device by its index, likewise.
pub fn set_index(ifindex: u32) -> DeviceRequest<()> {
    DeviceRequest::new(&DeviceMessage::SET_DEVICE, MessageFlags::ACK).ifindex(ifindex)
}
