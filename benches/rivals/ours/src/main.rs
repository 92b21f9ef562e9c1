//! These crates: blocking (`ours`) and on a current-thread runtime (`ours-ct`).

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use harness::raw::{RTNLGRP_IPV4_ROUTE, connection_sum, route_sum};
use harness::{Fault, GATEWAY, GROUP, Job, LINK_DUMPS, Meter, Outcome, SILENCE, case, measure, packets};
use netlink_core::{Error, Messages, Notice, Owned, ToRequest};
use netlink_netfilter::conntrack::{self, Conntrack, FilterRequest, TupleAttrs};
use netlink_netfilter::queue::{self, Arrival, Params, Queue, Ticket, Verdict};
use netlink_route::event::Group;
use netlink_route::link::{self, Link, af_spec::AfSpec};
use netlink_route::route::{self, AnyAddr, Route, RouteHeader, RouteRequest, RouteType, Scope};
use netlink_route::{Addr, Family, Protocol};
use netlink_sockdiag::State;
use netlink_sockdiag::inet::{self, InetSocket, IpProtocol, ListRequest};

const NAME: &str = "ours";
const TOKIO: &str = "ours-ct";

fn main() -> ExitCode {
    harness::main(&[
        case(NAME, "route-add", route_add),
        case(NAME, "route-add-batch", route_add_batch),
        case(NAME, "route-dump", route_dump),
        case(NAME, "route-dump-owned", route_dump_owned),
        case(NAME, "link-dump", link_dump),
        case(NAME, "link-dump-owned", link_dump_owned),
        case(NAME, "link-delete-group", link_delete_group),
        case(NAME, "conntrack-dump", conntrack_dump),
        case(NAME, "conntrack-dump-owned", conntrack_dump_owned),
        case(NAME, "events", events),
        case(NAME, "queue", queue),
        case(NAME, "decode-route", decode_route),
        case(NAME, "decode-route-lazy", decode_route_lazy),
        case(NAME, "decode-link", decode_link),
        case(NAME, "decode-link-lazy", decode_link_lazy),
        case(NAME, "encode-route", encode_route),
        case(NAME, "sock-dump", sock_dump),
        case(TOKIO, "route-add", |job| on_runtime(tokio_route_add(job))),
        case(TOKIO, "route-add-batch", |job| on_runtime(tokio_route_add_batch(job))),
        case(TOKIO, "route-dump", |job| on_runtime(tokio_route_dump(job))),
        case(TOKIO, "route-dump-owned", |job| on_runtime(tokio_route_dump_owned(job))),
        case(TOKIO, "link-dump", |job| on_runtime(tokio_link_dump(job))),
        case(TOKIO, "link-dump-owned", |job| on_runtime(tokio_link_dump_owned(job))),
        case(TOKIO, "link-delete-group", |job| on_runtime(tokio_link_delete_group(job))),
        case(TOKIO, "conntrack-dump", |job| on_runtime(tokio_conntrack_dump(job))),
        case(TOKIO, "events", |job| on_runtime(tokio_events(job))),
        case(TOKIO, "queue", tokio_queue),
        case(TOKIO, "sock-dump", |job| on_runtime(tokio_sock_dump(job))),
    ])
}

fn on_runtime(work: impl Future<Output = Result<Outcome, Fault>>) -> Result<Outcome, Fault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// A new request for each route.
fn adds(job: &Job) -> impl Iterator<Item = RouteRequest<()>> {
    (0..job.count).map(|n| {
        let to = Addr::from(Ipv4Addr::from(job.destination(n)));
        route::add(to).protocol(route::Protocol::STATIC).oif(job.oif)
    })
}

fn all_done(results: Vec<Result<(), Error>>) -> Result<(), Fault> {
    results.into_iter().collect::<Result<(), Error>>().map_err(Fault::from)
}

/// One request that is reused: only the destination changes.
struct KeptAdd {
    request: Option<RouteRequest<()>>,
    header: RouteHeader,
    oif: u32,
}

impl KeptAdd {
    fn new(oif: u32) -> KeptAdd {
        let request = route::add(Addr::DEFAULT_V4);
        let header = RouteHeader::default()
            .family(Family::INET)
            .dst_len(32)
            .table(254)
            .protocol(route::Protocol::STATIC)
            .scope(Scope::LINK)
            .kind(RouteType::UNICAST);
        KeptAdd { request: Some(request), header, oif }
    }

    #[inline(always)]
    fn to(&mut self, destination: u32) -> Result<&RouteRequest<()>, Fault> {
        let request = self.request.take().ok_or("no request")?;
        let request = request.restart(self.header).dst(Ipv4Addr::from(destination)).oif(self.oif);
        Ok(self.request.insert(request))
    }
}

fn route_add(job: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::connect()?;
    let mut request = KeptAdd::new(job.oif);
    let (done, cost) = measure(|| -> Result<(), Fault> {
        for n in 0..job.count {
            connection.call(request.to(job.destination(n))?)?;
        }
        Ok(())
    });
    done?;
    Ok(Outcome::new(cost, 0))
}

fn route_add_batch(job: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::connect()?;
    let (done, cost) = measure(|| all_done(connection.batch(adds(job))));
    done?;
    Ok(Outcome::new(cost, 0))
}

/// Calls one getter after the other.
macro_rules! each {
    ($set:expr, $($field:ident)*) => { $( if let Some(value) = $set.$field() { black_box(&value); } )* };
}

/// Every attribute of a route; the values for the sum are returned.
#[inline(always)]
fn sum_of(route: &Route<'_>) -> u64 {
    let attrs = route.attrs();
    let destination = match attrs.dst() {
        Some(AnyAddr::Ip(IpAddr::V4(address))) => address.to_bits(),
        _ => 0,
    };
    each!(attrs, src iif);
    let oif = attrs.oif().unwrap_or_default();
    each!(attrs, own_gateway priority prefsrc);
    if let Some(metrics) = attrs.metrics() {
        each!(metrics, lock mtu window rtt rtt_var ssthresh cwnd adv_mss reordering hop_limit init_cwnd features);
        each!(metrics, rto_min init_rwnd quick_ack cc_algo fastopen_no_cookie);
    }
    each!(attrs, next_hops protoinfo flow cacheinfo session mp_algo);
    let table = attrs.table().unwrap_or_else(|| route.header().table.into());
    each!(attrs, mark mfc_stats other_gateway newdst pref encap_type encap expires uid ttl_propagate);
    each!(attrs, ip_proto sport dport nh_id flowlabel del_reason);
    route_sum(destination, oif, table)
}

/// The attributes that most programs read.
#[inline(always)]
fn sum_of_three(route: &Route<'_>) -> u64 {
    let destination = match route.dst() {
        Some(AnyAddr::Ip(IpAddr::V4(address))) => address.to_bits(),
        _ => 0,
    };
    if let Some(gateway) = route.attrs().own_gateway() {
        black_box(&gateway);
    }
    route_sum(destination, route.oif().unwrap_or_default(), route.table())
}

fn all_routes() -> RouteRequest<netlink_core::Dump<Route<'static>>> {
    route::list().header(|header| header.family = Family::INET)
}

fn sum_of_owned(routes: &[Owned<Route<'static>>]) -> Result<u64, Fault> {
    let mut sum = 0u64;
    for route in routes {
        sum = sum.wrapping_add(sum_of_three(&route.view()?));
    }
    Ok(sum)
}

fn route_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::connect()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0u64;
        let mut routes = connection.dump(all_routes())?;
        while let Some(route) = routes.next()? {
            sum = sum.wrapping_add(sum_of(&route));
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::connect()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let routes = connection.dump(all_routes())?.collect()?;
        sum_of_owned(&black_box(routes))
    });
    Ok(Outcome::new(cost, sum?))
}

/// Every attribute of a link, and of its nested sets.
#[inline(always)]
fn visit(link: &Link<'_>) {
    let attrs = link.attrs();
    each!(attrs, address broadcast name mtu link qdisc stats cost priority master wireless protinfo);
    each!(attrs, tx_queue_len map weight oper_state link_mode);
    if let Some(info) = attrs.info() {
        each!(info, kind_name data xstats slave_kind_name slave_data);
    }
    each!(attrs, net_ns_pid alias num_vf vf_list stats64 vf_ports port_self);
    if let Some(AfSpec::Families(families)) = attrs.af_spec() {
        if let Some(inet) = families.inet() {
            each!(inet, conf);
        }
        if let Some(inet6) = families.inet6() {
            each!(inet6, flags conf stats mcast cache_info icmp6_stats token addr_gen_mode ra_mtu);
        }
        each!(families, mctp);
    }
    each!(attrs, group net_ns_fd ext_mask promiscuity num_tx_queues num_rx_queues carrier phys_port_id);
    each!(attrs, carrier_changes phys_switch_id link_netnsid phys_port_name proto_down gso_max_segs);
    each!(attrs, gso_max_size);
    if let Some(xdp) = attrs.xdp() {
        each!(xdp, fd attached flags prog_id drv_prog_id skb_prog_id hw_prog_id expected_fd);
    }
    each!(attrs, event new_netnsid target_netnsid carrier_up_count carrier_down_count new_index min_mtu);
    each!(attrs, max_mtu prop_list alt_name perm_address proto_down_reason parent_dev_name);
    each!(attrs, parent_dev_bus_name gro_max_size tso_max_size tso_max_segs allmulti_count devlink_port);
    each!(attrs, gso_ipv4_max_size gro_ipv4_max_size dpll_pin max_pacing_offload_horizon netns_immutable);
    each!(attrs, headroom tailroom);
}

fn links(connection: &mut netlink_core::Connection) -> Result<u64, Fault> {
    let mut sum = 0;
    let mut links = connection.dump(link::list())?;
    while let Some(link) = links.next()? {
        visit(&link);
        sum += u64::from(link.header().index);
    }
    Ok(sum)
}

fn link_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::connect()?;
    links(&mut connection)?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            sum = links(&mut connection)?;
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn sum_of_owned_links(links: &[Owned<Link<'static>>]) -> Result<u64, Fault> {
    let mut sum = 0;
    for link in links {
        sum += u64::from(link.view()?.header().index);
    }
    Ok(sum)
}

fn link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::connect()?;
    connection.dump(link::list())?.collect()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..LINK_DUMPS {
            let links = black_box(connection.dump(link::list())?.collect()?);
            sum = sum_of_owned_links(&links)?;
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::connect()?;
    let (done, cost) = measure(|| connection.call(link::delete_group(GROUP)));
    done?;
    Ok(Outcome::new(cost, 0))
}

fn all_connections() -> FilterRequest<netlink_core::Dump<Conntrack<'static>>> {
    conntrack::list().family(netlink_netfilter::Family::IPV4)
}

/// Every attribute of a direction; returns its source address.
#[inline(always)]
fn source(tuple: &TupleAttrs<'_>) -> u32 {
    let mut source = 0;
    if let Some(ip) = tuple.ip() {
        source = ip.v4_src().map_or(0, Ipv4Addr::to_bits);
        each!(ip, v4_dst v6_src v6_dst);
    }
    if let Some(proto) = tuple.proto() {
        each!(proto, num src_port dst_port icmp_id icmp_type icmp_code icmpv6_id icmpv6_type icmpv6_code);
    }
    each!(tuple, zone);
    source
}

/// Every attribute of a connection, and of its nested sets.
#[inline(always)]
fn sum_of_connection(entry: &Conntrack<'_>) -> u64 {
    let attrs = entry.attrs();
    let client = attrs.tuple_orig().map_or(0, |tuple| source(&tuple));
    if let Some(tuple) = attrs.tuple_reply() {
        black_box(source(&tuple));
    }
    each!(attrs, status);
    if let Some(info) = attrs.protoinfo() {
        if let Some(tcp) = info.tcp() {
            each!(tcp, state wscale_original wscale_reply flags_original flags_reply);
        }
        each!(info, dccp sctp);
    }
    each!(attrs, help nat_src timeout);
    let mark = attrs.mark().unwrap_or_default();
    for counters in [attrs.counters_orig(), attrs.counters_reply()].into_iter().flatten() {
        each!(counters, packets bytes packets32 bytes32);
    }
    each!(attrs, use_count id nat_dst tuple_master seq_adj_orig seq_adj_reply secmark zone secctx);
    if let Some(timestamp) = attrs.timestamp() {
        each!(timestamp, start stop);
    }
    if let Some(synproxy) = attrs.synproxy() {
        each!(synproxy, isn its tsoff);
    }
    each!(attrs, mark_mask labels labels_mask filter status_mask timestamp_event);
    connection_sum(client, mark)
}

fn conntrack_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_netfilter::connect()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0u64;
        let mut entries = connection.dump(all_connections())?;
        while let Some(entry) = entries.next()? {
            sum = sum.wrapping_add(sum_of_connection(&entry));
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn conntrack_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_netfilter::connect()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let entries = black_box(connection.dump(all_connections())?.collect()?);
        let mut sum = 0u64;
        for entry in &entries {
            let entry = entry.view()?;
            let client =
                entry.tuple_orig().and_then(|tuple| tuple.ip()?.v4_src()).map_or(0, Ipv4Addr::to_bits);
            sum = sum.wrapping_add(connection_sum(client, entry.mark().unwrap_or_default()));
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn events(job: &Job) -> Result<Outcome, Fault> {
    const { assert!(Group::IPV4_ROUTE.0 == RTNLGRP_IPV4_ROUTE) }
    let mut events = netlink_core::Events::<Route<'static>>::open(Protocol::ROUTE, &[Group::IPV4_ROUTE.0])?;
    events.set_timeout(Some(SILENCE))?;
    let mut generator = job.generator()?;
    let (seen, cost) = measure(|| -> Result<u64, Fault> {
        generator.go()?;
        let mut seen = 0;
        while seen < job.count {
            match events.next() {
                Ok(Notice::Event { event, .. }) => {
                    black_box(sum_of(&event));
                    seen += 1;
                }
                Ok(Notice::Overrun) => {}
                Err(Error::Timeout(_)) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(seen)
    });
    generator.finish()?;
    Ok(Outcome::events(cost, job.count, seen?))
}

/// Reads the message repeatedly.
#[inline(always)]
fn decode(
    job: &Job,
    mut read: impl FnMut(&netlink_core::Message<'_>) -> Result<u64, Fault>,
) -> Result<Outcome, Fault> {
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0;
        for _ in 0..job.count {
            let message = Messages::new(black_box(job.message.as_slice())).next().ok_or("no message")??;
            sum = read(&message)?;
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

fn queue_config() -> queue::ConfigRequest<()> {
    queue::bind(0, Params::whole()).max_length(packets::ROUND as u32)
}

/// The data for a verdict, and the length of the payload.
fn looked_at(arrival: Arrival<'_>) -> Result<(Ticket, u64), Fault> {
    match arrival {
        Arrival::Packet { packet, missed: 0 } => {
            Ok((packet.ticket(), packet.payload().map_or(0, |payload| payload.0.len() as u64)))
        }
        other => Err(format!("{other:?}").into()),
    }
}

fn queue(job: &Job) -> Result<Outcome, Fault> {
    let mut queue = Queue::open(&queue_config())?;
    let (cost, sum) = packets::rounds(job.count, |round| {
        let mut sum = 0;
        for _ in 0..round {
            let (ticket, length) = looked_at(queue.next()?)?;
            sum += length;
            queue.verdict(ticket, Verdict::DROP)?;
        }
        Ok(sum)
    })?;
    Ok(Outcome::new(cost, sum))
}

fn tokio_queue(job: &Job) -> Result<Outcome, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut queue = runtime.block_on(async { queue::tokio::Queue::open(&queue_config()).await })?;
    let (cost, sum) = packets::rounds(job.count, |round| {
        runtime.block_on(async {
            let mut sum = 0;
            for _ in 0..round {
                let (ticket, length) = looked_at(queue.next().await?)?;
                sum += length;
                queue.verdict(ticket, Verdict::DROP)?;
            }
            Ok(sum)
        })
    })?;
    Ok(Outcome::new(cost, sum))
}

fn decode_route(job: &Job) -> Result<Outcome, Fault> {
    decode(job, |message| Ok(black_box(sum_of(&Route::read(message)?))))
}

fn decode_route_lazy(job: &Job) -> Result<Outcome, Fault> {
    decode(job, |message| Ok(black_box(sum_of_three(&Route::read(message)?))))
}

fn decode_link(job: &Job) -> Result<Outcome, Fault> {
    decode(job, |message| {
        let link = Link::read(message)?;
        visit(&link);
        Ok(black_box(link.header().index.into()))
    })
}

fn decode_link_lazy(job: &Job) -> Result<Outcome, Fault> {
    decode(job, |message| {
        let link = Link::read(message)?;
        each!(link, name mtu oper_state address);
        Ok(black_box(link.header().index.into()))
    })
}

fn encode_route(job: &Job) -> Result<Outcome, Fault> {
    let mut request = route::add(Addr::DEFAULT_V4);
    let (len, cost) = measure(|| {
        for n in 0..job.count {
            let header = RouteHeader::default()
                .family(Family::INET)
                .dst_len(32)
                .table(254)
                .protocol(route::Protocol::STATIC)
                .scope(Scope::UNIVERSE)
                .kind(RouteType::UNICAST);
            request = request
                .restart(header)
                .dst(black_box(Ipv4Addr::from(job.destination(n))))
                .own_gateway(black_box(Ipv4Addr::from(GATEWAY)))
                .oif(black_box(job.oif));
            black_box(&request);
        }
        request.to_request().len()
    });
    Ok(Outcome::new(cost, len as u64))
}

fn connections() -> ListRequest<netlink_core::Dump<InetSocket<'static>>> {
    inet::list(netlink_sockdiag::Family::INET, IpProtocol::TCP).states(State::ESTABLISHED)
}

/// Every attribute of a socket that is sent without a request for it; returns its ports.
#[inline(always)]
fn sum_of_socket(socket: &InetSocket<'_>) -> u64 {
    each!(socket, shutdown mark cgroup_id options);
    let header = socket.header();
    black_box(&header);
    u64::from(header.id.source_port.0) << 16 | u64::from(header.id.dest_port.0)
}

fn sock_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_sockdiag::connect()?;
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        let mut sum = 0u64;
        let mut sockets = connection.dump(connections())?;
        while let Some(socket) = sockets.next()? {
            sum = sum.wrapping_add(sum_of_socket(&socket));
        }
        Ok(sum)
    });
    Ok(Outcome::new(cost, sum?))
}

async fn tokio_sock_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_sockdiag::tokio::connect()?;
    let meter = Meter::start();
    let mut sum = 0u64;
    let mut sockets = connection.dump(connections()).await?;
    while let Some(socket) = sockets.next().await? {
        sum = sum.wrapping_add(sum_of_socket(&socket));
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn tokio_route_add(job: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::tokio::connect()?;
    let mut request = KeptAdd::new(job.oif);
    let meter = Meter::start();
    for n in 0..job.count {
        connection.call(request.to(job.destination(n))?).await?;
    }
    Ok(Outcome::new(meter.stop(), 0))
}

async fn tokio_route_add_batch(job: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::tokio::connect()?;
    let meter = Meter::start();
    let results = connection.batch(adds(job)).await;
    let cost = meter.stop();
    all_done(results)?;
    Ok(Outcome::new(cost, 0))
}

async fn tokio_route_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::tokio::connect()?;
    let meter = Meter::start();
    let mut sum = 0u64;
    let mut routes = connection.dump(all_routes()).await?;
    while let Some(route) = routes.next().await? {
        sum = sum.wrapping_add(sum_of(&route));
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn tokio_route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::tokio::connect()?;
    let meter = Meter::start();
    let routes = connection.dump(all_routes()).await?.collect().await?;
    let sum = sum_of_owned(&black_box(routes))?;
    Ok(Outcome::new(meter.stop(), sum))
}

async fn tokio_links(connection: &mut netlink_core::tokio::Connection) -> Result<u64, Fault> {
    let mut sum = 0;
    let mut links = connection.dump(link::list()).await?;
    while let Some(link) = links.next().await? {
        visit(&link);
        sum += u64::from(link.header().index);
    }
    Ok(sum)
}

async fn tokio_link_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::tokio::connect()?;
    tokio_links(&mut connection).await?;
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..LINK_DUMPS {
        sum = tokio_links(&mut connection).await?;
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn tokio_link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::tokio::connect()?;
    connection.dump(link::list()).await?.collect().await?;
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..LINK_DUMPS {
        let links = black_box(connection.dump(link::list()).await?.collect().await?);
        sum = sum_of_owned_links(&links)?;
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn tokio_link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_route::tokio::connect()?;
    let meter = Meter::start();
    connection.call(link::delete_group(GROUP)).await?;
    Ok(Outcome::new(meter.stop(), 0))
}

async fn tokio_conntrack_dump(_: &Job) -> Result<Outcome, Fault> {
    let mut connection = netlink_netfilter::tokio::connect()?;
    let meter = Meter::start();
    let mut sum = 0u64;
    let mut entries = connection.dump(all_connections()).await?;
    while let Some(entry) = entries.next().await? {
        sum = sum.wrapping_add(sum_of_connection(&entry));
    }
    Ok(Outcome::new(meter.stop(), sum))
}

async fn tokio_events(job: &Job) -> Result<Outcome, Fault> {
    let mut events =
        netlink_core::tokio::Events::<Route<'static>>::open(Protocol::ROUTE, &[Group::IPV4_ROUTE.0])?;
    let mut generator = job.generator()?;
    let meter = Meter::start();
    generator.go()?;
    let mut seen = 0;
    while seen < job.count {
        match tokio::time::timeout(SILENCE, events.next()).await {
            Ok(Ok(Notice::Event { event, .. })) => {
                black_box(sum_of(&event));
                seen += 1;
            }
            Ok(Ok(Notice::Overrun)) => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => break,
        }
    }
    let cost = meter.stop();
    generator.finish()?;
    Ok(Outcome::events(cost, job.count, seen))
}
