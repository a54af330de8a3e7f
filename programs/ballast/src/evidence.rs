//! What a look at a market sees, and what that proves. The keeper looks through the same function.

use anchor_lang::prelude::*;
use ballast_abi::pyth::PriceUpdate;
use ballast_clmm::SqrtPrice;
use ballast_model::{Bps, Side, price::within};

use crate::{
    errors::BallastError,
    oracle::{
        confidence_ppm_up, ema_divergence_ppm_up, newest_price, ratio, take_note, take_note_of,
    },
    state::{Evidence, Market},
};

/// What one of the two price accounts shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedLook {
    /// What it holds; `None`: there is no such account, or it holds no price of this feed.
    pub update: Option<PriceUpdate>,
    /// Whether it is the account that the market names as its own.
    pub own: bool,
}

/// What a look at a pool sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLook {
    /// Its price.
    pub sqrt_price: SqrtPrice,
    /// Its active liquidity.
    pub liquidity: u128,
    /// When a swap or a change of liquidity last touched it, Unix seconds.
    pub touched_secs: u64,
}

impl PoolLook {
    /// Whether somebody has touched the pool in this very second. One that nobody has is as it was at the end of an earlier slot:
    /// what was put up within a transaction, or within a slot, is not among what is seen.
    pub fn touched_at(&self, now_secs: i64) -> bool {
        u64::try_from(now_secs).is_ok_and(|now| self.touched_secs >= now)
    }
}

/// All that a look sees.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The slot now.
    pub slot: u64,
    /// The time now, Unix seconds.
    pub now_secs: i64,
    /// Base/USD and quote/USD.
    pub feeds: [FeedLook; 2],
    /// The pool.
    pub pool: PoolLook,
    /// Utilisation of both reserves before this slot, see [`crate::state::Reserve::utilisation_before_slot_bps`].
    pub utilisation_bps: [u32; 2],
}

impl FeedLook {
    /// What a price account's update says, if it is a price at all.
    ///
    /// # Errors
    /// [`BallastError::PriceMalformed`] for another account than the market's own, which proves nothing then.
    fn checked(&self) -> Result<Option<PriceUpdate>> {
        match self.update {
            Some(update) if confidence_ppm_up(&update).is_ok() => Ok(Some(update)),
            _ if self.own => Ok(None),
            _ => err!(BallastError::PriceMalformed),
        }
    }
}

impl Look {
    /// Takes note of everything that is seen and moves the market's stage accordingly.
    ///
    /// # Errors
    /// [`BallastError::PriceStale`] for a price that is neither fresh nor in the market's own account,
    /// [`BallastError::PriceMalformed`] for one that is none, [`BallastError::OutOfRange`].
    pub fn show_to(&self, market: &mut Market) -> Result<Evidence> {
        let (oracle, price) = self.observe_prices(market)?;
        let pool = self.observe_pool(market, price);
        let rules = market.stages;
        let lent_out = rules.utilisation_bps > 0
            && self
                .utilisation_bps
                .iter()
                .any(|utilisation| *utilisation >= rules.utilisation_bps);
        let evidence = Evidence {
            oracle,
            market: if lent_out { Some(true) } else { pool },
        };
        market.stage.observe(&rules, evidence, self.now_secs);
        Ok(evidence)
    }

    /// The stage that the oracle's evidence asks for, and the newest price known, if both feeds are fresh.
    ///
    /// A price from the future is evidence too: the cluster's clock lags, and the age of no price can be told. Nobody can forge
    /// one. A feed that somebody has shown a newer price of than the account holds is not silent, and of what was shown the market
    /// knows the price: whoever shows newer ones blinds nobody.
    fn observe_prices(&self, market: &mut Market) -> Result<(u8, Option<SqrtPrice>)> {
        let (rules, demands) = (market.stages, market.oracle_rules);
        let grace_secs = i64::from(market.safety.effective().grace_secs);
        let fresh_from_secs = self
            .now_secs
            .saturating_sub(demands.max_age_tight_secs.into());
        let silence = |secs: i64| {
            let secs = u64::try_from(secs).unwrap_or(0);
            level(secs, rules.silence_secs, rules.long_silence_secs)
        };
        let newest = [
            market.last_base_publish_secs,
            market.last_quote_publish_secs,
        ];
        let (mut asked, mut fresh, mut known) = (0, true, true);
        let mut heard = [None; 2];
        for ((feed, newest), heard) in self.feeds.iter().zip(newest).zip(&mut heard) {
            let update = feed.checked()?;
            let published = update.map_or(i64::MIN, |update| update.publish_time);
            let ahead_secs = published.saturating_sub(self.now_secs);
            if ahead_secs > demands.max_future_secs.into() {
                (fresh, known) = (false, false);
                asked = asked.max(silence(ahead_secs));
                if ahead_secs <= rules.max_age_stalled_secs.into() {
                    *heard = update;
                } else {
                    // One wrong time stamp, which anyone may bring again for years, says nothing of the clock.
                    require!(feed.own, BallastError::PriceFromFuture);
                }
                continue;
            }
            if published >= fresh_from_secs && published >= newest.saturating_sub(grace_secs) {
                *heard = update;
                continue;
            }
            fresh = false;
            require!(feed.own, BallastError::PriceStale);
            if newest >= fresh_from_secs {
                continue;
            }
            known = false;
            let heard_secs = published.max(newest);
            // A feed that was never heard has not fallen silent.
            if heard_secs > 0 {
                asked = asked.max(silence(self.now_secs.saturating_sub(heard_secs)));
            }
        }
        if let ([Some(base), Some(quote)], true) = (&heard, fresh) {
            let price = ratio(market, base, quote)?;
            take_note(market, base, quote, price);
            asked = asked.max(doubt(market, base, quote));
        } else {
            for (side, update) in [Side::Base, Side::Quote].into_iter().zip(&heard) {
                if let Some(update) = update {
                    take_note_of(market, side, update);
                }
            }
        }
        Ok((asked, newest_price(market).filter(|_| known)))
    }

    /// Whether the pool gives evidence; `None`: it cannot be told. A pool that was touched in this very second may be what somebody
    /// has made of it for a moment: what it shows counts only if the last look of an earlier slot saw the same.
    fn observe_pool(&self, market: &mut Market, price: Option<SqrtPrice>) -> Option<bool> {
        let rules = market.stages;
        let touched = self.pool.touched_at(self.now_secs);
        let shallow = market.stage.observe_depth(
            &mut market.depth_since_secs,
            self.pool.liquidity,
            touched,
            rules.depth_drop_bps,
            self.now_secs,
        );
        let diverged = if rules.pool_divergence_bps == 0 {
            Some(false)
        } else {
            price.map(|price| {
                !within(
                    self.pool.sqrt_price,
                    price,
                    Bps::new(rules.pool_divergence_bps),
                )
            })
        };
        let seen = match (shallow, diverged) {
            (Some(true), _) | (_, Some(true)) => true,
            // Without a price nobody can tell whether the pool has diverged.
            (_, None) => return None,
            // The average of the first hour is not known yet: it neither proves nor takes away anything.
            (_, Some(false)) => false,
        };
        let agrees = market.looks.agrees(self.slot, seen);
        market.looks.note(self.slot, seen);
        (!touched || agrees).then_some(seen)
    }
}

/// The stage that uncertain or wandering prices ask for.
fn doubt(market: &Market, base: &PriceUpdate, quote: &PriceUpdate) -> u8 {
    let rules = &market.stages;
    // What has no number is as doubtful as can be.
    let of = |value: Result<u64>| value.unwrap_or(u64::MAX);
    let confidence_ppm = of(confidence_ppm_up(base)).saturating_add(of(confidence_ppm_up(quote)));
    let ema_ppm = of(ema_divergence_ppm_up(base)).max(of(ema_divergence_ppm_up(quote)));
    let uncertain = level(
        confidence_ppm / 100,
        rules.confidence_bps,
        rules.wide_confidence_bps,
    );
    uncertain.max(level(
        ema_ppm / 100,
        rules.ema_divergence_bps,
        rules.wide_ema_divergence_bps,
    ))
}

/// 0, 1 or 2 by which thresholds are reached; a threshold of 0 is none.
fn level(value: u64, first: u32, second: u32) -> u8 {
    let reached = |threshold: u32| threshold > 0 && value >= u64::from(threshold);
    if reached(second) {
        2
    } else {
        u8::from(reached(first))
    }
}

#[cfg(test)]
mod tests;
