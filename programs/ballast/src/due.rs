//! When rehedging, recentering, exits and liquidations are due, and where a new band may lie. The keeper decides by the same functions.

use ballast_clmm::{Band, SqrtPrice, Tick, wide::mul_div_down};
use ballast_model::{Bps, ModelError, Position as PositionModel, Trade, Valuation};

use crate::{
    events::ExitReason,
    state::{Automation, Edge, Limits, Policy, Reaction},
};

/// The trade that a hedge error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgeNeed {
    /// Which way.
    pub trade: Trade,
    /// Base that has to be traded whichever price counts.
    pub base: u64,
    /// Whether the error lies outside twice the policy's band.
    pub defensive: bool,
}

/// What the hedge error asks for, if it is outside the policy's band, to the same side, at the price that is used and at the newest
/// that is known: who picks an older price makes nothing due. The smaller error counts.
///
/// # Errors
/// [`ModelError`].
pub fn rehedge_due(
    policy: &Policy,
    position: &PositionModel,
    used: SqrtPrice,
    newest: Option<SqrtPrice>,
) -> Result<Option<HedgeNeed>, ModelError> {
    let error = position.hedge_error(used, policy.hedge())?;
    let newest = newest.filter(|newest| *newest != used);
    rehedge_due_for(policy, position, error, newest)
}

/// [`rehedge_due`] of a position with this hedge error at the price that is used, and at `newest` if that is another.
///
/// # Errors
/// [`ModelError`].
pub fn rehedge_due_for(
    policy: &Policy,
    position: &PositionModel,
    error: i128,
    newest: Option<SqrtPrice>,
) -> Result<Option<HedgeNeed>, ModelError> {
    let other = match newest {
        Some(newest) => position.hedge_error(newest, policy.hedge())?,
        None => error,
    };
    if error.signum() != other.signum() {
        return Ok(None);
    }
    let least = error.unsigned_abs().min(other.unsigned_abs());
    let full = u128::from(position.full_base_up()?);
    let outside = |band_bps: u32| least * u128::from(Bps::ONE.get()) > full * u128::from(band_bps);
    if !outside(policy.delta_band_bps) {
        return Ok(None);
    }
    Ok(Some(HedgeNeed {
        trade: if error > 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        },
        base: u64::try_from(least).map_err(|_| ModelError::Overflow("hedge error"))?,
        defensive: outside(policy.delta_band_bps.saturating_mul(2)),
    }))
}

/// The edge at which keepers may recenter, inside the owner's window, at the price that is used and at the newest that is known.
pub fn recenter_due(
    automation: &Automation,
    band: &Band,
    used: SqrtPrice,
    newest: Option<SqrtPrice>,
) -> Option<Edge> {
    let edge = |price| {
        edge_reached(band, automation.edge_bps, price).filter(|_| inside_window(automation, price))
    };
    edge(used).filter(|reached| newest.is_none_or(|newest| edge(newest) == Some(*reached)))
}

/// Whether the price is outside the band, or within `edge_bps` of its width (in square-root price) of either edge.
pub fn at_edge(band: &Band, edge_bps: u32, price: SqrtPrice) -> bool {
    edge_reached(band, edge_bps, price).is_some()
}

/// The edge that the price is beyond, or within `edge_bps` of the band's width of.
pub fn edge_reached(band: &Band, edge_bps: u32, price: SqrtPrice) -> Option<Edge> {
    let (lower, upper, s) = (
        band.sqrt_lower().x64(),
        band.sqrt_upper().x64(),
        price.x64(),
    );
    let margin = mul_div_down(
        upper - lower,
        u128::from(edge_bps),
        u128::from(Bps::ONE.get()),
    )
    .unwrap_or(upper - lower);
    if s < lower.saturating_add(margin) {
        Some(Edge::Low)
    } else if s >= upper.saturating_sub(margin) {
        Some(Edge::High)
    } else {
        None
    }
}

/// Whether the price is strictly inside the owner's window, where keepers may recenter.
pub fn inside_window(automation: &Automation, price: SqrtPrice) -> bool {
    !reached_low(automation, price) && !reached_high(automation, price)
}

/// Whether the middle between the ticks is at most one tick spacing from the price: a band cannot lie nearer, because its
/// edges are multiples of the spacing.
pub fn centred([lower, upper]: [i32; 2], tick_spacing: u16, price: SqrtPrice) -> bool {
    // Ticks have 20 bits.
    let middle = (i64::from(lower) + i64::from(upper)).div_euclid(2);
    let sqrt = |tick: i64| {
        let tick = tick.clamp(i64::from(Tick::MIN.get()), i64::from(Tick::MAX.get()));
        Tick::new(tick as i32).map(Tick::sqrt_price)
    };
    let spacing = i64::from(tick_spacing);
    match (sqrt(middle - spacing), sqrt(middle + spacing + 1)) {
        (Ok(low), Ok(high)) => low <= price && price <= high,
        _ => false,
    }
}

/// Whether the width between the ticks is one that the owner lets keepers choose.
pub fn width_allowed(automation: &Automation, [lower, upper]: [i32; 2]) -> bool {
    let width = i64::from(upper) - i64::from(lower);
    let allowed =
        i64::from(automation.min_width_ticks.max(1))..=i64::from(automation.max_width_ticks);
    allowed.contains(&width)
}

/// The price at which a liquidation is planned and paid, and the other one at which it has to be due as well. Nobody takes more by the
/// choice of an older price than the newest that is known: it is paid at that one, if it is certain
/// ([`crate::oracle::newest_is_certain`]). An uncertain one can only say that nothing is due.
pub fn liquidation_prices(
    used: SqrtPrice,
    newest: Option<SqrtPrice>,
    certain: bool,
) -> [SqrtPrice; 2] {
    let newest = newest.unwrap_or(used);
    match certain {
        true => [newest, used],
        false => [used, newest],
    }
}

/// What a position is worth at the other of [`liquidation_prices`], given what it is worth at the one.
///
/// # Errors
/// [`ModelError`].
pub fn value_at_other(
    position: &PositionModel,
    [price, other]: [SqrtPrice; 2],
    value: &Valuation,
) -> Result<Valuation, ModelError> {
    if price == other {
        Ok(*value)
    } else {
        position.value(other)
    }
}

/// Whether LTV has reached maintenance at both of [`liquidation_prices`].
pub fn liquidation_due(limits: &Limits, values: [&Valuation; 2]) -> bool {
    let maintenance = Bps::new(limits.maintenance_ltv_bps);
    values.iter().all(|value| value.ltv_at_least(maintenance))
}

/// The exit that is due for a position with its fees, for the same reason at the price that is used and at
/// the newest that is known.
///
/// # Errors
/// [`ModelError`].
pub fn exit_due_for(
    automation: &Automation,
    owned: &PositionModel,
    used: SqrtPrice,
    newest: Option<SqrtPrice>,
) -> Result<Option<(ExitReason, Reaction)>, ModelError> {
    let due =
        |at| -> Result<_, ModelError> { Ok(exit_due(automation, at, owned.value(at)?.equity())) };
    let Some((reason, reaction)) = due(used)? else {
        return Ok(None);
    };
    let newest = newest.filter(|newest| *newest != used).map(due);
    let same = newest
        .transpose()?
        .is_none_or(|newest| newest.is_some_and(|(newest, _)| newest == reason));
    Ok(same.then_some((reason, reaction)))
}

/// The exit that is due at a price and equity (raw quote units at that price, with its fees): the floor
/// before the window's edges.
pub fn exit_due(
    automation: &Automation,
    price: SqrtPrice,
    equity: i128,
) -> Option<(ExitReason, Reaction)> {
    let exits = |byte: u8| Reaction::from_byte(byte).filter(|reaction| *reaction != Reaction::Hold);
    let at_floor = automation.min_equity > 0 && equity <= i128::from(automation.min_equity);
    let by = |holds: bool, reason, byte| {
        holds
            .then(|| exits(byte))
            .flatten()
            .map(|reaction| (reason, reaction))
    };
    by(at_floor, ExitReason::Floor, automation.at_floor)
        .or_else(|| {
            by(
                reached_low(automation, price),
                ExitReason::Low,
                automation.at_low,
            )
        })
        .or_else(|| {
            by(
                reached_high(automation, price),
                ExitReason::High,
                automation.at_high,
            )
        })
}

fn reached_low(automation: &Automation, price: SqrtPrice) -> bool {
    // A tick that is none, `NO_LOW` among them, is no edge.
    Tick::new(automation.window_low_tick).is_ok_and(|tick| price <= tick.sqrt_price())
}

fn reached_high(automation: &Automation, price: SqrtPrice) -> bool {
    Tick::new(automation.window_high_tick).is_ok_and(|tick| price >= tick.sqrt_price())
}

#[cfg(test)]
mod tests {
    use ballast_clmm::Amounts;

    use super::*;

    fn at(tick: i32) -> SqrtPrice {
        Tick::new(tick).unwrap().sqrt_price()
    }

    fn next(price: SqrtPrice, by: i128) -> SqrtPrice {
        SqrtPrice::new(price.x64().checked_add_signed(by).unwrap()).unwrap()
    }

    /// Between the prices at ticks -1 000 and 1 000; hedged at a price of one.
    fn hedged() -> PositionModel {
        let band = Band::new(Tick::new(-1_000).unwrap(), Tick::new(1_000).unwrap()).unwrap();
        let mut position = PositionModel {
            band,
            liquidity: 1_000_000_000,
            idle: Amounts::ZERO,
            debt: Amounts::ZERO,
        };
        position.debt.base = u64::try_from(position.delta(at(0)).unwrap()).unwrap();
        position
    }

    #[test]
    fn nobody_is_liquidated_for_the_choice_of_an_older_price() {
        let limits = Limits {
            maintenance_ltv_bps: 8_000,
            ..Limits::default()
        };
        let due = |debts: [u128; 2]| {
            let [used, newest] = debts.map(|debt| Valuation {
                assets: 10_000,
                debt,
            });
            liquidation_due(&limits, [&used, &newest])
        };
        assert!(due([8_000, 8_000]) && due([8_000, 9_000]));
        assert!(!due([8_000, 7_999]) && !due([7_999, 8_000]));
    }

    #[test]
    fn a_liquidation_is_paid_at_the_newest_price_and_values_only_what_it_does_not_know() {
        let (used, newest) = (at(-100), at(100));
        assert_eq!(liquidation_prices(used, Some(newest), true), [newest, used]);
        // An uncertain one pays nothing.
        assert_eq!(
            liquidation_prices(used, Some(newest), false),
            [used, newest]
        );
        for certain in [true, false] {
            assert_eq!(liquidation_prices(used, None, certain), [used; 2]);
        }
        let position = hedged();
        let [then, now] = [used, newest].map(|price| position.value(price).unwrap());
        assert_ne!(then, now);
        let other = |prices, value| value_at_other(&position, prices, value).unwrap();
        assert_eq!(other([newest, used], &now), then);
        assert_eq!(other([newest; 2], &now), now);
    }

    #[test]
    fn a_rehedge_is_due_outside_the_band_at_used_and_newest_price() {
        let position = hedged();
        let policy = |delta_band_bps| Policy {
            hedge_bps: 10_000,
            delta_band_bps,
            ..Policy::default()
        };
        let due = |band_bps, used, newest: Option<i32>| {
            rehedge_due(&policy(band_bps), &position, at(used), newest.map(at)).unwrap()
        };
        // Of a band of 2 000 ticks 100 are a twentieth of the base, more below its middle and less above.
        let (low, high) = (due(400, -100, None).unwrap(), due(400, 100, None).unwrap());
        assert_eq!((low.trade, high.trade), (Trade::SellBase, Trade::BuyBase));
        let error = |tick| position.delta(at(tick)).unwrap().unsigned_abs();
        assert_eq!(u128::from(low.base), error(-100));
        assert_eq!(u128::from(high.base), error(100));
        assert_eq!(due(600, -100, None), None);
        assert_eq!(due(600, 100, None), None);
        // The newest is as good as the one that is used, and both count.
        assert_eq!(due(400, -100, Some(-100)), Some(low));
        assert_eq!(due(400, -100, Some(-150)), Some(low));
        assert_eq!(due(400, -150, Some(-100)), Some(low));
        for newest in [-50, 0, 100] {
            assert_eq!(due(400, -100, Some(newest)), None, "{newest}");
        }
        // Twice the band, exactly.
        let full = u128::from(position.full_base_up().unwrap());
        let twice = |band_bps: u32| error(-100) * 10_000 > full * u128::from(band_bps) * 2;
        for band_bps in 200..400 {
            let found = due(band_bps, -100, None).unwrap();
            assert_eq!(found.defensive, twice(band_bps), "{band_bps}");
            assert!(
                !found.defensive || !due(band_bps, -100, Some(-52)).is_some_and(|it| it.defensive)
            );
        }
        assert!(twice(200) && !twice(399));
        let flat = PositionModel {
            liquidity: 0,
            debt: Amounts::ZERO,
            ..position
        };
        let none = rehedge_due(&policy(1), &flat, at(0), None);
        assert_eq!(none.unwrap(), None);
    }

    #[test]
    fn a_recentering_is_due_at_one_edge_at_used_and_newest_price() {
        let band = Band::new(Tick::new(-100).unwrap(), Tick::new(100).unwrap()).unwrap();
        let automation = Automation {
            window_high_tick: 300,
            ..Automation::OFF
        };
        let due =
            |used, newest: Option<i32>| recenter_due(&automation, &band, at(used), newest.map(at));
        for (used, edge) in [(-101, Edge::Low), (100, Edge::High)] {
            assert_eq!(due(used, None), Some(edge));
            assert_eq!(due(used, Some(used)), Some(edge));
            for newest in [0, -used, 300] {
                assert_eq!(due(used, Some(newest)), None, "{used} {newest}");
            }
        }
        assert_eq!(due(0, Some(-101)), None);
        assert_eq!(due(300, Some(299)), None);
    }

    #[test]
    fn the_edge_is_a_part_of_the_band_and_everything_outside() {
        let band = Band::new(Tick::new(-100).unwrap(), Tick::new(100).unwrap()).unwrap();
        let due = |edge_bps, price| at_edge(&band, edge_bps, price);
        assert!(due(0, next(at(-100), -1)));
        assert!(!due(0, at(-100)));
        assert!(!due(0, next(at(100), -1)));
        assert!(due(0, at(100)));
        let width = band.sqrt_upper().x64() - band.sqrt_lower().x64();
        let tenth = (width / 10) as i128;
        assert!(due(1_000, next(at(-100), tenth - 1)));
        assert!(!due(1_000, next(at(-100), tenth + 1)));
        assert!(!due(1_000, next(at(100), -tenth - 1)));
        assert!(due(1_000, next(at(100), -tenth + 1)));
        assert!(due(1_000, SqrtPrice::MIN) && due(1_000, SqrtPrice::MAX));
    }

    #[test]
    fn a_band_is_centred_within_a_spacing() {
        for (ticks, price, expected) in [
            ([-640, 640], at(0), true),
            ([-640, 640], at(64), true),
            ([-640, 640], at(66), false),
            ([-640, 640], at(-64), true),
            ([-640, 640], at(-65), false),
            ([0, 640], at(0), false),
            ([i32::MIN, i32::MAX], at(0), true),
        ] {
            assert_eq!(centred(ticks, 64, price), expected, "{ticks:?}");
        }
    }

    #[test]
    fn widths_lie_within_the_owners_bounds() {
        let bounds = |min_width_ticks, max_width_ticks| Automation {
            min_width_ticks,
            max_width_ticks,
            ..Automation::OFF
        };
        assert!(width_allowed(&bounds(100, 200), [0, 100]));
        assert!(width_allowed(&bounds(100, 200), [-100, 100]));
        assert!(!width_allowed(&bounds(100, 200), [0, 99]));
        assert!(!width_allowed(&bounds(100, 200), [0, 201]));
        assert!(!width_allowed(&bounds(100, 200), [100, 0]));
        for ticks in [[0, 0], [0, 1], [i32::MIN, i32::MAX]] {
            assert!(!width_allowed(&Automation::OFF, ticks), "{ticks:?}");
        }
    }

    #[test]
    fn each_edge_and_the_floor_has_its_own_reaction() {
        let automation = Automation {
            min_equity: 1_000,
            window_low_tick: -50,
            window_high_tick: 50,
            at_low: 3,
            at_high: 2,
            at_floor: 1,
            ..Automation::OFF
        };
        let due = |price, equity| exit_due(&automation, price, equity);
        assert_eq!(due(at(0), 1_001), None);
        let floor = Some((ExitReason::Floor, Reaction::ExitAsIs));
        assert_eq!(due(at(0), 1_000), floor);
        assert_eq!(due(at(-60), -5), floor);
        let low = Some((ExitReason::Low, Reaction::ExitIntoQuote));
        assert_eq!(due(at(-50), 1_001), low);
        assert_eq!(due(next(at(-50), 1), 1_001), None);
        let high = Some((ExitReason::High, Reaction::ExitIntoBase));
        assert_eq!(due(at(50), 1_001), high);
        assert_eq!(due(next(at(50), -1), 1_001), None);
        assert!(inside_window(&automation, at(0)));
        assert!(!inside_window(&automation, at(50)) && !inside_window(&automation, at(-50)));

        let holding = Automation {
            at_low: 0,
            at_floor: 0,
            ..automation
        };
        assert_eq!(exit_due(&holding, at(-60), 0), None);
        assert_eq!(exit_due(&Automation::OFF, SqrtPrice::MIN, i128::MIN), None);
        assert_eq!(exit_due(&Automation::OFF, SqrtPrice::MAX, 0), None);
        assert!(inside_window(&Automation::OFF, SqrtPrice::MIN));
        assert!(inside_window(&Automation::OFF, SqrtPrice::MAX));
    }
}
