//! How many transactions may be in flight.

use ballast_strategy::decide::ActionKind;

/// How many jobs there may be for one more of this kind: a quarter, and at least one, is kept free for what cannot wait, and half of that
/// for what takes debt or exposure away, because after a gap there may be a loss of every position to show. With a single one there is
/// nothing to keep.
pub(super) fn room(most: usize, action: ActionKind) -> usize {
    let kept = match action {
        action if action >= ActionKind::Exit => 0,
        action if action.protects() => most.div_ceil(8),
        _ => most.div_ceil(4),
    };
    most.saturating_sub(kept).max(most.min(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_wait_leaves_room_for_what_cannot_and_is_never_shut_out() {
        for (most, for_rehedges, for_shows) in [
            (1, 1, 1),
            (2, 1, 1),
            (3, 2, 2),
            (4, 3, 3),
            (5, 3, 4),
            (32, 24, 28),
            (1_024, 768, 896),
        ] {
            use ActionKind::{
                Compound, Deleverage, DeleverageSwap, Exit, Liquidate, Recenter, RefreshPrice,
                RefreshStage, Rehedge,
            };
            for patient in [Compound, Recenter, Rehedge] {
                assert_eq!(room(most, patient), for_rehedges);
            }
            for shows in [RefreshPrice, RefreshStage] {
                assert_eq!(room(most, shows), for_shows);
            }
            for urgent in [Exit, Deleverage, DeleverageSwap, Liquidate] {
                assert_eq!(room(most, urgent), most);
            }
        }
    }
}
