//! What a market's authority may set, and the rules that keep any setting from making a market insolvent.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::TICKS_PER_ARRAY;
use ballast_model::Bps;
use bytemuck::{Pod, Zeroable};

use super::StageRules;
use crate::errors::BallastError;

/// Risk limits, set by the market's authority. All ratios in basis points.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct Limits {
    /// Largest value of one position's assets, in raw quote units.
    pub max_position_value: u64,
    /// Smallest value of one position's assets at opening, in raw quote units: smaller ones are not worth liquidating.
    pub min_position_value: u64,
    /// Largest leverage (assets / equity) at opening; 30 000 = 3x.
    pub max_leverage_bps: u32,
    /// Largest LTV after any action that adds risk.
    pub initial_ltv_bps: u32,
    /// LTV from which anyone may deleverage, whatever the owner's policy says.
    pub deleverage_ltv_bps: u32,
    /// LTV from which a position is liquidated.
    pub maintenance_ltv_bps: u32,
    /// LTV that a liquidation restores, and a deleverage above `deleverage_ltv_bps`.
    pub target_ltv_bps: u32,
    /// Extra collateral for the liquidator, on the value of the debt repaid.
    pub liquidation_bonus_bps: u32,
    /// Distance to both sides of the oracle's price at which a position must still be below maintenance after an action that adds risk.
    pub stress_distance_bps: u32,
    /// Largest distance of the pool's price from the oracle's for actions that add risk or swap.
    pub max_pool_deviation_bps: u32,
    /// Largest loss of a swap against the oracle's price (fee and price impact), on the value traded.
    pub max_swap_loss_bps: u32,
    /// Shortest time between two rehedges of one position.
    pub min_rebalance_interval_secs: u32,
}

/// What is demanded of the two prices. "Tight" applies to what adds risk or swaps, "loose" to what only reduces it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct OracleRules {
    /// Oldest price accepted for actions that add risk.
    pub max_age_tight_secs: u32,
    /// Oldest price accepted for actions that reduce risk; above the sponsored feeds' heartbeat of 60 s.
    pub max_age_loose_secs: u32,
    /// Largest confidence interval over price for actions that add risk.
    pub max_confidence_tight_bps: u32,
    /// Largest confidence interval over price for actions that reduce risk.
    pub max_confidence_loose_bps: u32,
    /// Largest distance of the price from its moving average for actions that add risk.
    pub max_ema_divergence_bps: u32,
    /// How far ahead of the cluster's clock a publish time may lie.
    pub max_future_secs: u32,
}

/// What the market allows keepers, whatever an owner's policy says.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct KeeperRules {
    /// Largest reward for one action.
    pub max_reward_lamports: u64,
    /// Largest part of a position's equity that keepers' actions may lose, beyond what a fair price costs. What was lost fades over a week,
    /// so that a week sees at most twice of it, and a day little more than once.
    pub max_daily_loss_bps: u32,
    /// Shortest time between two recenterings of one position.
    pub min_recenter_interval_secs: u32,
}

/// Everything of a market that its authority may change.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct MarketParams {
    /// Risk limits.
    pub limits: Limits,
    /// Demands on prices.
    pub oracle_rules: OracleRules,
    /// Limits of what keepers do.
    pub keepers: KeeperRules,
    /// Risk stages.
    pub stages: StageRules,
}

/// What version 1 of a market did not have, and a migration therefore brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize)]
pub struct RulesSinceVersion2 {
    /// Limits of what keepers do.
    pub keepers: KeeperRules,
    /// Risk stages.
    pub stages: StageRules,
}

impl RulesSinceVersion2 {
    /// What anyone may migrate a market with: little for keepers to lose or to earn, and stages that only the oracle itself
    /// raises, with the market's own triggers and targets. The authority chooses others with notice.
    pub fn cautious(params: &MarketParams) -> Self {
        let (limits, oracle_rules) = (&params.limits, &params.oracle_rules);
        // As old as a price may be for what adds risk, it is no silence.
        let silence_secs = oracle_rules.max_age_tight_secs.max(120);
        Self {
            keepers: KeeperRules {
                max_reward_lamports: 1_000_000,
                max_daily_loss_bps: 20,
                min_recenter_interval_secs: 3_600,
            },
            stages: StageRules {
                silence_secs,
                long_silence_secs: silence_secs.saturating_mul(5),
                confidence_bps: 100,
                wide_confidence_bps: 300,
                ema_divergence_bps: 500,
                wide_ema_divergence_bps: 1_000,
                pool_divergence_bps: 0,
                depth_drop_bps: 0,
                utilisation_bps: 0,
                persistence_secs: 30,
                calm_secs: 600,
                max_age_stalled_secs: oracle_rules.max_age_loose_secs.max(3_600),
                deleverage_ltv_bps: limits.deleverage_ltv_bps,
                target_ltv_bps: limits.target_ltv_bps,
            },
        }
    }
}

/// Most that a liquidation at maintenance may give away, bonus included, of the assets: the rest is room for the price to move
/// before lenders lose.
const LARGEST_SEIZURE_BPS: u32 = 9_800;

impl KeeperRules {
    /// Largest [`Self::max_reward_lamports`].
    pub const LARGEST_REWARD_LAMPORTS: u64 = 100_000_000;
}

impl MarketParams {
    /// Whether putting `self` in place of `old` can only keep positions from being opened as large: then it needs no notice.
    /// Everything else may cost somebody who relied on the old parameters: less leverage, for instance, an owner whose hedge it
    /// no longer affords.
    pub fn only_restrains(&self, old: &Self) -> bool {
        let restrained = Self {
            limits: Limits {
                max_position_value: old.limits.max_position_value,
                ..self.limits
            },
            ..*self
        };
        restrained == *old && self.limits.max_position_value <= old.limits.max_position_value
    }

    /// Refuses parameters under which a position could be opened that is already to be deleveraged or liquidated, or
    /// under which a liquidation at the threshold could not pay its bonus.
    ///
    /// # Errors
    /// [`BallastError::BadParameters`]; the log names the rule.
    pub fn check(&self) -> Result<()> {
        let l = &self.limits;
        let o = &self.oracle_rules;
        let one = Bps::ONE.get();
        // What a liquidation at maintenance gives away, as a part of the assets.
        let seized_at_maintenance =
            u64::from(l.maintenance_ltv_bps) * u64::from(one + l.liquidation_bonus_bps.min(one));
        // Leverage and LTV say the same thing in two ways: LTV = 1 - 1/leverage.
        let leveraged_ltv_bps = u64::from(one)
            .saturating_sub(u64::from(one) * u64::from(one) / u64::from(l.max_leverage_bps.max(1)));
        let rules = [
            (
                l.max_leverage_bps > one,
                "max_leverage_bps must exceed 10000",
            ),
            (
                leveraged_ltv_bps <= u64::from(l.initial_ltv_bps),
                "max_leverage_bps implies an LTV above initial_ltv_bps",
            ),
            (l.target_ltv_bps > 0, "target_ltv_bps must be positive"),
            (
                l.target_ltv_bps < l.deleverage_ltv_bps,
                "target_ltv_bps must be below deleverage_ltv_bps",
            ),
            (
                l.initial_ltv_bps < l.deleverage_ltv_bps,
                "initial_ltv_bps must be below deleverage_ltv_bps",
            ),
            (
                l.deleverage_ltv_bps < l.maintenance_ltv_bps,
                "deleverage_ltv_bps must be below maintenance_ltv_bps",
            ),
            (
                l.liquidation_bonus_bps <= 2_000,
                "liquidation_bonus_bps must not exceed 2000",
            ),
            (
                seized_at_maintenance <= u64::from(one) * u64::from(LARGEST_SEIZURE_BPS),
                "maintenance_ltv_bps * (1 + liquidation_bonus_bps) must not exceed 98 %",
            ),
            (
                // A price may be off by its confidence interval: even then what is seized at maintenance must be there.
                seized_at_maintenance * u64::from(one + o.max_confidence_loose_bps.min(one))
                    <= u64::from(one).pow(3),
                "maintenance_ltv_bps * (1 + liquidation_bonus_bps) * (1 + max_confidence_loose_bps) must not exceed 100 %",
            ),
            (
                // What may be opened survives a pool that is as far from the oracle as it may be.
                l.max_pool_deviation_bps <= l.stress_distance_bps,
                "max_pool_deviation_bps must not exceed stress_distance_bps",
            ),
            (
                l.min_rebalance_interval_secs <= 86_400,
                "min_rebalance_interval_secs must not exceed a day",
            ),
            (
                l.stress_distance_bps < one,
                "stress_distance_bps must be below 10000",
            ),
            (
                (1..=2_000).contains(&l.max_pool_deviation_bps),
                "max_pool_deviation_bps must lie in 1..=2000",
            ),
            (
                (1..=2_000).contains(&l.max_swap_loss_bps),
                "max_swap_loss_bps must lie in 1..=2000",
            ),
            (
                // Until LTV is halfway to insolvency a liquidation may wait for the average, and a swap is planned as if it lost the
                // whole cap of all that is held: without equity left by then nobody could act.
                u64::from(l.maintenance_ltv_bps) + 2 * u64::from(l.max_swap_loss_bps)
                    < u64::from(one),
                "maintenance_ltv_bps + 2 * max_swap_loss_bps must be below 10000",
            ),
            (
                l.min_position_value <= l.max_position_value,
                "min_position_value must not exceed max_position_value",
            ),
            (
                l.min_position_value > 0,
                "min_position_value must be positive",
            ),
            (
                o.max_age_tight_secs > 0,
                "max_age_tight_secs must be positive",
            ),
            (
                o.max_age_tight_secs <= o.max_age_loose_secs,
                "max_age_tight_secs must not exceed max_age_loose_secs",
            ),
            (
                (30..=3_600).contains(&o.max_age_loose_secs),
                "max_age_loose_secs must lie in 30..=3600",
            ),
            (
                o.max_confidence_tight_bps > 0,
                "max_confidence_tight_bps must be positive",
            ),
            (
                o.max_confidence_tight_bps <= o.max_confidence_loose_bps,
                "max_confidence_tight_bps must not exceed max_confidence_loose_bps",
            ),
            (
                // A feed of the calmest times is no surer: below it nobody could liquidate.
                (50..=2_000).contains(&o.max_confidence_loose_bps),
                "max_confidence_loose_bps must lie in 50..=2000",
            ),
            (
                (1..=5_000).contains(&o.max_ema_divergence_bps),
                "max_ema_divergence_bps must lie in 1..=5000",
            ),
            (
                o.max_future_secs <= 60,
                "max_future_secs must not exceed 60",
            ),
        ];
        refuse_unless(rules)?;
        self.check_since_version_2()
    }

    /// The rules for what version 1 of a market did not have: all that a migration asks for. The older parameters hold already,
    /// and a market that a newer rule of theirs would refuse must not be out of reach for that.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_since_version_2(&self) -> Result<()> {
        let k = &self.keepers;
        let rules = [
            (
                (1..=5_000).contains(&k.max_daily_loss_bps),
                "max_daily_loss_bps must lie in 1..=5000",
            ),
            (
                k.max_reward_lamports <= KeeperRules::LARGEST_REWARD_LAMPORTS,
                "max_reward_lamports must not exceed 100000000",
            ),
            (
                k.min_recenter_interval_secs <= 7 * 86_400,
                "min_recenter_interval_secs must not exceed a week",
            ),
        ];
        refuse_unless(rules)?;
        refuse_unless(self.stages.rules(&self.limits, &self.oracle_rules))
    }
}

/// How far two tick arrays of a pool reach downwards from any price, in basis points of it; at most 3,749. `tick_spacing`: at least 1,
/// as every pool's.
pub fn reach_bps_down(tick_spacing: u16) -> u32 {
    // Farther than any caps.
    let ticks = (2 * TICKS_PER_ARRAY.unsigned_abs() * u32::from(tick_spacing)).min(5_000);
    // Of 1 - 1.0001^-ticks less than the first two terms.
    ticks - (ticks * ticks).div_ceil(20_000) - 1
}

const MILLION: u64 = 1_000_000;

/// What a fee leaves of a million. A fee has 16 bits, so that this is more than nine tenths.
fn kept_ppm(fee_rate_ppm: u16) -> u64 {
    MILLION - u64::from(fee_rate_ppm)
}

/// Least that the largest distance of a pool may be. Nobody is paid to bring a pool nearer to the oracle's price than its fee, above it
/// `1 / (1 - fee)`: it rests there without anybody's doing, and a swap that protects a position must be possible.
pub fn least_deviation_bps(fee_rate_ppm: u16) -> u32 {
    /// Who brings the pool back wants to earn more than the fee.
    const ROOM_BPS: u32 = 13;
    let rests =
        (u64::from(fee_rate_ppm) * u64::from(Bps::ONE.get())).div_ceil(kept_ppm(fee_rate_ppm));
    u32::try_from(rests).map_or(u32::MAX, |rests| rests.saturating_add(ROOM_BPS))
}

/// Least cap of a swap with which one begins that has to pay the pool's fee from a pool `deviation_bps` ahead of the oracle's price: to buy
/// there costs `(1 + deviation) / (1 - fee)` of the value, which is more than to sell as far below loses. A basis point more, so that
/// something can be traded before the cap is reached.
pub fn least_swap_loss_bps(deviation_bps: u32, fee_rate_ppm: u16) -> u32 {
    let one = u64::from(Bps::ONE.get());
    let paid = ((one + u64::from(deviation_bps)) * MILLION).div_ceil(kept_ppm(fee_rate_ppm));
    u32::try_from(paid - one + 1).unwrap_or(u32::MAX)
}

/// Largest distance of the pool with which a swap within the cap still begins; 0 if there is none.
pub fn largest_deviation_bps(max_swap_loss_bps: u32, fee_rate_ppm: u16) -> u32 {
    // The fee is a part of what is paid, so that it takes more than itself.
    (0..=max_swap_loss_bps)
        .rev()
        .find(|deviation| least_swap_loss_bps(*deviation, fee_rate_ppm) <= max_swap_loss_bps)
        .unwrap_or(0)
}

impl Limits {
    /// Wherever the pool rests by itself it has to be near enough for a swap that protects a position, and wherever it is near enough its
    /// fee has to be within the swap's cap: else nobody can act there, and whoever holds the pool there keeps it so.
    ///
    /// # Errors
    /// [`BallastError::BadParameters`].
    pub fn check_fee(&self, fee_rate_ppm: u16) -> Result<()> {
        self.check_short_of_fee(fee_rate_ppm, [0; 2])
    }

    /// The same in place of other limits: where those fall short of it these may as well, by as much.
    ///
    /// # Errors
    /// [`BallastError::BadParameters`].
    pub(super) fn check_fee_after(&self, now: &Self, fee_rate_ppm: u16) -> Result<()> {
        self.check_short_of_fee(fee_rate_ppm, now.short_of_fee_bps(fee_rate_ppm))
    }

    /// How much distance and cap fall short of what the pool's fee asks for.
    fn short_of_fee_bps(&self, fee_rate_ppm: u16) -> [u32; 2] {
        let distance = self.max_pool_deviation_bps;
        [
            least_deviation_bps(fee_rate_ppm).saturating_sub(distance),
            least_swap_loss_bps(distance, fee_rate_ppm).saturating_sub(self.max_swap_loss_bps),
        ]
    }

    fn check_short_of_fee(&self, fee_rate_ppm: u16, most: [u32; 2]) -> Result<()> {
        let [distance, cap] = self.short_of_fee_bps(fee_rate_ppm);
        refuse_unless([
            (
                distance <= most[0],
                "max_pool_deviation_bps must exceed the pool's fee by 13 bps and rounding: nearer it is brought by nobody",
            ),
            (
                cap <= most[1],
                "max_swap_loss_bps must exceed max_pool_deviation_bps and the pool's fee together",
            ),
        ])
    }

    /// A swap that protects a position stops where it would lose more than allowed, from a pool as far away as allowed. The pool
    /// walks through three arrays of ticks at most, of which the first may be at its end, and fails where they end before: so they
    /// must reach that far, or somebody who thins the pool out makes every such swap fail.
    ///
    /// # Errors
    /// [`BallastError::BadParameters`].
    pub fn check_reach(&self, tick_spacing: u16) -> Result<()> {
        let reach_bps = reach_bps_down(tick_spacing);
        let asked_bps = self
            .max_pool_deviation_bps
            .saturating_add(self.max_swap_loss_bps);
        refuse_unless([(
            asked_bps <= reach_bps,
            "max_pool_deviation_bps + max_swap_loss_bps must not exceed what two tick arrays of the pool reach",
        )])
    }
}

fn refuse_unless<const N: usize>(rules: [(bool, &str); N]) -> Result<()> {
    for (holds, rule) in rules {
        if !holds {
            msg!("Market parameters refused: {}", rule);
            return err!(BallastError::BadParameters);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
