//! Who looks after a position.

use ballast_ledger::HedgeTerms;
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

    /// Whether it wants to know every price: [`Agent::pass`].
    fn watches_prices(&self) -> bool;

    /// A price at a look, of which its quiet interval says nothing: the pool's tick, so many seconds after the start. It is told before
    /// anything is done at that look.
    fn pass(&mut self, secs: u64, tick: i32);

    /// A look at another time, or the landing of what it has sent. Everything is settled up to now; it may do something, or nothing.
    ///
    /// # Errors
    /// [`WalkError`].
    fn act(&mut self, desk: &mut Desk<'_>) -> Result<(), WalkError>;
}

/// The agents that are built in. Those that hedge wait while the oracle is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Nobody acts.
    Hold,
    /// The hedge is made exact at every look, for nothing and at any LTV: the limit of hedging.
    Continuous {
        /// Base debt over the pool's base.
        hedge: Bps,
    },
    /// The hedge is made exact when it has left its band, as a keeper's rehedge does. It is all that a keeper does of its own: nothing
    /// is deleveraged, recentered or compounded, and nothing waits.
    Band {
        /// When, and to which hedge.
        band: HedgeBand,
        /// What the trade costs, in millionths of what is paid in.
        cost_ppm: u32,
        /// LTV above which a rehedge leaves no position: liquidity is withdrawn. [`Baseline::ANY_LTV`]: at any.
        most_ltv: Bps,
    },
}

impl Baseline {
    /// The highest LTV that there can be a hedge at: no liquidity is withdrawn for a lower one.
    pub const ANY_LTV: Bps = Bps::new(9_999);
}

/// A swap may lose so much beyond its fee, for units that round.
const ROUNDING_BPS: u32 = 100;

/// To a hedge, whatever its trade loses.
fn rehedge(hedge: Bps, cost_ppm: u32, most_ltv: Bps) -> HedgeTerms {
    // The fee is a part of what is paid in: of what that buys it is a larger one.
    let left = 1_000_000u32.saturating_sub(cost_ppm).max(1);
    let loss_bps = u64::from(cost_ppm) * 10_000 / u64::from(left);
    HedgeTerms {
        hedge,
        target: most_ltv.min(Baseline::ANY_LTV),
        loss: Bps::ZERO,
        max_loss: Bps::new(
            u32::try_from(loss_bps)
                .unwrap_or(u32::MAX)
                .saturating_add(ROUNDING_BPS),
        ),
        newer: None,
    }
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

    fn watches_prices(&self) -> bool {
        false
    }

    fn pass(&mut self, _secs: u64, _tick: i32) {}

    fn act(&mut self, desk: &mut Desk<'_>) -> Result<(), WalkError> {
        if desk.oracle_is_silent() {
            return Ok(());
        }
        match *self {
            Self::Hold => Ok(()),
            Self::Continuous { hedge } => {
                if desk.hedge_error(hedge)? != 0 {
                    desk.rehedge(desk.oracle(), &rehedge(hedge, 0, Self::ANY_LTV), 0)?;
                }
                Ok(())
            }
            Self::Band {
                band,
                cost_ppm,
                most_ltv,
            } => {
                if desk.hedge_error(band.hedge)?.unsigned_abs()
                    < u128::from(band.tolerance_down(desk.position())?)
                {
                    return Ok(());
                }
                let terms = rehedge(band.hedge, cost_ppm, most_ltv);
                desk.rehedge(desk.oracle(), &terms, cost_ppm)?;
                Ok(())
            }
        }
    }
}
