//! Many paths on several threads, their outcomes in order.

use std::ops::ControlFlow;

use ballast_model::Bps;
use rayon::{ThreadPoolBuilder, prelude::*};

use crate::{
    Agent, Event, Lag, Looks, Mark, Outcome, PriceModel, Remark, SimulationError, Streams, Terms,
    Watch,
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
    /// How agents lag behind the market; `None`: they act at once, on the price that is, and nothing is lost.
    pub lag: Option<Lag>,
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
    fn itinerary(
        &self,
        model: &impl PriceModel,
        record: bool,
    ) -> Result<Itinerary<'a>, SimulationError> {
        if let Some(lag) = self.lag {
            lag.check()?;
        }
        Ok(Itinerary {
            terms: self.terms,
            looks: self.looks,
            maintenance: self.maintenance,
            liquidators: self.liquidators,
            lag: self.lag,
            streams: self.streams,
            watch: match self.watch {
                Some(watch) => watch,
                None => Watch::ends(
                    self.terms.opened.boundaries(self.maintenance)?,
                    self.terms.units,
                ),
            },
            record,
            marks: None,
            fair: model.law().is_fair_and_normal(),
        })
    }
}

/// A path, with all that was done on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// How it ended.
    pub outcome: Outcome,
    /// Every action.
    pub events: Vec<Event>,
    /// Every decision that an agent had a reason for, to act or to wait.
    pub remarks: Vec<Remark>,
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
) -> Result<Replayed, SimulationError> {
    let start = run.terms.units.log_price(run.terms.at);
    let prices = model.path(start, run.streams, path);
    walk(
        &run.itinerary(model, true)?,
        path,
        prices,
        &mut agent.clone(),
    )
    .map(|walked| Replayed {
        outcome: walked.outcome,
        events: walked.events,
        remarks: walked.remarks,
    })
    .map_err(|error| SimulationError::Path { path, error })
}

/// One path of a run, with the equity at `marks` moments that are evenly apart, from the start to the end.
///
/// # Errors
/// As [`simulate`].
pub fn traced<M: PriceModel, A: Agent + Clone>(
    run: &Run<'_>,
    model: &M,
    agent: &A,
    path: u64,
    marks: u64,
) -> Result<Vec<Mark>, SimulationError> {
    let start = run.terms.units.log_price(run.terms.at);
    let prices = model.path(start, run.streams, path);
    let itinerary = Itinerary {
        marks: Some(marks.max(1)),
        ..run.itinerary(model, false)?
    };
    walk(&itinerary, path, prices, &mut agent.clone())
        .map(|walked| walked.marks)
        .map_err(|error| SimulationError::Path { path, error })
}

/// As [`traced`], of the first `paths` paths of a run.
///
/// # Errors
/// As [`simulate`].
pub fn trace<M: PriceModel, A: Agent + Clone + Sync>(
    run: &Run<'_>,
    model: &M,
    agent: &A,
    paths: u64,
    marks: u64,
) -> Result<Vec<Vec<Mark>>, SimulationError> {
    let mut all = Vec::new();
    let few = Run {
        paths: paths.min(run.paths),
        ..run.clone()
    };
    each_path(
        &few,
        |path| traced(run, model, agent, path, marks),
        |marks| {
            all.push(marks);
            ControlFlow::Continue(())
        },
    )?;
    Ok(all)
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
    let itinerary = run.itinerary(model, false)?;
    each_path(
        run,
        |number| one(&itinerary, model, agent, run.streams, number),
        |outcome| hand_on(&outcome),
    )
}

/// As [`simulate`], with two agents on the same prices: the second has a position of its own, opened on `second_terms`.
///
/// # Errors
/// As [`simulate`].
pub fn compare<M: PriceModel, A: Agent + Clone + Sync>(
    run: &Run<'_>,
    second_terms: &Terms,
    model: &M,
    agents: [&A; 2],
    mut hand_on: impl FnMut(&Outcome, &Outcome) -> ControlFlow<()> + Send,
) -> Result<(), SimulationError> {
    let second = Run {
        terms: second_terms,
        ..run.clone()
    };
    let itineraries = [
        run.itinerary(model, false)?,
        second.itinerary(model, false)?,
    ];
    each_path(
        run,
        |number| {
            let walked =
                |side: usize| one(&itineraries[side], model, agents[side], run.streams, number);
            Ok((walked(0)?, walked(1)?))
        },
        |(first, second)| hand_on(&first, &second),
    )
}

fn one<M: PriceModel, A: Agent + Clone>(
    itinerary: &Itinerary<'_>,
    model: &M,
    agent: &A,
    streams: Streams,
    path: u64,
) -> Result<Outcome, SimulationError> {
    let start = itinerary.terms.units.log_price(itinerary.terms.at);
    let prices = model.path(start, streams, path);
    walk(itinerary, path, prices, &mut agent.clone())
        .map(|walked| walked.outcome)
        .map_err(|error| SimulationError::Path { path, error })
}

/// Does something for every path, on all threads, and hands the results on in the order of the paths.
fn each_path<T: Send>(
    run: &Run<'_>,
    one: impl Fn(u64) -> Result<T, SimulationError> + Sync,
    mut hand_on: impl FnMut(T) -> ControlFlow<()> + Send,
) -> Result<(), SimulationError> {
    if run.paths > MOST_PATHS {
        return Err(SimulationError::TooManyPaths {
            paths: run.paths,
            most: MOST_PATHS,
        });
    }
    let pool = ThreadPoolBuilder::new().num_threads(run.threads).build()?;
    pool.install(|| {
        let mut first = 0;
        while first < run.paths {
            let end = (first + WINDOW).min(run.paths);
            let results: Vec<_> = (first..end).into_par_iter().map(&one).collect();
            for result in results {
                if hand_on(result?).is_break() {
                    return Ok(());
                }
            }
            first = end;
        }
        Ok(())
    })
}
