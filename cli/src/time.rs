//! Spans of time as people write them, and as commands print them.

use std::str::FromStr;

/// Seconds, written with units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub u32);

impl FromStr for Time {
    type Err = &'static str;

    /// `90s`, `12h`, and `1h 30m` with the larger unit first.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write a time like 90s, 30m, 12h, 7d or 1h 30m";
        let (mut secs, mut last_unit) = (0u32, u32::MAX);
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let end = rest.find(|letter: char| !letter.is_ascii_digit());
            let (digits, behind) = rest.split_at(end.ok_or(wrong)?);
            let behind = behind.trim_start_matches(' ');
            let unit = match behind.chars().next() {
                Some('s') => 1,
                Some('m') => 60,
                Some('h') => 3_600,
                Some('d') => 86_400,
                _ => return Err(wrong),
            };
            if unit >= last_unit {
                return Err(wrong);
            }
            let number: u32 = digits.parse().map_err(|_| wrong)?;
            let part = number.checked_mul(unit).ok_or(wrong)?;
            secs = secs.checked_add(part).ok_or(wrong)?;
            last_unit = unit;
            // The unit is one byte.
            rest = behind.get(1..).unwrap_or_default().trim_start();
        }
        match last_unit {
            u32::MAX => Err(wrong),
            _ => Ok(Self(secs)),
        }
    }
}

/// Seconds, written with units or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(pub u32);

impl FromStr for Interval {
    type Err = &'static str;

    /// As a [`Time`]; `90` is 90 seconds.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(secs) = text.parse() {
            return Ok(Self(secs));
        }
        let Time(secs) = text.parse()?;
        Ok(Self(secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::duration;

    #[test]
    fn times_have_units() {
        for (text, secs) in [
            ("90s", 90),
            ("30m", 1_800),
            ("12h", 43_200),
            ("7d", 604_800),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("40 s", 40),
            ("2d 3h 4m 5s", 183_845),
        ] {
            assert_eq!(text.parse(), Ok(Time(secs)), "{text}");
        }
        for wrong in [
            "",
            " ",
            "5",
            "h",
            "1.5h",
            "-1h",
            "99999999d",
            "1x",
            "1\u{fc}",
            "1h 5",
            "30m 1h",
            "1h 1h",
            "1h\u{fc}",
        ] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_printed_can_be_typed() {
        for secs in [0, 5, 60, 65, 3_600, 3_660, 90_000] {
            assert_eq!(duration(secs.into()).parse(), Ok(Time(secs)));
        }
    }
}
