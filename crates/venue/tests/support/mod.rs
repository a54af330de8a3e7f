//! A stand-in with one market, an account, and our client for it.
#![allow(dead_code, reason = "every test file takes what it needs")]

use ballast_venue::{
    clock::{Clock, ManualClock},
    depth::{Depth, Level},
    hyperliquid::{
        bytes::Address,
        client::{Hyperliquid, Settings, Signer},
        nonce::Nonces,
        sign::{Network, PrivateKey},
    },
    instrument::Instrument,
    paper::{
        exchange::{Exchange, Fees},
        venue::Tape,
    },
    standin::{StandIn, faults::Faults},
};
use rust_decimal::Decimal;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;

pub const START_MS: u64 = 1_795_000_000_000;

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Levels a tenth of a percent apart.
pub fn depth(index: Decimal, size: Decimal, instrument: &Instrument) -> Depth {
    let level = |step: i64| {
        let price = index * (Decimal::ONE + Decimal::new(step, 3));
        let price = if step < 0 {
            instrument.price_down(price)
        } else {
            instrument.price_up(price)
        };
        Level { price, size }
    };
    Depth {
        bids: (1..=5).map(|step| level(-step)).collect(),
        asks: (1..=5).map(level).collect(),
    }
}

pub struct World {
    pub clock: Arc<ManualClock>,
    pub tape: Arc<Mutex<Tape>>,
    pub faults: Arc<Mutex<Faults>>,
    pub stand_in: StandIn,
    pub owner: Address,
    pub agent: PrivateKey,
    pub folder: TempDir,
    pub http: reqwest::Client,
}

pub fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl World {
    pub async fn new(faults: Faults, http: reqwest::Client) -> Self {
        let clock = Arc::new(ManualClock::at(START_MS));
        let key = |number: u8| PrivateKey::from_hex(&format!("0x{number:064x}")).unwrap();
        let (owner, agent) = (key(1).address(), key(2));
        let sol = Instrument {
            coin: "SOL".into(),
            asset: 0,
            size_places: 2,
            max_leverage: 20,
        };
        let mut exchange = Exchange::new(START_MS, Fees::default(), [sol.clone()]);
        exchange.deposit(owner, 100_000.into());
        exchange.set_depth(0, 100.into(), depth(100.into(), 100.into(), &sol));
        let tape = Arc::new(Mutex::new(Tape::new(exchange, [])));
        let faults = Arc::new(Mutex::new(faults));
        let stand_in = StandIn::start(
            0,
            Network::Testnet,
            tape.clone(),
            clock.clone(),
            faults.clone(),
        )
        .await
        .unwrap();
        stand_in.set_agent(agent.address(), Some(owner));
        Self {
            clock,
            tape,
            faults,
            stand_in,
            owner,
            agent,
            folder: tempfile::tempdir().unwrap(),
            http,
        }
    }

    /// Our client, as after a restart.
    pub fn client(&self) -> Hyperliquid {
        let settings = Settings {
            url: self.stand_in.url(),
            network: Network::Testnet,
            account: self.owner,
            vault: None,
            timeout: Duration::from_secs(10),
        };
        let nonces = Nonces::open(&self.folder.path().join("nonce")).unwrap();
        Hyperliquid::new(
            settings,
            self.http.clone(),
            Some(Signer {
                agent: self.agent.clone(),
                nonces,
            }),
            self.clock.clone(),
        )
    }

    pub fn exchange<T>(&self, what: impl FnOnce(&mut Exchange) -> T) -> T {
        what(self.tape.lock().unwrap().at(self.clock.now_ms()))
    }
}
