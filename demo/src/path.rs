//! The prices that the demo goes through.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ballast_localnet::UsdPrice;
use flate2::read::MultiGzDecoder;

use crate::candles;

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
        let mut bytes = Vec::new();
        if start.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(reader)
                .read_to_end(&mut bytes)
                .with_context(|| format!("{name} is no whole gzip file: fetch it again"))?;
        } else {
            reader
                .read_to_end(&mut bytes)
                .with_context(|| format!("cannot read {name}"))?;
        }
        text(bytes)
            .and_then(|text| Self::parse(&text))
            .with_context(|| name.to_string())
    }

    /// Candles from text. Each is walked through as open, low, high, close if it rose, else open, high, low, close.
    ///
    /// # Errors
    /// As [`PricePath::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let mut points: Vec<Point> = Vec::new();
        for candle in candles::parse(text)? {
            for price in candle.walk {
                let moved = points.last().is_none_or(|last| {
                    let (old, new) = (last.price.to_f64(), price.to_f64());
                    (new / old - 1.0).abs() >= SMALLEST_MOVE
                });
                if moved {
                    let time = candle.time.clone();
                    points.push(Point { time, price });
                }
            }
        }
        Self::new(points, true)
    }
}

/// A file's bytes as text.
fn text(bytes: Vec<u8>) -> Result<String> {
    for (start, what) in [
        (&b"PK\x03\x04"[..], "a zip archive: unpack it first"),
        (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
        (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
    ] {
        if bytes.starts_with(start) {
            bail!("this is {what}");
        }
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let ends = error.as_bytes().iter().take(valid);
        let line = ends.filter(|byte| **byte == b'\n').count() + 1;
        anyhow!("line {line}: this is not UTF-8 text: save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn candles_are_walked_through_without_small_moves() {
        let text = "7,100,110,90,105\n8,105.1,105.2,60,60.1\n";
        let path = PricePath::parse(text).unwrap();
        assert_eq!(path.first(), UsdPrice::dollars(100));
        let points: Vec<_> = path.points.iter().map(|p| (&*p.time, p.price)).collect();
        let dollars = [("7", 90), ("7", 110), ("7", 105), ("8", 60)];
        let expected = dollars.map(|(time, dollars)| (time, UsdPrice::dollars(dollars)));
        assert_eq!(points, expected);
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
        let bad = |name: &str, bytes: &[u8]| {
            let file = directory.path().join(name);
            std::fs::write(&file, bytes).unwrap();
            file
        };
        for (file, expected) in [
            (torn, " is no whole gzip file: fetch it again: "),
            (bad("empty", b""), ": the file is empty: "),
            (
                bad("zip", b"PK\x03\x04.."),
                ": this is a zip archive: unpack it first",
            ),
            (
                bad("wide", b"\xff\xfe1\0,\0"),
                ": this is UTF-16 text: save it as UTF-8",
            ),
            (
                bad("latin", b"1,1,1,1,1\n2,1,1,1,1,\xe4\n"),
                ": line 2: this is not UTF-8 text: save the file as UTF-8",
            ),
            (
                bad("back", b"2,1,1,1,1\n1,1,1,1,1\n"),
                ": line 2: time 1 is before 2 of line 1: sort the rows from old to new",
            ),
        ] {
            let message = format!("{:#}", PricePath::read(&file).unwrap_err());
            let expected = format!("{}{expected}", file.display());
            assert!(message.starts_with(&expected), "{message}");
        }
        let none = directory.path().join("none.csv");
        let message = format!("{:#}", PricePath::read(&none).unwrap_err());
        assert!(message.starts_with(&format!("cannot open {}", none.display())));
    }

    #[test]
    fn the_built_in_path_opens_the_worked_example() {
        let path = PricePath::built_in().unwrap();
        assert_eq!(path.first(), UsdPrice::dollars(200));
        let band = [UsdPrice::dollars(190), UsdPrice::dollars(210)];
        assert_eq!(path.band().unwrap(), band);
    }
}
