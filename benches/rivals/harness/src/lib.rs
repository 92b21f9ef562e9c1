//! Code that all contenders share: the command line, the namespace, the meter, and the line of JSON at the
//! end.
//!
//! A contender is a list of [`Case`]s. The harness prepares the needs of a workload (a namespace, routes,
//! links, the message to decode). The case does the work between [`Meter::start`] and [`Meter::stop`].

mod alloc;
mod meter;
mod namespace;
pub mod packets;
pub mod raw;
mod sockets;

use std::error::Error;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitCode, Stdio};

pub use meter::{Cost, Meter, measure};
pub use namespace::{Place, enter_namespace};

/// The group of the links of `link-delete-group`.
pub const GROUP: u32 = 7;
/// Measured dumps of `link-dump` and `link-dump-owned`.
pub const LINK_DUMPS: usize = 5;
/// How long `events` waits for another event before it gives up.
pub const SILENCE: std::time::Duration = std::time::Duration::from_secs(1);
/// The next hop of `encode-route`.
pub const GATEWAY: [u8; 4] = [10, 99, 0, 2];

pub const WORKLOADS: &[&str] = &[
    "route-add",
    "route-add-batch",
    "route-dump",
    "route-dump-owned",
    "link-dump",
    "link-dump-owned",
    "link-delete-group",
    "conntrack-dump",
    "conntrack-dump-owned",
    "events",
    "queue",
    "decode-route",
    "decode-route-lazy",
    "decode-link",
    "decode-link-lazy",
    "encode-route",
    "sock-dump",
];

pub type Fault = Box<dyn Error>;
pub type Run = fn(&Job) -> Result<Outcome, Fault>;

/// One workload of one contender.
pub struct Case {
    contender: &'static str,
    workload: &'static str,
    run: Result<Run, &'static str>,
}

/// A workload that the contender supports.
pub const fn case(contender: &'static str, workload: &'static str, run: Run) -> Case {
    Case { contender, workload, run: Ok(run) }
}

/// A workload that the contender does not support, and why.
pub const fn unsupported(contender: &'static str, workload: &'static str, why: &'static str) -> Case {
    Case { contender, workload, run: Err(why) }
}

/// The task.
pub struct Job {
    pub count: u64,
    /// The index of the link that routes point to.
    pub oif: u32,
    /// The message of `decode-*`, with its header.
    pub message: Vec<u8>,
    /// The processes that hold the connections of `sock-dump`.
    #[allow(dead_code, reason = "they only have to be there")]
    sockets: sockets::Holders,
}

impl Job {
    /// The address of route number `n`.
    pub const fn destination(&self, n: u64) -> u32 {
        raw::destination(n)
    }

    /// The process that makes the events; it waits for the signal to start.
    pub fn generator(&self) -> Result<Generator, Fault> {
        let child = Command::new(std::env::current_exe()?)
            .args([GENERATE.to_owned(), self.count.to_string(), self.oif.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Generator { child })
    }
}

/// The result.
#[derive(Default)]
pub struct Outcome {
    pub cost: Cost,
    pub checksum: u64,
    /// Events that never arrived.
    pub lost: u64,
}

impl Outcome {
    pub fn new(cost: Cost, checksum: u64) -> Outcome {
        Outcome { cost, checksum, lost: 0 }
    }

    /// The outcome of `events`.
    pub fn events(cost: Cost, expected: u64, seen: u64) -> Outcome {
        Outcome { cost, checksum: 0, lost: expected.saturating_sub(seen) }
    }
}

/// The other process of `events`.
pub struct Generator {
    child: Child,
}

impl Generator {
    /// Lets it start.
    pub fn go(&mut self) -> Result<(), Fault> {
        let mut input = self.child.stdin.take().ok_or("already started")?;
        input.write_all(b"g")?;
        Ok(())
    }

    /// Waits for its end, and for success.
    pub fn finish(mut self) -> Result<(), Fault> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if !status.success() {
            return Err(format!("the generator failed: {status}").into());
        }
        Ok(())
    }
}

const GENERATE: &str = "__generate";
const CONNECT: &str = "__connect";

/// The `main` of every contender: `BIN WORKLOAD COUNT [FILE]` or `BIN list`. If a binary has more than one
/// contender, `CONTENDER/WORKLOAD` selects one; `WORKLOAD` selects the first that supports it.
pub fn main(cases: &[Case]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(cases, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{}: {fault}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cases: &[Case], arguments: &[&str]) -> Result<(), Fault> {
    match *arguments {
        ["list"] => {
            for case in cases.iter().filter(|case| case.run.is_ok()) {
                println!("{}/{}", case.contender, case.workload);
            }
            Ok(())
        }
        [GENERATE, count, oif] => {
            std::io::stdin().read_exact(&mut [0])?;
            raw::add_routes_singly(0..count.parse()?, oif.parse()?)?;
            Ok(())
        }
        [CONNECT, group, count] => Ok(sockets::hold(group.parse()?, count.parse()?)?),
        [name, count] => single(cases, name, count.parse()?, None),
        [name, count, file] => single(cases, name, count.parse()?, Some(file)),
        _ => Err("usage: WORKLOAD COUNT [FILE] | list".into()),
    }
}

fn single(cases: &[Case], name: &str, count: u64, file: Option<&str>) -> Result<(), Fault> {
    let (contender, workload) = match name.split_once('/') {
        Some((contender, workload)) => (Some(contender), workload),
        None => (None, name),
    };
    if !WORKLOADS.contains(&workload) {
        return Err(format!("no workload is called {workload}").into());
    }
    let mut contenders =
        cases.iter().filter(|case| contender.is_none_or(|contender| contender == case.contender)).peekable();
    let first = contenders.peek().map(|case| case.contender).ok_or("no such contender")?;
    let found = contenders.find(|case| case.workload == workload);
    let (contender, run) = match found {
        Some(case) => (case.contender, case.run),
        None => (first, Err("not covered by this contender")),
    };
    let run = match run {
        Ok(run) => run,
        Err(why) => {
            println!(
                "{{\"contender\":\"{contender}\",\"workload\":\"{workload}\",\"unsupported\":\"{why}\"}}"
            );
            return Ok(());
        }
    };

    let job = prepare(workload, count, file)?;
    let mut outcome = run(&job)?;
    match workload {
        "route-add" | "route-add-batch" => outcome.checksum = raw::routes_checksum()?,
        "link-delete-group" => outcome.checksum = raw::links_checksum()?,
        _ => {}
    }

    let Cost { user_ns, sys_ns, wall_ns, allocs, alloc_bytes, peak_rss_kib } = outcome.cost;
    let Outcome { checksum, lost, .. } = outcome;
    println!(
        "{{\"contender\":\"{contender}\",\"workload\":\"{workload}\",\"count\":{count},\
         \"user_ns\":{user_ns},\"sys_ns\":{sys_ns},\"wall_ns\":{wall_ns},\
         \"allocs\":{allocs},\"alloc_bytes\":{alloc_bytes},\"peak_rss_kib\":{peak_rss_kib},\
         \"checksum\":{checksum},\"lost\":{lost}}}"
    );
    Ok(())
}

/// All preparations, which are not measured.
fn prepare(workload: &str, count: u64, file: Option<&str>) -> Result<Job, Fault> {
    let mut job = Job { count, oif: 2, message: Vec::new(), sockets: sockets::Holders::NONE };
    match workload {
        "decode-route" | "decode-route-lazy" | "decode-link" | "decode-link-lazy" => {
            job.message = std::fs::read(file.ok_or("FILE is missing")?)?;
            if job.message.len() < 16 || raw::u32_at(&job.message, 0) != job.message.len() as u32 {
                return Err("FILE does not hold one message".into());
            }
        }
        "encode-route" => {}
        _ => job.oif = enter_namespace()?.oif,
    }
    match workload {
        "route-dump" | "route-dump-owned" => raw::add_routes(count, job.oif)?,
        "link-dump" | "link-dump-owned" => raw::add_ifbs(count, 0)?,
        "link-delete-group" => raw::add_ifbs(count, GROUP)?,
        "queue" => packets::rule()?,
        "conntrack-dump" | "conntrack-dump-owned" => raw::add_connections(count)?,
        "sock-dump" => job.sockets = sockets::Holders::connect(count)?,
        _ => {}
    }
    Ok(job)
}
