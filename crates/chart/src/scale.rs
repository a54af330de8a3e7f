//! From values to pixels.

/// A linear or logarithmic way from values to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    domain: (f64, f64),
    pixels: (f64, f64),
    log: bool,
}

impl Scale {
    /// A domain that is empty or not finite is replaced by one around it.
    pub fn new(domain: (f64, f64), pixels: (f64, f64), log: bool) -> Self {
        Self {
            domain: sound(domain, log),
            pixels,
            log,
        }
    }

    /// The pixel of a value; beyond the domain it is beyond the pixels.
    pub fn pixel(&self, value: f64) -> f64 {
        let (from, to) = (self.inner(self.domain.0), self.inner(self.domain.1));
        let part = (self.inner(value) - from) / (to - from);
        self.pixels.0 + part * (self.pixels.1 - self.pixels.0)
    }

    fn inner(&self, value: f64) -> f64 {
        if self.log {
            value.max(f64::MIN_POSITIVE).ln()
        } else {
            value
        }
    }

    /// Round values within the domain, about this many, and their step (0: each has its own).
    pub fn ticks(&self, about: usize) -> (Vec<f64>, f64) {
        if self.log {
            let ticks = log_ticks(self.domain, about);
            if ticks.len() >= 3 {
                return (ticks, 0.0);
            }
        }
        linear_ticks(self.domain, about)
    }
}

fn sound((low, high): (f64, f64), log: bool) -> (f64, f64) {
    let finite = low.is_finite() && high.is_finite();
    let (low, high) = match (finite, log) {
        (false, false) => (0.0, 1.0),
        (false, true) => (1.0, 10.0),
        (true, false) => (low.min(high), low.max(high)),
        (true, true) => {
            let high = low.max(high).max(1e-300);
            (low.min(high).max(high * 1e-12), high)
        }
    };
    if high - low > 1e-12 * high.abs().max(low.abs()) {
        return (low, high);
    }
    let around = if low == 0.0 { 1.0 } else { low.abs() * 0.05 };
    (low - around, high + around)
}

fn linear_ticks((low, high): (f64, f64), about: usize) -> (Vec<f64>, f64) {
    let raw = (high - low) / about.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= raw * (1.0 - 1e-9))
        .unwrap_or(10.0 * power);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = (last - first).clamp(-1.0, 1_000.0) as i64 + 1;
    let ticks = (0..count)
        .map(|index| (first + index as f64) * step)
        .collect();
    (ticks, step)
}

fn log_ticks((low, high): (f64, f64), about: usize) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let of = |factors: &[f64]| -> Vec<f64> {
        (first..=last)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
            .filter(|tick| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(tick))
            .collect()
    };
    for factors in [
        &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0][..],
        &[1.0, 2.0, 5.0],
        &[1.0],
    ] {
        let ticks = of(factors);
        if ticks.len() <= about + 2 {
            return ticks;
        }
    }
    let all = of(&[1.0]);
    let every = all.len().div_ceil(about.max(1));
    all.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks = |low, high, about| Scale::new((low, high), (0.0, 1.0), false).ticks(about);
        assert_eq!(
            ticks(0.0, 100.0, 5),
            (vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0], 20.0)
        );
        assert_eq!(ticks(-1.2, 1.1, 4).0, [-1.0, 0.0, 1.0]);
        assert_eq!(ticks(101.0, 279.0, 7).1, 50.0);
        let log = Scale::new((1.0, 1000.0), (0.0, 3.0), true);
        assert_eq!(log.ticks(4).0, [1.0, 10.0, 100.0, 1000.0]);
        assert!((log.pixel(100.0) - 2.0).abs() < 1e-12);
        // Less than a decade.
        let narrow = Scale::new((100.0, 260.0), (0.0, 1.0), true);
        assert!(narrow.ticks(6).0.len() >= 3);
    }

    #[test]
    fn a_domain_of_nothing_still_has_a_width() {
        for domain in [
            (0.0, 0.0),
            (5.0, 5.0),
            (f64::NAN, 1.0),
            (f64::NEG_INFINITY, 0.0),
            (3.0, 2.0),
        ] {
            for log in [false, true] {
                let scale = Scale::new(domain, (0.0, 100.0), log);
                assert!(scale.pixel(1.0).is_finite(), "{domain:?} {log}");
                assert!(scale.ticks(5).0.len() < 20);
            }
        }
    }
}
