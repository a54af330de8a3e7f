//! Numbers beside axes.

/// How an axis writes its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// As they are.
    #[default]
    Plain,
    /// A ratio in percent.
    Percent,
}

impl Numbers {
    /// A number with as many decimals as numbers `step` apart need.
    pub(crate) fn text(self, value: f64, step: f64) -> String {
        let (value, step, unit) = match self {
            Self::Plain => (value, step, ""),
            Self::Percent => (value * 100.0, step * 100.0, "%"),
        };
        let magnitude = value.abs().max(step.abs());
        if magnitude != 0.0 && !(1e-6..1e7).contains(&magnitude) {
            let digits = if step > 0.0 {
                (magnitude.log10().floor() - step.log10().floor()).clamp(0.0, 6.0) as usize
            } else {
                2
            };
            return format!("{value:.digits$e}{unit}");
        }
        let decimals = if step > 0.0 {
            // A step of 2.5 needs one more than a step of 2.
            let whole = (-step.log10().floor()).max(0.0);
            let rest = (step * 10f64.powf(whole)).fract();
            whole + f64::from(u8::from(rest > 1e-9 && rest < 1.0 - 1e-9))
        } else {
            0.0
        };
        let decimals = decimals.min(9.0) as usize;
        let text = format!("{value:.decimals$}");
        // Zero has no sign.
        let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        let text = if zero {
            text.trim_start_matches('-')
        } else {
            &text
        };
        format!("{}{unit}", text.replace('-', "\u{2212}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_decimals_as_the_step_needs() {
        for (value, step, text) in [
            (200.0, 20.0, "200"),
            (2.5, 2.5, "2.5"),
            (0.25, 0.25, "0.25"),
            (-40.0, 20.0, "\u{2212}40"),
            (-1e-18, 0.1, "0.0"),
            (1e9, 1e8, "1.0e9"),
            (3e-9, 1e-9, "3e-9"),
        ] {
            assert_eq!(Numbers::Plain.text(value, step), text);
        }
        assert_eq!(Numbers::Percent.text(0.125, 0.025), "12.5%");
        assert_eq!(Numbers::Percent.text(0.0, 0.1), "0%");
    }
}
