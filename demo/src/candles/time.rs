//! When a candle begins, as files write it.

use anyhow::{Context, Result, bail, ensure};
use chrono::{NaiveDate, NaiveTime};

/// When a candle begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Time {
    /// Unix time, in whatever unit the file has.
    Number(f64),
    /// Year first, so that the order of the text is that of time.
    Date(String),
}

impl Time {
    pub fn read(text: &str) -> Result<Self> {
        if let Ok(number) = text.parse::<f64>()
            && number.is_finite()
        {
            return Ok(Self::Number(number));
        }
        let shape = shape(text);
        let clock = shape.strip_prefix("0000-00-00");
        ensure!(
            clock.is_some_and(|clock| clock.chars().all(|c| "T :.0Z".contains(c))),
            "{text:?} is no time: write a Unix time, or a date in UTC like 2024-01-31T18:30:00Z"
        );
        Ok(Self::Date(text.to_owned()))
    }

    /// Numbers are seconds, milliseconds or microseconds, whichever lies in this century.
    pub fn unix_secs(&self) -> Result<i64> {
        const MOST_SECS: f64 = 1e11;
        match self {
            Self::Number(number) => {
                let mut secs = *number;
                while secs.abs() >= MOST_SECS {
                    secs /= 1_000.0;
                }
                Ok(secs as i64)
            }
            Self::Date(text) => {
                let (date, clock) = text.split_at_checked(10).unwrap_or((text, ""));
                let date = NaiveDate::parse_from_str(date, "%Y-%m-%d");
                let clock = clock.trim_start_matches(['T', ' ']).trim_end_matches('Z');
                let clock = ["%H:%M:%S%.f", "%H:%M"]
                    .into_iter()
                    .find_map(|format| NaiveTime::parse_from_str(clock, format).ok())
                    .or_else(|| clock.is_empty().then_some(NaiveTime::MIN));
                let moment = date.ok().zip(clock);
                moment
                    .map(|(date, clock)| date.and_time(clock).and_utc().timestamp())
                    .with_context(|| format!("{text:?} is on no calendar or clock"))
            }
        }
    }

    pub fn require_after(&self, before: &Self, line: usize) -> Result<()> {
        let (order, this, other) = match (self, before) {
            (Self::Number(this), Self::Number(other)) => {
                (this.total_cmp(other), this.to_string(), other.to_string())
            }
            (Self::Date(this), Self::Date(other)) if shape(this) == shape(other) => {
                (this.cmp(other), this.clone(), other.clone())
            }
            _ => bail!("its time is not written as that of line {line}: write all of them alike"),
        };
        ensure!(
            order.is_ne(),
            "time {this} is that of line {line} as well: keep one row for each time"
        );
        ensure!(
            order.is_gt(),
            "time {this} is before {other} of line {line}: sort the rows from old to new"
        );
        Ok(())
    }
}

/// The text with a 0 for every digit.
fn shape(text: &str) -> String {
    let zero = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(zero).collect()
}
