//! What an action did, or would do, and the position afterwards.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use ballast_view::{TokenNames, Tokens};
use serde::Serialize;

use crate::view::PositionView;

/// Named results of an action.
pub type Facts = BTreeMap<&'static str, String>;

/// Facts that are an amount of the quote token.
const IN_QUOTE: [&str; 4] = ["bonus", "equity_before", "equity_after", "swap_loss"];

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
    #[serde(skip)]
    names: TokenNames,
}

impl ActionReport {
    /// Of an action of which nothing is known yet.
    pub fn new(action: &'static str, names: TokenNames) -> Self {
        Self {
            action,
            signature: None,
            facts: Facts::new(),
            position: None,
            names,
        }
    }

    /// The facts, a line each: amounts of both tokens on one, with their names.
    pub fn told(&self) -> String {
        told(&self.facts, self.names.tokens())
    }
}

fn told(facts: &Facts, tokens: Tokens) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<12} {value}", name.replace('_', " "));
    };
    for (name, fact) in facts {
        let other = |end: &str, other: &str| {
            let stem = name.strip_suffix(end)?;
            let found = facts.get(format!("{stem}{other}").as_str());
            Some((stem, found))
        };
        let of_base = other("_base", "_quote");
        let of_quote = other("_quote", "_base");
        match (of_base, of_quote) {
            (Some((stem, Some(quote))), _) => line(
                stem,
                &format!("{fact} {} + {quote} {}", tokens.base, tokens.quote),
            ),
            (Some((stem, None)), _) => line(stem, &format!("{fact} {}", tokens.base)),
            // With its base.
            (_, Some((_, Some(_)))) => {}
            (_, Some((stem, None))) => line(stem, &format!("{fact} {}", tokens.quote)),
            _ if IN_QUOTE.contains(name) => line(name, &format!("{fact} {}", tokens.quote)),
            _ => line(name, fact),
        }
    }
    text
}

impl fmt::Display for ActionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signature {
            Some(signature) => writeln!(f, "{}: done in transaction {signature}", self.action)?,
            None => writeln!(f, "{}: nothing was sent; it would do this", self.action)?,
        }
        f.write_str(&self.told())?;
        match &self.position {
            Some(position) => position.fmt(f),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures::TOKENS;

    use super::*;

    #[test]
    fn amounts_of_both_tokens_are_on_one_line_with_their_names() {
        let facts = Facts::from([
            ("bonus", "0.5".into()),
            ("left_base", "3".into()),
            ("ltv", "66.67%".into()),
            ("own_quote", "4".into()),
            ("repaid_base", "0.1".into()),
            ("repaid_quote", "2".into()),
        ]);
        assert_eq!(
            told(&facts, TOKENS),
            "  bonus        0.5 USDC\n  left         3 SOL\n  ltv          66.67%\n  own          4 USDC\n  repaid       0.1 SOL + 2 USDC\n"
        );
    }
}
