//! What is kept of a hedge on a venue every quarter of an hour.

use rust_decimal::Decimal;

use crate::Point;

/// A perpetual at the first sight in an interval of [`crate::STEP_SECS`]. What it has earned counts from when the hedge's journal began,
/// so that it goes on over restarts. All amounts of money are dollars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HedgePoint {
    /// The venue, with its network, and the account there.
    pub account: String,
    /// The perpetual.
    pub coin: String,
    /// Beginning of the interval, Unix seconds.
    pub interval_secs: i64,
    /// When it was seen, by the cluster's clock.
    pub secs: i64,
    /// The price at which the position is valued.
    pub price: Decimal,
    /// What is held, base tokens.
    pub position: Decimal,
    /// What the whole account is worth, if the venue has told.
    pub equity: Option<Decimal>,
    /// Earned by the price on what was closed since.
    pub realised: Decimal,
    /// Earned by the price on what is held.
    pub unrealised: Decimal,
    /// Earned by funding.
    pub funding: Decimal,
    /// By the venue's fees: not above zero, but for rebates.
    pub fees: Decimal,
}

impl HedgePoint {
    /// Beginning of the interval that a time lies in: those of positions' points.
    pub const fn interval_secs(secs: i64) -> i64 {
        Point::interval_secs(secs)
    }

    /// All that it has earned; `None` beyond what a decimal holds.
    pub fn total(&self) -> Option<Decimal> {
        let parts = [self.unrealised, self.funding, self.fees];
        parts
            .into_iter()
            .try_fold(self.realised, Decimal::checked_add)
    }
}
