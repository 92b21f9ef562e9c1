//! `cargo xtask demo`: shows the crates at work on this machine, without root and without remains.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use netlink_route::event::{Change, Event, Group};
use netlink_route::link::{self, Bridge, Kind, Link, Veth, Vxlan};
use netlink_route::{Connection, Error, Events, Namespace, Notice, OpenOptions, addr, route};
use serde_json::{Value, json};
use termtree::Tree;

/// Builds a small network in its own namespaces, watches it, sends packets through it, shows it, and removes
/// it. Needs neither root nor packages.
#[derive(clap::Args)]
pub struct Arguments {
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

/// Number of datagrams that cross the bridge and return.
const ECHOES: u32 = 500;

/// One side of the network.
struct Side {
    name: &'static str,
    namespace: Namespace,
    nl: Connection,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let start = Instant::now();
    enter_namespaces().context(
        "the demo needs a user namespace of its own; this system forbids them (sysctl \
         user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)",
    )?;
    let mut host = Side { name: "host", namespace: Namespace::current()?, nl: netlink_route::connect()? };
    let mut events = netlink_route::subscribe(&[
        Group::LINK,
        Group::IPV4_ADDR,
        Group::IPV6_ADDR,
        Group::IPV4_ROUTE,
        Group::IPV6_ROUTE,
    ])?;
    events.set_timeout(Some(Duration::from_millis(100)))?;

    let br0 = build_bridge(&mut host)?;
    let mut sides = vec![side("red")?, side("blue")?];
    for (side, number) in sides.iter_mut().zip(2u8..) {
        attach(&mut host, side, br0, number)?;
    }
    build_overlay(&mut host, br0)?;
    build_routes(&mut host, br0)?;
    let (echoed, took) = echo(&sides)?;
    let mistake = provoke(&mut host)?;

    sides.insert(0, host);
    let shown = if arguments.json { json_of(&mut sides)? } else { draw(&mut sides)? };
    let left = clean_up(&mut sides)?;
    let seen = watch(&mut events)?;

    if arguments.json {
        let all = json!({
            "namespaces": shown,
            "echo": { "sent": ECHOES, "returned": echoed, "microseconds": took.as_micros() },
            "mistake": mistake,
            "events": seen,
            "links_left": left,
            "milliseconds": start.elapsed().as_millis(),
        });
        println!("{all:#}");
    } else {
        println!("{}\n", shown.as_str().unwrap_or_default());
        println!("UDP from red to blue and back, over the bridge: {echoed} of {ECHOES} in {took:.1?}\n");
        println!("A mistake, a VXLAN id of 2^24, and what the kernel says of it:\n  {mistake}\n");
        println!("What the event stream saw, {} events:", seen.len());
        for line in summary(&seen) {
            println!("  {line}");
        }
        println!("\nCleaned up: {} left. {:.0?} in all.", left.join(", "), start.elapsed());
    }
    let clean = left == ["lo"] && echoed == ECHOES;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Moves the process, which must have one thread, into new namespaces. An ordinary user first enters a user
/// namespace as its root.
pub(crate) fn enter_namespaces() -> Result<()> {
    use nix::sched::{CloneFlags, unshare};
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if uid.is_root() && unshare(CloneFlags::CLONE_NEWNET).is_ok() {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
    // Otherwise the kernel accepts no group map from an ordinary user.
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    Ok(())
}

fn build_bridge(host: &mut Side) -> Result<u32> {
    let nl = &mut host.nl;
    nl.call(link::set("lo").up())?;
    nl.call(link::create("br0").kind(Bridge::new().mcast_snooping(false).forward_delay(0)))?;
    let br0 = nl.call(link::get("br0"))?.index();
    nl.call(link::set(br0).up())?;
    nl.call(addr::add(br0, "10.77.0.1/24".parse()?))?;
    Ok(br0)
}

fn side(name: &'static str) -> Result<Side> {
    let namespace = Namespace::anonymous()?;
    let nl = netlink_route::connect_with(&OpenOptions::new().namespace(&namespace))?;
    Ok(Side { name, namespace, nl })
}

/// A veth pair: one end is a port of the bridge, the other is `eth0` in the side's namespace.
fn attach(host: &mut Side, side: &mut Side, br0: u32, number: u8) -> Result<()> {
    let port = format!("to-{}", side.name);
    let eth0 = link::peer("eth0").net_ns_fd(side.namespace.as_raw_fd()).mtu(1400);
    host.nl.call(link::create(&port).kind(Veth::new().peer(eth0)).mtu(1400).master(br0).up())?;
    let nl = &mut side.nl;
    nl.call(link::set("lo").up())?;
    let eth0 = nl.call(link::get("eth0"))?.index();
    nl.call(link::set(eth0).up())?;
    nl.call(addr::add(eth0, format!("10.77.0.{number}/24").parse()?))?;
    nl.call(route::add(netlink_route::Addr::DEFAULT_V4).gateway(IpAddr::from([10, 77, 0, 1])))?;
    Ok(())
}

fn build_overlay(host: &mut Side, br0: u32) -> Result<()> {
    let vxlan = Vxlan::new().id(77).port(4789).link(br0).local(Ipv4Addr::new(10, 77, 0, 1));
    let nl = &mut host.nl;
    nl.call(link::create("vx77").kind(vxlan.group(Ipv4Addr::new(239, 7, 7, 7))).up())?;
    let vx77 = nl.call(link::get("vx77"))?.index();
    nl.call(addr::add(vx77, "10.78.0.1/24".parse()?))?;
    Ok(())
}

fn build_routes(host: &mut Side, br0: u32) -> Result<()> {
    let gateway = |last| IpAddr::from(Ipv4Addr::new(10, 77, 0, last));
    let routes = [
        route::add("192.0.2.0/24".parse()?).gateway(gateway(2)).priority(100),
        route::add("198.51.100.0/24".parse()?)
            .oif(br0)
            .gateway(gateway(3))
            .metrics(route::Metrics::new().mtu(1300)),
        route::add("203.0.113.0/24".parse()?).kind(route::RouteType::BLACKHOLE),
    ];
    host.nl.batch(routes).into_iter().collect::<Result<Vec<()>, Error>>()?;
    Ok(())
}

/// Sends datagrams from the first side to the second, which returns them.
fn echo(sides: &[Side]) -> Result<(u32, Duration)> {
    let [red, blue] = sides else { return Ok((0, Duration::ZERO)) };
    // A socket stays in the namespace in which it was made, on every thread.
    let server = blue.namespace.run(|| UdpSocket::bind("10.77.0.3:7777"))??;
    let client = red.namespace.run(|| UdpSocket::bind("10.77.0.2:0"))??;
    for socket in [&server, &client] {
        socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    }
    client.connect("10.77.0.3:7777")?;
    std::thread::scope(|scope| {
        let answering = scope.spawn(move || {
            let mut buffer = [0; 64];
            while let Ok((length, from)) = server.recv_from(&mut buffer) {
                if length == 0 || server.send_to(buffer.get(..length).unwrap_or_default(), from).is_err() {
                    break;
                }
            }
        });
        let start = Instant::now();
        let mut returned = 0;
        for number in 0..ECHOES {
            client.send(&number.to_be_bytes())?;
            let mut answer = [0; 4];
            if client.recv(&mut answer).is_ok_and(|length| length == 4) && answer == number.to_be_bytes() {
                returned += 1;
            }
        }
        let took = start.elapsed();
        client.send(&[])?;
        answering.join().ok().context("the echo server panicked")?;
        Ok((returned, took))
    })
}

fn provoke(host: &mut Side) -> Result<String> {
    match host.nl.call(link::create("wrong").kind(Vxlan::new().id(1 << 24))) {
        Err(error) => Ok(error.to_string()),
        Ok(()) => anyhow::bail!("the kernel took a VXLAN id of 2^24"),
    }
}

/// The network as trees: each namespace with its links below their masters, their addresses, then the routes.
fn draw(sides: &mut [Side]) -> Result<Value> {
    let mut text = String::new();
    for side in sides {
        let links = side.nl.dump(link::list())?.collect()?;
        let links = links.iter().map(|link| link.view()).collect::<Result<Vec<_>, _>>()?;
        let addresses = side.nl.dump(addr::list())?.collect()?;
        let addresses = addresses.iter().map(|address| address.view()).collect::<Result<Vec<_>, _>>()?;
        let mut tree = Tree::new(format!("namespace {}", side.name));
        for link in links.iter().filter(|link| link.master().is_none()) {
            tree.push(branch(link, &links, &addresses));
        }
        let mut routes = Tree::new("routes".to_owned());
        for route in &side.nl.dump(route::list().table(254).family(netlink_route::Family::INET))?.collect()? {
            routes.push(Tree::new(name_links(&route.to_string(), &links)));
        }
        tree.push(routes);
        text.push_str(&tree.to_string());
    }
    Ok(Value::String(text.trim_end().to_owned()))
}

fn branch(link: &Link<'_>, links: &[Link<'_>], addresses: &[addr::Address<'_>]) -> Tree<String> {
    let mut tree = Tree::new(label(link));
    for address in addresses.iter().filter(|address| address.link() == link.index()) {
        tree.push(Tree::new(address.to_string()));
    }
    for port in links.iter().filter(|port| port.master() == Some(link.index())) {
        tree.push(branch(port, links, addresses));
    }
    tree
}

fn label(link: &Link<'_>) -> String {
    let name = link.name().unwrap_or_default();
    let state = if link.is_up() { "up" } else { "down" };
    let mtu = link.mtu().unwrap_or_default();
    let kind = match link.kind() {
        None => String::new(),
        Some(Kind::Vxlan(vxlan)) => format!(" vxlan {}", vxlan.id().unwrap_or_default()),
        Some(Kind::Veth(_)) => match (link.link_netnsid(), link.link()) {
            (Some(nsid), Some(peer)) => format!(" veth, wired to link {peer} of namespace id {nsid}"),
            _ => " veth".to_owned(),
        },
        Some(kind) => format!(" {}", kind.name()),
    };
    format!("{name}{kind}, mtu {mtu}, {state}")
}

/// Replaces the link numbers in a route by names.
fn name_links(route: &str, links: &[Link<'_>]) -> String {
    let words = route.split(' ').map(|word| {
        let index = word.strip_prefix('#').and_then(|index| index.parse().ok());
        let link = index.and_then(|index: u32| links.iter().find(|link| link.index() == index));
        link.and_then(|link| link.name()).map_or_else(|| word.to_owned(), |name| name.to_string())
    });
    words.collect::<Vec<_>>().join(" ")
}

fn json_of(sides: &mut [Side]) -> Result<Value> {
    let mut all = serde_json::Map::new();
    for side in sides {
        let value = json!({
            "links": side.nl.dump(link::list())?.collect()?,
            "addresses": side.nl.dump(addr::list())?.collect()?,
            "routes": side.nl.dump(route::list().table(254))?.collect()?,
        });
        all.insert(side.name.to_owned(), value);
    }
    Ok(all.into())
}

/// Deletes the network, and returns the links that remain in the host's namespace.
fn clean_up(sides: &mut [Side]) -> Result<Vec<String>> {
    // Deleting an end of a pair deletes the other end in its namespace too.
    let host = sides.first_mut().context("the host is the first side")?;
    for name in ["to-red", "to-blue", "vx77", "br0"] {
        host.nl.call(link::delete(name))?;
    }
    let links = host.nl.dump(link::list())?.collect()?;
    let mut names = Vec::new();
    for link in &links {
        let link = link.view()?;
        // Some kernels have fallback tunnels in every namespace.
        if link.is_up() || link.index() == 1 {
            names.push(link.name().unwrap_or_default().to_string());
        }
    }
    Ok(names)
}

fn watch(events: &mut Events<Event<'static>>) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    loop {
        match events.next() {
            Ok(Notice::Event { event, .. }) => seen.push(describe(&event)),
            Ok(Notice::Overrun) => seen.push("overrun".to_owned()),
            Err(Error::Timeout(_)) => return Ok(seen),
            Err(error) => return Err(error.into()),
        }
    }
}

fn describe(event: &Event<'_>) -> String {
    let (change, what) = match event {
        Event::Link(change, link) => (change, format!("link {}", link.name().unwrap_or_default())),
        Event::BridgePort(change, link) => (change, format!("port {}", link.name().unwrap_or_default())),
        Event::Address(change, address) => (change, format!("address {address}")),
        Event::Route(change, route) => (change, format!("route {route}")),
        other => return format!("{other:?}"),
    };
    let change = match change {
        Change::New => "new",
        Change::Changed => "changed",
        Change::Deleted => "deleted",
        _ => "?",
    };
    format!("{change} {what}")
}

/// The first and the last events, and the number of events of each kind.
fn summary(seen: &[String]) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for line in seen {
        let kind = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        *counts.entry(kind).or_default() += 1;
    }
    let counts = counts.iter().map(|(kind, count)| format!("{count:3} {kind}"));
    counts.collect()
}
