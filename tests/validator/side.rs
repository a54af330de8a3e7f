//! One of the positions, in a market of its own.

use std::sync::Arc;

use anyhow::{Context, Result};
use ballast_client::{
    Amounts, Bps, PositionContext, Receipt, SendError, SqrtPrice, ballast::state, instruction,
};
use ballast_localnet::{Localnet, QUOTE_PRICE, Trader, UsdPrice, World, WorldConfig};
use ballast_model::{Boundaries, Position, Valuation, quiet::HedgeBand};

/// What its liquidator has of each token, raw units: plenty.
const LIQUIDATOR_FUNDS: Amounts = Amounts {
    base: 1_000_000_000_000,
    quote: 1_000_000_000_000,
};

/// A market with one position in it: the worked example of the documentation.
pub struct Side {
    pub world: World,
    pub position: PositionContext,
    liquidator: Trader,
}

/// A position at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// As it is stored.
    pub stored: state::Position,
    /// With interest to now.
    pub model: Position,
    /// The oracle's price.
    pub oracle: SqrtPrice,
    /// Value at that price.
    pub value: Valuation,
    /// Base that it has too much (or, negative, too little) to be hedged.
    pub hedge_error: i128,
    /// Largest hedge error, either way, that its policy leaves alone.
    pub hedge_tolerance: u64,
    /// From this LTV on its policy has it deleveraged.
    trigger: Bps,
    /// From this LTV on anybody may liquidate it.
    pub maintenance: Bps,
}

impl Sample {
    /// Whether the hedge error is inside its band.
    pub fn is_hedged(&self) -> bool {
        self.hedge_error.unsigned_abs() <= u128::from(self.hedge_tolerance)
    }

    /// Whether neither hedge nor leverage asks for anything.
    pub fn is_quiet(&self) -> bool {
        self.is_hedged() && !self.value.ltv_at_least(self.trigger)
    }

    /// Whether anybody may liquidate it.
    pub fn is_liquidatable(&self) -> bool {
        self.value.ltv_at_least(self.maintenance)
    }

    /// How often a keeper acted on it: rehedges, deleverages.
    pub fn actions(&self) -> [u32; 2] {
        [self.stored.rehedges, self.stored.deleverages]
    }

    /// The price above at which it becomes liquidatable, as a multiple of the oracle's price.
    pub fn upper_boundary(&self) -> Result<f64> {
        let Boundaries::Interval {
            upper: Some(upper), ..
        } = self.model.boundaries(self.maintenance)?
        else {
            anyhow::bail!("the position has no liquidation price above: {self:?}");
        };
        Ok((upper.x64() as f64 / self.oracle.x64() as f64).powi(2))
    }
}

impl Side {
    /// Sets a market up and opens the position. Only with `keeper_enabled` may keepers act on it.
    pub async fn open(
        net: Arc<dyn Localnet>,
        name: &str,
        keeper_enabled: bool,
        start_price: UsdPrice,
    ) -> Result<Self> {
        let config = WorldConfig {
            name: name.into(),
            start_price,
            ..WorldConfig::standard()?
        };
        let world = World::new(net, config)
            .await
            .with_context(|| format!("setting up the market {name:?}"))?;
        let mut args = world.worked_example(1)?;
        args.policy.keeper_enabled = keeper_enabled.into();
        let own = Amounts::new(args.own_base, args.own_quote);
        let owner = world.trader("owner", own).await?;
        let liquidator = world.trader("liquidator", LIQUIDATOR_FUNDS).await?;
        let position = world.open(&owner, args).await?;
        Ok(Self {
            world,
            position,
            liquidator,
        })
    }

    /// Moves the pool, not the oracle.
    pub async fn move_pool(&self, to: UsdPrice) -> Result<()> {
        let market = &self.world.market;
        let target = to.sqrt_price(QUOTE_PRICE, market.base.decimals, market.quote.decimals)?;
        self.world
            .move_pool(target)
            .await
            .with_context(|| format!("moving a pool to {to}"))
    }

    /// Looks at the position.
    pub async fn sample(&self) -> Result<Sample> {
        let snapshot = self.world.snapshot().await?;
        let stored = self.world.reload(&self.position).await?.position;
        let policy = stored.policy;
        let model = snapshot.position(&stored, snapshot.now_secs)?;
        let oracle = snapshot.oracle_sqrt_price()?;
        let hedge = HedgeBand {
            hedge: policy.hedge(),
            band: Bps::new(policy.delta_band_bps),
        };
        let limits = &snapshot.market.limits;
        let trigger = policy
            .deleverage_trigger_ltv_bps
            .min(limits.deleverage_ltv_bps);
        Ok(Sample {
            stored,
            model,
            oracle,
            value: model.value(oracle)?,
            hedge_error: model.hedge_error(oracle, policy.hedge())?,
            hedge_tolerance: hedge.tolerance_down(&model)?,
            trigger: Bps::new(trigger),
            maintenance: Bps::new(limits.maintenance_ltv_bps),
        })
    }

    /// Tries to liquidate the position, as anybody may.
    pub async fn liquidate(&self) -> Result<Receipt, SendError> {
        let trader = &self.liquidator;
        let liquidate = instruction::liquidate(
            &self.world.market,
            &self.position,
            &trader.key(),
            &trader.wallet,
            LIQUIDATOR_FUNDS,
            0,
        );
        self.world.send(&trader.keypair, vec![liquidate]).await
    }
}
