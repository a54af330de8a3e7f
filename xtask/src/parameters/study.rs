//! Which policy and automation are best: every alternative is set beside the default on the same paths, by `ballast optimise`.

use std::{fmt::Write, fs};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    ALL, ParameterOptions, RANGE, RECORDED, SCENARIO, Shown, ballast, common, compared, directory,
    keepers::{DEFAULT, DELEVERAGE, Keepers, PAUSES, RECENTERING},
    number,
    verdict::{self, Verdict},
    words,
};

/// What is to be largest, and what must not happen.
pub(super) const AIM: &str = "--tail-weight 0.1 --max-liquidation 1%";
/// The default comes first of each list.
const POLICY: &str = "--widths 10% --leverages 3 --hedges 100%,75%,50% --bands 10%,5%,15%,20%";
/// No hedge: LTV moves with the price, so that the trigger of deleveraging matters. With one rehedges keep it away.
const LEVERAGE: &str = "--widths 10% --leverages 3 --hedges 0% --bands 10%";
const LEVERAGE_DAYS: u32 = 14;
/// With a whole hedge the pause between two rehedges matters.
const PAUSE: &str = "--widths 10% --leverages 3 --hedges 100% --bands 10%";
/// Two weeks among takers.
const RECENTER: &str = "--widths 10% --leverages 3 --hedges 100% --bands 10%";
pub(super) const TAKERS: &str = "--taker-volume-day 1000000 --pool-liquidity 7200000000000";
/// The trigger that was the default before: a stress distance and landing away from maintenance.
const BEFORE: &str = "[policy]\ndeleverage_trigger_ltv_bps = 7575\n";
/// Own funds of [`scenario`].
const OWN: f64 = 1_000.0;
/// Standard errors within which 95 % of normal numbers lie.
const CONFIDENCE_95: f64 = 1.959_964;

/// The scenario of all sections for a small position. An action costs 0.0001 SOL: the transaction with its priority, two posted prices, and
/// a reward.
pub(super) fn scenario(days: u32) -> String {
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
    let (scenario, paths) = (scenario(LEVERAGE_DAYS), options.paths / 3);
    let mut out = study(options, (&scenario, LEVERAGE), DELEVERAGE, paths, label)?;
    let mut often = Vec::new();
    for (names, secs) in ALL {
        for model in names.split(',') {
            let mut line = words(&format!(
                "simulate --model {model} --step-secs {secs} --strategy keeper {RANGE} --hedge 0%"
            ));
            line.extend(common(&scenario, paths, options));
            let report = ballast(&line)?;
            let chance = number(&report["deleverage"]["probability"])?;
            often.push(format!("{model} {:.1} %", chance * 100.0));
        }
    }
    out += &format!(
        "Paths on which the default deleverages: {}.\n",
        often.join(", ")
    );
    out += &trigger(options, &scenario)?;
    let label = |setting: &Value| said(PAUSES, setting);
    let scenario = self::scenario(7);
    out += &study(options, (&scenario, PAUSE), PAUSES, paths, label)?;
    Ok(out)
}

/// What the default trigger costs and buys, path by path, against the one before it.
fn trigger(options: &ParameterOptions, scenario: &str) -> Result<String> {
    let file = directory()?.join("trigger-before.toml");
    fs::write(&file, BEFORE)?;
    let paths = options.paths;
    let common = common(scenario, paths, options);
    let mut out = format!(
        "\n{paths} paths of each model without a hedge, the default less a trigger of 75.75 % (`ballast compare`; takers: `{TAKERS}`). In per cent \
         of the own funds.\n\n\
         | model | takers | mean, 95 % | worst 5 % | liquidated | at 75.75 % |\n|---|---|---|---|---|---|\n"
    );
    for (said, takers) in [("none", ""), ("some", TAKERS)] {
        let extra = format!("{RANGE} --hedge 0% {takers}");
        for model in compared("keeper", &file.to_string_lossy(), &extra, &common)? {
            let shown = Shown::of(&model)?;
            let [low, high] = shown.less.map(|less| less / OWN * 100.0);
            let worst = (shown.both[0][1] - shown.both[1][1]) / OWN * 100.0;
            let liquidated = |place: usize| {
                number(&model["strategies"][place]["liquidation"]["probability"])
                    .map(|part| part * 100.0)
            };
            let (own, before) = (liquidated(0)?, liquidated(1)?);
            let _ = writeln!(
                out,
                "| {} | {said} | {low:+.3} to {high:+.3} | {worst:+.2} | {own:.2} % | {before:.2} % |",
                shown.model
            );
        }
    }
    Ok(out)
}

/// Edge, cool-down and width of recentering.
pub fn recenter(options: &ParameterOptions) -> Result<String> {
    let label = |setting: &Value| said(RECENTERING, setting);
    study(
        options,
        (&scenario(14), &format!("{RECENTER} {TAKERS}")),
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

    fn loses(&self) -> bool {
        self.less_default.1 < 0.0
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
    for (model, setting) in settings(options, &ALL, (scenario, grid), &files, paths)? {
        let one = Tried::of(&model, label(&setting)?, &setting)?;
        out += &row(&one, &setting["result"])?;
        tried.push(one);
    }
    out += verdict::HEAD;
    out += &verdicts(&tried);
    out += &best_for(&tried);
    Ok(out + "\n")
}

/// Rows of verdicts by what counts, of the settings of a grid whose first one is the default.
pub(super) fn by_what_counts(
    options: &ParameterOptions,
    models: &[(&str, &str)],
    (scenario, grid): (&str, &str),
    paths: u64,
    label: impl Fn(&Value) -> Result<String>,
) -> Result<String> {
    let all = settings(options, models, (scenario, grid), &[], paths)?.into_iter();
    let tried: Vec<Tried> = all
        .map(|(model, setting)| Tried::of(&model, label(&setting)?, &setting))
        .collect::<Result<_>>()?;
    Ok(verdicts(&tried))
}

/// Every setting of a grid in every model, beside the first one.
fn settings(
    options: &ParameterOptions,
    models: &[(&str, &str)],
    (scenario, grid): (&str, &str),
    files: &[String],
    paths: u64,
) -> Result<Vec<(String, Value)>> {
    let mut all = Vec::new();
    for (names, secs) in models {
        for model in names.split(',') {
            let mut line = words(&format!(
                "optimise --model {model} --step-secs {secs} --check-paths 1 {grid} {AIM}"
            ));
            line.extend(files.to_vec());
            line.extend(common(scenario, paths, options));
            let report = ballast(&line)?;
            let settings = report["settings"].as_array().context("no settings")?;
            all.extend(settings.iter().map(|one| (model.to_owned(), one.clone())));
        }
    }
    Ok(all)
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

/// In which models each alternative is better or worse, and whether it takes the default's place.
fn verdicts(tried: &[Tried]) -> String {
    let Some(default) = tried.first() else {
        return String::new();
    };
    let mut out = String::new();
    let of_first = tried.iter().filter(|one| one.model == default.model);
    for label in of_first.map(|one| &one.label).skip(1) {
        let of_label = || tried.iter().filter(|one| one.label == *label);
        let named = |is: &dyn Fn(&Tried) -> bool| -> Vec<&str> {
            of_label()
                .filter(|one| is(one))
                .map(|one| one.model.as_str())
                .collect()
        };
        // Where the default is not safe either, that is no reason to keep it.
        let default_is_safe = |model: &str| {
            let mut defaults = tried.iter().filter(|one| one.label == default.label);
            defaults.any(|one| one.model == model && one.is_safe)
        };
        let better = named(&Tried::is_better);
        let worse = named(&|one| one.loses() || (!one.is_safe && default_is_safe(&one.model)));
        let verdict = Verdict {
            label,
            better,
            worse,
        };
        out += &verdict.row();
    }
    out
}

/// Which weights of the worst paths the default is best for.
fn best_for(tried: &[Tried]) -> String {
    let label = tried.first().map(|one| one.label.as_str());
    let defaults = tried.iter().filter(|one| label == Some(&one.label));
    let weights: Vec<String> = defaults
        .map(|default| {
            let of_model = tried.iter().filter(|one| one.model == default.model);
            let of_model: Vec<&Tried> = of_model.collect();
            format!("{} {}", default.model, weights(&of_model))
        })
        .collect();
    format!(
        "\nWeights of the worst paths for which the default, the first of each model, counts most: {}.\n",
        weights.join(", ")
    )
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

    /// Whoever is not safe is worse, but for a default that is not safe either.
    #[test]
    fn what_may_not_happen_counts_against_whom_it_happens_to() {
        let with = |default: bool, other: bool| {
            let mut all = Vec::new();
            for (label, is_safe) in [("default", default), ("other", other)] {
                let mut one = tried("gbm", label, 0.0, 0.0, (0.1, 0.2));
                one.is_safe = is_safe;
                all.push(one);
            }
            verdicts(&all)
        };
        assert!(with(true, true).contains("| other | gbm | - | no |"));
        assert!(with(true, false).contains("| other | - | gbm | no |"));
        assert!(with(false, false).contains("| other | - | - | no |"));
        assert!(with(false, true).contains("| other | gbm | - | no |"));
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
