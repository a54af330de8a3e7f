//! Which service streams what changes.

use std::path::{Path, PathBuf};

use ballast_client::Endpoint;
use serde::{Deserialize, Serialize};

use super::{
    ConfigError,
    check::{is_http, require},
};

/// The websockets of `ws_url` and `nodes.more_ws_urls`, or a service in their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// A Yellowstone gRPC service; `None`: the websockets.
    pub grpc_url: Option<Endpoint>,
    /// File with the token that it wants.
    pub grpc_token: Option<PathBuf>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFeed {
    grpc_url: Option<String>,
    grpc_token: Option<PathBuf>,
}

impl From<RawFeed> for Feed {
    fn from(raw: RawFeed) -> Self {
        Self {
            grpc_url: raw.grpc_url.map(Endpoint::new),
            grpc_token: raw.grpc_token,
        }
    }
}

impl Feed {
    pub(super) fn relative_to(&mut self, directory: &Path) {
        self.grpc_token = self.grpc_token.take().map(|file| directory.join(file));
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(
            self.grpc_url.as_ref().is_none_or(is_http),
            "feed.grpc_url",
            "is not an http address",
            "write https://HOST:PORT",
        )?;
        require(
            self.grpc_token.is_none() || self.grpc_url.is_some(),
            "feed.grpc_token",
            "is the token of no service",
            "name the service as feed.grpc_url, or remove it",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, sim::config};

    #[test]
    fn a_service_is_an_address_and_perhaps_a_token() {
        let mut config = config(Mode::Active);
        let checked = |config: &crate::Config| config.check().map_err(|error| error.to_string());
        config.feed.grpc_url = Some("https://grpc.example:443/KEY-123456".into());
        config.feed.grpc_token = Some("token".into());
        assert_eq!(checked(&config), Ok(()));
        config.feed.relative_to(Path::new("/etc/keeper"));
        assert_eq!(
            config.feed.grpc_token.as_deref(),
            Some(Path::new("/etc/keeper/token"))
        );
        assert!(!format!("{config:?}").contains("KEY-123456"));
        config.feed.grpc_url = Some("grpc.example:443".into());
        assert!(checked(&config).unwrap_err().contains("feed.grpc_url"));
        config.feed.grpc_url = None;
        assert!(checked(&config).unwrap_err().contains("feed.grpc_token"));
    }
}
