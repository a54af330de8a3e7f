use super::*;
use crate::{
    account::Moment,
    ledger::Sight,
    record::Origin,
    step::tests::{account, at, moment},
    store::Batch,
    track::Opening,
};

const TICK: i32 = -16_094;

/// A market of one position, or of none.
struct Stage {
    ledger: Ledger,
    aftermath: Aftermath,
}

impl Stage {
    fn new() -> Self {
        Self {
            ledger: Ledger::default(),
            aftermath: Aftermath::default(),
        }
    }

    /// A frame of that slot, with the position as it was read in another.
    fn see(&mut self, slot: u64, read: Option<(u64, Account)>) -> Vec<ActionRow> {
        let sight = |(slot, account)| Sight {
            address: "a".into(),
            number: 7,
            opening: Opening {
                secs: 500,
                price: at(TICK),
                equity: 40_000_000,
            },
            account,
            slot,
            hedge: Bps::ONE,
            fees_waiting: None,
            reward_lamports: 0,
        };
        let frame = Frame {
            market: "m".into(),
            moment: Moment {
                secs: 1_000 + slot as i64,
                ..moment(slot, TICK, slot)
            },
            base_is_native: true,
            decimals: [9, 6],
            complete: true,
            sights: read.map(sight).into_iter().collect(),
        };
        self.aftermath.before(&frame, &self.ledger);
        let troubles = self.ledger.take_in(&frame, &mut Batch::default());
        assert_eq!(troubles, [""; 0]);
        self.aftermath.after(&frame, &self.ledger);
        self.aftermath.done()
    }

    fn equity(&self) -> i128 {
        let seen = self.ledger.get("a").unwrap().track.seen;
        seen.figures(Bps::ONE).unwrap().equity
    }
}

/// After a swap that has lost so much.
fn swapped(lost: u64) -> Account {
    let mut account = account();
    account.idle[1] -= 1;
    account.idle[0] += lost;
    account.counters.swap_loss = lost;
    account
}

fn row(slot: u64, cost: Option<i128>) -> ActionRow {
    ActionRow {
        key: format!("s{slot}:a"),
        intent: Some(1),
        secs: 1_000 + slot as i64,
        position: "a".into(),
        number: None,
        action: "rehedge".into(),
        reason: None,
        price_x64: None,
        outcome: "landed".into(),
        error: None,
        signature: Some(format!("s{slot}")),
        slot: Some(slot),
        cost,
        by: None,
        before: None,
        after: None,
        origin: Origin::Journal,
    }
}

#[test]
fn an_action_is_told_before_and_after_whenever_its_outcome_is_known() {
    for late in [false, true] {
        let mut stage = Stage::new();
        stage.see(10, Some((10, account())));
        stage.see(20, Some((19, account())));
        let before = stage.equity();
        if !late {
            stage.aftermath.wait(row(21, Some(-5)), Cost::WithoutSwaps);
            // Nobody has looked since.
            assert_eq!(stage.see(20, Some((20, account()))), []);
        }
        let mut done = stage.see(24, Some((24, swapped(70))));
        let after = stage.equity();
        if late {
            // Meanwhile the position has changed again.
            stage.see(40, Some((40, swapped(90))));
            stage.aftermath.wait(row(21, Some(-5)), Cost::WithoutSwaps);
            done = stage.see(41, Some((41, swapped(90))));
        }
        let [done] = done.try_into().unwrap();
        assert_ne!(before, after);
        assert_eq!(done.before.unwrap().equity, before, "{late}");
        assert_eq!(done.after.unwrap().equity, after, "{late}");
        assert_eq!(done.cost, Some(-75), "{late}");
    }
}

#[test]
fn a_known_cost_stays_and_two_actions_at_once_share_none() {
    let mut stage = Stage::new();
    stage.see(10, Some((10, account())));
    stage.aftermath.wait(row(11, None), Cost::WithoutSwaps);
    stage.aftermath.wait(row(12, Some(-9)), Cost::Whole);
    stage.aftermath.wait(row(13, None), Cost::WithoutSwaps);
    let done = stage.see(14, Some((14, swapped(70))));
    let costs: Vec<_> = done.iter().map(|row| row.cost).collect();
    assert_eq!(costs, [Some(-70), Some(-9), None]);
}

#[test]
fn what_was_done_before_the_first_sight_or_changed_nothing_is_not_told() {
    let mut stage = Stage::new();
    stage.see(10, Some((10, account())));
    stage.aftermath.wait(row(9, None), Cost::WithoutSwaps);
    assert_eq!(stage.see(11, Some((11, account()))), []);
    // Seen as it was, after the action.
    stage.aftermath.wait(row(12, None), Cost::WithoutSwaps);
    assert_eq!(stage.see(13, Some((13, account()))), []);
    assert_eq!(stage.see(14, Some((14, swapped(1)))), []);
    assert_eq!(stage.aftermath.waiting, []);
}

#[test]
fn an_older_answer_changes_nothing() {
    let mut stage = Stage::new();
    stage.see(10, Some((10, account())));
    stage.see(20, Some((20, swapped(70))));
    stage.see(21, Some((12, account())));
    stage.see(200, Some((30, swapped(70))));
    let changes = stage.aftermath.unexplained();
    assert_eq!(changes.len(), 1);
}

#[test]
fn what_nobody_has_told_of_is_asked_for_once() {
    let mut stage = Stage::new();
    stage.see(10, Some((10, account())));
    stage.see(15, Some((13, account())));
    stage.see(20, Some((18, swapped(70))));
    assert_eq!(stage.aftermath.unexplained(), []);
    stage.see(120, Some((100, swapped(70))));
    let change = |after_slot, to_slot| Unexplained {
        position: "a".into(),
        after_slot,
        to_slot,
    };
    assert_eq!(stage.aftermath.unexplained(), [change(13, 18)]);
    assert_eq!(stage.aftermath.unexplained(), []);
    // The keeper's own action is explained, a closing is not.
    stage.see(130, Some((130, swapped(80))));
    stage.aftermath.wait(row(125, None), Cost::WithoutSwaps);
    assert_eq!(stage.see(131, Some((131, swapped(80)))).len(), 1);
    stage.see(140, None);
    stage.see(250, None);
    assert_eq!(stage.aftermath.unexplained(), [change(131, 140)]);
    // What is told of it then has no figures afterwards.
    stage.aftermath.wait(row(135, Some(-1)), Cost::Whole);
    let [closed] = stage.see(251, None).try_into().unwrap();
    assert!(closed.before.is_some() && closed.after.is_none());
}
