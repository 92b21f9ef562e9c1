//! Lists, filters and queries of IP sockets.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::AsRawFd;

use netlink_core::{Connection, Errno};
use netlink_sockdiag::inet::{self, Bytecode, Filter, IpProtocol, Timer};
use netlink_sockdiag::{Cookie, Family, State};
use netlink_testing::{Result, ipv6, program, suite};

use crate::sys::{self, Raw};
use crate::{connect, inode, link_local, listed, lists, reached};

lists!(RAW, "the kernel lists no raw sockets", inet::list(Family::INET, IpProtocol::RAW));
lists!(UDPLITE, "the kernel lists no UDP-Lite sockets", inet::list(Family::INET, IpProtocol::UDPLITE));

suite! {
    states_select_the_listed_sockets;
    the_kernel_filters_like_the_expression: ipv6();
    the_longest_filter_is_accepted;
    invalid_bytecode_is_refused;
    a_tcp_socket_is_found_by_its_addresses_and_cookie;
    a_listener_answers_for_all_its_addresses;
    an_ipv6_socket_is_found: ipv6();
    a_link_local_socket_is_found_by_its_addresses: ipv6(), program("ip");
    a_udp_socket_is_found_by_its_addresses_and_cookie;
    a_udplite_socket_is_found: UDPLITE;
    a_raw_socket_is_found_by_its_protocol: RAW;
    a_socket_that_waits_has_a_timer;
    a_protocol_that_is_not_listed_is_not_found;
    a_list_may_be_left_early;
}

fn pair(listener: &TcpListener) -> Result<(TcpStream, TcpStream)> {
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

fn tcp_inodes(nl: &mut Connection, states: impl Into<netlink_sockdiag::States>) -> Result<Vec<u32>> {
    let request = inet::list(Family::INET, IpProtocol::TCP).states(states);
    let mut inodes = listed(nl, request, |socket| socket.header().inode)?;
    inodes.sort_unstable();
    Ok(inodes)
}

fn sorted(mut inodes: Vec<u32>) -> Vec<u32> {
    inodes.sort_unstable();
    inodes
}

fn states_select_the_listed_sockets() -> Result {
    let mut nl = connect()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (client, server) = pair(&listener)?;
    let connected = sorted(vec![inode(&client), inode(&server)]);
    assert_eq!(tcp_inodes(&mut nl, State::LISTEN)?, [inode(&listener)]);
    assert_eq!(tcp_inodes(&mut nl, State::ESTABLISHED)?, connected);
    assert_eq!(tcp_inodes(&mut nl, State::ESTABLISHED | State::LISTEN)?.len(), 3);
    assert!(tcp_inodes(&mut nl, State::CLOSING)?.is_empty());
    Ok(())
}

fn the_kernel_filters_like_the_expression() -> Result {
    let mut nl = connect()?;
    let v4 = TcpListener::bind("127.0.0.1:8080")?;
    let v6 = TcpListener::bind("[::]:8081")?;
    let near = pair(&v4)?;
    let mapped = (TcpStream::connect("127.0.0.1:8081")?, v6.accept()?.0);
    let six = (TcpStream::connect("[::1]:8081")?, v6.accept()?.0);
    let marked = Raw::open(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    sys::set_number(&marked, libc::SOL_SOCKET, libc::SO_MARK, 0x55)?;
    marked.bind(&sys::ipv4(8082, [127, 0, 0, 2]))?;
    marked.listen(1)?;
    let bound = Raw::open(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    sys::set(&bound, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, b"lo\0")?;
    bound.bind(&sys::ipv4(8083, [127, 0, 0, 3]))?;
    bound.listen(1)?;

    let fds: [&dyn AsRawFd; 10] =
        [&v4, &v6, &near.0, &near.1, &mapped.0, &mapped.1, &six.0, &six.1, &marked, &bound];
    let named = |inodes: Vec<u32>| {
        let names = fds.iter().map(|fd| inode(&fd.as_raw_fd()));
        let mut found: Vec<usize> =
            names.enumerate().filter(|(_, inode)| inodes.contains(inode)).map(|(name, _)| name).collect();
        assert_eq!(found.len(), inodes.len(), "sockets that nobody made");
        found.sort_unstable();
        found
    };
    let (any, lo) = ("::/0".parse()?, 1);
    let source = |text: &str| text.parse().map(Filter::source);
    let port = near.0.local_addr()?.port();
    // Numbers are positions in `fds`.
    let cases: [(&str, Filter, &[usize]); 17] = [
        ("all", Filter::everything(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("one port", Filter::dest_port(8080), &[2]),
        ("either port", Filter::source_port(8080) | Filter::dest_port(8080), &[0, 2, 3]),
        ("a range", Filter::source_ports(8081..=8083), &[1, 5, 7, 8, 9]),
        ("an empty range", Filter::source_ports(RangeInclusive::new(9000, 8000)), &[]),
        ("no range", !Filter::dest_ports(1..=u16::MAX), &[0, 1, 8, 9]),
        ("a prefix", source("127.0.0.0/8")?, &[0, 2, 3, 4, 5, 8, 9]),
        ("a short prefix", source("127.0.0.2/31")?, &[8, 9]),
        ("an address", Filter::dest("::1".parse()?), &[6, 7]),
        ("a family", Filter::source(any), &[1, 5, 6, 7]),
        ("mapped", source("127.0.0.0/8")? & Filter::source(any), &[5]),
        ("a link", Filter::interface(lo), &[9]),
        ("a mark", Filter::mark(0x55, u32::MAX), &[8]),
        ("bits of a mark", Filter::mark(0x5, 0xf), &[8]),
        ("chosen ports", Filter::auto_port(), &[2, 3, 4, 5, 6, 7]),
        (
            "nested",
            !(Filter::dest_port(8080) | (source("127.0.0.1/32")? & !Filter::source_port(8080))),
            &[0, 1, 3, 6, 7, 8, 9],
        ),
        ("as ss has it", Filter::dest_port(8080) & source("127.0.0.0/8")? & Filter::source_port(port), &[2]),
    ];
    for (name, filter, wanted) in cases {
        let mut inodes = Vec::new();
        for family in [Family::INET, Family::INET6] {
            let request = inet::list(family, IpProtocol::TCP).filter(&filter);
            inodes.extend(listed(&mut nl, request, |socket| socket.header().inode)?);
        }
        assert_eq!(named(inodes), wanted, "{name}: {filter:?}");
    }
    let cgroup = |nl: &mut Connection, filter| {
        let request = inet::list(Family::INET, IpProtocol::TCP).filter(&filter);
        listed(nl, request, |socket| socket.cgroup_id())
    };
    let own = listed(&mut nl, inet::list(Family::INET, IpProtocol::TCP), |socket| socket.cgroup_id())?;
    if let Some(id) = own[0] {
        assert_eq!(cgroup(&mut nl, Filter::cgroup(id))?, own);
        assert_eq!(cgroup(&mut nl, Filter::cgroup(id + 1))?, []);
    }
    Ok(())
}

fn the_longest_filter_is_accepted() -> Result {
    let mut nl = connect()?;
    let listener = TcpListener::bind("127.0.0.1:1")?;
    let ports = |last| (1..5461).map(|n| n + 1).chain([last]).map(Filter::source_port);
    for (last, found) in [(1, vec![inode(&listener)]), (6000, vec![])] {
        let filter = ports(last).reduce(|all, one| all | one).unwrap();
        let request = inet::list(Family::INET, IpProtocol::TCP).filter(&filter);
        assert!(request.len() > 65_528);
        assert_eq!(listed(&mut nl, request, |socket| socket.header().inode)?, found);
    }
    Ok(())
}

fn invalid_bytecode_is_refused() -> Result {
    let mut nl = connect()?;
    for code in [[200, 4, 4, 0].as_slice(), &[1, 4, 0, 0], &[2, 4, 4, 0], &[0]] {
        let request = inet::list(Family::INET, IpProtocol::TCP).into_request().attr(1, &Bytecode(code));
        let refused = listed(&mut nl, request, |_| ()).unwrap_err();
        assert_eq!(refused.errno(), Some(Errno::EINVAL), "{code:?}");
    }
    Ok(())
}

fn a_tcp_socket_is_found_by_its_addresses_and_cookie() -> Result {
    let mut nl = connect()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (client, _server) = pair(&listener)?;
    let (local, remote) = (client.local_addr()?, client.peer_addr()?);
    let found = nl.call(inet::get(IpProtocol::TCP, local, remote))?;
    assert_eq!((found.source(), found.dest()), (local, remote));
    assert_eq!((found.header().inode, found.state()), (inode(&client), State::ESTABLISHED));
    let same = nl.call(inet::get(IpProtocol::TCP, local, remote).cookie(found.cookie()))?;
    assert_eq!(same.cookie(), found.cookie());
    let other = inet::get(IpProtocol::TCP, local, remote).cookie(Cookie(found.cookie().0 + 1));
    let refused = nl.call(other).unwrap_err();
    assert!(matches!(refused.errno(), Some(Errno::ENOENT | Errno::ESTALE)), "{refused}");
    let nobody = nl.call(inet::get(IpProtocol::TCP, remote, "127.0.0.1:1".parse()?))?;
    assert_eq!(nobody.state(), State::LISTEN);
    let nobody = nl.call(inet::get(IpProtocol::TCP, "127.0.0.1:1".parse()?, remote)).unwrap_err();
    assert!(nobody.is_not_found(), "{nobody}");
    let mixed = nl.call(inet::get(IpProtocol::TCP, local, "[::1]:1".parse()?)).unwrap_err();
    assert!(mixed.to_string().contains("between IPv4 and IPv6"), "{mixed}");
    Ok(())
}

fn a_listener_answers_for_all_its_addresses() -> Result {
    let mut nl = connect()?;
    let listener = TcpListener::bind("0.0.0.0:8080")?;
    for local in ["127.0.0.1:8080", "127.9.9.9:8080"] {
        let found = nl.call(inet::get(IpProtocol::TCP, local.parse()?, "0.0.0.0:0".parse()?))?;
        assert_eq!(found.header().inode, inode(&listener));
    }
    Ok(())
}

fn an_ipv6_socket_is_found() -> Result {
    let mut nl = connect()?;
    let listener = TcpListener::bind("[::1]:0")?;
    let (client, _server) = pair(&listener)?;
    let found = nl.call(inet::get(IpProtocol::TCP, client.local_addr()?, client.peer_addr()?))?;
    assert_eq!((found.family(), found.source()), (Family::INET6, client.local_addr()?));
    assert_eq!(found.header().inode, inode(&client));
    Ok(())
}

fn a_udp_socket_is_found_by_its_addresses_and_cookie() -> Result {
    let mut nl = connect()?;
    let (one, two) = (UdpSocket::bind("127.0.0.1:5001")?, UdpSocket::bind("127.0.0.2:5002")?);
    one.connect(two.local_addr()?)?;
    two.connect(one.local_addr()?)?;
    for (own, peer) in [(&one, &two), (&two, &one)] {
        let request = inet::get(IpProtocol::UDP, own.local_addr()?, peer.local_addr()?);
        let found = nl.call(request)?;
        assert_eq!((found.source(), found.dest()), (own.local_addr()?, peer.local_addr()?));
        assert_eq!(found.header().inode, inode(own));
        let again = inet::get(IpProtocol::UDP, own.local_addr()?, peer.local_addr()?);
        assert_eq!(nl.call(again.cookie(found.cookie()))?.header().inode, inode(own));
    }
    Ok(())
}

fn a_udplite_socket_is_found() -> Result {
    let mut nl = connect()?;
    let socket = Raw::open(libc::AF_INET, libc::SOCK_DGRAM, 136)?;
    socket.bind(&sys::ipv4(5003, [127, 0, 0, 1]))?;
    let list = inet::list(Family::INET, IpProtocol::UDPLITE);
    assert_eq!(listed(&mut nl, list, |socket| socket.header().inode)?, [inode(&socket)]);
    let request = inet::get(IpProtocol::UDPLITE, "127.0.0.1:5003".parse()?, "127.0.0.1:1".parse()?);
    assert_eq!(nl.call(request)?.header().inode, inode(&socket));
    Ok(())
}

/// N5: a listed socket can be queried, and connected to.
fn a_link_local_socket_is_found_by_its_addresses() -> Result {
    let mut nl = connect()?;
    link_local()?;
    let listener = TcpListener::bind("[fe80::77%1]:0")?;
    let address = listener.local_addr()?;
    let client = reached(|| TcpStream::connect(address))?;
    let (local, remote) = (client.local_addr()?, client.peer_addr()?);
    let found = nl.call(inet::get(IpProtocol::TCP, local, remote))?;
    assert_eq!((found.header().inode, found.source(), found.dest()), (inode(&client), local, remote));
    let again = nl.call(inet::get(IpProtocol::TCP, found.source(), found.dest()))?;
    assert_eq!(again.cookie(), found.cookie());
    let list = inet::list(Family::INET6, IpProtocol::TCP).states(State::LISTEN);
    let [listening] = listed(&mut nl, list, |socket| socket.source())?[..] else { panic!("one listener") };
    assert_eq!(listening, listener.local_addr()?);
    TcpStream::connect(listening)?;
    let udp = UdpSocket::bind("[fe80::77%1]:0")?;
    let found = nl.call(inet::get(IpProtocol::UDP, udp.local_addr()?, "[fe80::1%1]:9".parse()?))?;
    assert_eq!((found.header().inode, found.source()), (inode(&udp), udp.local_addr()?));
    Ok(())
}

fn a_raw_socket_is_found_by_its_protocol() -> Result {
    let mut nl = connect()?;
    let socket = Raw::open(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP)?;
    let list = inet::list(Family::INET, IpProtocol::RAW);
    let told =
        |socket: inet::InetSocket<'_>| (socket.header().inode, socket.protocol(), socket.source().port());
    assert_eq!(listed(&mut nl, list, told)?, [(inode(&socket), Some(1), 1)]);
    let any: SocketAddr = "0.0.0.0:0".parse()?;
    let found = nl.call(inet::get(IpProtocol::RAW, any, any).raw_protocol(1))?;
    assert_eq!(found.header().inode, inode(&socket));
    let other = nl.call(inet::get(IpProtocol::RAW, any, any).raw_protocol(2)).unwrap_err();
    assert!(other.is_not_found(), "{other}");
    Ok(())
}

fn a_socket_that_waits_has_a_timer() -> Result {
    let mut nl = connect()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (client, server) = pair(&listener)?;
    // The side that closes first waits.
    let place = (client.local_addr()?, client.peer_addr()?);
    client.shutdown(std::net::Shutdown::Both)?;
    drop(server);
    drop(client);
    let mut last = Vec::new();
    for _ in 0..100 {
        let request = inet::list(Family::INET, IpProtocol::TCP).states(State::TIME_WAIT);
        last = listed(&mut nl, request, |socket| (socket.source(), socket.dest(), socket.header()))?;
        if !last.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let [(source, dest, header)] = last[..] else { panic!("{last:?}") };
    assert_eq!((source, dest), place);
    assert_eq!((header.timer, header.inode), (Timer::TIMEWAIT, 0));
    assert!((1..=60_000).contains(&header.expires), "{}", header.expires);
    Ok(())
}

fn a_protocol_that_is_not_listed_is_not_found() -> Result {
    let mut nl = connect()?;
    for protocol in [IpProtocol(99), IpProtocol(254)] {
        let refused = listed(&mut nl, inet::list(Family::INET, protocol), |_| ()).unwrap_err();
        assert!(refused.is_not_found(), "{refused}");
    }
    let refused = listed(&mut nl, inet::list(Family(77), IpProtocol::TCP), |_| ()).unwrap_err();
    assert!(matches!(refused.errno(), Some(Errno::ENOENT | Errno::EINVAL)), "{refused}");
    Ok(())
}

fn a_list_may_be_left_early() -> Result {
    let mut nl = connect()?;
    let sockets: Vec<UdpSocket> = (0..300).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let list = || inet::list(Family::INET, IpProtocol::UDP);
    let mut listing = nl.dump(list())?;
    assert!(listing.next()?.is_some());
    drop(listing);
    assert_eq!(listed(&mut nl, list(), |_| ())?.len(), sockets.len());
    Ok(())
}
