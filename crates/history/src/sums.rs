//! The five sums of a position.

use ballast_model::ModelError;
use serde::{Deserialize, Serialize};

use crate::text;

/// Where a position's gain comes from, raw quote units. The five add up to the gain, to the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// What the pool's traders paid.
    #[serde(with = "text")]
    pub fees: i128,
    /// Growth of the debts; negative.
    #[serde(with = "text")]
    pub interest: i128,
    /// Moves of the price times the delta before them, and what happened while nobody watched.
    #[serde(with = "text")]
    pub drift: i128,
    /// What moves of the price changed beyond that.
    #[serde(with = "text")]
    pub curvature: i128,
    /// Swaps' losses against the oracle's price, liquidators' bonuses, keepers' rewards and fees of transactions; negative.
    #[serde(with = "text")]
    pub costs: i128,
}

impl Sums {
    /// Nothing.
    pub const ZERO: Self = Self {
        fees: 0,
        interest: 0,
        drift: 0,
        curvature: 0,
        costs: 0,
    };

    /// All five together: the gain.
    ///
    /// # Errors
    /// [`ModelError::Overflow`] beyond 128 bits.
    pub fn total(&self) -> Result<i128, ModelError> {
        self.parts()
            .iter()
            .try_fold(0, |sum, (_, part)| add(sum, *part))
    }

    /// Each with its name.
    pub const fn parts(&self) -> [(&'static str, i128); 5] {
        [
            ("fees", self.fees),
            ("interest", self.interest),
            ("drift", self.drift),
            ("curvature", self.curvature),
            ("costs", self.costs),
        ]
    }

    /// Both together.
    ///
    /// # Errors
    /// [`ModelError::Overflow`] beyond 128 bits.
    pub fn plus(&self, more: &Self) -> Result<Self, ModelError> {
        self.combined(more, add)
    }

    /// This without the other.
    ///
    /// # Errors
    /// [`ModelError::Overflow`] beyond 128 bits.
    pub fn minus(&self, less: &Self) -> Result<Self, ModelError> {
        self.combined(less, subtract)
    }

    fn combined(
        &self,
        other: &Self,
        with: impl Fn(i128, i128) -> Result<i128, ModelError>,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            fees: with(self.fees, other.fees)?,
            interest: with(self.interest, other.interest)?,
            drift: with(self.drift, other.drift)?,
            curvature: with(self.curvature, other.curvature)?,
            costs: with(self.costs, other.costs)?,
        })
    }
}

const OVERFLOW: ModelError = ModelError::Overflow("a sum of gains");

pub(crate) fn add(a: i128, b: i128) -> Result<i128, ModelError> {
    a.checked_add(b).ok_or(OVERFLOW)
}

pub(crate) fn subtract(a: i128, b: i128) -> Result<i128, ModelError> {
    a.checked_sub(b).ok_or(OVERFLOW)
}

pub(crate) fn signed(value: u128) -> Result<i128, ModelError> {
    i128::try_from(value).map_err(|_| OVERFLOW)
}
