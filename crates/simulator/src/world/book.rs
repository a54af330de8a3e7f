//! A book as a file says it: a pool, its reserves and the positions in it, from which a world begins.

mod open;

use ballast::state::{MarketParams, Policy, SafetyRules};
use ballast_strategy::situation::Economics;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::WorldError;
use crate::{OwnerTable, PolicyTable, Units, ticks::AdaptiveTerms};

/// Why no world begins with a book.
#[derive(Debug, Error)]
pub enum BookError {
    /// Not TOML, an unknown key, or a value of another type.
    #[error("{0}")]
    Toml(String),
    /// A value that makes no sense.
    #[error("{name} = {value} {problem}")]
    Value {
        /// Key.
        name: &'static str,
        /// Value.
        value: f64,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// A position that cannot be opened.
    #[error("position {name}: {error}")]
    Position {
        /// Which.
        name: String,
        /// Why.
        error: WorldError,
    },
    /// Liquidity of others that cannot be there.
    #[error("liquidity of others from {lower} to {upper}: {error}")]
    Others {
        /// Lower price.
        lower: f64,
        /// Upper price.
        upper: f64,
        /// Why.
        error: WorldError,
    },
    /// Anything else.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// The pool.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct BookPool {
    /// Fee, in millionths of the input.
    pub fee_ppm: u16,
    /// The protocol's part of each fee.
    #[serde(default)]
    pub protocol_bps: u16,
    /// Ticks at which liquidity may begin and end.
    pub tick_spacing: u16,
    /// A fee that moves, beside `fee_ppm`.
    pub adaptive: Option<BookAdaptive>,
    /// What others provide.
    pub others: Vec<BookLiquidity>,
}

/// Constants of a fee that moves, under the pool program's names.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct BookAdaptive {
    /// See [`AdaptiveTerms`].
    pub filter_period: u64,
    /// See [`AdaptiveTerms`].
    pub decay_period: u64,
    /// See [`AdaptiveTerms`].
    pub reduction_factor: u64,
    /// See [`AdaptiveTerms`].
    pub control_factor: u32,
    /// See [`AdaptiveTerms`].
    pub max_volatility_accumulator: u64,
    /// See [`AdaptiveTerms`].
    pub tick_group_size: u16,
    /// See [`AdaptiveTerms`].
    pub major_swap_threshold_ticks: u16,
}

/// Liquidity in a range.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct BookLiquidity {
    /// Lower price.
    pub lower: f64,
    /// Upper price.
    pub upper: f64,
    /// Worth of it, whole quote tokens.
    pub value: f64,
}

/// A reserve.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct BookReserve {
    /// Who lends, whole tokens.
    pub lenders: Vec<BookLender>,
    /// Set aside against bad debt, whole tokens.
    #[serde(default)]
    pub insurance: f64,
    /// Yearly rate when nothing is lent out.
    pub rate_at_zero_bps: u32,
    /// Where the rate begins to rise.
    pub kink_utilisation_bps: u32,
    /// Yearly rate there.
    pub rate_at_kink_bps: u32,
    /// Yearly rate when everything is lent out.
    pub rate_at_full_bps: u32,
    /// Part of the interest that goes to the insurance.
    #[serde(default)]
    pub reserve_factor_bps: u32,
    /// Largest part that is lent out.
    pub max_utilisation_bps: u32,
}

/// Somebody who lends.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct BookLender {
    /// What he is called.
    pub name: String,
    /// How much, whole tokens.
    pub amount: f64,
}

/// A position.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct BookPosition {
    /// What it is called.
    pub name: String,
    /// Lower price of its band.
    pub lower: f64,
    /// Upper price of its band.
    pub upper: f64,
    /// Own funds, whole quote tokens.
    pub equity: f64,
    /// Assets over own funds.
    pub leverage: f64,
    /// Base debt over the pool's base: 1 is delta-neutral.
    #[serde(default = "one")]
    pub hedge: f64,
    /// Whether a keeper looks after it.
    #[serde(default = "yes")]
    pub kept: bool,
    /// How many of them there are.
    #[serde(default = "once")]
    pub count: u32,
    /// What keepers may do, where it is not what a new position has.
    #[serde(default)]
    pub policy: PolicyTable,
    /// What else keepers may do; at first nothing.
    #[serde(default)]
    pub owner: OwnerTable,
}

const fn one() -> f64 {
    1.0
}

const fn yes() -> bool {
    true
}

const fn once() -> u32 {
    1
}

/// What the book holds at a perp venue.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct BookPerp {
    /// Whole base; negative: short.
    pub size: f64,
    /// Put up, whole quote tokens.
    pub margin: f64,
    /// Part of the value at which the venue closes it.
    pub maintenance: f64,
    /// How far it may drift from the book's delta before it follows, as a part of that; none: it does not follow.
    pub follows: Option<f64>,
}

/// A book.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Price at the start, whole quote per whole base.
    pub price: f64,
    /// Decimals of the base token.
    pub base_decimals: u8,
    /// Decimals of the quote token.
    pub quote_decimals: u8,
    /// What liquidators can bring, whole base tokens.
    pub liquidators_base: f64,
    /// What liquidators can bring, whole quote tokens.
    pub liquidators_quote: f64,
    /// See there.
    pub pool: BookPool,
    /// What is lent.
    pub base_reserve: BookReserve,
    /// What is lent.
    pub quote_reserve: BookReserve,
    /// See there.
    pub positions: Vec<BookPosition>,
    /// See there.
    pub perp: Option<BookPerp>,
}

/// The rules that all of a market's positions live under.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The market's limits and rules.
    pub params: MarketParams,
    /// The market's rules for what protects positions.
    pub safety: SafetyRules,
    /// The policy of a new position.
    pub policy: Policy,
    /// What keepers take recentering and compounding to be worth.
    pub economics: Economics,
}

/// More positions than a file means.
const MOST_POSITIONS: usize = 100_000;

/// The one that is built in.
const EXAMPLE: &str = include_str!("../../scenarios/book.toml");

impl Book {
    /// Reads one.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn parse(text: &str) -> Result<Self, BookError> {
        toml::from_str(text).map_err(|error| BookError::Toml(error.to_string()))
    }

    /// The text of the one that is built in.
    pub const fn example() -> &'static str {
        EXAMPLE
    }

    fn units(&self) -> Units {
        Units {
            base_decimals: self.base_decimals,
            quote_decimals: self.quote_decimals,
        }
    }

    fn check(&self) -> Result<(), BookError> {
        let positive = |name, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            Err(BookError::Value {
                name,
                value,
                problem: "must be above 0",
            })
        };
        let decimals = f64::from(self.base_decimals.max(self.quote_decimals));
        if decimals > 18.0 {
            return Err(BookError::Value {
                name: "decimals",
                value: decimals,
                problem: "must be at most 18",
            });
        }
        positive("price", self.price)?;
        for reserve in [&self.base_reserve, &self.quote_reserve] {
            for lender in &reserve.lenders {
                positive("lenders.amount", lender.amount)?;
            }
        }
        for others in &self.pool.others {
            positive("others.lower", others.lower)?;
            positive("others.upper", others.upper)?;
            positive("others.value", others.value)?;
        }
        let mut count = 0usize;
        for position in &self.positions {
            positive("positions.lower", position.lower)?;
            positive("positions.upper", position.upper)?;
            positive("positions.equity", position.equity)?;
            positive("positions.leverage", position.leverage)?;
            if !(0.0..=1.0).contains(&position.hedge) {
                return Err(BookError::Value {
                    name: "positions.hedge",
                    value: position.hedge,
                    problem: "must be from 0 to 1",
                });
            }
            for (name, given) in [
                ("positions.policy.hedge_bps", position.policy.hedge_bps),
                ("positions.owner.leverage_bps", position.owner.leverage_bps),
            ] {
                if let Some(value) = given {
                    return Err(BookError::Value {
                        name,
                        value: value.into(),
                        problem: "must be left out: the position's own hedge and leverage say it",
                    });
                }
            }
            count = count.saturating_add(position.count as usize);
        }
        if count > MOST_POSITIONS {
            return Err(BookError::Value {
                name: "number of positions",
                value: count as f64,
                problem: "must be at most 100000",
            });
        }
        if self.pool.tick_spacing == 0 {
            return Err(BookError::Value {
                name: "pool.tick_spacing",
                value: 0.0,
                problem: "must be at least 1",
            });
        }
        if let Some(perp) = &self.perp
            && !(perp.size.is_finite() && perp.margin.is_finite() && perp.maintenance >= 0.0)
        {
            return Err(BookError::Value {
                name: "perp",
                value: perp.size,
                problem: "must have numbers, and maintenance from 0 up",
            });
        }
        Ok(())
    }
}

impl BookAdaptive {
    /// As pools take them.
    pub fn terms(self) -> AdaptiveTerms {
        AdaptiveTerms {
            filter_period_secs: self.filter_period,
            decay_period_secs: self.decay_period,
            reduction_factor: self.reduction_factor,
            control_factor: self.control_factor,
            max_volatility_accumulator: self.max_volatility_accumulator,
            tick_group_size: self.tick_group_size.max(1).into(),
            major_swap_threshold_ticks: self.major_swap_threshold_ticks.into(),
        }
    }
}
