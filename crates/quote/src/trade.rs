//! What a swap in the pool costs.

use ballast_model::{SqrtPrice, Trade};
use serde::Serialize;

use crate::{Depth, Opened};

/// A swap in the pool. Amounts in whole tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Traded {
    /// Base sold, negative: bought.
    pub base: f64,
    /// Quote received for it, negative: paid.
    pub quote: f64,
    /// What it loses against the price at which it begins: fee and impact. Quote.
    pub cost: f64,
    /// The part of that which is the fee.
    pub fee: f64,
    /// The part of that which is price impact; `None`: the pool's depth is not known, and none is counted.
    pub impact: Option<f64>,
    /// The pool's price afterwards, if its depth is known.
    pub price_after: Option<f64>,
    /// Quote received or paid, raw units.
    #[serde(skip)]
    pub(crate) raw_quote: u64,
}

/// Where it is traded.
pub(crate) struct Venue<'a> {
    pub opened: &'a Opened,
    pub depth: Option<&'a Depth>,
    /// Of the input.
    pub fee: f64,
}

impl Venue<'_> {
    /// Sells (or buys, below 0) raw units of base with the pool at a price. `None` for nothing, and where the known liquidity does
    /// not suffice.
    pub fn trade(&self, base: i128, at: SqrtPrice) -> Option<Traded> {
        let raw = u64::try_from(base.unsigned_abs())
            .ok()
            .filter(|raw| *raw > 0)?;
        let trade = if base > 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        };
        let price = self.opened.price(at);
        let whole = self.opened.base(base);
        let value = whole * price;
        let signed = |quote: f64| if base > 0 { quote } else { -quote };
        let Some(depth) = self.depth else {
            // The fee is taken from what is paid in.
            let quote = if base > 0 {
                value * (1.0 - self.fee)
            } else {
                value / (1.0 - self.fee)
            };
            let cost = value - quote;
            return Some(Traded {
                base: whole,
                quote,
                cost,
                fee: cost,
                impact: None,
                price_after: None,
                // `as` saturates.
                raw_quote: (quote.abs() * self.opened.units.quote_scale()) as u64,
            });
        };
        let fill = depth.walk(at, trade, raw).ok()?;
        let quote = signed(self.opened.quote(fill.quote.into()));
        let fee = match trade {
            Trade::SellBase => self.opened.base(fill.fee.into()) * price,
            Trade::BuyBase => self.opened.quote(fill.fee.into()),
        };
        let cost = value - quote;
        Some(Traded {
            base: whole,
            quote,
            cost,
            fee,
            impact: Some(cost - fee),
            price_after: Some(self.opened.price(fill.sqrt_price)),
            raw_quote: fill.quote,
        })
    }
}
