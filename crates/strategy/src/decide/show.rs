//! Prices that a market has not been shown yet.

use ballast_abi::pyth::PriceUpdate;
use ballast_snapshot::MarketSnapshot;

use crate::prices;

/// Whether one of the snapshot's prices is newer than what the market was shown of its feed, and both are good enough to be shown.
/// The market remembers of each feed the newest: who shows it a newer price of one silences nobody who has one of the other.
pub fn is_newer_than_shown(snapshot: &MarketSnapshot) -> bool {
    shown_age_secs(snapshot) > 0 && prices::can_be_shown(snapshot, snapshot.now_secs).is_ok()
}

/// By how much what the market was shown is older than the snapshot, of the feed where it is more.
pub fn shown_age_secs(snapshot: &MarketSnapshot) -> i64 {
    let market = &snapshot.market;
    let age = |update: &PriceUpdate, shown_secs| update.publish_time.saturating_sub(shown_secs);
    age(&snapshot.base_price, market.last_base_publish_secs)
        .max(age(&snapshot.quote_price, market.last_quote_publish_secs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, NOW};

    /// Whether prices of a second ago are newer than what was shown then.
    fn newer(base: i64, quote: i64) -> bool {
        let mut snapshot = fixtures::snapshot(200);
        snapshot.market.last_base_publish_secs = base;
        snapshot.market.last_quote_publish_secs = quote;
        is_newer_than_shown(&snapshot)
    }

    #[test]
    fn one_newer_of_either_feed_is_worth_showing() {
        let held = NOW - 1;
        assert!(newer(0, 0) && newer(held - 1, held) && newer(held, held - 1));
        // Each feed counts for itself: one that somebody has shown a newer price of hides nothing of the other.
        assert!(newer(held + 1, held - 9) && newer(held - 9, held + 1));
        assert!(!newer(held, held) && !newer(held + 1, held) && !newer(held + 9, held + 9));
    }

    #[test]
    fn a_price_that_the_market_would_refuse_is_not_shown() {
        let mut old = fixtures::snapshot(200);
        old.now_secs = NOW + 119;
        assert!(is_newer_than_shown(&old));
        old.now_secs += 1;
        assert!(!is_newer_than_shown(&old));
    }

    #[test]
    fn what_was_shown_is_as_old_as_where_it_lags_most() {
        let mut snapshot = fixtures::snapshot(200);
        snapshot.market.last_base_publish_secs = NOW - 31;
        snapshot.market.last_quote_publish_secs = NOW - 11;
        assert_eq!(shown_age_secs(&snapshot), 30);
    }
}
