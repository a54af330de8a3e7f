//! Funding forecasts on recorded settlements, rolling: each is made from what was known then. Needs the folder of recorded data in
//! `BALLAST_DATA`.

use ballast_venue::funding::{
    Settlement,
    forecast::Forecaster,
    formula::{Clamp, Formula, INTEREST, Notice},
};
use flate2::read::GzDecoder;
use std::{collections::BTreeMap, fs::File, io::Read};

const FILE: &str = "hyperliquid-btc-funding-2023.csv.gz";
const HORIZONS_HOURS: [u32; 3] = [1, 8, 24];

fn recorded() -> Option<Vec<Settlement>> {
    let mut text = String::new();
    let file = File::open(ballast_skip::recorded(FILE)?).expect(FILE);
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip");
    let rows: Vec<(u64, f64, f64)> = text
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let time_ms: u64 = fields[0].parse().expect("time_ms");
            (
                (time_ms + 1_800_000) / 3_600_000,
                fields[2].parse().expect("funding_rate"),
                fields[3].parse().expect("premium"),
            )
        })
        .collect();
    let hours = |index: usize| {
        if index == 0 {
            rows[1].0 - rows[0].0
        } else {
            rows[index].0 - rows[index - 1].0
        }
    };
    let settled = |(index, &(hour, rate, premium)): (usize, &(u64, f64, f64))| Settlement {
        hour,
        // A settlement that is missing in the record makes a longer gap, not a longer interval.
        interval_hours: if hours(index) < 8 { 1 } else { 8 },
        rate,
        premium,
    };
    Some(rows.iter().enumerate().map(settled).collect())
}

#[test]
fn forecasts_beat_the_last_value_and_the_constant_and_bands_hold_what_they_promise() {
    let Some(settlements) = recorded() else {
        return;
    };
    let by_hour: BTreeMap<u64, &Settlement> =
        settlements.iter().map(|row| (row.hour, row)).collect();
    let hourly = |row: &Settlement| row.rate / f64::from(row.interval_hours);
    for horizon in HORIZONS_HOURS {
        let mut forecaster = Forecaster::default();
        let (mut count, mut covered, mut ours, mut last, mut constant) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for row in &settlements {
            forecaster.observe(row);
            let (Some(forecast), Some(outcome)) = (
                forecaster.rate(horizon),
                by_hour.get(&(row.hour + u64::from(horizon))),
            ) else {
                continue;
            };
            let outcome = hourly(outcome);
            let (low, high) = forecast.band(0.9);
            count += 1.0;
            covered += f64::from(u8::from((low - 1e-12..=high + 1e-12).contains(&outcome)));
            ours += forecast.score(outcome);
            last += (hourly(row) - outcome).abs();
            constant += (INTEREST / 8.0 - outcome).abs();
        }
        let coverage = covered / count;
        println!(
            "{horizon} h: {count} forecasts, score {:.3e}, last value {:.3e}, constant {:.3e}, 90 % band covers {:.1} %",
            ours / count,
            last / count,
            constant / count,
            100.0 * coverage
        );
        assert!(count > 900.0);
        assert!(ours < last && ours < constant, "{horizon} h");
        assert!((0.85..=0.95).contains(&coverage), "{horizon} h: {coverage}");
    }
}

#[test]
fn the_venues_changes_of_its_formula_are_noticed_and_nothing_else_is() {
    let Some(settlements) = recorded() else {
        return;
    };
    let mut forecaster = Forecaster::default();
    let mut changes = Vec::new();
    for row in &settlements {
        match forecaster.observe(row) {
            Notice::Fits | Notice::Learnt(_) => {}
            Notice::Changed(to) => changes.push((row.hour / 24, to)),
            Notice::Unexplained => panic!("{row:?}"),
        }
    }
    println!("{changes:?}");
    let day = |month: u64, day: u64| 19_478 + [0, 31, 61][month as usize - 5] + day - 1;
    let days: Vec<u64> = changes.iter().map(|(day, _)| *day).collect();
    assert_eq!(days, [day(6, 8), day(6, 16), day(7, 15), day(7, 16)]);
    assert_eq!(changes[0].1.divisor, 8.0);
    assert_eq!(
        changes[1].1,
        Formula {
            divisor: 8.0,
            clamp: Clamp::Absent
        }
    );
    assert!(matches!(
        changes[2].1.clamp,
        Clamp::AtLeast(_) | Clamp::Exact(_)
    ));
    let Some(Formula {
        divisor,
        clamp: Clamp::Exact(bound),
    }) = forecaster.formula()
    else {
        panic!("{:?}", forecaster.formula())
    };
    assert!(divisor == 8.0 && (bound - 0.0002).abs() < 1e-12);
}
