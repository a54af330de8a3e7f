//! What keepers and liquidators do to a position.

use ballast::oracle::take_note;
use ballast_clmm::{Amounts, Side, SwapMode};
use ballast_ledger::{Ledger, LedgerError};
use ballast_model::{Bps, SqrtPrice, lending::ReserveState, value_down};
use ballast_snapshot::SnapshotError;
use ballast_strategy::{
    ActionKind, Kinds,
    act::{Deed, Rules, carry_out},
    decide::{Action, Decision},
    watch::watch,
};

use super::{Intent, World, WorldError, index, pair, rules::Refusal, seated::Seated};
use crate::ticks::SwapOrder;

/// For how long a keeper relies on a quiet interval.
const HORIZON_SECS: u32 = 600;
/// For how long it remembers what was refused.
const REFUSED_SECS: u64 = 60;
/// Longest pause after refusals, each of which doubles it.
const MOST_PAUSE_SECS: u64 = 60;
/// How much worse than outside a liquidator trades in the pool; the rest he trades outside, which moves the price there.
const DUMP_LOG: f64 = 0.05;

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

    pub(super) fn oracle_price(&self) -> Result<SqrtPrice, WorldError> {
        let price = self.market.oracle_sqrt_price();
        Ok(price.map_err(SnapshotError::from)?)
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
        let done = carry_out(Deed::from(action), &rules, &mut ledger);
        if let Some(error) = ledger.pool.failed {
            return Err(error.into());
        }
        if let Err(error) = done {
            return Ok(Err(error.into()));
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
                let assets = |state: &ReserveState| state.total_assets_down();
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

    /// A liquidator keeps no base: what he has got he sells, what he has brought he buys back; in the pool as far as that is not much
    /// worse than outside, and the rest there.
    fn dump(&mut self, before: Amounts) -> Result<(), WorldError> {
        let got = i128::from(self.liquidators.base) - i128::from(before.base);
        let base = u64::try_from(got.unsigned_abs()).unwrap_or(u64::MAX);
        let sells = got > 0;
        let (mode, input, worst) = if sells {
            (SwapMode::ExactIn, Side::Base, -DUMP_LOG)
        } else {
            (SwapMode::ExactOut, Side::Quote, DUMP_LOG)
        };
        let limit = self.units.sqrt_price(self.outside.log_price() + worst);
        let price = self.pool.sqrt_price();
        let ahead = if sells { limit < price } else { limit > price };
        let mut left = base;
        if ahead && base > 0 {
            let order = SwapOrder {
                amount: base,
                mode,
                input,
                limit: Some(limit),
            };
            let pool_secs = u64::try_from(self.market.now_secs).unwrap_or(0);
            // On a copy: what cannot be paid for does not happen.
            let mut pool = self.pool.clone();
            let moved = pool.swap(order, pool_secs)?.amounts;
            let [sold, bought] = [Side::Base, Side::Quote].map(|side| {
                let other = side.other();
                let (paid, received) = (
                    Amounts::only(side, moved.get(side)),
                    Amounts::only(other, moved.get(other)),
                );
                let left = self.liquidators.checked_sub(paid);
                left.and_then(|left| left.checked_add(received))
            });
            if let Ok(after) = if sells { sold } else { bought } {
                (self.pool, self.liquidators) = (pool, after);
                self.liquidators_trades.add(sells, moved.base, moved.quote);
                self.see_pool(true);
                left -= moved.base;
            }
        }
        self.dump_outside(left, sells)
    }
}

impl World {
    /// Sells so much base outside, or buys it, at the price there, which that moves. What cannot be paid for is not bought.
    fn dump_outside(&mut self, base: u64, sells: bool) -> Result<(), WorldError> {
        let quote = value_down(base, self.fair())?;
        let quote = u64::try_from(quote).unwrap_or(u64::MAX);
        let (paid, received) = if sells {
            (Amounts::new(base, 0), Amounts::new(0, quote))
        } else {
            (Amounts::new(0, quote), Amounts::new(base, 0))
        };
        let left = self.liquidators.checked_sub(paid);
        let Ok(after) = left.and_then(|left| left.checked_add(received)) else {
            return Ok(());
        };
        self.liquidators = after;
        let outside = &mut self.wallets.outside;
        let (gets, gives) = (pair(paid), pair(received));
        *outside = [0, 1].map(|side| outside[side] + gets[side] - gives[side]);
        let worth = quote as f64 / self.units.quote_scale();
        self.outside.traded(if sells { -worth } else { worth });
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
