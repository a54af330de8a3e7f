//! The terms on which each action is carried out, from what owner and market ask for. The keeper forecasts by the same functions.

use ballast_clmm::{Amounts, SqrtPrice};
use ballast_ledger::{
    CompoundTerms, ExitTerms, GrowthLimits, HedgeTerms, LiquidationTerms, RecenterTerms,
};
use ballast_model::{Bps, Valuation};

use crate::{
    state::{Automation, Limits, Market, Policy, Reaction},
    targets::{Due, MarketRule, max_swap_loss, rehedge_limit},
};

/// Of a rehedge of what is worth `before`.
pub fn rehedge(market: &Market, policy: &Policy, before: &Valuation) -> HedgeTerms {
    HedgeTerms {
        hedge: policy.hedge(),
        target: rehedge_limit(MarketRule::of(market), policy, before),
        loss: Bps::ZERO,
        max_loss: max_swap_loss(&market.limits, policy),
        // Its loss is charged at the worse of both prices.
        newer: None,
    }
}

/// Of a deleverage with a swap. `newer`: the newest price that is known.
pub fn deleverage_swap(
    limits: &Limits,
    policy: &Policy,
    due: &Due,
    newer: Option<SqrtPrice>,
) -> HedgeTerms {
    let max_loss = due.max_swap_loss(limits, policy);
    HedgeTerms {
        hedge: policy.hedge(),
        target: due.target,
        loss: max_loss,
        max_loss,
        newer,
    }
}

/// Of a recentering.
pub fn recenter(
    limits: &Limits,
    policy: &Policy,
    automation: &Automation,
    oracle: SqrtPrice,
) -> RecenterTerms {
    RecenterTerms {
        oracle,
        leverage: automation.leverage(limits),
        max_value: limits.max_position_value,
        hedge: policy.hedge(),
        near: policy.left_alone(),
        max_loss: max_swap_loss(limits, policy),
    }
}

/// Of compounding. `grows`: the market allows new risk.
pub fn compound(
    limits: &Limits,
    policy: &Policy,
    automation: &Automation,
    oracle: SqrtPrice,
    grows: bool,
) -> CompoundTerms {
    CompoundTerms {
        oracle,
        leverage: automation.leverage(limits),
        grows: grows.then(|| GrowthLimits {
            hedge: policy.hedge(),
            delta_band: Bps::new(policy.delta_band_bps),
            min_value: limits.min_position_value,
            max_value: limits.max_position_value,
        }),
    }
}

/// Of an exit. `newer`: the newest price that is known.
pub fn exit(
    limits: &Limits,
    automation: &Automation,
    reaction: Reaction,
    oracle: SqrtPrice,
    newer: Option<SqrtPrice>,
) -> ExitTerms {
    let max_loss_bps = automation.max_exit_loss_bps.min(limits.max_swap_loss_bps);
    ExitTerms {
        payout: reaction.payout(),
        oracle,
        max_loss: Bps::new(max_loss_bps),
        newer,
    }
}

/// Of a liquidation at a price, see [`crate::due::liquidation_prices`], by somebody who can bring `funds`.
pub fn liquidation(market: &Market, oracle: SqrtPrice, funds: Amounts) -> LiquidationTerms {
    LiquidationTerms {
        oracle,
        bonus: Bps::new(market.limits.liquidation_bonus_bps),
        write_off_bonus: Bps::new(market.safety.effective().write_off_bonus_bps),
        funds,
    }
}
