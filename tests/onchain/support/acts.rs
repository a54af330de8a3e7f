//! What owners, keepers and liquidators do to positions.

use ballast_client::{
    Amounts, DecreaseArgs, Instruction, Policy, PositionContext, Side, SwapPath, Trade,
    ballast::targets::{MarketRule, deleverage_due},
    instruction,
};
use ballast_localnet::Trader;
use ballast_model::{HedgedRequest, plan_hedged};

use super::{Scene, Sent, accepted};

/// As much as it takes.
pub const ANY: Amounts = Amounts::new(u64::MAX, u64::MAX);

/// Nothing is repaid and nothing is paid out.
pub const NOTHING: DecreaseArgs = DecreaseArgs {
    liquidity: 0,
    repay_base: 0,
    repay_quote: 0,
    pay_base: 0,
    pay_quote: 0,
};

impl Scene {
    /// The path of the swap that hedges a position as its policy says.
    async fn hedge_path(&self, position: &PositionContext) -> SwapPath {
        let tick = self.world.pool().await.unwrap().tick_current;
        let (model, oracle) = self.model(position).await;
        let policy = self.world.reload(position).await.unwrap().position.policy;
        let error = model.hedge_error(oracle, policy.hedge()).unwrap();
        let trade = if error < 0 {
            Trade::BuyBase
        } else {
            Trade::SellBase
        };
        self.world.market.swap_path(tick, trade)
    }

    /// An instruction that rehedges.
    pub async fn rehedge_instruction(
        &self,
        position: &PositionContext,
        by: &Trader,
    ) -> Instruction {
        let path = self.hedge_path(position).await;
        instruction::rehedge(&self.world.market, position, &by.key(), &path)
    }

    /// Rehedges.
    pub async fn rehedge(&self, position: &PositionContext, by: &Trader) -> Sent {
        let rehedge = self.rehedge_instruction(position, by).await;
        self.send(by, rehedge).await
    }

    /// Deleverages.
    pub async fn deleverage(&self, position: &PositionContext, by: &Trader) -> Sent {
        let deleverage = instruction::deleverage(&self.world.market, position, &by.key());
        self.send(by, deleverage).await
    }

    /// The path of the swap that a deleverage makes, whose direction follows from what is withdrawn for it.
    async fn deleverage_path(&self, position: &PositionContext, by: &Trader) -> SwapPath {
        let snapshot = self.world.snapshot().await.unwrap();
        let (model, oracle) = self.model(position).await;
        let stored = self.world.reload(position).await.unwrap().position;
        let (policy, limits) = (stored.policy, snapshot.market.limits);
        let may = policy.keeper_enabled == 1 || by.key() == stored.owner;
        let value = model.value(oracle).unwrap();
        let due = deleverage_due(MarketRule::of(&snapshot.market), &policy, may, &value);
        let room = |side| {
            let state = snapshot.reserve_at(side, snapshot.now_secs).unwrap();
            snapshot.reserve(side).caps().room_down(&state).unwrap()
        };
        let plan = due.ok().and_then(|due| {
            let max_loss = due.max_swap_loss(&limits, &policy);
            let request = HedgedRequest {
                hedge: policy.hedge(),
                target: due.target,
                loss: max_loss,
                max_loss,
                room: Amounts::new(room(Side::Base), room(Side::Quote)),
            };
            plan_hedged(&model, oracle, snapshot.pool.sqrt_price, &request).ok()
        });
        match plan.and_then(|plan| plan.trade) {
            Some(planned) => {
                let tick = snapshot.pool.tick_current;
                self.world.market.swap_path(tick, planned.trade)
            }
            // What cannot be planned is refused, or takes no swap.
            None => self.hedge_path(position).await,
        }
    }

    /// Deleverages, with a swap where it takes one.
    pub async fn deleverage_swap(&self, position: &PositionContext, by: &Trader) -> Sent {
        let path = self.deleverage_path(position, by).await;
        let market = &self.world.market;
        let deleverage = instruction::deleverage_swap(market, position, &by.key(), &path);
        self.send(by, deleverage).await
    }

    /// LTV at the oracle's price, rounded up.
    pub async fn ltv_bps(&self, position: &PositionContext) -> u32 {
        let (model, oracle) = self.model(position).await;
        model.value(oracle).unwrap().ltv_bps_up()
    }

    /// The liquidator liquidates and may pay whatever it takes.
    pub async fn liquidate(&self, position: &PositionContext) -> Sent {
        self.liquidate_for(position, u64::MAX, u64::MAX).await
    }

    /// The liquidator liquidates and pays at most so much.
    pub async fn liquidate_for(&self, position: &PositionContext, base: u64, quote: u64) -> Sent {
        let by = &self.liquidator;
        let market = &self.world.market;
        let most = Amounts::new(base, quote);
        let liquidate = instruction::liquidate(market, position, &by.key(), &by.wallet, most, 0);
        self.send(by, liquidate).await
    }

    /// Alice decreases.
    pub async fn decrease(&self, position: &PositionContext, args: DecreaseArgs) -> Sent {
        let market = &self.world.market;
        let decrease = instruction::decrease(market, position, &self.alice.wallet, args);
        self.send(&self.alice, decrease).await
    }

    /// Alice closes and pays at most so much.
    pub async fn close_for(&self, position: &PositionContext, base: u64, quote: u64) -> Sent {
        let market = &self.world.market;
        let close = instruction::close(market, position, &self.alice.wallet, base, quote);
        self.send(&self.alice, close).await
    }

    /// Alice closes and pays whatever it takes.
    pub async fn close(&self, position: &PositionContext) -> Sent {
        self.close_for(position, u64::MAX, u64::MAX).await
    }

    /// Alice replaces the policy.
    pub async fn set_policy(&self, position: &PositionContext, policy: Policy) -> Sent {
        let market = &self.world.market.address;
        let set = instruction::set_policy(market, &self.alice.key(), &position.address, policy);
        self.send(&self.alice, set).await
    }

    /// Alice's policy with a change.
    pub async fn change_policy(
        &self,
        position: &PositionContext,
        change: impl FnOnce(&mut Policy),
    ) {
        let mut policy = self.world.policy();
        change(&mut policy);
        accepted(self.set_policy(position, policy).await);
    }
}
