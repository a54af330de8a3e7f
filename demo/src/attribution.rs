//! Where a position's gain comes from, from what was read on chain.

use anyhow::Result;
use ballast_client::SqrtPrice;
use ballast_model::{Amounts, Moved, Position};
use serde::Serialize;

/// A position and the fees that nobody has collected yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its numbers, debts with interest up to now.
    pub model: Position,
    /// What it would be paid now.
    pub fees: Amounts,
}

impl State {
    /// Equity at a price with uncollected fees, raw quote units.
    ///
    /// # Errors
    /// If an amount exceeds 64 bits.
    pub fn equity(&self, at: SqrtPrice) -> Result<i128> {
        Ok(self.with_fees()?.equity_down(at)?)
    }

    /// The position as if it had collected.
    ///
    /// # Errors
    /// If an amount exceeds 64 bits.
    pub fn with_fees(&self) -> Result<Position> {
        Ok(self.model.with_idle(self.fees)?)
    }
}

/// A gain in raw quote units, line by line. Every line is a difference of two valuations, so that they add up to the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attribution {
    /// What opening cost: its swap, and whole units.
    pub opening: i128,
    /// Fees that arbitrageurs paid.
    pub fees_arbitrage: i128,
    /// Fees that takers paid.
    pub fees_takers: i128,
    /// What the liquidity lost against the tokens that it held before each move.
    pub curvature: i128,
    /// Moves of the price times the delta before them.
    pub hedge_drift: i128,
    /// Growth of the debts.
    pub interest: i128,
    /// Fees and slippage of the swaps that keepers' actions make.
    pub actions: i128,
    /// What liquidators took.
    pub liquidation: i128,
}

impl Attribution {
    /// All lines together.
    pub fn total(&self) -> i128 {
        self.lines().iter().map(|(_, amount)| amount).sum()
    }

    /// Every line with its name.
    pub fn lines(&self) -> [(&'static str, i128); 8] {
        [
            ("opening", self.opening),
            ("arbitrage fees", self.fees_arbitrage),
            ("taker fees", self.fees_takers),
            ("curvature", self.curvature),
            ("hedge drift", self.hedge_drift),
            ("interest", self.interest),
            ("keeper's swaps", self.actions),
            ("liquidation", self.liquidation),
        ]
    }

    /// The price went from one to another, arbitrageurs and then takers traded, and nobody acted on the position.
    ///
    /// # Errors
    /// If an amount exceeds 64 bits.
    pub fn add_move(&mut self, leg: &Leg) -> Result<()> {
        let Leg {
            before,
            arbitraged,
            after,
            from,
            to,
        } = leg;
        let Moved { drift, curvature } = before.with_fees()?.moved(*from, *to)?;
        let moved = before.equity(*to)?;
        let mut state = *before;
        state.model.debt = after.model.debt;
        let with_interest = state.equity(*to)?;
        state.fees = arbitraged.fees;
        let with_arbitrage = state.equity(*to)?;
        self.hedge_drift += drift;
        self.curvature += curvature;
        self.interest += with_interest - moved;
        self.fees_arbitrage += with_arbitrage - with_interest;
        self.fees_takers += after.equity(*to)? - with_arbitrage;
        Ok(())
    }
}

/// A move of the price.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    /// The position before it.
    pub before: State,
    /// When the pool had followed.
    pub arbitraged: State,
    /// When takers had traded.
    pub after: State,
    /// Price before.
    pub from: SqrtPrice,
    /// Price after.
    pub to: SqrtPrice,
}

#[cfg(test)]
mod tests {
    use ballast_client::{Band, Tick};

    use super::*;

    fn state(debt: Amounts, fees: Amounts) -> State {
        State {
            model: Position {
                band: Band::new(Tick::new(-16_648).unwrap(), Tick::new(-15_648).unwrap()).unwrap(),
                liquidity: 27_000_000_000,
                idle: Amounts::new(5, 7),
                debt,
            },
            fees,
        }
    }

    #[test]
    fn lines_add_up_to_the_unit_and_say_what_happened() {
        let at = |tick| Tick::new(tick).unwrap().sqrt_price();
        let before = state(Amounts::new(730_000_000, 54_000_000), Amounts::ZERO);
        let arbitraged = state(
            Amounts::new(730_000_000, 54_000_000),
            Amounts::new(1_000, 2),
        );
        let after = state(
            Amounts::new(730_000_011, 54_000_003),
            Amounts::new(40_000, 9_000),
        );
        let (from, to) = (at(-16_094), at(-15_900));
        let mut gain = Attribution::default();
        gain.add_move(&Leg {
            before,
            arbitraged,
            after,
            from,
            to,
        })
        .unwrap();
        let expected = after.equity(to).unwrap() - before.equity(from).unwrap();
        assert_eq!(gain.total(), expected);
        assert!(gain.curvature < 0 && gain.interest < 0, "{gain:?}");
        assert!(gain.fees_takers > gain.fees_arbitrage && gain.fees_arbitrage > 0);
        // Out of the band nothing is lost to curvature.
        let mut still = Attribution::default();
        let leg = Leg {
            before,
            arbitraged: before,
            after: before,
            from: at(-15_600),
            to: at(-15_000),
        };
        still.add_move(&leg).unwrap();
        assert!(still.curvature.abs() <= 2, "{still:?}");
        assert!(still.hedge_drift < 0);
    }
}
