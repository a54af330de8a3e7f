//! Everything a decision about one position depends on, as values of one moment.

use ballast::state::{Position, Reserve};
use ballast_model::{Amounts, ModelError, Position as PositionModel, Side, SqrtPrice};
use ballast_snapshot::Pubkey;
use ballast_snapshot::{MarketSnapshot, SnapshotError};
use thiserror::Error;

use crate::{fee_yield::MeasuredYield, kinds::Kinds, prices::PriceFault};

/// See the module's description.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Market, reserves, pool and prices.
    pub market: &'a MarketSnapshot,
    /// The position.
    pub position: &'a Position,
    /// The cluster's clock, Unix seconds; not before the snapshot's.
    pub now_secs: i64,
    /// Newest slot of the data.
    pub slot: u64,
    /// Who would sign.
    pub keeper: Pubkey,
    /// What the signer could pay into a liquidation; `None` if it does not liquidate.
    pub funds: Option<Amounts>,
    /// Least that the signer wants to gain by a liquidation, quote units.
    pub min_gain: u64,
    /// What the market's and the position's own accounts do not say.
    pub outlook: Outlook,
}

/// What a decision depends on beyond the accounts of market and position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Fees that the Whirlpool position has earned and not been paid; `None`: not looked at.
    pub fees: Option<Amounts>,
    /// The part of them that the pool has booked; `None`: not looked at since the account changed.
    pub booked_fees: Option<Amounts>,
    /// Lamports that the position's account could pay keepers; `None`: not looked at.
    pub reward_lamports: Option<u64>,
    /// What an action costs beside its trade, quote units; `None`: what the lamports for it are worth, where that is known.
    pub action_cost: Option<u64>,
    /// Standard deviation of a day's price move, in ticks; `None`: not known yet.
    pub volatility: Option<u32>,
    /// What the pool has paid its liquidity; `None`: not known yet.
    pub fee_yield: Option<MeasuredYield>,
    /// When recentering and compounding are worth it.
    pub economics: Economics,
    /// What has just been refused, by a simulation or on chain.
    pub refused: Kinds,
    /// What of it has been tried so few times that it is tried again before a position is liquidated for want of it.
    pub retried: Kinds,
    /// Since when the position is seen at or above maintenance; `None`: it was below when last seen, or never seen before.
    pub unhealthy_since_secs: Option<i64>,
    /// What the keeper may not do now, so that others take its place.
    pub forbidden: Kinds,
}

/// When recentering and compounding are worth it: the keeper's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Economics {
    /// Fees that a position in its band is expected to earn a day, in basis points of its assets, as long as nothing is measured.
    pub fee_day_bps: u32,
    /// Days in which a recentering has to earn what it costs.
    pub payback_days: u32,
    /// Least reward for which the keeper recenters or compounds, lamports. 0: without any.
    pub min_reward_lamports: u64,
}

impl Default for Economics {
    fn default() -> Self {
        Self {
            fee_day_bps: 20,
            payback_days: 3,
            min_reward_lamports: 0,
        }
    }
}

/// Data that contradict each other, so that nothing can be decided.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SituationError {
    /// Ticks, debts or debt shares out of range.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Amounts out of range.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Published prices that give no square-root price.
    #[error(transparent)]
    Price(#[from] PriceFault),
}

impl Situation<'_> {
    /// A reserve as stored.
    pub fn reserve(&self, side: Side) -> &Reserve {
        self.market.reserve(side)
    }

    /// The position as a value object, debts with interest up to now.
    ///
    /// # Errors
    /// [`SituationError::Snapshot`].
    pub fn model(&self) -> Result<PositionModel, SituationError> {
        Ok(self.market.position(self.position, self.now_secs)?)
    }

    /// The oracle's price, whether or not it may be used.
    ///
    /// # Errors
    /// [`SituationError::Price`].
    pub fn oracle(&self) -> Result<SqrtPrice, SituationError> {
        Ok(self.market.oracle_sqrt_price().map_err(PriceFault::from)?)
    }

    /// Pending fees as far as they are known.
    pub fn fees(&self) -> Amounts {
        self.outlook.fees.unwrap_or(Amounts::ZERO)
    }

    /// The fees that count for the equity floor: all, since an exit has the pool book them first. None where the account has changed
    /// since anyone looked: they may have been paid out.
    pub fn fees_for_floor(&self) -> Amounts {
        let unpaid = self.outlook.booked_fees.and(self.outlook.fees);
        unpaid.unwrap_or(Amounts::ZERO)
    }

    /// Lamports that the program would pay the signer for an action, as far as the funds are known.
    pub fn reward_lamports(&self) -> u64 {
        if self.keeper == self.position.owner || self.position.policy.keeper_enabled == 0 {
            return 0;
        }
        let interval_secs = self
            .position
            .policy
            .min_rebalance_interval_secs
            .max(self.market.market.limits.min_rebalance_interval_secs);
        let next_secs = self
            .position
            .last_reward_secs
            .saturating_add(i64::from(interval_secs));
        if self.now_secs < next_secs {
            return 0;
        }
        let automation = &self.position.automation;
        automation
            .reward_lamports
            .min(self.market.market.keepers.max_reward_lamports)
            .min(self.outlook.reward_lamports.unwrap_or(u64::MAX))
    }

    /// Whether the owner lets this keeper act on the policy.
    pub fn allowed_by_owner(&self) -> bool {
        self.keeper == self.position.owner || self.position.policy.keeper_enabled == 1
    }
}
