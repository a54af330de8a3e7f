//! Many paths on several threads, their outcomes in order.

use std::ops::ControlFlow;

use ballast_model::Bps;
use rayon::{ThreadPoolBuilder, prelude::*};

use crate::{
    Agent, Event, Looks, Outcome, PriceModel, SimulationError, Streams, Terms, Watch,
    walk::{Itinerary, walk},
};

/// More outcomes are not kept: 32 MB of them.
pub const MOST_PATHS: u64 = 1 << 22;
/// Paths whose outcomes are held at once, before they are handed on.
const WINDOW: u64 = 4_096;

/// Somebody who liquidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidators {
    /// LTV that a liquidation restores.
    pub target: Bps,
    /// What they get beyond what they repay.
    pub bonus: Bps,
}

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The position and its terms.
    pub terms: &'a Terms,
    /// When it is looked at.
    pub looks: Looks,
    /// LTV at which it may be liquidated.
    pub maintenance: Bps,
    /// Who liquidates as soon as a look allows it, before anybody else can act; `None`: nobody.
    pub liquidators: Option<Liquidators>,
    /// The prices that [`Outcome::first_exit`] is about; `None`: those at which the position as opened is at maintenance.
    pub watch: Option<Watch>,
    /// How many paths.
    pub paths: u64,
    /// All random numbers.
    pub streams: Streams,
    /// Threads; 0: one per core.
    pub threads: usize,
}

impl<'a> Run<'a> {
    fn itinerary(&self, record: bool) -> Result<Itinerary<'a>, SimulationError> {
        Ok(Itinerary {
            terms: self.terms,
            looks: self.looks,
            maintenance: self.maintenance,
            liquidators: self.liquidators,
            watch: match self.watch {
                Some(watch) => watch,
                None => Watch::ends(
                    self.terms.opened.boundaries(self.maintenance)?,
                    self.terms.units,
                ),
            },
            record,
        })
    }
}

/// One path of a run, with every action on it.
///
/// # Errors
/// As [`simulate`].
pub fn replay<M: PriceModel, A: Agent + Clone>(
    run: &Run<'_>,
    model: &M,
    agent: &A,
    path: u64,
) -> Result<(Outcome, Vec<Event>), SimulationError> {
    let start = run.terms.units.log_price(run.terms.at);
    let prices = model.path(start, run.streams, path);
    walk(&run.itinerary(true)?, path, prices, &mut agent.clone())
        .map_err(|error| SimulationError::Path { path, error })
}

/// Walks every path with an agent of its own and hands the outcomes on in the order of the paths: whatever is made of them is
/// the same, to the last bit, on any number of threads. It ends early where it is told to.
///
/// # Errors
/// [`SimulationError`]: too many paths, amounts that no account holds, no threads.
pub fn simulate<M: PriceModel, A: Agent + Clone + Sync>(
    run: &Run<'_>,
    model: &M,
    agent: &A,
    mut hand_on: impl FnMut(&Outcome) -> ControlFlow<()> + Send,
) -> Result<(), SimulationError> {
    if run.paths > MOST_PATHS {
        return Err(SimulationError::TooManyPaths {
            paths: run.paths,
            most: MOST_PATHS,
        });
    }
    let itinerary = run.itinerary(false)?;
    let start = run.terms.units.log_price(run.terms.at);
    let one = |number: u64| {
        let path = model.path(start, run.streams, number);
        walk(&itinerary, number, path, &mut agent.clone())
            .map(|(outcome, _)| outcome)
            .map_err(|error| SimulationError::Path {
                path: number,
                error,
            })
    };
    let pool = ThreadPoolBuilder::new().num_threads(run.threads).build()?;
    pool.install(|| {
        let mut first = 0;
        while first < run.paths {
            let end = (first + WINDOW).min(run.paths);
            let outcomes: Vec<_> = (first..end).into_par_iter().map(one).collect();
            for outcome in outcomes {
                if hand_on(&outcome?).is_break() {
                    return Ok(());
                }
            }
            first = end;
        }
        Ok(())
    })
}
