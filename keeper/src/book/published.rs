//! A market at newer prices than its accounts hold.

use ballast_abi::pyth::PriceUpdate;
use ballast_client::MarketSnapshot;

/// The market at the published prices, if they are newer than those of its accounts; otherwise as it is.
pub(crate) fn newest(
    on_chain: &MarketSnapshot,
    published: Option<&[PriceUpdate; 2]>,
) -> MarketSnapshot {
    let mut market = on_chain.clone();
    if let Some([base, quote]) = published.filter(|prices| are_newer(on_chain, prices)) {
        (market.base_price, market.quote_price) = (*base, *quote);
    }
    market
}

/// Whether one of them is newer and none older, or from a future that the cluster's clock does not know yet: then the accounts'
/// prices can still be used.
fn are_newer(on_chain: &MarketSnapshot, [base, quote]: &[PriceUpdate; 2]) -> bool {
    let market = &on_chain.market;
    let latest = on_chain
        .now_secs
        .saturating_add(i64::from(market.oracle_rules.max_future_secs));
    let by = |published: &PriceUpdate, held: &PriceUpdate, feed: &[u8; 32]| {
        (published.feed_id == *feed && published.publish_time <= latest)
            .then(|| published.publish_time.cmp(&held.publish_time))
    };
    let base = by(base, &on_chain.base_price, &market.base_feed);
    let quote = by(quote, &on_chain.quote_price, &market.quote_feed);
    let (Some(base), Some(quote)) = (base, quote) else {
        return false;
    };
    base.is_ge() && quote.is_ge() && (base.is_gt() || quote.is_gt())
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures::{self, NOW};

    use super::*;

    /// Publish times of base and quote, where 1 s ago is what the accounts hold.
    fn taken(base: i64, quote: i64) -> bool {
        let on_chain = fixtures::snapshot(200);
        let mut prices = [
            fixtures::price_update(21_000_000_000, 1),
            fixtures::price_update(100_000_000, 2),
        ];
        prices[0].publish_time = base;
        prices[1].publish_time = quote;
        let market = newest(&on_chain, Some(&prices));
        let taken = [market.base_price, market.quote_price] == prices;
        assert!(taken || market.base_price == on_chain.base_price);
        taken
    }

    #[test]
    fn prices_are_taken_if_one_is_newer_and_none_older() {
        let held = NOW - 1;
        for (base, quote, expected) in [
            (held, held, false),
            (held + 1, held, true),
            (held, held + 1, true),
            (held + 1, held + 1, true),
            (held + 1, held - 1, false),
            (held - 1, held + 1, false),
        ] {
            assert_eq!(taken(base, quote), expected, "{base} {quote}");
        }
        // The clock may be 5 s behind, no more.
        assert!(taken(NOW + 5, NOW + 5) && !taken(NOW + 6, NOW) && !taken(NOW, NOW + 6));
    }

    #[test]
    fn prices_of_other_feeds_are_not() {
        let on_chain = fixtures::snapshot(200);
        let mut prices = [
            fixtures::price_update(21_000_000_000, 1),
            fixtures::price_update(100_000_000, 2),
        ];
        for price in &mut prices {
            price.publish_time = NOW;
        }
        let of = |prices| newest(&on_chain, Some(&prices)).base_price.price;
        assert_eq!(of(prices), 21_000_000_000);
        prices.swap(0, 1);
        assert_eq!(of(prices), on_chain.base_price.price);
        assert_eq!(newest(&on_chain, None).base_price, on_chain.base_price);
    }
}
