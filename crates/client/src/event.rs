//! The program's events, from transaction logs.

use anchor_lang::{AnchorDeserialize, Discriminator};
use ballast::events::{
    Accrued, AuthorityAccepted, AuthorityOffered, AutomationSet, BadDebtBooked, BadDebtCovered,
    Compounded, Deleveraged, DeleveragedWithSwap, Deposited, Exited, FeesCollected,
    FirstKeepersSet, GuardianSet, InsuranceFunded, KeeperRewarded, LeftToFirstKeepers, Liquidated,
    LossShown, MarketChangeAnnounced, MarketInitialized, MarketUpdated, Migrated, ModeSet,
    OracleChangeAnnounced, OracleChangeCancelled, OracleChanged, PolicySet, PositionClosed,
    PositionDecreased, PositionIncreased, PositionOffered, PositionOpened, PositionRepaid,
    PositionTransferred, Recentered, Rehedged, ReserveChangeAnnounced, ReserveInitialized,
    ReserveUpdated, RewardCollected, SafetyChangeAnnounced, SafetyUpdated, Settled, StageChanged,
    Withdrawn, WriteOffRewarded,
};

use crate::{logs::lines_of, rpc::decode_base64};

macro_rules! events {
    ($($name:ident,)*) => {
        /// An event of the program; see [`ballast::events`].
        #[allow(missing_docs, reason = "each holds the event of its name")]
        #[allow(clippy::large_enum_variant, reason = "a transaction has a handful of them")]
        pub enum BallastEvent {
            $($name($name),)*
        }

        impl BallastEvent {
            /// The event's name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                }
            }

            /// An event from the bytes that the program logged; `None` for anything else.
            pub fn decode(data: &[u8]) -> Option<Self> {
                $(
                    if let Some(mut body) = data.strip_prefix($name::DISCRIMINATOR) {
                        let event = $name::deserialize(&mut body).ok()?;
                        return body.is_empty().then_some(Self::$name(event));
                    }
                )*
                None
            }
        }
    };
}
events! {
    MarketInitialized,
    MarketUpdated,
    ModeSet,
    ReserveInitialized,
    ReserveUpdated,
    Accrued,
    Deposited,
    Withdrawn,
    PositionOpened,
    PositionDecreased,
    PositionClosed,
    Rehedged,
    Deleveraged,
    DeleveragedWithSwap,
    Liquidated,
    BadDebtBooked,
    PolicySet,
    RewardCollected,
    AuthorityAccepted,
    AuthorityOffered,
    AutomationSet,
    BadDebtCovered,
    Compounded,
    Exited,
    FeesCollected,
    FirstKeepersSet,
    GuardianSet,
    InsuranceFunded,
    KeeperRewarded,
    LeftToFirstKeepers,
    MarketChangeAnnounced,
    SafetyUpdated,
    SafetyChangeAnnounced,
    OracleChangeAnnounced,
    OracleChanged,
    OracleChangeCancelled,
    Migrated,
    PositionIncreased,
    PositionOffered,
    PositionRepaid,
    PositionTransferred,
    Recentered,
    ReserveChangeAnnounced,
    StageChanged,
    LossShown,
    Settled,
    WriteOffRewarded,
}

/// The name; the program's event types themselves have no text form.
impl std::fmt::Debug for BallastEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl BallastEvent {
    /// All events of the program in a transaction's logs, in order. Lines that other programs wrote do not count, whatever
    /// they look like. If the node cut the logs ([`crate::is_truncated`]), events may be missing.
    pub fn in_logs(logs: &[String]) -> Vec<Self> {
        let lines = lines_of(logs, &ballast::ID);
        let data = lines
            .iter()
            .filter_map(|line| line.strip_prefix("Program data: "));
        data.filter_map(|text| Self::decode(&decode_base64(text)?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use anchor_lang::Event;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use solana_sdk::pubkey::Pubkey;

    use super::*;

    fn deposited() -> Vec<u8> {
        Deposited {
            reserve: Pubkey::new_from_array([1; 32]),
            lender: Pubkey::new_from_array([2; 32]),
            amount: 3,
            shares: 4,
        }
        .data()
    }

    fn logs(program: &Pubkey, data: &[u8]) -> Vec<String> {
        [
            format!("Program {program} invoke [1]"),
            format!("Program data: {}", STANDARD.encode(data)),
            format!("Program {program} success"),
        ]
        .into()
    }

    #[test]
    fn only_the_program_itself_makes_events() {
        let events = BallastEvent::in_logs(&logs(&ballast::ID, &deposited()));
        assert!(
            matches!(&events[..], [BallastEvent::Deposited(event)] if event.amount == 3 && event.shares == 4)
        );
        assert_eq!(events[0].name(), "Deposited");
        assert!(BallastEvent::in_logs(&logs(&Pubkey::new_unique(), &deposited())).is_empty());
    }

    #[test]
    fn garbage_is_no_event() {
        let good = deposited();
        let mut long = good.clone();
        long.push(0);
        for bad in [&[], &good[..7], &good[..good.len() - 1], &long] {
            assert!(BallastEvent::decode(bad).is_none());
        }
        assert!(BallastEvent::in_logs(&["Program data: !".into()]).is_empty());
    }
}
