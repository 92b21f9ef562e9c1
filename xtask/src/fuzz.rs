//! `cargo xtask fuzz`: every fuzz target for a while.

use std::fs;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};

use crate::command::{self, root};

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
    let mut failed = Vec::new();
    for entry in fs::read_dir(folder.join("bins"))? {
        let path = entry?.path();
        let Some(target) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if arguments.target.as_deref().is_some_and(|only| only != target) {
            continue;
        }
        // What is found lands beside the committed corpus, not in it.
        let found = folder.join("corpus-found").join(target);
        fs::create_dir_all(&found)?;
        let committed = folder.join("corpus").join(target);
        fs::create_dir_all(&committed)?;
        let seconds = format!("-max_total_time={}", arguments.seconds);
        let status = Command::new("rustup")
            .args(["run", "nightly", "cargo", "fuzz", "run", target])
            .args([&found, &committed])
            // Memory has to stay bounded, and no input may take long.
            .args([
                "--",
                &seconds,
                "-rss_limit_mb=1024",
                "-timeout=10",
                "-print_final_stats=1",
                "-verbosity=0",
            ])
            .current_dir(root())
            // cargo-fuzz would hand these on to a build with other flags.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO")
            .stdin(Stdio::null())
            .status()
            .context("cargo fuzz")?;
        println!("fuzz {target}: {status}");
        if !status.success() {
            failed.push(target.to_owned());
        }
    }
    println!("fuzz: {} failed {}", failed.len(), failed.join(" "));
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
