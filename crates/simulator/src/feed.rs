//! The price feed on a path: it falls silent at times, and is the less sure of the price the more it moves.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;

use crate::{Looks, SimulationError, error::at_least, lag::worsened};

const SECS_PER_DAY: f64 = 86_400.0;
/// More stalls a day are one that never ends.
const MOST_STALLS_DAY: f64 = 86_400.0;
/// An interval as wide as the price says nothing.
const MOST_CONFIDENCE_BPS: f64 = 10_000.0;

/// Times at which no price is published, in a market that makes them more and longer when it moves more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stalls {
    /// How many begin a day, in a calm market.
    pub per_day: f64,
    /// How long one lasts on average, in a calm market; the time is exponential.
    pub mean_secs: f64,
    /// How much both grow with each multiple of the calm market's move.
    pub worsens: f64,
    /// Standard deviation of a day's move up to which a market is calm.
    pub calm_sigma_day: f64,
}

/// How wide the published interval is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Confidence {
    /// In a still market, basis points of the price.
    pub bps: f64,
    /// How much wider it is per basis point of standard deviation of a minute's move.
    pub per_move: f64,
}

impl Confidence {
    /// Basis points of the price while it moves that much.
    pub fn bps_at(&self, sigma_day: f64) -> f64 {
        let minute_bps = sigma_day * (60.0 / SECS_PER_DAY).sqrt() * 1e4;
        (self.bps + self.per_move * minute_bps).min(MOST_CONFIDENCE_BPS)
    }
}

/// A price feed that is not perfect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedTerms {
    /// When it is silent; `None`: never.
    pub stalls: Option<Stalls>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Nobody liquidates at a price that is older than this,
    pub liquidation_max_age_secs: u64,
    /// or less sure than that, as the program has it.
    pub liquidation_max_confidence_bps: f64,
}

impl FeedTerms {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn check(&self) -> Result<(), SimulationError> {
        let not_negative = "must be 0 or more";
        if let Some(stalls) = &self.stalls {
            at_least("stalls a day", stalls.per_day, 0.0, not_negative)?;
            if stalls.per_day > MOST_STALLS_DAY {
                return Err(SimulationError::Parameter {
                    name: "stalls a day",
                    value: stalls.per_day,
                    problem: "must be at most one a second",
                });
            }
            at_least("seconds of a stall", stalls.mean_secs, 0.0, not_negative)?;
            at_least("worsening of stalls", stalls.worsens, 0.0, not_negative)?;
            at_least(
                "calm sigma per day",
                stalls.calm_sigma_day,
                f64::MIN_POSITIVE,
                "must be greater than 0",
            )?;
        }
        let Confidence { bps, per_move } = self.confidence;
        at_least("confidence in basis points", bps, 0.0, not_negative)?;
        at_least("confidence per move", per_move, 0.0, not_negative)
    }
}

/// A feed on one path. It is known at looks alone: at one that finds it silent the last price is that of the last look which did not.
pub(crate) struct Feed {
    terms: FeedTerms,
    looks: Looks,
    rng: ChaCha8Rng,
    /// What of the chance of a stall is left until the next one, as an exponential number.
    left: f64,
    /// When the last stall ends or ended, in seconds after the start.
    until_secs: f64,
    /// The last look, and the last one that had a price.
    now_secs: u64,
    published_secs: u64,
    confidence_bps: f64,
    /// Whether the last look found a price again.
    resumed: bool,
    /// How long it has been silent, in seconds.
    pub silent_secs: u64,
}

impl Feed {
    /// One that has just published.
    pub fn new(terms: FeedTerms, looks: Looks, mut rng: ChaCha8Rng) -> Self {
        Self {
            left: rng.sample(Exp1),
            terms,
            looks,
            rng,
            until_secs: 0.0,
            now_secs: 0,
            published_secs: 0,
            confidence_bps: terms.confidence.bps_at(0.0),
            resumed: false,
            silent_secs: 0,
        }
    }

    /// Time passes until a look, in which the price moves so much. Returns whether a price is published there.
    pub fn pass(&mut self, index: u64, sigma_day: f64) -> bool {
        let (from, was_silent) = (self.now_secs, self.is_silent());
        self.now_secs = self.looks.secs(index);
        self.confidence_bps = self.terms.confidence.bps_at(sigma_day);
        if let Some(stalls) = self.terms.stalls {
            self.draw(&stalls, from, sigma_day);
        }
        if self.until_secs > self.now_secs as f64 {
            self.silent_secs += self.now_secs - from;
        } else {
            self.published_secs = self.now_secs;
        }
        self.resumed = was_silent && !self.is_silent();
        !self.is_silent()
    }

    /// Stalls that begin from one look to the next.
    fn draw(&mut self, stalls: &Stalls, from_secs: u64, sigma_day: f64) {
        let end = self.now_secs as f64;
        let grown = worsened(stalls.worsens, stalls.calm_sigma_day, sigma_day);
        let per_sec = stalls.per_day * grown / SECS_PER_DAY;
        let mut at = self.until_secs.max(from_secs as f64);
        while at < end {
            let passed = (end - at) * per_sec;
            if passed < self.left {
                self.left -= passed;
                return;
            }
            let length: f64 = self.rng.sample(Exp1);
            at += self.left / per_sec + length * stalls.mean_secs * grown;
            self.until_secs = at;
            self.left = self.rng.sample(Exp1);
        }
    }

    /// Whether the last look found no new price.
    pub fn is_silent(&self) -> bool {
        self.published_secs < self.now_secs
    }

    /// Whether somebody has to be asked for the feed's sake: it is silent, or it is not any more.
    pub fn stirs(&self) -> bool {
        self.resumed || self.is_silent()
    }

    /// How old the last price is.
    pub fn age_secs(&self) -> u64 {
        self.now_secs - self.published_secs
    }

    /// How wide its interval is.
    pub fn confidence_bps(&self) -> f64 {
        self.confidence_bps
    }

    /// Whether the program would let anybody liquidate at it.
    pub fn lets_liquidate(&self) -> bool {
        self.age_secs() <= self.terms.liquidation_max_age_secs
            && self.confidence_bps <= self.terms.liquidation_max_confidence_bps
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const STALLS: Stalls = Stalls {
        per_day: 4.0,
        mean_secs: 900.0,
        worsens: 0.0,
        calm_sigma_day: 0.05,
    };

    fn terms(stalls: Stalls) -> FeedTerms {
        FeedTerms {
            stalls: Some(stalls),
            confidence: Confidence {
                bps: 3.0,
                per_move: 0.2,
            },
            liquidation_max_age_secs: 30,
            liquidation_max_confidence_bps: 200.0,
        }
    }

    /// Begun stalls a day, and the part of the time in which it is silent, of 4,000 days.
    fn seen(stalls: Stalls, sigma_day: f64, step_secs: u64) -> [f64; 2] {
        let days = 4_000;
        let looks = Looks::new(f64::from(days), step_secs).unwrap();
        let mut feed = Feed::new(terms(stalls), looks, ChaCha8Rng::seed_from_u64(71));
        let (mut begun, mut was_silent) = (0, false);
        for index in 1..=looks.count() {
            let published = feed.pass(index, sigma_day);
            assert_eq!(published, !feed.is_silent());
            begun += u32::from(feed.is_silent() && !was_silent);
            was_silent = feed.is_silent();
        }
        let days = f64::from(days);
        [
            f64::from(begun) / days,
            feed.silent_secs as f64 / days / SECS_PER_DAY,
        ]
    }

    /// A stall that is over before the next look is not seen: of those that last 900 s on average so many parts are at looks a
    /// minute apart. Silence comes after calm: 4 a day of the time that is none, which is `4 / (1 + 4 * 900 / 86400)`.
    #[test]
    fn stalls_come_as_often_and_last_as_long_as_said() {
        let [begun, silent] = seen(STALLS, 0.05, 60);
        let a_day = 4.0 / (1.0 + 4.0 * 900.0 / SECS_PER_DAY);
        // Of an exponential time what is left at the next look, half a step later on average.
        let at_look = 900.0 / 60.0 * (1.0 - (-60.0f64 / 900.0).exp());
        assert!(
            (begun / (a_day * at_look) - 1.0).abs() < 0.03,
            "{begun} {a_day} {at_look}"
        );
        let expected = a_day * 900.0 / SECS_PER_DAY;
        assert!(
            (silent / expected - 1.0).abs() < 0.04,
            "{silent} {expected}"
        );
    }

    #[test]
    fn a_storm_makes_them_more_and_longer() {
        let worse = Stalls {
            worsens: 1.0,
            ..STALLS
        };
        // Up to the calm market's move nothing is different.
        assert_eq!(seen(worse, 0.04, 600), seen(STALLS, 0.04, 600));
        let ([calm, calm_silent], [storm, storm_silent]) =
            (seen(worse, 0.05, 60), seen(worse, 0.10, 60));
        // Twice as many, of twice the length; somewhat fewer, because none begins in another.
        assert!((1.7..2.0).contains(&(storm / calm)), "{storm} {calm}");
        let times = storm_silent / calm_silent;
        assert!((3.3..4.0).contains(&times), "{times}");
    }

    #[test]
    fn a_silent_feed_shows_its_last_price() {
        let looks = Looks::new(10.0, 600).unwrap();
        let mut feed = Feed::new(terms(STALLS), looks, ChaCha8Rng::seed_from_u64(72));
        let (mut last, mut resumed) = (0, 0);
        for index in 1..=looks.count() {
            let was_silent = feed.is_silent();
            if feed.pass(index, 0.05) {
                last = index;
                assert_eq!(feed.stirs(), was_silent);
                resumed += u32::from(was_silent);
                assert!(feed.lets_liquidate());
            } else {
                assert!(feed.stirs() && !feed.lets_liquidate());
            }
            assert_eq!(feed.age_secs(), (index - last) * 600);
        }
        assert!(resumed > 10, "{resumed}");
    }

    #[test]
    fn it_is_less_sure_the_more_the_price_moves() {
        let confidence = terms(STALLS).confidence;
        assert_eq!(confidence.bps_at(0.0), 3.0);
        // 5 % a day are 13.2 bp a minute.
        assert!((confidence.bps_at(0.05) - (3.0 + 0.2 * 13.176)).abs() < 1e-3);
        let looks = Looks::new(1.0, 600).unwrap();
        let mut feed = Feed::new(
            FeedTerms {
                stalls: None,
                ..terms(STALLS)
            },
            looks,
            ChaCha8Rng::seed_from_u64(73),
        );
        assert!(feed.pass(1, 0.05) && feed.lets_liquidate());
        // 200 bp.
        assert!(feed.pass(2, 3.8) && !feed.lets_liquidate());
        assert_eq!(feed.silent_secs, 0);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(terms(STALLS).check().is_ok());
        type Case = (&'static str, fn(&mut Stalls));
        let cases: [Case; 5] = [
            ("stalls a day -1 must be 0 or more", |s| s.per_day = -1.0),
            ("stalls a day 86401 must be at most one a second", |s| {
                s.per_day = 86_401.0;
            }),
            ("seconds of a stall NaN must be 0 or more", |s| {
                s.mean_secs = f64::NAN;
            }),
            ("worsening of stalls -2 must be 0 or more", |s| {
                s.worsens = -2.0;
            }),
            ("calm sigma per day 0 must be greater than 0", |s| {
                s.calm_sigma_day = 0.0;
            }),
        ];
        for (told, change) in cases {
            let mut stalls = STALLS;
            change(&mut stalls);
            assert_eq!(terms(stalls).check().unwrap_err().to_string(), told);
        }
        for (told, confidence) in [
            (
                "confidence in basis points -1 must be 0 or more",
                [-1.0, 0.0],
            ),
            ("confidence per move -1 must be 0 or more", [0.0, -1.0]),
        ] {
            let [bps, per_move] = confidence;
            let wrong = FeedTerms {
                confidence: Confidence { bps, per_move },
                ..terms(STALLS)
            };
            assert_eq!(wrong.check().unwrap_err().to_string(), told);
        }
    }
}
