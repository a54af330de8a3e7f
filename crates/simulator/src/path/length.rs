/// What follows from a step's length; nearly all steps of a path have the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StepLength {
    days: f64,
    pub drift: f64,
    pub deviation: f64,
    pub variance: f64,
}

impl StepLength {
    /// For `days` of a motion whose price grows by `drift_day` a day on average.
    pub fn of(sigma_day: f64, drift_day: f64, days: f64) -> Self {
        let variance = sigma_day * sigma_day * days;
        Self {
            days,
            drift: drift_day * days - variance / 2.0,
            deviation: variance.sqrt(),
            variance,
        }
    }

    /// Whether it is for steps of this length.
    pub fn is(&self, days: f64) -> bool {
        self.days == days
    }
}
