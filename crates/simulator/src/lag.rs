//! What keeps an agent from acting at once, and on what is: prices come late, so do transactions, and some are lost.

use std::collections::VecDeque;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{
    SimulationError,
    error::{at_least, below_one},
};

/// However bad it is, one in twenty lands.
const MOST_MISSED: f64 = 0.95;

/// What is multiplied by this grows by `worsens` with each multiple of the calm market's move.
pub(crate) fn worsened(worsens: f64, calm_sigma_day: f64, sigma_day: f64) -> f64 {
    let calm = calm_sigma_day.max(f64::MIN_POSITIVE);
    1.0 + worsens * (sigma_day / calm - 1.0).max(0.0)
}

/// How transactions get through: the more the market moves the later they land, and the more of them do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passage {
    /// From deciding to landing, in a calm market.
    pub latency_secs: f64,
    /// Chance that a transaction does not land, in a calm market.
    pub miss: f64,
    /// How much both grow with each multiple of the calm market's move.
    pub worsens: f64,
    /// Standard deviation of a day's move up to which a market is calm.
    pub calm_sigma_day: f64,
}

impl Passage {
    /// What both are multiplied by.
    fn grown(&self, sigma_day: f64) -> f64 {
        worsened(self.worsens, self.calm_sigma_day, sigma_day)
    }

    /// What takes so long in a calm market, in whole seconds.
    pub fn slow(&self, calm_secs: f64, sigma_day: f64) -> u64 {
        // `as` saturates.
        (calm_secs * self.grown(sigma_day)).ceil() as u64
    }

    /// Seconds from deciding to landing.
    pub fn latency_secs(&self, sigma_day: f64) -> u64 {
        self.slow(self.latency_secs, sigma_day)
    }

    /// Chance that a transaction does not land.
    pub fn miss_chance(&self, sigma_day: f64) -> f64 {
        if self.miss >= 1.0 {
            1.0
        } else {
            (self.miss * self.grown(sigma_day)).min(MOST_MISSED.max(self.miss))
        }
    }

    /// Whether a transaction lands. A number is drawn in any case, so that what is drawn later does not depend on the chance.
    pub fn lands(&self, sigma_day: f64, rng: &mut ChaCha8Rng) -> bool {
        rng.random::<f64>() >= self.miss_chance(sigma_day)
    }
}

/// How an agent lags behind the market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag {
    /// How old a price is when the agent, and whatever carries out what it does, sees it.
    pub oracle_delay_secs: u64,
    /// How what it does gets through.
    pub passage: Passage,
}

impl Lag {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn check(&self) -> Result<(), SimulationError> {
        let Passage {
            latency_secs,
            miss,
            worsens,
            calm_sigma_day,
        } = self.passage;
        let not_negative = "must be 0 or more";
        at_least("latency in seconds", latency_secs, 0.0, not_negative)?;
        below_one("chance of missing", miss)?;
        at_least("worsening", worsens, 0.0, not_negative)?;
        let positive = "must be greater than 0";
        at_least(
            "calm sigma per day",
            calm_sigma_day,
            f64::MIN_POSITIVE,
            positive,
        )
    }
}

/// An agent's lag on one path. All times are whole steps: what takes a part of one takes all of it.
pub(crate) struct Late {
    lag: Lag,
    rng: ChaCha8Rng,
    step_secs: u64,
    /// Prices that the agent has not seen yet, the oldest first.
    ahead: VecDeque<f64>,
    /// At which step what it has sent lands.
    due: Option<u64>,
}

impl Late {
    /// Up to now the price was always the same.
    pub fn new(lag: Lag, rng: ChaCha8Rng, step_secs: u64, log_price: f64) -> Self {
        let steps = lag.oracle_delay_secs.div_ceil(step_secs);
        // Nothing is remembered that long on any path that ends.
        let steps = usize::try_from(steps.min(1 << 24)).unwrap_or(0);
        Self {
            lag,
            rng,
            step_secs,
            ahead: std::iter::repeat_n(log_price, steps).collect(),
            due: None,
        }
    }

    /// How old what it sees is.
    pub fn age_secs(&self) -> u64 {
        self.ahead.len() as u64 * self.step_secs
    }

    /// The price moves; returns the one that is seen then.
    pub fn pass(&mut self, log_price: f64) -> f64 {
        self.ahead.push_back(log_price);
        self.ahead.pop_front().unwrap_or(log_price)
    }

    /// Whether something was sent that has not landed.
    pub fn is_due(&self, index: u64) -> bool {
        self.due.is_some_and(|due| due <= index)
    }

    /// It has something to do at a step, or something of it is due. Returns whether that is done now.
    pub fn lands(&mut self, index: u64, sigma_day: f64) -> bool {
        let passage = self.lag.passage;
        let steps = passage.latency_secs(sigma_day).div_ceil(self.step_secs);
        let due = *self.due.get_or_insert(index.saturating_add(steps));
        if due > index {
            return false;
        }
        let lands = passage.lands(sigma_day, &mut self.rng);
        // What is lost is sent again, at the next step at the earliest.
        self.due = (!lands).then(|| index.saturating_add(steps.max(1)));
        lands
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn passage(latency_secs: f64, miss: f64, worsens: f64) -> Passage {
        Passage {
            latency_secs,
            miss,
            worsens,
            calm_sigma_day: 0.05,
        }
    }

    fn late(passage: Passage, oracle_delay_secs: u64) -> Late {
        let lag = Lag {
            oracle_delay_secs,
            passage,
        };
        Late::new(lag, ChaCha8Rng::seed_from_u64(3), 10, 5.0)
    }

    #[test]
    fn a_storm_makes_it_late_and_lossy() {
        let passage = passage(2.0, 0.1, 1.0);
        let sigmas = [0.01, 0.05, 0.10, 0.20];
        assert_eq!(
            sigmas.map(|sigma| passage.latency_secs(sigma)),
            [2, 2, 4, 8]
        );
        assert_eq!(passage.slow(3.0, 0.10), 6);
        assert_eq!(
            [0.05, 0.10, 5.0].map(|sigma| passage.miss_chance(sigma)),
            [0.1, 0.2, MOST_MISSED]
        );
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let landed = (0..10_000)
            .filter(|_| passage.lands(0.10, &mut rng))
            .count();
        assert!((7_800..8_200).contains(&landed), "{landed}");
    }

    #[test]
    fn prices_are_seen_late_by_whole_steps() {
        let mut late = late(passage(0.0, 0.0, 0.0), 25);
        assert_eq!(late.age_secs(), 30);
        let seen: Vec<f64> = (1..=5).map(|index| late.pass(f64::from(index))).collect();
        assert_eq!(seen, [5.0, 5.0, 5.0, 1.0, 2.0]);
        let mut at_once = self::late(passage(0.0, 0.0, 0.0), 0);
        assert_eq!((at_once.pass(7.0), at_once.age_secs()), (7.0, 0));
    }

    #[test]
    fn what_is_sent_lands_later_or_is_sent_again() {
        let mut slow = late(passage(15.0, 0.0, 0.0), 0);
        // Sent at 3, landed at 5: twenty seconds later.
        let landed: Vec<bool> = (3..=5).map(|index| slow.lands(index, 0.05)).collect();
        assert_eq!(landed, [false, false, true]);
        assert!(!slow.is_due(6));
        let mut lossy = late(passage(0.0, 0.9, 0.0), 0);
        let first = (0..1_000)
            .position(|index| lossy.lands(index, 0.05))
            .unwrap();
        assert!(first > 0, "{first}");
        // Nothing is in the way.
        assert!(late(passage(0.0, 0.0, 0.0), 0).lands(1, 0.05));
    }
}
