//! A configuration of any size, and its requests.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use core::net::SocketAddr;

use netlink_core::Prefix;

use super::{
    AllowedIpFlags, DeviceFlags, DeviceRequest, PeerAttrs, PeerBuilder, PeerFlags, PresharedKey, PrivateKey,
    PublicKey, device, set, set_index,
};

/// Largest size of the attributes in a request: half of what the length of `WGDEVICE_A_PEERS` can express.
const LIMIT: usize = 32 << 10;
/// Size of a peer without allowed IPs: header 4, keys 36 each, flags 8, endpoint 32, keepalive 8, version 8,
/// header of the allowed IPs 4.
const PEER: usize = 136;
/// Size of an allowed IP: header 4, family 8, address 20, mask 8, flags 8.
const ALLOWED_IP: usize = 48;

/// Changes to a device. Settings that it does not have do not change.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceConfig {
    link: Link,
    private_key: Option<PrivateKey>,
    listen_port: Option<u16>,
    fwmark: Option<u32>,
    replace_peers: bool,
    peers: Vec<PeerConfig>,
}

#[derive(Clone, Debug, PartialEq)]
enum Link {
    Name(String),
    Index(u32),
}

impl DeviceConfig {
    /// Changes to the device with this name.
    pub fn new(ifname: &str) -> Self {
        Self::of(Link::Name(ifname.to_owned()))
    }

    /// Changes to the device with this index.
    pub const fn index(ifindex: u32) -> Self {
        Self::of(Link::Index(ifindex))
    }

    const fn of(link: Link) -> Self {
        Self {
            link,
            private_key: None,
            listen_port: None,
            fwmark: None,
            replace_peers: false,
            peers: Vec::new(),
        }
    }

    /// The private key. A peer with the matching public key is removed.
    #[must_use]
    pub fn private_key(self, key: PrivateKey) -> Self {
        Self { private_key: Some(key), ..self }
    }

    /// Removes the private key. Without it the device neither sends nor receives.
    #[must_use]
    pub fn remove_private_key(self) -> Self {
        self.private_key([0; 32].into())
    }

    /// UDP port to listen on; with 0 the kernel chooses one.
    #[must_use]
    pub fn listen_port(self, port: u16) -> Self {
        Self { listen_port: Some(port), ..self }
    }

    /// Mark of the packets it sends; 0 is none.
    #[must_use]
    pub fn fwmark(self, mark: u32) -> Self {
        Self { fwmark: Some(mark), ..self }
    }

    /// Removes all existing peers first.
    #[must_use]
    pub fn replace_peers(self) -> Self {
        Self { replace_peers: true, ..self }
    }

    /// Changes one peer.
    #[must_use]
    pub fn peer(self, peer: PeerConfig) -> Self {
        self.peers([peer])
    }

    /// Changes several peers.
    #[must_use]
    pub fn peers(mut self, peers: impl IntoIterator<Item = PeerConfig>) -> Self {
        self.peers.extend(peers);
        self
    }

    /// The requests, in the order to send them. There is one, unless the peers and allowed IPs do not fit
    /// into one message. The first request has the changes that must come first.
    ///
    /// ```
    /// use netlink_generic::Prefix;
    /// use netlink_generic::wireguard::{DeviceConfig, PeerConfig};
    ///
    /// let few = DeviceConfig::new("wg0").listen_port(51820);
    /// assert_eq!(few.split().len(), 1);
    /// let ips = (0..10_000u32).map(|host| Prefix::from(std::net::IpAddr::from(host.to_be_bytes())));
    /// let many = few.peer(PeerConfig::new([7; 32].into()).allowed_ips(ips));
    /// assert_eq!(many.split().len(), 15);
    /// ```
    pub fn split(&self) -> Vec<DeviceRequest<()>> {
        let mut first = self.request();
        if self.replace_peers {
            first = first.flags(DeviceFlags::REPLACE_PEERS);
        }
        if let Some(key) = &self.private_key {
            first = first.private_key(key);
        }
        if let Some(port) = self.listen_port {
            first = first.listen_port(port);
        }
        if let Some(mark) = self.fwmark {
            first = first.fwmark(mark);
        }
        let mut requests = Vec::new();
        let mut next = first;
        let mut peers = Vec::new();
        let mut room = LIMIT;
        for peer in &self.peers {
            let mut rest = peer.sent_ips();
            let mut piece = peer.first();
            loop {
                // A peer starts only if at least one of its allowed IPs fits.
                if room < PEER + ALLOWED_IP {
                    let full = mem::replace(&mut next, self.request());
                    requests.push(full.peers(mem::take(&mut peers).as_slice()));
                    room = LIMIT;
                }
                room -= PEER;
                let (now, later) = rest.split_at(rest.len().min(room / ALLOWED_IP));
                room -= now.len() * ALLOWED_IP;
                peers.push((0, with_ips(piece, now)));
                if later.is_empty() {
                    break;
                }
                rest = later;
                // If another program removed the peer in the meantime, it must not be added again in part.
                piece = PeerBuilder::new().public_key(peer.public_key).flags(PeerFlags::UPDATE_ONLY);
            }
        }
        requests.push(if peers.is_empty() { next } else { next.peers(peers.as_slice()) });
        requests
    }

    fn request(&self) -> DeviceRequest<()> {
        match &self.link {
            Link::Name(name) => set(name),
            Link::Index(index) => set_index(*index),
        }
    }
}

fn with_ips(peer: PeerBuilder, ips: &[(Prefix, AllowedIpFlags)]) -> PeerAttrs<'static> {
    if ips.is_empty() {
        return peer.attrs();
    }
    let ips: Vec<_> = ips.iter().map(|(ip, flags)| (0, device::attrs(*ip, *flags))).collect();
    peer.allowedips(ips.as_slice()).attrs()
}

/// Changes to a peer, which is added if it does not exist. Settings that it does not have do not change.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerConfig {
    public_key: PublicKey,
    flags: PeerFlags,
    preshared_key: Option<PresharedKey>,
    endpoint: Option<SocketAddr>,
    persistent_keepalive: Option<u16>,
    protocol_version: Option<u32>,
    allowed_ips: Vec<(Prefix, AllowedIpFlags)>,
}

impl PeerConfig {
    /// The peer with this key. The kernel ignores a peer with the device's own key.
    pub const fn new(public_key: PublicKey) -> Self {
        Self {
            public_key,
            flags: PeerFlags::empty(),
            preshared_key: None,
            endpoint: None,
            persistent_keepalive: None,
            protocol_version: None,
            allowed_ips: Vec::new(),
        }
    }

    /// Removes the peer with this key if it exists.
    pub fn remove(public_key: PublicKey) -> Self {
        Self::new(public_key).with(PeerFlags::REMOVE_ME)
    }

    fn with(self, flags: PeerFlags) -> Self {
        Self { flags: self.flags | flags, ..self }
    }

    /// If the peer does not exist, nothing happens.
    #[must_use]
    pub fn update_only(self) -> Self {
        self.with(PeerFlags::UPDATE_ONLY)
    }

    /// The preshared key.
    #[must_use]
    pub fn preshared_key(self, key: PresharedKey) -> Self {
        Self { preshared_key: Some(key), ..self }
    }

    /// Removes the preshared key.
    #[must_use]
    pub fn remove_preshared_key(self) -> Self {
        self.preshared_key([0; 32].into())
    }

    /// The address of the peer; a link-local IPv6 address needs its scope.
    #[must_use]
    pub fn endpoint(self, endpoint: SocketAddr) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }

    /// Seconds of silence before a keepalive packet is sent; 0 sends none.
    #[must_use]
    pub fn persistent_keepalive(self, seconds: u16) -> Self {
        Self { persistent_keepalive: Some(seconds), ..self }
    }

    /// Version of the protocol. Default: the newest. Versions other than 1 are refused with `EPFNOSUPPORT`.
    #[must_use]
    pub fn protocol_version(self, version: u32) -> Self {
        Self { protocol_version: Some(version), ..self }
    }

    /// Removes all its allowed IPs first.
    #[must_use]
    pub fn replace_allowed_ips(self) -> Self {
        self.with(PeerFlags::REPLACE_ALLOWEDIPS)
    }

    /// Adds an allowed IP. If another peer of the device has it, it moves to this one.
    #[must_use]
    pub fn allowed_ip(self, ip: Prefix) -> Self {
        self.allowed_ips([ip])
    }

    /// Adds allowed IPs.
    #[must_use]
    pub fn allowed_ips(mut self, ips: impl IntoIterator<Item = Prefix>) -> Self {
        self.allowed_ips.extend(ips.into_iter().map(|ip| (ip, AllowedIpFlags::empty())));
        self
    }

    /// Removes an allowed IP, if this peer has it. Linux 6.16.
    ///
    /// Older kernels refuse the request with `EINVAL` when they reach this part. For these kernels, replace
    /// all allowed IPs, or give this one to another peer.
    #[must_use]
    pub fn remove_allowed_ip(mut self, ip: Prefix) -> Self {
        self.allowed_ips.push((ip, AllowedIpFlags::REMOVE_ME));
        self
    }

    /// The allowed IPs to send: none for a peer to remove, because the kernel ignores them.
    fn sent_ips(&self) -> &[(Prefix, AllowedIpFlags)] {
        if self.flags.contains(PeerFlags::REMOVE_ME) { &[] } else { &self.allowed_ips }
    }

    /// The peer without allowed IPs.
    fn first(&self) -> PeerBuilder {
        let mut peer = PeerBuilder::new().public_key(self.public_key);
        if !self.flags.is_empty() {
            peer = peer.flags(self.flags);
        }
        if let Some(key) = &self.preshared_key {
            peer = peer.preshared_key(key);
        }
        if let Some(endpoint) = self.endpoint {
            peer = peer.endpoint(endpoint);
        }
        if let Some(seconds) = self.persistent_keepalive {
            peer = peer.persistent_keepalive_interval(seconds);
        }
        if let Some(version) = self.protocol_version {
            peer = peer.protocol_version(version);
        }
        peer
    }
}
