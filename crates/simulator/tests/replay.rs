//! Recorded minutes and swaps of a pool as paths: what a position earns on them is what a look back says, on any number of threads.

mod common;

use std::{collections::BTreeMap, sync::Arc};

use ballast_clmm::{Side, SwapMode, Tick};
use ballast_model::{Band, Bps, quiet::HedgeBand};
use ballast_simulator::{
    Arbitrage, BarModel, Baseline, Blocks, FeeTerms, Interest, Looks, Opening, Outcome, Takers,
    Terms, Units,
    backtest::{
        Minute, Quoted, Range, Recording, Repairs, Swap, SwapTerms, pool_minutes, read_minutes,
        swaps,
    },
    ticks::{SwapFee, SwapOrder, TickPool},
};
use common::{UNITS, run_on};

const FEE_PPM: u32 = 500;
const FEE: f64 = 0.0005;
const QUOTED: Quoted = Quoted {
    quote_is_token0: false,
    base_decimals: 9,
    quote_decimals: 6,
};

fn terms(units: Units, price: f64, band: (f64, f64), own_quote: u64) -> Terms {
    let at = |price: f64| units.sqrt_price(price.ln());
    let opening = Opening {
        units,
        at: at(price),
        band: Band::from_sqrt_prices(at(band.0), at(band.1)).unwrap(),
        own_quote,
        leverage: Bps::new(20_000),
        hedge: Bps::ONE,
    };
    let fees = FeeTerms {
        fee: FEE,
        protocol_share: 0.0,
        arbitrage: Arbitrage::Formula(Blocks::Fixed(0.4)),
        takers: Takers::default(),
    };
    Terms::new(&opening, Some(fees), Interest::default()).unwrap()
}

/// Fees of both kinds, whole quote.
fn fees(units: Units, outcome: &Outcome) -> f64 {
    let lines = outcome.attribution;
    units.quote(lines.fees_arbitrage + lines.fees_takers)
}

/// Half a day of minutes in a pool of 1e15, which go up and down by a few ticks, more in its second half.
fn half_a_day() -> Vec<Minute> {
    let header = "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,inAmount1,currentLiquidity\n";
    let (mut text, mut close) = (header.to_owned(), -16_095);
    for minute in 0..720i32 {
        let width = if minute < 360 { 2 } else { 6 };
        // Up and down by turns, with a slow wave beside it.
        let next = close + if minute % 2 == 0 { width } else { -width } + (minute / 90 % 2 * 2 - 1);
        let (low, high) = (close.min(next) - 1, close.max(next) + 1);
        let (base, quote) = (
            300_000_000_000u64 * width as u64,
            60_000_000_000u64 * width as u64,
        );
        text += &format!(
            "1970-01-01 {:02}:{:02}:00,0,0,{next},{close},{low},{high},{base},{quote},1000000000000000\n",
            minute / 60,
            minute % 60
        );
        close = next;
    }
    read_minutes(&text).unwrap().0
}

#[test]
fn a_position_on_recorded_minutes_earns_what_the_look_back_says() {
    let minutes = half_a_day();
    let recording = Recording::of_minutes(&minutes, QUOTED, FEE).unwrap();
    let price = recording.first_price;
    let model = BarModel::Replay(Arc::new(recording.bars.clone()));
    let terms = terms(UNITS, price, (price / 1.2, price * 1.2), 10_000_000_000);
    let liquidity = terms.opened.liquidity;
    let range = Range::new(-20_000, -10_000).unwrap();
    let report = pool_minutes(&minutes, Repairs::default(), FEE, range, liquidity as f64);
    let last = price * (f64::from(minutes.last().unwrap().close + 16_095) * 1.0001f64.ln()).exp();
    let expected = report.fees.token1 / 1e6 + report.fees.token0 / 1e9 * last;
    let at = |step_secs, threads| {
        let looks = Looks::new(0.5, step_secs).unwrap();
        run_on(&terms, looks, &model, &Baseline::Hold, 8, 3, threads)
    };
    let outcomes = at(60, 1);
    for outcome in &outcomes {
        let found = fees(UNITS, outcome);
        // It shares what takers pay with those who were there.
        assert!((found / expected - 1.0).abs() < 5e-4, "{found} {expected}");
        assert_eq!(outcome.equity - terms.funds(), outcome.attribution.total());
        assert!(outcome.attribution.fees_arbitrage > 0 && outcome.attribution.fees_takers > 0);
    }
    // Bridges differ within the minutes, and only there; whoever looks more or less often is paid the same.
    assert_eq!(outcomes[0].equity, outcomes[7].equity);
    for secs in [20, 600] {
        let found = fees(UNITS, &at(secs, 0)[0]);
        assert!(
            (found / expected - 1.0).abs() < 2e-3,
            "{secs}: {found} {expected}"
        );
    }
    let within = at(20, 1);
    assert_eq!(at(20, 2), within);
    assert_eq!(at(20, 3), within);
    // Blocks in random order, and a hedge: the lines add up, threads change nothing.
    let blocks = BarModel::Bootstrap(Arc::new(recording.bars), 30);
    let looks = Looks::new(2.0, 60).unwrap();
    let agent = Baseline::Band {
        band: HedgeBand {
            hedge: Bps::ONE,
            band: Bps::new(1_000),
        },
        cost_ppm: 500,
        most_ltv: Baseline::ANY_LTV,
    };
    let drawn = run_on(&terms, looks, &blocks, &agent, 30, 3, 1);
    assert_eq!(run_on(&terms, looks, &blocks, &agent, 30, 3, 4), drawn);
    assert_ne!(drawn[0].price, drawn[1].price);
    for outcome in &drawn {
        assert_eq!(outcome.equity - terms.funds(), outcome.attribution.total());
        let a_day = fees(UNITS, outcome) / 2.0;
        assert!(
            (0.8..1.2).contains(&(a_day / expected / 2.0)),
            "{a_day} {expected}"
        );
    }
}

/// Moved to another price, the record pays the same part of the position.
#[test]
fn a_record_that_is_moved_pays_the_same_part() {
    let recording = Recording::of_minutes(&half_a_day(), QUOTED, FEE).unwrap();
    let model = BarModel::Replay(Arc::new(recording.bars));
    let looks = Looks::new(0.5, 60).unwrap();
    let paid = |price: f64| {
        let terms = terms(UNITS, price, (price / 1.1, price * 1.1), 100_000_000_000);
        fees(
            UNITS,
            &run_on(&terms, looks, &model, &Baseline::Hold, 1, 3, 1)[0],
        )
    };
    let (here, there) = (paid(200.0), paid(3_000.0));
    assert!((here / there - 1.0).abs() < 1e-5, "{here} {there}");
}

/// A position as large as all others gets half of what takers pay, and all of what arbitrageurs pay on its own liquidity.
#[test]
fn takers_are_shared_with_the_recorded_liquidity() {
    let recording = Recording::of_minutes(&half_a_day(), QUOTED, FEE).unwrap();
    let price = recording.first_price;
    let model = BarModel::Replay(Arc::new(recording.bars));
    let looks = Looks::new(0.5, 60).unwrap();
    let earned = |own_quote: u64| {
        let terms = terms(UNITS, price, (price / 1.1, price * 1.1), own_quote);
        let lines = run_on(&terms, looks, &model, &Baseline::Hold, 1, 3, 1)[0].attribution;
        let liquidity = terms.opened.liquidity as f64;
        (
            lines.fees_arbitrage as f64 / liquidity,
            lines.fees_takers as f64 / liquidity,
            liquidity,
        )
    };
    let (arbitrage, takers, _) = earned(10_000_000_000);
    let (own_arbitrage, own_takers, liquidity) = earned(20_000_000_000_000);
    assert!((own_arbitrage / arbitrage - 1.0).abs() < 1e-3);
    let share = 1e15 / (1e15 + liquidity);
    assert!(share < 0.6, "{share}");
    assert!((own_takers / takers / share - 1.0).abs() < 2e-3);
}

/// A pool of two ranges, and swaps in it at odd times.
fn swapped() -> (Vec<Swap>, BTreeMap<i32, i128>) {
    let start = Tick::new(-16_095).unwrap().sqrt_price();
    let mut pool = TickPool::new(start, SwapFee::fixed(FEE_PPM), 0);
    let mut ticks = BTreeMap::new();
    for (lower, upper, liquidity) in [
        (-20_000, -12_000, 2_000_000_000_000u128),
        (-16_160, -16_064, 1_000_000_000_000),
    ] {
        let seat = pool.seat([lower, upper]);
        pool.provide(seat, liquidity).unwrap();
        *ticks.entry(lower).or_insert(0) += liquidity as i128;
        *ticks.entry(upper).or_insert(0) -= liquidity as i128;
    }
    let mut record = Vec::new();
    for index in 0..400i64 {
        let up = index % 3 == 1 || index / 40 % 2 == 0 && index % 3 == 0;
        let input = if up { Side::Quote } else { Side::Base };
        let order = SwapOrder {
            amount: if up { 500_000_000 } else { 2_500_000_000 },
            mode: SwapMode::ExactIn,
            input,
            limit: None,
        };
        let traded = pool.swap(order, 0).unwrap().amounts;
        let (base, quote) = (i128::from(traded.base), i128::from(traded.quote));
        record.push(Swap {
            time_secs: 1_700_000_000 + index * 37,
            amounts: if up { [-base, quote] } else { [base, -quote] },
            sqrt_price_x64: pool.sqrt_price().x64(),
            liquidity: pool.liquidity(),
        });
    }
    (record, ticks)
}

#[test]
fn a_position_on_recorded_swaps_earns_what_the_look_back_says() {
    let (record, ticks) = swapped();
    let crossed = record
        .windows(2)
        .filter(|two| two[0].liquidity != two[1].liquidity);
    assert!(crossed.count() > 4);
    let pool = SwapTerms {
        fee_ppm: FEE_PPM,
        protocol_bps: 0,
    };
    let range = Range::new(-19_000, -13_000).unwrap();
    for (ticks, exact) in [(None, 0), (Some(&ticks), record.len() as u64 - 1)] {
        let recording = Recording::of_swaps(&record, ticks, QUOTED, FEE_PPM, 60).unwrap();
        assert_eq!((recording.exact, recording.missing), (exact, 0));
        let (price, days) = (recording.first_price, recording.bars.days());
        let terms = terms(UNITS, price, (price / 1.2, price * 1.2), 1_000_000);
        let liquidity = terms.opened.liquidity;
        let looks = Looks::new(days, 60).unwrap();
        let model = BarModel::Replay(Arc::new(recording.bars));
        let outcomes = run_on(&terms, looks, &model, &Baseline::Hold, 3, 5, 1);
        assert_eq!(
            run_on(&terms, looks, &model, &Baseline::Hold, 3, 5, 3),
            outcomes
        );
        // The path is the record's, to the last swap.
        let last = record.last().unwrap().sqrt_price_x64 as f64 / 2f64.powi(64);
        let end = last * last * 1e3;
        assert!((outcomes[0].price / end - 1.0).abs() < 1e-9);
        assert_eq!(outcomes[0].equity, outcomes[2].equity);
        let report = swaps(&record, ticks, pool, range, liquidity);
        let first = swaps(&record[..1], ticks, pool, range, liquidity);
        let of = |pick: fn(&ballast_simulator::backtest::TokenAmounts) -> f64| {
            pick(&report.fees) - pick(&first.fees)
        };
        let expected = of(|fees| fees.token1) / 1e6 + of(|fees| fees.token0) / 1e9 * end;
        // It shares what takers pay with those who were there, and raw units of fees are whole.
        let found = fees(UNITS, &outcomes[0]);
        assert!((found / expected - 1.0).abs() < 2e-3, "{found} {expected}");
    }
}
