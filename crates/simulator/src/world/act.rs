//! What keepers and liquidators do to a position, and whether the program would have it.

use ballast::{
    oracle::{OraclePrice, take_note},
    risk,
    state::{Allowance, Change},
};
use ballast_clmm::{Amounts, Side, SwapMode};
use ballast_ledger::{Ledger, LedgerError, Values};
use ballast_model::{
    Bps, Position, SqrtPrice, Trade,
    price::{scale_down, scale_up},
    quiet::HedgeBand,
    value_down,
};
use ballast_strategy::{
    ActionKind, Kinds,
    act::{Deed, Rules, carry_out},
    decide::{Action, Decision},
    watch::watch,
};

use super::{Intent, World, WorldError, index, seated::Seated};
use crate::ticks::SwapOrder;

/// For how long a keeper relies on a quiet interval.
const HORIZON_SECS: u32 = 600;
/// For how long it remembers what was refused.
const REFUSED_SECS: u64 = 60;
/// Longest pause after refusals, each of which doubles it.
const MOST_PAUSE_SECS: u64 = 60;
/// How far below the price outside a liquidator sells into the pool; the rest he sells outside.
const DUMP_LOG: f64 = 0.05;

/// Why what a keeper has sent is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
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
    const fn name(self) -> &'static str {
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
    /// A keeper looks at its position: what it has sent lands, and what is due is sent.
    pub(super) fn keep(&mut self, number: usize) -> Result<(), WorldError> {
        if !self.transport.works(self.secs) {
            return Ok(());
        }
        if self.secs < self.tracks[number].rests_until_secs {
            return Ok(());
        }
        if let Some(intent) = self.tracks[number].intent {
            if intent.due_secs > self.secs {
                return Ok(());
            }
            self.tracks[number].intent = None;
            self.tracks[number].watch = None;
            if self.transport.lands(self.outside.sigma_day()) {
                self.land_intent(number, intent)?;
            } else {
                self.tracks[number].missed += 1;
            }
        }
        let now_secs = self.market.now_secs;
        let oracle = self.oracle_price()?;
        let rests = self.tracks[number]
            .watch
            .is_some_and(|watch| now_secs < watch.until_secs && watch.quiet.contains(oracle));
        if rests {
            return Ok(());
        }
        let at = self.assess(number, false)?;
        if let Decision::Act(action, _) = &at.decision {
            let latency = self.transport.latency_secs(self.outside.sigma_day());
            self.tracks[number].intent = Some(Intent {
                due_secs: self.secs + latency,
                kind: action.kind(),
            });
            return Ok(());
        }
        let watched = watch(&self.situation(number, false), &at, HORIZON_SECS)?;
        self.tracks[number].watch = Some(watched);
        Ok(())
    }

    fn oracle_price(&self) -> Result<SqrtPrice, WorldError> {
        let price = self.market.oracle_sqrt_price();
        Ok(price.map_err(ballast_snapshot::SnapshotError::from)?)
    }

    /// The chain decides on what it finds when a transaction lands: another price may ask for nothing, or for something else.
    fn land_intent(&mut self, number: usize, intent: Intent) -> Result<(), WorldError> {
        let at = self.assess(number, false)?;
        let landed = match &at.decision {
            Decision::Act(action, _) if action.kind() == intent.kind => {
                self.land(number, action)?
            }
            _ => Err(Refusal::Changed),
        };
        let track = &mut self.tracks[number];
        let Err(refusal) = landed else {
            track.pause_secs = 0;
            return Ok(());
        };
        *track.refusals.entry(refusal.name()).or_default() += 1;
        track.pause_secs = (track.pause_secs * 2).clamp(1, MOST_PAUSE_SECS);
        track.rests_until_secs = self.secs + track.pause_secs;
        if refusal == Refusal::Changed {
            return Ok(());
        }
        let known = if self.secs < track.refused.1 {
            track.refused.0
        } else {
            Kinds::NONE
        };
        track.refused = (known.with(intent.kind), self.secs + REFUSED_SECS);
        Ok(())
    }

    /// A liquidator looks at a position.
    pub(super) fn liquidators_look(&mut self, number: usize) -> Result<(), WorldError> {
        let held = &self.positions[number];
        if held.stored.is_debt_free() {
            return Ok(());
        }
        let (oracle, now_secs) = (self.oracle_price()?, self.market.now_secs);
        let value = self
            .market
            .position(&held.stored, now_secs)?
            .value(oracle)?;
        let track = &mut self.tracks[number];
        track.highest_ltv_bps = track.highest_ltv_bps.max(value.ltv_bps_up());
        track.lowest_equity = track.lowest_equity.min(value.equity());
        let limits = &self.market.market.limits;
        if !value.ltv_at_least(Bps::new(limits.maintenance_ltv_bps)) {
            track.liquidator_secs = None;
            return Ok(());
        }
        let sigma = self.outside.sigma_day();
        let latency = self.transport.liquidator_latency_secs(sigma);
        let due = *track.liquidator_secs.get_or_insert(self.secs + latency);
        if self.secs < due || !self.transport.lands(sigma) {
            return Ok(());
        }
        let at = self.assess(number, true)?;
        if let Decision::Act(action, _) = &at.decision
            && action.kind() == ActionKind::Liquidate
        {
            let before = self.liquidators;
            if self.land(number, action)?.is_ok() {
                self.tracks[number].liquidator_secs = None;
                self.dump(before)?;
            }
        }
        Ok(())
    }

    /// Carries an action out, if the program would have it. What it would not have leaves no trace.
    fn land(&mut self, number: usize, action: &Action) -> Result<Result<(), Refusal>, WorldError> {
        let now_secs = self.market.now_secs;
        let oracle = self.oracle_price()?;
        let held = &self.positions[number];
        let pool_secs = u64::try_from(now_secs).unwrap_or(0);
        let seated = Seated::new(self.pool.clone(), held.seat, pool_secs);
        let mut ledger = self.market.ledger(&held.stored, now_secs, seated)?;
        let is_liquidation = matches!(action, Action::Liquidate { .. });
        if is_liquidation {
            ledger.payer = self.liquidators;
        }
        let (payer, reserves) = (ledger.payer, ledger.lenders.map(|lender| lender.state));
        let before = ledger.position()?;
        let rules = Rules {
            market: &self.market.market,
            position: &held.stored,
            oracle,
            now_secs,
        };
        let (mut stored, seat) = (held.stored, held.seat);
        match carry_out(Deed::from(action), &rules, &mut ledger) {
            Ok(()) => {}
            Err(LedgerError::Model(error)) if ledger.pool.failed.is_none() => {
                return Err(error.into());
            }
            Err(error) => return Ok(Err(error.into())),
        }
        if let Some(error) = ledger.pool.failed {
            return Err(error.into());
        }
        let after = ledger.position()?;
        let passes = self.would_pass(
            action,
            [&before, &after],
            oracle,
            (seat, &ledger),
            &mut stored,
        )?;
        if let Err(refusal) = passes {
            return Ok(Err(refusal));
        }

        take_note(
            &mut self.market.market,
            &self.market.base_price,
            &self.market.quote_price,
            oracle,
        );
        self.market.book(&mut stored, &ledger);
        let track = &mut self.tracks[number];
        *track.acts.entry(name(action.kind())).or_default() += 1;
        track.trades.add_all(&ledger.pool.trades);
        (track.watch, track.intent) = (None, None);
        if is_liquidation {
            self.liquidators = ledger.payer;
            let mut repaid = Amounts::ZERO;
            for side in [Side::Base, Side::Quote] {
                let (was, is) = (reserves[index(side)], ledger.lenders[index(side)].state);
                let losses = &mut self.losses[index(side)];
                let assets =
                    |state: &ballast_model::lending::ReserveState| state.total_assets_down();
                let from_lenders = assets(&was)?.saturating_sub(assets(&is)?);
                let from_insurance = was.insurance.saturating_sub(is.insurance);
                losses.from_lenders += from_lenders;
                losses.from_insurance += from_insurance;
                let lost = from_lenders.saturating_add(from_insurance);
                let bad = track.bad_debt.get(side).saturating_add(lost);
                track.bad_debt = track.bad_debt.with(side, bad);
                let settled = before.debt.get(side).saturating_sub(after.debt.get(side));
                repaid = repaid.with(side, settled.saturating_sub(lost));
            }
            let worth = value_down(repaid.base, oracle)?.saturating_add(repaid.quote.into());
            track.liquidated += worth;
        } else if ledger.payer != payer {
            return Err(LedgerError::NothingToPayWith.into());
        }
        self.pool = ledger.pool.pool;
        self.positions[number].stored = stored;
        self.see_pool(true);
        Ok(Ok(()))
    }

    /// What the program demands after an action, and what it notes of it.
    fn would_pass(
        &self,
        action: &Action,
        [before, after]: [&Position; 2],
        oracle: SqrtPrice,
        (seat, ledger): (usize, &Values<Seated>),
        stored: &mut ballast::state::Position,
    ) -> Result<Result<(), Refusal>, WorldError> {
        let market = &self.market.market;
        let limits = &market.limits;
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
                let price = self.interval(oracle)?;
                let pool = ledger.pool.pool.sqrt_price();
                let hedged = risk::within_band(after, errors[1], policy.delta_target_bps);
                risk::require_initial_health(limits, after, &price, pool).is_ok()
                    && hedged.unwrap_or(false)
            }
            Action::Compound(_) => {
                stored.compounds = stored.compounds.saturating_add(1);
                let price = self.interval(oracle)?;
                let pool = ledger.pool.pool.sqrt_price();
                after.liquidity == before.liquidity
                    || risk::require_initial_health(limits, after, &price, pool).is_ok()
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
        let charge = change.charge(oracle, ballast::oracle::newest_price(market))?;
        let recent = allowance.recent(stored);
        let max_bps = allowance.max_bps(market, stored);
        let charged = recent.charged(charge.loss, charge.equity, max_bps, now_secs);
        if let Some(charged) = charged {
            allowance.store(stored, charged);
        }
        Ok(charged.map(|_| ()).ok_or(Refusal::Allowance))
    }

    fn interval(&self, mid: SqrtPrice) -> Result<OraclePrice, WorldError> {
        let ppm =
            |update| ballast::oracle::confidence_ppm_up(update).unwrap_or(u64::from(u32::MAX));
        let ppm = ppm(&self.market.base_price) + ppm(&self.market.quote_price);
        let bps = u32::try_from(ppm.div_ceil(100)).unwrap_or(u32::MAX);
        let one = Bps::ONE.get();
        Ok(OraclePrice {
            low: scale_down(mid, Bps::new(one.saturating_sub(bps).max(1)))?,
            mid,
            high: scale_up(mid, Bps::new(one.saturating_add(bps)))?,
        })
    }

    /// A liquidator keeps no base: what he has got he sells, what he has brought he buys back; in the pool as far as that is not much
    /// worse than outside, and the rest there.
    fn dump(&mut self, before: Amounts) -> Result<(), WorldError> {
        let got = i128::from(self.liquidators.base) - i128::from(before.base);
        let trade = if got > 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        };
        let base = u64::try_from(got.unsigned_abs()).unwrap_or(u64::MAX);
        if base == 0 {
            return Ok(());
        }
        let (mode, input, worst) = match trade {
            Trade::SellBase => (SwapMode::ExactIn, Side::Base, -DUMP_LOG),
            Trade::BuyBase => (SwapMode::ExactOut, Side::Quote, DUMP_LOG),
        };
        let limit = self.units.sqrt_price(self.outside.log_price() + worst);
        let ahead = match trade {
            Trade::SellBase => limit < self.pool.sqrt_price(),
            Trade::BuyBase => limit > self.pool.sqrt_price(),
        };
        if !ahead {
            return Ok(());
        }
        let order = SwapOrder {
            amount: base,
            mode,
            input,
            limit: Some(limit),
        };
        let pool_secs = u64::try_from(self.market.now_secs).unwrap_or(0);
        let moved = self.pool.swap(order, pool_secs)?.amounts;
        let (paid, received) = match trade {
            Trade::SellBase => (Amounts::new(moved.base, 0), Amounts::new(0, moved.quote)),
            Trade::BuyBase => (Amounts::new(0, moved.quote), Amounts::new(moved.base, 0)),
        };
        let left = self.liquidators.checked_sub(paid);
        let all = left.and_then(|left| left.checked_add(received));
        self.liquidators = all.map_err(ballast_model::ModelError::from)?;
        self.liquidators_trades
            .add(trade == Trade::SellBase, moved.base, moved.quote);
        self.see_pool(true);
        Ok(())
    }
}

fn name(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Compound => "compound",
        ActionKind::Recenter => "recenter",
        ActionKind::Rehedge => "rehedge",
        ActionKind::RefreshPrice => "refresh_price",
        ActionKind::RefreshStage => "refresh_stage",
        ActionKind::Exit => "exit",
        ActionKind::Deleverage => "deleverage",
        ActionKind::DeleverageSwap => "deleverage_swap",
        ActionKind::Liquidate => "liquidate",
    }
}
