//! What `ballast quote` says, as JSON.

use ballast_client::{Limits, Side, opening_warning, trigger_warning};
use ballast_model::{
    Bps,
    screen::{Real, RiskReport},
};
use ballast_quote::{
    Carry, Chance, CurvePoint, Gap, HedgeCost, Opened, OpeningTrade, Quote, Rehedging, Trigger,
    TriggerKind, Unwinding,
};
use serde::{Serialize, Serializer};

use super::{
    in_range,
    on_chain::{self, OnChain, OnChainError},
    setting::{Request, Setting},
};
use crate::{
    format::{amount, percent, signed_amount},
    policy::PolicyView,
    range,
};

/// A quote in whole tokens. Named as in `ballast risk`, whose input the JSON form is: P, pa, pb, L, lx, ly, dx, dy, t; x
/// and y are the amounts in the pool. Beside them the names of `ballast positions`: `lower` and `upper` are the range, and what
/// `ballast risk` answers under these names is `liquidation_lower` and `liquidation_upper` here.
#[allow(
    non_snake_case,
    reason = "the names of the formulas and of `ballast risk`"
)]
#[derive(Debug, Serialize)]
pub struct QuoteReport {
    pub P: f64,
    pub pa: f64,
    pub pb: f64,
    pub L: f64,
    pub x: f64,
    pub y: f64,
    pub lx: f64,
    pub ly: f64,
    pub dx: f64,
    pub dy: f64,
    pub t: f64,
    pub own_funds: f64,
    pub hedge: f64,
    #[serde(flatten, serialize_with = "but_for_the_range")]
    pub risk: RiskReport,
    /// Whether LTV is at or above maintenance already.
    pub liquidated_at_once: bool,
    /// Whether the pool trades in the range, so that the position earns fees.
    pub in_range: bool,
    #[serde(flatten)]
    pub view: View,
    pub warnings: Vec<String>,
    /// Why this should not be opened, if so; the first of the warnings.
    #[serde(skip)]
    pub refusal: Option<String>,
    pub policy: PolicyView,
    pub conditions: ConditionsView,
    pub triggers: Vec<Trigger>,
    /// What would be due as soon as it is open.
    pub due_at_once: Vec<TriggerKind>,
    pub curve: Vec<CurvePoint>,
    pub carry: Option<Carry>,
    pub rehedging: Option<Rehedging>,
    pub chances: Vec<Chance>,
    pub opening: Option<OpeningTrade>,
    pub unwinding: Option<Vec<Unwinding>>,
    pub gaps: Vec<Gap>,
    pub hedge_cost: HedgeCost,
    #[serde(serialize_with = "plan_or_error")]
    pub on_chain: Result<OnChain, OnChainError>,
    /// Everything, for pictures.
    #[serde(skip)]
    pub quote: Quote,
    /// Of base and quote.
    #[serde(skip)]
    pub decimals: (u8, u8),
}

/// Without the liquidation prices, whose names are the range's everywhere else.
fn but_for_the_range<S: Serializer>(risk: &RiskReport, to: S) -> Result<S::Ok, S::Error> {
    let value = serde_json::to_value(risk).map_err(serde::ser::Error::custom)?;
    let fields = value.as_object().into_iter().flatten();
    to.collect_map(fields.filter(|(name, _)| !["lower", "upper"].contains(&name.as_str())))
}

/// Names of `ballast positions`. Amounts are exact decimal strings.
#[derive(Clone, Debug, Default, Serialize)]
pub struct View {
    pub market: Option<String>,
    pub price: f64,
    pub pool_price: Option<f64>,
    pub lower: f64,
    pub upper: f64,
    /// The same, by their older names.
    pub range_lower: f64,
    pub range_upper: f64,
    pub tick_lower: Option<i32>,
    pub tick_upper: Option<i32>,
    pub liquidity: Option<String>,
    pub pool_base: Option<String>,
    pub pool_quote: Option<String>,
    pub idle_base: Option<String>,
    pub idle_quote: Option<String>,
    pub debt_base: Option<String>,
    pub debt_quote: Option<String>,
    pub hedge_error: Option<String>,
    pub leverage_bps: Option<u64>,
    pub ltv_bps: Option<u32>,
    pub maintenance_ltv_bps: u32,
    pub liquidation_lower: Option<f64>,
    pub liquidation_upper: Option<f64>,
    pub distance_bps: Option<i64>,
    pub sigma_days: Option<f64>,
    pub entry_price: f64,
    pub entry_equity: Option<String>,
    pub keepers_allowed: bool,
    pub base: Option<String>,
    pub quote: Option<String>,
}

/// What the position lives under, and where that comes from.
#[derive(Debug, Serialize)]
pub struct ConditionsView {
    pub source: String,
    pub sigma_day: Option<f64>,
    pub sigma_source: Option<String>,
    pub fee: Option<f64>,
    pub protocol_share: f64,
    pub block_secs: f64,
    pub borrow_base_apr: f64,
    pub borrow_quote_apr: f64,
    pub funding_hour: Option<f64>,
    pub action_cost: f64,
    pub horizon_days: f64,
    /// Whether swaps are walked through the pool's depth.
    pub depth: bool,
}

fn plan_or_error<S: Serializer>(
    plan: &Result<OnChain, OnChainError>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Refused {
        error: String,
    }
    match plan {
        Ok(plan) => plan.serialize(serializer),
        Err(error) => Refused {
            error: error.to_string(),
        }
        .serialize(serializer),
    }
}

/// Whether a move of the stress distance may reach maintenance before a keeper acts, and whether the position is to be deleveraged as soon
/// as it is open.
fn triggers(request: &Request, setting: &Setting, ltv: Option<Bps>) -> [Option<String>; 2] {
    let limits = Limits {
        maintenance_ltv_bps: request.inputs.rules.maintenance.get(),
        ..setting.limits
    };
    let at_once = ltv.and_then(|ltv| opening_warning(&limits, &request.policy, ltv));
    [trigger_warning(&limits, &request.policy), at_once]
}

impl QuoteReport {
    pub fn new(request: &Request, setting: &Setting, quote: Quote) -> Self {
        let (asked, conditions) = (&request.inputs.asked, &request.inputs.conditions);
        let position = *quote.sizing.position();
        let risk = quote.sizing.at_open();
        let beyond = range::outside(asked.price, asked.lower, asked.upper);
        let threshold = position.threshold.to_f64();
        let on_chain = on_chain::plan(request, quote.opened.as_ref());
        // In whole basis points on chain, rounded against the owner: either of both is reason enough.
        let liquidated_at_once = risk.ltv.is_some_and(|ltv| ltv >= threshold)
            || on_chain.as_ref().is_ok_and(|plan| plan.liquidatable);
        // What is liquidated at once is worse.
        let opens_at = on_chain.as_ref().ok().filter(|_| !liquidated_at_once);
        let opens_at = opens_at.map(|plan| Bps::new(plan.ltv_bps));
        let refusal = liquidated_at_once.then(|| {
            format!(
                "LTV {} is at or above maintenance {}: the position would be liquidated at once, use less leverage",
                percent(risk.ltv.unwrap_or(0.0)),
                percent(threshold)
            )
        });
        Self {
            liquidated_at_once,
            in_range: in_range(asked),
            view: View::new(request, setting, &quote, &risk),
            warnings: refusal
                .iter()
                .cloned()
                .chain(beyond)
                .chain(triggers(request, setting, opens_at).into_iter().flatten())
                .collect(),
            refusal,
            P: position.price.to_f64(),
            pa: position.lower.to_f64(),
            pb: position.upper.to_f64(),
            L: position.liquidity.to_f64(),
            x: quote.sizing.base.to_f64(),
            y: quote.sizing.quote.to_f64(),
            lx: 0.0,
            ly: 0.0,
            dx: position.debt_base.to_f64(),
            dy: position.debt_quote.to_f64(),
            t: threshold,
            own_funds: asked.equity.to_f64(),
            hedge: asked.hedge.to_f64(),
            risk,
            policy: PolicyView::from(&request.policy),
            conditions: ConditionsView {
                source: setting.source.clone(),
                sigma_day: conditions.sigma_day,
                sigma_source: request.sigma_source.clone(),
                fee: conditions.fee,
                protocol_share: conditions.protocol_share,
                block_secs: conditions.block_secs,
                borrow_base_apr: conditions.base_apr,
                borrow_quote_apr: conditions.quote_apr,
                funding_hour: conditions.funding_hour,
                action_cost: conditions.action_cost,
                horizon_days: conditions.horizon_days,
                depth: conditions.depth.is_some(),
            },
            triggers: quote.triggers.clone(),
            due_at_once: quote.due.clone(),
            curve: quote.curve.clone(),
            carry: quote.carry,
            rehedging: quote.rehedging,
            chances: quote.chances.clone(),
            opening: quote.opening,
            unwinding: quote.unwinding.clone(),
            gaps: quote.gaps.clone(),
            hedge_cost: quote.hedge_cost,
            on_chain,
            quote,
            decimals: setting.decimals,
        }
    }
}

impl View {
    fn new(request: &Request, setting: &Setting, quote: &Quote, risk: &RiskReport) -> Self {
        let inputs = &request.inputs;
        let asked = &inputs.asked;
        let (base, decimals) = setting.decimals;
        let token = |side| Some(setting.names.as_ref()?.get(side).to_owned());
        let (sigma_day, price) = (inputs.conditions.sigma_day, asked.price.to_f64());
        let reached = risk
            .ltv
            .is_some_and(|ltv| ltv >= asked.maintenance.to_f64());
        let nearest = |sigma_day| match reached {
            true => Some((0, 0.0)),
            false => ballast_view::nearest(price, risk.lower, risk.upper, sigma_day)
                .map(|nearest| (nearest.distance_bps, nearest.sigma_days)),
        };
        let bare = Self {
            market: setting.market.clone(),
            price,
            pool_price: setting
                .depth
                .as_ref()
                .map(|depth| range::price(depth.sqrt_price(), base, decimals).to_f64()),
            lower: asked.lower.to_f64(),
            upper: asked.upper.to_f64(),
            range_lower: asked.lower.to_f64(),
            range_upper: asked.upper.to_f64(),
            tick_lower: request.ticks.map(|ticks| ticks.lower.get()),
            tick_upper: request.ticks.map(|ticks| ticks.upper.get()),
            maintenance_ltv_bps: inputs.rules.maintenance.get(),
            liquidation_lower: risk.lower,
            liquidation_upper: risk.upper,
            distance_bps: nearest(1.0).map(|(distance_bps, _)| distance_bps),
            sigma_days: sigma_day
                .and_then(nearest)
                .map(|(_, sigma_days)| sigma_days),
            entry_price: price,
            keepers_allowed: request.policy.keeper_enabled == 1,
            base: token(Side::Base),
            quote: token(Side::Quote),
            ..Self::default()
        };
        let Some(Ok(opened)) = &quote.opened else {
            return bare;
        };
        let hedge = inputs.rules.hedge.hedge;
        bare.with_amounts(opened, hedge, setting.decimals)
            .unwrap_or(bare)
    }

    /// `None` where an amount is out of range.
    fn with_amounts(&self, opened: &Opened, hedge: Bps, (base, quote): (u8, u8)) -> Option<Self> {
        let (position, at) = (&opened.position, opened.at);
        let value = position.value(at).ok()?;
        let pool = position.pool_amounts_down(at).ok()?;
        Some(Self {
            liquidity: Some(position.liquidity.to_string()),
            pool_base: Some(amount(pool.base, base)),
            pool_quote: Some(amount(pool.quote, quote)),
            idle_base: Some(amount(position.idle.base, base)),
            idle_quote: Some(amount(position.idle.quote, quote)),
            debt_base: Some(amount(position.debt.base, base)),
            debt_quote: Some(amount(position.debt.quote, quote)),
            hedge_error: Some(signed_amount(position.hedge_error(at, hedge).ok()?, base)),
            leverage_bps: Some(value.leverage_bps_up()).filter(|leverage| *leverage < u64::MAX),
            ltv_bps: Some(value.ltv_bps_up()),
            entry_equity: Some(signed_amount(value.equity(), quote)),
            ..self.clone()
        })
    }
}
