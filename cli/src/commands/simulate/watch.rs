//! Two prices that somebody watches.

use std::str::FromStr;

use ballast_simulator::Watch;
use thiserror::Error;

use crate::decimal::Positive;

/// `A..B`.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedPrices {
    lower: f64,
    upper: f64,
}

/// Not two prices, the lower one first.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not two prices, the lower one first: write them like 190..210")]
pub struct NotWatched(String);

impl FromStr for WatchedPrices {
    type Err = NotWatched;

    fn from_str(text: &str) -> Result<Self, NotWatched> {
        let price = |part: &str| part.parse::<Positive>().map(|price| price.f64()).ok();
        text.split_once("..")
            .and_then(|(lower, upper)| Some((price(lower)?, price(upper)?)))
            .filter(|(lower, upper)| lower < upper)
            .map(|(lower, upper)| Self { lower, upper })
            .ok_or_else(|| NotWatched(text.to_owned()))
    }
}

impl WatchedPrices {
    /// As the simulator takes them.
    pub fn watch(&self) -> Watch {
        Watch {
            lower: self.lower.ln(),
            upper: self.upper.ln(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_prices_in_order() {
        let watched: WatchedPrices = "190..210.5".parse().unwrap();
        assert_eq!((watched.lower, watched.upper), (190.0, 210.5));
        for text in [
            "", "190", "..210", "190..", "210..190", "190..190", "0..5", "a..b", "1..2..3",
        ] {
            assert_eq!(text.parse::<WatchedPrices>(), Err(NotWatched(text.into())));
        }
    }
}
