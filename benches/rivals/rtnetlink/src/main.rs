//! rtnetlink on a current-thread runtime (`rtnetlink-ct`), and its packets over a blocking socket (`npr`).

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use futures_util::future::{Either, select};
use futures_util::stream::StreamExt;
use harness::raw::{BATCH, BUFFER, align, route_sum};
use harness::{Fault, GATEWAY, GROUP, Job, LINK_DUMPS, Meter, Outcome, case, measure};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteScope};
use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use rtnetlink::proto::{self, ReplyExpectation};
use rtnetlink::sys::{Socket, SocketAddr};
use rtnetlink::{Handle, MulticastGroup, RouteMessageBuilder};

const NAME: &str = "rtnetlink-ct";
const BARE: &str = "npr";

fn main() -> ExitCode {
    harness::main(&[
        case(NAME, "route-add", |job| on_runtime(route_add(job))),
        case(NAME, "route-add-batch", |job| on_runtime(route_add_batch(job))),
        case(NAME, "route-dump", |job| on_runtime(route_dump(job))),
        case(NAME, "route-dump-owned", |job| on_runtime(route_dump_owned(job))),
        case(NAME, "link-dump", |job| on_runtime(link_dump(job))),
        case(NAME, "link-dump-owned", |job| on_runtime(link_dump_owned(job))),
        case(NAME, "link-delete-group", |job| on_runtime(link_delete_group(job))),
        case(NAME, "events", |job| on_runtime(events(job))),
        case(NAME, "decode-route", decode_route),
        case(NAME, "decode-link", decode_link),
        case(NAME, "encode-route", encode_route),
        case(BARE, "route-add", bare_route_add),
        case(BARE, "route-add-batch", bare_route_add_batch),
        case(BARE, "route-dump", bare_route_dump),
        case(BARE, "route-dump-owned", bare_route_dump_owned),
        case(BARE, "link-dump", bare_link_dump),
        case(BARE, "decode-route", decode_route),
        case(BARE, "decode-link", decode_link),
        case(BARE, "encode-route", encode_route),
    ])
}

fn on_runtime(work: impl Future<Output = Result<Outcome, Fault>>) -> Result<Outcome, Fault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn connect() -> Result<Handle, Fault> {
    let (connection, handle, _) = rtnetlink::new_connection()?;
    tokio::spawn(connection);
    Ok(handle)
}

fn route(job: &Job, n: u64) -> RouteMessage {
    RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(Ipv4Addr::from(job.destination(n)), 32)
        .output_interface(job.oif)
        .scope(RouteScope::Link)
        .build()
}

async fn route_add(job: &Job) -> Result<Outcome, Fault> {
    let handle = connect()?;
    let meter = Meter::start();
    for n in 0..job.count {
        handle.route().add(route(job, n)).execute().await?;
    }
    Ok(Outcome::new(meter.stop(), 0))
}

/// rtnetlink itself has no batches, but netlink-proto below it does. Errors of messages that no task waits
/// for arrive as unsolicited messages.
async fn route_add_batch(job: &Job) -> Result<Outcome, Fault> {
    let (connection, handle, mut stray) = proto::new_connection::<RouteNetlinkMessage>(0)?;
    tokio::spawn(connection);
    let flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
    let meter = Meter::start();
    let mut n = 0;
    while n < job.count {
        let end = (n + BATCH as u64).min(job.count);
        let messages = (n..end).map(|n| {
            let mut message = NetlinkMessage::from(RouteNetlinkMessage::NewRoute(route(job, n)));
            message.header.flags = flags;
            if n + 1 < end {
                return (message, ReplyExpectation::NotExpected);
            }
            message.header.flags |= NLM_F_ACK;
            (message, ReplyExpectation::Expected)
        });
        let mut replies = handle.request_batch_with_expectation(messages, SocketAddr::new(0, 0))?;
        while let Some(reply) = replies.next().await {
            refuse(&reply)?;
        }
        while let Ok((reply, _)) = stray.try_recv() {
            refuse(&reply)?;
        }
        n = end;
    }
    Ok(Outcome::new(meter.stop(), 0))
}

fn refuse(reply: &NetlinkMessage<RouteNetlinkMessage>) -> Result<(), Fault> {
    match &reply.payload {
        NetlinkPayload::Error(error) if error.code.is_some() => Err(error.to_io().into()),
        _ => Ok(()),
    }
}

fn sum_of(route: &RouteMessage) -> u64 {
    let (mut destination, mut oif, mut table) = (0, 0, u32::from(route.header.table));
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(address)) => {
                destination = address.to_bits();
            }
            RouteAttribute::Oif(index) => oif = *index,
            RouteAttribute::Table(id) => table = *id,
            other => {
                black_box(other);
            }
        }
    }
    route_sum(destination, oif, table)
}

async fn route_dump(_: &Job) -> Result<Outcome, Fault> {
    let handle = connect()?;
    let filter = RouteMessageBuilder::<Ipv4Addr>::new().build();
    let meter = Meter::start();
    let mut sum = 0u64;
    let mut routes = handle.route().get(filter).execute();
    while let Some(route) = routes.next().await {
        sum = sum.wrapping_add(sum_of(&route?));
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let handle = connect()?;
    let filter = RouteMessageBuilder::<Ipv4Addr>::new().build();
    let meter = Meter::start();
    let mut all = Vec::new();
    let mut routes = handle.route().get(filter).execute();
    while let Some(route) = routes.next().await {
        all.push(route?);
    }
    let sum = all.iter().fold(0u64, |sum, route| sum.wrapping_add(sum_of(route)));
    Ok(Outcome::new(meter.stop(), sum))
}

async fn links(handle: &Handle) -> Result<u64, Fault> {
    let mut sum = 0;
    let mut links = handle.link().get().execute();
    while let Some(link) = links.next().await {
        let link = link?;
        for attribute in &link.attributes {
            black_box(attribute);
        }
        sum += u64::from(link.header.index);
    }
    Ok(sum)
}

async fn link_dump(_: &Job) -> Result<Outcome, Fault> {
    let handle = connect()?;
    links(&handle).await?;
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..LINK_DUMPS {
        sum = links(&handle).await?;
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let handle = connect()?;
    links(&handle).await?;
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..LINK_DUMPS {
        let mut all: Vec<LinkMessage> = Vec::new();
        let mut links = handle.link().get().execute();
        while let Some(link) = links.next().await {
            all.push(link?);
        }
        sum = black_box(all).iter().map(|link| u64::from(link.header.index)).sum();
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    let handle = connect()?;
    let meter = Meter::start();
    let mut request = handle.link().del(0);
    request.message_mut().attributes.push(LinkAttribute::Group(GROUP));
    request.execute().await?;
    Ok(Outcome::new(meter.stop(), 0))
}

async fn events(job: &Job) -> Result<Outcome, Fault> {
    let (connection, _handle, mut messages) =
        rtnetlink::new_multicast_connection(&[MulticastGroup::Ipv4Route])?;
    tokio::spawn(connection);
    let mut generator = job.generator()?;
    let mut silence = Box::pin(tokio::time::sleep(harness::SILENCE));
    let mut before = 0;
    let meter = Meter::start();
    generator.go()?;
    let mut seen = 0;
    while seen < job.count {
        match select(messages.next(), &mut silence).await {
            Either::Left((Some((message, _)), _)) => {
                if let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route)) = message.payload {
                    black_box(route);
                    seen += 1;
                }
            }
            Either::Left((None, _)) => return Err("the connection ended".into()),
            Either::Right(_) if seen == before => break,
            Either::Right(_) => {
                before = seen;
                silence.as_mut().reset(tokio::time::Instant::now() + harness::SILENCE);
            }
        }
    }
    let cost = meter.stop();
    generator.finish()?;
    Ok(Outcome::events(cost, job.count, seen))
}

type Message = NetlinkMessage<RouteNetlinkMessage>;

fn decode(job: &Job, pick: fn(&Message) -> u64) -> Result<Outcome, Fault> {
    let bytes = job.message.as_slice();
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..job.count {
            let message = black_box(Message::deserialize(black_box(bytes))?);
            sum = pick(&message);
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn decode_route(job: &Job) -> Result<Outcome, Fault> {
    decode(job, |message| match &message.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route)) => sum_of(route),
        _ => 0,
    })
}

fn decode_link(job: &Job) -> Result<Outcome, Fault> {
    decode(job, |message| match &message.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => u64::from(link.header.index),
        _ => 0,
    })
}

fn encode_route(job: &Job) -> Result<Outcome, Fault> {
    let mut buffer = Vec::new();
    let (len, cost) = measure(|| {
        let mut len = 0;
        for n in 0..job.count {
            let route = RouteMessageBuilder::<Ipv4Addr>::new()
                .destination_prefix(black_box(Ipv4Addr::from(job.destination(n))), 32)
                .output_interface(black_box(job.oif))
                .gateway(black_box(Ipv4Addr::from(GATEWAY)))
                .scope(RouteScope::Link)
                .build();
            let mut message = Message::from(RouteNetlinkMessage::NewRoute(route));
            message.header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
            message.header.sequence_number = n as u32;
            message.finalize();
            len = message.buffer_len();
            if buffer.len() < len {
                buffer.resize(len, 0);
            }
            message.serialize(black_box(&mut buffer));
        }
        len
    });
    Ok(Outcome::new(cost, len as u64))
}

/// A blocking socket with a send buffer and a receive buffer.
struct Bare {
    socket: Socket,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Bare {
    fn open() -> Result<Bare, Fault> {
        let mut socket = Socket::new(0)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Bare { socket, request: Vec::new(), buffer: vec![0; BUFFER] })
    }

    /// Appends a message to the request.
    fn push(&mut self, payload: RouteNetlinkMessage, flags: u16, seq: u32) {
        let mut message = Message::from(payload);
        message.header.flags = NLM_F_REQUEST | flags;
        message.header.sequence_number = seq;
        message.finalize();
        let at = self.request.len();
        self.request.resize(at + align(message.buffer_len()), 0);
        message.serialize(&mut self.request[at..]);
    }

    /// Sends the request and passes on the answers, up to `DONE` or the acknowledgement with the number
    /// `last`.
    fn exchange(&mut self, last: u32, mut each: impl FnMut(RouteNetlinkMessage)) -> Result<(), Fault> {
        self.socket.send(&self.request, 0)?;
        self.request.clear();
        loop {
            let got = self.socket.recv(&mut self.buffer.as_mut_slice(), 0)?;
            let mut at = 0;
            while at < got {
                let message = Message::deserialize(&self.buffer[at..got])?;
                at += align(message.header.length as usize);
                match message.payload {
                    NetlinkPayload::InnerMessage(payload) => each(payload),
                    NetlinkPayload::Done(_) => return Ok(()),
                    NetlinkPayload::Error(error) if error.code.is_some() => {
                        return Err(error.to_io().into());
                    }
                    NetlinkPayload::Error(_) if message.header.sequence_number == last => {
                        return Ok(());
                    }
                    _ => {}
                }
            }
        }
    }

    fn routes(&mut self, mut each: impl FnMut(RouteMessage)) -> Result<(), Fault> {
        let filter = RouteMessageBuilder::<Ipv4Addr>::new().build();
        self.push(RouteNetlinkMessage::GetRoute(filter), NLM_F_DUMP, 1);
        self.exchange(1, |payload| {
            if let RouteNetlinkMessage::NewRoute(route) = payload {
                each(route);
            }
        })
    }

    fn links(&mut self) -> Result<u64, Fault> {
        let mut sum = 0;
        self.push(RouteNetlinkMessage::GetLink(LinkMessage::default()), NLM_F_DUMP, 1);
        self.exchange(1, |payload| {
            if let RouteNetlinkMessage::NewLink(link) = payload {
                sum += u64::from(black_box(&link).header.index);
            }
        })?;
        Ok(sum)
    }
}

fn bare_route_add(job: &Job) -> Result<Outcome, Fault> {
    let mut bare = Bare::open()?;
    let (done, cost) = measure(|| -> Result<(), Fault> {
        for n in 0..job.count {
            let seq = n as u32 + 1;
            let payload = RouteNetlinkMessage::NewRoute(route(job, n));
            bare.push(payload, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, seq);
            bare.exchange(seq, |_| {})?;
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

fn bare_route_add_batch(job: &Job) -> Result<Outcome, Fault> {
    let mut bare = Bare::open()?;
    let (done, cost) = measure(|| -> Result<(), Fault> {
        let mut n = 0;
        while n < job.count {
            let end = (n + BATCH as u64).min(job.count);
            while n < end {
                let ack = if n + 1 == end { NLM_F_ACK } else { 0 };
                let payload = RouteNetlinkMessage::NewRoute(route(job, n));
                n += 1;
                bare.push(payload, NLM_F_CREATE | NLM_F_EXCL | ack, n as u32);
            }
            bare.exchange(n as u32, |_| {})?;
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

fn bare_route_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut bare = Bare::open()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0u64;
        bare.routes(|route| sum = sum.wrapping_add(sum_of(&route)))?;
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn bare_route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let mut bare = Bare::open()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut all = Vec::new();
        bare.routes(|route| all.push(route))?;
        Ok(all.iter().fold(0u64, |sum, route| sum.wrapping_add(sum_of(route))))
    });
    Ok(Outcome::new(cost, sum?))
}

fn bare_link_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut bare = Bare::open()?;
    bare.links()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            sum = bare.links()?;
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}
