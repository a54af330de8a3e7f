//! How many transactions may be in flight.

use crate::decide::ActionKind;

/// How many jobs there may be for one more of this kind: a quarter is kept free for what cannot wait.
pub(super) fn room(most: usize, action: ActionKind) -> usize {
    match action {
        ActionKind::Rehedge => most - most / 4,
        ActionKind::Deleverage | ActionKind::Liquidate => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rehedges_leave_room_for_what_cannot_wait_and_are_never_shut_out() {
        for (most, for_rehedges) in [(1, 1), (3, 3), (4, 3), (32, 24), (1_024, 768)] {
            assert_eq!(room(most, ActionKind::Rehedge), for_rehedges);
            for urgent in [ActionKind::Deleverage, ActionKind::Liquidate] {
                assert_eq!(room(most, urgent), most);
            }
        }
    }
}
