//! How it is said.

use std::fmt;

use ballast_simulator::world::{AtRisk, Scenario, StressReport, Unwinding};
use serde::Serialize;

use crate::{
    format::{bps, significant},
    table::Table,
};

/// A file, as it is.
#[derive(Debug, Serialize)]
pub struct Shown {
    pub text: &'static str,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// The scenarios that there are.
#[derive(Debug, Serialize)]
pub struct Listed {
    scenarios: Vec<Named>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: String,
    summary: String,
    duration_secs: u64,
}

impl Listed {
    pub fn new(scenarios: Vec<Scenario>) -> Self {
        let named = scenarios.into_iter().map(|scenario| Named {
            name: scenario.name,
            summary: scenario.summary,
            duration_secs: scenario.duration_secs,
        });
        Self {
            scenarios: named.collect(),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["<scenario", "<what happens"]);
        for scenario in &self.scenarios {
            table.row([scenario.name.clone(), scenario.summary.clone()]);
        }
        table.fmt(f)
    }
}

/// Scenarios that were played.
#[derive(Debug, Serialize)]
pub struct StressReports {
    /// Whose limits and rules apply.
    pub limits: String,
    pub seed: u64,
    pub seeds: u64,
    pub scenarios: Vec<Played>,
}

/// One of them: with keepers and without, on the first seed, and what it costs over all seeds.
#[derive(Debug, Serialize)]
pub struct Played {
    pub name: String,
    pub summary: String,
    pub with_keepers: StressReport,
    pub without_keepers: StressReport,
    at_risk: AtRisk,
    at_risk_without_keepers: AtRisk,
}

impl Played {
    /// With keepers first.
    pub fn new(scenario: &Scenario, risks: [AtRisk; 2], reports: [StressReport; 2]) -> Self {
        let [with_keepers, without_keepers] = reports;
        let [at_risk, at_risk_without_keepers] = risks;
        Self {
            name: scenario.name.clone(),
            summary: scenario.summary.clone(),
            with_keepers,
            without_keepers,
            at_risk,
            at_risk_without_keepers,
        }
    }
}

fn n(value: f64) -> String {
    significant(value, 6)
}

/// Where something was traded: so much at this price, sold or bought.
fn traded(unwinding: &Unwinding) -> String {
    let part = |word, base: f64, price: Option<f64>| {
        price.map(|price| format!("{word} {} at {}", significant(base, 4), n(price)))
    };
    let parts = [
        part("sold", unwinding.base_sold, unwinding.sold_at),
        part("bought", unwinding.base_bought, unwinding.bought_at),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "-".into()
    } else {
        parts.join(", ")
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = &self.with_keepers;
        writeln!(f, "{}: {}", self.name, self.summary)?;
        writeln!(
            f,
            "  price {} -> {}, in the pool {}, of the oracle {}; risk stage {}",
            n(with.price_before),
            n(with.price_after),
            n(with.pool_price_after),
            n(with.oracle_price_after),
            with.stage_after
        )?;
        let mut table = Table::new([
            "<position",
            "?<kept",
            "equity before",
            "after",
            "unkept",
            "?LTV before",
            "highest LTV",
            "?LTV after",
            "liquidated",
            "bad debt",
            "?<landed",
            "?<refused, missed",
            "?<unwinding",
        ]);
        for (position, alone) in with.positions.iter().zip(&self.without_keepers.positions) {
            let acts: Vec<String> = position
                .actions
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            let refused: u32 = position.refused.values().sum();
            let bad = position.bad_debt_base * with.price_after + position.bad_debt_quote;
            table.row([
                position.name.clone(),
                if position.kept { "yes" } else { "no" }.into(),
                n(position.before.equity.f64()),
                n(position.after.equity.f64()),
                n(alone.after.equity.f64()),
                bps(position.before.ltv_bps),
                bps(position.highest_ltv_bps),
                bps(position.after.ltv_bps),
                n(position.liquidated),
                n(bad + position.uncovered),
                if acts.is_empty() {
                    "-".into()
                } else {
                    acts.join(", ")
                },
                format!("{refused}, {}", position.missed),
                traded(&position.unwinding),
            ]);
        }
        table.fmt(f)?;
        let mut table = Table::new([
            "<lender",
            "<token",
            "before",
            "after",
            "withdrawn",
            "at hand",
        ]);
        for lender in &with.lenders {
            table.row([
                lender.name.clone(),
                lender.token.into(),
                n(lender.before),
                n(lender.after),
                n(lender.withdrawn),
                n(lender.at_hand),
            ]);
        }
        table.fmt(f)?;
        for reserve in &with.reserves {
            writeln!(
                f,
                "  {} reserve: lent out {} -> {} (at most {}), borrowers pay {} a year; bad debt: lenders bear {}, the insurance {}",
                reserve.token,
                bps(reserve.utilisation_before_bps),
                bps(reserve.utilisation_after_bps),
                bps(reserve.utilisation_highest_bps),
                bps(reserve.borrow_rate_bps),
                n(reserve.lost_by_lenders),
                n(reserve.lost_by_insurance),
            )?;
        }
        if with.liquidators.base_sold + with.liquidators.base_bought > 0.0 {
            writeln!(f, "  liquidators: {}", traded(&with.liquidators))?;
        }
        if let Some(perp) = &with.perp {
            writeln!(
                f,
                "  perp: {} of base held, {} put up; price {}, funding {}, fees -{}; {} of base deleveraged away{}",
                n(perp.size),
                n(perp.margin),
                n(perp.price),
                n(perp.funding),
                n(perp.fees),
                n(perp.auto_deleveraged),
                if perp.liquidated {
                    "; closed by the venue"
                } else {
                    ""
                }
            )?;
        }
        if self.at_risk.seeds > 1 {
            let mut table = Table::new(["<over all seeds", "mean", "95 %", "99 %", "worst"]);
            let none = || "-".to_owned();
            for (name, spread) in [
                ("bad debt", self.at_risk.bad_debt),
                ("bad debt, unkept", self.at_risk_without_keepers.bad_debt),
                ("liquidated", self.at_risk.liquidated),
                (
                    "liquidated, unkept",
                    self.at_risk_without_keepers.liquidated,
                ),
                ("equity lost", self.at_risk.equity_lost),
                (
                    "equity lost, unkept",
                    self.at_risk_without_keepers.equity_lost,
                ),
            ] {
                table.row([
                    name.into(),
                    n(spread.mean),
                    spread.quantile_95.map_or_else(none, n),
                    spread.quantile_99.map_or_else(none, n),
                    n(spread.worst),
                ]);
            }
            table.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for StressReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for played in &self.scenarios {
            writeln!(f, "{played}")?;
        }
        writeln!(
            f,
            "  Amounts in whole tokens, equity at the price outside with uncollected fees. Tables are of seed {}; \"unkept\" is the same without keepers. Limits and rules are those of {}.",
            self.seed, self.limits
        )
    }
}
