//! What is asked of the service, and what its messages tell.

use std::collections::HashMap;

use ballast_client::{Account, Positions, Pubkey, ballast};
use yellowstone_grpc_proto::geyser::{
    CommitmentLevel, SlotStatus, SubscribeRequest, SubscribeRequestFilterAccounts,
    SubscribeRequestFilterAccountsFilter, SubscribeRequestFilterAccountsFilterMemcmp,
    SubscribeRequestFilterSlots, SubscribeRequestPing, SubscribeUpdate, SubscribeUpdateAccountInfo,
    subscribe_request_filter_accounts_filter::Filter,
    subscribe_request_filter_accounts_filter_memcmp::Data, subscribe_update::UpdateOneof,
};

use crate::{Update, Wanted};

/// Name of the subscription to slots.
const SLOTS: &str = "slots";

pub(super) fn pong() -> SubscribeRequest {
    SubscribeRequest {
        ping: Some(SubscribeRequestPing { id: 1 }),
        ..SubscribeRequest::default()
    }
}

pub(super) fn weight(update: &SubscribeUpdate) -> usize {
    let data = match &update.update_oneof {
        Some(UpdateOneof::Account(account)) => account.account.as_ref().map(|it| it.data.len()),
        _ => None,
    };
    size_of::<SubscribeUpdate>() + data.unwrap_or_default()
}

/// Names of the subscriptions to a market's accounts and to its positions, by its number.
fn names(number: usize) -> [String; 2] {
    [format!("accounts/{number}"), format!("positions/{number}")]
}

/// The number of the market that a subscription is to.
fn number(name: &str) -> Option<usize> {
    name.split_once('/')?.1.parse().ok()
}

pub(super) fn request(wanted: &[Wanted]) -> SubscribeRequest {
    let mut accounts = HashMap::new();
    for (index, wanted) in wanted.iter().enumerate() {
        let [of_market, positions] = names(index);
        accounts.insert(
            of_market,
            SubscribeRequestFilterAccounts {
                account: wanted.accounts.iter().map(Pubkey::to_string).collect(),
                ..SubscribeRequestFilterAccounts::default()
            },
        );
        let filters = Positions::filters(&wanted.market).map(|filter| {
            let memcmp = SubscribeRequestFilterAccountsFilterMemcmp {
                offset: filter.offset as u64,
                data: Some(Data::Bytes(filter.bytes)),
            };
            SubscribeRequestFilterAccountsFilter {
                filter: Some(Filter::Memcmp(memcmp)),
            }
        });
        accounts.insert(
            positions,
            SubscribeRequestFilterAccounts {
                owner: vec![ballast::ID.to_string()],
                filters: filters.into(),
                ..SubscribeRequestFilterAccounts::default()
            },
        );
    }
    // Every status: dead slots are among those between.
    let slots = SubscribeRequestFilterSlots {
        filter_by_commitment: Some(false),
        interslot_updates: Some(true),
    };
    SubscribeRequest {
        accounts,
        slots: HashMap::from([(SLOTS.to_owned(), slots)]),
        commitment: Some(CommitmentLevel::Confirmed.into()),
        ..SubscribeRequest::default()
    }
}

/// What a message tells.
pub(super) fn updates(message: SubscribeUpdate, markets: &[Pubkey]) -> Vec<Update> {
    match message.update_oneof {
        Some(UpdateOneof::Slot(told)) => match SlotStatus::try_from(told.status) {
            Ok(SlotStatus::SlotProcessed | SlotStatus::SlotConfirmed) => {
                vec![Update::Slot(told.slot)]
            }
            Ok(SlotStatus::SlotDead) => vec![Update::Dead(told.slot)],
            _ => Vec::new(),
        },
        Some(UpdateOneof::Account(told)) => {
            let mut of: Vec<Pubkey> = message
                .filters
                .iter()
                .filter_map(|name| markets.get(number(name)?).copied())
                .collect();
            of.sort_unstable();
            of.dedup();
            let info = told.account.unwrap_or_default();
            let update = |market| match account(&info) {
                Ok((address, account)) => Update::Account {
                    market,
                    address,
                    slot: told.slot,
                    write_version: Some(info.write_version),
                    account,
                },
                Err(reason) => Update::Unreadable { market, reason },
            };
            of.into_iter().map(update).collect()
        }
        _ => Vec::new(),
    }
}

fn account(info: &SubscribeUpdateAccountInfo) -> Result<(Pubkey, Account), String> {
    let key = |what: &str, bytes: &[u8]| {
        Pubkey::try_from(bytes)
            .map_err(|_| format!("the stream names {what} of {} bytes, not 32", bytes.len()))
    };
    let address = key("an account", &info.pubkey)?;
    Ok((
        address,
        Account {
            lamports: info.lamports,
            data: info.data.clone(),
            owner: key("an owner", &info.owner)?,
            executable: info.executable,
            rent_epoch: info.rent_epoch,
        },
    ))
}
