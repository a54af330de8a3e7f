//! `e^x` in fixed point: the growth of a debt.

use ballast_clmm::wide;

use super::SECONDS_PER_YEAR;

/// Largest exponent, Q64.64: 32. `e^32` exceeds 2^46; the index may grow by 2^32 at most over its whole life
/// ([`super::MAX_INDEX_X64`]), so that no larger factor is ever used.
const MAX_EXPONENT_X64: u128 = 32 << 64;
/// Below this exponent, 1/512 in Q64.64, the series alone is exact enough: a day at 71 %, 1.7 hours at 1000 %.
const SERIES_ONLY_X64: u128 = 1 << 55;
/// Fraction bits of the exponent where it is halved.
const REST_BITS: u32 = 116;
/// `ln 2` with [`REST_BITS`] fraction bits, rounded down.
const LN_2_X116: u128 = 0xb17217f7d1cf79abc9e3b39803f2f;
/// `ln 2`, Q32, rounded up.
const LN_2_X32_UP: u64 = 2_977_044_472;

/// Factor by which a debt grows in `secs` at a yearly rate (Q64.64, continuous compounding): `e^(rate secs / year)`,
/// Q64.64, rounded up.
///
/// Never below the exact value, and above it by less than 3 * 2^-64 of it: one each for rounding the exponent and the
/// result up, less than 2^-68 for the series. It does not fall where rate or time rise. Exponents above 32 count as 32.
///
/// Cost on chain: three 64-bit products up to an exponent of 1/512; beyond that up to ten 128-bit squares more.
pub fn growth_x64_up(rate_x64: u128, secs: u64) -> u128 {
    let exponent = wide::mul_div_up(rate_x64, u128::from(secs), u128::from(SECONDS_PER_YEAR));
    let x = exponent.unwrap_or(u128::MAX).min(MAX_EXPONENT_X64);
    if x < SERIES_ONLY_X64 {
        let small = x as u64;
        // e^x = 1 + x (1 + b); x in Q72 is exact.
        let bend = product(small, bend_x72_up(small << 8));
        return (1 << 64) + x + shr_up(bend, 72);
    }
    halved(x)
}

/// `e^x` for an exponent from 1/512 to 32, Q64.64, rounded up: `e^x = 2^q e^r` with `r < ln 2`, and `e^r` by squaring
/// `e^(r / 2^m)` `m` times.
fn halved(x: u128) -> u128 {
    // Both roundings make the quotient smaller, at most by one; the rest, rounded up, is then a little above ln 2.
    let twos = ((x >> 32) as u64) / LN_2_X32_UP;
    // 2^121, less what is at most as much.
    let rest = (x << (REST_BITS - 64)).saturating_sub(u128::from(twos) * LN_2_X116);
    // Halve until r / 2^m < 1/1024. r < 1, so that m <= 10.
    let high = (rest >> 64) as u64;
    let mut halvings = 0;
    while high >> (REST_BITS - 64 - 10 + halvings) != 0 {
        halvings += 1;
    }
    // The same integer, read with REST_BITS + m fraction bits, is r / 2^m: nothing is lost by halving.
    let bend = bend_x72_up((rest >> (REST_BITS + halvings - 72)) as u64 + 1);
    // Below 2^116 and 2^63: the product fits after the shift.
    let bend = shr_up(
        wide::mul_shr64_up(rest, u128::from(bend)).unwrap_or(rest),
        8,
    );
    // Q2.126. The value stays below 4 (it ends at about 2 at most), so that no shift loses a bit.
    let mut power = (1 << 126) + ((rest + bend) << (10 - halvings));
    for _ in 0..halvings {
        power = square_x126_up(power);
    }
    // x <= 32: at most 46 twos.
    shr_up(power, 62 - (twos as u32).min(62))
}

/// Upper bound of `(e^x - 1 - x) / x` in Q72 for `x < 1/512` in Q72 (itself an upper bound), by Horner's scheme:
/// `b_k = x/k (1 + b_(k+1))`, of which this is `b_2`.
///
/// The series' remainder and the roundings raise `e^x` by less than 2^-74, for `x < 1/1024` by less than 2^-78: by less
/// than 2^-68 of it after ten squares.
fn bend_x72_up(x_x72: u64) -> u64 {
    // The smaller terms need half the digits: Q36, where x is below 2^27.
    let x_x36 = (x_x72 >> 36) + 1;
    // b_8 = x/8 (1 + x/9 + ...) <= x/7
    let mut b_x36 = x_x36 / 7 + 1;
    b_x36 = (x_x36 + ((x_x36 * b_x36) >> 36) + 1) / 7 + 1;
    b_x36 = (x_x36 + ((x_x36 * b_x36) >> 36) + 1) / 6 + 1;
    b_x36 = (x_x36 + ((x_x36 * b_x36) >> 36) + 1) / 5 + 1;
    let mut b_x72 = (x_x72 + x_x36 * b_x36) / 4 + 1;
    for k in [3, 2] {
        b_x72 = (x_x72 + (product(x_x72, b_x72) >> 72) as u64 + 1) / k + 1;
    }
    b_x72
}

/// `ceil(power^2)` in Q2.126, for powers whose square is below 4.
fn square_x126_up(power: u128) -> u128 {
    let [d0, d1, d2, d3] = *wide::mul_full(power, power).as_limbs();
    let high = (u128::from(d3) << 64) + u128::from(d2);
    let inexact = d0 != 0 || d1 << 2 != 0;
    (high << 2) + u128::from(d1 >> 62) + u128::from(inexact)
}

/// `ceil(value / 2^bits)`, for less than 128 bits and values that leave room for the rounding.
fn shr_up(value: u128, bits: u32) -> u128 {
    let down = value >> bits;
    down + u128::from(down << bits != value)
}

/// The full product of two digits.
fn product(a: u64, b: u64) -> u128 {
    u128::from(a).wrapping_mul(u128::from(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ruint::aliases::U512;

    use super::*;
    use crate::seed::config;

    /// Fraction bits of the reference.
    const BITS: usize = 384;

    /// `e^(numerator / denominator)` with 384 fraction bits, between the two: the plain series of `e^(x / 64)`, and six
    /// squares.
    fn exact(numerator: U512, denominator: U512) -> (U512, U512) {
        assert!(numerator.bit_len() + BITS <= 512);
        let one = U512::from(1) << BITS;
        let x = ((numerator << BITS) / denominator) >> 6usize;
        let mut sum = one;
        let mut term = one;
        for k in 1u64.. {
            term = mul(term, x) / U512::from(k);
            if term == U512::ZERO {
                break;
            }
            sum += term;
        }
        // Fewer than 2^8 terms, each cut by two units, and the exponent by two: below 2^12 units of 2^-384.
        let (mut low, mut high) = (sum, sum + (U512::from(1) << 12usize));
        for _ in 0..6 {
            (low, high) = (mul(low, low), mul(high, high) + U512::from(1));
        }
        (low, high)
    }

    /// `floor(a b)` at 384 fraction bits, for products below 2^128.
    fn mul(a: U512, b: U512) -> U512 {
        use ruint::Uint;
        let full: Uint<1024, 16> = a.widening_mul(b);
        let limbs = (full >> BITS).into_limbs();
        assert!(limbs[8..].iter().all(|limb| *limb == 0));
        U512::from_limbs(limbs[..8].try_into().unwrap())
    }

    /// The growth is not below the exact one, and above it by less than `units` of 2^-64 of it.
    fn check(growth: u128, (low, high): (U512, U512), units: u64) {
        let growth = U512::from(growth) << (BITS - 64);
        assert!(growth >= high, "{growth} < {high}");
        let bound = low + (low >> 64usize) * U512::from(units);
        assert!(growth < bound, "{growth} exceeds {low} by too much");
    }

    fn check_at(rate_x64: u128, secs: u64) {
        let numerator = U512::from(rate_x64) * U512::from(secs);
        let denominator = U512::from(SECONDS_PER_YEAR) << 64usize;
        let growth = growth_x64_up(rate_x64, secs);
        if numerator == U512::ZERO {
            assert_eq!(growth, 1 << 64);
        } else if numerator > U512::from(32) * denominator {
            assert_eq!(growth, growth_x64_up(32 << 64, SECONDS_PER_YEAR));
        } else {
            check(growth, exact(numerator, denominator), 3);
        }
    }

    /// An exponent of any size, evenly over the binary magnitudes, as rate and time.
    fn exponents() -> impl Strategy<Value = u128> {
        (0u32..=69, any::<u128>())
            .prop_map(|(bits, digits)| (1 << bits) | (digits & ((1 << bits) - 1)))
    }

    #[test]
    fn the_reference_knows_e() {
        // 2^64 e = 50143449209799256682.7..., e^32 = 78962960182680.6...
        let (low, high) = exact(U512::from(1), U512::from(1));
        let whole = U512::from(50_143_449_209_799_256_682u128);
        assert_eq!((low >> (BITS - 64), high >> (BITS - 64)), (whole, whole));
        let (low, _) = exact(U512::from(32), U512::from(1));
        assert_eq!(low >> BITS, U512::from(78_962_960_182_680u64));
        // ln 2 from both sides, and its short form.
        let two = U512::from(2) << BITS;
        let scale = U512::from(1) << 116usize;
        assert!(exact(U512::from(LN_2_X116), scale).1 < two);
        assert!(exact(U512::from(LN_2_X116 + 1), scale).0 > two);
        assert_eq!((LN_2_X116 >> 84) as u64 + 1, LN_2_X32_UP);
    }

    #[test]
    fn corners() {
        let year = SECONDS_PER_YEAR;
        assert_eq!(growth_x64_up(0, u64::MAX), 1 << 64);
        assert_eq!(growth_x64_up(1 << 64, 0), 1 << 64);
        // Any positive rate and time cost something.
        assert!(growth_x64_up(1, 1) > 1 << 64);
        // More than the index can grow in its life.
        assert!(growth_x64_up(u128::MAX, u64::MAX) >> 64 > 1 << 32);
        for secs in [1, 10, 60, 3_600, 86_400, year / 12, year, 20 * year] {
            for rate_bps in [1u128, 10, 500, 1_000, 15_000, 100_000, u128::from(u32::MAX)] {
                check_at((rate_bps << 64).div_ceil(10_000), secs);
            }
        }
        // Where one method ends and the next begins, where halvings and twos are added, and at the end.
        let ln_2 = LN_2_X116 >> 52;
        let seams = (40..=69).map(|bits| 1u128 << bits);
        let twos = (1..=46).map(|twos| twos * ln_2);
        for seam in seams.chain(twos) {
            let near = (seam - 3..=seam + 3).map(|x| growth_x64_up(x, year));
            assert!(near.is_sorted(), "{seam}");
            (seam - 3..=seam + 3).for_each(|x| check_at(x, year));
        }
    }

    proptest! {
        #![proptest_config(config(2_000))]

        /// As good as stated, for the exponent as it is (a rate over a year) and for any rate and time.
        #[test]
        fn growth_is_the_exponential(x in exponents(), secs in 1u64..1 << 36) {
            check_at(x, SECONDS_PER_YEAR);
            let rate = x / u128::from(secs) * u128::from(SECONDS_PER_YEAR) + x % u128::from(secs);
            check_at(rate, secs);
        }

        /// The series and the squares cost less than 2^-68; the rest is one rounding up.
        #[test]
        fn only_the_last_rounding_shows(x in exponents()) {
            let x = x.min(MAX_EXPONENT_X64);
            let exact = exact(U512::from(x), U512::from(1) << 64usize);
            let growth = growth_x64_up(x, SECONDS_PER_YEAR);
            check(growth, exact, 2);
            let least = u128::try_from((exact.0 >> (BITS - 64)) + U512::from(1)).unwrap();
            prop_assert!(growth - least <= 1 + (growth >> 68), "{} {}", growth, least);
        }

        /// More time or a higher rate never cost less.
        #[test]
        fn growth_does_not_fall(x in exponents(), more in 1u128..1 << 20, secs in 1u64..1 << 36) {
            prop_assert!(growth_x64_up(x + 1, SECONDS_PER_YEAR) >= growth_x64_up(x, SECONDS_PER_YEAR));
            prop_assert!(growth_x64_up(x, secs) <= growth_x64_up(x + more, secs));
            prop_assert!(growth_x64_up(x, secs) <= growth_x64_up(x, secs + more as u64));
        }
    }

    #[test]
    fn what_is_cut_off_rounds_up() {
        for value in [0u128, 1, 7, 8, 9, 63, 64, (1 << 100) - 1, 1 << 100] {
            for bits in [0, 1, 3, 63, 72] {
                assert_eq!(
                    shr_up(value, bits),
                    value.div_ceil(1 << bits),
                    "{value} {bits}"
                );
            }
        }
        let one = 1u128 << 126;
        // A product's bits below 2^-126 stand in two digits, the lower one and most of the next.
        let powers = [
            one,
            one + 1,
            one + (1 << 62),
            one + (1 << 63),
            one + (1 << 64),
        ];
        for power in powers
            .into_iter()
            .chain([one + (1 << 95), one * 3 / 2, one * 2 - 1])
        {
            let square: U512 = U512::from(power) * U512::from(power);
            let exact = (square + U512::from(one - 1)) >> 126usize;
            assert_eq!(U512::from(square_x126_up(power)), exact, "{power}");
        }
    }

    /// Who computes an index elsewhere has to agree to the last digit. By the same steps in Python's integers, at exponents at which
    /// each step and each rounding shows.
    #[test]
    fn the_last_digit_is_what_it_is_elsewhere() {
        for (x_x72, bend) in [
            (0, 1),
            (1 << 36, 34_359_738_369),
            (0x1f25_a589_fee5_2943, 1_122_368_801_718_126_946),
            (0x37f9_e2c4_8b2f_7f20, 2_017_326_448_151_067_231),
            (1 << 62, 2_306_593_792_439_324_223),
            (0x44c0_a88a_0b97_8459, 2_477_938_894_249_835_668),
            (0x694c_c965_fbde_15b0, 3_795_863_184_466_976_367),
            (0x7723_ad5b_fba2_5ca9, 4_295_050_257_690_836_761),
            (0x7a8c_35a7_e44a_98f5, 4_417_999_335_412_783_878),
            (0x7e44_8da5_6a50_df4d, 4_552_199_539_379_989_556),
            ((1 << 63) - 1, 4_614_689_884_767_320_726),
        ] {
            assert_eq!(bend_x72_up(x_x72), bend, "{x_x72:#x}");
        }
        for (x, growth) in [
            (0x0064_08f3_2287_bc3c, 18_474_922_912_522_599_585),
            (0x0055_8fcc_5104_e21d, 18_470_843_282_581_461_653),
            (1 << 55, 18_482_808_078_018_285_843),
            (0xc_ec62_6ad4_e4bd_83b8, 7_559_114_494_454_693_154_069_857),
            (
                0x1d_a880_3df5_5aca_fe8a,
                140_060_375_613_015_612_581_040_109_254_839,
            ),
        ] {
            assert_eq!(growth_x64_up(x, SECONDS_PER_YEAR), growth, "{x:#x}");
        }
    }

    /// The bend by its series, with 256 fraction bits, rounded down.
    #[test]
    fn the_bend_is_an_upper_bound_as_near_as_stated() {
        let exact = |x_x72: u64| {
            // b = x/2 (1 + x/3 (1 + x/4 ...))
            let one = U512::from(1) << 256usize;
            let x = U512::from(x_x72) << 184usize;
            (2u64..40).rev().fold(U512::ZERO, |bend, k| {
                ((x * (one + bend)) >> 256usize) / U512::from(k)
            })
        };
        let ends = [
            0u64,
            1,
            2,
            1 << 20,
            1 << 36,
            (1 << 62) - 1,
            1 << 62,
            (1 << 63) - 1,
        ];
        let between = (1..20_000u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (1 + n % 40));
        for x_x72 in ends.into_iter().chain(between) {
            let bend = U512::from(bend_x72_up(x_x72)) << 184usize;
            let exact = exact(x_x72);
            assert!(bend > exact, "{x_x72}");
            // x times what is too much is below 2^-74, and below 2^-78 for x below 1/1024.
            let raised = U512::from(x_x72) * ((bend - exact) >> 184usize);
            let bits: usize = if x_x72 < 1 << 62 { 78 } else { 74 };
            assert!(raised < U512::from(1) << (144 - bits), "{x_x72}");
        }
    }
}
