//! What a perp venue does to a short beside paying funding: its price wanders, it fills late, and takes of what gains.

mod common;

use ballast_model::Bps;
use ballast_simulator::{
    Baseline, BasisWalk, Deleveraging, Gbm, Interest, Looks, Moments, Opening, Outcome, PartAt,
    PerpShock, PerpTerms, Terms,
};
use common::{EXAMPLE_PRICE, UNITS, opening, run_on};

fn mean(outcomes: &[Outcome], of: impl Fn(&Outcome) -> i128) -> Moments {
    let mut moments = Moments::default();
    for outcome in outcomes {
        moments.add(UNITS.quote(of(outcome)));
    }
    moments
}

/// A position without debts in base, and a short for it at a venue of this kind.
fn beside(venue: PerpShock) -> Terms {
    let unhedged = Opening {
        hedge: Bps::new(0),
        ..opening()
    };
    let terms = Terms::new(&unhedged, None, Interest::default()).unwrap();
    let perp = PerpTerms {
        venue: PerpShock {
            funding_hour: 0.000_01,
            ..venue
        },
        margin: 100_000_000,
        maintenance: 0.05,
        band: Bps::new(1_000),
    };
    terms.with_perp(perp).unwrap()
}

/// A venue whose orders are filled at once for nothing.
fn plain() -> PerpShock {
    PerpShock {
        fill_latency_secs: 0,
        fee: 0.000_45,
        ..PerpShock::default()
    }
}

fn held(venue: PerpShock, threads: usize) -> Vec<Outcome> {
    let terms = beside(venue);
    let (model, looks) = (Gbm::new(0.06, 0.0).unwrap(), Looks::new(3.0, 600).unwrap());
    let outcomes = run_on(&terms, looks, &model, &Baseline::Hold, 300, 45, threads);
    for outcome in &outcomes {
        let lines = &outcome.attribution;
        assert_eq!(outcome.equity - terms.funds(), lines.total(), "{outcome:?}");
        assert!(outcome.lowest_equity <= outcome.equity);
    }
    outcomes
}

const WALK: BasisWalk = BasisWalk {
    mean: 0.0,
    sd: 0.003,
    half_life_hours: 6.0,
};

/// Bases that do not wander and venues that take nothing leave every bit as it was.
#[test]
fn a_venue_that_does_nothing_more_changes_no_bit() {
    let without = held(plain(), 0);
    let still = BasisWalk { sd: 0.0, ..WALK };
    let never = Deleveraging {
        after_move: 0.9,
        within_secs: 3_600,
        part: 1.0,
    };
    let nothing = Deleveraging {
        after_move: 0.01,
        part: 0.0,
        ..never
    };
    for venue in [
        PerpShock {
            basis_walk: Some(still),
            ..plain()
        },
        PerpShock {
            deleverages: Some(never),
            ..plain()
        },
        PerpShock {
            deleverages: Some(nothing),
            ..plain()
        },
        PerpShock {
            auto_deleveraging: vec![PartAt {
                at_secs: 1_000_000,
                part: 1.0,
            }],
            ..plain()
        },
    ] {
        assert_eq!(held(venue.clone(), 0), without, "{venue:?}");
    }
    assert!(without.iter().all(|outcome| outcome.attribution.basis == 0));
}

/// A basis that wanders brings and takes about as much, and leaves more to luck; one that stays apart only scales what the short gains.
#[test]
fn a_basis_that_wanders_has_a_line_of_its_own() {
    let wanders = |sd| PerpShock {
        basis_walk: Some(BasisWalk { sd, ..WALK }),
        ..plain()
    };
    let outcomes = held(wanders(0.003), 1);
    assert_eq!(held(wanders(0.003), 4), outcomes);
    let basis = |outcomes: &[Outcome]| mean(outcomes, |outcome| outcome.attribution.basis);
    let seen = basis(&outcomes);
    assert!(
        seen.sd() > 0.0 && seen.mean().abs() < 4.0 * seen.stderr(),
        "{seen:?}"
    );
    assert!(basis(&held(wanders(0.009), 0)).sd() > 2.0 * seen.sd());
    // It ends apart by its deviation, on a short of nothing to twice the delta at the start, and was traded on the way.
    let delta = 0.731 * EXAMPLE_PRICE;
    assert!(
        (0.5..3.0).contains(&(seen.sd() / (delta * 0.003))),
        "{seen:?}"
    );
    // The prices are the same, and so is the position.
    let without = held(plain(), 0);
    for (with, without) in outcomes.iter().zip(&without) {
        assert_eq!(with.price, without.price);
        assert_eq!(with.attribution.curvature, without.attribution.curvature);
    }
    let apart = held(
        PerpShock {
            basis_walk: Some(BasisWalk {
                mean: 0.01,
                sd: 0.0,
                ..WALK
            }),
            ..plain()
        },
        0,
    );
    for outcome in &apart {
        let (perp, basis) = (outcome.attribution.perp, outcome.attribution.basis);
        assert!((perp - basis * 100).abs() <= 50_000, "{perp} {basis}");
    }
}

/// A venue that takes of the short when the price falls: what it would have gained from there is missing until it is held anew.
#[test]
fn a_fall_takes_of_the_short() {
    let takes = |part, secs| PerpShock {
        deleverages: Some(Deleveraging {
            after_move: 0.05,
            within_secs: 14_400,
            part,
        }),
        fill_latency_secs: secs,
        ..plain()
    };
    let hit = |outcomes: &[Outcome]| {
        let hit = outcomes
            .iter()
            .filter(|outcome| outcome.perp.auto_deleveraged);
        hit.count()
    };
    let outcomes = held(takes(0.8, 7_200), 1);
    assert_eq!(held(takes(0.8, 7_200), 3), outcomes);
    let count = hit(&outcomes);
    assert!((20..290).contains(&count), "{count}");
    let without = held(
        PerpShock {
            fill_latency_secs: 7_200,
            ..plain()
        },
        0,
    );
    assert_eq!(hit(&without), 0);
    let mut changed = 0;
    for (with, without) in outcomes.iter().zip(&without) {
        let differs = with.equity != without.equity;
        assert!(with.perp.auto_deleveraged || !differs, "{with:?}");
        changed += usize::from(differs);
    }
    assert_eq!(changed, count);
    // Holding it anew costs fees.
    let fees =
        |outcomes: &[Outcome]| mean(outcomes, |outcome| outcome.attribution.perp_fees).mean();
    assert!(fees(&outcomes) < fees(&without));
    let spread = |outcomes: &[Outcome]| mean(outcomes, |outcome| outcome.equity).sd();
    assert!(spread(&outcomes) > spread(&without));
    // At a stated time it is taken on every path.
    let all = held(
        PerpShock {
            auto_deleveraging: vec![PartAt {
                at_secs: 86_400,
                part: 0.5,
            }],
            ..plain()
        },
        0,
    );
    // But where nothing is held, above the range.
    assert!(hit(&all) > 250, "{}", hit(&all));
}

/// The longer an order takes, the farther the short is from what it is for.
#[test]
fn late_fills_hedge_worse() {
    let late = |secs| {
        let venue = PerpShock {
            fill_latency_secs: secs,
            ..plain()
        };
        let outcomes = held(venue, 0);
        mean(&outcomes, |outcome| {
            outcome.attribution.perp
                + outcome.attribution.hedge_drift
                + outcome.attribution.curvature
        })
        .sd()
    };
    let [at_once, hours] = [0, 43_200].map(late);
    assert!(hours > 1.1 * at_once, "{at_once} {hours}");
}
