//! netlink-bindings with the blocking socket of netlink-socket2.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use harness::raw::{self, RTM_NEWROUTE, route_sum};
use harness::{Fault, GATEWAY, GROUP, Job, LINK_DUMPS, Outcome, case, measure};
use netlink_bindings::rt_link::{self, Ifinfomsg, IterableLinkAttrs, LinkAttrs, OpGetlinkDump};
use netlink_bindings::rt_route::{self, IterableRouteAttrs, OpGetrouteDump, OpNewrouteDo, RouteAttrs, Rtmsg};
use netlink_bindings::traits::NetlinkRequest;
use netlink_socket2::{MulticastSocketRaw, NetlinkSocket};

const NAME: &str = "bindings";

/// Number of requests per chain. Each is acknowledged, and the default receive buffer has space for 256
/// acknowledgements. The socket is fastest below 64.
const CHAIN: u64 = 60;

fn main() -> ExitCode {
    harness::main(&[
        case(NAME, "route-add", route_add),
        case(NAME, "route-add-batch", route_add_batch),
        case(NAME, "route-dump", route_dump),
        case(NAME, "route-dump-owned", route_dump_owned),
        case(NAME, "link-dump", link_dump),
        case(NAME, "link-dump-owned", link_dump_owned),
        case(NAME, "link-delete-group", link_delete_group),
        case(NAME, "events", events),
        case(NAME, "decode-route", decode_route),
        case(NAME, "decode-link", decode_link),
        case(NAME, "encode-route", encode_route),
    ])
}

fn header() -> Rtmsg {
    let mut header = Rtmsg::new();
    header.rtm_family = libc::AF_INET as u8;
    header.rtm_dst_len = 32;
    header.rtm_table = libc::RT_TABLE_MAIN;
    header.rtm_protocol = libc::RTPROT_STATIC;
    header.rtm_scope = libc::RT_SCOPE_LINK;
    header.rtm_type = libc::RTN_UNICAST;
    header
}

fn target(job: &Job, n: u64) -> IpAddr {
    Ipv4Addr::from(job.destination(n)).into()
}

fn route_add(job: &Job) -> Result<Outcome, Fault> {
    let mut socket = NetlinkSocket::new();
    let mut buffer = Vec::new();
    let header = header();
    let (done, cost) = measure(|| -> Result<(), Fault> {
        for n in 0..job.count {
            let mut request =
                rt_route::Request::new_with_buf(&mut buffer).set_create().set_excl().op_newroute_do(&header);
            request.encode().push_dst(target(job, n)).push_oif(job.oif);
            socket.request(&request)?.recv_ack()?;
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

fn route_add_batch(job: &Job) -> Result<Outcome, Fault> {
    let mut socket = NetlinkSocket::new();
    let mut buffer = Vec::new();
    let header = header();
    let (done, cost) = measure(|| -> Result<(), Fault> {
        let mut n = 0;
        while n < job.count {
            let end = (n + CHAIN).min(job.count);
            let mut chain = rt_route::Chained::new_with_buf(&mut buffer, n as u32 + 1);
            while n < end {
                let request = chain.request().set_create().set_excl();
                let mut request = request.op_newroute_do(&header);
                request.encode().push_dst(target(job, n)).push_oif(job.oif);
                n += 1;
            }
            socket.request_chained(&chain.finalize())?.recv_all()?;
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

/// Every attribute, in one pass.
#[inline(always)]
fn sum_of(header: &Rtmsg, attributes: IterableRouteAttrs<'_>) -> Result<u64, Fault> {
    let (mut destination, mut oif, mut table) = (0, 0, u32::from(header.rtm_table));
    for attribute in attributes {
        match attribute? {
            RouteAttrs::Dst(IpAddr::V4(address)) => destination = address.to_bits(),
            RouteAttrs::Oif(index) => oif = index,
            RouteAttrs::Table(id) => table = id,
            other => {
                black_box(&other);
            }
        }
    }
    Ok(route_sum(destination, oif, table))
}

fn all_routes() -> OpGetrouteDump<'static> {
    let mut header = Rtmsg::new();
    header.rtm_family = libc::AF_INET as u8;
    rt_route::Request::new().op_getroute_dump(&header)
}

fn route_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut socket = NetlinkSocket::new();
    let request = all_routes();
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0u64;
        let mut reply = socket.request(&request)?;
        while let Some((header, attributes)) = reply.recv().transpose()? {
            sum = sum.wrapping_add(sum_of(&header, attributes)?);
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

/// The crate has no owned types; this is what a user would write to keep a route.
#[allow(dead_code, reason = "an owned route has to hold it all")]
struct Route {
    header: Rtmsg,
    destination: Option<IpAddr>,
    gateway: Option<IpAddr>,
    oif: u32,
    table: u32,
    priority: u32,
}

impl Route {
    fn new(header: Rtmsg, attributes: IterableRouteAttrs<'_>) -> Result<Route, Fault> {
        let table = u32::from(header.rtm_table);
        let mut route = Route { header, destination: None, gateway: None, oif: 0, table, priority: 0 };
        for attribute in attributes {
            match attribute? {
                RouteAttrs::Dst(address) => route.destination = Some(address),
                RouteAttrs::Gateway(address) => route.gateway = Some(address),
                RouteAttrs::Oif(index) => route.oif = index,
                RouteAttrs::Table(id) => route.table = id,
                RouteAttrs::Priority(priority) => route.priority = priority,
                _ => {}
            }
        }
        Ok(route)
    }

    fn sum(&self) -> u64 {
        let destination = match self.destination {
            Some(IpAddr::V4(address)) => address.to_bits(),
            _ => 0,
        };
        route_sum(destination, self.oif, self.table)
    }
}

fn route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let mut socket = NetlinkSocket::new();
    let request = all_routes();
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut routes = Vec::new();
        let mut reply = socket.request(&request)?;
        while let Some((header, attributes)) = reply.recv().transpose()? {
            routes.push(Route::new(header, attributes)?);
        }
        let routes = black_box(routes);
        Ok(routes.iter().fold(0, |sum, route| sum.wrapping_add(route.sum())))
    });
    Ok(Outcome::new(cost, sum?))
}

fn all_links() -> OpGetlinkDump<'static> {
    rt_link::Request::new().op_getlink_dump(&Ifinfomsg::new())
}

fn visit(attributes: IterableLinkAttrs<'_>) -> Result<(), Fault> {
    for attribute in attributes {
        black_box(&attribute?);
    }
    Ok(())
}

fn links(socket: &mut NetlinkSocket, request: &OpGetlinkDump<'_>) -> Result<u64, Fault> {
    let mut sum = 0;
    let mut reply = socket.request(request)?;
    while let Some((header, attributes)) = reply.recv().transpose()? {
        visit(attributes)?;
        sum += header.ifi_index as u64;
    }
    Ok(sum)
}

fn link_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut socket = NetlinkSocket::new();
    let request = all_links();
    links(&mut socket, &request)?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            sum = links(&mut socket, &request)?;
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

/// What a user would write to keep a link: its plain attributes.
#[allow(dead_code, reason = "an owned link has to hold it all")]
struct Link {
    header: Ifinfomsg,
    name: String,
    address: Vec<u8>,
    mtu: u32,
    peer: u32,
    master: u32,
    group: u32,
    txqlen: u32,
    queues: (u32, u32),
    min_mtu: u32,
    max_mtu: u32,
    operstate: u8,
    linkmode: u8,
    carrier: u8,
    received: (u64, u64),
    sent: (u64, u64),
}

impl Link {
    fn new(header: Ifinfomsg, attributes: IterableLinkAttrs<'_>) -> Result<Link, Fault> {
        let mut link = Link {
            header,
            name: String::new(),
            address: Vec::new(),
            mtu: 0,
            peer: 0,
            master: 0,
            group: 0,
            txqlen: 0,
            queues: (0, 0),
            min_mtu: 0,
            max_mtu: 0,
            operstate: 0,
            linkmode: 0,
            carrier: 0,
            received: (0, 0),
            sent: (0, 0),
        };
        for attribute in attributes {
            match attribute? {
                LinkAttrs::Ifname(name) => link.name = name.to_str()?.to_owned(),
                LinkAttrs::Address(address) => link.address = address.to_vec(),
                LinkAttrs::Mtu(mtu) => link.mtu = mtu,
                LinkAttrs::Link(peer) => link.peer = peer,
                LinkAttrs::Master(master) => link.master = master,
                LinkAttrs::Group(group) => link.group = group,
                LinkAttrs::Txqlen(txqlen) => link.txqlen = txqlen,
                LinkAttrs::NumTxQueues(queues) => link.queues.0 = queues,
                LinkAttrs::NumRxQueues(queues) => link.queues.1 = queues,
                LinkAttrs::MinMtu(mtu) => link.min_mtu = mtu,
                LinkAttrs::MaxMtu(mtu) => link.max_mtu = mtu,
                LinkAttrs::Operstate(state) => link.operstate = state,
                LinkAttrs::Linkmode(mode) => link.linkmode = mode,
                LinkAttrs::Carrier(carrier) => link.carrier = carrier,
                LinkAttrs::Stats64(stats) => {
                    link.received = (stats.rx_packets, stats.rx_bytes);
                    link.sent = (stats.tx_packets, stats.tx_bytes);
                }
                _ => {}
            }
        }
        Ok(link)
    }
}

fn link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let mut socket = NetlinkSocket::new();
    let request = all_links();
    links(&mut socket, &request)?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            let mut links = Vec::new();
            let mut reply = socket.request(&request)?;
            while let Some((header, attributes)) = reply.recv().transpose()? {
                links.push(Link::new(header, attributes)?);
            }
            let links = black_box(links);
            sum = links.iter().map(|link| link.header.ifi_index as u64).sum();
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    let mut socket = NetlinkSocket::new();
    let (done, cost) = measure(|| -> Result<(), Fault> {
        let mut request = rt_link::Request::new().op_dellink_do(&Ifinfomsg::new());
        request.encode().push_group(GROUP);
        socket.request(&request)?.recv_ack()?;
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

fn events(job: &Job) -> Result<Outcome, Fault> {
    // The socket does not expose its descriptor and has no time limit, but a new descriptor is always the
    // lowest free number.
    let fd = raw::next_descriptor()?;
    let mut socket = MulticastSocketRaw::new(rt_route::PROTONUM)?;
    raw::receive_timeout(fd, harness::SILENCE)?;
    socket.listen(raw::RTNLGRP_IPV4_ROUTE)?;
    let mut generator = job.generator()?;
    let (seen, cost) = measure(|| -> Result<u64, Fault> {
        generator.go()?;
        let mut seen = 0;
        while seen < job.count {
            match socket.recv() {
                Ok((info, payload)) if info.message_type == RTM_NEWROUTE => {
                    let (header, attributes) = OpNewrouteDo::decode_reply(payload);
                    black_box(sum_of(&header, attributes)?);
                    seen += 1;
                }
                Ok(_) => {}
                Err(fault) => match fault.as_io_error().raw_os_error() {
                    Some(libc::ENOBUFS) => {}
                    Some(libc::EAGAIN) => break,
                    _ => return Err(fault.into()),
                },
            }
        }
        Ok(seen)
    });
    generator.finish()?;
    Ok(Outcome::events(cost, job.count, seen?))
}

fn decode_route(job: &Job) -> Result<Outcome, Fault> {
    let message = job.message.as_slice();
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..job.count {
            let (header, attributes) = OpNewrouteDo::decode_reply(&black_box(message)[16..]);
            sum = black_box(sum_of(&header, attributes)?);
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn decode_link(job: &Job) -> Result<Outcome, Fault> {
    let message = job.message.as_slice();
    let (index, cost) = measure(|| -> Result<u64, Fault> {
        let mut index = 0;
        for _ in 0..job.count {
            let (header, attributes) = OpGetlinkDump::decode_reply(&black_box(message)[16..]);
            visit(attributes)?;
            index = header.ifi_index as u64;
        }
        Ok(index)
    });
    Ok(Outcome::new(cost, index?))
}

/// Payload only: the socket writes the header when it sends.
fn encode_route(job: &Job) -> Result<Outcome, Fault> {
    let mut buffer = Vec::new();
    let header = header();
    let (len, cost) = measure(|| {
        let mut len = 0;
        for n in 0..job.count {
            let request = rt_route::Request::new_with_buf(&mut buffer).set_create().set_excl();
            let mut request = request.op_newroute_do(&header);
            request
                .encode()
                .push_dst(black_box(target(job, n)))
                .push_gateway(black_box(Ipv4Addr::from(GATEWAY).into()))
                .push_oif(black_box(job.oif));
            len = black_box(request.payload()).len();
        }
        len
    });
    Ok(Outcome::new(cost, len as u64))
}
