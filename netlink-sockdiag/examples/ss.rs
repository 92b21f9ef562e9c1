//! Like the output of `ss -Han`, with links as numbers: `cargo run -p netlink-sockdiag --example ss -- -t -x`.

use std::fmt::{Display, Write as _};
use std::net::{IpAddr, SocketAddr};

use netlink_sockdiag::inet::{InetSocket, IpProtocol};
use netlink_sockdiag::unix::UnixName;
use netlink_sockdiag::{Connection, Error, Family, Memory, MemoryCounter, SocketType, States};
use netlink_sockdiag::{inet, netlink, packet, unix, vsock, xdp};

fn main() -> Result<(), Error> {
    let mut nl = netlink_sockdiag::connect()?;
    for option in std::env::args().skip(1) {
        match lines(&mut nl, &option, States::ALL) {
            Ok(lines) => lines.iter().for_each(|line| println!("{line}")),
            Err(error) => eprintln!("{option}: {error}"),
        }
    }
    Ok(())
}

/// The lines of one option of `ss`: sockets in these states.
pub(crate) fn lines(nl: &mut Connection, option: &str, states: States) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    match option {
        "-t" => lines = inet_lines(nl, IpProtocol::TCP, states)?,
        "-u" => lines = inet_lines(nl, IpProtocol::UDP, states)?,
        "-w" => lines = inet_lines(nl, IpProtocol::RAW, states)?,
        "-M" => lines = inet_lines(nl, IpProtocol::MPTCP, states)?,
        "-x" => {
            let mut sockets = nl.dump(unix::list().states(states))?;
            while let Some(socket) = sockets.next()? {
                let header = socket.header();
                let kind = short(header.socket_type);
                let queues = socket.queue_lengths().unwrap_or_default();
                let name = socket.name().map_or_else(|| "*".to_owned(), unix_name);
                let peer = socket.peer().unwrap_or(0);
                let (receive, send) = (queues.receive, queues.send);
                let (state, inode) = (header.state, header.inode);
                lines.push(format!("u_{kind} {state} {receive} {send} {name} {inode} * {peer}"));
            }
        }
        "-0" => {
            let mut sockets = nl.dump(packet::list())?;
            while let Some(socket) = sockets.next()? {
                let header = socket.header();
                let link = socket.info().map_or(0, |info| info.interface);
                let protocol =
                    if header.protocol == 3 { "*".into() } else { format!("[{}]", header.protocol) };
                let (kind, queues) = (short(header.socket_type), queues(socket.memory()));
                lines.push(format!("p_{kind} UNCONN {queues} {protocol}:{} *", or_star(link)));
            }
        }
        "--netlink" => {
            let mut sockets = nl.dump(netlink::list())?;
            while let Some(socket) = sockets.next()? {
                let header = socket.header();
                // `ss` prints the number of a port with a sign.
                let port = header.port.cast_signed();
                let mut line = format!("UNCONN {} {}:{port}", queues(socket.memory()), header.protocol);
                match header.state {
                    1 => _ = write!(line, " {}:{}", header.dest_group, header.dest_port),
                    _ => line += " *",
                }
                lines.push(line);
            }
        }
        "--vsock" => {
            let mut sockets = nl.dump(vsock::list().states(states))?;
            while let Some(socket) = sockets.next()? {
                let header = socket.header();
                let number = |number| if number == vsock::ANY { "*".to_owned() } else { format!("{number}") };
                let (kind, state) = (short(header.socket_type), header.state);
                let source = number(header.source_cid) + ":" + &number(header.source_port);
                let dest = number(header.dest_cid) + ":" + &number(header.dest_port);
                lines.push(format!("v_{kind} {state} 0 0 {source} {dest}"));
            }
        }
        "--xdp" => {
            let mut sockets = nl.dump(xdp::list())?;
            while let Some(socket) = sockets.next()? {
                let info = socket.info().unwrap_or_default();
                let place = match info.interface {
                    0 => "*".to_owned(),
                    link => format!("{link}:q{}", info.queue),
                };
                lines.push(format!("UNCONN {} {place} *", queues(socket.memory())));
            }
        }
        other => eprintln!("{other}: one of -t -u -w -M -x -0 --netlink --vsock --xdp"),
    }
    Ok(lines)
}

fn inet_lines(nl: &mut Connection, protocol: IpProtocol, states: States) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    for family in [Family::INET, Family::INET6] {
        let mut sockets = nl.dump(inet::list(family, protocol).states(states))?;
        while let Some(socket) = sockets.next()? {
            lines.push(inet_line(&socket));
        }
    }
    Ok(lines)
}

pub(crate) fn inet_line(socket: &InetSocket<'_>) -> String {
    let header = socket.header();
    let both = header.family == Family::INET6 && !socket.v6_only().unwrap_or(false);
    let place = |addr: SocketAddr, link| {
        let ip = match addr.ip() {
            ip if both && ip.is_unspecified() => "*".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let link = if link == 0 { String::new() } else { format!("%{link}") };
        format!("{ip}{link}:{}", or_star(addr.port()))
    };
    let (receive, send) = (header.receive_queue, header.send_queue);
    let (source, dest) = (place(socket.source(), header.id.interface), place(socket.dest(), 0));
    format!("{} {receive} {send} {source} {dest}", header.state)
}

fn or_star(number: impl Display + Default + PartialEq) -> String {
    if number == Default::default() { "*".to_owned() } else { number.to_string() }
}

fn short(kind: SocketType) -> &'static str {
    match kind {
        SocketType::STREAM => "str",
        SocketType::DGRAM => "dgr",
        SocketType::SEQPACKET => "seq",
        _ => "raw",
    }
}

fn unix_name(name: UnixName<'_>) -> String {
    let bytes = name.path().unwrap_or(name.0);
    String::from_utf8_lossy(bytes).replace('\0', "@")
}

fn queues(memory: Option<Memory<'_>>) -> String {
    let of = |counter| memory.and_then(|memory| memory.get(counter)).unwrap_or(0);
    format!("{} {}", of(MemoryCounter::RMEM_ALLOC), of(MemoryCounter::WMEM_ALLOC))
}
