use ballast_clmm::Side;
use ballast_model::{Bps, DeleverageError, ModelError, Trade, lending::LendingError};
use thiserror::Error;

/// Why an action cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// A number is out of range.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A reserve refuses.
    #[error("reserve of {side}: {error}")]
    Lending {
        /// Which reserve.
        side: Side,
        /// Why.
        error: LendingError,
    },
    /// A loan would exceed the reserve's caps.
    #[error("a loan of {amount} exceeds the caps of the reserve of {side}")]
    Capped {
        /// Which reserve.
        side: Side,
        /// Raw units asked for.
        amount: u64,
    },
    /// The swap would lose too much.
    #[error("the swap loses more than {max_loss} against the oracle's price")]
    SwapLoss {
        /// Its direction.
        trade: Trade,
        /// The most that it may lose.
        max_loss: Bps,
    },
    /// The pool has moved other amounts than were asked for.
    #[error("the pool has moved other amounts than it was asked for")]
    OtherAmounts,
    /// Without equity there is nothing to hedge.
    #[error("no equity is left")]
    NoEquity,
    /// Borrowing the hedge alone costs more debt than the leverage allows.
    #[error("leverage {leverage} does not allow the debt that the hedge needs")]
    HedgeNotAffordable {
        /// The leverage.
        leverage: Bps,
    },
    /// See [`DeleverageError`].
    #[error(transparent)]
    Deleverage(#[from] DeleverageError),
    /// Less lies idle than is needed.
    #[error("too little {side} lies idle")]
    Short {
        /// Of which token.
        side: Side,
    },
    /// What is held does not pay for what is owed.
    #[error("debt remains")]
    DebtRemains,
    /// A payer pays for nothing.
    #[error("nothing can be paid for")]
    NothingToPayWith,
}

/// What does not fit.
pub(crate) const fn overflow(what: &'static str) -> LedgerError {
    LedgerError::Model(ModelError::Overflow(what))
}
