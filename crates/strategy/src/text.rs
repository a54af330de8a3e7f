//! Numbers for people, as text.

/// A floating-point number with this many significant digits, without trailing zeros; far from 1 with an exponent.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "-".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let digits = digits.max(1);
    let scientific = format!("{value:.*e}", digits - 1);
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    if !(-7..16).contains(&exponent) {
        return scientific;
    }
    let places = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// As [`significant`], `none` for nothing.
pub fn optional(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "none".into(), |value| significant(value, digits))
}

/// A ratio as a percentage with two decimals.
pub fn percent(ratio: f64) -> String {
    if ratio.is_finite() {
        format!("{:.2}%", ratio * 100.0)
    } else {
        "-".into()
    }
}

/// A signed change as a percentage with two decimals.
pub fn change(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "-".into();
    }
    // Rounded first: a change that rounds to nothing has no sign.
    let percent = (ratio * 1e4).round() / 1e2 + 0.0;
    format!("{percent:+.2}%")
}

/// Basis points as a percentage; the largest stands for "no bound".
pub fn bps(bps: u32) -> String {
    match bps {
        u32::MAX => "infinite".into(),
        _ => format!("{}.{:02}%", bps / 100, bps % 100),
    }
}

/// Basis points as a multiple: 30000 is `3.00x`.
pub fn times(bps: u64) -> String {
    match bps {
        u64::MAX => "infinite".into(),
        _ => format!("{}.{:02}x", bps / 10_000, bps % 10_000 / 100),
    }
}

/// Raw units of a token in whole tokens, exactly, with all decimals.
pub fn amount(raw: u64, decimals: u8) -> String {
    signed_amount(raw.into(), decimals)
}

/// As [`amount`], signed.
pub fn signed_amount(raw: i128, decimals: u8) -> String {
    let sign = if raw < 0 { "-" } else { "" };
    let digits = raw.unsigned_abs().to_string();
    let decimals = usize::from(decimals);
    if decimals == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    format!("{sign}{whole}.{fraction}")
}

/// A decimal string with as many places as its size needs: of little all that counts, of much none. The last place is rounded.
pub fn sized(decimal: &str) -> String {
    let Ok(value) = decimal.parse::<f64>() else {
        return decimal.to_owned();
    };
    let places = match value.abs() {
        size if size == 0.0 => 0,
        size if size < 1e-4 => return significant(value, 3),
        size if size < 1.0 => 6,
        size if size < 100.0 => 4,
        size if size < 10_000.0 => 2,
        _ => 0,
    };
    // Adding zero takes the sign from a zero.
    format!("{:.places$}", value + 0.0)
}

/// A moment as `2026-11-29 15:04:05 UTC`.
pub fn utc(unix_secs: i64) -> String {
    let (days, secs) = (unix_secs.div_euclid(86_400), unix_secs.rem_euclid(86_400));
    // Howard Hinnant's civil_from_days: years begin in March, eras of 400 years are all alike.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (secs / 3_600, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// A moment with its distance from now: `2026-11-29 15:04:05 UTC (in 40s)`.
pub fn when(unix_secs: i64, now_secs: i64) -> String {
    let away = unix_secs.saturating_sub(now_secs);
    let away = match away {
        0 => "now".to_owned(),
        1.. => format!("in {}", duration(away)),
        _ => format!("{} ago", duration(away)),
    };
    format!("{} ({away})", utc(unix_secs))
}

/// Seconds as `2d 3h`, `5m 10s`, ...
pub fn duration(secs: i64) -> String {
    let secs = secs.unsigned_abs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{secs}s"),
        (0, 0, _) => format!("{minutes}m {}s", secs % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits() {
        for (value, digits, text) in [
            (110.846787443450, 15, "110.84678744345"),
            (200.0, 12, "200"),
            (-0.731475723873, 6, "-0.731476"),
            (123_456_789.0, 3, "123456789"),
            (1e-9, 3, "1.00e-9"),
            (1e20, 3, "1.00e20"),
            (0.0, 3, "0"),
            (f64::NAN, 3, "-"),
            (9.9999, 2, "10"),
        ] {
            assert_eq!(significant(value, digits), text);
        }
        assert_eq!(optional(None, 3), "none");
    }

    #[test]
    fn amounts_keep_every_unit() {
        assert_eq!(amount(0, 9), "0.000000000");
        assert_eq!(amount(731_475_723, 9), "0.731475723");
        assert_eq!(amount(u64::MAX, 6), "18446744073709.551615");
        assert_eq!(amount(5, 0), "5");
        assert_eq!(signed_amount(-1_500_000, 6), "-1.500000");
        assert_eq!(signed_amount(i128::MIN, 0), i128::MIN.to_string());
    }

    #[test]
    fn places_go_by_size() {
        for (text, expected) in [
            ("0.000000000", "0"),
            ("-0.000000", "0"),
            ("0.000000007", "7.00e-9"),
            ("-0.000100000", "-0.000100"),
            ("0.731475723", "0.731476"),
            ("-12.3456789", "-12.3457"),
            ("1034.526456", "1034.53"),
            ("123456.789000", "123457"),
            ("none", "none"),
        ] {
            assert_eq!(sized(text), expected);
        }
    }

    #[test]
    fn moments_are_of_the_calendar() {
        for (secs, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_200, "2024-03-01 00:00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(utc(secs), text);
        }
        assert_eq!(when(100, 60), "1970-01-01 00:01:40 UTC (in 40s)");
        assert_eq!(when(100, 100), "1970-01-01 00:01:40 UTC (now)");
        assert_eq!(when(100, 165), "1970-01-01 00:01:40 UTC (1m 5s ago)");
        // Beyond any calendar: no panic.
        for secs in [i64::MIN, i64::MAX] {
            assert!(when(secs, -secs.signum()).contains(" UTC ("));
        }
    }

    #[test]
    fn ratios_and_times() {
        assert_eq!(
            (bps(8_305), bps(u32::MAX)),
            ("83.05%".into(), "infinite".into())
        );
        assert_eq!(
            (times(30_049), times(u64::MAX)),
            ("3.00x".into(), "infinite".into())
        );
        assert_eq!(
            (percent(0.5), change(0.5), change(-0.5)),
            ("50.00%".into(), "+50.00%".into(), "-50.00%".into())
        );
        assert_eq!(
            (change(0.0), change(-1e-9)),
            ("+0.00%".into(), "+0.00%".into())
        );
        assert_eq!(
            [5, 65, 3_700, 90_000].map(duration),
            ["5s", "1m 5s", "1h 1m", "1d 1h"]
        );
    }
}
