//! Other architectures: their names, and compilers for them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::command::{self, cargo};
use crate::vm;

/// The architecture of a machine in the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Architecture {
    /// The usual architecture.
    Amd64,
    /// Big endian.
    S390x,
    /// 32 bit; a `u64` in a struct is aligned to 4.
    I386,
}

impl Architecture {
    pub(crate) const ALL: [Self; 3] = [Self::Amd64, Self::S390x, Self::I386];
    pub(crate) const FOREIGN: [Self; 2] = [Self::S390x, Self::I386];

    /// Debian's name.
    pub(crate) const fn debian(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::S390x => "s390x",
            Self::I386 => "i386",
        }
    }

    /// The ending of its ordinary kernels' releases.
    pub(crate) const fn flavour(self) -> &'static str {
        match self {
            Self::Amd64 => "-amd64",
            Self::S390x => "-s390x",
            Self::I386 => "-686-pae",
        }
    }

    /// Rust's name, and the name of the C compiler that links for it.
    pub(crate) const fn target(self) -> (&'static str, &'static str) {
        match self {
            Self::Amd64 => ("x86_64-unknown-linux-gnu", "gcc"),
            Self::S390x => ("s390x-unknown-linux-gnu", "s390x-linux-gnu-gcc"),
            Self::I386 => ("i686-unknown-linux-gnu", "i686-linux-gnu-gcc"),
        }
    }
}

/// The path of a `rustc` with the source of its standard library; used if rustup's nightly does not have it.
const RUSTC: &str = "NETLINK_RUSTC";

/// A compiler with the source of its standard library, which can be built for any target.
pub(crate) struct WithSource {
    rustc: Option<OsString>,
}

impl WithSource {
    /// Finds one: the user's, rustup's nightly, or the one in the cache. The error says what is missing.
    pub(crate) fn find() -> Result<Self> {
        if let Some(rustc) = std::env::var_os(RUSTC).filter(|path| !path.is_empty()) {
            ensure!(
                has_source(Command::new(&rustc)),
                "{RUSTC}: no rustc with the source of its standard library"
            );
            return Ok(Self { rustc: Some(rustc) });
        }
        if has_source(nightly("rustc")) {
            return Ok(Self { rustc: None });
        }
        if let Some(rustc) = vm::cached_compiler() {
            ensure!(has_source(Command::new(&rustc)), "{}: does not run here", rustc.display());
            return Ok(Self { rustc: Some(rustc.into()) });
        }
        bail!(
            "no compiler with the source of its standard library: cargo xtask vm prepare, \
             or rustup toolchain install nightly --component rust-src"
        );
    }

    /// A cargo that builds for a target, and builds the given parts of the standard library too.
    pub(crate) fn cargo(&self, arguments: &[&str], parts: &str, target: &str) -> Command {
        let mut command = match &self.rustc {
            Some(rustc) => {
                let mut command = cargo(&[]);
                command.env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
                command
            }
            None => nightly("cargo"),
        };
        command.args(arguments).arg(format!("-Zbuild-std={parts}")).current_dir(command::root());
        // An option would have to follow the subcommand, which the caller may add later.
        command.env("CARGO_BUILD_TARGET", target);
        // Separate from the usual compiler's folder, so that neither waits for the other.
        command.env("CARGO_TARGET_DIR", folder());
        // No debug information, and no incremental builds: they are not used there.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
        command
    }

    /// The same for an architecture of the matrix, with everything that tests need.
    pub(crate) fn cargo_for(&self, architecture: Architecture, arguments: &[&str]) -> Command {
        let (target, linker) = architecture.target();
        let mut command = self.cargo(arguments, "std,panic_unwind,test", target);
        let name = target.to_uppercase().replace('-', "_");
        command.env(format!("CARGO_TARGET_{name}_LINKER"), linker);
        command
    }

    /// Downloads the crates of the standard library and the workspace for an architecture.
    pub(crate) fn fetch_crates(&self, architecture: Architecture, offline: bool) -> Result<()> {
        let mut cargo = self.cargo_for(architecture, &["fetch", "--quiet"]);
        cargo.args(offline.then_some("--offline"));
        let output = cargo.output().context("cargo fetch")?;
        let why = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo fetch: {}", why.trim());
        Ok(())
    }
}

/// Whether a `rustc` runs and has the source of its standard library.
pub(crate) fn has_source(mut rustc: Command) -> bool {
    let asked = rustc.args(["--print", "sysroot"]).stderr(Stdio::null()).output();
    let Some(asked) = asked.ok().filter(|asked| asked.status.success()) else { return false };
    let root = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    root.join("lib/rustlib/src/rust/library/Cargo.lock").is_file()
}

/// The folder for builds of other targets.
pub(crate) fn folder() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| command::root().join("target"), PathBuf::from);
    Path::new(&target).join("foreign")
}

/// A program of the nightly toolchain.
pub(crate) fn nightly(program: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", program]);
    // These variables belong to the compiler that runs this task.
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}
