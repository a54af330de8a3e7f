//! What `ballast hedge` says, for people and as JSON.

use std::fmt;

use ballast_venue::hedge::{
    books::Books,
    cost::Quote,
    journal::{Entry, Origin},
};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::table::Table;

/// What a trade costs, in dollars.
#[derive(Debug, Serialize)]
pub struct QuoteReport {
    pub coin: String,
    pub size: Decimal,
    pub beyond_depth: Decimal,
    pub average_price: Decimal,
    pub fee: Decimal,
    pub half_spread: Decimal,
    pub slippage: Decimal,
    pub hours: u32,
    pub funding_low: Option<Decimal>,
    pub funding: Option<Decimal>,
    pub funding_high: Option<Decimal>,
    pub total: Decimal,
    pub position: Decimal,
    pub margin: Decimal,
    pub liquidation_price: Option<Decimal>,
}

impl QuoteReport {
    pub fn new(coin: String, hours: u32, quote: &Quote) -> Self {
        let cents = |value: Decimal| value.round_dp(4).normalize();
        let [fee, half_spread, slippage] =
            [quote.fee, quote.half_spread, quote.slippage].map(cents);
        let [low, funding, high] = quote
            .funding
            .map_or([None; 3], |band| band.map(|value| Some(cents(value))));
        Self {
            coin,
            size: quote.size,
            beyond_depth: quote.beyond_depth,
            average_price: cents(quote.average),
            fee,
            half_spread,
            slippage,
            hours,
            funding_low: low,
            funding,
            funding_high: high,
            // Of what is shown, so that it adds up.
            total: (fee + half_spread + slippage + funding.unwrap_or_default()).normalize(),
            position: quote.position.normalize(),
            margin: cents(quote.margin),
            liquidation_price: quote.liquidation.map(cents),
        }
    }
}

impl fmt::Display for QuoteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = || "-".to_owned();
        let text = |value: Option<Decimal>| value.map_or_else(none, |value| value.to_string());
        let mut table = Table::new(["<", "USD"]);
        table.row(["fee".into(), self.fee.to_string()]);
        table.row(["half of the spread".into(), self.half_spread.to_string()]);
        table.row(["slippage".into(), self.slippage.to_string()]);
        table.row([format!("funding over {} h", self.hours), text(self.funding)]);
        table.row(["  with 90 %, from".into(), text(self.funding_low)]);
        table.row(["  to".into(), text(self.funding_high)]);
        table.row(["total".into(), self.total.to_string()]);
        write!(f, "{table}")?;
        writeln!(
            f,
            "  {} {} at {} on average",
            self.size, self.coin, self.average_price
        )?;
        if !self.beyond_depth.is_zero() {
            writeln!(f, "  {} more than the book shows", self.beyond_depth)?;
        }
        writeln!(
            f,
            "  position {}, margin {}, liquidated at {}",
            self.position,
            self.margin,
            text(self.liquidation_price)
        )
    }
}

/// An account at the venue.
#[derive(Debug, Serialize)]
pub struct StatusReport {
    pub coin: String,
    pub position: Decimal,
    pub entry_price: Option<Decimal>,
    pub liquidation_price: Option<Decimal>,
    pub equity: Decimal,
    pub margin_used: Decimal,
    pub closed_pnl: Decimal,
    pub fees: Decimal,
    pub funding: Decimal,
    pub journal: Option<JournalReport>,
}

/// What a journal knows.
#[derive(Debug, Serialize)]
pub struct JournalReport {
    pub position: Option<Decimal>,
    pub agrees: bool,
    pub orders_without_outcome: usize,
    pub own_fills: usize,
    pub foreign_fills: usize,
    pub liquidations: usize,
    pub deleveragings: usize,
}

impl JournalReport {
    pub fn new(entries: &[Entry], coin: &str, shown: Decimal) -> Self {
        let books = Books::of(entries);
        let position = books.position(coin);
        let fills = |wanted: Origin| {
            entries
                .iter()
                .filter(|entry| matches!(entry, Entry::Fill { origin, .. } if *origin == wanted))
                .count()
        };
        Self {
            position: position.map(|position| position.normalize()),
            agrees: position.is_none_or(|position| position == shown),
            orders_without_outcome: books.open().count(),
            own_fills: fills(Origin::Own),
            foreign_fills: fills(Origin::Foreign),
            liquidations: fills(Origin::Liquidation),
            deleveragings: fills(Origin::Deleveraging),
        }
    }
}

impl fmt::Display for StatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: Option<Decimal>| {
            value.map_or_else(|| "-".to_owned(), |value| value.to_string())
        };
        let mut table = Table::new(["<", self.coin.as_str()]);
        table.row(["position".into(), self.position.to_string()]);
        table.row(["entry price".into(), text(self.entry_price)]);
        table.row(["liquidation price".into(), text(self.liquidation_price)]);
        table.row(["equity, USD".into(), self.equity.to_string()]);
        table.row(["margin used, USD".into(), self.margin_used.to_string()]);
        table.row(["earned by closing, USD".into(), self.closed_pnl.to_string()]);
        table.row(["fees paid, USD".into(), self.fees.to_string()]);
        table.row(["funding received, USD".into(), self.funding.to_string()]);
        if let Some(journal) = &self.journal {
            table.row(["position by the journal".into(), text(journal.position)]);
            table.row([
                "orders without an outcome".into(),
                journal.orders_without_outcome.to_string(),
            ]);
            table.row(["own fills".into(), journal.own_fills.to_string()]);
            table.row(["fills of others".into(), journal.foreign_fills.to_string()]);
            table.row(["liquidations".into(), journal.liquidations.to_string()]);
            table.row(["deleveragings".into(), journal.deleveragings.to_string()]);
        }
        write!(f, "{table}")?;
        if self.journal.as_ref().is_some_and(|journal| !journal.agrees) {
            writeln!(
                f,
                "  the journal and the venue disagree: fills since the last step are not read yet, or somebody else trades"
            )?;
        }
        Ok(())
    }
}

/// What closing did.
#[derive(Debug, Serialize)]
pub struct FlattenReport {
    pub coin: String,
    pub position_before: Decimal,
    pub position: Decimal,
    pub orders: u32,
    pub trades_of_others: usize,
}

impl fmt::Display for FlattenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} before, {} now, {} orders",
            self.coin, self.position_before, self.position, self.orders
        )?;
        if self.trades_of_others > 0 {
            writeln!(
                f,
                "  {} trades meanwhile were not of this journal",
                self.trades_of_others
            )?;
        }
        Ok(())
    }
}
