//! What keeping the hedge takes.

use ballast_model::{
    Amounts, Boundaries, Bps, HedgedRequest, SqrtPrice, plan_hedged,
    quiet::{Triggers, quiet_interval},
};
use ballast_simulator::hitting::Motion;
use serde::Serialize;

use crate::{
    Conditions, Opened, Rules,
    hits::{MOST_LEVELS, passages},
    trade::{Traded, Venue},
};

const SECS_PER_DAY: f64 = 86_400.0;

/// What keeping the hedge takes, if it is made exact whenever it leaves its band.
///
/// A rehedge is due when the base to hedge, h x, has changed by d since the last one. While the price is in the range, that change has
/// the variance `(h gamma sigma P)^2 = h^2 L^2 sigma^2 / (4 P)` a day, and squared changes add up to d^2 per rehedge:
/// **`n = h^2 L^2 sigma^2 / (4 P d^2)`** a day at price P. Until the horizon the range's ends count, beyond which nothing changes: the
/// hedge is made exact at a fixed ladder of prices, at which h x has changed by multiples of d since opening, and the expected
/// number of passages from one to the next has a closed form (`hits`). Watched all the time; looks at intervals see fewer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rehedging {
    /// Largest hedge error, base.
    pub band_base: f64,
    /// At the lower edge of the band.
    pub lower: Option<AtEdge>,
    /// At the upper edge.
    pub upper: Option<AtEdge>,
    /// Mean cost of a rehedge over both edges, quote: its swap, and what an action costs beside it. `None`: there is no edge, or the swap at one of them is not known.
    pub cost: Option<f64>,
    /// Mean time to the first one, in days, if the price is watched all the time.
    pub first_after_days: Option<f64>,
    /// How many a day at the price now.
    pub per_day: Option<f64>,
    /// How many a day on average until the horizon, if the range stays: out of it there are none.
    pub per_day_to_horizon: Option<f64>,
    /// `per_day`, no more than the shortest time between two allows, times `cost`.
    pub cost_day: Option<f64>,
}

/// A rehedge at an edge of the band.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AtEdge {
    /// The edge's price.
    pub price: f64,
    /// The swap, in the pool without the position.
    pub swap: Traded,
    /// The part of the liquidity that is withdrawn, because LTV is above what a rehedge leaves.
    pub withdrawn: f64,
    /// Leverage before.
    pub leverage_before: Option<f64>,
    /// Leverage afterwards.
    pub leverage: Option<f64>,
    /// LTV afterwards.
    pub ltv: Option<f64>,
}

impl Rehedging {
    /// `None` where the position's amounts are beyond all numbers.
    pub(crate) fn new(venue: &Venue, rules: &Rules, conditions: &Conditions) -> Option<Self> {
        let &Conditions {
            sigma_day,
            horizon_days,
            action_cost,
            ..
        } = conditions;
        let opened = venue.opened;
        let tolerance = rules.hedge.tolerance_down(&opened.position).ok()?;
        let band = opened.base(tolerance.into());
        let triggers = Triggers {
            hedge: Some(rules.hedge),
            ..Triggers::default()
        };
        let (lower, upper) = match quiet_interval(&opened.position, &triggers).ok()? {
            Boundaries::Empty => (None, None),
            Boundaries::Interval { lower, upper } => (lower, upper),
        };
        let edge = |end: Option<SqrtPrice>| end.and_then(|end| at_edge(venue, rules, end));
        let (at_lower, at_upper) = (edge(lower), edge(upper));
        let costs = [(lower, &at_lower), (upper, &at_upper)];
        let costs = costs.into_iter().filter(|(end, _)| end.is_some());
        let costs: Option<Vec<f64>> = costs
            .map(|(_, edge)| edge.as_ref().map(|edge| edge.swap.cost))
            .collect();
        let cost = costs
            .filter(|costs| !costs.is_empty())
            .map(|costs| costs.iter().sum::<f64>() / costs.len() as f64 + action_cost);
        let sigma = sigma_day.filter(|sigma| *sigma > 0.0 && tolerance > 0);
        let now = opened.units.log_price(opened.at);
        let distance = |end: Option<SqrtPrice>| end.map(|end| opened.units.log_price(end) - now);
        let hedge = f64::from(rules.hedge.hedge.get()) / f64::from(Bps::ONE.get());
        let inside = opened.position.band.contains(opened.at);
        let here = |sigma: f64| {
            let factor = hedge * opened.liquidity() * sigma / (2.0 * band);
            if inside {
                factor * factor / now.exp()
            } else {
                0.0
            }
        };
        let until = |sigma: f64| {
            if hedge == 0.0 {
                return Some(0.0);
            }
            let (levels, own) = levels(opened, hedge, band)?;
            let motion = Motion::of_price(0.0, sigma);
            Some(passages(motion, &levels, now, own, horizon_days)? / horizon_days)
        };
        let per_day = sigma.map(here);
        let most = match rules.min_interval_secs {
            0 => f64::INFINITY,
            secs => SECS_PER_DAY / f64::from(secs),
        };
        Some(Self {
            band_base: band,
            lower: at_lower,
            upper: at_upper,
            cost,
            first_after_days: sigma.and_then(|sigma| {
                Motion::of_price(0.0, sigma).mean_exit_days(distance(lower)?, distance(upper)?)
            }),
            per_day,
            per_day_to_horizon: sigma.and_then(until),
            cost_day: if sigma_day == Some(0.0) || per_day == Some(0.0) {
                Some(0.0)
            } else {
                per_day.zip(cost).map(|(rate, cost)| rate.min(most) * cost)
            },
        })
    }
}

/// Rehedges at a price as the program would.
fn at_edge(venue: &Venue, rules: &Rules, at: SqrtPrice) -> Option<AtEdge> {
    let opened = venue.opened;
    let position = &opened.position;
    let value = position.value(at).ok()?;
    let (low, high) = rules.rehedge_ltv;
    let request = HedgedRequest {
        hedge: rules.hedge.hedge,
        target: Bps::new(value.ltv_bps_up()).max(low).min(high.max(low)),
        loss: Bps::ZERO,
        max_loss: Bps::ZERO,
        room: Amounts::new(u64::MAX >> 1, u64::MAX >> 1),
    };
    let plan = plan_hedged(position, at, at, &request).ok()?;
    let trade = plan.trade?;
    let base = match trade.trade {
        ballast_model::Trade::SellBase => i128::from(trade.base),
        ballast_model::Trade::BuyBase => -i128::from(trade.base),
    };
    let swap = venue.trade(base, at)?;
    let after = plan.after(position, trade.base, swap.raw_quote).ok()?;
    let (leverage_before, _) = Opened::gearing(position, at).ok()?;
    let (leverage, ltv) = Opened::gearing(&after, at).ok()?;
    Some(AtEdge {
        price: opened.price(at),
        swap,
        withdrawn: plan.liquidity as f64 / position.liquidity as f64,
        leverage_before,
        leverage,
        ltv,
    })
}

/// Logarithms of the prices at which the hedge would be made exact, ascending, and which of them is the position's own: those at which
/// the base to hedge has changed by a multiple of the band since opening. `None`: too many, or nothing is hedged.
fn levels(opened: &Opened, hedge: f64, band: f64) -> Option<(Vec<f64>, usize)> {
    let price = |root: SqrtPrice| opened.price(root).sqrt();
    let (lower, upper) = (
        price(opened.position.band.sqrt_lower()),
        price(opened.position.band.sqrt_upper()),
    );
    let (liquidity, step) = (opened.liquidity(), band / hedge);
    let base = |root: f64| liquidity * (1.0 / root - 1.0 / upper);
    let (full, now) = (base(lower), base(price(opened.at).clamp(lower, upper)));
    if !(step > 0.0 && step.is_finite() && full / step < MOST_LEVELS as f64) {
        return None;
    }
    // More base is a lower price. An end of the range is reached, not passed: nothing is due there.
    let inside = |base: &f64| *base > 1e-9 * full && *base < (1.0 - 1e-9) * full;
    let count = |room: f64| (room / step).ceil() as u32;
    let more = (1..=count(full - now)).map(|index| now + step * f64::from(index));
    let less = (1..=count(now)).map(|index| now - step * f64::from(index));
    let mut bases: Vec<f64> = more.filter(inside).collect();
    bases.reverse();
    let own = bases.len();
    bases.push(now);
    bases.extend(less.filter(inside));
    let log = |base: f64| -2.0 * (base / liquidity + 1.0 / upper).ln();
    Some((bases.into_iter().map(log).collect(), own))
}
