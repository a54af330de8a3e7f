//! What is not asked for but given: by a market, or by defaults.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use ballast_client::{Limits, Policy};
use ballast_migrations::Migrations;
use ballast_model::{
    Band, Bps, SqrtPrice,
    quiet::HedgeBand,
    screen::{Double, Real},
};
use ballast_quote::{Asked, Conditions, Depth, Inputs, Rules, realised_sigma_day};
use ballast_simulator::{Opening, Units, backtest::read_candles};
use ballast_view::TokenNames;

use super::{QuoteArgs, on_chain::OnChainError};
use crate::{
    decimal::{Decimal, Ratio},
    policy::default_policy,
    range::{self, TickRange, in_order},
    recorded,
    trouble::misuse,
};

/// Whose limits apply where no market is named.
const CLUSTER: &str = "devnet";
/// Between a deleverage trigger that nobody chose and maintenance.
const ROOM_BPS: u32 = 300;
const FEE: f64 = 0.0004;
const PROTOCOL_SHARE: f64 = 0.13;

/// What a market, or nobody, says.
pub struct Setting {
    /// Where it comes from, for people.
    pub source: String,
    /// The market's address.
    pub market: Option<String>,
    /// Names of its tokens.
    pub names: Option<TokenNames>,
    pub price: Option<SqrtPrice>,
    /// Of base and quote.
    pub decimals: (u8, u8),
    pub tick_spacing: Option<u16>,
    pub limits: Limits,
    pub maintenance_is_the_markets: bool,
    pub fee: f64,
    pub protocol_share: f64,
    pub base_apr: f64,
    pub quote_apr: f64,
    pub depth: Option<Depth>,
    /// Volatility as it was measured, and where.
    pub sigma: Option<(f64, String)>,
}

/// The position with its range on the pool's grid, and why the program could not open it.
pub struct Request {
    pub inputs: Inputs,
    pub policy: Policy,
    /// The range as ticks, if the pool's grid is known.
    pub ticks: Option<TickRange>,
    /// Numbers that no account or pool can have.
    pub unfit: Option<OnChainError>,
    /// Where volatility comes from.
    pub sigma_source: Option<String>,
}

impl Setting {
    /// Without a market: as `--depth` and the built-in limits say.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn offline(args: &QuoteArgs) -> Result<Self> {
        let rules = Migrations::built_in(CLUSTER)?.desired()?;
        Ok(Self {
            source: format!("offline, limits of {CLUSTER}"),
            market: None,
            names: None,
            price: None,
            decimals: (
                args.base_decimals.unwrap_or(9),
                args.quote_decimals.unwrap_or(6),
            ),
            tick_spacing: args.tick_spacing,
            limits: rules.market_params().limits,
            maintenance_is_the_markets: false,
            fee: FEE,
            protocol_share: PROTOCOL_SHARE,
            base_apr: 0.0,
            quote_apr: 0.0,
            depth: None,
            sigma: None,
        })
    }

    /// With what was asked for.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn request(mut self, args: &QuoteArgs) -> Result<(Request, Self)> {
        if let Some(path) = &args.conditions.depth {
            let text = recorded::text("--depth", path)?;
            let depth: Depth = text
                .parse()
                .with_context(|| format!("--depth {}", path.display()))?;
            self.fee = f64::from(depth.fee_ppm()) / 1e6;
            self.depth = Some(depth);
        }
        if let Some(ppm) = args.conditions.fee_ppm {
            self.fee = f64::from(ppm) / 1e6;
            self.depth = self
                .depth
                .map(|depth| depth.with_fee_ppm(ppm))
                .transpose()?;
        }
        let (asked, ticks) = self.asked(args)?;
        let (rules, policy) = self.rules(args, &asked)?;
        let opening = self.opening(args, ticks, &rules);
        let (sigma_day, sigma_source) = sigma(args)?.or(self.sigma.take()).unzip();
        let at = asked.price.to_f64();
        let mut prices = Vec::new();
        for asked in &args.at {
            prices.extend_from_slice(asked.around(at)?);
        }
        let given = |ratio: &Option<Ratio>, otherwise: f64| {
            ratio.as_ref().map_or(otherwise, |ratio| ratio.f64())
        };
        let options = &args.conditions;
        let share = given(&options.protocol_share, self.protocol_share);
        ensure!(
            share <= 1.0,
            misuse!("--protocol-share {share} must be at most 1")
        );
        let inputs = Inputs {
            asked,
            opening: opening.as_ref().ok().copied(),
            rules,
            conditions: Conditions {
                sigma_day,
                fee: Some(self.fee),
                protocol_share: share,
                block_secs: options.block_secs.f64(),
                base_apr: given(&options.borrow_base_apr, self.base_apr),
                quote_apr: given(&options.borrow_quote_apr, self.quote_apr),
                depth: self.depth.clone(),
                funding_hour: options.funding_hour.filter(|rate| rate.is_finite()),
                action_cost: options.action_cost.f64(),
                horizon_days: options.horizon_days.f64(),
                gaps: gaps(&options.gaps),
            },
            at: prices,
            points: args.points,
        };
        let request = Request {
            inputs,
            policy,
            ticks,
            unfit: opening.err(),
            sigma_source,
        };
        Ok((request, self))
    }

    fn asked(&self, args: &QuoteArgs) -> Result<(Asked, Option<TickRange>)> {
        in_order(&args.lower, &args.upper)?;
        let (one, leverage) = (Double::ONE, args.leverage.double());
        if leverage < one {
            bail!(misuse!(
                "--leverage {} is below 1: 1 borrows nothing, 3 owns three times the own funds",
                *args.leverage
            ));
        }
        let hedge = args
            .policy
            .hedge
            .as_ref()
            .map_or(one, |hedge| hedge.double());
        if hedge > one {
            let given = args
                .policy
                .hedge
                .as_ref()
                .map(|hedge| (**hedge).to_string());
            bail!(misuse!(
                "--hedge {} is above 1: 1 (delta-neutral) borrows all of the pool's base",
                given.unwrap_or_default()
            ));
        }
        let maintenance = match &args.maintenance {
            Some(maintenance) => maintenance.double(),
            None => {
                Double::from_u128(self.limits.maintenance_ltv_bps.into())
                    / Double::from_u128(Bps::ONE.get().into())
            }
        };
        if maintenance <= Double::ZERO || maintenance > one {
            bail!(misuse!(
                "--maintenance {} must be above 0 and at most 1: it is debt over assets, 0.8 or 80%",
                args.maintenance
                    .as_ref()
                    .map_or(String::new(), |given| (**given).to_string())
            ));
        }
        let ticks = match self.tick_spacing {
            None => None,
            Some(spacing) => Some(range::around(
                &args.lower,
                &args.upper,
                spacing,
                self.decimals,
            )?),
        };
        let (base, quote) = self.decimals;
        let end = |number: &Decimal, tick: Option<ballast_model::Tick>| match tick {
            None => number.double(),
            Some(tick) => range::price(tick.sqrt_price(), base, quote),
        };
        let price = match (&args.price, self.price) {
            (Some(price), _) => price.double(),
            (None, Some(price)) => range::price(price, base, quote),
            (None, None) => bail!(misuse!(
                "no price: pass --price, or --market for the market's"
            )),
        };
        let asked = Asked {
            units: self.units(),
            price,
            lower: end(&args.lower, ticks.map(|ticks| ticks.lower)),
            upper: end(&args.upper, ticks.map(|ticks| ticks.upper)),
            equity: args.equity.double(),
            leverage,
            hedge,
            maintenance,
        };
        Ok((asked, ticks))
    }

    fn units(&self) -> Units {
        Units {
            base_decimals: self.decimals.0,
            quote_decimals: self.decimals.1,
        }
    }

    /// In raw units; ratios are cut to whole basis points, own funds to whole units.
    fn opening(
        &self,
        args: &QuoteArgs,
        ticks: Option<TickRange>,
        rules: &Rules,
    ) -> Result<Opening, OnChainError> {
        let root = |price: &Decimal| price.sqrt_price_down(self.decimals.0, self.decimals.1);
        let at = match (&args.price, self.price) {
            (Some(price), _) => root(price)?,
            (None, Some(price)) => price,
            (None, None) => SqrtPrice::MIN,
        };
        let (lower, upper) = match ticks {
            Some(ticks) => (ticks.lower.sqrt_price(), ticks.upper.sqrt_price()),
            None => (root(&args.lower)?, root(&args.upper)?),
        };
        let band = Band::from_sqrt_prices(lower, upper).map_err(|_| OnChainError::Range)?;
        let (own_quote, _) = args.equity.raw_down(self.decimals.1)?;
        Ok(Opening {
            units: self.units(),
            at,
            band,
            own_quote,
            leverage: args.leverage.bps_down()?,
            hedge: rules.hedge.hedge,
        })
    }

    /// What an account can say; more than it can is as much as it can.
    fn fee_rate_ppm(&self) -> u16 {
        (self.fee * 1e6).round() as u16
    }

    fn rules(&self, args: &QuoteArgs, asked: &Asked) -> Result<(Rules, Policy)> {
        // In whole basis points, rounded against the owner.
        let maintenance = match &args.maintenance {
            Some(maintenance) => maintenance.bps_down()?,
            None => Bps::new(self.limits.maintenance_ltv_bps),
        };
        let mut limits = self.limits;
        if args.maintenance.is_some() || !self.maintenance_is_the_markets {
            // What nobody chose stays below what somebody did.
            let below = maintenance.get().saturating_sub(ROOM_BPS);
            limits.deleverage_ltv_bps = limits.deleverage_ltv_bps.min(below);
            limits.target_ltv_bps = limits.target_ltv_bps.min(below.saturating_sub(ROOM_BPS));
        }
        limits.maintenance_ltv_bps = maintenance.get();
        let policy = args
            .policy
            .applied_to(default_policy(&limits, self.fee_rate_ppm()))?;
        let (market_target, own_target) = (
            Bps::new(limits.target_ltv_bps),
            Bps::new(policy.deleverage_target_ltv_bps),
        );
        let price = |price: &Decimal| price.sqrt_price_down(self.decimals.0, self.decimals.1);
        let triggers = &args.triggers;
        let rules = Rules {
            maintenance,
            liquidation_target: market_target,
            liquidation_bonus: Bps::new(limits.liquidation_bonus_bps),
            deleverage: Bps::new(
                policy
                    .deleverage_trigger_ltv_bps
                    .min(limits.deleverage_ltv_bps),
            ),
            deleverage_target: own_target,
            hedge: HedgeBand {
                hedge: policy.hedge(),
                band: Bps::new(policy.delta_band_bps),
            },
            rehedge_ltv: (own_target.min(market_target), own_target),
            min_interval_secs: policy
                .min_rebalance_interval_secs
                .max(limits.min_rebalance_interval_secs),
            edge: triggers
                .edge
                .as_ref()
                .map(|edge| edge.bps_down())
                .transpose()?,
            low: triggers.low.as_ref().map(|low| price(low)).transpose()?,
            high: triggers.high.as_ref().map(|high| price(high)).transpose()?,
            floor: triggers
                .floor
                .as_ref()
                .map(|floor| floor.raw_down(asked.units.quote_decimals))
                .transpose()?
                .map(|(floor, _)| floor),
        };
        Ok((rules, policy))
    }

    /// Writes the depth where that was asked for.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_depth(&self, args: &QuoteArgs) -> Result<()> {
        if let (Some(path), Some(depth)) = (&args.conditions.save_depth, &self.depth) {
            fs::write(path, depth.to_csv())
                .with_context(|| format!("cannot write --save-depth {}", path.display()))?;
        }
        Ok(())
    }
}

/// Volatility by options, and where it comes from.
fn sigma(args: &QuoteArgs) -> Result<Option<(f64, String)>> {
    if let Some(sigma) = &args.conditions.sigma_day {
        return Ok(Some((sigma.f64(), "given".into())));
    }
    let Some(path) = &args.conditions.candles else {
        return Ok(None);
    };
    let text = recorded::text("--candles", path)?;
    let read = read_candles(&text).with_context(|| format!("--candles {}", path.display()))?;
    let secs = read.secs as f64;
    // What was filled in for missing candles are straight lines, and no measurement.
    let known: Vec<_> = (read.bars.iter().zip(&read.filled))
        .filter(|(_, filled)| !**filled)
        .map(|(bar, _)| (bar.close, secs))
        .collect();
    let count = known.len();
    let sigma = realised_sigma_day(known);
    let sigma = sigma.with_context(|| {
        format!(
            "--candles {}: two candles at least are needed",
            path.display()
        )
    })?;
    let source = format!("measured in {count} candles of {} s", read.secs);
    Ok(Some((sigma, source)))
}

/// Down and up, in order.
fn gaps(sizes: &[Ratio]) -> Vec<f64> {
    let mut gaps: Vec<f64> = sizes
        .iter()
        .map(|size| size.f64())
        .filter(|size| *size > 0.0)
        .flat_map(|size| [-size, size])
        .collect();
    gaps.sort_by(f64::total_cmp);
    gaps.dedup();
    gaps
}
