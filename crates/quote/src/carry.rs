//! What a day earns and costs while the price is in the range.

use ballast_simulator::Blocks;
use serde::Serialize;

use crate::{Conditions, Rehedging, Sizing};

const DAYS_PER_YEAR: f64 = 365.0;

/// What a day earns and costs, quote, at the price now and as long as it is in the range. Losses are positive under names of costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Carry {
    /// Standard deviation of a day's move that it is computed with.
    pub sigma_day: f64,
    /// What curvature costs: `L sigma^2 sqrt(P) / 4`, which is `-1/2 gamma (sigma P)^2` and what arbitrageurs would take from a pool
    /// without fee (LVR). 0 out of the range.
    pub curvature: f64,
    /// Fees that arbitrageurs alone hand back, the protocol's part taken off: the part of curvature that they do not keep
    /// ([`Blocks::arbitrage_part`]). `None`: the fee is not known.
    pub arbitrage_fees: Option<f64>,
    /// Interest on the base debt.
    pub interest_base: f64,
    /// Interest on the quote debt.
    pub interest_quote: f64,
    /// Rehedges: how many a day times what one costs. `None`: not known.
    pub rehedging: Option<f64>,
    /// What all of this comes to, without takers: a loss is negative. `None`: a part of it is not known.
    pub net: Option<f64>,
    /// `net` over own funds.
    pub net_of_equity: Option<f64>,
    /// Takers' volume a day through the position's own liquidity at which `net` becomes 0.
    pub break_even_own_volume: Option<f64>,
    /// The same through the whole pool, of which the position has its share of the active liquidity; `None`: that is not known.
    pub break_even_pool_volume: Option<f64>,
    /// The position's share of the active liquidity.
    pub share_of_pool: Option<f64>,
}

impl Carry {
    pub(crate) fn new(
        sizing: &Sizing,
        conditions: &Conditions,
        rehedging: Option<&Rehedging>,
        pool_liquidity: Option<f64>,
    ) -> Option<Self> {
        use ballast_model::screen::Real;
        let sigma = conditions.sigma_day?;
        let position = sizing.position();
        let price = position.price.to_f64();
        let inside = position.lower < position.price && position.price < position.upper;
        let liquidity = position.liquidity.to_f64();
        let curvature = if inside {
            liquidity * sigma * sigma * price.sqrt() / 4.0
        } else {
            0.0
        };
        let ours = 1.0 - conditions.protocol_share;
        let blocks = Blocks::Fixed(conditions.block_secs);
        let arbitrage_fees = conditions
            .fee
            .map(|fee| curvature * (1.0 - blocks.arbitrage_part(fee, sigma)) * ours);
        let grown = |apr: f64| (apr / DAYS_PER_YEAR).exp_m1();
        let interest_base = position.debt_base.to_f64() * price * grown(conditions.base_apr);
        let interest_quote = position.debt_quote.to_f64() * grown(conditions.quote_apr);
        let cost = rehedging.and_then(|rehedging| rehedging.cost_day);
        let net = arbitrage_fees
            .zip(cost)
            .map(|(fees, rehedging)| fees - curvature - interest_base - interest_quote - rehedging);
        let own_volume = conditions
            .fee
            .filter(|fee| *fee > 0.0 && ours > 0.0 && inside)
            .zip(net)
            .map(|(fee, net)| (-net).max(0.0) / (fee * ours));
        let share = pool_liquidity
            .filter(|_| inside)
            .map(|others| liquidity / (liquidity + others));
        Some(Self {
            sigma_day: sigma,
            curvature,
            arbitrage_fees,
            interest_base,
            interest_quote,
            rehedging: cost,
            net,
            net_of_equity: net.map(|net| net / sizing.at_open().equity),
            break_even_own_volume: own_volume,
            break_even_pool_volume: own_volume.zip(share).map(|(volume, share)| volume / share),
            share_of_pool: share,
        })
    }
}
