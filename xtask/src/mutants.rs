//! `cargo xtask mutants`: checks that a test fails when the code is broken on purpose.
//!
//! Lists below `xtask/mutants` have the mutants, one block each:
//!
//! ```text
//! # a forged sender is accepted as the kernel
//! file: netlink-core/src/exchange.rs
//! tests: netlink-route netlink-xfrm
//! survives: why no test can tell
//! ---
//! if sender.port != 0 {
//! +++
//! if sender.port != 0 && !MUTANT {
//! ```
//!
//! The old text must occur once in its file. In the new text `MUTANT` is true while this mutant is active.
//! `tests` names the packages whose tests run after those of the file's package; by default [`FAST`].
//! `survives` is for the few mutants that no test can detect, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::binary::{self, Binary};
use crate::command::{self, Scratch, root};

/// Breaks the code in each way that `xtask/mutants` lists, and reports the mutants that no test detects.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only mutants with one of these texts in their name, file or list.
    filter: Vec<String>,
    /// Minutes. Mutants not tried by then count as failures.
    #[arg(long, default_value_t = 30)]
    minutes: u64,
}

/// Tests that cover most of the core in a short time.
const FAST: [&str; 2] = ["netlink-route", "netlink-netfilter"];

/// The package of the core, and its folder.
const CORE: &str = "netlink-base";
const CORE_FOLDER: &str = "netlink-core";

/// Largest allowed number of surviving mutants, regardless of their reasons.
const MOST_SURVIVORS: usize = 3;

/// The number of the active mutant.
const VARIABLE: &str = "NETLINK_MUTANT";

/// The switch of the mutants, which is added to the copy of the core.
const SWITCH: &str = r#"
#[allow(missing_docs)]
#[doc(hidden)]
pub mod mutants {
    #[cfg(feature = "std")]
    #[inline]
    pub fn on(number: u32) -> bool {
        static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        let on = ON.get_or_init(|| {
            std::env::var("NETLINK_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
        });
        *on == number
    }

    #[cfg(not(feature = "std"))]
    #[inline]
    pub fn on(_: u32) -> bool {
        false
    }
}
"#;

/// One way to break the code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mutant {
    name: String,
    /// The list that contains it.
    list: String,
    file: String,
    tests: Vec<String>,
    survives: Option<String>,
    old: String,
    new: String,
}

impl Mutant {
    /// The file's package. Its name is the folder's, except for the core.
    fn package(&self) -> &str {
        match self.file.split('/').next().unwrap_or_default() {
            CORE_FOLDER => CORE,
            folder => folder,
        }
    }

    /// The packages whose tests run, in order.
    fn packages(&self) -> Vec<&str> {
        let further: Vec<&str> = match self.tests.as_slice() {
            [] => FAST.to_vec(),
            tests => tests.iter().map(String::as_str).collect(),
        };
        let mut packages = vec![self.package()];
        for package in further {
            if !packages.contains(&package) {
                packages.push(package);
            }
        }
        packages
    }
}

/// The result of a mutant.
enum Fate {
    Killed(String),
    Survived,
    /// The time limit was reached.
    Untried,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let end = Instant::now() + Duration::from_secs(arguments.minutes * 60);
    let mutants = read(&root().join("xtask/mutants"))?;
    let wanted = |mutant: &&Mutant| {
        let texts = [&mutant.name, &mutant.file, &mutant.list];
        let matches = |filter: &String| texts.iter().any(|text| text.contains(filter));
        arguments.filter.is_empty() || arguments.filter.iter().any(matches)
    };
    let mutants: Vec<&Mutant> = mutants.iter().filter(wanted).collect();
    if mutants.is_empty() {
        bail!("no mutant is listed below xtask/mutants, or none of that name");
    }
    let copy = Copy::new()?;
    let mut fates = Vec::new();
    for round in copy.rounds(&mutants)? {
        copy.write(&round)?;
        let tests = Tests::build(&copy, &round)?;
        for (number, mutant) in (1..).zip(&round) {
            let start = Instant::now();
            let fate = if start < end { tests.try_to_kill(number, mutant)? } else { Fate::Untried };
            let seconds = start.elapsed().as_secs_f32();
            match &fate {
                Fate::Killed(by) => println!("{}: killed by {by} ({seconds:.1} s)", mutant.name),
                Fate::Survived => println!("{}: SURVIVED ({seconds:.1} s)", mutant.name),
                Fate::Untried => println!("{}: NOT TRIED", mutant.name),
            }
            fates.push((*mutant, fate));
        }
    }
    Ok(conclude(&fates))
}

fn conclude(fates: &[(&Mutant, Fate)]) -> ExitCode {
    let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|(_, fate)| wanted(fate)).count();
    let survivors = count(|fate| matches!(fate, Fate::Survived));
    let untried = count(|fate| matches!(fate, Fate::Untried));
    let mut unexplained = 0;
    println!();
    for (mutant, fate) in fates {
        match (fate, &mutant.survives) {
            (Fate::Survived, Some(reason)) => println!("survives: {}: {reason}", mutant.name),
            (Fate::Survived, None) => {
                unexplained += 1;
                println!("SURVIVES: {} ({}, listed in {})", mutant.name, mutant.file, mutant.list);
            }
            (Fate::Killed(_), Some(_)) => {
                println!("{} is killed: its list says that it survives", mutant.name);
            }
            _ => {}
        }
    }
    let killed = fates.len() - survivors - untried;
    println!(
        "mutants: {killed} killed, {survivors} survived, {unexplained} of them unexplained, {untried} not tried"
    );
    match unexplained == 0 && untried == 0 && survivors <= MOST_SURVIVORS {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The lists in a folder.
fn read(folder: &Path) -> Result<Vec<Mutant>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let mut mutants = Vec::new();
    for path in paths {
        let list = path.file_name().unwrap_or_default().to_string_lossy();
        mutants.extend(parse(&list, &fs::read_to_string(&path)?)?);
    }
    let mut names = BTreeSet::new();
    for mutant in &mutants {
        if !names.insert(&mutant.name) {
            bail!("{}: two mutants are called {:?}", mutant.list, mutant.name);
        }
    }
    Ok(mutants)
}

fn parse(list: &str, text: &str) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let Some(name) = line.strip_prefix("# ") else {
            bail!("{list}: {line:?} where `# name` has to be");
        };
        let mut mutant = Mutant { name: name.to_owned(), list: list.to_owned(), ..Mutant::default() };
        loop {
            match lines.next().and_then(|line| line.split_once(':').or(Some((line, "")))) {
                Some(("file", value)) => mutant.file = value.trim().to_owned(),
                Some(("tests", value)) => {
                    mutant.tests = value.split_whitespace().map(str::to_owned).collect();
                }
                Some(("survives", value)) => mutant.survives = Some(value.trim().to_owned()),
                Some(("---", _)) => break,
                other => bail!("{list}: {name}: {other:?} where `file:` or `---` has to be"),
            }
        }
        let mut old = Vec::new();
        loop {
            match lines.next() {
                Some("+++") => break,
                Some(line) => old.push(line),
                None => bail!("{list}: {name}: no +++"),
            }
        }
        // No line of Rust begins with `# `, so blank lines can be part of the text.
        let mut new = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("# ")) {
            new.push(line);
        }
        (mutant.old, mutant.new) = (old.join("\n"), new.join("\n").trim_end().to_owned());
        if mutant.file.is_empty() || mutant.old.is_empty() || !mutant.new.contains("MUTANT") {
            bail!("{list}: {name}: no file, no old text, or no MUTANT in the new one");
        }
        if mutant.survives.as_ref().is_some_and(String::is_empty) {
            bail!("{list}: {name}: survives without a reason");
        }
        mutants.push(mutant);
    }
    Ok(mutants)
}

/// The position of a mutant's old text.
fn place(mutant: &Mutant, text: &str) -> Result<std::ops::Range<usize>> {
    let mut places = text.match_indices(&mutant.old).map(|(start, _)| start);
    match (places.next(), places.next()) {
        (Some(start), None) => Ok(start..start + mutant.old.len()),
        (None, _) => bail!("{}: {}: the old text is not in {}", mutant.list, mutant.name, mutant.file),
        _ => bail!("{}: {}: the old text occurs more than once in {}", mutant.list, mutant.name, mutant.file),
    }
}

/// The text with these mutants, each with its number.
fn mutate(text: &str, mutants: &[(u32, &Mutant)]) -> Result<String> {
    let mut places = Vec::new();
    for (number, mutant) in mutants {
        places.push((place(mutant, text)?, *number, *mutant));
    }
    places.sort_by_key(|(place, ..)| std::cmp::Reverse(place.start));
    let mut text = text.to_owned();
    for (place, number, mutant) in places {
        let path = match mutant.package() {
            CORE if is_in_macro(&text, place.start) => "$crate",
            CORE => "crate",
            _ => "::netlink_core",
        };
        text.replace_range(place, &mutant.new.replace("MUTANT", &format!("{path}::mutants::on({number})")));
    }
    Ok(text)
}

/// Whether a position is in the definition of a macro, where `crate` is the crate that uses it.
fn is_in_macro(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let line = before.lines().rev().find(|line| line.starts_with('}') || line.starts_with("macro_rules!"));
    line.is_some_and(|line| line.starts_with("macro_rules!"))
}

/// The ranges that mutants change in each file.
type Taken<'a> = BTreeMap<&'a str, Vec<std::ops::Range<usize>>>;

/// A copy of the workspace. It remains for the next run, to save builds.
struct Copy {
    tree: PathBuf,
    build: PathBuf,
    files: BTreeSet<String>,
}

impl Copy {
    fn new() -> Result<Self> {
        let folder = root().join("target/mutants");
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
        let output = git.output().context("git ls-files")?;
        if !output.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        }
        let names = String::from_utf8(output.stdout).context("a file's name")?;
        let names = names.split_terminator('\0').filter(|name| root().join(name).is_file());
        let files = names.map(str::to_owned).collect();
        let copy = Self { tree: folder.join("tree"), build: folder.join("build"), files };
        fs::create_dir_all(&copy.tree)?;
        copy.remove_others(&copy.tree)?;
        Ok(copy)
    }

    /// Removes files of an earlier copy that are no longer in the workspace.
    fn remove_others(&self, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.remove_others(&path)?;
            } else if !path
                .strip_prefix(&self.tree)
                .is_ok_and(|name| name.to_str().is_some_and(|name| self.files.contains(name)))
            {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Mutants that do not overlap can be built together.
    fn rounds<'a>(&self, mutants: &[&'a Mutant]) -> Result<Vec<Vec<&'a Mutant>>> {
        let mut rounds: Vec<(Vec<&Mutant>, Taken<'_>)> = Vec::new();
        for mutant in mutants {
            let path = root().join(&mutant.file);
            let text =
                fs::read_to_string(&path).with_context(|| format!("{}: {}", mutant.list, mutant.file))?;
            let place = place(mutant, &text)?;
            let is_free = |taken: &Taken<'_>| {
                let taken = taken.get(mutant.file.as_str()).into_iter().flatten();
                taken.clone().all(|other| other.end <= place.start || place.end <= other.start)
            };
            let index = rounds.iter().position(|(_, taken)| is_free(taken)).unwrap_or(rounds.len());
            if index == rounds.len() {
                rounds.push(Default::default());
            }
            if let Some((round, taken)) = rounds.get_mut(index) {
                round.push(mutant);
                taken.entry(&mutant.file).or_default().push(place);
            }
        }
        Ok(rounds.into_iter().map(|(round, _)| round).collect())
    }

    /// Writes the workspace with these mutants, numbered from 1. Unchanged files keep their time, which cargo
    /// uses to detect changes.
    fn write(&self, round: &[&Mutant]) -> Result<()> {
        for name in &self.files {
            let mut bytes = fs::read(root().join(name))?;
            let here: Vec<(u32, &Mutant)> =
                (1..).zip(round.iter().copied()).filter(|(_, mutant)| mutant.file == *name).collect();
            if !here.is_empty() {
                bytes = mutate(&String::from_utf8(bytes).context(name.clone())?, &here)?.into_bytes();
            }
            if name == &format!("{CORE_FOLDER}/src/lib.rs") {
                bytes.extend(SWITCH.bytes());
            }
            let path = self.tree.join(name);
            match fs::read(&path) {
                Ok(there) if there == bytes => continue,
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            fs::create_dir_all(path.parent().unwrap_or(&self.tree))?;
            fs::write(path, bytes)?;
        }
        Ok(())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = command::cargo(arguments);
        // Mutants cause warnings.
        cargo
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.build)
            .env("RUSTFLAGS", "--cap-lints=allow");
        cargo
    }
}

/// The tests of one round.
struct Tests {
    scratch: Scratch,
    /// For each package: the binaries with their duration, unit tests first.
    binaries: BTreeMap<String, Vec<(Binary, Duration)>>,
}

impl Tests {
    /// Builds the tests, and checks that they pass without an active mutant.
    fn build(copy: &Copy, round: &[&Mutant]) -> Result<Self> {
        let packages: BTreeSet<&str> = round.iter().flat_map(|mutant| mutant.packages()).collect();
        let metadata = command::metadata_of(copy.cargo(&[]))?;
        let members: Vec<_> = command::members(&metadata).cloned().collect();
        for package in &packages {
            if !members.iter().any(|member| member["name"] == *package) {
                bail!("no package {package} in the workspace");
            }
        }
        let mut selection = vec!["--all-features", "--lib", "--tests"];
        selection.extend(packages.iter().flat_map(|package| ["-p", package]));
        println!(
            "{} mutants, built into {}",
            round.len(),
            packages.iter().copied().collect::<Vec<_>>().join(", ")
        );
        let (binaries, whole) = binary::build_with(copy.cargo(&[]), &members, &selection)?;
        if !whole {
            bail!("the mutants don't build: see above, and {}", copy.tree.display());
        }
        let mut tests = Self { scratch: Scratch::new()?, binaries: BTreeMap::new() };
        for binary in binaries {
            let (package, _) = binary.name.split_once(' ').unwrap_or_default();
            let ended = tests.test(&binary, None, None, Duration::from_secs(600))?;
            if !ended.is_success() {
                bail!("{} fails without a mutant, {}:\n{}", binary.name, ended.why(), ended.output);
            }
            println!("{}: passes without a mutant ({:.1} s)", binary.name, ended.took.as_secs_f32());
            tests.binaries.entry(package.to_owned()).or_default().push((binary, ended.took));
        }
        for binaries in tests.binaries.values_mut() {
            binaries.sort_by_key(|(binary, took)| (!binary.name.ends_with(" lib"), *took));
        }
        Ok(tests)
    }

    fn test(
        &self,
        binary: &Binary,
        mutant: Option<u32>,
        only: Option<&str>,
        limit: Duration,
    ) -> Result<command::Ended> {
        let mut command = Command::new(&binary.path);
        command.current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
        // A report file that the caller requested is not for these tests.
        command.env_remove("NETLINK_TEST_REPORT").env_remove(VARIABLE);
        if let Some(number) = mutant {
            command.env(VARIABLE, number.to_string());
        }
        if let Some(name) = only {
            command.args(["--exact", name]);
        }
        command::run(&mut command, &self.scratch, limit).context(binary.name.clone())
    }

    /// Runs the tests up to the first that fails twice. A single failure can have another reason than the mutant.
    fn try_to_kill(&self, number: u32, mutant: &Mutant) -> Result<Fate> {
        let packages = mutant.packages();
        let binaries = packages.iter().filter_map(|package| self.binaries.get(*package)).flatten();
        for (binary, took) in binaries {
            let limit = *took * 4 + Duration::from_secs(20);
            let ended = self.test(binary, Some(number), None, limit)?;
            let name = &binary.name;
            if ended.is_success() {
                continue;
            }
            if ended.status.is_none() {
                return Ok(Fate::Killed(format!("{name}: hangs")));
            }
            let failed: Vec<&str> = failures(&ended.output).collect();
            if failed.is_empty() {
                return Ok(Fate::Killed(format!("{name}: {}", ended.why())));
            }
            for test in failed.iter().take(3) {
                if !self.test(binary, Some(number), Some(test), limit)?.is_success() {
                    return Ok(Fate::Killed(format!("{name}: {test}, {} in all", failed.len())));
                }
            }
            println!("{}: {name} failed once and then passed: {}", mutant.name, failed.join(" "));
        }
        Ok(Fate::Survived)
    }
}

/// The names of the tests that failed.
fn failures(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("test ")?.trim_end().strip_suffix("FAILED")?.split_once(" ...")?;
        Some(name.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# one\nfile: netlink-core/src/a.rs\ntests: netlink-xfrm netlink-base\n---\n    if a {\n\n        b\n+++\n    if a \
                        || MUTANT {\n\n        b\n\n# two: of two\nfile: netlink-route/src/b.rs\nsurvives: nobody \
                        looks\n---\nc\n+++\nc && MUTANT\n";

    #[test]
    fn a_list_is_read() {
        let mutants = parse("list", LIST).unwrap();
        let [one, two] = mutants.as_slice() else { panic!("{mutants:?}") };
        assert_eq!((one.name.as_str(), one.old.as_str()), ("one", "    if a {\n\n        b"));
        assert_eq!(one.new, "    if a || MUTANT {\n\n        b");
        assert_eq!(one.packages(), ["netlink-base", "netlink-xfrm"]);
        assert_eq!((two.name.as_str(), two.survives.as_deref()), ("two: of two", Some("nobody looks")));
        assert_eq!(two.packages(), ["netlink-route", "netlink-netfilter"]);
        for wrong in
            ["one", "# one\nfile: a\n---\nb\n+++\nb\n", "# one\n---\nb\n+++\nMUTANT\n", "# one\nfile: a\n"]
        {
            assert!(parse("list", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn mutants_replace_the_old_text() {
        let mutants = parse("list", LIST).unwrap();
        let core = Mutant { old: "a".into(), new: "a | MUTANT".into(), ..mutants[0].clone() };
        let text = "macro_rules! m {\n    () => { a };\n}\nfn f() {\n    b\n}\n";
        let broken = text.replace("{ a }", "{ a | $crate::mutants::on(7) }");
        let of = |old: &str| Mutant { old: old.into(), ..core.clone() };
        assert_eq!(mutate(text, &[(7, &of("a }"))]).unwrap(), broken.replace(" };", ";"));
        assert_eq!(
            mutate("x y z", &[(1, &of("x")), (2, &of("z"))]).unwrap(),
            "a | crate::mutants::on(1) y a | crate::mutants::on(2)"
        );
        assert_eq!(mutate("c", &[(3, &mutants[1])]).unwrap(), "c && ::netlink_core::mutants::on(3)");
        assert!(mutate(text, &[(1, &of("q"))]).is_err());
        assert!(mutate("x x", &[(1, &of("x"))]).is_err());
    }

    #[test]
    fn failed_tests_are_found_in_the_output_of_both_harnesses() {
        let output = "test a::b ... ok\ntest a::c ... FAILED\ntest d    ... FAILED\nfailures:\n";
        assert_eq!(failures(output).collect::<Vec<_>>(), ["a::c", "d"]);
    }
}
