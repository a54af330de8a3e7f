//! The gain between two sights of a position.
//!
//! The way from one to the next is cut into legs, each a difference of two valuations, so that they add up to the change of
//! equity to the unit: the price moves (drift and curvature), the debts grow (interest), somebody acts (fees, costs, the owner's
//! flows), the price moves on, and fees are found waiting (fees).
//!
//! An action is understood from what the program counts. Its costs are what the program counted as such; what it paid of fees
//! is given, or else follows from the rest where it pays fees at all. What nothing explains is in `drift`: the price moved
//! between the two sights, and the action fell on one in between.

use ballast_model::{Amounts, ModelError, Position, SqrtPrice, value_down};

use crate::{
    Sums,
    account::{Account, AttributionError, Moment, Seen, amounts, pair},
    sums::{add, signed, subtract},
};

/// What is known beside the accounts of what happened between two sights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// Oracle's price at which somebody acted; `None`: the new sight's.
    pub at: Option<SqrtPrice>,
    /// Fees that the pool paid; `None`: not known.
    pub fees_paid: Option<Amounts>,
    /// Fees that wait in the pool now; `None`: nobody has looked.
    pub fees_waiting: Option<Amounts>,
    /// Rewards and fees of transactions, raw quote units. Nobody pays them out of the position's equity.
    pub outside_costs: u128,
}

/// What a step brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The position now.
    pub seen: Seen,
    /// The gain, in five.
    pub gain: Sums,
    /// What the owner brought less what was paid out to him, raw quote units.
    pub flow: i128,
    /// Costs beside the equity, negative; they are in the gain as well.
    pub outside: i128,
    /// Whether the position itself changed.
    pub acted: bool,
}

/// From one sight of a position to the next. `gain.total() == equity after - equity before - flow + outside`.
///
/// # Errors
/// [`AttributionError`]; nothing is booked then.
pub fn step(
    before: &Seen,
    now: &Moment,
    account: &Account,
    happened: &Happened,
) -> Result<Step, AttributionError> {
    if now.slot < before.slot {
        return Err(AttributionError::Older {
            slot: now.slot,
            known: before.slot,
        });
    }
    let acted = *account != before.account;
    let at = happened.at.filter(|_| acted).unwrap_or(now.price);
    let waited = amounts(before.fees);
    let held = before.account.model(&now.reserves)?;
    let new = account.model(&now.reserves)?;

    let mut gain = moved(&before.whole()?, before.price()?, at)?;
    gain.interest = change(&before.whole()?, &held.with_idle(waited)?, at)?;
    let mut waits = waited;
    let mut flow = 0;
    if acted {
        let done = act(before, account, (&held, &new), at, happened)?;
        gain = gain.plus(&done.gain)?;
        (waits, flow) = (done.waits, done.flow);
        gain = gain.plus(&moved(&new.with_idle(waits)?, at, now.price)?)?;
    }
    let found = happened.fees_waiting.unwrap_or(waits);
    let fees = change(&new.with_idle(waits)?, &new.with_idle(found)?, now.price)?;
    let outside = -signed(happened.outside_costs)?;
    gain.fees = add(gain.fees, fees)?;
    gain.costs = add(gain.costs, outside)?;
    Ok(Step {
        seen: Seen {
            secs: now.secs,
            slot: now.slot,
            price_x64: now.price.x64(),
            account: *account,
            debt: pair(new.debt),
            fees: pair(found),
        },
        gain,
        flow,
        outside,
        acted,
    })
}

/// An action at one price.
struct Done {
    gain: Sums,
    flow: i128,
    waits: Amounts,
}

fn act(
    before: &Seen,
    account: &Account,
    (held, new): (&Position, &Position),
    at: SqrtPrice,
    happened: &Happened,
) -> Result<Done, AttributionError> {
    let (old, counted) = (&before.account.counters, &account.counters);
    let since = |old: [u64; 2], new: [u64; 2]| Amounts {
        base: new[0].saturating_sub(old[0]),
        quote: new[1].saturating_sub(old[1]),
    };
    let flow = subtract(
        worth(since(old.brought, counted.brought), at)?,
        worth(since(old.paid_out, counted.paid_out), at)?,
    )?;
    let swaps = counted.swap_loss.saturating_sub(old.swap_loss);
    let bonus = counted
        .liquidation_bonus
        .saturating_sub(old.liquidation_bonus);
    let costs = -(i128::from(swaps) + i128::from(bonus));

    let waited = amounts(before.fees);
    let pays = happened.fees_paid.is_some() || pays_fees(&before.account, account);
    let waits = if pays { Amounts::ZERO } else { waited };
    let whole = held.with_idle(waited)?;
    let jump = change(&whole, &new.with_idle(waits)?, at)?;
    let unexplained = subtract(subtract(jump, flow)?, costs)?;
    let fees = match happened.fees_paid {
        Some(paid) => change(&whole, &held.with_idle(paid)?, at)?,
        None if pays => unexplained,
        None => 0,
    };
    Ok(Done {
        gain: Sums {
            fees,
            costs,
            drift: subtract(unexplained, fees)?,
            ..Sums::ZERO
        },
        flow,
        waits,
    })
}

/// Whether the pool's fees became the position's or the owner's: an action that does that was counted, or the owner was paid
/// although neither liquidity nor idle tokens went.
fn pays_fees(before: &Account, after: &Account) -> bool {
    let counted = before.counters.fee_actions != after.counters.fee_actions;
    let paid = before.counters.paid_out != after.counters.paid_out;
    let same = (before.liquidity, before.idle, before.shares)
        == (after.liquidity, after.idle, after.shares);
    counted || (paid && same)
}

fn moved(position: &Position, from: SqrtPrice, to: SqrtPrice) -> Result<Sums, ModelError> {
    let moved = position.moved(from, to)?;
    Ok(Sums {
        drift: moved.drift,
        curvature: moved.curvature,
        ..Sums::ZERO
    })
}

fn change(before: &Position, after: &Position, at: SqrtPrice) -> Result<i128, ModelError> {
    subtract(after.equity_down(at)?, before.equity_down(at)?)
}

/// Worth of tokens, raw quote units, rounded down.
pub(crate) fn worth(amounts: Amounts, at: SqrtPrice) -> Result<i128, ModelError> {
    add(
        signed(value_down(amounts.base, at)?)?,
        i128::from(amounts.quote),
    )
}

#[cfg(test)]
pub(crate) mod tests;
