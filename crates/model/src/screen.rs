//! The floating-point twin: a position's numbers and both boundaries in closed form, for screening
//! many positions and for `ballast risk`.
//!
//! The formulas are written once, over [`Real`]: with [`Double`] (106 bits) they hold 1e-9 and better even where `f64`
//! cancels (narrow bands, boundaries that nearly touch); with `f64` they are several times faster. Nothing here is used
//! where the chain checks the result.

mod decimal;
mod double;
mod line;
mod real;
mod risk;

pub use decimal::{DecimalError, parse_decimal};
pub use double::Double;
pub use line::{RiskError, parse_risk_line, risk_line};
pub use real::Real;
pub use risk::{RiskInput, RiskReport, risk};
