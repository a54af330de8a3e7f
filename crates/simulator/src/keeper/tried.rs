//! Rules for new bands that were set beside the keeper's own: what a keeper sees under each. None is adopted (docs/PARAMETERS.md), and no
//! keeper of a market has them; here they can be compared again.

use ballast::state::Automation;
use ballast_strategy::fee_yield::{FeeYield, GrowthMark, MeasuredYield};
use serde::Deserialize;

/// What new bands are weighed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BandRule {
    /// As keepers do.
    #[default]
    Present,
    /// By the fees of hours as calm, or as wild, as it is now: [`ByRegime`].
    FeesByRegime,
    /// By fees less what price moves cost. Of a yield of y a day and a deviation of sigma that is `y - sigma^2 / 8`, and nothing where it
    /// is negative; liquidity earns one and loses the other in proportion, so that a new band is worth it where
    /// `fees - LVR - costs > 0` over the pay-back.
    FeesLessCurvature,
    /// With the width that earns most, for sigma and `n = y - sigma^2 / 8` as measured. Of its assets a band of width w (in the logarithm of
    /// the price) earns `4 n / w` a day. Its hedge goes from the end b of the delta band to half of it, and is there again after
    /// `3/4 (b w / sigma)^2` days; with a pool's fee of g that costs `2/3 g sigma^2 / (b w^2)` a day. Their difference is largest at
    /// `w = g sigma^2 / (3 n b)`; where nothing is earned the widest is best. Between two and eight daily deviations, as the present rule.
    BestWidth,
}

/// Least and most daily deviations in the best width.
const DEVIATIONS: [f64; 2] = [2.0, 8.0];
/// One tick of the price's logarithm.
const TICK: f64 = 1e-4;
/// 1 in Q0.64.
const ONE_X64: f64 = 18_446_744_073_709_551_616.0;

/// `sigma^2 / 8` of the value over the whole range, a day.
fn curvature(ticks_per_day: u32) -> f64 {
    (f64::from(ticks_per_day) * TICK).powi(2) / 8.0
}

/// A rule with what it remembers.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    rule: BandRule,
    /// Where the rule asks for it.
    regimes: Option<ByRegime>,
}

impl Tried {
    /// From a moment on.
    pub fn new(rule: BandRule, begun: GrowthMark) -> Self {
        Self {
            rule,
            regimes: (rule == BandRule::FeesByRegime).then(|| ByRegime::new(begun)),
        }
    }

    /// Takes in what a pool shows after an hour or more, and what volatility is then.
    pub fn observe(&mut self, now: GrowthMark, ticks_per_day: Option<u32>) {
        if let Some(regimes) = &mut self.regimes {
            regimes.observe(now, ticks_per_day);
        }
    }

    /// The yield that new bands are weighed by, of what the present rule measures.
    pub fn fee_yield(
        &self,
        measured: Option<MeasuredYield>,
        ticks_per_day: Option<u32>,
    ) -> Option<MeasuredYield> {
        let (Some(measured), Some(ticks_per_day)) = (measured, ticks_per_day) else {
            return measured;
        };
        match (self.rule, &self.regimes) {
            (BandRule::FeesByRegime, Some(regimes)) => regimes.measured(ticks_per_day),
            (BandRule::FeesLessCurvature, _) => Some(less_curvature(measured, ticks_per_day)),
            _ => Some(measured),
        }
    }

    /// What an owner allows: where the rule says so, the width that earns most alone.
    pub fn allowed(
        &self,
        automation: Automation,
        delta_band_bps: u32,
        measured: Option<MeasuredYield>,
        ticks_per_day: Option<u32>,
        (fee_ppm, tick_spacing): (u16, u16),
    ) -> Automation {
        let (BandRule::BestWidth, Some(measured), Some(ticks_per_day)) =
            (self.rule, measured, ticks_per_day)
        else {
            return automation;
        };
        let width = best_width(measured, ticks_per_day, fee_ppm, delta_band_bps);
        // A band that is centred on a tick it may end at. `as` saturates.
        let unit = 2 * u32::from(tick_spacing.max(1));
        let ticks = ((width / TICK / f64::from(unit)).round() as u32).saturating_mul(unit);
        let least = automation.min_width_ticks.next_multiple_of(unit);
        let most = automation.max_width_ticks / unit * unit;
        let ticks = ticks.min(most).max(least);
        Automation {
            min_width_ticks: ticks,
            max_width_ticks: ticks,
            ..automation
        }
    }
}

/// A yield less what moves of so many ticks a day cost.
fn less_curvature(measured: MeasuredYield, ticks_per_day: u32) -> MeasuredYield {
    // `as` saturates.
    let cost_x64 = (curvature(ticks_per_day) * ONE_X64) as u64;
    MeasuredYield {
        day_x64: measured.day_x64.saturating_sub(cost_x64),
        ..measured
    }
}

/// See [`BandRule::BestWidth`]; in the logarithm of the price.
fn best_width(
    measured: MeasuredYield,
    ticks_per_day: u32,
    fee_ppm: u16,
    delta_band_bps: u32,
) -> f64 {
    let (sigma, fee) = (f64::from(ticks_per_day) * TICK, f64::from(fee_ppm) / 1e6);
    let band = f64::from(delta_band_bps) / 1e4;
    let net = measured.day_x64 as f64 / ONE_X64 - curvature(ticks_per_day);
    let [least, most] = DEVIATIONS.map(|deviations| deviations * sigma);
    if net > 0.0 && band > 0.0 {
        (fee * sigma * sigma / (3.0 * net * band)).clamp(least, most)
    } else {
        most
    }
}

/// Above so many times its long run volatility is wild.
const WILD: f64 = 1.5;
/// Hours that its long run goes back.
const LONG_RUN_HOURS: f64 = 14.0 * 24.0;
/// So much time in a regime leaves nothing of the other's yield.
const ENOUGH_SECS: u32 = 86_400;

/// Fees of calm and of wild hours, each measured by itself.
///
/// An hour is wild if the volatility measured at its end is above [`WILD`] times its long run, the root of its mean square. Each
/// regime has a [`FeeYield`] of its own, with a clock and a growth that go on in that regime alone, so that it remembers three days of it
/// however long ago they were. Of a regime of which less than a day was measured, the other's yield makes up for what is missing.
#[derive(Clone, Debug)]
struct ByRegime {
    last: GrowthMark,
    /// Calm and wild.
    regimes: [Own; 2],
    /// Mean square of the volatility, and hours that it is of.
    long_run: (f64, f64),
}

#[derive(Clone, Debug)]
struct Own {
    growth_x64: [u128; 2],
    secs: i64,
    fee_yield: FeeYield,
}

impl ByRegime {
    fn new(now: GrowthMark) -> Self {
        let mut own = Own {
            growth_x64: [0; 2],
            secs: 0,
            fee_yield: FeeYield::default(),
        };
        own.observe([0; 2], 0, &now);
        Self {
            last: now,
            regimes: [own.clone(), own],
            long_run: (0.0, 0.0),
        }
    }

    fn observe(&mut self, now: GrowthMark, ticks_per_day: Option<u32>) {
        let secs = now.secs.saturating_sub(self.last.secs);
        let grown =
            [0, 1].map(|side| now.growth_x64[side].wrapping_sub(self.last.growth_x64[side]));
        self.last = now;
        let Some(ticks_per_day) = ticks_per_day else {
            return;
        };
        let (mean, seen) = &mut self.long_run;
        let hours = secs as f64 / 3_600.0;
        *seen = (*seen + hours).min(LONG_RUN_HOURS);
        *mean += (f64::from(ticks_per_day).powi(2) - *mean) * (hours / *seen).min(1.0);
        let regime = self.regime(ticks_per_day);
        self.regimes[regime].observe(grown, secs, &now);
    }

    fn regime(&self, ticks_per_day: u32) -> usize {
        usize::from(f64::from(ticks_per_day) > WILD * self.long_run.0.sqrt())
    }

    /// What the pool pays while volatility is like that.
    fn measured(&self, ticks_per_day: u32) -> Option<MeasuredYield> {
        let now = self.regime(ticks_per_day);
        let [own, other] = [now, 1 - now].map(|regime| self.regimes[regime].fee_yield.measured());
        let (Some(own), Some(other)) = (own, other) else {
            return own.or(other);
        };
        let counts = u64::from(own.secs.min(ENOUGH_SECS));
        let whole = u64::from(ENOUGH_SECS);
        let day_x64 = u128::from(own.day_x64) * u128::from(counts)
            + u128::from(other.day_x64) * u128::from(whole - counts);
        Some(MeasuredYield {
            // A mean of two that are no more.
            day_x64: u64::try_from(day_x64 / u128::from(whole)).unwrap_or(u64::MAX),
            secs: own.secs.saturating_add(other.secs),
        })
    }
}

impl Own {
    fn observe(&mut self, grown: [u128; 2], secs: i64, now: &GrowthMark) {
        for (growth, grown) in self.growth_x64.iter_mut().zip(grown) {
            *growth = growth.wrapping_add(grown);
        }
        self.secs = self.secs.saturating_add(secs);
        self.fee_yield.observe(&GrowthMark {
            growth_x64: self.growth_x64,
            at: now.at,
            secs: self.secs,
        });
    }
}

#[cfg(test)]
mod tests {
    use ballast_model::SqrtPrice;

    use super::*;

    /// A unit's growth of a hundred-thousandth of the whole range's value, at a price of one.
    const UNIT: u128 = (1 << 64) / 100_000;

    /// So many hours of a volatility, each of which pays as many units.
    fn hours(pool: &mut ByRegime, count: u32, ticks_per_day: u32, units: u128) {
        for _ in 0..count {
            let mut now = pool.last;
            now.secs += 3_600;
            now.growth_x64 = now
                .growth_x64
                .map(|growth| growth.wrapping_add(units * UNIT));
            pool.observe(now, Some(ticks_per_day));
        }
    }

    fn pool() -> ByRegime {
        ByRegime::new(GrowthMark {
            growth_x64: [u128::MAX - 3; 2],
            at: SqrtPrice::ONE,
            secs: 1_700_000_000,
        })
    }

    #[track_caller]
    fn a_day(pool: &ByRegime, ticks_per_day: u32) -> f64 {
        let measured = pool.measured(ticks_per_day).unwrap();
        (measured.day_x64 as f64 / UNIT as f64 * 1e3).round() / 1e3
    }

    #[test]
    fn each_regime_remembers_what_it_pays() {
        let mut pool = pool();
        hours(&mut pool, 5, 300, 1);
        assert_eq!(pool.measured(300), None);
        hours(&mut pool, 91, 300, 1);
        // Of the wild one nothing is known: what is known stands for it.
        assert_eq!((a_day(&pool, 300), a_day(&pool, 800)), (24.0, 24.0));
        hours(&mut pool, 12, 800, 5);
        // Half a day is half of what is said.
        assert_eq!((a_day(&pool, 300), a_day(&pool, 800)), (24.0, 72.0));
        hours(&mut pool, 12, 800, 5);
        assert_eq!((a_day(&pool, 300), a_day(&pool, 800)), (24.0, 120.0));
        // A week of calm forgets nothing of it, and a gap is no loss.
        hours(&mut pool, 168, 300, 1);
        assert_eq!((a_day(&pool, 300), a_day(&pool, 800)), (24.0, 120.0));
    }

    #[test]
    fn what_moves_all_the_time_is_the_long_run() {
        let mut pool = pool();
        hours(&mut pool, 200, 800, 5);
        assert_eq!((a_day(&pool, 800), pool.regime(800)), (120.0, 0));
        assert_eq!((pool.regime(1_199), pool.regime(1_201)), (0, 1));
    }

    #[test]
    fn curvature_comes_off_a_yield() {
        // 4 % a day cost 2 bp of the whole range.
        let measured = |day: f64| MeasuredYield {
            day_x64: (day * ONE_X64) as u64,
            secs: 7,
        };
        let left = less_curvature(measured(3e-4), 400);
        assert!((left.day_x64 as f64 / ONE_X64 - 1e-4).abs() < 1e-12);
        assert_eq!(less_curvature(measured(1e-4), 400), measured(0.0));
    }

    #[test]
    fn the_best_width_is_where_the_formula_has_its_maximum() {
        let (sigma, fee, band, net) = (0.04f64, 0.003, 0.1, 1e-4);
        let width = |net: f64| {
            let measured = MeasuredYield {
                day_x64: ((net + sigma * sigma / 8.0) * ONE_X64) as u64,
                secs: 0,
            };
            best_width(measured, 400, 3_000, 1_000)
        };
        let earned = |w: f64| 4.0 * net / w - 2.0 / 3.0 * fee * sigma * sigma / (band * w * w);
        let best = width(net);
        assert!((0.1..0.3).contains(&best), "{best}");
        for other in [0.999 * best, 1.001 * best] {
            assert!(earned(other) < earned(best), "{best}");
        }
        // Two and eight deviations bound it.
        let bounds = [width(1.0), width(-1e-5)];
        assert!((bounds[0] - 0.08).abs() < 1e-12 && (bounds[1] - 0.32).abs() < 1e-12);
    }

    #[test]
    fn an_owner_bounds_the_best_width() {
        let allowed = |rule, least, most| {
            let automation = Automation {
                min_width_ticks: least,
                max_width_ticks: most,
                ..Automation::OFF
            };
            let nothing_paid = Some(MeasuredYield {
                day_x64: 0,
                secs: 0,
            });
            let tried = Tried::new(rule, pool().last);
            let cut = tried.allowed(automation, 1_000, nothing_paid, Some(400), (400, 4));
            [cut.min_width_ticks, cut.max_width_ticks]
        };
        assert_eq!(allowed(BandRule::BestWidth, 400, 8_000), [3_200; 2]);
        assert_eq!(allowed(BandRule::BestWidth, 400, 1_005), [1_000; 2]);
        assert_eq!(allowed(BandRule::BestWidth, 4_001, 8_000), [4_008; 2]);
        assert_eq!(allowed(BandRule::Present, 400, 8_000), [400, 8_000]);
    }
}
