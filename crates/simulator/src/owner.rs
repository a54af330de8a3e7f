//! What an owner lets keepers do, as files say it: beside a keeper's configuration, and in a book.

use ballast::state::{Automation, Policy, Reaction};
use ballast_model::Bps;
use serde::Deserialize;

use crate::{SimulationError, Units, error::at_least};

/// See the program's `Policy`. What is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyTable {
    /// Part of the pool's base that is borrowed.
    pub hedge_bps: Option<u32>,
    /// When to rehedge.
    pub delta_band_bps: Option<u32>,
    /// How exact a rehedge has to be.
    pub delta_target_bps: Option<u32>,
    /// When to deleverage.
    pub deleverage_trigger_ltv_bps: Option<u32>,
    /// How far.
    pub deleverage_target_ltv_bps: Option<u32>,
    /// Largest loss of a swap.
    pub max_swap_loss_bps: Option<u32>,
    /// Seconds between two rehedges.
    pub min_rebalance_interval_secs: Option<u32>,
}

impl PolicyTable {
    /// A policy with what is given here.
    #[must_use]
    pub fn applied_to(self, policy: Policy) -> Policy {
        Policy {
            hedge_bps: self.hedge_bps.unwrap_or(policy.hedge_bps),
            delta_band_bps: self.delta_band_bps.unwrap_or(policy.delta_band_bps),
            delta_target_bps: self.delta_target_bps.unwrap_or(policy.delta_target_bps),
            deleverage_trigger_ltv_bps: self
                .deleverage_trigger_ltv_bps
                .unwrap_or(policy.deleverage_trigger_ltv_bps),
            deleverage_target_ltv_bps: self
                .deleverage_target_ltv_bps
                .unwrap_or(policy.deleverage_target_ltv_bps),
            max_swap_loss_bps: self.max_swap_loss_bps.unwrap_or(policy.max_swap_loss_bps),
            min_rebalance_interval_secs: self
                .min_rebalance_interval_secs
                .unwrap_or(policy.min_rebalance_interval_secs),
            ..policy
        }
    }
}

/// What happens at an edge or at the floor, by the names of the command line.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ReactionName {
    /// See [`Reaction::Hold`].
    #[default]
    Hold,
    /// See [`Reaction::ExitAsIs`].
    Exit,
    /// See [`Reaction::ExitIntoBase`].
    ExitBase,
    /// See [`Reaction::ExitIntoQuote`].
    ExitQuote,
}

impl ReactionName {
    const fn byte(self) -> u8 {
        match self {
            Self::Hold => Reaction::Hold as u8,
            Self::Exit => Reaction::ExitAsIs as u8,
            Self::ExitBase => Reaction::ExitIntoBase as u8,
            Self::ExitQuote => Reaction::ExitIntoQuote as u8,
        }
    }
}

/// See the program's `Automation`. What is left out is nothing that keepers may do.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct OwnerTable {
    /// Leverage that recentering and compounding go to; that of opening, if it is left out.
    pub leverage_bps: Option<u32>,
    /// Narrowest band of a recentering.
    pub min_width_ticks: u32,
    /// Widest; 0: none.
    pub max_width_ticks: u32,
    /// Part of the band at its ends in which one is due.
    pub edge_bps: u32,
    /// Seconds between two.
    pub recenter_cooldown_secs: u32,
    /// Fees that are worth compounding, raw quote units; 0: never.
    pub compound_min_value: u64,
    /// Draw-down floor: equity in whole quote tokens at or below which `at_floor` happens; 0: none.
    pub min_equity: f64,
    /// What happens there.
    pub at_floor: ReactionName,
    /// Price in whole tokens at or below which `at_low` happens: a stop-loss. None: nowhere.
    pub window_low: Option<f64>,
    /// What happens there.
    pub at_low: ReactionName,
    /// Price in whole tokens at or above which `at_high` happens: a take-profit. None: nowhere.
    pub window_high: Option<f64>,
    /// What happens there.
    pub at_high: ReactionName,
    /// Largest loss of an exit's swap; 0: exits may not swap.
    pub max_exit_loss_bps: u32,
    /// Largest part of equity that keepers' actions may lose; 0: as much as the market allows.
    pub max_daily_loss_bps: u32,
}

impl OwnerTable {
    /// For a position that was opened with this leverage. Prices are in the ticks that hold them.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`]: prices and amounts that make no sense, or a reaction to nothing.
    pub fn automation(self, opened: Bps, units: Units) -> Result<Automation, SimulationError> {
        let tick = |name, price: f64| {
            at_least(name, price, f64::MIN_POSITIVE, "must be above 0")?;
            Ok::<_, SimulationError>(units.sqrt_price(price.ln()).tick().get())
        };
        let edge = |name, price: Option<f64>, none| price.map_or(Ok(none), |at| tick(name, at));
        let low = edge("owner.window_low", self.window_low, Automation::NO_LOW)?;
        let high = edge("owner.window_high", self.window_high, Automation::NO_HIGH)?;
        at_least(
            "owner.min_equity",
            self.min_equity,
            0.0,
            "must be 0 or more",
        )?;
        let refuse = |name, value, problem| {
            Err(SimulationError::Parameter {
                name,
                value,
                problem,
            })
        };
        if low >= high {
            let value = self.window_low.unwrap_or_default();
            return refuse("owner.window_low", value, "must be below owner.window_high");
        }
        for (name, reaction, is_set, problem) in [
            (
                "owner.min_equity",
                self.at_floor,
                self.min_equity > 0.0,
                "must be above 0 for at_floor",
            ),
            (
                "owner.window_low",
                self.at_low,
                self.window_low.is_some(),
                "must be above 0 for at_low",
            ),
            (
                "owner.window_high",
                self.at_high,
                self.window_high.is_some(),
                "must be above 0 for at_high",
            ),
        ] {
            if reaction != ReactionName::Hold && !is_set {
                return refuse(name, 0.0, problem);
            }
        }
        for (name, bps) in [
            ("owner.max_exit_loss_bps", self.max_exit_loss_bps),
            ("owner.max_daily_loss_bps", self.max_daily_loss_bps),
        ] {
            if bps > Bps::ONE.get() {
                return refuse(name, bps.into(), "must be at most 10000");
            }
        }
        Ok(Automation {
            leverage_bps: self.leverage_bps.unwrap_or(opened.get()),
            min_width_ticks: self.min_width_ticks,
            max_width_ticks: self.max_width_ticks,
            edge_bps: self.edge_bps,
            recenter_cooldown_secs: self.recenter_cooldown_secs,
            compound_min_value: self.compound_min_value,
            // `as` saturates.
            min_equity: (self.min_equity * units.quote_scale()).round() as u64,
            at_floor: self.at_floor.byte(),
            window_low_tick: low,
            at_low: self.at_low.byte(),
            window_high_tick: high,
            at_high: self.at_high.byte(),
            max_exit_loss_bps: self.max_exit_loss_bps,
            max_daily_loss_bps: self.max_daily_loss_bps,
            ..Automation::OFF
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: Units = Units {
        base_decimals: 9,
        quote_decimals: 6,
    };

    #[test]
    fn exits_are_in_whole_tokens() {
        let table = OwnerTable {
            min_equity: 90.5,
            at_floor: ReactionName::ExitQuote,
            window_low: Some(150.0),
            at_low: ReactionName::Exit,
            window_high: Some(250.0),
            at_high: ReactionName::ExitBase,
            max_exit_loss_bps: 100,
            ..OwnerTable::default()
        };
        let automation = table.automation(Bps::new(20_000), UNITS).unwrap();
        let expected = Automation {
            leverage_bps: 20_000,
            min_equity: 90_500_000,
            at_floor: 3,
            // 0.15 and 0.25 raw quote per raw base.
            window_low_tick: -18_973,
            at_low: 1,
            window_high_tick: -13_864,
            at_high: 2,
            max_exit_loss_bps: 100,
            ..Automation::OFF
        };
        assert_eq!(automation, expected);
        let off = OwnerTable::default().automation(Bps::ONE, UNITS).unwrap();
        assert_eq!(off, Automation::OFF);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let good = OwnerTable {
            window_low: Some(150.0),
            window_high: Some(250.0),
            min_equity: 50.0,
            ..OwnerTable::default()
        };
        let said = |change: fn(&mut OwnerTable)| {
            let mut table = good;
            change(&mut table);
            table.automation(Bps::ONE, UNITS).unwrap_err().to_string()
        };
        type Case = (&'static str, fn(&mut OwnerTable));
        let cases: [Case; 7] = [
            ("window_low 0 must be above 0", |t| t.window_low = Some(0.0)),
            ("window_high NaN", |t| t.window_high = Some(f64::NAN)),
            ("window_low 250 must be below", |t| {
                t.window_low = Some(250.0)
            }),
            ("min_equity -1 must be 0 or more", |t| t.min_equity = -1.0),
            ("min_equity 0 must be above 0 for at_floor", |t| {
                (t.min_equity, t.at_floor) = (0.0, ReactionName::Exit);
            }),
            ("window_high 0 must be above 0 for at_high", |t| {
                (t.window_high, t.at_high) = (None, ReactionName::ExitBase);
            }),
            ("max_exit_loss_bps 10001 must be at most 10000", |t| {
                t.max_exit_loss_bps = 10_001
            }),
        ];
        for (told, change) in cases {
            let said = said(change);
            assert!(said.contains(told), "{said}");
        }
    }
}
