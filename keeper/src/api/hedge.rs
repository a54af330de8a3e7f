//! What answers say of the hedge at a venue.

use ballast_view::{self as view, text::signed_amount};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use solana_sdk::pubkey::Pubkey;
use tokio::time::Instant;

use crate::hedge::{HedgeNow, now::PerpNow};

/// What was seen longer ago is not known any more, seconds.
const MOST_AGE_SECS: u64 = 120;

/// The perpetual that the market's sums hold, if it was seen lately.
fn shown<'a>(now: &'a HedgeNow, market: &Pubkey, at: Instant) -> Option<&'a PerpNow> {
    let (_, perp) = now.of_market(market)?;
    let age = at.saturating_duration_since(perp.stepped?);
    (perp.counts_for(market) && age.as_secs() <= MOST_AGE_SECS).then_some(perp)
}

/// Whole tokens as raw units, toward zero.
fn raw(amount: Decimal, decimals: u8) -> Option<i128> {
    let scaled = amount.checked_mul(Decimal::from(10u64.checked_pow(decimals.into())?))?;
    scaled
        .round_dp_with_strategy(0, RoundingStrategy::ToZero)
        .to_i128()
}

/// Base held for a market, raw; `None`: there is none, or it is not known.
pub(super) fn held(now: &HedgeNow, market: &Pubkey, decimals: u8, at: Instant) -> Option<i128> {
    raw(shown(now, market, at)?.position?, decimals)
}

/// What it has earned. Rounded parts add up to the rounded sum, because the sum is made of them.
pub(super) fn pnl(
    now: &HedgeNow,
    market: &Pubkey,
    decimals: u8,
    at: Instant,
) -> Option<view::HedgePnl> {
    let perp = shown(now, market, at)?;
    let pnl = perp.pnl?;
    let [price, fees, funding] = [pnl.price, pnl.fees, pnl.funding].map(|part| raw(part, decimals));
    let (price, fees, funding) = (price?, fees?, funding?);
    Some(view::HedgePnl {
        price: signed_amount(price, decimals),
        fees: signed_amount(fees, decimals),
        funding: signed_amount(funding, decimals),
        total: signed_amount(price + fees + funding, decimals),
        observed_from_secs: perp.began_secs?,
    })
}

/// Funding of a market's perpetual.
pub(super) fn funding(now: Option<&HedgeNow>, market: &Pubkey, version: u64) -> view::FundingView {
    let found = now.and_then(|now| Some((now, now.of_market(market)?)));
    let unit = "per year".to_owned();
    let Some((now, (coin, perp))) = found else {
        return view::FundingView {
            version,
            state: view::Known::Unknown,
            venue: None,
            instrument: None,
            unit,
            interval_secs: 3_600,
            past: Vec::new(),
            forecast: Vec::new(),
            forecast_note: "no venue is configured for this keeper: it hedges on chain alone"
                .to_owned(),
            position_base: "0".to_owned(),
        };
    };
    let known = !perp.settled.is_empty();
    let note = if !known {
        "the venue has told no settlements, or is the paper venue, which has none"
    } else if perp.forecast.is_empty() {
        "too few settlements are known for a forecast"
    } else {
        "the premium reverts to its mean by the settlements of the last two weeks; the band holds nine of ten past errors"
    };
    view::FundingView {
        version,
        state: if known {
            view::Known::Known
        } else {
            view::Known::Unknown
        },
        venue: Some(now.venue.clone()),
        instrument: Some(coin.to_owned()),
        unit,
        interval_secs: 3_600,
        past: perp
            .settled
            .iter()
            .map(|(secs, rate)| [*secs as f64, *rate])
            .collect(),
        forecast: perp.forecast.clone(),
        forecast_note: note.to_owned(),
        position_base: perp.position.unwrap_or_default().normalize().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_venue::hedge::books::Pnl;

    #[test]
    fn parts_add_up_as_they_are_shown_and_what_is_old_is_unknown() {
        let (first, second) = (
            Pubkey::new_from_array([1; 32]),
            Pubkey::new_from_array([2; 32]),
        );
        let third = Decimal::ONE / Decimal::from(3);
        let at = Instant::now();
        let perp = PerpNow {
            markets: vec![first, second],
            stepped: Some(at),
            position: Some(-Decimal::new(12_345, 3)),
            pnl: Some(Pnl {
                price: third,
                fees: -third,
                funding: third,
            }),
            began_secs: Some(7),
            ..PerpNow::default()
        };
        let now = HedgeNow {
            perps: [("SOL".to_owned(), perp)].into(),
            ..HedgeNow::default()
        };
        assert_eq!(held(&now, &first, 9, at), Some(-12_345_000_000));
        // Of two markets of one token the first has the position.
        assert_eq!(held(&now, &second, 9, at), None);
        let pnl = pnl(&now, &first, 6, at).unwrap();
        assert_eq!(
            [pnl.price, pnl.fees, pnl.funding, pnl.total],
            ["0.333333", "-0.333333", "0.333333", "0.333333"]
        );
        let later = at + std::time::Duration::from_secs(MOST_AGE_SECS + 1);
        assert_eq!(held(&now, &first, 9, later), None);
        let funding = funding(Some(&now), &second, 3);
        assert_eq!(funding.instrument.as_deref(), Some("SOL"));
        assert_eq!(funding.state, view::Known::Unknown);
        assert_eq!(funding.position_base, "-12.345");
    }
}
