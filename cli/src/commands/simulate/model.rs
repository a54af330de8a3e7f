//! How the price moves, by options.

use std::{path::PathBuf, str::FromStr};

use anyhow::{Context, Result, ensure};
use ballast_simulator::{
    BarModel, Bars, Gbm, Jumps, Law, Looks, Path, PriceModel, Regime, Regimes, Streams, Weather,
    hitting::Motion,
};
use clap::{Args, ValueEnum};
use thiserror::Error;

use super::{
    model_file::{JumpsTable, ModelFile, Parameter, RegimeTable},
    record::{Purpose, RecordOptions},
};
use crate::decimal::{Ratio, sigma_day, signed};
use crate::trouble::misuse;

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
    #[arg(long, value_parser = sigma_day)]
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
    /// regimes: one of at least two, given once for each: its sigma per day, the days it lasts on average and, where they differ, takers'
    /// volume over its usual size, what longs pay shorts an hour at the perp venue, and the second pool's liquidity over its usual
    /// one; nothing between two colons is as usual
    #[arg(long, value_name = "SIGMA:DAYS[:VOLUME[:FUNDING[:DEPTH]]]")]
    pub regime: Vec<RegimeArg>,
    #[command(flatten)]
    pub record: RecordOptions,
    /// bootstrap: how many successive candles, minutes or looks at swaps stay together
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
    /// Recorded trading in its order: candles, minutes of a pool, or its swaps
    Replay,
    /// Blocks of recorded trading in random order
    Bootstrap,
}

/// A regime, as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegimeArg(Regime);

/// No such regime.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no regime: write sigma per day, days, volume, funding an hour and depth of the second pool like 0.03:5, 8%:1:3 or 8%:1:3:-0.05%:20"
)]
pub struct NoRegime(String);

impl FromStr for RegimeArg {
    type Err = NoRegime;

    fn from_str(text: &str) -> Result<Self, NoRegime> {
        let none = || NoRegime(text.to_owned());
        let parts: Vec<&str> = text.split(':').collect();
        let ([sigma_day, days], rest) = match parts.as_slice() {
            [sigma_day, days, rest @ ..] if rest.len() <= 3 => ([sigma_day, days], rest),
            _ => return Err(none()),
        };
        let ratio = |part: &str| {
            part.parse::<Ratio>()
                .map(|ratio| ratio.f64())
                .map_err(|_| none())
        };
        let said = |index: usize| rest.get(index).filter(|part| !part.is_empty());
        let or_one = |index| said(index).map_or(Ok(1.0), |part| ratio(part));
        let weather = Weather {
            volume: or_one(0)?,
            funding_hour: said(1)
                .map(|part| signed(part).map_err(|_| none()))
                .transpose()?,
            other_depth: or_one(2)?,
            ..Weather::USUAL
        };
        Ok(Self(Regime {
            sigma_day: ratio(sigma_day)?,
            drift_day: 0.0,
            days: ratio(days)?,
            weather,
        }))
    }
}

impl ModelName {
    /// Whether the price is a recorded one.
    pub const fn is_recorded(self) -> bool {
        matches!(self, Self::Replay | Self::Bootstrap)
    }

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
    /// What the model's file says.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn file(&self) -> Result<ModelFile> {
        match &self.model_file {
            None => Ok(ModelFile::default()),
            Some(path) => ModelFile::read(path),
        }
    }

    /// Refuses regimes by option that speak of what is not there.
    ///
    /// # Errors
    /// Names what is missing.
    pub fn check_regimes(&self, second_pool: bool, venue: bool) -> Result<()> {
        let any = |says: fn(&Weather) -> bool| {
            let mut regimes = self.regime.iter();
            regimes.any(|regime| says(&regime.0.weather))
        };
        ensure!(
            second_pool || !any(|weather| weather.other_depth != 1.0),
            misuse!(
                "--regime says how deep the second pool is, but there is none: --other-pool-fee-ppm is missing"
            )
        );
        ensure!(
            venue || !any(|weather| weather.funding_hour.is_some()),
            misuse!(
                "--regime says what funding is, but nothing is held at a perp venue: --perp-margin is missing"
            )
        );
        Ok(())
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
        let mut files: Vec<PathBuf> = self.model_file.iter().cloned().collect();
        files.extend(self.record.files());
        files
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
            misuse!("--jump-mean or --jump-sd is missing: jumps of size 0 are none")
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

    /// A model, for paths with these looks; a record is read for a purpose.
    ///
    /// # Errors
    /// What is wrong with its options.
    pub fn model(&self, name: ModelName, looks: Looks, purpose: Purpose) -> Result<AnyModel> {
        Ok(match name {
            ModelName::Gbm => AnyModel::Gbm(Gbm::new(self.gbm_sigma_day()?, self.drift_day)?),
            ModelName::Jumps => AnyModel::Jumps(self.jumps()?),
            ModelName::Regimes => AnyModel::Regimes(self.regimes()?),
            ModelName::Replay => {
                let bars = self.record.bars(purpose)?;
                within(&bars, looks)?;
                AnyModel::Bars(BarModel::Replay(bars))
            }
            ModelName::Bootstrap => AnyModel::Bars(BarModel::Bootstrap(
                self.record.bars(purpose)?,
                self.block_candles,
            )),
        })
    }
}

/// One of the models.
pub enum AnyModel {
    Gbm(Gbm),
    Jumps(Jumps),
    Regimes(Regimes),
    Bars(BarModel),
}

impl AnyModel {
    /// Whether it is a record that says what a pool's liquidity was paid.
    pub fn says_what_was_paid(&self) -> bool {
        match self {
            Self::Bars(BarModel::Replay(bars) | BarModel::Bootstrap(bars, _)) => {
                bars.says_what_was_paid()
            }
            _ => false,
        }
    }
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
        misuse!(
            "--horizon-days {} is longer than the record: it is {:.3} days",
            looks.days(),
            bars.days()
        )
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regimes() {
        let read = |text: &str| text.parse::<RegimeArg>().unwrap().0;
        let regime = read("8%:2");
        assert_eq!((regime.sigma_day, regime.days), (0.08, 2.0));
        assert_eq!(regime.weather, Weather::USUAL);
        let volume = Weather {
            volume: 3.0,
            ..Weather::USUAL
        };
        assert_eq!(read("0.1:0.5:3").weather, volume);
        let all = Weather {
            volume: 3.0,
            other_depth: 20.0,
            funding_hour: Some(-0.0005),
            ..Weather::USUAL
        };
        assert_eq!(read("8%:1:3:-0.05%:20").weather, all);
        let depth = Weather {
            other_depth: 20.0,
            ..Weather::USUAL
        };
        assert_eq!(read("8%:1:::20").weather, depth);
        for text in ["", "1", "1:2:3:4:5:6", "1:2:3:x", "1:2:-3", "a:1", "-1:1"] {
            assert_eq!(text.parse::<RegimeArg>(), Err(NoRegime(text.into())));
        }
    }
}
