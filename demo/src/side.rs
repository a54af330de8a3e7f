//! One of the two positions, in a market of its own.

mod sample;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use ballast_client::{
    Amounts, Automation, BallastError, Bps, Policy, PositionContext, SqrtPrice, default_policy,
    instruction,
};
use ballast_keeper::execute::{FeeAccounts, View, ViewRequest};
use ballast_localnet::{Localnet, Trader, UsdPrice, World, WorldConfig};
use ballast_strategy::{
    decide::{Decision, Retry, assess},
    situation::{Outlook, Situation},
};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use sample::{Sample, Standing};

use crate::{
    attribution::{Attribution, Leg, State},
    path::{Point, PricePath},
    report::{Action, Fate},
    swings::Swings,
};

/// Own funds of the worked example: 100 quote tokens.
pub const OWN_FUNDS: Amounts = Amounts {
    base: 0,
    quote: 100_000_000,
};
/// Three times own funds.
pub const LEVERAGE_BPS: u32 = 30_000;
/// Fees worth this, in raw quote units, are put back to work.
const COMPOUND_MIN_VALUE: u64 = 1_000_000;
/// Debt / assets at which keepers give up leverage: leverage 3.1 or so.
const DELEVERAGE_TRIGGER_LTV_BPS: u32 = 6_800;
/// What the owner lets pass between two rehedges: each of them costs.
const REHEDGE_PAUSE_SECS: u32 = 300;
/// What the owner lets pass between two recenterings.
const RECENTER_PAUSE_SECS: u32 = 900;
/// What the liquidator has of each token, raw units.
const LIQUIDATOR_FUNDS: Amounts = Amounts {
    base: 1_000_000_000_000,
    quote: 1_000_000_000_000,
};
const MICRO_PER_QUOTE: f64 = 1e6;
/// How often a position is looked for again that was moved to other accounts meanwhile.
const ATTEMPTS: u32 = 20;

/// A market with one position in it.
pub struct Side {
    /// The market.
    pub world: World,
    position: PositionContext,
    liquidator: Trader,
    /// Up to where the gain is explained.
    explained: Option<Sample>,
    /// What has become of it so far.
    pub fate: Fate,
}

/// Who trades in the pool on the way to a price.
#[derive(Clone, Copy, Debug)]
pub struct Trading {
    /// What takers trade, raw quote units.
    pub taker_volume: f64,
    /// Standard deviation of a day's move that arbitrageurs follow on the way.
    pub sigma_day: f64,
    /// Of the way: the same one for both positions.
    pub seed: u64,
}

/// A position when arbitrageurs had traded and takers had not.
pub struct Arbitraged(State);

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
        let [rehedge_secs, recenter_secs] = if net.moves_time() {
            [REHEDGE_PAUSE_SECS, RECENTER_PAUSE_SECS]
        } else {
            // Hours pass in moments: a pause between two rehedges would count for days.
            config.desired.limits.min_rebalance_interval_secs = 0;
            [0; 2]
        };
        let world = World::new(net, config).await?;
        let policy = Policy {
            keeper_enabled: kept.into(),
            deleverage_trigger_ltv_bps: DELEVERAGE_TRIGGER_LTV_BPS,
            min_rebalance_interval_secs: rehedge_secs,
            ..default_policy(
                &world.market.market.limits,
                world.pool().await?.fee_rate_ppm,
            )
        };
        let owner = world.trader("owner", OWN_FUNDS).await?;
        let liquidator = world.trader("liquidator", LIQUIDATOR_FUNDS).await?;
        let mut args = world.open_args(1, path.band()?, OWN_FUNDS, LEVERAGE_BPS)?;
        args.policy = policy;
        let width_ticks = args.tick_upper.abs_diff(args.tick_lower);
        let position = world.open(&owner, args).await?;
        if kept {
            let automation = Automation {
                recenter_cooldown_secs: recenter_secs,
                ..automation(width_ticks)
            };
            let set = instruction::set_automation(
                &world.market.address,
                &owner.key(),
                &position.address,
                automation,
            );
            world
                .send(&owner.keypair, vec![set])
                .await
                .context("letting keepers recenter and compound")?;
        }
        let mut side = Self {
            world,
            position,
            liquidator,
            explained: None,
            fate: Fate::default(),
        };
        side.look(path.first(), |gain| &mut gain.opening).await?;
        Ok(side)
    }

    /// The position's address.
    pub fn address(&self) -> ballast_client::Pubkey {
        self.position.address
    }

    /// The position as it is stored.
    pub fn stored(&self) -> &ballast_client::Position {
        &self.position.position
    }

    /// What the owner set, a line for each kind of action.
    pub fn rules(&self) -> String {
        let Policy {
            delta_band_bps,
            deleverage_trigger_ltv_bps,
            deleverage_target_ltv_bps,
            min_rebalance_interval_secs,
            ..
        } = self.stored().policy;
        let percent = |bps: u32| f64::from(bps) / 100.0;
        format!(
            "  rehedge     when delta is beyond {} % of the most base that the band can hold, at most every {} s\n  \
               recenter    when the price has left the band, at most every {} s\n  \
               deleverage  at LTV {} %, to {} %\n  \
               compound    from {} quote of fees on\n",
            percent(delta_band_bps),
            min_rebalance_interval_secs,
            self.stored().automation.recenter_cooldown_secs,
            percent(deleverage_trigger_ltv_bps),
            percent(deleverage_target_ltv_bps),
            COMPOUND_MIN_VALUE as f64 / MICRO_PER_QUOTE,
        )
    }

    /// The pool's own price follows one elsewhere, to and fro on the way, then takers trade; the oracle has not followed yet.
    /// [`Side::arrive`] says what became of the position.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn trade(&mut self, point: &Point, trading: Trading) -> Result<Arbitraged> {
        let before = self.explained.context("nobody has looked yet")?;
        let pool = self.world.pool().await?;
        let log = |root: SqrtPrice| 2.0 * (root.x64() as f64).ln();
        let swings = Swings {
            from: log(before.at),
            to: log(self.world.sqrt_price_at(point.price)?),
            secs: point.secs,
            sigma_day: trading.sigma_day,
            fee: f64::from(pool.fee_rate_ppm) / 1e6,
        };
        let mut random = ChaCha8Rng::seed_from_u64(trading.seed);
        let travel = swings.travel(log(pool.sqrt_price), &mut random);
        self.world.swing(travel).await?;
        self.world
            .arbitrage(point.price)
            .await
            .with_context(|| format!("moving the pool to {}", point.price))?;
        let arbitraged = self.sample(point.price).await?;
        self.world.round_trips(trading.taker_volume).await?;
        Ok(Arbitraged(arbitraged.state))
    }

    /// The position when all have traded and the time for it has passed, at the price elsewhere.
    ///
    /// # Errors
    /// If the cluster does not answer.
    pub async fn arrive(&mut self, point: &Point, arbitraged: Arbitraged) -> Result<Sample> {
        let before = self.explained.context("nobody has looked yet")?;
        let after = self.sample(point.price).await?;
        self.fate.gain.add_move(&Leg {
            before: before.state,
            arbitraged: arbitraged.0,
            after: after.state,
            from: before.at,
            to: after.at,
        })?;
        self.explain(&after);
        Ok(after)
    }

    /// Looks at the position. What has changed since the last look, at the same price, counts for one line of the gain.
    ///
    /// # Errors
    /// If the cluster does not answer.
    pub async fn look(
        &mut self,
        price: UsdPrice,
        line: impl FnOnce(&mut Attribution) -> &mut i128,
    ) -> Result<Sample> {
        let sample = self.sample(price).await?;
        let before = match &self.explained {
            Some(before) => before.equity,
            None => i128::from(OWN_FUNDS.quote),
        };
        *line(&mut self.fate.gain) += sample.equity - before;
        self.explain(&sample);
        Ok(sample)
    }

    fn explain(&mut self, sample: &Sample) {
        self.fate.saw(sample);
        self.explained = Some(*sample);
    }

    /// The position, valued at a price.
    async fn sample(&mut self, price: UsdPrice) -> Result<Sample> {
        let at = self.world.sqrt_price_at(price)?;
        let market = &self.world.market;
        for _ in 0..ATTEMPTS {
            let request = ViewRequest {
                market,
                position: self.position.address,
                fees: Some(FeeAccounts::new(market, &self.position.position)),
                min_slot: 0,
                wallet: None,
            };
            let chain = self.world.net.chain();
            let view = View::fetch(chain.as_ref(), &request, Duration::ZERO).await?;
            self.position = view.position.context("the position is gone")?;
            let Some(fees) = view.fees else {
                // It has other accounts in the pool since.
                continue;
            };
            let snapshot = &view.market;
            let situation = Situation {
                market: snapshot,
                position: &self.position.position,
                now_secs: snapshot.now_secs,
                slot: snapshot.slot,
                keeper: ballast_client::Pubkey::default(),
                funds: None,
                min_gain: 0,
                outlook: Outlook {
                    fees: Some(fees.pending),
                    booked_fees: Some(fees.booked),
                    ..Outlook::default()
                },
            };
            let assessment = assess(&situation)?;
            let state = State {
                model: assessment.model,
                fees: fees.pending,
            };
            return Ok(Sample {
                state,
                at,
                value: state.model.value(at)?,
                equity: state.equity(at)?,
                delta: state.model.delta(at)?,
                maintenance: Bps::new(snapshot.market.limits.maintenance_ltv_bps),
                standing: match assessment.decision {
                    Decision::Nothing => Standing::Quiet,
                    Decision::Act(..) => Standing::Due,
                    Decision::Blocked {
                        wanted, obstacle, ..
                    } => Standing::Blocked {
                        wanted,
                        pause_secs: match obstacle.retry() {
                            Retry::At(due_secs) => Some(due_secs - snapshot.now_secs),
                            Retry::Position | Retry::Market => None,
                        },
                    },
                },
            });
        }
        anyhow::bail!("the position's accounts in the pool are not found")
    }

    /// Liquidates the position if it is unhealthy, as anybody may. Says what was done.
    ///
    /// # Errors
    /// If the cluster refuses for another reason than that it is healthy again.
    pub async fn liquidate_if_due(
        &mut self,
        seen: &Sample,
        price: UsdPrice,
    ) -> Result<Option<String>> {
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
            "LTV {:.2} % at or above maintenance, {:.2} %",
            seen.ltv() * 100.0,
            f64::from(seen.maintenance.get()) / 100.0
        );
        self.look(price, |gain| &mut gain.liquidation).await?;
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

/// Keepers may recenter to a band of the same width, as soon as the price has left it, and compound.
pub fn automation(width_ticks: u32) -> Automation {
    Automation {
        leverage_bps: LEVERAGE_BPS,
        min_width_ticks: width_ticks,
        max_width_ticks: width_ticks,
        compound_min_value: COMPOUND_MIN_VALUE,
        ..Automation::OFF
    }
}
