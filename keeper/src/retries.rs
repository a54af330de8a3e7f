//! Warnings about a node that has to be asked again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ballast_client::{OnRetry, Retry};
use tokio::time::Instant;

use crate::{event::KeeperEvent, events::Events};

/// How long after a warning there is no other.
const QUIET: Duration = Duration::from_secs(60);

/// Warns of the first request that is tried again, and then once a minute, with their number.
pub fn warnings(events: Events) -> OnRetry {
    let last: Mutex<Option<Instant>> = Mutex::default();
    Arc::new(move |retry: &Retry| {
        let now = Instant::now();
        // A single value, always whole.
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now < last + QUIET) {
            return;
        }
        *last = Some(now);
        events.send(KeeperEvent::Warning {
            message: format!(
                "{} has to be asked again for {} ({}); {} requests were tried again since the start",
                retry.endpoint, retry.what, retry.reason, retry.retries
            ),
        });
    })
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn they_come_at_once_and_then_once_a_minute_with_the_count() {
        let events = Events::default();
        let mut heard = events.subscribe();
        let warn = warnings(events);
        for retries in 1..=100 {
            warn(&Retry {
                endpoint: "https://node.example".into(),
                what: "getSlot".into(),
                reason: "HTTP 429 Too Many Requests".into(),
                pause: Duration::from_secs(1),
                retries,
            });
            advance(Duration::from_secs(1)).await;
        }
        for count in [1, 61] {
            let Ok(KeeperEvent::Warning { message }) = heard.try_recv() else {
                panic!("no warning");
            };
            assert!(
                message.contains("429") && message.contains(&format!("{count} requests")),
                "{message}"
            );
        }
        assert!(heard.try_recv().is_err());
    }
}
