//! `ballast deploy`: a program through the upgradeable loader over RPC, then the cluster's migrations.

mod elf;
mod loader;
mod next;
mod upload;

use std::{fmt, path::PathBuf, str::FromStr};

use anyhow::{Context, Result, ensure};
use ballast_client::{Chain, Keypair, Pubkey, Request, Sender, Signer, ballast};
use ballast_migrations::Desired;
use clap::Args;
use serde::Serialize;

use crate::{
    commands::migrate::{self, MigrateReport, SourceArgs, cluster_of},
    connection::{Connection, FeeArgs, send},
    consent::Plan,
    globals::{Endpoint, Globals, read_keypair},
    node_url::UrlParser,
    report::{Output, note},
};
pub use elf::read as read_program;
use loader::ProgramState;
pub use loader::{LOADER as UPGRADEABLE_LOADER, is_padded, program_state};
use next::{Next, Upload};

/// What to deploy, and where.
#[derive(Args, Debug)]
pub struct DeployArgs {
    /// Cluster: localnet, devnet, testnet, mainnet, or the URL of an RPC node [default: --url]
    #[arg(long, value_parser = UrlParser)]
    pub cluster: Option<Endpoint>,
    /// The program's shared object
    #[arg(long, value_name = "FILE.so")]
    pub program: PathBuf,
    /// The program's key; for an upgrade its address is enough
    #[arg(long, value_name = "FILE|ADDRESS")]
    pub program_keypair: ProgramKey,
    /// Key that pays, may upgrade, and becomes the authority of the market [default: --keypair]
    #[arg(long, value_name = "FILE")]
    pub payer: Option<PathBuf>,
    /// Key of the account to upload to [default: derived from payer and program, so that an upload resumes by itself]
    #[arg(long, value_name = "FILE")]
    pub buffer: Option<PathBuf>,
    /// Deploy only
    #[arg(long)]
    pub no_migrate: bool,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

/// A key file, or just an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramKey {
    Address(Pubkey),
    File(PathBuf),
}

impl FromStr for ProgramKey {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text
            .parse()
            .map_or_else(|_| Self::File(text.into()), Self::Address))
    }
}

#[derive(Debug, Serialize)]
struct DeployReport {
    program: String,
    /// `deployed`, `upgraded` or `unchanged`.
    outcome: &'static str,
    bytes: usize,
    slot: u64,
    /// Whether the bytes on chain were read back and are the file's.
    verified: bool,
    signature: Option<String>,
    migration: Option<MigrateReport>,
}

/// Deploys or upgrades, verifies, migrates.
///
/// # Errors
/// What is wrong with the file, keys or balance; what the cluster refuses. An upload that broke off goes on where it was
/// with the same command.
pub async fn run(args: &DeployArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let globals = Globals {
        url: args.cluster.clone().unwrap_or_else(|| globals.url.clone()),
        ..globals.clone()
    };
    let elf = elf::read(&args.program)?;
    let payer = match &args.payer {
        Some(path) => read_keypair(path, "--payer")?,
        None => globals.signer()?,
    };
    let (program, program_key) = match &args.program_keypair {
        ProgramKey::Address(address) => (*address, None),
        ProgramKey::File(path) => {
            let key = read_keypair(path, "--program-keypair")?;
            (key.pubkey(), Some(key))
        }
    };
    let migrates = !args.no_migrate;
    ensure!(
        !migrates || program == ballast::ID,
        "migrations are for program {}, but the key is of {program}: pass that program's key, or --no-migrate",
        ballast::ID
    );
    let connection = Connection::new(&globals);
    let deployment = Deployment {
        elf: &elf,
        payer: &payer,
        program,
        program_key,
        buffer: args.buffer.as_deref(),
    };
    let next = deployment.next(connection.chain()).await?;
    let cluster = cluster_of(globals.url.url().expose());
    let desired = match migrates {
        true => args.source.desired(connection.chain(), cluster).await?,
        false => None,
    };
    if let Some(nothing) = no_market(migrates, desired.as_ref(), cluster) {
        note(nothing);
    }
    // What changes nothing is not asked about.
    if let (Next::Nothing(state), None) = (&next, &desired) {
        return output.print(&deployment.report("unchanged", state, None));
    }
    let plan = Plan::on_chain("deploying", &globals, &payer.pubkey()).line("program", program);
    let plan = next.told(plan, &args.program, elf.len());
    let plan = match &desired {
        Some(desired) => plan.lines(migrate::Told(desired)),
        None => plan,
    };
    let sender = connection.sender(&args.fees, &plan.agreed(&globals)?);
    let mut report = match next {
        Next::Nothing(state) => deployment.report("unchanged", &state, None),
        Next::Upload(upload) => deploy(&connection, &sender, &deployment, *upload).await?,
    };
    if let Some(desired) = desired {
        report.migration = Some(migrate::migrate(&sender, &payer, &desired).await?);
    }
    output.print(&report)
}

/// What to do if a market was to be set up and the migrations name no pool.
fn no_market(migrates: bool, desired: Option<&Desired>, cluster: &str) -> Option<String> {
    (migrates && desired.is_none()).then(|| {
        format!(
            "no market is set up: the migrations of {cluster} leave the pool to you; run `ballast migrate` with --pool, \
             --base-price and --quote-price"
        )
    })
}

struct Deployment<'a> {
    elf: &'a [u8],
    payer: &'a Keypair,
    program: Pubkey,
    program_key: Option<Keypair>,
    buffer: Option<&'a std::path::Path>,
}

async fn deploy(
    connection: &Connection,
    sender: &Sender,
    what: &Deployment<'_>,
    upload: Upload,
) -> Result<DeployReport> {
    let chain = connection.chain();
    let Deployment {
        elf,
        payer,
        program,
        ..
    } = what;
    let Upload {
        existing,
        buffer,
        buffer_key,
        ..
    } = upload;
    upload::run(connection, sender, payer, &buffer_key, &buffer, elf).await?;

    let upgraded = existing.is_some();
    let step = if upgraded {
        "upgrading the program"
    } else {
        "deploying the program"
    };
    if let Some(state) = &existing {
        let more = state.growth_for(elf.len());
        if more > 0 {
            extend(sender, payer, program, more).await?;
        }
    }
    let instructions = if upgraded {
        vec![loader::upgrade(program, &buffer)]
    } else {
        let rent = chain.rent_lamports(loader::PROGRAM_BYTES).await?;
        let held = loader::lamports_at(chain, program).await?;
        loader::deploy(&payer.pubkey(), program, &buffer, rent, held, elf.len())?
    };
    let mut request = Request::new(*payer, instructions);
    if let Some(key) = what.program_key.as_ref().filter(|_| !upgraded) {
        request = request.signer(key);
    }
    let receipt = send(sender, step, &request).await?;
    let state = program_state(chain, program)
        .await?
        .context("the program is not there after all: deploy again")?;
    ensure!(
        state.holds(elf),
        "the bytes on chain differ from {}: somebody else may have upgraded {program} meanwhile; deploy again",
        "the file"
    );
    loader::wait_until_after(chain, state.slot).await?;
    Ok(what.report(
        if upgraded { "upgraded" } else { "deployed" },
        &state,
        Some(receipt.signature.to_string()),
    ))
}

impl Deployment<'_> {
    fn report(
        &self,
        outcome: &'static str,
        state: &ProgramState,
        signature: Option<String>,
    ) -> DeployReport {
        DeployReport {
            program: self.program.to_string(),
            outcome,
            bytes: self.elf.len(),
            slot: state.slot,
            verified: state.holds(self.elf),
            signature,
            migration: None,
        }
    }
}

/// Makes room for a longer program. Clusters differ in whether the authority must sign for it.
async fn extend(sender: &Sender, payer: &Keypair, program: &Pubkey, more: usize) -> Result<()> {
    let what = "extending the program's account";
    let instruction = loader::extend(program, &payer.pubkey(), more)?;
    let receipt = match send(sender, what, &Request::new(payer, [instruction])).await {
        Ok(receipt) => receipt,
        Err(refused) => {
            let instruction = loader::extend_checked(program, &payer.pubkey(), more)?;
            let sent = send(sender, what, &Request::new(payer, [instruction])).await;
            sent.map_err(|error| error.context(format!("{refused:#}")))?
        }
    };
    // A program changes at most once in a slot, and this was a change.
    loader::wait_until_after(sender.chain().as_ref(), receipt.slot).await
}

impl fmt::Display for DeployReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            bytes,
            slot,
            ..
        } = self;
        match self.outcome {
            "unchanged" => writeln!(
                f,
                "program {program} is up to date: the same {bytes} bytes since slot {slot}"
            )?,
            outcome => writeln!(
                f,
                "{outcome} program {program}: {bytes} bytes, read back and compared, slot {slot}"
            )?,
        }
        if let Some(signature) = &self.signature {
            writeln!(f, "transaction {signature}")?;
        }
        self.migration
            .as_ref()
            .map_or(Ok(()), |migration| migration.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_by_file_or_address() {
        let address = ballast::ID.to_string();
        assert_eq!(address.parse(), Ok(ProgramKey::Address(ballast::ID)));
        assert_eq!("key.json".parse(), Ok(ProgramKey::File("key.json".into())));
    }
}
