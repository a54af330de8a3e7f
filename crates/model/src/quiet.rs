//! The quiet interval: the prices at which nothing has to be done for a position.

use ballast_clmm::SqrtPrice;

use crate::{Boundaries, Bps, ModelError, Position};

/// What makes work due. A trigger that is `None` never fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Triggers {
    /// Due when LTV reaches it: the lowest of deleverage trigger and maintenance.
    pub ltv: Option<Bps>,
    /// Due when the hedge error leaves its band.
    pub hedge: Option<HedgeBand>,
    /// Due when the price is outside the range or within this part of the range's width (in square-root price) of an
    /// end: 0 for out of range only. Half and more is always due.
    pub edge: Option<Bps>,
    /// Due at or below this price.
    pub stop_loss: Option<SqrtPrice>,
    /// Due at or above this price.
    pub take_profit: Option<SqrtPrice>,
    /// Due when equity, in quote units, is at or below this floor.
    pub equity_floor: Option<i128>,
}

/// How far the hedge may drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgeBand {
    /// Target of base debt over the pool's base.
    pub hedge: Bps,
    /// Largest |hedge error|, as a part of the position's full base amount ([`Position::full_base_up`]).
    pub band: Bps,
}

impl HedgeBand {
    /// The band in base units, rounded down.
    ///
    /// # Errors
    /// [`ModelError`] if it exceeds 64 bits.
    pub fn tolerance_down(&self, position: &Position) -> Result<u64, ModelError> {
        self.band
            .of_down(u128::from(position.full_base_up()?))
            .and_then(|tolerance| u64::try_from(tolerance).ok())
            .ok_or(ModelError::Overflow("delta band"))
    }
}

/// The intersection of what all triggers allow. As long as the price stays strictly inside nothing is due; at either end
/// something is. Pass a position whose debts are grown to the end of the time the answer is relied on
/// ([`Position::grown`]).
///
/// # Errors
/// [`ModelError`] if the liquidity's amounts exceed 64 bits.
pub fn quiet_interval(position: &Position, triggers: &Triggers) -> Result<Boundaries, ModelError> {
    // The intersection makes an inverted pair empty.
    let mut quiet = Boundaries::ALL.intersection(Boundaries::Interval {
        lower: triggers.stop_loss,
        upper: triggers.take_profit,
    });
    if let Some(ltv) = triggers.ltv {
        quiet = quiet.intersection(position.boundaries(ltv)?);
    }
    if let Some(hedge) = triggers.hedge {
        quiet = quiet
            .intersection(position.hedge_boundaries(hedge.hedge, hedge.tolerance_down(position)?)?);
    }
    if let Some(edge) = triggers.edge {
        quiet = quiet.intersection(inside(position, edge)?);
    }
    if let Some(floor) = triggers.equity_floor {
        quiet = quiet.intersection(position.equity_boundaries(floor)?);
    }
    Ok(quiet)
}

/// The range without its edges.
fn inside(position: &Position, edge: Bps) -> Result<Boundaries, ModelError> {
    let (lower, upper) = (
        position.band.sqrt_lower().x64(),
        position.band.sqrt_upper().x64(),
    );
    let margin = edge
        .of_up(upper - lower)
        .ok_or(ModelError::Overflow("edge"))?;
    let (low, high) = (lower.saturating_add(margin), upper.saturating_sub(margin));
    if high <= low.saturating_add(1) {
        return Ok(Boundaries::Empty);
    }
    Ok(Boundaries::Interval {
        lower: Some(SqrtPrice::new(low)?),
        upper: Some(SqrtPrice::new(high)?),
    })
}
