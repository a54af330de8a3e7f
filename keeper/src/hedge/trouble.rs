//! What is wrong with the hedge of a perpetual, if anything, told when it begins and when it ends.

use ballast_venue::{
    hedge::{
        hedger::HedgeError,
        permit::Held,
        report::{Outcome, Report},
        target::Decision,
    },
    instrument::Side,
    venue::VenueError,
};

use super::{
    event::{HedgeEvent, TroubleKind},
    exposure::Blind,
};
use crate::{event::KeeperEvent, events::Events};

/// So many steps in a row without an answer are told of.
const SILENT_STEPS: u32 = 3;

/// What was told.
#[derive(Default)]
pub(super) struct Trouble {
    told: Option<(TroubleKind, String)>,
    silent: u32,
}

impl Trouble {
    pub fn set(&mut self, now: Option<(TroubleKind, String)>, coin: &str, events: &Events) {
        self.silent = match &now {
            Some((TroubleKind::Venue, _)) => self.silent.saturating_add(1),
            _ => 0,
        };
        match now {
            // A question that is not answered is asked again.
            Some((TroubleKind::Venue, _)) if self.silent < SILENT_STEPS => {}
            Some((kind, reason)) => {
                if self.told.as_ref().is_none_or(|(told, _)| *told != kind) {
                    self.told = Some((kind, reason.clone()));
                    let coin = coin.to_owned();
                    events.send(KeeperEvent::Hedge(HedgeEvent::Trouble {
                        coin,
                        kind,
                        reason,
                    }));
                }
            }
            None => {
                if let Some((_, reason)) = self.told.take() {
                    let coin = coin.to_owned();
                    events.send(KeeperEvent::Hedge(HedgeEvent::Recovered { coin, reason }));
                }
            }
        }
    }
}

/// What is wrong, if anything.
pub(super) fn trouble(
    result: &Result<Report, HedgeError>,
    blind: Option<&Blind>,
    limit: Option<&str>,
) -> Option<(TroubleKind, String)> {
    use TroubleKind as T;
    let limit = || limit.map(|limit| (T::Limit, limit.to_owned()));
    let report = match result {
        Ok(report) => report,
        Err(error) => {
            let kind = match error {
                HedgeError::Journal(_) => T::Journal,
                HedgeError::Disagree { .. } => T::Disagrees,
                HedgeError::Venue(VenueError::AgentUnknown(_)) => T::Agent,
                HedgeError::Venue(_) => T::Venue,
            };
            return Some((kind, error.to_string()));
        }
    };
    match &report.outcome {
        Outcome::Refused(error @ VenueError::AgentUnknown(_)) => {
            Some((T::Agent, error.to_string()))
        }
        // Later it might.
        Outcome::Refused(error @ VenueError::Busy { .. }) => Some((T::Venue, error.to_string())),
        Outcome::Refused(error) => Some((T::Refused, error.to_string())),
        Outcome::Unknown => Some((T::Unknown, "an order was not answered".into())),
        Outcome::Waiting(cloid) => Some((T::Unknown, format!("order {cloid} has no outcome yet"))),
        // A keeper that has only begun.
        Outcome::Blind => match blind {
            None | Some(Blind::NotRead(_)) => None,
            Some(blind) => Some((T::Blind, blind.to_string())),
        },
        Outcome::OffPrice { mid } => Some((
            T::OffPrice,
            format!("the venue's price is {mid}, which is far from the oracle's"),
        )),
        Outcome::Idle(Decision::NoDepth) => {
            Some((T::NoDepth, "nothing is offered within the cap".into()))
        }
        Outcome::Idle(Decision::Held(Held::Most)) => {
            Some((T::Most, "more would be held than max_position".into()))
        }
        Outcome::NotAdmitted(why) => Some((T::Refused, format!("an order was not sent: {why}"))),
        Outcome::Traded { .. } | Outcome::Shown(_) | Outcome::Idle(_) => limit(),
    }
}

/// What a step did, for people.
pub(super) fn doing(
    result: &Result<Report, HedgeError>,
    trouble: Option<&(TroubleKind, String)>,
) -> String {
    if let Some((_, reason)) = trouble {
        return reason.clone();
    }
    let Ok(report) = result else {
        return String::new();
    };
    match &report.outcome {
        Outcome::Traded { filled } => format!("traded {filled}"),
        Outcome::Shown(ticket) => format!(
            "would {} {}, worst price {}",
            if ticket.side == Side::Buy {
                "buy"
            } else {
                "sell"
            },
            ticket.size,
            ticket.cap
        ),
        Outcome::Idle(Decision::ChainFirst) => "waits for what is due on the chain".into(),
        Outcome::Idle(Decision::Held(_)) => "holds: the position may only shrink".into(),
        Outcome::Idle(_) => "inside the band".into(),
        Outcome::Blind => "waits until all is read".into(),
        // All of these are troubles.
        Outcome::NotAdmitted(_)
        | Outcome::Refused(_)
        | Outcome::Unknown
        | Outcome::Waiting(_)
        | Outcome::OffPrice { .. } => String::new(),
    }
}
