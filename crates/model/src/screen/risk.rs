use ballast_clmm::SqrtPrice;
use serde::Serialize;

use super::Real;
use crate::{Bps, Position};

/// A position at a price, in units of one's choice as long as they are consistent. Requires `price > 0`,
/// `0 < lower < upper`, `0 < threshold`, and nothing negative; [`super::parse_risk_line`] checks that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskInput<R> {
    /// P, quote per base.
    pub price: R,
    /// Lower end of the range, pa.
    pub lower: R,
    /// Upper end of the range, pb.
    pub upper: R,
    /// L.
    pub liquidity: R,
    /// lx.
    pub idle_base: R,
    /// ly.
    pub idle_quote: R,
    /// dx.
    pub debt_base: R,
    /// dy.
    pub debt_quote: R,
    /// LTV at which a boundary is reached, t.
    pub threshold: R,
}

/// The numbers of a position at one price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RiskReport {
    /// Value owned, in quote.
    pub assets: f64,
    /// Value owed, in quote.
    pub debt: f64,
    /// Assets less debt.
    pub equity: f64,
    /// dE/dP, in base.
    pub delta: f64,
    /// d2E/dP2, base per unit of price; 0 outside the range.
    pub gamma: f64,
    /// Assets / equity; none without equity.
    pub leverage: Option<f64>,
    /// Debt / assets; none without assets.
    pub ltv: Option<f64>,
    /// Price at which LTV reaches the threshold from above; none if it never does, or if not solvable.
    pub lower: Option<f64>,
    /// Price at which LTV reaches the threshold from below; none if it never does, or if not solvable.
    pub upper: Option<f64>,
    /// Whether LTV is below the threshold at any price.
    pub solvable: bool,
}

impl<R: Real> RiskInput<R> {
    /// A position of the exact model in raw units.
    pub fn new(position: &Position, at: SqrtPrice, threshold: Bps) -> Self {
        let unit = R::from_u128(1 << 64);
        let price = |sqrt: SqrtPrice| {
            let root = R::from_u128(sqrt.x64()) / unit;
            root * root
        };
        let amount = |amount: u64| R::from_u128(u128::from(amount));
        Self {
            price: price(at),
            lower: price(position.band.sqrt_lower()),
            upper: price(position.band.sqrt_upper()),
            liquidity: R::from_u128(position.liquidity),
            idle_base: amount(position.idle.base),
            idle_quote: amount(position.idle.quote),
            debt_base: amount(position.debt.base),
            debt_quote: amount(position.debt.quote),
            threshold: amount(threshold.get().into()) / amount(Bps::ONE.get().into()),
        }
    }
}

/// Everything of [`RiskReport`], with the boundaries in closed form.
///
/// With [`super::Double`] and inputs of 31 digits every value is right to the last bits of its `f64`, and a boundary to
/// 1e-9 as long as what the inputs cancel to (a band's width, debt less what idle tokens cover, the gap between boundaries
/// that nearly touch) is, all multiplied, above 1e-22 of them. Measured: 3e-16 over 50,000 random positions, 2e-13 over
/// 20,000 that are difficult on purpose (`reference/model.py vectors` and `hard`).
pub fn risk<R: Real>(input: &RiskInput<R>) -> RiskReport {
    let RiskInput {
        price,
        lower,
        upper,
        liquidity,
        ..
    } = *input;
    let root = price.sqrt();
    let (root_lower, root_upper) = (lower.sqrt(), upper.sqrt());
    let inside = root.greater(root_lower).lesser(root_upper);
    let nearest = price.greater(lower).lesser(upper);
    // Differences of roots through differences of prices: those are exact.
    let above = (upper - nearest) / (root_upper + inside);
    let below = (nearest - lower) / (inside + root_lower);
    let pool_base = liquidity * above / (inside * root_upper);
    let pool_quote = liquidity * below;
    let base = pool_base + input.idle_base;
    let assets = base * price + pool_quote + input.idle_quote;
    let debt = input.debt_base * price + input.debt_quote;
    // Term by term: the base owed and owned may cancel.
    let delta = base - input.debt_base;
    let equity = delta * price + (pool_quote + input.idle_quote - input.debt_quote);
    let gamma = if lower < price && price < upper {
        -(liquidity / ((R::ONE + R::ONE) * price * root))
    } else {
        R::ZERO
    };
    let (bounds, solvable) = match boundaries(input, root_lower, root_upper) {
        Some(bounds) => (bounds, true),
        None => ((None, None), false),
    };
    RiskReport {
        assets: assets.to_f64(),
        debt: debt.to_f64(),
        equity: equity.to_f64(),
        delta: delta.to_f64(),
        gamma: gamma.to_f64(),
        leverage: (equity > R::ZERO).then(|| (assets / equity).to_f64()),
        ltv: (assets > R::ZERO).then(|| (debt / assets).to_f64()),
        lower: bounds.0.map(Real::to_f64),
        upper: bounds.1.map(Real::to_f64),
        solvable,
    }
}

type Ends<R> = (Option<R>, Option<R>);

/// The open interval of prices at which `H = t A - D > 0`, or `None` if there is none.
///
/// H is concave. Below the range it is `slope P - owed`, above it `level - short P`, inside `-(a s^2 - 2 b s + c)`. Which
/// segment holds a root follows from the signs of H at the ends of the range, and which root is which from the slope, never
/// from the side of the present price: it may lie anywhere.
fn boundaries<R: Real>(input: &RiskInput<R>, root_lower: R, root_upper: R) -> Option<Ends<R>> {
    let zero = R::ZERO;
    let t = input.threshold;
    let weight = t * input.liquidity;
    let short = input.debt_base.minus(t * input.idle_base);
    let owed = input.debt_quote.minus(t * input.idle_quote);
    let width = (input.upper - input.lower) / (root_upper + root_lower);
    let slope = (weight * width / (root_lower * root_upper)).minus(short);
    let level = (weight * width).minus(owed);
    let at_lower = slope * input.lower - owed;
    let at_upper = level - short * input.upper;
    let (a, b, c) = (
        short + weight / root_upper,
        weight,
        owed + weight * root_lower,
    );
    // b^2 - a c, without the part of it that would cancel.
    let discriminant = (b / root_upper * level).minus(short * c);

    let solvable = if short < zero {
        // Rises for ever.
        true
    } else if short == zero {
        level > zero
    } else if slope <= zero {
        // Falls from the beginning.
        owed < zero
    } else {
        // Largest inside the range, where it is (b^2 - a c) / a.
        discriminant > zero
    };
    if !solvable {
        return None;
    }
    let reach = b + discriminant.greater(zero).sqrt();
    let square = |root: R| root * root;
    let lower = (owed > zero).then(|| {
        if at_lower > zero {
            owed / slope
        } else if at_upper <= zero && short < zero {
            level / short
        } else {
            square(c / reach)
        }
    });
    let upper = (short > zero).then(|| {
        if at_upper > zero {
            level / short
        } else if at_lower <= zero && slope < zero {
            owed / slope
        } else {
            square(reach / a)
        }
    });
    Some((lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Double;

    /// From 1 to 4 with twelve of liquidity: six of base at its lower end, twelve of quote at its upper one.
    fn input(price: f64, idle: (f64, f64), debt: (f64, f64)) -> RiskInput<f64> {
        RiskInput {
            price,
            lower: 1.0,
            upper: 4.0,
            liquidity: 12.0,
            idle_base: idle.0,
            idle_quote: idle.1,
            debt_base: debt.0,
            debt_quote: debt.1,
            threshold: 0.5,
        }
    }

    fn boundaries(liquidity: f64, idle: (f64, f64), debt: (f64, f64)) -> (bool, [Option<f64>; 2]) {
        let exactly = Double::new;
        let report = risk(&RiskInput {
            price: exactly(2.0),
            lower: exactly(1.0),
            upper: exactly(4.0),
            liquidity: exactly(liquidity),
            idle_base: exactly(idle.0),
            idle_quote: exactly(idle.1),
            debt_base: exactly(debt.0),
            debt_quote: exactly(debt.1),
            threshold: exactly(0.5),
        });
        (report.solvable, [report.lower, report.upper])
    }

    #[test]
    fn gamma_is_zero_at_the_ends_and_outside() {
        let gamma = |price| risk(&input(price, (0.0, 0.0), (0.0, 0.0))).gamma;
        assert_eq!([0.5, 1.0, 4.0, 5.0].map(gamma), [0.0; 4]);
        // L / (2 P^1.5)
        assert_eq!(gamma(2.25), -12.0 / (2.0 * 3.375));
    }

    #[test]
    fn there_is_no_leverage_without_equity_and_no_ltv_without_assets() {
        let at_upper = |debt| {
            let report = risk(&input(4.0, (0.0, 0.0), (0.0, debt)));
            (report.equity, report.leverage, report.ltv)
        };
        assert_eq!(at_upper(6.0), (6.0, Some(2.0), Some(0.5)));
        assert_eq!(at_upper(12.0), (0.0, None, Some(1.0)));
        assert_eq!(at_upper(13.0), (-1.0, None, Some(13.0 / 12.0)));
        let nothing = RiskInput {
            liquidity: 0.0,
            ..input(2.0, (0.0, 0.0), (0.0, 1.0))
        };
        assert_eq!(risk(&nothing).ltv, None);
    }

    #[test]
    fn a_threshold_that_is_only_touched_is_not_left() {
        const NEVER: (bool, [Option<f64>; 2]) = (false, [None, None]);
        // Debt of half of the idle quote, at any price; less of it, and more.
        let quote = |debt| boundaries(0.0, (0.0, 4.0), (0.0, debt));
        assert_eq!(quote(2.0), NEVER);
        assert_eq!(quote(1.0), (true, [None, None]));
        assert_eq!(quote(3.0), NEVER);
        // Base owed with nothing held, and with quote that pays for it up to a price.
        assert_eq!(boundaries(0.0, (0.0, 0.0), (1.0, 0.0)), NEVER);
        assert_eq!(
            boundaries(0.0, (0.0, 6.0), (1.0, 0.0)),
            (true, [None, Some(3.0)])
        );
        // Best inside the band, where the discriminant is 9/2 - 9/2 - and with a little less owed.
        assert_eq!(boundaries(6.0, (0.0, 0.0), (0.5, 1.5)), NEVER);
        let (solvable, ends) = boundaries(6.0, (0.0, 0.0), (0.5, 1.375));
        let [Some(lower), Some(upper)] = ends else {
            panic!("{ends:?}")
        };
        assert!(solvable && 1.0 < lower && lower < upper && upper < 4.0);
    }

    #[test]
    fn boundaries_outside_the_band_are_where_one_token_is_left() {
        // Below it six of base against debt of half of it; nothing is short, so that there is no upper one.
        assert_eq!(
            boundaries(12.0, (0.0, 0.0), (0.0, 1.5)),
            (true, [Some(0.5), None])
        );
        // Base idle against quote owed, and against what the band holds too.
        assert_eq!(
            boundaries(0.0, (4.0, 0.0), (0.0, 6.0)),
            (true, [Some(3.0), None])
        );
        // Above it twelve of quote: half of them pay for one of base up to 6.
        assert_eq!(
            boundaries(12.0, (0.0, 0.0), (1.0, 0.0)),
            (true, [None, Some(6.0)])
        );
        // All base held above the band, against more quote than it: it pays from a price above the band on.
        assert_eq!(
            boundaries(12.0, (4.0, 0.0), (0.0, 16.0)),
            (true, [Some(5.0), None])
        );
    }
}
