//! Tests of the harness.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use netlink_testing::{Result, file, init_namespace, kernel, kind, program, seconds, skip, suite};

suite! {
    only_lo_is_there;
    named_namespaces_are_private: program("ip");
    tests_do_not_see_each_others_links_a: program("ip"), kind("bridge");
    tests_do_not_see_each_others_links_b: program("ip"), kind("bridge");
    children_are_born_in_the_namespace: program("ip");
    every_ending_is_reported_with_its_reason;
    a_failure_gets_a_second_try_on_request;
    real_root_has_every_user: init_namespace();
}

/// Tests that fail, in a second process; each must end as its name says.
mod endings {
    use super::*;

    suite! {
        passes: kernel(2, 6);
        fails;
        panics;
        skips;
        hangs: seconds(1);
        lacks_a_kind: kind("no-such-kind");
        lacks_a_kernel: kernel(999, 0);
        lacks_a_program: program("no-such-program");
        lacks_a_file: file("/proc/sys/net/no-such-file");
        fails_once;
    }

    fn passes() {}

    fn fails_once() -> Result {
        static TRIES: AtomicU32 = AtomicU32::new(0);
        match TRIES.fetch_add(1, Ordering::Relaxed) {
            0 => Err("the first time")?,
            _ => Ok(()),
        }
    }

    fn fails() -> Result {
        Err("a \"reason\"")?
    }

    fn panics() {
        panic!("on purpose")
    }

    fn skips() {
        skip("seen on the way")
    }

    fn hangs() {
        std::thread::sleep(Duration::from_secs(3600));
    }

    fn lacks_a_kind() {}

    fn lacks_a_kernel() {}

    fn lacks_a_program() {}

    fn lacks_a_file() {}
}

const ENDINGS: &str = "NETLINK_TEST_ENDINGS";

fn main() -> std::process::ExitCode {
    if env::var_os(ENDINGS).is_some() {
        return netlink_testing::main(&[endings::TESTS]);
    }
    netlink_testing::main(&[TESTS])
}

/// Names of the links in the namespace of the calling thread.
fn links() -> Result<Vec<String>> {
    let table = fs::read_to_string("/proc/thread-self/net/dev")?;
    Ok(table
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim().to_owned())
        .collect())
}

fn ip(arguments: &str) -> Result<String> {
    let output = Command::new("ip").args(arguments.split(' ')).output()?;
    if !output.status.success() {
        return Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn only_lo_is_there() -> Result {
    // Kernels can add fallback tunnels to each new namespace.
    let links: Vec<_> = links()?.into_iter().filter(|name| !name.ends_with('0')).collect();
    assert_eq!(links, ["lo"]);
    Ok(())
}

fn named_namespaces_are_private() -> Result {
    assert_eq!(fs::read_dir("/run/netns")?.count(), 0);
    ip("netns add private")?;
    assert_eq!(ip("netns list")?.trim(), "private");
    Ok(())
}

static MADE: AtomicU32 = AtomicU32::new(0);

/// Both make a link with the same name, wait for the other, and see one link.
fn make_a_link_and_wait() -> Result {
    ip("link add same type bridge")?;
    MADE.fetch_add(1, Ordering::Relaxed);
    let start = Instant::now();
    // With a filter or a single thread, the other test may not run.
    while MADE.load(Ordering::Relaxed) < 2 && start.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(links()?.iter().filter(|name| *name == "same").count(), 1);
    Ok(())
}

fn tests_do_not_see_each_others_links_a() -> Result {
    make_a_link_and_wait()
}

fn tests_do_not_see_each_others_links_b() -> Result {
    make_a_link_and_wait()
}

fn children_are_born_in_the_namespace() -> Result {
    ip("link set lo up")?;
    let thread = std::thread::spawn(|| fs::read_link("/proc/thread-self/ns/net"));
    let own = fs::read_link("/proc/thread-self/ns/net")?;
    assert_eq!(thread.join().map_err(|_| "the thread panicked")??, own);
    std::net::UdpSocket::bind("127.0.0.1:0")?;
    Ok(())
}

/// Runs tests with all results, and checks the output and the report.
fn all_endings(again: bool) -> Result<(String, String)> {
    let report = env::temp_dir().join(format!("netlink-testing-{}-{again}.json", std::process::id()));
    let mut command = Command::new(env::current_exe()?);
    command.env_remove("NETLINK_TEST_AGAIN").envs(again.then_some(("NETLINK_TEST_AGAIN", "1")));
    let output = command
        .env(ENDINGS, "")
        .env("NETLINK_TEST_PATIENCE", "1")
        .env("NETLINK_TEST_REPORT", &report)
        .env_remove("RUST_BACKTRACE")
        .output()?;
    let lines = fs::read_to_string(&report);
    fs::remove_file(&report)?;
    assert_eq!(output.status.code(), Some(101));
    Ok((String::from_utf8(output.stdout)?, lines?))
}

fn a_failure_gets_a_second_try_on_request() -> Result {
    let (text, lines) = all_endings(true)?;
    assert!(text.contains("2 passed; 3 failed; 5 ignored"), "{text}");
    for start in [
        r#"{"name":"endings::fails_once","outcome":"passed","reason":"","first":"the first time","#,
        r#"{"name":"endings::fails","outcome":"failed","reason":"a \"reason\"","first":"a \"reason\"","#,
        r#"{"name":"endings::passes","outcome":"passed","reason":"","milliseconds""#,
    ] {
        assert!(lines.lines().any(|line| line.starts_with(start)), "{start} in {lines}");
    }
    Ok(())
}

fn every_ending_is_reported_with_its_reason() -> Result {
    let (text, lines) = all_endings(false)?;
    assert!(text.contains("1 passed; 4 failed; 5 ignored"), "{text}");
    assert!(lines.starts_with(r#"{"suite":"self","planned":10,"user":""#), "{lines}");
    for (name, outcome, reason) in [
        ("passes", "passed", ""),
        ("fails", "failed", r#"a \"reason\""#),
        ("fails_once", "failed", "the first time"),
        ("panics", "failed", r"on purpose\u000aat "),
        ("skips", "skipped", "seen on the way"),
        ("hangs", "failed", "hung: no end within 1 s"),
        ("lacks_a_kind", "skipped", "the kernel has no no-such-kind links"),
        ("lacks_a_kernel", "skipped", "needs Linux 999.0, this is "),
        ("lacks_a_program", "skipped", "no program no-such-program on the PATH"),
        ("lacks_a_file", "skipped", "no /proc/sys/net/no-such-file"),
    ] {
        let start = format!(r#"{{"name":"endings::{name}","outcome":"{outcome}","reason":"{reason}"#);
        assert!(lines.lines().any(|line| line.starts_with(&start)), "{name} in {lines}");
        let printed = reason.replace(r#"\""#, "\"").replace(r"\u000a", "\n");
        assert!(text.contains(&printed), "{reason} in {text}");
    }
    Ok(())
}

fn real_root_has_every_user() -> Result {
    assert!(fs::read_to_string("/proc/self/uid_map")?.contains("4294967295"));
    Ok(())
}
