//! A price service on this machine that speaks Hermes' HTTP, with prices that are told to it and signatures that only the
//! stand-in receiver takes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use ballast_abi::pyth::{PriceMessage, stand_in::forged_update};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

/// Depth of the tree, as it is with about two thousand feeds.
const DEPTH: u32 = 11;
/// Nobody is waited for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HermesAnswer {
    /// The prices of the feeds asked for, as Hermes does.
    Prices,
    /// These bytes, header and all.
    Raw(Vec<u8>),
    /// These bytes, and then nothing, with the connection left open.
    Stalls(Vec<u8>),
}

/// See the module's description. It ends when it is dropped.
pub struct HermesServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    prices: Vec<PriceMessage>,
    answer: HermesAnswer,
    /// First lines of what was asked.
    asked: Vec<String>,
    /// Connections that are kept open.
    stalled: Vec<TcpStream>,
    slot: u64,
    ends: bool,
}

impl HermesServer {
    /// A service on a free port, without prices.
    ///
    /// # Errors
    /// If there is no free port.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        let address = listener.local_addr().context("no port")?;
        let state = Arc::new(Mutex::new(State {
            prices: Vec::new(),
            answer: HermesAnswer::Prices,
            asked: Vec::new(),
            stalled: Vec::new(),
            slot: 0,
            ends: false,
        }));
        let shared = Arc::clone(&state);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if lock(&shared).ends {
                    return;
                }
                // Who breaks off is not answered.
                let _ = stream.and_then(|stream| serve(stream, &shared));
            }
        });
        Ok(Self {
            address,
            state,
            thread: Some(thread),
        })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Publishes prices in place of all earlier ones.
    pub fn publish(&self, prices: Vec<PriceMessage>) {
        let mut state = lock(&self.state);
        state.slot += 1;
        state.prices = prices;
    }

    /// Answers like that from now on.
    pub fn answer(&self, answer: HermesAnswer) {
        lock(&self.state).answer = answer;
    }

    /// What was asked since the last time, the first line of each request.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.state).asked)
    }
}

impl Drop for HermesServer {
    fn drop(&mut self) {
        lock(&self.state).ends = true;
        // Wakes it up.
        let woken = TcpStream::connect_timeout(&self.address, PATIENCE);
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(65_536));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
    }
    let mut state = lock(state);
    state.asked.push(first.trim().to_owned());
    let answer = match &state.answer {
        HermesAnswer::Prices => state.prices(&first),
        HermesAnswer::Raw(bytes) => bytes.clone(),
        HermesAnswer::Stalls(bytes) => {
            stream.write_all(&bytes.clone())?;
            state.stalled.push(stream);
            return Ok(());
        }
    };
    drop(state);
    stream.write_all(&answer)
}

impl State {
    /// As Hermes: 404 if one of the feeds asked for is not known.
    fn prices(&self, request: &str) -> Vec<u8> {
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !path.ends_with("/v2/updates/price/latest") {
            return answer("404 Not Found", "");
        }
        let query = query.replace("%5B%5D", "[]");
        let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key));
        let asked: Vec<_> = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("ids[]="))
            .collect();
        let found: Option<Vec<PriceMessage>> = asked
            .iter()
            .map(|id| {
                let mut prices = self.prices.iter();
                prices.find(|price| hex(&price.feed_id) == *id).copied()
            })
            .collect();
        let Some(found) = found else {
            return answer("404 Not Found", "Price ids not found");
        };
        if value("encoding=") != Some("base64") {
            return answer("400 Bad Request", "this one only speaks base64");
        }
        let keccak = |parts: &[&[u8]]| solana_keccak_hasher::hashv(parts).to_bytes();
        let data = STANDARD.encode(forged_update(&found, DEPTH, self.slot, keccak));
        let mut body = json!({"binary": {"encoding": "base64", "data": [data]}});
        if value("parsed=") != Some("false") {
            body["parsed"] = found.iter().map(|price| self.parsed(price)).collect();
        }
        answer("200 OK", &body.to_string())
    }

    fn parsed(&self, price: &PriceMessage) -> serde_json::Value {
        let of = |value: i64, conf: u64| {
            json!({
                "price": value.to_string(),
                "conf": conf.to_string(),
                "expo": price.exponent,
                "publish_time": price.publish_time,
            })
        };
        json!({
            "id": hex(&price.feed_id),
            "price": of(price.price, price.conf),
            "ema_price": of(price.ema_price, price.ema_conf),
            "metadata": {
                "slot": self.slot,
                "proof_available_time": price.publish_time,
                "prev_publish_time": price.previous_publish_time,
            },
        })
    }
}

/// An HTTP answer that closes the connection.
fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
