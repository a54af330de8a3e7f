use std::sync::Arc;

use super::*;
use crate::{
    BarModel, Path, PriceModel, Streams,
    backtest::{Repairs, follow, pool_minutes, read_candles, read_minutes, swaps},
};

const HEADER: &str = "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,inAmount1,currentLiquidity";
const FEE: f64 = 0.0005;

fn quoted(quote_is_token0: bool) -> Quoted {
    Quoted {
        quote_is_token0,
        base_decimals: 9,
        quote_decimals: 6,
    }
}

fn minutes(lines: &[&str]) -> Vec<Minute> {
    read_minutes(&[&[HEADER], lines].concat().join("\n"))
        .unwrap()
        .0
}

/// As a Whirlpool has it: the price in raw units at tick -16095 is 0.2.
const LINES: [&str; 4] = [
    "1970-01-01 00:00:00,0,0,-16090,-16095,-16110,-16080,3000000000,700000000,1000000000000",
    "1970-01-01 00:01:00,0,0,-16085,-16090,-16090,-16085,0,200000000,1000000000000",
    "1970-01-01 00:02:00,0,0,-16085,-16085,-16085,-16085,0,0,1000000000000",
    "1970-01-01 00:05:00,0,0,-16100,-16097,-16100,-16085,9000000000,100000000,4000000000000",
];

/// The same pool where its tokens come in the other order.
fn mirrored(minutes: &[Minute]) -> Vec<Minute> {
    let turn = |minute: &Minute| Minute {
        close: -minute.close,
        open: -minute.open,
        lowest: -minute.highest,
        highest: -minute.lowest,
        paid_in: [minute.paid_in[1], minute.paid_in[0]],
        ..*minute
    };
    minutes.iter().map(turn).collect()
}

/// What a path does at every minute.
fn walked(recording: &Recording, minutes: usize, number: u64) -> Vec<crate::Step> {
    let bars = Arc::new(recording.bars.clone());
    let mut path = BarModel::Replay(bars).path(0.0, Streams::new(1), number);
    (0..minutes).map(|_| path.step(1.0 / 1_440.0)).collect()
}

#[test]
fn minutes_in_either_order_of_tokens_are_one_path() {
    let record = minutes(&LINES);
    let one = Recording::of_minutes(&record, quoted(false), FEE).unwrap();
    let other = Recording::of_minutes(&mirrored(&record), quoted(true), FEE).unwrap();
    assert!(
        (one.first_price - 200.0).abs() < 0.01,
        "{}",
        one.first_price
    );
    assert!((one.first_price - other.first_price).abs() < 1e-9);
    assert_eq!((one.missing, one.bars.count()), (2, 6));
    for (a, b) in walked(&one, 6, 0).iter().zip(walked(&other, 6, 0)) {
        assert!((a.log_price - b.log_price).abs() < 1e-12);
        let (a, b) = (a.weather.paid.unwrap(), b.weather.paid.unwrap());
        assert!((a.depth / b.depth - 1.0).abs() < 1e-9);
        for (a, b) in a.parts.iter().zip(b.parts) {
            assert!((a - b).abs() <= 1e-3 * a.abs(), "{a} {b}");
        }
    }
}

#[test]
fn minutes_close_where_they_closed_on_every_path_and_pay_what_was_paid() {
    let record = minutes(&LINES);
    let recording = Recording::of_minutes(&record, quoted(false), FEE).unwrap();
    let steps = walked(&recording, 6, 0);
    let log_tick = 1.0001f64.ln();
    // Two minutes are missing: the way to where the next one opens is cut in equal parts.
    for (step, tick) in steps.iter().zip([5.0, 10.0, 10.0, 4.0, -2.0, -5.0]) {
        assert!(
            (step.log_price - tick * log_tick).abs() < 1e-12,
            "{steps:?}"
        );
    }
    let closes = |number| -> Vec<f64> {
        let steps = walked(&recording, 6, number);
        steps.iter().map(|step| step.log_price).collect()
    };
    assert_eq!(closes(0), closes(17));
    // Where nothing was traded nothing moves; a wide minute moves more than a narrow one.
    assert_eq!(steps[2].variance, 0.0);
    assert!(steps[0].variance > 10.0 * steps[1].variance);
    // All that it pays is the estimate of a range that no price leaves, where minutes were not missing.
    let mut fees = [0.0; 2];
    let mut before = -16_095.0;
    for (index, (step, tick)) in steps
        .iter()
        .zip([5.0, 10.0, 10.0, 4.0, -2.0, -5.0])
        .enumerate()
    {
        let root = (before * log_tick / 2.0).exp();
        let paid = step.weather.paid.unwrap();
        if !(3..5).contains(&index) {
            fees[0] += paid.parts[0] / root;
            fees[1] += paid.parts[1] * root;
        }
        before = -16_095.0 + tick;
    }
    let whole: Vec<Minute> = (record.iter().copied())
        .map(|minute| Minute {
            missing_before: 0,
            ..minute
        })
        .collect();
    let report = pool_minutes(
        &whole,
        Repairs::default(),
        FEE,
        Range::new(-17_000, -15_000).unwrap(),
        1.0,
    );
    // The last minute begins where the price was before the gap: as far as that, its liquidity is not certain.
    for (found, expected) in fees.iter().zip([report.fees.token0, report.fees.token1]) {
        assert!((found / expected - 1.0).abs() < 1e-3, "{found} {expected}");
    }
    // A missing minute is no quiet one: it pays the mean of those that are there.
    let paid = |index: usize| steps[index].weather.paid.unwrap().parts[1];
    let mean = (paid(0) + paid(1) + paid(2) + paid(5)) / 4.0;
    assert!((paid(3) / mean - 1.0).abs() < 1e-9 && paid(3) > 0.0);
    assert_eq!(paid(2), 0.0);
    // Half a step pays half of a minute, at its own depth.
    let bars = Arc::new(recording.bars.clone());
    let mut path = BarModel::Replay(bars).path(0.0, Streams::new(1), 3);
    let halves = [(); 2].map(|()| path.step(0.5 / 1_440.0).weather.paid.unwrap());
    assert!((halves[0].parts[1] / paid(0) - 0.5).abs() < 1e-9);
    assert!((halves[0].depth / halves[1].depth - 1.0).abs() < 1e-12);
    // Two minutes pay together.
    let bars = Arc::new(recording.bars.clone());
    let mut path = BarModel::Replay(bars).path(0.0, Streams::new(1), 3);
    let both = path.step(2.0 / 1_440.0).weather.paid.unwrap();
    assert!((both.parts[1] / (paid(0) + paid(1)) - 1.0).abs() < 1e-9);
}

#[test]
fn a_record_with_a_large_hole_is_refused_and_records_follow_each_other() {
    let far = "1970-01-03 00:05:00,0,0,-16100,-16097,-16100,-16085,9,1,4000000000000";
    let record = minutes(&[LINES[0], far]);
    let said = Recording::of_minutes(&record, quoted(false), FEE)
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "minutes missing in one place 2884 must be at most 1440, a day: give a record without such a hole"
    );
    let mut next = minutes(&LINES[3..]);
    assert_eq!(follow(&minutes(&LINES[..2]), &mut next), Some(3));
    assert_eq!(next[0].missing_before, 3);
    assert_eq!(follow(&minutes(&LINES), &mut next), None);
    assert_eq!(follow(&[], &mut next), Some(0));
}

#[test]
fn candles_with_volume_say_when_more_is_traded() {
    let read = |volumes: [&str; 3]| {
        let [a, b, c] = volumes;
        let text = format!(
            "time,open,high,low,close,volume\n0,1,1,1,1,{a}\n60,1,1,1,1,{b}\n120,1,1,1,1,{c}\n"
        );
        Recording::of_candles(read_candles(&text).unwrap()).unwrap()
    };
    let volumes = |recording: &Recording| -> Vec<f64> {
        let steps = walked(recording, 3, 0);
        steps.iter().map(|step| step.weather.volume).collect()
    };
    let recording = read(["6", "", "2"]);
    assert!(!recording.bars.says_what_was_paid());
    let seen = volumes(&recording);
    for (volume, expected) in seen.iter().zip([1.5, 1.0, 0.5]) {
        assert!((volume - expected).abs() < 1e-12, "{seen:?}");
    }
    // Where nothing is known of it, it is as always.
    assert_eq!(volumes(&read(["0", "0", "0"])), [1.0; 3]);
    assert_eq!(volumes(&read(["", "", ""])), [1.0; 3]);
}

fn swap(time_secs: i64, tick: f64, paid_in: i128, liquidity: u128) -> Swap {
    let root = (tick * 1.0001f64.ln() / 2.0).exp();
    Swap {
        time_secs,
        amounts: if paid_in > 0 {
            [-1, paid_in]
        } else {
            [-paid_in, -1]
        },
        sqrt_price_x64: (root * TWO_POW_64) as u128,
        liquidity,
    }
}

#[test]
fn every_look_at_swaps_finds_the_price_that_was() {
    let liquidity = 1_000_000_000_000;
    let record = [
        swap(1_000, -16_095.0, 5, liquidity),
        swap(1_000, -16_094.0, 30_000_000, liquidity),
        swap(1_010, -16_099.0, -500_000_000, liquidity),
        swap(1_060, -16_090.0, 200_000_000, liquidity),
        // Two looks without any.
        swap(1_181, -16_085.0, 100_000_000, liquidity),
    ];
    let recording = Recording::of_swaps(&record, None, quoted(false), 500, 60).unwrap();
    assert_eq!(recording.bars.count(), 4);
    let steps = walked(&recording, 4, 0);
    let log_tick = 1.0001f64.ln();
    for (step, tick) in steps.iter().zip([5.0, 5.0, 5.0, 10.0]) {
        assert!(
            (step.log_price - tick * log_tick).abs() < 1e-12,
            "{steps:?}"
        );
    }
    let paid = |index: usize| steps[index].weather.paid.unwrap();
    assert_eq!(paid(1).parts, [0.0; 2]);
    assert_eq!((steps[1].variance, steps[1].weather.volume), (0.0, 0.0));
    // What a unit of liquidity is paid is the way of the root price: one and nine ticks up, five down.
    let terms = SwapTerms {
        fee_ppm: 500,
        protocol_bps: 0,
    };
    let range = Range::new(-20_000, -10_000).unwrap();
    let report = swaps(&record, None, terms, range, 1_000_000_000_000_000);
    let first = swaps(&record[..1], None, terms, range, 1_000_000_000_000_000);
    let root = (-16_095.0 * log_tick / 2.0).exp();
    let after = (-16_090.0 * log_tick / 2.0).exp();
    let quote = (paid(0).parts[1] * root + paid(3).parts[1] * after) * 1e15;
    let base = (paid(0).parts[0] / root + paid(3).parts[0] / after) * 1e15;
    let expected = report.fees.token1 - first.fees.token1;
    assert!((quote / expected - 1.0).abs() < 1e-9, "{quote} {expected}");
    assert!((base / report.fees.token0 - 1.0).abs() < 1e-9);
    // The other way round.
    let turned = record.map(|swap| Swap {
        amounts: [swap.amounts[1], swap.amounts[0]],
        sqrt_price_x64: (TWO_POW_64 / (swap.sqrt_price_x64 as f64 / TWO_POW_64)) as u128,
        ..swap
    });
    let turned = Recording::of_swaps(&turned, None, quoted(true), 500, 60).unwrap();
    assert!((turned.first_price / recording.first_price - 1.0).abs() < 1e-12);
    for (one, other) in steps.iter().zip(walked(&turned, 4, 9)) {
        assert!((one.log_price - other.log_price).abs() < 1e-12);
        let (one, other) = (one.weather.paid.unwrap(), other.weather.paid.unwrap());
        for (one, other) in one.parts.iter().zip(other.parts) {
            assert!((one - other).abs() <= 1e-6 * one, "{one} {other}");
        }
    }
    let long = [record[0], swap(1 << 40, -16_095.0, 5, liquidity)];
    let said = Recording::of_swaps(&long, None, quoted(false), 500, 1)
        .unwrap_err()
        .to_string();
    assert!(said.contains("must be at most 4194304"), "{said}");
}
