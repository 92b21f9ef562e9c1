//! `cargo xtask test`: every test that this machine can run.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command::{self, Ended, Scratch, cargo, root, text};

/// Runs every test that this machine can run: unit, golden, documentation and kernel tests; as root the
/// kernel tests also as an ordinary user.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs only tests whose name contains this.
    filter: Option<String>,
}

/// Per binary; each kernel test has a limit of its own.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// `nobody` on Debian; any user without rights will do.
const ORDINARY_USER: u32 = 65534;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let metadata = command::metadata()?;
    let mut tests = Tests {
        filter: arguments.filter.as_deref(),
        scratch: Scratch::new()?,
        tally: Tally::default(),
        packages: command::members(&metadata).cloned().collect(),
    };
    let binaries = tests.build(&["--workspace", "--all-features"], "")?;
    let mut suites = Vec::new();
    let mut unprivileged = false;
    for binary in &binaries {
        match tests.run(binary)?.as_str() {
            "root" => suites.push(binary),
            "user" => unprivileged = true,
            _ => {}
        }
    }
    tests.documentation()?;
    tests.without_std()?;
    if arguments.filter.is_none() {
        tests.elsewhere()?;
    }
    if unprivileged {
        let reason = "not root; as an ordinary user they ran".to_owned();
        tests.tally.skip("kernel tests as root".to_owned(), reason);
    }
    tests.as_ordinary_user(&suites)?;
    Ok(tests.tally.conclude())
}

/// A test binary.
struct Binary {
    /// Package, target and variant.
    name: String,
    path: PathBuf,
    /// Where cargo would run it.
    folder: PathBuf,
}

struct Tests<'a> {
    filter: Option<&'a str>,
    scratch: Scratch,
    tally: Tally,
    packages: Vec<Value>,
}

impl Tests<'_> {
    /// Builds test binaries; a build that fails is a failure, and the binaries it did make are run.
    fn build(&mut self, selection: &[&str], variant: &str) -> Result<Vec<Binary>> {
        let arguments = [&["test", "--no-run", "--message-format=json-render-diagnostics"], selection];
        let output = cargo(&arguments.concat()).stderr(Stdio::inherit()).output().context("cargo test")?;
        if !output.status.success() {
            self.tally.fail(format!("cargo test {}", selection.join(" ")), "does not build".to_owned());
        }
        let messages = output.stdout.split(|byte| *byte == b'\n');
        let messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        let binaries = messages.filter_map(|message| {
            let path = message["executable"].as_str().filter(|_| message["profile"]["test"] == true)?;
            let package = self.packages.iter().find(|package| package["id"] == message["package_id"])?;
            let target = match text(&message["target"]["kind"][0]) {
                "test" => text(&message["target"]["name"]),
                kind => kind,
            };
            Some(Binary {
                name: format!("{} {target}{variant}", text(&package["name"])),
                path: path.into(),
                folder: Path::new(text(&package["manifest_path"])).parent()?.to_owned(),
            })
        });
        Ok(binaries.collect())
    }

    /// Runs a binary. Says as whom, if it is a suite of kernel tests.
    fn run(&mut self, binary: &Binary) -> Result<String> {
        let report = self.scratch.path().join("report");
        let mut command = Command::new(&binary.path);
        command.current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
        command.args(self.filter).env("NETLINK_TEST_REPORT", &report);
        let ended = command::run(&mut command, &self.scratch, LIMIT).context(binary.name.clone())?;
        let Some(report) = take(&report)? else {
            self.tally.libtest(&binary.name, &ended, Some(1));
            return Ok(String::new());
        };
        self.tally.report(&binary.name, &ended, &report);
        Ok(report.first().map_or("", |suite| text(&suite["user"])).to_owned())
    }

    fn documentation(&mut self) -> Result<()> {
        let mut command = cargo(&["test", "--workspace", "--all-features", "--doc", "--"]);
        command.args(self.filter);
        let ended = command::run(&mut command, &self.scratch, LIMIT)?;
        self.tally.libtest("documentation", &ended, None);
        Ok(())
    }

    /// The codecs alone, for crates that have a feature `std`.
    fn without_std(&mut self) -> Result<()> {
        let names = self.codecs();
        let mut selection = vec!["--no-default-features"];
        selection.extend(names.iter().flat_map(|name| ["-p", name.as_str()]));
        for binary in self.build(&selection, " without std")? {
            self.run(&binary)?;
        }
        Ok(())
    }

    fn codecs(&self) -> Vec<String> {
        let codecs = self.packages.iter().filter(|package| package["features"].get("std").is_some());
        codecs.map(|package| text(&package["name"]).to_owned()).collect()
    }

    /// The crates build for targets that are not Linux, where their codecs are all there is of them.
    fn elsewhere(&mut self) -> Result<()> {
        const TARGETS: [(&str, &[&str]); 4] = [
            ("x86_64-pc-windows-gnu", &[]),
            ("aarch64-apple-darwin", &[]),
            ("x86_64-unknown-freebsd", &[]),
            ("thumbv7em-none-eabi", &["--no-default-features"]),
        ];
        let names = self.codecs();
        let mut checked = false;
        for (target, flags) in TARGETS {
            let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            let library = Command::new(rustc)
                .args(["--print=target-libdir", "--target", target])
                .current_dir(root())
                .stderr(Stdio::null())
                .output()?;
            if !Path::new(String::from_utf8_lossy(&library.stdout).trim()).is_dir() {
                continue;
            }
            checked = true;
            let mut command = cargo(&["check", "--quiet", "--target", target]);
            command.args(flags).args(names.iter().flat_map(|name| ["-p", name.as_str()]));
            let ended = command::run(&mut command, &self.scratch, LIMIT)?;
            let name = format!("builds for {target}");
            match ended.is_success() {
                true => self.tally.pass(name),
                false => self.tally.fail(name, ended.output),
            }
        }
        if !checked {
            let reason = "no other target: rustup target add x86_64-pc-windows-gnu".to_owned();
            self.tally.skip("builds for another system".to_owned(), reason);
        }
        Ok(())
    }

    /// The kernel tests once more, as a user who has to make a user namespace first.
    fn as_ordinary_user(&mut self, suites: &[&Binary]) -> Result<()> {
        let folder = self.scratch.path().to_owned();
        fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
        for binary in suites {
            let name = format!("{} as an ordinary user", binary.name);
            let copy = folder.join(binary.path.file_name().unwrap_or_default());
            let report = folder.join("report");
            fs::copy(&binary.path, &copy)?;
            fs::set_permissions(&copy, Permissions::from_mode(0o755))?;
            fs::File::create(&report)?;
            chown(&report, Some(ORDINARY_USER), Some(ORDINARY_USER))?;
            let mut command = Command::new(&copy);
            command.current_dir(&folder).args(self.filter).env("NETLINK_TEST_REPORT", &report);
            command.uid(ORDINARY_USER).gid(ORDINARY_USER);
            let ended = match command::run(&mut command, &self.scratch, LIMIT) {
                Ok(ended) => ended,
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    self.tally.skip(name, format!("can't run a copy in {}: {error}", folder.display()));
                    continue;
                }
                Err(error) => return Err(error).context(name),
            };
            let report = take(&report)?.unwrap_or_default();
            self.tally.report(&name, &ended, &report);
        }
        Ok(())
    }
}

/// Reads a report's lines and removes it.
fn take(path: &Path) -> Result<Option<Vec<Value>>> {
    let lines = match fs::read_to_string(path) {
        Ok(lines) => lines,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    fs::remove_file(path)?;
    // A line cut short is missing from the count, which is then reported.
    Ok(Some(lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()))
}

/// What came of all tests.
#[derive(Default)]
struct Tally {
    passed: usize,
    failures: Vec<(String, String)>,
    /// Names by reason.
    skipped: BTreeMap<String, Vec<String>>,
}

impl Tally {
    fn pass(&mut self, name: String) {
        println!("{name}: passed");
        self.passed += 1;
    }

    fn fail(&mut self, name: String, reason: String) {
        println!("{name}: FAILED");
        self.failures.push((name, reason));
    }

    fn skip(&mut self, name: String, reason: String) {
        println!("{name}: skipped: {reason}");
        self.skipped.entry(reason).or_default().push(name);
    }

    fn line(&self, name: &str, [passed, failed, skipped]: [usize; 3], ended: &Ended) {
        let seconds = ended.took.as_secs_f32();
        println!("{name}: {passed} passed, {failed} failed, {skipped} skipped ({seconds:.1} s)");
    }

    /// Reads the output of `binaries` test binaries of libtest, or of any number.
    fn libtest(&mut self, name: &str, ended: &Ended, binaries: Option<usize>) {
        let results: Vec<_> = ended.output.lines().filter_map(libtest_result).collect();
        let sum = results.iter().fold([0; 3], |sum, result| {
            let [a, b, c] = sum;
            [a + result[0], b + result[1], c + result[2]]
        });
        self.line(name, sum, ended);
        let mut named = 0;
        for (test, state) in ended.output.lines().filter_map(libtest_line) {
            let test = format!("{name}: {test}");
            if let Some(reason) = state.strip_prefix("ignored") {
                let reason = reason.trim_start_matches([',', ' ']);
                let reason = if reason.is_empty() { "ignored" } else { reason };
                self.skipped.entry(reason.to_owned()).or_default().push(test);
            } else if state == "FAILED" {
                self.failures.push((test, String::new()));
                named += 1;
            }
        }
        self.passed += sum[0];
        let whole = ended.is_success() && binaries.is_none_or(|count| count == results.len());
        if whole && named == sum[1] {
            return;
        }
        let output = ended.output.lines().filter(|line| !line.ends_with(" ... ok"));
        let output = output.fold(ended.why(), |output, line| output + "\n" + line);
        match self.failures.last_mut().filter(|_| named > 0 && named == sum[1]) {
            // The tests that failed are named; their messages are in the output of all.
            Some((_, reason)) => *reason = output,
            None => self.failures.push((name.to_owned(), output)),
        }
    }

    /// Reads the report of a suite of kernel tests.
    fn report(&mut self, name: &str, ended: &Ended, lines: &[Value]) {
        let planned = lines.first().and_then(|suite| suite["planned"].as_u64());
        let results = lines.get(1..).unwrap_or_default();
        let mut sum = [0; 3];
        for result in results {
            let test = format!("{name}: {}", text(&result["name"]));
            let reason = text(&result["reason"]).to_owned();
            match text(&result["outcome"]) {
                "passed" => {
                    sum[0] += 1;
                    self.passed += 1;
                }
                "skipped" => {
                    sum[2] += 1;
                    self.skipped.entry(reason).or_default().push(test);
                }
                _ => {
                    sum[1] += 1;
                    self.failures.push((test, reason));
                }
            }
        }
        self.line(name, sum, ended);
        let planned = planned.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
        if planned != results.len().to_string() || (!ended.is_success() && sum[1] == 0) {
            let why = format!("{} after {} of {planned} tests", ended.why(), results.len());
            self.failures.push((name.to_owned(), format!("{why}\n{}", ended.output)));
        }
    }

    fn conclude(mut self) -> ExitCode {
        let skipped: usize = self.skipped.values().map(Vec::len).sum();
        if self.passed + self.failures.len() + skipped == 0 {
            self.failures.push(("all".to_owned(), "no test has such a name".to_owned()));
        }
        if skipped > 0 {
            println!("\nskipped:");
        }
        for (reason, names) in &self.skipped {
            println!("  {reason}");
            for name in names {
                println!("    {name}");
            }
        }
        if !self.failures.is_empty() {
            println!("\nfailed:");
        }
        for (name, reason) in &self.failures {
            println!("  {name}");
            for line in reason.trim().lines() {
                println!("    {line}");
            }
        }
        println!("\n{} passed, {} failed, {skipped} skipped", self.passed, self.failures.len());
        if self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// `test NAME ... STATE`.
fn libtest_line(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.rsplit_once(" ... ").map(|(name, state)| (name.trim(), state))
}

/// Passed, failed and ignored, of `test result: ok. 1 passed; 0 failed; 0 ignored; …`.
fn libtest_result(line: &str) -> Option<[usize; 3]> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |kind| {
        let part = counts.split("; ").find_map(|part| part.strip_suffix(kind))?;
        part.trim().parse().ok()
    };
    Some([count("passed")?, count("failed")?, count("ignored")?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    fn ended(code: i32, output: &str) -> Ended {
        let status = Some(ExitStatus::from_raw(code << 8));
        Ended { status, output: output.to_owned(), took: Duration::ZERO }
    }

    fn counts(tally: &Tally) -> [usize; 3] {
        [tally.passed, tally.failures.len(), tally.skipped.values().map(Vec::len).sum()]
    }

    #[test]
    fn results_of_libtest_are_counted() {
        let output = "test a ... ok\ntest b ... FAILED\ntest c ... ignored, too slow\n\
            test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out\n";
        let mut tally = Tally::default();
        tally.libtest("x", &ended(101, output), Some(1));
        assert_eq!(counts(&tally), [1, 1, 1]);
        assert_eq!(tally.failures[0].0, "x: b");
        assert_eq!(tally.skipped["too slow"], ["x: c"]);
    }

    #[test]
    fn a_binary_that_dies_or_says_nothing_fails() {
        let fine = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        for (code, output) in [(134, "test a ... "), (0, ""), (1, fine)] {
            let mut tally = Tally::default();
            tally.libtest("x", &ended(code, output), Some(1));
            assert_eq!(tally.failures.len(), 1, "{output}");
        }
    }

    #[test]
    fn a_suite_that_ends_early_fails() {
        let lines = [r#"{"suite":"kernel","planned":2,"user":"root"}"#, r#"{"name":"a","outcome":"passed"}"#];
        let lines: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let mut tally = Tally::default();
        tally.report("x", &ended(0, ""), &lines);
        assert_eq!(counts(&tally), [1, 1, 0]);
        let mut tally = Tally::default();
        tally.report("x", &ended(0, ""), &[]);
        assert_eq!(counts(&tally), [0, 1, 0]);
    }

    #[test]
    fn no_test_at_all_fails() {
        assert_eq!(Tally::default().conclude(), ExitCode::FAILURE);
    }
}
