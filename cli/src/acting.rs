//! What all commands share that do something with a position: load it, prepare what it takes, send one instruction, tell.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result, ensure};
use ballast_client::{
    AddressLookupTableAccount, Amounts, BallastEvent, Chain, Instruction, Keypair, MarketContext,
    MarketSnapshot, PositionContext, Pubkey, Receipt, Request, Sender, Signer, SwapPath, Trade,
    existing, instruction,
};
use ballast_model::Position;
use clap::Args;
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs, explained, send},
    format::{amount, duration},
    globals::Globals,
    report::note,
    target::{self, PriceArgs, TableArgs},
    view::PositionView,
    wallet::Funds,
};

/// Which position, and how to send.
#[derive(Args, Debug)]
pub struct PositionArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    /// Simulate, but send nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub prices: PriceArgs,
    #[command(flatten)]
    pub table: TableArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

/// A position that somebody acts on.
pub struct Acting<'a> {
    args: &'a PositionArgs,
    connection: Connection,
    sender: Sender,
    pub signer: Keypair,
    pub market: MarketContext,
    pub snapshot: MarketSnapshot,
    pub position: PositionContext,
    /// With interest to the snapshot's time.
    pub model: Position,
}

/// Named results of an action.
pub type Facts = BTreeMap<&'static str, String>;

/// What was done, and the position afterwards.
#[derive(Debug, Serialize)]
pub struct ActionReport {
    action: &'static str,
    /// None if it was only simulated.
    signature: Option<String>,
    #[serde(flatten)]
    facts: Facts,
    position: Option<PositionView>,
}

impl<'a> Acting<'a> {
    /// Reads position and market.
    ///
    /// # Errors
    /// What cannot be found or read.
    pub async fn load(args: &'a PositionArgs, globals: &Globals) -> Result<Self> {
        let signer = globals.signer()?;
        let connection = Connection::new(globals);
        let chain = connection.chain();
        let position = PositionContext::load(chain, args.position).await?;
        let market = target::load_at(chain, position.position.market, &args.prices).await?;
        let snapshot = target::snapshot(chain, &market).await?;
        let model = snapshot
            .position(&position.position, snapshot.now_secs)
            .with_context(|| format!("position {} cannot be valued", args.position))?;
        Ok(Self {
            args,
            sender: connection.sender(&args.fees),
            connection,
            signer,
            market,
            snapshot,
            position,
            model,
        })
    }

    /// Says so before the program does.
    ///
    /// # Errors
    /// If the signer is not the owner.
    pub fn require_owner(&self) -> Result<()> {
        require_owner(&self.position, &self.signer.pubkey())
    }

    /// Amounts of the market's tokens, for people.
    pub fn shown(&self, amounts: Amounts) -> [String; 2] {
        [
            amount(amounts.base, self.market.base.decimals),
            amount(amounts.quote, self.market.quote.decimals),
        ]
    }

    /// Tick arrays of a swap that begins at the pool's price.
    pub fn path(&self, trade: Trade) -> SwapPath {
        let tick = self.snapshot.pool.tick_current;
        self.market.swap_path(tick, trade)
    }

    /// What has to come before: token accounts with `needed` in them.
    ///
    /// # Errors
    /// What is missing and cannot be wrapped.
    pub async fn wallet(&self, needed: Amounts) -> Result<Vec<Instruction>> {
        let owner = self.signer.pubkey();
        let funds = Funds::load(self.connection.chain(), &self.market, &owner).await?;
        funds.provide(&self.market, &owner, needed)
    }

    /// What has to come before: the tick arrays of a band.
    ///
    /// # Errors
    /// If the cluster does not answer.
    pub async fn tick_arrays(&self, ticks: [i32; 2]) -> Result<Vec<Instruction>> {
        let payer = self.signer.pubkey();
        let missing = missing_arrays(self.connection.chain(), &self.market, ticks).await?;
        let create = |start| instruction::create_tick_array(&self.market, &payer, start);
        Ok(missing.into_iter().map(create).collect())
    }

    /// Simulates; sends unless it is a dry run; tells what `facts` finds in the events.
    ///
    /// # Errors
    /// What the program refuses, by name.
    pub async fn act(
        &self,
        action: &'static str,
        preparation: Vec<Instruction>,
        instruction: Instruction,
        facts: impl Fn(&BallastEvent) -> Option<Facts>,
    ) -> Result<ActionReport> {
        let mut report = ActionReport {
            action,
            signature: None,
            facts: Facts::new(),
            position: None,
        };
        if self.args.dry_run {
            self.rehearse(action, preparation, instruction).await?;
            return Ok(report);
        }
        if !preparation.is_empty() {
            let request = Request::new(&self.signer, preparation);
            send(&self.sender, "preparing wallet and tick arrays", &request).await?;
        }
        let tables = [self.table().await?];
        let request = Request::new(&self.signer, [instruction]).tables(&tables);
        let receipt: Receipt = send(&self.sender, action, &request).await?;
        report.signature = Some(receipt.signature.to_string());
        report.facts = receipt.events.iter().find_map(facts).unwrap_or_default();
        report.facts.extend(self.left_to_others(&receipt));
        report.position = self.view().await;
        Ok(report)
    }

    /// What is told if the action was only noted, for the owner's first keepers to do.
    fn left_to_others(&self, receipt: &Receipt) -> Option<(&'static str, String)> {
        receipt.events.iter().find_map(|event| match event {
            BallastEvent::LeftToFirstKeepers(event) => {
                let wait = event.others_from_secs.saturating_sub(self.snapshot.now_secs);
                Some((
                    "left_to_first_keepers",
                    format!(
                        "nothing but a note was made: the owner's own keepers go first, try again in {}",
                        duration(wait.max(0))
                    ),
                ))
            }
            _ => None,
        })
    }

    /// Simulates an instruction that needs no preparation.
    ///
    /// # Errors
    /// If the cluster does not answer. What the program refuses is the result, `None` if it would go through.
    pub async fn refusal(&self, instruction: Instruction) -> Result<Option<String>> {
        let tables = match self.args.dry_run {
            true => self.existing_tables().await?,
            false => vec![self.table().await?],
        };
        let request = Request::new(&self.signer, [instruction]).tables(&tables);
        match self.sender.prepare(&request).await {
            Ok(_) => Ok(None),
            Err(error) if error.failure().is_some() => Ok(Some(explained(error).to_string())),
            Err(error) => Err(error.into()),
        }
    }

    async fn existing_tables(&self) -> Result<Vec<AddressLookupTableAccount>> {
        let (chain, key) = (self.connection.chain(), self.signer.pubkey());
        let table = target::existing_table(chain, &self.market, &self.args.table, &key).await?;
        Ok(table.into_iter().collect())
    }

    async fn rehearse(
        &self,
        action: &'static str,
        preparation: Vec<Instruction>,
        instruction: Instruction,
    ) -> Result<()> {
        let would_fail = || format!("{action} would fail");
        if !preparation.is_empty() {
            let request = Request::new(&self.signer, preparation);
            let prepared = self.sender.prepare(&request).await;
            prepared.map_err(explained).with_context(would_fail)?;
            note(format_args!(
                "{action} itself was not simulated: wallet or tick arrays have to be prepared first"
            ));
            return Ok(());
        }
        let tables = self.existing_tables().await?;
        let request = Request::new(&self.signer, [instruction]).tables(&tables);
        let prepared = self.sender.prepare(&request).await;
        prepared.map_err(explained).with_context(would_fail)?;
        Ok(())
    }

    async fn table(&self) -> Result<AddressLookupTableAccount> {
        target::table(&self.sender, &self.market, &self.args.table, &self.signer).await
    }

    /// The position afterwards; what was done is done even if it cannot be shown.
    async fn view(&self) -> Option<PositionView> {
        let chain = self.connection.chain();
        let show = async {
            let position = PositionContext::load(chain, self.args.position).await?;
            let snapshot = target::snapshot(chain, &self.market).await?;
            PositionView::new(&snapshot, &position)
        };
        let shown: Result<PositionView> = show.await;
        if let Err(error) = &shown {
            note(format_args!("the position cannot be shown: {error:#}"));
        }
        shown.ok()
    }
}

/// The trade that gets rid of so much base.
pub fn trade_of(surplus: i128) -> Trade {
    if surplus < 0 {
        Trade::BuyBase
    } else {
        Trade::SellBase
    }
}

/// Says so before the program does.
///
/// # Errors
/// If `signer` is not the owner.
pub fn require_owner(position: &PositionContext, signer: &Pubkey) -> Result<()> {
    ensure!(
        position.position.owner == *signer,
        "position {} belongs to {}, not to the signer {signer}: pass its owner's key with --keypair",
        position.address,
        position.position.owner
    );
    Ok(())
}

/// Starts of the tick arrays that a band needs and the pool does not have yet.
///
/// # Errors
/// If the cluster does not answer.
pub async fn missing_arrays(
    chain: &dyn Chain,
    market: &MarketContext,
    ticks: [i32; 2],
) -> Result<Vec<i32>> {
    let mut starts = market.band_array_starts(ticks).to_vec();
    starts.dedup();
    let addresses: Vec<_> = starts
        .iter()
        .map(|start| market.tick_array(*start))
        .collect();
    let answer = chain.accounts(&addresses).await?;
    let missing = starts
        .into_iter()
        .zip(answer.accounts)
        .filter(|(_, account)| existing(account.as_ref()).is_none());
    Ok(missing.map(|(start, _)| start).collect())
}

impl fmt::Display for ActionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signature {
            Some(signature) => writeln!(f, "{}: done in transaction {signature}", self.action)?,
            None => writeln!(f, "{}: nothing was sent", self.action)?,
        }
        for (what, fact) in &self.facts {
            writeln!(f, "  {:<12} {fact}", what.replace('_', " "))?;
        }
        match &self.position {
            Some(position) => position.fmt(f),
            None => Ok(()),
        }
    }
}
