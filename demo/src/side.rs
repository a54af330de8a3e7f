//! One of the two positions, in a market of its own.

use std::sync::Arc;

use anyhow::{Context, Result};
use ballast_client::{Amounts, BallastError, Bps, PositionContext, SqrtPrice, instruction};
use ballast_localnet::{Localnet, Trader, UsdPrice, World, WorldConfig};
use ballast_model::{Boundaries, Position, Valuation, quiet::HedgeBand};

use crate::{
    path::PricePath,
    report::{Action, Fate},
};

/// Own funds of the worked example: 100 quote tokens.
const OWN_FUNDS: Amounts = Amounts {
    base: 0,
    quote: 100_000_000,
};
/// Three times own funds.
const LEVERAGE_BPS: u32 = 30_000;
/// What the liquidator has of each token, raw units.
const LIQUIDATOR_FUNDS: Amounts = Amounts {
    base: 1_000_000_000_000,
    quote: 1_000_000_000_000,
};
const LAMPORTS_PER_BASE: f64 = 1e9;
const MICRO_PER_QUOTE: f64 = 1e6;

/// A market with one position in it.
pub struct Side {
    /// The market.
    pub world: World,
    position: PositionContext,
    liquidator: Trader,
    /// What has become of it so far.
    pub fate: Fate,
}

/// A position at one moment.
pub struct Sample {
    /// Its numbers.
    pub model: Position,
    /// Value at the oracle's price.
    pub value: Valuation,
    /// The oracle's price.
    pub oracle: SqrtPrice,
    delta: i128,
    maintenance: Bps,
    /// Whether neither the hedge nor the leverage asks for anything.
    pub quiet: bool,
}

impl Sample {
    /// Quote tokens.
    pub fn equity(&self) -> f64 {
        self.value.equity() as f64 / MICRO_PER_QUOTE
    }

    /// Base tokens.
    pub fn delta(&self) -> f64 {
        self.delta as f64 / LAMPORTS_PER_BASE
    }

    /// Debt / assets.
    pub fn ltv(&self) -> f64 {
        f64::from(self.value.ltv_bps_up()) / 1e4
    }

    /// Assets / equity.
    pub fn leverage(&self) -> f64 {
        self.value.leverage_bps_up() as f64 / 1e4
    }

    /// Distance to the liquidation prices below and above, as part of the price; `None`: there is none.
    ///
    /// # Errors
    /// If they cannot be computed.
    pub fn distances(&self) -> Result<[Option<f64>; 2]> {
        let Boundaries::Interval { lower, upper } = self.model.boundaries(self.maintenance)? else {
            return Ok([Some(0.0); 2]);
        };
        let now = self.oracle.x64() as f64;
        let distance =
            |end: Option<SqrtPrice>| end.map(|end| ((end.x64() as f64 / now).powi(2) - 1.0).abs());
        Ok([distance(lower), distance(upper)])
    }
}

impl Side {
    /// Sets a market up and opens the position. Only with `kept` may keepers touch it.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn open(
        net: Arc<dyn Localnet>,
        name: &str,
        path: &PricePath,
        kept: bool,
    ) -> Result<Self> {
        let mut config = WorldConfig {
            name: name.into(),
            start_price: path.first(),
            ..WorldConfig::standard()?
        };
        if path.recorded {
            // Hours pass in moments: a pause between two rehedges would count for days.
            config.desired.limits.min_rebalance_interval_secs = 0;
        }
        let world = World::new(net, config).await?;
        let owner = world.trader("owner", OWN_FUNDS).await?;
        let liquidator = world.trader("liquidator", LIQUIDATOR_FUNDS).await?;
        let mut args = world.open_args(1, path.band()?, OWN_FUNDS, LEVERAGE_BPS)?;
        args.policy.keeper_enabled = kept.into();
        let position = world.open(&owner, args).await?;
        Ok(Self {
            world,
            position,
            liquidator,
            fate: Fate::default(),
        })
    }

    /// Moves the pool, not the oracle.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn move_pool(&self, to: UsdPrice) -> Result<()> {
        let market = &self.world.market;
        let target = to.sqrt_price(
            self.world.quote_price(),
            market.base.decimals,
            market.quote.decimals,
        )?;
        self.world.move_pool(target).await
    }

    /// Looks at the position and remembers its extremes.
    ///
    /// # Errors
    /// If the cluster does not answer.
    pub async fn sample(&mut self) -> Result<Sample> {
        let snapshot = self.world.snapshot().await?;
        self.position = self.world.reload(&self.position).await?;
        let stored = &self.position.position;
        let policy = stored.policy;
        let model = snapshot.position(stored, snapshot.now_secs)?;
        let oracle = snapshot.oracle_sqrt_price()?;
        let value = model.value(oracle)?;
        let hedge = HedgeBand {
            hedge: policy.hedge(),
            band: Bps::new(policy.delta_band_bps),
        };
        let error = model.hedge_error(oracle, policy.hedge())?.unsigned_abs();
        let limits = &snapshot.market.limits;
        let trigger = policy
            .deleverage_trigger_ltv_bps
            .min(limits.deleverage_ltv_bps);
        let sample = Sample {
            quiet: error <= u128::from(hedge.tolerance_down(&model)?)
                && !value.ltv_at_least(Bps::new(trigger)),
            delta: model.delta(oracle)?,
            maintenance: Bps::new(limits.maintenance_ltv_bps),
            model,
            value,
            oracle,
        };
        self.fate.max_ltv = self.fate.max_ltv.max(sample.ltv());
        self.fate.max_abs_delta = self.fate.max_abs_delta.max(sample.delta().abs());
        self.fate.final_equity = sample.equity();
        Ok(sample)
    }

    /// Liquidates the position if it is unhealthy, as anybody may. Says what was done.
    ///
    /// # Errors
    /// If the cluster refuses for another reason than that it is healthy again.
    pub async fn liquidate_if_due(&mut self, seen: &Sample) -> Result<Option<String>> {
        if !seen.value.ltv_at_least(seen.maintenance) {
            return Ok(None);
        }
        let trader = &self.liquidator;
        let liquidate = instruction::liquidate(
            &self.world.market,
            &self.position,
            &trader.key(),
            &trader.wallet,
            LIQUIDATOR_FUNDS,
            0,
        );
        let receipt = match self.world.send(&trader.keypair, vec![liquidate]).await {
            Ok(receipt) => receipt,
            Err(error) if error.is(BallastError::NotLiquidatable) => return Ok(None),
            Err(error) => return Err(error).context("liquidating"),
        };
        let reason = format!(
            "LTV {:.2} % at or above maintenance {}",
            seen.ltv() * 100.0,
            seen.maintenance
        );
        self.fate.liquidated = true;
        self.fate.actions.push(Action {
            slot: receipt.slot,
            action: "liquidate".into(),
            reason: reason.clone(),
            signature: receipt.signature.to_string(),
        });
        Ok(Some(format!("liquidate: {reason}")))
    }
}
