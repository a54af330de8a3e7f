//! Where a cluster is.

use anchor_client::Cluster;

use crate::endpoint::Endpoint;

/// What to write for a cluster, for messages.
pub const CLUSTERS: &str = "localnet, devnet, testnet, mainnet, http://HOST:PORT or https://HOST";

/// A public cluster by its name, or any by the URL of its RPC node. The websocket follows Solana's convention: one port above
/// the RPC, or the same address where no port is named.
///
/// # Errors
/// What is wrong with the text, and what to write. Whatever may hold a key is not repeated.
pub fn parse_cluster(text: &str) -> Result<Cluster, String> {
    let known = match text {
        "localhost" => "localnet",
        "mainnet-beta" => "mainnet",
        other => other,
    };
    match known.parse() {
        Ok(Cluster::Debug) | Err(_) => {
            Err(format!("{} is no cluster; write {CLUSTERS}", named(text)))
        }
        Ok(cluster) => Ok(cluster),
    }
}

/// A text that may be a mistyped name, or a mistyped URL with a key in it.
fn named(text: &str) -> String {
    /// Names of clusters are shorter.
    const LONGEST_NAME: usize = 16;
    let is_name = text.len() <= LONGEST_NAME
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    match text.split_once("://") {
        _ if is_name => format!("`{text}`"),
        Some((scheme, _)) if ["http", "https", "ws", "wss"].contains(&scheme) => {
            format!("this URL at `{}`", Endpoint::new(text))
        }
        Some(_) => "this URL (it begins with neither http:// nor https://)".into(),
        None => "this text (a URL begins with http:// or https://)".into(),
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

    #[test]
    fn a_refused_address_is_not_repeated() {
        for text in [
            "https//node.example/KEY-12",
            "htps://node.example/KEY-12",
            "ws://user:KEY-12@node.example/?key=KEY-12",
            "https://node.example:port/KEY-12",
            "https://node.example:65535/KEY-12",
            "node.example/?api-key=KEY-12",
            "KEY-12",
        ] {
            let refusal = parse_cluster(text).unwrap_err();
            assert!(!refusal.contains("KEY-12"), "{refusal}");
            assert!(refusal.contains("devnet"), "{refusal}");
        }
        let mistyped = parse_cluster("moonnet").unwrap_err();
        assert!(mistyped.contains("`moonnet`"), "{mistyped}");
    }
}
