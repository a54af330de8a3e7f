//! What is asked for when a position is opened, in raw units, and the plan for it.

use anyhow::{Context, Result, ensure};
use ballast_client::{Amounts, MarketContext, MarketSnapshot, OpenArgs as Args_, Side};
use ballast_model::{Band, Bps, Position, Trade};
use ballast_view::TokenNames;

use super::{OpenArgs, Planned};
use crate::{
    format::{amount, signed_amount, times},
    growth::{Bounds, Growth, Wanted},
    policy::default_policy,
    range::{self, TickRange},
    trouble::misuse,
};

/// What was asked for, in raw units, and the plan for it.
pub struct Wish {
    pub own: Amounts,
    leverage: Bps,
    pub ticks: TickRange,
    band: Band,
    pub policy: ballast_client::Policy,
    pub plan: Growth,
    bounds: Bounds,
}

impl Wish {
    pub fn new(
        args: &OpenArgs,
        slippage: Bps,
        market: &MarketContext,
        snapshot: &MarketSnapshot,
    ) -> Result<Self> {
        let (base, quote) = (market.base.decimals, market.quote.decimals);
        let names = TokenNames::of(&market.market);
        let own = Amounts {
            base: (args.own_base.raw_of(&names, Side::Base)).context("--own-base")?,
            quote: (args.own_quote.raw_of(&names, Side::Quote)).context("--own-quote")?,
        };
        ensure!(
            own != Amounts::ZERO,
            crate::trouble::Misuse("no own funds: pass --own-quote, --own-base or both".into())
        );
        let limits = &market.market.limits;
        let leverage = args.leverage.bps_down().context("--leverage")?;
        ensure!(
            leverage.get() <= limits.max_leverage_bps,
            misuse!(
                "--leverage {} is above the market's cap of {}",
                *args.leverage,
                times(limits.max_leverage_bps.into())
            )
        );
        let ticks = range::around(
            &args.lower,
            &args.upper,
            market.market.tick_spacing,
            (base, quote),
        )?;
        let band = Band::new(ticks.lower, ticks.upper)?;
        let policy = args
            .policy
            .applied_to(default_policy(limits, snapshot.pool.fee_rate_ppm))?;
        let wanted = Wanted {
            model: Position {
                band,
                liquidity: 0,
                idle: own,
                debt: Amounts::ZERO,
            },
            shares: [0; 2],
            leverage,
            policy,
            oracle: (snapshot.oracle_sqrt_price()).unwrap_or(snapshot.pool.sqrt_price),
        };
        let plan = Growth::new(snapshot, &wanted)?;
        Ok(Self {
            own,
            leverage,
            ticks,
            band,
            policy,
            plan,
            bounds: plan.bounds(slippage)?,
        })
    }

    /// What is worth knowing if the pool trades outside the range.
    pub fn outside(&self, market: &MarketContext, snapshot: &MarketSnapshot) -> Option<String> {
        let (base, quote) = (market.base.decimals, market.quote.decimals);
        let price = |root| range::price(root, base, quote);
        range::outside(
            price(snapshot.pool.sqrt_price),
            price(self.band.sqrt_lower()),
            price(self.band.sqrt_upper()),
        )
    }

    /// Which way it will trade.
    pub fn trade(&self) -> Trade {
        self.plan.trade()
    }

    /// The program's arguments, held to the plan.
    pub fn args(&self, id: u64) -> Args_ {
        self.args_within(id, self.bounds)
    }

    /// The same, held to nothing: to see what would become of it.
    pub fn unbound(&self, id: u64) -> Args_ {
        self.args_within(id, Bounds::NONE)
    }

    fn args_within(&self, id: u64, bounds: Bounds) -> Args_ {
        Args_ {
            id,
            tick_lower: self.ticks.lower.get(),
            tick_upper: self.ticks.upper.get(),
            own_base: self.own.base,
            own_quote: self.own.quote,
            leverage_bps: self.leverage.get(),
            policy: self.policy,
            min_liquidity: bounds.min_liquidity,
            max_base_debt: bounds.max_debt.base,
            max_quote_debt: bounds.max_debt.quote,
        }
    }

    pub fn planned(
        &self,
        market: &MarketContext,
        position: &str,
        id: u64,
        snapshot: &MarketSnapshot,
    ) -> Result<Planned> {
        let (base, quote) = (market.base.decimals, market.quote.decimals);
        let (plan, after) = (&self.plan, &self.plan.after);
        let value = after.value(snapshot.pool.sqrt_price)?;
        let price = |root| ballast_model::screen::Real::to_f64(range::price(root, base, quote));
        Ok(Planned {
            position: position.to_owned(),
            id,
            lower: price(self.band.sqrt_lower()),
            upper: price(self.band.sqrt_upper()),
            tick_lower: self.ticks.lower.get(),
            tick_upper: self.ticks.upper.get(),
            leverage_bps: self.leverage.get(),
            liquidity: plan.added.to_string(),
            deposit_base: amount(plan.deposit.base, base),
            deposit_quote: amount(plan.deposit.quote, quote),
            borrow_base: amount(after.debt.base, base),
            borrow_quote: amount(after.debt.quote, quote),
            swap_base: signed_amount(plan.swapped, base),
            ltv_bps: value.ltv_bps_up(),
        })
    }
}
