//! Warnings of disk quotas, on a file system in a file.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use netlink_core::testkit::Recorder;
use netlink_generic::quota::{self, Event, Kind, Quota, QuotaType};
use netlink_generic::{Events, Namespace, Notice, OpenOptions};
use netlink_testing::{Need, Result, machine, module, program, suite, when};

use crate::golden::quota::{read, tell};
use crate::{keep, output};

/// The folder of the file system.
const FOLDER: &str = "/tmp/quota";
const IMAGE: &str = "/tmp/quota.img";

/// The user and group that write.
const USER: u64 = 4711;
const GROUP: u64 = 4712;
const PROJECT: u64 = 4713;

const INITIAL: Need = when("the initial network namespace has no VFS_DQUOT", || subscribe().is_ok());

suite! {
    the_family_is_in_the_initial_namespace_only: INITIAL;
    room_is_warned_of: machine(), INITIAL, module("loop"), module("ext4"), module("quota_v2"), program("mke2fs"), program("setquota"), program("setpriv");
    files_are_warned_of: machine(), INITIAL, module("loop"), module("ext4"), module("quota_v2"), program("mke2fs"), program("setquota"), program("setpriv");
    groups_and_projects_are_warned_of: machine(), INITIAL, module("loop"), module("ext4"), module("quota_v2"), program("mke2fs"), program("setquota"), program("setpriv"), program("chattr");
    warnings_on_a_reactor: machine(), INITIAL, module("loop"), module("ext4"), module("quota_v2"), program("mke2fs"), program("setquota"), program("setpriv");
}

/// In the initial network namespace, where the first thread is.
fn subscribe() -> Result<Events<Event<'static>>, netlink_generic::Error> {
    let initial = Namespace::open_path("/proc/self/ns/net")?;
    let mut events = quota::subscribe_with(&[Quota::EVENTS], &OpenOptions::new().namespace(&initial))?;
    events.set_timeout(Some(Duration::from_secs(50)))?;
    Ok(events)
}

fn the_family_is_in_the_initial_namespace_only() -> Result {
    assert!(quota::connect().unwrap_err().is_not_found());
    assert!(quota::subscribe(&[Quota::EVENTS]).unwrap_err().is_not_found());
    let mut events = subscribe()?;
    assert_eq!(events.socket().memberships()?.len(), 1);
    events.set_timeout(Some(Duration::from_millis(100)))?;
    assert!(matches!(events.next(), Err(netlink_generic::Error::Timeout(_))));
    Ok(())
}

/// A mounted file system with quotas, and its writer.
struct Disk {
    /// From the kernel's `mountinfo`.
    device: (u32, u32),
}

impl Disk {
    fn mount() -> Result<Self> {
        fs::create_dir_all(FOLDER)?;
        File::create(IMAGE)?.set_len(32 << 20)?;
        output("mke2fs", &["-q", "-F", "-t", "ext4", "-O", "quota,project", "-E", QUOTA_TYPES, IMAGE])?;
        output("mount", &["-o", "loop,usrquota,grpquota,prjquota", IMAGE, FOLDER])?;
        fs::set_permissions(FOLDER, fs::Permissions::from_mode(0o777))?;
        let mounts = fs::read_to_string("/proc/thread-self/mountinfo")?;
        let line = mounts.lines().find(|line| line.contains(&format!(" {FOLDER} "))).ok_or("not mounted")?;
        let device = line.split(' ').nth(2).and_then(|device| device.split_once(':')).ok_or("no device")?;
        Ok(Self { device: (device.0.parse()?, device.1.parse()?) })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = output("umount", &[FOLDER]);
        let _ = fs::remove_file(IMAGE);
    }
}

const QUOTA_TYPES: &str = "quotatype=usrquota:grpquota:prjquota";

/// Limits of space in KiB, soft and hard, and of files; 0 is none.
fn limit(who: &str, id: u64, limits: [u32; 4]) -> Result {
    let limits = limits.map(|limit| limit.to_string());
    let id = id.to_string();
    let limits = limits.iter().map(String::as_str);
    let arguments: Vec<&str> = [who, &id].into_iter().chain(limits).chain([FOLDER]).collect();
    output("setquota", &arguments).map(drop)
}

/// Grace times in seconds, of space and of files.
fn grace(seconds: u32) -> Result {
    let seconds = seconds.to_string();
    output("setquota", &["-t", &seconds, &seconds, FOLDER]).map(drop)
}

/// Runs a program as the user; returns whether it succeeded.
fn as_user(program: &[&str]) -> Result<bool> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &USER.to_string(), "--regid", &GROUP.to_string(), "--clear-groups"]);
    Ok(command.args(program).current_dir(FOLDER).output()?.status.success())
}

/// Writes this many KiB; returns whether there was space for all.
fn write(name: &str, kilobytes: u32) -> Result<bool> {
    let (of, count) = (format!("of={name}"), format!("count={kilobytes}"));
    let done = as_user(&["dd", "if=/dev/zero", &of, "bs=1k", &count, "conv=fsync", "status=none"])?;
    output("sync", &["-f", FOLDER])?;
    Ok(done)
}

fn touch(name: &str) -> Result<bool> {
    as_user(&["sh", "-c", &format!(": >{name}")])
}

fn remove(name: &str) -> Result {
    assert!(as_user(&["rm", name])?);
    output("sync", &["-f", FOLDER]).map(drop)
}

/// The next warning, about this user's or group's limit on this disk.
fn warned(events: &mut Events<Event<'static>>, disk: &Disk, whose: QuotaType, id: u64) -> Result<Kind> {
    let Notice::Event { event: Event::Warning(warning), .. } = events.next()? else {
        return Err("no warning".into());
    };
    assert_eq!((warning.quota_type(), warning.excess_id()), (Some(whose), Some(id)));
    assert_eq!(warning.caused_id(), Some(USER));
    assert_eq!((warning.dev_major(), warning.dev_minor()), (Some(disk.device.0), Some(disk.device.1)));
    assert_eq!(warning.unknown().count(), 0);
    let kind = warning.kind().ok_or("no kind")?;
    let (major, minor) = disk.device;
    assert_eq!(warning.to_string(), format!("{whose} {id} on {major}:{minor}: {kind}"));
    Ok(kind)
}

/// No more warnings: the kernel sends them before the system call returns.
fn nothing_else(events: &mut Events<Event<'static>>) -> Result {
    events.set_timeout(Some(Duration::from_millis(100)))?;
    let next = events.next();
    assert!(matches!(next, Err(netlink_generic::Error::Timeout(_))), "{next:?}");
    Ok(events.set_timeout(Some(Duration::from_secs(50)))?)
}

fn room_is_warned_of() -> Result {
    let disk = Disk::mount()?;
    let mut events = subscribe()?;
    limit("-u", USER, [100, 200, 0, 0])?;
    assert!(write("small", 50)?);
    nothing_else(&mut events)?;
    let mut next = || warned(&mut events, &disk, QuotaType::USER, USER);
    assert!(write("medium", 100)?);
    assert_eq!(next()?, Kind::BLOCK_SOFT);
    assert!(!write("large", 100)?);
    assert_eq!(next()?, Kind::BLOCK_HARD);
    remove("small")?;
    assert_eq!(next()?, Kind::BLOCK_HARD_BELOW);
    remove("medium")?;
    assert_eq!(next()?, Kind::BLOCK_SOFT_BELOW);
    // The last file of a user without a limit of files: not above the limit of none.
    remove("large")?;
    assert_eq!(next()?, Kind::INODE_SOFT_BELOW);
    nothing_else(&mut events)?;

    grace(1)?;
    let mut next = || warned(&mut events, &disk, QuotaType::USER, USER);
    assert!(write("medium", 150)?);
    assert_eq!(next()?, Kind::BLOCK_SOFT);
    while write("more", 1)? {
        remove("more")?;
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(next()?, Kind::BLOCK_SOFT_EXPIRED);
    Ok(())
}

fn files_are_warned_of() -> Result {
    let disk = Disk::mount()?;
    let mut events = subscribe()?;
    let recorder = Recorder::new();
    events.set_tracer(Some(recorder.tracer()));
    limit("-u", USER, [0, 0, 3, 5])?;
    for name in ["a", "b", "c"] {
        assert!(touch(name)?);
    }
    nothing_else(&mut events)?;
    let mut next = || warned(&mut events, &disk, QuotaType::USER, USER);
    assert!(touch("d")? && touch("e")?);
    assert_eq!(next()?, Kind::INODE_SOFT);
    assert!(!touch("f")?);
    assert_eq!(next()?, Kind::INODE_HARD);
    remove("e")?;
    assert_eq!(next()?, Kind::INODE_HARD_BELOW);
    remove("d")?;
    assert_eq!(next()?, Kind::INODE_SOFT_BELOW);

    limit("-u", USER, [0, 0, 3, 0])?;
    grace(1)?;
    assert!(touch("d")?);
    assert_eq!(next()?, Kind::INODE_SOFT);
    while touch("e")? {
        remove("e")?;
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(next()?, Kind::INODE_SOFT_EXPIRED);
    let recorded = recorder.recording().to_text();
    keep("quota/files", &recorded, &tell("files", &recorded)?, read)?;
    nothing_else(&mut events)
}

fn groups_and_projects_are_warned_of() -> Result {
    let disk = Disk::mount()?;
    let mut events = subscribe()?;
    let project = Path::new(FOLDER).join("project");
    fs::create_dir(&project)?;
    fs::set_permissions(&project, fs::Permissions::from_mode(0o777))?;
    output("chattr", &["-p", &PROJECT.to_string(), "+P", project.to_str().ok_or("a path")?])?;
    limit("-P", PROJECT, [50, 0, 0, 0])?;
    assert!(write("project/file", 100)?);
    assert_eq!(warned(&mut events, &disk, QuotaType::PROJECT, PROJECT)?, Kind::BLOCK_SOFT);
    limit("-g", GROUP, [150, 0, 0, 0])?;
    assert!(write("file", 100)?);
    assert_eq!(warned(&mut events, &disk, QuotaType::GROUP, GROUP)?, Kind::BLOCK_SOFT);
    remove("file")?;
    assert_eq!(warned(&mut events, &disk, QuotaType::GROUP, GROUP)?, Kind::BLOCK_SOFT_BELOW);
    nothing_else(&mut events)
}

fn warnings_on_a_reactor() -> Result {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let _disk = Disk::mount()?;
        let mut events = quota::tokio::subscribe(&[Quota::EVENTS]).await?;
        limit("-u", USER, [100, 0, 0, 0])?;
        assert!(write("file", 150)?);
        let Notice::Event { event: Event::Warning(warning), .. } = events.next().await? else {
            return Err("no warning".into());
        };
        assert_eq!(warning.kind(), Some(Kind::BLOCK_SOFT));
        Ok(())
    })
}
