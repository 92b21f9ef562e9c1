//! `cargo xtask vm`: commands and kernel tests in virtual machines with other kernels.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result, anyhow, ensure};

use crate::command::{self, Scratch, root, text};
use crate::target::{Architecture, WithSource};

mod apt;
mod boot;
mod cache;
mod census;
mod compiler;
mod cpio;
mod matrix;
mod modules;
mod pins;
mod prepare;
mod tool;

use boot::{End, Limit, Machine, Port};
use cache::Cache;
pub(crate) use compiler::cached as cached_compiler;
use prepare::{Kernel, Prepared};
use tool::tool;

/// Runs a command, or the kernel tests, in virtual machines with other kernels.
///
/// `cargo xtask vm -- test [FILTER]` runs the kernel tests in each kernel and compares the results; `cargo
/// xtask vm --kernel 7.3 -- COMMAND` runs any other command. The command can read this workspace and its
/// current folder, and can write to /out, which is temporary.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Series of kernels in xtask/kernels.txt [default: all].
    #[arg(long, global = true, value_delimiter = ',')]
    kernel: Vec<String>,
    /// Downloads nothing: kernels that are not in the cache are skipped with a message, which is not a failure.
    #[arg(long, global = true)]
    offline: bool,
    /// Minutes of processor time after which a machine is stopped; also stopped after twice that in real time.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// The results of the same tests on this machine, from `cargo xtask test --results`.
    #[arg(long, value_name = "FILE")]
    host: Option<PathBuf>,
    #[command(subcommand)]
    task: Option<Task>,
    /// `test [FILTER]`, or any command.
    #[arg(last = true)]
    command: Vec<String>,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Downloads kernels and the root file system into the cache.
    Prepare {
        /// Also builds modules that Debian lacks, such as netdevsim; takes several minutes per kernel.
        /// Without --kernel, for the oldest and the newest.
        #[arg(long)]
        extra_modules: bool,
    },
    /// Opens a shell.
    Shell,
    /// Asks the kernels what they offer, and writes the result to docs/.
    Census,
    /// Prints what this kernel offers; the census runs this in the machines.
    #[command(hide = true)]
    CensusHere { kinds: Vec<String> },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(Task::CensusHere { kinds }) = &arguments.task {
        census::print(kinds)?;
        return Ok(ExitCode::SUCCESS);
    }
    let pins = pins::select(&arguments.kernel)?;
    let cache = Cache::open()?;
    let scratch = Scratch::new()?;
    let shell = matches!(arguments.task, Some(Task::Shell));
    ensure!(
        arguments.task.is_some() || !arguments.command.is_empty(),
        "nothing to run: cargo xtask vm -- COMMAND, cargo xtask vm -- test, or cargo xtask vm shell"
    );
    ensure!(!shell || pins.len() == 1, "a shell runs in one kernel: cargo xtask vm --kernel 6.12 shell");
    let test = arguments.command.split_first().filter(|(program, _)| *program == "test");
    let prepared = match prepare::prepare(&cache, &pins, arguments.offline, &scratch) {
        Err(why) if arguments.offline && test.is_some() => {
            println!("kernel matrix: NOT RUN: {why:#}");
            return Ok(ExitCode::SUCCESS);
        }
        prepared => prepared?,
    };
    let limit = Limit::minutes(arguments.minutes);
    let fleet = Fleet {
        prepared: &prepared,
        cache: &cache,
        offline: arguments.offline,
        compiler: OnceLock::new(),
        scratch: &scratch,
        limit,
    };
    match (&arguments.task, test) {
        (Some(Task::Prepare { extra_modules }), _) => {
            // Before the modules, which can use up the time.
            let asked =
                |architecture: &Architecture| pins.iter().any(|pin| pin.architecture() == *architecture);
            let mut asked = Architecture::FOREIGN.into_iter().filter(asked);
            let built = asked.try_for_each(|architecture| fleet.compiler(architecture).map(drop));
            if *extra_modules {
                let all = prepared.kernels.iter().filter(|kernel| kernel.architecture == Architecture::Amd64);
                let all: Vec<_> = all.collect();
                // The newest first: it has the most to test, if the time is too short for both. The modules
                // can't be built for kernels before 6.1, whose sources differ.
                let ends = all.last().into_iter().chain(all.iter().find(|kernel| kernel.series != "5.10"));
                let chosen = if arguments.kernel.is_empty() { ends.copied().collect() } else { all };
                modules::build(&cache, &chosen, &scratch)?;
            }
            for (series, why) in &prepared.missing {
                println!("kernel {series} is missing: {why}");
            }
            if let Err(why) = &built {
                println!("nothing builds tests for other architectures: {why:#}");
            }
            let all = prepared.missing.is_empty() && built.is_ok();
            println!("{} kernels in {}", prepared.kernels.len(), cache.path("").display());
            Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        (Some(Task::Shell), _) => fleet.shell(),
        (Some(Task::Census | Task::CensusHere { .. }), _) => census::run(&fleet, arguments),
        (None, Some((program, filter))) if program == "test" => matrix::run(&fleet, filter, arguments),
        (None, _) => fleet.command(&arguments.command),
    }
}

/// Machines that run in parallel, one per kernel.
struct Fleet<'a> {
    prepared: &'a Prepared,
    cache: &'a Cache,
    offline: bool,
    /// Found once, which can take minutes and fail.
    compiler: OnceLock<Result<WithSource>>,
    scratch: &'a Scratch,
    limit: Limit,
}

impl Fleet<'_> {
    /// Runs a task for each kernel; as many in parallel as there are processors. Each task has its own folder.
    fn each<T: Send>(&self, kernels: &[&Kernel], task: impl Fn(&Kernel, &Path) -> T + Sync) -> Vec<T> {
        let mut queue: VecDeque<_> = kernels.iter().enumerate().collect();
        // Machines of another architecture take longest, and their tests are built first. The usual ones run in between,
        // because two builds would wait for each other.
        let usual = |kernel: &Kernel| kernel.architecture == Architecture::Amd64;
        let turn = |number: usize| {
            let kind = kernels.get(number).is_some_and(|kernel| usual(kernel));
            (kernels.iter().take(number).filter(|before| usual(before) == kind).count(), kind)
        };
        queue.make_contiguous().sort_by_key(|(number, _)| turn(*number));
        let queue = Mutex::new(queue);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let work = || {
            let mut results = Vec::new();
            while let Some((number, kernel)) = next() {
                results.push((number, task(kernel, &self.scratch.path().join(&kernel.series))));
            }
            results
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(kernels.len());
        let mut results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        results.sort_by_key(|(number, _)| *number);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// The compiler for machines of another architecture, with everything that it needs.
    fn compiler(&self, architecture: Architecture) -> Result<&WithSource> {
        tool(architecture.target().1)?;
        let compiler =
            self.compiler.get_or_init(|| compiler::prepare(self.cache, self.offline, self.scratch));
        let compiler = compiler.as_ref().map_err(|why| anyhow!("{why:#}"))?;
        compiler.fetch_crates(architecture, self.offline)?;
        Ok(compiler)
    }

    fn kernels(&self) -> Vec<&Kernel> {
        self.prepared.kernels.iter().collect()
    }

    fn machine<'a>(&'a self, kernel: &'a Kernel, folder: &'a Path, shares: &'a [PathBuf]) -> Machine<'a> {
        Machine { kernel, shares, folder, limit: self.limit }
    }

    /// Runs a command in each kernel.
    fn command(&self, words: &[String]) -> Result<ExitCode> {
        let here = std::env::current_dir()?;
        let script = format!("cd {}\nexec {}\n", word(&here.to_string_lossy()), line(words));
        let shares = shares(&[here])?;
        let alone = self.prepared.kernels.len() == 1;
        let ends = self.each(&self.kernels(), |kernel, folder| {
            let machine = self.machine(kernel, folder, &shares);
            let port = if alone { Port::Output } else { Port::File };
            machine.run(&script, port).map(|end| (machine.output(), end))
        });
        let mut failed = !self.prepared.missing.is_empty();
        for (series, why) in &self.prepared.missing {
            println!("{series}: not run: {why}");
        }
        for (kernel, end) in self.prepared.kernels.iter().zip(ends) {
            let (output, end) = end?;
            if !alone {
                print!("== {}\n{output}", kernel.series);
            }
            match end {
                End::Status(status) if alone => return Ok(ExitCode::from(u8::try_from(status).unwrap_or(1))),
                End::Status(0) => {}
                End::Status(status) => {
                    println!("{}: exit status {status}", kernel.series);
                    failed = true;
                }
                End::Died(why) => {
                    println!("{}: {why}", kernel.series);
                    failed = true;
                }
            }
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// Opens a shell in the kernel.
    fn shell(&self) -> Result<ExitCode> {
        let here = std::env::current_dir()?;
        let terminal = Terminal::save();
        let size = terminal.size.as_deref().unwrap_or("24 80");
        let (rows, columns) = size.split_once(' ').unwrap_or(("24", "80"));
        let kind = std::env::var("TERM").unwrap_or_else(|_| "vt100".to_owned());
        let script = format!(
            "stty rows {rows} columns {columns}\ncd {}\nTERM={} exec bash -l\n",
            word(&here.to_string_lossy()),
            word(&kind)
        );
        let kernel = self.prepared.kernels.first().context("no kernel")?;
        let shares = shares(&[here])?;
        let folder = self.scratch.path().join(&kernel.series);
        let machine = Machine { limit: Limit::NONE, ..self.machine(kernel, &folder, &shares) };
        let end = machine.run(&script, Port::Terminal);
        drop(terminal);
        match end? {
            End::Status(status) => Ok(ExitCode::from(u8::try_from(status).unwrap_or(1))),
            End::Died(why) => {
                println!("{why}");
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

/// The state of our terminal. It is restored at the end, because qemu may be killed.
struct Terminal {
    state: Option<String>,
    size: Option<String>,
}

impl Terminal {
    fn save() -> Self {
        let ask = |what| {
            let mut stty = std::process::Command::new("stty");
            let output = stty.arg(what).stdin(std::process::Stdio::inherit()).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            output.status.success().then(|| text.trim().to_owned())
        };
        Self { state: ask("-g"), size: ask("size") }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(state) = &self.state {
            // If it fails, the terminal is not worse than before.
            let _ = std::process::Command::new("stty").arg(state).status();
        }
    }
}

/// Folders that a machine can read: the workspace, cargo's target folder, and others; without duplicates.
fn shares(others: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let target = PathBuf::from(text(&command::metadata()?["target_directory"]));
    let all = [&[root().to_owned(), target], others].concat();
    let mut shares: Vec<PathBuf> = Vec::new();
    for path in all.iter().filter(|path| path.is_dir()) {
        let path = path.canonicalize()?;
        ensure!(path.parent().is_some(), "a machine can't see all of /: run this in another folder");
        if !shares.iter().any(|share| path.starts_with(share)) {
            shares.push(path);
        }
    }
    Ok(shares)
}

/// Quotes a word for a shell.
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A shell's command line of these words.
fn line(words: &[String]) -> String {
    words.iter().map(|text| word(text)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_command_unchanged() {
        let words = ["echo", "it's", "$HOME", ""].map(str::to_owned);
        assert_eq!(line(&words), r"'echo' 'it'\''s' '$HOME' ''");
    }
}
