//! Markets, orders, matching and time. Orders take from the depth that is set from outside, and from each other's, best price first;
//! depth that is set through a resting order fills it at its own price.

use super::{
    ledger::{Ledger, Trade, sign},
    order::{NewOrder, OrderRecord, Refusal, Status},
};
use crate::{
    depth::{Depth, Level},
    hyperliquid::{
        bytes::{Address, Cloid},
        order_wire::{OrderRef, Tif},
    },
    instrument::{Instrument, MIN_NOTIONAL, Side},
    venue::{Account, FillKind, Position},
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Milliseconds between two funding settlements.
pub const FUNDING_INTERVAL_MS: u64 = 3_600_000;

/// What trading costs, as shares of the notional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// For who takes.
    pub taker: Decimal,
    /// For who rests.
    pub maker: Decimal,
}

impl Default for Fees {
    /// The venue's lowest tier.
    fn default() -> Self {
        Self {
            taker: Decimal::new(45, 5),
            maker: Decimal::new(15, 5),
        }
    }
}

/// A settlement of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// When.
    pub time_ms: u64,
    /// The rate of the hour.
    pub rate: Decimal,
    /// The premium that it came of.
    pub premium: Decimal,
}

/// One perpetual's market.
#[derive(Debug, Clone)]
pub struct Market {
    /// What is traded.
    pub instrument: Instrument,
    /// What others offer.
    pub depth: Depth,
    /// What funding and margin are computed from.
    pub index: Decimal,
    /// The rate of the next settlement.
    pub funding_rate: Decimal,
    /// The premium that it comes of.
    pub premium: Decimal,
    /// What was settled.
    pub settled: Vec<Settled>,
}

/// The exchange.
#[derive(Debug, Clone)]
pub struct Exchange {
    fees: Fees,
    now_ms: u64,
    next_id: u64,
    markets: Vec<Market>,
    accounts: BTreeMap<Address, Ledger>,
    orders: BTreeMap<u64, OrderRecord>,
    scheduled_cancels: BTreeMap<Address, u64>,
}

impl Exchange {
    /// An exchange without accounts. The instruments are numbered in this order.
    #[must_use]
    pub fn new(now_ms: u64, fees: Fees, instruments: impl IntoIterator<Item = Instrument>) -> Self {
        let markets = (0..)
            .zip(instruments)
            .map(|(asset, instrument)| Market {
                instrument: Instrument {
                    asset,
                    ..instrument
                },
                depth: Depth::default(),
                index: Decimal::ZERO,
                funding_rate: Decimal::ZERO,
                premium: Decimal::ZERO,
                settled: Vec::new(),
            })
            .collect();
        Self {
            fees,
            now_ms,
            next_id: 1,
            markets,
            accounts: BTreeMap::new(),
            orders: BTreeMap::new(),
            scheduled_cancels: BTreeMap::new(),
        }
    }

    /// Adds money to an account, and makes it if need be.
    pub fn deposit(&mut self, account: Address, usdc: Decimal) -> &mut Ledger {
        let ledger = self.accounts.entry(account).or_default();
        ledger.cash += usdc;
        ledger
    }

    /// What trading costs.
    #[must_use]
    pub const fn fees(&self) -> Fees {
        self.fees
    }

    /// The time.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The markets, by number.
    #[must_use]
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// A market by its coin.
    #[must_use]
    pub fn market(&self, coin: &str) -> Option<&Market> {
        self.markets
            .iter()
            .find(|market| market.instrument.coin == coin)
    }

    fn by_asset(&self, asset: u32) -> Result<&Market, Refusal> {
        self.markets
            .get(asset as usize)
            .ok_or(Refusal::NoAsset(asset))
    }

    /// An account's books.
    #[must_use]
    pub fn ledger(&self, account: Address) -> Option<&Ledger> {
        self.accounts.get(&account)
    }

    /// Orders of an account, oldest first.
    pub fn orders_of(&self, account: Address) -> impl Iterator<Item = &OrderRecord> {
        self.orders
            .values()
            .filter(move |record| record.order.account == account)
    }

    /// An order of an account.
    #[must_use]
    pub fn order(&self, account: Address, reference: OrderRef) -> Option<&OrderRecord> {
        match reference {
            OrderRef::Oid(oid) => self
                .orders
                .get(&oid)
                .filter(|record| record.order.account == account),
            OrderRef::Cloid(cloid) => self
                .orders_of(account)
                .filter(|record| record.order.cloid == Some(cloid))
                .last(),
        }
    }

    /// Sets price and depth of a market; resting orders that the depth crosses are filled.
    pub fn set_depth(&mut self, asset: u32, index: Decimal, depth: Depth) {
        let Some(market) = self.markets.get_mut(asset as usize) else {
            return;
        };
        market.index = index;
        market.depth = depth;
        let open: Vec<u64> = self.open(asset).map(|record| record.oid).collect();
        for oid in open {
            self.fill_resting_from_depth(oid);
        }
        self.liquidate();
    }

    /// Sets what the next settlement pays.
    pub fn set_funding(&mut self, asset: u32, rate: Decimal, premium: Decimal) {
        if let Some(market) = self.markets.get_mut(asset as usize) {
            market.funding_rate = rate;
            market.premium = premium;
        }
    }

    /// Moves time on: settles funding for every full hour passed and carries out scheduled cancels.
    pub fn advance_to(&mut self, now_ms: u64) {
        while let Some(time_ms) = next_settlement(self.now_ms).filter(|time_ms| *time_ms <= now_ms)
        {
            self.now_ms = time_ms;
            self.settle(time_ms);
        }
        self.now_ms = self.now_ms.max(now_ms);
        let due: Vec<Address> = self
            .scheduled_cancels
            .iter()
            .filter(|(_, time)| **time <= self.now_ms)
            .map(|(account, _)| *account)
            .collect();
        for account in due {
            self.scheduled_cancels.remove(&account);
            let now_ms = self.now_ms;
            for record in self
                .orders
                .values_mut()
                .filter(|record| record.order.account == account)
            {
                if record.status == Status::Open {
                    record.status = Status::Canceled;
                    record.status_ms = now_ms;
                }
            }
        }
    }

    fn settle(&mut self, time_ms: u64) {
        for market in &mut self.markets {
            for ledger in self.accounts.values_mut() {
                ledger.fund(
                    &market.instrument,
                    market.index,
                    market.funding_rate,
                    time_ms,
                );
            }
            market.settled.push(Settled {
                time_ms,
                rate: market.funding_rate,
                premium: market.premium,
            });
        }
    }

    /// Cancels everything at a time, or takes that back.
    pub fn schedule_cancel(&mut self, account: Address, time_ms: Option<u64>) {
        match time_ms {
            Some(time_ms) => self.scheduled_cancels.insert(account, time_ms),
            None => self.scheduled_cancels.remove(&account),
        };
    }

    /// Sets an account's leverage.
    ///
    /// # Errors
    /// No such account or asset, or more than the asset allows.
    pub fn set_leverage(
        &mut self,
        account: Address,
        asset: u32,
        leverage: u32,
    ) -> Result<(), Refusal> {
        let most = self.by_asset(asset)?.instrument.max_leverage;
        if leverage == 0 || leverage > most {
            return Err(Refusal::Margin(asset));
        }
        self.accounts
            .get_mut(&account)
            .ok_or(Refusal::NoAccount(account))?
            .set_leverage(asset, leverage);
        Ok(())
    }

    /// Takes an order: fills what it can, rests what may rest.
    ///
    /// # Errors
    /// The order is refused; nothing changed, but for the record of one that found nothing to match.
    pub fn place(&mut self, mut order: NewOrder) -> Result<&OrderRecord, Refusal> {
        self.check(&mut order)?;
        let crosses = self
            .best(order.asset, order.side, order.account)
            .is_some_and(|price| order.side.accepts(price, order.price));
        if order.tif == Tif::Alo && crosses {
            return Err(Refusal::PostOnly(order.asset));
        }
        let oid = self.next_id();
        let (asset, tif) = (order.asset, order.tif);
        let record = OrderRecord {
            oid,
            order,
            filled: Decimal::ZERO,
            notional: Decimal::ZERO,
            status: Status::Open,
            placed_ms: self.now_ms,
            status_ms: self.now_ms,
        };
        self.orders.insert(oid, record);
        self.take(oid);
        let Some(record) = self.orders.get_mut(&oid) else {
            return Err(Refusal::NotOpen(asset));
        };
        if record.status == Status::Open && matches!(tif, Tif::Ioc | Tif::FrontendMarket) {
            if record.filled.is_zero() {
                record.status = Status::IocCancelRejected;
                return Err(Refusal::NoMatch(asset));
            }
            record.status = Status::Canceled;
        }
        Ok(record)
    }

    /// Cancels an order.
    ///
    /// # Errors
    /// It is not open.
    pub fn cancel(
        &mut self,
        account: Address,
        asset: u32,
        reference: OrderRef,
    ) -> Result<(), Refusal> {
        let oid = self
            .order(account, reference)
            .map(|record| record.oid)
            .ok_or(Refusal::NotOpen(asset))?;
        let now_ms = self.now_ms;
        match self.orders.get_mut(&oid) {
            Some(record) if record.status == Status::Open && record.order.asset == asset => {
                record.status = Status::Canceled;
                record.status_ms = now_ms;
                Ok(())
            }
            _ => Err(Refusal::NotOpen(asset)),
        }
    }

    /// Cancels an order and places another for it.
    ///
    /// # Errors
    /// The old one is not open, or the new one is refused; it is gone then.
    pub fn modify(
        &mut self,
        reference: OrderRef,
        order: NewOrder,
    ) -> Result<&OrderRecord, Refusal> {
        self.cancel(order.account, order.asset, reference)?;
        self.place(order)
    }

    /// Closes a part of a position because a counterparty went bankrupt, at a price of the venue's.
    pub fn deleverage(&mut self, account: Address, asset: u32, size: Decimal, price: Decimal) {
        self.force(account, asset, size, price, FillKind::Deleveraging);
    }

    fn force(
        &mut self,
        account: Address,
        asset: u32,
        size: Decimal,
        price: Decimal,
        kind: FillKind,
    ) {
        let (oid, tid, time_ms) = (self.next_id(), self.next_id(), self.now_ms);
        let (Some(market), Some(ledger)) = (
            self.markets.get(asset as usize),
            self.accounts.get_mut(&account),
        ) else {
            return;
        };
        let held = ledger.size(asset);
        let size = size.min(held.abs());
        if size.is_zero() {
            return;
        }
        let side = Side::of(held).opposite();
        let instrument = &market.instrument;
        ledger.book(&Trade {
            instrument,
            side,
            price,
            size,
            fee_rate: Decimal::ZERO,
            oid,
            tid,
            time_ms,
            kind,
            crossed: true,
        });
    }

    /// Closes everything of accounts below their maintenance margin, at the index.
    fn liquidate(&mut self) {
        let short: Vec<Address> = self
            .accounts
            .keys()
            .copied()
            .filter(|account| {
                self.account(*account)
                    .is_some_and(|state| state.equity < self.maintenance(*account))
            })
            .collect();
        for account in short {
            let held: Vec<(u32, Decimal)> = self.accounts[&account]
                .holdings
                .iter()
                .map(|(asset, held)| (*asset, held.size))
                .collect();
            for (asset, size) in held {
                let price = self.markets[asset as usize].index;
                self.force(account, asset, size.abs(), price, FillKind::Liquidation);
            }
        }
    }

    /// An account as the venue shows it.
    #[must_use]
    pub fn account(&self, account: Address) -> Option<Account> {
        let ledger = self.accounts.get(&account)?;
        let mut equity = ledger.cash;
        let mut margin_used = Decimal::ZERO;
        for (asset, holding) in &ledger.holdings {
            let index = self.markets[*asset as usize].index;
            equity += holding.size * (index - holding.entry);
            margin_used += holding.size.abs() * index / Decimal::from(holding.leverage);
        }
        let maintenance = self.maintenance(account);
        let positions = ledger
            .holdings
            .iter()
            .filter(|(_, holding)| !holding.size.is_zero())
            .map(|(asset, holding)| {
                let market = &self.markets[*asset as usize];
                let share = Decimal::ONE / Decimal::from(2 * market.instrument.max_leverage);
                // Where what is left above maintenance is lost; maintenance itself moves with the price.
                let slope = holding.size.abs() * (Decimal::ONE - share * sign(holding.size));
                let price = market.index - sign(holding.size) * (equity - maintenance) / slope;
                let liquidation = (price > Decimal::ZERO).then(|| price.round_dp(6));
                Position {
                    coin: market.instrument.coin.clone(),
                    size: holding.size,
                    entry: holding.entry,
                    liquidation,
                }
            })
            .collect();
        Some(Account {
            equity,
            margin_used,
            positions,
        })
    }

    /// What an account has to keep: half of what its positions need at the highest leverage.
    fn maintenance(&self, account: Address) -> Decimal {
        let holdings = self.accounts.get(&account).map(|ledger| &ledger.holdings);
        holdings
            .into_iter()
            .flatten()
            .fold(Decimal::ZERO, |sum, (asset, holding)| {
                let market = &self.markets[*asset as usize];
                sum + holding.size.abs() * market.index
                    / Decimal::from(2 * market.instrument.max_leverage)
            })
    }

    const fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn open(&self, asset: u32) -> impl Iterator<Item = &OrderRecord> {
        self.orders
            .values()
            .filter(move |record| record.status == Status::Open && record.order.asset == asset)
    }

    /// The best price that an order of this side could take.
    fn best(&self, asset: u32, side: Side, account: Address) -> Option<Decimal> {
        let market = self.markets.get(asset as usize)?;
        let outside = market.depth.against(side).first().map(|level| level.price);
        let resting = self
            .resting(asset, side, account)
            .map(|record| record.order.price);
        match (outside, resting) {
            (Some(a), Some(b)) => Some(if side.accepts(a, b) { a } else { b }),
            (a, b) => a.or(b),
        }
    }

    /// The best resting order of others that an order of this side could take; the oldest among equals.
    fn resting(&self, asset: u32, side: Side, account: Address) -> Option<&OrderRecord> {
        self.open(asset)
            .filter(|record| record.order.side != side && record.order.account != account)
            .reduce(|best, record| {
                let better = record.order.price != best.order.price
                    && side.accepts(record.order.price, best.order.price);
                if better { record } else { best }
            })
    }

    /// Checks an order; a reducing one is cut to what it can reduce.
    fn check(&self, order: &mut NewOrder) -> Result<(), Refusal> {
        let market = self.by_asset(order.asset)?;
        let ledger = self
            .accounts
            .get(&order.account)
            .ok_or(Refusal::NoAccount(order.account))?;
        let asset = order.asset;
        if order.size <= Decimal::ZERO
            || market.instrument.size_toward_zero(order.size) != order.size
        {
            return Err(Refusal::Size(asset));
        }
        if order.price <= Decimal::ZERO || market.instrument.price_down(order.price) != order.price
        {
            return Err(Refusal::Tick(asset));
        }
        let held = ledger.size(asset);
        let reduces = !held.is_zero() && Side::of(held) != order.side;
        if order.reduce_only {
            if !reduces {
                return Err(Refusal::ReduceOnly(asset));
            }
            order.size = order.size.min(held.abs());
            return Ok(());
        }
        if order.size * order.price < MIN_NOTIONAL {
            return Err(Refusal::MinNotional(asset));
        }
        let after = (held + order.side.signed(order.size)).abs();
        let leverage = ledger
            .holdings
            .get(&asset)
            .map_or(market.instrument.max_leverage, |holding| holding.leverage);
        let equity = self
            .account(order.account)
            .map_or(Decimal::ZERO, |account| account.equity);
        if after > held.abs() && after * market.index / Decimal::from(leverage) > equity {
            return Err(Refusal::Margin(asset));
        }
        Ok(())
    }

    /// Fills an order from the outside depth and from others' orders, best price first.
    fn take(&mut self, oid: u64) {
        loop {
            let Some(record) = self
                .orders
                .get(&oid)
                .filter(|record| record.status == Status::Open)
            else {
                return;
            };
            let NewOrder {
                account,
                asset,
                side,
                price: limit,
                ..
            } = record.order;
            let left = record.left();
            let outside = self.markets[asset as usize]
                .depth
                .against(side)
                .first()
                .copied();
            let resting = self
                .resting(asset, side, account)
                .map(|record| (record.oid, record.order.price, record.left()));
            let maker = match (outside, resting) {
                (Some(level), Some((_, price, _))) if side.accepts(level.price, price) => None,
                (_, maker) => maker,
            };
            let (price, offered) = match (maker, outside) {
                (Some((_, price, size)), _) => (price, size),
                (None, Some(Level { price, size })) => (price, size),
                (None, None) => return,
            };
            if !side.accepts(price, limit) {
                return;
            }
            let size = left.min(offered);
            match maker {
                Some((maker, ..)) => self.fill(maker, price, size, false),
                None => self.consume(asset, side, size),
            }
            self.fill(oid, price, size, true);
        }
    }

    fn fill_resting_from_depth(&mut self, oid: u64) {
        while let Some(record) = self
            .orders
            .get(&oid)
            .filter(|record| record.status == Status::Open)
        {
            let NewOrder {
                asset, side, price, ..
            } = record.order;
            let left = record.left();
            let Some(level) = self.markets[asset as usize]
                .depth
                .against(side)
                .first()
                .copied()
            else {
                return;
            };
            if !side.accepts(level.price, price) {
                return;
            }
            let size = left.min(level.size);
            self.consume(asset, side, size);
            self.fill(oid, price, size, false);
        }
    }

    /// Takes from the best outside level.
    fn consume(&mut self, asset: u32, side: Side, size: Decimal) {
        let depth = &mut self.markets[asset as usize].depth;
        let levels = match side {
            Side::Buy => &mut depth.asks,
            Side::Sell => &mut depth.bids,
        };
        if let Some(best) = levels.first_mut() {
            best.size -= size;
            if best.size <= Decimal::ZERO {
                levels.remove(0);
            }
        }
    }

    fn fill(&mut self, oid: u64, price: Decimal, size: Decimal, crossed: bool) {
        let tid = self.next_id();
        let Some(record) = self.orders.get_mut(&oid) else {
            return;
        };
        record.filled += size;
        record.notional += size * price;
        if record.left().is_zero() {
            record.status = Status::Filled;
            record.status_ms = self.now_ms;
        }
        let NewOrder {
            account,
            asset,
            side,
            ..
        } = record.order;
        let fee_rate = if crossed {
            self.fees.taker
        } else {
            self.fees.maker
        };
        let instrument = &self.markets[asset as usize].instrument;
        if let Some(ledger) = self.accounts.get_mut(&account) {
            let kind = FillKind::Trade;
            ledger.book(&Trade {
                instrument,
                side,
                price,
                size,
                fee_rate,
                oid,
                tid,
                time_ms: self.now_ms,
                kind,
                crossed,
            });
        }
    }

    /// The orders of an account that carry a client order id twice; none may.
    #[must_use]
    pub fn repeated_cloids(&self, account: Address) -> Vec<Cloid> {
        let mut seen: BTreeMap<Cloid, u32> = BTreeMap::new();
        for cloid in self
            .orders_of(account)
            .filter_map(|record| record.order.cloid)
        {
            *seen.entry(cloid).or_default() += 1;
        }
        seen.into_iter()
            .filter(|(_, count)| *count > 1)
            .map(|(cloid, _)| cloid)
            .collect()
    }
}

const fn next_settlement(now_ms: u64) -> Option<u64> {
    match (now_ms / FUNDING_INTERVAL_MS).checked_add(1) {
        Some(hour) => hour.checked_mul(FUNDING_INTERVAL_MS),
        None => None,
    }
}
