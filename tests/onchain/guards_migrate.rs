//! Accounts of version 1 become accounts of version 2: who does it, once, and what they are then.

use ballast_client::{
    Automation, BallastError, KeeperRules, MarketMode, PositionContext, Side, StageRules,
    instruction,
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

    fn migration(&self) -> (KeeperRules, StageRules) {
        let params = self.world.config.desired.market_params();
        (params.keepers, params.stages)
    }

    async fn migrate_market(&self, keepers: KeeperRules, stages: StageRules) -> Sent {
        let market = &self.world.market;
        let authority = &market.market.authority;
        let migrate = instruction::migrate_market(&market.address, authority, keepers, stages);
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
    // The market comes before its positions; its authority decides on what is new.
    refused(
        scene.migrate_position(&position).await,
        BallastError::WrongVersion,
    );
    let (keepers, stages) = scene.migration();
    let at = scene.world.market.address;
    let stolen = instruction::migrate_market(&at, &scene.keeper.key(), keepers, stages);
    refused(
        scene.send(&scene.keeper, stolen).await,
        BallastError::NotAuthority,
    );
    for (keepers, stages) in [
        (KeeperRules::default(), stages),
        (keepers, StageRules::default()),
    ] {
        refused(
            scene.migrate_market(keepers, stages).await,
            BallastError::BadParameters,
        );
    }
    accepted(scene.migrate_market(keepers, stages).await);
    refused(
        scene.migrate_market(keepers, stages).await,
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
    let authority = scene.world.market.market.authority;
    let update = instruction::update_market(&at, &authority, params);
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
    let (keepers, stages) = scene.migration();
    accepted(scene.migrate_market(keepers, stages).await);
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
    let (keepers, stages) = scene.migration();
    accepted(scene.migrate_market(keepers, stages).await);
    scene.migrate_reserves().await;
    accepted(scene.migrate_position(&position).await);
    // What is announced from now on has to obey every rule.
    let authority = scene.world.market.market.authority;
    let at = scene.world.market.address;
    let same = instruction::update_market(&at, &authority, scene.market().await.params());
    refused(
        scene.send_as_authority(same).await,
        BallastError::BadParameters,
    );
    accepted(scene.close(&position).await);
}
