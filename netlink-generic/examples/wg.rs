//! Shows and configures WireGuard links, like `wg`. `ip link add wg0 type wireguard` makes the links. As root:
//!
//! ```sh
//! wg() { cargo run -q -p netlink-generic --example wg --features wireguard -- "$@"; }
//! wg show wg0
//! wg set wg0 listen-port 51820 private-key /etc/wireguard/key peer xTIBA5rb…Dg= allowed-ips 10.0.0.0/24,fd00::/64
//! wg setconf wg0 /etc/wireguard/wg0.conf     # replaces everything: other peers are removed
//! wg addconf wg0 more.conf                   # adds to the existing configuration
//! ```

use std::fmt::{Display, Write as _};
use std::fs;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use netlink_generic::wireguard::{self, Device, DeviceConfig, PeerConfig};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("wg: {error}");
            ExitCode::FAILURE
        }
    }
}

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Executes the arguments, and returns the text to print.
pub(crate) fn run(arguments: &[&str]) -> Result<String> {
    let config = match arguments {
        ["show", link] => {
            let parts = wireguard::connect()?.dump(wireguard::get(link))?.collect()?;
            return Ok(show(&Device::new(&parts)?)?);
        }
        ["set", link, changes @ ..] => from_words(DeviceConfig::new(link), changes)?,
        ["setconf", link, file] => {
            let nothing =
                DeviceConfig::new(link).replace_peers().remove_private_key().listen_port(0).fwmark(0);
            from_file(nothing, &read(file)?)?
        }
        ["addconf", link, file] => from_file(DeviceConfig::new(link), &read(file)?)?,
        _ => return Err("show LINK, set LINK CHANGES, setconf LINK FILE or addconf LINK FILE".into()),
    };
    let mut nl = wireguard::connect()?;
    for request in config.split() {
        nl.call(request)?;
    }
    Ok(String::new())
}

fn read(file: &str) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))
}

/// A configuration in the words of `wg set`: `listen-port 51820 peer KEY allowed-ips 10.0.0.0/24`.
pub(crate) fn from_words(mut config: DeviceConfig, words: &[&str]) -> Result<DeviceConfig, String> {
    let mut words = words.iter().copied().peekable();
    let mut peer = None;
    while let Some(name) = words.next() {
        let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
        let value = match name {
            // From a file, so that the key is not visible in the list of processes.
            "private-key" | "preshared-key" => read(value)?,
            _ => value.to_owned(),
        };
        let named = |error| format!("{name}: {error}");
        match (name, peer.take()) {
            ("peer", before) => {
                config = config.peers(before);
                let key = parse(&value).map_err(named)?;
                let remove = words.next_if_eq(&"remove").is_some();
                peer = Some(if remove { PeerConfig::remove(key) } else { PeerConfig::new(key) });
            }
            (_, Some(changes)) => {
                let all = name == "allowed-ips";
                let changes = if all { changes.replace_allowed_ips() } else { changes };
                peer = Some(of_peer(changes, name, &value).map_err(named)?);
            }
            (_, None) => config = of_device(config, name, &value).map_err(named)?,
        }
    }
    Ok(config.peers(peer))
}

/// A line of a file: its number, the name and the value.
type Line<'t> = (usize, &'t str, &'t str);

/// A configuration file: sections `[Interface]` and `[Peer]` with lines `Name = Value`.
pub(crate) fn from_file(mut config: DeviceConfig, text: &str) -> Result<DeviceConfig, String> {
    let mut sections: Vec<(usize, &str, Vec<Line<'_>>)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        let title = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        match (title, line.split_once('='), sections.last_mut()) {
            _ if line.is_empty() => {}
            (Some(title), ..) => sections.push((number, title, Vec::new())),
            (None, Some((name, value)), Some((.., lines))) => lines.push((number, name.trim(), value.trim())),
            _ => return Err(format!("line {number}: neither [Section] nor Name = Value below one")),
        }
    }
    let at = |number, name| move |error| format!("line {number}: {name}: {error}");
    for (number, title, lines) in sections {
        if title.eq_ignore_ascii_case("Interface") {
            for (number, name, value) in lines {
                config = of_device(config, name, value).map_err(at(number, name))?;
            }
        } else if title.eq_ignore_ascii_case("Peer") {
            let is_key = |name: &str| name.eq_ignore_ascii_case("PublicKey");
            let key = lines.iter().find(|(_, name, _)| is_key(name));
            let (number, name, key) =
                *key.ok_or_else(|| format!("line {number}: a peer without PublicKey"))?;
            let mut peer = PeerConfig::new(parse(key).map_err(at(number, name))?).replace_allowed_ips();
            for (number, name, value) in lines.into_iter().filter(|(_, name, _)| !is_key(name)) {
                peer = of_peer(peer, name, value).map_err(at(number, name))?;
            }
            config = config.peer(peer);
        } else {
            return Err(format!("line {number}: [{title}] is neither [Interface] nor [Peer]"));
        }
    }
    Ok(config)
}

/// `ListenPort` of a file is `listen-port` of the command line.
fn plain(name: &str) -> String {
    name.replace('-', "").to_ascii_lowercase()
}

fn of_device(config: DeviceConfig, name: &str, value: &str) -> Result<DeviceConfig, String> {
    Ok(match plain(name).as_str() {
        "privatekey" => config.private_key(parse(value)?),
        "listenport" => config.listen_port(parse(value)?),
        "fwmark" => config.fwmark(match (value, value.strip_prefix("0x")) {
            ("off", _) => 0,
            (_, Some(digits)) => u32::from_str_radix(digits, 16).map_err(|error| error.to_string())?,
            _ => parse(value)?,
        }),
        _ => return Err("not a setting of a link".to_owned()),
    })
}

fn of_peer(peer: PeerConfig, name: &str, value: &str) -> Result<PeerConfig, String> {
    Ok(match plain(name).as_str() {
        "presharedkey" => peer.preshared_key(parse(value)?),
        "endpoint" => peer.endpoint(endpoint(value)?),
        "persistentkeepalive" => peer.persistent_keepalive(if value == "off" { 0 } else { parse(value)? }),
        "allowedips" => {
            let ips = value.split(',').map(str::trim).filter(|ip| !ip.is_empty()).map(parse);
            peer.allowed_ips(ips.collect::<Result<Vec<_>, _>>()?)
        }
        _ => return Err("not a setting of a peer".to_owned()),
    })
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|error: T::Err| error.to_string())
}

/// An address and a port, or a host name to resolve.
fn endpoint(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| format!("{text}: {error}"))?;
    found.next().ok_or_else(|| format!("{text} has no address"))
}

/// Like the output of `wg show`, with plain seconds and bytes.
pub(crate) fn show(device: &Device) -> Result<String, std::fmt::Error> {
    let mut text = format!("interface: {}\n", device.ifname.as_deref().unwrap_or_default());
    if let (Some(key), Some(_)) = (device.public_key, &device.private_key) {
        writeln!(text, "  public key: {key}\n  private key: (hidden)")?;
    }
    if let Some(port) = device.listen_port.filter(|port| *port != 0) {
        writeln!(text, "  listening port: {port}")?;
    }
    if let Some(mark) = device.fwmark.filter(|mark| *mark != 0) {
        writeln!(text, "  fwmark: {mark:#x}")?;
    }
    for peer in &device.peers {
        writeln!(text, "\npeer: {}", peer.public_key)?;
        if peer.preshared_key.is_some() {
            writeln!(text, "  preshared key: (hidden)")?;
        }
        if let Some(endpoint) = peer.endpoint {
            writeln!(text, "  endpoint: {endpoint}")?;
        }
        let ips: Vec<_> = peer.allowed_ips.iter().map(ToString::to_string).collect();
        let ips = if ips.is_empty() { "(none)".to_owned() } else { ips.join(", ") };
        writeln!(text, "  allowed ips: {ips}")?;
        if let Some(handshake) = peer.last_handshake {
            let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO);
            writeln!(text, "  latest handshake: {} seconds ago", now.saturating_sub(handshake).as_secs())?;
        }
        if peer.rx_bytes > 0 || peer.tx_bytes > 0 {
            writeln!(text, "  transfer: {} B received, {} B sent", peer.rx_bytes, peer.tx_bytes)?;
        }
        if peer.persistent_keepalive > 0 {
            writeln!(text, "  persistent keepalive: every {} seconds", peer.persistent_keepalive)?;
        }
    }
    Ok(text)
}
