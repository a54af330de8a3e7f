//! `refresh_stage`: anyone shows the market what the chain sees of oracle, pool and reserves.

use anchor_lang::prelude::*;
use ballast_clmm::SqrtPrice;
use ballast_model::{Bps, price::within};

use crate::{
    errors::BallastError,
    events::StageChanged,
    groups::*,
    math::ToProgramError,
    oracle::{confidence_ppm_up, ema_divergence_ppm_up, ratio, read_feed},
    pool,
    state::{Evidence, Market, Reserve, require_version},
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
/// another account. A price that is fresh is taken note of, as by `refresh_price`.
///
/// # Errors
/// [`BallastError::PriceStale`] for a price that is neither fresh nor the market's own account, other price errors,
/// [`BallastError::WrongReserve`], [`BallastError::WrongPool`].
pub(crate) fn refresh_stage(ctx: Context<RefreshStage>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    for (reserve, stored) in [
        (&accounts.base_reserve, market.base_reserve),
        (&accounts.quote_reserve, market.quote_reserve),
    ] {
        require_keys_eq!(reserve.key(), stored, BallastError::WrongReserve);
    }
    let (oracle_evidence, price) = observe_prices(&mut market, &accounts.prices, now_secs)?;
    let (pool_price, depth) = pool::price_and_depth(&accounts.whirlpool, &market)?;

    let rules = market.stages;
    let diverged = rules.pool_divergence_bps > 0
        && price
            .is_some_and(|price| !within(pool_price, price, Bps::new(rules.pool_divergence_bps)));
    let shallow = market
        .stage
        .observe_depth(depth, rules.depth_drop_bps, now_secs);
    let mut lent_out = false;
    for reserve in [&accounts.base_reserve, &accounts.quote_reserve] {
        let reserve = reserve.load()?;
        require_version(reserve.version, Reserve::VERSION)?;
        let utilisation = reserve.state().utilisation_bps_up().or_range()?;
        lent_out |= rules.utilisation_bps > 0 && utilisation.get() >= rules.utilisation_bps;
    }
    let evidence = Evidence {
        oracle: oracle_evidence,
        // Without a price nobody can tell whether the pool has diverged.
        market: (diverged || shallow || lent_out || price.is_some())
            .then_some(diverged || shallow || lent_out),
    };
    let from = market.stage.stage;
    market.stage.observe(&rules, evidence, now_secs);
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

/// The stage that the oracle's evidence asks for, and the price if both feeds are fresh.
fn observe_prices(
    market: &mut Market,
    accounts: &PriceAccounts,
    now_secs: i64,
) -> Result<(u8, Option<SqrtPrice>)> {
    let rules = market.stages;
    let max_future_secs = i64::from(market.oracle_rules.max_future_secs);
    let max_age_secs = i64::from(market.oracle_rules.max_age_tight_secs);
    let base = read_feed(market, &accounts.base_price, &market.base_feed)?;
    let quote = read_feed(market, &accounts.quote_price, &market.quote_feed)?;
    let own = [market.base_price_account, market.quote_price_account];
    let mut newest = [
        market.last_base_publish_secs,
        market.last_quote_publish_secs,
    ];
    let mut level = 0;
    let mut all_fresh = true;
    for ((update, account), (own, newest)) in [
        (&base, &accounts.base_price),
        (&quote, &accounts.quote_price),
    ]
    .into_iter()
    .zip(own.into_iter().zip(&mut newest))
    {
        let age_secs = now_secs.saturating_sub(update.publish_time);
        require!(age_secs >= -max_future_secs, BallastError::PriceFromFuture);
        if age_secs <= max_age_secs && update.publish_time >= *newest {
            *newest = update.publish_time;
            continue;
        }
        all_fresh = false;
        require_keys_eq!(account.key(), own, BallastError::PriceStale);
        // Somebody may have shown a newer price from elsewhere.
        let silence_secs = now_secs.saturating_sub(update.publish_time.max(*newest));
        level = level.max(grade(
            u64::try_from(silence_secs).unwrap_or(0),
            rules.silence_secs,
            rules.long_silence_secs,
        ));
    }
    [
        market.last_base_publish_secs,
        market.last_quote_publish_secs,
    ] = newest;
    if !all_fresh {
        return Ok((level, None));
    }
    let confidence_ppm = confidence_ppm_up(&base)?.saturating_add(confidence_ppm_up(&quote)?);
    let ema_ppm = ema_divergence_ppm_up(&base)?.max(ema_divergence_ppm_up(&quote)?);
    level = level
        .max(grade(
            confidence_ppm / 100,
            rules.confidence_bps,
            rules.wide_confidence_bps,
        ))
        .max(grade(
            ema_ppm / 100,
            rules.ema_divergence_bps,
            rules.wide_ema_divergence_bps,
        ));
    Ok((level, Some(ratio(market, &base, &quote)?)))
}

/// 0, 1 or 2 by which thresholds are reached; a threshold of 0 is none.
fn grade(value: u64, first: u32, second: u32) -> u8 {
    let reached = |threshold: u32| threshold > 0 && value >= u64::from(threshold);
    if reached(second) {
        2
    } else {
        u8::from(reached(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_reached_at_their_value_and_none_at_zero() {
        for (value, expected) in [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (u64::MAX, 2)] {
            assert_eq!(grade(value, 10, 20), expected, "{value}");
        }
        assert_eq!(grade(u64::MAX, 0, 0), 0);
        assert_eq!(grade(u64::MAX, 10, 0), 1);
    }
}
