use ballast_flags::Flag;
use ballast_strategy::decide::ActionKind;
use ballast_venue::{hedge::journal::Origin, instrument::Side};
use rust_decimal::Decimal;
use solana_sdk::signature::Signature;

use super::*;
use crate::{
    Mode,
    hedge::{HedgeEvent, event::TroubleKind},
};

const A: Pubkey = Pubkey::new_from_array([1; 32]);
const B: Pubkey = Pubkey::new_from_array([2; 32]);

fn teller() -> Teller {
    Teller::new(Pubkey::new_from_array([9; 32]), 3)
}

fn resolved(position: Pubkey, outcome: Outcome) -> KeeperEvent {
    KeeperEvent::Resolved {
        position,
        action: ActionKind::Rehedge,
        reason: String::new(),
        signature: Signature::default(),
        outcome,
    }
}

fn flag(raised: bool) -> KeeperEvent {
    KeeperEvent::RedFlag {
        flag: Flag::StreamLag,
        raised,
        value: "12 s".into(),
        threshold: "10 s".into(),
        note: "Why.".into(),
    }
}

#[test]
fn what_a_person_should_know_is_told_and_the_rest_is_not() {
    let mut teller = teller();
    let mode = |mode| KeeperEvent::ModeChanged {
        mode,
        reason: "two flags".into(),
    };
    let others = |by| {
        KeeperEvent::Hedge(HedgeEvent::OthersTrade {
            coin: "SOL".into(),
            by,
            side: Side::Buy,
            size: Decimal::new(25, 1),
            price: 203.into(),
        })
    };
    let trouble = |kind| {
        KeeperEvent::Hedge(HedgeEvent::Trouble {
            coin: "SOL".into(),
            kind,
            reason: "why".into(),
        })
    };
    let halted = KeeperEvent::Halted {
        reason: "no disk".into(),
    };
    let near = KeeperEvent::BoundaryNear {
        market: A,
        position: B,
        positions: 2,
        within_sigma_days_bps: 10_000,
        ltv_bps: 8_123,
    };
    let gap = |short| KeeperEvent::Contingency {
        market: A,
        short,
        gap_bps: 1_050,
        base: ["2.5", "1.0"].map(String::from),
        quote: ["7", "9"].map(String::from),
    };
    for (event, kind, severity, says) in [
        (
            gap(true),
            "contingency_short",
            Severity::Warning,
            "gap of 10.50 % 2.5 base and 7 quote would be needed, kept are 1.0 and 9",
        ),
        (gap(false), "contingency_enough", Severity::Info, "again"),
        (
            flag(true),
            "flag_raised",
            Severity::Warning,
            "stream_lag: 12 s, limit 10 s. Why.",
        ),
        (flag(false), "flag_cleared", Severity::Info, "quiet again"),
        (
            mode(Mode::Reducing),
            "mode",
            Severity::Critical,
            "mode is reducing now: two flags",
        ),
        (mode(Mode::Halted), "mode", Severity::Critical, "halted"),
        (mode(Mode::Active), "mode", Severity::Info, "active"),
        (halted, "halted", Severity::Critical, "no disk"),
        (
            others(Origin::Deleveraging),
            "hedge_others_trade",
            Severity::Critical,
            "deleveraged the hedge: Buy 2.5 SOL at 203",
        ),
        (
            others(Origin::Foreign),
            "hedge_others_trade",
            Severity::Warning,
            "somebody else",
        ),
        (
            trouble(TroubleKind::Disagrees),
            "hedge_trouble",
            Severity::Critical,
            "hedge of SOL: why",
        ),
        (
            trouble(TroubleKind::Venue),
            "hedge_trouble",
            Severity::Warning,
            "why",
        ),
        (near, "boundary_near", Severity::Critical, "81.23 %"),
    ] {
        let message = teller.hear(&event, 100).unwrap();
        assert_eq!((message.kind, message.severity), (kind, severity));
        assert!(message.text.contains(says), "{}", message.text);
        assert_eq!(message.data, serde_json::to_value(&event).unwrap());
    }
    for event in [
        KeeperEvent::Stopped,
        KeeperEvent::Warning {
            message: "it rains".into(),
        },
    ] {
        assert_eq!(teller.hear(&event, 100), None);
    }
}

#[test]
fn failures_are_told_once_when_they_are_enough_in_a_row_and_their_end_as_well() {
    let mut teller = teller();
    let fails = Outcome::Failed {
        slot: 1,
        error: "no liquidity".into(),
    };
    let expires = Outcome::Expired { block_height: 1 };
    let works = Outcome::Landed { slot: 1 };
    let mut kinds = |position, outcome: &Outcome| {
        let message = teller.hear(&resolved(position, outcome.clone()), 5);
        message.map(|message| message.kind)
    };
    assert_eq!(kinds(A, &fails), None);
    assert_eq!(kinds(B, &fails), None);
    assert_eq!(kinds(A, &works), None);
    assert_eq!(kinds(A, &fails), None);
    assert_eq!(kinds(A, &expires), None);
    assert_eq!(kinds(B, &fails), None);
    assert_eq!(kinds(A, &fails), Some("actions_fail"));
    assert_eq!(kinds(A, &fails), None);
    assert_eq!(kinds(A, &works), Some("actions_work_again"));
    assert_eq!(kinds(A, &works), None);
    let refused = KeeperEvent::Refused {
        position: B,
        action: ActionKind::Compound,
        error: "too dear".into(),
    };
    let message = teller.hear(&refused, 5).unwrap();
    assert!(
        message.text.contains("compound: too dear"),
        "{}",
        message.text
    );
}

#[test]
fn every_message_has_a_number_of_its_own() {
    let mut teller = teller();
    let first = teller.hear(&flag(true), 50).unwrap();
    let second = teller.missed(7, 60);
    assert!(first.id.ends_with("-50-1") && second.id.ends_with("-50-2"));
    assert_eq!(second.secs, 60);
    assert!(second.text.contains("7 events"));
}
