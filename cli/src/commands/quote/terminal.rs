//! What `ballast quote` prints for people: at most 100 columns.

use std::fmt;

use ballast_chart::{TextMark, text_plot};
use ballast_quote::{Side, TriggerKind};

use super::{report::QuoteReport, sections::Part};
use crate::{
    format::{change, optional, percent, significant},
    help::wrapped,
    table::Table,
};

/// No line is longer where it is not known how wide they may be.
const WIDTH: usize = 100;

/// Digits of prices and amounts in tables.
const DIGITS: usize = 10;
/// Columns and rows of the plot, where there is room.
const PLOT: (usize, usize) = (96, 17);
const PLOT_POINTS: u32 = 200;

impl QuoteReport {
    fn amount(&self, decimals: u8, value: f64, digits: usize) -> String {
        // Nothing instead of what is less than the token's smallest unit.
        let nothing = value.abs() < 10f64.powi(-i32::from(decimals));
        significant(if nothing { 0.0 } else { value }, digits)
    }

    pub fn base(&self, value: f64, digits: usize) -> String {
        self.amount(self.decimals.0, value, digits)
    }

    pub fn in_quote(&self, value: f64, digits: usize) -> String {
        self.amount(self.decimals.1, value, digits)
    }

    /// The position's own numbers.
    pub fn head(&self) -> Vec<(&'static str, String)> {
        let n = |value: f64| significant(value, DIGITS);
        let distance = |price: Option<f64>| match price {
            Some(price) => format!("{} ({})", n(price), change(price / self.P - 1.0)),
            None => "none".into(),
        };
        let at = percent(self.t);
        let liquidation = if self.liquidated_at_once {
            format!("at once: LTV is at or above {at} already")
        } else {
            let (below, above) = (distance(self.risk.lower), distance(self.risk.upper));
            format!("at LTV {at}: below {below}, above {above}")
        };
        vec![
            ("own funds", format!("{} quote", n(self.own_funds))),
            (
                "range",
                format!(
                    "{} to {} ({} to {})",
                    n(self.pa),
                    n(self.pb),
                    change(self.pa / self.P - 1.0),
                    change(self.pb / self.P - 1.0)
                ),
            ),
            (
                "leverage",
                format!(
                    "{}, LTV {}",
                    optional(self.risk.leverage, 6),
                    percent(self.risk.ltv.unwrap_or(0.0))
                ),
            ),
            ("liquidity", n(self.L)),
            (
                "delta",
                format!(
                    "{} base; {} per 1% of price",
                    self.base(self.risk.delta, DIGITS),
                    self.base(self.risk.gamma * self.P / 100.0, DIGITS)
                ),
            ),
            ("liquidation", liquidation),
        ]
    }

    /// What lies in the pool and what is owed.
    pub fn amounts(&self) -> Table {
        let mut amounts = Table::new(["<", "base", "quote", "value in quote"]);
        for (name, base, quote) in [
            ("in the pool", self.x, self.y),
            ("borrowed", self.dx, self.dy),
        ] {
            amounts.row([
                name.into(),
                self.base(base, DIGITS),
                self.in_quote(quote, DIGITS),
                self.in_quote(base * self.P + quote, DIGITS),
            ]);
        }
        amounts
    }

    /// The position along the price.
    pub fn curve_table(&self) -> Table {
        let mut curve = Table::new([
            "price",
            "equity",
            "PnL",
            "?PnL %",
            "?delta",
            "?leverage",
            "LTV",
            "<",
        ]);
        for point in &self.curve {
            curve.row([
                significant(point.P, 8),
                self.in_quote(point.equity, 8),
                self.in_quote(point.pnl, 5),
                change(point.pnl / self.own_funds),
                self.base(point.delta, 5),
                point
                    .leverage
                    .map_or("-".into(), |leverage| significant(leverage, 4)),
                point.ltv.map_or("-".into(), percent),
                point.label.clone(),
            ]);
        }
        curve
    }

    /// What the program does, in raw units.
    pub fn raw_plan(&self) -> Option<[(&'static str, String); 3]> {
        let plan = self.on_chain.as_ref().ok()?;
        Some([
            ("liquidity", plan.liquidity.clone()),
            (
                "deposit",
                format!("{} base + {} quote", plan.deposit_base, plan.deposit_quote),
            ),
            (
                "borrow",
                format!("{} base + {} quote", plan.debt_base, plan.debt_quote),
            ),
        ])
    }

    /// Equity against price, and the signs under it that need a word.
    fn plot(&self, columns: usize) -> (String, String) {
        let (Some(first), Some(last)) = (self.curve.first(), self.curve.last()) else {
            return Default::default();
        };
        let step = (last.P - first.P) / f64::from(PLOT_POINTS);
        let points: Vec<_> = (0..=PLOT_POINTS)
            .map(|index| first.P + step * f64::from(index))
            .map(|price| (price, self.quote.sizing.risk(price).equity))
            .collect();
        let mark = |x: f64, sign: char| TextMark { x, sign };
        let mut marks = vec![mark(self.P, '^'), mark(self.pa, '['), mark(self.pb, ']')];
        let mut signs = vec!["^ now", "[ ] range"];
        for trigger in &self.triggers {
            let (sign, name) = match (trigger.kind, trigger.side) {
                (TriggerKind::Liquidation, _) => ('L', "L liquidation"),
                (TriggerKind::Deleverage, _) => ('D', "D deleverage"),
                (TriggerKind::Rehedge, _) => ('r', "r rehedge"),
                (TriggerKind::Recenter, _) => ('c', "c recenter"),
                (TriggerKind::Window, Side::Lower) => ('S', "S stop-loss"),
                (TriggerKind::Window, Side::Upper) => ('T', "T take-profit"),
                (TriggerKind::Floor, _) => ('F', "F floor"),
            };
            marks.push(mark(trigger.price, sign));
            if !signs.contains(&name) {
                signs.push(name);
            }
        }
        (
            text_plot(&points, &marks, (columns, PLOT.1)),
            signs.join(", "),
        )
    }
}

impl fmt::Display for QuoteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let price = significant(self.P, DIGITS);
        writeln!(
            f,
            "Position at {price} quote per base, amounts in whole tokens"
        )?;
        if let Err(why) = &self.on_chain {
            writeln!(
                f,
                "No on-chain plan, the program could not open this: {why}"
            )?;
        }
        for warning in &self.warnings {
            // Once, for what is fitted twice has gaps.
            let width = f.width().unwrap_or(WIDTH);
            writeln!(f, "{}", wrapped(&format!("warning: {warning}"), width))?;
        }
        writeln!(f)?;
        for (name, value) in self.head() {
            writeln!(f, "  {name:<12} {value}")?;
        }
        writeln!(f)?;
        self.amounts().fmt(f)?;
        let (plot, signs) = self.plot(f.width().map_or(PLOT.0, |width| width.min(PLOT.0)));
        writeln!(
            f,
            "\nEquity against price (equity and PnL in quote, delta in base; nobody acts, no fees, no interest)\n"
        )?;
        write!(f, "{plot}")?;
        writeln!(f, "  {signs}\n")?;
        self.curve_table().fmt(f)?;
        for section in self.sections() {
            writeln!(f, "\n{}\n", section.title)?;
            for part in section.parts {
                match part {
                    Part::Facts(facts) => {
                        let widest = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
                        for (name, value) in facts {
                            writeln!(f, "  {name:<widest$}  {value}")?;
                        }
                    }
                    Part::Table(table) => table.fmt(f)?,
                    Part::Note(note) => writeln!(f, "  {note}")?,
                }
            }
        }
        if let Some(plan) = self.raw_plan() {
            writeln!(f, "\nOn chain (raw units)\n")?;
            for (name, value) in plan {
                writeln!(f, "  {name:<9}  {value}")?;
            }
        }
        Ok(())
    }
}
