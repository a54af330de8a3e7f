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
/// It should when it would move, every ten seconds while evidence of the market adds up or fades, when evidence for the present
/// stage was last confirmed half a calm time ago, or when the average depth is to be kept up. Whatever else does not raise
/// the stage waits a minute after the last look, which the market's account tells, so that many keepers look once.
pub fn refresh_due(snapshot: &MarketSnapshot, prices: &PriceAccounts) -> Option<Reason> {
    let (market, now_secs) = (&snapshot.market, snapshot.now_secs);
    let (rules, before) = (&market.stages, market.stage);
    let (after, evidence) = refreshed(snapshot, prices)?;
    let reason = Reason::Stage {
        from: before.stage,
        to: after.stage,
    };
    if after.stage > before.stage {
        return Some(reason);
    }
    let since = now_secs.saturating_sub(before.looked_at_secs);
    let seen_secs = before.market_evidence_secs;
    let counts = match evidence.market {
        Some(true) => seen_secs < i64::from(rules.persistence_secs),
        Some(false) => seen_secs > 0,
        None => false,
    };
    // Each look stands for so long and no longer.
    if counts && since >= StageState::LOOK_SECS {
        return Some(reason);
    }
    let confirmed = now_secs.saturating_sub(before.confirmed_at_secs);
    let confirms = before.stage > 0
        && after.confirmed_at_secs == now_secs
        && confirmed >= i64::from(rules.calm_secs) / 2;
    let depth_since = now_secs.saturating_sub(before.depth_at_secs);
    let averages = rules.depth_drop_bps > 0 && depth_since >= DEPTH_SECS;
    let changes = after.stage < before.stage || confirms || averages;
    (changes && since >= PAUSE_SECS).then_some(reason)
}

/// What a refresh would make of the stage, and on which evidence; `None` where the program would refuse the prices.
pub(crate) fn refreshed(
    snapshot: &MarketSnapshot,
    prices: &PriceAccounts,
) -> Option<(StageState, Evidence)> {
    let mut after = snapshot.market.stage;
    let evidence = evidence(snapshot, prices, &mut after)?;
    after.observe(&snapshot.market.stages, evidence, snapshot.now_secs);
    Some((after, evidence))
}

/// As `ballast::instructions::refresh_stage`.
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
    // Without a price nobody can tell whether the pool has diverged.
    let market =
        (diverged || shallow || lent_out || all_fresh).then_some(diverged || shallow || lent_out);
    Some(Evidence {
        oracle: level,
        market,
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

#[cfg(test)]
mod tests {
    use ballast_client::StageRules;

    use super::*;
    use crate::fixtures::{self, NOW};

    const PRICES: PriceAccounts = PriceAccounts {
        base: solana_sdk::pubkey::Pubkey::new_from_array([1; 32]),
        quote: solana_sdk::pubkey::Pubkey::new_from_array([2; 32]),
    };

    /// What is due in the fixture's market with changes.
    fn due(change: impl FnOnce(&mut MarketSnapshot)) -> Option<(u8, u8)> {
        let mut snapshot = fixtures::snapshot(200);
        let market = &mut snapshot.market;
        market.base_price_account = PRICES.base;
        market.quote_price_account = PRICES.quote;
        market.stages = StageRules {
            confidence_bps: 30,
            wide_confidence_bps: 100,
            ema_divergence_bps: 100,
            wide_ema_divergence_bps: 300,
            pool_divergence_bps: 100,
            utilisation_bps: 9_900,
            ..market.stages
        };
        change(&mut snapshot);
        match refresh_due(&snapshot, &PRICES) {
            None => None,
            Some(Reason::Stage { from, to }) => Some((from, to)),
            Some(other) => panic!("{other}"),
        }
    }

    fn at_stage(snapshot: &mut MarketSnapshot, stage: u8, confirmed_ago: i64) {
        snapshot.market.stage.stage = stage;
        snapshot.market.stage.confirmed_at_secs = NOW - confirmed_ago;
        snapshot.market.stage.depth_at_secs = NOW - confirmed_ago;
        snapshot.market.stage.looked_at_secs = NOW - confirmed_ago;
    }

    #[test]
    fn a_calm_market_is_left_alone() {
        assert_eq!(due(|_| ()), None);
    }

    #[test]
    fn evidence_of_the_oracle_is_shown_at_once() {
        let silent = |secs| due(|s| s.base_price.publish_time = NOW - secs);
        assert_eq!(silent(59), None);
        assert_eq!(silent(60), Some((0, 1)));
        assert_eq!(silent(300), Some((0, 2)));
        let unsure = |part| due(|s| s.base_price.conf = s.base_price.price as u64 / part);
        assert_eq!((unsure(400), unsure(300)), (None, Some((0, 1))));
        assert_eq!(unsure(90), Some((0, 2)));
        let away = |percent: i64| {
            due(|s| s.quote_price.ema_price = s.quote_price.price * (100 - percent) / 100)
        };
        assert_eq!(
            (away(0), away(2), away(4)),
            (None, Some((0, 1)), Some((0, 2)))
        );
        // Even right after the last look.
        let again = due(|s| {
            at_stage(s, 1, 1);
            s.base_price.publish_time = NOW - 300;
        });
        assert_eq!(again, Some((1, 2)));
    }

    #[test]
    fn silence_of_other_accounts_than_the_markets_own_cannot_be_shown() {
        let other = due(|s| {
            s.market.base_price_account = [9; 32].into();
            s.base_price.publish_time = NOW - 300;
        });
        assert_eq!(other, None);
        let future = due(|s| s.base_price.publish_time = NOW + 6);
        assert_eq!(future, None);
    }

    #[test]
    fn evidence_of_the_market_is_looked_at_while_it_adds_up_or_fades() {
        let diverged = |seen: i64, looked_ago: i64| {
            due(|s| {
                s.pool.sqrt_price = fixtures::sqrt_price_cents(20_400);
                s.market.stage.market_evidence_secs = seen;
                s.market.stage.looked_at_secs = NOW - looked_ago;
            })
        };
        let needed = i64::from({
            let mut needed = 0;
            due(|s| needed = s.market.stages.persistence_secs);
            needed
        });
        assert_eq!((diverged(0, 9), diverged(0, 10)), (None, Some((0, 0))));
        // What raises the stage does not wait.
        assert_eq!(diverged(needed - 5, 5), Some((0, 1)));
        assert_eq!(diverged(needed - 5, 4), None);
        let gone = |seen, looked_ago| {
            due(|s| {
                s.market.stage.market_evidence_secs = seen;
                s.market.stage.looked_at_secs = NOW - looked_ago;
            })
        };
        assert_eq!((gone(20, 9), gone(20, 10)), (None, Some((0, 0))));
        assert_eq!(gone(0, 59), None);
    }

    #[test]
    fn a_stage_is_confirmed_while_its_evidence_lasts_and_lowered_when_it_has_gone() {
        let silent = |confirmed_ago| {
            due(|s| {
                at_stage(s, 1, confirmed_ago);
                s.base_price.publish_time = NOW - 100;
            })
        };
        assert_eq!((silent(299), silent(300)), (None, Some((1, 1))));
        let calm = |confirmed_ago| due(|s| at_stage(s, 2, confirmed_ago));
        assert_eq!((calm(599), calm(600)), (None, Some((2, 1))));
    }

    #[test]
    fn the_average_depth_is_kept_up_where_it_counts() {
        let looked = |secs| {
            due(|s| {
                s.market.stages.depth_drop_bps = 5_000;
                s.market.stage.average_depth = s.pool.liquidity.into();
                s.market.stage.depth_at_secs = NOW - secs;
            })
        };
        assert_eq!((looked(599), looked(600)), (None, Some((0, 0))));
        let shallow = due(|s| {
            s.market.stages.depth_drop_bps = 5_000;
            s.market.stage.average_depth = (s.pool.liquidity * 3).into();
            s.market.stage.depth_at_secs = NOW - 60;
        });
        assert_eq!(shallow, Some((0, 0)));
    }
}
