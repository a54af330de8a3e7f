//! Who acts, by name.

use std::{fmt, path::PathBuf, str::FromStr};

use ballast_model::{Bps, quiet::HedgeBand};
use ballast_simulator::{Agent, Baseline, Desk, Keeper, Quiet, WalkError};
use thiserror::Error;

use crate::decimal::Ratio;

/// What `--strategy` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    Hold,
    Unhedged,
    Continuous,
    /// The hedge is made exact where it has left this band.
    Band(Bps),
    /// The keeper's own strategy, as this file says; without one everything is as by default.
    Keeper(Option<PathBuf>),
}

/// How the name of a keeper's configuration ends.
const FILE: &str = ".toml";

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold => f.write_str("hold"),
            Self::Unhedged => f.write_str("unhedged"),
            Self::Continuous => f.write_str("continuous"),
            Self::Band(band) => write!(f, "band:{}%", f64::from(band.get()) / 100.0),
            Self::Keeper(None) => f.write_str("keeper"),
            Self::Keeper(Some(path)) => write!(f, "keeper:{}", path.display()),
        }
    }
}

/// Somebody who acts.
#[derive(Clone, Debug)]
pub enum AnyAgent {
    Baseline(Baseline),
    Keeper(Box<Keeper>),
}

impl Agent for AnyAgent {
    fn quiet(&self, desk: &Desk<'_>, until_secs: u64) -> Result<Quiet, WalkError> {
        match self {
            Self::Baseline(agent) => agent.quiet(desk, until_secs),
            Self::Keeper(agent) => agent.quiet(desk, until_secs),
        }
    }

    fn watches_fees(&self) -> bool {
        match self {
            Self::Baseline(agent) => agent.watches_fees(),
            Self::Keeper(agent) => agent.watches_fees(),
        }
    }

    fn watches_prices(&self) -> bool {
        match self {
            Self::Baseline(agent) => agent.watches_prices(),
            Self::Keeper(agent) => agent.watches_prices(),
        }
    }

    fn pass(&mut self, secs: u64, tick: i32) {
        match self {
            Self::Baseline(agent) => agent.pass(secs, tick),
            Self::Keeper(agent) => agent.pass(secs, tick),
        }
    }

    fn act(&mut self, desk: &mut Desk<'_>) -> Result<(), WalkError> {
        match self {
            Self::Baseline(agent) => agent.act(desk),
            Self::Keeper(agent) => agent.act(desk),
        }
    }
}

/// No such strategy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no strategy: write hold, unhedged, continuous, band: and a part like 30%, keeper, keeper: and a file, or a file that ends in .toml"
)]
pub struct UnknownStrategy(String);

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        let unknown = || UnknownStrategy(text.to_owned());
        match text {
            "hold" | "static" => Ok(Self::Hold),
            "unhedged" => Ok(Self::Unhedged),
            "continuous" => Ok(Self::Continuous),
            "keeper" => Ok(Self::Keeper(None)),
            _ if text
                .strip_prefix("keeper:")
                .is_some_and(|file| !file.is_empty()) =>
            {
                Ok(Self::Keeper(Some(
                    text.trim_start_matches("keeper:").into(),
                )))
            }
            _ if text.len() > FILE.len() && text.ends_with(FILE) => {
                Ok(Self::Keeper(Some(text.into())))
            }
            _ => {
                let part: Ratio = text
                    .strip_prefix("band:")
                    .and_then(|part| part.parse().ok())
                    .ok_or_else(unknown)?;
                let band = part.bps_down().map_err(|_| unknown())?;
                // Nothing is ever within a band of nothing.
                if band == Bps::new(0) {
                    return Err(unknown());
                }
                Ok(Self::Band(band))
            }
        }
    }
}

impl Strategy {
    /// The hedge that the position is opened with.
    pub fn opening_hedge(&self, asked: Bps) -> Bps {
        match self {
            Self::Unhedged => Bps::new(0),
            _ => asked,
        }
    }

    /// The file that says what its keeper does.
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Keeper(file) => file.as_ref(),
            _ => None,
        }
    }

    /// Who acts, if that takes no file.
    pub fn baseline(&self, hedge: Bps, cost_ppm: u32, most_ltv: Bps) -> Option<Baseline> {
        Some(match self {
            Self::Hold | Self::Unhedged => Baseline::Hold,
            Self::Continuous => Baseline::Continuous { hedge },
            Self::Band(band) => Baseline::Band {
                band: HedgeBand { hedge, band: *band },
                cost_ppm,
                most_ltv,
            },
            Self::Keeper(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let named = |text: &str| text.parse::<Strategy>();
        assert_eq!(named("hold"), Ok(Strategy::Hold));
        assert_eq!(named("static"), Ok(Strategy::Hold));
        assert_eq!(named("band:30%"), Ok(Strategy::Band(Bps::new(3_000))));
        assert_eq!(named("band:0.3"), named("band:30%"));
        assert_eq!(
            named("keeper:a.toml"),
            Ok(Strategy::Keeper(Some("a.toml".into())))
        );
        assert_eq!(named("keeper"), Ok(Strategy::Keeper(None)));
        assert_eq!(named("a.toml"), named("keeper:a.toml"));
        for text in [
            "hold",
            "unhedged",
            "continuous",
            "band:12.5%",
            "keeper",
            "keeper:a.toml",
        ] {
            assert_eq!(named(text).unwrap().to_string(), text);
        }
        for text in [
            "", ".toml", "Hold", "band", "band:", "band:x", "band:0", "keepers", "keeper:",
        ] {
            assert_eq!(named(text), Err(UnknownStrategy(text.into())), "{text}");
        }
    }
}
