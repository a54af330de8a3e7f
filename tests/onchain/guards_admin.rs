//! What an authority may do at once, what it must announce, and how it hands its power over.

use ballast_client::{
    Automation, BallastError, Market, MarketContext, MarketMode, MarketParams, ReserveParams,
    SafetyRules, Side, Signer, instruction,
};
use ballast_localnet::{Localnet, Trader};

use crate::{
    lifecycle::automation,
    support::{Scene, Sent, accepted, refused},
};

const NOTICE_SECS: u64 = 2 * 86_400;

impl Scene {
    fn params(&self) -> MarketParams {
        self.world.config.desired.market_params()
    }

    async fn update(&self, change: impl FnOnce(&mut MarketParams)) -> Sent {
        let market = &self.world.market;
        let mut params = self.params();
        change(&mut params);
        let update = instruction::update_market(
            &market.address,
            &market.market.whirlpool,
            &market.market.authority,
            params,
        );
        self.send_as_authority(update).await
    }

    async fn apply(&self) -> Sent {
        let market = &self.world.market;
        let apply = instruction::apply_market_change(&market.address, &market.market.whirlpool);
        self.send(&self.keeper, apply).await
    }

    async fn update_quote(&self, change: impl FnOnce(&mut ReserveParams)) -> Sent {
        let market = &self.world.market;
        let mut params = self.reserve_params(Side::Quote);
        change(&mut params);
        let authority = &market.market.authority;
        let update = instruction::update_reserve(market, authority, Side::Quote, params);
        self.send_as_authority(update).await
    }

    async fn apply_quote(&self) -> Sent {
        let apply = instruction::apply_reserve_change(&self.world.market, Side::Quote);
        self.send(&self.keeper, apply).await
    }

    async fn in_force(&self) -> MarketParams {
        self.market().await.params()
    }

    async fn pass(&self, secs: u64) {
        self.svm.pass_time(secs).await.unwrap();
    }
}

#[tokio::test]
async fn what_only_restrains_is_in_force_at_once() {
    let scene = Scene::new().await;
    scene.open(1).await;
    accepted(
        scene
            .update(|params| {
                params.limits.max_position_value -= 1;
            })
            .await,
    );
    let limits = scene.in_force().await.limits;
    let before = scene.params().limits;
    assert_eq!(limits.max_position_value, before.max_position_value - 1);
    refused(scene.apply().await, BallastError::NothingAnnounced);
    // Taking it back is none of that.
    accepted(scene.update(|_| ()).await);
    assert_eq!(scene.in_force().await.limits, limits);
    refused(scene.apply().await, BallastError::NoticeNotOver);
}

#[tokio::test]
async fn what_may_hurt_takes_effect_after_its_notice_once() {
    type Change = fn(&mut MarketParams);
    let changes: [Change; 8] = [
        |p| p.limits.max_leverage_bps -= 1_000,
        |p| p.limits.maintenance_ltv_bps -= 1,
        |p| p.limits.maintenance_ltv_bps += 1,
        |p| p.limits.liquidation_bonus_bps += 1,
        |p| p.oracle_rules.max_age_loose_secs += 1,
        |p| p.keepers.max_daily_loss_bps += 1,
        |p| p.keepers.max_reward_lamports += 1,
        |p| p.stages.deleverage_ltv_bps -= 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let scene = Scene::new().await;
        scene.open(1).await;
        refused(scene.apply().await, BallastError::NothingAnnounced);
        // The first change restrains too, but the second part of it does not.
        let both = |params: &mut MarketParams| {
            change(params);
            params.limits.min_position_value += 1;
        };
        accepted(scene.update(both).await);
        assert_eq!(scene.in_force().await, scene.params(), "change {number}");
        scene.pass(NOTICE_SECS - 1).await;
        refused(scene.apply().await, BallastError::NoticeNotOver);
        assert_eq!(scene.in_force().await, scene.params(), "change {number}");
        scene.pass(1).await;
        accepted(scene.apply().await);
        let mut expected = scene.params();
        both(&mut expected);
        assert_eq!(scene.in_force().await, expected, "change {number}");
        refused(scene.apply().await, BallastError::NothingAnnounced);
    }
}

#[tokio::test]
async fn another_announcement_starts_anew_and_any_other_change_withdraws_it() {
    let scene = Scene::new().await;
    scene.open(1).await;
    let raise = |by| move |params: &mut MarketParams| params.limits.maintenance_ltv_bps += by;
    accepted(scene.update(raise(1)).await);
    scene.pass(NOTICE_SECS - 1).await;
    accepted(scene.update(raise(2)).await);
    scene.pass(NOTICE_SECS - 1).await;
    refused(scene.apply().await, BallastError::NoticeNotOver);
    // The parameters in force take it back.
    accepted(scene.update(|_| ()).await);
    scene.pass(10 * NOTICE_SECS).await;
    refused(scene.apply().await, BallastError::NothingAnnounced);
    accepted(scene.update(raise(1)).await);
    accepted(
        scene
            .update(|params| params.limits.max_leverage_bps -= 1)
            .await,
    );
    scene.pass(10 * NOTICE_SECS).await;
    refused(scene.apply().await, BallastError::NothingAnnounced);
    // What is refused withdraws nothing.
    let later = |params: &mut MarketParams| {
        params.limits.max_leverage_bps -= 1;
        params.limits.maintenance_ltv_bps += 3;
    };
    accepted(scene.update(later).await);
    refused(
        scene
            .update(|params| params.limits.maintenance_ltv_bps = 9_999)
            .await,
        BallastError::BadParameters,
    );
    scene.pass(NOTICE_SECS).await;
    accepted(scene.apply().await);
    let mut expected = scene.params();
    later(&mut expected);
    assert_eq!(scene.in_force().await, expected);
}

#[tokio::test]
async fn a_market_without_reserves_changes_at_once_and_one_with_lenders_does_not() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let pool = scene.pool_addresses();
    let args = scene.market_args(Default::default());
    let init = instruction::init_market(&bob.key(), &pool, args);
    accepted(scene.send(&bob, init).await);
    let address = ballast_client::pda::market(&bob.key(), &pool.whirlpool);
    let chain = scene.svm.chain();
    let context = async || {
        let prices = scene.world.market.prices;
        MarketContext::load(chain.as_ref(), address, prices)
            .await
            .unwrap()
    };
    let update = async |maintenance_ltv_bps| {
        let mut params = scene.params();
        params.limits.maintenance_ltv_bps = maintenance_ltv_bps;
        let update = instruction::update_market(
            &address,
            &scene.world.market.market.whirlpool,
            &bob.key(),
            params,
        );
        accepted(scene.send(&bob, update).await);
        context().await.market.limits.maintenance_ltv_bps
    };
    assert_eq!(update(8_001).await, 8_001);
    // From the first reserve on somebody may have lent.
    let params = scene.reserve_params(Side::Base);
    let init = instruction::init_reserve(&context().await, &bob.key(), Side::Base, params);
    accepted(scene.send(&bob, init).await);
    assert_eq!(update(8_002).await, 8_001);
    let pool = scene.world.market.market.whirlpool;
    let apply = || instruction::apply_market_change(&address, &pool);
    refused(
        scene.send(&scene.keeper, apply()).await,
        BallastError::NoticeNotOver,
    );
    // Nor can it be kept in store for those who come later.
    scene
        .pass(NOTICE_SECS + Market::LAPSE_SECS as u64 + 60)
        .await;
    refused(
        scene.send(&scene.keeper, apply()).await,
        BallastError::NothingAnnounced,
    );
    assert_eq!(update(8_003).await, 8_001);
    scene.pass(NOTICE_SECS).await;
    accepted(scene.send(&scene.keeper, apply()).await);
    assert_eq!(context().await.market.limits.maintenance_ltv_bps, 8_003);
}

#[tokio::test]
async fn reserves_change_with_notice_too() {
    let scene = Scene::new().await;
    let stored = async || {
        let snapshot = scene.world.snapshot().await.unwrap();
        snapshot.reserve(Side::Quote).params()
    };
    let before = scene.reserve_params(Side::Quote);
    refused(scene.apply_quote().await, BallastError::NothingAnnounced);
    // Lower caps at once; what a borrower or lender pays or gets, and higher caps, with notice.
    let lower = |params: &mut ReserveParams| {
        params.supply_cap -= 1;
        params.borrow_cap -= 1;
        params.max_utilisation_bps -= 1;
    };
    accepted(scene.update_quote(lower).await);
    let mut expected = before;
    lower(&mut expected);
    assert_eq!(stored().await, expected);
    type Change = fn(&mut ReserveParams);
    let changes: [Change; 7] = [
        |_| (),
        |p| p.rate_at_zero_bps += 1,
        |p| p.rate_at_kink_bps -= 1,
        |p| p.rate_at_full_bps += 1,
        |p| p.kink_utilisation_bps -= 1,
        |p| p.reserve_factor_bps += 1,
        |p| p.supply_cap += 1,
    ];
    for change in changes {
        let in_force = stored().await;
        accepted(scene.update_quote(change).await);
        assert_eq!(stored().await, in_force);
        scene.pass(NOTICE_SECS - 1).await;
        refused(scene.apply_quote().await, BallastError::NoticeNotOver);
        scene.pass(1).await;
        accepted(scene.apply_quote().await);
        let mut expected = before;
        change(&mut expected);
        assert_eq!(stored().await, expected);
        refused(scene.apply_quote().await, BallastError::NothingAnnounced);
    }
    // Withdrawn, and refused.
    accepted(scene.update_quote(|p| p.rate_at_full_bps += 2).await);
    accepted(scene.update_quote(|p| p.supply_cap += 1).await);
    scene.pass(NOTICE_SECS).await;
    refused(scene.apply_quote().await, BallastError::NothingAnnounced);
    refused(
        scene.update_quote(|p| p.kink_utilisation_bps = 0).await,
        BallastError::BadParameters,
    );
}

/// Above its band a hedged position owes no base. Whoever alone lends base takes it back then, and lends it anew at whatever the authority, a
/// friend, asks for: below the band's end the position has to borrow.
#[tokio::test]
async fn a_reserve_that_nobody_uses_changes_with_notice_while_there_are_positions() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.svm.pass_time(3_600).await.unwrap();
    scene.price(215).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    assert_eq!(scene.model(&position).await.0.debt.base, 0);
    let (market, lender) = (&scene.world.market, &scene.world.lender);
    let stored = async || {
        let snapshot = scene.world.snapshot().await.unwrap();
        *snapshot.reserve(Side::Base)
    };
    let shares = stored().await.supply_shares;
    let withdraw = instruction::withdraw(market, &lender.pubkey(), Side::Base, shares, 0);
    accepted(scene.world.send(lender, vec![withdraw]).await);
    let unused = stored().await;
    assert_eq!((unused.supply_shares, unused.debt_shares.get()), (0, 0));
    let dear = ReserveParams {
        rate_at_zero_bps: 100_000,
        rate_at_kink_bps: 100_000,
        rate_at_full_bps: 100_000,
        ..scene.reserve_params(Side::Base)
    };
    let authority = &market.market.authority;
    let update = || instruction::update_reserve(market, authority, Side::Base, dear);
    accepted(scene.send_as_authority(update()).await);
    assert_eq!(stored().await.params(), unused.params());
    // Of a market without positions nobody needs a notice.
    accepted(scene.close(&position).await);
    accepted(scene.send_as_authority(update()).await);
    assert_eq!(stored().await.params(), dear);
}

#[tokio::test]
async fn authority_changes_hands_in_two_steps() {
    let scene = Scene::new().await;
    let (bob, eve) = (
        scene.world.trader("bob", Default::default()).await.unwrap(),
        scene.world.trader("eve", Default::default()).await.unwrap(),
    );
    let at = scene.world.market.address;
    let authority = scene.world.market.market.authority;
    let offer = |to| instruction::offer_authority(&at, &authority, to);
    let accept = |by: &Trader| instruction::accept_authority(&at, &by.key());
    let accepts = async |by: &Trader| scene.send(by, accept(by)).await;
    refused(accepts(&bob).await, BallastError::NotOffered);
    accepted(scene.send_as_authority(offer(bob.key())).await);
    refused(accepts(&eve).await, BallastError::NotOffered);
    // An offer gives no rights, and can be withdrawn or replaced.
    let set = |by: &Trader| instruction::set_mode(&at, &by.key(), MarketMode::ReduceOnly, 60);
    refused(
        scene.send(&bob, set(&bob)).await,
        BallastError::NotAuthority,
    );
    accepted(scene.send_as_authority(offer(Default::default())).await);
    refused(accepts(&bob).await, BallastError::NotOffered);
    accepted(scene.send_as_authority(offer(bob.key())).await);
    accepted(scene.send_as_authority(offer(eve.key())).await);
    refused(accepts(&bob).await, BallastError::NotOffered);
    accepted(accepts(&eve).await);
    accepted(scene.send(&eve, set(&eve)).await);
    let old = instruction::set_mode(&at, &authority, MarketMode::Normal, 0);
    refused(
        scene.send_as_authority(old).await,
        BallastError::NotAuthority,
    );
    refused(accepts(&eve).await, BallastError::NotOffered);
    // The old one's offers are void.
    refused(
        scene.send_as_authority(offer(bob.key())).await,
        BallastError::NotAuthority,
    );
}

#[tokio::test]
async fn every_rule_for_automation_fires_and_its_edge_passes() {
    type Change = fn(&mut Automation);
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let tick = 443_636;
    let refused_changes: [Change; 24] = [
        |a| a.leverage_bps = 9_999,
        |a| a.leverage_bps = 40_001,
        |a| a.min_width_ticks = 4_001,
        |a| a.min_width_ticks = 0,
        |a| (a.min_width_ticks, a.max_width_ticks) = (1, 0),
        |a| a.edge_bps = 5_000,
        |a| a.window_low_tick = -443_637,
        |a| a.window_low_tick = i32::MIN + 1,
        |a| a.window_high_tick = 443_637,
        |a| a.window_high_tick = i32::MAX - 1,
        |a| (a.window_low_tick, a.window_high_tick) = (5, 5),
        |a| (a.window_low_tick, a.window_high_tick) = (6, 5),
        |a| (a.window_low_tick, a.at_low) = (5, 4),
        |a| (a.window_high_tick, a.at_high) = (5, 4),
        |a| (a.min_equity, a.at_floor) = (5, 255),
        |a| a.at_floor = 1,
        |a| a.at_low = 1,
        |a| a.at_high = 1,
        |a| a.max_exit_loss_bps = 101,
        |a| a.max_daily_loss_bps = 21,
        |a| a.reward_lamports = 1_000_001,
        |a| a.padding = 1,
        |a| a.window_high_tick = i32::MIN,
        |a| a.window_low_tick = i32::MAX,
    ];
    for (number, change) in refused_changes.into_iter().enumerate() {
        let mut wrong = automation();
        change(&mut wrong);
        let sent = scene.try_automate(&position, wrong).await;
        assert!(
            sent.is_err_and(|error| error.is(BallastError::BadPolicy)),
            "change {number}"
        );
    }
    let edges: [Change; 16] = [
        |_| (),
        |a| *a = Automation::OFF,
        |a| a.leverage_bps = 10_000,
        |a| a.leverage_bps = 40_000,
        |a| a.min_width_ticks = 4_000,
        |a| a.min_width_ticks = 1,
        |a| a.edge_bps = 4_999,
        |a| a.window_low_tick = -443_636,
        |a| a.window_high_tick = 443_636,
        |a| (a.window_low_tick, a.window_high_tick) = (4, 5),
        |a| (a.window_low_tick, a.at_low) = (5, 3),
        |a| (a.window_high_tick, a.at_high) = (5, 3),
        |a| (a.min_equity, a.at_floor) = (1, 3),
        |a| a.max_exit_loss_bps = 100,
        |a| a.max_daily_loss_bps = 20,
        |a| a.reward_lamports = 1_000_000,
    ];
    assert_eq!(tick, ballast_client::Tick::MAX.get());
    for change in edges {
        let mut right = automation();
        change(&mut right);
        accepted(scene.try_automate(&position, right).await);
        let stored = scene.world.reload(&position).await.unwrap().position;
        assert_eq!(stored.automation, right);
    }
}

#[tokio::test]
async fn rules_of_the_safety_net_take_effect_after_their_notice_once() {
    type Change = fn(&mut SafetyRules);
    let scene = Scene::new().await;
    let market = &scene.world.market;
    let (at, authority) = (market.address, market.market.authority);
    let apply = || instruction::apply_safety_change(&at);
    let update = |rules| instruction::update_safety(&at, &authority, rules);
    let in_force = async || scene.market().await.safety;
    let mut expected = market.market.safety;
    assert_eq!(expected, scene.world.config.desired.safety.into());
    let applied = async || scene.send(&scene.keeper, apply()).await;
    refused(applied().await, BallastError::NothingAnnounced);
    let stolen = instruction::update_safety(&at, &scene.keeper.key(), expected);
    refused(
        scene.send(&scene.keeper, stolen).await,
        BallastError::NotAuthority,
    );
    // More or less, each may hurt somebody.
    let changes: [Change; 6] = [
        |r| r.grace_secs += 1,
        |r| r.grace_secs -= 2,
        |r| r.max_age_swap_secs -= 1,
        |r| r.max_age_liquidation_secs -= 1,
        |r| r.write_off_bonus_bps -= 1,
        |r| r.max_defensive_loss_bps -= 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let before = expected;
        change(&mut expected);
        accepted(scene.send_as_authority(update(expected)).await);
        scene.pass(NOTICE_SECS - 1).await;
        refused(applied().await, BallastError::NoticeNotOver);
        assert_eq!(in_force().await, before, "change {number}");
        scene.pass(1).await;
        accepted(applied().await);
        assert_eq!(in_force().await, expected, "change {number}");
        refused(applied().await, BallastError::NothingAnnounced);
    }
    // Taken back by what is in force; what is refused takes nothing back.
    let mut other = expected;
    other.grace_secs += 1;
    accepted(scene.send_as_authority(update(other)).await);
    let mut bad = expected;
    bad.grace_secs = 31;
    refused(
        scene.send_as_authority(update(bad)).await,
        BallastError::BadParameters,
    );
    accepted(scene.send_as_authority(update(expected)).await);
    scene.pass(NOTICE_SECS).await;
    refused(applied().await, BallastError::NothingAnnounced);
    // Also where what is in force is older than a rule about it.
    let mut old = expected;
    old.max_age_liquidation_secs = 1;
    refused(
        scene.send_as_authority(update(old)).await,
        BallastError::BadParameters,
    );
    accepted(scene.send_as_authority(update(other)).await);
    scene.change_market(|market| market.safety = old).await;
    accepted(scene.send_as_authority(update(old)).await);
    scene.pass(NOTICE_SECS).await;
    refused(applied().await, BallastError::NothingAnnounced);
    scene.change_market(|market| market.safety = expected).await;
    // Nor can it be kept in store.
    accepted(scene.send_as_authority(update(other)).await);
    scene
        .pass(NOTICE_SECS + Market::LAPSE_SECS as u64 + 1)
        .await;
    refused(applied().await, BallastError::NothingAnnounced);
}

#[tokio::test]
async fn a_market_begins_with_checked_rules_of_the_safety_net_and_changes_them_while_unused() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let pool = scene.pool_addresses();
    let mut args = scene.market_args(Default::default());
    args.safety.grace_secs = 31;
    let init = |args| instruction::init_market(&bob.key(), &pool, args);
    refused(
        scene.send(&bob, init(args)).await,
        BallastError::BadParameters,
    );
    args.safety = SafetyRules::default();
    accepted(scene.send(&bob, init(args)).await);
    let address = ballast_client::pda::market(&bob.key(), &pool.whirlpool);
    let stored = async || {
        let account = scene.svm.chain().account(&address).await.unwrap();
        let market: Market = ballast_client::decode_at(&address, account.as_ref()).unwrap();
        market.safety
    };
    assert_eq!(stored().await, SafetyRules::default());
    let rules = SafetyRules {
        grace_secs: 7,
        ..SafetyRules::default()
    };
    let update = instruction::update_safety(&address, &bob.key(), rules);
    accepted(scene.send(&bob, update).await);
    assert_eq!(stored().await, rules);
}
