//! Who looks after a position.

use ballast_model::{
    Boundaries, Bps, ModelError,
    quiet::{HedgeBand, Triggers, quiet_interval},
};

use crate::Desk;

/// Somebody who looks after a position. Between two looks it sees nothing; while the price stays in its quiet interval it is
/// not even asked.
pub trait Agent {
    /// Prices strictly between which it does nothing before `until_secs`, if nobody else acts.
    ///
    /// # Errors
    /// [`ModelError`].
    fn quiet(&self, desk: &Desk<'_>, until_secs: u64) -> Result<Boundaries, ModelError>;

    /// A look outside of them. Everything is settled up to now; it may do something, or nothing.
    ///
    /// # Errors
    /// [`ModelError`].
    fn act(&mut self, desk: &mut Desk<'_>) -> Result<(), ModelError>;
}

/// The agents that are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Nobody acts.
    Hold,
    /// The hedge is made exact at every look, for nothing: the limit of hedging.
    Continuous {
        /// Base debt over the pool's base.
        hedge: Bps,
    },
    /// The hedge is made exact when it has left its band.
    Band {
        /// When, and to which hedge.
        band: HedgeBand,
        /// What the trade costs, in millionths of its value.
        cost_ppm: u32,
    },
}

impl Agent for Baseline {
    fn quiet(&self, desk: &Desk<'_>, until_secs: u64) -> Result<Boundaries, ModelError> {
        match *self {
            Self::Hold => Ok(Boundaries::ALL),
            Self::Continuous { .. } => Ok(Boundaries::Empty),
            Self::Band { band, .. } => {
                let triggers = Triggers {
                    hedge: Some(band),
                    ..Triggers::default()
                };
                quiet_interval(&desk.grown_until(until_secs)?, &triggers)
            }
        }
    }

    fn act(&mut self, desk: &mut Desk<'_>) -> Result<(), ModelError> {
        match *self {
            Self::Hold => Ok(()),
            Self::Continuous { hedge } => desk.rehedge(hedge, 0),
            Self::Band { band, cost_ppm } => {
                if desk.hedge_error(band.hedge)?.unsigned_abs()
                    < u128::from(band.tolerance_down(desk.position())?)
                {
                    return Ok(());
                }
                desk.rehedge(band.hedge, cost_ppm)
            }
        }
    }
}
