//! How wide the band is in which nothing is traded, by what trading costs.

use rust_decimal::Decimal;

/// Half of the band that proportional costs pay for (Whalley and Wilmott): `(3/2 · c · S · Γ² / λ)^⅓`, with the cost `c` as a share
/// of the notional, the price `S`, the book's gamma `Γ` in base tokens per dollar, and risk aversion `λ` per dollar.
#[must_use]
pub fn band_by_cost(
    cost_share: Decimal,
    price: Decimal,
    gamma: Decimal,
    risk_aversion: Decimal,
) -> Option<Decimal> {
    if risk_aversion <= Decimal::ZERO || cost_share < Decimal::ZERO || price <= Decimal::ZERO {
        return None;
    }
    let cube = Decimal::new(15, 1)
        .checked_mul(cost_share)?
        .checked_mul(price)?
        .checked_mul(gamma.checked_mul(gamma)?)?
        .checked_div(risk_aversion)?;
    cube_root(cube)
}

/// The cube root of what is not negative, by Newton's steps from above; they fall until they are as near as decimals are.
fn cube_root(cube: Decimal) -> Option<Decimal> {
    if cube.is_zero() {
        return Some(cube);
    }
    let three = Decimal::from(3);
    let mut root = cube.max(Decimal::ONE);
    loop {
        let twice = root.checked_add(root)?;
        let next = twice
            .checked_add(cube.checked_div(root)?.checked_div(root)?)?
            .checked_div(three)?;
        if next >= root {
            return Some(root);
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_band_grows_with_cost_and_gamma() {
        let band = band_by_cost(dec("0.0005"), dec("200"), dec("0.5"), dec("0.01")).unwrap();
        // (1.5 · 0.0005 · 200 · 0.25 / 0.01)^⅓ = 3.75^⅓
        assert!((band - dec("1.5536")).abs() < dec("0.0001"), "{band}");
        for root in ["0.001", "0.7", "1", "31.5", "12345.678"] {
            let root = dec(root);
            assert!(
                (cube_root(root * root * root).unwrap() - root).abs() < dec("0.000000001"),
                "{root}"
            );
        }
        assert_eq!(
            band_by_cost(Decimal::ZERO, dec("200"), dec("0.5"), dec("0.01")),
            Some(Decimal::ZERO)
        );
        assert_eq!(
            band_by_cost(dec("0.0005"), dec("200"), dec("0.5"), Decimal::ZERO),
            None
        );
    }
}
