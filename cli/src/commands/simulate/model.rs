//! How the price moves, by options.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use anyhow::{Context, Result, ensure};
use ballast_simulator::{
    BarModel, Bars, Gbm, Jumps, Law, Looks, Path, PriceModel, Regime, Regimes, Streams,
    backtest::read_candles, hitting::Motion,
};
use clap::{Args, ValueEnum};
use thiserror::Error;

use super::model_file::{FlowTable, JumpsTable, ModelFile, Parameter, RegimeTable};
use crate::{decimal::Ratio, recorded, report::note};

/// Which model.
#[derive(Args, Debug)]
pub struct ModelArgs {
    /// How the price moves
    #[arg(long, value_enum)]
    pub model: ModelName,
}

/// Options of the models.
#[derive(Args, Debug)]
pub struct ModelOptions {
    /// Parameters that `ballast calibrate` has found, for what no other option says: of the models, of takers' volume and of the
    /// pool's liquidity. Its drift is not used
    #[arg(long, value_name = "FILE")]
    pub model_file: Option<PathBuf>,
    /// gbm, jumps: standard deviation of a day's move: 0.05 is 5 %
    #[arg(long)]
    pub sigma_day: Option<Ratio>,
    /// gbm, jumps: growth of the mean price per day
    #[arg(long, default_value_t = 0.0)]
    pub drift_day: f64,
    /// jumps: how many a day
    #[arg(long)]
    pub jumps_day: Option<f64>,
    /// jumps: mean of a jump, in the logarithm of the price
    #[arg(long)]
    pub jump_mean: Option<f64>,
    /// jumps: standard deviation of a jump, in the logarithm of the price
    #[arg(long)]
    pub jump_sd: Option<f64>,
    /// regimes: one of at least two, given once for each: its sigma per day, the days it lasts on average and, if it differs, takers'
    /// volume over its usual size
    #[arg(long, value_name = "SIGMA:DAYS[:VOLUME]")]
    pub regime: Vec<RegimeArg>,
    /// replay, bootstrap: recorded candles, as CSV (may be gzipped) with the columns time, open, high, low, close, or Binance's klines;
    /// they are moved to --price
    #[arg(long, value_name = "FILE")]
    pub candles: Option<PathBuf>,
    /// bootstrap: how many successive candles stay together
    #[arg(long, default_value_t = 24, value_parser = parse_block)]
    pub block_candles: usize,
}

fn parse_block(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(block) if block > 0 => Ok(block),
        _ => Err("write a whole number greater than 0".into()),
    }
}

/// Models of the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModelName {
    /// Geometric Brownian motion
    Gbm,
    /// The same, with jumps
    Jumps,
    /// Regimes of volatility and volume that follow each other
    Regimes,
    /// Recorded candles in their order
    Replay,
    /// Blocks of recorded candles in random order
    Bootstrap,
}

/// A regime, as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegimeArg(Regime);

/// No such regime.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no regime: write sigma per day, days and volume like 0.03:5 or 8%:1:3")]
pub struct NoRegime(String);

impl FromStr for RegimeArg {
    type Err = NoRegime;

    fn from_str(text: &str) -> Result<Self, NoRegime> {
        let parts: Option<Vec<f64>> = text
            .split(':')
            .map(|part| part.parse::<Ratio>().map(|ratio| ratio.f64()).ok())
            .collect();
        let (sigma_day, days, volume) = match parts.as_deref() {
            Some([sigma_day, days]) => (*sigma_day, *days, 1.0),
            Some([sigma_day, days, volume]) => (*sigma_day, *days, *volume),
            _ => return Err(NoRegime(text.to_owned())),
        };
        Ok(Self(Regime {
            sigma_day,
            drift_day: 0.0,
            days,
            volume,
        }))
    }
}

impl ModelName {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gbm => "gbm",
            Self::Jumps => "jumps",
            Self::Regimes => "regimes",
            Self::Replay => "replay",
            Self::Bootstrap => "bootstrap",
        }
    }
}

impl ModelOptions {
    fn file(&self) -> Result<ModelFile> {
        match &self.model_file {
            None => Ok(ModelFile::default()),
            Some(path) => ModelFile::read(path),
        }
    }

    /// What the model's file says of takers and of the pool.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn flow(&self) -> Result<Option<FlowTable>> {
        Ok(self.file()?.flow)
    }

    fn sigma_day(&self, from_file: Option<Parameter>) -> Result<f64> {
        let given = self.sigma_day.as_ref().map(|sigma| sigma.f64());
        given
            .or(from_file.map(|sigma| sigma.value))
            .context("--sigma-day is missing: this model needs it, or a --model-file that has it")
    }

    fn gbm_sigma_day(&self) -> Result<f64> {
        self.sigma_day(self.file()?.gbm.map(|gbm| gbm.sigma_day))
    }

    /// What a keeper would measure of the price's volatility; `None`: it has to do without.
    pub fn measured_sigma_day(&self) -> Option<f64> {
        self.gbm_sigma_day().ok()
    }

    /// The motion of the price's logarithm, where chances have a closed form.
    ///
    /// # Errors
    /// What is wrong with its options.
    pub fn motion(&self, model: ModelName) -> Result<Option<Motion>> {
        if model != ModelName::Gbm {
            return Ok(None);
        }
        Ok(Some(Motion::of_price(
            self.drift_day,
            self.gbm_sigma_day()?,
        )))
    }

    /// The files that models are read from.
    pub fn files(&self) -> Vec<PathBuf> {
        [&self.model_file, &self.candles]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    fn jumps(&self) -> Result<Jumps> {
        let file = self.file()?.jumps;
        let sigma = self.sigma_day(file.map(|jumps| jumps.sigma_day))?;
        let or_file = |given: Option<f64>, pick: fn(&JumpsTable) -> Parameter| {
            given
                .or(file.as_ref().map(|file| pick(file).value))
                .unwrap_or(0.0)
        };
        let per_day = self
            .jumps_day
            .or(file.as_ref().map(|file| file.per_day.value))
            .context("--jumps-day is missing: this model needs it, or a --model-file with jumps")?;
        let mean = or_file(self.jump_mean, |jumps| jumps.mean);
        let sd = or_file(self.jump_sd, |jumps| jumps.sd);
        ensure!(
            per_day <= 0.0 || mean != 0.0 || sd != 0.0,
            "--jump-mean or --jump-sd is missing: jumps of size 0 are none"
        );
        Ok(Jumps::new(sigma, self.drift_day, per_day, mean, sd)?)
    }

    fn regimes(&self) -> Result<Regimes> {
        let mut regimes: Vec<Regime> = self.regime.iter().map(|regime| regime.0).collect();
        if regimes.is_empty() {
            let from_file = self.file()?.regimes;
            regimes = from_file.iter().map(RegimeTable::regime).collect();
        }
        Regimes::new(regimes).context("--regime, or the regimes of --model-file")
    }

    /// A model, for paths with these looks.
    ///
    /// # Errors
    /// What is wrong with its options.
    pub fn model(&self, name: ModelName, looks: Looks) -> Result<AnyModel> {
        Ok(match name {
            ModelName::Gbm => AnyModel::Gbm(Gbm::new(self.gbm_sigma_day()?, self.drift_day)?),
            ModelName::Jumps => AnyModel::Jumps(self.jumps()?),
            ModelName::Regimes => AnyModel::Regimes(self.regimes()?),
            ModelName::Replay => {
                let bars = self.bars()?;
                within(&bars, looks)?;
                AnyModel::Bars(BarModel::Replay(bars))
            }
            ModelName::Bootstrap => {
                AnyModel::Bars(BarModel::Bootstrap(self.bars()?, self.block_candles))
            }
        })
    }

    fn bars(&self) -> Result<Arc<Bars>> {
        let path = self
            .candles
            .as_deref()
            .context("--candles is missing: this model needs it")?;
        let text = recorded::text("--candles", path)?;
        let read = read_candles(&text).with_context(|| format!("--candles {}", path.display()))?;
        if read.missing > 0 || read.outside > 0 {
            note(format_args!(
                "{} candles are missing and were bridged; {} had open or close outside of low and high, which were widened",
                read.missing, read.outside
            ));
        }
        Ok(Arc::new(Bars::new(read.bars, read.secs as f64)?))
    }
}

/// One of the models.
pub enum AnyModel {
    Gbm(Gbm),
    Jumps(Jumps),
    Regimes(Regimes),
    Bars(BarModel),
}

impl PriceModel for AnyModel {
    type Path = Box<dyn Path>;

    fn path(&self, log_price: f64, streams: Streams, number: u64) -> Self::Path {
        match self {
            Self::Gbm(model) => Box::new(model.path(log_price, streams, number)),
            Self::Jumps(model) => Box::new(model.path(log_price, streams, number)),
            Self::Regimes(model) => Box::new(model.path(log_price, streams, number)),
            Self::Bars(model) => Box::new(model.path(log_price, streams, number)),
        }
    }

    fn law(&self) -> Law {
        match self {
            Self::Gbm(model) => model.law(),
            Self::Jumps(model) => model.law(),
            Self::Regimes(model) => model.law(),
            Self::Bars(model) => model.law(),
        }
    }
}

fn within(bars: &Bars, looks: Looks) -> Result<()> {
    ensure!(
        looks.days() <= bars.days(),
        "--horizon-days {} is longer than the candles: they are {:.3} days",
        looks.days(),
        bars.days()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regimes() {
        let RegimeArg(regime) = "8%:2".parse().unwrap();
        assert_eq!(
            (regime.sigma_day, regime.days, regime.volume),
            (0.08, 2.0, 1.0)
        );
        let RegimeArg(regime) = "0.1:0.5:3".parse().unwrap();
        assert_eq!(
            (regime.sigma_day, regime.days, regime.volume),
            (0.1, 0.5, 3.0)
        );
        for text in ["", "1", "1:2:3:4", "a:1", "-1:1"] {
            assert_eq!(text.parse::<RegimeArg>(), Err(NoRegime(text.into())));
        }
    }
}
