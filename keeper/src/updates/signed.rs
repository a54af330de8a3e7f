//! From the bytes of updates to the prices that were asked for.

use std::{fmt::Write, sync::Arc};

use ballast_abi::pyth::{
    AccumulatorUpdate, Hash160, MerkleUpdate, PriceMessage, PriceUpdate, SignedRoot, Vaa,
};
use solana_sdk::pubkey::Pubkey;

use super::UpdatesError;

/// What a price is of.
pub type FeedId = [u8; 32];

/// A price with what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPrice {
    /// The price.
    pub price: PriceMessage,
    message: Vec<u8>,
    proof: Vec<Hash160>,
    vaa: Arc<[u8]>,
}

impl SignedPrice {
    /// The price as an account would hold it.
    pub fn update(&self) -> PriceUpdate {
        self.price.posted(Pubkey::default(), 0)
    }

    /// What is posted beside the signed message.
    pub fn proven(&self) -> MerkleUpdate<'_> {
        MerkleUpdate {
            message: &self.message,
            proof: &self.proof,
        }
    }

    /// The signed message.
    pub fn vaa(&self) -> &[u8] {
        &self.vaa
    }
}

/// The newest price of each feed, in the order of the feeds, out of updates as a service hands them out. Proofs are checked,
/// signatures are not: the chain does that.
///
/// # Errors
/// [`UpdatesError`].
pub fn read_updates(
    updates: &[Vec<u8>],
    feeds: &[FeedId],
) -> Result<Vec<SignedPrice>, UpdatesError> {
    let mut found: Vec<Option<SignedPrice>> = vec![None; feeds.len()];
    for data in updates {
        let update = AccumulatorUpdate::parse(data)?;
        let root = SignedRoot::parse(Vaa::parse(update.vaa)?.payload)?.root;
        let vaa: Arc<[u8]> = update.vaa.into();
        for proven in &update.updates {
            if proven.root(keccak) != root {
                return Err(UpdatesError::NotUnderRoot);
            }
            let price = PriceMessage::parse(proven.message)?;
            let asked = feeds.iter().zip(&mut found);
            for (_, held) in asked.filter(|(feed, _)| **feed == price.feed_id) {
                let newer = |held: &SignedPrice| held.price.publish_time < price.publish_time;
                if held.as_ref().is_none_or(newer) {
                    *held = Some(SignedPrice {
                        price,
                        message: proven.message.to_vec(),
                        proof: proven.proof.to_vec(),
                        vaa: Arc::clone(&vaa),
                    });
                }
            }
        }
    }
    let asked = feeds.iter().zip(found);
    asked
        .map(|(feed, found)| found.ok_or_else(|| UpdatesError::MissingFeed { feed: hex(feed) }))
        .collect()
}

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    solana_keccak_hasher::hashv(parts).to_bytes()
}

/// A feed id in hexadecimal digits.
pub(super) fn hex(feed: &FeedId) -> String {
    feed.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use ballast_abi::pyth::{UpdateError, stand_in::forged_update};

    use super::*;

    fn price(feed: u8, publish_time: i64) -> PriceMessage {
        PriceMessage {
            feed_id: [feed; 32],
            price: 1,
            conf: 2,
            exponent: -8,
            publish_time,
            previous_publish_time: 3,
            ema_price: 4,
            ema_conf: 5,
        }
    }

    fn update(prices: &[PriceMessage]) -> Vec<u8> {
        forged_update(prices, 3, 1, keccak)
    }

    #[test]
    fn the_newest_of_each_feed_comes_in_the_order_asked_for() {
        let updates = [
            update(&[price(2, 10), price(1, 12), price(7, 99)]),
            update(&[price(1, 11), price(2, 13)]),
        ];
        let found = read_updates(&updates, &[[1; 32], [2; 32]]).unwrap();
        assert_eq!(
            [found[0].price, found[1].price],
            [price(1, 12), price(2, 13)]
        );
        // Each comes with the message that it is under.
        assert_ne!(found[0].vaa(), found[1].vaa());
        for price in &found {
            let vaa = Vaa::parse(price.vaa()).unwrap();
            let root = SignedRoot::parse(vaa.payload).unwrap().root;
            assert_eq!(price.proven().root(keccak), root);
        }
        assert_eq!(found[1].update().publish_time, 13);
    }

    #[test]
    fn what_is_missing_forged_or_garbage_is_named() {
        let good = update(&[price(1, 10)]);
        let read = |data: Vec<u8>| read_updates(&[data], &[[1; 32]]);
        assert!(read(good.clone()).is_ok());
        assert_eq!(
            read_updates(std::slice::from_ref(&good), &[[1; 32], [0xab; 32]]),
            Err(UpdatesError::MissingFeed {
                feed: "ab".repeat(32)
            })
        );
        let mut forged = good.clone();
        let at = forged.len() - 1;
        forged[at] ^= 1;
        assert_eq!(read(forged), Err(UpdatesError::NotUnderRoot));
        assert_eq!(
            read(good[..20].to_vec()),
            Err(UpdatesError::Update(UpdateError::Truncated {
                what: "price update"
            }))
        );
        assert!(matches!(
            read(vec![1, 2, 3, 4]),
            Err(UpdatesError::Update(_))
        ));
        assert!(matches!(
            read_updates(&[], &[[1; 32]]),
            Err(UpdatesError::MissingFeed { .. })
        ));
    }
}
