//! A market at one slot, as pure values: what a decision is made on, wherever the numbers come from. `ballast-client` reads it
//! from a cluster, a simulator makes it up.
//!
//! Market, reserves and positions are the program's own types, because its rules, which off-chain code calls too, are written for
//! them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use ballast::state::{Market, Position, Reserve};
use ballast_abi::{pyth::PriceUpdate, whirlpool::PoolView};
use ballast_ledger::{Lender, Pool, Values};
use ballast_model::{
    Amounts, Band, Bps, ModelError, Position as PositionModel, Side, SqrtPrice, Tick,
    lending::{LendingError, ReserveState},
    oracle::{FeedPrice, OracleError, sqrt_price_down},
};
use thiserror::Error;

pub use ballast_abi::Address as Pubkey;

/// Numbers of a market or position that no price, debt or value follows from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The two prices give no square-root price.
    #[error(transparent)]
    Oracle(#[from] OracleError),
    /// A reserve's numbers cannot be grown to the time asked for.
    #[error("reserve of {side:?}: {error}")]
    Lending {
        /// Which reserve.
        side: Side,
        /// Why.
        error: LendingError,
    },
    /// A position's numbers are out of range.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// What matters of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Price now.
    pub sqrt_price: SqrtPrice,
    /// Current tick as the pool counts it, see [`PoolView::tick_current`].
    pub tick_current: i32,
    /// Active liquidity.
    pub liquidity: u128,
    /// Swap fee, 1e-6 of the input; only the floor of it if the fee is adaptive.
    pub fee_rate_ppm: u16,
    /// Whether the fee moves with volatility.
    pub has_adaptive_fee: bool,
    /// When a swap or a change of liquidity last touched it, Unix seconds.
    pub touched_secs: u64,
    /// Fees of base and quote that a unit of liquidity in range has earned since the pool began, Q64.64 modulo 2^128.
    pub fee_growth_x64: [u128; 2],
}

impl PoolState {
    /// From a pool's bytes.
    ///
    /// # Errors
    /// What does not fit the layout.
    pub fn parse(data: &[u8]) -> Result<Self, ballast_abi::LayoutError> {
        let view = PoolView::parse(data)?;
        Ok(Self {
            sqrt_price: view.sqrt_price(),
            tick_current: view.tick_current(),
            liquidity: view.liquidity(),
            fee_rate_ppm: view.fee_rate_ppm(),
            has_adaptive_fee: view.has_adaptive_fee(),
            touched_secs: view.reward_last_updated_secs(),
            fee_growth_x64: [
                view.fee_growth_global_a_x64(),
                view.fee_growth_global_b_x64(),
            ],
        })
    }
}

/// Accounts in which the oracle's prices are found. A market only fixes who writes them and which feeds they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceAccounts {
    /// Base/USD.
    pub base: Pubkey,
    /// Quote/USD.
    pub quote: Pubkey,
}

/// A market with its reserves, pool and prices, all of one slot.
#[derive(Clone, Debug)]
pub struct MarketSnapshot {
    /// The slot.
    pub slot: u64,
    /// The cluster's time at that slot, Unix seconds.
    pub now_secs: i64,
    /// Address of the market.
    pub address: Pubkey,
    /// The market.
    pub market: Market,
    /// Reserve of the base token; interest as far as it was booked, see [`MarketSnapshot::reserve_at`].
    pub base_reserve: Reserve,
    /// Reserve of the quote token.
    pub quote_reserve: Reserve,
    /// The pool.
    pub pool: PoolState,
    /// Base/USD with publish time and slot. Owner, feed and full verification are checked; age, sign and confidence are
    /// not. All zero if there is no such account.
    pub base_price: PriceUpdate,
    /// Quote/USD, likewise.
    pub quote_price: PriceUpdate,
}

impl MarketSnapshot {
    /// The reserve of one side, interest as far as it was booked.
    pub fn reserve(&self, side: Side) -> &Reserve {
        match side {
            Side::Base => &self.base_reserve,
            Side::Quote => &self.quote_reserve,
        }
    }

    /// The oracle's square-root price, as the program computes it from the two prices.
    ///
    /// # Errors
    /// [`OracleError`] for prices that are not positive or out of range.
    pub fn oracle_sqrt_price(&self) -> Result<SqrtPrice, OracleError> {
        let feed = |update: &PriceUpdate| FeedPrice {
            price: update.price,
            exponent: update.exponent,
        };
        let (base, quote) = (feed(&self.base_price), feed(&self.quote_price));
        sqrt_price_down(
            base,
            quote,
            self.market.base_decimals,
            self.market.quote_decimals,
        )
    }

    /// Age of the older of the two prices at a time.
    pub fn price_age_secs(&self, at_secs: i64) -> i64 {
        let published = self
            .base_price
            .publish_time
            .min(self.quote_price.publish_time);
        at_secs.saturating_sub(published)
    }

    /// A reserve's numbers with interest to `at_secs`, if nothing else happens until then. A time before the last booking
    /// changes nothing.
    ///
    /// # Errors
    /// [`SnapshotError::Lending`].
    pub fn reserve_at(&self, side: Side, at_secs: i64) -> Result<ReserveState, SnapshotError> {
        let reserve = self.reserve(side);
        let mut state = reserve.state();
        state
            .accrue(
                at_secs,
                &reserve.curve(),
                Bps::new(reserve.reserve_factor_bps),
            )
            .map_err(|error| SnapshotError::Lending { side, error })?;
        Ok(state)
    }

    /// A stored position as a value, its debts with interest to `at_secs`: exactly what the program would compute then.
    ///
    /// # Errors
    /// [`SnapshotError`] for ticks or debts that are out of range.
    pub fn position(
        &self,
        position: &Position,
        at_secs: i64,
    ) -> Result<PositionModel, SnapshotError> {
        position_in(position, &self.reserves_at(at_secs)?)
    }

    /// Both reserves as [`Self::reserve_at`] has them, base first.
    ///
    /// # Errors
    /// [`SnapshotError::Lending`].
    pub fn reserves_at(&self, at_secs: i64) -> Result<[ReserveState; 2], SnapshotError> {
        Ok([
            self.reserve_at(Side::Base, at_secs)?,
            self.reserve_at(Side::Quote, at_secs)?,
        ])
    }

    /// What the reserves would lend within their caps, or a few units less, with interest to `at_secs`.
    ///
    /// # Errors
    /// [`SnapshotError::Lending`].
    pub fn room_at(&self, at_secs: i64) -> Result<Amounts, SnapshotError> {
        let room = |side| {
            let Lender { state, caps } = self.lender_at(side, at_secs)?;
            caps.room_down(&state)
                .map_err(|error| SnapshotError::Lending { side, error })
        };
        Ok(Amounts {
            base: room(Side::Base)?,
            quote: room(Side::Quote)?,
        })
    }

    fn lender_at(&self, side: Side, at_secs: i64) -> Result<Lender, SnapshotError> {
        Ok(Lender {
            state: self.reserve_at(side, at_secs)?,
            caps: self.reserve(side).caps(),
        })
    }

    /// A stored position as a ledger, on which actions can be tried out: with both reserves, interest booked to `at_secs`, and a pool.
    ///
    /// # Errors
    /// [`SnapshotError`] for ticks or debts that are out of range.
    pub fn ledger<P: Pool>(
        &self,
        position: &Position,
        at_secs: i64,
        pool: P,
    ) -> Result<Values<P>, SnapshotError> {
        let model = self.position(position, at_secs)?;
        Ok(Values {
            band: model.band,
            liquidity: model.liquidity,
            idle: model.idle,
            shares: [
                position.base_debt_shares.get(),
                position.quote_debt_shares.get(),
            ],
            lenders: [
                self.lender_at(Side::Base, at_secs)?,
                self.lender_at(Side::Quote, at_secs)?,
            ],
            pool,
            payer: Amounts::ZERO,
            swap_loss: 0,
            refinanced: Amounts::ZERO,
        })
    }

    /// Books what has become of a position and of its reserves on a ledger. Counters and times are the caller's.
    pub fn book<P>(&mut self, position: &mut Position, ledger: &Values<P>) {
        (position.tick_lower, position.tick_upper) = (
            ledger.band.sqrt_lower().tick().get(),
            ledger.band.sqrt_upper().tick().get(),
        );
        position.liquidity = ledger.liquidity.into();
        (position.idle_base, position.idle_quote) = (ledger.idle.base, ledger.idle.quote);
        let [base, quote] = ledger.shares;
        position.base_debt_shares = base.into();
        position.quote_debt_shares = quote.into();
        let entry = &mut position.entry;
        entry.swap_loss = entry.swap_loss.saturating_add(ledger.swap_loss);
        let [base, quote] = &ledger.lenders;
        self.base_reserve.set_state(&base.state);
        self.quote_reserve.set_state(&quote.state);
    }
}

/// A stored position as a value, its debts what its shares are worth in these reserves, base first. For many positions of one
/// moment: [`MarketSnapshot::reserves_at`] once.
///
/// # Errors
/// [`SnapshotError`] for ticks or debts that are out of range.
pub fn position_in(
    position: &Position,
    [base, quote]: &[ReserveState; 2],
) -> Result<PositionModel, SnapshotError> {
    let tick = |index| Tick::new(index).map_err(ModelError::from);
    let owed = |side, state: &ReserveState, shares| {
        state
            .debt_of_up(shares)
            .map_err(|error| SnapshotError::Lending { side, error })
    };
    Ok(PositionModel {
        band: Band::new(tick(position.tick_lower)?, tick(position.tick_upper)?)
            .map_err(ModelError::from)?,
        liquidity: position.liquidity.get(),
        idle: position.idle(),
        debt: Amounts {
            base: owed(Side::Base, base, position.base_debt_shares.get())?,
            quote: owed(Side::Quote, quote, position.quote_debt_shares.get())?,
        },
    })
}
