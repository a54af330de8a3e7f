//! Where prices and the evidence for a risk stage are taken from.

use ballast_client::{BallastError, Side, instruction};
use ballast_localnet::Localnet;

use crate::{
    support::{Scene, accepted, refused, substitute},
    two::two,
};

#[tokio::test]
async fn evidence_is_taken_from_the_markets_own_accounts_only() {
    let two = two().await;
    let (scene, own) = (&two.scene, &two.scene.world.market);
    let refresh = || instruction::refresh_stage(own);
    let fake = Scene::fresh_address("fake pool");
    scene
        .copy_account(&own.market.whirlpool, &fake, |_| ())
        .await;
    let (base, quote) = (own.reserve(Side::Base), own.reserve(Side::Quote));
    for (from, to, expected) in [
        (
            base,
            two.market.reserve(Side::Base),
            BallastError::WrongReserve,
        ),
        (
            quote,
            two.market.reserve(Side::Quote),
            BallastError::WrongReserve,
        ),
        (base, quote, BallastError::WrongReserve),
        (own.market.whirlpool, fake, BallastError::WrongPool),
        (
            own.market.whirlpool,
            two.position.position.whirlpool_position,
            BallastError::WrongPool,
        ),
        (own.address, two.market.address, BallastError::WrongReserve),
        (
            own.prices.base,
            own.prices.quote,
            BallastError::PriceWrongFeed,
        ),
        (
            own.prices.quote,
            own.market.whirlpool,
            BallastError::PriceWrongOwner,
        ),
    ] {
        let sent = scene.send(&two.bob, substitute(refresh(), from, to)).await;
        refused(sent, expected);
    }
    accepted(scene.send(&two.bob, refresh()).await);
}

#[tokio::test]
async fn what_needs_a_price_takes_no_other_account_for_it() {
    let two = two().await;
    let (scene, own) = (&two.scene, &two.scene.world.market);
    let (base, quote) = (own.prices.base, own.prices.quote);
    let forged = Scene::fresh_address("forged price");
    let forger = scene.svm.programs().whirlpool.id;
    scene
        .copy_account(&base, &forged, |account| account.owner = forger)
        .await;
    let mut actions = two.actions().await;
    // Repaying needs none; paying nothing out neither; closing neither.
    actions.remove(6);
    actions.drain(..2);
    assert_eq!(actions.len(), 10);
    for (by, action) in actions {
        for (from, to, expected) in [
            (base, quote, BallastError::PriceWrongFeed),
            (quote, base, BallastError::PriceWrongFeed),
            (base, forged, BallastError::PriceWrongOwner),
            (quote, own.market.whirlpool, BallastError::PriceWrongOwner),
        ] {
            let sent = scene.send(by, substitute(action.clone(), from, to)).await;
            refused(sent, expected);
        }
    }
    two.all_work().await;
}
