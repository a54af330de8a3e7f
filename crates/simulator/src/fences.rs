//! Prices and times at which something may happen on a path, so that nobody has to be asked at any other.

use ballast_model::{
    Bps, Position, SqrtPrice,
    screen::{RiskInput, risk},
};

use crate::{Agent, Desk, FirstExit, Source, Units, WalkError, Watch, lag::Late, walk::Itinerary};

/// Debts grow: a quiet interval is relied on for as long as this at most.
const REVIEW_SECS: u64 = 86_400;
/// Boundaries in floating point are moved inwards by this, in the logarithm of the price: beyond it whole units decide.
const MARGIN: f64 = 1e-6;

/// Prices at which a position is surely below an LTV: a little less than all of them.
fn surely_below(position: &Position, at: SqrtPrice, ltv: Bps, units: Units) -> Watch {
    // Raw units: the logarithm of the price is off by a constant.
    let report = risk(&RiskInput::<f64>::new(position, at, ltv));
    if !report.solvable {
        return Watch::NOTHING;
    }
    let scale = (units.base_scale() / units.quote_scale()).ln();
    let log = |price: f64| price.ln() + scale;
    Watch {
        lower: report
            .lower
            .map_or(f64::NEG_INFINITY, |price| log(price) + MARGIN),
        upper: report
            .upper
            .map_or(f64::INFINITY, |price| log(price) - MARGIN),
    }
}

/// Prices within which nothing happens, each for its own reason.
pub(crate) struct Fences {
    /// All of them together.
    all: Watch,
    watch: Watch,
    margin: Watch,
    agent: Watch,
    pub first_exit: Option<FirstExit>,
    pub liquidatable_secs: Option<u64>,
    /// The step at which intervals have to be made anew, because debts have grown.
    review: u64,
    /// How the agent lags behind the price; `None`: not at all.
    late: Option<Late>,
    /// The price that it sees.
    seen: f64,
    /// Variance of the present step, and its length in days.
    variance: (f64, f64),
}

impl Fences {
    pub fn new(
        itinerary: &Itinerary<'_>,
        number: u64,
        desk: &Desk<'_>,
        agent: &dyn Agent,
    ) -> Result<Self, WalkError> {
        let price = itinerary.terms.units.log_price(itinerary.terms.at);
        let late = itinerary.lag.map(|lag| {
            let rng = itinerary.streams.of(number, Source::Keepers);
            Late::new(lag, rng, itinerary.looks.step_secs(), price)
        });
        let mut fences = Self {
            all: Watch::EVERYTHING,
            watch: itinerary.watch,
            margin: Watch::EVERYTHING,
            agent: Watch::EVERYTHING,
            first_exit: None,
            liquidatable_secs: None,
            review: 0,
            late,
            seen: price,
            variance: (0.0, 1.0),
        };
        fences.draw(itinerary, desk, agent, 0)?;
        Ok(fences)
    }

    /// The price moves, and with it what the agent sees.
    pub fn pass(&mut self, log_price: f64, variance: (f64, f64)) {
        self.seen = match &mut self.late {
            None => log_price,
            Some(late) => late.pass(log_price),
        };
        self.variance = variance;
    }

    /// The price that the agent sees, and how old it is.
    pub fn seen(&self) -> (f64, u64) {
        (self.seen, self.late.as_ref().map_or(0, Late::age_secs))
    }

    /// Whether something may have happened at a look.
    pub fn is_reached(&self, index: u64, log_price: f64) -> bool {
        let reached = match &self.late {
            None => self.all.is_reached(log_price),
            Some(late) => {
                self.watch.and(self.margin).is_reached(log_price)
                    || self.agent.is_reached(self.seen)
                    || late.is_due(index)
            }
        };
        reached || index == self.review
    }

    /// Asks everybody anew, after step `index`.
    fn draw(
        &mut self,
        itinerary: &Itinerary<'_>,
        desk: &Desk<'_>,
        agent: &dyn Agent,
        index: u64,
    ) -> Result<(), WalkError> {
        let units = itinerary.terms.units;
        let last = itinerary.looks.count();
        self.review = if itinerary.terms.interest.is_none() {
            last
        } else {
            let steps = (REVIEW_SECS as f64 / (itinerary.looks.step_days() * 86_400.0)).ceil();
            (index + (steps as u64).max(1)).min(last)
        };
        let until = itinerary.looks.secs(self.review);
        let quiet = agent.quiet(desk, until)?;
        self.agent = Watch::ends(quiet.prices, units);
        if let Some(secs) = quiet.until_secs {
            self.review = itinerary
                .looks
                .at_or_after(secs)
                .clamp(index + 1, self.review.max(index + 1));
        }
        if self.liquidatable_secs.is_none() || itinerary.liquidators.is_some() {
            let grown = desk.grown_until(until)?;
            self.margin = surely_below(&grown, itinerary.terms.at, itinerary.maintenance, units);
        }
        self.join();
        Ok(())
    }

    fn join(&mut self) {
        self.all = self.watch.and(self.margin).and(self.agent);
    }

    /// A look at which something may have happened.
    pub fn attend(
        &mut self,
        itinerary: &Itinerary<'_>,
        desk: &mut Desk<'_>,
        agent: &mut dyn Agent,
        index: u64,
        price: f64,
    ) -> Result<(), WalkError> {
        let secs = itinerary.looks.secs(index);
        if self.watch.is_reached(price) {
            self.first_exit = Some(FirstExit {
                below: price <= self.watch.lower,
                secs,
            });
            self.watch = Watch::EVERYTHING;
        }
        let mut changed = false;
        if self.margin.is_reached(price) {
            let at = itinerary.terms.units.sqrt_price(price);
            // Fees that were not collected do not count, as on chain.
            if desk
                .grown_until(secs)?
                .value(at)?
                .ltv_at_least(itinerary.maintenance)
            {
                self.liquidatable_secs.get_or_insert(secs);
                self.margin = Watch::EVERYTHING;
                if let Some(liquidators) = itinerary.liquidators {
                    desk.settle(secs, price)?;
                    changed = desk.liquidate(liquidators)?;
                }
            }
        }
        let reviewed = index == self.review;
        let due = self.late.as_ref().is_some_and(|late| late.is_due(index));
        if !(self.agent.is_reached(self.seen) || reviewed || changed || due) {
            self.join();
            return Ok(());
        }
        let lands = match &mut self.late {
            None => true,
            Some(late) => {
                desk.shows(self.seen, late.age_secs());
                let (variance, days) = self.variance;
                late.lands(index, (variance / days).sqrt())
            }
        };
        let before = *desk.acts();
        if lands || reviewed || changed {
            desk.settle(secs, price)?;
        }
        if lands {
            agent.act(desk)?;
        }
        if reviewed || changed || *desk.acts() != before {
            self.draw(itinerary, desk, agent, index)
        } else {
            self.join();
            Ok(())
        }
    }
}
