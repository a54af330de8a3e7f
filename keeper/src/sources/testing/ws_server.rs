//! Websocket servers that fail in every way that is known.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    routing::any,
};
use ballast_client::{Account, Chain, Endpoint};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;
use tokio::time::{interval, sleep};

use crate::sim::World;

const MS: fn(u64) -> Duration = Duration::from_millis;
/// The position that they tell of.
pub const POSITION: Pubkey = Pubkey::new_from_array([100; 32]);

/// What a server does once everything is subscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Streams.
    Nothing,
    /// Streams, the market's accounts as well.
    Everything,
    /// Keeps the connection open and says nothing any more.
    HalfOpen,
    /// Closes it.
    Closes,
    /// Sends what is no JSON, and then closes.
    Garbage,
    /// Sends half of a message, and then nothing.
    Truncated,
    /// Everything twice.
    Duplicates,
    /// What is old after what is new.
    Reorders,
    /// What changed comes late.
    Delays,
    /// Slots go on, and nothing else comes.
    SlotsAlone,
    /// What is old, as if it were of a slot of the future.
    FutureSlot,
}

pub const ALL: [Fault; 10] = [
    Fault::Nothing,
    Fault::HalfOpen,
    Fault::Closes,
    Fault::Garbage,
    Fault::Truncated,
    Fault::Duplicates,
    Fault::Reorders,
    Fault::Delays,
    Fault::SlotsAlone,
    Fault::FutureSlot,
];

#[derive(Clone)]
pub struct Server {
    world: World,
    fault: Fault,
    pub connections: Arc<AtomicUsize>,
    /// The position as it was first seen.
    before: Arc<Mutex<Option<Account>>>,
}

impl Server {
    /// Where it listens, beside it.
    pub async fn start(world: &World, fault: Fault) -> (Self, Endpoint) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::new(format!("ws://{}", listener.local_addr().unwrap()));
        let server = Self {
            world: world.clone(),
            fault,
            connections: Arc::default(),
            before: Arc::default(),
        };
        let upgrade = |State(server): State<Server>, upgrade: WebSocketUpgrade| async move {
            upgrade.on_upgrade(move |socket| server.stream(socket))
        };
        let app = Router::new()
            .route("/", any(upgrade))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (server, endpoint)
    }

    /// The position now, its slot, and other accounts at the same.
    async fn position(&self, others: &[Pubkey]) -> Option<(u64, Account, Vec<Option<Account>>)> {
        let asked = [&[POSITION], others].concat();
        let mut answer = self.world.accounts(&asked).await.ok()?;
        let account = answer.accounts.remove(0)?;
        let mut before = self.before.lock().unwrap();
        before.get_or_insert_with(|| account.clone());
        Some((answer.slot, account, answer.accounts))
    }

    async fn stream(self, mut socket: WebSocket) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        let (mut next, mut positions) = (1, None);
        let mut accounts: Vec<(u64, Pubkey)> = Vec::new();
        let mut ticks = interval(MS(20));
        let mut rounds = 0;
        loop {
            tokio::select! {
                asked = socket.recv() => {
                    let Some(Ok(asked)) = asked else { return };
                    let Message::Text(text) = asked else { continue };
                    let asked: Value = serde_json::from_str(&text).unwrap();
                    let method = asked["method"].as_str().unwrap();
                    let result = if method.ends_with("Unsubscribe") {
                        json!(true)
                    } else {
                        next += 1;
                        json!(next)
                    };
                    if method == "programSubscribe" {
                        positions = Some(next);
                    }
                    if method == "accountSubscribe" {
                        accounts.push((next, asked["params"][0].as_str().unwrap().parse().unwrap()));
                    }
                    let answer = json!({ "jsonrpc": "2.0", "result": result, "id": asked["id"] });
                    if socket.send(Message::Text(answer.to_string().into())).await.is_err() {
                        return;
                    }
                }
                _ = ticks.tick(), if positions.is_some() => {
                    rounds += 1;
                    // Every connection is well for a moment.
                    let fault = if rounds > 5 { self.fault } else { Fault::Nothing };
                    for text in self.round(fault, positions.unwrap_or_default(), &accounts).await {
                        if socket.send(Message::Text(text.into())).await.is_err() {
                            return;
                        }
                    }
                    match fault {
                        Fault::Closes | Fault::Garbage => return,
                        Fault::HalfOpen | Fault::Truncated => std::future::pending().await,
                        _ => {}
                    }
                }
            }
        }
    }

    /// What is sent in a round.
    async fn round(
        &self,
        fault: Fault,
        subscription: u64,
        others: &[(u64, Pubkey)],
    ) -> Vec<String> {
        let addresses: Vec<Pubkey> = others.iter().map(|(_, address)| *address).collect();
        let Some((slot, account, found)) = self.position(&addresses).await else {
            return Vec::new();
        };
        let before = self.before.lock().unwrap().clone();
        let before = before.unwrap_or_else(|| account.clone());
        let slots = json!({ "jsonrpc": "2.0", "method": "slotNotification", "params": {
            "subscription": 2, "result": { "parent": slot - 1, "root": slot - 32, "slot": slot } } });
        let value = |account: &Account| {
            json!({ "lamports": account.lamports, "owner": account.owner.to_string(), "executable": false,
                "rentEpoch": account.rent_epoch, "space": account.data.len(),
                "data": [STANDARD.encode(&account.data), "base64"] })
        };
        let told = |method: &str, subscription: u64, slot: u64, value: Value| {
            json!({ "jsonrpc": "2.0", "method": method, "params": {
                "subscription": subscription, "result": { "context": { "slot": slot }, "value": value } } })
            .to_string()
        };
        let update = |slot: u64, account: &Account| {
            let value = json!({ "pubkey": POSITION.to_string(), "account": value(account) });
            told("programNotification", subscription, slot, value)
        };
        let now = update(slot, &account);
        let slots = slots.to_string();
        match fault {
            Fault::Nothing => vec![slots, now],
            Fault::Everything => {
                let others = others.iter().zip(&found);
                let others = others.filter_map(|((subscription, _), account)| {
                    let value = value(account.as_ref()?);
                    Some(told("accountNotification", *subscription, slot, value))
                });
                [slots, now].into_iter().chain(others).collect()
            }
            Fault::HalfOpen => Vec::new(),
            Fault::Closes => vec![slots],
            Fault::Garbage => vec!["<html>hello</html>".into()],
            Fault::Truncated => vec![now[..now.len() / 2].to_owned()],
            Fault::Duplicates => vec![slots.clone(), now.clone(), now, slots],
            Fault::Reorders => vec![now, update(slot - 10, &before), slots],
            Fault::Delays => {
                sleep(MS(100)).await;
                vec![now, slots]
            }
            Fault::SlotsAlone => vec![slots],
            Fault::FutureSlot => vec![slots, update(slot + 1_000_000, &before)],
        }
    }
}
