//! Accounts: zero-copy, versioned, with room to grow.

mod market;
mod policy;
mod position;
mod reserve;
mod wide;

pub use market::{Limits, Market, MarketMode, MarketParams, OracleRules};
pub use policy::Policy;
pub use position::{Entry, Position};
pub use reserve::{Reserve, ReserveParams};
pub use wide::Wide;
