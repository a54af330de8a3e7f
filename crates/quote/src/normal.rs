//! The normal distribution.

/// Chance that a standard normal number is below `x`.
pub(crate) fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn quantiles_of_tables() {
        for (x, part) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.959_963_984_540_054, 0.025),
        ] {
            assert!((below(x) - part).abs() < 1e-15, "{x}");
        }
    }
}
