//! What was measured of markets, in a file beside the journal, so that a restart forgets none of it.
//!
//! Nothing that protects a position depends on it: a file that is missing or cannot be read is said and begun anew.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use ballast_strategy::{fee_yield::FeeYield, volatility::Volatility};
use serde::{Deserialize, Serialize};

/// Its name in the journal's directory.
pub const NAME: &str = "measured.json";

/// What is remembered of a market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// How much its price moves.
    pub volatility: Volatility,
    /// What its pool pays.
    pub fee_yield: FeeYield,
}

/// Measurements by the market's address.
pub type Markets = BTreeMap<String, Measured>;

/// See the module's description. The default remembers nothing.
#[derive(Clone, Debug, Default)]
pub struct Memory(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Number of the newest that was handed over, and of the newest that was written.
    handed: AtomicU64,
    written: Mutex<u64>,
}

/// Measurements that wait to be written.
#[derive(Debug)]
pub struct Page {
    inner: Arc<Inner>,
    number: u64,
    markets: Markets,
}

impl Memory {
    /// Beside the journal.
    pub fn beside(journal_dir: &Path) -> Self {
        Self(Some(Arc::new(Inner {
            path: journal_dir.join(NAME),
            handed: AtomicU64::new(0),
            written: Mutex::new(0),
        })))
    }

    /// What was written last; nothing, if nothing was.
    ///
    /// # Errors
    /// The system's, and [`ErrorKind::InvalidData`] for what is no such file.
    pub fn read(&self) -> io::Result<Markets> {
        let Some(inner) = &self.0 else {
            return Ok(Markets::new());
        };
        match fs::read(&inner.path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Markets::new()),
            Err(error) => Err(error),
        }
    }

    /// What is to be written; `None`: nothing is remembered.
    pub fn page(&self, markets: impl FnOnce() -> Markets) -> Option<Page> {
        let inner = Arc::clone(self.0.as_ref()?);
        let number = inner.handed.fetch_add(1, Ordering::Relaxed) + 1;
        Some(Page {
            number,
            markets: markets(),
            inner,
        })
    }
}

impl Page {
    /// Writes it, whole or not at all, unless a newer one has been written.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self) -> io::Result<()> {
        let written = &self.inner.written;
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written >= self.number {
            return Ok(());
        }
        let path = &self.inner.path;
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&self.markets)?)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        *written = self.number;
        Ok(())
    }

    /// Where it is written to.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(ticks: i32) -> Markets {
        let mut measured = Measured::default();
        for minute in 0..100 {
            let tick = if minute % 2 == 0 { 0 } else { ticks };
            measured.volatility.observe(tick, 60 * minute);
        }
        Markets::from([("market".to_owned(), measured)])
    }

    #[test]
    fn what_was_measured_is_read_back_and_the_newest_wins() {
        let directory = tempfile::tempdir().unwrap();
        let memory = Memory::beside(directory.path());
        assert_eq!(memory.read().unwrap(), Markets::new());
        let old = memory.page(|| moved(3)).unwrap();
        let new = memory.page(|| moved(443_000)).unwrap();
        new.write().unwrap();
        old.write().unwrap();
        let read = Memory::beside(directory.path()).read().unwrap();
        assert_eq!(read, moved(443_000));
        assert!(read["market"].volatility.ticks_per_day().is_some());
        // One that is cut off, as no crash leaves it.
        fs::write(directory.path().join(NAME), "{\"market\":{\"vola").unwrap();
        let error = memory.read().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        // Nowhere to write to is said.
        fs::remove_dir_all(directory.path()).unwrap();
        let page = memory.page(|| moved(1)).unwrap();
        assert_eq!(page.write().unwrap_err().kind(), ErrorKind::NotFound);
        assert!(Memory::default().page(|| moved(1)).is_none());
        assert_eq!(Memory::default().read().unwrap(), Markets::new());
    }
}
