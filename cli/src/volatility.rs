//! Volatility of a market's price, measured in the updates that were posted to its price account.

use ballast_abi::pyth::PriceMessage;
use ballast_client::{Chain, ChainError, MarketContext};
use ballast_quote::realised_sigma_day;
use futures_util::{StreamExt, TryStreamExt, stream};
use solana_sdk::transaction::VersionedTransaction;
use thiserror::Error;

use crate::format::duration;

/// As many as a node names at once.
const NEWEST: usize = 1_000;
/// So many of them are looked at at a time.
const AT_ONCE: usize = 6;
/// Fewer moves, or a shorter time, say nothing.
const LEAST_MOVES: usize = 8;
const LEAST_SECS: i64 = 1_800;

/// Why it was not measured.
#[derive(Debug, Error)]
pub enum Unmeasured {
    #[error("too few price updates are known")]
    TooFew,
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Volatility of the base token's price a day, and where it was measured: in `samples` of the newest updates, evenly.
///
/// # Errors
/// [`Unmeasured`].
pub async fn measured(
    chain: &dyn Chain,
    market: &MarketContext,
    samples: usize,
) -> Result<(f64, String), Unmeasured> {
    let prices = prices(chain, market, samples).await?;
    sigma(prices).ok_or(Unmeasured::TooFew)
}

/// Publish times and prices.
async fn prices(
    chain: &dyn Chain,
    market: &MarketContext,
    samples: usize,
) -> Result<Vec<(i64, f64)>, ChainError> {
    let signatures = chain.signatures(&market.prices.base, NEWEST).await?;
    let every = signatures.len().div_ceil(samples.max(1)).max(1);
    let transactions: Vec<_> = stream::iter(signatures.iter().step_by(every))
        .map(|signature| chain.signed_transaction(signature))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let feed = &market.market.base_feed;
    let found = transactions.iter().flatten();
    Ok(found.flat_map(|landed| posted(landed, feed)).collect())
}

/// The prices of a feed that a transaction carries.
fn posted(transaction: &VersionedTransaction, feed: &[u8; 32]) -> Vec<(i64, f64)> {
    let instructions = transaction.message.instructions().iter();
    instructions
        .flat_map(|instruction| PriceMessage::find_all(&instruction.data, feed))
        .filter(|message| message.price > 0)
        .map(|message| {
            let price = message.price as f64 * 10f64.powi(message.exponent);
            (message.publish_time, price)
        })
        .collect()
}

fn sigma(mut prices: Vec<(i64, f64)>) -> Option<(f64, String)> {
    prices.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    prices.dedup_by_key(|price| price.0);
    let (first, last) = (prices.first()?.0, prices.last()?.0);
    if prices.len() <= LEAST_MOVES || last - first < LEAST_SECS {
        return None;
    }
    let moves = prices.windows(2).map(|pair| {
        let ((from_secs, from), (to_secs, to)) = (pair[0], pair[1]);
        ((to / from).ln(), (to_secs - from_secs) as f64)
    });
    // A price that stands still says nothing.
    let sigma = realised_sigma_day(moves).filter(|sigma| *sigma > 0.0)?;
    let source = format!(
        "measured in {} posted prices over {}",
        prices.len(),
        duration(last - first)
    );
    Some((sigma, source))
}

#[cfg(test)]
mod tests {
    use ballast_client::{Instruction, Pubkey};
    use solana_sdk::{
        message::{Message, VersionedMessage},
        signature::Signature,
    };

    use super::*;

    const FEED: [u8; 32] = [7; 32];

    fn message(feed_id: [u8; 32], price: i64, publish_time: i64) -> PriceMessage {
        PriceMessage {
            feed_id,
            price,
            conf: 1,
            exponent: -8,
            publish_time,
            previous_publish_time: publish_time - 1,
            ema_price: price,
            ema_conf: 1,
        }
    }

    fn transaction(messages: &[PriceMessage]) -> VersionedTransaction {
        let instructions: Vec<_> = messages
            .iter()
            .map(|message| {
                let data = [&[1, 2, 3][..], &message.encode(), &[4]].concat();
                Instruction::new_with_bytes(Pubkey::new_unique(), &data, vec![])
            })
            .collect();
        let message = Message::new(&instructions, Some(&Pubkey::new_unique()));
        VersionedTransaction {
            signatures: vec![Signature::default()],
            message: VersionedMessage::Legacy(message),
        }
    }

    #[test]
    fn prices_are_found_in_transactions_and_measured() {
        // Up and down by one per cent every ten minutes: 12 % a day.
        let prices: Vec<_> = (0..24)
            .flat_map(|number| {
                let price = if number % 2 == 0 { 200 } else { 202 };
                let secs = 1_000 + 600 * number;
                let landed = transaction(&[
                    message([8; 32], 5, secs),
                    message(FEED, price * 100_000_000, secs),
                    message(FEED, 0, secs + 1),
                ]);
                posted(&landed, &FEED)
            })
            .collect();
        assert_eq!((prices.len(), prices[1]), (24, (1_600, 202.0)));
        // In whatever order, and some of them twice.
        let shuffled: Vec<_> = prices.iter().rev().chain(&prices[3..9]).copied().collect();
        let (measured, source) = sigma(shuffled).unwrap();
        assert!(
            (measured - 1.01f64.ln() * 144f64.sqrt()).abs() < 1e-12,
            "{measured}"
        );
        assert_eq!(source, "measured in 24 posted prices over 3h 50m");
        assert_eq!(sigma(prices[..8].to_vec()), None);
        assert_eq!(sigma(Vec::new()), None);
        let hasty = prices
            .iter()
            .map(|(secs, price)| (secs / 600, *price))
            .collect();
        assert_eq!(sigma(hasty), None);
        let still = prices.iter().map(|(secs, _)| (*secs, 200.0)).collect();
        assert_eq!(sigma(still), None);
    }
}
