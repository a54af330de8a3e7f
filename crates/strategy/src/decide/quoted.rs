//! The pool that forecasts are made on: its price less its fee, with no price impact. What fails even then cannot succeed; what
//! passes is settled by simulating the transaction.

use ballast_ledger::{LedgerError, Moved, Order, Pool, Values};
use ballast_model::{
    Amounts, Band, Bps, DeleverageError, ModelError, Position as PositionModel, SqrtPrice, Trade,
    lending::LendingError,
};
use ballast_snapshot::PoolState;

use super::{
    Obstacle,
    swap::{BestSwap, best_swap, spent},
};
use crate::situation::{Situation, SituationError};

/// See the module's description.
#[derive(Clone, Debug)]
pub(super) struct Quoted {
    pool: PoolState,
    oracle: SqrtPrice,
    max_loss: Bps,
    /// Fees that the position has earned.
    fees: Amounts,
    /// The larger of the swaps so far.
    pub largest: Option<BestSwap>,
}

/// Why a forecast ends.
pub(super) enum Ends {
    Ledger(LedgerError),
    Obstacle(Obstacle),
}

impl From<LedgerError> for Ends {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<Obstacle> for Ends {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl Pool for Quoted {
    type Error = Ends;

    fn price(&self) -> SqrtPrice {
        self.pool.sqrt_price
    }

    fn fee_rate_ppm(&self) -> u32 {
        self.pool.fee_rate_ppm.into()
    }

    fn swap(&mut self, order: Order, _limit: Option<SqrtPrice>) -> Result<Moved, Ends> {
        let max_bps = self.max_loss.get();
        let best = |trade, base| best_swap(&self.pool, (trade, base), self.oracle, max_bps);
        let swap = match order {
            Order::Sell(base) => best(Trade::SellBase, base)?,
            Order::Buy(base) => best(Trade::BuyBase, base)?,
            Order::Spend(quote) => spent(&self.pool, quote, self.oracle, max_bps)?,
        };
        if self.largest.is_none_or(|largest| swap.base > largest.base) {
            self.largest = Some(swap);
        }
        Ok(Moved {
            base: swap.base,
            quote: swap.quote,
        })
    }

    fn add(&mut self, _band: &Band, _liquidity: u128) {}

    fn remove(&mut self, _band: &Band, _liquidity: u128) {}

    fn book(&mut self, _band: &Band) {}

    fn collect(&mut self) -> Amounts {
        core::mem::take(&mut self.fees)
    }
}

/// The position on that pool, for an action whose swaps may lose so much against the oracle's price.
pub(super) fn ledger(
    situation: &Situation,
    oracle: SqrtPrice,
    max_loss: Bps,
) -> Result<Values<Quoted>, SituationError> {
    let pool = Quoted {
        pool: situation.market.pool,
        oracle,
        max_loss,
        fees: situation.fees(),
        largest: None,
    };
    let (market, now_secs) = (situation.market, situation.now_secs);
    Ok(market.ledger(situation.position, now_secs, pool)?)
}

impl Ends {
    /// What stands in the way, where an action on `ledger` has ended.
    pub fn obstacle(self, ledger: &Values<Quoted>) -> Obstacle {
        let error = match self {
            Self::Obstacle(obstacle) => return obstacle,
            Self::Ledger(error) => error,
        };
        let overflow = |what| Obstacle::Arithmetic(ModelError::Overflow(what));
        match error {
            LedgerError::Model(error) => Obstacle::Arithmetic(error),
            LedgerError::Lending {
                side,
                error:
                    LendingError::InsufficientLiquidity {
                        available,
                        requested,
                    },
            } => Obstacle::ReserveShort {
                side,
                needed: requested,
                liquidity: available,
            },
            LedgerError::Lending { .. } => overflow("debt"),
            LedgerError::Capped { side, amount } => Obstacle::ReserveShort {
                side,
                needed: amount,
                // The loan has been taken on the ledger.
                liquidity: ledger.lender(side).state.liquidity.saturating_add(amount),
            },
            LedgerError::SwapLoss { trade, max_loss } => {
                least_loss(&ledger.pool, trade).unwrap_or(Obstacle::SwapLoss {
                    loss_bps: max_loss.get().into(),
                    max_bps: max_loss.get(),
                })
            }
            LedgerError::OtherAmounts => overflow("swap"),
            LedgerError::NoEquity => Obstacle::NoEquity,
            LedgerError::HedgeNotAffordable { leverage } => {
                Obstacle::HedgeNotAffordable { leverage }
            }
            LedgerError::Deleverage(DeleverageError::Model(error)) => Obstacle::Arithmetic(error),
            LedgerError::Deleverage(
                DeleverageError::NeedsSwap { target }
                | DeleverageError::BadTarget(target)
                | DeleverageError::NotNeeded { target, .. },
            ) => Obstacle::NeedsSwap { target },
            LedgerError::Short { .. } | LedgerError::DebtRemains => Obstacle::DebtRemains {
                owed: owed(ledger).unwrap_or(Amounts::ZERO),
            },
            LedgerError::NothingToPayWith => Obstacle::LiquidationFunds {
                needed: owed(ledger).unwrap_or(Amounts::ZERO),
                funds: ledger.payer,
            },
        }
    }
}

/// The position afterwards.
pub(super) fn after(ledger: &Values<Quoted>) -> Result<PositionModel, Obstacle> {
    let position = ballast_ledger::Ledger::position(ledger);
    position.map_err(|ends| ends.obstacle(ledger))
}

fn owed(ledger: &Values<Quoted>) -> Option<Amounts> {
    let position = ballast_ledger::Ledger::position(ledger);
    Some(position.ok()?.debt)
}

/// What fee and distance of the pool's price alone lose, where that is too much.
fn least_loss(pool: &Quoted, trade: Trade) -> Option<Obstacle> {
    const PLENTY: u64 = 1_000_000_000;
    best_swap(
        &pool.pool,
        (trade, PLENTY),
        pool.oracle,
        pool.max_loss.get(),
    )
    .err()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::fixtures;

    #[test]
    fn the_quoted_pool_is_the_markets_and_remembers_its_larger_swap() {
        let (market, position) = (fixtures::snapshot(200), fixtures::position());
        let situation = fixtures::situation(&market, &position);
        let mut pool = ledger(&situation, market.pool.sqrt_price, Bps::new(1_000))
            .unwrap()
            .pool;
        assert_eq!(pool.price(), market.pool.sqrt_price);
        assert_eq!(pool.fee_rate_ppm(), u32::from(market.pool.fee_rate_ppm));
        assert!(pool.fee_rate_ppm() > 1);
        let mut swap = |order| {
            assert!(pool.swap(order, None).is_ok());
            pool.largest.map(|swap| (swap.trade, swap.base))
        };
        let sold = |base| Some((Trade::SellBase, base));
        assert_eq!(swap(Order::Sell(20_000_000)), sold(20_000_000));
        // One that is as large comes too late.
        assert_eq!(swap(Order::Buy(20_000_000)), sold(20_000_000));
        assert_eq!(swap(Order::Buy(10_000_000)), sold(20_000_000));
        assert_eq!(
            swap(Order::Buy(30_000_000)),
            Some((Trade::BuyBase, 30_000_000))
        );
    }

    #[test]
    fn debt_that_remains_is_told() {
        let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let situation = fixtures::situation(&market, &position);
        let ledger = ledger(&situation, market.pool.sqrt_price, Bps::ZERO).unwrap();
        let debt = after(&ledger).unwrap().debt;
        assert!(debt.base > 0 && debt.quote > 0);
        assert_eq!(
            Ends::Ledger(LedgerError::DebtRemains).obstacle(&ledger),
            Obstacle::DebtRemains { owed: debt }
        );
    }
}
