//! The market's risk stage: shown to the chain when what the chain would see differs from what it has noted.

use ballast::state::{Market, Reserve};
use ballast::{
    evidence::{FeedLook, Look, PoolLook},
    state::{Evidence, StageState},
};
use ballast_snapshot::{MarketSnapshot, PriceAccounts, Pubkey};

use super::Reason;

/// Time between two looks that do not raise the stage.
const PAUSE_SECS: i64 = 60;
/// Time between two looks at the depth, of which the program keeps an average of an hour.
const DEPTH_SECS: i64 = 600;

/// Why the stage should be refreshed now; `None`: it need not, or cannot with these price accounts.
///
/// It should when it would move, at once when what was last seen of the market is not so, every ten seconds while evidence of the
/// market adds up or fades, when evidence for the present stage was last confirmed half a calm time ago, or when the average depth
/// is to be kept up. Whatever else does not raise
/// the stage waits a minute after the last look, which the market's account tells, so that many keepers look once.
pub fn refresh_due(snapshot: &MarketSnapshot, prices: &PriceAccounts) -> Option<Reason> {
    let (market, now_secs) = (&snapshot.market, snapshot.now_secs);
    let (rules, before) = (&market.stages, market.stage);
    let (shown, evidence) = refreshed(snapshot, prices)?;
    let after = shown.stage;
    let reason = Reason::Stage {
        from: before.stage,
        to: after.stage,
    };
    if after.stage > before.stage {
        return Some(reason);
    }
    // A look is worth the time until the next one contradicts it; one at a pool that was touched in this second counts when the next
    // one sees the same.
    let contradicts = before.last_seen != 0 && after.last_seen != before.last_seen;
    let will_count = shown.looks.contradicts(&before) && !market.looks.contradicts(&before);
    if contradicts || will_count {
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
pub fn refreshed(snapshot: &MarketSnapshot, prices: &PriceAccounts) -> Option<(Market, Evidence)> {
    let mut market = snapshot.market;
    let evidence = look(snapshot, prices)?.show_to(&mut market).ok()?;
    Some((market, evidence))
}

/// What the program would see.
fn look(snapshot: &MarketSnapshot, prices: &PriceAccounts) -> Option<Look> {
    let market = &snapshot.market;
    let feed = |update, account, own| FeedLook {
        update: Some(update),
        own: own != Pubkey::default() && account == own,
    };
    let utilisation = |reserve: &Reserve| reserve.utilisation_before_slot_bps(snapshot.slot).ok();
    Some(Look {
        slot: snapshot.slot,
        now_secs: snapshot.now_secs,
        feeds: [
            feed(snapshot.base_price, prices.base, market.base_price_account),
            feed(
                snapshot.quote_price,
                prices.quote,
                market.quote_price_account,
            ),
        ],
        pool: PoolLook {
            sqrt_price: snapshot.pool.sqrt_price,
            liquidity: snapshot.pool.liquidity,
            touched_secs: snapshot.pool.touched_secs,
        },
        utilisation_bps: [
            utilisation(&snapshot.base_reserve)?,
            utilisation(&snapshot.quote_reserve)?,
        ],
    })
}

#[cfg(test)]
mod tests {
    use ballast::state::StageRules;

    use super::*;
    use crate::fixtures::{self, NOW};

    const PRICES: PriceAccounts = PriceAccounts {
        base: Pubkey::new_from_array([1; 32]),
        quote: Pubkey::new_from_array([2; 32]),
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
            Some(other) => panic!("{other:?}"),
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
    }

    #[test]
    fn a_clock_that_lags_is_shown_like_silence() {
        let ahead = |secs| due(|s| s.base_price.publish_time = NOW + secs);
        assert_eq!((ahead(6), ahead(59)), (None, None));
        assert_eq!((ahead(60), ahead(300)), (Some((0, 1)), Some((0, 2))));
    }

    #[test]
    fn a_look_that_is_not_so_is_answered_at_once() {
        let answer = |last_seen, noted, cents, touched| {
            due(|s| {
                s.pool.sqrt_price = fixtures::sqrt_price_cents(cents);
                s.pool.touched_secs = if touched { NOW.unsigned_abs() } else { 0 };
                s.market.stage.last_seen = last_seen;
                s.market.stage.looked_at_secs = NOW - 1;
                s.market.looks.seen = noted;
            })
        };
        let (not_seen, seen) = (1, 2);
        let now = Some((0, 0));
        // Somebody has shown evidence that is not there, or none where there is some.
        assert_eq!(answer(seen, seen, 20_000, false), now);
        assert_eq!(answer(not_seen, not_seen, 20_400, false), now);
        assert_eq!(answer(not_seen, not_seen, 20_000, false), None);
        assert_eq!(answer(seen, seen, 20_400, false), None);
        // Of a pool that was touched in this second it takes two looks: the first is noted, the second counts.
        assert_eq!(answer(seen, seen, 20_000, true), now);
        assert_eq!(answer(seen, not_seen, 20_000, true), now);
        // Both in one slot say nothing yet; the next slot will.
        assert_eq!(answer(seen, 3, 20_000, true), now);
    }

    #[test]
    fn evidence_of_the_market_is_looked_at_while_it_adds_up_or_fades() {
        let diverged = |seen: i64, looked_ago: i64| {
            due(|s| {
                s.pool.sqrt_price = fixtures::sqrt_price_cents(20_400);
                s.market.stage.market_evidence_secs = seen;
                s.market.stage.looked_at_secs = NOW - looked_ago;
                s.market.stage.last_seen = 2;
                s.market.looks.seen = 2;
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
                s.market.stage.last_seen = 1;
                s.market.stage.market_evidence_secs = seen;
                s.market.stage.looked_at_secs = NOW - looked_ago;
            })
        };
        assert_eq!((gone(20, 9), gone(20, 10)), (None, Some((0, 0))));
        assert_eq!(gone(0, 59), None);
        // What has added up to a stage adds nothing more to it.
        let at_one = |seen| {
            due(|s| {
                at_stage(s, 1, 10);
                s.pool.sqrt_price = fixtures::sqrt_price_cents(20_400);
                s.market.stage.market_evidence_secs = seen;
                s.market.stage.last_seen = 2;
                s.market.looks.seen = 2;
            })
        };
        assert_eq!((at_one(needed), at_one(needed - 20)), (None, Some((1, 1))));
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
            s.market.depth_since_secs = NOW - 3_660;
        });
        assert_eq!(shallow, Some((0, 0)));
    }
}
