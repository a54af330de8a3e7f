//! Where a cluster is.

use anchor_client::Cluster;

/// What to write for a cluster, for messages.
pub const CLUSTERS: &str = "localnet, devnet, testnet, mainnet, http://HOST:PORT or https://HOST";

/// A public cluster by its name, or any by the URL of its RPC node. The websocket follows Solana's convention: one port above
/// the RPC, or the same address where no port is named.
///
/// # Errors
/// What is wrong with the text, and what to write.
pub fn parse_cluster(text: &str) -> Result<Cluster, String> {
    let known = match text {
        "localhost" => "localnet",
        "mainnet-beta" => "mainnet",
        other => other,
    };
    match known.parse() {
        Ok(Cluster::Debug) | Err(_) => Err(format!("`{text}` is no cluster; write {CLUSTERS}")),
        Ok(cluster) => Ok(cluster),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_urls_have_their_websockets() {
        for (text, url, websocket) in [
            ("localnet", "http://127.0.0.1:8899", "ws://127.0.0.1:8900"),
            ("localhost", "http://127.0.0.1:8899", "ws://127.0.0.1:8900"),
            (
                "devnet",
                "https://api.devnet.solana.com",
                "wss://api.devnet.solana.com",
            ),
            (
                "mainnet-beta",
                "https://api.mainnet-beta.solana.com",
                "wss://api.mainnet-beta.solana.com",
            ),
            (
                "http://localhost:1/path",
                "http://localhost:1/path",
                "ws://localhost:2/path",
            ),
            (
                "https://node.example/?key=1:2",
                "https://node.example/?key=1:2",
                "wss://node.example/?key=1:2",
            ),
            ("http://[::1]:8899", "http://[::1]:8899", "ws://[::1]:8900/"),
        ] {
            let cluster = parse_cluster(text).unwrap();
            assert_eq!((cluster.url(), cluster.ws_url()), (url, websocket));
        }
        for text in [
            "",
            "debug",
            "moonnet",
            "ws://a",
            "http://a:port",
            "http://a:65535",
        ] {
            assert!(
                parse_cluster(text).unwrap_err().contains("devnet"),
                "{text}"
            );
        }
    }
}
