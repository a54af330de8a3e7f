//! When another rule or number takes the default's place.

use super::RECORDED;

/// An alternative takes the default's place if it is better, with 95 %, in so many models, recorded trading among them, and worse in none.
const BETTER_IN: usize = 3;

/// How a table of verdicts begins.
pub const HEAD: &str =
    "\n| setting | better in | worse in | takes the default's place |\n|---|---|---|---|\n";

/// The models in which something is better and worse than the default.
#[derive(Debug)]
pub struct Verdict<'a> {
    pub label: &'a str,
    pub better: Vec<&'a str>,
    pub worse: Vec<&'a str>,
}

impl Verdict<'_> {
    fn takes(&self) -> bool {
        // Recorded minutes are shuffled as recorded candles are.
        let recorded = |model: &&str| model.starts_with(RECORDED.0);
        self.better.len() >= BETTER_IN && self.better.iter().any(recorded) && self.worse.is_empty()
    }

    /// Its row.
    pub fn row(&self) -> String {
        let list = |names: &[&str]| {
            if names.is_empty() {
                "-".to_owned()
            } else {
                names.join(", ")
            }
        };
        format!(
            "| {} | {} | {} | {} |\n",
            self.label,
            list(&self.better),
            list(&self.worse),
            if self.takes() { "yes" } else { "no" }
        )
    }
}
