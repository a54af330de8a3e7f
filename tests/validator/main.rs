//! On a real `solana-test-validator`: every instruction once ([`instructions`]), devnet's story at devnet's addresses ([`devnet`]), and the
//! keeper: the binary, the RPC, the websocket, the program, real slots.
//!
//! Of the keeper one story ([`story::tell`]) of three equal positions at the same prices; each test asks one question about its end. They
//! need the built programs and a validator: `cargo xtask test` provides both. With `BALLAST_NO_VALIDATOR` set they are
//! skipped and say so. When the one keeper is killed follows from a seed, which is printed; `BALLAST_SEED` sets it.
//!
//! Cargo counts these tests to the package of the binary (`cargo test -p ballast-cli --test validator`): only so is the
//! binary that they kill always there and never an old one.

#[path = "../../cli/tests/cli/common.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of the command line, which use other parts"
)]
mod common;
mod devnet;
mod instructions;
mod keeper;
mod kills;
#[path = "../../cli/tests/online/node.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of the command line, which use other parts"
)]
mod node;
mod race;
mod side;
mod story;
mod trail;

use std::{io::Write, sync::Arc};

use anyhow::{Context, Result};
use ballast_localnet::TestValidator;
use tokio::sync::{Mutex, OnceCell};

use kills::Kill;
use story::{Kept, Report};

/// One validator at a time: with two of them and keepers a machine of two cores is too slow for any.
static TURN: Mutex<()> = Mutex::const_new(());

/// Plays what starts a validator of its own, unless validators are left out.
async fn play(run: impl Future<Output = Result<()>>) {
    let _turn = TURN.lock().await;
    if std::env::var_os("BALLAST_NO_VALIDATOR").is_some() {
        // Says so.
        let none = TestValidator::start_unless_left_out().await;
        assert!(matches!(none, Ok(None)));
        return;
    }
    if let Err(error) = run.await {
        panic!("{error:#}");
    }
}

/// How near the price comes to the liquidation price: 2 % of the price.
const NEAR: f64 = 0.02;

/// The end of the story, told once for all tests; `None` if the validator is left out.
async fn report() -> Option<&'static Report> {
    static REPORT: OnceCell<Result<Option<Report>>> = OnceCell::const_new();
    let report = REPORT.get_or_init(|| async {
        let _turn = TURN.lock().await;
        let Some(validator) = TestValidator::start_unless_left_out().await? else {
            return Ok(None);
        };
        let seed = seed()?;
        // Not by a macro, whose output the harness keeps to itself when tests pass.
        writeln!(std::io::stderr(), "BALLAST_SEED={seed}")?;
        let report = story::tell(Arc::new(validator), seed).await;
        report
            .map(Some)
            .with_context(|| format!("BALLAST_SEED={seed}"))
    });
    match report.await {
        Ok(report) => report.as_ref(),
        Err(error) => panic!("{error:#}"),
    }
}

fn seed() -> Result<u64> {
    match std::env::var("BALLAST_SEED") {
        Ok(text) => text
            .parse()
            .with_context(|| format!("BALLAST_SEED: {text:?} is not a number")),
        Err(_) => Ok(rand::random()),
    }
}

/// Never liquidatable, and hedged in the end.
fn assert_survived(kept: &Kept) {
    let maintenance = kept.near.maintenance.get();
    assert!(
        kept.max_ltv_bps < maintenance,
        "LTV reached {} bps, maintenance is {maintenance}",
        kept.max_ltv_bps
    );
    // The keeper had something to do, and did it.
    assert!(kept.excursions >= 5, "{} excursions", kept.excursions);
    // Hedging with its own liquidity keeps LTV so low that there may be nothing to deleverage.
    let [rehedges, _] = kept.trail.counters;
    assert!(rehedges >= 5, "{rehedges} rehedges");
    for sample in [&kept.near, &kept.beyond] {
        assert!(
            sample.is_hedged() && !sample.is_liquidatable(),
            "{sample:?}"
        );
        assert_eq!(sample.stored.liquidations, 0);
    }
    assert_eq!(kept.liquidation_refused, [true, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_keeper_ltv_and_delta_stay_in_bounds_and_without_it_the_position_is_liquidated() {
    let Some(Report {
        slots,
        kept,
        unkept,
        ..
    }) = report().await
    else {
        return;
    };
    assert!(*slots >= 60, "{slots} slots");
    // The position that nobody looks after stands where its boundaries have always been said to be.
    let [opened, near] = [&unkept.opened, &unkept.near].map(|sample| {
        let distance = sample.upper_boundary().unwrap();
        let oracle = sample.oracle.x64() as f64 / 2f64.powi(64);
        (oracle * oracle * 1_000.0 * distance, distance - 1.0)
    });
    let ((boundary, _), (boundary_near, distance)) = (opened, near);
    assert!((boundary - 258.635).abs() < 0.2, "boundary at {boundary}");
    assert!((boundary_near / boundary - 1.0).abs() < 1e-4);
    assert!(
        (0.0..=NEAR).contains(&distance),
        "the boundary is {distance} away"
    );
    assert!(!unkept.near.is_hedged() && !unkept.near.is_liquidatable());
    assert!(unkept.liquidation_refused);
    assert_survived(kept);
    assert_eq!(unkept.liquidated.stored.liquidations, 1);
    assert_eq!(unkept.liquidated.actions(), [0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_killed_at_random_points_comes_to_the_same_end() {
    let Some(Report {
        kept,
        killed,
        kills,
        ..
    }) = report().await
    else {
        return;
    };
    assert!(kills.len() >= 8, "{} kills", kills.len());
    assert!(kills.iter().any(|kill| *kill != Kill::Idle), "{kills:?}");
    assert_survived(killed);
    // At every price it did what the keeper did that nobody killed.
    assert_eq!(killed.trail.deeds, kept.trail.deeds);
    let [one, two] = [kept, killed].map(|kept| kept.beyond.value.equity());
    // The prices of swaps may differ by the interest of seconds.
    assert!(one.abs_diff(two) <= 1_000, "equity {one} and {two}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_twice() {
    let Some(Report { kept, killed, .. }) = report().await else {
        return;
    };
    for trail in [&kept.trail, &killed.trail] {
        trail.assert_nothing_was_done_twice();
    }
}
