//! A short at a perp venue, by options.

use anyhow::Result;
use ballast_simulator::{BasisWalk, Deleveraging, PartAt, PerpShock, PerpTerms, Units};
use clap::Args;

use super::model_file::{BasisTable, ModelFile};
use crate::decimal::{Decimal, Positive, Ratio, signed};

/// Options of the short that is held beside the position.
#[derive(Args, Debug)]
pub struct PerpArgs {
    /// Put so much of the quote token up at a perp venue, beside --equity, and hold a short there for what delta the position has;
    /// without it there is none
    #[arg(long, value_name = "QUOTE")]
    pub perp_margin: Option<Positive>,
    #[command(flatten)]
    pub venue: PerpVenueArgs,
}

/// What the venue is like: options that say nothing without a short there.
#[derive(Args, Debug)]
#[group(requires = "perp_margin")]
pub struct PerpVenueArgs {
    /// How far the short may be from that delta, as a part of all the base that the position can hold, before it follows
    #[arg(long, default_value = "10%")]
    pub perp_band: Ratio,
    /// Part of its value at which the venue closes the short for want of margin
    #[arg(long, default_value = "5%")]
    pub perp_maintenance: Ratio,
    /// The venue's fee, in millionths of what is traded
    #[arg(
        long,
        default_value_t = 450,
        value_parser = clap::value_parser!(u32).range(..100_000)
    )]
    pub perp_fee_ppm: u32,
    /// Seconds from an order to its fill, at the next look after that; by default as --model-file says, or at once
    #[arg(long)]
    pub perp_fill_secs: Option<u64>,
    /// Standard deviation, in the long run, of the venue's price over the one outside, which comes back to its mean; by default as
    /// --model-file says, or 0
    #[arg(long, value_name = "RATIO")]
    pub perp_basis_sd: Option<Ratio>,
    /// Mean of the venue's price over the one outside, less 1: where it begins and comes back to
    #[arg(
        long,
        value_name = "RATIO",
        allow_hyphen_values = true,
        value_parser = signed
    )]
    pub perp_basis_mean: Option<f64>,
    /// Time in which half of the way back to that mean is done; by default as --model-file says, or 8
    #[arg(long, value_name = "HOURS")]
    pub perp_basis_half_life_hours: Option<Positive>,
    /// The venue takes a part of the short whenever its price has fallen by so much within so many hours, because others cannot pay, like
    /// 50%:10%:1; what is left of it follows the delta again
    #[arg(long, value_name = "PART:FALL:HOURS", value_parser = parse_deleveraging)]
    pub perp_adl: Option<Deleveraging>,
    /// The same on a day, whatever the price, like 50%:2; may be given several times
    #[arg(long, value_name = "PART:DAYS", value_parser = parse_part_at)]
    pub perp_adl_at: Vec<PartAt>,
    /// What longs pay shorts an hour, as a part of notional, like 0.00125%; negative: shorts pay. By default as --model-file says,
    /// or that. A regime may have its own
    #[arg(
        long,
        value_name = "RATIO",
        allow_hyphen_values = true,
        value_parser = signed
    )]
    pub funding_hour: Option<f64>,
}

/// Where neither an option nor a file says it.
const HALF_LIFE_HOURS: f64 = 8.0;
const HOUR_SECS: f64 = 3_600.0;
const DAY_SECS: f64 = 86_400.0;

fn parse_deleveraging(text: &str) -> Result<Deleveraging, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let read = |parts: &[&str]| {
        let [part, fall, hours] = parts else {
            return None;
        };
        let (part, fall): (Ratio, Ratio) = (part.parse().ok()?, fall.parse().ok()?);
        let hours: Positive = hours.parse().ok()?;
        Some(deleveraging(part.f64(), fall.f64(), hours.f64()))
    };
    read(&parts).ok_or_else(|| "write a part, a fall and hours, like 50%:10%:1".into())
}

fn deleveraging(part: f64, after_move: f64, hours: f64) -> Deleveraging {
    Deleveraging {
        after_move,
        // `as` saturates.
        within_secs: (hours * HOUR_SECS).round() as u64,
        part,
    }
}

fn parse_part_at(text: &str) -> Result<PartAt, String> {
    let read = text.split_once(':').and_then(|(part, days)| {
        let (part, days): (Ratio, Decimal) = (part.parse().ok()?, days.parse().ok()?);
        Some(PartAt {
            // `as` saturates.
            at_secs: (days.f64() * DAY_SECS).round() as u64,
            part: part.f64(),
        })
    });
    read.ok_or_else(|| "write a part and days, like 50%:2".into())
}

impl PerpVenueArgs {
    /// The basis, by options before the file; `None`: the venue's price is the one outside.
    fn basis(&self, file: Option<BasisTable>) -> Option<BasisWalk> {
        let mean = self.perp_basis_mean.or(file.map(|basis| basis.mean.value));
        let sd =
            (self.perp_basis_sd.as_ref().map(|sd| sd.f64())).or(file.map(|basis| basis.sd.value));
        if mean.is_none() && sd.is_none() {
            return None;
        }
        let half_life = self.perp_basis_half_life_hours.as_ref();
        Some(BasisWalk {
            mean: mean.unwrap_or(0.0),
            sd: sd.unwrap_or(0.0),
            half_life_hours: half_life
                .map(|hours| hours.f64())
                .or(file.map(|basis| basis.half_life_hours.value))
                .unwrap_or(HALF_LIFE_HOURS),
        })
    }
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
        let venue = &self.venue;
        let usual = PerpShock::default();
        let file = file.perp;
        let from_file = file.and_then(|perp| perp.funding_hour);
        let fill_secs = file.and_then(|perp| perp.fill_secs);
        let taken = file.and_then(|perp| perp.auto_deleveraging);
        let taken = taken
            .map(|taken| deleveraging(taken.part.value, taken.after_move.value, taken.hours.value));
        let (margin, _) = margin.raw_down(units.quote_decimals)?;
        Ok(Some(PerpTerms {
            venue: PerpShock {
                funding_hour: venue
                    .funding_hour
                    .or(from_file.map(|funding| funding.value))
                    .unwrap_or(usual.funding_hour),
                fill_latency_secs: (venue.perp_fill_secs)
                    // `as` saturates.
                    .or(fill_secs.map(|secs| secs.value.round() as u64))
                    .unwrap_or(0),
                auto_deleveraging: venue.perp_adl_at.clone(),
                deleverages: venue.perp_adl.or(taken),
                basis_walk: venue.basis(file.and_then(|perp| perp.basis)),
                fee: f64::from(venue.perp_fee_ppm) / 1e6,
                ..usual
            },
            margin,
            maintenance: venue.perp_maintenance.f64(),
            band: venue.perp_band.bps_down()?,
        }))
    }
}
