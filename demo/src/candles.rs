//! Recorded prices as text: a candle per row, oldest first. Every row is read, or refused with its line.

mod time;

use anyhow::{Context, Result, bail, ensure};
use ballast_localnet::UsdPrice;

use time::Time;

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Candle {
    /// As the file has it.
    pub time: String,
    /// Open, low, high, close if the price rose; else open, high, low, close.
    pub walk: [UsdPrice; 4],
    /// Unix seconds.
    pub start_secs: i64,
    /// What takers traded in the pool, in quote tokens, if the file has a column for it.
    pub taker_volume: Option<f64>,
}

/// Where a row has what.
#[derive(Clone, Copy)]
struct Columns {
    time: usize,
    open: usize,
    high: usize,
    low: usize,
    close: usize,
    taker_volume: Option<usize>,
}

/// Binance: open time, open, high, low, close, and more that does not matter here.
const KLINES: Columns = Columns {
    time: 0,
    open: 1,
    high: 2,
    low: 3,
    close: 4,
    // Theirs is not the pool's.
    taker_volume: None,
};

/// Reads candles, at least one. Columns are found by the names in the header; without one they are those of Binance.
///
/// # Errors
/// The first line that cannot be read, with what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Candle>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty())
        .peekable();
    let Some((number, first)) = lines.peek() else {
        bail!("the file is empty: it needs columns time, open, high, low, close");
    };
    let columns = if first
        .trim_start_matches('"')
        .starts_with(|c: char| c.is_ascii_digit())
    {
        KLINES
    } else {
        let columns = Columns::find(first).with_context(|| format!("line {number}"))?;
        lines.next();
        columns
    };
    let mut candles = Vec::new();
    let mut before: Option<(usize, Time)> = None;
    for (number, line) in lines {
        let (time, candle) = columns
            .candle(line)
            .and_then(|(time, candle)| {
                if let Some((line, before)) = &before {
                    time.require_after(before, *line)?;
                }
                Ok((time, candle))
            })
            .with_context(|| format!("line {number}"))?;
        before = Some((number, time));
        candles.push(candle);
    }
    ensure!(
        !candles.is_empty(),
        "there are no prices: no row follows the header"
    );
    Ok(candles)
}

impl Columns {
    fn find(header: &str) -> Result<Self> {
        let names: Vec<_> = fields(header)?
            .into_iter()
            .map(str::to_ascii_lowercase)
            .collect();
        let found = |name: &str| names.iter().position(|column| column == name);
        let column = |name: &str| {
            found(name).with_context(|| {
                format!(
                    "the header has no column {name:?}: it needs time, open, high, low, close, with commas between them"
                )
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
            taker_volume: found("taker_volume"),
        })
    }

    fn candle(&self, line: &str) -> Result<(Time, Candle)> {
        let fields = fields(line)?;
        let field = |name: &str, index: usize| {
            let found = fields.get(index).copied();
            found.with_context(|| format!("field {name} (number {}) is missing", index + 1))
        };
        let price = |name: &str, index: usize| {
            let text = field(name, index)?;
            price(text).with_context(|| format!("field {name} (number {})", index + 1))
        };
        let text = field("time", self.time)?;
        let (time, start_secs) = Time::read(text)
            .and_then(|time| {
                let secs = time.unix_secs()?;
                Ok((time, secs))
            })
            .with_context(|| format!("field time (number {})", self.time + 1))?;
        let (open, close) = (price("open", self.open)?, price("close", self.close)?);
        let (high, low) = (price("high", self.high)?, price("low", self.low)?);
        ensure!(
            low <= high,
            "low {low} is above high {high}: are the two columns swapped?"
        );
        ensure!(
            low <= open.min(close) && open.max(close) <= high,
            "open {open} and close {close} do not lie between low {low} and high {high}"
        );
        let walk = if open <= close {
            [open, low, high, close]
        } else {
            [open, high, low, close]
        };
        let taker_volume = match self.taker_volume {
            None => None,
            Some(index) => {
                let text = field("taker_volume", index)?;
                let volume: f64 = text.parse().unwrap_or(f64::NAN);
                ensure!(
                    volume.is_finite() && volume >= 0.0,
                    "field taker_volume (number {}): {text:?} is no volume: write quote tokens, 0 or more",
                    index + 1
                );
                Some(volume)
            }
        };
        let candle = Candle {
            time: text.to_owned(),
            walk,
            start_secs,
            taker_volume,
        };
        Ok((time, candle))
    }
}

/// The fields of a row; one that begins with a quote goes to the next quote.
fn fields(line: &str) -> Result<Vec<&str>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted
                .split_once('"')
                .with_context(|| format!("the quote before {quoted:?} is not closed"))?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        fields.push(field.trim());
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => bail!("after the field \"{field}\" there is {after:?} instead of a comma"),
        }
    }
}

/// Dollars.
fn price(text: &str) -> Result<UsdPrice> {
    let dollars: f64 = text.parse().ok().with_context(|| {
        format!("{text:?} is no price: write a number of dollars like 1234.5, without separators")
    })?;
    let price = UsdPrice::from_f64(dollars);
    price
        .ok()
        .with_context(|| format!("{text:?} is no price: it must be above 0 and below 90 billion"))
}

#[cfg(test)]
mod tests;
