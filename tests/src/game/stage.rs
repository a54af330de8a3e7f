//! The risk stage by another way: what was there to be seen, and what follows from it.

use ballast_abi::pyth::PriceUpdate;
use ballast_client::{Bps, MarketSnapshot, SqrtPrice};
use ballast_model::{
    oracle::{FeedPrice, sqrt_price_down},
    price::within,
};

use super::{Played, SIDES, Step};

/// Ten thousand, of which basis points are parts.
const ONE: u128 = 10_000;

/// The stage is what the evidence asks for, falls by one after a calm, and moves only when somebody shows the evidence.
pub(super) fn check_stage(
    before: &MarketSnapshot,
    after: &MarketSnapshot,
    step: Option<&Step>,
    played: &Played,
) {
    let (was, is) = (&before.market.stage, &after.market.stage);
    let looks = matches!(
        step,
        Some(
            Step::RefreshStage {}
                | Step::FallSilent { .. }
                | Step::Calm {}
                | Step::PostPrice { show: true, .. }
        )
    );
    if !looks || played.refused.is_some() {
        assert_eq!(was, is, "the stage moved and nobody looked");
        return;
    }
    let now_secs = after.now_secs;
    let rules = &before.market.stages;
    let oracle = oracle_level(before, after);
    let market = market_evidence(before, after);
    // The look before stood for the time until this one, ten seconds at most, if this one can tell anything.
    let stood_for = (now_secs - was.looked_at_secs).clamp(0, 10);
    let needed_secs = i64::from(rules.persistence_secs);
    let seen_secs = match (market, was.last_seen) {
        (Some(_), 2) => (was.market_evidence_secs + stood_for).min(needed_secs),
        (Some(_), 1) => (was.market_evidence_secs - stood_for).max(0),
        _ => was.market_evidence_secs,
    };
    assert_eq!(is.market_evidence_secs, seen_secs);
    let persists = market == Some(true) && seen_secs >= needed_secs;
    let asked = oracle + u8::from(persists);
    let calm = now_secs - was.confirmed_at_secs >= i64::from(rules.calm_secs);
    let expected = if asked >= was.stage {
        asked
    } else {
        was.stage - u8::from(calm)
    };
    assert_eq!(
        is.stage, expected,
        "stage after {}: oracle {oracle}, market {market:?}",
        was.stage
    );
}

fn oracle_level(before: &MarketSnapshot, after: &MarketSnapshot) -> u8 {
    let (rules, demands) = (&before.market.stages, &before.market.oracle_rules);
    let feeds = [
        (&after.base_price, before.market.last_base_publish_secs),
        (&after.quote_price, before.market.last_quote_publish_secs),
    ];
    let reached = |value: u128, thresholds: [u32; 2]| {
        let [first, second] = thresholds.map(|t| t > 0 && value >= u128::from(t));
        if second { 2 } else { u8::from(first) }
    };
    let mut level = 0;
    let mut unheard = false;
    for (price, shown_secs) in feeds {
        if is_fresh(before, after, price, shown_secs) {
            continue;
        }
        unheard = true;
        if after.now_secs - shown_secs <= i64::from(demands.max_age_tight_secs) {
            // Somebody has shown a newer one.
            continue;
        }
        let silence_secs = after.now_secs - price.publish_time.max(shown_secs);
        let silence_secs = u128::try_from(silence_secs).unwrap_or(0);
        level = level.max(reached(
            silence_secs,
            [rules.silence_secs, rules.long_silence_secs],
        ));
    }
    if unheard {
        return level;
    }
    let prices = feeds.map(|(price, _)| price);
    let confidence: u128 = prices.into_iter().map(confidence_ppm_up).sum();
    let ema = prices.map(ema_ppm_up).into_iter().max().unwrap_or(0);
    let doubt = reached(
        confidence / 100,
        [rules.confidence_bps, rules.wide_confidence_bps],
    );
    let distance = reached(
        ema / 100,
        [rules.ema_divergence_bps, rules.wide_ema_divergence_bps],
    );
    doubt.max(distance)
}

/// A good age, and not made obsolete by a newer one that was shown.
fn is_fresh(
    before: &MarketSnapshot,
    after: &MarketSnapshot,
    price: &PriceUpdate,
    shown_secs: i64,
) -> bool {
    let market = &before.market;
    let grace_secs = i64::from(market.safety.effective().grace_secs);
    let age_secs = after.now_secs - price.publish_time;
    age_secs <= i64::from(market.oracle_rules.max_age_tight_secs)
        && price.publish_time + grace_secs >= shown_secs
}

/// The newest price that the market knows when somebody looks; `None` while a feed is silent.
fn newest(before: &MarketSnapshot, after: &MarketSnapshot) -> Option<SqrtPrice> {
    let market = &before.market;
    let young_secs = after.now_secs - i64::from(market.oracle_rules.max_age_tight_secs);
    let feeds = [
        (&after.base_price, market.last_base_publish_secs),
        (&after.quote_price, market.last_quote_publish_secs),
    ];
    let fresh = feeds.map(|(price, shown_secs)| is_fresh(before, after, price, shown_secs));
    let heard = fresh
        .iter()
        .zip(feeds)
        .all(|(fresh, (_, shown_secs))| *fresh || shown_secs >= young_secs);
    if !heard {
        return None;
    }
    // Of each feed the newer one: what the account holds, or what the market was shown before.
    let mut newest = before.market.newest_feed_prices.map(FeedPrice::unpacked);
    let mut changed = false;
    for ((newest, fresh), (price, shown_secs)) in newest.iter_mut().zip(fresh).zip(feeds) {
        if fresh && price.publish_time >= shown_secs {
            *newest = Some(FeedPrice {
                price: price.price,
                exponent: price.exponent,
            });
            changed = true;
        }
    }
    let [base, quote] = newest;
    let known = base.zip(quote)?;
    Some(if changed {
        let (base_decimals, quote_decimals) = (market.base_decimals, market.quote_decimals);
        sqrt_price_down(known.0, known.1, base_decimals, quote_decimals).unwrap()
    } else {
        SqrtPrice::new(market.newest_sqrt_price_x64.get()).unwrap()
    })
}

/// `None` where nothing is seen, but the pool cannot be judged: without a price, or since it was touched in this second and the
/// look before saw something else.
fn market_evidence(before: &MarketSnapshot, after: &MarketSnapshot) -> Option<bool> {
    let rules = &before.market.stages;
    let lent_out = SIDES.iter().any(|side| {
        let state = after.reserve(*side).state();
        let debt = u128::from(state.total_debt_up().unwrap());
        let all = debt + u128::from(state.liquidity);
        // Rounded up, as a part of what is lent out and what is there.
        all > 0 && (debt * ONE).div_ceil(all) >= u128::from(rules.utilisation_bps)
    });
    if lent_out {
        return Some(true);
    }
    let diverged = newest(before, after).map(|oracle| {
        !within(
            after.pool.sqrt_price,
            oracle,
            Bps::new(rules.pool_divergence_bps),
        )
    });
    let (was, since_secs) = (&before.market.stage, before.market.depth_since_secs);
    let average = was.average_depth.get();
    let known = average > 0 && since_secs > 0 && was.depth_at_secs - since_secs >= 3_600;
    let shallow =
        known && after.pool.liquidity * ONE < average * (ONE - u128::from(rules.depth_drop_bps));
    let seen = match diverged {
        _ if shallow => true,
        Some(diverged) => diverged,
        None => return None,
    };
    let now_secs = u64::try_from(after.now_secs).unwrap();
    if after.pool.touched_secs < now_secs {
        return Some(seen);
    }
    // Every transaction has a slot of its own here.
    let agrees = before.market.looks.seen == if seen { 2 } else { 1 };
    agrees.then_some(seen)
}

fn confidence_ppm_up(price: &PriceUpdate) -> u128 {
    (u128::from(price.conf) * 1_000_000).div_ceil(u128::from(price.price.unsigned_abs()))
}

fn ema_ppm_up(price: &PriceUpdate) -> u128 {
    let distance = u128::from(price.price.abs_diff(price.ema_price));
    (distance * 1_000_000).div_ceil(u128::from(price.ema_price.unsigned_abs()))
}
