//! `ballast migrate`: brings a cluster's market to what its migrations say.

use std::{fmt, path::PathBuf};

use anyhow::{Context, Result, bail, ensure};
use ballast_abi::pyth::PriceUpdate;
use ballast_client::{Chain, Keypair, Pubkey, Sender, Signer};
use ballast_migrations::{Desired, MarketAddresses, Migrations, Report, apply};
use clap::Args;
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs, explained},
    consent::Plan,
    format::when,
    globals::Globals,
    progress,
    report::Output,
    trouble::misuse,
};

/// Which migrations. The signer creates the market and becomes its authority.
#[derive(Args, Debug)]
pub struct MigrateArgs {
    /// Built-in migrations: localnet or devnet [default: by --url]
    #[arg(long)]
    pub cluster: Option<String>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

/// Where migrations and addresses come from.
#[derive(Args, Clone, Debug, Default)]
pub struct SourceArgs {
    /// Directory of numbered migrations, instead of the built-in ones
    #[arg(long, value_name = "DIRECTORY")]
    pub migrations: Option<PathBuf>,
    /// The pool, where the migrations name none (or instead of theirs)
    #[arg(long, value_name = "ADDRESS", requires_all = ["pool_base_price", "pool_quote_price"], value_parser = address)]
    pub pool: Option<Pubkey>,
    /// Account with the price of the pool's token A; its owner becomes the market's price receiver, its feed the base feed
    #[arg(long = "base-price", value_name = "ADDRESS", requires = "pool", value_parser = address)]
    pub pool_base_price: Option<Pubkey>,
    /// Account with the price of the pool's token B
    #[arg(long = "quote-price", value_name = "ADDRESS", requires = "pool", value_parser = address)]
    pub pool_quote_price: Option<Pubkey>,
    /// Who created the market, where the signer took its authority over; part of the market's address
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub creator: Option<Pubkey>,
}

impl SourceArgs {
    /// The state that the migrations of `cluster` ask for; `None` if neither they nor the options name a pool.
    ///
    /// # Errors
    /// What is wrong with the migrations, or with the accounts that are named.
    pub async fn desired(&self, chain: &dyn Chain, cluster: &str) -> Result<Option<Desired>> {
        let migrations = match &self.migrations {
            Some(directory) => Migrations::in_directory(directory)?,
            None => Migrations::built_in(cluster)?,
        };
        let mut desired = migrations.desired()?;
        if let (Some(market), Some(creator)) = (&mut desired.market, self.creator) {
            market.creator = Some(creator);
        }
        let (Some(pool), Some(base), Some(quote)) =
            (self.pool, self.pool_base_price, self.pool_quote_price)
        else {
            return Ok(desired.market.is_some().then_some(desired));
        };
        let guardian = desired
            .market
            .map(|market| market.guardian)
            .unwrap_or_default();
        let account = chain.account(&pool).await?;
        let whirlpool_program = account
            .with_context(|| format!("no pool at {pool}: check --pool and --url"))?
            .owner;
        let (base_receiver, base_feed) = feed(chain, base, "--base-price").await?;
        let (quote_receiver, quote_feed) = feed(chain, quote, "--quote-price").await?;
        ensure!(
            base_receiver == quote_receiver,
            misuse!(
                "the two price accounts are of different receivers ({base_receiver} and {quote_receiver}): name accounts of one"
            )
        );
        Ok(Some(desired.at(MarketAddresses {
            whirlpool_program,
            whirlpool: pool,
            price_receiver: base_receiver,
            base_feed,
            quote_feed,
            base_price: base,
            quote_price: quote,
            guardian,
            creator: self.creator,
            lookup_table: None,
        })))
    }
}

/// Owner and feed of a price account.
async fn feed(chain: &dyn Chain, address: Pubkey, option: &str) -> Result<(Pubkey, [u8; 32])> {
    let account = chain.account(&address).await?;
    let account =
        account.with_context(|| format!("no account at {address}: check {option} and --url"))?;
    let update = PriceUpdate::parse(&account.data)
        .with_context(|| format!("{option} {address} is no price account"))?;
    Ok((account.owner, update.feed_id))
}

/// The built-in migrations that belong to an endpoint.
pub fn cluster_of(url: &str) -> &'static str {
    if url.contains("devnet") {
        "devnet"
    } else {
        "localnet"
    }
}

/// Migrates.
///
/// # Errors
/// What is wrong with the migrations; what the program refuses.
pub async fn run(args: &MigrateArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let signer = globals.signer()?;
    let connection = Connection::new(globals);
    let cluster = args
        .cluster
        .as_deref()
        .unwrap_or_else(|| cluster_of(globals.url.url().expose()));
    let Some(desired) = args.source.desired(connection.chain(), cluster).await? else {
        bail!(misuse!(
            "the migrations of {cluster} leave the pool to you: pass --pool, --base-price and --quote-price, or a directory \
             whose files have a [market] table with --migrations"
        ));
    };
    let plan = Plan::on_chain("migrating", globals, &signer.pubkey()).lines(Told(&desired));
    let sender = connection.sender(&args.fees, &plan.agreed(globals)?);
    output.print(&migrate(&sender, &signer, &desired).await?)
}

/// What migrations ask for, in lines of a plan.
pub struct Told<'a>(pub &'a Desired);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(market) = &self.0.market {
            writeln!(f, "  pool         {}", market.whirlpool)?;
            writeln!(
                f,
                "  prices       {} and {}",
                market.base_price, market.quote_price
            )?;
        }
        writeln!(
            f,
            "  bring        market, reserves, positions and lookup table to what the migrations say"
        )
    }
}

/// Applies, with something to look at.
///
/// # Errors
/// What the program refuses.
pub async fn migrate(
    sender: &Sender,
    signer: &Keypair,
    desired: &Desired,
) -> Result<MigrateReport> {
    let bar = progress::spinner("migrating");
    let applied = apply(sender, signer, desired).await;
    bar.finish_and_clear();
    let report = applied.map_err(|error| match error {
        ballast_migrations::ApplyError::Send { what, error } => {
            explained(*error).context(format!("migration step failed: {what}"))
        }
        other => other.into(),
    })?;
    Ok(MigrateReport::from(&report))
}

/// What a migration did.
#[derive(Debug, Serialize)]
pub struct MigrateReport {
    market: String,
    lookup_table: String,
    changes: Vec<ChangeView>,
    /// What is announced and not in force yet.
    pending: Vec<PendingView>,
}

#[derive(Debug, Serialize)]
struct PendingView {
    what: String,
    effective_at_secs: i64,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Serialize)]
struct ChangeView {
    what: String,
    signature: Option<String>,
}

impl From<&Report> for MigrateReport {
    fn from(report: &Report) -> Self {
        let change = |change: &ballast_migrations::Change| ChangeView {
            what: change.what.clone(),
            signature: change.signature.map(|signature| signature.to_string()),
        };
        Self {
            market: report.market.address.to_string(),
            lookup_table: report.lookup_table.key.to_string(),
            changes: report.changes.iter().map(change).collect(),
            pending: report
                .pending
                .iter()
                .map(|pending| PendingView {
                    what: pending.what.clone(),
                    effective_at_secs: pending.effective_at_secs,
                    text: format!(
                        "{}; in force from {}, when this is run again",
                        pending.what,
                        when(
                            pending.effective_at_secs,
                            pending.effective_at_secs - pending.wait_secs
                        )
                    ),
                })
                .collect(),
        }
    }
}

impl fmt::Display for MigrateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() && self.pending.is_empty() {
            writeln!(f, "nothing to migrate: everything is as it should be")?;
        }
        for change in &self.changes {
            match &change.signature {
                Some(signature) => writeln!(f, "{} ({signature})", change.what)?,
                None => writeln!(f, "{}", change.what)?,
            }
        }
        for pending in &self.pending {
            writeln!(f, "waiting: {}", pending.text)?;
        }
        writeln!(f, "market {}", self.market)?;
        writeln!(f, "lookup table {}", self.lookup_table)
    }
}
