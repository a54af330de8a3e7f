//! Prices that a market has not been shown yet.

use ballast::oracle::Grade;
use ballast_snapshot::MarketSnapshot;

use crate::prices;

/// Whether the snapshot's prices are newer than any that the market was shown (one of them, and none older), and good enough to be
/// shown.
pub fn is_newer_than_shown(snapshot: &MarketSnapshot) -> bool {
    let market = &snapshot.market;
    let base = snapshot.base_price.publish_time;
    let quote = snapshot.quote_price.publish_time;
    let shown = (
        market.last_base_publish_secs,
        market.last_quote_publish_secs,
    );
    base >= shown.0
        && quote >= shown.1
        && (base, quote) != shown
        && prices::judge(snapshot, snapshot.now_secs, Grade::Loose).is_ok()
}

/// By how much the older of the prices that the market was shown is older than the snapshot's.
pub fn shown_age_secs(snapshot: &MarketSnapshot) -> i64 {
    let market = &snapshot.market;
    let known = snapshot
        .base_price
        .publish_time
        .min(snapshot.quote_price.publish_time);
    let shown = market
        .last_base_publish_secs
        .min(market.last_quote_publish_secs);
    known.saturating_sub(shown)
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
    fn one_newer_and_none_older_is_worth_showing() {
        let held = NOW - 1;
        assert!(newer(0, 0) && newer(held - 1, held) && newer(held, held - 1));
        assert!(!newer(held, held) && !newer(held + 1, held - 9) && !newer(held - 9, held + 1));
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
    fn what_was_shown_is_as_old_as_the_older_of_it() {
        let mut snapshot = fixtures::snapshot(200);
        snapshot.market.last_base_publish_secs = NOW - 31;
        snapshot.market.last_quote_publish_secs = NOW - 11;
        assert_eq!(shown_age_secs(&snapshot), 30);
    }
}
