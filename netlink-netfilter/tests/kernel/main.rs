//! Tests against the running kernel, each in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod log;
mod queue;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    netlink_testing::main(&[queue::TESTS, log::TESTS])
}
