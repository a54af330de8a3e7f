//! What keeping the hedge takes.

use ballast_quote::AtEdge;

use super::{PRICE, Part, QuoteReport, Section, days, facts, few, optional, section, time};
use crate::{
    format::{percent, significant},
    table::Table,
};

impl QuoteReport {
    pub(super) fn rehedging_section(&self) -> Option<Section> {
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
            let beside = match self.conditions.action_cost {
                0.0 => ", its transaction and reward not counted".to_owned(),
                action => format!(", {} of it beside the swap", few(action)),
            };
            ("one costs", format!("{} quote{beside}{day}", few(cost)))
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

    pub(super) fn hedge_section(&self) -> Section {
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
