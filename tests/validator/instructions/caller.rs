//! Sends instructions one by one, as command line and keeper do, and remembers which of the program's have been confirmed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};
use ballast_client::{
    AddressLookupTableAccount, BallastError, Instruction, Keypair, Outcome, Prepared, PriorityFee,
    Receipt, Request, SendError, Sender, ballast,
};
use serde_json::Value;

/// Micro-lamports per compute unit.
pub const PRIORITY_FEE: u64 = 20_000;

/// Sends with a priority fee and the market's lookup table.
pub struct Caller {
    sender: Sender,
    tables: Vec<AddressLookupTableAccount>,
    /// Names of the program's instructions by their first bytes.
    names: BTreeMap<Vec<u8>, String>,
    confirmed: Mutex<BTreeSet<String>>,
}

impl Caller {
    /// Reads the names from the interface description that is built along with the program.
    pub fn new(sender: Sender, tables: Vec<AddressLookupTableAccount>) -> Result<Self> {
        Ok(Self {
            sender,
            tables,
            names: names()?,
            confirmed: Mutex::default(),
        })
    }

    /// Sends and expects success.
    #[track_caller]
    pub fn confirm(
        &self,
        by: &Keypair,
        instructions: impl Into<Vec<Instruction>>,
    ) -> impl Future<Output = Result<Receipt>> {
        let instructions = instructions.into();
        let place = std::panic::Location::caller();
        async move {
            let names = self.names_of(&instructions);
            let sent = self.send(by, instructions).await;
            sent.with_context(|| format!("{names:?} at line {}", place.line()))
        }
    }

    async fn send(&self, by: &Keypair, instructions: Vec<Instruction>) -> Result<Receipt> {
        let names = self.names_of(&instructions);
        let prepared = self.prepare(by, instructions).await?;
        ensure!(
            fees(&prepared).1 == Some(PRIORITY_FEE),
            "no priority fee in {prepared:?}"
        );
        match self.sender.deliver(&prepared).await {
            Outcome::Landed { slot } => {
                self.note(names);
                Ok(self.sender.receipt(prepared.signature(), slot).await)
            }
            other => bail!("{other:?}"),
        }
    }

    fn note(&self, names: Vec<String>) {
        let confirmed = self.confirmed.lock();
        confirmed
            .unwrap_or_else(PoisonError::into_inner)
            .extend(names);
    }

    /// Simulates and signs.
    pub async fn prepare(
        &self,
        by: &Keypair,
        instructions: impl Into<Vec<Instruction>>,
    ) -> Result<Prepared, SendError> {
        let request = Request::new(by, instructions)
            .tables(&self.tables)
            .fee(PriorityFee::Fixed(PRIORITY_FEE));
        self.sender.prepare(&request).await
    }

    /// Expects the simulation to fail with this error of the program, named with its advice.
    #[track_caller]
    pub fn refuse(
        &self,
        by: &Keypair,
        instruction: Instruction,
        expected: BallastError,
    ) -> impl Future<Output = Result<()>> {
        let place = std::panic::Location::caller();
        async move {
            let line = place.line();
            let named = format!("{}: {expected}", expected.name());
            match self.prepare(by, [instruction]).await {
                Ok(_) => bail!("accepted, expected {named} at line {line}"),
                Err(SendError::Refused(failure))
                    if failure.is(expected) && failure.to_string().contains(&named) =>
                {
                    Ok(())
                }
                Err(error) => Err(error).context(format!("expected {named} at line {line}")),
            }
        }
    }

    /// The program's instructions that no confirmed transaction had.
    pub fn missing(&self) -> Vec<&str> {
        let confirmed = self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let all = self.names.values().map(String::as_str);
        all.filter(|name| !confirmed.contains(*name)).collect()
    }

    /// How many instructions the program has.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    fn names_of(&self, instructions: &[Instruction]) -> Vec<String> {
        let own = instructions
            .iter()
            .filter(|instruction| instruction.program_id == ballast::ID);
        let name = |instruction: &Instruction| {
            let start = instruction.data.get(..8)?;
            self.names.get(start).cloned()
        };
        own.filter_map(name).collect()
    }
}

/// Compute limit and priority fee of a transaction.
pub fn fees(prepared: &Prepared) -> (Option<u32>, Option<u64>) {
    let (mut limit, mut price) = (None, None);
    for instruction in prepared.transaction().message.instructions() {
        match &instruction.data[..] {
            [2, rest @ ..] if rest.len() == 4 => {
                limit = rest.try_into().ok().map(u32::from_le_bytes)
            }
            [3, rest @ ..] if rest.len() == 8 => {
                price = rest.try_into().ok().map(u64::from_le_bytes)
            }
            _ => {}
        }
    }
    (limit, price)
}

fn names() -> Result<BTreeMap<Vec<u8>, String>> {
    let file = ballast_localnet::deploy_directory()
        .parent()
        .unwrap_or(Path::new("."))
        .join("idl/ballast.json");
    let text = fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}: run `cargo xtask build`", file.display()))?;
    let idl: Value = serde_json::from_str(&text)?;
    let instructions = idl["instructions"].as_array();
    let instructions = instructions.context("the interface description has no instructions")?;
    let named = |instruction: &Value| {
        let name = instruction["name"].as_str()?.to_owned();
        let start = serde_json::from_value(instruction["discriminator"].clone()).ok()?;
        Some((start, name))
    };
    let names: BTreeMap<_, _> = instructions.iter().filter_map(named).collect();
    ensure!(
        names.len() == instructions.len() && !names.is_empty(),
        "{} is no interface description",
        file.display()
    );
    Ok(names)
}
