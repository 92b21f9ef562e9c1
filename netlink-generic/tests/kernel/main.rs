//! Tests against the running kernel, each in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod ctrl;
mod families;
mod gro;
mod modules;
mod mptcp_pm;
mod netdev;
mod netdevsim;
mod own;
mod quirks;
mod quota;
mod reactor;
mod taskstats;
#[path = "../wg/mod.rs"]
mod wg;
mod wireguard;

use std::process::{Command, ExitCode};

use netlink_testing::Result;

fn main() -> ExitCode {
    if taskstats::asked_elsewhere() {
        return ExitCode::SUCCESS;
    }
    netlink_testing::main(&[
        ctrl::TESTS,
        families::TESTS,
        modules::TESTS,
        mptcp_pm::TESTS,
        netdev::TESTS,
        netdevsim::TESTS,
        quirks::TESTS,
        quota::TESTS,
        reactor::TESTS,
        taskstats::TESTS,
        wireguard::TESTS,
    ])
}

/// What a program writes.
fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{program} {arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr)).into())
}
