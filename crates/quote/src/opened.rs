//! The position as the program would open it.

use ballast_model::{
    Amounts, ModelError, OpenError, OpenPlan, OpenRequest, Position, SqrtPrice, plan_open,
};
use ballast_simulator::{Opening, Units};

/// The position in raw units, by the program's arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opened {
    /// Decimals of the tokens.
    pub units: Units,
    /// What is done to open it.
    pub plan: OpenPlan,
    /// The position afterwards.
    pub position: Position,
    /// Price at which it is opened.
    pub at: SqrtPrice,
}

impl Opened {
    /// Plans it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn new(opening: &Opening) -> Result<Self, OpenError> {
        let plan = plan_open(OpenRequest {
            own: Amounts::new(0, opening.own_quote),
            leverage: opening.leverage,
            hedge: opening.hedge,
            band: opening.band,
            at: opening.at,
        })?;
        Ok(Self {
            units: opening.units,
            plan,
            position: plan.position(opening.band),
            at: opening.at,
        })
    }

    /// A square-root price as a price in whole tokens.
    pub fn price(&self, at: SqrtPrice) -> f64 {
        self.units.log_price(at).exp()
    }

    /// The nearest square-root price.
    pub fn root(&self, price: f64) -> SqrtPrice {
        self.units.sqrt_price(price.ln())
    }

    /// Base in whole tokens.
    pub fn base(&self, raw: i128) -> f64 {
        raw as f64 / self.units.base_scale()
    }

    /// Quote in whole tokens.
    pub fn quote(&self, raw: i128) -> f64 {
        self.units.quote(raw)
    }

    /// Liquidity in whole tokens: raw liquidity is a geometric mean of both tokens' raw amounts.
    pub fn liquidity(&self) -> f64 {
        self.position.liquidity as f64 / (self.units.base_scale() * self.units.quote_scale()).sqrt()
    }

    /// Leverage and LTV of a position at a price; no leverage without equity.
    pub(crate) fn gearing(
        position: &Position,
        at: SqrtPrice,
    ) -> Result<(Option<f64>, Option<f64>), ModelError> {
        let value = position.value(at)?;
        let (assets, equity) = (value.assets as f64, value.equity());
        Ok((
            (equity > 0).then(|| assets / equity as f64),
            (value.assets > 0).then(|| value.debt as f64 / assets),
        ))
    }
}
