//! `ballast keeper run` as a process of its own, which can be killed at any time and started again.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use ballast_client::{Pubkey, Signature, Signer};
use ballast_keeper::journal::{Intent, IntentId, Record, scan};
use ballast_localnet::{LocalnetExt, Process, World, keys};
use tempfile::TempDir;

/// For fees.
const LAMPORTS: u64 = 10_000_000_000;

/// The keeper of one market. It is dead when this is dropped.
pub struct KeeperProcess {
    /// Who signs.
    pub key: Pubkey,
    /// The only transaction with that key that is not its own: the one that gave it SOL.
    pub funding: Signature,
    life: Option<Process>,
    lives: usize,
    directory: TempDir,
}

/// What the keeper has on disk. Cheap to clone, readable whether it lives or not.
#[derive(Clone)]
pub struct JournalFile(PathBuf);

impl KeeperProcess {
    /// Key, configuration and a directory for the journal, for the market of `world`; does not start it yet.
    pub async fn prepare(world: &World) -> Result<Self> {
        Self::prepare_as(world, "keeper").await
    }

    /// The same for one of several of the market, by its name.
    pub async fn prepare_as(world: &World, name: &str) -> Result<Self> {
        // The stories are of positions, not of their market's risk stage.
        let apart = "[automation]\nrefresh_stages = false\n[prices]\nshow_within_bps = 0\n";
        Self::prepare_with(world, name, apart).await
    }

    /// The same with the least configuration, and what `more` says: everything else is as its defaults are.
    pub async fn prepare_with(world: &World, name: &str, more: &str) -> Result<Self> {
        let keypair = keys::named(&format!("{}/{name}", world.config.name));
        let funding = world.net.fund(&keypair.pubkey(), LAMPORTS).await;
        let funding = funding.context("funding a keeper")?.signature;
        let directory = tempfile::Builder::new()
            .prefix("ballast-keeper-")
            .tempdir()?;
        keys::write(&keypair, &directory.path().join("key.json"))?;
        let endpoints = world.net.endpoints();
        let endpoints = endpoints.context("a keeper needs a cluster with RPC")?;
        let market = &world.market;
        let config = format!(
            "mode = \"active\"\nkeypair = \"key.json\"\njournal_dir = \"journal\"\n\
             rpc_url = \"{}\"\nws_url = \"{}\"\npool_programs = [\"{}\"]\n\n\
             [[markets]]\naddress = \"{}\"\nbase_price = \"{}\"\nquote_price = \"{}\"\n\n{more}",
            endpoints.rpc_url,
            endpoints.ws_url,
            market.market.whirlpool_program,
            market.address,
            market.prices.base,
            market.prices.quote
        );
        std::fs::write(directory.path().join("keeper.toml"), config)?;
        Ok(Self {
            key: keypair.pubkey(),
            funding,
            life: None,
            lives: 0,
            directory,
        })
    }

    /// Begins a life.
    pub fn start(&mut self) -> Result<()> {
        self.lives += 1;
        let config = self.directory.path().join("keeper.toml");
        let arguments = ["keeper", "run", "--config"].map(String::from);
        let arguments = [&arguments[..], &[config.display().to_string()]].concat();
        let log = self.directory.path().join(format!("life-{}", self.lives));
        let binary = Path::new(env!("CARGO_BIN_EXE_ballast"));
        self.life = Some(Process::start(binary, &arguments, &log)?);
        Ok(())
    }

    /// `SIGKILL`. Returns when it is dead.
    pub fn kill(&mut self) -> Result<()> {
        self.require_alive()?;
        self.life = None;
        Ok(())
    }

    /// An error, with what it said last, if it has ended by itself.
    pub fn require_alive(&mut self) -> Result<()> {
        let life = self.life.as_mut().context("the keeper is not running")?;
        match life.exited()? {
            None => Ok(()),
            Some(status) => Err(anyhow!(
                "the keeper ended by itself in its life {} ({status}): {}",
                self.lives,
                life.said()
            )),
        }
    }

    /// The end of the present life's log.
    pub fn said(&self) -> String {
        let nothing = || "it is not running".into();
        self.life.as_ref().map_or_else(nothing, Process::said)
    }

    /// Its journal.
    pub fn journal(&self) -> JournalFile {
        JournalFile(self.directory.path().join("journal/journal.jsonl"))
    }
}

impl JournalFile {
    /// Its length in bytes, 0 before there is one.
    pub fn length(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }

    /// Its records in order. What is being written at its end is left out.
    pub fn records(&self) -> Result<Vec<Record>> {
        if !self.0.exists() {
            return Ok(Vec::new());
        }
        let bytes = std::fs::read(&self.0)?;
        let scan = scan(&bytes).map_err(|offset| anyhow!("damaged at byte {offset}"))?;
        Ok(scan.records)
    }

    /// The intent whose outcome is not known yet. There is at most one: the keeper has one position.
    pub fn open_intent(&self) -> Result<Option<Intent>> {
        let mut open: Option<Intent> = None;
        for record in self.records()? {
            match record {
                Record::Intent(intent) => {
                    let before: Option<IntentId> = open.as_ref().map(|open| open.id);
                    ensure!(
                        before.is_none(),
                        "intent {:?} while {before:?} is open",
                        intent.id
                    );
                    open = Some(*intent);
                }
                Record::Outcome(outcome) => {
                    let id = open.take().map(|open| open.id);
                    ensure!(id == Some(outcome.id), "{outcome:?}, but {id:?} is open");
                }
                Record::Header(_)
                | Record::Paper(_)
                | Record::Override(_)
                | Record::Posting(_)
                | Record::Posted(_) => {}
            }
        }
        Ok(open)
    }
}
