//! Tests against the running kernel, each in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod addresses;
mod bridges;
mod captured;
#[path = "../../examples/cni_bridge.rs"]
#[allow(dead_code)] // its main
mod cni_bridge;
mod connection;
mod differential;
mod differential_ip;
mod encaps;
mod examples;
#[path = "../golden.rs"]
mod golden;
mod json;
mod keys;
mod kinds;
mod links;
mod lists;
#[path = "../../examples/monitor.rs"]
#[allow(dead_code)]
mod monitor;
mod namespace;
mod pressure;
mod programs;
mod reactor;
mod routes;
mod socket;
mod stress;

use std::net::Ipv4Addr;
use std::process::ExitCode;

use netlink_core::{Connection, Error, Protocol};
use netlink_route::{Addr, link};
use netlink_testing::{Need, when};

fn main() -> ExitCode {
    netlink_testing::main(&[
        socket::TESTS,
        connection::TESTS,
        reactor::TESTS,
        namespace::TESTS,
        pressure::TESTS,
        links::TESTS,
        lists::TESTS,
        kinds::TESTS,
        bridges::TESTS,
        programs::TESTS,
        differential::TESTS,
        stress::TESTS,
        addresses::TESTS,
        routes::TESTS,
        encaps::TESTS,
        differential_ip::TESTS,
        captured::TESTS,
        examples::TESTS,
        json::TESTS,
        keys::TESTS,
    ])
}

/// The loopback link of every namespace.
const LO: u32 = 1;

/// A connection in a namespace whose loopback link is up.
fn connect() -> Result<Connection, Error> {
    let mut nl = Connection::open(Protocol::ROUTE)?;
    nl.call(link::set(LO).up())?;
    Ok(nl)
}

/// The address number `n` of a sequence.
fn host(n: u32) -> Addr {
    Ipv4Addr::from(0x0b00_0000 + n).into()
}

/// A kernel can be built without it.
const BRIDGE_VLANS: Need = when("the kernel's bridges have no VLAN filtering", || {
    let bridge = link::create("probe").kind(link::Bridge::new().vlan_filtering(true));
    Connection::open(Protocol::ROUTE).and_then(|mut nl| nl.call(bridge)).is_ok()
});
