//! Whether a keeper waits for a cure before it liquidates.
//!
//! A *cure* ends below maintenance. One that was refused a moment ago, or in whose way only the pool's price or the age of the
//! oracle's stand, may be possible in the next slot: somebody has pushed the pool, or a price is a second too old for a swap. The
//! owner then loses a bonus for nothing, so the keeper waits, but within bounds:
//!
//! - not from halfway between maintenance and 100 % on, at the price that is used or at the newest known: waiting there costs
//!   the lenders. It is where the second witness is not asked for either;
//! - for what was refused as often as the one who keeps count says ([`Outlook::retried`]);
//! - for what stands in the way for [`PATIENCE_SECS`] since the position was first seen at maintenance.
//!
//! Others may liquidate meanwhile, so that who is looked after waits no longer than who is not.
//!
//! [`Outlook::retried`]: crate::situation::Outlook::retried

use ballast::{state::Limits, witness::needed_to_liquidate};
use ballast_model::Valuation;

use super::{
    ActionKind, Assessment, Obstacle,
    choose::{Block, Candidate},
    maintenance,
};
use crate::{
    prices::newest,
    situation::{Situation, SituationError},
};

/// How long a keeper waits for pool or price at maintenance.
pub const PATIENCE_SECS: i64 = 60;

/// What a keeper does before it liquidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Nothing.
    None,
    /// It tries again what was refused.
    Retry,
    /// It waits for pool or price, until then.
    Until(i64),
}

impl Patience {
    /// With a position at or above maintenance.
    pub fn of(
        situation: &Situation,
        at: &Assessment,
        candidates: &[Candidate],
        blocks: &[Block],
    ) -> Result<Self, SituationError> {
        if pressing_at_either(situation, at)? {
            return Ok(Self::None);
        }
        if candidates.iter().any(|found| retried(situation, at, found)) {
            return Ok(Self::Retry);
        }
        let since_secs = situation.outlook.unhealthy_since_secs;
        let until_secs = since_secs
            .unwrap_or(situation.now_secs)
            .saturating_add(PATIENCE_SECS);
        let passes = |block: &Block| {
            block.kind == ActionKind::DeleverageSwap && passes(situation, block.obstacle)
        };
        if situation.now_secs < until_secs && blocks.iter().any(passes) {
            return Ok(Self::Until(until_secs));
        }
        Ok(Self::None)
    }
}

/// Whether it would cure the position, and was refused, but not often yet.
fn retried(situation: &Situation, at: &Assessment, candidate: &Candidate) -> bool {
    let after = candidate.after.value(at.oracle);
    situation.outlook.retried.contains(candidate.action.kind())
        && after.is_ok_and(|value| !value.ltv_at_least(maintenance(situation)))
}

/// Whether what stands in a swap's way may be gone in the next slot. A pool whose fee alone exceeds the cap stays as it is.
fn passes(situation: &Situation, obstacle: Obstacle) -> bool {
    match obstacle {
        Obstacle::Price(_) | Obstacle::PoolDiverged { .. } | Obstacle::LtvNotLowered => true,
        Obstacle::SwapLoss { max_bps, .. } => {
            u32::from(situation.market.pool.fee_rate_ppm).div_ceil(100) < max_bps
        }
        _ => false,
    }
}

fn pressing_at_either(situation: &Situation, at: &Assessment) -> Result<bool, SituationError> {
    let limits = &situation.market.market.limits;
    if pressing(limits, &at.value) {
        return Ok(true);
    }
    let newest = newest(situation.market, at.oracle).filter(|newest| *newest != at.oracle);
    Ok(match newest {
        Some(newest) => pressing(limits, &at.model.value(newest)?),
        None => false,
    })
}

/// Whether lenders would pay for waiting.
fn pressing(limits: &Limits, value: &Valuation) -> bool {
    value.debt > value.assets || needed_to_liquidate(limits, value).is_none()
}
