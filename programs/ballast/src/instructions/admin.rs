//! What the authority may change, with notice where it may hurt: parameters, mode, authority and guardian. The guardian may
//! only tighten the mode, for a while.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::{
        AuthorityAccepted, AuthorityOffered, GuardianSet, MarketChangeAnnounced, MarketUpdated,
        ModeSet, ReserveChangeAnnounced, ReserveUpdated,
    },
    pool,
    session::accrue,
    state::{
        Market, MarketMode, MarketParams, PendingParams, Reserve, ReserveParams, require_version,
    },
};

#[derive(Accounts)]
pub struct UpdateMarket<'info> {
    pub signer: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

#[derive(Accounts)]
pub struct UpdateParams<'info> {
    pub signer: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: must be the market's pool; its fee is read.
    pub whirlpool: UncheckedAccount<'info>,
}

#[derive(Accounts)]
pub struct UpdateReserve<'info> {
    pub signer: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

#[derive(Accounts)]
pub struct ApplyMarketChange<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

#[derive(Accounts)]
pub struct ApplyParams<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: must be the market's pool; its fee is read.
    pub whirlpool: UncheckedAccount<'info>,
}

#[derive(Accounts)]
pub struct ApplyReserveChange<'info> {
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

pub(super) fn require_authority(market: &Market, signer: &Signer) -> Result<()> {
    require_version(market.version, Market::VERSION)?;
    require_keys_eq!(signer.key(), market.authority, BallastError::NotAuthority);
    Ok(())
}

/// Replaces limits and rules: at once if that only keeps new positions smaller, or as long as the market has no reserve, so that
/// nobody can have relied on it; else it is announced, and anyone may put it in force [`Market::NOTICE_SECS`] later, for
/// [`Market::LAPSE_SECS`]. Either way an earlier announcement is void, so passing the parameters in force takes one back.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::BadParameters`], [`BallastError::WrongPool`].
pub(crate) fn update_market(ctx: Context<UpdateParams>, params: MarketParams) -> Result<()> {
    let key = ctx.accounts.market.key();
    let mut market = ctx.accounts.market.load_mut()?;
    require_authority(&market, &ctx.accounts.signer)?;
    market.check_params(&params)?;
    require_room_for_fee(&market, &params, &ctx.accounts.whirlpool)?;
    market.pending = PendingParams::default();
    if market.has_no_reserve() || params.only_restrains(&market.params()) {
        market.set_params(&params)?;
        emit!(MarketUpdated {
            market: key,
            params
        });
        return Ok(());
    }
    let effective_at_secs = notice_ends()?;
    market.pending = PendingParams {
        params,
        effective_at_secs,
    };
    emit!(MarketChangeAnnounced {
        market: key,
        params,
        effective_at_secs,
    });
    Ok(())
}

fn require_room_for_fee(
    market: &Market,
    params: &MarketParams,
    whirlpool: &AccountInfo,
) -> Result<()> {
    require_keys_eq!(whirlpool.key(), market.whirlpool, BallastError::WrongPool);
    market.check_fee(params, pool::read(whirlpool)?.fee_rate_ppm)
}

/// Puts announced parameters of a market in force. Anyone. What the pool's fee asks of them is looked at again: it may have risen since.
///
/// # Errors
/// [`BallastError::NothingAnnounced`], also for an announcement that has lapsed, [`BallastError::NoticeNotOver`],
/// [`BallastError::WrongPool`], [`BallastError::BadParameters`] if those in force fit the pool's fee of today better.
pub(crate) fn apply_market_change(ctx: Context<ApplyParams>) -> Result<()> {
    let key = ctx.accounts.market.key();
    let mut market = ctx.accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    let PendingParams {
        params,
        effective_at_secs,
    } = market.pending;
    require_notice_over(effective_at_secs)?;
    require_room_for_fee(&market, &params, &ctx.accounts.whirlpool)?;
    market.set_params(&params)?;
    market.pending = PendingParams::default();
    emit!(MarketUpdated {
        market: key,
        params
    });
    Ok(())
}

/// Replaces a reserve's curve and caps, with notice as [`update_market`]: at once if that only keeps new loans and deposits
/// away, or while nobody has lent and the market has no positions. Interest up to now is booked at the old rates.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::WrongReserve`], [`BallastError::BadParameters`].
pub(crate) fn update_reserve(ctx: Context<UpdateReserve>, params: ReserveParams) -> Result<()> {
    let market = ctx.accounts.market.load()?;
    require_authority(&market, &ctx.accounts.signer)?;
    let key = ctx.accounts.reserve.key();
    let mut reserve = ctx.accounts.reserve.load_mut()?;
    require_version(reserve.version, Reserve::VERSION)?;
    require_keys_eq!(
        reserve.market,
        ctx.accounts.market.key(),
        BallastError::WrongReserve
    );
    params.check()?;
    reserve.pending = ReserveParams::default();
    reserve.pending_effective_at_secs = 0;
    // A position that owes nothing of a token now may have to borrow it soon.
    let unused =
        market.open_positions == 0 && reserve.supply_shares == 0 && reserve.debt_shares.get() == 0;
    if unused || params.only_restrains(&reserve.params()) {
        return put_in_force(key, &mut reserve, params);
    }
    let effective_at_secs = notice_ends()?;
    reserve.pending = params;
    reserve.pending_effective_at_secs = effective_at_secs;
    emit!(ReserveChangeAnnounced {
        reserve: key,
        params,
        effective_at_secs,
    });
    Ok(())
}

/// Puts announced parameters of a reserve in force. Anyone.
///
/// # Errors
/// [`BallastError::NothingAnnounced`], also for an announcement that has lapsed, [`BallastError::NoticeNotOver`].
pub(crate) fn apply_reserve_change(ctx: Context<ApplyReserveChange>) -> Result<()> {
    let key = ctx.accounts.reserve.key();
    let mut reserve = ctx.accounts.reserve.load_mut()?;
    require_version(reserve.version, Reserve::VERSION)?;
    require_notice_over(reserve.pending_effective_at_secs)?;
    let params = reserve.pending;
    reserve.pending = ReserveParams::default();
    reserve.pending_effective_at_secs = 0;
    put_in_force(key, &mut reserve, params)
}

fn put_in_force(key: Pubkey, reserve: &mut Reserve, params: ReserveParams) -> Result<()> {
    accrue(key, reserve, Clock::get()?.unix_timestamp)?;
    reserve.set_params(&params)?;
    emit!(ReserveUpdated {
        reserve: key,
        params
    });
    Ok(())
}

pub(super) fn notice_ends() -> Result<i64> {
    Ok(Clock::get()?
        .unix_timestamp
        .saturating_add(Market::NOTICE_SECS))
}

pub(super) fn require_notice_over(effective_at_secs: i64) -> Result<()> {
    require!(effective_at_secs > 0, BallastError::NothingAnnounced);
    let since_secs = Clock::get()?
        .unix_timestamp
        .saturating_sub(effective_at_secs);
    require!(since_secs >= 0, BallastError::NoticeNotOver);
    // Whoever came long after the announcement has not been told.
    require!(
        since_secs <= Market::LAPSE_SECS,
        BallastError::NothingAnnounced
    );
    Ok(())
}

/// Sets the mode for `secs`, after which it ends by itself. The authority may set any, for a week at most, also in place of the
/// guardian's; the guardian only a stricter one than holds now, for a day at most; when that is over it has to rest for a day,
/// and what the authority has set for longer holds again.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::GuardianRests`], [`BallastError::BadParameters`] for a time that is 0 or
/// too long.
pub(crate) fn set_mode(ctx: Context<UpdateMarket>, mode: MarketMode, secs: u32) -> Result<()> {
    let mut market = ctx.accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    let signer = ctx.accounts.signer.key();
    let now_secs = Clock::get()?.unix_timestamp;
    let by_authority = signer == market.authority;
    let longest_secs = if by_authority {
        Market::LONGEST_PAUSE_SECS
    } else {
        // The all-zero guardian means "none"; nobody can sign for that address.
        require!(
            signer == market.guardian && mode > market.mode_set_at(now_secs),
            BallastError::NotAuthority
        );
        Market::LONGEST_GUARDIAN_PAUSE_SECS
    };
    let lifts = mode == MarketMode::Normal;
    require!(
        lifts || (1..=longest_secs).contains(&secs),
        BallastError::BadParameters
    );
    let mut until_secs = now_secs.saturating_add(i64::from(secs));
    if by_authority {
        // What the guardian has set is the authority's to confirm or to lift.
        market.guardian_mode = MarketMode::Normal as u8;
        market.mode = mode as u8;
        until_secs = if lifts { 0 } else { until_secs };
        market.mode_until_secs = until_secs;
    } else {
        if now_secs < market.guardian_until_secs() {
            // Stricter, but not longer.
            until_secs = market.guardian_until_secs();
        } else {
            require!(
                now_secs >= market.guardian_rests_until_secs,
                BallastError::GuardianRests
            );
            let rest_secs = i64::from(Market::LONGEST_GUARDIAN_PAUSE_SECS);
            market.guardian_rests_until_secs = until_secs.saturating_add(rest_secs);
        }
        market.guardian_mode = mode as u8;
    }
    emit!(ModeSet {
        market: ctx.accounts.market.key(),
        mode,
        until_secs,
        by: signer
    });
    Ok(())
}

/// Offers the authority to `to`; the all-zero address takes an offer back. Nothing changes until it is accepted.
///
/// # Errors
/// [`BallastError::NotAuthority`].
pub(crate) fn offer_authority(ctx: Context<UpdateMarket>, to: Pubkey) -> Result<()> {
    let mut market = ctx.accounts.market.load_mut()?;
    require_authority(&market, &ctx.accounts.signer)?;
    market.pending_authority = to;
    emit!(AuthorityOffered {
        market: ctx.accounts.market.key(),
        to,
    });
    Ok(())
}

/// Takes over an authority that was offered.
///
/// # Errors
/// [`BallastError::NotOffered`].
pub(crate) fn accept_authority(ctx: Context<UpdateMarket>) -> Result<()> {
    let mut market = ctx.accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    // Nobody can sign for the all-zero address, which means "nobody".
    require_keys_eq!(
        ctx.accounts.signer.key(),
        market.pending_authority,
        BallastError::NotOffered
    );
    market.authority = market.pending_authority;
    market.pending_authority = Pubkey::default();
    emit!(AuthorityAccepted {
        market: ctx.accounts.market.key(),
        authority: market.authority,
    });
    Ok(())
}

/// Names another guardian; the all-zero address: none.
///
/// # Errors
/// [`BallastError::NotAuthority`].
pub(crate) fn set_guardian(ctx: Context<UpdateMarket>, guardian: Pubkey) -> Result<()> {
    let mut market = ctx.accounts.market.load_mut()?;
    require_authority(&market, &ctx.accounts.signer)?;
    market.guardian = guardian;
    emit!(GuardianSet {
        market: ctx.accounts.market.key(),
        guardian,
    });
    Ok(())
}
