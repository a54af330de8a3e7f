//! Prices and times at which something may happen on a path, so that nobody has to be asked at any other.

use ballast_model::{
    Bps, Position, SqrtPrice,
    screen::{RiskInput, risk},
};

use crate::{
    Agent, Desk, FirstExit, Source, Units, WalkError, Watch, feed::Feed, lag::Late, walk::Itinerary,
};

/// Debts grow: a quiet interval is relied on for as long as this at most,
const REVIEW_SECS: u64 = 86_400;
/// and where their rates move they are taken for what they may grow to in this time.
const MOVING_REVIEW_SECS: u64 = 3_600;
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

/// Time over which a jump is remembered, in days: as `crate::world` tells how much the market moves.
const JUMP_MEMORY_DAYS: f64 = 300.0 / 86_400.0;

/// How much the market moves, as keepers and the feed feel it: by what diffuses, and by the jumps of the last minutes.
#[derive(Clone, Copy, Debug)]
struct Moves {
    /// Variance of the present step, and its length in days.
    step: (f64, f64),
    /// What is left of the squares of jumps, a day.
    jumps_day: f64,
}

impl Moves {
    fn pass(&mut self, step: (f64, f64), jump: f64) {
        self.step = step;
        if self.jumps_day != 0.0 {
            self.jumps_day *= (-step.1 / JUMP_MEMORY_DAYS).exp();
        }
        // Over time it counts as what it is.
        self.jumps_day += jump * jump / JUMP_MEMORY_DAYS;
    }

    /// Standard deviation of a day's move.
    fn sigma_day(&self) -> f64 {
        let (variance, days) = self.step;
        (variance / days + self.jumps_day).sqrt()
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
    /// What of prices is published; `None`: all.
    feed: Option<Feed>,
    /// Whether the agent sees the price that is: neither is there.
    exact: bool,
    /// The price that it sees.
    seen: f64,
    moves: Moves,
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
        let feed = itinerary.terms.feed.map(|feed| {
            let rng = itinerary.streams.of(number, Source::Feed);
            Feed::new(feed, itinerary.looks, rng)
        });
        let mut fences = Self {
            all: Watch::EVERYTHING,
            watch: itinerary.watch,
            margin: Watch::EVERYTHING,
            agent: Watch::EVERYTHING,
            first_exit: None,
            liquidatable_secs: None,
            review: 0,
            exact: late.is_none() && feed.is_none(),
            late,
            feed,
            seen: price,
            moves: Moves {
                step: (0.0, 1.0),
                jumps_day: 0.0,
            },
        };
        fences.draw(itinerary, desk, agent, 0)?;
        Ok(fences)
    }

    /// The price moves, and with it what the agent sees: by a step's variance in so many days, and by a jump.
    pub fn pass(&mut self, index: u64, log_price: f64, step: (f64, f64), jump: f64) {
        if self.exact {
            self.seen = log_price;
        } else {
            self.moves.pass(step, jump);
            self.pass_late(index, log_price);
        }
    }

    fn pass_late(&mut self, index: u64, log_price: f64) {
        let comes = match &mut self.late {
            None => log_price,
            Some(late) => late.pass(log_price),
        };
        let published = match &mut self.feed {
            None => true,
            Some(feed) => feed.pass(index, self.moves.sigma_day()),
        };
        if published {
            self.seen = comes;
        }
    }

    /// The price that the agent sees, and how old it is.
    pub fn seen(&self) -> (f64, u64) {
        let late = self.late.as_ref().map_or(0, Late::age_secs);
        (
            self.seen,
            late + self.feed.as_ref().map_or(0, Feed::age_secs),
        )
    }

    /// Whether no new price was published at the last look.
    pub fn is_silent(&self) -> bool {
        self.feed.as_ref().is_some_and(Feed::is_silent)
    }

    /// How long no price was published so far, in seconds.
    pub fn silent_secs(&self) -> u64 {
        self.feed.as_ref().map_or(0, |feed| feed.silent_secs)
    }

    /// Whether something may have happened at a look.
    pub fn is_reached(&self, index: u64, log_price: f64) -> bool {
        let reached = if self.exact {
            self.all.is_reached(log_price)
        } else {
            self.watch.and(self.margin).is_reached(log_price)
                || self.agent.is_reached(self.seen)
                || self.late.as_ref().is_some_and(|late| late.is_due(index))
                || self.feed.as_ref().is_some_and(Feed::stirs)
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
        let terms = itinerary.terms;
        self.review = if terms.interest.is_none() && !terms.has_moving_rates() {
            last
        } else {
            let secs = if terms.has_moving_rates() {
                MOVING_REVIEW_SECS
            } else {
                REVIEW_SECS
            };
            let steps = (secs as f64 / (itinerary.looks.step_days() * 86_400.0)).ceil();
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
                let usable = self.feed.as_ref().is_none_or(Feed::lets_liquidate);
                match itinerary.liquidators {
                    // At such a price the program lets nobody: they are there at the next one.
                    Some(_) if !usable => {}
                    Some(liquidators) => {
                        self.margin = Watch::EVERYTHING;
                        desk.settle(secs, price)?;
                        changed = desk.liquidate(liquidators)?;
                    }
                    None => self.margin = Watch::EVERYTHING,
                }
            }
        }
        let due = self.late.as_ref().is_some_and(|late| late.is_due(index));
        let asked = self.agent.is_reached(self.seen) || index == self.review || changed || due;
        // Who waits for the feed has to be asked until he does not any more.
        let stirred = self
            .feed
            .as_ref()
            .is_some_and(|feed| feed.stirs() || self.agent == Watch::NOTHING);
        if !(asked || stirred) {
            self.join();
            return Ok(());
        }
        let reviewed = index == self.review || stirred;
        if !self.exact {
            let confidence_bps = self.feed.as_ref().map_or(0.0, Feed::confidence_bps);
            desk.shows(self.seen(), self.is_silent(), confidence_bps);
        }
        let lands = match &mut self.late {
            None => true,
            Some(late) => asked && late.lands(index, self.moves.sigma_day()),
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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: f64 = 1.0 / 1_440.0;

    /// Five minutes after a jump little of it is felt any more, and all of it together is what it has moved.
    #[test]
    fn a_jump_is_felt_for_minutes() {
        let mut moves = Moves {
            step: (0.0, 1.0),
            jumps_day: 0.0,
        };
        let calm = 0.05f64.powi(2) * MINUTE;
        moves.pass((calm, MINUTE), 0.0);
        let before = moves.sigma_day();
        assert!((before - 0.05).abs() < 1e-15);
        moves.pass((calm, MINUTE), -0.04);
        let mut felt = vec![moves.sigma_day()];
        let mut squares = moves.jumps_day * MINUTE;
        for _ in 0..60 {
            moves.pass((calm, MINUTE), 0.0);
            squares += moves.jumps_day * MINUTE;
            felt.push(moves.sigma_day());
        }
        assert!(felt.is_sorted_by(|a, b| a >= b));
        // 4 % in five minutes are 0.68 a day.
        assert!((felt[0] - 0.68).abs() < 0.01, "{}", felt[0]);
        assert!(
            (felt[5] / felt[0] - (-0.5f64).exp()).abs() < 0.01,
            "{felt:?}"
        );
        assert!(felt[60] < 0.051, "{}", felt[60]);
        // Looks each minute see it as a sum.
        assert!((squares / 0.04f64.powi(2) - 1.1).abs() < 0.02, "{squares}");
    }

    /// Steps longer than the memory feel a jump at the look that finds it, and not at the next.
    #[test]
    fn between_rare_looks_a_jump_is_over() {
        let mut moves = Moves {
            step: (0.0, 1.0),
            jumps_day: 0.0,
        };
        moves.pass((0.0, 1.0), 0.04);
        assert!(moves.sigma_day() > 0.5);
        moves.pass((0.0, 1.0), 0.0);
        assert!(moves.sigma_day() < 1e-12);
    }
}
