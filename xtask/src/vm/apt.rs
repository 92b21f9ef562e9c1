//! Debian's archive, with an apt that is separate from this machine's packages.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};

use super::cache::Cache;
use super::tool::tool;
use crate::command::{self, Scratch};
use crate::target::Architecture;

/// An apt with its own sources, lists and caches.
pub(crate) struct Apt<'a> {
    folder: PathBuf,
    mirrors: Mirrors,
    /// Whether the lists were downloaded in this run.
    new: Cell<bool>,
    scratch: &'a Scratch,
}

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The suites of an apt.
pub(crate) struct Suites {
    /// The suffix of its folder.
    suffix: &'static str,
    architecture: Architecture,
    archive: &'static str,
    security: &'static str,
    /// The preferred suite for a package that several have.
    preferred: &'static str,
}

impl Suites {
    /// The suites for the machines of an architecture. Mirrors are less complete for architectures other than
    /// amd64, so these have one old suite.
    pub(crate) const fn of(architecture: Architecture) -> Self {
        let (suffix, archive, security, preferred) = match architecture {
            Architecture::Amd64 => (
                "",
                "bullseye bookworm trixie trixie-backports",
                "bullseye-security bookworm-security trixie-security",
                "trixie",
            ),
            Architecture::S390x => ("-s390x", "bookworm", "", "bookworm"),
            Architecture::I386 => ("-i386", "bookworm", "", "bookworm"),
        };
        Self { suffix, architecture, archive, security, preferred }
    }

    /// The newest programs that were tested together.
    pub(crate) const NEWEST: Self = Self {
        suffix: "-newest",
        architecture: Architecture::Amd64,
        archive: "forky",
        security: "",
        preferred: "forky",
    };
}

/// A download is given up after this time: the archive can be slow.
const LIMIT: Duration = Duration::from_secs(8 * 60);

/// Older lists are downloaded again.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

impl<'a> Apt<'a> {
    /// Writes its configuration into the cache.
    pub(crate) fn open(cache: &Cache, suites: &Suites, scratch: &'a Scratch) -> Result<Self> {
        let folder = &cache.path(&format!("apt{}", suites.suffix));
        let (architecture, preferred) = (suites.architecture.debian(), suites.preferred);
        ensure!(
            Path::new(KEYRING).exists(),
            "no {KEYRING} to check packages with: apt-get install debian-archive-keyring"
        );
        let mirrors = Mirrors::of_this_machine()?;
        for below in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(below))?;
        }
        let mut sources = String::new();
        for (mirror, suites) in [(&mirrors.archive, suites.archive), (&mirrors.security, suites.security)] {
            if suites.is_empty() {
                continue;
            }
            let _ = writeln!(
                sources,
                "Types: deb\nURIs: {mirror}\nSuites: {suites}\nComponents: main\nArchitectures: {architecture}\n\
                 Signed-By: {KEYRING}\n"
            );
        }
        fs::write(folder.join("apt.sources"), sources)?;
        fs::write(folder.join("status"), "")?;
        let path = folder.display();
        let configuration = format!(
            r#"Dir::Etc::sourcelist "{path}/apt.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "{path}/lists";
Dir::State::status "{path}/status";
Dir::State::extended_states "{path}/extended";
Dir::Cache "{path}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Log "{path}";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "{architecture}";
APT::Architectures "{architecture}";
APT::Default-Release "{preferred}";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
"#
        );
        fs::write(folder.join("apt.conf"), configuration)?;
        Ok(Self { folder: folder.to_owned(), mirrors, new: Cell::new(false), scratch })
    }

    /// Downloads the lists of packages, unless they are less than a day old.
    pub(crate) fn update(&self) -> Result<()> {
        let age = fs::metadata(self.stamp()).and_then(|stamp| stamp.modified()).ok();
        let age = age.and_then(|time| SystemTime::now().duration_since(time).ok());
        if age.is_none_or(|age| age > AGE) {
            println!("fetching Debian's lists of packages");
            self.run("apt-get", &["update", "--error-on=any"])?;
            fs::write(self.stamp(), "")?;
            self.new.set(true);
        }
        Ok(())
    }

    /// Makes the next [`Self::update`] download the lists. Returns whether there can be newer ones.
    pub(crate) fn forget(&self) -> bool {
        !self.new.get() && fs::remove_file(self.stamp()).is_ok()
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("updated")
    }

    /// Names of packages with this prefix.
    pub(crate) fn names(&self, start: &str) -> Result<Vec<String>> {
        Ok(self.run("apt-cache", &["pkgnames", start])?.lines().map(str::to_owned).collect())
    }

    /// The versions of a package in the archive, newest first.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = self.run("apt-cache", &["madison", package])?;
        let versions = table.lines().filter_map(|line| line.split('|').nth(1));
        Ok(versions.map(|version| version.trim().to_owned()).collect())
    }

    /// Downloads packages, `name=version`, and unpacks them into a folder.
    pub(crate) fn unpack(&self, packages: &[String], into: &Path) -> Result<()> {
        println!("fetching {}", packages.join(" "));
        let folder = self.folder.join("packages");
        empty(&folder)?;
        let mut command = self.command("apt-get")?;
        command.arg("download").args(packages).current_dir(&folder);
        self.finish(command)?;
        self.extract(&folder, into)
    }

    /// Downloads packages and all their dependencies, and unpacks them into a folder. Their scripts are not run.
    pub(crate) fn unpack_all(&self, packages: &[&str], into: &Path) -> Result<()> {
        println!("fetching {} packages and what they need", packages.len());
        let folder = self.folder.join("packages");
        empty(&folder)?;
        fs::create_dir(folder.join("partial"))?;
        let mut command = self.command("apt-get")?;
        command.arg(format!("-oDir::Cache::archives={}", folder.display()));
        command.args(["install", "--download-only", "--yes"]).args(packages);
        self.finish(command)?;
        self.extract(&folder, into)
    }

    fn extract(&self, folder: &Path, into: &Path) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let package = entry?.path();
            if package.extension().is_some_and(|extension| extension == "deb") {
                let mut command = tool("dpkg-deb")?;
                command.arg("-x").arg(&package).arg(into);
                self.finish(command)?;
            }
        }
        empty(folder)
    }

    fn command(&self, program: &str) -> Result<Command> {
        let mut command = tool(program)?;
        command.arg("-q").arg("-c").arg(self.folder.join("apt.conf")).env("LC_ALL", "C");
        Ok(command)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(program)?;
        command.args(arguments);
        self.finish(command)
    }

    fn finish(&self, mut command: Command) -> Result<String> {
        let ended = command::run(&mut command, self.scratch, LIMIT)?;
        if ended.is_success() {
            return Ok(ended.output);
        }
        let program = Path::new(command.get_program()).file_name().unwrap_or_default().display().to_string();
        if ended.status.is_none() {
            let minutes = LIMIT.as_secs() / 60;
            bail!("{program} did not end within {minutes} minutes: Debian's archive is slow or unreachable");
        }
        let output = self.mirrors.hide(&ended.output);
        let lines: Vec<_> = output.lines().filter(|line| line.starts_with(['E', 'W', 'd'])).collect();
        let lines = lines[lines.len().saturating_sub(12)..].join("\n");
        bail!("{program}: {}\n{lines}", ended.why())
    }
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

/// The address of a mirror of Debian's archive, if `/etc/apt` has none or another one is preferred.
const ARCHIVE: &str = "NETLINK_VM_ARCHIVE";

/// The addresses of Debian's packages for this machine.
#[derive(Debug, PartialEq, Eq)]
struct Mirrors {
    archive: String,
    security: String,
}

impl Mirrors {
    fn of_this_machine() -> Result<Self> {
        if let Some(archive) = std::env::var_os(ARCHIVE).filter(|archive| !archive.is_empty()) {
            let archive = archive.into_string().ok().with_context(|| format!("{ARCHIVE} is not UTF-8"))?;
            return Ok(Self::of(archive, None));
        }
        let folder = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
        let mut paths: Vec<_> = folder.map(|entry| entry.path()).collect();
        paths.sort();
        paths.push("/etc/apt/sources.list".into());
        let texts = paths.iter().filter(|path| {
            path.extension().is_some_and(|extension| extension == "list" || extension == "sources")
        });
        let texts: Vec<_> = texts.filter_map(|path| fs::read_to_string(path).ok()).collect();
        Self::parse(&texts).with_context(|| {
            format!("no source of Debian packages in /etc/apt: set {ARCHIVE} to the address of a mirror")
        })
    }

    /// Without an address for security updates, uses the one next to the archive, like Debian.
    fn of(archive: String, security: Option<String>) -> Self {
        let beside = || format!("{}-security", archive.trim_end_matches('/'));
        Self { security: security.unwrap_or_else(beside), archive }
    }

    /// Reads files of both formats of apt.
    fn parse(texts: &[String]) -> Option<Self> {
        let entries = texts.iter().flat_map(|text| {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
            // A source is one line, or a paragraph.
            let (single, fields): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("deb"));
            let fields = fields.join("\n");
            let paragraphs: Vec<_> = fields.split("\n\n").map(str::to_owned).collect();
            single.into_iter().map(str::to_owned).chain(paragraphs)
        });
        let words: Vec<Vec<String>> =
            entries.map(|entry| entry.split_whitespace().map(str::to_owned).collect()).collect();
        let find = |name: &str| {
            let of_debian = words.iter().filter(|words| words.iter().any(|word| word == "main"));
            of_debian.flatten().find(|word| {
                word.contains("://") && word.trim_end_matches('/').rsplit('/').next() == Some(name)
            })
        };
        Some(Self::of(find("debian")?.clone(), find("debian-security").cloned()))
    }

    /// Replaces the addresses of this machine's mirrors in a message, because they are private.
    fn hide(&self, text: &str) -> String {
        let hosts = [&self.archive, &self.security].map(|mirror| {
            let authority =
                mirror.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
            authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default()
        });
        let text = [&self.archive, &self.security]
            .iter()
            .fold(text.to_owned(), |text, mirror| text.replace(mirror.as_str(), "MIRROR"));
        let hosts = hosts.iter().filter(|host| !host.is_empty());
        hosts.fold(text, |text, host| text.replace(host, "MIRROR"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirrors(archive: &str, security: &str) -> Mirrors {
        Mirrors { archive: archive.to_owned(), security: security.to_owned() }
    }

    #[test]
    fn the_machines_own_mirror_is_found_in_both_formats() {
        let fields = "Types: deb\n# http://old.example/archive/debian/2025\nURIs: http://m.example/debian\n\
             Suites: bookworm\nComponents: main\n\nTypes: deb\nURIs: http://s.example/debian-security/\n\
             Suites: bookworm-security\nComponents: main\n";
        let expected = mirrors("http://m.example/debian", "http://s.example/debian-security/");
        assert_eq!(Mirrors::parse(&[fields.to_owned()]).as_ref(), Some(&expected));
        let lines = "deb https://docker.example/linux/debian bookworm stable\n\
             deb [signed-by=/x] http://m.example/debian bookworm main contrib\n\
             deb http://s.example/debian-security/ bookworm-security main\n";
        assert_eq!(Mirrors::parse(&[lines.to_owned()]), Some(expected));
    }

    #[test]
    fn a_machine_without_debian_sources_must_name_one() {
        assert_eq!(Mirrors::parse(&["deb http://u.example/ubuntu noble main\n".to_owned()]), None);
        assert_eq!(Mirrors::parse(&[]), None);
    }

    #[test]
    fn security_updates_are_next_to_the_archive_by_default() {
        let expected = mirrors("http://m.example/debian", "http://m.example/debian-security");
        let parsed = Mirrors::parse(&["deb http://m.example/debian bookworm main\n".to_owned()]);
        assert_eq!(parsed, Some(expected));
    }

    #[test]
    fn messages_do_not_contain_the_mirror() {
        let mirrors = mirrors("http://user:word@m.example:8080/debian", "http://s.example/debian-security");
        let text =
            "E: http://user:word@m.example:8080/debian/dists: could not connect to m.example:8080; s.example";
        assert_eq!(mirrors.hide(text), "E: MIRROR/dists: could not connect to MIRROR:8080; MIRROR");
    }
}
