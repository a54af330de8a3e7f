//! Posts prices to accounts of the keeper's own.
//!
//! Those accounts belong to the keeper for good: their keys follow from its key, the receiver and the feed, so that another life
//! finds them again and their rent is paid once. The account that signed messages are written into is closed each time. A
//! posting is no action: it moves nobody's tokens and may be done twice, so that it is not journaled. One that was broken off
//! leaves that account behind, which the next one closes first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ballast_abi::pyth::{ReceiverConfig, receiver, wormhole::EncodedVaa};
use ballast_client::{
    Chain, ChainError, Failure, Keypair, MarketContext, Outcome, Payer, PriceAccounts, PriorityFee,
    Pubkey, Request, SendError, Sender, SignError, Signature, Signer, TransactionSigner,
    posting::{MessageAccount, Posting, PostingError, PricePosting, compute_units, pack},
};
use solana_sdk::hash::hashv;
use thiserror::Error;
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use super::{
    FeedId, PriceUpdates, SignedPrice, UpdatesError,
    cache::{Cache, Pair},
};

/// A posted price stands for others that are so little newer: no more than one is paid for in that time.
const REUSED_SECS: i64 = 5;
/// First pause after a posting that failed; doubles with each further one.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
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

/// Why prices were not posted.
#[derive(Debug, Error)]
pub enum PostError {
    /// The service gave none.
    #[error(transparent)]
    Updates(#[from] UpdatesError),
    /// The cluster does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The receiver cannot be used.
    #[error("{receiver} is no Pyth receiver that prices can be posted through: {reason}")]
    Receiver {
        /// Its address.
        receiver: Pubkey,
        /// What is wrong with it.
        reason: String,
    },
    /// The instructions cannot be built.
    #[error(transparent)]
    Posting(#[from] PostingError),
    /// A transaction could not be prepared.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A transaction failed.
    #[error("posting a price failed: {0} (transaction {1})")]
    Failed(Box<Failure>, Signature),
    /// A transaction was not seen in time.
    #[error("posting a price took too long (transaction {0})")]
    Late(Signature),
    /// Nobody signs.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It has failed just now.
    #[error("posting a price has just failed; it is tried again in {} s", .0.as_secs() + 1)]
    Pausing(Duration),
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
}

#[derive(Default)]
struct State {
    /// What was posted last, by receiver and feeds.
    posted: HashMap<(Pubkey, [FeedId; 2]), Posted>,
    /// How often in a row posting has failed, and until when it is not tried again: every try costs fees.
    failures: u32,
    paused_until: Option<Instant>,
}

impl State {
    fn left(&self) -> Option<Duration> {
        let left = self.paused_until?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }

    fn note(&mut self, failed: bool) {
        if !failed {
            (self.failures, self.paused_until) = (0, None);
            return;
        }
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let pause = PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
        self.paused_until = Some(Instant::now() + pause);
    }
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
    ) -> Result<Posted, PostError> {
        let published_secs = older(prices);
        let key = (market.market.price_receiver, feeds(market));
        let mut state = self.state.lock().await;
        if let Some(held) = state.posted.get(&key)
            && held.published_secs.saturating_add(REUSED_SECS) >= published_secs
        {
            return Ok(*held);
        }
        if let Some(left) = state.left() {
            return Err(PostError::Pausing(left));
        }
        let posting = Posting {
            payer: self.signer.address(),
            receiver: key.0,
            wormhole: self.wormhole(key.0).await?,
            treasury_id: TREASURY,
        };
        let [base, quote] = key.1;
        let accounts = [
            self.account(&posting.receiver, &base).await?,
            self.account(&posting.receiver, &quote).await?,
        ];
        let sent = self.send_all(&posting, prices, &accounts, micro_lamports);
        let sent = sent.await;
        state.note(sent.is_err());
        let posted = Posted {
            prices: PriceAccounts {
                base: accounts[0].pubkey(),
                quote: accounts[1].pubkey(),
            },
            slot: sent?,
            published_secs,
        };
        state.posted.insert(key, posted);
        Ok(posted)
    }

    /// Posts both prices, which are nearly always under one root; returns the slot of the last transaction.
    async fn send_all(
        &self,
        posting: &Posting,
        prices: &Pair,
        accounts: &[Keypair; 2],
        micro_lamports: u64,
    ) -> Result<u64, PostError> {
        let both: Vec<_> = prices.iter().zip(accounts).collect();
        let [base, quote] = prices;
        let together = if base.vaa() == quote.vaa() { 2 } else { 1 };
        let mut slot = 0;
        for under_one in both.chunks(together) {
            slot = self
                .send_under_one(posting, under_one, micro_lamports)
                .await?
                .max(slot);
        }
        Ok(slot)
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
            slot = self.send(&request).await?.max(slot);
        }
        Ok(slot)
    }

    async fn send(&self, request: &Request<'_>) -> Result<u64, PostError> {
        let prepared = self.sender.prepare(request).await?;
        let signature = prepared.signature();
        match self.sender.deliver(&prepared).await {
            Outcome::Landed { slot } => Ok(slot),
            Outcome::Failed { failure, .. } => Err(PostError::Failed(Box::new(failure), signature)),
            Outcome::Expired | Outcome::Dropped { .. } => Err(PostError::Late(signature)),
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
