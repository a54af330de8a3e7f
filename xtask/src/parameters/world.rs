//! What the default policy makes of a world in which keeper and oracle are not quick, and rates do not stand still.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    MODELS, ParameterOptions, RANGE, SCENARIO, ballast, common, number,
    study::{by_what_counts, scenario},
    verdict, words,
};

/// Seconds between two looks: what takes a part of that takes all of it.
const STEP_SECS: &str = "60";
const DAYS: u32 = 7;
/// Constant rates, and reserves that borrowers pay as much for on average (devnet's curve: 10 % a year at 80 %).
const STILL: &str = "--borrow-base-apr 5% --borrow-quote-apr 8%";
const MOVING: &str = "--utilisation-base 40%:15%:24 --utilisation-quote 64%:15%:24";
const KEEPER: &str = "--keeper-latency-secs 5 --miss 10%";
const ORACLE: &str =
    "--oracle-delay-secs 60 --oracle-stalls 1:900 --confidence-bps 3 --confidence-per-move 0.2";
/// Both are worse the more the market moves.
const WORSENS: &str = "--worsens 1 --calm-sigma-day 4%";
/// The default comes first.
const GRID: &str = "--widths 10% --leverages 3 --hedges 100% --bands 10%,5%,15%,20%";

/// What is said of a world, its options, and whether its rates move.
const WORLDS: [(&str, &[&str], bool); 5] = [
    ("perfect", &[], false),
    ("a keeper that is late", &[KEEPER, WORSENS], false),
    (
        "an oracle that is late, silent and unsure",
        &[ORACLE, WORSENS],
        false,
    ),
    ("rates that move", &[], true),
    ("all of it", &[KEEPER, ORACLE, WORSENS], true),
];

/// The section.
pub fn section(options: &ParameterOptions) -> Result<String> {
    let paths = options.paths / 10;
    let plain = options_of(&[], false);
    let mut out = format!(
        "\n{paths} paths of each model, looks every {STEP_SECS} s: `ballast simulate --strategy keeper {plain} {RANGE}`. A late keeper: `{KEEPER} \
         {WORSENS}`. An oracle that is late, silent and unsure: `{ORACLE} {WORSENS}`. Rates that move: `{MOVING}` in place of the constant \
         ones. In per cent of the own funds.\n\n\
         | world | model | gain | sd | worst 5 % | interest | oracle silent | actions a day | liquidation |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for model in MODELS.0.split(',') {
        for (name, extra, moves) in WORLDS {
            let report = simulated(options, model, paths, (extra, moves))?;
            let _ = writeln!(out, "| {name} | {model} | {} |", cells(&report)?);
        }
    }
    let all = options_of(WORLDS[4].1, true);
    let _ = write!(
        out,
        "\nWhat counts in all of it, against the default (`ballast optimise {GRID}`):\n{}",
        verdict::HEAD
    );
    let label = |setting: &Value| {
        let percent = |name: &str| number(&setting[name]).map(|part| part * 100.0);
        anyhow::Ok(format!(
            "hedge {} %, band {} %",
            percent("hedge")?,
            percent("delta_band")?
        ))
    };
    // Hours of candles know nothing of what a minute does.
    let models = [(MODELS.0, STEP_SECS)];
    out += &by_what_counts(options, &models, (&all, GRID), paths, label)?;
    out += &calibrated(options)?;
    Ok(out + "\n")
}

/// The numbers of the models beside those of recorded candles.
fn calibrated(options: &ParameterOptions) -> Result<String> {
    let file = options.candles.as_ref().context("no recorded candles")?;
    let line = ["calibrate", "--json", &file.to_string_lossy()].map(str::to_owned);
    let found = ballast(&line)?;
    let scenario = words(SCENARIO);
    let typed = |option: &str| -> Vec<&str> {
        let pairs = scenario.windows(2);
        pairs
            .filter(|pair| pair[0] == option)
            .map(|pair| pair[1].as_str())
            .collect()
    };
    let one = |option: &str| typed(option).first().copied().unwrap_or("-").to_owned();
    let value = |parameter: &Value| {
        let (value, error) = (number(&parameter["value"])?, number(&parameter["error"])?);
        anyhow::Ok(format!("{value:.4} ± {error:.4}"))
    };
    let (gbm, jumps) = (&found["gbm"], &found["jumps"]);
    let mut rows = vec![(
        "gbm: σ a day",
        one("--sigma-day"),
        value(&gbm["sigma_day"])?,
    )];
    if !jumps.is_null() {
        rows.extend([
            (
                "jumps: σ a day",
                one("--sigma-day"),
                value(&jumps["sigma_day"])?,
            ),
            (
                "jumps: jumps a day",
                one("--jumps-day"),
                value(&jumps["per_day"])?,
            ),
            ("jumps: mean", one("--jump-mean"), value(&jumps["mean"])?),
            ("jumps: deviation", one("--jump-sd"), value(&jumps["sd"])?),
        ]);
    }
    let regimes = found["regimes"].as_array();
    let names = ["regimes: calm, σ:days", "regimes: wild, σ:days"];
    for ((name, typed), found) in
        (names.into_iter().zip(typed("--regime"))).zip(regimes.into_iter().flatten())
    {
        let found = format!("{}:{}", value(&found["sigma_day"])?, value(&found["days"])?);
        rows.push((name, typed.to_owned(), found));
    }
    let mut out = format!(
        "\nThe models' numbers are typed. Beside them, what `ballast calibrate` finds in the recorded candles ({:.0} days of an hour each; \
         the model that explains them best is {}):\n\n| parameter | typed | of the candles |\n|---|---|---|\n",
        number(&found["days"])?,
        found["source"]["best"].as_str().unwrap_or("none"),
    );
    for (name, typed, found) in rows {
        let _ = writeln!(out, "| {name} | {typed} | {found} |");
    }
    Ok(out)
}

/// The scenario with a world.
fn options_of(extra: &[&str], moves: bool) -> String {
    let scenario = scenario(DAYS);
    let scenario = if moves {
        scenario.replace(STILL, MOVING)
    } else {
        scenario
    };
    let all: Vec<&str> = (scenario.split_whitespace())
        .chain(extra.iter().copied())
        .collect();
    all.join(" ")
}

fn simulated(
    options: &ParameterOptions,
    model: &str,
    paths: u64,
    (extra, moves): (&[&str], bool),
) -> Result<Value> {
    let mut line = words(&format!(
        "simulate --model {model} --strategy keeper --step-secs {STEP_SECS} {RANGE}"
    ));
    line.extend(common(&options_of(extra, moves), paths, options));
    ballast(&line)
}

/// Parts of the own funds, in per cent, but for actions.
fn cells(report: &Value) -> Result<String> {
    let equity = &report["equity"];
    let own = 1_000.0;
    let percent = |value: &Value| anyhow::Ok(number(value)? / own * 100.0);
    let line = |name: &str| percent(&report["attribution"][name]["mean"]);
    let silent = &report["oracle_silent"]["mean"];
    let silent = match silent {
        Value::Null => "-".to_owned(),
        part => format!("{:.2} %", number(part)? * 100.0),
    };
    Ok(format!(
        "{:+.3} | {:.3} | {:+.3} | {:+.3} | {silent} | {:.2} | {:.2} %",
        percent(&equity["mean"])? - 100.0,
        percent(&equity["sd"])?,
        percent(&equity["shortfall_5"])? - 100.0,
        line("interest_base")? + line("interest_quote")?,
        number(&report["actions_per_day"])?,
        number(&report["liquidation"]["probability"]).context("no chance of liquidation")? * 100.0
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_move_in_place_of_constant_ones() {
        let (still, moving) = (options_of(&[], false), options_of(&[KEEPER], true));
        assert!(
            still.contains(STILL) && !still.contains("utilisation"),
            "{still}"
        );
        assert!(
            moving.contains(MOVING) && !moving.contains("-apr"),
            "{moving}"
        );
        assert!(moving.ends_with(KEEPER), "{moving}");
        assert!(still.contains(" --equity 1000 "), "{still}");
    }
}
