//! What is said of an event, if anything.

use std::collections::HashMap;

use ballast_venue::hedge::journal::Origin;
use serde::Serialize;
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;

use crate::{event::KeeperEvent, hedge::HedgeEvent, journal::Outcome};

/// How much of a hurry there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it today.
    Warning,
    /// Look at it now.
    Critical,
}

/// What is posted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// The same for every attempt to deliver it, and for no other message.
    pub id: String,
    /// When, Unix seconds.
    pub secs: i64,
    /// Which keeper.
    pub keeper: String,
    /// What kind of event.
    pub kind: &'static str,
    /// How much of a hurry there is.
    pub severity: Severity,
    /// One line for people; chat services show it.
    pub text: String,
    /// The event.
    pub data: Value,
}

/// Failures of a position's actions in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    told: bool,
}

/// Remembers what it has told, so that nothing is told twice.
#[derive(Debug)]
pub struct Teller {
    keeper: Pubkey,
    failures_in_row: u32,
    failures: HashMap<Pubkey, Failures>,
    /// When it began: numbers begin anew with every run.
    began_secs: Option<i64>,
    number: u64,
}

impl Teller {
    /// Of a keeper.
    pub fn new(keeper: Pubkey, failures_in_row: u32) -> Self {
        Self {
            keeper,
            failures_in_row,
            failures: HashMap::new(),
            began_secs: None,
            number: 0,
        }
    }

    /// What to tell of an event.
    pub fn hear(&mut self, event: &KeeperEvent, now_secs: i64) -> Option<Message> {
        use KeeperEvent as E;
        let (kind, severity, text) = match event {
            E::RedFlag {
                flag,
                raised: true,
                value,
                threshold,
                note,
            } => (
                "flag_raised",
                Severity::Warning,
                format!(
                    "red flag {}: {value}, limit {threshold}. {note}",
                    flag.name()
                ),
            ),
            E::RedFlag { flag, value, .. } => (
                "flag_cleared",
                Severity::Info,
                format!("red flag {} is quiet again: {value}", flag.name()),
            ),
            E::ModeChanged { mode, reason } => {
                let severity = if mode.sends() && *mode != crate::Mode::Reducing {
                    Severity::Info
                } else {
                    Severity::Critical
                };
                ("mode", severity, format!("mode is {mode} now: {reason}"))
            }
            E::Halted { reason } => (
                "halted",
                Severity::Critical,
                format!("the keeper has stopped and looks after nothing: {reason}"),
            ),
            E::BoundaryNear {
                position,
                positions,
                ltv_bps,
                ..
            } => (
                "boundary_near",
                Severity::Critical,
                format!(
                    "{positions} more positions are near liquidation; the highest LTV of them is {}.{:02} %, of {position}",
                    ltv_bps / 100,
                    ltv_bps % 100
                ),
            ),
            E::Contingency {
                short: true,
                gap_bps,
                base: [needed_base, kept_base],
                quote: [needed_quote, kept_quote],
                ..
            } => (
                "contingency_short",
                Severity::Warning,
                format!(
                    "after a gap of {}.{:02} % {needed_base} base and {needed_quote} quote would be needed, kept are \
                     {kept_base} and {kept_quote}",
                    gap_bps / 100,
                    gap_bps % 100
                ),
            ),
            E::Contingency { .. } => (
                "contingency_enough",
                Severity::Info,
                "enough is kept for a gap again".into(),
            ),
            E::Resolved {
                position,
                action,
                outcome,
                ..
            } => match outcome {
                Outcome::Landed { .. } | Outcome::Raced { .. } => {
                    let failed = self.failures.remove(position)?;
                    if !failed.told {
                        return None;
                    }
                    (
                        "actions_work_again",
                        Severity::Info,
                        format!(
                            "{action} of {position} worked, after {} failures",
                            failed.count
                        ),
                    )
                }
                Outcome::Failed { error, .. } | Outcome::Dropped { error, .. } => {
                    self.failed(*position, &action.to_string(), error)?
                }
                Outcome::Expired { .. } => {
                    self.failed(*position, &action.to_string(), "it was in no block in time")?
                }
            },
            E::Refused {
                position,
                action,
                error,
            } => self.failed(*position, &action.to_string(), error)?,
            E::Hedge(event) => hedge(event)?,
            _ => return None,
        };
        let data = serde_json::to_value(event).unwrap_or(Value::Null);
        Some(self.message(kind, severity, text, data, now_secs))
    }

    /// Events that came too fast to be heard.
    pub fn missed(&mut self, events: u64, now_secs: i64) -> Message {
        let text = format!("{events} events came too fast to be looked at; see the log");
        let data = json!({ "events": events });
        self.message("missed", Severity::Warning, text, data, now_secs)
    }

    fn failed(
        &mut self,
        position: Pubkey,
        action: &str,
        error: &str,
    ) -> Option<(&'static str, Severity, String)> {
        let failures = self.failures.entry(position).or_default();
        failures.count = failures.count.saturating_add(1);
        if failures.told || failures.count < self.failures_in_row {
            return None;
        }
        failures.told = true;
        let text = format!(
            "actions of {position} failed {} times in a row; the last, {action}: {error}",
            failures.count
        );
        Some(("actions_fail", Severity::Critical, text))
    }

    fn message(
        &mut self,
        kind: &'static str,
        severity: Severity,
        text: String,
        data: Value,
        now_secs: i64,
    ) -> Message {
        let began = *self.began_secs.get_or_insert(now_secs);
        self.number += 1;
        let keeper = self.keeper.to_string();
        Message {
            id: format!("{keeper}-{began}-{}", self.number),
            secs: now_secs,
            text: format!("Ballast keeper {}: {text}", &keeper[..keeper.len().min(8)]),
            keeper,
            kind,
            severity,
            data,
        }
    }
}

/// What to tell of the hedge.
fn hedge(event: &HedgeEvent) -> Option<(&'static str, Severity, String)> {
    use HedgeEvent as H;
    Some(match event {
        H::OthersTrade {
            coin,
            by,
            side,
            size,
            price,
        } => {
            let (severity, whose) = match by {
                Origin::Liquidation => {
                    (Severity::Critical, "the venue liquidated part of the hedge")
                }
                Origin::Deleveraging => (Severity::Critical, "the venue deleveraged the hedge"),
                Origin::Own | Origin::Foreign => (
                    Severity::Warning,
                    "somebody else trades on the hedge's account",
                ),
            };
            let text =
                format!("{whose}: {side:?} {size} {coin} at {price}; the hedge goes on from there");
            ("hedge_others_trade", severity, text)
        }
        H::Trouble { coin, kind, reason } => {
            let severity = if kind.is_critical() {
                Severity::Critical
            } else {
                Severity::Warning
            };
            (
                "hedge_trouble",
                severity,
                format!("hedge of {coin}: {reason}"),
            )
        }
        H::Recovered { coin, reason } => (
            "hedge_goes_on",
            Severity::Info,
            format!("hedge of {coin} goes on; before that: {reason}"),
        ),
        H::Leader { leads } => {
            let text = if *leads {
                "this keeper hedges the account now"
            } else {
                "another keeper hedges the account"
            };
            ("hedge_leader", Severity::Info, text.into())
        }
        H::Sent { .. } | H::Ended { .. } | H::Paper { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use ballast_flags::Flag;
    use ballast_strategy::decide::ActionKind;
    use ballast_venue::instrument::Side;
    use rust_decimal::Decimal;
    use solana_sdk::signature::Signature;

    use super::*;
    use crate::{Mode, hedge::event::TroubleKind};

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
}
