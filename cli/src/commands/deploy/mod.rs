//! `ballast deploy`: a program through the upgradeable loader over RPC, then the cluster's migrations.

mod elf;
mod loader;
mod upload;

use std::{fmt, path::PathBuf, str::FromStr};

use anyhow::{Context, Result, bail, ensure};
use ballast_client::{Chain, Keypair, Pubkey, Request, Sender, Signer, ballast};
use ballast_migrations::Desired;
use clap::Args;
use serde::Serialize;

use crate::{
    commands::migrate::{self, MigrateReport, SourceArgs, cluster_of},
    connection::{Connection, FeeArgs, send},
    consent::Plan,
    format::amount,
    globals::{Endpoint, Globals, read_keypair},
    node_url::UrlParser,
    report::{Output, note},
};
pub use elf::read as read_program;
use loader::{Buffer, ProgramState};
pub use loader::{LOADER as UPGRADEABLE_LOADER, is_padded, program_state};

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
        Next::Upload(upload) => deploy(&connection, &sender, &deployment, upload).await?,
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

/// What there is to do for the program.
enum Next {
    /// The chain holds these bytes already.
    Nothing(ProgramState),
    Upload(Upload),
}

struct Upload {
    existing: Option<ProgramState>,
    buffer: Buffer,
    buffer_key: Keypair,
    /// About what it takes from the payer.
    lamports: u64,
}

impl Next {
    fn told(&self, plan: Plan, file: &std::path::Path, length: usize) -> Plan {
        match self {
            Self::Nothing(state) => plan.line(
                "bytes",
                format_args!("the same since slot {}, nothing is uploaded", state.slot),
            ),
            Self::Upload(upload) => plan
                .line("file", format_args!("{}, {length} bytes", file.display()))
                .line(
                    "by",
                    match upload.existing {
                        Some(_) => "an upgrade",
                        None => "a first deployment",
                    },
                )
                .line(
                    "takes",
                    format_args!("about {} SOL, most of it rent", amount(upload.lamports, 9)),
                ),
        }
    }
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
    /// What there is to do.
    ///
    /// # Errors
    /// Somebody else's program, or one without its key; too little SOL.
    async fn next(&self, chain: &dyn Chain) -> Result<Next> {
        let Self {
            elf,
            payer,
            program,
            ..
        } = self;
        let existing = program_state(chain, program).await?;
        match existing {
            Some(state) if state.holds(elf) => return Ok(Next::Nothing(state)),
            Some(ref state) => match state.authority {
                Some(authority) if authority == payer.pubkey() => {}
                Some(authority) => bail!(
                    "program {program} may only be upgraded by {authority}, the payer is {}: pass that key with --payer",
                    payer.pubkey()
                ),
                None => {
                    bail!("program {program} can never be upgraded: deploy under another key")
                }
            },
            None => ensure!(
                self.program_key.is_some(),
                "program {program} does not exist yet: its key must sign, pass its file with --program-keypair"
            ),
        }
        let buffer_key = match self.buffer {
            Some(path) => read_keypair(path, "--buffer")?,
            None => upload::buffer_key(payer, program, elf),
        };
        let buffer = Buffer {
            address: buffer_key.pubkey(),
            authority: payer.pubkey(),
        };
        let lamports = require_funds(chain, self, existing.as_ref(), &buffer).await?;
        Ok(Next::Upload(Upload {
            existing,
            buffer,
            buffer_key,
            lamports,
        }))
    }

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

/// About what it will cost; says so before the upload if the payer has less.
async fn require_funds(
    chain: &dyn Chain,
    what: &Deployment<'_>,
    existing: Option<&ProgramState>,
    buffer: &Buffer,
) -> Result<u64> {
    let payer = what.payer.pubkey();
    let answer = chain.accounts(&[payer, buffer.address]).await?;
    let lamports = |index: usize| {
        answer
            .accounts
            .get(index)
            .and_then(Option::as_ref)
            .map_or(0, |account| account.lamports)
    };
    // The buffer's lamports go into the program's account, or come back after an upgrade.
    let mut needed = chain
        .rent_lamports(loader::buffer_bytes(what.elf.len()))
        .await?
        .saturating_sub(lamports(1));
    needed += match existing {
        None => chain.rent_lamports(loader::PROGRAM_BYTES).await?,
        Some(state) => {
            let more = state.growth_for(what.elf.len());
            chain
                .rent_lamports(more)
                .await?
                .saturating_sub(chain.rent_lamports(0).await?)
        }
    };
    // A signature costs 5000 lamports.
    needed += upload::transactions(what.elf.len()) * 5_000 + 1_000_000;
    let has = lamports(0);
    ensure!(
        has >= needed,
        "{payer} has {} SOL, deploying {} bytes takes about {}: fund it with {} more",
        amount(has, 9),
        what.elf.len(),
        amount(needed, 9),
        amount(needed - has, 9)
    );
    Ok(needed)
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
