//! What is simulated: a position, the terms it lives under, and when it is looked at.

use std::sync::Arc;

use ballast_model::{
    Amounts, Band, Bps, ModelError, OpenRequest, Position, SqrtPrice,
    lending::{SECONDS_PER_YEAR, growth_x64_up},
    plan_open,
};

use crate::{
    FeedTerms, PerpTerms, ReserveTerms, SimulationError, TickDepth, Units, error::at_least,
    fees::FeeTerms, ticks::AdaptiveTerms,
};

const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
const SECS_PER_DAY: f64 = 86_400.0;

/// What is opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening {
    /// Decimals of the tokens.
    pub units: Units,
    /// Price at the start.
    pub at: SqrtPrice,
    /// Range of the liquidity.
    pub band: Band,
    /// Own funds, raw units of the quote token.
    pub own_quote: u64,
    /// Assets over own funds.
    pub leverage: Bps,
    /// Part of the pool's base that is borrowed.
    pub hedge: Bps,
}

/// Yearly rates at which debts grow, continuously as on chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Of the base debt, Q64.64.
    pub base_rate_x64: u128,
    /// Of the quote debt, Q64.64.
    pub quote_rate_x64: u128,
}

impl Interest {
    /// From rates like 0.1 a year.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn new(base_apr: f64, quote_apr: f64) -> Result<Self, SimulationError> {
        let rate = |name, apr: f64| {
            at_least(name, apr, 0.0, "must be 0 or more")?;
            Ok::<_, SimulationError>((apr * TWO_POW_64) as u128)
        };
        Ok(Self {
            base_rate_x64: rate("base rate", base_apr)?,
            quote_rate_x64: rate("quote rate", quote_apr)?,
        })
    }

    /// Whether debts grow at all.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// The terms that all paths share.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Decimals of the tokens.
    pub units: Units,
    /// The position right after opening.
    pub opened: Position,
    /// Price at the start.
    pub at: SqrtPrice,
    /// Own funds, raw units of the quote token.
    pub own_quote: u64,
    /// What trading in the pool pays; `None`: nothing is counted.
    pub fees: Option<FeeTerms>,
    /// What debts cost; of a reserve that moves, what they cost at its mean utilisation.
    pub interest: Interest,
    /// The base and the quote reserve, where they move; `None`: its rate stays, and it lends whatever is asked for.
    pub reserves: [Option<ReserveTerms>; 2],
    /// The price feed; `None`: every price is published at once, and nobody is in doubt about it.
    pub feed: Option<FeedTerms>,
    /// What an action costs its owner beside its trade, raw units of the quote token.
    pub action_cost: u64,
    /// Liquidity of others that the position's own trades meet around the price, in the pool's unit; `None`: more than they could move.
    pub depth: Option<u128>,
    /// The same by tick, in place of it and of what takers' fees are shared with.
    pub tick_depth: Option<Arc<TickDepth>>,
    /// What the pool's fee is beside its fixed part; `None`: nothing.
    pub adaptive_fee: Option<AdaptiveTerms>,
    /// The short that is held beside the position; `None`: none.
    pub perp: Option<PerpTerms>,
}

impl Terms {
    /// The liquidity that a trade at this price meets first.
    pub(crate) fn liquidity_at(&self, price: SqrtPrice) -> u128 {
        match &self.tick_depth {
            Some(depth) => depth.liquidity_at(price),
            None => self.depth.unwrap_or_else(|| u64::MAX.into()),
        }
    }

    /// Sizes the position as the program would.
    ///
    /// # Errors
    /// [`SimulationError`]: no such position, or terms that make no sense.
    pub fn new(
        opening: &Opening,
        fees: Option<FeeTerms>,
        interest: Interest,
    ) -> Result<Self, SimulationError> {
        if let Some(fees) = &fees {
            fees.check()?;
        }
        let plan = plan_open(OpenRequest {
            own: Amounts::new(0, opening.own_quote),
            leverage: opening.leverage,
            hedge: opening.hedge,
            band: opening.band,
            at: opening.at,
        })?;
        let terms = Self {
            units: opening.units,
            opened: plan.position(opening.band),
            at: opening.at,
            own_quote: opening.own_quote,
            fees,
            interest,
            reserves: [None; 2],
            feed: None,
            action_cost: 0,
            depth: None,
            tick_depth: None,
            adaptive_fee: None,
            perp: None,
        };
        // So that no path is the first to find out.
        terms.opened.equity_down(terms.at)?;
        Ok(terms)
    }

    /// The same, where every action costs so many raw units of the quote token: the transaction, and what its keeper is paid.
    #[must_use]
    pub fn with_action_cost(self, action_cost: u64) -> Self {
        Self {
            action_cost,
            ..self
        }
    }

    /// The same, where the position's own trades move the pool's price as they do along so much liquidity, and it is brought back
    /// before the next ones.
    #[must_use]
    pub fn with_depth(self, depth: Option<u128>) -> Self {
        Self { depth, ..self }
    }

    /// The same, with the liquidity of others by tick: takers' fees are shared with what lies where the price is, and the position's own
    /// trades go through it.
    #[must_use]
    pub fn with_tick_depth(self, depth: Option<Arc<TickDepth>>) -> Self {
        Self {
            tick_depth: depth,
            ..self
        }
    }

    /// The same, where the pool's fee rises with what its price has moved lately: [`FeeTerms::fee`] is its fixed part.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn with_adaptive_fee(self, adaptive: AdaptiveTerms) -> Result<Self, SimulationError> {
        adaptive.check()?;
        Ok(Self {
            adaptive_fee: Some(adaptive),
            ..self
        })
    }

    /// The same, with a base and a quote reserve that move. What debts cost follows from them.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn with_reserves(
        mut self,
        reserves: [Option<ReserveTerms>; 2],
    ) -> Result<Self, SimulationError> {
        let interest = &mut self.interest;
        let rates = [&mut interest.base_rate_x64, &mut interest.quote_rate_x64];
        for (terms, rate) in reserves.iter().zip(rates) {
            if let Some(terms) = terms {
                terms.check()?;
                *rate = terms.rate_x64(terms.utilisation.mean);
            }
        }
        Ok(Self { reserves, ..self })
    }

    /// The same, with a price feed that is not perfect.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn with_feed(self, feed: FeedTerms) -> Result<Self, SimulationError> {
        feed.check()?;
        Ok(Self {
            feed: Some(feed),
            ..self
        })
    }

    /// Whether the reserves move.
    pub(crate) fn has_moving_rates(&self) -> bool {
        self.reserves.iter().any(Option::is_some)
    }

    /// The same, with a short at a perp venue beside it.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn with_perp(self, perp: PerpTerms) -> Result<Self, SimulationError> {
        perp.check()?;
        Ok(Self {
            perp: Some(perp),
            ..self
        })
    }

    /// All that was brought along, raw units of the quote token: own funds, and what is put up at the venue.
    pub fn funds(&self) -> i128 {
        let margin = self.perp.as_ref().map_or(0, |perp| perp.margin);
        i128::from(self.own_quote) + i128::from(margin)
    }

    /// The position as opened, with what its debts come to by the last look.
    ///
    /// # Errors
    /// [`ModelError::Overflow`] if a debt exceeds 64 bits.
    pub fn grown(&self, looks: Looks) -> Result<Position, ModelError> {
        let growth = |rate_x64| growth_x64_up(rate_x64, looks.horizon_secs);
        self.opened.grown(
            growth(self.interest.base_rate_x64),
            growth(self.interest.quote_rate_x64),
        )
    }

    /// What opening lost to whole units, as a gain.
    pub(crate) fn opening_loss(&self) -> Result<i128, ModelError> {
        Ok(self.opened.equity_down(self.at)? - i128::from(self.own_quote))
    }
}

/// When a path is looked at: after every step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Looks {
    horizon_secs: u64,
    step_secs: u64,
}

impl Looks {
    /// Every `step_secs` until `horizon_days` are over, and then.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn new(horizon_days: f64, step_secs: u64) -> Result<Self, SimulationError> {
        let positive = "must be greater than 0";
        at_least("seconds per step", step_secs as f64, 1.0, positive)?;
        let horizon_secs = horizon_days * SECS_PER_DAY;
        at_least(
            "horizon in days",
            horizon_days,
            0.5 / SECS_PER_DAY,
            positive,
        )?;
        if horizon_secs > SECONDS_PER_YEAR as f64 * 1_000.0 {
            return Err(SimulationError::Parameter {
                name: "horizon in days",
                value: horizon_days,
                problem: "must be at most a thousand years",
            });
        }
        Ok(Self {
            horizon_secs: horizon_secs.round() as u64,
            step_secs,
        })
    }

    /// Number of steps; the last one may be shorter.
    pub fn count(self) -> u64 {
        self.horizon_secs.div_ceil(self.step_secs)
    }

    /// Seconds from the start to the end of step `index`, counted from 1.
    pub fn secs(self, index: u64) -> u64 {
        (index * self.step_secs).min(self.horizon_secs)
    }

    /// The first look at or after a time in seconds; at most the last one.
    pub(crate) fn at_or_after(self, secs: u64) -> u64 {
        secs.div_ceil(self.step_secs).min(self.count())
    }

    /// Seconds of a step.
    pub(crate) fn step_secs(self) -> u64 {
        self.step_secs
    }

    /// The whole time in days.
    pub fn days(self) -> f64 {
        self.horizon_secs as f64 / SECS_PER_DAY
    }

    /// A step in days.
    pub fn step_days(self) -> f64 {
        self.step_secs.min(self.horizon_secs) as f64 / SECS_PER_DAY
    }

    /// The last step in days.
    pub(crate) fn last_step_days(self) -> f64 {
        (self.horizon_secs - self.secs(self.count() - 1)) as f64 / SECS_PER_DAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_may_be_shorter() {
        let looks = Looks::new(1.0, 50_000).unwrap();
        assert_eq!(
            (looks.count(), looks.secs(1), looks.secs(2)),
            (2, 50_000, 86_400)
        );
        assert_eq!(looks.last_step_days(), 36_400.0 / 86_400.0);
        let even = Looks::new(7.0, 60).unwrap();
        assert_eq!(
            (even.count(), even.last_step_days()),
            (10_080, even.step_days())
        );
        let short = Looks::new(0.001, 60_000).unwrap();
        assert_eq!((short.count(), short.secs(1)), (1, 86));
        assert_eq!(short.step_days(), short.days());
    }

    #[test]
    fn times_that_make_no_sense_are_refused() {
        for (days, secs, said) in [
            (1.0, 0, "seconds per step 0 must be greater than 0"),
            (0.0, 60, "horizon in days 0 must be greater than 0"),
            (f64::NAN, 60, "horizon in days NaN must be greater than 0"),
            (
                1e9,
                60,
                "horizon in days 1000000000 must be at most a thousand years",
            ),
        ] {
            assert_eq!(Looks::new(days, secs).unwrap_err().to_string(), said);
        }
    }
}
