//! The prices that the demo goes through.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use ballast_localnet::UsdPrice;
use flate2::read::MultiGzDecoder;

/// Down through the lower end of the band and back up with the hedge following; a choppy market, whose gaps cost equity
/// until the keeper has to deleverage; then calmly up and far out of the band, which ends a position that nobody looks
/// after; and a part of the way back.
const BUILT_IN: [i64; 31] = [
    200, 198, 196, 194, 192, 190, 189, 203, 193, 205, 195, 206, 195, 197, 199, 201, 203, 206, 208,
    210, 214, 220, 228, 236, 242, 248, 252, 256, 260, 250, 235,
];
/// Moves within a candle that are smaller than this part of the price are left out.
const SMALLEST_MOVE: f64 = 0.005;
/// Half the width of the band, as part of the first price.
const HALF_BAND: f64 = 0.05;

/// A price and when it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// As the file has it; the step's number for the built-in path.
    pub time: String,
    /// Dollars per base token.
    pub price: UsdPrice,
}

/// Prices in order, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct PricePath {
    first: UsdPrice,
    /// Whether the points are further apart in time than the demo shows them.
    pub recorded: bool,
    /// The prices after the first.
    pub points: Vec<Point>,
}

/// Columns of a candle.
#[derive(Clone, Copy)]
struct Columns {
    time: usize,
    open: usize,
    high: usize,
    low: usize,
    close: usize,
}

/// Binance: open time, open, high, low, close, and more that does not matter here.
const KLINES: Columns = Columns {
    time: 0,
    open: 1,
    high: 2,
    low: 3,
    close: 4,
};

impl PricePath {
    /// The path of the demo without a file.
    ///
    /// # Errors
    /// None in practice: it has points.
    pub fn built_in() -> Result<Self> {
        let points = BUILT_IN.iter().enumerate().map(|(step, price)| Point {
            time: step.to_string(),
            price: UsdPrice::dollars(*price),
        });
        Self::new(points.collect(), false)
    }

    fn new(mut points: Vec<Point>, recorded: bool) -> Result<Self> {
        ensure!(!points.is_empty(), "there are no prices");
        let first = points.remove(0).price;
        Ok(Self {
            first,
            recorded,
            points,
        })
    }

    /// Where it begins.
    pub fn first(&self) -> UsdPrice {
        self.first
    }

    /// 5 % around the first price.
    ///
    /// # Errors
    /// If the first price is too small or too large for that.
    pub fn band(&self) -> Result<[UsdPrice; 2]> {
        let first = self.first.to_f64();
        Ok([
            UsdPrice::from_f64(first * (1.0 - HALF_BAND))?,
            UsdPrice::from_f64(first * (1.0 + HALF_BAND))?,
        ])
    }

    /// Reads candles from a file, plain or gzip, whatever its name.
    ///
    /// # Errors
    /// If it cannot be read or a line is no candle; with file, line and column.
    pub fn read(file: &Path) -> Result<Self> {
        let name = file.display();
        let mut reader =
            BufReader::new(File::open(file).with_context(|| format!("cannot open {name}"))?);
        let start = reader
            .fill_buf()
            .with_context(|| format!("cannot read {name}"))?;
        let mut text = String::new();
        let read = if start.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(reader).read_to_string(&mut text)
        } else {
            reader.read_to_string(&mut text)
        };
        read.with_context(|| format!("{name} is neither text nor a whole gzip file of text"))?;
        Self::parse(&text).with_context(|| name.to_string())
    }

    /// Candles from text. Each is walked through as open, low, high, close if it rose, else open, high, low, close.
    ///
    /// # Errors
    /// As [`PricePath::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty())
            .peekable();
        let Some((_, first)) = lines.peek() else {
            bail!("the file is empty: it needs columns time, open, high, low, close");
        };
        let columns = if first.starts_with(|c: char| c.is_ascii_digit()) {
            KLINES
        } else {
            let columns = Columns::find(first).context("line 1")?;
            lines.next();
            columns
        };
        let mut points: Vec<Point> = Vec::new();
        for (number, line) in lines {
            let candle = candle(&columns, line).with_context(|| format!("line {number}"))?;
            for point in candle {
                let moved = points.last().is_none_or(|last| {
                    let (old, new) = (last.price.to_f64(), point.price.to_f64());
                    (new / old - 1.0).abs() >= SMALLEST_MOVE
                });
                if moved {
                    points.push(point);
                }
            }
        }
        Self::new(points, true)
    }
}

impl Columns {
    fn find(header: &str) -> Result<Self> {
        let names: Vec<_> = header
            .split(',')
            .map(|name| name.trim().trim_matches('"').to_ascii_lowercase())
            .collect();
        let found = |name: &str| names.iter().position(|column| column == name);
        let column = |name: &str| {
            found(name).with_context(|| {
                format!("the header has no column {name:?}: it needs time, open, high, low, close")
            })
        };
        Ok(Self {
            // Binance writes `open_time`, where it writes a header.
            time: match found("open_time") {
                Some(time) => time,
                None => column("time")?,
            },
            open: column("open")?,
            high: column("high")?,
            low: column("low")?,
            close: column("close")?,
        })
    }
}

fn candle(columns: &Columns, line: &str) -> Result<[Point; 4]> {
    let fields: Vec<_> = line.split(',').map(|field| field.trim()).collect();
    let field = |name: &str, index: usize| {
        let found = fields.get(index).copied();
        found.with_context(|| format!("field {name} (number {}) is missing", index + 1))
    };
    let price = |name: &str, index| -> Result<UsdPrice> {
        field(name, index)?
            .parse()
            .with_context(|| format!("field {name} (number {})", index + 1))
    };
    let time = field("time", columns.time)?;
    ensure!(!time.is_empty(), "field time is empty");
    let (open, close) = (price("open", columns.open)?, price("close", columns.close)?);
    let (high, low) = (price("high", columns.high)?, price("low", columns.low)?);
    ensure!(
        low <= open.min(close) && open.max(close) <= high,
        "open {open} and close {close} do not lie between low {low} and high {high}"
    );
    let order = if open <= close {
        [open, low, high, close]
    } else {
        [open, high, low, close]
    };
    Ok(order.map(|price| Point {
        time: time.to_owned(),
        price,
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn prices(path: &PricePath) -> Vec<i64> {
        let whole = |price: UsdPrice| price.units() / UsdPrice::ONE.units();
        std::iter::once(path.first())
            .chain(path.points.iter().map(|point| point.price))
            .map(whole)
            .collect()
    }

    #[test]
    fn columns_are_found_by_name_or_as_klines() {
        let named = PricePath::parse("close,time,low,high,open\n105,7,90,110,100\n").unwrap();
        let klines = PricePath::parse("7,100,110,90,105,1234.5,99\n\n").unwrap();
        assert_eq!(prices(&named), [100, 90, 110, 105]);
        assert_eq!(named, klines);
        assert_eq!(named.points[0].time, "7");
        let header = "open_time,open,high,low,close,volume,close_time,quote_volume";
        let headed = format!("{header}\n7,100,110,90,105,1234.5,8,99\n");
        assert_eq!(PricePath::parse(&headed).unwrap(), klines);
        let falling = PricePath::parse("7,105,110,90,100\n8,100,100,100,100").unwrap();
        assert_eq!(prices(&falling), [105, 110, 90, 100]);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("", "empty"),
            ("time,open,high,low,close\n", "no prices"),
            ("time,open,high,close\n1,1,1,1", "\"low\""),
            ("1,100,110,90", "line 1: field close (number 5) is missing"),
            (
                "1,100,110,90,105\n2,100,110,x,105",
                "line 2: field low (number 4)",
            ),
            ("1,100,110,-90,105", "field low"),
            ("1,100,101,90,105", "line 1: open 100 and close 105"),
            (",100,110,90,105", "header"),
        ] {
            let message = format!("{:#}", PricePath::parse(text).unwrap_err());
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn files_may_be_compressed_and_errors_name_them() {
        let directory = tempfile::tempdir().unwrap();
        let text = "1,100,110,90,105\n";
        let (plain, zipped) = (directory.path().join("a"), directory.path().join("b"));
        std::fs::write(&plain, text).unwrap();
        let mut encoder = GzEncoder::new(File::create(&zipped).unwrap(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap();
        assert_eq!(
            PricePath::read(&plain).unwrap(),
            PricePath::read(&zipped).unwrap()
        );
        let torn = directory.path().join("c.gz");
        let bytes = std::fs::read(&zipped).unwrap();
        std::fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
        for bad in [torn, directory.path().join("none.csv")] {
            let message = format!("{:#}", PricePath::read(&bad).unwrap_err());
            assert!(message.contains(&bad.display().to_string()), "{message}");
        }
    }

    #[test]
    fn the_built_in_path_opens_the_worked_example() {
        let path = PricePath::built_in().unwrap();
        assert_eq!(path.first(), UsdPrice::dollars(200));
        let band = [UsdPrice::dollars(190), UsdPrice::dollars(210)];
        assert_eq!(path.band().unwrap(), band);
    }
}
