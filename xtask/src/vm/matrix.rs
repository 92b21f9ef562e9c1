//! The kernel tests in several kernels, with their results side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

use super::boot::{End, Machine, Port};
use super::{Arguments, Fleet, line, pins, shares, word};
use crate::binary::{self, Binary};
use crate::command::{self, Ended};
use crate::tally::{Outcome, Report, Row};
use crate::target::Architecture;

/// A factor for the tests' own time limits: an emulated processor is much slower, but few tests come near
/// their limit.
const PATIENCE: u32 = 5;

/// Number of parallel tests on the machine's one processor: most wait for the kernel.
const THREADS: u32 = 4;

/// Reasons of tests that need a module of `cargo xtask vm prepare --extra-modules`. These tests may be
/// skipped everywhere.
const EXTRA: [&str; 2] = ["no kernel module netdevsim", "no kernel module xfrm_iptfs"];

/// Builds the kernel tests, runs them in all kernels, and prints the results.
pub(crate) fn run(fleet: &Fleet<'_>, filter: &[String], arguments: &Arguments) -> Result<ExitCode> {
    let metadata = command::metadata()?;
    let packages: Vec<_> = command::members(&metadata).cloned().collect();
    let suites = Architecture::ALL.map(|architecture| (architecture, OnceLock::new()));
    // An architecture's tests are built by the first machine that needs them, while others run.
    let suite = |of: Architecture| {
        let (_, suite) = suites.iter().find(|(architecture, _)| *architecture == of)?;
        Some(suite.get_or_init(|| {
            let start = Instant::now();
            let built = build(fleet, of, &packages);
            println!("{}: tests built ({} s)", of.debian(), start.elapsed().as_secs());
            built
        }))
    };
    let runs = fleet.each(&fleet.kernels(), |kernel, folder| {
        let binaries = match suite(kernel.architecture).context("an architecture without tests")? {
            Ok(binaries) => binaries,
            // Missing tools are not a fault of the code.
            Err(Unbuilt::Without(why)) => {
                return Ok(Err((kernel.series.clone(), format!("nothing builds the tests for it: {why:#}"))));
            }
            Err(Unbuilt::Broken(why)) => bail!("{why:#}"),
        };
        let start = Instant::now();
        let folders: Vec<_> =
            binaries.iter().filter_map(|binary| Some(binary.path.parent()?.into())).collect();
        let shares = shares(&folders)?;
        let machine = fleet.machine(kernel, folder, &shares);
        let end = machine.run(&script(binaries, filter)?, Port::File)?;
        let run = read(&kernel.series, &machine, &end, binaries, start.elapsed())?;
        println!("{}: {}", kernel.series, run.sum(start.elapsed()));
        anyhow::Ok(Ok((kernel.series.clone(), run)))
    });
    let mut missing = fleet.prepared.missing.clone();
    let mut ended = Vec::new();
    for run in runs {
        match run? {
            Ok(run) => ended.push(run),
            Err(without) => missing.push(without),
        }
    }
    if ended.is_empty() {
        let why = missing.iter().map(|(series, why)| format!("{series}: {why}")).collect::<Vec<_>>();
        bail!("no kernel to run the tests in\n{}", why.join("\n"));
    }
    let ran = |pin: &pins::Pin| ended.iter().any(|(series, _)| *series == pin.series);
    let usual = |pin: &&pins::Pin| pin.architecture() == Architecture::Amd64;
    let mut matrix = Matrix {
        places: ended.iter().map(|(series, _)| series.clone()).collect(),
        strict: filter.is_empty() && pins::all()?.iter().filter(usual).all(ran),
        missing,
        ..Matrix::default()
    };
    for (_, run) in ended {
        matrix.rows.extend(run.rows);
        matrix.problems.extend(run.problems);
        matrix.flaky.extend(run.flaky);
    }
    if let Some(path) = &arguments.host {
        matrix.compare(Row::read(path).with_context(|| path.display().to_string())?);
    }
    print!("{}", matrix.text());
    // With `--offline` the user has decided which kernels are available.
    let all = matrix.missing.is_empty() || arguments.offline;
    Ok(if matrix.passed() && all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Why an architecture has no tests.
enum Unbuilt {
    /// There is no compiler for it.
    Without(anyhow::Error),
    /// They do not build.
    Broken(anyhow::Error),
}

/// Builds the tests for an architecture: the kernel tests. For another architecture than this machine's also
/// the unit tests and the tests of captured bytes, which run nowhere else for it.
fn build(fleet: &Fleet<'_>, architecture: Architecture, packages: &[Value]) -> Result<Vec<Binary>, Unbuilt> {
    let kernel = ["--test", "kernel"];
    let selection = ["--workspace", "--all-features"];
    let built = match architecture {
        Architecture::Amd64 => binary::build(packages, &[&selection[..], &kernel].concat()),
        other => {
            let cargo = fleet.compiler(other).map_err(Unbuilt::Without)?.cargo_for(other, &[]);
            let selection = [&selection[..], &["--exclude", "xtask", "--tests"]].concat();
            binary::build_with(cargo, packages, &selection)
        }
    };
    let (binaries, whole) = built.map_err(Unbuilt::Broken)?;
    if !whole || binaries.is_empty() {
        return Err(Unbuilt::Broken(anyhow!("the tests for {} don't build", architecture.debian())));
    }
    Ok(binaries)
}

/// The suite name of tests that are not kernel tests. They have no report, and each binary counts as one test.
const PLAIN: &str = "units and captured bytes";

/// Runs each test binary and writes its report, output and status.
fn script(binaries: &[Binary], filter: &[String]) -> Result<String> {
    let mut script = "export NETLINK_TEST_MACHINE=1\n".to_owned();
    for (number, binary) in binaries.iter().enumerate() {
        let folder = word(&binary.folder.to_string_lossy());
        let program = word(&binary.path.canonicalize()?.to_string_lossy());
        let _ = writeln!(
            script,
            "cd {folder}\nCARGO_MANIFEST_DIR={folder} NETLINK_TEST_REPORT=/out/report{number} \
             NETLINK_TEST_PATIENCE={PATIENCE} NETLINK_TEST_AGAIN=1 {program} --test-threads {THREADS} {} >/out/output{number} 2>&1\n\
             echo $? >/out/status{number}",
            line(filter)
        );
    }
    Ok(script)
}

/// The result of one machine.
#[derive(Default)]
struct Run {
    rows: Vec<Row>,
    problems: Vec<(String, String)>,
    flaky: Vec<(String, String)>,
}

impl Run {
    fn sum(&self, took: Duration) -> String {
        let [passed, failed, skipped] = count(self.rows.iter());
        let problems = if self.problems.is_empty() { "" } else { ", and more went wrong" };
        let seconds = took.as_secs();
        format!("{passed} passed, {failed} failed, {skipped} skipped{problems} ({seconds} s)")
    }
}

fn read(place: &str, machine: &Machine<'_>, end: &End, binaries: &[Binary], took: Duration) -> Result<Run> {
    let mut run = Run::default();
    let out = machine.folder.join("out");
    if let End::Died(why) = end {
        run.problems.push((format!("{place}: the machine"), why.clone()));
    }
    for (number, binary) in binaries.iter().enumerate() {
        let report = Report::read(&out.join(format!("report{number}")))?;
        if !binary.name.ends_with(" kernel") && report.is_none() {
            run.rows.extend(plain(place, binary, &out, number));
            continue;
        }
        let report = report.unwrap_or_default();
        run.rows.extend(Row::of(place, &binary.name, &report));
        let flaky = report.flaky.iter();
        run.flaky
            .extend(flaky.map(|(test, first)| (format!("{place}: {}: {test}", binary.name), first.clone())));
        let status = fs::read_to_string(out.join(format!("status{number}"))).unwrap_or_default();
        let status = status.trim().parse().ok().map(|code: i32| ExitStatus::from_raw(code << 8));
        if status.is_none() && matches!(end, End::Died(_)) {
            let name = format!("{place}: {}", binary.name);
            run.problems.push((name, format!("the machine died after {} tests", report.results.len())));
            continue;
        }
        let output = fs::read(out.join(format!("output{number}"))).unwrap_or_default();
        let output = String::from_utf8_lossy(&output).into_owned();
        if let Some(problem) = report.problem(&Ended { status, output, took }) {
            run.problems.push((format!("{place}: {}", binary.name), problem));
        }
    }
    let log = fs::read(out.join("dmesg")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    for line in
        log.lines().filter(|line| ["BUG:", "WARNING:", "Oops:"].iter().any(|word| line.contains(word)))
    {
        println!("{place}: the kernel's log has: {}", line.trim());
    }
    Ok(run)
}

/// The result of a libtest binary, if it ran.
fn plain(place: &str, binary: &Binary, out: &Path, number: usize) -> Option<Row> {
    let status = fs::read_to_string(out.join(format!("status{number}"))).ok()?;
    let outcome = match status.trim() {
        "0" => Outcome::Passed,
        status => {
            let output = fs::read(out.join(format!("output{number}"))).unwrap_or_default();
            let output = String::from_utf8_lossy(&output).into_owned();
            let lines = output.lines().filter(|line| !line.ends_with(" ... ok"));
            Outcome::Failed(lines.fold(format!("exit status {status}"), |text, line| text + "\n" + line))
        }
    };
    Some(Row { place: place.to_owned(), suite: PLAIN.to_owned(), test: binary.name.clone(), outcome })
}

/// The results of all machines.
#[derive(Default)]
struct Matrix {
    /// Kernels, then this machine as `host` and `user`.
    places: Vec<String>,
    rows: Vec<Row>,
    /// Errors of machines and whole suites.
    problems: Vec<(String, String)>,
    /// Tests that failed first and passed when run alone.
    flaky: Vec<(String, String)>,
    /// Kernels that did not run.
    missing: Vec<(String, String)>,
    /// Whether every test must run somewhere.
    strict: bool,
}

/// A test of a suite, and its result in each place.
type Test<'a> = ((&'a str, &'a str), BTreeMap<&'a str, &'a Outcome>);

impl Matrix {
    /// Adds the results of the same suites on this machine.
    fn compare(&mut self, rows: Vec<Row>) {
        let suites: BTreeSet<_> = self.rows.iter().map(|row| row.suite.clone()).collect();
        let rows = rows.into_iter().filter(|row| suites.contains(&row.suite));
        for row in rows {
            if !self.places.contains(&row.place) {
                self.places.push(row.place.clone());
            }
            self.rows.push(row);
        }
    }

    fn tests(&self) -> Vec<Test<'_>> {
        let mut tests: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for row in &self.rows {
            let test = tests.entry((row.suite.as_str(), row.test.as_str())).or_default();
            test.insert(row.place.as_str(), &row.outcome);
        }
        tests.into_iter().collect()
    }

    /// Tests that ran nowhere. Tests that need extra modules are separate.
    fn idle(&self) -> [Vec<Test<'_>>; 2] {
        let skipped = |outcome: &&Outcome| matches!(outcome, Outcome::Skipped(_));
        let extra = |outcome: &&Outcome| EXTRA.contains(&reason(outcome));
        let idle = self.tests().into_iter().filter(|(_, outcomes)| outcomes.values().all(skipped));
        let (extra, idle) = idle.partition(|(_, outcomes)| outcomes.values().any(extra));
        [idle, extra]
    }

    /// Rows of virtual machines. The results of this machine were judged when the tests ran.
    fn judged(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.place != "host" && row.place != "user")
    }

    fn passed(&self) -> bool {
        let [passed, failed, _] = count(self.judged());
        passed > 0 && failed == 0 && self.problems.is_empty() && (!self.strict || self.idle()[0].is_empty())
    }

    /// A table of all tests that did not pass everywhere, failures with reasons, and a line of numbers.
    fn text(&self) -> String {
        let mut text = String::new();
        let tests = self.tests();
        let suites: BTreeSet<_> = tests.iter().map(|((suite, _), _)| *suite).collect();
        for suite in suites {
            self.table(suite, &tests, &mut text);
        }
        let mut failures = self.problems.clone();
        for row in self.judged() {
            if let Outcome::Failed(reason) = &row.outcome {
                failures.push((format!("{}: {}: {}", row.place, row.suite, row.test), reason.clone()));
            }
        }
        section("failed", &failures, &mut text);
        section("failed among others and passed without them", &self.flaky, &mut text);
        let [idle, extra] = self.idle().map(|tests| {
            let told = tests.into_iter().map(|((suite, test), outcomes)| {
                let reasons: BTreeSet<_> = outcomes.into_values().map(reason).collect();
                (format!("{suite}: {test}"), reasons.into_iter().collect::<Vec<_>>().join("\n"))
            });
            told.collect::<Vec<_>>()
        });
        let title = if self.strict { "skipped everywhere, which is a failure" } else { "skipped everywhere" };
        section(title, &idle, &mut text);
        section("skipped everywhere without vm prepare --extra-modules", &extra, &mut text);
        section("not run", &self.missing, &mut text);

        let [passed, failed, skipped] = count(self.judged());
        let kernels = self.places.iter().filter(|place| *place != "host" && *place != "user");
        let kernels = kernels.map(String::as_str).collect::<Vec<_>>().join(", ");
        let failed = failed + self.problems.len();
        let _ = write!(
            text,
            "\nkernel matrix: {kernels}: {passed} passed, {failed} failed, {skipped} skipped, {} skipped everywhere",
            idle.len() + extra.len()
        );
        for (series, _) in &self.missing {
            let _ = write!(text, "; {series} NOT RUN");
        }
        text.push('\n');
        text
    }

    fn table(&self, suite: &str, tests: &[Test<'_>], text: &mut String) {
        let tests: Vec<_> = tests.iter().filter(|((of, _), _)| *of == suite).collect();
        // Other suites run only where they were built.
        let ran =
            |place: &&str| suite != PLAIN || tests.iter().any(|(_, outcomes)| outcomes.contains_key(place));
        let places: Vec<_> = self.places.iter().map(String::as_str).filter(ran).collect();
        let mut groups: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for ((_, name), outcomes) in &tests {
            let states: Vec<_> = places.iter().map(|place| state(outcomes.get(place))).collect();
            let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for place in places.iter().copied() {
                if let Some(Outcome::Skipped(reason)) = outcomes.get(place) {
                    reasons.entry(reason).or_default().push(place);
                }
            }
            groups.entry((states, reasons)).or_default().push(name);
        }
        let all = groups.iter().filter(|((states, _), _)| states.iter().all(|state| *state == "pass"));
        let all: usize = all.map(|(_, names)| names.len()).sum();
        let _ = writeln!(text, "\n{suite}: {} tests, {all} passed everywhere", tests.len());
        groups.retain(|(states, _), _| states.iter().any(|state| *state != "pass"));
        if groups.is_empty() {
            return;
        }
        let cells = |words: &[&str]| {
            let wide = |(word, place): (&&str, &&str)| format!("{word:<0$}", place.len().max(4) + 2);
            words.iter().zip(&places).map(wide).collect::<String>()
        };
        let _ = writeln!(text, "  {}", cells(&places).trim_end());
        for ((states, reasons), names) in groups {
            let reasons = reasons.iter().map(|(reason, places)| {
                let everywhere = states.iter().all(|state| *state == "skip") && places.len() == states.len();
                let places = if everywhere { String::new() } else { format!("{}: ", places.join(", ")) };
                format!("{places}{}", reason.lines().next().unwrap_or_default())
            });
            let reasons = reasons.collect::<Vec<_>>().join("; ");
            let _ = writeln!(text, "  {}", format!("{}{reasons}", cells(&states)).trim_end());
            for name in names {
                let _ = writeln!(text, "      {name}");
            }
        }
    }
}

const fn state(outcome: Option<&&Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Passed) => "pass",
        Some(Outcome::Failed(_)) => "FAIL",
        Some(Outcome::Skipped(_)) => "skip",
        None => "-",
    }
}

fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Passed => "",
        Outcome::Failed(reason) | Outcome::Skipped(reason) => reason,
    }
}

fn section(title: &str, entries: &[(String, String)], text: &mut String) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}:");
    for (name, reason) in entries {
        let _ = writeln!(text, "  {name}");
        for line in reason.trim().lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
}

/// Passed, failed and skipped.
fn count<'a>(rows: impl Iterator<Item = &'a Row>) -> [usize; 3] {
    rows.fold([0; 3], |[passed, failed, skipped], row| match row.outcome {
        Outcome::Passed => [passed + 1, failed, skipped],
        Outcome::Failed(_) => [passed, failed + 1, skipped],
        Outcome::Skipped(_) => [passed, failed, skipped + 1],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(place: &str, test: &str, outcome: Outcome) -> Row {
        Row { place: place.to_owned(), suite: "x kernel".to_owned(), test: test.to_owned(), outcome }
    }

    fn skipped(reason: &str) -> Outcome {
        Outcome::Skipped(reason.to_owned())
    }

    fn matrix(rows: Vec<Row>) -> Matrix {
        let places = ["6.1", "7.3"].map(str::to_owned).to_vec();
        Matrix { places, rows, strict: true, ..Matrix::default() }
    }

    #[test]
    fn a_failure_belongs_to_its_kernel_alone() {
        let failed = Outcome::Failed("left is not right".to_owned());
        let matrix = matrix(vec![
            row("6.1", "a", Outcome::Passed),
            row("7.3", "a", failed),
            row("6.1", "b", Outcome::Passed),
            row("7.3", "b", Outcome::Passed),
        ]);
        assert!(!matrix.passed());
        let text = matrix.text();
        assert!(
            text.contains("x kernel: 2 tests, 1 passed everywhere\n  6.1   7.3\n  pass  FAIL\n      a\n"),
            "{text}"
        );
        assert!(text.contains("failed:\n  7.3: x kernel: a\n    left is not right\n"), "{text}");
        assert!(
            text.ends_with("kernel matrix: 6.1, 7.3: 3 passed, 1 failed, 0 skipped, 0 skipped everywhere\n")
        );
    }

    #[test]
    fn a_test_must_run_somewhere_if_all_kernels_ran() {
        let rows = vec![
            row("6.1", "a", skipped("too old")),
            row("7.3", "a", Outcome::Passed),
            row("6.1", "b", skipped("no b")),
            row("7.3", "b", skipped("no b")),
        ];
        let strict = matrix(rows.clone());
        assert!(!strict.passed());
        let text = strict.text();
        assert!(text.contains("  skip  skip  no b\n      b\n"), "{text}");
        assert!(text.contains("  skip  pass  6.1: too old\n      a\n"), "{text}");
        assert!(
            text.contains("skipped everywhere, which is a failure:\n  x kernel: b\n    no b\n"),
            "{text}"
        );
        assert!(Matrix { strict: false, ..matrix(rows.clone()) }.passed());
        let mut with_host = matrix(rows);
        with_host.compare(vec![row("host", "b", Outcome::Passed)]);
        assert!(with_host.passed());
        assert!(with_host.text().contains("  skip  skip  pass  6.1, 7.3: no b\n"), "{}", with_host.text());
    }

    #[test]
    fn a_test_of_an_extra_module_may_be_skipped_everywhere() {
        let matrix = matrix(vec![
            row("6.1", "a", Outcome::Passed),
            row("6.1", "b", skipped("too old")),
            row("7.3", "b", skipped(EXTRA[0])),
        ]);
        assert!(matrix.passed());
        let text = matrix.text();
        assert!(
            text.contains("skipped everywhere without vm prepare --extra-modules:\n  x kernel: b\n"),
            "{text}"
        );
        assert!(text.ends_with("1 skipped everywhere\n") && !text.contains("which is a failure"), "{text}");
    }

    #[test]
    fn failures_of_this_machine_are_shown_but_not_judged_again() {
        let mut matrix = matrix(vec![row("6.1", "a", Outcome::Passed), row("7.3", "a", Outcome::Passed)]);
        let elsewhere = Row { suite: "y self".to_owned(), ..row("host", "b", skipped("no b")) };
        matrix.compare(vec![row("host", "a", Outcome::Failed(String::new())), elsewhere]);
        assert!(matrix.passed());
        assert!(matrix.text().contains("  pass  pass  FAIL\n      a\n"));
    }

    #[test]
    fn no_tests_and_a_crashed_machine_are_failures() {
        assert!(!matrix(Vec::new()).passed());
        let mut matrix = matrix(vec![row("6.1", "a", Outcome::Passed)]);
        assert!(matrix.passed());
        matrix.problems.push(("7.3: the machine".to_owned(), "panic".to_owned()));
        assert!(!matrix.passed());
        assert!(matrix.text().contains("  pass  -\n      a\n"));
    }

    #[test]
    fn a_flaky_test_is_reported_but_is_not_a_failure() {
        let flaky = vec![("6.1: x kernel: a".to_owned(), "too slow".to_owned())];
        let matrix = Matrix { flaky, ..matrix(vec![row("6.1", "a", Outcome::Passed)]) };
        assert!(matrix.passed());
        let told = "failed among others and passed without them:\n  6.1: x kernel: a\n    too slow\n";
        assert!(matrix.text().contains(told), "{}", matrix.text());
    }

    #[test]
    fn kernels_that_did_not_run_are_in_the_last_line() {
        let missing = vec![("6.12".to_owned(), "not fetched".to_owned())];
        let matrix = Matrix { missing, ..matrix(vec![row("6.1", "a", Outcome::Passed)]) };
        assert!(matrix.text().ends_with("0 skipped everywhere; 6.12 NOT RUN\n"));
    }
}
