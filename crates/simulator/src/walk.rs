//! One path, from start to end.

use ballast_model::{Boundaries, Bps, Side, SqrtPrice};

use crate::{
    Acts, Agent, Attribution, Desk, Event, Lag, Liquidators, Looks, Path, Remark, Source, Streams,
    Terms, Units, WalkError,
    convexity::Convexity,
    fees::Stretch,
    fences::Fences,
    lowest::Lowest,
    marks::{Mark, Marks},
};

/// Two prices, as logarithms, of which the first to be reached is noted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// The lower one; minus infinity for none.
    pub lower: f64,
    /// The upper one; infinity for none.
    pub upper: f64,
}

impl Watch {
    /// No price is reached.
    pub(crate) const EVERYTHING: Self = Self {
        lower: f64::NEG_INFINITY,
        upper: f64::INFINITY,
    };
    /// Every price is reached.
    pub(crate) const NOTHING: Self = Self {
        lower: f64::INFINITY,
        upper: f64::NEG_INFINITY,
    };

    /// The ends of an interval of prices.
    pub fn ends(boundaries: Boundaries, units: Units) -> Self {
        let log = |at: Option<SqrtPrice>| at.map(|at| units.log_price(at));
        match boundaries {
            Boundaries::Empty => Self::NOTHING,
            Boundaries::Interval { lower, upper } => Self {
                lower: log(lower).unwrap_or(f64::NEG_INFINITY),
                upper: log(upper).unwrap_or(f64::INFINITY),
            },
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            lower: self.lower.max(other.lower),
            upper: self.upper.min(other.upper),
        }
    }

    /// Whether a price is at or beyond either.
    pub(crate) fn is_reached(self, log_price: f64) -> bool {
        log_price <= self.lower || log_price >= self.upper
    }
}

/// The first look at or beyond a watched price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstExit {
    /// Whether it was the lower price.
    pub below: bool,
    /// When, in seconds after the start.
    pub secs: u64,
}

/// How a path ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Its number.
    pub path: u64,
    /// Price at the end, in whole tokens.
    pub price: f64,
    /// Equity at the end, raw quote units.
    pub equity: i128,
    /// The lowest equity on the way, raw quote units; between two settlements with the debts of the later one.
    pub lowest_equity: i128,
    /// The largest fall of equity from a peak before it, raw quote units: peaks at moments at which something was done or looked after.
    pub largest_fall: i128,
    /// Where it came from.
    pub attribution: Attribution,
    /// The first look at or beyond a watched price.
    pub first_exit: Option<FirstExit>,
    /// When a look first found LTV at maintenance or above, in seconds after the start.
    pub liquidatable_secs: Option<u64>,
    /// What being concave took from the position on average, step by step, in whole quote tokens: known beforehand where steps are
    /// normal and the price is a fair game, else 0.
    pub expected_curvature: f64,
    /// Part of the time in range.
    pub in_range: f64,
    /// What was done.
    pub acts: Acts,
    /// The largest trade of its own, as a part of what [`Terms::depth`] holds of a token; 0 without one.
    pub largest_trade: f64,
    /// Part of the time with a price beyond the ticks that [`Terms::tick_depth`] knows, where fees are counted.
    pub beyond_depth: f64,
    /// Whether a trade of its own went beyond them.
    pub trade_beyond_depth: bool,
    /// Part of the time in which no price was published.
    pub silent: f64,
    /// What happened to the short at a perp venue.
    pub perp: PerpEnd,
}

/// What a perp venue has done to a short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerpEnd {
    /// It took of it because others could not pay.
    pub auto_deleveraged: bool,
    /// It closed it for want of margin.
    pub closed: bool,
}

/// What all walks of a run share.
#[derive(Clone, Debug)]
pub(crate) struct Itinerary<'a> {
    pub terms: &'a Terms,
    pub looks: Looks,
    pub maintenance: Bps,
    pub liquidators: Option<Liquidators>,
    /// How the agent lags behind the market; `None`: it acts at once, on the price that is.
    pub lag: Option<Lag>,
    pub streams: Streams,
    pub watch: Watch,
    /// Whether every action is noted.
    pub record: bool,
    /// At how many moments equity is noted, evenly apart, besides at the start; `None`: at none.
    pub marks: Option<u64>,
    /// Whether the price is a fair game of normal steps.
    pub fair: bool,
}

/// What a walk brings home.
pub(crate) struct Walked {
    pub outcome: Outcome,
    pub events: Vec<Event>,
    pub remarks: Vec<Remark>,
    pub marks: Vec<Mark>,
}

/// Follows a path to its end.
pub(crate) fn walk(
    itinerary: &Itinerary<'_>,
    number: u64,
    mut path: impl Path,
    agent: &mut dyn Agent,
) -> Result<Walked, WalkError> {
    let Itinerary { terms, looks, .. } = *itinerary;
    let units = terms.units;
    let mut desk = Desk::new(terms)?;
    desk.draw_basis_from(|| itinerary.streams.of(number, Source::Perp));
    desk.draw_utilisation_from(|side| {
        let source = match side {
            Side::Base => Source::BaseUtilisation,
            Side::Quote => Source::QuoteUtilisation,
        };
        itinerary.streams.of(number, source)
    });
    let rates_move = terms.has_moving_rates();
    if let Some(feed) = &terms.feed {
        let now = (units.log_price(terms.at), 0);
        desk.shows(now, false, feed.confidence.bps_at(0.0));
    }
    if itinerary.record {
        desk.record();
    }
    if agent.watches_fees() {
        desk.flow.count_growth();
    }
    let passes = agent.watches_prices();
    if passes {
        agent.pass(0, units.tick(units.log_price(terms.at)));
    }
    let mut range = Range::of(&desk);
    let mut convexity = Convexity::of(&desk, range.ends(), 0.0);
    let mut fences = Fences::new(itinerary, number, &desk, agent)?;
    let mut price = units.log_price(terms.at);
    let mut inside = range.holds(price);
    let mut in_range_days = 0.0;
    let count = looks.count();
    let mut days = looks.step_days();
    let mut lowest = Lowest::new(&desk, price)?;
    let mut marks = Marks::new(itinerary.marks, itinerary.looks.count());
    if marks.next == 0 {
        marks.make(&desk, 0, price)?;
    }
    if fences.is_reached(0, price) {
        fences.attend(itinerary, &mut desk, agent, 0, price)?;
        range = Range::of(&desk);
        convexity = Convexity::of(&desk, range.ends(), 0.0);
        inside = range.holds(price);
    }
    for index in 1..=count {
        if index == count {
            days = looks.last_step_days();
        }
        let step = path.step(days);
        if let Some(fees) = &terms.fees {
            let stretch = Stretch {
                from: price,
                inside,
                to: step.log_price,
                variance: step.variance,
                jump: step.jump,
                weather: step.weather,
                days,
                liquidity: range.liquidity,
                range: range.ends(),
                units,
            };
            desk.flow.add(fees, &stretch);
        }
        if itinerary.fair {
            convexity.add(price, step.variance);
        }
        let was_inside = inside;
        price = step.log_price;
        inside = range.holds(price);
        lowest.pass(price);
        fences.pass(index, price, (step.variance, days), step.jump);
        if rates_move {
            desk.pass_reserves(looks.secs(index));
        }
        // What is not published nobody sees.
        if passes && !fences.is_silent() {
            let (seen, age_secs) = fences.seen();
            let secs = looks.secs(index).saturating_sub(age_secs);
            agent.pass(secs, units.tick(seen));
        }
        if terms.perp.is_some() {
            desk.pass_perp(looks.secs(index), price, step.weather.funding_hour);
        }
        in_range_days += f64::from(u8::from(was_inside) + u8::from(inside)) * days;
        if fences.is_reached(index, price) {
            lowest.note(&desk, looks.secs(index), price, desk.perp_account())?;
            fences.attend(itinerary, &mut desk, agent, index, price)?;
            // It may have been moved.
            range = Range::of(&desk);
            convexity = Convexity::of(&desk, range.ends(), convexity.sum);
            inside = range.holds(price);
        }
        // After the agent: what it leaves is what the short is for.
        let account = desk.perp_account();
        if account.is_some() {
            desk.act_perp(price)?;
            if desk.perp_account() != account {
                lowest.note(&desk, looks.secs(index), price, account)?;
            }
        }
        if index == marks.next {
            marks.make(&desk, looks.secs(index), price)?;
        }
    }
    lowest.note(&desk, looks.secs(count), price, desk.perp_account())?;
    desk.settle(looks.secs(count), price)?;
    let outcome = Outcome {
        path: number,
        price: price.exp(),
        equity: desk.equity()?,
        lowest_equity: lowest.equity().min(desk.equity()?),
        largest_fall: lowest.fall(),
        attribution: *desk.attribution(),
        first_exit: fences.first_exit,
        liquidatable_secs: fences.liquidatable_secs,
        expected_curvature: convexity.sum,
        in_range: in_range_days / (2.0 * looks.days()),
        acts: *desk.acts(),
        largest_trade: desk.largest_trade,
        beyond_depth: desk.flow.beyond_days() / looks.days(),
        trade_beyond_depth: desk.trade_beyond_depth,
        silent: fences.silent_secs() as f64 / looks.secs(count) as f64,
        perp: desk.perp_end(),
    };
    let (events, remarks) = desk.into_events();
    Ok(Walked {
        outcome,
        events,
        remarks,
        marks: marks.made,
    })
}

/// The range of a position that has liquidity, as logarithms of prices; without, it is empty.
#[derive(Clone, Copy)]
struct Range {
    lower: f64,
    upper: f64,
    /// The liquidity in it.
    liquidity: f64,
}

impl Range {
    fn of(desk: &Desk<'_>) -> Self {
        let (units, position) = (desk.terms().units, desk.position());
        let lower = units.log_price(position.band.sqrt_lower());
        Self {
            lower,
            upper: if position.liquidity == 0 {
                lower
            } else {
                units.log_price(position.band.sqrt_upper())
            },
            liquidity: position.liquidity as f64,
        }
    }

    fn ends(self) -> (f64, f64) {
        (self.lower, self.upper)
    }

    fn holds(self, log_price: f64) -> bool {
        self.lower <= log_price && log_price < self.upper
    }
}
