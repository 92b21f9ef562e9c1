//! Real packets, and rules that match them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use netlink_netfilter::Namespace;
use netlink_netfilter::queue::{self, Params, Queue, QueueFlags};
use netlink_testing::{Need, Result, when};

use crate::run;

/// The port in the rules of the tests.
pub(crate) const PORT: u16 = 5000;

/// Time limit for packets that must arrive.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// Time to detect that no packet arrives.
pub(crate) const SHORT: Duration = Duration::from_millis(200);

fn has_nft(rules: &str) -> bool {
    Command::new("nft").args(["-c", rules]).output().is_ok_and(|output| output.status.success())
}

/// A kernel can be built without the expression, but with the target of iptables.
pub(crate) const NFT_QUEUE: Need = when("nft has no queue statement here", || {
    has_nft("table bridge t { chain c { type filter hook forward priority 0; queue num 1; }; }")
});

/// A kernel can be built without it.
pub(crate) const NFT_NETDEV: Need = when("nft has no netdev family here", || {
    run("ip link set lo up").is_ok()
        && has_nft("table netdev t { chain c { type filter hook ingress device \"lo\" priority 0; }; }")
});

/// A kernel can be built without it.
pub(crate) const BRIDGE_VLANS: Need = when("the kernel's bridges have no VLAN filtering", || {
    let mut ip = Command::new("ip");
    let words = "link add probe type bridge vlan_filtering 1";
    ip.args(words.split(' ')).output().is_ok_and(|output| output.status.success())
});

/// A kernel can be built without it, or with it as a module.
pub(crate) const BRIDGED_IPTABLES: Need = when("the kernel's bridges don't call iptables", || {
    let _ = Command::new("modprobe").args(["-q", "br_netfilter"]).status();
    fs::exists("/proc/sys/net/bridge").unwrap_or(false)
});

/// A kernel can be built with both, but without the module that connects them.
pub(crate) const TIED: Need = when("this kernel tells no connections of packets", || {
    Queue::open(&queue::bind(0, Params::meta()).on(QueueFlags::CONNTRACK)).is_ok()
});

/// UDP from this namespace to itself.
pub(crate) struct Udp {
    sender: UdpSocket,
    receiver: UdpSocket,
}

impl Udp {
    /// Over the loopback link, which this function sets up.
    pub(crate) fn loopback() -> Result<Self> {
        run("ip link set lo up")?;
        Ok(Self::between(Ipv4Addr::LOCALHOST.into()))
    }

    /// Over the loopback link.
    pub(crate) fn between(address: IpAddr) -> Self {
        let sender = UdpSocket::bind((address, 0)).unwrap();
        let receiver = UdpSocket::bind((address, PORT)).unwrap();
        sender.connect((address, PORT)).unwrap();
        Self { sender, receiver }
    }

    pub(crate) fn send(&self, text: &str) {
        self.sender.send(text.as_bytes()).unwrap();
    }

    /// Its source address.
    pub(crate) fn source(&self) -> SocketAddr {
        self.sender.local_addr().unwrap()
    }

    /// Another handle for sending.
    pub(crate) fn sender(&self) -> UdpSocket {
        self.sender.try_clone().unwrap()
    }

    /// The next received text.
    pub(crate) fn receive(&self) -> String {
        self.receive_within(LONG).expect("a packet")
    }

    pub(crate) fn receive_within(&self, timeout: Duration) -> Option<String> {
        self.receiver.set_read_timeout(Some(timeout)).unwrap();
        let mut bytes = [0; 65_536];
        let got = self.receiver.recv(&mut bytes).ok()?;
        Some(String::from_utf8(bytes[..got].to_vec()).unwrap())
    }
}

/// The text in an IPv4 or IPv6 packet of UDP.
pub(crate) fn text(packet: &[u8]) -> String {
    let headers = if packet[0] >> 4 == 6 { 48 } else { 28 };
    String::from_utf8(packet[headers..].to_vec()).unwrap()
}

/// The IPv4 packet with another text, without a UDP checksum, and with a new header checksum.
pub(crate) fn with_text(packet: &[u8], text: &str) -> Vec<u8> {
    let mut changed = packet[..28].to_vec();
    changed.extend(text.as_bytes());
    let length = changed.len() as u16;
    changed[2..4].copy_from_slice(&length.to_be_bytes());
    changed[24..26].copy_from_slice(&(length - 20).to_be_bytes());
    changed[26..28].fill(0);
    changed[10..12].fill(0);
    let sum: u32 = changed[..20].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    changed[10..12].copy_from_slice(&(!folded as u16).to_be_bytes());
    changed
}

/// Index of a link of this namespace.
pub(crate) fn index(link: &str) -> u32 {
    let output = Command::new("ip").args(["-j", "link", "show", link]).output().unwrap();
    let links: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    links[0]["ifindex"].as_u64().unwrap() as u32
}

/// The link-layer address of a peer in another namespace.
pub(crate) const LEFT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A neighbour in its own namespace: 10.0.0.1 behind the link `left`, whose address is 10.0.0.2.
pub(crate) fn neighbour() -> Result<Namespace> {
    let left = Namespace::create("left")?;
    run("ip link add left type veth peer name eth0 netns left")?;
    run("ip -n left link set eth0 address 02:00:00:00:00:01 up")?;
    run("ip -n left addr add 10.0.0.1/24 dev eth0")?;
    run("ip addr add 10.0.0.2/24 dev left")?;
    run("ip link set left up")?;
    Ok(left)
}

/// Two neighbours, 10.0.0.1 and 10.0.0.3, with the ports `left` and `right` of a bridge between them.
pub(crate) fn bridged_neighbours() -> Result<(Namespace, Namespace)> {
    let left = Namespace::create("left")?;
    let right = Namespace::create("right")?;
    run("ip link add br0 type bridge")?;
    run("ip link set br0 up")?;
    for (name, last) in [("left", 1), ("right", 3)] {
        run(&format!("ip link add {name} type veth peer name eth0 netns {name}"))?;
        run(&format!("ip link set {name} master br0 up"))?;
        run(&format!("ip -n {name} link set eth0 address 02:00:00:00:00:0{last} up"))?;
        run(&format!("ip -n {name} addr add 10.0.0.{last}/24 dev eth0"))?;
    }
    run("ip -n left neigh add 10.0.0.3 dev eth0 lladdr 02:00:00:00:00:03")?;
    Ok((left, right))
}

/// The same; packets from the left leave to the right in VLAN 5, and the right listens to VLAN 6.
pub(crate) fn neighbours_of_a_vlan() -> Result<(Namespace, Namespace)> {
    let neighbours = bridged_neighbours()?;
    run("ip link set br0 type bridge vlan_filtering 1")?;
    run("bridge vlan add dev left vid 5 pvid untagged")?;
    run("bridge vlan add dev right vid 5")?;
    run("ip -n right addr flush dev eth0")?;
    run("ip -n right link add link eth0 name eth6 type vlan id 6")?;
    run("ip -n right link set eth6 up")?;
    run("ip -n right addr add 10.0.0.3/24 dev eth6")?;
    Ok(neighbours)
}

/// Sends a text from another namespace.
pub(crate) fn send_from(namespace: &Namespace, to: [u8; 4], text: &str) -> Result {
    let sent = namespace.run(|| {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.send_to(text.as_bytes(), (Ipv4Addr::from(to), PORT))
    })?;
    assert_eq!(sent?, text.len());
    Ok(())
}
