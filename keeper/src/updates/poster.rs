//! Posts prices to accounts of the keeper's own.
//!
//! Those accounts belong to the keeper for good: their keys follow from its key, the receiver and the feed, so that another life
//! finds them again and their rent is paid once. The account that signed messages are written into is closed each time. A
//! posting is no action: it moves nobody's tokens and may be done twice, so that a restart does not take it up. One that was broken
//! off leaves that account behind, which the next one closes first. What it may cost and what became of it is written down.

mod error;
mod occasion;
mod pause;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ballast_abi::pyth::{PriceUpdate, ReceiverConfig, receiver, wormhole::EncodedVaa};
use ballast_client::{
    Chain, Keypair, MarketContext, Outcome, Payer, PriceAccounts, PriorityFee, Pubkey, Request,
    Sender, Signer, TransactionSigner,
    posting::{MessageAccount, Posting, PostingError, PricePosting, compute_units, pack},
};
use solana_sdk::hash::hashv;
use tokio::sync::{Mutex as AsyncMutex, watch};

use super::{
    FeedId, PriceUpdates, SignedPrice, UpdatesError,
    cache::{Cache, Pair},
};

pub use error::PostError;
pub use occasion::Occasion;

use occasion::{GOES_FIRST, Permit, Waiting};
use pause::Pause;

/// A posted price stands for others that are so little newer: no more than one is paid for in that time.
const REUSED_SECS: i64 = 5;
/// What the accounts' keys are derived from, beside receiver and feed.
const KEY_DOMAIN: &[u8] = b"ballast keeper's price account";
/// Which treasury of the receiver takes the fee.
const TREASURY: u8 = 0;

/// Prices in the keeper's own accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The accounts.
    pub prices: PriceAccounts,
    /// Slot up to which a node must have seen the cluster to know them.
    pub slot: u64,
    /// When the older of the two was published.
    pub published_secs: i64,
}

/// See the module's description.
pub struct Poster {
    updates: Cache,
    chain: Arc<dyn Chain>,
    sender: Sender,
    signer: Arc<dyn TransactionSigner>,
    /// Wormhole programs of receivers.
    wormholes: Mutex<HashMap<Pubkey, Pubkey>>,
    /// Held while posting, because there is one account for messages.
    state: AsyncMutex<State>,
    /// How many urgent ones wait for that.
    urgent: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    /// What was posted last, by receiver and feeds.
    posted: HashMap<(Pubkey, [FeedId; 2]), Posted>,
    /// Of what can wait, and of what cannot, which pays more.
    pauses: [Pause; 2],
}

/// Keys of a market's price accounts.
struct PriceKeys {
    keys: [Keypair; 2],
    /// What those cost that are not there yet, once and for all.
    rent_lamports: u64,
}

fn feeds(market: &MarketContext) -> [FeedId; 2] {
    [market.market.base_feed, market.market.quote_feed]
}

impl Poster {
    /// Posts prices of that service, signed and paid for by that key.
    pub fn new(
        source: Arc<dyn PriceUpdates>,
        chain: Arc<dyn Chain>,
        sender: Sender,
        signer: Arc<dyn TransactionSigner>,
    ) -> Self {
        Self {
            updates: Cache::new(source),
            chain,
            sender,
            signer,
            wormholes: Mutex::default(),
            state: AsyncMutex::default(),
            urgent: watch::Sender::new(0),
        }
    }

    /// The newest prices of a market, base and quote.
    ///
    /// # Errors
    /// [`UpdatesError`].
    pub async fn newest(&self, market: &MarketContext) -> Result<Pair, UpdatesError> {
        self.updates.latest(feeds(market)).await
    }

    /// Has these prices, or little older ones, in accounts of the keeper's own.
    ///
    /// # Errors
    /// [`PostError`].
    pub async fn post(
        &self,
        market: &MarketContext,
        prices: &Pair,
        micro_lamports: u64,
        occasion: &dyn Occasion,
    ) -> Result<Posted, PostError> {
        let published_secs = older(prices);
        let key = (market.market.price_receiver, feeds(market));
        let waiting = occasion.is_urgent().then(|| Waiting::new(&self.urgent));
        let mut state = self.state.lock().await;
        drop(waiting);
        if let Some(held) = state.posted.get(&key)
            && held.published_secs.saturating_add(REUSED_SECS) >= published_secs
        {
            return Ok(*held);
        }
        let urgent = usize::from(occasion.is_urgent());
        if let Some(left) = state.pauses[urgent].left() {
            return Err(PostError::Pausing(left));
        }
        let accounts = match self.accounts(key, state.posted.contains_key(&key)).await {
            Ok(accounts) => accounts,
            Err(error) => {
                state.pauses[urgent].note(true);
                return Err(error);
            }
        };
        occasion.begin(accounts.rent_lamports).await?;
        let permit = Permit::new(occasion, &self.urgent);
        let posted = self
            .post_anew(key.0, prices, &accounts.keys, micro_lamports, &permit)
            .await;
        permit.end(&posted).await?;
        match posted {
            Err(broken_off @ PostError::BrokenOff(_)) => return Err(broken_off),
            ref tried => state.pauses[urgent].note(tried.is_err()),
        }
        let posted = posted?;
        state.posted.insert(key, posted);
        Ok(posted)
    }

    async fn post_anew(
        &self,
        receiver: Pubkey,
        prices: &Pair,
        accounts: &[Keypair; 2],
        micro_lamports: u64,
        permit: &Permit<'_>,
    ) -> Result<Posted, PostError> {
        let posting = Posting {
            payer: self.signer.address(),
            receiver,
            wormhole: self.wormhole(receiver).await?,
            treasury_id: TREASURY,
        };
        let slot = self
            .send_all(&posting, prices, accounts, micro_lamports, permit)
            .await?;
        Ok(Posted {
            prices: PriceAccounts {
                base: accounts[0].pubkey(),
                quote: accounts[1].pubkey(),
            },
            slot,
            published_secs: older(prices),
        })
    }

    /// Posts both prices, which are nearly always under one root; returns the slot of the last transaction.
    async fn send_all(
        &self,
        posting: &Posting,
        prices: &Pair,
        accounts: &[Keypair; 2],
        micro_lamports: u64,
        permit: &Permit<'_>,
    ) -> Result<u64, PostError> {
        let both: Vec<_> = prices.iter().zip(accounts).collect();
        let [base, quote] = prices;
        let together = if base.vaa() == quote.vaa() { 2 } else { 1 };
        let mut slot = 0;
        for under_one in both.chunks(together) {
            slot = self
                .send_under_one(posting, under_one, micro_lamports, permit)
                .await?
                .max(slot);
        }
        Ok(slot)
    }

    /// The accounts of two feeds, which are there for sure or have to be looked for.
    async fn accounts(
        &self,
        (receiver, [base, quote]): (Pubkey, [FeedId; 2]),
        are_there: bool,
    ) -> Result<PriceKeys, PostError> {
        let keys = [
            self.account(&receiver, &base).await?,
            self.account(&receiver, &quote).await?,
        ];
        let mut rent_lamports = 0;
        if !are_there {
            let addresses = keys.each_ref().map(Keypair::pubkey);
            let found = self.chain.accounts(&addresses).await?;
            let missing = found.accounts.iter().filter(|account| account.is_none());
            for _ in missing {
                rent_lamports += self.chain.rent_lamports(PriceUpdate::LENGTH).await?;
            }
        }
        Ok(PriceKeys {
            keys,
            rent_lamports,
        })
    }

    /// The account of a feed. The signature that its key is made of is nobody else's to make.
    async fn account(&self, receiver: &Pubkey, feed: &FeedId) -> Result<Keypair, PostError> {
        let signed = [KEY_DOMAIN, receiver.as_ref(), feed].concat();
        let signature = self.signer.sign(&signed).await?;
        Ok(Keypair::new_from_array(
            hashv(&[signature.as_ref()]).to_bytes(),
        ))
    }

    /// The Wormhole program that a receiver relies on.
    async fn wormhole(&self, receiver_id: Pubkey) -> Result<Pubkey, PostError> {
        if let Some(known) = self.known().get(&receiver_id) {
            return Ok(*known);
        }
        let bad = |reason: String| PostError::Receiver {
            receiver: receiver_id,
            reason,
        };
        let config = self.chain.account(&receiver::config(&receiver_id)).await?;
        let config = config
            .filter(|account| account.owner == receiver_id)
            .ok_or_else(|| bad("it has no settings".into()))?;
        let config = ReceiverConfig::parse(&config.data).map_err(|error| bad(error.to_string()))?;
        self.known().insert(receiver_id, config.wormhole);
        Ok(config.wormhole)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Pubkey, Pubkey>> {
        // Every change of it is a single insertion.
        self.wormholes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_under_one(
        &self,
        posting: &Posting,
        prices: &[(&SignedPrice, &Keypair)],
        micro_lamports: u64,
        permit: &Permit<'_>,
    ) -> Result<u64, PostError> {
        let vaa = prices.first().map_or(&[][..], |(first, _)| first.vaa());
        let account = self.message_account(posting, vaa.len()).await?;
        let postings: Vec<_> = prices
            .iter()
            .map(|(price, account)| PricePosting {
                update: price.proven(),
                account: account.pubkey(),
            })
            .collect();
        let all = posting.instructions(vaa, &account, &postings)?;
        let mut slot = 0;
        for instructions in pack(&posting.payer, all).map_err(PostingError::from)? {
            let mut request = Request::new(Payer::from(self.signer.as_ref()), Vec::new())
                .fee(PriorityFee::Fixed(micro_lamports))
                .compute_limit(compute_units(&instructions));
            // Signers that nothing asks for do no harm.
            for (_, account) in prices {
                request = request.signer(*account);
            }
            request.instructions = instructions;
            slot = self.send(&request, permit).await?.max(slot);
        }
        Ok(slot)
    }

    async fn send(&self, request: &Request<'_>, permit: &Permit<'_>) -> Result<u64, PostError> {
        if let Some(why) = permit.obstacle() {
            return Err(PostError::BrokenOff(why));
        }
        let prepared = self.sender.prepare(request).await?;
        let signature = prepared.signature();
        let may_send = || permit.may_send(signature);
        let delivered = self.sender.deliver_while(&prepared, may_send);
        let delivered = tokio::select! {
            delivered = delivered => delivered,
            // What it has sent may still land; the next posting closes what that leaves.
            () = permit.gives_way() => return Err(PostError::BrokenOff(GOES_FIRST)),
        };
        match delivered {
            Outcome::Landed { slot } => Ok(slot),
            Outcome::Failed { failure, .. } => Err(PostError::Failed(Box::new(failure), signature)),
            Outcome::Expired | Outcome::Dropped { .. } => Err(match permit.obstacle() {
                Some(why) => PostError::BrokenOff(why),
                None => PostError::Late(signature),
            }),
        }
    }

    async fn message_account(
        &self,
        posting: &Posting,
        vaa: usize,
    ) -> Result<MessageAccount, PostError> {
        let rent_lamports = self.chain.rent_lamports(EncodedVaa::length(vaa)).await?;
        let address = posting.message_address().map_err(PostingError::from)?;
        let found = self.chain.account(&address).await?;
        let is_left_over = found
            .as_ref()
            .is_some_and(|account| account.owner == posting.wormhole);
        let lamports = found.map_or(0, |account| account.lamports);
        Ok(MessageAccount {
            is_left_over,
            lamports: if is_left_over { 0 } else { lamports },
            rent_lamports,
        })
    }
}

/// When the older of two prices was published.
fn older([base, quote]: &Pair) -> i64 {
    base.price.publish_time.min(quote.price.publish_time)
}
