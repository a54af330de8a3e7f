//! An account on paper: cash, positions, and the records that a venue keeps of them.

use crate::{
    instrument::{Instrument, Side},
    venue::{Fill, FillKind, Funding},
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A position on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Negative when short.
    pub size: Decimal,
    /// The average price of what is held.
    pub entry: Decimal,
    /// The leverage that the account has chosen.
    pub leverage: u32,
}

/// A fill with what the venue's record of it says beyond our own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillRecord {
    /// The fill.
    pub fill: Fill,
    /// The position before it.
    pub start_position: Decimal,
    /// Whether it took from the book.
    pub crossed: bool,
}

/// An account on paper.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Dollars, with all that was earned and paid.
    pub cash: Decimal,
    /// Whether spot and perps share one balance; its perp summary then says zero.
    pub unified: bool,
    /// By asset.
    pub holdings: BTreeMap<u32, Holding>,
    /// Oldest first.
    pub fills: Vec<FillRecord>,
    /// Oldest first.
    pub funding: Vec<Funding>,
}

/// What moves a position.
#[derive(Debug, Clone)]
pub(crate) struct Trade<'a> {
    pub instrument: &'a Instrument,
    pub side: Side,
    pub price: Decimal,
    pub size: Decimal,
    pub fee_rate: Decimal,
    pub oid: u64,
    pub tid: u64,
    pub time_ms: u64,
    pub kind: FillKind,
    pub crossed: bool,
}

impl Ledger {
    /// The size held of an asset.
    #[must_use]
    pub fn size(&self, asset: u32) -> Decimal {
        self.holdings
            .get(&asset)
            .map_or(Decimal::ZERO, |holding| holding.size)
    }

    /// Sets the leverage of an asset, held or not.
    pub fn set_leverage(&mut self, asset: u32, leverage: u32) {
        self.holding(asset, leverage).leverage = leverage;
    }

    fn holding(&mut self, asset: u32, leverage: u32) -> &mut Holding {
        self.holdings.entry(asset).or_insert(Holding {
            size: Decimal::ZERO,
            entry: Decimal::ZERO,
            leverage,
        })
    }

    /// Books a trade: the part that closes earns, the part that opens is averaged in, the fee goes out.
    pub(crate) fn book(&mut self, trade: &Trade<'_>) {
        let fee = (trade.price * trade.size * trade.fee_rate).round_dp(6);
        let fill = Fill {
            tid: trade.tid,
            oid: trade.oid,
            time_ms: trade.time_ms,
            coin: trade.instrument.coin.clone(),
            side: trade.side,
            price: trade.price,
            size: trade.size,
            fee,
            closed_pnl: Decimal::ZERO,
            kind: trade.kind,
        };
        self.book_fill(trade.instrument, fill, trade.crossed);
    }

    /// Books a fill that happened before.
    pub(crate) fn recall(&mut self, instrument: &Instrument, fill: &Fill) {
        self.book_fill(instrument, fill.clone(), true);
    }

    fn book_fill(&mut self, instrument: &Instrument, fill: Fill, crossed: bool) {
        let signed = fill.side.signed(fill.size);
        let holding = self.holding(instrument.asset, instrument.max_leverage);
        let start_position = holding.size;
        let opposite = !start_position.is_zero()
            && start_position.is_sign_negative() != signed.is_sign_negative();
        let closing = if opposite {
            fill.size.min(start_position.abs())
        } else {
            Decimal::ZERO
        };
        let closed_pnl =
            (closing * (fill.price - holding.entry) * sign(start_position)).round_dp(6);
        let opening = fill.size - closing;
        holding.size += signed;
        if holding.size.is_zero() {
            holding.entry = Decimal::ZERO;
        } else if opening > Decimal::ZERO {
            let before = if opposite {
                Decimal::ZERO
            } else {
                start_position.abs()
            };
            holding.entry = (before * holding.entry + opening * fill.price) / (before + opening);
        }
        self.cash += closed_pnl - fill.fee;
        self.fills.push(FillRecord {
            start_position,
            crossed,
            fill: Fill { closed_pnl, ..fill },
        });
    }

    /// Books an hour's funding: a long pays a positive rate.
    pub(crate) fn fund(
        &mut self,
        instrument: &Instrument,
        index: Decimal,
        rate: Decimal,
        time_ms: u64,
    ) {
        let position = self.size(instrument.asset);
        if position.is_zero() {
            return;
        }
        let usdc = -(position * index * rate).round_dp(6);
        self.cash += usdc;
        self.funding.push(Funding {
            time_ms,
            coin: instrument.coin.clone(),
            usdc,
            position,
            rate,
        });
    }
}

/// Minus one, zero or one.
#[must_use]
pub fn sign(value: Decimal) -> Decimal {
    if value.is_zero() {
        Decimal::ZERO
    } else {
        Decimal::ONE.copysign_of(value)
    }
}

trait CopySign {
    fn copysign_of(self, other: Self) -> Self;
}

impl CopySign for Decimal {
    fn copysign_of(mut self, other: Self) -> Self {
        self.set_sign_negative(other.is_sign_negative());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::sol;

    fn trade(instrument: &Instrument, side: Side, price: i64, size: i64) -> Trade<'_> {
        Trade {
            instrument,
            side,
            price: price.into(),
            size: size.into(),
            fee_rate: Decimal::new(45, 5),
            oid: 1,
            tid: 1,
            time_ms: 0,
            kind: FillKind::Trade,
            crossed: true,
        }
    }

    #[test]
    fn entry_is_averaged_and_closing_earns_by_the_side_held() {
        let sol = sol();
        let mut ledger = Ledger::default();
        ledger.book(&trade(&sol, Side::Sell, 100, 10));
        ledger.book(&trade(&sol, Side::Sell, 120, 10));
        assert_eq!(ledger.holdings[&sol.asset].entry, 110.into());
        ledger.book(&trade(&sol, Side::Buy, 100, 25));
        // Twenty closed at ten better each; five opened at the new price.
        assert_eq!(ledger.fills[2].fill.closed_pnl, 200.into());
        assert_eq!(
            (ledger.size(sol.asset), ledger.holdings[&sol.asset].entry),
            (5.into(), 100.into())
        );
        let fees: Decimal = ledger.fills.iter().map(|record| record.fill.fee).sum();
        assert_eq!(
            fees,
            Decimal::new(45, 5) * Decimal::from(1000 + 1200 + 2500)
        );
        assert_eq!(ledger.cash, Decimal::from(200) - fees);
    }

    #[test]
    fn what_is_recalled_is_as_it_was() {
        let sol = sol();
        let mut ledger = Ledger::default();
        for (side, price, size) in [
            (Side::Sell, 100, 10),
            (Side::Buy, 90, 4),
            (Side::Buy, 95, 9),
        ] {
            ledger.book(&trade(&sol, side, price, size));
        }
        let mut again = Ledger::default();
        for record in &ledger.fills {
            again.recall(&sol, &record.fill);
        }
        assert_eq!(
            (again.cash, &again.holdings, &again.fills),
            (ledger.cash, &ledger.holdings, &ledger.fills)
        );
    }

    #[test]
    fn shorts_earn_positive_funding() {
        let sol = sol();
        let mut ledger = Ledger::default();
        ledger.fund(&sol, 100.into(), Decimal::new(1, 4), 0);
        assert!(ledger.funding.is_empty());
        ledger.book(&trade(&sol, Side::Sell, 100, 10));
        let before = ledger.cash;
        ledger.fund(&sol, 100.into(), Decimal::new(1, 4), 3_600_000);
        assert_eq!(ledger.cash - before, Decimal::new(1, 1));
        assert_eq!(ledger.funding[0].usdc, Decimal::new(1, 1));
    }
}
