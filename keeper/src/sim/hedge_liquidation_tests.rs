//! Somebody else liquidates positions that the hedge covers: the hedger sees that the chain's delta is another one, and brings the
//! perpetual there in one direction.

use ballast_strategy::decide::{ActionKind, Decision};
use ballast_venue::hedge::journal::Entry;
use rust_decimal::Decimal;

use super::hedge_scene::{COIN, Scene, ZERO, is_inside, offer, orders, position, secs};
use crate::{KeeperEvent, Mode, hedge::HedgeNow};

/// At this price what was opened at 200 is liquidated.
const GAP: i64 = 330;

/// Somebody has liquidated so many positions in the slot in which the price moved.
fn gap_and_liquidation(scene: &Scene, dollars: i64, count: usize) {
    scene.set_price(dollars);
    let mut world = scene.world.lock();
    let (slot, keeper) = (world.slot(), world.keeper);
    let mut state = world.state_at(slot);
    let addresses: Vec<_> = state.positions.keys().copied().take(count).collect();
    for address in &addresses {
        let (decision, _) = state
            .possible(address, keeper, ActionKind::Liquidate)
            .unwrap();
        let Decision::Act(action, _) = decision else {
            panic!("{decision:?}");
        };
        let before = state.positions[address];
        state.apply(address, &action);
        let after = state.positions[address];
        assert!(after.liquidity.get() < before.liquidity.get());
    }
    world.change_positions(|stored| {
        let after = state
            .positions
            .values()
            .find(|it| it.whirlpool_position == stored.whirlpool_position);
        *stored = *after.unwrap();
    });
}

/// Sizes of the fills, bought ones positive.
fn fills(scene: &Scene) -> Vec<Decimal> {
    let fills = scene.entries().into_iter().filter_map(|entry| match entry {
        Entry::Fill { fill, .. } => Some(fill.side.signed(fill.size)),
        _ => None,
    });
    fills.collect()
}

/// What was traded went one way, and was all that was needed.
fn went_straight(before: &HedgeNow, after: &HedgeNow, fills: &[Decimal]) {
    let needed = position(after) - position(before);
    let traded: Decimal = fills.iter().map(Decimal::abs).sum();
    assert!(!needed.is_zero(), "{after:?}");
    assert_eq!(traded, needed.abs(), "{fills:?}");
}

/// A keeper on a hedge that is in its place.
async fn hedged(scene: &Scene) -> HedgeNow {
    scene.set_price(203);
    let (before, _) = scene.run(Mode::Active, |_| secs(60)).await;
    assert!(position(&before) > ZERO && is_inside(&before), "{before:?}");
    before
}

#[tokio::test(start_paused = true)]
async fn a_liquidation_by_somebody_else_is_followed_by_the_perpetual_without_a_detour() {
    for liquidated in [1, 3] {
        let scene = Scene::new(20);
        let before = hedged(&scene).await;
        let known = fills(&scene).len();
        // What the keeper could do on the chain, it does not come to: others were faster, and what is left is the hedge's.
        let (after, told) = scene
            .run(Mode::Active, async |_| {
                secs(10).await;
                gap_and_liquidation(&scene, GAP, liquidated);
                secs(240).await;
            })
            .await;
        assert!(orders(&told) > 0);
        assert!(is_inside(&after), "{liquidated}: {after:?}");
        went_straight(&before, &after, &fills(&scene)[known..]);
        // Nobody has touched the account at the venue.
        let strangers = told.iter().any(|event| {
            matches!(
                event,
                KeeperEvent::Hedge(crate::hedge::HedgeEvent::OthersTrade { .. })
            )
        });
        assert!(!strangers);
        assert!(
            after.perps[COIN].doing.is_empty() || !after.perps[COIN].doing.contains("disagree")
        );
    }
}

/// The answer to the order after the liquidation is lost: nothing is sent before it is known what became of it.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_in_the_middle_of_a_liquidation_makes_no_second_trade() {
    let (scene, tape) = Scene::new(21).with_tape();
    let scene = scene.muted(1, true);
    let before = hedged(&scene).await;
    let (known, intents) = (fills(&scene).len(), scene.intents());
    assert_eq!(intents, 1);
    let (after, _) = scene
        .run(Mode::Active, async |_| {
            secs(10).await;
            offer(&tape, GAP);
            gap_and_liquidation(&scene, GAP, 3);
            secs(240).await;
        })
        .await;
    assert!(is_inside(&after), "{after:?}");
    assert!(scene.intents() > intents);
    went_straight(&before, &after, &fills(&scene)[known..]);
    let held = tape
        .lock()
        .unwrap()
        .at(0)
        .account(super::hedge_scene::NOBODY)
        .unwrap()
        .position(COIN);
    assert_eq!(held, position(&after));
}
