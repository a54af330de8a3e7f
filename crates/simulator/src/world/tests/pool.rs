//! The pool that all trade in.

use super::*;

#[test]
fn whoever_unwinds_moves_the_price_for_all() {
    let crowd = short("correlated-unwind");
    let (kept, alone) = (play(small(), &crowd, true), play(small(), &crowd, false));
    let sold: f64 = kept
        .positions
        .iter()
        .map(|position| position.unwinding.base_sold)
        .sum();
    assert!(sold > 100.0);
    assert!(
        kept.price_after < alone.price_after * 0.999,
        "{} {}",
        kept.price_after,
        alone.price_after
    );
    // The pool settles where the market is, but for the fee, and the oracle says so.
    assert!((kept.pool_price_after / kept.price_after - 1.0).abs() < 0.002);
    assert!((kept.oracle_price_after / kept.price_after - 1.0).abs() < 0.001);
    // In a market that nothing moves it comes to what the path says.
    let mut deep = crowd;
    deep.market.depth_quote = None;
    deep.market.sigma_day = 0.0;
    let report = play(small(), &deep, true);
    assert!((report.price_after / 150.0 - 0.86).abs() < 1e-9);
}

/// What trades in the pool comes to the market by arbitrage, and from there to the oracle after its delay. When nobody has to trade any
/// more pool, market and oracle are one price again.
#[test]
fn an_impact_comes_round_to_the_oracle_and_settles() {
    let mut crowd = short("correlated-unwind");
    crowd.market.sigma_day = 0.0;
    crowd.oracle.delay_secs = 20;
    // The same in a market that nothing moves.
    let mut firm = crowd.clone();
    firm.market.depth_quote = None;
    let mut moved = World::new(small(), &crowd, 1).unwrap();
    let mut unmoved = World::new(small(), &firm, 1).unwrap();
    let prices = |world: &World| {
        let oracle = world.units.log_price(world.oracle_price().unwrap());
        [world.outside.log_price(), oracle]
    };
    // When market and oracle first show what trades have moved, and the most that they show.
    let mut first = [None; 2];
    let mut most = [0.0f64; 2];
    while moved.secs < crowd.duration_secs {
        moved.step().unwrap();
        unmoved.step().unwrap();
        let both = prices(&moved).into_iter().zip(prices(&unmoved));
        for (which, (with, without)) in both.enumerate() {
            let impact = (with - without).abs();
            if impact > 1e-4 {
                first[which].get_or_insert(moved.secs);
            }
            most[which] = most[which].max(impact);
        }
    }
    let [market, oracle] = first.map(|secs| secs.unwrap_or(u64::MAX));
    assert!(
        market.saturating_add(crowd.oracle.delay_secs) <= oracle && oracle < market + 120,
        "{market} {oracle} {most:?}"
    );
    assert!(
        most[0] > 0.001 && most[1] > 0.5 * most[0] && most[1] <= most[0] + 1e-6,
        "{most:?}"
    );
    let [market, oracle] = prices(&moved);
    let pool = moved.units.log_price(moved.pool.sqrt_price());
    assert!(
        (pool - market).abs() < 0.002 && (oracle - market).abs() < 5e-4,
        "{pool} {market} {oracle}"
    );
}

/// The pool follows the market to within its fee; where a trade costs something, only for a gain that is worth it.
#[test]
fn arbitrageurs_keep_the_pool_near_the_market() {
    let apart = |arbitrage_cost: f64| {
        let mut rise = scenario("calm");
        rise.market.path = vec![[0.0, 1.0], [600.0, 1.05]];
        rise.pool.arbitrage_delay_secs = 0;
        rise.pool.arbitrage_cost = arbitrage_cost;
        let mut world = World::new(small(), &rise, 1).unwrap().without_keepers();
        let mut most = 0.0f64;
        while world.secs < 600 {
            world.step().unwrap();
            let pool = world.units.log_price(world.pool.sqrt_price());
            most = most.max(world.outside.log_price() - pool);
        }
        world.count().unwrap();
        most
    };
    let (free, dear) = (apart(0.0), apart(50.0));
    assert!((free - 0.000_4).abs() < 1e-6, "{free}");
    assert!(dear > 0.001 && dear < 0.01, "{dear}");
}

/// A hundred base sold into the same pool, with and without the others.
#[test]
fn without_depth_unwinding_is_dear() {
    let sells = |left: f64| {
        let mut world = World::new(small(), &scenario("calm"), 1).unwrap();
        world.scenario.pool.others = vec![PartAt {
            at_secs: 30,
            part: left,
        }];
        world.step().unwrap();
        let at = world.units.log_price(world.pool.sqrt_price());
        let purse: fn(&mut World) -> &mut [i128; 2] = |world| &mut world.wallets.takers;
        let paid = world.outsider_swaps(100_000_000_000, Side::Base, at - 1.0, purse);
        world.count().unwrap();
        -paid.unwrap() as f64 / 1e6 / 100.0
    };
    let (deep, thin) = (sells(1.0), sells(0.05));
    // 0.04 % are the fee.
    assert!((149.0..149.94).contains(&deep), "{deep}");
    assert!(149.94 - thin > 2.5 * (149.94 - deep), "{thin} {deep}");
}

#[test]
fn others_take_their_liquidity_and_fees_out_and_bring_it_back() {
    let mut world = World::new(small(), &scenario("calm"), 1).unwrap();
    world.scenario.pool.others = vec![
        PartAt {
            at_secs: 30,
            part: 0.0,
        },
        PartAt {
            at_secs: 60,
            part: 1.0,
        },
    ];
    let before = world.pool.liquidity();
    world.step().unwrap();
    let seats: u128 = world
        .positions
        .iter()
        .map(|held| held.stored.liquidity.get())
        .sum();
    assert!(world.pool.liquidity() <= seats && before > seats);
    assert!(world.wallets.others[0] > 0 && world.wallets.others[1] > 0);
    world.step().unwrap();
    assert_eq!(world.pool.liquidity(), before);
    world.count().unwrap();
    // What rounding has taken is the pool's.
    assert!(
        world
            .wallets
            .others
            .iter()
            .all(|left| (-8..=0).contains(left))
    );
}

/// Where the fee moves with the price, those who move it pay more.
#[test]
fn a_fee_that_moves_pays_those_who_provide_in_a_storm() {
    let crash = short("flash-crash");
    let fees = |adaptive| {
        let mut book = book();
        book.positions.truncate(1);
        book.pool.adaptive = adaptive;
        let parts = book.open(&rules()).unwrap();
        let mut world = World::new(parts, &crash, 1).unwrap();
        while world.secs < 1_200 {
            world.step().unwrap();
            world.count().unwrap();
        }
        // Arbitrageurs have sold base; a part of each fee is the protocol's.
        assert!(world.wallets.arbitrage[0] < 0);
        world.pool.protocol_fees().base
    };
    let fixed = fees(None);
    let moves = fees(Some(book::BookAdaptive {
        filter_period: 30,
        decay_period: 600,
        reduction_factor: 5_000,
        control_factor: 4_000,
        max_volatility_accumulator: 350_000,
        tick_group_size: 4,
        major_swap_threshold_ticks: 64,
    }));
    assert!(moves > fixed, "{moves} {fixed}");
}
