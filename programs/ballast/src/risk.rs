//! Risk rules that several instructions share. Every function is a check on values; none reads an account.

use anchor_lang::prelude::*;
use ballast_clmm::SqrtPrice;
use ballast_model::{
    Bps, Position as PositionModel, Valuation,
    price::{scale_down, scale_up, within},
};

use crate::{
    errors::BallastError,
    math::ToProgramError,
    oracle::OraclePrice,
    state::{Limits, Market, MarketMode, Policy},
};

/// Refuses an action in a market whose mode is stricter than `most`.
///
/// # Errors
/// [`BallastError::ModeForbids`].
pub fn require_mode(market: &Market, most: MarketMode) -> Result<()> {
    require!(market.mode() <= most, BallastError::ModeForbids);
    Ok(())
}

/// The pool's price must lie within the market's cap around the oracle's.
///
/// # Errors
/// [`BallastError::PoolDiverged`].
pub fn require_pool_near_oracle(limits: &Limits, pool: SqrtPrice, oracle: SqrtPrice) -> Result<()> {
    require!(
        within(pool, oracle, Bps::new(limits.max_pool_deviation_bps)),
        BallastError::PoolDiverged
    );
    Ok(())
}

/// What must hold after every action that adds risk: leverage and initial LTV at the oracle's price, at both ends of
/// its confidence interval and at the pool's price; maintenance LTV at both ends of the stress distance. Checking the
/// ends proves everything between (MATH section 1).
///
/// # Errors
/// [`BallastError::LeverageTooHigh`], [`BallastError::InitialLtvExceeded`], [`BallastError::StressLtvExceeded`].
pub fn require_initial_health(
    limits: &Limits,
    position: &PositionModel,
    oracle: &OraclePrice,
    pool: SqrtPrice,
) -> Result<Valuation> {
    let at_oracle = position.value(oracle.mid).or_range()?;
    if at_oracle.debt == 0 {
        return Ok(at_oracle);
    }
    require!(
        at_oracle.leverage_bps_up() <= u64::from(limits.max_leverage_bps),
        BallastError::LeverageTooHigh
    );
    let initial = Bps::new(limits.initial_ltv_bps);
    require!(
        !at_oracle.ltv_above(initial),
        BallastError::InitialLtvExceeded
    );
    for price in [oracle.low, oracle.high, pool] {
        let value = position.value(price).or_range()?;
        require!(!value.ltv_above(initial), BallastError::InitialLtvExceeded);
    }
    let maintenance = Bps::new(limits.maintenance_ltv_bps);
    let distance = limits.stress_distance_bps;
    let one = Bps::ONE.get();
    let low = scale_down(oracle.mid, Bps::new(one.saturating_sub(distance))).or_range()?;
    let high = scale_up(oracle.mid, Bps::new(one.saturating_add(distance))).or_range()?;
    for price in [low, high] {
        let value = position.value(price).or_range()?;
        require!(
            !value.ltv_at_least(maintenance),
            BallastError::StressLtvExceeded
        );
    }
    Ok(at_oracle)
}

/// The hedge error must lie within `band_bps` of the position's full base amount.
///
/// # Errors
/// [`BallastError::DeltaOutsideTarget`].
pub fn require_hedged(
    policy: &Policy,
    position: &PositionModel,
    at: SqrtPrice,
    band_bps: u32,
) -> Result<i128> {
    let error = position.hedge_error(at, policy.hedge()).or_range()?;
    require!(
        within_band(position, error, band_bps)?,
        BallastError::DeltaOutsideTarget
    );
    Ok(error)
}

/// Whether a hedge error lies within `band_bps` of the position's full base amount.
///
/// # Errors
/// [`BallastError::OutOfRange`].
pub fn within_band(position: &PositionModel, hedge_error: i128, band_bps: u32) -> Result<bool> {
    let full = u128::from(position.full_base_up().or_range()?);
    Ok(hedge_error.unsigned_abs() * u128::from(Bps::ONE.get()) <= full * u128::from(band_bps))
}

/// Assets must lie within the market's size limits.
///
/// # Errors
/// [`BallastError::PositionSize`].
pub fn require_size(limits: &Limits, assets: u128) -> Result<()> {
    let allowed = u128::from(limits.min_position_value)..=u128::from(limits.max_position_value);
    require!(allowed.contains(&assets), BallastError::PositionSize);
    Ok(())
}
