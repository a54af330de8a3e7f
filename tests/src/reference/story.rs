//! One step as it is followed: what was asked for, what came of it, and what was wrong about it.

use ballast_client::{Position as Stored, Pubkey};
use num_traits::Signed;

use super::{
    exact::{Q, int, show},
    judge::health,
    position::{At, Position},
};
use crate::game::{Played, Step, View};

/// One step as it is followed.
pub struct Story<'a> {
    /// What was asked for.
    pub step: &'a Step,
    /// What came of it.
    pub played: &'a Played,
    /// The accounts before it.
    pub before: &'a View,
    /// The accounts after it.
    pub after: &'a View,
    /// The oracle's price.
    pub oracle: At,
    /// What the chain did otherwise than the book.
    pub wrong: Vec<String>,
}

impl Story<'_> {
    /// The chain's number must be the book's but for rounding.
    pub fn same(&mut self, what: &str, chain: impl Into<Q>, here: &Q, slack: &Q) {
        let chain = chain.into();
        if (&chain - here).abs() > *slack {
            let (chain, here, slack) = (show(&chain), show(here), show(slack));
            self.wrong.push(format!(
                "{what}: {chain} on the chain, {here} exactly, +-{slack}"
            ));
        }
    }

    /// What was done must have been allowed. `None`: too close to say.
    pub fn allowed(&mut self, what: &str, holds: Option<bool>) {
        if holds == Some(false) {
            self.wrong.push(format!("{what} does not hold"));
        }
    }

    /// The pool's price before the step.
    pub fn pool_before(&self) -> At {
        At::root_x64(self.before.snapshot.pool.sqrt_price.x64())
    }

    /// The pool's price after the step.
    pub fn pool_after(&self) -> At {
        At::root_x64(self.after.snapshot.pool.sqrt_price.x64())
    }

    /// By how much the pool's vaults have grown.
    pub fn moved_into_pool(&self) -> [Q; 2] {
        [0, 1].map(|side| int(self.after.pool_vaults[side]) - int(self.before.pool_vaults[side]))
    }

    /// The position's record after the step.
    pub fn stored(&self, key: &Pubkey) -> Stored {
        let mut positions = self.after.positions.iter();
        let context = positions.find(|context| context.address == *key);
        context.expect("an open position").position
    }

    /// What must hold after new risk.
    pub fn healthy(&mut self, position: &Position) {
        let pool = self.pool_after();
        for (rule, broken) in health(position, &self.oracle, &pool, self.before) {
            self.allowed(&format!("{rule:?} after new risk"), broken.map(|it| !it));
        }
    }
}
