//! What holds of positions after what was done to them, as the model reckons it.

use ballast_abi::pyth::PriceUpdate;
use ballast_client::{
    BallastEvent, Bps, MarketSnapshot, PositionContext, Pubkey, Reaction, SqrtPrice, Tick,
    ballast::{events::ExitReason, oracle::newest_price},
};
use ballast_model::{
    Position as PositionModel,
    price::{scale_down, scale_up},
    value_down, value_up,
};

use super::{
    Played, Step,
    picture::{Held, Picture},
};

/// Raw quote units that valuations, repayments and withdrawals may lose to rounding.
const ROUNDING: i128 = 32;
const FADE_SECS: u128 = 7 * 86_400;

/// A step touches the positions of its events and no others; what keepers do costs what it may cost.
pub(super) fn check_positions(
    before: &Picture,
    after: &Picture,
    step: Option<&Step>,
    played: &Played,
) {
    for was in &before.positions {
        let address = &was.position.address;
        let named = played
            .events
            .iter()
            .any(|event| position_of(event) == Some(address));
        let Some(is) = after.find(address) else {
            assert!(named, "position {} is gone", was.position.position.id);
            continue;
        };
        if !named {
            assert_eq!(
                bytemuck::bytes_of(&was.position.position),
                bytemuck::bytes_of(&is.position.position),
                "position {} changed without an event",
                was.position.position.id
            );
        }
        check_lamports(was, is, step, played);
    }
    for event in &played.events {
        let Some(is) = position_of(event).and_then(|address| after.find(address)) else {
            continue;
        };
        let model = after.model(&is.position, after.market.now_secs);
        match event {
            BallastEvent::PositionOpened(_) => require_initial_health(&after.market, &model),
            BallastEvent::PositionIncreased(_) | BallastEvent::Recentered(_) => {
                require_initial_health(&after.market, &model);
                let policy = is.position.position.policy;
                require_hedged(&after.market, is, &model, policy.delta_target_bps);
            }
            BallastEvent::Compounded(compounded) if compounded.liquidity > 0 => {
                require_initial_health(&after.market, &model);
                let policy = is.position.position.policy;
                require_hedged(&after.market, is, &model, policy.delta_band_bps);
            }
            _ => {}
        }
        if let Some(was) = before.find(&is.position.address) {
            check_keeper(before, after, [was, is], event, &model);
        }
    }
}

/// Lamports leave a position's account for keepers as far as owner and market allow, and for the owner who asks.
fn check_lamports(was: &Held, is: &Held, step: Option<&Step>, played: &Played) {
    let address = is.position.address;
    let paid: u64 = played
        .events
        .iter()
        .map(|event| match event {
            BallastEvent::KeeperRewarded(paid) if paid.position == address => paid.lamports,
            _ => 0,
        })
        .sum();
    let left = was.lamports - paid;
    match step {
        Some(Step::ReclaimReward { .. }) => assert!(is.lamports <= left),
        Some(Step::FundReward { .. }) => assert!(is.lamports >= left),
        _ => assert_eq!(
            is.lamports, left,
            "lamports of a position were lost or found"
        ),
    }
}

/// What an event says that a keeper did.
fn check_keeper(
    before: &Picture,
    after: &Picture,
    [was, is]: [&Held; 2],
    event: &BallastEvent,
    model: &PositionModel,
) {
    let (stored, now_secs) = (&was.position.position, after.market.now_secs);
    let automation = &stored.automation;
    let at = after.market.oracle_sqrt_price().unwrap();
    let model_before = before.model(&was.position, now_secs);
    let equity_before = model_before.value(at).unwrap().equity();
    let loss_at = |at: SqrtPrice, base: u64, quote: u64| {
        let fees = value_down(base, at).unwrap() + u128::from(quote);
        let with_fees = model_before.value(at).unwrap().equity() + i128::try_from(fees).unwrap();
        (with_fees, with_fees - model.value(at).unwrap().equity())
    };
    let loss_with_fees = |base, quote| loss_at(at, base, quote);
    let newest = newest_price(&after.market.market).unwrap();
    let charged = |keeper: &Pubkey, fees: [u64; 2], needed_base: u64, kind: Loss| {
        if *keeper != stored.owner {
            // Twice the pool's fee on what had to be traded is free; the worse of both prices counts.
            let ppm = u128::from(before.market.pool.fee_rate_ppm);
            let costs = [at, newest].map(|at| {
                let (equity, loss) = loss_at(at, fees[0], fees[1]);
                let fee = value_up(needed_base, at).unwrap() * 2 * ppm;
                let fee = fee.div_ceil(1_000_000 - ppm);
                (equity, loss - i128::try_from(fee).unwrap())
            });
            let equity = costs[0].0.min(costs[1].0);
            let loss = costs[0].1.max(costs[1].1);
            check_allowance(&before.market, [was, is], kind, (equity, loss), now_secs);
        }
    };
    match event {
        BallastEvent::Rehedged(event) => {
            let hedge = stored.policy.hedge();
            let errors = [at, newest].map(|at| model_before.hedge_error(at, hedge).unwrap());
            let [used, known] = errors.map(i128::unsigned_abs);
            assert_eq!(errors[0] > 0, errors[1] > 0, "a rehedge of an older price");
            let (error, full) = (used.min(known), model_before.full_base_up().unwrap());
            let twice = u128::from(full) * u128::from(stored.policy.delta_band_bps) * 2;
            let needed = u64::try_from(error).unwrap().min(event.base_traded);
            let kind = if error * 10_000 > twice {
                Loss::Defensive
            } else {
                Loss::Daily
            };
            charged(&event.keeper, [0, 0], needed, kind);
        }
        BallastEvent::Compounded(event) => {
            let fees = [event.fees_base, event.fees_quote];
            charged(&event.keeper, fees, 0, Loss::Daily);
        }
        BallastEvent::Recentered(event) => {
            let fees = [event.fees_base, event.fees_quote];
            charged(&event.keeper, fees, event.base_traded, Loss::Daily);
            if event.keeper != stored.owner {
                let width = i64::from(event.tick_upper) - i64::from(event.tick_lower);
                let allowed =
                    i64::from(automation.min_width_ticks)..=i64::from(automation.max_width_ticks);
                assert!(allowed.contains(&width), "{width} ticks of {allowed:?}");
                let rested_secs = now_secs - stored.last_recenter_secs;
                assert!(rested_secs >= i64::from(automation.recenter_cooldown_secs));
                let least = before.market.market.keepers.min_recenter_interval_secs;
                assert!(rested_secs >= i64::from(least));
            }
        }
        BallastEvent::Deleveraged(_) => {
            let (_, loss) = loss_with_fees(0, 0);
            assert!(loss <= ROUNDING, "a deleverage lost {loss}");
        }
        BallastEvent::DeleveragedWithSwap(event) => {
            let (_, loss) = loss_with_fees(0, 0);
            let lost = i128::from(event.swap_loss);
            assert!(
                loss <= lost + ROUNDING,
                "a deleverage lost {loss}, by its swap {lost}"
            );
            let traded = value_up(event.base_traded, at).unwrap();
            let cap = u128::from(before.market.market.limits.max_swap_loss_bps);
            let allowed = traded * cap / 10_000;
            assert!(lost <= i128::try_from(allowed).unwrap() + ROUNDING);
            assert!(event.ltv_after_bps < event.ltv_before_bps);
        }
        BallastEvent::Exited(event) => {
            let (_, loss) = loss_with_fees(event.fees_base, event.fees_quote);
            let lost = i128::from(event.swap_loss);
            assert!(
                loss <= lost + ROUNDING,
                "an exit lost {loss}, by its swaps {lost}"
            );
            let assets = model_before.value(at).unwrap().assets;
            let fees = value_down(event.fees_base, at).unwrap() + u128::from(event.fees_quote);
            // At most everything is traded, twice: for the debts and for the token that the owner wants.
            let traded = 2 * (assets + fees);
            let allowed = traded * u128::from(automation.max_exit_loss_bps) / 10_000;
            assert!(
                lost <= i128::try_from(allowed).unwrap() + ROUNDING,
                "an exit's swaps lost {lost} of {traded}"
            );
            let loss_bps = automation
                .max_exit_loss_bps
                .min(before.market.market.limits.max_swap_loss_bps);
            check_exited(&is.position, event.reaction, at, loss_bps);
            let edge = |tick| Tick::new(tick).unwrap().sqrt_price();
            let due = match event.reason {
                // What the pool had booked before counts too, which the event does not say: at most all that was paid.
                ExitReason::Floor => equity_before <= i128::from(automation.min_equity),
                ExitReason::Low => at <= edge(automation.window_low_tick),
                ExitReason::High => at >= edge(automation.window_high_tick),
            };
            assert!(due, "an exit that was not due");
        }
        BallastEvent::KeeperRewarded(paid) => {
            assert_ne!(paid.keeper, stored.owner, "an owner was paid");
            let markets = before.market.market.keepers.max_reward_lamports;
            assert!(paid.lamports <= automation.reward_lamports.min(markets));
        }
        _ => {}
    }
}

fn check_exited(position: &PositionContext, reaction: Reaction, at: SqrtPrice, loss_bps: u32) {
    let stored = &position.position;
    assert_eq!(stored.liquidity.get(), 0, "liquidity after an exit");
    assert!(stored.is_debt_free(), "debt after an exit");
    // What so few units of rounding would spoil, beyond the loss allowed, is not traded.
    const UNITS: u64 = 4;
    let rounding = value_up(UNITS, at).unwrap() + u128::from(UNITS);
    let least = rounding * 10_000 / u128::from(loss_bps.max(1));
    let left = match reaction {
        Reaction::ExitIntoQuote => value_down(stored.idle_base, at).unwrap(),
        Reaction::ExitIntoBase => u128::from(stored.idle_quote),
        _ => 0,
    };
    assert!(
        left < least,
        "{left} of the other token after an exit into one, from {least} on it is traded"
    );
}

/// Which allowance a loss is charged to.
#[derive(Clone, Copy)]
enum Loss {
    Daily,
    Defensive,
}

/// What keepers have lost in the last week, but for what has faded, lies within its limit, and is remembered.
fn check_allowance(
    market: &MarketSnapshot,
    [was, is]: [&Held; 2],
    kind: Loss,
    (equity, loss): (i128, i128),
    now_secs: i64,
) {
    let stored = &was.position.position;
    let markets = market.market.keepers.max_daily_loss_bps;
    let allowed_bps = match (kind, stored.automation.max_daily_loss_bps) {
        (Loss::Defensive, _) => market.market.safety.effective().max_defensive_loss_bps,
        (Loss::Daily, 0) => markets,
        (Loss::Daily, owners) => owners.min(markets),
    };
    let counted = |held: &Held| {
        let position = &held.position.position;
        let daily = (position.recent_loss, position.recent_loss_at_secs);
        let defensive = (position.defensive_loss, position.defensive_loss_at_secs);
        match kind {
            Loss::Daily => [daily, defensive],
            Loss::Defensive => [defensive, daily],
        }
    };
    let [(before, at_secs), other] = counted(was);
    let [after, other_after] = counted(is);
    assert_eq!(other_after, other, "the other allowance was charged");
    // Amounts are valued together in the program and one by one here.
    const UNITS: u64 = 2;
    let elapsed_secs = u128::try_from(now_secs - at_secs).unwrap();
    let part = FADE_SECS - elapsed_secs.min(FADE_SECS);
    let faded = (u128::from(before) * part).div_ceil(FADE_SECS);
    if loss <= 0 {
        assert!(
            after == (before, at_secs) || u128::from(after.0).abs_diff(faded) <= u128::from(UNITS),
            "nothing was lost, but counted: {} instead of {before}",
            after.0
        );
        return;
    }
    let total = faded + loss.unsigned_abs();
    let allowed = u128::try_from(equity).unwrap_or(0) * u128::from(allowed_bps);
    assert!(
        total * 10_000 <= allowed,
        "keepers lost {total} of {equity}, allowed are {allowed_bps} bps"
    );
    assert!(
        u128::from(after.0).abs_diff(total) <= u128::from(UNITS),
        "losses are not counted: {} instead of {total}",
        after.0
    );
    assert!(
        after.1 == now_secs || total <= u128::from(UNITS),
        "losses are counted from {}, it is {now_secs}",
        after.1
    );
}

/// What must hold after everything that adds risk.
fn require_initial_health(market: &MarketSnapshot, model: &PositionModel) {
    let limits = &market.market.limits;
    let oracle = market.oracle_sqrt_price().unwrap();
    let value = model.value(oracle).unwrap();
    if value.debt == 0 {
        return;
    }
    assert!(
        value.leverage_bps_up() <= u64::from(limits.max_leverage_bps),
        "too much leverage: {value:?}"
    );
    let doubt_ppm = confidence_ppm_up(&market.base_price) + confidence_ppm_up(&market.quote_price);
    let doubt_bps = u32::try_from(doubt_ppm.div_ceil(100)).unwrap();
    let [low, high] = ends(oracle, doubt_bps);
    for at in [oracle, low, high, market.pool.sqrt_price] {
        let value = model.value(at).unwrap();
        assert!(
            !value.ltv_above(Bps::new(limits.initial_ltv_bps)),
            "too much debt at {at}: {value:?}"
        );
    }
    for at in ends(oracle, limits.stress_distance_bps) {
        let value = model.value(at).unwrap();
        assert!(
            !value.ltv_at_least(Bps::new(limits.maintenance_ltv_bps)),
            "liquidated after a small move: {value:?}"
        );
    }
}

fn require_hedged(market: &MarketSnapshot, held: &Held, model: &PositionModel, band_bps: u32) {
    let oracle = market.oracle_sqrt_price().unwrap();
    let hedge = held.position.position.policy.hedge();
    let error = model.hedge_error(oracle, hedge).unwrap().unsigned_abs();
    let full = u128::from(model.full_base_up().unwrap());
    assert!(
        error * 10_000 <= full * u128::from(band_bps),
        "hedge error {error} of {full}, allowed are {band_bps} bps"
    );
}

/// This far below and above a price.
fn ends(price: SqrtPrice, distance_bps: u32) -> [SqrtPrice; 2] {
    [
        scale_down(price, Bps::new(10_000 - distance_bps)).unwrap(),
        scale_up(price, Bps::new(10_000 + distance_bps)).unwrap(),
    ]
}

fn confidence_ppm_up(price: &PriceUpdate) -> u128 {
    (u128::from(price.conf) * 1_000_000).div_ceil(u128::from(price.price.unsigned_abs()))
}

/// Which position an event is of.
fn position_of(event: &BallastEvent) -> Option<&Pubkey> {
    Some(match event {
        BallastEvent::PositionOpened(event) => &event.position,
        BallastEvent::PositionDecreased(event) => &event.position,
        BallastEvent::PositionClosed(event) => &event.position,
        BallastEvent::PositionIncreased(event) => &event.position,
        BallastEvent::PositionRepaid(event) => &event.position,
        BallastEvent::PositionOffered(event) => &event.position,
        BallastEvent::PositionTransferred(event) => &event.position,
        BallastEvent::PolicySet(event) => &event.position,
        BallastEvent::AutomationSet(event) => &event.position,
        BallastEvent::RewardCollected(event) => &event.position,
        BallastEvent::FeesCollected(event) => &event.position,
        BallastEvent::FirstKeepersSet(event) => &event.position,
        BallastEvent::LeftToFirstKeepers(event) => &event.position,
        BallastEvent::Rehedged(event) => &event.position,
        BallastEvent::Deleveraged(event) => &event.position,
        BallastEvent::DeleveragedWithSwap(event) => &event.position,
        BallastEvent::Recentered(event) => &event.position,
        BallastEvent::Compounded(event) => &event.position,
        BallastEvent::Exited(event) => &event.position,
        BallastEvent::Liquidated(event) => &event.position,
        BallastEvent::BadDebtBooked(event) => &event.position,
        BallastEvent::WriteOffRewarded(event) => &event.position,
        BallastEvent::LossShown(event) => &event.position,
        BallastEvent::Settled(event) => &event.position,
        BallastEvent::KeeperRewarded(event) => &event.position,
        _ => return None,
    })
}
