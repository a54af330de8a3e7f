//! A world: many positions in one pool with others' liquidity, their reserves, an oracle, a perp venue, keepers and liquidators; and
//! what a [`Scenario`] does to it.
//!
//! Positions move by `ballast-ledger` and their keepers decide by `ballast-strategy`, as on chain. All trade in one [`TickPool`], so that
//! one's unwinding is the other's price. Between them nothing is made up: every token that leaves somebody comes to somebody else,
//! which [`World::tokens`] counts.
//!
//! - [`Parts`] are how a world begins: from a [`book`], or from a market that was read ([`live`]).
//! - [`World::run`] plays a scenario; [`StressReport`] says what has become of everybody.

mod act;
pub mod book;
mod flows;
pub mod live;
mod many;
mod oracle;
mod outside;
mod parts;
mod report;
mod rules;
pub mod scenario;
mod seated;
mod takers;
mod transport;
mod whole;

use std::collections::BTreeMap;

use ballast_clmm::{Amounts, Side};
use ballast_model::SqrtPrice;
use ballast_snapshot::{MarketSnapshot, Pubkey, SnapshotError};
use ballast_strategy::{
    ActionKind, Kinds,
    decide::{Assessment, assess},
    fee_yield::{FeeYield, GrowthMark},
    situation::{Economics, Outlook, Situation},
    trigger::Watch,
    volatility::Volatility,
};
use rand_chacha::ChaCha8Rng;

use crate::{
    Units,
    stream::{Source, Streams},
    ticks::TickPool,
    units::TICKS_PER_LOG,
};

pub use crate::perp::{Perp, PerpAccount, PerpFlows};
pub use many::{AtRisk, Spread, run_many};
pub use oracle::Oracle;
pub use outside::Outside;
pub use parts::{Held, Lender, Parts, WorldError};
pub use report::{
    LenderReport, PerpReport, PositionReport, ReserveReport, StressReport, Unwinding,
};
pub use scenario::{Scenario, ScenarioError};
pub use seated::Trades;
pub use transport::Transport;
pub use whole::Whole;

/// What a keeper has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Intent {
    due_secs: u64,
    kind: ActionKind,
}

/// What has happened to a position so far.
#[derive(Clone, Debug, Default)]
struct Track {
    watch: Option<Watch>,
    intent: Option<Intent>,
    /// What was refused, and until when that is remembered.
    refused: (Kinds, u64),
    /// When a liquidator lands.
    liquidator_secs: Option<u64>,
    acts: BTreeMap<&'static str, u32>,
    refusals: BTreeMap<&'static str, u32>,
    /// Until when it pauses after refusals, and how long the last pause was.
    rests_until_secs: u64,
    pause_secs: u64,
    missed: u32,
    trades: Trades,
    /// Value of the debts that liquidators have repaid, raw quote units.
    liquidated: u128,
    /// What was written off.
    bad_debt: Amounts,
    highest_ltv_bps: u32,
    lowest_equity: i128,
}

/// What has happened to a reserve.
#[derive(Clone, Copy, Debug, Default)]
struct Losses {
    from_lenders: u64,
    from_insurance: u64,
    highest_utilisation_bps: u32,
}

/// Those outside, raw units each; what they had before does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wallets {
    arbitrage: [i128; 2],
    takers: [i128; 2],
    others: [i128; 2],
    lenders: [i128; 2],
    /// With whom liquidators trade outside the pool.
    outside: [i128; 2],
}

/// See the module's description.
pub struct World {
    units: Units,
    market: MarketSnapshot,
    pool: TickPool,
    positions: Vec<Held>,
    tracks: Vec<Track>,
    /// Seats of others with what they provide at first.
    others: Vec<(usize, u128)>,
    lenders: Vec<(Lender, u64)>,
    liquidators: Amounts,
    liquidators_trades: Trades,
    wallets: Wallets,
    losses: [Losses; 2],
    outside: Outside,
    oracle: Oracle,
    transport: Transport,
    perp: Option<Perp>,
    takers: ChaCha8Rng,
    economics: Economics,
    fee_yield: FeeYield,
    /// What keepers have measured of the oracle's prices, before the scenario too.
    volatility: Volatility,
    scenario: Scenario,
    /// Whether keepers act.
    keepers: bool,
    start_secs: i64,
    secs: u64,
    all_tokens: [i128; 2],
}

/// Who keeps, and who liquidates.
const KEEPER: Pubkey = Pubkey::new_from_array([2; 32]);
const LIQUIDATOR: Pubkey = Pubkey::new_from_array([3; 32]);
/// A slot, in milliseconds.
const SLOT_MS: u64 = 400;

const fn index(side: Side) -> usize {
    match side {
        Side::Base => 0,
        Side::Quote => 1,
    }
}

fn pair(amounts: Amounts) -> [i128; 2] {
    [amounts.base.into(), amounts.quote.into()]
}

impl World {
    /// A world before anything has happened. The seed draws the noise of the price, takers and what does not land.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn new(parts: Parts, scenario: &Scenario, seed: u64) -> Result<Self, WorldError> {
        let streams = Streams::new(seed);
        let first = parts.units.log_price(
            parts
                .market
                .oracle_sqrt_price()
                .map_err(SnapshotError::from)?,
        );
        let usual = scenario.keepers.usual_sigma_day;
        let price = first.exp();
        let quote_scale = parts.units.quote_scale();
        let others = parts
            .others
            .iter()
            .map(|seat| (*seat, parts.pool.seat_at(*seat).liquidity()));
        let mut market = parts.market;
        // The market's own accounts are the ones whose silence counts.
        market.market.base_price_account = KEEPER;
        market.market.quote_price_account = LIQUIDATOR;
        // `as` saturates.
        let ticks_per_day = (usual * TICKS_PER_LOG) as u32;
        let volatility =
            Volatility::settled(ticks_per_day, parts.units.tick(first), market.now_secs);
        let mut world = Self {
            units: parts.units,
            start_secs: market.now_secs,
            market,
            others: others.collect(),
            pool: parts.pool,
            tracks: vec![
                Track {
                    lowest_equity: i128::MAX,
                    ..Track::default()
                };
                parts.positions.len()
            ],
            positions: parts.positions,
            lenders: parts
                .lenders
                .into_iter()
                .map(|lender| (lender, 0))
                .collect(),
            liquidators: parts.liquidators,
            liquidators_trades: Trades::default(),
            wallets: Wallets::default(),
            losses: [Losses::default(); 2],
            outside: Outside::new(&scenario.market, first, usual, streams.of(0, Source::Price)),
            oracle: Oracle::new(&scenario.oracle, first),
            transport: Transport::new(&scenario.keepers, streams.of(0, Source::Keepers)),
            perp: parts.perp.map(|account| {
                let mut perp = Perp::new(&scenario.perp, account, price, quote_scale);
                perp.draw_from(streams.of(0, Source::Perp));
                perp
            }),
            takers: streams.of(0, Source::Takers),
            economics: parts.economics,
            fee_yield: FeeYield::default(),
            volatility,
            scenario: scenario.clone(),
            keepers: true,
            secs: 0,
            all_tokens: [0; 2],
        };
        world.oracle.step(0, &world.outside, &mut world.market);
        world.see_pool(false);
        world.all_tokens = world.tokens();
        Ok(world)
    }

    /// The same without keepers: only liquidators act.
    #[must_use]
    pub fn without_keepers(mut self) -> Self {
        self.keepers = false;
        self
    }

    /// Plays the scenario to its end.
    ///
    /// # Errors
    /// [`WorldError`]; tokens are counted at the end.
    pub fn run(mut self) -> Result<StressReport, WorldError> {
        let before = self.standings()?;
        while self.secs < self.scenario.duration_secs {
            self.step()?;
        }
        self.count()?;
        self.report(&before)
    }

    /// One step.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn step(&mut self) -> Result<(), WorldError> {
        let before = self.secs;
        self.secs = (before + self.scenario.step_secs).min(self.scenario.duration_secs);
        self.market.now_secs = self.start_secs.saturating_add_unsigned(self.secs);
        self.market.slot += (self.secs - before) * 1_000 / SLOT_MS;
        self.outside.step(self.secs);
        self.others_move(before)?;
        self.takers_trade(self.secs - before)?;
        self.arbitrage()?;
        self.oracle.step(self.secs, &self.outside, &mut self.market);
        self.refresh_stage();
        let oracle = self.oracle_price()?;
        self.volatility
            .observe(oracle.tick().get(), self.market.base_price.publish_time);
        self.fee_yield.observe(&GrowthMark {
            growth_x64: self.market.pool.fee_growth_x64,
            at: oracle,
            secs: self.market.now_secs,
        });
        for number in 0..self.positions.len() {
            if self.keepers && self.positions[number].kept {
                self.keep(number)?;
            }
            self.liquidators_look(number)?;
        }
        self.lenders_leave(before)?;
        self.perp_moves()?;
        self.take_note()
    }

    /// All tokens of both kinds, wherever they are: in the pool, in the reserves, idle beside positions, with those outside.
    pub fn tokens(&self) -> [i128; 2] {
        let Wallets {
            arbitrage,
            takers,
            others,
            lenders,
            outside,
        } = self.wallets;
        let idle = self.positions.iter().map(|held| pair(held.stored.idle()));
        let reserves = Amounts {
            base: self.market.base_reserve.liquidity,
            quote: self.market.quote_reserve.liquidity,
        };
        let places = [
            pair(self.pool.vault()),
            pair(reserves),
            pair(self.liquidators),
            arbitrage,
            takers,
            others,
            lenders,
            outside,
        ];
        idle.chain(places)
            .fold([0; 2], |[base, quote], [a, b]| [base + a, quote + b])
    }

    /// # Errors
    /// [`WorldError::NotConserved`].
    pub fn count(&self) -> Result<(), WorldError> {
        let after = self.tokens();
        if after == self.all_tokens {
            return Ok(());
        }
        Err(WorldError::NotConserved {
            before: self.all_tokens,
            after,
        })
    }

    /// The pool as the accounts show it.
    fn see_pool(&mut self, touched: bool) {
        let state = &mut self.market.pool;
        state.sqrt_price = self.pool.sqrt_price();
        state.tick_current = self.pool.tick_current();
        state.liquidity = self.pool.liquidity();
        state.fee_rate_ppm = u16::try_from(self.pool.fee().static_ppm).unwrap_or(u16::MAX);
        state.has_adaptive_fee = self.pool.fee().is_adaptive();
        state.fee_growth_x64 = self.pool.growth_x64();
        if touched {
            state.touched_secs = u64::try_from(self.market.now_secs).unwrap_or(0);
        }
    }

    /// The price outside.
    fn fair(&self) -> SqrtPrice {
        self.units.sqrt_price(self.outside.log_price())
    }

    fn situation(&self, number: usize, liquidator: bool) -> Situation<'_> {
        let held = &self.positions[number];
        let seat = self.pool.seat_at(held.seat);
        let (refused, until) = self.tracks[number].refused;
        let refused = if liquidator {
            // He looks for one thing.
            let all = ActionKind::ALL.into_iter();
            all.fold(Kinds::NONE, Kinds::with)
                .without(ActionKind::Liquidate)
        } else if self.secs < until {
            refused
        } else {
            Kinds::NONE
        };
        Situation {
            market: &self.market,
            position: &held.stored,
            now_secs: self.market.now_secs,
            slot: self.market.slot,
            keeper: if liquidator { LIQUIDATOR } else { KEEPER },
            funds: liquidator.then_some(self.liquidators),
            min_gain: 0,
            outlook: Outlook {
                fees: Some(self.pool.fees_of(held.seat)),
                booked_fees: Some(seat.booked()),
                volatility: self.volatility.ticks_per_day(),
                fee_yield: self.fee_yield.measured(),
                economics: self.economics,
                refused,
                ..Outlook::default()
            },
        }
    }

    fn assess(&self, number: usize, liquidator: bool) -> Result<Assessment, WorldError> {
        Ok(assess(&self.situation(number, liquidator))?)
    }
}

#[cfg(test)]
mod tests;
