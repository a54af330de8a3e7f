//! Lines of comma-separated values, found by their columns' names.

use thiserror::Error;

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// A column is not there.
    #[error("no column {0}: the first line must name the columns")]
    NoColumn(&'static str),
    /// More or fewer values than columns.
    #[error("{values} values for {columns} columns")]
    Values {
        /// How many there are.
        values: usize,
        /// How many there must be.
        columns: usize,
    },
    /// A value that is none.
    #[error("{column} `{value}` is not {what}")]
    Value {
        /// Where.
        column: &'static str,
        /// What is there.
        value: String,
        /// What should be.
        what: &'static str,
    },
    /// Not after the line before.
    #[error("{0} is not after the line before: sort the lines by time")]
    NotSorted(String),
    /// The same time twice.
    #[error("{0} is there twice")]
    Twice(String),
    /// The lowest price is above the highest.
    #[error("lowest {lowest} is above highest {highest}")]
    Inverted {
        /// The lowest.
        lowest: String,
        /// The highest.
        highest: String,
    },
    /// Changes of liquidity that do not add up.
    #[error("liquidity of {0} is left above the last tick: a tick is missing")]
    LeftActive(i128),
    /// Nothing but a first line.
    #[error("no line with data")]
    Empty,
}

/// What is wrong with a file, and on which line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct RecordError {
    /// The line.
    pub line: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Where the columns are that somebody needs.
pub(super) struct Columns<const N: usize> {
    names: [&'static str; N],
    /// Of each column of the file: which of the names it has, if any.
    slots: Vec<Option<usize>>,
}

impl<const N: usize> Columns<N> {
    /// Finds them in the first line.
    pub fn find(header: &str, names: [&'static str; N]) -> Result<Self, Problem> {
        let titles: Vec<&str> = header
            .trim_start_matches('\u{feff}')
            .split(',')
            .map(bare)
            .collect();
        let mut slots = vec![None; titles.len()];
        for (slot, name) in names.into_iter().enumerate() {
            let at = titles.iter().position(|title| *title == name);
            slots[at.ok_or(Problem::NoColumn(name))?] = Some(slot);
        }
        Ok(Self { names, slots })
    }

    /// The first columns of a table that does not name them; it has as many as its first line.
    pub fn first(names: [&'static str; N], line: &str) -> Self {
        let count = line.split(',').count().max(N);
        let slots = (0..count).map(|column| (column < N).then_some(column));
        Self {
            names,
            slots: slots.collect(),
        }
    }

    /// The values of a line, in the order of the names.
    pub fn values<'a>(&self, line: &'a str) -> Result<Values<'a, N>, Problem> {
        let mut cells = [""; N];
        let (mut count, mut from) = (0, 0);
        // By hand, for cells are short: a search that is made for long texts takes several times as long.
        let mut ends = line.bytes().enumerate();
        loop {
            let comma = ends.find(|(_, byte)| *byte == b',');
            let end = comma.map_or(line.len(), |(at, _)| at);
            if let Some(Some(slot)) = self.slots.get(count) {
                cells[*slot] = bare(&line[from..end]);
            }
            count += 1;
            from = end + 1;
            if comma.is_none() {
                break;
            }
        }
        if count != self.slots.len() {
            return Err(Problem::Values {
                values: count,
                columns: self.slots.len(),
            });
        }
        Ok(Values {
            names: self.names,
            cells,
        })
    }
}

/// Without the spaces and quotes around it.
fn bare(cell: &str) -> &str {
    let is_plain =
        |byte: Option<&u8>| byte.is_none_or(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'"'));
    let bytes = cell.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) {
        cell
    } else {
        cell.trim().trim_matches('"')
    }
}

/// A whole number with at most 36 digits. Halves of 18 digits fit 64 bits, which is several times as fast as the standard library's
/// 128: a month of minutes has 200,000 of them.
fn whole(text: &[u8]) -> Option<i128> {
    const HALF: usize = 18;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let half = |digits: &[u8]| {
        digits.iter().try_fold(0i64, |number, digit| {
            let digit = digit.wrapping_sub(b'0');
            (digit < 10).then(|| number * 10 + i64::from(digit))
        })
    };
    if digits.is_empty() || digits.len() > 2 * HALF {
        return None;
    }
    if digits.len() <= HALF {
        let number = half(digits)?;
        return Some(i128::from(if negative { -number } else { number }));
    }
    let (high, low) = digits.split_at(digits.len() - HALF);
    let number = i128::from(half(high)?) * 1_000_000_000_000_000_000 + i128::from(half(low)?);
    Some(if negative { -number } else { number })
}

/// The values of one line.
pub(super) struct Values<'a, const N: usize> {
    names: [&'static str; N],
    cells: [&'a str; N],
}

impl<'a, const N: usize> Values<'a, N> {
    /// A value as it is written.
    pub fn text(&self, column: usize) -> &'a str {
        self.cells[column]
    }

    /// Whether any value is left out.
    pub fn is_incomplete(&self) -> bool {
        self.cells.iter().any(|cell| cell.is_empty())
    }

    /// An integer, and whether it was written with a fraction of zero (`198133.0`).
    pub fn integer<T: TryFrom<i128>>(&self, column: usize) -> Result<(T, bool), Problem> {
        let text = self.cells[column];
        let plain = whole(text.as_bytes()).map(|number| (number, false));
        plain
            .or_else(|| {
                let (digits, zeros) = text.split_once('.')?;
                let is_zero = !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0');
                is_zero.then_some((whole(digits.as_bytes())?, true))
            })
            .and_then(|(number, fraction)| Some((T::try_from(number).ok()?, fraction)))
            .ok_or_else(|| self.problem(column, "a whole number"))
    }

    /// What is wrong with a value.
    pub fn problem(&self, column: usize, what: &'static str) -> Problem {
        Problem::Value {
            column: self.names[column],
            value: self.cells[column].to_owned(),
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        for (text, number) in [
            ("0", Some(0)),
            ("-17", Some(-17)),
            ("007", Some(7)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("1000000000000000000", Some(1_000_000_000_000_000_000)),
            (
                "-123456789012345678901234567890123456",
                Some(-123_456_789_012_345_678_901_234_567_890_123_456),
            ),
            ("1234567890123456789012345678901234567", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("1x", None),
            ("1:", None),
            ("1/", None),
            ("+1", None),
        ] {
            assert_eq!(whole(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn values_are_found_by_name_without_quotes_and_spaces() {
        let columns = Columns::find("a, \"b\" ,c", ["c", "b"]).map_err(|error| error.to_string());
        let columns = columns.unwrap();
        let values = columns
            .values("1,\" 2\" ,3.00\r")
            .map_err(|error| error.to_string())
            .unwrap();
        assert_eq!((values.text(0), values.text(1)), ("3.00", " 2"));
        assert_eq!(values.integer::<u8>(0), Ok((3, true)));
        assert!(values.integer::<u8>(1).is_err());
        assert!(columns.values("1,2").is_err() && columns.values("1,2,3,4").is_err());
        assert!(columns.values("1,,3").unwrap().is_incomplete());
    }
}
