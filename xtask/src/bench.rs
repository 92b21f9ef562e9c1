//! `cargo xtask bench`: our speed, compared with the floor and with rivals.

mod picture;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::command::{Scratch, cargo, root};

/// Measures our speed, the floor and other crates, and writes benches/RESULTS.md and a picture of the results.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One round with small counts. Nothing is written.
    #[arg(long)]
    quick: bool,
    /// Also measures the CPU time of clean release builds; takes minutes.
    #[arg(long)]
    builds: bool,
    /// Runs of each contender; the result is the median.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only these workloads. Nothing is written.
    workloads: Vec<String>,
}

struct Workload {
    name: &'static str,
    what: &'static str,
    count: u64,
    quick: u64,
    /// Needs a network namespace.
    kernel: bool,
    /// The message to decode.
    file: Option<&'static str>,
}

impl Workload {
    /// The divisor of a figure: a dump of links is repeated five times and has three more links.
    fn items(&self, count: u64) -> u64 {
        if self.name.starts_with("link-dump") { 5 * (count + 3) } else { count }
    }
}

const fn kernel(name: &'static str, what: &'static str, count: u64, quick: u64) -> Workload {
    Workload { name, what, count, quick, kernel: true, file: None }
}

const fn memory(
    name: &'static str,
    what: &'static str,
    count: u64,
    quick: u64,
    file: Option<&'static str>,
) -> Workload {
    Workload { name, what, count, quick, kernel: false, file }
}

const WORKLOADS: &[Workload] = &[
    kernel("route-add", "Acknowledged route adds, one by one", 100_000, 2000),
    kernel("route-add-batch", "Route adds, pipelined", 100_000, 2000),
    kernel("route-dump", "A dump of routes, every attribute read where it was received", 1_000_000, 20_000),
    kernel("route-dump-owned", "A dump of routes, kept until it is complete", 1_000_000, 20_000),
    kernel("link-dump", "Dumps of links, every attribute read where it was received", 2000, 50),
    kernel("link-dump-owned", "Dumps of links, kept until each is complete", 2000, 50),
    kernel("link-delete-group", "Removal of all links of a group", 200, 20),
    kernel(
        "conntrack-dump",
        "A dump of connections, every attribute read where it was received",
        100_000,
        5000,
    ),
    kernel("conntrack-dump-owned", "A dump of connections, kept until it is complete", 100_000, 5000),
    kernel("events", "Route events caused by another process", 100_000, 2000),
    kernel("queue", "A receive and a verdict for each packet of a queue", 100_000, 2000),
    memory("decode-route", "Decoding a captured route, every attribute", 5_000_000, 100_000, Some("route")),
    memory(
        "decode-route-lazy",
        "Decoding a captured route, four attributes",
        5_000_000,
        100_000,
        Some("route"),
    ),
    memory("decode-link", "Decoding a captured veth link, every attribute", 500_000, 10_000, Some("link")),
    memory(
        "decode-link-lazy",
        "Decoding a captured veth link, four attributes",
        500_000,
        10_000,
        Some("link"),
    ),
    memory("encode-route", "Encoding a route add into memory that is kept", 5_000_000, 100_000, None),
    kernel("sock-dump", "A dump of TCP sockets, every attribute read where it was received", 50_000, 2000),
];

const BINARIES: &[&str] =
    &["floor", "ours", "rival-rtnetlink", "rival-neli", "rival-bindings", "rival-nlink"];

/// The loop in C; only for the workload `queue`.
const MNL: &str = "mnl-queue";

/// The limit for a contender.
enum Limit {
    /// This multiple of another contender's time.
    Times(f64, &'static str),
    /// This many nanoseconds per item, without an allocation.
    Nanoseconds(f64),
}

/// The goals of the project.
const GOALS: &[(&str, &str, Limit)] = &[
    ("route-add", "ours", Limit::Times(1.03, "floor")),
    ("route-add-batch", "ours", Limit::Times(1.05, "floor")),
    // The floor of an owned dump parses and stores; the goals are relative to receiving only.
    ("route-dump", "ours", Limit::Times(1.2, "floor")),
    ("route-dump-owned", "ours", Limit::Times(1.5, "floor of route-dump")),
    ("link-dump", "ours", Limit::Times(1.2, "floor")),
    ("link-dump-owned", "ours", Limit::Times(1.8, "floor of link-dump")),
    ("conntrack-dump", "ours", Limit::Times(1.12, "floor")),
    ("conntrack-dump-owned", "ours", Limit::Times(1.4, "floor of conntrack-dump")),
    ("events", "ours", Limit::Times(1.1, "floor")),
    ("decode-route", "ours", Limit::Nanoseconds(20.0)),
    ("decode-link", "ours", Limit::Nanoseconds(280.0)),
    ("encode-route", "ours", Limit::Nanoseconds(8.0)),
    ("sock-dump", "ours", Limit::Times(1.3, "floor")),
    ("queue", "ours", Limit::Times(1.2, "libmnl")),
    ("route-add", "ours-ct", Limit::Times(1.25, "ours")),
    ("route-add-batch", "ours-ct", Limit::Times(1.25, "ours")),
    ("route-dump", "ours-ct", Limit::Times(1.25, "ours")),
    ("route-dump-owned", "ours-ct", Limit::Times(1.25, "ours")),
    ("link-dump", "ours-ct", Limit::Times(1.25, "ours")),
    ("conntrack-dump", "ours-ct", Limit::Times(1.25, "ours")),
    ("events", "ours-ct", Limit::Times(1.25, "ours")),
    ("queue", "ours-ct", Limit::Times(1.25, "ours")),
    ("sock-dump", "ours-ct", Limit::Times(1.25, "ours")),
];

/// One run of a contender.
struct Sample {
    user: f64,
    sys: f64,
    allocs: f64,
    rss: f64,
    lost: u64,
    checksum: u64,
}

/// All runs of a contender; times in nanoseconds per item.
struct Figures {
    cpu: f64,
    user: f64,
    allocs: f64,
    rss: f64,
    lost: u64,
}

type Board = BTreeMap<&'static str, BTreeMap<String, Figures>>;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen: Vec<&Workload> = WORKLOADS
        .iter()
        .filter(|workload| arguments.workloads.is_empty() || is_chosen(workload, &arguments.workloads))
        .collect();
    if let Some(unknown) =
        arguments.workloads.iter().find(|name| WORKLOADS.iter().all(|workload| workload.name != *name))
    {
        bail!("no workload is called {unknown}");
    }
    let folder = root().join("benches/rivals");
    let built = cargo(&["build", "--release", "--workspace"]).current_dir(&folder).status()?;
    if !built.success() {
        bail!("benches/rivals does not build");
    }
    let binaries = folder.join("target/release");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-o"]).arg(binaries.join(MNL)).arg("mnl/queue.c").arg("-lmnl").current_dir(&folder);
    if !cc.status().is_ok_and(|status| status.success()) {
        eprintln!("no libmnl beside ours: apt-get install libmnl-dev");
    }
    let scratch = Scratch::new()?;
    let mut report = String::new();
    let mut board = Board::new();
    let mut able = match capture(&binaries, &scratch) {
        Ok(()) => true,
        Err(error) => {
            writeln!(
                report,
                "No workload of the kernel was measured, and messages captured before were decoded, because the kernel of this machine makes no namespace: {error:#}.\n"
            )?;
            for what in ["route", "link"] {
                std::fs::copy(folder.join("samples").join(what), scratch.path().join(what))?;
            }
            false
        }
    };
    for workload in chosen {
        let count = if arguments.quick { workload.quick } else { workload.count };
        writeln!(report, "## {}\n\n{}: {}.\n", workload.name, workload.what, grouped(count))?;
        let missing = workload.file.map(|file| scratch.path().join(file)).is_some_and(|file| !file.exists());
        if missing || (workload.kernel && !able) {
            writeln!(report, "Not measured.\n")?;
            continue;
        }
        let rounds = if arguments.quick { 1 } else { arguments.rounds };
        match measure(workload, count, rounds, &binaries, &scratch) {
            Ok((figures, remarks)) => {
                table(&mut report, &figures)?;
                remarks.iter().try_for_each(|remark| writeln!(report, "{remark}\n"))?;
                board.insert(workload.name, figures);
            }
            Err(error) => {
                // A workload that hangs once would hang again.
                able = able && !workload.kernel;
                writeln!(report, "Not measured: {error:#}.\n")?;
            }
        }
    }
    goals(&mut report, &board)?;
    dependencies(&mut report, arguments.builds)?;
    println!("{report}");
    if !arguments.quick && arguments.workloads.is_empty() {
        let page = page(&report, arguments.rounds, &folder)?;
        std::fs::write(root().join("benches/RESULTS.md"), page)?;
        std::fs::write(root().join("benches/results.svg"), picture::svg(&board)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_chosen(workload: &Workload, names: &[String]) -> bool {
    names.iter().any(|name| name == workload.name)
}

/// Captures the messages to decode from a kernel, in its own namespace.
fn capture(binaries: &Path, scratch: &Scratch) -> Result<()> {
    for what in ["route", "link"] {
        let file = scratch.path().join(what);
        let mut command = Command::new(binaries.join("floor"));
        command.arg(format!("capture-{what}")).arg(&file);
        output(&mut command, Duration::from_secs(20))?;
    }
    Ok(())
}

/// Runs all contenders once, then all of them again, and so on.
fn measure(
    workload: &Workload,
    count: u64,
    rounds: usize,
    binaries: &Path,
    scratch: &Scratch,
) -> Result<(BTreeMap<String, Figures>, Vec<String>)> {
    let mut contenders: Vec<(PathBuf, String)> = Vec::new();
    for name in BINARIES {
        let binary = binaries.join(name);
        let list = output(Command::new(&binary).arg("list"), Duration::from_secs(10))?;
        let cases = list.lines().filter_map(|line| line.split_once('/'));
        let here = cases.filter(|(_, case)| *case == workload.name);
        contenders.extend(here.map(|(contender, _)| (binary.clone(), contender.to_owned())));
    }
    let mnl = binaries.join(MNL);
    if workload.name == "queue" && mnl.exists() {
        contenders.push((mnl, "libmnl".to_owned()));
    }
    let mut samples: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    let mut remarks = Vec::new();
    for round in 0..rounds {
        for (binary, contender) in &contenders {
            eprint!("\r{} {}/{rounds} {contender:20}", workload.name, round + 1);
            let mut command = Command::new(binary);
            command.arg(format!("{contender}/{}", workload.name)).arg(count.to_string());
            command.args(workload.file.map(|file| scratch.path().join(file)));
            match output(&mut command, Duration::from_secs(120)) {
                Ok(line) => {
                    let sample = sample(&line, workload.items(count)).with_context(|| contender.clone())?;
                    samples.entry(contender.clone()).or_default().push(sample);
                }
                Err(error) if contender == "floor" || contender.starts_with("ours") => return Err(error),
                Err(error) if round == 0 => remarks.push(format!("{error:#}.")),
                Err(_) => {}
            }
        }
    }
    eprintln!();
    let sums: BTreeMap<u64, Vec<&str>> = samples
        .iter()
        .flat_map(|(contender, samples)| samples.iter().map(move |sample| (sample.checksum, contender)))
        .filter(|(sum, _)| *sum != 0)
        .fold(BTreeMap::new(), |mut sums: BTreeMap<u64, Vec<&str>>, (sum, contender)| {
            let who = sums.entry(sum).or_default();
            if !who.contains(&contender.as_str()) {
                who.push(contender);
            }
            sums
        });
    if sums.len() > 1 {
        remarks.push(format!("The contenders disagree on the checksum: {sums:?}."));
    }
    Ok((samples.into_iter().map(|(contender, samples)| (contender, together(&samples))).collect(), remarks))
}

fn sample(line: &str, items: u64) -> Result<Sample> {
    let value: Value = serde_json::from_str(line)?;
    let number = |name: &str| value[name].as_u64().with_context(|| format!("no {name} in {line}"));
    let per_item = |number: u64| number as f64 / items as f64;
    Ok(Sample {
        user: per_item(number("user_ns")?),
        sys: per_item(number("sys_ns")?),
        allocs: per_item(number("allocs")?),
        rss: number("peak_rss_kib")? as f64 / 1024.0,
        lost: number("lost")?,
        checksum: number("checksum")?,
    })
}

fn together(samples: &[Sample]) -> Figures {
    let most = |of: fn(&Sample) -> f64| samples.iter().map(of).fold(0.0, f64::max);
    Figures {
        cpu: median(samples.iter().map(|sample| sample.user + sample.sys)),
        user: median(samples.iter().map(|sample| sample.user)),
        allocs: most(|sample| sample.allocs),
        rss: most(|sample| sample.rss),
        lost: samples.iter().map(|sample| sample.lost).max().unwrap_or_default(),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn table(report: &mut String, figures: &BTreeMap<String, Figures>) -> Result<()> {
    let floor = figures.get("floor").map(|figures| figures.cpu);
    let mut rows: Vec<_> = figures.iter().collect();
    rows.sort_by(|(_, a), (_, b)| a.cpu.total_cmp(&b.cpu));
    writeln!(report, "| contender | cpu ns | user ns | to the floor | allocations | peak MiB | lost |")?;
    writeln!(report, "| --- | --- | --- | --- | --- | --- | --- |")?;
    for (contender, Figures { cpu, user, allocs, rss, lost }) in rows {
        let ratio = floor.map_or_else(|| "-".to_owned(), |floor| format!("{:.2}", cpu / floor));
        let digits = usize::from(*cpu < 100.0);
        writeln!(
            report,
            "| {contender} | {cpu:.digits$} | {user:.digits$} | {ratio} | {allocs:.2} | {rss:.1} | {lost} |"
        )?;
    }
    writeln!(report)?;
    Ok(())
}

fn goals(report: &mut String, board: &Board) -> Result<()> {
    let of = |workload: &str, contender: &str| board.get(workload).and_then(|row| row.get(contender));
    writeln!(report, "## Goals\n\n| workload | goal | measured | |\n| --- | --- | --- | --- |")?;
    for (workload, contender, limit) in GOALS {
        let Some(figures) = of(workload, contender) else {
            writeln!(report, "| {workload} | {} | not measured | |", goal(contender, limit))?;
            continue;
        };
        let (measured, met) = match limit {
            Limit::Nanoseconds(most) => (
                format!("{:.1} ns, {:.2} allocations", figures.cpu, figures.allocs),
                figures.cpu <= *most && figures.allocs < 0.01,
            ),
            Limit::Times(most, other) => {
                let (other, from) = other.split_once(" of ").unwrap_or((other, workload));
                let Some(other) = of(from, other) else {
                    writeln!(report, "| {workload} | {} | not measured | |", goal(contender, limit))?;
                    continue;
                };
                let ratio = figures.cpu / other.cpu;
                (format!("{ratio:.2}, {} lost", figures.lost), ratio <= *most && figures.lost == 0)
            }
        };
        let met = if met { "met" } else { "**missed**" };
        writeln!(report, "| {workload} | {} | {measured} | {met} |", goal(contender, limit))?;
    }
    writeln!(report)?;
    Ok(())
}

fn goal(contender: &str, limit: &Limit) -> String {
    match limit {
        Limit::Times(most, other) => format!("{contender} ≤ {most} × {other}"),
        Limit::Nanoseconds(most) => format!("{contender} ≤ {most} ns, no allocation"),
    }
}

/// The crates that ours depend on, and the cost of building them.
fn dependencies(report: &mut String, builds: bool) -> Result<()> {
    let arguments =
        ["tree", "--edges=normal,build", "--package=netlink-route", "--prefix=none", "--no-dedupe"];
    let tree = output(&mut cargo(&arguments), Duration::from_secs(60))?;
    let mut crates: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    crates.sort_unstable();
    crates.dedup();
    writeln!(
        report,
        "## Building\n\n`netlink-route` and what it needs: {} crates (goal: 12).\n",
        crates.len()
    )?;
    if !builds {
        return Ok(());
    }
    writeln!(report, "| clean release build | CPU seconds |\n| --- | --- |")?;
    let rivals = root().join("benches/rivals");
    for (package, folder) in [("netlink-route", root()), ("rtnetlink", &rivals), ("nlink", &rivals)] {
        let scratch = Scratch::new()?;
        let before = children()?;
        let mut command = cargo(&["build", "--release", "--package", package, "--target-dir"]);
        let built = command.arg(scratch.path()).current_dir(folder).status()?;
        if !built.success() {
            bail!("{package} does not build");
        }
        writeln!(report, "| {package} | {:.1} |", children()? - before)?;
    }
    writeln!(report, "\nGoal for `netlink-route`: 15 s.\n")?;
    Ok(())
}

/// CPU seconds of all child processes that have ended.
fn children() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is a name in parentheses. `cutime` and `cstime` are fields 16 and 17.
    let (_, rest) = stat.rsplit_once(')').context("/proc/self/stat")?;
    let ticks = rest.split_whitespace().skip(13).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

fn page(report: &str, rounds: usize, folder: &Path) -> Result<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let models: Vec<&str> = cpus
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "))
        .map(|(_, model)| model)
        .collect();
    let lock = std::fs::read_to_string(folder.join("Cargo.lock"))?;
    let version = |name: &str| {
        let at = lock.find(&format!("name = \"{name}\"\nversion = \""))?;
        lock.get(at..)?.split('"').nth(3)
    };
    let versions: Vec<String> = [
        "rtnetlink",
        "netlink-packet-route",
        "neli",
        "netlink-bindings",
        "netlink-socket2",
        "nlink",
        "tokio",
    ]
    .iter()
    .filter_map(|name| version(name).map(|version| format!("{name} {version}")))
    .collect();
    let short = Duration::from_secs(10);
    let date = output(Command::new("date").args(["-u", "+%F"]), short)?;
    let rustc = output(Command::new("rustc").arg("--version"), short)?;
    let mut page = String::new();
    writeln!(
        page,
        "# Results\n\nWritten by `cargo xtask bench`; [rivals/README.md](rivals/README.md) says what is measured.\n"
    )?;
    writeln!(page, "- Date: {}", date.trim())?;
    writeln!(page, "- Machine: {} × {}", models.len(), models.first().unwrap_or(&"?"))?;
    writeln!(page, "- Kernel: {}", read("/proc/sys/kernel/osrelease").trim())?;
    writeln!(page, "- Compiler: {}; release, thin LTO", rustc.trim())?;
    writeln!(page, "- Rivals: {}", versions.join(", "))?;
    writeln!(
        page,
        "- Medians of {rounds} rounds, the contenders taking turns; user + system time, per item\n"
    )?;
    page.push_str(report);
    page.push_str(&std::fs::read_to_string(root().join("benches/REMARKS.md")).unwrap_or_default());
    Ok(page)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The output of a program. A program that takes too long is killed without waiting for it: if the kernel
/// holds the process, waiting would not end.
fn output(command: &mut Command, limit: Duration) -> Result<String> {
    let name = format!("{command:?}").replace('"', "");
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context(name.clone())?;
    let start = Instant::now();
    // The outputs are smaller than the buffer of a pipe.
    while child.try_wait()?.is_none() {
        if start.elapsed() > limit {
            child.kill()?;
            bail!("{name} did not end in {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{name}: {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}
