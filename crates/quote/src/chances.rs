//! How likely it ends how.

use ballast_model::{Boundaries, Bps, lending::growth_x64_up};
use ballast_simulator::{Interest, hitting::Motion};
use serde::Serialize;

use crate::{Conditions, Opened, Rules};

const SECS_PER_DAY: f64 = 86_400.0;

/// Chances of a time, if nobody does anything with the position: in closed form, of a geometric Brownian motion without drift that is
/// watched all the time and has two boundaries ([`Motion::exit`]).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Chance {
    /// The time in days.
    pub days: f64,
    /// Of being liquidatable by then.
    pub liquidation: Option<Exits>,
    /// The same with debts grown to the end of the time from the start on: no less than the chance with debts that grow on the way.
    pub liquidation_grown: Option<Exits>,
    /// Of having reached the deleverage trigger by then.
    pub deleverage: Option<Exits>,
}

/// Chances by the boundary that is reached first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Exits {
    /// The lower one.
    pub lower: f64,
    /// The upper one.
    pub upper: f64,
    /// Either.
    pub either: f64,
}

impl Chance {
    pub(crate) fn new(
        opened: &Opened,
        rules: &Rules,
        conditions: &Conditions,
        days: f64,
    ) -> Option<Self> {
        let motion = Motion::of_price(0.0, conditions.sigma_day?);
        let exits = |position: &ballast_model::Position, threshold: Bps| {
            let now = opened.units.log_price(opened.at);
            let Boundaries::Interval { lower, upper } = position.boundaries(threshold).ok()? else {
                return None;
            };
            let distance = |end: Option<_>| end.map(|end| opened.units.log_price(end) - now);
            let exit = motion.exit(distance(lower), distance(upper), days)?;
            Some(Exits {
                lower: exit.lower,
                upper: exit.upper,
                either: exit.lower + exit.upper,
            })
        };
        let interest = Interest::new(conditions.base_apr, conditions.quote_apr).ok()?;
        // `as` saturates.
        let secs = (days * SECS_PER_DAY) as u64;
        let growth = |rate_x64: u128| growth_x64_up(rate_x64, secs);
        let grown = opened.position.grown(
            growth(interest.base_rate_x64),
            growth(interest.quote_rate_x64),
        );
        Some(Self {
            days,
            liquidation: exits(&opened.position, rules.maintenance),
            liquidation_grown: grown
                .ok()
                .and_then(|grown| exits(&grown, rules.maintenance)),
            deleverage: exits(&opened.position, rules.deleverage),
        })
    }
}
