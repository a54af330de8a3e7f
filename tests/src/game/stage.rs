//! The risk stage by another way: what was there to be seen, and what follows from it.

use ballast_abi::pyth::PriceUpdate;
use ballast_client::{Bps, MarketSnapshot};
use ballast_model::price::within;

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
    // A look stands for ten seconds at most, for what it shows or against it.
    let stands_for = (now_secs - was.looked_at_secs).clamp(0, 10);
    let needed_secs = i64::from(rules.persistence_secs);
    let seen_secs = match market {
        Some(true) => (was.market_evidence_secs + stands_for).min(needed_secs),
        Some(false) => (was.market_evidence_secs - stands_for).max(0),
        None => was.market_evidence_secs,
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
    let mut silent = false;
    for (price, seen_secs) in feeds {
        let age_secs = after.now_secs - price.publish_time;
        if age_secs <= i64::from(demands.max_age_tight_secs) && price.publish_time >= seen_secs {
            continue;
        }
        silent = true;
        let silence_secs = after.now_secs - price.publish_time.max(seen_secs);
        let silence_secs = u128::try_from(silence_secs).unwrap_or(0);
        level = level.max(reached(
            silence_secs,
            [rules.silence_secs, rules.long_silence_secs],
        ));
    }
    if silent {
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

/// `None` where nothing is seen, but the pool cannot be judged without a price.
fn market_evidence(before: &MarketSnapshot, after: &MarketSnapshot) -> Option<bool> {
    let (rules, demands) = (&before.market.stages, &before.market.oracle_rules);
    let fresh = [
        (&after.base_price, before.market.last_base_publish_secs),
        (&after.quote_price, before.market.last_quote_publish_secs),
    ]
    .iter()
    .all(|(price, seen_secs)| {
        let age_secs = after.now_secs - price.publish_time;
        age_secs <= i64::from(demands.max_age_tight_secs) && price.publish_time >= *seen_secs
    });
    let oracle = after.oracle_sqrt_price().unwrap();
    let near = within(
        after.pool.sqrt_price,
        oracle,
        Bps::new(rules.pool_divergence_bps),
    );
    let average = before.market.stage.average_depth.get();
    let shallow = average > 0
        && after.pool.liquidity * ONE < average * (ONE - u128::from(rules.depth_drop_bps));
    let lent_out = SIDES.iter().any(|side| {
        let state = after.reserve(*side).state();
        let debt = u128::from(state.total_debt_up().unwrap());
        let all = debt + u128::from(state.liquidity);
        // Rounded up, as a part of what is lent out and what is there.
        all > 0 && (debt * ONE).div_ceil(all) >= u128::from(rules.utilisation_bps)
    });
    let seen = (fresh && !near) || shallow || lent_out;
    (seen || fresh).then_some(seen)
}

fn confidence_ppm_up(price: &PriceUpdate) -> u128 {
    (u128::from(price.conf) * 1_000_000).div_ceil(u128::from(price.price.unsigned_abs()))
}

fn ema_ppm_up(price: &PriceUpdate) -> u128 {
    let distance = u128::from(price.price.abs_diff(price.ema_price));
    (distance * 1_000_000).div_ceil(u128::from(price.ema_price.unsigned_abs()))
}
