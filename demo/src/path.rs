//! The prices that the demo goes through.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ballast_localnet::UsdPrice;
use ballast_simulator::Moments;
use flate2::read::MultiGzDecoder;
use serde::Serialize;

use crate::candles;

/// What the built-in path shows: what begins, seconds between two prices, prices. Steps are smaller than half the band, except for
/// the gap.
const BUILT_IN: [(&str, f64, &[f64]); 6] = [
    (
        "chop: the price goes nowhere, takers pay",
        HOUR_SECS,
        &[201.5, 199.0, 201.0, 198.5, 200.0],
    ),
    // It ends with a recentering, so that the crash finds full leverage and a pause that has just begun.
    (
        "trend: up and out of the band, which the keeper moves after the price",
        HOUR_SECS,
        &[
            203.5, 207.0, 211.0, 214.5, 218.5, 222.5, 226.5, 230.5, 235.0, 239.0, 243.0, 248.0,
            252.0, 256.5, 261.5,
        ],
    ),
    (
        "crash: within a minute, sooner than the owner lets keepers trade again",
        15.0,
        &[250.5, 239.5, 228.5],
    ),
    ("calm: the pauses are over", HOUR_SECS, &[230.0]),
    ("gap: a jump that nobody can trade on", HOUR_SECS, &[246.0]),
    ("and on", HOUR_SECS, &[244.5, 246.5]),
];
const HOUR_SECS: f64 = 3_600.0;
/// Standard deviation of a day's move within the hours of the built-in path, between where each starts and ends.
const SIGMA_DAY_WITHIN: f64 = 0.04;
/// A move of more standard deviations of its time than this is a jump.
const JUMP_SDS: f64 = 4.0;
/// Moves within a candle that are smaller than this part of the price are left out.
const SMALLEST_MOVE: f64 = 0.005;
/// Half the width of the band, as part of the first price.
const HALF_BAND: f64 = 0.05;

/// A price and when it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// As the file has it; hours, minutes and seconds since the start for the built-in path.
    pub time: String,
    /// Dollars per base token.
    pub price: UsdPrice,
    /// Seconds since the point before.
    pub secs: f64,
    /// What takers traded in the pool since then, in quote tokens, if it is known.
    pub taker_volume: Option<f64>,
    /// What begins here.
    pub chapter: Option<&'static str>,
}

/// How random prices move that are like those of a path: as it does between its points, with a jump now and then where it goes farther from
/// one to the next than that explains.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Moves {
    /// Standard deviation of a day's move without jumps.
    pub sigma_day: f64,
    /// Jumps a day.
    pub jumps_day: f64,
    /// Mean of a jump, in the logarithm of the price.
    pub jump_mean: f64,
    /// Standard deviation of a jump.
    pub jump_sd: f64,
}

/// Prices in order, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct PricePath {
    first: UsdPrice,
    /// Standard deviation of a day's move between the points, where only arbitrageurs look.
    pub sigma_day_within: f64,
    /// The prices after the first.
    pub points: Vec<Point>,
}

impl PricePath {
    /// The path of the demo without a file.
    ///
    /// # Errors
    /// None in practice: it has points.
    pub fn built_in() -> Result<Self> {
        let mut points = Vec::new();
        let mut passed = 0.0;
        for (title, secs, prices) in BUILT_IN {
            for (index, &price) in prices.iter().enumerate() {
                passed += secs;
                points.push(Point {
                    time: clock(passed as u64),
                    price: UsdPrice::from_f64(price)?,
                    secs,
                    taker_volume: None,
                    chapter: (index == 0).then_some(title),
                });
            }
        }
        Self::new(UsdPrice::dollars(200), points, Some(SIGMA_DAY_WITHIN))
    }

    fn new(first: UsdPrice, points: Vec<Point>, sigma_day_within: Option<f64>) -> Result<Self> {
        ensure!(
            !points.is_empty(),
            "there are no prices after the first one"
        );
        let path = Self {
            first,
            points,
            sigma_day_within: 0.0,
        };
        Ok(Self {
            sigma_day_within: sigma_day_within.unwrap_or_else(|| path.sigma_day()),
            ..path
        })
    }

    /// How long it is, in days.
    pub fn days(&self) -> f64 {
        self.points.iter().map(|point| point.secs).sum::<f64>() / 86_400.0
    }

    /// Standard deviation of a day's move, as a part of the price: the root of what the squared moves add up to in a day.
    pub fn sigma_day(&self) -> f64 {
        let mut last = self.first.to_f64();
        let mut squares = 0.0;
        for point in &self.points {
            let price = point.price.to_f64();
            squares += (price / last).ln().powi(2);
            last = price;
        }
        (squares / self.days()).sqrt()
    }

    /// Random prices like these.
    pub fn moves(&self) -> Moves {
        let sigma_day = self.sigma_day_within;
        let mut jumps = Moments::default();
        let mut last = self.first.to_f64();
        for point in &self.points {
            let price = point.price.to_f64();
            let moved = (price / last).ln();
            if moved.abs() > JUMP_SDS * sigma_day * (point.secs / 86_400.0).sqrt() {
                jumps.add(moved);
            }
            last = price;
        }
        Moves {
            sigma_day,
            jumps_day: jumps.count() as f64 / self.days(),
            jump_mean: jumps.mean(),
            jump_sd: jumps.sd(),
        }
    }

    /// Where it begins.
    pub fn first(&self) -> UsdPrice {
        self.first
    }

    /// Where it ends.
    pub fn last(&self) -> UsdPrice {
        self.points.last().map_or(self.first, |point| point.price)
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
        let candles = candles::parse(text)?;
        let starts: Vec<_> = candles.iter().map(|candle| candle.start_secs).collect();
        let length = |index: usize| {
            // The last one is as long as the one before it.
            let pair = starts
                .get(index..index + 2)
                .or(starts.last_chunk::<2>().map(|pair| &pair[..]));
            pair.map_or(0, |pair| pair[1] - pair[0]) as f64
        };
        let mut first: Option<UsdPrice> = None;
        let mut points: Vec<Point> = Vec::new();
        // Of what was left out.
        let (mut secs, mut volume) = (0.0, None);
        for (index, candle) in candles.iter().enumerate() {
            let legs = candle.walk.len() as f64;
            for price in candle.walk {
                let last = points.last().map(|point| point.price).or(first);
                let Some(last) = last else {
                    first = Some(price);
                    continue;
                };
                secs += length(index) / legs;
                if let Some(traded) = candle.taker_volume {
                    *volume.get_or_insert(0.0) += traded / legs;
                }
                if (price.to_f64() / last.to_f64() - 1.0).abs() < SMALLEST_MOVE {
                    continue;
                }
                points.push(Point {
                    time: candle.time.clone(),
                    price,
                    secs: std::mem::take(&mut secs),
                    taker_volume: volume.take(),
                    chapter: None,
                });
            }
        }
        Self::new(first.context("there are no prices")?, points, None)
    }
}

/// Hours, minutes and seconds.
fn clock(secs: u64) -> String {
    let (hours, minutes) = (secs / 3_600, secs / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", secs % 60)
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
mod tests;
