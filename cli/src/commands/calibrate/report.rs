//! What `ballast calibrate` prints.

use std::fmt;

use serde::Serialize;

use crate::{
    commands::simulate::model_file::{ModelFile, Parameter},
    format::{percent, significant},
    table::Table,
};

/// Models, and the record that they are from.
#[derive(Debug, Serialize)]
pub struct CalibrateReport {
    /// How long the record is.
    pub days: f64,
    /// Price at its end.
    pub last_price: f64,
    #[serde(flatten)]
    pub model: ModelFile,
}

impl fmt::Display for CalibrateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.model.source {
            writeln!(
                f,
                "{} moves of {} seconds, {} missing, {:.2} days, the last price {}",
                source.moves,
                significant(source.step_secs, 6),
                source.missing,
                self.days,
                significant(self.last_price, 8)
            )?;
            writeln!(f, "{} explains them best\n", source.best)?;
        }
        let mut table = Table::new(["<model", "<parameter", "value", "+-"]);
        let mut add = |model: &str, name: &str, parameter: Parameter, ratio: bool| {
            let text = |value: f64| {
                if ratio {
                    percent(value)
                } else {
                    significant(value, 4)
                }
            };
            table.row([
                model.to_owned(),
                name.to_owned(),
                text(parameter.value),
                text(parameter.error),
            ]);
        };
        if let Some(gbm) = &self.model.gbm {
            add("gbm", "sigma a day", gbm.sigma_day, true);
            if let Some(drift) = gbm.drift_day {
                add("gbm", "drift a day", drift, true);
            }
        }
        if let Some(jumps) = &self.model.jumps {
            add("jumps", "sigma a day", jumps.sigma_day, true);
            add("jumps", "jumps a day", jumps.per_day, false);
            add("jumps", "mean of a jump", jumps.mean, true);
            add("jumps", "sd of a jump", jumps.sd, true);
        }
        for (number, regime) in (1..).zip(&self.model.regimes) {
            let model = format!("regime {number}");
            add(&model, "sigma a day", regime.sigma_day, true);
            add(&model, "days", regime.days, false);
            if let Some(volume) = regime.volume {
                add(&model, "volume, of the mean", volume, true);
            }
        }
        if let Some(flow) = &self.model.flow {
            add("pool", "volume a day", flow.volume_day, false);
            add("pool", "of it takers'", flow.taker_volume_day, false);
            add("pool", "active liquidity", flow.liquidity, false);
        }
        write!(f, "{table}")?;
        for (found, what) in [
            (self.model.jumps.is_some(), "jumps"),
            (!self.model.regimes.is_empty(), "regimes"),
        ] {
            if !found {
                writeln!(f, "no {what} that make these moves much more likely")?;
            }
        }
        Ok(())
    }
}
