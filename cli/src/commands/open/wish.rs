//! What is asked for when a position is opened, in raw units, and the plan for it.

use anyhow::{Context, Result, anyhow, ensure};
use ballast_client::{Amounts, MarketContext, MarketSnapshot, OpenArgs as Args_, Side};
use ballast_model::{Band, Bps, OpenError, OpenPlan, OpenRequest, Trade, plan_open};

use super::{OpenArgs, Planned};
use crate::{
    format::{amount, signed_amount, times},
    policy::default_policy,
    range::{self, TickRange},
};

/// What was asked for, in raw units, and the plan for it.
pub struct Wish {
    pub own: Amounts,
    leverage: Bps,
    slippage: Bps,
    pub ticks: TickRange,
    band: Band,
    pub policy: ballast_client::Policy,
    plan: OpenPlan,
}

impl Wish {
    pub fn new(
        args: &OpenArgs,
        slippage: Bps,
        market: &MarketContext,
        snapshot: &MarketSnapshot,
    ) -> Result<Self> {
        let (base, quote) = (market.base.decimals, market.quote.decimals);
        let own = Amounts {
            base: args.own_base.raw(base).context("--own-base")?,
            quote: args.own_quote.raw(quote).context("--own-quote")?,
        };
        ensure!(
            own != Amounts::ZERO,
            "no own funds: pass --own-quote, --own-base or both"
        );
        let limits = &market.market.limits;
        let leverage = args.leverage.bps_down().context("--leverage")?;
        ensure!(
            leverage.get() <= limits.max_leverage_bps,
            "--leverage {} is above the market's cap of {}",
            *args.leverage,
            times(limits.max_leverage_bps.into())
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
        let at = snapshot.pool.sqrt_price;
        let request = OpenRequest {
            own,
            leverage,
            hedge: policy.hedge(),
            band,
            at,
        };
        let oracle = snapshot.oracle_sqrt_price().unwrap_or(at);
        let hedged = |plan: OpenPlan| plan.hedged_at(&request, oracle);
        let plan = plan_open(request).and_then(hedged).map_err(|error| match error {
            OpenError::NotAffordable { hedge_value, debt_allowed, .. } => {
                let shown = |value: u128| amount(u64::try_from(value).unwrap_or(u64::MAX), quote);
                anyhow!(
                    "hedge not affordable: the base to borrow is worth {} quote, but leverage {} allows debt of only \
                     {}: raise --leverage, lower --hedge or move the range down",
                    shown(hedge_value),
                    *args.leverage,
                    shown(debt_allowed)
                )
            }
            other => other.into(),
        })?;
        Ok(Self {
            own,
            leverage,
            slippage,
            ticks,
            band,
            policy,
            plan,
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

    pub fn trade(&self) -> Trade {
        if self.plan.base_surplus >= 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        }
    }

    pub fn args(&self, id: u64) -> Args_ {
        let slippage = self.slippage.get();
        let plan = &self.plan;
        let more = Bps::new(Bps::ONE.get() + slippage);
        // A unit more for each rounding, so that small debts have room as well.
        let debt = |side: Side| {
            let most = more.of_up(u128::from(plan.borrow.get(side)) + 2);
            most.and_then(|most| u64::try_from(most).ok())
                .unwrap_or(u64::MAX)
        };
        Args_ {
            id,
            tick_lower: self.ticks.lower.get(),
            tick_upper: self.ticks.upper.get(),
            own_base: self.own.base,
            own_quote: self.own.quote,
            leverage_bps: self.leverage.get(),
            policy: self.policy,
            min_liquidity: Bps::new(Bps::ONE.get() - slippage)
                .of_down(plan.liquidity)
                .unwrap_or(0),
            max_base_debt: debt(Side::Base),
            max_quote_debt: debt(Side::Quote),
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
        let value = self
            .plan
            .position(self.band)
            .value(snapshot.pool.sqrt_price)?;
        let price = |root| ballast_model::screen::Real::to_f64(range::price(root, base, quote));
        Ok(Planned {
            position: position.to_owned(),
            id,
            lower: price(self.band.sqrt_lower()),
            upper: price(self.band.sqrt_upper()),
            tick_lower: self.ticks.lower.get(),
            tick_upper: self.ticks.upper.get(),
            leverage_bps: self.leverage.get(),
            liquidity: self.plan.liquidity.to_string(),
            deposit_base: amount(self.plan.deposit.base, base),
            deposit_quote: amount(self.plan.deposit.quote, quote),
            borrow_base: amount(self.plan.borrow.base, base),
            borrow_quote: amount(self.plan.borrow.quote, quote),
            swap_base: signed_amount(self.plan.base_surplus, base),
            ltv_bps: value.ltv_bps_up(),
        })
    }
}
