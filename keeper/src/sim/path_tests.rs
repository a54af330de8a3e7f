//! A position that is looked after does not end worse than one left alone.

use ballast_client::{MarketSnapshot, Position, default_policy, highest_trigger_down};
use ballast_migrations::Migrations;
use ballast_model::{Amounts, Band, Bps, OpenRequest, Tick, plan_open};
use ballast_strategy::{
    decide::{ActionKind, Kinds},
    fixtures,
};

use super::paths::{Life, Random, Tail, Walk};

const DAY_SECS: i64 = 86_400;

/// A local cluster's market, its stages included, without interest, at so many dollars.
fn market(dollars: i64) -> MarketSnapshot {
    let mut market = fixtures::snapshot(dollars);
    let rules = Migrations::built_in("localnet")
        .and_then(|all| all.desired())
        .unwrap()
        .market_params();
    let stored = &mut market.market;
    stored.limits = rules.limits;
    stored.oracle_rules = rules.oracle_rules;
    stored.keepers = rules.keepers;
    stored.stages = rules.stages;
    for reserve in [&mut market.base_reserve, &mut market.quote_reserve] {
        reserve.rate_at_zero_bps = 0;
        reserve.rate_at_kink_bps = 0;
        reserve.rate_at_full_bps = 0;
    }
    market
}

/// The deleverage trigger that a new position has.
fn default_trigger_bps() -> u32 {
    let market = market(200);
    default_policy(&market.market.limits, market.pool.fee_rate_ppm).deleverage_trigger_ltv_bps
}

/// The worked example, fully hedged, deleveraged from the trigger down to 65 %, which is also where a rehedge ends at the latest.
fn position(delta_band_bps: u32, trigger_bps: u32) -> Position {
    let mut position = fixtures::position();
    position.policy.delta_band_bps = delta_band_bps;
    position.policy.delta_target_bps = delta_band_bps / 2;
    position.policy.deleverage_trigger_ltv_bps = trigger_bps;
    position.policy.deleverage_target_ltv_bps = 6_500;
    position
}

/// A moment's move of the price, to and fro.
fn slots(random: &mut Random) -> impl FnMut() -> i32 {
    || {
        let moved = random.whole(0, 10);
        moved.cast_signed() - 5
    }
}

struct Outcome {
    kept: Life,
    unkept: Life,
}

/// Both lives along the same prices. `fee_day_bps`: what assets in their band earn a day.
fn live(
    start: &Life,
    prices: &[f64],
    step_secs: i64,
    fee_day_bps: u32,
    random: &mut Random,
) -> Outcome {
    let (mut kept, mut unkept) = (start.clone(), start.clone());
    for price in prices {
        for life in [&mut kept, &mut unkept] {
            let earned = fees(life, step_secs, fee_day_bps);
            life.pass(step_secs, *price);
            life.earn(earned);
        }
        kept.keep(&mut slots(random));
    }
    Outcome { kept, unkept }
}

fn fees(life: &Life, step_secs: i64, fee_day_bps: u32) -> u64 {
    let (model, oracle) = (life.model(), life.oracle());
    if !model.band.contains(oracle) {
        return 0;
    }
    let idle =
        ballast_model::value_down(model.idle.base, oracle).unwrap() + u128::from(model.idle.quote);
    let pooled = model.value(oracle).unwrap().assets - idle;
    let earned = pooled * u128::from(fee_day_bps) * step_secs.unsigned_abs() as u128
        / u128::from(Bps::ONE.get())
        / DAY_SECS.unsigned_abs() as u128;
    u64::try_from(earned).unwrap()
}

#[test]
fn on_the_paths_that_once_ended_a_kept_position_it_lives() {
    for (closes, least) in [
        // Up and then far down: left alone 76.40 of 100 are left.
        (&[211.0, 190.0, 175.0, 171.0, 165.0][..], 76.39),
        // Down and back: who hedged has paid for the move, who did not has everything. Hedged by borrowing alone 73.8 were left.
        (&[190.0, 210.0], 84.0),
        // Left alone 70.52.
        (&[217.0, 191.41, 178.82, 157.55], 70.52),
    ] {
        for band in [500, 1_000, 2_000] {
            let start = Life::new(market(200), position(band, default_trigger_bps()));
            let ends = live(&start, closes, DAY_SECS, 0, &mut Random::new(1));
            println!(
                "{closes:?}, band {band}: kept {:.2}, unkept {:.2}, {:?}",
                ends.kept.equity() as f64 / 1e6,
                ends.unkept.equity() as f64 / 1e6,
                ends.kept.actions
            );
            assert_eq!(ends.kept.liquidations, 0, "{closes:?}");
            assert!(ends.kept.equity() as f64 / 1e6 > least, "{closes:?}");
        }
    }
}

/// Daily closes, and hours with a jump a week.
const WALKS: [Walk; 3] = [
    Walk {
        steps: 7,
        step_secs: DAY_SECS,
        sigma: 0.05,
        jumps: 0.0,
        jump_sigma: 0.0,
    },
    Walk {
        steps: 30,
        step_secs: DAY_SECS,
        sigma: 0.05,
        jumps: 0.0,
        jump_sigma: 0.0,
    },
    Walk {
        steps: 168,
        step_secs: DAY_SECS / 24,
        sigma: 0.0102,
        jumps: 1.0 / 168.0,
        jump_sigma: 0.08,
    },
];

/// Many paths, kept and unkept.
struct Ends {
    kept: Tail,
    unkept: Tail,
    /// Paths on which a liquidation came, kept and unkept.
    liquidated: [u32; 2],
    /// How many were liquidated kept, and live unkept.
    only_kept: usize,
    /// On how many the kept one has less in the end.
    less: usize,
    /// Mean cost of a path's swaps, quote tokens.
    cost: f64,
}

/// Lives every seed's path, tells what came of it, and checks that a kept position is liquidated only by a jump.
fn compare(walk: Walk, start: &Life, fee_day_bps: u32, seeds: std::ops::Range<u64>) -> Ends {
    let (mut kept, mut unkept) = (Vec::new(), Vec::new());
    let (mut liquidated, mut only_kept, mut cost) = ([0, 0], Vec::new(), 0);
    for seed in seeds.clone() {
        let mut random = Random::new(seed);
        let prices = walk.prices(&mut random, 200.0);
        let ends = live(start, &prices, walk.step_secs, fee_day_bps, &mut random);
        let jumps = &ends.kept.crossings;
        for (ltv_bps, ratio) in jumps {
            // It was left below the trigger, and the price has moved by more than twice the stress distance at once.
            assert!(
                *ltv_bps < start.position.policy.deleverage_trigger_ltv_bps,
                "seed {seed}"
            );
            assert!(
                !(0.9..1.1).contains(ratio),
                "seed {seed}: {ratio} from {ltv_bps}"
            );
        }
        if let ([(_, ratio), ..], 0) = (&jumps[..], ends.unkept.liquidations) {
            only_kept.push((seed, *ratio));
        }
        kept.push(ends.kept.equity());
        unkept.push(ends.unkept.equity());
        cost += ends.kept.cost;
        liquidated[0] += u32::from(ends.kept.liquidations > 0);
        liquidated[1] += u32::from(ends.unkept.liquidations > 0);
    }
    let less = kept
        .iter()
        .zip(&unkept)
        .filter(|(kept, unkept)| kept < unkept);
    let less = less.count();
    let (kept, unkept) = (Tail::of(kept), Tail::of(unkept));
    let cost = cost as f64 / 1e6 / seeds.clone().count() as f64;
    println!(
        "  kept:   {kept}; liquidated {}, swaps cost {cost:.2}",
        liquidated[0]
    );
    println!("  unkept: {unkept}; liquidated {}", liquidated[1]);
    println!("  kept only liquidated, by a jump to: {only_kept:.3?}");
    Ends {
        kept,
        unkept,
        liquidated,
        only_kept: only_kept.len(),
        less,
        cost,
    }
}

#[test]
fn over_gap_paths_a_kept_position_is_not_the_worse_one() {
    let mut page = GAPS_HEAD.to_owned();
    for (walk, name) in WALKS.into_iter().zip(WALK_NAMES) {
        println!("{walk:?}, seeds 0 to 250:");
        let start = Life::new(market(200), position(1_000, default_trigger_bps()));
        let ends = compare(walk, &start, 0, 0..250);
        page += &row(name, &ends);
        // What it may be worse by is what its swaps cost; it is better by far.
        let unkept = &ends.unkept;
        assert!(ends.kept.mean > unkept.mean - ends.cost);
        assert!(ends.kept.low > unkept.low - ends.cost);
        assert!(ends.kept.least > unkept.least - ends.cost);
        assert_eq!(ends.only_kept, 0);
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/GAPS.md");
    if std::env::var_os("BALLAST_BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(written, page, "run with BALLAST_BLESS=1 to accept");
}

const GAPS_HEAD: &str = "# Gaps\n\n\
A gap is a jump of the price, within which nobody can act. What is left after gaps of a position with a keeper, and of the same one without?\n\n\
The position is the worked example: 190 to 210 around 200, own funds of 100 quote, leverage 3, fully hedged, a delta band of 10 %. There are no fees \
and no interest, so that only protection and what it costs are seen. Prices jump from step to step, and the keeper acts after each.\n\n\
Each line is of the same 250 paths for both positions. *Kept* has a keeper, *unkept* has none. Of each:\n\n\
- *mean*, *5 %*, *least*: what is left of 100, on average, on the path that is worse than 95 % of the others, and on the worst one.\n\
- *liquidated*: on how many paths it was.\n\n\
Of both together:\n\n\
- *less*: on how many paths the kept position ends below the other. A hedge costs something with every move, also where the price comes back.\n\
- *swaps cost*: what the keeper's swaps cost the kept position, on average, of 100.\n\n\
`path_tests::over_gap_paths_a_kept_position_is_not_the_worse_one` writes this page with `BALLAST_BLESS=1`. It fails where a mean, a 5 % or a least \
is below the other's by more than the swaps cost, or where only the kept position is liquidated.\n\n\
| path | kept: mean, 5 %, least | liquidated | unkept: mean, 5 %, least | liquidated | less | swaps cost |\n\
|---|---|---|---|---|---|---|\n";

/// What the table calls [`WALKS`].
const WALK_NAMES: [&str; 3] = [
    "7 daily closes, 5 % a day",
    "30 daily closes, 5 % a day",
    "168 hours, 5 % a day and a jump of 8 % a week",
];

/// A line of the table: kept, unkept, and on how many paths kept ends lower.
fn row(name: &str, ends: &Ends) -> String {
    let tail = |Tail { mean, low, least }: &Tail| format!("{mean:.1}, {low:.1}, {least:.1}");
    format!(
        "| {name} | {} | {} | {} | {} | {} | {:.2} |\n",
        tail(&ends.kept),
        ends.liquidated[0],
        tail(&ends.unkept),
        ends.liquidated[1],
        ends.less,
        ends.cost
    )
}

#[test]
fn looking_after_a_position_pays_with_and_without_fees_and_a_wider_band_costs_less() {
    let minutes = Walk {
        steps: 7 * 144,
        step_secs: 600,
        sigma: 0.05 / 12.0,
        jumps: 0.0,
        jump_sigma: 0.0,
    };
    for fee_day_bps in [0, 20, 100] {
        let mut costs = Vec::new();
        for band in [500, 1_000, 2_000, 3_000] {
            println!(
                "fees {fee_day_bps} bps a day, band {band}, seven days in steps of ten minutes, seeds 0 to 40:"
            );
            let start = Life::new(market(200), position(band, default_trigger_bps()));
            let ends = compare(minutes, &start, fee_day_bps, 0..40);
            // Where fees earn more than moves cost, what was withdrawn on the way is missed, but for a part of the tail saved.
            let missed = if fee_day_bps == 100 { 2.0 } else { 0.0 };
            assert!(ends.kept.mean > ends.unkept.mean - ends.cost - missed);
            assert!(ends.kept.low > ends.unkept.low && ends.kept.least > ends.unkept.least);
            costs.push(ends.cost);
        }
        assert!(
            costs.is_sorted_by(|narrow, wide| narrow > wide),
            "{costs:?}"
        );
    }
}

/// A position as it may be found: any band, hedge, leverage and price, perhaps long out of its band, idle tokens beside it.
fn found(random: &mut Random) -> Option<Life> {
    let mut market = market(200);
    market.pool.fee_rate_ppm = [100, 400, 1_600, 3_000][random.whole(0, 3) as usize];
    let mut position = fixtures::position();
    let policy = &mut position.policy;
    policy.hedge_bps = random.whole(5, 10) * 1_000;
    policy.delta_band_bps = random.whole(200, 3_000);
    policy.delta_target_bps = policy.delta_band_bps / 2;
    // Below the highest one a move of the stress distance does not reach maintenance, however little is hedged.
    let highest = highest_trigger_down(&market.market.limits).get();
    let lower = random.whole(6_800, highest);
    policy.deleverage_trigger_ltv_bps = [highest, lower][random.whole(0, 1) as usize];
    policy.deleverage_target_ltv_bps = policy.deleverage_trigger_ltv_bps - random.whole(100, 1_500);
    let half = random.whole(100, 2_500).cast_signed();
    let centre = fixtures::sqrt_price_cents(20_000).tick().get()
        + random.whole(0, 2_000).cast_signed()
        - 1_000;
    let ticks = [centre - half, centre + half].map(|tick| tick / 4 * 4);
    [position.tick_lower, position.tick_upper] = ticks;
    let [lower, upper] = ticks.map(|tick| Tick::new(tick).unwrap());
    let plan = plan_open(OpenRequest {
        own: Amounts::new(0, 100_000_000),
        leverage: Bps::new(random.whole(15_000, 38_000)),
        hedge: policy.hedge(),
        band: Band::new(lower, upper).unwrap(),
        at: fixtures::sqrt_price_cents(20_000),
    })
    .ok()?;
    position.liquidity = plan.liquidity.into();
    let idle = random.whole(0, 30_000_000);
    position.idle_quote = u64::from(idle) * u64::from(random.whole(0, 1));
    position.base_debt_shares = fixtures::shares(plan.borrow.base).into();
    position.quote_debt_shares = fixtures::shares(plan.borrow.quote).into();
    let surplus = plan.base_surplus;
    if surplus > 0 {
        position.idle_base = u64::try_from(surplus).ok()?;
    }
    fixtures::book_debts(&mut market, &position);
    let mut life = Life::new(market, position);
    // It comes to the keeper wherever the price has gone meanwhile.
    let price = 200.0 * random.between(-0.15, 0.15).exp();
    life.pass(DAY_SECS, price);
    life.volatility = Some(random.whole(50, 1_000));
    (life.liquidations == 0).then_some(life)
}

#[test]
fn within_the_stress_distance_nothing_that_is_looked_after_is_liquidated() {
    const LIVES: u32 = 10_000;
    let mut random = Random::new(7);
    let (mut lives, mut actions) = (0, [0; ActionKind::ALL.len()]);
    let mut stages = [0; 3];
    while lives < LIVES {
        let Some(mut life) = found(&mut random) else {
            continue;
        };
        lives += 1;
        let first = life.clone();
        let mut price = life.oracle_dollars();
        life.keep(&mut slots(&mut random));
        let mut prices = vec![price];
        for _ in 0..random.whole(3, 12) {
            let trigger = life.position.policy.deleverage_trigger_ltv_bps;
            assert!(
                life.ltv_bps() <= trigger,
                "left at {} of {trigger}: {:?} {prices:?} {first:?}",
                life.ltv_bps(),
                life.assess(Kinds::NONE).decision
            );
            // Mostly ordinary moves, at times the whole distance but for what two slots take of it.
            price *= match random.whole(0, 3) {
                0 => 0.951,
                1 => 1.049,
                _ => 1.0 + random.between(-0.049, 0.049),
            };
            prices.push(price);
            life.pass(60, price);
            life.keep(&mut slots(&mut random));
            assert_eq!(life.liquidations, 0, "{prices:?} {first:?}");
        }
        stages[usize::from(life.highest_stage.min(2))] += 1;
        for action in life.actions {
            actions[action as usize] += 1;
        }
    }
    println!(
        "{LIVES} lives, actions by kind: {:?}",
        ActionKind::ALL.iter().zip(actions).collect::<Vec<_>>()
    );
    println!("lives by the highest stage: {stages:?}");
    for kind in [
        ActionKind::Rehedge,
        ActionKind::Deleverage,
        ActionKind::DeleverageSwap,
    ] {
        assert!(actions[kind as usize] > 50, "{kind}");
    }
    assert!(stages.iter().all(|lives| *lives > 50), "{stages:?}");
}
