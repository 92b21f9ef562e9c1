//! WireGuard without a kernel: the requests of configurations, and devices from several messages.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

#[path = "../examples/wg.rs"]
#[allow(dead_code)] // its main
mod tool;

use netlink_core::MessageHeader;
use netlink_core::testkit::{Replies, answer, listing};
use netlink_generic::wireguard::{
    self, AllowedIpBuilder, AllowedIpFlags, Device, DeviceConfig, DeviceFlags, DeviceMessage, DeviceRequest,
    Endpoint, PeerBuilder, PeerConfig, PeerFlags, PresharedKey, PrivateKey, PublicKey, Wireguard,
};
use netlink_generic::{Message, Messages, Payload, Prefix, Resolved};

const KEY: [u8; 32] = [0x5a; 32];

fn family() -> Resolved<Wireguard> {
    Resolved::from_id(40)
}

fn bytes(request: &DeviceRequest<()>) -> Vec<u8> {
    family().bind(request).to_bytes().unwrap()
}

fn read(bytes: &[u8]) -> DeviceMessage<'_> {
    DeviceMessage::read(&Messages::new(bytes).next().unwrap().unwrap()).unwrap()
}

fn public(number: u32) -> PublicKey {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key.into()
}

fn ip(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// Attributes of a little-endian machine, converted for this one, except names and addresses.
fn native(bytes: &[u8], head: usize) -> Vec<u8> {
    // WGDEVICE_A_IFNAME and WGALLOWEDIP_A_IPADDR.
    netlink_testing::native_attributes(bytes, head, &[2])
}

#[test]
fn a_request_has_these_bytes() {
    let config =
        DeviceConfig::new("wg0").private_key(KEY.into()).listen_port(51820).fwmark(7).replace_peers();
    let peer = PeerConfig::new([1; 32].into())
        .preshared_key([2; 32].into())
        .endpoint("192.0.2.1:258".parse().unwrap())
        .persistent_keepalive(25)
        .protocol_version(1)
        .replace_allowed_ips()
        .allowed_ip(ip("10.0.0.0/8"));
    let [request] = &config.peer(peer).split()[..] else { panic!("one request") };
    let bytes = bytes(request);
    let head = [1, 1, 0, 0, 8, 0, 2, 0, b'w', b'g', b'0', 0, 8, 0, 5, 0, 1, 0, 0, 0, 36, 0, 3, 0];
    assert_eq!(bytes[4..8], [40u16, 5].map(u16::to_ne_bytes).concat());
    assert_eq!(bytes[16..40], native(&head, 4));
    assert_eq!(bytes[40..72], KEY);
    // Port, mark, and the only peer: nested flags are set, as strict kernels require.
    let next = [6, 0, 6, 0, 0x6c, 0xca, 0, 0, 8, 0, 7, 0, 7, 0, 0, 0, 156, 0, 8, 0x80, 152, 0, 0, 0x80];
    assert_eq!(bytes[72..96], native(&next, 0));
    assert_eq!(bytes[96..100], native(&[36, 0, 1, 0], 0));
    assert_eq!(bytes[132..144], native(&[8, 0, 3, 0, 2, 0, 0, 0, 36, 0, 2, 0], 0));
    let [low, high] = 2u16.to_ne_bytes();
    let rest = [
        20, 0, 4, 0, low, high, 1, 2, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 5, 0, 25, 0, 0, 0, 8, 0,
        10, 0, 1, 0, 0, 0, 32, 0, 9, 0x80, 28, 0, 0, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 2, 0, 10, 0, 0, 0,
        5, 0, 3, 0, 8, 0, 0, 0,
    ];
    assert_eq!(bytes[176..], native(&rest, 0));
}

#[test]
fn changes_of_peers() {
    let gone = PeerConfig::remove(public(1)).allowed_ip(ip("::/0"));
    let changed =
        PeerConfig::new(public(2)).update_only().remove_preshared_key().remove_allowed_ip(ip("::/0"));
    let config = DeviceConfig::index(5).remove_private_key().peers([gone, changed]);
    let [request] = &config.split()[..] else { panic!("one request") };
    let bytes = bytes(request);
    let device = read(&bytes);
    assert_eq!((device.ifindex(), device.ifname(), device.flags()), (Some(5), None, None));
    assert!(device.private_key().unwrap().is_none());
    let peers: Vec<_> = device.peers().unwrap().iter().map(|(_, peer)| peer.into_owned()).collect();
    assert_eq!(peers[0], PeerBuilder::new().public_key(public(1)).flags(PeerFlags::REMOVE_ME).attrs());
    let ip = AllowedIpBuilder::new()
        .family(netlink_generic::netlink_core::net::WideFamily::INET6)
        .ipaddr(std::net::Ipv6Addr::UNSPECIFIED)
        .cidr_mask(0);
    let ips = [(0, ip.flags(AllowedIpFlags::REMOVE_ME).attrs())];
    let peer = PeerBuilder::new().public_key(public(2)).flags(PeerFlags::UPDATE_ONLY).preshared_key(&[0; 32]);
    assert_eq!(peers[1], peer.allowedips(&ips).attrs());
}

/// Reads requests like a dump.
fn put_together(requests: &[DeviceRequest<()>]) -> Device {
    let mut device = Device::default();
    for request in requests {
        let bytes = bytes(request);
        assert!(bytes.len() < (32 << 10) + 200, "{}", bytes.len());
        device.push(&read(&bytes)).unwrap();
    }
    device
}

#[test]
fn a_configuration_of_any_size_is_split_and_put_together() {
    for (peers, ips) in
        [(0, 0), (1, 0), (1, 679), (1, 680), (1, 681), (3, 2000), (5000, 4), (241, 0), (242, 0)]
    {
        let ips = |peer: u32| {
            (0..ips).map(move |at: u32| {
                let host = (peer << 16 | at).to_be_bytes();
                match at % 2 {
                    0 => Prefix::from(std::net::IpAddr::from(host)),
                    _ => Prefix::new(
                        std::net::Ipv6Addr::from_bits(u32::from_be_bytes(host).into()).into(),
                        112,
                    )
                    .unwrap(),
                }
            })
        };
        let config = DeviceConfig::new("wg0").fwmark(9).replace_peers();
        let config = config.peers((0..peers).map(|peer| {
            PeerConfig::new(public(peer))
                .persistent_keepalive(7)
                .replace_allowed_ips()
                .endpoint("[fe80::1%3]:9".parse().unwrap())
                .allowed_ips(ips(peer))
        }));
        let requests = config.split();
        for (at, request) in requests.iter().enumerate() {
            let bytes = bytes(request);
            let device = read(&bytes);
            assert!(device.ifname().is_some_and(|name| name == "wg0"));
            let flags = (at == 0).then_some(DeviceFlags::REPLACE_PEERS);
            assert_eq!((device.flags(), device.fwmark()), (flags, flags.map(|_| 9)));
        }
        let device = put_together(&requests);
        assert_eq!(device.peers.len(), peers as usize);
        for (number, peer) in (0..).zip(&device.peers) {
            assert_eq!((peer.public_key, peer.persistent_keepalive), (public(number), 7));
            assert!(peer.allowed_ips.iter().copied().eq(ips(number)));
        }
    }
}

#[test]
fn a_peer_in_several_requests_is_only_updated() {
    let ips = (0..1000u32).map(|host| Prefix::from(std::net::IpAddr::from(host.to_be_bytes())));
    let config = DeviceConfig::new("wg0")
        .peer(PeerConfig::new(public(1)).replace_allowed_ips().preshared_key(KEY.into()).allowed_ips(ips));
    let [first, second] = &config.split()[..] else { panic!("two requests") };
    let flags = |request| {
        let bytes = bytes(request);
        let device = read(&bytes);
        let peers = device.peers().unwrap();
        let (_, peer) = peers.iter().next().unwrap();
        (peer.flags(), peer.preshared_key().is_some())
    };
    assert_eq!(flags(first), (Some(PeerFlags::REPLACE_ALLOWEDIPS), true));
    assert_eq!(flags(second), (Some(PeerFlags::UPDATE_ONLY), false));
}

#[test]
fn keys_are_text_and_secret_ones_do_not_print() {
    let text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
    let key: PublicKey = text.parse().unwrap();
    assert_eq!(key.to_string(), text);
    assert_eq!(key.as_bytes()[..3], [0xc5, 0x32, 0x01]);
    assert_eq!(text.parse::<PrivateKey>().unwrap().expose_base64(), text);
    assert_eq!(serde_json::to_value(key).unwrap(), text);
    assert_eq!(serde_json::from_value::<PublicKey>(text.into()).unwrap(), key);
    assert!(serde_json::from_value::<PublicKey>("AAAA".into()).is_err());
    let long = format!("{text}AAAA");
    for wrong in ["", &text[1..], &text[..43], "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D!=", &long, "AAAA"]
    {
        let error = wrong.parse::<PresharedKey>().unwrap_err();
        assert_eq!(error.to_string(), "a key is 32 bytes, written as 44 characters of base64");
    }

    let hidden = |text: &str| {
        assert!(!text.contains("5a5a") && !text.contains("90, 90") && !text.contains("Wlpa"), "{text}");
    };
    let (private, shared) = (PrivateKey::from(KEY), PresharedKey::from(KEY));
    hidden(&format!("{private:?} {shared:?}"));
    let config = DeviceConfig::new("wg0").private_key(private);
    let peer = PeerConfig::new(public(1)).preshared_key(shared).allowed_ips(["10.0.0.0/8".parse().unwrap()]);
    let config = config.peer(peer);
    hidden(&format!("{config:?} {:?}", config.split()));
    let bytes = bytes(&config.split()[0]);
    let message = read(&bytes);
    hidden(&format!("{message:?} {}", serde_json::to_string(&message).unwrap()));
    let json = serde_json::to_value(&message).unwrap();
    assert_eq!((&json["ifname"], &json["private_key"]), (&"wg0".into(), &"<32 bytes>".into()));
    assert_eq!(json["peers"][0][1]["allowedips"][0][1], serde_json::json!({"prefix": "10.0.0.0/8"}));
    let device = put_together(&config.split());
    assert_eq!(device.private_key.as_ref().unwrap().expose(), &KEY);
    hidden(&format!("{device:?} {}", serde_json::to_string(&device).unwrap()));
    let refused = Replies::new().error(22, &[]);
    let error = answer(family().bind(&config.split()[0]), &[&refused]).unwrap_err();
    hidden(&format!("{error} {error:?}"));
}

#[cfg(feature = "wireguard-keys")]
#[test]
fn public_keys_are_derived() {
    // RFC 7748, 6.1.
    let alice = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=".parse::<PrivateKey>().unwrap();
    assert_eq!(alice.public_key().to_string(), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
    let (one, two) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    assert_ne!(one, two);
    assert_eq!((one.expose()[0] & 7, one.expose()[31] & 0xc0), (0, 0x40));
}

#[test]
fn a_name_too_long_is_not_sent() {
    let error = family().bind(wireguard::get("a-name-of-16-byt")).to_bytes().unwrap_err();
    assert!(error.to_string().contains("16 bytes where at most 15 are allowed"), "{error}");
    let config = DeviceConfig::new("a\0b").split();
    assert!(family().bind(&config[0]).to_bytes().unwrap_err().to_string().contains("a NUL at byte 1"));
}

#[test]
fn endpoints() {
    for text in ["192.0.2.1:65535", "[2001:db8::1]:1", "[fe80::1%7]:0"] {
        let endpoint = Endpoint::Ip(text.parse().unwrap());
        assert_eq!(endpoint.to_string(), text);
        let request = wireguard::set("a").peers(&[(0, PeerBuilder::new().endpoint(endpoint).attrs())]);
        let bytes = bytes(&request);
        let peers = read(&bytes);
        let (_, peer) = peers.peers().unwrap().iter().next().unwrap();
        assert_eq!(peer.endpoint(), Some(endpoint));
    }
    let text = |family: u16, rest: &[u8]| {
        let bytes = [&family.to_ne_bytes()[..], rest].concat();
        Endpoint::decode(&bytes).ok().map(|endpoint| endpoint.to_string())
    };
    let unknown = u16::from_be_bytes(1_u16.to_ne_bytes());
    assert_eq!(text(1, &[7, 7]), Some(format!("{unknown:04x}0707")));
    assert_eq!(text(2, &[0, 0, 1, 2, 3, 4]), None);
    assert!(Endpoint::decode(&[10]).is_err());
    assert_eq!(text(10, &[0; 25]), None);
}

#[test]
fn allowed_ips() {
    for (text, again) in [("10.1.2.3", "10.1.2.3/32"), ("::/0", "::/0"), ("fd00::1/128", "fd00::1/128")] {
        assert_eq!(ip(text).to_string(), again);
    }
    for wrong in ["", "10.0.0.0/+8", "10.0.0.0/33", "::/129", "::/", "::/-1", "10/8", "::/0/0", "::/256"] {
        assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
    }
}

#[test]
fn an_invalid_device_is_an_error() {
    let ip = |ip: AllowedIpBuilder| PeerBuilder::new().public_key([1; 32]).allowedips(&[(0, ip.attrs())]);
    let local = AllowedIpBuilder::new().ipaddr(std::net::Ipv4Addr::LOCALHOST);
    for (peer, text) in [
        (PeerBuilder::new(), "WGPEER_A_PUBLIC_KEY: is absent"),
        (ip(AllowedIpBuilder::new()), "WGALLOWEDIP_A_IPADDR: is absent"),
        (ip(local.clone()), "WGALLOWEDIP_A_CIDR_MASK: is absent"),
        (ip(local.cidr_mask(33)), "WGALLOWEDIP_A_CIDR_MASK: a prefix longer than the address"),
    ] {
        let bytes = bytes(&wireguard::set("a").peers(&[(0, peer.attrs())]));
        assert_eq!(Device::default().push(&read(&bytes)).unwrap_err().to_string(), text);
    }
    let header = MessageHeader::default();
    // A public key of 4 bytes: outside of a peer, and in one.
    for body in [
        &[0, 1, 0, 0, 8, 0, 4, 0, 1, 2, 3, 4][..],
        &[0, 1, 0, 0, 16, 0, 8, 0x80, 12, 0, 0, 0x80, 8, 0, 1, 0, 1, 2, 3, 4],
    ] {
        let body = &native(body, 4);
        let error = DeviceMessage::read(&Message { header, body }).unwrap_err();
        assert!(error.to_string().ends_with("A_PUBLIC_KEY: 32 bytes wanted, 4 given"), "{error}");
    }
}

/// Truncated anywhere, or with a changed byte, it is an error or another device, without a panic.
#[test]
fn broken_messages() {
    let config = DeviceConfig::new("wg0").private_key(KEY.into()).peers((0..3).map(|number| {
        let peer = PeerConfig::new(public(number)).endpoint("[::1]:9".parse().unwrap());
        peer.allowed_ip(ip("10.0.0.0/8")).allowed_ip(ip("fd00::/8"))
    }));
    let whole = bytes(&config.split()[0]);
    let message = Messages::new(&whole).next().unwrap().unwrap();
    let try_body = |body: &[u8]| {
        if let Ok(read) = DeviceMessage::read(&Message { body, ..message }) {
            let _ = format!("{read:?} {:?}", Device::default().push(&read));
        }
    };
    for end in 0..message.body.len() {
        try_body(&message.body[..end]);
    }
    let mut random = 1u64;
    for _ in 0..20_000 / netlink_testing::patience() {
        let mut body = message.body.to_vec();
        for _ in 0..3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 33) as usize % body.len();
            body[at] = random.to_le_bytes()[3];
        }
        try_body(&body);
    }
}

#[test]
fn a_dump_is_put_together() {
    let mut replies = Replies::new();
    let ips = (0..1500u32).map(|host| Prefix::from(std::net::IpAddr::from(host.to_be_bytes())));
    let config =
        DeviceConfig::new("wg0").peers((0..2).map(|n| PeerConfig::new(public(n)).allowed_ips(ips.clone())));
    for request in config.split() {
        replies = replies.part(&family().bind(request));
    }
    let parts = listing(family().bind(wireguard::get("wg0")), &[&replies.done(0)]).unwrap();
    assert_eq!(parts.len(), 5);
    let device = Device::new(&parts).unwrap();
    assert_eq!(device.peers.len(), 2);
    assert!(device.peers.iter().all(|peer| peer.allowed_ips.iter().copied().eq(ips.clone())));
}

/// The configuration that the example `wg` reads from a file.
fn from_file(text: &str) -> Result<DeviceConfig, String> {
    tool::from_file(DeviceConfig::new("wg0"), text)
}

fn from_words(words: &str) -> Result<DeviceConfig, String> {
    tool::from_words(DeviceConfig::new("wg0"), &words.split(' ').collect::<Vec<_>>())
}

#[test]
fn a_configuration_in_a_file() {
    let (private, shared) = (PrivateKey::from(KEY), PresharedKey::from([2; 32]));
    let text = format!(
        "[Interface]\nPrivateKey = {}\nListenPort=51820 # a comment\nFwMark = 0xca6c\n\n# peers\n[peer]\n\
         AllowedIPs = 10.0.0.0/8, fd00::/8\npublickey = {}\nPresharedKey = {}\nEndpoint = [2001:db8::1]:7\n\
         AllowedIPs = 192.0.2.1\nPersistentKeepalive = 25\n[Peer]\nPublicKey = {}\nPersistentKeepalive = off\n",
        private.expose_base64(),
        public(1),
        shared.expose_base64(),
        public(2),
    );
    let first = PeerConfig::new(public(1)).replace_allowed_ips().preshared_key(shared);
    let first = first.allowed_ips(["10.0.0.0/8", "fd00::/8", "192.0.2.1/32"].map(ip));
    let first = first.endpoint("[2001:db8::1]:7".parse().unwrap()).persistent_keepalive(25);
    let second = PeerConfig::new(public(2)).replace_allowed_ips().persistent_keepalive(0);
    let expected = DeviceConfig::new("wg0").private_key(private).listen_port(51820).fwmark(0xca6c);
    let read = from_file(&text).unwrap();
    assert_eq!(read, expected.peers([first, second]));
    assert_eq!(read.split().len(), 1);
    assert_eq!(from_file(""), Ok(DeviceConfig::new("wg0")));
}

#[test]
fn errors_in_a_file_have_its_line() {
    let key = public(1);
    for (text, why) in [
        ("ListenPort = 7", "line 1: neither [Section] nor Name = Value below one"),
        ("[Interface]\nListenPort", "line 2: neither [Section] nor Name = Value below one"),
        ("[Interface]\nListenPort = 70000", "line 2: ListenPort: number too large to fit in target type"),
        ("[Interface]\nAddress = 10.0.0.1", "line 2: Address: not a setting of a link"),
        ("[Interface]\nFwMark = 0xzz", "line 2: FwMark: invalid digit found in string"),
        ("\n[Peers]\n", "line 2: [Peers] is neither [Interface] nor [Peer]"),
        ("[Peer]\nEndpoint = 192.0.2.1:1", "line 1: a peer without PublicKey"),
        (
            "[Peer]\nPublicKey = abc",
            "line 2: PublicKey: a key is 32 bytes, written as 44 characters of base64",
        ),
        (
            &format!("[Peer]\nPublicKey = {key}\nListenPort = 7"),
            "line 3: ListenPort: not a setting of a peer",
        ),
    ] {
        assert_eq!(from_file(text), Err(why.to_owned()), "{text}");
    }
    // A key that can't be read stays secret.
    let error = from_file("[Interface]\nPrivateKey = c2VjcmV0").unwrap_err();
    assert!(error.starts_with("line 2: PrivateKey: ") && !error.contains("c2VjcmV0"), "{error}");
    let error = from_file(&format!("[Peer]\nPublicKey = {key}\nAllowedIPs = ::/0, 10.0.0.0/33")).unwrap_err();
    assert_eq!(error, "line 3: AllowedIPs: \"33\" is not a prefix length between 0 and 32");
}

#[test]
fn changes_on_the_command_line() {
    let (one, two) = (public(1), public(2));
    let words = format!(
        "listen-port 7 fwmark off peer {one} endpoint 192.0.2.1:9 allowed-ips ::/0,10.0.0.0/8 \
         persistent-keepalive 5 peer {two} remove"
    );
    let first = PeerConfig::new(one).endpoint("192.0.2.1:9".parse().unwrap()).persistent_keepalive(5);
    let first = first.replace_allowed_ips().allowed_ips(["::/0", "10.0.0.0/8"].map(ip));
    let expected = DeviceConfig::new("wg0").listen_port(7).fwmark(0).peers([first, PeerConfig::remove(two)]);
    assert_eq!(from_words(&words), Ok(expected));
    assert_eq!(tool::from_words(DeviceConfig::new("wg0"), &[]), Ok(DeviceConfig::new("wg0")));
    for (words, why) in [
        ("listen-port", "listen-port needs a value"),
        ("listen-port x", "listen-port: invalid digit found in string"),
        ("endpoint 192.0.2.1:9", "endpoint: not a setting of a link"),
        ("peer x", "peer: a key is 32 bytes, written as 44 characters of base64"),
        (&format!("peer {one} fwmark 7"), "fwmark: not a setting of a peer"),
        ("private-key /nowhere", "/nowhere: No such file or directory (os error 2)"),
    ] {
        assert_eq!(from_words(words), Err(why.to_owned()), "{words}");
    }
    let help = tool::run(&["showw", "wg0"]).unwrap_err().to_string();
    assert_eq!(help, "show LINK, set LINK CHANGES, setconf LINK FILE or addconf LINK FILE");
}
