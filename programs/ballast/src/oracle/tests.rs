use super::*;

const RULES: OracleRules = OracleRules {
    max_age_tight_secs: 30,
    max_age_loose_secs: 120,
    max_confidence_tight_bps: 50,
    max_confidence_loose_bps: 200,
    max_ema_divergence_bps: 300,
    max_future_secs: 5,
};
const NOW: i64 = 1_700_000_000;

fn update() -> PriceUpdate {
    PriceUpdate {
        write_authority: Pubkey::default(),
        feed_id: [1; 32],
        price: 20_000_000_000,
        conf: 20_000_000,
        exponent: -8,
        publish_time: NOW - 10,
        previous_publish_time: NOW - 11,
        ema_price: 20_000_000_000,
        ema_conf: 0,
        posted_slot: 1,
    }
}

fn check(update: &PriceUpdate, last: i64, grade: Grade) -> std::result::Result<u64, Error> {
    let demands = Demands::of(
        &RULES,
        &StageRules::default(),
        &SafetyRules::default(),
        grade,
    );
    check_feed(&demands, update, last, NOW)
}

#[track_caller]
fn refuses(update: &PriceUpdate, last: i64, grade: Grade, expected: BallastError) {
    assert_eq!(check(update, last, grade).unwrap_err(), error!(expected));
}

#[test]
fn a_good_price_passes_with_its_confidence() {
    assert_eq!(check(&update(), 0, Grade::Tight).unwrap(), 1_000);
}

#[test]
fn every_rule_fires_at_its_edge() {
    let with = |change: fn(&mut PriceUpdate)| {
        let mut price = update();
        change(&mut price);
        price
    };
    refuses(
        &with(|p| p.price = 0),
        0,
        Grade::Loose,
        BallastError::PriceMalformed,
    );
    refuses(
        &with(|p| p.price = -1),
        0,
        Grade::Loose,
        BallastError::PriceMalformed,
    );
    refuses(
        &with(|p| p.exponent = 1),
        0,
        Grade::Loose,
        BallastError::PriceMalformed,
    );
    refuses(
        &with(|p| p.exponent = -13),
        0,
        Grade::Loose,
        BallastError::PriceMalformed,
    );
    refuses(
        &with(|p| p.publish_time = NOW + 6),
        0,
        Grade::Loose,
        BallastError::PriceFromFuture,
    );
    check(&with(|p| p.publish_time = NOW + 5), 0, Grade::Loose).unwrap();
    refuses(
        &with(|p| p.publish_time = i64::MAX),
        0,
        Grade::Loose,
        BallastError::PriceFromFuture,
    );
    refuses(
        &with(|p| p.publish_time = i64::MIN),
        i64::MIN,
        Grade::Loose,
        BallastError::PriceStale,
    );
    refuses(
        &with(|p| p.publish_time = NOW - 31),
        0,
        Grade::Tight,
        BallastError::PriceStale,
    );
    check(&with(|p| p.publish_time = NOW - 31), 0, Grade::Loose).unwrap();
    refuses(
        &with(|p| p.publish_time = NOW - 121),
        0,
        Grade::Loose,
        BallastError::PriceStale,
    );
    refuses(
        &with(|p| p.conf = p.price as u64 / 199),
        0,
        Grade::Tight,
        BallastError::PriceTooWide,
    );
    check(&with(|p| p.conf = p.price as u64 / 199), 0, Grade::Loose).unwrap();
    refuses(
        &with(|p| p.conf = u64::MAX),
        0,
        Grade::Loose,
        BallastError::PriceTooWide,
    );
    refuses(
        &with(|p| p.ema_price = p.price * 100 / 96),
        0,
        Grade::Tight,
        BallastError::PriceDiverged,
    );
    refuses(
        &with(|p| p.ema_price = p.price * 100 / 104),
        0,
        Grade::Tight,
        BallastError::PriceDiverged,
    );
    check(
        &with(|p| p.ema_price = p.price * 100 / 104),
        0,
        Grade::Loose,
    )
    .unwrap();
    refuses(
        &with(|p| p.ema_price = 0),
        0,
        Grade::Tight,
        BallastError::PriceMalformed,
    );
}

#[test]
fn an_older_price_than_one_shown_is_good_for_its_grace_only() {
    // Published ten seconds ago.
    for (grade, grace_secs) in [
        (Grade::Loose, 10),
        (Grade::Liquidation, 10),
        (Grade::Stalled, 10),
        (Grade::Tight, 5),
        (Grade::Swap, 5),
        (Grade::Final, 5),
        (Grade::Loss, 5),
    ] {
        let stages = StageRules {
            max_age_stalled_secs: 3_600,
            ..StageRules::default()
        };
        let demands = Demands::of(&RULES, &stages, &SafetyRules::default(), grade);
        let shown = |newer_secs| check_feed(&demands, &update(), NOW - 10 + newer_secs, NOW);
        shown(grace_secs).unwrap();
        let late = shown(grace_secs + 1).unwrap_err();
        assert_eq!(late, error!(BallastError::PriceReplayed), "{grade:?}");
        assert!(!demands.replayed(i64::MIN, i64::MIN));
    }
}

#[test]
fn an_older_price_that_says_what_the_newest_says_is_good_for_what_reduces_risk() {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    (market.base_decimals, market.quote_decimals) = (9, 6);
    (market.oracle_rules, market.stages) = (RULES, StageRules::default());
    let shown = [NOW, NOW];
    let newest = |price_cents: i64| PriceUpdate {
        price: price_cents * 1_000_000,
        publish_time: NOW,
        ..update()
    };
    let quote = PriceUpdate {
        price: 100_000_000,
        publish_time: NOW - 60,
        ..update()
    };
    let mut held_against = |grade, cents| {
        let price = ratio(&market, &newest(cents), &quote).unwrap();
        market.newest_sqrt_price_x64 = price.x64().into();
        market.newest_feed_prices = [feed_price(&update()).packed(); 2];
        [
            market.last_base_publish_secs,
            market.last_quote_publish_secs,
        ] = shown;
        let demands = Demands::of(&market.oracle_rules, &market.stages, &market.safety, grade);
        demands.shown_secs(&market, &newest(20_000), &quote)
    };
    for grade in [Grade::Loose, Grade::Stalled] {
        for cents in [19_901, 20_000, 20_100] {
            assert_eq!(held_against(grade, cents), [i64::MIN; 2], "{cents}");
        }
        for cents in [19_890, 20_110] {
            assert_eq!(held_against(grade, cents), shown, "{cents}");
        }
    }
    for grade in [
        Grade::Tight,
        Grade::Swap,
        Grade::Liquidation,
        Grade::Final,
        Grade::Loss,
    ] {
        assert_eq!(held_against(grade, 20_000), shown, "{grade:?}");
    }
    // Of feeds that have not spoken yet nothing is known.
    market.newest_feed_prices[1] = 0;
    let demands = Demands::of(&RULES, &market.stages, &market.safety, Grade::Loose);
    let known = demands.shown_secs(&market, &newest(20_000), &quote);
    assert_eq!(known, shown);
}

#[test]
fn a_lagging_clock_stops_what_takes_from_others_and_nothing_else() {
    let stages = StageRules {
        max_age_stalled_secs: 3_600,
        ..StageRules::default()
    };
    let ahead = |grade, secs| {
        let demands = Demands::of(&RULES, &stages, &SafetyRules::default(), grade);
        let mut price = update();
        price.publish_time = NOW + secs;
        check_feed(&demands, &price, 0, NOW)
    };
    for (grade, most_secs) in [
        (Grade::Loose, 3_600),
        (Grade::Liquidation, 3_600),
        (Grade::Stalled, 3_600),
        (Grade::Tight, 5),
        (Grade::Swap, 5),
        (Grade::Final, 5),
        (Grade::Loss, 5),
    ] {
        ahead(grade, most_secs).unwrap();
        let refused = ahead(grade, most_secs + 1).unwrap_err();
        assert_eq!(refused, error!(BallastError::PriceFromFuture), "{grade:?}");
    }
}

#[test]
fn of_each_feed_the_newest_price_counts_and_publish_times_never_fall() {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.oracle_rules = RULES;
    assert_eq!(newest_price(&market), None);
    let at = |price, publish_time| PriceUpdate {
        price,
        publish_time,
        ..update()
    };
    // Price and publish time of base and quote; both publish times and both prices that the market knows afterwards.
    for (base, quote, last, known) in [
        ((256, 30), (1, 1), [30, 1], (256, 1)),
        // An older base price beside the same quote price changes nothing, one beside a newer only the quote.
        ((262, 20), (1, 1), [30, 1], (256, 1)),
        ((262, 20), (2, 25), [30, 25], (256, 2)),
        // Shown by turns, neither feed's delay freezes the newest price or brings an older one back.
        ((270, 40), (9, 24), [40, 25], (270, 2)),
        ((8, 39), (3, 45), [40, 45], (270, 3)),
        ((8, 31), (9, 38), [40, 45], (270, 3)),
        ((271, 40), (4, 45), [40, 45], (271, 4)),
    ] {
        let (base, quote) = (at(base.0, base.1), at(quote.0, quote.1));
        let price = ratio(&market, &base, &quote).unwrap();
        take_note(&mut market, &base, &quote, price);
        let shown = [
            market.last_base_publish_secs,
            market.last_quote_publish_secs,
        ];
        assert_eq!(shown, last);
        let known = ratio(&market, &at(known.0, 0), &at(known.1, 0)).unwrap();
        assert_eq!(newest_price(&market), Some(known), "{last:?}");
    }
}

#[test]
fn one_feed_alone_moves_the_newest_price_once_both_have_spoken() {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.oracle_rules = RULES;
    let at = |price, publish_time| PriceUpdate {
        price,
        publish_time,
        ..update()
    };
    take_note_of(&mut market, Side::Base, &at(200, 10));
    assert_eq!(newest_price(&market), None);
    take_note_of(&mut market, Side::Quote, &at(2, 10));
    let hundred = ratio(&market, &at(100, 0), &at(1, 0)).unwrap();
    assert_eq!(newest_price(&market), Some(hundred));
    take_note_of(&mut market, Side::Quote, &at(4, 9));
    assert_eq!(newest_price(&market), Some(hundred));
    take_note_of(&mut market, Side::Quote, &at(4, 11));
    let fifty = ratio(&market, &at(50, 0), &at(1, 0)).unwrap();
    assert_eq!(newest_price(&market), Some(fifty));
    // Long after the other was heard last it moves nothing: a market with a dead feed is settled at the last price of both.
    take_note_of(&mut market, Side::Quote, &at(8, 130));
    let quarter = ratio(&market, &at(25, 0), &at(1, 0)).unwrap();
    assert_eq!(newest_price(&market), Some(quarter));
    take_note_of(&mut market, Side::Quote, &at(1, 131));
    assert_eq!(newest_price(&market), Some(quarter));
    // What stood in the same place before is no price.
    market.newest_feed_prices[0] = 1_760_000_008;
    assert_eq!(newest_price(&market), None);
}

#[test]
fn the_average_is_the_ratio_of_both_feeds_averages() {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    (market.base_decimals, market.quote_decimals) = (9, 6);
    let (mut base, quote) = (update(), update());
    base.ema_price = base.price * 4;
    let price = ratio(&market, &base, &quote).unwrap().x64();
    let found = average(&market, &base, &quote).unwrap().x64();
    assert!(found.abs_diff(price * 2) <= 2, "{found} {price}");
    base.ema_price = 0;
    assert_eq!(
        average(&market, &base, &quote).unwrap_err(),
        error!(BallastError::PriceMalformed)
    );
}

#[test]
fn what_is_uncertain_is_rounded_up_and_the_price_down() {
    let mut price = update();
    (price.price, price.conf, price.ema_price) = (3, 1, 3);
    assert_eq!(confidence_ppm_up(&price).unwrap(), 333_334);
    price.price = 4;
    assert_eq!(ema_divergence_ppm_up(&price).unwrap(), 333_334);

    let market: Market = bytemuck::Zeroable::zeroed();
    price.price = 2;
    let one = PriceUpdate { price: 1, ..price };
    let root_of_two = ratio(&market, &price, &one).unwrap();
    assert_eq!(root_of_two.x64(), 26087635650665564424);
}

#[test]
fn the_interval_holds_every_price_that_is_as_near_as_the_uncertainty() {
    let around = |ppm| {
        let price = OraclePrice::around(SqrtPrice::ONE, ppm).unwrap();
        assert_eq!(price.mid, SqrtPrice::ONE);
        [price.low.x64(), price.high.x64()]
    };
    // The roots of 0.95 and 1.05 in Q64.
    let [low, high] = around(50_000);
    let (root_low, root_high) = (17979662081777052694, 18902287831555877211);
    assert!(low <= root_low && root_low - low < 1 << 40);
    assert!(high >= root_high && high - root_high < 1 << 40);
    // A part of a basis point is a whole one.
    assert_eq!(around(49_901), [low, high]);
    assert_ne!(around(49_900), [low, high]);
    // The root of a basis point is a hundredth; less than that is no price.
    let least = (1 << 64) / 100;
    for ppm in [999_900, 1_000_000, 20_000_000] {
        assert!(around(ppm)[0].abs_diff(least) < 1 << 40, "{ppm}");
    }
    let beyond = OraclePrice::around(SqrtPrice::ONE, u64::MAX).unwrap_err();
    assert_eq!(beyond, error!(BallastError::PriceTooWide));
}
