//! `cargo xtask fuzz`: every fuzz target for a while.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::command::{self, Scratch, root};

/// Runs each target of `fuzz/` for a while.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// For each target.
    #[arg(default_value_t = 60)]
    seconds: u32,
    /// Only this target.
    #[arg(long)]
    target: Option<String>,
}

/// What it exits with where the tools are missing: nothing was found, and nothing was looked for.
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
    // What is found lands beside the committed corpus, not in it.
    let found = folder.join("corpus-found");
    let scratch = Scratch::new()?;
    let mut failed = Vec::new();
    for (target, _) in netlink_fuzz_targets::TARGETS {
        if arguments.target.as_deref().is_some_and(|only| only != target) {
            continue;
        }
        let seeds = found.join("seeds").join(target);
        let found = found.join(target);
        fs::create_dir_all(&seeds)?;
        fs::create_dir_all(&found)?;
        for (number, (_, bytes)) in netlink_fuzz_targets::seeds(root(), target)?.iter().enumerate() {
            fs::write(seeds.join(number.to_string()), bytes)?;
        }
        let seconds = format!("-max_total_time={}", arguments.seconds);
        let mut command = Command::new("rustup");
        command
            .args(["run", "nightly", "cargo", "fuzz", "run", target])
            .args([&found, &seeds])
            // Memory has to stay bounded, and no input may take long.
            .args([
                "--",
                &seconds,
                "-rss_limit_mb=1024",
                "-timeout=10",
                // As long as a datagram.
                "-max_len=65536",
                "-print_final_stats=1",
                "-verbosity=0",
            ])
            .current_dir(root())
            // These are of the compiler that runs this task.
            .env_remove("CARGO")
            .env_remove("RUSTC")
            .env_remove("RUSTUP_TOOLCHAIN");
        // The build comes first, and the fuzzer looks at the clock only between inputs.
        let limit = Duration::from_secs(u64::from(arguments.seconds) * 2 + 1200);
        let ended = command::run(&mut command, &scratch, limit).context("cargo fuzz")?;
        let number =
            |name| ended.output.lines().find_map(|line: &str| line.strip_prefix(name)).map(str::trim);
        if ended.is_success()
            && let Some(runs) = number("stat::number_of_executed_units:")
        {
            let memory = number("stat::peak_rss_mb:").unwrap_or("?");
            let speed = number("stat::average_exec_per_sec:").unwrap_or("?");
            println!("fuzz {target}: ok, {runs} inputs, {speed} a second, {memory} MB");
        } else {
            println!("{}\nfuzz {target}: FAILED, {}", ended.output, ended.why());
            failed.push(target);
        }
    }
    if arguments.target.as_ref().is_some_and(|only| netlink_fuzz_targets::target(only).is_none()) {
        bail!("no target of that name");
    }
    println!("fuzz: {} failed {}", failed.len(), failed.join(" "));
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
