//! A world from a market that was read.

use std::collections::BTreeMap;

use ballast::state::Position as Stored;
use ballast_clmm::{Amounts, Side, Tick};
use ballast_snapshot::MarketSnapshot;
use ballast_strategy::situation::Economics;

use super::{Held, Lender, Parts, WorldError};
use crate::{
    Units,
    ticks::{SwapFee, TickPool, TickPoolError},
};

/// A position that was read.
#[derive(Clone, Debug)]
pub struct ReadPosition {
    /// What it is called.
    pub name: String,
    /// As stored.
    pub stored: Stored,
    /// Fees that it has earned and not been paid.
    pub fees: Amounts,
}

/// A market that was read.
#[derive(Clone, Debug)]
pub struct ReadMarket {
    /// Market, reserves, pool and prices of one slot.
    pub market: MarketSnapshot,
    /// What becomes active at each initialised tick of the pool when the price rises over it.
    pub ticks: BTreeMap<i32, i128>,
    /// The pool's fee.
    pub fee: SwapFee,
    /// The protocol's part of each fee.
    pub protocol_bps: u16,
    /// Its positions.
    pub positions: Vec<ReadPosition>,
    /// What liquidators can bring.
    pub liquidators: Amounts,
    /// What keepers take recentering and compounding to be worth.
    pub economics: Economics,
}

impl ReadMarket {
    /// A world that begins like that. Whose liquidity is not a position's is others'; lenders of a reserve are one.
    ///
    /// # Errors
    /// [`WorldError`]; ticks that do not add up.
    pub fn open(self) -> Result<Parts, WorldError> {
        let mut pool = TickPool::new(
            self.market.pool.sqrt_price,
            self.fee,
            self.protocol_bps.into(),
        );
        let mut others_net = self.ticks;
        let mut positions = Vec::with_capacity(self.positions.len());
        for ReadPosition { name, stored, fees } in self.positions {
            let range = [stored.tick_lower, stored.tick_upper];
            let seat = pool.seat(range);
            let liquidity = stored.liquidity.get();
            if liquidity > 0 {
                pool.provide(seat, liquidity)?;
                let signed =
                    i128::try_from(liquidity).map_err(|_| TickPoolError::Overflow("liquidity"))?;
                for (tick, net) in [(range[0], signed), (range[1], -signed)] {
                    *others_net.entry(tick).or_default() -= net;
                }
            }
            pool.credit(seat, fees)?;
            positions.push(Held {
                name,
                kept: stored.policy.keeper_enabled == 1,
                stored,
                seat,
            });
        }
        let others = provide_others(&mut pool, &others_net)?;
        let lenders = [Side::Base, Side::Quote].map(|side| Lender {
            name: format!("all lenders of {side}"),
            side,
            shares: self.market.reserve(side).supply_shares,
        });
        Ok(Parts {
            units: Units {
                base_decimals: self.market.market.base_decimals,
                quote_decimals: self.market.market.quote_decimals,
            },
            market: self.market,
            pool,
            positions,
            others,
            lenders: lenders.into(),
            liquidators: self.liquidators,
            perp: None,
            economics: self.economics,
        })
    }
}

/// A seat from each tick to the next, with what is active between them.
fn provide_others(
    pool: &mut TickPool,
    net: &BTreeMap<i32, i128>,
) -> Result<Vec<usize>, WorldError> {
    let mut seats = Vec::new();
    let mut active = 0i128;
    let mut from: Option<i32> = None;
    for (tick, net) in net {
        Tick::new(*tick).map_err(TickPoolError::from)?;
        if let (Some(from), Ok(liquidity @ 1..)) = (from, u128::try_from(active)) {
            let seat = pool.seat([from, *tick]);
            pool.provide(seat, liquidity)?;
            seats.push(seat);
        }
        active += net;
        if active < 0 {
            return Err(TickPoolError::BadTick(*tick).into());
        }
        from = Some(*tick);
    }
    match (active, from) {
        (0, _) => Ok(seats),
        (_, last) => Err(TickPoolError::BadTick(last.unwrap_or_default()).into()),
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;

    use super::*;

    fn read(ticks: &[(i32, i128)]) -> ReadMarket {
        let mut market = fixtures::snapshot(200);
        let stored = fixtures::position();
        fixtures::book_debts(&mut market, &stored);
        ReadMarket {
            market,
            ticks: ticks.iter().copied().collect(),
            fee: SwapFee::fixed(400),
            protocol_bps: 1_300,
            positions: vec![ReadPosition {
                name: "the example".into(),
                stored,
                fees: Amounts::new(5, 7),
            }],
            liquidators: Amounts::ZERO,
            economics: Economics::default(),
        }
    }

    #[test]
    fn what_is_not_a_positions_is_others() {
        let ours = fixtures::position().liquidity.get() as i128;
        let [lower, upper] = fixtures::TICKS;
        let market = read(&[
            (-20_000, 1_000),
            (lower, ours + 500),
            (upper, -ours),
            (-10_000, -1_500),
        ]);
        let ticks = market.ticks.clone();
        let parts = market.open().unwrap();
        let found: BTreeMap<i32, i128> = parts
            .pool
            .ticks()
            .map(|(tick, state)| (tick, state.net))
            .collect();
        assert_eq!(found, ticks);
        assert_eq!(parts.pool.liquidity(), ours as u128 + 1_500);
        assert_eq!(parts.others.len(), 3);
        let seat = parts.positions[0].seat;
        assert_eq!(parts.pool.fees_of(seat), Amounts::new(5, 7));
    }

    #[test]
    fn ticks_that_do_not_add_up_are_refused() {
        let ours = fixtures::position().liquidity.get() as i128;
        let [lower, upper] = fixtures::TICKS;
        for ticks in [
            // Less than the position's own; an end is missing; more leaves than came.
            vec![(lower, ours - 1), (upper, 1 - ours)],
            vec![(lower, ours + 5), (upper, -ours)],
            vec![(lower, ours), (upper, -ours - 1)],
        ] {
            assert!(read(&ticks).open().is_err(), "{ticks:?}");
        }
    }
}
