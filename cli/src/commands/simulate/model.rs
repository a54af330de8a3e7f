//! How the price moves, by options.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use anyhow::{Context, Result, ensure};
use ballast_simulator::{
    BarModel, Bars, Gbm, Jumps, Looks, Path, PriceModel, Regime, Regimes, Streams,
    backtest::read_candles, hitting::Motion,
};
use clap::{Args, ValueEnum};
use thiserror::Error;

use crate::{decimal::Ratio, recorded, report::note};

/// Options of the models.
#[derive(Args, Debug)]
pub struct ModelArgs {
    /// How the price moves
    #[arg(long, value_enum)]
    pub model: ModelName,
    /// gbm, jumps: standard deviation of a day's move: 0.05 is 5 %
    #[arg(long)]
    pub sigma_day: Option<Ratio>,
    /// gbm, jumps: growth of the mean price per day
    #[arg(long, default_value_t = 0.0)]
    pub drift_day: f64,
    /// jumps: how many a day
    #[arg(long, default_value_t = 0.0)]
    pub jumps_day: f64,
    /// jumps: mean of a jump, in the logarithm of the price
    #[arg(long, default_value_t = 0.0)]
    pub jump_mean: f64,
    /// jumps: standard deviation of a jump, in the logarithm of the price
    #[arg(long, default_value_t = 0.0)]
    pub jump_sd: f64,
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

impl ModelArgs {
    fn sigma_day(&self) -> Result<f64> {
        let sigma = self.sigma_day.as_ref();
        Ok(sigma
            .context("--sigma-day is missing: this model needs it")?
            .f64())
    }

    /// What a keeper would measure of the price's volatility; `None`: it has to do without.
    pub fn measured_sigma_day(&self) -> Option<f64> {
        self.sigma_day.as_ref().map(|sigma| sigma.f64())
    }

    /// The motion of the price's logarithm, where chances have a closed form.
    pub fn motion(&self) -> Option<Motion> {
        let sigma_day = self.sigma_day.as_ref()?.f64();
        (self.model == ModelName::Gbm).then(|| Motion::of_price(self.drift_day, sigma_day))
    }

    /// The model that was asked for, for paths with these looks.
    ///
    /// # Errors
    /// What is wrong with its options.
    pub fn model(&self, looks: Looks) -> Result<AnyModel> {
        Ok(match self.model {
            ModelName::Gbm => AnyModel::Gbm(Gbm::new(self.sigma_day()?, self.drift_day)?),
            ModelName::Jumps => {
                let (sigma, drift) = (self.sigma_day()?, self.drift_day);
                let model = Jumps::new(sigma, drift, self.jumps_day, self.jump_mean, self.jump_sd);
                AnyModel::Jumps(model?)
            }
            ModelName::Regimes => {
                let regimes = self.regime.iter().map(|regime| regime.0).collect();
                AnyModel::Regimes(Regimes::new(regimes).context("--regime")?)
            }
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
