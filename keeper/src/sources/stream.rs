//! One life of the websocket stream: subscribe, read everything anew, pass updates on until it breaks or falls silent.

use std::time::Duration;

use anchor_lang::Discriminator;
use ballast_client::{Account, Endpoint, Position};
use futures_util::{
    StreamExt,
    future::{BoxFuture, join_all},
    stream::{BoxStream, select_all},
};
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_client::{
    rpc_config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    rpc_filter::{Memcmp, RpcFilterType},
};
use solana_commitment_config::CommitmentConfig;
use solana_pubsub_client::nonblocking::pubsub_client::{PubsubClient, PubsubClientError};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, timeout},
};

use super::{Asked, Closed, SourceEvent, Sources, next_within, pass_on};

/// How long connecting and subscribing may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

enum Message {
    Event(SourceEvent),
    /// A sign of life.
    Slot,
}

type Subscription<'a> = (
    BoxStream<'a, Message>,
    Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>,
);

/// Streams until something breaks; returns what. `Err` when nobody listens any more.
pub(super) async fn run(
    sources: &Sources,
    endpoint: &Endpoint,
    events: &Sender<SourceEvent>,
) -> Result<String, Closed> {
    let client = match timeout(CONNECT_WITHIN, PubsubClient::new(endpoint.expose())).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return Ok(format!("cannot connect: {}", explain(endpoint, &error))),
        Err(_) => return Ok("cannot connect in time".into()),
    };
    let ended = match timeout(CONNECT_WITHIN, subscribe(sources, &client)).await {
        Ok(Ok(subscriptions)) => forward(sources, subscriptions, events).await,
        Ok(Err(error)) => Ok(format!("cannot subscribe: {}", explain(endpoint, &error))),
        Err(_) => Ok("cannot subscribe in time".into()),
    };
    // A connection that is broken already cannot be closed properly, and need not be.
    let _ = timeout(CONNECT_WITHIN, client.shutdown()).await;
    ended
}

/// What went wrong with a websocket, without what is secret of its address.
pub fn explain(endpoint: &Endpoint, error: &PubsubClientError) -> String {
    let said = match error {
        PubsubClientError::ConnectionError(cause) => format!("{error}: {cause}"),
        PubsubClientError::WsError(cause) => format!("{error}: {cause}"),
        other => other.to_string(),
    };
    format!("{endpoint}: {}", endpoint.hide(&said))
}

async fn forward(
    sources: &Sources,
    subscriptions: Vec<Subscription<'_>>,
    events: &Sender<SourceEvent>,
) -> Result<String, Closed> {
    let (streams, unsubscribe): (Vec<_>, Vec<_>) = subscriptions.into_iter().unzip();
    let mut messages = select_all(streams);
    // Subscribed first, read second: what changes meanwhile is in the stream.
    let mut resync_at = sources.resync_all(events).await?;
    let reason = loop {
        match next_within(sources.timing.watchdog, messages.next()).await {
            Ok(Message::Event(event)) => {
                if let SourceEvent::Account { slot, .. } = &event
                    && let Err(reason) = sources.ceiling.allows(*slot)
                {
                    break reason;
                }
                pass_on(events, event).await?;
            }
            Ok(Message::Slot) => {}
            Err(reason) => break reason,
        }
        if Instant::now() >= resync_at {
            resync_at = sources.resync_all(events).await?;
        }
    };
    drop(messages);
    let leave = join_all(unsubscribe.into_iter().map(|unsubscribe| unsubscribe()));
    let _ = timeout(Duration::from_secs(1), leave).await;
    Ok(reason)
}

async fn subscribe<'a>(
    sources: &Sources,
    client: &'a PubsubClient,
) -> Result<Vec<Subscription<'a>>, PubsubClientError> {
    let account_config = RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        commitment: Some(CommitmentConfig::confirmed()),
        ..RpcAccountInfoConfig::default()
    };
    let mut subscriptions: Vec<Subscription<'a>> = Vec::new();
    let (slots, leave) = client.slot_subscribe().await?;
    subscriptions.push((slots.map(|_| Message::Slot).boxed(), leave));
    for market in &sources.markets {
        let of = market.address;
        for address in market.snapshot_addresses() {
            let (updates, leave) = client
                .account_subscribe(&address, Some(account_config.clone()))
                .await?;
            let updates =
                updates.map(move |update| event(of, address, update.context.slot, &update.value));
            subscriptions.push((updates.boxed(), leave));
        }
        let (updates, leave) = client
            .program_subscribe(&ballast::ID, Some(positions_of(&of, &account_config)))
            .await?;
        let updates = updates.map(move |update| match update.value.pubkey.parse() {
            Ok(address) => event(of, address, update.context.slot, &update.value.account),
            Err(_) => trouble(
                of,
                format!(
                    "the stream names `{}`, which is no address",
                    update.value.pubkey
                ),
            ),
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
    let market_offset = Position::DISCRIMINATOR.len() + std::mem::offset_of!(Position, market);
    RpcProgramAccountsConfig {
        filters: Some(vec![
            RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, Position::DISCRIMINATOR)),
            RpcFilterType::Memcmp(Memcmp::new_base58_encoded(market_offset, market.as_ref())),
        ]),
        account_config: account_config.clone(),
        ..RpcProgramAccountsConfig::default()
    }
}

fn trouble(market: Pubkey, reason: String) -> Message {
    Message::Event(SourceEvent::Trouble {
        market,
        asked: Asked::Stream,
        reason,
    })
}

fn event(market: Pubkey, address: Pubkey, slot: u64, account: &UiAccount) -> Message {
    let Some(data) = account.data.decode() else {
        return trouble(
            market,
            format!("account {address} came in an encoding that was not asked for"),
        );
    };
    let Ok(owner) = account.owner.parse() else {
        return trouble(
            market,
            format!(
                "account {address} is owned by `{}`, which is no address",
                account.owner
            ),
        );
    };
    let account = Account {
        lamports: account.lamports,
        data,
        owner,
        executable: account.executable,
        rent_epoch: account.rent_epoch,
    };
    Message::Event(SourceEvent::Account {
        market,
        address,
        slot,
        account,
    })
}

#[cfg(test)]
mod tests {
    use solana_account_decoder_client_types::UiAccountData;

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
        }
    }

    #[test]
    fn accounts_are_decoded_and_bad_ones_named() {
        let address = Pubkey::new_from_array([5; 32]);
        let base64 = |text: &str| UiAccountData::Binary(text.into(), UiAccountEncoding::Base64);
        let owner = ballast::ID.to_string();
        let Message::Event(SourceEvent::Account {
            account, slot: 7, ..
        }) = event(address, address, 7, &ui(&owner, base64("AQI=")))
        else {
            panic!("not an account");
        };
        assert_eq!((account.data, account.owner), (vec![1, 2], ballast::ID));
        for bad in [ui(&owner, base64("!")), ui("nobody", base64("AQI="))] {
            let Message::Event(SourceEvent::Trouble { reason, .. }) =
                event(address, address, 7, &bad)
            else {
                panic!("taken");
            };
            assert!(reason.contains(&address.to_string()), "{reason}");
        }
    }
}
