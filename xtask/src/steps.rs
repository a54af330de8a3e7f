//! Progress of work that takes long: which step of how many, what, how long it took, and how long it took the last time.
use std::time::Instant;

use anyhow::{Context, Result};

use crate::times;

pub struct Steps {
    total: usize,
    current: usize,
}

impl Steps {
    pub fn new(total: usize) -> Self {
        Self { total, current: 0 }
    }

    /// Corrects the number of steps, when it is known better than before.
    pub fn set_total(&mut self, total: usize) {
        self.total = total;
    }

    /// Runs one step. `what` says what is done, and how long it takes when that is more than a few seconds.
    pub fn run<T>(&mut self, what: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        self.current += 1;
        let label = format!("step {}/{}", self.current, self.total);
        match times::last_step(what) {
            Some(last) => eprintln!("xtask: {label}: {what} (the last time: {last})"),
            None => eprintln!("xtask: {label}: {what}"),
        }
        let start = Instant::now();
        let result = step().with_context(|| format!("{label} failed: {what}"))?;
        eprintln!(
            "xtask: {label}: done in {:.1} s",
            start.elapsed().as_secs_f64()
        );
        times::note_step(what, start.elapsed())?;
        Ok(result)
    }
}
