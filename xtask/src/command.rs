//! Running cargo and other programs.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}

/// The cargo that runs this task, in the workspace's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// The output of `cargo metadata` for the workspace and its dependencies.
pub(crate) fn metadata() -> Result<Value> {
    metadata_of(cargo(&[]))
}

/// The same with a cargo of another folder.
pub(crate) fn metadata_of(mut cargo: Command) -> Result<Value> {
    cargo.args(["metadata", "--format-version=1", "--all-features"]);
    let output = cargo.stderr(Stdio::inherit()).output().context("cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The packages of the workspace.
pub(crate) fn members(metadata: &Value) -> impl Iterator<Item = &Value> {
    let ids = metadata["workspace_members"].as_array();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter(move |package| ids.is_some_and(|ids| ids.contains(&package["id"])))
}

/// A text in JSON; empty if there is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether a program can be started.
pub(crate) fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A folder for temporary files. It is removed when this value is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("netlink-xtask-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that remains does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How a program ended.
pub(crate) struct Ended {
    /// `None`: it did not end in time and was killed.
    pub(crate) status: Option<ExitStatus>,
    /// Standard output and error, in the order of arrival.
    pub(crate) output: String,
    pub(crate) took: Duration,
}

impl Ended {
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    pub(crate) fn why(&self) -> String {
        self.status.map_or_else(|| "did not end in time".to_owned(), |status| status.to_string())
    }
}

/// Runs a program to its end, or kills it after the time limit.
pub(crate) fn run(command: &mut Command, scratch: &Scratch, limit: Duration) -> std::io::Result<Ended> {
    // A file, not a pipe: grandchildren that outlive a killed program would keep a pipe open.
    let mut file = File::options()
        .read(true)
        .append(true)
        .create(true)
        .truncate(false)
        .open(scratch.path().join("output"))?;
    file.set_len(0)?;
    let start = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file.try_clone()?).spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if start.elapsed() > limit {
            // No wait: a process with a thread that the kernel holds remains, even killed.
            child.kill()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut output = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut output)?;
    Ok(Ended { status, output: String::from_utf8_lossy(&output).into_owned(), took: start.elapsed() })
}
