//! Spans of time as people write them.

use std::str::FromStr;

/// Seconds, written with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub u32);

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write a time like 90s, 30m, 12h or 7d";
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(wrong),
        };
        let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong)?;
        number.checked_mul(unit).map(Self).ok_or(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, secs) in [
            ("90s", 90),
            ("30m", 1_800),
            ("12h", 43_200),
            ("7d", 604_800),
        ] {
            assert_eq!(text.parse(), Ok(Time(secs)));
        }
        for wrong in ["", "5", "h", "1.5h", "-1h", "99999999d", "1x", "1\u{fc}"] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
    }
}
