//! What is left for the venue to hedge, from one picture: the same snapshot on which the engine decides.
//!
//! Of each position it is the hedge error: base to sell until the hedge is what the owner's policy says. The chain cures it by steps
//! (from the edge of a band, after an interval, if nothing is in the way); what it leaves meanwhile, and what it cannot cure, is
//! the residual. What is in flight on the chain may cure it or not: it counts as an interval from nothing to all of it, and so
//! does what is due there, because the chain goes first; also what others may liquidate.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ballast_model::{
    Bps,
    screen::{RiskInput, risk},
};
use ballast_strategy::decide::ActionKind;
use ballast_venue::hedge::exposure::Exposure;
use ballast_view::scale;
use rust_decimal::{Decimal, prelude::FromPrimitive};
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;
use tokio::{task::yield_now, time::Instant};

use crate::{
    config::{Hedge, Perp},
    picture::{Found, MarketPicture, Picture, PositionPicture},
};

/// Positions between two pauses.
const STRIDE: usize = 2_048;

/// Why it is not known what is to be hedged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Blind {
    /// Not everything was read yet.
    #[error("market {0} and its positions have not all been read yet")]
    NotRead(Pubkey),
    /// The chain does not reach the keeper.
    #[error("the newest slot was seen {secs} s ago, and at most {most} s are trusted")]
    Old {
        /// Its age.
        secs: u64,
        /// The most.
        most: u64,
    },
    /// The oracle does not speak.
    #[error("the price of market {market} is {secs} s old, and at most {most} s are trusted")]
    PriceOld {
        /// The market.
        market: Pubkey,
        /// Its age.
        secs: i64,
        /// The most.
        most: i64,
    },
    /// There is no usable price.
    #[error("market {market} has no price: {reason}")]
    NoPrice {
        /// The market.
        market: Pubkey,
        /// Why.
        reason: String,
    },
    /// Without it the sum is another one.
    #[error(
        "position {position} cannot be valued, so that the book's delta is not known: {reason}; `hedge.owners` can leave it out"
    )]
    Unvalued {
        /// The position.
        position: Pubkey,
        /// Why.
        reason: String,
    },
    /// An amount that no venue deals in.
    #[error("the residual of position {0} is beyond what can be added up")]
    TooLarge(Pubkey),
}

/// What is to be hedged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// The delta, as an interval.
    pub exposure: Exposure,
    /// The oracle's price, dollars per base token.
    pub price: Decimal,
    /// Change of the delta with the price, base tokens per dollar.
    pub gamma: f64,
    /// Positions that make it up.
    pub positions: usize,
    /// Of these, with actions in flight.
    pub in_flight: usize,
    /// Of these, with actions that are due on the chain.
    pub due: usize,
}

/// What the chain may still do by itself.
pub trait Chain {
    /// Whether the keeper sends this kind of action for the position.
    fn sends(&self, position: &Pubkey, kind: ActionKind) -> bool;
}

/// Since when something is due for positions, so that the chain is not waited for without end.
#[derive(Debug, Default)]
pub struct Patience(BTreeMap<Pubkey, Instant>);

impl Patience {
    /// Whether the position's action has been due for less than this.
    fn lasts(&mut self, position: Pubkey, now: Instant, patience: Duration) -> bool {
        let since = self.0.entry(position).or_insert(now);
        now.saturating_duration_since(*since) < patience
    }

    fn keep(&mut self, due: &BTreeSet<Pubkey>) {
        self.0.retain(|position, _| due.contains(position));
    }
}

/// Adds up what a perpetual is to hedge.
///
/// # Errors
/// [`Blind`].
pub async fn residual(
    picture: &Picture,
    hedge: &Hedge,
    perp: &Perp,
    chain: &impl Chain,
    patience: &mut Patience,
    now: Instant,
) -> Result<Residual, Blind> {
    let seen = picture.slot_seen.unwrap_or(picture.taken);
    let age = now.saturating_duration_since(seen);
    if picture.slot_seen.is_none() || age > hedge.max_snapshot_age {
        return Err(Blind::Old {
            secs: age.as_secs(),
            most: hedge.max_snapshot_age.as_secs(),
        });
    }
    let mut all = Residual {
        exposure: Exposure::of(Decimal::ZERO),
        price: Decimal::ZERO,
        gamma: 0.0,
        positions: 0,
        in_flight: 0,
        due: 0,
    };
    let mut due = BTreeSet::new();
    for address in &perp.markets {
        let market = picture
            .markets
            .get(address)
            .filter(|market| market.positions_read)
            .ok_or(Blind::NotRead(*address))?;
        let of_market = OfMarket::new(*address, market, hedge, perp)?;
        if all.price.is_zero() {
            all.price = of_market.price;
        }
        for (count, position) in market.positions.iter().enumerate() {
            if count % STRIDE == STRIDE - 1 {
                yield_now().await;
            }
            let stored = &position.position;
            if !hedge.owners.is_empty() && !hedge.owners.contains(&stored.owner) {
                continue;
            }
            let (error, gamma) = of_market.error(position)?;
            all.positions += 1;
            all.gamma += gamma;
            let mut exposure = Exposure::of(error);
            if position.in_flight > 0 || position.stale {
                all.in_flight += 1;
                exposure = exposure.in_flight(-error);
            } else if is_due(position, chain) {
                due.insert(position.address);
                if patience.lasts(position.address, now, hedge.chain_patience) {
                    all.due += 1;
                    exposure = exposure.due(-error);
                }
            }
            all.exposure = all.exposure.and(exposure);
        }
    }
    patience.keep(&due);
    Ok(all)
}

/// Whether somebody is about to do something for the position: this keeper, or, where it may be liquidated, anybody. A liquidation
/// by somebody else is seen later than the price that it follows.
fn is_due(position: &PositionPicture, chain: &impl Chain) -> bool {
    match position.found {
        Found::Due(ActionKind::Liquidate) | Found::Blocked(ActionKind::Liquidate) => true,
        Found::Due(kind) => chain.sends(&position.address, kind),
        Found::Nothing | Found::Blocked(_) => false,
    }
}

/// What positions of a market share.
struct OfMarket<'a> {
    market: &'a ballast_client::MarketSnapshot,
    reserves: [ballast_model::lending::ReserveState; 2],
    oracle: ballast_model::SqrtPrice,
    price: Decimal,
    /// Whether gamma is asked for.
    curved: bool,
}

impl<'a> OfMarket<'a> {
    fn new(
        address: Pubkey,
        market: &'a MarketPicture,
        hedge: &Hedge,
        perp: &Perp,
    ) -> Result<Self, Blind> {
        let newest = market.newest.as_deref().ok_or(Blind::NotRead(address))?;
        let secs = newest.price_age_secs(newest.now_secs);
        if secs > hedge.max_price_age_secs {
            return Err(Blind::PriceOld {
                market: address,
                secs,
                most: hedge.max_price_age_secs,
            });
        }
        let no_price = |reason: String| Blind::NoPrice {
            market: address,
            reason,
        };
        let oracle = newest
            .oracle_sqrt_price()
            .map_err(|error| no_price(error.to_string()))?;
        let shown = scale(newest).price(oracle);
        let price = Decimal::from_f64(shown)
            .filter(|price| *price > Decimal::ZERO)
            .ok_or_else(|| no_price(format!("{shown} is no price")))?;
        Ok(Self {
            market: newest,
            reserves: newest
                .reserves_at(newest.now_secs)
                .map_err(|error| no_price(error.to_string()))?,
            oracle,
            price,
            curved: perp.risk_aversion.is_some(),
        })
    }

    /// Hedge error in base tokens, and gamma.
    fn error(&self, position: &PositionPicture) -> Result<(Decimal, f64), Blind> {
        let stored = &position.position;
        let unvalued = |reason: String| Blind::Unvalued {
            position: position.address,
            reason,
        };
        let model = ballast_client::position_in(stored, &self.reserves)
            .map_err(|error| unvalued(error.to_string()))?;
        let raw = model
            .hedge_error(self.oracle, stored.policy.hedge())
            .map_err(|error| unvalued(error.to_string()))?;
        let decimals = u32::from(self.market.market.base_decimals);
        let error = Decimal::try_from_i128_with_scale(raw, decimals)
            .map_err(|_| Blind::TooLarge(position.address))?;
        let gamma = if self.curved {
            let maintenance = Bps::new(self.market.market.limits.maintenance_ltv_bps);
            let input = RiskInput::<f64>::new(&model, self.oracle, maintenance);
            scale(self.market).gamma(risk(&input).gamma)
        } else {
            0.0
        };
        Ok((error, gamma))
    }
}
