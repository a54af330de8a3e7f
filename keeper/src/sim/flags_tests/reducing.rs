//! Two red flags have the keeper reduce, one does not; a restart keeps it; a person's word holds.

use ballast_strategy::decide::ActionKind;

use super::{
    super::scene::{self, landed},
    *,
};
use crate::{
    control::{Request, Scope, Verb},
    journal::{Record, scan},
};

/// Everything that a keeper may do, and a price at which a recentering is wanted.
fn recentering(world: &World) {
    let mut inner = world.lock();
    inner.change_positions(|position| {
        position.automation = ballast_client::Automation {
            recenter_cooldown_secs: 0,
            ..fixtures::automation()
        };
    });
    inner.set_price(216);
}

fn overrides(disk: &Disk) -> Vec<(Verb, String, String)> {
    let records = scan(&disk.bytes()).unwrap().records.into_iter();
    let overrides = records.filter_map(|record| match record {
        Record::Override(record) => {
            let entry = record.applied.entry;
            Some((entry.mode, entry.by, entry.note))
        }
        _ => None,
    });
    overrides.collect()
}

#[tokio::test(start_paused = true)]
async fn one_flag_changes_nothing() {
    let (world, disk) = world(11, Faults::default());
    let parts = prepared(&world, &disk, Mode::Active);
    fund(&world, 1_000_000);
    let seen = run(parts, async |control: Control, _, _| {
        secs(30).await;
        assert_eq!(control.mode(), Mode::Active);
        recentering(&world);
        secs(60).await;
    })
    .await;
    assert_eq!(seen.raised(), [Flag::OwnSolLow]);
    assert_eq!(
        landed(&world, ActionKind::Recenter),
        usize::from(scene::POSITIONS)
    );
    assert_eq!(overrides(&disk), []);
}

/// Two flags: little SOL, and a node that disagrees.
fn doubtful(world: &World, disk: &Disk) -> Parts {
    let mut parts = prepared(world, disk, Mode::Active);
    fund(world, 1_000_000);
    let faults = Faults {
        lags: 100,
        lag_slots: 100,
        ..Faults::default()
    };
    let (other, _) = scene::world(12, faults);
    parts.other_nodes = vec![Arc::new(other)];
    parts
}

#[tokio::test(start_paused = true)]
async fn two_flags_have_it_reduce_at_once_with_the_flags_as_the_reason() {
    let (world, disk) = world(13, Faults::default());
    let parts = doubtful(&world, &disk);
    let seen = run(parts, async |control: Control, _, _| {
        secs(45).await;
        assert_eq!(control.mode(), Mode::Reducing);
        // Neither a new band nor compounding, though both are wanted; the hedge goes on, and so does what keeps it solvent.
        world.lock().earn(Amounts::new(10_000_000, 1_000_000));
        recentering(&world);
        secs(120).await;
        world.lock().set_price(290);
        secs(120).await;
    })
    .await;
    assert_eq!(seen.modes, [Mode::Reducing]);
    assert_eq!(
        landed(&world, ActionKind::Recenter) + landed(&world, ActionKind::Compound),
        0
    );
    let reduces = [
        ActionKind::Rehedge,
        ActionKind::Deleverage,
        ActionKind::DeleverageSwap,
    ];
    let reduced = reduces
        .map(|kind| landed(&world, kind))
        .iter()
        .sum::<usize>();
    assert!(reduced >= usize::from(scene::POSITIONS), "{reduced}");
    let journaled = overrides(&disk);
    let [(Verb::Reduce, by, note)] = journaled.as_slice() else {
        panic!("{journaled:?}");
    };
    assert_eq!(by, "flags");
    assert!(note.contains("endpoints_disagree"), "{note}");
    assert!(
        note.starts_with("red flags: ") && note.contains("own_sol_low 0.001 SOL"),
        "{note}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_it_even_when_the_flags_are_gone() {
    let (world, disk) = world(14, Faults::default());
    run(doubtful(&world, &disk), |_, _, _| secs(45)).await;
    let seen = run(
        prepared(&world, &disk, Mode::Active),
        async |control: Control, _, _| {
            secs(10).await;
            assert_eq!(control.mode(), Mode::Reducing);
            recentering(&world);
            secs(300).await;
            assert_eq!(control.mode(), Mode::Reducing);
        },
    )
    .await;
    assert_eq!(seen.raised(), []);
    assert_eq!(landed(&world, ActionKind::Recenter), 0);
    assert_eq!(overrides(&disk).len(), 1);
}

async fn resume(control: &Control) {
    let request = Request {
        scope: Scope::Keeper,
        verb: Verb::Resume,
        note: "seen, goes on".into(),
        until_secs: None,
        expect_mode: Some(Mode::Reducing),
        key: None,
        by: "cli".into(),
    };
    control.apply(request).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_persons_resume_holds_for_its_time_over_a_restart_as_well() {
    let (world, disk) = world(15, Faults::default());
    run(doubtful(&world, &disk), async |control: Control, _, _| {
        secs(45).await;
        resume(&control).await;
        secs(1_000).await;
        assert_eq!(control.mode(), Mode::Active);
    })
    .await;
    run(doubtful(&world, &disk), async |control: Control, _, _| {
        secs(2_400).await;
        assert_eq!(control.mode(), Mode::Active);
        // The hour is over.
        secs(300).await;
        assert_eq!(control.mode(), Mode::Reducing);
    })
    .await;
    let verbs: Vec<Verb> = overrides(&disk)
        .into_iter()
        .map(|(verb, _, _)| verb)
        .collect();
    assert_eq!(verbs, [Verb::Reduce, Verb::Resume, Verb::Reduce]);
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_is_raised_after_the_resume_is_news() {
    let (world, disk) = world(16, Faults::default());
    run(doubtful(&world, &disk), async |control: Control, _, _| {
        secs(45).await;
        resume(&control).await;
        secs(60).await;
        assert_eq!(control.mode(), Mode::Active);
        world.lock().silence_oracle();
        secs(140).await;
        assert_eq!(control.mode(), Mode::Reducing);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_only_observes_is_told_and_changes_nothing() {
    let (world, disk) = world(17, Faults::default());
    let mut parts = doubtful(&world, &disk);
    parts.config = scene::config(Mode::Paper);
    let seen = run(parts, async |control: Control, _, _| {
        secs(60).await;
        assert_eq!(control.mode(), Mode::Paper);
    })
    .await;
    assert_eq!(seen.raised().len(), 2);
    assert_eq!(overrides(&disk), []);
}
