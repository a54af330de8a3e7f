//! Errors of configurations that cannot be read. RPC URLs hold keys: of a file, keys' names are repeated, values are not.

use super::ConfigError;

/// Shortest piece of a value that may be a secret, or a part of one.
const LEAST_SECRET: usize = 8;
/// Longest name of a key that is repeated; those of the configuration are shorter.
const LONGEST_NAME: usize = 40;

/// Line, key and problem of what TOML refuses.
pub(super) fn explain(text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count();
    ConfigError::Malformed {
        line: line + 1,
        key: text.lines().nth(line).and_then(name).unwrap_or("?").into(),
        problem: without_values(text, error.message()),
    }
}

/// Name of the key or table that a line sets.
fn name(line: &str) -> Option<&str> {
    let line = line.trim();
    let table = line
        .strip_prefix('[')
        .and_then(|rest| rest.trim_start_matches('[').split(']').next());
    let name = table.or_else(|| Some(line.split_once('=')?.0))?.trim();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (!name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_plain)).then_some(name)
}

/// A parser's message without what it quotes of the file's values.
pub(super) fn without_values(text: &str, message: &str) -> String {
    let mut pieces: Vec<&str> = text
        .lines()
        .flat_map(|line| values(line).split(is_border))
        .filter(|piece| piece.len() >= LEAST_SECRET)
        .collect();
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    let mut message = message.to_owned();
    for piece in pieces {
        message = message.replace(piece, ballast_client::HIDDEN);
    }
    message
}

/// What a line holds beside the name of its key: all of it if it has none, as in a text of several lines.
fn values(line: &str) -> &str {
    match name(line) {
        Some(_) => line.split_once('=').map_or("", |(_, value)| value),
        None => line,
    }
}

/// What parts pieces that a parser repeats as they are.
fn is_border(c: char) -> bool {
    c.is_whitespace() || !c.is_ascii() || "\"'`\\,[]{}".contains(c)
}

#[cfg(test)]
mod tests {
    use crate::Config;

    const KEY: &str = "KEY0123456789";

    #[test]
    fn a_key_is_in_no_error() {
        let url = format!("https://node.example/v1/{KEY}?api-key={KEY}");
        for line in [
            // Not TOML.
            format!("rpc_url = {url}"),
            format!("rpc_url = \"{url}"),
            format!("rpc_url \"{url}\""),
            url.to_string(),
            format!("\"{url}\" = 1"),
            format!("[{url}]"),
            format!("rpc_url = \"https://node.example/\n{KEY}\""),
            // Keys that there are not.
            format!("rpc_ulr = \"{url}\""),
            format!("[timing]\nrpc_url = \"{url}\""),
            // Values of other types.
            format!("mode = \"{url}\""),
            format!("mode = \"{KEY}\""),
            format!("mode = \"\"\"\n{url}\"\"\""),
            format!("max_in_flight = \"{url}\""),
            format!("markets = \"{url}\""),
            format!("rpc_url = [\"{url}\"]"),
            // No cluster, no websocket, no address.
            format!("rpc_url = \"htps://node.example/{KEY}\"\njournal_dir = \"j\""),
            format!("rpc_url = \"{KEY}\"\njournal_dir = \"j\""),
            format!("rpc_url = \"http://h\"\nws_url = \"{url}\"\njournal_dir = \"j\""),
            format!(
                "rpc_url = \"http://h\"\njournal_dir = \"j\"\n[[markets]]\naddress = \"{url}\"\n\
                 base_price = \"{KEY}\"\nquote_price = \"{KEY}\""
            ),
            format!("rpc_url = \"http://h\"\njournal_dir = \"j\"\npool_programs = [\"{url}\"]"),
        ] {
            let error = Config::parse(&line).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(
                !said.contains(KEY) && !said.contains("/v1/"),
                "{line}: {said}"
            );
        }
    }

    #[test]
    fn names_and_problems_are_told() {
        for (text, parts) in [
            ("rpc_ulr = \"x\"", ["line 1", "`rpc_ulr`", "unknown field"]),
            (
                "rpc_url = \"x\"\n[timing]\npoll = 1",
                ["line 3", "`poll`", "poll_interval_ms"],
            ),
            ("[timeing]\n", ["line 1", "`timeing`", "unknown field"]),
            ("mode = \"live\"", ["line 1", "`mode`", "live"]),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{part}: {error}");
            }
        }
    }
}
