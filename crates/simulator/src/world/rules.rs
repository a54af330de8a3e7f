//! What the program demands after an action, and what it notes of it.

use ballast::{
    oracle::{OraclePrice, confidence_ppm_up, newest_price},
    risk,
    state::{Allowance, Change, Position as Stored},
};
use ballast_clmm::Amounts;
use ballast_ledger::{LedgerError, Values};
use ballast_model::{Bps, Position, SqrtPrice, quiet::HedgeBand};
use ballast_strategy::decide::Action;

use super::{World, WorldError, seated::Seated};

/// Why what a keeper has sent is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not due any more.
    Changed,
    /// The swap would lose too much.
    SwapLoss,
    /// A reserve does not lend.
    Reserve,
    /// It would leave the position worse than the program lets it.
    After,
    /// Keepers have lost too much lately.
    Allowance,
    /// Anything else.
    Other,
}

impl Refusal {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "not due any more",
            Self::SwapLoss => "swap loses too much",
            Self::Reserve => "reserve does not lend",
            Self::After => "position not better",
            Self::Allowance => "allowance for losses used up",
            Self::Other => "other",
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::SwapLoss { .. } | LedgerError::OtherAmounts => Self::SwapLoss,
            LedgerError::Lending { .. } | LedgerError::Capped { .. } => Self::Reserve,
            _ => Self::Other,
        }
    }
}

impl World {
    /// What the program demands after an action, and what it notes of it.
    pub(super) fn would_pass(
        &self,
        action: &Action,
        [before, after]: [&Position; 2],
        oracle: SqrtPrice,
        (seat, ledger): (usize, &Values<Seated>),
        stored: &mut Stored,
    ) -> Result<Result<(), Refusal>, WorldError> {
        let market = &self.market.market;
        let limits = &market.limits;
        let newest = newest_price(market);
        let now_secs = self.market.now_secs;
        let policy = stored.policy;
        let trades = ledger.pool.trades;
        let traded = u64::try_from(trades.base_sold + trades.base_bought).unwrap_or(u64::MAX);
        let errors = [
            before.hedge_error(oracle, policy.hedge())?,
            after.hedge_error(oracle, policy.hedge())?,
        ];
        let lowered = || risk::require_ltv_lowered(limits, before, after, oracle).is_ok();
        let passes = match action {
            Action::Deleverage { target, .. } | Action::DeleverageSwap { target, .. } => {
                stored.deleverages = stored.deleverages.saturating_add(1);
                !after.value(oracle)?.ltv_above(*target) || lowered()
            }
            Action::Rehedge(_) => {
                let within = risk::within_band(after, errors[1], policy.delta_target_bps);
                let complete = within.unwrap_or(false);
                if complete {
                    stored.last_rebalance_secs = now_secs;
                    stored.rehedges = stored.rehedges.saturating_add(1);
                }
                let nearer = errors[1].unsigned_abs() < errors[0].unsigned_abs();
                let stress = risk::require_stress_not_worsened(limits, before, after, oracle);
                (complete || nearer) && stress.is_ok()
            }
            Action::Recenter(_) => {
                stored.last_recenter_secs = now_secs;
                stored.last_rebalance_secs = now_secs;
                stored.recenters = stored.recenters.saturating_add(1);
                let hedged = risk::within_band(after, errors[1], policy.delta_target_bps);
                self.is_initially_healthy(after, ledger, oracle) && hedged.unwrap_or(false)
            }
            Action::Compound(_) => {
                stored.compounds = stored.compounds.saturating_add(1);
                let value = after.value(oracle)?;
                let only_repays = after.liquidity == before.liquidity;
                only_repays && value.debt <= value.assets
                    || self.is_initially_healthy(after, ledger, oracle)
            }
            Action::Exit(_) => {
                stored.exits = stored.exits.saturating_add(1);
                true
            }
            Action::Liquidate { .. } => {
                stored.liquidations = stored.liquidations.saturating_add(1);
                true
            }
        };
        if !passes {
            return Ok(Err(Refusal::After));
        }
        let allowance = match action {
            Action::Rehedge(_) => {
                let band = HedgeBand {
                    hedge: policy.hedge(),
                    band: Bps::new(policy.delta_band_bps),
                };
                let twice = u128::from(band.tolerance_down(before)?) * 2;
                if errors[0].unsigned_abs() > twice {
                    Allowance::Defensive
                } else {
                    Allowance::Daily
                }
            }
            Action::Recenter(_) | Action::Compound(_) => Allowance::Daily,
            _ => return Ok(Ok(())),
        };
        let fees = match action {
            Action::Rehedge(_) => Amounts::ZERO,
            _ => self.pool.fees_of(seat),
        };
        let change = Change {
            before: &before.with_idle(fees)?,
            after,
            needed_base: traded,
            fee_rate_ppm: u16::try_from(self.pool.fee().rate_ppm()).unwrap_or(u16::MAX),
        };
        let charge = change.charge(oracle, newest)?;
        let recent = allowance.recent(stored);
        let max_bps = allowance.max_bps(market, stored);
        let charged = recent.charged(charge.loss, charge.equity, max_bps, now_secs);
        if let Some(charged) = charged {
            allowance.store(stored, charged);
        }
        Ok(charged.map(|_| ()).ok_or(Refusal::Allowance))
    }

    /// Whether the initial LTV holds in all of the price's interval; prices that say none pass nothing, as in the program.
    fn is_initially_healthy(
        &self,
        after: &Position,
        ledger: &Values<Seated>,
        oracle: SqrtPrice,
    ) -> bool {
        let market = &self.market.market;
        let price = || {
            let [base, quote] = [&self.market.base_price, &self.market.quote_price];
            let uncertainty_ppm =
                confidence_ppm_up(base)?.saturating_add(confidence_ppm_up(quote)?);
            OraclePrice::around(oracle, uncertainty_ppm)
        };
        price().is_ok_and(|price| {
            let (pool, newest) = (ledger.pool.pool.sqrt_price(), newest_price(market));
            risk::require_initial_health(&market.limits, after, &price, pool, newest).is_ok()
        })
    }
}
