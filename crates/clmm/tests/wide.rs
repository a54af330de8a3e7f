//! Wide arithmetic against ruint's, with inputs chosen for the corner cases of long division.

mod common;

use ballast_clmm::wide::{self, U256};
use common::{Rng, cases};
use ruint::aliases::U512;

fn big(x: u128) -> U512 {
    U512::from(x)
}

/// What the functions promise: the quotient if it fits 128 bits and the divisor is not zero.
fn expected(n: U512, d: U512, up: bool) -> Option<u128> {
    if d.is_zero() {
        return None;
    }
    let (q, r) = n.div_rem(d);
    u128::try_from(if up && !r.is_zero() {
        q + U512::from(1)
    } else {
        q
    })
    .ok()
}

#[test]
fn mul_div_is_exact() {
    let mut rng = Rng::new(10);
    let (mut fit, mut wide_products) = (0u64, 0u64);
    for _ in 0..cases(3_000_000) {
        let (a, b, c) = (rng.wide(128), rng.wide(128), rng.wide(128));
        let n = big(a) * big(b);
        let down = expected(n, big(c), false);
        assert_eq!(wide::mul_div_down(a, b, c), down, "{a} * {b} / {c}");
        assert_eq!(
            wide::mul_div_up(a, b, c),
            expected(n, big(c), true),
            "{a} * {b} / {c}"
        );
        fit += u64::from(down.is_some());
        wide_products += u64::from(down.is_some() && a.checked_mul(b).is_none());
    }
    // The inputs must exercise the long division, not just the exits.
    assert!(
        fit > cases(500_000) && wide_products > cases(200_000),
        "{fit} {wide_products}"
    );
}

#[test]
fn mul_div_at_the_edge_of_128_bits() {
    let mut rng = Rng::new(11);
    for _ in 0..cases(1_000_000) {
        // c chosen around a * b / 2^128, where the quotient just fits or just does not.
        let (a, b) = (rng.wide(128), rng.wide(128));
        let edge = u128::try_from((big(a) * big(b)) >> 128).unwrap();
        for c in [edge.saturating_sub(1), edge, edge.saturating_add(1)] {
            let n = big(a) * big(b);
            assert_eq!(
                wide::mul_div_down(a, b, c),
                expected(n, big(c), false),
                "{a} * {b} / {c}"
            );
            assert_eq!(
                wide::mul_div_up(a, b, c),
                expected(n, big(c), true),
                "{a} * {b} / {c}"
            );
        }
    }
}

#[test]
fn shifts_are_exact() {
    let mut rng = Rng::new(12);
    let q64 = big(1 << 64);
    for _ in 0..cases(2_000_000) {
        let (a, b) = (rng.wide(128), rng.wide(128));
        let product = big(a) * big(b);
        assert_eq!(
            wide::mul_shr64_down(a, b),
            expected(product, q64, false),
            "{a} * {b}"
        );
        assert_eq!(
            wide::mul_shr64_up(a, b),
            expected(product, q64, true),
            "{a} * {b}"
        );
        let shifted = big(a) << 64;
        assert_eq!(
            wide::shl64_div_down(a, b),
            expected(shifted, big(b), false),
            "{a} / {b}"
        );
        assert_eq!(
            wide::shl64_div_up(a, b),
            expected(shifted, big(b), true),
            "{a} / {b}"
        );
        assert_eq!(U512::from(wide::mul_full(a, b)), product, "{a} * {b}");
    }
}

#[test]
fn values_are_exact() {
    let mut rng = Rng::new(13);
    let q128 = big(1) << 128;
    for _ in 0..cases(2_000_000) {
        let (a, root) = (rng.wide(128), rng.wide(128));
        let product = big(a) * big(root) * big(root);
        let (down, up) = (
            expected(product, q128, false),
            expected(product, q128, true),
        );
        assert_eq!(
            wide::mul_square_shr128_down(a, root),
            down,
            "{a} * {root}^2"
        );
        assert_eq!(wide::mul_square_shr128_up(a, root), up, "{a} * {root}^2");
    }
}

fn wide_256(rng: &mut Rng) -> U256 {
    let low = rng.wide(128);
    let high = if rng.below(4) == 0 { 0 } else { rng.wide(128) };
    U256::from(high) << 128 | U256::from(low)
}

#[test]
fn long_division_is_exact() {
    let mut rng = Rng::new(14);
    for _ in 0..cases(3_000_000) {
        let (n, d) = (wide_256(&mut rng), wide_256(&mut rng));
        if d.is_zero() {
            assert_eq!(wide::div_rem_256(n, d), None);
        } else {
            assert_eq!(wide::div_rem_256(n, d), Some(n.div_rem(d)), "{n} / {d}");
        }
    }
}

#[test]
fn long_division_next_to_multiples() {
    let mut rng = Rng::new(15);
    for _ in 0..cases(2_000_000) {
        let d = wide_256(&mut rng).max(U256::from(2));
        let q = wide_256(&mut rng);
        let Some(multiple) = q.checked_mul(d) else {
            continue;
        };
        // A multiple, one below and one above: where a trial quotient that is one off shows.
        assert_eq!(wide::div_rem_256(multiple, d), Some((q, U256::ZERO)));
        if let Some(below) = multiple.checked_sub(U256::from(1)) {
            let expected = (q - U256::from(1), d - U256::from(1));
            assert_eq!(wide::div_rem_256(below, d), Some(expected), "{below} / {d}");
        }
        if let Some(above) = multiple.checked_add(d - U256::from(1)) {
            assert_eq!(wide::div_rem_256(above, d), Some((q, d - U256::from(1))));
        }
    }
}

fn assert_root(n: U256) {
    let root = wide::isqrt_down(n);
    let (n, root) = (U512::from(n), big(root));
    let next = root + U512::from(1);
    assert!(root * root <= n && n < next * next, "root of {n}: {root}");
}

#[test]
fn roots_are_exact() {
    let mut rng = Rng::new(16);
    for _ in 0..cases(3_000_000) {
        assert_root(wide_256(&mut rng));
    }
}

#[test]
fn roots_next_to_squares() {
    let mut rng = Rng::new(17);
    for _ in 0..cases(2_000_000) {
        let root = rng.wide(128).max(1);
        let square = wide::mul_full(root, root);
        assert_eq!(wide::isqrt_down(square), root);
        assert_eq!(wide::isqrt_down(square - U256::from(1)), root - 1);
        // (root + 1)^2 - 1
        if let Some(below_next) = square.checked_add(U256::from(root) * U256::from(2)) {
            assert_eq!(wide::isqrt_down(below_next), root);
        }
    }
    for n in [U256::ZERO, U256::from(1), U256::MAX] {
        assert_root(n);
    }
}
