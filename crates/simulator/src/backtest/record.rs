//! Recorded minutes of a pool: one line per minute with net and gross amounts, ticks and liquidity.

use super::table::{Columns, Problem, RecordError, Values};

const COLUMNS: [&str; 10] = [
    "timestamp",
    "netAmount0",
    "netAmount1",
    "closeTick",
    "openTick",
    "lowestTick",
    "highestTick",
    "inAmount0",
    "inAmount1",
    "currentLiquidity",
];
/// Ticks of the widest pools that there are.
const MOST_TICK: i32 = 887_272;
const MINUTE_SECS: i64 = 60;

/// One minute of a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minute {
    /// Its start, in Unix seconds.
    pub time_secs: i64,
    /// Tick after the minute's last swap. In a minute whose last event is no swap the file still has that of an earlier minute.
    pub close: i32,
    /// Tick after the minute's first swap.
    pub open: i32,
    /// Lowest tick after a swap.
    pub lowest: i32,
    /// Highest tick after a swap.
    pub highest: i32,
    /// Raw units of each token that went in, fees included.
    pub paid_in: [u128; 2],
    /// Active liquidity after the last swap; as `close`.
    pub liquidity: u128,
    /// Minutes that are missing before this one.
    pub missing_before: u32,
    /// Whether the close was outside the minute's ticks: then it is an earlier minute's, and the liquidity is, too.
    pub stale: bool,
}

/// What contradicted itself, or was not there, and was repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Minutes that are not there, or have an empty value.
    pub missing_minutes: u64,
    /// Close outside the minute's lowest and highest tick: the nearer of these is taken.
    pub close_outside: u64,
    /// Open outside them: they are widened.
    pub open_outside: u64,
    /// Less paid in than the net amount: the net amount is taken.
    pub net_above_gross: u64,
    /// Lines with whole numbers that are written with a fraction, like `198133.0`.
    pub fractions: u64,
}

/// Reads a file of pool minutes.
///
/// # Errors
/// [`RecordError`]: columns that are not there, values that are none, lines that are not in order.
pub fn read_minutes(text: &str) -> Result<(Vec<Minute>, Repairs), RecordError> {
    let mut lines = text.lines().zip(1u64..);
    let error = |line, problem| RecordError { line, problem };
    let header = lines.next().map_or("", |(header, _)| header);
    let columns = Columns::find(header, COLUMNS).map_err(|problem| error(1, problem))?;
    let mut minutes: Vec<Minute> = Vec::with_capacity(text.len() / 100);
    let mut repairs = Repairs::default();
    let mut last_secs = None;
    for (line, number) in lines {
        if line.is_empty() {
            continue;
        }
        let minute = (|| {
            let values = columns.values(line)?;
            let secs = time_secs(&values)?;
            match last_secs {
                Some(last) if secs == last => {
                    return Err(Problem::Twice(values.text(0).to_owned()));
                }
                Some(last) if secs < last => {
                    return Err(Problem::NotSorted(values.text(0).to_owned()));
                }
                _ => last_secs = Some(secs),
            }
            if values.is_incomplete() {
                return Ok(None);
            }
            minute(&values, secs, &mut repairs).map(Some)
        })()
        .map_err(|problem| error(number, problem))?;
        if let Some(mut minute) = minute {
            if let Some(before) = minutes.last() {
                let gap = (minute.time_secs - before.time_secs) / MINUTE_SECS - 1;
                minute.missing_before = u32::try_from(gap).unwrap_or(u32::MAX);
                repairs.missing_minutes += u64::from(minute.missing_before);
            }
            minutes.push(minute);
        }
    }
    if minutes.is_empty() {
        return Err(error(1, Problem::Empty));
    }
    Ok((minutes, repairs))
}

/// Notes how many minutes are missing between a record and one that follows it; `None` if that one does not begin after its end.
pub fn follow(before: &[Minute], after: &mut [Minute]) -> Option<u64> {
    let (Some(last), Some(first)) = (before.last(), after.first_mut()) else {
        return Some(0);
    };
    let gap = (first.time_secs - last.time_secs) / MINUTE_SECS - 1;
    first.missing_before = u32::try_from(gap).ok()?;
    Some(first.missing_before.into())
}

fn minute(
    values: &Values<'_, 10>,
    time_secs: i64,
    repairs: &mut Repairs,
) -> Result<Minute, Problem> {
    let mut fraction = false;
    let mut tick = |column: usize| {
        let (tick, with_fraction) = values.integer::<i32>(column)?;
        fraction |= with_fraction;
        if tick.abs() > MOST_TICK {
            return Err(values.problem(column, "a tick"));
        }
        Ok(tick)
    };
    let (close, open, lowest, highest) = (tick(3)?, tick(4)?, tick(5)?, tick(6)?);
    if lowest > highest {
        return Err(Problem::Inverted {
            lowest: values.text(5).to_owned(),
            highest: values.text(6).to_owned(),
        });
    }
    let mut paid_in = [0; 2];
    for (paid_in, (net, gross)) in paid_in.iter_mut().zip([(1, 7), (2, 8)]) {
        let (net, net_fraction) = values.integer::<i128>(net)?;
        let (amount, gross_fraction) = values
            .integer::<u128>(gross)
            .map_err(|_| values.problem(gross, "an amount"))?;
        fraction |= net_fraction || gross_fraction;
        *paid_in = amount;
        if let Ok(net) = u128::try_from(net)
            && net > amount
        {
            *paid_in = net;
            repairs.net_above_gross += 1;
        }
    }
    let (liquidity, with_fraction) = values
        .integer::<u128>(9)
        .map_err(|_| values.problem(9, "a liquidity"))?;
    fraction |= with_fraction;
    if liquidity == 0 {
        return Err(values.problem(9, "a liquidity: it must be above 0"));
    }
    // Nothing was traded: the ticks say nothing new.
    let traded = paid_in != [0; 2];
    let stale = traded && !(lowest..=highest).contains(&close);
    let open_outside = traded && !(lowest..=highest).contains(&open);
    repairs.open_outside += u64::from(open_outside);
    let (lowest, highest) = if open_outside {
        (lowest.min(open), highest.max(open))
    } else {
        (lowest, highest)
    };
    repairs.close_outside += u64::from(stale);
    repairs.fractions += u64::from(fraction);
    Ok(Minute {
        time_secs,
        close: close.clamp(lowest, highest),
        open,
        lowest,
        highest,
        paid_in,
        liquidity,
        missing_before: 0,
        stale,
    })
}

/// `2023-08-13 00:01:00`, with a `T` in between, a fraction of zero or a zone of zero behind it; or Unix seconds.
fn time_secs(values: &Values<'_, 10>) -> Result<i64, Problem> {
    let text = values.text(0);
    let wrong = || values.problem(0, "a full minute like 2023-08-13 00:01:00");
    let secs = match text.parse::<i64>() {
        Ok(secs) => secs,
        Err(_) => written_time(text.as_bytes()).ok_or_else(wrong)?,
    };
    if secs % MINUTE_SECS != 0 {
        return Err(wrong());
    }
    Ok(secs)
}

pub(super) fn written_time(text: &[u8]) -> Option<i64> {
    let number = |from: usize, digits: usize| {
        text.get(from..from + digits)?
            .iter()
            .try_fold(0i64, |number, digit| {
                digit
                    .is_ascii_digit()
                    .then(|| number * 10 + i64::from(digit - b'0'))
            })
    };
    let (date, time) = (text.get(..10)?, text.get(11..19)?);
    let shaped = date[4] == b'-'
        && date[7] == b'-'
        && matches!(text[10], b' ' | b'T')
        && time[2] == b':'
        && time[5] == b':'
        && matches!(&text[19..], b"" | b"Z" | b"+00:00" | b".000" | b".000Z");
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !shaped || !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days of the proleptic Gregorian calendar, years that begin in March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,inAmount1,currentLiquidity";

    fn read(lines: &[&str]) -> Result<(Vec<Minute>, Repairs), RecordError> {
        read_minutes(&[&[HEADER], lines].concat().join("\n"))
    }

    #[test]
    fn times() {
        for (text, secs) in [
            ("1970-01-01 00:00:00", 0),
            ("2023-08-13 00:01:00", 1_691_884_860),
            ("2024-02-29T23:59:00Z", 1_709_251_140),
            ("2025-07-01 00:00:00+00:00", 1_751_328_000),
        ] {
            assert_eq!(written_time(text.as_bytes()), Some(secs), "{text}");
        }
        for text in [
            "",
            "2023-02-29 00:00:00",
            "2023-13-01 00:00:00",
            "2023-01-01 24:00:00",
            "2023-01-01 00:00:00+02:00",
            "2023/01/01 00:00:00",
            "2023-01-01",
        ] {
            assert_eq!(written_time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_minute() {
        let (minutes, repairs) = read(&[
            "2023-08-13 00:00:00,-1970524626,1066799650715290921,201101,201101,201101,201102,0,1066799650715290921,2391553663290390168",
        ])
        .unwrap();
        assert_eq!(repairs, Repairs::default());
        assert_eq!(
            minutes,
            [Minute {
                time_secs: 1_691_884_800,
                close: 201_101,
                open: 201_101,
                lowest: 201_101,
                highest: 201_102,
                paid_in: [0, 1_066_799_650_715_290_921],
                liquidity: 2_391_553_663_290_390_168,
                missing_before: 0,
                stale: false,
            }]
        );
    }

    #[test]
    fn what_contradicts_itself_is_repaired_and_counted() {
        let (minutes, repairs) = read(&[
            "2023-08-13 00:00:00,5,-4,10.0,10,10,10,5,0,100",
            // The close is an earlier minute's.
            "2023-08-13 00:01:00,5,-4,10,12,12,14,5,0,100",
            // Two minutes are not there, one has no liquidity, and less went in than in and out together.
            "2023-08-13 00:04:00,5,-4,13,12,12,14,5,0,",
            "2023-08-13 00:05:00,5,-4,13,12,12,14,4,0,100",
            "2023-08-13 00:06:00,5,-4,13,17,12,14,5,0,100",
        ])
        .unwrap();
        assert_eq!(
            repairs,
            Repairs {
                missing_minutes: 3,
                close_outside: 1,
                open_outside: 1,
                net_above_gross: 1,
                fractions: 1,
            }
        );
        assert_eq!(minutes.len(), 4);
        assert_eq!((minutes[3].lowest, minutes[3].highest), (12, 17));
        assert_eq!((minutes[1].close, minutes[1].stale), (12, true));
        assert_eq!(minutes[2].missing_before, 3);
        assert_eq!(minutes[2].paid_in, [5, 0]);
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_line() {
        let good = "2023-08-13 00:05:00,5,-4,13,12,12,14,5,0,100";
        for (line, said) in [
            (good, "line 3: 2023-08-13 00:05:00 is there twice"),
            (
                "2023-08-13 00:04:00,5,-4,13,12,12,14,5,0,100",
                "line 3: 2023-08-13 00:04:00 is not after the line before: sort the lines by time",
            ),
            (
                "2023-08-13 00:06:00,5,-4,13,12,12,14,5,0,0",
                "line 3: currentLiquidity `0` is not a liquidity: it must be above 0",
            ),
            (
                "2023-08-13 00:06:00,5,-4,13,12,12,14,5,0,-7",
                "line 3: currentLiquidity `-7` is not a liquidity",
            ),
            (
                "2023-08-13 00:06:00,5,-4,NaN,12,12,14,5,0,100",
                "line 3: closeTick `NaN` is not a whole number",
            ),
            (
                "2023-08-13 00:06:00,5,-4,13.5,12,12,14,5,0,100",
                "line 3: closeTick `13.5` is not a whole number",
            ),
            (
                "2023-08-13 00:06:00,5,-4,13,12,12,14,-5,0,100",
                "line 3: inAmount0 `-5` is not an amount",
            ),
            (
                "2023-08-13 00:06:00,5,-4,13,12,15,14,5,0,100",
                "line 3: lowest 15 is above highest 14",
            ),
            (
                "2023-08-13 00:06:00,5,-4,1000000,12,12,14,5,0,100",
                "line 3: closeTick `1000000` is not a tick",
            ),
            (
                "2023-08-13 00:06:00,5,-4,13,12,12,14,5,0",
                "line 3: 9 values for 10 columns",
            ),
            (
                "yesterday,5,-4,13,12,12,14,5,0,100",
                "line 3: timestamp `yesterday` is not a full minute like 2023-08-13 00:01:00",
            ),
        ] {
            assert_eq!(read(&[good, line]).unwrap_err().to_string(), said);
        }
        assert_eq!(
            read(&[]).unwrap_err().to_string(),
            "line 1: no line with data"
        );
        assert_eq!(
            read_minutes("a,b\n1,2\n").unwrap_err().to_string(),
            "line 1: no column timestamp: the first line must name the columns"
        );
    }
}
