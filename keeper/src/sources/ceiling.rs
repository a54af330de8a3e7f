//! Slots that a stream cannot tell yet: an update from the future would keep all that come after it out of the book.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A cluster is never faster than this.
const FASTEST_SLOT: Duration = Duration::from_millis(200);
/// Slots that a stream may be ahead of what was polled.
const LEAD_SLOTS: u64 = 150;

/// The newest slot that was polled.
#[derive(Debug, Default)]
pub struct Ceiling(Mutex<Option<(u64, Instant)>>);

impl Ceiling {
    /// An answer was of this slot.
    pub fn polled(&self, slot: u64) {
        // A single value, always whole.
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.is_none_or(|(newest, _)| newest < slot) {
            *newest = Some((slot, Instant::now()));
        }
    }

    /// Whether a stream may tell it by now. Before anything was polled, everything.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn allows(&self, slot: u64) -> Result<(), String> {
        let newest = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((polled, at)) = newest else {
            return Ok(());
        };
        let gained = at.elapsed().as_millis() / FASTEST_SLOT.as_millis();
        let gained = u64::try_from(gained).unwrap_or(u64::MAX);
        let highest = polled.saturating_add(gained).saturating_add(LEAD_SLOTS);
        if slot <= highest {
            return Ok(());
        }
        Err(format!(
            "it tells slot {slot}, but polls have only reached {polled}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_be_ahead_of_polls_but_not_of_time() {
        let ceiling = Ceiling::default();
        assert_eq!(ceiling.allows(u64::MAX), Ok(()));
        ceiling.polled(1_000);
        ceiling.polled(900);
        assert_eq!(ceiling.allows(1_150), Ok(()));
        let refused = ceiling.allows(1_151).unwrap_err();
        assert!(refused.contains("1151") && refused.contains("1000"), "{refused}");
        // Polls that fail for a minute do not end a stream that goes on.
        advance(Duration::from_secs(60)).await;
        assert_eq!(ceiling.allows(1_450), Ok(()));
        assert!(ceiling.allows(1_451).is_err());
    }
}
