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
/// `persistence_secs` in looks that no other has contradicted, brings stage 1 by itself, and one more on top of the
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
    /// Oldest price that a deleverage accepts from stage 1 on, when nothing newer may be coming.
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
    /// Time of the last look at the pool's depth that the average holds.
    pub depth_at_secs: i64,
    /// When the stage was last raised, confirmed or lowered.
    pub confirmed_at_secs: i64,
    /// For how long evidence of the market has been seen, less for how long it has not.
    pub market_evidence_secs: i64,
    /// Time of the last look that could tell whether there is evidence of the market.
    pub looked_at_secs: i64,
    /// 0 normal; 1 no new risk; 2 reduce only, tighter deleverage trigger; 3 anyone may shrink positions.
    pub stage: u8,
    /// What the last look that could tell saw of the market: 0 there was none, 1 no evidence, 2 evidence (zero before it was
    /// remembered).
    pub last_seen: u8,
    /// Explicit padding.
    pub padding: [u8; 6],
}

/// What was seen at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Stage that the oracle's evidence asks for: 0 to 2.
    pub oracle: u8,
    /// Whether there is evidence of the market; `None`: it cannot be told.
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
    ///
    /// A look at the market is worth the time until the next one, at most [`Self::LOOK_SECS`]: whoever contradicts it at once
    /// leaves it nothing, and is believed from then on. Seen and not seen weigh alike, so a moment without evidence hides as
    /// little as a moment's evidence proves. A look that cannot tell changes nothing.
    pub fn observe(&mut self, rules: &StageRules, evidence: Evidence, now_secs: i64) {
        let needed = i64::from(rules.persistence_secs);
        if let Some(seen) = evidence.market {
            let stood_for = now_secs
                .saturating_sub(self.looked_at_secs)
                .clamp(0, Self::LOOK_SECS);
            self.market_evidence_secs = match self.last_seen {
                SEEN => self.market_evidence_secs.saturating_add(stood_for),
                NOT_SEEN => self.market_evidence_secs.saturating_sub(stood_for),
                _ => self.market_evidence_secs,
            }
            .clamp(0, needed);
            self.looked_at_secs = now_secs;
            self.last_seen = if seen { SEEN } else { NOT_SEEN };
        }
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

    /// Whether the pool's active liquidity has fallen by more than `drop_bps` below its average; `None` in the first hour of looks,
    /// since `since_secs`, when there is no average to be believed yet.
    ///
    /// Takes it into the average afterwards, unless somebody has touched the pool in this second: what is put up for a moment is no
    /// depth, and what is taken away for a moment is no lack of it. In the first hour the average is the mean of what was seen, each
    /// look standing for the time before it; later one look moves it by no more than the time since the last one is worth, and
    /// counts no more than twice the average, and it rises eight times as slowly as it falls.
    pub fn observe_depth(
        &mut self,
        since_secs: &mut i64,
        liquidity: u128,
        touched: bool,
        drop_bps: u32,
        now_secs: i64,
    ) -> Option<bool> {
        let average = self.average_depth.get();
        let started = *since_secs > 0 && average > 0;
        let known =
            started && self.depth_at_secs.saturating_sub(*since_secs) >= Self::DEPTH_AVERAGE_SECS;
        let one = u128::from(Bps::ONE.get());
        let kept = one.saturating_sub(u128::from(drop_bps));
        // Liquidity lies far below 2^114 in every pool that token supplies allow; saturating is on the calm side.
        let fallen = known
            .then(|| drop_bps > 0 && liquidity.saturating_mul(one) < average.saturating_mul(kept));
        if touched {
            return fallen;
        }
        if !started {
            *since_secs = now_secs;
            self.depth_at_secs = now_secs;
            self.average_depth = liquidity.into();
            return fallen;
        }
        let elapsed = now_secs.saturating_sub(self.depth_at_secs).max(0);
        self.depth_at_secs = self.depth_at_secs.max(now_secs);
        let (sample, weight, whole) = if !known {
            // No less than `elapsed`: no look is remembered from before the first.
            let since_start = now_secs.saturating_sub(*since_secs).max(1);
            (liquidity, elapsed, since_start)
        } else {
            let elapsed = elapsed.min(Self::DEPTH_AVERAGE_SECS);
            let sample = liquidity.min(average.saturating_mul(2));
            if sample > average {
                // What does not make a whole second is left to the next look: many looks hold the average down no more than
                // few.
                self.depth_at_secs -= elapsed % 8;
                (sample, elapsed / 8, Self::DEPTH_AVERAGE_SECS)
            } else {
                (sample, elapsed, Self::DEPTH_AVERAGE_SECS)
            }
        };
        let (weight, whole) = (weight.unsigned_abs().into(), whole.unsigned_abs().into());
        // A part of a 128-bit number always fits.
        let part = |of, secs| mul_div_down(of, secs, whole).unwrap_or(of);
        let moved = part(average, whole - weight).saturating_add(part(sample, weight));
        self.average_depth = moved.max(1).into();
        fallen
    }
}

/// A look saw evidence of the market.
const SEEN: u8 = 2;
/// A look saw none.
const NOT_SEEN: u8 = 1;

#[cfg(test)]
mod tests;
