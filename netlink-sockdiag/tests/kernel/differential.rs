//! Lists compared with `ss`, line by line, with the example that prints in the same format.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::Command;

use netlink_core::Connection;
use netlink_sockdiag::inet::{self, Filter, IpProtocol};
use netlink_sockdiag::{Family, State, States, vsock, xdp};
use netlink_testing::{Result, ipv6, module, program, suite};

use crate::ss;
use crate::sys::{self, Raw, words};
use crate::{connect, lists};

lists!(RAW, "the kernel lists no raw sockets", inet::list(Family::INET, IpProtocol::RAW));
lists!(VSOCK, "the kernel lists no vsock sockets", vsock::list());
lists!(XDP, "the kernel lists no XDP sockets", xdp::list());

suite! {
    tcp_sockets: program("ss"), ipv6();
    udp_sockets: program("ss"), ipv6();
    raw_sockets: program("ss"), ipv6(), RAW;
    local_sockets: program("ss");
    packet_sockets: program("ss");
    netlink_sockets: program("ss");
    vsock_sockets: program("ss"), module("vsock_loopback"), VSOCK;
    xdp_sockets: program("ss"), XDP;
    filters_of_ss: program("ss"), ipv6();
}

/// The output of `ss`, with one space between words, links as numbers, and sorted.
fn ask_ss(arguments: &[&str]) -> Result<Vec<String>> {
    let output = Command::new("ss").arg("-Hn").args(arguments).output()?;
    assert!(output.status.success(), "ss {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = text.lines().map(words).collect();
    lines.iter_mut().for_each(|line| *line = line.replace("%lo:", "%1:").replace(":lo ", ":1 "));
    lines.sort();
    Ok(lines)
}

fn ours(nl: &mut Connection, option: &str, states: States) -> Result<Vec<String>> {
    let mut lines = ss::lines(nl, option, states)?;
    lines.sort();
    Ok(lines)
}

/// Checks that the lines are equal, and at least this many.
fn compare(option: &str, least: usize) -> Result {
    let mut nl = connect()?;
    let lines = ours(&mut nl, option, States::ALL)?;
    assert_eq!(lines, ask_ss(&["-a", option])?);
    assert!(lines.len() >= least, "{lines:?}");
    Ok(())
}

fn tcp_sockets() -> Result {
    let mut nl = connect()?;
    let v4 = TcpListener::bind("127.0.0.1:8080")?;
    let v6 = TcpListener::bind("[::1]:8081")?;
    let both = TcpListener::bind("[::]:8082")?;
    let mut one = TcpStream::connect("127.0.0.1:8080")?;
    let (_two, _three) = (TcpStream::connect("[::1]:8081")?, TcpStream::connect("127.0.0.1:8082")?);
    one.write_all(b"hello")?;
    let _accepted = (v4.accept()?, v6.accept()?);
    let only = Raw::open(libc::AF_INET6, libc::SOCK_STREAM, 0)?;
    sys::set_number(&only, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    only.listen(3)?;
    compare("-t", 10)?;
    // The output of `ss` without -a.
    let connected = !(State::LISTEN | State::CLOSE | State::TIME_WAIT | State::SYN_RECV);
    let lines = ours(&mut nl, "-t", connected)?;
    assert_eq!(lines, ask_ss(&["-t"])?);
    assert_eq!(lines.len(), 6);
    drop(both);
    Ok(())
}

fn udp_sockets() -> Result {
    connect()?;
    let (_v4, _v6) = (UdpSocket::bind("127.0.0.1:53")?, UdpSocket::bind("[::]:54")?);
    let bound = UdpSocket::bind("0.0.0.0:55")?;
    sys::set(&bound, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, b"lo\0")?;
    bound.connect("127.0.0.1:53")?;
    bound.send(b"hello")?;
    compare("-u", 3)
}

fn raw_sockets() -> Result {
    connect()?;
    let _v4 = Raw::open(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP)?;
    let _v6 = Raw::open(libc::AF_INET6, libc::SOCK_RAW, libc::IPPROTO_ICMPV6)?;
    compare("-w", 2)
}

fn local_sockets() -> Result {
    let mut nl = connect()?;
    let name = SocketAddr::from_abstract_name(format!("same\0{}", std::process::id()))?;
    let _listener = UnixListener::bind_addr(&name)?;
    let _waits = UnixStream::connect_addr(&name)?;
    let (one, mut two) = UnixStream::pair()?;
    two.write_all(b"hello")?;
    let _datagrams = UnixDatagram::pair()?;
    let _packets = Raw::open(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0)?;
    compare("-x", 7)?;
    let lines = ours(&mut nl, "-x", !(State::LISTEN | State::CLOSE | State::TIME_WAIT | State::SYN_RECV))?;
    assert_eq!(lines, ask_ss(&["-x"])?);
    drop(one);
    Ok(())
}

fn packet_sockets() -> Result {
    connect()?;
    let all = u16::try_from(libc::ETH_P_ALL)?.to_be();
    let _every = Raw::open(libc::AF_PACKET, libc::SOCK_RAW, all.into())?;
    let _none = Raw::open(libc::AF_PACKET, libc::SOCK_DGRAM, 0)?;
    let one = Raw::open(libc::AF_PACKET, libc::SOCK_RAW, 0)?;
    let family = u16::try_from(libc::AF_PACKET)?.to_ne_bytes();
    one.bind(&[&family[..], &0x0800u16.to_be_bytes(), &1u32.to_ne_bytes(), &[0; 12]].concat())?;
    compare("-0", 3)
}

fn netlink_sockets() -> Result {
    let mut nl = connect()?;
    let socket = netlink_core::Socket::open(netlink_core::Protocol::ROUTE)?;
    socket.join(1)?;
    // A port of the upper half, as the kernel chooses for a process's second socket.
    let upper = Raw::open(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE)?;
    upper.bind(&words(libc::AF_NETLINK, &[0xfedc_ba98, 0]))?;
    // The sockets of the lists themselves change.
    let stays = |line: &String| line.split(' ').nth(3).is_some_and(|place| !place.starts_with("4:"));
    let mut theirs = ask_ss(&["-a", "-f", "netlink"])?;
    let mut lines = ours(&mut nl, "--netlink", States::ALL)?;
    for port in [socket.port().cast_signed(), -0x0123_4568] {
        let port = format!(" 0:{port} ");
        assert!(lines.iter().any(|line| line.contains(&port)), "{port}: {lines:?}");
    }
    // The kernel lists some twice, but not always.
    for lines in [&mut lines, &mut theirs] {
        lines.retain(stays);
        lines.dedup();
    }
    assert!(lines.len() >= 5, "{lines:?}");
    assert_eq!(lines, theirs);
    Ok(())
}

fn vsock_sockets() -> Result {
    connect()?;
    let open = || Raw::open(libc::AF_VSOCK, libc::SOCK_STREAM, 0);
    let (listener, client) = (open()?, open()?);
    listener.bind(&words(libc::AF_VSOCK, &[1235, vsock::ANY, 0]))?;
    listener.listen(1)?;
    client.connect(&words(libc::AF_VSOCK, &[1235, 1, 0]))?;
    compare("--vsock", 3)
}

fn xdp_sockets() -> Result {
    connect()?;
    let _socket = Raw::open(libc::AF_XDP, libc::SOCK_RAW, 0)?;
    compare("--xdp", 1)
}

fn filters_of_ss() -> Result {
    let mut nl = connect()?;
    let (v4, v6) = (TcpListener::bind("127.0.0.1:80")?, TcpListener::bind("[::]:81")?);
    let _clients: Vec<TcpStream> = ["127.0.0.1:80", "127.0.0.1:81", "[::1]:81", "127.0.0.1:80"]
        .map(|address| TcpStream::connect(address).unwrap())
        .into();
    let bound = Raw::open(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    sys::set(&bound, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, b"lo\0")?;
    sys::set_number(&bound, libc::SOL_SOCKET, libc::SO_MARK, 0x123)?;
    bound.bind(&sys::ipv4(82, [127, 0, 0, 2]))?;
    bound.listen(1)?;
    let (source, dest) =
        (|text: &str| text.parse().map(Filter::source), |text: &str| text.parse().map(Filter::dest));
    // Not autobound: `ss` omits more sockets than the kernel, the accepted connections.
    let cases: [(&str, Filter, usize); 11] = [
        ("dport = :80 and src 127.0.0.0/8", Filter::dest_port(80) & source("127.0.0.0/8")?, 2),
        ("sport = :80 or dport = :81", Filter::source_port(80) | Filter::dest_port(81), 5),
        ("sport >= :81 and sport <= :82", Filter::source_ports(81..=82), 4),
        (
            "sport = :81 or ( dport = :80 and not src 127.0.0.0/9 )",
            { Filter::source_port(81) | (Filter::dest_port(80) & !source("127.0.0.0/9")?) },
            3,
        ),
        ("not ( dport = :80 or dport = :81 )", !(Filter::dest_port(80) | Filter::dest_port(81)), 7),
        ("src 127.0.0.2", source("127.0.0.2")?, 1),
        ("dst [::1]", dest("::1")?, 2),
        ("dev = lo", Filter::interface(1), 1),
        ("fwmark = 0x100/0xf00", Filter::mark(0x100, 0xf00), 1),
        ("not fwmark = 0x123", !Filter::mark(0x123, u32::MAX), 10),
        ("dport = :9999", Filter::dest_port(9999), 0),
    ];
    for (expression, filter, count) in cases {
        let mut lines = Vec::new();
        for family in [Family::INET, Family::INET6] {
            let mut sockets = nl.dump(inet::list(family, IpProtocol::TCP).filter(&filter))?;
            while let Some(socket) = sockets.next()? {
                lines.push(ss::inet_line(&socket));
            }
        }
        lines.sort();
        let words: Vec<&str> = expression.split(' ').collect();
        assert_eq!(lines, ask_ss(&[&["-a", "-t"], &words[..]].concat())?, "{expression}: {filter:?}");
        assert_eq!(lines.len(), count, "{expression}: {lines:?}");
    }
    drop((v4, v6));
    Ok(())
}
