//! Recorded minutes and swaps of a pool in the place of a model.

use std::io::Write;

use ballast_clmm::{Side, SwapMode, Tick};
use ballast_simulator::ticks::{SwapFee, SwapOrder, TickPool};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use super::*;

const HEADER: &str = "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,inAmount1,currentLiquidity\n";
/// The tick of a price of 200 with 9 and 6 decimals.
const TICK: i32 = -16_095;

/// A day of minutes from an hour on, up and down.
fn minutes(from_hour: i32, to_hour: i32) -> String {
    let mut text = HEADER.to_owned();
    for minute in from_hour * 60..to_hour * 60 {
        let (close, open) = if minute % 2 == 0 {
            (TICK + 4, TICK)
        } else {
            (TICK, TICK + 4)
        };
        text += &format!(
            "1970-01-02 {:02}:{:02}:00,0,0,{close},{open},{TICK},{},2000000000,500000000,1000000000000000\n",
            minute / 60,
            minute % 60,
            TICK + 4
        );
    }
    text
}

/// The example on a record, at looks every minute.
fn on(option: &str, path: &str, extra: &[&str]) -> Run {
    let mut line = EXAMPLE.to_vec();
    for (option, value) in [
        ("--model", "replay"),
        ("--horizon-days", "0.9"),
        ("--step-secs", "60"),
        ("--paths", "20"),
    ] {
        let at = line.iter().position(|part| *part == option).unwrap();
        line[at + 1] = value;
    }
    let pool = ["--fee-ppm", "500", option, path];
    run(&[&line[..], &pool, extra].concat())
}

fn fees(report: &Value) -> f64 {
    let lines = &report["attribution"];
    number(&lines["fees_arbitrage"]["mean"]) + number(&lines["fees_takers"]["mean"])
}

#[test]
fn minutes_pay_what_a_look_back_says() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (whole, morning, evening) = (path("day.csv.gz"), path("morning.csv"), path("evening.csv"));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(minutes(0, 24).as_bytes()).unwrap();
    std::fs::write(&whole, packed.finish().unwrap()).unwrap();
    std::fs::write(&morning, minutes(0, 11)).unwrap();
    std::fs::write(&evening, minutes(12, 24)).unwrap();

    let report = on("--pool-minutes", &whole, &["--json"]).json();
    let record = &report["record"];
    assert_eq!(record["kind"], "minutes");
    assert_eq!(
        (record["bars"].as_u64(), record["missing"].as_u64()),
        (Some(1_440), Some(0))
    );
    assert_eq!(record["fees_as_recorded"], true);
    assert!((number(&record["first_price"]) / 200.0 - 1.0).abs() < 1e-3);
    // Liquidity that is worth 300 in a band of 190 to 210: see MATH.
    let liquidity = 429.239_012_648_545 * 1e9f64.sqrt() * 1e6f64.sqrt();
    let share = 0.9 * 1_440.0 * 0.0005 * liquidity / 1e15;
    let expected = share * (2.0 * 200.0 + 500.0);
    let found = fees(&report);
    assert!((found / expected - 1.0).abs() < 2e-3, "{found} {expected}");
    let text = on("--pool-minutes", &whole, &[]);
    assert!(
        text.out.contains("1440 minutes from a price of"),
        "{}",
        text.out
    );

    // What was paid is the position's, unless a protocol is said to have had a part; where takers' trades are said it has its usual one.
    let kept = on(
        "--pool-minutes",
        &whole,
        &["--json", "--protocol-share=20%"],
    )
    .json();
    assert!((fees(&kept) / (0.8 * expected) - 1.0).abs() < 2e-3);
    assert_eq!(number(&report["protocol_fees"]), 0.0);
    let said = ["--json", "--taker-volume-day=1e6", "--pool-liquidity=1000"];
    let said = on("--pool-minutes", &whole, &said).json();
    let part = number(&said["protocol_fees"]) / (number(&said["protocol_fees"]) + fees(&said));
    assert!((part - 0.13).abs() < 1e-6, "{part}");
    // Numbers like 7.0 are no repair.
    let pointed = path("pointed.csv");
    std::fs::write(
        &pointed,
        minutes(0, 24).replace(",500000000,", ",500000000.0,"),
    )
    .unwrap();
    let same = on("--pool-minutes", &pointed, &["--json"]);
    assert_eq!((same.code, same.err.as_str()), (0, ""));
    let same = same.json();
    let count = |name: &str| same["record"][name].as_u64();
    assert_eq!(
        (count("repaired"), count("with_fractions")),
        (Some(0), Some(1_440))
    );
    assert_eq!(fees(&same), fees(&report));
    let text = on("--pool-minutes", &pointed, &[]).out;
    assert!(
        text.contains("1440 minutes (1440 with whole numbers like 198133.0)")
            && text.contains("0 missing and 0 repaired"),
        "{text}"
    );

    // An hour is missing in two files: it is bridged, counted, and no quiet one.
    let both = ["--json", "--pool-minutes", &evening];
    let holed = on("--pool-minutes", &morning, &both);
    assert!(holed.err.contains("60 missing"), "{}", holed.err);
    let holed = holed.json();
    assert_eq!(holed["record"]["missing"].as_u64(), Some(60));
    assert!((fees(&holed) / expected - 1.0).abs() < 2e-3);
    let wrong = on("--pool-minutes", &evening, &["--pool-minutes", &morning]);
    assert!(
        wrong.code == 2 && wrong.err.contains("does not begin after"),
        "{}",
        wrong.err
    );

    // What takers trade is said otherwise: the record has the prices.
    let said = [
        "--json",
        "--taker-volume-day",
        "0",
        "--pool-liquidity",
        "1000",
    ];
    let stated = on("--pool-minutes", &whole, &said).json();
    assert_eq!(stated["record"]["fees_as_recorded"], false);
    assert_eq!(number(&stated["attribution"]["fees_takers"]["mean"]), 0.0);
    let pool = [
        "--other-pool-fee-ppm",
        "500",
        "--other-pool-liquidity",
        "1000",
        "--taker-size",
        "10",
    ];
    let second = on("--pool-minutes", &whole, &pool);
    assert!(
        second.code == 2 && second.err.contains("after a second one had its part"),
        "{}",
        second.err
    );
    // Other commands read it, too.
    let mut line = vec!["compare", "hold", "band:10%", "--model", "replay,bootstrap"];
    line.extend(&EXAMPLE[5..25]);
    for (option, value) in [
        ("--horizon-days", "0.5"),
        ("--step-secs", "60"),
        ("--paths", "20"),
    ] {
        let at = line.iter().position(|part| *part == option).unwrap();
        line[at + 1] = value;
    }
    let compared = run(&[&line[..], &["--json", "--pool-minutes", &whole]].concat());
    assert_eq!(compared.code, 0, "{}", compared.err);
    assert_eq!(compared.json()["models"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_wrong_with_a_record_is_refused_with_its_line() {
    let directory = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let day = minutes(0, 24);
    let swapped = "timestamp,amount0,amount1,sqrtPriceX64,liquidity\n";
    let good = write("good.csv", &day);
    for (option, text, said) in [
        (
            "--pool-minutes",
            day.replace(",500000000,", ",NaN,"),
            "line 2: inAmount1",
        ),
        (
            "--pool-minutes",
            day.clone() + "1970-01-02 00:07:00,0,0,1,1,1,1,0,0,1\n",
            "line 1442: ",
        ),
        (
            "--swaps",
            format!("{swapped}7,5,4,1,100\n"),
            "line 2: amount1",
        ),
        ("--swaps", swapped.to_owned(), "line 1: no line with data"),
        (
            "--candles",
            "time,open,high,low,close\n1,1,1,1,0\n".into(),
            "close `0` is not a price above 0",
        ),
    ] {
        let path = write("bad.csv", &text);
        let run = on(option, &path, &[]);
        assert!(
            run.code == 1 && run.err.contains(said) && run.err.contains(option),
            "{option}: {}",
            run.err
        );
    }
    let long = on("--pool-minutes", &good, &["--swaps", &good]);
    assert_eq!(long.code, 2, "{}", long.err);
    let ticks = on("--pool-minutes", &good, &["--ticks", &good]);
    assert_eq!(ticks.code, 2, "{}", ticks.err);
    let none = changed("--model", "replay", &[]);
    assert!(
        none.code == 1 && none.err.contains("--pool-minutes"),
        "{}",
        none.err
    );
    let short = write("short.csv", &minutes(0, 2));
    let short = on("--pool-minutes", &short, &[]);
    assert!(
        short.code == 2
            && short
                .err
                .contains("longer than the record: it is 0.083 days"),
        "{}",
        short.err
    );
}

/// Swaps in a pool of one range, so that ticks say what they met.
#[test]
fn swaps_with_ticks_pay_to_the_unit() {
    let directory = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let start = Tick::new(TICK).unwrap().sqrt_price();
    let mut pool = TickPool::new(start, SwapFee::fixed(500), 0);
    let seat = pool.seat([-20_000, -12_000]);
    pool.provide(seat, 1_000_000_000_000_000).unwrap();
    let mut text = "timestamp,amount0,amount1,sqrtPriceX64,liquidity\n".to_owned();
    let mut expected = 0.0;
    for index in 0..400u32 {
        // Up, and down by about as much.
        let (amount, input) = if index % 2 == 0 {
            (500_000_000, Side::Quote)
        } else {
            (2_500_000_000, Side::Base)
        };
        let order = SwapOrder {
            amount,
            mode: SwapMode::ExactIn,
            input,
            limit: None,
        };
        let traded = pool.swap(order, 0).unwrap();
        let (base, quote) = (traded.amounts.base, traded.amounts.quote);
        let fee = f64::from(u32::try_from(traded.fee).unwrap());
        let (amounts, fee) = match input {
            Side::Quote => (format!("-{base},{quote}"), fee / 1e6),
            Side::Base => (format!("{base},-{quote}"), fee / 1e9 * 200.0),
        };
        // The path begins after the first.
        if index > 0 {
            expected += fee;
        }
        text += &format!(
            "{},{amounts},{},{}\n",
            1_700_000_000 + u64::from(index) * 200,
            pool.sqrt_price().x64(),
            pool.liquidity()
        );
    }
    let swaps = write("swaps.csv", &text);
    let net = "tick,liquidityNet\n-20000,1000000000000000\n-12000,-1000000000000000\n";
    let ticks = write("ticks.csv", net);
    let report = on("--swaps", &swaps, &["--json", "--ticks", &ticks]);
    assert_eq!(report.code, 0, "{}", report.err);
    let report = report.json();
    assert_eq!(report["record"]["exact"].as_u64(), Some(399));
    let liquidity = 429.239_012_648_545 * 1e9f64.sqrt() * 1e6f64.sqrt();
    let share = liquidity / 1e15 * (0.9 * 86_400.0 / (399.0 * 200.0));
    let found = fees(&report);
    assert!(
        (found / (expected * share) - 1.0).abs() < 5e-3,
        "{found} {expected} {share}"
    );
    // Every path is the record's.
    assert_eq!(number(&report["equity"]["sd"]), 0.0);
}

/// Four recorded days of a pool whose quote is token 0. Needs the folder of recorded data in `BALLAST_DATA`.
#[test]
fn recorded_days_pay_what_a_look_back_says() {
    for day in ["2023-08-13", "2023-08-14", "2023-08-15", "2025-07-01"] {
        let name = format!("usdc-weth-5bp-polygon-{day}.minute.csv.gz");
        let Some(file) = ballast_skip::recorded(&name) else {
            return;
        };
        let mut text = String::new();
        std::io::Read::read_to_string(
            &mut GzDecoder::new(std::fs::File::open(&file).unwrap()),
            &mut text,
        )
        .unwrap();
        let lines: Vec<Vec<&str>> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect())
            .collect();
        let open: f64 = lines[0][4].parse().unwrap();
        let price = 1.0001f64.powf(-open) * 1e12;
        let days = format!("{}", lines.len() as f64 / 1_440.0);
        let [price, lower, upper] = [price, price / 1.5, price * 1.5].map(|at| format!("{at:.6}"));
        let file = file.to_str().unwrap();
        let line = [
            "simulate",
            "--json",
            "--model",
            "replay",
            "--pool-minutes",
            file,
            "--base",
            "token1",
            "--base-decimals",
            "18",
            "--quote-decimals",
            "6",
            "--fee-ppm",
            "500",
            "--horizon-days",
            &days,
            "--step-secs",
            "60",
            "--paths",
            "2",
            "--seed",
            "1",
            "--price",
            &price,
            "--lower",
            &lower,
            "--upper",
            &upper,
            "--equity",
            "1000",
            "--leverage",
            "2",
            "--strategy",
            "hold",
        ];
        let report = run(&line);
        assert_eq!(report.code, 0, "{}", report.err);
        let report = report.json();
        assert!(
            (number(&report["record"]["first_price"]) / price.parse::<f64>().unwrap() - 1.0).abs()
                < 1e-6
        );
        // By the lines alone: what came in, times the fee, over the mean of the liquidity before and after, at the last price.
        let number_of = |line: &[&str], column: usize| line[column].parse::<f64>().unwrap();
        let end = 1.0001f64.powf(-number_of(lines.last().unwrap(), 3)) * 1e12;
        let (mut per_liquidity, mut before) = (0.0, number_of(&lines[0], 9));
        for line in &lines {
            let inverse = (1.0 / before + 1.0 / number_of(line, 9)) / 2.0;
            let paid = number_of(line, 7) / 1e6 + number_of(line, 8) / 1e18 * end;
            per_liquidity += paid * 0.0005 * inverse;
            before = number_of(line, 9);
        }
        let (at, low, high) = (
            price.parse::<f64>().unwrap(),
            lower.parse::<f64>().unwrap(),
            upper.parse::<f64>().unwrap(),
        );
        // Twice the own funds, in whole liquidity and then in the pool's unit.
        let whole = 2_000.0 / (2.0 * at.sqrt() - at / high.sqrt() - low.sqrt());
        let liquidity = whole * 1e12;
        let (found, expected) = (fees(&report), per_liquidity * liquidity);
        println!("{day}: {found:.6} simulated, {expected:.6} by the lines");
        assert!(
            (found / expected - 1.0).abs() < 0.01,
            "{day}: {found} {expected}"
        );
    }
}
