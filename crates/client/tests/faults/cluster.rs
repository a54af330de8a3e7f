//! A scripted cluster: what was handed in, what landed, how high it is. Time passes by being asked, so that no test waits for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use ballast_client::{Pubkey, Signature, VersionedTransaction};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Blocks in which a transaction can land after its blockhash.
const LIFE: u64 = 150;
const BLOCKHASH: &str = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR";

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    Landed { slot: u64 },
    Failed { slot: u64 },
    Lost,
}

#[derive(Debug, Default)]
pub struct Cluster {
    pub height: u64,
    /// By signature: all bytes that were handed in.
    pub sent: BTreeMap<Signature, BTreeSet<Vec<u8>>>,
    landed: BTreeMap<Signature, (u64, bool)>,
    /// How often nodes, and not an engine, were handed something.
    pub public: u64,
    /// What every account holds, from which height on.
    pub written: Vec<(u64, u8)>,
    /// Of a hundred.
    pub lost: u64,
    pub fails: u64,
    /// No time passes.
    pub still: bool,
    /// What was asked.
    pub asked: BTreeSet<String>,
    random: u64,
}

#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<Cluster>>);

impl Shared {
    pub fn new(seed: u64, lost: u64, fails: u64) -> Self {
        Self(Arc::new(Mutex::new(Cluster {
            height: 1_000,
            lost,
            fails,
            random: seed,
            ..Cluster::default()
        })))
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut Cluster) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

/// splitmix64.
pub fn draw(random: &mut u64) -> u64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *random;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Cluster {
    /// The same for every try of a transaction, so that some are lost however often they are sent.
    fn chance(&self, signature: &Signature, percent: u64) -> bool {
        let first = signature.as_ref().first_chunk().copied();
        let mut random = self.random ^ u64::from_le_bytes(first.unwrap());
        draw(&mut random) % 100 < percent
    }

    pub fn truth(&self, signature: &Signature) -> Truth {
        match self.landed.get(signature) {
            Some((slot, true)) => Truth::Landed { slot: *slot },
            Some((slot, false)) => Truth::Failed { slot: *slot },
            None => Truth::Lost,
        }
    }

    /// A transaction is handed in; it can land up to its last valid height.
    pub fn take(&mut self, text: &str) -> Value {
        let bytes = STANDARD.decode(text).unwrap();
        let transaction: VersionedTransaction = bincode::deserialize(&bytes).unwrap();
        let signature = transaction.signatures[0];
        self.sent.entry(signature).or_default().insert(bytes);
        // All are signed on the first blockhash.
        let valid = self.height <= 1_000 + LIFE;
        let lost = self.chance(&signature, self.lost);
        if valid && !self.landed.contains_key(&signature) && !lost {
            let succeeds = !self.chance(&signature, self.lost + self.fails);
            self.landed.insert(signature, (self.height, succeeds));
        }
        json!(signature.to_string())
    }

    /// A right answer, as a node that is so many blocks behind has it.
    pub fn answer(&mut self, method: &str, params: &Value, lag: u64) -> Value {
        self.asked.insert(method.to_owned());
        if self.still
            && let Some(answer) = constant(method, params, self.height)
        {
            return answer;
        }
        let height = self.height.saturating_sub(lag);
        let context = json!({ "slot": height, "apiVersion": "3.1.0" });
        match method {
            "getSlot" => json!(height),
            "getBlockHeight" => {
                self.height += if self.still { 0 } else { 5 };
                json!(height)
            }
            "getLatestBlockhash" => json!({
                "context": context,
                "value": { "blockhash": BLOCKHASH, "lastValidBlockHeight": 1_000 + LIFE },
            }),
            "getMultipleAccounts" => {
                self.height += 1;
                let written = self.written.iter().rev();
                let held = written.clone().find(|(since, _)| *since <= height);
                let account = account(held.map_or(0, |(_, byte)| *byte));
                let asked = params[0].as_array().unwrap();
                json!({ "context": context, "value": vec![account; asked.len()] })
            }
            "sendTransaction" => {
                self.public += 1;
                self.take(params[0].as_str().unwrap())
            }
            "getSignatureStatuses" => {
                let of = |text: &Value| {
                    let signature: Signature = text.as_str().unwrap().parse().unwrap();
                    let found = self.landed.get(&signature);
                    let found = found.filter(|(slot, _)| *slot <= height);
                    found.map(|(slot, succeeds)| {
                        let error = (!succeeds)
                            .then(|| json!({ "InstructionError": [1, { "Custom": 6_000 }] }));
                        status(*slot, error)
                    })
                };
                let all: Vec<_> = params[0].as_array().unwrap().iter().map(of).collect();
                json!({ "context": context, "value": all })
            }
            "getTransaction" => {
                let signature: Signature = params[0].as_str().unwrap().parse().unwrap();
                match self.landed.get(&signature) {
                    None => Value::Null,
                    Some((slot, succeeds)) => record(*slot, *succeeds),
                }
            }
            other => panic!("{other} is not asked"),
        }
    }
}

/// What is answered in the same way every time, of what no story asks.
fn constant(method: &str, params: &Value, height: u64) -> Option<Value> {
    let context = json!({ "slot": height, "apiVersion": "3.1.0" });
    let past = |number: u8, error: Value| {
        json!({ "signature": Signature::from([number; 64]).to_string(), "slot": height - u64::from(number), "err": error,
            "memo": null, "blockTime": 5, "confirmationStatus": "confirmed" })
    };
    Some(match method {
        "getMultipleAccounts" => {
            let asked = params[0].as_array()?.iter().enumerate();
            let held = asked.map(|(index, address)| match address.as_str() {
                Some("SysvarC1ock11111111111111111111111111111111") => clock(height),
                _ => account(index as u8 + 1),
            });
            json!({ "context": context, "value": held.collect::<Vec<_>>() })
        }
        "getProgramAccounts" => {
            let keyed = |byte: u8| {
                let key = Pubkey::new_from_array([byte; 32]).to_string();
                json!({ "pubkey": key, "account": account(byte) })
            };
            json!({ "context": context, "value": [keyed(1), keyed(2), keyed(3)] })
        }
        "simulateTransaction" => json!({ "context": context, "value": {
            "err": null, "logs": ["Program log: done"], "accounts": null, "unitsConsumed": 1_234,
            "returnData": { "programId": ballast_client::ballast::ID.to_string(), "data": ["AQI=", "base64"] } } }),
        "getSignaturesForAddress" => {
            let failed = json!({ "InstructionError": [1, { "Custom": 6_000 }] });
            let all = [past(1, Value::Null), past(2, failed), past(3, Value::Null)];
            let limit = params[1]["limit"].as_u64()? as usize;
            json!(all[..limit.min(all.len())])
        }
        "getRecentPrioritizationFees" => json!([
            { "slot": height - 1, "prioritizationFee": 10 },
            { "slot": height, "prioritizationFee": 20 },
        ]),
        "getMinimumBalanceForRentExemption" => json!(890_880 + 6_960 * params[0].as_u64()?),
        "getFirstAvailableBlock" => json!(height - 500),
        "getGenesisHash" => json!(BLOCKHASH),
        "getTipAccounts" => json!([Pubkey::new_from_array([77; 32]).to_string()]),
        _ => return None,
    })
}

fn clock(height: u64) -> Value {
    let mut data = [0; 40];
    data[..8].copy_from_slice(&height.to_le_bytes());
    data[32..].copy_from_slice(&1_700_000_000_u64.to_le_bytes());
    let mut clock = account(0);
    clock["data"][0] = json!(STANDARD.encode(data));
    clock
}

/// An account that holds one byte.
pub fn account(byte: u8) -> Value {
    json!({ "lamports": 1, "owner": ballast_client::ballast::ID.to_string(), "executable": false, "rentEpoch": 0, "space": 1,
        "data": [STANDARD.encode([byte]), "base64"] })
}

/// One signature, of a message without instructions: what is in it is not looked at.
const EMPTY: &str = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn record(slot: u64, succeeds: bool) -> Value {
    let error = (!succeeds).then(|| json!({ "InstructionError": [1, { "Custom": 6_000 }] }));
    let outcome = match &error {
        None => json!({ "Ok": null }),
        Some(error) => json!({ "Err": error }),
    };
    json!({ "slot": slot, "blockTime": 5, "transaction": [EMPTY, "base64"], "meta": {
        "err": error, "status": outcome, "fee": 5_000, "preBalances": [], "postBalances": [], "logMessages": [],
        "innerInstructions": null, "preTokenBalances": null, "postTokenBalances": null, "rewards": null } })
}

pub fn status(slot: u64, error: Option<Value>) -> Value {
    let outcome = match &error {
        None => json!({ "Ok": null }),
        Some(error) => json!({ "Err": error }),
    };
    json!({ "slot": slot, "confirmations": 1, "err": error, "status": outcome, "confirmationStatus": "confirmed" })
}
