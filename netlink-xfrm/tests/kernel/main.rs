//! Tests against the running kernel, each in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod captured;
mod differential;
mod events;
#[path = "../golden.rs"]
mod golden;
mod policies;
mod reactor;
mod states;
mod traffic;

use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, ExitCode};

use netlink_testing::{Need, Result, module};
use netlink_xfrm::{Connection, policy, state};

fn main() -> ExitCode {
    netlink_testing::main(&[
        states::TESTS,
        policies::TESTS,
        events::TESTS,
        differential::TESTS,
        traffic::TESTS,
        reactor::TESTS,
        captured::TESTS,
    ])
}

/// States of ESP need them.
const ESP4: Need = module("esp4");
const ESP6: Need = module("esp6");

/// No address.
const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

const KEY: [u8; 20] = [0x5a; 20];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The output of `ip`, which must succeed.
fn run_ip(words: &str) -> Result<String> {
    let output = Command::new("ip").args(words.split_whitespace()).output()?;
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Copies of all states.
fn states(nl: &mut Connection) -> Result<Vec<state::State<'static>>> {
    let items = nl.dump(state::list())?.collect()?;
    items.iter().map(|item| Ok(item.view()?.into_owned())).collect()
}

/// Copies of all policies.
fn policies(nl: &mut Connection) -> Result<Vec<policy::Policy<'static>>> {
    let items = nl.dump(policy::list())?.collect()?;
    items.iter().map(|item| Ok(item.view()?.into_owned())).collect()
}
