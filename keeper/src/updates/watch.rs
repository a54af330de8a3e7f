//! Asks a service again and again, and passes on what it says.

use std::{sync::Arc, time::Duration};

use ballast_client::MarketContext;
use tokio::{
    sync::mpsc::Sender,
    time::{MissedTickBehavior, interval},
};

use super::{FeedId, PriceUpdates, SignedPrice};
use crate::sources::{Asked, SourceEvent};

/// Passes the newest prices of all markets on, at a fixed rate and with one question each time, until nobody receives them any
/// more.
pub async fn watch(
    source: Arc<dyn PriceUpdates>,
    markets: Vec<Arc<MarketContext>>,
    every: Duration,
    events: Sender<SourceEvent>,
) {
    let mut feeds: Vec<FeedId> = markets
        .iter()
        .flat_map(|market| [market.market.base_feed, market.market.quote_feed])
        .collect();
    feeds.sort_unstable();
    feeds.dedup();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let answer = source.latest(&feeds).await;
        for market in &markets {
            let event = match &answer {
                Ok(prices) => published(market, prices),
                Err(error) => Some(SourceEvent::Trouble {
                    market: market.address,
                    asked: Asked::Updates,
                    reason: error.to_string(),
                }),
            };
            if let Some(event) = event
                && events.send(event).await.is_err()
            {
                return;
            }
        }
    }
}

fn published(market: &MarketContext, prices: &[SignedPrice]) -> Option<SourceEvent> {
    let of = |feed: FeedId| {
        let mut prices = prices.iter();
        prices.find(|signed| signed.price.feed_id == feed)
    };
    let base = of(market.market.base_feed)?.update();
    let quote = of(market.market.quote_feed)?.update();
    Some(SourceEvent::Published {
        market: market.address,
        prices: Box::new([base, quote]),
    })
}
