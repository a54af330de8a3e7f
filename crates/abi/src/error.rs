//! What can be wrong with the bytes of an account or an instruction.

use ballast_clmm::ClmmError;
use thiserror::Error;

/// Why bytes are not what they were taken for. `what` names the layout that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LayoutError {
    /// The account or the instruction data has another length.
    #[error("{what}: {found} bytes, expected {expected}: pass an account of this kind")]
    Length {
        /// Layout that was expected.
        what: &'static str,
        /// Length that was expected (the smallest one where it varies), in bytes.
        expected: usize,
        /// Length that was found, in bytes.
        found: usize,
    },
    /// The first eight bytes belong to something else.
    #[error("{what}: wrong discriminator: pass an account of this kind")]
    Discriminator {
        /// Layout that was expected.
        what: &'static str,
    },
    /// A value that the layout does not allow.
    #[error("{what}: {field} has a value that is not allowed")]
    Value {
        /// Layout that was expected.
        what: &'static str,
        /// Field with the bad value.
        field: &'static str,
    },
    /// A tick index or a sqrt price beyond what a Whirlpool can have.
    #[error("{what}: {source}")]
    Range {
        /// Layout that was expected.
        what: &'static str,
        /// The bound that was broken.
        source: ClmmError,
    },
    /// A tick that this array does not hold.
    #[error("tick {tick} is not one of the ticks of the array that starts at {start}")]
    TickNotInArray {
        /// Tick asked for.
        tick: i32,
        /// First tick of the array.
        start: i32,
    },
}
