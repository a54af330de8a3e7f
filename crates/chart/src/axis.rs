//! What an axis is about.

use crate::number::Numbers;

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Its title, with the unit.
    pub label: String,
    /// What lies on it.
    pub kind: Kind,
    /// How its numbers are written.
    pub numbers: Numbers,
    /// From where to where; `None`: as far as the layers reach.
    pub range: Option<(f64, f64)>,
}

/// What lies on an axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, evenly.
    #[default]
    Linear,
    /// Numbers by ratio; those not above 0 are at the edge.
    Log,
    /// Names; the first is at 0, the next at 1 and so on.
    Names(Vec<String>),
}

impl Axis {
    /// An axis of numbers.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// From where to where.
    pub fn range(self, from: f64, to: f64) -> Self {
        Self {
            range: Some((from, to)),
            ..self
        }
    }

    /// Numbers in percent.
    pub fn percent(self) -> Self {
        Self {
            numbers: Numbers::Percent,
            ..self
        }
    }

    /// Numbers by ratio.
    pub fn log(self) -> Self {
        Self {
            kind: Kind::Log,
            ..self
        }
    }

    /// Names instead of numbers.
    pub fn names(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            kind: Kind::Names(names.into_iter().map(Into::into).collect()),
            ..self
        }
    }
}
