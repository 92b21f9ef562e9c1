//! Test binaries that cargo builds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command::{cargo, text};

/// A test binary.
pub(crate) struct Binary {
    /// Package and target.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// The folder in which cargo would run it.
    pub(crate) folder: PathBuf,
}

/// Builds the tests that cargo's options select. Returns those that could be built, and whether all could.
pub(crate) fn build(packages: &[Value], selection: &[&str]) -> Result<(Vec<Binary>, bool)> {
    build_with(cargo(&[]), packages, selection)
}

/// The same with another cargo.
pub(crate) fn build_with(
    mut cargo: Command,
    packages: &[Value],
    selection: &[&str],
) -> Result<(Vec<Binary>, bool)> {
    cargo.args(["test", "--no-run", "--message-format=json-render-diagnostics"]).args(selection);
    let output = cargo.stderr(Stdio::inherit()).output().context("cargo test")?;
    let messages = output.stdout.split(|byte| *byte == b'\n');
    let messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let binaries = messages.filter_map(|message| {
        let path = message["executable"].as_str().filter(|_| message["profile"]["test"] == true)?;
        let package = packages.iter().find(|package| package["id"] == message["package_id"])?;
        let target = match text(&message["target"]["kind"][0]) {
            "test" => text(&message["target"]["name"]),
            kind => kind,
        };
        Some(Binary {
            name: format!("{} {target}", text(&package["name"])),
            path: path.into(),
            folder: Path::new(text(&package["manifest_path"])).parent()?.to_owned(),
        })
    });
    Ok((binaries.collect(), output.status.success()))
}
