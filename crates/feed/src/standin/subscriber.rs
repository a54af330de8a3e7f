//! One subscriber: what it asked for is told to it, or not, as the fault says.

use std::{collections::HashMap, sync::Arc};

use ballast_client::Pubkey;
use tokio::sync::{broadcast, mpsc};
use tonic::Status;
use yellowstone_grpc_proto::geyser::{
    SubscribeRequest, SubscribeRequestFilterAccounts, SubscribeUpdate, SubscribeUpdateAccount,
    SubscribeUpdateAccountInfo, SubscribeUpdatePing, SubscribeUpdateSlot,
    subscribe_request_filter_accounts_filter::Filter,
    subscribe_request_filter_accounts_filter_memcmp::Data, subscribe_update::UpdateOneof,
};

use super::{Fault, Given, Shared};

/// Bytes of a message that is larger than gRPC takes unless it is told to.
const LARGE_BYTES: usize = 5 << 20;

/// Whether an account is what a subscription is to.
fn matches(filter: &SubscribeRequestFilterAccounts, info: &SubscribeUpdateAccountInfo) -> bool {
    let is = |bytes: &[u8], text: &String| {
        let key = text.parse::<Pubkey>();
        key.is_ok_and(|key| key.as_ref() == bytes)
    };
    let by_address = filter.account.is_empty()
        || filter
            .account
            .iter()
            .any(|account| is(&info.pubkey, account));
    let by_owner =
        filter.owner.is_empty() || filter.owner.iter().any(|owner| is(&info.owner, owner));
    let by_bytes = filter.filters.iter().all(|filter| match &filter.filter {
        Some(Filter::Memcmp(memcmp)) => {
            let offset = usize::try_from(memcmp.offset).unwrap_or(usize::MAX);
            match (&memcmp.data, info.data.get(offset..)) {
                (Some(Data::Bytes(bytes)), Some(rest)) => rest.starts_with(bytes),
                _ => false,
            }
        }
        _ => false,
    });
    by_address && by_owner && by_bytes
}

/// One subscriber.
pub(super) struct Subscriber {
    pub(super) shared: Arc<Shared>,
    pub(super) request: SubscribeRequest,
    pub(super) given: broadcast::Receiver<Given>,
    /// What was told of each account before.
    pub(super) before: HashMap<Vec<u8>, SubscribeUpdateAccount>,
}

impl Subscriber {
    /// Tells until somebody has heard enough.
    pub(super) async fn tell(mut self, to: mpsc::Sender<Result<SubscribeUpdate, Status>>) {
        loop {
            let given = tokio::select! {
                () = to.closed() => return,
                given = self.given.recv() => given,
            };
            let end = match self.shared.fault() {
                Fault::Lagged => Some(Status::internal("lagged")),
                Fault::OutOfRange => Some(Status::out_of_range("broadcast has gone on")),
                Fault::Internal => Some(Status::internal("no")),
                _ => None,
            };
            let given = match (end, given) {
                (Some(end), _) => Err(end),
                (None, Ok(given)) => Ok(given),
                (None, Err(_)) => Err(Status::internal("lagged")),
            };
            match given {
                Ok(given) => {
                    for message in self.messages(given) {
                        if to.send(Ok(message)).await.is_err() {
                            return;
                        }
                    }
                }
                Err(end) => {
                    let _ = to.send(Err(end)).await;
                    return;
                }
            }
        }
    }

    fn messages(&mut self, given: Given) -> Vec<SubscribeUpdate> {
        let fault = self.shared.fault();
        if fault == Fault::Silence {
            let ping = UpdateOneof::Ping(SubscribeUpdatePing {});
            return vec![message(Vec::new(), ping)];
        }
        let mut messages = match given {
            Given::Slot(slot, status) => {
                let names: Vec<String> = self.request.slots.keys().cloned().collect();
                let told = UpdateOneof::Slot(SubscribeUpdateSlot {
                    slot,
                    parent: slot.checked_sub(1),
                    status: status.into(),
                    dead_error: None,
                    bank_id: None,
                });
                match names.is_empty() {
                    true => Vec::new(),
                    false => vec![message(names, told)],
                }
            }
            Given::Account(told) => self.account(*told, fault),
        };
        if fault == Fault::Duplicates {
            messages.extend(messages.clone());
        }
        messages
    }

    fn account(&mut self, told: SubscribeUpdateAccount, fault: Fault) -> Vec<SubscribeUpdate> {
        let Some(info) = &told.account else {
            return Vec::new();
        };
        let filters = self.request.accounts.iter();
        let names = filters.filter(|(_, filter)| matches(filter, info));
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let before = self.before.insert(info.pubkey.clone(), told.clone());
        let mut all = Vec::new();
        let is_new = before.as_ref().is_none_or(|before| {
            let data =
                |told: &SubscribeUpdateAccount| told.account.as_ref().map(|it| it.data.clone());
            data(before) != data(&told)
        });
        if fault == Fault::Large && is_new {
            let mut large = told.clone();
            if let Some(info) = &mut large.account {
                info.data = vec![0; LARGE_BYTES];
                info.pubkey = vec![7; 32];
            }
            all.push(large);
        }
        all.push(told.clone());
        if fault == Fault::Duplicates
            && let Some(mut before) = before
        {
            before.slot = told.slot;
            all.push(before);
        }
        let all = all.into_iter();
        all.map(|told| message(names.clone(), UpdateOneof::Account(told)))
            .collect()
    }
}

fn message(filters: Vec<String>, told: UpdateOneof) -> SubscribeUpdate {
    SubscribeUpdate {
        filters,
        update_oneof: Some(told),
        created_at: None,
    }
}
