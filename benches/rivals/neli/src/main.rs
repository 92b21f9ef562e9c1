//! neli: its recommended router (`neli`) and the socket below it (`neli-bare`).

use std::hint::black_box;
use std::io::{Cursor, ErrorKind};
use std::os::fd::AsRawFd;
use std::process::ExitCode;

use harness::raw::{self, BATCH, BUFFER, route_sum, u32_at};
use harness::{Fault, GATEWAY, GROUP, Job, LINK_DUMPS, Outcome, case, measure, unsupported};
use neli::consts::nl::{NlTypeWrapper, NlmF, Nlmsg};
use neli::consts::rtnl::{Ifla, RtAddrFamily, RtScope, RtTable, Rta, Rtm, Rtn, Rtprot};
use neli::consts::socket::{Msg, NlFamily};
use neli::err::SocketError;
use neli::nl::{NlPayload, Nlmsghdr, NlmsghdrBuilder};
use neli::router::synchronous::NlRouter;
use neli::rtnl::{Ifinfomsg, IfinfomsgBuilder, Rtattr, RtattrBuilder, Rtmsg, RtmsgBuilder};
use neli::socket::NlSocket;
use neli::socket::synchronous::NlSocketHandle;
use neli::types::{Buffer, RtBuffer};
use neli::utils::Groups;
use neli::{FromBytes, FromBytesWithInput, Size, ToBytes};

const NAME: &str = "neli";
const BARE: &str = "neli-bare";

/// A number after all routes of `events`.
const SENTINEL: u64 = 1 << 24;

fn main() -> ExitCode {
    harness::main(&[
        case(NAME, "route-add", route_add),
        unsupported(NAME, "route-add-batch", "the router sends one message at a time"),
        case(NAME, "route-dump", route_dump),
        case(NAME, "route-dump-owned", route_dump_owned),
        case(NAME, "link-dump", link_dump),
        case(NAME, "link-dump-owned", link_dump_owned),
        case(NAME, "link-delete-group", link_delete_group),
        case(NAME, "events", events),
        case(NAME, "decode-route", decode_route),
        case(NAME, "decode-link", decode_link),
        case(NAME, "encode-route", encode_route),
        case(BARE, "route-add", bare_route_add),
        case(BARE, "route-add-batch", bare_route_add_batch),
        case(BARE, "route-dump", bare_route_dump),
        case(BARE, "link-dump", bare_link_dump),
        case(BARE, "events", bare_events),
        case(BARE, "decode-route", decode_route),
        case(BARE, "decode-link", decode_link),
        case(BARE, "encode-route", encode_route),
    ])
}

fn router() -> Result<NlRouter, Fault> {
    let (router, _) = NlRouter::connect(NlFamily::Route, None, Groups::empty())?;
    Ok(router)
}

fn handle() -> Result<NlSocketHandle, Fault> {
    Ok(NlSocketHandle::connect(NlFamily::Route, None, Groups::empty())?)
}

fn attribute<T: Size, P: Size + ToBytes>(kind: T, value: P) -> Result<Rtattr<T, Buffer>, Fault> {
    Ok(RtattrBuilder::default().rta_type(kind).rta_payload(value).build()?)
}

fn route(attributes: RtBuffer<Rta, Buffer>) -> Result<Rtmsg, Fault> {
    Ok(RtmsgBuilder::default()
        .rtm_family(RtAddrFamily::Inet)
        .rtm_dst_len(32)
        .rtm_src_len(0)
        .rtm_tos(0)
        .rtm_table(RtTable::Main)
        .rtm_protocol(Rtprot::Static)
        .rtm_scope(RtScope::Link)
        .rtm_type(Rtn::Unicast)
        .rtattrs(attributes)
        .build()?)
}

fn add(job: &Job, n: u64) -> Result<Rtmsg, Fault> {
    let mut attributes = RtBuffer::new();
    attributes.push(attribute(Rta::Dst, job.destination(n).to_be_bytes())?);
    attributes.push(attribute(Rta::Oif, job.oif)?);
    route(attributes)
}

/// The request for all IPv4 routes.
fn all_routes() -> Result<Rtmsg, Fault> {
    Ok(RtmsgBuilder::default()
        .rtm_family(RtAddrFamily::Inet)
        .rtm_dst_len(0)
        .rtm_src_len(0)
        .rtm_tos(0)
        .rtm_table(RtTable::Unspec)
        .rtm_protocol(Rtprot::Unspec)
        .rtm_scope(RtScope::Universe)
        .rtm_type(Rtn::Unspec)
        .build()?)
}

fn all_links() -> Result<Ifinfomsg, Fault> {
    Ok(IfinfomsgBuilder::default().ifi_family(RtAddrFamily::Unspecified).build()?)
}

fn sum_of(route: &Rtmsg) -> u64 {
    let (mut destination, mut oif) = (0, 0);
    let mut table = u32::from(u8::from(*route.rtm_table()));
    for attribute in route.rtattrs().iter() {
        let value = attribute.rta_payload().as_ref();
        match attribute.rta_type() {
            Rta::Dst if value.len() == 4 => destination = u32_at(value, 0).to_be(),
            Rta::Oif => oif = u32_at(value, 0),
            Rta::Table => table = u32_at(value, 0),
            _ => {
                black_box(value);
            }
        }
    }
    route_sum(destination, oif, table)
}

fn visit(link: &Ifinfomsg) -> u64 {
    for attribute in link.rtattrs().iter() {
        black_box(attribute.rta_payload().as_ref());
    }
    *link.ifi_index() as u64
}

fn flags() -> NlmF {
    NlmF::CREATE | NlmF::EXCL | NlmF::ACK
}

fn route_add(job: &Job) -> Result<Outcome, Fault> {
    let router = router()?;
    let (done, cost) = measure(|| -> Result<(), Fault> {
        for n in 0..job.count {
            let replies = router.send::<_, _, NlTypeWrapper, Rtmsg>(
                Rtm::Newroute,
                flags(),
                NlPayload::Payload(add(job, n)?),
            )?;
            for reply in replies {
                reply?;
            }
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

type Message<P> = Nlmsghdr<NlTypeWrapper, P>;

/// One dump through the router; each message is passed to `each`.
fn dump<P>(router: &NlRouter, kind: Rtm, request: P, mut each: impl FnMut(Message<P>)) -> Result<(), Fault>
where
    P: Size + ToBytes + FromBytesWithInput<Input = usize> + std::fmt::Debug + 'static,
{
    let replies = router.send::<_, _, NlTypeWrapper, P>(kind, NlmF::DUMP, NlPayload::Payload(request))?;
    for reply in replies {
        each(reply?);
    }
    Ok(())
}

fn route_dump(_: &Job) -> Result<Outcome, Fault> {
    let router = router()?;
    let request = all_routes()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0u64;
        dump(&router, Rtm::Getroute, request, |message| {
            sum = sum.wrapping_add(message.get_payload().map_or(0, sum_of));
        })?;
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

/// A payload cannot be moved out of its message, so the messages are stored.
fn route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let router = router()?;
    let request = all_routes()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut messages = Vec::new();
        dump(&router, Rtm::Getroute, request, |message| messages.push(message))?;
        let routes = messages.iter().filter_map(Nlmsghdr::get_payload);
        Ok(routes.fold(0, |sum, route| sum.wrapping_add(sum_of(route))))
    });
    Ok(Outcome::new(cost, sum?))
}

fn links(router: &NlRouter) -> Result<u64, Fault> {
    let mut sum = 0;
    dump(router, Rtm::Getlink, all_links()?, |message| {
        sum += message.get_payload().map_or(0, visit);
    })?;
    Ok(sum)
}

fn link_dump(_: &Job) -> Result<Outcome, Fault> {
    let router = router()?;
    links(&router)?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            sum = links(&router)?;
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let router = router()?;
    links(&router)?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            let mut messages = Vec::new();
            dump(&router, Rtm::Getlink, all_links()?, |message| messages.push(message))?;
            let messages = black_box(messages);
            let links = messages.iter().filter_map(Nlmsghdr::get_payload);
            sum = links.map(|link| *link.ifi_index() as u64).sum();
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    let router = router()?;
    let (done, cost) = measure(|| -> Result<(), Fault> {
        let mut attributes = RtBuffer::new();
        attributes.push(attribute(Ifla::Group, GROUP)?);
        let link =
            IfinfomsgBuilder::default().ifi_family(RtAddrFamily::Unspecified).rtattrs(attributes).build()?;
        let replies = router.send::<_, _, NlTypeWrapper, Ifinfomsg>(
            Rtm::Dellink,
            NlmF::ACK,
            NlPayload::Payload(link),
        )?;
        for reply in replies {
            reply?;
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

/// The router neither reports lost events nor stops waiting for them, so one more route is added after the
/// second of silence.
fn events(job: &Job) -> Result<Outcome, Fault> {
    let groups = Groups::new_groups(&[raw::RTNLGRP_IPV4_ROUTE]);
    let (_router, mut multicast) = NlRouter::connect(NlFamily::Route, None, groups)?;
    let mut generator = job.generator()?;
    let oif = job.oif;
    let end = job.destination(SENTINEL);
    let (seen, cost) = measure(|| -> Result<u64, Fault> {
        generator.go()?;
        std::thread::spawn(move || {
            let closed = generator.finish().and_then(|()| {
                std::thread::sleep(harness::SILENCE);
                Ok(raw::add_routes_singly(SENTINEL..SENTINEL + 1, oif)?)
            });
            if let Err(fault) = closed {
                eprintln!("no end of the events: {fault}");
                std::process::exit(1);
            }
        });
        let mut seen = 0;
        while seen < job.count {
            let message = match multicast.next_typed::<Rtm, Rtmsg>() {
                Some(message) => message?,
                None => break,
            };
            if let (Rtm::Newroute, Some(route)) = (message.nl_type(), message.get_payload()) {
                if black_box(sum_of(route)) >= u64::from(end) {
                    break;
                }
                seen += 1;
            }
        }
        Ok(seen)
    });
    Ok(Outcome::events(cost, job.count, seen?))
}

fn decode<P>(job: &Job, pick: fn(&P) -> u64) -> Result<Outcome, Fault>
where
    P: Size + FromBytesWithInput<Input = usize>,
{
    let bytes = job.message.as_slice();
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..job.count {
            let message = Nlmsghdr::<Rtm, P>::from_bytes(&mut Cursor::new(black_box(bytes)))?;
            sum = black_box(&message).get_payload().map_or(0, pick);
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn decode_route(job: &Job) -> Result<Outcome, Fault> {
    decode::<Rtmsg>(job, sum_of)
}

fn decode_link(job: &Job) -> Result<Outcome, Fault> {
    decode::<Ifinfomsg>(job, |link| *link.ifi_index() as u64)
}

fn message<P: Size>(flags: NlmF, seq: u32, payload: P) -> Result<Nlmsghdr<Rtm, P>, Fault> {
    Ok(NlmsghdrBuilder::default()
        .nl_type(Rtm::Newroute)
        .nl_flags(flags | NlmF::REQUEST)
        .nl_seq(seq)
        .nl_payload(NlPayload::Payload(payload))
        .build()?)
}

fn encode_route(job: &Job) -> Result<Outcome, Fault> {
    let mut buffer = Cursor::new(Vec::new());
    let (len, cost) = measure(|| -> Result<usize, Fault> {
        for n in 0..job.count {
            let mut attributes = RtBuffer::new();
            let destination = black_box(job.destination(n).to_be_bytes());
            attributes.push(attribute(Rta::Dst, destination)?);
            attributes.push(attribute(Rta::Gateway, black_box(GATEWAY))?);
            attributes.push(attribute(Rta::Oif, black_box(job.oif))?);
            buffer.set_position(0);
            message(flags(), n as u32, route(attributes)?)?.to_bytes(&mut buffer)?;
            black_box(buffer.get_ref());
        }
        Ok(buffer.get_ref().len())
    });
    Ok(Outcome::new(cost, len? as u64))
}

/// Receives until the acknowledgement with the number `last`.
fn settle(socket: &NlSocketHandle, last: u32) -> Result<(), Fault> {
    loop {
        let (replies, _) = socket.recv::<NlTypeWrapper, Rtmsg>()?;
        for reply in replies {
            let reply = reply?;
            match reply.nl_payload() {
                NlPayload::Err(error) => return Err(error.to_string().into()),
                NlPayload::Ack(_) if *reply.nl_seq() == last => return Ok(()),
                _ => {}
            }
        }
    }
}

fn bare_route_add(job: &Job) -> Result<Outcome, Fault> {
    let socket = handle()?;
    let (done, cost) = measure(|| -> Result<(), Fault> {
        for n in 0..job.count {
            let seq = n as u32 + 1;
            socket.send(&message(flags(), seq, add(job, n)?)?)?;
            settle(&socket, seq)?;
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

/// The messages in one buffer, sent by the lowest layer.
fn bare_route_add_batch(job: &Job) -> Result<Outcome, Fault> {
    let socket = NlSocket::connect(NlFamily::Route, None, Groups::empty())?;
    let mut replies = vec![0; BUFFER];
    let mut batch = Cursor::new(Vec::new());
    let (done, cost) = measure(|| -> Result<(), Fault> {
        let mut n = 0;
        while n < job.count {
            let end = (n + BATCH as u64).min(job.count);
            batch.get_mut().clear();
            batch.set_position(0);
            while n < end {
                let mut flags = NlmF::CREATE | NlmF::EXCL;
                if n + 1 == end {
                    flags |= NlmF::ACK;
                }
                message(flags, n as u32 + 1, add(job, n)?)?.to_bytes(&mut batch)?;
                n += 1;
            }
            socket.send(batch.get_ref(), Msg::empty())?;
            let mut pending = true;
            while pending {
                let (got, _) = socket.recv(&mut replies, Msg::empty())?;
                let mut reader = Cursor::new(&replies[..got]);
                while (reader.position() as usize) < got {
                    let reply = Message::<Rtmsg>::from_bytes(&mut reader)?;
                    match reply.nl_payload() {
                        NlPayload::Err(error) => return Err(error.to_string().into()),
                        NlPayload::Ack(_) if *reply.nl_seq() == n as u32 => pending = false,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

fn bare_dump<P>(socket: &NlSocketHandle, kind: Rtm, request: P, mut each: impl FnMut(&P)) -> Result<(), Fault>
where
    P: Size + ToBytes + FromBytesWithInput<Input = usize> + std::fmt::Debug,
{
    let request = NlmsghdrBuilder::default()
        .nl_type(kind)
        .nl_flags(NlmF::REQUEST | NlmF::DUMP)
        .nl_seq(1)
        .nl_payload(NlPayload::Payload(request))
        .build()?;
    socket.send(&request)?;
    loop {
        let (messages, _) = socket.recv::<NlTypeWrapper, P>()?;
        for message in messages {
            let message = message?;
            if *message.nl_type() == NlTypeWrapper::Nlmsg(Nlmsg::Done) {
                return Ok(());
            }
            match message.nl_payload() {
                NlPayload::Payload(payload) => each(payload),
                NlPayload::Err(error) => return Err(error.to_string().into()),
                _ => {}
            }
        }
    }
}

fn bare_route_dump(_: &Job) -> Result<Outcome, Fault> {
    let socket = handle()?;
    let request = all_routes()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0u64;
        bare_dump(&socket, Rtm::Getroute, request, |route| {
            sum = sum.wrapping_add(sum_of(route));
        })?;
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn bare_link_dump(_: &Job) -> Result<Outcome, Fault> {
    let socket = handle()?;
    bare_dump(&socket, Rtm::Getlink, all_links()?, |_| {})?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            sum = 0;
            bare_dump(&socket, Rtm::Getlink, all_links()?, |link| sum += visit(link))?;
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn bare_events(job: &Job) -> Result<Outcome, Fault> {
    let groups = Groups::new_groups(&[raw::RTNLGRP_IPV4_ROUTE]);
    let socket = NlSocketHandle::connect(NlFamily::Route, None, groups)?;
    raw::receive_timeout(socket.as_raw_fd(), harness::SILENCE)?;
    let mut generator = job.generator()?;
    let (seen, cost) = measure(|| -> Result<u64, Fault> {
        generator.go()?;
        let mut seen = 0;
        while seen < job.count {
            match socket.recv::<Rtm, Rtmsg>() {
                Ok((messages, _)) => {
                    for message in messages {
                        let message = message?;
                        if let Some(route) = message.get_payload() {
                            black_box(sum_of(route));
                            seen += 1;
                        }
                    }
                }
                Err(SocketError::Io(fault)) if fault.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(SocketError::Io(fault)) if fault.kind() == ErrorKind::WouldBlock => break,
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(seen)
    });
    generator.finish()?;
    Ok(Outcome::events(cost, job.count, seen?))
}
