//! What off-chain code asks of a cluster.

use std::sync::Mutex;

use async_trait::async_trait;
use solana_sdk::{
    account::Account,
    hash::Hash,
    pubkey::Pubkey,
    signature::Signature,
    transaction::{TransactionError, VersionedTransaction},
};
use thiserror::Error;

use crate::{
    agreement::{Agreement, Claim},
    standing,
};

/// Why a question to a cluster was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChainError {
    /// No connection, or no answer in time.
    #[error("{endpoint} does not answer ({reason}): check the URL and that the node is up")]
    Unreachable {
        /// Which endpoint.
        endpoint: String,
        /// What the transport said.
        reason: String,
    },
    /// The node answered with an error.
    #[error("{endpoint} refused {what}: {reason}")]
    Refused {
        /// Which endpoint.
        endpoint: String,
        /// What was asked.
        what: &'static str,
        /// What it answered.
        reason: String,
    },
    /// The node had too much to do, also when it was asked again.
    #[error("{endpoint} has no time for {what} ({reason}): ask it less, or use another node")]
    Busy {
        /// Which endpoint.
        endpoint: String,
        /// What was asked.
        what: &'static str,
        /// What it answered.
        reason: String,
    },
    /// The node's answer makes no sense.
    #[error("{endpoint} gave an unusable answer to {what}: {reason}")]
    BadAnswer {
        /// Which endpoint.
        endpoint: String,
        /// What was asked.
        what: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
}

/// Accounts as they were at one slot, in the order in which they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Accounts {
    /// The slot.
    pub slot: u64,
    /// `None`: there is no such account.
    pub accounts: Vec<Option<Account>>,
}

/// Accounts of a program as they were at one slot, in no particular order.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedAccounts {
    /// The slot; `None` if the node does not say.
    pub slot: Option<u64>,
    /// Address and account.
    pub accounts: Vec<(Pubkey, Account)>,
}

/// Bytes that an account must have at an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFilter {
    /// Where, discriminator included.
    pub offset: usize,
    /// What.
    pub bytes: Vec<u8>,
}

/// A blockhash and how long it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blockhash {
    /// The hash.
    pub hash: Hash,
    /// Above this block height a transaction with this hash can never land.
    pub last_valid_block_height: u64,
}

/// What a transaction would do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// `None`: it would succeed.
    pub error: Option<TransactionError>,
    /// Log lines.
    pub logs: Vec<String>,
    /// Compute units it would use.
    pub units: u64,
    /// What the last instruction returned.
    pub return_data: Option<Vec<u8>>,
}

/// How sure it is that a transaction stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirmation {
    /// In a block.
    Processed,
    /// Two thirds of the stake voted for the block.
    Confirmed,
    /// Can no longer be rolled back.
    Finalized,
}

/// What a node knows of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionStatus {
    /// Slot of its block.
    pub slot: u64,
    /// `None`: it succeeded.
    pub error: Option<TransactionError>,
    /// How sure that is.
    pub confirmation: Confirmation,
}

/// Blocks to wait beyond the last in which a transaction can land before it counts as expired: the node that tells the height and the
/// one that tells the status need not be the same, and one may lag. About 13 seconds.
pub const EXPIRY_MARGIN: u64 = 32;

/// What is certain of a transaction that cannot land above some block height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It may land yet.
    NotYet,
    /// It is in a block that is not confirmed yet, or of which only one of several nodes knows.
    Unconfirmed,
    /// It is in a confirmed block.
    Landed(TransactionStatus),
    /// It is in no block and never will be.
    Expired {
        /// The height that has been reached.
        block_height: u64,
    },
}

/// What has become of a transaction that was in a confirmed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is in that block for good.
    Final,
    /// It is in that block.
    Stands,
    /// A fork took it back: who keeps the blocks of that time does not have it, or has it in another one.
    Gone,
    /// Nobody who keeps the blocks of that time has said anything.
    Unknown,
}

/// A transaction that landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionRecord {
    /// Slot of its block.
    pub slot: u64,
    /// `None`: it succeeded.
    pub error: Option<TransactionError>,
    /// Log lines.
    pub logs: Vec<String>,
    /// Compute units it used, if the node says.
    pub units: Option<u64>,
    /// Fee, lamports.
    pub fee_lamports: u64,
}

/// A transaction of the past, as an address's history lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastTransaction {
    /// Which.
    pub signature: Signature,
    /// Slot of its block.
    pub slot: u64,
    /// Time of its block, Unix seconds, if the node says.
    pub secs: Option<i64>,
    /// Whether it failed.
    pub failed: bool,
}

/// The cluster's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterClock {
    /// Slot.
    pub slot: u64,
    /// Time that programs see, Unix seconds.
    pub now_secs: i64,
}

/// A cluster, asked at commitment `confirmed` throughout. Implementations bound every call in time.
#[async_trait]
pub trait Chain: Send + Sync {
    /// Name for messages, without credentials.
    fn label(&self) -> String;

    /// Accounts at one slot. Any number may be asked for; more than a node answers at once are refused by it (100).
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError>;

    /// Whether other nodes say the same of accounts as an answer did. A node asked directly knows no others.
    async fn agreement(&self, _claim: &Claim) -> Agreement {
        Agreement::Alone
    }

    /// Accounts of a program that match all filters.
    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError>;

    /// A recent blockhash.
    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError>;

    /// Block height, comparable with [`Blockhash::last_valid_block_height`].
    async fn block_height(&self) -> Result<u64, ChainError>;

    /// Slot.
    async fn slot(&self) -> Result<u64, ChainError>;

    /// Runs a transaction without effect.
    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ChainError>;

    /// Hands a signed transaction in, unchecked. That a node takes it does not mean that it lands.
    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError>;

    /// What became of a transaction; `None` if the node has not seen it in a block. `search_history`: also look beyond
    /// the recent blocks.
    async fn status(
        &self,
        signature: &Signature,
        search_history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError>;

    /// Whether a transaction that cannot land above a block height has expired.
    async fn expiry(&self, signature: &Signature, over_above: u64) -> Result<Expiry, ChainError> {
        // Before the status: what lands between the two is in it.
        let block_height = self.block_height().await?;
        if block_height <= over_above {
            return Ok(Expiry::NotYet);
        }
        Ok(match self.status(signature, true).await? {
            Some(status) if status.confirmation >= Confirmation::Confirmed => {
                Expiry::Landed(status)
            }
            Some(_) => Expiry::Unconfirmed,
            None => Expiry::Expired { block_height },
        })
    }

    /// The lowest slot whose block the node keeps; `None` if it does not say. Of what was in blocks before that it knows nothing.
    async fn first_available_slot(&self) -> Result<Option<u64>, ChainError> {
        Ok(None)
    }

    /// What has become of a transaction that was in a confirmed block of this slot. That nothing is known of it says something only if
    /// the block of that slot would be known.
    async fn standing(&self, signature: &Signature, slot: u64) -> Result<Standing, ChainError> {
        standing::ask(self, &Mutex::default(), signature, slot).await
    }

    /// A transaction that landed with its logs; `None` if the node does not have it (yet).
    async fn transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<TransactionRecord>, ChainError>;

    /// Fees paid lately by transactions that write to all of `writable`, micro-lamports per compute unit, one per slot.
    async fn recent_fees(&self, writable: &[Pubkey]) -> Result<Vec<u64>, ChainError>;

    /// Lamports that keep an account of `length` bytes alive.
    async fn rent_lamports(&self, length: usize) -> Result<u64, ChainError>;

    /// The newest transaction known that names an address; `None` if the cluster does not say.
    async fn newest_signature(&self, _address: &Pubkey) -> Result<Option<Signature>, ChainError> {
        Ok(None)
    }

    /// Transactions that named an address and succeeded, newest first, among the last `limit`; empty if the cluster does not say.
    async fn signatures(
        &self,
        _address: &Pubkey,
        _limit: usize,
    ) -> Result<Vec<Signature>, ChainError> {
        Ok(Vec::new())
    }

    /// Transactions in blocks that named an address, newest first, from the one before `before` on, at most `limit` (a node answers
    /// 1,000); `None` if the cluster does not say.
    async fn history(
        &self,
        _address: &Pubkey,
        _before: Option<&Signature>,
        _limit: usize,
    ) -> Result<Option<Vec<PastTransaction>>, ChainError> {
        Ok(None)
    }

    /// A transaction that landed, as it was signed; `None` if the node does not have it.
    async fn signed_transaction(
        &self,
        _signature: &Signature,
    ) -> Result<Option<VersionedTransaction>, ChainError> {
        Ok(None)
    }

    /// One account.
    async fn account(&self, address: &Pubkey) -> Result<Option<Account>, ChainError> {
        let mut answer = self.accounts(std::slice::from_ref(address)).await?;
        Ok(answer.accounts.pop().flatten())
    }

    /// The cluster's clock, as programs see it.
    async fn clock(&self) -> Result<ClusterClock, ChainError> {
        let account = self.account(&CLOCK_SYSVAR).await?;
        account
            .as_ref()
            .and_then(parse_clock)
            .ok_or_else(|| ChainError::BadAnswer {
                endpoint: self.label(),
                what: "the clock sysvar",
                reason: "the account is missing or too short".into(),
            })
    }
}

/// Address of the clock sysvar.
pub(crate) const CLOCK_SYSVAR: Pubkey =
    solana_sdk::pubkey!("SysvarC1ock11111111111111111111111111111111");

/// Slot (offset 0) and time (offset 32) of the clock sysvar.
pub(crate) fn parse_clock(account: &Account) -> Option<ClusterClock> {
    Some(ClusterClock {
        slot: u64::from_le_bytes(*account.data.first_chunk()?),
        now_secs: i64::from_le_bytes(*account.data.get(32..)?.first_chunk()?),
    })
}
