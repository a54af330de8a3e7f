//! The market's risk stage: shown to the chain when what the chain would see differs from what it has noted.

use ballast::{
    oracle::{confidence_ppm_up, ema_divergence_ppm_up},
    state::{Evidence, StageState},
};
use ballast_client::{MarketSnapshot, PriceAccounts};
use ballast_model::{Bps, price::within};

use super::Reason;

/// Time between two looks that do not raise the stage.
const PAUSE_SECS: i64 = 60;
/// Time between two looks at the depth, of which the program keeps an average of an hour.
const DEPTH_SECS: i64 = 600;

/// Why the stage should be refreshed now; `None`: it need not, or cannot with these price accounts.
///
/// It should when it would move, when evidence of the market has appeared or gone (both begin a time), when evidence for the
/// present stage was last confirmed half a calm time ago, or when the average depth is to be kept up. Whatever does not raise
/// the stage waits a minute after the last look, which the market's account tells, so that many keepers look once.
pub fn refresh_due(snapshot: &MarketSnapshot, prices: &PriceAccounts) -> Option<Reason> {
    let (market, now_secs) = (&snapshot.market, snapshot.now_secs);
    let (rules, before) = (&market.stages, market.stage);
    let mut after = before;
    let evidence = evidence(snapshot, prices, &mut after)?;
    after.observe(rules, evidence, now_secs);
    let reason = Reason::Stage {
        from: before.stage,
        to: after.stage,
    };
    if after.stage > before.stage {
        return Some(reason);
    }
    let since = now_secs.saturating_sub(before.depth_at_secs);
    let noted = before.market_evidence_since_secs != 0;
    let confirmed = now_secs.saturating_sub(before.confirmed_at_secs);
    let confirms = before.stage > 0
        && after.confirmed_at_secs == now_secs
        && confirmed >= i64::from(rules.calm_secs) / 2;
    let averages = rules.depth_drop_bps > 0 && since >= DEPTH_SECS;
    let changes = after.stage < before.stage || evidence.market != noted || confirms || averages;
    (changes && since >= PAUSE_SECS).then_some(reason)
}

/// As `ballast::instructions::refresh_stage`; `None` where that would refuse the prices.
fn evidence(
    snapshot: &MarketSnapshot,
    prices: &PriceAccounts,
    state: &mut StageState,
) -> Option<Evidence> {
    let (market, now_secs) = (&snapshot.market, snapshot.now_secs);
    let rules = &market.stages;
    let feeds = [
        (
            &snapshot.base_price,
            prices.base,
            market.base_price_account,
            market.last_base_publish_secs,
        ),
        (
            &snapshot.quote_price,
            prices.quote,
            market.quote_price_account,
            market.last_quote_publish_secs,
        ),
    ];
    let (mut level, mut all_fresh) = (0, true);
    for (update, account, own, newest) in feeds {
        let age_secs = now_secs.saturating_sub(update.publish_time);
        if age_secs < -i64::from(market.oracle_rules.max_future_secs) {
            return None;
        }
        if age_secs <= i64::from(market.oracle_rules.max_age_tight_secs)
            && update.publish_time >= newest
        {
            continue;
        }
        all_fresh = false;
        if account != own {
            return None;
        }
        let silence_secs = now_secs.saturating_sub(update.publish_time.max(newest));
        let silence_secs = u64::try_from(silence_secs).unwrap_or(0);
        level = level.max(grade(
            silence_secs,
            rules.silence_secs,
            rules.long_silence_secs,
        ));
    }
    let mut diverged = false;
    if all_fresh {
        let confidence = feeds.map(|(update, ..)| confidence_ppm_up(update).ok());
        let divergence = feeds.map(|(update, ..)| ema_divergence_ppm_up(update).ok());
        let confidence_ppm = confidence[0]?.saturating_add(confidence[1]?);
        let ema_ppm = divergence[0]?.max(divergence[1]?);
        let (unsure, wide) = (rules.confidence_bps, rules.wide_confidence_bps);
        let (away, far) = (rules.ema_divergence_bps, rules.wide_ema_divergence_bps);
        level = level
            .max(grade(confidence_ppm / 100, unsure, wide))
            .max(grade(ema_ppm / 100, away, far));
        let oracle = snapshot.oracle_sqrt_price().ok()?;
        let cap = rules.pool_divergence_bps;
        diverged = cap > 0 && !within(snapshot.pool.sqrt_price, oracle, Bps::new(cap));
    }
    let depth = snapshot.pool.liquidity;
    let shallow = state.observe_depth(depth, rules.depth_drop_bps, now_secs);
    let mut lent_out = false;
    for reserve in [&snapshot.base_reserve, &snapshot.quote_reserve] {
        let utilisation = reserve.state().utilisation_bps_up().ok()?.get();
        lent_out |= rules.utilisation_bps > 0 && utilisation >= rules.utilisation_bps;
    }
    Some(Evidence {
        oracle: level,
        market: diverged || shallow || lent_out,
    })
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
