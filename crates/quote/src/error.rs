//! Why there is no quote.

use thiserror::Error;

/// Why there is no quote.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum QuoteError {
    /// The leverage does not pay for the hedge.
    #[error(
        "hedge not affordable: the base to borrow is worth {hedge_value}, but leverage {leverage} on own funds of {equity} allows \
         debt of only {debt_allowed}: raise the leverage, lower the hedge or move the range down"
    )]
    NotAffordable {
        /// Value of the base to borrow.
        hedge_value: f64,
        /// Debt that the leverage allows.
        debt_allowed: f64,
        /// Assets over own funds.
        leverage: f64,
        /// Own funds.
        equity: f64,
    },
}
