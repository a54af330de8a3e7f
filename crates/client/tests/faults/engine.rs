//! A block engine on this machine that speaks Jito's JSON-RPC, and does with bundles what engines do.

use std::sync::{Arc, Mutex};

use ballast_client::{Pubkey, VersionedTransaction, tip_lamports};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::{
    cluster::{Shared, Truth},
    proxy::{question, write},
};

/// What it does with bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Brings them into a block, and says so.
    Lands,
    /// The same, but the answer to the bundle never comes.
    LandsUnheard,
    /// Neither an answer nor a block.
    Hangs,
    /// 429.
    TooMany,
    /// An error of its program.
    Refuses,
    /// No JSON.
    Garbage,
    /// A name that is none.
    Nameless,
    /// Takes them, and nothing comes of it.
    NeverLands,
    /// The same, but it says that they are in a block.
    Lies,
}

pub const DEEDS: [Deed; 9] = [
    Deed::Lands,
    Deed::LandsUnheard,
    Deed::Hangs,
    Deed::TooMany,
    Deed::Refuses,
    Deed::Garbage,
    Deed::Nameless,
    Deed::NeverLands,
    Deed::Lies,
];

/// What it was asked.
#[derive(Debug, Default)]
pub struct Heard {
    pub bundles: Vec<VersionedTransaction>,
    pub statuses: usize,
}

#[derive(Clone)]
pub struct Engine {
    pub url: String,
    pub tip_accounts: Vec<Pubkey>,
    deed: Arc<Mutex<Deed>>,
    heard: Arc<Mutex<Heard>>,
    cluster: Shared,
}

impl Engine {
    pub async fn start(cluster: &Shared, deed: Deed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap();
        let engine = Self {
            url: format!("http://{host}/api/v1/bundles?uuid=SECRET-0123456789"),
            tip_accounts: vec![
                Pubkey::new_from_array([77; 32]),
                Pubkey::new_from_array([78; 32]),
            ],
            deed: Arc::new(Mutex::new(deed)),
            heard: Arc::default(),
            cluster: cluster.clone(),
        };
        let serving = engine.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().reply(stream));
            }
        });
        engine
    }

    /// From now on it does this.
    pub fn will(&self, deed: Deed) {
        *self.deed.lock().unwrap() = deed;
    }

    pub fn heard<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().unwrap())
    }

    async fn reply(self, mut stream: TcpStream) {
        let Some(asked) = question(&mut stream).await else {
            return;
        };
        let deed = *self.deed.lock().unwrap();
        let params = &asked["params"];
        let result = match asked["method"].as_str().unwrap() {
            "getTipAccounts" => {
                let accounts = self.tip_accounts.iter().map(ToString::to_string);
                json!(accounts.collect::<Vec<_>>())
            }
            "getBundleStatuses" => self.statuses(deed, params),
            "sendBundle" => {
                let named = self.bundle(deed, params);
                match deed {
                    Deed::LandsUnheard | Deed::Hangs => std::future::pending().await,
                    Deed::TooMany => return write(stream, 429, "retry-after: 1\r\n", "").await,
                    Deed::Garbage => return write(stream, 200, "", "<html>hello</html>").await,
                    Deed::Nameless => json!({ "bundle": named }),
                    Deed::Refuses => {
                        let error = json!({ "code": -32602, "message": "bundle already expired" });
                        let body = json!({ "jsonrpc": "2.0", "id": asked["id"], "error": error });
                        return write(stream, 200, "", &body.to_string()).await;
                    }
                    Deed::Lands | Deed::NeverLands | Deed::Lies => json!(named),
                }
            }
            other => panic!("{other} is not asked of an engine"),
        };
        let body = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }).to_string();
        write(stream, 200, "", &body).await;
    }

    /// One transaction that tips; its name is its signature.
    fn bundle(&self, deed: Deed, params: &Value) -> String {
        assert_eq!(params[1], json!({ "encoding": "base64" }));
        let all = params[0].as_array().unwrap();
        assert_eq!(all.len(), 1, "a bundle of more than one");
        let text = all[0].as_str().unwrap();
        let bytes = STANDARD.decode(text).unwrap();
        let transaction: VersionedTransaction = bincode::deserialize(&bytes).unwrap();
        let tip = tip_lamports(&transaction, &self.tip_accounts);
        assert!(tip.is_some_and(|tip| tip >= 1_000), "{tip:?}");
        if matches!(deed, Deed::Lands | Deed::LandsUnheard) {
            self.cluster.with(|cluster| cluster.take(text));
        }
        let name = transaction.signatures[0].to_string();
        self.heard.lock().unwrap().bundles.push(transaction);
        name
    }

    fn statuses(&self, deed: Deed, params: &Value) -> Value {
        self.heard.lock().unwrap().statuses += 1;
        let name = params[0][0].as_str().unwrap();
        let signature = name.parse().unwrap();
        let landed = match self.cluster.with(|cluster| cluster.truth(&signature)) {
            Truth::Landed { slot } | Truth::Failed { slot } => Some(slot),
            Truth::Lost => (deed == Deed::Lies).then_some(1),
        };
        let value: Vec<Value> = landed
            .iter()
            .map(|slot| {
                json!({ "bundle_id": name, "transactions": [name], "slot": slot,
                    "confirmation_status": "confirmed", "err": { "Ok": null } })
            })
            .collect();
        json!({ "context": { "slot": 1 }, "value": value })
    }
}
