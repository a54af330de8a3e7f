//! What an owner and keepers do with a position between opening and closing: increase, repay, collect, compound, recenter,
//! transfer; and what keepers are paid.

use ballast_client::{
    Automation, BallastError, BallastEvent, Band, IncreaseArgs, Outcome, PositionContext,
    RecenterArgs, Request, Side, Tick, Trade, instruction,
};
use ballast_localnet::{Localnet, UsdPrice};

use crate::support::{Scene, Sent, accepted, refused};

/// Everything allowed, nothing reached.
pub fn automation() -> Automation {
    Automation {
        leverage_bps: 30_000,
        min_width_ticks: 400,
        max_width_ticks: 4_000,
        compound_min_value: 1_000,
        max_exit_loss_bps: 100,
        ..Automation::OFF
    }
}

impl Scene {
    pub async fn automate(&self, position: &PositionContext, automation: Automation) {
        accepted(self.try_automate(position, automation).await);
    }

    pub async fn try_automate(&self, position: &PositionContext, automation: Automation) -> Sent {
        let market = &self.world.market.address;
        let set =
            instruction::set_automation(market, &self.alice.key(), &position.address, automation);
        self.send(&self.alice, set).await
    }

    /// Ticks around a price, each so many ticks away, rounded outwards to the pool's spacing.
    pub fn ticks_around(&self, dollars: i64, half_width: i32) -> RecenterArgs {
        let middle = self
            .world
            .tick_at(UsdPrice::dollars(dollars))
            .unwrap()
            .get();
        let spacing = i32::from(self.world.market.market.tick_spacing);
        let centre = (middle + spacing / 2).div_euclid(spacing) * spacing;
        RecenterArgs {
            tick_lower: centre - half_width,
            tick_upper: centre + half_width,
        }
    }

    pub async fn recenter(
        &self,
        position: &PositionContext,
        by: &ballast_localnet::Trader,
        args: RecenterArgs,
    ) -> Sent {
        let position = self.world.reload(position).await.unwrap();
        let ticks = [args.tick_lower, args.tick_upper];
        self.world.create_tick_arrays(ticks).await.unwrap();
        let (model, _) = self.model(&position).await;
        let pool = self.world.pool().await.unwrap();
        let held = model.pool_amounts_down(pool.sqrt_price).unwrap();
        let empty = ballast_model::Position {
            liquidity: 0,
            idle: model.idle.checked_add(held).unwrap(),
            ..model
        };
        let band = Tick::new(args.tick_lower)
            .and_then(|lower| Band::new(lower, Tick::new(args.tick_upper)?))
            .unwrap_or(model.band);
        let leverage = position
            .position
            .automation
            .leverage(&self.market().await.limits);
        let trade = self.target_trade(&empty, band, leverage).await;
        let path = self.world.market.swap_path(pool.tick_current, trade);
        let market = &self.world.market;
        self.send(
            by,
            instruction::recenter(market, &position, &by.key(), args, &path),
        )
        .await
    }
}

#[tokio::test]
async fn a_keeper_recenters_a_position_that_has_left_its_band() {
    for dollars in [185, 216] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.automate(&position, automation()).await;
        scene.price(dollars).await;
        let (before, oracle) = scene.model(&position).await;
        let args = scene.ticks_around(dollars, 512);
        let receipt = accepted(scene.recenter(&position, &scene.keeper, args).await);
        let recentered = receipt
            .events
            .iter()
            .find_map(|event| match event {
                BallastEvent::Recentered(event) => Some(event),
                _ => None,
            })
            .unwrap();
        let (after, oracle_after) = scene.model(&position).await;
        assert_eq!(oracle, oracle_after);
        let stored = scene.world.reload(&position).await.unwrap().position;
        assert_eq!(
            [stored.tick_lower, stored.tick_upper],
            [args.tick_lower, args.tick_upper]
        );
        assert_eq!(stored.nft_mint, position.position.nft_mint);
        // Delta and leverage are at their targets, and equity is what it was but for the swap.
        let policy = stored.policy;
        let error = after.hedge_error(oracle, policy.hedge()).unwrap();
        let full = after.full_base_up().unwrap();
        assert!(
            error.unsigned_abs() * 10_000 <= u128::from(full) * u128::from(policy.delta_target_bps),
            "{error} of {full}"
        );
        let value = after.value(oracle).unwrap();
        let leverage = value.leverage_bps_up();
        assert!((29_700..=30_300).contains(&leverage), "{leverage}");
        let equity_before = before.value(oracle).unwrap().equity();
        assert_eq!(recentered.equity_after, value.equity());
        let lost = equity_before - value.equity();
        assert!(
            lost <= i128::from(recentered.swap_loss) + 20_000,
            "{lost} lost, {} in the swap",
            recentered.swap_loss
        );
        // It is a whole position: it can be closed.
        let position = scene.world.reload(&position).await.unwrap();
        accepted(scene.close(&position).await);
    }
}

#[tokio::test]
async fn an_owner_increases_and_repays() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (before, oracle) = scene.model(&position).await;
    let args = IncreaseArgs {
        own_base: 100_000_000,
        own_quote: 50_000_000,
        leverage_bps: 25_000,
        min_liquidity: 1,
        max_base_debt: u64::MAX,
        max_quote_debt: u64::MAX,
    };
    let path = scene.world.market.swap_path(
        scene.world.pool().await.unwrap().tick_current,
        Trade::SellBase,
    );
    let market = &scene.world.market;
    let increase = instruction::increase(market, &position, &scene.alice.wallet, args, &path);
    accepted(scene.send(&scene.alice, increase).await);
    let (after, _) = scene.model(&position).await;
    let brought = 50_000_000 + 20_000_000;
    let (was, is) = (before.value(oracle).unwrap(), after.value(oracle).unwrap());
    let gained = is.equity() - was.equity();
    assert!((brought - 100_000..=brought).contains(&gained), "{gained}");
    assert!((24_800..=25_200).contains(&is.leverage_bps_up()));
    assert!(after.liquidity > before.liquidity);

    let repay = instruction::repay(market, &position, &scene.alice.wallet, 1_000_000, u64::MAX);
    accepted(scene.send(&scene.alice, repay).await);
    let (repaid, _) = scene.model(&position).await;
    assert_eq!(repaid.debt.quote, 0);
    assert!(repaid.debt.base.abs_diff(after.debt.base - 1_000_000) <= 1);
    let nothing = instruction::repay(market, &position, &scene.alice.wallet, 0, 7);
    refused(
        scene.send(&scene.alice, nothing).await,
        BallastError::ZeroAmount,
    );
}

/// Somebody trades to and fro, so that positions earn.
async fn trade(scene: &Scene) {
    for dollars in [203.0, 197.0, 200.0] {
        scene.pool(dollars).await;
    }
}

#[tokio::test]
async fn fees_are_collected_and_compounded() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let market = &scene.world.market;
    let compound = || instruction::compound(market, &position, &scene.keeper.key());
    refused(
        scene.send(&scene.keeper, compound()).await,
        BallastError::KeeperDisabled,
    );
    scene.automate(&position, automation()).await;
    refused(
        scene.send(&scene.keeper, compound()).await,
        BallastError::CompoundNotDue,
    );
    trade(&scene).await;
    let (before, oracle) = scene.model(&position).await;
    let receipt = accepted(scene.send(&scene.keeper, compound()).await);
    let (after, _) = scene.model(&position).await;
    let event = receipt
        .events
        .iter()
        .find_map(|event| match event {
            BallastEvent::Compounded(event) => Some(event),
            _ => None,
        })
        .unwrap();
    assert!(event.fees_base > 0 && event.fees_quote > 0);
    assert!(after.liquidity > before.liquidity);
    assert_eq!(after.liquidity - before.liquidity, event.liquidity);
    let (was, is) = (before.value(oracle).unwrap(), after.value(oracle).unwrap());
    assert!(is.equity() > was.equity());
    assert!(is.leverage_bps_up() <= 30_100);

    // The owner takes the next ones out.
    trade(&scene).await;
    let had = scene
        .world
        .wallet_balances(&scene.alice.key())
        .await
        .unwrap();
    let collect = instruction::collect(market, &position, &scene.alice.wallet);
    accepted(scene.send(&scene.alice, collect.clone()).await);
    let has = scene
        .world
        .wallet_balances(&scene.alice.key())
        .await
        .unwrap();
    assert!(has.base > had.base && has.quote > had.quote);
    refused(
        scene.send(&scene.alice, collect).await,
        BallastError::ZeroAmount,
    );
}

/// What is simulated in the second in which interest was booked, and lands much later, has more to do.
#[tokio::test]
async fn a_compute_limit_from_a_simulation_holds_when_interest_has_grown_since() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (market, world) = (&scene.world.market, &scene.world);
    let repay = instruction::repay(market, &position, &scene.alice.wallet, 1_000_000, 1_000_000);
    let request = Request::new(&scene.alice.keypair, [repay]).tables(&world.tables);
    let prepared = world.sender.prepare(&request).await.unwrap();
    scene.svm.pass_time(3_600).await.unwrap();
    let outcome = world.sender.deliver(&prepared).await;
    assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_position_changes_hands_in_two_steps() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (alice, keeper) = (scene.alice.key(), scene.keeper.key());
    let offer = instruction::transfer(&alice, &position.address, keeper);
    let accept = instruction::accept_transfer(&keeper, &position.address);
    refused(
        scene.send(&scene.keeper, accept.clone()).await,
        BallastError::NotOffered,
    );
    accepted(scene.send(&scene.alice, offer.clone()).await);
    // Still alice's.
    let stolen = instruction::transfer(&keeper, &position.address, keeper);
    refused(
        scene.send(&scene.keeper, stolen).await,
        BallastError::NotOwner,
    );
    let take_back = instruction::transfer(&alice, &position.address, Default::default());
    accepted(scene.send(&scene.alice, take_back).await);
    refused(
        scene.send(&scene.keeper, accept.clone()).await,
        BallastError::NotOffered,
    );
    accepted(scene.send(&scene.alice, offer).await);
    accepted(scene.send(&scene.keeper, accept.clone()).await);
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert_eq!(stored.owner, keeper);
    refused(scene.close(&position).await, BallastError::NotOwner);
    refused(
        scene.send(&scene.keeper, accept).await,
        BallastError::NotOffered,
    );
}

#[tokio::test]
async fn keepers_are_paid_what_owner_and_market_allow_and_what_there_is() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let lamports = async |of| scene.lamports(&of).await;
    let rent = lamports(position.address).await;
    scene
        .automate(
            &position,
            Automation {
                reward_lamports: 600_000,
                ..automation()
            },
        )
        .await;
    let give = async |amount| {
        let transfer = solana_transfer(&scene.alice.key(), &position.address, amount);
        accepted(scene.send(&scene.alice, transfer).await);
    };
    give(1_000_000).await;
    let keeper = scene.keeper.key();
    for (dollars, left, paid) in [(195, 400_000, 600_000), (200, 0, 400_000), (205, 0, 0)] {
        scene.wait(5, 200).await;
        scene.price(dollars).await;
        let before = lamports(keeper).await;
        accepted(scene.rehedge(&position, &scene.keeper).await);
        assert_eq!(lamports(position.address).await, rent + left);
        // The keeper pays for its own transaction.
        const FEE_LAMPORTS: u64 = 5_000;
        let has = lamports(keeper).await;
        assert_eq!(has, before + paid - FEE_LAMPORTS, "at {dollars}");
    }
    // An owner who acts is not paid; what is left goes back when asked for.
    give(500_000).await;
    scene.wait(5, 205).await;
    scene.price(200).await;
    accepted(scene.rehedge(&position, &scene.alice).await);
    assert_eq!(lamports(position.address).await, rent + 500_000);
    let reclaim = |by, amount| instruction::reclaim_reward(&by, &position.address, amount);
    refused(
        scene.send(&scene.keeper, reclaim(keeper, 1)).await,
        BallastError::NotOwner,
    );
    let alice = scene.alice.key();
    refused(
        scene.send(&scene.alice, reclaim(alice, 500_001)).await,
        BallastError::RewardTooSmall,
    );
    accepted(scene.send(&scene.alice, reclaim(alice, 100_000)).await);
    accepted(scene.send(&scene.alice, reclaim(alice, u64::MAX)).await);
    assert_eq!(lamports(position.address).await, rent);
    refused(
        scene.send(&scene.alice, reclaim(alice, u64::MAX)).await,
        BallastError::ZeroAmount,
    );
}

#[tokio::test]
async fn a_market_that_allows_less_now_pays_less_and_no_more_often() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let lamports = async || {
        let account = scene.svm.chain().account(&position.address).await.unwrap();
        account.unwrap().lamports
    };
    let asks = Automation {
        reward_lamports: 600_000,
        ..automation()
    };
    scene.automate(&position, asks).await;
    scene
        .change_policy(&position, |policy| policy.min_rebalance_interval_secs = 0)
        .await;
    let give = solana_transfer(&scene.alice.key(), &position.address, 5_000_000);
    accepted(scene.send(&scene.alice, give).await);
    // What the market was made with allows more.
    scene
        .change_limits(|params| {
            params.keepers.max_reward_lamports = 10_000;
            params.limits.min_rebalance_interval_secs = 60;
        })
        .await;
    let before = lamports().await;
    for (wait_secs, paid) in [(100, 10_000), (59, 10_000), (1, 20_000)] {
        scene.wait(wait_secs, 200).await;
        scene.earn().await;
        accepted(scene.compound(&position, &scene.keeper).await);
        assert_eq!(lamports().await, before - paid, "after {wait_secs} s");
    }
}

#[tokio::test]
async fn the_markets_interval_binds_an_owner_who_asks_for_none() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene
        .change_policy(&position, |policy| policy.min_rebalance_interval_secs = 0)
        .await;
    scene
        .change_limits(|params| params.limits.min_rebalance_interval_secs = 60)
        .await;
    for (wait_secs, dollars, due) in [(100, 195, true), (59, 200, false), (1, 200, true)] {
        scene.wait(wait_secs, dollars).await;
        scene.price(dollars).await;
        let sent = scene.rehedge(&position, &scene.keeper).await;
        if due {
            accepted(sent);
        } else {
            refused(sent, BallastError::TooSoon);
        }
    }
}

pub fn solana_transfer(
    from: &ballast_client::Pubkey,
    to: &ballast_client::Pubkey,
    lamports: u64,
) -> ballast_client::Instruction {
    // The system program's second instruction: a 4-byte index and the amount.
    let mut data = vec![2, 0, 0, 0];
    data.extend(lamports.to_le_bytes());
    ballast_client::Instruction {
        program_id: ballast_abi::spl::SYSTEM_PROGRAM,
        accounts: vec![solana_account(*from, true), solana_account(*to, false)],
        data,
    }
}

fn solana_account(
    pubkey: ballast_client::Pubkey,
    is_signer: bool,
) -> solana_sdk::instruction::AccountMeta {
    solana_sdk::instruction::AccountMeta {
        pubkey,
        is_signer,
        is_writable: true,
    }
}

#[tokio::test]
async fn bad_debt_is_covered_and_insurance_funded_by_anyone() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.price(400).await;
    accepted(scene.liquidate(&position).await);
    let market = &scene.world.market;
    let loss = async |side| {
        let reserve = scene.world.snapshot().await.unwrap();
        reserve.reserve(side).bad_debt
    };
    let (side, booked) = match (loss(Side::Base).await, loss(Side::Quote).await) {
        (0, quote) => (Side::Quote, quote),
        (base, _) => (Side::Base, base),
    };
    assert!(booked > 0);
    let payer = &scene.liquidator;
    let cover = |amount| instruction::cover_bad_debt(market, &payer.key(), side, amount);
    refused(
        scene.send(payer, cover(booked + 1)).await,
        BallastError::NotThatMuchBadDebt,
    );
    refused(scene.send(payer, cover(0)).await, BallastError::ZeroAmount);
    let before = scene.reserve(side).await;
    accepted(scene.send(payer, cover(booked)).await);
    let after = scene.reserve(side).await;
    assert_eq!(after.liquidity, before.liquidity + booked);
    assert_eq!(after.supply_shares, before.supply_shares);
    assert_eq!(loss(side).await, 0);

    let fund = instruction::fund_insurance(market, &payer.key(), side, 777);
    accepted(scene.send(payer, fund).await);
    let funded = scene.reserve(side).await;
    assert_eq!(funded.insurance, after.insurance + 777);
    assert_eq!(
        funded.total_assets_down().unwrap(),
        after.total_assets_down().unwrap()
    );
}
