//! Keepers whom the owner lets go first, and how long the others leave a need to them.

use anchor_lang::prelude::*;
use ballast_model::Trade;

use super::Position;
use crate::errors::BallastError;

/// Where a price has left the middle of a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// At the lower edge or below.
    Low,
    /// At the upper edge or above.
    High,
}

/// What is due. A head start is over for the need that was noted, and for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize)]
pub enum Need {
    /// Fees are worth compounding.
    Compound,
    /// The price is at the lower edge.
    RecenterLow,
    /// The price is at the upper edge.
    RecenterHigh,
    /// Base is to be sold.
    SellBase,
    /// Base is to be bought.
    BuyBase,
}

/// What a keeper may do now about a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Act.
    Act,
    /// Note the need, which nobody has done yet.
    Note,
    /// Wait.
    Wait {
        /// Until then, unless somebody else acts.
        until_secs: i64,
    },
}

impl From<Edge> for Need {
    fn from(edge: Edge) -> Self {
        match edge {
            Edge::Low => Self::RecenterLow,
            Edge::High => Self::RecenterHigh,
        }
    }
}

impl From<Trade> for Need {
    fn from(trade: Trade) -> Self {
        match trade {
            Trade::SellBase => Self::SellBase,
            Trade::BuyBase => Self::BuyBase,
        }
    }
}

impl Need {
    const ALL: [Self; 5] = [
        Self::Compound,
        Self::RecenterLow,
        Self::RecenterHigh,
        Self::SellBase,
        Self::BuyBase,
    ];

    /// As it is stored: 0 is none.
    fn code(self) -> u32 {
        self as u32 + 1
    }

    fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|need| need.code() == code)
    }

    /// How much it matters: who notes fees cannot keep others from noting a hedge.
    fn rank(self) -> u32 {
        match self {
            Self::Compound => 0,
            Self::RecenterLow | Self::RecenterHigh => 1,
            Self::SellBase | Self::BuyBase => 2,
        }
    }

    /// Whether attending to it attends to `other` too: recentering hedges and collects the fees.
    fn includes(self, other: Self) -> bool {
        self.rank() == 1 || self.rank() == other.rank()
    }
}

impl Position {
    /// Longest head start.
    pub const LONGEST_HEAD_START_SECS: u32 = 60;
    /// For how long others may act on a note once the head start is over. A need that comes back later is another one, for which
    /// the first keepers have their time again.
    pub const NOTE_SECS: i64 = 60;

    /// Names keepers who go first. What was noted before counts no longer.
    ///
    /// # Errors
    /// [`BallastError::BadPolicy`]; the log names the rule.
    pub fn set_first_keepers(&mut self, keepers: [Pubkey; 2], head_start_secs: u32) -> Result<()> {
        let nobody = keepers == [Pubkey::default(); 2];
        let rules = [
            (
                head_start_secs <= Self::LONGEST_HEAD_START_SECS,
                "head_start_secs must not exceed 60",
            ),
            (
                nobody == (head_start_secs == 0),
                "head_start_secs must be 0 for nobody, and for nobody else",
            ),
        ];
        for (holds, rule) in rules {
            if !holds {
                msg!("First keepers refused: {}", rule);
                return err!(BallastError::BadPolicy);
            }
        }
        (self.first_keepers, self.head_start_secs) = (keepers, head_start_secs);
        if !self.is_settling() {
            self.forget_need();
        }
        Ok(())
    }

    /// What `keeper` may do about a need that is due now.
    pub fn turn(&self, keeper: &Pubkey, need: Need, now_secs: i64) -> Turn {
        if self.head_start_secs == 0 || *keeper == self.owner || self.first_keepers.contains(keeper)
        {
            return Turn::Act;
        }
        let others_from_secs = self.others_from_secs();
        let ends_secs = others_from_secs.saturating_add(Self::NOTE_SECS);
        let stands = (self.due_since_secs..ends_secs).contains(&now_secs);
        match Need::from_code(self.due_need).filter(|_| stands) {
            Some(noted) if noted == need && now_secs >= others_from_secs => Turn::Act,
            Some(noted) if noted == need => Turn::Wait {
                until_secs: others_from_secs,
            },
            Some(noted) if noted.rank() > need.rank() => Turn::Wait {
                until_secs: ends_secs,
            },
            _ => Turn::Note,
        }
    }

    /// From when on others may act on the need that is noted.
    pub fn others_from_secs(&self) -> i64 {
        self.due_since_secs
            .saturating_add(i64::from(self.head_start_secs))
    }

    /// Notes a need.
    pub fn note_need(&mut self, need: Need, now_secs: i64) {
        (self.due_need, self.due_since_secs) = (need.code(), now_secs);
    }

    /// Somebody acts: what that attends to is no longer noted.
    pub fn attend_to(&mut self, need: Need) {
        if Need::from_code(self.due_need).is_some_and(|noted| need.includes(noted)) {
            self.forget_need();
        }
    }

    fn forget_need(&mut self) {
        (self.due_need, self.due_since_secs) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;
    const OWNER: Pubkey = Pubkey::new_from_array([1; 32]);
    const FIRST: [Pubkey; 2] = [
        Pubkey::new_from_array([2; 32]),
        Pubkey::new_from_array([3; 32]),
    ];
    const OTHER: Pubkey = Pubkey::new_from_array([4; 32]);

    fn position(head_start_secs: u32) -> Position {
        let mut position: Position = bytemuck::Zeroable::zeroed();
        position.owner = OWNER;
        let named = position.set_first_keepers(FIRST, head_start_secs);
        named.unwrap();
        position
    }

    #[test]
    fn others_note_the_need_wait_and_act_in_their_time() {
        let mut position = position(30);
        let turn = |position: &Position, after| position.turn(&OTHER, Need::SellBase, NOW + after);
        assert_eq!(turn(&position, 0), Turn::Note);
        position.note_need(Need::SellBase, NOW);
        let wait = Turn::Wait {
            until_secs: NOW + 30,
        };
        for (after, expected) in [
            (-1, Turn::Note),
            (0, wait),
            (29, wait),
            (30, Turn::Act),
            (89, Turn::Act),
            (90, Turn::Note),
        ] {
            assert_eq!(turn(&position, after), expected, "{after}");
        }
        for first in [OWNER, FIRST[0], FIRST[1]] {
            assert_eq!(position.turn(&first, Need::SellBase, NOW), Turn::Act);
        }
    }

    #[test]
    fn a_head_start_is_over_for_the_need_that_was_noted_only() {
        for noted in Need::ALL {
            let mut position = position(30);
            position.note_need(noted, NOW);
            for need in Need::ALL {
                let turn = position.turn(&OTHER, need, NOW + 30);
                let expected = if need == noted {
                    Turn::Act
                } else if need.rank() < noted.rank() {
                    Turn::Wait {
                        until_secs: NOW + 90,
                    }
                } else {
                    Turn::Note
                };
                assert_eq!(turn, expected, "{noted:?} {need:?}");
            }
        }
    }

    #[test]
    fn acting_ends_the_note_of_what_it_attends_to() {
        for (done, noted, ended) in [
            (Need::SellBase, Need::SellBase, true),
            (Need::BuyBase, Need::SellBase, true),
            (Need::SellBase, Need::RecenterLow, false),
            (Need::SellBase, Need::Compound, false),
            (Need::RecenterLow, Need::BuyBase, true),
            (Need::RecenterHigh, Need::RecenterLow, true),
            (Need::RecenterHigh, Need::Compound, true),
            (Need::Compound, Need::Compound, true),
            (Need::Compound, Need::SellBase, false),
            (Need::Compound, Need::RecenterHigh, false),
        ] {
            let mut position = position(30);
            position.note_need(noted, NOW);
            position.attend_to(done);
            assert_eq!(position.due_need == 0, ended, "{done:?} {noted:?}");
        }
    }

    #[test]
    fn without_first_keepers_nobody_waits() {
        let position: Position = bytemuck::Zeroable::zeroed();
        assert_eq!(position.turn(&OTHER, Need::SellBase, NOW), Turn::Act);
    }

    #[test]
    fn who_is_named_gets_a_time_and_nobody_else_does() {
        let [one, two] = FIRST;
        let none = Pubkey::default();
        for (keepers, secs, allowed) in [
            ([one, two], 60, true),
            ([one, none], 1, true),
            ([none, two], 1, true),
            ([one, two], 61, false),
            ([one, two], 0, false),
            ([none, none], 0, true),
            ([none, none], 1, false),
        ] {
            let mut position = position(30);
            position.note_need(Need::SellBase, NOW);
            let set = position.set_first_keepers(keepers, secs);
            assert_eq!(set.is_ok(), allowed, "{keepers:?} {secs}");
            // What was noted under other rules counts no longer.
            assert_eq!(position.due_need == 0, allowed);
        }
    }
}
