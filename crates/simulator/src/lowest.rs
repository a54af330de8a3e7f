//! How far a path's equity falls on its way.

use crate::{Desk, WalkError};

/// The lowest equity so far, and the largest fall from a peak. A position's equity is concave in the price: it is lowest at either end of
/// the prices passed. Peaks are those of the moments at which something was done, or looked after.
pub(crate) struct Lowest {
    equity: i128,
    peak: i128,
    fall: i128,
    /// Lowest and highest price since it was last noted.
    passed: (f64, f64),
}

impl Lowest {
    /// As far as it was noted.
    pub fn equity(&self) -> i128 {
        self.equity
    }

    /// The largest fall from a peak, as far as it was noted.
    pub fn fall(&self) -> i128 {
        self.fall
    }

    /// Of a path that begins at a price.
    pub fn new(desk: &Desk<'_>, price: f64) -> Result<Self, WalkError> {
        let equity = desk.equity()?;
        Ok(Self {
            equity,
            peak: equity,
            fall: 0,
            passed: (price, price),
        })
    }

    /// The price has been here.
    pub fn pass(&mut self, price: f64) {
        self.passed = (self.passed.0.min(price), self.passed.1.max(price));
    }

    /// Before anything is done at a price; `account` is what was held at the perp venue.
    pub fn note(
        &mut self,
        desk: &Desk<'_>,
        secs: u64,
        price: f64,
        account: Option<(f64, i128)>,
    ) -> Result<(), WalkError> {
        for end in [self.passed.0, self.passed.1] {
            let equity = desk.equity_at(secs, end, account)?;
            self.equity = self.equity.min(equity);
            self.fall = self.fall.max(self.peak - equity);
        }
        self.peak = self.peak.max(desk.equity_at(secs, price, account)?);
        self.passed = (price, price);
        Ok(())
    }
}
