//! Carrying an action out on a ledger of numbers as the program would: for simulations, and to check that both do the same. What the
//! program demands before and afterwards is not asked here.

use ballast::{
    state::{Market, MarketMode, Position, Reaction},
    targets::{MarketRule, deleverage_due},
    terms,
};
use ballast_ledger::{
    Ledger, LedgerError, Pool, Values, compound, deleverage, deleverage_swap, exit, hedge,
    liquidate, recenter,
};
use ballast_model::{
    Amounts, Band, Bps, DeleverageError, LiquidationError, ModelError, SqrtPrice, Tick,
    plan_liquidation,
};

use crate::decide::Action;

/// An action without its expected amounts: what a transaction says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// See [`ballast_ledger::hedge()`].
    Rehedge,
    /// See [`ballast_ledger::deleverage()`].
    Deleverage,
    /// See [`ballast_ledger::deleverage_swap()`].
    DeleverageSwap,
    /// See [`ballast_ledger::recenter()`].
    Recenter {
        /// Ends of the new band.
        ticks: [i32; 2],
    },
    /// See [`ballast_ledger::compound()`].
    Compound,
    /// See [`ballast_ledger::exit()`].
    Exit(Reaction),
    /// See [`ballast_ledger::liquidate()`].
    Liquidate {
        /// Most that the liquidator pays in.
        max_pay: Amounts,
    },
}

impl From<&Action> for Deed {
    fn from(action: &Action) -> Self {
        match action {
            Action::Rehedge(_) => Self::Rehedge,
            Action::Deleverage { .. } => Self::Deleverage,
            Action::DeleverageSwap { .. } => Self::DeleverageSwap,
            Action::Recenter(plan) => Self::Recenter { ticks: plan.ticks },
            Action::Compound(_) => Self::Compound,
            Action::Exit(plan) => Self::Exit(plan.reaction),
            Action::Liquidate { max_pay, .. } => Self::Liquidate { max_pay: *max_pay },
        }
    }
}

/// What the program goes by, beside the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The market's.
    pub market: &'a Market,
    /// The owner's, in the position as stored.
    pub position: &'a Position,
    /// The oracle's price.
    pub oracle: SqrtPrice,
    /// The cluster's clock, Unix seconds.
    pub now_secs: i64,
}

/// Does it.
///
/// # Errors
/// Those of the actions, and [`LedgerError::Deleverage`] where a deleverage is not due.
pub fn carry_out<P: Pool>(
    deed: Deed,
    rules: &Rules,
    ledger: &mut Values<P>,
) -> Result<(), P::Error> {
    let Rules {
        market,
        position,
        oracle,
        now_secs,
    } = *rules;
    let (limits, policy) = (&market.limits, &position.policy);
    let automation = &position.automation;
    let before = ledger.position()?;
    let value = before.value(oracle).map_err(LedgerError::from)?;
    let pool = ledger.pool_price()?;
    match deed {
        Deed::Rehedge => {
            let terms = terms::rehedge(market, policy, &value);
            hedge(ledger, &before, pool, oracle, &terms)?;
        }
        Deed::Deleverage | Deed::DeleverageSwap => {
            let rule = MarketRule::of(market);
            let due = deleverage_due(rule, policy, true, &value).map_err(|_| {
                LedgerError::Deleverage(DeleverageError::NotNeeded {
                    ltv_bps: value.ltv_bps_up(),
                    target: rule.target,
                })
            })?;
            let planned = due.plan(&before, oracle, pool);
            if deed == Deed::Deleverage {
                deleverage(ledger, &before, pool, planned)?;
            } else {
                let terms = terms::deleverage_swap(limits, policy, &due, None);
                deleverage_swap(ledger, &before, [pool, oracle], planned, &terms)?;
            }
        }
        Deed::Recenter { ticks } => {
            let band = band(ticks)?;
            let terms = terms::recenter(limits, policy, automation, oracle);
            recenter(ledger, value.assets, &terms, |ledger| {
                ledger.band = band;
                Ok(())
            })?;
        }
        Deed::Compound => {
            let grows = market.mode_at(now_secs) == MarketMode::Normal;
            let terms = terms::compound(limits, policy, automation, oracle, grows);
            ledger.pool.book(&before.band);
            compound(ledger, &terms, |_| Ok(()))?;
        }
        Deed::Exit(reaction) => {
            let terms = terms::exit(limits, automation, reaction, oracle, None);
            exit(ledger, &terms, |_| Ok(()))?;
        }
        Deed::Liquidate { max_pay } => {
            let terms = terms::liquidation(market, oracle, max_pay.min(ledger.payer));
            let target = Bps::new(limits.target_ltv_bps);
            let plan = plan_liquidation(&before, oracle, target, terms.bonus);
            let plan = plan.map_err(|error| match error {
                LiquidationError::Model(error) => LedgerError::Model(error),
                _ => LedgerError::NothingToPayWith,
            })?;
            liquidate(ledger, &before, plan, &terms)?;
        }
    }
    Ok(())
}

fn band(ticks: [i32; 2]) -> Result<Band, LedgerError> {
    let [lower, upper] = ticks.map(|tick| Tick::new(tick).map_err(ModelError::from));
    Ok(Band::new(lower?, upper?).map_err(ModelError::from)?)
}
