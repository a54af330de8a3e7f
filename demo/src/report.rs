//! What the demo leaves behind: a file for machines and a comparison for readers.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Serialize;

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

/// How a position fared.
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
    /// What was done to it.
    pub actions: Vec<Action>,
}

/// The demo's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Kind of cluster.
    pub cluster: String,
    /// The position that the keeper looked after.
    pub with_keeper: Fate,
    /// The same position without.
    pub without_keeper: Fate,
}

impl Report {
    /// Writes target/demo/report.json of the workspace; returns where that is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self) -> Result<PathBuf> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("."));
        let directory = workspace.join("target/demo");
        let file = directory.join("report.json");
        std::fs::create_dir_all(&directory)
            .and_then(|()| std::fs::write(&file, serde_json::to_string_pretty(self)? + "\n"))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Both fates as a table.
    pub fn side_by_side(&self) -> String {
        let (with, without) = (&self.with_keeper, &self.without_keeper);
        let mut text = format!(
            "\n{:<24}{:>16}{:>16}\n",
            "", "with keeper", "without keeper"
        );
        let mut row = |name: &str, show: &dyn Fn(&Fate) -> String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<24}{:>16}{:>16}", show(with), show(without));
        };
        row("liquidated", &|fate| {
            if fate.liquidated { "yes" } else { "no" }.into()
        });
        row("final equity", &|fate| format!("{:.4}", fate.final_equity));
        row("largest LTV", &|fate| {
            format!("{:.2} %", fate.max_ltv * 100.0)
        });
        row("largest |delta|", &|fate| {
            format!("{:.4}", fate.max_abs_delta)
        });
        for kind in ["rehedge", "deleverage", "liquidate"] {
            row(&format!("times {kind}d"), &|fate| {
                let of_kind = fate.actions.iter().filter(|action| action.action == kind);
                of_kind.count().to_string()
            });
        }
        text.push_str(
            "\nNobody else trades here, so the positions earn no fees: this shows what keeping one costs and averts, not what it yields.\n",
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_agreed_names() {
        let action = Action {
            slot: 7,
            action: "rehedge".into(),
            reason: "why".into(),
            signature: "sig".into(),
        };
        let with_keeper = Fate {
            final_equity: 99.5,
            actions: vec![action],
            ..Fate::default()
        };
        let report = Report {
            cluster: "embedded".into(),
            with_keeper,
            without_keeper: Fate {
                liquidated: true,
                ..Fate::default()
            },
        };
        let expected = serde_json::json!({
            "cluster": "embedded",
            "with_keeper": {
                "liquidated": false, "final_equity": 99.5, "max_ltv": 0.0, "max_abs_delta": 0.0,
                "actions": [{"slot": 7, "action": "rehedge", "reason": "why", "signature": "sig"}],
            },
            "without_keeper": {
                "liquidated": true, "final_equity": 0.0, "max_ltv": 0.0, "max_abs_delta": 0.0, "actions": [],
            },
        });
        assert_eq!(serde_json::to_value(&report).unwrap(), expected);
        let table = report.side_by_side();
        assert!(table.contains("99.5000") && table.contains("yes") && table.contains("no"));
    }
}
