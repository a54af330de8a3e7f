//! Red flags: signs that the world is not as the keeper's decisions assume. One alone is worth a look; two or more and the keeper
//! only reduces risk, until a person says otherwise. Pure: observations and times are arguments, nothing is asked or measured here.
//!
//! 1. [`flag`] names the flags and their units; [`limits`] has the threshold, window and calm of each.
//! 2. One file a flag: what is observed of it, what value that makes, and who would gain by making it fire or by keeping it quiet.
//! 3. [`latch`] turns values into states with hysteresis; [`samples`] are medians over time, so that a moment counts for nothing.
//! 4. [`board`] holds all of them and says whether to reduce, and why.
//! 5. [`look`] is what a single look can judge.
//! 6. [`contingency`]: what brings every position back to its target after a gap, against what is kept ready for that.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod board;
pub mod contingency;
pub mod depth_drop;
pub mod endpoints;
pub mod flag;
pub mod flow;
pub mod funding_spike;
pub mod hedge_fills;
pub mod judgement;
pub mod latch;
pub mod limits;
pub mod look;
pub mod oracle_stall;
pub mod own_sol;
pub mod routing_shift;
pub mod samples;
pub mod stream_lag;

pub use board::{Board, Verdict};
pub use flag::Flag;
pub use judgement::{Judgement, Row, State};
pub use limits::{Limits, Rules};
