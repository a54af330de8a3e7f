//! What keepers do (MATH section 4).

use ballast_client::{
    Pubkey,
    ballast::events::{Deleveraged, DeleveragedWithSwap, Exited, Recentered, Rehedged},
};
use num_traits::{Signed, Zero};

use super::{
    book::Book,
    exact::{Q, bps, int, most},
    follow::{Unfollowed, automatic_leverage, mix},
    judge::{Target, due},
    position::{Deleverage, Position},
    story::Story,
};

/// Liquidity that a deleverage without a swap withdraws, and its doubt.
enum Planned {
    /// With which it reaches a target.
    Part(Q, Q),
    /// Which repays all that can be repaid, and is not enough.
    AsFarAsItGoes(Q, Q),
}

impl Book {
    pub(super) fn rehedged(
        &mut self,
        story: &mut Story,
        event: &Rehedged,
    ) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        let policy = story.stored(&event.position).policy;
        let (oracle, hedge) = (story.oracle.clone(), bps(policy.hedge_bps));
        let due = old.beyond(&oracle, &hedge, &bps(policy.delta_band_bps));
        story.allowed("a rehedge is due", due);

        // Exactly the hedge error, or as much of it as the swap's limit lets through: sold if positive, bought if negative.
        let error = old.hedge_error(&oracle, &hedge);
        let doubt = old.hedge_doubt(&oracle);
        story.same("hedge error", int(event.hedge_error_before), &error, &doubt);
        new.rounded();
        withdraw(story, &mut new, event.liquidity);
        let moved = [event.base_traded, event.quote_traded];
        trade(story, &mut new, &hedge, moved);
        let left = new.hedge_error(&oracle, &hedge);
        let doubt = new.hedge_doubt(&oracle);
        story.same(
            "hedge error left",
            int(event.hedge_error_after),
            &left,
            &doubt,
        );
        self.put(event.position, &old, new);
        Ok(())
    }

    pub(super) fn deleveraged(
        &mut self,
        story: &mut Story,
        event: &Deleveraged,
    ) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        let pool = story.pool_before();
        let (liquidity, slack) = match self.planned(story, &event.position, &event.keeper)? {
            Planned::Part(liquidity, slack) | Planned::AsFarAsItGoes(liquidity, slack) => {
                (liquidity, slack)
            }
        };
        story.same(
            "liquidity",
            int(event.liquidity),
            &liquidity,
            &(&slack + &old.liquidity_slack),
        );
        new.withdraw(&pool, &liquidity, &slack);
        new.settle();
        new.rounded();
        self.put(event.position, &old, new);
        Ok(())
    }

    /// What repaying with what the pool pays takes, for a deleverage that must be due.
    fn planned(
        &self,
        story: &mut Story,
        key: &Pubkey,
        keeper: &Pubkey,
    ) -> Result<Planned, Unfollowed> {
        let old = self.position(key)?;
        let (oracle, pool) = (story.oracle.clone(), story.pool_before());
        let stored = story.stored(key);
        let may = stored.policy.keeper_enabled == 1 || *keeper == stored.owner;
        let market = &story.before.snapshot.market;
        let targets = match due(&old.value(&oracle), market, &stored.policy, may) {
            Target::To(targets) => targets,
            Target::None | Target::Forbidden => {
                story.allowed("a deleverage is due", Some(false));
                return Err(Unfollowed::Unsure("a deleverage that is not due"));
            }
            Target::Unsure => return Err(Unfollowed::Unsure("deleverage's trigger")),
        };
        let mut plan = Deleverage::NeedsSwap;
        for target in targets {
            plan = old.deleverage(&oracle, &pool, &target);
            if !matches!(plan, Deleverage::NeedsSwap) {
                break;
            }
        }
        let (part, doubt, reaches) = match plan {
            Deleverage::Part(part, doubt) => (part, doubt, true),
            Deleverage::NeedsSwap => (old.repayable(&pool), Q::zero(), false),
            Deleverage::Unsure => return Err(Unfollowed::Unsure("deleverage's reach")),
        };
        let liquidity = &old.liquidity * part;
        let mut slack = &old.liquidity * doubt + int(2);
        for (side, unit) in old.unit(&pool).into_iter().enumerate() {
            if unit.is_positive() {
                slack = most(slack, (&old.slack[side] + int(2)) / unit);
            }
        }
        Ok(if reaches {
            Planned::Part(liquidity, slack)
        } else {
            Planned::AsFarAsItGoes(liquidity, slack)
        })
    }

    /// Where repaying reaches the target nothing is swapped. Else how much is withdrawn is taken from the event, and the rest
    /// follows.
    pub(super) fn deleveraged_with_swap(
        &mut self,
        story: &mut Story,
        event: &DeleveragedWithSwap,
    ) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        let hedge = bps(story.stored(&event.position).policy.hedge_bps);
        new.rounded();
        match self.planned(story, &event.position, &event.keeper)? {
            Planned::Part(liquidity, slack) => {
                story.allowed("nothing is swapped", Some(event.base_traded == 0));
                story.same(
                    "liquidity",
                    int(event.liquidity),
                    &liquidity,
                    &(&slack + &old.liquidity_slack),
                );
                new.withdraw(&story.pool_before(), &liquidity, &slack);
            }
            Planned::AsFarAsItGoes(..) => {
                withdraw(story, &mut new, event.liquidity);
                let moved = [event.base_traded, event.quote_traded];
                if event.base_traded > 0 {
                    trade(story, &mut new, &hedge, moved);
                }
            }
        }
        new.settle();
        let oracle = story.oracle.clone();
        let (before, after) = (old.value(&oracle), new.value(&oracle));
        let fell = &after.debt * &before.assets < &before.debt * &after.assets;
        story.allowed("LTV falls", Some(fell));
        for (what, value, said) in [
            ("LTV before", before, event.ltv_before_bps),
            ("LTV afterwards", after, event.ltv_after_bps),
        ] {
            // Rounded up to a basis point.
            let ltv = &value.debt / &value.assets * int(10_000);
            let doubt = &value.doubt * int(20_000) / &value.assets + int(1);
            story.same(what, int(said), &ltv, &doubt);
        }
        self.put(event.position, &old, new);
        Ok(())
    }

    pub(super) fn recentered(
        &mut self,
        story: &mut Story,
        event: &Recentered,
    ) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        new.rounded();
        new.withdraw_all(&story.pool_before());
        new.add(0, &int(event.fees_base));
        new.add(1, &int(event.fees_quote));
        new.settle();
        new.band = Position::empty([event.tick_lower, event.tick_upper]).band;
        let policy = story.stored(&event.position).policy;
        let leverage = automatic_leverage(story, &event.position);
        let leave = bps(policy.delta_target_bps / 2);
        let hedge = bps(policy.hedge_bps);
        // What is traded has no sign in the event: the one that the surplus has.
        let (surplus, ..) = new.surplus(
            [&story.pool_before(), &story.oracle],
            &leverage,
            &hedge,
            &leave,
        );
        let (base, quote) = (int(event.base_traded), int(event.quote_traded));
        let moved = if surplus.is_positive() {
            [base, -quote]
        } else {
            [-base, quote]
        };
        mix(story, &mut new, moved, [&leverage, &hedge, &leave]);
        new.settle();
        let added = new.grow(&story.pool_after(), &leverage, None);
        story.same(
            "liquidity",
            int(event.liquidity),
            &added,
            &new.liquidity_slack,
        );
        story.healthy(&new);
        self.put(event.position, &old, new);
        Ok(())
    }

    pub(super) fn exited(&mut self, story: &mut Story, event: &Exited) -> Result<(), Unfollowed> {
        let old = self.position(&event.position)?;
        let mut new = old.clone();
        new.rounded();
        let fees = [int(event.fees_base), int(event.fees_quote)];
        let unit = new.unit(&story.pool_before());
        let into = story.moved_into_pool();
        for side in 0..2 {
            // Everything that has left the pool, by withdrawal, fees or a swap, has come here.
            let out = &unit[side] * &new.liquidity;
            new.slack[side] += &unit[side] * &new.liquidity_slack + int(2);
            let swapped = &into[side] + &out + &fees[side];
            new.add(side, &(out + &fees[side] - swapped));
        }
        (new.liquidity, new.liquidity_slack) = (Q::zero(), Q::zero());
        new.settle();
        for (side, idle) in [event.idle_base, event.idle_quote].into_iter().enumerate() {
            let slack = &new.slack[side] + int(1);
            story.same("idle", int(idle), &new.idle[side], &slack);
            story.same("debt", Q::zero(), &new.debt[side], &slack);
        }
        self.put(event.position, &old, new);
        Ok(())
    }
}

/// Takes exactly so much liquidity out of the pool.
fn withdraw(story: &Story, position: &mut Position, liquidity: u128) {
    if liquidity > 0 {
        position.withdraw(&story.pool_before(), &int(liquidity), &Q::zero());
    }
}

/// Trades towards the hedge: no more than its error, and then both debts are repaid.
fn trade(story: &mut Story, position: &mut Position, hedge: &Q, [base, quote]: [u64; 2]) {
    let oracle = story.oracle.clone();
    let error = position.hedge_error(&oracle, hedge);
    let doubt = position.hedge_doubt(&oracle);
    let (base, quote) = (int(base), int(quote));
    story.allowed(
        "no more is traded than the hedge error",
        Some(base <= error.abs() + &doubt),
    );
    let sign = if error.is_positive() { int(1) } else { int(-1) };
    position.add(1, &(quote * &sign));
    position.add(0, &(-base * sign));
    position.settle();
    position.rounded();
}
