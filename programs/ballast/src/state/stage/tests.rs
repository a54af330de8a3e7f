use super::*;

const RULES: StageRules = StageRules {
    silence_secs: 0,
    long_silence_secs: 0,
    confidence_bps: 0,
    wide_confidence_bps: 0,
    ema_divergence_bps: 0,
    wide_ema_divergence_bps: 0,
    pool_divergence_bps: 0,
    depth_drop_bps: 0,
    utilisation_bps: 0,
    persistence_secs: 30,
    calm_secs: 600,
    max_age_stalled_secs: 0,
    deleverage_ltv_bps: 0,
    target_ltv_bps: 0,
};

fn seen(oracle: u8, market: bool) -> Evidence {
    Evidence {
        oracle,
        market: Some(market),
    }
}

#[test]
fn evidence_of_the_oracle_raises_at_once_and_falls_step_by_step() {
    let mut state = StageState::default();
    state.observe(&RULES, seen(2, false), 1_000);
    assert_eq!(state.stage, 2);
    state.observe(&RULES, seen(0, false), 1_599);
    assert_eq!(state.stage, 2);
    state.observe(&RULES, seen(0, false), 1_600);
    assert_eq!(state.stage, 1);
    // Not two steps for one long silence.
    state.observe(&RULES, seen(0, false), 1_601);
    assert_eq!(state.stage, 1);
    // Evidence for the stage itself starts the time anew.
    state.observe(&RULES, seen(1, false), 2_199);
    state.observe(&RULES, seen(0, false), 2_798);
    assert_eq!(state.stage, 1);
    state.observe(&RULES, seen(0, false), 2_799);
    assert_eq!(state.stage, 0);
}

#[test]
fn evidence_of_the_market_counts_only_when_it_persists() {
    let after = |looks: &[(i64, u8, Option<bool>)]| {
        let mut state = StageState::default();
        for (at, oracle, market) in looks.iter().copied() {
            state.observe(&RULES, Evidence { oracle, market }, 1_000 + at);
        }
        (state.stage, state.market_evidence_secs)
    };
    let (yes, no) = (Some(true), Some(false));
    // Thirty seconds of it, in looks ten seconds apart.
    assert_eq!(after(&[(0, 0, yes), (10, 0, yes), (20, 0, yes)]), (0, 20));
    let nearly = [(0, 0, yes), (10, 0, yes), (20, 0, yes), (29, 0, yes)];
    assert_eq!(after(&nearly), (0, 29));
    let long = [(0, 0, yes), (10, 0, yes), (20, 0, yes), (30, 0, yes)];
    assert_eq!(after(&long), (1, 30));
    // Two looks say nothing about the time between them beyond ten seconds.
    assert_eq!(after(&[(0, 0, yes), (40, 0, yes)]), (0, 10));
    assert_eq!(
        after(&[(0, 0, yes), (500, 0, yes), (5_000, 0, yes)]),
        (0, 20)
    );
    // Nor do many at once.
    assert_eq!(after(&[(10, 0, yes); 50]), (0, 0));
    // A look is worth the time until the next one contradicts it: whoever answers at once leaves it nothing, and what he has
    // seen holds until the next.
    let answered = |answer_secs: i64| {
        let looks = (0..100).flat_map(|round| {
            let at = 11 * round;
            [(at, 0, yes), (at + answer_secs, 0, no)]
        });
        after(&looks.collect::<Vec<_>>())
    };
    assert_eq!(answered(0).0, 0);
    assert_eq!(answered(1).0, 0);
    assert_eq!(answered(5), (0, 5));
    // So also the attacker's second look, right after an answer.
    let insistent = [
        (0, 0, yes),
        (1, 0, no),
        (1, 0, yes),
        (2, 0, no),
        (12, 0, yes),
        (13, 0, no),
        (23, 0, no),
    ];
    assert_eq!(after(&insistent), (0, 0));
    // A moment without evidence hides as little.
    let hidden = [
        (0, 0, yes),
        (10, 0, yes),
        (20, 0, yes),
        (21, 0, no),
        (22, 0, yes),
        (32, 0, yes),
    ];
    assert_eq!(after(&hidden), (1, 30));
    // A look that cannot tell changes nothing.
    let blind = [
        (0, 0, yes),
        (10, 0, yes),
        (15, 0, None),
        (20, 0, yes),
        (29, 0, None),
        (30, 0, yes),
    ];
    assert_eq!(after(&blind), (1, 30));
    assert_eq!(after(&[(0, 0, None), (10, 0, yes)]), (0, 0));
    // On top of the oracle's it brings the highest stage; a moment's fake does not.
    let both = [(0, 0, yes), (10, 0, yes), (20, 0, yes), (30, 2, yes)];
    assert_eq!(after(&both), (3, 30));
    assert_eq!(after(&[(10, 2, yes)]), (2, 0));
    // There is no higher one, whatever asks for it.
    let beyond = [(0, 0, yes), (10, 0, yes), (20, 0, yes), (30, 3, yes)];
    assert_eq!(after(&beyond), (3, 30));
}

/// A state whose average has been measured for an hour, and since when.
fn measured(liquidity: u128) -> (StageState, i64) {
    let (mut state, mut since) = (StageState::default(), 0);
    for at in [6_400, 10_000] {
        let seen = state.observe_depth(&mut since, liquidity, false, 5_000, at);
        assert_eq!(seen, None);
    }
    assert_eq!((since, state.average_depth.get()), (6_400, liquidity));
    (state, since)
}

#[test]
fn depth_is_measured_against_its_average_which_a_moment_does_not_move() {
    let (mut state, mut since) = measured(1_000_000);
    let mut look = |liquidity, touched, at| {
        let seen = state.observe_depth(&mut since, liquidity, touched, 5_000, at);
        (seen, state.average_depth.get())
    };
    assert_eq!(look(500_000, false, 10_000).0, Some(false));
    assert_eq!(look(499_000, false, 10_000).0, Some(true));
    // Any number of looks in one second leave it where it is but for rounding.
    for _ in 0..50 {
        look(u128::MAX, false, 10_000);
    }
    let (_, average) = look(u128::MAX, false, 10_000);
    assert!((900_000..=1_000_000).contains(&average), "{average}");
    // What somebody has just touched is judged, but not remembered.
    assert_eq!(look(1, true, 11_000), (Some(true), average));
    assert_eq!(look(u128::MAX, true, 11_000), (Some(false), average));
    // Half an hour of twice the depth, however much more it was, counts for an eighth of it.
    let (_, average) = look(u128::MAX, false, 11_800);
    assert!((1_060_000..=1_062_500).contains(&average), "{average}");
    // Half an hour of half of it counts in full.
    let (_, average) = look(530_000, false, 13_600);
    assert!((795_000..=797_000).contains(&average), "{average}");
    let off = state.observe_depth(&mut since, 0, false, 0, 13_600);
    assert_eq!(off, Some(false), "switched off");
}

#[test]
fn the_first_hours_average_is_the_mean_of_what_was_seen() {
    let (mut state, mut since) = (StageState::default(), 0);
    let mut look = |liquidity, at: i64| {
        let seen = state.observe_depth(&mut since, liquidity, false, 5_000, 10_000 + at);
        (seen, state.average_depth.get())
    };
    // A pool without liquidity begins nothing.
    assert_eq!(look(0, -500), (None, 0));
    assert_eq!(look(1, 0), (None, 1));
    // The first look, whoever's it was, is worth no time.
    assert_eq!(look(900_000, 600), (None, 900_000));
    assert_eq!(look(300_000, 1_200), (None, 600_000));
    assert_eq!(look(600_000, 3_599), (None, 599_999));
    assert_eq!(look(600_000, 3_600).0, None);
    assert_eq!(look(200_000, 3_601).0, Some(true));
}

#[test]
fn no_look_weighs_more_than_the_time_since_the_last_one() {
    let first_hour = |looks: &[(u128, i64)]| {
        let (mut state, mut since) = (StageState::default(), 0);
        for (liquidity, at) in looks {
            state.observe_depth(&mut since, *liquidity, false, 5_000, 10_000 + at);
        }
        (state.average_depth.get(), since)
    };
    // In the second of the first one any other is worth nothing, and none before it.
    assert_eq!(first_hour(&[(600, 0), (900, 0)]), (600, 10_000));
    assert_eq!(first_hour(&[(600, 0), (900, -500)]), (600, 10_000));
    // Nor is the average ever nothing, which would begin it anew.
    assert_eq!(first_hour(&[(1, 0), (0, 1_800), (0, 3_000)]), (1, 10_000));

    // A clock that goes back is no time, and one look stands for no more than the whole hour.
    for (liquidity, at, expected) in [
        (500_000, 9_000, 1_000_000),
        (1_500_000, 9_000, 1_000_000),
        (500_000, 17_200, 500_000),
    ] {
        let (mut state, mut since) = measured(1_000_000);
        state.observe_depth(&mut since, liquidity, false, 5_000, at);
        let at = at.max(10_000);
        let found = (state.average_depth.get(), state.depth_at_secs);
        assert_eq!(found, (expected, at), "{liquidity}");
    }
}

#[test]
fn an_average_of_an_earlier_version_is_measured_anew() {
    let mut state = StageState {
        average_depth: 1_000_000.into(),
        depth_at_secs: 9_000,
        ..StageState::default()
    };
    let mut since = 0;
    let seen = state.observe_depth(&mut since, 10, false, 5_000, 10_000);
    assert_eq!((seen, since, state.average_depth.get()), (None, 10_000, 10));
}
