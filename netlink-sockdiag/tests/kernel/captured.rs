//! The content of `tests/golden` in both byte orders, as this kernel sends it.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};

use netlink_core::{Connection, Dump, Protocol, Reply, ToRequest};
use netlink_sockdiag::inet::{self, IpProtocol};
use netlink_sockdiag::{Family, State, netlink, unix};
use netlink_testing::golden::{framed, keep};
use netlink_testing::{Result, suite};

use crate::golden::read;
use crate::{connect, inode};

suite! {
    inet_sockets;
    unix_sockets;
    netlink_sockets;
}

/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;

/// The first socket of a list for which this is true.
fn kept<Q, R>(
    nl: &mut Connection,
    name: &str,
    how: &str,
    list: Q,
    is: impl Fn(&R::View<'_>) -> bool,
) -> Result
where
    Q: ToRequest<Answer = Dump<R>>,
    R: Reply + 'static,
{
    let sockets = nl.dump(list)?.collect()?;
    let socket = sockets.iter().find(|socket| socket.view().is_ok_and(|view| is(&view)));
    let socket = socket.ok_or_else(|| format!("{name}: not in the list"))?;
    Ok(keep(name, how, &framed(BY_FAMILY, socket.bytes()), read)?)
}

fn inet_sockets() -> Result {
    let mut nl = connect()?;
    let tcp = |state: State| inet::list(Family::INET, IpProtocol::TCP).states(state);
    let listener = TcpListener::bind("127.0.0.1:8080")?;
    kept(&mut nl, "inet_tcp_listening", "a listener", tcp(State::LISTEN), |_| true)?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let _server = listener.accept()?;
    let inode = inode(&client);
    let is = |socket: &inet::InetSocket<'_>| socket.header().inode == inode;
    kept(&mut nl, "inet_tcp_established", "a connection", tcp(State::ESTABLISHED), is)?;
    let udp = UdpSocket::bind("127.0.0.1:5000")?;
    udp.connect("127.0.0.1:5001")?;
    let list = inet::list(Family::INET, IpProtocol::UDP);
    kept(&mut nl, "inet_udp_connected", "a connected UDP socket", list, |_| true)
}

fn unix_sockets() -> Result {
    let mut nl = connect()?;
    let name = SocketAddr::from_abstract_name("golden")?;
    let listener = UnixListener::bind_addr(&name)?;
    let own = inode(&listener);
    kept(&mut nl, "unix_named", "a listener with an abstract name", unix::list(), |socket| {
        socket.header().inode == own
    })?;
    let [_one, _other] = [UnixStream::connect_addr(&name)?, UnixStream::connect_addr(&name)?];
    kept(&mut nl, "unix_asked", "a listener with two connections that wait", unix::list(), |socket| {
        socket.header().inode == own
    })?;
    let (mut one, other) = UnixStream::pair()?;
    let own = inode(&other);
    one.write_all(b"abc")?;
    kept(&mut nl, "unix_one_of_two", "one of a pair, with bytes to read", unix::list(), |socket| {
        socket.header().inode == own
    })?;
    let alone = UnixDatagram::unbound()?;
    let own = inode(&alone);
    kept(&mut nl, "unix_alone", "a datagram socket without a name", unix::list(), |socket| {
        socket.header().inode == own
    })
}

fn netlink_sockets() -> Result {
    let mut nl = connect()?;
    let list = || netlink::list().protocol(Protocol::ROUTE);
    kept(&mut nl, "netlink_of_kernel", "the kernel's own socket", list(), |socket| {
        socket.header().port == 0
    })?;
    let _monitor = netlink_testing::golden::Monitor::new(0, &[1, 9])?;
    let how = "a socket of rtnetlink in groups 1 and 9";
    kept(&mut nl, "netlink_in_groups", how, list(), |socket| socket.header().port != 0)
}
