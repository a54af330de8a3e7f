//! How much a price has moved.

/// Standard deviation of a day's move from recorded moves of the price's logarithm, each over `secs`: the root of their mean square.
/// Their mean itself is not taken off: over the times that are recorded it says nothing. `None` for fewer than two.
pub fn realised_sigma_day(moves: impl IntoIterator<Item = f64>, secs: f64) -> Option<f64> {
    let (count, squares) = moves
        .into_iter()
        .filter(|change| change.is_finite())
        .fold((0u32, 0.0), |(count, squares), change| {
            (count + 1, squares + change * change)
        });
    let days = secs / 86_400.0;
    (count >= 2 && days > 0.0).then(|| (squares / f64::from(count) / days).sqrt())
}

#[cfg(test)]
mod tests {
    use super::realised_sigma_day;

    #[test]
    fn moves_of_an_hour_make_a_days() {
        let moves = [0.01, -0.01, 0.01, -0.01];
        let sigma = realised_sigma_day(moves, 3_600.0).unwrap();
        assert!((sigma - 0.01 * 24f64.sqrt()).abs() < 1e-15);
        assert_eq!(realised_sigma_day([0.01], 3_600.0), None);
        assert_eq!(realised_sigma_day([0.01, f64::NAN], 3_600.0), None);
    }
}
