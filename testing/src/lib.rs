//! Tests against the running kernel, each in namespaces of its own.
//!
//! A family crate has one test target for them:
//!
//! ```toml
//! [[test]]
//! name = "kernel"
//! harness = false
//! required-features = ["std"]
//!
//! [dev-dependencies]
//! netlink-testing = { path = "../testing" }
//! ```
//!
//! and in `tests/kernel.rs` a table with the needs of each test, and the tests as plain functions:
//!
//! ```no_run
//! use netlink_testing::{Result, kernel, kind, program, suite};
//!
//! suite! {
//!     a_requested_index_is_honoured: kind("bridge");
//!     json_equals_ip: program("ip"), kind("veth"), kernel(5, 14);
//!     a_missing_link_is_enodev;
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     netlink_testing::main(&[TESTS])
//! }
//!
//! /// vishvananda 1
//! fn a_requested_index_is_honoured() -> Result {
//!     // `?` on any error fails the test; so does a panic.
//!     Ok(())
//! }
//!
//! fn json_equals_ip() {}
//!
//! fn a_missing_link_is_enodev() {}
//! ```
//!
//! Larger suites have a `suite!` per module: `netlink_testing::main(&[link::TESTS, addr::TESTS])`.
//!
//! # Where a test runs
//!
//! Each test has its own thread, in a new network namespace with only `lo` (down), and in its own mount
//! namespace with an empty `/run/netns`: named namespaces are private and disappear with the test. Threads
//! and processes that the test starts are in the same namespaces. Tests run in parallel.
//!
//! `/proc/net` and `/proc/self` show the process's first thread, so the machine's namespace; a test reads
//! `/proc/thread-self/net` instead. `/proc/sys/net` follows the thread.
//!
//! Without privileges the whole binary first enters a user namespace as its root. Where that is forbidden,
//! all tests are skipped with this reason.
//!
//! # Environment
//!
//! - `NETLINK_TEST_REPORT=FILE`: appends one JSON object per line, first
//!   `{"suite":"kernel","planned":3,"user":"root"}`, then per test
//!   `{"name":"…","outcome":"passed|failed|skipped","reason":"…","milliseconds":12}`.
//! - `NETLINK_TEST_MACHINE`: set if the machine exists only for the tests, see [`machine`].
//! - `NETLINK_TEST_AGAIN`: if set, a test that fails while others run is run again alone, and the report says
//!   so.
//! - `NETLINK_GOLDEN=FOLDER`: tests that [`golden::keep`] messages write them there.
//! - `NETLINK_TEST_PATIENCE=10`: a factor on every time limit, for slow virtual machines, see [`patience`].

mod bytes;
pub mod golden;
mod need;
mod run;
mod sys;

pub use bytes::{native, native_attributes};
pub use need::{
    Need, file, generic, init_namespace, ipv6, is_since, kernel, kind, machine, module, patience, program,
    seconds, when,
};
pub use run::{main, skip};
pub use sys::{Mptcp, bpf_program, netlink_socket};

/// The return type of tests that can fail.
pub type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// One test; made by [`suite!`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Test {
    /// `module_path!()` of the suite.
    pub module: &'static str,
    /// The function's name.
    pub name: &'static str,
    /// What it needs to run.
    pub needs: &'static [Need],
    /// The function.
    pub body: fn() -> Result<(), String>,
}

impl Test {
    #[doc(hidden)]
    pub const fn new(
        module: &'static str,
        name: &'static str,
        needs: &'static [Need],
        body: fn() -> Result<(), String>,
    ) -> Self {
        Self { module, name, needs, body }
    }
}

/// Return types of test functions.
pub trait Outcome {
    /// The failure as text.
    fn outcome(self) -> Result<(), String>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Into<Box<dyn std::error::Error>>> Outcome for Result<(), E> {
    fn outcome(self) -> Result<(), String> {
        self.map_err(|error| {
            let error = error.into();
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            text
        })
    }
}

/// Lists the tests of a module as `TESTS`: a row per test, `function: need, need;`.
///
/// The compiler reports a test without a row as dead code.
#[macro_export]
macro_rules! suite {
    ($( $name:ident $(: $($need:expr),+)?; )*) => {
        pub(crate) const TESTS: &[$crate::Test] = &[$(
            $crate::Test::new(
                ::core::module_path!(),
                ::core::stringify!($name),
                &[$($($need),+)?],
                || $crate::Outcome::outcome($name()),
            ),
        )*];
    };
}
