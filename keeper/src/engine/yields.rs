//! What another keeper does first, because the position is its own.

use std::{collections::HashMap, time::Duration};

use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::time::Instant;

use crate::shards::HEAD_START;

/// What was first seen to be due longer ago is another matter by now.
const MATTER: Duration = Duration::from_secs(60);

/// When what other keepers are to do was first seen to be due.
#[derive(Debug, Default)]
pub(super) struct Yields(HashMap<(Pubkey, ActionKind), Instant>);

impl Yields {
    /// Until when the other one goes first with what is due now; `None`: it has had its time.
    pub fn until(&mut self, position: Pubkey, action: ActionKind, now: Instant) -> Option<Instant> {
        let since = self.0.entry((position, action)).or_insert(now);
        if now.duration_since(*since) >= MATTER {
            *since = now;
        }
        let until = *since + HEAD_START;
        (now < until).then_some(until)
    }

    /// Nothing is due any more.
    pub fn end(&mut self, position: &Pubkey) {
        if self.0.is_empty() {
            return;
        }
        for action in ActionKind::ALL {
            self.0.remove(&(*position, action));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_has_its_time_once_for_each_matter() {
        let (position, action) = (Pubkey::new_from_array([1; 32]), ActionKind::Deleverage);
        let (start, mut yields) = (Instant::now(), Yields::default());
        let ms = Duration::from_millis;
        let end = Some(start + HEAD_START);
        assert_eq!(yields.until(position, action, start), end);
        let almost = start + HEAD_START - ms(1);
        assert_eq!(yields.until(position, action, almost), end);
        assert_eq!(yields.until(position, action, start + HEAD_START), None);
        // Another action is another matter, and so is the same a minute later, or after nothing was due.
        let later = start + HEAD_START;
        assert!(yields.until(position, ActionKind::Exit, later).is_some());
        assert!(yields.until(position, action, start + MATTER).is_some());
        yields.end(&position);
        assert!(yields.0.is_empty());
        let again = start + MATTER;
        assert_eq!(
            yields.until(position, action, again),
            Some(again + HEAD_START)
        );
    }
}
