//! When those on the other side have nothing left to pay with: the venue takes parts of what has gained from them.

use std::collections::VecDeque;

use crate::{SimulationError, error::at_least};

/// A venue that takes a part of what is held each time its price has moved so far for it within some time: against a short's
/// counterparties, when the price falls.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "keeper", derive(serde::Deserialize))]
#[cfg_attr(feature = "keeper", serde(deny_unknown_fields))]
pub struct Deleveraging {
    /// How far, as a part of the price.
    pub after_move: f64,
    /// Within which time.
    pub within_secs: u64,
    /// The part that is closed.
    pub part: f64,
}

impl Deleveraging {
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub(super) fn check(&self) -> Result<(), SimulationError> {
        let problem = "must be above 0 and below 1";
        let name = "move that auto-deleverages";
        at_least(name, self.after_move, f64::MIN_POSITIVE, problem)?;
        at_least(name, 1.0 - self.after_move, f64::MIN_POSITIVE, problem)?;
        at_least(
            "seconds in which a move auto-deleverages",
            self.within_secs as f64,
            1.0,
            "must be greater than 0",
        )?;
        check_part(self.part)
    }
}

/// # Errors
/// [`SimulationError::Parameter`].
pub(super) fn check_part(part: f64) -> Result<(), SimulationError> {
    let (name, problem) = ("auto-deleveraged part", "must be from 0 to 1");
    at_least(name, part, 0.0, problem)?;
    if part > 1.0 {
        return Err(SimulationError::Parameter {
            name,
            value: part,
            problem,
        });
    }
    Ok(())
}

/// A venue's prices of the last time, as far as they may still be the highest or the lowest of it.
#[derive(Clone, Debug)]
pub(super) struct Strain {
    rule: Deleveraging,
    /// Times and prices, falling; and rising.
    high: VecDeque<(u64, f64)>,
    low: VecDeque<(u64, f64)>,
}

impl Strain {
    pub fn new(rule: Deleveraging, mark: f64) -> Self {
        let first = VecDeque::from([(0, mark)]);
        Self {
            rule,
            high: first.clone(),
            low: first,
        }
    }

    /// The price is that now.
    pub fn pass(&mut self, secs: u64, mark: f64) {
        let since = secs.saturating_sub(self.rule.within_secs);
        for (kept, sign) in [(&mut self.high, 1.0), (&mut self.low, -1.0)] {
            // What is no longer extreme never will be.
            while kept
                .back()
                .is_some_and(|(_, old)| sign * old <= sign * mark)
            {
                kept.pop_back();
            }
            while kept.front().is_some_and(|(at, _)| *at < since) {
                kept.pop_front();
            }
            kept.push_back((secs, mark));
        }
    }

    /// Whether it has moved so far for what is held that a part of it is taken; then it is counted anew from here.
    pub fn takes(&mut self, size: f64, secs: u64, mark: f64) -> Option<f64> {
        let far = self.rule.after_move;
        let moved = if size < 0.0 {
            (self.high.front()).is_some_and(|(_, highest)| mark <= highest * (1.0 - far))
        } else {
            (self.low.front()).is_some_and(|(_, lowest)| mark >= lowest * (1.0 + far))
        };
        if !moved || size == 0.0 {
            return None;
        }
        for kept in [&mut self.high, &mut self.low] {
            kept.clear();
            kept.push_back((secs, mark));
        }
        Some(self.rule.part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Deleveraging = Deleveraging {
        after_move: 0.1,
        within_secs: 3_600,
        part: 0.5,
    };

    fn taken(size: f64, prices: &[(u64, f64)]) -> Vec<u64> {
        let mut strain = Strain::new(RULE, 100.0);
        let mut times = Vec::new();
        for (secs, mark) in prices {
            strain.pass(*secs, *mark);
            if strain.takes(size, *secs, *mark) == Some(0.5) {
                times.push(*secs);
            }
        }
        times
    }

    #[test]
    fn a_fall_takes_of_a_short_and_a_rise_of_a_long() {
        let fall = [(600, 104.0), (1_200, 96.0), (1_800, 93.5), (2_400, 93.0)];
        assert_eq!(taken(-1.0, &fall), [1_800]);
        assert!(taken(1.0, &fall).is_empty());
        assert!(taken(0.0, &fall).is_empty());
        let rise = [(600, 96.0), (1_200, 105.7)];
        assert_eq!(taken(1.0, &rise), [1_200]);
        assert!(taken(-1.0, &rise).is_empty());
    }

    #[test]
    fn it_is_counted_anew_and_what_is_long_ago_does_not_count() {
        let deep = [(600, 90.0), (1_200, 82.0), (1_800, 81.0), (2_400, 70.0)];
        assert_eq!(taken(-1.0, &deep), [600, 1_800, 2_400]);
        // Five per cent an hour never are ten within one.
        let slow: Vec<(u64, f64)> = (1..40)
            .map(|step| (step * 600, 100.0 * 0.95f64.powf(step as f64 / 6.0)))
            .collect();
        assert!(taken(-1.0, &slow).is_empty());
        // Against all prices of the last hour, one by one.
        let wave: Vec<(u64, f64)> = (1..500u64)
            .map(|step| {
                let at = step as f64;
                (
                    step * 300,
                    100.0 + 8.0 * (at / 7.0).sin() + 3.0 * (at / 3.0).cos(),
                )
            })
            .collect();
        let mut since = 0;
        let mut plain = Vec::new();
        let all = [&[(0, 100.0)], &wave[..]].concat();
        for (secs, mark) in &wave {
            let window = all
                .iter()
                .filter(|(at, _)| *at >= since.max(secs.saturating_sub(3_600)) && at <= secs);
            let highest = window.map(|(_, mark)| *mark).fold(0.0, f64::max);
            if *mark <= highest * 0.9 {
                plain.push(*secs);
                since = *secs;
            }
        }
        assert!(plain.len() > 5);
        assert_eq!(taken(-1.0, &wave), plain);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(RULE.check().is_ok());
        for (rule, said) in [
            (
                Deleveraging {
                    after_move: 0.0,
                    ..RULE
                },
                "move that auto-deleverages 0 must be above 0 and below 1",
            ),
            (
                Deleveraging {
                    within_secs: 0,
                    ..RULE
                },
                "seconds in which a move auto-deleverages 0 must be greater than 0",
            ),
            (
                Deleveraging { part: 1.5, ..RULE },
                "auto-deleveraged part 1.5 must be from 0 to 1",
            ),
        ] {
            assert_eq!(rule.check().unwrap_err().to_string(), said);
        }
    }
}
