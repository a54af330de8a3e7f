//! Recorded swaps, and what becomes active at each tick of their pool.

use std::collections::BTreeMap;

use super::{
    record::written_time,
    swaps::Swap,
    table::{Columns, Problem, RecordError, Values},
};

const COLUMNS: [&str; 5] = [
    "timestamp",
    "amount0",
    "amount1",
    "sqrtPriceX64",
    "liquidity",
];
/// As another kind of pool writes it.
const X96: &str = "sqrtPriceX96";
const TICK_COLUMNS: [&str; 2] = ["tick", "liquidityNet"];

/// Reads a file of swaps.
///
/// # Errors
/// [`RecordError`].
pub fn read_swaps(text: &str) -> Result<Vec<Swap>, RecordError> {
    let error = |line, problem| RecordError { line, problem };
    let mut lines = text.lines().zip(1u64..);
    let header = lines.next().map_or("", |(header, _)| header);
    let mut columns = Columns::find(header, COLUMNS);
    let mut shift = 0;
    if let Err(Problem::NoColumn(name)) = &columns
        && *name == COLUMNS[3]
    {
        let mut others = COLUMNS;
        others[3] = X96;
        if let Ok(found) = Columns::find(header, others) {
            (columns, shift) = (Ok(found), 32);
        }
    }
    let columns = columns.map_err(|problem| error(1, problem))?;
    let mut swaps: Vec<Swap> = Vec::new();
    let mut last_line = "";
    for (line, number) in lines {
        if line.is_empty() {
            continue;
        }
        let swap = columns
            .values(line)
            .and_then(|values| {
                let swap = swap(&values, shift)?;
                match swaps.last() {
                    _ if line == last_line => Err(Problem::Twice(values.text(0).to_owned())),
                    Some(last) if swap.time_secs < last.time_secs => {
                        Err(Problem::NotSorted(values.text(0).to_owned()))
                    }
                    _ => Ok(swap),
                }
            })
            .map_err(|problem| error(number, problem))?;
        last_line = line;
        swaps.push(swap);
    }
    if swaps.is_empty() {
        return Err(error(1, Problem::Empty));
    }
    Ok(swaps)
}

fn swap(values: &Values<'_, 5>, shift: u32) -> Result<Swap, Problem> {
    let text = values.text(0);
    let time_secs = match text.parse::<i64>() {
        Ok(secs) if secs >= 0 => secs,
        _ => written_time(text.as_bytes())
            .ok_or_else(|| values.problem(0, "a time like 2023-08-13 00:01:07"))?,
    };
    let amounts = [values.integer::<i128>(1)?.0, values.integer::<i128>(2)?.0];
    if (amounts[0] > 0) == (amounts[1] > 0) {
        return Err(values.problem(
            2,
            "paid out where amount0 is paid in, or the other way round",
        ));
    }
    let price = |_| values.problem(3, "a price above 0");
    let sqrt_price_x64 = values.integer::<u128>(3).map_err(price)?.0 >> shift;
    if sqrt_price_x64 == 0 {
        return Err(values.problem(3, "a price above 0"));
    }
    let liquidity = values
        .integer::<u128>(4)
        .map_err(|_| values.problem(4, "a liquidity"))?
        .0;
    Ok(Swap {
        time_secs,
        amounts,
        sqrt_price_x64,
        liquidity,
    })
}

/// Reads a file of what becomes active at each tick when the price rises over it.
///
/// # Errors
/// [`RecordError`]: also for changes that do not add up to nothing, or to less than nothing on the way.
pub fn read_ticks(text: &str) -> Result<BTreeMap<i32, i128>, RecordError> {
    let error = |line, problem| RecordError { line, problem };
    let mut lines = text.lines().zip(1u64..);
    let header = lines.next().map_or("", |(header, _)| header);
    let columns = Columns::find(header, TICK_COLUMNS).map_err(|problem| error(1, problem))?;
    let mut ticks = BTreeMap::new();
    let (mut active, mut last_line) = (0i128, 1);
    for (line, number) in lines {
        if line.is_empty() {
            continue;
        }
        last_line = number;
        (|| {
            let values = columns.values(line)?;
            let tick = values.integer::<i32>(0)?.0;
            if let Some((last, _)) = ticks.last_key_value() {
                match tick.cmp(last) {
                    std::cmp::Ordering::Less => {
                        return Err(Problem::NotSorted(values.text(0).to_owned()));
                    }
                    std::cmp::Ordering::Equal => {
                        return Err(Problem::Twice(values.text(0).to_owned()));
                    }
                    std::cmp::Ordering::Greater => {}
                }
            }
            let net = values.integer::<i128>(1)?.0;
            active = active
                .checked_add(net)
                .filter(|active| *active >= 0)
                .ok_or_else(|| values.problem(1, "possible: less than nothing would be active"))?;
            ticks.insert(tick, net);
            Ok(())
        })()
        .map_err(|problem| error(number, problem))?;
    }
    if ticks.is_empty() {
        return Err(error(1, Problem::Empty));
    }
    if active != 0 {
        return Err(error(last_line, Problem::LeftActive(active)));
    }
    Ok(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "timestamp,amount0,amount1,sqrtPriceX64,liquidity\n";

    #[test]
    fn files_are_read() {
        let read = read_swaps(&format!("{HEADER}7,5,-4,18446744073709551616,100\n")).unwrap();
        let expected = Swap {
            time_secs: 7,
            amounts: [5, -4],
            sqrt_price_x64: 1 << 64,
            liquidity: 100,
        };
        assert_eq!(read, [expected]);
        let x96 = HEADER.replace("X64", "X96");
        let line = "1970-01-01 00:00:07,5,-4,79228162514264337593543950336,100.0\n";
        assert_eq!(read_swaps(&(x96 + line)).unwrap(), [expected]);
        let ticks = read_ticks("tick,liquidityNet\n-64,5\n0,2\n64,-7\n").unwrap();
        assert_eq!(ticks, BTreeMap::from([(-64, 5), (0, 2), (64, -7)]));
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_line() {
        let good = "7,5,-4,18446744073709551616,100\n";
        for (lines, said) in [
            ("", "line 1: no line with data"),
            (
                "7,5,4,1,100\n",
                "line 2: amount1 `4` is not paid out where amount0 is paid in, or the other way round",
            ),
            (
                "7,0,0,1,100\n",
                "line 2: amount1 `0` is not paid out where amount0 is paid in, or the other way round",
            ),
            (
                "7,5,-4,0,100\n",
                "line 2: sqrtPriceX64 `0` is not a price above 0",
            ),
            (
                "7,5,-4,NaN,100\n",
                "line 2: sqrtPriceX64 `NaN` is not a price above 0",
            ),
            ("7,5,-4,1,-1\n", "line 2: liquidity `-1` is not a liquidity"),
            (
                "x,5,-4,1,1\n",
                "line 2: timestamp `x` is not a time like 2023-08-13 00:01:07",
            ),
            (&good.repeat(2), "line 3: 7 is there twice"),
            (
                &format!("{good}6,5,-4,1,1\n"),
                "line 3: 6 is not after the line before: sort the lines by time",
            ),
        ] {
            let error = read_swaps(&format!("{HEADER}{lines}")).unwrap_err();
            assert_eq!(error.to_string(), said);
        }
        assert_eq!(
            read_swaps("timestamp,amount0\n").unwrap_err().to_string(),
            "line 1: no column amount1: the first line must name the columns"
        );
        for (lines, said) in [
            (
                "1,5\n0,-5\n",
                "line 3: 0 is not after the line before: sort the lines by time",
            ),
            ("1,5\n1,-5\n", "line 3: 1 is there twice"),
            (
                "1,-5\n2,5\n",
                "line 2: liquidityNet `-5` is not possible: less than nothing would be active",
            ),
            (
                "1,5\n2,-4\n",
                "line 3: liquidity of 1 is left above the last tick: a tick is missing",
            ),
        ] {
            let error = read_ticks(&format!("tick,liquidityNet\n{lines}")).unwrap_err();
            assert_eq!(error.to_string(), said);
        }
    }
}
