//! The user's cache directory: things that take minutes to build and depend on versions, not on the checkout.
//!
//! An entry is a directory that appears, complete, under its final name, or not at all. Entries are never changed, so
//! deleting the cache while nothing is being built is always safe.
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// One area of the cache, held by this process alone.
pub struct Area {
    directory: PathBuf,
    /// Unlocked when it is dropped, also by the system when the process dies.
    _lock: File,
}

/// `$XDG_CACHE_HOME/ballast`, or `~/.cache/ballast`.
pub fn root() -> Result<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if let Some(cache) = absolute("XDG_CACHE_HOME") {
        return Ok(cache.join("ballast"));
    }
    match absolute("HOME") {
        Some(home) => Ok(home.join(".cache/ballast")),
        None => bail!(
            "neither XDG_CACHE_HOME nor HOME is set to an absolute path: set one, tools are cached there"
        ),
    }
}

impl Area {
    /// Opens an area and waits until no other process holds it.
    pub fn open(name: &str) -> Result<Self> {
        let directory = root()?.join(name);
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let path = directory.join("lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!(
                    "xtask: waiting for another process that builds in {}",
                    directory.display()
                );
                lock.lock()
                    .with_context(|| format!("cannot lock {}", path.display()))?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        Ok(Self {
            directory,
            _lock: lock,
        })
    }

    /// Where the entry `name` is or will be.
    pub fn entry(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Makes the entry `name`: `build` fills an empty directory, which then gets its name in one step. `build` may also use
    /// a second directory for intermediate results; that one survives an interrupted build and is deleted after a
    /// successful one.
    pub fn install(
        &self,
        name: &str,
        build: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let (entry, partial, scratch) = (
            self.entry(name),
            self.entry(&format!("{name}.partial")),
            self.entry(&format!("{name}.build")),
        );
        remove(&entry)?;
        remove(&partial)?;
        for directory in [&partial, &scratch] {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
        }
        build(&partial, &scratch)?;
        fs::rename(&partial, &entry)
            .with_context(|| format!("cannot rename {} to {name}", partial.display()))?;
        remove(&scratch)?;
        Ok(entry)
    }
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot delete {}", directory.display()))
        }
        _ => Ok(()),
    }
}

/// A key made of everything that an entry is built from. 64-bit FNV-1a: nobody attacks the user's own cache.
pub struct Key(u64);

impl Key {
    pub fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a text, such as a version.
    pub fn text(mut self, text: &str) -> Self {
        // The length separates one part from the next.
        for byte in text.len().to_le_bytes().into_iter().chain(text.bytes()) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self
    }

    /// Adds the files under `path`, with their names, but for what cargo builds there.
    pub fn files(mut self, path: &Path) -> Result<Self> {
        let context = || format!("cannot read {}", path.display());
        if path.is_file() {
            let content = fs::read(path).with_context(context)?;
            return Ok(self.text(&String::from_utf8_lossy(&content)));
        }
        let entries = fs::read_dir(path)
            .with_context(context)?
            .collect::<Result<Vec<_>, _>>()
            .with_context(context)?;
        let mut names: Vec<_> = entries
            .into_iter()
            .map(|entry| entry.file_name())
            .filter(|name| name != "target")
            .collect();
        names.sort();
        for name in names {
            self = self
                .text(&name.to_string_lossy())
                .files(&path.join(&name))?;
        }
        Ok(self)
    }

    pub fn hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_separates_its_parts() {
        let key = |parts: &[&str]| {
            parts
                .iter()
                .fold(Key::new(), |key, part| key.text(part))
                .hex()
        };
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab", "c"]), key(&["c", "ab"]));
    }
}
