//! A position's past from the chain's events: flows, fees and costs before it was first seen. Pure: events in, [`Past`] out.

use ballast_model::{Amounts, Band, ModelError, Position, SqrtPrice, Tick};
use serde::{Deserialize, Serialize};

use crate::{
    step::worth,
    sums::{add, subtract},
    text,
    track::Past,
};

/// A position as it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsOpened {
    /// The oracle's square-root price, Q64.64.
    #[serde(with = "text")]
    pub price_x64: u128,
    /// Its band.
    pub ticks: [i32; 2],
    /// Its liquidity.
    #[serde(with = "text")]
    pub liquidity: u128,
    /// Base and quote that it borrowed.
    pub debt: [u64; 2],
    /// Equity, raw quote units.
    #[serde(with = "text")]
    pub equity: i128,
}

impl AsOpened {
    /// The position. What its equity has more than band and debts is idle, in quote: the funds' rest.
    ///
    /// # Errors
    /// [`ModelError`] for numbers that no position has.
    pub fn position(&self) -> Result<Position, ModelError> {
        let [lower, upper] = self.ticks;
        let [base, quote] = self.debt;
        let bare = Position {
            band: Band::new(Tick::new(lower)?, Tick::new(upper)?)?,
            liquidity: self.liquidity,
            idle: Amounts::ZERO,
            debt: Amounts { base, quote },
        };
        let price = SqrtPrice::new(self.price_x64)?;
        let rest = self.equity.saturating_sub(bare.value(price)?.equity());
        let quote = u64::try_from(rest.max(0)).unwrap_or(u64::MAX);
        Ok(Position {
            idle: Amounts { base: 0, quote },
            ..bare
        })
    }
}

/// What matters of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastEvent {
    /// The oracle's square-root price, if the event says it.
    pub price_x64: Option<u128>,
    /// It is the opening: nothing lies before it.
    pub opens: bool,
    /// What was opened.
    #[serde(default)]
    pub opened: Option<AsOpened>,
    /// Base and quote that the owner brought.
    pub brought: [u64; 2],
    /// Base and quote paid out to the owner.
    pub paid_out: [u64; 2],
    /// Base and quote that the pool paid as fees.
    pub fees: [u64; 2],
    /// Swap losses and liquidators' bonuses, raw quote units.
    pub cost: u64,
    /// Paid to a keeper beside the equity, lamports.
    pub reward_lamports: u64,
}

/// How far the past has been read. Events come from the newest to the oldest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Oldest transaction read.
    pub before: Option<String>,
    /// What is not in it, in words.
    pub missing: Option<String>,
    /// Nothing more is to be read.
    pub done: bool,
    /// Whether the opening was found.
    pub whole: bool,
    /// Transactions read.
    pub transactions: u64,
    /// What the events say, newest first, without those that say nothing.
    events: Vec<PastEvent>,
}

impl Reading {
    /// Takes the next older event in.
    pub fn note(&mut self, event: PastEvent) {
        self.whole |= event.opens;
        let says = PastEvent {
            price_x64: None,
            opens: false,
            ..event
        };
        if says != PastEvent::default() || event.price_x64.is_some() {
            self.events.push(event);
        }
    }

    /// The position as it was opened, if its opening was read.
    pub fn opened(&self) -> Option<AsOpened> {
        self.events.iter().rev().find_map(|event| event.opened)
    }

    /// What it comes to. Amounts are valued at the price of their event or the one before; `first` is the price of the first
    /// sight, for those with none before.
    ///
    /// # Errors
    /// [`ModelError`] for numbers out of range.
    pub fn past(&self, first: SqrtPrice, base_is_native: bool) -> Result<Past, ModelError> {
        let mut past = Past::default();
        let oldest = self.events.iter().rev();
        let mut price = oldest
            .clone()
            .find_map(|event| event.price_x64)
            .map_or(Ok(first), SqrtPrice::new)?;
        for event in oldest {
            if let Some(x64) = event.price_x64 {
                price = SqrtPrice::new(x64)?;
            }
            // Opening is where counting begins: its flows and costs are in the opening's equity.
            if event.opens {
                past = Past::default();
                continue;
            }
            let value = |[base, quote]: [u64; 2]| worth(Amounts { base, quote }, price);
            past.flow = add(past.flow, value(event.brought)?)?;
            past.flow = subtract(past.flow, value(event.paid_out)?)?;
            past.fees = add(past.fees, value(event.fees)?)?;
            past.costs = subtract(past.costs, i128::from(event.cost))?;
            if base_is_native {
                let reward = value([event.reward_lamports, 0])?;
                past.costs = subtract(past.costs, reward)?;
                past.outside = subtract(past.outside, reward)?;
            }
        }
        Ok(past)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::tests::at;

    fn priced(tick: i32) -> PastEvent {
        PastEvent {
            price_x64: Some(at(tick).x64()),
            ..PastEvent::default()
        }
    }

    #[test]
    fn each_amount_is_valued_at_its_events_price_or_the_one_before() {
        // From the newest to the oldest.
        let events = [
            PastEvent {
                reward_lamports: 9_000,
                ..PastEvent::default()
            },
            PastEvent {
                fees: [10, 20],
                cost: 7,
                ..priced(-15_900)
            },
            PastEvent {
                paid_out: [1_000_000, 5],
                ..PastEvent::default()
            },
            PastEvent {
                brought: [2_000_000, 9],
                cost: 3,
                ..priced(-16_000)
            },
            PastEvent {
                opens: true,
                brought: [77, 88],
                cost: 100,
                ..priced(-16_100)
            },
        ];
        let mut reading = Reading::default();
        for (index, event) in events.into_iter().enumerate() {
            assert!(!reading.whole, "{index}");
            reading.note(event);
        }
        assert!(reading.whole);
        // Kept and read again, it is the same.
        let text = serde_json::to_string(&reading).unwrap();
        let reading: Reading = serde_json::from_str(&text).unwrap();
        let past = reading.past(at(-10_000), true).unwrap();
        let worth = |base, quote, tick| worth(Amounts { base, quote }, at(tick)).unwrap();
        assert_eq!(
            past.flow,
            worth(2_000_000, 9, -16_000) - worth(1_000_000, 5, -16_000)
        );
        assert_eq!(past.fees, worth(10, 20, -15_900));
        assert_eq!(past.outside, -worth(9_000, 0, -15_900));
        assert_eq!(past.costs, past.outside - 10);
        // Without a price of lamports they are no cost.
        let other = reading.past(at(-10_000), false).unwrap();
        assert_eq!((other.outside, other.costs), (0, -10));
    }

    #[test]
    fn the_opening_is_known_once_it_was_read_and_is_worth_then_what_it_was() {
        let opened = AsOpened {
            price_x64: at(-16_000).x64(),
            ticks: [-16_400, -15_600],
            liquidity: 1_000_000_000_000,
            debt: [5_000_000_000, 2_000_000_000],
            equity: 20_123_456_789,
        };
        let mut reading = Reading::default();
        reading.note(priced(-15_900));
        assert_eq!(reading.opened(), None);
        reading.note(PastEvent {
            opens: true,
            opened: Some(opened),
            ..priced(-16_000)
        });
        let text = serde_json::to_string(&reading).unwrap();
        let reading: Reading = serde_json::from_str(&text).unwrap();
        assert_eq!(reading.opened(), Some(opened));
        let position = opened.position().unwrap();
        assert_eq!(
            position.value(at(-16_000)).unwrap().equity(),
            20_123_456_789
        );
        assert!(position.idle.quote > 0 && position.debt.base == 5_000_000_000);
        // A reading that was kept before openings were is whole without one.
        let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
        for event in old["events"].as_array_mut().unwrap() {
            event.as_object_mut().unwrap().remove("opened");
        }
        let old: Reading = serde_json::from_value(old).unwrap();
        assert_eq!((old.whole, old.opened()), (true, None));
    }

    #[test]
    fn without_any_price_the_first_sights_counts() {
        let mut reading = Reading::default();
        reading.note(PastEvent {
            paid_out: [1_000_000, 0],
            ..PastEvent::default()
        });
        reading.note(PastEvent::default());
        let past = reading.past(at(-16_000), true).unwrap();
        let paid = worth(Amounts::new(1_000_000, 0), at(-16_000)).unwrap();
        assert_eq!((past.flow, reading.whole), (-paid, false));
    }
}
