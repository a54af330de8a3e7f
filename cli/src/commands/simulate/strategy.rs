//! Who acts, by name.

use std::str::FromStr;

use ballast_model::{Bps, quiet::HedgeBand};
use ballast_simulator::Baseline;
use thiserror::Error;

use crate::decimal::Ratio;

/// What `--strategy` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Hold,
    Unhedged,
    Continuous,
    /// The hedge is made exact where it has left this band.
    Band(Bps),
}

/// No such strategy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no strategy: write hold, unhedged, continuous, or band: and a part like 30%")]
pub struct UnknownStrategy(String);

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        let unknown = || UnknownStrategy(text.to_owned());
        match text {
            "hold" | "static" => Ok(Self::Hold),
            "unhedged" => Ok(Self::Unhedged),
            "continuous" => Ok(Self::Continuous),
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
    pub fn opening_hedge(self, asked: Bps) -> Bps {
        match self {
            Self::Unhedged => Bps::new(0),
            _ => asked,
        }
    }

    /// Whether the position stays as it was opened.
    pub fn keeps_position(self) -> bool {
        matches!(self, Self::Hold | Self::Unhedged)
    }

    /// Who acts.
    pub fn agent(self, hedge: Bps, cost_ppm: u32) -> Baseline {
        match self {
            Self::Hold | Self::Unhedged => Baseline::Hold,
            Self::Continuous => Baseline::Continuous { hedge },
            Self::Band(band) => Baseline::Band {
                band: HedgeBand { hedge, band },
                cost_ppm,
            },
        }
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
        for text in ["", "Hold", "band", "band:", "band:x", "band:0", "keeper"] {
            assert_eq!(named(text), Err(UnknownStrategy(text.into())), "{text}");
        }
    }
}
