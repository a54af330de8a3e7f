//! Two strategies on the same prices.

use crate::{Moments, Outcome, Proportion, Summary, Terms, Units, attribution::LINES};

/// Standard errors within which 95 % of normal numbers lie.
pub const CONFIDENCE_95: f64 = 1.959_963_984_540_054;

/// What two strategies make of the same paths, and the difference: first less second, path by path. What both have in common, above
/// all the luck of the prices, is not in the difference's error.
#[derive(Clone, Debug)]
pub struct Paired {
    units: Units,
    first: Summary,
    second: Summary,
    equity: Moments,
    lines: [(&'static str, Moments); LINES],
    draw_down: Moments,
    acts: Moments,
    better: Proportion,
    only_first_liquidatable: Proportion,
    only_second_liquidatable: Proportion,
}

impl Paired {
    /// Of no path, with room for this many.
    pub fn new(terms: [&Terms; 2], paths: u64) -> Self {
        Self {
            units: terms[0].units,
            first: Summary::new(terms[0], paths),
            second: Summary::new(terms[1], paths),
            equity: Moments::default(),
            lines: crate::Attribution::default()
                .lines()
                .map(|(name, _)| (name, Moments::default())),
            draw_down: Moments::default(),
            acts: Moments::default(),
            better: Proportion::default(),
            only_first_liquidatable: Proportion::default(),
            only_second_liquidatable: Proportion::default(),
        }
    }

    /// One more path.
    pub fn add(&mut self, first: &Outcome, second: &Outcome) {
        self.first.add(first);
        self.second.add(second);
        // Differences of whole units: equal outcomes differ by exactly nothing.
        self.equity
            .add(self.units.quote(first.equity - second.equity));
        let others = second.attribution.lines();
        for ((here, there), (_, moments)) in
            (first.attribution.lines().iter().zip(others)).zip(&mut self.lines)
        {
            moments.add(self.units.quote(here.1 - there.1));
        }
        self.draw_down
            .add(self.units.quote(second.lowest_equity - first.lowest_equity));
        self.acts
            .add(f64::from(first.acts.own()) - f64::from(second.acts.own()));
        self.better.add(first.equity > second.equity);
        let ends = [first, second].map(|outcome| outcome.liquidatable_secs.is_some());
        self.only_first_liquidatable.add(ends == [true, false]);
        self.only_second_liquidatable.add(ends == [false, true]);
    }

    /// The first strategy alone.
    pub fn first(&self) -> &Summary {
        &self.first
    }

    /// The second strategy alone.
    pub fn second(&self) -> &Summary {
        &self.second
    }

    /// Equity at the end, in whole quote tokens: first less second.
    pub fn equity(&self) -> Moments {
        self.equity
    }

    /// Each line of the attribution: first less second.
    pub fn attribution(&self) -> &[(&'static str, Moments)] {
        &self.lines
    }

    /// The lowest equity on the way, in whole quote tokens: how much lower the first one's is.
    pub fn draw_down(&self) -> Moments {
        self.draw_down
    }

    /// What agents did on a path: first less second.
    pub fn acts(&self) -> Moments {
        self.acts
    }

    /// How often the first one ends higher.
    pub fn better(&self) -> Proportion {
        self.better
    }

    /// The difference of the chances of being liquidatable, first less second: only paths on which exactly one of them is count for
    /// its error.
    pub fn liquidatable(&self) -> (f64, f64) {
        let (first, second) = (
            self.only_first_liquidatable.probability(),
            self.only_second_liquidatable.probability(),
        );
        let paths = self.equity.count().max(1) as f64;
        // Where neither was ever seen alone, that of one case.
        let either = (first + second).max(paths.recip());
        let difference = first - second;
        let variance = (either - difference * difference).max(0.0);
        (difference, (variance / paths).sqrt())
    }
}

impl Moments {
    /// The interval that holds the mean with a chance of 95 %, for enough numbers.
    pub fn confidence_95(&self) -> (f64, f64) {
        let reach = CONFIDENCE_95 * self.stderr();
        (self.mean() - reach, self.mean() + reach)
    }
}
