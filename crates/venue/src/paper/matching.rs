//! Matching. Orders take from the depth that is set from outside, and from each other's, best price first; depth that is set through a
//! resting order fills it at its own price.

use super::{
    exchange::Exchange,
    ledger::Trade,
    order::{NewOrder, OrderRecord, Refusal, Status},
};
use crate::{
    depth::Level,
    hyperliquid::{
        bytes::Address,
        order_wire::{OrderRef, Tif},
    },
    instrument::{MIN_NOTIONAL, Side},
    venue::FillKind,
};
use rust_decimal::Decimal;

impl Exchange {
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

    pub(super) fn open(&self, asset: u32) -> impl Iterator<Item = &OrderRecord> {
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

    pub(super) fn fill_resting_from_depth(&mut self, oid: u64) {
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
}
