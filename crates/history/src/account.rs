//! What of a position's account the attribution needs, and what was seen of it.

use ballast_model::{
    Amounts, Band, Bps, ModelError, Position, SqrtPrice, Tick,
    lending::{LendingError, ReserveState},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{record::Figures, text};

/// Numbers that no gain follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AttributionError {
    /// Amounts, ticks or prices out of range.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Debt shares that the reserve cannot value.
    #[error("a debt of the position: {0}")]
    Lending(#[from] LendingError),
    /// What is to follow lies before what is known.
    #[error("slot {slot} lies before slot {known}, which is booked already: leave it out")]
    Older {
        /// Of what was brought.
        slot: u64,
        /// Of what is known.
        known: u64,
    },
}

/// What the program has counted since the position was opened. Differences tell what an action was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Base and quote that the owner has brought.
    pub brought: [u64; 2],
    /// Base and quote paid out to the owner.
    pub paid_out: [u64; 2],
    /// Loss of all swaps against the oracle's price, raw quote units.
    pub swap_loss: u64,
    /// Paid to liquidators, raw quote units.
    pub liquidation_bonus: u64,
    /// How often fees were put to work, or became the position's tokens on the way: compounded, recentered, exited.
    pub fee_actions: u64,
    /// When a keeper was last rewarded.
    pub last_reward_secs: i64,
}

/// What a position holds and owes, as its account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Lower and upper tick.
    pub ticks: [i32; 2],
    /// Liquidity in the pool.
    #[serde(with = "text")]
    pub liquidity: u128,
    /// Base and quote beside it.
    pub idle: [u64; 2],
    /// Shares of the base and the quote reserve's debt.
    #[serde(with = "text::pair")]
    pub shares: [u128; 2],
    /// See there.
    pub counters: Counters,
}

impl Account {
    /// As a value, with the debts that its shares are worth.
    ///
    /// # Errors
    /// [`AttributionError`] for numbers out of range.
    pub fn model(&self, reserves: &[ReserveState; 2]) -> Result<Position, AttributionError> {
        let debt = Amounts {
            base: reserves[0].debt_of_up(self.shares[0])?,
            quote: reserves[1].debt_of_up(self.shares[1])?,
        };
        Ok(self.with_debt(debt)?)
    }

    pub(crate) fn with_debt(&self, debt: Amounts) -> Result<Position, ModelError> {
        let [lower, upper] = self.ticks;
        Ok(Position {
            band: Band::new(Tick::new(lower)?, Tick::new(upper)?)?,
            liquidity: self.liquidity,
            idle: amounts(self.idle),
            debt,
        })
    }
}

/// The market at a moment, as far as a position's gain depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The cluster's clock, Unix seconds.
    pub secs: i64,
    /// Slot of the data.
    pub slot: u64,
    /// The oracle's price.
    pub price: SqrtPrice,
    /// Base and quote reserve, interest booked up to now.
    pub reserves: [ReserveState; 2],
}

/// A position as it was last seen: what the next step begins with. It outlives the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The cluster's clock, Unix seconds.
    pub secs: i64,
    /// Slot of the data.
    pub slot: u64,
    /// The oracle's square-root price, Q64.64.
    #[serde(with = "text")]
    pub price_x64: u128,
    /// The account.
    pub account: Account,
    /// Base and quote owed, interest included.
    pub debt: [u64; 2],
    /// Base and quote of fees that wait in the pool, as far as anybody has looked.
    pub fees: [u64; 2],
}

impl Seen {
    /// The oracle's price.
    ///
    /// # Errors
    /// [`ModelError`] for a price out of range.
    pub fn price(&self) -> Result<SqrtPrice, ModelError> {
        Ok(SqrtPrice::new(self.price_x64)?)
    }

    /// The position with its waiting fees.
    ///
    /// # Errors
    /// [`ModelError`] for numbers out of range.
    pub fn whole(&self) -> Result<Position, ModelError> {
        let model = self.account.with_debt(amounts(self.debt))?;
        model.with_idle(amounts(self.fees))
    }

    /// The position without its waiting fees, as those who decide see it. Delta is the hedge error: what the pool's base times
    /// `hedge` and what lies idle exceed the debt by.
    ///
    /// # Errors
    /// [`ModelError`] for numbers out of range.
    pub fn figures(&self, hedge: Bps) -> Result<Figures, ModelError> {
        let (model, price) = (self.account.with_debt(amounts(self.debt))?, self.price()?);
        let value = model.value(price)?;
        Ok(Figures {
            equity: value.equity(),
            delta: model.hedge_error(price, hedge)?,
            ltv_bps: value.ltv_bps_up(),
        })
    }

    /// Equity with the waiting fees, raw quote units.
    ///
    /// # Errors
    /// As [`Seen::whole`].
    pub fn equity(&self) -> Result<i128, ModelError> {
        self.whole()?.equity_down(self.price()?)
    }
}

pub(crate) fn amounts([base, quote]: [u64; 2]) -> Amounts {
    Amounts { base, quote }
}

pub(crate) fn pair(amounts: Amounts) -> [u64; 2] {
    [amounts.base, amounts.quote]
}
