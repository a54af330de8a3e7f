//! `refresh_price`: anyone shows the market the newest prices, after which it takes no older ones.

use anchor_lang::prelude::*;

use crate::{
    groups::*,
    oracle,
    state::{Market, require_version},
};

#[derive(Accounts)]
pub struct RefreshPrice<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub prices: PriceAccounts<'info>,
}

/// Remembers both prices, of each feed the newest, and does nothing else. Whoever fears that somebody acts on a price of a minute
/// ago, because it suits him better than the newest, calls this with the newest, also where only one of the two is newer than what
/// the market knows.
///
/// # Errors
/// Price errors.
pub(crate) fn refresh_price(ctx: Context<RefreshPrice>) -> Result<()> {
    let mut market = ctx.accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    let now_secs = Clock::get()?.unix_timestamp;
    oracle::show_prices(&mut market, &ctx.accounts.prices, now_secs)
}
