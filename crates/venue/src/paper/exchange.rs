//! Markets, accounts and time: what is set from outside, and what follows from it.

use super::{
    ledger::Ledger,
    order::{OrderRecord, Refusal, Status},
};
use crate::{
    depth::Depth,
    hyperliquid::{
        bytes::{Address, Cloid},
        order_wire::OrderRef,
    },
    instrument::Instrument,
    venue::Fill,
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
    pub(super) fees: Fees,
    pub(super) now_ms: u64,
    pub(super) next_id: u64,
    pub(super) markets: Vec<Market>,
    pub(super) accounts: BTreeMap<Address, Ledger>,
    pub(super) orders: BTreeMap<u64, OrderRecord>,
    pub(super) scheduled_cancels: BTreeMap<Address, u64>,
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

    /// Books a fill of an earlier life of this exchange, as it was; numbers go on above its own. What is of another market is left.
    pub fn recall(&mut self, account: Address, fill: &Fill) {
        let market = self
            .markets
            .iter()
            .find(|market| market.instrument.coin == fill.coin);
        let Some(market) = market else { return };
        let ledger = self.accounts.entry(account).or_default();
        ledger.recall(&market.instrument, fill);
        self.next_id = self.next_id.max(fill.tid).max(fill.oid);
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

    pub(super) fn by_asset(&self, asset: u32) -> Result<&Market, Refusal> {
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

    pub(super) const fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
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
