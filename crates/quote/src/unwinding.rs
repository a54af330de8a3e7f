//! The swaps of opening and of unwinding.

use ballast_model::SqrtPrice;
use serde::Serialize;

use crate::{Traded, Trigger, trade::Venue};

/// The swap of opening.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OpeningTrade {
    /// Base sold (negative: bought) before the liquidity is provided; 0: own and borrowed tokens are just what the pool takes.
    pub base: f64,
    /// The swap; `None` for no swap, and where the known liquidity does not suffice.
    pub swap: Option<Traded>,
    /// Its cost over own funds; `None` where the known liquidity does not suffice.
    pub cost_of_equity: Option<f64>,
}

impl OpeningTrade {
    pub(crate) fn new(venue: &Venue, equity: f64) -> Self {
        let opened = venue.opened;
        let base = opened.plan.base_surplus;
        let swap = venue.trade(base, opened.at);
        Self {
            base: opened.base(base),
            cost_of_equity: cost(base, swap.as_ref()).map(|cost| cost / equity),
            swap,
        }
    }
}

/// Closing the position at a price, with the liquidity that lies there today: all liquidity is withdrawn, the base that is left after
/// the base debt is sold (or what is missing of it bought), the quote debt repaid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unwinding {
    /// What happens at this price.
    pub label: String,
    /// The price.
    pub price: f64,
    /// Base to sell, negative: to buy.
    pub base: f64,
    /// The swap; `None` for no swap, and where the known liquidity does not suffice.
    pub swap: Option<Traded>,
    /// Whether the known liquidity suffices.
    pub possible: bool,
    /// Equity before, quote.
    pub equity: f64,
    /// What the owner gets: equity less the swap's cost.
    pub paid_out: Option<f64>,
    /// The swap's cost over own funds.
    pub cost_of_equity: Option<f64>,
}

impl Unwinding {
    fn new(venue: &Venue, label: String, at: SqrtPrice, own: f64) -> Option<Self> {
        let opened = venue.opened;
        let base = opened.position.delta(at).ok()?;
        let equity = opened.quote(opened.position.equity_down(at).ok()?);
        // Rounding of opening and withdrawing is no reason for a swap.
        let base = if base.unsigned_abs() <= 2 { 0 } else { base };
        let swap = venue.trade(base, at);
        let cost = cost(base, swap.as_ref());
        Some(Self {
            label,
            price: opened.price(at),
            base: opened.base(base),
            swap,
            possible: cost.is_some(),
            equity,
            paid_out: cost.map(|cost| equity - cost),
            cost_of_equity: cost.map(|cost| cost / own),
        })
    }
}

/// What a swap of so much base costs, quote: nothing without one.
fn cost(base: i128, swap: Option<&Traded>) -> Option<f64> {
    match base {
        0 => Some(0.0),
        _ => swap.map(|swap| swap.cost),
    }
}

/// Unwinding now, at both ends of the range and at every trigger, in order of the price.
pub(crate) fn unwindings(venue: &Venue, triggers: &[Trigger], own: f64) -> Vec<Unwinding> {
    let opened = venue.opened;
    let band = &opened.position.band;
    let marked = [
        ("price now", opened.at),
        ("range", band.sqrt_lower()),
        ("range", band.sqrt_upper()),
    ]
    .map(|(label, at)| (label.to_owned(), at));
    let triggered = triggers.iter().map(|trigger| {
        (
            trigger.kind.name(trigger.side).to_owned(),
            opened.root(trigger.price),
        )
    });
    let mut all: Vec<_> = marked.into_iter().chain(triggered).collect();
    all.sort_by_key(|(_, at)| *at);
    all.into_iter()
        .filter_map(|(label, at)| Unwinding::new(venue, label, at, own))
        .collect()
}
