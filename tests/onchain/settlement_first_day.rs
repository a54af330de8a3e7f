//! Who settles first: a token that is made missing, prices that are brought late, and the day that is the owner's.

use ballast_client::{Amounts, BallastError, DecreaseArgs, Side, instruction};
use ballast_localnet::{Localnet, PricePost, UsdPrice};

use crate::{
    settlement::{DAY_SECS, WEEK_SECS, settled},
    support::{ANY, NOTHING, Scene, accepted, refused},
};

impl Scene {
    /// Brings signed prices of so long ago into the market's own accounts.
    async fn bring_old_prices(&self, dollars: i64, age_secs: u64) {
        let then = self.svm.now_secs() - i64::try_from(age_secs).unwrap();
        let base = PricePost::good(Side::Base, UsdPrice::dollars(dollars), then);
        let quote = PricePost::good(Side::Quote, UsdPrice::ONE, then);
        self.world.post(&[base, quote]).await.unwrap();
    }
}

/// The feed died in a spike, and in the pool nothing is missing at the real price: somebody pushes the pool, so that a token is. He does not
/// trade with the position at the last price in that transaction, nor for a day; its owner may.
#[tokio::test]
async fn who_makes_a_token_missing_waits_a_day_and_the_owner_goes_first() {
    for (died_at, days) in [(200, 0), (225, 0), (225, 40)] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.oracle_dies(died_at, WEEK_SECS).await;
        scene.svm.pass_time(days * DAY_SECS).await.unwrap();
        scene.pool(211.0).await;
        let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
        let event = settled(&receipt);
        assert!(!event.complete && event.repaid_quote > 0);
        let (brought, received) = (event.brought_base, event.received_quote);
        assert_eq!((brought, received, event.brought_quote), (0, 0, 0));
        let begun = scene.svm.save();
        for wait_secs in [0, DAY_SECS - 1] {
            scene.svm.restore(&begun);
            scene.svm.pass_time(wait_secs).await.unwrap();
            refused(
                scene.settle(&scene.liquidator, &position, ANY).await,
                BallastError::SettlementFirstDay,
            );
            refused(
                scene.settle(&scene.keeper, &position, Amounts::ZERO).await,
                BallastError::NothingToPayWith,
            );
        }
        // The owner, who has the base, pays the last price and gets the bonus out of what is the owner's own.
        let base = scene.model(&position).await.0.debt.base;
        let enough = Amounts::new(base + base / 100, 0);
        let owner = &scene.alice;
        scene.world.mint_to(&owner.key(), enough).await.unwrap();
        let receipt = accepted(scene.settle(owner, &position, ANY).await);
        assert!(settled(&receipt).complete);
        // Others from the next day on, at the least bonus: nobody was paid for the time before.
        scene.svm.restore(&begun);
        scene.svm.pass_time(DAY_SECS).await.unwrap();
        let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
        let event = settled(&receipt);
        assert!(event.complete && event.brought_base > 0);
        assert_eq!((event.bonus_bps, event.lenders_bonus_bps), (300, 300));
    }
}

/// Old updates go on to be signed ones: one that was published before a settlement began, and is brought into the market's own account
/// after it, does not begin the bonus anew. Who brings something names the least that he takes for it.
#[tokio::test]
async fn an_old_price_that_is_brought_later_does_not_take_the_bonus_back() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(200, WEEK_SECS).await;
    scene.pool(400.0).await;
    assert!(!scene.settle_until_anybody_may(&position).await);
    scene.svm.pass_time(29 * DAY_SECS).await.unwrap();
    // Of a second after the one that was shown last: it costs that second.
    let before = scene.svm.save();
    scene.bring_old_prices(200, 37 * DAY_SECS - 1).await;
    let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
    assert_eq!(settled(&receipt).bonus_bps, 300 + 29 * 500 - 1);
    let got = settled(&receipt).received_quote;
    assert!(got > 0);
    // One that was published after it ends what waits: a week later it begins anew.
    scene.svm.restore(&before);
    scene.bring_old_prices(200, 8 * DAY_SECS).await;
    let least = |quote| Amounts::new(0, quote);
    let receipt = scene.settle_for(&scene.liquidator, &position, ANY, least(1));
    refused(receipt.await, BallastError::GainTooSmall);
    let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
    assert_eq!(
        (settled(&receipt).bonus_bps, settled(&receipt).brought_base),
        (300, 0)
    );
    // To a unit.
    scene.svm.restore(&before);
    let receipt = scene.settle_for(&scene.liquidator, &position, ANY, least(got + 1));
    refused(receipt.await, BallastError::GainTooSmall);
    accepted(
        scene
            .settle_for(&scene.liquidator, &position, ANY, least(got))
            .await,
    );
}

/// Prices of just before a settlement began, brought after it: for a week nothing is settled, and then the owner has his day.
#[tokio::test]
async fn an_old_price_that_is_brought_later_does_not_use_up_the_owners_day() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(200, WEEK_SECS).await;
    scene.pool(211.0).await;
    accepted(scene.settle(&scene.keeper, &position, Amounts::ZERO).await);
    scene.bring_old_prices(200, 1).await;
    scene.svm.pass_time(WEEK_SECS - 2).await.unwrap();
    let settle = || scene.settle(&scene.liquidator, &position, ANY);
    refused(settle().await, BallastError::NotSilentLongEnough);
    for wait_secs in [1, DAY_SECS - 1] {
        scene.svm.pass_time(wait_secs).await.unwrap();
        refused(settle().await, BallastError::SettlementFirstDay);
    }
    scene.svm.pass_time(1).await.unwrap();
    let receipt = accepted(settle().await);
    assert_eq!(settled(&receipt).bonus_bps, 300);
}

/// The feed died in a spike to twice the price: at that price the position is insolvent once the pool is pushed. The owner has no day in which
/// he alone buys what the lenders lose.
#[tokio::test]
async fn an_owner_who_pushes_the_pool_writes_nothing_off_in_the_first_day() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(400, WEEK_SECS).await;
    scene.pool(211.0).await;
    let owed = scene.model(&position).await.0.debt;
    scene.world.mint_to(&scene.alice.key(), owed).await.unwrap();
    let settle = || scene.settle(&scene.alice, &position, ANY);
    let receipt = accepted(settle().await);
    let event = settled(&receipt);
    assert!(!event.complete && event.brought_base == 0);
    scene.svm.pass_time(DAY_SECS - 1).await.unwrap();
    refused(settle().await, BallastError::SettlementFirstDay);
    scene.svm.pass_time(1).await.unwrap();
    assert!(settled(&accepted(settle().await)).complete);
}

/// The day is the owner's, whoever that is by now.
#[tokio::test]
async fn a_new_owner_has_what_is_left_of_the_day() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(230, WEEK_SECS).await;
    accepted(scene.settle(&scene.keeper, &position, Amounts::ZERO).await);
    let (address, heir) = (&position.address, &scene.liquidator);
    let offer = instruction::transfer(&scene.alice.key(), address, heir.key());
    accepted(scene.send(&scene.alice, offer).await);
    scene.svm.pass_time(3_600).await.unwrap();
    let accept = instruction::accept_transfer(&heir.key(), address);
    accepted(scene.send(heir, accept).await);
    let owed = scene.model(&position).await.0.debt;
    scene.world.mint_to(&scene.alice.key(), owed).await.unwrap();
    scene.svm.pass_time(DAY_SECS - 3_601).await.unwrap();
    let begun = scene.svm.save();
    refused(
        scene.settle(&scene.alice, &position, ANY).await,
        BallastError::SettlementFirstDay,
    );
    assert!(settled(&accepted(scene.settle(heir, &position, ANY).await)).complete);
    scene.svm.restore(&begun);
    scene.svm.pass_time(1).await.unwrap();
    assert!(settled(&accepted(scene.settle(&scene.alice, &position, ANY).await)).complete);
}

/// Nothing is in the pool any more, and nothing can be repaid by anybody who brings nothing: the wait for those who do begins all the same.
#[tokio::test]
async fn a_settlement_of_what_has_left_the_pool_before_begins_too() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.oracle_dies(400, WEEK_SECS).await;
    let all = DecreaseArgs {
        liquidity: scene.model(&position).await.0.liquidity,
        ..NOTHING
    };
    accepted(scene.decrease(&position, all).await);
    let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
    let event = settled(&receipt);
    assert_eq!((event.complete, event.repaid_quote), (false, 0));
    scene.svm.pass_time(DAY_SECS).await.unwrap();
    let receipt = accepted(scene.settle(&scene.liquidator, &position, ANY).await);
    assert!(settled(&receipt).complete);
}
