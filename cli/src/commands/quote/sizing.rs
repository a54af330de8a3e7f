//! Sizing in whole tokens (MATH section 2), with 31 digits.

use anyhow::{Result, bail};
use ballast_model::screen::{Double, Real, RiskInput, RiskReport, risk};

use super::Request;
use crate::{format::significant, range};

/// A sized position, in whole tokens.
pub(crate) struct Sizing {
    /// Base in the pool, x.
    pub base: Double,
    /// Quote in the pool, y.
    pub quote: Double,
    position: RiskInput<Double>,
}

impl Sizing {
    /// `L = leverage E0 / (x1 P + y1)`, `dx = h x`, `dy = (leverage - 1) E0 - dx P`.
    ///
    /// # Errors
    /// A hedge that is not affordable (`dy < 0`), with the numbers.
    pub fn new(request: &Request) -> Result<Self> {
        let Request {
            price,
            equity,
            leverage,
            hedge,
            ..
        } = *request;
        let (lower, upper) = (request.lower.sqrt(), request.upper.sqrt());
        let inside = price.sqrt().greater(lower).lesser(upper);
        // Of one unit of liquidity.
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
            let beyond = range::outside(price, request.lower, request.upper);
            bail!(
                "hedge not affordable: the base to borrow is worth {}, but leverage {} on own funds of {} allows debt of \
                 only {}: raise --leverage, lower --hedge or move the range down{}",
                significant((debt_base * price).to_f64(), 12),
                significant(leverage.to_f64(), 12),
                significant(equity.to_f64(), 12),
                significant(debt.to_f64(), 12),
                beyond.map_or(String::new(), |why| format!(" ({why})"))
            );
        }
        Ok(Self {
            base,
            quote,
            position: RiskInput {
                price,
                lower: request.lower,
                upper: request.upper,
                liquidity,
                idle_base: Double::ZERO,
                idle_quote: Double::ZERO,
                debt_base,
                debt_quote: debt_quote.greater(Double::ZERO),
                threshold: request.maintenance,
            },
        })
    }

    /// The position, at the price at which it is opened.
    pub fn position(&self) -> &RiskInput<Double> {
        &self.position
    }

    /// Its numbers at a price.
    pub fn risk(&self, price: Double) -> RiskReport {
        risk(&RiskInput {
            price,
            ..self.position
        })
    }
}
