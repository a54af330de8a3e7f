use bytemuck::Zeroable;

use super::*;
use crate::state::{OracleRules, StageRules};

const NOW: i64 = 1_700_000_000;

/// A market that has been shown nothing yet.
fn market() -> Market {
    let mut market = Market::zeroed();
    (market.base_decimals, market.quote_decimals) = (9, 6);
    market.oracle_rules = OracleRules {
        max_age_tight_secs: 60,
        max_age_loose_secs: 120,
        max_confidence_tight_bps: 50,
        max_confidence_loose_bps: 200,
        max_ema_divergence_bps: 500,
        max_future_secs: 5,
    };
    market.stages = StageRules {
        silence_secs: 90,
        long_silence_secs: 300,
        confidence_bps: 100,
        wide_confidence_bps: 300,
        ema_divergence_bps: 500,
        wide_ema_divergence_bps: 1_000,
        pool_divergence_bps: 200,
        depth_drop_bps: 5_000,
        utilisation_bps: 9_800,
        persistence_secs: 30,
        calm_secs: 600,
        max_age_stalled_secs: 3_600,
        deleverage_ltv_bps: 7_200,
        target_ltv_bps: 6_000,
    };
    market
}

fn update(dollars: i64, publish_time: i64) -> PriceUpdate {
    PriceUpdate {
        write_authority: Pubkey::default(),
        feed_id: [1; 32],
        price: dollars * 100_000_000,
        conf: 1_000,
        exponent: -8,
        publish_time,
        previous_publish_time: publish_time - 1,
        ema_price: dollars * 100_000_000,
        ema_conf: 0,
        posted_slot: 1,
    }
}

fn at(dollars: i64) -> SqrtPrice {
    ratio(&market(), &update(dollars, 0), &update(1, 0)).unwrap()
}

/// A calm look at slot 1: prices of ten seconds ago in the market's own accounts, a pool that nobody has touched since.
fn look() -> Look {
    let own = |update| FeedLook {
        update: Some(update),
        own: true,
    };
    Look {
        slot: 1,
        now_secs: NOW,
        feeds: [own(update(200, NOW - 10)), own(update(1, NOW - 10))],
        pool: PoolLook {
            sqrt_price: at(200),
            liquidity: 1_000_000,
            touched_secs: 0,
        },
        utilisation_bps: [0; 2],
    }
}

fn shown(market: &mut Market, change: impl FnOnce(&mut Look)) -> Result<Evidence> {
    let mut look = look();
    change(&mut look);
    look.show_to(market)
}

fn seen(change: impl FnOnce(&mut Look)) -> Evidence {
    shown(&mut market(), change).unwrap()
}

fn evidence(oracle: u8, market: Option<bool>) -> Evidence {
    Evidence { oracle, market }
}

#[test]
fn a_calm_look_sees_nothing_and_remembers_the_price() {
    let mut market = market();
    assert_eq!(
        shown(&mut market, |_| ()).unwrap(),
        evidence(0, Some(false))
    );
    assert_eq!(newest_price(&market), Some(at(200)));
    let last = [
        market.last_base_publish_secs,
        market.last_quote_publish_secs,
    ];
    assert_eq!(last, [NOW - 10; 2]);
}

#[test]
fn a_missing_account_of_the_markets_own_is_silent_since_the_last_price_shown() {
    let missing = |market: &mut Market, feed: usize, own| {
        shown(market, |look| {
            look.feeds[feed] = FeedLook { update: None, own };
        })
    };
    for feed in [0, 1] {
        for (ago_secs, level) in [(60, 0), (89, 0), (90, 1), (299, 1), (300, 2), (1 << 30, 2)] {
            let mut market = market();
            market.last_base_publish_secs = NOW - ago_secs;
            market.last_quote_publish_secs = NOW - ago_secs;
            assert_eq!(missing(&mut market, feed, true).unwrap().oracle, level);
            // Another account's absence proves nothing.
            assert_eq!(
                missing(&mut market, feed, false).unwrap_err(),
                error!(BallastError::PriceMalformed)
            );
        }
        // What was never heard has not fallen silent.
        let unheard = missing(&mut market(), feed, true).unwrap();
        assert_eq!(unheard, evidence(0, None));
    }
}

#[test]
fn what_is_no_price_is_silence_of_the_markets_own_account_and_refused_of_another() {
    type Change = fn(&mut PriceUpdate);
    let changes: [Change; 3] = [|p| p.price = 0, |p| p.price = -1, |p| p.exponent = 1];
    for change in changes {
        let mut market = market();
        market.last_base_publish_secs = NOW - 300;
        let mut malformed = update(200, NOW - 10);
        change(&mut malformed);
        let mut show = |own| {
            shown(&mut market, |look| {
                look.feeds[0] = FeedLook {
                    update: Some(malformed),
                    own,
                };
            })
        };
        assert_eq!(show(true).unwrap().oracle, 2);
        assert_eq!(
            show(false).unwrap_err(),
            error!(BallastError::PriceMalformed)
        );
    }
}

#[test]
fn prices_from_the_future_raise_like_silence_and_are_remembered_within_reason() {
    for (ahead_secs, level, price_known) in [
        (5, 0, true),
        (6, 0, false),
        (89, 0, false),
        (90, 1, false),
        (300, 2, false),
        (3_600, 2, false),
        (3_601, 2, false),
        (1 << 40, 2, false),
    ] {
        for own in [true, false] {
            let mut market = market();
            let published = NOW + ahead_secs;
            let ahead = shown(&mut market, |look| {
                for feed in &mut look.feeds {
                    feed.own = own;
                    feed.update.as_mut().unwrap().publish_time = published;
                }
            });
            if ahead_secs > 3_600 && !own {
                // Of a wrong time stamp that somebody brings for years the market's own accounts alone speak.
                assert_eq!(ahead.unwrap_err(), error!(BallastError::PriceFromFuture));
                continue;
            }
            let expected = price_known.then_some(false);
            assert_eq!(ahead.unwrap(), evidence(level, expected));
            let remembered = if ahead_secs <= 3_600 { published } else { 0 };
            assert_eq!(market.last_base_publish_secs, remembered, "{ahead_secs}");
            assert_eq!(market.last_quote_publish_secs, remembered);
        }
    }
}

#[test]
fn whoever_shows_newer_prices_blinds_nobody() {
    // Somebody has shown a price of a second ago; the market's own accounts are half a minute older.
    let mut market = market();
    take_note(
        &mut market,
        &update(200, NOW - 1),
        &update(1, NOW - 1),
        at(200),
    );
    let mut look_with = |pool_dollars| {
        shown(&mut market, |look| {
            for feed in &mut look.feeds {
                feed.update.as_mut().unwrap().publish_time = NOW - 31;
            }
            look.pool.sqrt_price = at(pool_dollars);
        })
        .unwrap()
    };
    assert_eq!(look_with(200), evidence(0, Some(false)));
    assert_eq!(look_with(205), evidence(0, Some(true)));
    // The older price is not what the pool is held against, within the grace either.
    let mut market = self::market();
    take_note(
        &mut market,
        &update(205, NOW - 1),
        &update(1, NOW - 1),
        at(205),
    );
    let evidence_of = shown(&mut market, |_| ()).unwrap();
    assert_eq!(evidence_of, evidence(0, Some(true)));
    assert_eq!(newest_price(&market), Some(at(205)));
    // Nor does it become the newest again.
    let last = [
        market.last_base_publish_secs,
        market.last_quote_publish_secs,
    ];
    assert_eq!(last, [NOW - 1; 2]);
}

#[test]
fn of_prices_from_the_future_the_furthest_is_remembered() {
    let mut market = market();
    for (ahead_secs, remembered_secs) in [(20, 20), (60, 60), (20, 60)] {
        let ahead = shown(&mut market, |look| {
            for feed in &mut look.feeds {
                feed.update.as_mut().unwrap().publish_time = NOW + ahead_secs;
            }
        });
        assert_eq!(ahead.unwrap(), evidence(0, None));
        let last = [
            market.last_base_publish_secs,
            market.last_quote_publish_secs,
        ];
        assert_eq!(last, [NOW + remembered_secs; 2]);
    }
}

#[test]
fn an_old_price_of_another_account_proves_nothing() {
    let mut market = market();
    let old = shown(&mut market, |look| {
        look.feeds[1].own = false;
        look.feeds[1].update.as_mut().unwrap().publish_time = NOW - 61;
    });
    assert_eq!(old.unwrap_err(), error!(BallastError::PriceStale));
}

#[test]
fn doubtful_prices_raise_at_their_thresholds() {
    let with = |feed: usize, change: fn(&mut PriceUpdate)| {
        seen(|look| change(look.feeds[feed].update.as_mut().unwrap())).oracle
    };
    for feed in [0, 1] {
        assert_eq!(with(feed, |p| p.conf = p.price as u64 / 102), 0);
        assert_eq!(with(feed, |p| p.conf = p.price as u64 / 99), 1);
        assert_eq!(with(feed, |p| p.conf = p.price as u64 / 33), 2);
        assert_eq!(with(feed, |p| p.conf = u64::MAX), 2);
        assert_eq!(with(feed, |p| p.ema_price = p.price * 100 / 104), 0);
        assert_eq!(with(feed, |p| p.ema_price = p.price * 100 / 105), 1);
        assert_eq!(with(feed, |p| p.ema_price = p.price * 100 / 110), 2);
        // An average that is none confirms nothing.
        assert_eq!(with(feed, |p| p.ema_price = 0), 2);
    }
}

#[test]
fn a_pool_touched_in_this_second_counts_only_if_an_earlier_look_agrees() {
    let mut market = market();
    let mut show = |slot, touched_ago_secs, dollars| {
        let touched_secs = u64::try_from(NOW - touched_ago_secs).unwrap();
        let evidence = shown(&mut market, |look| {
            look.slot = slot;
            look.pool.touched_secs = touched_secs;
            look.pool.sqrt_price = at(dollars);
        });
        evidence.unwrap().market
    };
    // Nobody has looked before; any number of looks in one slot are one.
    assert_eq!(show(10, 0, 205), None);
    assert_eq!(show(10, 0, 205), None);
    // The next slot agrees.
    assert_eq!(show(11, 0, 205), Some(true));
    // Pushed back for a moment, it hides nothing.
    assert_eq!(show(12, 0, 200), None);
    // Neither does the opposite count after that, until two slots agree.
    assert_eq!(show(13, 0, 205), None);
    assert_eq!(show(14, 0, 205), Some(true));
    // Both in one slot agree with nothing that follows.
    assert_eq!(show(14, 0, 200), None);
    assert_eq!(show(15, 0, 205), None);
    // What nobody has touched for a second is believed at once.
    assert_eq!(show(16, 1, 200), Some(false));
    assert_eq!(show(17, 1, 205), Some(true));
}

#[test]
fn utilisation_is_believed_whatever_the_pool_shows() {
    for feed in [0, 1] {
        let lent_out = |bps| {
            seen(|look| {
                look.utilisation_bps[feed] = bps;
                look.pool.touched_secs = u64::try_from(NOW).unwrap();
            })
        };
        assert_eq!(lent_out(9_799).market, None);
        assert_eq!(lent_out(9_800).market, Some(true));
    }
}

#[test]
fn depth_is_no_evidence_in_the_first_hour() {
    let mut market = market();
    let mut show = |after_secs: i64, liquidity| {
        let evidence = shown(&mut market, |look| {
            look.now_secs = NOW + after_secs;
            for feed in &mut look.feeds {
                feed.update.as_mut().unwrap().publish_time = NOW + after_secs;
            }
            look.pool.liquidity = liquidity;
        });
        evidence.unwrap().market
    };
    assert_eq!(show(0, 1_000_000), Some(false));
    assert_eq!(show(1_800, 1), Some(false));
    assert_eq!(show(3_600, 1_000_000), Some(false));
    // From here on it is half a million on average.
    assert_eq!(show(3_601, 260_000), Some(false));
    assert_eq!(show(3_602, 240_000), Some(true));
}

#[test]
fn a_threshold_of_zero_is_none() {
    let mut market = market();
    market.stages = StageRules {
        persistence_secs: 30,
        calm_secs: 600,
        ..StageRules::default()
    };
    let evidence_of = shown(&mut market, |look| {
        look.pool.sqrt_price = at(300);
        look.utilisation_bps = [10_000; 2];
        look.feeds[0].update.as_mut().unwrap().conf = u64::MAX;
        look.feeds[1].update.as_mut().unwrap().ema_price = 1;
    });
    assert_eq!(evidence_of.unwrap(), evidence(0, Some(false)));
}

#[test]
fn thresholds_are_reached_at_their_value_and_none_at_zero() {
    for (value, expected) in [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (u64::MAX, 2)] {
        assert_eq!(level(value, 10, 20), expected, "{value}");
    }
    assert_eq!(level(u64::MAX, 0, 0), 0);
    assert_eq!(level(u64::MAX, 10, 0), 1);
}
