//! Fills the cache with kernels, and with the root file system that has the programs for comparisons.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::apt::{Apt, Suites};
use super::cache::{Cache, Filling};
use super::modules;
use super::pins::{self, Pin};
use super::tool::tool;
use crate::command::Scratch;
use crate::target::Architecture;

/// A kernel in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    pub(crate) series: String,
    pub(crate) architecture: Architecture,
    pub(crate) folder: PathBuf,
    /// Its root file system.
    pub(crate) root: PathBuf,
}

impl Kernel {
    /// Release and version, the name of its folder.
    pub(crate) fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The image to boot.
    pub(crate) fn image(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    /// The content of `/lib/modules/RELEASE`.
    pub(crate) fn modules(&self) -> PathBuf {
        self.folder.join("modules")
    }

    /// The uncompressed modules that are needed for the root file system, in loading order.
    pub(crate) fn boot_modules(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.folder.join("boot"))?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }
}

/// The modules for the root file system, and for the output port.
const BOOT_MODULES: [&str; 5] = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"];

/// Debian's release of the root file system, for the usual and for other architectures. It works with every kernel.
const ROOTS: [&str; 2] = ["trixie", "bookworm"];

/// The packages that every root file system needs.
const BASE: &[&str] = &[
    "base-files",
    "bash",
    "busybox-static",
    "coreutils",
    "dash",
    "findutils",
    "gawk",
    "grep",
    "libc-bin",
    "mount",
    "netbase",
    "procps",
    "sed",
    "util-linux",
];

/// Programs that tests compare with or communicate with.
const PEERS: &[&str] = &[
    "batctl",
    "bpftool",
    "can-utils",
    "conntrack",
    "e2fsprogs",
    "ebtables",
    "ethtool",
    "iproute2",
    "ipset",
    "iptables",
    "iputils-ping",
    "ipvsadm",
    "iw",
    "kcapi-tools",
    "keyutils",
    "kmod",
    "libcap2-bin",
    "libnl-utils",
    "libteam-utils",
    "mptcpize",
    "nbd-client",
    "nbd-server",
    "nfacct",
    "nfct",
    "nftables",
    "openvswitch-switch",
    "python3-minimal",
    "quota",
    "socat",
    "strace",
    "tcpdump",
    "wireguard-tools",
    "wpan-tools",
];

/// The requested content of the cache.
pub(crate) struct Prepared {
    pub(crate) kernels: Vec<Kernel>,
    /// Missing series, with reasons.
    pub(crate) missing: Vec<(String, String)>,
}

/// Makes sure that kernels and root file system are in the cache. A missing kernel is not an error, unless
/// all are missing.
pub(crate) fn prepare(cache: &Cache, pins: &[Pin], offline: bool, scratch: &Scratch) -> Result<Prepared> {
    if let Some(prepared) = complete(cache, pins) {
        return Ok(prepared);
    }
    if offline {
        return what_is_there(cache, pins);
    }
    let filling = cache.lock()?;
    let mut prepared = Prepared { kernels: Vec::new(), missing: Vec::new() };
    for architecture in Architecture::ALL {
        let pins: Vec<_> = pins.iter().filter(|pin| pin.architecture() == architecture).cloned().collect();
        if pins.is_empty() {
            continue;
        }
        let got = fetch(cache, &filling, architecture, &pins, scratch).or_else(|error| {
            // The archive can't be used, but the cache can.
            println!("{}: {error:#}", architecture.debian());
            let missing = |pin: &Pin| (pin.series.clone(), format!("{error:#}"));
            let nothing = Prepared { kernels: Vec::new(), missing: pins.iter().map(missing).collect() };
            anyhow::Ok(what_is_there(cache, &pins).unwrap_or(nothing))
        })?;
        prepared.kernels.extend(got.kernels);
        prepared.missing.extend(got.missing);
    }
    ensure!(
        !prepared.kernels.is_empty(),
        "no kernel could be fetched: {}",
        prepared.missing.first().map_or("", |(_, why)| why.as_str())
    );
    Ok(prepared)
}

/// The kernels of an architecture and their root file system.
fn fetch(
    cache: &Cache,
    filling: &Filling<'_>,
    architecture: Architecture,
    pins: &[Pin],
    scratch: &Scratch,
) -> Result<Prepared> {
    let apt = Apt::open(cache, &Suites::of(architecture), scratch)?;
    apt.update()?;
    fresh(&apt, || root(filling, &apt, architecture))?;
    let mut prepared = Prepared { kernels: Vec::new(), missing: Vec::new() };
    for pin in pins {
        match fresh(&apt, || kernel(cache, filling, &apt, pin)) {
            Ok(kernel) => prepared.kernels.push(kernel),
            Err(error) => {
                println!("kernel {}: {error:#}", pin.series);
                prepared.missing.push((pin.series.clone(), format!("{error:#}")));
            }
        }
    }
    Ok(prepared)
}

/// Tries again with new lists, because the archive may have changed since they were downloaded.
pub(super) fn fresh<T>(apt: &Apt<'_>, task: impl Fn() -> Result<T>) -> Result<T> {
    task().or_else(|error| {
        if !apt.forget() {
            return Err(error);
        }
        println!("{error:#}; once more with new lists");
        apt.update()?;
        task()
    })
}

/// All pinned kernels from the cache, without locks and without the archive.
fn complete(cache: &Cache, pins: &[Pin]) -> Option<Prepared> {
    let kernels = pins.iter().map(|pin| cached(cache, pin, &folder_name(&pin.release, &pin.version)));
    Some(Prepared { kernels: kernels.collect::<Option<_>>()?, missing: Vec::new() })
}

fn what_is_there(cache: &Cache, pins: &[Pin]) -> Result<Prepared> {
    let mut prepared = Prepared { kernels: Vec::new(), missing: Vec::new() };
    let names = cache.names("kernels");
    for pin in pins {
        let pinned = format!("{}_{}", pin.release, pin.version);
        let of_series = names.iter().filter(|name| {
            let release = name.split_once('_').map_or("", |(release, _)| release);
            pins::belongs(release, &pin.series) && !name.ends_with(modules::SUFFIX)
        });
        let best =
            of_series.max_by(|a, b| (**a == pinned).cmp(&(**b == pinned)).then_with(|| pins::compare(a, b)));
        match best.and_then(|name| cached(cache, pin, &format!("kernels/{name}"))) {
            Some(kernel) => prepared.kernels.push(kernel),
            None => prepared.missing.push((pin.series.clone(), "not fetched".to_owned())),
        }
    }
    ensure!(!prepared.kernels.is_empty(), "no kernel is there: cargo xtask vm prepare");
    Ok(prepared)
}

fn cached(cache: &Cache, pin: &Pin, name: &str) -> Option<Kernel> {
    let folder = cache.get(&format!("{name}{}", modules::SUFFIX)).or_else(|| cache.get(name))?;
    let architecture = pin.architecture();
    let root = cache.get(&root_name(architecture))?;
    Some(Kernel { series: pin.series.clone(), architecture, folder, root })
}

fn folder_name(release: &str, version: &str) -> String {
    format!("kernels/{release}_{version}")
}

/// The pinned kernel, or the newest of its series.
fn kernel(cache: &Cache, filling: &Filling<'_>, apt: &Apt<'_>, pin: &Pin) -> Result<Kernel> {
    if let Some(kernel) = cached(cache, pin, &folder_name(&pin.release, &pin.version)) {
        return Ok(kernel);
    }
    let (release, version) = available(apt, pin)?;
    let name = folder_name(&release, &version);
    filling.add(&name, |folder| unpack_kernel(filling, apt, &release, &version, folder))?;
    cached(cache, pin, &name).context("it was made")
}

/// Release and version of a series in the archive: the pinned ones, else the newest.
fn available(apt: &Apt<'_>, pin: &Pin) -> Result<(String, String)> {
    let image = |release: &str| format!("linux-image-{release}");
    let names = apt.names(&image(&format!("{}.", pin.numbers())))?;
    if names.contains(&image(&pin.release)) && apt.versions(&image(&pin.release))?.contains(&pin.version) {
        return Ok((pin.release.clone(), pin.version.clone()));
    }
    let releases = names.iter().filter_map(|name| name.strip_prefix("linux-image-"));
    let release = pins::newest(releases, &pin.series);
    let release = release.with_context(|| format!("the archive has no kernel {}", pin.series))?;
    let versions = apt.versions(&image(release))?;
    let version = versions.first().with_context(|| format!("the archive has no linux-image-{release}"))?;
    println!(
        "kernel {}: the pinned {} ({}) has left the archive; taking {release} ({version}) instead",
        pin.series, pin.release, pin.version
    );
    Ok((release.to_owned(), version.clone()))
}

fn unpack_kernel(
    filling: &Filling<'_>,
    apt: &Apt<'_>,
    release: &str,
    version: &str,
    folder: &Path,
) -> Result<()> {
    // Since about 6.19, the image's package is empty and the kernel is in several packages.
    let parts = ["linux-binary", "linux-modules", "linux-base"].map(|part| format!("{part}-{release}"));
    let packages = if apt.names(&parts[0])?.contains(&parts[0]) {
        parts.to_vec()
    } else {
        vec![format!("linux-image-{release}")]
    };
    let packages: Vec<_> = packages.iter().map(|package| format!("{package}={version}")).collect();
    let scratch = filling.scratch()?;
    apt.unpack(&packages, &scratch)?;

    let find = |places: [String; 2]| {
        let place = places.iter().map(|place| scratch.join(place)).find(|place| place.exists());
        place.with_context(|| format!("the packages of {release} bring no {}", places[0]))
    };
    let image = find([format!("boot/vmlinuz-{release}"), format!("usr/lib/modules/{release}/vmlinuz")])?;
    fs::copy(image, folder.join("vmlinuz"))?;
    let modules = find([format!("usr/lib/modules/{release}"), format!("lib/modules/{release}")])?;
    index(&scratch, &modules, release)?;
    fs::rename(&modules, folder.join("modules"))?;
    boot_modules(folder)
}

/// Makes the index files of `modprobe`.
pub(crate) fn index(base: &Path, modules: &Path, release: &str) -> Result<()> {
    // The folder that depmod searches, for every layout of the package.
    let expected = base.join("lib/modules").join(release);
    if !expected.exists() {
        fs::create_dir_all(base.join("lib"))?;
        symlink(modules.parent().context("modules have a folder")?, base.join("lib/modules"))?;
    }
    let status = tool("depmod")?.arg("-b").arg(base).arg(release).status()?;
    ensure!(status.success(), "depmod: {status}");
    Ok(())
}

/// Copies the boot modules.
fn boot_modules(folder: &Path) -> Result<()> {
    let modules = folder.join("modules");
    let dependencies = fs::read_to_string(modules.join("modules.dep"))?;
    fs::create_dir(folder.join("boot"))?;
    for (number, path) in order(&dependencies, &BOOT_MODULES).iter().enumerate() {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (name, unpacker) = match name.rsplit_once('.') {
            Some((name, "xz")) => (name, Some("xz")),
            Some((name, "zst")) => (name, Some("zstd")),
            Some((_, "ko")) => (name, None),
            _ => bail!("{path}: compressed in an unknown way"),
        };
        let (from, to) = (modules.join(path), folder.join(format!("boot/{number:02}-{name}")));
        match unpacker {
            Some(unpacker) => {
                let status = tool(unpacker)?.arg("-dc").arg(&from).stdout(File::create(&to)?).status()?;
                ensure!(status.success(), "{unpacker} -dc {}: {status}", from.display());
            }
            None => {
                fs::copy(from, to)?;
            }
        }
    }
    Ok(())
}

/// The files of modules and their dependencies, in loading order, from `modules.dep`. Modules that are not in
/// it are built in.
fn order<'a>(dependencies: &'a str, names: &[&str]) -> Vec<&'a str> {
    let mut order: Vec<&str> = Vec::new();
    for name in names {
        let line = dependencies.lines().filter_map(|line| line.split_once(':')).find(|(path, _)| {
            let file = path.rsplit('/').next().unwrap_or(path);
            file.split_once(".ko").is_some_and(|(stem, _)| stem.replace('-', "_") == *name)
        });
        let Some((path, needed)) = line else { continue };
        for path in needed.split_whitespace().rev().chain([path]) {
            if !order.contains(&path) {
                order.push(path);
            }
        }
    }
    order
}

/// The name depends on the list of packages, so that each list has its own root file system.
fn root_name(architecture: Architecture) -> String {
    let packages = [BASE, PEERS].concat().join(" ");
    // FNV-1a.
    let hash = packages.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let [usual, foreign] = ROOTS;
    match architecture {
        Architecture::Amd64 => format!("roots/{usual}-{hash:016x}"),
        other => format!("roots/{foreign}-{}-{hash:016x}", other.debian()),
    }
}

/// Folders that newer packages have only below `/usr`, with links to them.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// Restores the links that packages of an older release replaced by folders.
fn merge_again(folder: &Path) -> Result<()> {
    for name in MERGED {
        let (own, usual) = (folder.join(name), folder.join("usr").join(name));
        if !own.is_symlink() {
            let status = tool("cp")?.arg("-a").arg(own.join(".")).arg(&usual).status()?;
            ensure!(status.success(), "cp: {status}");
            fs::remove_dir_all(&own)?;
            symlink(format!("usr/{name}"), own)?;
        }
    }
    Ok(())
}

/// Links that newer packages need, because they install only into `/usr`; and a link for `awk`, which a
/// script of its package would make.
pub(crate) fn merged(folder: &Path) -> Result<()> {
    for name in MERGED {
        fs::create_dir_all(folder.join("usr").join(name))?;
        symlink(format!("usr/{name}"), folder.join(name))?;
    }
    Ok(symlink("gawk", folder.join("usr/bin/awk"))?)
}

fn root(filling: &Filling<'_>, apt: &Apt<'_>, architecture: Architecture) -> Result<PathBuf> {
    filling.add(&root_name(architecture), |folder| {
        merged(folder)?;
        // Some packages do not exist for each architecture.
        let known: BTreeSet<_> = apt.names("")?.into_iter().collect();
        let (peers, lacking): (Vec<_>, Vec<_>) = PEERS.iter().partition(|name| known.contains(**name));
        if !lacking.is_empty() {
            println!("Debian has no {} for {}", lacking.join(", "), architecture.debian());
        }
        apt.unpack_all(&[BASE, &peers].concat(), folder)?;
        merge_again(folder)?;
        for name in ["dev", "out", "proc", "root", "run", "sys", "tmp", "lib/modules", "etc"] {
            fs::create_dir_all(folder.join(name))?;
        }
        // Files that the scripts of the packages would make.
        let files = [
            ("passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"),
            ("group", "root:x:0:\nnogroup:x:65534:\n"),
            ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
            (
                "nsswitch.conf",
                "passwd: files\ngroup: files\nhosts: files\nprotocols: files\nservices: files\n",
            ),
            ("mtab", ""),
        ];
        for (name, content) in files {
            fs::write(folder.join("etc").join(name), content)?;
        }
        for (name, target) in [("iptables", "xtables-nft-multi"), ("ip6tables", "xtables-nft-multi")] {
            let path = folder.join("usr/sbin").join(name);
            if !path.exists() {
                symlink(target, path)?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_loaded_after_what_they_need() {
        let dependencies = "kernel/net/9p/9pnet.ko: kernel/fs/netfs.ko\n\
            kernel/net/9p/9pnet_virtio.ko.xz: kernel/net/9p/9pnet.ko kernel/virtio-ring.ko kernel/virtio.ko\n\
            kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs.ko\nkernel/virtio-ring.ko:\n";
        assert_eq!(order(dependencies, &["virtio_ring"]), ["kernel/virtio-ring.ko"]);
        assert_eq!(
            order(dependencies, &["overlay", "9pnet_virtio", "9p"]),
            [
                "kernel/virtio.ko",
                "kernel/virtio-ring.ko",
                "kernel/net/9p/9pnet.ko",
                "kernel/net/9p/9pnet_virtio.ko.xz",
                "kernel/fs/netfs.ko",
                "kernel/fs/9p/9p.ko",
            ]
        );
    }
}
