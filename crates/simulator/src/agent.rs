//! Who looks after a position.

use ballast_model::{
    Boundaries, Bps,
    quiet::{HedgeBand, Triggers, quiet_interval},
};

use crate::{Desk, WalkError};

/// When an agent has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Prices strictly between which that is so,
    pub prices: Boundaries,
    /// until then, in seconds after the start; `None`: as long as it was asked for.
    pub until_secs: Option<u64>,
}

impl From<Boundaries> for Quiet {
    fn from(prices: Boundaries) -> Self {
        Self {
            prices,
            until_secs: None,
        }
    }
}

/// Somebody who looks after a position. Between two looks it sees nothing; while the price stays in its quiet interval it is
/// not even asked.
pub trait Agent {
    /// When it does nothing before `until_secs`, if nobody else acts. Everything is settled up to now.
    ///
    /// # Errors
    /// [`WalkError`].
    fn quiet(&self, desk: &Desk<'_>, until_secs: u64) -> Result<Quiet, WalkError>;

    /// Whether it wants to know what the pool pays: [`Desk::fee_growth`].
    fn watches_fees(&self) -> bool;

    /// A look at another time. Everything is settled up to now; it may do something, or nothing.
    ///
    /// # Errors
    /// [`WalkError`].
    fn act(&mut self, desk: &mut Desk<'_>) -> Result<(), WalkError>;
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
    fn quiet(&self, desk: &Desk<'_>, until_secs: u64) -> Result<Quiet, WalkError> {
        match *self {
            Self::Hold => Ok(Boundaries::ALL.into()),
            Self::Continuous { .. } => Ok(Boundaries::Empty.into()),
            Self::Band { band, .. } => {
                let triggers = Triggers {
                    hedge: Some(band),
                    ..Triggers::default()
                };
                // The debt grows: what is quiet now and then is quiet in between.
                let then = quiet_interval(&desk.grown_until(until_secs)?, &triggers)?;
                Ok(quiet_interval(desk.position(), &triggers)?
                    .intersection(then)
                    .into())
            }
        }
    }

    fn watches_fees(&self) -> bool {
        false
    }

    fn act(&mut self, desk: &mut Desk<'_>) -> Result<(), WalkError> {
        match *self {
            Self::Hold => Ok(()),
            Self::Continuous { hedge } => Ok(desk.rehedge(hedge, 0)?),
            Self::Band { band, cost_ppm } => {
                if desk.hedge_error(band.hedge)?.unsigned_abs()
                    < u128::from(band.tolerance_down(desk.position())?)
                {
                    return Ok(());
                }
                Ok(desk.rehedge(band.hedge, cost_ppm)?)
            }
        }
    }
}
