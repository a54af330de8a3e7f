//! The real stream over real websockets of servers that fail in every way that is known: what is on chain is in the book within seconds.

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
use base64::{Engine, engine::general_purpose::STANDARD};
use ballast_client::{Account, Chain, Endpoint};
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::mpsc,
    time::{Instant, interval, sleep, timeout},
};

use super::{Doubts, SourceEvent, Sources};
use crate::{
    book::MarketBook,
    config::Timing,
    sim::{Faults, World, bytes},
};

const MS: fn(u64) -> Duration = Duration::from_millis;
/// Within which what is on chain has to be in the book, however slow the machine.
const LIMIT: Duration = Duration::from_secs(30);
const POSITION: Pubkey = Pubkey::new_from_array([100; 32]);

/// What a server does once everything is subscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Streams.
    Nothing,
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

const ALL: [Fault; 10] = [
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
struct Server {
    world: World,
    fault: Fault,
    connections: Arc<AtomicUsize>,
    /// The position as it was first seen.
    before: Arc<Mutex<Option<Account>>>,
}

impl Server {
    async fn start(world: &World, fault: Fault) -> (Self, Endpoint) {
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

    /// The position now, and its slot.
    async fn position(&self) -> Option<(u64, Account)> {
        let answer = self.world.accounts(&[POSITION]).await.ok()?;
        let account = answer.accounts.into_iter().next()??;
        let mut before = self.before.lock().unwrap();
        before.get_or_insert_with(|| account.clone());
        Some((answer.slot, account))
    }

    async fn stream(self, mut socket: WebSocket) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        let (mut next, mut positions) = (1, None);
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
                    let answer = json!({ "jsonrpc": "2.0", "result": result, "id": asked["id"] });
                    if socket.send(Message::Text(answer.to_string().into())).await.is_err() {
                        return;
                    }
                }
                _ = ticks.tick(), if positions.is_some() => {
                    rounds += 1;
                    // Every connection is well for a moment.
                    let fault = if rounds > 5 { self.fault } else { Fault::Nothing };
                    for text in self.round(fault, positions.unwrap_or_default()).await {
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
    async fn round(&self, fault: Fault, subscription: u64) -> Vec<String> {
        let Some((slot, account)) = self.position().await else {
            return Vec::new();
        };
        let before = self.before.lock().unwrap().clone();
        let before = before.unwrap_or_else(|| account.clone());
        let slots = json!({ "jsonrpc": "2.0", "method": "slotNotification", "params": {
            "subscription": 2, "result": { "parent": slot - 1, "root": slot - 32, "slot": slot } } });
        let update = |slot: u64, account: &Account| {
            json!({ "jsonrpc": "2.0", "method": "programNotification", "params": {
                "subscription": subscription, "result": { "context": { "slot": slot }, "value": {
                    "pubkey": POSITION.to_string(), "account": {
                        "lamports": account.lamports, "owner": account.owner.to_string(), "executable": false,
                        "rentEpoch": 0, "space": account.data.len(),
                        "data": [STANDARD.encode(&account.data), "base64"] } } } } })
            .to_string()
        };
        let now = update(slot, &account);
        let slots = slots.to_string();
        match fault {
            Fault::Nothing => vec![slots, now],
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

/// Changes a position a while after the stream has begun; what the book has of it in the end, which streams were lost, and how often each
/// server was connected to.
async fn story(faults: &[Fault], polls_positions: bool) -> (Vec<String>, Vec<usize>) {
    let world = World::new(1, Pubkey::default(), 2, Faults::default());
    let (mut servers, mut ws_urls) = (Vec::new(), Vec::new());
    for fault in faults {
        let (server, endpoint) = Server::start(&world, *fault).await;
        servers.push(server);
        ws_urls.push(endpoint);
    }
    let sources = Sources {
        chain: Arc::new(world.clone()),
        ws_urls,
        markets: vec![Arc::new(bytes::context())],
        timing: Timing {
            refresh: MS(200),
            watchdog: MS(600),
            resync: if polls_positions { MS(1_000) } else { LIMIT * 2 },
            backoff_first: MS(10),
            backoff_max: MS(100),
            ..Timing::default()
        },
        ceiling: Arc::default(),
    };
    let (sender, mut receiver) = mpsc::channel(10_000);
    let (doubts, heard) = Doubts::new();
    let mut book = MarketBook::new(bytes::context());
    let mut lost = Vec::new();
    let began = Instant::now();
    let reading = async {
        let mut changed = false;
        loop {
            let event = receiver.recv().await.unwrap();
            match event {
                SourceEvent::Account { address, slot, account, market } => {
                    // As the engine does.
                    if book.account(&address, slot, account) == Ok(crate::book::Change::Doubtful) {
                        doubts.tell(market, address);
                    }
                }
                SourceEvent::Market { accounts, .. } => {
                    let _ = book.market_accounts(&accounts);
                }
                SourceEvent::Positions { slot, positions, .. } => {
                    let _ = book.all_positions(slot, positions);
                }
                SourceEvent::StreamLost { reason } => lost.push(reason),
                SourceEvent::Trouble { .. } | SourceEvent::Published { .. } => {}
                SourceEvent::Missing { position, .. } => panic!("{position} is gone"),
            }
            if !changed && began.elapsed() > MS(1_500) {
                changed = true;
                world.lock().change_positions(|position| position.idle_base = 77);
            }
            let known = book.position(&POSITION);
            if changed && known.is_some_and(|known| known.position.idle_base == 77) {
                return;
            }
        }
    };
    tokio::select! {
        read = timeout(LIMIT, reading) => read.unwrap_or_else(|_| panic!("not seen with {faults:?}")),
        () = sources.run(sender, heard) => panic!("ended"),
    }
    let connections = servers.iter().map(|it| it.connections.load(Ordering::SeqCst));
    (lost, connections.collect())
}

#[tokio::test]
async fn whatever_a_stream_does_what_is_on_chain_comes_into_the_book() {
    let all = ALL.map(|fault| async move { (fault, story(&[fault], true).await) });
    for (fault, (lost, _)) in futures_util::future::join_all(all).await {
        let ends = matches!(
            fault,
            Fault::HalfOpen | Fault::Closes | Fault::Garbage | Fault::Truncated | Fault::FutureSlot
        );
        assert_eq!(!lost.is_empty(), ends, "{fault:?}: {lost:?}");
    }
}

#[tokio::test]
async fn when_a_stream_breaks_the_next_endpoint_is_tried() {
    for fault in [Fault::HalfOpen, Fault::FutureSlot] {
        // No regular answer helps: only the other stream brings what has changed.
        let (lost, connections) = story(&[fault, Fault::Nothing], false).await;
        assert_eq!(connections.len(), 2);
        assert!(connections.iter().all(|count| *count >= 1), "{fault:?}: {connections:?}");
        assert!(!lost.is_empty());
    }
}
