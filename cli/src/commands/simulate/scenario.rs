//! What is simulated, but for the position and who looks after it: options that several commands share.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use ballast_client::rehedge_warning;
use ballast_model::{Band, Bps, SqrtPrice, Tick};
use ballast_simulator::{
    Interest, Liquidators, Looks, MOST_PATHS, Opening, Run, Streams, Terms, Units, Watch,
};
use clap::Args;

use super::{
    conditions::{ConditionArgs, Conditions},
    fees::FeeArgs,
    keeper,
    lag::LagArgs,
    model::{AnyModel, ModelName, ModelOptions},
    model_file::ModelFile,
    perp::PerpArgs,
    pool::{PoolReport, check_known},
    record::Purpose,
    strategy::{AnyAgent, Strategy},
};
use crate::{
    decimal::{Decimal, Positive, Ratio},
    market_rules::RulesArgs,
    range::in_order,
    trouble::misuse,
};

/// What to simulate. Prices are quote per base in whole tokens, own funds are in the quote token, ratios like 0.8 or 80%.
#[derive(Args, Debug)]
pub struct ScenarioArgs {
    #[command(flatten)]
    pub models: ModelOptions,
    /// How long, in days
    #[arg(long)]
    pub horizon_days: Positive,
    /// Seconds between two looks at the price
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub step_secs: u64,
    /// Number of paths
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MOST_PATHS))]
    pub paths: u64,
    /// Seed of all random numbers: the same seed, the same result, on any number of threads
    #[arg(long)]
    pub seed: u64,
    /// Price at the start
    #[arg(long)]
    pub price: Positive,
    /// Own funds, in the quote token
    #[arg(long)]
    pub equity: Positive,
    /// LTV (debt over assets) at which the position may be liquidated
    #[arg(long, default_value = "80%")]
    pub maintenance: Ratio,
    /// Somebody liquidates at every look that finds LTV at maintenance, before anybody else acts. Without it nobody ever does
    #[arg(long)]
    pub liquidate: bool,
    /// LTV that liquidations restore
    #[arg(long, default_value = "65%")]
    pub liquidation_target: Ratio,
    /// What liquidators get beyond what they repay
    #[arg(long, default_value = "3%")]
    pub liquidation_bonus: Ratio,
    /// band: what a hedging trade costs, in millionths of what is paid in. A keeper's trades cost --fee-ppm
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(..=500_000))]
    pub swap_cost_ppm: u32,
    /// What an action costs beside its trade (transaction, keeper's reward), in the quote token: not nothing on chain
    #[arg(long, default_value = "0")]
    pub action_cost: Decimal,
    #[command(flatten)]
    pub fees: FeeArgs,
    #[command(flatten)]
    pub perp: PerpArgs,
    #[command(flatten)]
    pub lag: LagArgs,
    #[command(flatten)]
    pub wandering: ConditionArgs,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Yearly rate of the base debt, compounded all the time as on chain: `ballast market show` prints a market's
    #[arg(long, default_value = "0")]
    pub borrow_base_apr: Ratio,
    /// Yearly rate of the quote debt, compounded all the time as on chain
    #[arg(long, default_value = "0")]
    pub borrow_quote_apr: Ratio,
    /// Threads; by default one per core. They change no result
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// The pool's grid of ticks, to which a keeper's range is widened
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub tick_spacing: u16,
    /// Decimals of the base token
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(..=18))]
    pub base_decimals: u8,
    /// Decimals of the quote token
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(..=18))]
    pub quote_decimals: u8,
}

/// The position.
#[derive(Args, Debug)]
pub struct ShapeArgs {
    /// Lower end of the range
    #[arg(long)]
    pub lower: Positive,
    /// Upper end of the range
    #[arg(long)]
    pub upper: Positive,
    /// Assets over own funds: 3 is three times
    #[arg(long)]
    pub leverage: Ratio,
    /// Part of the pool's base that is borrowed: 1 is delta-neutral
    #[arg(long, default_value = "1")]
    pub hedge: Ratio,
}

/// The position, as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Ends of the range.
    pub lower: SqrtPrice,
    pub upper: SqrtPrice,
    pub leverage: Bps,
    /// Part of the pool's base that is borrowed.
    pub hedge: Bps,
    /// Where a keeper's policy rehedges; `None`: as its file says.
    pub delta_band: Option<Bps>,
}

impl ShapeArgs {
    /// As numbers.
    ///
    /// # Errors
    /// Prices in the wrong order, or beyond what a pool can have.
    pub fn shape(&self, units: Units) -> Result<Shape> {
        in_order(&self.lower, &self.upper)?;
        let root =
            |price: &Decimal| price.sqrt_price_down(units.base_decimals, units.quote_decimals);
        let hedge = self.hedge.bps_down()?;
        let given = &*self.hedge;
        ensure!(
            hedge <= Bps::ONE,
            misuse!("--hedge {given} is above 1: 1 (neutral) borrows all of the pool's base")
        );
        Ok(Shape {
            lower: root(&self.lower)?,
            upper: root(&self.upper)?,
            leverage: self.leverage.leverage()?,
            hedge,
            delta_band: None,
        })
    }
}

impl Shape {
    /// The range; a keeper's is on the pool's grid.
    fn band(&self, strategy: &Strategy, spacing: u16) -> Result<Band> {
        let band = if matches!(strategy, Strategy::Keeper(_)) {
            let upper = self.upper.tick();
            // The floor's own price may lie below the one asked for.
            let upper = if upper.sqrt_price() < self.upper {
                Tick::new(upper.get() + 1)?
            } else {
                upper
            };
            Band::new(
                self.lower.tick().align_down(spacing)?,
                upper.align_up(spacing)?,
            )
        } else {
            Band::from_sqrt_prices(self.lower, self.upper)
        };
        band.context("the range is too narrow: widen it")
    }
}

impl ScenarioArgs {
    /// The tokens' decimals.
    pub fn units(&self) -> Units {
        Units {
            base_decimals: self.base_decimals,
            quote_decimals: self.quote_decimals,
        }
    }

    /// When the price is looked at.
    ///
    /// # Errors
    /// Times that make no sense.
    pub fn looks(&self) -> Result<Looks> {
        Looks::new(self.horizon_days.f64(), self.step_secs)
            .context("--horizon-days and --step-secs")
    }

    /// LTV at which a position may be liquidated.
    ///
    /// # Errors
    /// A ratio that is none.
    pub fn maintenance(&self) -> Result<Bps> {
        let maintenance = self.maintenance.bps_down()?;
        ensure!(
            maintenance > Bps::new(0) && maintenance <= Bps::ONE,
            misuse!(
                "--maintenance {} must be above 0 and at most 1: it is debt over assets, 0.8 or 80%",
                *self.maintenance
            )
        );
        Ok(maintenance)
    }

    /// The position, as the program would open it, and what it lives under.
    ///
    /// # Errors
    /// No such position.
    pub fn terms(&self, shape: &Shape, strategy: &Strategy, model: ModelName) -> Result<Terms> {
        let units = self.units();
        let (own_quote, _) = self.equity.raw_down(units.quote_decimals)?;
        let (action_cost, _) = self.action_cost.raw_down(units.quote_decimals)?;
        let opening = Opening {
            units,
            at: self
                .price
                .sqrt_price_down(units.base_decimals, units.quote_decimals)?,
            band: shape.band(strategy, self.tick_spacing)?,
            own_quote,
            leverage: shape.leverage,
            hedge: strategy.opening_hedge(shape.hedge),
        };
        let file = self.models.file()?;
        let record_pays = model.is_recorded()
            && self.models.record.is_of_a_pool()
            && self.fees.taker_volume_day.is_none();
        let fees = self.fees.terms(self.step_secs, &file, record_pays)?;
        let perp = self.perp.terms(units, &file)?;
        // Without fees nobody asks where takers go.
        let second_pool = fees.is_none_or(|fees| fees.takers.other_pool.is_some());
        self.models.check_regimes(second_pool, perp.is_some())?;
        let interest = Interest::new(self.borrow_base_apr.f64(), self.borrow_quote_apr.f64())?;
        let tick_depth = self.fees.tick_depth(&file)?;
        if let Some(depth) = &tick_depth {
            check_known(depth, opening.at, units)?;
        }
        let depth = self.fees.depth(&file).filter(|_| tick_depth.is_none());
        let mut terms = Terms::new(&opening, fees, interest)?
            .with_action_cost(action_cost)
            .with_depth(depth)
            .with_tick_depth(tick_depth);
        if let Some(adaptive) = self.fees.pool.adaptive(&file) {
            terms = (terms.with_adaptive_fee(adaptive.terms())).context("--adaptive-fee")?;
        }
        let terms = match perp {
            None => terms,
            Some(perp) => terms.with_perp(perp)?,
        };
        self.conditions(&file)?.applied_to(terms)
    }

    /// What of reserves and oracle wanders.
    ///
    /// # Errors
    /// Options that contradict each other, and rules that cannot be read.
    pub fn conditions(&self, file: &ModelFile) -> Result<Conditions> {
        let aprs = [&self.borrow_base_apr, &self.borrow_quote_apr];
        let conditions = self
            .wandering
            .conditions(file, &self.lag, &self.rules, aprs)?;
        let depth = self.fees.tick_depth(file)?;
        let adaptive = self.fees.pool.adaptive(file);
        Ok(Conditions {
            pool: PoolReport::of(depth.as_deref(), adaptive, self.units()),
            ..conditions
        })
    }

    /// The files that are read.
    ///
    /// # Errors
    /// A model's file that cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = self.models.files();
        files.extend(self.fees.files(&self.models.file()?));
        Ok(files)
    }

    /// Who looks after it.
    ///
    /// # Errors
    /// A keeper's file that cannot be read.
    pub fn agent(&self, shape: &Shape, strategy: &Strategy, terms: &Terms) -> Result<AnyAgent> {
        if let Strategy::Keeper(path) = strategy {
            let keeper = keeper::keeper(path.as_deref(), self, shape, terms)?;
            return Ok(AnyAgent::Keeper(Box::new(keeper)));
        }
        let most_ltv = keeper::rehedge_ltv(&self.rules)?;
        let baseline = strategy.baseline(shape.hedge, self.swap_cost_ppm, most_ltv);
        Ok(AnyAgent::Baseline(baseline.context("--strategy")?))
    }

    /// The LTV from which a strategy deleverages, if it does.
    ///
    /// # Errors
    /// A keeper's file that cannot be read.
    pub fn deleverage_trigger(&self, shape: &Shape, strategy: &Strategy) -> Result<Option<Bps>> {
        match strategy {
            Strategy::Keeper(path) => {
                keeper::deleverage_trigger(path.as_deref(), self, shape).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What is worth knowing before a strategy sets out.
    ///
    /// # Errors
    /// A keeper's file that cannot be read.
    pub fn warnings(
        &self,
        shape: &Shape,
        strategy: &Strategy,
        terms: &Terms,
    ) -> Result<Vec<String>> {
        let opening = self.opening_warning(shape, strategy, terms)?;
        let old = match strategy {
            Strategy::Keeper(_) => self.lag.age_warning(self.step_secs, &self.rules)?,
            _ => None,
        };
        let coarse = terms.adaptive_fee.and_then(|fee| {
            (self.step_secs > fee.filter_period_secs).then(|| {
                format!(
                    "--step-secs {} is above the adaptive fee's filter period of {} s: what arbitrageurs trade between two looks is one swap, so \
                     that the fee comes out higher; use at most the filter period",
                    self.step_secs, fee.filter_period_secs
                )
            })
        });
        Ok(opening.into_iter().chain(old).chain(coarse).collect())
    }

    /// What is worth knowing of the leverage that a strategy opens with.
    fn opening_warning(
        &self,
        shape: &Shape,
        strategy: &Strategy,
        terms: &Terms,
    ) -> Result<Option<String>> {
        let ltv = Bps::new(terms.opened.value(terms.at)?.ltv_bps_up());
        match strategy {
            Strategy::Keeper(path) => keeper::opening_warning(path.as_deref(), self, shape, ltv),
            Strategy::Band(_) => Ok(rehedge_warning(keeper::rehedge_ltv(&self.rules)?, ltv)),
            _ => Ok(None),
        }
    }

    /// A run of them.
    ///
    /// # Errors
    /// Options that make no sense.
    pub fn run<'a>(&self, terms: &'a Terms, watch: Option<Watch>, paths: u64) -> Result<Run<'a>> {
        let liquidators = Liquidators {
            target: self.liquidation_target.bps_down()?,
            bonus: self.liquidation_bonus.bps_down()?,
        };
        Ok(Run {
            terms,
            looks: self.looks()?,
            maintenance: self.maintenance()?,
            liquidators: self.liquidate.then_some(liquidators),
            lag: self.lag.lag()?,
            watch,
            paths,
            streams: Streams::new(self.seed),
            threads: self.threads,
        })
    }

    /// A model by its name.
    ///
    /// # Errors
    /// What is wrong with its options.
    pub fn model(&self, name: ModelName) -> Result<AnyModel> {
        let purpose = Purpose {
            units: self.units(),
            fee_ppm: self.fees.fee_ppm,
            step_secs: self.step_secs,
            volume_alone: self.fees.taker_volume_day.is_some(),
        };
        let model = self.models.model(name, self.looks()?, purpose)?;
        ensure!(
            self.fees.no_fees || !model.says_what_was_paid() || !self.fees.asks_for_other_pool(),
            misuse!(
                "the record says what was paid to this pool, after a second one had its part: leave --other-pool-fee-ppm out, or say with \
             --taker-volume-day what takers trade in both"
            )
        );
        Ok(model)
    }
}
