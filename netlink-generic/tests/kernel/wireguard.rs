//! WireGuard, compared with `wg`.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use netlink_core::testkit::Recorder;
use netlink_generic::wireguard::{
    self, Device, DeviceConfig, PeerConfig, PresharedKey, PrivateKey, PublicKey, Wireguard,
};
use netlink_generic::{Client, Errno, Error, Namespace, OpenOptions, Prefix};
use netlink_testing::{Result, generic, ipv6, kind, module, patience, program, seconds, suite};

use crate::golden::wireguard::{read, tell};
use crate::wg::dump;
use crate::{keep, output, tool};

suite! {
    a_device_made_by_us_equals_wg: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip"), program("wg");
    a_device_made_by_wg_is_read: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip"), program("wg");
    peers_change_and_go: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip");
    five_thousand_peers_both_ways: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip"), program("wg"), seconds(120);
    a_peer_with_many_allowed_ips: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip");
    an_allowed_ip_is_removed_or_refused: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip");
    keys_equal_those_of_wg: program("wg");
    refused_requests: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip");
    a_tunnel_carries_a_ping: module("wireguard"), generic("wireguard"), kind("wireguard"), kind("veth"), program("ip"), program("ping"), ipv6();
    the_example_shows_and_sets_as_wg_does: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip"), program("wg");
    the_example_names_a_missing_link: generic("wireguard");
    a_device_on_a_reactor: module("wireguard"), generic("wireguard"), kind("wireguard"), program("ip");
}

fn add_link() -> Result<Client<Wireguard>> {
    output("ip", &["link", "add", "wg0", "type", "wireguard"])?;
    Ok(wireguard::connect()?)
}

fn device(nl: &mut Client<Wireguard>) -> Result<Device> {
    Ok(Device::new(&nl.dump(wireguard::get("wg0"))?.collect()?)?)
}

fn configure(nl: &mut Client<Wireguard>, config: &DeviceConfig) -> Result<(), Error> {
    config.split().into_iter().try_for_each(|request| nl.call(request))
}

fn shown() -> Result<String> {
    output("wg", &["show", "wg0", "dump"])
}

fn public(number: u32) -> PublicKey {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key.into()
}

/// Four per peer.
fn ips(peer: u32) -> Vec<Prefix> {
    let [_, a, b, c] = peer.to_be_bytes();
    (0..2)
        .flat_map(|at| {
            let v4 = format!("10.{a}.{}.{}/32", b << 1 | at, c).parse();
            let v6 = format!("fd00:{at}:{b:x}{c:02x}::/64").parse();
            [v4.unwrap(), v6.unwrap()]
        })
        .collect()
}

fn full() -> Result<DeviceConfig> {
    let peers = (1..4).map(|number| {
        let peer =
            PeerConfig::new(public(number)).preshared_key([number as u8; 32].into()).allowed_ips(ips(number));
        peer.persistent_keepalive(number as u16).protocol_version(1)
    });
    let mut peers: Vec<_> = peers.collect();
    peers[0] = peers[0].clone().endpoint("192.0.2.1:51820".parse()?);
    peers[1] = peers[1].clone().endpoint("[2001:db8::1]:1".parse()?);
    peers.push(PeerConfig::new(public(4)));
    Ok(DeviceConfig::new("wg0")
        .private_key("cHpPTadoAbGJsFBwnSre0BRWBxBtwVC9IgMe3TPQ3mQ=".parse::<PrivateKey>()?)
        .listen_port(4711)
        .fwmark(0xca6c)
        .replace_peers()
        .peers(peers))
}

fn a_device_made_by_us_equals_wg() -> Result {
    let mut nl = add_link()?;
    let empty = device(&mut nl)?;
    assert_eq!((empty.ifname.as_deref(), &empty.private_key, empty.fwmark), (Some("wg0"), &None, Some(0)));
    assert_eq!(dump(&empty), shown()?);
    configure(&mut nl, &full()?)?;
    let device = device(&mut nl)?;
    assert_eq!(dump(&device), shown()?);
    assert_eq!(device.peers.len(), 4);
    assert_eq!((device.listen_port, device.fwmark), (Some(4711), Some(0xca6c)));
    assert_eq!(device.public_key, device.private_key.as_ref().map(PrivateKey::public_key));
    for (number, peer) in (1..4).zip(&device.peers) {
        assert_eq!((peer.public_key, &peer.allowed_ips), (public(number), &ips(number)));
        assert_eq!(peer.protocol_version, Some(1));
        assert_eq!(peer.preshared_key, Some(PresharedKey::from([number as u8; 32])));
    }
    let index = device.ifindex.ok_or("no index")?;
    assert_eq!(Device::new(&nl.dump(wireguard::get_index(index))?.collect()?)?, device);
    let (recorded, shown) = (record()?, shown()?);
    assert_eq!(tell("device", &recorded)?, shown);
    keep("wireguard/device", &recorded, &shown, read)
}

/// The files of `tests/golden/wireguard`.
fn record() -> Result<String> {
    let recorder = Recorder::new();
    let mut nl = netlink_generic::connect()?;
    nl.set_tracer(Some(recorder.tracer()));
    device(&mut Client::on(nl)?)?;
    Ok(recorder.recording().to_text())
}

fn a_device_made_by_wg_is_read() -> Result {
    let mut nl = add_link()?;
    let (private, shared) = (PrivateKey::generate()?, PresharedKey::generate()?);
    let config = format!(
        "[Interface]\nPrivateKey = {}\nListenPort = 4712\nFwMark = 0x10\n[Peer]\nPublicKey = {}\nPresharedKey = {}\n\
         Endpoint = [fe80::1%lo]:7\nAllowedIPs = 10.0.0.0/8, fd00::/8\nPersistentKeepalive = 3\n[Peer]\nPublicKey = {}\n",
        private.expose_base64(),
        public(1),
        shared.expose_base64(),
        public(2)
    );
    fs::write("/run/netns/config", config)?;
    output("wg", &["setconf", "wg0", "/run/netns/config"])?;
    let device = device(&mut nl)?;
    assert_eq!(
        (device.private_key, device.listen_port, device.fwmark),
        (Some(private), Some(4712), Some(16))
    );
    let [first, second] = &device.peers[..] else { panic!("{:?}", device.peers) };
    assert_eq!((first.public_key, second.public_key), (public(1), public(2)));
    assert_eq!(first.endpoint, Some("[fe80::1%1]:7".parse()?));
    assert_eq!(first.allowed_ips, ["10.0.0.0/8".parse()?, "fd00::/8".parse()?]);
    assert_eq!((&first.preshared_key, first.persistent_keepalive), (&Some(shared), 3));
    assert_eq!((&second.preshared_key, second.endpoint, second.last_handshake), (&None, None, None));
    Ok(())
}

fn peers_change_and_go() -> Result {
    let mut nl = add_link()?;
    configure(&mut nl, &full()?)?;
    let here = DeviceConfig::new("wg0");
    let changes = [
        PeerConfig::remove(public(2)),
        PeerConfig::new(public(1)).update_only().remove_preshared_key().persistent_keepalive(0),
        PeerConfig::new(public(3)).replace_allowed_ips().allowed_ip("0.0.0.0/0".parse()?),
        // It takes one of the first peer's.
        PeerConfig::new(public(4)).allowed_ip(ips(1)[0]),
        PeerConfig::new(public(5)).update_only().allowed_ip("::/0".parse()?),
        PeerConfig::remove(public(6)),
    ];
    configure(&mut nl, &here.clone().listen_port(4713).fwmark(0).peers(changes))?;
    let changed = device(&mut nl)?;
    assert_eq!((changed.listen_port, changed.fwmark), (Some(4713), Some(0)));
    let [first, third, fourth] = &changed.peers[..] else { panic!("{:?}", changed.peers) };
    assert_eq!((first.public_key, &first.preshared_key, first.persistent_keepalive), (public(1), &None, 0));
    assert_eq!((first.endpoint, &first.allowed_ips[..]), (Some("192.0.2.1:51820".parse()?), &ips(1)[1..]));
    assert_eq!((third.public_key, &third.allowed_ips[..]), (public(3), &["0.0.0.0/0".parse()?][..]));
    assert_eq!(third.preshared_key, Some([3; 32].into()));
    assert_eq!((fourth.public_key, &fourth.allowed_ips[..]), (public(4), &ips(1)[..1]));
    configure(&mut nl, &here.clone().remove_private_key().replace_peers().peer(PeerConfig::new(public(9))))?;
    let replaced = device(&mut nl)?;
    assert_eq!((replaced.private_key, replaced.public_key, replaced.peers.len()), (None, None, 1));
    // An empty change changes nothing.
    configure(&mut nl, &here)?;
    assert_eq!(device(&mut nl)?.peers, replaced.peers);
    Ok(())
}

fn five_thousand_peers_both_ways() -> Result {
    const PEERS: u32 = 5000;
    let mut nl = add_link()?;
    let endpoint = |number: u32| SocketAddr::from(([192, 0, 2, 1], number as u16 + 1));
    let peers = (0..PEERS).map(|number| {
        let peer = PeerConfig::new(public(number)).endpoint(endpoint(number)).preshared_key([7; 32].into());
        peer.replace_allowed_ips().allowed_ips(ips(number))
    });
    let config = DeviceConfig::new("wg0").replace_peers().peers(peers);
    let started = Instant::now();
    configure(&mut nl, &config)?;
    let (set, started) = (started.elapsed(), Instant::now());
    let ours = device(&mut nl)?;
    println!(
        "5,000 peers: set in {set:?}, read in {:?}, {} requests",
        started.elapsed(),
        config.split().len()
    );
    assert_eq!(ours.peers.len(), PEERS as usize);
    for (number, peer) in (0..).zip(&ours.peers) {
        assert_eq!((peer.public_key, &peer.allowed_ips), (public(number), &ips(number)));
        assert_eq!(peer.endpoint, Some(endpoint(number)));
    }
    let text = shown()?;
    assert_eq!(dump(&ours), text);

    // The same with `wg`.
    let mut file = String::new();
    for peer in &ours.peers {
        let ips: Vec<_> = peer.allowed_ips.iter().map(ToString::to_string).collect();
        let shared = PresharedKey::from([7; 32]).expose_base64();
        let endpoint = peer.endpoint.ok_or("no endpoint")?;
        file += &format!("[Peer]\nPublicKey = {}\nPresharedKey = {shared}\n", peer.public_key);
        file += &format!("Endpoint = {endpoint}\nAllowedIPs = {}\n", ips.join(","));
    }
    fs::write("/run/netns/config", file)?;
    configure(&mut nl, &DeviceConfig::new("wg0").replace_peers())?;
    assert_eq!(device(&mut nl)?.peers, []);
    output("wg", &["setconf", "wg0", "/run/netns/config"])?;
    assert_eq!(device(&mut nl)?.peers, ours.peers);
    Ok(())
}

fn a_peer_with_many_allowed_ips() -> Result {
    let mut nl = add_link()?;
    let ips: Vec<_> =
        (0..5000u32).map(|at| Prefix::from(IpAddr::from((0x0a00_0000 | at).to_be_bytes()))).collect();
    let peer = PeerConfig::new(public(1)).replace_allowed_ips().allowed_ips(ips.iter().copied());
    let config = DeviceConfig::new("wg0").peer(peer).peer(PeerConfig::new(public(2)));
    // The second time nothing remains of the first.
    for _ in 0..2 {
        configure(&mut nl, &config)?;
        let device = device(&mut nl)?;
        assert_eq!(device.peers.len(), 2);
        assert_eq!(device.peers[0].allowed_ips, ips);
    }
    // The rest does not add the peer again.
    let absent = PeerConfig::new(public(3)).update_only().allowed_ips(ips);
    configure(&mut nl, &DeviceConfig::new("wg0").peer(absent))?;
    assert_eq!(device(&mut nl)?.peers.len(), 2);
    Ok(())
}

fn an_allowed_ip_is_removed_or_refused() -> Result {
    let mut nl = add_link()?;
    let peer = PeerConfig::new(public(1)).allowed_ips(ips(1));
    configure(&mut nl, &DeviceConfig::new("wg0").peer(peer))?;
    let change = PeerConfig::new(public(1)).update_only().remove_allowed_ip(ips(1)[2]);
    let result = configure(&mut nl, &DeviceConfig::new("wg0").peer(change));
    let mut expected = ips(1);
    match result {
        Ok(()) => drop(expected.remove(2)),
        // Before Linux 6.16.
        Err(error) => assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}"),
    }
    assert_eq!(device(&mut nl)?.peers[0].allowed_ips, expected);
    Ok(())
}

fn keys_equal_those_of_wg() -> Result {
    for _ in 0..5_u32.div_ceil(patience()) {
        let key = PrivateKey::generate()?;
        fs::write("/run/netns/key", key.expose_base64())?;
        assert_eq!(output("sh", &["-c", "wg pubkey < /run/netns/key"])?.trim(), key.public_key().to_string());
        let theirs: PrivateKey = output("wg", &["genkey"])?.trim().parse()?;
        fs::write("/run/netns/key", theirs.expose_base64())?;
        assert_eq!(
            output("sh", &["-c", "wg pubkey < /run/netns/key"])?.trim(),
            theirs.public_key().to_string()
        );
    }
    Ok(())
}

fn refused_requests() -> Result {
    let mut nl = add_link()?;
    let errno = |result: Result<(), Error>| result.unwrap_err().errno();
    let absent = Error::from(nl.dump(wireguard::get("absent"))?.collect().unwrap_err());
    assert_eq!(absent.errno(), Some(Errno::ENODEV), "{absent}");
    let lo = Error::from(nl.dump(wireguard::get("lo"))?.collect().unwrap_err());
    assert_eq!(lo.errno(), Some(Errno::EOPNOTSUPP), "{lo}");
    assert_eq!(errno(configure(&mut nl, &DeviceConfig::index(4711).fwmark(1))), Some(Errno::ENODEV));
    let version = PeerConfig::new(public(1)).protocol_version(2);
    let refused = configure(&mut nl, &DeviceConfig::new("wg0").peer(version));
    assert_eq!(errno(refused), Some(Errno::EPFNOSUPPORT));
    let error = configure(&mut nl, &DeviceConfig::new("a-name-of-16-byt")).unwrap_err();
    assert!(error.to_string().contains("16 bytes where at most 15 are allowed"), "{error}");
    assert_eq!(device(&mut nl)?.peers, []);
    Ok(())
}

fn a_tunnel_carries_a_ping() -> Result {
    let (here, there) = (Namespace::current()?, Namespace::create("there")?);
    output("ip", &["link", "add", "a0", "type", "veth", "peer", "name", "b0", "netns", "there"])?;
    let keys = [PrivateKey::generate()?, PrivateKey::generate()?];
    let shared = PresharedKey::generate()?;
    for (at, namespace, link) in [(0, &here, "a0"), (1, &there, "b0")] {
        let (own, other) = (&keys[at], &keys[1 - at]);
        namespace.run(|| -> Result<(), String> {
            let run = |line: &str| {
                let words: Vec<_> = line.split(' ').collect();
                output("ip", &words).map(drop).map_err(|error| error.to_string())
            };
            let (host, peer) = (at + 1, 2 - at);
            run(&format!("addr add 192.0.2.{host}/24 dev {link}"))?;
            run(&format!("link set {link} up"))?;
            run("link add wg0 type wireguard")?;
            let config = DeviceConfig::new("wg0").private_key(own.clone()).listen_port(51820).peer(
                PeerConfig::new(other.public_key())
                    .preshared_key(shared.clone())
                    .endpoint(SocketAddr::from(([192, 0, 2, peer as u8], 51820)))
                    .allowed_ip(format!("10.9.0.{peer}/32").parse().map_err(|_| "no prefix")?)
                    .allowed_ip(format!("fd09::{peer}/128").parse().map_err(|_| "no prefix")?),
            );
            let mut nl = wireguard::connect().map_err(|error| error.to_string())?;
            configure(&mut nl, &config).map_err(|error| error.to_string())?;
            run(&format!("addr add 10.9.0.{host}/24 dev wg0"))?;
            run(&format!("addr add fd09::{host}/64 dev wg0 nodad"))?;
            run("link set wg0 up")
        })??;
    }
    let wait = (5 * patience()).to_string();
    for target in ["10.9.0.2", "fd09::2"] {
        output("ping", &["-n", "-c", "1", "-w", &wait, target])?;
    }
    for namespace in [&here, &there] {
        let mut nl = wireguard::connect_with(&OpenOptions::new().namespace(namespace))?;
        let device = device(&mut nl)?;
        let [peer] = &device.peers[..] else { panic!("{:?}", device.peers) };
        assert!(peer.rx_bytes > 0 && peer.tx_bytes > 0, "{peer:?}");
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let ago = since.saturating_sub(peer.last_handshake.ok_or("no handshake")?);
        assert!(ago < Duration::from_secs(60) * patience(), "{ago:?}");
    }
    Ok(())
}

fn a_device_on_a_reactor() -> Result {
    output("ip", &["link", "add", "wg0", "type", "wireguard"])?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = wireguard::tokio::connect().await?;
        for request in full()?.split() {
            nl.call(request).await?;
        }
        let device = Device::new(&nl.dump(wireguard::get("wg0")).await?.collect().await?)?;
        assert_eq!(device.peers.len(), 4);
        Ok(())
    })
}

fn the_example_shows_and_sets_as_wg_does() -> Result {
    let mut nl = add_link()?;
    let theirs = || output("wg", &["show", "wg0"]);
    let ours = || tool::run(&["show", "wg0"]);
    assert_eq!(ours()?, theirs()?);
    let private = PrivateKey::generate()?.expose_base64();
    let shared = PresharedKey::generate()?.expose_base64();
    let (one, two) = (public(1), public(2));
    let config = format!(
        "[Interface]\nPrivateKey = {private}\nListenPort = 4713\nFwMark = 0x10\n[Peer]\nPublicKey = {one}\n\
         PresharedKey = {shared}\nEndpoint = 192.0.2.1:7\nAllowedIPs = 10.0.0.0/8, fd00::/8\nPersistentKeepalive = 3\n"
    );
    fs::write("/run/netns/config", config)?;
    assert_eq!(tool::run(&["setconf", "wg0", "/run/netns/config"])?, "");
    assert_eq!(ours()?, theirs()?);
    let made = device(&mut nl)?;
    output("wg", &["setconf", "wg0", "/run/netns/config"])?;
    assert_eq!(made, device(&mut nl)?);

    fs::write("/run/netns/more", format!("[Peer]\nPublicKey = {two}\nAllowedIPs = 192.0.2.0/24\n"))?;
    tool::run(&["addconf", "wg0", "/run/netns/more"])?;
    let both = device(&mut nl)?;
    assert_eq!((both.peers.len(), both.fwmark, both.private_key), (2, Some(16), made.private_key.clone()));
    let (one, two) = (one.to_string(), two.to_string());
    tool::run(&["set", "wg0", "fwmark", "off", "peer", &one, "remove", "peer", &two, "allowed-ips", "::/0"])?;
    assert_eq!(ours()?, theirs()?);
    let left = device(&mut nl)?;
    assert_eq!(
        (left.peers.len(), left.fwmark, &left.peers[0].allowed_ips[..]),
        (1, Some(0), &["::/0".parse()?][..])
    );

    // The file has everything: other settings are reset.
    tool::run(&["setconf", "wg0", "/run/netns/more"])?;
    output("sh", &["-c", "ip link add wg1 type wireguard && wg setconf wg1 /run/netns/more"])?;
    let reset = device(&mut nl)?;
    assert_eq!((reset.fwmark, &reset.private_key, reset.peers.len()), (Some(0), &None, 1));
    assert_eq!(ours()?.replace("wg0", "wg1"), output("wg", &["show", "wg1"])?);
    Ok(())
}

fn the_example_names_a_missing_link() {
    let error = tool::run(&["show", "nope"]).unwrap_err().to_string();
    assert!(error.contains("No such device (ENODEV); sent: WGDEVICE_A_IFNAME \"nope\""), "{error}");
}
