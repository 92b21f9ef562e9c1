//! Tests against the running kernel.

fn main() -> std::process::ExitCode {
    netlink_testing::main(&[])
}
