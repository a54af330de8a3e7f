use super::*;

fn minute(time: i64, ticks: [i32; 4], paid_in: [u128; 2], liquidity: u128) -> Minute {
    let [open, lowest, highest, close] = ticks;
    Minute {
        time_secs: time * 60,
        close,
        open,
        lowest,
        highest,
        paid_in,
        liquidity,
        missing_before: 0,
        stale: false,
    }
}

/// The pool as it is recorded where the tokens come in the other order: prices are inverted.
fn mirrored(minute: &Minute) -> Minute {
    // A tick is the whole part of the price's: inverted, the next one below.
    let turn = |tick: i32| -tick - 1;
    Minute {
        close: turn(minute.close),
        open: turn(minute.open),
        lowest: turn(minute.highest),
        highest: turn(minute.lowest),
        paid_in: [minute.paid_in[1], minute.paid_in[0]],
        ..*minute
    }
}

#[test]
fn either_order_of_tokens_says_the_same() {
    let liquidity = 1_000_000_000_000u128;
    let record = [
        minute(
            0,
            [100, 90, 120, 110],
            [3_000_000_000, 4_000_000_000],
            liquidity,
        ),
        minute(
            1,
            [112, 60, 115, 70],
            [9_000_000_000, 2_000_000_000],
            liquidity * 2,
        ),
        minute(
            2,
            [75, 70, 140, 130],
            [1_000_000_000, 9_000_000_000],
            liquidity,
        ),
    ];
    let repairs = Repairs::default();
    let range = Range::new(80, 125).unwrap();
    let one = pool_minutes(&record, repairs, 0.0005, range, 1e9);
    let turned: Vec<Minute> = record.iter().map(mirrored).collect();
    let range = Range::new(-125, -80).unwrap();
    let other = pool_minutes(&turned, repairs, 0.0005, range, 1e9);
    let near = |a: TokenAmounts, b: TokenAmounts, what: &str| {
        for (a, b) in [(a.token0, b.token1), (a.token1, b.token0)] {
            assert!(a > 0.0 && (a / b - 1.0).abs() < 1e-3, "{what}: {a} {b}");
        }
    };
    near(one.fees, other.fees, "estimate");
    near(one.fees_low, other.fees_low, "least");
    near(one.fees_high, other.fees_high, "most");
    assert!(one.fees_low.token1 < one.fees.token1 && one.fees.token1 < one.fees_high.token1);
}
