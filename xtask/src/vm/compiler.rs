//! A compiler with the source of its standard library, for machines of another architecture.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::apt::{Apt, Suites};
use super::cache::Cache;
use super::prepare::fresh;
use crate::command::Scratch;
use crate::target::WithSource;

const FOLDER: &str = "compiler";

/// Runs the program of the same name with its own C library, which can be newer than this machine's. The C
/// compiler that it starts for linking uses this machine's.
const WRAPPER: &str = r#"#!/bin/sh
usr=${0%/bin/*}/usr
exec "$usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path "$usr/lib/x86_64-linux-gnu" \
    --argv0 "$usr/bin/${0##*/}" "$usr/bin/${0##*/}" --sysroot "$usr" "$@"
"#;

/// The downloaded compiler.
pub(crate) fn cached() -> Option<PathBuf> {
    Some(rustc(&Cache::open().ok()?.get(FOLDER)?))
}

fn rustc(folder: &Path) -> PathBuf {
    folder.join("bin/rustc")
}

/// An existing compiler, or Debian's.
pub(super) fn prepare(cache: &Cache, offline: bool, scratch: &Scratch) -> Result<WithSource> {
    WithSource::find().or_else(|error| {
        if offline {
            return Err(error);
        }
        println!("{error:#}; fetching Debian's");
        fetch(cache, scratch).context("Debian's compiler")?;
        WithSource::find()
    })
}

fn fetch(cache: &Cache, scratch: &Scratch) -> Result<()> {
    let filling = cache.lock()?;
    let apt = Apt::open(cache, &Suites::NEWEST, scratch)?;
    apt.update()?;
    fresh(&apt, || {
        filling.add(FOLDER, |folder| {
            let versions = apt.versions("rustc")?;
            let version = versions.first().context("the archive has no rustc")?;
            // Without dependencies: it depends on a C compiler and similar, which this machine has.
            apt.unpack(&[format!("rustc={version}")], folder)?;
            let libraries = ["libstd-rust-dev", "rust-src"].map(|name| format!("{name}={version}"));
            apt.unpack_all(&libraries.each_ref().map(String::as_str), folder)?;
            let wrapper = rustc(folder);
            fs::create_dir(folder.join("bin"))?;
            fs::write(&wrapper, WRAPPER)?;
            Ok(fs::set_permissions(&wrapper, Permissions::from_mode(0o755))?)
        })
    })?;
    Ok(())
}
