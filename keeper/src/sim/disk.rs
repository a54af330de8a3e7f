//! A disk that survives the keeper, but not always what was not synced.

use std::{
    io,
    sync::{Arc, Mutex},
};

use super::Crash;
use crate::journal::Storage;

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    synced: usize,
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

    /// What a power failure leaves: everything synced, and a part of the rest chosen by `part`.
    pub fn lose_power(&self, part: u64) {
        let mut inner = self.inner.lock().unwrap();
        let unsynced = inner.bytes.len() - inner.synced;
        let kept = inner.synced + usize::try_from(part).unwrap() % (unsynced + 1);
        inner.bytes.truncate(kept);
        inner.synced = kept;
    }

    /// Damages a byte of the last line, which is complete.
    pub fn damage_last_line(&self) {
        let mut inner = self.inner.lock().unwrap();
        let at = inner.bytes.len() - 5;
        inner.bytes[at] ^= 1;
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
        let cut = |inner: &mut Inner| {
            inner.bytes.truncate(usize::try_from(length).unwrap());
            inner.synced = inner.synced.min(inner.bytes.len());
        };
        self.operate(cut, |_| ())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.operate(
            |inner| inner.bytes.extend_from_slice(bytes),
            |inner| inner.bytes.extend_from_slice(&bytes[..bytes.len() / 2]),
        )
    }

    fn sync(&mut self) -> io::Result<()> {
        // A crash within may come before or after the disk has done it; before is the harder case.
        self.operate(|inner| inner.synced = inner.bytes.len(), |_| ())
    }
}
