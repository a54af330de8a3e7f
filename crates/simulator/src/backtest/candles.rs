//! Recorded candles: with a first line that names the columns `time`, `open`, `high`, `low`, `close`, or as Binance writes its
//! klines (the same in the first five columns, without such a line).

use super::table::{Columns, Problem, RecordError, Values};
use crate::Bar;

const COLUMNS: [&str; 5] = ["time", "open", "high", "low", "close"];
/// With what was traded, which not every file has.
const WITH_VOLUME: [&str; 6] = ["time", "open", "high", "low", "close", "volume"];
/// Times above this are milliseconds, above a thousand times this microseconds.
const MOST_SECS: i64 = 100_000_000_000;

/// Candles of one length, each relative to the close before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candles {
    /// The candles. What is missing is filled with equal steps to the next one's open.
    pub bars: Vec<Bar>,
    /// Which of them were missing.
    pub filled: Vec<bool>,
    /// What was traded during each, in any unit that stays the same, if there is a column `volume` or if these are klines.
    pub volumes: Option<Vec<Option<f64>>>,
    /// Seconds from one to the next.
    pub secs: i64,
    /// Price at the first open.
    pub first_open: f64,
    /// Candles that are not there.
    pub missing: u64,
    /// Candles with open or close outside low and high: the range is widened.
    pub outside: u64,
}

impl Candles {
    /// The same of the inverted price.
    #[must_use]
    pub fn inverted(mut self) -> Self {
        self.first_open = self.first_open.recip();
        for bar in &mut self.bars {
            *bar = Bar {
                high: -bar.low,
                low: -bar.high,
                close: -bar.close,
            };
        }
        self
    }
}

/// One line.
struct Candle {
    time: i64,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: Option<f64>,
}

/// Reads a file of candles.
///
/// # Errors
/// [`RecordError`]: columns that are not there, prices that are none, lines that are not in order, fewer than two lines.
pub fn read_candles(text: &str) -> Result<Candles, RecordError> {
    let first = text.lines().next().unwrap_or_default();
    let is_data = first
        .split(',')
        .next()
        .is_some_and(|cell| cell.parse::<f64>().is_ok());
    let error = |line, problem| RecordError { line, problem };
    let columns = if is_data {
        Ok(Columns::first(COLUMNS, first))
    } else {
        Columns::find(first, COLUMNS)
    }
    .map_err(|problem| error(1, problem))?;
    let with_volume = if is_data {
        let is_kline = first.split(',').count() >= WITH_VOLUME.len();
        is_kline.then(|| Columns::first(WITH_VOLUME, first))
    } else {
        Columns::find(first, WITH_VOLUME).ok()
    };
    let mut candles: Vec<Candle> = Vec::new();
    let mut secs = i64::MAX;
    for (line, number) in text.lines().zip(1u64..).skip(usize::from(!is_data)) {
        if line.is_empty() {
            continue;
        }
        let mut candle = columns
            .values(line)
            .and_then(|values| candle(&values, candles.last()))
            .map_err(|problem| error(number, problem))?;
        if let Some(columns) = &with_volume {
            candle.volume = columns
                .values(line)
                .and_then(|values| traded(&values))
                .map_err(|problem| error(number, problem))?;
        }
        if let Some(last) = candles.last() {
            secs = secs.min(candle.time - last.time);
        }
        candles.push(candle);
    }
    if candles.len() < 2 {
        return Err(error(1, Problem::Empty));
    }
    Ok(relative(&candles, secs))
}

/// What was traded; an empty value is missing, not 0.
fn traded(values: &Values<'_, 6>) -> Result<Option<f64>, Problem> {
    let text = values.text(5);
    if text.is_empty() {
        return Ok(None);
    }
    let volume: f64 = text.parse().unwrap_or(f64::NAN);
    if volume.is_finite() && volume >= 0.0 {
        Ok(Some(volume))
    } else {
        Err(values.problem(5, "a volume of 0 or more"))
    }
}

fn candle(values: &Values<'_, 5>, last: Option<&Candle>) -> Result<Candle, Problem> {
    let (time, _) = values.integer::<i64>(0)?;
    let time = match time {
        0..MOST_SECS => time,
        MOST_SECS.. if time < MOST_SECS * 1_000 => time / 1_000,
        MOST_SECS.. => time / 1_000_000,
        _ => return Err(values.problem(0, "a time")),
    };
    match last {
        Some(last) if last.time == time => return Err(Problem::Twice(values.text(0).to_owned())),
        Some(last) if last.time > time => {
            return Err(Problem::NotSorted(values.text(0).to_owned()));
        }
        _ => {}
    }
    let price = |column| {
        let price: f64 = values.text(column).parse().unwrap_or(f64::NAN);
        if price.is_finite() && price > 0.0 {
            Ok(price)
        } else {
            Err(values.problem(column, "a price above 0"))
        }
    };
    let candle = Candle {
        time,
        open: price(1)?,
        high: price(2)?,
        low: price(3)?,
        close: price(4)?,
        volume: None,
    };
    if candle.low > candle.high {
        return Err(Problem::Inverted {
            lowest: values.text(3).to_owned(),
            highest: values.text(2).to_owned(),
        });
    }
    Ok(candle)
}

fn relative(candles: &[Candle], secs: i64) -> Candles {
    let mut read = Candles {
        bars: Vec::with_capacity(candles.len()),
        filled: Vec::with_capacity(candles.len()),
        volumes: candles
            .iter()
            .any(|candle| candle.volume.is_some())
            .then(Vec::new),
        secs,
        first_open: candles.first().map_or(f64::NAN, |candle| candle.open),
        missing: 0,
        outside: 0,
    };
    let mut before = read.first_open;
    let mut last_time: Option<i64> = None;
    for candle in candles {
        let gap: i64 = last_time.map_or(0, |last| (candle.time - last) / secs - 1);
        if gap > 0 {
            // As many equal steps to where the next candle opens.
            let step = (candle.open / before).ln() / gap as f64;
            for _ in 0..gap {
                read.bars.push(Bar {
                    high: step.max(0.0),
                    low: step.min(0.0),
                    close: step,
                });
                read.filled.push(true);
                if let Some(volumes) = &mut read.volumes {
                    volumes.push(None);
                }
            }
            read.missing += gap.unsigned_abs();
            before = candle.open;
        }
        last_time = Some(candle.time);
        let within = |price: f64| candle.low <= price && price <= candle.high;
        read.outside += u64::from(!(within(candle.open) && within(candle.close)));
        let log = |price: f64| (price / before).ln();
        let close = log(candle.close);
        read.bars.push(Bar {
            high: log(candle.high).max(close).max(0.0),
            low: log(candle.low).min(close).min(0.0),
            close,
        });
        read.filled.push(false);
        if let Some(volumes) = &mut read.volumes {
            volumes.push(candle.volume);
        }
        before = candle.close;
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candles_with_a_gap() {
        let read = read_candles(
            "time,open,high,low,close\n0,100,110,90,105\n3600,105,105,105,105\n14400,210,205,190,200\n",
        )
        .unwrap();
        assert_eq!((read.secs, read.first_open), (3_600, 100.0));
        assert_eq!((read.missing, read.outside), (2, 1));
        assert_eq!(read.bars.len(), 5);
        assert_eq!(read.filled, [false, false, true, true, false]);
        assert_eq!(read.volumes, None);
        let closes: f64 = read.bars.iter().map(|bar| bar.close).sum();
        assert!((closes - 2f64.ln()).abs() < 1e-12);
        let half = 2f64.ln() / 2.0;
        assert!((read.bars[2].close - half).abs() < 1e-12 && read.bars[2].low == 0.0);
        // The open above the high is where the candle starts.
        assert!(read.bars[4].high == 0.0 && read.bars[4].low < read.bars[4].close);
    }

    #[test]
    fn inverted_they_go_the_other_way() {
        let read = |text: &str| read_candles(&format!("time,open,high,low,close\n{text}"));
        let one = read("0,2,4,1,2\n60,2,2,1,1\n").unwrap().inverted();
        let other = read("0,0.5,1,0.25,0.5\n60,0.5,1,0.5,1\n").unwrap();
        assert_eq!(one.first_open, other.first_open);
        for (one, other) in one.bars.iter().zip(&other.bars) {
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
            near(one.high, other.high);
            near(one.low, other.low);
            near(one.close, other.close);
        }
    }

    #[test]
    fn klines_without_a_first_line() {
        let line = |time: &str| format!("{time},1,2,0.5,1.5,7,0,0,0,0,0,0\n");
        let read = read_candles(&(line("1609459200000") + &line("1609459260000"))).unwrap();
        assert_eq!((read.secs, read.bars.len()), (60, 2));
        assert_eq!(read.volumes, Some(vec![Some(7.0); 2]));
    }

    #[test]
    fn volumes_where_there_are_any() {
        let read = |lines: &str| read_candles(&format!("time,open,high,low,close,volume\n{lines}"));
        let volumes = read("0,1,1,1,1,5\n60,1,1,1,1,\n180,1,1,1,1,0\n")
            .unwrap()
            .volumes;
        assert_eq!(volumes, Some(vec![Some(5.0), None, None, Some(0.0)]));
        assert_eq!(
            read("0,1,1,1,1,-5\n").unwrap_err().to_string(),
            "line 2: volume `-5` is not a volume of 0 or more"
        );
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_line() {
        for (text, said) in [
            (
                "",
                "line 1: no column time: the first line must name the columns",
            ),
            (
                "time,open,high,low\n",
                "line 1: no column close: the first line must name the columns",
            ),
            (
                "time,open,high,low,close\n1,1,1,1,1\n",
                "line 1: no line with data",
            ),
            ("1,1,1,1,1\n1,1,1,1,1\n", "line 2: 1 is there twice"),
            (
                "2,1,1,1,1\n1,1,1,1,1\n",
                "line 2: 1 is not after the line before: sort the lines by time",
            ),
            ("1,1,1,1,0\n", "line 1: close `0` is not a price above 0"),
            ("1,1,NaN,1,1\n", "line 1: high `NaN` is not a price above 0"),
            ("1,1,1,2,1\n", "line 1: lowest 2 is above highest 1"),
            ("1,1,1,1\n", "line 1: 4 values for 5 columns"),
        ] {
            assert_eq!(read_candles(text).unwrap_err().to_string(), said, "{text}");
        }
    }
}
