//! How it can end, and what that costs.

use ballast_quote::{Exits, GapEnd, Unwinding};

use super::{PRICE, Part, QuoteReport, Section, days, few, optional, section};
use crate::{
    format::{change, percent, significant},
    table::Table,
};

impl QuoteReport {
    pub(super) fn chance_section(&self) -> Option<Section> {
        if self.chances.is_empty() {
            return None;
        }
        let mut table = Table::new([
            "<within",
            "liquidation",
            "below",
            "above",
            "with interest",
            "deleverage",
        ]);
        for chance in &self.chances {
            let of = |exits: Option<Exits>, part: fn(&Exits) -> f64| {
                optional(exits.as_ref().map(part), percent)
            };
            table.row([
                days(chance.days),
                of(chance.liquidation, |exits| exits.either),
                of(chance.liquidation, |exits| exits.lower),
                of(chance.liquidation, |exits| exits.upper),
                of(chance.liquidation_grown, |exits| exits.either),
                of(chance.deleverage, |exits| exits.either),
            ]);
        }
        Some(section(
            "How likely, if nobody acts (no drift, watched all the time)",
            [Part::Table(table)],
        ))
    }

    pub(super) fn swap_section(&self) -> Option<Section> {
        let opening = self.opening.as_ref()?;
        let depth = if self.conditions.depth {
            "through today's depth, without the position's own liquidity"
        } else {
            "fee only: the depth is not known, pass --depth or --market"
        };
        let mut all = vec![(
            "opening".to_owned(),
            match &opening.swap {
                None if opening.base == 0.0 => {
                    "no swap: own and borrowed tokens are what the pool takes".to_owned()
                }
                None => format!(
                    "{} base in or out, for which the known liquidity does not suffice",
                    few(-opening.base)
                ),
                Some(swap) if swap.base > 0.0 => format!("sells {} base", few(swap.base)),
                Some(swap) => format!("buys {} base", few(-swap.base)),
            },
        )];
        all.extend(opening.swap.map(|swap| {
            let impact = swap
                .impact
                .map_or(String::new(), |impact| format!(", impact {}", few(impact)));
            let cost = format!(
                "{} quote, {} of own funds (fee {}{impact})",
                few(swap.cost),
                optional(opening.cost_of_equity, percent),
                few(swap.fee),
            );
            ("which costs".to_owned(), cost)
        }));
        let mut table = Table::new([
            "<closing at",
            "price",
            "base in or out",
            "cost, quote",
            "of own funds",
            "price after",
            "paid out, quote",
        ]);
        for at in self.unwinding.iter().flatten() {
            let Unwinding {
                label,
                price,
                base,
                swap,
                possible,
                paid_out,
                cost_of_equity,
                ..
            } = at;
            table.row([
                label.clone(),
                significant(*price, PRICE),
                few(-*base + 0.0),
                if *possible {
                    swap.map_or("0".into(), |swap| few(swap.cost))
                } else {
                    "too deep".into()
                },
                optional(*cost_of_equity, percent),
                optional(swap.and_then(|swap| swap.price_after), |price| {
                    significant(price, PRICE)
                }),
                optional(*paid_out, |paid| significant(paid, 6)),
            ]);
        }
        Some(section(
            format!("Opening and closing ({depth})"),
            [Part::Facts(all), Part::Table(table)],
        ))
    }

    pub(super) fn gap_section(&self) -> Option<Section> {
        if self.gaps.is_empty() {
            return None;
        }
        let mut table = Table::new([
            "<move",
            "price",
            "LTV",
            "<then",
            "owner",
            "liquidators",
            "lent",
            "lenders lose",
        ]);
        for gap in &self.gaps {
            table.row([
                change(gap.change),
                significant(gap.price, PRICE),
                optional(gap.ltv, percent),
                match gap.end {
                    GapEnd::Healthy => "-",
                    GapEnd::Deleverage => "deleverage",
                    GapEnd::PartlyLiquidated => "liquidated in part",
                    GapEnd::Liquidated => "liquidated",
                    GapEnd::BadDebt => "bad debt",
                }
                .into(),
                significant(gap.owner, 6),
                few(gap.bonus),
                significant(gap.lent, 6),
                few(gap.bad_debt),
            ]);
        }
        Some(section(
            "After an instant move (in quote)",
            [Part::Table(table)],
        ))
    }
}
