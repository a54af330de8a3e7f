//! What is allowed, and whether a refusal was deserved.

use ballast_client::{BallastError, Cause, Failure, Market, Policy, PositionContext};
use num_traits::{One, Zero};

use super::{
    book::{Book, oracle},
    exact::{Q, bps, int, tiny},
    follow::decrease,
    position::{At, Deleverage, Position, Value, surely},
};
use crate::game::{Pick, Step, View};

/// What must hold after new risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Leverage at the oracle's price.
    Leverage,
    /// Initial LTV at the oracle's price, at both ends of its uncertainty, and at the pool's.
    InitialLtv,
    /// Below maintenance LTV at both ends of the stress distance.
    StressLtv,
}

/// Relative error of a square root that the chain scales: what it says of its own.
const SCALING_BITS: usize = 22;

/// Each rule, and whether it is broken; `None`: too close to say.
pub(super) fn health(
    position: &Position,
    oracle: &At,
    pool: &At,
    view: &View,
) -> Vec<(Rule, Option<bool>)> {
    let limits = &view.snapshot.market.limits;
    let value = position.value(oracle);
    let most = bps(limits.max_leverage_bps);
    let equity = &value.assets - &value.debt;
    let over = &value.assets - &most * equity;
    let mut rules = vec![(
        Rule::Leverage,
        surely(over, &(&value.doubt * int(2) * (most + int(1)))),
    )];
    let initial = bps(limits.initial_ltv_bps);
    rules.push((Rule::InitialLtv, value.ltv_at_least(&initial)));
    rules.push((
        Rule::InitialLtv,
        position.value(pool).ltv_at_least(&initial),
    ));
    let scaled = |factor: Q| {
        let mut value = position.value(&At::price(&oracle.p * factor));
        value.doubt += &value.assets * tiny(SCALING_BITS);
        value
    };
    for (rule, distance, ltv) in [
        (Rule::InitialLtv, uncertainty(view), initial),
        (
            Rule::StressLtv,
            bps(limits.stress_distance_bps),
            bps(limits.maintenance_ltv_bps),
        ),
    ] {
        for factor in [Q::one() - &distance, Q::one() + &distance] {
            rules.push((rule, scaled(factor).ltv_at_least(&ltv)));
        }
    }
    rules
}

/// Both feeds' relative confidence intervals, rounded up to a basis point.
fn uncertainty(view: &View) -> Q {
    let feeds = [&view.snapshot.base_price, &view.snapshot.quote_price];
    let million = || int(1_000_000);
    let ppm = feeds.map(|feed| (int(feed.conf) * million() / int(feed.price)).ceil());
    let [base, quote] = ppm;
    ((base + quote) / int(100)).ceil() / int(10_000)
}

/// How far a deleverage has to go.
pub(super) enum Target {
    /// To the first of these that is in reach.
    To(Vec<Q>),
    /// LTV is below every trigger.
    None,
    /// Only the policy asks for it, and the owner lets no keeper act.
    Forbidden,
    /// Too close to a trigger to say.
    Unsure,
}

/// The policy's trigger binds keepers whom the owner lets act; the market's, which its stage tightens, anyone. Where both
/// are reached the lower target counts, or else the higher.
pub(super) fn due(value: &Value, market: &Market, policy: &Policy, may: bool) -> Target {
    let (limits, stages) = (&market.limits, &market.stages);
    let (trigger, target) = match market.stage.stage {
        0 | 1 => (limits.deleverage_ltv_bps, limits.target_ltv_bps),
        2 => (stages.deleverage_ltv_bps, limits.target_ltv_bps),
        // Half a percent above the target, for what a price moves every minute.
        _ => (stages.target_ltv_bps + 50, stages.target_ltv_bps),
    };
    let reached = |ltv: u32| value.ltv_at_least(&bps(ltv));
    let policys = policy.deleverage_target_ltv_bps;
    match (reached(policy.deleverage_trigger_ltv_bps), reached(trigger)) {
        (None, _) | (_, None) => Target::Unsure,
        (Some(true), Some(true)) if may => {
            // The higher one only if nothing is due there.
            let mut targets = vec![policys.min(target), policys.max(target)];
            targets.retain(|target| *target < trigger);
            Target::To(targets.into_iter().map(bps).collect())
        }
        (_, Some(true)) => Target::To(vec![bps(target)]),
        (Some(true), Some(false)) if may => Target::To(vec![bps(policys)]),
        (Some(true), Some(false)) => Target::Forbidden,
        (Some(false), Some(false)) => Target::None,
    }
}

/// Whether a rule for whose sake the chain has refused a step was really broken: `None` if the refusal has another reason
/// or it is too close to say. `by_owner`: whether the signer of a keeper's step is the position's owner.
pub fn judge(
    book: &Book,
    step: &Step,
    failure: &Failure,
    view: &View,
    by_owner: impl Fn(&PositionContext) -> bool,
) -> Option<bool> {
    let Cause::Ballast(error) = &failure.cause else {
        return None;
    };
    let found = |pick: &Pick| {
        let count = view.positions.len();
        let context = view.positions.get(usize::from(pick.0) % count.max(1))?;
        // As the chain sees it in the step: with interest to now.
        let mut book = book.clone();
        for side in 0..2 {
            book.accrue(side, view.snapshot.now_secs, view);
        }
        Some((context, book.positions.remove(&context.address)?))
    };
    let market = &view.snapshot.market;
    let (oracle, pool) = (
        oracle(view),
        At::root_x64(view.snapshot.pool.sqrt_price.x64()),
    );
    match (step, error) {
        (Step::Liquidate { position, .. }, BallastError::NotLiquidatable) => {
            let (_, position) = found(position)?;
            let maintenance = bps(market.limits.maintenance_ltv_bps);
            let liquidatable = position.value(&oracle).ltv_at_least(&maintenance)?;
            Some(!liquidatable)
        }
        (
            Step::Deleverage { position, .. } | Step::DeleverageSwap { position, .. },
            BallastError::DeleverageNotDue
            | BallastError::KeeperDisabled
            | BallastError::LtvNotLowered,
        ) => {
            let (context, position) = found(position)?;
            let policy = &context.position.policy;
            let may = policy.keeper_enabled == 1 || by_owner(context);
            match (due(&position.value(&oracle), market, policy, may), error) {
                (Target::Unsure, _) => None,
                (Target::None, BallastError::DeleverageNotDue)
                | (Target::Forbidden, BallastError::KeeperDisabled) => Some(true),
                (Target::To(_), BallastError::LtvNotLowered)
                    if matches!(step, Step::DeleverageSwap { .. }) =>
                {
                    // What the pool would have paid is not judged here.
                    None
                }
                (Target::To(targets), BallastError::LtvNotLowered) => {
                    let last = targets.last()?;
                    match position.deleverage(&oracle, &pool, last) {
                        // Whether the part that goes without one lowers LTV is not judged here.
                        Deleverage::NeedsSwap | Deleverage::Unsure => None,
                        // Within rounding of the whole liquidity it is out of reach too.
                        Deleverage::Part(part, doubt) => (part + doubt < Q::one()).then_some(false),
                    }
                }
                _ => Some(false),
            }
        }
        (Step::ShowLoss { position, .. }, BallastError::NoLossToShow) => {
            let (_, position) = found(position)?;
            let value = position.value(&oracle);
            let covered = surely(value.assets - value.debt, &(value.doubt * int(2)))?;
            Some(covered && position.shown.iter().all(Q::is_zero))
        }
        (Step::Settle { position, .. }, BallastError::NothingOwed) => {
            let (context, _) = found(position)?;
            Some(context.position.is_debt_free())
        }
        (Step::Rehedge { position, .. }, BallastError::RehedgeNotDue) => {
            let (context, position) = found(position)?;
            let policy = &context.position.policy;
            let (hedge, band) = (bps(policy.hedge_bps), bps(policy.delta_band_bps));
            Some(!position.beyond(&oracle, &hedge, &band)?)
        }
        (
            &Step::Decrease {
                ref position,
                liquidity_bps,
                repay_base,
                repay_quote,
                pay_base,
                pay_quote,
            },
            BallastError::LeverageTooHigh
            | BallastError::InitialLtvExceeded
            | BallastError::StressLtvExceeded,
        ) => {
            let (_, position) = found(position)?;
            let liquidity = &position.liquidity * bps(liquidity_bps.0);
            let (repay, pay) = ([repay_base.0, repay_quote.0], [pay_base.0, pay_quote.0]);
            let (after, ..) = decrease(&position, &pool, liquidity.floor(), repay, pay);
            let rule = match error {
                BallastError::LeverageTooHigh => Rule::Leverage,
                BallastError::InitialLtvExceeded => Rule::InitialLtv,
                _ => Rule::StressLtv,
            };
            let broken = health(&after, &oracle, &pool, view)
                .into_iter()
                .filter(|(other, _)| *other == rule)
                .map(|(_, broken)| broken);
            // Broken at one price is enough.
            let broken: Vec<_> = broken.collect();
            if broken.contains(&Some(true)) {
                return Some(true);
            }
            (!broken.contains(&None)).then_some(false)
        }
        _ => None,
    }
}
