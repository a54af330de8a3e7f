//! Moments on a path, evenly apart.

use crate::{Desk, WalkError};

/// A moment on a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Seconds from the start.
    pub secs: u64,
    /// Logarithm of the price.
    pub log_price: f64,
    /// Equity, raw quote units.
    pub equity: i128,
}

/// The marks of a walk.
pub(crate) struct Marks {
    /// How many there will be; 0: none are made.
    count: u64,
    steps: u64,
    pub made: Vec<Mark>,
    /// The step of the next one.
    pub next: u64,
}

impl Marks {
    /// So many, on a walk of so many steps; `None`: none.
    pub fn new(marks: Option<u64>, steps: u64) -> Self {
        Self {
            count: marks.unwrap_or(0).min(steps),
            steps,
            made: Vec::new(),
            next: marks.map_or(u64::MAX, |_| 0),
        }
    }

    /// Makes the next one.
    pub fn make(&mut self, desk: &Desk<'_>, secs: u64, price: f64) -> Result<(), WalkError> {
        let at = desk.terms().units.sqrt_price(price);
        self.made.push(Mark {
            secs,
            log_price: price,
            equity: desk.seen(secs, price)?.equity_down(at)? + desk.beside(),
        });
        self.next = self.made.len() as u64 * self.steps / self.count.max(1);
        Ok(())
    }
}
