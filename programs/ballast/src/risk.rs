//! Risk rules that several instructions share. Every function is a check on values; none reads an account.

use anchor_lang::prelude::*;
use ballast_clmm::SqrtPrice;
use ballast_model::{
    AtPrice, Bps, Position as PositionModel, Valuation,
    price::{scale_down, scale_up, within},
};

use crate::{
    errors::BallastError,
    math::ToProgramError,
    oracle::OraclePrice,
    state::{Allowance, Charge, Limits, Market, MarketMode, Policy, Position},
};

/// Refuses an action in a market whose mode or risk stage is stricter than `most`.
///
/// # Errors
/// [`BallastError::ModeForbids`].
pub fn require_mode(market: &Market, most: MarketMode, now_secs: i64) -> Result<()> {
    require!(market.mode_at(now_secs) <= most, BallastError::ModeForbids);
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

/// What must hold after every action that adds risk: leverage at the oracle's price; initial LTV at both ends of its
/// confidence interval, at the pool's price, and at the newest price known, so that nobody takes risk or tokens at one of before a
/// gap; maintenance LTV at both ends of the stress distance. Checking the ends proves everything between, the oracle's price too
/// (MATH section 1).
///
/// # Errors
/// [`BallastError::LeverageTooHigh`], [`BallastError::InitialLtvExceeded`], [`BallastError::StressLtvExceeded`].
pub fn require_initial_health(
    limits: &Limits,
    position: &PositionModel,
    oracle: &OraclePrice,
    pool: SqrtPrice,
    newest: Option<SqrtPrice>,
) -> Result<Valuation> {
    require_initial_health_at(limits, &position.at(oracle.mid), oracle, pool, newest)
}

/// [`require_initial_health`] of a position at the oracle's price, for whoever asks for more there.
///
/// # Errors
/// As [`require_initial_health`].
pub fn require_initial_health_at(
    limits: &Limits,
    at_price: &AtPrice,
    oracle: &OraclePrice,
    pool: SqrtPrice,
    newest: Option<SqrtPrice>,
) -> Result<Valuation> {
    let position = at_price.position();
    let at_oracle = at_price.value().or_range()?;
    if at_oracle.debt == 0 {
        return Ok(at_oracle);
    }
    require!(
        at_oracle.leverage_bps_up() <= u64::from(limits.max_leverage_bps),
        BallastError::LeverageTooHigh
    );
    let initial = Bps::new(limits.initial_ltv_bps);
    let newest = newest.filter(|newest| *newest != oracle.mid);
    for price in [oracle.low, oracle.high, pool].into_iter().chain(newest) {
        let value = position.value(price).or_range()?;
        require!(!value.ltv_above(initial), BallastError::InitialLtvExceeded);
    }
    let maintenance = Bps::new(limits.maintenance_ltv_bps);
    for price in stressed(limits, oracle.mid)? {
        let value = position.value(price).or_range()?;
        require!(
            !value.ltv_at_least(maintenance),
            BallastError::StressLtvExceeded
        );
    }
    Ok(at_oracle)
}

/// What must hold after a rehedge, which moves the boundaries: at both ends of the stress distance LTV is below maintenance, or no
/// higher than it would have been at the worse end without. A hedge ratio that the owner has changed cannot turn a position that
/// is nearly liquidated into one that a small move makes insolvent.
///
/// # Errors
/// [`BallastError::StressLtvExceeded`].
pub fn require_stress_not_worsened(
    limits: &Limits,
    before: &PositionModel,
    after: &PositionModel,
    at: SqrtPrice,
) -> Result<()> {
    let stressed = stressed_ltv_bps_up(limits, after, at)?;
    require!(
        stressed < limits.maintenance_ltv_bps
            || stressed <= stressed_ltv_bps_up(limits, before, at)?,
        BallastError::StressLtvExceeded
    );
    Ok(())
}

/// What must hold after a rehedge while the market allows no new risk: the position depends on the price no more than before, or its
/// stressed LTV is no higher. An owner who has changed the hedge ratio takes no new risk by way of a rehedge.
///
/// # Errors
/// [`BallastError::ModeForbids`], [`BallastError::OutOfRange`].
pub fn require_no_new_risk(
    limits: &Limits,
    before: &PositionModel,
    after: &PositionModel,
    at: SqrtPrice,
) -> Result<()> {
    let delta = |model: &PositionModel| model.delta(at).map(i128::unsigned_abs);
    require!(
        delta(after).or_range()? <= delta(before).or_range()?
            || stressed_ltv_bps_up(limits, after, at)? <= stressed_ltv_bps_up(limits, before, at)?,
        BallastError::ModeForbids
    );
    Ok(())
}

/// What must hold after a deleverage that does not reach its target: LTV is lower, by a basis point at least, and the stressed LTV
/// no higher. So nothing is repaid of what is insolvent, where every repayment raises LTV: it would make the lenders of one token
/// whole at the expense of the other's, who share a loss in proportion.
///
/// # Errors
/// [`BallastError::LtvNotLowered`].
pub fn require_ltv_lowered(
    limits: &Limits,
    before: &PositionModel,
    after: &PositionModel,
    at: SqrtPrice,
) -> Result<()> {
    let (was, is) = (before.value(at).or_range()?, after.value(at).or_range()?);
    require!(
        is.ltv_bps_up() < was.ltv_bps_up()
            && stressed_ltv_bps_up(limits, after, at)? <= stressed_ltv_bps_up(limits, before, at)?,
        BallastError::LtvNotLowered
    );
    Ok(())
}

/// LTV at the worse end of the stress distance, rounded up. Every hedge moves risk from one end to the other, so that only the
/// worse one says whether it is more.
///
/// # Errors
/// [`BallastError::OutOfRange`].
pub fn stressed_ltv_bps_up(
    limits: &Limits,
    position: &PositionModel,
    at: SqrtPrice,
) -> Result<u32> {
    let [low, high] = stressed(limits, at)?;
    let ltv = |price| position.value(price).map(|value| value.ltv_bps_up());
    Ok(ltv(low).or_range()?.max(ltv(high).or_range()?))
}

/// Both ends of the market's stress distance around a price.
fn stressed(limits: &Limits, at: SqrtPrice) -> Result<[SqrtPrice; 2]> {
    let (one, distance) = (Bps::ONE.get(), limits.stress_distance_bps);
    Ok([
        scale_down(at, Bps::new(one.saturating_sub(distance))).or_range()?,
        scale_up(at, Bps::new(one.saturating_add(distance))).or_range()?,
    ])
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
    require_hedged_at(policy, &position.at(at), band_bps)
}

/// [`require_hedged`] of a position at a price, for whoever asks for more there.
///
/// # Errors
/// As [`require_hedged`].
pub fn require_hedged_at(policy: &Policy, at_price: &AtPrice, band_bps: u32) -> Result<i128> {
    let error = at_price.hedge_error(policy.hedge()).or_range()?;
    require!(
        within_band(at_price.position(), error, band_bps)?,
        BallastError::DeltaOutsideTarget
    );
    Ok(error)
}

/// Whether a hedge error lies within `band_bps` of the position's full base amount.
///
/// # Errors
/// [`BallastError::OutOfRange`].
pub fn within_band(position: &PositionModel, hedge_error: i128, band_bps: u32) -> Result<bool> {
    ballast_ledger::within_band(position, hedge_error, Bps::new(band_bps)).or_range()
}

/// Counts what a keeper's action has lost, beyond what a fair price costs and at the worse of used and newest price ([`crate::state::Change::charge`]),
/// against its allowance.
///
/// # Errors
/// [`BallastError::DailyLossExceeded`].
pub fn charge_loss(
    market: &Market,
    position: &mut Position,
    allowance: Allowance,
    Charge { loss, equity }: Charge,
    now_secs: i64,
) -> Result<()> {
    let max_bps = allowance.max_bps(market, position);
    let recent = allowance
        .recent(position)
        .charged(loss, equity, max_bps, now_secs)
        .ok_or(BallastError::DailyLossExceeded)?;
    allowance.store(position, recent);
    Ok(())
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

#[cfg(test)]
mod tests {
    use ballast_clmm::{Amounts, Band, Side};

    use super::*;

    const LIMITS: Limits = Limits {
        max_position_value: u64::MAX,
        min_position_value: 1,
        max_leverage_bps: 50_000,
        initial_ltv_bps: 7_500,
        deleverage_ltv_bps: 7_700,
        maintenance_ltv_bps: 8_000,
        target_ltv_bps: 6_500,
        liquidation_bonus_bps: 300,
        stress_distance_bps: 500,
        max_pool_deviation_bps: 100,
        max_swap_loss_bps: 100,
        min_rebalance_interval_secs: 0,
    };

    fn position(idle: Amounts, debt: Amounts) -> PositionModel {
        PositionModel {
            band: Band::from_sqrt_prices(at(90), at(110)).unwrap(),
            liquidity: 0,
            idle,
            debt,
        }
    }

    /// Owns base and owes quote: suffers when the price falls.
    fn long(ltv_bps: u64) -> PositionModel {
        position(
            Amounts::only(Side::Base, 1_000_000_000),
            Amounts::only(Side::Quote, 100_000 * ltv_bps),
        )
    }

    /// Owns quote and owes base: suffers when the price rises.
    fn short(ltv_bps: u64) -> PositionModel {
        position(
            Amounts::only(Side::Quote, 1_000_000_000),
            Amounts::only(Side::Base, 100_000 * ltv_bps),
        )
    }

    fn at(percent: u32) -> SqrtPrice {
        scale_up(SqrtPrice::ONE, Bps::new(percent * 100)).unwrap()
    }

    fn health(position: &PositionModel, low: u32, high: u32, pool: u32) -> Result<Valuation> {
        let oracle = OraclePrice {
            low: at(low),
            mid: SqrtPrice::ONE,
            high: at(high),
        };
        require_initial_health(&LIMITS, position, &oracle, at(pool), None)
    }

    #[test]
    fn initial_ltv_holds_at_both_ends_of_the_interval_and_at_the_pools_price() {
        let refused = |result: Result<Valuation>| {
            assert_eq!(result.unwrap_err(), BallastError::InitialLtvExceeded.into());
        };
        // 74 % at the price is 75.5 % two per cent away.
        assert!(health(&long(7_400), 100, 102, 100).is_ok());
        refused(health(&long(7_400), 98, 102, 100));
        refused(health(&long(7_400), 100, 102, 98));
        assert!(health(&short(7_400), 98, 100, 100).is_ok());
        refused(health(&short(7_400), 98, 102, 100));
        refused(health(&short(7_400), 98, 100, 102));
    }

    #[test]
    fn maintenance_holds_at_both_ends_of_the_stress_distance() {
        let limits = Limits {
            stress_distance_bps: 900,
            ..LIMITS
        };
        let oracle = OraclePrice {
            low: SqrtPrice::ONE,
            mid: SqrtPrice::ONE,
            high: SqrtPrice::ONE,
        };
        for (position, healthy) in [
            (long(7_200), true),
            (long(7_300), false),
            (short(7_300), true),
            (short(7_400), false),
        ] {
            let result = require_initial_health(&limits, &position, &oracle, SqrtPrice::ONE, None);
            assert_eq!(result.is_ok(), healthy);
            if let Err(error) = result {
                assert_eq!(error, BallastError::StressLtvExceeded.into());
            }
        }
    }

    #[test]
    fn the_stress_distance_is_not_rounded_nearer() {
        let [low, high] = stressed(&LIMITS, SqrtPrice::ONE).unwrap();
        // The roots of 0.95 and 1.05 in Q64.
        let (root_low, root_high) = (17979662081777052694, 18902287831555877211);
        assert!(low.x64() <= root_low && root_low - low.x64() < 1 << 40);
        assert!(high.x64() >= root_high && high.x64() - root_high < 1 << 40);
    }

    #[test]
    fn a_rehedge_may_not_make_the_stressed_position_worse_beyond_maintenance() {
        let worsened = |before: &PositionModel, after: &PositionModel| {
            require_stress_not_worsened(&LIMITS, before, after, SqrtPrice::ONE).is_err()
        };
        for side in [long, short] {
            // At 5 % against it 76.5 % are above 80 %.
            assert!(worsened(&side(7_500), &side(7_650)));
            assert!(!worsened(&side(7_500), &side(7_550)));
            assert!(!worsened(&side(7_650), &side(7_650)));
            assert!(!worsened(&side(7_700), &side(7_650)));
        }
        // The worse end counts, whichever it is: every hedge moves risk from one to the other.
        assert!(!worsened(&long(7_900), &short(7_900)));
        assert!(worsened(&long(7_900), &short(8_000)));
    }

    #[test]
    fn a_deleverage_short_of_its_target_lowers_ltv_and_does_not_raise_the_stressed_one() {
        let lowers = |before: &PositionModel, after: &PositionModel| {
            require_ltv_lowered(&LIMITS, before, after, SqrtPrice::ONE).is_ok()
        };
        // Owns and owes quote: no price matters.
        let neutral = |ltv_bps: u64| {
            position(
                Amounts::only(Side::Quote, 1_000_000_000),
                Amounts::only(Side::Quote, 100_000 * ltv_bps),
            )
        };
        for side in [long, short, neutral] {
            assert!(lowers(&side(7_700), &side(7_699)));
            assert!(!lowers(&side(7_700), &side(7_700)));
            assert!(!lowers(&side(7_700), &side(7_701)));
        }
        assert!(lowers(&long(7_700), &neutral(7_600)));
        // Lower now, but 80.5 % at 5 % against it, where it was 77.
        assert!(!lowers(&neutral(7_700), &long(7_650)));
        assert!(!lowers(&neutral(7_700), &short(7_690)));
    }

    #[test]
    fn without_new_risk_a_position_depends_no_more_on_the_price() {
        let refused = |before: &PositionModel, after: &PositionModel| {
            let checked = require_no_new_risk(&LIMITS, before, after, SqrtPrice::ONE);
            checked == Err(BallastError::ModeForbids.into())
        };
        // Owns and owes quote and some base: that much more than it owes, or less.
        let with_delta = |delta: i64| {
            let mut it = position(
                Amounts::new(100_000_000, 900_000_000),
                Amounts::new(100_000_000, 500_000_000),
            );
            it.idle.base = it.idle.base.checked_add_signed(delta).unwrap();
            it.idle.quote = it.idle.quote.checked_add_signed(-delta).unwrap();
            it
        };
        for (before, after, no) in [
            (0, 0, false),
            (200_000_000, 0, false),
            (0, 200_000_000, true),
            (0, -100_000_000, true),
            (200_000_000, 210_000_000, true),
            (-50_000_000, 50_000_000, false),
            // A little base more than it owes makes up for what the debts grow by when the price rises.
            (0, 10_000_000, false),
        ] {
            let (before, after) = (with_delta(before), with_delta(after));
            assert_eq!(refused(&before, &after), no, "{before:?} {after:?}");
        }
        // More delta, but less debt: 5 % against it leave it better off than before.
        let mut repaid = with_delta(10_000_000);
        repaid.idle.quote -= 400_000_000;
        repaid.debt.quote -= 400_000_000;
        assert!(!refused(&with_delta(0), &repaid));
    }

    #[test]
    fn of_what_is_insolvent_nothing_is_repaid() {
        let held = |assets: u64, debt: u64| {
            position(
                Amounts::only(Side::Quote, assets),
                Amounts::only(Side::Quote, debt),
            )
        };
        let passes = |before: &PositionModel, after: &PositionModel| {
            require_ltv_lowered(&LIMITS, before, after, SqrtPrice::ONE).is_ok()
        };
        assert!(!passes(
            &held(1_000_000, 1_100_000),
            &held(500_000, 600_000)
        ));
        assert!(!passes(
            &held(1_000_000, 1_000_000),
            &held(500_000, 500_000)
        ));
        assert!(passes(&held(1_000_000, 990_000), &held(500_000, 490_000)));
    }
}
