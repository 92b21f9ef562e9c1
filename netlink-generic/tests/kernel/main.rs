//! Tests against the running kernel, each in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod ctrl;
mod families;
#[path = "../golden.rs"]
mod golden;
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
#[path = "../../examples/wg.rs"]
#[allow(dead_code)] // its main
mod tool;
mod wireguard;

use std::process::{Command, ExitCode};

use golden::wg;
use netlink_testing::Result;
use netlink_testing::golden::{Read, keep_exchange, series};

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

/// The output of a program.
fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{program} {arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr)).into())
}

/// An exchange with this kernel, in the format of `tests/golden`: the family's file, the recorded bytes, and
/// the text.
fn keep(name: &str, recorded: &str, text: &str, read: fn(&[u8]) -> Read) -> Result {
    let name = format!("{name}_{}", series()?);
    Ok(keep_exchange(&name, "Recorded by the kernel tests", recorded, text, read)?)
}
