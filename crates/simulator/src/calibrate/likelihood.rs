//! How sharp the maximum of a likelihood is.

/// Steps of a second derivative, in the parameters' own scales.
const STEP: f64 = 1e-3;

/// Covariances of parameters at the maximum of a log-likelihood.
#[derive(Clone, Debug)]
pub(super) struct Covariance<const N: usize>([[f64; N]; N]);

impl<const N: usize> Covariance<N> {
    /// The inverse of the negative second derivatives, taken with steps of `scale`; `None` where the likelihood has no maximum.
    pub fn at(
        best: [f64; N],
        scale: [f64; N],
        likelihood: impl Fn(&[f64; N]) -> f64,
    ) -> Option<Self> {
        let moved = |moves: &[(usize, f64)]| {
            let mut at = best;
            for (index, steps) in moves {
                at[*index] += steps * STEP * scale[*index];
            }
            likelihood(&at)
        };
        let middle = likelihood(&best);
        let mut curvature = [[0.0; N]; N];
        for row in 0..N {
            for column in 0..=row {
                let second = if row == column {
                    moved(&[(row, 1.0)]) + moved(&[(row, -1.0)]) - 2.0 * middle
                } else {
                    let both = |one: f64, other: f64| moved(&[(row, one), (column, other)]);
                    (both(1.0, 1.0) + both(-1.0, -1.0) - both(1.0, -1.0) - both(-1.0, 1.0)) / 4.0
                };
                let second = -second / (STEP * STEP * scale[row] * scale[column]);
                (curvature[row][column], curvature[column][row]) = (second, second);
            }
        }
        inverse(curvature, scale).map(Self)
    }

    /// Standard error of a function of the parameters, by its gradient.
    pub fn error(&self, best: [f64; N], scale: [f64; N], of: impl Fn(&[f64; N]) -> f64) -> f64 {
        let mut gradient = [0.0; N];
        for (index, slope) in gradient.iter_mut().enumerate() {
            let moved = |steps: f64| {
                let mut at = best;
                at[index] += steps * STEP * scale[index];
                of(&at)
            };
            *slope = (moved(1.0) - moved(-1.0)) / (2.0 * STEP * scale[index]);
        }
        let mut variance = 0.0;
        for (row, covariances) in self.0.iter().enumerate() {
            for (column, covariance) in covariances.iter().enumerate() {
                variance += gradient[row] * covariance * gradient[column];
            }
        }
        variance.max(0.0).sqrt()
    }
}

/// By Cholesky's factors; `None` unless the matrix is positive definite. Rows are scaled first.
fn inverse<const N: usize>(matrix: [[f64; N]; N], scale: [f64; N]) -> Option<[[f64; N]; N]> {
    let mut lower = [[0.0; N]; N];
    for row in 0..N {
        for column in 0..=row {
            let mut rest = matrix[row][column] * scale[row] * scale[column];
            let pairs = lower[row].iter().zip(&lower[column]).take(column);
            for (left, right) in pairs {
                rest -= left * right;
            }
            if row == column {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                lower[row][row] = rest.sqrt();
            } else {
                lower[row][column] = rest / lower[column][column];
            }
        }
    }
    let mut inverse = [[0.0; N]; N];
    for column in 0..N {
        // L y = e, then L' x = y.
        let mut solved = [0.0; N];
        for row in 0..N {
            let mut rest = f64::from(u8::from(row == column));
            for inner in 0..row {
                rest -= lower[row][inner] * solved[inner];
            }
            solved[row] = rest / lower[row][row];
        }
        for row in (0..N).rev() {
            let mut rest = solved[row];
            for inner in row + 1..N {
                rest -= lower[inner][row] * solved[inner];
            }
            solved[row] = rest / lower[row][row];
        }
        for row in 0..N {
            inverse[row][column] = solved[row] * scale[row] * scale[column];
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A normal density in two dimensions: its covariances come back.
    #[test]
    fn covariances_of_a_normal_density() {
        // Inverse of [[4, 1], [1, 0.5]] times 1/(4 0.5 - 1).
        let likelihood = |at: &[f64; 2]| {
            -0.5 * (0.5 * at[0] * at[0] - 2.0 * at[0] * at[1] + 4.0 * at[1] * at[1])
        };
        let covariance = Covariance::at([0.0, 0.0], [1.0, 1.0], likelihood).unwrap();
        let error = |of: fn(&[f64; 2]) -> f64| covariance.error([0.0, 0.0], [1.0, 1.0], of);
        assert!((error(|at| at[0]) - 2.0).abs() < 1e-6);
        assert!((error(|at| at[1]) - 0.5f64.sqrt()).abs() < 1e-6);
        assert!((error(|at| 3.0 * (at[0] + at[1])) - 3.0 * 6.5f64.sqrt()).abs() < 1e-6);
        // Growing without end has no maximum.
        assert!(Covariance::at([0.0], [1.0], |at: &[f64; 1]| at[0] * at[0]).is_none());
    }
}
