//! Sizing in whole tokens, with 31 digits.

use ballast_model::screen::{Double, Real, RiskInput, RiskReport, risk};

use crate::{Asked, QuoteError};

/// A sized position, in whole tokens:
/// `L = leverage E0 / (x1 P + y1)`, `dx = h x`, `dy = (leverage - 1) E0 - dx P`, with x1, y1 the amounts of one unit of liquidity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizing {
    /// Base in the pool, x.
    pub base: Double,
    /// Quote in the pool, y.
    pub quote: Double,
    position: RiskInput<Double>,
}

impl Sizing {
    /// Sizes it.
    ///
    /// # Errors
    /// [`QuoteError::NotAffordable`]: `dy < 0`.
    pub fn new(asked: &Asked) -> Result<Self, QuoteError> {
        let Asked {
            price,
            equity,
            leverage,
            hedge,
            ..
        } = *asked;
        let (lower, upper) = (asked.lower.sqrt(), asked.upper.sqrt());
        let inside = price.sqrt().greater(lower).lesser(upper);
        let (unit_base, unit_quote) = ((upper - inside) / (inside * upper), inside - lower);
        let assets = leverage * equity;
        let liquidity = assets / (unit_base * price + unit_quote);
        // In the order of `screen::risk`, so that a neutral position's delta is exactly zero.
        let base = liquidity * (upper - inside) / (inside * upper);
        let quote = liquidity * unit_quote;
        let debt_base = hedge * base;
        let debt = assets - equity;
        let debt_quote = debt - debt_base * price;
        // Zero may come out as a unit in the last place.
        if debt_quote.to_f64() < -1e-24 * assets.to_f64() {
            return Err(QuoteError::NotAffordable {
                hedge_value: (debt_base * price).to_f64(),
                debt_allowed: debt.to_f64(),
                leverage: leverage.to_f64(),
                equity: equity.to_f64(),
            });
        }
        Ok(Self {
            base,
            quote,
            position: RiskInput {
                price,
                lower: asked.lower,
                upper: asked.upper,
                liquidity,
                idle_base: Double::ZERO,
                idle_quote: Double::ZERO,
                debt_base,
                debt_quote: debt_quote.greater(Double::ZERO),
                threshold: asked.maintenance,
            },
        })
    }

    /// The position, at the price at which it is opened.
    pub fn position(&self) -> &RiskInput<Double> {
        &self.position
    }

    /// Its numbers at a price.
    pub fn risk(&self, price: f64) -> RiskReport {
        risk(&RiskInput {
            price: Double::new(price),
            ..self.position
        })
    }

    /// Its numbers at the price at which it is opened.
    pub fn at_open(&self) -> RiskReport {
        risk(&self.position)
    }
}
