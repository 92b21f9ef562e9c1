//! `cargo xtask fuzz`: runs every fuzz target for some time.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::command::{self, Scratch, root};

/// Runs each target of `fuzz/` for some time.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Seconds for each target.
    #[arg(default_value_t = 60)]
    seconds: u32,
    /// Only this target.
    #[arg(long)]
    target: Option<String>,
}

/// Parts of the time, and the longest input in each. Most faults need only a few bytes, and long inputs are
/// much slower. The second length is that of a datagram.
const PARTS: [(u32, usize); 2] = [(5, 4096), (1, 65_536)];

/// Targets that run `unsafe` code use a sanitizer, which makes them much slower.
const UNSAFE: [&str; 1] = ["connection"];

/// Exit status if the tools are missing: nothing was tested.
const MISSING: u8 = 2;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let nightly = Command::new("rustup").args(["run", "nightly", "rustc", "--version"]).output();
    let has_nightly = nightly.is_ok_and(|output| output.status.success());
    for (found, what, how) in [
        (has_nightly, "a nightly compiler", "rustup toolchain install nightly"),
        (command::exists("cargo-fuzz"), "cargo-fuzz", "cargo install cargo-fuzz"),
        (command::exists("c++"), "a C++ compiler", "apt-get install g++"),
    ] {
        if !found {
            eprintln!("fuzzing needs {what}: {how}");
            return Ok(ExitCode::from(MISSING));
        }
    }
    let folder = root().join("fuzz");
    // New inputs are stored next to the committed corpus, not in it.
    let found = folder.join("corpus-found");
    let scratch = Scratch::new()?;
    let mut failed = Vec::new();
    for (target, _) in netlink_fuzz_targets::TARGETS {
        if arguments.target.as_deref().is_some_and(|only| only != target) {
            continue;
        }
        let seeds = netlink_fuzz_targets::seeds(root(), target)?;
        let found = found.join(target);
        fs::create_dir_all(&found)?;
        let all: u32 = PARTS.iter().map(|(part, _)| part).sum();
        for (part, length) in PARTS {
            let here = found.with_file_name("seeds").join(format!("{target}-{length}"));
            fs::create_dir_all(&here)?;
            for (number, (_, bytes)) in
                seeds.iter().enumerate().filter(|(_, (_, bytes))| bytes.len() <= length)
            {
                fs::write(here.join(number.to_string()), bytes)?;
            }
            let seconds = (arguments.seconds * part).div_ceil(all);
            let ended = fuzz(target, seconds, length, [&found, &here], &scratch)?;
            let number =
                |name| ended.output.lines().find_map(|line: &str| line.strip_prefix(name)).map(str::trim);
            if ended.is_success()
                && let Some(runs) = number("stat::number_of_executed_units:")
            {
                let memory = number("stat::peak_rss_mb:").unwrap_or("?");
                let speed = number("stat::average_exec_per_sec:").unwrap_or("?");
                println!(
                    "fuzz {target}, up to {length} bytes: ok, {runs} inputs, {speed} a second, {memory} MB"
                );
            } else {
                // Inputs are printed too.
                for line in ended.output.lines() {
                    println!("{}", line.chars().take(500).collect::<String>());
                }
                println!("fuzz {target}: FAILED, {}", ended.why());
                failed.push(target);
                break;
            }
        }
    }
    if arguments.target.as_ref().is_some_and(|only| netlink_fuzz_targets::target(only).is_none()) {
        bail!("no target of that name");
    }
    println!("fuzz: {} failed {}", failed.len(), failed.join(" "));
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the fuzzer on a target. The build comes first. The fuzzer checks its time limit only between inputs.
fn fuzz(
    target: &str,
    seconds: u32,
    length: usize,
    corpora: [&Path; 2],
    scratch: &Scratch,
) -> Result<command::Ended> {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz", "run", target]);
    if !UNSAFE.contains(&target) {
        command.args(["--sanitizer", "none", "--no-trace-compares"]);
    }
    command
        .args(corpora)
        .args(["--", &format!("-max_total_time={seconds}"), &format!("-max_len={length}")])
        // Memory must be bounded, and no input may take long.
        .args(["-rss_limit_mb=1024", "-timeout=10", "-print_final_stats=1", "-verbosity=0"])
        .current_dir(root())
        // These variables belong to the compiler that runs this task.
        .env_remove("CARGO")
        .env_remove("RUSTC")
        .env_remove("RUSTUP_TOOLCHAIN");
    let limit = Duration::from_secs(u64::from(seconds) * 2 + 1200);
    command::run(&mut command, scratch, limit).context("cargo fuzz")
}
