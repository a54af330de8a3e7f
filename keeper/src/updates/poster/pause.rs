//! When posting that has failed is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// First pause after a posting that failed; doubles with each further one.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often in a row posting has failed, and until when it is not tried again: every try costs fees.
#[derive(Default)]
pub(super) struct Pause {
    failures: u32,
    paused_until: Option<Instant>,
}

impl Pause {
    pub fn left(&self) -> Option<Duration> {
        let left = self.paused_until?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }

    pub fn note(&mut self, failed: bool) {
        if !failed {
            (self.failures, self.paused_until) = (0, None);
            return;
        }
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let pause = PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
        self.paused_until = Some(Instant::now() + pause);
    }
}
