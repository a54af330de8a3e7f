use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn raw_units_are_exact_or_refused() {
    for (text, decimals, raw) in [
        ("0", 9, 0),
        ("1", 9, 1_000_000_000),
        ("0.731475723", 9, 731_475_723),
        ("+.5", 6, 500_000),
        ("5.", 0, 5),
        ("1.50e2", 6, 150_000_000),
        ("100e-2", 0, 1),
        ("1.000000000000", 6, 1_000_000),
        ("18446744073709551615", 0, u64::MAX),
        ("18446744073.709551615", 9, u64::MAX),
        ("0e-99999", 9, 0),
        ("-0", 9, 0),
    ] {
        assert_eq!(number(text).raw(decimals), Ok(raw), "{text}");
    }
    assert_eq!(
        number("0.0000001").raw(6).unwrap_err().to_string(),
        "`0.0000001` has more decimals than the token's 6: write at most 6"
    );
    assert_eq!(number("0.0000001").raw_down(6), Ok((0, false)));
    assert_eq!(number("1e-40").raw_down(6), Ok((0, false)));
    for text in ["18446744073709551616", "1e20", "1e45"] {
        assert!(
            matches!(number(text).raw(0), Err(NumberError::TooMuch { .. })),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "",
        ".",
        "-",
        "abc",
        "1,5",
        "0,500",
        ",500",
        "1,",
        "1,50",
        "1500,000",
        "1,500,00",
        "1.500,000",
        "1.2.3",
        "0x1",
        " 1",
        "1 ",
        "1e",
        "1e1.5",
        "NaN",
        "inf",
        "--1",
        "1e+-1",
    ] {
        assert_eq!(
            text.parse::<Decimal>(),
            Err(NumberError::Malformed(text.into())),
            "{text:?}"
        );
    }
    for (text, how) in [
        ("abc", "like 1.25 or 1.25e3"),
        (
            "1,5",
            "with a decimal point, and commas at most between groups of three digits, like 1.25 or 1,500",
        ),
        (
            "1 500",
            "with a decimal point, and commas at most between groups of three digits, like 1.25 or 1,500",
        ),
    ] {
        let error = text.parse::<Decimal>().unwrap_err().to_string();
        let expected = format!("`{text}` is not a decimal number: write it {how}");
        assert_eq!(error, expected);
    }
    for (text, plain) in [
        ("1,500", "1500"),
        ("1,234,567.25", "1234567.25"),
        ("+12,000", "12000"),
    ] {
        let raw = |text: &str| number(text).raw(6);
        assert_eq!(raw(text), raw(plain), "{text}");
    }
    for text in ["-1", "-0.5", "-1e3"] {
        assert_eq!(
            text.parse::<Decimal>(),
            Err(NumberError::Negative(text.into()))
        );
    }
    for text in [
        "1e46",
        "1e-46",
        &"1".repeat(39),
        "1e99999999999",
        "0.1e-2147483648",
    ] {
        assert_eq!(
            text.parse::<Decimal>(),
            Err(NumberError::OutOfRange(text.into()))
        );
    }
}

#[test]
fn prices_are_the_floor_of_the_root() {
    // sqrt(200 * 10^-3) * 2^64, computed with 50 digits: 8249634742471189717.5...
    assert_eq!(
        number("200").sqrt_price_down(9, 6).unwrap().x64(),
        8_249_634_742_471_189_717
    );
    assert_eq!(number("1").sqrt_price_down(6, 6), Ok(SqrtPrice::ONE));
    for text in ["0", "1e-30", "1e30"] {
        let error = number(text).sqrt_price_down(9, 6).unwrap_err();
        assert!(error.to_string().contains("range of a pool"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "[-+0-9.eE%]{0,50}", decimals: u8) {
        if let Ok(number) = text.parse::<Decimal>() {
            let _ = (number.raw(decimals), number.bps_down(), number.sqrt_price_down(decimals, 6));
            prop_assert!(number.double().to_f64().is_finite());
        }
        let _ = (text.parse::<Ratio>(), text.parse::<Positive>());
    }

    #[test]
    fn roots_square_back(mantissa in 1u64.., exponent in -25i32..5) {
        let number = number(&format!("{mantissa}e{exponent}"));
        if let Ok(root) = number.sqrt_price_down(9, 6) {
            let root = root.x64() as f64 / 2f64.powi(64);
            let exact = mantissa as f64 * 10f64.powi(exponent - 3);
            // At the lower end of prices a root has 32 bits.
            prop_assert!((root * root / exact - 1.0).abs() < 1e-9);
        }
    }
}
