//! A cluster in memory, for tests: deterministic by seed, with faults and crashes at any point.
//!
//! Time is tokio's paused clock, so that minutes of blockhashes expiring take no time. A crash freezes every operation at
//! the moment it happens: nothing that the keeper still does afterwards has any effect, as after SIGKILL.

mod agreement_tests;
mod api_tests;
mod automation_tests;
mod budget_tests;
mod bundle_tests;
pub mod bytes;
mod chain;
mod control_tests;
mod crash;
mod crash_tests;
mod cure_tests;
mod disk;
mod execution;
mod flags_tests;
mod fork;
mod fork_tests;
mod hedge_history_tests;
mod hedge_liquidation_tests;
mod hedge_scene;
mod hedge_tests;
mod late_tests;
mod lease_tests;
mod liar_tests;
mod log_tests;
pub(crate) mod node;
mod node_tests;
pub(crate) mod nodes_tests;
mod path_tests;
mod paths;
mod power_tests;
pub(crate) mod scene;
mod seeds;
mod shards_tests;
mod show_tests;
mod signer_tests;
mod state;
mod story;
mod story_tests;
#[cfg(unix)]
mod supervisor_tests;
mod trouble_tests;
pub mod world;

pub use crash::Crash;
pub use disk::Disk;
pub use execution::custom;
pub use scene::config;
pub(crate) use scene::config_with;
pub use world::{Faults, World};
