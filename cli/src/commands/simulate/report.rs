//! What `ballast simulate` prints.

use std::{collections::BTreeMap, fmt};

use ballast_simulator::{Act, Event, Looks, Moments, Proportion, Remark, Summary, world::Whole};
use serde::Serialize;

use super::{
    SimulateArgs, Walked,
    conditions::ConditionsReport,
    fees::protocol_fees,
    lag::LagReport,
    parts::{
        Against, BetterMean, Chance, ClosedForm, Deleverage, Distribution, DrawDown, Ends, Exits,
        Liquidation, Mean, Often, ReplayedAction, ReplayedDecision, Venue, WorstPath,
    },
    record::RecordReport,
    world,
};
use crate::{
    format::{bps, optional, percent, significant},
    table::Table,
};

/// Digits of amounts in tables.
const DIGITS: usize = 8;

/// What all paths say together. Amounts are in whole quote tokens.
#[derive(Debug, Serialize)]
pub struct SimulationReport {
    pub paths: u64,
    pub seed: u64,
    pub steps: u64,
    pub equity: Distribution,
    /// The mean of equity with control variates; none where nothing is known of the model's prices beforehand.
    pub equity_controlled: Option<BetterMean>,
    pub time_in_range: Mean,
    /// The first look at or beyond either watched price.
    pub first_exit: Ends<Chance>,
    pub first_exit_closed_form: Option<ClosedForm>,
    pub liquidation: Liquidation,
    /// Of a keeper's strategy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleverage: Option<Deleverage>,
    /// Means of the parts that the gain consists of.
    pub attribution: BTreeMap<&'static str, Mean>,
    /// What of the fees that this position's liquidity brought in went to the protocol: no part of the gain.
    pub protocol_fees: f64,
    /// What the strategy does a day.
    pub actions_per_day: f64,
    /// Each kind of action, those of liquidators as well.
    pub actions: BTreeMap<&'static str, Often>,
    /// How far equity fell below the own funds on the way, and from a peak.
    pub draw_down: DrawDown,
    /// What happened to the short at the perp venue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perp: Option<Venue>,
    /// The record that was replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordReport>,
    /// What is worth knowing of the position as it was opened.
    pub warnings: Vec<String>,
    /// How late whoever acts is; none where nothing is late and nothing is lost.
    pub lag: Option<LagReport>,
    /// What of reserves and oracle wanders; none where they stand still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<ConditionsReport>,
    /// Part of the time in which the oracle publishes nothing; none where it always does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oracle_silent: Option<Mean>,
    /// Whose limits and rules apply to who acts.
    pub limits: Option<String>,
    /// What costs nothing and what never happens, with the options that would say otherwise.
    pub not_counted: Vec<&'static str>,
    /// The paths that ended lowest, the worst first.
    pub worst_paths: Vec<WorstPath>,
    /// The same paths with another strategy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// What was done on the path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<Vec<ReplayedAction>>,
    /// And every decision for which there was a reason, to act or to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<Vec<ReplayedDecision>>,
    #[serde(skip)]
    own: f64,
}

impl SimulationReport {
    /// Adds everything up.
    pub fn new(
        args: &SimulateArgs,
        looks: Looks,
        here: &Walked,
        other: Option<&Summary>,
        exits: Exits,
    ) -> Self {
        let Walked {
            terms,
            summary,
            controlled,
            replayed,
            ..
        } = here;
        let price = |at| terms.units.log_price(at).exp();
        let decided = |remark: &Remark| ReplayedDecision {
            secs: remark.secs,
            price: price(remark.at),
            decision: remark.text.clone(),
        };
        let acted = |event: &Event| ReplayedAction {
            secs: event.secs,
            price: price(event.at),
            action: event.act.name(),
            equity_before: Whole::new(event.equity_before, terms.units.quote_decimals),
            equity: Whole::new(event.equity, terms.units.quote_decimals),
            ltv_bps: event.ltv_bps,
        };
        let often = |(act, moments, seen): (Act, Moments, Proportion)| {
            let often = Often {
                per_day: moments.mean() / looks.days(),
                probability: seen.probability(),
            };
            (act.name(), often)
        };
        let liquidatable = summary.liquidatable();
        let deleverage = exits.deleverage.map(|(trigger, closed_form)| {
            let mut seen = Proportion::default();
            if let Some((.., often)) = summary.acts().find(|(act, ..)| *act == Act::Deleverage) {
                seen = often;
            }
            Deleverage {
                probability: seen.probability(),
                stderr: seen.stderr(),
                trigger: f64::from(trigger.get()) / 1e4,
                closed_form,
            }
        });
        // Sorted, and let go of before anything else is sorted: there may be millions.
        let draw_down = DrawDown::of(&summary.draw_down(), summary.fall_from_peak());
        let worst = summary.worst().iter();
        Self {
            paths: summary.equities().len() as u64,
            replay: (replayed.as_ref()).map(|replayed| replayed.events.iter().map(acted).collect()),
            decisions: (replayed.as_ref())
                .map(|replayed| replayed.remarks.iter().map(decided).collect()),
            equity_controlled: controlled.as_ref().map(BetterMean::from),
            protocol_fees: protocol_fees(terms, summary),
            actions: summary.acts().map(often).collect(),
            perp: terms.perp.as_ref().map(|_| Venue {
                auto_deleveraged: summary.auto_deleveraged().into(),
                closed: summary.closed_at_venue().into(),
            }),
            record: args.scenario.models.record.report().cloned(),
            warnings: here.warnings.clone(),
            lag: here.lag.map(LagReport::from),
            conditions: here.conditions,
            oracle_silent: (terms.feed)
                .and_then(|feed| feed.stalls)
                .map(|_| summary.silent().into()),
            not_counted: here.not_counted.clone(),
            limits: (args.strategy.acts()).then(|| args.scenario.rules.named()),
            seed: args.scenario.seed,
            steps: looks.count(),
            equity: Distribution::of(&summary.equity()),
            draw_down,
            worst_paths: worst
                .map(|(equity, path)| WorstPath {
                    path: *path,
                    equity: Whole::nearest(*equity, terms.units.quote_decimals),
                })
                .collect(),
            against: other.map(|other| Against::new(summary, other)),
            time_in_range: summary.time_in_range().into(),
            first_exit: Ends {
                lower: summary.first_exit_lower().into(),
                upper: summary.first_exit_upper().into(),
            },
            first_exit_closed_form: exits.first_exit,
            liquidation: Liquidation {
                probability: liquidatable.probability(),
                stderr: liquidatable.stderr(),
                prices: Ends {
                    lower: exits.liquidation_prices.0,
                    upper: exits.liquidation_prices.1,
                },
                closed_form: exits.liquidation,
            },
            deleverage,
            attribution: summary
                .attribution()
                .iter()
                .map(|(name, moments)| (*name, Mean::from(*moments)))
                .collect(),
            actions_per_day: summary.own_acts().mean() / looks.days(),
            own: terms.units.quote(terms.funds()),
        }
    }
}

impl SimulationReport {
    /// The parts of the gain that there are: without a venue there is nothing to say of it.
    pub fn gains(&self) -> impl Iterator<Item = (&'static str, &Mean)> {
        let venue = ["perp", "basis", "funding", "perp_fees"];
        let lines = self.attribution.iter().map(|(name, mean)| (*name, mean));
        lines.filter(move |(name, mean)| {
            !venue.contains(name) || mean.mean != 0.0 || mean.stderr != 0.0
        })
    }
}

impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: f64| significant(value, DIGITS);
        let equity = &self.equity;
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        writeln!(
            f,
            "equity       {} +- {} of {}; sd {}",
            number(equity.mean),
            significant(equity.stderr, 2),
            number(self.own),
            number(equity.sd)
        )?;
        writeln!(
            f,
            "             5 % end below {} (mean of these {}), half below {}, 5 % above {}",
            number(equity.quantile_5),
            number(equity.shortfall_5),
            number(equity.quantile_50),
            number(equity.quantile_95)
        )?;
        if let Some(better) = &self.equity_controlled {
            writeln!(
                f,
                "             {} +- {} with control variates ({}: {} of the variance)",
                number(better.mean),
                significant(better.stderr, 2),
                better.controls.join(", ").replace('_', " "),
                percent(better.explained)
            )?;
        }
        let with_error =
            |probability, stderr| format!("{} +- {}", percent(probability), percent(stderr));
        writeln!(
            f,
            "liquidation  {} of the paths come to {} or {}",
            with_error(self.liquidation.probability, self.liquidation.stderr),
            optional(self.liquidation.prices.lower, DIGITS),
            optional(self.liquidation.prices.upper, DIGITS),
        )?;
        if let Some(exact) = &self.liquidation.closed_form {
            writeln!(f, "             {}", exact.words())?;
        }
        if let Some(deleverage) = &self.deleverage {
            writeln!(
                f,
                "deleverage   at LTV {}, on {} of the paths",
                percent(deleverage.trigger),
                with_error(deleverage.probability, deleverage.stderr),
            )?;
            if let Some(exact) = &deleverage.closed_form {
                writeln!(f, "             {}", exact.words())?;
            }
        }
        let exit = &self.first_exit;
        writeln!(
            f,
            "first exit   {} lower, {} upper",
            with_error(exit.lower.probability, exit.lower.stderr),
            with_error(exit.upper.probability, exit.upper.stderr),
        )?;
        if let Some(Venue {
            auto_deleveraged,
            closed,
        }) = &self.perp
        {
            writeln!(
                f,
                "perp venue   takes of the short on {} of the paths, closes it for want of margin on {}",
                with_error(auto_deleveraged.probability, auto_deleveraged.stderr),
                with_error(closed.probability, closed.stderr),
            )?;
        }
        if let Some(record) = &self.record {
            writeln!(f, "record       {}", record.words())?;
        }
        writeln!(
            f,
            "in range     {} of the time",
            percent(self.time_in_range.mean)
        )?;
        if let Some(silent) = &self.oracle_silent {
            writeln!(
                f,
                "oracle       silent {} of the time",
                percent(silent.mean)
            )?;
        }
        writeln!(
            f,
            "actions      {} a day",
            significant(self.actions_per_day, 3)
        )?;
        for (name, often) in self
            .actions
            .iter()
            .filter(|(_, often)| often.probability > 0.0)
        {
            writeln!(
                f,
                "             {name}: {} a day, on {} of the paths",
                significant(often.per_day, 3),
                percent(often.probability)
            )?;
        }
        writeln!(
            f,
            "draw-down    {} on average, 5 % above {}; from a peak {}",
            number(self.draw_down.mean),
            number(self.draw_down.quantile_95),
            number(self.draw_down.from_peak.mean)
        )?;
        let worst = self.worst_paths.iter();
        let worst: Vec<_> = worst
            .map(|worst| format!("{} ({})", worst.path, number(worst.equity.f64())))
            .collect();
        writeln!(f, "worst paths  {}", worst.join(", "))?;
        let limits = self.limits.as_deref();
        let (lag, conditions) = (self.lag.as_ref(), self.conditions.as_ref());
        let world = world::words(lag, conditions, limits, &self.not_counted);
        for (index, line) in world.iter().enumerate() {
            let name = if index == 0 { "world" } else { "" };
            writeln!(f, "{name:<12} {line}")?;
        }
        if let Some(against) = &self.against {
            writeln!(
                f,
                "against      {} +- {} more than the other strategy, which ends at {}, 5 % below {}, and comes to liquidation on {}",
                number(against.difference.mean),
                significant(against.difference.stderr, 2),
                number(against.equity.mean),
                number(against.equity.quantile_5),
                percent(against.liquidation_probability),
            )?;
        }
        let mut table = Table::new(["<gain from", "mean", "+-"]);
        for (name, mean) in self.gains() {
            table.row([
                name.replace('_', " "),
                number(mean.mean),
                significant(mean.stderr, 2),
            ]);
        }
        write!(f, "\n{table}")?;
        if self.protocol_fees > 0.0 {
            writeln!(
                f,
                "  beside it {} of fees went to the protocol",
                number(self.protocol_fees)
            )?;
        }
        if let Some(decisions) = &self.decisions {
            let mut table = Table::new(["day", "price", "<decision"]);
            for decision in decisions {
                table.row([
                    format!("{:.4}", decision.secs as f64 / 86_400.0),
                    number(decision.price),
                    decision.decision.clone(),
                ]);
            }
            write!(f, "\n{table}")?;
        }
        let Some(events) = &self.replay else {
            return Ok(());
        };
        let mut table = Table::new(["day", "price", "<action", "equity before", "equity", "LTV"]);
        for event in events {
            table.row([
                format!("{:.4}", event.secs as f64 / 86_400.0),
                number(event.price),
                event.action.to_owned(),
                number(event.equity_before.f64()),
                number(event.equity.f64()),
                bps(event.ltv_bps),
            ]);
        }
        write!(f, "\n{table}")
    }
}
