//! What all commands share that do something with a position: load it, prepare what it takes, send one instruction, tell.

use anyhow::{Context, Result, ensure};
use ballast_client::{
    AddressLookupTableAccount, Amounts, BallastEvent, Chain, Instruction, Keypair, MarketContext,
    MarketSnapshot, PositionContext, Pubkey, Receipt, Request, Signer, SwapPath, Trade, existing,
    instruction,
};
use ballast_model::Position;
use ballast_view::TokenNames;
use clap::Args;

use crate::{
    address::address,
    connection::{Connection, FeeArgs, Rehearsal, explained, send},
    consent::Plan,
    facts::{ActionReport, Facts},
    format::duration,
    globals::Globals,
    report::note,
    target::{self, PriceArgs, TableArgs},
    view::PositionView,
    wallet::Funds,
};

/// Why what needs a lookup table was not simulated.
pub const NO_TABLE: &str = "it needs a lookup table, and there is none with all of the market's addresses; one is made before it is sent";

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
    globals: &'a Globals,
    connection: Connection,
    rehearsal: Rehearsal,
    pub signer: Keypair,
    pub market: MarketContext,
    pub snapshot: MarketSnapshot,
    pub position: PositionContext,
    /// With interest to the snapshot's time.
    pub model: Position,
}

impl<'a> Acting<'a> {
    /// Reads position and market.
    ///
    /// # Errors
    /// What cannot be found or read.
    pub async fn load(args: &'a PositionArgs, globals: &'a Globals) -> Result<Self> {
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
            globals,
            rehearsal: connection.rehearsal(&args.fees),
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

    /// To tell what an action does.
    pub fn facts(&self) -> Facts {
        Facts::new(TokenNames::of(&self.market.market))
    }

    /// LTV at the oracle's price before the action, if there is such a price.
    pub fn ltv_bps(&self) -> Option<u32> {
        let price = self.snapshot.oracle_sqrt_price().ok()?;
        self.model.value(price).ok().map(|value| value.ltv_bps_up())
    }

    /// Amounts of the market's tokens, with their names.
    pub fn told(&self, amounts: Amounts) -> String {
        TokenNames::of(&self.market.market).tokens().both(amounts)
    }

    /// Whether less quote is held than owed, in the pool and beside it.
    ///
    /// # Errors
    /// Amounts beyond 64 bits.
    pub fn is_short_of_quote(&self) -> Result<bool> {
        let pooled = self
            .model
            .pool_amounts_down(self.snapshot.pool.sqrt_price)?;
        let held = pooled.checked_add(self.model.idle)?;
        Ok(held.quote < self.model.debt.quote)
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

    /// What this does by itself, for whoever has to agree; `action` is what it is called.
    pub fn plan(&self, action: &str) -> Plan {
        Plan::on_chain(action, self.globals, &self.signer.pubkey())
            .line("position", self.args.position)
    }

    /// Simulates; asks and sends unless it is a dry run; tells what `facts` finds in the events.
    ///
    /// # Errors
    /// What the program refuses, by name; that nobody agreed.
    pub async fn act(
        &self,
        action: &'static str,
        preparation: Vec<Instruction>,
        instruction: Instruction,
        facts: impl Fn(&BallastEvent) -> Option<Facts>,
    ) -> Result<ActionReport> {
        let plan = self.plan(action);
        self.act_by(plan, action, preparation, instruction, facts)
            .await
    }

    /// As [`Self::act`], with more in the plan than what the simulation shows.
    ///
    /// # Errors
    /// As [`Self::act`].
    pub async fn act_by(
        &self,
        plan: Plan,
        action: &'static str,
        preparation: Vec<Instruction>,
        instruction: Instruction,
        facts: impl Fn(&BallastEvent) -> Option<Facts>,
    ) -> Result<ActionReport> {
        let mut report = ActionReport::new(action, self.facts());
        let expected = match self.rehearse(action, &preparation, &instruction).await {
            Ok(expected) => expected,
            Err(error) => {
                plan.show();
                return Err(error);
            }
        };
        if let Some(events) = &expected {
            report.facts = events.iter().find_map(&facts).unwrap_or(self.facts());
        }
        if self.args.dry_run {
            return Ok(report);
        }
        let plan = match &expected {
            Some(events) => plan
                .lines(report.told())
                .warning(report.facts.warning())
                .warning(self.left_to_others(events)),
            None => plan.line("first", "wallet, tick arrays or a lookup table are made"),
        };
        let agreed = plan.agreed(self.globals)?;
        let sender = self.connection.sender(&self.args.fees, &agreed);
        if !preparation.is_empty() {
            let request = Request::new(&self.signer, preparation);
            send(&sender, "preparing wallet and tick arrays", &request).await?;
        }
        let tables = [target::table(&sender, &self.market, &self.args.table, &self.signer).await?];
        let request = Request::new(&self.signer, [instruction]).tables(&tables);
        let receipt: Receipt = send(&sender, action, &request).await?;
        report.signature = Some(receipt.signature.to_string());
        report.facts = receipt
            .events
            .iter()
            .find_map(facts)
            .unwrap_or(self.facts());
        if let Some(noted) = self.left_to_others(&receipt.events) {
            report.facts = report.facts.text("left_to_first_keepers", noted);
        }
        report.position = self.view().await;
        Ok(report)
    }

    /// What is told if the action is only noted, for the owner's first keepers to do.
    fn left_to_others(&self, events: &[BallastEvent]) -> Option<String> {
        events.iter().find_map(|event| match event {
            BallastEvent::LeftToFirstKeepers(event) => {
                let wait = event
                    .others_from_secs
                    .saturating_sub(self.snapshot.now_secs);
                Some(format!(
                    "nothing but a note is made: the owner's own keepers go first, try again in {}",
                    duration(wait.max(0))
                ))
            }
            _ => None,
        })
    }

    /// Simulates an instruction that needs no preparation.
    ///
    /// # Errors
    /// If the cluster does not answer. What the program refuses is the result, `None` if it would go through, or cannot be
    /// simulated for want of a lookup table.
    pub async fn refusal(&self, instruction: Instruction) -> Result<Option<String>> {
        let tables = self.existing_tables().await?;
        if tables.is_empty() {
            return Ok(None);
        }
        let request = Request::new(&self.signer, [instruction]).tables(&tables);
        match self.rehearsal.check(&request).await {
            Ok(()) => Ok(None),
            Err(error) if error.failure().is_some() => Ok(Some(explained(error).to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The events that an instruction which needs no preparation would have; `None` if it cannot be simulated for want of a lookup
    /// table.
    ///
    /// # Errors
    /// What the program refuses, by name.
    pub async fn events(
        &self,
        action: &'static str,
        instruction: Instruction,
    ) -> Result<Option<Vec<BallastEvent>>> {
        self.rehearse(action, &[], &instruction).await
    }

    async fn existing_tables(&self) -> Result<Vec<AddressLookupTableAccount>> {
        let (chain, key) = (self.connection.chain(), self.signer.pubkey());
        let table = target::existing_table(chain, &self.market, &self.args.table, &key).await?;
        Ok(table.into_iter().collect())
    }

    /// The events that the action would have; `None` if something has to be prepared before it can be simulated.
    async fn rehearse(
        &self,
        action: &'static str,
        preparation: &[Instruction],
        instruction: &Instruction,
    ) -> Result<Option<Vec<BallastEvent>>> {
        if !preparation.is_empty() {
            let request = Request::new(&self.signer, preparation);
            self.rehearsal.events(action, &request).await?;
            note(format_args!(
                "{action} itself was not simulated: wallet or tick arrays have to be prepared first"
            ));
            return Ok(None);
        }
        let tables = self.existing_tables().await?;
        if tables.is_empty() {
            note(format_args!(
                "{action} itself was not simulated: {NO_TABLE}"
            ));
            return Ok(None);
        }
        let request = Request::new(&self.signer, [instruction.clone()]).tables(&tables);
        self.rehearsal.events(action, &request).await.map(Some)
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
