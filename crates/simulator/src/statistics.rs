//! What is said about many outcomes. Outcomes are added in the order of their paths, so that sums are the same in every run.

/// Count, mean and spread of numbers, by Welford's recurrence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// One more number.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 of none.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their standard deviation, estimated from the sample; 0 of fewer than two.
    pub fn sd(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        (self.squares / (self.count - 1) as f64).sqrt()
    }

    /// Standard error of the mean; 0 of fewer than two.
    pub fn stderr(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        self.sd() / (self.count as f64).sqrt()
    }
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proportion {
    count: u64,
    of: u64,
}

impl Proportion {
    /// One more case.
    pub fn add(&mut self, happened: bool) {
        self.count += u64::from(happened);
        self.of += 1;
    }

    /// In how many cases it happened.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many cases there were.
    pub fn count_of(&self) -> u64 {
        self.of
    }

    /// The part of the cases in which it happened; 0 of none.
    pub fn probability(&self) -> f64 {
        self.count as f64 / self.of.max(1) as f64
    }

    /// Standard error of that part. Where it never or always happened, that of one case that went the other way.
    pub fn stderr(&self) -> f64 {
        let of = self.of.max(1) as f64;
        let count = (self.count as f64).max(1.0).min((of - 1.0).max(0.0));
        (count * (of - count) / of).sqrt() / of
    }
}

/// All outcomes, for quantiles: eight bytes each.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    moments: Moments,
    values: Vec<f64>,
}

impl Sample {
    /// Room for this many outcomes.
    pub fn with_capacity(count: usize) -> Self {
        Self {
            moments: Moments::default(),
            values: Vec::with_capacity(count),
        }
    }

    /// One more outcome.
    pub fn add(&mut self, value: f64) {
        self.moments.add(value);
        self.values.push(value);
    }

    /// Mean and spread.
    pub fn moments(&self) -> Moments {
        self.moments
    }

    /// The outcomes in the order in which they were added.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Sorts, for the quantiles.
    pub fn sorted(self) -> Sorted {
        Sorted::new(self.moments, self.values)
    }
}

/// Outcomes in ascending order.
#[derive(Clone, Debug)]
pub struct Sorted {
    moments: Moments,
    values: Vec<f64>,
}

impl Sorted {
    /// Values in any order, with their moments.
    pub(crate) fn new(moments: Moments, mut values: Vec<f64>) -> Self {
        // In place: a stable sort would need half as much room again.
        values.sort_unstable_by(f64::total_cmp);
        Self { moments, values }
    }

    /// All of them, ascending.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Mean and spread.
    pub fn moments(&self) -> Moments {
        self.moments
    }

    /// How many outcomes are the worst `part`, at least one.
    fn worst(&self, part: f64) -> usize {
        ((self.values.len() as f64 * part).ceil() as usize).clamp(1, self.values.len().max(1))
    }

    /// The smallest outcome that at least `part` of all do not exceed; NaN of none.
    pub fn quantile(&self, part: f64) -> f64 {
        let last = self.worst(part) - 1;
        self.values.get(last).copied().unwrap_or(f64::NAN)
    }

    /// Mean of the worst `part` of the outcomes; NaN of none.
    pub fn shortfall(&self, part: f64) -> f64 {
        let worst = self.values.get(..self.worst(part)).unwrap_or_default();
        worst.iter().sum::<f64>() / worst.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_spread_and_tail_of_the_first_hundred_numbers() {
        let mut sample = Sample::default();
        // Any order.
        for index in 0..100 {
            sample.add(f64::from(index * 37 % 100 + 1));
        }
        let sorted = sample.sorted();
        let moments = sorted.moments();
        assert_eq!(moments.count(), 100);
        assert!((moments.mean() - 50.5).abs() < 1e-12);
        assert!((moments.sd() - (10_100.0f64 / 12.0).sqrt()).abs() < 1e-12);
        assert!((moments.stderr() - moments.sd() / 10.0).abs() < 1e-15);
        assert_eq!((sorted.quantile(0.05), sorted.shortfall(0.05)), (5.0, 3.0));
        assert_eq!((sorted.quantile(0.5), sorted.quantile(1.0)), (50.0, 100.0));
        // A part of an outcome counts as one.
        assert_eq!((sorted.quantile(0.041), sorted.quantile(0.0)), (5.0, 1.0));
    }

    #[test]
    fn one_outcome_and_none() {
        let mut sample = Sample::default();
        assert!(sample.clone().sorted().quantile(0.05).is_nan());
        sample.add(3.0);
        let sorted = sample.sorted();
        assert_eq!((sorted.quantile(0.05), sorted.shortfall(0.05)), (3.0, 3.0));
        assert_eq!(
            (sorted.moments().sd(), sorted.moments().stderr()),
            (0.0, 0.0)
        );
    }

    #[test]
    fn a_proportion_that_was_never_seen_still_has_an_error() {
        let mut seen = Proportion::default();
        for _ in 0..100 {
            seen.add(false);
        }
        assert_eq!(seen.probability(), 0.0);
        assert!((seen.stderr() - (0.01f64 * 0.99 / 100.0).sqrt()).abs() < 1e-15);
        seen = Proportion::default();
        for index in 0..100 {
            seen.add(index % 4 == 0);
        }
        assert_eq!(seen.probability(), 0.25);
        assert!((seen.stderr() - (0.25f64 * 0.75 / 100.0).sqrt()).abs() < 1e-15);
    }
}
