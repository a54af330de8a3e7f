//! A node's websocket.

use std::sync::Arc;

use async_trait::async_trait;
use ballast_client::{Account, Endpoint, Positions, Pubkey, ballast};
use futures_util::{
    StreamExt,
    future::{BoxFuture, join_all},
    stream::{BoxStream, select_all},
};
use solana_account_decoder_client_types::{UiAccount, UiAccountData, UiAccountEncoding};
use solana_client::{
    rpc_config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    rpc_filter::{Memcmp, RpcFilterType},
};
use solana_commitment_config::CommitmentConfig;
use solana_pubsub_client::nonblocking::pubsub_client::{PubsubClient, PubsubClientError};
use tokio::{
    sync::oneshot,
    time::{Duration, timeout},
};

use crate::{
    Feed, FeedError, Limits, SUBSCRIBE_WITHIN, Update, Updates, Wanted,
    queue::{Inlet, Outlet, queue},
};

/// How long taking leave may take: a connection that is broken already cannot be closed properly, and need not be.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

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

type Subscription<'a> = (
    BoxStream<'a, Raw>,
    Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>,
);

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
    let connecting = async {
        let client = PubsubClient::new(endpoint.expose()).await;
        client.map_err(|error| FeedError::Connect {
            endpoint: endpoint.to_string(),
            reason: said(&endpoint, &error),
        })
    };
    let client = tokio::select! {
        // Given up.
        () = inlet.closed() => return,
        client = connecting => client,
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    serve(&endpoint, &client, &wanted, inlet, ready).await;
    let _ = timeout(LEAVE_WITHIN, client.shutdown()).await;
}

async fn serve(
    endpoint: &Endpoint,
    client: &PubsubClient,
    wanted: &[Wanted],
    inlet: Inlet<Raw>,
    ready: oneshot::Sender<Result<(), FeedError>>,
) {
    let subscribed = tokio::select! {
        () = inlet.closed() => return,
        subscribed = subscribe(wanted, client) => subscribed,
    };
    match subscribed {
        Ok(subscriptions) => {
            let _ = ready.send(Ok(()));
            forward(subscriptions, inlet).await;
        }
        Err(error) => {
            let _ = ready.send(Err(FeedError::Subscribe {
                endpoint: endpoint.to_string(),
                reason: said(endpoint, &error),
            }));
        }
    }
}

async fn forward(subscriptions: Vec<Subscription<'_>>, inlet: Inlet<Raw>) {
    let (streams, unsubscribe): (Vec<_>, Vec<_>) = subscriptions.into_iter().unzip();
    let mut messages = select_all(streams);
    loop {
        let message = tokio::select! {
            () = inlet.closed() => break,
            message = messages.next() => message,
        };
        let Some(raw) = message else { return };
        let bytes = raw.bytes();
        if inlet.put(raw, bytes).is_err() {
            break;
        }
    }
    drop((messages, inlet));
    let leave = join_all(unsubscribe.into_iter().map(|unsubscribe| unsubscribe()));
    let _ = timeout(LEAVE_WITHIN, leave).await;
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

/// What went wrong with a websocket, without what is secret of its address.
pub fn explain(endpoint: &Endpoint, error: &PubsubClientError) -> String {
    format!("{endpoint}: {}", said(endpoint, error))
}

fn said(endpoint: &Endpoint, error: &PubsubClientError) -> String {
    let said = match error {
        PubsubClientError::ConnectionError(cause) => format!("{error}: {cause}"),
        PubsubClientError::WsError(cause) => format!("{error}: {cause}"),
        other => other.to_string(),
    };
    endpoint.hide(&said)
}

async fn subscribe<'a>(
    wanted: &[Wanted],
    client: &'a PubsubClient,
) -> Result<Vec<Subscription<'a>>, PubsubClientError> {
    let account_config = RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        commitment: Some(CommitmentConfig::confirmed()),
        ..RpcAccountInfoConfig::default()
    };
    let mut subscriptions: Vec<Subscription<'a>> = Vec::new();
    let (slots, leave) = client.slot_subscribe().await?;
    subscriptions.push((slots.map(|info| Raw::Slot(info.slot)).boxed(), leave));
    for wanted in wanted {
        let market = wanted.market;
        for address in wanted.accounts.iter().copied() {
            let (updates, leave) = client
                .account_subscribe(&address, Some(account_config.clone()))
                .await?;
            let updates = updates.map(move |update| Raw::Account {
                market,
                address,
                slot: update.context.slot,
                account: update.value,
            });
            subscriptions.push((updates.boxed(), leave));
        }
        let positions = positions_of(&market, &account_config);
        let (updates, leave) = client
            .program_subscribe(&ballast::ID, Some(positions))
            .await?;
        let updates = updates.map(move |update| Raw::Position {
            market,
            address: update.value.pubkey,
            slot: update.context.slot,
            account: update.value.account,
        });
        subscriptions.push((updates.boxed(), leave));
    }
    Ok(subscriptions)
}

/// Positions of a market.
fn positions_of(
    market: &Pubkey,
    account_config: &RpcAccountInfoConfig,
) -> RpcProgramAccountsConfig {
    let filters = Positions::filters(market).map(|filter| {
        RpcFilterType::Memcmp(Memcmp::new_base58_encoded(filter.offset, &filter.bytes))
    });
    RpcProgramAccountsConfig {
        filters: Some(filters.into()),
        account_config: account_config.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ui(owner: &str, data: UiAccountData) -> UiAccount {
        UiAccount {
            lamports: 1,
            data,
            owner: owner.into(),
            executable: false,
            rent_epoch: 0,
            space: None,
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_the_websocket_holds_nothing_of_its_address() {
        const KEY: &str = "KEY0123456789";
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap();
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4_096];
            let length = stream.read(&mut request).await.unwrap();
            assert!(String::from_utf8_lossy(&request[..length]).contains(KEY));
            // Refuses the key, and names it.
            let answer = format!("HTTP/1.1 401 {KEY}\r\nx-key: {KEY}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        for url in [
            format!("ws://{host}/{KEY}?api-key={KEY}"),
            format!("ws://127.0.0.1:9/{KEY}"),
            format!("http://127.0.0.1:9/{KEY}"),
            format!("ws//{KEY}"),
        ] {
            let endpoint = Endpoint::new(url);
            let error = PubsubClient::new(endpoint.expose()).await.err().unwrap();
            let said = explain(&endpoint, &error);
            assert!(!said.contains(KEY), "{said}");
            let feed = Websocket::new(endpoint);
            if let Err(error) = feed.subscribe(&[]).await {
                assert!(!error.to_string().contains(KEY), "{error}");
            }
        }
    }

    #[test]
    fn accounts_are_decoded_and_bad_ones_named() {
        let address = Pubkey::new_from_array([5; 32]);
        let base64 = |text: &str| UiAccountData::Binary(text.into(), UiAccountEncoding::Base64);
        let owner = ballast::ID.to_string();
        let Update::Account {
            account, slot: 7, ..
        } = update(address, address, 7, &ui(&owner, base64("AQI=")))
        else {
            panic!("not an account");
        };
        assert_eq!((account.data, account.owner), (vec![1, 2], ballast::ID));
        for bad in [ui(&owner, base64("!")), ui("nobody", base64("AQI="))] {
            let Update::Unreadable { reason, .. } = update(address, address, 7, &bad) else {
                panic!("taken");
            };
            assert!(reason.contains(&address.to_string()), "{reason}");
        }
    }
}
