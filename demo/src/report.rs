//! What the demo leaves behind: a file for machines and a comparison for readers.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use ballast_localnet::UsdPrice;
use serde::Serialize;

use crate::{
    attribution::Attribution,
    chapters,
    forecast::Forecast,
    path::Moves,
    side::{OWN_FUNDS, Sample},
};

const MICRO_PER_QUOTE: f64 = 1e6;

/// Something that was done to a position.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Action {
    /// Slot of its block.
    pub slot: u64,
    /// What.
    pub action: String,
    /// Why.
    pub reason: String,
    /// The transaction.
    pub signature: String,
}

/// How a position fared. Equity counts uncollected fees.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Fate {
    /// Whether it was liquidated, in part or whole.
    pub liquidated: bool,
    /// Quote tokens.
    pub final_equity: f64,
    /// Largest debt / assets seen, before and after actions.
    pub max_ltv: f64,
    /// Largest |delta| seen, before and after actions, base tokens.
    pub max_abs_delta: f64,
    /// Where the gain came from, raw quote units.
    pub gain: Attribution,
    /// What was done to it.
    pub actions: Vec<Action>,
}

impl Fate {
    /// Remembers extremes, and the equity that the gain explains.
    pub fn saw(&mut self, sample: &Sample) {
        self.max_ltv = self.max_ltv.max(sample.ltv());
        self.max_abs_delta = self.max_abs_delta.max(sample.delta().abs());
        self.final_equity = sample.equity();
    }
}

/// Both positions when all that was due at a price had been done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// As the path says.
    pub time: String,
    /// What began here.
    pub chapter: Option<&'static str>,
    /// Dollars per base token.
    pub price: f64,
    /// Quote tokens.
    pub with_keeper: f64,
    /// Quote tokens.
    pub without_keeper: f64,
    /// Seconds since the price before.
    pub secs: f64,
    /// Whether the position without a keeper was liquidated here, in part or whole.
    pub liquidated: bool,
    /// What was done with a keeper, and why.
    pub actions: Vec<String>,
}

impl Moment {
    /// Without actions.
    pub fn new(time: &str, price: UsdPrice, with: &Sample, without: &Sample) -> Self {
        Self {
            time: time.into(),
            chapter: None,
            price: price.to_f64(),
            with_keeper: with.equity(),
            without_keeper: without.equity(),
            secs: 0.0,
            liquidated: false,
            actions: Vec::new(),
        }
    }
}

/// The demo's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Kind of cluster.
    pub cluster: String,
    /// How long the prices took.
    pub days: f64,
    /// Their standard deviation in a day.
    pub sigma_day: f64,
    /// The position that the keeper looked after.
    pub with_keeper: Fate,
    /// The same position without.
    pub without_keeper: Fate,
    /// What the same configuration ends with on random prices of the same volatility.
    pub simulated: Option<Forecast>,
    /// The way there.
    pub moments: Vec<Moment>,
}

/// Where the demo leaves files: target/demo of the workspace.
pub fn directory() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."));
    workspace.join("target/demo")
}

impl Report {
    /// Checks that the lines of both gains add up to the unit.
    ///
    /// # Errors
    /// If they do not.
    pub fn check(&self) -> Result<()> {
        for fate in [&self.with_keeper, &self.without_keeper] {
            let raw = (fate.final_equity * MICRO_PER_QUOTE).round() as i128;
            let explained = i128::from(OWN_FUNDS.quote) + fate.gain.total();
            ensure!(
                raw == explained,
                "the lines of the gain add up to {explained}, equity is {raw}: {:?}",
                fate.gain
            );
        }
        Ok(())
    }

    /// Checks that the built-in path showed what it is there for, chapter by chapter, and that the keeper did no harm. Deleverages are
    /// only looked for with `pauses`: without them each step is hedged before leverage has risen.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_built_in(&self, pauses: bool) -> Result<()> {
        let (with, without) = (&self.with_keeper, &self.without_keeper);
        let expected: [(&str, &[&str]); 4] = [
            ("recenter", &["recenter"]),
            ("rehedge", &["rehedge"]),
            ("compound", &["compound"]),
            ("deleverage", &["deleverage", "deleverage_swap"]),
        ];
        for (name, kinds) in expected {
            let mut done = with.actions.iter().map(|action| action.action.as_str());
            ensure!(
                done.any(|kind| kinds.contains(&kind)) || (name == "deleverage" && !pauses),
                "the built-in path should show a {name}, but the keeper made none: see the actions in the report"
            );
        }
        ensure!(
            with.gain.fees_takers > 0 && with.gain.fees_arbitrage > 0,
            "takers and arbitrageurs should have paid fees: {:?}",
            with.gain
        );
        ensure!(
            !with.liquidated,
            "the position with the keeper was liquidated"
        );
        ensure!(
            with.final_equity >= without.final_equity,
            "the position with the keeper ends at {}, below the one without at {}",
            with.final_equity,
            without.final_equity
        );
        chapters::check(&self.moments, pauses)
    }

    /// Writes target/demo/report.json of the workspace; returns where that is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self) -> Result<PathBuf> {
        let directory = directory();
        let file = directory.join("report.json");
        std::fs::create_dir_all(&directory)
            .and_then(|()| std::fs::write(&file, serde_json::to_string_pretty(self)? + "\n"))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Both fates as a table, beside keeping the own funds in the wallet.
    pub fn side_by_side(&self) -> String {
        let (with, without) = (&self.with_keeper, &self.without_keeper);
        let mut text = format!(
            "\n{:<26}{:>14}{:>16}{:>10}\n",
            "quote tokens", "with keeper", "without keeper", "hold"
        );
        let own = OWN_FUNDS.quote as f64 / MICRO_PER_QUOTE;
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<26}{own:>14.4}{own:>16.4}{own:>10.4}", "own funds");
        let lines = with.gain.lines().into_iter().zip(without.gain.lines());
        for ((name, with), (_, without)) in lines {
            let [with, without] = [with, without].map(signed);
            let _ = writeln!(text, "  {name:<24}{with:>14}{without:>16}");
        }
        let _ = writeln!(
            text,
            "{:<26}{:>14.4}{:>16.4}{own:>10.4}\n",
            "final equity", with.final_equity, without.final_equity
        );
        let mut row = |name: &str, show: &dyn Fn(&Fate) -> String| {
            let _ = writeln!(text, "{name:<26}{:>14}{:>16}", show(with), show(without));
        };
        row("liquidated", &|fate| {
            if fate.liquidated { "yes" } else { "no" }.into()
        });
        row("largest LTV", &|fate| {
            format!("{:.2} %", fate.max_ltv * 100.0)
        });
        row("largest |delta|", &|fate| {
            format!("{:.4}", fate.max_abs_delta)
        });
        let mut kinds: Vec<_> = [with, without]
            .iter()
            .flat_map(|fate| &fate.actions)
            .map(|action| action.action.as_str())
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            row(kind, &|fate| {
                let of_kind = fate.actions.iter().filter(|action| action.action == kind);
                format!("{} x", of_kind.count())
            });
        }
        if let Some(simulated) = &self.simulated {
            let Moves {
                sigma_day,
                jumps_day,
                jump_mean,
                jump_sd,
            } = simulated.moves;
            let _ = writeln!(
                text,
                "\nSimulated: the same configuration on {} random paths of {:.1} days that move {:.1} % a day as this one does between its prices,\n\
                 with {:.1} jumps a day of {:+.1} % +- {:.1} % in place of its own, arbitrage every {} s there as here,\n\
                 debts at the rates of the first moment, and actions that land at once:\n\
                 final equity 5 % {:.2}, 50 % {:.2}, 95 % {:.2}; {} of them end below the {:.2} that the keeper ended with here.",
                simulated.paths,
                self.days,
                sigma_day * 100.0,
                jumps_day,
                jump_mean * 100.0,
                jump_sd * 100.0,
                simulated.arbitrage_secs,
                simulated.quantile_5,
                simulated.median,
                simulated.quantile_95,
                simulated.ends_below(with.final_equity),
                with.final_equity,
            );
        }
        text
    }
}

/// Raw quote units as quote tokens with a sign, unless too small to have one.
fn signed(raw: i128) -> String {
    match format!("{:+.4}", raw as f64 / MICRO_PER_QUOTE) {
        zero if zero.ends_with("0.0000") && zero.len() == 7 => "0.0000".into(),
        shown => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let action = Action {
            slot: 7,
            action: "rehedge".into(),
            reason: "why".into(),
            signature: "sig".into(),
        };
        let with_keeper = Fate {
            final_equity: 99.5,
            gain: Attribution {
                curvature: -1_500_000,
                fees_takers: 1_000_000,
                ..Attribution::default()
            },
            actions: vec![action],
            ..Fate::default()
        };
        Report {
            cluster: "embedded".into(),
            days: 1.0,
            sigma_day: 0.05,
            with_keeper,
            without_keeper: Fate {
                liquidated: true,
                gain: Attribution {
                    liquidation: -100_000_000,
                    ..Attribution::default()
                },
                ..Fate::default()
            },
            simulated: None,
            moments: Vec::new(),
        }
    }

    #[test]
    fn the_file_has_the_agreed_names() {
        let report = report();
        let json = serde_json::to_value(&report).unwrap();
        let with = &json["with_keeper"];
        assert_eq!(json["cluster"], "embedded");
        assert_eq!(with["liquidated"], false);
        assert_eq!(with["final_equity"], 99.5);
        assert_eq!(with["max_ltv"], 0.0);
        assert_eq!(with["max_abs_delta"], 0.0);
        assert_eq!(with["gain"]["fees_takers"], 1_000_000);
        assert_eq!(
            with["actions"],
            serde_json::json!([{"slot": 7, "action": "rehedge", "reason": "why", "signature": "sig"}])
        );
        assert_eq!(json["without_keeper"]["liquidated"], true);
        let table = report.side_by_side();
        assert!(table.contains("99.5000") && table.contains("yes") && table.contains("no"));
        assert!(table.contains("+1.0000") && table.contains("rehedge"));
    }

    #[test]
    fn the_built_in_path_has_to_show_every_kind_of_action_and_no_harm() {
        let mut shown = report();
        let action = shown.with_keeper.actions[0].clone();
        let kinds = ["recenter", "rehedge", "compound", "deleverage"];
        shown.with_keeper.actions = kinds
            .map(|kind| Action {
                action: kind.into(),
                ..action.clone()
            })
            .into();
        shown.with_keeper.gain.fees_arbitrage = 1;
        let story = chapters::check(&shown.moments, true).unwrap_err();
        assert_eq!(
            shown.check_built_in(true).unwrap_err().to_string(),
            story.to_string()
        );
        shown.moments = chapters::tests::story();
        shown.check_built_in(true).unwrap();
        for (index, kind) in kinds.into_iter().enumerate() {
            let mut report = shown.clone();
            report.with_keeper.actions.remove(index);
            let error = report.check_built_in(true).unwrap_err().to_string();
            assert!(error.contains(&format!("show a {kind}")), "{error}");
            // Without pauses nothing else is missed than a deleverage.
            assert_eq!(report.check_built_in(false).is_ok(), kind == "deleverage");
        }
        let mut worse = shown.clone();
        worse.without_keeper.final_equity = 99.6;
        let error = worse.check_built_in(true).unwrap_err().to_string();
        assert!(error.contains("99.5, below the one without at 99.6"));
        shown.with_keeper.gain.fees_takers = 0;
        shown.check_built_in(true).unwrap_err();
    }

    #[test]
    fn what_is_too_small_to_be_shown_has_no_sign() {
        for (raw, shown) in [
            (-49, "0.0000"),
            (0, "0.0000"),
            (51, "+0.0001"),
            (-1_250_000, "-1.2500"),
            (10_000_000, "+10.0000"),
        ] {
            assert_eq!(signed(raw), shown);
        }
    }

    #[test]
    fn a_gain_that_does_not_add_up_is_an_error() {
        let mut report = report();
        report.check().unwrap();
        report.with_keeper.gain.curvature += 1;
        let error = report.check().unwrap_err().to_string();
        assert!(
            error.contains("99500001") && error.contains("99500000"),
            "{error}"
        );
    }
}
