//! The price at which a market is settled that has none any more.

use anchor_lang::prelude::*;
use ballast_abi::pyth::PriceUpdate;
use ballast_clmm::SqrtPrice;

use super::{STALLED_CONFIDENCE_BPS, confidence_ppm_up, ratio, read_feed};
use crate::{
    errors::BallastError, groups::PriceAccounts, math::ToProgramError, pool, state::Market,
};

/// At what a market is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementPrice {
    /// The price.
    pub price: SqrtPrice,
    /// For how long it could have been settled already.
    pub overdue_secs: i64,
    /// How long ago the feed that is silent for longer was heard: no price is known of since.
    pub silent_secs: i64,
}

/// The last price shown, once the market has been without one for [`Market::SETTLEMENT_SECS`]: one of its feeds is silent.
/// Nobody has shown a price of it in that time, and the market's own price account, which must be the one passed, holds none of
/// that time, does not exist any more, or holds no usable price: one that is further ahead of the clock than the clock may lag is none. A market that names no accounts of its own has only what people
/// show: it waits four times as long, and anyone who has a price ends the wait with `refresh_price`.
///
/// What was shown last counts also where the market's own accounts hold a later one: whoever may bring a signed update there picks its moment.
///
/// Where no price was ever shown since prices are remembered, what the market's own accounts hold counts, however old, and without
/// that the pool's price, if nobody has touched the pool in this second. So there is a price for every market.
///
/// # Errors
/// [`BallastError::NotSilentLongEnough`], also for price accounts that are not the market's own; [`BallastError::PoolDiverged`]
/// for a pool that was touched in this second, where its price is needed; [`BallastError::WrongPool`].
pub fn settlement_price(
    market: &Market,
    accounts: &PriceAccounts,
    whirlpool: &AccountInfo,
    now_secs: i64,
) -> Result<SettlementPrice> {
    let mut held = [None; 2];
    let (mut overdue_secs, mut silent_secs) = (i64::MIN, 0);
    for (held, (account, feed, own, shown_secs)) in held.iter_mut().zip([
        (
            &accounts.base_price,
            &market.base_feed,
            market.base_price_account,
            market.last_base_publish_secs,
        ),
        (
            &accounts.quote_price,
            &market.quote_feed,
            market.quote_price_account,
            market.last_quote_publish_secs,
        ),
    ]) {
        let named = own != Pubkey::default();
        if named {
            require_keys_eq!(account.key(), own, BallastError::NotSilentLongEnough);
            let latest_secs = now_secs.saturating_add(market.stages.max_age_stalled_secs.into());
            *held = read_feed(market, account, feed)
                .ok()
                .filter(|update| usable(update) && update.publish_time <= latest_secs);
        }
        let heard_secs = held.as_ref().map_or(shown_secs, |update: &PriceUpdate| {
            update.publish_time.max(shown_secs)
        });
        let wait_secs = if named {
            Market::SETTLEMENT_SECS
        } else {
            Market::SETTLEMENT_UNNAMED_SECS
        };
        let waited_secs = now_secs.saturating_sub(heard_secs);
        overdue_secs = overdue_secs.max(waited_secs.saturating_sub(wait_secs));
        silent_secs = silent_secs.max(waited_secs);
    }
    require!(overdue_secs >= 0, BallastError::NotSilentLongEnough);
    Ok(SettlementPrice {
        price: last_price(market, &held, whirlpool, now_secs)?,
        overdue_secs,
        silent_secs,
    })
}

fn last_price(
    market: &Market,
    held: &[Option<PriceUpdate>; 2],
    whirlpool: &AccountInfo,
    now_secs: i64,
) -> Result<SqrtPrice> {
    if market.newest_sqrt_price_x64.get() > 0 {
        return SqrtPrice::new(market.newest_sqrt_price_x64.get()).or_range();
    }
    if let [Some(base), Some(quote)] = held {
        return ratio(market, base, quote);
    }
    let seen = pool::look(whirlpool, market)?;
    require!(!seen.touched_at(now_secs), BallastError::PoolDiverged);
    Ok(seen.sqrt_price)
}

/// Whether an update says anything at all: a price with a confidence interval that a deleverage in the worst of times would take.
fn usable(update: &PriceUpdate) -> bool {
    confidence_ppm_up(update).is_ok_and(|ppm| ppm <= u64::from(STALLED_CONFIDENCE_BPS) * 100)
}

#[cfg(test)]
mod tests;
