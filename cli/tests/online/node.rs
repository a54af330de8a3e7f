//! A node with a market, and `ballast` pointed at it.

use std::{path::PathBuf, sync::Arc};

use ballast_client::{Amounts, BallastError, Keypair, Signer};
use ballast_localnet::{EmbeddedNode, Localnet, Trader, World, WorldConfig, keys};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{self, Run};
pub use crate::common::{OPEN, decimal as number};

/// Milliseconds per slot.
const SLOT_MS: u64 = 50;
/// A node and a place for key files.
pub struct Node {
    pub net: Arc<dyn Localnet>,
    keys: TempDir,
}

impl Node {
    pub async fn start() -> Self {
        Self::on(Arc::new(EmbeddedNode::start(SLOT_MS).await.unwrap()))
    }

    /// On a cluster that is there already.
    pub fn on(net: Arc<dyn Localnet>) -> Self {
        Self {
            net,
            keys: tempfile::tempdir().unwrap(),
        }
    }

    pub async fn world(&self) -> World {
        World::new(self.net.clone(), WorldConfig::standard().unwrap())
            .await
            .unwrap()
    }

    /// A key as a file.
    pub fn key_file(&self, key: &Keypair) -> PathBuf {
        let path = self.keys.path().join(format!("{}.json", key.pubkey()));
        keys::write(key, &path).unwrap();
        path
    }

    /// Runs `ballast` as the owner of a key who has agreed to what it sends.
    pub async fn ballast(&self, key: &Keypair, arguments: &[&str]) -> Run {
        self.unagreed(key, &[&["--yes"], arguments].concat()).await
    }

    /// Runs `ballast` as the owner of a key; there is no terminal to ask on.
    pub async fn unagreed(&self, key: &Keypair, arguments: &[&str]) -> Run {
        let endpoints = self.net.endpoints().unwrap();
        let key = self.key_file(key);
        let mut line = vec!["--url", &endpoints.rpc_url, "--ws-url", &endpoints.ws_url];
        line.extend(["--keypair", key.to_str().unwrap()]);
        line.extend(arguments);
        let line: Vec<String> = line.into_iter().map(str::to_owned).collect();
        // The node needs this task's thread.
        tokio::task::spawn_blocking(move || {
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            common::run(&line)
        })
        .await
        .unwrap()
    }

    /// Runs `ballast --json` and expects success.
    pub async fn json(&self, key: &Keypair, arguments: &[&str]) -> Value {
        let run = self.ballast(key, &[&["--json"], arguments].concat()).await;
        assert_eq!(run.code, 0, "{arguments:?}: {}{}", run.out, run.err);
        run.json()
    }

    /// Runs `ballast` and expects it to fail; returns what it says.
    pub async fn refused(&self, key: &Keypair, arguments: &[&str]) -> String {
        let run = self.ballast(key, arguments).await;
        assert!(
            matches!(run.code, 1..=5) && run.err.contains("error: "),
            "{arguments:?}: {}{}{}",
            run.code,
            run.out,
            run.err
        );
        assert!(!run.err.contains("panicked"), "{}", run.err);
        run.err
    }

    /// Runs `ballast` and expects the program to refuse with that error; returns what it says. Exit codes tell a refusal from
    /// what is not due.
    pub async fn refused_by_program(
        &self,
        key: &Keypair,
        arguments: &[&str],
        error: BallastError,
    ) -> String {
        let run = self.ballast(key, arguments).await;
        let said = run.out + &run.err;
        let codes = if error.name().ends_with("NotDue") {
            5..=5
        } else if matches!(error, BallastError::ZeroAmount) {
            // No amount was named.
            2..=5
        } else {
            4..=5
        };
        assert!(
            codes.contains(&run.code),
            "{arguments:?}: {}: {said}",
            run.code
        );
        // What to do stands on a line of its own.
        let expected = format!("{}: {error}", error.name());
        let mut parts = expected.split([':', ';']).map(str::trim);
        assert!(
            parts.all(|part| said.contains(part) || part.starts_with("the log names"))
                && said.contains("help: "),
            "{arguments:?}: {said}"
        );
        assert!(!said.contains("panicked"), "{said}");
        said
    }
}

/// Somebody with some tokens of a world.
pub async fn trader(world: &World, name: &str) -> Trader {
    let funds = Amounts::new(5_000_000_000, 1_000_000_000);
    world.trader(name, funds).await.unwrap()
}

/// Opens [`OPEN`]; the position's address.
pub async fn opened(node: &Node, by: &Keypair) -> String {
    let opened = node.json(by, &OPEN).await;
    let address = &opened["position"]["position"];
    address.as_str().unwrap().to_owned()
}
