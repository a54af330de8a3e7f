//! Big-endian bytes of unknown origin, read from front to back.

use thiserror::Error;

/// Why bytes are no price update. `what` names the part that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UpdateError {
    /// They end early.
    #[error("{what}: the bytes end in the middle")]
    Truncated {
        /// Part that was expected.
        what: &'static str,
    },
    /// A value that is not known here: another kind of message, or a later version.
    #[error("{what}: {field} has a value that is not known here")]
    Value {
        /// Part that was expected.
        what: &'static str,
        /// Field with that value.
        field: &'static str,
    },
    /// More than any update has.
    #[error("{what}: {found} are too many, at most {most} are taken")]
    TooLong {
        /// Part that was expected.
        what: &'static str,
        /// What there is, in bytes or elements.
        found: usize,
        /// What is taken.
        most: usize,
    },
    /// Bytes follow that belong to nothing.
    #[error("{what}: {bytes} bytes follow that belong to nothing")]
    Trailing {
        /// Part that was expected.
        what: &'static str,
        /// How many.
        bytes: usize,
    },
}

pub(super) struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

macro_rules! numbers {
    ($($name:ident -> $type:ty;)*) => {$(
        pub fn $name(&mut self) -> Result<$type, UpdateError> {
            self.array().map(<$type>::from_be_bytes)
        }
    )*};
}

impl<'a> Reader<'a> {
    pub fn new(what: &'static str, rest: &'a [u8]) -> Self {
        Self { what, rest }
    }

    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], UpdateError> {
        let what = self.what;
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(UpdateError::Truncated { what })?;
        self.rest = rest;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], UpdateError> {
        let what = self.what;
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(UpdateError::Truncated { what })?;
        self.rest = rest;
        Ok(*head)
    }

    numbers! {
        u8 -> u8;
        u16 -> u16;
        u32 -> u32;
        u64 -> u64;
        i32 -> i32;
        i64 -> i64;
    }

    pub fn require(&self, holds: bool, field: &'static str) -> Result<(), UpdateError> {
        let what = self.what;
        holds
            .then_some(())
            .ok_or(UpdateError::Value { what, field })
    }

    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub fn end(self) -> Result<(), UpdateError> {
        let (what, bytes) = (self.what, self.rest.len());
        if bytes > 0 {
            return Err(UpdateError::Trailing { what, bytes });
        }
        Ok(())
    }
}

/// Refuses what is more than `most`.
pub(super) fn at_most(what: &'static str, found: usize, most: usize) -> Result<(), UpdateError> {
    if found > most {
        return Err(UpdateError::TooLong { what, found, most });
    }
    Ok(())
}
