//! `ballast backtest`, as a user runs it.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use crate::common::{Run, run};

const HEADER: &str = "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,inAmount1,currentLiquidity";
/// Two minutes of one liquidity: a million of token 0 in, then two of token 1.
const QUIET: [&str; 2] = [
    "2023-08-13 00:00:00,1000000,-500000,100,100,100,100,1000000,0,1000000000",
    "2023-08-13 00:01:00,-3000000,2000000,100,100,100,100,0,2000000,1000000000",
];

struct Recorded {
    file: PathBuf,
    _directory: TempDir,
}

fn record(lines: &[&str]) -> Recorded {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("minutes.csv");
    fs::write(&file, [&[HEADER], lines].concat().join("\n") + "\n").unwrap();
    Recorded {
        file,
        _directory: directory,
    }
}

fn backtest(recorded: &Recorded, lower: &str, upper: &str) -> Run {
    run(&[
        "backtest",
        "--json",
        "--pool-minutes",
        recorded.file.to_str().unwrap(),
        "--fee-ppm",
        "500",
        "--lower-tick",
        lower,
        "--upper-tick",
        upper,
        "--liquidity",
        "1000000",
    ])
}

#[test]
fn where_the_record_leaves_no_doubt_there_is_no_interval() {
    let run = backtest(&record(&QUIET), "0", "200");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let report = run.json();
    // A thousandth of the liquidity: a thousandth of 500 and of 1000. Fractions of units are cut off.
    for fees in ["fees", "fees_low", "fees_high"] {
        assert!(
            matches!(report[fees]["token0"].as_str(), Some("0")),
            "{report}"
        );
        assert!(
            matches!(report[fees]["token1"].as_str(), Some("0" | "1")),
            "{report}"
        );
    }
    // 10^6 (1.0001^-50 - 1.0001^-100) = 4962.7, 10^6 (1.0001^50 - 1) = 5012.2.
    assert_eq!(report["amounts"]["token0"], "4962");
    assert_eq!(report["amounts"]["token1"], "5012");
    assert_eq!(report["minutes"], 2);
    assert_eq!(report["minutes_in_range"], 2);
    // Out of range nothing is earned, and all is one token.
    let report = backtest(&record(&QUIET), "150", "200").json();
    assert_eq!(report["fees_high"]["token1"], "0");
    assert_eq!(report["amounts"]["token1"], "0");
}

#[test]
fn repairs_are_counted_and_missing_minutes_are_not_quiet_ones() {
    let big = |line: &str| line.replace("000000", "000000000000");
    let lines = QUIET.map(big);
    let whole = record(&[&lines[0], &lines[1]]);
    let late = lines[1].replace("00:01:00", "00:03:00");
    let holed = record(&[&lines[0], &late]);
    let (whole, holed) = (
        backtest(&whole, "0", "200").json(),
        backtest(&holed, "0", "200"),
    );
    assert!(holed.err.contains("2 minutes are missing"), "{}", holed.err);
    let holed = holed.json();
    assert_eq!(holed["repairs"]["missing_minutes"], 2);
    // From midnight to four minutes past it.
    assert_eq!(holed["minutes_before"], 0);
    assert_eq!(holed["minutes_after"], 24 * 60 - 4);
    let note = holed["notes"][0].as_str().unwrap();
    assert!(note.contains("liquidity within each minute"), "{note}");
    let fees = |report: &serde_json::Value, which: &str| -> u128 {
        report[which]["token1"].as_str().unwrap().parse().unwrap()
    };
    assert_eq!(fees(&holed, "fees_low"), fees(&whole, "fees_low"));
    // Two minutes more of the mean of two.
    assert_eq!(fees(&holed, "fees"), 2 * fees(&whole, "fees"));
    assert!(fees(&holed, "fees_high") > fees(&holed, "fees"));
}

/// What was looked back on is in a directory, with the record's hash.
#[test]
fn everything_in_a_directory() {
    let recorded = record(&QUIET);
    let out = recorded.file.with_file_name("out");
    let file = recorded.file.to_str().unwrap();
    let run = run(&[
        "backtest",
        "--json",
        "--pool-minutes",
        file,
        "--fee-ppm",
        "500",
        "--lower-tick",
        "0",
        "--upper-tick",
        "200",
        "--liquidity",
        "1000000",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    let json = |name: &str| serde_json::from_str::<serde_json::Value>(&read(name)).unwrap();
    assert_eq!(json("summary.json"), run.json());
    let written = json("run.json");
    assert_eq!(written["command"], "backtest");
    assert_eq!(written["parameters"]["lower_tick"], "0");
    assert_eq!(written["inputs"][0]["file"], file);
    assert_eq!(written["inputs"][0]["sha256"].as_str().unwrap().len(), 64);
    assert!(read("fees.svg").starts_with("<svg"));
    let html = read("report.html");
    for part in ["fees, at least", "4962", "2 minutes", "<svg"] {
        assert!(html.contains(part), "{part}");
    }
    // What it says is what it says without a directory.
    assert_eq!(run.out, backtest(&recorded, "0", "200").out);
}

#[test]
fn a_gzipped_file_is_read() {
    use std::io::Write;
    let plain = record(&QUIET);
    let expected = backtest(&plain, "0", "200").out;
    let packed = Recorded {
        file: plain.file.with_extension("csv.gz"),
        _directory: plain._directory,
    };
    let file = fs::File::create(&packed.file).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    gzip.write_all(&fs::read(&plain.file).unwrap()).unwrap();
    gzip.finish().unwrap();
    assert_eq!(backtest(&packed, "0", "200").out, expected);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let twice = backtest(&record(&[QUIET[0], QUIET[0]]), "0", "200");
    assert_eq!(twice.code, 1);
    for part in [
        "minutes.csv\n",
        "cause: line 3: 2023-08-13 00:00:00 is there twice\n",
    ] {
        assert!(twice.err.contains(part), "{}", twice.err);
    }
    assert!(twice.json()["error"].as_str().unwrap().contains("line 3"));
    let empty = backtest(&record(&QUIET), "200", "200");
    assert!(
        empty.code == 1 && empty.err.contains("--lower-tick 200"),
        "{}",
        empty.err
    );
    let nowhere = Recorded {
        file: PathBuf::from("/nonexistent.csv"),
        _directory: TempDir::new().unwrap(),
    };
    let nowhere = backtest(&nowhere, "0", "200");
    assert!(
        nowhere.code == 1 && nowhere.err.contains("check the path"),
        "{}",
        nowhere.err
    );
}

/// A pool of one range, with a swap up and one half the way down: token 1 in, then token 0.
const SWAPS: [&str; 4] = [
    "timestamp,amount0,amount1,sqrtPriceX64,liquidity",
    "7,-999000,1000000,18446744073709551616,1000000000000",
    "8,-997004989,1000000000,18465153924295113748,1000000000000",
    "9,500000000,-499746878,18455935221526919625,1000000000000",
];

fn on(file: &Recorded, option: &str, more: &[&str]) -> Run {
    let path = file.file.to_str().unwrap();
    let common = [
        "backtest",
        "--json",
        option,
        path,
        "--fee-ppm",
        "2000",
        "--lower-tick",
        "-100",
        "--upper-tick",
        "100",
        "--liquidity",
        "1000000000000",
    ];
    run(&[&common[..], more].concat())
}

fn lines(lines: &[&str]) -> Recorded {
    let recorded = record(&[]);
    fs::write(&recorded.file, lines.join("\n") + "\n").unwrap();
    recorded
}

#[test]
fn on_swaps_fees_follow_from_the_way_of_the_price() {
    let ways = on(&lines(&SWAPS), "--swaps", &[]);
    assert_eq!((ways.code, ways.err.as_str()), (0, ""));
    // All of the pool's liquidity: a five hundredth of what was paid in, to the unit that the file's prices round.
    let check = |report: &serde_json::Value, exact: u64| {
        assert_eq!(report["swaps"], 3);
        assert_eq!(report["swaps_exact"], exact);
        for fees in ["fees", "fees_low", "fees_high"] {
            for (token, expected) in [("token0", 1_000_000), ("token1", 2_002_000)] {
                let found: i64 = report[fees][token].as_str().unwrap().parse().unwrap();
                assert!((found - expected).abs() <= 2, "{fees} {token}: {report}");
            }
        }
    };
    check(&ways.json(), 0);
    let ticks = lines(&[
        "tick,liquidityNet",
        "-100,1000000000000",
        "100,-1000000000000",
    ]);
    let ticks = ticks.file.to_str().unwrap();
    check(
        &on(&lines(&SWAPS), "--swaps", &["--ticks", ticks]).json(),
        2,
    );
    // The protocol's part is nobody's.
    let half = on(&lines(&SWAPS), "--swaps", &["--protocol-bps", "5000"]).json();
    let found: i64 = half["fees"]["token1"].as_str().unwrap().parse().unwrap();
    assert!((found - 1_001_000).abs() <= 2, "{half}");
    let wrong = on(&lines(&SWAPS[..1]), "--swaps", &[]);
    assert!(
        wrong.code == 1 && wrong.err.contains("line 1: no line with data"),
        "{}",
        wrong.err
    );
}

#[test]
fn on_candles_fees_follow_from_arbitrage() {
    let header = "time,open,high,low,close";
    let hours = [
        "0,1,1.004,0.996,1",
        "3600,1,1.004,0.996,1",
        "10800,1,1.004,0.996,1",
    ];
    let file = lines(&[&[header], &hours[..]].concat());
    let decimals = [
        "--token0-decimals",
        "6",
        "--token1-decimals",
        "6",
        "--paths",
        "20",
    ];
    let run = on(&file, "--candles", &decimals);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("1 candles are missing"), "{}", run.err);
    let report = run.json();
    assert_eq!(
        (
            report["candles"].as_u64(),
            report["missing_candles"].as_u64()
        ),
        (Some(3), Some(1))
    );
    let fees = |report: &serde_json::Value, which: &str, token: &str| -> f64 {
        report[which][token].as_str().unwrap().parse().unwrap()
    };
    for token in ["token0", "token1"] {
        let [low, fees, high] =
            ["fees_low", "fees", "fees_high"].map(|which| fees(&report, which, token));
        assert!(0.0 < low && low < fees && fees < high, "{report}");
    }
    // The price about one, inverted, is the same with the tokens swapped; the protocol takes its part.
    let inverted = on(
        &file,
        "--candles",
        &[&decimals[..], &["--inverted"]].concat(),
    )
    .json();
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 0.1, "{a} {b}");
    near(
        fees(&inverted, "fees", "token0"),
        fees(&report, "fees", "token1"),
    );
    let shared = on(
        &file,
        "--candles",
        &[&decimals[..], &["--protocol-bps", "5000"]].concat(),
    );
    near(
        2.0 * fees(&shared.json(), "fees", "token0"),
        fees(&report, "fees", "token0"),
    );
    let wrong = on(
        &lines(&[header, "0,1,1,1,1", "0,1,1,1,1"]),
        "--candles",
        &decimals,
    );
    assert!(
        wrong.code == 1 && wrong.err.contains("line 3: 0 is there twice"),
        "{}",
        wrong.err
    );
}

#[test]
fn one_record_is_needed_and_no_more() {
    let none = run(&[
        "backtest",
        "--fee-ppm",
        "5",
        "--lower-tick",
        "0",
        "--upper-tick",
        "1",
        "--liquidity",
        "1",
    ]);
    assert_eq!(none.code, 2, "{}", none.err);
    let file = lines(&SWAPS);
    let both = on(
        &file,
        "--swaps",
        &["--candles", file.file.to_str().unwrap()],
    );
    assert_eq!(both.code, 2, "{}", both.err);
}
