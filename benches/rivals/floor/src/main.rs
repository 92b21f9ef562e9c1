//! The floor: the cost of the kernel alone. Requests are prepared before, one buffer is reused, and replies
//! are read only as far as needed to find the end.

use std::hint::black_box;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use harness::raw::{
    self, BATCH, BUFFER, Message, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLMSG_DONE, NLMSG_ERROR, RTA_DST,
    RTA_GATEWAY, RTA_OIF, RTA_TABLE, RTM_DELLINK, RTM_NEWLINK, RTM_NEWROUTE, Socket, align, attributes,
    ifinfomsg, messages, route_sum, rtmsg, u16_at, u32_at,
};
use harness::{Fault, GATEWAY, GROUP, Job, LINK_DUMPS, Outcome, case, measure, packets};

const NAME: &str = "floor";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [what, file] = arguments.as_slice()
        && what.starts_with("capture-")
    {
        return match capture(what, file) {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => {
                eprintln!("{what} {file}: {fault}");
                ExitCode::FAILURE
            }
        };
    }
    harness::main(&[
        case(NAME, "route-add", route_add),
        case(NAME, "route-add-batch", route_add_batch),
        case(NAME, "route-dump", route_dump),
        case(NAME, "route-dump-owned", route_dump_owned),
        case(NAME, "link-dump", link_dump),
        case(NAME, "link-dump-owned", link_dump_owned),
        case(NAME, "link-delete-group", link_delete_group),
        case(NAME, "conntrack-dump", conntrack_dump),
        case(NAME, "events", events),
        case(NAME, "queue", queue),
        case(NAME, "decode-route", decode_route),
        case(NAME, "decode-link", decode_link),
        case(NAME, "encode-route", encode_route),
        case(NAME, "sock-dump", sock_dump),
    ])
}

/// Stores one message of the kernel in a file: input for `decode-*`.
fn capture(what: &str, file: &str) -> Result<(), Fault> {
    let place = harness::enter_namespace()?;
    let request = match what {
        "capture-route" => {
            raw::add_routes(1, place.oif)?;
            raw::get_routes(1)
        }
        "capture-link" => raw::get_links(1),
        _ => return Err("capture-route or capture-link".into()),
    };
    let wanted = |bytes: &[u8]| match u16_at(bytes, 4) {
        RTM_NEWROUTE => attributes(&bytes[28..])
            .any(|(kind, value)| kind == RTA_DST && value == raw::destination(0).to_be_bytes()),
        RTM_NEWLINK => u32_at(bytes, 20) == place.oif,
        _ => false,
    };
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    socket.send(&request)?;
    loop {
        let got = socket.receive(&mut buffer)?;
        let mut at = 0;
        while at < got {
            let len = u32_at(&buffer, at) as usize;
            let message = &buffer[at..at + len];
            if wanted(message) {
                return Ok(std::fs::write(file, message)?);
            }
            if u16_at(message, 4) == NLMSG_DONE {
                return Err("the dump did not hold it".into());
            }
            at += align(len);
        }
    }
}

fn route(flags: u16, seq: u32, oif: u32) -> Message {
    let flags = NLM_F_CREATE | NLM_F_EXCL | flags;
    let mut message = Message::new(RTM_NEWROUTE, flags, seq, &rtmsg(32));
    message.put(RTA_DST, &[0; 4]).put(RTA_OIF, &oif.to_ne_bytes());
    message
}

fn route_add(job: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let mut request = route(NLM_F_ACK, 0, job.oif).bytes;
    let (done, cost) = measure(|| -> Result<(), Fault> {
        for n in 0..job.count {
            let seq = n as u32 + 1;
            request[8..12].copy_from_slice(&seq.to_ne_bytes());
            request[32..36].copy_from_slice(&job.destination(n).to_be_bytes());
            socket.send(&request)?;
            let got = socket.receive(&mut buffer)?;
            if got < 20 || u32_at(&buffer, 16) != 0 {
                return Err("a route was refused".into());
            }
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

fn route_add_batch(job: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let one = route(0, 0, job.oif).bytes;
    let mut batch = one.repeat(BATCH);
    let (done, cost) = measure(|| -> Result<(), Fault> {
        let mut n = 0;
        while n < job.count {
            let end = (n + BATCH as u64).min(job.count);
            let mut at = 0;
            while n < end {
                let request = &mut batch[at..at + one.len()];
                request[32..36].copy_from_slice(&job.destination(n).to_be_bytes());
                n += 1;
                at += one.len();
            }
            // Only the last request is acknowledged; it has the number.
            let last = at - one.len();
            batch[last + 6] |= NLM_F_ACK as u8;
            batch[last + 8..last + 12].copy_from_slice(&(n as u32).to_ne_bytes());
            socket.exchange(&batch[..at], n as u32, &mut buffer)?;
            batch[last + 6] &= !(NLM_F_ACK as u8);
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

/// Receives a dump and reads only the first header of each datagram. The kernel can put `DONE` after the last
/// messages, so the last 20 bytes are checked too.
fn swallow(socket: &Socket, request: &[u8], buffer: &mut [u8]) -> Result<(), Fault> {
    socket.send(request)?;
    loop {
        let got = socket.receive(buffer)?;
        let done = |at: usize| u16_at(buffer, at + 4) == NLMSG_DONE && u32_at(buffer, at) == 20;
        if done(0) || (got >= 20 && done(got - 20)) {
            return Ok(());
        }
        if u16_at(buffer, 4) == NLMSG_ERROR {
            return Err("the dump was refused".into());
        }
    }
}

fn route_dump(_: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let request = raw::get_routes(1);
    let (done, cost) = measure(|| swallow(&socket, &request, &mut buffer));
    done?;
    Ok(Outcome::new(cost, 0))
}

fn conntrack_dump(_: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::of(libc::NETLINK_NETFILTER)?;
    let mut buffer = vec![0; BUFFER];
    let request = raw::get_connections(1);
    let (done, cost) = measure(|| swallow(&socket, &request, &mut buffer));
    done?;
    Ok(Outcome::new(cost, 0))
}

/// The smallest possible route: 24 bytes.
#[allow(dead_code, reason = "an owned route has to hold it all")]
#[derive(Clone, Copy, Default)]
struct Route {
    destination: u32,
    gateway: u32,
    oif: u32,
    table: u32,
    priority: u32,
    length: u8,
    protocol: u8,
    scope: u8,
    kind: u8,
}

impl Route {
    /// One pass over the payload of an RTM_NEWROUTE.
    #[inline(always)]
    fn parse(payload: &[u8]) -> Route {
        let mut route = Route {
            length: payload[1],
            table: u32::from(payload[4]),
            protocol: payload[5],
            scope: payload[6],
            kind: payload[7],
            ..Route::default()
        };
        for (kind, value) in attributes(&payload[12..]) {
            match (kind, value.len()) {
                (RTA_DST, 4) => route.destination = u32_at(value, 0).to_be(),
                (RTA_OIF, 4) => route.oif = u32_at(value, 0),
                (RTA_TABLE, 4) => route.table = u32_at(value, 0),
                (RTA_GATEWAY, 4) => route.gateway = u32_at(value, 0).to_be(),
                (6, 4) => route.priority = u32_at(value, 0),
                _ => {}
            }
        }
        route
    }

    fn sum(&self) -> u64 {
        route_sum(self.destination, self.oif, self.table)
    }
}

fn route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let request = raw::get_routes(1);
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut routes = Vec::new();
        socket.dump(&request, &mut buffer, |payload| {
            routes.push(Route::parse(payload));
        })?;
        let routes = black_box(routes);
        Ok(routes.iter().fold(0, |sum, route| sum.wrapping_add(route.sum())))
    });
    Ok(Outcome::new(cost, sum?))
}

fn link_dump(_: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let request = raw::get_links(1);
    swallow(&socket, &request, &mut buffer)?;
    let (done, cost) = measure(|| -> Result<(), Fault> {
        for _ in 0..LINK_DUMPS {
            swallow(&socket, &request, &mut buffer)?;
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

/// The top level of a link, inline.
#[allow(dead_code, reason = "an owned link has to hold it all")]
#[derive(Clone, Copy, Default)]
struct Link {
    index: u32,
    flags: u32,
    kind: u16,
    operstate: u8,
    linkmode: u8,
    carrier: u8,
    name_len: u8,
    address_len: u8,
    mtu: u32,
    peer: u32,
    master: u32,
    group: u32,
    txqlen: u32,
    queues: (u32, u32),
    min_mtu: u32,
    max_mtu: u32,
    name: [u8; 16],
    address: [u8; 8],
    stats: [u64; 4],
    nested: u32,
}

impl Link {
    /// One pass over the payload of an RTM_NEWLINK. Nested attributes are only counted.
    #[inline(always)]
    fn parse(payload: &[u8]) -> Link {
        let mut link = Link {
            kind: u16_at(payload, 2),
            index: u32_at(payload, 4),
            flags: u32_at(payload, 8),
            ..Link::default()
        };
        for (kind, value) in attributes(&payload[16..]) {
            match (kind, value.len()) {
                (1, len @ 1..=8) => {
                    link.address[..len].copy_from_slice(value);
                    link.address_len = len as u8;
                }
                (3, len @ 1..=16) => {
                    link.name[..len].copy_from_slice(value);
                    link.name_len = len as u8 - 1;
                }
                (4, 4) => link.mtu = u32_at(value, 0),
                (5, 4) => link.peer = u32_at(value, 0),
                (10, 4) => link.master = u32_at(value, 0),
                (13, 4) => link.txqlen = u32_at(value, 0),
                (16, 1) => link.operstate = value[0],
                (17, 1) => link.linkmode = value[0],
                (23, len) if len >= 32 => {
                    for (n, stat) in link.stats.iter_mut().enumerate() {
                        *stat = u64::from(u32_at(value, n * 8)) | u64::from(u32_at(value, n * 8 + 4)) << 32;
                    }
                }
                (27, 4) => link.group = u32_at(value, 0),
                (31, 4) => link.queues.0 = u32_at(value, 0),
                (32, 4) => link.queues.1 = u32_at(value, 0),
                (33, 1) => link.carrier = value[0],
                (50, 4) => link.min_mtu = u32_at(value, 0),
                (51, 4) => link.max_mtu = u32_at(value, 0),
                (18 | 26, _) => link.nested += 1,
                _ => {}
            }
        }
        link
    }
}

fn link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let request = raw::get_links(1);
    swallow(&socket, &request, &mut buffer)?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            let mut links = Vec::new();
            socket.dump(&request, &mut buffer, |payload| {
                links.push(Link::parse(payload));
            })?;
            let links = black_box(links);
            sum = links.iter().map(|link| u64::from(link.index)).sum();
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::open()?;
    let mut buffer = vec![0; BUFFER];
    let mut request = Message::new(RTM_DELLINK, NLM_F_ACK, 1, &ifinfomsg(0, 0, 0));
    request.put(raw::IFLA_GROUP, &GROUP.to_ne_bytes());
    let (done, cost) = measure(|| socket.exchange(&request.bytes, 1, &mut buffer));
    done?;
    Ok(Outcome::new(cost, 0))
}

fn events(job: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::open()?;
    let size = 64i32 << 20;
    if socket.option(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &size).is_err() {
        socket.option(libc::SOL_SOCKET, libc::SO_RCVBUF, &size)?;
    }
    socket.timeout(harness::SILENCE)?;
    socket.join(raw::RTNLGRP_IPV4_ROUTE)?;
    let mut buffer = vec![0; BUFFER];
    let mut generator = job.generator()?;
    let (seen, cost) = measure(|| -> Result<u64, Fault> {
        generator.go()?;
        let mut seen = 0;
        while seen < job.count {
            match socket.receive(&mut buffer) {
                Ok(got) => seen += messages(&buffer[..got]).count() as u64,
                Err(fault) if fault.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => break,
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(seen)
    });
    generator.finish()?;
    Ok(Outcome::events(cost, job.count, seen?))
}

/// Receives each packet and sends a prepared verdict.
fn queue(job: &Job) -> Result<Outcome, Fault> {
    const CONFIG: u16 = 0x302;
    const VERDICT: u16 = 0x301;
    const NFGENMSG: [u8; 4] = [0; 4];
    let socket = Socket::of(libc::NETLINK_NETFILTER)?;
    socket.option(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &(64i32 << 20))?;
    socket.option(libc::SOL_NETLINK, libc::NETLINK_NO_ENOBUFS, &1i32)?;
    let mut buffer = vec![0; 2 * BUFFER];
    let mut bind = Message::new(CONFIG, NLM_F_ACK, 1, &NFGENMSG);
    bind.put(1, &[1, 0, 0, 0]).put(2, &[0, 0, 0xff, 0xff, 2]);
    bind.put(3, &(packets::ROUND as u32).to_be_bytes());
    socket.exchange(&bind.bytes, 1, &mut buffer)?;
    let mut drop = Message::new(VERDICT, 0, 0, &NFGENMSG);
    drop.put(2, &[0; 8]);
    let (cost, sum) = packets::rounds(job.count, |round| {
        let mut sum = 0;
        for _ in 0..round {
            let got = socket.receive(&mut buffer)?;
            // The packet's header is the first attribute, its payload the last.
            drop.bytes[28..32].copy_from_slice(&buffer[24..28]);
            sum += attributes(&buffer[20..got]).last().map_or(0, |(_, payload)| payload.len() as u64);
            socket.send(&drop.bytes)?;
        }
        Ok(sum)
    })?;
    Ok(Outcome::new(cost, sum))
}

fn decode_route(job: &Job) -> Result<Outcome, Fault> {
    let message = job.message.as_slice();
    let (route, cost) = measure(|| {
        let mut route = Route::default();
        for _ in 0..job.count {
            route = black_box(Route::parse(&black_box(message)[16..]));
        }
        route
    });
    Ok(Outcome::new(cost, route.sum()))
}

fn decode_link(job: &Job) -> Result<Outcome, Fault> {
    let message = job.message.as_slice();
    let (index, cost) = measure(|| {
        let mut index = 0;
        for _ in 0..job.count {
            index = black_box(Link::parse(&black_box(message)[16..])).index;
        }
        index
    });
    Ok(Outcome::new(cost, u64::from(index)))
}

fn encode_route(job: &Job) -> Result<Outcome, Fault> {
    let mut buffer = [0u8; 64];
    let (len, cost) = measure(|| {
        let mut len = 0;
        for n in 0..job.count {
            len = encode(
                black_box(&mut buffer),
                n as u32,
                black_box(Ipv4Addr::from(job.destination(n))),
                black_box(Ipv4Addr::from(GATEWAY)),
                black_box(job.oif),
            );
        }
        len
    });
    black_box(&buffer);
    Ok(Outcome::new(cost, len as u64))
}

fn sock_dump(_: &Job) -> Result<Outcome, Fault> {
    let socket = Socket::of(libc::NETLINK_SOCK_DIAG)?;
    let mut buffer = vec![0; BUFFER];
    let request = raw::get_sockets(1);
    let (done, cost) = measure(|| swallow(&socket, &request, &mut buffer));
    done?;
    Ok(Outcome::new(cost, 0))
}

/// Writes a route add as one fixed struct.
#[inline(always)]
fn encode(buffer: &mut [u8; 64], seq: u32, to: Ipv4Addr, via: Ipv4Addr, oif: u32) -> usize {
    const LEN: usize = 52;
    let flags = raw::NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    let attribute = |kind: u16| u32::from(kind) << 16 | 8;
    buffer[0..4].copy_from_slice(&(LEN as u32).to_ne_bytes());
    buffer[4..6].copy_from_slice(&RTM_NEWROUTE.to_ne_bytes());
    buffer[6..8].copy_from_slice(&flags.to_ne_bytes());
    buffer[8..12].copy_from_slice(&seq.to_ne_bytes());
    buffer[12..16].fill(0);
    buffer[16..28].copy_from_slice(&rtmsg(32));
    buffer[28..32].copy_from_slice(&attribute(RTA_DST).to_le_bytes());
    buffer[32..36].copy_from_slice(&to.octets());
    buffer[36..40].copy_from_slice(&attribute(RTA_GATEWAY).to_le_bytes());
    buffer[40..44].copy_from_slice(&via.octets());
    buffer[44..48].copy_from_slice(&attribute(RTA_OIF).to_le_bytes());
    buffer[48..52].copy_from_slice(&oif.to_ne_bytes());
    LEN
}
