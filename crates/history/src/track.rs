//! The record of one position: its sums since it was opened, and what the next step begins with.

use ballast_model::{Amounts, ModelError, SqrtPrice};
use serde::{Deserialize, Serialize};

use crate::{
    Sums,
    account::{Account, AttributionError, Moment, Seen, pair},
    past::AsOpened,
    point::Point,
    step::{Happened, Step, step, worth},
    sums::{add, subtract},
    text,
};

/// What the chain says of a position's opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When, Unix seconds.
    pub secs: i64,
    /// The oracle's price.
    pub price: SqrtPrice,
    /// Equity, raw quote units.
    pub equity: i128,
}

/// What is known of the time before a position was first seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Fees that the pool paid, raw quote units.
    #[serde(with = "text")]
    pub fees: i128,
    /// Costs, negative.
    #[serde(with = "text")]
    pub costs: i128,
    /// The part of them that nobody paid out of the equity.
    #[serde(with = "text")]
    pub outside: i128,
    /// What the owner brought after opening less what was paid out to him.
    #[serde(with = "text")]
    pub flow: i128,
}

/// How far the sums of a position reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Of the time before it was first seen only the account's own counters are known.
    Counters,
    /// The chain's events since its opening are in the sums.
    Events,
}

/// See the module's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Sums since it was opened.
    pub sums: Sums,
    /// What the owner brought after opening less what was paid out to him, raw quote units.
    #[serde(with = "text")]
    pub flow: i128,
    /// Costs beside the equity, negative: part of the sums.
    #[serde(with = "text")]
    pub outside: i128,
    /// When it was opened, Unix seconds.
    pub opened_secs: i64,
    /// Equity then, raw quote units.
    #[serde(with = "text")]
    pub opening_equity: i128,
    /// Since when all five are known one by one.
    pub observed_from_secs: i64,
    /// Equity when it was first seen, raw quote units.
    #[serde(with = "text")]
    first_equity: i128,
    /// What was known of the time before.
    past: Past,
    /// How it is known.
    pub reach: Reach,
    /// How often sights were lost on the way: what happened between is in one step.
    pub gaps: u64,
    /// It was last seen like this.
    pub seen: Seen,
    /// The oracle's square-root price at the first sight, Q64.64.
    #[serde(with = "text")]
    first_price_x64: u128,
    /// Whether base is wrapped SOL, so that lamports have a price.
    pub native: bool,
    /// Decimals of base and quote, for those who show it.
    pub decimals: [u8; 2],
    /// Slot of the account at the first sight: what happened up to it is in the past.
    pub first_slot: u64,
    /// Number of the last intent whose transaction's fee is in the costs.
    pub fees_booked_to: u64,
    /// When it was closed; `None`: it is open.
    pub closed_secs: Option<i64>,
    /// As it was opened; `None`: the chain's events have not said so.
    #[serde(default)]
    pub opened: Option<AsOpened>,
    /// Beginning of the interval of the last point.
    last_point_secs: i64,
}

impl Track {
    /// Begins with a position's first sight. What its counters say of the time before counts: what was paid out, at today's price,
    /// and liquidators' bonuses. The rest of the gain until now is in `drift`, until [`Track::know_past`].
    ///
    /// # Errors
    /// [`AttributionError`].
    pub fn begin(
        opening: &Opening,
        now: &Moment,
        account: &Account,
        fees_waiting: Option<Amounts>,
    ) -> Result<Self, AttributionError> {
        let model = account.model(&now.reserves)?;
        let seen = Seen {
            secs: now.secs,
            slot: now.slot,
            price_x64: now.price.x64(),
            account: *account,
            debt: pair(model.debt),
            fees: pair(fees_waiting.unwrap_or(Amounts::ZERO)),
        };
        let counted = &account.counters;
        let [base, quote] = counted.paid_out;
        let past = Past {
            costs: -i128::from(counted.liquidation_bonus),
            flow: -worth(Amounts { base, quote }, now.price)?,
            ..Past::default()
        };
        let mut track = Self {
            sums: Sums::ZERO,
            flow: 0,
            outside: 0,
            opened_secs: opening.secs,
            opening_equity: opening.equity,
            observed_from_secs: now.secs,
            first_equity: seen.equity()?,
            past: Past::default(),
            reach: Reach::Counters,
            gaps: 0,
            seen,
            first_price_x64: now.price.x64(),
            native: false,
            decimals: [0, 0],
            first_slot: now.slot,
            fees_booked_to: 0,
            closed_secs: None,
            opened: None,
            last_point_secs: i64::MIN,
        };
        track.sums.drift = subtract(track.first_equity, opening.equity)?;
        track.replace_past(past)?;
        Ok(track)
    }

    /// Puts what the chain's events say of the time before the first sight in the place of what the counters said.
    ///
    /// # Errors
    /// [`AttributionError`]; nothing has changed then.
    pub fn know_past(&mut self, past: Past) -> Result<(), AttributionError> {
        self.replace_past(past)?;
        self.reach = Reach::Events;
        Ok(())
    }

    fn replace_past(&mut self, past: Past) -> Result<(), AttributionError> {
        let mut next = *self;
        next.sums = next.sums.minus(&self.past.sums()?)?.plus(&past.sums()?)?;
        next.flow = add(subtract(self.flow, self.past.flow)?, past.flow)?;
        next.outside = add(subtract(self.outside, self.past.outside)?, past.outside)?;
        next.past = past;
        *self = next;
        Ok(())
    }

    /// Books another sight. Returns what it brought, and the point of a new interval if it begins one.
    ///
    /// # Errors
    /// [`AttributionError`]; nothing is booked then.
    pub fn observe(
        &mut self,
        now: &Moment,
        account: &Account,
        happened: &Happened,
    ) -> Result<(Step, Option<Point>), AttributionError> {
        let done = step(&self.seen, now, account, happened)?;
        let mut next = *self;
        next.sums = self.sums.plus(&done.gain)?;
        next.flow = add(self.flow, done.flow)?;
        next.outside = add(self.outside, done.outside)?;
        next.seen = done.seen;
        let point = next.next_point()?;
        *self = next;
        Ok((done, point))
    }

    /// The point of the interval that the last sight lies in, if there is none yet.
    ///
    /// # Errors
    /// [`AttributionError`].
    pub fn next_point(&mut self) -> Result<Option<Point>, AttributionError> {
        let interval_secs = Point::interval_secs(self.seen.secs);
        if interval_secs <= self.last_point_secs {
            return Ok(None);
        }
        let point = Point::new(self)?;
        self.last_point_secs = interval_secs;
        Ok(Some(point))
    }

    /// Books costs that nobody pays out of the position's equity.
    ///
    /// # Errors
    /// [`AttributionError`]; nothing is booked then.
    pub fn book_outside_costs(&mut self, costs: u128) -> Result<(), AttributionError> {
        self.book_outside(-crate::sums::signed(costs)?)
    }

    /// Takes back what [`Track::book_outside_costs`] has booked.
    ///
    /// # Errors
    /// [`AttributionError`]; nothing is booked then.
    pub fn give_outside_costs_back(&mut self, costs: u128) -> Result<(), AttributionError> {
        self.book_outside(crate::sums::signed(costs)?)
    }

    fn book_outside(&mut self, outside: i128) -> Result<(), AttributionError> {
        let booked = add(self.sums.costs, outside)?;
        self.outside = add(self.outside, outside)?;
        self.sums.costs = booked;
        Ok(())
    }

    /// The position does not exist any more: what it was worth went to its owner.
    ///
    /// # Errors
    /// [`AttributionError`]; nothing is booked then.
    pub fn close(&mut self, secs: i64) -> Result<(), AttributionError> {
        if self.closed_secs.is_none() {
            self.flow = subtract(self.flow, self.seen.equity()?)?;
            self.closed_secs = Some(secs.max(self.seen.secs));
        }
        Ok(())
    }

    /// The oracle's price at the first sight.
    ///
    /// # Errors
    /// [`AttributionError`] for a price out of range.
    pub fn first_price(&self) -> Result<SqrtPrice, AttributionError> {
        Ok(SqrtPrice::new(self.first_price_x64).map_err(ModelError::from)?)
    }

    /// Equity now, raw quote units; none once it is closed.
    ///
    /// # Errors
    /// [`AttributionError`].
    pub fn equity(&self) -> Result<i128, AttributionError> {
        match self.closed_secs {
            Some(_) => Ok(0),
            None => Ok(self.seen.equity()?),
        }
    }
}

impl Past {
    /// As it stands in the sums: whatever is known one by one is taken out of `drift`, which holds the gain of that time as a
    /// whole.
    fn sums(&self) -> Result<Sums, AttributionError> {
        let gain = subtract(self.outside, self.flow)?;
        let known = add(self.fees, self.costs)?;
        Ok(Sums {
            fees: self.fees,
            costs: self.costs,
            drift: subtract(gain, known)?,
            ..Sums::ZERO
        })
    }
}

#[cfg(test)]
mod tests;
