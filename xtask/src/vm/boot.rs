//! A virtual machine: boots a kernel, runs a command in it, and always ends.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::cpio::Archive;
use super::prepare::Kernel;
use super::tool::tool;
use crate::target::Architecture;

/// The parts of a machine.
pub(crate) struct Machine<'a> {
    pub(crate) kernel: &'a Kernel,
    /// Folders that the machine can read, under the same paths.
    pub(crate) shares: &'a [PathBuf],
    /// The folder for `/out`, where the machine can write. The console's output is stored next to it.
    pub(crate) folder: &'a Path,
    pub(crate) limit: Limit,
}

/// The other end of the second serial port, which has the command's output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// Our own standard output.
    Output,
    /// A file, read by [`Machine::output`].
    File,
    /// The user's terminal.
    Terminal,
}

/// When a machine is stopped. Processor time is counted, because real time depends on other users of this
/// machine. The real time limit is for machines that wait without end.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) work: Duration,
    pub(crate) time: Duration,
}

impl Limit {
    pub(crate) const fn minutes(minutes: u64) -> Self {
        Self { work: Duration::from_secs(minutes * 60), time: Duration::from_secs(minutes * 120) }
    }

    pub(crate) const NONE: Self = Self { work: Duration::MAX, time: Duration::MAX };
}

/// Largest total size of all files that a machine writes.
const MOST_BYTES: u64 = 64 << 20;

/// The end of a machine.
pub(crate) enum End {
    /// The command's status.
    Status(i32),
    /// There is no status: the reason, and the last lines of the console.
    Died(String),
}

impl Machine<'_> {
    /// Boots, runs a shell script, and waits for the end.
    pub(crate) fn run(&self, script: &str, port: Port) -> Result<End> {
        let out = self.folder.join("out");
        fs::create_dir_all(&out)?;
        fs::write(out.join("command"), script)?;
        if port == Port::Terminal {
            fs::write(out.join("interactive"), "")?;
        }
        let shares = self.shares.iter().enumerate();
        let shares = shares.map(|(number, path)| format!("share{number} {}\n", path.display()));
        fs::write(out.join("shares"), shares.collect::<String>())?;
        let archive = self.folder.join("archive");
        fs::write(&archive, self.archive()?)?;

        let mut qemu = self.qemu(&archive, &out, port)?.spawn().context("qemu")?;
        let end = self.watch(&mut qemu);
        // It may have ended already.
        let _ = qemu.kill();
        let status = qemu.wait()?;
        let why = match end? {
            Some(why) => why,
            None => match fs::read_to_string(out.join("status")).unwrap_or_default().trim().parse() {
                Ok(status) => return Ok(End::Status(status)),
                Err(_) => format!("the machine ended before its command did; qemu: {status}"),
            },
        };
        Ok(End::Died(format!("{why}\n{}", tail(&self.folder.join("console")))))
    }

    /// What the command printed, with [`Port::File`].
    pub(crate) fn output(&self) -> String {
        let bytes = fs::read(self.folder.join("output")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\r', "")
    }

    /// The boot archive: a shell, the modules for the root file system, and the script.
    fn archive(&self) -> Result<Vec<u8>> {
        let mut archive = Archive::default();
        for folder in ["bin", "dev", "lower", "modules", "proc", "sys", "system", "upper"] {
            archive.folder(folder);
        }
        archive.program("bin/busybox", &fs::read(self.kernel.root.join("usr/bin/busybox"))?);
        archive.program("init", include_bytes!("init.sh"));
        archive.program("main", include_bytes!("main.sh"));
        for module in self.kernel.boot_modules()? {
            let name = module.file_name().unwrap_or_default().to_string_lossy().into_owned();
            archive.program(&format!("modules/{name}"), &fs::read(&module)?);
        }
        Ok(archive.finish())
    }

    fn qemu(&self, archive: &Path, out: &Path, port: Port) -> Result<std::process::Command> {
        // Under emulation, one processor boots faster than two. The emulated clock has no reference to check
        // against, and the kernel's self-tests are not needed. Random numbers from processor jitter would
        // take half a minute under emulation.
        const KERNEL: &str = "panic=-1 quiet loglevel=4 mitigations=off nokaslr random.trust_cpu=on \
             cryptomgr.notests module_blacklist=jitterentropy_rng rcupdate.rcu_expedited=1";
        // `port` is in the environment of the first program.
        const PC: &str = "console=ttyS0 port=ttyS1 no_timer_check tsc=reliable";
        const S390X: &str = "console=ttysclp0 port=hvc0";
        let s390x = self.kernel.architecture == Architecture::S390x;
        let (program, machine, bus, ports) = match s390x {
            true => ("qemu-system-s390x", "s390-ccw-virtio", "ccw", S390X),
            false => ("qemu-system-x86_64", "q35", "pci", PC),
        };
        // The machine ends when this process ends, for any reason.
        let mut command = tool("setpriv")?;
        command.args(["--pdeathsig", "KILL"]).arg(tool(program)?.get_program());
        command.args(["-M", machine, "-cpu", "max", "-smp", "1", "-m", "1536", "-no-reboot"]);
        // Emulated even if /dev/kvm exists: in virtual machines KVM often does not work, and times would
        // differ on every machine.
        command.args(["-accel", "tcg,thread=multi", "-nodefaults", "-no-user-config"]);
        command.args(["-display", "none", "-device", &format!("virtio-rng-{bus}")]);
        if !s390x {
            command.args(["-vga", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
        }
        command.arg("-append").arg(format!("{KERNEL} {ports}"));
        command.arg("-kernel").arg(self.kernel.image()).arg("-initrd").arg(archive);
        let file = |id: &str, name: &str| -> Result<String> {
            Ok(format!("file,id={id},path={}", quoted(&self.folder.join(name))?))
        };
        command.arg("-chardev").arg(file("console", "console")?).args(["-serial", "chardev:console"]);
        command.arg("-chardev").arg(match port {
            Port::Output | Port::Terminal => "stdio,id=port,signal=off".to_owned(),
            Port::File => file("port", "output")?,
        });
        match s390x {
            true => command.args(["-device", "virtio-serial-ccw", "-device", "virtconsole,chardev=port"]),
            false => command.args(["-serial", "chardev:port"]),
        };
        if port != Port::Terminal {
            command.stdin(Stdio::null());
        }
        let modules = self.kernel.modules();
        let fixed = [
            ("out", out, ""),
            ("root", &self.kernel.root, ",readonly=on"),
            ("modules", &modules, ",readonly=on"),
        ];
        let fixed = fixed.map(|(tag, path, mode)| (tag.to_owned(), path, mode));
        let shares = self.shares.iter().enumerate();
        let shares = shares.map(|(n, path)| (format!("share{n}"), path.as_path(), ",readonly=on"));
        for (tag, path, mode) in fixed.into_iter().chain(shares) {
            let path = quoted(path)?;
            command.arg("-fsdev");
            command.arg(format!("local,id={tag},path={path},security_model=none,multidevs=remap{mode}"));
            command.arg("-device").arg(format!("virtio-9p-{bus},fsdev={tag},mount_tag={tag}"));
        }
        Ok(command)
    }

    /// Waits until the machine ends, or returns why it must be stopped.
    fn watch(&self, qemu: &mut Child) -> Result<Option<String>> {
        let start = Instant::now();
        loop {
            if qemu.try_wait()?.is_some() {
                return Ok(None);
            }
            if start.elapsed() > self.limit.time {
                return Ok(Some(format!("no end within {} minutes", self.limit.time.as_secs() / 60)));
            }
            if work(qemu.id()).is_some_and(|work| work > self.limit.work) {
                let minutes = self.limit.work.as_secs() / 60;
                return Ok(Some(format!("no end within {minutes} minutes of processor time")));
            }
            if size(self.folder) + size(&self.folder.join("out")) > MOST_BYTES {
                return Ok(Some(format!("wrote more than {} MiB", MOST_BYTES >> 20)));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A path in the format of qemu's options.
fn quoted(path: &Path) -> Result<String> {
    let path = path.to_str().with_context(|| format!("{}: not UTF-8", path.display()))?;
    ensure!(
        !path.contains(char::is_whitespace),
        "{path}: qemu's shares can't have white space in their names"
    );
    Ok(path.replace(',', ",,"))
}

/// Processor time of a process.
fn work(process: u32) -> Option<Duration> {
    parse_work(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

fn parse_work(stat: &str) -> Option<Duration> {
    // The name is in parentheses and may have any character. Linux counts in hundredths of a second.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    Some(Duration::from_millis((times.next()?.ok()? + times.next()?.ok()?) * 10))
}

/// Total size of the files in a folder, in bytes.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum()
}

/// The last lines of a console.
fn tail(path: &Path) -> String {
    const BYTES: u64 = 16 << 10;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
        let mut bytes = Vec::new();
        file.take(BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    last_lines(&String::from_utf8_lossy(&read().unwrap_or_default()))
}

fn last_lines(text: &str) -> String {
    const LINES: usize = 20;
    let printable = |line: &str| line.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    let lines: Vec<_> = text.lines().map(printable).filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return "its console is empty".to_owned();
    }
    let (before, last) = lines.split_at(lines.len().saturating_sub(LINES));
    // The kernel prints the cause above its many lines of diagnostics.
    let cause = before.iter().rev().find(|line| line.contains("Kernel panic") || line.contains("BUG:"));
    cause.into_iter().chain(last).map(String::as_str).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_after_any_name() {
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 4 0";
        assert_eq!(parse_work(stat), Some(Duration::from_millis(1750)));
        assert_eq!(parse_work(""), None);
        assert!(work(std::process::id()).is_some());
    }

    #[test]
    fn the_end_of_a_console_is_short_and_plain() {
        let flood = "x".repeat(1000) + "\r\n";
        let text = last_lines(&(flood.repeat(100) + "\u{1b}[1mpanic\r\n\n"));
        assert_eq!(text.lines().count(), 20);
        assert!(text.lines().all(|line| line.len() <= 200));
        assert!(text.ends_with("[1mpanic"));
        assert_eq!(last_lines("\n"), "its console is empty");
        let text = last_lines(&("Kernel panic - not syncing\n".to_owned() + &"trace\n".repeat(50)));
        assert!(text.starts_with("Kernel panic - not syncing\ntrace\n"));
        assert_eq!(text.lines().count(), 21);
    }

    #[test]
    fn paths_can_not_add_options() {
        assert_eq!(quoted(Path::new("/a,readonly=off")).unwrap(), "/a,,readonly=off");
        assert!(quoted(Path::new("/a b")).is_err());
    }
}
