//! A 128-bit integer that may lie in a zero-copy account.

use anchor_lang::prelude::*;

/// `u128` as two little-endian 64-bit limbs.
///
/// The alignment of a plain `u128` differs between the compilers that build this program (8 or 16 bytes), which would
/// give accounts two layouts; this type is 8-byte aligned everywhere.
#[zero_copy]
#[derive(Default, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Wide {
    /// Low limb first.
    pub limbs: [u64; 2],
}

impl Wide {
    /// The value as an ordinary integer.
    pub const fn get(self) -> u128 {
        (self.limbs[1] as u128) << 64 | self.limbs[0] as u128
    }
}

impl From<u128> for Wide {
    fn from(value: u128) -> Self {
        Self {
            limbs: [value as u64, (value >> 64) as u64],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_bit_and_is_eight_byte_aligned() {
        for value in [
            0,
            1,
            u64::MAX as u128,
            1 << 64,
            u128::MAX,
            0x0123_4567_89ab_cdef_u128 << 37,
        ] {
            assert_eq!(Wide::from(value).get(), value);
        }
        assert_eq!(core::mem::align_of::<Wide>(), 8);
    }
}
