//! The delta band by formula beside the default's.

use std::fmt::Write;

use anyhow::Result;
use serde_json::Value;

use super::{
    ALL, DEFAULT_BPS, ParameterOptions, SCENARIO, Shown, common, compared, keeper, number,
    study::{self, AIM},
    verdict,
};

/// Of the formula for the band, and the leverage of the range.
const RISK_AVERSION: f64 = 4.0;
const LEVERAGE: f64 = 3.0;
/// Fees of pools, in millionths, that the no-trade band is compared at.
const FEES_PPM: [u32; 2] = [400, 3_000];
/// Parts of the price between it and either end of a range, with the range of the scenario.
const WIDTHS: [(&str, &str, &str, &str, f64); 2] = [
    ("10 %", "10%", "181.8181", "220", 0.190_6),
    ("4 %", "4%", "192.3077", "208", 0.078_4),
];

/// The same position for `ballast optimise`.
const GRID: &str = "--leverages 3 --hedges 100%";

/// The band of Whalley and Wilmott against the default's.
///
/// With leverage lambda in a range of width w (in the logarithm of the price) the hedge is off by the part b of all base that the position can
/// hold after a move of `b w`. If each trade goes back to the end of the band and no further, `sigma^2 / (2 b w^2)` of that base
/// is traded a day. At a cost of g for each unit (the pool's fee, and what the trade moves the price) this is
/// `g lambda sigma^2 / (2 b w^2)` of the own funds. The error lies anywhere in the band and adds `lambda^2 sigma^2 b^2 / 3` of variance
/// a day, which an aversion of rho counts `rho / 2` times. Gamma (`lambda / w`) and sigma are in both and cancel but for w; their sum
/// is least at `b = (3 g / (2 rho lambda w^2))^(1/3)`.
pub fn section(options: &ParameterOptions) -> Result<String> {
    let paths = options.paths / 10;
    let common = common(SCENARIO, paths, options);
    let mut out = format!(
        "\n{} paths of each model, ranges and `--fee-ppm` as in the rows, and for all `{}`; ρ {RISK_AVERSION}, λ {LEVERAGE}.\n\n\
         | range | fee, ppm | by formula | model | equity less the default's, 95 % | sd | worst 5 % | default: sd | worst 5 % |\n\
         |---|---|---|---|---|---|---|---|---|\n",
        paths,
        SCENARIO.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    let mut verdicts = verdict::HEAD.to_owned();
    for (name, part_of_price, lower, upper, width) in WIDTHS {
        for fee in FEES_PPM {
            let part =
                3.0 * f64::from(fee) / 1e6 / (2.0 * RISK_AVERSION * LEVERAGE * width * width);
            let bps = (part.cbrt() * 1e4).round() as u32;
            let extra =
                format!("--lower {lower} --upper {upper} --leverage {LEVERAGE} --fee-ppm {fee}");
            let models = compared(&keeper(bps)?, &keeper(DEFAULT_BPS)?, &extra, &common)?;
            let shown: Vec<Shown> = models.iter().map(Shown::of).collect::<Result<_>>()?;
            let percent = f64::from(bps) / 100.0;
            for one in &shown {
                let _ = writeln!(out, "| {name} | {fee} | {percent:.1} % {}", one.row());
            }
            let label = format!("range {name}, {fee} ppm, band {percent:.1} %");
            let grid =
                format!("{GRID} --fee-ppm {fee} --widths {part_of_price} --bands 10%,{percent}%");
            let said = |setting: &Value| {
                let is_default = number(&setting["delta_band"])? * 1e4 == f64::from(DEFAULT_BPS);
                Ok(if is_default {
                    "default".to_owned()
                } else {
                    label.clone()
                })
            };
            verdicts += &study::by_what_counts(options, &ALL, (SCENARIO, &grid), paths, said)?;
        }
    }
    let _ = write!(
        out,
        "\nBy what counts (`ballast optimise {GRID} {AIM}`, the same paths):\n{verdicts}\n"
    );
    Ok(out)
}
