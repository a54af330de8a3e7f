//! Long division with 64-bit digits (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D).

use ruint::aliases::U256;

use super::digits::{div_2_by_1, join, leading_zeros, mul_64, shl_into, shr_into, split};

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
    let (d1, d0) = split(divisor);
    let (n1, n0) = split(low);
    if d1 == 0 {
        // One digit, and high < divisor: the dividend has three.
        let (quotient, rest) = div_3_digits_by_1(high as u64, n1, n0, d0);
        return Some((quotient, rest as u128));
    }
    let (n3, n2) = split(high);
    let shift = leading_zeros(d1);
    let divisor = join(shl_into(d1, d0, shift), d0.wrapping_shl(shift));
    // high < divisor: nothing is shifted out at the top.
    let (n3, n2) = (shl_into(n3, n2, shift), shl_into(n2, n1, shift));
    let n1 = shl_into(n1, n0, shift);
    // A quotient of one digit, as every amount of tokens is one, takes one step.
    let (q1, rest) = if n3 == 0 && join(n2, n1) < divisor {
        (0, join(n2, n1))
    } else {
        div_3_by_2(join(n3, n2), n1, divisor)
    };
    let (q0, rest) = div_3_by_2(rest, n0.wrapping_shl(shift), divisor);
    let (r1, r0) = split(rest);
    Some((
        join(q1, q0),
        join(r1.wrapping_shr(shift), shr_into(r1, r0, shift)),
    ))
}

/// Quotient and remainder of `n / divisor` for any 256-bit numbers; `None` if the divisor is zero.
pub const fn div_rem_256(n: U256, divisor: U256) -> Option<(U256, U256)> {
    let n = *n.as_limbs();
    let d = *divisor.as_limbs();
    let (n_high, n_low) = (join(n[3], n[2]), join(n[1], n[0]));
    if d[3] == 0 && d[2] == 0 {
        let divisor = join(d[1], d[0]);
        let (q_high, rest) = match div_rem_256_by_128(0, n_high, divisor) {
            Some(step) => step,
            None => return None,
        };
        return match div_rem_256_by_128(rest, n_low, divisor) {
            Some((q_low, rest)) => Some((from_halves(q_high, q_low), from_halves(0, rest))),
            None => None,
        };
    }
    let (quotient, rest) = if d[3] == 0 {
        div_4_digits_by_3(n, [d[0], d[1], d[2]])
    } else {
        div_4_digits_by_4(n, d)
    };
    Some((from_halves(0, quotient), U256::from_limbs(rest)))
}

/// `n / d` for 256-bit numbers as `(high, low)` halves: the quotient and whether it is truncated; `None` if the divisor is
/// zero or the quotient exceeds 128 bits.
pub(crate) const fn quotient_of_halves(n: (u128, u128), d: (u128, u128)) -> Option<(u128, bool)> {
    if d.0 == 0 {
        return match div_rem_256_by_128(n.0, n.1, d.1) {
            Some((quotient, rest)) => Some((quotient, rest != 0)),
            None => None,
        };
    }
    // A divisor of 129 bits and more leaves a quotient of less than 128.
    match div_rem_256(from_halves(n.0, n.1), from_halves(d.0, d.1)) {
        Some((quotient, rest)) => {
            let (q, r) = (quotient.as_limbs(), rest.as_limbs());
            Some((join(q[1], q[0]), r[0] | r[1] | r[2] | r[3] != 0))
        }
        None => None,
    }
}

/// `(n2, n1, n0) / divisor` for `n2 < divisor`, or a divisor of zero, which the caller excludes, for which it is zero.
const fn div_3_digits_by_1(n2: u64, n1: u64, n0: u64, divisor: u64) -> (u128, u64) {
    let (q1, rest) = if n2 == 0 {
        match (n1.checked_div(divisor), n1.checked_rem(divisor)) {
            (Some(quotient), Some(rest)) => (quotient, rest),
            _ => return (0, 0),
        }
    } else {
        div_2_digits_by_1(n2, n1, divisor)
    };
    let (q0, rest) = if rest == 0 {
        match (n0.checked_div(divisor), n0.checked_rem(divisor)) {
            (Some(quotient), Some(rest)) => (quotient, rest),
            _ => return (0, 0),
        }
    } else {
        div_2_digits_by_1(rest, n0, divisor)
    };
    (join(q1, q0), rest)
}

/// `(n1, n0) / divisor` for `n1 < divisor`.
const fn div_2_digits_by_1(n1: u64, n0: u64, divisor: u64) -> (u64, u64) {
    let shift = leading_zeros(divisor);
    let (quotient, rest) = div_2_by_1(
        shl_into(n1, n0, shift),
        n0.wrapping_shl(shift),
        divisor.wrapping_shl(shift),
    );
    (quotient, rest.wrapping_shr(shift))
}

/// `n / d` for a divisor of exactly three digits: a quotient of two.
const fn div_4_digits_by_3(n: [u64; 4], d: [u64; 3]) -> (u128, [u64; 4]) {
    let shift = leading_zeros(d[2]);
    let v = [
        d[0].wrapping_shl(shift),
        shl_into(d[1], d[0], shift),
        shl_into(d[2], d[1], shift),
    ];
    let u = [
        n[0].wrapping_shl(shift),
        shl_into(n[1], n[0], shift),
        shl_into(n[2], n[1], shift),
        shl_into(n[3], n[2], shift),
        shl_into(0, n[3], shift),
    ];
    let (q1, rest) = quotient_digit(u[4], [u[1], u[2], u[3]], v);
    let (q0, rest) = quotient_digit(rest[2], [u[0], rest[0], rest[1]], v);
    let rest = [
        shr_into(rest[1], rest[0], shift),
        shr_into(rest[2], rest[1], shift),
        rest[2].wrapping_shr(shift),
        0,
    ];
    (join(q1, q0), rest)
}

/// `n / d` for a divisor of exactly four digits: a quotient of one.
const fn div_4_digits_by_4(n: [u64; 4], d: [u64; 4]) -> (u128, [u64; 4]) {
    let shift = leading_zeros(d[3]);
    let v = [
        d[0].wrapping_shl(shift),
        shl_into(d[1], d[0], shift),
        shl_into(d[2], d[1], shift),
        shl_into(d[3], d[2], shift),
    ];
    let u = [
        n[0].wrapping_shl(shift),
        shl_into(n[1], n[0], shift),
        shl_into(n[2], n[1], shift),
        shl_into(n[3], n[2], shift),
    ];
    let (quotient, rest) = quotient_digit(shl_into(0, n[3], shift), u, v);
    let rest = [
        shr_into(rest[1], rest[0], shift),
        shr_into(rest[2], rest[1], shift),
        shr_into(rest[3], rest[2], shift),
        rest[3].wrapping_shr(shift),
    ];
    (quotient as u128, rest)
}

/// One quotient digit of `(top, u) / v` and the remainder, for a normalised `v` of three or four digits and a quotient that
/// fits one digit. Digits are least significant first.
#[inline]
const fn quotient_digit<const N: usize>(top: u64, u: [u64; N], v: [u64; N]) -> (u64, [u64; N]) {
    // The estimate from the upper digits is exact or one too large.
    let (mut digit, _) = div_3_by_2(join(top, u[N - 1]), u[N - 2], join(v[N - 1], v[N - 2]));
    if digit == 0 {
        return (0, u);
    }
    let mut rest = [0; N];
    let mut borrow = 0;
    let mut i = 0;
    while i < N {
        // A digit times a digit plus a digit fits two.
        let (high, low) = split(mul_64(digit, v[i]).wrapping_add(borrow as u128));
        let (difference, under) = u[i].overflowing_sub(low);
        rest[i] = difference;
        borrow = high.wrapping_add(under as u64);
        i += 1;
    }
    if top < borrow {
        digit = digit.wrapping_sub(1);
        let mut carry = 0;
        let mut i = 0;
        while i < N {
            // Two digits and a bit fit two.
            let sum = (rest[i] as u128)
                .wrapping_add(v[i] as u128)
                .wrapping_add(carry as u128);
            let (high, low) = split(sum);
            rest[i] = low;
            carry = high;
            i += 1;
        }
    }
    (digit, rest)
}

/// Quotient digit and remainder of `(top * 2^64 + next) / divisor` for a normalised two-digit divisor and `top < divisor`.
/// For `top = divisor` the digit is the largest one, as [`quotient_digit`] needs it.
#[inline]
const fn div_3_by_2(top: u128, next: u64, divisor: u128) -> (u64, u128) {
    let (u2, u1) = split(top);
    let (v1, v0) = split(divisor);
    if u2 == 0 {
        let rest = join(u1, next);
        if rest < divisor {
            return (0, rest);
        }
    }
    let (mut digit, mut trial, mut beyond) = if u2 >= v1 {
        // Equal, as top <= divisor.
        let (trial, beyond) = u1.overflowing_add(v1);
        (u64::MAX, trial, beyond)
    } else {
        let (digit, trial) = div_2_by_1(u2, u1, v1);
        (digit, trial, false)
    };
    // At most two corrections: the estimate from the divisor's top digit is never too small.
    let mut part = mul_64(digit, v0);
    while !beyond && part > join(trial, next) {
        digit = digit.wrapping_sub(1);
        part = part.wrapping_sub(v0 as u128);
        (trial, beyond) = trial.overflowing_add(v1);
    }
    // The true remainder is below the divisor, so arithmetic modulo 2^128 yields it.
    (digit, join(trial, next).wrapping_sub(part))
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

    #[test]
    fn every_digit_of_a_rest_is_one() {
        let divisor = (1u128 << 127, 0u128);
        for digits in 0..16u64 {
            let digit = |n: u64| 5 * (digits >> n & 1);
            let rest = (join(digit(3), digit(2)), join(digit(1), digit(0)));
            let n = (divisor.0 | rest.0, rest.1);
            assert_eq!(quotient_of_halves(n, divisor), Some((1, digits != 0)));
        }
    }
}
