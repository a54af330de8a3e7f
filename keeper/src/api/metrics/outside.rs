//! What the keeper asks of nodes and of a block engine.

use ballast_client::{BundleTraffic, Chain, RpcChain, Traffic};

use super::text::Text;

/// What nodes were asked. Their names are scheme, host and port: paths hold keys.
pub(super) fn requests(text: &mut Text, nodes: &[RpcChain]) {
    type OfNode = (&'static str, &'static str, fn(&Traffic) -> u64);
    let all: [OfNode; 5] = [
        (
            "ballast_rpc_requests_total",
            "Requests to a node.",
            |traffic| traffic.requests,
        ),
        (
            "ballast_rpc_retries_total",
            "Requests to a node that were tried again.",
            |traffic| traffic.retries,
        ),
        (
            "ballast_rpc_failures_total",
            "Requests to a node without an answer in the end.",
            |traffic| traffic.failures,
        ),
        (
            "ballast_rpc_held_back_total",
            "Requests to a node that waited for their place in its budget.",
            |traffic| traffic.held_back,
        ),
        (
            "ballast_rpc_beyond_budget_total",
            "Requests to a node beyond its budget, because they protect.",
            |traffic| traffic.beyond_budget,
        ),
    ];
    for (name, help, count) in all {
        text.head(name, "counter", help);
        for node in nodes {
            let traffic = node.traffic();
            text.sample(name, &[("node", &node.label())], count(&traffic) as f64);
        }
    }
}

/// What became of transactions for the engine; `None`: there is none.
pub(super) fn bundles(text: &mut Text, traffic: Option<BundleTraffic>) {
    text.head(
        "ballast_bundles_total",
        "counter",
        "Transactions for the block engine: that it took, and that went to the nodes because it refused, did not answer, or landed nothing.",
    );
    let Some(BundleTraffic {
        taken,
        refused,
        unanswered,
        not_landed,
    }) = traffic
    else {
        return;
    };
    for (outcome, count) in [
        ("taken", taken),
        ("refused", refused),
        ("unanswered", unanswered),
        ("not_landed", not_landed),
    ] {
        text.sample(
            "ballast_bundles_total",
            &[("outcome", outcome)],
            count as f64,
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nodes_are_named_without_their_keys_and_outcomes_add_up() {
        let mut text = Text::default();
        let url = "https://node.example/v1/KEY-0123456789";
        requests(&mut text, &[RpcChain::new(url, Duration::from_secs(1))]);
        let traffic = BundleTraffic {
            taken: 1,
            refused: 2,
            unanswered: 3,
            not_landed: 4,
        };
        bundles(&mut text, Some(traffic));
        let text = text.0;
        assert!(!text.contains("KEY-0123456789"), "{text}");
        for line in [
            "ballast_rpc_requests_total{node=\"https://node.example\"} 0",
            "ballast_rpc_held_back_total{node=\"https://node.example\"} 0",
            "ballast_rpc_beyond_budget_total{node=\"https://node.example\"} 0",
            "ballast_bundles_total{outcome=\"taken\"} 1",
            "ballast_bundles_total{outcome=\"not_landed\"} 4",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}");
        }
    }
}
