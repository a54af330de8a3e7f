//! Where a journal's bytes are.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::JournalError;

/// Append-only bytes. The order of calls is the order on disk.
pub trait Storage: Send {
    /// Everything.
    ///
    /// # Errors
    /// The system's.
    fn read(&mut self) -> io::Result<Vec<u8>>;
    /// Cuts everything from `length` on.
    ///
    /// # Errors
    /// The system's.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Adds bytes at the end; they may be lost until [`Storage::sync`] returns.
    ///
    /// # Errors
    /// The system's.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Forces everything to disk.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
    /// Whether calls may keep their thread waiting, so that they are made off the asynchronous threads.
    fn waits(&self) -> bool {
        true
    }
}

impl Storage for Box<dyn Storage> {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        self.as_mut().read()
    }
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.as_mut().truncate(length)
    }
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.as_mut().append(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.as_mut().sync()
    }
    fn waits(&self) -> bool {
        self.as_ref().waits()
    }
}

/// `journal.jsonl` in a locked directory.
#[derive(Debug)]
pub struct FileStorage {
    file: File,
    path: PathBuf,
    directory: PathBuf,
    /// Held for its lock.
    _lock: File,
}

pub(super) const NAME: &str = "journal.jsonl";

impl FileStorage {
    /// Opens or creates the directory's journal and takes its lock.
    ///
    /// # Errors
    /// [`JournalError::InUse`], [`JournalError::Io`].
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let lock_path = directory.join("lock");
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalError::Io { path, source }
        };
        fs::create_dir_all(directory).map_err(io(directory))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path);
        let lock = lock.map_err(io(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path: lock_path }),
            Err(TryLockError::Error(source)) => {
                return Err(JournalError::Io {
                    path: lock_path,
                    source,
                });
            }
        }
        let path = directory.join(NAME);
        let file = open_append(&path).map_err(io(&path))?;
        sync_names(directory).map_err(io(directory))?;
        Ok(Self {
            file,
            path,
            directory: directory.to_owned(),
            _lock: lock,
        })
    }

    /// The journal's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size.
    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Puts the file aside under the next free number, and begins one with these bytes. At every moment there is a whole
    /// journal under its name, and nothing is overwritten: a link, unlike a rename, fails if its name is taken.
    pub(super) fn rotate(&mut self, first: &[u8]) -> io::Result<()> {
        let next = self.directory.join("journal.next");
        let mut file = File::create(&next)?;
        file.write_all(first)?;
        file.sync_all()?;
        let mut number = 1u64;
        loop {
            let aside = self.directory.join(format!("journal-{number}.jsonl"));
            match fs::hard_link(&self.path, aside) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
        sync_directory(&self.directory)?;
        fs::rename(&next, &self.path)?;
        self.file = open_append(&self.path)?;
        sync_directory(&self.directory)
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .open(path)
}

/// A new file's name is only durable once its directory is.
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Makes durable what is named in a directory, and the directories above by which it is found: this process, or an earlier
/// one that was killed, may have made any of them. What may be passed but not read was made by others.
fn sync_names(directory: &Path) -> io::Result<()> {
    sync_directory(directory)?;
    let whole = fs::canonicalize(directory)?;
    for above in whole.ancestors().skip(1) {
        use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
        match sync_directory(above) {
            // The last two: file systems that cannot, as some of the system's own.
            Err(error) if [PermissionDenied, InvalidInput, Unsupported].contains(&error.kind()) => {
            }
            done => done?,
        }
    }
    Ok(())
}

impl Storage for FileStorage {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}
