//! Risk stages: what the chain itself sees going wrong in a market, and what follows from it.

use anchor_lang::prelude::*;
use ballast_clmm::wide::mul_div_down;
use ballast_model::Bps;
use bytemuck::{Pod, Zeroable};

use super::{Limits, OracleRules, Wide};

/// What counts as evidence, and what follows. A threshold of 0 switches a kind of evidence off.
///
/// Evidence of the oracle (silence, uncertainty, distance from its average) is signed by the oracle, so nobody can forge it:
/// beyond the first threshold of a kind the stage is 1, beyond the second 2. Evidence of the market (pool against oracle,
/// depth, utilisation) can be made for a moment by anyone with capital: it counts only after it has been seen for
/// `persistence_secs` in looks that are not outweighed by others, brings stage 1 by itself, and one more on top of the
/// oracle's.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct StageRules {
    /// Silence of the market's own price accounts for stage 1.
    pub silence_secs: u32,
    /// Silence of the market's own price accounts for stage 2.
    pub long_silence_secs: u32,
    /// Confidence interval over price (sum of both feeds) for stage 1.
    pub confidence_bps: u32,
    /// Confidence interval over price (sum of both feeds) for stage 2.
    pub wide_confidence_bps: u32,
    /// Distance of the price from its moving average (the larger of both feeds) for stage 1.
    pub ema_divergence_bps: u32,
    /// Distance of the price from its moving average (the larger of both feeds) for stage 2.
    pub wide_ema_divergence_bps: u32,
    /// Distance of the pool's price from the oracle's.
    pub pool_divergence_bps: u32,
    /// Fall of the pool's active liquidity below its moving average.
    pub depth_drop_bps: u32,
    /// Utilisation of either reserve.
    pub utilisation_bps: u32,
    /// How long evidence of the market must have been there to count.
    pub persistence_secs: u32,
    /// How long a stage stays after its evidence has gone, before it falls by one.
    pub calm_secs: u32,
    /// Oldest price that a deleverage accepts from stage 2 on, when nothing newer may be coming.
    pub max_age_stalled_secs: u32,
    /// LTV from which anyone may deleverage at stage 2, in place of the market's `deleverage_ltv_bps`.
    pub deleverage_ltv_bps: u32,
    /// LTV above which anyone may deleverage at stage 3, down to it.
    pub target_ltv_bps: u32,
}

impl StageRules {
    /// Largest [`Self::max_age_stalled_secs`].
    pub const MAX_AGE_STALLED_SECS: u32 = 86_400;

    /// What must hold, with the rule's text.
    pub(super) fn rules(&self, l: &Limits, o: &OracleRules) -> [(bool, &'static str); 12] {
        let ordered = |first: u32, second: u32| second == 0 || (first > 0 && first < second);
        [
            (
                ordered(self.silence_secs, self.long_silence_secs),
                "silence_secs must be positive and below long_silence_secs",
            ),
            (
                ordered(self.confidence_bps, self.wide_confidence_bps),
                "confidence_bps must be positive and below wide_confidence_bps",
            ),
            (
                ordered(self.ema_divergence_bps, self.wide_ema_divergence_bps),
                "ema_divergence_bps must be positive and below wide_ema_divergence_bps",
            ),
            (
                self.silence_secs == 0 || self.silence_secs >= o.max_age_tight_secs,
                "silence_secs must not be below max_age_tight_secs",
            ),
            (
                self.depth_drop_bps < Bps::ONE.get(),
                "depth_drop_bps must be below 10000",
            ),
            (
                self.utilisation_bps <= Bps::ONE.get(),
                "utilisation_bps must not exceed 10000",
            ),
            (
                // One look stands for so long: less could be had in a single transaction.
                i64::from(self.persistence_secs) > StageState::LOOK_SECS
                    || (self.pool_divergence_bps == 0
                        && self.depth_drop_bps == 0
                        && self.utilisation_bps == 0),
                "persistence_secs must exceed 10 where there is evidence of the market",
            ),
            (
                self.persistence_secs <= 3_600 && self.calm_secs <= 86_400,
                "persistence_secs must not exceed 3600, calm_secs not 86400",
            ),
            (
                self.max_age_stalled_secs >= o.max_age_loose_secs
                    && self.max_age_stalled_secs <= Self::MAX_AGE_STALLED_SECS,
                "stages.max_age_stalled_secs must lie between max_age_loose_secs and 86400",
            ),
            (
                self.deleverage_ltv_bps <= l.deleverage_ltv_bps,
                "stages.deleverage_ltv_bps must not exceed the market's deleverage_ltv_bps",
            ),
            (
                self.deleverage_ltv_bps > l.target_ltv_bps,
                "stages.deleverage_ltv_bps must exceed the market's target_ltv_bps",
            ),
            (
                self.target_ltv_bps > 0 && self.target_ltv_bps <= l.target_ltv_bps,
                "stages.target_ltv_bps must be positive and not exceed the market's target_ltv_bps",
            ),
        ]
    }
}

/// Where a market stands.
#[zero_copy]
#[derive(Default, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct StageState {
    /// Moving average of the pool's active liquidity; 0 before the first look.
    pub average_depth: Wide,
    /// Time of the last look at the pool's depth.
    pub depth_at_secs: i64,
    /// When the stage was last raised, confirmed or lowered.
    pub confirmed_at_secs: i64,
    /// For how long evidence of the market has been seen, less for how long it has not.
    pub market_evidence_secs: i64,
    /// Time of the last look at the evidence.
    pub looked_at_secs: i64,
    /// 0 normal; 1 no new risk; 2 reduce only, tighter deleverage trigger; 3 anyone may shrink positions.
    pub stage: u8,
    /// Explicit padding.
    pub padding: [u8; 7],
}

/// What was seen at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Stage that the oracle's evidence asks for: 0 to 2.
    pub oracle: u8,
    /// Whether there is evidence of the market; `None`: it cannot be told without a price.
    pub market: Option<bool>,
}

impl StageState {
    /// Highest stage.
    pub const MAX: u8 = 3;

    /// Time constant of the depth's moving average.
    pub const DEPTH_AVERAGE_SECS: i64 = 3_600;

    /// Longest time that one look stands for: what was seen between two looks further apart is not known.
    pub const LOOK_SECS: i64 = 10;

    /// Takes note of what was seen and moves the stage: up at once, down by one after the evidence has been gone for
    /// `calm_secs`.
    pub fn observe(&mut self, rules: &StageRules, evidence: Evidence, now_secs: i64) {
        let stands_for = now_secs
            .saturating_sub(self.looked_at_secs)
            .clamp(0, Self::LOOK_SECS);
        // A look that cannot tell takes nothing of the time that one that can will stand for.
        if evidence.market.is_some() {
            self.looked_at_secs = now_secs;
        }
        let needed = i64::from(rules.persistence_secs);
        // Seen and not seen weigh alike: a moment's evidence is outweighed by whoever else looks, and a moment without hides
        // nothing.
        self.market_evidence_secs = match evidence.market {
            Some(true) => self.market_evidence_secs.saturating_add(stands_for),
            Some(false) => self.market_evidence_secs.saturating_sub(stands_for),
            None => self.market_evidence_secs,
        }
        .clamp(0, needed);
        let persists = evidence.market == Some(true) && self.market_evidence_secs >= needed;
        let asked = (evidence.oracle + u8::from(persists)).min(Self::MAX);
        if asked >= self.stage {
            self.stage = asked;
            self.confirmed_at_secs = now_secs;
        } else if now_secs.saturating_sub(self.confirmed_at_secs) >= i64::from(rules.calm_secs) {
            self.stage -= 1;
            self.confirmed_at_secs = now_secs;
        }
    }

    /// Whether the pool's active liquidity has fallen by more than `drop_bps` below its average; takes it into the average
    /// afterwards. One look moves the average by no more than the time since the last one is worth, and counts no more than
    /// twice the average; it rises eight times as slowly as it falls. So a moment's liquidity cannot pretend to be depth.
    pub fn observe_depth(&mut self, liquidity: u128, drop_bps: u32, now_secs: i64) -> bool {
        let average = self.average_depth.get();
        let elapsed = now_secs
            .saturating_sub(self.depth_at_secs)
            .clamp(0, Self::DEPTH_AVERAGE_SECS);
        self.depth_at_secs = now_secs;
        if average == 0 {
            self.average_depth = liquidity.into();
            return false;
        }
        let one = u128::from(Bps::ONE.get());
        let kept = one.saturating_sub(u128::from(drop_bps));
        // Liquidity lies far below 2^114 in every pool that token supplies allow; saturating is on the calm side.
        let fallen = drop_bps > 0 && liquidity.saturating_mul(one) < average.saturating_mul(kept);
        let sample = liquidity.min(average.saturating_mul(2));
        let weight_secs = if sample > average {
            // What does not make a whole second is left to the next look: many looks hold the average down no more than few.
            self.depth_at_secs = now_secs - elapsed % 8;
            elapsed / 8
        } else {
            elapsed
        };
        let (elapsed, whole) = (weight_secs as u128, Self::DEPTH_AVERAGE_SECS as u128);
        // A part of a 128-bit number always fits.
        let part = |of, secs| mul_div_down(of, secs, whole).unwrap_or(of);
        let moved = part(average, whole - elapsed).saturating_add(part(sample, elapsed));
        self.average_depth = moved.max(1).into();
        fallen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: StageRules = StageRules {
        silence_secs: 0,
        long_silence_secs: 0,
        confidence_bps: 0,
        wide_confidence_bps: 0,
        ema_divergence_bps: 0,
        wide_ema_divergence_bps: 0,
        pool_divergence_bps: 0,
        depth_drop_bps: 0,
        utilisation_bps: 0,
        persistence_secs: 30,
        calm_secs: 600,
        max_age_stalled_secs: 0,
        deleverage_ltv_bps: 0,
        target_ltv_bps: 0,
    };

    fn seen(oracle: u8, market: bool) -> Evidence {
        Evidence {
            oracle,
            market: Some(market),
        }
    }

    #[test]
    fn evidence_of_the_oracle_raises_at_once_and_falls_step_by_step() {
        let mut state = StageState::default();
        state.observe(&RULES, seen(2, false), 1_000);
        assert_eq!(state.stage, 2);
        state.observe(&RULES, seen(0, false), 1_599);
        assert_eq!(state.stage, 2);
        state.observe(&RULES, seen(0, false), 1_600);
        assert_eq!(state.stage, 1);
        // Not two steps for one long silence.
        state.observe(&RULES, seen(0, false), 1_601);
        assert_eq!(state.stage, 1);
        // Evidence for the stage itself starts the time anew.
        state.observe(&RULES, seen(1, false), 2_199);
        state.observe(&RULES, seen(0, false), 2_798);
        assert_eq!(state.stage, 1);
        state.observe(&RULES, seen(0, false), 2_799);
        assert_eq!(state.stage, 0);
    }

    #[test]
    fn evidence_of_the_market_counts_only_when_it_persists() {
        let after = |looks: &[(i64, u8, Option<bool>)]| {
            let mut state = StageState {
                looked_at_secs: 1_000,
                ..StageState::default()
            };
            for (at, oracle, market) in looks.iter().copied() {
                state.observe(&RULES, Evidence { oracle, market }, 1_000 + at);
            }
            state.stage
        };
        let (yes, no) = (Some(true), Some(false));
        // Thirty seconds of it, in looks ten seconds apart.
        assert_eq!(after(&[(10, 0, yes), (20, 0, yes)]), 0);
        assert_eq!(after(&[(10, 0, yes), (20, 0, yes), (29, 0, yes)]), 0);
        assert_eq!(after(&[(10, 0, yes), (20, 0, yes), (30, 0, yes)]), 1);
        // Two looks say nothing about the time between them.
        assert_eq!(after(&[(10, 0, yes), (40, 0, yes)]), 0);
        assert_eq!(after(&[(500, 0, yes), (5_000, 0, yes)]), 0);
        // Nor do many at once.
        assert_eq!(after(&[(10, 0, yes); 50]), 0);
        // Whoever looks and does not see it outweighs it, and as little as that hides what is there.
        let honest = [
            (10, 0, yes),
            (20, 0, no),
            (30, 0, yes),
            (40, 0, no),
            (50, 0, yes),
        ];
        assert_eq!(after(&honest), 0);
        let hidden = [
            (10, 0, yes),
            (20, 0, yes),
            (21, 0, no),
            (31, 0, yes),
            (41, 0, yes),
        ];
        assert_eq!(after(&hidden), 1);
        // A look that cannot tell changes nothing.
        let blind = [(10, 0, yes), (20, 0, yes), (25, 0, None), (35, 0, yes)];
        assert_eq!(after(&blind), 1);
        let mostly_blind = [
            (10, 0, yes),
            (18, 0, None),
            (19, 0, None),
            (20, 0, yes),
            (29, 0, None),
            (30, 0, yes),
        ];
        assert_eq!(after(&mostly_blind), 1);
        // On top of the oracle's it brings the highest stage; a moment's fake does not.
        assert_eq!(after(&[(10, 0, yes), (20, 0, yes), (30, 2, yes)]), 3);
        assert_eq!(after(&[(10, 2, yes)]), 2);
    }

    #[test]
    fn depth_is_measured_against_its_average_which_a_moment_does_not_move() {
        let mut state = StageState::default();
        assert!(!state.observe_depth(1_000_000, 5_000, 10_000));
        assert!(!state.observe_depth(500_000, 5_000, 10_000));
        assert!(state.observe_depth(499_000, 5_000, 10_000));
        // Any number of looks in one second leave it where it is but for rounding.
        for _ in 0..50 {
            state.observe_depth(u128::MAX, 5_000, 10_000);
        }
        let average = state.average_depth.get();
        assert!((900_000..=1_000_000).contains(&average), "{average}");
        // Half an hour of twice the depth, however much more it was, counts for an eighth of it.
        state.observe_depth(u128::MAX, 5_000, 11_800);
        let average = state.average_depth.get();
        assert!((1_060_000..=1_062_500).contains(&average), "{average}");
        // Half an hour of half of it counts in full.
        state.observe_depth(530_000, 5_000, 13_600);
        let average = state.average_depth.get();
        assert!((795_000..=797_000).contains(&average), "{average}");
        assert!(!state.observe_depth(0, 0, 11_800), "switched off");
    }
}
