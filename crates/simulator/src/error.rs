use ballast_model::{LiquidationError, ModelError, OpenError};
use thiserror::Error;

/// Why a path does not end.
#[derive(Debug, Error)]
pub enum WalkError {
    /// An amount that no account holds.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Liquidators with a target or bonus that cannot be.
    #[error(transparent)]
    Liquidation(#[from] LiquidationError),
    /// An agent that does not know what to do.
    #[error("{0}")]
    Agent(String),
}

/// Why something cannot be simulated.
#[derive(Debug, Error)]
pub enum SimulationError {
    /// A parameter that makes no sense.
    #[error("{name} {value} {problem}")]
    Parameter {
        /// Which.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More paths than are kept for quantiles.
    #[error("{paths} paths are too many: {most} at most")]
    TooManyPaths {
        /// What was asked for.
        paths: u64,
        /// What is kept.
        most: u64,
    },
    /// No position like that.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// One path does not end.
    #[error("path {path}: {error}")]
    Path {
        /// Number of the path.
        path: u64,
        /// Why.
        error: WalkError,
    },
    /// An amount that no account holds, on all paths alike.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// No threads.
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// Refuses what is no number from `least` up.
pub(crate) fn at_least(
    name: &'static str,
    value: f64,
    least: f64,
    problem: &'static str,
) -> Result<(), SimulationError> {
    if value.is_finite() && value >= least {
        Ok(())
    } else {
        Err(SimulationError::Parameter {
            name,
            value,
            problem,
        })
    }
}

/// Refuses what is no part from 0 to less than 1.
pub(crate) fn below_one(name: &'static str, value: f64) -> Result<(), SimulationError> {
    at_least(name, value, 0.0, "must be 0 or more")?;
    at_least(
        name,
        1.0 - value,
        f64::MIN_POSITIVE,
        "short of 1: must be below 1",
    )
}
