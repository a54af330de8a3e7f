//! Which policy and automation are best: every alternative is set beside the default on the same paths, by `ballast optimise`.

use std::{fmt::Write, fs};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{ALL, ParameterOptions, RECORDED, SCENARIO, ballast, common, directory, number, words};

/// What is to be largest, and what must not happen.
const AIM: &str = "--tail-weight 0.1 --max-liquidation 1%";
/// The default comes first of each list.
const POLICY: &str = "--widths 10% --leverages 3 --hedges 100%,75%,50% --bands 10%,5%,15%,20%";
/// So much leverage that the trigger of deleveraging matters.
const LEVERAGE: &str = "--widths 10% --leverages 3.6 --hedges 100% --bands 10%";
/// Two weeks among takers.
const RECENTER: &str = "--widths 10% --leverages 3 --hedges 100% --bands 10% --taker-volume-day 1000000 \
     --pool-liquidity 7200000000000";
/// Standard errors within which 95 % of normal numbers lie.
const CONFIDENCE_95: f64 = 1.959_964;
/// An alternative takes the default's place if it is better, with 95 %, in so many models, recorded candles among them, and worse in none.
const BETTER_IN: usize = 3;

/// Keepers' files by what is said of them; the default comes first.
type Keepers = &'static [(&'static str, &'static str)];

const DEFAULT: Keepers = &[("default", "[policy]\n")];
const DELEVERAGE: Keepers = &[
    ("default", "[policy]\n"),
    (
        "target 60 %",
        "[policy]\ndeleverage_target_ltv_bps = 6000\n",
    ),
    (
        "trigger 74 %",
        "[policy]\ndeleverage_trigger_ltv_bps = 7400\n",
    ),
    (
        "trigger 77 %, the market's",
        "[policy]\ndeleverage_trigger_ltv_bps = 7700\n",
    ),
    (
        "an hour between rehedges",
        "[policy]\nmin_rebalance_interval_secs = 3600\n",
    ),
    (
        "six hours between rehedges",
        "[policy]\nmin_rebalance_interval_secs = 21600\n",
    ),
];
const RECENTERING: Keepers = &[
    (
        "present rule, out of the band, an hour",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 3600\n",
    ),
    ("off", "[policy]\n"),
    (
        "edge 5 %",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 3600\nedge_bps = 500\n",
    ),
    (
        "edge 10 %",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 3600\nedge_bps = 1000\n",
    ),
    (
        "ten minutes",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 600\n",
    ),
    (
        "a day",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 86400\n",
    ),
    (
        "width 1000",
        "[owner]\nmin_width_ticks = 1000\nmax_width_ticks = 1000\nrecenter_cooldown_secs = 3600\n",
    ),
    (
        "width 2000",
        "[owner]\nmin_width_ticks = 2000\nmax_width_ticks = 2000\nrecenter_cooldown_secs = 3600\n",
    ),
    (
        "width 4000",
        "[owner]\nmin_width_ticks = 4000\nmax_width_ticks = 4000\nrecenter_cooldown_secs = 3600\n",
    ),
    (
        "width 8000",
        "[owner]\nmin_width_ticks = 8000\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 3600\n",
    ),
];

/// The scenario of all sections for a small position. An action costs 0.0001 SOL: the transaction with its priority, two posted prices, and
/// a reward.
fn scenario(days: u32) -> String {
    SCENARIO
        .replace("--horizon-days 7", &format!("--horizon-days {days}"))
        .replace("--equity 100 ", "--equity 1000 --action-cost 0.02 ")
}

/// Hedge and delta band.
pub fn policy(options: &ParameterOptions) -> Result<String> {
    let label = |setting: &Value| {
        let percent = |name: &str| number(&setting[name]).map(|part| part * 100.0);
        anyhow::Ok(format!(
            "hedge {} %, band {} %",
            percent("hedge")?,
            percent("delta_band")?
        ))
    };
    study(
        options,
        (&scenario(7), POLICY),
        DEFAULT,
        options.paths,
        label,
    )
}

/// Deleverage, and the pause between two rehedges.
pub fn leverage(options: &ParameterOptions) -> Result<String> {
    let label = |setting: &Value| said(DELEVERAGE, setting);
    study(
        options,
        (&scenario(7), LEVERAGE),
        DELEVERAGE,
        options.paths / 3,
        label,
    )
}

/// Edge, cool-down and width of recentering.
pub fn recenter(options: &ParameterOptions) -> Result<String> {
    let label = |setting: &Value| said(RECENTERING, setting);
    study(
        options,
        (&scenario(14), RECENTER),
        RECENTERING,
        options.paths / 3,
        label,
    )
}

/// What is said of a setting's keeper: files are named by their places.
fn said(keepers: Keepers, setting: &Value) -> Result<String> {
    let file = setting["keeper"].as_str().context("no keeper")?;
    let place = file
        .trim_end_matches(".toml")
        .rsplit('-')
        .next()
        .and_then(|place| place.parse::<usize>().ok());
    let keeper = place.and_then(|place| keepers.get(place));
    Ok(keeper
        .with_context(|| format!("no keeper {file}"))?
        .0
        .to_owned())
}

/// A setting in one model.
struct Tried {
    model: String,
    label: String,
    gain: f64,
    shortfall: f64,
    /// What is to be largest less the default's: lowest and highest with 95 %.
    less_default: (f64, f64),
    is_safe: bool,
}

impl Tried {
    fn of(model: &str, label: String, setting: &Value) -> Result<Self> {
        let (result, less) = (&setting["result"], &setting["less_first"]);
        let reach = CONFIDENCE_95 * number(&less["value_stderr"])?;
        let value = number(&less["value"])?;
        Ok(Self {
            model: model.to_owned(),
            label,
            gain: number(&result["gain"])?,
            shortfall: number(&result["shortfall_5"])?,
            less_default: (value - reach, value + reach),
            is_safe: result["safe"] == true,
        })
    }

    fn is_better(&self) -> bool {
        self.is_safe && self.less_default.0 > 0.0
    }

    fn is_worse(&self) -> bool {
        !self.is_safe || self.less_default.1 < 0.0
    }
}

fn study(
    options: &ParameterOptions,
    (scenario, grid): (&str, &str),
    keepers: Keepers,
    paths: u64,
    label: impl Fn(&Value) -> Result<String>,
) -> Result<String> {
    let mut files = Vec::new();
    for (place, (_, text)) in keepers.iter().enumerate() {
        let file = directory()?.join(format!("keeper-{place}.toml"));
        fs::write(&file, text)?;
        files.extend(["--keeper".to_owned(), file.to_string_lossy().into_owned()]);
    }
    let mut out = format!(
        "\n{paths} paths of each model, looks every 600 seconds ({}: every {}): `ballast optimise {} {grid} {AIM}`. Parts of the own funds, in \
         per cent.\n\n\
         | model | setting | what counts less the default's, 95 % | gain | sd | worst 5 % | liquidation at most | actions a day |\n\
         |---|---|---|---|---|---|---|---|\n",
        RECORDED.0,
        RECORDED.1,
        scenario.split_whitespace().collect::<Vec<_>>().join(" "),
    );
    let mut tried = Vec::new();
    for (names, secs) in ALL {
        for model in names.split(',') {
            let mut line = words(&format!(
                "optimise --model {model} --step-secs {secs} --check-paths 1 {grid} {AIM}"
            ));
            line.extend(files.clone());
            line.extend(common(scenario, paths, options));
            let report = ballast(&line)?;
            for setting in report["settings"].as_array().context("no settings")? {
                let one = Tried::of(model, label(setting)?, setting)?;
                out += &row(&one, &setting["result"])?;
                tried.push(one);
            }
        }
    }
    out += &verdicts(&tried);
    Ok(out + "\n")
}

fn row(tried: &Tried, result: &Value) -> Result<String> {
    let percent = |name: &str| number(&result[name]).map(|part| part * 100.0);
    let (low, high) = tried.less_default;
    let less = if (low, high) == (0.0, 0.0) {
        "the same".to_owned()
    } else {
        format!("{:+.3} to {:+.3}", low * 100.0, high * 100.0)
    };
    Ok(format!(
        "| {} | {} | {less} | {:+.3} | {:.3} | {:+.3} | {:.2} | {:.2} |\n",
        tried.model,
        tried.label,
        percent("gain")?,
        percent("sd")?,
        percent("shortfall_5")?,
        percent("liquidation_at_most_95")?,
        number(&result["actions_per_day"])?,
    ))
}

/// In which models each alternative is better or worse, whether it takes the default's place, and which weights of the worst paths
/// the default is best for.
fn verdicts(tried: &[Tried]) -> String {
    let mut out =
        "\n| setting | better in | worse in | takes the default's place |\n|---|---|---|---|\n"
            .to_owned();
    let Some(default) = tried.first() else {
        return out;
    };
    let models: Vec<&str> = {
        let of_default = tried.iter().filter(|one| one.label == default.label);
        of_default.map(|one| one.model.as_str()).collect()
    };
    let of_first = tried.iter().filter(|one| one.model == default.model);
    for label in of_first.map(|one| &one.label).skip(1) {
        let of_label = || tried.iter().filter(|one| one.label == *label);
        let named = |is: fn(&Tried) -> bool| -> Vec<&str> {
            of_label()
                .filter(|one| is(one))
                .map(|one| one.model.as_str())
                .collect()
        };
        let (better, worse) = (named(Tried::is_better), named(Tried::is_worse));
        let takes = better.len() >= BETTER_IN && better.contains(&RECORDED.0) && worse.is_empty();
        let list = |names: &[&str]| {
            if names.is_empty() {
                "-".to_owned()
            } else {
                names.join(", ")
            }
        };
        let _ = writeln!(
            out,
            "| {label} | {} | {} | {} |",
            list(&better),
            list(&worse),
            if takes { "yes" } else { "no" }
        );
    }
    let weights: Vec<String> = models
        .iter()
        .map(|model| {
            let of_model: Vec<&Tried> = tried.iter().filter(|one| one.model == *model).collect();
            format!("{model} {}", weights(&of_model))
        })
        .collect();
    let _ = writeln!(
        out,
        "\nWeights of the worst paths for which the default, the first of each model, counts most: {}.",
        weights.join(", ")
    );
    out
}

/// The weights w in 0 to 1 for which `gain + w (shortfall - gain)` of the first is no less than that of any other.
fn weights(of_model: &[&Tried]) -> String {
    let (mut from, mut to) = (0.0f64, 1.0f64);
    let Some((default, others)) = of_model.split_first() else {
        return "none".to_owned();
    };
    for other in others {
        let gain = default.gain - other.gain;
        let tail = default.shortfall - other.shortfall;
        // gain (1 - w) + tail w >= 0.
        let turn = gain / (gain - tail);
        match (gain >= 0.0, tail >= 0.0) {
            (true, true) => {}
            (false, true) => from = from.max(turn),
            (true, false) => to = to.min(turn),
            (false, false) => return "none".to_owned(),
        }
    }
    if from > to {
        "none".to_owned()
    } else {
        format!("{from:.2} to {to:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(model: &str, label: &str, gain: f64, shortfall: f64, less: (f64, f64)) -> Tried {
        Tried {
            model: model.into(),
            label: label.into(),
            gain,
            shortfall,
            less_default: less,
            is_safe: true,
        }
    }

    #[test]
    fn a_default_is_best_between_two_weights() {
        let default = tried("gbm", "default", -0.02, -0.05, (0.0, 0.0));
        // More gain for a worse tail, and the other way round.
        let bolder = tried("gbm", "bolder", -0.01, -0.09, (0.0, 0.0));
        let shyer = tried("gbm", "shyer", -0.03, -0.04, (0.0, 0.0));
        assert_eq!(weights(&[&default, &bolder, &shyer]), "0.20 to 0.50");
        let dominating = tried("gbm", "better", -0.01, -0.04, (0.0, 0.0));
        assert_eq!(weights(&[&default, &dominating]), "none");
        let dominated = tried("gbm", "worse", -0.03, -0.06, (0.0, 0.0));
        assert_eq!(weights(&[&default, &dominated]), "0.00 to 1.00");
    }

    #[test]
    fn three_models_with_recorded_candles_decide() {
        let models = ["gbm", "jumps", "regimes", "bootstrap"];
        let with = |better: [bool; 4]| {
            let mut all = Vec::new();
            for (model, better) in models.into_iter().zip(better) {
                all.push(tried(model, "default", 0.0, 0.0, (0.0, 0.0)));
                let less = if better { (0.1, 0.2) } else { (-0.1, 0.2) };
                all.push(tried(model, "other", 0.0, 0.0, less));
            }
            verdicts(&all)
        };
        assert!(
            with([true, true, false, true]).contains("| other | gbm, jumps, bootstrap | - | yes |")
        );
        assert!(
            with([true, true, true, false]).contains("| other | gbm, jumps, regimes | - | no |")
        );
        assert!(with([true, false, false, true]).contains("| no |"));
    }

    #[test]
    fn a_position_of_the_study_pays_for_its_actions() {
        let scenario = scenario(14);
        assert!(scenario.starts_with("--horizon-days 14 "), "{scenario}");
        assert!(
            scenario.contains(" --equity 1000 --action-cost 0.02 "),
            "{scenario}"
        );
    }

    #[test]
    fn a_keeper_is_known_by_its_files_place() {
        let setting = serde_json::json!({"keeper": "/somewhere/parameters-2/keeper-1.toml"});
        assert_eq!(said(DELEVERAGE, &setting).unwrap(), DELEVERAGE[1].0);
        let setting = serde_json::json!({"keeper": "/somewhere/keeper-99.toml"});
        assert!(said(DELEVERAGE, &setting).is_err());
    }
}
