//! What is said of the hedge.

use ballast_venue::hedge::journal::Origin;

use super::Severity;
use crate::hedge::HedgeEvent;

/// What to tell of the hedge.
pub(super) fn hedge(event: &HedgeEvent) -> Option<(&'static str, Severity, String)> {
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
