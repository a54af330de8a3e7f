//! A disk that survives the keeper, but not always what was not synced: the next life still reads what a killed one wrote,
//! and a power failure after that takes it away.

use std::{
    io,
    sync::{Arc, Mutex},
};

use super::Crash;
use crate::journal::Storage;

#[derive(Debug, Default)]
struct Inner {
    /// As whoever opens it reads them.
    bytes: Vec<u8>,
    /// As a power failure leaves them at least.
    durable: Vec<u8>,
    /// What was done since, in order.
    unsynced: Vec<Change>,
    broken: bool,
}

#[derive(Debug)]
enum Change {
    Append(Vec<u8>),
    Truncate(usize),
}

impl Change {
    /// Parts in which it reaches the disk.
    fn parts(&self) -> usize {
        match self {
            Self::Append(bytes) => bytes.len(),
            Self::Truncate(_) => 1,
        }
    }

    /// Does the first `parts` of it.
    fn apply(&self, parts: usize, bytes: &mut Vec<u8>) {
        match self {
            Self::Append(new) => bytes.extend_from_slice(&new[..parts]),
            Self::Truncate(length) if parts > 0 => bytes.truncate(*length),
            Self::Truncate(_) => {}
        }
    }
}

impl Inner {
    fn change(&mut self, change: Change) {
        change.apply(change.parts(), &mut self.bytes);
        self.unsynced.push(change);
    }
}

#[derive(Clone, Debug)]
pub struct Disk {
    inner: Arc<Mutex<Inner>>,
    crash: Crash,
}

fn dead() -> io::Error {
    io::Error::other("the process is dead")
}

impl Disk {
    pub fn new(crash: Crash) -> Self {
        Self {
            inner: Arc::default(),
            crash,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.inner.lock().unwrap().bytes.clone()
    }

    /// What a power failure leaves: everything synced, and so much of the rest as `part` chooses; nothing of it for 0.
    pub fn lose_power(&self, part: u64) {
        let mut inner = self.inner.lock().unwrap();
        let parts: usize = inner.unsynced.iter().map(Change::parts).sum();
        let mut kept = usize::try_from(part).unwrap() % (parts + 1);
        let mut left = std::mem::take(&mut inner.durable);
        for change in inner.unsynced.drain(..) {
            let some = kept.min(change.parts());
            change.apply(some, &mut left);
            kept -= some;
        }
        inner.bytes.clone_from(&left);
        inner.durable = left;
    }

    /// Whether a power failure would take something away.
    pub fn has_unsynced(&self) -> bool {
        !self.inner.lock().unwrap().unsynced.is_empty()
    }

    /// Takes nothing any more.
    pub fn fail(&self) {
        self.inner.lock().unwrap().broken = true;
    }

    /// Damages a byte of the last line, which is complete.
    pub fn damage_last_line(&self) {
        let mut inner = self.inner.lock().unwrap();
        let at = inner.bytes.len() - 5;
        inner.bytes[at] ^= 1;
        inner.durable = inner.bytes.clone();
        inner.unsynced.clear();
    }

    /// An operation; at the crash, `torn` is all that happens of it.
    fn operate<T>(
        &self,
        whole: impl FnOnce(&mut Inner) -> T,
        torn: impl FnOnce(&mut Inner),
    ) -> io::Result<T> {
        if self.crash.has_happened() {
            return Err(dead());
        }
        let mut inner = self.inner.lock().unwrap();
        if inner.broken {
            return Err(io::Error::other("no space left"));
        }
        if self.crash.strikes() {
            torn(&mut inner);
            return Err(dead());
        }
        Ok(whole(&mut inner))
    }
}

impl Storage for Disk {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        self.operate(|inner| inner.bytes.clone(), |_| ())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap();
        self.operate(|inner| inner.change(Change::Truncate(length)), |_| ())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let append = |bytes: &[u8]| Change::Append(bytes.into());
        self.operate(
            |inner| inner.change(append(bytes)),
            |inner| inner.change(append(&bytes[..bytes.len() / 2])),
        )
    }

    fn sync(&mut self) -> io::Result<()> {
        // A crash within may come before or after the disk has done it; before is the harder case.
        let sync = |inner: &mut Inner| {
            inner.durable = inner.bytes.clone();
            inner.unsynced.clear();
        };
        self.operate(sync, |_| ())
    }

    /// Memory keeps nobody waiting, and what runs on one thread runs in the same order again.
    fn waits(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_did_not_sync_is_read_until_the_power_fails() {
        let mut disk = Disk::new(Crash::default());
        disk.append(b"one").unwrap();
        disk.sync().unwrap();
        disk.append(b"two").unwrap();
        let mut next_life = disk.clone();
        assert_eq!(next_life.read().unwrap(), b"onetwo");
        assert!(disk.has_unsynced());
        disk.lose_power(0);
        assert_eq!(next_life.read().unwrap(), b"one");
        next_life.append(b"two").unwrap();
        disk.lose_power(2);
        assert_eq!(next_life.read().unwrap(), b"onetw");
        next_life.truncate(3).unwrap();
        disk.lose_power(0);
        assert_eq!(next_life.read().unwrap(), b"onetw");
        next_life.truncate(3).unwrap();
        next_life.sync().unwrap();
        disk.lose_power(0);
        assert_eq!(next_life.read().unwrap(), b"one");
        assert!(!disk.has_unsynced());
    }
}
