//! Margin: what an account is worth and has to keep, and what the venue closes by itself.

use super::{
    exchange::Exchange,
    ledger::{Trade, sign},
};
use crate::{
    hyperliquid::bytes::Address,
    instrument::Side,
    venue::{Account, FillKind, Position},
};
use rust_decimal::Decimal;

impl Exchange {
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
    pub(super) fn liquidate(&mut self) {
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
}
