//! A `solana-test-validator` process.

use std::{
    io::Write,
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use ballast_client::{Account, Chain, Keypair, Pubkey, RpcChain, Signer};
use base64::{Engine, prelude::BASE64_STANDARD};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{
    embedded::wait_for_clock,
    keys,
    localnet::{Endpoints, Localnet},
    process::Process,
    programs::Programs,
};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// On a busy machine of two cores it takes seconds.
const START_TIMEOUT: Duration = Duration::from_secs(90);
const STARTS: usize = 3;
/// Ports of one validator: RPC, its websocket, faucet, gossip, then those that it chooses among.
const PORTS: u16 = 64;
/// What its ledger keeps: hours of transactions, where its default forgets those of three minutes ago.
const LEDGER_SHREDS: u32 = 1_000_000;
/// Half of the 64 ticks that a slot has otherwise.
const SHORT_SLOT_TICKS: u64 = 32;
/// Where to look for them: below the range from which the system gives out ports.
const PORT_RANGE: std::ops::Range<u16> = 10_240..32_000;

/// A `solana-test-validator`: the program named by `BALLAST_VALIDATOR`, else the one in `PATH`. It is killed when this is
/// dropped, also by a test that fails, and when this process ends in whatever way. Its ledger is removed when this is dropped.
pub struct TestValidator {
    chain: RpcChain,
    endpoints: Endpoints,
    payer: Keypair,
    programs: Programs,
    // Fields are dropped in this order: first the process, then its directory, then its ports.
    process: Process,
    directory: TempDir,
    _ports: Ports,
}

/// How to start one.
struct Options<'a> {
    programs: Programs,
    /// There from the first slot on.
    accounts: &'a [(Pubkey, Account)],
    ticks_per_slot: Option<u64>,
}

impl TestValidator {
    /// Starts a validator with the programs of [`Programs::find`].
    ///
    /// # Errors
    /// If there is no such program, or it is not healthy within 90 seconds; with the end of its log.
    pub async fn start() -> Result<Self> {
        Self::with_programs(Programs::find()?).await
    }

    /// As [`TestValidator::start`], with these accounts there from the first slot on.
    ///
    /// # Errors
    /// As [`TestValidator::start`].
    pub async fn with_accounts(accounts: &[(Pubkey, Account)]) -> Result<Self> {
        Self::with_programs_and_accounts(Programs::find()?, accounts).await
    }

    /// Starts a validator with these programs, and with these accounts there from the first slot on.
    ///
    /// # Errors
    /// As [`TestValidator::start`].
    pub async fn with_programs_and_accounts(
        programs: Programs,
        accounts: &[(Pubkey, Account)],
    ) -> Result<Self> {
        let options = Options {
            programs,
            accounts,
            ticks_per_slot: None,
        };
        Self::launch(options).await
    }

    /// As [`TestValidator::start`], or `None` if the environment variable `BALLAST_NO_VALIDATOR` is set, which is said on
    /// standard error, also by tests that pass.
    ///
    /// # Errors
    /// As [`TestValidator::start`].
    pub async fn start_unless_left_out() -> Result<Option<Self>> {
        if std::env::var_os("BALLAST_NO_VALIDATOR").is_none() {
            return Self::start().await.map(Some);
        }
        // Not by a macro, whose output the test harness keeps to itself.
        let note = "SKIPPED: BALLAST_NO_VALIDATOR leaves out what needs solana-test-validator";
        writeln!(std::io::stderr(), "{note}").context("cannot write to standard error")?;
        Ok(None)
    }

    /// Starts a validator with these programs.
    ///
    /// # Errors
    /// As [`TestValidator::start`].
    pub async fn with_programs(programs: Programs) -> Result<Self> {
        Self::with_programs_and_accounts(programs, &[]).await
    }

    /// As [`TestValidator::start`], with slots of half the usual length: transactions are confirmed in half the time, and
    /// their blockhashes expire in half a minute.
    ///
    /// # Errors
    /// As [`TestValidator::start`].
    pub async fn with_short_slots() -> Result<Self> {
        let options = Options {
            programs: Programs::find()?,
            accounts: &[],
            ticks_per_slot: Some(SHORT_SLOT_TICKS),
        };
        Self::launch(options).await
    }

    async fn launch(options: Options<'_>) -> Result<Self> {
        let binary = binary()?;
        let mut attempt = 1;
        loop {
            match Self::try_start(&binary, &options).await {
                // Somebody may have taken a port in between.
                Err(error) if attempt < STARTS && error.to_string().contains("in use") => {
                    attempt += 1
                }
                result => return result,
            }
        }
    }

    async fn try_start(binary: &Path, options: &Options<'_>) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("ballast-validator-")
            .tempdir()?;
        let ports = Ports::find()?;
        let payer = keys::named("payer");
        let mut arguments: Vec<String> = ["--reset", "--quiet", "--bind-address", "127.0.0.1"]
            .map(Into::into)
            .into();
        let mut option = |name: &str, value: String| arguments.extend([name.into(), value]);
        option(
            "--ledger",
            directory.path().join("ledger").display().to_string(),
        );
        option("--mint", payer.pubkey().to_string());
        option("--rpc-port", ports.rpc().to_string());
        option("--faucet-port", ports.faucet().to_string());
        option("--gossip-port", ports.gossip().to_string());
        option("--dynamic-port-range", ports.dynamic());
        option("--limit-ledger-size", LEDGER_SHREDS.to_string());
        if let Some(ticks) = options.ticks_per_slot {
            option("--ticks-per-slot", ticks.to_string());
        }
        for program in options.programs.all() {
            let file = program.file.display().to_string();
            arguments.extend([
                "--upgradeable-program".into(),
                program.id.to_string(),
                file,
                payer.pubkey().to_string(),
            ]);
        }
        for (address, account) in options.accounts {
            let file = directory.path().join(format!("{address}.json"));
            std::fs::write(&file, account_json(address, account).to_string())
                .with_context(|| format!("cannot write {}", file.display()))?;
            let file = file.display().to_string();
            arguments.extend(["--account".into(), address.to_string(), file]);
        }
        let process = Process::start(binary, &arguments, &directory.path().join("output"))?;
        let endpoints = Endpoints {
            rpc_url: format!("http://127.0.0.1:{}", ports.rpc()),
            ws_url: format!("ws://127.0.0.1:{}", ports.rpc() + 1),
        };
        let mut validator = Self {
            chain: RpcChain::new(&endpoints.rpc_url, REQUEST_TIMEOUT),
            endpoints,
            payer,
            programs: options.programs.clone(),
            process,
            directory,
            _ports: ports,
        };
        validator.wait_until_healthy().await?;
        Ok(validator)
    }

    async fn wait_until_healthy(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Some(status) = self.process.exited()? {
                bail!(
                    "solana-test-validator ended ({status}): {}",
                    self.process.said()
                );
            }
            // A payer with SOL means that the bank works, not only the RPC server; the genesis block cannot load lookup tables
            // yet and refuses every transaction that might have some.
            let payer = self.chain.account(&self.payer.pubkey()).await;
            let funded = matches!(payer, Ok(Some(_)));
            let begun = matches!(self.chain.slot().await, Ok(slot) if slot > 0);
            if funded && begun && self.chain.client().get_health().await.is_ok() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                bail!(
                    "solana-test-validator is not healthy after {START_TIMEOUT:?}: {}",
                    self.process.said()
                );
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Where its ledger and logs are, while it lives.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// An account as `solana account --output json` writes it.
fn account_json(address: &Pubkey, account: &Account) -> serde_json::Value {
    serde_json::json!({
        "pubkey": address.to_string(),
        "account": {
            "lamports": account.lamports,
            "data": [BASE64_STANDARD.encode(&account.data), "base64"],
            "owner": account.owner.to_string(),
            "executable": account.executable,
            "rentEpoch": account.rent_epoch,
            "space": account.data.len(),
        },
    })
}

fn binary() -> Result<PathBuf> {
    let name = "solana-test-validator";
    if let Some(path) = std::env::var_os("BALLAST_VALIDATOR") {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("BALLAST_VALIDATOR: {} is no file", path.display());
        }
        return Ok(path);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file());
    found.with_context(|| {
        format!(
            "there is no {name} in PATH: set BALLAST_VALIDATOR, run `cargo xtask validator`, or set \
             BALLAST_NO_VALIDATOR to leave out the tests that need it"
        )
    })
}

/// A block of free ports. The last one is held open as long as this lives, so that other processes that use this module
/// leave the block alone.
struct Ports {
    first: u16,
    _lock: TcpListener,
}

impl Ports {
    fn find() -> Result<Self> {
        // Different processes begin their search at different places.
        let blocks = (PORT_RANGE.end - PORT_RANGE.start) / PORTS;
        let start = u16::try_from(std::process::id() % u32::from(blocks)).unwrap_or(0);
        for offset in 0..blocks {
            let first = PORT_RANGE.start + (start + offset) % blocks * PORTS;
            let Ok(lock) = TcpListener::bind(("127.0.0.1", first + PORTS - 1)) else {
                continue;
            };
            if (first..first + PORTS - 1).all(is_free) {
                return Ok(Self { first, _lock: lock });
            }
        }
        bail!(
            "no {PORTS} free ports in a row between {} and {}",
            PORT_RANGE.start,
            PORT_RANGE.end
        )
    }

    fn rpc(&self) -> u16 {
        self.first
    }

    fn faucet(&self) -> u16 {
        self.first + 2
    }

    fn gossip(&self) -> u16 {
        self.first + 3
    }

    fn dynamic(&self) -> String {
        format!("{}-{}", self.first + 4, self.first + PORTS - 2)
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
}

#[async_trait]
impl Localnet for TestValidator {
    fn name(&self) -> &'static str {
        "validator"
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
        Duration::from_millis(100)
    }

    fn moves_time(&self) -> bool {
        false
    }

    async fn pass_time(&self, secs: u64) -> Result<()> {
        wait_for_clock(&self.chain, secs).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_ports_do_not_overlap() {
        let (one, two) = (Ports::find().unwrap(), Ports::find().unwrap());
        assert!(one.first.abs_diff(two.first) >= PORTS);
    }
}
