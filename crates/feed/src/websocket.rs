//! A node's websocket.

mod connection;
mod refusal;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use ballast_client::{Account, Endpoint, Positions, Pubkey, ballast};
use serde_json::{Value, from_value, json};
use solana_account_decoder_client_types::{UiAccount, UiAccountData, UiAccountEncoding};
use solana_client::{
    rpc_config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    rpc_filter::{Memcmp, RpcFilterType},
    rpc_response::{Response, RpcKeyedAccount},
};
use solana_commitment_config::CommitmentConfig;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    Feed, FeedError, Limits, SUBSCRIBE_WITHIN, Update, Updates, Wanted,
    queue::{Inlet, Outlet, queue},
};
use connection::{Connection, Incoming};

/// A node's websocket.
#[derive(Clone, Debug)]
pub struct Websocket {
    endpoint: Endpoint,
    limits: Limits,
}

/// As it comes; it is decoded when it is read.
enum Raw {
    Slot(u64),
    Account {
        market: Pubkey,
        address: Pubkey,
        slot: u64,
        account: UiAccount,
    },
    Position {
        market: Pubkey,
        address: String,
        slot: u64,
        account: UiAccount,
    },
}

/// What is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Slots,
    Account { market: Pubkey, address: Pubkey },
    Positions { market: Pubkey },
}

impl Websocket {
    /// The websocket at this address.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            limits: Limits::default(),
        }
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The next slot that it tells, to see whether it streams.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn slot(&self) -> Result<u64, FeedError> {
        let mut updates = self.subscribe(&[]).await?;
        loop {
            if let Update::Slot(slot) = updates.next().await? {
                return Ok(slot);
            }
        }
    }
}

#[async_trait]
impl Feed for Websocket {
    fn label(&self) -> String {
        self.endpoint.to_string()
    }

    async fn subscribe(&self, wanted: &[Wanted]) -> Result<Box<dyn Updates>, FeedError> {
        let (inlet, outlet) = queue(self.label(), self.limits);
        let (ready, subscribed) = oneshot::channel();
        let wanted: Arc<[Wanted]> = wanted.into();
        tokio::spawn(run(self.endpoint.clone(), wanted, inlet, ready));
        match timeout(SUBSCRIBE_WITHIN, subscribed).await {
            Ok(Ok(Ok(()))) => Ok(Box::new(Told(outlet))),
            Ok(Ok(Err(error))) => Err(error),
            Ok(Err(_)) => Err(FeedError::Closed {
                endpoint: self.label(),
            }),
            Err(_) => Err(FeedError::TooSlow {
                endpoint: self.label(),
                secs: SUBSCRIBE_WITHIN.as_secs(),
            }),
        }
    }
}

struct Told(Outlet<Raw>);

#[async_trait]
impl Updates for Told {
    async fn next(&mut self) -> Result<Update, FeedError> {
        Ok(match self.0.next().await? {
            Raw::Slot(slot) => Update::Slot(slot),
            Raw::Account {
                market,
                address,
                slot,
                account,
            } => update(market, address, slot, &account),
            Raw::Position {
                market,
                address,
                slot,
                account,
            } => match address.parse() {
                Ok(address) => update(market, address, slot, &account),
                Err(_) => Update::Unreadable {
                    market,
                    reason: format!("the stream names `{address}`, which is no address"),
                },
            },
        })
    }
}

/// Connects, subscribes, says that it has, and puts in what comes until nobody reads it or the connection ends.
async fn run(
    endpoint: Endpoint,
    wanted: Arc<[Wanted]>,
    inlet: Inlet<Raw>,
    ready: oneshot::Sender<Result<(), FeedError>>,
) {
    let connected = tokio::select! {
        // Given up.
        () = inlet.closed() => return,
        connected = Connection::open(&endpoint) => connected,
    };
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let (topics, mut ready) = (topics(&wanted), Some(ready));
    let ended = tokio::select! {
        () = inlet.closed() => None,
        ended = serve(&mut connection, &topics, &inlet, &mut ready) => ended.err(),
    };
    match (ended, ready) {
        (Some(error), Some(ready)) => drop(ready.send(Err(error))),
        (Some(error), None) => inlet.end(error),
        (None, _) => drop(inlet),
    }
    connection.leave().await;
}

/// Subscribes and puts in what comes; `Ok` if no more is wanted.
async fn serve(
    connection: &mut Connection<'_>,
    topics: &[Topic],
    inlet: &Inlet<Raw>,
    ready: &mut Option<oneshot::Sender<Result<(), FeedError>>>,
) -> Result<(), FeedError> {
    for (id, topic) in (1..).zip(topics) {
        let (method, params) = topic.request();
        connection.ask(id, method, params).await?;
    }
    let mut asked: HashMap<u64, Topic> = (1..).zip(topics.iter().copied()).collect();
    let mut subscribed: HashMap<u64, Topic> = HashMap::new();
    loop {
        match connection.next().await? {
            Incoming::Answer { id, subscription } => {
                if let Some(topic) = asked.remove(&id) {
                    subscribed.insert(subscription, topic);
                }
                if asked.is_empty()
                    && let Some(ready) = ready.take()
                {
                    let _ = ready.send(Ok(()));
                }
            }
            Incoming::Told {
                subscription,
                value,
            } => {
                // Of what nobody here has subscribed to there is nothing to be said.
                let Some(topic) = subscribed.get(&subscription) else {
                    continue;
                };
                let read = topic.read(value);
                let raw = read.map_err(|reason| connection.ended(&reason))?;
                let bytes = raw.bytes();
                if inlet.put(raw, bytes).is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// What is to be subscribed to.
fn topics(wanted: &[Wanted]) -> Vec<Topic> {
    let of_market = wanted.iter().flat_map(|wanted| {
        let market = wanted.market;
        let accounts = wanted.accounts.iter();
        let accounts = accounts.map(move |address| Topic::Account {
            market,
            address: *address,
        });
        accounts.chain([Topic::Positions { market }])
    });
    [Topic::Slots].into_iter().chain(of_market).collect()
}

impl Topic {
    /// How it is subscribed to.
    fn request(&self) -> (&'static str, Value) {
        let account_config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            ..RpcAccountInfoConfig::default()
        };
        match self {
            Self::Slots => ("slotSubscribe", json!([])),
            Self::Account { address, .. } => {
                let params = json!([address.to_string(), account_config]);
                ("accountSubscribe", params)
            }
            Self::Positions { market } => {
                let config = positions_of(market, account_config);
                let params = json!([ballast::ID.to_string(), config]);
                ("programSubscribe", params)
            }
        }
    }

    /// What is told of it, or why that cannot be read.
    fn read(&self, value: Value) -> Result<Raw, String> {
        let unreadable = |error: serde_json::Error| format!("what it told cannot be read: {error}");
        Ok(match *self {
            Self::Slots => {
                let slot = value.get("slot").and_then(Value::as_u64);
                Raw::Slot(slot.ok_or("what it told of slots has none")?)
            }
            Self::Account { market, address } => {
                let told: Response<UiAccount> = from_value(value).map_err(unreadable)?;
                Raw::Account {
                    market,
                    address,
                    slot: told.context.slot,
                    account: told.value,
                }
            }
            Self::Positions { market } => {
                let told: Response<RpcKeyedAccount> = from_value(value).map_err(unreadable)?;
                Raw::Position {
                    market,
                    address: told.value.pubkey,
                    slot: told.context.slot,
                    account: told.value.account,
                }
            }
        })
    }
}

impl Raw {
    fn bytes(&self) -> usize {
        let data = match self {
            Self::Slot(_) => 0,
            Self::Account { account, .. } | Self::Position { account, .. } => match &account.data {
                UiAccountData::Binary(text, _) | UiAccountData::LegacyBinary(text) => text.len(),
                // Not asked for.
                UiAccountData::Json(_) => 0,
            },
        };
        size_of::<Self>() + data
    }
}

/// Positions of a market.
fn positions_of(market: &Pubkey, account_config: RpcAccountInfoConfig) -> RpcProgramAccountsConfig {
    let filters = Positions::filters(market).map(|filter| {
        RpcFilterType::Memcmp(Memcmp::new_base58_encoded(filter.offset, &filter.bytes))
    });
    RpcProgramAccountsConfig {
        filters: Some(filters.into()),
        account_config,
        ..RpcProgramAccountsConfig::default()
    }
}

fn update(market: Pubkey, address: Pubkey, slot: u64, account: &UiAccount) -> Update {
    let unreadable = |reason| Update::Unreadable { market, reason };
    let Some(data) = account.data.decode() else {
        return unreadable(format!(
            "account {address} came in an encoding that was not asked for"
        ));
    };
    let Ok(owner) = account.owner.parse() else {
        return unreadable(format!(
            "account {address} is owned by `{}`, which is no address",
            account.owner
        ));
    };
    Update::Account {
        market,
        address,
        slot,
        write_version: None,
        account: Account {
            lamports: account.lamports,
            data,
            owner,
            executable: account.executable,
            rent_epoch: account.rent_epoch,
        },
    }
}
