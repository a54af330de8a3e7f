use core::cmp::Ordering;
use core::ops::{Add, Div, Mul, Neg, Sub};

use super::Real;

/// A number as the unevaluated sum of two `f64`, about 32 decimal digits.
///
/// Source: T. J. Dekker, "A floating-point technique for extending the available precision" (1971); Y. Hida, X. S. Li,
/// D. H. Bailey, "Algorithms for quad-double precision floating point arithmetic" (2001). Relative error of each
/// operation is below 2^-100 as long as nothing over- or underflows (magnitudes between 1e-140 and 1e140).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Double {
    hi: f64,
    lo: f64,
}

impl Double {
    /// An `f64`, exactly.
    pub const fn new(value: f64) -> Self {
        Self { hi: value, lo: 0.0 }
    }

    /// `a + b` for |a| >= |b|.
    fn quick(a: f64, b: f64) -> Self {
        let hi = a + b;
        Self {
            hi,
            lo: b - (hi - a),
        }
    }
}

/// `a + b` and its rounding error, exactly.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// `a * b` and its rounding error, exactly. By splitting into halves: a fused multiply-add is not everywhere an
/// instruction.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a1, a0), (b1, b0)) = (split(a), split(b));
    (product, ((a1 * b1 - product) + a1 * b0 + a0 * b1) + a0 * b0)
}

/// Upper and lower half of the mantissa.
fn split(a: f64) -> (f64, f64) {
    const FACTOR: f64 = 134_217_729.0; // 2^27 + 1
    let scaled = FACTOR * a;
    let upper = scaled - (scaled - a);
    (upper, a - upper)
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (hi, error) = two_sum(self.hi, other.hi);
        let (lo, last) = two_sum(self.lo, other.lo);
        let sum = Self::quick(hi, error + lo);
        Self::quick(sum.hi, sum.lo + last)
    }
}

impl Neg for Double {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            hi: -self.hi,
            lo: -self.lo,
        }
    }
}

impl Sub for Double {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let (product, error) = two_product(self.hi, other.hi);
        Self::quick(product, error + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl Div for Double {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        // Two digits of long division.
        let first = self.hi / other.hi;
        let rest = self - other * Self::new(first);
        Self::quick(first, rest.hi / other.hi)
    }
}

impl PartialOrd for Double {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.hi.partial_cmp(&other.hi) {
            Some(Ordering::Equal) => self.lo.partial_cmp(&other.lo),
            order => order,
        }
    }
}

impl Real for Double {
    const ZERO: Self = Self::new(0.0);
    const ONE: Self = Self::new(1.0);
    const NOISE: f64 = f64::EPSILON * f64::EPSILON * 32.0;

    fn from_u128(value: u128) -> Self {
        // Both halves are exact; their sum is rounded to 106 bits.
        let (high, low) = ((value >> 64) as u64, value as u64);
        let whole = |half: u64| {
            let top = half & !0xffff_ffff;
            Self::quick(top as f64, (half - top) as f64)
        };
        whole(high) * Self::new(18_446_744_073_709_551_616.0) + whole(low)
    }

    fn sqrt(self) -> Self {
        if self.hi <= 0.0 {
            return Self::new(self.hi.sqrt());
        }
        // Karp's trick: one Newton step from the root of the upper part.
        let estimate = self.hi.sqrt();
        let (square, error) = two_product(estimate, estimate);
        let rest = self
            - Self {
                hi: square,
                lo: error,
            };
        Self::quick(estimate, rest.hi / (2.0 * estimate))
    }

    fn to_f64(self) -> f64 {
        self.hi + self.lo
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ruint::aliases::U512;

    /// The value times 2^shift as an integer, for numbers that have no more fraction bits than that.
    fn scaled(value: Double, shift: i32) -> i128 {
        (value.hi * 2f64.powi(shift)) as i128 + (value.lo * 2f64.powi(shift)) as i128
    }

    /// |a - b| <= b * 2^-100 for integers.
    fn close(a: u128, b: u128) -> bool {
        a.abs_diff(b) <= (b >> 100) + 1
    }

    proptest! {
        #![proptest_config(crate::seed::config(2_000))]

        #[test]
        fn integers_of_106_bits_are_exact(a in 0u128..1 << 105, b in 0u128..1 << 105) {
            prop_assert_eq!(scaled(Double::from_u128(a), 0), a as i128);
            let (x, y) = (Double::from_u128(a), Double::from_u128(b));
            prop_assert_eq!(scaled(x + y, 0), (a + b) as i128);
            prop_assert_eq!(scaled(x - y, 0), a as i128 - b as i128);
            prop_assert_eq!(x < y, a < b);
        }

        #[test]
        fn products_quotients_and_roots_hold_100_bits(a in 1u128..1 << 100, b in 1u128..1 << 100, shift in 0u32..100) {
            let b = (b >> shift).max(1);
            let (x, y) = (Double::from_u128(a), Double::from_u128(b));
            // Through 512 bits: a * b / 2^74, a / b * 2^k and sqrt(a) * 2^50 as integers of about 126 bits.
            let product = (U512::from(a) * U512::from(b)) >> 74usize;
            prop_assert!(close(scaled(x * y, -74) as u128, product.to::<u128>()));
            let up = 120 + b.ilog2() as i32 - a.ilog2() as i32;
            let quotient = (U512::from(a) << up as usize) / U512::from(b);
            prop_assert!(close(scaled(x / y, up) as u128, quotient.to::<u128>()));
            let root = ballast_clmm::wide::isqrt_down(ballast_clmm::wide::U256::from(a) << 140usize);
            prop_assert!(close(scaled(x.sqrt(), 70) as u128, root));
        }
    }

    #[test]
    fn edges() {
        assert_eq!(Double::ZERO.sqrt(), Double::ZERO);
        assert!(Double::new(-1.0).sqrt().to_f64().is_nan());
        assert!((Double::ONE / Double::ZERO).to_f64().is_nan());
        let third = Double::ONE / Double::new(3.0);
        assert!(((third + third + third) - Double::ONE).to_f64().abs() < 1e-31);
        assert!(Double::new(1.0) + Double::new(1e-25) > Double::ONE);
        // Below one the numbers stand twice as near as above: what is a little more than one is not rounded to what is less.
        assert_eq!((Double::ONE + Double::new(1e-16)).to_f64(), 1.0);
        // Where the upper parts cancel, every digit of the lower ones is left.
        let bit = |power| 2f64.powi(power);
        let (a, b) = ((1.0, bit(-54)), (1.0, -bit(-120)));
        let double = |(hi, lo)| Double { hi, lo };
        assert_eq!(double(a) - double(b), double((bit(-54), bit(-120))));
    }
}
