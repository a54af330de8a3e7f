mod pool;

use ballast_strategy::fixtures;

use super::{
    book::{Book, BookError, Rules},
    scenario::{PartAt, Span},
    *,
};

fn rules() -> Rules {
    let market = fixtures::market();
    Rules {
        params: market.params(),
        safety: market.safety,
        policy: fixtures::policy(),
        economics: Economics::default(),
    }
}

fn book() -> Book {
    Book::parse(Book::example()).unwrap()
}

/// One of each kind only, so that tests are quick, and no interest.
pub(super) fn small() -> Parts {
    let mut book = book();
    for position in &mut book.positions {
        position.count = position.count.min(2);
    }
    for reserve in [&mut book.base_reserve, &mut book.quote_reserve] {
        reserve.rate_at_kink_bps = 0;
        reserve.rate_at_full_bps = 0;
    }
    book.open(&rules()).unwrap()
}

pub(super) fn scenario(name: &str) -> Scenario {
    Scenario::parse(Scenario::text(name).unwrap()).unwrap()
}

fn play(parts: Parts, scenario: &Scenario, keepers: bool) -> StressReport {
    let world = World::new(parts, scenario, 1).unwrap();
    let world = if keepers {
        world
    } else {
        world.without_keepers()
    };
    world.run().unwrap()
}

/// A scenario that is short enough to be played often.
fn short(name: &str) -> Scenario {
    let mut scenario = scenario(name);
    scenario.duration_secs = scenario.duration_secs.min(14_400);
    scenario
}

#[test]
fn every_scenario_conserves_every_token_at_every_step() {
    for name in Scenario::names() {
        let mut world = World::new(small(), &short(name), 1).unwrap();
        let mut vaults = std::collections::BTreeSet::new();
        while world.secs < world.scenario.duration_secs {
            world.step().unwrap();
            world.count().unwrap();
            vaults.insert(world.pool.vault().base);
        }
        // Tokens did move.
        assert!(vaults.len() > 100 || name == "calm", "{name}");
        // And what is not conserved is found.
        world.wallets.takers[1] += 1;
        assert!(matches!(
            world.count(),
            Err(WorldError::NotConserved { .. })
        ));
    }
}

#[test]
fn where_nothing_happens_nothing_changes() {
    let mut parts = small();
    parts.perp = None;
    let report = play(parts, &scenario("calm"), true);
    assert_eq!(report.price_before, report.price_after);
    assert_eq!((report.bad_debt, report.liquidated), (0.0, 0.0));
    for position in &report.positions {
        assert_eq!(position.before, position.after, "{}", position.name);
        assert!(position.actions.is_empty() && position.refused.is_empty());
    }
    for lender in &report.lenders {
        assert_eq!((lender.before, lender.withdrawn), (lender.after, 0.0));
    }
}

#[test]
fn a_seed_decides_everything() {
    let short = short("flash-crash");
    let run = |seed| World::new(small(), &short, seed).unwrap().run().unwrap();
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
    // In parallel as one after the other.
    let many = run_many(&small(), &short, (5, 2), true, || ()).unwrap();
    assert_eq!(many, [run(5), run(6)]);
}

/// Without interest, what lenders' shares have lost is what was written off, less what the insurance paid.
#[test]
fn what_lenders_lose_is_the_bad_debt() {
    let report = play(small(), &short("oracle-stall"), true);
    assert!(report.bad_debt > 100.0, "{}", report.bad_debt);
    for reserve in &report.reserves {
        let of_token = report
            .lenders
            .iter()
            .filter(|lender| lender.token == reserve.token);
        let lost: f64 = of_token
            .map(|lender| lender.before - lender.after - lender.withdrawn)
            .sum();
        // A unit for each lender.
        assert!(
            (lost - reserve.lost_by_lenders).abs() < 5e-6,
            "{lost} {reserve:?}"
        );
        let written_off: f64 = report
            .positions
            .iter()
            .map(|position| match reserve.token {
                "base" => position.bad_debt_base,
                _ => position.bad_debt_quote,
            })
            .sum();
        let borne = reserve.lost_by_lenders + reserve.lost_by_insurance;
        assert!((written_off - borne).abs() < 1e-9);
    }
    assert!(report.reserves[1].lost_by_insurance > 0.0);
}

/// What the program promises: whoever is looked after is deleveraged before anybody may liquidate him, unless a gap itself crosses both
/// triggers. And where the price only falls, being looked after pays.
#[test]
fn who_is_looked_after_ends_no_worse() {
    let mut bleed = scenario("slow-bleed");
    (bleed.step_secs, bleed.duration_secs) = (300, 1_209_600);
    bleed.oracle.interval_secs = 60;
    let (kept, alone) = (play(small(), &bleed, true), play(small(), &bleed, false));
    for (with, without) in kept.positions.iter().zip(&alone.positions) {
        if !with.kept {
            continue;
        }
        assert_eq!(with.liquidated, 0.0, "{}", with.name);
        assert!(
            with.after.equity.f64() >= without.after.equity.f64(),
            "{}: {} and alone {}",
            with.name,
            with.after.equity,
            without.after.equity
        );
        assert!(with.highest_ltv_bps < rules().params.limits.maintenance_ltv_bps);
    }
    // Somebody is liquidated who is not looked after.
    assert!(alone.liquidated > 0.0 && kept.liquidated < alone.liquidated);
    for name in ["flash-crash", "depth-gone", "correlated-unwind"] {
        let report = play(small(), &short(name), true);
        let maintenance = rules().params.limits.maintenance_ltv_bps;
        for position in report.positions.iter().filter(|position| position.kept) {
            assert!(
                position.liquidated == 0.0 && position.highest_ltv_bps < maintenance,
                "{name}: {position:?}"
            );
        }
    }
}

/// Keepers begin with what is usual, and measure what the oracle says from then on.
#[test]
fn keepers_measure_how_much_the_price_moves() {
    let known = |sigma_day: f64| {
        let mut storm = scenario("calm");
        storm.market.sigma_day = sigma_day;
        storm.duration_secs = 7_200;
        let usual = (storm.keepers.usual_sigma_day * TICKS_PER_LOG) as u32;
        let mut world = World::new(small(), &storm, 1).unwrap();
        assert_eq!(world.situation(0, false).outlook.volatility, Some(usual));
        while world.secs < storm.duration_secs {
            world.step().unwrap();
        }
        (usual, world.situation(0, false).outlook.volatility.unwrap())
    };
    let (usual, wild) = known(0.3);
    assert!(wild > 3 * usual, "{wild}");
    // The slow average has not forgotten what was before.
    let (usual, still) = known(0.0);
    assert!(still < usual && still > usual / 2, "{still}");
}

/// The oracle is silent: whatever needs a price waits, and the gap itself crosses the boundary.
#[test]
fn nothing_lands_while_the_oracle_is_silent() {
    let mut stall = short("oracle-stall");
    stall.market.path = vec![[0.0, 1.0], [900.0, 1.0], [905.0, 0.5]];
    stall.market.sigma_day = 0.0;
    let mut world = World::new(small(), &stall, 1).unwrap();
    let mut last = BTreeMap::new();
    while world.secs < stall.duration_secs {
        world.step().unwrap();
        let acts: u32 = world
            .tracks
            .iter()
            .flat_map(|track| track.acts.values())
            .sum();
        last.insert(world.secs, acts);
    }
    assert_eq!(last[&900], last[&2_095]);
    assert!(last[&2_400] > last[&2_095]);
    let long = world.positions.iter().position(|held| held.name == "long");
    assert!(world.tracks[long.unwrap()].highest_ltv_bps > 10_000);
}

#[test]
fn no_price_ends_a_world() {
    for factor in [0.001, 0.03, 30.0, 1_000.0] {
        let mut extreme = short("oracle-stall");
        extreme.duration_secs = 3_000;
        extreme.market.path = vec![[0.0, 1.0], [300.0, factor]];
        for keepers in [true, false] {
            let report = play(small(), &extreme, keepers);
            assert!(report.bad_debt + report.uncovered > 0.0, "{factor}");
        }
    }
}

#[test]
fn empty_reserves_lend_nothing_and_ask_for_the_highest_rate() {
    let mut run = scenario("full-utilisation");
    run.duration_secs = 3_600;
    let parts = book().open(&rules()).unwrap();
    let report = play(parts, &run, true);
    for reserve in &report.reserves {
        assert_eq!(reserve.utilisation_highest_bps, 10_000);
        assert!(reserve.borrow_rate_bps > 14_000, "{reserve:?}");
        assert_eq!(reserve.lost_by_lenders, 0.0);
    }
    for lender in &report.lenders {
        assert!(lender.withdrawn > 0.0 && lender.at_hand < lender.before * 0.01);
        // Interest has come on top.
        assert!(lender.after + lender.withdrawn >= lender.before);
    }
}

#[test]
fn the_short_at_the_venue_is_paid_for() {
    let mut flip = scenario("funding-flip");
    flip.duration_secs = 21_600;
    let parts = small();
    let margin = 6_000.0;
    let perp = play(parts, &flip, true).perp.unwrap();
    assert!(
        perp.funding < 0.0 && perp.auto_deleveraged > 0.0,
        "{perp:?}"
    );
    let total = margin + perp.price + perp.funding - perp.fees;
    assert!((perp.margin - total).abs() < 1e-6);
}

#[test]
fn a_missed_slot_is_tried_again() {
    let mut crash = short("flash-crash");
    crash.keepers.miss = 0.9;
    let report = play(small(), &crash, true);
    let missed: u32 = report
        .positions
        .iter()
        .map(|position| position.missed)
        .sum();
    let acts: u32 = report
        .positions
        .iter()
        .flat_map(|position| position.actions.values())
        .sum();
    assert!(missed > acts && acts > 0, "{missed} {acts}");
    crash.keepers.outages = vec![Span {
        from_secs: 0,
        to_secs: 14_400,
    }];
    let out = play(small(), &crash, true);
    assert!(
        out.positions
            .iter()
            .all(|position| { position.actions.keys().all(|action| *action == "liquidate") })
    );
}

#[test]
fn a_book_opens_as_it_says() {
    let parts = book().open(&rules()).unwrap();
    assert_eq!(parts.positions.len(), 13);
    let world = World::new(parts, &scenario("calm"), 1).unwrap();
    let before = world.standings().unwrap();
    let report = world.report(&before).unwrap();
    for (name, equity, leverage) in [
        ("narrow", 40_000.0, 3.0),
        ("part-hedged", 50_000.0, 2.5),
        ("crowd 6", 15_000.0, 3.4),
    ] {
        let found = report
            .positions
            .iter()
            .find(|position| position.name == name);
        let standing = found.unwrap().before;
        assert!(
            (standing.equity.f64() - equity).abs() < 0.001,
            "{standing:?}"
        );
        let ltv: f64 = 1.0 - 1.0 / leverage;
        assert!((f64::from(standing.ltv_bps) / 1e4 - ltv).abs() < 2e-4);
    }
    let lent: f64 = report.lenders.iter().map(|lender| lender.before).sum();
    assert!((lent - 606_000.0).abs() < 1e-3);
}

#[test]
fn a_book_that_makes_no_sense_is_refused() {
    let with = |change: fn(&mut Book)| {
        let mut book = book();
        change(&mut book);
        book.open(&rules()).unwrap_err().to_string()
    };
    for (change, said) in [
        (
            (|book| book.price = 0.0) as fn(&mut Book),
            "price = 0 must be above 0",
        ),
        (
            |book| book.positions[0].hedge = 1.1,
            "positions.hedge = 1.1",
        ),
        (|book| book.positions[0].lower = 170.0, "position narrow: "),
        (
            |book| book.positions[0].equity = 1e9,
            "position narrow: reserve of",
        ),
        (
            |book| (book.positions[0].hedge, book.positions[0].leverage) = (0.0, 3.5),
            "position narrow: own funds do not pay for the base",
        ),
        (
            |book| book.pool.others[0].lower = 900.0,
            "liquidity of others from 900 to 750",
        ),
        (|book| book.pool.tick_spacing = 0, "pool.tick_spacing = 0"),
        (
            |book| book.positions[0].policy.hedge_bps = Some(5_000),
            "positions.policy.hedge_bps = 5000 must be left out",
        ),
        (
            |book| book.positions[0].owner.leverage_bps = Some(20_000),
            "positions.owner.leverage_bps = 20000 must be left out",
        ),
    ] {
        let error = with(change);
        assert!(error.contains(said), "{error}");
    }
    assert!(matches!(Book::parse("price = 1"), Err(BookError::Toml(_))));
}
