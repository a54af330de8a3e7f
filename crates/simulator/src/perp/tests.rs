use super::{venue::tests::flip, *};

const SHORT: PerpAccount = PerpAccount {
    size: -10.0,
    margin: 1_000_000_000,
    maintenance: 0.05,
    follows: None,
};

#[test]
fn a_short_gains_when_the_price_falls_and_pays_when_funding_is_negative() {
    let mut perp = Perp::new(&flip(), SHORT, 200.0, 1e6);
    perp.step(3_600, 190.0, 0.0);
    assert_eq!(perp.flows.price, 100_000_000);
    // The rate at the end of the hour: 10 * 190 * 0.205 %.
    assert_eq!(perp.flows.funding, -3_895_000);
    let total = perp.flows.price + perp.flows.funding - perp.flows.fees;
    assert_eq!(perp.account.margin, SHORT.margin + total);
}

#[test]
fn basis_moves_the_mark() {
    let shock = PerpShock {
        basis: vec![[0.0, 0.0], [100.0, -0.02]],
        funding_hour: 0.0,
        ..PerpShock::default()
    };
    let mut perp = Perp::new(&shock, SHORT, 200.0, 1e6);
    perp.step(100, 200.0, 0.0);
    assert_eq!(perp.flows.price, 40_000_000);
}

#[test]
fn others_who_cannot_pay_take_the_short_away_and_it_is_ordered_anew() {
    let shock = PerpShock {
        auto_deleveraging: vec![PartAt {
            at_secs: 10,
            part: 0.6,
        }],
        fill_latency_secs: 4,
        funding_hour: 0.0,
        ..PerpShock::default()
    };
    let account = PerpAccount {
        follows: Some(0.1),
        ..SHORT
    };
    let mut perp = Perp::new(&shock, account, 200.0, 1e6);
    perp.step(9, 200.0, 10.0);
    assert_eq!(perp.account.size, -10.0);
    perp.step(10, 200.0, 10.0);
    assert!((perp.account.size + 4.0).abs() < 1e-12);
    perp.step(13, 200.0, 10.0);
    assert!((perp.account.size + 4.0).abs() < 1e-12);
    perp.step(14, 200.0, 10.0);
    assert!((perp.account.size + 10.0).abs() < 1e-12);
    assert!((perp.flows.auto_deleveraged - 6.0).abs() < 1e-12);
    assert_eq!(perp.flows.fees, 540_000);
}

#[test]
fn without_latency_it_is_filled_at_once() {
    let shock = PerpShock {
        fill_latency_secs: 0,
        funding_hour: 0.0,
        ..PerpShock::default()
    };
    let mut perp = Perp::new(&shock, SHORT, 200.0, 1e6);
    perp.pass(5, 200.0, None);
    perp.act(10.5, Some(0.5));
    assert_eq!(perp.account.size, -10.0);
    perp.act(10.51, Some(0.5));
    assert_eq!(perp.account.size, -10.51);
}

#[test]
fn an_account_is_opened_for_a_delta_as_far_as_its_margin_goes() {
    let terms = PerpTerms {
        venue: PerpShock {
            fee: 0.001,
            ..PerpShock::default()
        },
        margin: 100_000_000,
        maintenance: 0.05,
        band: Bps::new(1_000),
    };
    assert!(terms.check().is_ok());
    let opened = terms.opened(1.0, 200.0, 1e6);
    assert_eq!((opened.account.size, opened.flows.fees), (-1.0, 200_000));
    assert_eq!(opened.account.margin, 99_800_000);
    // 100 pay for 1000 of it: five whole base.
    assert_eq!(terms.opened(7.0, 200.0, 1e6).account.size, -5.0);
    let none = terms.opened(0.0, 200.0, 1e6);
    assert_eq!((none.account.size, none.account.margin), (0.0, 100_000_000));
    // What it would have at another price, and with another size.
    assert_eq!(opened.margin_at((-1.0, 99_800_000), 210.0), 89_800_000);
    assert_eq!(opened.margin_at((2.0, 5), 210.0), 20_000_005);
    for (bad, said) in [
        (
            PerpTerms {
                margin: 0,
                ..terms.clone()
            },
            "margin at the perp venue 0 must be greater than 0",
        ),
        (
            PerpTerms {
                maintenance: 0.0,
                ..terms.clone()
            },
            "maintenance at the perp venue 0 must be greater than 0",
        ),
        (
            PerpTerms {
                maintenance: 1.0,
                ..terms.clone()
            },
            "maintenance at the perp venue 0 short of 1: must be below 1",
        ),
        (
            PerpTerms {
                venue: PerpShock {
                    funding_hour: 0.2,
                    ..PerpShock::default()
                },
                ..terms.clone()
            },
            "funding 0.2 must be from -0.1 to 0.1 an hour",
        ),
    ] {
        assert_eq!(bad.check().unwrap_err().to_string(), said);
    }
}

#[test]
fn without_margin_the_venue_closes_it() {
    let shock = PerpShock {
        funding_hour: 0.0,
        ..PerpShock::default()
    };
    let mut perp = Perp::new(&shock, SHORT, 200.0, 1e6);
    // 1000 put up, 10 a dollar: 5 % of 10 * 287 is 143.5.
    perp.step(5, 285.0, 0.0);
    assert!(!perp.flows.liquidated);
    perp.step(10, 290.0, 0.0);
    assert!(perp.flows.liquidated && perp.account.size == 0.0);
    perp.step(15, 500.0, 0.0);
    assert_eq!(perp.flows.price, -900_000_000);
}
