//! `cargo xtask soak`: connections under load.
//!
//! Each case is its own process in its own namespaces: if it hangs or crashes, the other cases continue.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::command::{self, Scratch};
use crate::demo;

mod face;
mod ledger;
mod links;
mod packets;

use ledger::{Ledger, Summary};

/// Floods connections with events, packets and garbage. Meanwhile it calls, lists and reconfigures. It checks
/// that every call ends in time, every packet is decided, and every loss is reported.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Minutes for all cases together.
    #[arg(default_value_t = 10)]
    minutes: u32,
    /// Only cases with this text in their name.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// The case of this process.
    #[arg(long, hide = true, requires = "seconds")]
    case: Option<String>,
    #[arg(long, hide = true)]
    seconds: Option<f64>,
}

/// The kind of flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Events of links and addresses, caused by four other threads.
    Events,
    /// Datagrams that four other threads send to the connection's port.
    Hostile,
    /// Packets of four senders, queued for a verdict.
    Queue,
    /// Packets of four senders, logged.
    Log,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Face {
    Blocking,
    Tokio,
}

/// The kind of connection, and the size of its receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Case {
    scenario: Scenario,
    face: Face,
    buffer: usize,
}

/// The kernel's minimum, its default, and the size for queues and logs.
const BUFFERS: [usize; 3] = [4096, 212_992, 64 << 20];

/// Number of senders.
const SENDERS: usize = 4;

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        Scenario::value_variants().iter().flat_map(|scenario| {
            Face::value_variants()
                .iter()
                .flat_map(|face| BUFFERS.map(|buffer| Self { scenario: *scenario, face: *face, buffer }))
        })
    }

    fn name(self) -> String {
        format!("{:?} {:?} {}", self.scenario, self.face, self.buffer).to_lowercase()
    }

    /// Why the case can't run.
    fn missing(self) -> Option<&'static str> {
        let by_rules = matches!(self.scenario, Scenario::Queue | Scenario::Log);
        (by_rules && !command::exists("iptables")).then_some("no program iptables on the PATH")
    }

    fn run(self, flood: Duration) -> Result<Summary> {
        demo::enter_namespaces()?;
        let ledger = Ledger::watched(flood, self.buffer);
        match self.scenario {
            Scenario::Events => links::run(self, flood, &ledger, false)?,
            Scenario::Hostile => links::run(self, flood, &ledger, true)?,
            Scenario::Queue => packets::queue(self, flood, &ledger)?,
            Scenario::Log => packets::log(self, flood, &ledger)?,
        }
        Ok(ledger.conclude())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let (Some(name), Some(seconds)) = (&arguments.case, arguments.seconds) {
        let case = Case::all().find(|case| case.name() == *name).context("no such case")?;
        println!("{}", case.run(Duration::from_secs_f64(seconds))?.to_json());
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = |case: &Case| arguments.only.as_ref().is_none_or(|only| case.name().contains(only.as_str()));
    let (possible, left_out): (Vec<Case>, Vec<Case>) =
        Case::all().filter(wanted).partition(|case| case.missing().is_none());
    if possible.is_empty() && left_out.is_empty() {
        bail!("no case of that name");
    }
    for case in &left_out {
        println!("LEFT OUT: {}: {}", case.name(), case.missing().unwrap_or_default());
    }
    if !nix::unistd::geteuid().is_root() {
        println!(
            "LEFT OUT: root of the initial user namespace: a receive buffer of {} bytes is cut to net.core.rmem_max",
            BUFFERS[2]
        );
    }
    // A release build, for the speed that users have.
    if !command::cargo(&["build", "--quiet", "--release", "--package", "xtask"]).status()?.success() {
        bail!("the release build failed");
    }
    let metadata = command::metadata()?;
    let program = Path::new(command::text(&metadata["target_directory"])).join("release/xtask");
    let scratch = Scratch::new()?;
    let seconds = f64::from(arguments.minutes) * 60.0 / f64::from(u32::try_from(possible.len().max(1))?);
    let mut violated = 0;
    println!("{}", Summary::HEAD);
    for case in &possible {
        let summary = as_process(&program, *case, seconds, &scratch)?;
        println!("{}", summary.row(&case.name()));
        for violation in &summary.violations {
            println!("    VIOLATION: {violation}");
        }
        violated += usize::from(!summary.violations.is_empty());
    }
    println!(
        "soak: {} cases of {seconds:.1} s, {violated} with violations, {} left out",
        possible.len(),
        left_out.len()
    );
    Ok(if violated == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn as_process(program: &Path, case: Case, seconds: f64, scratch: &Scratch) -> Result<Summary> {
    let mut process = Command::new(program);
    process.args(["soak", "--case", &case.name(), "--seconds", &seconds.to_string()]);
    // The case's own watchdog ends it long before.
    let limit = Duration::from_secs_f64(seconds) + Duration::from_secs(60);
    let ended = command::run(&mut process, scratch, limit)?;
    let summary = ended.output.lines().last().and_then(Summary::from_json);
    Ok(summary.unwrap_or_else(|| Summary {
        violations: vec![format!("{}\n{}", ended.why(), ended.output.trim_end())],
        ..Summary::default()
    }))
}
