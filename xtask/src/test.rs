//! `cargo xtask test`: every test that this machine can run.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::binary::{self, Binary};
use crate::command::{self, Scratch, cargo, root, text};
use crate::tally::{Report, Row, Tally};

/// Runs every test that this machine can run: unit, golden, documentation and kernel tests. As root, it runs
/// the kernel tests as an ordinary user too.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only tests with this text in their name.
    filter: Option<String>,
    /// Writes the results of kernel tests to this file, for `cargo xtask vm --host`.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
}

/// Time limit of a binary; each kernel test has its own limit.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// `nobody` on Debian; any user without rights is possible.
const ORDINARY_USER: u32 = 65534;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let metadata = command::metadata()?;
    let mut tests = Tests {
        filter: arguments.filter.as_deref(),
        scratch: Scratch::new()?,
        tally: Tally::default(),
        rows: Vec::new(),
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
    if let Some(path) = &arguments.results {
        Row::write(path, &tests.rows)?;
    }
    Ok(tests.tally.conclude())
}

struct Tests<'a> {
    filter: Option<&'a str>,
    scratch: Scratch,
    tally: Tally,
    /// Results of kernel tests.
    rows: Vec<Row>,
    packages: Vec<Value>,
}

impl Tests<'_> {
    /// Builds test binaries. A failed build is a failure, and the binaries that could be built are run.
    fn build(&mut self, selection: &[&str], variant: &str) -> Result<Vec<Binary>> {
        let (mut binaries, whole) = binary::build(&self.packages, selection)?;
        if !whole {
            self.tally.fail(format!("cargo test {}", selection.join(" ")), "does not build".to_owned());
        }
        for binary in &mut binaries {
            binary.name.push_str(variant);
        }
        Ok(binaries)
    }

    /// Runs a binary. Returns the user if it is a suite of kernel tests.
    fn run(&mut self, binary: &Binary) -> Result<String> {
        let report = self.scratch.path().join("report");
        let mut command = Command::new(&binary.path);
        command.current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
        command.args(self.filter).env("NETLINK_TEST_REPORT", &report);
        let ended = command::run(&mut command, &self.scratch, LIMIT).context(binary.name.clone())?;
        let Some(report) = Report::take(&report)? else {
            self.tally.libtest(&binary.name, &ended, Some(1));
            return Ok(String::new());
        };
        self.tally.report(&binary.name, &ended, &report);
        let place = if report.user == "user" { "user" } else { "host" };
        self.rows.extend(Row::of(place, &binary.name, &report));
        Ok(report.user)
    }

    fn documentation(&mut self) -> Result<()> {
        let mut command = cargo(&["test", "--workspace", "--all-features", "--doc", "--"]);
        command.args(self.filter);
        let ended = command::run(&mut command, &self.scratch, LIMIT)?;
        self.tally.libtest("documentation", &ended, None);
        Ok(())
    }

    /// Tests only the codecs, for crates with a feature `std`.
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

    /// Builds the crates for targets that are not Linux, where only their codecs exist.
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

    /// The kernel tests again, as a user who must make a user namespace first.
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
            let report = Report::take(&report)?.unwrap_or_default();
            self.tally.report(&name, &ended, &report);
            self.rows.extend(Row::of("user", &binary.name, &report));
        }
        Ok(())
    }
}
