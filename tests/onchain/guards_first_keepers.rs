//! Keepers whom the owner lets go first: what others note, how long they wait, and what waits for nobody.

use ballast_client::{
    Automation, BallastError, BallastEvent, PositionContext, Pubkey, Reaction, Receipt,
    ballast::state::Need, instruction,
};
use ballast_localnet::{Trader, WorldConfig};

use crate::{
    lifecycle::automation,
    support::{Scene, Sent, accepted, refused},
};

const HEAD_START_SECS: u32 = 30;
const NOBODY: Pubkey = Pubkey::new_from_array([0; 32]);

impl Scene {
    async fn try_name(
        &self,
        position: &PositionContext,
        by: &Trader,
        keepers: [Pubkey; 2],
        head_start_secs: u32,
    ) -> Sent {
        let (market, key) = (&self.world.market.address, by.key());
        let address = &position.address;
        let set = instruction::set_first_keepers(market, &key, address, keepers, head_start_secs);
        self.send(by, set).await
    }

    /// The liquidator goes first, the keeper does not.
    async fn name_first(&self, position: &PositionContext) {
        let keepers = [NOBODY, self.liquidator.key()];
        let named = self.try_name(position, &self.alice, keepers, HEAD_START_SECS);
        accepted(named.await);
    }

    async fn stored(&self, position: &PositionContext) -> ballast_client::Position {
        self.world.reload(position).await.unwrap().position
    }
}

/// The need that was noted instead of acting.
#[track_caller]
fn noted(sent: Sent) -> Need {
    let receipt = accepted(sent);
    let told = |event: &&BallastEvent| !matches!(event, BallastEvent::Accrued(_));
    match &receipt.events.iter().filter(told).collect::<Vec<_>>()[..] {
        [BallastEvent::LeftToFirstKeepers(event)] => event.need,
        events => panic!("not only noted: {events:?}"),
    }
}

#[track_caller]
fn acted(sent: Sent) -> Receipt {
    let receipt = accepted(sent);
    let left = |event: &BallastEvent| matches!(event, BallastEvent::LeftToFirstKeepers(_));
    assert!(!receipt.events.iter().any(left), "only noted");
    receipt
}

/// A position with first keepers that is to sell base.
async fn to_sell() -> (Scene, PositionContext) {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.name_first(&position).await;
    scene.price(197).await;
    (scene, position)
}

#[tokio::test]
async fn only_the_owner_names_keepers_and_for_a_minute_at_most() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (one, two) = (scene.keeper.key(), scene.liquidator.key());
    refused(
        scene
            .try_name(&position, &scene.keeper, [one, two], 30)
            .await,
        BallastError::NotOwner,
    );
    for (keepers, secs) in [([one, two], 61), ([one, two], 0), ([NOBODY; 2], 1)] {
        refused(
            scene.try_name(&position, &scene.alice, keepers, secs).await,
            BallastError::BadPolicy,
        );
    }
    for (keepers, secs) in [([one, two], 60), ([NOBODY, one], 1), ([NOBODY; 2], 0)] {
        let receipt = accepted(scene.try_name(&position, &scene.alice, keepers, secs).await);
        let stored = scene.stored(&position).await;
        assert_eq!(
            (stored.first_keepers, stored.head_start_secs),
            (keepers, secs)
        );
        assert!(matches!(
            &receipt.events[..],
            [BallastEvent::FirstKeepersSet(event)]
                if event.keepers == keepers && event.head_start_secs == secs
        ));
    }
}

#[tokio::test]
async fn others_note_a_rehedge_and_do_it_once_the_head_start_is_over() {
    let (scene, position) = to_sell().await;
    let paid = Automation {
        reward_lamports: 1_000,
        ..automation()
    };
    scene.automate(&position, paid).await;
    scene.fund(&position.address, 1_000_000).await;
    let before = scene.stored(&position).await;
    assert_eq!(
        noted(scene.rehedge(&position, &scene.keeper).await),
        Need::SellBase
    );
    // Nothing else has happened, and nobody was paid.
    let mut after = scene.stored(&position).await;
    assert_eq!(after.due_since_secs, scene.svm.now_secs());
    (after.due_need, after.due_since_secs) = (before.due_need, before.due_since_secs);
    assert_eq!(bytemuck::bytes_of(&after), bytemuck::bytes_of(&before));

    for secs in [0, 1, 28] {
        scene.wait(secs, 197).await;
        refused(
            scene.rehedge(&position, &scene.keeper).await,
            BallastError::FirstKeepersTurn,
        );
    }
    scene.wait(1, 197).await;
    acted(scene.rehedge(&position, &scene.keeper).await);
    assert_eq!(scene.stored(&position).await.due_since_secs, 0);
}

#[tokio::test]
async fn first_keepers_and_the_owner_act_at_once_which_ends_the_note() {
    for owner in [false, true] {
        let (scene, position) = to_sell().await;
        let first = if owner {
            &scene.alice
        } else {
            &scene.liquidator
        };
        noted(scene.rehedge(&position, &scene.keeper).await);
        acted(scene.rehedge(&position, first).await);
        assert_eq!(scene.stored(&position).await.due_since_secs, 0);
        // The next need is another one, also of the same kind.
        scene.wait(30, 197).await;
        scene.price(194).await;
        assert_eq!(
            noted(scene.rehedge(&position, &scene.keeper).await),
            Need::SellBase
        );
        acted(scene.rehedge(&position, first).await);
    }
}

/// Else whoever does a little of it each time would have all others wait anew, for ever.
#[tokio::test]
async fn a_part_of_a_rehedge_ends_no_note() {
    let config = WorldConfig {
        // So thin that what moves it by a basis point is less than the hedge error.
        background_value: 200_000_000_000,
        ..WorldConfig::standard().unwrap()
    };
    // Whoever does the part: another, a first keeper or the owner.
    for which in 0..3 {
        let scene = Scene::with(config.clone()).await;
        let position = scene.open(1).await;
        scene.name_first(&position).await;
        scene
            .change_policy(&position, |policy| policy.max_swap_loss_bps = 5)
            .await;
        scene.price(192).await;
        noted(scene.rehedge(&position, &scene.keeper).await);
        scene.wait(30, 192).await;
        let since_secs = scene.stored(&position).await.due_since_secs;
        let by = [&scene.keeper, &scene.liquidator, &scene.alice][which];
        acted(scene.rehedge(&position, by).await);
        let stored = scene.stored(&position).await;
        assert_eq!((stored.rehedges, stored.due_since_secs), (0, since_secs));
        // The others go on as soon as the pool is back, with no other note.
        scene.pool(192.0).await;
        acted(scene.rehedge(&position, &scene.keeper).await);
        assert_eq!(scene.stored(&position).await.due_since_secs, since_secs);
        // Only the whole ends it.
        scene
            .change_policy(&position, |policy| policy.max_swap_loss_bps = 60)
            .await;
        scene.pool(192.0).await;
        acted(scene.rehedge(&position, &scene.keeper).await);
        let stored = scene.stored(&position).await;
        assert_eq!((stored.rehedges, stored.due_since_secs), (1, 0));
    }
}

#[tokio::test]
async fn a_note_ends_by_itself_so_that_a_later_need_has_its_own_head_start() {
    let (scene, position) = to_sell().await;
    noted(scene.rehedge(&position, &scene.keeper).await);
    scene.wait(90, 197).await;
    noted(scene.rehedge(&position, &scene.keeper).await);
    // Until the last second.
    scene.wait(89, 197).await;
    acted(scene.rehedge(&position, &scene.keeper).await);
}

#[tokio::test]
async fn a_note_is_of_one_need() {
    let (scene, position) = to_sell().await;
    assert_eq!(
        noted(scene.rehedge(&position, &scene.keeper).await),
        Need::SellBase
    );
    scene.wait(30, 197).await;
    scene.price(203).await;
    assert_eq!(
        noted(scene.rehedge(&position, &scene.keeper).await),
        Need::BuyBase
    );
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::FirstKeepersTurn,
    );
}

#[tokio::test]
async fn fees_that_are_due_for_long_open_no_other_action() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.name_first(&position).await;
    scene.earn().await;
    assert_eq!(
        noted(scene.compound(&position, &scene.keeper).await),
        Need::Compound
    );
    scene.wait(30, 200).await;
    // The hedge is another need, and matters more: fees cannot be noted over it.
    scene.price(197).await;
    assert_eq!(
        noted(scene.rehedge(&position, &scene.keeper).await),
        Need::SellBase
    );
    refused(
        scene.compound(&position, &scene.keeper).await,
        BallastError::FirstKeepersTurn,
    );
    scene.wait(30, 197).await;
    acted(scene.rehedge(&position, &scene.keeper).await);
    assert_eq!(
        noted(scene.compound(&position, &scene.keeper).await),
        Need::Compound
    );
    refused(
        scene.compound(&position, &scene.keeper).await,
        BallastError::FirstKeepersTurn,
    );
    scene.wait(30, 197).await;
    let receipt = acted(scene.compound(&position, &scene.keeper).await);
    // All of the fees are there still.
    assert!(receipt.events.iter().any(
        |event| matches!(event, BallastEvent::Compounded(event) if event.fees_base > 0 && event.fees_quote > 0)
    ));
    assert_eq!(scene.stored(&position).await.due_since_secs, 0);
}

#[tokio::test]
async fn a_recentering_waits_too_and_hedges_on_the_way() {
    for (dollars, need) in [(216, Need::RecenterHigh), (185, Need::RecenterLow)] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.automate(&position, automation()).await;
        scene.name_first(&position).await;
        scene.price(dollars).await;
        let args = scene.ticks_around(dollars, 512);
        let by = async |by| scene.recenter(&position, by, args).await;
        let rehedge = noted(scene.rehedge(&position, &scene.keeper).await);
        assert_ne!(rehedge, need);
        // A hedge that was noted matters more.
        refused(by(&scene.keeper).await, BallastError::FirstKeepersTurn);
        scene.wait(90, dollars).await;
        assert_eq!(noted(by(&scene.keeper).await), need);
        refused(by(&scene.keeper).await, BallastError::FirstKeepersTurn);
        scene.wait(30, dollars).await;
        acted(by(&scene.keeper).await);
        assert_eq!(scene.stored(&position).await.due_since_secs, 0);
    }
    // By a first keeper or the owner it ends what was noted.
    for owner in [false, true] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.automate(&position, automation()).await;
        scene.name_first(&position).await;
        scene.price(216).await;
        noted(scene.rehedge(&position, &scene.keeper).await);
        let args = scene.ticks_around(216, 512);
        let first = if owner {
            &scene.alice
        } else {
            &scene.liquidator
        };
        acted(scene.recenter(&position, first, args).await);
        assert_eq!(scene.stored(&position).await.due_since_secs, 0);
    }
}

#[tokio::test]
async fn what_is_not_due_or_not_allowed_is_not_noted() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.name_first(&position).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::RehedgeNotDue,
    );
    refused(
        scene.compound(&position, &scene.keeper).await,
        BallastError::KeeperDisabled,
    );
    scene.automate(&position, automation()).await;
    refused(
        scene.compound(&position, &scene.keeper).await,
        BallastError::CompoundNotDue,
    );
    let args = scene.ticks_around(200, 512);
    refused(
        scene.recenter(&position, &scene.keeper, args).await,
        BallastError::RecenterNotDue,
    );
    scene.price(197).await;
    scene
        .change_policy(&position, |policy| policy.keeper_enabled = 0)
        .await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::KeeperDisabled,
    );
    // Too soon after the last one: the first keepers could not act either.
    scene
        .change_policy(&position, |policy| policy.min_rebalance_interval_secs = 60)
        .await;
    acted(scene.rehedge(&position, &scene.liquidator).await);
    scene.wait(59, 197).await;
    scene.price(194).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::TooSoon,
    );
    assert_eq!(scene.stored(&position).await.due_since_secs, 0);
}

#[tokio::test]
async fn deleveraging_exits_and_liquidation_wait_for_nobody() {
    // The policy's trigger and the market's.
    for dollars in [124, 120] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.name_first(&position).await;
        scene.price(dollars).await;
        acted(scene.deleverage(&position, &scene.keeper).await);
    }
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.name_first(&position).await;
    scene.exit_at(&position, 199, Reaction::ExitIntoQuote).await;
    acted(scene.exit(&position, &scene.keeper).await);

    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let keepers = [scene.keeper.key(), NOBODY];
    accepted(scene.try_name(&position, &scene.alice, keepers, 60).await);
    scene.price(260).await;
    acted(scene.liquidate(&position).await);
}

#[tokio::test]
async fn a_new_owner_starts_with_nobody_first() {
    let (scene, position) = to_sell().await;
    let (alice, to) = (scene.alice.key(), &scene.keeper);
    let offer = instruction::transfer(&alice, &position.address, to.key());
    accepted(scene.send(&scene.alice, offer).await);
    let accept = instruction::accept_transfer(&to.key(), &position.address);
    accepted(scene.send(to, accept).await);
    let stored = scene.stored(&position).await;
    assert_eq!(
        (stored.first_keepers, stored.head_start_secs),
        ([NOBODY; 2], 0)
    );
    acted(scene.rehedge(&position, &scene.alice).await);
}
