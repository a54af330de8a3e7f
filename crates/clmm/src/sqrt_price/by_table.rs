//! The logarithm off chain: of the nearest lower one of 256 mantissas by a table, and of the rest, which is below 1/256, by three
//! terms of its series.

use crate::wide::digits::mul_64;

/// `1 / log2(sqrt(1.0001))`, ticks per doubling of the square root, in Q40, rounded down.
const TICKS_PER_LOG2_X40: i64 = 15_243_229_806_399_573;
/// `1 / ln(sqrt(1.0001))`, which is 20000.99998.
const TICKS_PER_LN: i64 = 20_001;
const INDEX_BITS: u32 = 8;
const ENTRIES: usize = 1 << INDEX_BITS;
/// Fractional bits to which the table's logarithms are computed.
const LOG2_BITS: u32 = 48;

/// 0.0001 ticks in Q40. The series leaves out `r^4 / 4 < 2^-34`, or 0.0000012 ticks; each number cut off, the 32 doublings and the
/// factor of the series are off by less than a tenth of that.
pub(super) const SLACK_X40: i64 = 109_951_162;

#[derive(Clone, Copy)]
struct Mantissa {
    /// `log_sqrt(1.0001)(1 + i / 256)`.
    ticks_x40: i64,
    /// `1 / (256 + i)`.
    reciprocal_x64: u64,
}

static MANTISSAS: [Mantissa; ENTRIES] = {
    let mut table = [Mantissa {
        ticks_x40: 0,
        reciprocal_x64: 0,
    }; ENTRIES];
    let mut i = 0;
    while i < ENTRIES {
        let n = (ENTRIES + i) as u64;
        let log2 = log2_of_mantissa(n << (63 - INDEX_BITS)) as i128;
        table[i] = Mantissa {
            ticks_x40: ((log2 * TICKS_PER_LOG2_X40 as i128) >> LOG2_BITS) as i64,
            reciprocal_x64: ((1u128 << 64) / n as u128) as u64,
        };
        i += 1;
    }
    table
};

/// Binary logarithm of a Q63 number in [1, 2), by repeated squaring.
const fn log2_of_mantissa(mantissa: u64) -> u64 {
    let mut mantissa = mantissa;
    let mut log2 = 0;
    let mut bit = 0;
    while bit < LOG2_BITS {
        let square = mul_64(mantissa, mantissa);
        let carry = (square >> 127) as u64;
        mantissa = (square >> (63 + carry)) as u64;
        log2 = (log2 << 1) | carry;
        bit += 1;
    }
    log2
}

/// Logarithm to base `sqrt(1.0001)` of a Q64.64 number within the price bounds, in Q40, to within [`SLACK_X40`].
#[inline]
pub(super) const fn log_sqrt_1_0001_x40(x64: u128) -> i64 {
    let zeros = x64.leading_zeros();
    let mantissa = (x64.wrapping_shl(zeros) >> 64) as u64;
    // The top bit is 1: the next ones are the index, and the others what is left of it, in units of 1/256.
    let left_x64 = mantissa << (1 + INDEX_BITS);
    let near = MANTISSAS[(mantissa >> (63 - INDEX_BITS)) as usize % ENTRIES];
    let r = (mul_64(left_x64, near.reciprocal_x64) >> 64) as u64;
    let square = (mul_64(r, r) >> 64) as u64;
    let cube = (mul_64(square, r) >> 64) as u64;
    // ln(1 + r), below 2^56; in ticks it has 15 bits more.
    let ln_x64 = r.wrapping_sub(square / 2).wrapping_add(cube / 3);
    let ticks_x40 = ((ln_x64 >> 16) as i64).wrapping_mul(TICKS_PER_LN) >> 8;
    // At most 32 doublings of 14 bits.
    (63 - zeros as i64)
        .wrapping_mul(TICKS_PER_LOG2_X40)
        .wrapping_add(near.ticks_x40)
        .wrapping_add(ticks_x40)
}
