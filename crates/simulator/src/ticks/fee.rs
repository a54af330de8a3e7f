//! What a pool charges: a fixed part of the input, or one that rises with what the price has moved lately.

use crate::{SimulationError, error::at_least};

/// Scale of the volatility accumulator: one tick group.
const GROUP: u64 = 10_000;
/// What the reduction factor is a part of.
const REDUCTION_DENOMINATOR: u64 = 10_000;
/// What the control factor is a part of.
const CONTROL_DENOMINATOR: u128 = 100_000;
/// No fee is higher, millionths.
const MOST_FEE_PPM: u32 = 100_000;
/// A reference that is older begins anew.
const MOST_REFERENCE_AGE_SECS: u64 = 3_600;

/// Constants of a Whirlpool's adaptive fee, under its program's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveTerms {
    /// Trades within it count as one.
    pub filter_period_secs: u64,
    /// After it nothing is remembered.
    pub decay_period_secs: u64,
    /// What is remembered between the two, in ten thousandths.
    pub reduction_factor: u64,
    /// Fee per squared move, in hundred thousandths.
    pub control_factor: u32,
    /// The accumulator's bound.
    pub max_volatility_accumulator: u64,
    /// Ticks of one group.
    pub tick_group_size: i32,
    /// A swap that moves the price by so many ticks keeps the reference from decaying.
    pub major_swap_threshold_ticks: i32,
}

impl AdaptiveTerms {
    /// Refuses what no pool has.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn check(&self) -> Result<(), SimulationError> {
        let group = f64::from(self.tick_group_size);
        at_least("tick group size", group, 1.0, "must be 1 or more")?;
        let [filter, decay] = [self.filter_period_secs, self.decay_period_secs];
        if decay < filter {
            return Err(SimulationError::Parameter {
                name: "decay period",
                value: decay as f64,
                problem: "must be at least the filter period",
            });
        }
        if self.reduction_factor > REDUCTION_DENOMINATOR {
            return Err(SimulationError::Parameter {
                name: "reduction factor",
                value: self.reduction_factor as f64,
                problem: "must be at most 10000, which is all",
            });
        }
        Ok(())
    }
}

/// What it remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    reference_secs: u64,
    major_swap_secs: u64,
    group_reference: i32,
    volatility_reference: u64,
    accumulator: u64,
}

/// A pool's fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapFee {
    /// The fixed part, in millionths of the input.
    pub static_ppm: u32,
    adaptive: Option<(AdaptiveTerms, Memory)>,
}

impl SwapFee {
    /// Always the same part of the input.
    pub const fn fixed(static_ppm: u32) -> Self {
        Self {
            static_ppm,
            adaptive: None,
        }
    }

    /// At least `static_ppm`.
    pub fn adaptive(static_ppm: u32, terms: AdaptiveTerms) -> Self {
        Self {
            static_ppm,
            adaptive: Some((terms, Memory::default())),
        }
    }

    /// Whether it moves.
    pub const fn is_adaptive(&self) -> bool {
        self.adaptive.is_some()
    }

    /// As of the last swap, in millionths of the input.
    pub fn rate_ppm(&self) -> u32 {
        let Some((terms, memory)) = &self.adaptive else {
            return self.static_ppm;
        };
        let moved = u128::from(memory.accumulator) * terms.tick_group_size.unsigned_abs() as u128;
        let per = CONTROL_DENOMINATOR * u128::from(GROUP) * u128::from(GROUP);
        let rate = moved
            .saturating_mul(moved)
            .saturating_mul(terms.control_factor.into())
            .div_ceil(per);
        let rate = u32::try_from(rate).unwrap_or(u32::MAX);
        self.static_ppm.saturating_add(rate).min(MOST_FEE_PPM)
    }

    /// The group of a tick; `None` for a fixed fee.
    pub(crate) fn group(&self, tick: i32) -> Option<i32> {
        let (terms, _) = self.adaptive.as_ref()?;
        Some(tick.div_euclid(terms.tick_group_size.max(1)))
    }

    /// The tick at which a swap leaves a group.
    pub(crate) fn group_end(&self, group: i32, downwards: bool) -> Option<i32> {
        let (terms, _) = self.adaptive.as_ref()?;
        let size = terms.tick_group_size.max(1);
        Some(
            group
                .saturating_add(i32::from(!downwards))
                .saturating_mul(size),
        )
    }

    /// A swap begins.
    pub(crate) fn begin(&mut self, group: i32, now_secs: u64) {
        let Some((terms, memory)) = &mut self.adaptive else {
            return;
        };
        let elapsed = now_secs.saturating_sub(memory.reference_secs.max(memory.major_swap_secs));
        let aged = now_secs.saturating_sub(memory.reference_secs) > MOST_REFERENCE_AGE_SECS;
        if !aged && elapsed < terms.filter_period_secs {
            return;
        }
        memory.volatility_reference = if !aged && elapsed < terms.decay_period_secs {
            memory.accumulator.saturating_mul(terms.reduction_factor) / REDUCTION_DENOMINATOR
        } else {
            0
        };
        (memory.group_reference, memory.reference_secs) = (group, now_secs);
    }

    /// A swap is in a group.
    pub(crate) fn enter(&mut self, group: i32) {
        let Some((terms, memory)) = &mut self.adaptive else {
            return;
        };
        let groups = u64::from(memory.group_reference.abs_diff(group));
        memory.accumulator = memory
            .volatility_reference
            .saturating_add(groups.saturating_mul(GROUP))
            .min(terms.max_volatility_accumulator);
    }

    /// A swap has moved the price from one tick to another.
    pub(crate) fn end(&mut self, from: i32, to: i32, now_secs: u64) {
        let Some((terms, memory)) = &mut self.adaptive else {
            return;
        };
        if from.abs_diff(to) >= terms.major_swap_threshold_ticks.unsigned_abs() {
            memory.major_swap_secs = now_secs;
        }
    }
}

#[cfg(test)]
impl AdaptiveTerms {
    /// What tests that need any have.
    pub(crate) const EXAMPLE: Self = Self {
        filter_period_secs: 30,
        decay_period_secs: 600,
        reduction_factor: 5_000,
        control_factor: 4_000,
        max_volatility_accumulator: 350_000,
        tick_group_size: 64,
        major_swap_threshold_ticks: 64,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: AdaptiveTerms = AdaptiveTerms::EXAMPLE;

    /// Whirlpool's formula: control (accumulator / 10^4 size)^2 / 10^5, rounded up.
    #[test]
    fn the_fee_rises_with_the_square_of_the_move_and_is_bounded() {
        let mut fee = SwapFee::adaptive(3_000, TERMS);
        let at = |fee: &mut SwapFee, group| {
            fee.enter(group);
            fee.rate_ppm()
        };
        fee.begin(0, 10_000);
        assert_eq!(at(&mut fee, 0), 3_000);
        // 4000 * 64^2 / 10^5 = 163.84
        assert_eq!(at(&mut fee, 1), 3_164);
        assert_eq!((at(&mut fee, -3), at(&mut fee, 3)), (4_475, 4_475));
        // 35 groups at most, and never more than 10 %.
        assert_eq!(at(&mut fee, 1_000), 100_000);
        assert_eq!(SwapFee::fixed(400).rate_ppm(), 400);
    }

    #[test]
    fn what_is_remembered_decays() {
        let mut fee = SwapFee::adaptive(0, TERMS);
        fee.begin(0, 10_000);
        fee.enter(4);
        let four = fee.rate_ppm();
        assert_eq!(four, 2_622);
        // Within the filter period the reference stays.
        fee.begin(4, 10_029);
        fee.enter(4);
        assert_eq!(fee.rate_ppm(), four);
        // Then half of it is left, from the new reference on.
        fee.begin(4, 10_030);
        fee.enter(4);
        assert_eq!(fee.rate_ppm(), 656);
        // A major swap keeps it from decaying; after the decay period nothing is left.
        fee.end(0, 64, 10_050);
        fee.begin(9, 10_079);
        fee.enter(4);
        assert_eq!(fee.rate_ppm(), 656);
        fee.begin(4, 10_650);
        fee.enter(4);
        assert_eq!(fee.rate_ppm(), 0);
    }
}
