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

/// Runs the program of its own name with the C library it was built for, which may be newer than this machine's. The
/// C compiler that it starts to link finds this machine's.
const WRAPPER: &str = r#"#!/bin/sh
usr=${0%/bin/*}/usr
exec "$usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path "$usr/lib/x86_64-linux-gnu" \
    --argv0 "$usr/bin/${0##*/}" "$usr/bin/${0##*/}" --sysroot "$usr" "$@"
"#;

/// The one that was fetched.
pub(crate) fn cached() -> Option<PathBuf> {
    Some(rustc(&Cache::open().ok()?.get(FOLDER)?))
}

fn rustc(folder: &Path) -> PathBuf {
    folder.join("bin/rustc")
}

/// One that is there, or Debian's.
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
            // By itself: it asks for a C compiler and its like, which this machine has.
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
