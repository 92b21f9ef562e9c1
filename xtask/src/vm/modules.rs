//! Kernel modules that Debian lacks, built with its headers.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::apt::{Apt, Suites};
use super::cache::{Cache, Filling};
use super::prepare::{Kernel, index, merged};
use super::tool::tool;
use crate::command::{self, Scratch};
use crate::target::Architecture;

/// Suffix of a kernel's folder: a copy with more modules.
pub(crate) const SUFFIX: &str = "+modules";

/// Tools to build modules. The headers come with programs that need these libraries.
const TOOLS: &[&str] = &[
    "bash",
    "binutils",
    "coreutils",
    "dash",
    "findutils",
    "gawk",
    "gcc-12",
    "gcc-14",
    "grep",
    "libelf1t64",
    "libssl3t64",
    "make",
    "perl-base",
    "sed",
    "zlib1g",
];

/// The sources of the script; some versions lack some.
const SOURCES: [&str; 14] = [
    "drivers/infiniband/sw/siw",
    "drivers/net/amt.c",
    "drivers/net/bareudp.c",
    "drivers/net/ethernet/qualcomm/rmnet",
    "drivers/net/netdevsim",
    "drivers/net/pfcp.c",
    "drivers/net/wwan",
    "drivers/ptp",
    "drivers/vdpa",
    "drivers/vhost",
    "net/hsr",
    "net/netfilter",
    "net/xdp",
    "net/xfrm",
];

/// Building the modules of a kernel takes minutes.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Makes copies of kernels with more modules. Existing copies are not changed.
pub(crate) fn build(cache: &Cache, kernels: &[&Kernel], scratch: &Scratch) -> Result<()> {
    let filling = cache.lock()?;
    for kernel in kernels {
        let name = kernel.name();
        if name.ends_with(SUFFIX) {
            continue;
        }
        let apt = Apt::open(cache, &Suites::of(Architecture::Amd64), scratch)?;
        apt.update()?;
        filling.add(&format!("kernels/{name}{SUFFIX}"), |folder| {
            add_modules(kernel, &filling, &apt, scratch, folder)
        })?;
    }
    Ok(())
}

fn add_modules(
    kernel: &Kernel,
    filling: &Filling<'_>,
    apt: &Apt<'_>,
    scratch: &Scratch,
    folder: &Path,
) -> Result<()> {
    let name = kernel.name();
    let (release, version) = name.split_once('_').context("a release and a version")?;
    let (series, abi) = (&kernel.series, release.trim_end_matches("-amd64"));
    let root = filling.scratch()?;
    merged(&root)?;
    apt.unpack_all(TOOLS, &root)?;
    // Older kernels have one set of build programs per series.
    let programs = [format!("linux-kbuild-{abi}"), format!("linux-kbuild-{series}")];
    let known = apt.names("linux-kbuild-")?;
    let programs = programs.iter().find(|name| known.contains(name)).context("no linux-kbuild")?;
    let packages = [
        format!("linux-headers-{release}"),
        format!("linux-headers-{abi}-common"),
        programs.clone(),
        format!("linux-source-{series}"),
    ];
    let packages = packages.map(|package| format!("{package}={version}"));
    apt.unpack(&packages, &root)?;

    let source = format!("linux-source-{series}");
    let mut tar = tool("tar")?;
    tar.arg("-xJf").arg(root.join(format!("usr/src/{source}.tar.xz"))).arg("-C").arg(root.join("usr/src"));
    tar.args(SOURCES.map(|path| format!("{source}/{path}")));
    // It also fails if a version lacks a source; the script reports what is missing.
    tar.stderr(Stdio::null()).status()?;

    let compiler = if release.contains("+deb13") { "gcc-14" } else { "gcc-12" };
    fs::write(root.join("build.sh"), include_str!("modules.sh"))?;
    println!("building modules for {release}: this takes minutes");
    let arguments = [release, &format!("/usr/src/{source}"), compiler];
    let ended = command::run(&mut inside(&root, &arguments)?, scratch, LIMIT)?;
    print!("{}", ended.output);
    ensure!(ended.is_success(), "building modules: {}", ended.why());

    let built = fs::read_dir(root.join("modules"))?.collect::<std::io::Result<Vec<_>>>()?;
    ensure!(!built.is_empty(), "none of the modules could be built");

    // Links to the same files, because neither copy ever changes.
    let status = tool("cp")?.arg("-al").arg(kernel.folder.join(".")).arg(folder).status()?;
    ensure!(status.success(), "cp: {status}");
    let updates = folder.join("modules/updates");
    fs::create_dir(&updates)?;
    for module in built {
        fs::copy(module.path(), updates.join(module.file_name()))?;
    }
    // depmod replaces its files, so those of the other copy do not change.
    let base = root.join("index");
    fs::create_dir_all(base.join("lib/modules"))?;
    symlink(folder.join("modules"), base.join("lib/modules").join(release))?;
    index(&base, &folder.join("modules"), release)
}

/// Runs the script in its own root directory, as root or as root of a user namespace.
fn inside(root: &Path, arguments: &[&str]) -> Result<Command> {
    const SCRIPT: &str = "mount --rbind /dev \"$0/dev\" && mount --rbind /proc \"$0/proc\" && \
         exec chroot \"$0\" /bin/sh /build.sh \"$@\"";
    for name in ["dev", "proc", "tmp"] {
        fs::create_dir_all(root.join(name))?;
    }
    let mut command = tool("unshare")?;
    command.arg("--mount");
    if !nix::unistd::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["sh", "-c", SCRIPT]).arg(root).args(arguments);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
    Ok(command)
}
