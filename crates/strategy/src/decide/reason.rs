use ballast::events::ExitReason;
use ballast::state::Reaction;
use ballast_model::{Amounts, Bps, Side};

use crate::{Tokens, text::sized};

/// Why something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// LTV reached a deleverage trigger.
    Leverage {
        /// LTV, rounded up.
        ltv_bps: u32,
        /// The trigger.
        trigger: Bps,
        /// Whether it is the market's, which binds everybody, or the policy's.
        by_market: bool,
    },
    /// LTV reached maintenance.
    Maintenance {
        /// LTV, rounded up.
        ltv_bps: u32,
        /// The threshold.
        maintenance: Bps,
    },
    /// The hedge error left its band.
    Hedge {
        /// Base units, positive: too long.
        error: i128,
        /// Largest error that is left alone.
        tolerance: u64,
    },
    /// An edge of the owner's window or the equity floor is reached.
    Exit {
        /// Which.
        by: ExitReason,
        /// What the owner wants then.
        reaction: Reaction,
    },
    /// The price is outside the band, or at its edge.
    OutOfBand {
        /// The band.
        ticks: [i32; 2],
        /// The oracle's price as a tick.
        tick: i32,
    },
    /// So many fees wait.
    Fees {
        /// Their worth, quote units.
        worth: u128,
        /// From when the owner wants them compounded.
        least: u64,
    },
    /// The market was shown older prices than there are.
    Shown {
        /// By how much they are older.
        secs: i64,
    },
    /// Lenders were shown something else than what of the debts is not covered.
    Uncovered(Amounts),
    /// The market's risk stage is not what the chain sees.
    Stage {
        /// The stage.
        from: u8,
        /// What it would be.
        to: u8,
    },
}

impl Reason {
    /// In words, in whole tokens.
    pub fn told(&self, tokens: Tokens) -> String {
        match self {
            Self::Leverage {
                ltv_bps,
                trigger,
                by_market,
            } => {
                let whose = if *by_market { "market" } else { "policy" };
                format!(
                    "LTV {} at or above the {whose}'s trigger {trigger}",
                    Bps::new(*ltv_bps)
                )
            }
            Self::Maintenance {
                ltv_bps,
                maintenance,
            } => {
                format!(
                    "LTV {} at or above maintenance {maintenance}",
                    Bps::new(*ltv_bps)
                )
            }
            Self::Exit { by, reaction } => {
                let by = match by {
                    ExitReason::Floor => "equity is at or below the owner's floor",
                    ExitReason::Low => "the price is at or below the owner's window",
                    ExitReason::High => "the price is at or above the owner's window",
                };
                let reaction = match reaction {
                    Reaction::Hold => "hold".into(),
                    Reaction::ExitAsIs => "exit as is".into(),
                    Reaction::ExitIntoBase => format!("exit into {}", tokens.base),
                    Reaction::ExitIntoQuote => format!("exit into {}", tokens.quote),
                };
                format!("{by}: {reaction}")
            }
            Self::OutOfBand {
                ticks: [lower, upper],
                tick,
            } => {
                let price = |tick: &i32| tokens.price_of_tick(*tick);
                format!(
                    "the price {} is outside or at the edge of the band {} to {} {} per {}",
                    price(tick),
                    price(lower),
                    price(upper),
                    tokens.quote,
                    tokens.base
                )
            }
            Self::Fees { worth, least } => {
                format!(
                    "fees worth {} wait, {} are to be compounded",
                    tokens.amount(Side::Quote, *worth),
                    tokens.whole(Side::Quote, (*least).into())
                )
            }
            Self::Shown { secs } => {
                format!(
                    "a trigger is near, and prices are {secs} s newer than the market was shown"
                )
            }
            Self::Uncovered(uncovered) => format!(
                "{} of the debts are not covered, and lenders were shown something else",
                tokens.both(*uncovered)
            ),
            Self::Stage { from, to } if from == to => {
                format!("evidence for risk stage {from} is to be noted")
            }
            Self::Stage { from, to } => format!("risk stage {from} is to be {to}"),
            Self::Hedge { error, tolerance } => {
                let side = if *error > 0 { "long" } else { "short" };
                let about = |raw| sized(&tokens.whole(Side::Base, raw));
                format!(
                    "{side} by {} {}, {} are tolerated",
                    about(error.unsigned_abs()),
                    tokens.base,
                    about((*tolerance).into())
                )
            }
        }
    }
}
