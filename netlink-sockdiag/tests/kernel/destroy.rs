//! Sockets closed by another process, and the events about it.

use std::io::{ErrorKind, Read as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use netlink_core::{Errno, Notice};
use netlink_sockdiag::event::Group;
use netlink_sockdiag::inet::{self, InetQueryHeader, IpProtocol};
use netlink_sockdiag::{Cookie, Family, State};
use netlink_testing::{Need, Result, ipv6, program, suite, when};

use crate::sys::Raw;
use crate::{all, connect, inode, link_local, listed, lists, reached};

/// `CONFIG_INET_DIAG_DESTROY`.
const DESTROY: Need = when("the kernel closes no sockets", || {
    let nobody = "127.0.0.1:1".parse().unwrap();
    let mut nl = connect().unwrap();
    let refused = nl.call(inet::destroy(IpProtocol::TCP, nobody, nobody)).unwrap_err();
    refused.errno() != Some(Errno::EOPNOTSUPP)
});

lists!(RAW, "the kernel lists no raw sockets", inet::list(Family::INET, IpProtocol::RAW));

suite! {
    a_connection_is_closed_by_its_addresses: DESTROY;
    a_listed_socket_is_closed_and_no_other: DESTROY, ipv6();
    a_udp_socket_is_closed: DESTROY;
    a_listed_raw_socket_is_closed: DESTROY, RAW;
    a_link_local_connection_is_closed: DESTROY, ipv6(), program("ip");
    events_report_destroyed_sockets;
    events_reach_a_reactor;
}

fn pair() -> Result<(TcpStream, TcpStream, TcpListener)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let server = listener.accept()?.0;
    Ok((client, server, listener))
}

fn a_connection_is_closed_by_its_addresses() -> Result {
    let mut nl = connect()?;
    let (mut client, mut server, _listener) = pair()?;
    let (local, remote) = (client.local_addr()?, client.peer_addr()?);
    nl.call(inet::destroy(IpProtocol::TCP, local, remote))?;
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
    assert_eq!(server.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let list = inet::list(Family::INET, IpProtocol::TCP).states(State::ESTABLISHED);
    assert_eq!(listed(&mut nl, list, |_| ())?.len(), 0);
    Ok(())
}

fn a_listed_socket_is_closed_and_no_other() -> Result {
    let mut nl = connect()?;
    let listener = TcpListener::bind("[::1]:0")?;
    let keep = TcpListener::bind("[::1]:0")?;
    let list = || inet::list(Family::INET6, IpProtocol::TCP);
    let sockets = all(&mut nl, list())?;
    let found = sockets.iter().find(|socket| socket.header().inode == inode(&listener)).unwrap();
    let mut stranger = found.header().id;
    stranger.cookie = Cookie(stranger.cookie.0 + 1);
    let mut wrong = inet::destroy_listed(IpProtocol::TCP, found);
    wrong.edit(|header: &mut InetQueryHeader| header.id = stranger);
    let refused = nl.call(wrong).unwrap_err();
    assert!(matches!(refused.errno(), Some(Errno::ENOENT | Errno::ESTALE)), "{refused}");
    nl.call(inet::destroy_listed(IpProtocol::TCP, found))?;
    assert_eq!(listed(&mut nl, list(), |socket| socket.header().inode)?, [inode(&keep)]);
    Ok(())
}

fn a_udp_socket_is_closed() -> Result {
    let mut nl = connect()?;
    let (one, two) = (UdpSocket::bind("127.0.0.1:5001")?, UdpSocket::bind("127.0.0.2:5002")?);
    one.connect(two.local_addr()?)?;
    two.connect(one.local_addr()?)?;
    nl.call(inet::destroy(IpProtocol::UDP, one.local_addr()?, two.local_addr()?))?;
    assert_eq!(one.recv(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
    // It is no longer connected.
    let list = inet::list(Family::INET, IpProtocol::UDP).states(State::CLOSE);
    assert_eq!(listed(&mut nl, list, |socket| socket.header().inode)?, [inode(&one)]);
    Ok(())
}

/// N4
fn a_listed_raw_socket_is_closed() -> Result {
    let mut nl = connect()?;
    let raw = |family, protocol| Raw::open(family, libc::SOCK_RAW, protocol);
    let gone = [raw(libc::AF_INET, libc::IPPROTO_ICMP)?, raw(libc::AF_INET6, libc::IPPROTO_ICMPV6)?];
    let kept = raw(libc::AF_INET, libc::IPPROTO_IGMP)?;
    for (family, gone) in [Family::INET, Family::INET6].into_iter().zip(&gone) {
        let list = || inet::list(family, IpProtocol::RAW);
        let sockets = all(&mut nl, list())?;
        let found = sockets.iter().find(|socket| socket.header().inode == inode(gone)).unwrap();
        nl.call(inet::destroy_listed(IpProtocol::RAW, found))?;
        let left = listed(&mut nl, list(), |socket| (socket.header().inode, socket.source().port()))?;
        // A closed socket is no longer bound, and ends with its file.
        assert!(left.iter().all(|&(left, _)| left != inode(gone)), "{left:?}");
    }
    let left = listed(&mut nl, inet::list(Family::INET, IpProtocol::RAW), |socket| socket.header().inode)?;
    assert_eq!(left, [inode(&kept)]);
    Ok(())
}

/// N5
fn a_link_local_connection_is_closed() -> Result {
    let mut nl = connect()?;
    link_local()?;
    let listener = TcpListener::bind("[fe80::77%1]:0")?;
    let address = listener.local_addr()?;
    let mut client = reached(|| TcpStream::connect(address))?;
    nl.call(inet::destroy(IpProtocol::TCP, client.local_addr()?, client.peer_addr()?))?;
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
    Ok(())
}

fn events_report_destroyed_sockets() -> Result {
    connect()?;
    let mut gone = netlink_sockdiag::subscribe(&[Group::INET_TCP_DESTROY, Group::INET_UDP_DESTROY])?;
    gone.set_timeout(Some(Duration::from_secs(20)))?;
    let (client, server, listener) = pair()?;
    let tcp = (client.local_addr()?, client.peer_addr()?);
    let udp = UdpSocket::bind("127.0.0.1:5001")?;
    drop((client, server, listener, udp));
    let (mut seen_tcp, mut seen_udp) = (false, false);
    while !seen_tcp || !seen_udp {
        let Notice::Event { event: socket, .. } = gone.next()? else { panic!("an overrun") };
        seen_tcp |= socket.protocol() == Some(6) && (socket.source(), socket.dest()) == tcp;
        seen_udp |= socket.protocol() == Some(17) && socket.source() == "127.0.0.1:5001".parse()?;
    }
    Ok(())
}

fn events_reach_a_reactor() -> Result {
    connect()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = netlink_sockdiag::tokio::connect()?;
        let mut gone = netlink_sockdiag::tokio::subscribe(&[Group::INET_UDP_DESTROY])?;
        let udp = UdpSocket::bind("127.0.0.1:5001")?;
        let mut listing = nl.dump(inet::list(Family::INET, IpProtocol::UDP)).await?;
        let socket = listing.next().await?.expect("one socket").into_owned();
        assert_eq!(socket.header().inode, inode(&udp));
        let any = "127.0.0.1:9".parse()?;
        assert_eq!(nl.call(inet::get(IpProtocol::UDP, udp.local_addr()?, any)).await?, socket);
        drop(udp);
        let Notice::Event { event, .. } = gone.next().await? else { panic!("an overrun") };
        assert_eq!((event.source(), event.cookie()), (socket.source(), socket.cookie()));
        Ok(())
    })
}
