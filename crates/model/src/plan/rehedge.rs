use ballast_clmm::SqrtPrice;
use thiserror::Error;

use crate::{Bps, ModelError, Position};

/// Direction of a swap in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trade {
    /// Base in, quote out.
    SellBase,
    /// Quote in, base out.
    BuyBase,
}

/// The swap that makes the hedge error zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RehedgePlan {
    /// Which way.
    pub trade: Trade,
    /// Exact base sold or bought.
    pub base: u64,
}

/// Why there is no rehedge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RehedgeError {
    /// The hedge is exact already.
    #[error("hedge error is 0: nothing to rehedge")]
    Nothing,
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The trade that brings the base debt to `hedge` times the pool's base at `at`: always the hedge error itself, whatever
/// the rest of the position looks like. Base sold is idle or borrowed, base bought repays base debt or
/// lies idle; either way [`Position::hedge_error`] at `at` is 0 afterwards.
///
/// # Errors
/// [`RehedgeError::Nothing`] if it is 0 already.
pub fn plan_rehedge(
    position: &Position,
    at: SqrtPrice,
    hedge: Bps,
) -> Result<RehedgePlan, RehedgeError> {
    trade_for(position.hedge_error(at, hedge)?)?.ok_or(RehedgeError::Nothing)
}

/// The trade that makes a hedge error zero; `None` for zero itself.
pub(super) fn trade_for(error: i128) -> Result<Option<RehedgePlan>, ModelError> {
    let trade = match error {
        0 => return Ok(None),
        1.. => Trade::SellBase,
        _ => Trade::BuyBase,
    };
    let base =
        u64::try_from(error.unsigned_abs()).map_err(|_| ModelError::Overflow("hedge error"))?;
    Ok(Some(RehedgePlan { trade, base }))
}
