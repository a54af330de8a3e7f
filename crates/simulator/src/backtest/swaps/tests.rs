use super::*;

const TERMS: SwapTerms = SwapTerms {
    fee_ppm: 3_000,
    protocol_bps: 1_300,
};

/// A pool of two ranges, swaps in it, and what a seat of ours (a part of the first range) earned by the pool's own book.
fn recorded(withdraws_after: Option<usize>) -> (Vec<Swap>, BTreeMap<i32, i128>, [f64; 2]) {
    let at = Tick::new(10).unwrap().sqrt_price();
    let fee = SwapFee::fixed(TERMS.fee_ppm);
    let mut pool = TickPool::new(at, fee, TERMS.protocol_bps);
    let ours = pool.seat([-64, 64]);
    pool.provide(ours, 1_000_000_000_000).unwrap();
    let others = [[-640, 640], [-128, 32]].map(|range| {
        let seat = pool.seat(range);
        pool.provide(seat, 3_000_000_000_000).unwrap();
        seat
    });
    let ticks = pool
        .ticks()
        .map(|(tick, state)| (tick, state.net))
        .collect();
    let mut swaps = Vec::new();
    for number in 0..40usize {
        let side = usize::from(number % 3 != 0);
        let input = [Side::Base, Side::Quote][side];
        // Now and then one that leaves the range.
        let large = if number % 10 == 9 { 4 } else { 1 };
        let amount = (11_000_000_000 + 1_000_000_007 * (number as u64 % 5)) * large;
        let order = SwapOrder {
            amount: amount * if side == 0 { 2 } else { 1 },
            mode: SwapMode::ExactIn,
            input,
            limit: None,
        };
        let moved = pool.swap(order, 0).unwrap().amounts;
        let (base, quote) = (i128::from(moved.base), i128::from(moved.quote));
        swaps.push(Swap {
            time_secs: number as i64,
            amounts: if side == 0 {
                [base, -quote]
            } else {
                [-base, quote]
            },
            sqrt_price_x64: pool.sqrt_price().x64(),
            liquidity: pool.liquidity(),
        });
        if withdraws_after == Some(number) {
            pool.withdraw(others[0], 1_500_000_000_000).unwrap();
        }
    }
    let fees = pool.fees_of(ours);
    (swaps, ticks, [fees.base as f64, fees.quote as f64])
}

fn ours(swaps: &[Swap], ticks: Option<&BTreeMap<i32, i128>>) -> SwapsReport {
    let range = Range::new(-64, 64).unwrap();
    super::swaps(swaps, ticks, TERMS, range, 1_000_000_000_000)
}

/// But for the first swap, whose start is only known by its amounts, to the unit.
#[test]
fn with_tick_liquidity_fees_are_the_pools_own() {
    let (record, ticks, fees) = recorded(None);
    let report = ours(&record, Some(&ticks));
    assert_eq!((report.swaps, report.exact), (40, 39));
    assert_eq!((report.gaps, report.backwards), (0, 0));
    assert_eq!(
        (report.fees_low, report.fees_high),
        (report.fees, report.fees)
    );
    for (found, booked) in [report.fees.token0, report.fees.token1]
        .into_iter()
        .zip(fees)
    {
        assert!((found - booked).abs() < 3.0, "{found} {booked}");
        assert!(booked > 1e6);
    }
    // Ways alone say the same, to rounding.
    let ways = ours(&record, None);
    assert_eq!(ways.exact, 0);
    assert!((ways.fees.token0 / fees[0] - 1.0).abs() < 1e-6);
    assert!((ways.fees.token1 / fees[1] - 1.0).abs() < 1e-6);
    assert!(ways.in_range > 5 && ways.in_range < 40);
}

#[test]
fn who_provides_in_between_makes_no_difference() {
    let (record, ticks, fees) = recorded(Some(12));
    let report = ours(&record, Some(&ticks));
    assert!(report.exact < 39 && report.exact >= 12, "{report:?}");
    assert!((report.fees.token0 / fees[0] - 1.0).abs() < 1e-6);
    assert!((report.fees.token1 / fees[1] - 1.0).abs() < 1e-6);
}

#[test]
fn missing_swaps_are_noticed_and_not_taken_for_nothing() {
    let (mut record, ticks, fees) = recorded(None);
    // One within one liquidity.
    let at = (1..39)
        .find(|at| {
            let same = record[*at - 1..=*at + 1].windows(2);
            same.clone()
                .all(|pair| pair[0].liquidity == pair[1].liquidity)
                && record[*at].amounts[1] > 0
                && record[*at + 1].amounts[1] > 0
        })
        .unwrap();
    record.remove(at);
    let report = ours(&record, Some(&ticks));
    assert_eq!(report.gaps, 1);
    assert!(report.fees_low.token1 < report.fees.token1);
    // It went one way: what is missing is found again.
    assert!((report.fees.token1 / fees[1] - 1.0).abs() < 1e-6);
    assert!(report.fees_high.token1 >= report.fees.token1);
}

/// In the other order of tokens prices are inverted and everything else is the same.
#[test]
fn either_order_of_tokens() {
    let (record, _, _) = recorded(None);
    let inverted: Vec<Swap> = record
        .iter()
        .map(|swap| Swap {
            amounts: [swap.amounts[1], swap.amounts[0]],
            sqrt_price_x64: (TWO_POW_64 / (swap.sqrt_price_x64 as f64 / TWO_POW_64)) as u128,
            ..*swap
        })
        .collect();
    let (a, b) = (ours(&record, None), ours(&inverted, None));
    assert!(
        (a.fees.token0 / b.fees.token1 - 1.0).abs() < 1e-5,
        "{a:?} {b:?}"
    );
    assert!((a.fees.token1 / b.fees.token0 - 1.0).abs() < 1e-5);
}
