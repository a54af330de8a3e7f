//! The paper venue of a keeper: the exchange of [`ballast_venue::paper`], quoted around the oracle's price of the engine's own picture.
//! Nothing of it is a real market: there is no funding, and nobody else trades. What its account did in earlier lives is in the hedge's
//! journals.

use std::sync::{Arc, Mutex, PoisonError};

use ballast_venue::{
    clock::Clock,
    depth::{Depth, Level},
    hedge::journal::Entry,
    hyperliquid::bytes::Address,
    instrument::Instrument,
    paper::{
        exchange::{Exchange, Fees},
        venue::{PaperVenue, Tape},
    },
};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::config::PaperTerms;

/// Levels on each side.
const LEVELS: u32 = 5;
/// Places of sizes; the venue's own are from 0 to 5.
const SIZE_PLACES: u32 = 2;
const MAX_LEVERAGE: u32 = 10;
/// From sending to the match.
const LATENCY_MS: u64 = 200;

/// See the module's description.
pub(super) struct Paper {
    tape: Arc<Mutex<Tape>>,
    clock: Arc<dyn Clock>,
    terms: PaperTerms,
}

impl Paper {
    pub fn new<'a>(
        terms: PaperTerms,
        account: Address,
        coins: impl Iterator<Item = &'a str>,
        entries: impl Iterator<Item = &'a Entry>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let instruments = coins.map(|coin| Instrument {
            coin: coin.to_owned(),
            asset: 0,
            size_places: SIZE_PLACES,
            max_leverage: MAX_LEVERAGE,
        });
        let mut exchange = Exchange::new(clock.now_ms(), Fees::default(), instruments);
        exchange.deposit(account, terms.deposit);
        let mut fills: Vec<_> = entries
            .filter_map(|entry| match entry {
                Entry::Fill { fill, .. } => Some(fill),
                _ => None,
            })
            .collect();
        fills.sort_by_key(|fill| (fill.time_ms, fill.tid));
        for fill in fills {
            exchange.recall(account, fill);
        }
        Self {
            tape: Arc::new(Mutex::new(Tape::new(exchange, []))),
            clock,
            terms,
        }
    }

    /// The venue for an account.
    pub fn venue(&self, account: Address) -> PaperVenue {
        PaperVenue::new(
            Arc::clone(&self.tape),
            Arc::clone(&self.clock),
            account,
            LATENCY_MS,
        )
    }

    /// Offers around a price.
    pub fn quote(&self, coin: &str, price: Decimal) {
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        let exchange = tape.at(self.clock.now_ms());
        let Some(market) = exchange.market(coin) else {
            return;
        };
        let instrument = market.instrument.clone();
        let depth = self.depth(price, &instrument);
        exchange.set_depth(instrument.asset, price, depth);
    }

    /// Half a spread from the price and two spreads between levels.
    fn depth(&self, price: Decimal, instrument: &Instrument) -> Depth {
        let spread = price * self.terms.spread_bps / Decimal::from(10_000);
        let size = self.terms.depth / (price * Decimal::from(LEVELS));
        let size =
            size.round_dp_with_strategy(instrument.size_places, RoundingStrategy::AwayFromZero);
        let levels = |side: fn(Decimal, Decimal) -> Decimal,
                      rounded: fn(&Instrument, Decimal) -> Decimal| {
            let levels = (0..LEVELS).map(|level| {
                let away = spread * (Decimal::new(5, 1) + Decimal::from(2 * level));
                Level {
                    price: rounded(instrument, side(price, away)),
                    size,
                }
            });
            levels.filter(|level| level.price > Decimal::ZERO).collect()
        };
        Depth {
            bids: levels(|price, away| price - away, Instrument::price_down),
            asks: levels(|price, away| price + away, Instrument::price_up),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_venue::{clock::ManualClock, venue::Venue};

    #[tokio::test]
    async fn it_offers_on_both_sides_of_the_price_and_sorted() {
        let terms = PaperTerms {
            deposit: 1_000.into(),
            spread_bps: 4.into(),
            depth: 100_000.into(),
        };
        let me = Address([1; 20]);
        let clock = Arc::new(ManualClock::at(5));
        let paper = Paper::new(terms, me, ["SOL"].into_iter(), std::iter::empty(), clock);
        let venue = paper.venue(me);
        for price in ["0.0123", "203.4567", "98765.4"] {
            let price: Decimal = price.parse().unwrap();
            paper.quote("SOL", price);
            let depth = venue.depth("SOL").await.unwrap();
            assert_eq!((depth.bids.len(), depth.asks.len()), (5, 5));
            assert!(depth.bids[0].price < price && price < depth.asks[0].price);
            assert!(depth.bids.is_sorted_by(|a, b| a.price >= b.price));
            assert!(depth.asks.is_sorted_by(|a, b| a.price <= b.price));
            let offered: Decimal = depth.asks.iter().map(|level| level.size * price).sum();
            assert!(
                offered >= terms.depth && offered < terms.depth * Decimal::TWO,
                "{offered}"
            );
        }
        assert_eq!(venue.account().await.unwrap().equity, terms.deposit);
    }
}
