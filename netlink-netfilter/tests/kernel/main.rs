//! Tests against the running kernel, each in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod acct;
mod batch;
mod captured;
mod conntrack;
#[path = "../../examples/conntrack_top.rs"]
#[allow(dead_code)] // its main
mod conntrack_top;
mod differential;
mod events;
mod examples;
mod expect;
mod filters;
#[path = "../golden.rs"]
mod golden;
mod helper;
mod hook;
mod log;
mod osf;
mod packets;
mod pressure;
mod queue;
mod queue_limits;
mod reactor;
mod timeout;
mod verdicts;
mod wire;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, ExitCode};

use netlink_netfilter::conntrack::{ConntrackRequest, Tuple, create};
use netlink_testing::Result;

fn main() -> ExitCode {
    netlink_testing::main(&[
        conntrack::TESTS,
        filters::TESTS,
        events::TESTS,
        expect::TESTS,
        packets::TESTS,
        differential::TESTS,
        batch::TESTS,
        reactor::TESTS,
        queue::TESTS,
        verdicts::TESTS,
        queue_limits::TESTS,
        pressure::TESTS,
        log::TESTS,
        timeout::TESTS,
        helper::TESTS,
        acct::TESTS,
        osf::TESTS,
        hook::TESTS,
        captured::TESTS,
        examples::TESTS,
    ])
}

/// The address 10.x.y.z of host number `n`.
fn host(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 + n).into()
}

/// The original tuple of flow number `n`.
fn flow(n: u32) -> Tuple {
    Tuple::tcp(SocketAddr::new(host(n + 1), 1000), SocketAddr::new(host(0x8000), 80))
}

/// A request that makes this flow.
fn make(tuple: &Tuple) -> ConntrackRequest<()> {
    create(tuple, &tuple.reversed()).timeout(600)
}

/// The output of a program.
fn run(words: &str) -> Result<String> {
    let mut words = words.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Sets `net.netfilter.nf_conntrack_…` of this namespace.
fn sysctl(name: &str, value: &str) -> Result {
    let path = format!("/proc/sys/net/netfilter/nf_conntrack_{name}");
    Ok(fs::write(&path, value).map_err(|error| format!("{path}: {error}"))?)
}

/// Loads rules into nftables.
fn nft(rules: &str) -> Result {
    use std::io::Write as _;
    use std::process::Stdio;

    let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn()?;
    nft.stdin.take().unwrap().write_all(rules.as_bytes())?;
    assert!(nft.wait()?.success(), "{rules}");
    Ok(())
}
