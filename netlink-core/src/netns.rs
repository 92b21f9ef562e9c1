//! Network namespaces: opening, making, entering. Man pages network_namespaces(7), setns(2), ip-netns(8).
//!
//! A thread is in one network namespace, and a socket stays in the one it was made in. Nothing here moves the
//! calling thread, but for [`Namespace::enter`]: work in another namespace is done by a thread that lives for
//! it. Nothing forks.

#![allow(unsafe_code)]

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use crate::error::{Errno, Error};

type Result<T> = std::result::Result<T, Error>;

/// Where `ip netns` keeps its names.
pub const NAMED: &str = "/run/netns";

/// An open network namespace. It lives as long as somebody has it open, is in it, or has it mounted.
#[derive(Debug)]
pub struct Namespace(OwnedFd);

impl Namespace {
    /// The one the calling thread is in.
    pub fn current() -> Result<Self> {
        Self::open_path("/proc/thread-self/ns/net")
    }

    /// One that `ip netns add` or [`create`](Self::create) made; `is_not_found` if there is none.
    pub fn open(name: impl AsRef<OsStr>) -> Result<Self> {
        Self::open_path(named(name.as_ref())?)
    }

    /// The one behind a file, such as `/proc/1/ns/net`. Any other file is [`Errno::EINVAL`].
    pub fn open_path(path: impl AsRef<Path>) -> Result<Self> {
        // A FIFO would wait for its writer.
        let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path);
        let file = file.map_err(|error| Error::io("open", &error).at(&path))?;
        if is_network(&file) {
            return Ok(Self(file.into()));
        }
        Err(Error::system("open as a network namespace", Errno::EINVAL).at(&path))
    }

    /// The one a process is in.
    pub fn of_process(pid: u32) -> Result<Self> {
        Self::open_path(format!("/proc/{pid}/ns/net"))
    }

    /// A new one without a name, with nothing but a loopback link that is down. It takes `CAP_SYS_ADMIN`.
    pub fn anonymous() -> Result<Self> {
        on_thread(|| {
            unshare()?;
            Self::current()
        })?
    }

    /// A new one with a name, as `ip netns add` makes it; `is_exists` if the name is taken.
    pub fn create(name: impl AsRef<OsStr>) -> Result<Self> {
        let path = named(name.as_ref())?;
        make_shared()?;
        let options = fs::OpenOptions::new().write(true).create_new(true).open(&path);
        options.map_err(|error| Error::io("create", &error).at(&path))?;
        let made = Self::anonymous().and_then(|namespace| {
            // The name keeps the namespace alive: it is a mount of it.
            let source = format!("/proc/self/fd/{}", namespace.0.as_raw_fd());
            mount(&source, &path, libc::MS_BIND)?;
            Ok(namespace)
        });
        if made.is_err() {
            // Nothing else refers to the empty file; if it can't go, the error to report is the first.
            let _ = fs::remove_file(&path);
        }
        made
    }

    /// Takes away a name. The namespace itself ends when nobody uses it any more. A name that is a link to a file
    /// elsewhere is removed itself; that file stays.
    pub fn delete(name: impl AsRef<OsStr>) -> Result<()> {
        let path = named(name.as_ref())?;
        let target = c_path(&path)?;
        // SAFETY: the pointer is to a string with a NUL at its end.
        let done = unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH | libc::UMOUNT_NOFOLLOW) };
        if done < 0 {
            let error = Error::last("umount").at(&path);
            // Nothing is mounted there: a leftover, or a link.
            if error.errno() != Some(Errno::EINVAL) {
                return Err(error);
            }
        }
        fs::remove_file(&path).map_err(|error| Error::io("remove", &error).at(&path))
    }

    /// The names there are, sorted.
    pub fn names() -> Result<Vec<OsString>> {
        listed().map(|(names, _)| names)
    }

    /// The names that lead to no network namespace, sorted: a crash or a reboot left them behind. They keep
    /// [`create`](Self::create) from making one of that name; [`delete`](Self::delete) takes them away.
    pub fn leftovers() -> Result<Vec<OsString>> {
        listed().map(|(_, leftovers)| leftovers)
    }

    /// Runs a closure on a thread inside the namespace and waits for its result. A panic goes on in the
    /// caller.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        on_thread(|| {
            self.enter()?;
            Ok(work())
        })?
    }

    /// Moves the calling thread into the namespace, for good; other threads stay. It takes `CAP_SYS_ADMIN`
    /// in both.
    pub fn enter(&self) -> Result<()> {
        // SAFETY: no pointers.
        let done = unsafe { libc::setns(self.0.as_raw_fd(), libc::CLONE_NEWNET) };
        if done < 0 { Err(Error::last("setns(CLONE_NEWNET)")) } else { Ok(()) }
    }

    /// Whether both are the same namespace.
    pub fn is_same(&self, other: &Self) -> Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let id = |namespace: &Self| -> Result<(u64, u64)> {
            let copy = namespace.0.try_clone().map_err(|error| Error::io("dup", &error))?;
            let meta = File::from(copy).metadata().map_err(|error| Error::io("fstat", &error))?;
            Ok((meta.dev(), meta.ino()))
        };
        Ok(id(self)? == id(other)?)
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Namespace {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl From<OwnedFd> for Namespace {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Namespace> for OwnedFd {
    fn from(namespace: Namespace) -> Self {
        namespace.0
    }
}

/// A thread that lives for one piece of work.
fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("netns".into())
            .spawn_scoped(scope, work)
            .map_err(|error| Error::io("start a thread", &error))?;
        worker.join().or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Moves the calling thread into a new namespace.
fn unshare() -> Result<()> {
    // SAFETY: no pointers.
    let done = unsafe { libc::unshare(libc::CLONE_NEWNET) };
    if done < 0 { Err(Error::last("unshare(CLONE_NEWNET)")) } else { Ok(()) }
}

/// Whether an open file is a network namespace. `NS_GET_NSTYPE`, Linux 4.11.
fn is_network(file: &File) -> bool {
    // To a device the number may mean another thing.
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return false;
    }
    // SAFETY: this request takes no argument, and other files don't know it.
    let kind = unsafe { libc::ioctl(file.as_raw_fd(), libc::NS_GET_NSTYPE) };
    kind == libc::CLONE_NEWNET
}

/// The names of namespaces, and those of nothing.
fn listed() -> Result<(Vec<OsString>, Vec<OsString>)> {
    let entries = match fs::read_dir(NAMED) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
        entries => entries.map_err(|error| Error::io("list", &error).at(NAMED))?,
    };
    let (mut names, mut leftovers) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", &error).at(NAMED))?;
        match Namespace::open_path(entry.path()).map_err(|error| error.errno()) {
            Ok(_) => names.push(entry.file_name()),
            // A plain file, a link to nothing, or a file that is closed to us, which no namespace is.
            Err(Some(Errno::EINVAL | Errno::ENOENT | Errno::ELOOP | Errno::EACCES)) => {
                leftovers.push(entry.file_name());
            }
            Err(errno) => return Err(Error::system("open", errno.unwrap_or(Errno::EIO)).at(entry.path())),
        }
    }
    names.sort();
    leftovers.sort();
    Ok((names, leftovers))
}

/// The file of a name, which must be one path component.
fn named(name: &OsStr) -> Result<PathBuf> {
    let bytes = name.as_bytes();
    let wrong = matches!(bytes, b"" | b"." | b"..") || bytes.contains(&b'/') || bytes.contains(&0);
    if wrong || bytes.len() > 255 {
        return Err(Error::system("the name of a network namespace", Errno::EINVAL).at(name));
    }
    Ok(Path::new(NAMED).join(name))
}

fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::system("a path with a NUL", Errno::EINVAL).at(path))
}

/// Makes the directory of names, and new mounts in it visible in every mount namespace that has it.
fn make_shared() -> Result<()> {
    fs::create_dir_all(NAMED).map_err(|error| Error::io("create", &error).at(NAMED))?;
    let directory = Path::new(NAMED);
    // Two at once would mount it twice, and each name behind it. `ip netns` holds the same lock.
    let held = File::open(directory).map_err(|error| Error::io("open", &error).at(directory))?;
    loop {
        // SAFETY: no pointers.
        if unsafe { libc::flock(held.as_raw_fd(), libc::LOCK_EX) } == 0 {
            break;
        }
        let error = Error::last("flock").at(directory);
        if error.errno() != Some(Errno::EINTR) {
            return Err(error);
        }
    }
    match mount("", directory, libc::MS_SHARED | libc::MS_REC) {
        // Not a mount point yet.
        Err(error) if error.errno() == Some(Errno::EINVAL) => {
            mount(NAMED, directory, libc::MS_BIND | libc::MS_REC)?;
            mount("", directory, libc::MS_SHARED | libc::MS_REC)
        }
        result => result,
    }
}

fn mount(source: &str, target: &Path, flags: libc::c_ulong) -> Result<()> {
    let source = c_path(Path::new(source))?;
    let path = c_path(target)?;
    // SAFETY: the pointers are to strings with a NUL at their end; no file system type or data is needed.
    let done =
        unsafe { libc::mount(source.as_ptr(), path.as_ptr(), c"none".as_ptr(), flags, std::ptr::null()) };
    if done < 0 { Err(Error::last("mount").at(target)) } else { Ok(()) }
}
