//! What all paths say together.

use crate::{Act, Moments, Outcome, Proportion, Sample, Sorted, Terms, Units, attribution::LINES};

/// So many of the worst paths are named.
const WORST: usize = 5;

/// Statistics of a run, outcome by outcome.
#[derive(Clone, Debug)]
pub struct Summary {
    units: Units,
    equity: Sample,
    time_in_range: Moments,
    first_exit_lower: Proportion,
    first_exit_upper: Proportion,
    liquidatable: Proportion,
    auto_deleveraged: Proportion,
    closed_at_venue: Proportion,
    own_acts: Moments,
    largest_trade: f64,
    beyond_depth: Moments,
    trade_beyond_depth: Proportion,
    silent: Moments,
    acts: [(Moments, Proportion); Act::ALL.len()],
    lines: [(&'static str, Moments); LINES],
    draw_down: Moments,
    /// Only their quantiles are asked for: half as long numbers are enough.
    draw_downs: Vec<f32>,
    fall: Moments,
    /// The lowest equities with their paths, ascending.
    worst: Vec<(f64, u64)>,
    own: f64,
}

impl Summary {
    /// Of no path, with room for this many.
    pub fn new(terms: &Terms, paths: u64) -> Self {
        let room = usize::try_from(paths).unwrap_or_default();
        Self {
            units: terms.units,
            own: terms.units.quote(terms.funds()),
            draw_down: Moments::default(),
            draw_downs: Vec::with_capacity(room),
            fall: Moments::default(),
            worst: Vec::with_capacity(WORST + 1),
            equity: Sample::with_capacity(room),
            time_in_range: Moments::default(),
            first_exit_lower: Proportion::default(),
            first_exit_upper: Proportion::default(),
            liquidatable: Proportion::default(),
            auto_deleveraged: Proportion::default(),
            closed_at_venue: Proportion::default(),
            own_acts: Moments::default(),
            largest_trade: 0.0,
            beyond_depth: Moments::default(),
            trade_beyond_depth: Proportion::default(),
            silent: Moments::default(),
            acts: Default::default(),
            lines: crate::Attribution::default()
                .lines()
                .map(|(name, _)| (name, Moments::default())),
        }
    }

    /// One more path.
    pub fn add(&mut self, outcome: &Outcome) {
        let equity = self.units.quote(outcome.equity);
        self.equity.add(equity);
        let lowest = self.units.quote(outcome.lowest_equity);
        let draw_down = (self.own - lowest).max(0.0);
        self.draw_down.add(draw_down);
        self.draw_downs.push(draw_down as f32);
        self.fall.add(self.units.quote(outcome.largest_fall));
        let at = self.worst.partition_point(|(worse, _)| *worse <= equity);
        if at < WORST {
            self.worst.insert(at, (equity, outcome.path));
            self.worst.truncate(WORST);
        }
        self.time_in_range.add(outcome.in_range);
        let below = outcome.first_exit.map(|exit| exit.below);
        self.first_exit_lower.add(below == Some(true));
        self.first_exit_upper.add(below == Some(false));
        self.liquidatable.add(outcome.liquidatable_secs.is_some());
        self.auto_deleveraged.add(outcome.perp.auto_deleveraged);
        self.closed_at_venue.add(outcome.perp.closed);
        self.own_acts.add(outcome.acts.own().into());
        self.largest_trade = self.largest_trade.max(outcome.largest_trade);
        self.beyond_depth.add(outcome.beyond_depth);
        self.trade_beyond_depth.add(outcome.trade_beyond_depth);
        self.silent.add(outcome.silent);
        for (act, (moments, seen)) in Act::ALL.iter().zip(&mut self.acts) {
            let count = outcome.acts.count(*act);
            moments.add(count.into());
            seen.add(count > 0);
        }
        for ((_, moments), (_, amount)) in self.lines.iter_mut().zip(outcome.attribution.lines()) {
            moments.add(self.units.quote(amount));
        }
    }

    /// Equity at the end, in whole quote tokens.
    pub fn equity(&self) -> Sorted {
        self.equity.clone().sorted()
    }

    /// Mean and spread of equity at the end, in whole quote tokens.
    pub fn equity_moments(&self) -> Moments {
        self.equity.moments()
    }

    /// Equity at the end of each path, in their order.
    pub fn equities(&self) -> &[f64] {
        self.equity.values()
    }

    /// How far equity fell below the own funds on the way, in whole quote tokens.
    pub fn draw_down(&self) -> Sorted {
        let values = self.draw_downs.iter().copied().map(f64::from).collect();
        Sorted::new(self.draw_down, values)
    }

    /// How far equity fell from a peak on the way, in whole quote tokens.
    pub fn fall_from_peak(&self) -> Moments {
        self.fall
    }

    /// The paths with the lowest equity at the end, the worst first.
    pub fn worst(&self) -> &[(f64, u64)] {
        &self.worst
    }

    /// Part of the time in range.
    pub fn time_in_range(&self) -> Moments {
        self.time_in_range
    }

    /// How often the lower watched price was reached first.
    pub fn first_exit_lower(&self) -> Proportion {
        self.first_exit_lower
    }

    /// How often the upper watched price was reached first.
    pub fn first_exit_upper(&self) -> Proportion {
        self.first_exit_upper
    }

    /// How often a look found LTV at maintenance or above.
    pub fn liquidatable(&self) -> Proportion {
        self.liquidatable
    }

    /// How often a perp venue took of the short because others could not pay.
    pub fn auto_deleveraged(&self) -> Proportion {
        self.auto_deleveraged
    }

    /// How often it closed the short for want of margin.
    pub fn closed_at_venue(&self) -> Proportion {
        self.closed_at_venue
    }

    /// The largest trade of the position's own on any path, as a part of what a stated depth holds of a token.
    pub fn largest_trade(&self) -> f64 {
        self.largest_trade
    }

    /// Part of the time with a price at which the liquidity of others is not known.
    pub fn beyond_depth(&self) -> Moments {
        self.beyond_depth
    }

    /// How often a trade of the position's own went to such a price.
    pub fn trade_beyond_depth(&self) -> Proportion {
        self.trade_beyond_depth
    }

    /// Part of the time in which no price was published.
    pub fn silent(&self) -> Moments {
        self.silent
    }

    /// What agents did, per path.
    pub fn own_acts(&self) -> Moments {
        self.own_acts
    }

    /// How often each kind of action was done on a path, and on how many it was done at all.
    pub fn acts(&self) -> impl Iterator<Item = (Act, Moments, Proportion)> {
        Act::ALL
            .into_iter()
            .zip(self.acts)
            .map(|(act, (moments, seen))| (act, moments, seen))
    }

    /// Each line of the attribution, in whole quote tokens.
    pub fn attribution(&self) -> &[(&'static str, Moments)] {
        &self.lines
    }
}
