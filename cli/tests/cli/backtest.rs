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
    let fees = |report: &serde_json::Value, which: &str| -> u128 {
        report[which]["token1"].as_str().unwrap().parse().unwrap()
    };
    assert_eq!(fees(&holed, "fees_low"), fees(&whole, "fees_low"));
    // Two minutes more of the mean of two.
    assert_eq!(fees(&holed, "fees"), 2 * fees(&whole, "fees"));
    assert!(fees(&holed, "fees_high") > fees(&holed, "fees"));
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
    assert!(
        twice
            .err
            .contains("minutes.csv: line 3: 2023-08-13 00:00:00 is there twice"),
        "{}",
        twice.err
    );
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
