use ballast_clmm::{Amounts, Band, Side, SqrtPrice};
use ballast_model::{Bps, Position, Trade};

use crate::LedgerError;

/// What is asked of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// So much base is sold.
    Sell(u64),
    /// So much base is bought.
    Buy(u64),
    /// Base is bought for so much quote.
    Spend(u64),
}

impl Order {
    /// Its direction.
    pub fn trade(self) -> Trade {
        match self {
            Self::Sell(_) => Trade::SellBase,
            Self::Buy(_) | Self::Spend(_) => Trade::BuyBase,
        }
    }
}

/// What a swap has moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Base sold or bought.
    pub base: u64,
    /// Quote received or paid.
    pub quote: u64,
}

/// One position with its reserves and its pool, at one moment. What fails leaves it in between: who asks gives it up then.
pub trait Ledger {
    /// Why something fails.
    type Error: From<LedgerError>;

    /// The position, debts with interest to now.
    ///
    /// # Errors
    /// What is out of range.
    fn position(&self) -> Result<Position, Self::Error>;

    /// Range of its liquidity.
    fn band(&self) -> Band;

    /// Its liquidity.
    fn liquidity(&self) -> u128;

    /// What it holds outside the pool.
    fn idle(&self) -> Amounts;

    /// What it owes on one side, with interest to now, rounded up.
    ///
    /// # Errors
    /// What is out of range.
    fn owed_up(&self, side: Side) -> Result<u64, Self::Error>;

    /// What may be borrowed within the reserves' caps, or a few units less.
    ///
    /// # Errors
    /// What is out of range.
    fn room_down(&self) -> Result<Amounts, Self::Error>;

    /// The pool's price.
    ///
    /// # Errors
    /// What cannot be read.
    fn pool_price(&self) -> Result<SqrtPrice, Self::Error>;

    /// The pool's price, and its fee, 1e-6 of the input.
    ///
    /// # Errors
    /// What cannot be read.
    fn pool_price_and_fee_ppm(&self) -> Result<(SqrtPrice, u32), Self::Error>;

    /// From here on loans up to the present debts are not bound by the reserves' caps: for what repays and borrows anew.
    ///
    /// # Errors
    /// What is out of range.
    fn refinance(&mut self) -> Result<(), Self::Error>;

    /// Borrows into what lies idle, within the reserve's caps; nothing happens for zero.
    ///
    /// # Errors
    /// What the reserve refuses.
    fn borrow(&mut self, side: Side, amount: u64) -> Result<(), Self::Error>;

    /// Repays out of what lies idle as much as is owed, at most `most`. What is too little to count as a repayment stays idle.
    /// Returns what was repaid.
    ///
    /// # Errors
    /// What is out of range.
    fn repay(&mut self, side: Side, most: u64) -> Result<u64, Self::Error>;

    /// Provides liquidity out of what lies idle, for at most `most`: what that takes at the pool's price, rounded up. Returns what it took.
    ///
    /// # Errors
    /// What the pool refuses, or too little lying idle.
    fn provide_at_most(&mut self, liquidity: u128, most: Amounts) -> Result<Amounts, Self::Error>;

    /// Withdraws liquidity, books its fees, and returns what came.
    ///
    /// # Errors
    /// What the pool refuses.
    fn withdraw(&mut self, liquidity: u128) -> Result<Amounts, Self::Error>;

    /// Collects the fees that are booked; returns them.
    ///
    /// # Errors
    /// What the pool refuses.
    fn collect(&mut self) -> Result<Amounts, Self::Error>;

    /// Swaps, at most until the pool's price reaches the limit.
    ///
    /// # Errors
    /// What the pool refuses, or too little lying idle.
    fn swap(&mut self, order: Order, limit: Option<SqrtPrice>) -> Result<Moved, Self::Error>;

    /// Takes note of what a swap has lost against the oracle's price, quote units.
    fn note_swap_loss(&mut self, loss: u64);
}

/// A ledger with somebody else at it, who pays debts and takes collateral.
pub trait Counter: Ledger {
    /// Takes tokens of the payer in, to lie idle.
    ///
    /// # Errors
    /// Too little in the payer's wallet.
    fn take_in(&mut self, side: Side, amount: u64) -> Result<(), Self::Error>;

    /// Pays what lies idle out to the payer.
    ///
    /// # Errors
    /// Too little lying idle.
    fn pay_out(&mut self, side: Side, amount: u64) -> Result<(), Self::Error>;

    /// Writes off what is still owed of both tokens. The payer gets `bonus` of what was repaid of each that has a loss out of that
    /// reserve's insurance, as far as [`ballast_model::lending::ReserveState::pay_write_off_bonus`] goes; returns that.
    ///
    /// # Errors
    /// What is out of range.
    fn book_losses(&mut self, repaid: Amounts, bonus: Bps) -> Result<Amounts, Self::Error>;
}

/// Repays both debts out of what lies idle. It changes neither equity nor delta, and lowers LTV and interest.
///
/// # Errors
/// As [`Ledger::repay`].
pub fn settle<L: Ledger>(ledger: &mut L) -> Result<Amounts, L::Error> {
    Ok(Amounts {
        base: ledger.repay(Side::Base, u64::MAX)?,
        quote: ledger.repay(Side::Quote, u64::MAX)?,
    })
}
