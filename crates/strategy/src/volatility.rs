//! How much a market's price moves: exponentially weighted averages of its squared steps, in ticks (one basis point of the
//! price each), in integers, so that the same prices always give the same number.

use ballast_clmm::wide::mul_div_down;
use serde::{Deserialize, Serialize};

/// Steps are not taken more often than this: shorter ones measure the oracle's noise.
const SHORTEST_STEP_SECS: i64 = 60;
/// Time constants of the two averages: the fast one follows a spike, the slow one remembers it.
const TIME_CONSTANTS_SECS: [u32; 2] = [3_600, 86_400];
/// Steps must have been seen over at least this long before anything is said.
const WARM_UP_SECS: i64 = 1_800;
const SECS_PER_DAY: u128 = 86_400;
/// Fractional bits of a variance.
const SCALE_BITS: u32 = 20;

/// Realised volatility of one market, fed by oracle prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volatility {
    /// Tick and publish time at which the last step ended.
    last: Option<(i32, i64)>,
    /// Time over which steps were seen.
    seen_secs: i64,
    /// Variances per day, ticks squared, scaled.
    variances: [u128; 2],
}

impl Volatility {
    /// As after a long time in which a day's move had this standard deviation, up to a price and its publish time.
    pub fn settled(ticks_per_day: u32, tick: i32, published_secs: i64) -> Self {
        let ticks = u128::from(ticks_per_day);
        Self {
            last: Some((tick, published_secs)),
            seen_secs: WARM_UP_SECS,
            variances: [(ticks * ticks) << SCALE_BITS; 2],
        }
    }

    /// Takes in a price's tick and publish time. Prices that are not newer, or too close to the last one, are left out.
    pub fn observe(&mut self, tick: i32, published_secs: i64) {
        let Some((last_tick, last_secs)) = self.last else {
            self.last = Some((tick, published_secs));
            return;
        };
        let elapsed = published_secs.saturating_sub(last_secs);
        if elapsed < SHORTEST_STEP_SECS {
            return;
        }
        self.last = Some((tick, published_secs));
        self.seen_secs = self.seen_secs.saturating_add(elapsed);
        let elapsed = elapsed.unsigned_abs();
        let step = u128::from(tick.abs_diff(last_tick));
        // Ticks have 20 bits: 40 + 17 + 20 bits at most.
        let per_day = ((step * step * SECS_PER_DAY) << SCALE_BITS) / u128::from(elapsed);
        for (variance, constant) in self.variances.iter_mut().zip(TIME_CONSTANTS_SECS) {
            let whole = u128::from(elapsed) + u128::from(constant);
            let part = |value, parts: u128| mul_div_down(value, parts, whole).unwrap_or(0);
            *variance = part(*variance, u128::from(constant)) + part(per_day, u128::from(elapsed));
        }
    }

    /// Standard deviation of a day's move in ticks, by the larger of both averages; `None` before enough was seen.
    pub fn ticks_per_day(&self) -> Option<u32> {
        let variance = self.variances.iter().max()? >> SCALE_BITS;
        (self.seen_secs >= WARM_UP_SECS)
            .then(|| u32::try_from(variance.isqrt()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A price that jumps to and fro by `step` ticks every minute.
    fn fed(volatility: &mut Volatility, from_secs: i64, minutes: i64, step: i32) {
        for minute in 0..minutes {
            let tick = if minute % 2 == 0 { 0 } else { step };
            volatility.observe(tick, from_secs + 60 * minute);
        }
    }

    #[test]
    fn equal_steps_give_their_size_times_the_root_of_their_number() {
        let mut volatility = Volatility::default();
        fed(&mut volatility, 1_000, 3 * 1_440, 10);
        // 10 ticks every minute: 10 * sqrt(1440) a day.
        assert_eq!(volatility.ticks_per_day(), Some(379));
    }

    #[test]
    fn nothing_is_said_before_half_an_hour_and_of_a_still_price_zero() {
        let mut volatility = Volatility::default();
        assert_eq!(volatility.ticks_per_day(), None);
        fed(&mut volatility, 0, 30, 10);
        assert_eq!(volatility.ticks_per_day(), None);
        let mut still = Volatility::default();
        fed(&mut still, 0, 100, 0);
        assert_eq!(still.ticks_per_day(), Some(0));
    }

    #[test]
    fn what_has_settled_is_said_at_once_and_moves_with_the_price() {
        let mut volatility = Volatility::settled(379, 0, 1_000);
        assert_eq!(volatility.ticks_per_day(), Some(379));
        // Equal steps that give as much leave it there.
        fed(&mut volatility, 1_000, 1_440, 10);
        assert!(volatility.ticks_per_day().unwrap().abs_diff(379) <= 1);
        fed(&mut volatility, 90_000, 3 * 1_440, 30);
        assert!(volatility.ticks_per_day().unwrap() > 3 * 379 - 30);
    }

    #[test]
    fn a_spike_is_followed_at_once_and_forgotten_slowly() {
        let mut volatility = Volatility::default();
        fed(&mut volatility, 0, 2_000, 5);
        let calm = volatility.ticks_per_day().unwrap();
        assert_eq!(calm, 189);
        volatility.observe(600, 120_060);
        let spike = volatility.ticks_per_day().unwrap();
        assert!(spike > 6 * calm, "{spike}");
        // The way back is a second one. Four hours later the fast average has forgotten most of it; the slow one keeps some.
        fed(&mut volatility, 120_120, 240, 5);
        let later = volatility.ticks_per_day().unwrap();
        assert!((2 * calm..spike / 2).contains(&later), "{later}");
        fed(&mut volatility, 200_000, 7 * 1_440, 5);
        assert!(volatility.ticks_per_day().unwrap() <= calm + 1);
    }

    #[test]
    fn old_and_hasty_prices_change_nothing() {
        let mut volatility = Volatility::default();
        fed(&mut volatility, 0, 60, 7);
        let before = volatility;
        volatility.observe(9_999, 0);
        volatility.observe(9_999, 59 * 60 + 59);
        assert_eq!(volatility, before);
    }

    proptest! {
        #[test]
        fn no_prices_are_too_wild_and_the_average_lies_among_the_steps(
            prices in proptest::collection::vec((-443_636i32..=443_636, 60i64..100_000), 2..50),
        ) {
            let mut volatility = Volatility::default();
            let (mut now, mut largest) = (0i64, 0u128);
            let mut last: Option<i32> = None;
            for (tick, pause) in prices {
                now += pause;
                volatility.observe(tick, now);
                if let Some(last) = last {
                    let step = u128::from(tick.abs_diff(last));
                    largest = largest.max(step * step * SECS_PER_DAY / pause.unsigned_abs() as u128 + 1);
                }
                last = Some(tick);
            }
            if let Some(ticks) = volatility.ticks_per_day() {
                prop_assert!(u128::from(ticks).pow(2) <= largest);
            }
        }
    }
}
