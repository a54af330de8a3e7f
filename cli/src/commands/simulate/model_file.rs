//! The file that `ballast calibrate` writes and `--model-file` reads: parameters of models, each with its error.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ballast_simulator::{
    Regime, Reversion, Weather, calibrate::Estimate, world::book::BookAdaptive,
};
use serde::{Deserialize, Serialize};

/// A parameter and its standard error.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    pub value: f64,
    #[serde(default)]
    pub error: f64,
}

impl From<Estimate> for Parameter {
    fn from(estimate: Estimate) -> Self {
        Self {
            value: estimate.value,
            error: estimate.error,
        }
    }
}

/// Models of a price and of what is traded.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelFile {
    /// A file of the liquidity of others by tick, beside this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<PathBuf>,
    /// What it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gbm: Option<GbmTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jumps: Option<JumpsTable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regimes: Vec<RegimeTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_pool: Option<OtherPoolTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_shift: Option<RoutingShiftTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perp: Option<PerpTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<UtilisationTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oracle: Option<OracleTable>,
    /// What of the pool's fee moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive_fee: Option<BookAdaptive>,
}

/// Where a model is from.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct SourceTable {
    pub files: Vec<SourceFile>,
    /// Seconds from one move to the next.
    pub step_secs: f64,
    pub moves: usize,
    pub missing: usize,
    /// The model that explains the moves best (Schwarz's criterion).
    pub best: String,
}

/// A file that was read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct SourceFile {
    pub name: String,
    pub sha256: String,
}

/// Geometric Brownian motion. The drift is said, and used only if `--drift-day` repeats it: a record of weeks does not know it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GbmTable {
    pub sigma_day: Parameter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_day: Option<Parameter>,
}

/// The same, with jumps.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JumpsTable {
    pub sigma_day: Parameter,
    pub per_day: Parameter,
    pub mean: Parameter,
    pub sd: Parameter,
}

/// A regime.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeTable {
    pub sigma_day: Parameter,
    pub days: Parameter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Parameter>,
    /// What longs pay shorts an hour at a perp venue while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding_hour: Option<Parameter>,
    /// The second pool's liquidity while it lasts, over its usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_depth: Option<Parameter>,
}

impl RegimeTable {
    /// As the simulator takes it.
    pub fn regime(&self) -> Regime {
        Regime {
            sigma_day: self.sigma_day.value,
            drift_day: 0.0,
            days: self.days.value,
            weather: Weather {
                volume: self.volume.map_or(1.0, |volume| volume.value),
                other_depth: self.other_depth.map_or(1.0, |depth| depth.value),
                funding_hour: self.funding_hour.map(|funding| funding.value),
                ..Weather::USUAL
            },
        }
    }
}

/// What is traded, and how deep the pool is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FlowTable {
    pub volume_day: Parameter,
    pub taker_volume_day: Parameter,
    pub liquidity: Parameter,
}

/// A second pool of the same tokens, over which takers split their trades.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OtherPoolTable {
    pub fee_ppm: Parameter,
    pub liquidity: Parameter,
    /// Mean size of a taker's trade, in the quote token.
    pub taker_size: Parameter,
}

/// A part of takers' volume that goes elsewhere after some days.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingShiftTable {
    pub part: Parameter,
    pub after_days: Parameter,
}

/// A perp venue.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PerpTable {
    /// What longs pay shorts an hour, as a part of notional; negative: shorts pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding_hour: Option<Parameter>,
    /// Seconds from an order to its fill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill_secs: Option<Parameter>,
    /// How the venue's price wanders around the one outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<BasisTable>,
    /// When the venue takes of what gains, because others cannot pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_deleveraging: Option<AutoDeleveragingTable>,
}

/// A basis: the venue's price over the one outside, less one.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BasisTable {
    #[serde(default)]
    pub mean: Parameter,
    /// Standard deviation in the long run.
    pub sd: Parameter,
    /// Time in which half of the way back to the mean is done.
    pub half_life_hours: Parameter,
}

/// Auto-deleveraging after a move of the price.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AutoDeleveragingTable {
    /// The part that is taken.
    pub part: Parameter,
    /// After a move of so much,
    pub after_move: Parameter,
    /// within so many hours.
    pub hours: Parameter,
}

/// What of the reserves is lent out.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UtilisationTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<ReversionTable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<ReversionTable>,
}

/// What wanders and comes back to its mean.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReversionTable {
    pub mean: Parameter,
    /// Standard deviation in the long run.
    pub sd: Parameter,
    /// Time in which half of the way back to the mean is done.
    pub half_life_hours: Parameter,
}

impl ReversionTable {
    /// As the simulator takes it.
    pub fn reversion(self) -> Reversion {
        Reversion {
            mean: self.mean.value,
            sd: self.sd.value,
            half_life_hours: self.half_life_hours.value,
        }
    }
}

/// An oracle that is silent at times, and not always sure.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OracleTable {
    /// How many times a day it falls silent in a calm market,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stalls_day: Option<Parameter>,
    /// and for how long on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_secs: Option<Parameter>,
    /// How uncertain its price is in a still market,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_bps: Option<Parameter>,
    /// and how much more for each basis point of the standard deviation of a minute's move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_per_move: Option<Parameter>,
}

impl ModelFile {
    /// Reads one.
    ///
    /// # Errors
    /// A file that cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let named = || format!("--model-file {}", path.display());
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}: check the path", named()))?;
        let mut file: Self = toml::from_str(&text).with_context(named)?;
        if let (Some(depth), Some(folder)) = (&mut file.depth, path.parent()) {
            *depth = folder.join(&*depth);
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let parameter = |value| Parameter { value, error: 0.25 };
        let file = ModelFile {
            depth: Some("depth.csv".into()),
            source: Some(SourceTable::default()),
            gbm: Some(GbmTable {
                sigma_day: parameter(0.05),
                drift_day: None,
            }),
            jumps: None,
            regimes: vec![
                RegimeTable {
                    sigma_day: parameter(0.03),
                    days: parameter(2.0),
                    volume: Some(parameter(0.5)),
                    funding_hour: Some(parameter(-0.001)),
                    other_depth: None,
                };
                2
            ],
            flow: None,
            other_pool: Some(OtherPoolTable {
                fee_ppm: parameter(500.0),
                liquidity: parameter(1e12),
                taker_size: parameter(1e3),
            }),
            routing_shift: None,
            perp: Some(PerpTable {
                funding_hour: Some(parameter(0.000_01)),
                fill_secs: None,
                basis: Some(BasisTable {
                    mean: parameter(-0.001),
                    sd: parameter(0.002),
                    half_life_hours: parameter(8.0),
                }),
                auto_deleveraging: Some(AutoDeleveragingTable {
                    part: parameter(0.5),
                    after_move: parameter(0.1),
                    hours: parameter(1.0),
                }),
            }),
            utilisation: Some(UtilisationTable {
                base: None,
                quote: Some(ReversionTable {
                    mean: parameter(0.7),
                    sd: parameter(0.1),
                    half_life_hours: parameter(24.0),
                }),
            }),
            oracle: Some(OracleTable {
                stalls_day: Some(parameter(2.0)),
                stall_secs: Some(parameter(300.0)),
                confidence_bps: None,
                confidence_per_move: Some(parameter(0.2)),
            }),
            adaptive_fee: Some(BookAdaptive {
                filter_period: 30,
                decay_period: 600,
                reduction_factor: 500,
                control_factor: 4_000,
                max_volatility_accumulator: 350_000,
                tick_group_size: 64,
                major_swap_threshold_ticks: 64,
            }),
        };
        let text = toml::to_string(&file).unwrap();
        assert_eq!(toml::from_str::<ModelFile>(&text).unwrap(), file);
        // By hand, without errors.
        let short = "[gbm]\nsigma_day = { value = 0.05 }\n";
        let read: ModelFile = toml::from_str(short).unwrap();
        assert_eq!(read.gbm.unwrap().sigma_day.error, 0.0);
        assert!(toml::from_str::<ModelFile>("[gbm]\nsigma = 1\n").is_err());
        assert!(toml::from_str::<ModelFile>("[oracle]\nstalls = 1\n").is_err());
        assert!(toml::from_str::<ModelFile>("[utilisation.other]\n").is_err());
        assert!(toml::from_str::<ModelFile>("[adaptive_fee]\nfilter_period = 30\n").is_err());
        let calm = "[[regimes]]\nsigma_day = { value = 0.02 }\ndays = { value = 3 }\n";
        let read: ModelFile = toml::from_str(calm).unwrap();
        assert_eq!(read.regimes[0].regime().weather, Weather::USUAL);
    }
}
