//! What people read, in groups: the terminal and the HTML page show the same.

mod ends;
mod hedging;

use std::iter;

use ballast_quote::Trigger;

use super::report::QuoteReport;
use crate::{
    format::{change, percent, significant},
    table::Table,
};

/// A group under a heading.
pub struct Section {
    pub title: String,
    pub parts: Vec<Part>,
}

/// A part of a group.
pub enum Part {
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// Rows and columns.
    Table(Table),
    /// A sentence.
    Note(String),
}

/// Digits of prices.
const PRICE: usize = 7;

fn facts<const N: usize>(facts: [(&str, String); N]) -> Part {
    Part::Facts(facts.map(|(name, value)| (name.to_owned(), value)).into())
}

fn section(title: impl Into<String>, parts: impl IntoIterator<Item = Part>) -> Section {
    Section {
        title: title.into(),
        parts: parts.into_iter().collect(),
    }
}

/// A number of quote or base with few digits.
fn few(value: f64) -> String {
    significant(value, 4)
}

fn signed(value: f64) -> String {
    // Nothing has no sign.
    if value > 0.0 {
        format!("+{}", few(value))
    } else {
        few(value)
    }
}

fn optional(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".into(), show)
}

/// Days as people say it.
fn time(days: f64) -> String {
    let minutes = days * 1_440.0;
    if minutes < 1.0 {
        format!("{} s", significant(minutes * 60.0, 2))
    } else if minutes < 120.0 {
        format!("{} min", significant(minutes, 3))
    } else if days < 2.0 {
        format!("{} h", significant(days * 24.0, 3))
    } else {
        format!("{} days", significant(days, 3))
    }
}

fn days(days: f64) -> String {
    let unit = if days == 1.0 { "day" } else { "days" };
    format!("{} {unit}", significant(days, 4))
}

impl QuoteReport {
    /// All groups but for the position itself, which heads them.
    pub fn sections(&self) -> Vec<Section> {
        iter::once(self.trigger_section())
            .chain(self.carry_section())
            .chain(self.rehedging_section())
            .chain(self.chance_section())
            .chain(self.swap_section())
            .chain(self.gap_section())
            .chain(iter::once(self.hedge_section()))
            .collect()
    }

    fn trigger_section(&self) -> Section {
        let mut table = Table::new([
            "<what", "price", "from now", "equity", "leverage", "LTV", "delta",
        ]);
        for Trigger {
            kind,
            side,
            price,
            change: from_now,
            equity,
            leverage,
            ltv,
            delta,
        } in &self.triggers
        {
            table.row([
                kind.name(*side).into(),
                significant(*price, PRICE),
                change(*from_now),
                significant(*equity, 6),
                optional(*leverage, few),
                optional(*ltv, percent),
                few(*delta),
            ]);
        }
        let due: Vec<_> = self
            .due_at_once
            .iter()
            .map(|kind| kind.name(ballast_quote::Side::Lower))
            .collect();
        let note = (!due.is_empty())
            .then(|| Part::Note(format!("Due as soon as it is open: {}.", due.join(", "))));
        let parts = iter::once(Part::Table(table)).chain(note);
        section(
            "Where something happens (prices in quote per base, equity in quote, delta in base)",
            parts,
        )
    }

    fn carry_section(&self) -> Option<Section> {
        let fee = self.conditions.fee.map_or(String::new(), |fee| {
            format!(", fee {} %", significant(fee * 100.0, 4))
        });
        let Some(carry) = &self.carry else {
            let note = "Not known without volatility: pass --sigma-day or --candles.".to_owned();
            return Some(section("A day in the range", [Part::Note(note)]));
        };
        let source = self.conditions.sigma_source.as_deref().unwrap_or("given");
        let quote = |value: f64| format!("{} quote", signed(value));
        let of_equity = carry.net.zip(carry.net_of_equity).map_or(
            "not known: a part of it is not".to_owned(),
            |(net, of_equity)| format!("{} quote, {} of own funds", signed(net), change(of_equity)),
        );
        let mut all = vec![
            ("curvature", quote(-carry.curvature)),
            ("fees from arbitrage", optional(carry.arbitrage_fees, quote)),
            ("interest on base", quote(-carry.interest_base)),
            ("interest on quote", quote(-carry.interest_quote)),
            ("rehedging", optional(carry.rehedging, |cost| quote(-cost))),
            ("together", of_equity),
        ];
        if let Some(volume) = carry.break_even_own_volume {
            let day = |volume: f64| format!("{} quote of takers' volume a day", few(volume));
            all.push((
                "break-even",
                format!("{} through the position's own liquidity", day(volume)),
            ));
            if let (Some(pool), Some(share)) = (carry.break_even_pool_volume, carry.share_of_pool) {
                let pool = format!(
                    "{} through the pool, at a share of {}",
                    day(pool),
                    percent(share)
                );
                all.push(("", pool));
            }
        }
        let all = all
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let title = format!(
            "A day in the range (sigma {} a day, {source}{fee})",
            percent(carry.sigma_day)
        );
        Some(section(title, [Part::Facts(all)]))
    }
}
