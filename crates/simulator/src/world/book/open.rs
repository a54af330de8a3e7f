//! Opening a book: lenders lend, positions borrow and provide.

use ballast::state::{Market, MarketMode, Position as Stored, Reserve};
use ballast_clmm::{Amounts, Band, Side, SqrtPrice, Tick};
use ballast_ledger::{Ledger, LedgerError};
use ballast_model::{Bps, lending::INDEX_ONE_X64, liquidity_for_value_down, value_up};
use ballast_snapshot::{MarketSnapshot, PoolState, Pubkey};
use bytemuck::Zeroable;

use super::{Book, BookError, BookLiquidity, BookPosition, Rules};
use crate::{
    ticks::{SwapFee, TickPool, TickPoolError},
    world::{Held, Lender, Parts, PerpAccount, WorldError, oracle::update, seated::Seated},
};

/// The cluster's time at the start: any that is not the first of all.
const START_SECS: i64 = 1_700_000_000;

impl Book {
    /// A world before anything has happened: every lender has lent, every position has borrowed and provided.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn open(&self, rules: &Rules) -> Result<Parts, BookError> {
        self.check()?;
        let units = self.units();
        let at = units.sqrt_price(self.price.ln());
        let mut fee = SwapFee::fixed(self.pool.fee_ppm.into());
        if let Some(adaptive) = self.pool.adaptive {
            fee = SwapFee::adaptive(self.pool.fee_ppm.into(), adaptive.terms());
        }
        let mut pool = TickPool::new(at, fee, self.pool.protocol_bps.into());
        let mut others = Vec::with_capacity(self.pool.others.len());
        for provided in &self.pool.others {
            let seat = self.provide(&mut pool, provided).map_err(|error| {
                let BookLiquidity { lower, upper, .. } = *provided;
                BookError::Others {
                    lower,
                    upper,
                    error,
                }
            })?;
            others.push(seat);
        }
        let mut lenders = Vec::new();
        let mut market = self.market(rules, at);
        market.base_reserve = self.reserve(Side::Base, &mut lenders)?;
        market.quote_reserve = self.reserve(Side::Quote, &mut lenders)?;
        let mut positions = Vec::new();
        for position in &self.positions {
            for copy in 1..=position.count {
                let name = if position.count == 1 {
                    position.name.clone()
                } else {
                    format!("{} {copy}", position.name)
                };
                let id = positions.len() as u64;
                let opened = self.position(position, id, rules, &mut market, &mut pool);
                let (stored, seat) = opened.map_err(|error| BookError::Position {
                    name: name.clone(),
                    error,
                })?;
                positions.push(Held {
                    name,
                    stored,
                    seat,
                    kept: position.kept,
                });
            }
        }
        let raw = |amount: f64, scale: f64| (amount * scale) as u64;
        Ok(Parts {
            units,
            market,
            pool,
            positions,
            others,
            lenders,
            liquidators: Amounts {
                base: raw(self.liquidators_base, units.base_scale()),
                quote: raw(self.liquidators_quote, units.quote_scale()),
            },
            perp: self.perp.map(|perp| PerpAccount {
                size: perp.size,
                margin: (perp.margin * units.quote_scale()) as i128,
                maintenance: perp.maintenance,
                follows: perp.follows,
            }),
            economics: rules.economics,
        })
    }

    /// The nearest range of ticks that the pool has.
    fn range(&self, lower: f64, upper: f64) -> Result<[i32; 2], WorldError> {
        let spacing = i32::from(self.pool.tick_spacing);
        let units = self.units();
        let nearest = |price: f64| {
            let tick = units.sqrt_price(price.ln()).tick().get();
            (f64::from(tick) / f64::from(spacing)).round() as i32 * spacing
        };
        let range = [nearest(lower), nearest(upper)];
        band(range)?;
        Ok(range)
    }

    fn provide(&self, pool: &mut TickPool, provided: &BookLiquidity) -> Result<usize, WorldError> {
        let range = self.range(provided.lower, provided.upper)?;
        let seat = pool.seat(range);
        let value = (provided.value * self.units().quote_scale()) as u128;
        let liquidity = liquidity_for_value_down(&band(range)?, value, pool.sqrt_price())?;
        pool.provide(seat, liquidity)?;
        Ok(seat)
    }

    fn market(&self, rules: &Rules, at: SqrtPrice) -> MarketSnapshot {
        let mut market = Market::zeroed();
        market.version = Market::VERSION;
        market.mode = MarketMode::Normal as u8;
        market.mode_until_secs = i64::MAX;
        (market.base_decimals, market.quote_decimals) = (self.base_decimals, self.quote_decimals);
        market.tick_spacing = self.pool.tick_spacing;
        (market.base_feed, market.quote_feed) = ([1; 32], [2; 32]);
        market.limits = rules.params.limits;
        market.oracle_rules = rules.params.oracle_rules;
        market.keepers = rules.params.keepers;
        market.stages = rules.params.stages;
        market.safety = rules.safety;
        MarketSnapshot {
            slot: 1,
            now_secs: START_SECS,
            address: Pubkey::default(),
            base_reserve: Reserve::zeroed(),
            quote_reserve: Reserve::zeroed(),
            pool: PoolState {
                sqrt_price: at,
                tick_current: at.tick().get(),
                liquidity: 0,
                fee_rate_ppm: self.pool.fee_ppm,
                has_adaptive_fee: self.pool.adaptive.is_some(),
                touched_secs: 0,
                fee_growth_x64: [0; 2],
            },
            base_price: update(market.base_feed, self.price, START_SECS),
            quote_price: update(market.quote_feed, 1.0, START_SECS),
            market,
        }
    }

    fn reserve(&self, side: Side, lenders: &mut Vec<Lender>) -> Result<Reserve, WorldError> {
        let units = self.units();
        let (book, scale, decimals) = match side {
            Side::Base => (&self.base_reserve, units.base_scale(), self.base_decimals),
            Side::Quote => (
                &self.quote_reserve,
                units.quote_scale(),
                self.quote_decimals,
            ),
        };
        let mut reserve = Reserve::zeroed();
        reserve.version = Reserve::VERSION;
        (reserve.side, reserve.decimals) = (u8::from(side == Side::Quote), decimals);
        (reserve.supply_cap, reserve.borrow_cap) = (u64::MAX, u64::MAX);
        reserve.borrow_index_x64 = INDEX_ONE_X64.into();
        reserve.last_accrual_secs = START_SECS;
        reserve.rate_at_zero_bps = book.rate_at_zero_bps;
        reserve.kink_utilisation_bps = book.kink_utilisation_bps;
        reserve.rate_at_kink_bps = book.rate_at_kink_bps;
        reserve.rate_at_full_bps = book.rate_at_full_bps;
        reserve.reserve_factor_bps = book.reserve_factor_bps;
        reserve.max_utilisation_bps = book.max_utilisation_bps;
        let mut state = reserve.state();
        for lender in &book.lenders {
            lenders.push(Lender {
                name: lender.name.clone(),
                side,
                shares: state.deposit((lender.amount * scale) as u64)?,
            });
        }
        let insurance = (book.insurance * scale) as u64;
        if insurance > 0 {
            state.fund_insurance(insurance)?;
        }
        reserve.set_state(&state);
        Ok(reserve)
    }

    /// Opens a position without a swap: own funds are brought in the tokens that are not borrowed.
    fn position(
        &self,
        book: &BookPosition,
        id: u64,
        rules: &Rules,
        market: &mut MarketSnapshot,
        pool: &mut TickPool,
    ) -> Result<(Stored, usize), WorldError> {
        let range = self.range(book.lower, book.upper)?;
        let band = band(range)?;
        let at = pool.sqrt_price();
        let own = book.equity * self.units().quote_scale();
        let bps = |part: f64| Bps::new((part * f64::from(Bps::ONE.get())).round() as u32);
        let hedge = bps(book.hedge);
        let liquidity = liquidity_for_value_down(&band, (own * book.leverage) as u128, at)?;
        let deposit = band
            .amounts_up(liquidity, at)
            .map_err(TickPoolError::from)?;
        let borrowed = hedge.of_down(deposit.base.into()).unwrap_or(0);
        let borrow_base = u64::try_from(borrowed)
            .unwrap_or(u64::MAX)
            .min(deposit.base);
        let own_base = deposit.base - borrow_base;
        // More of his own quote than the pool takes lies idle.
        let own_quote = (own as u128).checked_sub(value_up(own_base, at)?);
        let own_quote = own_quote.ok_or(WorldError::HedgeTooLow { hedge })?;
        let own_quote = u64::try_from(own_quote).map_err(|_| TickPoolError::Overflow("equity"))?;
        let borrow_quote = deposit.quote.saturating_sub(own_quote);

        let mut stored = Stored::zeroed();
        stored.version = Stored::VERSION;
        stored.id = id;
        stored.owner = Pubkey::new_from_array([1; 32]);
        [stored.tick_lower, stored.tick_upper] = range;
        (stored.idle_base, stored.idle_quote) = (own_base, own_quote);
        stored.policy = book.policy.applied_to(rules.policy);
        stored.policy.hedge_bps = hedge.get();
        stored.policy.keeper_enabled = u32::from(book.kept);
        stored.automation = book.owner.automation(bps(book.leverage), self.units())?;
        stored.entry.opened_at_secs = START_SECS;
        stored.entry.sqrt_price_x64 = at.x64().into();
        stored.entry.equity = own as u64;

        let seat = pool.seat(range);
        let seated = Seated::new(pool.clone(), seat, 0);
        let mut ledger = market.ledger(&stored, market.now_secs, seated)?;
        ledger.borrow(Side::Base, borrow_base)?;
        ledger.borrow(Side::Quote, borrow_quote)?;
        if liquidity > 0 {
            ledger.provide(liquidity)?;
        }
        if let Some(error) = ledger.pool.failed {
            return Err(error.into());
        }
        if liquidity == 0 {
            return Err(LedgerError::NoEquity.into());
        }
        market.book(&mut stored, &ledger);
        *pool = ledger.pool.pool;
        Ok((stored, seat))
    }
}

fn band([lower, upper]: [i32; 2]) -> Result<Band, WorldError> {
    let tick = |tick| Tick::new(tick).map_err(TickPoolError::from);
    Ok(Band::new(tick(lower)?, tick(upper)?).map_err(TickPoolError::from)?)
}
