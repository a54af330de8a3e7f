//! Reserves on a path: what of them is lent out wanders, and what borrowers pay follows the program's rate curve.

use ballast_model::{Bps, Side, lending::RateCurve};
use rand_chacha::ChaCha8Rng;

use crate::{
    SimulationError,
    desk::PLENTY,
    reversion::{Reversion, reverted},
};

const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// A reserve that others lend to and borrow from, so much that the position's own debt does not move it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReserveTerms {
    /// The part that is lent out, from 0 to 1. It begins at its mean; where it wanders beyond an end it is as if at that end.
    pub utilisation: Reversion,
    /// What borrowers pay at each.
    pub curve: RateCurve,
    /// Above this nobody may borrow more.
    pub max_utilisation: Bps,
}

impl ReserveTerms {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn check(&self) -> Result<(), SimulationError> {
        self.utilisation.check_part([
            "mean utilisation",
            "deviation of utilisation",
            "half-life of utilisation",
        ])
    }

    /// The yearly rate where so much is lent out, Q64.64.
    pub fn rate_x64(&self, utilisation: f64) -> u128 {
        self.curve.rate_x64_up(x64(utilisation))
    }
}

/// A part as Q64, from 0 to 1.
fn x64(part: f64) -> u128 {
    // `as` saturates.
    (part.clamp(0.0, 1.0) * TWO_POW_64) as u128
}

/// What a reserve has at hand, what others owe it, and up to where it lends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lent {
    /// Raw units at hand.
    pub liquidity: u64,
    /// Raw units that others owe.
    pub others: u64,
    /// Above this it lends nothing.
    pub max_utilisation: Bps,
}

impl Lent {
    /// One that has plenty and lends all of it.
    pub const PLENTY: Self = Self {
        liquidity: PLENTY,
        others: 0,
        max_utilisation: Bps::ONE,
    };
}

/// A reserve on one path.
#[derive(Clone, Debug)]
struct Reserve {
    terms: ReserveTerms,
    rng: ChaCha8Rng,
    /// Where utilisation has wandered, beyond its ends as well.
    level: f64,
    rate_x64: u128,
    /// What was paid since the debts were last counted anew: yearly rates times seconds.
    paid: u128,
}

/// The reserves on one path; one that does not move is not there.
#[derive(Clone, Debug)]
pub(crate) struct Reserves {
    sides: [Option<Reserve>; 2],
    now_secs: u64,
}

const fn index(side: Side) -> usize {
    match side {
        Side::Base => 0,
        Side::Quote => 1,
    }
}

impl Reserves {
    /// As they are at the start; `rng` draws for each.
    pub fn new(terms: &[Option<ReserveTerms>; 2], rng: impl Fn(Side) -> ChaCha8Rng) -> Self {
        let reserve = |side: Side| {
            terms[index(side)].map(|terms| Reserve {
                level: terms.utilisation.mean,
                rate_x64: terms.rate_x64(terms.utilisation.mean),
                terms,
                rng: rng(side),
                paid: 0,
            })
        };
        Self {
            sides: [reserve(Side::Base), reserve(Side::Quote)],
            now_secs: 0,
        }
    }

    /// Time passes until a look. Until there borrowers pay what they paid at the last one.
    pub fn pass(&mut self, secs: u64) {
        let span = secs - self.now_secs;
        self.now_secs = secs;
        for reserve in self.sides.iter_mut().flatten() {
            reserve.paid += reserve.rate_x64 * u128::from(span);
            let walk = &reserve.terms.utilisation;
            reserve.level = reverted(walk, reserve.level, span, &mut reserve.rng);
            reserve.rate_x64 = reserve.terms.rate_x64(reserve.level);
        }
    }

    /// Debts are counted anew from now on.
    pub fn anchor(&mut self) {
        for reserve in self.sides.iter_mut().flatten() {
            reserve.paid = 0;
        }
    }

    /// The mean yearly rates, Q64.64, of the `span` seconds since then that end at `secs`; of what is still to come the highest that can be.
    /// `still`: those of reserves that do not move.
    pub fn mean_rates(&self, still: [u128; 2], secs: u64, span: u64) -> [u128; 2] {
        let to_come = u128::from(secs.saturating_sub(self.now_secs));
        let span = u128::from(span.max(1));
        let mut rates = still;
        for (rate, reserve) in rates.iter_mut().zip(&self.sides) {
            if let Some(reserve) = reserve {
                let highest = reserve.terms.rate_x64(1.0);
                *rate = (reserve.paid + highest * to_come).div_ceil(span);
            }
        }
        rates
    }

    /// What one of them has; `None`: it does not move.
    pub fn lent(&self, side: Side) -> Option<Lent> {
        let reserve = self.sides[index(side)].as_ref()?;
        let others = (u128::from(PLENTY) * x64(reserve.level)) >> 64;
        let others = u64::try_from(others).unwrap_or(PLENTY);
        Some(Lent {
            liquidity: PLENTY - others,
            others,
            max_utilisation: reserve.terms.max_utilisation,
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// 10 % at 80 %, 150 % at 100 %.
    const TERMS: ReserveTerms = ReserveTerms {
        utilisation: Reversion {
            mean: 0.7,
            sd: 0.2,
            half_life_hours: 12.0,
        },
        curve: RateCurve {
            kink_utilisation: Bps::new(8_000),
            rate_at_zero: Bps::new(0),
            rate_at_kink: Bps::new(1_000),
            rate_at_full: Bps::new(15_000),
        },
        max_utilisation: Bps::new(9_500),
    };

    fn reserves(terms: [Option<ReserveTerms>; 2]) -> Reserves {
        Reserves::new(&terms, |side| {
            ChaCha8Rng::seed_from_u64(81 + index(side) as u64)
        })
    }

    fn rate(x64: u128) -> f64 {
        x64 as f64 / TWO_POW_64
    }

    /// The long run's mean and deviation of what is lent out, each reserve on its own; what is paid is the curve's, step by step.
    #[test]
    fn what_is_paid_follows_what_is_lent_out() {
        let wide = ReserveTerms {
            utilisation: Reversion {
                mean: 0.5,
                sd: 0.1,
                ..TERMS.utilisation
            },
            ..TERMS
        };
        let mut both = reserves([Some(TERMS), Some(wide)]);
        let (mut paid, mut sums) = (0.0, [[0.0; 3]; 2]);
        let (count, step) = (60_000, 3_600);
        for index in 1..=count {
            let lent = both.lent(Side::Base).unwrap();
            let used = lent.others as f64 / PLENTY as f64;
            assert_eq!(lent.liquidity + lent.others, PLENTY);
            let expected = if used <= 0.8 {
                used / 0.8 * 0.1
            } else {
                0.1 + (used - 0.8) / 0.2 * 1.4
            };
            let before = both.mean_rates([0; 2], both.now_secs, both.now_secs);
            both.pass(index * step);
            paid += expected * step as f64;
            let after = both.mean_rates([0; 2], both.now_secs, both.now_secs);
            let total = rate(after[0]) * (index * step) as f64;
            assert!((total / paid - 1.0).abs() < 1e-9, "{index}: {total} {paid}");
            assert!(after[1] > 0 && (index == 1 || before[0] > 0));
            for (side, sums) in both.sides.iter().flatten().zip(&mut sums) {
                let off = side.level - side.terms.utilisation.mean;
                *sums = [sums[0] + off, sums[1] + off * off, sums[2] + 1.0];
            }
        }
        for ([sum, squares, count], sd) in sums.into_iter().zip([0.2, 0.1]) {
            assert!((sum / count).abs() < 0.02, "{sum}");
            assert!(
                ((squares / count).sqrt() / sd - 1.0).abs() < 0.05,
                "{squares}"
            );
        }
    }

    #[test]
    fn what_is_to_come_costs_no_more_than_it_is_taken_for() {
        let mut moved = reserves([None, Some(TERMS)]);
        moved.pass(600);
        let now = moved.mean_rates([7, 0], 600, 600);
        assert_eq!(now[0], 7);
        // From its mean's rate to the highest there is.
        assert!((rate(now[1]) - 0.0875).abs() < 1e-9);
        let then = moved.mean_rates([7, 0], 1_200, 1_200);
        assert!((rate(then[1]) - (0.0875 + 1.5) / 2.0).abs() < 1e-9);
        moved.anchor();
        assert_eq!(moved.mean_rates([7, 0], 600, 0), [7, 0]);
        assert_eq!(moved.lent(Side::Base), None);
    }

    #[test]
    fn beyond_its_ends_it_is_at_them() {
        let full = ReserveTerms {
            utilisation: Reversion {
                mean: 1.0,
                sd: 0.3,
                half_life_hours: 0.1,
            },
            ..TERMS
        };
        let mut moved = reserves([Some(full), None]);
        let mut at_end = 0;
        for index in 1..=200 {
            moved.pass(index * 3_600);
            let lent = moved.lent(Side::Base).unwrap();
            at_end += u32::from(lent.liquidity == 0);
        }
        assert!((70..130).contains(&at_end), "{at_end}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let said = |change: fn(&mut Reversion)| {
            let mut terms = TERMS;
            change(&mut terms.utilisation);
            terms.check().unwrap_err().to_string()
        };
        assert!(TERMS.check().is_ok());
        assert_eq!(
            said(|walk| walk.mean = 1.1),
            "mean utilisation 1.1 must be from 0 to 1"
        );
        assert_eq!(
            said(|walk| walk.sd = -0.1),
            "deviation of utilisation -0.1 must be from 0 to 1"
        );
        assert_eq!(
            said(|walk| walk.half_life_hours = 0.0),
            "half-life of utilisation 0 must be greater than 0"
        );
    }
}
