//! The address of a node, and what of it may be shown: the keys of RPC providers are parts of their URLs.

use std::{convert::Infallible, fmt, str::FromStr};

/// Least length of a part of a URL that is looked for in texts. Shorter ones are words like `v1`, and no keys.
const LEAST_SECRET: usize = 6;

/// A node's URL. It shows scheme, host and port; path, query and user are often secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    shown: String,
    /// What must not be shown, longest first.
    secrets: Vec<String>,
}

impl Endpoint {
    /// From a URL, which is not checked.
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        Self {
            shown: without_credentials(&url),
            secrets: secrets(&url),
            url,
        }
    }

    /// All of it, to connect with. Never for messages.
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// A text that a node or a library wrote, without what is secret of this URL, and without URLs.
    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret, HIDDEN);
        }
        without_urls(&text)
    }
}

/// In place of what is secret.
pub const HIDDEN: &str = "(hidden)";

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.shown)
    }
}

impl FromStr for Endpoint {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self::new(url))
    }
}

impl From<&str> for Endpoint {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<&String> for Endpoint {
    fn from(url: &String) -> Self {
        Self::new(url)
    }
}

impl From<String> for Endpoint {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

/// Scheme, user with host, and the rest.
fn parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    (scheme, authority, path)
}

/// Scheme, host and port; nothing of a text that is no address of a node, whatever it may be.
fn without_credentials(url: &str) -> String {
    let (scheme, authority, _) = parts(url);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    // A host of letters alone may be a key as well, but for one that every machine has.
    let port = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    let is_node = match scheme {
        "http" | "https" | "ws" | "wss" => true,
        "" => port.split_once(':').map_or(
            host.contains('.') || host.is_empty() || host == "localhost",
            |(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()),
        ),
        _ => false,
    };
    match (is_node, scheme) {
        (false, _) => HIDDEN.into(),
        (true, "") => host.into(),
        (true, scheme) => format!("{scheme}://{host}"),
    }
}

fn secrets(url: &str) -> Vec<String> {
    let (_, authority, path) = parts(url);
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let mut secrets: Vec<String> = Vec::new();
    let all = if without_credentials(url) == HIDDEN {
        url
    } else {
        ""
    };
    for whole in [user, path, all] {
        secrets.push(whole.into());
        secrets.extend(whole.split(['/', '?', '#', '&', '=', ':']).map(Into::into));
    }
    secrets.retain(|secret| secret.len() >= LEAST_SECRET);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

fn without_urls(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let end = word.trim_end().len();
        if word.contains("://") {
            ["(address)", word.get(end..).unwrap_or_default()].concat()
        } else {
            word.into()
        }
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_no_secrets() {
        for (url, shown) in [
            (
                "https://user:pass@node.example:8899/v1/key?api-key=secret",
                "https://node.example:8899",
            ),
            ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
            ("wss://node.example?key=secret", "wss://node.example"),
            ("node.example/secret", "node.example"),
            ("name:secret@node.example:8899", "node.example:8899"),
            ("localhost:8899", "localhost:8899"),
            ("localhost", "localhost"),
            ("[::1]:8899", "[::1]:8899"),
            ("", ""),
            // No addresses of nodes.
            ("mailto:KEY-1234", HIDDEN),
            ("https:KEY-1234", HIDDEN),
            ("localhost:", HIDDEN),
            ("node.example:KEY-1234", HIDDEN),
            ("key://KEY-1234", HIDDEN),
            ("KEY-1234", HIDDEN),
        ] {
            let endpoint = Endpoint::new(url);
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(format!("{endpoint:?}"), format!("Endpoint({shown})"));
            assert_eq!(endpoint.expose(), url);
        }
    }

    #[test]
    fn texts_of_others_lose_its_secrets_and_every_address() {
        let endpoint =
            Endpoint::new("https://name:password@node.example/v2/path-key?api-key=query-key&x=1");
        for (text, hidden) in [
            ("no key query-key here", "no key (hidden) here"),
            (
                "GET /v2/path-key?api-key=query-key&x=1: 401",
                "GET (hidden): 401",
            ),
            ("of path-key\nand password", "of (hidden)\nand (hidden)"),
            ("at https://other/place now", "at (address) now"),
            ("v2 of 1 is fine", "v2 of 1 is fine"),
        ] {
            assert_eq!(endpoint.hide(text), hidden);
        }
        assert_eq!(Endpoint::new("").hide("all of it"), "all of it");
        assert_eq!(
            Endpoint::new("mailto:KEY-1234").hide("mailto:KEY-1234 has no host, KEY-1234 neither"),
            "(hidden) has no host, (hidden) neither"
        );
    }
}
