//! Other rules for new bands beside the keeper's own, by `ballast compare`: on three models, recorded candles, and a pool's recorded minutes.

use std::{fmt::Write, fs};

use anyhow::Result;

use super::{
    ParameterOptions, RANGE, RECORDED, Shown, common, compared, compared_in, directory,
    study::{TAKERS, scenario},
    verdict::{self, Verdict},
};

/// What is said of it, the rule (see `BandRule` of the simulator), and the widths that the owner allows, in ticks: on models, and on recorded
/// minutes, whose pool moved a quarter as much.
const RULES: [(&str, &str, [u32; 2], [u32; 2]); 4] = [
    (
        "fee yield by regime",
        "fees-by-regime",
        [400, 8_000],
        [100, 2_000],
    ),
    (
        "fees less curvature, one width",
        "fees-less-curvature",
        [4_000, 4_000],
        [400, 400],
    ),
    (
        "fees less curvature, any width",
        "fees-less-curvature",
        [400, 8_000],
        [100, 2_000],
    ),
    (
        "the width that earns most",
        "best-width",
        [400, 8_000],
        [100, 2_000],
    ),
];
/// How many days.
const DAYS: u32 = 14;
/// A pool's minutes in blocks of six hours, with the fees that were paid.
const MINUTES: (&str, &str) = (RECORDED.0, "60");
const MINUTES_NAME: &str = "bootstrap of pool minutes";
const MINUTES_RANGE: &str = "--lower 196.0784 --upper 204 --leverage 3";
const MINUTES_POOL: &str = "--base token1 --base-decimals 18 --quote-decimals 6 --fee-ppm 500 --protocol-share 0 --block-candles 360";

/// The section.
pub fn section(options: &ParameterOptions) -> Result<String> {
    let (paths, minutes_paths) = (options.paths / 3, options.paths / 10);
    let scenario = scenario(DAYS);
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = format!(
        "\n{paths} paths of each model ({MINUTES_NAME}: {minutes_paths}): `{} {RANGE} {}`; {MINUTES_NAME}: `{MINUTES_RANGE} {MINUTES_POOL}`, {} recorded days, looks every {} s.\n\n\
         | rule | model | equity less the present rule's, 95 % | sd | worst 5 % | present: sd | worst 5 % |\n\
         |---|---|---|---|---|---|---|\n",
        one_line(&scenario),
        one_line(TAKERS),
        options.minutes.len(),
        MINUTES.1,
    );
    let of_candles = common(&scenario, paths, options);
    let of_minutes = {
        let scenario = scenario.replace("--block-candles 24", "");
        let alone = ParameterOptions {
            candles: None,
            ..options.clone()
        };
        let mut line = common(&scenario, minutes_paths, &alone);
        for file in &options.minutes {
            line.extend([
                "--pool-minutes".to_owned(),
                file.to_string_lossy().into_owned(),
            ]);
        }
        line
    };
    let mut verdicts = verdict::HEAD.to_owned();
    for (label, rule, widths, narrow) in RULES {
        let [first, present] = [keeper(rule, widths)?, keeper("present", widths)?];
        let mut shown = Vec::new();
        for model in compared(&first, &present, &format!("{RANGE} {TAKERS}"), &of_candles)? {
            shown.push(Shown::of(&model)?);
        }
        let [first, present] = [keeper(rule, narrow)?, keeper("present", narrow)?];
        let pool = format!("{MINUTES_RANGE} {MINUTES_POOL}");
        for model in compared_in(MINUTES, [&first, &present], &pool, &of_minutes)? {
            shown.push(Shown {
                model: MINUTES_NAME.to_owned(),
                ..Shown::of(&model)?
            });
        }
        for one in &shown {
            let _ = writeln!(out, "| {label} {}", one.row());
        }
        verdicts += &Verdict::of(label, &shown).row();
    }
    Ok(out + &verdicts + "\n")
}

/// A keeper's file with a rule.
fn keeper(rule: &str, [least, most]: [u32; 2]) -> Result<String> {
    let file = directory()?.join(format!("rule-{rule}-{least}.toml"));
    let text = format!(
        "[owner]\nmin_width_ticks = {least}\nmax_width_ticks = {most}\nrecenter_cooldown_secs = 3600\n[study]\nband_rule = \"{rule}\"\n"
    );
    fs::write(&file, text)?;
    Ok(file.to_string_lossy().into_owned())
}
