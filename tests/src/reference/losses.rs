//! Losses that are shown before they are booked, and settlements at the last price (DESIGN section 2).

use ballast_client::ballast::events::{LossShown, Settled};
use num_traits::{One, Zero};

use super::{
    book::Book,
    exact::{Q, bps, int, least, most, positive},
    follow::Unfollowed,
    liquidation::written_off,
    position::{At, Position, surely},
    story::Story,
};

impl Book {
    /// What is not covered, of both debts alike.
    pub(super) fn loss_shown(
        &mut self,
        story: &mut Story,
        event: &LossShown,
    ) -> Result<(), Unfollowed> {
        let mut position = self.position(&event.position)?;
        let value = position.value(&story.oracle);
        let missing = positive(&value.debt - &value.assets);
        let doubt = &value.doubt * int(2);
        for (side, shown) in [event.loss_base, event.loss_quote].into_iter().enumerate() {
            let part = if value.debt.is_zero() {
                Q::zero()
            } else {
                &position.debt[side] / &value.debt
            };
            let slack = &position.slack[side] + &part * &doubt + int(2);
            let loss = part * &missing;
            story.same("loss shown", int(shown), &loss, &slack);
            (position.shown[side], position.shown_slack[side]) = (loss, slack);
        }
        self.positions.insert(event.position, position);
        Ok(())
    }

    /// What all positions have shown of their debts to a reserve, and its doubt.
    pub(super) fn shown(&self, side: usize) -> (Q, Q) {
        let sum = |of: fn(&Position) -> &[Q; 2]| {
            let each = self.positions.values().map(|position| &of(position)[side]);
            each.fold(Q::zero(), |sum, one| sum + one)
        };
        (
            sum(|position| &position.shown),
            sum(|position| &position.shown_slack),
        )
    }

    /// No more loss is shown than is owed.
    pub(super) fn limit_shown(&mut self) {
        for position in self.positions.values_mut() {
            for side in 0..2 {
                let (shown, owed) = (&position.shown[side], &position.debt[side]);
                if shown.is_zero() {
                    continue;
                }
                let slack = &position.slack[side] + int(1);
                if owed - &slack <= shown + &position.shown_slack[side] {
                    let limited = least(shown.clone(), owed.clone());
                    let slack = most(slack, position.shown_slack[side].clone());
                    (position.shown[side], position.shown_slack[side]) = (limited, slack);
                }
            }
        }
    }

    /// Everything out of the pool, then both debts in the same part: of the token that is short somebody brings what is missing,
    /// for the other token and the bonus.
    pub(super) fn settled(&mut self, story: &mut Story, event: &Settled) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        let market = story.before.snapshot.market;
        let newest = market.newest_sqrt_price_x64.get();
        let last = newest == 0 || newest == event.sqrt_price_x64;
        story.allowed("the last price is the newest", Some(last));
        let at = At::root_x64(event.sqrt_price_x64);
        let slack = &old.liquidity_slack + int(1);
        story.same("liquidity", int(event.liquidity), &old.liquidity, &slack);
        new.rounded();
        new.withdraw_all(&story.pool_before());
        new.add(0, &int(event.fees_base));
        new.add(1, &int(event.fees_quote));

        let bonus = [event.bonus_bps, event.lenders_bonus_bps].map(bps);
        let deal = Deal::of(&new, &at, &bonus)?;
        let repaid = [event.repaid_base, event.repaid_quote];
        let brought = [event.brought_base, event.brought_quote];
        let received = [event.received_base, event.received_quote];
        for side in 0..2 {
            let none = deal.short != Some(side);
            story.allowed(
                "only what is short is brought",
                Some(!none || brought[side] == 0),
            );
            story.allowed("and the other given", Some(none || received[side] == 0));
        }
        let complete = deal.short.is_some() || event.complete;
        story.allowed("where nothing is short it is complete", Some(complete));
        let mut repay = [0, 1].map(|side| deal.share(&new, side));
        if let Some(short) = deal.short {
            let other = 1 - short;
            let (part, slack) = repay[short].clone();
            // What is held of it goes into the debt as well.
            let (all, all_slack) = (part - &new.idle[short], slack + &new.slack[short]);
            let paid = int(brought[short]);
            let (paid, slack) = if event.complete {
                story.same("brought", paid, &all, &all_slack);
                (all.clone(), all_slack.clone())
            } else {
                let less = paid <= &all + &all_slack;
                story.allowed("less is brought than needed", Some(less));
                (paid, Q::zero())
            };
            let mut left = positive(&new.idle[other] - &repay[other].0);
            let mut left_slack = &repay[other].1 + &new.slack[other];
            let mut here = (new.idle[short].clone(), new.slack[short].clone());
            if !event.complete {
                // Of what is left a part is given for a part; where not all is covered, so it is with what is held.
                if all <= Q::zero() {
                    return Err(Unfollowed::Unsure(
                        "which part of what is missing was brought",
                    ));
                }
                let part = least(&paid / &all, Q::one());
                let doubt = (&all_slack + int(1)) / &all;
                let scaled = |(amount, slack): (Q, Q)| {
                    let slack = slack + &amount * &doubt + int(1);
                    (amount * &part, slack)
                };
                (left, left_slack) = scaled((left, left_slack));
                let all_covered = surely(&deal.cover - Q::one(), &deal.doubt);
                if !all_covered.ok_or(Unfollowed::Unsure("whether all is covered"))? {
                    here = scaled(here);
                    repay[other] = scaled(repay[other].clone());
                }
            }
            repay[short] = (&here.0 + &paid, &here.1 + &slack);
            let price = deal.price(&paid);
            let price_slack = deal.price(&(&slack + int(2)));
            let given = least(price, left);
            let given_slack = price_slack + left_slack + int(2);
            story.same("received", int(received[other]), &given, &given_slack);
            new.idle[other] = positive(&new.idle[other] - given);
            new.slack[other] += given_slack;
            new.idle[short] += paid;
            new.slack[short] += slack;
        }
        for (side, (amount, slack)) in repay.into_iter().enumerate() {
            let slack = slack + &new.slack[side] + int(2);
            story.same("repaid", int(repaid[side]), &amount, &slack);
            new.idle[side] = positive(&new.idle[side] - &amount);
            new.debt[side] = positive(&new.debt[side] - &amount);
            new.slack[side] += slack;
        }
        if event.complete {
            new.settle();
        }
        self.exchange(&old, &new);
        if event.complete {
            for side in 0..2 {
                let (lost, slack) = (new.debt[side].clone(), new.slack[side].clone());
                let booked = written_off(story, side, &event.position);
                story.same("written off", int(booked), &lost, &(&slack + int(1)));
                self.reserves[side].write_off(&lost, &slack);
                new.debt[side] = Q::zero();
            }
        }
        self.positions.insert(event.position, new);
        Ok(())
    }
}

/// How a settlement is to be shared out.
struct Deal {
    /// The token of which the position holds less than its part of the debt.
    short: Option<usize>,
    /// Which part of both debts is covered, and its doubt.
    part: Q,
    /// The same, more than all where more is held than owed.
    cover: Q,
    doubt: Q,
    /// What one unit of the token that is short costs in the other, with the bonus.
    rate: Q,
}

impl Deal {
    /// `c = (A + b h) / (D + b d)`, at most all, with the bonus that lenders bear.
    fn of(position: &Position, at: &At, [most, of_lenders]: &[Q; 2]) -> Result<Self, Unfollowed> {
        let (held, owed) = (&position.idle, &position.debt);
        let value = position.value(at);
        let doubt = &value.doubt * int(2);
        let worth = |side: usize, amount: &Q| {
            if side == 0 {
                amount * &at.p
            } else {
                amount.clone()
            }
        };
        let mut short = None;
        for side in 0..2 {
            if owed[side].is_zero() {
                continue;
            }
            let due = &owed[side] * least(&value.assets / &value.debt, Q::one());
            let slack = &owed[side] * &doubt / &value.debt + &position.slack[side] * int(2);
            let missing = surely(due - &held[side], &(slack + int(3)));
            if missing.ok_or(Unfollowed::Unsure("which token is short"))? {
                short = Some(side);
                break;
            }
        }
        let Some(side) = short else {
            return Ok(Self {
                short,
                part: Q::one(),
                cover: Q::one(),
                doubt: Q::zero(),
                rate: Q::zero(),
            });
        };
        let covered = &value.assets + of_lenders * worth(side, &held[side]);
        let needed = &value.debt + of_lenders * worth(side, &owed[side]);
        let with_bonus = Q::one() + most;
        let cover = covered / &needed;
        Ok(Self {
            short,
            part: least(cover.clone(), Q::one()),
            cover,
            doubt: doubt * int(2) * &with_bonus / needed,
            rate: with_bonus * worth(side, &Q::one()) / worth(1 - side, &Q::one()),
        })
    }

    /// What of a debt is repaid, and its doubt: with the token that is held, as far as it goes.
    fn share(&self, position: &Position, side: usize) -> (Q, Q) {
        let (held, owed) = (&position.idle[side], &position.debt[side]);
        let slack = owed * &self.doubt + &position.slack[side] + int(2);
        let share = owed * &self.part;
        if self.short == Some(side) {
            (share, slack)
        } else {
            (least(share, held.clone()), slack)
        }
    }

    fn price(&self, amount: &Q) -> Q {
        amount * &self.rate
    }
}
