//! Two namespaces, and ESP between them.

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Duration;

use netlink_testing::{Result, kind, module, program, suite};
use netlink_xfrm::algo::Aead;
use netlink_xfrm::event::{Event, Group};
use netlink_xfrm::policy::{self, Direction, PolicyRequest, Selector, Template};
use netlink_xfrm::state::{self, Encap, Lifetime, Mode, Proto};
use netlink_xfrm::{
    Connection, Namespace, Notice, OpenOptions, Prefix, connect, connect_with, subscribe_with,
};

use crate::{ESP4, ESP6, ip, run_ip, states};

suite! {
    a_changed_port_of_the_peer_is_reported: ESP4, kind("veth"), program("ip"), program("python3");
    a_transport_of_ipv4_carries_a_ping: ESP4, kind("veth"), program("ip"), program("ping");
    a_transport_of_ipv6_carries_a_ping: ESP6, kind("veth"), program("ip"), program("ping");
    a_tunnel_of_ipv4_carries_a_ping: ESP4, kind("veth"), program("ip"), program("ping");
    a_tunnel_of_ipv6_carries_a_ping: ESP6, kind("veth"), program("ip"), program("ping");
    an_ipv6_tunnel_carries_an_ipv4_ping: ESP6, module("esp4"), kind("veth"), program("ip"), program("ping");
}

/// The kernel processes ESP in UDP only on a socket that requests it, which the standard library can't.
const UNWRAP: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 4500))
s.setsockopt(socket.IPPROTO_UDP, 100, 2) # UDP_ENCAP, UDP_ENCAP_ESPINUDP
print('ready', flush=True)
input()
";

fn a_changed_port_of_the_peer_is_reported() -> Result {
    let addresses = ["10.9.0.1", "10.9.0.2"];
    let mut ends = ends(addresses)?;
    let [here, there] = addresses.map(ip);
    let mut command = Command::new("ip");
    command.args(["netns", "exec", "peer", "python3", "-c", UNWRAP]);
    let mut unwrap = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(unwrap.stdout.take().unwrap()).read_line(&mut line)?;
    assert_eq!(line, "ready\n");

    let esp = |port| {
        let state = state::add(here, there, Proto::ESP, 0x1001).reqid(42).encap(Encap::udp(port, 4500));
        state.alg_aead(Aead::rfc4106_gcm_aes(&crate::KEY, 128))
    };
    ends.here.call(esp(4501))?;
    ends.there.call(esp(4500))?;
    let template = Template::transport(Proto::ESP).reqid(42);
    ends.here.call(policy::add(Selector::new(here, there), Direction::OUT).templates(&[template]))?;
    let peer = Namespace::open("peer")?;
    let mut events = subscribe_with(&[Group::MAPPING], &OpenOptions::new().namespace(&peer))?;
    events.set_timeout(Some(Duration::from_secs(100)))?;
    UdpSocket::bind("10.9.0.1:0")?.send_to(b"x", "10.9.0.2:9")?;
    let Notice::Event { event: Event::Mapping(mapping), .. } = events.next()? else { panic!() };
    let header = mapping.header();
    assert_eq!((header.id.daddr.ip(), header.id.spi.0, header.reqid), (Some(there), 0x1001, 42));
    assert_eq!((header.old_saddr.ip(), header.new_saddr.ip()), (Some(here), Some(here)));
    assert_eq!((header.old_sport.0, header.new_sport.0), (4500, 4501));
    drop(unwrap.stdin.take());
    unwrap.wait()?;
    Ok(())
}

/// The two ends: this namespace, and the namespace `peer`.
struct Ends {
    here: Connection,
    there: Connection,
}

/// A pair of links with these addresses.
fn ends(addresses: [&str; 2]) -> Result<Ends> {
    let peer = Namespace::create("peer")?;
    run_ip("link add v0 type veth peer name v1 netns peer")?;
    for (address, prefix, link) in [(addresses[0], "", "v0"), (addresses[1], "-n peer ", "v1")] {
        let (length, nodad) = if address.contains(':') { (64, " nodad") } else { (24, "") };
        run_ip(&format!("{prefix}addr add {address}/{length} dev {link}{nodad}"))?;
        run_ip(&format!("{prefix}link set {link} up"))?;
        run_ip(&format!("{prefix}link set lo up"))?;
    }
    Ok(Ends { here: connect()?, there: connect_with(&OpenOptions::new().namespace(&peer))? })
}

/// States for both directions on both ends.
fn protect(ends: &mut Ends, addresses: [&str; 2], mode: Mode, inner: Prefix) -> Result {
    let [here, there] = addresses.map(ip);
    // The family of the selector is that of the packets.
    let all = if inner.ip().is_ipv4() { Prefix::DEFAULT_V4 } else { Prefix::DEFAULT_V6 };
    let (out, back) = ([0x11; 36], [0x22; 20]);
    for nl in [&mut ends.here, &mut ends.there] {
        let esp = |from, to, spi| {
            let state = state::add(from, to, Proto::ESP, spi).mode(mode).reqid(42);
            state.selector(Selector::new(all, all))
        };
        nl.call(esp(here, there, 0x1001).alg_aead(Aead::rfc4106_gcm_aes(&out, 128)).esn(64))?;
        nl.call(esp(there, here, 0x1002).alg_aead(Aead::rfc4106_gcm_aes(&back, 96)).replay_window(32))?;
    }
    Ok(())
}

/// Policies for packets between two networks, the local one first, on both ends.
fn demand(ends: &mut Ends, nets: [Prefix; 2], templates: [Template; 2]) -> Result {
    let add = |selector, direction, template| -> PolicyRequest<()> {
        policy::add(selector, direction).templates(&[template])
    };
    let (out, back) = (Selector::new(nets[0], nets[1]), Selector::new(nets[1], nets[0]));
    ends.here.call(add(out, Direction::OUT, templates[0]))?;
    ends.here.call(add(back, Direction::IN, templates[1]))?;
    ends.there.call(add(back, Direction::OUT, templates[1]))?;
    ends.there.call(add(out, Direction::IN, templates[0]))?;
    Ok(())
}

/// A ping must return, and its packets must have used both states.
fn ping(ends: &mut Ends, from: &str, to: &str) -> Result {
    let output = Command::new("ping").args(["-c", "2", "-i", "0.2", "-W", "20", "-I", from, to]).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    for nl in [&mut ends.here, &mut ends.there] {
        let all = states(nl)?;
        assert_eq!(all.len(), 2);
        for state in all {
            let info = state.header();
            // Neighbour discovery uses the same states in transport mode.
            assert!(info.curlft.packets >= 2 && info.curlft.bytes >= 2 * 64, "{state:?}");
            assert!(info.curlft.use_time >= info.curlft.add_time);
            assert_eq!((info.lft, info.stats), (Lifetime::UNLIMITED, state::Stats::default()));
            let (sent, received) = match (state.replay_esn_val(), state.replay_val()) {
                (Some(replay), _) => (replay.oseq, replay.seq),
                (None, Some(replay)) => (replay.oseq, replay.seq),
                (None, None) => panic!("no counters: {state:?}"),
            };
            assert!(sent.max(received) >= 2, "{state:?}");
        }
    }
    Ok(())
}

fn transport(addresses: [&str; 2], nets: [Prefix; 2]) -> Result {
    let mut ends = ends(addresses)?;
    protect(&mut ends, addresses, Mode::TRANSPORT, nets[0])?;
    let template = Template::transport(Proto::ESP).reqid(42);
    demand(&mut ends, nets, [template; 2])?;
    ping(&mut ends, addresses[0], addresses[1])
}

fn a_transport_of_ipv4_carries_a_ping() -> Result {
    let addresses = ["10.9.0.1", "10.9.0.2"];
    transport(addresses, addresses.map(|address| ip(address).into()))
}

fn a_transport_of_ipv6_carries_a_ping() -> Result {
    let addresses = ["2001:db8:9::1", "2001:db8:9::2"];
    transport(addresses, addresses.map(|address| ip(address).into()))
}

fn tunnel(outer: [&str; 2], inner: [&str; 2]) -> Result {
    let mut ends = ends(outer)?;
    let v6 = inner[0].contains(':');
    for (prefix, own, other, link) in [("", 0, 1, "v0"), ("-n peer ", 1, 0, "v1")] {
        let (length, nodad) = if v6 { (128, " nodad") } else { (32, "") };
        run_ip(&format!("{prefix}addr add {}/{length} dev lo{nodad}", inner[own]))?;
        run_ip(&format!("{prefix}route add {}/{length} dev {link}", inner[other]))?;
    }
    protect(&mut ends, outer, Mode::TUNNEL, ip(inner[0]).into())?;
    let [here, there] = outer.map(ip);
    let templates = [(here, there), (there, here)];
    let templates = templates.map(|(from, to)| Template::tunnel(from, to, Proto::ESP).reqid(42));
    demand(&mut ends, inner.map(|address| ip(address).into()), templates)?;
    ping(&mut ends, inner[0], inner[1])
}

fn a_tunnel_of_ipv4_carries_a_ping() -> Result {
    tunnel(["10.9.0.1", "10.9.0.2"], ["10.8.1.1", "10.8.2.1"])
}

fn a_tunnel_of_ipv6_carries_a_ping() -> Result {
    tunnel(["2001:db8:9::1", "2001:db8:9::2"], ["2001:db8:8:1::1", "2001:db8:8:2::1"])
}

fn an_ipv6_tunnel_carries_an_ipv4_ping() -> Result {
    tunnel(["2001:db8:9::1", "2001:db8:9::2"], ["10.8.1.1", "10.8.2.1"])
}
