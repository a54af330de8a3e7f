//! Address lookup tables: with a market's table, every instruction fits one transaction.

use std::time::Duration;

use solana_address_lookup_table_interface::{
    instruction::{create_lookup_table, extend_lookup_table},
    program,
    state::AddressLookupTable,
};
use solana_sdk::{message::AddressLookupTableAccount, pubkey::Pubkey, signer::Signer};
use thiserror::Error;
use tokio::time::{Instant, sleep};

use crate::{
    account::{DecodeError, owned_by},
    chain::{AccountFilter, Chain, ChainError},
    market::MarketContext,
    outcome::SendError,
    request::Request,
    sender::Sender,
};

/// Addresses that fit one extension, together with its other bytes.
const ADDRESSES_PER_EXTENSION: usize = 25;
/// Where a table's authority lies, after type, two slots, start index and the option's tag.
const AUTHORITY_OFFSET: usize = 4 + 8 + 8 + 1 + 1;
/// How long a new entry may take to become usable: one slot, plus slack for slow machines.
const USABLE_WITHIN: Duration = Duration::from_secs(60);

const WHAT: &str = "lookup table";
const SLOT_HASHES: Pubkey = solana_sdk::pubkey!("SysvarS1otHashes111111111111111111111111111");

/// Why there is no usable lookup table.
#[derive(Debug, Error)]
pub enum LookupTableError {
    /// The cluster did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Not a lookup table.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Creating or extending it failed.
    #[error("lookup table: {0}")]
    Send(#[from] SendError),
    /// The cluster has stopped, or its clock.
    #[error(
        "the lookup table {0} did not become usable within a minute: check that the cluster produces blocks"
    )]
    NotUsable(Pubkey),
}

/// A lookup table, and what was done to it.
#[derive(Clone, Debug)]
pub struct Ensured {
    /// The table, usable now.
    pub table: AddressLookupTableAccount,
    /// Whether it is new.
    pub created: bool,
    /// How many addresses were added.
    pub added: usize,
}

/// Reads a table.
///
/// # Errors
/// [`LookupTableError::Chain`], [`LookupTableError::Decode`].
pub async fn load(
    chain: &dyn Chain,
    address: &Pubkey,
) -> Result<AddressLookupTableAccount, LookupTableError> {
    let account = chain.account(address).await?;
    let data = owned_by(WHAT, address, account.as_ref(), &program::ID)?;
    Ok(parse(address, data)?)
}

/// A table that can be used, for now at least.
#[derive(Clone, Debug)]
pub struct Usable {
    /// The table.
    pub table: AddressLookupTableAccount,
    /// Whether it stays: its authority is not about to close it.
    pub stays: bool,
}

/// As [`load`], of a table for a market.
///
/// # Errors
/// As [`load`]; also [`LookupTableError::Decode`] for a table of something else.
pub async fn load_usable(
    chain: &dyn Chain,
    address: &Pubkey,
    market: &MarketContext,
) -> Result<Usable, LookupTableError> {
    let account = chain.account(address).await?;
    let data = owned_by(WHAT, address, account.as_ref(), &program::ID)?;
    let table = parse(address, data)?;
    if !table.addresses.contains(&market.address) {
        return Err(LookupTableError::Decode(DecodeError::Malformed {
            what: WHAT,
            address: *address,
            reason: format!("it is not of market {}", market.address),
        }));
    }
    Ok(Usable {
        table,
        stays: is_active(data),
    })
}

fn parse(address: &Pubkey, data: &[u8]) -> Result<AddressLookupTableAccount, DecodeError> {
    let table = AddressLookupTable::deserialize(data).map_err(|error| DecodeError::Malformed {
        what: WHAT,
        address: *address,
        reason: format!("{error:?}"),
    })?;
    Ok(AddressLookupTableAccount {
        key: *address,
        addresses: table.addresses.to_vec(),
    })
}

/// Finds the table of `authority` that holds the most of `addresses`, the first of them among them. `None` if there is none.
///
/// # Errors
/// [`LookupTableError::Chain`]: some public nodes refuse the search; then the table's address has to be known.
pub async fn find(
    chain: &dyn Chain,
    authority: &Pubkey,
    addresses: &[Pubkey],
) -> Result<Option<AddressLookupTableAccount>, LookupTableError> {
    let filter = AccountFilter {
        offset: AUTHORITY_OFFSET,
        bytes: authority.to_bytes().into(),
    };
    let answer = chain.program_accounts(&program::ID, &[filter]).await?;
    let mut tables: Vec<_> = answer
        .accounts
        .iter()
        .filter(|(_, account)| is_active(&account.data))
        .filter_map(|(address, account)| parse(address, &account.data).ok())
        .filter(|table| {
            addresses
                .first()
                .is_some_and(|first| table.addresses.contains(first))
        })
        .collect();
    let held = |table: &AddressLookupTableAccount| {
        addresses
            .iter()
            .filter(|address| table.addresses.contains(address))
            .count()
    };
    // Ties go to the lowest address, so that everybody finds the same.
    tables.sort_by_key(|table| (held(table), std::cmp::Reverse(table.key)));
    Ok(tables.pop())
}

/// Not being deactivated.
fn is_active(data: &[u8]) -> bool {
    AddressLookupTable::deserialize(data)
        .is_ok_and(|table| table.meta.deactivation_slot == u64::MAX)
}

/// Makes sure that a table holds all of `addresses`: `known`, or the best one of `authority`, or a new one; missing
/// addresses are added. Returns when the table can be used.
///
/// # Errors
/// [`LookupTableError`].
pub async fn ensure(
    sender: &Sender,
    authority: &(dyn Signer + Sync),
    known: Option<Pubkey>,
    addresses: &[Pubkey],
) -> Result<Ensured, LookupTableError> {
    let chain = sender.chain().as_ref();
    let existing = match known {
        Some(address) => Some(load(chain, &address).await?),
        None => find(chain, &authority.pubkey(), addresses).await?,
    };
    let created = existing.is_none();
    let mut table = match existing {
        Some(table) => table,
        None => create(sender, authority).await?,
    };
    let missing: Vec<_> = addresses
        .iter()
        .filter(|address| !table.addresses.contains(address))
        .copied()
        .collect();
    for chunk in missing.chunks(ADDRESSES_PER_EXTENSION) {
        let payer = authority.pubkey();
        let extend = extend_lookup_table(table.key, payer, Some(payer), chunk.to_vec());
        sender.send(&Request::new(authority, [extend])).await?;
    }
    table.addresses.extend(&missing);
    if !missing.is_empty() {
        wait_until_usable(chain, &table).await?;
    }
    Ok(Ensured {
        table,
        created,
        added: missing.len(),
    })
}

async fn create(
    sender: &Sender,
    authority: &(dyn Signer + Sync),
) -> Result<AddressLookupTableAccount, LookupTableError> {
    let slot = latest_hashed_slot(sender.chain().as_ref()).await?;
    let payer = authority.pubkey();
    let (instruction, key) = create_lookup_table(payer, payer, slot);
    sender.send(&Request::new(authority, [instruction])).await?;
    Ok(AddressLookupTableAccount {
        key,
        addresses: Vec::new(),
    })
}

/// The youngest slot whose hash the cluster remembers: a table's address is derived from such a one.
async fn latest_hashed_slot(chain: &dyn Chain) -> Result<u64, ChainError> {
    let account = chain.account(&SLOT_HASHES).await?;
    let slot = account.as_ref().and_then(|account| {
        let count = u64::from_le_bytes(*account.data.first_chunk()?);
        let slot = u64::from_le_bytes(*account.data.get(8..)?.first_chunk()?);
        (count > 0).then_some(slot)
    });
    slot.ok_or_else(|| ChainError::BadAnswer {
        endpoint: chain.label(),
        what: "the slot hashes sysvar",
        reason: "the account is missing or empty".into(),
    })
}

/// New entries count from the slot after the one in which they were added.
async fn wait_until_usable(
    chain: &dyn Chain,
    table: &AddressLookupTableAccount,
) -> Result<(), LookupTableError> {
    let deadline = Instant::now() + USABLE_WITHIN;
    loop {
        let account = chain.account(&table.key).await?;
        let data = owned_by(WHAT, &table.key, account.as_ref(), &program::ID)?;
        let extended =
            AddressLookupTable::deserialize(data).map(|found| found.meta.last_extended_slot);
        if let Ok(extended) = extended
            && parse(&table.key, data)?.addresses.len() >= table.addresses.len()
            && chain.slot().await? > extended
        {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(LookupTableError::NotUsable(table.key));
        }
        sleep(Duration::from_millis(100)).await;
    }
}
