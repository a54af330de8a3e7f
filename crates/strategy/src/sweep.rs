//! Every position of a market at one price, in `f64`: what they come to, and which of them may have reached their LTV trigger.
//!
//! Inside its band a position's assets are `L (P / s' + s') + u P + v`, with `s'` the square-root price held within the band,
//! `u = lx - L / sb` and `v = ly - L sa`; its debt is `dx P + dy`. These numbers stand in columns, so that four or eight positions are
//! computed at a time and memory is read from one end to the other.
//!
//! It is a screen: nothing that the chain checks is computed here. Whatever [`ballast_model::Valuation::ltv_at_least`] says of a
//! position's exact value is among the suspects; a suspect is looked at exactly.

use ballast_model::{Bps, Position, SqrtPrice};

/// Positions computed together.
const LANES: usize = 8;
/// What `f64` may lose of a position's assets and debt: a thousand times what it does lose in a band of one tick.
const ROUNDING: f64 = 1e-9;
/// Whole units that the exact value rounds away beside those of the pool's base.
const UNITS: f64 = 3.0;

/// What positions come to at a price, raw units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Value owned, quote.
    pub assets: f64,
    /// Value owed, quote.
    pub debt: f64,
    /// Base owned less base owed.
    pub delta: f64,
}

impl Totals {
    /// Assets less debt.
    pub fn equity(&self) -> f64 {
        self.assets - self.debt
    }
}

/// See the module's description. Positions are known by dense ids.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    rows: Vec<Row>,
}

/// Numbers of [`LANES`] positions. A number without a position has no trigger, and nothing else.
#[derive(Clone, Copy, Debug)]
struct Row {
    liquidity: [f64; LANES],
    base: [f64; LANES],
    quote: [f64; LANES],
    debt_base: [f64; LANES],
    debt_quote: [f64; LANES],
    root_lower: [f64; LANES],
    root_upper: [f64; LANES],
    /// LTV from which something is due; NaN: never.
    trigger: [f32; LANES],
}

const EMPTY: Row = Row {
    liquidity: [0.0; LANES],
    base: [0.0; LANES],
    quote: [0.0; LANES],
    debt_base: [0.0; LANES],
    debt_quote: [0.0; LANES],
    root_lower: [1.0; LANES],
    root_upper: [1.0; LANES],
    trigger: [f32::NAN; LANES],
};

impl Sweep {
    /// Enters a position, in place of what was entered for its number before.
    pub fn insert(&mut self, id: u32, position: &Position, trigger: Bps) {
        let (row, lane) = place(id);
        if self.rows.len() <= row {
            self.rows.resize(row + 1, EMPTY);
        }
        let root = |price: SqrtPrice| price.x64() as f64 / 2f64.powi(64);
        let (lower, upper) = (
            root(position.band.sqrt_lower()),
            root(position.band.sqrt_upper()),
        );
        let liquidity = position.liquidity as f64;
        if let Some(row) = self.rows.get_mut(row) {
            row.liquidity[lane] = liquidity;
            row.base[lane] = position.idle.base as f64 - liquidity / upper;
            row.quote[lane] = position.idle.quote as f64 - liquidity * lower;
            row.debt_base[lane] = position.debt.base as f64;
            row.debt_quote[lane] = position.debt.quote as f64;
            (row.root_lower[lane], row.root_upper[lane]) = (lower, upper);
            // Rounded down: a screen may suspect too much.
            row.trigger[lane] = (trigger.get() as f32 / Bps::ONE.get() as f32).next_down();
        }
    }

    /// Takes a position out.
    pub fn remove(&mut self, id: u32) {
        let (row, lane) = place(id);
        if let Some(row) = self.rows.get_mut(row) {
            row.liquidity[lane] = 0.0;
            (row.base[lane], row.quote[lane]) = (0.0, 0.0);
            (row.debt_base[lane], row.debt_quote[lane]) = (0.0, 0.0);
            (row.root_lower[lane], row.root_upper[lane]) = (1.0, 1.0);
            row.trigger[lane] = f32::NAN;
        }
    }

    /// What all come to at a price. Adds the numbers of those that may have reached their trigger to `suspects`, in their order.
    pub fn at(&self, price: SqrtPrice, suspects: &mut Vec<u32>) -> Totals {
        let root = price.x64() as f64 / 2f64.powi(64);
        let mut sums = [[0.0; LANES]; 3];
        for (row, first) in self.rows.iter().zip((0u32..).step_by(LANES)) {
            let due = row.add(root, &mut sums);
            if due != [false; LANES] {
                let due = due.into_iter().zip(first..);
                suspects.extend(due.filter(|(due, _)| *due).map(|(_, id)| id));
            }
        }
        let [assets, debt, delta] = sums.map(|sums| sums.iter().sum());
        Totals {
            assets,
            debt,
            delta,
        }
    }
}

impl Row {
    /// Adds its positions to the sums, and says which may have reached their triggers.
    fn add(&self, root: f64, sums: &mut [[f64; LANES]; 3]) -> [bool; LANES] {
        let price = root * root;
        // A unit of the pool's base, and the others.
        let blur = price + UNITS;
        let mut due = [false; LANES];
        for lane in 0..LANES {
            let (lower, upper) = (self.root_lower[lane], self.root_upper[lane]);
            let inside = if root > lower { root } else { lower };
            let inside = if inside < upper { inside } else { upper };
            let base = self.liquidity[lane] / inside + self.base[lane];
            let assets = base * price + (self.liquidity[lane] * inside + self.quote[lane]);
            let debt = self.debt_base[lane] * price + self.debt_quote[lane];
            sums[0][lane] += assets;
            sums[1][lane] += debt;
            sums[2][lane] += base - self.debt_base[lane];
            let most = debt + ROUNDING * debt + 1.0;
            let least = assets - ROUNDING * assets - blur;
            due[lane] = most >= least * f64::from(self.trigger[lane]);
        }
        due
    }
}

fn place(id: u32) -> (usize, usize) {
    (id as usize / LANES, id as usize % LANES)
}

#[cfg(test)]
mod tests {
    use ballast_model::Tick;
    use proptest::prelude::*;

    use super::*;
    use crate::random::{position, positions};

    fn with_triggers() -> impl Strategy<Value = (Position, Bps)> {
        let trigger = prop_oneof![Just(10_000u32), 5_000u32..9_500];
        // Amounts of the pool fit 64 bits, as the chain has them.
        (positions(60, 50), trigger.prop_map(Bps::new))
    }

    proptest! {
        #[test]
        fn who_has_reached_its_trigger_is_suspected_and_who_is_far_from_it_is_not(
            positions in proptest::collection::vec(with_triggers(), 1..40),
            tick in -45_000i32..45_000,
            gone in proptest::collection::vec(0u32..40, 0..5),
        ) {
            let at = Tick::new(tick).unwrap().sqrt_price();
            let mut sweep = Sweep::default();
            for (id, (position, trigger)) in (0u32..).zip(&positions) {
                sweep.insert(id, position, *trigger);
            }
            for id in &gone {
                sweep.remove(*id);
            }
            let mut suspects = Vec::new();
            let totals = sweep.at(at, &mut suspects);
            let (mut assets, mut debt) = (0.0, 0.0);
            for (id, (position, trigger)) in (0u32..).zip(&positions) {
                let suspected = suspects.contains(&id);
                if gone.contains(&id) {
                    prop_assert!(!suspected);
                    continue;
                }
                let Ok(value) = position.value(at) else { continue };
                (assets, debt) = (assets + value.assets as f64, debt + value.debt as f64);
                let reached = value.ltv_at_least(*trigger);
                prop_assert!(suspected || !reached, "{position:?} {value:?} {trigger:?}");
                // A hundred-thousandth, and what whole units blur, away from the trigger nobody is suspected.
                let price = (at.x64() as f64 / 2f64.powi(64)).powi(2);
                let limit = value.assets as f64 * f64::from(trigger.get()) / 10_000.0;
                let far = limit * (1.0 - 1e-5) - 2.0 * price - 10.0;
                prop_assert!(!suspected || value.debt as f64 >= far, "{position:?} {value:?}");
            }
            // Sums within rounding: of the exact ones each is whole.
            let price = (at.x64() as f64 / 2f64.powi(64)).powi(2);
            let room = positions.len() as f64 * (price + 4.0);
            let known = positions.iter().all(|(position, _)| position.value(at).is_ok());
            if known {
                prop_assert!((totals.assets - assets).abs() <= room + 1e-6 * assets, "{totals:?} {assets}");
                prop_assert!((totals.debt - debt).abs() <= room + 1e-6 * debt, "{totals:?} {debt}");
            }
        }
    }

    #[test]
    fn delta_and_equity_are_those_of_the_pool() {
        // From tick 0 to 2, and a price below, where all is base.
        let mut sweep = Sweep::default();
        let one = position((0, 20_000), 1_000_000, [7, 11], [100, 13]);
        sweep.insert(9, &one, Bps::ONE);
        let at = Tick::new(-1_000).unwrap().sqrt_price();
        let totals = sweep.at(at, &mut Vec::new());
        let pooled = 1_000_000.0 * (1.0 - 1.0001f64.powi(-10_000));
        assert!(
            (totals.delta - (pooled + 7.0 - 100.0)).abs() < 1e-3,
            "{totals:?}"
        );
        let price = 1.0001f64.powi(-1_000);
        let equity = (pooled - 93.0) * price - 2.0;
        assert!(
            (totals.equity() - equity).abs() < 1e-3,
            "{totals:?} {equity}"
        );
        sweep.remove(9);
        assert_eq!(sweep.at(at, &mut Vec::new()), Totals::default());
        sweep.remove(1_000);
    }
}
