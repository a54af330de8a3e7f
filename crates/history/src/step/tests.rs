use ballast_model::{Tick, lending::ReserveState};
use proptest::prelude::*;

use super::*;
use crate::account::Counters;

pub(crate) const BAND: [i32; 2] = [-16_648, -15_648];

pub(crate) fn at(tick: i32) -> SqrtPrice {
    Tick::new(tick).unwrap().sqrt_price()
}

/// A reserve whose debts have grown by so many millionths.
pub(crate) fn reserve(grown_ppm: u64) -> ReserveState {
    let one = 1u128 << 64;
    ReserveState {
        borrow_index_x64: one + one / 1_000_000 * u128::from(grown_ppm),
        ..ReserveState::new(0)
    }
}

pub(crate) fn moment(slot: u64, tick: i32, grown_ppm: u64) -> Moment {
    Moment {
        secs: 1_000 + slot as i64,
        slot,
        price: at(tick),
        reserves: [reserve(grown_ppm), reserve(2 * grown_ppm)],
    }
}

/// Debt shares of an amount at index 1.
pub(crate) fn shares(amount: u64) -> u128 {
    u128::from(amount) << 32
}

pub(crate) fn account() -> Account {
    Account {
        ticks: BAND,
        liquidity: 27_000_000_000,
        idle: [5, 7],
        shares: [shares(730_000_000), shares(54_000_000)],
        counters: Counters::default(),
    }
}

pub(crate) fn seen(now: &Moment, account: &Account, fees: [u64; 2]) -> Seen {
    let model = account.model(&now.reserves).unwrap();
    Seen {
        secs: now.secs,
        slot: now.slot,
        price_x64: now.price.x64(),
        account: *account,
        debt: pair(model.debt),
        fees,
    }
}

/// That the five are the change of equity without the owner's flows and with what was paid outside, to the unit.
fn adds_up(before: &Seen, done: &Step) {
    let change = done.seen.equity().unwrap() - before.equity().unwrap();
    assert_eq!(
        done.gain.total().unwrap(),
        change - done.flow + done.outside
    );
}

fn accounts() -> impl Strategy<Value = Account> {
    let amount = 0u64..1 << 40;
    let counters = (
        [amount.clone(), amount.clone()],
        [amount.clone(), amount.clone()],
        (0u64..1 << 30, 0u64..1 << 30, 0u64..3),
    );
    (
        (-20_000i32..-16_100, -16_000i32..-12_000),
        0u128..1 << 60,
        [amount.clone(), amount.clone()],
        [0u128..1 << 70, 0u128..1 << 70],
        counters,
    )
        .prop_map(
            |(ticks, liquidity, idle, shares, (brought, paid_out, (loss, bonus, fees)))| Account {
                ticks: [ticks.0, ticks.1],
                liquidity,
                idle,
                shares,
                counters: Counters {
                    brought,
                    paid_out,
                    swap_loss: loss,
                    liquidation_bonus: bonus,
                    fee_actions: fees,
                    last_reward_secs: 0,
                },
            },
        )
}

fn fees() -> impl Strategy<Value = Option<Amounts>> {
    proptest::option::of((0u64..1 << 36, 0u64..1 << 36).prop_map(|(b, q)| Amounts::new(b, q)))
}

proptest! {
    #[test]
    fn the_five_add_up_whatever_happens(
        before in accounts(),
        after in proptest::option::of(accounts()),
        from in -30_000i32..0,
        by in -30_000i32..0,
        to in -30_000i32..0,
        known in any::<bool>(),
        waited in (0u64..1 << 36, 0u64..1 << 36),
        paid in fees(),
        waiting in fees(),
        grown in (0u64..1_000, 0u64..1_000),
        outside in 0u128..1 << 60,
    ) {
        let first = seen(&moment(1, from, grown.0), &before, [waited.0, waited.1]);
        let happened = Happened {
            at: known.then(|| at(by)),
            fees_paid: paid,
            fees_waiting: waiting,
            outside_costs: outside,
        };
        let now = moment(2, to, grown.0 + grown.1);
        let done = step(&first, &now, &after.unwrap_or(before), &happened).unwrap();
        adds_up(&first, &done);
        // What nobody did has no flow.
        if after.is_none() {
            prop_assert_eq!(done.flow, 0);
            prop_assert!(!done.acted);
            prop_assert_eq!(done.gain.costs, -i128::try_from(outside).unwrap());
        }
    }
}

#[test]
fn a_quiet_step_knows_each_cause() {
    let held = account();
    let before = seen(&moment(1, -16_094, 0), &held, [1_000, 2]);
    let waiting = Amounts::new(40_000, 9_000);
    let happened = Happened {
        fees_waiting: Some(waiting),
        ..Happened::default()
    };
    let now = moment(2, -15_900, 100);
    let done = step(&before, &now, &held, &happened).unwrap();
    adds_up(&before, &done);
    let gain = done.gain;
    // Debts grew by 100 and 200 ppm: 73,000 base and 10,800 quote.
    let interest = worth(Amounts::new(73_000, 10_800), now.price).unwrap();
    assert!((gain.interest + interest).abs() <= 3, "{gain:?}");
    let fees = worth(Amounts::new(39_000, 8_998), now.price).unwrap();
    assert!((gain.fees - fees).abs() <= 2, "{gain:?}");
    assert!(gain.curvature < -1_000, "{gain:?}");
    // It is short of base there, and the price rose.
    let whole = before.whole().unwrap();
    let moved = whole.moved(at(-16_094), now.price).unwrap();
    assert_eq!((gain.drift, gain.curvature), (moved.drift, moved.curvature));
    assert_eq!(gain.costs, 0);
}

#[test]
fn a_deposit_and_a_withdrawal_are_no_gain() {
    let mut held = account();
    held.counters.brought = [1_000, 2_000];
    let tick = -16_094;
    let before = seen(&moment(1, tick, 0), &held, [0, 0]);
    let mut more = held;
    more.idle = [held.idle[0] + 500, held.idle[1] + 700];
    more.counters.brought = [1_500, 2_700];
    let done = step(&before, &moment(2, tick, 0), &more, &Happened::default()).unwrap();
    adds_up(&before, &done);
    assert_eq!(done.flow, worth(Amounts::new(500, 700), at(tick)).unwrap());
    assert!(done.gain.total().unwrap().abs() <= 1, "{done:?}");

    let mut less = more;
    less.idle = held.idle;
    less.counters.paid_out = [500, 700];
    let out = step(&done.seen, &moment(3, tick, 0), &less, &Happened::default()).unwrap();
    adds_up(&done.seen, &out);
    assert_eq!(out.flow, -done.flow);
    assert!(out.gain.total().unwrap().abs() <= 1, "{out:?}");
    assert_eq!(out.gain.fees, 0);
}

#[test]
fn fees_are_earned_when_they_are_found_and_not_when_they_are_collected() {
    let held = account();
    let tick = -16_094;
    let before = seen(&moment(1, tick, 0), &held, [0, 0]);
    let found = Happened {
        fees_waiting: Some(Amounts::new(300, 400)),
        ..Happened::default()
    };
    let done = step(&before, &moment(2, tick, 0), &held, &found).unwrap();
    let earned = worth(Amounts::new(300, 400), at(tick)).unwrap();
    assert!((done.gain.fees - earned).abs() <= 1);
    // The owner collects them, and a few that nobody had seen.
    let mut collected = held;
    collected.counters.paid_out = [310, 420];
    let out = step(
        &done.seen,
        &moment(3, tick, 0),
        &collected,
        &Happened::default(),
    )
    .unwrap();
    adds_up(&done.seen, &out);
    assert_eq!(out.flow, -worth(Amounts::new(310, 420), at(tick)).unwrap());
    let unseen = worth(Amounts::new(10, 20), at(tick)).unwrap();
    assert!((out.gain.fees - unseen).abs() <= 2, "{out:?}");
    assert_eq!(out.seen.fees, [0, 0]);
    assert_eq!(out.gain.drift, 0);
}

#[test]
fn compounded_fees_are_fees_and_the_swap_loss_is_a_cost() {
    let held = account();
    let tick = -16_094;
    let before = seen(&moment(1, tick, 0), &held, [300, 400]);
    let mut compounded = held;
    compounded.idle = [held.idle[0] + 350, held.idle[1] + 480];
    compounded.counters.fee_actions = 1;
    compounded.counters.swap_loss = 20;
    // With what the program's event says, and without.
    for fees_paid in [Some(Amounts::new(350, 500)), None] {
        let happened = Happened {
            fees_paid,
            ..Happened::default()
        };
        let done = step(&before, &moment(2, tick, 0), &compounded, &happened).unwrap();
        adds_up(&before, &done);
        assert_eq!(done.gain.costs, -20);
        let earned = worth(Amounts::new(50, 100), at(tick)).unwrap();
        assert!((done.gain.fees - earned).abs() <= 2, "{done:?}");
        assert!(done.gain.drift.abs() <= 2, "{done:?}");
    }
}

#[test]
fn a_rehedge_between_two_sights_is_valued_at_its_own_price() {
    // It is short by much; a keeper buys a third of a token at a price between the two that were seen.
    let held = account();
    let (from, by, to) = (-16_094, -16_000, -15_900);
    let before = seen(&moment(1, from, 0), &held, [0, 0]);
    let base = 100_000_000u64;
    let loss = 5_000;
    let paid = worth(Amounts::new(base, 0), at(by)).unwrap() as u64 + loss;
    let mut hedged = held;
    hedged.shares = [shares(630_000_000), shares(54_000_000 + paid)];
    hedged.counters.swap_loss = loss;
    let now = moment(2, to, 0);
    let exact = Happened {
        at: Some(at(by)),
        ..Happened::default()
    };
    let done = step(&before, &now, &hedged, &exact).unwrap();
    adds_up(&before, &done);
    assert_eq!(done.gain.costs, -i128::from(loss));
    assert!(done.gain.fees == 0 && done.gain.interest == 0);
    let first = before.whole().unwrap().moved(at(from), at(by)).unwrap();
    let later = hedged
        .model(&now.reserves)
        .unwrap()
        .moved(at(by), at(to))
        .unwrap();
    assert!((done.gain.drift - first.drift - later.drift).abs() <= 3);
    // Without its price the same total, the same costs; the difference is in drift.
    let rough = step(&before, &now, &hedged, &Happened::default()).unwrap();
    adds_up(&before, &rough);
    assert_eq!(rough.gain.total(), done.gain.total());
    assert_eq!(rough.gain.costs, done.gain.costs);
    assert_ne!(rough.gain.drift, done.gain.drift);
}

#[test]
fn what_lies_before_what_is_known_is_refused() {
    let held = account();
    let before = seen(&moment(5, -16_094, 0), &held, [0, 0]);
    let error = step(&before, &moment(4, -16_094, 0), &held, &Happened::default());
    assert_eq!(
        error.unwrap_err(),
        AttributionError::Older { slot: 4, known: 5 }
    );
}
