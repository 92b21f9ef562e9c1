//! Conditions of tests.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::run::{self, User};
use crate::sys;

/// One condition of a test. If it is not met, the test is skipped with the reason.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Need {
    /// See [`kind`].
    Kind(&'static str),
    /// See [`kernel`].
    Kernel(u32, u32),
    /// See [`program`].
    Program(&'static str),
    /// See [`file()`].
    File(&'static str),
    /// See [`module()`].
    Module(&'static str),
    /// See [`generic`].
    Generic(&'static str),
    /// See [`when`].
    When(&'static str, fn() -> bool),
    /// See [`init_namespace`].
    InitNamespace,
    /// See [`machine`].
    Machine,
    /// See [`ipv6`].
    Ipv6,
    /// See [`seconds`].
    Seconds(u64),
}

/// A kind of link that the kernel has or can load. Not for `tun`, which rtnetlink never makes: use
/// `file("/dev/net/tun")`.
pub const fn kind(name: &'static str) -> Need {
    Need::Kind(name)
}

/// This kernel version or a later one.
pub const fn kernel(major: u32, minor: u32) -> Need {
    Need::Kernel(major, minor)
}

/// A program on the `PATH`, to which the harness adds the `sbin` directories.
pub const fn program(name: &'static str) -> Need {
    Need::Program(name)
}

/// A file or directory, such as a sysctl below `/proc/sys/net`.
pub const fn file(path: &'static str) -> Need {
    Need::File(path)
}

/// A kernel module that is loaded, built in, or loadable with `modprobe`.
pub const fn module(name: &'static str) -> Need {
    Need::Module(name)
}

/// A generic netlink family in the test's namespace. If a [`module()`] provides the family, name the module first.
pub const fn generic(name: &'static str) -> Need {
    Need::Generic(name)
}

/// Any other condition: the reason for the skip, and a function that returns whether the test can run. It is
/// called in its own namespace.
pub const fn when(reason: &'static str, possible: fn() -> bool) -> Need {
    Need::When(reason, possible)
}

/// Root of the initial user namespace, for operations that the kernel allows to no other root. The test still
/// has its own network namespace.
pub const fn init_namespace() -> Need {
    Need::InitNamespace
}

/// Exclusive use of the machine: the test runs in the initial namespaces while no other test runs, and may
/// change global state. It runs only in a virtual machine for tests, where `NETLINK_TEST_MACHINE` is set.
pub const fn machine() -> Need {
    Need::Machine
}

/// IPv6 is built into the kernel and not disabled.
pub const fn ipv6() -> Need {
    Need::Ipv6
}

/// A longer time limit than the usual minute.
pub const fn seconds(limit: u64) -> Need {
    Need::Seconds(limit)
}

impl Need {
    /// Why the condition is not met.
    pub(crate) fn missing(self, user: &User) -> Option<String> {
        match self {
            Self::Kind(name) if !kind_exists(name) => Some(format!("the kernel has no {name} links")),
            Self::Kernel(major, minor) if running_kernel() < (major, minor) => {
                let (has_major, has_minor) = running_kernel();
                Some(format!("needs Linux {major}.{minor}, this is {has_major}.{has_minor}"))
            }
            Self::Program(name) if !on_path(name) => Some(format!("no program {name} on the PATH")),
            Self::File(path) if !Path::new(path).exists() => Some(format!("no {path}")),
            Self::Module(name) if !module_exists(name) => Some(format!("no kernel module {name}")),
            Self::Generic(name) if !generic_exists(name) => {
                Some(format!("the kernel has no generic family {name}"))
            }
            Self::When(reason, possible) if !tried(reason, possible) => Some(reason.to_owned()),
            Self::Machine if std::env::var_os("NETLINK_TEST_MACHINE").is_none() => {
                Some("needs a machine to itself: cargo xtask vm".to_owned())
            }
            Self::InitNamespace if !user.is_initial_root() => {
                Some("needs root of the initial user namespace".to_owned())
            }
            Self::Ipv6 if std::net::UdpSocket::bind("[::]:0").is_err() => Some("no IPv6".to_owned()),
            _ => None,
        }
    }
}

/// The time limit of a test with these needs.
pub(crate) fn limit(needs: &[Need]) -> Duration {
    let seconds = needs.iter().find_map(|need| match need {
        Need::Seconds(seconds) => Some(*seconds),
        _ => None,
    });
    Duration::from_secs(seconds.unwrap_or(60).saturating_mul(patience().into()))
}

/// `NETLINK_TEST_PATIENCE`, at least 1. A test that repeats an operation many times may divide the number of
/// repetitions by it.
pub fn patience() -> u32 {
    let patience = std::env::var("NETLINK_TEST_PATIENCE").ok().and_then(|text| text.parse().ok());
    patience.unwrap_or(1).max(1)
}

/// Whether the kernel has this version or a later one.
pub fn is_since(major: u32, minor: u32) -> bool {
    running_kernel() >= (major, minor)
}

fn running_kernel() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn kind_exists(name: &'static str) -> bool {
    // Another errno comes from the kind, which needs more than a name.
    const EOPNOTSUPP: i32 = 95;
    tried(&format!("link {name}"), move || {
        sys::netlink_errno(0, &new_link(name)).is_ok_and(|errno| errno != EOPNOTSUPP)
    })
}

fn generic_exists(name: &'static str) -> bool {
    const NETLINK_GENERIC: i32 = 16;
    const ENOENT: i32 = 2;
    tried(&format!("generic {name}"), move || {
        sys::netlink_errno(NETLINK_GENERIC, &get_family(name)).is_ok_and(|errno| errno != ENOENT)
    })
}

fn module_exists(name: &'static str) -> bool {
    static PROBED: Mutex<Option<HashMap<&'static str, bool>>> = Mutex::new(None);
    if Path::new("/sys/module").join(name.replace('-', "_")).exists() {
        return true;
    }
    let mut probed = PROBED.lock().unwrap_or_else(PoisonError::into_inner);
    *probed.get_or_insert_default().entry(name).or_insert_with(|| {
        let mut modprobe = Command::new("modprobe");
        modprobe.args(["-q", name]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        modprobe.status().is_ok_and(|status| status.success())
    })
}

/// The result of a probe in its own namespace; each probe runs once.
fn tried(name: &str, probe: impl FnOnce() -> bool + Send + 'static) -> bool {
    static KNOWN: Mutex<Option<HashMap<String, bool>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.get_or_insert_default().entry(name.to_owned()).or_insert_with(|| {
        let probe = std::thread::spawn(move || run::isolate().is_ok() && probe());
        probe.join().unwrap_or(false)
    })
}

/// `RTM_NEWLINK` with nothing but `IFLA_LINKINFO { IFLA_INFO_KIND }`.
fn new_link(kind: &str) -> Vec<u8> {
    const RTM_NEWLINK: u16 = 16;
    const IFLA_LINKINFO: u16 = 18;
    const IFLA_INFO_KIND: u16 = 1;
    const FLAGS: u16 = 0x1 | 0x4 | 0x200 | 0x400;
    let info = attribute(IFLA_LINKINFO, &attribute(IFLA_INFO_KIND, kind.as_bytes()));
    message(RTM_NEWLINK, FLAGS, &[0; 16], &info)
}

/// `CTRL_CMD_GETFAMILY` by name, which loads the module of the family.
fn get_family(name: &str) -> Vec<u8> {
    const GENL_ID_CTRL: u16 = 16;
    const CTRL_CMD_GETFAMILY: u8 = 3;
    const CTRL_ATTR_FAMILY_NAME: u16 = 2;
    let name = attribute(CTRL_ATTR_FAMILY_NAME, &[name.as_bytes(), b"\0"].concat());
    message(GENL_ID_CTRL, 0x1 | 0x4, &[CTRL_CMD_GETFAMILY, 1, 0, 0], &name)
}

fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 4).unwrap_or(u16::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(number.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(kind: u16, flags: u16, header: &[u8], attributes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + header.len() + attributes.len()).unwrap_or(u32::MAX);
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.resize(16, 0);
    message.extend(header);
    message.extend(attributes);
    message
}
