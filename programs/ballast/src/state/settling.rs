//! Since when a position waits for somebody who brings what a settlement found missing.

use super::Position;

/// What stands in place of a need, once a settlement has begun: in a market without a price no need is due.
const SETTLING: u32 = u32::MAX;

impl Position {
    /// For how many seconds it has waited, called by each settlement before it takes liquidity out. The first one begins it, and so does
    /// one that finds liquidity: what that leaves missing depends on where the pool was pushed to, and who pushes it would be paid
    /// at once for what nobody had the time to bring.
    pub fn settling_secs(&mut self, now_secs: i64) -> i64 {
        let begun =
            self.is_settling() && self.liquidity.get() == 0 && self.due_since_secs <= now_secs;
        if !begun {
            (self.due_need, self.due_since_secs) = (SETTLING, now_secs);
        }
        now_secs.saturating_sub(self.due_since_secs)
    }

    /// Whether a settlement has begun.
    pub fn is_settling(&self) -> bool {
        self.due_need == SETTLING
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;
    use crate::state::Need;

    #[test]
    fn it_begins_when_liquidity_leaves_and_nobody_begins_it_anew() {
        let mut position = Position::zeroed();
        position.liquidity = 5.into();
        assert_eq!(position.settling_secs(1_000), 0);
        position.liquidity = 0.into();
        assert_eq!(position.settling_secs(1_100), 100);
        // The owner's naming of keepers does not.
        position.set_first_keepers([crate::ID; 2], 60).unwrap();
        assert_eq!(position.settling_secs(1_200), 200);
        // Liquidity that came back does, and so does a need that was due meanwhile: both take a price.
        position.liquidity = 5.into();
        assert_eq!(position.settling_secs(1_300), 0);
        position.liquidity = 0.into();
        position.note_need(Need::SellBase, 1_350);
        assert_eq!(position.settling_secs(1_400), 0);
        assert_eq!(position.settling_secs(1_410), 10);
        // A clock that was put back.
        assert_eq!(position.settling_secs(1_390), 0);
    }
}
