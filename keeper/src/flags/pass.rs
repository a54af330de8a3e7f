//! One pass over a market's positions for what depends on all of them. It pauses now and then, so that other tasks get their turn.

use std::collections::BTreeSet;

use ballast_client::{MarketSnapshot, Position};
use ballast_flags::contingency::{Aim, Contingency, Gap};
use ballast_model::{Bps, ModelError, Position as PositionModel, SqrtPrice, Tick};
use solana_sdk::pubkey::Pubkey;
use tokio::task::yield_now;

use crate::picture::PositionPictures;

/// Positions between two pauses.
const STRIDE: usize = 2_048;

/// What a pass found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Liquidity of the positions that are at the pool's price.
    pub liquidity: u128,
    /// Positions that a move of the size asked for brings to liquidation, or that are there.
    pub near: BTreeSet<Pubkey>,
    /// The position with the highest LTV that was not among those near before, and that LTV.
    pub worst_new: Option<(u32, Pubkey)>,
    /// What all need after the gap; `None` without a price.
    pub contingency: Option<Contingency>,
}

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    /// The gap of the contingency.
    pub gap: Bps,
    /// A move to either side, in ticks; `None`: nearness cannot be told.
    pub move_ticks: Option<u32>,
    /// What was near before.
    pub near_before: &'a BTreeSet<Pubkey>,
}

/// Goes over all positions.
pub(super) async fn pass(
    market: &MarketSnapshot,
    positions: &PositionPictures,
    ask: Ask<'_>,
) -> Found {
    let mut found = Found::default();
    let oracle = market.oracle_sqrt_price().ok();
    let gap = oracle.and_then(|at| Gap::new(at, ask.gap).ok());
    found.contingency = gap.map(|_| Contingency::default());
    let ends = oracle
        .zip(ask.move_ticks)
        .map(|(at, ticks)| ends(at, ticks));
    for (count, position) in positions.iter().enumerate() {
        if count % STRIDE == STRIDE - 1 {
            yield_now().await;
        }
        let stored = &position.position;
        let tick = market.pool.tick_current;
        if stored.tick_lower <= tick && tick < stored.tick_upper {
            found.liquidity = found.liquidity.saturating_add(stored.liquidity.get());
        }
        let Ok(model) = market.position(stored, market.now_secs) else {
            if let Some(needs) = &mut found.contingency {
                needs.failed += 1;
            }
            continue;
        };
        if let (Some(needs), Some(gap)) = (&mut found.contingency, &gap) {
            needs.add(&model, aim(stored), gap);
        }
        let maintenance = Bps::new(market.market.limits.maintenance_ltv_bps);
        let Some(at) = oracle.zip(ends) else { continue };
        if is_near(&model, at, maintenance).unwrap_or(false) {
            found.near.insert(position.address);
            if !ask.near_before.contains(&position.address) {
                let ltv = model
                    .value(at.0)
                    .map_or(u32::MAX, |value| value.ltv_bps_up());
                let this = (ltv, position.address);
                found.worst_new = found.worst_new.max(Some(this));
            }
        }
    }
    found
}

/// What a position is to be brought back to after a gap, by its owner's policy.
pub fn aim(position: &Position) -> Aim {
    Aim {
        hedge: Bps::new(position.policy.hedge_bps),
        ltv: Bps::new(position.policy.deleverage_target_ltv_bps),
    }
}

/// The prices that many ticks away, as far as there are such.
fn ends(at: SqrtPrice, ticks: u32) -> [SqrtPrice; 2] {
    let ticks = i32::try_from(ticks).unwrap_or(i32::MAX);
    let tick = at.tick().get();
    let clamped = |tick: i32| {
        let tick = tick.clamp(Tick::MIN.get(), Tick::MAX.get());
        Tick::new(tick).map_or(at, Tick::sqrt_price)
    };
    [
        clamped(tick.saturating_sub(ticks)),
        clamped(tick.saturating_add(ticks)),
    ]
}

/// Whether debt reaches the maintenance LTV at the price or at one of the ends. Between them it does not if it does not at them:
/// LTV is highest at the ends of any interval of prices.
fn is_near(
    model: &PositionModel,
    (at, ends): (SqrtPrice, [SqrtPrice; 2]),
    maintenance: Bps,
) -> Result<bool, ModelError> {
    for price in [at].into_iter().chain(ends) {
        if model.value(price)?.ltv_at_least(maintenance) {
            return Ok(true);
        }
    }
    Ok(false)
}
