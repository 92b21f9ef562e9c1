//! The crate's `tests/tasks.rs` calls every public `async fn`, and compiles only if its future can be spawned.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::rust_files;
use crate::command::text;

/// Compares how often the sources of a crate declare `Type::function` with how often the test calls it by that name.
pub(super) fn tried(package: &serde_json::Value) -> Result<()> {
    let folder = Path::new(text(&package["manifest_path"])).with_file_name("");
    let mut files = Vec::new();
    rust_files(&folder.join("src"), &mut files)?;
    let mut declared = BTreeMap::new();
    for file in files {
        let module = file.file_stem().unwrap_or_default().to_string_lossy();
        for name in asynchronous(&fs::read_to_string(&file)?, &module) {
            *declared.entry(name).or_default() += 1;
        }
    }
    let test = folder.join("tests/tasks.rs");
    let calls = if declared.is_empty() {
        String::new()
    } else {
        fs::read_to_string(&test).with_context(|| test.display().to_string())?
    };
    match missing(&declared, &calls) {
        missing if missing.is_empty() => Ok(()),
        missing => bail!("not called in tests/tasks.rs: {}", missing.join(", ")),
    }
}

/// The functions of a file that return a future, each with its type, or with its module if it has no type.
fn asynchronous(source: &str, module: &str) -> Vec<String> {
    let mut names = Vec::new();
    // For each open block: its indentation, and the owner of functions in it.
    let mut owners: Vec<(usize, String)> = Vec::new();
    let mut function = "";
    for line in source.lines() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if code.starts_with('}') {
            owners.retain(|(opened, _)| *opened < indent);
        }
        if let Some(owner) = owner(code).filter(|_| code.ends_with('{')) {
            owners.push((indent, owner));
        }
        let public = code.strip_prefix("pub ").unwrap_or_default();
        let is_async = public.starts_with("async fn ");
        if let Some((_, rest)) = public.split_once("fn ") {
            function = word(rest);
        }
        // The compiler checks functions that declare `Send` themselves.
        if is_async || code.contains("-> impl Future") && !code.contains("+ Send") {
            let owner = owners.last().map_or(module, |(_, owner)| owner);
            names.push(format!("{owner}::{function}"));
        }
    }
    names
}

/// The type of an `impl`, or the name of a module.
fn owner(code: &str) -> Option<String> {
    if code.starts_with("//") {
        return None;
    }
    if let Some((_, rest)) = code.split_once("mod ") {
        return Some(word(rest).to_owned());
    }
    let mut rest = code.strip_prefix("impl")?;
    if rest.starts_with('<') {
        rest = rest.split_once("> ")?.1;
    }
    let of = rest.split_once(" for ").map_or(rest, |(_, of)| of);
    let path = of.trim_start().split(['<', ' ']).next()?;
    path.rsplit("::").next().map(str::to_owned)
}

fn word(code: &str) -> &str {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

fn missing(declared: &BTreeMap<String, usize>, calls: &str) -> Vec<String> {
    let times = |name: &str| {
        let whole = |at: usize| !calls[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let called = |rest: &str| rest.starts_with('(') || rest.starts_with("::<");
        let found = calls.match_indices(name);
        found.filter(|(at, _)| whole(*at) && called(&calls[at + name.len()..])).count()
    };
    declared.iter().filter(|(name, count)| times(name) < **count).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
impl<F: Declared> Client<F> {
    /// Calls.
    pub async fn call<Q>(&mut self) {}
    async fn inner(&self) {}
    pub fn plain(&self) {}
    pub fn later(
        &self,
    ) -> impl Future<Output = ()> {
        async {}
    }
}

impl Drop for inner::Log<'_> {
    pub async fn next() {}
}

pub async fn connect() {}
        $vis mod ours {
            pub async fn subscribe(
            ) {}
        }
";

    // F1: a new function that the test does not call is reported.
    #[test]
    fn functions_are_found_with_their_owners() {
        let names = asynchronous(SOURCE, "tokio");
        assert_eq!(
            names,
            ["Client::call", "Client::later", "Log::next", "tokio::connect", "ours::subscribe"]
        );
    }

    #[test]
    fn each_function_must_be_called_as_often_as_it_is_declared() {
        let declared = BTreeMap::from([("Log::next".to_owned(), 1), ("tokio::connect".to_owned(), 2)]);
        assert!(
            missing(&declared, "Log::next::<Packet>(&mut log) tokio::connect() a::tokio::connect()")
                .is_empty()
        );
        assert_eq!(
            missing(&declared, "MyLog::next(&mut log) tokio::connect()"),
            ["Log::next", "tokio::connect"]
        );
        assert_eq!(missing(&declared, "Log::next_event() tokio::connect() tokio::connect()"), ["Log::next"]);
    }
}
