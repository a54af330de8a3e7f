//! The pool as one position's ledger sees it: the same pool for all.

use ballast_clmm::{Amounts, Band, Side, SqrtPrice};
use ballast_ledger::{LedgerError, Moved, Order, Pool};

use crate::ticks::{SwapOrder, TickPool, TickPoolError};

/// What somebody has traded, raw units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trades {
    /// Base sold.
    pub base_sold: u128,
    /// Quote received for it.
    pub quote_received: u128,
    /// Base bought.
    pub base_bought: u128,
    /// Quote paid for it.
    pub quote_paid: u128,
}

impl Trades {
    /// With one more.
    pub fn add(&mut self, sells: bool, base: u64, quote: u64) {
        let (bases, quotes) = if sells {
            (&mut self.base_sold, &mut self.quote_received)
        } else {
            (&mut self.base_bought, &mut self.quote_paid)
        };
        *bases += u128::from(base);
        *quotes += u128::from(quote);
    }

    /// With all of others.
    pub fn add_all(&mut self, other: &Self) {
        self.base_sold += other.base_sold;
        self.quote_received += other.quote_received;
        self.base_bought += other.base_bought;
        self.quote_paid += other.quote_paid;
    }
}

/// See the module's description. It works on a copy: an action that fails leaves no trace.
pub(super) struct Seated {
    pub pool: TickPool,
    seat: usize,
    now_secs: u64,
    pub trades: Trades,
    /// What went wrong where nothing can be refused.
    pub failed: Option<TickPoolError>,
}

impl Seated {
    pub fn new(pool: TickPool, seat: usize, now_secs: u64) -> Self {
        Self {
            pool,
            seat,
            now_secs,
            trades: Trades::default(),
            failed: None,
        }
    }

    fn note<T>(&mut self, result: Result<T, TickPoolError>) {
        if let Err(error) = result {
            self.failed.get_or_insert(error);
        }
    }
}

impl Pool for Seated {
    type Error = LedgerError;

    fn price(&self) -> SqrtPrice {
        self.pool.sqrt_price()
    }

    fn fee_rate_ppm(&self) -> u32 {
        self.pool.fee().rate_ppm()
    }

    fn swap(&mut self, order: Order, limit: Option<SqrtPrice>) -> Result<Moved, LedgerError> {
        let order = SwapOrder::of(order, limit);
        let Amounts { base, quote } = self.pool.swap(order, self.now_secs)?.amounts;
        self.trades.add(order.input == Side::Base, base, quote);
        Ok(Moved { base, quote })
    }

    fn add(&mut self, band: &Band, liquidity: u128) {
        let range = [band.sqrt_lower(), band.sqrt_upper()].map(|price| price.tick().get());
        self.pool.move_seat(self.seat, range);
        let taken = self.pool.provide(self.seat, liquidity);
        self.note(taken);
    }

    fn remove(&mut self, _band: &Band, liquidity: u128) {
        let paid = self.pool.withdraw(self.seat, liquidity);
        self.note(paid);
    }

    fn book(&mut self, _band: &Band) {
        self.pool.book(self.seat);
    }

    fn collect(&mut self) -> Amounts {
        let paid = self.pool.collect(self.seat);
        self.note(paid);
        paid.unwrap_or(Amounts::ZERO)
    }
}
