//! The paper venue through the trait: partial fills, latency, fees, funding, liquidation, auto-deleveraging; and the same twice.

use ballast_venue::{
    clock::ManualClock,
    depth::{Depth, Level},
    hedge::{
        exposure::Exposure,
        hedger::{Hedger, Plan},
        journal::{Entry, Journal},
        target::Rules,
    },
    hyperliquid::{
        bytes::{Address, Cloid},
        order_wire::{OrderRef, Tif},
    },
    instrument::{Instrument, Side},
    paper::{
        exchange::{Exchange, FUNDING_INTERVAL_MS, Fees},
        order::{NewOrder, Refusal, Status},
        venue::{PaperVenue, Quote, Tape},
    },
    venue::{FillKind, Order, OrderState, Venue, VenueError},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use std::sync::{Arc, Mutex};

const ME: Address = Address([1; 20]);
const OTHER: Address = Address([2; 20]);

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn levels(levels: &[(&str, &str)]) -> Vec<Level> {
    levels
        .iter()
        .map(|(price, size)| Level {
            price: dec(price),
            size: dec(size),
        })
        .collect()
}

fn depth() -> Depth {
    Depth {
        bids: levels(&[("99.9", "5"), ("99.8", "10")]),
        asks: levels(&[("100.1", "5"), ("100.2", "10")]),
    }
}

fn exchange() -> Exchange {
    let sol = Instrument {
        coin: "SOL".into(),
        asset: 0,
        size_places: 2,
        max_leverage: 20,
    };
    let mut exchange = Exchange::new(1, Fees::default(), [sol]);
    exchange.deposit(ME, 1000.into());
    exchange.deposit(OTHER, 1000.into());
    exchange.set_depth(0, 100.into(), depth());
    exchange
}

fn order(account: Address, side: Side, price: &str, size: &str, tif: Tif) -> NewOrder {
    NewOrder {
        account,
        asset: 0,
        side,
        price: dec(price),
        size: dec(size),
        tif,
        reduce_only: false,
        cloid: None,
    }
}

#[test]
fn an_order_takes_the_best_prices_within_its_limit_and_no_more_than_is_there() {
    let mut exchange = exchange();
    let record = exchange
        .place(order(ME, Side::Buy, "100.1", "8", Tif::Ioc))
        .unwrap();
    assert_eq!(
        (record.filled, record.notional, record.status),
        (5.into(), dec("500.5"), Status::Canceled)
    );
    let record = exchange
        .place(order(ME, Side::Buy, "100.5", "8", Tif::Ioc))
        .unwrap();
    assert_eq!(
        (record.filled, record.notional, record.status),
        (8.into(), dec("801.6"), Status::Filled)
    );
    assert_eq!(
        exchange.market("SOL").unwrap().depth.asks,
        levels(&[("100.2", "2")])
    );
    assert_eq!(
        exchange
            .place(order(ME, Side::Buy, "100", "1", Tif::Ioc))
            .unwrap_err(),
        Refusal::NoMatch(0)
    );
    let account = exchange.account(ME).unwrap();
    assert_eq!(account.position("SOL"), 13.into());
    // What was paid over the index, and the fee.
    assert_eq!(
        account.equity,
        dec("1000") - dec("2.1") - (dec("500.5") + dec("801.6")) * dec("0.00045") + dec("0.000000")
    );
}

#[test]
fn what_the_venue_would_refuse_is_refused() {
    let mut exchange = exchange();
    for (bad, refusal) in [
        (
            order(ME, Side::Buy, "100.001", "1", Tif::Ioc),
            Refusal::Tick(0),
        ),
        (
            order(ME, Side::Buy, "100.1", "1.001", Tif::Ioc),
            Refusal::Size(0),
        ),
        (
            order(ME, Side::Buy, "100.1", "0.09", Tif::Ioc),
            Refusal::MinNotional(0),
        ),
        (
            order(ME, Side::Buy, "100.1", "300", Tif::Ioc),
            Refusal::Margin(0),
        ),
        (
            order(ME, Side::Buy, "100.1", "1", Tif::Alo),
            Refusal::PostOnly(0),
        ),
        (
            order(Address([9; 20]), Side::Buy, "100.1", "1", Tif::Ioc),
            Refusal::NoAccount(Address([9; 20])),
        ),
        (
            NewOrder {
                asset: 7,
                ..order(ME, Side::Buy, "100.1", "1", Tif::Ioc)
            },
            Refusal::NoAsset(7),
        ),
        (
            NewOrder {
                reduce_only: true,
                ..order(ME, Side::Buy, "100.1", "1", Tif::Ioc)
            },
            Refusal::ReduceOnly(0),
        ),
    ] {
        assert_eq!(exchange.place(bad).unwrap_err(), refusal);
    }
    assert_eq!(exchange.ledger(ME).unwrap().fills.len(), 0);
    exchange
        .place(order(ME, Side::Buy, "100.1", "1", Tif::Ioc))
        .unwrap();
    // A reducing order is cut to the position, and may be small.
    let reduce = NewOrder {
        reduce_only: true,
        ..order(ME, Side::Sell, "99", "5", Tif::Ioc)
    };
    assert_eq!(exchange.place(reduce).unwrap().filled, Decimal::ONE);
    assert_eq!(exchange.account(ME).unwrap().position("SOL"), Decimal::ZERO);
}

#[test]
fn resting_orders_meet_others_at_their_own_price_and_the_oldest_first() {
    let mut exchange = exchange();
    let first = exchange
        .place(order(ME, Side::Buy, "100", "1", Tif::Alo))
        .unwrap()
        .oid;
    let second = exchange
        .place(order(ME, Side::Buy, "100", "1", Tif::Gtc))
        .unwrap()
        .oid;
    let taken = exchange
        .place(order(OTHER, Side::Sell, "99.9", "3", Tif::Ioc))
        .unwrap();
    assert_eq!((taken.filled, taken.notional), (3.into(), dec("299.9")));
    for oid in [first, second] {
        assert_eq!(
            exchange.order(ME, OrderRef::Oid(oid)).unwrap().status,
            Status::Filled
        );
    }
    let maker = &exchange.ledger(ME).unwrap().fills[0];
    assert!(!maker.crossed && maker.fill.fee == dec("100") * dec("0.00015"));
    // Depth that moves through an order fills it.
    let resting = exchange
        .place(order(ME, Side::Buy, "99.5", "1", Tif::Gtc))
        .unwrap()
        .oid;
    exchange.set_depth(
        0,
        dec("99"),
        Depth {
            bids: levels(&[("98.9", "5")]),
            asks: levels(&[("99.1", "0.4"), ("99.6", "5")]),
        },
    );
    let record = exchange.order(ME, OrderRef::Oid(resting)).unwrap();
    assert_eq!(
        (record.filled, record.notional, record.status),
        (dec("0.4"), dec("39.8"), Status::Open)
    );
    exchange.cancel(ME, 0, OrderRef::Oid(resting)).unwrap();
    assert_eq!(
        exchange.cancel(ME, 0, OrderRef::Oid(resting)),
        Err(Refusal::NotOpen(0))
    );
}

#[test]
fn money_is_conserved_between_accounts_but_for_fees() {
    let mut exchange = exchange();
    exchange.set_depth(0, 100.into(), Depth::default());
    exchange
        .place(order(ME, Side::Buy, "100", "3", Tif::Gtc))
        .unwrap();
    exchange
        .place(order(OTHER, Side::Sell, "100", "3", Tif::Ioc))
        .unwrap();
    exchange.set_funding(0, dec("0.0001"), dec("0.0001"));
    exchange.advance_to(5 * FUNDING_INTERVAL_MS + 1);
    exchange.set_depth(0, 110.into(), Depth::default());
    let equity: Decimal = [ME, OTHER]
        .map(|account| exchange.account(account).unwrap().equity)
        .iter()
        .sum();
    let fees: Decimal = [ME, OTHER]
        .iter()
        .flat_map(|account| &exchange.ledger(*account).unwrap().fills)
        .map(|record| record.fill.fee)
        .sum();
    assert_eq!(equity + fees, 2000.into());
    let payments = &exchange.ledger(OTHER).unwrap().funding;
    assert_eq!(payments.len(), 5);
    assert!(payments.iter().all(|payment| payment.usdc == dec("0.03")));
    assert_eq!(exchange.market("SOL").unwrap().settled.len(), 5);
}

#[test]
fn below_maintenance_margin_is_liquidated_where_it_was_announced_and_not_before() {
    let mut exchange = exchange();
    exchange.set_depth(
        0,
        100.into(),
        Depth {
            asks: levels(&[("100", "1000")]),
            bids: Vec::new(),
        },
    );
    exchange
        .place(order(ME, Side::Buy, "100", "150", Tif::Ioc))
        .unwrap();
    let price = exchange.account(ME).unwrap().positions[0]
        .liquidation
        .unwrap();
    exchange.set_depth(0, price + dec("0.001"), Depth::default());
    assert_eq!(exchange.account(ME).unwrap().position("SOL"), 150.into());
    exchange.set_depth(0, price - dec("0.001"), Depth::default());
    assert_eq!(exchange.account(ME).unwrap().position("SOL"), Decimal::ZERO);
    let last = exchange.ledger(ME).unwrap().fills.last().unwrap();
    assert_eq!(
        (last.fill.kind, last.fill.size),
        (FillKind::Liquidation, 150.into())
    );
}

#[test]
fn deleveraging_closes_a_part_and_scheduled_cancels_come_due() {
    let mut exchange = exchange();
    exchange
        .place(order(ME, Side::Sell, "99.8", "10", Tif::Ioc))
        .unwrap();
    exchange.deleverage(ME, 0, 4.into(), dec("90"));
    let last = exchange.ledger(ME).unwrap().fills.last().unwrap();
    assert_eq!(
        (last.fill.kind, last.fill.side, last.fill.size),
        (FillKind::Deleveraging, Side::Buy, 4.into())
    );
    assert_eq!(exchange.account(ME).unwrap().position("SOL"), (-6).into());
    let oid = exchange
        .place(order(ME, Side::Buy, "90", "1", Tif::Gtc))
        .unwrap()
        .oid;
    exchange.schedule_cancel(ME, Some(10_000));
    exchange.advance_to(9_999);
    assert_eq!(
        exchange.order(ME, OrderRef::Oid(oid)).unwrap().status,
        Status::Open
    );
    exchange.advance_to(10_000);
    assert_eq!(
        exchange.order(ME, OrderRef::Oid(oid)).unwrap().status,
        Status::Canceled
    );
}

fn tape() -> Tape {
    let quote = |time_ms, shift: &str| {
        let mut depth = depth();
        for level in depth.bids.iter_mut().chain(&mut depth.asks) {
            level.price += dec(shift);
        }
        Quote {
            time_ms,
            asset: 0,
            index: dec("100") + dec(shift),
            depth,
            funding: (dec("0.0001"), dec("0.0001")),
        }
    };
    Tape::new(
        exchange(),
        [quote(1_000, "1"), quote(2_000, "-1"), quote(3_000, "0")],
    )
}

#[tokio::test]
async fn an_order_meets_the_market_that_there_is_when_it_arrives() {
    let place = async |latency_ms| {
        let clock = Arc::new(ManualClock::at(1_500));
        let venue = PaperVenue::new(Arc::new(Mutex::new(tape())), clock.clone(), ME, latency_ms);
        assert_eq!(venue.depth("SOL").await.unwrap().mid(), Some(dec("101")));
        let order = Order {
            coin: "SOL".into(),
            side: Side::Buy,
            size: 1.into(),
            cap: dec("101.1"),
            reduce_only: false,
            cloid: Cloid([7; 16]),
            expires_after_ms: 3_000,
        };
        let placed = venue.place(&order).await;
        clock.advance(FUNDING_INTERVAL_MS);
        let funded = venue.funding(0).await.unwrap().len();
        (
            placed,
            venue.fills(0).await.unwrap(),
            venue.order(order.cloid).await.unwrap(),
            funded,
        )
    };
    let (at_once, fills, state, funded) = place(0).await;
    assert_eq!(
        (fills[0].price, fills[0].fee),
        (dec("101.1"), dec("101.1") * dec("0.00045"))
    );
    assert!(matches!(state, OrderState::Closed(done) if Ok(done) == at_once));
    assert_eq!(funded, 1);
    let (_, fills, ..) = place(1_000).await;
    assert_eq!(fills[0].price, dec("99.1"));
    let (late, fills, state, funded) = place(2_000).await;
    assert!(
        matches!(late, Err(VenueError::Refused(_)))
            && fills.is_empty()
            && state == OrderState::NeverSeen
            && funded == 0
    );
    assert_eq!(place(0).await, place(0).await);
}

/// A hedge on paper over an hour of simulated prices: the journal's lines, and what book and perp are worth together.
async fn hedge_on_paper(seed: u64, band: &str) -> (Vec<Entry>, Decimal) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut price = dec("100");
    let mut quotes = Vec::new();
    for minute in 0..60 {
        price =
            (price * (Decimal::ONE + Decimal::new(random.random_range(-30..=30), 4))).round_dp(2);
        let mut depth = depth();
        for level in depth.bids.iter_mut().chain(&mut depth.asks) {
            level.price = (level.price + price - dec("100")).round_dp(2);
        }
        quotes.push(Quote {
            time_ms: 60_000 * (minute + 1),
            asset: 0,
            index: price,
            depth,
            funding: (dec("0.0000125"), dec("0.0001")),
        });
    }
    let tape = Arc::new(Mutex::new(Tape::new(exchange(), quotes)));
    let clock = Arc::new(ManualClock::at(1));
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        account: ME,
        coin: "SOL".into(),
        rules: Rules {
            band: dec(band),
            cap_bps: dec("50"),
            depth_share: dec("0.5"),
        },
        expires_after_ms: 5_000,
    };
    let (journal, entries) = Journal::open(&folder.path().join("journal")).unwrap();
    let mut hedger = Hedger::new(
        plan,
        PaperVenue::new(tape.clone(), clock.clone(), ME, 200),
        journal,
        &entries,
    );
    let mut book = Decimal::ZERO;
    let mut before = dec("100");
    // Delta falls as the price rises: what a liquidity position does.
    let delta = |price: Decimal| ((dec("105") - price) * dec("0.8")).round_dp(4);
    for _ in 0..60 * 6 {
        let now_ms = clock.advance(10_000);
        let price = hedger.venue().depth("SOL").await.unwrap().mid().unwrap();
        book += delta(before) * (price - before);
        before = price;
        hedger
            .step(Exposure::of(delta(price)), now_ms)
            .await
            .unwrap();
    }
    drop(hedger);
    let equity = tape
        .lock()
        .unwrap()
        .at(60 * 60_000)
        .account(ME)
        .unwrap()
        .equity;
    (
        Journal::read(&folder.path().join("journal")).unwrap(),
        book + equity - dec("1000"),
    )
}

#[tokio::test]
async fn a_hedge_on_paper_is_the_same_twice_and_trades_less_with_a_wider_band() {
    let (narrow, _) = hedge_on_paper(7, "0.2").await;
    let (again, _) = hedge_on_paper(7, "0.2").await;
    assert_eq!(narrow, again);
    let (wide, _) = hedge_on_paper(7, "1").await;
    let intents = |entries: &[Entry]| {
        entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Intent { .. }))
            .count()
    };
    assert!(
        intents(&wide) < intents(&narrow) && intents(&wide) > 0,
        "{} {}",
        intents(&wide),
        intents(&narrow)
    );
}

#[tokio::test]
async fn a_hedged_book_swings_less_than_a_bare_one() {
    let spread = async |band: &str| {
        let mut squares = Decimal::ZERO;
        for seed in 0..20 {
            let (_, result) = hedge_on_paper(seed, band).await;
            squares += result * result;
        }
        squares
    };
    // A band so wide that nothing is ever traded is no hedge.
    assert!(spread("0.2").await * Decimal::from(4) < spread("1000").await);
}
