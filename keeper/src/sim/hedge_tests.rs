//! The hedge of a whole keeper on the simulated chain, on the paper venue: what the chain leaves is hedged into the band and not twice,
//! the chain goes first, modes bind, a restart begins with what is unknown, and what others do to the account is answered.

use ballast_strategy::decide::ActionKind;
use ballast_venue::hedge::journal::{Entry, Journal, Origin, file_name};
use rust_decimal::Decimal;

use super::{
    Faults,
    hedge_scene::{BAND, COIN, NOBODY, Scene, ZERO, is_inside, offer, orders, position, secs},
    scene::landed,
};
use crate::{
    Keeper, KeeperEvent, Mode,
    control::{Control, Request, Scope, Verb},
    hedge::HedgeEvent,
};

fn say(verb: Verb) -> Request {
    Request {
        scope: Scope::Keeper,
        verb,
        note: "a test".into(),
        until_secs: None,
        expect_mode: None,
        key: None,
        by: "test".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_chain_leaves_is_hedged_into_the_band_by_one_order_and_a_restart_repeats_nothing()
{
    let scene = Scene::new(1);
    scene.set_price(203);
    let (now, told) = scene.run(Mode::Active, |_| secs(60)).await;
    assert_eq!(
        landed(&scene.world, ActionKind::Rehedge),
        0,
        "the chain had nothing to do"
    );
    let (low, high) = now.perps[COIN].residual.unwrap();
    assert!(low == high && high < -BAND, "{low} {high}");
    assert!(position(&now) > ZERO && is_inside(&now), "{now:?}");
    assert_eq!((orders(&told), scene.intents()), (1, 1));
    assert_eq!(now.orders, [("filled", 1)].into());
    // Half of a spread and the fee are what it has cost.
    let pnl = now.perps[COIN].pnl.unwrap();
    assert!(
        pnl.price < ZERO && pnl.fees < ZERO && pnl.funding.is_zero(),
        "{pnl:?}"
    );
    assert!(
        pnl.price > -Decimal::ONE && pnl.fees > -Decimal::ONE,
        "{pnl:?}"
    );

    // The paper account is as it was.
    let (again, told) = scene.run(Mode::Active, |_| secs(60)).await;
    assert_eq!((orders(&told), scene.intents()), (0, 1));
    assert_eq!(position(&again), position(&now));
    // And what the price gives back is unwound.
    scene.set_price(200);
    let (back, _) = scene.run(Mode::Active, |_| secs(60)).await;
    assert!(
        position(&back) < position(&now) && is_inside(&back),
        "{back:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_due_on_the_chain_is_left_to_it_and_what_is_blocked_there_is_hedged() {
    let scene = Scene::new(2);
    let (_, told) = scene
        .run(Mode::Active, async |_| {
            secs(10).await;
            scene.set_price(206);
            secs(60).await;
        })
        .await;
    assert_eq!(
        landed(&scene.world, ActionKind::Rehedge),
        usize::from(super::scene::POSITIONS)
    );
    assert_eq!(orders(&told), 0, "the chain has cured all of it");

    // A chain that refuses cures nothing.
    let scene = Scene::new(2);
    scene.world.lock().refuses = Some(ActionKind::Rehedge);
    let (now, told) = scene
        .run(Mode::Active, async |_| {
            secs(10).await;
            scene.set_price(206);
            secs(120).await;
        })
        .await;
    assert_eq!(landed(&scene.world, ActionKind::Rehedge), 0);
    assert!(orders(&told) >= 1 && is_inside(&now), "{now:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_on_the_chain_is_hedged_neither_before_nor_after_it_landed() {
    // Transactions that get lost are in flight until their blockhash is too old.
    let scene = Scene::new(3);
    scene.world.lock().faults = Faults {
        lost: 100,
        ..Faults::default()
    };
    let (now, told) = scene
        .run(Mode::Active, async |_| {
            secs(10).await;
            scene.set_price(206);
            secs(40).await;
        })
        .await;
    let perp = &now.perps[COIN];
    assert_eq!(perp.open_on_chain, usize::from(super::scene::POSITIONS));
    let (low, high) = perp.residual.unwrap();
    assert!(low < -BAND && high.is_zero(), "{low} {high}");
    assert_eq!(orders(&told), 0);
}

#[tokio::test(start_paused = true)]
async fn modes_bind_the_hedge_as_they_bind_the_chain() {
    for (mode, trades) in [
        (Mode::Halted, false),
        (Mode::Observe, false),
        // On paper it is no trade.
        (Mode::Paper, true),
        // There is nothing to shrink.
        (Mode::Reducing, false),
    ] {
        let scene = Scene::new(4);
        scene.set_price(203);
        let (now, told) = scene.run(mode, |_| secs(30)).await;
        assert_eq!(
            (orders(&told) > 0, is_inside(&now)),
            (trades, trades),
            "{mode}"
        );
        let shown = told
            .iter()
            .any(|event| matches!(event, KeeperEvent::Hedge(HedgeEvent::Paper { .. })));
        assert_eq!(
            shown,
            mode <= Mode::Observe,
            "{mode}: what would be sent is told"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_word_binds_the_next_order_and_reducing_only_shrinks() {
    let scene = Scene::new(5);
    scene.set_price(203);
    let (now, told) = scene
        .run(Mode::Active, async |control: Control| {
            secs(30).await;
            let held = scene.intents();
            assert_eq!(held, 1);
            control.apply(say(Verb::Reduce)).await.unwrap();
            // More would be needed, in the direction that grows; no rehedge is due yet.
            scene.set_price(204);
            secs(30).await;
            assert_eq!(scene.intents(), held);
            control.apply(say(Verb::Halt)).await.unwrap();
            scene.set_price(200);
            secs(30).await;
            assert_eq!(scene.intents(), held);
            control.apply(say(Verb::Resume)).await.unwrap();
            control.apply(say(Verb::Reduce)).await.unwrap();
            secs(30).await;
            assert_eq!(scene.intents(), held + 1);
        })
        .await;
    assert_eq!(orders(&told), 2);
    assert!(is_inside(&now) && position(&now) >= ZERO, "{now:?}");
    let last = scene
        .entries()
        .into_iter()
        .rev()
        .find_map(|entry| match entry {
            Entry::Intent { order, .. } => Some(order),
            _ => None,
        });
    assert!(last.unwrap().reduce_only);
}

#[tokio::test(start_paused = true)]
async fn deleveraging_and_strangers_are_told_of_and_answered() {
    let (scene, tape) = Scene::new(6).with_tape();
    scene.set_price(203);
    let (now, told) = scene
        .run(Mode::Active, async |_| {
            secs(30).await;
            let at = 0;
            {
                let mut tape = tape.lock().unwrap();
                let exchange = tape.at(at);
                let held = exchange.account(NOBODY).unwrap().position(COIN);
                assert!(held > ZERO);
                exchange.deleverage(NOBODY, 0, held, 203.into());
            }
            secs(30).await;
        })
        .await;
    let told: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            KeeperEvent::Hedge(HedgeEvent::OthersTrade { by, .. }) => Some(*by),
            _ => None,
        })
        .collect();
    assert_eq!(told, [Origin::Deleveraging]);
    assert_eq!(scene.intents(), 2);
    assert!(is_inside(&now), "{now:?}");
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_was_killed_while_an_order_was_out_finds_it_before_it_sends_another() {
    let (scene, tape) = Scene::new(7).with_tape();
    let scene = scene.muted(0, false);
    scene.set_price(203);
    scene.run(Mode::Active, |_| secs(30)).await;
    let held = || {
        let at = 0;
        tape.lock()
            .unwrap()
            .at(at)
            .account(NOBODY)
            .unwrap()
            .position(COIN)
    };
    let open = |entries: &[Entry]| {
        !matches!(
            entries.last(),
            Some(Entry::Taken { .. } | Entry::Fill { .. })
        )
    };
    let before = held();
    assert!(before > ZERO && open(&scene.entries()));
    let (now, told) = scene.run(Mode::Active, |_| secs(30)).await;
    assert_eq!((orders(&told), scene.intents(), held()), (0, 1, before));
    assert!(is_inside(&now), "{now:?}");
    // Nobody else's: the journal knows it.
    assert!(scene.entries().iter().any(|entry| matches!(
        entry,
        Entry::Fill {
            origin: Origin::Own,
            ..
        }
    )));
}

#[tokio::test(start_paused = true)]
async fn where_the_venues_price_is_far_off_or_the_chain_stands_still_nothing_is_traded() {
    let (scene, tape) = Scene::new(8).with_tape();
    scene.set_price(203);
    offer(&tape, 215);
    let (_, told) = scene.run(Mode::Active, |_| secs(30)).await;
    let troubles = |told: &[KeeperEvent]| {
        let kinds = told.iter().filter_map(|event| match event {
            KeeperEvent::Hedge(HedgeEvent::Trouble { kind, .. }) => Some(format!("{kind:?}")),
            _ => None,
        });
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(
        (troubles(&told), orders(&told)),
        (vec!["OffPrice".into()], 0)
    );

    let scene = Scene::new(8);
    let (_, told) = scene
        .run(Mode::Active, async |_| {
            secs(10).await;
            scene.world.lock().stand_still();
            scene.set_price(203);
            secs(40).await;
        })
        .await;
    assert_eq!((troubles(&told), orders(&told)), (vec!["Blind".into()], 0));
}

#[tokio::test(start_paused = true)]
async fn others_positions_limits_and_a_held_journal_stop_it() {
    // Positions of somebody else.
    let scene = Scene::new(9);
    scene.set_price(203);
    let mut parts = scene.parts(Mode::Active);
    let hedge = parts.config.hedge.as_mut().unwrap();
    hedge.owners = [solana_sdk::pubkey::Pubkey::new_unique()].into();
    let (now, told) = scene.run_parts(parts, |_| secs(30)).await;
    assert_eq!(
        (orders(&told), now.perps[COIN].residual),
        (0, Some((ZERO, ZERO)))
    );

    // No more than may be held, and only less of it once too much was paid.
    let scene = Scene::new(9);
    scene.set_price(203);
    let most = Decimal::new(15, 2);
    let parts = || {
        let mut parts = scene.parts(Mode::Active);
        let hedge = parts.config.hedge.as_mut().unwrap();
        hedge.perps[0].max_position = most;
        parts
    };
    let (now, _) = scene.run_parts(parts(), |_| secs(30)).await;
    assert_eq!(position(&now), most);
    let mut dearer = parts();
    let hedge = dearer.config.hedge.as_mut().unwrap();
    hedge.perps[0].max_position = 20.into();
    hedge.max_fees_per_day = Some(Decimal::new(1, 6));
    let (now, told) = scene.run_parts(dearer, |_| secs(30)).await;
    assert_eq!((position(&now), orders(&told)), (most, 0));
    assert!(
        now.perps[COIN].doing.contains("fees"),
        "{}",
        now.perps[COIN].doing
    );

    // A journal that another process holds.
    let file = scene.folder.path().join(file_name("paper", NOBODY, COIN));
    let _held = Journal::open(&file).unwrap();
    let ended = Keeper::new(scene.parts(Mode::Active)).run(secs(30)).await;
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("held by another process"), "{error}");
}
