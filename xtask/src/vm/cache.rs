//! The user's cache folder, shared by all working copies.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use nix::fcntl::{Flock, FlockArg};

/// The content of the cache never changes: a folder is made under another name, and renamed when it is complete.
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// `$NETLINK_VM_CACHE`, else `$XDG_CACHE_HOME/netlink-rs`, else `~/.cache/netlink-rs`.
    pub(crate) fn open() -> Result<Self> {
        let folder = |name, below| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
            Some(PathBuf::from(value).join(below))
        };
        let folder = folder("NETLINK_VM_CACHE", "")
            .or_else(|| folder("XDG_CACHE_HOME", "netlink-rs"))
            .or_else(|| folder("HOME", ".cache/netlink-rs"))
            .context("no folder for the cache: set NETLINK_VM_CACHE")?;
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self { folder: folder.canonicalize()? })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A folder, if it exists; then it is complete.
    pub(crate) fn get(&self, name: &str) -> Option<PathBuf> {
        Some(self.path(name)).filter(|path| path.is_dir())
    }

    /// Names of the folders below a folder.
    pub(crate) fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(below)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Waits until no other process fills the cache.
    pub(crate) fn lock(&self) -> Result<Filling<'_>> {
        let path = self.path("lock");
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).or_else(|(file, _)| {
            println!("waiting for another cargo xtask vm that fills the cache");
            Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno)
        });
        let filling = Filling { cache: self, _lock: lock.context("the cache's lock")? };
        // The remains of an interrupted process.
        filling.remove(&self.path("unfinished"))?;
        Ok(filling)
    }
}

/// The right to add to the cache.
pub(crate) struct Filling<'a> {
    cache: &'a Cache,
    _lock: Flock<File>,
}

impl Filling<'_> {
    /// Makes a folder with this function, unless it exists.
    pub(crate) fn add(&self, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let path = self.cache.path(name);
        if path.is_dir() {
            return Ok(path);
        }
        let unfinished = self.cache.path("unfinished");
        self.remove(&unfinished)?;
        let new = unfinished.join("new");
        fs::create_dir_all(&new)?;
        fill(&new).with_context(|| name.to_owned())?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::rename(&new, &path)?;
        self.remove(&unfinished)?;
        Ok(path)
    }

    /// A folder that the next [`Self::add`] removes.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        let path = self.cache.path("unfinished/scratch");
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        if path.exists() {
            fs::remove_dir_all(path).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_folder_is_not_used() {
        let folder = std::env::temp_dir().join(format!("netlink-xtask-cache-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let cache = Cache { folder: folder.clone() };
        let filling = cache.lock().unwrap();
        let half = |path: &Path| {
            fs::write(path.join("half"), "")?;
            anyhow::bail!("interrupted")
        };
        assert!(filling.add("kernels/x", half).is_err());
        assert_eq!(cache.get("kernels/x"), None);
        let whole = |path: &Path| Ok(fs::write(path.join("whole"), "")?);
        let path = filling.add("kernels/x", whole).unwrap();
        assert!(path.join("whole").exists() && !path.join("half").exists());
        filling.add("kernels/x", |_| panic!("it is there")).unwrap();
        assert_eq!(cache.names("kernels"), ["x"]);
        drop(filling);
        fs::remove_dir_all(folder).unwrap();
    }
}
