//! How wide a new band is, and where it lies.

use ballast::due;
use ballast::state::Automation;
use ballast_model::{SqrtPrice, Tick};

/// What a width depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WidthInput {
    /// Standard deviation of a day's move in ticks; `None`: not known, the width stays.
    pub volatility: Option<u32>,
    /// Fees a day expected in the present band, in basis points of assets; `None`: not known.
    pub fee_day_bps: Option<u32>,
    /// Width now, in ticks.
    pub current: u32,
    /// The owner's bounds, in ticks.
    pub bounds: [u32; 2],
    /// The pool's.
    pub tick_spacing: u16,
}

/// Days' standard deviations that fit between the ends of a band: two on either side, so that most days end inside.
const DEVIATIONS: u64 = 4;
/// A wanted width within this part of the present one leaves it as it is.
const TOLERATED_PERCENT: u64 = 20;

/// The width of a new band in ticks, within the owner's bounds; `None` if they hold no multiple of the spacing.
///
/// Four daily standard deviations, wider by what price moves cost in the present band over what it earns, or narrower if it
/// earns more, by a factor of two at most. (Of assets in a band of width w ticks, moves of s ticks a day cost about
/// `s^2 / 2w` basis points a day: the curvature `s^2 / 8` of the whole range, times its concentration `4 / w`.) A width that
/// would change by a fifth at most stays. (The width at which fees less curvature less rehedging are largest was compared and not
/// adopted: docs/PARAMETERS.md.) Even multiples of the spacing are preferred, since only they are centred on a tick
/// that a band may end at.
pub fn width_ticks(input: &WidthInput) -> Option<u32> {
    let wanted = wanted(input);
    let [least, most] = input.bounds.map(u64::from);
    let (least, most) = (least.max(1), most.min(u64::from(WIDEST)));
    let fit = |unit: u64| {
        let (low, high) = (least.div_ceil(unit) * unit, most / unit * unit);
        (low <= high).then(|| ((wanted + unit / 2) / unit * unit).clamp(low, high))
    };
    let spacing = u64::from(input.tick_spacing.max(1));
    let width = fit(2 * spacing).or_else(|| fit(spacing))?;
    u32::try_from(width).ok()
}

/// Ticks between the lowest and the highest there is.
const WIDEST: u32 = Tick::MAX.get().abs_diff(Tick::MIN.get());

fn wanted(input: &WidthInput) -> u64 {
    let current = u64::from(input.current);
    let Some(volatility) = input.volatility.map(u64::from) else {
        return current;
    };
    let base = volatility.saturating_mul(DEVIATIONS);
    let fitted = match input.fee_day_bps.map(u64::from) {
        Some(fees) if current > 0 => {
            let cost = volatility.saturating_mul(volatility) / (2 * current);
            // cost / fees between a half and two.
            let numerator = cost.clamp(fees / 2, fees.saturating_mul(2));
            // Without any fees the cost is more than twice as much.
            let scaled = base.saturating_mul(numerator).checked_div(fees);
            scaled.unwrap_or(base.saturating_mul(2))
        }
        _ => base,
    };
    let fitted = fitted.min(u64::from(WIDEST));
    if fitted.abs_diff(current) * 100 <= current * TOLERATED_PERCENT {
        current
    } else {
        fitted
    }
}

/// The band of that width around a price that the program takes for centred; `None` near the ends of all prices.
pub fn band_around(price: SqrtPrice, width: u32, tick_spacing: u16) -> Option<[i32; 2]> {
    let spacing = i64::from(tick_spacing.max(1));
    let (tick, width) = (i64::from(price.tick().get()), i64::from(width));
    // The lower end nearest to half a width below the price, on the grid.
    let nearest = (tick - width / 2 + spacing / 2).div_euclid(spacing) * spacing;
    [nearest, nearest - spacing, nearest + spacing]
        .into_iter()
        .filter_map(|lower| {
            let end = |tick| Tick::new(i32::try_from(tick).ok()?).ok();
            Some([end(lower)?.get(), end(lower + width)?.get()])
        })
        .find(|ticks| due::centred(*ticks, tick_spacing, price))
}

/// The owner's bounds, as [`WidthInput`] takes them.
pub fn bounds(automation: &Automation) -> [u32; 2] {
    [automation.min_width_ticks, automation.max_width_ticks]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INPUT: WidthInput = WidthInput {
        volatility: None,
        fee_day_bps: None,
        current: 1_000,
        bounds: [200, 4_000],
        tick_spacing: 4,
    };

    fn width(volatility: u32, current: u32) -> Option<u32> {
        width_ticks(&WidthInput {
            volatility: Some(volatility),
            current,
            ..INPUT
        })
    }

    #[test]
    fn near_the_ends_of_all_prices_a_band_lies_as_near_as_there_is_room() {
        let around = |tick| {
            let tick = Tick::new(tick).unwrap();
            band_around(tick.sqrt_price(), 200, 4)
        };
        // The nearest band would end at 443640, or at -443640.
        assert_eq!(around(443_535), Some([443_436, 443_636]));
        assert_eq!(around(443_538), Some([443_436, 443_636]));
        assert_eq!(around(443_545), None);
        assert_eq!(around(-443_537), Some([-443_636, -443_436]));
        assert_eq!(around(-443_540), Some([-443_636, -443_436]));
        assert_eq!(around(-443_545), None);
    }

    #[test]
    fn it_widens_after_spikes_narrows_when_it_is_calm_and_otherwise_stays() {
        assert_eq!(width_ticks(&INPUT), Some(1_000));
        // Four deviations within a fifth of the present width.
        assert_eq!(width(200, 1_000), Some(1_000));
        assert_eq!(width(300, 1_000), Some(1_000));
        assert_eq!(width(301, 1_000), Some(1_208));
        assert_eq!(width(199, 1_000), Some(800));
        assert_eq!(width(0, 1_000), Some(200));
        assert_eq!(width(u32::MAX, 1_000), Some(4_000));
    }

    #[test]
    fn what_the_band_earns_makes_it_narrower_and_what_moves_cost_wider() {
        let with_fees = |fees| {
            width_ticks(&WidthInput {
                volatility: Some(400),
                fee_day_bps: Some(fees),
                ..INPUT
            })
        };
        // Moves of 400 ticks a day cost 80 basis points a day in a band of 1000.
        assert_eq!(with_fees(80), Some(1_600));
        assert_eq!(with_fees(100), Some(1_280));
        assert_eq!(with_fees(160), Some(1_000));
        assert_eq!(with_fees(1_000), Some(1_000));
        assert_eq!(with_fees(60), Some(2_136));
        for fees in [40, 10, 1, 0] {
            assert_eq!(with_fees(fees), Some(3_200), "{fees}");
        }
    }

    #[test]
    fn bounds_without_a_multiple_of_the_spacing_hold_no_width() {
        let within = |bounds| {
            width_ticks(&WidthInput {
                bounds,
                tick_spacing: 64,
                ..INPUT
            })
        };
        assert_eq!(within([900, 1_000]), Some(960));
        assert_eq!(within([200, 250]), None);
        assert_eq!(within([1_024, 1_024]), Some(1_024));
    }

    #[test]
    fn a_band_of_no_width_grows_to_four_deviations() {
        let input = WidthInput {
            volatility: Some(300),
            fee_day_bps: Some(80),
            current: 0,
            ..INPUT
        };
        assert_eq!(width_ticks(&input), Some(1_200));
    }

    #[test]
    fn a_band_begins_where_the_grid_is_nearest_to_half_its_width_below() {
        let around = |tick, width, spacing| {
            band_around(Tick::new(tick).unwrap().sqrt_price(), width, spacing)
        };
        assert_eq!(around(0, 1_000, 4), Some([-500, 500]));
        assert_eq!(around(1, 1_000, 4), Some([-500, 500]));
        assert_eq!(around(3, 1_000, 4), Some([-496, 504]));
        assert_eq!(around(7, 1_024, 64), Some([-512, 512]));
        assert_eq!(around(40, 1_024, 64), Some([-448, 576]));
        assert_eq!(around(-40, 1_024, 64), Some([-576, 448]));
        // No band reaches beyond the ticks.
        assert_eq!(around(443_600, 1_000, 4), None);
    }

    proptest! {
        #[test]
        fn every_band_is_one_that_the_program_takes(
            volatility in proptest::option::of(prop_oneof![4 => 0u32..2_000, 1 => any::<u32>()]),
            fee_day_bps in proptest::option::of(prop_oneof![4 => 0u32..500, 1 => any::<u32>()]),
            current in 1u32..100_000,
            least in 1u32..5_000,
            more in 0u32..20_000,
            spacing in prop_oneof![Just(1u16), Just(4), Just(8), Just(64), Just(128)],
            tick in -300_000i32..300_000,
            within in 0u128..1 << 40,
        ) {
            let bounds = [least, least + more];
            let input = WidthInput { volatility, fee_day_bps, current, bounds, tick_spacing: spacing };
            let price = Tick::new(tick).unwrap().sqrt_price();
            let price = SqrtPrice::new(price.x64() + within).unwrap();
            let Some(width) = width_ticks(&input) else {
                prop_assert!(more < u32::from(spacing));
                return Ok(());
            };
            let [lower, upper] = band_around(price, width, spacing).unwrap();
            prop_assert_eq!((lower % i32::from(spacing), upper % i32::from(spacing)), (0, 0));
            prop_assert!(due::centred([lower, upper], spacing, price));
            let automation = Automation {
                min_width_ticks: bounds[0],
                max_width_ticks: bounds[1],
                ..Automation::OFF
            };
            prop_assert!(due::width_allowed(&automation, [lower, upper]));
        }
    }
}
