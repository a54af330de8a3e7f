//! How many transactions may be in flight.

use ballast_strategy::decide::ActionKind;

/// How many jobs there may be for one more of this kind: a quarter is kept free for what cannot wait.
pub(super) fn room(most: usize, action: ActionKind) -> usize {
    if action.protects() {
        most
    } else {
        most - most / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rehedges_leave_room_for_what_cannot_wait_and_are_never_shut_out() {
        for (most, for_rehedges) in [(1, 1), (3, 3), (4, 3), (32, 24), (1_024, 768)] {
            use ActionKind::{
                Compound, Deleverage, DeleverageSwap, Exit, Liquidate, Recenter, RefreshPrice,
                RefreshStage, Rehedge,
            };
            for patient in [Compound, Recenter, Rehedge] {
                assert_eq!(room(most, patient), for_rehedges);
            }
            for urgent in [
                RefreshPrice,
                RefreshStage,
                Exit,
                Deleverage,
                DeleverageSwap,
                Liquidate,
            ] {
                assert_eq!(room(most, urgent), most);
            }
        }
    }
}
