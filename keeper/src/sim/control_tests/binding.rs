//! What a mode forbids is not done, and what it allows is.

use std::time::Duration;

use ballast_model::Amounts;
use ballast_strategy::decide::ActionKind;
use tokio::time::{Instant, sleep};

use super::{ALL, acted_on, audit, automation, done, minutes, of_position, position, request};
use crate::{
    KeeperEvent, Mode,
    control::{Mode as M, Verb},
    sim::{
        Faults,
        scene::{beside, keeper, landed, world},
    },
};

#[tokio::test(start_paused = true)]
async fn a_halted_keeper_sends_nothing_whatever_is_due_and_resumes_at_once() {
    let (world, disk) = world(1, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Active);
    let (control, mut events) = (keeper.control(), keeper.events());
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        let applied = control.apply(request(Verb::Halt)).await.unwrap();
        assert_eq!((control.mode(), applied.in_flight), (M::Halted, Vec::new()));
        // Past the trigger of a deleverage.
        world.lock().set_price(290);
        minutes(10).await;
        assert_eq!((done(&world), world.lock().submits), (Vec::new(), 0));
        control.apply(request(Verb::Resume)).await.unwrap();
        let resumed = Instant::now();
        while acted_on(&world) < ALL {
            sleep(Duration::from_millis(100)).await;
            assert!(resumed.elapsed() < Duration::from_secs(60));
        }
        // A transaction lands within four slots.
        assert!(
            resumed.elapsed() < Duration::from_secs(4),
            "{:?}",
            resumed.elapsed()
        );
    };
    beside(keeper, scene).await;
    audit(&disk);
    let mut told = Vec::new();
    let mut decisions = 0;
    while let Ok(event) = events.try_recv() {
        match event {
            KeeperEvent::ModeChanged { mode, reason } => told.push((mode, reason)),
            KeeperEvent::Decision(decision) if told.len() == 1 => {
                decisions += usize::from(decision.action.is_some());
            }
            _ => {}
        }
    }
    let modes: Vec<_> = told.iter().map(|(mode, _)| *mode).collect();
    assert_eq!(modes, [M::Halted, M::Active]);
    assert!(
        told[0].1.contains("because of a test") && told[1].1 == "configured",
        "{told:?}"
    );
    // It still says what would be due.
    assert!(decisions >= ALL, "{decisions}");
}

#[tokio::test(start_paused = true)]
async fn reducing_rehedges_deleverages_and_exits_but_neither_recenters_nor_compounds() {
    let (world, disk) = world(2, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        control.apply(request(Verb::Reduce)).await.unwrap();
        // Where it would recenter, it rehedges.
        world
            .lock()
            .change_positions(|position| position.automation = automation());
        world.lock().set_price(216);
        minutes(20).await;
        assert_eq!(done(&world), [(ActionKind::Rehedge, ALL)]);
        control.apply(request(Verb::Resume)).await.unwrap();
        minutes(10).await;
        let recentered = [(ActionKind::Recenter, ALL), (ActionKind::Rehedge, ALL)];
        assert_eq!(done(&world), recentered);
        control.apply(request(Verb::Reduce)).await.unwrap();
        world.lock().earn(Amounts::new(10_000_000, 1_000_000));
        minutes(20).await;
        assert_eq!(done(&world), recentered);
        control.apply(request(Verb::Resume)).await.unwrap();
        minutes(10).await;
        let expected = [
            (ActionKind::Compound, ALL),
            (ActionKind::Recenter, ALL),
            (ActionKind::Rehedge, ALL),
        ];
        assert_eq!(done(&world), expected);
        control.apply(request(Verb::Reduce)).await.unwrap();
    };
    beside(keeper, scene).await;
    // Another life finds it so; what the first learned of the price's moves would have it choose otherwise than the simulated
    // chain.
    let keeper = self::keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let scene = async {
        world.lock().set_price(203);
        minutes(5).await;
        assert_eq!(control.mode(), M::Reducing);
        assert_eq!(landed(&world, ActionKind::Exit), ALL);
    };
    beside(keeper, scene).await;
    audit(&disk);
}

#[tokio::test(start_paused = true)]
async fn reducing_deleverages_where_a_rehedge_does_not_help() {
    let (world, disk) = world(3, Faults::default());
    // No hedge is wanted, so that only LTV counts.
    world.lock().refuses = Some(ActionKind::Rehedge);
    let keeper = keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        control.apply(request(Verb::Reduce)).await.unwrap();
        world.lock().set_price(290);
        minutes(5).await;
    };
    beside(keeper, scene).await;
    let all = done(&world).into_iter();
    let deleverages = [ActionKind::Deleverage, ActionKind::DeleverageSwap];
    let lowering = all.filter(|(kind, _)| deleverages.contains(kind));
    assert_eq!(lowering.map(|(_, count)| count).sum::<usize>(), ALL);
    audit(&disk);
}

#[tokio::test(start_paused = true)]
async fn a_paused_position_is_left_alone_and_the_others_are_not() {
    let (world, disk) = world(4, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        control.apply(of_position(1, Verb::Pause)).await.unwrap();
        assert_eq!(control.position_mode(&position(1)), M::Halted);
        assert_eq!(control.position_mode(&position(0)), M::Active);
        assert_eq!(control.mode(), M::Active);
        world.lock().set_price(290);
        minutes(10).await;
        let touched = |number| {
            let inner = world.lock();
            let mut landings = inner.landings.iter();
            landings.any(|landing| landing.position == position(number))
        };
        assert_eq!([0, 1, 2].map(touched), [true, false, true]);
        control.apply(of_position(1, Verb::Resume)).await.unwrap();
        sleep(Duration::from_secs(5)).await;
        assert!(touched(1));
    };
    beside(keeper, scene).await;
    audit(&disk);
}

#[tokio::test(start_paused = true)]
async fn configured_modes_bind_like_overrides() {
    for (mode, expected) in [
        (Mode::Halted, vec![]),
        (Mode::Reducing, vec![(ActionKind::Rehedge, ALL)]),
        (Mode::Active, vec![(ActionKind::Recenter, ALL)]),
    ] {
        let (world, disk) = world(7, Faults::default());
        world
            .lock()
            .change_positions(|position| position.automation = automation());
        world.lock().set_price(216);
        let keeper = keeper(&world, &disk, mode);
        let control = keeper.control();
        let scene = async {
            sleep(Duration::from_secs(1)).await;
            control.apply(request(Verb::Resume)).await.unwrap();
            minutes(5).await;
            assert_eq!(control.mode(), mode);
        };
        beside(keeper, scene).await;
        assert_eq!(done(&world), expected, "{mode}");
    }
}
