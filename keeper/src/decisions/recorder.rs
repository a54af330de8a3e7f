//! Writes decisions down, on a thread of its own.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use ballast_strategy::{decide::Assessment, recorded::Recorded, situation::Situation};
use solana_sdk::pubkey::Pubkey;

use super::{NAME, Record};
use crate::journal::{follow::numbered, frame};

/// Decisions that may wait for the disk.
const QUEUE: usize = 4_096;
/// From this size on a file is put aside.
const ROTATE_BYTES: u64 = 64 << 20;
/// Files put aside that are kept.
const KEPT: usize = 7;
/// How long it waits before it looks whether any were lost.
const WAIT: Duration = Duration::from_secs(1);

/// See the module's description. Cheap to clone; the default records nothing.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    sender: Mutex<Option<SyncSender<Box<Recorded>>>>,
    lost: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Recorder {
    /// Records into a directory.
    ///
    /// # Errors
    /// The system's.
    pub fn to(directory: &Path) -> io::Result<Self> {
        Self::with_room(directory, QUEUE)
    }

    /// One whose queue is always full.
    #[cfg(test)]
    pub(super) fn full(directory: &Path) -> io::Result<Self> {
        let recorder = Self::with_room(directory, 1)?;
        if let Some(inner) = &recorder.0 {
            // Nobody reads from this one.
            let (sender, receiver) = sync_channel(0);
            std::mem::forget(receiver);
            let mut real = inner.sender.lock().unwrap_or_else(PoisonError::into_inner);
            *real = Some(sender);
        }
        Ok(recorder)
    }

    fn with_room(directory: &Path, room: usize) -> io::Result<Self> {
        let file = Target::open(directory)?;
        let (sender, receiver) = sync_channel(room);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("decisions".into())
            .spawn(move || write(file, &receiver, &counted))?;
        Ok(Self(Some(Arc::new(Inner {
            sender: Mutex::new(Some(sender)),
            lost,
            thread: Mutex::new(Some(thread)),
        }))))
    }

    /// Records a decision, unless there is no room for it.
    pub fn record(&self, position: &Pubkey, situation: &Situation, decided: &Assessment) {
        let Some(inner) = &self.0 else { return };
        let recorded = Box::new(Recorded::new(position, situation, &Ok(*decided)));
        let sender = inner.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = sender
            .as_ref()
            .is_some_and(|sender| sender.try_send(recorded).is_ok());
        if !sent {
            inner.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many found no room since that was last noted in the file.
    pub fn lost(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(0, |inner| inner.lost.load(Ordering::Relaxed))
    }

    /// Writes what waits and ends.
    pub fn close(&self) {
        let Some(inner) = &self.0 else { return };
        drop(
            inner
                .sender
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let thread = inner
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // It neither panics nor waits for anything.
            let _ = thread.join();
        }
    }
}

fn write(mut target: Target, receiver: &Receiver<Box<Recorded>>, lost: &AtomicU64) {
    loop {
        let next = receiver.recv_timeout(WAIT);
        let missing = lost.swap(0, Ordering::Relaxed);
        // A disk that refuses loses them too: it is tried again with the next.
        if missing > 0 && target.append(&Record::Lost(missing)).is_err() {
            lost.fetch_add(missing, Ordering::Relaxed);
        }
        match next {
            Ok(recorded) => {
                if target.append(&Record::Decision(recorded)).is_err() {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The file.
struct Target {
    directory: PathBuf,
    file: File,
    length: u64,
}

impl Target {
    /// Goes on with a file, without the end that a killed process left unfinished.
    fn open(directory: &Path) -> io::Result<Self> {
        let path = directory.join(NAME);
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)?;
        let bytes = fs::read(&path)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1) as u64;
        file.set_len(whole)?;
        Ok(Self {
            directory: directory.to_owned(),
            file,
            length: whole,
        })
    }

    fn append(&mut self, record: &Record) -> io::Result<()> {
        let line = frame::line(record)?;
        if self.length + line.len() as u64 > ROTATE_BYTES {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(&line) {
            // Half a line would spoil the next.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Puts the file aside under the next number, and deletes the oldest.
    fn rotate(&mut self) -> io::Result<()> {
        let path = self.directory.join(NAME);
        let mut aside = numbered(&self.directory, NAME)?;
        aside.retain(|file| *file != path);
        let last = aside.last().and_then(|file| {
            let stem = file.file_stem()?.to_str()?;
            stem.rsplit_once('-')?.1.parse::<u64>().ok()
        });
        let next = last.unwrap_or(0) + 1;
        fs::rename(
            &path,
            self.directory.join(format!("decisions-{next}.jsonl")),
        )?;
        let oldest = (aside.len() + 1).saturating_sub(KEPT);
        for file in aside.iter().take(oldest) {
            fs::remove_file(file)?;
        }
        *self = Self::open(&self.directory)?;
        Ok(())
    }
}
