//! Runs the tests and reports their results.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Trial};

use crate::{Need, Test, need, sys};

/// The user that runs the tests.
pub(crate) enum User {
    /// Root with the right to make namespaces; the flag says whether it is root of the initial user namespace.
    Root(bool),
    /// Root of a user namespace that this process made.
    Namespace,
    /// A user without the rights to run a test; the reason.
    Powerless(String),
    /// The kernel makes no more network namespaces, for any user.
    Stuck,
}

impl User {
    pub(crate) const fn is_initial_root(&self) -> bool {
        matches!(self, Self::Root(true))
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Root(_) => "root",
            Self::Namespace => "user",
            Self::Powerless(_) | Self::Stuck => "none",
        }
    }
}

/// Runs suites like `cargo test` runs its tests: with a filter and the options of libtest as arguments.
pub fn main(suites: &[&'static [Test]]) -> ExitCode {
    let arguments = Arguments::from_args();
    let tests = suites.iter().copied().flatten();
    if arguments.list {
        let trials = tests.map(|test| Trial::test(full_name(test), || Ok(()))).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    if std::env::var_os(PROBE).is_some() {
        become_root();
        // Each test finds and reports the same failure again.
        let _ = isolate();
        return ExitCode::SUCCESS;
    }
    reach_sbin();
    let user = Arc::new(if is_stuck() { User::Stuck } else { become_root() });
    let planned = tests.clone().filter(|test| {
        let trial = Trial::test(full_name(test), || Ok(()));
        !arguments.is_filtered_out(&trial)
    });
    let report = match Report::open(&user, planned.count()) {
        Ok(report) => Arc::new(report),
        Err(error) => {
            eprintln!("NETLINK_TEST_REPORT: {error}");
            return ExitCode::FAILURE;
        }
    };
    catch_panic_messages();
    let trials = tests.map(|test| {
        let (user, report) = (Arc::clone(&user), Arc::clone(&report));
        Trial::ignorable_test(full_name(test), move || {
            let start = Instant::now();
            let mut ending = run(test, &user, false);
            let mut first = None;
            if std::env::var_os("NETLINK_TEST_AGAIN").is_some() && matches!(ending, Ending::Failed(_)) {
                let again = run(test, &user, true);
                if let Ending::Failed(reason) = std::mem::replace(&mut ending, again) {
                    first = Some(reason);
                }
            }
            report.test(&full_name(test), &ending, first.as_deref(), start.elapsed().as_millis());
            match ending {
                Ending::Passed => Ok(Completion::Completed),
                Ending::Skipped(reason) => Ok(Completion::ignored_with(reason)),
                Ending::Failed(reason) => Err(reason.into()),
            }
        })
    });
    let trials = trials.collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Set in the process that tests whether namespaces can be made.
const PROBE: &str = "NETLINK_TEST_PROBE";

/// Whether making a namespace hangs: after a bug, a kernel can hold its network lock forever. A separate
/// process tries it, because a process with a thread that waits in the kernel can't exit.
fn is_stuck() -> bool {
    let program = std::env::current_exe();
    let probe = program.and_then(|path| {
        // If the probe kept a pipe open, the reader of our output would wait for it.
        let mut probe = Command::new(path);
        probe.env(PROBE, "").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    });
    let Ok(mut probe) = probe else { return false };
    let start = Instant::now();
    while let Ok(None) = probe.try_wait() {
        if start.elapsed() > need::limit(&[Need::Seconds(20)]) {
            // It can't be killed either. It ends when the kernel releases it.
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Ends the test as skipped, for needs that are only known during the test.
pub fn skip(reason: impl Into<String>) -> ! {
    panic_any(Skip(reason.into()))
}

struct Skip(String);

enum Ending {
    Passed,
    Failed(String),
    Skipped(String),
}

/// The test's name below the name of its crate.
fn full_name(test: &Test) -> String {
    match test.module.split_once("::") {
        Some((_, module)) => format!("{module}::{}", test.name),
        None => test.name.to_owned(),
    }
}

/// On Debian, the `PATH` of ordinary users lacks the folders of `ip` and similar programs.
fn reach_sbin() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    if let Ok(path) = std::env::join_paths(folders) {
        sys::set_variable("PATH", &path);
    }
}

/// Gets the right to make network namespaces. The process must have only one thread, or the kernel refuses.
fn become_root() -> User {
    const NET_ADMIN_AND_SYS_ADMIN: u64 = 1 << 12 | 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let capabilities = capabilities.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    if capabilities & NET_ADMIN_AND_SYS_ADMIN == NET_ADMIN_AND_SYS_ADMIN {
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        return User::Root(map.split_whitespace().eq(["0", "0", "4294967295"]));
    }
    match enter_user_namespace() {
        Ok(()) => User::Namespace,
        Err(error) => User::Powerless(format!("not root, and no user namespace: {error}")),
    }
}

fn enter_user_namespace() -> io::Result<()> {
    let (user, group) = sys::effective_ids();
    sys::unshare(sys::NEW_USER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// Moves the calling thread into its own network namespace, with its own `/run/netns`.
pub(crate) fn isolate() -> io::Result<()> {
    sys::unshare(sys::NEW_NET_AND_MOUNTS)?;
    sys::make_mounts_private()?;
    if Path::new("/run/netns").is_dir() {
        return sys::mount_tmpfs("/run/netns");
    }
    // Only root could make the directory, and it would remain afterwards.
    sys::mount_tmpfs("/run")?;
    fs::create_dir("/run/netns")
}

/// Runs a test; if it must be `alone`, without others in parallel.
fn run(test: &'static Test, user: &User, alone: bool) -> Ending {
    match user {
        User::Powerless(reason) => return Ending::Skipped(reason.clone()),
        User::Stuck => {
            let reason =
                "the kernel made no network namespace in 20 s: a bug left its network lock held; see dmesg";
            return Ending::Skipped(reason.to_owned());
        }
        User::Root(_) | User::Namespace => {}
    }
    // A test that has the machine alone may unload a module that other tests use, or that a need has just loaded.
    static MACHINE: RwLock<()> = RwLock::new(());
    let outside = test.needs.iter().any(|need| matches!(need, Need::Machine));
    let alone = alone || outside;
    let _alone = alone.then(|| MACHINE.write().unwrap_or_else(PoisonError::into_inner));
    let _among_others = (!alone).then(|| MACHINE.read().unwrap_or_else(PoisonError::into_inner));
    if let Some(reason) = test.needs.iter().find_map(|need| need.missing(user)) {
        return Ending::Skipped(reason);
    }
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new().name(test.name.to_owned());
    let spawned = thread.spawn(move || {
        // The receiver exists no longer only if the time limit passed.
        let _ = sender.send(if outside { caught(test.body) } else { in_namespace(test.body) });
    });
    if let Err(error) = spawned {
        return Ending::Failed(format!("no thread for it: {error}"));
    }
    let limit = need::limit(test.needs);
    match receiver.recv_timeout(limit) {
        Ok(ending) => ending,
        Err(RecvTimeoutError::Timeout) => {
            Ending::Failed(format!("hung: no end within {} s", limit.as_secs()))
        }
        Err(RecvTimeoutError::Disconnected) => Ending::Failed("its thread died".to_owned()),
    }
}

fn in_namespace(body: fn() -> Result<(), String>) -> Ending {
    match isolate() {
        Ok(()) => caught(body),
        Err(error) => Ending::Skipped(format!("no namespaces of its own: {error}")),
    }
}

fn caught(body: fn() -> Result<(), String>) -> Ending {
    PANIC.set(Some(String::new()));
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Ending::Passed,
        Ok(Err(reason)) => Ending::Failed(reason),
        Err(payload) => match payload.downcast::<Skip>() {
            Ok(skip) => Ending::Skipped(skip.0),
            Err(_) => Ending::Failed(PANIC.take().unwrap_or_default()),
        },
    }
}

thread_local! {
    /// The panic message of the test on this thread.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the messages of panicking tests for the summary, instead of printing them between others.
fn catch_panic_messages() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if PANIC.with_borrow(Option::is_none) {
            return usual(panic);
        }
        let mut text = message(panic.payload()).to_owned();
        if let Some(location) = panic.location() {
            let _ = write!(text, "\nat {location}");
        }
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = write!(text, "\n{backtrace}");
        }
        PANIC.set(Some(text));
    }));
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}

/// The file of results for programs.
struct Report(Option<File>);

impl Report {
    fn open(user: &User, planned: usize) -> io::Result<Self> {
        let Some(path) = std::env::var_os("NETLINK_TEST_REPORT") else {
            return Ok(Self(None));
        };
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let report = Self(Some(file));
        let suite = std::env::current_exe()?;
        let suite = suite.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        report.line(&format!(
            r#"{{"suite":{},"planned":{planned},"user":"{}"}}"#,
            quoted(suite.rsplit_once('-').map_or(&*suite, |(name, _hash)| name)),
            user.name()
        ));
        Ok(report)
    }

    /// `first` is the first failure of a test that ran again.
    fn test(&self, name: &str, ending: &Ending, first: Option<&str>, milliseconds: u128) {
        let (outcome, reason) = match ending {
            Ending::Passed => ("passed", ""),
            Ending::Failed(reason) => ("failed", reason.as_str()),
            Ending::Skipped(reason) => ("skipped", reason.as_str()),
        };
        let (name, reason) = (quoted(name), quoted(reason));
        let first = first.map(|first| format!(r#","first":{}"#, quoted(first))).unwrap_or_default();
        self.line(&format!(
            r#"{{"name":{name},"outcome":"{outcome}","reason":{reason}{first},"milliseconds":{milliseconds}}}"#
        ));
    }

    /// One write per line, so that lines of parallel tests do not mix.
    fn line(&self, text: &str) {
        if let Some(mut file) = self.0.as_ref()
            && let Err(error) = file.write_all(format!("{text}\n").as_bytes())
        {
            eprintln!("NETLINK_TEST_REPORT: {error}");
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
