//! Entries of real packets: over the loopback link, in a namespace with a rule that tracks.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use netlink_core::Connection;
use netlink_netfilter::connect;
use netlink_netfilter::conntrack::{self, IpProtocol, Status, TcpFlags, TcpState, Tuple};
use netlink_testing::{Result, ipv6, program, suite};

use crate::conntrack::read;
use crate::{nft, run};

suite! {
    an_udp_exchange_is_tracked: program("nft"), program("ip");
    a_tcp_connection_is_tracked_through_its_states: program("nft"), program("ip");
    an_ipv6_connection_is_tracked: program("nft"), program("ip"), ipv6();
    a_redirected_connection_shows_both_ends: program("nft"), program("ip");
    a_packet_without_an_owner_is_tracked_as_its_protocol: program("nft"), program("ip");
}

/// Switches the loopback link on and makes the kernel track.
pub(crate) fn track(_: &mut Connection) -> Result {
    run("ip link set lo up")?;
    nft("table inet t {
        chain in { type filter hook input priority 0; ct state new,established counter; }
        chain out { type filter hook output priority 0; ct state new,established counter; }
    }")
}

/// Sends this many datagrams of four bytes to a port with a receiver; returns the tuple of the connection.
pub(crate) fn exchange_udp(datagrams: usize) -> Result<Tuple> {
    let server = UdpSocket::bind("127.0.0.1:0")?;
    let client = UdpSocket::bind("127.0.0.1:0")?;
    for _ in 0..datagrams {
        client.send_to(b"data", server.local_addr()?)?;
        server.recv(&mut [0; 8])?;
    }
    Ok(Tuple::udp(client.local_addr()?, server.local_addr()?))
}

fn an_udp_exchange_is_tracked() -> Result {
    let mut nl = connect()?;
    track(&mut nl)?;
    let server = UdpSocket::bind("127.0.0.1:0")?;
    let client = UdpSocket::bind("127.0.0.1:0")?;
    let tuple = Tuple::udp(client.local_addr()?, server.local_addr()?);
    assert!(read(&mut nl, &tuple).unwrap_err().is_not_found());
    client.send_to(b"data", server.local_addr()?)?;
    server.recv(&mut [0; 8])?;
    let asked = read(&mut nl, &tuple)?;
    assert!(asked.status().unwrap().contains(Status::CONFIRMED));
    assert!(!asked.status().unwrap().contains(Status::SEEN_REPLY));
    server.send_to(b"data", client.local_addr()?)?;
    client.recv(&mut [0; 8])?;
    assert!(read(&mut nl, &tuple)?.status().unwrap().contains(Status::SEEN_REPLY));
    Ok(())
}

fn tcp(nl: &mut Connection, server: IpAddr) -> Result {
    track(nl)?;
    let listener = TcpListener::bind(SocketAddr::new(server, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut accepted, _) = listener.accept()?;
    client.write_all(b"data")?;
    accepted.read_exact(&mut [0; 4])?;
    let tuple = Tuple::tcp(client.local_addr()?, client.peer_addr()?);
    let entry = read(nl, &tuple)?;
    assert_eq!(entry.tuple_orig(), Some(tuple.clone().attrs()));
    assert_eq!(entry.tuple_reply(), Some(tuple.reversed().attrs()));
    assert!(entry.status().unwrap().contains(Status::SEEN_REPLY | Status::ASSURED | Status::CONFIRMED));
    let protoinfo = entry.protoinfo().unwrap();
    let info = protoinfo.tcp().unwrap();
    assert_eq!(info.state(), Some(TcpState::ESTABLISHED));
    assert!(info.flags_original().unwrap().flags.contains(TcpFlags::WINDOW_SCALE | TcpFlags::SACK_PERM));
    assert!(info.wscale_original().unwrap() > 0 && info.wscale_reply().unwrap() > 0);
    drop(client);
    accepted.read_to_end(&mut Vec::new())?;
    drop(accepted);
    let state = read(nl, &tuple)?.protoinfo().unwrap().tcp().unwrap().state().unwrap();
    assert!([TcpState::LAST_ACK, TcpState::TIME_WAIT].contains(&state), "{state}");
    Ok(())
}

fn a_tcp_connection_is_tracked_through_its_states() -> Result {
    tcp(&mut connect()?, Ipv4Addr::LOCALHOST.into())
}

fn an_ipv6_connection_is_tracked() -> Result {
    tcp(&mut connect()?, Ipv6Addr::LOCALHOST.into())
}

fn a_redirected_connection_shows_both_ends() -> Result {
    let mut nl = connect()?;
    track(&mut nl)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    nft(&format!(
        "table ip n {{ chain c {{ type nat hook output priority -100; ip daddr 127.0.0.1 tcp dport 9 redirect to :{port}; }}; }}"
    ))?;
    let client = TcpStream::connect("127.0.0.1:9")?;
    listener.accept()?;
    let entry = read(&mut nl, &Tuple::tcp(client.local_addr()?, "127.0.0.1:9".parse()?))?;
    assert!(entry.status().unwrap().contains(Status::DST_NAT | Status::DST_NAT_DONE));
    assert_eq!(entry.tuple_orig().unwrap().dst_socket().unwrap().port(), 9);
    assert_eq!(entry.tuple_reply().unwrap().src_socket().unwrap().port(), port);
    Ok(())
}

/// Sends a datagram to an unused port: the ICMP error belongs to the datagram's connection.
fn a_packet_without_an_owner_is_tracked_as_its_protocol() -> Result {
    let mut nl = connect()?;
    track(&mut nl)?;
    let client = UdpSocket::bind("127.0.0.1:0")?;
    let nobody = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
    client.connect(nobody)?;
    client.send(b"data")?;
    assert!(client.recv(&mut [0; 8]).is_err());
    let entries = nl.dump(conntrack::list())?.collect()?;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].view()?.tuple_orig().unwrap().protocol(), Some(IpProtocol::UDP));
    Ok(())
}
