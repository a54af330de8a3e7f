//! The keeper: watches positions and rehedges, deleverages or liquidates each before its boundaries.
//!
//! The way of a price through it, each stage a module:
//!
//! 1. [`sources`] delivers accounts: a complete answer first, then a stream, and polls beside it.
//!    Beside it, [`updates`] delivers prices that nobody has posted yet.
//! 2. [`book`] keeps the newest of each, whatever order they come in.
//! 3. [`ballast_strategy::trigger`] knows which positions a price makes due, from their quiet intervals: O(log N + hits).
//! 4. [`ballast_strategy::decide`] says what to do about one position, a pure function of its situation that mirrors the
//!    program's rules.
//! 5. [`execute`] looks once more at one slot, prepares, writes the intent to the [`journal`], sends, and finds out what
//!    became of it.
//!
//! [`control`] says how much of that is permitted: the configuration's mode, and what people say while the keeper runs; [`flags`] watches
//! for signs that it should be less, and [`notify`] tells people.
//!
//! [`shards`] shares positions out among several keepers, if they are a group.
//!
//! [`hedge`] covers on a venue what the chain leaves of the positions' delta, if one is configured.
//!
//! [`picture`] is what readers see of all that, [`api`] serves it.
//!
//! [`engine`] ties them together; [`keeper`] starts and stops it all. The process may be killed at any point: start-up is
//! recovery, and nothing is done twice.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod api;
pub mod book;
pub mod config;
mod connection;
pub mod control;
pub mod decisions;
pub mod engine;
pub mod event;
pub mod events;
pub mod execute;
pub mod flags;
pub mod hedge;
pub mod history;
pub mod journal;
pub mod keeper;
pub mod key_file;
pub mod logging;
pub mod memory;
pub mod notify;
pub mod pace;
pub mod picture;
pub mod retries;
pub mod shards;
pub mod sources;
pub mod start;
pub mod supervisor;
pub mod updates;

#[cfg(test)]
mod sim;

pub use config::{
    Api, Automation, Config, ConfigError, Fees, Flags, Layers, Liquidation, MarketConfig, Mode,
    Notify, POOL_PROGRAMS, Prices, Timing,
};
pub use control::Control;
pub use engine::Status;
pub use event::{DecisionEvent, KeeperEvent};
pub use keeper::{Keeper, KeeperError, Parts};

/// Runs a keeper until the process is asked to stop (ctrl-c, or SIGTERM).
///
/// # Errors
/// [`KeeperError`].
pub async fn run(config: Config) -> Result<(), KeeperError> {
    Keeper::connect(config).await?.run(stop_signal()).await
}

/// Completes when the process is asked to stop. If signals cannot be listened to, never: the process can still be killed.
pub async fn stop_signal() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminated) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            Ok(()) = interrupted => {}
            Some(()) = terminated.recv() => {}
            else => std::future::pending().await,
        }
        return;
    }
    #[cfg(not(unix))]
    if interrupted.await.is_ok() {
        return;
    }
    std::future::pending().await
}
