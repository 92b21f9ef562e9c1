//! nlink on a current-thread runtime, and its codec.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use futures_util::future::{Either, select};
use futures_util::stream::StreamExt;
use harness::raw::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, RTM_NEWROUTE, connection_sum, route_sum,
};
use harness::{Fault, GATEWAY, GROUP, Job, LINK_DUMPS, Meter, Outcome, case, measure};
use nlink::netlink::messages::{LinkMessage, RouteMessage};
use nlink::netlink::route::{Ipv4Route, ResolvedRouteInterfaces, RouteConfig};
use nlink::netlink::types::route::{RouteProtocol, RouteScope};
use nlink::netlink::{
    Connection, FromNetlink, InterfaceRef, MessageBuilder, Netfilter, NetworkEvent, Route, RtnetlinkGroup,
};

const NAME: &str = "nlink-ct";

/// Each message of a batch is acknowledged, and the default receive buffer has space for 256
/// acknowledgements.
const BATCH: u64 = 200;

fn main() -> ExitCode {
    harness::main(&[
        case(NAME, "route-add", |job| on_runtime(route_add(job))),
        case(NAME, "route-add-batch", |job| on_runtime(route_add_batch(job))),
        case(NAME, "route-dump", |job| on_runtime(route_dump(job))),
        case(NAME, "route-dump-owned", |job| on_runtime(route_dump_owned(job))),
        case(NAME, "link-dump", |job| on_runtime(link_dump(job))),
        case(NAME, "link-dump-owned", |job| on_runtime(link_dump_owned(job))),
        case(NAME, "link-delete-group", |job| on_runtime(link_delete_group(job))),
        case(NAME, "conntrack-dump", |job| on_runtime(conntrack_dump(job))),
        case(NAME, "conntrack-dump-owned", |job| on_runtime(conntrack_dump(job))),
        case(NAME, "events", |job| on_runtime(events(job))),
        case(NAME, "decode-route", decode_route),
        case(NAME, "decode-link", decode_link),
        case(NAME, "encode-route", encode_route),
    ])
}

fn on_runtime(work: impl Future<Output = Result<Outcome, Fault>>) -> Result<Outcome, Fault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn connect() -> Result<Connection<Route>, Fault> {
    Ok(Connection::<Route>::new()?)
}

fn route(job: &Job, n: u64) -> Ipv4Route {
    Ipv4Route::new(Ipv4Addr::from(job.destination(n)), 32)
        .dev_index(job.oif)
        .protocol(RouteProtocol::Static)
        .scope(RouteScope::Link)
}

async fn route_add(job: &Job) -> Result<Outcome, Fault> {
    let connection = connect()?;
    let meter = Meter::start();
    for n in 0..job.count {
        connection.add_route(route(job, n)).await?;
    }
    Ok(Outcome::new(meter.stop(), 0))
}

/// A batch omits the device of a plain [`Ipv4Route`] and is refused with ENODEV; this adds it again.
struct OnDevice {
    route: Ipv4Route,
    oif: u32,
}

impl RouteConfig for OnDevice {
    fn device_ref(&self) -> Option<&InterfaceRef> {
        self.route.device_ref()
    }

    fn multipath_device_refs(&self) -> Vec<Option<&InterfaceRef>> {
        self.route.multipath_device_refs()
    }

    fn family(&self) -> u8 {
        self.route.family()
    }

    fn write_add(&self, builder: &mut MessageBuilder, _: &ResolvedRouteInterfaces) {
        let interfaces = ResolvedRouteInterfaces { oif: Some(self.oif), multipath: Vec::new() };
        self.route.write_add(builder, &interfaces);
    }

    fn write_delete(&self, builder: &mut MessageBuilder) {
        self.route.write_delete(builder);
    }
}

async fn route_add_batch(job: &Job) -> Result<Outcome, Fault> {
    let connection = connect()?;
    let meter = Meter::start();
    let mut n = 0;
    while n < job.count {
        let end = (n + BATCH).min(job.count);
        let mut batch = connection.batch();
        while n < end {
            batch = batch.add_route(OnDevice { route: route(job, n), oif: job.oif });
            n += 1;
        }
        batch.execute_all().await?;
    }
    Ok(Outcome::new(meter.stop(), 0))
}

/// The crate can only ask for all families; the few IPv6 routes of the namespace are skipped here.
fn sum_of(route: &RouteMessage) -> u64 {
    if !route.is_ipv4() {
        return 0;
    }
    let destination = match route.destination() {
        Some(IpAddr::V4(address)) => address.to_bits(),
        _ => 0,
    };
    route_sum(destination, route.oif().unwrap_or(0), route.table_id())
}

async fn route_dump(_: &Job) -> Result<Outcome, Fault> {
    let connection = connect()?;
    let meter = Meter::start();
    let mut sum = 0u64;
    let mut routes = connection.stream_routes().await?;
    while let Some(route) = routes.next().await {
        sum = sum.wrapping_add(sum_of(black_box(&route?)));
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let connection = connect()?;
    let meter = Meter::start();
    let routes = black_box(connection.get_routes().await?);
    let sum = routes.iter().fold(0u64, |sum, route| sum.wrapping_add(sum_of(route)));
    Ok(Outcome::new(meter.stop(), sum))
}

async fn links(connection: &Connection<Route>) -> Result<u64, Fault> {
    let mut sum = 0;
    let mut links = connection.stream_links().await?;
    while let Some(link) = links.next().await {
        sum += u64::from(black_box(&link?).ifindex());
    }
    Ok(sum)
}

async fn link_dump(_: &Job) -> Result<Outcome, Fault> {
    let connection = connect()?;
    links(&connection).await?;
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..LINK_DUMPS {
        sum = links(&connection).await?;
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let connection = connect()?;
    links(&connection).await?;
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..LINK_DUMPS {
        let links = black_box(connection.get_links().await?);
        sum = links.iter().map(|link| u64::from(link.ifindex())).sum();
    }
    Ok(Outcome::new(meter.stop(), sum))
}

/// There is no request by group: the links are listed and deleted by index, in batches.
async fn link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    let connection = connect()?;
    let meter = Meter::start();
    let links = connection.get_links().await?;
    let doomed: Vec<u32> =
        links.iter().filter(|link| link.group() == Some(GROUP)).map(LinkMessage::ifindex).collect();
    for some in doomed.chunks(BATCH as usize) {
        let mut batch = connection.batch();
        for index in some {
            batch = batch.del_link_by_index(*index);
        }
        batch.execute_all().await?;
    }
    Ok(Outcome::new(meter.stop(), 0))
}

/// The crate can only list connections into a vector.
async fn conntrack_dump(_: &Job) -> Result<Outcome, Fault> {
    let connection = Connection::<Netfilter>::new()?;
    let meter = Meter::start();
    let entries = black_box(connection.get_conntrack().await?);
    let mut sum = 0u64;
    for entry in &entries {
        let client = match entry.orig.src_ip {
            Some(IpAddr::V4(address)) => address.to_bits(),
            _ => 0,
        };
        sum = sum.wrapping_add(connection_sum(client, entry.mark.unwrap_or(0)));
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn events(job: &Job) -> Result<Outcome, Fault> {
    let connection = connect()?;
    connection.subscribe(&[RtnetlinkGroup::Ipv4Route])?;
    let mut events = connection.events().await;
    let mut generator = job.generator()?;
    let mut silence = Box::pin(tokio::time::sleep(harness::SILENCE));
    let mut before = 0;
    let meter = Meter::start();
    generator.go()?;
    let mut seen = 0;
    while seen < job.count {
        match select(events.next(), &mut silence).await {
            Either::Left((Some(Ok(NetworkEvent::NewRoute(route))), _)) => {
                black_box(route);
                seen += 1;
            }
            Either::Left((Some(Ok(_)), _)) => {}
            Either::Left((Some(Err(fault)), _)) if fault.is_no_buffer_space() => {}
            Either::Left((Some(Err(fault)), _)) => return Err(fault.into()),
            Either::Left((None, _)) => return Err("the stream ended".into()),
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

fn decode<T: FromNetlink>(job: &Job, pick: fn(&T) -> u64) -> Result<Outcome, Fault> {
    let bytes = job.message.as_slice();
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..job.count {
            sum = pick(black_box(&T::from_bytes(&black_box(bytes)[16..])?));
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn decode_route(job: &Job) -> Result<Outcome, Fault> {
    decode(job, sum_of)
}

fn decode_link(job: &Job) -> Result<Outcome, Fault> {
    decode(job, |link: &LinkMessage| u64::from(link.ifindex()))
}

fn encode_route(job: &Job) -> Result<Outcome, Fault> {
    let (len, cost) = measure(|| {
        let mut len = 0;
        let mut interfaces = ResolvedRouteInterfaces::default();
        for n in 0..job.count {
            let route = Ipv4Route::new(black_box(Ipv4Addr::from(job.destination(n))), 32)
                .gateway(black_box(Ipv4Addr::from(GATEWAY)))
                .protocol(RouteProtocol::Static)
                .scope(RouteScope::Link);
            interfaces.oif = Some(black_box(job.oif));
            let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
            let mut builder = MessageBuilder::new(RTM_NEWROUTE, flags);
            route.write_add(&mut builder, &interfaces);
            builder.set_seq(n as u32);
            len = black_box(builder.finish()).len();
        }
        len
    });
    Ok(Outcome::new(cost, len as u64))
}
