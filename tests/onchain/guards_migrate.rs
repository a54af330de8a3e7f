//! Accounts of version 1 become accounts of version 2: who does it, once, and what they are then.

use ballast_client::{
    Automation, BallastError, KeeperRules, Limits, MarketMode, PositionContext, RulesSinceVersion2,
    Side, StageRules, instruction,
};
use bytemuck::Zeroable;

use crate::support::{Scene, Sent, accepted, refused};

impl Scene {
    /// Writes everything as version 1 has left it.
    async fn age(&self, position: &PositionContext) {
        self.change_market(|market| {
            market.version = 1;
            market.guardian_mode = 0;
            (market.keepers, market.stages) = Default::default();
            (market.stage, market.pending) = (Zeroable::zeroed(), Zeroable::zeroed());
            market.pending_authority = Default::default();
            market.base_price_account = Default::default();
            market.quote_price_account = Default::default();
            market.mode_until_secs = 0;
            market.guardian_rests_until_secs = 0;
        })
        .await;
        self.change_position(position, |position| {
            position.version = 1;
            position.automation = Zeroable::zeroed();
            position.pending_owner = Default::default();
        })
        .await;
        for side in [Side::Base, Side::Quote] {
            self.change_reserve(&self.world.market.reserve(side), |reserve| {
                reserve.version = 1;
                reserve.pending = Default::default();
                reserve.pending_effective_at_secs = 0;
            })
            .await;
        }
    }

    /// What the authority of the standard world chooses when it migrates.
    pub fn rules(&self) -> RulesSinceVersion2 {
        let params = self.world.config.desired.market_params();
        RulesSinceVersion2 {
            keepers: params.keepers,
            stages: params.stages,
        }
    }

    async fn migrate_market(&self, rules: RulesSinceVersion2) -> Sent {
        let market = &self.world.market;
        let authority = &market.market.authority;
        let migrate = instruction::migrate_market(&market.address, Some((authority, rules)));
        self.send_as_authority(migrate).await
    }

    async fn migrate_position(&self, position: &PositionContext) -> Sent {
        let at = &self.world.market.address;
        let migrate = instruction::migrate_position(at, &position.address);
        self.send(&self.keeper, migrate).await
    }

    async fn migrate_reserves(&self) {
        for side in [Side::Base, Side::Quote] {
            let migrate = instruction::migrate_reserve(&self.world.market.reserve(side));
            accepted(self.send(&self.keeper, migrate.clone()).await);
            refused(
                self.send(&self.keeper, migrate).await,
                BallastError::WrongVersion,
            );
        }
    }
}

#[tokio::test]
async fn a_market_of_the_earlier_version_is_brought_to_this_one() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.age(&position).await;
    refused(scene.close(&position).await, BallastError::WrongVersion);
    // The market comes before its positions; only its authority chooses what is new.
    refused(
        scene.migrate_position(&position).await,
        BallastError::WrongVersion,
    );
    let rules = scene.rules();
    let at = scene.world.market.address;
    let stolen = instruction::migrate_market(&at, Some((&scene.keeper.key(), rules)));
    refused(
        scene.send(&scene.keeper, stolen).await,
        BallastError::NotAuthority,
    );
    // Nor without anybody's signature.
    let mut unsigned = instruction::migrate_market(&at, None);
    let authority = scene.world.market.market.authority;
    unsigned.data = instruction::migrate_market(&at, Some((&authority, rules))).data;
    refused(
        scene.send(&scene.keeper, unsigned).await,
        BallastError::NotAuthority,
    );
    for rules in [
        RulesSinceVersion2 {
            keepers: KeeperRules::default(),
            ..rules
        },
        RulesSinceVersion2 {
            stages: StageRules::default(),
            ..rules
        },
    ] {
        refused(
            scene.migrate_market(rules).await,
            BallastError::BadParameters,
        );
    }
    accepted(scene.migrate_market(rules).await);
    refused(
        scene.migrate_market(rules).await,
        BallastError::WrongVersion,
    );
    scene.migrate_reserves().await;
    accepted(scene.migrate_position(&position).await);
    refused(
        scene.migrate_position(&position).await,
        BallastError::WrongVersion,
    );
    assert_eq!(
        scene.market().await.params(),
        scene.world.config.desired.market_params()
    );
    // Keepers may do no more with a position than they could.
    let stored = scene.world.reload(&position).await.unwrap().position;
    assert_eq!(stored.automation, Automation::OFF);
    scene.price(216).await;
    let args = scene.ticks_around(216, 512);
    refused(
        scene.recenter(&position, &scene.keeper, args).await,
        BallastError::KeeperDisabled,
    );
    accepted(scene.rehedge(&position, &scene.keeper).await);
    // It has had positions: changes need notice.
    let params = ballast_client::MarketParams {
        limits: ballast_client::Limits {
            maintenance_ltv_bps: 8_001,
            ..scene.market().await.limits
        },
        ..scene.market().await.params()
    };
    let update = instruction::update_market(
        &at,
        &scene.world.market.market.whirlpool,
        &authority,
        params,
    );
    accepted(scene.send_as_authority(update).await);
    assert_eq!(scene.market().await.limits.maintenance_ltv_bps, 8_000);
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn a_position_is_migrated_with_its_own_market() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let other = scene.second_market(&bob, Default::default()).await;
    scene
        .change_position(&position, |position| position.version = 1)
        .await;
    let wrong = instruction::migrate_position(&other.address, &position.address);
    refused(
        scene.send(&bob, wrong).await,
        BallastError::WrongPositionAccount,
    );
    accepted(scene.migrate_position(&position).await);
}

#[tokio::test]
async fn a_mode_without_end_ends_after_the_longest_pause() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.age(&position).await;
    scene
        .change_market(|market| market.mode = MarketMode::ReduceOnly as u8)
        .await;
    accepted(scene.migrate_market(scene.rules()).await);
    scene.migrate_reserves().await;
    let now = scene.svm.now_secs();
    let market = scene.market().await;
    assert_eq!(market.mode_at(now + 7 * 86_400 - 1), MarketMode::ReduceOnly);
    assert_eq!(market.mode_at(now + 7 * 86_400), MarketMode::Normal);
}

#[tokio::test]
async fn parameters_that_a_newer_rule_refuses_do_not_lock_a_market() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.age(&position).await;
    scene
        .change_market(|market| {
            let limits = &mut market.limits;
            limits.max_pool_deviation_bps = limits.stress_distance_bps + 1;
        })
        .await;
    accepted(scene.migrate_market(scene.rules()).await);
    scene.migrate_reserves().await;
    accepted(scene.migrate_position(&position).await);
    // What is announced from now on has to obey every rule, but for smaller new positions.
    let authority = scene.world.market.market.authority;
    let at = scene.world.market.address;
    let pool = scene.world.market.market.whirlpool;
    let in_force = scene.market().await.params();
    let update = async |change: fn(&mut Limits)| {
        let mut params = in_force;
        change(&mut params.limits);
        let update = instruction::update_market(&at, &pool, &authority, params);
        scene.send_as_authority(update).await
    };
    let harsher = |limits: &mut Limits| limits.maintenance_ltv_bps -= 1;
    let bare = |limits: &mut Limits| limits.max_position_value = limits.min_position_value - 1;
    for change in [harsher, bare] {
        refused(update(change).await, BallastError::BadParameters);
    }
    accepted(update(|_| ()).await);
    accepted(update(|limits| limits.max_position_value -= 1).await);
    let now = scene.market().await.params();
    let smaller = in_force.limits.max_position_value - 1;
    assert_eq!(now.limits.max_position_value, smaller);
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn without_its_authority_a_market_is_brought_on_and_everybody_leaves() {
    let scene = Scene::new().await;
    let positions = [scene.open(1).await, scene.open(2).await];
    scene.age(&positions[0]).await;
    scene
        .change_position(&positions[1], |position| position.version = 1)
        .await;
    // Parameters that a newer rule refuses do not lock it either.
    scene
        .change_market(|market| {
            let limits = &mut market.limits;
            limits.max_pool_deviation_bps = limits.stress_distance_bps + 1;
        })
        .await;
    let at = scene.world.market.address;
    let migrate = || instruction::migrate_market(&at, None);
    accepted(scene.send(&scene.keeper, migrate()).await);
    refused(
        scene.send(&scene.keeper, migrate()).await,
        BallastError::WrongVersion,
    );
    let params = scene.market().await.params();
    let cautious = RulesSinceVersion2::cautious(&params);
    assert_eq!(
        (params.keepers, params.stages),
        (cautious.keepers, cautious.stages)
    );
    scene.migrate_reserves().await;
    for position in &positions {
        accepted(scene.migrate_position(position).await);
    }
    let market = &scene.world.market;
    let wallet = &scene.alice.wallet;
    let repay = instruction::repay(market, &positions[0], wallet, u64::MAX, u64::MAX);
    accepted(scene.send(&scene.alice, repay).await);
    for position in &positions {
        accepted(scene.close(position).await);
    }
    let shares = scene.reserve(Side::Quote).await.supply_shares;
    let lender = &scene.world.lender;
    let key = ballast_client::Signer::pubkey(lender);
    let withdraw = instruction::withdraw(market, &key, Side::Quote, shares, 0);
    accepted(scene.world.send(lender, vec![withdraw]).await);
    // The authority, when it comes back, chooses otherwise with notice.
    let authority = market.market.authority;
    let mut wanted = params;
    wanted.limits.max_pool_deviation_bps = 100;
    wanted.keepers.max_daily_loss_bps += 1;
    let update = instruction::update_market(&at, &market.market.whirlpool, &authority, wanted);
    accepted(scene.send_as_authority(update).await);
    assert_eq!(scene.market().await.params(), params);
}
