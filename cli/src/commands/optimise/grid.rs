//! The settings that are tried: all combinations.

use std::fmt;

use anyhow::{Result, ensure};
use ballast_model::Bps;
use serde::Serialize;

use super::OptimiseArgs;
use crate::{
    commands::simulate::scenario::{ScenarioArgs, Shape},
    decimal::Ratio,
    trouble::misuse,
};

/// More settings are a mistake.
const MOST_SETTINGS: usize = 100_000;

/// One combination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Width of the range.
    pub width: f64,
    pub leverage: Bps,
    pub hedge: Bps,
    /// Delta band.
    pub band: Bps,
    /// Which of the keepers acts; without any there is only one.
    pub keeper: usize,
}

/// The same, to be read.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// The keeper's file, if one acts.
    pub keeper: Option<String>,
    pub width: f64,
    pub lower: f64,
    pub upper: f64,
    pub leverage_bps: u32,
    pub hedge: f64,
    pub delta_band: f64,
}

impl Written {
    /// Assets over own funds.
    pub fn leverage(&self) -> f64 {
        f64::from(self.leverage_bps) / 1e4
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |bps: Bps| f64::from(bps.get()) / 100.0;
        write!(
            f,
            "keeper {}, width {}%, leverage {}, hedge {}%, delta band {}%",
            self.keeper + 1,
            self.width * 100.0,
            f64::from(self.leverage.get()) / 1e4,
            percent(self.hedge),
            percent(self.band)
        )
    }
}

impl Setting {
    /// The position.
    ///
    /// # Errors
    /// A price that a pool cannot have.
    pub fn shape(&self, scenario: &ScenarioArgs) -> Result<Shape> {
        let units = scenario.units();
        let middle = scenario.price.f64().ln();
        Ok(Shape {
            lower: units.sqrt_price(middle - self.width.ln_1p()),
            upper: units.sqrt_price(middle + self.width.ln_1p()),
            leverage: self.leverage,
            hedge: self.hedge,
            delta_band: Some(self.band),
        })
    }

    /// To be read.
    pub fn written(&self, args: &OptimiseArgs) -> Written {
        let price = args.scenario.price.f64();
        let file = args.keeper.get(self.keeper);
        let ratio = |bps: Bps| f64::from(bps.get()) / 1e4;
        Written {
            keeper: file.map(|file| file.display().to_string()),
            width: self.width,
            lower: price / (1.0 + self.width),
            upper: price * (1.0 + self.width),
            leverage_bps: self.leverage.get(),
            hedge: ratio(self.hedge),
            delta_band: ratio(self.band),
        }
    }
}

/// Every combination, in the order in which the values are given.
///
/// # Errors
/// Values that make no sense, or too many.
pub fn settings(args: &OptimiseArgs) -> Result<Vec<Setting>> {
    let bps = |all: &[Ratio]| -> Result<Vec<Bps>> {
        all.iter().map(|ratio| Ok(ratio.bps_down()?)).collect()
    };
    let (leverages, hedges, bands) = (bps(&args.leverages)?, bps(&args.hedges)?, bps(&args.bands)?);
    for hedge in &hedges {
        ensure!(
            *hedge <= Bps::ONE,
            misuse!("--hedges: at most 1, which borrows all of the pool's base")
        );
    }
    for band in &bands {
        ensure!(
            *band > Bps::new(0),
            misuse!("--bands: more than 0, for nothing is ever within a band of nothing")
        );
    }
    let widths: Vec<f64> = args.widths.iter().map(|width| width.f64()).collect();
    for width in &widths {
        ensure!(*width > 0.0, misuse!("--widths: more than 0"));
    }
    let keepers = args.keeper.len().max(1);
    let count = widths.len() * leverages.len() * hedges.len() * bands.len() * keepers;
    ensure!(
        count <= MOST_SETTINGS,
        misuse!("{count} combinations are too many: {MOST_SETTINGS} at most")
    );
    let mut all = Vec::with_capacity(count);
    for width in &widths {
        for leverage in &leverages {
            for hedge in &hedges {
                for band in &bands {
                    all.extend((0..keepers).map(|keeper| Setting {
                        width: *width,
                        leverage: *leverage,
                        hedge: *hedge,
                        band: *band,
                        keeper,
                    }));
                }
            }
        }
    }
    Ok(all)
}
