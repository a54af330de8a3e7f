//! Numbers as they are shown.

use ballast_model::{
    SqrtPrice,
    screen::{Double, Real},
};

/// Raw units of a token in whole tokens, exactly, with all decimals.
pub fn amount(raw: u64, decimals: u8) -> String {
    signed_amount(raw.into(), decimals)
}

/// As [`amount`], signed.
pub fn signed_amount(raw: i128, decimals: u8) -> String {
    let sign = if raw < 0 { "-" } else { "" };
    let digits = raw.unsigned_abs().to_string();
    let decimals = usize::from(decimals);
    if decimals == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    format!("{sign}{whole}.{fraction}")
}

/// A square-root price as a price in whole tokens, with 31 digits.
pub fn price(sqrt_price: SqrtPrice, base_decimals: u8, quote_decimals: u8) -> Double {
    let root = Double::from_u128(sqrt_price.x64()) / Double::from_u128(1 << 64);
    let shift = i32::from(base_decimals) - i32::from(quote_decimals);
    let factor = (0..shift.unsigned_abs()).fold(Double::ONE, |power, _| power * Double::new(10.0));
    let price = root * root;
    if shift >= 0 {
        price * factor
    } else {
        price / factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_unit() {
        assert_eq!(amount(0, 9), "0.000000000");
        assert_eq!(amount(731_475_723, 9), "0.731475723");
        assert_eq!(amount(u64::MAX, 6), "18446744073709.551615");
        assert_eq!(amount(5, 0), "5");
        assert_eq!(signed_amount(-1_500_000, 6), "-1.500000");
        assert_eq!(signed_amount(i128::MIN, 0), i128::MIN.to_string());
    }

    #[test]
    fn a_price_is_in_whole_tokens() {
        let one = SqrtPrice::ONE;
        let of = |base, quote| price(one, base, quote).to_f64();
        assert_eq!((of(6, 6), of(9, 6), of(6, 9)), (1.0, 1_000.0, 0.001));
    }
}
