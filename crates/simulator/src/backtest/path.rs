//! What a minute's ticks say about the way that the price went.

/// Two numbers, the lower one first, between which something lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Between {
    pub low: f64,
    pub high: f64,
}

impl Between {
    /// What both allow; where they contradict each other, what this one allows next to the other.
    pub fn and(self, other: Self) -> Self {
        Self {
            low: other.low.clamp(self.low, self.high),
            high: other.high.clamp(self.low, self.high),
        }
    }

    /// The nearest number inside.
    pub fn clamp(self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }
}

/// Root prices of a way: from a start to an end by way of its lowest and its highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Way {
    pub start: f64,
    pub lowest: f64,
    pub highest: f64,
    pub end: f64,
}

/// How far a way goes in one direction, within a range and outside of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Travel {
    pub inside: f64,
    pub outside: f64,
}

impl Travel {
    fn add(&mut self, (from, to): (f64, f64), range: (f64, f64)) {
        let length = (to - from).max(0.0);
        let inside = (to.min(range.1) - from.max(range.0)).clamp(0.0, length);
        self.inside += inside;
        self.outside += length - inside;
    }
}

impl Way {
    /// The two shortest ways: the lowest price first, or the highest.
    fn orders(self) -> [[f64; 4]; 2] {
        let Self {
            start,
            lowest,
            highest,
            end,
        } = self;
        [[start, lowest, highest, end], [start, highest, lowest, end]]
    }

    /// What each of them goes upwards.
    pub fn up(self, range: (f64, f64)) -> [Travel; 2] {
        self.orders().map(|points| {
            let mut travel = Travel::default();
            for leg in points.windows(2) {
                travel.add((leg[0], leg[1]), range);
            }
            travel
        })
    }

    /// The part of the prices between lowest and highest that lies in a range.
    pub fn overlap(self, range: (f64, f64)) -> f64 {
        let length = self.highest - self.lowest;
        let inside = self.highest.min(range.1) - self.lowest.max(range.0);
        if length > 0.0 {
            inside.clamp(0.0, length) / length
        } else {
            f64::from(inside >= 0.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_shortest_ways() {
        let way = Way {
            start: 2.0,
            lowest: 1.0,
            highest: 5.0,
            end: 4.0,
        };
        // 2 1 5 4 and 2 5 1 4, within 3 and 10.
        let travel = |inside, outside| Travel { inside, outside };
        assert_eq!(way.up((3.0, 10.0)), [travel(2.0, 2.0), travel(3.0, 3.0)]);
        assert_eq!(way.overlap((3.0, 10.0)), 0.5);
        assert_eq!(
            (way.overlap((6.0, 7.0)), way.overlap((0.0, 9.0))),
            (0.0, 1.0)
        );
    }

    #[test]
    fn what_two_say() {
        let between = |low, high| Between { low, high };
        assert_eq!(between(1.0, 3.0).and(between(2.0, 5.0)), between(2.0, 3.0));
        // They contradict each other.
        assert_eq!(between(1.0, 3.0).and(between(4.0, 5.0)), between(3.0, 3.0));
    }
}
