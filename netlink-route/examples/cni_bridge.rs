//! A plugin for container networks (CNI): connects a container to a bridge, like the reference plugin `bridge`, with
//! the addresses and routes of the configuration. The runtime gives the command in the environment and the
//! configuration on standard input. The answer, or an error, is JSON on standard output. As root:
//!
//! ```sh
//! ip netns add pod
//! export CNI_NETNS=/run/netns/pod CNI_CONTAINERID=pod CNI_IFNAME=eth0
//! CNI_COMMAND=ADD cargo run -p netlink-route --example cni_bridge <<'END'
//! {"cniVersion": "1.0.0", "name": "lab", "bridge": "cni0", "isGateway": true, "ipam": {
//!     "addresses": [{"address": "10.1.0.2/24", "gateway": "10.1.0.1"}],
//!     "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}]}}
//! END
//! ```
//!
//! `CHECK` needs the same configuration, `DEL` any. If `ADD` fails, it removes the pair of links, or reports
//! that the pair remains. The bridge remains, because it can have other containers.

#![allow(clippy::indexing_slicing)] // A JSON object gives null for what it doesn't have.

use std::fmt::Display;
use std::io::Read as _;
use std::net::IpAddr;
use std::process::ExitCode;
use std::str::FromStr;

use netlink_route::addr::{self, AddressFlags};
use netlink_route::link::{self, Bridge, Kind, Veth};
use netlink_route::{Addr, Connection, Error, Namespace, OpenOptions, route};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut config = String::new();
    let read = std::io::stdin().read_to_string(&mut config);
    let read = read.map_err(|error| Failure::new(IO, format!("standard input: {error}")));
    match read.and_then(|_| run(|name| std::env::var(name).ok(), &config)) {
        Ok(Value::Null) => ExitCode::SUCCESS,
        Ok(answer) => {
            println!("{answer:#}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{:#}", json!({"cniVersion": "1.0.0", "code": failure.code, "msg": failure.message}));
            ExitCode::FAILURE
        }
    }
}

/// Error numbers of CNI; a plugin's own numbers begin at 100.
const ENVIRONMENT: u32 = 4;
const IO: u32 = 5;
const DECODE: u32 = 6;
const CONFIG: u32 = 7;
const KERNEL: u32 = 100;
const WRONG: u32 = 101;

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u32,
    pub(crate) message: String,
}

impl Failure {
    fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(KERNEL, error.to_string())
    }
}

/// Executes `CNI_COMMAND`. `variable` returns a variable of the environment.
pub(crate) fn run(variable: impl Fn(&str) -> Option<String>, config: &str) -> Result<Value, Failure> {
    let needed = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Failure::new(ENVIRONMENT, format!("{name} is not set")))
    };
    let network = || Network::parse(config);
    match needed("CNI_COMMAND")?.as_str() {
        "ADD" => add(&network()?, &needed("CNI_NETNS")?, &needed("CNI_IFNAME")?),
        "CHECK" => check(&network()?, &needed("CNI_NETNS")?, &needed("CNI_IFNAME")?),
        // The runtime omits the variable if the namespace no longer exists; then the pair does not exist either.
        "DEL" if needed("CNI_NETNS").is_err() => Ok(Value::Null),
        "DEL" => delete(&needed("CNI_NETNS")?, &needed("CNI_IFNAME")?),
        "VERSION" => Ok(json!({"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]})),
        other => {
            Err(Failure::new(ENVIRONMENT, format!("CNI_COMMAND is {other}: ADD, CHECK, DEL or VERSION")))
        }
    }
}

struct Network {
    version: String,
    bridge: String,
    is_gateway: bool,
    mtu: Option<u32>,
    addresses: Vec<(Addr, Option<IpAddr>)>,
    routes: Vec<(Addr, Option<IpAddr>)>,
}

impl Network {
    fn parse(config: &str) -> Result<Self, Failure> {
        let config: Value = serde_json::from_str(config)
            .map_err(|error| Failure::new(DECODE, format!("the configuration is no JSON: {error}")))?;
        let mtu = match &config["mtu"] {
            Value::Null => None,
            mtu => Some(mtu.as_u64().and_then(|mtu| mtu.try_into().ok()).ok_or_else(|| wrong("mtu", mtu))?),
        };
        Ok(Self {
            version: text(&config, "cniVersion")?.unwrap_or_else(|| "1.0.0".to_owned()),
            bridge: text(&config, "bridge")?.unwrap_or_else(|| "cni0".to_owned()),
            is_gateway: config["isGateway"] == true,
            mtu,
            addresses: pairs(&config["ipam"], ["addresses", "address", "gateway"])?,
            routes: pairs(&config["ipam"], ["routes", "dst", "gw"])?,
        })
    }
}

/// A list of prefixes, each with an address that it may have.
fn pairs(ipam: &Value, [list, prefix, ip]: [&str; 3]) -> Result<Vec<(Addr, Option<IpAddr>)>, Failure> {
    let entries = match &ipam[list] {
        Value::Null => return Ok(Vec::new()),
        entries => entries.as_array().ok_or_else(|| wrong(list, entries))?,
    };
    let pair = |entry| Ok((text(entry, prefix)?.ok_or_else(|| wrong(list, entry))?, text(entry, ip)?));
    entries.iter().map(pair).collect()
}

/// A text of the configuration, parsed as the required type.
fn text<T: FromStr<Err: Display>>(entry: &Value, name: &str) -> Result<Option<T>, Failure> {
    match &entry[name] {
        Value::Null => Ok(None),
        Value::String(text) => {
            text.parse().map(Some).map_err(|error| Failure::new(CONFIG, format!("{name}: {error}")))
        }
        other => Err(wrong(name, other)),
    }
}

fn wrong(name: &str, value: &Value) -> Failure {
    Failure::new(CONFIG, format!("{name} can't be {value}"))
}

/// A connection in the container's namespace; the calling thread does not change its namespace.
fn inside(container: &Namespace) -> Result<Connection, Error> {
    netlink_route::connect_with(&OpenOptions::new().namespace(container))
}

fn add(network: &Network, netns: &str, ifname: &str) -> Result<Value, Failure> {
    let container = Namespace::open_path(netns)?;
    let (mut host, mut inside) = (netlink_route::connect()?, inside(&container)?);
    let bridge = bridge(&mut host, network)?;
    let mut peer = link::peer(ifname).net_ns(&container);
    let mut port = link::create("veth%d").master(bridge).up();
    if let Some(mtu) = network.mtu {
        (peer, port) = (peer.mtu(mtu), port.mtu(mtu));
    }
    // Makes both ends, or none.
    host.call(port.kind(Veth::new().peer(peer)))?;
    configure(&mut inside, network, ifname)
        .and_then(|()| answer(&mut host, &mut inside, network, netns, ifname))
        .map_err(|error| match inside.call(link::delete(ifname)) {
            Ok(()) => Failure::from(error),
            Err(left) => Failure::new(KERNEL, format!("{error}; {ifname} is left in {netns}: {left}")),
        })
}

/// The bridge; it is made if it does not exist.
fn bridge(nl: &mut Connection, network: &Network) -> Result<u32, Failure> {
    match nl.call(link::create(&network.bridge).kind(Bridge::new())) {
        Err(error) if error.is_exists() => {}
        made => made?,
    }
    let link = nl.call(link::get(&network.bridge))?;
    if !matches!(link.kind(), Some(Kind::Bridge(_))) {
        return Err(Failure::new(CONFIG, format!("{} is no bridge", network.bridge)));
    }
    nl.call(link::set(link.index()).up())?;
    let gateways = network.addresses.iter().filter(|_| network.is_gateway);
    for (address, gateway) in gateways {
        let Some(gateway) = gateway else { continue };
        let own = Addr::new(*gateway, address.prefix_len());
        let own = own.map_err(|error| Failure::new(CONFIG, format!("gateway {gateway}: {error}")))?;
        match nl.call(addr::add(link.index(), own)) {
            Err(error) if error.is_exists() => {}
            added => added?,
        }
    }
    Ok(link.index())
}

/// Addresses and routes of the container's end.
fn configure(inside: &mut Connection, network: &Network, ifname: &str) -> Result<(), Error> {
    let index = inside.call(link::get(ifname))?.index();
    inside.call(link::set(index).up())?;
    for (address, _) in &network.addresses {
        let request = addr::add(index, *address);
        // Without it, an IPv6 address can't be used before duplicate address detection ends.
        let at_once = if address.ip().is_ipv6() { request.flags(AddressFlags::NODAD) } else { request };
        inside.call(at_once)?;
    }
    for (to, gateway) in &network.routes {
        let route = route::add(*to).oif(index);
        inside.call(if let Some(gateway) = gateway { route.gateway(*gateway) } else { route })?;
    }
    Ok(())
}

/// CNI's description of a network that was set up.
fn answer(
    host: &mut Connection,
    inside: &mut Connection,
    network: &Network,
    netns: &str,
    ifname: &str,
) -> Result<Value, Error> {
    let end = inside.call(link::get(ifname))?;
    let port = host.call(link::get(end.link().unwrap_or_default()))?;
    let bridge = host.call(link::get(&network.bridge))?;
    let interface = |link: &link::Link<'_>, sandbox: Option<&str>| {
        let mac = link.address().map(|mac| mac.to_string());
        json!({"name": link.name().map(|name| name.to_string()), "mac": mac, "sandbox": sandbox})
    };
    let gateway = |gateway: &Option<IpAddr>| gateway.map(|ip| ip.to_string());
    let ips = network.addresses.iter().map(
        |(address, via)| json!({"address": address.to_string(), "gateway": gateway(via), "interface": 2}),
    );
    let routes = network.routes.iter().map(|(to, via)| json!({"dst": to.to_string(), "gw": gateway(via)}));
    Ok(json!({
        "cniVersion": network.version,
        "interfaces": [interface(&bridge, None), interface(&port, None), interface(&end, Some(netns))],
        "ips": ips.collect::<Vec<_>>(),
        "routes": routes.collect::<Vec<_>>(),
    }))
}

/// Whether everything is as `ADD` made it.
fn check(network: &Network, netns: &str, ifname: &str) -> Result<Value, Failure> {
    let missing = |what: String| Failure::new(WRONG, format!("{what} is missing in {netns}"));
    let (mut host, mut inside) = (netlink_route::connect()?, inside(&Namespace::open_path(netns)?)?);
    let end = inside.call(link::get(ifname))?;
    let port = host.call(link::get(end.link().unwrap_or_default()))?;
    if port.master() != Some(host.call(link::get(&network.bridge))?.index()) {
        return Err(Failure::new(WRONG, format!("{ifname} of {netns} is not on {}", network.bridge)));
    }
    let addresses = inside.dump(addr::list().link(end.index()))?.to_vec()?;
    for (wanted, _) in &network.addresses {
        if !addresses.iter().any(|address| address.addr() == Some(*wanted)) {
            return Err(missing(wanted.to_string()));
        }
    }
    let routes = inside.dump(route::list().oif(end.index()))?.to_vec()?;
    for (to, gateway) in &network.routes {
        if !routes.iter().any(|route| route.destination() == Some(*to) && route.gateway() == *gateway) {
            return Err(missing(format!("a route to {to}")));
        }
    }
    Ok(Value::Null)
}

/// Removes the pair. If it does not exist, that is not an error.
fn delete(netns: &str, ifname: &str) -> Result<Value, Failure> {
    let container = match Namespace::open_path(netns) {
        Err(error) if error.is_not_found() => return Ok(Value::Null),
        opened => opened?,
    };
    let mut inside = inside(&container)?;
    let end = match inside.call(link::get(ifname)) {
        Err(error) if error.is_not_found() => return Ok(Value::Null),
        found => found?,
    };
    if !matches!(end.kind(), Some(Kind::Veth(_))) {
        return Err(Failure::new(WRONG, format!("{ifname} of {netns} is no veth: it stays")));
    }
    match inside.call(link::delete(end.index())) {
        Err(error) if error.is_not_found() => Ok(Value::Null),
        deleted => Ok(deleted.map(|()| Value::Null)?),
    }
}
