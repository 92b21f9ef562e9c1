//! Reads the results of test binaries, and sums them up.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::command::{Ended, text};

/// The result of a kernel test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl Outcome {
    fn read(line: &Value) -> Self {
        let reason = text(&line["reason"]).to_owned();
        match text(&line["outcome"]) {
            "passed" => Self::Passed,
            "skipped" => Self::Skipped(reason),
            _ => Self::Failed(reason),
        }
    }
}

/// The report of a suite of kernel tests.
#[derive(Default)]
pub(crate) struct Report {
    /// The user: `root`, `user` or `none`.
    pub(crate) user: String,
    planned: Option<u64>,
    /// Names of tests, with results.
    pub(crate) results: Vec<(String, Outcome)>,
    /// Tests that failed first and passed when run alone, with the first failure.
    pub(crate) flaky: Vec<(String, String)>,
}

impl Report {
    /// Reads a report; `None` if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        let lines = match fs::read_to_string(path) {
            Ok(lines) => lines,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(Self::parse(&lines)))
    }

    /// Reads a report and removes it.
    pub(crate) fn take(path: &Path) -> Result<Option<Self>> {
        let report = Self::read(path)?;
        if report.is_some() {
            fs::remove_file(path)?;
        }
        Ok(report)
    }

    fn parse(lines: &str) -> Self {
        // A truncated line is missing in the count, which is reported.
        let mut lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let suite = lines.next().unwrap_or_default();
        let mut report = Self {
            user: text(&suite["user"]).to_owned(),
            planned: suite["planned"].as_u64(),
            ..Self::default()
        };
        for line in lines {
            let (name, outcome) = (text(&line["name"]).to_owned(), Outcome::read(&line));
            if let (Outcome::Passed, Some(first)) = (&outcome, line["first"].as_str()) {
                report.flaky.push((name.clone(), first.to_owned()));
            }
            report.results.push((name, outcome));
        }
        report
    }

    /// Why the suite as a whole failed, if no test shows the reason.
    pub(crate) fn problem(&self, ended: &Ended) -> Option<String> {
        let results = self.results.len();
        let failed = self.results.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(_)));
        if self.planned == u64::try_from(results).ok() && (ended.is_success() || failed) {
            return None;
        }
        let planned = self.planned.map_or_else(|| "an unknown number of".to_owned(), |n| n.to_string());
        Some(format!("{} after {results} of {planned} tests\n{}", ended.why(), ended.output))
    }
}

/// One kernel test in one place: a virtual machine's kernel, or this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) place: String,
    pub(crate) suite: String,
    pub(crate) test: String,
    pub(crate) outcome: Outcome,
}

impl Row {
    /// The rows of a report.
    pub(crate) fn of(place: &str, suite: &str, report: &Report) -> Vec<Self> {
        let rows = report.results.iter().map(|(test, outcome)| Self {
            place: place.to_owned(),
            suite: suite.to_owned(),
            test: test.clone(),
            outcome: outcome.clone(),
        });
        rows.collect()
    }

    pub(crate) fn write(path: &Path, rows: &[Self]) -> Result<()> {
        let lines = rows.iter().map(|row| {
            let (outcome, reason) = match &row.outcome {
                Outcome::Passed => ("passed", ""),
                Outcome::Failed(reason) => ("failed", reason.as_str()),
                Outcome::Skipped(reason) => ("skipped", reason.as_str()),
            };
            let Self { place, suite, test, .. } = row;
            let row = json!({
                "place": place, "suite": suite, "test": test, "outcome": outcome, "reason": reason,
            });
            format!("{row}\n")
        });
        Ok(fs::write(path, lines.collect::<String>())?)
    }

    pub(crate) fn read(path: &Path) -> Result<Vec<Self>> {
        let lines = fs::read_to_string(path)?;
        let rows = lines.lines().map(|line| {
            let line: Value = serde_json::from_str(line)?;
            let part = |name| text(&line[name]).to_owned();
            let outcome = Outcome::read(&line);
            Ok(Self { place: part("place"), suite: part("suite"), test: part("test"), outcome })
        });
        rows.collect()
    }
}

/// The results of all tests.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failures: Vec<(String, String)>,
    /// Names by reason.
    pub(crate) skipped: BTreeMap<String, Vec<String>>,
}

impl Tally {
    pub(crate) fn pass(&mut self, name: String) {
        println!("{name}: passed");
        self.passed += 1;
    }

    pub(crate) fn fail(&mut self, name: String, reason: String) {
        println!("{name}: FAILED");
        self.failures.push((name, reason));
    }

    pub(crate) fn skip(&mut self, name: String, reason: String) {
        println!("{name}: skipped: {reason}");
        self.skipped.entry(reason).or_default().push(name);
    }

    fn line(&self, name: &str, [passed, failed, skipped]: [usize; 3], ended: &Ended) {
        let seconds = ended.took.as_secs_f32();
        println!("{name}: {passed} passed, {failed} failed, {skipped} skipped ({seconds:.1} s)");
    }

    /// Reads the output of libtest from `binaries` test binaries, or from any number.
    pub(crate) fn libtest(&mut self, name: &str, ended: &Ended, binaries: Option<usize>) {
        let results: Vec<_> = ended.output.lines().filter_map(libtest_result).collect();
        let sum = results.iter().fold([0; 3], |sum, result| {
            let [a, b, c] = sum;
            [a + result[0], b + result[1], c + result[2]]
        });
        self.line(name, sum, ended);
        let mut named = 0;
        for (test, state) in ended.output.lines().filter_map(libtest_line) {
            let test = format!("{name}: {test}");
            if let Some(reason) = state.strip_prefix("ignored") {
                let reason = reason.trim_start_matches([',', ' ']);
                let reason = if reason.is_empty() { "ignored" } else { reason };
                self.skipped.entry(reason.to_owned()).or_default().push(test);
            } else if state == "FAILED" {
                self.failures.push((test, String::new()));
                named += 1;
            }
        }
        self.passed += sum[0];
        let whole = ended.is_success() && binaries.is_none_or(|count| count == results.len());
        if whole && named == sum[1] {
            return;
        }
        let output = ended.output.lines().filter(|line| !line.ends_with(" ... ok"));
        let output = output.fold(ended.why(), |output, line| output + "\n" + line);
        match self.failures.last_mut().filter(|_| named > 0 && named == sum[1]) {
            // The failed tests are named; their messages are in the whole output.
            Some((_, reason)) => *reason = output,
            None => self.failures.push((name.to_owned(), output)),
        }
    }

    /// Reads the report of a suite of kernel tests.
    pub(crate) fn report(&mut self, name: &str, ended: &Ended, report: &Report) {
        let mut sum = [0; 3];
        for (test, outcome) in &report.results {
            let test = format!("{name}: {test}");
            match outcome {
                Outcome::Passed => {
                    sum[0] += 1;
                    self.passed += 1;
                }
                Outcome::Skipped(reason) => {
                    sum[2] += 1;
                    self.skipped.entry(reason.clone()).or_default().push(test);
                }
                Outcome::Failed(reason) => {
                    sum[1] += 1;
                    self.failures.push((test, reason.clone()));
                }
            }
        }
        self.line(name, sum, ended);
        for (test, first) in &report.flaky {
            println!("{name}: {test}: failed among others and passed without them: {first}");
        }
        if let Some(problem) = report.problem(ended) {
            self.failures.push((name.to_owned(), problem));
        }
    }

    pub(crate) fn conclude(mut self) -> ExitCode {
        let skipped: usize = self.skipped.values().map(Vec::len).sum();
        if self.passed + self.failures.len() + skipped == 0 {
            self.failures.push(("all".to_owned(), "no test has such a name".to_owned()));
        }
        if skipped > 0 {
            println!("\nskipped:");
        }
        for (reason, names) in &self.skipped {
            println!("  {reason}");
            for name in names {
                println!("    {name}");
            }
        }
        if !self.failures.is_empty() {
            println!("\nfailed:");
        }
        for (name, reason) in &self.failures {
            println!("  {name}");
            for line in reason.trim().lines() {
                println!("    {line}");
            }
        }
        println!("\n{} passed, {} failed, {skipped} skipped", self.passed, self.failures.len());
        if self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// `test NAME ... STATE`.
fn libtest_line(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.rsplit_once(" ... ").map(|(name, state)| (name.trim(), state))
}

/// Passed, failed and ignored, of `test result: ok. 1 passed; 0 failed; 0 ignored; …`.
fn libtest_result(line: &str) -> Option<[usize; 3]> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |kind| {
        let part = counts.split("; ").find_map(|part| part.strip_suffix(kind))?;
        part.trim().parse().ok()
    };
    Some([count("passed")?, count("failed")?, count("ignored")?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;
    use std::time::Duration;

    fn ended(code: i32, output: &str) -> Ended {
        let status = Some(ExitStatus::from_raw(code << 8));
        Ended { status, output: output.to_owned(), took: Duration::ZERO }
    }

    fn counts(tally: &Tally) -> [usize; 3] {
        [tally.passed, tally.failures.len(), tally.skipped.values().map(Vec::len).sum()]
    }

    #[test]
    fn results_of_libtest_are_counted() {
        let output = "test a ... ok\ntest b ... FAILED\ntest c ... ignored, too slow\n\
            test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out\n";
        let mut tally = Tally::default();
        tally.libtest("x", &ended(101, output), Some(1));
        assert_eq!(counts(&tally), [1, 1, 1]);
        assert_eq!(tally.failures[0].0, "x: b");
        assert_eq!(tally.skipped["too slow"], ["x: c"]);
    }

    #[test]
    fn a_binary_that_dies_or_says_nothing_fails() {
        let fine = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        for (code, output) in [(134, "test a ... "), (0, ""), (1, fine)] {
            let mut tally = Tally::default();
            tally.libtest("x", &ended(code, output), Some(1));
            assert_eq!(tally.failures.len(), 1, "{output}");
        }
    }

    #[test]
    fn a_suite_that_ends_early_fails() {
        let lines = "{\"suite\":\"kernel\",\"planned\":2,\"user\":\"root\"}\n{\"name\":\"a\",\"outcome\":\"passed\"}\n";
        let mut tally = Tally::default();
        tally.report("x", &ended(0, ""), &Report::parse(lines));
        assert_eq!(counts(&tally), [1, 1, 0]);
        let mut tally = Tally::default();
        tally.report("x", &ended(0, ""), &Report::default());
        assert_eq!(counts(&tally), [0, 1, 0]);
    }

    #[test]
    fn a_test_that_passes_when_run_again_is_flaky() {
        let lines = r#"{"suite":"kernel","planned":3,"user":"root"}
            {"name":"a","outcome":"passed","reason":"","first":"too slow"}
            {"name":"b","outcome":"failed","reason":"wrong","first":"wrong, too"}
            {"name":"c","outcome":"passed","reason":""}"#;
        let report = Report::parse(lines);
        assert_eq!(report.flaky, [("a".to_owned(), "too slow".to_owned())]);
        assert_eq!(report.results[1].1, Outcome::Failed("wrong".to_owned()));
    }

    #[test]
    fn no_test_at_all_fails() {
        assert_eq!(Tally::default().conclude(), ExitCode::FAILURE);
    }

    #[test]
    fn rows_that_were_written_can_be_read() {
        let row = |outcome| Row {
            place: "host".to_owned(),
            suite: "x kernel".to_owned(),
            test: "a::b".to_owned(),
            outcome,
        };
        let rows = [row(Outcome::Passed), row(Outcome::Skipped("no \"ip\"\nhere".to_owned()))];
        let path = std::env::temp_dir().join(format!("netlink-xtask-rows-{}", std::process::id()));
        Row::write(&path, &rows).unwrap();
        let read = Row::read(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), rows);
    }
}
