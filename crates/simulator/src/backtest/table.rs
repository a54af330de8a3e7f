//! Lines of comma-separated values, found by their columns' names.

use std::str::FromStr;

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
    at: [usize; N],
    count: usize,
}

impl<const N: usize> Columns<N> {
    /// Finds them in the first line.
    pub fn find(header: &str, names: [&'static str; N]) -> Result<Self, Problem> {
        let titles: Vec<&str> = cells(header.trim_start_matches('\u{feff}')).collect();
        let mut at = [0; N];
        for (at, name) in at.iter_mut().zip(names) {
            *at = titles
                .iter()
                .position(|title| *title == name)
                .ok_or(Problem::NoColumn(name))?;
        }
        Ok(Self {
            names,
            at,
            count: titles.len(),
        })
    }

    /// The first columns of a table that does not name them; it has as many as its first line.
    pub fn first(names: [&'static str; N], line: &str) -> Self {
        Self {
            names,
            at: std::array::from_fn(|column| column),
            count: cells(line).count().max(N),
        }
    }

    /// The values of a line, in the order of the names.
    pub fn values<'a>(&self, line: &'a str) -> Result<Values<'a, N>, Problem> {
        let mut all = [""; MOST_COLUMNS];
        let mut values = 0;
        for cell in cells(line) {
            if let Some(slot) = all.get_mut(values) {
                *slot = cell;
            }
            values += 1;
        }
        if values != self.count || values > MOST_COLUMNS {
            return Err(Problem::Values {
                values,
                columns: self.count,
            });
        }
        Ok(Values {
            names: self.names,
            cells: self.at.map(|at| all[at]),
        })
    }
}

/// Tables with more columns are none of ours.
const MOST_COLUMNS: usize = 64;

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"'))
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
    pub fn integer<T: FromStr>(&self, column: usize) -> Result<(T, bool), Problem> {
        let text = self.cells[column];
        if let Ok(value) = text.parse() {
            return Ok((value, false));
        }
        let whole = text.split_once('.').filter(|(_, fraction)| {
            !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0')
        });
        whole
            .and_then(|(whole, _)| whole.parse().ok())
            .map(|value| (value, true))
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
