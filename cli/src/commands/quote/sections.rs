//! What people read, in groups: the terminal and the HTML page show the same.

use std::iter;

use ballast_quote::{AtEdge, Settlement, Trigger, Unwinding};

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
        let of_equity = format!(
            "{} quote, {} of own funds",
            signed(carry.net),
            change(carry.net_of_equity)
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

    fn rehedging_section(&self) -> Option<Section> {
        let rehedging = self.rehedging.as_ref()?;
        let band = format!(
            "{} base off, {} of all the base that the range can hold",
            few(rehedging.band_base),
            percent(f64::from(self.policy.delta_band_bps) / 1e4)
        );
        let often = rehedging.per_day.map(|here| {
            let horizon = optional(rehedging.per_day_to_horizon, few);
            format!(
                "{} a day at this price; {horizon} a day over {} if the range stays",
                few(here),
                days(self.conditions.horizon_days)
            )
        });
        let mut all = vec![("due when", band)];
        all.extend(
            rehedging
                .first_after_days
                .map(|days| ("first after", format!("{} on average", time(days)))),
        );
        all.extend(often.map(|often| ("how often", often)));
        all.extend(rehedging.cost.map(|cost| {
            let day = optional(rehedging.cost_day, |day| {
                format!(", {} quote a day", few(day))
            });
            ("one costs", format!("{} quote{day}", few(cost)))
        }));
        let mut table = Table::new([
            "<edge",
            "price",
            "base in or out",
            "cost, quote",
            "withdrawn",
            "leverage",
            "after",
            "LTV after",
        ]);
        for (name, edge) in [("lower", &rehedging.lower), ("upper", &rehedging.upper)] {
            let Some(AtEdge {
                price,
                swap,
                withdrawn,
                leverage_before,
                leverage,
                ltv,
            }) = edge
            else {
                continue;
            };
            table.row([
                name.into(),
                significant(*price, PRICE),
                few(-swap.base),
                few(swap.cost),
                percent(*withdrawn),
                optional(*leverage_before, few),
                optional(*leverage, few),
                optional(*ltv, percent),
            ]);
        }
        let all = all
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Some(section(
            "Keeping the hedge",
            [Part::Facts(all), Part::Table(table)],
        ))
    }

    fn chance_section(&self) -> Option<Section> {
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
            let of = |exits: Option<ballast_quote::Exits>,
                      part: fn(&ballast_quote::Exits) -> f64| {
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

    fn swap_section(&self) -> Option<Section> {
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
                percent(opening.cost_of_equity),
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

    fn gap_section(&self) -> Option<Section> {
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
                match gap.settlement {
                    Settlement::Healthy => "-",
                    Settlement::Deleverage => "deleverage",
                    Settlement::PartlyLiquidated => "liquidated in part",
                    Settlement::Liquidated => "liquidated",
                    Settlement::BadDebt => "bad debt",
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

    fn hedge_section(&self) -> Section {
        let cost = &self.hedge_cost;
        let quote = |value: f64| format!("{} quote a day", few(value));
        section(
            "The hedge: borrowed, or a perpetual",
            [facts([
                (
                    "short",
                    format!(
                        "{} base, worth {} quote",
                        few(cost.base),
                        few(cost.notional)
                    ),
                ),
                (
                    "borrowed",
                    format!("{} of interest", quote(cost.borrowed_day)),
                ),
                (
                    "perpetual",
                    cost.perpetual_day.map_or_else(
                        || "funding is not known: pass --funding-hour".into(),
                        |day| {
                            if day < 0.0 {
                                format!("{} of funding received", quote(-day))
                            } else {
                                format!("{} of funding paid", quote(day))
                            }
                        },
                    ),
                ),
                (
                    "even at",
                    format!(
                        "funding of {} % an hour",
                        significant(cost.even_funding_hour * 100.0, 4)
                    ),
                ),
            ])],
        )
    }
}
