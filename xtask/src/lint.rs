//! `cargo xtask lint`: all checks of the code that are not tests.

mod futures;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::command::{self, cargo, members, root, text};
use crate::target::{self, WithSource};

/// Checks format, clippy and rustdoc with warnings as errors, each feature alone, packages, dependencies,
/// licences, futures, names, `unsafe`.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// The package that families depend on, and the name of its library.
const CORE: &str = "netlink-base";
const CORE_LIBRARY: &str = "netlink_core";

/// Packages that are not for users: tools and an example.
const TOOLS: [&str; 3] = ["xtask", "netlink-testing", "tcp-metrics"];

/// Dependencies allowed in the core.
const CORE_MAY_USE: [&str; 8] =
    ["bitflags", "byteorder", "libc", "thiserror", "ipnet", "serde", "tokio", "zeroize"];
/// Dependencies allowed in netlink-generic, for keys of WireGuard: base64, random numbers and curves.
const GENERIC_MAY_USE: [&str; 4] = [CORE, "base64ct", "getrandom", "x25519-dalek"];
/// Dependencies that must be behind a feature.
const ONLY_OPTIONAL: [&str; 7] =
    ["ipnet", "serde", "tokio", "zeroize", "base64ct", "getrandom", "x25519-dalek"];

/// Largest number of crates that a family needs with default features, including itself and build dependencies.
const MOST_CRATES: usize = 12;

pub(crate) fn run(_: &Arguments) -> Result<ExitCode> {
    let metadata = command::metadata()?;
    let libraries: Vec<&Value> =
        members(&metadata).filter(|package| !TOOLS.contains(&text(&package["name"]))).collect();
    let mut lint = Lint::default();

    lint.cargo(&["fmt", "--all", "--check"]);
    lint.cargo(&[
        "fmt",
        "--check",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "-p=netlink-fuzz",
        "-p=netlink-fuzz-targets",
    ]);
    lint.cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-Dwarnings"]);
    for package in &libraries {
        for features in feature_sets(package) {
            let name = text(&package["name"]);
            let features = ["--no-default-features", "--features", &features];
            lint.cargo(&[&["clippy", "--lib", "-p", name], &features[..], &["--", "-Dwarnings"]].concat());
        }
    }
    lint.program(
        cargo(&["doc", "--workspace", "--no-deps", "--all-features", "--exclude=xtask"])
            .env("RUSTDOCFLAGS", "-Dwarnings"),
    );

    // Builds each from the content of its package. Cargo keeps what it unpacks, and does not see that the content changed.
    forget_unpacked(&libraries)?;
    let tools = TOOLS.iter().flat_map(|name| ["--exclude", name]);
    let package = ["package", "--workspace", "--quiet", "--offline", "--allow-dirty"];
    lint.cargo(&package.into_iter().chain(tools).collect::<Vec<_>>());
    lint.check("normal dependencies", dependencies(&libraries));
    lint.check("licences", licences(&metadata));
    for package in &libraries {
        let name = text(&package["name"]);
        lint.check(&format!("crates below {name}"), tree(name));
    }
    // The tools offer nothing to users, but the example of a family does.
    for package in members(&metadata).filter(|package| package["name"] != "xtask") {
        lint.check(&format!("futures of {}", text(&package["name"])), futures::tried(package));
    }
    let core = names::of(CORE)?;
    for package in &libraries {
        let name = text(&package["name"]);
        let named = names::of(name).and_then(|docs| names::named(name, &docs, &core));
        lint.check(&format!("names in signatures of {name}"), named);
    }
    lint.check("unsafe", unsafe_code(&libraries));
    lint.architectures(&libraries);
    lint.miri(&libraries);
    if command::exists("cargo-deny") {
        lint.cargo(&["deny", "check"]);
    } else {
        println!("cargo deny: skipped: not installed; the checks above stand for it");
    }
    Ok(lint.conclude())
}

/// Removes packages of the workspace that cargo unpacked to verify them: below its home, in folders that begin with a dash
/// instead of the name of a host.
fn forget_unpacked(packages: &[&Value]) -> Result<()> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let folders = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    for folder in folders.into_iter().flatten().flatten() {
        if !folder.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        for package in packages {
            let name = format!("{}-{}", text(&package["name"]), text(&package["version"]));
            let unpacked = folder.path().join(name);
            if unpacked.is_dir() {
                fs::remove_dir_all(unpacked)?;
            }
        }
    }
    Ok(())
}

/// Runs checks and records the failed ones.
#[derive(Default)]
struct Lint {
    passed: usize,
    failed: Vec<String>,
}

impl Lint {
    fn cargo(&mut self, arguments: &[&str]) {
        self.program(&mut cargo(arguments));
    }

    fn program(&mut self, command: &mut Command) {
        let name = command
            .get_args()
            .fold("cargo".to_owned(), |name, argument| format!("{name} {}", argument.to_string_lossy()));
        self.command(&name, command);
    }

    fn command(&mut self, name: &str, command: &mut Command) {
        // The whole output only on failure; otherwise one line per check.
        let result = command.output().map_err(anyhow::Error::from).and_then(|output| {
            if !output.status.success() {
                let (out, err) = (&output.stdout, &output.stderr);
                bail!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err));
            }
            Ok(())
        });
        self.check(name, result);
    }

    fn check(&mut self, name: &str, result: Result<()>) {
        match result {
            Ok(()) => {
                println!("{name}: ok");
                self.passed += 1;
            }
            Err(error) => {
                println!("{name}: FAILED\n{error:#}");
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Builds the crates for the other architectures that they support, and the codecs without `std` for some more.
    fn architectures(&mut self, libraries: &[&Value]) {
        const TARGETS: [&str; 8] = [
            "aarch64-unknown-linux-gnu",
            "riscv64gc-unknown-linux-gnu",
            "armv7-unknown-linux-gnueabihf",
            "i686-unknown-linux-gnu",
            "mips-unknown-linux-gnu",
            "mipsel-unknown-linux-gnu",
            "powerpc64-unknown-linux-gnu",
            "s390x-unknown-linux-gnu",
        ];
        const WITHOUT_STD: [&str; 2] = ["thumbv7em-none-eabi", "wasm32-unknown-unknown"];
        let compiler = match WithSource::find() {
            Ok(compiler) => compiler,
            Err(why) => {
                return println!(
                    "builds for {}: NOT RUN: {why}",
                    [&TARGETS[..], &WITHOUT_STD].concat().join(", ")
                );
            }
        };
        // Generating keys needs a system with random numbers.
        let crates = |features: &'static str| {
            let names = libraries.iter().flat_map(|package| ["-p", text(&package["name"])]);
            ["check", "--quiet", features].into_iter().chain(names).collect::<Vec<_>>()
        };
        for target in TARGETS {
            let mut cargo = compiler.cargo(&crates("--all-features"), "std,panic_unwind", target);
            self.command(&format!("builds for {target}"), &mut cargo);
        }
        for target in WITHOUT_STD {
            let mut cargo = compiler.cargo(&crates("--no-default-features"), "core,alloc", target);
            self.command(&format!("builds without std for {target}"), &mut cargo);
        }
    }

    /// Runs the unit tests of the codecs under Miri: as this machine, big endian, and 32 bit.
    fn miri(&mut self, libraries: &[&Value]) {
        const TARGETS: [&str; 3] =
            ["x86_64-unknown-linux-gnu", "s390x-unknown-linux-gnu", "i686-unknown-linux-gnu"];
        let there = target::nightly("cargo").args(["miri", "--version"]).output();
        // Without the source, Miri would ask a question on the terminal or download it.
        let there =
            there.is_ok_and(|output| output.status.success()) && target::has_source(target::nightly("rustc"));
        if !there {
            return println!(
                "unit tests under Miri for {}: NOT RUN: rustup's nightly has no miri, or not the source of its standard \
                 library: rustup component add miri rust-src --toolchain nightly; cargo xtask vm runs them on s390x and i386",
                TARGETS.join(", ")
            );
        }
        for target in TARGETS {
            let mut cargo = target::nightly("cargo");
            cargo.args(["miri", "test", "--quiet", "--lib", "--no-default-features", "--target", target]);
            cargo.args(libraries.iter().flat_map(|package| ["-p", text(&package["name"])]));
            cargo.current_dir(root()).env("CARGO_TARGET_DIR", target::folder());
            self.command(&format!("unit tests under Miri for {target}"), &mut cargo);
        }
    }

    fn conclude(self) -> ExitCode {
        for name in &self.failed {
            println!("failed: {name}");
        }
        println!("lint: {} checks passed, {} failed", self.passed, self.failed.len());
        if self.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// No feature, and each feature alone. All features together are part of the workspace run.
fn feature_sets(package: &Value) -> impl Iterator<Item = String> {
    let features = package["features"].as_object().into_iter().flatten();
    let names = features.map(|(name, _)| name.clone()).filter(|name| name != "default");
    std::iter::once(String::new()).chain(names)
}

/// Families depend only on the core, and the core only on allowed crates.
fn dependencies(libraries: &[&Value]) -> Result<()> {
    for package in libraries {
        let name = text(&package["name"]);
        let allowed = match name {
            CORE => &CORE_MAY_USE[..],
            "netlink-generic" => &GENERIC_MAY_USE,
            _ => &[CORE],
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = text(&dependency["name"]);
            // A null kind is a normal dependency. Tests may have any dependency.
            if dependency["kind"] == "dev" {
                continue;
            }
            ensure!(dependency["kind"].is_null(), "{name} has the build dependency {on}");
            ensure!(allowed.contains(&on), "{name} may not depend on {on}, only on {}", allowed.join(", "));
            let optional = dependency["optional"] == true;
            ensure!(optional || !ONLY_OPTIONAL.contains(&on), "{on} must be optional in {name}");
        }
    }
    Ok(())
}

/// Every crate of the tree has a licence that deny.toml allows.
fn licences(metadata: &Value) -> Result<()> {
    let config = fs::read_to_string(root().join("deny.toml"))?;
    let list = config.split_once("\nallow = [").and_then(|(_, rest)| rest.split_once(']'));
    let Some((list, _)) = list else { bail!("no list `allow` in deny.toml") };
    let allowed: BTreeSet<&str> = list.split('"').skip(1).step_by(2).collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let (name, licence) = (text(&package["name"]), text(&package["license"]));
        ensure!(is_allowed(licence, &allowed), "{name} has licence {licence:?}, not in deny.toml");
    }
    Ok(())
}

/// Whether a licence expression can be satisfied: `A OR (B AND C)`, and `A/B` of old manifests.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.trim();
    let mut depth = 0;
    let mut weakest = None;
    for (at, c) in expression.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth > 0 => {}
            '/' => {
                return is_allowed(&expression[..at], allowed) || is_allowed(&expression[at + 1..], allowed);
            }
            _ if expression[at..].starts_with(" OR ") => {
                return is_allowed(&expression[..at], allowed) || is_allowed(&expression[at + 4..], allowed);
            }
            _ if expression[at..].starts_with(" AND ") => weakest = weakest.or(Some(at)),
            _ => {}
        }
    }
    if let Some(at) = weakest {
        return is_allowed(&expression[..at], allowed) && is_allowed(&expression[at + 5..], allowed);
    }
    match expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => is_allowed(inner, allowed),
        // An exception only grants more rights.
        None => allowed.contains(expression.split(" WITH ").next().unwrap_or_default()),
    }
}

/// A crate with its default features needs few crates, each in one version.
fn tree(name: &str) -> Result<()> {
    let output = cargo(&["tree", "-p", name, "-e", "normal,build", "--prefix", "none"]).output()?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout)?;
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in output.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    for (name, versions) in &versions {
        ensure!(versions.len() == 1, "{name} in several versions: {versions:?}");
    }
    let names: Vec<&str> = versions.into_keys().collect();
    let few = names.len() <= MOST_CRATES;
    ensure!(few, "{} crates where {MOST_CRATES} are allowed: {}", names.len(), names.join(" "));
    Ok(())
}

/// Families forbid `unsafe`; elsewhere it is allowed only in the modules with system calls.
fn unsafe_code(libraries: &[&Value]) -> Result<()> {
    for package in libraries.iter().filter(|package| package["name"] != CORE) {
        let folder = Path::new(text(&package["manifest_path"])).with_file_name("src");
        let forbids = fs::read_to_string(folder.join("lib.rs"))?.contains("#![forbid(unsafe_code)]");
        ensure!(forbids, "{}/lib.rs lacks #![forbid(unsafe_code)]", folder.display());
    }
    let mut files = Vec::new();
    for folder in fs::read_dir(root())? {
        let folder = folder?.path();
        let is_ours = folder.join("Cargo.toml").is_file() && !folder.ends_with("benches");
        if is_ours {
            rust_files(&folder, &mut files)?;
        }
    }
    for file in files {
        let short = file.strip_prefix(root()).unwrap_or(&file);
        let in_core =
            ["netlink-core/src/socket.rs", "netlink-core/src/socket/tests.rs", "netlink-core/src/netns.rs"]
                .map(Path::new);
        if in_core.contains(&short) || short.file_stem().is_some_and(|stem| stem == "sys") {
            continue;
        }
        let source = fs::read_to_string(&file)?;
        for (number, line) in source.lines().enumerate() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let code = line.split("//").next().unwrap_or_default();
            let mut words = code.split('"').step_by(2).flat_map(|code| code.split(|c| !is_word(c)));
            let place = format!("{}:{}", short.display(), number + 1);
            ensure!(words.all(|word| word != "unsafe"), "{place}: unsafe outside of a system call module");
        }
    }
    Ok(())
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions() {
        let allowed = BTreeSet::from(["MIT", "Unicode-3.0"]);
        for fine in ["MIT", "MIT/Apache-2.0", "Apache-2.0 OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
            assert!(is_allowed(fine, &allowed), "{fine}");
        }
        for wrong in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-2.0"] {
            assert!(!is_allowed(wrong, &allowed), "{wrong}");
        }
    }
}
