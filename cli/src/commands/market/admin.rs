//! What authority and guardian do with a market, and what anybody may do for it.

use std::{fmt, str::FromStr};

use anyhow::{Result, bail, ensure};
use ballast_client::{
    BallastEvent, Instruction, Market, MarketContext, MarketMode, Pubkey, Request, Signer,
    instruction,
};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs, send},
    format::duration,
    globals::Globals,
    report::Output,
    target::{self, MarketArgs},
    wallet::{SIDES, name},
};

use super::standing::Standing;

/// Which market, and how to send.
#[derive(Args, Debug)]
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
    /// No rehedges either: repay, close, deleverage, liquidate
    ReduceOnly,
}

/// Seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub u32);

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write a time like 90s, 30m, 12h or 7d";
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(wrong),
        };
        let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong)?;
        number.checked_mul(unit).map(Self).ok_or(wrong)
    }
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
    connection: Connection,
    key: Pubkey,
    market: MarketContext,
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

    async fn send(
        self,
        action: impl Into<String>,
        instructions: impl Into<Vec<Instruction>>,
        output: &mut Output,
    ) -> Result<()> {
        let signer = self.globals.signer()?;
        let sender = self.connection.sender(&self.args.fees);
        let action = action.into();
        let receipt = send(&sender, &action, &Request::new(&signer, instructions)).await?;
        let changed = receipt.events.iter().find_map(|event| match event {
            BallastEvent::StageChanged(event) => Some((event.from, event.to)),
            _ => None,
        });
        let snapshot = target::snapshot(self.connection.chain(), &self.market).await?;
        output.print(&ChangeReport {
            action: match changed {
                Some((from, to)) => format!("{action}: stage {from} -> {to}"),
                None => action,
            },
            market: self.market.address.to_string(),
            signature: receipt.signature.to_string(),
            standing: Standing::new(&snapshot),
        })
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
            "`normal` has no end: leave --for out"
        );
        let Time(secs) = args.time.unwrap_or(Time(0));
        let set = instruction::set_mode(&self.market.address, &self.key, mode, secs);
        self.send("setting the mode", [set], output).await
    }

    /// Shows the market what its stage rests on.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn refresh_stage(self, output: &mut Output) -> Result<()> {
        let refresh = instruction::refresh_stage(&self.market);
        self.send("refreshing the stage", [refresh], output).await
    }

    /// Shows the market the newest prices.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn refresh_price(self, output: &mut Output) -> Result<()> {
        let refresh = instruction::refresh_price(&self.market);
        self.send("refreshing the price", [refresh], output).await
    }

    /// Books interest.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn accrue(self, output: &mut Output) -> Result<()> {
        let accrue = SIDES.map(|side| instruction::accrue(&self.market, side));
        self.send("booking interest", accrue, output).await
    }

    /// Puts every announced change in force whose notice is over.
    ///
    /// # Errors
    /// If there is none.
    pub async fn apply(self, output: &mut Output) -> Result<()> {
        let snapshot = target::snapshot(self.connection.chain(), &self.market).await?;
        let mut announced = vec![(
            "market",
            snapshot.market.pending.effective_at_secs,
            instruction::apply_market_change(&self.market.address),
        )];
        for side in SIDES {
            announced.push((
                name(side),
                snapshot.reserve(side).pending_effective_at_secs,
                instruction::apply_reserve_change(&self.market, side),
            ));
        }
        let lapsed = |at: i64| snapshot.now_secs > at.saturating_add(Market::LAPSE_SECS);
        announced.retain(|(_, effective_at_secs, _)| {
            *effective_at_secs > 0 && !lapsed(*effective_at_secs)
        });
        let next = announced.iter().map(|(_, at, _)| *at).min();
        announced.retain(|(_, effective_at_secs, _)| *effective_at_secs <= snapshot.now_secs);
        if announced.is_empty() {
            match next {
                Some(at) => bail!(
                    "the notice of what is announced is not over: try again in {}",
                    duration(at - snapshot.now_secs)
                ),
                None => bail!("nothing is announced: there is nothing to put in force"),
            }
        }
        let what: Vec<_> = announced.iter().map(|(what, ..)| *what).collect();
        let action = format!("putting announced changes in force ({})", what.join(", "));
        let apply: Vec<_> = announced.into_iter().map(|(.., apply)| apply).collect();
        self.send(action, apply, output).await
    }

    /// Offers the authority, or takes an offer back.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn offer_authority(self, args: &OfferArgs, output: &mut Output) -> Result<()> {
        let to = args.to.unwrap_or_default();
        let offer = instruction::offer_authority(&self.market.address, &self.key, to);
        self.send("offering the authority", [offer], output).await
    }

    /// Takes an offered authority over.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn accept_authority(self, output: &mut Output) -> Result<()> {
        let accept = instruction::accept_authority(&self.market.address, &self.key);
        self.send("taking the authority over", [accept], output)
            .await
    }

    /// Names another guardian, or none.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn set_guardian(self, args: &GuardianArgs, output: &mut Output) -> Result<()> {
        let guardian = args.guardian.unwrap_or_default();
        let set = instruction::set_guardian(&self.market.address, &self.key, guardian);
        self.send("naming the guardian", [set], output).await
    }
}

impl fmt::Display for ChangeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: done in transaction {}", self.action, self.signature)?;
        writeln!(f, "market {}", self.market)?;
        self.standing.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, secs) in [
            ("90s", 90),
            ("30m", 1_800),
            ("12h", 43_200),
            ("7d", 604_800),
        ] {
            assert_eq!(text.parse(), Ok(Time(secs)));
        }
        for wrong in ["", "5", "h", "1.5h", "-1h", "99999999d", "1x", "1\u{fc}"] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
    }
}
