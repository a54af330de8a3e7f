//! A short at a perp venue, by options.

use anyhow::Result;
use ballast_simulator::{PerpShock, PerpTerms, Units};
use clap::Args;

use super::model_file::ModelFile;
use crate::decimal::{Positive, Ratio, signed};

/// Options of the short that is held beside the position.
#[derive(Args, Debug)]
pub struct PerpArgs {
    /// Put so much of the quote token up at a perp venue, beside --equity, and hold a short there for what delta the position has;
    /// without it there is none
    #[arg(long, value_name = "QUOTE")]
    pub perp_margin: Option<Positive>,
    /// How far the short may be from that delta, as a part of all the base that the position can hold, before it follows
    #[arg(long, default_value = "10%", requires = "perp_margin")]
    pub perp_band: Ratio,
    /// Part of its value at which the venue closes the short for want of margin
    #[arg(long, default_value = "5%", requires = "perp_margin")]
    pub perp_maintenance: Ratio,
    /// The venue's fee, in millionths of what is traded
    #[arg(
        long,
        default_value_t = 450,
        value_parser = clap::value_parser!(u32).range(..100_000),
        requires = "perp_margin"
    )]
    pub perp_fee_ppm: u32,
    /// Seconds from an order to its fill, at the next look after that; 0: at once
    #[arg(long, default_value_t = 0, requires = "perp_margin")]
    pub perp_fill_secs: u64,
    /// What longs pay shorts an hour, as a part of notional, like 0.00125%; negative: shorts pay. By default as --model-file says,
    /// or that. A regime may have its own
    #[arg(
        long,
        value_name = "RATIO",
        allow_hyphen_values = true,
        value_parser = signed,
        requires = "perp_margin"
    )]
    pub funding_hour: Option<f64>,
}

impl PerpArgs {
    /// As the simulator takes them; `None`: there is no such venue.
    ///
    /// # Errors
    /// Ratios and amounts that are none.
    pub fn terms(&self, units: Units, file: &ModelFile) -> Result<Option<PerpTerms>> {
        let Some(margin) = &self.perp_margin else {
            return Ok(None);
        };
        let usual = PerpShock::default();
        let from_file = file.perp.map(|perp| perp.funding_hour.value);
        let (margin, _) = margin.raw_down(units.quote_decimals)?;
        Ok(Some(PerpTerms {
            venue: PerpShock {
                funding_hour: self
                    .funding_hour
                    .or(from_file)
                    .unwrap_or(usual.funding_hour),
                fill_latency_secs: self.perp_fill_secs,
                fee: f64::from(self.perp_fee_ppm) / 1e6,
                ..usual
            },
            margin,
            maintenance: self.perp_maintenance.f64(),
            band: self.perp_band.bps_down()?,
        }))
    }
}
