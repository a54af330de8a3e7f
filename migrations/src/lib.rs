//! Versioned, idempotent set-up of markets.
//!
//! A cluster's directory holds numbered files, `0001_name.toml`, `0002_...`. Each says how the market should be from then
//! on; a later file states only what it changes. Together they give one [`Desired`] state, and [`apply`] brings the chain
//! there: it creates what is missing, migrates accounts of the earlier version, updates what differs, and does nothing when
//! nothing does. A change that may hurt somebody is only announced; a later run puts it in force once its notice is over.
//! Files that have been applied anywhere are never edited.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod apply;
mod desired;
mod files;
mod report;

pub use apply::{ApplyError, apply};
pub use desired::{Desired, DesiredError, MarketAddresses, OracleRules, ReserveRules, RiskLimits};
pub use files::{FilesError, Migrations};
pub use report::{Change, Pending, Report};
