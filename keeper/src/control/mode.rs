//! What a keeper may do at all.

use std::fmt;

use ballast_strategy::decide::{ActionKind, Kinds};
use serde::{Deserialize, Serialize};

/// What a keeper, or a keeper with one position, may do; the most restrained first, so that the lesser of two binds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Decides and logs. Sends nothing, not even again what is in flight.
    Halted,
    /// Decides and logs. Sends nothing; journals nothing but what people tell it.
    #[default]
    Observe,
    /// Decides, simulates the transaction on the node and journals the result. Sends nothing.
    Paper,
    /// Does only what lowers a position's risk: see [`REDUCES`].
    Reducing,
    /// Acts.
    Active,
}

/// What is done with an action that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing.
    Nothing,
    /// It is simulated and written down.
    Simulate,
    /// It is sent.
    Send,
}

/// What reducing permits: what makes a position's error, debt or exposure smaller, and what tells the chain the truth.
///
/// - Rehedge: the program takes it only if the hedge error shrinks and LTV stays below the deleverage trigger.
/// - Deleverage, with a swap or without, and exit: they repay. The exit is the owner's own stop.
/// - Refresh of price and stage: they move no tokens, and leave others less choice of an older, better price.
///
/// Not: recenter and compound, which put funds to work anew. Nor liquidate: it lowers the debtor's risk, but takes collateral
/// into the keeper's own wallet at a price that may be the very thing in doubt. Others are paid to do it, and the cure of the
/// position by a deleverage comes before it anyway. Reducing spends none of the keeper's own tokens but fees.
pub const REDUCES: Kinds = Kinds::NONE
    .with(ActionKind::Rehedge)
    .with(ActionKind::RefreshPrice)
    .with(ActionKind::RefreshStage)
    .with(ActionKind::Exit)
    .with(ActionKind::Deleverage)
    .with(ActionKind::DeleverageSwap);

impl Mode {
    /// All of them, the most restrained first.
    pub const ALL: [Self; 5] = [
        Self::Halted,
        Self::Observe,
        Self::Paper,
        Self::Reducing,
        Self::Active,
    ];

    /// Whether transactions may be sent at all.
    pub fn sends(self) -> bool {
        self >= Self::Reducing
    }

    /// What may be done with an action of that kind.
    pub fn permission(self, kind: ActionKind) -> Permission {
        match self {
            Self::Halted | Self::Observe => Permission::Nothing,
            Self::Paper => Permission::Simulate,
            Self::Reducing if !REDUCES.contains(kind) => Permission::Nothing,
            Self::Reducing | Self::Active => Permission::Send,
        }
    }

    /// Its name in configurations, journals and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Halted => "halted",
            Self::Observe => "observe",
            Self::Paper => "paper",
            Self::Reducing => "reducing",
            Self::Active => "active",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_permits_all_that_a_lesser_one_does() {
        for kind in ActionKind::ALL {
            let permissions = Mode::ALL.map(|mode| mode.permission(kind));
            assert_eq!(permissions[0], Permission::Nothing);
            assert_eq!(permissions[4], Permission::Send);
            for (mode, permission) in Mode::ALL.into_iter().zip(permissions) {
                assert_eq!(
                    permission == Permission::Send,
                    mode == Mode::Active || (mode == Mode::Reducing && REDUCES.contains(kind)),
                    "{mode} {kind}"
                );
                assert!(permission != Permission::Send || mode.sends());
            }
        }
    }

    #[test]
    fn reducing_takes_no_new_risk_and_spends_nothing_of_its_own() {
        use ActionKind::{Compound, Liquidate, Recenter};
        for kind in ActionKind::ALL {
            let forbidden = [Compound, Recenter, Liquidate].contains(&kind);
            assert_eq!(REDUCES.contains(kind), !forbidden, "{kind}");
        }
    }

    #[test]
    fn names_are_those_of_files() {
        for mode in Mode::ALL {
            let text = serde_json::to_string(&mode).unwrap();
            assert_eq!(text, format!("\"{mode}\""));
            assert_eq!(serde_json::from_str::<Mode>(&text).unwrap(), mode);
        }
        assert!(Mode::ALL.is_sorted());
    }
}
