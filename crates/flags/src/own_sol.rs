//! Own SOL low: what the keeper has left to pay fees with.
//!
//! **Who gains?** Nobody takes SOL from the keeper's key; what it pays is capped by action and by rewards. Someone who makes its transactions
//! fail on chain makes it pay fees for nothing, at most one transaction a position at a time and with pauses that double, so that
//! the flag is hours away and says what it should. Someone who sends the keeper SOL clears it, and has paid for its fees.

use crate::{flag::Flag, judgement::Judgement, latch::Latch, limits::Limits};

/// The keeper's balance.
#[derive(Clone, Debug)]
pub struct OwnSol {
    latch: Latch,
    lamports: Option<u64>,
}

impl Default for OwnSol {
    fn default() -> Self {
        Self {
            latch: Latch::new(Flag::OwnSolLow),
            lamports: None,
        }
    }
}

impl OwnSol {
    /// The balance when it was last looked at.
    pub fn observe(&mut self, lamports: u64) {
        self.lamports = Some(lamports);
    }

    /// How it stands.
    pub fn judge(&mut self, limits: &Limits, now_secs: i64) -> Judgement {
        let reading = self.lamports.ok_or_else(|| {
            "The balance has not been read: no key is configured, or the node does not answer."
                .into()
        });
        let note = "Balance of the key that signs.".into();
        self.latch.judge(limits, reading, note, now_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::State;

    #[test]
    fn little_fires_enough_does_not_and_between_it_stays_what_it_is() {
        let limits = Flag::OwnSolLow.default_limits();
        let mut flag = OwnSol::default();
        assert_eq!(flag.judge(&limits, 0).state, State::Unknown);
        let mut state = |lamports| {
            flag.observe(lamports);
            flag.judge(&limits, 0).state
        };
        assert_eq!(state(4_100_001), State::Quiet);
        assert_eq!(state(4_100_000), State::Raised);
        assert_eq!(state(6_149_999), State::Raised);
        assert_eq!(state(6_150_000), State::Quiet);
        assert_eq!(state(5_000_000), State::Quiet);
    }
}
