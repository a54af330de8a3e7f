//! All reserves and positions, and their comparison with the chain's.

use std::collections::BTreeMap;

use ballast_client::{PositionContext, Pubkey, Side};
use num_traits::Signed;

use super::{
    exact::{Q, int, show},
    position::{At, Position},
    reserve::{Reserve, owed},
};
use crate::game::View;

/// Both sides, in the order of every pair here.
pub(super) const SIDES: [Side; 2] = [Side::Base, Side::Quote];

/// Reserves and positions.
#[derive(Clone, Debug)]
pub struct Book {
    /// By side.
    pub reserves: [Reserve; 2],
    /// By address.
    pub positions: BTreeMap<Pubkey, Position>,
}

impl Book {
    /// As the chain has it.
    pub fn read(view: &View) -> Self {
        let positions = view.positions.iter();
        Self {
            reserves: SIDES.map(|side| Reserve::read(view.snapshot.reserve(side))),
            positions: positions
                .map(|context| (context.address, read(view, context)))
                .collect(),
        }
    }

    /// Books interest in a reserve and in all debts.
    pub fn accrue(&mut self, side: usize, to_secs: i64, view: &View) {
        let curve = view.snapshot.reserve(SIDES[side]).params();
        let grown = self.reserves[side].accrue(to_secs, &curve);
        for position in self.positions.values_mut() {
            position.accrue(side, &grown);
        }
    }

    /// Puts a changed position in place of the old one: what its debts have changed by went out of the reserves or came in.
    pub(super) fn put(&mut self, key: Pubkey, old: &Position, new: Position) {
        self.exchange(old, &new);
        self.positions.insert(key, new);
    }

    /// What changed debts mean for the reserves.
    pub(super) fn exchange(&mut self, old: &Position, new: &Position) {
        for (side, reserve) in self.reserves.iter_mut().enumerate() {
            let borrowed = &new.debt[side] - &old.debt[side];
            reserve.liquidity -= &borrowed;
            reserve.debt += borrowed;
            reserve.slack += &new.slack[side] + int(2);
        }
    }

    /// Where the chain's numbers are farther from these than rounding explains.
    pub fn differences(&self, view: &View) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: String, chain: Q, here: &Q, slack: Q| {
            if (&chain - here).abs() > slack {
                let (chain, here, slack) = (show(&chain), show(here), show(&slack));
                found.push(format!(
                    "{what}: {chain} on the chain, {here} exactly, +-{slack}"
                ));
            }
        };
        for (side, here) in SIDES.into_iter().zip(&self.reserves) {
            let chain = Reserve::read(view.snapshot.reserve(side));
            let of = |what| format!("{side:?} reserve's {what}");
            let slack = &here.slack + int(1);
            compare(
                of("liquidity"),
                chain.liquidity,
                &here.liquidity,
                slack.clone(),
            );
            compare(of("debt"), chain.debt, &here.debt, slack);
            let slack = &here.insurance_slack + int(1);
            compare(
                of("insurance"),
                chain.insurance,
                &here.insurance,
                slack.clone(),
            );
            compare(of("bad debt"), chain.bad_debt, &here.bad_debt, slack);
            let slack = &here.share_slack + int(1);
            compare(of("shares"), chain.shares, &here.shares, slack);
            let booked = (int(chain.accrued_at), int(here.accrued_at));
            compare(of("time"), booked.0, &booked.1, int(0));
        }
        let count = (view.positions.len(), self.positions.len());
        compare("positions".into(), int(count.0), &int(count.1), int(0));
        for context in &view.positions {
            let Some(here) = self.positions.get(&context.address) else {
                continue;
            };
            let chain = read(view, context);
            let of = |what| format!("position {}'s {what}", context.position.id);
            let slack = &here.liquidity_slack + int(1);
            compare(of("liquidity"), chain.liquidity, &here.liquidity, slack);
            for side in 0..2 {
                let of = |what| format!("{} {what}", of(["base", "quote"][side]));
                let slack = &here.slack[side] + int(1);
                compare(
                    of("idle"),
                    chain.idle[side].clone(),
                    &here.idle[side],
                    slack.clone(),
                );
                compare(
                    of("debt"),
                    chain.debt[side].clone(),
                    &here.debt[side],
                    slack,
                );
                compare(
                    of("loss shown"),
                    chain.shown[side].clone(),
                    &here.shown[side],
                    &here.shown_slack[side] + int(1),
                );
            }
        }
        found
    }
}

fn read(view: &View, context: &PositionContext) -> Position {
    let stored = &context.position;
    let shares = [stored.base_debt_shares, stored.quote_debt_shares];
    Position {
        liquidity: int(stored.liquidity.get()),
        idle: [int(stored.idle_base), int(stored.idle_quote)],
        debt: [0, 1].map(|side| owed(view.snapshot.reserve(SIDES[side]), shares[side].get())),
        shown: [int(stored.shown_loss_base), int(stored.shown_loss_quote)],
        ..Position::empty([stored.tick_lower, stored.tick_upper])
    }
}

/// The oracle's price: `pb 10^eb / (pq 10^eq)` in whole tokens, times `10^(quote decimals - base decimals)` in raw units.
pub fn oracle(view: &View) -> At {
    let snapshot = &view.snapshot;
    let (base, quote) = (&snapshot.base_price, &snapshot.quote_price);
    let power = base.exponent - quote.exponent + i32::from(snapshot.market.quote_decimals)
        - i32::from(snapshot.market.base_decimals);
    let ten = int(10).pow(power);
    At::price(int(base.price) / int(quote.price) * ten)
}
