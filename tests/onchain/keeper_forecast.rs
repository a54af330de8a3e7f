//! What the keeper expects of an action is what the chain makes of the position.

use std::time::Duration;

use ballast_client::PositionContext;
use ballast_keeper::execute::{View, ViewRequest};
use ballast_localnet::Localnet;
use ballast_strategy::{
    decide::{ActionKind, Assessment, Decision, assess},
    situation::{Outlook, Situation},
};

use crate::{keeper::Hand, support::Scene};

/// What the keeper would do now, and what it expects of it.
pub async fn foreseen(scene: &Scene, position: &PositionContext, outlook: Outlook) -> Assessment {
    let request = ViewRequest {
        market: &scene.world.market,
        position: position.address,
        fees: None,
        min_slot: 0,
        wallet: None,
    };
    let chain = scene.svm.chain();
    let view = View::fetch(chain.as_ref(), &request, Duration::ZERO)
        .await
        .unwrap();
    assess(&Situation {
        market: &view.market,
        position: &view.position.unwrap().position,
        now_secs: view.market.now_secs,
        slot: view.market.slot,
        keeper: scene.keeper.key(),
        funds: None,
        min_gain: 0,
        outlook,
    })
    .unwrap()
}

#[tokio::test]
async fn a_keepers_forecast_is_what_the_chain_makes_of_it() {
    for (dollars, kind) in [
        // Borrowed base is sold, and base is bought with borrowed quote.
        (196, ActionKind::Rehedge),
        (204, ActionKind::Rehedge),
        // Borrowing ends at the target; the rest is the position's own base.
        (188, ActionKind::Rehedge),
        // Above the band, from the owner's trigger to maintenance.
        (246, ActionKind::DeleverageSwap),
        (257, ActionKind::DeleverageSwap),
    ] {
        let scene = Scene::new().await;
        let hand = Hand::new(&scene, "");
        let position = scene.open(1).await;
        scene.price(dollars).await;
        let at = foreseen(&scene, &position, Outlook::default()).await;
        let Decision::Act(action, _) = at.decision else {
            panic!("{dollars}: {:?}", at.decision)
        };
        assert_eq!(action.kind(), kind, "{dollars}");
        let expected = at.expected.unwrap();
        Hand::landed(&hand.act(&position, kind).await);
        let (after, oracle) = scene.model(&position).await;
        assert_eq!(oracle, at.oracle);
        // Liquidity but for the interest of a moment; amounts but for the swap's impact and the rounding of shares: a cent.
        let liquidity = after.liquidity.abs_diff(expected.after.liquidity);
        assert!(
            liquidity <= expected.after.liquidity / 1_000_000,
            "{dollars}"
        );
        for (is, was_expected) in [
            (after.debt.base, expected.after.debt.base),
            (after.debt.quote, expected.after.debt.quote),
            (after.idle.base, expected.after.idle.base),
            (after.idle.quote, expected.after.idle.quote),
        ] {
            assert!(
                is.abs_diff(was_expected) <= 10_000,
                "{dollars}: {after:?} {expected:?}"
            );
        }
        let lost = at.value.equity() - after.equity_down(oracle).unwrap();
        assert!(
            lost.abs_diff(expected.cost.cast_signed()) <= 10_000,
            "{dollars}: {lost} {expected:?}"
        );
        // Nothing is due any more.
        let again = foreseen(&scene, &position, Outlook::default()).await;
        assert_eq!(again.decision, Decision::Nothing, "{dollars}");
    }
}
