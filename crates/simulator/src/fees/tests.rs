//! What makes no sense, and what arbitrageurs keep.

use super::*;
use crate::{OtherPool, RoutingShift};

/// ARB / LVR in percent at sigma 5 % a day, of MATH section 6.
#[test]
fn what_arbitrageurs_keep() {
    let kept = |blocks: Blocks, bp: f64| blocks.arbitrage_part(bp / 1e4, 0.05) * 100.0;
    for (bp, percent) in [
        (1.0, 80.6),
        (5.0, 45.5),
        (10.0, 29.4),
        (30.0, 12.2),
        (100.0, 4.0),
    ] {
        assert!(
            (kept(Blocks::Poisson(12.0), bp) - percent).abs() < 0.06,
            "{bp}"
        );
    }
    for (bp, percent) in [(1.0, 77.4), (5.0, 40.7), (30.0, 10.3)] {
        assert!(
            (kept(Blocks::Fixed(12.0), bp) - percent).abs() < 0.06,
            "{bp}"
        );
    }
    for (bp, percent) in [
        (1.0, 38.5),
        (4.0, 13.5),
        (5.0, 11.1),
        (10.0, 5.9),
        (30.0, 2.0),
    ] {
        assert!(
            (kept(Blocks::Fixed(0.4), bp) - percent).abs() < 0.06,
            "{bp}"
        );
    }
    assert_eq!(Blocks::Fixed(0.4).arbitrage_part(0.0004, 0.0), 0.0);
    assert_eq!(Blocks::Poisson(12.0).arbitrage_part(0.0, 0.05), 1.0);
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    let good = FeeTerms {
        fee: 0.0004,
        protocol_share: 0.13,
        arbitrage: Arbitrage::EveryLook,
        takers: Takers::default(),
    };
    let takers = |takers| FeeTerms { takers, ..good };
    assert!(good.check().is_ok());
    for (bad, said) in [
        (
            FeeTerms { fee: 1.0, ..good },
            "fee 0 short of 1: must be below 1",
        ),
        (FeeTerms { fee: -0.1, ..good }, "fee -0.1 must be 0 or more"),
        (
            FeeTerms {
                protocol_share: f64::NAN,
                ..good
            },
            "protocol share NaN must be 0 or more",
        ),
        (
            FeeTerms {
                arbitrage: Arbitrage::Formula(Blocks::Poisson(0.0)),
                ..good
            },
            "block time 0 must be greater than 0",
        ),
        (
            takers(Takers {
                volume_day: f64::INFINITY,
                ..Takers::default()
            }),
            "taker volume inf must be 0 or more",
        ),
        (
            takers(Takers {
                shift: Some(RoutingShift {
                    after_days: 1.0,
                    part: 1.5,
                }),
                ..Takers::default()
            }),
            "part that leaves -0.5 short of 1: must be at most 1",
        ),
        (
            takers(Takers {
                other_pool: Some(OtherPool {
                    fee: 0.01,
                    liquidity: 1.0,
                    trade_size: 0.0,
                }),
                ..Takers::default()
            }),
            "trade size 0 must be greater than 0",
        ),
    ] {
        assert_eq!(bad.check().unwrap_err().to_string(), said);
    }
}
