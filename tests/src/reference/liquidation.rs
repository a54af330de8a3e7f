//! What liquidators do, and what is written off (MATH section 4).

use ballast_client::{BallastEvent, Pubkey, ballast::events::Liquidated};
use num_traits::{One, Zero};

use super::{
    book::Book,
    exact::{Q, bps, int, least, most, positive},
    follow::{Unfollowed, side_of},
    position::{Value, surely},
    story::Story,
};
use crate::game::Step;

impl Book {
    pub(super) fn liquidated(
        &mut self,
        story: &mut Story,
        event: &Liquidated,
    ) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let limits = story.before.snapshot.market.limits;
        let (oracle, pool) = (story.oracle.clone(), story.pool_before());
        let Value {
            assets,
            debt,
            doubt,
        } = old.value(&oracle);
        let unhealthy = old
            .value(&oracle)
            .ltv_at_least(&bps(limits.maintenance_ltv_bps));
        story.allowed("LTV is at maintenance", unhealthy);

        // Closes the part f of the debt for the part g of the collateral that leaves D' = t A'.
        let (target, bonus) = (
            bps(limits.target_ltv_bps),
            bps(limits.liquidation_bonus_bps),
        );
        let with_bonus = Q::one() + bonus;
        let room = Q::one() - &target * &with_bonus;
        let full = surely(&with_bonus * &debt - &assets, &(&doubt * int(4)))
            .ok_or(Unfollowed::Unsure("whether to liquidate all"))?;
        let insolvent = surely(&debt - &assets, &(&doubt * int(2)))
            .ok_or(Unfollowed::Unsure("whether debt is covered"))?;
        let (f, g, part_doubt) = if full {
            (Q::one(), Q::one(), Q::zero())
        } else {
            let f = (&debt - &target * &assets) / (&debt * &room);
            let g = &with_bonus * &f * &debt / &assets;
            (
                f,
                g,
                int(2) * &with_bonus * &doubt / (&room * least(assets.clone(), debt.clone())),
            )
        };
        let fees = [int(event.fees_base), int(event.fees_quote)];
        let worth = |amounts: &[Q; 2]| &amounts[0] * &oracle.p + &amounts[1];
        let unit = old.unit(&pool);
        let whole_pot = [0, 1].map(|side| (&old.idle[side] + &unit[side] * &old.liquidity) * &g);
        // Only as much as the collateral is worth, if that is less than the debt.
        let whole = if insolvent {
            least(worth(&whole_pot) / &debt, Q::one())
        } else {
            f
        };
        let repaid = [int(event.repaid_base), int(event.repaid_quote)];
        let whole_repay = worth(&old.debt.clone().map(|debt| debt * &whole));
        let (k, k_doubt) = self.part_paid(story, event, &repaid, &whole_repay, &doubt)?;
        let part = k < Q::one();
        if part && (fees.iter().any(|fee| !fee.is_zero())) {
            return Err(Unfollowed::Unsure("fees that were not paid for"));
        }
        story.allowed("all or a part", Some((full && !part) == event.full));
        let (g, part_doubt) = (&g * &k, &part_doubt + &g * &k_doubt);
        let (liquidity, liquidity_doubt) = (&old.liquidity * &g, &old.liquidity * &part_doubt);
        story.same(
            "liquidity",
            int(event.liquidity),
            &liquidity,
            &(&liquidity_doubt + &old.liquidity_slack + int(1)),
        );
        let mut new = old.clone();
        let out = if full && !part {
            let out = unit.map(|one| one * &new.liquidity);
            new.withdraw_all(&pool);
            out
        } else {
            new.withdraw(&pool, &liquidity, &(liquidity_doubt + int(1)))
        };
        let pot = [0, 1].map(|side| &old.idle[side] * &g + &out[side] + &fees[side]);
        let covered = if insolvent && !part {
            least(worth(&pot) / &debt, Q::one())
        } else {
            &whole * &k
        };
        let repay = [0, 1].map(|side| &old.debt[side] * &covered);
        // What the pot is worth beyond debt and bonus stays with the owner.
        let allowed = &with_bonus * worth(&repay);
        let pot_worth = worth(&pot);
        let given = if pot_worth.is_zero() {
            Q::one()
        } else {
            least(&allowed / &pot_worth, Q::one())
        };
        let seized = pot.map(|amount| amount * &given);
        let value_doubt = (&doubt + old.doubt(&pool)) * int(8) * &with_bonus / room + int(8);
        let scale = value_doubt / most(pot_worth, Q::one());
        let chain = [
            [event.repaid_base, event.repaid_quote],
            [event.seized_base, event.seized_quote],
        ];
        for side in 0..2 {
            let part = &seized[side] * &scale + &repay[side] * &scale;
            new.slack[side] += part + int(3);
            new.idle[side] = positive(&new.idle[side] + &fees[side] - &seized[side]);
            new.debt[side] -= &repay[side];
            let slack = new.slack[side].clone();
            story.same("repaid", int(chain[0][side]), &repay[side], &slack);
            story.same("seized", int(chain[1][side]), &seized[side], &slack);
        }
        let books = insolvent && !part;
        if books {
            new.settle();
        }
        self.exchange(&old, &new);
        if books {
            for (side, repaid) in chain[0].into_iter().enumerate() {
                let (repaid, insured) = (int(repaid), &self.reserves[side].insurance);
                let rate = bps(story
                    .before
                    .snapshot
                    .market
                    .safety
                    .effective()
                    .write_off_bonus_bps);
                let owed = &new.debt[side];
                let earned = least((repaid + owed) * rate, owed.clone());
                let most = least(earned, insured / int(10));
                let paid = int(rewarded(story, side, &event.position));
                let lost = *owed > &new.slack[side] + int(1);
                if lost {
                    let slack = &new.slack[side] + &self.reserves[side].insurance_slack + int(2);
                    story.same("bonus for booking", paid.clone(), &most, &slack);
                }
                let reserve = &mut self.reserves[side];
                reserve.liquidity -= &paid;
                reserve.insurance = positive(&reserve.insurance - &paid);
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

    /// Which part of a liquidation was paid for, and its doubt: all, unless what was brought is all that might be.
    fn part_paid(
        &self,
        story: &mut Story,
        event: &Liquidated,
        repaid: &[Q; 2],
        whole: &Q,
        doubt: &Q,
    ) -> Result<(Q, Q), Unfollowed> {
        let all = (Q::one(), Q::zero());
        if event.full || whole.is_zero() {
            return Ok(all);
        }
        let got = &repaid[0] * &story.oracle.p + &repaid[1];
        let units = (&story.oracle.p + int(1)) * int(3) + doubt * int(4);
        if whole - &got <= units {
            return Ok(all);
        }
        let &Step::Liquidate {
            pay_base,
            pay_quote,
            ..
        } = story.step
        else {
            return Err(Unfollowed::Event("Liquidated"));
        };
        let brought = [
            event.repaid_base.saturating_sub(event.seized_base),
            event.repaid_quote.saturating_sub(event.seized_quote),
        ];
        let exhausted = [pay_base.0, pay_quote.0]
            .into_iter()
            .zip(brought)
            .any(|(most, brought)| brought.saturating_add(4) >= most);
        if !exhausted {
            // The wallet had no more, which is not seen here.
            return Err(Unfollowed::Unsure("what the wallet could pay"));
        }
        Ok((got / whole, units / whole))
    }
}

/// What the chain says it has paid for booking a loss in this step.
fn rewarded(story: &Story, side: usize, position: &Pubkey) -> u64 {
    let mut amounts = story.played.events.iter().filter_map(|event| match event {
        BallastEvent::WriteOffRewarded(paid)
            if paid.position == *position && side_of(story, &paid.reserve) == side =>
        {
            Some(paid.amount)
        }
        _ => None,
    });
    amounts.next().unwrap_or(0)
}

/// What the chain says it has written off in this step.
pub(super) fn written_off(story: &Story, side: usize, position: &Pubkey) -> u64 {
    let mut amounts = story.played.events.iter().filter_map(|event| match event {
        BallastEvent::BadDebtBooked(booked)
            if booked.position == *position && side_of(story, &booked.reserve) == side =>
        {
            Some(booked.amount)
        }
        _ => None,
    });
    amounts.next().unwrap_or(0)
}
