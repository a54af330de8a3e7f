//! The oracle's price as the program would judge it now: the same rules in the same order as `ballast::oracle`, on
//! values instead of accounts, with faults that say when it is worth trying again.

use ballast::{
    due,
    loss::LossPrices,
    oracle::{
        Demands, Grade, are_certain, newest_is_certain, newest_price, take_note, with_interval,
    },
    state::Market,
};
use ballast_abi::pyth::PriceUpdate;
use ballast_model::{Bps, Side, SqrtPrice, oracle::OracleError};
use ballast_snapshot::MarketSnapshot;
use thiserror::Error;

/// Why a price cannot be used for an action of some grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PriceFault {
    /// Not positive, or with an exponent or average out of range.
    #[error("the {0} price is malformed; wait for the next one")]
    Malformed(Side),
    /// Too old for the grade.
    #[error(
        "the {side} price is {age_secs} s old, {max_age_secs} s are allowed; wait for the next one"
    )]
    Stale {
        /// Which of the two.
        side: Side,
        /// Its age.
        age_secs: i64,
        /// The market's limit.
        max_age_secs: u32,
    },
    /// Published later than the cluster's clock allows.
    #[error("the {0} price lies in the future; wait for the cluster's clock")]
    FromFuture(Side),
    /// Older than one that the market has been shown, by more than its grace.
    #[error(
        "a newer {0} price has been shown to this market; read that account, or wait for the next price"
    )]
    Replayed(Side),
    /// Confidence interval too wide for the grade.
    #[error(
        "the {side} price is uncertain by {confidence_ppm} ppm, {max_bps} bps are allowed; wait until it narrows"
    )]
    TooWide {
        /// Which of the two.
        side: Side,
        /// Confidence over price, rounded up.
        confidence_ppm: u128,
        /// The market's limit.
        max_bps: u32,
    },
    /// Too far from its moving average.
    #[error("the {0} price is too far from its moving average; wait until it settles")]
    Diverged(Side),
    /// No square-root price.
    #[error(transparent)]
    OutOfRange(#[from] OracleError),
}

/// The newest price that the market knows once it has been shown these, as the program does first thing.
pub fn newest(snapshot: &MarketSnapshot, shown: SqrtPrice) -> Option<SqrtPrice> {
    newest_price(&once_shown(snapshot, shown))
}

/// The price at which a liquidation is planned and paid, and the other at which it has to be due, see [`due::liquidation_prices`].
pub fn of_liquidation(snapshot: &MarketSnapshot, used: SqrtPrice) -> [SqrtPrice; 2] {
    let market = once_shown(snapshot, used);
    due::liquidation_prices(used, newest_price(&market), newest_is_certain(&market))
}

/// The prices at which lenders are shown a loss; `None` if the program cannot read these.
pub fn of_loss(snapshot: &MarketSnapshot, used: SqrtPrice) -> Option<LossPrices> {
    let market = once_shown(snapshot, used);
    let (base, quote) = (&snapshot.base_price, &snapshot.quote_price);
    Some(LossPrices {
        used: with_interval(&market, base, quote).ok()?,
        used_is_certain: are_certain(&market, base, quote),
        newest: newest_price(&market).unwrap_or(used),
        newest_is_certain: newest_is_certain(&market),
    })
}

/// The market once it has been shown these prices.
fn once_shown(snapshot: &MarketSnapshot, shown: SqrtPrice) -> Market {
    let mut market = snapshot.market;
    let (base, quote) = (&snapshot.base_price, &snapshot.quote_price);
    take_note(&mut market, base, quote, shown);
    market
}

/// The oracle's price, if the program accepts it at `now_secs` for an action of this grade.
///
/// # Errors
/// [`PriceFault`] for the first rule broken.
pub fn judge(
    snapshot: &MarketSnapshot,
    now_secs: i64,
    grade: Grade,
) -> Result<SqrtPrice, PriceFault> {
    let market = &snapshot.market;
    let demands = Demands::of(&market.oracle_rules, &market.stages, &market.safety, grade);
    let (base, quote) = (&snapshot.base_price, &snapshot.quote_price);
    let [base_shown_secs, quote_shown_secs] = demands.shown_secs(market, base, quote);
    check(&demands, Side::Base, base, base_shown_secs, now_secs)?;
    check(&demands, Side::Quote, quote, quote_shown_secs, now_secs)?;
    Ok(snapshot.oracle_sqrt_price()?)
}

/// Whether the market remembers these prices when they are shown to it, see [`ballast::oracle::show_prices`].
///
/// # Errors
/// [`PriceFault`] for the first rule broken.
pub fn can_be_shown(snapshot: &MarketSnapshot, now_secs: i64) -> Result<(), PriceFault> {
    let market = &snapshot.market;
    let (rules, stages) = (&market.oracle_rules, &market.stages);
    let demands = Demands::of(rules, stages, &market.safety, Grade::Loose);
    for (side, update) in [
        (Side::Base, &snapshot.base_price),
        (Side::Quote, &snapshot.quote_price),
    ] {
        check(&demands, side, update, i64::MIN, now_secs)?;
    }
    Ok(snapshot.oracle_sqrt_price().map(|_| ())?)
}

fn check(
    demands: &Demands,
    side: Side,
    update: &PriceUpdate,
    last_publish_secs: i64,
    now_secs: i64,
) -> Result<(), PriceFault> {
    let positive = |price: i64| {
        u64::try_from(price)
            .ok()
            .filter(|price| *price > 0)
            .ok_or(PriceFault::Malformed(side))
    };
    let price = positive(update.price)?;
    if !(-12..=0).contains(&update.exponent) {
        return Err(PriceFault::Malformed(side));
    }
    let (max_age_secs, max_bps) = (demands.max_age_secs, demands.max_confidence_bps);
    let age_secs = i128::from(now_secs) - i128::from(update.publish_time);
    if age_secs < -i128::from(demands.max_future_secs) {
        return Err(PriceFault::FromFuture(side));
    }
    if age_secs > i128::from(max_age_secs) {
        let age_secs = i64::try_from(age_secs).unwrap_or(i64::MAX);
        return Err(PriceFault::Stale {
            side,
            age_secs,
            max_age_secs,
        });
    }
    if demands.replayed(update.publish_time, last_publish_secs) {
        return Err(PriceFault::Replayed(side));
    }
    let confidence_ppm = (u128::from(update.conf) * 1_000_000).div_ceil(u128::from(price));
    if confidence_ppm > u128::from(max_bps) * 100 {
        return Err(PriceFault::TooWide {
            side,
            confidence_ppm,
            max_bps,
        });
    }
    if let Some(allowed_bps) = demands.max_ema_divergence_bps {
        let average = positive(update.ema_price)?;
        let distance = u128::from(price.abs_diff(average)) * u128::from(Bps::ONE.get());
        if distance > u128::from(average) * u128::from(allowed_bps) {
            return Err(PriceFault::Diverged(side));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, NOW};

    fn judged(
        change: impl FnOnce(&mut MarketSnapshot),
        grade: Grade,
    ) -> Result<SqrtPrice, PriceFault> {
        let mut snapshot = fixtures::snapshot(200);
        change(&mut snapshot);
        judge(&snapshot, NOW, grade)
    }

    #[test]
    fn a_good_price_is_the_square_root() {
        let price = judged(|_| (), Grade::Tight).unwrap();
        // 200 USDC per SOL are 0.2 raw quote per raw base.
        let expected = (0.2f64.sqrt() * 2f64.powi(64)) as u128;
        assert!(price.x64().abs_diff(expected) < 1 << 13, "{price}");
    }

    #[test]
    fn every_rule_fires_at_its_edge_for_each_side_and_grade() {
        use PriceFault::{Diverged, FromFuture, Malformed, Replayed, Stale, TooWide};
        type Change = fn(&mut PriceUpdate);
        type Expected = fn(PriceFault) -> bool;
        let cases: [(Change, Grade, Expected); 11] = [
            (|p| p.price = 0, Grade::Loose, |f| matches!(f, Malformed(_))),
            (
                |p| p.price = -5,
                Grade::Loose,
                |f| matches!(f, Malformed(_)),
            ),
            (
                |p| p.exponent = 1,
                Grade::Loose,
                |f| matches!(f, Malformed(_)),
            ),
            (
                |p| p.exponent = -13,
                Grade::Loose,
                |f| matches!(f, Malformed(_)),
            ),
            (
                |p| p.publish_time = NOW + 6,
                Grade::Tight,
                |f| matches!(f, FromFuture(_)),
            ),
            (
                |p| p.publish_time = NOW + 3_601,
                Grade::Loose,
                |f| matches!(f, FromFuture(_)),
            ),
            (
                |p| p.publish_time = NOW - 31,
                Grade::Tight,
                |f| {
                    matches!(
                        f,
                        Stale {
                            age_secs: 31,
                            max_age_secs: 30,
                            ..
                        }
                    )
                },
            ),
            (
                |p| p.publish_time = NOW - 121,
                Grade::Loose,
                |f| {
                    matches!(
                        f,
                        Stale {
                            max_age_secs: 120,
                            ..
                        }
                    )
                },
            ),
            (
                |p| p.conf = p.price as u64 / 199,
                Grade::Tight,
                |f| matches!(f, TooWide { max_bps: 50, .. }),
            ),
            (
                |p| p.conf = u64::MAX,
                Grade::Loose,
                |f| matches!(f, TooWide { max_bps: 200, .. }),
            ),
            (
                |p| p.ema_price = p.price / 2,
                Grade::Tight,
                |f| matches!(f, Diverged(_)),
            ),
        ];
        for (index, (change, grade, expected)) in cases.into_iter().enumerate() {
            for side in [Side::Base, Side::Quote] {
                let changed = |snapshot: &mut MarketSnapshot| match side {
                    Side::Base => change(&mut snapshot.base_price),
                    Side::Quote => change(&mut snapshot.quote_price),
                };
                let fault = judged(changed, grade).unwrap_err();
                assert!(expected(fault), "case {index}, {side}: {fault}");
            }
        }
        for publish_time in [NOW + 3_600, NOW - 120] {
            judged(
                |snapshot| snapshot.base_price.publish_time = publish_time,
                Grade::Loose,
            )
            .unwrap();
        }
        // Ten seconds of grace, half of it for what adds risk or swaps.
        for (grade, grace_secs) in [
            (Grade::Loose, 10),
            (Grade::Stalled, 10),
            (Grade::Liquidation, 10),
            (Grade::Tight, 5),
            (Grade::Swap, 5),
            (Grade::Final, 5),
            (Grade::Loss, 5),
        ] {
            let shown = |newer_secs, dollars: i64| {
                judged(
                    |s| {
                        let newest = fixtures::sqrt_price_cents(dollars * 100);
                        let market = &mut s.market;
                        market.newest_sqrt_price_x64 = newest.x64().into();
                        market.newest_feed_prices = fixtures::known_prices();
                        market.last_quote_publish_secs = s.quote_price.publish_time + newer_secs;
                    },
                    grade,
                )
            };
            shown(grace_secs, 210).unwrap();
            assert_eq!(shown(grace_secs + 1, 210), Err(Replayed(Side::Quote)));
            // What only reduces risk may be older, as long as the newest price says the same.
            let same = shown(grace_secs + 1, 200);
            let reduces = matches!(grade, Grade::Loose | Grade::Stalled);
            assert_eq!(same.is_ok(), reduces, "{grade:?}");
        }
    }
}
