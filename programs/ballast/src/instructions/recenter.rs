//! `recenter`, `recenter_replacing`: a keeper moves a position to a new band around the price, and brings delta and
//! leverage back to their targets on the way.

use anchor_lang::prelude::*;
use ballast_clmm::Band;

use crate::{
    due,
    errors::BallastError,
    events::Recentered,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade, OraclePrice},
    pool::{self, Opening},
    risk,
    session::{Failed, NewBand, Session, band_between},
    state::{Allowance, Change, Market, MarketMode, Need, Position},
    terms,
};

/// The new band: multiples of the pool's tick spacing.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecenterArgs {
    /// Lower tick.
    pub tick_lower: i32,
    /// Upper tick.
    pub tick_upper: i32,
}

#[derive(Accounts)]
pub struct Recenter<'info> {
    /// Pays nothing, but the Whirlpool program wants a signer who could.
    #[account(mut)]
    pub keeper: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    /// Of the band that is left.
    pub range: RangeAccounts<'info>,
    /// Of the new band.
    pub new_range: RangeAccounts<'info>,
    pub swap: SwapAccounts<'info>,
    pub prices: PriceAccounts<'info>,
    pub system_program: Program<'info, System>,
}

#[derive(Accounts)]
pub struct RecenterReplacing<'info> {
    pub recenter: Recenter<'info>,
    /// CHECK: address stored in the position.
    #[account(mut)]
    pub nft_mint: UncheckedAccount<'info>,
    /// CHECK: created here by the Whirlpool program, which checks the address.
    #[account(mut)]
    pub new_whirlpool_position: UncheckedAccount<'info>,
    /// CHECK: created here by the Whirlpool program; its address is checked by deriving it.
    #[account(mut)]
    pub new_nft_mint: UncheckedAccount<'info>,
    /// CHECK: created here by the Whirlpool program, which checks the address.
    #[account(mut)]
    pub new_nft_account: UncheckedAccount<'info>,
    pub nft: NftAccounts<'info>,
}

/// Withdraws everything, collects the fees, repays what that pays for, moves the Whirlpool position to the new band (it
/// keeps its NFT), swaps exactly the hedge error (MATH section 4), borrows and provides up to the owner's leverage.
///
/// A keeper may do it when the price is outside the band or at its edge, inside the owner's window, after the cool-down,
/// to a band that is centred on the oracle's price and as wide as the owner lets it be, as far as the day's losses allow.
/// The owner may do it at any time, to any band that the limits allow, also to go back into the pool after an exit.
///
/// # Errors
/// [`BallastError::KeeperDisabled`], [`BallastError::RecenterNotDue`], [`BallastError::TooSoon`], [`BallastError::FirstKeepersTurn`],
/// [`BallastError::WidthOutOfBounds`], [`BallastError::RecenterOffCentre`], [`BallastError::DailyLossExceeded`], and those
/// of opening.
pub(crate) fn recenter(ctx: Context<Recenter>, args: RecenterArgs) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut market = accounts.market.load_mut()?;
    move_band(accounts, &mut market, args, |session, to| {
        session.reset_range(
            &accounts.pool,
            &accounts.keeper,
            &accounts.system_program,
            to,
        )
    })
}

/// The same for pool programs that cannot move a position: the empty Whirlpool position is closed and another opened in its
/// place, with another NFT. The keeper gets the old one's rent and pays the new one's, which is as much.
///
/// # Errors
/// As [`recenter`].
pub(crate) fn recenter_replacing(
    ctx: Context<RecenterReplacing>,
    args: RecenterArgs,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let inner = &accounts.recenter;
    let position_key = inner.position.position.key();
    let (nft_mint, generation) = {
        let position = inner.position.position.load()?;
        let next = position.nft_generation.checked_add(1).or_range()?;
        (position.nft_mint, next.to_le_bytes())
    };
    require_keys_eq!(
        accounts.nft_mint.key(),
        nft_mint,
        BallastError::WrongPositionAccount
    );
    let seeds: &[&[u8]] = &[Position::NFT_SEED, position_key.as_ref(), &generation];
    let (mint, bump) = Pubkey::find_program_address(seeds, &crate::ID);
    require_keys_eq!(
        accounts.new_nft_mint.key(),
        mint,
        BallastError::WrongPositionAccount
    );
    let new = PositionAccounts {
        position: inner.position.position.clone(),
        whirlpool_position: accounts.new_whirlpool_position.clone(),
        nft_account: accounts.new_nft_account.clone(),
        base_account: inner.position.base_account.clone(),
        quote_account: inner.position.quote_account.clone(),
    };
    let mut market = inner.market.load_mut()?;
    move_band(inner, &mut market, args, |session, to| {
        session.replace(
            &inner.pool,
            &accounts.nft_mint,
            &new,
            &accounts.new_nft_mint,
            &Opening {
                funder: &inner.keeper,
                system_program: &inner.system_program,
                nft: &accounts.nft,
                nft_seeds: &[
                    Position::NFT_SEED,
                    position_key.as_ref(),
                    &generation,
                    &[bump],
                ],
            },
            to,
        )
    })
}

fn move_band<'a, 'info>(
    accounts: &'a Recenter<'info>,
    market: &'a mut Market,
    args: RecenterArgs,
    re_range: impl FnOnce(&mut Session<'a, 'info>, NewBand) -> Result<()>,
) -> Result<()> {
    let ticks = [args.tick_lower, args.tick_upper];
    let now_secs = Clock::get()?.unix_timestamp;
    risk::require_mode(market, MarketMode::Normal, now_secs)?;
    let oracle = oracle::read_price(market, &accounts.prices, now_secs, Grade::Tight)?;
    let market = &*market;
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    risk::require_pool_near_oracle(&market.limits, pool_price, oracle.mid)?;

    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    let liquidity_before = session.position.liquidity.get();
    let by_owner = accounts.keeper.key() == session.position.owner;
    let mut to = NewBand { ticks, band: None };
    if !by_owner {
        require!(liquidity_before > 0, BallastError::NoLiquidity);
        let (need, band) = require_due(&session, &oracle, ticks, now_secs)?;
        to.band = Some(band);
        if session.leave_to_first_keepers(&accounts.keeper.key(), need, now_secs)? {
            return session.store();
        }
    }
    session.position.attend_to(Need::RecenterLow);
    let ticks_before = [session.position.tick_lower, session.position.tick_upper];
    let before = session.model()?;
    let before_at_price = before.at(oracle.mid);
    let value_before = before_at_price.value().or_range()?;
    let equity_before = value_before.equity();

    let policy = session.position.policy;
    let automation = session.position.automation;
    let terms = terms::recenter(&market.limits, &policy, &automation, oracle.mid);
    let mut calls = session
        .calls(&accounts.pool, &accounts.range)
        .swapping(&accounts.swap);
    let ballast_ledger::Recentered {
        fees,
        fees_worth,
        swapped,
        liquidity,
    } = ballast_ledger::recenter(&mut calls, value_before.assets, &terms, |calls| {
        calls.range = &accounts.new_range;
        re_range(calls.session, to).map_err(Failed::from)
    })?;
    let equity_before = equity_before.saturating_add_unsigned(fees_worth);
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    // Once more: the swap may have moved it.
    risk::require_pool_near_oracle(&market.limits, pool_price, oracle.mid)?;
    require!(liquidity > 0, BallastError::ZeroAmount);

    let model = session.model()?;
    let after = model.at(oracle.mid);
    let newest = oracle::newest_price(market);
    let value =
        risk::require_initial_health_at(&market.limits, &after, &oracle, pool_price, newest)?;
    risk::require_hedged_at(&policy, &after, policy.delta_target_bps)?;
    // Leverage was chosen so that no position grows beyond the largest. One that pays nobody to liquidate it come to owe more than it did.
    require!(
        value.assets >= u128::from(market.limits.min_position_value)
            || value.debt <= value_before.debt,
        BallastError::PositionSize
    );
    if !by_owner {
        let with_fees = before.with_idle(fees).or_range()?;
        let value_with_fees = before_at_price.then(&with_fees).value().or_range()?;
        let equities = [value_with_fees.equity(), value.equity()];
        let change = Change {
            before: &with_fees,
            after: &model,
            needed_base: swapped.base,
            fee_rate_ppm: pool::fee_rate_ppm(&accounts.pool)?,
        };
        let charge = change.charge_from(equities, oracle.mid, newest);
        let (position, daily) = (&mut session.position, Allowance::Daily);
        risk::charge_loss(market, position, daily, charge.or_range()?, now_secs)?;
    }
    let position = &mut session.position;
    position.last_recenter_secs = now_secs;
    position.last_rebalance_secs = now_secs;
    position.recenters = position.recenters.saturating_add(1);
    emit!(Recentered {
        position: accounts.position.position.key(),
        keeper: accounts.keeper.key(),
        tick_lower_before: ticks_before[0],
        tick_upper_before: ticks_before[1],
        tick_lower: ticks[0],
        tick_upper: ticks[1],
        liquidity,
        fees_base: fees.base,
        fees_quote: fees.quote,
        base_traded: swapped.base,
        quote_traded: swapped.quote,
        swap_loss: swapped.loss,
        equity_before,
        equity_after: value.equity(),
        ltv_bps: value.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store_and_pay(&accounts.keeper)
}

/// What binds keepers, but not the owner. Returns what it is done for, and the new band.
fn require_due(
    session: &Session,
    oracle: &OraclePrice,
    ticks: [i32; 2],
    now_secs: i64,
) -> Result<(Need, Band)> {
    let (position, market) = (&session.position, session.market);
    let automation = &position.automation;
    require!(
        position.policy.keeper_enabled == 1 && automation.max_width_ticks > 0,
        BallastError::KeeperDisabled
    );
    let cooldown_secs = automation
        .recenter_cooldown_secs
        .max(market.keepers.min_recenter_interval_secs);
    let due_secs = position
        .last_recenter_secs
        .saturating_add(i64::from(cooldown_secs));
    require!(now_secs >= due_secs, BallastError::TooSoon);
    let newest = oracle::newest_price(market);
    let edge = due::recenter_due(automation, &session.band(), oracle.mid, newest)
        .ok_or(BallastError::RecenterNotDue)?;
    require!(
        due::width_allowed(automation, ticks),
        BallastError::WidthOutOfBounds
    );
    require!(
        due::centred(ticks, market.tick_spacing, oracle.mid),
        BallastError::RecenterOffCentre
    );
    // A band in which recentering is due again at once is no improvement.
    let band = band_between(ticks)?;
    require!(
        !due::at_edge(&band, automation.edge_bps, oracle.mid),
        BallastError::RecenterOffCentre
    );
    Ok((edge.into(), band))
}
