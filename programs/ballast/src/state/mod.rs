//! Accounts: zero-copy, versioned, with room to grow.

use anchor_lang::prelude::*;

use crate::errors::BallastError;

mod allowance;
mod automation;
mod first_keepers;
mod limits;
mod market;
mod oracle_change;
mod policy;
mod position;
mod reserve;
mod safety;
mod settling;
mod stage;
mod wide;

pub use allowance::{Allowance, Change, Charge, RecentLoss};
pub use automation::{Automation, Reaction};
pub use first_keepers::{Edge, Need, Turn};
pub use limits::{
    KeeperRules, Limits, MarketParams, OracleRules, RulesSinceVersion2, largest_deviation_bps,
    least_deviation_bps, least_swap_loss_bps, reach_bps_down,
};
pub use market::{LookMemory, Market, MarketMode, PendingParams};
pub use oracle_change::{OracleChange, OracleSource};
pub use policy::Policy;
pub use position::{Entry, Position};
pub use reserve::{Reserve, ReserveParams};
pub use safety::{PendingSafety, SafetyRules};
pub use stage::{Evidence, StageRules, StageState};
pub use wide::Wide;

/// Refuses an account that another version of the program wrote.
///
/// # Errors
/// [`BallastError::WrongVersion`].
pub fn require_version(found: u8, known: u8) -> Result<()> {
    require!(found == known, BallastError::WrongVersion);
    Ok(())
}
