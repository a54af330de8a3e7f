use core::ops::{Add, Div, Mul, Neg, Sub};

/// A floating-point number that the twin computes with.
pub trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// A difference of two terms that is smaller than this part of them is nothing but rounding, of the inputs or on the
    /// way.
    const NOISE: f64;
    /// An integer, rounded to nearest.
    fn from_u128(value: u128) -> Self;
    /// Square root; NaN of a negative number.
    fn sqrt(self) -> Self;
    /// The nearest `f64`.
    fn to_f64(self) -> f64;
    /// The smaller of two.
    fn lesser(self, other: Self) -> Self {
        if other < self { other } else { self }
    }
    /// `self - other`, or 0 where rounding is all that is left of it.
    fn minus(self, other: Self) -> Self {
        let difference = self - other;
        let terms = self.to_f64().abs() + other.to_f64().abs();
        if difference.to_f64().abs() <= Self::NOISE * terms {
            Self::ZERO
        } else {
            difference
        }
    }
    /// The larger of two.
    fn greater(self, other: Self) -> Self {
        if other > self { other } else { self }
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const NOISE: f64 = f64::EPSILON * 4.0;

    fn from_u128(value: u128) -> Self {
        value as f64
    }

    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn to_f64(self) -> f64 {
        self
    }
}
