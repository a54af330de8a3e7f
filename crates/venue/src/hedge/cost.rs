//! What a hedge costs, before it is traded: fee, half of the spread, slippage through the visible depth, funding over the holding time
//! with its band, margin, and where the position would be liquidated.

use crate::{
    depth::Depth,
    funding::forecast::Forecast,
    instrument::{Instrument, Side},
    venue::Account,
};
use rust_decimal::{Decimal, prelude::FromPrimitive};

/// A cost estimate, in dollars; positive costs, negative earns.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// What would fill at once.
    pub size: Decimal,
    /// What the visible depth does not hold.
    pub beyond_depth: Decimal,
    /// The average price.
    pub average: Decimal,
    /// The venue's fee.
    pub fee: Decimal,
    /// From the middle to the best price.
    pub half_spread: Decimal,
    /// From the best price to the average.
    pub slippage: Decimal,
    /// Funding over the holding time: low, expected, high; none without a forecast.
    pub funding: Option<[Decimal; 3]>,
    /// The position afterwards.
    pub position: Decimal,
    /// Margin that the position then needs.
    pub margin: Decimal,
    /// Where it would be liquidated; none where no price does.
    pub liquidation: Option<Decimal>,
}

/// Quotes a trade of a signed size; none where the book shows nothing.
#[must_use]
pub fn quote(
    signed_size: Decimal,
    instrument: &Instrument,
    depth: &Depth,
    account: &Account,
    taker_fee: Decimal,
    funding: Option<&Forecast>,
) -> Option<Quote> {
    let side = Side::of(signed_size);
    let mid = depth.mid()?;
    let best = depth.against(side).first()?.price;
    let limit = match side {
        Side::Buy => Decimal::MAX,
        Side::Sell => Decimal::ZERO,
    };
    let wanted = instrument.size_toward_zero(signed_size.abs());
    let sweep = depth.sweep(side, wanted, limit)?;
    if sweep.size.is_zero() {
        return None;
    }
    let average = sweep.notional / sweep.size;
    let position = account.position(&instrument.coin) + side.signed(sweep.size);
    let notional = position.abs() * mid;
    let maintenance_share = Decimal::ONE / Decimal::from(2 * instrument.max_leverage.max(1));
    let fee = sweep.notional * taker_fee;
    let equity = account.equity - fee - (average - mid).abs() * sweep.size;
    let direction = if position.is_sign_negative() {
        -Decimal::ONE
    } else {
        Decimal::ONE
    };
    let liquidation = (!position.is_zero())
        .then(|| {
            mid - direction * (equity - notional * maintenance_share)
                / (position.abs() * (Decimal::ONE - maintenance_share * direction))
        })
        .filter(|price| *price > Decimal::ZERO);
    // A long pays what the forecast says, a short earns it.
    let funding = funding.and_then(|forecast| {
        let dollars = |share: f64| Decimal::from_f64(share).map(|share| share * position * mid);
        let (low, high) = forecast.band(0.9);
        let (low, mean, high) = (dollars(low)?, dollars(forecast.mean())?, dollars(high)?);
        Some([low.min(high), mean, low.max(high)])
    });
    Some(Quote {
        size: sweep.size,
        beyond_depth: wanted - sweep.size,
        average,
        fee,
        half_spread: (best - mid).abs() * sweep.size,
        slippage: (average - best).abs() * sweep.size,
        funding,
        position,
        margin: notional / Decimal::from(instrument.max_leverage.max(1)),
        liquidation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        depth::Level,
        hyperliquid::{bytes::Address, order_wire::Tif},
        paper::{
            exchange::{Exchange, Fees},
            order::NewOrder,
        },
    };

    #[test]
    fn a_quote_is_what_the_exchange_then_charges() {
        let level = |price: i64, size: i64| Level {
            price: price.into(),
            size: size.into(),
        };
        let depth = Depth {
            bids: vec![level(99, 5), level(98, 50)],
            asks: vec![level(101, 5), level(102, 50)],
        };
        let sol = Instrument {
            coin: "SOL".into(),
            asset: 0,
            size_places: 2,
            max_leverage: 20,
        };
        let me = Address([1; 20]);
        for size in [Decimal::from(-20), Decimal::from(20)] {
            let mut exchange = Exchange::new(0, Fees::default(), [sol.clone()]);
            exchange.deposit(me, 1000.into());
            exchange.set_depth(0, 100.into(), depth.clone());
            let before = exchange.account(me).unwrap();
            let quote = quote(size, &sol, &depth, &before, Fees::default().taker, None).unwrap();
            assert_eq!(
                (quote.half_spread, quote.slippage, quote.beyond_depth),
                (20.into(), 15.into(), Decimal::ZERO)
            );
            let side = Side::of(size);
            let price = if side == Side::Buy { 102 } else { 98 };
            let order = NewOrder {
                account: me,
                asset: 0,
                side,
                price: price.into(),
                size: size.abs(),
                tif: Tif::Ioc,
                reduce_only: false,
                cloid: None,
            };
            exchange.place(order).unwrap();
            let after = exchange.account(me).unwrap();
            assert_eq!(
                before.equity - after.equity,
                quote.fee + quote.half_spread + quote.slippage
            );
            assert_eq!(
                after.positions[0].liquidation,
                quote.liquidation.map(|price| price.round_dp(6))
            );
            assert_eq!(after.margin_used, quote.margin);
            assert_eq!(after.position("SOL"), quote.position);
        }
        let beyond = quote(
            Decimal::from(60),
            &sol,
            &depth,
            &Account {
                equity: 1000.into(),
                margin_used: Decimal::ZERO,
                positions: Vec::new(),
            },
            Decimal::ZERO,
            None,
        )
        .unwrap();
        assert_eq!(beyond.beyond_depth, 5.into());
    }
}
