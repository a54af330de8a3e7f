//! What the simulator says beforehand: the kept position's own configuration on many random paths.

use std::ops::ControlFlow;

use anyhow::Result;
use ballast_client::{Amounts, Bps, SqrtPrice, Tick};
use ballast_model::{Band, Side as TokenSide};
use ballast_simulator::{
    Arbitrage, BandRule, Blocks, FeeTerms, Interest, Jumps, Keeper, KeeperTerms, Liquidators,
    Looks, Opening, Run, Streams, Summary, Takers, Terms, Units, simulate,
};
use ballast_strategy::situation::Economics;
use serde::Serialize;

use crate::{
    path::Moves,
    side::{LEVERAGE_BPS, OWN_FUNDS, Side},
    swings::LOOK_SECS,
};

const PATHS: u64 = 400;
const STEP_SECS: u64 = 60;
const SEED: u64 = 1;

/// Equity at the end, in quote tokens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// How many paths.
    pub paths: u64,
    /// How their prices move.
    pub moves: Moves,
    /// Seconds between two looks of arbitrageurs.
    pub arbitrage_secs: f64,
    /// 5 % end below it.
    pub quantile_5: f64,
    /// Half end below it.
    pub median: f64,
    /// 95 % end below it.
    pub quantile_95: f64,
    /// Of each path.
    #[serde(skip)]
    pub equities: Vec<f64>,
}

impl Forecast {
    /// How many paths end below an equity.
    pub fn ends_below(&self, equity: f64) -> usize {
        let below = self.equities.iter().filter(|end| **end < equity);
        below.count()
    }
}

/// What is simulated: the position as it was opened, for how long, and how the price and takers behave.
pub struct Setting {
    opening: Opening,
    fees: FeeTerms,
    interest: Interest,
    keeper: KeeperTerms,
    maintenance: Bps,
    liquidators: Liquidators,
}

impl Setting {
    /// As the kept position stands right after opening.
    ///
    /// # Errors
    /// If the cluster does not answer.
    pub async fn of(side: &Side, taker_volume_day: f64) -> Result<Self> {
        let snapshot = side.world.snapshot().await?;
        let stored = side.stored();
        let (market, pool) = (&snapshot.market, &snapshot.pool);
        let tick = |index| Tick::new(index);
        let band = Band::new(tick(stored.tick_lower)?, tick(stored.tick_upper)?)?;
        let at: SqrtPrice = pool.sqrt_price;
        let rules = &side.world.config.desired;
        let Amounts { quote, .. } = OWN_FUNDS;
        // As debts cost now: what lenders get for them later depends on what everybody borrows.
        let apr = |side| -> Result<f64> {
            let state = snapshot.reserve_at(side, snapshot.now_secs)?;
            let rate = state.borrow_rate_bps_up(&snapshot.reserve(side).curve())?;
            Ok(f64::from(rate.get()) / 1e4)
        };
        let interest = Interest::new(apr(TokenSide::Base)?, apr(TokenSide::Quote)?)?;
        Ok(Self {
            interest,
            opening: Opening {
                units: Units {
                    base_decimals: market.base_decimals,
                    quote_decimals: market.quote_decimals,
                },
                at,
                band,
                own_quote: quote,
                leverage: Bps::new(LEVERAGE_BPS),
                hedge: stored.policy.hedge(),
            },
            fees: FeeTerms {
                fee: f64::from(pool.fee_rate_ppm) / 1e6,
                protocol_share: f64::from(ballast_localnet::PROTOCOL_FEE_RATE_BPS) / 1e4,
                arbitrage: Arbitrage::Formula(Blocks::Fixed(LOOK_SECS)),
                takers: Takers {
                    volume_day: taker_volume_day,
                    others_liquidity: pool.liquidity as f64,
                    other_pool: None,
                    shift: None,
                },
            },
            keeper: KeeperTerms {
                market: rules.market_params(),
                safety: rules.safety.into(),
                tick_spacing: market.tick_spacing,
                policy: stored.policy,
                automation: stored.automation,
                economics: Economics::default(),
                band_rule: BandRule::Present,
                fee_ppm: pool.fee_rate_ppm,
            },
            maintenance: Bps::new(market.limits.maintenance_ltv_bps),
            liquidators: Liquidators {
                target: Bps::new(market.limits.target_ltv_bps),
                bonus: Bps::new(market.limits.liquidation_bonus_bps),
            },
        })
    }

    /// Simulates; takes some seconds of one core.
    ///
    /// # Errors
    /// Terms that make no sense.
    pub fn simulate(&self, moves: Moves, days: f64) -> Result<Forecast> {
        let terms = Terms::new(&self.opening, Some(self.fees), self.interest)?;
        let run = Run {
            terms: &terms,
            looks: Looks::new(days, STEP_SECS)?,
            maintenance: self.maintenance,
            liquidators: Some(self.liquidators),
            lag: None,
            watch: None,
            paths: PATHS,
            streams: Streams::new(SEED),
            // The story goes on beside it.
            threads: 1,
        };
        let agent = Keeper::new(&self.keeper, &terms);
        let mut summary = Summary::new(&terms, PATHS);
        let Moves {
            sigma_day,
            jumps_day,
            jump_mean,
            jump_sd,
        } = moves;
        let model = Jumps::new(sigma_day, 0.0, jumps_day, jump_mean, jump_sd)?;
        simulate(&run, &model, &agent, |outcome| {
            summary.add(outcome);
            ControlFlow::Continue(())
        })?;
        let equity = summary.equity();
        Ok(Forecast {
            paths: PATHS,
            moves,
            arbitrage_secs: LOOK_SECS,
            quantile_5: equity.quantile(0.05),
            median: equity.quantile(0.5),
            quantile_95: equity.quantile(0.95),
            equities: summary.equities().to_vec(),
        })
    }
}
