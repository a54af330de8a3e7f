//! How much a price has moved.

/// Standard deviation of a day's move from recorded moves of the price's logarithm, each with its time in seconds: the root of all
/// squares over all the time. Their mean itself is not taken off: over the times that are recorded it says nothing. `None` for fewer than
/// two.
pub fn realised_sigma_day(moves: impl IntoIterator<Item = (f64, f64)>) -> Option<f64> {
    let (count, squares, secs) = moves
        .into_iter()
        .filter(|(change, secs)| change.is_finite() && *secs > 0.0)
        .fold((0u32, 0.0, 0.0), |(count, squares, all), (change, secs)| {
            (count + 1, squares + change * change, all + secs)
        });
    (count >= 2).then(|| (squares / (secs / 86_400.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::realised_sigma_day;

    #[test]
    fn moves_of_an_hour_make_a_days() {
        let moves = [0.01, -0.01, 0.01, -0.01].map(|change| (change, 3_600.0));
        let sigma = realised_sigma_day(moves).unwrap();
        assert!((sigma - 0.01 * 24f64.sqrt()).abs() < 1e-15);
        // Twice the move in four times the time is the same.
        let uneven = [(0.01, 3_600.0), (0.02, 4.0 * 3_600.0), (0.0, f64::NAN)];
        assert!((realised_sigma_day(uneven).unwrap() - sigma).abs() < 1e-15);
        assert_eq!(realised_sigma_day([(0.01, 3_600.0)]), None);
        assert_eq!(realised_sigma_day([(0.01, 1.0), (f64::NAN, 1.0)]), None);
    }
}
