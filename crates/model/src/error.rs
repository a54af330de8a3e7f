use ballast_clmm::ClmmError;
use thiserror::Error;

/// Arithmetic whose result cannot be represented. Real token supplies do not get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The named quantity does not fit its integer type.
    #[error("{0} is too large to represent: use smaller amounts or a price further from the ends")]
    Overflow(&'static str),
    /// The pool's arithmetic refused an amount or a price.
    #[error(transparent)]
    Clmm(#[from] ClmmError),
}
