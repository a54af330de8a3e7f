//! Fees on four recorded days of a pool, against what the files' own lines say. Needs the folder of recorded data in `BALLAST_DATA`.
//!
//! Nothing here uses the reader or the formulas of the crate: lines are split at commas, and a minute's fees are its inflow times the
//! fee over a liquidity that lies between those at the ends of the minute (and of the next one, where the file's close is an older one).

use std::{fs::File, io::Read};

use ballast_simulator::backtest::{Range, TokenAmounts, pool_minutes, read_minutes};
use flate2::read::GzDecoder;

const DAYS: [&str; 4] = ["2023-08-13", "2023-08-14", "2023-08-15", "2025-07-01"];
const FEE: f64 = 0.0005;
const LIQUIDITY: f64 = 1e15;
/// A range that no price leaves.
const EVERYWHERE: (i32, i32) = (100_000, 300_000);
/// An interval counts as narrow up to this part to either side of its middle.
const NARROW: f64 = 0.02;

fn text(day: &str) -> Option<String> {
    let name = format!("usdc-weth-5bp-polygon-{day}.minute.csv.gz");
    let mut text = String::new();
    let file = File::open(ballast_skip::recorded(&name)?).expect(&name);
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip");
    Some(text)
}

/// A line, as far as it is needed.
struct Line {
    close: i32,
    lowest: i32,
    highest: i32,
    paid_in: [f64; 2],
    liquidity: f64,
}

fn lines(text: &str) -> Vec<Line> {
    let number = |field: &str| field.parse::<f64>().expect(field);
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let tick = |column: usize| number(fields[column]) as i32;
        Line {
            close: tick(3),
            lowest: tick(4).min(tick(5)),
            highest: tick(4).max(tick(6)),
            paid_in: [number(fields[7]), number(fields[8])],
            liquidity: number(fields[9]),
        }
    };
    text.lines().skip(1).map(line).collect()
}

/// The least, the likeliest and the most that a range earns of one token, by whole minutes: one that stayed inside has paid for all that
/// came in, one that stayed outside nothing, one that did neither anything between.
fn by_lines(lines: &[Line], side: usize, (lower, upper): (i32, i32)) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (index, line) in lines.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &lines[before]);
        let stale = line.close < line.lowest || line.close > line.highest;
        let after = lines.get(index + 1).filter(|_| stale);
        let around = || before.into_iter().chain([line]).chain(after);
        let inverse = || around().map(|line| 1.0 / line.liquidity);
        let (least, most) = (
            inverse().fold(f64::INFINITY, f64::min),
            inverse().fold(0.0, f64::max),
        );
        let ends = || around().flat_map(|line| [line.lowest, line.highest, line.close]);
        let (lowest, highest) = (ends().min().unwrap(), ends().max().unwrap());
        let earned = line.paid_in[side] * FEE * LIQUIDITY;
        let inside = lower <= lowest && highest < upper;
        let outside = highest < lower || lowest >= upper;
        if !outside {
            sums[2] += earned * most;
        }
        if inside {
            sums[0] += earned * least;
            sums[1] += earned * (least + most) / 2.0;
        }
    }
    sums
}

fn sides(amounts: TokenAmounts) -> [f64; 2] {
    [amounts.token0, amounts.token1]
}

#[test]
fn fees_of_recorded_days_are_what_their_lines_imply() {
    let mut narrow = 0;
    for day in DAYS {
        let Some(text) = text(day) else { return };
        let lines = lines(&text);
        let (minutes, repairs) = read_minutes(&text).unwrap();
        assert_eq!((minutes.len(), repairs.missing_minutes), (lines.len(), 0));
        let mut closes: Vec<i32> = lines.iter().map(|line| line.close).collect();
        closes.sort_unstable();
        let middle = closes[closes.len() / 2];
        for (lower, upper) in [
            EVERYWHERE,
            (middle - 400, middle + 400),
            (middle - 40, middle + 40),
            (middle - 10, middle + 10),
            (middle, middle + 200),
        ] {
            let range = Range::new(lower, upper).unwrap();
            let report = pool_minutes(&minutes, repairs, FEE, range, LIQUIDITY);
            let (low, fees, high) = (
                sides(report.fees_low),
                sides(report.fees),
                sides(report.fees_high),
            );
            for side in 0..2 {
                let what = format!("{day}, {lower}..{upper}, token {side}");
                let [least, likely, most] = by_lines(&lines, side, (lower, upper));
                let (low, fees, high) = (low[side], fees[side], high[side]);
                println!(
                    "{what}: {low:.6e} {fees:.6e} {high:.6e}, lines {least:.6e} {likely:.6e} {most:.6e}"
                );
                assert!(low <= fees && fees <= high, "{what}: {low} {fees} {high}");
                // It says no less than what the lines imply, and no more.
                let allowed = (least * (1.0 - 1e-9), most * (1.0 + 1e-9));
                assert!(
                    allowed.0 <= low && high <= allowed.1,
                    "{what}: {low} to {high}, lines {least} to {most}"
                );
                assert!(fees > 0.0, "{what}");
                if (lower, upper) == EVERYWHERE && most - least < NARROW * (most + least) {
                    narrow += 1;
                    assert!(
                        (fees / likely - 1.0).abs() < 0.01,
                        "{what}: {fees}, lines {likely}"
                    );
                }
            }
            // What it holds in the end.
            let root = |tick: i32| (f64::from(tick) * 1.0001f64.ln() / 2.0).exp();
            let at = root(lines.last().unwrap().close.clamp(lower, upper));
            let held = [
                LIQUIDITY * (1.0 / at - 1.0 / root(upper)),
                LIQUIDITY * (at - root(lower)),
            ];
            for (said, held) in sides(report.amounts).into_iter().zip(held) {
                assert!(
                    (said - held).abs() <= 1e-9 * LIQUIDITY * at,
                    "{day}: {said} {held}"
                );
            }
        }
    }
    // Two tokens of each of three days.
    assert!(narrow >= 6, "only {narrow} of 8 intervals are narrow");
}
