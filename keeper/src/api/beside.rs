//! What others know beside the engine. Where nobody does, answers say that it is unknown.

use ballast_view as view;
use solana_sdk::pubkey::Pubkey;

use crate::{hedge::HedgeNow, history::Health};

/// What the history keeps.
pub trait Past: Send + Sync {
    /// What is kept of a position: its change in a day, and where its gain comes from.
    fn of(&self, _position: &Pubkey) -> view::Past {
        view::Past::default()
    }

    /// The same of all positions of a market together.
    fn of_market(&self, _market: &Pubkey) -> view::Past {
        view::Past::default()
    }

    /// A position through time, from one time to another, oldest first, as rows of [`Self::fields`]; `None`: nobody keeps it.
    /// May take as long as a file takes.
    fn points(
        &self,
        _position: &Pubkey,
        _from_secs: i64,
        _to_secs: i64,
    ) -> Option<Vec<Vec<Option<f64>>>> {
        None
    }

    /// What stands in a row of [`Self::points`].
    fn fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// A perpetual of the hedge through time, as [`Self::points`], as rows of [`Self::hedge_fields`].
    fn hedge_points(
        &self,
        _now: &HedgeNow,
        _coin: &str,
        _from_secs: i64,
        _to_secs: i64,
    ) -> Option<Vec<Vec<Option<f64>>>> {
        None
    }

    /// What stands in a row of [`Self::hedge_points`].
    fn hedge_fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// How it fares; `None`: nobody keeps it.
    fn health(&self) -> Option<Health> {
        None
    }

    /// Time between two of them.
    fn step_secs(&self) -> u32 {
        900
    }

    /// Actions older than a number (`None`: all), newest first, at most so many, and whether there are more; `None`: nobody keeps
    /// them, so that the journal's newest are all there is.
    fn actions(
        &self,
        _position: Option<&Pubkey>,
        _before: Option<u64>,
        _limit: usize,
    ) -> Option<(Vec<view::Action>, bool)> {
        None
    }
}

/// What the flags say.
pub trait Flags: Send + Sync {
    /// Each as it is now.
    fn flags(&self) -> Vec<view::Flag> {
        Vec::new()
    }

    /// From how many on the keeper only reduces.
    fn reduce_at(&self) -> usize {
        2
    }

    /// The buffer against a gap, of a market's positions.
    fn contingency(&self, _market: &Pubkey) -> view::Contingency {
        view::Contingency {
            gap_bps: 1_000,
            needed_quote: None,
            needed_base: None,
            have_quote: None,
            have_base: None,
            state: view::ContingencyState::Unknown,
        }
    }
}

/// Knows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Past for Nobody {}

impl Flags for Nobody {}
