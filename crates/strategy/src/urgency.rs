//! How urgent an action is: by price, by time and by money to the liquidation boundary. Values alone.
//!
//! *Price* is the distance to the boundary. *Time* is how long the price usually takes for that distance: after a spike the same
//! distance is gone sooner. The more urgent of the two counts. *Money* is what a liquidation would take: it says what a place in a
//! block may be worth.

use ballast::state::Market;
use ballast_abi::clusters::WRAPPED_SOL_MINT;
use ballast_model::{Bps, ModelError, Side, SqrtPrice, Valuation, base_for_value_up};

/// Which of a market's tokens is SOL.
pub fn sol_side(market: &Market) -> Option<Side> {
    if market.base_mint == WRAPPED_SOL_MINT {
        Some(Side::Base)
    } else {
        (market.quote_mint == WRAPPED_SOL_MINT).then_some(Side::Quote)
    }
}

const SECS_PER_DAY: u128 = 86_400;
/// Nothing is more urgent than this, in millionths.
pub const MOST_URGENT_PPM: u32 = 1_000_000;

/// What is known of a position's boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stakes {
    /// Distance of the price to it; `None`: there is none.
    pub distance_bps: Option<u32>,
    /// Standard deviation of a day's move, ticks; `None`: not known yet.
    pub day_ticks: Option<u32>,
    /// What a liquidation would take from the position beyond its debt, lamports; `None`: not known in SOL.
    pub at_stake_lamports: Option<u64>,
}

/// Between which distances, and which times, urgency rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fences {
    /// From this distance on nothing is urgent by price.
    pub relaxed_distance_bps: u32,
    /// Within this distance everything is.
    pub urgent_distance_bps: u32,
    /// From this time on nothing is urgent by time.
    pub relaxed_secs: u32,
    /// Within this time everything is.
    pub urgent_secs: u32,
}

impl Stakes {
    /// The time in which a usual move reaches the boundary, rounded down: the square of the distance in usual days' moves, in days. `None`
    /// without a boundary, or where nothing is known of moves.
    pub fn usual_secs_down(&self) -> Option<u64> {
        let (distance, ticks) = (self.distance_bps?, self.day_ticks?);
        let (distance, ticks) = (u128::from(distance), u128::from(ticks));
        let secs = (distance * distance * SECS_PER_DAY).checked_div(ticks * ticks);
        // Where nothing moves it takes for ever.
        Some(secs.map_or(u64::MAX, |secs| u64::try_from(secs).unwrap_or(u64::MAX)))
    }

    /// Urgency in millionths. Every attempt before this one that did not land halves the distance.
    pub fn urgency_ppm(&self, fences: &Fences, attempt: u32) -> u32 {
        let Some(distance) = self.distance_bps else {
            // No boundary: only attempts count, from the relaxed distance.
            let distance = shifted(fences.relaxed_distance_bps, attempt);
            return by_price(fences, distance);
        };
        let near = Self {
            distance_bps: Some(shifted(distance, attempt)),
            ..*self
        };
        let by_time = near
            .usual_secs_down()
            .map_or(0, |secs| by_time(fences, secs));
        by_price(fences, shifted(distance, attempt)).max(by_time)
    }

    /// Whether there is no time to lose.
    pub fn is_urgent(&self, fences: &Fences) -> bool {
        let near = |distance: u32| distance <= fences.urgent_distance_bps;
        let soon = |secs: u64| secs <= u64::from(fences.urgent_secs);
        self.distance_bps.is_some_and(near) || self.usual_secs_down().is_some_and(soon)
    }

    /// Most that a transaction may be worth, lamports, rounded down: a part of what is at stake. `None`: no such bound.
    pub fn worth_lamports_down(&self, part: Bps) -> Option<u64> {
        let at_stake = u128::from(self.at_stake_lamports?);
        let worth = at_stake * u128::from(part.get()) / u128::from(Bps::ONE.get());
        Some(u64::try_from(worth).unwrap_or(u64::MAX))
    }
}

fn shifted(distance: u32, attempt: u32) -> u32 {
    distance.checked_shr(attempt).unwrap_or(0)
}

fn by_price(fences: &Fences, distance: u32) -> u32 {
    let (near, far) = (fences.urgent_distance_bps, fences.relaxed_distance_bps);
    rise_down(near.into(), far.into(), distance.into())
}

fn by_time(fences: &Fences, secs: u64) -> u32 {
    rise_down(fences.urgent_secs.into(), fences.relaxed_secs.into(), secs)
}

/// From nothing at `far` to everything at `near`, linearly. Where both are the same all within is urgent.
fn rise_down(near: u64, far: u64, at: u64) -> u32 {
    if at >= far {
        return 0;
    }
    let (gone, way) = (far - at.max(near), far.saturating_sub(near));
    let rise = u128::from(gone) * u128::from(MOST_URGENT_PPM);
    let rise = rise.checked_div(way.into());
    rise.and_then(|rise| u32::try_from(rise).ok())
        .unwrap_or(MOST_URGENT_PPM)
}

/// What a liquidation takes beyond the debt, in lamports, rounded up: its bonus on the debt. `sol`: which of the two tokens is SOL;
/// `None`: neither, so that it is not known.
///
/// # Errors
/// [`ModelError`] where it does not fit.
pub fn at_stake_lamports_up(
    value: &Valuation,
    oracle: SqrtPrice,
    bonus: Bps,
    sol: Option<Side>,
) -> Result<Option<u64>, ModelError> {
    let Some(lost) = bonus.of_up(value.debt) else {
        return Err(ModelError::Overflow("liquidation bonus"));
    };
    Ok(match sol {
        None => None,
        Some(Side::Quote) => Some(u64::try_from(lost).unwrap_or(u64::MAX)),
        Some(Side::Base) => Some(base_for_value_up(lost, oracle).unwrap_or(u64::MAX)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures;

    const FENCES: Fences = Fences {
        relaxed_distance_bps: 1_000,
        urgent_distance_bps: 100,
        relaxed_secs: 21_600,
        urgent_secs: 600,
    };

    fn stakes(distance_bps: u32, day_ticks: Option<u32>) -> Stakes {
        Stakes {
            distance_bps: Some(distance_bps),
            day_ticks,
            at_stake_lamports: None,
        }
    }

    #[test]
    fn sol_is_known_by_its_mint() {
        let mut market = crate::fixtures::snapshot(200).market;
        assert_eq!(sol_side(&market), None);
        market.quote_mint = WRAPPED_SOL_MINT;
        assert_eq!(sol_side(&market), Some(Side::Quote));
        market.base_mint = WRAPPED_SOL_MINT;
        assert_eq!(sol_side(&market), Some(Side::Base));
    }

    #[test]
    fn a_usual_day_of_four_per_cent_goes_one_per_cent_in_an_hour_and_a_half() {
        assert_eq!(stakes(100, Some(400)).usual_secs_down(), Some(5_400));
        assert_eq!(stakes(400, Some(400)).usual_secs_down(), Some(86_400));
        assert_eq!(stakes(400, Some(0)).usual_secs_down(), Some(u64::MAX));
        assert_eq!(stakes(0, Some(0)).usual_secs_down(), Some(u64::MAX));
        assert_eq!(stakes(400, None).usual_secs_down(), None);
        assert_eq!(Stakes::default().usual_secs_down(), None);
    }

    #[test]
    fn the_more_urgent_of_price_and_time_counts() {
        let urgency = |stakes: Stakes| stakes.urgency_ppm(&FENCES, 0);
        // By price alone, as far as nothing is known of moves.
        for (distance, expected) in [(1_000, 0), (550, 500_000), (100, 1_000_000), (0, 1_000_000)] {
            assert_eq!(urgency(stakes(distance, None)), expected, "{distance}");
        }
        // Quiet markets change nothing; in a wild one the same distance is nearer.
        assert_eq!(urgency(stakes(550, Some(100))), 500_000);
        assert_eq!(urgency(stakes(550, Some(2_000))), 717_428);
        assert_eq!(urgency(stakes(550, Some(10_000))), 1_000_000);
        assert!(stakes(550, Some(10_000)).is_urgent(&FENCES));
        assert!(!stakes(550, Some(2_000)).is_urgent(&FENCES));
        assert!(stakes(100, None).is_urgent(&FENCES));
        assert!(!Stakes::default().is_urgent(&FENCES));
    }

    #[test]
    fn what_did_not_land_is_nearer_each_time_and_without_a_boundary_too() {
        assert_eq!(
            stakes(900, None).urgency_ppm(&FENCES, 1),
            stakes(450, None).urgency_ppm(&FENCES, 0)
        );
        assert_eq!(stakes(900, None).urgency_ppm(&FENCES, 40), MOST_URGENT_PPM);
        assert_eq!(Stakes::default().urgency_ppm(&FENCES, 0), 0);
        assert_eq!(Stakes::default().urgency_ppm(&FENCES, 40), MOST_URGENT_PPM);
    }

    #[test]
    fn the_worked_example_would_lose_its_bonus_in_either_token() {
        let (market, position) = (fixtures::snapshot(200), fixtures::position());
        let model = fixtures::situation(&market, &position).model().unwrap();
        let oracle = fixtures::sqrt_price_cents(20_000);
        let value = model.value(oracle).unwrap();
        let stake = |sol| at_stake_lamports_up(&value, oracle, Bps::new(500), sol).unwrap();
        assert_eq!(stake(None), None);
        let quote = stake(Some(Side::Quote)).unwrap();
        assert_eq!(u128::from(quote), value.debt.div_ceil(20));
        // A dollar has 10^6 units, a SOL of 200 dollars 10^9.
        let base = stake(Some(Side::Base)).unwrap();
        assert!((quote * 5).abs_diff(base) <= 10, "{quote} {base}");
        let half = Stakes {
            at_stake_lamports: Some(101),
            ..Stakes::default()
        };
        assert_eq!(half.worth_lamports_down(Bps::new(5_000)), Some(50));
        assert_eq!(Stakes::default().worth_lamports_down(Bps::ONE), None);
    }

    fn fences() -> impl Strategy<Value = Fences> {
        ((0u32..5_000, 0u32..5_000), (0u32..100_000, 0u32..100_000)).prop_map(|(d, t)| Fences {
            urgent_distance_bps: d.0.min(d.1),
            relaxed_distance_bps: d.0.max(d.1),
            urgent_secs: t.0.min(t.1),
            relaxed_secs: t.0.max(t.1),
        })
    }

    proptest! {
        #[test]
        fn nearer_wilder_and_later_is_never_less_urgent(
            fences in fences(),
            distance in 0u32..20_000,
            nearer in 0u32..20_000,
            ticks in 0u32..100_000,
            wilder in 0u32..100_000,
            attempt in 0u32..40,
        ) {
            let now = stakes(distance, Some(ticks));
            let urgency = now.urgency_ppm(&fences, attempt);
            prop_assert!(urgency <= MOST_URGENT_PPM);
            let near = stakes(distance.saturating_sub(nearer), Some(ticks));
            prop_assert!(near.urgency_ppm(&fences, attempt) >= urgency);
            let wild = stakes(distance, Some(ticks.saturating_add(wilder)));
            prop_assert!(wild.urgency_ppm(&fences, attempt) >= urgency);
            prop_assert!(now.urgency_ppm(&fences, attempt + 1) >= urgency);
            // What is not known makes nothing more urgent.
            prop_assert!(stakes(distance, None).urgency_ppm(&fences, attempt) <= urgency);
        }

        #[test]
        fn what_is_urgent_is_most_urgent(fences in fences(), distance in 0u32..20_000, ticks in proptest::option::of(0u32..100_000)) {
            let stakes = stakes(distance, ticks);
            let strictly = fences.urgent_distance_bps < fences.relaxed_distance_bps
                && fences.urgent_secs < fences.relaxed_secs;
            if strictly && stakes.is_urgent(&fences) {
                prop_assert_eq!(stakes.urgency_ppm(&fences, 0), MOST_URGENT_PPM);
            }
        }

        #[test]
        fn more_at_stake_is_never_worth_less(a: u64, b: u64, part in 0u32..=10_000) {
            let worth = |lamports| {
                let stakes = Stakes { at_stake_lamports: Some(lamports), ..Stakes::default() };
                stakes.worth_lamports_down(Bps::new(part)).unwrap()
            };
            prop_assert!(worth(a.max(b)) >= worth(a.min(b)));
            prop_assert!(worth(a) <= a);
        }
    }
}
