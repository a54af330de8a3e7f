//! The keeper's own strategy on the worked example.

mod common;

use ballast_model::{Band, Bps, Tick, quiet::HedgeBand};
use ballast_simulator::{
    Act, Arbitrage, BandRule, Baseline, Blocks, FeeTerms, Gbm, Interest, Keeper, KeeperTerms,
    Looks, Opening, Outcome, Summary, Takers, Terms,
};
use ballast_strategy::{fixtures, situation::Economics};
use common::{opening, run, run_on};

fn terms(interest: Interest) -> Terms {
    let fees = FeeTerms {
        fee: 0.0004,
        protocol_share: 0.13,
        arbitrage: Arbitrage::Formula(Blocks::Fixed(0.4)),
        takers: Takers::default(),
    };
    with_fees(fees, interest)
}

fn with_fees(fees: FeeTerms, interest: Interest) -> Terms {
    let [lower, upper] = fixtures::TICKS.map(|tick| Tick::new(tick).unwrap());
    let opening = Opening {
        band: Band::new(lower, upper).unwrap(),
        ..opening()
    };
    Terms::new(&opening, Some(fees), interest).unwrap()
}

fn keeper(terms: &Terms, automated: bool) -> Keeper {
    let mut keeper = keeper_terms();
    if automated {
        keeper.automation = fixtures::automation();
    }
    Keeper::new(&keeper, terms)
}

fn keeper_terms() -> KeeperTerms {
    KeeperTerms::in_market(&fixtures::market(), fixtures::policy(), 400)
}

fn summary(terms: &Terms, outcomes: &[Outcome]) -> Summary {
    let mut summary = Summary::new(terms, outcomes.len() as u64);
    outcomes.iter().for_each(|outcome| summary.add(outcome));
    summary
}

/// A fortnight at 5 % a day, looked at every ten minutes: without a keeper every tenth comes to its liquidation price, with one none,
/// and the worst are far better off.
#[test]
fn kept_positions_are_not_liquidated() {
    let terms = terms(Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(14.0, 600).unwrap();
    let paths = 100;
    let kept = run(&terms, looks, &model, &keeper(&terms, false), paths, 41);
    let left = run(&terms, looks, &model, &Baseline::Hold, paths, 41);
    for (one, other) in kept.iter().zip(&left) {
        // The same prices.
        assert_eq!(one.price, other.price);
    }
    let (kept, left) = (summary(&terms, &kept), summary(&terms, &left));
    assert!(
        left.liquidatable().probability() > 0.05,
        "{:?}",
        left.liquidatable()
    );
    assert_eq!(kept.liquidatable().probability(), 0.0);
    assert!(kept.equity().quantile(0.05) > left.equity().quantile(0.05) + 5.0);
    assert!(kept.own_acts().mean() > 1.0);
}

/// Recentering, compounding and interest: every path's lines are its gain to the unit, on any number of threads.
#[test]
fn an_automated_position_adds_up() {
    let terms = terms(Interest::new(0.1, 0.1).unwrap());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(4.0, 1_800).unwrap();
    let keeper = keeper(&terms, true);
    let outcomes = run(&terms, looks, &model, &keeper, 40, 42);
    for outcome in &outcomes {
        let gain = outcome.equity - i128::from(terms.own_quote);
        assert_eq!(gain, outcome.attribution.total(), "{outcome:?}");
    }
    assert!(outcomes.iter().any(|outcome| outcome.acts.own() > 3));
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.attribution.fees_arbitrage > 0)
    );
    assert_eq!(outcomes, run_on(&terms, looks, &model, &keeper, 40, 42, 1));
}

/// Where nothing moves nothing is done: fees less interest.
#[test]
fn without_volatility_nothing_is_due() {
    let terms = terms(Interest::new(0.1, 0.1).unwrap());
    let looks = Looks::new(4.0, 1_800).unwrap();
    let still = Gbm::new(0.0, 0.0).unwrap();
    let outcome = run(&terms, looks, &still, &keeper(&terms, false), 1, 43)[0];
    let lines = outcome.attribution;
    assert_eq!(outcome.acts.own(), 0);
    assert_eq!(
        outcome.equity - i128::from(terms.own_quote),
        lines.interest_base + lines.interest_quote + lines.rounding
    );
}

/// Takers pay and debts grow while the price stands still: kept or not, the gain is one less the other, both as by hand.
#[test]
fn without_volatility_a_position_gains_fees_less_interest() {
    let (days, apr, others) = (4.0, [0.1, 0.05], 1e12);
    let (volume_day, fee, protocol_share) = (100_000.0, 0.0004, 0.13);
    let fees = FeeTerms {
        fee,
        protocol_share,
        arbitrage: Arbitrage::Formula(Blocks::Fixed(0.4)),
        takers: Takers {
            volume_day,
            others_liquidity: others,
            ..Takers::default()
        },
    };
    let terms = with_fees(fees, Interest::new(apr[0], apr[1]).unwrap());
    let liquidity = terms.opened.liquidity as f64;
    let earned =
        days * volume_day * fee * (1.0 - protocol_share) * liquidity / (liquidity + others);
    let grown = |debt: u64, apr: f64| debt as f64 * (apr * days / 365.0).exp_m1();
    let interest = grown(terms.opened.debt.base, apr[0]) * 200.0 / 1e9
        + grown(terms.opened.debt.quote, apr[1]) / 1e6;
    assert!(earned > 1.0 && interest > 0.01, "{earned} {interest}");
    let looks = Looks::new(days, 1_800).unwrap();
    let still = Gbm::new(0.0, 0.0).unwrap();
    let left = run(&terms, looks, &still, &Baseline::Hold, 1, 45)[0];
    let kept = run(&terms, looks, &still, &keeper(&terms, false), 1, 45)[0];
    for outcome in [left, kept] {
        assert_eq!(outcome.acts.own(), 0);
        let gain = outcome.equity - i128::from(terms.own_quote);
        let lines = outcome.attribution;
        assert_eq!(
            gain,
            lines.fees_takers + lines.interest_base + lines.interest_quote + lines.rounding
        );
        // Ten units of a millionth are what a hundred roundings cost.
        assert!(
            (gain as f64 / 1e6 - (earned - interest)).abs() < 1e-5,
            "{gain} {earned} {interest}"
        );
    }
}

/// What is configured is wrong both ways, and the keeper finds out: it lays new bands in a pool that pays though it was told that
/// it does not, and stops where it does not though it was told of five basis points a day.
#[test]
fn it_learns_what_the_pool_pays() {
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(10.0, 600).unwrap();
    let recentered = |told_bps, volume_day| {
        let fees = FeeTerms {
            // Arbitrageurs give nothing back: takers are all there is.
            fee: 1e-9,
            protocol_share: 0.0,
            arbitrage: Arbitrage::Formula(Blocks::Fixed(0.4)),
            takers: Takers {
                volume_day,
                others_liquidity: 1e15,
                ..Takers::default()
            },
        };
        // A tenth of a cent is paid for an action.
        let terms = with_fees(fees, Interest::default()).with_action_cost(1_000);
        let keeper = KeeperTerms {
            automation: fixtures::automation(),
            economics: Economics {
                fee_day_bps: told_bps,
                ..Economics::default()
            },
            ..keeper_terms()
        };
        let outcomes = run(&terms, looks, &model, &Keeper::new(&keeper, &terms), 20, 44);
        let acts = outcomes
            .iter()
            .map(|outcome| outcome.acts.count(Act::Recenter));
        let (mut early, mut all) = (0, 0);
        for count in acts {
            early += u64::from(count.min(1));
            all += u64::from(count);
        }
        println!(
            "told {told_bps} bps, volume {volume_day}: {all} recenterings on {early} of 20 paths"
        );
        all
    };
    // Told of nothing, and nothing is paid: it never moves, not even where that takes no swap.
    assert_eq!(recentered(0, 0.0), 0);
    let paid = recentered(0, 1e15);
    let (told, told_right) = (recentered(5, 0.0), recentered(5, 1e15));
    assert!(paid > 20, "{paid}");
    assert!(told > 0 && 2 * told < told_right, "{told} {told_right}");
}

/// With blocks of a minute arbitrageurs hand back a third of what price moves cost: who takes that off lays no new band among them alone,
/// the keeper's own rule does.
#[test]
fn a_rule_that_counts_curvature_lays_no_band_that_loses() {
    let fees = FeeTerms {
        fee: 0.0004,
        protocol_share: 0.13,
        arbitrage: Arbitrage::Formula(Blocks::Fixed(60.0)),
        takers: Takers::default(),
    };
    let terms = with_fees(fees, Interest::default()).with_action_cost(1_000);
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(10.0, 600).unwrap();
    let recentered = |band_rule| {
        let keeper = KeeperTerms {
            automation: fixtures::automation(),
            economics: Economics {
                fee_day_bps: 0,
                ..Economics::default()
            },
            band_rule,
            ..keeper_terms()
        };
        let outcomes = run(&terms, looks, &model, &Keeper::new(&keeper, &terms), 20, 46);
        let counts = outcomes.iter().map(|one| one.acts.count(Act::Recenter));
        counts.map(u64::from).sum::<u64>()
    };
    let [present, less] = [BandRule::Present, BandRule::FeesLessCurvature].map(recentered);
    println!("{present} by the present rule, {less} less curvature");
    assert!(present > 20 && less * 20 < present, "{present} {less}");
}

/// A band is a keeper's rehedges and nothing else: wherever the keeper does nothing else, every line is the same to the unit.
#[test]
fn a_band_rehedges_as_a_keeper_does() {
    let terms = terms(Interest::new(0.2, 0.1).unwrap());
    let looks = Looks::new(5.0, 600).unwrap();
    let model = Gbm::new(0.04, 0.0).unwrap();
    // Three times own funds is 66.7 %: the first rehedge withdraws.
    let most_ltv = Bps::new(6_500);
    let mut keeper = keeper_terms();
    keeper.market.limits.target_ltv_bps = most_ltv.get();
    keeper.policy.deleverage_target_ltv_bps = most_ltv.get();
    keeper.policy.delta_target_bps = 0;
    let band = |most_ltv| Baseline::Band {
        band: HedgeBand {
            hedge: Bps::ONE,
            band: Bps::new(keeper.policy.delta_band_bps),
        },
        cost_ppm: keeper.fee_ppm.into(),
        most_ltv,
    };
    let kept = run(
        &terms,
        looks,
        &model,
        &Keeper::new(&keeper, &terms),
        100,
        45,
    );
    let all = |agent| run(&terms, looks, &model, &agent, 100, 45);
    let (banded, never) = (all(band(most_ltv)), all(band(Baseline::ANY_LTV)));
    let (mut alike, mut rehedged, mut withdrew) = (0, 0, 0);
    for ((kept, banded), never) in kept.iter().zip(&banded).zip(&never) {
        if kept.acts.own() == kept.acts.count(Act::Rehedge) {
            assert_eq!(kept, banded);
            alike += 1;
            rehedged += kept.acts.own();
            withdrew += u32::from(banded.equity != never.equity);
        }
    }
    println!("{alike} paths with {rehedged} rehedges, {withdrew} differ without withdrawing");
    assert!(
        alike > 80 && rehedged > 200 && withdrew > 60,
        "{alike} {rehedged} {withdrew}"
    );
}
