//! `refresh_stage`: anyone shows the market what the chain sees of oracle, pool and reserves.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::StageChanged,
    evidence::{FeedLook, Look},
    groups::*,
    oracle::read_feed,
    pool,
    state::{Market, Reserve, require_version},
};

#[derive(Accounts)]
pub struct RefreshStage<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: address stored in the market.
    pub whirlpool: UncheckedAccount<'info>,
    pub base_reserve: AccountLoader<'info, Reserve>,
    pub quote_reserve: AccountLoader<'info, Reserve>,
    pub prices: PriceAccounts<'info>,
}

/// Collects the evidence that [`crate::state::StageRules`] names and moves the stage accordingly.
///
/// Silence can only be shown with the price accounts that the market names as its own: anyone can bring an old price of
/// another account. One of the market's own that does not exist any more, or holds no price of its feed, is silent. A price that is
/// fresh is taken note of, as by `refresh_price`.
///
/// # Errors
/// [`BallastError::PriceStale`] for a price that is neither fresh nor in the market's own account, other price errors for an
/// account that is not the market's own, [`BallastError::WrongReserve`], [`BallastError::WrongPool`].
pub(crate) fn refresh_stage(ctx: Context<RefreshStage>) -> Result<()> {
    let accounts = &ctx.accounts;
    let Clock {
        slot,
        unix_timestamp: now_secs,
        ..
    } = Clock::get()?;
    let mut market = accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    let mut utilisation_bps = [0; 2];
    for (utilisation_bps, (reserve, stored)) in utilisation_bps.iter_mut().zip([
        (&accounts.base_reserve, market.base_reserve),
        (&accounts.quote_reserve, market.quote_reserve),
    ]) {
        require_keys_eq!(reserve.key(), stored, BallastError::WrongReserve);
        let reserve = reserve.load()?;
        require_version(reserve.version, Reserve::VERSION)?;
        *utilisation_bps = reserve.utilisation_before_slot_bps(slot)?;
    }
    let look = Look {
        slot,
        now_secs,
        feeds: [
            feed(
                &market,
                &accounts.prices.base_price,
                &market.base_feed,
                market.base_price_account,
            )?,
            feed(
                &market,
                &accounts.prices.quote_price,
                &market.quote_feed,
                market.quote_price_account,
            )?,
        ],
        pool: pool::look(&accounts.whirlpool, &market)?,
        utilisation_bps,
    };
    let from = market.stage.stage;
    let evidence = look.show_to(&mut market)?;
    let to = market.stage.stage;
    if to != from {
        emit!(StageChanged {
            market: accounts.market.key(),
            from,
            to,
            oracle_evidence: evidence.oracle,
            market_evidence: evidence.market == Some(true),
        });
    }
    Ok(())
}

/// What a price account shows; the market's own may show nothing.
fn feed(market: &Market, account: &AccountInfo, feed: &[u8; 32], own: Pubkey) -> Result<FeedLook> {
    let own = own != Pubkey::default() && *account.key == own;
    let update = match read_feed(market, account, feed) {
        Ok(update) => Some(update),
        Err(_) if own => None,
        Err(error) => return Err(error),
    };
    Ok(FeedLook { update, own })
}
