//! What of the world is counted, and what is not: whoever reads a mean or a chance has to know of which world it is.

use ballast_simulator::Summary;

use super::{
    conditions::{Conditions, ConditionsReport},
    lag::{LagReport, told},
    model_file::ModelFile,
    pool::beyond_warning,
    scenario::ScenarioArgs,
    strategy::Strategy,
};

/// A trade that is more than this part of all that a depth holds of a token moves the price by more than twice as much: there the
/// liquidity around it is hardly still the same.
const LARGE_TRADE: f64 = 0.01;

impl ScenarioArgs {
    /// What costs nothing and what never happens, because no option says otherwise; with the options.
    pub fn not_counted(
        &self,
        acts: bool,
        file: &ModelFile,
        conditions: &Conditions,
    ) -> Vec<&'static str> {
        let [base, quote] = &conditions.reserves;
        let free_base = self.borrow_base_apr.f64() == 0.0 && base.is_none();
        let free_quote = self.borrow_quote_apr.f64() == 0.0 && quote.is_none();
        let interest = match (free_base, free_quote) {
            (true, true) => Some("interest (--borrow-base-apr, --borrow-quote-apr)"),
            (true, false) => Some("interest of the base debt (--borrow-base-apr)"),
            (false, true) => Some("interest of the quote debt (--borrow-quote-apr)"),
            (false, false) => None,
        };
        let free_action = acts && self.action_cost.f64() == 0.0;
        let deep = acts && self.fees.is_deep(file);
        [
            interest,
            self.fees.no_fees.then_some("fees (--no-fees)"),
            free_action.then_some("what an action costs beside its trade (--action-cost)"),
            deep.then_some("price impact of the position's own trades (--pool-liquidity, --depth)"),
            (!self.liquidate).then_some("liquidations (--liquidate)"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Strategy {
    /// Whether it ever does anything.
    pub fn acts(&self) -> bool {
        !matches!(self, Self::Hold | Self::Unhedged)
    }
}

/// In words: what wanders, how late it is and under whose limits if somebody acts, and what is not counted. Lines.
pub fn words(
    lag: Option<&LagReport>,
    conditions: Option<&ConditionsReport>,
    limits: Option<&str>,
    not_counted: &[&str],
) -> Vec<String> {
    let mut lines = Vec::new();
    if limits.is_some() {
        lines.push(told(lag, conditions.is_some_and(|it| it.oracle.is_some())));
    }
    lines.extend(conditions.map(ConditionsReport::words).unwrap_or_default());
    if let Some(limits) = limits {
        lines.push(format!(
            "limits and rules are those of {limits} (--migrations)"
        ));
    }
    if !not_counted.is_empty() {
        lines.push(format!("not counted: {}", not_counted.join(", ")));
    }
    lines
}

/// What is worth knowing of what a position met on its paths.
pub fn seen_warnings(summary: &Summary) -> impl Iterator<Item = String> + use<> {
    let time = summary.beyond_depth().mean();
    let paths = summary.trade_beyond_depth().probability();
    let beyond = beyond_warning(time, paths);
    trade_warning(summary.largest_trade())
        .into_iter()
        .chain(beyond)
}

/// What is worth knowing of the largest trade, as a part of what the stated depth holds.
fn trade_warning(part: f64) -> Option<String> {
    (part > LARGE_TRADE).then(|| {
        format!(
            "one of the position's own trades was to be {} of all that --pool-liquidity holds of a token: it pays the impact of constant \
             liquidity, which so far from the price is a guess, or ends at its cap; use less --equity or see `ballast quote --depth`",
            crate::format::percent(part)
        )
    })
}
