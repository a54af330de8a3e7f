//! Long division with 64-bit digits (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D).

use ruint::aliases::U256;

use super::digits::{div_2_by_1, mul_64};

/// Quotient and remainder of `(high * 2^128 + low) / divisor`; `None` if the divisor is zero or the quotient exceeds 128
/// bits (both are `high >= divisor`).
pub(crate) const fn div_rem_256_by_128(
    high: u128,
    low: u128,
    divisor: u128,
) -> Option<(u128, u128)> {
    if high >= divisor {
        return None;
    }
    if high == 0 {
        return div_rem_128(low, divisor);
    }
    let shift = divisor.leading_zeros();
    if shift >= 64 {
        // One digit: high < divisor < 2^64.
        let shift = shift - 64;
        let normal = (divisor as u64) << shift;
        let low_top = (low >> 64) as u64;
        let low_bottom = low as u64;
        let (q1, rest) = div_2_by_1(
            (high as u64) << shift | shr_digit(low_top, shift),
            low_top << shift | shr_digit(low_bottom, shift),
            normal,
        );
        let (q0, rest) = div_2_by_1(rest, low_bottom << shift, normal);
        return Some((join(q1, q0), (rest >> shift) as u128));
    }
    let normal = divisor << shift;
    let top = if shift == 0 {
        high
    } else {
        high << shift | low >> (128 - shift)
    };
    let bottom = low << shift;
    let (q1, rest) = div_3_by_2(top, (bottom >> 64) as u64, normal);
    let (q0, rest) = div_3_by_2(rest, bottom as u64, normal);
    Some((join(q1, q0), rest >> shift))
}

/// Quotient and remainder of `n / divisor`; `None` if the divisor is zero.
pub(crate) const fn div_rem_128(n: u128, divisor: u128) -> Option<(u128, u128)> {
    if (n >> 64) as u64 == 0 && (divisor >> 64) as u64 == 0 {
        let (n, divisor) = (n as u64, divisor as u64);
        return match n.checked_div(divisor) {
            // Below n, hence no wrap.
            Some(quotient) => Some((
                quotient as u128,
                n.wrapping_sub(quotient.wrapping_mul(divisor)) as u128,
            )),
            None => None,
        };
    }
    match n.checked_div(divisor) {
        Some(quotient) => Some((quotient, n.wrapping_sub(quotient.wrapping_mul(divisor)))),
        None => None,
    }
}

/// Quotient and remainder of `n / divisor` for any 256-bit numbers; `None` if the divisor is zero.
pub const fn div_rem_256(n: U256, divisor: U256) -> Option<(U256, U256)> {
    let n = n.as_limbs();
    let d = divisor.as_limbs();
    let (n_high, n_low) = (join(n[3], n[2]), join(n[1], n[0]));
    let (d_high, d_low) = (join(d[3], d[2]), join(d[1], d[0]));
    if d_high == 0 {
        let (q_high, rest) = match div_rem_128(n_high, d_low) {
            Some(step) => step,
            None => return None,
        };
        return match div_rem_256_by_128(rest, n_low, d_low) {
            Some((q_low, rest)) => Some((from_halves(q_high, q_low), from_halves(0, rest))),
            None => None,
        };
    }
    Some(div_rem_by_large(*n, *d))
}

/// `n / d` for `d >= 2^128`: one or two quotient digits.
const fn div_rem_by_large(n: [u64; 4], d: [u64; 4]) -> (U256, U256) {
    let d_high = join(d[3], d[2]);
    // Shift so that the divisor's top bit is bit 255; n grows to six digits.
    let shift = d_high.leading_zeros();
    let d_low = join(d[1], d[0]);
    let (v_high, v_low) = shl_256(d_high, d_low, shift);
    let v = [
        v_low as u64,
        (v_low >> 64) as u64,
        v_high as u64,
        (v_high >> 64) as u64,
    ];
    let (n_high, n_low) = (join(n[3], n[2]), join(n[1], n[0]));
    let (u_high, u_low) = shl_256(n_high, n_low, shift);
    let u_top = if shift == 0 {
        0
    } else {
        n_high >> (128 - shift)
    };
    // The quotient is below 2^(shift + 1): its second digit exists only for shift >= 64.
    let (q1, rest) = if shift >= 64 {
        div_5_by_4(
            [
                (u_low >> 64) as u64,
                u_high as u64,
                (u_high >> 64) as u64,
                u_top as u64,
                (u_top >> 64) as u64,
            ],
            v,
        )
    } else {
        (
            0,
            [
                (u_low >> 64) as u64,
                u_high as u64,
                (u_high >> 64) as u64,
                u_top as u64,
            ],
        )
    };
    let (q0, rest) = div_5_by_4([u_low as u64, rest[0], rest[1], rest[2], rest[3]], v);
    let (rest_high, rest_low) = (join(rest[3], rest[2]), join(rest[1], rest[0]));
    (
        from_halves(0, join(q1, q0)),
        shr_256(rest_high, rest_low, shift),
    )
}

/// One quotient digit of a five-digit number by a normalised four-digit divisor, where the upper four digits of `u` are
/// below the divisor. Digits are least significant first.
const fn div_5_by_4(u: [u64; 5], v: [u64; 4]) -> (u64, [u64; 4]) {
    // The estimate from the top digits is exact or one too large.
    let divisor_top = join(v[3], v[2]);
    let rest_top = join(u[4], u[3]);
    let mut digit = if rest_top >= divisor_top {
        u64::MAX
    } else {
        div_3_by_2(rest_top, u[2], divisor_top).0
    };
    let mut rest = [0u64; 4];
    let mut borrow = 0u128;
    let mut i = 0;
    while i < 4 {
        let part = mul_64(digit, v[i]).wrapping_add(borrow);
        let (difference, under) = u[i].overflowing_sub(part as u64);
        rest[i] = difference;
        borrow = (part >> 64).wrapping_add(under as u128);
        i += 1;
    }
    if (u[4] as u128) < borrow {
        digit = digit.wrapping_sub(1);
        let mut carry = 0u128;
        let mut i = 0;
        while i < 4 {
            carry = carry
                .wrapping_add(rest[i] as u128)
                .wrapping_add(v[i] as u128);
            rest[i] = carry as u64;
            carry >>= 64;
            i += 1;
        }
    }
    (digit, rest)
}

/// One quotient digit of `(top * 2^64 + next) / divisor` for a normalised two-digit divisor and `top < divisor`.
const fn div_3_by_2(top: u128, next: u64, divisor: u128) -> (u64, u128) {
    let (u2, u1) = ((top >> 64) as u64, top as u64);
    let (v1, v0) = ((divisor >> 64) as u64, divisor as u64);
    if u2 == 0 {
        let rest = join(u1, next);
        if rest < divisor {
            return (0, rest);
        }
    }
    let (mut digit, mut trial) = if u2 >= v1 {
        // Equal, as top < divisor.
        (u64::MAX, (u1 as u128).wrapping_add(v1 as u128))
    } else {
        let (digit, trial) = div_2_by_1(u2, u1, v1);
        (digit, trial as u128)
    };
    // At most two corrections: the estimate from the divisor's top digit is never too small.
    let mut part = mul_64(digit, v0);
    while trial >> 64 == 0 && part > (trial << 64 | next as u128) {
        digit = digit.wrapping_sub(1);
        part = part.wrapping_sub(v0 as u128);
        trial = trial.wrapping_add(v1 as u128);
    }
    // The true remainder is below the divisor, so arithmetic modulo 2^128 yields it.
    (digit, (trial << 64 | next as u128).wrapping_sub(part))
}

#[inline(always)]
const fn join(high: u64, low: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

/// The top `shift` bits of a digit, `shift < 64`.
#[inline(always)]
const fn shr_digit(digit: u64, shift: u32) -> u64 {
    if shift == 0 { 0 } else { digit >> (64 - shift) }
}

/// Shift left by less than 128; bits beyond 256 are lost.
const fn shl_256(high: u128, low: u128, shift: u32) -> (u128, u128) {
    if shift == 0 {
        return (high, low);
    }
    (high << shift | low >> (128 - shift), low << shift)
}

/// Shift right by less than 128.
const fn shr_256(high: u128, low: u128, shift: u32) -> U256 {
    if shift == 0 {
        return from_halves(high, low);
    }
    from_halves(high >> shift, low >> shift | high << (128 - shift))
}

pub(crate) const fn from_halves(high: u128, low: u128) -> U256 {
    U256::from_limbs([
        low as u64,
        (low >> 64) as u64,
        high as u64,
        (high >> 64) as u64,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_divides_nothing() {
        assert_eq!(div_rem_128(1, 0), None);
        assert_eq!(div_rem_256_by_128(0, 1, 0), None);
        assert_eq!(div_rem_256(U256::MAX, U256::ZERO), None);
    }

    #[test]
    fn a_quotient_beyond_128_bits_is_refused() {
        let d = 1 << 100;
        assert_eq!(div_rem_256_by_128(d, 0, d), None);
        assert_eq!(
            div_rem_256_by_128(d - 1, u128::MAX, d),
            Some((u128::MAX, d - 1))
        );
    }

    #[test]
    fn each_length_of_divisor() {
        // n = d * q + r by construction, for one to four digits of d and no, one or two digits of q.
        for d_bits in [1, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256] {
            let d = U256::MAX >> (256 - d_bits);
            for q_bits in [0, 1, 64, 65, 128] {
                if d_bits + q_bits > 256 {
                    continue;
                }
                let q = if q_bits == 0 {
                    U256::ZERO
                } else {
                    U256::MAX >> (256 - q_bits)
                };
                for r in [U256::ZERO, d >> 1, d - U256::from(1)] {
                    let n = d * q + r;
                    assert_eq!(div_rem_256(n, d), Some((q, r)), "{d_bits} {q_bits}");
                }
            }
        }
    }
}
