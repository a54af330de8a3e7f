//! Parameters of [`super::Step`]s, each from a few bytes.

use arbitrary::{Arbitrary, Unstructured};
use ballast_client::Side;

/// Who does it: this number modulo the number of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person(pub u8);

impl Person {
    /// Somebody else.
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Which of the open positions: this number modulo how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick(pub u8);

/// Which token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(pub Side);

/// Raw units, of all magnitudes alike up to 2^40, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub u64);

/// A limit, which is none more often than not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap(pub u64);

/// A number from `LOW` to below `END`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within<const LOW: u32, const END: u32>(pub u32);

/// A number from `LOW` to below `END`, out of one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Few<const LOW: u32, const END: u32>(pub u32);

/// A time, of all magnitudes alike up to three weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secs(pub u32);

/// A hedge ratio in basis points, the whole one more often than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge(pub u32);

impl Arbitrary<'_> for Person {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self(bytes.arbitrary()?))
    }
}

impl Arbitrary<'_> for Pick {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self(bytes.arbitrary()?))
    }
}

impl Arbitrary<'_> for Token {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self(if bytes.arbitrary()? {
            Side::Quote
        } else {
            Side::Base
        }))
    }
}

impl Arbitrary<'_> for Amount {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self::from_bytes(bytes.arbitrary()?))
    }
}

impl Amount {
    fn from_bytes([exponent, fraction]: [u8; 2]) -> Self {
        Self(((0x100 + u64::from(fraction)) << (exponent % 42)) >> 9)
    }
}

impl Arbitrary<'_> for Cap {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let [exponent, fraction]: [u8; 2] = bytes.arbitrary()?;
        Ok(Self(match exponent {
            0x60.. => u64::MAX,
            _ => Amount::from_bytes([exponent, fraction]).0,
        }))
    }
}

impl<const LOW: u32, const END: u32> Arbitrary<'_> for Within<LOW, END> {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let part = u64::from(bytes.arbitrary::<u16>()?);
        let offset = (part * u64::from(END - LOW)) >> u16::BITS;
        // Below END - LOW, which is a u32.
        Ok(Self(LOW + offset as u32))
    }
}

impl<const LOW: u32, const END: u32> Arbitrary<'_> for Few<LOW, END> {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let part = u32::from(bytes.arbitrary::<u8>()?);
        Ok(Self(LOW + ((part * (END - LOW)) >> u8::BITS)))
    }
}

impl Arbitrary<'_> for Secs {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let [exponent, fraction]: [u8; 2] = bytes.arbitrary()?;
        Ok(Self(
            ((0x100 + u32::from(fraction)) << (exponent % 21)) >> 8,
        ))
    }
}

impl Arbitrary<'_> for Hedge {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let ratios = [10_000, 0, 5_000, 10_000, 10_000];
        Ok(Self(
            ratios[usize::from(bytes.arbitrary::<u8>()?) % ratios.len()],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_all_magnitudes() {
        let amounts = |bytes: [u8; 2]| {
            let amount: Amount = Unstructured::new(&bytes).arbitrary().unwrap();
            let cap: Cap = Unstructured::new(&bytes).arbitrary().unwrap();
            (amount.0, cap.0)
        };
        assert_eq!(amounts([0, 0]), (0, 0));
        assert_eq!(amounts([1, 0]), (1, 1));
        assert_eq!(amounts([41, 0]), (1 << 40, 1 << 40));
        assert_eq!(amounts([0xff, 0xff]), (0x1ff >> 6, u64::MAX));
    }

    #[test]
    fn bounds_are_reached_and_kept() {
        let within = |bytes: [u8; 2]| {
            let number: Within<5, 8> = Unstructured::new(&bytes).arbitrary().unwrap();
            number.0
        };
        assert_eq!((within([0, 0]), within([0xff, 0xff])), (5, 7));
    }
    #[test]
    fn a_byte_reaches_both_bounds() {
        let few = |byte: u8| {
            let number: Few<1, 4> = Unstructured::new(&[byte]).arbitrary().unwrap();
            number.0
        };
        assert_eq!((few(0), few(0xff)), (1, 3));
    }
}
