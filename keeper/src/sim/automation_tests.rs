//! New bands, fees, exits and risk stages against the simulated cluster: killed anywhere, everything is done once.

use std::time::Duration;

use ballast_model::Amounts;
use ballast_strategy::decide::ActionKind;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World,
    scene::{POSITIONS, automation, beside, keeper, settled, survive, world},
};
use crate::Mode;

const PHASES: usize = 4;

/// What happens in each phase of the story.
fn begin(world: &World, phase: usize) {
    let mut inner = world.lock();
    match phase {
        0 => {
            inner.change_positions(|position| position.automation = automation());
            inner.set_price(216);
        }
        1 => inner.earn(Amounts::new(10_000_000, 1_000_000)),
        2 => inner.change_market(|market| {
            market.market.stages.confidence_bps = 30;
            market.base_price.conf = market.base_price.price.unsigned_abs() / 250;
        }),
        _ => inner.set_price(203),
    }
}

/// Everything that took effect, in the order of kinds.
fn landed(world: &World) -> Vec<(ActionKind, usize)> {
    let inner = world.lock();
    assert_eq!(inner.violations, Vec::<String>::new());
    let count = |kind| {
        let of_kind = inner
            .landings
            .iter()
            .filter(|landing| landing.action == kind);
        (kind, of_kind.count())
    };
    let counts = ActionKind::ALL.map(count).into_iter();
    counts.filter(|(_, count)| *count > 0).collect()
}

async fn story(world: &World, disk: &Disk, crashes: [&[u64]; PHASES]) -> Vec<(ActionKind, usize)> {
    for (phase, crashes) in crashes.into_iter().enumerate() {
        begin(world, phase);
        survive(world, disk, crashes).await;
    }
    let inner = world.lock();
    let state = inner.state_at(inner.slot());
    for position in state.positions.values() {
        assert_eq!(position.liquidity.get(), 0);
        assert!(position.is_debt_free() && position.idle_base == 0);
    }
    drop(inner);
    landed(world)
}

#[tokio::test(start_paused = true)]
async fn without_faults_each_is_done_once() {
    let (world, disk) = world(1, Faults::default());
    let positions = usize::from(POSITIONS);
    assert_eq!(
        story(&world, &disk, [&[]; PHASES]).await,
        [
            (ActionKind::Compound, positions),
            (ActionKind::Recenter, positions),
            (ActionKind::RefreshStage, 1),
            (ActionKind::Exit, positions),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_operation_each_is_done_once() {
    let (reference, disk) = world(2, Faults::default());
    let mut operations = [0; PHASES];
    for (phase, operations) in operations.iter_mut().enumerate() {
        begin(&reference, phase);
        survive(&reference, &disk, &[]).await;
        *operations = reference.crash.operations();
    }
    let expected = landed(&reference);
    for (phase, operations) in operations.into_iter().enumerate() {
        assert!(operations > 20, "{operations}");
        // All of the first, where the actions are, and some of the waiting afterwards.
        for crash_at in (1..=operations).filter(|at| *at <= 80 || at % 7 == 0) {
            let (world, disk) = world(2, Faults::default());
            let crash = [crash_at];
            let mut crashes: [&[u64]; PHASES] = [&[]; PHASES];
            crashes[phase] = &crash;
            assert_eq!(
                story(&world, &disk, crashes).await,
                expected,
                "killed at operation {crash_at} of phase {phase}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn on_a_bad_cluster_each_is_done_once() {
    for seed in 0..8 {
        let faults = Faults {
            no_answer: 15,
            lost: 50,
            fails: 20,
            lags: 30,
            lag_slots: 20,
        };
        let (world, disk) = world(seed, faults);
        let positions = usize::from(POSITIONS);
        let done = story(&world, &disk, [&[40], &[60, 10], &[30], &[50]]).await;
        for (kind, count) in done {
            match kind {
                ActionKind::Compound | ActionKind::Exit => assert_eq!(count, positions, "{seed}"),
                // Where a simulation refused it for a moment, the hedge came first.
                ActionKind::Recenter | ActionKind::Rehedge => {
                    assert!(count <= positions, "{seed}");
                }
                ActionKind::RefreshStage => assert_eq!(count, 1, "{seed}"),
                other => panic!("{other} in {seed}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_recentering_that_is_refused_does_not_keep_the_hedge_waiting() {
    let (world, disk) = world(3, Faults::default());
    world.lock().refuses = Some(ActionKind::Recenter);
    begin(&world, 0);
    beside(
        keeper(&world, &disk, Mode::Active),
        sleep(Duration::from_secs(60)),
    )
    .await;
    let positions = usize::from(POSITIONS);
    assert_eq!(landed(&world), [(ActionKind::Rehedge, positions)]);
    // Once it is possible it is done.
    world.lock().refuses = None;
    beside(
        keeper(&world, &disk, Mode::Active),
        settled(&world, &disk, Instant::now()),
    )
    .await;
    assert_eq!(
        landed(&world),
        [
            (ActionKind::Recenter, positions),
            (ActionKind::Rehedge, positions)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_pool_program_that_cannot_move_positions_has_them_replaced() {
    let (world, disk) = world(4, Faults::default());
    world.lock().cannot_reset_range = true;
    begin(&world, 0);
    beside(
        keeper(&world, &disk, Mode::Active),
        settled(&world, &disk, Instant::now()),
    )
    .await;
    let positions = usize::from(POSITIONS);
    assert_eq!(landed(&world), [(ActionKind::Recenter, positions)]);
    assert_eq!(world.lock().replaced, positions);
}

#[tokio::test(start_paused = true)]
async fn observers_look_at_fees_but_do_nothing() {
    let (world, disk) = world(5, Faults::default());
    for phase in 0..2 {
        begin(&world, phase);
    }
    let keeper = keeper(&world, &disk, Mode::Observe);
    let mut events = keeper.events();
    beside(keeper, sleep(Duration::from_secs(600))).await;
    assert_eq!(landed(&world), []);
    let mut wanted = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let crate::KeeperEvent::Decision(decision) = event {
            wanted.extend(decision.action);
        }
    }
    assert!(wanted.contains(&ActionKind::Recenter), "{wanted:?}");
}
