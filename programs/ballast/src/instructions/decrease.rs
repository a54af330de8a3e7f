//! `decrease`: the owner takes liquidity out, repays, and takes what is free.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};

use crate::{
    errors::BallastError,
    events::PositionDecreased,
    groups::*,
    oracle::{self, Grade, OraclePrice},
    pool, risk,
    session::Session,
    state::{Market, MarketMode},
};

/// How much to take out. Amounts are upper bounds: `u64::MAX` repays all that is owed, or pays out all that is idle.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecreaseArgs {
    /// Liquidity to withdraw.
    pub liquidity: u128,
    /// Base to repay out of what is idle then.
    pub repay_base: u64,
    /// Quote to repay out of what is idle then.
    pub repay_quote: u64,
    /// Base to pay out to the owner.
    pub pay_base: u64,
    /// Quote to pay out to the owner.
    pub pay_quote: u64,
}

#[derive(Accounts)]
pub struct Decrease<'info> {
    pub owner: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub wallet: WalletAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    pub prices: PriceAccounts<'info>,
}

/// Withdraws, repays, pays out. Paying out while something is owed adds risk and is checked like opening; withdrawing
/// and repaying alone only reduces it and needs no price.
///
/// # Errors
/// [`BallastError::NotOwner`], [`BallastError::ZeroAmount`], and, when paying out of an indebted position, the risk and
/// price errors of opening.
pub(crate) fn decrease(ctx: Context<Decrease>, args: DecreaseArgs) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let asked = [
        args.repay_base,
        args.repay_quote,
        args.pay_base,
        args.pay_quote,
    ];
    require!(
        args.liquidity > 0 || asked.iter().any(|amount| *amount > 0),
        BallastError::ZeroAmount
    );
    let mut market = accounts.market.load_mut()?;
    let indebted_price = {
        let position = accounts.position.position.load()?;
        require_keys_eq!(accounts.owner.key(), position.owner, BallastError::NotOwner);
        let pays = args.pay_base > 0 || args.pay_quote > 0;
        // Whether a bad price matters is known when the debts have been repaid.
        (pays && !position.is_debt_free())
            .then(|| oracle::read_price(&mut market, &accounts.prices, now_secs, Grade::Tight))
    };
    let market = &*market;
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    if args.liquidity > 0 {
        session.withdraw(&accounts.pool, &accounts.range, args.liquidity)?;
    }
    let repaid = Amounts {
        base: session.repay(Side::Base, args.repay_base)?,
        quote: session.repay(Side::Quote, args.repay_quote)?,
    };
    let paid = Amounts {
        base: args.pay_base.min(session.position.idle_base),
        quote: args.pay_quote.min(session.position.idle_quote),
    };
    for side in [Side::Base, Side::Quote] {
        session.pay_out(side, paid.get(side), accounts.wallet.tokens(side))?;
    }
    let entry = &mut session.position.entry;
    entry.withdrawn_base = entry.withdrawn_base.saturating_add(paid.base);
    entry.withdrawn_quote = entry.withdrawn_quote.saturating_add(paid.quote);

    let price = indebted_price
        .filter(|_| !session.position.is_debt_free())
        .transpose()?;
    if let Some(oracle) = price.filter(|_| paid != Amounts::ZERO) {
        require_payout(&session, &accounts.pool, &oracle, now_secs)?;
    }
    emit!(PositionDecreased {
        position: accounts.position.position.key(),
        liquidity: args.liquidity,
        repaid_base: repaid.base,
        repaid_quote: repaid.quote,
        paid_base: paid.base,
        paid_quote: paid.quote,
    });
    session.store()
}

/// What must hold after something was paid out of a position that still owes: the same as after opening.
///
/// # Errors
/// Those of [`risk::require_initial_health`], [`BallastError::ModeForbids`], [`BallastError::PoolDiverged`],
/// [`BallastError::PositionSize`], [`BallastError::DeltaOutsideTarget`].
pub(super) fn require_payout(
    session: &Session,
    pool: &PoolAccounts,
    oracle: &OraclePrice,
    now_secs: i64,
) -> Result<()> {
    let limits = &session.market.limits;
    risk::require_mode(session.market, MarketMode::Normal, now_secs)?;
    let pool_price = pool::sqrt_price(pool, session.market)?;
    risk::require_pool_near_oracle(limits, pool_price, oracle.mid)?;
    let left = session.model()?.at(oracle.mid);
    let newest = oracle::newest_price(session.market);
    let value = risk::require_initial_health_at(limits, &left, oracle, pool_price, newest)?;
    // A position that pays nobody to liquidate it must not come about.
    require!(
        value.assets >= u128::from(limits.min_position_value),
        BallastError::PositionSize
    );
    let policy = &session.position.policy;
    risk::require_hedged_at(policy, &left, policy.delta_band_bps)?;
    Ok(())
}
