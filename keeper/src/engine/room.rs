//! How many transactions may be in flight.

use ballast_strategy::decide::ActionKind;

/// How many jobs there may be for one more of this kind: a quarter, and at least one, is kept free for what cannot wait. With a single one
/// there is nothing to keep.
pub(super) fn room(most: usize, action: ActionKind) -> usize {
    if action.protects() {
        most
    } else {
        most.saturating_sub(most.div_ceil(4)).max(most.min(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rehedges_leave_room_for_what_cannot_wait_and_are_never_shut_out() {
        for (most, for_rehedges) in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3), (32, 24), (1_024, 768)] {
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
