//! What authority and guardian do with a market, and what anybody may do for it.

use std::fmt;

use anyhow::{Context, Result, ensure};
use ballast_client::{
    BallastEvent, Instruction, MarketContext, MarketMode, Pubkey, Request, Signer, instruction,
};
use ballast_view::mode_name;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs},
    consent::Plan,
    format::duration,
    globals::Globals,
    report::Output,
    target::{self, MarketArgs},
    time::Time,
    trouble::misuse,
    wallet::SIDES,
};

use super::{
    announced::source_change,
    standing::{Standing, typed},
};

/// Which market, and how to send.
#[derive(Args, Debug, Default)]
pub struct ChangeArgs {
    #[command(flatten)]
    pub market: MarketArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Args, Debug)]
pub struct ModeArgs {
    /// How much the market allows
    #[arg(value_enum)]
    pub mode: Mode,
    /// When it ends by itself: 90s, 30m, 12h, 7d; not with `normal`
    #[arg(long = "for", value_name = "TIME", required_if_eq_any = [("mode", "no-new-risk"), ("mode", "reduce-only")])]
    pub time: Option<Time>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// [`MarketMode`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Everything that the limits allow
    Normal,
    /// No opening, no withdrawal of equity from an indebted position
    NoNewRisk,
    /// The strictest; today the program forbids in it what `no-new-risk` forbids: rehedges go on
    ReduceOnly,
}

#[derive(Args, Debug)]
pub struct OfferArgs {
    /// Who may take the authority over
    #[arg(value_parser = address, required_unless_present = "cancel", conflicts_with = "cancel")]
    pub to: Option<Pubkey>,
    /// Take an offer back
    #[arg(long)]
    pub cancel: bool,
    #[command(flatten)]
    pub change: ChangeArgs,
}

#[derive(Args, Debug)]
pub struct GuardianArgs {
    /// Who may tighten the mode
    #[arg(value_parser = address, required_unless_present = "none", conflicts_with = "none")]
    pub guardian: Option<Pubkey>,
    /// Nobody may
    #[arg(long)]
    pub none: bool,
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What was done, and how the market stands afterwards.
#[derive(Debug, Serialize)]
struct ChangeReport {
    action: String,
    market: String,
    signature: String,
    standing: Standing,
}

/// Somebody who changes a market.
pub struct Change<'a> {
    globals: &'a Globals,
    args: &'a ChangeArgs,
    pub(super) connection: Connection,
    pub(super) key: Pubkey,
    pub(super) market: MarketContext,
}

impl<'a> Change<'a> {
    /// Reads the market.
    ///
    /// # Errors
    /// What cannot be found or read.
    pub async fn load(args: &'a ChangeArgs, globals: &'a Globals) -> Result<Self> {
        let connection = Connection::new(globals);
        let market = target::load(connection.chain(), &args.market).await?;
        Ok(Self {
            key: globals.signer()?.pubkey(),
            globals,
            args,
            connection,
            market,
        })
    }

    /// Asks and sends; tells how the market stands afterwards. `detail` is a line of the plan.
    ///
    /// # Errors
    /// What the program refuses.
    pub(super) async fn send(
        self,
        action: impl Into<String>,
        detail: Option<(&str, String)>,
        instructions: impl Into<Vec<Instruction>>,
        output: &mut Output,
    ) -> Result<()> {
        let signer = self.globals.signer()?;
        let action = action.into();
        let plan =
            Plan::on_chain(&action, self.globals, &self.key).line("market", self.market.address);
        let plan = match detail {
            Some((name, value)) => plan.line(name, value),
            None => plan,
        };
        let request = Request::new(&signer, instructions);
        let fees = &self.args.fees;
        let receipt = self
            .connection
            .carry_out(&plan, &action, fees, self.globals, &request)
            .await?;
        let changed = receipt.events.iter().find_map(|event| match event {
            BallastEvent::StageChanged(event) => Some((event.from, event.to)),
            _ => None,
        });
        let signature = receipt.signature.to_string();
        let standing = self.standing().await.with_context(|| {
            format!("{action}: done in transaction {signature}, but the market cannot be shown")
        })?;
        output.print(&ChangeReport {
            action: match changed {
                Some((from, to)) => format!("{action}: stage {from} -> {to}"),
                None => action,
            },
            market: self.market.address.to_string(),
            signature,
            standing,
        })
    }

    /// How the market stands now; its prices may come from elsewhere than before.
    async fn standing(&self) -> Result<Standing> {
        let chain = self.connection.chain();
        let market = target::load(chain, &self.args.market).await?;
        let snapshot = target::snapshot(chain, &market).await?;
        let source = source_change(chain, &market.address).await?;
        Ok(Standing::new(&snapshot, source.as_ref()))
    }

    /// Sets the mode for a time.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn set_mode(self, args: &ModeArgs, output: &mut Output) -> Result<()> {
        let mode = match args.mode {
            Mode::Normal => MarketMode::Normal,
            Mode::NoNewRisk => MarketMode::NoNewRisk,
            Mode::ReduceOnly => MarketMode::ReduceOnly,
        };
        ensure!(
            args.mode != Mode::Normal || args.time.is_none(),
            misuse!("`normal` has no end: leave --for out")
        );
        let Time(secs) = args.time.unwrap_or(Time(0));
        let set = instruction::set_mode(&self.market.address, &self.key, mode, secs);
        let mode = match args.time {
            Some(_) => format!("{} for {}", typed(mode_name(mode)), duration(secs.into())),
            None => typed(mode_name(mode)),
        };
        let detail = Some(("mode", mode));
        self.send("setting the mode", detail, [set], output).await
    }

    /// Shows the market what its stage rests on.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn refresh_stage(self, output: &mut Output) -> Result<()> {
        let refresh = instruction::refresh_stage(&self.market);
        self.send("refreshing the stage", None, [refresh], output)
            .await
    }

    /// Shows the market the newest prices.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn refresh_price(self, output: &mut Output) -> Result<()> {
        let refresh = instruction::refresh_price(&self.market);
        self.send("refreshing the price", None, [refresh], output)
            .await
    }

    /// Books interest.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn accrue(self, output: &mut Output) -> Result<()> {
        let accrue = SIDES.map(|side| instruction::accrue(&self.market, side));
        self.send("booking interest", None, accrue, output).await
    }

    /// Offers the authority, or takes an offer back.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn offer_authority(self, args: &OfferArgs, output: &mut Output) -> Result<()> {
        let to = args.to.unwrap_or_default();
        let offer = instruction::offer_authority(&self.market.address, &self.key, to);
        let detail = Some(("to", somebody(args.to)));
        self.send("offering the authority", detail, [offer], output)
            .await
    }

    /// Takes an offered authority over.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn accept_authority(self, output: &mut Output) -> Result<()> {
        let accept = instruction::accept_authority(&self.market.address, &self.key);
        self.send("taking the authority over", None, [accept], output)
            .await
    }

    /// Names another guardian, or none.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn set_guardian(self, args: &GuardianArgs, output: &mut Output) -> Result<()> {
        let guardian = args.guardian.unwrap_or_default();
        let set = instruction::set_guardian(&self.market.address, &self.key, guardian);
        let detail = Some(("guardian", somebody(args.guardian)));
        self.send("naming the guardian", detail, [set], output)
            .await
    }
}

fn somebody(key: Option<Pubkey>) -> String {
    key.map_or_else(|| "nobody".into(), |key| key.to_string())
}

impl fmt::Display for ChangeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: done in transaction {}", self.action, self.signature)?;
        writeln!(f, "market {}", self.market)?;
        self.standing.fmt(f)
    }
}
