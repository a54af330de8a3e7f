//! The bridge from the arithmetic's errors to the program's.

use anchor_lang::prelude::*;

use crate::errors::BallastError;

/// Turns any arithmetic error into [`BallastError::OutOfRange`]. Off chain the same call says which number it was.
pub trait ToProgramError<T> {
    /// # Errors
    /// [`BallastError::OutOfRange`].
    fn or_range(self) -> Result<T>;
}

impl<T, E> ToProgramError<T> for core::result::Result<T, E> {
    fn or_range(self) -> Result<T> {
        self.map_err(|_| error!(BallastError::OutOfRange))
    }
}

impl<T> ToProgramError<T> for Option<T> {
    fn or_range(self) -> Result<T> {
        self.ok_or_else(|| error!(BallastError::OutOfRange))
    }
}
