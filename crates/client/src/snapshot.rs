//! A market at one slot, as pure values.

use ballast::state::{Market, Position, Reserve};
use ballast_abi::{
    pyth::{PriceUpdate, PythError},
    whirlpool::PoolView,
};
use ballast_model::{
    Amounts, Band, Bps, ModelError, Position as PositionModel, Side, SqrtPrice, Tick,
    lending::{LendingError, ReserveState},
    oracle::{FeedPrice, OracleError, sqrt_price_down},
};
use solana_sdk::{account::Account, pubkey::Pubkey};
use thiserror::Error;

use crate::{
    account::{DecodeError, decode_at, owned_by, required},
    chain::{Accounts, CLOCK_SYSVAR, Chain, ChainError, parse_clock},
    market::MarketContext,
};

/// Why there is no usable picture of a market.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The cluster did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An account is not what it should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A price account holds the price of another feed.
    #[error(
        "{address} holds the price of another feed than the market's: configure the market's price accounts"
    )]
    WrongFeed {
        /// The price account.
        address: Pubkey,
    },
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
        })
    }
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
    /// The accounts a snapshot is made of, in the order that [`MarketSnapshot::from_accounts`] expects.
    pub fn addresses(market: &MarketContext) -> [Pubkey; 7] {
        [
            market.address,
            market.reserve(Side::Base),
            market.reserve(Side::Quote),
            market.market.whirlpool,
            market.prices.base,
            market.prices.quote,
            CLOCK_SYSVAR,
        ]
    }

    /// Reads a snapshot with one request.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub async fn load(chain: &dyn Chain, market: &MarketContext) -> Result<Self, SnapshotError> {
        let answer = chain.accounts(&Self::addresses(market)).await?;
        Self::from_accounts(market, &answer)
    }

    /// A snapshot from the accounts at [`MarketSnapshot::addresses`].
    ///
    /// # Errors
    /// [`SnapshotError`] for the first account that is not what it should be.
    pub fn from_accounts(
        context: &MarketContext,
        answer: &Accounts,
    ) -> Result<Self, SnapshotError> {
        let addresses = Self::addresses(context);
        let at = |index: usize| -> Option<&Account> { answer.accounts.get(index)?.as_ref() };
        let [
            address,
            base_reserve,
            quote_reserve,
            whirlpool,
            base_price,
            quote_price,
            clock,
        ] = addresses;
        let market: Market = decode_at(&address, at(0))?;
        let pool = owned_by("pool", &whirlpool, at(3), &market.whirlpool_program)?;
        let clock_data = required("clock", &clock, at(6))?;
        let now =
            parse_clock(clock_data).ok_or_else(|| malformed("clock", clock, &"it is too short"))?;
        Ok(Self {
            slot: answer.slot,
            now_secs: now.now_secs,
            address,
            base_reserve: decode_at(&base_reserve, at(1))?,
            quote_reserve: decode_at(&quote_reserve, at(2))?,
            pool: PoolState::parse(pool).map_err(|error| malformed("pool", whirlpool, &error))?,
            base_price: price(
                &base_price,
                at(4),
                &market.price_receiver,
                &market.base_feed,
            )?,
            quote_price: price(
                &quote_price,
                at(5),
                &market.price_receiver,
                &market.quote_feed,
            )?,
            market,
        })
    }

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
        let tick = |index| Tick::new(index).map_err(ModelError::from);
        let owed = |side, shares| {
            let state = self.reserve_at(side, at_secs)?;
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
                base: owed(Side::Base, position.base_debt_shares.get())?,
                quote: owed(Side::Quote, position.quote_debt_shares.get())?,
            },
        })
    }
}

fn malformed(what: &'static str, address: Pubkey, reason: &impl ToString) -> DecodeError {
    DecodeError::Malformed {
        what,
        address,
        reason: reason.to_string(),
    }
}

/// A price account: owner, layout, full verification and feed. One that is not there, or has only lamports, is silence: a price
/// of zero, which no use accepts, so that whatever needs no price goes on.
fn price(
    address: &Pubkey,
    account: Option<&Account>,
    receiver: &Pubkey,
    feed: &[u8; 32],
) -> Result<PriceUpdate, SnapshotError> {
    if account.is_none_or(|account| account.data.is_empty()) {
        return Ok(PriceUpdate {
            write_authority: Default::default(),
            feed_id: *feed,
            price: 0,
            conf: 0,
            exponent: 0,
            publish_time: 0,
            previous_publish_time: 0,
            ema_price: 0,
            ema_conf: 0,
            posted_slot: 0,
        });
    }
    let data = owned_by("price account", address, account, receiver)?;
    let update = PriceUpdate::parse(data)
        .map_err(|error: PythError| malformed("price account", *address, &error))?;
    if update.feed_id != *feed {
        return Err(SnapshotError::WrongFeed { address: *address });
    }
    Ok(update)
}
