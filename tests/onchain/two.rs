//! Two markets and two positions: everything that can be done with one of them, to be tried with the accounts of the other.

use ballast_client::{
    Amounts, Automation, DecreaseArgs, IncreaseArgs, Instruction, MarketContext, PositionContext,
    Pubkey, Reaction, RecenterArgs, Trade, instruction,
};
use ballast_localnet::{Trader, UsdPrice};
use ballast_model::{Band, Bps, Position, Target, plan_target};

use crate::{
    lifecycle::automation,
    support::{NOTHING, Scene, Sent, accepted},
};

/// A scene in which alice's position can be rehedged, and somebody else has a market and a position.
pub struct Two {
    /// The world and alice.
    pub scene: Scene,
    /// Alice's position.
    pub position: PositionContext,
    /// Somebody else.
    pub bob: Trader,
    /// Bob's market for the same pool.
    pub market: MarketContext,
    /// Bob's position in alice's market.
    pub other: PositionContext,
}

/// Sets both up.
pub async fn two() -> Two {
    let scene = Scene::new().await;
    let some = Amounts::new(0, 1_000_000_000);
    let bob = scene.world.trader("bob", some).await.unwrap();
    let market = scene.second_market(&bob, Pubkey::default()).await;
    let position = scene.open(1).await;
    let args = scene.example(1);
    let other = scene.world.open(&bob, args).await.unwrap();
    Two {
        scene,
        position,
        bob,
        market,
        other,
    }
}

/// Some own funds, and the leverage of the worked example.
pub const MORE: IncreaseArgs = IncreaseArgs {
    own_base: 0,
    own_quote: 10_000_000,
    leverage_bps: 30_000,
    min_liquidity: 0,
    max_base_debt: u64::MAX,
    max_quote_debt: u64::MAX,
};

impl Two {
    /// Everything that can be done with alice's position, each with its signer; all of it takes reserves and the position's
    /// accounts, and all but repaying takes the pool.
    pub async fn actions(&self) -> Vec<(&Trader, Instruction)> {
        let (scene, position) = (&self.scene, &self.position);
        let market = &scene.world.market;
        let (alice, keeper, liquidator) = (&scene.alice, &scene.keeper, &scene.liquidator);
        let args = DecreaseArgs {
            liquidity: 1_000,
            ..NOTHING
        };
        let max = u64::MAX;
        let band = scene.ticks_around(200, 512);
        let tick = scene.world.pool().await.unwrap().tick_current;
        let path = market.swap_path(tick, Trade::SellBase);
        let (wallet, by) = (&alice.wallet, &keeper.key());
        vec![
            (alice, instruction::decrease(market, position, wallet, args)),
            (
                alice,
                instruction::close(market, position, wallet, max, max),
            ),
            (keeper, scene.rehedge_instruction(position, keeper).await),
            (keeper, instruction::deleverage(market, position, by)),
            (
                keeper,
                instruction::deleverage_swap(market, position, by, &path),
            ),
            (
                liquidator,
                instruction::liquidate(
                    market,
                    position,
                    &liquidator.key(),
                    &liquidator.wallet,
                    Amounts::new(max, max),
                    0,
                ),
            ),
            (
                alice,
                instruction::repay(market, position, wallet, 1_000, 1_000),
            ),
            (
                alice,
                instruction::increase(market, position, wallet, MORE, &path),
            ),
            (alice, instruction::collect(market, position, wallet)),
            (keeper, instruction::compound(market, position, by)),
            (
                keeper,
                instruction::recenter(market, position, by, band, &path),
            ),
            (
                keeper,
                instruction::recenter_replacing(market, position, by, band, &path),
            ),
            (keeper, instruction::exit(market, position, by, &path)),
        ]
    }

    /// All actions work with the accounts that they were made for.
    pub async fn all_work(&self) {
        let (scene, position) = (&self.scene, &self.position);
        let args = DecreaseArgs {
            liquidity: 1_000,
            ..NOTHING
        };
        accepted(scene.decrease(position, args).await);
        accepted(scene.increase(position, MORE).await);
        let market = &scene.world.market;
        let repay = instruction::repay(market, position, &scene.alice.wallet, 1_000, 1_000);
        accepted(scene.send(&scene.alice, repay).await);
        scene.price(115).await;
        accepted(scene.deleverage(position, &scene.keeper).await);
        scene.price(200).await;
        accepted(scene.rehedge(position, &scene.keeper).await);
        scene.price(380).await;
        accepted(scene.liquidate(position).await);
        accepted(scene.close(position).await);
        scene.price(200).await;
        self.keepers_work().await;
    }

    async fn keepers_work(&self) {
        let scene = &self.scene;
        let position = &scene.open(7).await;
        scene.automate(position, automation()).await;
        scene.earn().await;
        let market = &scene.world.market;
        let collect = instruction::collect(market, position, &scene.alice.wallet);
        accepted(scene.send(&scene.alice, collect).await);
        scene.earn().await;
        accepted(scene.compound(position, &scene.keeper).await);
        scene.price(215).await;
        let band = scene.ticks_around(215, 512);
        accepted(scene.recenter(position, &scene.keeper, band).await);
        scene.wait(10, 215).await;
        scene.price(230).await;
        let band = scene.ticks_around(230, 512);
        accepted(
            scene
                .recenter_replacing(position, &scene.keeper, band)
                .await,
        );
        scene.exit_at(position, 229, Reaction::ExitAsIs).await;
        accepted(scene.exit(position, &scene.keeper).await);
        let position = scene.world.reload(position).await.unwrap();
        accepted(scene.close(&position).await);
    }
}

impl Scene {
    /// Somebody trades to and fro at 200, so that positions earn.
    pub async fn earn(&self) {
        for dollars in [203.0, 197.0, 200.0] {
            self.pool(dollars).await;
        }
    }

    /// Which way a position trades on its way to a band and leverage, fully hedged.
    pub async fn target_trade(&self, model: &Position, band: Band, leverage: Bps) -> Trade {
        let snapshot = self.world.snapshot().await.unwrap();
        let (at, oracle) = (snapshot.pool.sqrt_price, snapshot.oracle_sqrt_price());
        let target = Target {
            leverage,
            hedge: Bps::ONE,
            band,
        };
        let planned = plan_target(model, &target, at, oracle.unwrap_or(at));
        match planned.map_or(0, |plan| plan.base_surplus) {
            0.. => Trade::SellBase,
            _ => Trade::BuyBase,
        }
    }

    /// Alice increases.
    pub async fn increase(&self, position: &PositionContext, args: IncreaseArgs) -> Sent {
        let market = &self.world.market;
        let tick = self.world.pool().await.unwrap().tick_current;
        let (mut model, _) = self.model(position).await;
        model.idle.base += args.own_base;
        model.idle.quote += args.own_quote;
        let leverage = Bps::new(args.leverage_bps);
        let trade = self.target_trade(&model, model.band, leverage).await;
        let path = market.swap_path(tick, trade);
        let increase = instruction::increase(market, position, &self.alice.wallet, args, &path);
        self.send(&self.alice, increase).await
    }

    /// Compounds.
    pub async fn compound(&self, position: &PositionContext, by: &Trader) -> Sent {
        let position = self.world.reload(position).await.unwrap();
        let compound = instruction::compound(&self.world.market, &position, &by.key());
        self.send(by, compound).await
    }

    /// An instruction that recenters with another Whirlpool position in place of the old one.
    pub async fn replacing_instruction(
        &self,
        position: &PositionContext,
        by: &Trader,
        args: RecenterArgs,
    ) -> Instruction {
        let position = self.world.reload(position).await.unwrap();
        let (model, _) = self.model(&position).await;
        let pool = self.world.pool().await.unwrap();
        let trade = if model.delta(pool.sqrt_price).unwrap() < 0 {
            Trade::BuyBase
        } else {
            Trade::SellBase
        };
        let market = &self.world.market;
        let path = market.swap_path(pool.tick_current, trade);
        instruction::recenter_replacing(market, &position, &by.key(), args, &path)
    }

    /// Recenters with another Whirlpool position in place of the old one.
    pub async fn recenter_replacing(
        &self,
        position: &PositionContext,
        by: &Trader,
        args: RecenterArgs,
    ) -> Sent {
        let ticks = [args.tick_lower, args.tick_upper];
        self.world.create_tick_arrays(ticks).await.unwrap();
        let recenter = self.replacing_instruction(position, by, args).await;
        self.send(by, recenter).await
    }

    /// Alice wants out at a price.
    pub async fn exit_at(&self, position: &PositionContext, dollars: i64, reaction: Reaction) {
        let tick = self.world.tick_at(UsdPrice::dollars(dollars)).unwrap();
        let automation = Automation {
            window_high_tick: tick.get(),
            at_high: reaction as u8,
            ..automation()
        };
        self.automate(position, automation).await;
    }

    /// Exits, along the path of the trade that its debts need, or that its reaction does.
    pub async fn exit(&self, position: &PositionContext, by: &Trader) -> Sent {
        let position = self.world.reload(position).await.unwrap();
        let pool = self.world.pool().await.unwrap();
        let (model, _) = self.model(&position).await;
        let stored = &position.position.automation;
        let into_base = [stored.at_low, stored.at_high, stored.at_floor]
            .contains(&(Reaction::ExitIntoBase as u8));
        let trade = if into_base || model.delta(pool.sqrt_price).unwrap() < 0 {
            Trade::BuyBase
        } else {
            Trade::SellBase
        };
        let market = &self.world.market;
        let path = market.swap_path(pool.tick_current, trade);
        let exit = instruction::exit(market, &position, &by.key(), &path);
        self.send(by, exit).await
    }
}
