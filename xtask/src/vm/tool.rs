//! Required programs of the machine.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

/// Programs, and the Debian packages that contain them.
const PACKAGES: [(&str, &str); 12] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("qemu-system-s390x", "qemu-system-misc"),
    ("s390x-linux-gnu-gcc", "gcc-s390x-linux-gnu"),
    ("i686-linux-gnu-gcc", "gcc-i686-linux-gnu"),
    ("apt-get", "apt"),
    ("apt-cache", "apt"),
    ("dpkg-deb", "dpkg"),
    ("depmod", "kmod"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
];

/// A command that runs a program. If it is missing, the error names the package.
pub(crate) fn tool(name: &str) -> Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // On Debian, the path of ordinary users lacks the sbin folders.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    for program in folders.map(|folder| folder.join(name)) {
        if program.is_file() {
            return Ok(Command::new(program));
        }
    }
    let package = PACKAGES.iter().find(|(program, _)| *program == name).map_or(name, |(_, package)| package);
    bail!("no program {name} on this machine: apt-get install {package}")
}
