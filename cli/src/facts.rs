//! What an action did, or would do, and the position afterwards.

use std::fmt;

use ballast_client::{Amounts, Side};
use ballast_view::TokenNames;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    format::{bps, signed_amount, significant},
    view::PositionView,
};

/// Named results of an action: for programs in the names and shapes of `positions`, for people a line each, in the order in which
/// they were told.
#[derive(Clone, Debug)]
pub struct Facts {
    names: TokenNames,
    values: Map<String, Value>,
    lines: Vec<(&'static str, String)>,
    warning: Option<String>,
}

impl Facts {
    /// None yet.
    pub fn new(names: TokenNames) -> Self {
        Self {
            names,
            values: Map::new(),
            lines: Vec::new(),
            warning: None,
        }
    }

    /// In words.
    pub fn text(self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        self.value(name, value.clone())
            .line(told_as(name).unwrap_or(name), value)
    }

    /// So much liquidity.
    pub fn liquidity(self, name: &'static str, value: u128) -> Self {
        self.text(name, value.to_string())
    }

    /// Of both tokens.
    pub fn both(self, name: &'static str, amounts: Amounts) -> Self {
        let tokens = self.names.tokens();
        let whole = |side| tokens.whole(side, amounts.get(side).into());
        let (base, quote) = (whole(Side::Base), whole(Side::Quote));
        let line = format!("{base} {} + {quote} {}", tokens.base, tokens.quote);
        self.value(format!("{name}_base"), base)
            .value(format!("{name}_quote"), quote)
            .line(name, line)
    }

    /// Of the quote token.
    pub fn quote(self, name: &'static str, raw: i128) -> Self {
        let value = self.whole_quote(raw);
        let line = format!("{value} {}", self.names.get(Side::Quote));
        self.value(name, value)
            .line(told_as(name).unwrap_or(name), line)
    }

    /// Equity before and afterwards.
    pub fn equity(self, before: i128, after: i128) -> Self {
        let [before, after] = [before, after].map(|raw| self.whole_quote(raw));
        let line = format!("{before} → {after} {}", self.names.get(Side::Quote));
        self.value("equity_before", before)
            .value("equity", after)
            .line("equity", line)
    }

    /// LTV afterwards, and before if that is known.
    pub fn ltv(self, before_bps: Option<u32>, after_bps: u32) -> Self {
        let (facts, line) = match before_bps {
            Some(before) => (
                self.value("ltv_before_bps", before),
                format!("{} → {}", bps(before), bps(after_bps)),
            ),
            None => (self, bps(after_bps)),
        };
        facts.value("ltv_bps", after_bps).line("LTV", line)
    }

    /// A ratio.
    pub fn ratio(self, name: &'static str, ratio_bps: u32) -> Self {
        self.value(name, ratio_bps)
            .line(told_as(name).unwrap_or(name), bps(ratio_bps))
    }

    /// The range before and afterwards: its ends as ticks and as prices.
    pub fn range(self, before: Range, after: Range) -> Self {
        let told = |range: Range| {
            let [lower, upper] = range.prices.map(|price| significant(price, 8));
            format!("{lower} to {upper}")
        };
        let tokens = self.names.tokens();
        let line = format!(
            "{} → {} {} per {} (ticks {} to {})",
            told(before),
            told(after),
            tokens.quote,
            tokens.base,
            after.ticks[0],
            after.ticks[1]
        );
        self.value("lower_before", before.prices[0])
            .value("upper_before", before.prices[1])
            .value("tick_lower_before", before.ticks[0])
            .value("tick_upper_before", before.ticks[1])
            .value("lower", after.prices[0])
            .value("upper", after.prices[1])
            .value("tick_lower", after.ticks[0])
            .value("tick_upper", after.ticks[1])
            .line("range", line)
    }

    /// What follows from the plan and was not in the program's words, for people.
    pub fn line(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.lines.push((name, value.into()));
        self
    }

    /// What whoever agrees to it should know.
    pub fn warned(mut self, warning: Option<String>) -> Self {
        self.warning = warning;
        self
    }

    /// See [`Self::warned`].
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    fn value(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }

    fn whole_quote(&self, raw: i128) -> String {
        signed_amount(raw, self.names.tokens().decimals.1)
    }

    /// A line each.
    pub fn told(&self) -> String {
        let lines = self.lines.iter();
        let lines = lines.map(|(name, value)| (name.replace('_', " "), value));
        let lines: Vec<_> = lines.collect();
        let width = lines.iter().map(|(name, _)| name.len()).max();
        let width = width.unwrap_or(0).max(12);
        lines
            .iter()
            .map(|(name, value)| format!("  {name:<width$} {value}\n"))
            .collect()
    }
}

/// Names that end in their unit are read without it.
fn told_as(name: &'static str) -> Option<&'static str> {
    name.strip_suffix("_bps")
}

/// Both ends of a range.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub ticks: [i32; 2],
    /// Quote per base, whole tokens.
    pub prices: [f64; 2],
}

/// What was done, and the position afterwards.
#[derive(Debug, Serialize)]
pub struct ActionReport {
    action: &'static str,
    /// None if it was only simulated: the facts then are what it would do.
    pub signature: Option<String>,
    /// What the program told.
    #[serde(flatten)]
    pub facts: Facts,
    /// The position afterwards.
    pub position: Option<PositionView>,
}

impl Serialize for Facts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

impl ActionReport {
    /// Of an action of which nothing is known yet.
    pub fn new(action: &'static str, facts: Facts) -> Self {
        Self {
            action,
            signature: None,
            facts,
            position: None,
        }
    }

    /// The facts, a line each.
    pub fn told(&self) -> String {
        self.facts.told()
    }
}

impl fmt::Display for ActionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signature {
            Some(signature) => writeln!(f, "{}: done in transaction {signature}", self.action)?,
            None => writeln!(f, "{}: nothing was sent; it would do this", self.action)?,
        }
        f.write_str(&self.told())?;
        if let Some(warning) = self.facts.warning() {
            writeln!(f, "warning: {warning}")?;
        }
        match &self.position {
            Some(position) => position.fmt(f),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_abi::clusters::{SOL_USD_FEED, USDC_USD_FEED};
    use ballast_strategy::fixtures;
    use serde_json::json;

    use super::*;

    #[test]
    fn people_read_before_and_after_and_programs_the_names_of_positions() {
        let mut market = fixtures::market();
        (market.base_feed, market.quote_feed) = (SOL_USD_FEED, USDC_USD_FEED);
        let before = Range {
            ticks: [-16_236, -15_000],
            prices: [190.0, 210.0],
        };
        let after = Range {
            ticks: [-16_800, -15_600],
            prices: [180.5, 200.0],
        };
        let facts = Facts::new(TokenNames::of(&market))
            .range(before, after)
            .both("repaid", Amounts::new(100_000_000, 2_000_000))
            .quote("bonus", 500_000)
            .equity(100_000_000, 99_900_000)
            .ltv(Some(6_667), 5_495)
            .text("swap", "sold base");
        assert_eq!(
            facts.told(),
            "  range        190 to 210 → 180.5 to 200 USDC per SOL (ticks -16800 to -15600)\n  \
               repaid       0.100000000 SOL + 2.000000 USDC\n  \
               bonus        0.500000 USDC\n  \
               equity       100.000000 → 99.900000 USDC\n  \
               LTV          66.67% → 54.95%\n  \
               swap         sold base\n"
        );
        assert_eq!(
            serde_json::to_value(&facts).unwrap(),
            json!({
                "lower_before": 190.0, "upper_before": 210.0, "lower": 180.5, "upper": 200.0,
                "tick_lower_before": -16_236, "tick_upper_before": -15_000,
                "tick_lower": -16_800, "tick_upper": -15_600,
                "repaid_base": "0.100000000", "repaid_quote": "2.000000",
                "bonus": "0.500000",
                "equity_before": "100.000000", "equity": "99.900000",
                "ltv_before_bps": 6_667, "ltv_bps": 5_495,
                "swap": "sold base",
            })
        );
    }
}
