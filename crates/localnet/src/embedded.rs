//! A node in process, with real JSON-RPC and websockets.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use ballast_client::{Account, Chain, Keypair, Pubkey, RpcChain};
use surfpool_sdk::{
    BlockProductionMode, SimnetCommand, Surfnet,
    cheatcodes::builders::{DeployProgram, SetAccount},
};
use tokio::{
    runtime,
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

use crate::{
    keys,
    localnet::{Endpoints, Localnet},
    programs::Programs,
};

const PAYER_LAMPORTS: u64 = 100_000_000_000_000;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Name of the runbook that keeps the node from profiling every instruction.
const NO_PROFILES: &str = "no-instruction-profiles";
/// How often a start is tried.
const STARTS: u32 = 4;
/// A start takes a second or two, on a busy machine ten.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A node in process. Its clock runs with the machine's, a slot every `slot_ms`, and can be moved on.
pub struct EmbeddedNode {
    node: Surfnet,
    chain: RpcChain,
    endpoints: Endpoints,
    payer: Keypair,
    programs: Programs,
    slot_ms: u64,
}

impl EmbeddedNode {
    /// Starts a node with the programs of [`Programs::find`].
    ///
    /// # Errors
    /// If a program is missing or the node does not start.
    pub async fn start(slot_ms: u64) -> Result<Self> {
        Self::with_programs(slot_ms, Programs::find()?).await
    }

    /// Starts a node with these programs.
    ///
    /// # Errors
    /// If the node does not start or refuses a program.
    pub async fn with_programs(slot_ms: u64, programs: Programs) -> Result<Self> {
        let payer = keys::named("payer");
        let node = started(slot_ms, &payer).await?;
        // Else it runs each transaction once more for every instruction, each time on a copy of all that it remembers, and becomes
        // slower with every transaction. While a runbook is executed it does not, and this one never ends.
        node.send_command(SimnetCommand::StartRunbookExecution(NO_PROFILES.into()))
            .context("telling the embedded node not to profile instructions")?;
        for program in programs.all() {
            let deploy = DeployProgram::new(program.id).so_bytes(program.bytes()?);
            blocking(|| node.cheatcodes().deploy(deploy))
                .with_context(|| format!("the embedded node refuses {}", program.file.display()))?;
        }
        let endpoints = Endpoints {
            rpc_url: node.rpc_url().into(),
            ws_url: node.ws_url().into(),
        };
        Ok(Self {
            chain: RpcChain::new(&endpoints.rpc_url, REQUEST_TIMEOUT),
            node,
            endpoints,
            payer,
            programs,
            slot_ms,
        })
    }

    /// Milliseconds per slot.
    pub fn slot_ms(&self) -> u64 {
        self.slot_ms
    }
}

/// A node that has started. It picks its ports and binds them later. If somebody took one meanwhile, it waits for ever for a node
/// that has ended, so the wait is bounded here and another is started.
async fn started(slot_ms: u64, payer: &Keypair) -> Result<Surfnet> {
    let mut last = None;
    for _ in 0..STARTS {
        let builder = Surfnet::builder()
            .offline(true)
            .block_production_mode(BlockProductionMode::Clock)
            .slot_time_ms(slot_ms)
            .airdrop_sol(PAYER_LAMPORTS)
            .payer(payer.insecure_clone());
        let (done, started) = oneshot::channel();
        // A thread of its own, which nobody waits for at the end: the start blocks, and a runtime would wait for its blocking tasks.
        std::thread::Builder::new()
            .name("embedded-start".into())
            .spawn(move || {
                // Its client may only block where a runtime has other threads.
                let runtime = runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .build();
                let node = runtime
                    .map_err(|error| error.to_string())
                    .and_then(|runtime| {
                        let start = runtime.block_on(builder.start());
                        start.map_err(|error| error.to_string())
                    });
                // Who has given up takes no node, which then ends.
                drop(done.send(node));
            })
            .context("no thread for the embedded node")?;
        last = Some(match timeout(START_WITHIN, started).await {
            Ok(Ok(Ok(node))) => return Ok(node),
            Ok(Ok(Err(error))) => error,
            Ok(Err(_)) => "its start panicked".to_owned(),
            Err(_) => format!("it was not ready within {START_WITHIN:?}"),
        });
    }
    let last = last.unwrap_or_default();
    bail!("the embedded node did not start, tried {STARTS} times; the last time: {last}")
}

/// The node's own client blocks, which a task must not do.
fn blocking<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let handle = scope.spawn(call);
        match handle.join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[async_trait]
impl Localnet for EmbeddedNode {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn chain(&self) -> Arc<dyn Chain> {
        Arc::new(self.chain.clone())
    }

    fn endpoints(&self) -> Option<&Endpoints> {
        Some(&self.endpoints)
    }

    fn payer(&self) -> &Keypair {
        &self.payer
    }

    fn programs(&self) -> &Programs {
        &self.programs
    }

    fn poll(&self) -> Duration {
        Duration::from_millis((self.slot_ms / 4).clamp(5, 100))
    }

    fn moves_time(&self) -> bool {
        true
    }

    async fn pass_time(&self, secs: u64) -> Result<()> {
        let start = self.chain.clock().await?.now_secs;
        let until = start.saturating_add(i64::try_from(secs).unwrap_or(i64::MAX));
        let until_ms = u64::try_from(until)?.saturating_mul(1_000);
        let moved = blocking(|| self.node.cheatcodes().time_travel_to_timestamp(until_ms));
        // Refused where the clock, which goes on, is there already.
        let now = self.chain.clock().await?.now_secs;
        anyhow::ensure!(
            now >= until,
            "the embedded node's clock stands at {now}, {until} was asked for: {moved:?}"
        );
        Ok(())
    }

    async fn set_account(&self, address: &Pubkey, account: Account) -> Result<()> {
        let write = SetAccount::new(*address)
            .lamports(account.lamports)
            .owner(account.owner)
            .data(account.data);
        blocking(|| self.node.cheatcodes().execute(write))
            .with_context(|| format!("the embedded node refuses account {address}"))
    }
}

/// Waits until the cluster's clock has advanced by `secs`. Gives up when it runs at less than a fifth of real time.
pub(crate) async fn wait_for_clock(chain: &dyn Chain, secs: u64) -> Result<()> {
    let start = chain.clock().await?.now_secs;
    let until = start.saturating_add(i64::try_from(secs).unwrap_or(i64::MAX));
    let deadline = Instant::now() + Duration::from_secs(secs.saturating_mul(5).saturating_add(10));
    loop {
        let now = chain.clock().await?.now_secs;
        if now >= until {
            return Ok(());
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "the cluster's clock stands at {now}, {until} was waited for"
        );
        sleep(Duration::from_millis(50)).await;
    }
}
