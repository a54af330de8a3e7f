//! How a position opens or grows: tried out on numbers, by the functions that the program carries it out with. What comes of it is
//! what lands, as long as nobody moves the pool's price in between.

use ballast::{Policy, state::Limits};
use ballast_ledger::{Ledger, LedgerError, Lender, Pool, Swapped, Values, grow, mix};
use ballast_model::{
    Amounts, Bps, ModelError, Position, Side, SqrtPrice, Target, TargetError, plan_target,
};
use ballast_snapshot::{MarketSnapshot, SnapshotError};
use thiserror::Error;

use crate::own_pool::OwnPool;

/// What is to grow, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The position with the own funds lying idle.
    pub model: Position,
    /// Debt shares of base and quote.
    pub shares: [u128; 2],
    /// Assets over equity afterwards.
    pub leverage: Bps,
    /// The owner's.
    pub policy: Policy,
    /// Where the hedge is judged.
    pub oracle: SqrtPrice,
}

/// What the program makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grown {
    /// Base that is too much for the hedge, or too little if negative.
    pub surplus: i128,
    /// What of it was sold before providing, bought if negative: nothing of what the policy leaves alone.
    pub swapped: i128,
    /// Liquidity that was added.
    pub added: u128,
    /// What that took.
    pub deposit: Amounts,
    /// The position afterwards.
    pub after: Position,
    /// The pool's price afterwards.
    pub pool_price: SqrtPrice,
}

/// Why it does not grow like that.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GrowthError {
    /// Reserves that cannot be grown to the snapshot's time.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It cannot be planned.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A reserve does not lend that much.
    #[error("a loan of {amount} exceeds the caps of the reserve of {side}")]
    Capped {
        /// Which reserve.
        side: Side,
        /// Raw units asked for.
        amount: u64,
    },
    /// The program would refuse it.
    #[error(transparent)]
    Refused(LedgerError),
}

impl From<LedgerError> for GrowthError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Capped { side, amount } => Self::Capped { side, amount },
            error => Self::Refused(error),
        }
    }
}

/// Tries it out in a pool with the liquidity that is active now, everywhere.
///
/// # Errors
/// [`GrowthError`].
pub fn grown(snapshot: &MarketSnapshot, wanted: &Wanted) -> Result<Grown, GrowthError> {
    let Wanted {
        model,
        shares,
        leverage,
        policy,
        oracle,
    } = *wanted;
    let pool = &snapshot.pool;
    let target = Target {
        leverage,
        hedge: policy.hedge(),
        band: model.band,
    };
    let plan = plan_target(&model, &target, pool.sqrt_price, oracle)?;
    let lender = |side| -> Result<Lender, GrowthError> {
        Ok(Lender {
            state: snapshot.reserve_at(side, snapshot.now_secs)?,
            caps: snapshot.reserve(side).caps(),
        })
    };
    let mut ledger = Values {
        band: model.band,
        liquidity: model.liquidity,
        idle: model.idle,
        shares,
        lenders: [lender(Side::Base)?, lender(Side::Quote)?],
        pool: OwnPool::constant(pool.sqrt_price, pool.fee_rate_ppm.into(), pool.liquidity),
        payer: Amounts::ZERO,
        swap_loss: 0,
        refinanced: Amounts::ZERO,
    };
    let swapped = swap(&mut ledger, wanted, &snapshot.market.limits)?;
    let added = grow(&mut ledger, leverage, u128::MAX)?;
    let pool_price = ledger.pool.price();
    let deposit = model.band.amounts_up(added, pool_price);
    let deposit = deposit.map_err(|error| LedgerError::Model(ModelError::from(error)))?;
    let base = i128::from(swapped.base);
    Ok(Grown {
        surplus: plan.base_surplus,
        swapped: match plan.base_surplus {
            0.. => base,
            _ => -base,
        },
        added,
        deposit,
        after: ledger.position()?,
        pool_price,
    })
}

fn swap(
    ledger: &mut Values<OwnPool>,
    wanted: &Wanted,
    limits: &Limits,
) -> Result<Swapped, LedgerError> {
    let policy = &wanted.policy;
    let max_loss = policy.max_swap_loss_bps.min(limits.max_swap_loss_bps);
    mix(
        ledger,
        (wanted.leverage, policy.hedge()),
        policy.left_alone(),
        wanted.oracle,
        Bps::new(max_loss),
    )
}
