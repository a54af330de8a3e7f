//! Which of several keepers acts for a position.

use ballast_history::store::Postgres;
use ballast_lease::shard::SHARDS;
use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require, invalid};

/// A group of keepers, between which positions are shared out.
#[derive(Clone, PartialEq, Eq)]
pub struct Shards {
    /// The Postgres in which their leases are, the same for all.
    pub url: String,
    /// This keeper's name among them.
    pub member: String,
}

impl std::fmt::Debug for Shards {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shards")
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawShards {
    lease_url: Option<String>,
    member: Option<String>,
}

impl RawShards {
    /// What it says; `None`: this keeper acts for all positions.
    pub fn read(self) -> Result<Option<Shards>, ConfigError> {
        let (url, member) = match (self.lease_url, self.member) {
            (None, None) => return Ok(None),
            (Some(url), Some(member)) => (url, member),
            _ => {
                return Err(invalid(
                    "shards.lease_url",
                    "and member belong together",
                    "set both, each keeper of the group with a name of its own, or neither",
                ));
            }
        };
        Postgres::check(&url).map_err(|error| {
            invalid(
                "shards.lease_url",
                error.to_string(),
                "write postgres://USER@HOST/DATABASE",
            )
        })?;
        require(
            !member.trim().is_empty(),
            "shards.member",
            "is empty",
            "give each keeper a name of its own",
        )?;
        Ok(Some(Shards { url, member }))
    }
}

impl Shards {
    /// One node's word on how far the chain is would not do.
    pub(super) fn check(&self, more_nodes: usize) -> Result<(), ConfigError> {
        require(
            more_nodes > 0,
            "shards.lease_url",
            "needs the word of two nodes on how far the chain is, and there is one",
            "name another as nodes.more_rpc_urls",
        )
    }

    /// In words.
    pub fn summary(&self) -> String {
        format!(
            "member {:?} of a group that shares {SHARDS} shards of positions",
            self.member
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, sim::config};

    fn parse(text: &str) -> Result<Option<Shards>, String> {
        let raw: RawShards = toml::from_str(text).map_err(|error| error.to_string())?;
        raw.read().map_err(|error| error.to_string())
    }

    const URL: &str = "lease_url = \"postgres://me@localhost/x\"\n";

    #[test]
    fn it_is_off_until_group_and_member_are_named() {
        assert_eq!(parse("").unwrap(), None);
        let named = parse(&format!("{URL}member = \"a\"")).unwrap().unwrap();
        assert_eq!(named.member, "a");
        assert!(named.summary().contains("\"a\"") && named.summary().contains("256"));
        assert!(!format!("{named:?}").contains("localhost"));
        for (text, key) in [
            (URL.to_owned(), "shards.lease_url"),
            ("member = \"a\"".into(), "shards.lease_url"),
            (format!("{URL}member = \" \""), "shards.member"),
            (
                "lease_url = \"mysql://me:secret@h/x\"\nmember = \"a\"".into(),
                "shards.lease_url",
            ),
            (format!("{URL}member = \"a\"\nshards = 3"), "shards"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(key) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_group_needs_a_second_node() {
        let mut config = config(Mode::Active);
        config.shards = parse(&format!("{URL}member = \"a\"")).unwrap();
        let refused = config.check().unwrap_err().to_string();
        assert!(refused.contains("nodes.more_rpc_urls"), "{refused}");
        config.nodes.more_rpc_urls = vec!["https://other.example".into()];
        config.check().unwrap();
    }
}
