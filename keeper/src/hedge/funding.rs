//! Funding of a perpetual: what was settled, what is expected, what flags are told of it.

use std::collections::BTreeMap;

use ballast_venue::funding::{Settlement, forecast::Forecaster};
use rust_decimal::prelude::ToPrimitive;

/// Settlements that a forecast looks back on, milliseconds.
pub const HISTORY_MS: u64 = 30 * 24 * HOUR_MS;
/// Settlements that are shown.
const SHOWN: usize = 168;
/// Hours ahead that are shown.
const AHEAD: u32 = 24;
const HOUR_MS: u64 = 3_600_000;
const HOURS_OF_YEAR: f64 = 8_760.0;
/// The part of outcomes that the band holds.
const BAND: f64 = 0.9;

/// See the module's description.
#[derive(Debug, Default)]
pub struct Rates {
    hourly: BTreeMap<u64, f64>,
    forecaster: Forecaster,
}

impl Rates {
    /// From when on settlements are not known yet.
    pub fn since_ms(&self, now_ms: u64) -> u64 {
        let last = self.hourly.last_key_value();
        last.map_or_else(
            || now_ms.saturating_sub(HISTORY_MS),
            |(hour, _)| (hour + 1) * HOUR_MS,
        )
    }

    /// Takes settlements, oldest first. Returns those that are new: Unix seconds, parts per billion an hour.
    pub fn observe(&mut self, settlements: &[Settlement]) -> Vec<(i64, i64)> {
        let mut told = Vec::new();
        for settlement in settlements {
            let rate = settlement.rate / f64::from(settlement.interval_hours.max(1));
            if !rate.is_finite() || self.hourly.insert(settlement.hour, rate).is_some() {
                continue;
            }
            self.forecaster.observe(settlement);
            let secs = i64::try_from(settlement.hour * 3_600).unwrap_or(i64::MAX);
            let ppb = (rate * 1e9).round().to_i64().unwrap_or(i64::MAX);
            told.push((secs, ppb));
        }
        while self.hourly.len() > SHOWN {
            self.hourly.pop_first();
        }
        told
    }

    /// Settled rates a year, by Unix seconds.
    pub fn settled(&self) -> Vec<(i64, f64)> {
        let all = self.hourly.iter();
        all.map(|(hour, rate)| (secs(*hour), rate * HOURS_OF_YEAR))
            .collect()
    }

    /// Rates a year to come; none while too few settlements are known.
    pub fn forecast(&self) -> Vec<[f64; 4]> {
        let Some((last, _)) = self.hourly.last_key_value() else {
            return Vec::new();
        };
        let of_hour = |ahead: u32| {
            let forecast = self.forecaster.rate(ahead)?;
            let (low, high) = forecast.band(BAND);
            let [mean, low, high] = [forecast.mean(), low, high].map(|rate| rate * HOURS_OF_YEAR);
            Some([secs(last + u64::from(ahead)) as f64, mean, low, high])
        };
        (1..=AHEAD).map_while(of_hour).collect()
    }
}

fn secs(hour: u64) -> i64 {
    i64::try_from(hour.saturating_mul(3_600)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(hours: std::ops::Range<u64>) -> Vec<Settlement> {
        let of_hour = |hour| Settlement {
            hour,
            interval_hours: 1,
            rate: 12.5e-6,
            premium: 0.0,
        };
        hours.map(of_hour).collect()
    }

    #[test]
    fn each_settlement_is_told_once_and_asked_for_from_the_last_one_on() {
        let mut rates = Rates::default();
        assert_eq!(rates.since_ms(HISTORY_MS + 7), 7);
        assert_eq!(rates.observe(&settled(10..13)).len(), 3);
        assert_eq!(rates.observe(&settled(12..14)), [(13 * 3_600, 12_500)]);
        assert_eq!(rates.since_ms(0), 14 * HOUR_MS);
        assert_eq!(rates.settled().len(), 4);
        assert!((rates.settled()[0].1 - 0.1095).abs() < 1e-9);
        assert_eq!(rates.forecast(), Vec::<[f64; 4]>::new());
    }

    #[test]
    fn a_calm_market_is_expected_to_stay_at_the_interest_rate() {
        let mut rates = Rates::default();
        rates.observe(&settled(1..721));
        assert_eq!(rates.settled().len(), SHOWN);
        let forecast = rates.forecast();
        assert_eq!(forecast.len(), 24);
        let [at, mean, low, high] = forecast[0];
        assert_eq!(at, 721.0 * 3_600.0);
        for rate in [mean, low, high] {
            assert!((rate - 0.1095).abs() < 1e-9, "{rate}");
        }
    }
}
