//! What a keeper may not do now, and what has just been refused.

use super::{automation, margin::only_liquidation_is_left, *};
use crate::kinds::Kinds;
use ballast::state::Reaction;

fn only(kind: ActionKind) -> Kinds {
    Kinds::NONE.with(kind)
}

#[test]
fn what_a_keeper_may_not_do_is_still_due_and_said() {
    let forbidding = |dollars, kind, fees| {
        let decision = automation::decision(dollars, |_, _, o| {
            o.outlook.forbidden = only(kind);
            o.outlook.fees = fees;
        });
        decision.blocks().collect::<Vec<_>>()
    };
    let fees = Some(Amounts::new(0, 2_000_000));
    for (dollars, kind, fees) in [
        (200, ActionKind::Compound, fees),
        (205, ActionKind::Rehedge, None),
    ] {
        assert_eq!(
            forbidding(dollars, kind, fees),
            [(kind, Obstacle::Forbidden)]
        );
        // Another kind is none of its business.
        assert_eq!(forbidding(dollars, ActionKind::Exit, fees), []);
    }

    let liquidates = |kind| {
        decision(270, |m, p, o| {
            only_liquidation_is_left(m, p);
            o.funds = MUCH;
            o.outlook.forbidden = only(kind);
        })
    };
    assert_eq!(
        blocked(liquidates(ActionKind::Liquidate), ActionKind::Liquidate),
        Obstacle::Forbidden
    );
    automation::is(liquidates(ActionKind::Exit), ActionKind::Liquidate);
}

#[test]
fn who_is_to_leave_gets_no_new_band_while_the_exit_is_refused() {
    let at = |leaves: bool, refused| {
        automation::decision(216, |_, p, o| {
            if leaves {
                p.automation = automation::window(Reaction::ExitAsIs);
            }
            o.outlook.refused = refused;
        })
    };
    automation::is(at(true, Kinds::NONE), ActionKind::Exit);
    automation::is(at(true, only(ActionKind::Exit)), ActionKind::Rehedge);
    automation::is(at(false, only(ActionKind::Exit)), ActionKind::Recenter);
    // Nothing else is left: then it is tried again, where an exit or a new band is not.
    let both = only(ActionKind::Exit).with(ActionKind::Rehedge);
    automation::is(at(true, both), ActionKind::Rehedge);
}

#[test]
fn of_what_waits_for_a_price_a_new_band_is_none_where_the_owner_is_to_leave() {
    let waiting = |leaves: bool| {
        let decision = automation::decision(216, |m, p, _| {
            if leaves {
                p.automation = automation::window(Reaction::ExitIntoQuote);
            }
            m.base_price.publish_time = NOW - 121;
        });
        let kinds = decision.blocks().map(|(kind, _)| kind);
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(waiting(true), [ActionKind::Exit, ActionKind::Rehedge]);
    assert_eq!(waiting(false), [ActionKind::Recenter, ActionKind::Rehedge]);
}

#[test]
fn fees_wait_for_an_exit() {
    let at = |forbidden| {
        automation::decision(200, |_, p, o| {
            p.automation.min_equity = 100_000_001;
            p.automation.at_floor = Reaction::ExitAsIs as u8;
            // Less than what the floor would need to count as kept.
            o.outlook.fees = Some(Amounts::new(0, 1_000_000));
            o.outlook.forbidden = forbidden;
        })
    };
    automation::is(at(Kinds::NONE), ActionKind::Exit);
    let waits = at(only(ActionKind::Exit));
    assert_eq!(
        waits.blocks().collect::<Vec<_>>(),
        [(ActionKind::Exit, Obstacle::Forbidden)]
    );
}
