//! `settle`: in a market that has had no price for a week, anyone closes a position at the last one, so that its owner and its
//! lenders can leave.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_model::{Bps, SettlementBonus, plan_settlement};

use crate::{
    errors::BallastError,
    events::Settled,
    groups::*,
    math::ToProgramError,
    oracle,
    session::{Session, payable},
    state::Market,
};

#[derive(Accounts)]
pub struct Settle<'info> {
    pub settler: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub wallet: WalletAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    pub prices: PriceAccounts<'info>,
}

/// Withdraws everything, collects the fees and repays both debts with what is held. What is still owed of one token may be
/// brought, in exchange for the position's other token at the last price and a bonus ([`Market::settlement_bonus_bps`], the liquidation
/// bonus and more with every day that anybody could bring it: the last price may be one at which nobody does;
/// for [`Market::LENDERS_SPARED_SECS`] what is more comes out of equity only), as far as `max_pay` and the
/// wallet go: from [`Market::SETTLEMENT_OWNER_FIRST_SECS`] after a settlement has taken the position out of the pool, by the owner at once
/// where all is covered. Before, what others would bring is not taken, and the rest is done. When all that the position's tokens pay for is repaid, the rest of both debts is written off; else it
/// waits for somebody who brings more. What is left belongs to the owner, who closes the position.
///
/// # Errors
/// [`BallastError::NotSilentLongEnough`], [`BallastError::NothingOwed`], [`BallastError::NothingToPayWith`] if nothing would
/// change, [`BallastError::SettlementFirstDay`] if it would by what may be brought after the first day, [`BallastError::GainTooSmall`]
/// for less than `min_received`, also of a call that only begins and receives nothing; [`BallastError::InvariantBroken`] if a
/// debt would remain of the whole.
pub(crate) fn settle(
    ctx: Context<Settle>,
    max_pay: [u64; 2],
    min_received: [u64; 2],
) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let market = &*accounts.market.load()?;
    let oracle::SettlementPrice {
        price: at,
        overdue_secs,
        silent_secs,
    } = oracle::settlement_price(market, &accounts.prices, &accounts.pool.whirlpool, now_secs)?;
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    require!(!session.position.is_debt_free(), BallastError::NothingOwed);
    let waited_secs = session.position.settling_secs(now_secs, silent_secs);
    let begins = waited_secs.is_none();
    let waited_secs = waited_secs.unwrap_or(0);
    // A wait counts while settlements go: an old price that is brought later may end that for a time.
    let open_secs = waited_secs
        .min(overdue_secs)
        .saturating_sub(Market::SETTLEMENT_OWNER_FIRST_SECS);
    let bonus_bps = market.settlement_bonus_bps(open_secs);
    let lenders_bonus_bps =
        market.settlement_bonus_bps(open_secs.saturating_sub(Market::LENDERS_SPARED_SECS));
    let owner = accounts.settler.key() == session.position.owner;
    let liquidity = session.position.liquidity.get();
    if liquidity > 0 {
        session.withdraw(&accounts.pool, &accounts.range, liquidity)?;
    }
    let fees = session.collect_fees(&accounts.pool)?;
    let debt = session.model()?.debt;
    let payable = payable(&accounts.wallet, Amounts::new(max_pay[0], max_pay[1]));
    let bonus = SettlementBonus {
        most: Bps::new(bonus_bps),
        of_lenders: Bps::new(lenders_bonus_bps),
    };
    let held = session.position.idle();
    let with = |payable| plan_settlement(held, debt, at, bonus, payable).or_range();
    let mut plan = with(payable)?;
    let may_bring = open_secs >= 0 || (owner && plan.covers_all);
    if !may_bring {
        plan = with(Amounts::ZERO)?;
    }
    if liquidity == 0 && !begins && !plan.complete && plan.exchange.repay.is_zero() {
        require!(
            may_bring || payable.is_zero(),
            BallastError::SettlementFirstDay
        );
        return err!(BallastError::NothingToPayWith);
    }
    let (brought, received) = (plan.exchange.brought(), plan.exchange.received());
    require!(
        received.base >= min_received[0] && received.quote >= min_received[1],
        BallastError::GainTooSmall
    );
    let mut calls = session
        .calls(&accounts.pool, &accounts.range)
        .paid_by(&accounts.wallet, &accounts.settler);
    ballast_ledger::pay(&mut calls, &plan.exchange)?;
    if plan.complete {
        session.settle()?;
        session.write_off(Side::Base)?;
        session.write_off(Side::Quote)?;
        require!(
            session.position.is_debt_free(),
            BallastError::InvariantBroken
        );
    }
    emit!(Settled {
        position: accounts.position.position.key(),
        by: accounts.settler.key(),
        complete: plan.complete,
        liquidity,
        fees_base: fees.base,
        fees_quote: fees.quote,
        repaid_base: plan.exchange.repay.base,
        repaid_quote: plan.exchange.repay.quote,
        brought_base: brought.base,
        brought_quote: brought.quote,
        received_base: received.base,
        received_quote: received.quote,
        sqrt_price_x64: at.x64(),
        bonus_bps,
        lenders_bonus_bps,
    });
    session.store()
}
