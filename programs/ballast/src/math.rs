//! The bridge from the arithmetic's errors to the program's.

use anchor_lang::prelude::*;

use crate::errors::BallastError;

/// Turns any arithmetic error into [`BallastError::OutOfRange`], with the original in the log.
pub trait ToProgramError<T> {
    /// # Errors
    /// [`BallastError::OutOfRange`].
    fn or_range(self) -> Result<T>;
}

impl<T, E: core::fmt::Display> ToProgramError<T> for core::result::Result<T, E> {
    fn or_range(self) -> Result<T> {
        self.map_err(|error| {
            msg!("{}", error);
            error!(BallastError::OutOfRange)
        })
    }
}

impl<T> ToProgramError<T> for Option<T> {
    fn or_range(self) -> Result<T> {
        self.ok_or_else(|| error!(BallastError::OutOfRange))
    }
}
