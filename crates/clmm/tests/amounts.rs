//! Amounts and liquidity against Orca's core, and against the inequalities that define them.

mod common;

use ballast_clmm::{
    Amounts, Band, ClmmError, Side, SqrtPrice, base_amount_down, base_amount_up, quote_amount_down,
    quote_amount_up,
};
use common::{Rng, cases};
use orca_whirlpools_core as orca;
use ruint::aliases::U512;

fn big(x: u128) -> U512 {
    U512::from(x)
}

fn bands(rng: &mut Rng) -> Band {
    loop {
        let a = rng.price();
        let b = if rng.flag() {
            rng.price()
        } else {
            rng.price_near(a)
        };
        if let Ok(band) = Band::from_sqrt_prices(a.min(b), a.max(b)) {
            return band;
        }
    }
}

/// A price below, in, above or at the ends of a band.
fn price_about(rng: &mut Rng, band: &Band) -> SqrtPrice {
    let (lo, hi) = (band.sqrt_lower(), band.sqrt_upper());
    match rng.below(8) {
        0 => lo,
        1 => hi,
        2 => rng.price(),
        3 => rng.price_near(lo),
        4 => rng.price_near(hi),
        _ => {
            let width = hi.x64() - lo.x64();
            SqrtPrice::new(lo.x64() + rng.u128() % width).unwrap()
        }
    }
}

fn as_orca(result: Result<u64, ClmmError>) -> Result<u64, &'static str> {
    result.map_err(|error| match error {
        ClmmError::AmountTooLarge => orca::AMOUNT_EXCEEDS_MAX_U64,
        other => panic!("unexpected {other}"),
    })
}

#[test]
fn amounts_are_orcas() {
    let mut rng = Rng::new(20);
    let mut fit = 0u64;
    for _ in 0..cases(2_000_000) {
        let (a, b) = (rng.price(), rng.price());
        let b = if rng.flag() { rng.price_near(a) } else { b };
        let liquidity = rng.wide(128);
        let (x, y) = (a.x64(), b.x64());
        let context = (liquidity, x, y);

        let quote = quote_amount_down(liquidity, a, b);
        assert_eq!(
            as_orca(quote),
            orca::try_get_amount_delta_b(x, y, liquidity, false),
            "{context:?}"
        );
        assert_eq!(
            as_orca(quote_amount_up(liquidity, a, b)),
            orca::try_get_amount_delta_b(x, y, liquidity, true),
            "{context:?}"
        );

        // Orca's core shifts the product's top bits away silently; the program refuses, and so do we.
        if (big(liquidity) * big(x.abs_diff(y))) >> 192 != U512::ZERO {
            assert_eq!(
                base_amount_down(liquidity, a, b),
                Err(ClmmError::LiquidityTooLarge)
            );
            assert_eq!(
                base_amount_up(liquidity, a, b),
                Err(ClmmError::LiquidityTooLarge)
            );
            continue;
        }
        let base = base_amount_down(liquidity, a, b);
        assert_eq!(
            as_orca(base),
            orca::try_get_amount_delta_a(x, y, liquidity, false),
            "{context:?}"
        );
        assert_eq!(
            as_orca(base_amount_up(liquidity, a, b)),
            orca::try_get_amount_delta_a(x, y, liquidity, true),
            "{context:?}"
        );
        fit += u64::from(base.is_ok() && quote.is_ok());
    }
    assert!(fit > cases(200_000), "only {fit} cases within 64 bits");
}

#[test]
fn amounts_satisfy_their_definition() {
    let mut rng = Rng::new(21);
    for _ in 0..cases(1_000_000) {
        let (a, b) = (rng.price(), rng.price());
        let b = if rng.flag() { rng.price_near(a) } else { b };
        let liquidity = rng.wide(112);
        let difference = big(liquidity) * big(a.x64().abs_diff(b.x64()));
        for (n, d, down, up) in [
            (
                difference << 64,
                big(a.x64()) * big(b.x64()),
                base_amount_down(liquidity, a, b),
                base_amount_up(liquidity, a, b),
            ),
            (
                difference,
                big(1 << 64),
                quote_amount_down(liquidity, a, b),
                quote_amount_up(liquidity, a, b),
            ),
        ] {
            let (q, r) = n.div_rem(d);
            let exact_down = u64::try_from(q).ok();
            let exact_up = u64::try_from(if r.is_zero() { q } else { q + big(1) }).ok();
            assert_eq!(down.ok(), exact_down, "{liquidity} {a} {b}");
            assert_eq!(up.ok(), exact_up, "{liquidity} {a} {b}");
        }
    }
}

#[test]
fn amounts_at_the_edge_of_64_bits() {
    let mut rng = Rng::new(22);
    let (mut largest, mut refused) = (0u64, 0u64);
    for _ in 0..cases(500_000) {
        let band = bands(&mut rng);
        let (lo, hi) = (band.sqrt_lower(), band.sqrt_upper());
        // Liquidity just about worth 2^64 of one token.
        for side in [Side::Base, Side::Quote] {
            let Ok(liquidity) = (match side {
                Side::Base => band.liquidity_for_base_down(u64::MAX, lo),
                Side::Quote => band.liquidity_for_quote_down(u64::MAX, hi),
            }) else {
                continue;
            };
            let (x, y) = (lo.x64(), hi.x64());
            for liquidity in [
                liquidity,
                liquidity.saturating_add(1),
                liquidity.saturating_add(2),
            ] {
                if (big(liquidity) * big(y - x)) >> 192 != U512::ZERO {
                    continue;
                }
                let (ours, theirs) = match side {
                    Side::Base => (
                        base_amount_up(liquidity, lo, hi),
                        orca::try_get_amount_delta_a(x, y, liquidity, true),
                    ),
                    Side::Quote => (
                        quote_amount_up(liquidity, lo, hi),
                        orca::try_get_amount_delta_b(x, y, liquidity, true),
                    ),
                };
                largest += u64::from(ours == Ok(u64::MAX));
                refused += u64::from(ours.is_err());
                assert_eq!(as_orca(ours), theirs, "{side} {liquidity} {x} {y}");
            }
        }
    }
    assert!(
        largest > cases(50_000) && refused > cases(50_000),
        "{largest} {refused}"
    );
}

#[test]
fn positions_hold_what_orca_quotes() {
    let mut rng = Rng::new(23);
    let mut compared = 0u64;
    for _ in 0..cases(300_000) {
        let (a, b) = (rng.tick(), rng.tick());
        let Ok(band) = Band::new(a.min(b), a.max(b)) else {
            assert_eq!(a, b);
            continue;
        };
        let at = price_about(&mut rng, &band);
        let liquidity = rng.wide(90);
        let down =
            orca::decrease_liquidity_quote(liquidity, 0, at.x64(), a.get(), b.get(), None, None);
        let up =
            orca::increase_liquidity_quote(liquidity, 0, at.x64(), a.get(), b.get(), None, None);
        let down = down
            .map(|q| Amounts::new(q.token_est_a, q.token_est_b))
            .ok();
        let up = up.map(|q| Amounts::new(q.token_est_a, q.token_est_b)).ok();
        assert_eq!(
            band.amounts_down(liquidity, at).ok(),
            down,
            "{liquidity} {band:?} {at}"
        );
        assert_eq!(
            band.amounts_up(liquidity, at).ok(),
            up,
            "{liquidity} {band:?} {at}"
        );
        compared += u64::from(up.is_some());
    }
    assert!(
        compared > cases(100_000),
        "only {compared} cases within 64 bits"
    );
}

#[test]
fn liquidity_is_what_orca_quotes() {
    let mut rng = Rng::new(24);
    for _ in 0..cases(300_000) {
        let (a, b) = (rng.tick(), rng.tick());
        let Ok(band) = Band::new(a.min(b), a.max(b)) else {
            continue;
        };
        let at = price_about(&mut rng, &band);
        let amount = rng.amount();
        if let (Ok(liquidity), Ok(quote)) = (
            band.liquidity_for_base_down(amount, at),
            orca::increase_liquidity_quote_a(amount, 0, at.x64(), a.get(), b.get(), None, None),
        ) {
            assert_eq!(
                liquidity, quote.liquidity_delta,
                "base {amount} {band:?} {at}"
            );
        }
        if let (Ok(liquidity), Ok(quote)) = (
            band.liquidity_for_quote_down(amount, at),
            orca::increase_liquidity_quote_b(amount, 0, at.x64(), a.get(), b.get(), None, None),
        ) {
            assert_eq!(
                liquidity, quote.liquidity_delta,
                "quote {amount} {band:?} {at}"
            );
        }
    }
}

/// Whether the amount of one side exists and is within a limit.
fn at_most(amounts: Result<Amounts, ClmmError>, side: Side, limit: u64) -> bool {
    amounts.is_ok_and(|amounts| amounts.get(side) <= limit)
}

#[test]
fn liquidity_is_the_largest_and_the_smallest_that_fits() {
    let mut rng = Rng::new(25);
    let mut solved = 0u64;
    for _ in 0..cases(1_000_000) {
        let band = bands(&mut rng);
        let at = price_about(&mut rng, &band);
        let amount = rng.amount();
        for side in [Side::Base, Side::Quote] {
            let (down, up) = match side {
                Side::Base => (
                    band.liquidity_for_base_down(amount, at),
                    band.liquidity_for_base_up(amount, at),
                ),
                Side::Quote => (
                    band.liquidity_for_quote_down(amount, at),
                    band.liquidity_for_quote_up(amount, at),
                ),
            };
            let unused = match side {
                Side::Base => at >= band.sqrt_upper(),
                Side::Quote => at <= band.sqrt_lower(),
            };
            assert_eq!(down == Err(ClmmError::SideUnused(side)), unused);
            assert_eq!(up == Err(ClmmError::SideUnused(side)), unused);
            // Compare one side alone: the other one may exceed 64 bits.
            let part = |l: u128, round_up: bool| {
                let q = band.clamp(at);
                match (side, round_up) {
                    (Side::Base, true) => base_amount_up(l, q, band.sqrt_upper()),
                    (Side::Base, false) => base_amount_down(l, q, band.sqrt_upper()),
                    (Side::Quote, true) => quote_amount_up(l, band.sqrt_lower(), q),
                    (Side::Quote, false) => quote_amount_down(l, band.sqrt_lower(), q),
                }
            };
            let context = format!("{side} {amount} {band:?} {at}");
            if let Ok(liquidity) = down {
                assert!(
                    part(liquidity, true).is_ok_and(|x| x <= amount),
                    "{context}"
                );
                if let Some(more) = liquidity.checked_add(1) {
                    assert!(!part(more, true).is_ok_and(|x| x <= amount), "{context}");
                }
                solved += 1;
            }
            if let Ok(liquidity) = up {
                // One unit of liquidity over a wide band may already be worth more than 64 bits.
                let held = part(liquidity, false);
                let enough = held.map_or_else(|e| e == ClmmError::AmountTooLarge, |x| x >= amount);
                assert!(enough, "{context}");
                if let Some(less) = liquidity.checked_sub(1) {
                    assert!(part(less, false).is_ok_and(|x| x < amount), "{context}");
                }
            }
        }
    }
    assert!(solved > cases(500_000), "only {solved} solved");
}

#[test]
fn liquidity_for_both_tokens_spends_no_more_than_given() {
    let mut rng = Rng::new(26);
    for _ in 0..cases(1_000_000) {
        let band = bands(&mut rng);
        let at = price_about(&mut rng, &band);
        let amounts = Amounts::new(rng.amount(), rng.amount());
        let Ok(liquidity) = band.liquidity_for_amounts_down(amounts, at) else {
            continue;
        };
        let spent = band.amounts_up(liquidity, at).unwrap();
        assert!(
            amounts.checked_sub(spent).is_ok(),
            "{amounts:?} {band:?} {at}"
        );
        if let Some(more) = liquidity.checked_add(1) {
            let spent = band.amounts_up(more, at);
            let fits = [Side::Base, Side::Quote]
                .into_iter()
                .all(|side| at_most(spent, side, amounts.get(side)));
            assert!(!fits, "{amounts:?} {band:?} {at}");
        }
    }
}

#[test]
fn a_split_band_holds_the_same() {
    let mut rng = Rng::new(27);
    for _ in 0..cases(500_000) {
        let band = bands(&mut rng);
        let at = band.clamp(price_about(&mut rng, &band));
        let (lo, hi) = (band.sqrt_lower(), band.sqrt_upper());
        let liquidity = rng.wide(90);
        for amount in [base_amount_down, quote_amount_down] {
            if let (Ok(whole), Ok(below), Ok(above)) = (
                amount(liquidity, lo, hi),
                amount(liquidity, lo, at),
                amount(liquidity, at, hi),
            ) {
                let parts = u128::from(below) + u128::from(above);
                let whole = u128::from(whole);
                // Two truncations instead of one lose at most one unit.
                assert!(
                    parts <= whole && whole <= parts + 1,
                    "{liquidity} {band:?} {at}"
                );
            }
        }
    }
}
