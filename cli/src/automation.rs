//! What keepers may do beyond hedging and deleveraging, as options and as output.

use std::{fmt, str::FromStr};

use anyhow::{Context, Result};
use ballast_client::{Automation, Reaction, Side, Tick};
use ballast_model::screen::Real;
use ballast_view::TokenNames;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    decimal::{Positive, Ratio},
    format::{amount, bps, duration, significant, times},
    range,
    time::Interval,
    tokens::Amount,
    width::Width,
};

/// Decimals of SOL.
const SOL: u8 = 9;

/// What keepers may do beyond hedging and deleveraging. What is left out stays as it is; at first nothing of it happens.
#[derive(Args, Clone, Debug, Default)]
pub struct AutomationArgs {
    /// Begin with everything switched off
    #[arg(help_heading = "Automation", long)]
    pub off: bool,
    /// Leverage that recentering and compounding go to
    #[arg(help_heading = "Automation", long)]
    pub leverage: Option<Ratio>,
    /// Narrowest band that a keeper may recenter to: a percentage, or ticks; 0: keepers may not recenter
    #[arg(help_heading = "Automation", long, value_name = "WIDTH")]
    pub min_width: Option<Width>,
    /// Widest band that a keeper may recenter to
    #[arg(help_heading = "Automation", long, value_name = "WIDTH")]
    pub max_width: Option<Width>,
    /// Part of the band next to either end in which recentering is due already
    #[arg(help_heading = "Automation", long, value_name = "RATIO")]
    pub edge: Option<Ratio>,
    /// Time between two recenterings at least: 1h, or seconds
    #[arg(help_heading = "Automation", long, value_name = "TIME")]
    pub cooldown: Option<Interval>,
    /// Lower edge of the price window, or none
    #[arg(help_heading = "Automation", long, value_name = "PRICE")]
    pub low: Option<Edge>,
    /// Upper edge of the price window, or none
    #[arg(help_heading = "Automation", long, value_name = "PRICE")]
    pub high: Option<Edge>,
    /// What happens at or below the lower edge
    #[arg(help_heading = "Automation", long, value_enum)]
    pub at_low: Option<ReactionArg>,
    /// What happens at or above the upper edge
    #[arg(help_heading = "Automation", long, value_enum)]
    pub at_high: Option<ReactionArg>,
    /// Equity in whole quote tokens at or below which the reaction to the floor happens; 0: no floor
    #[arg(help_heading = "Automation", long, value_name = "AMOUNT")]
    pub floor: Option<Amount>,
    /// What happens at the floor
    #[arg(help_heading = "Automation", long, value_enum)]
    pub at_floor: Option<ReactionArg>,
    /// Largest loss of an exit's swap against the oracle's price; 0: exits may not swap
    #[arg(help_heading = "Automation", long, value_name = "RATIO")]
    pub max_exit_loss: Option<Ratio>,
    /// Fees worth at least so many quote tokens may be compounded; 0: never
    #[arg(help_heading = "Automation", long, value_name = "AMOUNT")]
    pub compound_min: Option<Amount>,
    /// SOL that a keeper is paid for each action (see `ballast reward fund`)
    #[arg(help_heading = "Automation", long, value_name = "SOL")]
    pub reward: Option<Amount>,
    /// Largest part of equity that keepers may lose beyond what a fair price costs; it grows back over a week. 0: as much as the market
    /// allows
    #[arg(help_heading = "Automation", long, value_name = "RATIO")]
    pub daily_loss: Option<Ratio>,
}

/// An edge of the price window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    None,
    Price(Positive),
}

impl FromStr for Edge {
    type Err = crate::decimal::NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            Ok(Self::None)
        } else {
            text.parse().map(Self::Price)
        }
    }
}

impl Edge {
    fn tick(&self, none: i32, (base, quote): (u8, u8)) -> Result<i32> {
        match self {
            Self::None => Ok(none),
            Self::Price(price) => Ok(price.sqrt_price_down(base, quote)?.tick().get()),
        }
    }
}

/// [`Reaction`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReactionArg {
    /// Stay; beyond a price edge without recentering
    Hold,
    /// Withdraw and repay, with a swap only where that takes one
    Exit,
    /// The same, and all into base
    ExitBase,
    /// The same, and all into quote
    ExitQuote,
}

impl From<ReactionArg> for u8 {
    fn from(reaction: ReactionArg) -> Self {
        match reaction {
            ReactionArg::Hold => Reaction::Hold as Self,
            ReactionArg::Exit => Reaction::ExitAsIs as Self,
            ReactionArg::ExitBase => Reaction::ExitIntoBase as Self,
            ReactionArg::ExitQuote => Reaction::ExitIntoQuote as Self,
        }
    }
}

/// A stored reaction, as it is written on the command line.
fn reaction(byte: u8) -> &'static str {
    match Reaction::from_byte(byte) {
        Some(Reaction::Hold) => "hold",
        Some(Reaction::ExitAsIs) => "exit",
        Some(Reaction::ExitIntoBase) => "exit-base",
        Some(Reaction::ExitIntoQuote) => "exit-quote",
        None => "unknown",
    }
}

impl AutomationArgs {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        !self.off
            && self.leverage.is_none()
            && self.min_width.is_none()
            && self.max_width.is_none()
            && self.edge.is_none()
            && self.cooldown.is_none()
            && self.low.is_none()
            && self.high.is_none()
            && self.at_low.is_none()
            && self.at_high.is_none()
            && self.floor.is_none()
            && self.at_floor.is_none()
            && self.max_exit_loss.is_none()
            && self.compound_min.is_none()
            && self.reward.is_none()
            && self.daily_loss.is_none()
    }

    /// `automation` with what was given. `names` are those of the market's tokens.
    ///
    /// # Errors
    /// Numbers that are out of range. Whether the whole makes sense is the program's to say.
    pub fn applied_to(&self, automation: Automation, names: &TokenNames) -> Result<Automation> {
        let decimals = names.tokens().decimals;
        let old = if self.off {
            Automation::OFF
        } else {
            automation
        };
        let ratio = |given: &Option<Ratio>, old: u32| -> Result<u32> {
            given
                .as_ref()
                .map_or(Ok(old), |ratio| Ok(ratio.bps_down()?.get()))
        };
        let raw = |given: &Option<Amount>, token: &str, decimals, old: u64| -> Result<u64> {
            given
                .as_ref()
                .map_or(Ok(old), |given| given.raw(token, decimals))
        };
        let edge = |given: &Option<Edge>, none, old: i32| -> Result<i32> {
            given
                .as_ref()
                .map_or(Ok(old), |edge| edge.tick(none, decimals))
        };
        let byte = |given: Option<ReactionArg>, old: u8| given.map_or(old, u8::from);
        let (token, quote) = (names.get(Side::Quote), decimals.1);
        Ok(Automation {
            min_equity: raw(&self.floor, token, quote, old.min_equity).context("--floor")?,
            compound_min_value: raw(&self.compound_min, token, quote, old.compound_min_value)
                .context("--compound-min")?,
            reward_lamports: raw(&self.reward, "SOL", SOL, old.reward_lamports)
                .context("--reward")?,
            window_low_tick: edge(&self.low, Automation::NO_LOW, old.window_low_tick)
                .context("--low")?,
            window_high_tick: edge(&self.high, Automation::NO_HIGH, old.window_high_tick)
                .context("--high")?,
            leverage_bps: ratio(&self.leverage, old.leverage_bps).context("--leverage")?,
            min_width_ticks: self.min_width.map_or(old.min_width_ticks, |width| width.0),
            max_width_ticks: self.max_width.map_or(old.max_width_ticks, |width| width.0),
            edge_bps: ratio(&self.edge, old.edge_bps).context("--edge")?,
            recenter_cooldown_secs: (self.cooldown)
                .map_or(old.recenter_cooldown_secs, |interval| interval.0),
            max_exit_loss_bps: ratio(&self.max_exit_loss, old.max_exit_loss_bps)
                .context("--max-exit-loss")?,
            max_daily_loss_bps: ratio(&self.daily_loss, old.max_daily_loss_bps)
                .context("--daily-loss")?,
            at_low: byte(self.at_low, old.at_low),
            at_high: byte(self.at_high, old.at_high),
            at_floor: byte(self.at_floor, old.at_floor),
            padding: 0,
        })
    }
}

/// Automation as commands print it: amounts in whole tokens, prices in quote per base.
#[derive(Clone, Debug, Serialize)]
pub struct AutomationView {
    pub leverage_bps: u32,
    pub min_width_ticks: u32,
    pub max_width_ticks: u32,
    pub edge_bps: u32,
    pub recenter_cooldown_secs: u32,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub at_low: &'static str,
    pub at_high: &'static str,
    pub floor: String,
    pub at_floor: &'static str,
    pub max_exit_loss_bps: u32,
    pub compound_min: String,
    pub reward_sol: String,
    pub max_daily_loss_bps: u32,
    #[serde(skip)]
    names: TokenNames,
}

impl AutomationView {
    /// `names` are those of the market's tokens.
    pub fn new(automation: &Automation, names: &TokenNames) -> Self {
        let (base, quote) = names.tokens().decimals;
        let price = |tick: i32| {
            let tick = Tick::new(tick).ok()?;
            Some(range::price(tick.sqrt_price(), base, quote).to_f64())
        };
        Self {
            leverage_bps: automation.leverage_bps,
            min_width_ticks: automation.min_width_ticks,
            max_width_ticks: automation.max_width_ticks,
            edge_bps: automation.edge_bps,
            recenter_cooldown_secs: automation.recenter_cooldown_secs,
            low: price(automation.window_low_tick),
            high: price(automation.window_high_tick),
            at_low: reaction(automation.at_low),
            at_high: reaction(automation.at_high),
            floor: amount(automation.min_equity, quote),
            at_floor: reaction(automation.at_floor),
            max_exit_loss_bps: automation.max_exit_loss_bps,
            compound_min: amount(automation.compound_min_value, quote),
            reward_sol: amount(automation.reward_lamports, SOL),
            max_daily_loss_bps: automation.max_daily_loss_bps,
            names: names.clone(),
        }
    }

    fn is_zero(amount: &str) -> bool {
        amount.bytes().all(|byte| matches!(byte, b'0' | b'.'))
    }
}

impl fmt::Display for AutomationView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = self.names.get(Side::Quote);
        writeln!(f, "  leverage     {}", times(self.leverage_bps.into()))?;
        if self.max_width_ticks == 0 {
            writeln!(f, "  recenter     keepers may not")?;
        } else {
            writeln!(
                f,
                "  recenter     to {} up to {}, from {} of the band before its end, at least {} apart",
                Width(self.min_width_ticks).told(),
                Width(self.max_width_ticks).told(),
                bps(self.edge_bps),
                duration(self.recenter_cooldown_secs.into())
            )?;
        }
        for (what, edge, reaction) in [
            ("at or below", self.low, self.at_low),
            ("at or above", self.high, self.at_high),
        ] {
            match edge {
                Some(price) => writeln!(f, "  {what:<12} {}: {reaction}", significant(price, 8))?,
                None => writeln!(f, "  {what:<12} no edge")?,
            }
        }
        if Self::is_zero(&self.floor) {
            writeln!(f, "  floor        none")?;
        } else {
            writeln!(
                f,
                "  floor        at or below equity {} {quote}: {}",
                self.floor, self.at_floor
            )?;
        }
        writeln!(
            f,
            "  exits        lose at most {} in swaps",
            bps(self.max_exit_loss_bps)
        )?;
        if Self::is_zero(&self.compound_min) {
            writeln!(f, "  compound     keepers may not")?;
        } else {
            writeln!(
                f,
                "  compound     fees worth at least {} {quote}",
                self.compound_min
            )?;
        }
        let daily = match self.max_daily_loss_bps {
            0 => "as much as the market allows".into(),
            some => bps(some),
        };
        writeln!(
            f,
            "  keepers      are paid {} SOL for an action, lose at most {daily} of equity, which grows back over a week",
            self.reward_sol
        )
    }
}

#[cfg(test)]
mod tests {
    use ballast_abi::clusters::{SOL_USD_FEED, USDC_USD_FEED};
    use ballast_strategy::fixtures;

    use super::*;

    #[test]
    fn only_what_was_given_changes_and_off_begins_anew() {
        let before = Automation {
            edge_bps: 700,
            at_low: 2,
            window_low_tick: -5,
            ..Automation::OFF
        };
        let mut market = fixtures::market();
        (market.base_feed, market.quote_feed) = (SOL_USD_FEED, USDC_USD_FEED);
        let names = &TokenNames::of(&market);
        let none = AutomationArgs::default();
        assert_eq!(none.applied_to(before, names).unwrap(), before);
        let off = AutomationArgs {
            off: true,
            ..AutomationArgs::default()
        };
        assert_eq!(off.applied_to(before, names).unwrap(), Automation::OFF);
        let given = AutomationArgs {
            leverage: Some("2.5".parse().unwrap()),
            min_width: Some("400".parse().unwrap()),
            max_width: Some("10%".parse().unwrap()),
            low: Some("none".parse().unwrap()),
            high: Some("250".parse().unwrap()),
            at_low: Some(ReactionArg::Hold),
            at_high: Some(ReactionArg::ExitQuote),
            floor: Some("50.000000 USDC".parse().unwrap()),
            at_floor: Some(ReactionArg::ExitBase),
            reward: Some("0.0005".parse().unwrap()),
            compound_min: Some("1.5".parse().unwrap()),
            ..AutomationArgs::default()
        };
        let after = given.applied_to(before, names).unwrap();
        assert_eq!(
            after,
            Automation {
                min_equity: 50_000_000,
                compound_min_value: 1_500_000,
                reward_lamports: 500_000,
                window_low_tick: Automation::NO_LOW,
                // 0.25 raw quote per raw base: 1.0001^-13864.
                window_high_tick: -13_864,
                leverage_bps: 25_000,
                min_width_ticks: 400,
                max_width_ticks: 953,
                edge_bps: 700,
                at_low: 0,
                at_high: 3,
                at_floor: 2,
                ..Automation::OFF
            }
        );
        let shown = AutomationView::new(&after, names);
        assert_eq!((shown.low, shown.at_high), (None, "exit-quote"));
        assert!((shown.high.unwrap() - 250.0).abs() < 0.03, "{shown:?}");
        let text = shown.to_string();
        for part in [
            "2.50x",
            "no edge",
            "exit-quote",
            "equity 50.000000 USDC: exit-base",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
