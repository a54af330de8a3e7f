//! What the keeper does not do now with a position, and what it has not given up yet.

use std::collections::HashMap;

use ballast_strategy::decide::{ActionKind, Kinds};
use solana_sdk::pubkey::Pubkey;

use crate::execute::Executor;

/// How often in a row something is refused before a liquidation takes its place: some seconds, in which a pool that somebody
/// pushed comes back and a newer price is at hand.
const TRIES: u32 = 4;

/// How often each kind of action was refused for a position.
pub(super) type Refusals = HashMap<(Pubkey, ActionKind), u32>;

/// See the module's description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Withheld {
    /// What a simulation or the chain has refused lately.
    pub refused: Kinds,
    /// What of it is tried again before a liquidation takes its place.
    pub retried: Kinds,
    /// What the keeper may not do.
    pub forbidden: Kinds,
}

impl Withheld {
    /// Of one position.
    pub fn of(
        position: &Pubkey,
        refused: &HashMap<Pubkey, Kinds>,
        refusals: &Refusals,
        executor: &Executor,
    ) -> Self {
        let refused = refused.get(position).copied().unwrap_or_default();
        Self {
            refused,
            retried: retried(position, refused, refusals),
            forbidden: executor.control.forbidden(position),
        }
    }
}

fn retried(position: &Pubkey, refused: Kinds, refusals: &Refusals) -> Kinds {
    let few = |kind: &ActionKind| {
        let times = refusals.get(&(*position, *kind)).copied();
        refused.contains(*kind) && times.unwrap_or_default() < TRIES
    };
    ActionKind::ALL
        .into_iter()
        .filter(few)
        .fold(Kinds::NONE, Kinds::with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_a_few_times_only_is_not_given_up() {
        let position = Pubkey::new_from_array([1; 32]);
        let (swaps, exits) = (ActionKind::DeleverageSwap, ActionKind::Exit);
        let refused = Kinds::NONE.with(swaps);
        for times in 1..=TRIES + 1 {
            let refusals = Refusals::from([((position, swaps), times), ((position, exits), times)]);
            let retried = retried(&position, refused, &refusals);
            assert_eq!(retried.contains(swaps), times < TRIES, "{times}");
            // What is not among the refused is not refused any more.
            assert!(!retried.contains(exits));
        }
    }
}
