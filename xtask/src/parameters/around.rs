//! What is around a position and what it changes for the default policy: a second pool for takers, and a perp venue.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    DEFAULT_BPS, MODELS, ParameterOptions, RANGE, SCENARIO, ballast, common, keeper, number, words,
};

/// The delta band that is compared with the default.
const OTHER_BPS: u32 = 2_000;
/// The wild one of the scenario's regimes.
const WILD: &str = "--regime 8%:1:3";
/// Takers, and what others provide beside the position.
const TAKERS: &str = "--taker-volume-day 100000 --pool-liquidity 720000000000";
const MODELS_HERE: [&str; 2] = ["gbm", "regimes"];

/// A second pool: what is said of it, its options, and how deep it is in the wild regime.
const POOLS: [(&str, &str, &str); 6] = [
    ("none", "", ""),
    (
        "the same fee, as deep",
        "--other-pool-fee-ppm 400 --other-pool-liquidity 720000000000 --taker-size 1000",
        "",
    ),
    (
        "the same fee, four times as deep",
        "--other-pool-fee-ppm 400 --other-pool-liquidity 2880000000000 --taker-size 1000",
        "",
    ),
    (
        "0.01 %, as deep",
        "--other-pool-fee-ppm 100 --other-pool-liquidity 720000000000 --taker-size 1000",
        "",
    ),
    (
        "0.01 %, as deep; trades of 50 in place of 1000",
        "--other-pool-fee-ppm 100 --other-pool-liquidity 720000000000 --taker-size 50",
        "",
    ),
    (
        "the same fee, as deep; twenty times in the wild regime",
        "--other-pool-fee-ppm 400 --other-pool-liquidity 720000000000 --taker-size 1000",
        "::20",
    ),
];

/// Where the hedge is: what is said of it, its options, and funding in the wild regime.
const VENUES: [(&str, &str, &str); 8] = [
    ("debt", "--hedge 100%", ""),
    (
        "debt, the rest a short",
        "--hedge 100% --perp-margin 50",
        "",
    ),
    (
        "half of it debt, the rest a short",
        "--hedge 50% --perp-margin 50",
        "",
    ),
    ("a short", "--hedge 0% --perp-margin 50", ""),
    (
        "a short; -0.05 % an hour in the wild regime",
        "--hedge 0% --perp-margin 50",
        ":-0.05%",
    ),
    (
        "a short; its venue's price 0.3 % off, half of the way back in 8 h",
        "--hedge 0% --perp-margin 50 --perp-basis-sd 0.3%",
        "",
    ),
    (
        "a short; half of it taken by each fall of 3 % in an hour",
        "--hedge 0% --perp-margin 50 --perp-adl 50%:3%:1",
        "",
    ),
    (
        "the same, filled after an hour",
        "--hedge 0% --perp-margin 50 --perp-adl 50%:3%:1 --perp-fill-secs 3600",
        "",
    ),
];

/// What may be chosen beside a venue.
const HEDGES: &str = "--widths 10% --leverages 3 --hedges 0%,50%,100% --bands 10% --max-liquidation 1% --risk-aversion 4 --perp-margin 50";
/// What longs pay shorts an hour.
const FUNDING: [&str; 4] = ["-0.01%", "0.00125%", "0.01%", "0.02%"];

/// The section.
pub fn section(options: &ParameterOptions) -> Result<String> {
    let mut out = format!(
        "\n{} paths of each model, options as above; takers: `{TAKERS}`.\n\n\
         | second pool | model | takers pay | gain | sd | worst 5 % | gain of a band of {} % more, 95 % |\n\
         |---|---|---|---|---|---|---|\n",
        paths(options),
        f64::from(OTHER_BPS) / 100.0
    );
    for (name, extra, wild) in POOLS {
        for model in models(wild) {
            let simulated = simulate(options, model, &format!("{TAKERS} {extra}"), wild)?;
            let (gain, sd, worst) = spread(&simulated, 100.0)?;
            let _ = writeln!(
                out,
                "| {name} | {model} | {:.3} | {gain:+.3} | {sd:.3} | {worst:+.3} | {} |",
                line(&simulated, "fees_takers")?,
                other(&simulated)?
            );
        }
    }
    let _ = write!(
        out,
        "\nWhere the hedge is. Whatever is put up at the venue belongs to the funds, gains are in the quote token:\n\n\
         | hedge | model | swaps | perp | basis | funding | its fees | interest | gain | sd | worst 5 % | liquidation |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for (name, extra, funding) in VENUES {
        for model in models(funding) {
            let simulated = simulate(options, model, extra, funding)?;
            let funds = if extra.contains("perp-margin") {
                150.0
            } else {
                100.0
            };
            let (gain, sd, worst) = spread(&simulated, funds)?;
            let of = |name| line(&simulated, name);
            let _ = writeln!(
                out,
                "| {name} | {model} | {:+.3} | {:+.3} | {:+.3} | {:+.3} | {:+.3} | {:+.3} | {gain:+.3} | {sd:.3} | {worst:+.3} | {:.2} % |",
                of("swaps")?,
                of("perp")?,
                of("basis")?,
                of("funding")?,
                of("perp_fees")?,
                of("interest_base")? + of("interest_quote")?,
                number(&simulated["liquidation"]["probability"])? * 100.0
            );
        }
    }
    let _ = write!(
        out,
        "\nWhich part of the hedge `ballast optimise {HEDGES}` lays into debt, and its gain with other random numbers:\n\n\
         | funding an hour | model | debt | gain | +- |\n|---|---|---|---|---|\n"
    );
    for funding in FUNDING {
        for model in MODELS_HERE {
            let mut line = words(&format!(
                "optimise --model {model} --step-secs {} {HEDGES} --funding-hour {funding}",
                MODELS.1
            ));
            line.extend(["--keeper".to_owned(), keeper(DEFAULT_BPS)?]);
            line.extend(["--check-paths".to_owned(), paths(options).to_string()]);
            line.extend(common(SCENARIO, paths(options), options));
            let winner = &ballast(&line)?["winner"];
            let checked = &winner["out_of_sample"];
            let percent = |value: &Value| number(value).map(|value| value * 100.0);
            let _ = writeln!(
                out,
                "| {funding} | {model} | {:.0} % | {:+.2} % | {:.2} % |",
                percent(&winner["hedge"])?,
                percent(&checked["gain"])?,
                percent(&checked["stderr"])?
            );
        }
    }
    Ok(out + "\n")
}

fn paths(options: &ParameterOptions) -> u64 {
    options.paths / 10
}

/// What only a regime changes is shown in regimes alone.
fn models(wild: &str) -> &'static [&'static str] {
    if wild.is_empty() {
        &MODELS_HERE
    } else {
        &MODELS_HERE[1..]
    }
}

/// The default policy, beside another band on the same prices; `wild`: what the wild regime says more.
fn simulate(options: &ParameterOptions, model: &str, extra: &str, wild: &str) -> Result<Value> {
    let scenario = SCENARIO.replace(WILD, &format!("{WILD}{wild}"));
    let mut line = vec!["simulate".to_owned()];
    line.extend(words(&format!(
        "--model {model} --step-secs {} {RANGE} {extra}",
        MODELS.1
    )));
    line.extend(["--strategy".to_owned(), keeper(DEFAULT_BPS)?]);
    line.extend(["--against".to_owned(), keeper(OTHER_BPS)?]);
    line.extend(common(&scenario, paths(options), options));
    ballast(&line)
}

/// Mean gain, spread, and mean gain of the worst 5 %.
fn spread(simulated: &Value, funds: f64) -> Result<(f64, f64, f64)> {
    let equity = &simulated["equity"];
    Ok((
        number(&equity["mean"])? - funds,
        number(&equity["sd"])?,
        number(&equity["shortfall_5"])? - funds,
    ))
}

fn line(simulated: &Value, name: &str) -> Result<f64> {
    number(&simulated["attribution"][name]["mean"]).with_context(|| format!("no line {name}"))
}

/// What the other band gains more, as an interval.
fn other(simulated: &Value) -> Result<String> {
    let difference = &simulated["against"]["difference"];
    let (mean, stderr) = (number(&difference["mean"])?, number(&difference["stderr"])?);
    let reach = 1.959_964 * stderr;
    Ok(format!("{:+.3} to {:+.3}", -mean - reach, -mean + reach))
}
