//! Since when a position waits for somebody who brings what a settlement found missing.

use super::Position;

/// What stands in place of a need, once a settlement has begun: in a market without a price no need is due.
const SETTLING: u32 = u32::MAX;

impl Position {
    /// For how many seconds it has waited, called by each settlement before it takes liquidity out; `None`: it begins now. One that finds
    /// liquidity begins it anew: what that leaves missing depends on where the pool was pushed to, and who pushes it would be paid
    /// at once for what nobody had the time to bring. So does one in a later silence: where a price was published, `silent_secs`
    /// ago, after it had begun. An older one that somebody brings later does not.
    pub fn settling_secs(&mut self, now_secs: i64, silent_secs: i64) -> Option<i64> {
        let waited_secs = now_secs.saturating_sub(self.due_since_secs);
        let goes_on = self.is_settling() && self.liquidity.get() == 0;
        if goes_on && (0..=silent_secs).contains(&waited_secs) {
            return Some(waited_secs);
        }
        (self.due_need, self.due_since_secs) = (SETTLING, now_secs);
        None
    }

    /// Whether a settlement has begun, and no need was noted since.
    pub(super) fn is_settling(&self) -> bool {
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
        let waited = |position: &mut Position, now_secs| position.settling_secs(now_secs, 900);
        assert_eq!(waited(&mut position, 1_000), None);
        position.liquidity = 0.into();
        assert_eq!(waited(&mut position, 1_100), Some(100));
        // The owner's naming of keepers does not.
        position.set_first_keepers([crate::ID; 2], 60).unwrap();
        assert_eq!(waited(&mut position, 1_200), Some(200));
        // Liquidity that came back does, and so does a need that was due meanwhile: both take a price.
        position.liquidity = 5.into();
        assert_eq!(waited(&mut position, 1_300), None);
        position.liquidity = 0.into();
        position.note_need(Need::SellBase, 1_350);
        assert_eq!(waited(&mut position, 1_400), None);
        assert_eq!(waited(&mut position, 1_410), Some(10));
        // A later silence.
        assert_eq!(position.settling_secs(1_500, 99), None);
        assert_eq!(position.settling_secs(1_520, 99), Some(20));
        // A clock that was put back.
        assert_eq!(position.settling_secs(1_390, 900), None);
    }
}
