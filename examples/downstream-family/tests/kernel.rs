//! Tests against the running kernel, each in a network namespace of its own.

#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

use netlink_testing::{Need, Result, generic, init_namespace, ipv6, patience, program, suite};

const FAMILY: Need = generic("tcp_metrics");
const IP: Need = program("ip");
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

suite! {
    a_connection_is_remembered_as_ip_shows_it: FAMILY, IP;
    an_ipv6_peer_is_remembered: FAMILY, IP, ipv6();
    a_peer_is_forgotten_by_us_and_by_ip: FAMILY, IP, init_namespace();
    an_error_names_the_missing_permission: FAMILY, program("setpriv");
    an_unknown_peer_is_not_found: FAMILY;
    on_a_reactor: FAMILY, IP;
}

fn main() -> ExitCode {
    netlink_testing::main(&[TESTS])
}

fn ip(arguments: &[&str]) -> Result<String> {
    let output = Command::new("ip").args(arguments).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Makes a connection over the loopback link and closes it: then the kernel stores its measurements.
fn talk(peer: IpAddr) -> Result {
    ip(&["link", "set", "lo", "up"])?;
    let listener = TcpListener::bind((peer, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    let mut byte = [0];
    for _ in 0..4 {
        client.write_all(b"?")?;
        server.read_exact(&mut byte)?;
        server.write_all(b"!")?;
        client.read_exact(&mut byte)?;
    }
    drop((client, listener));
    assert_eq!(server.read(&mut byte)?, 0);
    drop(server);
    // A busy kernel closes the rest later. In TIME_WAIT, 06, it has stored the measurements of both ends.
    let open = |name| {
        fs::read_to_string(format!("/proc/thread-self/net/{name}"))
            .map(|text| text.lines().skip(1).any(|line| line.split_whitespace().nth(3) != Some("06")))
    };
    let mut nl = tcp_metrics::connect()?;
    for _ in 0..500 * patience() {
        if !open("tcp")? && !open("tcp6")? && nl.call(tcp_metrics::get(peer)).is_ok() {
            return Ok(());
        }
        sleep(Duration::from_millis(10));
    }
    Err(format!("nothing is remembered of {peer}").into())
}

/// The value after a word of a line such as `127.0.0.1 age 0.004sec cwnd 10 rtt 58us rttvar 58us source 127.0.0.1`.
fn value<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let mut words = line.split_whitespace();
    words.find(|word| *word == name)?;
    words.next()
}

fn a_connection_is_remembered_as_ip_shows_it() -> Result {
    let mut nl = tcp_metrics::connect()?;
    assert_eq!(nl.dump(tcp_metrics::list())?.collect()?.len(), 0);
    talk(LOCALHOST)?;
    let shown = ip(&["tcp_metrics", "show"])?;
    let line = shown.lines().next().ok_or("ip shows nothing")?;
    assert_eq!(line.split_whitespace().next(), Some("127.0.0.1"));

    let one = nl.call(tcp_metrics::get(LOCALHOST))?;
    assert_eq!(one.addr(), Some(LOCALHOST));
    assert_eq!(one.saddr_ipv4().map(|addr| addr.to_string()).as_deref(), value(line, "source"));
    assert!(one.age().is_some());
    assert_eq!(one.unknown().count(), 0);
    let vals = one.vals().ok_or("no values")?;
    let micro = |value: Option<u32>, fraction| value.map(|value| format!("{}us", value / fraction));
    assert_eq!(micro(vals.rtt_us(), 8).as_deref(), value(line, "rtt"));
    assert_eq!(micro(vals.rttvar_us(), 4).as_deref(), value(line, "rttvar"));
    assert_eq!(vals.cwnd().map(|value| value.to_string()).as_deref(), value(line, "cwnd"));
    assert!(vals.rtt_us().is_some_and(|rtt| rtt > 0), "{line}");

    let mut peers = nl.dump(tcp_metrics::list())?;
    let listed = peers.next()?.ok_or("an empty list")?;
    assert_eq!((listed.addr(), listed.vals()), (one.addr(), one.vals()));
    assert!(peers.next()?.is_none());
    Ok(())
}

fn an_ipv6_peer_is_remembered() -> Result {
    let localhost = Ipv6Addr::LOCALHOST;
    talk(localhost.into())?;
    let one = tcp_metrics::connect()?.call(tcp_metrics::get(localhost.into()))?;
    assert_eq!((one.addr_ipv6(), one.saddr_ipv6()), (Some(localhost), Some(localhost)));
    Ok(())
}

fn a_peer_is_forgotten_by_us_and_by_ip() -> Result {
    let mut nl = tcp_metrics::connect()?;
    talk(LOCALHOST)?;
    nl.call(tcp_metrics::delete(LOCALHOST))?;
    assert_eq!(ip(&["tcp_metrics", "show"])?, "");
    assert!(nl.call(tcp_metrics::delete(LOCALHOST)).unwrap_err().is_not_found());
    talk(LOCALHOST)?;
    assert!(nl.call(tcp_metrics::get(LOCALHOST)).is_ok());
    ip(&["tcp_metrics", "delete", "127.0.0.1"])?;
    assert!(nl.call(tcp_metrics::get(LOCALHOST)).unwrap_err().is_not_found());
    Ok(())
}

fn an_error_names_the_missing_permission() -> Result {
    let error = match tcp_metrics::connect()?.call(tcp_metrics::delete(LOCALHOST)) {
        Err(error) if error.is_permission() => error,
        // This process has the permission. Without it, the harness makes a user namespace, whose root has no
        // permission either.
        _ => {
            let mut without = Command::new("setpriv");
            without.args(["--bounding-set=-net_admin,-sys_admin", "--inh-caps=-net_admin,-sys_admin"]);
            without
                .arg(env::current_exe()?)
                .arg("an_error_names_the_missing_permission")
                .env_remove("NETLINK_TEST_REPORT");
            let output = String::from_utf8(without.output()?.stdout)?;
            assert!(output.contains("test result: ok. 1 passed"), "{output}");
            return Ok(());
        }
    };
    assert_eq!(
        error.to_string(),
        "TCP_METRICS_CMD_DEL: Operation not permitted (EPERM); it takes CAP_NET_ADMIN in the initial user namespace"
    );
    Ok(())
}

fn an_unknown_peer_is_not_found() -> Result {
    let error = tcp_metrics::connect()?.call(tcp_metrics::get("192.0.2.1".parse()?)).unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(
        error.to_string(),
        "TCP_METRICS_CMD_GET: No such process (ESRCH); sent: TCP_METRICS_ATTR_ADDR_IPV4 192.0.2.1"
    );
    Ok(())
}

fn on_a_reactor() -> Result {
    talk(LOCALHOST)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut nl = tcp_metrics::tokio::connect().await?;
        assert_eq!(nl.call(tcp_metrics::get(LOCALHOST)).await?.addr(), Some(LOCALHOST));
        assert_eq!(nl.dump(tcp_metrics::list()).await?.collect().await?.len(), 1);
        Ok(())
    })
}
