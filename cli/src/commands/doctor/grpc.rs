//! Does the gRPC service answer that is to stream for the keeper?

use ballast_client::{Chain, RpcChain};
use ballast_keeper::{
    Config, KeeperError, keeper,
    sources::{FeedError, GrpcSeen},
};
use serde_json::Value;

use super::{DoctorReport, State};

/// Asks it for its version and slot, as the keeper would.
pub(super) async fn check(report: &mut DoctorReport, config: &Config, chain: &RpcChain) {
    const WHAT: &str = "grpc";
    let Some(url) = &config.feed.grpc_url else {
        return;
    };
    let has_token = config.feed.grpc_token.is_some();
    let (state, finding) = match keeper::grpc(&config.feed) {
        Ok(None) => return,
        Err(error) => cannot_begin(&error),
        Ok(Some(grpc)) => match grpc.look().await {
            Ok(seen) => {
                let node = chain.slot().await.ok();
                answers(&url.to_string(), &seen, node, config.nodes.asked.lag_slots)
            }
            Err(error) => does_not(&error, has_token),
        },
    };
    report.add(WHAT, state, finding);
}

/// The keeper does not start without the token's file.
fn cannot_begin(error: &KeeperError) -> (State, String) {
    (State::Fail, error.to_string())
}

fn answers(label: &str, seen: &GrpcSeen, node: Option<u64>, lag_slots: u64) -> (State, String) {
    let finding = format!(
        "{label} is {}, at slot {}",
        version(&seen.version),
        seen.slot
    );
    match node.map(|node| node.saturating_sub(seen.slot)) {
        Some(behind) if behind >= lag_slots => (
            State::Warn,
            format!(
                "{finding}, {behind} slots behind the node: what it streams comes late, use another feed.grpc_url"
            ),
        ),
        _ => (State::Ok, finding),
    }
}

fn does_not(error: &FeedError, has_token: bool) -> (State, String) {
    match (error, has_token) {
        (FeedError::Unauthenticated { .. }, false) => (
            State::Fail,
            format!("{error}; write it into a file and name that as feed.grpc_token"),
        ),
        (FeedError::Unauthenticated { .. }, true) => (
            State::Fail,
            format!("{error}; the one in feed.grpc_token is not known there (any more)"),
        ),
        // As without a websocket, the keeper polls.
        _ => (
            State::Warn,
            format!("{error}; check feed.grpc_url, until it answers the keeper polls"),
        ),
    }
}

/// Name and version, where it is written as Yellowstone does; else the beginning of what it is.
fn version(told: &str) -> String {
    const LONGEST: usize = 60;
    let parsed: Option<Value> = serde_json::from_str(told).ok();
    let inner = parsed.as_ref().and_then(|told| told.get("version"));
    let text = |key: &str| inner.and_then(|inner| inner.get(key)?.as_str());
    let whole = match (text("package"), text("version")) {
        (Some(package), Some(version)) => format!("{package} {version}"),
        _ => told.to_owned(),
    };
    // What a stranger writes goes to a terminal.
    let plain = whole.chars().filter(|it| !it.is_control());
    let plain: String = plain.take(LONGEST).collect();
    match plain.is_empty() {
        true => "of an unknown version".into(),
        false => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_however_it_is_written() {
        let yellowstone = r#"{"version":{"package":"yellowstone-grpc-geyser","version":"9.0.0","solana":"3"},"extra":{}}"#;
        assert_eq!(version(yellowstone), "yellowstone-grpc-geyser 9.0.0");
        assert_eq!(version("7.1"), "7.1");
        assert_eq!(version(&"x".repeat(500)).len(), 60);
        assert_eq!(version("\u{1b}[31mred"), "[31mred");
        assert_eq!(version(""), "of an unknown version");
    }

    #[test]
    fn a_service_that_is_behind_the_node_is_a_warning() {
        let seen = GrpcSeen {
            version: "7.1".into(),
            slot: 1_000,
        };
        for (node, state) in [
            (None, State::Ok),
            (Some(990), State::Ok),
            (Some(1_024), State::Ok),
            (Some(1_025), State::Warn),
        ] {
            let (found, finding) = answers("http://grpc", &seen, node, 25);
            assert_eq!(found, state, "{node:?}: {finding}");
            assert!(finding.starts_with("http://grpc is 7.1, at slot 1000"));
        }
    }
}
