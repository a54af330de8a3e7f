//! What each event means for the book.

use ballast_client::{
    BallastEvent, Pubkey,
    ballast::events::{
        Compounded, PositionClosed, PositionDecreased, PositionIncreased, PositionOpened,
        PositionRepaid,
    },
};
use num_traits::{Signed, Zero};

use super::{
    book::{Book, SIDES, oracle},
    exact::{Q, bps, int, least, positive},
    position::{At, Position},
    story::Story,
};
use crate::game::{Played, Step, View};

/// Why the book has to be read from the chain anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfollowed {
    /// An event of a kind that is not known here.
    Event(&'static str),
    /// A decision between two ways was closer than rounding.
    Unsure(&'static str),
}

impl Book {
    /// Does what was done in a step; returns where the chain decided or computed otherwise.
    ///
    /// # Errors
    /// [`Unfollowed`]; the book is then of no more use.
    pub fn follow(
        &mut self,
        step: &Step,
        played: &Played,
        before: &View,
        after: &View,
    ) -> Result<Vec<String>, Unfollowed> {
        let mut story = Story {
            step,
            played,
            before,
            after,
            oracle: oracle(before),
            wrong: Vec::new(),
        };
        for (side, token) in SIDES.into_iter().enumerate() {
            let to_secs = after.snapshot.reserve(token).last_accrual_secs;
            if to_secs != self.reserves[side].accrued_at {
                self.accrue(side, to_secs, before);
            }
        }
        for event in &played.events {
            self.event(&mut story, event)?;
        }
        self.limit_shown();
        Ok(story.wrong)
    }

    fn event(&mut self, story: &mut Story, event: &BallastEvent) -> Result<(), Unfollowed> {
        match event {
            BallastEvent::Deposited(lent) => {
                let side = side_of(story, &lent.reserve);
                let (shares, slack) = self.reserves[side].deposit(lent.amount);
                story.same("shares", int(lent.shares), &shares, &slack);
            }
            BallastEvent::Withdrawn(taken) => {
                let side = side_of(story, &taken.reserve);
                let lost = self.shown(side);
                let (amount, slack) = self.reserves[side].redeem(taken.shares, &lost);
                story.same("amount", int(taken.amount), &amount, &slack);
            }
            BallastEvent::InsuranceFunded(funded) => {
                let reserve = &mut self.reserves[side_of(story, &funded.reserve)];
                reserve.liquidity += int(funded.amount);
                reserve.insurance += int(funded.amount);
            }
            BallastEvent::BadDebtCovered(covered) => {
                let reserve = &mut self.reserves[side_of(story, &covered.reserve)];
                reserve.liquidity += int(covered.amount);
                reserve.bad_debt = positive(&reserve.bad_debt - int(covered.amount));
            }
            BallastEvent::PositionOpened(event) => self.opened(story, event)?,
            BallastEvent::PositionIncreased(event) => self.increased(story, event)?,
            BallastEvent::PositionRepaid(event) => self.repaid(story, event)?,
            BallastEvent::PositionDecreased(event) => self.decreased(story, event)?,
            BallastEvent::PositionClosed(event) => self.closed(story, event)?,
            BallastEvent::Compounded(event) => self.compounded(story, event)?,
            BallastEvent::Rehedged(event) => self.rehedged(story, event)?,
            BallastEvent::Deleveraged(event) => self.deleveraged(story, event)?,
            BallastEvent::DeleveragedWithSwap(event) => {
                self.deleveraged_with_swap(story, event)?;
            }
            BallastEvent::Liquidated(event) => self.liquidated(story, event)?,
            BallastEvent::Recentered(event) => self.recentered(story, event)?,
            BallastEvent::Exited(event) => self.exited(story, event)?,
            BallastEvent::LossShown(event) => self.loss_shown(story, event)?,
            BallastEvent::Settled(event) => self.settled(story, event)?,
            // These say what accrual has done already, what a liquidation has done already, or change no amount.
            BallastEvent::Accrued(_)
            | BallastEvent::BadDebtBooked(_)
            | BallastEvent::WriteOffRewarded(_)
            | BallastEvent::PolicySet(_)
            | BallastEvent::AutomationSet(_)
            | BallastEvent::RewardCollected(_)
            | BallastEvent::KeeperRewarded(_)
            | BallastEvent::PositionOffered(_)
            | BallastEvent::PositionTransferred(_)
            | BallastEvent::StageChanged(_)
            | BallastEvent::ModeSet(_)
            | BallastEvent::GuardianSet(_)
            | BallastEvent::AuthorityOffered(_)
            | BallastEvent::AuthorityAccepted(_)
            | BallastEvent::MarketUpdated(_)
            | BallastEvent::MarketChangeAnnounced(_)
            | BallastEvent::ReserveUpdated(_)
            | BallastEvent::ReserveChangeAnnounced(_)
            | BallastEvent::SafetyUpdated(_)
            | BallastEvent::SafetyChangeAnnounced(_)
            | BallastEvent::OracleChangeAnnounced(_)
            | BallastEvent::OracleChangeCancelled(_)
            | BallastEvent::OracleChanged(_)
            | BallastEvent::FirstKeepersSet(_)
            | BallastEvent::LeftToFirstKeepers(_)
            // Collected fees go through a position to its owner.
            | BallastEvent::FeesCollected(_) => (),
            other => return Err(Unfollowed::Event(other.name())),
        }
        Ok(())
    }

    /// The position before an event.
    pub(super) fn position(&self, key: &Pubkey) -> Result<Position, Unfollowed> {
        let found = self.positions.get(key).cloned();
        found.ok_or(Unfollowed::Unsure("a position that is not known"))
    }

    fn opened(&mut self, story: &mut Story, event: &PositionOpened) -> Result<(), Unfollowed> {
        let old = Position::empty([event.tick_lower, event.tick_upper]);
        let mut new = old.clone();
        new.idle = [int(event.own_base), int(event.own_quote)];
        new.rounded();
        let leverage = bps(story.stored(&event.position).automation.leverage_bps);
        let moved = less_liquidity(story, &new, event.liquidity);
        let policy = &event.policy;
        let leave = bps(policy.delta_target_bps / 2);
        mix(
            story,
            &mut new,
            moved,
            [&leverage, &bps(policy.hedge_bps), &leave],
        );
        let added = new.grow(&story.pool_after(), &leverage, None);
        story.same(
            "liquidity",
            int(event.liquidity),
            &added,
            &new.liquidity_slack,
        );
        for (side, borrowed) in [event.borrowed_base, event.borrowed_quote]
            .iter()
            .enumerate()
        {
            let slack = &new.slack[side] + int(1);
            story.same("borrowed", int(*borrowed), &new.debt[side], &slack);
        }
        let oracle = story.oracle.clone();
        let equity = new.equity(&oracle);
        let doubt = new.doubt(&oracle) * int(2);
        story.same("equity", int(event.equity), &equity, &doubt);
        story.healthy(&new);
        let target = new.beyond(
            &oracle,
            &bps(policy.hedge_bps),
            &bps(policy.delta_target_bps),
        );
        story.allowed("delta within target", target.map(|it| !it));
        self.put(event.position, &old, new);
        Ok(())
    }

    /// The leverage that the owner asked for is in no event: the liquidity is taken from it, and the rest follows.
    fn increased(
        &mut self,
        story: &mut Story,
        event: &PositionIncreased,
    ) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        new.rounded();
        let moved = less_liquidity(story, &new, event.liquidity);
        let unit = new.unit(&story.pool_after());
        for (side, own) in [event.own_base, event.own_quote].into_iter().enumerate() {
            let provided = &unit[side] * int(event.liquidity);
            new.add(side, &(int(own) - &moved[side] - provided));
            new.slack[side] += int(2);
        }
        new.liquidity += int(event.liquidity);
        new.settle();
        for (side, owed) in [event.debt_base, event.debt_quote].iter().enumerate() {
            let slack = &new.slack[side] + int(1);
            story.same("debt", int(*owed), &new.debt[side], &slack);
        }
        story.healthy(&new);
        self.put(event.position, &old, new);
        Ok(())
    }

    fn repaid(&mut self, story: &mut Story, event: &PositionRepaid) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        new.rounded();
        for (side, amount) in [event.base, event.quote].into_iter().enumerate() {
            let most = &new.debt[side] + &new.slack[side];
            story.allowed("repaid at most the debt", Some(int(amount) <= most));
            new.debt[side] = positive(&new.debt[side] - int(amount));
        }
        self.put(event.position, &old, new);
        Ok(())
    }

    fn decreased(
        &mut self,
        story: &mut Story,
        event: &PositionDecreased,
    ) -> Result<(), Unfollowed> {
        let &Step::Decrease {
            repay_base,
            repay_quote,
            pay_base,
            pay_quote,
            ..
        } = story.step
        else {
            return Err(Unfollowed::Event("PositionDecreased"));
        };
        let old = self.position(&event.position)?;
        let (repay, pay) = ([repay_base.0, repay_quote.0], [pay_base.0, pay_quote.0]);
        let (new, repaid, paid) =
            decrease(&old, &story.pool_before(), int(event.liquidity), repay, pay);
        for (side, chain) in [event.repaid_base, event.repaid_quote]
            .into_iter()
            .enumerate()
        {
            story.same("repaid", int(chain), &repaid[side], &new.slack[side]);
        }
        for (side, chain) in [event.paid_base, event.paid_quote].into_iter().enumerate() {
            story.same("paid", int(chain), &paid[side], &new.slack[side]);
        }
        let (paid, owing) = (
            event.paid_base > 0 || event.paid_quote > 0,
            !story.stored(&event.position).is_debt_free(),
        );
        if paid && owing {
            story.healthy(&new);
        }
        self.put(event.position, &old, new);
        Ok(())
    }

    fn closed(&mut self, story: &mut Story, event: &PositionClosed) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        new.rounded();
        new.withdraw_all(&story.pool_before());
        new.add(0, &int(event.fees_base));
        new.add(1, &int(event.fees_quote));
        new.settle();
        let brought = [event.brought_base, event.brought_quote];
        for (side, paid) in [event.paid_base, event.paid_quote].into_iter().enumerate() {
            let slack = &new.slack[side] + int(1);
            story.same("paid out", int(paid), &new.idle[side], &slack);
            story.same("brought", int(brought[side]), &new.debt[side], &slack);
        }
        new.debt = [Q::zero(), Q::zero()];
        self.exchange(&old, &new);
        self.positions.remove(&event.position);
        Ok(())
    }

    fn compounded(&mut self, story: &mut Story, event: &Compounded) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        new.rounded();
        let pool = story.pool_before();
        let fees = [int(event.fees_base), int(event.fees_quote)];
        for (side, fee) in fees.iter().enumerate() {
            new.add(side, fee);
        }
        new.settle();
        if event.liquidity > 0 {
            // Fees at the same leverage, and no more.
            let leverage = automatic_leverage(story, &event.position);
            let worth = &fees[0] * &story.oracle.p + &fees[1];
            let unit = new.unit_value(&pool);
            let limit = (
                &leverage * worth / &unit,
                int(4) * &leverage / unit + int(1),
            );
            let added = new.grow(&pool, &leverage, Some(limit));
            story.same(
                "liquidity",
                int(event.liquidity),
                &added,
                &new.liquidity_slack,
            );
            story.healthy(&new);
        }
        self.put(event.position, &old, new);
        Ok(())
    }
}

/// Liquidity out, debts repaid from what is idle then, the rest paid out: each at most as much as asked for.
pub(super) fn decrease(
    old: &Position,
    pool: &At,
    liquidity: Q,
    repay: [u64; 2],
    pay: [u64; 2],
) -> (Position, [Q; 2], [Q; 2]) {
    let mut new = old.clone();
    new.rounded();
    // What is asked for is exact.
    let kept = new.liquidity_slack.clone();
    for (side, amount) in new.unit(pool).into_iter().enumerate() {
        new.idle[side] += amount * &liquidity;
    }
    new.liquidity = positive(&new.liquidity - liquidity);
    new.liquidity_slack = kept;
    let repaid = [0, 1].map(|side| {
        let most = least(new.debt[side].clone(), new.idle[side].clone());
        least(most, int(repay[side]))
    });
    let mut paid = [Q::zero(), Q::zero()];
    for side in 0..2 {
        new.debt[side] -= &repaid[side];
        new.idle[side] -= &repaid[side];
        paid[side] = least(new.idle[side].clone(), int(pay[side]));
        new.idle[side] -= &paid[side];
    }
    (new, repaid, paid)
}

/// What a swap has moved into the pool: all that went in, less the liquidity that was provided after it.
fn less_liquidity(story: &Story, position: &Position, liquidity: u128) -> [Q; 2] {
    let (into, unit) = (story.moved_into_pool(), position.unit(&story.pool_after()));
    [0, 1].map(|side| &into[side] - &unit[side] * int(liquidity))
}

/// Swaps the surplus of base, for as much quote as the pool has taken or given. `[leverage, hedge, part of the full base amount
/// that is left alone]`.
pub(super) fn mix(
    story: &mut Story,
    position: &mut Position,
    moved: [Q; 2],
    [leverage, hedge, leave]: [&Q; 3],
) {
    let (surplus, doubt, left_alone) = position.surplus(
        [&story.pool_before(), &story.oracle],
        leverage,
        hedge,
        leave,
    );
    let swapped = moved.iter().any(|amount| amount.abs() > int(2));
    story.allowed(
        "whether the hedge asks for a swap",
        left_alone.map(|alone| alone != swapped || surplus.abs() <= int(3)),
    );
    if swapped {
        let doubt = doubt + int(2);
        let [base, quote] = moved;
        story.same("base swapped", base, &surplus, &doubt);
        position.add(0, &-surplus);
        position.add(1, &-quote);
        position.slack[0] += doubt;
        position.slack[1] += int(2);
    }
}

/// Leverage that keepers go to.
pub(super) fn automatic_leverage(story: &Story, key: &Pubkey) -> Q {
    let limits = &story.before.snapshot.market.limits;
    let asked = story.stored(key).automation.leverage_bps;
    bps(asked.min(limits.max_leverage_bps).max(10_000))
}

/// Which reserve it is.
pub(super) fn side_of(story: &Story, reserve: &Pubkey) -> usize {
    let market = &story.before.snapshot.market;
    usize::from(market.reserve(SIDES[1]) == *reserve)
}
