//! The committed list of kernels, and replacements for kernels that left the archive.

use std::cmp::Ordering;

use anyhow::{Context as _, Result, bail};

use crate::target::Architecture;

/// A kernel of the committed list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    /// The first two numbers, `6.12`, with the architecture if it isn't the usual one: `6.1-s390x`.
    pub(crate) series: String,
    /// The output of `uname -r`: `6.12.117+deb12-amd64`.
    pub(crate) release: String,
    /// The version of its Debian package.
    pub(crate) version: String,
}

impl Pin {
    /// Its architecture.
    pub(crate) fn architecture(&self) -> Architecture {
        split(&self.series).1
    }

    /// The first two numbers.
    pub(crate) fn numbers(&self) -> &str {
        split(&self.series).0
    }
}

/// Numbers and architecture of a series.
fn split(series: &str) -> (&str, Architecture) {
    let found = Architecture::FOREIGN.into_iter().find_map(|architecture| {
        Some((series.strip_suffix(architecture.debian())?.strip_suffix('-')?, architecture))
    });
    found.unwrap_or((series, Architecture::Amd64))
}

/// The kernels of the committed list.
pub(crate) fn all() -> Result<Vec<Pin>> {
    parse(include_str!("../../kernels.txt"))
}

/// The kernels of these series; all if there are none.
pub(crate) fn select(series: &[String]) -> Result<Vec<Pin>> {
    let all = all()?;
    if series.is_empty() {
        return Ok(all);
    }
    let find = |series: &String| {
        let known = || all.iter().map(|pin| pin.series.as_str()).collect::<Vec<_>>().join(", ");
        let pin = all.iter().find(|pin| pin.series == *series).cloned();
        pin.with_context(|| format!("no kernel {series} in xtask/kernels.txt; there are {}", known()))
    };
    series.iter().map(find).collect()
}

fn parse(text: &str) -> Result<Vec<Pin>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pins = lines.map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [series, release, version] => {
            let [series, release, version] = [series, release, version].map(str::to_owned);
            Ok(Pin { series, release, version })
        }
        _ => bail!("kernels.txt: {line:?} is not a series, a release and a version"),
    });
    pins.collect()
}

/// Whether a release is an ordinary kernel of a series, not a realtime, cloud or debug variant.
pub(crate) fn belongs(release: &str, series: &str) -> bool {
    let (numbers, architecture) = split(series);
    let Some(rest) = release.strip_prefix(numbers).and_then(|rest| rest.strip_prefix('.')) else {
        return false;
    };
    let Some(patch) = rest.strip_suffix(architecture.flavour()) else { return false };
    !patch.contains("cloud") && !patch.ends_with("-rt") && patch.starts_with(|c: char| c.is_ascii_digit())
}

/// The newest release of a series.
pub(crate) fn newest<'a>(releases: impl Iterator<Item = &'a str>, series: &str) -> Option<&'a str> {
    releases.filter(|release| belongs(release, series)).max_by(|a, b| compare(a, b))
}

/// Compares versions, with numbers by value.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    parts(a).cmp(parts(b))
}

/// The numbers, and the texts between them.
fn parts(text: &str) -> impl Iterator<Item = (&str, u64)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (words, tail) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let (digits, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len()));
        rest = tail;
        Some((words, digits.parse().unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_list_is_valid_and_each_kernel_belongs_to_its_series() {
        let pins = all().unwrap();
        assert!(pins.len() >= 2);
        for pin in pins {
            assert!(belongs(&pin.release, &pin.series), "{}", pin.release);
        }
    }

    #[test]
    fn an_incomplete_line_is_reported() {
        let error = parse("# comment\n\n6.1 6.1.0-56-amd64\n").unwrap_err().to_string();
        assert!(error.contains("6.1 6.1.0-56-amd64"), "{error}");
    }

    #[test]
    fn a_series_is_not_a_prefix() {
        for (release, series, expected) in [
            ("6.1.0-56-amd64", "6.1", true),
            ("6.12.117+deb12-amd64", "6.1", false),
            ("6.12.117+deb12-amd64", "6.12", true),
            ("6.1.0-56-rt-amd64", "6.1", false),
            ("6.1.0-56-cloud-amd64", "6.1", false),
            ("7.3.4+deb13-amd64-dbg", "7.3", false),
            ("6.1.0-56-amd64-unsigned", "6.1", false),
            ("6.1-amd64", "6.1", false),
            ("6.1.0-50-s390x", "6.1-s390x", true),
            ("6.1.0-50-s390x", "6.1", false),
            ("6.1.0-50-686-pae", "6.1-i386", true),
            ("6.1.0-50-rt-686-pae", "6.1-i386", false),
            ("6.1.0-50-amd64", "6.1-i386", false),
        ] {
            assert_eq!(belongs(release, series), expected, "{release}");
        }
    }

    #[test]
    fn the_newest_is_the_newest_by_number() {
        let releases =
            ["6.18.5+deb13-amd64", "6.18.15+deb13-amd64", "6.18.9+deb13-amd64", "6.18.15+deb13-rt-amd64"];
        assert_eq!(newest(releases.into_iter(), "6.18"), Some("6.18.15+deb13-amd64"));
        assert_eq!(newest(releases.into_iter(), "6.1"), None);
        assert_eq!(compare("6.1.0-9", "6.1.0-10"), Ordering::Less);
        assert_eq!(compare("6.12.1+deb12", "6.12.1+deb13"), Ordering::Less);
    }

    #[test]
    fn an_unlisted_series_is_reported() {
        assert!(select(&["2.4".to_owned()]).is_err());
        assert_eq!(select(&[]).unwrap(), all().unwrap());
    }
}
